/*
 * ElevenLabs Agents: an agent configured over there, of which the secretary may replace parts. This
 * file: what we send. event.c: what it says.
 *
 *     [signed URL] ─► on_open ─► initiation data ─► metadata (the formats) ─► history ─► rt_ready
 *
 * It says its first message as soon as it is connected: kept here until the call asks for the
 * greeting. Nothing tells the end of an answer: it is over when it has been heard and no more came.
 */
#include "ai/realtime/elevenlabs/elevenlabs.h"
#include "ai/realtime/realtime.h"
#include "net/http.h"

#include <stdlib.h>

#define ELEVENLABS_BASE "https://api.elevenlabs.io"

/* ---- where --------------------------------------------------------------------------------------
 */

static enum va_err make_url(const struct provider *p, const char *path, char *out,
                            struct va_fault *fault)
{
    const struct settings *s = p->settings;
    const char *base = *s->elevenlabs_base_url ? s->elevenlabs_base_url : ELEVENLABS_BASE;
    enum va_err err = rt_url(out, RT_URL_MAX, "ELEVENLABS_BASE_URL", base, path, fault);
    return err ? err : rt_url_query(out, RT_URL_MAX, "agent_id", s->elevenlabs_agent_id);
}

static enum va_err start(struct provider *p, struct va_fault *fault)
{
    if (!*p->settings->elevenlabs_agent_id)
        return va_fault_set(fault, VA_ECONFIG,
                            "ELEVENLABS_AGENT_ID is not set: AI_PROVIDER=elevenlabs needs an agent "
                            "of elevenlabs.io, and ELEVENLABS_API_KEY if it is private");
    enum va_err err = make_url(p, "/v1/convai/conversation", p->target.url, fault);
    struct elevenlabs *e = err ? NULL : calloc(1, sizeof(*e));
    if (!e)
        return err ? err : VA_ENOMEM;
    buf_init(&e->early, EL_EARLY_MAX);
    p->dialect_state = e;
    return VA_OK;
}

static void on_signed(struct provider *p, struct str body)
{
    struct json_object *o = jg_parse(body);
    struct str url = jg_str(o, "signed_url");
    bool fine = (str_starts(url, "wss://") || str_starts(url, "ws://")) &&
                str_copy(p->target.url, RT_URL_MAX, url);
    json_object_put(o);
    if (fine)
        rt_located(p);
    else
        rt_fault(p, VA_EPROTO, false, "elevenlabs: no signed_url in its answer");
}

/* A signed URL is good for one start, so it is asked for each time. Public agents need none. */
static enum va_err locate(struct provider *p)
{
    char url[RT_URL_MAX];
    if (!*p->settings->elevenlabs_api_key)
        return VA_OK;
    enum va_err err = make_url(p, "/v1/convai/conversation/get-signed-url", url, NULL);
    if (err)
        return err;
    rt_url_http(url);
    const struct http_header key = {"xi-api-key", p->settings->elevenlabs_api_key, true};
    const struct http_spec spec = {.method = "GET", .url = url, .headers = &key, .header_count = 1};
    return rt_fetch(p, &spec, on_signed);
}

/* ---- what we say --------------------------------------------------------------------------------
 */

static bool overrides(const struct provider *p, const char *what)
{
    struct str rest = str_of(p->settings->elevenlabs_overrides);
    while (rest.len)
        if (str_eqz(str_trim(str_cut(&rest, ',')), what))
            return true;
    return false;
}

/* The greeting is the secretary's, or none: a conversation that goes on is not greeted again. */
static void write_first_message(struct json_writer *w, struct provider *p)
{
    struct buf words;
    buf_init(&words, RT_TEXT_MAX);
    bool fresh = !p->opened && history_count(p->history) == 0;
    if (fresh)
        (void)rt_say_words_add(&words, p, SAY_GREETING);
    jw_text(w, "first_message", buf_z(&words));
    el(p)->greets = words.len ? GREETS_KEPT : GREETS_NOT;
    buf_free(&words);
}

static void write_agent(struct json_writer *w, struct provider *p, const char *prompt)
{
    char language[3];
    rt_language(p, language);
    jw_object(w, "agent");
    if (overrides(p, "prompt")) {
        jw_object(w, "prompt");
        jw_text(w, "prompt", prompt);
        jw_end(w);
    }
    el(p)->greets = p->opened ? GREETS_NOT : GREETS_KEPT; /* what it has over there */
    if (overrides(p, "first_message"))
        write_first_message(w, p);
    if (overrides(p, "language") && *language)
        jw_text(w, "language", language);
    jw_end(w);
}

static void on_open(struct provider *p)
{
    struct elevenlabs *e = el(p);
    struct json_writer w;
    struct buf prompt;
    tmr_stop(&e->quiet);
    e->last = 0;
    e->event = e->dead_event = e->gate = e->early_event = EL_NO_EVENT;
    buf_reset(&e->early);
    buf_init(&prompt, RT_PROMPT_MAX);
    enum va_err err = rt_prompt_add(&prompt, p);
    rt_message(p, &w);
    jw_text(&w, "type", "conversation_initiation_client_data");
    jw_object(&w, "conversation_config_override");
    write_agent(&w, p, buf_z(&prompt));
    if (overrides(p, "voice") && *p->secretary->voice) {
        jw_object(&w, "tts");
        jw_text(&w, "voice_id", p->secretary->voice);
        jw_end(&w);
    }
    jw_end(&w);
    if (err)
        rt_fault(p, err, false, "the secretary's texts are too long for a prompt");
    else
        rt_send(p, &w);
    buf_free(&prompt);
}

static void send_text(struct provider *p, const char *type, const char *text)
{
    struct json_writer w;
    rt_message(p, &w);
    jw_text(&w, "type", type);
    jw_text(&w, "text", text);
    rt_send(p, &w);
}

/* What was said before is the callers' words too: it is told, and does not stand in the prompt. */
void el_send_history(struct provider *p)
{
    struct buf b;
    buf_init(&b, RT_OUT_MAX / 4);
    if (rt_call_data_add(&b, p) == VA_OK && b.len)
        send_text(p, "contextual_update", buf_z(&b));
    buf_reset(&b);
    if (history_count(p->history))
        (void)buf_addz(&b, "[The conversation so far, as it was heard. Go on from here.]\n");
    for (size_t i = 0; i < history_count(p->history); i++) {
        struct history_line line = history_at(p->history, i);
        (void)buf_addf(&b, "%s: %s\n", line.speaker == SPEAKER_AGENT ? "you" : "caller", line.text);
    }
    if (b.len)
        send_text(p, "contextual_update", buf_z(&b));
    buf_free(&b);
}

void el_no_greeting(struct provider *p)
{
    struct elevenlabs *e = el(p);
    if (e->greets == GREETS_KEPT)
        e->dead_event = e->early_event;
    e->greets = GREETS_SAID;
    buf_reset(&e->early);
}

static void tell(struct provider *p, const char *text, bool answer)
{
    if (answer) {
        el_no_greeting(p);
        rt_self_asked(p);
    }
    send_text(p, answer ? "user_message" : "contextual_update", text);
}

static void say(struct provider *p, enum say_intent intent, const char *text)
{
    struct elevenlabs *e = el(p);
    if (intent == SAY_GREETING && e->greets == GREETS_KEPT) {
        tmr_start(&e->replay, p->loop, 0, el_replay_early, p); /* not from inside an operation */
        return;
    }
    tell(p, text, true);
}

static void tool_result(struct provider *p, const struct rt_tool *tool, const char *json,
                        bool answer)
{
    struct json_writer w;
    (void)answer; /* it goes on by itself */
    rt_message(p, &w);
    jw_text(&w, "type", "client_tool_result");
    jw_text(&w, "tool_call_id", tool->remote);
    jw_text(&w, "result", json);
    jw_bool(&w, "is_error", str_starts(str_of(json), "{\"error\""));
    rt_send(p, &w);
}

static void audio(struct provider *p, struct str bytes)
{
    static const struct str head = STR_LIT("{\"user_audio_chunk\":\"");
    static const struct str tail = STR_LIT("\"}");
    rt_send_audio_base64(p, head, bytes, tail);
}

/* The service closes with a reason and no code of its own when an override is not allowed. */
static bool closed(struct provider *p, const struct ws_end *end, const char **ret_hint)
{
    tmr_stop(&el(p)->quiet);
    bool policy = end->code == 1008 || (end->code >= 3000 && end->code < 5000);
    if (policy && !p->opened)
        *ret_hint = "; if it names an override: allow it in the agent's security settings, or take "
                    "it out of ELEVENLABS_OVERRIDES (none: no overrides)";
    return false;
}

static void stop(struct provider *p)
{
    tmr_stop(&el(p)->quiet);
    tmr_stop(&el(p)->replay);
    buf_free(&el(p)->early);
}

static const struct dialect dialect_elevenlabs = {
    .name = "elevenlabs",
    .caps = {.detects_turns = true,
             .takes_text = true,
             .resumes = true,
             .formats = "mu-law 8 kHz or pcm, as set on the agent / likewise",
             .session_max_s = 600},
    .self_answers = true,
    .start = start,
    .locate = locate,
    .on_open = on_open,
    .on_text = el_on_message,
    .audio = audio,
    .say = say,
    .tell = tell,
    .tool_result = tool_result,
    .interrupt = rt_self_interrupt,
    .closed = closed,
    .stop = stop,
};

RT_PROVIDER(provider_elevenlabs, "elevenlabs", "ELEVENLABS_AGENT_ID", dialect_elevenlabs);
