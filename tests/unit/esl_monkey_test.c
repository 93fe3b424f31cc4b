/* esl: a client whose owner does anything in any callback, and a FreeSWITCH that does anything at
 * any time, both at random from a seed (the order of arrival differs all the same). Nothing may
 * crash or leak, no request may have two results, and all have one when the connection is lost.
 * ESL_SEED=n runs one. */
#include "unit/unit.h"

#include "base/buf.h"
#include "esl/client.h"
#include "net/tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define S(z)     str_of(z)
#define ARRAY(a) (sizeof(a) / sizeof((a)[0]))

enum { REQUESTS = 2000, LISTENERS = 8, CALLS = 600, TURNS = 800, SEEDS = 12 };

struct request {
    bool taken, ended;
};

static struct {
    uint32_t random;
    struct loop *loop;
    struct tcp_listener *listener;
    struct tcp_conn *peer;
    struct buf heard;
    struct esl_client *c;
    struct esl_listener *listeners[LISTENERS];
    struct request requests[REQUESTS];
    size_t count, open, calls;
    char last[2][64]; /* Job-UUID and Event-UUID that came last */
} m;

static uint32_t any(uint32_t n)
{
    m.random = m.random * 1664525u + 1013904223u;
    return (m.random >> 8) % n;
}

/* ---- FreeSWITCH ----------------------------------------------------------------------------- */

static const char *const uuids[] = {"u1", "u2", "u3"};

static void say(const char *text)
{
    if (m.peer && tcp_write(m.peer, text, strlen(text)))
        tcp_close(&m.peer);
}

static void say_event(void)
{
    static const char *const names[] = {"DTMF",           "TALK",
                                        "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE",
                                        "BACKGROUND_JOB", "CHANNEL_EXECUTE_COMPLETE",
                                        "CUSTOM",         "CHANNEL_DESTROY"};
    char body[400], head[100];
    (void)snprintf(body, sizeof(body),
                   "Event-Name: %s\nUnique-ID: %s\nEvent-Subclass: a::b\nJob-UUID: %s\n"
                   "Application-UUID: %s\n\n",
                   names[any(ARRAY(names))], uuids[any(3)], m.last[0], m.last[1]);
    (void)snprintf(head, sizeof(head), "Content-Length: %zu\nContent-Type: text/event-plain\n\n",
                   strlen(body));
    say(head);
    say(body);
}

static void answer(struct str command)
{
    switch (any(40)) {
    case 0: tcp_close_flush(&m.peer); return;
    case 1: tcp_reset(&m.peer); return;
    case 2:
        say("Content-Type: text/disconnect-notice\nContent-Length: 5\n\nBye.\n");
        tcp_close_flush(&m.peer);
        return;
    case 3: say("garbage\n\n"); return;
    case 4:
        if (!str_starts(command, "auth"))
            return; /* never answered */
        break;
    default: break;
    }
    for (uint32_t n = any(4); n--;)
        say_event();
    if (str_starts(command, "api"))
        say("Content-Type: api/response\nContent-Length: 2\n\nOK");
    else if (any(8) == 0 && !str_starts(command, "auth"))
        say("Content-Type: command/reply\nReply-Text: -ERR no\n\n");
    else
        say("Content-Type: command/reply\nReply-Text: +OK accepted\n\n");
}

static void keep(struct str command, const char *header, char out[64])
{
    const char *at = memmem(command.p, command.len, header, strlen(header));
    if (!at)
        return;
    struct str rest =
        str_make(at + strlen(header), command.len - (size_t)(at - command.p) - strlen(header));
    (void)str_copy(out, 64, str_cut(&rest, '\n'));
}

static void peer_open(void *arg)
{
    (void)arg;
}

static void peer_read(void *arg, const char *p, size_t len)
{
    const char *end;
    (void)arg;
    assert_int_equal(buf_add(&m.heard, p, len), VA_OK);
    while (m.heard.len && (end = memmem(m.heard.p, m.heard.len, "\n\n", 2))) {
        struct str command = str_make(m.heard.p, (size_t)(end - m.heard.p));
        keep(command, "Job-UUID: ", m.last[0]);
        keep(command, "Event-UUID: ", m.last[1]);
        answer(command);
        buf_consume(&m.heard, command.len + 2);
    }
}

static void peer_end(void *arg, enum va_err why)
{
    (void)arg;
    (void)why;
    tcp_close(&m.peer);
}

static const struct tcp_handlers peer = {peer_open, peer_read, peer_end};

static void on_accept(void *arg, int fd, const struct net_addr *addr)
{
    (void)arg;
    (void)addr;
    tcp_close(&m.peer);
    buf_reset(&m.heard);
    assert_int_equal(tcp_adopt(m.loop, fd, 1 << 24, &peer, NULL, &m.peer), VA_OK);
    say("Content-Type: auth/request\n\n");
}

/* ---- its owner ------------------------------------------------------------------------------ */

static void act(void);

static void on_result(void *arg, const struct esl_result *r)
{
    struct request *q = arg;
    assert_true(q->taken && !q->ended);
    if (r->done) {
        q->ended = true;
        m.open--;
    }
    act();
}

static void on_listener(void *arg, const struct esl_event *ev)
{
    (void)arg;
    (void)esl_event_name(ev);
    act();
}

static void on_ready(void *arg, bool again)
{
    (void)arg;
    (void)again;
    act();
}

static void on_down(void *arg, const struct esl_down *d)
{
    (void)arg;
    (void)d;
    assert_int_equal(m.open, 0);
    act();
}

static void on_lost(void *arg, uint64_t n)
{
    (void)arg;
    (void)n;
    act();
}

static const struct esl_client_handlers handlers = {
    .on_ready = on_ready, .on_down = on_down, .on_event = on_listener, .on_lost = on_lost};

static void open_client(void)
{
    struct net_addr addr;
    tcp_listener_addr(m.listener, &addr);
    const struct esl_client_cfg cfg = {.port = net_addr_port(&addr),
                                       .reconnect_delay_ms = 1,
                                       .reconnect_max_ms = 2,
                                       .connect_timeout_ms = 200,
                                       .read_timeout_ms = 20,
                                       .idle_ms = 20,
                                       .window = 1 + any(4),
                                       .pending_max = 1 + any(20),
                                       .jobs_max = 1 + any(4),
                                       .exec_inflight_max = 1 + any(3),
                                       .exec_queue_max = 1 + any(4),
                                       .out_max = 300 + any(2000),
                                       .queue = {.bytes_max = 200 + any(2000), .slice_us = 1}};
    assert_int_equal(esl_client_open(m.loop, &cfg, &handlers, NULL, &m.c), VA_OK);
}

static void close_client(void)
{
    esl_client_close(&m.c);
    memset(m.listeners, 0, sizeof(m.listeners));
    for (size_t i = 0; i < m.count; i++)
        m.requests[i] = (struct request){.ended = true}; /* none may come any more */
    m.open = 0;
}

static enum va_err ask(struct esl_client *c, const struct esl_then *then)
{
    static const char *const names[] = {"DTMF", "ALL", "CUSTOM", "CUSTOM a::b", "TALK DTMF"};
    static const char *const values[] = {"x", "-HEARTBEAT", "/./", "BACKGROUND_JOB"};
    static const struct esl_execute x = {.app = "playback", .arg = STR_LIT("x")};
    struct str name = S(names[any(ARRAY(names))]);
    const char *uuid = any(2) ? uuids[any(3)] : NULL;
    switch (any(11)) {
    case 0: return esl_client_api(c, S("status"), then);
    case 1: return esl_client_bgapi(c, S("status"), then);
    case 2: return esl_client_command(c, S("nolog"), then);
    case 3: return esl_client_subscribe(c, name, uuid, then);
    case 4: return esl_client_unsubscribe(c, name, uuid, then);
    case 5: return esl_client_filter(c, "Event-Name", S(values[any(ARRAY(values))]), then);
    case 6: return esl_client_filter_clear(c, then);
    case 7: return esl_client_log(c, (int)any(9) - 1, then);
    case 8: return esl_client_wait_for_event(c, name, uuid, then);
    case 9: return esl_client_execute(c, uuids[any(3)], &x, then);
    default: return esl_client_send_event(c, "CUSTOM", "a::b", NULL, 0, S(""), then);
    }
}

static void ask_one(void)
{
    if (m.count == REQUESTS)
        return;
    struct request *q = &m.requests[m.count++];
    const struct esl_then then = {on_result, q, any(3) ? 0 : 1 + any(30)};
    bool connected = esl_client_connected(m.c);
    *q = (struct request){.taken = true};
    if (ask(m.c, &then) != VA_OK || !connected)
        *q = (struct request){.ended = true};
    else
        m.open++;
}

static void act(void)
{
    for (uint32_t n = any(3); n-- && m.c && m.calls < CALLS; m.calls++) {
        struct esl_listener **l = &m.listeners[any(LISTENERS)];
        uint32_t what = any(60);
        if (what == 0)
            close_client();
        else if (what < 4)
            esl_client_off_event(m.c, l);
        else if (what < 8 && !*l)
            *l = esl_client_on_event(m.c, any(2) ? "DTMF" : NULL, any(2) ? uuids[any(3)] : NULL,
                                     on_listener, NULL);
        else if (what < 10)
            (void)!esl_client_poke(m.c);
        else
            ask_one();
    }
}

static void run(uint32_t seed)
{
    struct net_addr addr;
    memset(&m, 0, sizeof(m));
    m.random = seed;
    buf_init(&m.heard, 1 << 24);
    assert_int_equal(loop_new(NULL, 0, &m.loop), VA_OK);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &addr), VA_OK);
    assert_int_equal(tcp_listen(m.loop, &addr, on_accept, NULL, &m.listener, NULL), VA_OK);
    for (int i = 0; i < TURNS && m.calls < CALLS; i++) {
        if (!m.c)
            open_client();
        if (any(10) == 0)
            act(); /* also from outside of any callback */
        if (any(50) == 0)
            say_event();
        loop_turn(m.loop, m.c && any(4) == 0);
    }
    if (m.c)
        close_client();
    tcp_close(&m.peer);
    tcp_listener_close(&m.listener);
    loop_free(&m.loop);
    buf_free(&m.heard);
}

static void anything_at_any_time(void **state)
{
    const char *only = getenv("ESL_SEED");
    (void)state;
    uint32_t first = only ? (uint32_t)strtoul(only, NULL, 10) : 1;
    for (uint32_t seed = first; seed < first + (only ? 1 : SEEDS); seed++) {
        (void)alarm(20);
        run(seed);
        print_message("seed %u\n", seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(anything_at_any_time)};
    return cmocka_run_group_tests_name("esl_monkey", tests, NULL, NULL);
}
