/* "Just a moment": what the caller hears when nobody else says anything. It is an answer of the
 * chain's own, begun only while the inner one has not begun any, so that numbers keep growing. */
#include "ai/attendant/prompts.h"
#include "ai/chain/chain_int.h"
#include "ai/speech/tts.h"

enum {
    TEXT_MAX = 4000,
    GRACE_MS = 250 /* given to the next provider although the caller waits already */
};

/* Behind these the call ends: a filler heard to its end would end it too soon. */
static bool last_word(const struct provider *p)
{
    return p->owed.kind == OWED_SAY && (p->owed.say == SAY_FAREWELL || p->owed.say == SAY_TIME_UP ||
                                        p->owed.say == SAY_HOLD_ON);
}

static bool wanted(const struct provider *p)
{
    return p->owed.kind != OWED_NOTHING && !p->owed.sounding && !p->open_from && !p->turn_open &&
           !p->inner_last && p->told_ready && !last_word(p) && p->state != CHAIN_FAILED;
}

static void speak(struct provider *p, struct pcm *speech)
{
    uint32_t id = p->base = ++p->last;
    p->owed.after = id;
    p->audible_until_us = loop_now_us(p->cfg.loop) + pcm_ms(speech) * 1000;
    chain_count(COUNT_fillers);
    p->h->on_answer(p->arg, id, 0);
    if (p->state != CHAIN_CLOSED)
        p->h->on_transcript(p->arg, SPEAKER_AGENT, id, buf_z(&p->filler));
    if (p->state != CHAIN_CLOSED)
        p->h->on_audio(p->arg, id, speech);
    if (p->state != CHAIN_CLOSED)
        p->h->on_answer_done(p->arg, id);
}

static void on_spoken(void *arg, enum va_err err, struct pcm *speech)
{
    struct provider *p = arg;
    p->filling = NULL;
    if (err)
        log_warn("ai", &p->cfg.log, "no-filler", "why", va_err_text(err), NULL);
    else if (wanted(p))
        speak(p, speech);
    pcm_unref(&speech);
}

static void on_due(void *arg)
{
    struct provider *p = arg;
    const struct secretary *s = p->cfg.secretary;
    if (!wanted(p) || p->filling)
        return;
    buf_reset(&p->filler);
    enum va_err err = prompt_add(&p->filler, s, PROMPT_FILLER, NULL);
    if (!err)
        err = tts_say(p->cfg.env->tts, p->cfg.loop, s->language, "", p->cfg.rate_hz,
                      buf_z(&p->filler), on_spoken, p, &p->filling);
    if (err)
        log_warn("ai", &p->cfg.log, "no-filler", "why", va_err_text(err), NULL);
}

void chain_filler_arm(struct provider *p)
{
    uint64_t now = loop_now_us(p->cfg.loop);
    uint64_t from = p->owed.since_us > p->audible_until_us ? p->owed.since_us : p->audible_until_us;
    uint64_t due = from + CHAIN_FILLER_MS * 1000;
    uint64_t ms = due > now ? (due - now) / 1000 : 0;
    if (p->owed.kind != OWED_NOTHING && p->cfg.env->tts)
        tmr_start(&p->filler_due, p->cfg.loop, ms > GRACE_MS ? ms : GRACE_MS, on_due, p);
}

void chain_filler_stop(struct provider *p)
{
    tmr_stop(&p->filler_due);
    tts_cancel(&p->filling);
}
