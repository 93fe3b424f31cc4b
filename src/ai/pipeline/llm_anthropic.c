/* Anthropic's messages; llama-server has them, too. */
#include "ai/pipeline/brief.h"
#include "ai/pipeline/llm_stream.h"

#include <json-c/json.h>

#define ANTHROPIC_BASE  "https://api.anthropic.com"
#define ANTHROPIC_MODEL "claude-haiku-4-5"

enum { MAX_TOKENS = 1024 /* more than anybody says in one breath */ };

static enum va_err check(const struct stage_cfg *cfg, struct va_fault *fault)
{
    const struct settings *s = cfg->settings;
    char url[STAGE_URL_MAX];
    if (stage_url(url, s->llm_base_url, ANTHROPIC_BASE, "/v1/messages"))
        return va_fault_set(fault, VA_ECONFIG, "LLM_BASE_URL is too long");
    if (!*s->llm_base_url && !*s->anthropic_api_key && !*s->llm_api_key)
        return va_fault_set(fault, VA_ECONFIG,
                            "ANTHROPIC_API_KEY is empty; set the key of "
                            "console.anthropic.com");
    return VA_OK;
}

/* The arguments are the model's: JSON again, or nothing. */
static void write_input(struct json_writer *w, const char *arguments)
{
    struct json_object *o = stage_json(str_of(arguments));
    jw_object(w, "input");
    if (o) {
        json_object_object_foreach(o, key, value)
        {
            if (strcmp(key, "destination") == 0 && json_object_is_type(value, json_type_string))
                jw_text(w, "destination", json_object_get_string(value));
        }
    }
    jw_end(w);
    json_object_put(o);
}

static void write_call(struct json_writer *w, const struct llm_tool *t)
{
    jw_object(w, NULL);
    jw_text(w, "type", "tool_use");
    jw_text(w, "id", t->id);
    jw_text(w, "name", t->name);
    write_input(w, t->arguments);
    jw_end(w);
}

/* A tool's result opens a message of the user's, and a note behind it is a part of the same one:
 * roles alternate. */
struct messages {
    struct json_writer *w;
    bool result_open;
};

static void close_result(struct messages *m)
{
    if (m->result_open) {
        jw_end(m->w);
        jw_end(m->w);
    }
    m->result_open = false;
}

static void open_message(struct messages *m, enum llm_role role)
{
    if (role != LLM_USER)
        close_result(m);
    if (m->result_open)
        return;
    jw_object(m->w, NULL);
    jw_text(m->w, "role", role == LLM_USER ? "user" : "assistant");
    jw_array(m->w, "content");
}

static void write_text(struct json_writer *w, const char *text)
{
    jw_object(w, NULL);
    jw_text(w, "type", "text");
    jw_text(w, "text", text);
    jw_end(w);
}

static void write_result(struct messages *m, const struct llm_tool *tool)
{
    open_message(m, LLM_USER);
    jw_object(m->w, NULL);
    jw_text(m->w, "type", "tool_result");
    jw_text(m->w, "tool_use_id", tool->id);
    jw_text(m->w, "content", tool->result);
    jw_end(m->w);
    m->result_open = true;
}

static void write_message(void *arg, enum llm_role role, const char *text,
                          const struct llm_tool *tool)
{
    struct messages *m = arg;
    open_message(m, role);
    if (*text)
        write_text(m->w, text);
    if (tool)
        write_call(m->w, tool);
    if (m->result_open)
        return;
    jw_end(m->w);
    jw_end(m->w);
    if (tool)
        write_result(m, tool);
}

static void write_tools(struct json_writer *w, const struct secretary *s)
{
    struct brief_tool t;
    jw_array(w, "tools");
    for (size_t i = 0; brief_tool_at(s, i, &t); i++) {
        jw_object(w, NULL);
        jw_text(w, "name", t.name);
        jw_text(w, "description", t.description);
        brief_tool_schema(w, "input_schema", s, i);
        jw_end(w);
    }
    jw_end(w);
}

static enum va_err write_request(const struct stage_cfg *cfg, const struct llm_question *q,
                                 struct buf *out)
{
    struct json_writer w;
    jw_begin(&w, out);
    jw_object(&w, NULL);
    jw_text(&w, "model", *cfg->settings->llm_model ? cfg->settings->llm_model : ANTHROPIC_MODEL);
    jw_int(&w, "max_tokens", MAX_TOKENS);
    jw_text(&w, "system", q->system);
    jw_array(&w, "messages");
    struct messages messages = {&w, false};
    llm_each_message(q, write_message, &messages);
    close_result(&messages);
    jw_end(&w);
    jw_bool(&w, "stream", true);
    if (q->tools)
        write_tools(&w, cfg->secretary);
    jw_end(&w);
    return jw_finish(&w);
}

static enum va_err ask(const struct stage_cfg *cfg, const struct llm_question *q,
                       const struct llm_handlers *h, void *arg, struct llm **ret_llm)
{
    const struct settings *s = cfg->settings;
    char url[STAGE_URL_MAX];
    const struct http_header headers[] = {
        {"Content-Type", "application/json", false},
        {"anthropic-version", "2023-06-01", false},
        {"x-api-key", *s->llm_api_key ? s->llm_api_key : s->anthropic_api_key, true}};
    struct buf body;
    buf_init(&body, STAGE_REQUEST_MAX);
    enum va_err err = stage_url(url, s->llm_base_url, ANTHROPIC_BASE, "/v1/messages");
    if (!err)
        err = write_request(cfg, q, &body);
    if (!err) {
        struct http_spec spec = {.url = url,
                                 .headers = headers,
                                 .header_count = *headers[2].value ? 3 : 2,
                                 .body = buf_str(&body)};
        err = llm_stream_ask(cfg, &spec, answer_anthropic, h, arg, ret_llm);
    }
    buf_free(&body);
    return err;
}

const struct llm_ops llm_anthropic = {
    .name = "anthropic", .check = check, .ask = ask, .cancel = llm_stream_cancel};
