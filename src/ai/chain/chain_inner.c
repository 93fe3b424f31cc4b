/* What the inner provider says, on its way to the call. */
#include "ai/chain/chain_int.h"

static void on_ready(void *arg)
{
    struct provider *p = arg;
    chain_state_set(p, CHAIN_TALKING);
    tmr_stop(&p->deadline);
    if (p->told_ready) {
        chain_take_over(p);
        return;
    }
    p->told_ready = true;
    p->h->on_ready(p->arg);
}

static void on_answer(void *arg, uint32_t answer, unsigned flags)
{
    struct provider *p = arg;
    if (answer <= p->inner_last)
        return; /* a number twice: its audio joins the first */
    p->inner_last = answer;
    p->last = p->base + answer;
    if (!p->open_from)
        p->open_from = p->last;
    p->audio_us = loop_now_us(p->cfg.loop);
    chain_filler_stop(p);
    chain_watch(p);
    p->h->on_answer(p->arg, p->last, flags);
}

static void on_audio(void *arg, uint32_t answer, struct pcm *audio)
{
    struct provider *p = arg;
    uint64_t now = loop_now_us(p->cfg.loop);
    p->audio_us = now;
    p->audible_until_us =
        (p->audible_until_us > now ? p->audible_until_us : now) + pcm_ms(audio) * 1000;
    if (p->base + answer > p->owed.after)
        p->owed.sounding = true;
    p->h->on_audio(p->arg, p->base + answer, audio);
}

static void on_answer_done(void *arg, uint32_t answer)
{
    struct provider *p = arg;
    uint32_t id = p->base + answer;
    if (p->open_from && id >= p->open_from)
        p->open_from = id < p->last ? id + 1 : 0;
    if (id > p->owed.after)
        p->owed.kind = OWED_NOTHING;
    chain_watch(p);
    p->h->on_answer_done(p->arg, id);
}

/* Words of a sound that nobody confirmed are those of the turn before it, told late. */
static void note_words(struct provider *p)
{
    bool awaited = !p->wondering || p->before.kind == OWED_ANSWER;
    if (p->wondering)
        p->before.words = true;
    if (awaited)
        p->owed.words = true;
}

static void on_transcript(void *arg, enum speaker who, uint32_t answer, const char *text)
{
    struct provider *p = arg;
    if (who == SPEAKER_CALLER && *text)
        note_words(p);
    p->h->on_transcript(p->arg, who, answer ? p->base + answer : 0, text);
}

static void on_speech(void *arg, enum turn_phase phase)
{
    struct provider *p = arg;
    /* An end confirms. Told apart, for the call then interrupts what it held, and with it what was
     * owed; what the end makes owed comes behind that. */
    if (phase == TURN_ENDED && p->wondering) {
        chain_note_turn(p, TURN_CONFIRMED);
        p->h->on_speech(p->arg, TURN_CONFIRMED);
        if (!chain_talking(p))
            return;
    }
    chain_note_turn(p, phase);
    p->h->on_speech(p->arg, phase);
}

static void on_tool(void *arg, const struct tool_call *tool)
{
    struct provider *p = arg;
    struct tool_call outer = *tool;
    outer.id = p->tool_base + tool->id;
    if (outer.id > p->tool_last)
        p->tool_last = outer.id;
    if (!p->open_from)
        p->owed.kind = OWED_NOTHING; /* that is its answer */
    chain_watch(p);
    p->h->on_tool(p->arg, &outer);
}

static void on_failed(void *arg, enum va_err why, const char *text)
{
    chain_fail(arg, why, text);
}

static void on_usage(void *arg, const char *text)
{
    struct provider *p = arg;
    if (p->h->on_usage)
        p->h->on_usage(p->arg, text);
}

const struct provider_handlers chain_inner_handlers = {
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
