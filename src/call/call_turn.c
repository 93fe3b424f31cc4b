/*
 * Turns: what the provider says and asks, what the caller's voice means in each state.
 *
 *     caller ▁▁▂▆▇▆▇▂▁▁▁▁▁▁▁▁▁▁▁       agent is speaking ▇▇▇▇▇▇▇▇▇▇▇
 *               │started   │ended             caller ▁▁▁▁▂▆▇▆▇  │started: call_barge.c
 */
#include "call/call_int.h"

#include <stdio.h>
#include <stdlib.h>

static bool provider_detects_turns(const struct call *c)
{
    return c->provider_ops->caps(c->provider)->detects_turns;
}

/* ---- the provider's side ----------------------------------------------------------------------
 */

static void on_ready(void *arg)
{
    struct call *c = arg;
    c->provider_ready = true;
    call_maybe_ready(c);
}

static void on_answer(void *arg, uint32_t answer, unsigned flags)
{
    struct call *c = arg;
    if (!c->playout)
        return;
    if (c->state == CALL_MESSAGE || call_is_handed_over(c)) {
        /* out of turn: not into the message, nor in the place of the beep or the ringing */
        c->refused_answer = answer;
        c->provider_ops->interrupt(c->provider, answer, 0);
        return;
    }
    if (c->turn == CALL_TURN_OVER)
        call_words(c); /* it answers what we still wonder about */
    else if (c->state != CALL_HELD && provider_detects_turns(c))
        c->turn = CALL_TURN_NONE;
    c->last_answer = answer;
    c->open_answer = call_playout_id(answer);
    c->answer_flags = flags;
    call_fire(c, EV_ANSWER);
}

static void on_audio(void *arg, uint32_t answer, struct pcm *audio)
{
    struct call *c = arg;
    if (!c->playout || answer == c->refused_answer)
        return;
    enum va_err err = playout_write_shared(c->playout, call_playout_id(answer), audio);
    if (err && err != VA_ECANCELED)
        log_error("call", &c->log, "audio-dropped", "answer", log_num(answer), "why",
                  va_err_text(err), NULL);
}

static void on_answer_done(void *arg, uint32_t answer)
{
    struct call *c = arg;
    if (c->playout && answer != c->refused_answer)
        (void)playout_mark_end(c->playout, call_playout_id(answer));
}

static void on_transcript(void *arg, enum speaker who, uint32_t answer, const char *text)
{
    struct call *c = arg;
    if (who != SPEAKER_AGENT)
        call_line_say(c, who, text); /* maybe of the turn before: it confirms no sound */
    else if (answer != c->refused_answer)
        call_line_open(c, call_playout_id(answer), text);
}

static void speech(struct call *c, enum vad_event event, uint64_t back_ms);

static void on_speech(void *arg, enum turn_phase phase)
{
    struct call *c = arg;
    if (c->state == CALL_MESSAGE || call_is_handed_over(c))
        return;
    if (phase == TURN_CONFIRMED)
        call_words(c);
    else if (phase == TURN_FALSE)
        call_no_words(c);
    else if (provider_detects_turns(c))
        speech(c, phase == TURN_STARTED ? VAD_STARTED : VAD_ENDED, 0);
}

static void on_tool(void *arg, const struct tool_call *tool)
{
    struct call *c = arg;
    if (c->tool_pending || c->tool_running) {
        c->provider_ops->tool_result(c->provider, tool->id, VA_ELIMIT);
        return;
    }
    c->tool_pending = true;
    c->tool_id = tool->id;
    c->tool_kind = tool->kind;
    (void)str_copy(c->tool_destination, sizeof(c->tool_destination), str_of(tool->destination));
    call_run_tool(c);
}

static void on_failed(void *arg, enum va_err why, const char *text)
{
    struct call *c = arg;
    log_error("call", &c->log, "provider-failed", "provider", c->provider_ops->name, "why",
              va_err_text(why), "cause", text, NULL);
    call_fire(c, EV_PROVIDER_FAILED);
}

static void on_usage(void *arg, const char *text)
{
    struct call *c = arg;
    call_event_log(c, "usage", "text", text);
}

const struct provider_handlers call_provider_handlers = {
    .on_ready = on_ready,
    .on_answer = on_answer,
    .on_audio = on_audio,
    .on_answer_done = on_answer_done,
    .on_transcript = on_transcript,
    .on_speech = on_speech,
    .on_tool = on_tool,
    .on_failed = on_failed,
    .on_usage = on_usage,
};

/* ---- tools ------------------------------------------------------------------------------------
 */

static const enum call_event tool_events[] = {[TOOL_TRANSFER] = EV_RUN_TRANSFER,
                                              [TOOL_TAKE_MESSAGE] = EV_RUN_MESSAGE,
                                              [TOOL_END_CALL] = EV_RUN_END};

static bool tool_may_run(const struct call *c)
{
    return c->tool_pending && call_rule_find(c->state, tool_events[c->tool_kind])->allowed;
}

void call_cancel_tool(struct call *c)
{
    if (!c->tool_pending)
        return;
    c->tool_pending = false;
    c->provider_ops->tool_result(c->provider, c->tool_id, VA_ECANCELED);
}

void call_run_tool(struct call *c)
{
    if (!c->tool_pending || c->open_answer)
        return;
    if (!tool_may_run(c)) {
        call_cancel_tool(c);
        return;
    }
    c->tool_pending = false;
    c->tool_running = true;
    call_fire(c, tool_events[c->tool_kind]);
}

void call_tool_done(struct call *c, enum va_err result)
{
    if (!c->tool_running)
        return;
    c->tool_running = false;
    call_fire(c, EV_TOOL_RESULT);
    if (c->state != CALL_ENDED)
        c->provider_ops->tool_result(c->provider, c->tool_id, result);
}

/* ---- the caller's side ------------------------------------------------------------------------
 */

static bool speaking(const struct call *c)
{
    return c->state == CALL_GREETING || c->state == CALL_SPEAKING;
}

bool call_interruptible(const struct call *c)
{
    if (!c->open_answer) /* before the greeting begins there is nothing to interrupt: "hello?" */
        return c->state != CALL_GREETING;
    if (!c->secretary->barge_in || (c->answer_flags & ANSWER_PROTECTED))
        return false;
    return c->state != CALL_GREETING || !c->secretary->protect_ms ||
           playout_played_ms(c->playout, c->open_answer) >= (uint32_t)c->secretary->protect_ms;
}

void call_turn_ends(struct call *c, uint64_t back_ms)
{
    c->turn_back_ms = (unsigned)back_ms;
    call_fire(c, EV_TURN_ENDED);
    c->turn = CALL_TURN_NONE;
}

static void speech(struct call *c, enum vad_event event, uint64_t back_ms)
{
    if (c->state == CALL_HELD && !provider_detects_turns(c)) {
        call_held_speech(c, event, back_ms);
    } else if (event == VAD_STARTED) {
        c->turn_back_ms = (unsigned)back_ms;
        if (!speaking(c))
            call_fire(c, EV_TURN_STARTED);
        else if (call_interruptible(c))
            call_fire(c, call_may_hold(c) ? EV_SOUND : EV_TURN_STARTED);
    } else if (c->turn == CALL_TURN_OPEN) {
        call_words(c); /* whoever hears turns and ends one means it */
        call_turn_ends(c, back_ms);
    }
}

/* Our own ear: for messages always, for turns when the provider has none; else it only knows that
 * the line is quiet while the provider believes in a turn. */
void call_speech(struct call *c, enum vad_event event, uint64_t back_ms)
{
    if (c->state == CALL_MESSAGE)
        call_message_speech(c, event);
    else if (call_is_handed_over(c))
        return;
    else if (!provider_detects_turns(c))
        speech(c, event, back_ms);
    else if (c->turn == CALL_TURN_OPEN)
        call_watch_turn(c);
}

void call_drained(struct call *c, uint32_t answer)
{
    if (answer != c->open_answer)
        return;
    c->open_answer = 0;
    if (c->state == CALL_MESSAGE) {
        call_message_beeped(c);
        return;
    }
    if (tool_may_run(c)) {
        call_run_tool(c);
        return;
    }
    call_cancel_tool(c); /* heard to its end, and it still may not run: it never will */
    call_fire(c, EV_DRAINED);
}

/* ---- actions ----------------------------------------------------------------------------------
 */

void call_act_greet(struct call *c)
{
    call_act_speak(c);
    c->provider_ops->say(c->provider, SAY_GREETING);
}

static void on_silence(void *arg)
{
    struct call *c = arg;
    if (c->turn == CALL_TURN_OPEN)
        log_warn("call", &c->log, "turn-without-end", "provider", c->provider_ops->name, NULL);
    c->silences++;
    call_fire(c, c->silences > c->secretary->silence_prompts ? EV_SILENCE_LAST : EV_SILENCE);
}

static void start_silence(struct call *c, unsigned times)
{
    tmr_start(&c->silence, c->loop, (uint64_t)c->secretary->silence_ms * times, on_silence, c);
}

/* LISTENING has no other limit: a provider that tells of a turn and never of its end would keep the
 * caller in silence until the call's longest duration. Twice the time, as its ear may be better. */
void call_watch_turn(struct call *c)
{
    if (c->state != CALL_LISTENING)
        return;
    if (provider_detects_turns(c) && !vad_speaking(c->vad))
        start_silence(c, 2);
    else
        tmr_stop(&c->silence);
}

void call_act_listen(struct call *c)
{
    /* What came while a message was being taken or a transfer was being tried. */
    if (c->draining || c->time_is_up) {
        call_fire(c, c->draining ? EV_DRAIN : EV_TIME_UP);
        return;
    }
    vad_set_timing(c->vad, c->secretary->end_silence_ms, 120);
    start_silence(c, 1);
    /* The caller began while we could not be interrupted: that is a turn too. */
    if (!provider_detects_turns(c) && vad_speaking(c->vad)) {
        c->turn_back_ms = CALL_BARGE_MIN_MS;
        call_fire(c, EV_TURN_STARTED);
    }
}

void call_act_speak(struct call *c)
{
    bool holds = c->env->settings->barge_in_confirm_ms > 0 &&
                 c->provider_ops->caps(c->provider)->holds_answers;
    vad_set_timing(c->vad, c->secretary->end_silence_ms,
                   holds ? CALL_HOLD_MIN_MS : CALL_BARGE_MIN_MS);
}

void call_act_turn_started(struct call *c)
{
    c->turn = CALL_TURN_OPEN;
    call_watch_turn(c);
    if (!provider_detects_turns(c))
        c->provider_ops->turn(c->provider, TURN_STARTED, c->turn_back_ms);
}

void call_act_think(struct call *c)
{
    c->record.turns++;
    c->silences = 0;
    /* Latency is what the caller feels: from the end of the words, not from the VAD's decision. */
    c->turn_ended_us = loop_now_us(c->loop) - (uint64_t)c->turn_back_ms * 1000;
    if (c->turn == CALL_TURN_OPEN && !provider_detects_turns(c))
        c->provider_ops->turn(c->provider, TURN_ENDED, c->turn_back_ms);
}

void call_act_digit(struct call *c)
{
    call_media_interrupt(c);
    call_cancel_tool(c);
    c->turn = CALL_TURN_NONE;
    vad_reset(c->vad);
    vad_set_timing(c->vad, c->secretary->end_silence_ms, 120);
    c->silences = 0;
    c->record.turns++;
    c->turn_ended_us = loop_now_us(c->loop);
    call_line_say(c, SPEAKER_CALLER, (char[2]){c->digit, 0});
    c->provider_ops->digit(c->provider, c->digit);
}

void call_act_still_there(struct call *c)
{
    c->provider_ops->say(c->provider, SAY_STILL_THERE);
}
