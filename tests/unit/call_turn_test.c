/* call/: turns, barge-in, tools, digits, transfers, and what of it is written down. */
#include "unit/call_rig.h"

/* ---- barge-in ---------------------------------------------------------------------------------
 */

static void the_caller_may_interrupt(void **state)
{
    struct call_rig *g = *state;
    reach_speaking(g);
    buf_reset(&g->log);
    caller_speaks(g, 300);
    is_state(g, CALL_LISTENING);
    unsigned interrupted = 0, heard = 0;
    assert_int_equal(sscanf(buf_z(&g->log), "interrupt %u %u;turn started;", &interrupted, &heard),
                     2);
    assert_int_equal(interrupted, 2);
    assert_in_range(heard, 300, 440);
    assert_in_range(g->fs.played[2], heard / 20, heard / 20 + 1); /* and the fade */
    unsigned loud = g->fs.loud;
    answer_audio(g, 2, 500); /* late audio of what was interrupted */
    pass(g, 400);
    assert_int_equal(g->fs.loud, loud);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    lines_are(g, "agent|Olá, bom dia\nagent|Um momento…\n");
}

static void a_protected_answer_is_not_interrupted(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    answer(g, 2, ANSWER_PROTECTED, "Vou transferir", 600);
    buf_reset(&g->log);
    caller_speaks(g, 400);
    fs_digit(g, "5");
    settle(g);
    is_state(g, CALL_SPEAKING);
    assert_string_equal(buf_z(&g->log), "");
    caller_speaks(g, 260); /* still speaking when the answer ends: that is a turn */
    assert_int_equal(g->fs.played[2], 30);
    assert_string_equal(buf_z(&g->log), "turn started;");
    pass(g, 900);
    assert_string_equal(buf_z(&g->log), "turn started;turn ended;");
    is_state(g, CALL_THINKING);
}

static void a_secretary_may_forbid_interruption(void **state)
{
    struct call_rig *g = *state;
    g->wanted->barge_in = false;
    reach_speaking(g);
    caller_speaks(g, 400);
    is_state(g, CALL_SPEAKING);
    assert_null(strstr(buf_z(&g->log), "interrupt"));
    fs_digit(g, "5"); /* a key is meant */
    settle(g);
    is_state(g, CALL_THINKING);
}

static void the_start_of_the_greeting_may_be_protected(void **state)
{
    struct call_rig *g = *state;
    g->wanted->protect_ms = 2000;
    reach_greeting(g);
    answer(g, 1, 0, "Olá", 4000);
    caller_speaks(g, 600);
    is_state(g, CALL_GREETING);
    pass(g, 1600);
    caller_speaks(g, 400);
    is_state(g, CALL_LISTENING);
    assert_non_null(strstr(buf_z(&g->log), "interrupt 1 2"));
}

/* "Hello?", said into the moment before we speak. */
static void a_greeting_is_not_lost_to_a_word_before_it(void **state)
{
    struct call_rig *g = *state;
    reach_greeting(g);
    buf_reset(&g->log);
    caller_speaks(g, 400);
    pass(g, 1000);
    is_state(g, CALL_GREETING);
    assert_string_equal(buf_z(&g->log), "");
    answer(g, 1, 0, "Olá", 1000);
    pass(g, 1100);
    is_state(g, CALL_LISTENING);
}

static void an_unheard_answer_is_not_written(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    answer(g, 2, 0, "Nunca ouvida", 1000);
    fs_digit(g, "1");
    settle(g);
    assert_non_null(strstr(buf_z(&g->log), "interrupt 2 0;digit 1;"));
    answer(g, 3, 0, "Esta também não", 1000);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    lines_are(g, "agent|Olá, bom dia\ncaller|1\n");
}

/* Two answers in a row; the line ends in the first. */
static void of_two_answers_the_one_that_was_heard_is_written(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    answer(g, 2, 0, "Primeira resposta dada agora", 400);
    answer(g, 3, 0, "Segunda resposta", 1200);
    pass(g, 200);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    lines_are(g, "agent|Olá, bom dia\nagent|Primeira…\n");
}

static void two_answers_in_a_row_are_both_written(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    answer(g, 2, 0, "Primeira", 100);
    answer(g, 3, 0, "Segunda", 100);
    pass(g, 300);
    is_state(g, CALL_LISTENING);
    g->h->on_transcript(g->arg, SPEAKER_CALLER, 0, "obrigado");
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    lines_are(g, "agent|Olá, bom dia\nagent|Primeira\nagent|Segunda\ncaller|obrigado\n");
    assert_string_equal(query(g, "SELECT length_ms FROM transcript_lines WHERE speaker = 'agent'"),
                        "200\n100\n100\n");
}

/* A text shorter than the mark that it was cut. */
static void a_short_text_is_cut_too(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    answer(g, 2, 0, "Sim e", 1000);
    pass(g, 900);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    lines_are(g, "agent|Olá, bom dia\nagent|Sim…\n");
}

/* An answer may come sentence by sentence: those that were heard are whole, the one that was being
 * heard is cut, the others were never said. */
static void an_answer_in_pieces_is_cut_in_the_piece_that_was_heard(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    answer_begin(g, 2, 0, "Primeira frase.", 100);
    g->h->on_transcript(g->arg, SPEAKER_AGENT, 2, "A segunda dura muito mais tempo.");
    answer_audio(g, 2, 1000);
    g->h->on_transcript(g->arg, SPEAKER_AGENT, 2, "Da terceira nada.");
    answer_audio(g, 2, 100);
    g->h->on_answer_done(g->arg, 2);
    pass(g, 600);
    fs_digit(g, "1");
    settle(g);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    lines_are(g, "agent|Olá, bom dia\nagent|Primeira frase. A segunda dura…\ncaller|1\n");
}

static void an_answer_in_pieces_heard_to_its_end_is_one_line(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    answer_begin(g, 2, 0, "Um.", 40);
    for (int i = 0; i < CALL_PIECES_MAX + 2; i++) {
        g->h->on_transcript(g->arg, SPEAKER_AGENT, 2, "E.");
        answer_audio(g, 2, 20);
    }
    g->h->on_answer_done(g->arg, 2);
    pass(g, 2000);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    lines_are(g, "agent|Olá, bom dia\nagent|Um. E. E. E. E. E. E. E. E. E. E. E. E. E. E. E. E. E. E. "
                 "E. E. E. E. E. E. E. E.\n");
}

/* Texts that come when nobody will hear them any more must not use up the room for others. */
static void late_texts_do_not_crowd_out_others(void **state)
{
    struct call_rig *g = *state;
    reach_listening(g);
    answer(g, 2, 0, NULL, 100);
    pass(g, 40);
    fs_digit(g, "1");
    settle(g);
    for (int i = 0; i < CALL_LINES_MAX; i++)
        g->h->on_transcript(g->arg, SPEAKER_AGENT, 2, "tarde demais");
    answer(g, 20, 0, "Ouvida", 100);
    pass(g, 200);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    assert_string_equal(query(g, "SELECT text FROM transcript_lines WHERE text = 'Ouvida'"),
                        "Ouvida\n");
}

/* The text of an answer may come when all of it was heard. */
static void a_text_behind_its_audio_is_written(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    answer(g, 2, 0, NULL, 100);
    pass(g, 200);
    is_state(g, CALL_LISTENING);
    g->h->on_transcript(g->arg, SPEAKER_AGENT, 2, "Veio depois");
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    lines_are(g, "agent|Olá, bom dia\nagent|Veio depois\n");
}

/* ---- who hears turns --------------------------------------------------------------------------
 */

static void the_calls_vad_tells_turns(void **state)
{
    struct call_rig *g = *state;
    reach_listening(g);
    buf_reset(&g->log);
    caller_speaks(g, 400);
    assert_string_equal(buf_z(&g->log), "turn started;");
    g->h->on_speech(g->arg, TURN_ENDED); /* not its business */
    assert_string_equal(buf_z(&g->log), "turn started;");
    pass(g, 900);
    assert_string_equal(buf_z(&g->log), "turn started;turn ended;");
    is_state(g, CALL_THINKING);
}

static void a_provider_that_hears_turns_is_believed(void **state)
{
    struct call_rig *g = *state;
    g->detects_turns = true;
    reach_listening(g);
    caller_speaks(g, 400); /* our own ear has no say */
    pass(g, 900);
    is_state(g, CALL_LISTENING);
    g->h->on_speech(g->arg, TURN_STARTED);
    g->h->on_speech(g->arg, TURN_ENDED);
    is_state(g, CALL_THINKING);
    answer(g, 2, 0, "Sim, claro", 1000);
    pass(g, 200);
    caller_speaks(g, 400);
    is_state(g, CALL_SPEAKING);
    g->h->on_speech(g->arg, TURN_STARTED);
    is_state(g, CALL_LISTENING);
    assert_null(strstr(buf_z(&g->log), "turn ")); /* it knows */
    assert_int_equal(the_call(g)->record.turns, 1);
}

/* Its idea of a pause is for a conversation; a message has its own. */
static void a_message_ends_by_our_ear_alone(void **state)
{
    struct call_rig *g = *state;
    g->detects_turns = true;
    reach_listening(g);
    g->h->on_speech(g->arg, TURN_STARTED);
    g->h->on_speech(g->arg, TURN_ENDED);
    tool(g, 1, TOOL_TAKE_MESSAGE, "");
    pass(g, 260);
    caller_speaks(g, 1500);
    g->h->on_speech(g->arg, TURN_STARTED);
    g->h->on_speech(g->arg, TURN_ENDED);
    caller_speaks(g, 1000);
    assert_true(the_call(g)->message.open);
    pass(g, 2700);
    until(g, &g->log, "result 1 VA_OK;");
}

/* ---- digits -----------------------------------------------------------------------------------
 */

static void a_digit_interrupts_and_is_told(void **state)
{
    struct call_rig *g = *state;
    reach_speaking(g);
    buf_reset(&g->log);
    fs_digit(g, "%23");
    settle(g);
    assert_string_equal(buf_z(&g->log), "interrupt 2 220;digit #;");
    is_state(g, CALL_THINKING);
    fs_digit(g, "*");
    fs_digit(g, "12"); /* none we know */
    fs_digit(g, "");
    settle(g);
    assert_string_equal(buf_z(&g->log), "interrupt 2 220;digit #;digit *;");
    assert_int_equal(the_call(g)->record.turns, 3);
}

/* ---- transfer ---------------------------------------------------------------------------------
 */

static void announce(struct call_rig *g, const char *who)
{
    g->fs.hold_execute = true;
    reach_thinking(g);
    answer(g, 2, ANSWER_PROTECTED, "Vou transferir", 300);
    tool(g, 7, TOOL_TRANSFER, who);
    pass(g, 260);
    is_state(g, CALL_SPEAKING);
    assert_int_equal(g->fs.transfer_us, 0);
    pass(g, 260);
    is_state(g, CALL_TRANSFERRING);
    assert_int_equal(g->fs.played[2], 15);
    assert_true(g->fs.transfer_us >= g->fs.last_loud_us + CALL_IN_FLIGHT_MS * 1000 - 20000);
}

static void a_transfer_runs_behind_its_announcement(void **state)
{
    struct call_rig *g = *state;
    announce(g, "vendas");
    assert_non_null(strstr(buf_z(&g->fs.log), ";transfer 201;"));
    fs_completes(g);
    outcome_is(g, "transferred||201\n");
    lines_are(g, "agent|Olá, bom dia\nagent|Vou transferir\nsystem|201\n");
    assert_null(strstr(buf_z(&g->log), "result"));
}

static void a_transfer_may_name_a_context(void **state)
{
    struct call_rig *g = *state;
    announce(g, "SUPORTE");
    assert_non_null(strstr(buf_z(&g->fs.log), ";transfer 202 XML other;"));
    fs_channel_event(g, "CHANNEL_UNPARK", "");
    outcome_is(g, "transferred||202\n");
}

static void the_end_of_the_socket_is_a_transfer_too(void **state)
{
    struct call_rig *g = *state;
    announce(g, "vendas");
    fs_says(g, FS_BYE);
    outcome_is(g, "transferred||201\n");
}

static void a_destination_nobody_knows_is_told(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    tool(g, 7, TOOL_TRANSFER, "marte");
    pass(g, 200);
    is_state(g, CALL_THINKING);
    assert_non_null(strstr(buf_z(&g->log), "result 7 VA_ENOTFOUND;"));
    assert_null(strstr(buf_z(&g->fs.log), "transfer"));
    answer(g, 2, 0, "Não conheço", 100);
    pass(g, 140);
    is_state(g, CALL_LISTENING);
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
}

static void a_transfer_that_takes_too_long_is_told(void **state)
{
    struct call_rig *g = *state;
    announce(g, "vendas");
    pass(g, 5100);
    assert_non_null(strstr(buf_z(&g->log), "result 7 VA_ETIMEOUT;"));
    is_state(g, CALL_THINKING);
    assert_string_equal(the_call(g)->record.destination, "");
}

static void an_interrupted_announcement_cancels_its_tool(void **state)
{
    struct call_rig *g = *state;
    reach_speaking(g);
    tool(g, 3, TOOL_TRANSFER, "vendas");
    tool(g, 4, TOOL_TAKE_MESSAGE, ""); /* one at a time */
    assert_non_null(strstr(buf_z(&g->log), "result 4 VA_ELIMIT;"));
    caller_speaks(g, 400);
    is_state(g, CALL_LISTENING);
    assert_non_null(strstr(buf_z(&g->log), "result 3 VA_ECANCELED;"));
    pass(g, 2000);
    assert_null(strstr(buf_z(&g->fs.log), "transfer"));
}

static void a_tool_asked_for_with_the_greeting_runs_behind_it(void **state)
{
    struct call_rig *g = *state;
    g->fs.hold_execute = true;
    reach_greeting(g);
    answer(g, 1, 0, "Olá, vou transferir", 200);
    tool(g, 1, TOOL_TRANSFER, "vendas");
    pass(g, 400);
    is_state(g, CALL_TRANSFERRING);
    assert_non_null(strstr(buf_z(&g->fs.log), ";transfer 201;"));
}

static void a_tool_in_the_callers_turn_is_cancelled(void **state)
{
    struct call_rig *g = *state;
    reach_listening(g);
    tool(g, 1, TOOL_TRANSFER, "vendas");
    assert_non_null(strstr(buf_z(&g->log), "result 1 VA_ECANCELED;"));
    is_state(g, CALL_LISTENING);
}

/* A tool that cannot run any more is told so, and the farewell goes on. */
static void a_tool_on_the_way_out_is_cancelled(void **state)
{
    struct call_rig *g = *state;
    g->wanted->silence_ms = 1000;
    g->wanted->silence_prompts = 0;
    reach_listening(g);
    pass(g, 1050);
    answer(g, 2, ANSWER_PROTECTED, "Tchau", 100);
    tool(g, 1, TOOL_TRANSFER, "vendas");
    pass(g, 400);
    assert_non_null(strstr(buf_z(&g->log), "result 1 VA_ECANCELED;"));
    assert_int_not_equal(g->fs.hangup_us, 0);
    assert_null(strstr(buf_z(&g->fs.log), "transfer"));
}

static void lines_are_published_when_wanted(void **state)
{
    struct call_rig *g = *state;
    g->settings.publish_transcript = true;
    reach_listening(g);
    settle(g);
    assert_non_null(strstr(buf_z(&g->fs.log), "sendevent CUSTOM;"));
}

int main(int argc, char **argv)
{
    rig_main(argc, argv);
    const struct CMUnitTest tests[] = {
        RIG_TEST(the_caller_may_interrupt),
        RIG_TEST(a_protected_answer_is_not_interrupted),
        RIG_TEST(a_secretary_may_forbid_interruption),
        RIG_TEST(the_start_of_the_greeting_may_be_protected),
        RIG_TEST(a_greeting_is_not_lost_to_a_word_before_it),
        RIG_TEST(an_unheard_answer_is_not_written),
        RIG_TEST(of_two_answers_the_one_that_was_heard_is_written),
        RIG_TEST(two_answers_in_a_row_are_both_written),
        RIG_TEST(a_short_text_is_cut_too),
        RIG_TEST(an_answer_in_pieces_is_cut_in_the_piece_that_was_heard),
        RIG_TEST(an_answer_in_pieces_heard_to_its_end_is_one_line),
        RIG_TEST(late_texts_do_not_crowd_out_others),
        RIG_TEST(a_text_behind_its_audio_is_written),
        RIG_TEST(the_calls_vad_tells_turns),
        RIG_TEST(a_provider_that_hears_turns_is_believed),
        RIG_TEST(a_message_ends_by_our_ear_alone),
        RIG_TEST(a_digit_interrupts_and_is_told),
        RIG_TEST(a_transfer_runs_behind_its_announcement),
        RIG_TEST(a_transfer_may_name_a_context),
        RIG_TEST(the_end_of_the_socket_is_a_transfer_too),
        RIG_TEST(a_destination_nobody_knows_is_told),
        RIG_TEST(a_transfer_that_takes_too_long_is_told),
        RIG_TEST(an_interrupted_announcement_cancels_its_tool),
        RIG_TEST(a_tool_asked_for_with_the_greeting_runs_behind_it),
        RIG_TEST(a_tool_in_the_callers_turn_is_cancelled),
        RIG_TEST(a_tool_on_the_way_out_is_cancelled),
        RIG_TEST(lines_are_published_when_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
