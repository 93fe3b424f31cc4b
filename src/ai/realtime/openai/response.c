/* Responses of the server: their audio and text, the tools they call, their end. */
#include "ai/realtime/openai/openai.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FAILURES_MAX = 2 /* of responses in a row, until the provider counts as failed */ };

void oa_on_response_created(struct provider *p, struct json_object *o)
{
    struct oa *state = oa_of(p);
    struct str id = jg_str(jg_obj(o, "response"), "id");
    if (id.len >= RT_ID_MAX) {
        rt_odd(p, "a response with an endless id");
        return;
    }
    bool ours = state->response == OA_ASKED || state->response == OA_CANCELLING;
    if (!ours) { /* the server's own idea */
        state->running = OA_WANT_TURN;
        state->running_flags = 0;
        state->again = false;
    }
    state->voiced = state->called = false;
    state->errors = 0;
    (void)str_copy(state->response_id, sizeof(state->response_id), id);
    if (state->response != OA_CANCELLING)
        oa_response_set(p, OA_ACTIVE);
}

/* ---- audio and text
 * ------------------------------------------------------------------------------ */

/* The answer of an item, begun with the first that is heard or read of it. NULL: none any more. */
static struct rt_answer *answer_of(struct provider *p, struct str item, struct str response)
{
    struct oa *o = oa_of(p);
    if (!item.len)
        item = response; /* a server without item ids: one answer per response */
    if (!item.len) {
        rt_odd(p, "audio or text of nothing");
        return NULL;
    }
    struct rt_answer *a = rt_answer_find(p, item);
    if (a)
        return a;
    bool stale = response.len && *o->response_id && !str_eqz(response, o->response_id);
    if (stale || o->response == OA_CANCELLING || o->response == OA_IDLE) {
        p->count.late_audio++;
        return NULL;
    }
    p->next_flags = o->running_flags;
    o->running_flags = 0;
    o->voiced = true;
    o->failures = 0;
    return rt_answer_begin(p, item, str_of(o->response_id));
}

void oa_on_audio_delta(struct provider *p, struct str item, struct str response, struct str delta)
{
    struct rt_answer *a = answer_of(p, item, response);
    if (a)
        rt_answer_audio_base64(p, a, delta);
}

void oa_on_text_delta(struct provider *p, struct json_object *o)
{
    struct rt_answer *a = answer_of(p, jg_str(o, "item_id"), jg_str(o, "response_id"));
    if (a)
        rt_answer_text_add(p, a, jg_str(o, "delta"));
}

void oa_on_text_done(struct provider *p, struct json_object *o)
{
    struct rt_answer *a = rt_answer_find(p, jg_str(o, "item_id"));
    struct str text = jg_str(o, "transcript");
    if (a)
        rt_answer_text_set(p, a, text.p ? text : jg_str(o, "text"));
}

/* ---- tools
 * --------------------------------------------------------------------------------------- */

static bool seen(struct oa *o, struct str call_id)
{
    for (unsigned i = 0; i < OA_CALLS_MAX; i++)
        if (str_eqz(call_id, o->calls[i]))
            return true;
    (void)str_copy(o->calls[o->call_count++ % OA_CALLS_MAX], RT_ID_MAX, call_id);
    return false;
}

static void call_tool(struct provider *p, struct json_object *item)
{
    struct oa *o = oa_of(p);
    struct str id = jg_str(item, "call_id");
    if (!str_eqz(jg_str(item, "type"), "function_call") || !id.len || id.len >= RT_ID_MAX ||
        seen(o, id))
        return;
    o->called = true;
    (void)rt_tool_called(p, jg_str(item, "name"), id, jg_str(item, "arguments"));
}

static void end_item(struct provider *p, struct json_object *item)
{
    struct rt_answer *a = rt_answer_find(p, jg_str(item, "id"));
    if (a)
        rt_answer_end(p, a);
    if (!rt_gone(p) && !str_eqz(jg_str(item, "status"), "incomplete"))
        call_tool(p, item);
}

void oa_on_output_item_done(struct provider *p, struct json_object *o)
{
    end_item(p, jg_obj(o, "item"));
}

/* ---- the end of a response
 * ------------------------------------------------------------------------ */

static void tell_usage(struct provider *p, struct json_object *o, struct json_object *response)
{
    struct json_object *usage = jg_obj(response, "usage");
    if (!usage)
        usage = jg_obj(o, "usage");
    if (!p->h->on_usage || !json_object_is_type(usage, json_type_object))
        return;
    struct json_object *in = jg_obj(usage, "input_token_details");
    struct json_object *out = jg_obj(usage, "output_token_details");
    char text[200];
    (void)snprintf(text, sizeof(text),
                   "input %" PRId64 " tokens (audio %" PRId64 ", cached %" PRId64
                   "), output %" PRId64 " (audio %" PRId64 ")",
                   jg_int(usage, "input_tokens", 0), jg_int(in, "audio_tokens", 0),
                   jg_int(in, "cached_tokens", 0), jg_int(usage, "output_tokens", 0),
                   jg_int(out, "audio_tokens", 0));
    p->h->on_usage(p->arg, text);
}

static void failed(struct provider *p, struct json_object *response)
{
    struct oa *o = oa_of(p);
    struct json_object *error = jg_obj(jg_obj(response, "status_details"), "error");
    struct str code = jg_str(error, "code"), message = jg_str(error, "message");
    bool hopeless = str_eqz(code, "insufficient_quota") || str_eqz(code, "invalid_api_key") ||
                    str_eqz(code, "billing_hard_limit_reached");
    log_warn("ai", &p->log, "response-failed", "provider", p->dialect->name, "code", log_str(code),
             "message", log_str(message), NULL);
    if (++o->failures >= FAILURES_MAX || hopeless || o->voiced) {
        enum va_err why = hopeless                               ? VA_EAUTH
                          : str_eqz(code, "rate_limit_exceeded") ? VA_ELIMIT
                                                                 : VA_EIO;
        rt_fault(p, why, false, "%s could not answer: %.*s %.*s", p->dialect->name, STR_ARG(code),
                 STR_ARG(message));
        return;
    }
    if (o->want == OA_WANT_NONE) {
        o->want = o->running; /* its text is still there */
        o->want_flags = o->running_flags;
    }
}

/* A response that was over without a word: the call waits for an answer, so it gets an empty one.
 */
static void answer_empty(struct provider *p, struct str id)
{
    struct oa *o = oa_of(p);
    p->next_flags = o->running_flags;
    struct rt_answer *a = rt_answer_begin(p, id, id);
    if (a)
        rt_answer_end(p, a);
}

static void end_answers(struct provider *p, bool cut)
{
    const struct oa *o = oa_of(p);
    for (uint32_t i = 1; i <= RT_ANSWERS_MAX && !rt_gone(p); i++) { /* oldest first */
        struct rt_answer *a = &p->answer[(p->last_answer + i) % RT_ANSWERS_MAX];
        if (!a->id || a->state != RT_ANSWER_OPEN || strcmp(a->response, o->response_id) != 0)
            continue;
        if (cut)
            rt_answer_cut(p, a);
        else
            rt_answer_end(p, a);
    }
}

static void erase_unheard(struct provider *p)
{
    struct oa *o = oa_of(p);
    if (!*o->erase)
        return;
    oa_delete_item(p, o->erase);
    o->erase[0] = 0;
}

static void settle(struct provider *p, struct json_object *o, struct str status)
{
    struct oa *state = oa_of(p);
    struct json_object *response = jg_obj(o, "response");
    struct str id = jg_str(response, "id");
    bool cancelled = state->response == OA_CANCELLING || str_eqz(status, "cancelled");
    oa_response_set(p, OA_IDLE);
    end_answers(p, cancelled);
    struct json_object *output = jg_obj(response, "output");
    size_t n = json_object_is_type(output, json_type_array) ? json_object_array_length(output) : 0;
    for (size_t i = 0; i < n && !cancelled && !rt_gone(p); i++)
        call_tool(p, json_object_array_get_idx(output, i));
    if (rt_gone(p))
        return;
    if (str_eqz(status, "failed"))
        failed(p, response);
    else if (!cancelled && !state->voiced && !state->called)
        answer_empty(p, id);
}

void oa_on_response_done(struct provider *p, struct json_object *o)
{
    struct oa *state = oa_of(p);
    struct json_object *response = jg_obj(o, "response");
    struct str id = jg_str(response, "id");
    if (state->response == OA_IDLE || (*state->response_id && !str_eqz(id, state->response_id)))
        return; /* of one that is forgotten */
    tell_usage(p, o, response);
    if (!rt_gone(p))
        settle(p, o, jg_str(response, "status"));
    if (!rt_gone(p))
        erase_unheard(p);
    oa_pump(p);
}
