/* Chunks of chat completions. */
#include "ai/pipeline/answer.h"

#include <json-c/json.h>

static int64_t number(struct json_object *o, const char *key)
{
    struct json_object *n = stage_json_get(o, key);
    return json_object_is_type(n, json_type_int) ? json_object_get_int64(n) : -1;
}

static void take_content(struct answer *a, struct json_object *message)
{
    struct json_object *content = stage_json_get(message, "content");
    if (json_object_is_type(content, json_type_string)) {
        answer_text(a, stage_json_str(message, "content"));
        return;
    }
    size_t n =
        json_object_is_type(content, json_type_array) ? json_object_array_length(content) : 0;
    for (size_t i = 0; i < n; i++) {
        struct json_object *part = json_object_array_get_idx(content, i);
        if (str_eqz(stage_json_str(part, "type"), "text"))
            answer_text(a, stage_json_str(part, "text"));
    }
}

static void take_arguments(struct answer_tool *t, struct json_object *function)
{
    struct json_object *arguments = stage_json_get(function, "arguments");
    if (json_object_is_type(arguments, json_type_string))
        (void)buf_adds(&t->arguments, stage_json_str(function, "arguments"));
    else if (json_object_is_type(arguments, json_type_object))
        (void)buf_addz(&t->arguments, json_object_to_json_string(arguments));
}

static void take_call(struct answer *a, struct json_object *call)
{
    struct json_object *function = stage_json_get(call, "function");
    struct str id = stage_json_str(call, "id"), name = stage_json_str(function, "name");
    struct answer_tool *t = answer_tool_at(a, number(call, "index"), id);
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
    struct json_object *message = stage_json_get(choice, "delta");
    if (!message)
        message = stage_json_get(choice, "message");
    take_content(a, message);
    struct json_object *calls = stage_json_get(message, "tool_calls");
    size_t n = json_object_is_type(calls, json_type_array) ? json_object_array_length(calls) : 0;
    for (size_t i = 0; i < n; i++)
        take_call(a, json_object_array_get_idx(calls, i));
}

static void take_usage(struct answer *a, struct json_object *usage)
{
    if (!json_object_is_type(usage, json_type_object))
        return;
    a->usage.input_tokens = number(usage, "prompt_tokens");
    a->usage.output_tokens = number(usage, "completion_tokens");
}

bool answer_chat(struct answer *a, const struct sse_event *event)
{
    if (str_eqz(str_trim(event->data), "[DONE]")) {
        a->over = true;
        return false;
    }
    struct json_object *root = stage_json(event->data);
    struct json_object *error = stage_json_get(root, "error");
    struct json_object *choices = stage_json_get(root, "choices");
    if (!root)
        a->odd = true;
    else if (error && !json_object_is_type(error, json_type_null))
        answer_error(a, stage_json_str(error, "type"), event->data);
    else if (json_object_is_type(choices, json_type_array) && json_object_array_length(choices))
        take_choice(a, json_object_array_get_idx(choices, 0));
    take_usage(a, stage_json_get(root, "usage"));
    json_object_put(root);
    return !a->over;
}
