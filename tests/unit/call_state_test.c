/* call/state: what must hold of the table whatever is added to it. */
#include "call/state.h"

#include "unit/unit.h"

#include <stdbool.h>

static bool leads(enum call_state state, enum call_event event)
{
    return call_rule_find(state, event)->allowed;
}

static enum call_state next_of(enum call_state state, enum call_event event)
{
    return (enum call_state)call_rule_find(state, event)->next;
}

#define EACH_STATE(s) for (enum call_state s = 0; s < CALL_STATE_COUNT; s++)
#define EACH_EVENT(e) for (enum call_event e = 0; e < EV_COUNT; e++)

static void names_are_complete_and_differ(void **state)
{
    (void)state;
    EACH_STATE(s)
    {
        assert_non_null(call_state_name(s));
        assert_true(strlen(call_state_name(s)) > 2);
        for (enum call_state t = 0; t < s; t++)
            assert_string_not_equal(call_state_name(s), call_state_name(t));
    }
    EACH_EVENT(e)
    {
        assert_non_null(call_event_name(e));
        for (enum call_event t = 0; t < e; t++)
            assert_string_not_equal(call_event_name(e), call_event_name(t));
    }
}

static void ended_is_the_end(void **state)
{
    (void)state;
    EACH_EVENT(e) assert_false(leads(CALL_ENDED, e));
}

/* Whatever happens to the channel, the socket, the audio or the provider ends the call. */
static void every_state_survives_the_end_of_its_parts(void **state)
{
    (void)state;
    static const enum call_event ends[] = {EV_LEG_GONE, EV_CONTROL_LOST, EV_MEDIA_FAILED,
                                           EV_PROVIDER_FAILED};
    EACH_STATE(s)
    {
        if (s == CALL_ENDED)
            continue;
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
            assert_true(leads(s, ends[i]));
            assert_int_equal(next_of(s, ends[i]), CALL_ENDED);
            assert_non_null(call_rule_find(s, ends[i])->action);
        }
    }
}

/* Only an action releases what the call holds. */
static void nothing_ends_without_an_action(void **state)
{
    (void)state;
    EACH_STATE(s)
    EACH_EVENT(e)
    {
        const struct call_rule *r = call_rule_find(s, e);
        assert_true(r->next < CALL_STATE_COUNT);
        if (r->allowed && r->next == CALL_ENDED)
            assert_non_null(r->action);
        if (!r->allowed)
            assert_null(r->action);
    }
}

static void every_state_is_reachable(void **state)
{
    (void)state;
    bool seen[CALL_STATE_COUNT] = {[CALL_CONNECTING] = true};
    for (int round = 0; round < CALL_STATE_COUNT; round++)
        EACH_STATE(s)
    EACH_EVENT(e) if (seen[s] && leads(s, e)) seen[next_of(s, e)] = true;
    EACH_STATE(s) assert_true(seen[s]);
}

static void only_ready_leaves_connecting_for_the_conversation(void **state)
{
    (void)state;
    EACH_EVENT(e)
    {
        if (e != EV_READY && leads(CALL_CONNECTING, e))
            assert_int_equal(next_of(CALL_CONNECTING, e), CALL_ENDED);
        EACH_STATE(s) if (s != CALL_CONNECTING && e == EV_READY) assert_false(leads(s, e));
    }
    assert_int_equal(next_of(CALL_CONNECTING, EV_READY), CALL_GREETING);
}

/* On the way out nobody comes back to talk, but by a tool that failed. */
static void the_way_out_is_not_interrupted(void **state)
{
    (void)state;
    static const enum call_state out[] = {CALL_TRANSFERRING, CALL_RETURNING, CALL_ENDING};
    static const enum call_event deaf[] = {EV_TURN_STARTED, EV_TURN_ENDED,  EV_DIGIT,
                                           EV_SILENCE,      EV_TIME_UP,     EV_RUN_TRANSFER,
                                           EV_RUN_MESSAGE,  EV_SILENCE_LAST};
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < sizeof(deaf) / sizeof(deaf[0]); k++)
            assert_false(leads(out[i], deaf[k]));
        EACH_EVENT(e)
        {
            bool goes_on = e == EV_TOOL_RESULT || e == EV_RINGS || e == EV_JOINED;
            if (!leads(out[i], e) || (out[i] == CALL_TRANSFERRING && goes_on))
                continue;
            assert_true(next_of(out[i], e) == out[i] || next_of(out[i], e) == CALL_ENDED);
        }
        assert_true(leads(out[i], EV_STUCK)); /* somebody else must act: not for ever */
    }
}

static void a_message_is_not_disturbed(void **state)
{
    (void)state;
    static const enum call_event deaf[] = {EV_TURN_STARTED, EV_TURN_ENDED, EV_ANSWER,
                                           EV_SILENCE,      EV_TIME_UP,    EV_DRAINED};
    for (size_t k = 0; k < sizeof(deaf) / sizeof(deaf[0]); k++)
        assert_false(leads(CALL_MESSAGE, deaf[k]));
    assert_int_equal(next_of(CALL_MESSAGE, EV_DRAIN), CALL_MESSAGE);
    assert_int_equal(next_of(CALL_MESSAGE, EV_TOOL_RESULT), CALL_THINKING);
    assert_int_equal(next_of(CALL_MESSAGE, EV_STUCK), CALL_MESSAGE); /* its action tells the tool */
}

/* A state in which we wait for somebody else's word has a longest time. */
static void waiting_for_others_is_bounded(void **state)
{
    (void)state;
    static const enum call_state waiting[] = {CALL_CONNECTING,   CALL_GREETING,  CALL_THINKING,
                                              CALL_TRANSFERRING, CALL_RETURNING, CALL_ENDING,
                                              CALL_SPEAKING};
    for (size_t i = 0; i < sizeof(waiting) / sizeof(waiting[0]); i++)
        assert_true(leads(waiting[i], EV_STUCK));
    assert_true(leads(CALL_HELD, EV_TURN_FALSE)); /* of its own clock */
    assert_true(leads(CALL_LISTENING, EV_SILENCE));
    assert_true(leads(CALL_LISTENING, EV_SILENCE_LAST));
}

static void a_conversation_can_always_be_closed(void **state)
{
    (void)state;
    static const enum call_state talking[] = {CALL_GREETING, CALL_LISTENING, CALL_THINKING,
                                              CALL_SPEAKING, CALL_HELD};
    for (size_t i = 0; i < sizeof(talking) / sizeof(talking[0]); i++) {
        assert_int_equal(next_of(talking[i], EV_TIME_UP), CALL_ENDING);
        assert_int_equal(next_of(talking[i], EV_DRAIN), CALL_RETURNING);
        assert_int_equal(next_of(talking[i], EV_DIGIT), CALL_THINKING);
        assert_true(leads(talking[i], EV_ANSWER));
        assert_true(leads(talking[i], EV_TURN_STARTED));
    }
    EACH_STATE(s)
    if (s != CALL_ENDED && s != CALL_TRANSFERRING && s != CALL_RETURNING && s != CALL_ENDING)
        assert_true(leads(s, EV_DRAIN));
}

/* Whatever a sound into an answer turns out to be has a way out, and only such a sound leads in. */
static void a_held_answer_is_ended_or_goes_on(void **state)
{
    (void)state;
    EACH_STATE(s)
    EACH_EVENT(e)
    {
        if (leads(s, e) && s != CALL_HELD && next_of(s, e) == CALL_HELD) {
            assert_int_equal(e, EV_SOUND);
            assert_true(s == CALL_GREETING || s == CALL_SPEAKING);
        }
        if (e == EV_SOUND && s != CALL_GREETING && s != CALL_SPEAKING)
            assert_false(leads(s, e));
    }
    assert_int_equal(next_of(CALL_HELD, EV_TURN_FALSE), CALL_SPEAKING);
    assert_int_equal(next_of(CALL_HELD, EV_TURN_STARTED), CALL_LISTENING);
    assert_int_equal(next_of(CALL_HELD, EV_ANSWER), CALL_HELD);
    /* Nothing plays there, so nothing drains and nothing runs behind it. */
    static const enum call_event never[] = {EV_DRAINED, EV_RUN_TRANSFER, EV_RUN_MESSAGE,
                                            EV_RUN_END, EV_SILENCE,      EV_TURN_ENDED};
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        assert_false(leads(CALL_HELD, never[i]));
    assert_int_equal(next_of(CALL_THINKING, EV_TURN_FALSE), CALL_LISTENING);
    assert_int_equal(next_of(CALL_LISTENING, EV_TURN_FALSE), CALL_LISTENING);
}

static void tools_run_only_where_we_speak(void **state)
{
    (void)state;
    static const struct {
        enum call_event event;
        enum call_state next;
    } tools[] = {{EV_RUN_TRANSFER, CALL_TRANSFERRING},
                 {EV_RUN_MESSAGE, CALL_MESSAGE},
                 {EV_RUN_END, CALL_ENDING}};
    for (size_t i = 0; i < 3; i++) {
        EACH_STATE(s)
        {
            bool may = s == CALL_THINKING || s == CALL_SPEAKING || s == CALL_GREETING;
            assert_int_equal(leads(s, tools[i].event), may);
            if (may)
                assert_int_equal(next_of(s, tools[i].event), tools[i].next);
        }
    }
    EACH_STATE(s)
    assert_int_equal(leads(s, EV_TOOL_RESULT), s == CALL_MESSAGE || s == CALL_TRANSFERRING ||
                                                   s == CALL_RINGING || s == CALL_WITH_HUMAN);
}

/* On the way to somebody, and with him, the conversation is deaf; and all of it leads back. */
static void who_is_on_his_way_is_not_talked_to(void **state)
{
    (void)state;
    static const enum call_state away[] = {CALL_TRANSFERRING, CALL_RINGING, CALL_WITH_HUMAN};
    static const enum call_event deaf[] = {
        EV_TURN_STARTED, EV_TURN_ENDED,   EV_ANSWER,      EV_SOUND,        EV_SILENCE,
        EV_TIME_UP,      EV_RUN_TRANSFER, EV_RUN_MESSAGE, EV_SILENCE_LAST, EV_RUN_END};
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < sizeof(deaf) / sizeof(deaf[0]); k++)
            assert_false(leads(away[i], deaf[k]));
        assert_int_equal(next_of(away[i], EV_TOOL_RESULT), CALL_THINKING);
    }
    assert_int_equal(next_of(CALL_RINGING, EV_DIGIT), CALL_RINGING);
    assert_int_equal(next_of(CALL_RINGING, EV_DRAIN), CALL_RINGING);
    assert_int_equal(next_of(CALL_RINGING, EV_REACHED), CALL_TRANSFERRING);
    assert_int_equal(next_of(CALL_WITH_HUMAN, EV_DRAIN), CALL_ENDED);
    assert_false(leads(CALL_WITH_HUMAN, EV_DIGIT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_complete_and_differ),
        cmocka_unit_test(ended_is_the_end),
        cmocka_unit_test(every_state_survives_the_end_of_its_parts),
        cmocka_unit_test(nothing_ends_without_an_action),
        cmocka_unit_test(every_state_is_reachable),
        cmocka_unit_test(only_ready_leaves_connecting_for_the_conversation),
        cmocka_unit_test(the_way_out_is_not_interrupted),
        cmocka_unit_test(a_message_is_not_disturbed),
        cmocka_unit_test(waiting_for_others_is_bounded),
        cmocka_unit_test(a_conversation_can_always_be_closed),
        cmocka_unit_test(a_held_answer_is_ended_or_goes_on),
        cmocka_unit_test(tools_run_only_where_we_speak),
        cmocka_unit_test(who_is_on_his_way_is_not_talked_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
