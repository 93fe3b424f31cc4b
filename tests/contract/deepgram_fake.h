/** tests/contract/deepgram_fake.h: Deepgram's Voice Agent, strict about what it is sent: §4.1 of
 * the protocol notes. */
#ifndef VA_DEEPGRAM_FAKE_H
#define VA_DEEPGRAM_FAKE_H

#include "contract/self_fake.h"

struct df_state {
    struct sf_state self;
    struct tmr limit;
};

static struct {
    unsigned keep_alives, refusals; /* seen; to give to the next injections */
    bool echo;                      /* text in the user's name comes back */
    const char *error;              /* in answer to the settings */
} df;

static inline void df_line(struct fake *f, const char *role, struct str text)
{
    struct buf b;
    struct json_writer w;
    fake_json(&w, &b, "ConversationText");
    jw_text(&w, "role", role);
    jw_str(&w, "content", text);
    fake_json_end(f, &w, WS_TEXT);
}

static inline void df_begin(struct fake *f)
{
    fake_send(f, WS_TEXT, str_of("{\"type\":\"AgentThinking\",\"content\":\"…\"}"));
}

static inline void df_text(struct fake *f, const char *text)
{
    df_line(f, "assistant", str_of(text));
    fake_send(f, WS_TEXT, str_of("{\"type\":\"AgentStartedSpeaking\",\"total_latency\":0.4}"));
}

static inline void df_audio(struct fake *f, const uint8_t *bytes, size_t len)
{
    fake_send(f, WS_BINARY, str_make((const char *)bytes, len));
}

static inline void df_finish(struct fake *f)
{
    fake_send(f, WS_TEXT, str_of("{\"type\":\"AgentAudioDone\"}"));
}

static inline void df_interrupted(struct fake *f)
{
    fake_send(f, WS_TEXT, str_of("{\"type\":\"UserStartedSpeaking\"}"));
    if (f->script.late_audio)
        df_audio(f, (const uint8_t *)"late", 4);
}

static inline void df_heard(struct fake *f, const char *words)
{
    df_line(f, "user", str_of(words));
}

static inline void df_tool(struct fake *f, const char *name, const char *args)
{
    struct buf b;
    struct json_writer w;
    char id[32];
    (void)snprintf(id, sizeof(id), "call-%u", sf(f)->answer);
    fake_json(&w, &b, "FunctionCallRequest");
    jw_array(&w, "functions");
    jw_object(&w, NULL);
    jw_text(&w, "id", id);
    jw_text(&w, "name", name);
    jw_text(&w, "arguments", args);
    jw_bool(&w, "client_side", true);
    jw_end(&w);
    jw_end(&w);
    fake_json_end(f, &w, WS_TEXT);
}

static const struct sf_words df_words = {.begin = df_begin,
                                         .text = df_text,
                                         .audio = df_audio,
                                         .end = df_finish,
                                         .interrupted = df_interrupted,
                                         .heard = df_heard,
                                         .tool = df_tool};

static inline void df_over(void *arg)
{
    struct fake *f = arg;
    f->script.close_code = 1011;
    fake_drop(f);
}

/* ---- what it is sent ----------------------------------------------------------------------------
 */

static inline void df_format(struct fake *f, struct json_object *o, bool *ulaw, int *hz)
{
    struct str encoding = fake_str(o, "encoding");
    *hz = json_object_get_int(fake_obj(o, "sample_rate"));
    *ulaw = str_eqz(encoding, "mulaw");
    if ((!*ulaw && !str_eqz(encoding, "linear16")) || *hz < 8000)
        fake_refuse(f, "encoding");
}

static inline void df_settings(struct fake *f, struct json_object *o)
{
    struct sf_state *s = sf(f);
    struct json_object *audio = fake_obj(o, "audio"), *agent = fake_obj(o, "agent");
    struct json_object *think = fake_obj(agent, "think"), *out = fake_obj(audio, "output");
    struct json_object *list = fake_obj(fake_obj(agent, "context"), "messages");
    (void)fake_only(f, o, "Settings", " type audio agent ");
    (void)fake_only(f, agent, "agent", " listen think speak context greeting ");
    (void)fake_only(f, think, "think", " provider prompt functions ");
    df_format(f, fake_obj(audio, "input"), &s->ulaw_in, &s->in_hz);
    df_format(f, out, &s->ulaw_out, &s->out_hz);
    if (s->session || !str_eqz(fake_str(out, "container"), "none"))
        fake_refuse(f, "Settings twice, or a container");
    const char *parts[] = {"listen", "think", "speak"};
    for (int i = 0; i < 3; i++) {
        struct json_object *provider = fake_obj(fake_obj(agent, parts[i]), "provider");
        if (!fake_str(provider, "type").len || !fake_str(provider, "model").len)
            fake_refuse(f, "%s.provider", parts[i]);
    }
    fake_told(f, "system", fake_str(think, "prompt"));
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        struct json_object *line = json_object_array_get_idx(list, i);
        if (!str_eqz(fake_str(line, "type"), "History"))
            fake_refuse(f, "context.messages.type");
        fake_told(f, "history", fake_str(line, "content"));
    }
    if (f->script.mute)
        return;
    if (df.error) {
        fake_send(f, WS_TEXT, str_of(df.error));
        return;
    }
    s->session = true;
    f->seen.sessions++;
    fake_send(f, WS_TEXT, str_of("{\"type\":\"SettingsApplied\"}"));
    if (f->script.session_ms)
        tmr_start(&((struct df_state *)f->state)->limit, f->loop, f->script.session_ms, df_over, f);
}

static inline bool df_refused(struct fake *f)
{
    if (!df.refusals)
        return false;
    df.refusals--;
    fake_send(f, WS_TEXT, str_of("{\"type\":\"InjectionRefused\",\"message\":\"mid-turn\"}"));
    return true;
}

static inline void df_user(struct fake *f, struct json_object *o)
{
    (void)fake_only(f, o, "InjectUserMessage", " type content ");
    if (df_refused(f))
        return;
    fake_told(f, "user", fake_str(o, "content"));
    if (df.echo)
        df_line(f, "user", fake_str(o, "content"));
    sf_answer(f);
}

static inline void df_agent(struct fake *f, struct json_object *o)
{
    struct str behavior = fake_str(o, "behavior");
    (void)fake_only(f, o, "InjectAgentMessage", " type message behavior ");
    if (!str_eqz(behavior, "interrupt") || !fake_str(o, "message").len)
        fake_refuse(f, "behavior");
    fake_told(f, "agent", fake_str(o, "message"));
    sf_answer(f);
}

static inline void df_result(struct fake *f, struct json_object *o)
{
    (void)fake_only(f, o, "FunctionCallResponse", " type id name content ");
    if (!str_starts(fake_str(o, "id"), "call-") || !fake_str(o, "name").len)
        fake_refuse(f, "FunctionCallResponse");
    sf_result(f, fake_str(o, "content"));
}

static inline void df_keep_alive(struct fake *f, struct json_object *o)
{
    (void)fake_only(f, o, "KeepAlive", " type ");
    df.keep_alives++;
}

static inline void df_message(struct fake *f, enum ws_kind kind, struct str m)
{
    static const struct {
        const char *type;
        void (*handle)(struct fake *f, struct json_object *o);
    } rows[] = {{"Settings", df_settings},
                {"InjectUserMessage", df_user},
                {"InjectAgentMessage", df_agent},
                {"FunctionCallResponse", df_result},
                {"KeepAlive", df_keep_alive}};
    if (kind == WS_BINARY) {
        if (!sf(f)->session)
            fake_refuse(f, "audio before SettingsApplied");
        else
            sf_audio(f, (const uint8_t *)m.p, m.len);
        return;
    }
    struct json_object *o = fake_parse(m);
    size_t i = 0, n = sizeof(rows) / sizeof(rows[0]);
    while (i < n && !str_eqz(fake_str(o, "type"), rows[i].type))
        i++;
    if (i == n || (i && !sf(f)->session))
        fake_refuse(f, "unknown or too early: %.*s", STR_ARG(m));
    else
        rows[i].handle(f, o);
    json_object_put(o);
}

static inline void df_opened(struct fake *f)
{
    sf_words = &df_words;
    fake_send(f, WS_TEXT, str_of("{\"type\":\"Welcome\",\"request_id\":\"r-1\"}"));
}

static inline void df_closed(struct fake *f)
{
    sf_closed(f);
    tmr_stop(&((struct df_state *)f->state)->limit);
}

static inline int df_request(struct fake *f, const struct ws_request *r)
{
    if (!str_eqz(ws_request_header(r, "Authorization"), "Token sk-test"))
        return 401;
    if (!str_eqz(r->path, "/v1/agent/converse"))
        fake_refuse(f, "path %.*s", STR_ARG(r->path));
    return 101;
}

static const struct fake_proto deepgram_fake = {.opened = df_opened,
                                                .message = df_message,
                                                .closed = df_closed,
                                                .request = df_request,
                                                .state_size = sizeof(struct df_state)};

#endif
