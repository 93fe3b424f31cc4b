/* session.update, the history behind it, and what the server made of it. */
#include "ai/realtime/openai/openai.h"

#include <stdio.h>

/* ---- session.update
 * ------------------------------------------------------------------------------ */

static void write_format(struct json_writer *w, const char *key, struct rt_format f)
{
    static const char *const types[] = {"audio/pcm", "audio/pcmu", "audio/pcma"};
    jw_object(w, key);
    jw_text(w, "type", types[f.codec]);
    if (f.codec == RT_PCM16)
        jw_int(w, "rate", f.rate_hz);
    jw_end(w);
}

/*
 * Where the server lets us, it only tells of turns and we ask for answers: a cough must not cut an
 * answer short nor make one, and that is known later than its detection.
 */
static void write_turn_detection(struct json_writer *w, const struct provider *p)
{
    bool server = oa_of(p)->quirks->server_answers;
    jw_object(w, "turn_detection");
    jw_text(w, "type", "server_vad");
    jw_milli(w, "threshold", 500);
    jw_int(w, "prefix_padding_ms", OA_PREFIX_MS);
    jw_int(w, "silence_duration_ms", p->secretary->end_silence_ms);
    jw_bool(w, "create_response", server);
    jw_bool(w, "interrupt_response", server);
    jw_end(w);
}

static void write_input(struct json_writer *w, const struct provider *p)
{
    const struct oa *o = oa_of(p);
    jw_object(w, "input");
    write_format(w, "format", p->format_in);
    if (o->quirks->noise_reduction) {
        jw_object(w, "noise_reduction");
        jw_text(w, "type", "near_field");
        jw_end(w);
    }
    if (o->quirks->transcribes && *o->transcribe) {
        char language[3];
        brief_language(p->secretary, language);
        jw_object(w, "transcription");
        jw_text(w, "model", o->transcribe);
        if (*language && !o->quirks->top_level_vad)
            jw_text(w, "language", language);
        jw_end(w);
    }
    if (!o->quirks->top_level_vad)
        write_turn_detection(w, p);
    jw_end(w);
}

static void write_audio(struct json_writer *w, const struct provider *p)
{
    const struct oa *o = oa_of(p);
    jw_object(w, "audio");
    write_input(w, p);
    jw_object(w, "output");
    write_format(w, "format", p->format_out);
    if (*o->voice && !o->quirks->top_level_vad)
        jw_text(w, "voice", o->voice);
    jw_end(w);
    jw_end(w);
}

static void write_tools(struct json_writer *w, const struct provider *p)
{
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
}

static void write_session(struct json_writer *w, const struct provider *p, const char *prompt)
{
    const struct oa *o = oa_of(p);
    jw_object(w, "session");
    if (!o->quirks->top_level_vad)
        jw_text(w, "type", "realtime");
    jw_text(w, "instructions", prompt);
    if (o->quirks->top_level_vad) {
        if (*o->voice)
            jw_text(w, "voice", o->voice);
        write_turn_detection(w, p);
    } else {
        jw_array(w, "output_modalities");
        jw_text(w, NULL, "audio");
        jw_end(w);
    }
    write_audio(w, p);
    write_tools(w, p);
    jw_text(w, "tool_choice", "auto");
    jw_end(w);
}

void oa_send_session(struct provider *p)
{
    struct oa *o = oa_of(p);
    struct buf prompt;
    struct json_writer w;
    buf_init(&prompt, RT_PROMPT_MAX);
    enum va_err err = brief_prompt_add(&prompt, p->secretary);
    if (!err) {
        (void)str_copy(o->update_id, sizeof(o->update_id),
                       str_of(oa_message(p, &w, "session.update")));
        write_session(&w, p, buf_z(&prompt));
        rt_send(p, &w);
    } else {
        rt_fault(p, err, false, "the secretary's texts are too long for a prompt");
    }
    buf_free(&prompt);
}

/* ---- what was said before
 * ------------------------------------------------------------------------ */

static void send_item(struct provider *p, const char *role, const char *text)
{
    struct json_writer w;
    (void)oa_message(p, &w, "conversation.item.create");
    jw_object(&w, "item");
    jw_text(&w, "type", "message");
    jw_text(&w, "role", role);
    jw_array(&w, "content");
    jw_object(&w, NULL);
    jw_text(&w, "type", strcmp(role, "assistant") == 0 ? "output_text" : "input_text");
    jw_text(&w, "text", text);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    rt_send(p, &w);
}

void oa_send_history(struct provider *p)
{
    static const char *const roles[] = {
        [SPEAKER_CALLER] = "user", [SPEAKER_AGENT] = "assistant", [SPEAKER_SYSTEM] = "system"};
    struct buf data;
    buf_init(&data, RT_TEXT_MAX);
    if (brief_call_add(&data, p->record) == VA_OK && data.len)
        send_item(p, "user", buf_z(&data));
    buf_free(&data);
    for (size_t i = 0; i < history_count(p->history) && !rt_gone(p); i++) {
        struct history_line line = history_at(p->history, i);
        send_item(p, roles[line.speaker], line.text);
    }
}

void oa_tell(struct provider *p, const char *text, bool answer)
{
    send_item(p, "user", text);
    if (answer && !rt_gone(p))
        oa_want(p, OA_WANT_TURN);
}

/* ---- what the server says it has
 * ----------------------------------------------------------------- */

static void read_format(struct json_object *side, struct rt_format *f)
{
    struct json_object *o = jg_obj(side, "format");
    struct str type = jg_str(o, "type");
    int64_t rate = jg_int(o, "rate", 24000);
    if (str_eqz(type, "audio/pcmu"))
        *f = (struct rt_format){RT_ULAW, 8000};
    else if (str_eqz(type, "audio/pcma"))
        *f = (struct rt_format){RT_ALAW, 8000};
    else if (str_eqz(type, "audio/pcm") && rate >= 8000 && rate <= 48000)
        *f = (struct rt_format){RT_PCM16, (int)rate};
}

/* A server may know better than what it was asked for. One that does not tell is believed to have
 * obeyed. */
void oa_read_formats(struct provider *p, struct json_object *session)
{
    struct json_object *audio = jg_obj(session, "audio");
    read_format(jg_obj(audio, "input"), &p->format_in);
    read_format(jg_obj(audio, "output"), &p->format_out);
}
