/* What Ultravox says. */
#include "ai/realtime/ultravox/ultravox.h"

static void on_started(struct provider *p, struct json_object *o)
{
    (void)o;
    rt_ready(p);
}

/* It is "speaking" until it believes that all was heard. */
static void on_state(struct provider *p, struct json_object *o)
{
    struct str state = jg_str(o, "state");
    rt_ready(p);
    if (rt_gone(p))
        return;
    if (str_eqz(state, "thinking") || str_eqz(state, "speaking"))
        uv(p)->flushed = false;
    if (str_eqz(state, "thinking"))
        rt_self_turn_over(p);
    else if (str_eqz(state, "listening") || str_eqz(state, "idle"))
        rt_self_done(p);
}

static void on_clear(struct provider *p, struct json_object *o)
{
    (void)o;
    uv(p)->flushed = true;
    rt_self_interrupted(p);
}

void uv_on_binary(struct provider *p, struct str bytes)
{
    if (p->state != RT_READY || uv(p)->flushed) {
        p->count.late_audio++;
        return;
    }
    struct rt_answer *a = rt_self_answer(p);
    if (a)
        rt_answer_audio(p, a, bytes);
}

/* ---- words --------------------------------------------------------------------------------------
 */

/* Text that we sent in the user's name comes back with the medium "text". */
static void on_user_words(struct provider *p, struct json_object *o)
{
    struct str text = jg_str(o, "text");
    if (str_eqz(jg_str(o, "medium"), "text"))
        return;
    if (jg_true(o, "final")) {
        uv(p)->flushed = false;
        rt_self_words(p, text);
        rt_self_turn_over(p);
    } else if ((rt_has_words(text) || rt_has_words(jg_str(o, "delta"))) && !rt_self_current(p)) {
        rt_self_heard(p);
    }
}

/* The answer that words of the agent belong to: its last ones may come when it is over. */
static struct rt_answer *answer_of_words(struct provider *p, bool final)
{
    struct rt_answer *a = rt_self_current(p), *last = &p->answer[p->last_answer % RT_ANSWERS_MAX];
    if (a)
        return a;
    if (final && p->last_answer && last->id == p->last_answer && last->state == RT_ANSWER_DONE &&
        !last->text_told)
        return last;
    return rt_self_answer(p);
}

static void on_agent_words(struct provider *p, struct json_object *o)
{
    struct str text = jg_str(o, "text"), delta = jg_str(o, "delta");
    bool final = jg_true(o, "final");
    if (!text.len && !delta.len)
        return;
    uv(p)->flushed = false;
    struct rt_answer *a = answer_of_words(p, final);
    if (a && final && text.len)
        rt_answer_text_set(p, a, text);
    else if (a && delta.len)
        rt_answer_text_add(p, a, delta);
}

static void on_transcript(struct provider *p, struct json_object *o)
{
    struct str role = jg_str(o, "role");
    if (str_eqz(role, "user"))
        on_user_words(p, o);
    else if (str_eqz(role, "agent"))
        on_agent_words(p, o);
}

/* ---- the rest -----------------------------------------------------------------------------------
 */

static void on_tool(struct provider *p, struct json_object *o)
{
    (void)rt_self_tool(p, jg_str(o, "toolName"), jg_str(o, "invocationId"),
                       jg_text(jg_obj(o, "parameters")));
}

/* Documented as ours to send; answered should it send one, too. */
static void on_ping(struct provider *p, struct json_object *o)
{
    struct json_writer w;
    rt_message(p, &w);
    jw_text(&w, "type", "pong");
    jw_int(&w, "timestamp", jg_int(o, "timestamp", 0));
    rt_send(p, &w);
}

static const struct {
    const char *type;
    void (*handle)(struct provider *p, struct json_object *o);
} events[] = {
    {"call_started", on_started},        {"state", on_state},
    {"playback_clear_buffer", on_clear}, {"transcript", on_transcript},
    {"client_tool_invocation", on_tool}, {"ping", on_ping},
};

void uv_on_text(struct provider *p, struct str message)
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
