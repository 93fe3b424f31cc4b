/* Chat completions: OpenAI, llama.cpp, Ollama, vLLM, LocalAI, Groq, … */
#include "ai/brief.h"
#include "ai/pipeline/llm_stream.h"

#define OPENAI_BASE  "https://api.openai.com/v1"
#define OPENAI_MODEL "gpt-4o-mini"

static enum va_err check(const struct stage_cfg *cfg, struct va_fault *fault)
{
    const struct settings *s = cfg->settings;
    char url[STAGE_URL_MAX];
    if (stage_url(url, s->llm_base_url, OPENAI_BASE, "/chat/completions"))
        return va_fault_set(fault, VA_ECONFIG, "LLM_BASE_URL is too long");
    if (!*s->llm_base_url && !*stage_openai_key(s, s->llm_api_key, s->llm_base_url))
        return va_fault_set(
            fault, VA_ECONFIG,
            "LLM_API_KEY (or OPENAI_API_KEY) is empty; set it, or LLM_BASE_URL to a "
            "server of your own, for example http://localhost:11434/v1");
    if (*s->llm_base_url && !*s->llm_model)
        return va_fault_set(fault, VA_ECONFIG,
                            "LLM_MODEL is empty; set the name of a model that LLM_BASE_URL serves");
    return VA_OK;
}

static void write_call(struct json_writer *w, const struct llm_tool *t)
{
    jw_array(w, "tool_calls");
    jw_object(w, NULL);
    jw_text(w, "id", *t->id ? t->id : "call_1");
    jw_text(w, "type", "function");
    jw_object(w, "function");
    jw_text(w, "name", t->name);
    jw_text(w, "arguments", *t->arguments ? t->arguments : "{}");
    jw_end(w);
    jw_end(w);
    jw_end(w);
}

static void write_message(void *arg, enum llm_role role, const char *text,
                          const struct llm_tool *tool)
{
    struct json_writer *w = arg;
    jw_object(w, NULL);
    jw_text(w, "role", role == LLM_USER ? "user" : "assistant");
    jw_text(w, "content", text);
    if (tool)
        write_call(w, tool);
    jw_end(w);
    if (!tool)
        return;
    jw_object(w, NULL);
    jw_text(w, "role", "tool");
    jw_text(w, "tool_call_id", *tool->id ? tool->id : "call_1");
    jw_text(w, "content", tool->result);
    jw_end(w);
}

static void write_tools(struct json_writer *w, const struct secretary *s)
{
    const struct brief_tool *t;
    jw_array(w, "tools");
    for (size_t i = 0; (t = brief_tool_at(s, i)); i++) {
        jw_object(w, NULL);
        jw_text(w, "type", "function");
        jw_object(w, "function");
        jw_text(w, "name", t->name);
        jw_text(w, "description", t->description);
        brief_tool_schema(w, "parameters", s, t, false);
        jw_end(w);
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
    jw_text(&w, "model", *cfg->settings->llm_model ? cfg->settings->llm_model : OPENAI_MODEL);
    jw_array(&w, "messages");
    jw_object(&w, NULL);
    jw_text(&w, "role", "system");
    jw_text(&w, "content", q->system);
    jw_end(&w);
    llm_each_message(q, write_message, &w);
    jw_end(&w);
    jw_bool(&w, "stream", true);
    jw_object(&w, "stream_options");
    jw_bool(&w, "include_usage", true);
    jw_end(&w);
    if (q->tools)
        write_tools(&w, cfg->secretary);
    jw_end(&w);
    return jw_finish(&w);
}

static enum va_err ask(const struct stage_cfg *cfg, const struct llm_question *q,
                       const struct llm_handlers *h, void *arg, struct llm **ret_llm)
{
    const struct settings *s = cfg->settings;
    char url[STAGE_URL_MAX], bearer[SETTING_TEXT_MAX + 8];
    struct http_header headers[2];
    struct buf body;
    buf_init(&body, STAGE_REQUEST_MAX);
    enum va_err err = stage_url(url, s->llm_base_url, OPENAI_BASE, "/chat/completions");
    if (!err)
        err = write_request(cfg, q, &body);
    if (!err) {
        size_t n = stage_bearer(headers, stage_openai_key(s, s->llm_api_key, s->llm_base_url),
                                bearer, sizeof(bearer));
        struct http_spec spec = {
            .url = url, .headers = headers, .header_count = n, .body = buf_str(&body)};
        err = llm_stream_ask(cfg, &spec, answer_chat, h, arg, ret_llm);
    }
    explicit_bzero(bearer, sizeof(bearer));
    buf_free(&body);
    return err;
}

const struct llm_ops llm_openai = {
    .name = "openai", .check = check, .ask = ask, .cancel = llm_stream_cancel};
