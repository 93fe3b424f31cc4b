/* What an agent of ElevenLabs says. */
#include "ai/realtime/elevenlabs/elevenlabs.h"

#include <stdlib.h>

/* No more audio for so long: the answer is over. The less when all of it has been heard. */
enum { QUIET_MS = 500, QUIET_MAX_MS = 1500 };

/* ---- session ------------------------------------------------------------------------------------
 */

/* "pcm_16000", "ulaw_8000" */
static bool read_format(struct str name, struct rt_format *ret)
{
    struct str rate = name, codec = str_cut(&rate, '_');
    uint64_t hz = 0;
    if (str_to_u64(rate, &hz) || hz < 8000 || hz > 48000)
        return false;
    bool ulaw = str_eqz(codec, "ulaw");
    if (!ulaw && !str_eqz(codec, "pcm"))
        return false;
    *ret = (struct rt_format){ulaw ? RT_ULAW : RT_PCM16, (int)hz};
    return true;
}

static void on_metadata(struct provider *p, struct json_object *o)
{
    struct str out = jg_str(o, "agent_output_audio_format"),
               in = jg_str(o, "user_input_audio_format");
    if (p->state != RT_STARTING)
        return;
    if (!read_format(out, &p->format_out) || !read_format(in, &p->format_in)) {
        rt_fault(p, VA_ECONFIG, false,
                 "elevenlabs: the agent's audio formats are %.*s and %.*s: set both to µ-law 8000 "
                 "Hz or PCM in its settings",
                 STR_ARG(in), STR_ARG(out));
        return;
    }
    el_send_history(p);
    rt_ready(p);
}

static void on_ping(struct provider *p, struct json_object *o)
{
    struct json_writer w;
    rt_message(p, &w);
    jw_text(&w, "type", "pong");
    jw_int(&w, "event_id", jg_int(o, "event_id", 0));
    rt_send(p, &w);
}

static void on_error(struct provider *p, struct json_object *o)
{
    struct str text = jg_str(o, "message");
    log_warn("ai", &p->log, "provider-error", "provider", "elevenlabs", "message",
             log_str(text.len ? text : jg_str(o, "reason")), NULL);
}

/* ---- the answer ---------------------------------------------------------------------------------
 */

static void on_quiet(void *arg)
{
    rt_self_done(arg);
}

static void watch_quiet(struct provider *p)
{
    uint64_t now = loop_now_us(p->loop);
    uint64_t left_ms = p->sound_end_us > now ? (p->sound_end_us - now) / 1000 : 0;
    uint64_t wait_ms = left_ms < QUIET_MS ? QUIET_MS : left_ms;
    tmr_start(&el(p)->quiet, p->loop, wait_ms < QUIET_MAX_MS ? wait_ms : QUIET_MAX_MS, on_quiet, p);
}

/* The answer with this number; another number is another answer. NULL: late, or gone. */
static struct rt_answer *answer_of(struct provider *p, int64_t event)
{
    struct elevenlabs *e = el(p);
    if (event != EL_NO_EVENT && (event < e->gate || event == e->dead_event)) {
        p->count.late_audio++;
        return NULL;
    }
    if (event != e->event)
        rt_self_done(p);
    struct rt_answer *a = rt_self_answer(p);
    e->event = event;
    e->last = a ? a->id : 0;
    return a;
}

static void on_audio(struct provider *p, struct json_object *o)
{
    struct str bytes = jg_str(o, "audio_base_64");
    struct rt_answer *a = bytes.len ? answer_of(p, jg_int(o, "event_id", EL_NO_EVENT)) : NULL;
    if (a)
        rt_answer_audio_base64(p, a, bytes);
    if (!rt_gone(p) && jg_true(o, "is_final"))
        rt_self_audio_over(p);
    if (a && !rt_gone(p))
        watch_quiet(p);
}

/* It may come before the audio, in its middle, or behind it. */
static void on_said(struct provider *p, struct json_object *o)
{
    struct elevenlabs *e = el(p);
    int64_t event = jg_int(o, "event_id", EL_NO_EVENT);
    struct rt_answer *a = &p->answer[e->last % RT_ANSWERS_MAX];
    struct str text = jg_str(o, "agent_response");
    if (!e->last || a->id != e->last || event != e->event)
        a = text.len ? answer_of(p, event) : NULL;
    if (a)
        rt_answer_text_set(p, a, text);
}

/* What was really said of it, behind an interruption. */
static void on_corrected(struct provider *p, struct json_object *o)
{
    struct elevenlabs *e = el(p);
    struct rt_answer *a = &p->answer[e->last % RT_ANSWERS_MAX];
    if (e->last && a->id == e->last && jg_int(o, "event_id", EL_NO_EVENT) == e->event)
        rt_answer_text_set(p, a, jg_str(o, "corrected_agent_response"));
}

static void on_complete(struct provider *p, struct json_object *o)
{
    (void)o;
    rt_self_audio_over(p);
}

static void on_interruption(struct provider *p, struct json_object *o)
{
    struct elevenlabs *e = el(p);
    int64_t event = jg_int(o, "event_id", EL_NO_EVENT);
    if (event > e->gate)
        e->gate = event;
    e->dead_event = e->event;
    tmr_stop(&e->quiet);
    rt_self_interrupted(p);
}

/* ---- the caller, tools --------------------------------------------------------------------------
 */

static void on_heard(struct provider *p, struct json_object *o)
{
    struct str words = jg_str(o, "user_transcript");
    if (rt_has_words(words)) /* they are answered next */
        el_no_greeting(p);
    rt_self_words(p, words);
    rt_self_turn_over(p);
}

/* Of one that expects no result the result is told in words. */
static void on_tool(struct provider *p, struct json_object *o)
{
    struct str id = jg_str(o, "tool_call_id");
    struct json_object *expects = jg_obj(o, "expects_response");
    bool wants = !json_object_is_type(expects, json_type_boolean) || jg_true(o, "expects_response");
    (void)rt_self_tool(p, jg_str(o, "tool_name"), wants ? id : str_of(""),
                       jg_text(jg_obj(o, "parameters")));
}

/* A tool of its own; when that was hanging up, it will close the connection. */
static void on_own_tool(struct provider *p, struct json_object *o)
{
    if (str_eqz(jg_str(o, "tool_name"), "end_call") && !jg_true(o, "is_error") &&
        !str_eqz(jg_str(o, "tool_type"), "client"))
        (void)rt_self_tool(p, str_of("end_call"), str_of(""), str_of("{}"));
}

/* ---- dispatch -----------------------------------------------------------------------------------
 */

static const struct {
    const char *type, *body;
    void (*handle)(struct provider *p, struct json_object *o);
    bool of_answer; /* kept until the greeting is asked for */
} events[] = {
    {"audio", "audio_event", on_audio, true},
    {"ping", "ping_event", on_ping, false},
    {"agent_response", "agent_response_event", on_said, true},
    {"agent_response_complete", "", on_complete, true},
    {"agent_response_correction", "agent_response_correction_event", on_corrected, false},
    {"interruption", "interruption_event", on_interruption, false},
    {"user_transcript", "user_transcription_event", on_heard, false},
    {"client_tool_call", "client_tool_call", on_tool, false},
    {"agent_tool_response", "agent_tool_response", on_own_tool, false},
    {"conversation_initiation_metadata", "conversation_initiation_metadata_event", on_metadata,
     false},
    {"client_error", "client_error_event", on_error, false},
    {"error", "error_event", on_error, false},
};

static void keep_early(struct provider *p, struct json_object *body, struct str message)
{
    struct buf *early = &el(p)->early;
    size_t len = message.len;
    if (early->len + sizeof(len) + len > EL_EARLY_MAX) {
        p->count.audio_dropped++;
        return;
    }
    el(p)->early_event = jg_int(body, "event_id", EL_NO_EVENT);
    (void)buf_add(early, &len, sizeof(len));
    (void)buf_adds(early, message);
}

static void dispatch(struct provider *p, struct json_object *o, struct str message)
{
    struct str type = jg_str(o, "type");
    if (!type.len)
        rt_odd(p, "a message without a type");
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (!str_eqz(type, events[i].type))
            continue;
        if (events[i].of_answer && el(p)->greets == GREETS_KEPT)
            keep_early(p, jg_obj(o, events[i].body), message);
        else
            events[i].handle(p, jg_obj(o, events[i].body));
        return;
    }
}

void el_on_message(struct provider *p, struct str message)
{
    struct json_object *o = jg_parse(message);
    if (o)
        dispatch(p, o, message);
    else
        rt_odd(p, "a message that is not a JSON object");
    json_object_put(o);
}

void el_replay_early(void *arg)
{
    struct provider *p = arg;
    struct buf kept = el(p)->early;
    el(p)->greets = GREETS_SAID;
    buf_init(&el(p)->early, EL_EARLY_MAX);
    for (size_t at = 0, len = 0; at + sizeof(len) <= kept.len && !rt_gone(p); at += len) {
        memcpy(&len, kept.p + at, sizeof(len));
        at += sizeof(len);
        el_on_message(p, str_make(kept.p + at, len));
    }
    buf_free(&kept);
}
