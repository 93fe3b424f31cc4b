/* esl: every allocation fails once. Nothing crashes, nothing leaks (LSan), each request that was
 * taken has one result, and the client comes back or says what is wrong. */
#include "unit/oom.h"

#include "base/buf.h"
#include "esl/client.h"
#include "esl/commands.h"
#include "esl/server.h"
#include "net/tcp.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define S(z) str_of(z)
#define UUID "11111111-2222-3333-4444-555555555555"

enum { REQUESTS = 64, TIMERS = 1024, ROUNDS = 2, DOWNS_MAX = 40 };

struct request {
    bool taken;
    unsigned stages, ends;
};

struct lab {
    struct loop *loop;
    struct tcp_listener *listener;
    struct tcp_conn *peer;
    struct buf heard;
    enum esl_format format;

    struct esl_client *c;
    struct esl_session *s;
    struct esl_listener *listening;
    struct request requests[REQUESTS];
    size_t count, open;
    unsigned rounds, downs;
    bool over, dropped;
    bool filter_refused;
    unsigned filters; /* lines that came */
    uint64_t events;
};

static struct lab *lab; /* of the run */

/* ---- FreeSWITCH: never short of memory ------------------------------------------------------ */

static void say(const char *text)
{
    if (lab->peer && tcp_write(lab->peer, text, strlen(text)))
        tcp_close(&lab->peer);
}

static void say_event(const char *name, const char *header, const char *value)
{
    static const char *const type[] = {"plain", "json", "xml"};
    char body[600], head[100];
    int len;
    if (lab->format == ESL_PLAIN)
        len = snprintf(body, sizeof(body), "Event-Name: %s\nUnique-ID: " UUID "\n%s: %s\n\n", name,
                       header, value);
    else if (lab->format == ESL_JSON)
        len = snprintf(body, sizeof(body),
                       "{\"Event-Name\":\"%s\",\"Unique-ID\":\"" UUID "\",\"%s\":\"%s\"}", name,
                       header, value);
    else
        len = snprintf(body, sizeof(body),
                       "<event><headers><Event-Name>%s</Event-Name><Unique-ID>" UUID
                       "</Unique-ID><%s>%s</%s></headers></event>",
                       name, header, value, header);
    (void)snprintf(head, sizeof(head), "Content-Length: %d\nContent-Type: text/event-%s\n\n", len,
                   type[lab->format]);
    say(head);
    say(body);
}

static struct str header_of(struct str command, const char *name)
{
    struct str rest = command;
    while (rest.len) {
        struct str value = str_cut(&rest, '\n');
        if (str_starts(value, name))
            return str_make(value.p + strlen(name), value.len - strlen(name));
    }
    return (struct str){0};
}

static void obey(struct str command)
{
    char uuid[64];
    lab->filters += str_starts(command, "filter ");
    if (str_starts(command, "api drop")) {
        say("Content-Type: api/response\nContent-Length: 2\n\nOK");
        tcp_close_flush(&lab->peer);
    } else if (str_starts(command, "api")) {
        say("Content-Type: api/response\nContent-Length: 2\n\nOK");
    } else if (str_starts(command, "connect")) {
        say("Event-Name: CHANNEL_DATA\nUnique-ID: " UUID "\nContent-Type: command/reply\n"
            "Reply-Text: %2BOK%0A\nSocket-Mode: async\nControl: full\nvariable_a: b%20c\n\n");
    } else {
        say("Content-Type: command/reply\nReply-Text: +OK\n\n");
    }
    if (str_copy(uuid, sizeof(uuid), header_of(command, "Job-UUID: ")) && uuid[0])
        say_event("BACKGROUND_JOB", "Job-UUID", uuid);
    if (str_copy(uuid, sizeof(uuid), header_of(command, "Event-UUID: ")) && uuid[0]) {
        say_event("DTMF", "DTMF-Digit", "%31");
        say_event("CHANNEL_EXECUTE_COMPLETE", "Application-UUID", uuid);
    }
}

static void peer_open(void *arg)
{
    (void)arg;
}

static void peer_read(void *arg, const char *p, size_t len)
{
    const char *end;
    (void)arg;
    oom.exempt++;
    assert_int_equal(buf_add(&lab->heard, p, len), VA_OK);
    while (lab->heard.len && (end = memmem(lab->heard.p, lab->heard.len, "\n\n", 2))) {
        struct str command = str_make(lab->heard.p, (size_t)(end - lab->heard.p));
        uint64_t body = 0;
        if (str_to_u64(header_of(command, "content-length: "), &body) == VA_OK &&
            command.len + 2 + body > lab->heard.len)
            break;
        obey(command);
        buf_consume(&lab->heard, command.len + 2 + body);
    }
    oom.exempt--;
}

static void peer_end(void *arg, enum va_err why)
{
    (void)arg;
    (void)why;
    tcp_close(&lab->peer);
}

static const struct tcp_handlers peer = {peer_open, peer_read, peer_end};

static void take(int fd)
{
    tcp_close(&lab->peer);
    buf_reset(&lab->heard);
    assert_int_equal(tcp_adopt(lab->loop, fd, 1 << 20, &peer, NULL, &lab->peer), VA_OK);
}

static void on_accept(void *arg, int fd, const struct net_addr *addr)
{
    (void)arg;
    (void)addr;
    oom.exempt++;
    take(fd);
    say("Content-Type: auth/request\n\n");
    oom.exempt--;
}

/* ---- requests ------------------------------------------------------------------------------- */

static void on_result(void *arg, const struct esl_result *r);

static const struct esl_then *then_next(void)
{
    static struct esl_then then;
    assert_true(lab->count < REQUESTS);
    then = (struct esl_then){on_result, &lab->requests[lab->count], 0};
    return &then;
}

static void took(enum va_err err)
{
    lab->requests[lab->count++].taken = !err;
    lab->open += !err;
}

static void check_requests(void)
{
    for (size_t i = 0; i < lab->count; i++) {
        if (lab->requests[i].ends != lab->requests[i].taken)
            fail_msg("allocation %zu: request %zu taken %d ends %u", oom.from, i,
                     lab->requests[i].taken, lab->requests[i].ends);
    }
}

/* ---- readers: what a result's text is read with --------------------------------------------- */

static void read_something(void)
{
    static const char rows_text[] = "{\"row_count\":2,\"rows\":[{\"uuid\":\"a\\u00e4\"},{\"uuid\":"
                                    "\"b\"}]}";
    static const char *const events[] = {
        "Event-Name: CUSTOM\nA: b%20c\nContent-Length: 1\n\nx",
        "{\"Event-Name\":\"CUSTOM\",\"A\":\"b\\tc\",\"\\u0041b\":[\"x\",\"y\"]}",
        "<event><headers><Event-Name>CUSTOM</Event-Name><A>b%20c</A></headers></event>"};
    static const char regs[] = "\nRegistrations:\n====\nCall-ID:    \tx\nUser:       \ta@b\n"
                               "MWI-Account:\ta@b\n\nTotal items returned: 1\n====\n";
    struct esl_event *ev = esl_event_new();
    struct esl_rows rows;
    struct esl_registrations list;
    struct esl_registration reg;
    size_t n = 0;
    for (int i = 0; ev && i < 3; i++) {
        enum va_err err = esl_event_parse(ev, (enum esl_format)i, S(events[i]));
        struct esl_event *copy = esl_event_dup(ev);
        assert_true(err == VA_OK || err == VA_ENOMEM);
        assert_int_equal(esl_event_is(ev, "CUSTOM"), err == VA_OK);
        if (copy && !err)
            assert_true(str_eq(esl_event_get(copy, "A"), esl_event_get(ev, "A")));
        esl_event_free(&copy);
        esl_event_reset(ev);
    }
    assert_int_equal(esl_rows_read(VA_OK, S(rows_text), &rows), VA_OK);
    for (enum va_err err = VA_OK; ev && err != VA_ENOTFOUND; n++) {
        err = esl_rows_next(&rows, ev);
        assert_true(err == VA_OK || err == VA_ENOMEM || err == VA_ENOTFOUND);
    }
    assert_int_equal(n, ev ? 3 : 0);
    assert_int_equal(esl_registrations_read(VA_OK, S(regs), &list), VA_OK);
    assert_true(esl_registrations_next(&list, &reg));
    esl_event_free(&ev);
}

/* ---- client --------------------------------------------------------------------------------- */

static void next_step(void);

static void on_result(void *arg, const struct esl_result *r)
{
    struct request *q = arg;
    if (!r->done) {
        q->stages++;
        return;
    }
    q->ends++;
    lab->open--;
    if (lab->c && !lab->open)
        next_step();
}

static void ask_everything(struct esl_client *c)
{
    char id[UUID_TEXT];
    const struct esl_execute x = {.app = "playback", .arg = STR_LIT("a\nb")};
    const struct esl_field vars[] = {{"a", STR_LIT("b, c")}, {"d", STR_LIT("e")}};
    const struct esl_originate call = {
        .endpoint = "user/1", .app = "park", .vars = vars, .var_count = 2};
    took(esl_client_subscribe(c, S("DTMF CUSTOM a::b c::d"), NULL, then_next()));
    took(esl_client_subscribe(c, S("CUSTOM"), NULL, then_next()));
    took(esl_client_subscribe(c, S("TALK CUSTOM x::y"), UUID, then_next()));
    took(esl_client_filter(c, "Event-Name", S("-HEARTBEAT"), then_next()));
    took(esl_client_filter(c, "Unique-ID", S(UUID), then_next()));
    took(esl_client_log(c, 3, then_next()));
    took(esl_client_api(c, S("status"), then_next()));
    took(esl_uuid_setvar(esl_client_switch(c), UUID, "a", S("b c"), then_next()));
    took(esl_client_bgapi(c, S("status"), then_next()));
    took(esl_originate(esl_client_switch(c), &call, then_next(), id, NULL));
    for (int i = 0; i < 3; i++)
        took(esl_client_execute(c, UUID, &x, then_next()));
    took(esl_client_wait_for_event(c, S("DTMF"), UUID,
                                   &(struct esl_then){on_result, then_next()->arg, 60}));
    took(esl_client_wait_for_event(c, S("CHANNEL_EXECUTE_COMPLETE"), NULL,
                                   &(struct esl_then){on_result, then_next()->arg, 60}));
    took(esl_client_unsubscribe(c, S("CUSTOM a::b"), NULL, then_next()));
    took(esl_client_send_event(c, "CUSTOM", "a::b", vars, 2, S("body"), then_next()));
}

static void on_dtmf(void *arg, const struct esl_event *ev)
{
    (void)arg;
    (void)ev;
    lab->events++;
}

/* All requests of a round are answered: lose the connection, or, in the last round, stop. */
static void next_step(void)
{
    const struct esl_then then = {on_result, &lab->requests[lab->count], 0};
    if (lab->over || (!lab->dropped && !esl_client_connected(lab->c)))
        return; /* the next on_ready goes on */
    if (lab->dropped) {
        lab->over = true;
        return;
    }
    esl_client_off_event(lab->c, &lab->listening);
    lab->dropped = true;
    took(esl_client_api(lab->c, S("drop"), &then));
    lab->over = !lab->requests[lab->count - 1].taken;
}

static void on_ready(void *arg, bool again)
{
    (void)arg;
    (void)again;
    check_requests();
    lab->count = 0;
    assert_int_equal(lab->open, 0);
    if (++lab->rounds > 1 && lab->dropped) {
        lab->over = true;
        return;
    }
    if (!lab->listening)
        lab->listening = esl_client_on_event(lab->c, "DTMF", UUID, on_dtmf, NULL);
    ask_everything(lab->c);
    if (!lab->open)
        lab->over = true;
}

static void on_down(void *arg, const struct esl_down *d)
{
    (void)arg;
    assert_int_equal(lab->open, 0); /* all were told before */
    assert_true(d->text && d->text[0]);
    assert_int_not_equal(d->why, ESL_WHY_PROTOCOL);
    assert_int_not_equal(d->why, ESL_WHY_AUTH);
    if (d->why == ESL_WHY_MEMORY)
        assert_int_equal(d->err, VA_ENOMEM);
    assert_true(++lab->downs < DOWNS_MAX);
}

static void on_event(void *arg, const struct esl_event *ev)
{
    (void)arg;
    (void)ev;
    lab->events++;
}

static void on_lost(void *arg, uint64_t n)
{
    (void)arg;
    (void)n;
}

static void nothing(void *arg)
{
    (void)arg;
}

/* net/tmr.c ends the program when its heap cannot grow: it is large enough from the start. */
static void grow_timers(struct loop *loop)
{
    static struct tmr t[TIMERS];
    for (size_t i = 0; i < TIMERS; i++)
        tmr_start(&t[i], loop, 1000, nothing, NULL);
    for (size_t i = 0; i < TIMERS; i++)
        tmr_stop(&t[i]);
}

static void lab_open(void)
{
    struct net_addr addr;
    lab = calloc(1, sizeof(*lab));
    assert_int_equal(loop_new(NULL, 0, &lab->loop), VA_OK);
    grow_timers(lab->loop);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &addr), VA_OK);
    assert_int_equal(tcp_listen(lab->loop, &addr, on_accept, NULL, &lab->listener, NULL), VA_OK);
    buf_init(&lab->heard, 1 << 20);
    (void)alarm(120);
}

static void on_stuck(void *arg)
{
    (void)arg;
    fail_msg("allocation %zu: stuck with %zu open in round %u", oom.from, lab->open, lab->rounds);
}

static void run_until_over(void)
{
    struct tmr stuck = {0};
    tmr_start(&stuck, lab->loop, 8000, on_stuck, NULL);
    while (!lab->over)
        loop_turn(lab->loop, true);
    tmr_stop(&stuck);
}

static void lab_close(void)
{
    oom.exempt = 1;
    esl_client_close(&lab->c);
    esl_session_close(&lab->s);
    tcp_close(&lab->peer);
    tcp_listener_close(&lab->listener);
    loop_free(&lab->loop);
    buf_free(&lab->heard);
    free(lab);
}

static void run_client(enum esl_format format)
{
    static const struct esl_client_handlers handlers = {
        .on_ready = on_ready, .on_down = on_down, .on_event = on_event, .on_lost = on_lost};
    struct net_addr addr;
    lab_open();
    tcp_listener_addr(lab->listener, &addr);
    const struct esl_client_cfg cfg = {.port = net_addr_port(&addr),
                                       .format = format,
                                       .reconnect_delay_ms = 1,
                                       .read_timeout_ms = 2000,
                                       .window = 4,
                                       .exec_inflight_max = 2,
                                       .queue = {.slice_us = 1}};
    lab->format = format;
    oom.exempt = 0;
    enum va_err err = esl_client_open(lab->loop, &cfg, &handlers, NULL, &lab->c);
    if (err)
        assert_int_equal(err, VA_ENOMEM);
    else
        run_until_over();
    lab_close();
}

static void run_client_plain(void)
{
    run_client(ESL_PLAIN);
}

static void run_client_json(void)
{
    run_client(ESL_JSON);
}

static void run_client_xml(void)
{
    run_client(ESL_XML);
}

static void a_client_survives_each_allocation(void **state)
{
    (void)state;
    oom_sweep(run_client_plain, 1);
    oom_sweep(run_client_json, 1);
    oom_sweep(run_client_xml, 1);
}

static void a_client_survives_three_in_a_row(void **state)
{
    (void)state;
    oom_sweep(run_client_plain, 3);
}

/* ---- session -------------------------------------------------------------------------------- */

static void on_connected(void *arg, const struct esl_event *channel)
{
    const struct esl_execute x = {.app = "playback", .arg = STR_LIT("x")};
    struct esl_session *s = lab->s;
    (void)arg;
    assert_true(str_eqz(esl_event_uuid(channel), UUID));
    took(esl_session_myevents(s, ESL_PLAIN, then_next()));
    took(esl_session_linger(s, 2, then_next()));
    took(esl_session_filter(s, "a", S("b"), then_next()));
    lab->filter_refused = !lab->requests[lab->count - 1].taken;
    took(esl_session_api(s, S("status"), then_next()));
    took(esl_session_bgapi(s, S("status"), then_next()));
    took(esl_session_getvar(s, "a", then_next()));
    took(esl_session_setvar(s, "a", S("b c"), then_next()));
    for (int i = 0; i < 3; i++)
        took(esl_session_execute(s, &x, then_next()));
    took(esl_session_send_custom(s, "a::b", NULL, 0, S("body"), then_next()));
    lab->dropped = true;
    took(esl_session_api(s, S("drop"), then_next()));
    if (!lab->requests[lab->count - 1].taken)
        lab->over = true;
}

static void on_closed(void *arg, enum esl_why why)
{
    (void)arg;
    assert_int_equal(lab->open, 0);
    assert_int_not_equal(why, ESL_WHY_PROTOCOL);
    check_requests();
    /* A part of the filters would swallow events for good: there must be none, or an end. */
    if (lab->filter_refused && lab->filters)
        assert_int_equal(why, ESL_WHY_MEMORY);
    lab->over = true;
}

static const struct esl_session_handlers session_handlers = {on_connected, on_event, on_lost, NULL,
                                                             on_closed};

static void run_session(void)
{
    const struct esl_session_cfg cfg = {
        .window = 3, .exec_inflight_max = 1, .queue = {.slice_us = 1}};
    int fd[2];
    lab_open();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    take(fd[0]);
    oom.exempt = 0;
    enum va_err err = esl_session_open(lab->loop, fd[1], &cfg, &session_handlers, NULL, &lab->s);
    if (err)
        assert_int_equal(err, VA_ENOMEM);
    else
        run_until_over();
    lab_close();
}

static void a_session_survives_each_allocation(void **state)
{
    (void)state;
    oom_sweep(run_session, 1);
    oom_sweep(run_session, 3);
}

/* ---- a session bound over our own connection, and one that a server took -------------------- */

static void run_bound(void)
{
    struct net_addr addr;
    lab_open();
    tcp_listener_addr(lab->listener, &addr);
    const struct esl_client_cfg to = {
        .port = net_addr_port(&addr), .format = ESL_JSON, .user = "1001@lab", .window = 2};
    oom.exempt = 0;
    enum va_err err =
        esl_session_bind(lab->loop, &to, UUID, NULL, &session_handlers, NULL, &lab->s);
    if (err)
        assert_int_equal(err, VA_ENOMEM);
    else
        run_until_over();
    lab_close();
}

static void a_bound_session_survives_each_allocation(void **state)
{
    (void)state;
    oom_sweep(run_bound, 1);
    oom_sweep(run_bound, 2);
}

static void *on_session(void *arg, struct esl_session *s, const char *ip)
{
    (void)arg;
    (void)ip;
    lab->s = s;
    return NULL;
}

/* FreeSWITCH's side of a call that is not taken sees the connection close. */
static void caller_end(void *arg, enum va_err why)
{
    peer_end(arg, why);
    lab->over = lab->over || !lab->s;
}

static void run_server(void)
{
    static const struct tcp_handlers caller = {peer_open, peer_read, caller_end};
    const struct esl_server_handlers handlers = {session_handlers, on_session, NULL};
    const struct esl_server_cfg cfg = {.host = "127.0.0.1", .any_port = true};
    struct esl_server *server = NULL;
    struct net_addr addr;
    lab_open();
    oom.exempt = 0;
    enum va_err err = esl_server_open(lab->loop, &cfg, &handlers, NULL, &server, NULL);
    oom.exempt++;
    if (err) {
        assert_int_equal(err, VA_ENOMEM);
    } else {
        assert_int_equal(net_addr_parse("127.0.0.1", esl_server_port(server), &addr), VA_OK);
        assert_int_equal(tcp_connect(lab->loop, &addr, 5000, 1 << 20, &caller, NULL, &lab->peer),
                         VA_OK);
        oom.exempt--;
        run_until_over();
        oom.exempt = 1;
        esl_server_close(&server);
    }
    lab_close();
}

static void a_server_survives_each_allocation(void **state)
{
    (void)state;
    oom_sweep(run_server, 1);
}

/* ---- readers -------------------------------------------------------------------------------- */

static void run_readers(void)
{
    oom.exempt = 0;
    read_something();
    oom.exempt = 1;
}

static void readers_survive_each_allocation(void **state)
{
    (void)state;
    oom_sweep(run_readers, 1);
    oom_sweep(run_readers, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_survive_each_allocation),
        cmocka_unit_test(a_session_survives_each_allocation),
        cmocka_unit_test(a_bound_session_survives_each_allocation),
        cmocka_unit_test(a_server_survives_each_allocation),
        cmocka_unit_test(a_client_survives_each_allocation),
        cmocka_unit_test(a_client_survives_three_in_a_row),
    };
    return cmocka_run_group_tests_name("esl_oom", tests, NULL, NULL);
}
