/* The call that Ultravox is asked to make: everything about it is said here, once. */
#include "ai/realtime/ultravox/ultravox.h"

enum { BUFFER_MS = 30000 /* it may send so far ahead: an interruption clears our buffer */ };

static void write_parameter(struct json_writer *w, const struct provider *p,
                            const struct brief_tool *tool)
{
    jw_object(w, NULL);
    jw_text(w, "name", tool->parameter);
    jw_text(w, "location", "PARAMETER_LOCATION_BODY");
    jw_object(w, "schema");
    jw_text(w, "type", "string");
    jw_text(w, "description", tool->parameter_description);
    jw_array(w, "enum");
    for (size_t i = 0; i < p->secretary->destination_count; i++)
        jw_text(w, NULL, p->secretary->destinations[i].name);
    jw_end(w);
    jw_end(w);
    jw_bool(w, "required", true);
    jw_end(w);
}

static void write_tools(struct json_writer *w, const struct provider *p)
{
    jw_array(w, "selectedTools");
    const struct brief_tool *tool;
    for (size_t i = 0; (tool = brief_tool_at(p->secretary, i)); i++) {
        jw_object(w, NULL);
        jw_object(w, "temporaryTool");
        jw_text(w, "modelToolName", tool->name);
        jw_text(w, "description", tool->description);
        jw_array(w, "dynamicParameters");
        if (tool->parameter)
            write_parameter(w, p, tool);
        jw_end(w);
        jw_object(w, "client");
        jw_end(w);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

static void write_line(struct json_writer *w, const char *role, const char *text)
{
    jw_object(w, NULL);
    jw_text(w, "role", role);
    jw_text(w, "text", text);
    jw_end(w);
}

static void write_history(struct json_writer *w, const struct provider *p)
{
    struct buf data;
    buf_init(&data, RT_TEXT_MAX);
    jw_array(w, "initialMessages");
    if (brief_call_add(&data, p->record) == VA_OK && data.len)
        write_line(w, "MESSAGE_ROLE_USER", buf_z(&data));
    for (size_t i = 0; i < history_count(p->history); i++) {
        struct history_line line = history_at(p->history, i);
        write_line(w, line.speaker == SPEAKER_AGENT ? "MESSAGE_ROLE_AGENT" : "MESSAGE_ROLE_USER",
                   line.text);
    }
    jw_end(w);
    buf_free(&data);
}

/* We speak first when we say so, not when the connection is there. */
static void write_medium(struct json_writer *w, const struct provider *p)
{
    jw_object(w, "firstSpeakerSettings");
    jw_object(w, "user");
    jw_end(w);
    jw_end(w);
    jw_object(w, "medium");
    jw_object(w, "serverWebSocket");
    jw_int(w, "inputSampleRate", p->format_in.rate_hz);
    jw_int(w, "outputSampleRate", p->format_out.rate_hz);
    jw_int(w, "clientBufferSizeMs", BUFFER_MS);
    jw_end(w);
    jw_end(w);
}

enum va_err uv_write_call(struct buf *out, const struct provider *p)
{
    const struct settings *s = p->settings;
    const char *voice = *p->secretary->voice ? p->secretary->voice : s->ultravox_voice;
    struct json_writer w;
    struct buf prompt;
    char language[3];
    brief_language(p->secretary, language);
    buf_init(&prompt, RT_PROMPT_MAX);
    enum va_err err = brief_prompt_add(&prompt, p->secretary);
    jw_begin(&w, out);
    jw_object(&w, NULL);
    jw_text(&w, "systemPrompt", buf_z(&prompt));
    if (*s->ultravox_model)
        jw_text(&w, "model", s->ultravox_model);
    if (*voice)
        jw_text(&w, "voice", voice);
    if (*language)
        jw_text(&w, "languageHint", language);
    write_tools(&w, p);
    write_history(&w, p);
    write_medium(&w, p);
    jw_end(&w);
    buf_free(&prompt);
    enum va_err finished = jw_finish(&w);
    return err ? err : finished;
}
