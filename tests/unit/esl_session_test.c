/* esl/session: order of answers, timeouts, notices, closing; cases of esl.md §5 by name. */
#include "unit/esl_rig.h"

#include "unit/esl_recording.h"

#include <fcntl.h>

static struct str S(const char *z) {
    return str_of(z);
}

static void
connect_tells_the_channel(void **state)
{
    (void)state;
    struct rig *g = rig_new(NULL);
    assert_false(esl_session_connected(g->s));
    assert_int_equal(esl_session_getvar(g->s, "a", NULL), VA_EAGAIN);
    rig_hears(g, "connect\n\n");
    rig_says(g, RIG_CONNECT);
    rig_sees(g, "connected " RIG_UUID " a=b c;");
    assert_true(esl_session_full(g->s));
    is_text(esl_session_uuid(g->s), RIG_UUID);
    rig_free(g);
}

static void connect_can_fail(void **state)
{
    (void)state;
    static const struct esl_session_cfg quick = {.connect_timeout_ms = 1};
    struct rig *g = rig_new(&quick);
    rig_sees(g, "closed timeout;");
    rig_free(g);
    g = rig_new(NULL);
    rig_says(g, "Content-Type: command/reply\nReply-Text: -ERR no\n\n");
    rig_sees(g, "closed refused;");
    rig_free(g);
    g = rig_new(NULL);
    rig_says(g, "SSH-2.0-OpenSSH\n\n");
    rig_sees(g, "closed protocol error;");
    rig_log_is(g, "closed protocol error;");
    assert_int_equal(esl_session_api(g->s, S("x"), NULL), VA_ECLOSED);
    rig_free(g);
}

static void case_12_answers_in_order_whatever_their_type(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    struct rig *g = rig_connected_new(NULL);
    struct buf want, say;
    buf_init(&want, 1 << 20);
    buf_init(&say, 1 << 20);
    for (int i = 0; i < COUNT; i++) {
        const struct esl_then *then = rig_then(g, 0);
        int kind = i % 3;
        if (kind == 0)
            assert_int_equal(esl_session_api(g->s, S("status"), then), VA_OK);
        else if (kind == 1)
            assert_int_equal(esl_session_command(g->s, S("nolinger"), then), VA_OK);
        else
            assert_int_equal(esl_session_bgapi(g->s, S("status"), then), VA_OK);
        if (i == 2) /* the subscription that the first bgapi brings with it */
            buf_addz(&say, RIG_REPLY);
        if (kind == 0 && i % 2)
            buf_addf(&say, "Content-Type: command/reply\nReply-Text: -ERR permission denied\n\n");
        else if (kind == 0)
            buf_addf(&say, "Content-Type: api/response\nContent-Length: 4\n\n%4d", i);
        else
            buf_addf(&say, "Content-Type: command/reply\nReply-Text: %d\n\n", i);
        if (kind == 0 && i % 2)
            buf_addf(&want, "r%d VA_EREFUSED done[-ERR permission denied];", i);
        else if (kind == 0)
            buf_addf(&want, "r%d VA_OK done[%4d];", i, i);
        else
            buf_addf(&want, "r%d VA_OK %s[%d];", i, kind == 1 ? "done" : "ok", i);
    }
    buf_addz(&say, "Content-Type: command/reply\nReply-Text:\n\n");
    buf_addz(&want, "r500 VA_OK done[];");
    assert_int_equal(esl_session_command(g->s, S("x"), rig_then(g, 0)), VA_OK);
    rig_says(g, say.p);
    rig_sees(g, "r500 ");
    rig_log_is(g, want.p);
    buf_free(&want);
    buf_free(&say);
    rig_free(g);
}

static void case_13_a_late_answer_shifts_nobody(void **state)
{
    (void)state;
    struct rig *g = rig_connected_new(NULL);
    assert_int_equal(esl_session_api(g->s, S("slow"), rig_then(g, 1)), VA_OK);
    assert_int_equal(esl_session_api(g->s, S("fast"), rig_then(g, 0)), VA_OK);
    const struct esl_then *then = rig_then(g, 0);
    assert_int_equal(esl_session_api(g->s, S("gone"), then), VA_OK);
    esl_session_forget(g->s, then->arg);
    assert_int_equal(esl_session_api(g->s, S("last"), rig_then(g, 0)), VA_OK);
    rig_sees(g, "r0 VA_ETIMEOUT done[];");
    static const char answer[] = "Content-Type: api/response\nContent-Length: 1\n\n";
    for (const char *c = "abcd"; *c; c++) {
        char text[100];
        (void)snprintf(text, sizeof(text), "%s%c", answer, *c);
        rig_says(g, text);
    }
    rig_says(g, RIG_REPLY);
    rig_sees(g, "r3 ");
    rig_log_is(g, "r0 VA_ETIMEOUT done[];r1 VA_OK done[b];r3 VA_OK done[d];");
    struct esl_session_stats st;
    do {
        loop_turn(g->loop, false);
        esl_session_stats(g->s, &st);
    } while (!st.unsolicited);
    assert_int_equal(st.late, 1);
    assert_int_equal(st.pending, 0);
    rig_free(g);
}

static void case_14_jobs(void **state)
{
    (void)state;
    struct rig *g = rig_connected_new(NULL);
    char job[64], text[400];
    assert_int_equal(esl_session_bgapi(g->s, S("status"), rig_then(g, 0)), VA_OK);
    rig_hears(g, "event plain BACKGROUND_JOB\n\n");
    rig_hears(g, "bgapi status\n");
    rig_hears_value(g, "Job-UUID: ", job, sizeof(job));
    rig_says(g, RIG_REPLY);
    rig_says_event(g, "Event-Name: BACKGROUND_JOB\nJob-UUID: foreign\nContent-Length: 1\n\nx");
    (void)snprintf(text, sizeof(text),
                   "Event-Name: BACKGROUND_JOB\nJob-UUID: %s\nContent-Length: 4\n\n+OK\n", job);
    rig_says_event(g, text); /* before its answer */
    rig_says(g, RIG_REPLY);
    rig_says(g, "Content-Type: command/reply\nReply-Text: -ERR no bgapi\n\n");
    assert_int_equal(esl_session_bgapi(g->s, S("denied"), rig_then(g, 0)), VA_OK);
    assert_int_equal(esl_session_bgapi(g->s, S("unknown outcome"), rig_then(g, 0)), VA_OK);
    assert_int_equal(esl_session_bgapi(g->s, S("late"), rig_then(g, 1)), VA_OK);
    rig_sees(g, "r1 ");
    rig_sees(g, "r3 VA_ETIMEOUT done[];");
    tcp_close(&g->peer);
    rig_sees(g, "closed");
    rig_forget_log(g);
    rig_free(g);
}

static void case_14_job_results(void **state)
{
    (void)state;
    struct rig *g = rig_connected_new(NULL);
    char job[64], text[400];
    assert_int_equal(esl_session_bgapi(g->s, S("a"), rig_then(g, 0)), VA_OK);
    assert_int_equal(esl_session_bgapi(g->s, S("b"), rig_then(g, 0)), VA_OK);
    rig_hears_value(g, "Job-UUID: ", job, sizeof(job));
    rig_says(g, RIG_REPLY RIG_REPLY RIG_REPLY);
    (void)snprintf(text, sizeof(text),
                   "Event-Name: BACKGROUND_JOB\nJob-UUID: %s\nContent-Length: 4\n\n-ERR", job);
    rig_says_event(g, text);
    rig_says_event(g, text); /* twice: the second is nobody's */
    rig_says(g, RIG_BYE);
    rig_sees(g, "closed");
    rig_log_is(g, "r0 VA_OK ok[+OK];r1 VA_OK ok[+OK];r0 VA_EREFUSED done[-ERR];"
                  "event BACKGROUND_JOB;event BACKGROUND_JOB;notice 1 Bye.;r1 VA_ECLOSED done[];"
                  "closed disconnect notice;");
    rig_free(g);
}

static void case_17_ends_are_distinct(void **state)
{
    (void)state;
    struct rig *g = rig_connected_new(NULL);
    assert_int_equal(esl_session_api(g->s, S("x"), rig_then(g, 0)), VA_OK);
    rig_says(g, RIG_LINGER);
    rig_says_event(g, "Event-Name: CHANNEL_STATE\n\n");
    rig_says(g, RIG_BYE);
    rig_sees(g, "closed");
    rig_log_is(g, "notice 0 ;event CHANNEL_STATE;notice 1 Bye.;r0 VA_ECLOSED done[];"
                  "closed disconnect notice;");
    rig_free(g);

    g = rig_connected_new(NULL);
    rig_says(g, "Content-Length: 900\nContent-Type: text/event-plain\n\nEvent-Name: A\nEvent-"
                "Content-Type: text/disconnect-notice\nContent-Length: 39\n\n"
                "killed listener because of lost events\n");
    tcp_close(&g->peer);
    rig_sees(g, "closed");
    rig_log_is(g, "notice 2 killed listener because of lost events;closed killed: lost events;");
    rig_free(g);

    g = rig_connected_new(NULL);
    rig_says(g, "Content-Type: text/disconnect-notice\nContent-Length: 31\n\n"
                "The system is being shut down.\n");
    rig_sees(g, "closed freeswitch shutdown;");
    rig_free(g);

    g = rig_connected_new(NULL);
    tcp_close(&g->peer);
    rig_sees(g, "closed");
    rig_log_is(g, "closed connection closed;");
    rig_free(g);
}

static void closing_in_any_callback_is_the_end(void **state)
{
    (void)state;
    static const char *const where[] = {"connected",   "event DTMF",    "r0",
                                        "r1 VA_OK ok", "r1 VA_OK done", "r2",
                                        "r3",          "notice",        "closed"};
    for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
        struct rig *g = rig_new(NULL);
        char job[64], text[400];
        g->close_after = where[i];
        assert_int_equal(esl_session_api(g->s, S("x"), rig_then(g, 0)), VA_OK);
        assert_int_equal(esl_session_bgapi(g->s, S("x"), rig_then(g, 0)), VA_OK);
        assert_int_equal(esl_session_api(g->s, S("x"), rig_then(g, 0)), VA_OK);
        assert_int_equal(
            esl_session_execute(g->s, &(struct esl_execute){.app = "x"}, rig_then(g, 0)), VA_OK);
        rig_hears_value(g, "Job-UUID: ", job, sizeof(job));
        rig_says(g, RIG_CONNECT
                 "Content-Type: api/response\nContent-Length: 1\n\nx" RIG_REPLY RIG_REPLY);
        (void)snprintf(text, sizeof(text), "Event-Name: BACKGROUND_JOB\nJob-UUID: %s\n\n", job);
        rig_says_event(g, text);
        rig_says_event(g, "Event-Name: DTMF\n\n");
        rig_says(g, RIG_BYE);
        rig_sees(g, where[i]);
        assert_null(g->s);
        size_t len = g->log.len;
        while (!g->peer_ended)
            loop_turn(g->loop, true);
        assert_int_equal(g->log.len, len);
        rig_free(g);
    }
}

static void closing_in_a_timeout(void **state)
{
    (void)state;
    struct rig *g = rig_connected_new(NULL);
    g->close_after = "ETIMEOUT";
    assert_int_equal(esl_session_api(g->s, S("x"), rig_then(g, 1)), VA_OK);
    assert_int_equal(esl_session_bgapi(g->s, S("x"), rig_then(g, 1)), VA_OK);
    assert_int_equal(esl_session_execute(g->s, &(struct esl_execute){.app = "x"}, rig_then(g, 1)),
                     VA_OK);
    rig_sees(g, "ETIMEOUT");
    assert_null(g->s);
    while (!g->peer_ended)
        loop_turn(g->loop, true);
    rig_free(g);
}

static void pending_is_bounded(void **state)
{
    (void)state;
    static const struct esl_session_cfg small = {.pending_max = 3, .out_max = 1000, .jobs_max = 1};
    struct rig *g = rig_connected_new(&small);
    assert_int_equal(esl_session_bgapi(g->s, S("a"), NULL), VA_OK);
    assert_int_equal(esl_session_bgapi(g->s, S("b"), NULL), VA_ELIMIT);
    assert_int_equal(esl_session_api(g->s, S("a"), NULL), VA_OK);
    assert_int_equal(esl_session_api(g->s, S("a"), NULL), VA_ELIMIT);
    rig_free(g);
    g = rig_connected_new(&small);
    char big[1200];
    memset(big, 'x', sizeof(big));
    assert_int_equal(esl_session_api(g->s, str_make(big, sizeof(big)), NULL), VA_ELIMIT);
    assert_int_equal(esl_session_poke(g->s), VA_OK);
    rig_hears(g, "\n");
    rig_free(g);
}

static void refuse_closes_at_once(void **state)
{
    (void)state;
    int fd[2];
    char c;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    esl_session_refuse(fd[1]);
    assert_int_equal(read(fd[0], &c, 1), 0);
    (void)close(fd[0]);
}

/* Feed what FreeSWITCH sent in a recorded call and compare the events. */
static void replay(const char *file, const char *want)
{
    char path[700];
    struct recording r;
    (void)snprintf(path, sizeof(path), "%s/%s.jsonl", recordings_dir(), file);
    if (access(path, R_OK))
        skip();
    recording_load(path, &r);
    struct rig *g = rig_new(NULL);
    rig_hears(g, "connect\n\n");
    for (size_t i = 0; i < r.reads; i++) {
        size_t at = i ? r.end[i - 1] : 0;
        assert_int_equal(tcp_write(g->peer, r.fs.p + at, r.end[i] - at), VA_OK);
    }
    rig_sees(g, "connected ");
    loop_turn(g->loop, false);
    tcp_close_flush(&g->peer);
    rig_sees(g, "closed");
    assert_true(esl_session_connected(g->s));
    buf_consume(&g->log, (size_t)(strchr(g->log.p, ';') + 1 - g->log.p));
    rig_log_is(g, want);
    recording_free(&r);
    rig_free(g);
}

static void recorded_calls_give_their_events(void **state)
{
    (void)state;
    replay("outbound-json-unicast-caller-hangs-up",
           "event CHANNEL_PARK;event CHANNEL_HANGUP;event CHANNEL_UNPARK;"
           "event CHANNEL_EXECUTE_COMPLETE;event CHANNEL_STATE;event CHANNEL_STATE;"
           "event CHANNEL_HANGUP_COMPLETE;notice 0 ;"
           "notice 1 Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/;"
           "closed disconnect notice;");
    replay("outbound-no-linger-bridge-busy",
           "event CHANNEL_PARK;event CHANNEL_HANGUP;event CHANNEL_UNPARK;"
           "event CHANNEL_EXECUTE_COMPLETE;event CHANNEL_STATE;event CHANNEL_STATE;"
           "event CHANNEL_HANGUP_COMPLETE;"
           "notice 1 Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/;"
           "closed disconnect notice;");
    replay("outbound-crash-takeover-first-node", "closed connection closed;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_tells_the_channel),
        cmocka_unit_test(connect_can_fail),
        cmocka_unit_test(case_12_answers_in_order_whatever_their_type),
        cmocka_unit_test(case_13_a_late_answer_shifts_nobody),
        cmocka_unit_test(case_14_jobs),
        cmocka_unit_test(case_14_job_results),
        cmocka_unit_test(case_17_ends_are_distinct),
        cmocka_unit_test(closing_in_any_callback_is_the_end),
        cmocka_unit_test(closing_in_a_timeout),
        cmocka_unit_test(pending_is_bounded),
        cmocka_unit_test(refuse_closes_at_once),
        cmocka_unit_test(recorded_calls_give_their_events),
    };
    return cmocka_run_group_tests_name("esl_session", tests, NULL, NULL);
}
