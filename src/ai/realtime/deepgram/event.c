/* What Deepgram's Voice Agent says. */
#include "ai/realtime/deepgram/agent.h"

static void on_welcome(struct provider *p, struct json_object *o)
{
    (void)o;
    if (p->state == RT_STARTING)
        dg_send_settings(p);
}

static void on_applied(struct provider *p, struct json_object *o)
{
    (void)o;
    rt_ready(p);
}

/* ---- turns and answers --------------------------------------------------------------------------
 */

/* Our own text comes back as the user's. Whoever spoke: the answer before it is over. */
static void on_user_said(struct provider *p, struct str text)
{
    struct deepgram_agent *d = dg(p);
    bool ours = d->told.len && str_eq(text, buf_str(&d->told));
    d->flushed = false;
    rt_self_done(p);
    if (ours) {
        buf_reset(&d->told);
        return;
    }
    rt_self_words(p, text);
    rt_self_turn_over(p);
}

/* Sentence by sentence, each in front of its audio. */
static void on_said(struct provider *p, struct json_object *o)
{
    struct str text = jg_str(o, "content"), role = jg_str(o, "role");
    if (str_eqz(role, "user")) {
        on_user_said(p, text);
        return;
    }
    if (!str_eqz(role, "assistant") || !text.len)
        return;
    dg(p)->flushed = false;
    struct rt_answer *a = rt_self_answer(p);
    if (a && a->text.len)
        rt_answer_text_add(p, a, str_of(" "));
    if (a)
        rt_answer_text_add(p, a, text);
}

static void on_user_speaks(struct provider *p, struct json_object *o)
{
    (void)o;
    dg(p)->flushed = true;
    rt_self_interrupted(p);
}

static void on_thinking(struct provider *p, struct json_object *o)
{
    (void)o;
    dg(p)->flushed = false;
}

static void on_audio_done(struct provider *p, struct json_object *o)
{
    (void)o;
    rt_self_done(p);
}

void dg_on_binary(struct provider *p, struct str bytes)
{
    if (p->state != RT_READY || dg(p)->flushed) {
        p->count.late_audio++;
        return;
    }
    struct rt_answer *a = rt_self_answer(p);
    if (a)
        rt_answer_audio(p, a, bytes);
}

/* ---- tools --------------------------------------------------------------------------------------
 */

static void on_call(struct provider *p, struct json_object *o)
{
    struct json_object *list = jg_obj(o, "functions");
    for (size_t i = 0; i < jg_count(list) && !rt_gone(p); i++) {
        struct json_object *call = jg_at(list, i), *side = jg_obj(call, "client_side");
        if (!json_object_is_type(side, json_type_boolean) || json_object_get_boolean(side))
            (void)rt_self_tool(p, jg_str(call, "name"), jg_str(call, "id"),
                               jg_str(call, "arguments"));
    }
}

static void on_call_cancelled(struct provider *p, struct json_object *o)
{
    struct json_object *list = jg_obj(o, "functions");
    for (size_t i = 0; i < jg_count(list); i++)
        rt_tool_cancelled(p, jg_str(jg_at(list, i), "id"));
}

/* ---- trouble ------------------------------------------------------------------------------------
 */

static void on_refused(struct provider *p, struct json_object *o)
{
    (void)o;
    dg_say_again(p);
}

static void on_warning(struct provider *p, struct json_object *o)
{
    log_warn("ai", &p->log, "provider-warning", "provider", "deepgram", "code",
             log_str(jg_str(o, "code")), "message", log_str(jg_str(o, "description")), NULL);
}

/* A part of it that failed may do better in a new session; settings that are wrong stay so. */
static void on_error(struct provider *p, struct json_object *o)
{
    struct str code = jg_str(o, "code"), text = jg_str(o, "description");
    bool settings = p->state == RT_STARTING;
    bool again = str_starts(code, "FAILED_TO_") || str_starts(code, "THINK_REQUEST_FAILED") ||
                 str_eqz(code, "CLIENT_MESSAGE_TIMEOUT") || str_starts(code, "INTERNAL");
    rt_fault(p, settings ? VA_ECONFIG : VA_EIO, again, "deepgram: %.*s: %.*s%s", STR_ARG(code),
             STR_ARG(text),
             settings ? "; check DEEPGRAM_LISTEN_MODEL, …_THINK_… and …_SPEAK_MODEL" : "");
}

static const struct {
    const char *type;
    void (*handle)(struct provider *p, struct json_object *o);
} events[] = {
    {"Welcome", on_welcome},
    {"SettingsApplied", on_applied},
    {"ConversationText", on_said},
    {"UserStartedSpeaking", on_user_speaks},
    {"AgentThinking", on_thinking},
    {"AgentStartedSpeaking", on_thinking},
    {"AgentAudioDone", on_audio_done},
    {"FunctionCallRequest", on_call},
    {"FunctionCallCancelled", on_call_cancelled},
    {"InjectionRefused", on_refused},
    {"Warning", on_warning},
    {"Error", on_error},
};

void dg_on_text(struct provider *p, struct str message)
{
    struct json_object *o = jg_parse(message);
    struct str type = jg_str(o, "type");
    if (!type.len)
        rt_odd(p, "a message without a type");
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (str_eqz(type, events[i].type)) {
            events[i].handle(p, o);
            break;
        }
    json_object_put(o);
}
