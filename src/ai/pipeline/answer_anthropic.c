/* Events of Anthropic's messages. */
#include "ai/pipeline/answer.h"

#include <json-c/json.h>

static int64_t number(struct json_object *o, const char *key)
{
    struct json_object *n = stage_json_get(o, key);
    return json_object_is_type(n, json_type_int) ? json_object_get_int64(n) : -1;
}

static void block_start(struct answer *a, struct json_object *root)
{
    struct json_object *block = stage_json_get(root, "content_block");
    struct str type = stage_json_str(block, "type");
    if (str_eqz(type, "text")) {
        answer_text(a, stage_json_str(block, "text"));
    } else if (str_eqz(type, "tool_use")) {
        struct str id = stage_json_str(block, "id"), name = stage_json_str(block, "name");
        struct answer_tool *t = answer_tool_at(a, number(root, "index"), id);
        if (!t || id.len >= LLM_ID_MAX || name.len >= LLM_NAME_MAX) {
            a->odd = true;
            return;
        }
        (void)str_copy(t->id, sizeof(t->id), id);
        (void)str_copy(t->name, sizeof(t->name), name);
    }
}

static void block_delta(struct answer *a, struct json_object *root)
{
    struct json_object *delta = stage_json_get(root, "delta");
    struct str type = stage_json_str(delta, "type");
    if (str_eqz(type, "text_delta")) {
        answer_text(a, stage_json_str(delta, "text"));
    } else if (str_eqz(type, "input_json_delta")) {
        struct answer_tool *t = answer_tool_at(a, number(root, "index"), str_make("", 0));
        if (t)
            (void)buf_adds(&t->arguments, stage_json_str(delta, "partial_json"));
    } /* thinking_delta, signature_delta: not spoken */
}

static void take_usage(struct answer *a, struct json_object *usage)
{
    if (number(usage, "input_tokens") >= 0)
        a->usage.input_tokens = number(usage, "input_tokens");
    if (number(usage, "output_tokens") >= 0)
        a->usage.output_tokens = number(usage, "output_tokens");
}

bool answer_anthropic(struct answer *a, const struct sse_event *event)
{
    struct json_object *root = stage_json(event->data);
    struct str type = stage_json_str(root, "type");
    if (!root)
        a->odd = true;
    else if (str_eqz(type, "content_block_start"))
        block_start(a, root);
    else if (str_eqz(type, "content_block_delta"))
        block_delta(a, root);
    else if (str_eqz(type, "message_start"))
        take_usage(a, stage_json_get(stage_json_get(root, "message"), "usage"));
    else if (str_eqz(type, "message_delta"))
        take_usage(a, stage_json_get(root, "usage"));
    else if (str_eqz(type, "message_stop"))
        a->over = true;
    else if (str_eqz(type, "error"))
        answer_error(a, stage_json_str(stage_json_get(root, "error"), "type"), event->data);
    json_object_put(root);
    return !a->over;
}
