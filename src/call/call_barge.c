/*
 * Barge-in. A sound into an answer silences it at once; whether it was meant is known later.
 *
 *     agent  ▇▇▇▇▇▇▇▇│                  │▇▇▇▇▇▇▇▇   no words: on from where it stopped
 *     caller         ▂▆▂  … no words …  │
 *
 *     agent  ▇▇▇▇▇▇▇▇│           │                  words, length or a digit: it is over,
 *     caller         ▂▆▇▆▇▂▆▇▆▇▆▇│▆▇▆▂▆▇            heard up to where it stopped
 *
 * In HELD the ear listens with a shorter pause, so that a short sound is over soon and can be
 * looked at by the provider while the caller waits.
 */
#include "call/call_int.h"

enum {
    LOOK_MS = 20,         /* how often a held answer is thought about */
    QUIET_MS = 250,       /* pause that ends a sound while an answer is held */
    SLACK_MS = 100,       /* of the audio's time against the clock's */
    VERDICT_MAX_MS = 3000 /* a provider knows by then whether there were words */
};

static bool detects_turns(const struct call *c)
{
    return c->provider_ops->caps(c->provider)->detects_turns;
}

/* What a leg is ahead by cannot be held, only cut: its words would be lost. */
static bool leg_is_ahead(const struct call *c)
{
    struct leg_stats st = {0};
    if (c->leg && c->leg_ops->flush)
        c->leg_ops->stats(c->leg, &st);
    return st.lead_ms > 0;
}

bool call_may_hold(const struct call *c)
{
    return c->open_answer && !leg_is_ahead(c) && c->env->settings->barge_in_confirm_ms > 0 &&
           c->provider_ops->caps(c->provider)->holds_answers;
}

static int64_t held_ms(const struct call *c)
{
    return (int64_t)(loop_now_us(c->loop) - c->held_us) / 1000;
}

static void verdict_within(struct call *c, int64_t ms)
{
    c->verdict_us = loop_now_us(c->loop) + (uint64_t)(ms > LOOK_MS ? ms : LOOK_MS) * 1000;
}

/* While the sound lasts its length decides, at the latest when its pause has passed. */
static void wait_for_length(struct call *c)
{
    int64_t limit = c->env->settings->barge_in_confirm_ms;
    int64_t most = limit + QUIET_MS + SLACK_MS;
    verdict_within(c, detects_turns(c) && most < VERDICT_MAX_MS ? VERDICT_MAX_MS : most);
}

static void tell_false(struct call *c)
{
    if (c->turn == CALL_TURN_NONE)
        return;
    c->turn = CALL_TURN_NONE;
    if (!detects_turns(c))
        c->provider_ops->turn(c->provider, TURN_FALSE, 0);
}

static void confirmed(struct call *c, const char *by)
{
    log_info("call", &c->log, "barge-in", "by", by, "after_ms", log_num(held_ms(c)), NULL);
    bool over = c->turn == CALL_TURN_OVER;
    call_fire(c, EV_TURN_STARTED);
    if (over)
        call_turn_ends(c, (loop_now_us(c->loop) - c->turn_over_us) / 1000);
}

/* A sound that is over and had no words in time: the answer goes on, and words may still come. One
 * that neither ends nor lasts is none: the audio has stopped. */
static void look(void *arg)
{
    struct call *c = arg;
    tmr_start(&c->look, c->loop, LOOK_MS, look, c);
    if (vad_speech_ms(c->vad) >= (uint32_t)c->env->settings->barge_in_confirm_ms) {
        confirmed(c, "length");
    } else if (loop_now_us(c->loop) >= c->verdict_us) {
        if (c->turn == CALL_TURN_OPEN && !detects_turns(c))
            tell_false(c);
        call_fire(c, EV_TURN_FALSE);
    }
}

/* ---- what the call hears ------------------------------------------------------------------------
 */

/* Our own ear, while an answer is held: a sound may have pauses. */
void call_held_speech(struct call *c, enum vad_event event, uint64_t back_ms)
{
    if (event == VAD_STARTED) {
        c->turn = CALL_TURN_OPEN;
        wait_for_length(c);
        c->provider_ops->turn(c->provider, TURN_STARTED, (unsigned)back_ms);
    } else if (c->turn == CALL_TURN_OPEN) {
        c->turn = CALL_TURN_OVER;
        c->turn_over_us = loop_now_us(c->loop) - back_ms * 1000;
        verdict_within(c, c->env->settings->barge_in_confirm_ms - (int64_t)back_ms);
        c->provider_ops->turn(c->provider, TURN_ENDED, (unsigned)back_ms);
    }
}

void call_words(struct call *c)
{
    bool cuts = c->open_answer && call_interruptible(c);
    if (c->state == CALL_HELD || (c->turn != CALL_TURN_NONE && cuts))
        confirmed(c, "words");
    else if (c->state == CALL_LISTENING && c->turn == CALL_TURN_OVER)
        call_turn_ends(c, (loop_now_us(c->loop) - c->turn_over_us) / 1000);
}

void call_no_words(struct call *c)
{
    bool waits = c->state == CALL_HELD || c->state == CALL_THINKING ||
                 (c->state == CALL_LISTENING && c->turn == CALL_TURN_OPEN);
    if (c->state == CALL_HELD || c->turn == CALL_TURN_OVER)
        tell_false(c);
    c->turn = CALL_TURN_NONE;
    if (waits)
        call_fire(c, EV_TURN_FALSE);
}

/* The provider said nothing at all: it has to forget it some day. */
static void on_verdict(void *arg)
{
    struct call *c = arg;
    if (c->turn == CALL_TURN_OVER)
        tell_false(c);
}

/* ---- actions ------------------------------------------------------------------------------------
 */

void call_act_hold(struct call *c)
{
    playout_hold(c->playout);
    c->held_us = loop_now_us(c->loop);
    c->holds++;
    vad_set_timing(c->vad, QUIET_MS, CALL_HOLD_MIN_MS);
    call_act_turn_started(c);
    wait_for_length(c);
    tmr_start(&c->look, c->loop, LOOK_MS, look, c);
}

void call_act_go_on(struct call *c)
{
    log_info("call", &c->log, "went-on", "held_ms", log_num(held_ms(c)), NULL);
    c->false_barge_ins++;
    playout_resume(c->playout);
    call_act_speak(c);
    if (c->turn == CALL_TURN_OVER)
        tmr_start(&c->verdict, c->loop, VERDICT_MAX_MS, on_verdict, c);
}

void call_act_barge_in(struct call *c)
{
    call_media_interrupt(c);
    call_cancel_tool(c);
    vad_set_timing(c->vad, c->secretary->end_silence_ms, 120);
    if (c->turn == CALL_TURN_NONE)
        call_act_turn_started(c);
    else
        call_watch_turn(c);
}
