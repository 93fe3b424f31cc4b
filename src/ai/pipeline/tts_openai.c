/* POST /audio/speech: OpenAI, speaches, LocalAI, Kokoro-FastAPI, … */
#include "ai/pipeline/tts_http.h"
#include "base/json_write.h"

#define OPENAI_BASE  "https://api.openai.com/v1"
#define OPENAI_MODEL "gpt-4o-mini-tts"

static enum va_err check(const struct stage_cfg *cfg, struct va_fault *fault)
{
    const struct settings *s = cfg->settings;
    char url[STAGE_URL_MAX];
    if (stage_url(url, s->tts_base_url, OPENAI_BASE, "/audio/speech"))
        return va_fault_set(fault, VA_ECONFIG, "TTS_BASE_URL is too long");
    if (!*s->tts_base_url && !*stage_openai_key(s, s->tts_api_key, s->tts_base_url))
        return va_fault_set(
            fault, VA_ECONFIG,
            "TTS_API_KEY (or OPENAI_API_KEY) is empty; set it, or TTS_BASE_URL to a "
            "server of your own");
    return VA_OK;
}

static enum va_err write_request(const struct stage_cfg *cfg, const char *text, struct buf *out)
{
    struct json_writer w;
    jw_begin(&w, out);
    jw_object(&w, NULL);
    jw_text(&w, "model", *cfg->settings->tts_model ? cfg->settings->tts_model : OPENAI_MODEL);
    jw_text(&w, "input", text);
    jw_text(&w, "voice", tts_stage_voice(cfg, "alloy"));
    jw_text(&w, "response_format", "pcm");
    jw_end(&w);
    return jw_finish(&w);
}

static enum va_err say(const struct stage_cfg *cfg, const char *text, const struct tts_handlers *h,
                       void *arg, struct tts_job **ret_job)
{
    const struct settings *s = cfg->settings;
    char url[STAGE_URL_MAX], bearer[SETTING_TEXT_MAX + 8];
    struct http_header headers[2];
    struct buf body;
    buf_init(&body, STAGE_REQUEST_MAX);
    enum va_err err = stage_url(url, s->tts_base_url, OPENAI_BASE, "/audio/speech");
    if (!err)
        err = write_request(cfg, text, &body);
    if (!err) {
        size_t n = stage_bearer(headers, stage_openai_key(s, s->tts_api_key, s->tts_base_url),
                                bearer, sizeof(bearer));
        struct http_spec spec = {
            .url = url, .headers = headers, .header_count = n, .body = buf_str(&body)};
        const struct rt_format format = {RT_PCM16, (int)s->tts_rate};
        err = tts_http_say(cfg, &spec, format, h, arg, ret_job);
    }
    explicit_bzero(bearer, sizeof(bearer));
    buf_free(&body);
    return err;
}

const struct tts_ops tts_openai = {
    .name = "openai", .check = check, .say = say, .cancel = tts_http_cancel};
