/* call/: a sound into an answer: what silences it, what ends it, what lets it go on. */
#include "unit/call_rig.h"

/* Answer 2, long, heard for a while, by a provider that can wait. */
static void reach_long_answer(struct call_rig *g)
{
    g->holds = true;
    reach_thinking(g);
    answer(g, 2, 0, "Um momento por favor, vou ver isso agora", 4000);
    pass(g, 500);
    is_state(g, CALL_SPEAKING);
    buf_reset(&g->log);
}

static void cough(struct call_rig *g)
{
    caller_speaks(g, 300);
    is_state(g, CALL_HELD);
}

/* All of answer 2 was played, exactly once, whatever the pauses in it; the rig does not know a
 * frame that is being raised again. */
static void whole_answer_is_heard(struct call_rig *g, unsigned ms, unsigned holds)
{
    while (the_call(g)->open_answer)
        pass(g, 20);
    assert_int_equal(g->fs.played[2], ms / 20 - holds);
}

static unsigned quiet_ms(struct call_rig *g)
{
    return (unsigned)((g->clock.mono - g->fs.last_loud_us) / 1000);
}

/* ---- noise -------------------------------------------------------------------------------------
 */

static void a_cough_is_a_pause(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    cough(g);
    assert_string_equal(buf_z(&g->log), "turn started;");
    pass(g, 340); /* the sound is over, its pause too: somebody may look at it */
    assert_string_equal(buf_z(&g->log), "turn started;turn ended;");
    is_state(g, CALL_HELD);
    unsigned loud = g->fs.loud;
    pass(g, 400); /* no words within BARGE_IN_CONFIRM_MS of its end */
    assert_string_equal(buf_z(&g->log), "turn started;turn ended;");
    is_state(g, CALL_SPEAKING);
    assert_true(g->fs.loud > loud);
    g->h->on_speech(g->arg, TURN_FALSE); /* better late than never: it may be forgotten */
    assert_string_equal(buf_z(&g->log), "turn started;turn ended;turn false;");
    is_state(g, CALL_SPEAKING);
    whole_answer_is_heard(g, 4000, 1);
    is_state(g, CALL_LISTENING);
    assert_int_equal(the_call(g)->record.turns, 1);
    assert_int_equal(the_call(g)->false_barge_ins, 1);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    lines_are(g, "agent|Olá, bom dia\nagent|Um momento por favor, vou ver isso agora\n");
    assert_string_equal(query(g, "SELECT length_ms FROM transcript_lines ORDER BY seq"),
                        "200\n4000\n");
}

/* A recogniser that heard the whole sound need not let the caller wait. */
static void a_provider_may_know_sooner(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    cough(g);
    pass(g, 340);
    g->h->on_speech(g->arg, TURN_FALSE);
    assert_string_equal(buf_z(&g->log), "turn started;turn ended;turn false;");
    is_state(g, CALL_SPEAKING);
    g->h->on_speech(g->arg, TURN_FALSE); /* once is enough */
    assert_string_equal(buf_z(&g->log), "turn started;turn ended;turn false;");
    whole_answer_is_heard(g, 4000, 1);
}

static void every_cough_is_a_pause(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    for (int i = 0; i < 4; i++) {
        cough(g);
        pass(g, 900);
        is_state(g, CALL_SPEAKING);
    }
    assert_int_equal(the_call(g)->holds, 4);
    whole_answer_is_heard(g, 4000, 4);
}

/* The greeting too; from then on it is an answer like any other. */
static void a_cough_does_not_end_the_greeting(void **state)
{
    struct call_rig *g = *state;
    g->holds = true;
    reach_greeting(g);
    answer(g, 1, 0, "Olá, você ligou", 2000);
    pass(g, 400);
    caller_speaks(g, 300);
    is_state(g, CALL_HELD);
    pass(g, 800);
    is_state(g, CALL_SPEAKING);
    while (the_call(g)->open_answer)
        pass(g, 20);
    assert_int_equal(g->fs.played[1], 100 - 1);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    lines_are(g, "agent|Olá, você ligou\n");
}

static void audio_and_ends_come_while_it_is_held(void **state)
{
    struct call_rig *g = *state;
    g->holds = true;
    reach_thinking(g);
    answer_begin(g, 2, 0, "Começo", 400);
    pass(g, 200);
    cough(g);
    answer_audio(g, 2, 400);
    g->h->on_answer_done(g->arg, 2);
    answer(g, 3, 0, "E mais", 200); /* does not confirm: the sound is not over */
    is_state(g, CALL_HELD);
    pass(g, 900);
    is_state(g, CALL_SPEAKING);
    whole_answer_is_heard(g, 800, 1);
    assert_int_equal(g->fs.played[3], 10);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    lines_are(g, "agent|Olá, bom dia\nagent|Começo\nagent|E mais\n");
}

static void a_tool_behind_a_held_answer_runs_behind_it(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    g->fs.hold_execute = true;
    tool(g, 3, TOOL_TRANSFER, "vendas");
    cough(g);
    pass(g, 900);
    is_state(g, CALL_SPEAKING);
    assert_null(strstr(buf_z(&g->log), "result"));
    while (the_call(g)->open_answer)
        pass(g, 20);
    pass(g, 200);
    assert_non_null(strstr(buf_z(&g->fs.log), ";transfer 201;"));
}

/* ---- speech ------------------------------------------------------------------------------------
 */

static void of_answer_2_was_heard(struct call_rig *g, const char *in, unsigned lo, unsigned hi)
{
    unsigned heard = 0;
    const char *at = strstr(buf_z(&g->log), in);
    assert_non_null(at);
    assert_int_equal(sscanf(at, "interrupt 2 %u;", &heard), 1);
    assert_in_range(heard, lo, hi);
    assert_int_equal(g->fs.played[2], heard / 20 - the_call(g)->false_barge_ins);
}

static void speech_is_known_by_its_length(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    caller_speaks(g, 560);
    is_state(g, CALL_HELD);
    caller_speaks(g, 140);
    is_state(g, CALL_LISTENING);
    of_answer_2_was_heard(g, "interrupt", 580, 660); /* up to where it fell silent */
    assert_non_null(strstr(buf_z(&g->log), "turn started;interrupt"));
    pass(g, 500);
    is_state(g, CALL_LISTENING); /* the pause of a conversation again */
    pass(g, 400);
    is_state(g, CALL_THINKING);
    assert_non_null(strstr(buf_z(&g->log), ";turn ended;"));
    assert_null(strstr(buf_z(&g->log), "turn false"));
    answer(g, 3, 0, "Pois não", 100);
    pass(g, 200);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    assert_non_null(strstr(query(g, "SELECT text FROM transcript_lines"), "…"));
}

/* Understood while the caller still speaks. */
static void words_end_it_at_once(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    g->fs.voice = true;
    pass(g, 300);
    g->h->on_speech(g->arg, TURN_CONFIRMED);
    is_state(g, CALL_LISTENING);
    of_answer_2_was_heard(g, "interrupt", 580, 660);
    pass(g, 200);
    g->fs.voice = false;
    pass(g, 900);
    is_state(g, CALL_THINKING);
    assert_int_equal(the_call(g)->record.turns, 2);
}

/* "Vendas." is over before anybody can have understood it. */
static void a_short_word_is_a_turn_when_it_was_understood(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    cough(g);
    pass(g, 340);
    g->h->on_speech(g->arg, TURN_CONFIRMED);
    is_state(g, CALL_THINKING);
    of_answer_2_was_heard(g, "interrupt", 580, 660);
    g->h->on_transcript(g->arg, SPEAKER_CALLER, 0, "vendas");
    assert_int_equal(the_call(g)->record.turns, 2);
    answer(g, 3, 0, "Vendas, pois não", 200);
    pass(g, 300);
    assert_int_equal(g->fs.played[3], 10);
    is_state(g, CALL_LISTENING);
    assert_true(the_call(g)->latency_max_us >= 300000); /* counted from the end of the word */
    assert_string_equal(buf_z(&g->log), "turn started;turn ended;interrupt 2 620;");
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    assert_non_null(strstr(query(g, "SELECT speaker, text FROM transcript_lines ORDER BY seq"),
                           "…\ncaller|vendas\nagent|Vendas, pois não\n"));
}

/* A slow recogniser: the answer went on meanwhile. */
static void late_words_end_it_all_the_same(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    cough(g);
    pass(g, 1000);
    is_state(g, CALL_SPEAKING);
    g->h->on_speech(g->arg, TURN_CONFIRMED);
    is_state(g, CALL_THINKING);
    assert_non_null(strstr(buf_z(&g->log), "turn started;turn ended;interrupt 2 "));
    assert_int_equal(the_call(g)->record.turns, 2);
    g->h->on_speech(g->arg, TURN_CONFIRMED); /* known */
    is_state(g, CALL_THINKING);
}

/* Or was even over. */
static void late_words_are_a_turn(void **state)
{
    struct call_rig *g = *state;
    g->holds = true;
    reach_thinking(g);
    answer(g, 2, 0, "Um momento", 400);
    pass(g, 200);
    cough(g);
    pass(g, 1000);
    is_state(g, CALL_LISTENING);
    g->h->on_speech(g->arg, TURN_CONFIRMED);
    is_state(g, CALL_THINKING);
    answer(g, 3, 0, "Pois não", 100);
    pass(g, 200);
    is_state(g, CALL_LISTENING);
}

/* Until the next sound, which belongs to it. */
static void another_sound_is_held_while_the_first_is_unknown(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    cough(g);
    pass(g, 1000);
    is_state(g, CALL_SPEAKING);
    cough(g);
    assert_string_equal(buf_z(&g->log), "turn started;turn ended;turn started;");
    g->h->on_speech(g->arg, TURN_CONFIRMED);
    is_state(g, CALL_LISTENING);
    pass(g, 900);
    is_state(g, CALL_THINKING);
}

/* FreeSWITCH sends nothing any more, in the middle of a sound. */
static void audio_that_stops_is_no_speech(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    cough(g);
    g->fs.mute = true;
    pass(g, 1100);
    is_state(g, CALL_SPEAKING);
    assert_string_equal(buf_z(&g->log), "turn started;turn false;");
}

/* A transcript may lag behind the answer to it: it does not tell a cough from a word. */
static void a_late_transcript_confirms_no_cough(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    cough(g);
    g->h->on_transcript(g->arg, SPEAKER_CALLER, 0, "que horas abre");
    is_state(g, CALL_HELD);
    pass(g, 1000);
    is_state(g, CALL_SPEAKING);
    assert_string_equal(buf_z(&g->log), "turn started;turn ended;");
    g->h->on_transcript(g->arg, SPEAKER_CALLER, 0, "e no sábado"); /* when it plays again */
    is_state(g, CALL_SPEAKING);
    g->h->on_speech(g->arg, TURN_CONFIRMED);
    is_state(g, CALL_THINKING);
}

static void an_answer_to_it_is_words(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    cough(g);
    pass(g, 340);
    answer(g, 3, 0, "Claro", 200);
    is_state(g, CALL_SPEAKING);
    of_answer_2_was_heard(g, "interrupt", 580, 660);
    pass(g, 300);
    assert_int_equal(g->fs.played[3], 10);
}

/* "É … queria falar …" */
static void a_sound_may_have_a_pause(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    cough(g);
    pass(g, 340);
    caller_speaks(g, 300);
    is_state(g, CALL_HELD);
    assert_string_equal(buf_z(&g->log), "turn started;turn ended;turn started;");
    caller_speaks(g, 500);
    is_state(g, CALL_LISTENING);
    pass(g, 900);
    is_state(g, CALL_THINKING);
}

static void a_digit_ends_a_held_answer(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    cough(g);
    fs_digit(g, "1");
    settle(g);
    is_state(g, CALL_THINKING);
    of_answer_2_was_heard(g, "interrupt", 580, 660);
    pass(g, 1200);
    assert_null(strstr(buf_z(&g->log), "turn ended"));
    is_state(g, CALL_THINKING);
    answer(g, 3, 0, "Um", 100);
    pass(g, 200);
    is_state(g, CALL_LISTENING);
}

/* The way out is not held up by it. */
static void a_held_answer_gives_way_to_the_last_word(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    cough(g);
    call_drain(the_call(g));
    is_state(g, CALL_RETURNING);
    of_answer_2_was_heard(g, "interrupt", 580, 660);
    answer(g, 3, ANSWER_PROTECTED, "Um instante", 200);
    pass(g, 400);
    assert_int_equal(g->fs.played[3], 10);
    outcome_is(g, "returned||\n");
}

static void words_cancel_the_tool_behind_it(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    tool(g, 3, TOOL_TRANSFER, "vendas");
    cough(g);
    g->h->on_speech(g->arg, TURN_CONFIRMED);
    assert_non_null(strstr(buf_z(&g->log), "result 3 VA_ECANCELED;"));
}

/* ---- who may hold ------------------------------------------------------------------------------
 */

static void zero_interrupts_at_once(void **state)
{
    struct call_rig *g = *state;
    g->settings.barge_in_confirm_ms = 0;
    reach_long_answer(g);
    caller_speaks(g, 200);
    is_state(g, CALL_LISTENING);
    assert_int_equal(the_call(g)->holds, 0);
}

static void a_provider_that_cannot_wait_is_interrupted_at_once(void **state)
{
    struct call_rig *g = *state;
    reach_long_answer(g);
    g->holds = false;
    caller_speaks(g, 200);
    is_state(g, CALL_LISTENING);
    assert_int_equal(the_call(g)->holds, 0);
}

static void what_is_protected_is_not_held(void **state)
{
    struct call_rig *g = *state;
    g->holds = true;
    g->wanted->protect_ms = 2000;
    reach_greeting(g);
    answer(g, 1, 0, "Olá", 4000);
    caller_speaks(g, 600);
    is_state(g, CALL_GREETING);
    assert_int_equal(the_call(g)->holds, 0);
    pass(g, 1600);
    caller_speaks(g, 200);
    is_state(g, CALL_HELD);
    pass(g, 900);
    is_state(g, CALL_SPEAKING);
    caller_speaks(g, 200); /* protection was of the start alone */
    is_state(g, CALL_HELD);
}

/* ---- a provider that hears turns ---------------------------------------------------------------
 */

static void reach_answer_of_detector(struct call_rig *g)
{
    g->detects_turns = g->holds = true;
    reach_listening(g);
    g->h->on_speech(g->arg, TURN_STARTED);
    g->h->on_speech(g->arg, TURN_ENDED);
    answer(g, 2, 0, "Um momento por favor, vou ver isso agora", 4000);
    pass(g, 500);
    is_state(g, CALL_SPEAKING);
    buf_reset(&g->log);
    g->h->on_speech(g->arg, TURN_STARTED);
    is_state(g, CALL_HELD);
}

static void its_verdict_is_believed(void **state)
{
    struct call_rig *g = *state;
    reach_answer_of_detector(g);
    pass(g, 1000); /* longer than the limit: it is waiting for words */
    is_state(g, CALL_HELD);
    g->h->on_speech(g->arg, TURN_FALSE);
    is_state(g, CALL_SPEAKING);
    g->h->on_speech(g->arg, TURN_ENDED); /* of what was none */
    is_state(g, CALL_SPEAKING);
    pass(g, 200);
    g->h->on_speech(g->arg, TURN_STARTED);
    g->h->on_speech(g->arg, TURN_CONFIRMED);
    is_state(g, CALL_LISTENING);
    of_answer_2_was_heard(g, "interrupt", 680, 740);
    g->h->on_speech(g->arg, TURN_ENDED);
    is_state(g, CALL_THINKING);
    assert_null(strstr(buf_z(&g->log), "turn ")); /* it knows */
}

static void its_end_of_a_turn_confirms(void **state)
{
    struct call_rig *g = *state;
    reach_answer_of_detector(g);
    pass(g, 300);
    g->h->on_speech(g->arg, TURN_ENDED);
    is_state(g, CALL_THINKING);
    of_answer_2_was_heard(g, "interrupt", 500, 520);
    assert_int_equal(the_call(g)->record.turns, 2);
}

/* What our own ear hears for so long is speech, whatever it still wonders about. */
static void our_ear_helps_it(void **state)
{
    struct call_rig *g = *state;
    reach_answer_of_detector(g);
    caller_speaks(g, 760);
    is_state(g, CALL_LISTENING);
}

static void its_silence_is_bounded(void **state)
{
    struct call_rig *g = *state;
    reach_answer_of_detector(g);
    pass(g, 3050);
    is_state(g, CALL_SPEAKING);
    g->h->on_speech(g->arg, TURN_CONFIRMED); /* late, but words */
    is_state(g, CALL_LISTENING);
    g->h->on_speech(g->arg, TURN_ENDED);
    is_state(g, CALL_THINKING);
}

static void its_late_end_of_a_turn_confirms_too(void **state)
{
    struct call_rig *g = *state;
    reach_answer_of_detector(g);
    pass(g, 3050);
    g->h->on_speech(g->arg, TURN_ENDED);
    is_state(g, CALL_THINKING);
    assert_non_null(strstr(buf_z(&g->log), "interrupt 2 "));
}

/* ---- no turn at all ----------------------------------------------------------------------------
 */

static void a_turn_without_words_is_given_back(void **state)
{
    struct call_rig *g = *state;
    g->wanted->silence_ms = 3000;
    reach_thinking(g);
    buf_reset(&g->log);
    g->h->on_speech(g->arg, TURN_FALSE);
    is_state(g, CALL_LISTENING);
    assert_string_equal(buf_z(&g->log), ""); /* nothing went on */
    pass(g, 3050);
    assert_string_equal(buf_z(&g->log), "say still there;");
}

static void an_open_turn_may_turn_out_to_be_none(void **state)
{
    struct call_rig *g = *state;
    g->detects_turns = true;
    g->wanted->silence_ms = 1000;
    reach_listening(g);
    buf_reset(&g->log);
    g->h->on_speech(g->arg, TURN_STARTED);
    pass(g, 1500);
    assert_string_equal(buf_z(&g->log), "");
    g->h->on_speech(g->arg, TURN_FALSE);
    pass(g, 1050);
    assert_string_equal(buf_z(&g->log), "say still there;");
}

/* ---- how fast ----------------------------------------------------------------------------------
 */

/* From the provider's event, and from the first sample of a voice, at every phase of the clocks. */
static void silence_comes_within_a_frame(void **state)
{
    unsigned worst = 0, worst_own = 0;
    for (unsigned phase = 0; phase < 40; phase += RIG_STEP_MS) {
        struct call_rig *g = *state;
        reach_speaking(g);
        g->detects_turns = true;
        g->holds = phase % 2;
        pass(g, 20 + phase);
        g->h->on_speech(g->arg, TURN_STARTED);
        uint64_t from = g->clock.mono;
        pass(g, 200);
        unsigned ms = (unsigned)((g->fs.last_loud_us - from) / 1000); /* a frame with the fade */
        worst = g->fs.last_loud_us > from && ms > worst ? ms : worst;
        rig_tear_down(state);
        rig_set_up(state);
        g = *state;
        g->holds = true;
        reach_speaking(g);
        pass(g, 20 + phase);
        from = g->clock.mono;
        caller_speaks(g, 300);
        ms = (unsigned)((g->fs.last_loud_us - from) / 1000);
        worst_own = ms > worst_own ? ms : worst_own;
        assert_true(quiet_ms(g) > 100);
        rig_tear_down(state);
        rig_set_up(state);
    }
    print_message("speech started -> last frame with sound: %u ms; own ear: %u ms\n", worst,
                  worst_own);
    assert_true(worst <= 25);
    assert_true(worst_own <= 120);
}

int main(int argc, char **argv)
{
    rig_main(argc, argv);
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_cough_is_a_pause),
        RIG_TEST(a_provider_may_know_sooner),
        RIG_TEST(every_cough_is_a_pause),
        RIG_TEST(a_cough_does_not_end_the_greeting),
        RIG_TEST(audio_and_ends_come_while_it_is_held),
        RIG_TEST(a_tool_behind_a_held_answer_runs_behind_it),
        RIG_TEST(speech_is_known_by_its_length),
        RIG_TEST(words_end_it_at_once),
        RIG_TEST(a_short_word_is_a_turn_when_it_was_understood),
        RIG_TEST(late_words_end_it_all_the_same),
        RIG_TEST(late_words_are_a_turn),
        RIG_TEST(another_sound_is_held_while_the_first_is_unknown),
        RIG_TEST(audio_that_stops_is_no_speech),
        RIG_TEST(a_late_transcript_confirms_no_cough),
        RIG_TEST(an_answer_to_it_is_words),
        RIG_TEST(a_sound_may_have_a_pause),
        RIG_TEST(a_digit_ends_a_held_answer),
        RIG_TEST(a_held_answer_gives_way_to_the_last_word),
        RIG_TEST(words_cancel_the_tool_behind_it),
        RIG_TEST(zero_interrupts_at_once),
        RIG_TEST(a_provider_that_cannot_wait_is_interrupted_at_once),
        RIG_TEST(what_is_protected_is_not_held),
        RIG_TEST(its_verdict_is_believed),
        RIG_TEST(its_end_of_a_turn_confirms),
        RIG_TEST(our_ear_helps_it),
        RIG_TEST(its_silence_is_bounded),
        RIG_TEST(its_late_end_of_a_turn_confirms_too),
        RIG_TEST(a_turn_without_words_is_given_back),
        RIG_TEST(an_open_turn_may_turn_out_to_be_none),
        RIG_TEST(silence_comes_within_a_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
