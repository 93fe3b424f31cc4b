/**
 * ai/realtime/openai/openai.h: OpenAI's Realtime protocol (GA shape) and its relatives; for the
 * files of this folder only.
 *
 *     on_open ─► session.created ─► session.update ─► session.updated ─► history ─► rt_ready
 *
 *     response:  IDLE ─► ASKED ─► ACTIVE ─► IDLE      at most one: a second is refused over there
 *                          └────────┴─► CANCELLING ─► IDLE
 *
 * What is wanted while one runs waits in `want` and is asked for when it is over.
 */
#ifndef VA_AI_REALTIME_OPENAI_OPENAI_H
#define VA_AI_REALTIME_OPENAI_OPENAI_H

#include "ai/json_get.h"
#include "ai/realtime/rt.h"

/** How a server differs from OpenAI's own. */
struct oa_quirks {
    const char *name; /**< as in OPENAI_QUIRKS */
    bool g711;        /**< takes µ-law; else pcm of pcm_hz */
    int pcm_hz;
    bool server_answers; /**< it creates and interrupts responses by itself: nothing is held */
    bool truncates;
    bool beta_names;    /**< may send the names of before GA; accepted from all */
    bool top_level_vad; /**< voice and turn_detection at the session's top, no session.type (xAI) */
    bool noise_reduction, transcribes;
    bool instructs; /**< response.create may carry instructions */
};

/** By name; NULL when unknown. */
const struct oa_quirks *oa_quirks_find(const char *name);

enum oa_response { OA_IDLE, OA_ASKED, OA_ACTIVE, OA_CANCELLING };
enum oa_want { OA_WANT_NONE, OA_WANT_TURN, OA_WANT_SAY };

enum { OA_EVENT_ID_MAX = 24, OA_CALLS_MAX = 8, OA_PREFIX_MS = 300, OA_ERRORS_MAX = 100 };

struct oa {
    const struct oa_quirks *quirks;
    const char *model, *voice, *transcribe; /* borrowed from the settings and the secretary */
    const char *default_voice;
    unsigned next_event;
    char update_id[OA_EVENT_ID_MAX]; /* of our session.update */
    char create_id[OA_EVENT_ID_MAX]; /* of our newest response.create */

    enum oa_response response; /* oa_response_set() only */
    char response_id[RT_ID_MAX];
    enum oa_want running; /* what the response at hand answers */
    unsigned running_flags;
    bool voiced;       /* an answer began in it */
    bool called;       /* a tool was called in it */
    bool again;        /* it was cancelled before it was heard; asked for again if that was noise */
    unsigned failures; /* of responses, in a row */
    unsigned errors;   /* without effect, since a response began */

    enum oa_want want;
    unsigned want_flags;
    char *want_text; /* instructions of OA_WANT_SAY; ours */

    int64_t speech_start_ms;
    int64_t speech_end_ms; /* -1: not told */
    char noise[RT_ID_MAX]; /* item that was found to be none */
    char erase[RT_ID_MAX]; /* answer nobody heard: deleted when its response is over */
    char calls[OA_CALLS_MAX][RT_ID_MAX]; /* newest tool calls, so that none runs twice */
    unsigned call_count;
};

static inline struct oa *oa_of(const struct provider *p)
{
    return p->dialect_state;
}

/* ---- start.c: settings to target */
enum va_err oa_start_openai(struct provider *p, struct va_fault *fault);
enum va_err oa_start_azure(struct provider *p, struct va_fault *fault);
enum va_err oa_start_xai(struct provider *p, struct va_fault *fault);
enum va_err oa_start_compatible(struct provider *p, struct va_fault *fault);
/** "http://host:1/v1" → "http://host:1/v1/realtime?model=…". @return VA_OK, VA_ECONFIG */
enum va_err oa_url(const char *setting, const char *base, const char *root, const char *model,
                   char *out, size_t cap, struct va_fault *fault);

/* ---- session.c */
void oa_send_session(struct provider *p);
void oa_send_history(struct provider *p);
/** The formats that the session really has. */
void oa_read_formats(struct provider *p, struct json_object *session);

/* ---- send.c */
void oa_audio(struct provider *p, struct str bytes);
void oa_say(struct provider *p, enum say_intent intent, const char *text);
void oa_tell(struct provider *p, const char *text, bool answer);
void oa_tool_result(struct provider *p, const struct rt_tool *tool, const char *json, bool answer);
void oa_interrupt(struct provider *p, const struct rt_answer *a, uint32_t heard_ms);
void oa_turn_over(struct provider *p, bool speech);
void oa_response_set(struct provider *p, enum oa_response to);
void oa_want(struct provider *p, enum oa_want what);
void oa_cancel(struct provider *p);
void oa_delete_item(struct provider *p, const char *item);
/** Begin a message {"event_id":…,"type":…. @return its id, valid until the next */
const char *oa_message(struct provider *p, struct json_writer *w, const char *type);
/** Ask for what is wanted, if it may be now. */
void oa_pump(struct provider *p);

/* ---- event.c, response.c */
void oa_on_open(struct provider *p);
void oa_on_text(struct provider *p, struct str message);
void oa_on_response_created(struct provider *p, struct json_object *o);
void oa_on_response_done(struct provider *p, struct json_object *o);
void oa_on_output_item_done(struct provider *p, struct json_object *o);
void oa_on_audio_delta(struct provider *p, struct str item, struct str response, struct str delta);
void oa_on_text_delta(struct provider *p, struct json_object *o);
void oa_on_text_done(struct provider *p, struct json_object *o);

#endif
