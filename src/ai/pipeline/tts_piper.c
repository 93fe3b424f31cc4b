/* Piper's HTTP server (a process of its own): POST / with a text, the answer is a whole WAV. */
#include "ai/pipeline/tts_http.h"
#include "base/json_write.h"

#define PIPER_BASE "http://127.0.0.1:5000"

static enum va_err check(const struct stage_cfg *cfg, struct va_fault *fault)
{
    char url[STAGE_URL_MAX];
    if (stage_url(url, cfg->settings->tts_base_url, PIPER_BASE, "/"))
        return va_fault_set(fault, VA_ECONFIG, "TTS_BASE_URL is too long");
    return VA_OK;
}

static enum va_err write_request(const struct stage_cfg *cfg, const char *text, struct buf *out)
{
    struct json_writer w;
    const char *voice = tts_stage_voice(cfg, "");
    jw_begin(&w, out);
    jw_object(&w, NULL);
    jw_text(&w, "text", text);
    if (*voice)
        jw_text(&w, "voice", voice);
    jw_end(&w);
    return jw_finish(&w);
}

static enum va_err say(const struct stage_cfg *cfg, const char *text, const struct tts_handlers *h,
                       void *arg, struct tts_job **ret_job)
{
    char url[STAGE_URL_MAX];
    const struct http_header headers[] = {{"Content-Type", "application/json", false}};
    struct buf body;
    buf_init(&body, STAGE_REQUEST_MAX);
    enum va_err err = stage_url(url, cfg->settings->tts_base_url, PIPER_BASE, "/");
    if (!err)
        err = write_request(cfg, text, &body);
    if (!err) {
        struct http_spec spec = {
            .url = url, .headers = headers, .header_count = 1, .body = buf_str(&body)};
        const struct rt_format format = {RT_PCM16, (int)cfg->settings->tts_rate};
        err = tts_http_say(cfg, &spec, format, h, arg, ret_job);
    }
    buf_free(&body);
    return err;
}

const struct tts_ops tts_piper = {
    .name = "piper", .check = check, .say = say, .cancel = tts_http_cancel};
