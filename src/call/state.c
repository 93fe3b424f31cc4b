/*
 *   CONNECTING ─ready─► GREETING ─drained─► LISTENING ◄──────────────┐
 *                          │ barge-in ───────►│  │turn ended, digit   │drained
 *                          │                  │  ▼                    │
 *                          │                  │ THINKING ─answer─► SPEAKING ──► MESSAGE ─► THINKING
 *                          │                  │                       │  └─► TRANSFERRING ─► ENDED
 *                          └─time up, silence─┴──────► ENDING ─► ENDED
 *
 *   TRANSFERRING ─rings─► RINGING ─reached─► TRANSFERRING ─joined─► WITH_HUMAN ─he hung up─►
 * THINKING └─busy, no answer, `*`─► THINKING
 *
 *   GREETING, SPEAKING ─sound─► HELD ─speech─► LISTENING    anywhere: the channel goes away or the
 *                                └──no words─► SPEAKING     control socket dies ─► ENDED
 *
 * An event with no cell is ignored (and traced).
 */
#include "call/call_int.h"

#define TO(state_, action_)                                                                        \
    {                                                                                              \
        1, CALL_##state_, action_                                                                  \
    }

/* What ends a call from any state that still has a channel. */
#define ALWAYS                                                                                     \
    [EV_LEG_GONE] = TO(ENDED, call_act_gone), [EV_CONTROL_LOST] = TO(ENDED, call_act_lost),        \
    [EV_MEDIA_FAILED] = TO(ENDED, call_act_return),                                                \
    [EV_PROVIDER_FAILED] = TO(ENDED, call_act_return)

/* What may come while the conversation runs. */
#define CONVERSING                                                                                 \
    ALWAYS, [EV_TIME_UP] = TO(ENDING, call_act_time_up),                                           \
            [EV_DRAIN] = TO(RETURNING, call_act_hold_on)

static const struct call_rule table[CALL_STATE_COUNT][EV_COUNT] =
    {
        [CALL_CONNECTING] =
            {
                ALWAYS,
                [EV_READY] = TO(GREETING, call_act_greet),
                [EV_DRAIN] = TO(ENDED, call_act_return),
                [EV_STUCK] = TO(ENDED, call_act_return),
            },
        [CALL_GREETING] =
            {
                CONVERSING,
                [EV_ANSWER] = TO(GREETING, NULL),
                [EV_DRAINED] = TO(LISTENING, call_act_listen),
                [EV_SOUND] = TO(HELD, call_act_hold),
                [EV_TURN_STARTED] = TO(LISTENING, call_act_barge_in),
                [EV_DIGIT] = TO(THINKING, call_act_digit),
                [EV_RUN_TRANSFER] = TO(TRANSFERRING, call_act_transfer),
                [EV_RUN_MESSAGE] = TO(MESSAGE, call_act_message),
                [EV_RUN_END] = TO(ENDING, call_act_hangup),
                [EV_STUCK] = TO(ENDED, call_act_return),
            },
        [CALL_LISTENING] =
            {
                CONVERSING,
                [EV_ANSWER] = TO(SPEAKING, call_act_speak),
                [EV_TURN_STARTED] = TO(LISTENING, call_act_turn_started),
                [EV_TURN_ENDED] = TO(THINKING, call_act_think),
                [EV_TURN_FALSE] = TO(LISTENING, call_act_listen),
                [EV_DIGIT] = TO(THINKING, call_act_digit),
                [EV_SILENCE] = TO(THINKING, call_act_still_there),
                [EV_SILENCE_LAST] = TO(ENDING, call_act_farewell),
            },
        [CALL_THINKING] =
            {
                CONVERSING,
                [EV_ANSWER] = TO(SPEAKING, call_act_speak),
                [EV_TURN_STARTED] = TO(LISTENING, call_act_turn_started),
                [EV_TURN_FALSE] = TO(LISTENING, call_act_listen),
                [EV_DIGIT] = TO(THINKING, call_act_digit),
                [EV_RUN_TRANSFER] = TO(TRANSFERRING, call_act_transfer),
                [EV_RUN_MESSAGE] = TO(MESSAGE, call_act_message),
                [EV_RUN_END] = TO(ENDING, call_act_hangup),
                [EV_STUCK] = TO(ENDED, call_act_return),
            },
        [CALL_SPEAKING] =
            {
                CONVERSING,
                [EV_ANSWER] = TO(SPEAKING, call_act_speak),
                [EV_DRAINED] = TO(LISTENING, call_act_listen),
                [EV_SOUND] = TO(HELD, call_act_hold),
                [EV_TURN_STARTED] = TO(LISTENING, call_act_barge_in),
                [EV_DIGIT] = TO(THINKING, call_act_digit),
                [EV_RUN_TRANSFER] = TO(TRANSFERRING, call_act_transfer),
                [EV_RUN_MESSAGE] = TO(MESSAGE, call_act_message),
                [EV_RUN_END] = TO(ENDING, call_act_hangup),
                [EV_STUCK] = TO(ENDED, call_act_return),
            },
        [CALL_HELD] =
            {
                CONVERSING,
                [EV_ANSWER] = TO(HELD, NULL), /* waits behind the one that is held */
                [EV_TURN_STARTED] = TO(LISTENING, call_act_barge_in),
                [EV_TURN_FALSE] = TO(SPEAKING, call_act_go_on),
                [EV_DIGIT] = TO(THINKING, call_act_digit),
            },
        [CALL_MESSAGE] =
            {
                ALWAYS,
                [EV_DRAIN] = TO(MESSAGE, NULL), /* a message is bounded: let it be finished */
                [EV_DIGIT] = TO(MESSAGE, call_act_message_digit),
                [EV_TOOL_RESULT] = TO(THINKING, call_act_wait_answer),
                [EV_STUCK] = TO(MESSAGE, call_act_message_stuck),
            },
        [CALL_TRANSFERRING] =
            {
                ALWAYS,
                [EV_RINGS] = TO(RINGING, call_act_ring),
                [EV_JOINED] = TO(WITH_HUMAN, call_act_with_human),
                [EV_TOOL_RESULT] = TO(THINKING, call_act_wait_answer),
                [EV_STUCK] = TO(ENDED, call_act_return),
            },
        [CALL_RINGING] =
            {
                [EV_LEG_GONE] = TO(ENDED, call_act_ring_gone),
                [EV_CONTROL_LOST] = TO(ENDED, call_act_lost),
                [EV_MEDIA_FAILED] = TO(ENDED, call_act_return),
                [EV_PROVIDER_FAILED] = TO(ENDED, call_act_return),
                [EV_DRAIN] = TO(RINGING, NULL), /* it rings for a bounded time */
                [EV_DIGIT] = TO(RINGING, call_act_ring_digit),
                [EV_REACHED] = TO(TRANSFERRING, call_act_join),
                [EV_TOOL_RESULT] = TO(THINKING, call_act_wait_answer),
            },
        [CALL_WITH_HUMAN] =
            {
                [EV_LEG_GONE] = TO(ENDED, call_act_leave_together),
                [EV_CONTROL_LOST] = TO(ENDED, call_act_leave_together),
                [EV_PROVIDER_FAILED] = TO(ENDED, call_act_leave_together),
                [EV_MEDIA_FAILED] = TO(ENDED, call_act_return), /* back, and nothing to hear */
                [EV_DRAIN] = TO(ENDED, call_act_leave_together),
                [EV_TOOL_RESULT] = TO(THINKING, call_act_wait_answer),
            },
        [CALL_RETURNING] =
            {
                ALWAYS,
                [EV_ANSWER] = TO(RETURNING, NULL),
                [EV_DRAINED] = TO(RETURNING, call_act_give_back),
                [EV_STUCK] = TO(ENDED, call_act_return),
            },
        [CALL_ENDING] =
            {
                ALWAYS,
                [EV_ANSWER] = TO(ENDING, NULL),
                [EV_DRAINED] = TO(ENDING, call_act_hangup),
                [EV_STUCK] = TO(ENDED, call_act_return),
            },
};

const struct call_rule *call_rule_find(enum call_state state, enum call_event event)
{
    return &table[state][event];
}

const char *call_state_name(enum call_state state)
{
    static const char *const names[CALL_STATE_COUNT] = {
#define X(name) [CALL_##name] = #name,
        CALL_STATE_MAP(X)
#undef X
    };
    return names[state];
}

const char *call_event_name(enum call_event event)
{
    static const char *const names[EV_COUNT] = {
#define X(name) [EV_##name] = #name,
        CALL_EVENT_MAP(X)
#undef X
    };
    return names[event];
}
