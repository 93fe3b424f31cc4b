/**
 * tests/contract/openai_fake.h: an OpenAI Realtime server (GA), strict about what it is sent: §1.2,
 * 1.3, 1.7 and 1.8 of the protocol notes. µ-law or pcm; turns by the energy of the audio.
 */
#ifndef VA_OPENAI_FAKE_H
#define VA_OPENAI_FAKE_H

#include "contract/fake_server.h"
#include "media/g711.h"

enum { OF_PIECE_MS = 100, OF_ONSET_MS = 60, OF_ITEMS_MAX = 64 };

struct of_item {
    char id[32];
    bool assistant, deleted;
    unsigned audio_ms;
};

struct of_state {
    bool session;
    bool ulaw, pcm; /* output format */
    bool create_response, interrupt_response, transcribes;
    int silence_ms, prefix_ms;
    unsigned next;
    struct of_item item[OF_ITEMS_MAX];
    unsigned items;
    /* VAD */
    uint64_t now_ms;
    unsigned loud_ms, quiet_ms;
    bool speaking;
    char turn[32];
    /* response */
    bool active;
    char response[32], reply[32];
    unsigned sent_ms;
    struct tmr timer;
};

/* xAI's dialect: voice and turn_detection at the session's top, no session.type, no truncation. */
static const struct fake_proto xai_fake;

static inline bool of_xai(const struct fake *f)
{
    return f->proto == &xai_fake;
}

static inline struct of_state *of(struct fake *f)
{
    return f->state;
}

static inline const char *of_id(struct fake *f, const char *prefix, char out[static 32])
{
    (void)snprintf(out, 32, "%s_%u", prefix, ++of(f)->next);
    return out;
}

static inline void of_begin(struct fake *f, struct json_writer *w, struct buf *b, const char *type)
{
    char id[32];
    fake_json(w, b, type);
    jw_text(w, "event_id", of_id(f, "event", id));
}

static inline void of_end(struct fake *f, struct json_writer *w)
{
    fake_json_end(f, w, WS_TEXT);
}

static inline void of_error(struct fake *f, struct json_object *cause, const char *code,
                            const char *message, const char *param)
{
    struct buf b;
    struct json_writer w;
    fake_refuse(f, "%s: %s (%s)", code, message, param ? param : "");
    of_begin(f, &w, &b, "error");
    jw_object(&w, "error");
    jw_text(&w, "type", "invalid_request_error");
    jw_text(&w, "code", code);
    jw_text(&w, "message", message);
    if (param)
        jw_text(&w, "param", param);
    else
        jw_null(&w, "param");
    jw_str(&w, "event_id", fake_str(cause, "event_id"));
    jw_end(&w);
    of_end(f, &w);
}

/* ---- strictness
 * ---------------------------------------------------------------------------------- */

/* Members that an object may have, by its place; "*" ends a list that is not looked into. */
static const struct {
    const char *where, *members;
} of_allowed[] = {
    {"session.update", " event_id type session "},
    {"session.update.session",
     " type instructions output_modalities audio tools tool_choice max_output_tokens truncation "
     "include prompt tracing model "},
    {"session.update.session.audio", " input output "},
    {"session.update.session.audio.input", " format noise_reduction transcription turn_detection "},
    {"session.update.session.audio.input.format", " type rate "},
    {"session.update.session.audio.input.noise_reduction", " type "},
    {"session.update.session.audio.input.transcription", " model language prompt "},
    {"session.update.session.audio.input.turn_detection",
     " type threshold prefix_padding_ms silence_duration_ms idle_timeout_ms create_response "
     "interrupt_response "},
    {"session.update.session.audio.output", " format voice speed "},
    {"session.update.session.audio.output.format", " type rate "},
    {"input_audio_buffer.append", " event_id type audio "},
    {"conversation.item.create", " event_id type item previous_item_id "},
    {"conversation.item.create.item",
     " id type role content call_id output name arguments status "},
    {"conversation.item.delete", " event_id type item_id "},
    {"conversation.item.truncate", " event_id type item_id content_index audio_end_ms "},
    {"response.create", " event_id type response "},
    {"response.create.response",
     " instructions output_modalities audio tools tool_choice conversation input metadata "
     "max_output_tokens "},
    {"response.cancel", " event_id type response_id "},
    {"input_audio_buffer.commit", " event_id type "},
    {"input_audio_buffer.clear", " event_id type "},
};

static const char of_xai_session[] =
    " instructions voice turn_detection audio tools tool_choice resumption ";

static inline const char *of_members(const char *where)
{
    for (size_t i = 0; i < sizeof(of_allowed) / sizeof(of_allowed[0]); i++)
        if (strcmp(of_allowed[i].where, where) == 0)
            return of_allowed[i].members;
    return NULL;
}

/* The first member that is unknown, as a path in `bad`. */
static inline bool of_check(struct json_object *o, const char *where, char bad[static 160],
                            bool xai)
{
    const char *members =
        xai && strcmp(where, "session.update.session") == 0 ? of_xai_session : of_members(where);
    if (!members || !json_object_is_type(o, json_type_object))
        return true;
    json_object_object_foreach(o, key, value)
    {
        char needle[80], path[160];
        (void)snprintf(needle, sizeof(needle), " %s ", key);
        (void)snprintf(path, sizeof(path), "%s.%s", where, key);
        if (!strstr(members, needle)) {
            (void)snprintf(bad, 160, "%s", path);
            return false;
        }
        if (!of_check(value, path, bad, xai))
            return false;
    }
    return true;
}

/* ---- session
 * ------------------------------------------------------------------------------------- */

static inline void of_opened(struct fake *f)
{
    struct buf b;
    struct json_writer w;
    int64_t now = clock_wall_us(loop_clock(f->loop)) / 1000;
    int64_t ends_ms = now + (f->script.session_ms ? f->script.session_ms : 3600000);
    of_begin(f, &w, &b, "session.created");
    jw_object(&w, "session");
    jw_text(&w, "type", "realtime");
    jw_text(&w, "object", "realtime.session");
    jw_text(&w, "id", "sess_1");
    jw_int(&w, "expires_at", (ends_ms + 999) / 1000);
    jw_end(&w);
    of_end(f, &w);
}

static inline bool of_bool(struct json_object *o, const char *key, bool fallback)
{
    struct json_object *v = fake_obj(o, key);
    return v ? json_object_get_boolean(v) : fallback;
}

static inline int of_num(struct json_object *o, const char *key, int fallback)
{
    struct json_object *v = fake_obj(o, key);
    return v ? json_object_get_int(v) : fallback;
}

static inline void of_session_update(struct fake *f, struct json_object *o)
{
    struct of_state *s = of(f);
    struct json_object *session = fake_obj(o, "session"), *audio = fake_obj(session, "audio");
    struct json_object *in = fake_obj(audio, "input");
    struct json_object *vad = fake_obj(of_xai(f) ? session : in, "turn_detection");
    if (!of_xai(f) && !str_eqz(fake_str(session, "type"), "realtime")) {
        of_error(f, o, "missing_required_parameter", "Missing required parameter: 'session.type'.",
                 "session.type");
        return;
    }
    if (str_eqz(fake_str(fake_obj(audio, "output"), "voice"), "nobody")) {
        of_error(f, o, "invalid_value", "Invalid value: 'nobody'.", "session.audio.output.voice");
        f->seen.refusals.len = 0; /* asked for by a test */
        f->seen.refusals.p[0] = 0;
        return;
    }
    if (f->script.mute)
        return;
    (void)buf_adds(&f->seen.texts, fake_str(session, "instructions"));
    s->ulaw = str_eqz(fake_str(fake_obj(in, "format"), "type"), "audio/pcmu");
    s->create_response = vad && of_bool(vad, "create_response", true);
    s->interrupt_response = vad && of_bool(vad, "interrupt_response", true);
    s->silence_ms = of_num(vad, "silence_duration_ms", 500);
    s->prefix_ms = of_num(vad, "prefix_padding_ms", 300);
    s->transcribes = fake_obj(in, "transcription") != NULL;
    s->session = true;
    f->seen.sessions++;
    struct buf b;
    struct json_writer w;
    of_begin(f, &w, &b, "session.updated");
    jw_object(&w, "session");
    jw_text(&w, "type", "realtime");
    jw_end(&w);
    of_end(f, &w);
}

/* ---- items
 * --------------------------------------------------------------------------------------- */

static inline struct of_item *of_item_new(struct fake *f, bool assistant, const char *id)
{
    struct of_state *s = of(f);
    struct of_item *i = &s->item[s->items++ % OF_ITEMS_MAX];
    *i = (struct of_item){.assistant = assistant};
    (void)snprintf(i->id, sizeof(i->id), "%s", id);
    return i;
}

static inline struct of_item *of_item_find(struct fake *f, struct str id)
{
    for (unsigned i = 0; i < OF_ITEMS_MAX; i++)
        if (id.len && str_eqz(id, of(f)->item[i].id) && !of(f)->item[i].deleted)
            return &of(f)->item[i];
    return NULL;
}

static inline void of_item_event(struct fake *f, const char *type, const char *id, const char *role)
{
    struct buf b;
    struct json_writer w;
    of_begin(f, &w, &b, type);
    jw_null(&w, "previous_item_id");
    jw_object(&w, "item");
    jw_text(&w, "id", id);
    jw_text(&w, "type", "message");
    jw_text(&w, "status", "completed");
    jw_text(&w, "role", role);
    jw_array(&w, "content");
    jw_end(&w);
    jw_end(&w);
    of_end(f, &w);
}

static inline void of_item_create(struct fake *f, struct json_object *o)
{
    struct json_object *item = fake_obj(o, "item"), *content = fake_obj(item, "content");
    struct str type = fake_str(item, "type"), role = fake_str(item, "role");
    char id[32];
    if (str_eqz(type, "function_call_output")) {
        if (!fake_str(item, "call_id").len || !fake_str(item, "output").p)
            of_error(f, o, "missing_required_parameter", "call_id, output", "item");
        f->seen.results++;
        (void)buf_addf(&f->seen.texts, "result:%.*s\n", STR_ARG(fake_str(item, "output")));
    } else if (str_eqz(type, "message")) {
        struct json_object *part = json_object_array_get_idx(content, 0);
        bool assistant = str_eqz(role, "assistant");
        if (!str_eqz(fake_str(part, "type"), assistant ? "output_text" : "input_text"))
            of_error(f, o, "invalid_value", "content type", "item.content[0].type");
        (void)buf_addf(&f->seen.texts, "%.*s:%.*s\n", STR_ARG(role),
                       STR_ARG(fake_str(part, "text")));
    } else {
        of_error(f, o, "invalid_value", "item type", "item.type");
    }
    (void)of_item_new(f, false, of_id(f, "item", id));
    of_item_event(f, "conversation.item.added", id, "user");
    of_item_event(f, "conversation.item.done", id, "user");
}

static inline void of_simple(struct fake *f, const char *type, struct str item)
{
    struct buf b;
    struct json_writer w;
    of_begin(f, &w, &b, type);
    jw_str(&w, "item_id", item);
    of_end(f, &w);
}

static inline void of_item_delete(struct fake *f, struct json_object *o)
{
    struct str id = fake_str(o, "item_id");
    struct of_item *i = of_item_find(f, id);
    if (!i) {
        of_error(f, o, "item_delete_invalid_item_id", "no such item", "item_id");
        return;
    }
    i->deleted = true;
    (void)buf_addf(&f->seen.texts, "deleted:%.*s\n", STR_ARG(id));
    of_simple(f, "conversation.item.deleted", id);
}

static inline void of_item_truncate(struct fake *f, struct json_object *o)
{
    struct of_item *i = of_item_find(f, fake_str(o, "item_id"));
    int ms = of_num(o, "audio_end_ms", -1);
    if (of_xai(f) || !i || !i->assistant)
        of_error(f, o, "invalid_value", "Only model output audio messages can be truncated",
                 "item_id");
    else if (ms < 0 || (unsigned)ms > i->audio_ms)
        of_error(f, o, "invalid_value", "Audio content is already shorter", "audio_end_ms");
    else {
        f->seen.truncated_ms = ms;
        of_simple(f, "conversation.item.truncated", fake_str(o, "item_id"));
    }
}

/* ---- responses
 * ----------------------------------------------------------------------------------- */

static inline void of_response_head(struct fake *f, struct json_writer *w, const char *status)
{
    jw_object(w, "response");
    jw_text(w, "object", "realtime.response");
    jw_text(w, "id", of(f)->response);
    jw_text(w, "status", status);
}

static inline void of_part(struct fake *f, struct json_writer *w, struct buf *b, const char *type)
{
    of_begin(f, w, b, type);
    jw_text(w, "response_id", of(f)->response);
    jw_text(w, "item_id", of(f)->reply);
    jw_int(w, "output_index", 0);
    jw_int(w, "content_index", 0);
}

static inline void of_delta(struct fake *f, unsigned ms)
{
    struct of_state *s = of(f);
    int rate = s->ulaw ? 8000 : 24000;
    size_t n = (size_t)rate * ms / 1000;
    int16_t *pcm = malloc(n * 2 + 2);
    uint8_t *bytes = malloc(n * 2 + 2);
    fake_tone(pcm, n, rate, 440, (uint64_t)s->sent_ms * (uint64_t)rate / 1000);
    if (s->ulaw)
        g711_ulaw_encode_block(pcm, n, bytes);
    else
        memcpy(bytes, pcm, n * 2);
    size_t len = s->ulaw ? n : n * 2;
    char *text = malloc(base64_encoded_len(len));
    size_t chars = base64_encode(bytes, len, text);
    struct buf b;
    struct json_writer w;
    of_part(f, &w, &b, "response.output_audio.delta");
    jw_str(&w, "delta", str_make(text, chars));
    of_end(f, &w);
    free(pcm);
    free(bytes);
    free(text);
}

static inline void of_item_out(struct fake *f, const char *type, const char *status)
{
    struct buf b;
    struct json_writer w;
    of_begin(f, &w, &b, type);
    jw_text(&w, "response_id", of(f)->response);
    jw_int(&w, "output_index", 0);
    jw_object(&w, "item");
    jw_text(&w, "id", of(f)->reply);
    jw_text(&w, "type", "message");
    jw_text(&w, "status", status);
    jw_text(&w, "role", "assistant");
    jw_end(&w);
    of_end(f, &w);
}

static inline void of_done(struct fake *f, const char *status)
{
    struct of_state *s = of(f);
    struct buf b;
    struct json_writer w;
    tmr_stop(&s->timer);
    s->active = false;
    of_begin(f, &w, &b, "response.done");
    of_response_head(f, &w, status);
    jw_array(&w, "output");
    jw_end(&w);
    jw_object(&w, "usage");
    jw_int(&w, "total_tokens", 1);
    jw_end(&w);
    jw_end(&w);
    of_end(f, &w);
    if (f->script.late_audio && strcmp(status, "cancelled") == 0)
        of_delta(f, 20);
}

static inline void of_finish(struct fake *f)
{
    struct buf b;
    struct json_writer w;
    of_part(f, &w, &b, "response.output_audio.done");
    of_end(f, &w);
    of_part(f, &w, &b, "response.output_audio_transcript.done");
    jw_text(&w, "transcript", f->script.answer_text);
    of_end(f, &w);
    of_item_out(f, "response.output_item.done", "completed");
    of_done(f, "completed");
}

static inline void of_piece(void *arg)
{
    struct fake *f = arg;
    struct of_state *s = of(f);
    if (f->script.stall || !f->open)
        return;
    if (s->sent_ms >= f->script.answer_ms) {
        of_finish(f);
        return;
    }
    unsigned ms = f->script.answer_ms - s->sent_ms;
    ms = ms < OF_PIECE_MS ? ms : OF_PIECE_MS;
    of_delta(f, ms);
    s->sent_ms += ms;
    struct of_item *i = of_item_find(f, str_of(s->reply));
    if (i)
        i->audio_ms = s->sent_ms;
    if (f->script.drop_after_ms && s->sent_ms >= f->script.drop_after_ms) {
        f->script.drop_after_ms = 0;
        fake_drop(f);
        return;
    }
    tmr_start(&s->timer, f->loop, f->script.pace_ms, of_piece, f);
}

static inline void of_call_tool(struct fake *f)
{
    struct buf b;
    struct json_writer w;
    char call[32];
    of_begin(f, &w, &b, "response.output_item.done");
    jw_text(&w, "response_id", of(f)->response);
    jw_object(&w, "item");
    jw_text(&w, "id", of(f)->reply);
    jw_text(&w, "type", "function_call");
    jw_text(&w, "status", "completed");
    jw_text(&w, "name", f->script.tool);
    jw_text(&w, "call_id", of_id(f, "call", call));
    jw_text(&w, "arguments", f->script.tool_args);
    jw_end(&w);
    f->script.tool = NULL;
    of_end(f, &w);
    of_done(f, "completed");
}

static inline void of_respond(struct fake *f)
{
    struct of_state *s = of(f);
    struct buf b;
    struct json_writer w;
    s->active = true;
    s->sent_ms = 0;
    (void)of_id(f, "resp", s->response);
    (void)of_id(f, "item", s->reply);
    f->seen.answers++;
    of_begin(f, &w, &b, "response.created");
    of_response_head(f, &w, "in_progress");
    jw_end(&w);
    of_end(f, &w);
    if (f->script.garbage) {
        fake_send(f, WS_TEXT, str_of(f->script.garbage));
        f->script.garbage = NULL;
    }
    if (f->script.tool) {
        of_call_tool(f);
        return;
    }
    (void)of_item_new(f, true, s->reply);
    of_item_out(f, "response.output_item.added", "in_progress");
    of_part(f, &w, &b, "response.output_audio_transcript.delta");
    jw_text(&w, "delta", "It is ");
    jw_text(&w, "obfuscation", "xyz");
    of_end(f, &w);
    tmr_start(&s->timer, f->loop, f->script.pace_ms, of_piece, f);
}

static inline void of_response_create(struct fake *f, struct json_object *o)
{
    struct json_object *response = fake_obj(o, "response");
    if (of(f)->active) {
        of_error(f, o, "conversation_already_has_active_response", "active", NULL);
        return;
    }
    struct str text = fake_str(response, "instructions");
    if (text.len)
        (void)buf_addf(&f->seen.texts, "say:%.*s\n", STR_ARG(text));
    of_respond(f);
}

static inline void of_cancel_response(struct fake *f, struct json_object *o)
{
    if (!of(f)->active) {
        struct buf before = f->seen.refusals;
        (void)before;
        size_t len = f->seen.refusals.len;
        of_error(f, o, "response_cancel_not_active", "no active response found", NULL);
        f->seen.refusals.len = len; /* may cross with the end: no fault of the client's */
        if (f->seen.refusals.p)
            f->seen.refusals.p[len] = 0;
        return;
    }
    f->seen.cancels++;
    of_done(f, "cancelled");
}

/* ---- the caller's audio
 * --------------------------------------------------------------------------- */

static inline void of_turn_event(struct fake *f, const char *type, const char *key, uint64_t ms)
{
    struct buf b;
    struct json_writer w;
    of_begin(f, &w, &b, type);
    if (key)
        jw_int(&w, key, (int64_t)ms);
    jw_text(&w, "item_id", of(f)->turn);
    of_end(f, &w);
}

static inline void of_turn_end(struct fake *f)
{
    struct of_state *s = of(f);
    struct buf b;
    struct json_writer w;
    s->speaking = false;
    of_turn_event(f, "input_audio_buffer.speech_stopped", "audio_end_ms", s->now_ms);
    of_turn_event(f, "input_audio_buffer.committed", NULL, 0);
    (void)of_item_new(f, false, s->turn);
    of_item_event(f, "conversation.item.added", s->turn, "user");
    of_item_event(f, "conversation.item.done", s->turn, "user");
    if (s->create_response && !s->active)
        of_respond(f);
    if (!s->transcribes)
        return;
    of_begin(f, &w, &b, "conversation.item.input_audio_transcription.completed");
    jw_text(&w, "item_id", s->turn);
    jw_int(&w, "content_index", 0);
    jw_text(&w, "transcript", f->script.words);
    of_end(f, &w);
}

static inline void of_hear(struct fake *f, unsigned ms, bool loud)
{
    struct of_state *s = of(f);
    s->now_ms += ms;
    s->loud_ms = loud ? s->loud_ms + ms : 0;
    s->quiet_ms = loud ? 0 : s->quiet_ms + ms;
    if (!s->speaking && s->loud_ms >= OF_ONSET_MS) {
        s->speaking = true;
        (void)of_id(f, "item", s->turn);
        uint64_t from = s->now_ms - s->loud_ms, prefix = (uint64_t)s->prefix_ms;
        of_turn_event(f, "input_audio_buffer.speech_started", "audio_start_ms",
                      from > prefix ? from - prefix : 0);
        if (s->active && s->interrupt_response)
            of_done(f, "cancelled");
    } else if (s->speaking && s->quiet_ms >= (unsigned)s->silence_ms) {
        of_turn_end(f);
    }
}

static inline void of_append(struct fake *f, struct json_object *o)
{
    struct of_state *s = of(f);
    struct str text = fake_str(o, "audio");
    uint8_t *bytes = malloc(base64_decoded_max(text.len));
    size_t len = 0;
    if (base64_decode(text.p, text.len, bytes, &len) || !len) {
        of_error(f, o, "invalid_value", "audio", "audio");
    } else {
        uint64_t sum = 0;
        size_t n = s->ulaw ? len : len / 2;
        for (size_t i = 0; i < n; i++)
            sum += (uint64_t)abs(s->ulaw ? g711_ulaw_decode(bytes[i])
                                         : (int16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8));
        unsigned ms = (unsigned)(n * 1000 / (s->ulaw ? 8000 : 24000));
        f->seen.audio_ms += ms;
        f->seen.audio_messages++;
        of_hear(f, ms, sum / n > 500);
    }
    free(bytes);
}

/* ---- dispatch
 * ------------------------------------------------------------------------------------ */

static inline void of_message(struct fake *f, enum ws_kind kind, struct str m)
{
    static const struct {
        const char *type;
        void (*handle)(struct fake *f, struct json_object *o);
    } rows[] = {
        {"session.update", of_session_update},
        {"input_audio_buffer.append", of_append},
        {"conversation.item.create", of_item_create},
        {"conversation.item.delete", of_item_delete},
        {"conversation.item.truncate", of_item_truncate},
        {"response.create", of_response_create},
        {"response.cancel", of_cancel_response},
    };
    char bad[160];
    struct json_object *o = kind == WS_TEXT ? fake_parse(m) : NULL;
    struct str type = fake_str(o, "type");
    size_t i = 0, n = sizeof(rows) / sizeof(rows[0]);
    while (i < n && !str_eqz(type, rows[i].type))
        i++;
    if (!o || i == n)
        of_error(f, o, "invalid_value", "unknown event", "type");
    else if (!of_check(o, rows[i].type, bad, of_xai(f)))
        of_error(f, o, "unknown_parameter", "Unknown parameter", bad);
    else if (i && !of(f)->session)
        of_error(f, o, "invalid_value", "before session.update", rows[i].type);
    else
        rows[i].handle(f, o);
    json_object_put(o);
}

static inline void of_closed(struct fake *f)
{
    tmr_stop(&of(f)->timer);
}

static inline int of_request(struct fake *f, const struct ws_request *r)
{
    if (ws_request_header(r, "OpenAI-Beta").len) {
        fake_refuse(f, "beta header");
        return 400;
    }
    struct str key = ws_request_header(r, "Authorization");
    if (!str_eqz(key, "Bearer sk-test") && !str_eqz(ws_request_header(r, "api-key"), "sk-test"))
        return 401;
    if (!str_eqz(r->path, "/v1/realtime") && !str_eqz(r->path, "/openai/v1/realtime")) {
        fake_refuse(f, "path %.*s", STR_ARG(r->path));
        return 404;
    }
    return 101;
}

static const struct fake_proto openai_fake = {.opened = of_opened,
                                              .message = of_message,
                                              .closed = of_closed,
                                              .request = of_request,
                                              .state_size = sizeof(struct of_state)};

static const struct fake_proto xai_fake = {.opened = of_opened,
                                           .message = of_message,
                                           .closed = of_closed,
                                           .request = of_request,
                                           .state_size = sizeof(struct of_state)};

#endif
