/* leg/ws_request: heads and paths that anybody may send, and who may in. */
#include "leg/ws_request.h"
#include "net/http_head.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define CALL "11111111-2222-3333-4444-555555555555"
#define HEAD(extra)                                                                                \
    "GET /stream/default/" CALL "/5511999 HTTP/1.1\r\nHost: 127.0.0.1:8085\r\n"                    \
    "Upgrade: websocket\r\nConnection: Upgrade\r\n" extra "\r\n"

/* An exact copy, so that reading behind its end is seen. */
static char *exact(const char *text, size_t len)
{
    char *p = malloc(len ? len : 1);
    memcpy(p, text, len);
    return p;
}

static int read_head(const char *text, size_t len, struct ws_ask *ask)
{
    const char *why = NULL;
    static char *copy;
    free(copy);
    copy = exact(text, len);
    int status = ws_request_read(str_make(copy, len), ask, &why);
    if (status) {
        assert_non_null(why);
        assert_true(*why);
    }
    return status;
}

static void heads_are_read(void **state)
{
    (void)state;
    struct ws_ask ask;
    const char *head = HEAD("Origin: http://127.0.0.1:8085\r\nX-Auth-Token:  s3cret \r\n");
    assert_int_equal(read_head(head, strlen(head), &ask), 0);
    assert_true(str_eqz(ask.path, "/stream/default/" CALL "/5511999"));
    assert_true(str_eqz(ask.host, "127.0.0.1:8085"));
    assert_true(str_eqz(ask.bearer, "s3cret"));
    assert_true(str_eqz(ask.origin, "http://127.0.0.1:8085"));
    const char *bearer = HEAD("Authorization: bearer  abc\r\n");
    assert_int_equal(read_head(bearer, strlen(bearer), &ask), 0);
    assert_true(str_eqz(ask.bearer, "abc"));
    /* mod_audio_stream leaves out the blank behind the colon */
    const char *tight = "GET /a?b=c HTTP/1.1\r\nHost:h:1\r\nUpgrade:websocket\r\n\r\n";
    assert_int_equal(read_head(tight, strlen(tight), &ask), 0);
    assert_true(str_eqz(ask.path, "/a"));
    assert_true(str_eqz(ask.query, "b=c"));
}

static void every_shorter_head_is_refused(void **state)
{
    (void)state;
    const char *head = HEAD("Origin: x\r\n");
    struct ws_ask ask;
    for (size_t len = 0; len < strlen(head); len++) {
        assert_int_equal(http_head_length(head, len, 0), 0);
        assert_int_not_equal(read_head(head, len, &ask), 0);
    }
    assert_int_equal(http_head_length(head, strlen(head), 0), strlen(head));
}

static void wrong_heads(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        int status;
    } cases[] = {
        {"POST / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\nUpgrade: websocket\r\n\r\n", 400},
        {"GET http://x/ HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"GET / HTTP/1.1\nUpgrade: websocket\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nUpgrade: web\x01socket\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nUpgrade: websocket\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 426},
        {"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", 426},
        {"\x16\x03\x01\x02\r\n\r\n", 400},
    };
    struct ws_ask ask;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(read_head(cases[i].head, strlen(cases[i].head), &ask), cases[i].status);
    char many[4000] = "GET / HTTP/1.1\r\nUpgrade: websocket\r\n";
    size_t len = strlen(many);
    for (int i = 0; i < 40; i++)
        len += (size_t)snprintf(many + len, sizeof(many) - len, "a: b\r\n");
    (void)snprintf(many + len, sizeof(many) - len, "\r\n");
    assert_int_equal(read_head(many, strlen(many), &ask), 431);
}

static int read_path(const char *path, const char *query, struct ws_path *ret)
{
    const char *why = NULL;
    return ws_path_read(str_of(path), str_of(query), ret, &why);
}

static void paths(void **state)
{
    (void)state;
    struct ws_path p;
    assert_int_equal(read_path("/stream/default/" CALL, "", &p), 0);
    assert_string_equal(p.stream.secretary, "");
    assert_string_equal(p.stream.call, CALL);
    assert_string_equal(p.stream.caller, "");
    assert_int_equal(read_path("/stream/a%20b/c-1/%2B5511%20x", "", &p), 0);
    assert_string_equal(p.stream.secretary, "a b");
    assert_string_equal(p.stream.call, "c-1");
    assert_string_equal(p.stream.caller, "+5511 x");
    assert_int_equal(read_path("/stream/default/c/", "", &p), 0);
    assert_int_equal(read_path("/call/0123456789abcdef0123456789abcdef", "", &p), 0);
    assert_int_equal(p.kind, WS_PATH_CALL);
    assert_string_equal(p.token, "0123456789abcdef0123456789abcdef");
    static const struct {
        const char *path;
        int status;
    } wrong[] = {
        {"/", 404},
        {"/health", 404},
        {"/stream", 404},
        {"/stream/", 404},
        {"/stream//c", 404},
        {"/stream/s/", 400},
        {"/stream/s/c/d/e", 404},
        {"/stream/s/c%2", 400},
        {"/stream/s/c%", 400},
        {"/stream/s/c%gg", 400},
        {"/stream/s/c%00", 400},
        {"/stream/s/c%0Auuid_kill", 400},
        {"/stream/s/c d", 400},
        {"/stream/s/..", 400},
        {"/stream/s/" CALL "0", 400},
        {"/stream/s/c/%00", 400},
        {"/call/", 404},
        {"/call/0123456789abcdef0123456789abcde", 404},
        {"/call/0123456789abcdef0123456789abcdef0", 404},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(read_path(wrong[i].path, "", &p), wrong[i].status);
    char longer[400] = "/stream/";
    memset(longer + 8, 'x', WS_HUB_SECRETARY_MAX + 1);
    (void)snprintf(longer + 8 + WS_HUB_SECRETARY_MAX + 1, 20, "/c");
    assert_int_equal(read_path(longer, "", &p), 400);
    memmove(longer + 8, longer + 9, strlen(longer + 8)); /* one shorter */
    assert_int_equal(read_path(longer, "", &p), 0);
}

static void formats_of_the_query(void **state)
{
    (void)state;
    struct ws_path p;
    const char *path = "/stream/default/c";
    assert_int_equal(read_path(path, "codec=PCMA&rate=16000&channels=2&playback=json", &p), 0);
    assert_int_equal(p.stream.codec, WS_CODEC_PCMA);
    assert_int_equal(p.stream.rate_hz, 16000);
    assert_int_equal(p.stream.channels, 2);
    assert_int_equal(p.stream.playback, WS_PLAY_JSON);
    assert_int_equal(read_path(path, "token=x&&=&a", &p), 0);
    assert_int_equal(p.stream.codec, WS_CODEC_UNKNOWN);
    static const char *const wrong[] = {"codec=opus",
                                        "rate=11025",
                                        "rate=8k",
                                        "channels=0",
                                        "channels=3",
                                        "playback=loud",
                                        "rate=99999999999999999999"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(read_path(path, wrong[i], &p), 400);
}

static int gate(const struct ws_gate *g, const char *extra, const char *query)
{
    char head[600];
    struct ws_ask ask;
    const char *why = NULL;
    (void)snprintf(head, sizeof(head), "GET /x?%s HTTP/1.1\r\nUpgrade: websocket\r\n%s\r\n", query,
                   extra);
    assert_int_equal(ws_request_read(str_of(head), &ask, &why), 0);
    return ws_gate_check(g, &ask, &why);
}

static void who_may_in(void **state)
{
    (void)state;
    const struct ws_gate open_loopback = {.loopback = true};
    const struct ws_gate loopback = {STR_LIT("s3cret"), true, {NULL, 0}};
    const struct ws_gate wide = {STR_LIT("s3cret"), false, STR_LIT("voice.example.org")};
    const struct ws_gate closed = {.loopback = false};
    const char *same = "Host: 127.0.0.1:8085\r\nOrigin: http://127.0.0.1:8085\r\n";
    const char *page = "Host: 127.0.0.1:8085\r\nOrigin: http://evil.example\r\n";
    const char *rebound = "Host: evil.example:8085\r\nOrigin: http://evil.example:8085\r\n";
    const char *null = "Host: 127.0.0.1:8085\r\nOrigin: null\r\n";
    /* nobody but this machine reaches it */
    assert_int_equal(gate(&open_loopback, "", ""), 0);
    assert_int_equal(gate(&open_loopback, same, ""), 0);
    assert_int_equal(gate(&open_loopback, page, ""), 403);
    assert_int_equal(gate(&open_loopback, rebound, ""), 403);
    assert_int_equal(gate(&open_loopback, null, ""), 403);
    assert_int_equal(gate(&open_loopback, "", "token=s3cret"), 0); /* none is set */
    /* a token that is set is asked for, everywhere */
    const struct ws_gate *both[] = {&loopback, &wide};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(gate(both[i], "", ""), 401);
        assert_int_equal(gate(both[i], same, ""), 401);
        assert_int_equal(gate(both[i], page, ""), 403);
        assert_int_equal(gate(both[i], page, "token=s3cret"), 0);
        assert_int_equal(gate(both[i], "", "token=s3cret"), 0);
        assert_int_equal(gate(both[i], "", "a=b&token=%733cret"), 0);
        assert_int_equal(gate(both[i], "X-Auth-Token: s3cret\r\n", ""), 0);
        assert_int_equal(gate(both[i], "Authorization: Bearer s3cret\r\n", ""), 0);
        assert_int_equal(gate(both[i], "Authorization: Basic s3cret\r\n", ""), 401);
        static const char *const wrong[] = {"token=",       "token=s3cre", "token=s3crett",
                                            "token=S3CRET", "token=%",     "xtoken=s3cret"};
        for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++)
            assert_int_equal(gate(both[i], "", wrong[k]), 401);
        assert_int_equal(gate(both[i], "X-Auth-Token: s3cret\r\n", "token=no"), 0);
    }
    assert_int_equal(
        gate(&wide, "Host: voice.example.org\r\nOrigin: https://voice.example.org\r\n", ""), 401);
    /* no token, reachable: nothing but one-time tokens */
    assert_int_equal(gate(&closed, "", ""), 401);
    assert_int_equal(gate(&closed, "", "token="), 401);
    assert_int_equal(gate(&closed, "X-Auth-Token: \r\n", ""), 401);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_read),       cmocka_unit_test(every_shorter_head_is_refused),
        cmocka_unit_test(wrong_heads),          cmocka_unit_test(paths),
        cmocka_unit_test(formats_of_the_query), cmocka_unit_test(who_may_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
