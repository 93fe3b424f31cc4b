/* esl: what a hostile reader tried: timeouts behind the window, callbacks that close or ask again,
 * limits reached half-way, peers that fall silent. */
#include "unit/esl_client_rig.h"
#include "unit/esl_rig.h"

#include <signal.h>

#define S(z)   str_of(z)
#define API(z) "Content-Type: api/response\nContent-Length: 1\n\n" z

static const struct esl_execute playback = {.app = "playback", .arg = STR_LIT("x.wav")};

static void turn(struct crig *g, int times)
{
    while (times--)
        loop_turn(g->loop, false);
}

/* As rig_new(), with handlers of the test's own. */
static struct rig *rig_alone(const struct esl_session_cfg *cfg,
                             const struct esl_session_handlers *handlers)
{
    struct rig *g = calloc(1, sizeof(*g));
    int fd[2];
    assert_int_equal(loop_new(NULL, 0, &g->loop), VA_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    buf_init(&g->heard, 1 << 20);
    buf_init(&g->log, 1 << 20);
    assert_int_equal(tcp_adopt(g->loop, fd[0], 1 << 20, &rig_peer, g, &g->peer), VA_OK);
    assert_int_equal(esl_session_open(g->loop, fd[1], cfg, handlers, g, &g->s), VA_OK);
    (void)alarm(120);
    return g;
}

/* ---- order ---------------------------------------------------------------------------------- */

static void one_that_waited_keeps_its_place_when_it_is_late(void **state)
{
    (void)state;
    struct esl_client_stats stats;
    struct crig *g = crig_ready(&(struct esl_client_cfg){.window = 1});
    assert_int_equal(esl_client_api(g->c, S("a"), crig_then(g, 0)), VA_OK);
    assert_int_equal(esl_client_api(g->c, S("b"), crig_then(g, 40)), VA_OK);
    assert_int_equal(esl_client_api(g->c, S("c"), crig_then(g, 0)), VA_OK);
    crig_says(g, API("A"));
    crig_sees(g, "r0 VA_OK done[A];");
    crig_hears(g, "api b\n\n"); /* it is FreeSWITCH's now, and answered too late */
    crig_sees(g, "r1 VA_ETIMEOUT done timeout[];");
    crig_says(g, API("B"));
    crig_hears(g, "api c\n\n");
    crig_says(g, API("C"));
    crig_sees(g, "r2 VA_OK done[C];");
    esl_client_stats(g->c, &stats);
    assert_int_equal(stats.late, 1);
    assert_int_equal(stats.pending, 0);
    crig_free(g);
}

static void on_poking_event(void *arg, const struct esl_event *ev)
{
    struct rig *g = arg;
    (void)ev;
    for (int i = 0; i < 3; i++)
        assert_int_equal(esl_session_poke(g->s), VA_OK);
}

static void what_waits_goes_out_though_the_room_is_taken(void **state)
{
    (void)state;
    static const struct esl_session_handlers handlers = {
        .on_connected = rig_connected, .on_event = on_poking_event, .on_closed = rig_closed};
    struct rig *g = rig_alone(&(struct esl_session_cfg){.out_max = 20, .window = 1}, &handlers);
    rig_says(g, RIG_CONNECT);
    rig_sees(g, "connected");
    assert_int_equal(esl_session_api(g->s, S("0123456789abc"), rig_then(g, 0)), VA_OK);
    assert_int_equal(esl_session_api(g->s, S("0123456789abd"), rig_then(g, 0)), VA_OK);
    rig_says(g,
             "Content-Length: 18\nContent-Type: text/event-plain\n\nEvent-Name: DTMF\n\n" API("A"));
    rig_sees(g, "r0 VA_OK done[A];");
    rig_hears(g, "api 0123456789abd\n\n");
    rig_says(g, API("B"));
    rig_sees(g, "r1 VA_OK done[B];");
    rig_free(g);
}

/* ---- callbacks that close ------------------------------------------------------------------- */

static void closing_when_a_cut_reply_made_it_ready(void **state)
{
    (void)state;
    struct crig *g = crig_new();
    crig_open(g, &(struct esl_client_cfg){.user = "a@b", .password = "c"});
    g->close_after = "ready";
    while (!g->peer)
        loop_turn(g->loop, true);
    crig_says(g, CRIG_HELLO);
    crig_hears(g, "userauth a@b:c\n\n");
    crig_says(g, "Content-Type: command/reply\nReply-Text: +OK accepted\nAllowed-API: st");
    crig_sees(g, "ready;");
    assert_null(g->c);
    turn(g, 10);
    crig_free(g);
}

static void on_closing_event(void *arg, const struct esl_event *ev)
{
    struct crig *g = arg;
    (void)ev;
    g->events++;
    esl_client_close(&g->c);
}

static void the_first_of_many_listeners_closes(void **state)
{
    (void)state;
    static const char *const uuid[] = {NULL, CRIG_UUID};
    for (size_t i = 0; i < 2; i++) {
        struct crig *g = crig_ready(NULL);
        for (int n = 0; n < 3; n++)
            assert_non_null(esl_client_on_event(g->c, "DTMF", uuid[i], on_closing_event, g));
        assert_int_equal(esl_client_subscribe(g->c, S("DTMF"), NULL, NULL), VA_OK);
        g->quiet = true;
        crig_says_event(g, "Event-Name: DTMF\nUnique-ID: " CRIG_UUID "\n\n");
        while (g->c)
            loop_turn(g->loop, true);
        assert_int_equal(g->events, 2); /* on_event of the client, and one of three */
        crig_free(g);
    }
}

/* ---- callbacks that ask again --------------------------------------------------------------- */

struct stubborn {
    struct crig *rig;
    struct rig *session;
    unsigned results;
};

/* Plays the next prompt, whatever became of the last. */
static void on_stubborn(void *arg, const struct esl_result *r)
{
    struct stubborn *s = arg;
    const struct esl_then then = {on_stubborn, s, 0};
    enum va_err ignored = VA_OK;
    if (!r->done)
        return;
    assert_true(++s->results < 100);
    if (s->rig)
        ignored = esl_client_execute(s->rig->c, CRIG_UUID, &playback, &then);
    else
        ignored = esl_session_execute(s->session->s, &playback, &then);
    (void)ignored;
}

static void hangup_ends_those_who_always_want_more(void **state)
{
    (void)state;
    struct crig *g = crig_ready(&(struct esl_client_cfg){.exec_inflight_max = 1});
    struct stubborn s = {.rig = g};
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            esl_client_execute(g->c, CRIG_UUID, &playback, &(struct esl_then){on_stubborn, &s, 0}),
            VA_OK);
    crig_hears(g, "playback");
    crig_says_event(g, "Event-Name: CHANNEL_HANGUP\nUnique-ID: " CRIG_UUID "\n\n");
    while (s.results < 2)
        loop_turn(g->loop, true);
    turn(g, 10);
    assert_int_equal(s.results, 2); /* both that waited; the third runs still */
    crig_peer_closes(g);
    crig_sees(g, "down");
    crig_free(g);
}

static void the_end_of_a_session_ends_them_too(void **state)
{
    (void)state;
    struct rig *g = rig_connected_new(&(struct esl_session_cfg){.exec_inflight_max = 1});
    struct stubborn s = {.session = g};
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            esl_session_execute(g->s, &playback, &(struct esl_then){on_stubborn, &s, 0}), VA_OK);
    tcp_close_flush(&g->peer);
    rig_sees(g, "closed");
    assert_int_equal(s.results, 3);
    rig_free(g);
}

static void a_full_connection_ends_them_too(void **state)
{
    (void)state;
    char app[64];
    struct rig *g =
        rig_connected_new(&(struct esl_session_cfg){.exec_inflight_max = 1, .pending_max = 2});
    struct stubborn s = {.session = g};
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            esl_session_execute(g->s, &playback, &(struct esl_then){on_stubborn, &s, 0}), VA_OK);
    rig_hears_value(g, "Event-UUID: ", app, sizeof(app));
    rig_says(g, RIG_REPLY);
    for (int i = 0; i < 10; i++)
        loop_turn(g->loop, false);
    assert_int_equal(esl_session_api(g->s, S("a"), NULL), VA_OK);
    assert_int_equal(esl_session_api(g->s, S("b"), NULL), VA_OK);
    char body[200];
    (void)snprintf(body, sizeof(body),
                   "Event-Name: CHANNEL_EXECUTE_COMPLETE\nUnique-ID: " RIG_UUID
                   "\nApplication-UUID: %s\n\n",
                   app);
    rig_says_event(g, body);
    while (s.results < 4) /* no room for what waited, nor for what is asked for instead */
        loop_turn(g->loop, true);
    rig_free(g);
}

static void on_lost_subscribe(void *arg, const struct esl_result *r)
{
    struct crig *g = arg;
    assert_int_equal(r->err, VA_ECLOSED);
    assert_false(esl_client_connected(g->c)); /* so no result follows */
    assert_int_equal(esl_client_subscribe(g->c, S("DTMF"), NULL, crig_then(g, 0)), VA_OK);
}

static void what_is_subscribed_to_in_the_last_result_is_remembered(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_api(g->c, S("a"), &(struct esl_then){on_lost_subscribe, g, 0}),
                     VA_OK);
    crig_hears(g, "api a\n\n");
    crig_peer_closes(g);
    crig_sees(g, "down");
    crig_log_in(g);
    crig_hears(g, "event plain DTMF\n\n");
    assert_null(strstr(buf_z(&g->log), "r0"));
    crig_free(g);
}

/* ---- the end is told once, and last --------------------------------------------------------- */

static void on_slow_event(void *arg, const struct esl_event *ev)
{
    struct rig *g = arg;
    uint64_t now = loop_now_us(g->loop);
    rig_note(arg, "event %.*s", STR_ARG(esl_event_name(ev)));
    while (loop_now_us(g->loop) < now + 10)
        continue;
}

static void on_rig_lost(void *arg, uint64_t n)
{
    rig_note(arg, "lost %u", (unsigned)n);
}

static void events_that_were_dropped_are_told_before_the_end(void **state)
{
    (void)state;
    static const struct esl_session_handlers handlers = {rig_connected, on_slow_event, on_rig_lost,
                                                         NULL, rig_closed};
    const struct esl_session_cfg cfg = {.queue = {.slice_us = 1, .bytes_max = 1}};
    struct rig *g = rig_alone(&cfg, &handlers);
    rig_says(g, RIG_CONNECT
             "Content-Length: 18\nContent-Type: text/event-plain\n\nEvent-Name: DTMF\n\n"
             "Content-Length: 18\nContent-Type: text/event-plain\n\nEvent-Name: DTMF\n\n" RIG_BYE);
    rig_sees(g, "closed");
    for (int i = 0; i < 20; i++) /* the application takes its time to close */
        loop_turn(g->loop, false);
    const char *log = buf_z(&g->log), *end = strstr(log, "closed ");
    assert_non_null(strstr(log, "lost "));
    assert_true(strstr(log, "lost ") < end);
    assert_string_equal(end, "closed disconnect notice;");
    rig_free(g);
}

/* ---- every request has its answer ----------------------------------------------------------- */

static void answer_all(struct crig *g, const char *last)
{
    crig_hears(g, last);
    for (int i = 0; i < 12; i++)
        crig_says(g, CRIG_REPLY);
}

static void a_filter_that_is_there_already_is_answered(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_filter(g->c, "Unique-ID", S("x"), crig_then(g, 0)), VA_OK);
    assert_int_equal(esl_client_bgapi(g->c, S("status"), NULL), VA_OK);
    answer_all(g, "Job-UUID");
    crig_sees(g, "r0 VA_OK done[+OK];");
    assert_int_equal(esl_client_filter(g->c, "Unique-ID", S("x"), crig_then(g, 0)), VA_OK);
    /* One of our own needs becomes the application's. */
    assert_int_equal(esl_client_filter(g->c, "Event-Name", S("BACKGROUND_JOB"), crig_then(g, 0)),
                     VA_OK);
    answer_all(g, "BACKGROUND_JOB\n\n");
    crig_sees(g, "r1 VA_OK done[+OK];");
    crig_sees(g, "r2 VA_OK done[+OK];");
    crig_free(g);
}

static void bare_custom_is_answered_and_kept(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_subscribe(g->c, S("CUSTOM"), NULL, NULL), VA_OK);
    assert_int_equal(esl_client_subscribe(g->c, S("CUSTOM"), NULL, NULL), VA_OK);
    crig_heard_is(g, "event plain CUSTOM\n\nevent plain CUSTOM\n\n");
    crig_says(g, CRIG_REPLY CRIG_REPLY);
    assert_int_equal(esl_client_unsubscribe(g->c, S("CUSTOM"), NULL, crig_then(g, 0)), VA_OK);
    crig_heard_is(g, "event plain CUSTOM\n\n");
    crig_says(g, CRIG_REPLY);
    crig_sees(g, "r0 VA_OK done[+OK];");
    assert_int_equal(esl_client_subscribe(g->c, S("ALL DTMF"), NULL, NULL), VA_OK);
    assert_int_equal(esl_client_unsubscribe(g->c, S("ALL"), NULL, crig_then(g, 0)), VA_OK);
    crig_heard_is(g, "event plain ALL DTMF\n\nnixevent ALL\n\nevent plain DTMF\n\n"
                     "event plain CUSTOM\n\n");
    crig_says(g, CRIG_REPLY CRIG_REPLY CRIG_REPLY CRIG_REPLY);
    crig_sees(g, "r1 VA_OK done[+OK];");
    crig_free(g);
}

static void a_wait_for_a_subclass_is_for_no_other(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_subscribe(g->c, S("CUSTOM a::b"), NULL, NULL), VA_OK);
    assert_int_equal(esl_client_wait_for_event(g->c, S("CUSTOM x::y"), NULL, crig_then(g, 0)),
                     VA_OK);
    assert_int_equal(esl_client_wait_for_event(g->c, S("CUSTOM"), NULL, crig_then(g, 0)), VA_OK);
    crig_says_event(g, "Event-Name: CUSTOM\nEvent-Subclass: a::b\n\n");
    crig_sees(g, "event CUSTOM;");
    crig_log_is(g, "r1 VA_OK done[];event CUSTOM;");
    crig_says_event(g, "Event-Name: CUSTOM\nEvent-Subclass: x::y\n\n");
    crig_sees(g, "r0 VA_OK done[];");
    crig_free(g);
}

static void what_is_asked_for_while_it_restores_is_not_answered(void **state)
{
    (void)state;
    struct crig *g = crig_new();
    crig_open(g, NULL);
    assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
    crig_log_in(g);
    crig_hears(g, "event plain ALL\n\n");
    assert_false(esl_client_connected(g->c));
    assert_int_equal(esl_client_subscribe(g->c, S("DTMF"), NULL, crig_then(g, 0)), VA_OK);
    assert_int_equal(esl_client_filter(g->c, "a", S("b"), crig_then(g, 0)), VA_OK);
    crig_hears(g, "event plain DTMF\n\nfilter a b\n\n");
    crig_says(g, CRIG_REPLY CRIG_REPLY CRIG_REPLY);
    crig_sees(g, "ready;");
    turn(g, 10);
    crig_log_is(g, "ready;");
    crig_free(g);
}

/* ---- limits --------------------------------------------------------------------------------- */

static void what_is_restored_knows_no_limit_of_pending(void **state)
{
    (void)state;
    struct crig *g = crig_new();
    crig_open(g, &(struct esl_client_cfg){.pending_max = 1, .window = 2});
    for (int i = 0; i < 5; i++) {
        char value[16];
        (void)snprintf(value, sizeof(value), "v%d", i);
        assert_int_equal(esl_client_filter(g->c, "Unique-ID", S(value), NULL), VA_OK);
    }
    assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
    crig_log_in(g);
    for (int i = 0; i < 6; i++)
        crig_says(g, CRIG_REPLY);
    crig_sees(g, "ready;");
    crig_hears(g, "event plain ALL\n\n");
    crig_free(g);
}

static void what_is_refused_for_want_of_room_changes_nothing(void **state)
{
    (void)state;
    struct crig *g = crig_ready(&(struct esl_client_cfg){.pending_max = 2});
    assert_int_equal(esl_client_subscribe(g->c, S("DTMF"), NULL, NULL), VA_OK);
    assert_int_equal(esl_client_filter(g->c, "Unique-ID", S("x"), NULL), VA_OK);
    crig_heard_is(g, "event plain DTMF\n\nfilter Unique-ID x\n\n");
    assert_int_equal(esl_client_filter(g->c, "Unique-ID", S("y"), NULL), VA_ELIMIT);
    assert_int_equal(esl_client_filter_clear(g->c, NULL), VA_ELIMIT);
    assert_int_equal(esl_client_subscribe(g->c, S("TALK"), CRIG_UUID, NULL), VA_ELIMIT);
    assert_int_equal(esl_client_unsubscribe(g->c, S("DTMF"), NULL, NULL), VA_ELIMIT);
    assert_int_equal(esl_client_log(g->c, 3, NULL), VA_ELIMIT);
    crig_says(g, CRIG_REPLY CRIG_REPLY);
    crig_peer_closes(g);
    crig_sees(g, "down");
    crig_log_in(g);
    for (int i = 0; i < 2; i++)
        crig_says(g, CRIG_REPLY);
    crig_sees(g, "ready again;");
    crig_heard_is(g, "filter Unique-ID x\n\nevent plain DTMF\n\n");
    assert_int_equal(esl_client_filter_clear(g->c, crig_then(g, 0)), VA_OK);
    crig_heard_is(g, "filter delete all\n\n");
    crig_free(g);
}

static void the_largest_numbers_mean_no_limit(void **state)
{
    (void)state;
    const uint64_t ever = (uint64_t)1 << 63;
    struct crig *g = crig_ready(&(struct esl_client_cfg){
        .connect_timeout_ms = ever,
        .read_timeout_ms = UINT64_MAX,
        .idle_ms = UINT64_MAX,
        .out_max = SIZE_MAX,
        .pending_max = SIZE_MAX,
        .jobs_max = SIZE_MAX,
        .window = SIZE_MAX,
        .head_max = SIZE_MAX,
        .body_max = SIZE_MAX,
        .queue = {.bytes_max = SIZE_MAX, .control_bytes_max = SIZE_MAX, .slice_us = UINT64_MAX}});
    assert_int_equal(esl_client_subscribe(g->c, S("DTMF"), NULL, crig_then(g, 0)), VA_OK);
    assert_int_equal(esl_client_bgapi(g->c, S("status"), crig_then(g, UINT64_MAX)), VA_OK);
    answer_all(g, "Job-UUID");
    crig_sees(g, "r1 VA_OK ok[+OK];");
    crig_says_event(g, "Event-Name: DTMF\n\n");
    crig_sees(g, "event DTMF;");
    turn(g, 10);
    crig_log_is(g, "r0 VA_OK done[+OK];r1 VA_OK ok[+OK];event DTMF;");
    crig_free(g);
}

static void what_is_no_format_is_refused(void **state)
{
    (void)state;
    struct esl_client *c = NULL;
    struct crig *g = crig_new();
    assert_int_equal(esl_client_open(g->loop,
                                     &(struct esl_client_cfg){.format = (enum esl_format)9},
                                     &crig_handlers, g, &c),
                     VA_EINVAL);
    crig_free(g);
}

/* ---- peers that fall silent ----------------------------------------------------------------- */

static void a_dead_peer_is_noticed_behind(const char *what)
{
    struct crig *g = crig_ready(&(struct esl_client_cfg){
        .idle_ms = 20, .read_timeout_ms = 40, .reconnect_delay_ms = 60000});
    if (strstr(what, "job"))
        assert_int_equal(esl_client_bgapi(g->c, S("originate x y"), crig_then(g, 0)), VA_OK);
    if (strstr(what, "app"))
        assert_int_equal(esl_client_execute(g->c, CRIG_UUID, &playback, crig_then(g, 0)), VA_OK);
    if (strstr(what, "sub"))
        assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
    crig_sees(g, "down peer does not answer was ready 0;");
    crig_free(g);
}

static void a_dead_peer_is_noticed_whatever_it_owes(void **state)
{
    (void)state;
    a_dead_peer_is_noticed_behind("job");
    a_dead_peer_is_noticed_behind("app");
    a_dead_peer_is_noticed_behind("sub");
    a_dead_peer_is_noticed_behind("job app sub");
}

static void a_subscription_has_a_limit_of_time(void **state)
{
    (void)state;
    struct crig *g = crig_ready(&(struct esl_client_cfg){.read_timeout_ms = 20});
    assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, crig_then(g, 0)), VA_OK);
    assert_int_equal(esl_client_filter(g->c, "a", S("b"), crig_then(g, 0)), VA_OK);
    assert_int_equal(esl_client_log(g->c, 3, crig_then(g, 0)), VA_OK);
    crig_sees(g, "r2 VA_ETIMEOUT done timeout[];");
    crig_log_is(g, "r0 VA_ETIMEOUT done timeout[];r1 VA_ETIMEOUT done timeout[];"
                   "r2 VA_ETIMEOUT done timeout[];");
    crig_free(g);
}

static void nothing_is_poked_before_it_is_ready(void **state)
{
    (void)state;
    struct crig *g = crig_new();
    crig_open(g, NULL);
    while (!g->peer) {
        assert_int_equal(esl_client_poke(g->c), VA_ECLOSED);
        loop_turn(g->loop, true);
    }
    crig_says(g, CRIG_HELLO);
    crig_hears(g, "auth");
    assert_int_equal(esl_client_poke(g->c), VA_ECLOSED);
    crig_free(g);
}

static void a_long_name_does_not_hide_why(void **state)
{
    (void)state;
    char user[3000];
    memset(user, 'u', sizeof(user) - 1);
    user[sizeof(user) - 1] = 0;
    struct crig *g = crig_new();
    crig_open(g, &(struct esl_client_cfg){.user = user});
    while (!g->peer)
        loop_turn(g->loop, true);
    crig_says(g, CRIG_HELLO);
    crig_hears(g, "userauth");
    crig_says(g, "Content-Type: command/reply\nReply-Text: -ERR invalid\n\n");
    crig_sees(g, "down password refused");
    assert_true(strlen(g->down_text) > 0);
    crig_free(g);
}

static void a_peer_that_closed_does_not_end_the_program(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    (void)signal(SIGPIPE, SIG_DFL); /* as every program begins; a loop changes it */
    struct loop *other = NULL;
    assert_int_equal(loop_new(NULL, 0, &other), VA_OK);
    tcp_close(&g->peer);
    assert_int_equal(esl_client_api(g->c, S("a"), crig_then(g, 0)), VA_OK);
    for (int i = 0; i < 3; i++) { /* the second meets a reset */
        enum va_err err = esl_client_api(g->c, S("b"), NULL);
        assert_true(err == VA_OK || err == VA_ECLOSED);
    }
    crig_sees(g, "r0 VA_ECLOSED");
    loop_free(&other);
    crig_free(g);
}

/* Says its text in small pieces, each long after the one before. */
struct drip {
    struct crig *rig;
    struct tmr tmr;
    const char *left;
};

static void on_drip(void *arg)
{
    enum { PIECE = 8, EVERY_MS = 40 };
    struct drip *d = arg;
    size_t n = strlen(d->left) < PIECE ? strlen(d->left) : PIECE;
    assert_int_equal(tcp_write(d->rig->peer, d->left, n), VA_OK);
    d->left += n;
    if (*d->left)
        tmr_start(&d->tmr, d->rig->loop, EVERY_MS, on_drip, d);
}

static void a_reply_that_comes_slowly_is_not_cut(void **state)
{
    (void)state;
    struct crig *g = crig_new();
    crig_open(g, &(struct esl_client_cfg){.user = "a@b", .password = "c", .max_attempts = 1});
    while (!g->peer)
        loop_turn(g->loop, true);
    crig_says(g, CRIG_HELLO);
    crig_hears(g, "userauth a@b:c\n\n");
    struct drip d = {.rig = g,
                     .left = "Content-Type: command/reply\nReply-Text: +OK accepted\n"
                             "Allowed-Events: all\nAllowed-API: status echo\n\n" CRIG_REPLY};
    on_drip(&d);
    crig_sees(g, "ready;");
    assert_true(strlen(d.left) <= strlen(CRIG_REPLY));
    tmr_stop(&d.tmr);
    crig_log_is(g, "ready;");
    crig_free(g);
}

/* The peer closes (or resets) behind each byte of a login with a subscription to restore. */
static void closes_after(size_t bytes, bool reset)
{
    static const char text[] = CRIG_HELLO CRIG_OK CRIG_REPLY;
    struct crig *g = crig_new();
    crig_open(g, &(struct esl_client_cfg){.max_attempts = 1});
    assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
    while (!g->peer)
        loop_turn(g->loop, true);
    /* What is said too early is no answer to anything, so it is said in turn. */
    for (size_t at = 0; at < bytes; at++) {
        if (at == strlen(CRIG_HELLO))
            crig_hears(g, "auth ClueCon\n\n");
        if (at == strlen(CRIG_HELLO CRIG_OK))
            crig_hears(g, "event plain ALL\n\n");
        assert_int_equal(tcp_write(g->peer, text + at, 1), VA_OK);
    }
    if (bytes == sizeof(text) - 1)
        crig_sees(g, "ready;");
    if (reset)
        tcp_reset(&g->peer);
    else
        tcp_close(&g->peer);
    crig_sees(g, "down ");
    turn(g, 5);
    const char *down = strstr(buf_z(&g->log), "down ");
    assert_null(strstr(down + 1, "down "));
    if (bytes < sizeof(text) - 1)
        assert_true(g->down.final && !g->down.was_ready);
    assert_true(g->down.why == ESL_WHY_EOF || g->down.why == ESL_WHY_IO);
    crig_free(g);
}

static void a_login_may_end_behind_any_byte(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(CRIG_HELLO CRIG_OK CRIG_REPLY); n++) {
        closes_after(n, false);
        closes_after(n, true);
    }
}

/* ---- a bound session ------------------------------------------------------------------------ */

static void bound_closed(void *arg, enum esl_why why)
{
    crig_note(arg, "bound closed %s", esl_why_text(why));
}

static const struct esl_session_handlers bound_handlers = {.on_closed = bound_closed};

static struct esl_session *bind_to(struct crig *g, const struct esl_session_cfg *cfg)
{
    struct esl_session *s = NULL;
    const struct esl_client_cfg to = {.host = "127.0.0.1", .port = crig_port(g)};
    assert_int_equal(esl_session_bind(g->loop, &to, CRIG_UUID, cfg, &bound_handlers, g, &s), VA_OK);
    crig_log_in(g);
    crig_hears(g, "myevents " CRIG_UUID);
    return s;
}

static void binding_has_a_limit_of_time(void **state)
{
    (void)state;
    struct crig *g = crig_new();
    struct esl_session *s = bind_to(g, &(struct esl_session_cfg){.connect_timeout_ms = 30});
    crig_sees(g, "bound closed timeout;");
    esl_session_close(&s);
    crig_peer_closes(g);
    s = bind_to(g, &(struct esl_session_cfg){.connect_timeout_ms = 30});
    crig_says(g, CRIG_REPLY);
    crig_hears(g, "connect\n\n");
    crig_forget_log(g);
    crig_sees(g, "bound closed timeout;");
    esl_session_close(&s);
    crig_free(g);
}

static void nothing_is_asked_before_it_is_bound(void **state)
{
    (void)state;
    struct crig *g = crig_new();
    struct esl_session *s = bind_to(g, NULL);
    assert_int_equal(esl_session_api(s, S("a"), NULL), VA_EAGAIN);
    assert_int_equal(esl_session_bgapi(s, S("a"), NULL), VA_EAGAIN);
    assert_int_equal(esl_session_execute(s, &playback, NULL), VA_EAGAIN);
    assert_int_equal(esl_session_hangup(s, NULL, NULL), VA_EAGAIN);
    assert_int_equal(esl_session_filter(s, "a", S("b"), NULL), VA_EAGAIN);
    assert_int_equal(esl_session_poke(s), VA_EAGAIN);
    esl_session_close(&s);
    crig_free(g);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_waited_keeps_its_place_when_it_is_late),
        cmocka_unit_test(what_waits_goes_out_though_the_room_is_taken),
        cmocka_unit_test(closing_when_a_cut_reply_made_it_ready),
        cmocka_unit_test(the_first_of_many_listeners_closes),
        cmocka_unit_test(hangup_ends_those_who_always_want_more),
        cmocka_unit_test(the_end_of_a_session_ends_them_too),
        cmocka_unit_test(a_full_connection_ends_them_too),
        cmocka_unit_test(what_is_subscribed_to_in_the_last_result_is_remembered),
        cmocka_unit_test(events_that_were_dropped_are_told_before_the_end),
        cmocka_unit_test(a_filter_that_is_there_already_is_answered),
        cmocka_unit_test(bare_custom_is_answered_and_kept),
        cmocka_unit_test(a_wait_for_a_subclass_is_for_no_other),
        cmocka_unit_test(what_is_asked_for_while_it_restores_is_not_answered),
        cmocka_unit_test(what_is_restored_knows_no_limit_of_pending),
        cmocka_unit_test(what_is_refused_for_want_of_room_changes_nothing),
        cmocka_unit_test(the_largest_numbers_mean_no_limit),
        cmocka_unit_test(what_is_no_format_is_refused),
        cmocka_unit_test(a_dead_peer_is_noticed_whatever_it_owes),
        cmocka_unit_test(a_subscription_has_a_limit_of_time),
        cmocka_unit_test(nothing_is_poked_before_it_is_ready),
        cmocka_unit_test(a_long_name_does_not_hide_why),
        cmocka_unit_test(a_reply_that_comes_slowly_is_not_cut),
        cmocka_unit_test(a_login_may_end_behind_any_byte),
        cmocka_unit_test(a_peer_that_closed_does_not_end_the_program),
        cmocka_unit_test(binding_has_a_limit_of_time),
        cmocka_unit_test(nothing_is_asked_before_it_is_bound),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("esl_edge", tests, NULL, NULL);
}
