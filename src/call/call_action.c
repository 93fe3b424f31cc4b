/* Ways out of a call: farewell, transfer, back to the dialplan; and what happened to us. */
#include "call/call_int.h"

#include <stdio.h>

enum { HANGUP_MS = 5000 /* FreeSWITCH's time to end the channel */ };

static void quiet(struct call *c)
{
    call_media_interrupt(c);
    c->tool_pending = c->tool_running = false;
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

static void on_hangup_refused(void *arg, const struct esl_result *r)
{
    struct call *c = arg;
    if (r->err)
        log_warn("call", &c->log, "hangup-refused", "why", va_err_text(r->err), NULL);
}

static void hang_up_now(void *arg)
{
    struct call *c = arg;
    c->hanging_up = true;
    call_stuck_after(c, HANGUP_MS);
    if (esl_session_hangup(c->control, "NORMAL_CLEARING",
                           &(struct esl_then){on_hangup_refused, c, 0}))
        call_fire(c, EV_CONTROL_LOST);
}

/* The last word left us, but it is still on its way through FreeSWITCH to the caller's ear. */
void call_act_hangup(struct call *c)
{
    if (!c->hanging_up)
        tmr_start(&c->later, c->loop, CALL_IN_FLIGHT_MS, hang_up_now, c);
}

/* ---- transfer ---------------------------------------------------------------------------------
 */

static void on_transfer_result(void *arg, const struct esl_result *r)
{
    struct call *c = arg;
    if (c->state != CALL_TRANSFERRING || !r->done)
        return;
    if (r->err == VA_OK) {
        call_fire(c, EV_LEG_GONE);
        return;
    }
    if (r->err == VA_ECANCELED || r->err == VA_ECLOSED)
        return; /* hang-up or end of the socket: their own events tell */
    log_warn("call", &c->log, "transfer-failed", "destination", c->tool_destination, "why",
             log_str(r->text), NULL);
    *c->record.destination = 0;
    call_tool_done(c, r->err);
}

static void transfer_now(void *arg)
{
    struct call *c = arg;
    const struct destination *d = secretary_find_destination(c->secretary, c->tool_destination);
    if (!d) {
        call_tool_done(c, VA_ENOTFOUND);
        return;
    }
    char line[256];
    int n = *d->context ? snprintf(line, sizeof(line), "%s XML %s", d->number, d->context)
                        : snprintf(line, sizeof(line), "%s", d->number);
    (void)str_copy(c->record.destination, sizeof(c->record.destination), str_of(d->number));
    call_line_say(c, SPEAKER_SYSTEM, line);
    call_event_log(c, "transfer", "destination", line);
    /* With socket_resume=true (many dialplans) FreeSWITCH 1.10.12 resets whatever the channel does
     * by the time our socket closes: the transferred caller would hear nothing for ever. */
    enum va_err err = esl_session_setvar(c->control, "socket_resume", str_of("false"), NULL);
    struct esl_execute x = {.app = "transfer", .arg = str_make(line, (size_t)n)};
    if (!err)
        err = esl_session_execute(c->control, &x, &(struct esl_then){on_transfer_result, c, 5000});
    if (err) {
        *c->record.destination = 0;
        call_tool_done(c, err);
    }
}

void call_act_transfer(struct call *c)
{
    tmr_start(&c->later, c->loop, CALL_IN_FLIGHT_MS, transfer_now, c);
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
    tmr_start(&c->later, c->loop, CALL_IN_FLIGHT_MS, give_back_now, c);
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
    else if (c->hung_up)
        outcome = CALL_CALLER_HUNG_UP;
    else if (*c->record.destination)
        outcome = CALL_TRANSFERRED;
    call_finish(c, outcome);
}

void call_act_lost(struct call *c)
{
    call_finish(c, c->hanging_up ? CALL_COMPLETED : CALL_LOST);
}
