/* Answers: the remote's names for them, the call's numbers, their audio and text. */
#include "ai/realtime/rt.h"

#include <stdlib.h>

struct rt_answer *rt_answer_find(struct provider *p, struct str item)
{
    for (size_t i = 0; i < RT_ANSWERS_MAX; i++)
        if (item.len && p->answer[i].id && str_eqz(item, p->answer[i].item))
            return &p->answer[i];
    return NULL;
}

struct rt_answer *rt_answer_open(struct provider *p)
{
    struct rt_answer *newest = NULL;
    for (size_t i = 0; i < RT_ANSWERS_MAX; i++) {
        struct rt_answer *a = &p->answer[i];
        if (a->id && a->state == RT_ANSWER_OPEN && (!newest || a->id > newest->id))
            newest = a;
    }
    return newest;
}

struct rt_answer *rt_answer_begin(struct provider *p, struct str item, struct str response)
{
    if (rt_gone(p))
        return NULL;
    uint32_t id = p->last_answer + 1;
    struct rt_answer *a = &p->answer[id % RT_ANSWERS_MAX];
    if (item.len >= RT_ID_MAX || response.len >= RT_ID_MAX) {
        rt_odd(p, "an id longer than any known");
        return NULL;
    }
    buf_free(&a->text);
    *a = (struct rt_answer){.id = id, .flags = rt_take_flags(p), .state = RT_ANSWER_OPEN};
    (void)str_copy(a->item, sizeof(a->item), item);
    (void)str_copy(a->response, sizeof(a->response), response);
    buf_init(&a->text, RT_TEXT_MAX);
    p->last_answer = id;
    p->h->on_answer(p->arg, id, a->flags);
    return rt_gone(p) ? NULL : a;
}

/* ---- audio
 * --------------------------------------------------------------------------------------- */

static bool takes_audio(struct provider *p, struct rt_answer *a)
{
    if (rt_gone(p))
        return false;
    if (a->state != RT_ANSWER_OPEN || !p->decoder) {
        p->count.late_audio++;
        return false;
    }
    if (p->decoding != a->id) {
        rt_decoder_reset(p->decoder);
        p->decoding = a->id;
    }
    return true;
}

static void give(struct provider *p, struct rt_answer *a, enum va_err err, struct pcm *pcm)
{
    if (err == VA_EINVAL) {
        rt_odd(p, "audio that is not base64");
        return;
    }
    if (err) {
        rt_fault(p, err, false, "%s: audio: %s", p->dialect->name, va_err_text(err));
        return;
    }
    if (!pcm)
        return;
    size_t n = pcm_count(pcm);
    uint64_t now = loop_now_us(p->loop);
    a->samples += n;
    p->sound_end_us = (p->sound_end_us > now ? p->sound_end_us : now) +
                      (uint64_t)n * 1000000 / (uint64_t)p->rate_hz;
    p->h->on_audio(p->arg, a->id, pcm);
    pcm_unref(&pcm);
}

void rt_answer_audio(struct provider *p, struct rt_answer *a, struct str bytes)
{
    struct pcm *pcm = NULL;
    if (!takes_audio(p, a))
        return;
    enum va_err err = rt_decode(p->decoder, bytes, &pcm);
    give(p, a, err, pcm);
}

void rt_answer_audio_base64(struct provider *p, struct rt_answer *a, struct str text)
{
    struct pcm *pcm = NULL;
    if (!takes_audio(p, a))
        return;
    enum va_err err = rt_decode_base64(p->decoder, text, &pcm);
    give(p, a, err, pcm);
}

bool rt_answer_sounding(const struct provider *p)
{
    for (size_t i = 0; i < RT_ANSWERS_MAX; i++)
        if (p->answer[i].id && p->answer[i].state == RT_ANSWER_OPEN && p->answer[i].samples)
            return true;
    return loop_now_us(p->loop) < p->sound_end_us;
}

/* ---- text
 * ---------------------------------------------------------------------------------------- */

/* A text over its bound is kept as far as it goes: it is a transcript, not a command. */
void rt_answer_text_add(struct provider *p, struct rt_answer *a, struct str delta)
{
    if (rt_gone(p) || a->text_told || a->state == RT_ANSWER_DEAD)
        return;
    if (a->text.len + delta.len <= RT_TEXT_MAX)
        (void)buf_adds(&a->text, delta);
}

static void tell_text(struct provider *p, struct rt_answer *a)
{
    if (a->text_told || rt_gone(p) || a->state == RT_ANSWER_DEAD)
        return;
    struct str text = str_trim(buf_str(&a->text));
    if (!text.len)
        return;
    a->text_told = true;
    char *z = str_dup(text);
    buf_free(&a->text);
    if (z)
        p->h->on_transcript(p->arg, SPEAKER_AGENT, a->id, z);
    free(z);
}

void rt_answer_text_set(struct provider *p, struct rt_answer *a, struct str text)
{
    if (rt_gone(p) || a->text_told || a->state == RT_ANSWER_DEAD)
        return;
    buf_reset(&a->text);
    if (text.len > RT_TEXT_MAX)
        text.len = RT_TEXT_MAX;
    (void)buf_adds(&a->text, text);
    tell_text(p, a);
}

void rt_answers_tell(struct provider *p)
{
    for (uint32_t i = 0; i < RT_ANSWERS_MAX && !rt_gone(p); i++) {
        struct rt_answer *a = &p->answer[(p->last_answer + 1 + i) % RT_ANSWERS_MAX];
        if (a->id)
            tell_text(p, a);
    }
}

/* ---- end
 * ----------------------------------------------------------------------------------------- */

void rt_answer_end(struct provider *p, struct rt_answer *a)
{
    if (rt_gone(p) || a->state != RT_ANSWER_OPEN)
        return;
    tell_text(p, a);
    if (rt_gone(p) || a->state != RT_ANSWER_OPEN)
        return;
    a->state = RT_ANSWER_DONE;
    p->owed = RT_OWES_NOTHING;
    p->h->on_answer_done(p->arg, a->id);
}

void rt_answer_cut(struct provider *p, struct rt_answer *a)
{
    rt_answer_end(p, a);
    if (!rt_gone(p) && a->state == RT_ANSWER_DONE)
        a->state = RT_ANSWER_DEAD;
}

void rt_answers_lost(struct provider *p)
{
    rt_answers_tell(p);
    for (size_t i = 0; i < RT_ANSWERS_MAX && !rt_gone(p); i++) {
        struct rt_answer *a = &p->answer[i];
        a->item[0] = a->response[0] = 0; /* names of the session before mean nothing to the next */
        a->state = a->id && a->state == RT_ANSWER_OPEN ? RT_ANSWER_LOST : RT_ANSWER_DEAD;
    }
}

void rt_answers_over(struct provider *p)
{
    for (uint32_t i = 1; i <= RT_ANSWERS_MAX && !rt_gone(p); i++) { /* oldest first */
        struct rt_answer *a = &p->answer[(p->last_answer + i) % RT_ANSWERS_MAX];
        if (!a->id || a->state != RT_ANSWER_LOST)
            continue;
        a->state = RT_ANSWER_DEAD;
        p->h->on_answer_done(p->arg, a->id);
    }
}

void rt_answers_free(struct provider *p)
{
    for (size_t i = 0; i < RT_ANSWERS_MAX; i++)
        buf_free(&p->answer[i].text);
}
