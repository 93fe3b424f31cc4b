/*
 * Gemini Live (BidiGenerateContent): JSON in binary messages, several keys in one; it hears turns
 * and interrupts by itself, renews connections by a handle.
 *
 * This file: what we send. event.c: what it says.
 *
 *     on_open ─► setup ─► setupComplete ─► history, unless the session is resumed ─► rt_ready
 */
#include "ai/realtime/gemini/gemini.h"
#include "ai/realtime/realtime.h"

#include <stdio.h>
#include <stdlib.h>

#define GEMINI_BASE "https://generativelanguage.googleapis.com"
#define GEMINI_PATH "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"

enum { IN_HZ = 16000, OUT_HZ = 24000, PREFIX_MS = 100 };

/* ---- setup --------------------------------------------------------------------------------------
 */

static enum va_err start(struct provider *p, struct va_fault *fault)
{
    const struct settings *s = p->settings;
    const char *key = *s->gemini_api_key ? s->gemini_api_key : s->google_api_key;
    if (!*key)
        return va_fault_set(fault, VA_ECONFIG,
                            "GEMINI_API_KEY is not set (nor GOOGLE_API_KEY): AI_PROVIDER=gemini "
                            "needs a key of aistudio.google.com");
    enum va_err err =
        rt_url(p->target.url, RT_URL_MAX, "GEMINI_BASE_URL",
               *s->gemini_base_url ? s->gemini_base_url : GEMINI_BASE, GEMINI_PATH, fault);
    if (!err) /* not ?key=…: URLs are logged */
        err = rt_target_header(&p->target, "x-goog-api-key", "", key);
    struct gemini *g = err ? NULL : calloc(1, sizeof(*g));
    if (!g)
        return err ? err : VA_ENOMEM;
    buf_init(&g->later, RT_TEXT_MAX);
    g->old = strstr(s->gemini_model, "gemini-2") != NULL;
    p->dialect_state = g;
    p->format_in = (struct rt_format){RT_PCM16, IN_HZ};
    p->format_out = (struct rt_format){RT_PCM16, OUT_HZ};
    return VA_OK;
}

static void write_parts(struct json_writer *w, const char *text)
{
    jw_array(w, "parts");
    jw_object(w, NULL);
    jw_text(w, "text", text);
    jw_end(w);
    jw_end(w);
}

static void write_generation(struct json_writer *w, const struct provider *p)
{
    const char *voice = *p->secretary->voice ? p->secretary->voice : p->settings->gemini_voice;
    jw_object(w, "generationConfig");
    jw_array(w, "responseModalities");
    jw_text(w, NULL, "AUDIO");
    jw_end(w);
    if (*voice) {
        jw_object(w, "speechConfig");
        jw_object(w, "voiceConfig");
        jw_object(w, "prebuiltVoiceConfig");
        jw_text(w, "voiceName", voice);
        jw_end(w);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

static void write_tools(struct json_writer *w, const struct provider *p)
{
    jw_array(w, "tools");
    jw_object(w, NULL);
    jw_array(w, "functionDeclarations");
    const struct brief_tool *tool;
    for (size_t i = 0; (tool = brief_tool_at(p->secretary, i)); i++) {
        jw_object(w, NULL);
        jw_text(w, "name", tool->name);
        jw_text(w, "description", tool->description);
        if (tool->parameter) /* an object without members is refused */
            brief_tool_schema(w, "parameters", p->secretary, tool, true);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
    jw_end(w);
}

static void write_listening(struct json_writer *w, const struct provider *p)
{
    jw_object(w, "realtimeInputConfig");
    jw_object(w, "automaticActivityDetection");
    jw_int(w, "prefixPaddingMs", PREFIX_MS);
    jw_int(w, "silenceDurationMs", p->secretary->end_silence_ms);
    jw_end(w);
    jw_end(w);
}

static void write_nothing(struct json_writer *w, const char *key)
{
    jw_object(w, key);
    jw_end(w);
}

static bool has_history(const struct provider *p)
{
    struct buf data;
    buf_init(&data, RT_TEXT_MAX);
    bool any =
        history_count(p->history) > 0 || (brief_call_add(&data, p->record) == VA_OK && data.len);
    buf_free(&data);
    return any;
}

static void write_setup(struct json_writer *w, const struct provider *p, const char *prompt)
{
    const struct gemini *g = gm(p);
    char model[SETTING_TEXT_MAX + 8];
    (void)snprintf(model, sizeof(model), "%s%s",
                   strncmp(p->settings->gemini_model, "models/", 7) ? "models/" : "",
                   p->settings->gemini_model);
    jw_object(w, "setup");
    jw_text(w, "model", model);
    write_generation(w, p);
    jw_object(w, "systemInstruction");
    write_parts(w, prompt);
    jw_end(w);
    write_tools(w, p);
    write_listening(w, p);
    jw_object(w, "sessionResumption");
    if (g->resuming)
        jw_text(w, "handle", g->handle);
    jw_end(w);
    jw_object(w, "contextWindowCompression");
    write_nothing(w, "slidingWindow");
    jw_end(w);
    write_nothing(w, "inputAudioTranscription");
    write_nothing(w, "outputAudioTranscription");
    if (!g->old && g->seeds) {
        jw_object(w, "historyConfig");
        jw_bool(w, "initialHistoryInClientContent", true);
        jw_end(w);
    }
    jw_end(w);
}

static void on_open(struct provider *p)
{
    struct json_writer w;
    struct buf prompt;
    gm(p)->resuming = *gm(p)->handle != 0;
    gm(p)->seeds = !gm(p)->resuming && has_history(p);
    buf_init(&prompt, RT_PROMPT_MAX);
    if (brief_prompt_add(&prompt, p->secretary)) {
        rt_fault(p, VA_ELIMIT, false, "the secretary's texts are too long for a prompt");
    } else {
        rt_message(p, &w);
        write_setup(&w, p, buf_z(&prompt));
        rt_send(p, &w);
    }
    buf_free(&prompt);
}

/* ---- what we say --------------------------------------------------------------------------------
 */

static void write_turn(struct json_writer *w, const char *role, const char *text)
{
    jw_object(w, NULL);
    jw_text(w, "role", role);
    write_parts(w, text);
    jw_end(w);
}

void gm_send_history(struct provider *p)
{
    struct json_writer w;
    struct buf data;
    buf_init(&data, RT_TEXT_MAX);
    rt_message(p, &w);
    jw_object(&w, "clientContent");
    jw_array(&w, "turns");
    if (brief_call_add(&data, p->record) == VA_OK && data.len)
        write_turn(&w, "user", buf_z(&data));
    for (size_t i = 0; i < history_count(p->history); i++) {
        struct history_line line = history_at(p->history, i);
        write_turn(&w, line.speaker == SPEAKER_AGENT ? "model" : "user", line.text);
    }
    jw_end(&w);
    jw_bool(&w, "turnComplete", !gm(p)->old); /* 3.x: with historyConfig it means "that is all" */
    jw_end(&w);
    rt_send(p, &w);
    buf_free(&data);
}

static void send_text(struct provider *p, const char *text)
{
    struct json_writer w;
    rt_self_asked(p);
    rt_message(p, &w);
    if (gm(p)->old) {
        jw_object(&w, "clientContent");
        jw_array(&w, "turns");
        write_turn(&w, "user", text);
        jw_end(&w);
        jw_bool(&w, "turnComplete", true);
    } else {
        jw_object(&w, "realtimeInput");
        jw_text(&w, "text", text);
    }
    jw_end(&w);
    rt_send(p, &w);
}

static void tell(struct provider *p, const char *text, bool answer)
{
    struct buf *later = &gm(p)->later;
    if (later->len + strlen(text) < RT_TEXT_MAX)
        (void)buf_addf(later, "%s%s", later->len ? "\n" : "", text);
    if (!answer)
        return;
    send_text(p, buf_z(later));
    buf_reset(later);
}

static void say(struct provider *p, enum say_intent intent, const char *text)
{
    (void)intent;
    tell(p, text, true);
}

static void tool_result(struct provider *p, const struct rt_tool *tool, const char *json,
                        bool answer)
{
    struct json_writer w;
    (void)answer; /* it goes on by itself */
    rt_message(p, &w);
    jw_object(&w, "toolResponse");
    jw_array(&w, "functionResponses");
    jw_object(&w, NULL);
    jw_text(&w, "id", tool->remote);
    jw_text(&w, "name", tool->name);
    jw_object(&w, "response");
    jw_text(&w, "output", json);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    rt_send(p, &w);
}

static void audio(struct provider *p, struct str bytes)
{
    static const struct str head =
        STR_LIT("{\"realtimeInput\":{\"audio\":{\"mimeType\":\"audio/pcm;rate=16000\",\"data\":\"");
    static const struct str tail = STR_LIT("\"}}}");
    rt_send_audio_base64(p, head, bytes, tail);
}

/* A handle that the service does not know any more: once more without, with the history instead. */
static bool closed(struct provider *p, const struct ws_end *end, const char **ret_hint)
{
    struct gemini *g = gm(p);
    if (end->code == 1007 && !p->opened)
        *ret_hint = "; check GEMINI_API_KEY, GEMINI_MODEL and GEMINI_VOICE";
    if (p->state != RT_STARTING || !g->resuming)
        return false;
    log_info("ai", &p->log, "resume-refused", "provider", "gemini", "code", log_num(end->code),
             "cause", log_str(end->reason), NULL);
    g->handle[0] = 0;
    return true;
}

static void stop(struct provider *p)
{
    buf_free(&gm(p)->later);
}

static const struct dialect dialect_gemini = {
    .name = "gemini",
    .caps = {.detects_turns = true,
             .takes_text = true,
             .resumes = true,
             .formats = "pcm 16 kHz / pcm 24 kHz",
             .session_max_s = 600},
    .self_answers = true,
    .start = start,
    .on_open = on_open,
    .on_text = gm_on_message,
    .audio = audio,
    .say = say,
    .tell = tell,
    .tool_result = tool_result,
    .interrupt = rt_self_interrupt,
    .closed = closed,
    .stop = stop,
};

/* No key is named: either of two will do. */
RT_PROVIDER(provider_gemini, "gemini", "GEMINI_API_KEY", dialect_gemini,
            .key_alias = "GOOGLE_API_KEY");
