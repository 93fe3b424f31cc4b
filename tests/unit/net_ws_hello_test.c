/* net/http_head, ws_url, ws_hello: the handshake as bytes. */
#include "net/http_head.h"
#include "net/ws_hello.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY    "dGhlIHNhbXBsZSBub25jZQ==" /* RFC 6455 §1.3 */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define GOOD                                                                                       \
    "GET /chat?x=1 HTTP/1.1\r\nHost: a\r\nUPGRADE: WebSocket\r\nconnection: keep-alive, "          \
    "Upgrade\r\nSec-WebSocket-Key:  " KEY "\t\r\nSec-WebSocket-Version: 13\r\n"

/* ---- heads ---------------------------------------------------------------------------------- */

static enum va_err request(const char *z, struct http_message *h)
{
    size_t n = http_head_length(z, strlen(z), 0);
    return n ? http_head_request(z, n, h) : VA_EAGAIN;
}

static enum va_err answer(const char *z, struct http_message *h)
{
    size_t n = http_head_length(z, strlen(z), 0);
    return n ? http_head_answer(z, n, h) : VA_EAGAIN;
}

static void a_head_ends_at_its_empty_line_wherever_it_is_cut(void **state)
{
    static const char z[] = GOOD "\r\nbehind";
    (void)state;
    for (size_t first = 0; first < sizeof(z); first++)
        for (size_t second = first; second < sizeof(z); second++) {
            size_t a = http_head_length(z, first, 0);
            size_t b = a ? a : http_head_length(z, second, first);
            size_t all = sizeof(z) - 1 - 6;
            assert_int_equal(a, first >= all ? all : 0);
            assert_int_equal(b, second >= all ? all : 0);
        }
}

static void a_request_is_taken_apart(void **state)
{
    struct http_message h;
    (void)state;
    assert_int_equal(request(GOOD "Empty:\r\nList: a\r\nlist: b , Two\r\n\r\n", &h), VA_OK);
    assert_true(str_eqz(h.method, "GET"));
    assert_true(str_eqz(h.target, "/chat?x=1"));
    assert_int_equal(h.minor, 1);
    assert_int_equal(h.header_count, 8);
    assert_true(str_eqz(http_head_get(&h, "sec-websocket-KEY"), KEY));
    assert_true(str_eqz(http_head_get(&h, "empty"), ""));
    assert_int_equal(http_head_count(&h, "LIST"), 2);
    assert_true(http_head_lists(&h, "list", "two"));
    assert_false(http_head_lists(&h, "list", "tw"));
    assert_true(http_head_get(&h, "none").p == NULL);
}

static void heads_that_could_be_read_in_two_ways_are_refused(void **state)
{
    static const char *const requests[] = {
        "\r\n\r\n",
        "GET / HTTP/1.1\n\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\n\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\r\n\r\n",
        "GET / HTTP/1.1\r\nA : b\r\n\r\n",
        "GET / HTTP/1.1\r\n A: b\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\n: no name\r\n\r\n",
        "GET / HTTP/1.1\r\nA: \x01\r\n\r\n",
        "GET / HTTP/1.1\r\nA\xc3\xa4: b\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "GET / x HTTP/1.1\r\n\r\n",
        "GET /\xc3\xa4 HTTP/1.1\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET / HTTP/1.10\r\n\r\n",
        "GET / http/1.1\r\n\r\n",
        "GET /\r\n\r\n",
        "G(T / HTTP/1.1\r\n\r\n",
        "\x16\x03\x01 TLS\r\n\r\n",
    };
    static const char *const answers[] = {
        "HTTP/1.1 20 OK\r\n\r\n",      "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",     "HTTP/2 200 OK\r\n\r\n",    "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 200 O\x02K\r\n\r\n", "HTTP/1.1\r\n\r\n",
    };
    struct http_message h;
    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        if (request(requests[i], &h) != VA_EPROTO)
            fail_msg("request %zu: %s", i, requests[i]);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        if (answer(answers[i], &h) != VA_EPROTO)
            fail_msg("answer %zu: %s", i, answers[i]);
    assert_int_equal(answer("HTTP/1.1 200\r\nA:b\r\n\r\n", &h), VA_OK); /* no reason: allowed */
}

static void headers_are_bounded(void **state)
{
    char z[4096] = "GET / HTTP/1.1\r\n";
    struct http_message h;
    (void)state;
    for (int i = 0; i < HTTP_FIELDS_MAX; i++)
        (void)snprintf(z + strlen(z), sizeof(z) - strlen(z), "A%d: b\r\n", i);
    char *end = z + strlen(z);
    (void)snprintf(end, 16, "\r\n");
    assert_int_equal(request(z, &h), VA_OK);
    assert_int_equal(h.header_count, HTTP_FIELDS_MAX);
    (void)snprintf(end, 16, "X: y\r\n\r\n");
    assert_int_equal(request(z, &h), VA_ELIMIT);
}

/* ---- URLs ----------------------------------------------------------------------------------- */

static void urls_are_read(void **state)
{
    static const struct {
        const char *url, *host;
        bool tls;
        uint16_t port;
        const char *target;
    } rows[] = {
        {"ws://a", "a", false, 80, ""},
        {"wss://api.example.com/v1/realtime?model=x", "api.example.com", true, 443,
         "/v1/realtime?model=x"},
        {"HTTP://a:8080/", "a", false, 8080, "/"},
        {"https://a:1?q", "a", true, 1, "?q"},
        {"ws://[::1]:65535/x", "::1", false, 65535, "/x"},
        {"wss://[fe80::1]", "fe80::1", true, 443, ""},
        {"ws://127.0.0.1:9/a:b@c", "127.0.0.1", false, 9, "/a:b@c"},
    };
    static const char *const bad[] = {
        "",          "a",           "ftp://a",      "ws:/a",     "ws://",         "ws:///x",
        "ws://a:",   "ws://a:0",    "ws://a:65536", "ws://a:+1", "ws://u@a/",     "ws://u:p@a/",
        "ws://a/#f", "ws://a#f",    "ws://a/ b",    "ws://a b/", "ws://a/\r\nX:", "ws://a/\xc3\xa4",
        "ws://[::1", "ws://[::1]x", "ws://[::1]:",  "ws://[]",   "ws://[a/b]",    "ws://a\\b",
    };
    struct ws_url u;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ws_url_parse(rows[i].url, &u), VA_OK);
        assert_string_equal(u.host, rows[i].host);
        assert_int_equal(u.tls, rows[i].tls);
        assert_int_equal(u.port, rows[i].port);
        assert_true(str_eqz(u.target, rows[i].target));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (ws_url_parse(bad[i], &u) != VA_EINVAL)
            fail_msg("%s", bad[i]);
    char *z = malloc(400);
    assert_non_null(z);
    (void)snprintf(z, 400, "ws://%0300d/", 0);
    assert_int_equal(ws_url_parse(z, &u), VA_EINVAL);
    free(z);
}

/* ---- what we ask ---------------------------------------------------------------------------- */

static enum va_err ask(const char *url, const struct ws_header *headers, size_t count,
                       const char *subprotocol, struct buf *out)
{
    struct ws_url u;
    const struct ws_target to = {url, headers, count, subprotocol};
    assert_int_equal(ws_url_parse(url, &u), VA_OK);
    buf_free(out);
    return ws_hello_request(&u, &to, KEY, out);
}

static void a_request_says_what_was_asked_for(void **state)
{
    struct buf out;
    struct http_message h;
    const char *text = NULL;
    const struct ws_header headers[] = {{STR_LIT("Authorization"), STR_LIT("Bearer x")}};
    (void)state;
    buf_init(&out, WS_HEAD_BYTES_MAX);
    assert_int_equal(ask("wss://[::1]:8443?a=b", headers, 1, "chat", &out), VA_OK);
    assert_int_equal(request(buf_z(&out), &h), VA_OK);
    assert_true(str_eqz(h.target, "/?a=b"));
    assert_true(str_eqz(http_head_get(&h, "Host"), "[::1]:8443"));
    assert_true(str_eqz(http_head_get(&h, "Authorization"), "Bearer x"));
    assert_true(str_eqz(http_head_get(&h, "Sec-WebSocket-Protocol"), "chat"));
    assert_int_equal(ws_hello_check_request(&h, &text), 101);
    assert_int_equal(ask("ws://host:80/p", NULL, 0, NULL, &out), VA_OK);
    assert_int_equal(request(buf_z(&out), &h), VA_OK);
    assert_true(str_eqz(http_head_get(&h, "Host"), "host"));
    assert_true(str_eqz(h.target, "/p"));
    buf_free(&out);
}

static void headers_that_would_make_another_request_are_refused(void **state)
{
    static const struct ws_header bad[] = {
        {STR_LIT("A"), STR_LIT("b\r\nC: d")}, {STR_LIT("A"), STR_LIT("b\n")},
        {STR_LIT("A"), STR_LIT("b\0c")},      {STR_LIT("A: b\r\nC"), STR_LIT("d")},
        {STR_LIT("A b"), STR_LIT("c")},       {STR_LIT(""), STR_LIT("c")},
        {STR_LIT("hOST"), STR_LIT("x")},      {STR_LIT("Sec-WebSocket-Key"), STR_LIT("x")},
        {STR_LIT("Upgrade"), STR_LIT("x")},   {STR_LIT("Content-Length"), STR_LIT("1")},
    };
    static char big[WS_HEAD_BYTES_MAX];
    struct ws_header many[WS_HEADERS_MAX + 1];
    struct buf out;
    (void)state;
    buf_init(&out, WS_HEAD_BYTES_MAX);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (ask("ws://a", &bad[i], 1, NULL, &out) != VA_EINVAL)
            fail_msg("header %zu", i);
    assert_int_equal(ask("ws://a", NULL, 0, "two words", &out), VA_EINVAL);
    assert_int_equal(ask("ws://a", NULL, 0, "", &out), VA_EINVAL);
    for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
        many[i] = (struct ws_header){STR_LIT("A"), STR_LIT("b")};
    assert_int_equal(ask("ws://a", many, WS_HEADERS_MAX, NULL, &out), VA_OK);
    assert_int_equal(ask("ws://a", many, WS_HEADERS_MAX + 1, NULL, &out), VA_EINVAL);
    memset(big, 'x', sizeof(big));
    many[0].value = str_make(big, sizeof(big));
    assert_int_equal(ask("ws://a", many, 1, NULL, &out), VA_ELIMIT);
    buf_free(&out);
}

static void keys_are_random(void **state)
{
    char a[WS_KEY_TEXT], b[WS_KEY_TEXT];
    (void)state;
    ws_hello_key(a);
    ws_hello_key(b);
    assert_int_equal(strlen(a), 24);
    assert_string_not_equal(a, b);
}

/* ---- the answer to it ----------------------------------------------------------------------- */

#define SWITCH  "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: WEBSOCKET\r\nConnection: foo, UPGRADE\r\n"
#define ACCEPTS "Sec-WebSocket-Accept: " ACCEPT "\r\n"

static void an_answer_is_held_against_the_request(void **state)
{
    static const struct {
        const char *z, *offered;
        bool good;
    } rows[] = {
        {SWITCH UPGRADE ACCEPTS "\r\n", NULL, true},
        {SWITCH UPGRADE ACCEPTS "\r\n", "a", true},
        {SWITCH UPGRADE ACCEPTS "Sec-WebSocket-Protocol: a\r\n\r\n", "a", true},
        {SWITCH UPGRADE ACCEPTS "Sec-WebSocket-Protocol: A\r\n\r\n", "a", false},
        {SWITCH UPGRADE ACCEPTS "Sec-WebSocket-Protocol: a\r\n\r\n", NULL, false},
        {SWITCH UPGRADE ACCEPTS "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", NULL,
         false},
        {SWITCH UPGRADE ACCEPTS ACCEPTS "\r\n", NULL, false},
        {SWITCH UPGRADE "\r\n", NULL, false},
        {SWITCH UPGRADE "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", NULL, false},
        {SWITCH "Upgrade: websocket\r\n" ACCEPTS "\r\n", NULL, false},
        {SWITCH "Connection: upgrade\r\n" ACCEPTS "\r\n", NULL, false},
        {SWITCH "Upgrade: websockets\r\nConnection: upgrade\r\n" ACCEPTS "\r\n", NULL, false},
    };
    struct http_message h;
    char accept[WS_ACCEPT_TEXT];
    (void)state;
    ws_hello_accept(str_of(KEY), accept);
    assert_string_equal(accept, ACCEPT);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(answer(rows[i].z, &h), VA_OK);
        assert_int_equal(h.status, 101);
        if ((ws_hello_check_answer(&h, KEY, rows[i].offered) == NULL) != rows[i].good)
            fail_msg("row %zu", i);
    }
}

/* ---- what a client asks us ------------------------------------------------------------------ */

#define HOST    "Host: a\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEYED   "Sec-WebSocket-Key: " KEY "\r\n"
#define GET     "GET / HTTP/1.1\r\n"

static void a_request_gets_its_status(void **state)
{
    static const struct {
        const char *z;
        int status;
    } rows[] = {
        {GOOD "\r\n", 101},
        {GET HOST UPGRADE VERSION KEYED "Content-Length: 0\r\n\r\n", 101},
        {"GET / HTTP/1.0\r\n" HOST UPGRADE VERSION KEYED "\r\n", 400},
        {"POST / HTTP/1.1\r\n" HOST UPGRADE VERSION KEYED "\r\n", 405},
        {"GET http://a/ HTTP/1.1\r\n" HOST UPGRADE VERSION KEYED "\r\n", 400},
        {GET UPGRADE VERSION KEYED "\r\n", 400},
        {GET HOST HOST UPGRADE VERSION KEYED "\r\n", 400},
        {GET HOST UPGRADE VERSION KEYED "Content-Length: 5\r\n\r\n", 400},
        {GET HOST UPGRADE VERSION KEYED "Transfer-Encoding: chunked\r\n\r\n", 400},
        {GET HOST "\r\n", 426},
        {GET HOST "Upgrade: h2c\r\nConnection: upgrade\r\n" VERSION KEYED "\r\n", 426},
        {GET HOST "Upgrade: websocket\r\n" VERSION KEYED "\r\n", 400},
        {GET HOST UPGRADE "Sec-WebSocket-Version: 8\r\n" KEYED "\r\n", 426},
        {GET HOST UPGRADE KEYED "\r\n", 426},
        {GET HOST UPGRADE VERSION "\r\n", 400},
        {GET HOST UPGRADE VERSION KEYED KEYED "\r\n", 400},
        {GET HOST UPGRADE VERSION "Sec-WebSocket-Key: c2hvcnQ=\r\n\r\n", 400},
        {GET HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=!\r\n\r\n", 400},
        {GET HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXB*ZSBub25jZQ==\r\n\r\n", 400},
    };
    struct http_message h;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text = NULL;
        assert_int_equal(request(rows[i].z, &h), VA_OK);
        int status = ws_hello_check_request(&h, &text);
        if (status != rows[i].status || (status != 101 && !text))
            fail_msg("row %zu: %d", i, status);
    }
}

static void answers_are_http(void **state)
{
    struct buf out;
    struct http_message h;
    (void)state;
    buf_init(&out, WS_HEAD_BYTES_MAX);
    assert_int_equal(request(GOOD "\r\n", &h), VA_OK);
    assert_int_equal(ws_hello_answer(&h, "chat", &out), VA_OK);
    assert_int_equal(answer(buf_z(&out), &h), VA_OK);
    assert_null(ws_hello_check_answer(&h, KEY, "chat"));
    for (int status = 400; status < 600; status++) {
        buf_reset(&out);
        assert_int_equal(ws_hello_refusal(status, "no", &out), VA_OK);
        assert_int_equal(answer(buf_z(&out), &h), VA_OK);
        assert_int_equal(h.status, status);
        assert_true(str_eqz(http_head_get(&h, "Content-Length"), "3"));
        assert_string_equal(strstr(buf_z(&out), "\r\n\r\n") + 4, "no\n");
        assert_true(http_head_lists(&h, "Connection", "close"));
    }
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_ends_at_its_empty_line_wherever_it_is_cut),
        cmocka_unit_test(a_request_is_taken_apart),
        cmocka_unit_test(heads_that_could_be_read_in_two_ways_are_refused),
        cmocka_unit_test(headers_are_bounded),
        cmocka_unit_test(urls_are_read),
        cmocka_unit_test(a_request_says_what_was_asked_for),
        cmocka_unit_test(headers_that_would_make_another_request_are_refused),
        cmocka_unit_test(keys_are_random),
        cmocka_unit_test(an_answer_is_held_against_the_request),
        cmocka_unit_test(a_request_gets_its_status),
        cmocka_unit_test(answers_are_http),
    };
    return cmocka_run_group_tests_name("net_ws_hello", tests, NULL, NULL);
}
