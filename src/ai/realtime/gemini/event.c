/* What Gemini Live says. The keys of a message do not exclude each other: all are looked at. */
#include "ai/realtime/gemini/gemini.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- session ------------------------------------------------------------------------------------
 */

static void on_setup_complete(struct provider *p, struct json_object *o)
{
    (void)o;
    if (p->state != RT_STARTING)
        return;
    if (gm(p)->seeds)
        gm_send_history(p);
    gm(p)->resuming = false;
    rt_ready(p);
}

/* One that is not resumable is no use: the one before it still is. */
static void on_resumption(struct provider *p, struct json_object *o)
{
    struct str handle = jg_str(o, "newHandle");
    if (jg_true(o, "resumable") && handle.len && handle.len < GEMINI_HANDLE_MAX)
        (void)str_copy(gm(p)->handle, GEMINI_HANDLE_MAX, handle);
}

/* "10s", "9.5s" */
static void on_go_away(struct provider *p, struct json_object *o)
{
    uint64_t seconds = 0;
    struct str left = jg_str(o, "timeLeft"), whole = str_cut(&left, '.');
    while (whole.len && (whole.p[whole.len - 1] < '0' || whole.p[whole.len - 1] > '9'))
        whole.len--;
    if (str_to_u64(whole, &seconds) || seconds > 3600)
        seconds = seconds ? 3600 : 0;
    rt_going_away(p, seconds * 1000);
}

/* ---- the answer ---------------------------------------------------------------------------------
 */

static void on_part(struct provider *p, struct json_object *part)
{
    struct json_object *blob = jg_obj(part, "inlineData");
    struct str data = jg_str(blob, "data"), type = jg_str(blob, "mimeType");
    if (jg_true(part, "thought") || !data.len || !str_starts(type, "audio/pcm"))
        return; /* thoughts and text are not spoken; what is spoken is in outputTranscription */
    struct rt_answer *a = rt_self_answer(p);
    if (a)
        rt_answer_audio_base64(p, a, data);
}

static void on_model_turn(struct provider *p, struct json_object *o)
{
    struct json_object *parts = jg_obj(o, "parts");
    for (size_t i = 0; i < jg_count(parts) && !rt_gone(p); i++)
        on_part(p, jg_at(parts, i));
}

static void on_said(struct provider *p, struct json_object *o)
{
    struct str text = jg_str(o, "text");
    struct rt_answer *a = text.len ? rt_self_answer(p) : NULL;
    if (a)
        rt_answer_text_add(p, a, text);
}

static void on_heard(struct provider *p, struct json_object *o)
{
    rt_self_words(p, jg_str(o, "text"));
}

/* Behind the last audio: its end as it is heard follows with turnComplete, some seconds later. */
static void on_content(struct provider *p, struct json_object *o)
{
    if (jg_true(o, "interrupted"))
        rt_self_interrupted(p);
    on_heard(p, jg_obj(o, "inputTranscription"));
    on_said(p, jg_obj(o, "outputTranscription"));
    on_model_turn(p, jg_obj(o, "modelTurn"));
    if (jg_true(o, "generationComplete"))
        rt_self_audio_over(p);
    if (jg_true(o, "turnComplete"))
        rt_self_done(p);
}

static void on_activity(struct provider *p, struct json_object *o)
{
    if (str_eqz(jg_str(o, "type"), "ACTIVITY_END") ||
        str_eqz(jg_str(o, "voiceActivityType"), "ACTIVITY_END"))
        rt_self_turn_over(p); /* its beginning is no news: noise begins likewise */
}

/* ---- tools --------------------------------------------------------------------------------------
 */

static void on_tool_call(struct provider *p, struct json_object *o)
{
    struct json_object *calls = jg_obj(o, "functionCalls");
    for (size_t i = 0; i < jg_count(calls) && !rt_gone(p); i++) {
        struct json_object *call = jg_at(calls, i);
        (void)rt_self_tool(p, jg_str(call, "name"), jg_str(call, "id"),
                           jg_text(jg_obj(call, "args")));
    }
}

static void on_tool_cancelled(struct provider *p, struct json_object *o)
{
    struct json_object *ids = jg_obj(o, "ids");
    for (size_t i = 0; i < jg_count(ids); i++) {
        struct json_object *id = jg_at(ids, i);
        if (json_object_is_type(id, json_type_string))
            rt_tool_cancelled(p, str_of(json_object_get_string(id)));
    }
}

/* ---- the rest -----------------------------------------------------------------------------------
 */

static void on_usage(struct provider *p, struct json_object *o)
{
    char text[120];
    if (!p->h->on_usage || !jg_obj(o, "totalTokenCount"))
        return;
    (void)snprintf(text, sizeof(text),
                   "input %" PRId64 " tokens, output %" PRId64 ", thoughts %" PRId64,
                   jg_int(o, "promptTokenCount", 0), jg_int(o, "responseTokenCount", 0),
                   jg_int(o, "thoughtsTokenCount", 0));
    p->h->on_usage(p->arg, text);
}

static void on_error(struct provider *p, struct json_object *o)
{
    struct str message = jg_str(o, "message");
    int64_t code = jg_int(o, "code", 0);
    rt_fault(p, code == 401 || code == 403 ? VA_EAUTH : VA_EPROTO, code >= 500,
             "gemini: error %" PRId64 ": %.*s", code, STR_ARG(message));
}

static const struct {
    const char *key;
    void (*handle)(struct provider *p, struct json_object *o);
} keys[] = {
    {"setupComplete", on_setup_complete},
    {"sessionResumptionUpdate", on_resumption},
    {"serverContent", on_content},
    {"voiceActivity", on_activity},
    {"toolCall", on_tool_call},
    {"toolCallCancellation", on_tool_cancelled},
    {"usageMetadata", on_usage},
    {"goAway", on_go_away},
    {"error", on_error},
};

void gm_on_message(struct provider *p, struct str message)
{
    struct json_object *o = jg_parse(message);
    if (!o)
        rt_odd(p, "a message that is not a JSON object");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && o && !rt_gone(p); i++) {
        struct json_object *value = jg_obj(o, keys[i].key);
        if (json_object_is_type(value, json_type_object))
            keys[i].handle(p, value);
    }
    json_object_put(o);
}
