/*
 * Deepgram's Voice Agent: its ear and voice around a model of somebody's. Audio is binary, µ-law as
 * it is on the line. This file: what we send. event.c: what it says.
 *
 *     on_open ─► Welcome ─► Settings (with the history) ─► SettingsApplied ─► rt_ready
 */
#include "ai/realtime/deepgram/agent.h"
#include "ai/realtime/realtime.h"

#include <stdlib.h>

#define AGENT_URL "wss://agent.deepgram.com/v1/agent/converse"

enum { KEEP_ALIVE_MS = 5000, AGAIN_MS = 400, AGAIN_MAX = 10 };

static enum va_err start(struct provider *p, struct va_fault *fault)
{
    const struct settings *s = p->settings;
    if (!*s->deepgram_api_key)
        return va_fault_set(fault, VA_ECONFIG,
                            "DEEPGRAM_API_KEY is not set: AI_PROVIDER=deepgram needs a key of "
                            "console.deepgram.com");
    enum va_err err = rt_url(p->target.url, RT_URL_MAX, "DEEPGRAM_AGENT_URL",
                             *s->deepgram_agent_url ? s->deepgram_agent_url : AGENT_URL, "", fault);
    if (!err)
        err = rt_target_header(&p->target, "Authorization", "Token ", s->deepgram_api_key);
    struct deepgram_agent *d = err ? NULL : calloc(1, sizeof(*d));
    if (!d)
        return err ? err : VA_ENOMEM;
    buf_init(&d->told, RT_TEXT_MAX);
    buf_init(&d->later, RT_TEXT_MAX);
    p->dialect_state = d;
    bool narrow = p->rate_hz == 8000;
    p->format_in = p->format_out =
        (struct rt_format){narrow ? RT_ULAW : RT_PCM16, narrow ? 8000 : p->rate_hz};
    return VA_OK;
}

/* ---- settings -----------------------------------------------------------------------------------
 */

static void write_format(struct json_writer *w, const char *key, struct rt_format f)
{
    jw_object(w, key);
    jw_text(w, "encoding", f.codec == RT_ULAW ? "mulaw" : "linear16");
    jw_int(w, "sample_rate", f.rate_hz);
    if (str_eqz(str_of(key), "output"))
        jw_text(w, "container", "none");
    jw_end(w);
}

static void write_model(struct json_writer *w, const char *type, const char *model)
{
    jw_object(w, "provider");
    jw_text(w, "type", type);
    jw_text(w, "model", model);
}

static void write_line(struct json_writer *w, const char *role, const char *text)
{
    jw_object(w, NULL);
    jw_text(w, "type", "History");
    jw_text(w, "role", role);
    jw_text(w, "content", text);
    jw_end(w);
}

static void write_context(struct json_writer *w, const struct provider *p)
{
    struct buf data;
    buf_init(&data, RT_TEXT_MAX);
    (void)brief_call_add(&data, p->record);
    if (!data.len && !history_count(p->history))
        return;
    jw_object(w, "context");
    jw_array(w, "messages");
    if (data.len)
        write_line(w, "user", buf_z(&data));
    for (size_t i = 0; i < history_count(p->history); i++) {
        struct history_line line = history_at(p->history, i);
        write_line(w, line.speaker == SPEAKER_AGENT ? "assistant" : "user", line.text);
    }
    jw_end(w);
    jw_end(w);
    buf_free(&data);
}

static void write_functions(struct json_writer *w, const struct provider *p)
{
    jw_array(w, "functions");
    const struct brief_tool *tool;
    for (size_t i = 0; (tool = brief_tool_at(p->secretary, i)); i++) {
        jw_object(w, NULL);
        jw_text(w, "name", tool->name);
        jw_text(w, "description", tool->description);
        brief_tool_schema(w, "parameters", p->secretary, tool, false);
        jw_end(w);
    }
    jw_end(w);
}

static void write_agent(struct json_writer *w, const struct provider *p, const char *prompt)
{
    const struct settings *s = p->settings;
    char language[3];
    brief_language(p->secretary, language);
    jw_object(w, "agent");
    jw_object(w, "listen");
    write_model(w, "deepgram", s->deepgram_listen_model);
    if (*language)
        jw_text(w, "language", language);
    jw_end(w);
    jw_end(w);
    jw_object(w, "think");
    write_model(w, s->deepgram_think_provider, s->deepgram_think_model);
    jw_end(w);
    jw_text(w, "prompt", prompt);
    write_functions(w, p);
    jw_end(w);
    jw_object(w, "speak");
    write_model(w, "deepgram",
                *p->secretary->voice ? p->secretary->voice : s->deepgram_speak_model);
    jw_end(w);
    jw_end(w);
    write_context(w, p);
    jw_end(w);
}

void dg_send_settings(struct provider *p)
{
    struct json_writer w;
    struct buf prompt;
    buf_init(&prompt, RT_PROMPT_MAX);
    enum va_err err = brief_prompt_add(&prompt, p->secretary);
    rt_message(p, &w);
    jw_text(&w, "type", "Settings");
    jw_object(&w, "audio");
    write_format(&w, "input", p->format_in);
    write_format(&w, "output", p->format_out);
    jw_end(&w);
    write_agent(&w, p, buf_z(&prompt));
    if (err)
        rt_fault(p, err, false, "the secretary's texts are too long for a prompt");
    else
        rt_send(p, &w);
    buf_free(&prompt);
}

static void on_open(struct provider *p)
{
    struct deepgram_agent *d = dg(p);
    d->flushed = false;
    tmr_stop(&d->again);
    buf_reset(&d->told);
}

/* ---- what we say --------------------------------------------------------------------------------
 */

static void send_told(struct provider *p)
{
    struct json_writer w;
    rt_self_asked(p);
    rt_message(p, &w);
    jw_text(&w, "type", "InjectUserMessage");
    jw_text(&w, "content", buf_z(&dg(p)->told));
    rt_send(p, &w);
}

static void tell(struct provider *p, const char *text, bool answer)
{
    struct deepgram_agent *d = dg(p);
    if (d->later.len + strlen(text) < RT_TEXT_MAX)
        (void)buf_addf(&d->later, "%s%s", d->later.len ? "\n" : "", text);
    if (!answer)
        return;
    buf_reset(&d->told);
    (void)buf_adds(&d->told, buf_str(&d->later));
    buf_reset(&d->later);
    d->refused = 0;
    send_told(p);
}

/* The secretary's own words are spoken as they are, whoever is speaking. */
static void say(struct provider *p, enum say_intent intent, const char *text)
{
    struct json_writer w;
    struct buf words;
    buf_init(&words, RT_TEXT_MAX);
    if (brief_say_words_add(&words, p->secretary, intent) || !words.len) {
        tell(p, text, true);
    } else {
        rt_self_asked(p);
        dg(p)->flushed = false;
        rt_message(p, &w);
        jw_text(&w, "type", "InjectAgentMessage");
        jw_text(&w, "message", buf_z(&words));
        jw_text(&w, "behavior", "interrupt");
        rt_send(p, &w);
    }
    buf_free(&words);
}

static void say_again(void *arg)
{
    struct provider *p = arg;
    if (p->state == RT_READY && dg(p)->told.len)
        send_told(p);
}

void dg_say_again(struct provider *p)
{
    struct deepgram_agent *d = dg(p);
    if (++d->refused <= AGAIN_MAX)
        tmr_start(&d->again, p->loop, AGAIN_MS, say_again, p);
    else
        rt_fault(p, VA_EPROTO, true, "deepgram: what we have to say is refused");
}

static void tool_result(struct provider *p, const struct rt_tool *tool, const char *json,
                        bool answer)
{
    struct json_writer w;
    (void)answer; /* it goes on by itself */
    rt_message(p, &w);
    jw_text(&w, "type", "FunctionCallResponse");
    jw_text(&w, "id", tool->remote);
    jw_text(&w, "name", tool->name);
    jw_text(&w, "content", json);
    rt_send(p, &w);
}

static void audio(struct provider *p, struct str bytes)
{
    dg(p)->fed = true;
    rt_send_audio(p, WS_BINARY, &bytes, 1);
}

static void on_tick(struct provider *p)
{
    if (!dg(p)->fed)
        rt_send_text(p, str_of("{\"type\":\"KeepAlive\"}"));
    dg(p)->fed = false;
}

static void stop(struct provider *p)
{
    tmr_stop(&dg(p)->again);
    buf_free(&dg(p)->told);
    buf_free(&dg(p)->later);
}

static const struct dialect dialect_deepgram = {
    .name = "deepgram",
    .caps = {.detects_turns = true,
             .takes_text = true,
             .resumes = true,
             .formats = "mu-law at 8 kHz, else pcm at the line's rate / the same"},
    .self_answers = true,
    .start = start,
    .on_open = on_open,
    .on_text = dg_on_text,
    .on_binary = dg_on_binary,
    .audio = audio,
    .say = say,
    .tell = tell,
    .tool_result = tool_result,
    .interrupt = rt_self_interrupt,
    .on_tick = on_tick,
    .tick_ms = KEEP_ALIVE_MS,
    .stop = stop,
};

RT_PROVIDER(provider_deepgram, "deepgram", "DEEPGRAM_API_KEY", dialect_deepgram);
