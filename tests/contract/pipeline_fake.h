/**
 * tests/contract/pipeline_fake.h: the services of a pipeline, strict about what they are sent. Over
 * HTTP: transcriptions, chat completions, Anthropic's messages, voices (OpenAI's, ElevenLabs',
 * Piper's). Over a WebSocket: Deepgram's ear. What they do is the fake's script; a sentence lasts
 * as long as an answer, a longer answer than PF_SENTENCE_MS has several.
 */
#ifndef VA_PIPELINE_FAKE_H
#define VA_PIPELINE_FAKE_H

#include "contract/http_fake.h"
#include "contract/provider_rig.h"

#include "media/g711.h"

enum { PF_VOICES = 4, PF_PIECE_MS = 100, PF_SENTENCE_MS = 10000, PF_WAV_HZ = 24000 };

/* A sentence being spoken. */
struct pf_voice {
    struct fake *f;
    struct rig_conn *conn; /* NULL: free */
    bool ulaw;
    int hz;
    unsigned ms, sent_ms;
    struct tmr timer;
};

static struct {
    struct rig_server http;
    struct pf_voice voice[PF_VOICES];
    unsigned calls; /* of tools */
} pf;

/* ---- the voice --------------------------------------------------------------------------------
 */

static inline unsigned pf_sentences(const struct fake *f)
{
    return (f->script.answer_ms + PF_SENTENCE_MS - 1) / PF_SENTENCE_MS;
}

/* Samples of a tone as bytes. @return how many */
static inline size_t pf_tone(const struct pf_voice *v, unsigned ms, char *out)
{
    size_t n = (size_t)v->hz * ms / 1000;
    int16_t *samples = malloc(n * 2 + 2);
    fake_tone(samples, n, v->hz, 440, (uint64_t)v->sent_ms * (unsigned)v->hz / 1000);
    if (v->ulaw)
        g711_ulaw_encode_block(samples, n, (uint8_t *)out);
    else
        memcpy(out, samples, n * 2);
    free(samples);
    return v->ulaw ? n : n * 2;
}

static inline void pf_piece(void *arg)
{
    struct pf_voice *v = arg;
    struct fake_script *script = &v->f->script;
    char bytes[PF_PIECE_MS * PF_WAV_HZ / 1000 * 2];
    unsigned ms = v->ms - v->sent_ms;
    if (script->stall)
        return;
    ms = ms < PF_PIECE_MS ? ms : PF_PIECE_MS;
    rig_chunk(v->conn, bytes, pf_tone(v, ms, bytes)); /* the last is of no length and ends it */
    v->sent_ms += ms;
    if (script->drop_after_ms && v->sent_ms >= script->drop_after_ms) {
        script->drop_after_ms = 0;
        rig_close(v->conn);
        v->conn = NULL;
    } else if (ms) {
        tmr_start(&v->timer, v->f->loop, script->pace_ms, pf_piece, v);
    } else {
        v->conn = NULL;
    }
}

static inline struct pf_voice *pf_voice_new(struct fake *f, struct rig_conn *c, struct str text,
                                            bool ulaw, int hz)
{
    fake_told(f, "say", text);
    for (size_t i = 0; i < PF_VOICES; i++) {
        struct pf_voice *v = &pf.voice[i];
        if (v->conn)
            continue;
        *v = (struct pf_voice){.f = f, .conn = c, .ulaw = ulaw, .hz = hz};
        v->ms = f->script.answer_ms < PF_SENTENCE_MS ? f->script.answer_ms
                                                     : f->script.answer_ms / pf_sentences(f);
        return v;
    }
    fake_refuse(f, "more than %d sentences at once", PF_VOICES);
    return NULL;
}

static inline void pf_stream(struct fake *f, struct rig_conn *c, struct str text, bool ulaw, int hz)
{
    struct pf_voice *v = pf_voice_new(f, c, text, ulaw, hz);
    if (!v)
        return;
    rig_sendz(c, "HTTP/1.1 200 OK\r\nContent-Type: audio/x\r\nTransfer-Encoding: chunked\r\n\r\n");
    tmr_start(&v->timer, f->loop, f->script.pace_ms, pf_piece, v);
}

static inline void pf_openai_voice(struct fake *f, struct rig_conn *c, struct json_object *o)
{
    (void)fake_only(f, o, "speech", " model input voice response_format ");
    if (!str_eqz(fake_str(o, "response_format"), "pcm"))
        fake_refuse(f, "response_format");
    pf_stream(f, c, fake_str(o, "input"), false, PF_WAV_HZ);
}

static inline void pf_elevenlabs_voice(struct fake *f, struct rig_conn *c, struct json_object *o)
{
    (void)fake_only(f, o, "text-to-speech", " text model_id ");
    pf_stream(f, c, fake_str(o, "text"), true, 8000);
}

static inline void pf_put32(char *p, size_t n)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(n >> 8 * i & 0xFF);
}

/* Piper answers with a whole WAV, or with a part of one. */
static inline void pf_piper_voice(struct fake *f, struct rig_conn *c, struct json_object *o)
{
    char head[44] = "RIFF....WAVEfmt \x10\0\0\0\1\0\1\0........\2\0\x10\0data";
    (void)fake_only(f, o, "piper", " text voice ");
    struct pf_voice *v = pf_voice_new(f, c, fake_str(o, "text"), false, PF_WAV_HZ);
    if (!v)
        return;
    char *wav = malloc(sizeof(head) + (size_t)v->ms * PF_WAV_HZ / 1000 * 2);
    size_t bytes = pf_tone(v, v->ms, wav + sizeof(head));
    pf_put32(head + 4, bytes + sizeof(head) - 8);
    pf_put32(head + 24, PF_WAV_HZ);
    pf_put32(head + 28, PF_WAV_HZ * 2);
    pf_put32(head + 40, bytes);
    memcpy(wav, head, sizeof(head));
    if (f->script.drop_after_ms) {
        f->script.drop_after_ms = 0;
        rig_sendz(c,
                  "HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: 9999999\r\n\r\n");
        rig_send(c, wav, bytes / 2);
        rig_close(c);
    } else if (!f->script.stall) {
        rig_answer(c, 200, "audio/wav", wav, sizeof(head) + bytes);
    }
    v->conn = NULL;
    free(wav);
}

/* ---- the model --------------------------------------------------------------------------------
 */

static inline void pf_event(struct rig_conn *c, const char *json)
{
    struct buf b;
    buf_init(&b, 65536);
    (void)buf_addf(&b, "data: %s\n\n", json);
    rig_chunk(c, b.p, b.len);
    buf_free(&b);
}

/* What a model writes: {"type":…} or {"choices":…}, filled in. */
static inline void pf_eventf(struct rig_conn *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static inline void pf_eventf(struct rig_conn *c, const char *fmt, ...)
{
    struct buf b;
    va_list ap;
    buf_init(&b, 65536);
    va_start(ap, fmt);
    (void)buf_addfv(&b, fmt, ap);
    va_end(ap);
    pf_event(c, buf_z(&b));
    buf_free(&b);
}

/* Begun, with garbage in front. @return false: nothing follows */
static inline bool pf_answer_begins(struct fake *f, struct rig_conn *c)
{
    if (f->script.stall)
        return false;
    f->seen.answers++;
    rig_sendz(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n");
    if (f->script.garbage)
        pf_event(c, f->script.garbage);
    f->script.garbage = NULL;
    return true;
}

/* A string inside of a string of JSON. */
static inline void pf_quoted(struct buf *out, const char *z)
{
    for (; *z; z++)
        (void)buf_addf(out, *z == '"' || *z == '\\' ? "\\%c" : "%c", *z);
}

static inline void pf_chat_answers(struct fake *f, struct rig_conn *c)
{
    struct buf arguments;
    buf_init(&arguments, 4096);
    if (!pf_answer_begins(f, c))
        return;
    if (f->script.tool) {
        pf_quoted(&arguments, f->script.tool_args);
        pf_eventf(c,
                  "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call-%u\","
                  "\"function\":{\"name\":\"%s\",\"arguments\":\"%s\"}}]}}]}",
                  ++pf.calls, f->script.tool, buf_z(&arguments));
        f->script.tool = NULL;
    } else {
        for (unsigned i = 0; i < pf_sentences(f); i++)
            pf_eventf(c, "{\"choices\":[{\"delta\":{\"content\":\"%s \"}}]}",
                      f->script.answer_text);
    }
    pf_event(c, "[DONE]");
    rig_chunk(c, "", 0);
    buf_free(&arguments);
}

static inline void pf_anthropic_answers(struct fake *f, struct rig_conn *c)
{
    struct buf arguments;
    buf_init(&arguments, 4096);
    if (!pf_answer_begins(f, c))
        return;
    if (f->script.tool) {
        pf_quoted(&arguments, f->script.tool_args);
        pf_eventf(c,
                  "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
                  "\"tool_use\",\"id\":\"call-%u\",\"name\":\"%s\",\"input\":{}}}",
                  ++pf.calls, f->script.tool);
        pf_eventf(c,
                  "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
                  "\"input_json_delta\",\"partial_json\":\"%s\"}}",
                  buf_z(&arguments));
        f->script.tool = NULL;
    } else {
        for (unsigned i = 0; i < pf_sentences(f); i++)
            pf_eventf(c,
                      "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
                      "\"text_delta\",\"text\":\"%s \"}}",
                      f->script.answer_text);
    }
    pf_event(c, "{\"type\":\"message_stop\"}");
    rig_chunk(c, "", 0);
    buf_free(&arguments);
}

static inline void pf_result(struct fake *f, struct str id, struct str text)
{
    if (!str_starts(id, "call-"))
        fake_refuse(f, "a result of no call");
    f->seen.results++;
    fake_told(f, "result", text);
}

static inline void pf_chat(struct fake *f, struct rig_conn *c, struct json_object *o)
{
    struct json_object *list = fake_obj(o, "messages");
    (void)fake_only(f, o, "chat", " model messages stream stream_options tools ");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *m = json_object_array_get_idx(list, i);
        struct str role = fake_str(m, "role");
        (void)fake_only(f, m, "message", " role content tool_calls tool_call_id ");
        if ((i == 0) != str_eqz(role, "system"))
            fake_refuse(f, "the system's message is not the first one");
        if (str_eqz(role, "tool"))
            pf_result(f, fake_str(m, "tool_call_id"), fake_str(m, "content"));
        else
            fake_told(f, str_eqz(role, "system") ? "system" : "said", fake_str(m, "content"));
    }
    pf_chat_answers(f, c);
}

static inline void pf_anthropic_message(struct fake *f, struct json_object *m)
{
    struct json_object *parts = fake_obj(m, "content");
    (void)fake_only(f, m, "message", " role content ");
    if (!json_object_array_length(parts))
        fake_refuse(f, "a message without content");
    for (size_t i = 0; i < json_object_array_length(parts); i++) {
        struct json_object *part = json_object_array_get_idx(parts, i);
        if (str_eqz(fake_str(part, "type"), "tool_result"))
            pf_result(f, fake_str(part, "tool_use_id"), fake_str(part, "content"));
        else if (str_eqz(fake_str(part, "type"), "text"))
            fake_told(f, "said", fake_str(part, "text"));
    }
}

/* Roles take turns, the user's first: it refuses anything else. */
static inline void pf_anthropic(struct fake *f, struct rig_conn *c, struct json_object *o)
{
    struct json_object *list = fake_obj(o, "messages");
    (void)fake_only(f, o, "messages", " model max_tokens system messages stream tools ");
    fake_told(f, "system", fake_str(o, "system"));
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *m = json_object_array_get_idx(list, i);
        if (!str_eqz(fake_str(m, "role"), i % 2 ? "assistant" : "user"))
            fake_refuse(f, "message %zu: role", i);
        pf_anthropic_message(f, m);
    }
    pf_anthropic_answers(f, c);
}

/* ---- the ears ---------------------------------------------------------------------------------
 */

static inline void pf_transcribe(struct fake *f, struct rig_conn *c, struct str body)
{
    static const char *const parts[] = {"name=\"file\"", "name=\"model\"",
                                        "name=\"response_format\"", "name=\"language\""};
    char text[256];
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (!memmem(body.p, body.len, parts[i], strlen(parts[i])))
            fake_refuse(f, "transcriptions: no %s", parts[i]);
    const char *wav = memmem(body.p, body.len, "RIFF", 4);
    uint32_t bytes = 0;
    if (wav)
        memcpy(&bytes, wav + 40, sizeof(bytes));
    f->seen.audio_ms += bytes / 16;
    (void)snprintf(text, sizeof(text), "{\"text\":\"%s\"}", f->script.words);
    rig_answer(c, 200, "application/json", text, strlen(text));
}

struct pf_ear {
    unsigned loud_ms;
    bool told; /* words while they are spoken */
    struct tmr limit;
};

static inline struct pf_ear *pf_ear(struct fake *f)
{
    return f->state;
}

static inline void pf_ear_results(struct fake *f, const char *flags)
{
    char text[400];
    int n = snprintf(
        text, sizeof(text),
        "{\"type\":\"Results\",%s\"channel\":{\"alternatives\":[{\"transcript\":\"%s\"}]}}", flags,
        f->script.words);
    if (f->script.garbage) /* the model has it, too */
        fake_send(f, WS_TEXT, str_of(f->script.garbage));
    fake_send(f, WS_TEXT, str_make(text, (size_t)n));
}

static inline void pf_ear_audio(struct fake *f, struct str m)
{
    struct pf_ear *e = pf_ear(f);
    uint64_t sum = 0;
    for (size_t i = 0; i < m.len; i++)
        sum += (uint64_t)abs(g711_ulaw_decode((uint8_t)m.p[i]));
    f->seen.audio_ms += m.len / 8;
    e->loud_ms = m.len && sum / m.len > 500 ? e->loud_ms + (unsigned)m.len / 8 : 0;
    if (e->loud_ms < 300 || e->told)
        return;
    e->told = true;
    pf_ear_results(f, "\"is_final\":false,");
}

static inline void pf_ear_message(struct fake *f, enum ws_kind kind, struct str m)
{
    if (kind == WS_BINARY) {
        pf_ear_audio(f, m);
    } else if (str_eqz(m, "{\"type\":\"Finalize\"}")) {
        pf_ear(f)->told = false;
        pf_ear(f)->loud_ms = 0;
        pf_ear_results(f, "\"is_final\":true,\"from_finalize\":true,");
    } else if (!str_eqz(m, "{\"type\":\"KeepAlive\"}") &&
               !str_eqz(m, "{\"type\":\"CloseStream\"}")) {
        fake_refuse(f, "unknown message: %.*s", STR_ARG(m));
    }
}

static inline void pf_ear_over(void *arg)
{
    fake_drop(arg);
}

static inline void pf_ear_opened(struct fake *f)
{
    f->seen.sessions++;
    if (f->script.session_ms)
        tmr_start(&pf_ear(f)->limit, f->loop, f->script.session_ms, pf_ear_over, f);
}

static inline void pf_ear_closed(struct fake *f)
{
    tmr_stop(&pf_ear(f)->limit);
}

static inline int pf_ear_request(struct fake *f, const struct ws_request *r)
{
    if (!str_eqz(ws_request_header(r, "Authorization"), "Token sk-test"))
        return 401;
    if (!str_eqz(r->path, "/v1/listen") ||
        !memmem(r->query.p, r->query.len, "encoding=mulaw&sample_rate=8000", 31))
        fake_refuse(f, "%.*s?%.*s", STR_ARG(r->path), STR_ARG(r->query));
    return 101;
}

static const struct fake_proto pf_ear_fake = {.opened = pf_ear_opened,
                                              .message = pf_ear_message,
                                              .closed = pf_ear_closed,
                                              .request = pf_ear_request,
                                              .mute_early = true,
                                              .state_size = sizeof(struct pf_ear)};

/* Of a pipeline whose ear needs no WebSocket: nobody calls. */
static inline int pf_nobody(struct fake *f, const struct ws_request *r)
{
    fake_refuse(f, "a WebSocket to %.*s", STR_ARG(r->path));
    return 404;
}

static const struct fake_proto pf_no_ear_fake = {.request = pf_nobody, .state_size = 1};

/* ---- requests ---------------------------------------------------------------------------------
 */

static const struct {
    const char *line, *key_header, *key; /* "": a server of the house, without a key */
    void (*handle)(struct fake *f, struct rig_conn *c, struct json_object *o);
} pf_paths[] = {
    {"POST /v1/chat/completions ", "authorization", "Bearer sk-test", pf_chat},
    {"POST /v1/messages ", "x-api-key", "sk-test", pf_anthropic},
    {"POST /v1/audio/speech ", "authorization", "Bearer sk-test", pf_openai_voice},
    {"POST /v1/text-to-speech/", "xi-api-key", "sk-test", pf_elevenlabs_voice},
    {"POST / ", "authorization", "", pf_piper_voice},
    {"POST /v1/audio/transcriptions ", "authorization", "Bearer sk-test", NULL},
};

static inline void pf_refused(struct rig_conn *c)
{
    static const char body[] = "{\"error\":{\"message\":\"this key opens nothing\"}}";
    rig_answer(c, 401, "application/json", body, sizeof(body) - 1);
}

static inline void pf_request(void *arg, struct rig_conn *c, const struct rig_request *r)
{
    struct fake *f = arg;
    size_t i = 0, n = sizeof(pf_paths) / sizeof(pf_paths[0]);
    while (i < n && !str_starts(r->line, pf_paths[i].line))
        i++;
    if (i == n) {
        fake_refuse(f, "unknown request %.*s", STR_ARG(r->line));
        rig_answer(c, 404, "application/json", "{}", 2);
    } else if (f->script.refuse ||
               !str_eqz(rig_header(r, pf_paths[i].key_header), pf_paths[i].key)) {
        pf_refused(c);
    } else if (!pf_paths[i].handle) {
        pf_transcribe(f, c, r->body);
    } else {
        struct json_object *o = fake_parse(r->body);
        if (!o)
            fake_refuse(f, "%s: no JSON", pf_paths[i].line);
        pf_paths[i].handle(f, c, o);
        json_object_put(o);
    }
}

static inline void pf_on_closed(void *arg, struct rig_conn *c)
{
    struct fake *f = arg;
    for (size_t i = 0; i < PF_VOICES; i++) {
        struct pf_voice *v = &pf.voice[i];
        if (v->conn != c)
            continue;
        tmr_stop(&v->timer);
        v->conn = NULL;
        f->seen.cancels++;
    }
}

/* ---- a rig's ----------------------------------------------------------------------------------
 */

static inline void pf_set(char *setting, const char *value)
{
    (void)str_copy(setting, SETTING_TEXT_MAX, str_of(value));
}

/* Begin, with all base URLs pointed here. */
static inline void pf_start(struct rig *r, const char *stt, const char *llm, const char *tts)
{
    struct settings *s = &r->settings;
    memset(&pf, 0, sizeof(pf));
    rig_start(&pf.http, r->loop, pf_request, &r->fake);
    pf.http.on_closed = pf_on_closed;
    char http[64], v1[80];
    (void)snprintf(http, sizeof(http), "http://127.0.0.1:%u", pf.http.port);
    (void)snprintf(v1, sizeof(v1), "%s/v1", http);
    pf_set(s->stt_provider, stt);
    pf_set(s->llm_provider, llm);
    pf_set(s->tts_provider, tts);
    pf_set(s->stt_base_url, strcmp(stt, "deepgram") == 0 ? r->fake.url : v1);
    pf_set(s->llm_base_url, strcmp(llm, "openai") == 0 ? v1 : http);
    pf_set(s->tts_base_url, strcmp(tts, "openai") == 0 ? v1 : http);
    pf_set(s->stt_api_key, "sk-test");
    pf_set(s->llm_api_key, "sk-test");
    pf_set(s->tts_api_key, "sk-test");
    pf_set(s->elevenlabs_api_key, "sk-test");
    pf_set(s->llm_model, "m");
    s->tts_rate = PF_WAV_HZ;
}

static inline void pf_vanish(struct rig *r)
{
    (void)r;
    tcp_listener_close(&pf.http.listener);
}

static inline void pf_end(struct rig *r)
{
    (void)r;
    for (size_t i = 0; i < PF_VOICES; i++)
        tmr_stop(&pf.voice[i].timer);
    pf.http.on_closed = NULL;
    rig_stop(&pf.http);
}

#endif
