/* call/: transfers that come back. FreeSWITCH's side is scripted; what it says, and in which order,
 * was recorded from 1.10.12:
 *
 *     > bgapi originate {origination_uuid=C,…}loopback/222/default/xml &park()
 *     < +OK Job-UUID        … ringing: no event of the caller's channel …
 *     < BACKGROUND_JOB      "+OK C", or "-ERR USER_BUSY"
 *     > api uuid_bridge A C
 *     < +OK C
 *     < CHANNEL_UNPARK, CHANNEL_EXECUTE_COMPLETE socket            +20 ms
 *     < CHANNEL_EXECUTE uuid_bridge, CHANNEL_BRIDGE                +60 ms
 *     < CHANNEL_UNBRIDGE, CHANNEL_PARK (Channel-State: CS_PARK)    with park_after_bridge=true
 */
#include "unit/call_rig.h"

#define OTHER "aaaaaaaa-2222-3333-4444-555555555555"

static void returns(struct call_rig *g, const char *when)
{
    (void)str_copy(g->settings.transfer_return, SETTING_TEXT_MAX, str_of(when));
}

static void answered(struct call_rig *g)
{
    fs_job_ends(g, "+OK " OTHER "\n");
    until(g, &g->fs.log, "api uuid_bridge ");
}

static void joined(struct call_rig *g)
{
    fs_channel_event(g, "CHANNEL_UNPARK", "");
    fs_channel_event(g, "CHANNEL_EXECUTE", "\nApplication: uuid_bridge");
    fs_channel_event(g, "CHANNEL_BRIDGE", "");
    settle(g);
}

/* What the caller hears now: frames of the ringing tone in `ms`. */
static unsigned rings(struct call_rig *g, unsigned ms)
{
    unsigned before = g->fs.loud;
    pass(g, ms);
    return g->fs.loud - before;
}

/* ---- nobody takes it --------------------------------------------------------------------------
 */

static void it_rings_from_us_while_the_channel_stays(void **state)
{
    struct call_rig *g = *state;
    reach_ringing(g);
    const char *dialled = strstr(buf_z(&g->fs.log), "bgapi originate {origination_uuid=");
    assert_non_null(dialled);
    assert_non_null(strstr(dialled, "}loopback/201/default/xml &park()"));
    assert_non_null(strstr(dialled, "ignore_early_media=true"));
    assert_non_null(strstr(dialled, "originate_timeout=32"));
    assert_non_null(strstr(dialled, "origination_caller_id_number=5511987654321"));
    assert_null(strstr(dialled, "loopback_bowout")); /* it may leave the two alone */
    assert_null(strstr(buf_z(&g->fs.log), "transfer"));
    assert_in_range(rings(g, 700), 33, 36);
    pass(g, 1000);
    assert_int_equal(rings(g, 1000), 0); /* 1 s in 5 */
    pass(g, 2000);
    assert_true(rings(g, 800) > 10);
    is_state(g, CALL_RINGING);
}

static void at_home_in_america_it_rings_as_there(void **state)
{
    struct call_rig *g = *state;
    assert_int_equal(secretary_set(&g->wanted->language, "en-US"), VA_OK);
    reach_ringing(g);
    assert_in_range(rings(g, 1700), 80, 86); /* 2 s in 6 */
    pass(g, 400);
    assert_int_equal(rings(g, 3000), 0);
}

static void each_cause_is_told_and_the_conversation_goes_on(void **state)
{
    static const struct {
        const char *output, *result;
    } cases[] = {{"-ERR USER_BUSY\n", "result 1 VA_EBUSY;"},
                 {"-ERR NO_ANSWER\n", "result 1 VA_ETIMEOUT;"},
                 {"-ERR CALL_REJECTED\n", "result 1 VA_EREFUSED;"},
                 {"-ERR NO_ROUTE_DESTINATION\n", "result 1 VA_ENOTFOUND;"},
                 {"-ERR UNALLOCATED_NUMBER\n", "result 1 VA_ENOTFOUND;"},
                 {"-ERR USER_NOT_REGISTERED\n", "result 1 VA_EIO;"},
                 {"-ERR NORMAL_CLEARING\n", "result 1 VA_EIO;"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct call_rig *g = *state;
        g->settings.transfer_ring_timeout_s = 1;
        reach_ringing(g);
        fs_job_ends(g, cases[i].output);
        until(g, &g->log, cases[i].result);
        is_state(g, CALL_THINKING);
        pass(g, 40);
        assert_int_equal(rings(g, 200), 0);
        answer(g, 3, 0, "Está ocupado", 200);
        pass(g, 300);
        is_state(g, CALL_LISTENING);
        assert_true(g->fs.played[3] >= 9);
        caller_speaks(g, 600);
        pass(g, 1000);
        is_state(g, CALL_THINKING);
        assert_null(strstr(buf_z(&g->fs.log), "uuid_bridge"));
        assert_null(strstr(buf_z(&g->fs.log), "hupall"));
        fs_hangup(g, "NORMAL_CLEARING");
        outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
        /* To whom, why not; and the time of the ringing, which passed meanwhile, is no news. */
        assert_string_equal(
            query(g, "SELECT count(*) FROM transcript_lines WHERE speaker = 'system'"), "2\n");
        rig_tear_down(state);
        rig_set_up(state);
    }
}

static void nobody_answers_in_time(void **state)
{
    struct call_rig *g = *state;
    g->settings.transfer_ring_timeout_s = 3;
    reach_ringing(g);
    pass(g, 2700);
    is_state(g, CALL_RINGING);
    pass(g, 300);
    is_state(g, CALL_THINKING);
    assert_non_null(strstr(buf_z(&g->log), "result 1 VA_ETIMEOUT;"));
    assert_non_null(strstr(buf_z(&g->fs.log), "api hupall ORIGINATOR_CANCEL esl_originate_id "));
    /* What FreeSWITCH says of it later concerns nobody, another transfer neither. */
    char first[64];
    (void)str_copy(first, sizeof(first), str_of(g->fs.job));
    tool(g, 2, TOOL_TRANSFER, "suporte");
    pass(g, 200);
    is_state(g, CALL_RINGING);
    fs_event(g, "BACKGROUND_JOB\nJob-UUID: %s\nContent-Length: 23\n\n-ERR ORIGINATOR_CANCEL\n",
             first);
    pass(g, 40);
    is_state(g, CALL_RINGING);
    assert_non_null(strstr(buf_z(&g->fs.log), "}loopback/202/other/xml &park()"));
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
    lines_are(g, "agent|Olá, bom dia\nsystem|201\nsystem|201: nobody answered in time\n"
                 "system|202 XML other\n");
}

static void a_star_breaks_it_off_and_no_other_digit(void **state)
{
    struct call_rig *g = *state;
    reach_ringing(g);
    fs_digit(g, "1");
    fs_digit(g, "%23");
    pass(g, 40);
    is_state(g, CALL_RINGING);
    fs_digit(g, "*");
    pass(g, 40);
    is_state(g, CALL_THINKING);
    assert_non_null(strstr(buf_z(&g->log), "result 1 VA_EINTR;"));
    assert_non_null(strstr(buf_z(&g->fs.log), "api hupall "));
    assert_null(strstr(buf_z(&g->log), "digit"));
}

static void who_hangs_up_while_it_rings_ends_the_ringing(void **state)
{
    struct call_rig *g = *state;
    reach_ringing(g);
    fs_hangup(g, "ORIGINATOR_CANCEL");
    outcome_is(g, "hung-up|ORIGINATOR_CANCEL|\n");
    assert_non_null(strstr(buf_z(&g->fs.log), "api hupall ORIGINATOR_CANCEL esl_originate_id "));
    assert_non_null(strstr(buf_z(&g->fs.log), g->fs.called_uuid));
}

static void an_abort_while_it_rings_ends_the_ringing(void **state)
{
    struct call_rig *g = *state;
    reach_ringing(g);
    call_drain(the_call(g)); /* bounded: let it ring */
    pass(g, 40);
    is_state(g, CALL_RINGING);
    call_abort(the_call(g));
    until_gone(g);
    assert_string_equal(query(g, "SELECT outcome FROM calls"), "returned\n");
    assert_non_null(strstr(buf_z(&g->fs.log), "api hupall "));
    assert_true(g->fs.ended); /* and the dialplan goes on */
}

static void a_provider_hears_and_says_nothing_meanwhile(void **state)
{
    struct call_rig *g = *state;
    g->detects_turns = true;
    g->fs.hold_execute = true;
    returns(g, "failed");
    reach_listening(g);
    g->h->on_speech(g->arg, TURN_STARTED);
    g->h->on_speech(g->arg, TURN_ENDED);
    tool(g, 1, TOOL_TRANSFER, "vendas");
    pass(g, 200);
    is_state(g, CALL_RINGING);
    unsigned fed = g->fed, loud = g->fed_loud;
    caller_speaks(g, 600);
    assert_true(g->fed >= fed + 29);
    assert_int_equal(g->fed_loud, loud);
    g->h->on_speech(g->arg, TURN_STARTED);
    answer(g, 3, 0, "Alô?", 400);
    pass(g, 400);
    is_state(g, CALL_RINGING);
    assert_int_equal(g->fs.played[3], 0);
    assert_non_null(strstr(buf_z(&g->log), "interrupt 3 0;"));
}

static void a_number_that_no_dial_string_holds_is_not_dialled(void **state)
{
    struct call_rig *g = *state;
    char number[80];
    memset(number, '7', sizeof(number));
    number[sizeof(number) - 1] = 0;
    assert_int_equal(secretary_set(&g->wanted->destinations[0].number, number), VA_OK);
    returns(g, "failed");
    reach_thinking(g);
    tool(g, 1, TOOL_TRANSFER, "vendas");
    pass(g, 200);
    is_state(g, CALL_THINKING);
    assert_non_null(strstr(buf_z(&g->log), "result 1 VA_EINVAL;"));
    assert_null(strstr(buf_z(&g->fs.log), "originate"));
}

static void who_wants_to_be_hidden_stays_so(void **state)
{
    static const struct {
        const char *facts, *want;
    } cases[] = {{"Caller-Privacy-Hide-Number: true\n", ",origination_privacy=screen:hide_number"},
                 {"Caller-Privacy-Hide-Name: true\nCaller-Privacy-Hide-Number: true\n",
                  ",origination_privacy=screen:hide_name:hide_number"},
                 {"Caller-Privacy-Hide-Number: false\n", NULL}};
    for (size_t i = 0; i < 3; i++) {
        struct call_rig *g = *state;
        g->fs.variables = cases[i].facts;
        reach_ringing(g);
        const char *found = strstr(buf_z(&g->fs.log), ",origination_privacy");
        if (cases[i].want)
            assert_int_equal(strncmp(found, cases[i].want, strlen(cases[i].want)), 0);
        else
            assert_null(found);
        rig_tear_down(state);
        rig_set_up(state);
    }
}

static void a_tenants_variables_go_along(void **state)
{
    struct call_rig *g = *state;
    g->fs.domain = "acme.example";
    g->fs.variables = "variable_domain_uuid: 99999999-2222-3333-4444-555555555555\n"
                      "Caller-Context: acme.example\n";
    reach_ringing(g);
    assert_non_null(strstr(buf_z(&g->fs.log), ",domain_name=acme.example,domain_uuid=99999999-"));
    assert_non_null(strstr(buf_z(&g->fs.log), "}loopback/201/acme.example/xml &park()"));
}

/* ---- somebody takes it ------------------------------------------------------------------------
 */

static void who_answers_gets_the_caller_and_we_are_out_of_it(void **state)
{
    struct call_rig *g = *state;
    reach_ringing(g);
    answered(g);
    is_state(g, CALL_TRANSFERRING);
    const char *log = buf_z(&g->fs.log);
    const char *set = strstr(log, "api uuid_setvar " CALL_UUID " hangup_after_bridge true;");
    assert_non_null(set); /* before: who hangs up in between ends the call too */
    assert_non_null(strstr(log, "park_after_bridge ;"));
    assert_non_null(strstr(log, "socket_resume false;"));
    assert_true(set < strstr(log, "api uuid_bridge "));
    assert_int_equal(rings(g, 200), 0);
    assert_null(strstr(log, "hupall"));
    joined(g);
    outcome_is(g, "transferred||201\n");
    assert_true(g->fs.ended);
    assert_int_equal(g->fs.hangup_us, 0);
    assert_null(strstr(buf_z(&g->fs.log), "hupall"));
}

static void who_hangs_up_before_he_is_joined_is_told(void **state)
{
    struct call_rig *g = *state;
    reach_ringing(g);
    g->fs.refuse = "api uuid_bridge";
    fs_job_ends(g, "+OK " OTHER "\n");
    until(g, &g->log, "result 1 VA_EIO;");
    is_state(g, CALL_THINKING);
    answer(g, 3, 0, "Não deu", 200);
    pass(g, 300);
    is_state(g, CALL_LISTENING); /* by the audio that was there before */
    assert_true(g->fs.played[3] >= 9);
}

/* ---- and comes back ---------------------------------------------------------------------------
 */

static void back_from_a_human(struct call_rig *g)
{
    udp_close(&g->fs.udp); /* FreeSWITCH ended it when the channel left its park */
    buf_reset(&g->fs.log);
    fs_channel_event(g, "CHANNEL_UNBRIDGE", "");
    fs_channel_event(g, "CHANNEL_PARK", "\nChannel-State: CS_PARK");
    until(g, &g->fs.log, "unicast;");
    struct leg_stats st; /* what was under way when it ended never arrives */
    call_leg_stats(the_call(g), &st);
    g->fs.sent = (unsigned)(st.frames_in + st.bad_size);
    g->fs.frames = (unsigned)st.frames_out;
}

static void when_he_hangs_up_first_the_conversation_goes_on(void **state)
{
    struct call_rig *g = *state;
    reach_with_human(g);
    assert_non_null(strstr(buf_z(&g->fs.log), "park_after_bridge true;"));
    assert_non_null(strstr(buf_z(&g->fs.log), "hangup_after_bridge false;"));
    assert_non_null(strstr(buf_z(&g->fs.log), "loopback_bowout=false"));
    assert_int_equal(query(g, "SELECT count(*) FROM calls WHERE ended_us > 0")[0], '0');
    back_from_a_human(g);
    assert_non_null(strstr(buf_z(&g->fs.log), "park_after_bridge ;"));
    assert_non_null(strstr(buf_z(&g->log), "result 1 VA_ECLOSED;"));
    answer(g, 3, 0, "De volta", 200);
    pass(g, 300);
    is_state(g, CALL_LISTENING);
    assert_true(g->fs.played[3] >= 9);
    caller_speaks(g, 600);
    pass(g, 1000);
    is_state(g, CALL_THINKING); /* heard, too */
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
}

static void nothing_they_say_reaches_us(void **state)
{
    struct call_rig *g = *state;
    reach_with_human(g);
    unsigned loud = g->fed_loud, fed = g->fed;
    g->fs.voice = true;
    pass(g, 2000);
    assert_int_equal(g->fed_loud, loud);
    assert_true(g->fed >= fed + 95); /* silence, so that a remote does not think us gone */
    assert_int_equal(rings(g, 200), 0);
    assert_null(the_call(g)->leg);
}

static void given_back_later_it_goes_on_in_its_dialplan(void **state)
{
    struct call_rig *g = *state;
    g->fs.variables = "Caller-Context: acme\n";
    reach_with_human(g);
    back_from_a_human(g);
    pass(g, 100);
    call_abort(the_call(g));
    until_gone(g);
    assert_non_null(strstr(buf_z(&g->fs.log), "api uuid_transfer " CALL_UUID " 700 XML acme;"));
    assert_true(g->fs.ended);
}

static void given_back_later_it_goes_where_the_dialplan_says(void **state)
{
    struct call_rig *g = *state;
    g->fs.variables = "variable_voice_ai_return: 200%20XML%20default\n";
    reach_with_human(g);
    back_from_a_human(g);
    pass(g, 100);
    call_abort(the_call(g));
    until_gone(g);
    assert_non_null(strstr(buf_z(&g->fs.log), "api uuid_transfer " CALL_UUID " 200 XML default;"));
}

static void told_to_stop_we_leave_the_two_alone(void **state)
{
    struct call_rig *g = *state;
    reach_with_human(g);
    buf_reset(&g->fs.log);
    call_drain(the_call(g));
    outcome_is(g, "transferred||201\n");
    assert_non_null(strstr(buf_z(&g->fs.log), "hangup_after_bridge true;"));
    assert_non_null(strstr(buf_z(&g->fs.log), "park_after_bridge ;"));
    assert_null(strstr(buf_z(&g->fs.log), "hupall"));
    assert_null(strstr(buf_z(&g->fs.log), "uuid_kill"));
    assert_true(g->fs.ended);
}

static void a_human_who_sends_him_on_has_him(void **state)
{
    struct call_rig *g = *state;
    reach_with_human(g);
    buf_reset(&g->fs.log);
    fs_channel_event(g, "CHANNEL_STATE", "\nChannel-State: CS_ROUTING");
    outcome_is(g, "transferred||201\n");
    assert_non_null(strstr(buf_z(&g->fs.log), "park_after_bridge ;"));
}

static void the_time_that_ran_out_meanwhile_is_told_afterwards(void **state)
{
    struct call_rig *g = *state;
    g->wanted->max_duration_s = 10;
    reach_with_human(g);
    pass(g, 10000);
    is_state(g, CALL_WITH_HUMAN);
    back_from_a_human(g);
    answer(g, 3, 0, "De volta", 200);
    pass(g, 300);
    is_state(g, CALL_ENDING);
    assert_non_null(strstr(buf_z(&g->log), "say time up;"));
}

int main(int argc, char **argv)
{
    rig_main(argc, argv);
    const struct CMUnitTest tests[] = {
        RIG_TEST(it_rings_from_us_while_the_channel_stays),
        RIG_TEST(at_home_in_america_it_rings_as_there),
        RIG_TEST(each_cause_is_told_and_the_conversation_goes_on),
        RIG_TEST(nobody_answers_in_time),
        RIG_TEST(a_star_breaks_it_off_and_no_other_digit),
        RIG_TEST(who_hangs_up_while_it_rings_ends_the_ringing),
        RIG_TEST(an_abort_while_it_rings_ends_the_ringing),
        RIG_TEST(a_provider_hears_and_says_nothing_meanwhile),
        RIG_TEST(a_number_that_no_dial_string_holds_is_not_dialled),
        RIG_TEST(who_wants_to_be_hidden_stays_so),
        RIG_TEST(a_tenants_variables_go_along),
        RIG_TEST(who_answers_gets_the_caller_and_we_are_out_of_it),
        RIG_TEST(who_hangs_up_before_he_is_joined_is_told),
        RIG_TEST(when_he_hangs_up_first_the_conversation_goes_on),
        RIG_TEST(nothing_they_say_reaches_us),
        RIG_TEST(given_back_later_it_goes_on_in_its_dialplan),
        RIG_TEST(given_back_later_it_goes_where_the_dialplan_says),
        RIG_TEST(told_to_stop_we_leave_the_two_alone),
        RIG_TEST(a_human_who_sends_him_on_has_him),
        RIG_TEST(the_time_that_ran_out_meanwhile_is_told_afterwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
