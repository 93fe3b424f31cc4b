/* net/ws: handshakes, limits, closes, pings, back-pressure; both ends ours or one of them raw. */
#include "unit/net_ws_rig.h"
#include "unit/tls_certs.h"

/* ---- both ends are ours --------------------------------------------------------------------- */

static void converse(const char *scheme)
{
    static char big[300000];
    rig.echo = true;
    rig.reply.subprotocol = "two";
    assert_int_equal(rig_connect_as(scheme, "localhost", "/a/b?c=d", "two"), VA_OK);
    assert_int_equal(ws_send(rig.client.c, WS_TEXT, "x", 1), VA_EAGAIN);
    RIG_UNTIL(rig.client.opens);
    assert_string_equal(rig.client.subprotocol, "two");
    assert_int_equal(ws_send(rig.client.c, WS_TEXT, "hello", 5), VA_OK);
    RIG_UNTIL(rig.client.messages == 1);
    assert_string_equal(rig.client.last, "hello");
    assert_int_equal(rig.client.kind, WS_TEXT);
    memset(big, 'x', sizeof(big));
    assert_int_equal(ws_send(rig.client.c, WS_BINARY, big, sizeof(big)), VA_OK);
    RIG_UNTIL(rig.client.messages == 2);
    assert_int_equal(rig.client.bytes, 5 + sizeof(big));
    ws_close(rig.client.c, 1000, "bye");
    ws_close(rig.client.c, 1001, "ignored");
    assert_int_equal(ws_send(rig.client.c, WS_TEXT, "x", 1), VA_ECLOSED);
    RIG_UNTIL(rig.client.ends && rig.server.ends);
    assert_int_equal(rig.client.end.err, VA_OK);
    assert_int_equal(rig.server.end.err, VA_OK);
    assert_int_equal(rig.server.end.code, 1000);
    assert_string_equal(rig.server.reason, "bye");
}

static void both_sides_converse(void **state)
{
    (void)state;
    rig_make(false);
    converse("ws");
    rig_end();
}

static void both_sides_converse_over_tls(void **state)
{
    (void)state;
    struct cert ca = cert_make(&(struct cert_want){"ca", NULL, true, -1, 30}, NULL);
    struct cert good = cert_make(&(struct cert_want){"good", "DNS:localhost", false, -1, 30}, &ca);
    struct tls_ctx *client = NULL, *server = NULL;
    const struct tls_client_cfg cfg = {.ca_file = ca.cert_file};
    assert_int_equal(tls_client_ctx_new(&cfg, &client, NULL), VA_OK);
    assert_int_equal(tls_server_ctx_new(good.cert_file, good.key_file, &server, NULL), VA_OK);
    for (int i = 0; i < 3; i++) { /* the later ones are resumed */
        rig_make(false);
        rig.client_cfg.tls = client;
        rig.server_cfg.tls = server;
        converse("wss");
        rig_end();
    }
    rig_make(false); /* the system's authorities do not know ours */
    rig.server_cfg.tls = server;
    assert_int_equal(rig_connect_as("wss", "localhost", "/", NULL), VA_OK);
    RIG_UNTIL(rig.client.ends && rig.server.ends);
    assert_int_equal(rig.client.end.err, VA_EAUTH);
    assert_int_equal(rig.server.requests, 0);
    rig_end();
    tls_ctx_free(&client);
    tls_ctx_free(&server);
    cert_free(&good);
    cert_free(&ca);
    certs_remove();
}

static void parts_are_one_message(void **state)
{
    static char big[40000];
    struct str parts[] = {STR_LIT("{\"audio\":\""), {big, sizeof(big)}, {NULL, 0}, STR_LIT("\"}")};
    (void)state;
    memset(big, 'A', sizeof(big));
    for (size_t len = 16300; len < 16500; len += 7) { /* around a TLS record's size */
        rig_make(false);
        rig_both_open();
        parts[1].len = len;
        assert_int_equal(ws_sendv(rig.client.c, WS_TEXT, parts, 4), VA_OK);
        assert_int_equal(ws_sendv(rig.server.c, WS_BINARY, parts, 4), VA_OK);
        assert_int_equal(ws_sendv(rig.client.c, WS_TEXT, NULL, 0), VA_OK);
        RIG_UNTIL(rig.server.messages == 2 && rig.client.messages == 1);
        assert_int_equal(rig.server.bytes, len + 12);
        assert_int_equal(rig.client.bytes, len + 12);
        rig_end();
    }
}

/* ---- split at every byte -------------------------------------------------------------------- */

/* `early` bytes are handed over, the others come from the socket, `step` at a time. */
static void serve_in_pieces(const char *p, size_t len, size_t early, size_t step)
{
    int fd[2];
    rig_make(false);
    rig.echo = true;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    assert_int_equal(ws_accept(rig.loop, fd[0], str_make(p, early), &rig.server_cfg, &rig_handlers,
                               &rig.server, &rig.server.c),
                     VA_OK);
    assert_int_equal(rig.server.requests, 0); /* not from inside */
    assert_int_equal(tcp_adopt(rig.loop, fd[1], 1 << 20, &rig_raw, NULL, &rig.raw), VA_OK);
    for (size_t at = early; at < len; at += step) {
        rig_raw_say(p + at, len - at < step ? len - at : step);
        loop_turn(rig.loop, false);
    }
    RIG_UNTIL(rig.server.ends);
    assert_int_equal(rig.server.requests, 1);
    assert_int_equal(rig.server.opens, 1);
    assert_int_equal(rig.server.messages, 2);
    assert_int_equal(rig.server.end.err, VA_OK);
    assert_int_equal(rig.server.end.code, 4321);
    assert_string_equal(rig.server.reason, "bye");
    rig_end();
}

static void a_client_is_served_in_any_pieces(void **state)
{
    char p[600];
    size_t len = (size_t)snprintf(p, sizeof(p), "%s", RIG_GET);
    (void)state;
    len += rig_frame(p + len, 0x81, "hello", 5);
    len += rig_frame(p + len, 0x89, "ping", 4);
    len += rig_frame(p + len, 0x82, "", 0);
    len += rig_frame(p + len, 0x88,
                     "\x10\xe1"
                     "bye",
                     5); /* code 4321 */
    for (size_t early = 0; early <= len; early++)
        serve_in_pieces(p, len, early, len);
    serve_in_pieces(p, len, 0, 1);
    serve_in_pieces(p, len, 3, 2);
}

static void a_server_is_understood_in_any_pieces(void **state)
{
    static const char frames[] = "\x81\x05"
                                 "first\x82\x01x\x88\x02\x03\xe8";
    (void)state;
    for (size_t cut = 1;; cut++) {
        char z[500];
        rig_make(false);
        rig_raw_server();
        size_t head = rig_answer(z, sizeof(z), "Sec-WebSocket-Protocol: chat\r\n");
        size_t len = head + sizeof(frames) - 1;
        memcpy(z + head, frames, sizeof(frames) - 1);
        rig_raw_say(z, cut < len ? cut : len);
        rig_settle();
        assert_int_equal(rig.client.opens, cut >= head);
        if (cut < len)
            rig_raw_say(z + cut, len - cut);
        RIG_UNTIL(rig.client.ends);
        assert_string_equal(rig.client.subprotocol, "chat");
        assert_int_equal(rig.client.messages, 2);
        assert_int_equal(rig.client.end.err, VA_OK);
        rig_end();
        if (cut > len)
            break;
    }
}

/* ---- a server's limits ---------------------------------------------------------------------- */

static void expect_refusal(const char *request, const char *status_line, int status)
{
    rig_make(false);
    rig_raw_client();
    rig_raw_sayz(request);
    RIG_UNTIL(rig.server.ends && rig.raw_ended);
    assert_int_equal(rig.server.opens, 0);
    assert_int_equal(rig.server.end.http_status, status);
    if (!rig_heard(status_line))
        fail_msg("%s: %s", status_line, buf_z(&rig.heard));
    assert_true(rig_heard("\r\n\r\n") && rig.heard.len > 1);
    assert_ptr_equal(memchr(rig.heard.p, '\n', rig.heard.len), rig.heard.p + rig.heard.len - 1);
    rig_end();
}

static void requests_that_are_none_get_their_status(void **state)
{
    static char long_head[WS_HEAD_BYTES_MAX + 100], many[2000];
    (void)state;
    memset(long_head, 'a', sizeof(long_head) - 1);
    memcpy(long_head, "GET / HTTP/1.1\r\nA: ", 19);
    (void)snprintf(many, sizeof(many), "GET / HTTP/1.1\r\n");
    for (int i = 0; i <= WS_HEADERS_MAX; i++)
        (void)snprintf(many + strlen(many), sizeof(many) - strlen(many), "A: b\r\n");
    (void)snprintf(many + strlen(many), sizeof(many) - strlen(many), "\r\n");
    expect_refusal(long_head, "HTTP/1.1 431 Request Header Fields Too Large\r\n", 431);
    expect_refusal(many, "HTTP/1.1 431 ", 431);
    expect_refusal("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 426 Upgrade Required\r\n", 426);
    expect_refusal("\x16\x03\x01 hello\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", 400);
}

static void a_request_may_be_refused_by_the_user(void **state)
{
    static const struct ws_reply replies[] = {{401, NULL, "give a token"},
                                              {403, NULL, "this token may not"},
                                              {404, NULL, NULL},
                                              {503, NULL, "full"}};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        rig_make(false);
        rig.reply = replies[i];
        assert_int_equal(rig_connect_as("ws", "127.0.0.1", "/", NULL), VA_OK);
        RIG_UNTIL(rig.client.ends && rig.server.ends);
        assert_int_equal(rig.client.end.http_status, replies[i].status);
        assert_int_equal(rig.server.end.http_status, replies[i].status);
        assert_int_equal(rig.client.end.err, i < 2 ? VA_EAUTH : i == 2 ? VA_EPROTO : VA_EREFUSED);
        assert_int_equal(rig.server.end.err, i < 2 ? VA_EAUTH : VA_EREFUSED);
        assert_string_equal(rig.client.reason, replies[i].text ? replies[i].text : "Not Found");
        rig_end();
    }
}

static void a_slow_request_is_not_waited_for(void **state)
{
    (void)state;
    rig_make(true);
    rig.server_cfg.connect_timeout_ms = 3000;
    rig_raw_client();
    for (int i = 0; i < 29; i++) { /* a byte now and then does not help */
        rig_raw_say(RIG_GET + i, 1);
        rig_advance_ms(100);
    }
    assert_int_equal(rig.server.ends, 0);
    rig_advance_ms(100);
    assert_int_equal(rig.server.end.err, VA_ETIMEOUT);
    assert_int_equal(rig.server.end.http_status, 408);
    assert_true(rig_heard("HTTP/1.1 408 "));
    rig_end();
}

static void a_subprotocol_that_was_not_offered_is_not_chosen(void **state)
{
    (void)state;
    rig_make(false);
    rig.reply.subprotocol = "other";
    assert_int_equal(rig_connect_as("ws", "127.0.0.1", "/", "mine"), VA_OK);
    RIG_UNTIL(rig.client.opens && rig.server.opens);
    assert_string_equal(rig.client.subprotocol, "");
    assert_string_equal(rig.server.subprotocol, "");
    rig_end();
}

/* ---- what a server may answer --------------------------------------------------------------- */

static void expect_answer(const char *answer, bool closes, enum va_err err, int status,
                          const char *reason, const char *text)
{
    rig_make(false);
    rig_raw_server();
    rig_raw_sayz(answer);
    if (closes)
        tcp_close_flush(&rig.raw);
    RIG_UNTIL(rig.client.ends);
    if (rig.client.end.err != err || rig.client.end.http_status != status ||
        strcmp(rig.client.reason, reason) || !strstr(rig.client.text, text))
        fail_msg("%s: %s %d \"%s\": %s", answer, va_err_name(rig.client.end.err),
                 rig.client.end.http_status, rig.client.reason, rig.client.text);
    rig_end();
}

static void answers_that_are_no_101_are_told(void **state)
{
    static char endless[WS_HEAD_BYTES_MAX + 1];
    (void)state;
    memset(endless, 'x', sizeof(endless) - 1);
    memcpy(endless, "HTTP/1.1 101 x\r\nA: ", 19);
    expect_answer("HTTP/1.1 401 No\r\nContent-Length: 7\r\n\r\nbad key", false, VA_EAUTH, 401,
                  "bad key", "Unauthorized: bad key; check the key");
    expect_answer("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", false, VA_EAUTH, 403, "", "403");
    expect_answer("HTTP/1.1 404 No\r\n\r\nnothing here", true, VA_EPROTO, 404, "nothing here",
                  "path");
    expect_answer(
        "HTTP/1.1 429 No\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nslow\r\ndo\r\n0\r\n\r\n", true,
        VA_EREFUSED, 429, "slow\r\ndo", "slow  do; too many");
    expect_answer("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nslow", true,
                  VA_EREFUSED, 503, "", "try again later");
    expect_answer("HTTP/1.1 301 No\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", false, VA_EPROTO,
                  301, "", "redirects are not followed");
    expect_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, VA_EPROTO, 200, "hi",
                  "200");
    expect_answer("HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", false,
                  VA_EPROTO, 101, "", "Sec-WebSocket-Accept");
    expect_answer("SSH-2.0-OpenSSH\r\n\r\n", false, VA_EPROTO, 0, "", "does not answer in HTTP");
    expect_answer(endless, false, VA_ELIMIT, 0, "", "over 8192 bytes");
    expect_answer("HTTP/1.1 101 OK\r\nUpgr", true, VA_ECLOSED, 0, "", "before it answered");
    expect_answer("HTTP/1.1 100 a\r\n\r\nHTTP/1.1 100 a\r\n\r\nHTTP/1.1 100 a\r\n\r\nHTTP/1.1 100 "
                  "a\r\n\r\nHTTP/1.1 100 a\r\n\r\nHTTP/1.1 100 a\r\n\r\nHTTP/1.1 100 a\r\n\r\n"
                  "HTTP/1.1 100 a\r\n\r\n",
                  true, VA_EPROTO, 100, "", "100");
}

static void hints_before_the_answer_are_skipped(void **state)
{
    char z[600] = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    (void)state;
    rig_make(false);
    rig_raw_server();
    size_t n = strlen(z);
    n += rig_answer(z + n, sizeof(z) - n, "");
    rig_raw_say(z, n);
    RIG_UNTIL(rig.client.opens);
    rig_end();
}

static void a_body_is_not_waited_for_long(void **state)
{
    (void)state;
    rig_make(true);
    rig_raw_server();
    rig_raw_sayz("HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nsick");
    rig_settle();
    assert_int_equal(rig.client.ends, 0);
    rig_advance_ms(1000);
    assert_int_equal(rig.client.end.http_status, 500);
    assert_string_equal(rig.client.reason, "sick");
    rig_end();
}

static void connecting_has_a_limit_and_says_where_it_stopped(void **state)
{
    (void)state;
    rig_make(true);
    rig.client_cfg.connect_timeout_ms = 2000;
    rig_raw_server();
    rig_advance_ms(1999);
    assert_int_equal(rig.client.ends, 0);
    rig_advance_ms(1);
    assert_int_equal(rig.client.end.err, VA_ETIMEOUT);
    assert_non_null(strstr(rig.client.text, "waiting for the answer"));
    rig_end();
}

static void nobody_there_is_told(void **state)
{
    (void)state;
    rig_make(false);
    tcp_listener_close(&rig.listener);
    assert_int_equal(rig_connect_as("ws", "127.0.0.1", "/", NULL), VA_OK);
    RIG_UNTIL(rig.client.ends);
    assert_int_equal(rig.client.end.err, VA_EREFUSED);
    assert_non_null(strstr(rig.client.text, "127.0.0.1:"));
    rig_end();
    rig_make(false);
    assert_int_equal(rig_connect_as("ws", "no-such-host.invalid", "/", NULL), VA_OK);
    RIG_UNTIL(rig.client.ends);
    assert_true(rig.client.end.err == VA_ENOTFOUND || rig.client.end.err == VA_EAGAIN);
    assert_non_null(strstr(rig.client.text, "no-such-host.invalid"));
    rig_end();
    rig_make(false);
    assert_int_equal(rig_connect_as("ftp", "127.0.0.1", "/", NULL), VA_EINVAL);
    assert_int_equal(rig_connect_as("ws", "127.0.0.1", "/", "a b"), VA_EINVAL);
    rig_end();
}

/* ---- closing -------------------------------------------------------------------------------- */

static void a_server_closes(void **state)
{
    char reason[300];
    (void)state;
    rig_make(false);
    rig_both_open();
    memset(reason, 0, sizeof(reason));
    for (size_t i = 0; i < 100; i++)
        memcpy(reason + 2 * i, "ä", 2);
    ws_close(rig.server.c, 1001, reason);
    RIG_UNTIL(rig.client.ends && rig.server.ends);
    assert_int_equal(rig.client.end.code, 1001);
    assert_int_equal(strlen(rig.client.reason), 122); /* whole characters */
    assert_int_equal(rig.server.end.err, VA_OK);
    rig_end();
}

static void both_close_at_once(void **state)
{
    (void)state;
    rig_make(false);
    rig_both_open();
    ws_close(rig.server.c, 4001, "s");
    ws_close(rig.client.c, 77, NULL); /* no code of the protocol: 1000 */
    RIG_UNTIL(rig.client.ends && rig.server.ends);
    assert_int_equal(rig.client.end.err, VA_OK);
    assert_int_equal(rig.server.end.err, VA_OK);
    assert_int_equal(rig.client.end.code, 4001);
    assert_int_equal(rig.server.end.code, 1000);
    rig_end();
}

static void a_close_that_is_not_answered_ends_in_two_seconds(void **state)
{
    (void)state;
    rig_make(true);
    rig_raw_client_open();
    ws_close(rig.server.c, 1000, NULL);
    rig_advance_ms(1999);
    char frame[20];
    rig_raw_say(frame, rig_frame(frame, 0x81, "late", 4)); /* not delivered any more */
    rig_settle();
    assert_int_equal(rig.server.ends, 0);
    assert_int_equal(rig.server.messages, 0);
    rig_advance_ms(1);
    assert_int_equal(rig.server.end.err, VA_ETIMEOUT);
    assert_int_equal(rig.server.end.code, 1000);
    rig_end();
}

static void a_connection_that_just_ends_is_told(void **state)
{
    (void)state;
    rig_make(false);
    rig_raw_client_open();
    tcp_close(&rig.raw);
    RIG_UNTIL(rig.server.ends);
    assert_int_equal(rig.server.end.err, VA_ECLOSED);
    assert_int_equal(rig.server.end.code, 0);
    rig_end();
    rig_make(false);
    rig_raw_client_open();
    ws_close(rig.server.c, 1001, NULL);
    tcp_close(&rig.raw);
    RIG_UNTIL(rig.server.ends);
    assert_int_equal(rig.server.end.code, 1001);
    rig_end();
}

static void closing_before_it_is_open_cancels(void **state)
{
    (void)state;
    for (int turns = 0; turns < 6; turns++) {
        rig_make(false);
        assert_int_equal(rig_connect_as("ws", "localhost", "/", NULL), VA_OK);
        for (int i = 0; i < turns; i++)
            rig_turn();
        if (rig.client.opens) {
            rig_end();
            break;
        }
        ws_close(rig.client.c, 1000, NULL);
        assert_int_equal(rig.client.ends, 0);
        RIG_UNTIL(rig.client.ends);
        assert_int_equal(rig.client.end.err, VA_ECANCELED);
        rig_end();
    }
}

/* ---- frames that break a rule --------------------------------------------------------------- */

static void expect_code(const void *p, size_t len, enum va_err err, uint16_t code)
{
    struct ws_rx rx;
    struct ws_event ev;
    rig_make(false);
    rig.server_cfg.message_max = 1000;
    rig_raw_client_open();
    rig_raw_say(p, len);
    RIG_UNTIL(rig.server.ends && rig.raw_ended);
    assert_int_equal(rig.server.end.err, err);
    assert_int_equal(rig.server.end.code, code);
    ws_rx_init(&rx, false, 1000, false);
    assert_true(rig_heard_frame(&rx, &ev));
    assert_int_equal(ev.op, WS_OP_CLOSE);
    assert_int_equal(ev.code, code);
    ws_rx_free(&rx);
    rig_end();
}

static void a_broken_rule_ends_with_its_code(void **state)
{
    static char big[2000];
    char frame[2100];
    (void)state;
    expect_code("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xfd\1\2\3\4", 14, VA_EPROTO, 1002);
    expect_code("\x81\x01x", 3, VA_EPROTO, 1002);
    expect_code(frame, rig_frame(frame, 0x81, "\xff", 1), VA_EPROTO, 1007);
    expect_code(frame, rig_frame(frame, 0x82, big, 1001), VA_ELIMIT, 1009);
}

static void a_trusted_peers_text_is_not_checked(void **state)
{
    char frame[20];
    (void)state;
    rig_make(false);
    rig.server_cfg.utf8_unchecked = true;
    rig_raw_client_open();
    rig_raw_say(frame, rig_frame(frame, 0x81, "\xff", 1));
    RIG_UNTIL(rig.server.messages);
    assert_string_equal(rig.server.last, "\xff");
    rig_end();
}

/* ---- pings ---------------------------------------------------------------------------------- */

static void silence_is_pinged_and_then_ends(void **state)
{
    struct ws_rx rx;
    struct ws_event ev;
    char frame[20];
    (void)state;
    rig_make(true);
    rig.server_cfg.ping_ms = 5000;
    rig_raw_client_open();
    ws_rx_init(&rx, false, 1000, false);
    rig_advance_ms(4000);
    rig_raw_say(frame, rig_frame(frame, 0x81, "x", 1));
    RIG_UNTIL(rig.server.messages == 1);
    rig_advance_ms(4999); /* since then */
    assert_false(rig_heard_frame(&rx, &ev));
    rig_advance_ms(1);
    assert_true(rig_heard_frame(&rx, &ev));
    assert_int_equal(ev.op, WS_OP_PING);
    rig_advance_ms(4000);
    rig_raw_say(frame, rig_frame(frame, 0x8a, "", 0));
    rig_settle();
    rig_advance_ms(1000); /* the old limit: it was heard meanwhile */
    rig_advance_ms(4000);
    assert_true(rig_heard_frame(&rx, &ev));
    assert_int_equal(ev.op, WS_OP_PING);
    rig_advance_ms(4999);
    assert_int_equal(rig.server.ends, 0);
    rig_advance_ms(1);
    assert_int_equal(rig.server.end.err, VA_ETIMEOUT);
    assert_false(rig_heard_frame(&rx, &ev));
    ws_rx_free(&rx);
    rig_end();
}

static void pings_are_answered_with_their_payload(void **state)
{
    struct ws_rx rx;
    struct ws_event ev;
    (void)state;
    rig_make(false);
    rig_raw_server_open();
    ws_rx_init(&rx, true, 1000, false);
    rig_raw_say("\x89\x04ping", 6);
    RIG_UNTIL(rig_heard_frame(&rx, &ev));
    assert_int_equal(ev.op, WS_OP_PONG);
    assert_memory_equal(ev.p, "ping", 4);
    assert_int_equal(ev.len, 4);
    ws_rx_free(&rx);
    rig_end();
}

/* ---- back-pressure -------------------------------------------------------------------------- */

static void unsent_bytes_are_bounded_and_draining_is_told(void **state)
{
    enum { OUT = 100000, MESSAGE = 1000 };
    static char p[OUT];
    unsigned sent = 0;
    (void)state;
    rig_make(false);
    rig.server_cfg.out_max = OUT;
    rig_raw_client_open();
    tcp_pause(rig.raw, true);
    assert_int_equal(ws_send(rig.server.c, WS_BINARY, p, OUT), VA_ELIMIT);
    for (;;) {
        enum va_err err = ws_send(rig.server.c, WS_BINARY, p, MESSAGE);
        if (err) {
            assert_int_equal(err, VA_ELIMIT);
            break;
        }
        sent++;
        loop_turn(rig.loop, false);
    }
    assert_true(ws_unsent(rig.server.c) <= OUT && ws_unsent(rig.server.c) > OUT - MESSAGE - 20);
    assert_int_equal(rig.server.drains, 0);
    for (int i = 0; i < 50; i++) { /* pongs that nobody reads do not pile up */
        char frame[200];
        rig_raw_say(frame, rig_frame(frame, 0x89, p, 125));
        rig_settle();
    }
    assert_true(ws_unsent(rig.server.c) <= OUT + 200);
    tcp_pause(rig.raw, false);
    RIG_UNTIL(rig.server.drains);
    assert_true(ws_unsent(rig.server.c) <= OUT / 2);
    assert_int_equal(ws_send(rig.server.c, WS_BINARY, p, MESSAGE), VA_OK);
    ws_close(rig.server.c, 1000, NULL);
    struct ws_rx rx;
    struct ws_event ev = {.op = WS_OP_CONTINUE};
    unsigned came = 0;
    ws_rx_init(&rx, false, OUT, false);
    while (ev.op != WS_OP_CLOSE) {
        uint16_t code = 0;
        char *at = rig.heard.p;
        size_t len = rig.heard.len;
        while (ev.op != WS_OP_CLOSE && ws_rx_next(&rx, &at, &len, &ev, &code) == VA_OK)
            came += ev.op == WS_OP_BINARY && ev.len == MESSAGE;
        buf_reset(&rig.heard);
        if (ev.op != WS_OP_CLOSE)
            rig_turn();
    }
    assert_int_equal(came, sent + 1); /* what was refused was not sent in part */
    assert_int_equal(rig.server.drains, 1);
    ws_rx_free(&rx);
    rig_end();
}

/* ---- the user lets go, anywhere ------------------------------------------------------------- */

static void let_go(struct side *s)
{
    ws_free(&s->c);
}

static unsigned countdown;

static void let_go_later(struct side *s)
{
    if (countdown && --countdown == 0)
        ws_free(&s->c);
}

static void a_connection_may_be_freed_in_every_handler(void **state)
{
    (void)state;
    for (int who = 0; who < 2; who++)
        for (unsigned n = 1; n < 8; n++) {
            rig_make(false);
            rig.echo = false;
            struct side *s = who ? &rig.server : &rig.client;
            countdown = n;
            s->then = let_go_later;
            assert_int_equal(rig_connect_as("ws", "127.0.0.1", "/", NULL), VA_OK);
            for (int i = 0; i < 100 && !rig.client.ends && !rig.server.ends; i++) {
                loop_turn(rig.loop, false);
                if (rig.client.c && rig.client.opens)
                    (void)!ws_send(rig.client.c, WS_TEXT, "to the server", 13);
                if (rig.server.c && rig.server.opens)
                    (void)!ws_send(rig.server.c, WS_TEXT, "to the client", 13);
            }
            assert_int_equal(s->ends, 0); /* no handler follows */
            rig_end();
        }
}

static void a_connection_may_be_freed_at_any_time(void **state)
{
    (void)state;
    for (int turns = 0; turns < 12; turns++)
        for (int who = 0; who < 3; who++) {
            rig_make(false);
            assert_int_equal(rig_connect_as("ws", "localhost", "/", NULL), VA_OK);
            for (int i = 0; i < turns; i++)
                loop_turn(rig.loop, false);
            if (who != 1 && rig.client.c)
                let_go(&rig.client);
            if (who != 0 && rig.server.c)
                let_go(&rig.server);
            rig_settle();
            rig_end();
        }
}

/* A close that was asked for goes out although nobody waits for its answer. */
static void freeing_after_close_still_says_it(void **state)
{
    (void)state;
    rig_make(false);
    rig_both_open();
    ws_close(rig.client.c, 4000, "gone");
    ws_free(&rig.client.c);
    RIG_UNTIL(rig.server.ends);
    assert_int_equal(rig.server.end.err, VA_OK);
    assert_int_equal(rig.server.end.code, 4000);
    rig_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_converse),
        cmocka_unit_test(both_sides_converse_over_tls),
        cmocka_unit_test(parts_are_one_message),
        cmocka_unit_test(a_client_is_served_in_any_pieces),
        cmocka_unit_test(a_server_is_understood_in_any_pieces),
        cmocka_unit_test(requests_that_are_none_get_their_status),
        cmocka_unit_test(a_request_may_be_refused_by_the_user),
        cmocka_unit_test(a_slow_request_is_not_waited_for),
        cmocka_unit_test(a_subprotocol_that_was_not_offered_is_not_chosen),
        cmocka_unit_test(answers_that_are_no_101_are_told),
        cmocka_unit_test(hints_before_the_answer_are_skipped),
        cmocka_unit_test(a_body_is_not_waited_for_long),
        cmocka_unit_test(connecting_has_a_limit_and_says_where_it_stopped),
        cmocka_unit_test(nobody_there_is_told),
        cmocka_unit_test(a_server_closes),
        cmocka_unit_test(both_close_at_once),
        cmocka_unit_test(a_close_that_is_not_answered_ends_in_two_seconds),
        cmocka_unit_test(a_connection_that_just_ends_is_told),
        cmocka_unit_test(closing_before_it_is_open_cancels),
        cmocka_unit_test(a_broken_rule_ends_with_its_code),
        cmocka_unit_test(a_trusted_peers_text_is_not_checked),
        cmocka_unit_test(silence_is_pinged_and_then_ends),
        cmocka_unit_test(pings_are_answered_with_their_payload),
        cmocka_unit_test(unsent_bytes_are_bounded_and_draining_is_told),
        cmocka_unit_test(a_connection_may_be_freed_in_every_handler),
        cmocka_unit_test(a_connection_may_be_freed_at_any_time),
        cmocka_unit_test(freeing_after_close_still_says_it),
    };
    return cmocka_run_group_tests_name("net_ws", tests, NULL, NULL);
}
