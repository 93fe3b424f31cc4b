/* call/: a call from its socket to its record, and every way out of it. */
#include "unit/call_rig.h"

/* ---- the beginning ----------------------------------------------------------------------------
 */

static void the_greeting_is_heard_first(void **state)
{
    struct call_rig *g = *state;
    reach_greeting(g);
    assert_string_equal(buf_z(&g->log), "open tester 8000;say greeting;");
    assert_string_equal(buf_z(&g->fs.log), "myevents plain;linger 2;unicast;");
    assert_int_equal(g->fs.loud, 0);
    answer(g, 1, 0, "Olá", 100);
    pass(g, 60);
    assert_in_range(g->fs.played[1], 1, 4);
    assert_int_not_equal(the_call(g)->first_audio_us, 0);
    is_state(g, CALL_GREETING);
    pass(g, 100);
    is_state(g, CALL_LISTENING);
    assert_int_equal(g->fs.played[1], 5); /* all of it, once */
    assert_true(g->fed > 0);
}

static void frames_flow_at_the_media_clock(void **state)
{
    struct call_rig *g = *state;
    reach_listening(g);
    unsigned before = g->fs.frames;
    pass(g, 1000);
    assert_in_range(g->fs.frames - before, 49, 51); /* silence is sent too */
}

static void wideband_calls_work(void **state)
{
    struct call_rig *g = *state;
    g->fs.rate = "16000";
    g->fs.frame_bytes = 640;
    reach_listening(g);
    assert_int_equal(g->rate_hz, 16000);
    assert_int_equal(g->fs.played[1], 10);
}

static void an_unanswered_channel_is_answered_first(void **state)
{
    struct call_rig *g = *state;
    g->fs.answer_state = "ringing";
    g->fs.hold_execute = true;
    rig_begin(g);
    until(g, &g->fs.log, "answer;");
    pass(g, 100);
    assert_null(strstr(buf_z(&g->fs.log), "unicast"));
    fs_completes(g);
    until(g, &g->fs.log, "unicast;");
    until(g, &g->log, "open ");
    pass(g, 40);
    is_state(g, CALL_GREETING);
    assert_true(the_call(g)->record.answered_us > the_call(g)->record.started_us);
}

/* Before the answer no codec is chosen; the answer tells the rate (late negotiation). */
static void the_rate_is_the_one_after_the_answer(void **state)
{
    struct call_rig *g = *state;
    g->fs.answer_state = "ringing";
    g->fs.rate = NULL;
    g->fs.answer_rate = "16000";
    g->fs.frame_bytes = 640;
    reach_listening(g);
    assert_int_equal(g->rate_hz, 16000);
    assert_int_equal(g->open, 1);
    assert_int_equal(the_call(g)->format.rate_hz, 16000);
    assert_int_equal(the_call(g)->format.ptime_ms, 20);
}

static void a_refused_answer_returns_the_call(void **state)
{
    struct call_rig *g = *state;
    g->fs.answer_state = "ringing";
    g->fs.hold_execute = true;
    rig_begin(g);
    until(g, &g->fs.log, "answer;");
    until_secretary(g);
    pass(g, 10500);
    outcome_is(g, "returned||\n");
}

static void a_secretary_nobody_knows_returns_the_call(void **state)
{
    struct call_rig *g = *state;
    struct va_fault fault = {0};
    struct store_admin *admin = NULL;
    open_store(g);
    static const char *const names[] = {"tester", "recepcao", "reception"};
    assert_int_equal(store_admin_open(g->dir, &admin, &fault), VA_OK);
    for (size_t i = 0; i < 3; i++)
        (void)!store_admin_remove(admin, "default", names[i], &fault);
    store_admin_close(&admin);
    if (strcmp(query(g, "SELECT count(*) FROM secretaries"), "0\n") != 0)
        fail_msg("default secretaries: %s", query(g, "SELECT name FROM secretaries"));
    g->fs.domain = "other.example"; /* asked for first, then the house's own */
    fs_dials(g);
    until_gone(g);
    assert_string_equal(query(g, "SELECT count(*) FROM calls"), "0\n");
    assert_int_equal(g->log.len, 0);
}

static void a_foreign_domain_is_served_by_the_house(void **state)
{
    struct call_rig *g = *state;
    g->fs.domain = "other.example";
    reach_listening(g);
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
    assert_string_equal(query(g, "SELECT tenant, caller_number, caller_name, called_number, turns "
                                 "FROM calls"),
                        "default|5511987654321|Ana P|700|0\n");
}

static void no_audio_returns_the_call(void **state)
{
    struct call_rig *g = *state;
    g->fs.mute = true;
    rig_begin(g);
    until(g, &g->fs.log, "unicast;");
    until(g, &g->log, "open ");
    pass(g, 1400);
    is_state(g, CALL_CONNECTING);
    pass(g, 200);
    outcome_is(g, "returned||\n");
    assert_true(g->fs.ended);
}

static void audio_that_stops_returns_the_call(void **state)
{
    struct call_rig *g = *state;
    reach_listening(g);
    g->fs.mute = true;
    pass(g, 10100);
    outcome_is(g, "returned||\n");
}

static void a_refused_unicast_returns_the_call(void **state)
{
    struct call_rig *g = *state;
    g->fs.hold_unicast = true;
    rig_begin(g);
    until(g, &g->log, "open ");
    until(g, &g->fs.log, "unicast;");
    fs_says(g, "Content-Type: command/reply\nReply-Text: -ERR no\n\n");
    outcome_is(g, "returned||\n");
}

static void no_free_port_returns_the_call(void **state)
{
    struct call_rig *g = *state;
    struct net_addr a;
    struct udp_sock *taken = NULL;
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &a), VA_OK);
    assert_int_equal(udp_open(g->loop, &a, fs_on_udp, g, &taken), VA_OK);
    g->settings.rtp_port_min = g->settings.rtp_port_max = udp_port(taken);
    rig_begin(g);
    until_gone(g);
    assert_null(strstr(buf_z(&g->fs.log), "unicast"));
    udp_close(&taken);
}

static void a_provider_that_cannot_start_returns_the_call(void **state)
{
    struct call_rig *g = *state;
    g->refuse_open = true;
    rig_begin(g);
    outcome_is(g, "returned||\n");
}

static void a_provider_that_is_never_ready_returns_the_call(void **state)
{
    struct call_rig *g = *state;
    reach_connecting(g);
    pass(g, 10000);
    outcome_is(g, "returned||\n");
}

static void a_peer_that_is_no_freeswitch_is_dropped(void **state)
{
    struct call_rig *g = *state;
    int fd[2];
    struct net_addr peer = {0};
    open_store(g);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    assert_int_equal(call_open(&g->worker, fd[1], &peer), VA_OK);
    assert_int_equal(write(fd[0], "SSH-2.0-x\n\n", 11), 11);
    until_gone(g);
    assert_string_equal(query(g, "SELECT count(*) FROM calls"), "0\n");
    (void)close(fd[0]);
}

/* Nothing of ours would work on it: its dialplan goes on at once, not after every timeout. */
static void a_socket_without_async_full_is_let_go(void **state)
{
    static const char *const modes[] = {"Socket-Mode: static\nControl: full",
                                        "Socket-Mode: async\nControl: single-channel"};
    for (size_t i = 0; i < 2; i++) {
        struct call_rig *g = *state;
        open_store(g);
        g->fs.mode = modes[i];
        fs_dials(g);
        until_gone(g);
        assert_string_equal(buf_z(&g->fs.log), "");
        assert_string_equal(query(g, "SELECT count(*) FROM calls"), "0\n");
        rig_tear_down(state);
        rig_set_up(state);
    }
}

static void the_same_channel_may_come_again(void **state)
{
    struct call_rig *g = *state;
    reach_listening(g);
    fs_says(g, FS_BYE); /* the first socket ends; socket_resume brings the channel back */
    until_call_gone(g);
    g->gone = 0;
    fs_dials(g);
    until(g, &g->log, "open ");
    until(g, &g->fs.log, "unicast;");
    pass(g, 40);
    is_state(g, CALL_GREETING);
    answer(g, 1, 0, "Olá de novo", 100);
    pass(g, 200);
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
    lines_are(g, "agent|Olá, bom dia\nagent|Olá de novo\n");
}

/* ---- the other side ends it, in every state ----------------------------------------------------
 */

static void next_case(void **state)
{
    rig_tear_down(state);
    rig_set_up(state);
}

static void is_over(struct call_rig *g, const char *outcome, const char *cause)
{
    char want[80];
    until_gone(g);
    (void)snprintf(want, sizeof(want), "%s|%s\n", outcome, cause);
    assert_string_equal(query(g, "SELECT outcome, hangup_cause FROM calls"), want);
    assert_true(*query(g, "SELECT ended_us FROM calls WHERE ended_us >= started_us") != 0);
}

static void a_hangup_ends_every_state_at_once(void **state)
{
    for (enum call_state s = CALL_CONNECTING; s < CALL_ENDED; s++) {
        struct call_rig *g = *state;
        reach(g, s);
        fs_hangup(g, "ORIGINATOR_CANCEL");
        uint64_t before = g->clock.mono;
        is_over(g, s == CALL_WITH_HUMAN ? "transferred" : "hung-up", "ORIGINATOR_CANCEL");
        assert_int_equal(g->clock.mono, before);
        next_case(state);
    }
}

static void a_linger_notice_alone_is_a_hangup(void **state)
{
    for (enum call_state s = CALL_CONNECTING; s < CALL_ENDED; s++) {
        struct call_rig *g = *state;
        reach(g, s);
        fs_says(g, FS_LINGER);
        is_over(g, s == CALL_WITH_HUMAN ? "transferred" : "hung-up", "");
        next_case(state);
    }
}

static void a_reset_socket_is_a_lost_call(void **state)
{
    for (enum call_state s = CALL_CONNECTING; s < CALL_ENDED; s++) {
        struct call_rig *g = *state;
        reach(g, s);
        tcp_reset(&g->fs.control);
        bool given = s == CALL_TRANSFERRING || s == CALL_WITH_HUMAN;
        is_over(g, given ? "transferred" : "lost", "");
        next_case(state);
    }
}

static void a_freeswitch_that_shuts_down_loses_the_call(void **state)
{
    struct call_rig *g = *state;
    reach_listening(g);
    fs_says(g, "Content-Type: text/disconnect-notice\nContent-Length: 31\n\n"
               "The system is being shut down.\n");
    is_over(g, "lost", "");
}

static void a_reset_while_answering_is_a_lost_call(void **state)
{
    struct call_rig *g = *state;
    g->fs.answer_state = "ringing";
    g->fs.hold_execute = true;
    rig_begin(g);
    until(g, &g->fs.log, "answer;");
    until_secretary(g);
    tcp_reset(&g->fs.control);
    is_over(g, "lost", "");
}

static void a_hangup_while_answering_is_a_hangup(void **state)
{
    struct call_rig *g = *state;
    g->fs.answer_state = "ringing";
    g->fs.hold_execute = true;
    rig_begin(g);
    until(g, &g->fs.log, "answer;");
    until_secretary(g);
    fs_says(g, FS_LINGER);
    is_over(g, "hung-up", "");
}

static void a_provider_that_fails_returns_the_call(void **state)
{
    for (enum call_state s = CALL_CONNECTING; s < CALL_ENDED; s++) {
        struct call_rig *g = *state;
        reach(g, s);
        g->h->on_failed(g->arg, VA_EIO, "scripted");
        until_gone(g);
        assert_string_equal(query(g, "SELECT outcome FROM calls"),
                            s == CALL_WITH_HUMAN ? "transferred\n" : "returned\n");
        settle(g);
        assert_true(g->fs.ended);
        assert_int_equal(g->fs.hangup_us, 0);
        next_case(state);
    }
}

static void an_abort_returns_every_state(void **state)
{
    for (enum call_state s = CALL_CONNECTING; s < CALL_ENDED; s++) {
        struct call_rig *g = *state;
        reach(g, s);
        call_abort(the_call(g));
        call_abort(the_call(g));
        is_over(g, s == CALL_WITH_HUMAN ? "transferred" : "returned", "");
        next_case(state);
    }
}

/* ---- we end it ---------------------------------------------------------------------------------
 */

static void we_hang_up_behind_the_last_frame(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    answer(g, 2, ANSWER_PROTECTED, "Até logo", 300);
    tool(g, 1, TOOL_END_CALL, "");
    pass(g, 200);
    is_state(g, CALL_SPEAKING);
    while (!g->fs.hangup_us)
        pass(g, 5);
    assert_int_equal(g->fs.played[2], 15);
    assert_in_range(g->fs.hangup_us - g->fs.last_loud_us, 140000, 200000);
    assert_non_null(strstr(buf_z(&g->fs.log), "api uuid_kill " CALL_UUID " NORMAL_CLEARING;"));
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "completed|NORMAL_CLEARING|\n");
}

static void a_hangup_that_is_not_done_returns_the_call(void **state)
{
    struct call_rig *g = *state;
    reach_ending(g);
    pass(g, 300);
    assert_int_not_equal(g->fs.hangup_us, 0);
    pass(g, 31000);
    until_gone(g);
    assert_true(g->fs.ended);
}

static void silence_is_asked_about_and_then_ends_the_call(void **state)
{
    struct call_rig *g = *state;
    g->wanted->silence_ms = 1000;
    g->wanted->silence_prompts = 2;
    reach_listening(g);
    for (uint32_t id = 2; id < 4; id++) {
        buf_reset(&g->log);
        pass(g, 900);
        assert_string_equal(buf_z(&g->log), "");
        pass(g, 150);
        assert_string_equal(buf_z(&g->log), "say still there;");
        answer(g, id, 0, "Ainda está aí?", 100);
        pass(g, 140);
        is_state(g, CALL_LISTENING);
    }
    buf_reset(&g->log);
    pass(g, 1050);
    assert_string_equal(buf_z(&g->log), "say farewell;");
    answer(g, 4, ANSWER_PROTECTED, "Tchau", 200);
    pass(g, 600);
    assert_int_equal(g->fs.played[4], 10);
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "completed|NORMAL_CLEARING|\n");
}

static void a_word_of_the_caller_starts_the_count_anew(void **state)
{
    struct call_rig *g = *state;
    g->wanted->silence_ms = 1000;
    g->wanted->silence_prompts = 1;
    reach_listening(g);
    pass(g, 1050);
    answer(g, 2, 0, "Ainda está aí?", 100);
    pass(g, 140);
    caller_speaks(g, 600);
    pass(g, 900);
    is_state(g, CALL_THINKING);
    answer(g, 3, 0, "Sim", 100);
    pass(g, 140);
    buf_reset(&g->log);
    pass(g, 1050);
    assert_string_equal(buf_z(&g->log), "say still there;");
}

static void the_longest_call_ends_with_a_word(void **state)
{
    struct call_rig *g = *state;
    g->wanted->max_duration_s = 10;
    g->wanted->silence_ms = 60000;
    reach_listening(g);
    pass(g, 9000);
    answer(g, 2, 0, "Uma resposta longa demais", 3000);
    buf_reset(&g->log);
    pass(g, 1000);
    is_state(g, CALL_ENDING);
    assert_true(strncmp(buf_z(&g->log), "interrupt 2 ", 12) == 0);
    assert_non_null(strstr(buf_z(&g->log), "say time up;"));
    answer(g, 3, ANSWER_PROTECTED, "O tempo acabou", 200);
    pass(g, 600);
    assert_int_not_equal(g->fs.hangup_us, 0);
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "completed|NORMAL_CLEARING|\n");
}

/* The limit falls into a message: the message is kept, then the call ends. */
static void the_longest_call_waits_for_a_message(void **state)
{
    struct call_rig *g = *state;
    g->wanted->max_duration_s = 10;
    reach_listening(g);
    pass(g, 7000);
    caller_speaks(g, 400);
    pass(g, 900);
    is_state(g, CALL_THINKING);
    tool(g, 1, TOOL_TAKE_MESSAGE, "");
    pass(g, 260);
    caller_speaks(g, 3000);
    is_state(g, CALL_MESSAGE);
    pass(g, 2700);
    until(g, &g->log, "result 1 VA_OK;");
    answer(g, 2, 0, "Anotado", 100);
    pass(g, 200);
    is_state(g, CALL_ENDING);
    assert_non_null(strstr(buf_z(&g->log), "say time up;"));
}

static void a_long_greeting_is_heard_to_its_end(void **state)
{
    struct call_rig *g = *state;
    reach_greeting(g);
    answer(g, 1, 0, "Uma saudação comprida", 12000);
    pass(g, 12100);
    is_state(g, CALL_LISTENING);
    assert_int_equal(g->fs.played[1], 600);
}

static void a_long_farewell_is_heard_to_its_end(void **state)
{
    struct call_rig *g = *state;
    g->wanted->silence_ms = 1000;
    g->wanted->silence_prompts = 0;
    reach_listening(g);
    pass(g, 1050);
    answer(g, 2, ANSWER_PROTECTED, "Um adeus comprido", 32000);
    pass(g, 32300);
    assert_int_equal(g->fs.played[2], 1600);
    assert_int_not_equal(g->fs.hangup_us, 0);
}

/* Whoever begins to speak and stops in the middle does not keep the caller for ever. */
static void an_answer_that_never_ends_returns_the_call(void **state)
{
    static const enum call_state states[] = {CALL_GREETING, CALL_SPEAKING, CALL_ENDING,
                                             CALL_RETURNING};
    for (size_t i = 0; i < 4; i++) {
        struct call_rig *g = *state;
        g->wanted->silence_ms = 1000;
        g->wanted->silence_prompts = 0;
        reach(g, states[i] == CALL_GREETING   ? CALL_GREETING
                 : states[i] == CALL_SPEAKING ? CALL_THINKING
                                              : CALL_LISTENING);
        if (states[i] == CALL_ENDING)
            pass(g, 1100);
        if (states[i] == CALL_RETURNING)
            call_drain(the_call(g));
        answer_begin(g, 9, 0, "Eu vou", 100);
        is_state(g, states[i]);
        pass(g, 31000);
        until_gone(g);
        assert_string_equal(query(g, "SELECT outcome FROM calls"), "returned\n");
        next_case(state);
    }
}

static void a_silent_provider_returns_the_call(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    pass(g, 15100);
    outcome_is(g, "returned||\n");
}

/* ---- drain ------------------------------------------------------------------------------------
 */

static void a_drain_says_one_moment_and_returns(void **state)
{
    struct call_rig *g = *state;
    reach_speaking(g);
    call_drain(the_call(g));
    is_state(g, CALL_RETURNING);
    assert_non_null(strstr(buf_z(&g->log), "interrupt 2 220;say hold on;"));
    answer(g, 3, ANSWER_PROTECTED, "Um instante", 200);
    pass(g, 180);
    is_state(g, CALL_RETURNING);
    caller_speaks(g, 20);
    pass(g, 100);
    is_state(g, CALL_RETURNING); /* what was sent is still on its way to the ear */
    pass(g, 200);
    assert_in_range(g->fs.played[3], 9, 10); /* the first carries the fade of answer 2 */
    outcome_is(g, "returned||\n");
    assert_int_equal(g->fs.hangup_us, 0);
}

static void a_drain_while_connecting_returns_at_once(void **state)
{
    struct call_rig *g = *state;
    reach_connecting(g);
    call_drain(the_call(g));
    outcome_is(g, "returned||\n");
}

static void a_drain_waits_for_a_message(void **state)
{
    struct call_rig *g = *state;
    reach_message(g);
    caller_speaks(g, 1500);
    call_drain(the_call(g));
    is_state(g, CALL_MESSAGE);
    pass(g, 2700);
    until(g, &g->log, "result 1 VA_OK;");
    answer(g, 2, 0, "Anotado", 100);
    pass(g, 200);
    is_state(g, CALL_RETURNING);
    assert_non_null(strstr(buf_z(&g->log), "say hold on;"));
}

/* ---- recording ---------------------------------------------------------------------------------
 */

static void loudest(const char *path, int64_t ret[static 2], uint64_t *ret_ms)
{
    struct va_fault fault = {0};
    for (int side = 0; side < 2; side++) {
        struct pcm *pcm = NULL;
        struct wav_want want = {.channel = side ? WAV_RIGHT : WAV_LEFT};
        if (wav_load(path, &want, &pcm, &fault))
            fail_msg("%s", fault.text);
        ret[side] = 0;
        for (size_t i = 0; i < pcm_count(pcm); i++)
            ret[side] = pcm_samples(pcm)[i] > ret[side] ? pcm_samples(pcm)[i] : ret[side];
        *ret_ms = pcm_ms(pcm);
        pcm_unref(&pcm);
    }
}

static void a_recording_has_both_sides(void **state)
{
    struct call_rig *g = *state;
    int64_t loud[2];
    uint64_t ms = 0;
    g->wanted->record = 1;
    reach_speaking(g);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    char path[600];
    (void)str_copy(path, sizeof(path), str_trim(str_of(query(g, "SELECT recording FROM calls"))));
    loudest(path, loud, &ms);
    assert_in_range(loud[0], 3000, 4100); /* the caller's voice */
    assert_int_equal(loud[1], RIG_LEVEL + 2);
    assert_in_range(ms, 2000, 2200);
}

static void a_recording_that_fails_does_not_end_the_call(void **state)
{
    struct call_rig *g = *state;
    char path[96];
    g->wanted->record = 1;
    (void)snprintf(path, sizeof(path), "%s/recordings", g->dir);
    assert_int_equal(rmdir(path), 0);
    reach_speaking(g);
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
}

/* With an argument: only the test of that name, with its log. */
int main(int argc, char **argv)
{
    rig_main(argc, argv);
    const struct CMUnitTest tests[] = {
        RIG_TEST(the_greeting_is_heard_first),
        RIG_TEST(frames_flow_at_the_media_clock),
        RIG_TEST(wideband_calls_work),
        RIG_TEST(an_unanswered_channel_is_answered_first),
        RIG_TEST(the_rate_is_the_one_after_the_answer),
        RIG_TEST(a_refused_answer_returns_the_call),
        RIG_TEST(a_secretary_nobody_knows_returns_the_call),
        RIG_TEST(a_foreign_domain_is_served_by_the_house),
        RIG_TEST(no_audio_returns_the_call),
        RIG_TEST(audio_that_stops_returns_the_call),
        RIG_TEST(a_refused_unicast_returns_the_call),
        RIG_TEST(no_free_port_returns_the_call),
        RIG_TEST(a_provider_that_cannot_start_returns_the_call),
        RIG_TEST(a_provider_that_is_never_ready_returns_the_call),
        RIG_TEST(a_peer_that_is_no_freeswitch_is_dropped),
        RIG_TEST(a_socket_without_async_full_is_let_go),
        RIG_TEST(the_same_channel_may_come_again),
        RIG_TEST(a_hangup_ends_every_state_at_once),
        RIG_TEST(a_linger_notice_alone_is_a_hangup),
        RIG_TEST(a_reset_socket_is_a_lost_call),
        RIG_TEST(a_freeswitch_that_shuts_down_loses_the_call),
        RIG_TEST(a_reset_while_answering_is_a_lost_call),
        RIG_TEST(a_hangup_while_answering_is_a_hangup),
        RIG_TEST(a_provider_that_fails_returns_the_call),
        RIG_TEST(an_abort_returns_every_state),
        RIG_TEST(we_hang_up_behind_the_last_frame),
        RIG_TEST(a_hangup_that_is_not_done_returns_the_call),
        RIG_TEST(silence_is_asked_about_and_then_ends_the_call),
        RIG_TEST(a_word_of_the_caller_starts_the_count_anew),
        RIG_TEST(the_longest_call_ends_with_a_word),
        RIG_TEST(the_longest_call_waits_for_a_message),
        RIG_TEST(a_long_greeting_is_heard_to_its_end),
        RIG_TEST(a_long_farewell_is_heard_to_its_end),
        RIG_TEST(an_answer_that_never_ends_returns_the_call),
        RIG_TEST(a_silent_provider_returns_the_call),
        RIG_TEST(a_drain_says_one_moment_and_returns),
        RIG_TEST(a_drain_while_connecting_returns_at_once),
        RIG_TEST(a_drain_waits_for_a_message),
        RIG_TEST(a_recording_has_both_sides),
        RIG_TEST(a_recording_that_fails_does_not_end_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
