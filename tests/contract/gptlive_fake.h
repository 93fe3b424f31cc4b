/** tests/contract/gptlive_fake.h: OpenAI's GPT-Live, strict about what it is sent: §1D of the
 *  protocol notes. Its audio never ends: silence between and behind the answers. */
#ifndef VA_GPTLIVE_FAKE_H
#define VA_GPTLIVE_FAKE_H

#include "contract/self_fake.h"

enum { LF_TAIL = 11 /* pieces of silence behind an answer */ };

struct lf_state {
    struct sf_state self;
    struct tmr silence;
};

static struct {
    const char *refuse; /* code of the error in answer to session.start */
    unsigned closes;    /* session.close seen */
} lf;

static inline void lf_audio(struct fake *f, const uint8_t *bytes, size_t len)
{
    struct buf b;
    struct json_writer w;
    char *z = malloc(base64_encoded_len(len) + 1);
    z[base64_encode(bytes, len, z)] = 0;
    fake_json(&w, &b, "session.output_audio.delta");
    jw_text(&w, "delta", z);
    fake_json_end(f, &w, WS_TEXT);
    free(z);
}

static inline void lf_silence(struct fake *f, unsigned pieces)
{
    uint8_t bytes[4800];
    memset(bytes, sf(f)->ulaw_out ? 0xFF : 0, sizeof(bytes));
    for (unsigned i = 0; i < pieces && f->open; i++)
        lf_audio(f, bytes, sf(f)->ulaw_out ? 800 : 4800);
}

static inline void lf_always(void *arg)
{
    struct fake *f = arg;
    if (!f->open)
        return;
    if (!sf(f)->active)
        lf_silence(f, 1);
    tmr_start(&((struct lf_state *)f->state)->silence, f->loop, 100, lf_always, f);
}

static inline void lf_words(struct fake *f, const char *type, const char *text)
{
    struct buf b;
    struct json_writer w;
    fake_json(&w, &b, type);
    jw_int(&w, "start_ms", 200);
    jw_int(&w, "end_ms", 400);
    jw_text(&w, "delta", text);
    fake_json_end(f, &w, WS_TEXT);
}

static inline void lf_text(struct fake *f, const char *text)
{
    lf_words(f, "session.output_transcript.delta", text);
}

static inline void lf_quiet(struct fake *f)
{
    lf_silence(f, LF_TAIL);
}

static inline void lf_heard(struct fake *f, const char *words)
{
    if (*words)
        lf_words(f, "session.input_transcript.delta", words);
}

static inline void lf_tool(struct fake *f, const char *name, const char *args)
{
    struct buf b;
    struct json_writer w;
    char id[32];
    (void)snprintf(id, sizeof(id), "call-%u", sf(f)->answer);
    fake_send(f, WS_TEXT,
              str_of("{\"type\":\"session.delegation.created\",\"delegation\":{\"id\":\"d-1\"}}"));
    fake_json(&w, &b, "response.event");
    jw_text(&w, "delegation_id", "d-1");
    jw_object(&w, "event");
    jw_text(&w, "type", "response.output_item.done");
    jw_object(&w, "item");
    jw_text(&w, "type", "function_call");
    jw_text(&w, "call_id", id);
    jw_text(&w, "name", name);
    jw_text(&w, "arguments", args);
    jw_end(&w);
    jw_end(&w);
    fake_json_end(f, &w, WS_TEXT);
}

static const struct sf_words lf_says = {.text = lf_text,
                                        .audio = lf_audio,
                                        .end = lf_quiet,
                                        .interrupted = lf_quiet,
                                        .heard = lf_heard,
                                        .tool = lf_tool};

/* ---- what it is sent ----------------------------------------------------------------------------
 */

static inline void lf_input(struct fake *f, struct json_object *list)
{
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        struct json_object *line = json_object_array_get_idx(list, i);
        struct json_object *part = json_object_array_get_idx(fake_obj(line, "content"), 0);
        bool agent = str_eqz(fake_str(line, "role"), "assistant");
        if (!str_eqz(fake_str(part, "type"), agent ? "output_text" : "input_text"))
            fake_refuse(f, "input.content.type");
        fake_told(f, "history", fake_str(part, "text"));
    }
}

static inline void lf_started(struct fake *f)
{
    struct buf b;
    struct json_writer w;
    int64_t ms = f->script.session_ms ? f->script.session_ms : 3600000;
    fake_json(&w, &b, "session.started");
    jw_object(&w, "session");
    jw_text(&w, "id", "live_1");
    jw_int(&w, "expires_at", clock_wall_us(loop_clock(f->loop)) / 1000000 + (ms + 999) / 1000);
    jw_end(&w);
    fake_json_end(f, &w, WS_TEXT);
}

static inline void lf_start(struct fake *f, struct json_object *o)
{
    struct sf_state *s = sf(f);
    struct json_object *session = fake_obj(o, "session"), *audio = fake_obj(session, "audio");
    struct json_object *format = fake_obj(audio, "format");
    struct json_object *delegation = fake_obj(session, "delegation");
    struct json_object *responses = fake_obj(delegation, "responses");
    bool fine = fake_only(f, session, "session", " model instructions audio delegation input ") &&
                fake_only(f, audio, "audio", " format output ") &&
                fake_only(f, responses, "responses", " model instructions tools ");
    s->in_hz = s->out_hz = json_object_get_int(fake_obj(format, "rate"));
    s->ulaw_in = s->ulaw_out = str_eqz(fake_str(format, "type"), "audio/pcmu");
    if (!fine || s->session || s->in_hz != (s->ulaw_in ? 8000 : 24000) ||
        !str_eqz(fake_str(delegation, "type"), "responses"))
        fake_refuse(f, "session.start");
    if (f->script.mute)
        return;
    if (lf.refuse) {
        char text[160];
        (void)snprintf(text, sizeof(text),
                       "{\"type\":\"error\",\"error\":{\"code\":\"%s\",\"message\":\"no\"}}",
                       lf.refuse);
        fake_send(f, WS_TEXT, str_of(text));
        return;
    }
    fake_told(f, "system", fake_str(session, "instructions"));
    lf_input(f, fake_obj(session, "input"));
    s->session = true;
    f->seen.sessions++;
    lf_started(f);
    lf_always(f);
}

static inline void lf_append(struct fake *f, struct json_object *o)
{
    struct str text = fake_str(o, "content");
    (void)fake_only(f, o, "append", " type content delegation_id event_id ");
    if (!text.len || text.len > 1000)
        fake_refuse(f, "append of %zu bytes", text.len);
    fake_told(f, "told", text);
    if (str_eqz(fake_str(o, "type"), "session.instructions.append"))
        sf_answer(f);
}

static inline void lf_item(struct fake *f, struct json_object *o)
{
    struct json_object *item = fake_obj(o, "item");
    if (!str_eqz(fake_str(item, "type"), "function_call_output") ||
        !str_starts(fake_str(item, "call_id"), "call-"))
        fake_refuse(f, "response.item.create");
    f->seen.results++;
    fake_told(f, "result", fake_str(item, "output"));
}

static inline void lf_create(struct fake *f, struct json_object *o)
{
    (void)o;
    if (!sf(f)->tool)
        fake_refuse(f, "response.create of nothing");
    sf(f)->tool = false;
    sf_answer(f);
}

static inline void lf_close(struct fake *f, struct json_object *o)
{
    (void)f;
    (void)o;
    lf.closes++;
}

static inline void lf_message(struct fake *f, enum ws_kind kind, struct str m)
{
    static const struct {
        const char *type;
        void (*handle)(struct fake *f, struct json_object *o);
    } rows[] = {{"session.start", lf_start},
                {"session.instructions.append", lf_append},
                {"session.thinking.append", lf_append},
                {"response.item.create", lf_item},
                {"response.create", lf_create},
                {"session.close", lf_close}};
    struct json_object *o = kind == WS_TEXT ? fake_parse(m) : NULL;
    struct str type = fake_str(o, "type");
    size_t i = 0, n = sizeof(rows) / sizeof(rows[0]);
    while (i < n && !str_eqz(type, rows[i].type))
        i++;
    if (i && !sf(f)->session)
        fake_refuse(f, "before session.start");
    else if (str_eqz(type, "session.input_audio.append"))
        sf_audio_base64(f, fake_str(o, "audio"));
    else if (i == n)
        fake_refuse(f, "unknown message: %.*s", STR_ARG(m));
    else
        rows[i].handle(f, o);
    json_object_put(o);
}

static inline void lf_opened(struct fake *f)
{
    (void)f;
    sf_words = &lf_says;
}

static inline void lf_closed(struct fake *f)
{
    sf_closed(f);
    tmr_stop(&((struct lf_state *)f->state)->silence);
}

static inline int lf_request(struct fake *f, const struct ws_request *r)
{
    if (!str_eqz(ws_request_header(r, "Authorization"), "Bearer sk-test"))
        return 401;
    if (!str_eqz(r->path, "/v1/live/sessions") || r->query.len)
        fake_refuse(f, "path %.*s", STR_ARG(r->path));
    return 101;
}

static const struct fake_proto gptlive_fake = {.opened = lf_opened,
                                               .message = lf_message,
                                               .closed = lf_closed,
                                               .request = lf_request,
                                               .state_size = sizeof(struct lf_state)};

#endif
