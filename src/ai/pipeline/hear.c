/*
 * The caller's turn: the call's VAD says when, the ear says what.
 *
 * An answer that has not begun when the caller goes on waits (speak.c): if it was noise it is told
 * after all, if it was words it is dropped and the model is asked again, with both.
 */
#include "ai/pipeline/pipeline_int.h"
#include "ai/pipeline/unfinished.h"

static void hear_state(struct provider *p, enum hear_state to)
{
    p->hear = to;
    if (to != HEAR_HOLDING)
        tmr_stop(&p->hold);
    if (to == HEAR_IDLE)
        speak_go_on(p); /* what waited for the turn's end */
}

static const char *language(const struct provider *p)
{
    return p->cfg.secretary->language;
}

/* The turn is over and has words. */
static void commit(struct provider *p)
{
    struct buf words = p->heard; /* a handler may begin the next turn */
    buf_init(&p->heard, STAGE_TEXT_MAX);
    hear_state(p, HEAR_IDLE);
    p->cut = false;
    think_cancel(p);
    speak_drop(p, true);
    if (!pipeline_gone(p))
        p->h->on_transcript(p->arg, SPEAKER_CALLER, 0, buf_z(&words));
    if (!pipeline_gone(p))
        think_ask(p, NULL);
    buf_free(&words);
}

static void say_not_understood(struct provider *p)
{
    struct buf text;
    buf_init(&text, STAGE_TEXT_MAX);
    if (prompt_add(&text, p->cfg.secretary, PROMPT_NOT_UNDERSTOOD, NULL) == VA_OK)
        speak_whole(p, buf_z(&text), 0);
    buf_free(&text);
}

/* The turn had no words: the call may let the held answer go on. Else it depends: one that was cut
 * off is taken up again, a try to speak is answered, a noise is not. */
static void no_words(struct provider *p)
{
    bool attempt = p->turn_ms >= HEAR_NOISE_MS && !p->over_answer;
    hear_state(p, HEAR_IDLE);
    p->h->on_speech(p->arg, TURN_FALSE);
    if (pipeline_gone(p) || p->hear != HEAR_IDLE || p->reply != REPLY_NONE)
        return;
    if (p->cut) {
        p->cut = false;
        think_ask(p, "[The caller made a sound without words. Go on from where you were "
                     "interrupted.]");
    } else if (attempt) {
        say_not_understood(p);
    }
}

static void confirm(struct provider *p)
{
    if (p->confirmed)
        return;
    p->confirmed = true;
    p->h->on_speech(p->arg, TURN_CONFIRMED);
}

static bool has_words(const struct provider *p, const char *text)
{
    struct str t = str_trim(str_of(text));
    return t.len && !(p->over_answer && !p->confirmed && text_backchannel(language(p), t));
}

static void held_long_enough(void *arg)
{
    commit(arg);
}

/* ---- what the ear says -------------------------------------------------------------------------
 */

static void on_ready(void *arg)
{
    struct provider *p = arg;
    p->listening = true;
    if (!pipeline_gone(p))
        p->h->on_ready(p->arg);
}

static void on_partial(void *arg, const char *text)
{
    struct provider *p = arg;
    if (!pipeline_gone(p) && (p->hear == HEAR_OPEN || p->hear == HEAR_WAITING) &&
        has_words(p, text))
        confirm(p);
}

static void on_final(void *arg, const char *text)
{
    struct provider *p = arg;
    if (pipeline_gone(p) || p->hear != HEAR_WAITING)
        return;
    bool words = has_words(p, text);
    if (!words && !p->heard.len) {
        no_words(p);
        return;
    }
    if (words) {
        if (p->heard.len)
            (void)buf_addc(&p->heard, ' ');
        (void)buf_adds(&p->heard, str_trim(str_of(text)));
        confirm(p);
        if (pipeline_gone(p) || p->hear != HEAR_WAITING)
            return;
    }
    int64_t hold_ms = p->cfg.settings->stt_hold_ms;
    if (hold_ms && text_unfinished(language(p), buf_str(&p->heard), p->stt_ops->punctuates)) {
        hear_state(p, HEAR_HOLDING);
        tmr_start(&p->hold, p->cfg.loop, (uint64_t)hold_ms, held_long_enough, p);
    } else {
        commit(p);
    }
}

static void on_failed(void *arg, const struct stage_fault *fault)
{
    pipeline_fail(arg, fault->err, "%s", fault->text);
}

static const struct stt_handlers stt_handlers = {on_ready, on_partial, on_final, on_failed};

enum va_err hear_open(struct provider *p, struct va_fault *fault)
{
    buf_init(&p->heard, STAGE_TEXT_MAX);
    return p->stt_ops->open(&p->cfg, &stt_handlers, p, &p->stt, fault);
}

void hear_close(struct provider *p)
{
    tmr_stop(&p->hold);
    tmr_stop(&p->digit_wait);
    p->stt_ops->close(&p->stt);
    buf_free(&p->heard);
}

/* ---- what the call says ------------------------------------------------------------------------
 */

static void started(struct provider *p, unsigned back_ms)
{
    if (p->hear == HEAR_IDLE) {
        buf_reset(&p->heard);
        p->confirmed = false;
        p->over_answer = speak_sounding(p);
        p->turn_began_us = loop_now_us(p->cfg.loop) - (uint64_t)back_ms * 1000;
    }
    hear_state(p, HEAR_OPEN);
    p->stt_ops->begin(p->stt, back_ms);
}

static void ended(struct provider *p, unsigned back_ms)
{
    if (p->hear != HEAR_OPEN)
        return;
    uint64_t ms = (loop_now_us(p->cfg.loop) - p->turn_began_us) / 1000;
    p->turn_ms = ms > back_ms ? ms - back_ms : 0;
    hear_state(p, HEAR_WAITING);
    p->stt_ops->end(p->stt, back_ms);
}

/* Noise, says the call: what was said before it in this turn remains said. */
static void was_false(struct provider *p)
{
    if (p->hear == HEAR_OPEN || p->hear == HEAR_WAITING)
        p->stt_ops->forget(p->stt);
    if (p->heard.len)
        commit(p);
    else
        hear_state(p, HEAR_IDLE);
}

void hear_turn(struct provider *p, enum turn_phase phase, unsigned back_ms)
{
    if (pipeline_gone(p) || !p->listening)
        return;
    if (phase == TURN_STARTED)
        started(p, back_ms);
    else if (phase == TURN_ENDED)
        ended(p, back_ms);
    else if (phase == TURN_FALSE)
        was_false(p);
}

void hear_forget(struct provider *p)
{
    if (p->listening && (p->hear == HEAR_OPEN || p->hear == HEAR_WAITING))
        p->stt_ops->forget(p->stt);
    buf_reset(&p->heard);
    hear_state(p, HEAR_IDLE);
}

/* The call has written each key into the history; the model is asked when no more come. */
static void no_more_digits(void *arg)
{
    struct provider *p = arg;
    struct buf note;
    buf_init(&note, 256);
    (void)buf_addf(&note, "[The caller pressed on the telephone's keys: %.*s]", (int)p->digit_count,
                   p->digits);
    p->digit_count = 0;
    think_ask(p, buf_z(&note));
    buf_free(&note);
}

void hear_digit(struct provider *p, char digit)
{
    if (pipeline_gone(p))
        return;
    hear_forget(p);
    think_cancel(p);
    speak_drop(p, false);
    if (p->digit_count < DIGITS_MAX)
        p->digits[p->digit_count++] = digit;
    tmr_start(&p->digit_wait, p->cfg.loop, DIGIT_WAIT_MS, no_more_digits, p);
}
