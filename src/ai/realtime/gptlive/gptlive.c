/*
 * OpenAI's GPT-Live: the model listens and speaks at once, and delegates what needs tools to a
 * second model. This file: what we send. event.c: what it says. stream.c: its audio as answers.
 *
 *     on_open ─► session.start (with the history) ─► session.started ─► rt_ready
 */
#include "ai/realtime/gptlive/gptlive.h"
#include "ai/realtime/realtime.h"
#include "base/utf8.h"

#include <stdlib.h>

enum { APPEND_MAX = 1000 /* of one append [bytes]: 500 tokens are the limit over there */ };

static enum va_err start(struct provider *p, struct va_fault *fault)
{
    const struct settings *s = p->settings;
    const char *base = *s->openai_base_url ? s->openai_base_url : "https://api.openai.com/v1";
    if (!*s->openai_api_key)
        return va_fault_set(fault, VA_ECONFIG,
                            "OPENAI_API_KEY is not set: AI_PROVIDER=gpt-live needs a key of "
                            "platform.openai.com");
    enum va_err err =
        rt_url(p->target.url, RT_URL_MAX, "OPENAI_BASE_URL", base, "/live/sessions", fault);
    if (!err)
        err = rt_target_header(&p->target, "Authorization", "Bearer ", s->openai_api_key);
    struct gptlive *g = err ? NULL : calloc(1, sizeof(*g));
    if (!g)
        return err ? err : VA_ENOMEM;
    buf_init(&g->lead, 48000);
    buf_init(&g->words, RT_TEXT_MAX);
    buf_init(&g->bytes, LIVE_PIECE_MAX);
    p->dialect_state = g;
    p->format_in = p->format_out = p->rate_hz == 8000 ? (struct rt_format){RT_ULAW, 8000}
                                                      : (struct rt_format){RT_PCM16, 24000};
    return VA_OK;
}

/* ---- session.start ------------------------------------------------------------------------------
 */

static void write_audio(struct json_writer *w, const struct provider *p)
{
    const char *voice = *p->secretary->voice ? p->secretary->voice : p->settings->openai_voice;
    jw_object(w, "audio");
    jw_object(w, "format"); /* one for both directions */
    jw_text(w, "type", p->format_in.codec == RT_ULAW ? "audio/pcmu" : "audio/pcm");
    jw_int(w, "rate", p->format_in.rate_hz);
    jw_end(w);
    if (*voice) {
        jw_object(w, "output");
        jw_text(w, "voice", voice);
        jw_end(w);
    }
    jw_end(w);
}

static void write_delegation(struct json_writer *w, const struct provider *p, const char *prompt)
{
    jw_object(w, "delegation");
    jw_text(w, "type", "responses");
    jw_object(w, "responses");
    jw_text(w, "model", p->settings->openai_live_backend_model);
    jw_text(w, "instructions", prompt);
    jw_array(w, "tools");
    const struct brief_tool *tool;
    for (size_t i = 0; (tool = brief_tool_at(p->secretary, i)); i++) {
        jw_object(w, NULL);
        jw_text(w, "type", "function");
        jw_text(w, "name", tool->name);
        jw_text(w, "description", tool->description);
        brief_tool_schema(w, "parameters", p->secretary, tool, false);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
    jw_end(w);
}

static void write_line(struct json_writer *w, bool agent, const char *text)
{
    jw_object(w, NULL);
    jw_text(w, "role", agent ? "assistant" : "user");
    jw_array(w, "content");
    jw_object(w, NULL);
    jw_text(w, "type", agent ? "output_text" : "input_text");
    jw_text(w, "text", text);
    jw_end(w);
    jw_end(w);
    jw_end(w);
}

static void write_history(struct json_writer *w, const struct provider *p)
{
    struct buf data;
    buf_init(&data, RT_TEXT_MAX);
    jw_array(w, "input");
    if (brief_call_add(&data, p->record) == VA_OK && data.len)
        write_line(w, false, buf_z(&data));
    for (size_t i = 0; i < history_count(p->history); i++) {
        struct history_line line = history_at(p->history, i);
        write_line(w, line.speaker == SPEAKER_AGENT, line.text);
    }
    jw_end(w);
    buf_free(&data);
}

static void on_open(struct provider *p)
{
    struct gptlive *g = gl(p);
    struct json_writer w;
    struct buf prompt;
    buf_reset(&g->lead);
    buf_reset(&g->words);
    g->quiet_ms = 0;
    buf_init(&prompt, RT_PROMPT_MAX);
    (void)brief_prompt_add(&prompt, p->secretary);
    enum va_err err = buf_addz(
        &prompt, "\nTo connect the caller, to take a message, or to hang up when the caller is "
                 "done, say so in a few words and delegate it at once.\n");
    rt_message(p, &w);
    jw_text(&w, "type", "session.start");
    jw_object(&w, "session");
    jw_text(&w, "model", p->settings->openai_live_model);
    jw_text(&w, "instructions", buf_z(&prompt));
    write_audio(&w, p);
    write_delegation(&w, p, buf_z(&prompt));
    write_history(&w, p);
    jw_end(&w);
    if (err)
        rt_fault(p, err, false, "the secretary's texts are too long for a prompt");
    else
        rt_send(p, &w);
    buf_free(&prompt);
}

/* ---- what we say --------------------------------------------------------------------------------
 */

/* At a space where there is one, never inside a character. */
static size_t piece_of(struct str text)
{
    size_t n = APPEND_MAX;
    if (text.len <= n)
        return text.len;
    while (n > APPEND_MAX / 2 && text.p[n] != ' ' && text.p[n] != '\n')
        n--;
    n = utf8_cut(text, n);
    return n ? n : APPEND_MAX;
}

static void append(struct provider *p, const char *type, struct str text)
{
    while (text.len && !rt_gone(p)) {
        struct json_writer w;
        size_t n = piece_of(text);
        rt_message(p, &w);
        jw_text(&w, "type", type);
        jw_str(&w, "content", str_make(text.p, n));
        rt_send(p, &w);
        text = str_make(text.p + n, text.len - n);
    }
}

static void tell(struct provider *p, const char *text, bool answer)
{
    append(p, answer ? "session.instructions.append" : "session.thinking.append", str_of(text));
}

static void say(struct provider *p, enum say_intent intent, const char *text)
{
    (void)intent;
    tell(p, text, true);
}

/* The second model goes on with it, and the first tells the caller. */
static void tool_result(struct provider *p, const struct rt_tool *tool, const char *json,
                        bool answer)
{
    struct json_writer w;
    (void)answer;
    rt_message(p, &w);
    jw_text(&w, "type", "response.item.create");
    jw_object(&w, "item");
    jw_text(&w, "type", "function_call_output");
    jw_text(&w, "call_id", tool->remote);
    jw_text(&w, "output", json);
    jw_end(&w);
    rt_send(p, &w);
    if (!rt_gone(p) && rt_tools_settled(p))
        rt_send_text(p, str_of("{\"type\":\"response.create\"}"));
}

static void audio(struct provider *p, struct str bytes)
{
    static const struct str head = STR_LIT("{\"type\":\"session.input_audio.append\",\"audio\":\"");
    static const struct str tail = STR_LIT("\"}");
    rt_send_audio_base64(p, head, bytes, tail);
}

static void stop(struct provider *p)
{
    if (p->state == RT_READY)
        rt_send_text(p, str_of("{\"type\":\"session.close\"}"));
    buf_free(&gl(p)->lead);
    buf_free(&gl(p)->words);
    buf_free(&gl(p)->bytes);
}

static const struct dialect dialect_gpt_live = {
    .name = "gpt-live",
    .caps = {.detects_turns = true,
             .takes_text = true,
             .resumes = true,
             .formats = "pcmu, pcm 24 kHz / the same",
             .session_max_s = 7200},
    .self_answers = true,
    .start = start,
    .on_open = on_open,
    .on_text = gl_on_message,
    .audio = audio,
    .say = say,
    .tell = tell,
    .tool_result = tool_result,
    .interrupt = rt_self_interrupt,
    .stop = stop,
};

RT_PROVIDER(provider_gpt_live, "gpt-live", "OPENAI_API_KEY", dialect_gpt_live);
