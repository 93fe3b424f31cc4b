/*
 * Remotes that answer, and let themselves be interrupted, by themselves. Who is speaking is read
 * off what they send:
 *
 *     a sound ─► STARTED, words ─► CONFIRMED        while nothing of an answer is heard
 *     "interrupted"       ─► STARTED, CONFIRMED     while something is
 *     their answer, or a pause behind the words ─► ENDED        no words, no answer ─► FALSE
 *
 * An answer that the call interrupted is dead here, but the remote goes on with it: it stays the
 * current one until the remote is done with it, so that the rest is not taken for a new answer.
 */
#include "ai/realtime/rt.h"
#include "media/vad.h"

#include <stdio.h>

enum { PAUSE_MS = 1500 /* behind the end of the words, when the remote tells nothing */ };

static struct rt_answer *current(struct provider *p)
{
    struct rt_answer *a = &p->answer[p->self.answer % RT_ANSWERS_MAX];
    return p->self.answer && a->id == p->self.answer ? a : NULL;
}

struct rt_answer *rt_self_current(struct provider *p)
{
    return current(p);
}

/* ---- the caller ---------------------------------------------------------------------------------
 */

/* A noise, whether it ended an answer over there or not, is not going to be answered. */
static void on_pause(void *arg)
{
    struct provider *p = arg;
    if (p->self.worded) {
        rt_self_turn_over(p);
        return;
    }
    p->turn.state = RT_TURN_NONE;
    rt_speech(p, TURN_FALSE);
}

static void wait_for_words(struct provider *p)
{
    tmr_start(&p->turn.timer, p->loop, (uint64_t)p->secretary->end_silence_ms + PAUSE_MS, on_pause,
              p);
}

static void start_turn(struct provider *p)
{
    p->turn.state = RT_TURN_STARTED;
    p->turn.started_us = loop_now_us(p->loop);
    p->self.asked_us = 0;
    p->self.worded = false;
    wait_for_words(p);
    rt_speech(p, TURN_STARTED);
}

/* Over an answer the remote decides; before one, the call need not ask whether the caller is still
 * there while the caller is talking. */
static void on_sound(void *arg)
{
    struct provider *p = arg;
    if (p->state == RT_READY && p->turn.state == RT_TURN_NONE && !current(p) &&
        !rt_answer_sounding(p))
        start_turn(p);
}

void rt_self_listen(struct provider *p, const int16_t *samples, size_t count)
{
    struct rt_self *s = &p->self;
    const struct vad_cfg cfg = {.rate_hz = p->rate_hz,
                                .end_silence_ms = p->secretary->end_silence_ms};
    if (!s->ear && vad_new(&cfg, &s->ear))
        return; /* the remote hears, too */
    enum vad_event event = vad_feed(s->ear, samples, count, NULL);
    /* Also one that began over the end of an answer, and goes on. */
    if (vad_speaking(s->ear) && p->turn.state == RT_TURN_NONE && !current(p))
        tmr_start(&s->sound, p->loop, 0, on_sound, p);
    if (p->turn.state != RT_TURN_NONE && (event != VAD_NONE || vad_active(s->ear)))
        wait_for_words(p);
}

void rt_self_heard(struct provider *p)
{
    if (rt_gone(p))
        return;
    if (p->turn.state == RT_TURN_NONE)
        start_turn(p);
    if (rt_gone(p) || p->turn.state == RT_TURN_CONFIRMED)
        return;
    p->turn.state = RT_TURN_CONFIRMED;
    wait_for_words(p);
    rt_speech(p, TURN_CONFIRMED);
}

/* A transcript may lag behind the answer to it: such words are written down, and are no turn. */
void rt_self_words(struct provider *p, struct str text)
{
    if (rt_gone(p))
        return;
    if (p->self.words.len + text.len <= RT_TEXT_MAX)
        (void)buf_adds(&p->self.words, text);
    if (!rt_has_words(text) || (p->turn.state == RT_TURN_NONE && current(p)))
        return;
    rt_self_heard(p);
    p->self.worded = true;
    if (!rt_gone(p))
        wait_for_words(p);
}

static void tell_words(struct provider *p)
{
    if (p->self.words.len)
        rt_caller_said(p, buf_str(&p->self.words));
    buf_reset(&p->self.words);
}

void rt_self_turn_over(struct provider *p)
{
    if (rt_gone(p))
        return;
    tell_words(p);
    if (rt_gone(p) || p->turn.state == RT_TURN_NONE)
        return;
    tmr_stop(&p->turn.timer);
    p->turn.state = RT_TURN_NONE;
    rt_owe(p, RT_OWES_ANSWER);
    rt_speech(p, TURN_ENDED);
}

/* ---- the answer ---------------------------------------------------------------------------------
 */

struct rt_answer *rt_self_answer(struct provider *p)
{
    char name[24];
    struct rt_answer *a = current(p);
    if (a)
        return rt_gone(p) ? NULL : a;
    rt_self_turn_over(p);
    (void)snprintf(name, sizeof(name), "a%u", p->last_answer + 1);
    a = rt_answer_begin(p, str_of(name), str_of(""));
    p->self.answer = a ? a->id : 0;
    p->self.began_us = loop_now_us(p->loop);
    return a;
}

void rt_self_audio_over(struct provider *p)
{
    struct rt_answer *a = current(p);
    if (a)
        rt_answer_end(p, a);
}

void rt_self_done(struct provider *p)
{
    rt_self_audio_over(p);
    p->self.answer = 0;
    if (!rt_gone(p) && p->turn.state == RT_TURN_NONE)
        tell_words(p); /* those that came late */
}

void rt_self_interrupted(struct provider *p)
{
    struct rt_answer *a = current(p);
    bool dead = a && a->state == RT_ANSWER_DEAD; /* by the call: it knows */
    bool ours = p->self.asked_us && p->self.began_us <= p->self.asked_us; /* our text ended it */
    bool caller = !dead && !ours && rt_answer_sounding(p);
    p->self.answer = 0;
    p->self.asked_us = 0;
    if (caller && p->turn.state == RT_TURN_NONE)
        rt_self_heard(p);
    if (a && !rt_gone(p) && a->state != RT_ANSWER_DEAD)
        rt_answer_cut(p, a); /* the call does not let it be interrupted, but it is */
}

bool rt_self_tool(struct provider *p, struct str name, struct str remote, struct str arguments)
{
    rt_self_turn_over(p);
    rt_self_done(p); /* the tool runs when what was said is heard: nothing more comes before it */
    return !rt_gone(p) && rt_tool_called(p, name, remote, arguments);
}

void rt_self_asked(struct provider *p)
{
    p->self.asked_us = loop_now_us(p->loop);
}

/* Nothing can be stopped over there: what still comes of it is dropped. */
void rt_self_interrupt(struct provider *p, const struct rt_answer *a, uint32_t heard_ms)
{
    (void)p;
    (void)a;
    (void)heard_ms;
}

void rt_self_free(struct provider *p)
{
    buf_free(&p->self.words);
    vad_free(&p->self.ear);
}

void rt_self_lost(struct provider *p)
{
    p->self.answer = 0;
    p->self.asked_us = 0;
    buf_reset(&p->self.words);
}
