/* What we ask of the server. */
#include "ai/realtime/openai/openai.h"
#include "base/base64.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const char *oa_message(struct provider *p, struct json_writer *w, const char *type)
{
    struct oa *o = oa_of(p);
    static _Thread_local char id[OA_EVENT_ID_MAX];
    (void)snprintf(id, sizeof(id), "c%u", ++o->next_event);
    rt_message(p, w);
    jw_text(w, "event_id", id);
    jw_text(w, "type", type);
    return id;
}

/* The one message that is sent 50 times a second: no writer, no copy but the base64 itself. */
void oa_audio(struct provider *p, struct str bytes)
{
    static const struct str head = STR_LIT("{\"type\":\"input_audio_buffer.append\",\"audio\":\"");
    static const struct str tail = STR_LIT("\"}");
    buf_reset(&p->out);
    if (buf_reserve(&p->out, base64_encoded_len(bytes.len)))
        return;
    p->out.len = base64_encode(bytes.p, bytes.len, p->out.p);
    struct str parts[3] = {head, buf_str(&p->out), tail};
    rt_send_audio(p, WS_TEXT, parts, 3);
}

/* ---- responses
 * ----------------------------------------------------------------------------------- */

void oa_response_set(struct provider *p, enum oa_response to)
{
    static const char *const names[] = {"idle", "asked", "active", "cancelling"};
    struct oa *o = oa_of(p);
    log_debug("ai", &p->log, "response", "from", names[o->response], "to", names[to], NULL);
    o->response = to;
}

/* Its instructions replace the session's, so the prompt goes before what is to be said. */
static void write_instructions(struct json_writer *w, struct provider *p, const char *text)
{
    struct buf prompt;
    buf_init(&prompt, RT_PROMPT_MAX);
    (void)brief_prompt_add(&prompt, p->secretary);
    (void)buf_addf(&prompt, "\n%s", text);
    jw_object(w, "response");
    jw_text(w, "instructions", buf_z(&prompt));
    jw_text(w, "tool_choice", "none");
    jw_end(w);
    buf_free(&prompt);
}

static void create(struct provider *p)
{
    struct oa *o = oa_of(p);
    struct json_writer w;
    (void)str_copy(o->create_id, sizeof(o->create_id),
                   str_of(oa_message(p, &w, "response.create")));
    if (o->want == OA_WANT_SAY && o->want_text)
        write_instructions(&w, p, o->want_text);
    o->running = o->want;
    o->running_flags = o->want_flags;
    o->voiced = o->called = o->again = false;
    o->response_id[0] = 0;
    o->want = OA_WANT_NONE;
    o->want_flags = 0;
    oa_response_set(p, OA_ASKED);
    rt_send(p, &w);
}

void oa_pump(struct provider *p)
{
    struct oa *o = oa_of(p);
    if (!rt_gone(p) && o->want != OA_WANT_NONE && o->response == OA_IDLE && rt_tools_settled(p))
        create(p);
}

/* Something to say is not pushed out by a turn: the goodbye stays one. */
void oa_want(struct provider *p, enum oa_want what)
{
    struct oa *o = oa_of(p);
    if (!(what == OA_WANT_TURN && o->want == OA_WANT_SAY))
        o->want = what;
    oa_pump(p);
}

void oa_say(struct provider *p, enum say_intent intent, const char *text)
{
    struct oa *o = oa_of(p);
    unsigned flags = rt_take_flags(p);
    if (intent == SAY_ANSWER) {
        oa_want(p, OA_WANT_TURN);
        return;
    }
    char *copy = str_dup(str_of(text));
    if (!copy) {
        rt_fault(p, VA_ENOMEM, false, "out of memory");
        return;
    }
    free(o->want_text);
    o->want_text = copy;
    o->want_flags = flags;
    oa_want(p, OA_WANT_SAY);
}

void oa_cancel(struct provider *p)
{
    struct oa *o = oa_of(p);
    struct json_writer w;
    if (o->response != OA_ASKED && o->response != OA_ACTIVE)
        return;
    (void)oa_message(p, &w, "response.cancel");
    if (*o->response_id)
        jw_text(&w, "response_id", o->response_id);
    oa_response_set(p, OA_CANCELLING);
    rt_send(p, &w);
}

/* ---- items
 * --------------------------------------------------------------------------------------- */

void oa_delete_item(struct provider *p, const char *item)
{
    struct json_writer w;
    (void)oa_message(p, &w, "conversation.item.delete");
    jw_text(&w, "item_id", item);
    rt_send(p, &w);
}

static void truncate_item(struct provider *p, const struct rt_answer *a, uint32_t heard_ms)
{
    struct json_writer w;
    (void)oa_message(p, &w, "conversation.item.truncate");
    jw_text(&w, "item_id", a->item);
    jw_int(&w, "content_index", 0);
    jw_int(&w, "audio_end_ms", heard_ms);
    rt_send(p, &w);
}

/*
 * The server sends faster than it is heard, so it is told what was heard. An answer of which
 * nothing was heard is deleted, for cutting it to nothing leaves its item; but only when its
 * response is over, as an item cannot be deleted while it grows.
 */
void oa_interrupt(struct provider *p, const struct rt_answer *a, uint32_t heard_ms)
{
    struct oa *o = oa_of(p);
    bool running = o->response != OA_IDLE && strcmp(a->response, o->response_id) == 0;
    uint64_t got_ms = a->samples * 1000 / (uint64_t)p->rate_hz;
    bool whole = a->state == RT_ANSWER_DONE && heard_ms >= got_ms;
    if (o->quirks->truncates && !whole) {
        if (heard_ms)
            truncate_item(p, a, heard_ms);
        else if (running)
            (void)str_copy(o->erase, sizeof(o->erase), str_of(a->item));
        else
            oa_delete_item(p, a->item);
    }
    if (running && !rt_gone(p))
        oa_cancel(p);
}

void oa_tool_result(struct provider *p, const struct rt_tool *tool, const char *json, bool answer)
{
    struct json_writer w;
    (void)oa_message(p, &w, "conversation.item.create");
    jw_object(&w, "item");
    jw_text(&w, "type", "function_call_output");
    jw_text(&w, "call_id", tool->remote);
    jw_text(&w, "output", json);
    jw_end(&w);
    rt_send(p, &w);
    if (!rt_gone(p) && answer)
        oa_want(p, OA_WANT_TURN);
    else
        oa_pump(p);
}

/* ---- turns
 * --------------------------------------------------------------------------------------- */

void oa_turn_over(struct provider *p, bool speech)
{
    struct oa *o = oa_of(p);
    if (speech) {
        if (!o->quirks->server_answers)
            oa_want(p, OA_WANT_TURN);
        return;
    }
    (void)str_copy(o->noise, sizeof(o->noise), str_of(p->turn.item));
    if (*o->noise)
        oa_delete_item(p, o->noise);
    if (o->again && !rt_gone(p)) {
        o->again = false;
        oa_want(p, OA_WANT_TURN);
    }
}
