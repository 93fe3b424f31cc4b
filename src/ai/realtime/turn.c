/*
 * Is it speech? While an answer is heard, a sound is believed only when it is long enough or words
 * came out of it; in silence it is believed at once, for there is nothing to lose.
 *
 *     NONE ─► STARTED ─► CONFIRMED ─► NONE            words, or longer than BARGE_IN_CONFIRM_MS
 *                └─────► STOPPED ─┬─► NONE (speech)   the words came later
 *                                 └─► NONE (noise)    none came
 */
#include "ai/realtime/rt.h"

#include <stdlib.h>

enum { WORDS_WAIT_MS = 2500 /* a transcript of a short sound takes some 300 to 1000 ms */ };

static int64_t confirm_ms(const struct provider *p)
{
    return p->settings->barge_in_confirm_ms;
}

void rt_speech(struct provider *p, enum turn_phase phase)
{
    if (rt_gone(p))
        return;
    if (phase == TURN_CONFIRMED)
        rt_answers_tell(p); /* what is interrupted now was said with these words */
    if (!rt_gone(p))
        p->h->on_speech(p->arg, phase);
}

static void confirm(struct provider *p)
{
    tmr_stop(&p->turn.timer);
    p->turn.state = RT_TURN_CONFIRMED;
    rt_speech(p, TURN_CONFIRMED);
}

static void on_long_enough(void *arg)
{
    confirm(arg);
}

static void over(struct provider *p, bool speech)
{
    tmr_stop(&p->turn.timer);
    p->turn.state = RT_TURN_NONE;
    if (!speech &&
        p->sound_end_us > p->turn.started_us) /* it was held so long, and ends so much later */
        p->sound_end_us += loop_now_us(p->loop) - p->turn.started_us;
    rt_speech(p, speech ? TURN_ENDED : TURN_FALSE);
    if (rt_gone(p))
        return;
    if (speech)
        rt_owe(p, RT_OWES_ANSWER); /* behind the call's interrupt(), which takes back what was */
    if (p->dialect->turn_over)
        p->dialect->turn_over(p, speech);
}

static void on_no_words(void *arg)
{
    over(arg, false);
}

void rt_turn_started(struct provider *p, struct str item, unsigned stop_delay_ms)
{
    if (rt_gone(p))
        return;
    struct rt_turn *t = &p->turn;
    (void)str_copy(t->item, sizeof(t->item), item);
    if (t->state == RT_TURN_STARTED || t->state == RT_TURN_CONFIRMED)
        return;
    bool fresh = t->state == RT_TURN_NONE; /* else it goes on with the sound before */
    if (fresh) {
        t->over_answer = rt_answer_sounding(p);
        t->started_us = loop_now_us(p->loop);
    }
    t->state = RT_TURN_STARTED;
    /* The remote says "over" only after a silence, so until then nothing tells a cough from a word:
     * a sound that lasts is told apart by not being over in time. */
    tmr_start(&t->timer, p->loop, (uint64_t)confirm_ms(p) + stop_delay_ms, on_long_enough, p);
    if (fresh)
        rt_speech(p, TURN_STARTED);
    if (!rt_gone(p) && t->state == RT_TURN_STARTED && confirm_ms(p) == 0)
        confirm(p);
}

void rt_turn_stopped(struct provider *p, int64_t speech_ms, bool words_will_come)
{
    struct rt_turn *t = &p->turn;
    if (rt_gone(p) || t->state == RT_TURN_NONE || t->state == RT_TURN_STOPPED)
        return;
    if (t->state == RT_TURN_CONFIRMED || !t->over_answer) {
        over(p, true);
        return;
    }
    if (speech_ms < 0 ? !words_will_come : speech_ms >= confirm_ms(p)) {
        confirm(p);
        if (!rt_gone(p))
            over(p, true);
    } else if (words_will_come) {
        t->state = RT_TURN_STOPPED;
        tmr_start(&t->timer, p->loop, WORDS_WAIT_MS, on_no_words, p);
    } else {
        over(p, false);
    }
}

bool rt_has_words(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
            return true;
    }
    return false;
}

void rt_turn_words(struct provider *p, struct str text, bool final)
{
    enum rt_turn_state state = p->turn.state;
    if (rt_gone(p) || (state != RT_TURN_STARTED && state != RT_TURN_STOPPED))
        return;
    if (rt_has_words(text)) {
        confirm(p);
        if (!rt_gone(p) && state == RT_TURN_STOPPED)
            over(p, true);
    } else if (final && state == RT_TURN_STOPPED) {
        over(p, false);
    }
}

/* The session broke in the middle of the caller's words: they are lost, and it will be said. */
void rt_turn_lost(struct provider *p)
{
    if (rt_gone(p) || p->turn.state == RT_TURN_NONE)
        return;
    tmr_stop(&p->turn.timer);
    p->turn.state = RT_TURN_NONE;
    rt_speech(p, TURN_ENDED); /* the call may interrupt what it held: then nothing is owed … */
    if (!rt_gone(p))
        rt_owe(p, RT_OWES_LOST_WORDS); /* … but this */
}

void rt_caller_said(struct provider *p, struct str text)
{
    text = str_trim(text);
    if (rt_gone(p) || !text.len)
        return;
    if (text.len > RT_TEXT_MAX)
        text.len = RT_TEXT_MAX;
    char *z = str_dup(text);
    if (z)
        p->h->on_transcript(p->arg, SPEAKER_CALLER, 0, z);
    free(z);
}
