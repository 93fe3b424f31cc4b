/* esl/client: how it connects, fails, comes back, and what it keeps in order. */
#include "unit/esl_client_rig.h"

#define S(z) str_of(z)

/* ---- connecting ----------------------------------------------------------------------------- */

static void it_connects_authenticates_and_asks(void **state)
{
    (void)state;
    struct crig *g = crig_new();
    crig_open(g, NULL);
    assert_false(esl_client_connected(g->c));
    assert_int_equal(esl_client_api(g->c, S("status"), NULL), VA_ECLOSED);
    crig_log_in(g);
    crig_sees(g, "ready;");
    assert_true(esl_client_connected(g->c));
    assert_int_equal(esl_client_api(g->c, S("status"), crig_then(g, 0)), VA_OK);
    crig_hears(g, "api status\n\n");
    crig_says(g, "Content-Type: api/response\nContent-Length: 3\n\nUP\n");
    crig_sees(g, "r0 VA_OK done[UP];");
    crig_free(g);
}

static void a_user_authenticates_with_its_domain(void **state)
{
    (void)state;
    struct crig *g = crig_new();
    crig_open(g, &(struct esl_client_cfg){.user = "1001@lab.local", .password = "p:w d"});
    while (!g->peer)
        loop_turn(g->loop, true);
    crig_says(g, CRIG_HELLO);
    crig_hears(g, "userauth 1001@lab.local:p:w d\n\n");
    /* Case 15: the reply is cut at 511 bytes and has no blank line; nothing follows it. */
    crig_says(g, "Content-Type: command/reply\nReply-Text: +OK accepted\n"
                 "Allowed-Events: all\nAllowed-API: status ech");
    crig_sees(g, "ready;");
    crig_free(g);
}

static void what_cannot_be_sent_is_refused_before_connecting(void **state)
{
    (void)state;
    struct loop *loop = NULL;
    struct esl_client *c = NULL;
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    const struct esl_client_cfg bad[] = {{.host = ""}, {.host = "a b"},  {.host = "a\nb"},
                                         {.user = ""}, {.user = "a\nb"}, {.password = "a\n\nexit"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(esl_client_open(loop, &bad[i], &crig_handlers, NULL, &c), VA_EINVAL);
    loop_free(&loop);
}

/* ---- case 16: each failure has its own error, and no retry storm ---------------------------- */

static const struct esl_client_cfg slow_retry = {
    .reconnect_delay_ms = 60000, .reconnect_max_ms = 600000, .connect_timeout_ms = 80};

static struct crig *accepted(const struct esl_client_cfg *cfg)
{
    struct crig *g = crig_new();
    crig_open(g, cfg);
    while (!g->peer)
        loop_turn(g->loop, true);
    return g;
}

static void failed(struct crig *g, const char *log, enum va_err err, const char *text)
{
    crig_sees(g, "down ");
    crig_log_is(g, log);
    assert_int_equal(g->down.err, err);
    assert_non_null(strstr(g->down_text, text));
}

static void is_refusal(struct crig *g)
{
    /* The longest pause at once: asking again soon would not help, and hurts. */
    assert_true(g->down.retry_ms >= 300000 && g->down.retry_ms <= 600000);
    crig_free(g);
}

static void is_ordinary(struct crig *g)
{
    assert_true(g->down.retry_ms >= 30000 && g->down.retry_ms <= 60000);
    crig_free(g);
}

static void case_16_a_wrong_password(void **state)
{
    (void)state;
    struct crig *g = accepted(&slow_retry);
    crig_says(g, CRIG_HELLO);
    crig_hears(g, "auth ClueCon\n\n");
    crig_says(g, "Content-Type: command/reply\nReply-Text: -ERR invalid\n\n" CRIG_NOTICE);
    failed(g, "down password refused 1;", VA_EAUTH, "refuses the password");
    is_refusal(g);
}

static void case_16_a_refused_address(void **state)
{
    (void)state;
    struct crig *g = accepted(&slow_retry);
    crig_says(g, "Content-Type: text/rude-rejection\nContent-Length: 24\n\n"
                 "Access Denied, go away.\n" CRIG_NOTICE);
    failed(g, "down address refused 1;", VA_EAUTH, "apply-inbound-acl");
    is_refusal(g);
}

static void case_16_a_port_that_is_not_freeswitch(void **state)
{
    (void)state;
    struct crig *g = accepted(&slow_retry);
    crig_says(g, "SSH-2.0-OpenSSH_9.2p1\r\n");
    failed(g, "down not an event socket 1;", VA_EPROTO,
           g->bytewise ? "begins with \"S" : "\"SSH-2.0-OpenSSH_9.2p1\"");
    is_refusal(g);
}

static void case_16_a_silent_port(void **state)
{
    (void)state;
    struct crig *g = accepted(&slow_retry);
    failed(g, "down silent port 1;", VA_ETIMEOUT, "says nothing");
    is_ordinary(g);
}

static void case_16_a_peer_that_greets_and_hangs(void **state)
{
    (void)state;
    struct crig *g = accepted(&slow_retry);
    crig_says(g, CRIG_HELLO);
    failed(g, "down peer does not answer 1;", VA_ETIMEOUT, "does not answer");
    is_ordinary(g);
}

static void case_16_nobody_listens(void **state)
{
    (void)state;
    struct crig *g = crig_new();
    struct esl_client_cfg cfg = slow_retry;
    cfg.port = crig_port(g);
    tcp_listener_close(&g->listener);
    crig_open(g, &cfg);
    failed(g, "down no connection 1;", VA_EREFUSED, "nobody listens");
    is_ordinary(g);
}

static void case_16_closed_without_a_word(void **state)
{
    (void)state;
    struct crig *g = accepted(&slow_retry);
    crig_peer_closes(g);
    failed(g, "down connection closed 1;", VA_ECLOSED, "without a word");
    is_ordinary(g);
}

static void case_16_a_half_open_peer_is_noticed(void **state)
{
    (void)state;
    struct crig *g = crig_ready(&(struct esl_client_cfg){
        .idle_ms = 20, .read_timeout_ms = 40, .reconnect_delay_ms = 60000});
    crig_hears(g, "ping\n\n");
    crig_says(g, "Content-Type: command/reply\nReply-Text: -ERR command not found\n\n");
    crig_hears(g,
               "ping\n\n"); /* answered once: asked again later, and the answer changed nothing */
    assert_string_equal(buf_z(&g->log), "");
    crig_sees(g, "down peer does not answer was ready 0;");
    crig_free(g);
}

static void case_16_requests_that_time_out_do_not_hide_it(void **state)
{
    (void)state;
    struct crig *g = crig_ready(&(struct esl_client_cfg){
        .idle_ms = 30, .read_timeout_ms = 10, .reconnect_delay_ms = 60000});
    assert_int_equal(esl_client_api(g->c, S("status"), crig_then(g, 0)), VA_OK);
    crig_sees(g, "r0 VA_ETIMEOUT done timeout[];down peer does not answer was ready 0;");
    crig_free(g);
}

static void pauses_grow_and_end(void **state)
{
    (void)state;
    struct crig *g = crig_new();
    const struct esl_client_cfg cfg = {
        .port = crig_port(g), .reconnect_delay_ms = 4, .reconnect_max_ms = 10, .max_attempts = 4};
    const uint64_t longest[] = {4, 8, 10};
    tcp_listener_close(&g->listener);
    crig_open(g, &cfg);
    for (unsigned i = 0; i < 3; i++) {
        char want[64];
        (void)snprintf(want, sizeof(want), "down no connection %u;", i + 1);
        crig_sees(g, want);
        assert_true(g->down.retry_ms >= longest[i] / 2 && g->down.retry_ms <= longest[i]);
    }
    crig_sees(g, "down no connection final 4;");
    assert_int_equal(esl_client_api(g->c, S("status"), NULL), VA_ECLOSED);
    crig_free(g);
}

/* ---- order ---------------------------------------------------------------------------------- */

static void case_12_the_window_limits_what_is_pipelined(void **state)
{
    (void)state;
    enum { N = 40 };
    struct crig *g = crig_ready(&(struct esl_client_cfg){.window = 4});
    for (int i = 0; i < N; i++) {
        char line[32];
        (void)snprintf(line, sizeof(line), "echo %d", i);
        assert_int_equal(i % 3 ? esl_client_api(g->c, S(line), crig_then(g, 0))
                               : esl_client_command(g->c, S(line), crig_then(g, 0)),
                         VA_OK);
    }
    crig_hears(g, "api echo 2\n\necho 3\n\n");
    for (int i = 0; i < 20; i++)
        loop_turn(g->loop, false);
    assert_int_equal(g->heard.len, 0); /* the fifth waits for an answer */
    for (int i = 0; i < N; i++) {
        char answer[128], want[64];
        /* api is answered by command/reply when it is denied, and the other way round it works too:
         * the place in the order decides, not the type (fact 4). */
        (void)snprintf(answer, sizeof(answer),
                       i % 2 ? "Content-Type: command/reply\nReply-Text: a%d\n\n"
                             : "Content-Type: api/response\nContent-Length: 3\n\na%02d",
                       i);
        (void)snprintf(want, sizeof(want),
                       i % 2 ? "r%d VA_OK done[a%d];" : "r%d VA_OK done[a%02d];", i, i);
        crig_says(g, answer);
        crig_sees(g, want);
    }
    struct esl_client_stats stats;
    esl_client_stats(g->c, &stats);
    assert_int_equal(stats.pending, 0);
    assert_int_equal(stats.unsolicited, 0);
    crig_free(g);
}

static void case_13_timeouts_on_both_sides_of_the_window(void **state)
{
    (void)state;
    struct crig *g = crig_ready(&(struct esl_client_cfg){.window = 1});
    assert_int_equal(esl_client_api(g->c, S("a"), crig_then(g, 10)), VA_OK);
    assert_int_equal(esl_client_api(g->c, S("b"), crig_then(g, 10)), VA_OK); /* never sent */
    assert_int_equal(esl_client_api(g->c, S("c"), crig_then(g, 0)), VA_OK);
    crig_sees(g, "r1 VA_ETIMEOUT done timeout[];");
    assert_non_null(strstr(buf_z(&g->log), "r0 VA_ETIMEOUT done timeout[];"));
    crig_says(g, "Content-Type: api/response\nContent-Length: 1\n\nA"); /* late */
    crig_heard_is(g, "api a\n\napi c\n\n");
    crig_says(g, "Content-Type: api/response\nContent-Length: 1\n\nC");
    crig_sees(g, "r2 VA_OK done[C];");
    struct esl_client_stats stats;
    esl_client_stats(g->c, &stats);
    assert_int_equal(stats.late, 1);
    crig_free(g);
}

static void what_waits_behind_the_window_goes_out_at_close(void **state)
{
    (void)state;
    struct crig *g = crig_ready(&(struct esl_client_cfg){.window = 1});
    assert_int_equal(esl_client_api(g->c, S("a"), NULL), VA_OK);
    assert_int_equal(esl_client_api(g->c, S("b"), NULL), VA_OK);
    esl_client_close(&g->c);
    crig_heard_is(g, "api a\n\napi b\n\n");
    crig_free(g);
}

static void limits_refuse_without_harm(void **state)
{
    (void)state;
    struct crig *g =
        crig_ready(&(struct esl_client_cfg){.window = 2, .pending_max = 3, .jobs_max = 1});
    assert_int_equal(esl_client_bgapi(g->c, S("x"), NULL), VA_OK); /* and its subscription */
    assert_int_equal(esl_client_bgapi(g->c, S("y"), NULL), VA_ELIMIT);
    assert_int_equal(esl_client_api(g->c, S("z"), NULL), VA_OK);
    assert_int_equal(esl_client_api(g->c, S("z"), NULL), VA_ELIMIT);
    assert_int_equal(esl_client_api(g->c, S("two\nlines"), NULL), VA_EINVAL);
    assert_int_equal(esl_client_api(g->c, S(""), NULL), VA_EINVAL);
    assert_int_equal(esl_client_api(g->c, str_make("a\0b", 3), NULL), VA_EINVAL);
    assert_int_equal(esl_client_command(g->c, S("getvar x"), NULL), VA_ENOTSUP);
    crig_free(g);
}

/* ---- jobs ----------------------------------------------------------------------------------- */

static void job_event(struct crig *g, const char *uuid, const char *text)
{
    char body[300];
    (void)snprintf(body, sizeof(body),
                   "Event-Name: BACKGROUND_JOB\nJob-UUID: %s\nContent-Length: %zu\n\n%s", uuid,
                   strlen(text), text);
    crig_says_event(g, body);
}

static void case_14_jobs_come_back_whatever_the_order(void **state)
{
    (void)state;
    char first[64], second[64];
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_bgapi(g->c, S("originate x y"), crig_then(g, 0)), VA_OK);
    crig_hears(g, "event plain BACKGROUND_JOB\n\nbgapi originate x y\n");
    crig_hears_value(g, "Job-UUID: ", first, sizeof(first));
    crig_says(g, CRIG_REPLY);
    job_event(g, "99999999-2222-3333-4444-555555555555", "+OK foreign");
    job_event(g, first, "+OK mine"); /* before its reply */
    crig_sees(g, "r0 VA_OK done[+OK mine];");
    crig_says(g, CRIG_REPLY);
    assert_int_equal(esl_client_bgapi(g->c, S("again"), crig_then(g, 0)), VA_OK);
    crig_hears(g, "bgapi again\n"); /* no second subscription */
    crig_hears_value(g, "Job-UUID: ", second, sizeof(second));
    crig_says(g, CRIG_REPLY);
    crig_sees(g, "r1 VA_OK ok[+OK];");
    job_event(g, second, "-ERR USER_BUSY\n");
    crig_sees(g, "r1 VA_EREFUSED done refused[-ERR USER_BUSY];");
    /* The application did not subscribe to jobs, so it heard of none. */
    assert_null(strstr(buf_z(&g->log), "event"));
    crig_free(g);
}

static void case_14_own_filters_do_not_swallow_jobs(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_filter(g->c, "Unique-ID", S("x"), NULL), VA_OK);
    assert_int_equal(esl_client_bgapi(g->c, S("status"), NULL), VA_OK);
    crig_hears(g, "filter Unique-ID x\n\nfilter Event-Name BACKGROUND_JOB\n\n"
                  "event plain BACKGROUND_JOB\n\nbgapi status\n");
    crig_free(g);
}

static void case_14_a_lost_connection_leaves_the_outcome_unknown(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_bgapi(g->c, S("a"), crig_then(g, 0)), VA_OK);
    assert_int_equal(esl_client_api(g->c, S("b"), crig_then(g, 0)), VA_OK);
    crig_hears(g, "api b\n\n");
    crig_peer_closes(g);
    crig_sees(g, "down connection closed was ready 0;");
    crig_log_is(g, "r0 VA_ECLOSED done connection closed[];r1 VA_ECLOSED done connection closed[];"
                   "down connection closed was ready 0;");
    crig_free(g);
}

/* ---- reconnect ------------------------------------------------------------------------------ */

static void after_a_restart_everything_is_asked_for_again(void **state)
{
    (void)state;
    struct crig *g = crig_ready(&(struct esl_client_cfg){.format = ESL_JSON});
    assert_int_equal(esl_client_filter(g->c, "Event-Name", S("-RE_SCHEDULE"), NULL), VA_OK);
    assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
    assert_int_equal(esl_client_subscribe(g->c, S("CUSTOM a::b c::d"), NULL, NULL), VA_OK);
    assert_int_equal(esl_client_log(g->c, 5, NULL), VA_OK);
    crig_hears(g, "log 5\n\n");
    crig_says(g, "Content-Type: text/disconnect-notice\nContent-Length: 31\n\n"
                 "The system is being shut down.\n");
    crig_sees(g, "down freeswitch shutdown was ready 0;");
    assert_int_equal(esl_client_api(g->c, S("status"), NULL), VA_ECLOSED);
    /* Changes while it is away are part of what is restored. */
    assert_int_equal(esl_client_subscribe(g->c, S("CUSTOM e::f"), NULL, crig_then(g, 0)), VA_OK);
    while (g->accepted < 2)
        loop_turn(g->loop, true);
    crig_log_in(g);
    crig_hears(g, "event json ALL CUSTOM a::b c::d e::f\n\n");
    crig_hears(g, "log 5\n\n");
    assert_null(strstr(buf_z(&g->log), "ready again")); /* not before it is acknowledged */
    for (int i = 0; i < 4; i++)
        crig_says(g, CRIG_REPLY);
    crig_sees(g, "ready again;");
    assert_int_equal(g->heard.len, 0);
    crig_says_event(g, "Event-Name: CHANNEL_CREATE\n\n");
    crig_sees(g, "event CHANNEL_CREATE;");
    struct esl_client_stats stats;
    esl_client_stats(g->c, &stats);
    assert_int_equal(stats.connects, 2);
    assert_int_equal(stats.unsolicited, 0);
    crig_free(g);
}

static void a_loss_begins_with_the_first_pause_again(void **state)
{
    (void)state;
    struct crig *g = crig_ready(&(struct esl_client_cfg){.max_attempts = 2});
    for (int i = 0; i < 3; i++) {
        crig_peer_closes(g);
        crig_sees(g, "down connection closed was ready 0;");
        crig_forget_log(g);
        crig_log_in(g);
        crig_sees(g, "ready again;");
        crig_forget_log(g);
    }
    crig_free(g);
}

static void case_17_a_notice_inside_an_event_means_killed(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    crig_says(g,
              "Content-Length: 500\nContent-Type: text/event-plain\n\nEvent-Name: CHANNEL_CREATE\n"
              "Content-Type: text/disconnect-notice\nContent-Length: 39\n\n"
              "killed listener because of lost events\n");
    crig_peer_closes(g);
    crig_sees(g, "down killed: lost events was ready 0;");
    crig_free(g);
}

/* ---- subscriptions and filters -------------------------------------------------------------- */

static void subscriptions_by_channel_are_filtered_by_freeswitch(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_subscribe(g->c, S("DTMF"), CRIG_UUID, NULL), VA_OK);
    crig_heard_is(g, "filter Unique-ID " CRIG_UUID "\n\nevent plain DTMF\n\n");
    /* One that wants all: the filter goes, and we sort ourselves. */
    assert_int_equal(esl_client_subscribe(g->c, S("CHANNEL_CREATE"), NULL, NULL), VA_OK);
    crig_heard_is(g, "filter delete Unique-ID " CRIG_UUID "\n\nevent plain CHANNEL_CREATE\n\n");
    crig_says_event(g, "Event-Name: DTMF\nUnique-ID: other\n\n");
    crig_says_event(g, "Event-Name: DTMF\nUnique-ID: " CRIG_UUID "\n\n");
    crig_says_event(g, "Event-Name: CHANNEL_CREATE\nUnique-ID: other\n\n");
    crig_sees(g, "event CHANNEL_CREATE;");
    crig_log_is(g, "event DTMF;event CHANNEL_CREATE;");
    assert_int_equal(esl_client_unsubscribe(g->c, S("CHANNEL_CREATE"), NULL, NULL), VA_OK);
    crig_heard_is(g, "nixevent CHANNEL_CREATE\n\nfilter Unique-ID " CRIG_UUID "\n\n");
    assert_int_equal(esl_client_unsubscribe(g->c, S("CHANNEL_CREATE"), NULL, NULL), VA_ENOTFOUND);
    crig_free(g);
}

static void subscriptions_are_counted(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_subscribe(g->c, S("DTMF ALL"), NULL, NULL), VA_OK);
    assert_int_equal(esl_client_subscribe(g->c, S("DTMF CUSTOM x"), NULL, NULL), VA_OK);
    crig_heard_is(g, "event plain DTMF ALL\n\nevent plain DTMF CUSTOM x\n\n");
    assert_int_equal(esl_client_unsubscribe(g->c, S("DTMF"), NULL, crig_then(g, 0)), VA_OK);
    /* Nothing to take away; the asker gets an answer all the same. */
    crig_heard_is(g, "event plain DTMF ALL CUSTOM x\n\n");
    assert_int_equal(esl_client_unsubscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
    crig_heard_is(g, "nixevent ALL\n\nevent plain DTMF CUSTOM x\n\n");
    assert_int_equal(esl_client_subscribe(g->c, S(""), NULL, NULL), VA_EINVAL);
    assert_int_equal(esl_client_subscribe(g->c, S("A\nB"), NULL, NULL), VA_EINVAL);
    assert_int_equal(esl_client_subscribe(g->c, S("A"), "no uuid", NULL), VA_EINVAL);
    crig_free(g);
}

static void filters_that_only_deny_let_the_rest_pass(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_filter(g->c, "Event-Name", S("-HEARTBEAT"), NULL), VA_OK);
    crig_heard_is(g, "filter Event-Name -HEARTBEAT\n\nfilter Event-Name /./\n\n");
    assert_int_equal(esl_client_filter(g->c, "Caller-Context", S("default"), NULL), VA_OK);
    crig_heard_is(g, "filter Caller-Context default\n\nfilter delete Event-Name /./\n\n");
    assert_int_equal(esl_client_filter_clear(g->c, NULL), VA_OK);
    crig_heard_is(g, "filter delete all\n\n");
    assert_int_equal(esl_client_filter(g->c, "a b", S("x"), NULL), VA_EINVAL);
    assert_int_equal(esl_client_filter(g->c, "a", S("x\ny"), NULL), VA_EINVAL);
    crig_free(g);
}

static void log_lines_have_a_level(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    crig_says(g, "Content-Type: log/data\nContent-Length: 6\nLog-Level: 7\nText-Channel: 0\n"
                 "User-Data: \n\nhello\n");
    crig_sees(g, "log 7 hello;");
    crig_free(g);
}

/* ---- the extras of esl.md §5 ---------------------------------------------------------------- */

static void extra_each_message_says_its_own_format(void **state)
{
    (void)state;
    /* `event json` without names is refused and changes the format all the same. */
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_subscribe(g->c, S("ALL"), NULL, NULL), VA_OK);
    assert_int_equal(esl_client_command(g->c, S("event json"), crig_then(g, 0)), VA_OK);
    crig_hears(g, "event json\n\n");
    crig_says(g, CRIG_REPLY "Content-Type: command/reply\nReply-Text: -ERR no keywords supplied\n\n"
                            "Content-Length: 21\nContent-Type: text/event-json\n\n"
                            "{\"Event-Name\":\"DTMF\"}");
    crig_says_event(g, "Event-Name: CHANNEL_CREATE\n\n");
    crig_says(g, "Content-Length: 63\nContent-Type: text/event-xml\n\n"
                 "<event><headers><Event-Name>TALK</Event-Name></headers></event>");
    crig_sees(g, "event TALK;");
    crig_log_is(g, "r0 VA_EREFUSED done refused[-ERR no keywords supplied];event DTMF;"
                   "event CHANNEL_CREATE;event TALK;");
    crig_free(g);
}

static void extra_an_unknown_content_type_is_skipped(void **state)
{
    (void)state;
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_api(g->c, S("a"), crig_then(g, 0)), VA_OK);
    crig_hears(g, "api a\n\n");
    crig_says(g, "Content-Type: text/of-the-future\nContent-Length: 10\n\nany\n\nthing"
                 "Content-Type: api/response\nContent-Length: 1\n\nA");
    crig_sees(g, "r0 VA_OK done[A];");
    crig_free(g);
}

static void extra_exit_may_close_late(void **state)
{
    (void)state;
    /* FreeSWITCH says good-bye at once but closes only when our jobs are done. */
    char uuid[64], body[200];
    struct crig *g = crig_ready(NULL);
    assert_int_equal(esl_client_bgapi(g->c, S("msleep 3000"), crig_then(g, 0)), VA_OK);
    assert_int_equal(esl_client_command(g->c, S("exit"), crig_then(g, 0)), VA_OK);
    crig_hears_value(g, "Job-UUID: ", uuid, sizeof(uuid));
    crig_hears(g, "exit\n\n");
    crig_says(g, CRIG_REPLY CRIG_REPLY "Content-Type: command/reply\nReply-Text: +OK bye\n\n");
    crig_sees(g, "r1 VA_OK done[+OK bye];");
    assert_true(esl_client_connected(g->c));
    (void)snprintf(body, sizeof(body),
                   "Event-Name: BACKGROUND_JOB\nJob-UUID: %s\nContent-Length: 3\n\n+OK", uuid);
    crig_says_event(g, body);
    crig_says(g, CRIG_NOTICE);
    crig_sees(g, "down disconnect notice was ready 0;");
    assert_non_null(strstr(buf_z(&g->log), "r0 VA_OK done[+OK];"));
    crig_free(g);
}

int main(int argc, char **argv)
{
    (void)argv;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_connects_authenticates_and_asks),
        cmocka_unit_test(a_user_authenticates_with_its_domain),
        cmocka_unit_test(what_cannot_be_sent_is_refused_before_connecting),
        cmocka_unit_test(case_16_a_wrong_password),
        cmocka_unit_test(case_16_a_refused_address),
        cmocka_unit_test(case_16_a_port_that_is_not_freeswitch),
        cmocka_unit_test(case_16_a_silent_port),
        cmocka_unit_test(case_16_a_peer_that_greets_and_hangs),
        cmocka_unit_test(case_16_nobody_listens),
        cmocka_unit_test(case_16_closed_without_a_word),
        cmocka_unit_test(case_16_a_half_open_peer_is_noticed),
        cmocka_unit_test(case_16_requests_that_time_out_do_not_hide_it),
        cmocka_unit_test(pauses_grow_and_end),
        cmocka_unit_test(case_12_the_window_limits_what_is_pipelined),
        cmocka_unit_test(case_13_timeouts_on_both_sides_of_the_window),
        cmocka_unit_test(what_waits_behind_the_window_goes_out_at_close),
        cmocka_unit_test(limits_refuse_without_harm),
        cmocka_unit_test(case_14_jobs_come_back_whatever_the_order),
        cmocka_unit_test(case_14_own_filters_do_not_swallow_jobs),
        cmocka_unit_test(case_14_a_lost_connection_leaves_the_outcome_unknown),
        cmocka_unit_test(after_a_restart_everything_is_asked_for_again),
        cmocka_unit_test(a_loss_begins_with_the_first_pause_again),
        cmocka_unit_test(case_17_a_notice_inside_an_event_means_killed),
        cmocka_unit_test(subscriptions_by_channel_are_filtered_by_freeswitch),
        cmocka_unit_test(subscriptions_are_counted),
        cmocka_unit_test(filters_that_only_deny_let_the_rest_pass),
        cmocka_unit_test(log_lines_have_a_level),
        cmocka_unit_test(extra_each_message_says_its_own_format),
        cmocka_unit_test(extra_an_unknown_content_type_is_skipped),
        cmocka_unit_test(extra_exit_may_close_late),
    };
    int bad = cmocka_run_group_tests_name("esl_client", tests, NULL, NULL);
    crig_all_bytewise = true;
    return bad + (argc > 1
                      ? 0
                      : cmocka_run_group_tests_name("esl_client byte by byte", tests, NULL, NULL));
}
