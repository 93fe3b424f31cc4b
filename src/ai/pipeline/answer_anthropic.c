/* Events of Anthropic's messages. */
#include "ai/json_get.h"
#include "ai/pipeline/answer.h"

static void block_start(struct answer *a, struct json_object *root)
{
    struct json_object *block = jg_obj(root, "content_block");
    struct str type = jg_str(block, "type");
    if (str_eqz(type, "text")) {
        answer_text(a, jg_str(block, "text"));
    } else if (str_eqz(type, "tool_use")) {
        struct str id = jg_str(block, "id"), name = jg_str(block, "name");
        struct answer_tool *t = answer_tool_at(a, jg_int(root, "index", -1), id);
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
    struct json_object *delta = jg_obj(root, "delta");
    struct str type = jg_str(delta, "type");
    if (str_eqz(type, "text_delta")) {
        answer_text(a, jg_str(delta, "text"));
    } else if (str_eqz(type, "input_json_delta")) {
        struct answer_tool *t = answer_tool_at(a, jg_int(root, "index", -1), str_make("", 0));
        if (t)
            (void)buf_adds(&t->arguments, jg_str(delta, "partial_json"));
    } /* thinking_delta, signature_delta: not spoken */
}

static void take_usage(struct answer *a, struct json_object *usage)
{
    if (jg_int(usage, "input_tokens", -1) >= 0)
        a->usage.input_tokens = jg_int(usage, "input_tokens", -1);
    if (jg_int(usage, "output_tokens", -1) >= 0)
        a->usage.output_tokens = jg_int(usage, "output_tokens", -1);
}

bool answer_anthropic(struct answer *a, const struct sse_event *event)
{
    struct json_object *root = jg_parse(event->data);
    struct str type = jg_str(root, "type");
    if (!root)
        a->odd = true;
    else if (str_eqz(type, "content_block_start"))
        block_start(a, root);
    else if (str_eqz(type, "content_block_delta"))
        block_delta(a, root);
    else if (str_eqz(type, "message_start"))
        take_usage(a, jg_obj(jg_obj(root, "message"), "usage"));
    else if (str_eqz(type, "message_delta"))
        take_usage(a, jg_obj(root, "usage"));
    else if (str_eqz(type, "message_stop"))
        a->over = true;
    else if (str_eqz(type, "error"))
        answer_error(a, jg_str(jg_obj(root, "error"), "type"), event->data);
    json_object_put(root);
    return !a->over;
}
