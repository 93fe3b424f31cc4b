/* leg/ws_hub: real sockets against the port; whom a stream goes to, on which thread, and who is
 * sent away. */
#include "leg/ws_hub.h"

#include "unit/unit.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CALL    "11111111-2222-3333-4444-555555555555"
#define OTHER   "99999999-2222-3333-4444-555555555555"
#define UPGRADE "Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

struct bench {
    struct loop *loop;
    struct settings settings;
    struct ws_hub *hub;
    struct ws_stream *born; /* what on_stream got last */
    unsigned births;
    struct ws_stream *got; /* what a waiting leg got */
    unsigned deliveries;
};

static void on_birth(void *arg, struct ws_stream *stream)
{
    struct bench *b = arg;
    ws_stream_refuse(&b->born, 503, "replaced");
    b->born = stream;
    b->births++;
}

static void on_delivery(void *arg, struct ws_stream *stream)
{
    struct bench *b = arg;
    b->got = stream;
    b->deliveries++;
}

static struct bench *bench_new(const char *host, const char *token, bool births)
{
    struct bench *b = calloc(1, sizeof(*b));
    struct va_fault fault = {0};
    const struct ws_hub_handlers h = {births ? on_birth : NULL};
    (void)snprintf(b->settings.ws_host, SETTING_TEXT_MAX, "%s", host);
    (void)snprintf(b->settings.ws_token, SETTING_TEXT_MAX, "%s", token);
    assert_int_equal(loop_new(NULL, 0, &b->loop), VA_OK);
    if (ws_hub_open(b->loop, &b->settings, &h, b, &b->hub, &fault))
        fail_msg("%s", fault.text);
    (void)alarm(60);
    return b;
}

static void bench_free(struct bench *b)
{
    ws_stream_refuse(&b->born, 503, "over");
    ws_stream_refuse(&b->got, 503, "over");
    ws_hub_close(&b->hub);
    loop_free(&b->loop);
    free(b);
}

static int dial(struct bench *b)
{
    struct net_addr at;
    ws_hub_addr(b->hub, &at);
    if (net_addr_is_any(&at))
        at.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, &at.u.sa, net_addr_len(&at)), 0);
    return fd;
}

static void put(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static int ask(struct bench *b, const char *path, const char *headers)
{
    char head[1000];
    int fd = dial(b);
    (void)snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\n" UPGRADE KEY "%s\r\n", path, headers);
    put(fd, head);
    return fd;
}

/* Status of the answer, -1 when it closed without one; turns the loop meanwhile. */
static int answer(struct bench *b, int fd)
{
    char text[2000];
    size_t len = 0;
    for (;;) {
        ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, MSG_DONTWAIT);
        if (n > 0)
            len += (size_t)n;
        text[len] = 0;
        if (n == 0 || strstr(text, " 101 "))
            break;
        loop_turn(b->loop, false);
    }
    (void)close(fd);
    if (!len)
        return -1;
    assert_memory_equal(text, "HTTP/1.1 ", 9);
    int status = (int)strtol(text + 9, NULL, 10);
    char *body = strstr(text, "\r\n\r\n");
    assert_non_null(body);
    if (status != 101) { /* one line */
        assert_true(strlen(body + 4) > 1);
        assert_ptr_equal(strchr(body + 4, '\n'), body + strlen(body) - 1);
    }
    return status;
}

static int status_of(struct bench *b, const char *path, const char *headers)
{
    return answer(b, ask(b, path, headers));
}

/* ---- births ---------------------------------------------------------------------------------- */

static void a_stream_nobody_waits_for_makes_a_call(void **state)
{
    (void)state;
    struct bench *b = bench_new("127.0.0.1", "", true);
    int fd = ask(b, "/stream/sec%2F1/" CALL "/%2B5511?codec=pcmu", "");
    while (!b->births)
        loop_turn(b->loop, true);
    const struct ws_stream_facts *f = ws_stream_facts(b->born);
    assert_string_equal(f->secretary, "sec/1");
    assert_string_equal(f->call, CALL);
    assert_string_equal(f->caller, "+5511");
    assert_int_equal(f->codec, WS_CODEC_PCMU);
    assert_true(net_addr_port(&f->peer) > 0);
    struct net_addr at;
    ws_hub_addr(b->hub, &at);
    assert_true(net_addr_eq(&f->local, &at));
    ws_stream_refuse(&b->born, 503, "full: ESL_MAX_CONNECTIONS");
    assert_int_equal(answer(b, fd), 503);
    bench_free(b);
}

static void in_pieces_of_one_byte(void **state)
{
    (void)state;
    struct bench *b = bench_new("127.0.0.1", "", true);
    const char *head = "GET /stream/default/" CALL " HTTP/1.1\r\n" UPGRADE KEY "\r\n";
    int fd = dial(b);
    for (const char *p = head; *p; p++) {
        assert_int_equal(b->births, 0);
        assert_int_equal(send(fd, p, 1, 0), 1);
        loop_turn(b->loop, true);
    }
    while (!b->births)
        loop_turn(b->loop, true);
    (void)close(fd);
    bench_free(b);
}

static void the_wrong_are_sent_away(void **state)
{
    (void)state;
    struct bench *b = bench_new("127.0.0.1", "", true);
    assert_int_equal(status_of(b, "/", ""), 404);
    assert_int_equal(status_of(b, "/stream/default/bad%20uuid", ""), 400);
    assert_int_equal(status_of(b, "/call/0123456789abcdef0123456789abcdef", ""), 404);
    assert_int_equal(status_of(b, "/stream/default/" CALL, "Origin: http://evil\r\n"), 403);
    int fd = dial(b);
    put(fd, "GET /stream/default/" CALL " HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(answer(b, fd), 426);
    fd = dial(b);
    put(fd, "\x16\x03\x01\x02\xa5\x01\r\n\r\n");
    assert_int_equal(answer(b, fd), 400);
    fd = dial(b);
    char big[WS_HEAD_BYTES_MAX + 1];
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = 0;
    put(fd, big);
    assert_int_equal(answer(b, fd), 431);
    fd = dial(b);
    (void)shutdown(fd, SHUT_WR); /* gone before it asked */
    assert_int_equal(answer(b, fd), -1);
    assert_int_equal(b->births, 0);
    struct ws_hub_stats st;
    ws_hub_stats(b->hub, &st);
    assert_int_equal(st.unauthorized, 1);
    assert_int_equal(st.refused, 6);
    assert_int_equal(st.half_open, 0);
    assert_int_equal(st.accepted, 8);
    bench_free(b);
}

static void the_token_is_asked_for(void **state)
{
    (void)state;
    struct bench *b = bench_new("0.0.0.0", "s3cret", true);
    assert_int_equal(status_of(b, "/stream/default/" CALL, ""), 401);
    assert_int_equal(status_of(b, "/stream/default/" CALL "?token=no", ""), 401);
    assert_int_equal(b->births, 0);
    int fd = ask(b, "/stream/default/" CALL "?token=s3cret", "");
    while (!b->births)
        loop_turn(b->loop, true);
    (void)close(fd);
    bench_free(b);
}

/* As mod_audio_stream does: its Origin repeats Host. */
static int ask_under(struct bench *b, const char *host)
{
    char head[400];
    int fd = dial(b);
    (void)snprintf(head, sizeof(head),
                   "GET /stream/default/" CALL " HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\n"
                   "Upgrade: websocket\r\nConnection: Upgrade\r\n" KEY "\r\n",
                   host, host);
    put(fd, head);
    return fd;
}

static void the_advertised_name_is_its_own(void **state)
{
    (void)state;
    char byte;
    struct bench *b = bench_new("127.0.0.1", "", true);
    assert_int_equal(answer(b, ask_under(b, "voice.example:8443")), 403);
    ws_hub_close(&b->hub);
    struct va_fault fault;
    const struct ws_hub_handlers h = {on_birth};
    (void)snprintf(b->settings.ws_advertise_url, SETTING_TEXT_MAX, "ws://voice.example:8443/x");
    assert_int_equal(ws_hub_open(b->loop, &b->settings, &h, b, &b->hub, &fault), VA_OK);
    assert_int_equal(answer(b, ask_under(b, "voice.exampl:8443")), 403);
    int fd = ask_under(b, "voice.example:8443");
    while (!b->births && recv(fd, &byte, 1, MSG_DONTWAIT) < 0)
        loop_turn(b->loop, false);
    assert_int_equal(b->births, 1);
    (void)close(fd);
    bench_free(b);
}

static void an_open_port_without_token_is_a_mistake(void **state)
{
    (void)state;
    struct loop *loop = NULL;
    struct settings s = {.ws_host = "0.0.0.0"};
    struct ws_hub *hub = NULL;
    struct va_fault fault = {0};
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    assert_int_equal(ws_hub_open(loop, &s, &(struct ws_hub_handlers){on_birth}, NULL, &hub, &fault),
                     VA_ECONFIG);
    assert_non_null(strstr(fault.text, "WS_TOKEN"));
    /* where streams begin no calls, one-time tokens are enough */
    assert_int_equal(ws_hub_open(loop, &s, &(struct ws_hub_handlers){NULL}, NULL, &hub, &fault),
                     VA_OK);
    struct net_addr at;
    ws_hub_addr(hub, &at);
    s.ws_port = net_addr_port(&at);
    struct ws_hub *second = NULL;
    assert_int_equal(ws_hub_open(loop, &s, &(struct ws_hub_handlers){NULL}, NULL, &second, &fault),
                     VA_EINUSE);
    static const char *const urls[] = {"http://x",     "ws://",      "ws://a_b",  "ws://[::1]",
                                       "ws://a?b",     "ws://a b",   "x",         "ws://a:0",
                                       "ws://a:99999", "wss://me@a", "ws://a/b?c"};
    s.ws_port = 0;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        (void)snprintf(s.ws_advertise_url, SETTING_TEXT_MAX, "%s", urls[i]);
        assert_int_equal(
            ws_hub_open(loop, &s, &(struct ws_hub_handlers){NULL}, NULL, &second, &fault),
            VA_ECONFIG);
        assert_non_null(strstr(fault.text, "WS_ADVERTISE_URL"));
    }
    assert_null(second);
    (void)snprintf(s.ws_advertise_url, SETTING_TEXT_MAX, "wss://voice.example:8443/x");
    assert_int_equal(ws_hub_open(loop, &s, &(struct ws_hub_handlers){NULL}, NULL, &second, &fault),
                     VA_OK);
    ws_hub_close(&second);
    ws_hub_close(&hub);
    loop_free(&loop);
}

/* ---- legs that wait -------------------------------------------------------------------------- */

static void url_of(struct bench *b, const struct ws_wait *w, char *out, size_t cap)
{
    struct net_addr local;
    (void)b;
    assert_int_equal(net_addr_parse("127.0.0.1", 1, &local), VA_OK);
    assert_int_equal(ws_wait_url(w, &local, out, cap), VA_OK);
}

static void a_token_works_once(void **state)
{
    (void)state;
    struct bench *b = bench_new("0.0.0.0", "", false);
    struct ws_wait *w = NULL;
    char url[200];
    assert_int_equal(ws_hub_expect(b->hub, b->loop, CALL, on_delivery, b, &w), VA_OK);
    assert_false(ws_wait_served(w));
    url_of(b, w, url, sizeof(url));
    assert_memory_equal(url, "ws://127.0.0.1:", 15);
    const char *path = strstr(url, "/call/");
    assert_non_null(path);
    char near[64];
    (void)snprintf(near, sizeof(near), "%s", path);
    near[10] ^= 1; /* not quite */
    assert_int_equal(status_of(b, near, ""), 404);
    assert_int_equal(b->deliveries, 0);
    int fd = ask(b, path, "Origin: http://0.0.0.0\r\n");
    while (!b->deliveries)
        loop_turn(b->loop, true);
    assert_string_equal(ws_stream_facts(b->got)->call, CALL);
    assert_int_equal(status_of(b, path, ""), 404);
    ws_wait_cancel(&w);
    assert_null(w);
    (void)close(fd);
    bench_free(b);
}

static void an_advertised_url_is_used(void **state)
{
    (void)state;
    struct bench *b = bench_new("127.0.0.1", "", false);
    struct ws_wait *w = NULL;
    char url[200];
    (void)snprintf(b->settings.ws_advertise_url, SETTING_TEXT_MAX, "wss://voice.example.org/x/");
    assert_int_equal(ws_hub_expect(b->hub, b->loop, CALL, on_delivery, b, &w), VA_OK);
    url_of(b, w, url, sizeof(url));
    assert_memory_equal(url, "wss://voice.example.org/x/call/", 31);
    assert_int_equal(ws_wait_url(w, NULL, url, 20), VA_ELIMIT);
    ws_wait_cancel(&w);
    bench_free(b);
}

static void a_dialplans_stream_finds_its_call(void **state)
{
    (void)state;
    struct bench *b = bench_new("127.0.0.1", "", true);
    struct ws_wait *w = NULL, *other = NULL;
    assert_int_equal(ws_hub_expect(b->hub, b->loop, CALL, on_delivery, b, &w), VA_OK);
    assert_int_equal(ws_hub_expect(b->hub, b->loop, OTHER, on_delivery, b, &other), VA_OK);
    int fd = ask(b, "/stream/default/" CALL, "");
    while (!b->deliveries)
        loop_turn(b->loop, true);
    assert_int_equal(b->births, 0);
    assert_string_equal(ws_stream_facts(b->got)->call, CALL);
    ws_wait_cancel(&w);
    ws_wait_cancel(&other);
    /* after it the same stream would be a birth again */
    int again = ask(b, "/stream/default/" OTHER, "");
    while (!b->births)
        loop_turn(b->loop, true);
    (void)close(fd);
    (void)close(again);
    bench_free(b);
}

static void a_stream_before_its_call_is_held(void **state)
{
    (void)state;
    struct bench *b = bench_new("127.0.0.1", "", false);
    struct ws_hub_stats st;
    struct ws_wait *w = NULL;
    int fd = ask(b, "/stream/default/" CALL, ""), stray = ask(b, "/stream/default/" OTHER, "");
    do {
        loop_turn(b->loop, true);
        ws_hub_stats(b->hub, &st);
    } while (st.held < 2);
    assert_int_equal(ws_hub_expect(b->hub, b->loop, CALL, on_delivery, b, &w), VA_OK);
    assert_true(ws_wait_served(w));
    assert_int_equal(b->deliveries, 0); /* not from inside */
    while (!b->deliveries)
        loop_turn(b->loop, true);
    ws_wait_cancel(&w);
    ws_hub_stop(b->hub); /* those nobody came for go with it */
    ws_hub_stats(b->hub, &st);
    assert_int_equal(st.held, 0);
    assert_int_equal(answer(b, stray), 404);
    (void)close(fd);
    bench_free(b);
}

static void canceled_while_it_is_delivered(void **state)
{
    (void)state;
    struct bench *b = bench_new("127.0.0.1", "", false);
    struct ws_hub_stats st;
    struct ws_wait *w = NULL;
    int fd = ask(b, "/stream/default/" CALL, "");
    do {
        loop_turn(b->loop, true);
        ws_hub_stats(b->hub, &st);
    } while (!st.held);
    assert_int_equal(ws_hub_expect(b->hub, b->loop, CALL, on_delivery, b, &w), VA_OK);
    ws_wait_cancel(&w);
    assert_int_equal(answer(b, fd), 404);
    assert_int_equal(b->deliveries, 0);
    bench_free(b);
}

/* ---- bounds ---------------------------------------------------------------------------------- */

static void half_open_ones_are_bounded(void **state)
{
    (void)state;
    struct bench *b = bench_new("127.0.0.1", "", true);
    static int fds[WS_HUB_HALF_OPEN_MAX + 8];
    struct ws_hub_stats st;
    size_t n = sizeof(fds) / sizeof(fds[0]);
    for (size_t i = 0; i < n; i++) {
        fds[i] = dial(b);
        loop_turn(b->loop, false);
    }
    do {
        loop_turn(b->loop, false);
        ws_hub_stats(b->hub, &st);
    } while (st.accepted < n);
    assert_int_equal(st.half_open, WS_HUB_HALF_OPEN_MAX);
    assert_int_equal(st.overloads, 8);
    (void)close(fds[0]); /* one makes room */
    do {
        loop_turn(b->loop, true);
        ws_hub_stats(b->hub, &st);
    } while (st.half_open == WS_HUB_HALF_OPEN_MAX);
    int fd = ask(b, "/stream/default/" CALL, "");
    while (!b->births)
        loop_turn(b->loop, true);
    (void)close(fd);
    for (size_t i = 1; i < n; i++)
        (void)close(fds[i]);
    bench_free(b);
}

static void slow_heads_and_held_streams_time_out(void **state)
{
    (void)state;
    struct va_clock_manual clock;
    va_clock_manual_init(&clock, 1000000, 0);
    struct bench *b = calloc(1, sizeof(*b));
    struct va_fault fault;
    struct ws_hub_stats st;
    (void)snprintf(b->settings.ws_host, SETTING_TEXT_MAX, "127.0.0.1");
    assert_int_equal(loop_new(&clock.base, 0, &b->loop), VA_OK);
    assert_int_equal(
        ws_hub_open(b->loop, &b->settings, &(struct ws_hub_handlers){NULL}, b, &b->hub, &fault),
        VA_OK);
    int slow = dial(b), held = ask(b, "/stream/default/" CALL, "");
    put(slow, "GET /");
    do {
        loop_turn(b->loop, false);
        ws_hub_stats(b->hub, &st);
    } while (st.held != 1 || st.half_open != 1);
    va_clock_manual_advance(&clock, WS_HUB_HEAD_MS * 1000 + 1000);
    assert_int_equal(answer(b, slow), 408);
    va_clock_manual_advance(&clock, 1000000);
    assert_int_equal(answer(b, held), 404);
    ws_hub_stats(b->hub, &st);
    assert_int_equal(st.timeouts, 1);
    assert_int_equal(st.held, 0);
    bench_free(b);
}

/* ---- across threads -------------------------------------------------------------------------- */

struct worker_leg {
    struct mail mail;
    struct bench *b;
    struct loop *loop;
    struct ws_wait *wait;
    struct ws_conn *conn;
    char path[100];
    atomic_int step; /* 1: waits, 2: open, 3: released */
    bool cancel;
};

static void leg_over(void *arg, const struct ws_end *end)
{
    struct worker_leg *l = arg;
    (void)end;
    ws_free(&l->conn);
    atomic_store(&l->step, 3);
}

static void leg_opened(void *arg, struct str subprotocol)
{
    struct worker_leg *l = arg;
    assert_true(str_eqz(subprotocol, "audio.drachtio.org"));
    atomic_store(&l->step, 2);
}

static void leg_stream(void *arg, struct ws_stream *stream)
{
    static const struct ws_handlers h = {
        .on_request = ws_stream_answer, .on_open = leg_opened, .on_closed = leg_over};
    struct worker_leg *l = arg;
    ws_wait_cancel(&l->wait);
    assert_int_equal(ws_stream_take(&stream, l->loop, &(struct ws_cfg){0}, &h, l, &l->conn), VA_OK);
    assert_null(stream);
}

static void on_leg_mail(struct mail *mail)
{
    struct worker_leg *l = container_of(mail, struct worker_leg, mail);
    char url[200];
    assert_int_equal(ws_hub_expect(l->b->hub, l->loop, CALL, leg_stream, l, &l->wait), VA_OK);
    url_of(l->b, l->wait, url, sizeof(url));
    (void)snprintf(l->path, sizeof(l->path), "%s", strstr(url, "/call/"));
    if (l->cancel)
        ws_wait_cancel(&l->wait);
    atomic_store(&l->step, l->cancel ? 3 : 1);
}

static void until(struct bench *b, struct worker_leg *l, int step)
{
    while (atomic_load(&l->step) < step)
        loop_turn(b->loop, false);
}

static void a_stream_crosses_to_the_workers_thread(void **state)
{
    (void)state;
    struct bench *b = bench_new("127.0.0.1", "", false);
    struct loop_thread *t = NULL;
    assert_int_equal(loop_thread_start("worker", NULL, &t), VA_OK);
    struct worker_leg l = {
        .mail = {NULL, on_leg_mail}, .b = b, .loop = loop_thread_loop(t), .step = 0};
    assert_int_equal(loop_post(l.loop, &l.mail), VA_OK);
    until(b, &l, 1);
    int fd = ask(b, l.path, "Sec-WebSocket-Protocol: x, audio.drachtio.org\r\n");
    until(b, &l, 2);
    (void)close(fd);
    until(b, &l, 3);
    loop_thread_stop(&t);
    bench_free(b);
}

static void worker_stops_with_a_stream_under_way(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct bench *b = bench_new("127.0.0.1", "", false);
        struct loop_thread *t = NULL;
        assert_int_equal(loop_thread_start("worker", NULL, &t), VA_OK);
        struct worker_leg l = {
            .mail = {NULL, on_leg_mail}, .b = b, .loop = loop_thread_loop(t), .cancel = true};
        int fd = ask(b, "/stream/default/" CALL, "");
        for (int turn = 0; turn < i % 5; turn++)
            loop_turn(b->loop, true);
        assert_int_equal(loop_post(l.loop, &l.mail), VA_OK);
        until(b, &l, 3);
        loop_thread_stop(&t);
        (void)close(fd);
        bench_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_nobody_waits_for_makes_a_call),
        cmocka_unit_test(in_pieces_of_one_byte),
        cmocka_unit_test(the_wrong_are_sent_away),
        cmocka_unit_test(the_token_is_asked_for),
        cmocka_unit_test(the_advertised_name_is_its_own),
        cmocka_unit_test(an_open_port_without_token_is_a_mistake),
        cmocka_unit_test(a_token_works_once),
        cmocka_unit_test(an_advertised_url_is_used),
        cmocka_unit_test(a_dialplans_stream_finds_its_call),
        cmocka_unit_test(a_stream_before_its_call_is_held),
        cmocka_unit_test(canceled_while_it_is_delivered),
        cmocka_unit_test(half_open_ones_are_bounded),
        cmocka_unit_test(slow_heads_and_held_streams_time_out),
        cmocka_unit_test(a_stream_crosses_to_the_workers_thread),
        cmocka_unit_test(worker_stops_with_a_stream_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
