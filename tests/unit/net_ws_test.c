/* net/ws: both ends are ours. */
#include "net/tcp.h"
#include "net/tls.h"
#include "net/ws.h"

#include "unit/tls_certs.h"

#include <stdio.h>
#include <stdlib.h>

struct side {
    struct ws_conn *c;
    unsigned opens, messages, ends;
    size_t bytes;
    char last[64], subprotocol[32], text[512];
    enum ws_kind kind;
    struct ws_end end;
};

static struct {
    struct loop *loop;
    struct tcp_listener *listener;
    struct net_addr addr;
    const struct tls_ctx *server_tls;
    struct side client, server;
} lab;

static struct ws_reply on_request(void *arg, const struct ws_request *r)
{
    (void)arg;
    assert_true(str_eqz(r->path, "/a/b"));
    assert_true(str_eqz(r->query, "c=d"));
    assert_true(str_eqz(ws_request_header(r, "x-TOKEN"), "secret"));
    return (struct ws_reply){.status = 101, .subprotocol = "two"};
}

static void on_open(void *arg, struct str subprotocol)
{
    struct side *s = arg;
    s->opens++;
    assert_true(str_copy(s->subprotocol, sizeof(s->subprotocol), subprotocol));
}

static void on_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct side *s = arg;
    s->messages++;
    s->bytes += len;
    s->kind = kind;
    (void)str_copy(s->last, sizeof(s->last), str_make(p, len));
    if (s == &lab.server)
        assert_int_equal(ws_send(s->c, kind, p, len), VA_OK);
}

static void on_closed(void *arg, const struct ws_end *end)
{
    struct side *s = arg;
    s->ends++;
    s->end = *end;
    (void)snprintf(s->text, sizeof(s->text), "%s", end->text);
    ws_free(&s->c);
}

static const struct ws_handlers client_handlers = {
    .on_open = on_open, .on_message = on_message, .on_closed = on_closed};
static const struct ws_handlers server_handlers = {
    .on_request = on_request, .on_open = on_open, .on_message = on_message, .on_closed = on_closed};

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    const struct ws_cfg cfg = {.tls = lab.server_tls};
    (void)arg;
    (void)peer;
    assert_int_equal(ws_accept(lab.loop, fd, (struct str){0}, &cfg, &server_handlers, &lab.server,
                               &lab.server.c),
                     VA_OK);
}

static void lab_open(void)
{
    memset(&lab, 0, sizeof(lab));
    assert_int_equal(loop_new(NULL, 0, &lab.loop), VA_OK);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &lab.addr), VA_OK);
    assert_int_equal(tcp_listen(lab.loop, &lab.addr, on_accept, NULL, &lab.listener, NULL), VA_OK);
    tcp_listener_addr(lab.listener, &lab.addr);
    (void)alarm(20);
}

static void lab_close(void)
{
    ws_free(&lab.client.c);
    ws_free(&lab.server.c);
    tcp_listener_close(&lab.listener);
    loop_free(&lab.loop);
}

static void turn_until(const unsigned *what, unsigned n)
{
    while (*what < n)
        loop_turn(lab.loop, true);
}

static void go(const char *scheme, const struct tls_ctx *tls)
{
    char url[100];
    const struct ws_header token = {STR_LIT("X-Token"), STR_LIT("secret")};
    const struct ws_target to = {
        .url = url, .headers = &token, .header_count = 1, .subprotocol = "two"};
    const struct ws_cfg cfg = {.tls = tls};
    (void)snprintf(url, sizeof(url), "%s://127.0.0.1:%u/a/b?c=d", scheme, net_addr_port(&lab.addr));
    assert_int_equal(ws_connect(lab.loop, &to, &cfg, &client_handlers, &lab.client, &lab.client.c),
                     VA_OK);
}

static void converse(const char *scheme, const struct tls_ctx *tls)
{
    static char big[300000];
    go(scheme, tls);
    turn_until(&lab.client.opens, 1);
    assert_string_equal(lab.client.subprotocol, "two");
    assert_int_equal(ws_send(lab.client.c, WS_TEXT, "hello", 5), VA_OK);
    turn_until(&lab.client.messages, 1);
    assert_string_equal(lab.client.last, "hello");
    assert_int_equal(lab.client.kind, WS_TEXT);
    memset(big, 'x', sizeof(big));
    assert_int_equal(ws_send(lab.client.c, WS_BINARY, big, sizeof(big)), VA_OK);
    turn_until(&lab.client.messages, 2);
    assert_int_equal(lab.client.bytes, 5 + sizeof(big));
    ws_close(lab.client.c, 1000, "bye");
    turn_until(&lab.client.ends, 1);
    turn_until(&lab.server.ends, 1);
    assert_int_equal(lab.client.end.err, VA_OK);
    assert_int_equal(lab.server.end.err, VA_OK);
    assert_int_equal(lab.server.end.code, 1000);
}

static void both_sides_converse(void **state)
{
    (void)state;
    lab_open();
    converse("ws", NULL);
    lab_close();
}

static void both_sides_converse_over_tls(void **state)
{
    (void)state;
    struct cert ca = cert_make(&(struct cert_want){"ca", NULL, true, -1, 30}, NULL);
    struct cert good =
        cert_make(&(struct cert_want){"good", "DNS:localhost,IP:127.0.0.1", false, -1, 30}, &ca);
    struct tls_ctx *client = NULL, *server = NULL;
    struct va_fault fault = {VA_OK, ""};
    const struct tls_client_cfg cfg = {.ca_file = ca.cert_file};
    assert_int_equal(tls_client_ctx_new(&cfg, &client, &fault), VA_OK);
    assert_int_equal(tls_server_ctx_new(good.cert_file, good.key_file, &server, &fault), VA_OK);
    for (int i = 0; i < 2; i++) {
        lab_open();
        lab.server_tls = server;
        converse("wss", client);
        lab_close();
    }
    tls_ctx_free(&client);
    tls_ctx_free(&server);
    cert_free(&good);
    cert_free(&ca);
    certs_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_converse_over_tls),
        cmocka_unit_test(both_sides_converse),
    };
    return cmocka_run_group_tests_name("net_ws", tests, NULL, NULL);
}
