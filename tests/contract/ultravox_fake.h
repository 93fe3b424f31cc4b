/** tests/contract/ultravox_fake.h: Ultravox: calls are made at an HTTP server and joined here, once
 *  each; strict about what it is sent: §4.2 of the protocol notes. */
#ifndef VA_ULTRAVOX_FAKE_H
#define VA_ULTRAVOX_FAKE_H

#include "contract/http_fake.h"
#include "contract/self_fake.h"

struct uf_state {
    struct sf_state self;
    struct tmr limit;
};

static struct hf uf_http;
static unsigned uf_joined; /* calls that were joined */

static inline void uf_state(struct fake *f, const char *state)
{
    struct buf b;
    struct json_writer w;
    fake_json(&w, &b, "state");
    jw_text(&w, "state", state);
    fake_json_end(f, &w, WS_TEXT);
}

static inline void uf_words_of(struct fake *f, const char *role, const char *medium,
                               const char *key, const char *text, bool final)
{
    struct buf b;
    struct json_writer w;
    fake_json(&w, &b, "transcript");
    jw_text(&w, "role", role);
    jw_text(&w, "medium", medium);
    jw_text(&w, key, text);
    jw_bool(&w, "final", final);
    jw_int(&w, "ordinal", sf(f)->answer);
    fake_json_end(f, &w, WS_TEXT);
}

static inline void uf_begin(struct fake *f)
{
    uf_state(f, "thinking");
    uf_state(f, "speaking");
}

static inline void uf_text(struct fake *f, const char *text)
{
    uf_words_of(f, "agent", "voice", "delta", text, false);
}

static inline void uf_audio(struct fake *f, const uint8_t *bytes, size_t len)
{
    fake_send(f, WS_BINARY, str_make((const char *)bytes, len));
}

static inline void uf_finish(struct fake *f)
{
    uf_words_of(f, "agent", "voice", "text", f->script.answer_text, true);
    uf_state(f, "listening");
}

static inline void uf_interrupted(struct fake *f)
{
    fake_send(f, WS_TEXT, str_of("{\"type\":\"playback_clear_buffer\"}"));
    if (f->script.late_audio)
        uf_audio(f, (const uint8_t *)"late", 4);
}

static inline void uf_heard(struct fake *f, const char *words)
{
    uf_words_of(f, "user", "voice", "text", words, true);
}

static inline void uf_tool(struct fake *f, const char *name, const char *args)
{
    struct buf b;
    buf_init(&b, 4096);
    (void)buf_addf(&b,
                   "{\"type\":\"client_tool_invocation\",\"toolName\":\"%s\",\"invocationId\":"
                   "\"call-%u\",\"parameters\":%s}",
                   name, sf(f)->answer, args);
    fake_send(f, WS_TEXT, buf_str(&b));
    buf_free(&b);
}

static const struct sf_words uf_words = {.begin = uf_begin,
                                         .text = uf_text,
                                         .audio = uf_audio,
                                         .end = uf_finish,
                                         .interrupted = uf_interrupted,
                                         .heard = uf_heard,
                                         .tool = uf_tool};

static inline void uf_over(void *arg)
{
    struct fake *f = arg;
    f->script.close_code = 1000;
    fake_drop(f);
}

/* ---- the call that was made ---------------------------------------------------------------------
 */

static inline void uf_tools(struct fake *f, struct json_object *list)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *t = fake_obj(json_object_array_get_idx(list, i), "temporaryTool");
        (void)fake_only(f, t, "temporaryTool",
                        " modelToolName description dynamicParameters client ");
        if (!fake_str(t, "modelToolName").len || !fake_obj(t, "client"))
            fake_refuse(f, "temporaryTool");
    }
}

static inline void uf_call(struct fake *f, struct json_object *o)
{
    struct json_object *socket = fake_obj(fake_obj(o, "medium"), "serverWebSocket");
    struct json_object *list = fake_obj(o, "initialMessages");
    (void)fake_only(f, o, "call",
                    " systemPrompt model voice languageHint selectedTools initialMessages "
                    "firstSpeakerSettings medium ");
    sf(f)->in_hz = json_object_get_int(fake_obj(socket, "inputSampleRate"));
    sf(f)->out_hz = json_object_get_int(fake_obj(socket, "outputSampleRate"));
    if (sf(f)->in_hz != 8000 || sf(f)->out_hz != 8000)
        fake_refuse(f, "rates");
    uf_tools(f, fake_obj(o, "selectedTools"));
    fake_told(f, "system", fake_str(o, "systemPrompt"));
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *line = json_object_array_get_idx(list, i);
        if (!str_starts(fake_str(line, "role"), "MESSAGE_ROLE_"))
            fake_refuse(f, "role");
        fake_told(f, "history", fake_str(line, "text"));
    }
}

/* ---- what it is sent ----------------------------------------------------------------------------
 */

static inline void uf_user(struct fake *f, struct json_object *o)
{
    struct str urgency = fake_str(o, "urgency");
    (void)fake_only(f, o, "user_text_message", " type text urgency ");
    fake_told(f, "user", fake_str(o, "text"));
    if (str_eqz(urgency, "later"))
        return;
    if (!str_eqz(urgency, "immediate"))
        fake_refuse(f, "urgency");
    uf_words_of(f, "user", "text", "text", "what was typed", true);
    sf_answer(f);
}

static inline void uf_forced(struct fake *f, struct json_object *o)
{
    (void)fake_only(f, o, "forced_agent_message", " type content urgency uninterruptible ");
    fake_told(f, "agent", fake_str(o, "content"));
    sf_answer(f);
}

static inline void uf_result(struct fake *f, struct json_object *o)
{
    (void)fake_only(f, o, "client_tool_result", " type invocationId result agentReaction ");
    if (!str_starts(fake_str(o, "invocationId"), "call-"))
        fake_refuse(f, "invocationId");
    sf_result(f, fake_str(o, "result"));
}

static inline void uf_pong(struct fake *f, struct json_object *o)
{
    (void)fake_only(f, o, "pong", " type timestamp ");
    fake_told(f, "pong", str_of(""));
}

static inline void uf_message(struct fake *f, enum ws_kind kind, struct str m)
{
    static const struct {
        const char *type;
        void (*handle)(struct fake *f, struct json_object *o);
    } rows[] = {{"user_text_message", uf_user},
                {"forced_agent_message", uf_forced},
                {"client_tool_result", uf_result},
                {"pong", uf_pong}};
    if (kind == WS_BINARY) {
        sf_audio(f, (const uint8_t *)m.p, m.len);
        return;
    }
    struct json_object *o = fake_parse(m);
    size_t i = 0, n = sizeof(rows) / sizeof(rows[0]);
    while (i < n && !str_eqz(fake_str(o, "type"), rows[i].type))
        i++;
    if (i == n)
        fake_refuse(f, "unknown message: %.*s", STR_ARG(m));
    else
        rows[i].handle(f, o);
    json_object_put(o);
}

static inline void uf_opened(struct fake *f)
{
    struct json_object *o = fake_parse(buf_str(&uf_http.got));
    sf_words = &uf_words;
    if (uf_http.asked != ++uf_joined)
        fake_refuse(f, "a call that was joined already");
    uf_call(f, o);
    json_object_put(o);
    if (f->script.mute)
        return;
    sf(f)->session = true;
    f->seen.sessions++;
    fake_send(f, WS_TEXT, str_of("{\"type\":\"call_started\",\"callId\":\"c-1\"}"));
    uf_state(f, "listening");
    if (f->script.session_ms)
        tmr_start(&((struct uf_state *)f->state)->limit, f->loop, f->script.session_ms, uf_over, f);
}

static inline void uf_closed(struct fake *f)
{
    sf_closed(f);
    tmr_stop(&((struct uf_state *)f->state)->limit);
}

static inline int uf_request(struct fake *f, const struct ws_request *r)
{
    if (!str_eqz(r->path, "/join"))
        fake_refuse(f, "path %.*s", STR_ARG(r->path));
    return 101;
}

static const struct fake_proto ultravox_fake = {.opened = uf_opened,
                                                .message = uf_message,
                                                .closed = uf_closed,
                                                .request = uf_request,
                                                .state_size = sizeof(struct uf_state)};

#endif
