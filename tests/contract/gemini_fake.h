/** tests/contract/gemini_fake.h: Gemini Live, strict about what it is sent: §2 of the protocol
 *  notes; its messages are JSON in binary frames, several keys in one, as in the recordings. */
#ifndef VA_GEMINI_FAKE_H
#define VA_GEMINI_FAKE_H

#include "contract/self_fake.h"

struct gf_state {
    struct sf_state self;
    bool old;     /* 2.x */
    bool history; /* announced in the setup */
};

static struct {
    const char *handle;         /* given out; NULL: none */
    const char *refuse;         /* this handle is expired */
    char resumed[64];           /* the handle of the newest setup */
    unsigned seeds;             /* histories seen */
    bool thoughts, one_message; /* think aloud; everything in one message */
} gf;

static inline struct gf_state *gf_of(struct fake *f)
{
    return f->state;
}

static inline void gf_begin(struct json_writer *w, struct buf *b, const char *key)
{
    fake_json(w, b, NULL);
    jw_object(w, key);
}

static inline void gf_end_message(struct fake *f, struct json_writer *w)
{
    jw_end(w);
    fake_json_end(f, w, WS_BINARY);
}

static inline void gf_flag(struct fake *f, const char *flag)
{
    struct buf b;
    struct json_writer w;
    gf_begin(&w, &b, "serverContent");
    jw_bool(&w, flag, true);
    gf_end_message(f, &w);
}

static inline void gf_text(struct fake *f, const char *text)
{
    struct buf b;
    struct json_writer w;
    gf_begin(&w, &b, "serverContent");
    if (gf.thoughts) {
        jw_object(&w, "modelTurn");
        jw_array(&w, "parts");
        jw_object(&w, NULL);
        jw_text(&w, "text", "**Thinking about it**");
        jw_bool(&w, "thought", true);
        jw_end(&w);
        jw_end(&w);
        jw_end(&w);
    }
    jw_object(&w, "outputTranscription");
    jw_text(&w, "text", text);
    jw_end(&w);
    gf_end_message(f, &w);
}

static inline void gf_audio(struct fake *f, const uint8_t *bytes, size_t len)
{
    struct buf b;
    struct json_writer w;
    char *z = malloc(base64_encoded_len(len) + 1);
    z[base64_encode(bytes, len, z)] = 0;
    gf_begin(&w, &b, "serverContent");
    jw_object(&w, "modelTurn");
    jw_array(&w, "parts");
    jw_object(&w, NULL);
    jw_object(&w, "inlineData");
    jw_text(&w, "mimeType", "audio/pcm;rate=24000");
    jw_text(&w, "data", z);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    jw_text(&w, "role", "model");
    jw_end(&w);
    gf_end_message(f, &w);
    free(z);
}

static inline void gf_finish(struct fake *f)
{
    gf_flag(f, "generationComplete");
    struct buf b;
    struct json_writer w;
    gf_begin(&w, &b, "serverContent");
    jw_bool(&w, "turnComplete", true);
    jw_end(&w);
    jw_object(&w, "usageMetadata");
    jw_int(&w, "totalTokenCount", 10);
    gf_end_message(f, &w);
}

static inline void gf_interrupted(struct fake *f)
{
    if (f->script.late_audio)
        gf_audio(f, (const uint8_t *)"\1\2\3\4", 4);
    gf_flag(f, "interrupted");
    gf_flag(f, "turnComplete");
}

static inline void gf_heard(struct fake *f, const char *words)
{
    struct buf b;
    struct json_writer w;
    gf_begin(&w, &b, "serverContent");
    jw_object(&w, "inputTranscription");
    jw_text(&w, "text", words);
    jw_end(&w);
    gf_end_message(f, &w);
    fake_send(f, WS_BINARY, str_of("{}"));
}

static inline void gf_tool(struct fake *f, const char *name, const char *args)
{
    struct buf b;
    buf_init(&b, 4096);
    (void)buf_addf(
        &b,
        "{\"toolCall\":{\"functionCalls\":[{\"name\":\"%s\",\"args\":%s,\"id\":\"call-%u\"}]"
        "}}",
        name, args, sf(f)->answer);
    fake_send(f, WS_BINARY, buf_str(&b));
    buf_free(&b);
}

static const struct sf_words gf_words = {.text = gf_text,
                                         .audio = gf_audio,
                                         .end = gf_finish,
                                         .interrupted = gf_interrupted,
                                         .heard = gf_heard,
                                         .tool = gf_tool};

static inline void gf_refuse_close(struct fake *f, const char *why);

/* ---- what it is sent ----------------------------------------------------------------------------
 */

static inline void gf_refuse_close(struct fake *f, const char *why)
{
    fake_refuse(f, "%s", why);
    f->open = false;
    ws_close(f->conn, 1007, why);
}

static inline void gf_parts(struct fake *f, const char *kind, struct json_object *content)
{
    struct json_object *parts = fake_obj(content, "parts");
    for (size_t i = 0; parts && i < json_object_array_length(parts); i++)
        fake_told(f, kind, fake_str(json_object_array_get_idx(parts, i), "text"));
}

static inline void gf_setup(struct fake *f, struct json_object *o)
{
    struct gf_state *s = gf_of(f);
    struct json_object *resume = fake_obj(o, "sessionResumption");
    struct str handle = fake_str(resume, "handle");
    if (sf(f)->session) {
        gf_refuse_close(f, "setup again");
        return;
    }
    (void)fake_only(f, o, "setup",
                    " model generationConfig systemInstruction tools realtimeInputConfig "
                    "sessionResumption contextWindowCompression inputAudioTranscription "
                    "outputAudioTranscription historyConfig ");
    if (!str_starts(fake_str(o, "model"), "models/") || !resume)
        fake_refuse(f, "setup without model or sessionResumption");
    (void)str_copy(gf.resumed, sizeof(gf.resumed), handle);
    if (gf.refuse && str_eqz(handle, gf.refuse)) {
        f->open = false;
        ws_close(f->conn, 1007, "BidiGenerateContent session not found");
        return;
    }
    if (f->script.mute)
        return;
    s->old = str_starts(fake_str(o, "model"), "models/gemini-2");
    s->history = fake_obj(o, "historyConfig") != NULL;
    gf_parts(f, "system", fake_obj(o, "systemInstruction"));
    sf(f)->session = true;
    f->seen.sessions++;
    fake_send(f, WS_BINARY, str_of("{\"setupComplete\":{}}"));
    struct buf b;
    buf_init(&b, 512);
    if (gf.handle)
        (void)buf_addf(&b,
                       "{\"sessionResumptionUpdate\":{\"newHandle\":\"%s\",\"resumable\":true}}",
                       gf.handle);
    if (b.len)
        fake_send(f, WS_BINARY, buf_str(&b));
    buf_reset(&b);
    if (f->script.session_ms)
        (void)buf_addf(&b, "{\"goAway\":{\"timeLeft\":\"%u.%us\"}}", f->script.session_ms / 1000,
                       f->script.session_ms % 1000 / 100);
    if (b.len)
        fake_send(f, WS_BINARY, buf_str(&b));
    buf_free(&b);
}

static inline void gf_content(struct fake *f, struct json_object *o)
{
    struct json_object *turns = fake_obj(o, "turns"), *complete = fake_obj(o, "turnComplete");
    if (!gf_of(f)->old && !gf_of(f)->history) {
        gf_refuse_close(f, "clientContent without historyConfig");
        return;
    }
    if (!json_object_array_length(turns))
        fake_refuse(f, "no turns");
    bool seed = f->seen.answers == 0 || !json_object_get_boolean(complete) || !gf_of(f)->old;
    (void)fake_only(f, o, "clientContent", " turns turnComplete ");
    for (size_t i = 0; i < json_object_array_length(turns); i++) {
        struct json_object *turn = json_object_array_get_idx(turns, i);
        struct str role = fake_str(turn, "role");
        if (!str_eqz(role, "user") && !str_eqz(role, "model"))
            fake_refuse(f, "role");
        gf_parts(f, str_eqz(role, "model") ? "model" : "user", turn);
    }
    gf.seeds += seed;
    if (gf_of(f)->old && json_object_get_boolean(complete))
        sf_answer(f);
}

static inline void gf_realtime(struct fake *f, struct json_object *o)
{
    struct json_object *audio = fake_obj(o, "audio");
    struct str text = fake_str(o, "text");
    (void)fake_only(f, o, "realtimeInput", " audio text ");
    if (text.len) {
        fake_told(f, "user", text);
        sf_answer(f);
    }
    if (!audio)
        return;
    if (!str_eqz(fake_str(audio, "mimeType"), "audio/pcm;rate=16000"))
        fake_refuse(f, "mimeType");
    sf_audio_base64(f, fake_str(audio, "data"));
}

static inline void gf_response(struct fake *f, struct json_object *o)
{
    struct json_object *list = fake_obj(o, "functionResponses");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *r = json_object_array_get_idx(list, i);
        if (!str_starts(fake_str(r, "id"), "call-") || !fake_str(r, "name").len)
            fake_refuse(f, "functionResponse without id, name");
        sf_result(f, fake_str(fake_obj(r, "response"), "output"));
    }
}

static inline void gf_message(struct fake *f, enum ws_kind kind, struct str m)
{
    static const struct {
        const char *key;
        void (*handle)(struct fake *f, struct json_object *o);
    } rows[] = {{"setup", gf_setup},
                {"clientContent", gf_content},
                {"realtimeInput", gf_realtime},
                {"toolResponse", gf_response}};
    struct json_object *o = kind == WS_TEXT ? fake_parse(m) : NULL;
    if (!o || json_object_object_length(o) != 1)
        fake_refuse(f, "not one key: %.*s", STR_ARG(m));
    bool known = false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && f->open; i++) {
        struct json_object *v = fake_obj(o, rows[i].key);
        known = known || v;
        if (v && i && !sf(f)->session)
            gf_refuse_close(f, "before setup");
        else if (v)
            rows[i].handle(f, v);
    }
    if (!known)
        fake_refuse(f, "unknown message");
    json_object_put(o);
}

static inline void gf_opened(struct fake *f)
{
    sf_words = &gf_words;
    sf(f)->in_hz = 16000;
    sf(f)->out_hz = 24000;
}

static inline int gf_request(struct fake *f, const struct ws_request *r)
{
    if (!str_eqz(ws_request_header(r, "x-goog-api-key"), "sk-test"))
        return 401;
    if (!str_eqz(r->path, "/ws/google.ai.generativelanguage.v1beta.GenerativeService."
                          "BidiGenerateContent")) {
        fake_refuse(f, "path %.*s", STR_ARG(r->path));
        return 404;
    }
    return 101;
}

static const struct fake_proto gemini_fake = {.opened = gf_opened,
                                              .message = gf_message,
                                              .closed = sf_closed,
                                              .request = gf_request,
                                              .state_size = sizeof(struct gf_state)};

#endif
