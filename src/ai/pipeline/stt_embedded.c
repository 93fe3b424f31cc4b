/* The embedded recogniser (ai/speech/asr.h). It knows the secretary's phrases alone: what it did
 * not understand comes as "". */
#include "ai/attendant/listen.h"
#include "ai/attendant/utterance.h"
#include "ai/pipeline/stt.h"
#include "ai/speech/asr.h"

#include <stdlib.h>

struct stt {
    struct stage_cfg cfg;
    const struct stt_handlers *h;
    void *arg;
    struct asr_grammar *grammar;
    struct utterance utterance;
    struct asr_request *hearing;
    struct tmr ready;
};

static void close_stt(struct stt **ps)
{
    struct stt *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    tmr_stop(&s->ready);
    asr_cancel(&s->hearing);
    asr_grammar_unref(&s->grammar);
    utterance_free(&s->utterance);
    free(s);
}

static void on_ready(void *arg)
{
    struct stt *s = arg;
    s->h->on_ready(s->arg);
}

static enum va_err open_stt(const struct stage_cfg *cfg, const struct stt_handlers *h, void *arg,
                            struct stt **ret_stt, struct va_fault *fault)
{
    if (!cfg->env->asr)
        return va_fault_set(fault, VA_ECONFIG,
                            "the embedded recogniser is not running (ASR_MODEL_DIR)");
    struct stt *s = calloc(1, sizeof(*s));
    if (!s)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    s->cfg = *cfg;
    s->h = h;
    s->arg = arg;
    enum va_err err = listen_grammar(cfg->secretary, &s->grammar);
    if (!err)
        err = utterance_init(&s->utterance, cfg->rate_hz);
    if (err) {
        close_stt(&s);
        return va_fault_set(fault, err, "the secretary's phrases cannot be listened for");
    }
    asr_prepare(cfg->env->asr, s->grammar); /* while the greeting is being said */
    tmr_start(&s->ready, cfg->loop, 0, on_ready, s);
    *ret_stt = s;
    return VA_OK;
}

static void audio(struct stt *s, const int16_t *samples, size_t count)
{
    utterance_feed(&s->utterance, samples, count);
}

static void begin(struct stt *s, unsigned back_ms)
{
    if (s->hearing)
        asr_cancel(&s->hearing); /* a pause: hear it as a whole */
    else
        utterance_clear(&s->utterance);
    utterance_begin(&s->utterance, back_ms);
}

static void fail(struct stt *s, enum va_err err, const char *text)
{
    const struct stage_fault fault = {err, -1, text};
    s->h->on_failed(s->arg, &fault);
}

static void on_heard(void *arg, enum va_err err, const struct asr_result *r)
{
    struct stt *s = arg;
    s->hearing = NULL;
    utterance_clear(&s->utterance);
    if (err)
        fail(s, err, "STT: the recogniser failed");
    else
        s->h->on_final(s->arg, r->understood ? r->text : "");
}

static void refused(void *arg)
{
    fail(arg, VA_ELIMIT, "STT: the recogniser is overloaded (ASR_THREADS)");
}

static void end(struct stt *s, unsigned back_ms)
{
    struct pcm *speech = NULL;
    enum va_err err = utterance_end(&s->utterance, back_ms, &speech);
    if (!err)
        err = asr_recognize(s->cfg.env->asr, s->cfg.loop, s->grammar, speech, on_heard, s,
                            &s->hearing);
    if (err) {
        pcm_unref(&speech);
        tmr_start(&s->ready, s->cfg.loop, 0, refused, s);
    }
}

static void forget(struct stt *s)
{
    asr_cancel(&s->hearing);
    utterance_clear(&s->utterance);
}

const struct stt_ops stt_embedded = {.name = "embedded",
                                     .open = open_stt,
                                     .audio = audio,
                                     .begin = begin,
                                     .end = end,
                                     .forget = forget,
                                     .close = close_stt};
