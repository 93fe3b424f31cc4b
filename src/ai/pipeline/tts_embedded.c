/* espeak-ng (ai/speech/tts.h): needs no network; what was said once is kept. */
#include "ai/pipeline/tts_stage.h"
#include "ai/speech/tts.h"

#include <stdlib.h>

struct tts_job {
    const struct tts_handlers *h;
    void *arg;
    struct tts_request *request;
};

static enum va_err check(const struct stage_cfg *cfg, struct va_fault *fault)
{
    if (!cfg->env->tts)
        return va_fault_set(fault, VA_ECONFIG, "the embedded voice is not running (TTS_COMMAND)");
    return VA_OK;
}

static void cancel(struct tts_job **pj)
{
    struct tts_job *j = pj ? *pj : NULL;
    if (!j)
        return;
    *pj = NULL;
    tts_cancel(&j->request);
    free(j);
}

static void on_spoken(void *arg, enum va_err err, struct pcm *speech)
{
    struct tts_job *j = arg;
    const struct tts_handlers *h = j->h;
    void *to = j->arg;
    j->request = NULL;
    if (err) {
        const struct stage_fault fault = {err, -1,
                                          "TTS: the voice (TTS_COMMAND) could not speak a text"};
        cancel(&j);
        h->on_failed(to, &fault);
        return;
    }
    free(j);
    h->on_audio(to, speech);
    h->on_done(to);
}

static enum va_err say(const struct stage_cfg *cfg, const char *text, const struct tts_handlers *h,
                       void *arg, struct tts_job **ret_job)
{
    struct tts_job *j = calloc(1, sizeof(*j));
    if (!j)
        return VA_ENOMEM;
    j->h = h;
    j->arg = arg;
    enum va_err err =
        tts_say(cfg->env->tts, cfg->loop, cfg->secretary->language, tts_stage_voice(cfg, ""),
                cfg->rate_hz, text, on_spoken, j, &j->request);
    if (err) {
        free(j);
        return err;
    }
    *ret_job = j;
    return VA_OK;
}

const struct tts_ops tts_embedded = {
    .name = "embedded", .check = check, .say = say, .cancel = cancel};
