/** tests/contract/elevenlabs_fake.h: an agent of ElevenLabs, strict about what it is sent: §3 of
 *  the protocol notes. Answers are numbered; an interruption names the next number, as recorded. */
#ifndef VA_ELEVENLABS_FAKE_H
#define VA_ELEVENLABS_FAKE_H

#include "contract/self_fake.h"

struct ef_state {
    struct sf_state self;
    struct tmr ping, limit;
    unsigned pings;
};

static struct {
    const char *format; /* NULL: ulaw_8000 */
    const char *refuse; /* this override is not allowed */
    unsigned pongs;
    bool same_number; /* an interruption names the answer it ends (as the Python client expects) */
    bool quiet;       /* no pings */
    bool complete;    /* tells the end of an answer */
} ef;

static inline struct ef_state *ef_of(struct fake *f)
{
    return f->state;
}

static inline void ef_event(struct json_writer *w, struct buf *b, const char *type,
                            const char *body)
{
    fake_json(w, b, type);
    jw_object(w, body);
}

static inline void ef_end_event(struct fake *f, struct json_writer *w)
{
    jw_end(w);
    fake_json_end(f, w, WS_TEXT);
}

static inline void ef_text(struct fake *f, const char *text)
{
    struct buf b;
    struct json_writer w;
    ef_event(&w, &b, "agent_response", "agent_response_event");
    jw_text(&w, "agent_response", text);
    jw_int(&w, "event_id", sf(f)->answer);
    ef_end_event(f, &w);
}

static inline void ef_audio_of(struct fake *f, const uint8_t *bytes, size_t len, unsigned event)
{
    struct buf b;
    struct json_writer w;
    char *z = malloc(base64_encoded_len(len) + 1);
    z[base64_encode(bytes, len, z)] = 0;
    ef_event(&w, &b, "audio", "audio_event");
    jw_text(&w, "audio_base_64", z);
    jw_int(&w, "event_id", event);
    jw_bool(&w, "is_final", false);
    ef_end_event(f, &w);
    free(z);
}

static inline void ef_audio(struct fake *f, const uint8_t *bytes, size_t len)
{
    ef_audio_of(f, bytes, len, sf(f)->answer);
}

static inline void ef_finish(struct fake *f)
{
    if (ef.complete)
        fake_send(f, WS_TEXT, str_of("{\"type\":\"agent_response_complete\"}"));
    fake_send(f, WS_TEXT, str_of("{\"type\":\"context_usage\",\"context_usage_event\":{}}"));
}

static inline void ef_interrupted(struct fake *f)
{
    struct buf b;
    struct json_writer w;
    ef_event(&w, &b, "interruption", "interruption_event");
    jw_int(&w, "event_id", sf(f)->answer + !ef.same_number);
    ef_end_event(f, &w);
    if (f->script.late_audio)
        ef_audio(f, (const uint8_t *)"late", 4);
    ef_event(&w, &b, "agent_response_correction", "agent_response_correction_event");
    jw_text(&w, "corrected_agent_response", "It...");
    jw_int(&w, "event_id", sf(f)->answer);
    ef_end_event(f, &w);
}

static inline void ef_heard(struct fake *f, const char *words)
{
    struct buf b;
    struct json_writer w;
    ef_event(&w, &b, "user_transcript", "user_transcription_event");
    jw_text(&w, "user_transcript", words);
    ef_end_event(f, &w);
}

static inline void ef_tool(struct fake *f, const char *name, const char *args)
{
    struct buf b;
    buf_init(&b, 4096);
    (void)buf_addf(&b,
                   "{\"type\":\"client_tool_call\",\"client_tool_call\":{\"tool_name\":\"%s\","
                   "\"tool_call_id\":\"call-%u\",\"parameters\":%s,\"event_id\":%u,"
                   "\"expects_response\":true}}",
                   name, sf(f)->answer, args, sf(f)->answer);
    fake_send(f, WS_TEXT, buf_str(&b));
    buf_free(&b);
}

static const struct sf_words ef_words = {.text = ef_text,
                                         .audio = ef_audio,
                                         .end = ef_finish,
                                         .interrupted = ef_interrupted,
                                         .heard = ef_heard,
                                         .tool = ef_tool};

static inline void ef_ping(void *arg)
{
    struct fake *f = arg;
    struct ef_state *s = ef_of(f);
    struct buf b;
    struct json_writer w;
    if (!f->open)
        return;
    ef_event(&w, &b, "ping", "ping_event");
    jw_int(&w, "event_id", ++s->pings);
    if (s->pings % 2)
        jw_null(&w, "ping_ms");
    else
        jw_int(&w, "ping_ms", 20);
    ef_end_event(f, &w);
    tmr_start(&s->ping, f->loop, 100, ef_ping, f);
}

static inline void ef_over(void *arg)
{
    struct fake *f = arg;
    f->script.close_code = 1000;
    fake_drop(f);
}

/* ---- what it is sent ----------------------------------------------------------------------------
 */

static inline bool ef_allowed(struct fake *f, struct json_object *agent, struct json_object *tts)
{
    bool bad = ef.refuse && (fake_obj(agent, ef.refuse) || fake_obj(tts, ef.refuse));
    if (bad) {
        f->open = false;
        ws_close(f->conn, 1008, "Override for field is not allowed by config.");
    }
    return !bad;
}

static inline void ef_initiate(struct fake *f, struct json_object *o)
{
    struct json_object *over = fake_obj(o, "conversation_config_override");
    struct json_object *agent = fake_obj(over, "agent"), *tts = fake_obj(over, "tts");
    struct str first = fake_str(agent, "first_message");
    struct buf b;
    struct json_writer w;
    (void)fake_only(f, o, "initiation", " type conversation_config_override dynamic_variables ");
    (void)fake_only(f, over, "override", " agent tts conversation ");
    (void)fake_only(f, agent, "agent", " prompt first_message language ");
    if (!ef_allowed(f, agent, tts) || f->script.mute)
        return;
    fake_told(f, "system", fake_str(fake_obj(agent, "prompt"), "prompt"));
    fake_told(f, "first", first);
    sf(f)->session = true;
    f->seen.sessions++;
    const char *format = ef.format ? ef.format : "ulaw_8000";
    ef_event(&w, &b, "conversation_initiation_metadata", "conversation_initiation_metadata_event");
    jw_text(&w, "conversation_id", "conv_1");
    jw_text(&w, "agent_output_audio_format", format);
    jw_text(&w, "user_input_audio_format", format);
    ef_end_event(f, &w);
    if (first.len || !fake_obj(agent, "first_message"))
        sf_answer(f);
    if (!ef.quiet)
        ef_ping(f);
    if (f->script.session_ms)
        tmr_start(&ef_of(f)->limit, f->loop, f->script.session_ms, ef_over, f);
}

static inline void ef_pong(struct fake *f, struct json_object *o)
{
    struct json_object *id = fake_obj(o, "event_id");
    ef.pongs++;
    if (!json_object_is_type(id, json_type_int) ||
        json_object_get_int64(id) > (int64_t)ef_of(f)->pings)
        fake_refuse(f, "pong");
}

static inline void ef_user(struct fake *f, struct json_object *o)
{
    (void)fake_only(f, o, "user_message", " type text ");
    fake_told(f, "user", fake_str(o, "text"));
    sf_answer(f);
}

static inline void ef_context(struct fake *f, struct json_object *o)
{
    (void)fake_only(f, o, "contextual_update", " type text ");
    fake_told(f, "context", fake_str(o, "text"));
}

static inline void ef_result(struct fake *f, struct json_object *o)
{
    (void)fake_only(f, o, "client_tool_result", " type tool_call_id result is_error ");
    if (!str_starts(fake_str(o, "tool_call_id"), "call-"))
        fake_refuse(f, "tool_call_id");
    sf_result(f, fake_str(o, "result"));
}

static inline void ef_message(struct fake *f, enum ws_kind kind, struct str m)
{
    static const struct {
        const char *type;
        void (*handle)(struct fake *f, struct json_object *o);
    } rows[] = {{"conversation_initiation_client_data", ef_initiate},
                {"pong", ef_pong},
                {"user_message", ef_user},
                {"contextual_update", ef_context},
                {"client_tool_result", ef_result}};
    struct json_object *o = kind == WS_TEXT ? fake_parse(m) : NULL;
    struct str type = fake_str(o, "type"), chunk = fake_str(o, "user_audio_chunk");
    size_t i = 0, n = sizeof(rows) / sizeof(rows[0]);
    while (i < n && !str_eqz(type, rows[i].type))
        i++;
    if ((i || i == n) && !sf(f)->session)
        fake_refuse(f, "before the initiation");
    else if (chunk.len && json_object_object_length(o) == 1)
        sf_audio_base64(f, chunk);
    else if (i == n)
        fake_refuse(f, "unknown message %.*s", STR_ARG(m));
    else
        rows[i].handle(f, o);
    json_object_put(o);
}

static inline void ef_opened(struct fake *f)
{
    struct sf_state *s = sf(f);
    bool pcm = ef.format && strncmp(ef.format, "pcm_", 4) == 0;
    sf_words = &ef_words;
    s->ulaw_in = s->ulaw_out = !pcm;
    s->in_hz = s->out_hz = pcm ? atoi(ef.format + 4) : 8000;
}

static inline void ef_closed(struct fake *f)
{
    sf_closed(f);
    tmr_stop(&ef_of(f)->ping);
    tmr_stop(&ef_of(f)->limit);
}

static inline int ef_request(struct fake *f, const struct ws_request *r)
{
    if (str_eqz(r->path, "/v1/convai/conversation") && str_starts(r->query, "agent_id=agent_1"))
        return 101;
    fake_refuse(f, "%.*s?%.*s", STR_ARG(r->path), STR_ARG(r->query));
    return 404;
}

static const struct fake_proto elevenlabs_fake = {.opened = ef_opened,
                                                  .message = ef_message,
                                                  .closed = ef_closed,
                                                  .request = ef_request,
                                                  .state_size = sizeof(struct ef_state)};

#endif
