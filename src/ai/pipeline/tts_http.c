#include "ai/pipeline/tts_http.h"
#include "media/wav.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAGIC = 4 /* bytes that tell a WAV */ };

struct tts_job {
    const struct tts_handlers *h;
    void *arg;
    struct http_request *request;
    int rate_hz;
    struct rt_decoder *decoder;
    enum { AUDIO_UNKNOWN, AUDIO_RAW, AUDIO_WAV } kind;
    struct buf held; /* until the kind is known; then a whole WAV */
    bool text;       /* the server answers with words: no audio */
    enum va_err broke;
};

void tts_http_cancel(struct tts_job **pj)
{
    struct tts_job *j = pj ? *pj : NULL;
    if (!j)
        return;
    *pj = NULL;
    http_cancel(&j->request);
    rt_decoder_free(&j->decoder);
    buf_free(&j->held);
    free(j);
}

static void decode(struct tts_job *j, struct str bytes)
{
    struct pcm *audio = NULL;
    enum va_err err = rt_decode(j->decoder, bytes, &audio);
    if (err)
        j->broke = err;
    else if (audio)
        j->h->on_audio(j->arg, audio);
}

static void on_head(void *arg, const struct http_head *head)
{
    struct tts_job *j = arg;
    j->text = str_starts(head->content_type, "application/json") ||
              str_starts(head->content_type, "text/");
}

static void on_body(void *arg, struct str bytes)
{
    struct tts_job *j = arg;
    if (j->broke)
        return;
    if (j->kind == AUDIO_RAW && !j->text) {
        decode(j, bytes);
        return;
    }
    j->broke = buf_adds(&j->held, bytes);
    if (j->broke || j->text || j->kind == AUDIO_WAV || j->held.len < MAGIC)
        return;
    j->kind = memcmp(j->held.p, "RIFF", MAGIC) == 0 ? AUDIO_WAV : AUDIO_RAW;
    if (j->kind == AUDIO_RAW) {
        decode(j, buf_str(&j->held));
        buf_free(&j->held);
    }
}

static void fail(struct tts_job *j, enum va_err err, const char *what)
{
    const struct tts_handlers *h = j->h;
    void *arg = j->arg;
    char cause[STAGE_CAUSE_MAX] = "", text[512];
    if (j->text)
        stage_cause(buf_str(&j->held), cause);
    (void)snprintf(text, sizeof(text), "TTS: %s%s%s", what, *cause ? ": " : "", cause);
    const struct stage_fault fault = {err, -1, text};
    tts_http_cancel(&j);
    h->on_failed(arg, &fault);
}

static void finish_wav(struct tts_job *j)
{
    const struct wav_want want = {.rate_hz = j->rate_hz};
    struct pcm *audio = NULL;
    struct va_fault fault;
    j->broke = wav_decode(j->held.p, j->held.len, &want, &audio, &fault);
    if (!j->broke)
        j->h->on_audio(j->arg, audio);
}

static void on_end(void *arg, const struct http_end *end)
{
    struct tts_job *j = arg;
    j->request = NULL;
    if (end->err) {
        char text[sizeof(((struct va_fault *)0)->text) + STAGE_CAUSE_MAX];
        const struct stage_fault fault = stage_http_fault("TTS", end, text, sizeof(text));
        const struct tts_handlers *h = j->h;
        void *to = j->arg;
        tts_http_cancel(&j);
        h->on_failed(to, &fault);
        return;
    }
    if (j->text) {
        fail(j, VA_EPROTO, "the server answers with a text, not with audio");
        return;
    }
    if (j->kind == AUDIO_WAV && !j->broke)
        finish_wav(j);
    if (j->broke) {
        fail(j, j->broke, "the audio cannot be decoded; check TTS_PROVIDER and TTS_RATE");
        return;
    }
    const struct tts_handlers *h = j->h;
    void *to = j->arg;
    tts_http_cancel(&j);
    h->on_done(to);
}

static const struct http_handlers http_handlers = {on_head, on_body, on_end};

enum va_err tts_http_say(const struct stage_cfg *cfg, struct http_spec *spec,
                         struct rt_format format, const struct tts_handlers *h, void *arg,
                         struct tts_job **ret_job)
{
    struct tts_job *j = calloc(1, sizeof(*j));
    if (!j)
        return VA_ENOMEM;
    j->h = h;
    j->arg = arg;
    j->rate_hz = cfg->rate_hz;
    buf_init(&j->held, TTS_AUDIO_MAX);
    spec->method = "POST";
    spec->response_max = TTS_AUDIO_MAX;
    stage_deadlines(cfg, spec);
    enum va_err err = rt_decoder_new(format, cfg->rate_hz, &j->decoder);
    if (!err)
        err = http_start(cfg->http, spec, &http_handlers, j, &j->request);
    if (err) {
        tts_http_cancel(&j);
        return err;
    }
    *ret_job = j;
    return VA_OK;
}
