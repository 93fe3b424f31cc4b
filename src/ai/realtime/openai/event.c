/* What the server says: session, the caller's turns, errors. Responses are in response.c. */
#include "ai/realtime/json_fast.h"
#include "ai/realtime/openai/openai.h"

#include <stdlib.h>

void oa_on_open(struct provider *p)
{
    struct oa *o = oa_of(p);
    o->response = OA_IDLE;
    o->response_id[0] = o->noise[0] = o->erase[0] = 0;
    o->want = OA_WANT_NONE;
    o->again = o->voiced = o->called = false;
    o->failures = o->errors = 0;
    o->speech_end_ms = -1;
}

/* ---- session
 * ------------------------------------------------------------------------------------- */

static void on_session_created(struct provider *p, struct json_object *o)
{
    if (p->state != RT_STARTING)
        return;
    int64_t ends = jg_int(jg_obj(o, "session"), "expires_at", 0);
    int64_t left_ms = ends * 1000 - clock_wall_us(loop_clock(p->loop)) / 1000;
    if (ends && left_ms > 0 && left_ms < (int64_t)24 * 3600 * 1000)
        rt_going_away(p, (uint64_t)left_ms);
    oa_send_session(p);
}

static void on_session_updated(struct provider *p, struct json_object *o)
{
    if (p->state != RT_STARTING)
        return;
    oa_read_formats(p, jg_obj(o, "session"));
    oa_send_history(p);
    rt_ready(p);
}

/* ---- the caller
 * ---------------------------------------------------------------------------------- */

/* A response nobody heard anything of: the caller goes on talking, so it would answer too little. A
 * thing to be said is kept: its time does not pass. */
static void stop_unheard(struct provider *p)
{
    struct oa *o = oa_of(p);
    bool runs = o->response == OA_ASKED || o->response == OA_ACTIVE;
    if (!runs || o->voiced || o->called || o->running == OA_WANT_SAY)
        return;
    o->again = true;
    oa_cancel(p);
}

static void on_speech_started(struct provider *p, struct json_object *o)
{
    struct oa *state = oa_of(p);
    state->speech_start_ms = jg_int(o, "audio_start_ms", -1);
    state->speech_end_ms = -1;
    if (state->quirks->server_answers) {
        rt_speech(p, TURN_STARTED);
        rt_speech(p, TURN_CONFIRMED); /* what it was saying is gone over there */
        return;
    }
    stop_unheard(p);
    rt_turn_started(p, jg_str(o, "item_id"), (unsigned)p->secretary->end_silence_ms);
}

static void on_speech_stopped(struct provider *p, struct json_object *o)
{
    struct oa *state = oa_of(p);
    state->speech_end_ms = jg_int(o, "audio_end_ms", -1);
    if (state->quirks->server_answers) {
        rt_owe(p, RT_OWES_ANSWER);
        rt_speech(p, TURN_ENDED);
    }
}

/* What the server took includes the time before and the silence behind the sound. */
static int64_t speech_ms(const struct provider *p)
{
    const struct oa *o = oa_of(p);
    if (o->speech_start_ms < 0 || o->speech_end_ms < 0)
        return -1;
    int64_t ms =
        o->speech_end_ms - o->speech_start_ms - OA_PREFIX_MS - p->secretary->end_silence_ms;
    return ms > 0 ? ms : 0;
}

/* Only now is there an item that a response can answer. */
static void on_committed(struct provider *p, struct json_object *o)
{
    (void)o;
    const struct oa *state = oa_of(p);
    if (!state->quirks->server_answers)
        rt_turn_stopped(p, speech_ms(p), state->quirks->transcribes && *state->transcribe);
}

static bool of_this_turn(const struct provider *p, struct json_object *o)
{
    return str_eqz(jg_str(o, "item_id"), p->turn.item);
}

static void on_words(struct provider *p, struct json_object *o)
{
    if (of_this_turn(p, o))
        rt_turn_words(p, jg_str(o, "delta"), false);
}

static void on_words_so_far(struct provider *p, struct json_object *o)
{
    if (of_this_turn(p, o))
        rt_turn_words(p, jg_str(o, "transcript"), false);
}

static void on_words_done(struct provider *p, struct json_object *o)
{
    struct str text = jg_str(o, "transcript");
    if (str_eqz(jg_str(o, "status"), "in_progress")) { /* xAI says "completed" several times */
        on_words_so_far(p, o);
        return;
    }
    if (of_this_turn(p, o))
        rt_turn_words(p, text, true);
    if (!str_eqz(jg_str(o, "item_id"), oa_of(p)->noise))
        rt_caller_said(p, text);
}

static void on_words_failed(struct provider *p, struct json_object *o)
{
    struct str message = jg_str(jg_obj(o, "error"), "message");
    log_warn("ai", &p->log, "transcription-failed", "provider", p->dialect->name, "cause",
             log_str(message), NULL);
    if (of_this_turn(p, o))
        rt_turn_words(p, str_make(NULL, 0), true);
}

/* ---- errors
 * -------------------------------------------------------------------------------------- */

enum action { ACT_IGNORE, ACT_BUSY, ACT_IDLE, ACT_FATAL, ACT_AGAIN };

/* `why` tells the chain whether the next call need try: VA_EAUTH and VA_ECONFIG stay, VA_ELIMIT is
 * over in a moment. */
static const struct error_rule {
    const char *code;
    enum action action;
    enum va_err why;
} errors[] = {
    {"conversation_already_has_active_response", ACT_BUSY, VA_OK},
    {"response_cancel_not_active", ACT_IDLE, VA_OK},
    {"input_audio_buffer_commit_empty", ACT_IGNORE, VA_OK},
    {"item_retrieve_invalid_item_id", ACT_IGNORE, VA_OK},
    {"item_delete_invalid_item_id", ACT_IGNORE, VA_OK},
    {"item_truncate_invalid_item_id", ACT_IGNORE, VA_OK},
    {"session_expired", ACT_AGAIN, VA_ECLOSED},
    {"server_error", ACT_AGAIN, VA_ECLOSED},
    {"rate_limit_exceeded", ACT_FATAL, VA_ELIMIT},
    {"session_limit_reached", ACT_FATAL, VA_ELIMIT},
    {"insufficient_quota", ACT_FATAL, VA_EAUTH},
    {"invalid_api_key", ACT_FATAL, VA_EAUTH},
    {"account_deactivated", ACT_FATAL, VA_EAUTH},
    {"billing_hard_limit_reached", ACT_FATAL, VA_EAUTH},
    {"model_not_found", ACT_FATAL, VA_ECONFIG},
    {"beta_api_shape_disabled", ACT_FATAL, VA_ENOTSUP},
};

static struct error_rule rule_of(struct str code)
{
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (str_eqz(code, errors[i].code))
            return errors[i];
    return (struct error_rule){.action = ACT_IGNORE};
}

/* Nothing of a refused update was applied. A voice of another provider's is a common cause: once
 * more with the one that the settings name. */
static void session_refused(struct provider *p, struct json_object *error)
{
    struct oa *o = oa_of(p);
    struct str param = jg_str(error, "param"), message = jg_str(error, "message");
    bool voice = str_ends(param, "voice");
    if (voice && o->voice != o->default_voice) {
        log_warn("ai", &p->log, "voice-unknown", "provider", p->dialect->name, "voice", o->voice,
                 "used", o->default_voice, NULL);
        o->voice = o->default_voice;
        oa_send_session(p);
        return;
    }
    rt_fault(p, VA_ECONFIG, false, "%s refused the session: %.*s", p->dialect->name,
             STR_ARG(message));
}

/* Our response.create was refused: it never began. Where another one runs that we did not ask for,
 * perhaps taken for ours by now, what we wanted comes behind it. */
static void create_refused(struct provider *p, enum action action, struct str message)
{
    struct oa *o = oa_of(p);
    if (action == ACT_BUSY) {
        o->want = o->running;
        o->want_flags = o->running_flags;
        o->running = OA_WANT_TURN;
        o->running_flags = 0;
        oa_response_set(p, OA_ACTIVE);
        return;
    }
    oa_response_set(p, OA_IDLE);
    rt_fault(p, VA_EPROTO, true, "%s refused to answer: %.*s", p->dialect->name, STR_ARG(message));
}

/* One does no harm. A server that refuses each piece of the caller's audio is deaf. */
static void error_without_effect(struct provider *p, struct str message)
{
    if (++oa_of(p)->errors == OA_ERRORS_MAX)
        rt_fault(p, VA_EPROTO, false, "%s refuses whatever it is sent: %.*s", p->dialect->name,
                 STR_ARG(message));
}

static void on_error(struct provider *p, struct json_object *o)
{
    struct oa *state = oa_of(p);
    struct json_object *error = jg_obj(o, "error");
    struct str code = jg_str(error, "code"), message = jg_str(error, "message");
    struct str cause = jg_str(error, "event_id");
    const struct error_rule rule = rule_of(code.len ? code : jg_str(error, "type"));
    log_warn("ai", &p->log, "provider-error", "provider", p->dialect->name, "code", log_str(code),
             "message", log_str(message), "of", log_str(cause), NULL);
    if (rule.action == ACT_FATAL || rule.action == ACT_AGAIN)
        rt_fault(p, rule.why, rule.action == ACT_AGAIN, "%s: %.*s", p->dialect->name,
                 STR_ARG(message));
    else if (p->state == RT_STARTING)
        session_refused(p, error);
    else if (cause.len && str_eqz(cause, state->create_id) &&
             (state->response == OA_ASKED || state->response == OA_ACTIVE))
        create_refused(p, rule.action, message);
    else if (rule.action == ACT_IDLE && state->response == OA_CANCELLING && !*state->response_id) {
        oa_response_set(p, OA_IDLE);
        oa_pump(p);
    } else if (!rule.code) {
        error_without_effect(p, message);
    }
}

/* ---- dispatch
 * ------------------------------------------------------------------------------------ */

static void on_audio(struct provider *p, struct json_object *o)
{
    oa_on_audio_delta(p, jg_str(o, "item_id"), jg_str(o, "response_id"), jg_str(o, "delta"));
}

static const struct {
    const char *type, *beta;
    void (*handle)(struct provider *p, struct json_object *o);
} events[] = {
    {"response.output_audio.delta", "response.audio.delta", on_audio},
    {"response.output_audio_transcript.delta", "response.audio_transcript.delta", oa_on_text_delta},
    {"conversation.item.input_audio_transcription.delta", "", on_words},
    {"conversation.item.input_audio_transcription.updated", "", on_words_so_far},
    {"conversation.item.input_audio_transcription.completed", "", on_words_done},
    {"conversation.item.input_audio_transcription.failed", "", on_words_failed},
    {"input_audio_buffer.speech_started", "", on_speech_started},
    {"input_audio_buffer.speech_stopped", "", on_speech_stopped},
    {"input_audio_buffer.committed", "", on_committed},
    {"response.created", "", oa_on_response_created},
    {"response.output_audio_transcript.done", "response.audio_transcript.done", oa_on_text_done},
    {"response.output_text.delta", "response.text.delta", oa_on_text_delta},
    {"response.output_text.done", "response.text.done", oa_on_text_done},
    {"response.output_item.done", "", oa_on_output_item_done},
    {"response.done", "", oa_on_response_done},
    {"session.created", "", on_session_created},
    {"session.updated", "", on_session_updated},
    {"error", "", on_error},
};

static void dispatch(struct provider *p, struct json_object *o)
{
    struct str type = jg_str(o, "type");
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (!str_eqz(type, events[i].type) && !(type.len && str_eqz(type, events[i].beta)))
            continue;
        events[i].handle(p, o);
        return;
    }
    if (!type.len)
        rt_odd(p, "an event without a type");
}

static bool is_audio(struct str type)
{
    return str_eqz(type, events[0].type) || str_eqz(type, events[0].beta);
}

void oa_on_text(struct provider *p, struct str message)
{
    struct json_want want[] = {
        {.key = "type"}, {.key = "delta"}, {.key = "item_id"}, {.key = "response_id"}};
    if (json_fast(message, want, 4) && is_audio(want[0].value) && want[1].value.p) {
        oa_on_audio_delta(p, want[2].value, want[3].value, want[1].value);
        return;
    }
    struct json_object *o = jg_parse(message);
    if (o)
        dispatch(p, o);
    else
        rt_odd(p, "a message that is not a JSON object");
    json_object_put(o);
}
