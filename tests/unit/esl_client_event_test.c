/* esl/client: events to listeners, waiters and applications; slow handlers; the end in a callback.
 */
#include "esl/escape.h"
#include "unit/esl_client_rig.h"

#define S(z) str_of(z)

/* ---- listeners ------------------------------------------------------------------------------ */

struct ear {
    struct crig *rig;
    const char *name;
    struct esl_listener *handle;
    struct ear *off; /* switched off when this one hears */
    struct ear *add; /* opened when this one hears */
};

static void on_ear(void *arg, const struct esl_event *ev)
{
    struct ear *e = arg;
    crig_note(e->rig, "%s:%.*s", e->name, STR_ARG(esl_event_name(ev)));
    if (e->off)
        esl_client_off_event(e->rig->c, &e->off->handle);
    if (e->add && !e->add->handle)
        e->add->handle = esl_client_on_event(e->rig->c, NULL, NULL, on_ear, e->add);
}

static void listeners_hear_by_name_and_channel(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    struct ear any = {g, "any", NULL, NULL, NULL}, name = {g, "dtmf", NULL, NULL, NULL},
               uuid = {g, "mine", NULL, NULL, NULL}, sub = {g, "sub", NULL, NULL, NULL};
    g->quiet = true;
    assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
    any.handle = esl_client_on_event(g->c, NULL, NULL, on_ear, &any);
    name.handle = esl_client_on_event(g->c, "DTMF", NULL, on_ear, &name);
    uuid.handle = esl_client_on_event(g->c, NULL, CRIG_UUID, on_ear, &uuid);
    sub.handle = esl_client_on_event(g->c, "sofia::register", NULL, on_ear, &sub);
    assert_null(esl_client_on_event(g->c, NULL, NULL, NULL, NULL));
    crig_says_event(g, "Event-Name: DTMF\nUnique-ID: " CRIG_UUID "\n\n");
    crig_says_event(g, "Event-Name: DTMF\nUnique-ID: other\n\n");
    crig_says_event(g, "Event-Name: CUSTOM\nEvent-Subclass: sofia%3A%3Aregister\n\n");
    crig_sees(g, "sub:CUSTOM;");
    crig_log_is(g, "any:DTMF;dtmf:DTMF;mine:DTMF;any:DTMF;dtmf:DTMF;any:CUSTOM;sub:CUSTOM;");
    esl_client_off_event(g->c, &name.handle);
    esl_client_off_event(g->c, &uuid.handle);
    assert_null(name.handle);
    crig_forget_log(g);
    crig_says_event(g, "Event-Name: DTMF\nUnique-ID: " CRIG_UUID "\n\n");
    crig_sees(g, "any:DTMF;");
    crig_log_is(g, "any:DTMF;");
    crig_free(g);
}

static void listeners_may_come_and_go_while_they_hear(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    struct ear late = {g, "late", NULL, NULL, NULL}, second = {g, "second", NULL, NULL, NULL},
               self = {g, "self", NULL, NULL, NULL}, first = {g, "first", NULL, &second, &late};
    g->quiet = true;
    self.off = &self;
    assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
    first.handle = esl_client_on_event(g->c, NULL, NULL, on_ear, &first);
    second.handle = esl_client_on_event(g->c, NULL, NULL, on_ear, &second);
    self.handle = esl_client_on_event(g->c, NULL, CRIG_UUID, on_ear, &self);
    for (int i = 0; i < 2; i++)
        crig_says_event(g, "Event-Name: DTMF\nUnique-ID: " CRIG_UUID "\n\n");
    crig_sees(g, "late:DTMF;");
    /* Added ones begin with the next event; one that was switched off hears no more at once. */
    crig_log_is(g, "first:DTMF;self:DTMF;first:DTMF;late:DTMF;");
    crig_free(g);
}

/* ---- waiting for an event ------------------------------------------------------------------- */

static void a_wait_ends_with_its_event(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    assert_int_equal(
        esl_client_wait_for_event(g->c, S("CHANNEL_ANSWER CUSTOM a::b"), NULL, crig_then(g, 0)),
        VA_OK);
    assert_int_equal(esl_client_wait_for_event(g->c, S("CUSTOM a::b"), NULL, crig_then(g, 0)),
                     VA_OK);
    crig_hears(g, "event plain CHANNEL_ANSWER CUSTOM a::b\n\nevent plain CUSTOM a::b\n\n");
    crig_says_event(g, "Event-Name: CHANNEL_CREATE\nUnique-ID: x\n\n");
    crig_says_event(g, "Event-Name: CHANNEL_ANSWER\nUnique-ID: x\n\n");
    crig_sees(g, "r0 VA_OK done[];");
    crig_hears(g, "nixevent CHANNEL_ANSWER\n\n"); /* the custom one is still waited for */
    crig_says_event(g, "Event-Name: CUSTOM\nEvent-Subclass: a%3A%3Ab\n\n");
    crig_sees(g, "r1 VA_OK done[];");
    /* The application did not subscribe, so only the waiters heard. */
    crig_log_is(g, "r0 VA_OK done[];r1 VA_OK done[];");
    crig_free(g);
}

static void a_wait_ends_with_its_channel(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    const char *hangup = "Event-Name: CHANNEL_HANGUP\nUnique-ID: " CRIG_UUID "\n\n";
    assert_int_equal(esl_client_wait_for_event(g->c, S("DTMF"), CRIG_UUID, crig_then(g, 0)), VA_OK);
    assert_int_equal(
        esl_client_wait_for_event(g->c, S("CHANNEL_HANGUP"), CRIG_UUID, crig_then(g, 0)), VA_OK);
    assert_int_equal(
        esl_client_wait_for_event(g->c, S("CHANNEL_HANGUP_COMPLETE"), CRIG_UUID, crig_then(g, 0)),
        VA_OK);
    assert_int_equal(esl_client_wait_for_event(g->c, S("DTMF"), NULL, crig_then(g, 0)), VA_OK);
    crig_says_event(g, "Event-Name: CHANNEL_HANGUP\nUnique-ID: other\n\n");
    crig_says_event(g, hangup);
    crig_sees(g, "r1 VA_OK done");
    crig_log_is(g, "r0 VA_ECANCELED done hangup[];r1 VA_OK done[];");
    crig_says_event(g, "Event-Name: CHANNEL_HANGUP_COMPLETE\nUnique-ID: " CRIG_UUID "\n\n");
    crig_sees(g, "r2 VA_OK done[];");
    crig_peer_closes(g);
    crig_sees(g, "r3 VA_ECLOSED done connection closed[];");
    crig_free(g);
}

static void a_wait_has_a_limit(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_wait_for_event(g->c, S("DTMF"), NULL, crig_then(g, 5)), VA_OK);
    assert_int_equal(esl_client_wait_for_event(g->c, S(" "), NULL, crig_then(g, 5)), VA_EINVAL);
    crig_sees(g, "r0 VA_ETIMEOUT done timeout[];");
    crig_hears(g, "nixevent DTMF\n\n");
    crig_free(g);
}

/* ---- applications on any channel ------------------------------------------------------------ */

static const struct esl_execute playback = {.app = "playback", .arg = STR_LIT("x.wav")};

static void execute(struct crig *g, const char *uuid, char event_uuid[static 64])
{
    assert_int_equal(esl_client_execute(g->c, uuid, &playback, crig_then(g, 0)), VA_OK);
    crig_hears(g, "sendmsg ");
    crig_hears_value(g, "Event-UUID: ", event_uuid, 64);
    crig_hears(g, "\n\n");
}

static void completes(struct crig *g, const char *uuid, const char *event_uuid)
{
    char body[300];
    (void)snprintf(body, sizeof(body),
                   "Event-Name: CHANNEL_EXECUTE_COMPLETE\nUnique-ID: %s\nApplication-UUID: %s\n"
                   "Application-Response: FILE%%20PLAYED\n\n",
                   uuid, event_uuid);
    crig_says_event(g, body);
}

static void case_18_applications_run_on_any_channel(void **state)
{
    (void)state;
    char a[64], b[64];
    struct crig *g = crig_ready(NULL);
    execute(g, CRIG_UUID, a);
    execute(g, "other", b);
    crig_says(g, CRIG_REPLY CRIG_REPLY CRIG_REPLY); /* the first is that of our subscription */
    completes(g, "other", b);
    completes(g, CRIG_UUID, a);
    crig_sees(g, "r0 VA_OK done[FILE PLAYED];");
    crig_log_is(g, "r0 VA_OK ok[+OK];r1 VA_OK ok[+OK];r1 VA_OK done[FILE PLAYED];"
                   "r0 VA_OK done[FILE PLAYED];");
    execute(g, "gone", a);
    crig_says(g, "Content-Type: command/reply\nReply-Text: -ERR invalid session id [gone]\n\n");
    crig_sees(g, "r2 VA_EREFUSED done refused[-ERR invalid session id [gone]];");
    assert_int_equal(esl_client_execute(g->c, "no uuid", &playback, NULL), VA_EINVAL);
    assert_int_equal(esl_client_execute(g->c, "x", &(struct esl_execute){.app = "a b"}, NULL),
                     VA_EINVAL);
    crig_free(g);
}

static void case_18_they_end_with_their_channel_and_connection(void **state)
{
    (void)state;
    char a[64], b[64];
    struct crig *g = crig_ready(NULL);
    execute(g, CRIG_UUID, a);
    execute(g, "other", b);
    crig_says(g, CRIG_REPLY CRIG_REPLY);
    crig_says_event(g, "Event-Name: CHANNEL_HANGUP_COMPLETE\nUnique-ID: " CRIG_UUID "\n\n");
    crig_sees(g, "r0 VA_ECANCELED done hangup[];");
    crig_peer_closes(g);
    crig_sees(g, "r1 VA_ECLOSED done connection closed[];down");
    crig_free(g);
}

static void case_18_no_more_than_64_of_a_channel_are_with_freeswitch(void **state)
{
    (void)state;
    struct crig *g = crig_ready(&(struct esl_client_cfg){.window = 1000});
    for (int i = 0; i < 300; i++)
        assert_int_equal(esl_client_execute(g->c, CRIG_UUID, &playback, NULL), VA_OK);
    assert_int_equal(esl_client_execute(g->c, "other", &playback, NULL), VA_OK);
    crig_hears(g, "sendmsg other\n");
    for (int i = 300; i < 320; i++)
        assert_int_equal(esl_client_execute(g->c, CRIG_UUID, &playback, NULL), VA_OK);
    assert_int_equal(esl_client_execute(g->c, CRIG_UUID, &playback, NULL), VA_ELIMIT);
    struct esl_client_stats stats;
    esl_client_stats(g->c, &stats);
    assert_int_equal(stats.pending, 64 + 1 + 1); /* with the subscription */
    crig_free(g);
}

/* ---- case 19: slow handlers ----------------------------------------------------------------- */

enum { MANY = 30000, CONTROL_EVERY = 100 };

/* Numbered events; every hundredth is a control event. */
static void flood(struct crig *g, struct buf *out)
{
    static char pad[800];
    memset(pad, 'x', sizeof(pad) - 1);
    buf_init(out, (size_t)128 << 20);
    for (int i = 0; i < MANY; i++) {
        char body[1000];
        int n =
            snprintf(body, sizeof(body), "Event-Name: %s\nEvent-Sequence: %d\nvariable_a: %s\n\n",
                     i % CONTROL_EVERY ? "CHANNEL_STATE" : "CHANNEL_HANGUP_COMPLETE", i, pad);
        assert_int_equal(
            buf_addf(out, "Content-Length: %d\nContent-Type: text/event-plain\n\n%s", n, body),
            VA_OK);
    }
    assert_int_equal(tcp_write(g->peer, out->p, out->len), VA_OK);
}

struct slow {
    struct crig *rig;
    uint64_t heard, control;
    int last;
    bool ordered;
    bool answered; /* a request sent in the flood was answered */
    uint64_t heard_when_answered;
};

static void on_slow(void *arg, const struct esl_event *ev)
{
    struct slow *s = arg;
    int64_t n = 0;
    assert_int_equal(str_to_i64(esl_event_get(ev, "Event-Sequence"), &n), VA_OK);
    s->ordered = s->ordered && n > s->last;
    s->last = (int)n;
    s->heard++;
    s->control += esl_event_is(ev, "CHANNEL_HANGUP_COMPLETE");
}

static void on_slow_answer(void *arg, const struct esl_result *r)
{
    struct slow *s = arg;
    assert_int_equal(r->err, VA_OK);
    s->answered = true;
    s->heard_when_answered = s->heard;
}

static void run_slow(enum esl_drop drop, struct slow *s, struct esl_client_stats *stats)
{
    /* One event for each turn of the loop: the slowest a handler can be. */
    const struct esl_client_cfg cfg = {
        .queue = {.bytes_max = 1 << 20, .drop = drop, .slice_us = 1}};
    struct crig *g = crig_ready(&cfg);
    struct buf bytes;
    g->quiet = true;
    *s = (struct slow){.rig = g, .last = -1, .ordered = true};
    assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
    assert_non_null(esl_client_on_event(g->c, NULL, NULL, on_slow, s));
    crig_hears(g, "ALL\n\n");
    crig_says(g, CRIG_REPLY);
    flood(g, &bytes);
    assert_int_equal(esl_client_api(g->c, S("status"), &(struct esl_then){on_slow_answer, s, 0}),
                     VA_OK);
    crig_hears(g, "api status\n\n");
    crig_says(g, "Content-Type: api/response\nContent-Length: 2\n\nUP");
    while (!s->answered)
        loop_turn(g->loop, true);
    assert_int_equal(tcp_unsent(g->peer), 0); /* everything before the answer was read by then */
    do {
        loop_turn(g->loop, false);
        esl_client_stats(g->c, stats);
    } while (stats->queue.events);
    assert_int_equal(g->lost, stats->queue.dropped + stats->queue.dropped_control);
    buf_free(&bytes);
    crig_free(g);
}

static void check_slow(const struct slow *s, const struct esl_client_stats *stats)
{
    assert_true(s->ordered);
    assert_int_equal(stats->events, MANY);                   /* all were read … */
    assert_int_equal(s->heard + stats->queue.dropped, MANY); /* … and each is accounted for */
    assert_true(stats->queue.dropped > 0);
    assert_int_equal(stats->queue.dropped_control, 0);
    assert_int_equal(s->control, MANY / CONTROL_EVERY);
    assert_true(stats->queue.bytes_peak <= (1 << 20) + (size_t)(MANY / CONTROL_EVERY) * 1100);
    /* The answer did not stand behind the queue. */
    assert_true(s->heard_when_answered < s->heard);
}

static void case_19_a_slow_handler_loses_old_events_and_nothing_else(void **state)
{
    (void)state;
    struct slow s;
    struct esl_client_stats stats;
    run_slow(ESL_DROP_OLDEST, &s, &stats);
    check_slow(&s, &stats);
    assert_int_equal(s.last, MANY - 1); /* the present was seen */
}

static void case_19_or_new_ones(void **state)
{
    (void)state;
    struct slow s;
    struct esl_client_stats stats;
    run_slow(ESL_DROP_NEWEST, &s, &stats);
    check_slow(&s, &stats);
}

/* Takes 1 µs for an event, but something else had the processor in the first. */
static void on_interrupted(void *arg, const struct esl_event *ev)
{
    struct va_clock_manual *clock = arg;
    bool first = str_eqz(esl_event_get(ev, "Event-Sequence"), "0");
    va_clock_manual_advance(clock, first ? 5000 : 1);
}

static void case_19_a_fast_handler_that_was_interrupted_loses_nothing(void **state)
{
    (void)state;
    /* A turn reads more than the 100 events of a slice: only longer slices empty the queue. */
    const struct esl_client_cfg cfg = {.queue = {.bytes_max = 4 << 20, .slice_us = 100}};
    struct va_clock_manual clock;
    struct esl_client_stats stats;
    struct buf bytes;
    va_clock_manual_init(&clock, 1000000, 0);
    struct crig *g = crig_new_with(&clock.base);
    crig_open(g, &cfg);
    crig_log_in(g);
    crig_sees(g, "ready;");
    g->quiet = true;
    assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
    assert_non_null(esl_client_on_event(g->c, NULL, NULL, on_interrupted, &clock));
    crig_hears(g, "ALL\n\n");
    crig_says(g, CRIG_REPLY);
    flood(g, &bytes);
    do {
        loop_turn(g->loop, false);
        esl_client_stats(g->c, &stats);
    } while (stats.events < MANY || stats.queue.events);
    assert_true(stats.queue.queued > 0);
    assert_int_equal(stats.queue.dropped, 0);
    assert_int_equal(g->events, MANY);
    buf_free(&bytes);
    crig_free(g);
}

static void case_19_queued_events_come_before_the_end(void **state)
{
    (void)state;
    struct crig *g = crig_ready(&(struct esl_client_cfg){.queue = {.slice_us = 1}});
    assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
    for (int i = 0; i < 3; i++)
        crig_says_event(g, "Event-Name: CHANNEL_STATE\n\n");
    crig_peer_closes(g);
    crig_sees(g, "down");
    crig_log_is(g, "event CHANNEL_STATE;event CHANNEL_STATE;event CHANNEL_STATE;"
                   "down connection closed was ready 0;");
    crig_free(g);
}

static void case_19_control_events_have_a_limit_too(void **state)
{
    (void)state;
    struct crig *g = crig_ready(&(struct esl_client_cfg){
        .queue = {.slice_us = 1, .bytes_max = 1, .control_bytes_max = 400}});
    struct buf all;
    struct esl_client_stats stats;
    buf_init(&all, 1 << 20);
    assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
    for (int i = 0; i < 20; i++)
        assert_int_equal(buf_addz(&all, "Content-Length: 29\nContent-Type: text/event-plain\n\n"
                                        "Event-Name: CHANNEL_DESTROY\n\n"),
                         VA_OK);
    crig_says(g, buf_z(&all));
    if (!g->bytewise) { /* byte by byte nothing has to wait */
        crig_sees(g, "lost");
        esl_client_stats(g->c, &stats);
        assert_true(stats.queue.dropped_control > 0);
    }
    buf_free(&all);
    crig_free(g);
}

/* ---- the end in any callback ---------------------------------------------------------------- */

static void closing_in_any_callback_is_the_end(void **state)
{
    (void)state;
    static const char *const in[] = {"ready",          "event DTMF",      "r0 VA_OK done",
                                     "r1 VA_OK ok",    "r1 VA_OK done",   "r2 VA_OK done",
                                     "r3 VA_ETIMEOUT", "r4 VA_ECANCELED", "r5 VA_OK done",
                                     "down",           "log 3",           "r6 VA_ECLOSED"};
    for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
        char job[64] = "", app[64] = "";
        struct crig *g = crig_new();
        crig_open(g, NULL);
        g->close_after = in[i];
        crig_log_in(g);
        crig_sees(g, "ready;");
        if (g->c) {

            assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
            assert_int_equal(esl_client_api(g->c, S("a"), crig_then(g, 0)), VA_OK);
            assert_int_equal(esl_client_bgapi(g->c, S("b"), crig_then(g, 0)), VA_OK);
            assert_int_equal(esl_client_execute(g->c, CRIG_UUID, &playback, crig_then(g, 0)),
                             VA_OK);
            assert_int_equal(esl_client_wait_for_event(g->c, S("NOTHING"), NULL, crig_then(g, 1)),
                             VA_OK);
            assert_int_equal(esl_client_wait_for_event(g->c, S("NOTHING"), "x", crig_then(g, 0)),
                             VA_OK);
            assert_int_equal(esl_client_wait_for_event(g->c, S("DTMF"), NULL, crig_then(g, 0)),
                             VA_OK);
            assert_int_equal(esl_client_wait_for_event(g->c, S("NOTHING"), NULL, crig_then(g, 0)),
                             VA_OK);
            crig_hears_value(g, "Job-UUID: ", job, sizeof(job));
            crig_hears_value(g, "Event-UUID: ", app, sizeof(app));
            for (int n = 0; n < 12 && g->c; n++)
                crig_says(g, CRIG_REPLY);
        }
        if (g->c && i == 6)
            crig_sees(g, "r3 VA_ETIMEOUT");
        if (g->c && g->peer) {
            char body[200];
            (void)snprintf(body, sizeof(body),
                           "Event-Name: BACKGROUND_JOB\nJob-UUID: %s\nContent-Length: 1\n\nx", job);
            crig_says_event(g, body);
            completes(g, CRIG_UUID, app);
            crig_says_event(g, "Event-Name: DTMF\nUnique-ID: y\n\n");
            crig_says_event(g, "Event-Name: CHANNEL_HANGUP\nUnique-ID: x\n\n");
            crig_says(g, "Content-Type: log/data\nContent-Length: 2\nLog-Level: 3\n\nx\n");
            crig_peer_closes(g);
        }
        while (g->c)
            loop_turn(g->loop, true);
        crig_forget_log(g);
        for (int n = 0; n < 20; n++)
            loop_turn(g->loop, false);
        crig_log_is(g, ""); /* not a word after the end */
        crig_free(g);
    }
}

static void closing_while_it_tries(void **state)
{
    (void)state;
    for (int turns = 0; turns < 6; turns++) {
        struct crig *g = crig_new();
        crig_open(g, NULL);
        for (int i = 0; i < turns; i++)
            loop_turn(g->loop, false);
        esl_client_close(&g->c);
        for (int i = 0; i < 20; i++)
            loop_turn(g->loop, false);
        crig_log_is(g, "");
        crig_free(g);
    }
}

static void the_owner_of_a_handler_may_die(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    const struct esl_then mine = *crig_then(g, 0), *then = &mine;
    assert_int_equal(esl_client_api(g->c, S("a"), then), VA_OK);
    assert_int_equal(esl_client_bgapi(g->c, S("b"), then), VA_OK);
    assert_int_equal(esl_client_execute(g->c, CRIG_UUID, &playback, then), VA_OK);
    assert_int_equal(esl_client_wait_for_event(g->c, S("DTMF"), NULL, then), VA_OK);
    assert_int_equal(esl_client_api(g->c, S("c"), crig_then(g, 0)), VA_OK);
    esl_client_forget(g->c, mine.arg);
    crig_hears(g, "api c\n\n");
    for (int i = 0; i < 6; i++)
        crig_says(g, CRIG_REPLY);
    crig_says(g, "Content-Type: api/response\nContent-Length: 1\n\nC");
    crig_sees(g, "r1 VA_OK done");
    crig_peer_closes(g);
    crig_sees(g, "down");
    assert_null(strstr(buf_z(&g->log), "r0"));
    crig_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listeners_hear_by_name_and_channel),
        cmocka_unit_test(listeners_may_come_and_go_while_they_hear),
        cmocka_unit_test(a_wait_ends_with_its_event),
        cmocka_unit_test(a_wait_ends_with_its_channel),
        cmocka_unit_test(a_wait_has_a_limit),
        cmocka_unit_test(case_18_applications_run_on_any_channel),
        cmocka_unit_test(case_18_they_end_with_their_channel_and_connection),
        cmocka_unit_test(case_18_no_more_than_64_of_a_channel_are_with_freeswitch),
        cmocka_unit_test(case_19_a_slow_handler_loses_old_events_and_nothing_else),
        cmocka_unit_test(case_19_a_fast_handler_that_was_interrupted_loses_nothing),
        cmocka_unit_test(case_19_or_new_ones),
        cmocka_unit_test(case_19_queued_events_come_before_the_end),
        cmocka_unit_test(case_19_control_events_have_a_limit_too),
        cmocka_unit_test(closing_in_any_callback_is_the_end),
        cmocka_unit_test(closing_while_it_tries),
        cmocka_unit_test(the_owner_of_a_handler_may_die),
    };
    int bad = cmocka_run_group_tests_name("esl_client_event", tests, NULL, NULL);
    crig_all_bytewise = true;
    return bad + cmocka_run_group_tests_name("esl_client_event byte by byte", tests, NULL, NULL);
}
