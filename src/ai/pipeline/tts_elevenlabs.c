/* ElevenLabs: POST /v1/text-to-speech/{voice}/stream, in the line's own format where it has one. */
#include "ai/pipeline/tts_http.h"
#include "base/json_write.h"

#include <ctype.h>
#include <stdio.h>

#define ELEVENLABS_BASE  "https://api.elevenlabs.io"
#define ELEVENLABS_MODEL "eleven_flash_v2_5"
#define ELEVENLABS_VOICE "21m00Tcm4TlvDq8ikWAM"

/* A voice is a part of the path: letters and digits, nothing that could leave it. */
static bool voice_valid(const char *voice)
{
    for (const char *p = voice; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-')
            return false;
    return *voice != '\0';
}

static enum va_err check(const struct stage_cfg *cfg, struct va_fault *fault)
{
    const struct settings *s = cfg->settings;
    char url[STAGE_URL_MAX];
    if (!*s->elevenlabs_api_key && !*s->tts_base_url)
        return va_fault_set(fault, VA_ECONFIG,
                            "ELEVENLABS_API_KEY is empty; set the key of elevenlabs.io");
    if (!voice_valid(tts_stage_voice(cfg, ELEVENLABS_VOICE)))
        return va_fault_set(fault, VA_ECONFIG,
                            "voice %.60s: ElevenLabs names voices by an id of letters and digits",
                            tts_stage_voice(cfg, ELEVENLABS_VOICE));
    if (stage_url(url, s->tts_base_url, ELEVENLABS_BASE, ""))
        return va_fault_set(fault, VA_ECONFIG, "TTS_BASE_URL is too long");
    return VA_OK;
}

static const char *format_of(int line_hz, struct rt_format *ret)
{
    *ret = (struct rt_format){RT_PCM16, line_hz == 16000 ? 16000 : 24000};
    if (line_hz == 8000)
        *ret = (struct rt_format){RT_ULAW, 8000};
    return line_hz == 8000 ? "ulaw_8000" : line_hz == 16000 ? "pcm_16000" : "pcm_24000";
}

static enum va_err write_request(const struct stage_cfg *cfg, const char *text, struct buf *out)
{
    struct json_writer w;
    jw_begin(&w, out);
    jw_object(&w, NULL);
    jw_text(&w, "text", text);
    jw_text(&w, "model_id",
            *cfg->settings->tts_model ? cfg->settings->tts_model : ELEVENLABS_MODEL);
    jw_end(&w);
    return jw_finish(&w);
}

static enum va_err say(const struct stage_cfg *cfg, const char *text, const struct tts_handlers *h,
                       void *arg, struct tts_job **ret_job)
{
    const struct settings *s = cfg->settings;
    struct rt_format format;
    char url[STAGE_URL_MAX], path[320];
    (void)snprintf(path, sizeof(path), "/v1/text-to-speech/%.200s/stream?output_format=%s",
                   tts_stage_voice(cfg, ELEVENLABS_VOICE), format_of(cfg->rate_hz, &format));
    const struct http_header headers[] = {{"Content-Type", "application/json", false},
                                          {"xi-api-key", s->elevenlabs_api_key, true}};
    struct buf body;
    buf_init(&body, STAGE_REQUEST_MAX);
    enum va_err err = stage_url(url, s->tts_base_url, ELEVENLABS_BASE, path);
    if (!err)
        err = write_request(cfg, text, &body);
    if (!err) {
        struct http_spec spec = {.url = url,
                                 .headers = headers,
                                 .header_count = *headers[1].value ? 2 : 1,
                                 .body = buf_str(&body)};
        err = tts_http_say(cfg, &spec, format, h, arg, ret_job);
    }
    buf_free(&body);
    return err;
}

const struct tts_ops tts_elevenlabs = {
    .name = "elevenlabs", .check = check, .say = say, .cancel = tts_http_cancel};
