/* call/ with ai/chain: the conversation outlives its provider. Both names are the rig's provider.
 */
#include "unit/call_rig.h"

#include "ai/chain/chain.h"

static int set_up(void **state)
{
    rig_set_up(state);
    struct call_rig *g = *state;
    chain_health_forget();
    g->env.speaker = &provider_chain;
    g->settings.ai_connect_timeout_ms = 3000;
    g->settings.ai_first_audio_timeout_ms = 5000;
    g->settings.ai_stall_timeout_ms = 2500;
    assert_int_equal(secretary_set(&g->wanted->provider, "one"), VA_OK);
    assert_int_equal(secretary_list_add(&g->wanted->fallbacks, "two"), VA_OK);
    return 0;
}

/* The next one answers as its first answer; the caller hears it within a second. */
static void answers_within_a_second(struct call_rig *g, const char *say)
{
    assert_non_null(strstr(buf_z(&g->log), "close;open tester 8000;"));
    pass(g, 20);
    assert_non_null(strstr(buf_z(&g->log), say));
    uint64_t from = g->clock.mono;
    answer(g, 1, 0, "Abrimos às nove", 300);
    unsigned before = g->fs.played[1];
    while (g->fs.played[1] == before)
        pass(g, 5);
    assert_true(g->clock.mono - from <= 1000000);
}

static void death_in_mid_sentence(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    g->h->on_speech(g->arg, TURN_CONFIRMED);
    g->h->on_transcript(g->arg, SPEAKER_CALLER, 0, "que horas abre");
    answer_begin(g, 2, 0, NULL, 400);
    pass(g, 200);
    buf_reset(&g->log);
    g->h->on_failed(g->arg, VA_ECLOSED, "scripted");
    is_state(g, CALL_SPEAKING); /* what there is of it is heard */
    answers_within_a_second(g, "say answer;");
    pass(g, 700);
    is_state(g, CALL_LISTENING);
    assert_int_equal(g->fs.played[2], 20);
    caller_speaks(g, 600);
    pass(g, 1000);
    assert_non_null(strstr(buf_z(&g->log), "turn started;turn ended;"));
    answer(g, 2, 0, "Até logo", 100); /* its second, the call's fourth */
    pass(g, 200);
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
    lines_are(g, "agent|Olá, bom dia\ncaller|que horas abre\nagent|Abrimos às nove\n"
                 "agent|Até logo\n");
}

static void death_while_thinking(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    buf_reset(&g->log);
    g->h->on_failed(g->arg, VA_EIO, "scripted");
    answers_within_a_second(g, "say repeat;");
}

static void death_while_the_caller_speaks(void **state)
{
    struct call_rig *g = *state;
    reach_listening(g);
    caller_speaks(g, 400);
    buf_reset(&g->log);
    g->fs.voice = true;
    g->h->on_failed(g->arg, VA_EIO, "scripted");
    pass(g, 400);
    g->fs.voice = false;
    pass(g, 1000);
    assert_string_equal(buf_z(&g->log), "close;open tester 8000;turn started;turn ended;");
    is_state(g, CALL_THINKING);
}

static void death_of_a_held_answer(void **state)
{
    struct call_rig *g = *state;
    g->holds = true;
    reach_thinking(g);
    g->h->on_speech(g->arg, TURN_CONFIRMED);
    g->h->on_transcript(g->arg, SPEAKER_CALLER, 0, "que horas abre");
    answer_begin(g, 2, 0, NULL, 2000);
    pass(g, 400);
    caller_speaks(g, 200);
    is_state(g, CALL_HELD);
    buf_reset(&g->log);
    g->h->on_failed(g->arg, VA_EIO, "scripted");
    is_state(g, CALL_SPEAKING); /* nobody can tell what it was: it goes on */
    pass(g, 20);
    assert_string_equal(buf_z(&g->log), "close;open tester 8000;say answer;");
}

static void death_in_the_greeting(void **state)
{
    struct call_rig *g = *state;
    reach_greeting(g);
    answer_begin(g, 1, 0, NULL, 100);
    buf_reset(&g->log);
    g->h->on_failed(g->arg, VA_EIO, "scripted");
    answers_within_a_second(g, "say greeting;");
}

static void death_before_the_farewell(void **state)
{
    struct call_rig *g = *state;
    g->wanted->silence_ms = 1000;
    g->wanted->silence_prompts = 0;
    reach_listening(g);
    pass(g, 1050);
    is_state(g, CALL_ENDING);
    buf_reset(&g->log);
    g->h->on_failed(g->arg, VA_EIO, "scripted");
    pass(g, 20);
    assert_string_equal(buf_z(&g->log), "close;open tester 8000;say farewell;");
    answer(g, 1, ANSWER_PROTECTED, "Tchau", 100);
    pass(g, 400);
    assert_int_not_equal(g->fs.hangup_us, 0);
}

/* In every state: the call goes on, or ends as it would have. */
static void a_dead_provider_ends_no_call(void **state)
{
    for (enum call_state s = CALL_CONNECTING; s < CALL_ENDED; s++) {
        struct call_rig *g = *state;
        reach(g, s);
        g->h->on_failed(g->arg, VA_EIO, "scripted");
        pass(g, 40);
        assert_false(list_empty(&g->worker.calls));
        assert_int_equal(g->open, 1);
        fs_hangup(g, "NORMAL_CLEARING");
        until_gone(g);
        rig_tear_down(state);
        set_up(state);
    }
}

static void when_nobody_is_left_the_dialplan_goes_on(void **state)
{
    struct call_rig *g = *state;
    reach_listening(g);
    for (int i = 0; i < 3; i++) { /* one, two, attendant */
        g->h->on_failed(g->arg, VA_EIO, "scripted");
        settle(g);
    }
    outcome_is(g, "returned||\n");
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, rig_tear_down)

int main(int argc, char **argv)
{
    rig_main(argc, argv);
    const struct CMUnitTest tests[] = {
        T(death_in_mid_sentence),         T(death_while_thinking),
        T(death_while_the_caller_speaks), T(death_of_a_held_answer),
        T(death_in_the_greeting),         T(death_before_the_farewell),
        T(a_dead_provider_ends_no_call),  T(when_nobody_is_left_the_dialplan_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
