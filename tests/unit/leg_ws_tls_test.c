/* leg/ws_tls: the port speaks wss; a stream inside of it still goes to any loop. */
#include "leg/ws_hub.h"
#include "net/tls.h"

#include "unit/tls_certs.h"
#include "unit/unit.h"

#define CALL "11111111-2222-3333-4444-555555555555"

struct bench {
    struct loop *loop;
    struct settings settings;
    struct ws_hub *hub;
    struct tls_ctx *trust;
    struct cert cert;
    struct ws_conn *client, *server;
    bool open, over;
    enum va_err why;
    size_t got;
    unsigned messages;
};

static void on_open(void *arg, struct str subprotocol)
{
    (void)subprotocol;
    ((struct bench *)arg)->open = true;
}

static void on_back(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct bench *b = arg;
    assert_int_equal(kind, WS_BINARY);
    for (size_t i = 0; i < len; i++)
        assert_int_equal((unsigned char)p[i], (unsigned char)(i * 7));
    b->got += len;
    b->messages++;
}

static void on_client_over(void *arg, const struct ws_end *end)
{
    struct bench *b = arg;
    b->over = true;
    b->why = end->err;
}

static void on_server_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct bench *b = arg;
    assert_int_equal(ws_send(b->server, kind, p, len), VA_OK);
}

static void on_server_over(void *arg, const struct ws_end *end)
{
    (void)end;
    ws_free(&((struct bench *)arg)->server);
}

static void on_stream(void *arg, struct ws_stream *stream)
{
    static const struct ws_handlers h = {.on_request = ws_stream_answer,
                                         .on_message = on_server_message,
                                         .on_closed = on_server_over};
    struct bench *b = arg;
    char ip[NET_ADDR_TEXT];
    net_addr_ip(&ws_stream_facts(stream)->peer, ip);
    assert_string_equal(ip, "127.0.0.1"); /* FreeSWITCH's, not the relay's */
    assert_int_equal(ws_stream_take(&stream, b->loop, &(struct ws_cfg){0}, &h, b, &b->server),
                     VA_OK);
}

static void dial(struct bench *b, const char *scheme)
{
    static const struct ws_handlers h = {
        .on_open = on_open, .on_message = on_back, .on_closed = on_client_over};
    struct net_addr at;
    char url[200];
    ws_hub_addr(b->hub, &at);
    (void)snprintf(url, sizeof(url), "%s://127.0.0.1:%u/stream/default/" CALL, scheme,
                   net_addr_port(&at));
    const struct ws_target to = {.url = url};
    const struct ws_cfg cfg = {.tls = b->trust};
    b->open = b->over = false;
    ws_free(&b->client);
    assert_int_equal(ws_connect(b->loop, &to, &cfg, &h, b, &b->client), VA_OK);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    const struct cert_want want = {"voice", "IP:127.0.0.1", true, -1, 10};
    struct va_fault fault = {0};
    b->cert = cert_make(&want, NULL);
    (void)snprintf(b->settings.ws_host, SETTING_TEXT_MAX, "127.0.0.1");
    (void)snprintf(b->settings.ws_tls_cert, SETTING_TEXT_MAX, "%s", b->cert.cert_file);
    (void)snprintf(b->settings.ws_tls_key, SETTING_TEXT_MAX, "%s", b->cert.key_file);
    assert_int_equal(loop_new(NULL, 0, &b->loop), VA_OK);
    const struct tls_client_cfg trust = {.ca_file = b->cert.cert_file};
    assert_int_equal(tls_client_ctx_new(&trust, &b->trust, &fault), VA_OK);
    const struct ws_hub_handlers h = {on_stream};
    if (ws_hub_open(b->loop, &b->settings, &h, b, &b->hub, &fault))
        fail_msg("%s", fault.text);
    (void)alarm(60);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    ws_free(&b->client);
    ws_free(&b->server);
    ws_hub_close(&b->hub);
    loop_free(&b->loop);
    tls_ctx_free(&b->trust);
    cert_free(&b->cert);
    certs_remove();
    free(b);
    return 0;
}

static void audio_goes_through_tls(void **state)
{
    struct bench *b = *state;
    unsigned char frame[60000];
    for (size_t i = 0; i < sizeof(frame); i++)
        frame[i] = (unsigned char)(i * 7);
    dial(b, "wss");
    while (!b->open)
        loop_turn(b->loop, true);
    for (unsigned i = 0; i < 50; i++) {
        size_t len = i % 2 ? 320 : sizeof(frame) / (i + 1);
        size_t want = b->got + len;
        assert_int_equal(ws_send(b->client, WS_BINARY, frame, len), VA_OK);
        while (b->got < want)
            loop_turn(b->loop, true);
    }
    assert_int_equal(b->messages, 50);
}

static void plain_is_not_served(void **state)
{
    struct bench *b = *state;
    dial(b, "ws");
    while (!b->over)
        loop_turn(b->loop, true);
    assert_int_not_equal(b->why, VA_OK);
    assert_null(b->server);
    dial(b, "wss"); /* and nobody else is hurt */
    while (!b->open)
        loop_turn(b->loop, true);
}

static void both_ends_are_noticed(void **state)
{
    struct bench *b = *state;
    dial(b, "wss");
    while (!b->open)
        loop_turn(b->loop, true);
    ws_free(&b->client);
    while (b->server)
        loop_turn(b->loop, true);
    dial(b, "wss");
    while (!b->open)
        loop_turn(b->loop, true);
    ws_free(&b->server);
    while (!b->over)
        loop_turn(b->loop, true);
}

static void the_url_is_wss(void **state)
{
    struct bench *b = *state;
    struct ws_wait *w = NULL;
    char url[200];
    struct net_addr local;
    assert_int_equal(net_addr_parse("127.0.0.1", 1, &local), VA_OK);
    assert_int_equal(ws_hub_expect(b->hub, b->loop, CALL, on_stream, b, &w), VA_OK);
    assert_int_equal(ws_wait_url(w, &local, url, sizeof(url)), VA_OK);
    assert_memory_equal(url, "wss://127.0.0.1:", 16);
    ws_wait_cancel(&w);
}

static void a_missing_key_is_said(void **state)
{
    struct bench *b = *state;
    struct ws_hub *hub = NULL;
    struct va_fault fault = {0};
    struct settings wrong = b->settings;
    (void)snprintf(wrong.ws_tls_key, SETTING_TEXT_MAX, "/nonexistent.key");
    const struct ws_hub_handlers h = {on_stream};
    assert_int_not_equal(ws_hub_open(b->loop, &wrong, &h, b, &hub, &fault), VA_OK);
    assert_non_null(strstr(fault.text, "/nonexistent.key"));
    assert_null(hub);
}

static void an_address_is_in_no_certificate(void **state)
{
    struct bench *b = *state;
    struct ws_hub *hub = NULL;
    struct va_fault fault = {0};
    const struct ws_hub_handlers dual = {NULL};
    assert_int_equal(ws_hub_open(b->loop, &b->settings, &dual, b, &hub, &fault), VA_ECONFIG);
    assert_non_null(strstr(fault.text, "WS_ADVERTISE_URL"));
    (void)snprintf(b->settings.ws_advertise_url, SETTING_TEXT_MAX, "wss://voice.example.org");
    assert_int_equal(ws_hub_open(b->loop, &b->settings, &dual, b, &hub, &fault), VA_OK);
    ws_hub_close(&hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(audio_goes_through_tls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(plain_is_not_served, set_up, tear_down),
        cmocka_unit_test_setup_teardown(both_ends_are_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_url_is_wss, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_key_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_is_in_no_certificate, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
