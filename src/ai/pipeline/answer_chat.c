/* Chunks of chat completions. */
#include "ai/json_get.h"
#include "ai/pipeline/answer.h"

static void take_content(struct answer *a, struct json_object *message)
{
    struct json_object *content = jg_obj(message, "content");
    if (json_object_is_type(content, json_type_string)) {
        answer_text(a, jg_str(message, "content"));
        return;
    }
    for (size_t i = 0; i < jg_count(content); i++) {
        struct json_object *part = jg_at(content, i);
        if (str_eqz(jg_str(part, "type"), "text"))
            answer_text(a, jg_str(part, "text"));
    }
}

static void take_arguments(struct answer_tool *t, struct json_object *function)
{
    struct json_object *arguments = jg_obj(function, "arguments");
    if (json_object_is_type(arguments, json_type_string))
        (void)buf_adds(&t->arguments, jg_str(function, "arguments"));
    else if (json_object_is_type(arguments, json_type_object))
        (void)buf_addz(&t->arguments, json_object_to_json_string(arguments));
}

static void take_call(struct answer *a, struct json_object *call)
{
    struct json_object *function = jg_obj(call, "function");
    struct str id = jg_str(call, "id"), name = jg_str(function, "name");
    struct answer_tool *t = answer_tool_at(a, jg_int(call, "index", -1), id);
    if (!t || id.len >= LLM_ID_MAX || name.len >= LLM_NAME_MAX) {
        a->odd = true;
        return;
    }
    if (id.len)
        (void)str_copy(t->id, sizeof(t->id), id);
    if (name.len)
        (void)str_copy(t->name, sizeof(t->name), name);
    take_arguments(t, function);
}

static void take_choice(struct answer *a, struct json_object *choice)
{
    struct json_object *message = jg_obj(choice, "delta");
    if (!message)
        message = jg_obj(choice, "message");
    take_content(a, message);
    struct json_object *calls = jg_obj(message, "tool_calls");
    for (size_t i = 0; i < jg_count(calls); i++)
        take_call(a, jg_at(calls, i));
}

static void take_usage(struct answer *a, struct json_object *usage)
{
    if (!json_object_is_type(usage, json_type_object))
        return;
    a->usage.input_tokens = jg_int(usage, "prompt_tokens", -1);
    a->usage.output_tokens = jg_int(usage, "completion_tokens", -1);
}

bool answer_chat(struct answer *a, const struct sse_event *event)
{
    if (str_eqz(str_trim(event->data), "[DONE]")) {
        a->over = true;
        return false;
    }
    struct json_object *root = jg_parse(event->data);
    struct json_object *error = jg_obj(root, "error");
    struct json_object *choices = jg_obj(root, "choices");
    if (!root)
        a->odd = true;
    else if (error && !json_object_is_type(error, json_type_null))
        answer_error(a, jg_str(error, "type"), event->data);
    else if (jg_count(choices))
        take_choice(a, jg_at(choices, 0));
    take_usage(a, jg_obj(root, "usage"));
    json_object_put(root);
    return !a->over;
}
