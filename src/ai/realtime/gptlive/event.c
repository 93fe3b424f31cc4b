/* What GPT-Live says. */
#include "ai/realtime/gptlive/gptlive.h"
#include "ai/realtime/json_fast.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- session ------------------------------------------------------------------------------------
 */

static void on_started(struct provider *p, struct json_object *o)
{
    if (p->state != RT_STARTING)
        return;
    int64_t ends = jg_int(jg_obj(o, "session"), "expires_at", 0);
    int64_t left_ms = ends * 1000 - clock_wall_us(loop_clock(p->loop)) / 1000;
    if (ends && left_ms > 0 && left_ms < (int64_t)24 * 3600 * 1000)
        rt_going_away(p, (uint64_t)left_ms);
    rt_ready(p);
}

static void on_closed(struct provider *p, struct json_object *o)
{
    struct str reason = jg_str(o, "reason");
    bool again = str_eqz(reason, "expired") || str_eqz(reason, "connection_lost");
    rt_fault(p, VA_ECLOSED, again, "gpt-live closed the session: %.*s", STR_ARG(reason));
}

/* An error behind the start is one of a command: the session goes on. */
static void on_error(struct provider *p, struct json_object *o)
{
    struct json_object *error = jg_obj(o, "error");
    struct str code = jg_str(error, "code"), message = jg_str(error, "message");
    bool auth = str_eqz(code, "invalid_api_key") || str_eqz(code, "insufficient_quota");
    log_warn("ai", &p->log, "provider-error", "provider", "gpt-live", "code", log_str(code),
             "message", log_str(message), NULL);
    if (p->state == RT_STARTING)
        rt_fault(p, auth ? VA_EAUTH : VA_ECONFIG, false, "gpt-live refused the session: %.*s",
                 STR_ARG(message));
    else if (auth)
        rt_fault(p, VA_EAUTH, false, "gpt-live: %.*s", STR_ARG(message));
}

static void on_usage(struct provider *p, struct json_object *o)
{
    char text[80];
    struct json_object *usage = jg_obj(o, "usage");
    if (!p->h->on_usage || !usage)
        return;
    (void)snprintf(text, sizeof(text), "%" PRId64 " s of conversation",
                   jg_int(usage, "seconds", 0));
    p->h->on_usage(p->arg, text);
}

/* ---- words --------------------------------------------------------------------------------------
 */

static void on_heard(struct provider *p, struct json_object *o)
{
    rt_self_words(p, jg_str(o, "delta"));
}

/* They run a little ahead of the sound. */
static void on_said(struct provider *p, struct json_object *o)
{
    struct str delta = jg_str(o, "delta");
    struct buf *words = &gl(p)->words;
    struct rt_answer *a = rt_self_current(p);
    if (a)
        rt_answer_text_add(p, a, delta);
    else if (words->len + delta.len <= RT_TEXT_MAX)
        (void)buf_adds(words, delta);
}

static void on_audio(struct provider *p, struct json_object *o)
{
    gl_on_audio(p, jg_str(o, "delta"));
}

/* ---- tools --------------------------------------------------------------------------------------
 */

/* What the second model does comes in an envelope. What it says is the first one's to tell. */
static void on_response_event(struct provider *p, struct json_object *o)
{
    struct json_object *event = jg_obj(o, "event"), *item = jg_obj(event, "item");
    struct str id = jg_str(item, "call_id");
    if (!str_eqz(jg_str(event, "type"), "response.output_item.done") || !id.len ||
        !str_eqz(jg_str(item, "type"), "function_call"))
        return;
    if (!rt_self_current(p))
        rt_self_turn_over(p);
    if (!rt_gone(p)) /* what it is saying meanwhile ends by itself, and the tool runs behind it */
        (void)rt_tool_called(p, jg_str(item, "name"), id, jg_str(item, "arguments"));
}

/* ---- dispatch -----------------------------------------------------------------------------------
 */

static const struct {
    const char *type;
    void (*handle)(struct provider *p, struct json_object *o);
} events[] = {
    {"session.output_audio.delta", on_audio},
    {"session.started", on_started},
    {"session.input_transcript.delta", on_heard},
    {"session.output_transcript.delta", on_said},
    {"response.event", on_response_event},
    {"session.usage.updated", on_usage},
    {"session.closed", on_closed},
    {"error", on_error},
};

void gl_on_message(struct provider *p, struct str message)
{
    struct json_want want[] = {{.key = "type"}, {.key = "delta"}};
    if (json_fast(message, want, 2) && str_eqz(want[0].value, events[0].type)) {
        gl_on_audio(p, want[1].value);
        return;
    }
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
