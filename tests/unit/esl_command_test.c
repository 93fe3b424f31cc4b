/* esl/session requests: what is written to FreeSWITCH, applications and how they end. */
#include "unit/esl_rig.h"
#include "unit/esl_util.h"

static struct str S(const char *z) {
    return str_of(z);
}

static void
commands_are_written_as_freeswitch_reads_them(void **state)
{
    (void)state;
    struct rig *g = rig_connected_new(NULL);
    const struct esl_unicast unicast = {"192.0.2.1", "192.0.2.2", 18502, 10002};
    assert_int_equal(esl_session_linger(g->s, 2, NULL), VA_OK);
    assert_int_equal(esl_session_linger(g->s, 0, NULL), VA_EINVAL);
    assert_int_equal(esl_session_myevents(g->s, ESL_JSON, NULL), VA_OK);
    assert_int_equal(esl_session_unicast(g->s, &unicast, NULL), VA_OK);
    assert_int_equal(esl_session_divert_events(g->s, true, NULL), VA_OK);
    assert_int_equal(esl_session_resume(g->s, NULL), VA_OK);
    assert_int_equal(esl_session_bgapi(g->s, S("status"), NULL), VA_OK);
    assert_int_equal(esl_session_getvar(g->s, "a", NULL), VA_OK);
    assert_int_equal(esl_session_setvar(g->s, "a", S(" it's\n"), NULL), VA_OK);
    assert_int_equal(esl_session_hangup(g->s, "USER_BUSY", NULL), VA_OK);
    assert_int_equal(esl_session_hangup(g->s, NULL, NULL), VA_OK);
    assert_int_equal(esl_session_exit(g->s, NULL), VA_OK);
    rig_hears(g, "linger 2\n\nmyevents json\n\nsendmsg\ncall-command: unicast\n"
                 "local-ip: 192.0.2.1\nlocal-port: 18502\nremote-ip: 192.0.2.2\n"
                 "remote-port: 10002\ntransport: udp\n\ndivert_events on\n\nresume\n\n"
                 "event json BACKGROUND_JOB\n\nbgapi status\nJob-UUID: ");
    rig_hears(g, "\n\napi uuid_getvar " RIG_UUID " a\n\napi uuid_setvar " RIG_UUID
                 " a \\sit\\'s\\n\n\napi uuid_kill " RIG_UUID " USER_BUSY\n\n"
                 "api uuid_kill " RIG_UUID " NORMAL_CLEARING\n\nexit\n\n");
    rig_free(g);
}

static void without_full_control_a_hangup_is_a_message(void **state)
{
    (void)state;
    struct rig *g = rig_new(NULL);
    assert_int_equal(esl_session_hangup(g->s, "USER_BUSY", NULL), VA_OK);
    assert_int_equal(esl_session_hangup(g->s, NULL, NULL), VA_OK);
    rig_hears(g, "sendmsg\ncall-command: hangup\nhangup-cause: USER_BUSY\n\n"
                 "sendmsg\ncall-command: hangup\n\n");
    rig_free(g);
}

static void case_9_filters_let_our_own_events_through(void **state)
{
    (void)state;
    struct rig *g = rig_connected_new(NULL);
    assert_int_equal(esl_session_filter(g->s, "Event-Name", S("DTMF"), rig_then(g, 0)), VA_OK);
    assert_int_equal(esl_session_filter(g->s, "Event-Name", S("X\nY"), NULL), VA_EINVAL);
    rig_hears(g, "filter Event-Name CHANNEL_EXECUTE_COMPLETE\n\n");
    rig_hears(g, "filter Event-Name BACKGROUND_JOB\n\nfilter Event-Name DTMF\n\n");
    rig_says(g, RIG_REPLY RIG_REPLY RIG_REPLY RIG_REPLY
             "Content-Type: command/reply\nReply-Text: +OK mine\n\n");
    rig_sees(g, "r0 VA_OK done[+OK mine];");
    rig_free(g);
}

static void getvar_knows_what_is_no_value(void **state)
{
    (void)state;
    static const struct {
        const char *body, *want;
    } t[] = {
        {"_undef_", "r0 VA_ENOTFOUND done[];"},
        {"-ERR No such channel!\n", "r0 VA_EREFUSED done[-ERR No such channel!\n];"},
        {"-ERR is my name", "r0 VA_OK done[-ERR is my name];"},
        {"a\nContent-Type: api/response\n\n", "r0 VA_OK done[a\nContent-Type: api/response\n\n];"}};
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct rig *g = rig_connected_new(NULL);
        char text[200];
        assert_int_equal(esl_session_getvar(g->s, "x", rig_then(g, 0)), VA_OK);
        (void)snprintf(text, sizeof(text), "Content-Type: api/response\nContent-Length: %zu\n\n%s",
                       strlen(t[i].body), t[i].body);
        rig_says(g, text);
        rig_sees(g, "r0 ");
        rig_log_is(g, t[i].want);
        rig_free(g);
    }
}

static void case_20_fields_that_cannot_be_sent(void **state)
{
    (void)state;
    struct rig *g = rig_connected_new(NULL);
    static const char *const bad[] = {"a\nb", "a\rb"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(esl_session_api(g->s, S(bad[i]), NULL), VA_EINVAL);
        assert_int_equal(esl_session_bgapi(g->s, S(bad[i]), NULL), VA_EINVAL);
        assert_int_equal(esl_session_command(g->s, S(bad[i]), NULL), VA_EINVAL);
        assert_int_equal(esl_session_hangup(g->s, bad[i], NULL), VA_EINVAL);
        assert_int_equal(esl_session_getvar(g->s, bad[i], NULL), VA_EINVAL);
        assert_int_equal(esl_session_execute(g->s, &(struct esl_execute){.app = bad[i]}, NULL),
                         VA_EINVAL);
    }
    assert_int_equal(esl_session_api(g->s, str_make("a\0b", 3), NULL), VA_EINVAL);
    assert_int_equal(esl_session_setvar(g->s, "a", str_make("a\0b", 3), NULL), VA_EINVAL);
    assert_int_equal(esl_session_setvar(g->s, "a b", S("x"), NULL), VA_EINVAL);
    assert_int_equal(
        esl_session_execute(g->s, &(struct esl_execute){.app = "x", .arg = {"a\0b", 3}}, NULL),
        VA_EINVAL);
    assert_int_equal(esl_session_command(g->s, S("getvar a"), NULL), VA_ENOTSUP);
    assert_int_equal(esl_session_command(g->s, S(""), NULL), VA_EINVAL);
    assert_int_equal(esl_session_api(g->s, S(""), NULL), VA_EINVAL);
    assert_int_equal(esl_session_poke(g->s), VA_OK);
    rig_hears(g, "\n"); /* nothing went out before it */
    assert_int_equal(g->heard.len, 0);
    rig_free(g);
}

static void case_20_arguments_as_line_or_body(void **state)
{
    (void)state;
    struct rig *g = rig_connected_new(NULL);
    static char big[ESL_ARG_LINE_MAX + 2];
    memset(big, 'x', sizeof(big) - 1);
    struct esl_execute x = {.app = "playback", .arg = STR_LIT("a b"), .loops = -1, .async = true};
    assert_int_equal(esl_session_execute(g->s, &x, NULL), VA_OK);
    x = (struct esl_execute){.app = "say", .arg = STR_LIT("a\nb\n\n"), .no_lock = true};
    assert_int_equal(esl_session_execute(g->s, &x, NULL), VA_OK);
    x = (struct esl_execute){.app = "set", .arg = S(big)};
    assert_int_equal(esl_session_execute(g->s, &x, NULL), VA_OK);
    x = (struct esl_execute){.app = "say", .arg = STR_LIT(" a")};
    assert_int_equal(esl_session_execute(g->s, &x, NULL), VA_OK);
    x = (struct esl_execute){.app = "answer"};
    assert_int_equal(esl_session_execute(g->s, &x, NULL), VA_OK);
    char uuid[64];
    rig_hears(g, "sendmsg\ncall-command: execute\nexecute-app-name: playback\n");
    rig_hears_value(g, "Event-UUID: ", uuid, sizeof(uuid));
    assert_int_equal(strlen(uuid), 36);
    rig_hears(g, "\nevent-lock: true\nasync: true\nloops: -1\nexecute-app-arg: a b\n\nsendmsg\n");
    rig_hears(g, "\ncontent-type: text/plain\ncontent-length: 5\n\na\nb\n\nsendmsg\n");
    rig_hears(g, "event-lock: true\ncontent-type: text/plain\ncontent-length: 4097\n\nxxxx");
    rig_hears(g, "\ncontent-type: text/plain\ncontent-length: 2\n\n a");
    rig_hears(g, "sendmsg\ncall-command: execute\nexecute-app-name: answer\n");
    rig_hears(g, "event-lock: true\n\n");
    rig_free(g);
}

static void run(struct rig *g, int n)
{
    struct esl_execute x = {.app = "playback", .arg = STR_LIT("x")};
    for (int i = 0; i < n; i++)
        assert_int_equal(esl_session_execute(g->s, &x, rig_then(g, 0)), VA_OK);
}

static void complete(struct rig *g, const char *uuid)
{
    char text[300];
    (void)snprintf(text, sizeof(text),
                   "Event-Name: CHANNEL_EXECUTE_COMPLETE\nUnique-ID: " RIG_UUID
                   "\nApplication-UUID: %s\nApplication-Response: _none_\n\n",
                   uuid);
    rig_says_event(g, text);
}

static void case_18_each_completion_finds_its_own(void **state)
{
    (void)state;
    struct rig *g = rig_connected_new(NULL);
    char uuid[3][64];
    run(g, 3);
    for (int i = 0; i < 3; i++) {
        rig_hears_value(g, "Event-UUID: ", uuid[i], sizeof(uuid[i]));
        rig_says(g, i == 1 ? "Content-Type: command/reply\nReply-Text: -ERR no\n\n" : RIG_REPLY);
    }
    complete(g, "00000000-0000-0000-0000-000000000000");
    complete(g, uuid[2]); /* nested: last in, first out */
    complete(g, uuid[0]);
    complete(g, uuid[0]);
    rig_says(g, RIG_BYE);
    rig_sees(g, "closed");
    rig_log_is(g, "r0 VA_OK ok[+OK];r1 VA_EREFUSED done[-ERR no];r2 VA_OK ok[+OK];"
                  "event CHANNEL_EXECUTE_COMPLETE;r2 VA_OK done[_none_];"
                  "event CHANNEL_EXECUTE_COMPLETE;r0 VA_OK done[_none_];"
                  "event CHANNEL_EXECUTE_COMPLETE;event CHANNEL_EXECUTE_COMPLETE;"
                  "notice 1 Bye.;closed disconnect notice;");
    rig_free(g);
}

static void case_18_waiters_end_with_the_channel(void **state)
{
    (void)state;
    static const struct esl_session_cfg one = {.exec_inflight_max = 2};
    struct rig *g = rig_connected_new(&one);
    char uuid[64];
    run(g, 3); /* the third waits here */
    rig_hears_value(g, "Event-UUID: ", uuid, sizeof(uuid));
    rig_says(g, RIG_REPLY RIG_REPLY);
    rig_says_event(g, "Event-Name: CHANNEL_HANGUP\nUnique-ID: other\n\n");
    rig_says_event(g, "Event-Name: CHANNEL_HANGUP\nUnique-ID: " RIG_UUID "\n\n");
    rig_says(g, RIG_LINGER); /* seen live: before the completions */
    complete(g, uuid);
    rig_says_event(g, "Event-Name: CHANNEL_HANGUP_COMPLETE\nUnique-ID: " RIG_UUID "\n\n");
    rig_sees(g, "event CHANNEL_HANGUP_COMPLETE;");
    rig_log_is(g,
               "r0 VA_OK ok[+OK];r1 VA_OK ok[+OK];event CHANNEL_HANGUP;"
               "r2 VA_ECANCELED done hangup[];event CHANNEL_HANGUP;notice 0 ;r0 VA_OK done[_none_];"
               "event CHANNEL_EXECUTE_COMPLETE;r1 VA_ECANCELED done hangup[];"
               "event CHANNEL_HANGUP_COMPLETE;");
    assert_true(esl_session_hungup(g->s));
    assert_int_equal(esl_session_execute(g->s, &(struct esl_execute){.app = "x"}, NULL),
                     VA_ECLOSED);
    rig_free(g);
}

static void case_18_no_more_than_64_are_with_freeswitch(void **state)
{
    (void)state;
    static const struct esl_session_cfg cfg = {.exec_queue_max = 236};
    struct rig *g = rig_connected_new(&cfg);
    struct esl_session_stats st;
    char uuid[64];
    run(g, 300);
    assert_int_equal(esl_session_execute(g->s, &(struct esl_execute){.app = "x"}, NULL), VA_ELIMIT);
    esl_session_stats(g->s, &st);
    assert_int_equal(st.exec_inflight, 64);
    assert_int_equal(st.exec_queued, 236);
    for (int i = 0; i < 300; i++) {
        rig_hears_value(g, "Event-UUID: ", uuid, sizeof(uuid));
        rig_says(g, RIG_REPLY);
        complete(g, uuid);
        esl_session_stats(g->s, &st);
        assert_true(st.exec_inflight <= 64);
    }
    rig_sees(g, "r299 VA_OK done[_none_];");
    esl_session_stats(g->s, &st);
    assert_int_equal(st.exec_inflight, 0);
    assert_int_equal(st.exec_queued, 0);
    rig_free(g);
}

static void a_timed_out_application_still_counts(void **state)
{
    (void)state;
    static const struct esl_session_cfg one = {.exec_inflight_max = 1};
    struct rig *g = rig_connected_new(&one);
    struct esl_execute x = {.app = "playback"};
    struct esl_session_stats st;
    char uuid[64];
    assert_int_equal(esl_session_execute(g->s, &x, rig_then(g, 1)), VA_OK);
    assert_int_equal(esl_session_execute(g->s, &x, rig_then(g, 1)), VA_OK); /* never sent */
    assert_int_equal(esl_session_execute(g->s, &x, rig_then(g, 0)), VA_OK);
    rig_sees(g, "r1 VA_ETIMEOUT done[];");
    rig_hears_value(g, "Event-UUID: ", uuid, sizeof(uuid));
    esl_session_stats(g->s, &st);
    assert_int_equal(st.exec_inflight, 1);
    assert_int_equal(st.exec_queued, 1);
    rig_says(g, RIG_REPLY);
    complete(g, uuid);
    rig_hears_value(g, "Event-UUID: ", uuid, sizeof(uuid));
    rig_says(g, RIG_REPLY);
    complete(g, uuid);
    rig_sees(g, "r2 VA_OK done");
    rig_free(g);
}

/* What uuid_break took from FreeSWITCH's queue never completes; 64 of them would be the end. */
static void dropped_applications_make_room(void **state)
{
    (void)state;
    static const struct esl_session_cfg one = {.exec_inflight_max = 2};
    struct rig *g = rig_connected_new(&one);
    struct esl_execute x = {.app = "playback"};
    struct esl_session_stats st;
    char first[64], uuid[64];
    const struct esl_then *doomed = rig_then(g, 0);
    const void *arg = doomed->arg;
    assert_int_equal(esl_session_execute(g->s, &x, doomed), VA_OK);
    assert_int_equal(
        esl_session_execute(g->s, &x, &(struct esl_then){doomed->on_result, (void *)arg, 0}),
        VA_OK);
    assert_int_equal(
        esl_session_execute(g->s, &x, &(struct esl_then){doomed->on_result, (void *)arg, 0}),
        VA_OK);
    assert_int_equal(esl_session_execute(g->s, &x, rig_then(g, 0)), VA_OK);
    rig_hears_value(g, "Event-UUID: ", first, sizeof(first));
    rig_says(g, RIG_REPLY); /* the second is not answered yet */
    rig_sees(g, "r0 VA_OK ok[+OK];");
    esl_session_drop_executes(g->s, arg);
    esl_session_stats(g->s, &st);
    assert_int_equal(st.exec_inflight, 1);
    assert_int_equal(st.exec_queued, 0);
    rig_hears_value(g, "Event-UUID: ", uuid, sizeof(uuid)); /* sent before */
    rig_hears_value(g, "Event-UUID: ", uuid, sizeof(uuid)); /* the survivor */
    rig_says(g, RIG_REPLY RIG_REPLY);
    complete(g, first); /* the one that was playing ends nevertheless */
    complete(g, uuid);
    rig_sees(g, "r1 VA_OK done");
    assert_null(strstr(buf_z(&g->log), "r0 VA_OK done"));
    rig_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_written_as_freeswitch_reads_them),
        cmocka_unit_test(without_full_control_a_hangup_is_a_message),
        cmocka_unit_test(case_9_filters_let_our_own_events_through),
        cmocka_unit_test(getvar_knows_what_is_no_value),
        cmocka_unit_test(case_20_fields_that_cannot_be_sent),
        cmocka_unit_test(case_20_arguments_as_line_or_body),
        cmocka_unit_test(case_18_each_completion_finds_its_own),
        cmocka_unit_test(case_18_waiters_end_with_the_channel),
        cmocka_unit_test(case_18_no_more_than_64_are_with_freeswitch),
        cmocka_unit_test(a_timed_out_application_still_counts),
        cmocka_unit_test(dropped_applications_make_room),
    };
    return cmocka_run_group_tests_name("esl_command", tests, NULL, NULL);
}
