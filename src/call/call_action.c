/* Ways out of a call: farewell, back to the dialplan; and what happened to us. */
#include "call/call_int.h"

enum {
    HANGUP_MS = 5000 /* FreeSWITCH's time to end the channel */
};

static void quiet(struct call *c)
{
    call_media_interrupt(c);
    call_cancel_tool(c); /* it would wait for the result before it says anything */
    c->tool_running = false;
    c->turn = CALL_TURN_NONE;
}

void call_act_wait_answer(struct call *c)
{
    c->turn_ended_us = 0;
}

/* ---- farewell and hang-up ---------------------------------------------------------------------
 */

void call_act_farewell(struct call *c)
{
    quiet(c);
    c->provider_ops->say(c->provider, SAY_FAREWELL);
}

void call_act_time_up(struct call *c)
{
    quiet(c);
    log_info("call", &c->log, "time-up", "max_s", log_num(c->secretary->max_duration_s), NULL);
    c->provider_ops->say(c->provider, SAY_TIME_UP);
}

static void hang_up_now(void *arg)
{
    struct call *c = arg;
    c->hanging_up = true;
    call_stuck_after(c, HANGUP_MS);
    if (c->control->ops->hangup(c->control, "NORMAL_CLEARING"))
        call_fire(c, EV_CONTROL_LOST);
}

/* The last word left us, but it is still on its way through FreeSWITCH to the caller's ear; a leg
 * may be ahead of it by more. */
uint64_t call_in_flight_ms(const struct call *c)
{
    struct leg_stats st = {0};
    if (c->leg)
        c->leg_ops->stats(c->leg, &st);
    return CALL_IN_FLIGHT_MS + st.lead_ms;
}

void call_act_hangup(struct call *c)
{
    if (!c->hanging_up)
        tmr_start(&c->later, c->loop, call_in_flight_ms(c), hang_up_now, c);
}

/* ---- back to the dialplan ---------------------------------------------------------------------
 */

void call_act_hold_on(struct call *c)
{
    quiet(c);
    c->provider_ops->say(c->provider, SAY_HOLD_ON);
}

static void give_back_now(void *arg)
{
    call_abort(arg);
}

/* As before a hang-up: the last word is still on its way to the caller's ear. */
void call_act_give_back(struct call *c)
{
    tmr_start(&c->later, c->loop, call_in_flight_ms(c), give_back_now, c);
}

void call_act_return(struct call *c)
{
    log_info("call", &c->log, "returned", "note", "the dialplan goes on with its next action",
             NULL);
    call_finish(c, CALL_RETURNED);
}

/* ---- what happened to us ----------------------------------------------------------------------
 */

void call_act_gone(struct call *c)
{
    enum call_outcome outcome = CALL_RETURNED;
    if (c->hanging_up)
        outcome = CALL_COMPLETED;
    else if (c->channel == CHANNEL_HUNG_UP)
        outcome = CALL_CALLER_HUNG_UP;
    else if (*c->record.destination)
        outcome = CALL_TRANSFERRED;
    call_finish(c, outcome);
}

void call_act_lost(struct call *c)
{
    call_finish(c, c->hanging_up ? CALL_COMPLETED : CALL_LOST);
}
