/* net/ws: every allocation fails once, on both sides, plain and TLS. Nothing crashes, nothing leaks
 * (LSan), and whoever was told yes is told the end. */
#include "unit/oom.h"

#include "unit/net_ws_rig.h"
#include "unit/tls_certs.h"

enum { TIMERS = 256 };

static struct tls_ctx *client_tls, *server_tls;
static char big[100000];

/* net/tmr.c ends the program when its heap cannot grow: it is large enough from the start. */
static void grow_timers(struct loop *loop)
{
    static struct tmr t[TIMERS];
    for (size_t i = 0; i < TIMERS; i++)
        tmr_start(&t[i], loop, 1000, rig_kicked, NULL);
    for (size_t i = 0; i < TIMERS; i++)
        tmr_stop(&t[i]);
}

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    (void)arg;
    (void)peer;
    enum va_err err = ws_accept(rig.loop, fd, (struct str){NULL, 0}, &rig.server_cfg, &rig_handlers,
                                &rig.server, &rig.server.c);
    if (err)
        assert_int_equal(err, VA_ENOMEM);
}

/* The client sends when it is open; the server answers and closes. */
static void converse(struct side *s)
{
    static const struct str parts[] = {STR_LIT("a"), {big, sizeof(big)}};
    if (!s->c)
        return;
    if (s == &rig.client && s->opens && !s->messages)
        (void)!ws_sendv(s->c, WS_BINARY, parts, 2);
    else if (s == &rig.server && s->messages == 1 && !ws_send(s->c, WS_TEXT, big, 1000))
        ws_close(s->c, 4000, "done");
}

static void run(bool tls)
{
    rig_make(false);
    grow_timers(rig.loop);
    tcp_listener_close(&rig.listener);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &rig.addr), VA_OK);
    assert_int_equal(tcp_listen(rig.loop, &rig.addr, on_accept, NULL, &rig.listener, NULL), VA_OK);
    tcp_listener_addr(rig.listener, &rig.addr);
    rig.client.then = rig.server.then = converse;
    rig.reply.subprotocol = "a";
    if (tls) {
        rig.client_cfg.tls = client_tls;
        rig.server_cfg.tls = server_tls;
    }
    oom.exempt = 0;
    enum va_err err = rig_connect_as(tls ? "wss" : "ws", "127.0.0.1", "/", "a");
    if (err)
        assert_int_equal(err, VA_ENOMEM);
    else
        RIG_UNTIL(rig.client.ends);
    oom.exempt = 1;
    rig_settle();
    rig_end();
}

static void run_plain(void)
{
    run(false);
}

static void run_tls(void)
{
    run(true);
}

static void a_connection_survives_each_allocation(void **state)
{
    (void)state;
    oom_sweep(run_plain, 1);
    oom_sweep(run_plain, 3);
}

static void a_tls_connection_survives_each_allocation(void **state)
{
    (void)state;
    struct cert self = cert_make(&(struct cert_want){"self", "IP:127.0.0.1", true, -1, 30}, NULL);
    const struct tls_client_cfg cfg = {.ca_file = self.cert_file};
    assert_int_equal(tls_client_ctx_new(&cfg, &client_tls, NULL), VA_OK);
    assert_int_equal(tls_server_ctx_new(self.cert_file, self.key_file, &server_tls, NULL), VA_OK);
    oom_sweep(run_tls, 1);
    tls_ctx_free(&client_tls);
    tls_ctx_free(&server_tls);
    cert_free(&self);
    certs_remove();
}

static void run_contexts(void)
{
    struct tls_ctx *ctx = NULL;
    struct va_fault fault = {VA_OK, ""};
    const struct tls_client_cfg cfg = {.insecure = true, .ca_setting = "X"};
    oom.exempt = 0;
    enum va_err err = tls_client_ctx_new(&cfg, &ctx, &fault);
    oom.exempt = 1;
    assert_true(err == VA_OK || (err == VA_ENOMEM && fault.text[0] && !ctx));
    tls_ctx_free(&ctx);
}

static void contexts_survive_each_allocation(void **state)
{
    (void)state;
    oom_sweep(run_contexts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_survives_each_allocation),
        cmocka_unit_test(a_tls_connection_survives_each_allocation),
        cmocka_unit_test(contexts_survive_each_allocation),
    };
    return cmocka_run_group_tests_name("net_ws_oom", tests, NULL, NULL);
}
