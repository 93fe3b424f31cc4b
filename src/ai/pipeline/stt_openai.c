/* POST /audio/transcriptions, the turn as a WAV: OpenAI, speaches, LocalAI, vLLM, whisper servers.
 */
#include "ai/attendant/utterance.h"
#include "ai/brief.h"
#include "ai/json_get.h"
#include "ai/pipeline/stt.h"

#include <stdlib.h>

#define OPENAI_BASE  "https://api.openai.com/v1"
#define OPENAI_MODEL "gpt-4o-mini-transcribe"

enum {
    TURN_MAX_MS = 60000, /* longer turns are cut */
    TURN_MIN_MS = 100,   /* shorter ones are refused over there */
    WAV_HEAD = 44,
    ANSWER_MAX = 262144,
};

struct stt {
    struct stage_cfg cfg;
    const struct stt_handlers *h;
    void *arg;
    struct utterance utterance;
    struct http_request *request;
    struct buf answer;
    struct tmr later;
    enum va_err refused; /* by ourselves */
    char url[STAGE_URL_MAX];
};

static void close_stt(struct stt **ps)
{
    struct stt *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    tmr_stop(&s->later);
    http_cancel(&s->request);
    utterance_free(&s->utterance);
    buf_free(&s->answer);
    free(s);
}

static void on_ready(void *arg)
{
    struct stt *s = arg;
    s->h->on_ready(s->arg);
}

static enum va_err check(const struct stage_cfg *cfg, struct va_fault *fault)
{
    const struct settings *s = cfg->settings;
    if (!*s->stt_base_url && !*stage_openai_key(s, s->stt_api_key, s->stt_base_url))
        return va_fault_set(
            fault, VA_ECONFIG,
            "STT_API_KEY (or OPENAI_API_KEY) is empty; set it, or STT_BASE_URL to a "
            "server of your own");
    return VA_OK;
}

static enum va_err open_stt(const struct stage_cfg *cfg, const struct stt_handlers *h, void *arg,
                            struct stt **ret_stt, struct va_fault *fault)
{
    enum va_err err = check(cfg, fault);
    if (err)
        return err;
    struct stt *s = calloc(1, sizeof(*s));
    if (!s)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    s->cfg = *cfg;
    s->h = h;
    s->arg = arg;
    buf_init(&s->answer, ANSWER_MAX);
    err = stage_url(s->url, cfg->settings->stt_base_url, OPENAI_BASE, "/audio/transcriptions");
    if (!err)
        err = utterance_init(&s->utterance, cfg->rate_hz);
    if (err) {
        close_stt(&s);
        return va_fault_set(fault, err, "STT: %s (STT_BASE_URL)", va_err_text(err));
    }
    s->utterance.max_ms = TURN_MAX_MS;
    tmr_start(&s->later, cfg->loop, 0, on_ready, s);
    *ret_stt = s;
    return VA_OK;
}

static void audio(struct stt *s, const int16_t *samples, size_t count)
{
    utterance_feed(&s->utterance, samples, count);
}

static void begin(struct stt *s, unsigned back_ms)
{
    if (s->request || tmr_running(&s->later)) /* a pause: hear it as a whole */
        http_cancel(&s->request);
    else
        utterance_clear(&s->utterance);
    tmr_stop(&s->later);
    utterance_begin(&s->utterance, back_ms);
}

/* ---- the answer --------------------------------------------------------------------------------
 */

static void fail(struct stt *s, enum va_err err, const char *text)
{
    const struct stage_fault fault = {err, -1, text};
    s->h->on_failed(s->arg, &fault);
}

static void on_body(void *arg, struct str bytes)
{
    struct stt *s = arg;
    (void)buf_adds(&s->answer, bytes);
}

static void tell(struct stt *s)
{
    struct json_object *root = jg_parse(buf_str(&s->answer));
    struct str text = str_trim(jg_str(root, "text"));
    bool good = json_object_is_type(jg_obj(root, "text"), json_type_string);
    char *words = str_dup(text);
    json_object_put(root);
    buf_free(&s->answer);
    utterance_clear(&s->utterance);
    if (!words)
        fail(s, VA_ENOMEM, "STT: out of memory");
    else if (!good)
        fail(s, VA_EPROTO, "STT: the answer is no transcription; check STT_BASE_URL");
    else
        s->h->on_final(s->arg, words);
    free(words);
}

static void on_end(void *arg, const struct http_end *end)
{
    struct stt *s = arg;
    s->request = NULL;
    if (!end->err) {
        tell(s);
        return;
    }
    char text[sizeof(((struct va_fault *)0)->text) + STAGE_CAUSE_MAX];
    const struct stage_fault fault = stage_http_fault("STT", end, text, sizeof(text));
    s->h->on_failed(s->arg, &fault);
}

static const struct http_handlers http_handlers = {NULL, on_body, on_end};

/* ---- the question ------------------------------------------------------------------------------
 */

static void put32(char *p, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(n >> 8 * i & 0xFF);
}

/* 44 bytes and little-endian samples. */
static enum va_err make_wav(struct pcm *speech, struct buf *out)
{
    size_t count = pcm_count(speech);
    uint32_t rate = (uint32_t)pcm_rate_hz(speech), bytes = (uint32_t)count * 2;
    const int16_t *samples = pcm_samples(speech);
    char head[WAV_HEAD] = "RIFF....WAVEfmt \x10\0\0\0\1\0\1\0........\2\0\x10\0data";
    put32(head + 4, bytes + WAV_HEAD - 8);
    put32(head + 24, rate);
    put32(head + 28, rate * 2);
    put32(head + 40, bytes);
    if (buf_add(out, head, sizeof(head)) || buf_reserve(out, bytes))
        return out->err;
    for (size_t i = 0; i < count; i++) {
        out->p[out->len++] = (char)((uint16_t)samples[i] & 0xFF);
        out->p[out->len++] = (char)((uint16_t)samples[i] >> 8);
    }
    return VA_OK;
}

static enum va_err post(struct stt *s, struct str wav)
{
    const struct settings *set = s->cfg.settings;
    const char *key = stage_openai_key(set, set->stt_api_key, set->stt_base_url);
    char language[3], bearer[SETTING_TEXT_MAX + 8];
    struct http_header headers[2];
    brief_language(s->cfg.secretary, language);
    const struct http_part parts[] = {
        {"file", "turn.wav", "audio/wav", wav},
        {"model", NULL, NULL, str_of(*set->stt_model ? set->stt_model : OPENAI_MODEL)},
        {"response_format", NULL, NULL, str_of("json")},
        {"language", NULL, NULL, str_of(language)},
    };
    size_t n = stage_bearer(headers, key, bearer, sizeof(bearer));
    struct http_spec spec = {.method = "POST",
                             .url = s->url,
                             .headers = headers + 1, /* the body's type is curl's */
                             .header_count = n - 1,
                             .parts = parts,
                             .part_count = *language ? 4 : 3,
                             .response_max = ANSWER_MAX};
    stage_deadlines(&s->cfg, &spec);
    enum va_err err = http_start(s->cfg.http, &spec, &http_handlers, s, &s->request);
    explicit_bzero(bearer, sizeof(bearer));
    return err;
}

/* What needs no server is told on the next turn, too. */
static void later(void *arg)
{
    struct stt *s = arg;
    utterance_clear(&s->utterance);
    if (s->refused)
        fail(s, s->refused, "STT: the turn could not be sent");
    else
        s->h->on_final(s->arg, "");
}

static void end(struct stt *s, unsigned back_ms)
{
    struct pcm *speech = NULL;
    struct buf wav;
    buf_init(&wav, HTTP_BODY_MAX - ANSWER_MAX);
    enum va_err err = utterance_end(&s->utterance, back_ms, &speech);
    bool enough = !err && pcm_ms(speech) >= TURN_MIN_MS;
    if (enough)
        err = make_wav(speech, &wav);
    if (enough && !err)
        err = post(s, buf_str(&wav));
    if (err || !enough) {
        s->refused = err;
        tmr_start(&s->later, s->cfg.loop, 0, later, s);
    }
    buf_free(&wav);
    pcm_unref(&speech);
}

static void forget(struct stt *s)
{
    tmr_stop(&s->later);
    http_cancel(&s->request);
    buf_free(&s->answer);
    utterance_clear(&s->utterance);
}

const struct stt_ops stt_openai = {.name = "openai",
                                   .punctuates = true,
                                   .open = open_stt,
                                   .audio = audio,
                                   .begin = begin,
                                   .end = end,
                                   .forget = forget,
                                   .close = close_stt};
