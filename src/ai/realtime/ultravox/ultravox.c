/*
 * Ultravox: a call is made over HTTP, and joined at the URL that comes back. Audio is binary pcm.
 * This file: where, and what we say. call.c: the call that is made. event.c: what it says.
 *
 *     locate: POST /api/calls ─► joinUrl ─► on_open ─► call_started ─► rt_ready
 */
#include "ai/realtime/ultravox/ultravox.h"
#include "ai/realtime/realtime.h"
#include "net/http.h"

#include <stdlib.h>

#define ULTRAVOX_BASE "https://api.ultravox.ai"

static enum va_err make_url(const struct provider *p, char *out, struct va_fault *fault)
{
    const char *base = p->settings->ultravox_base_url;
    return rt_url(out, RT_URL_MAX, "ULTRAVOX_BASE_URL", *base ? base : ULTRAVOX_BASE, "/api/calls",
                  fault);
}

static enum va_err start(struct provider *p, struct va_fault *fault)
{
    char url[RT_URL_MAX];
    if (!*p->settings->ultravox_api_key)
        return va_fault_set(fault, VA_ECONFIG,
                            "ULTRAVOX_API_KEY is not set: AI_PROVIDER=ultravox needs a key of "
                            "app.ultravox.ai");
    enum va_err err = make_url(p, url, fault);
    if (err)
        return err;
    p->dialect_state = calloc(1, sizeof(struct ultravox));
    p->format_in = p->format_out = (struct rt_format){RT_PCM16, p->rate_hz};
    return p->dialect_state ? VA_OK : VA_ENOMEM;
}

static void on_call(struct provider *p, struct str body)
{
    struct json_object *o = jg_parse(body);
    struct str url = jg_str(o, "joinUrl");
    bool fine = (str_starts(url, "wss://") || str_starts(url, "ws://")) &&
                str_copy(p->target.url, RT_URL_MAX, url);
    json_object_put(o);
    if (fine)
        rt_located(p);
    else
        rt_fault(p, VA_EPROTO, false, "ultravox: no joinUrl in its answer");
}

/* A URL is good for one join: a session that was lost is another call, with the history. */
static enum va_err locate(struct provider *p)
{
    char url[RT_URL_MAX];
    struct buf body;
    buf_init(&body, RT_PROMPT_MAX + RT_OUT_MAX);
    enum va_err err = make_url(p, url, NULL);
    if (!err)
        err = uv_write_call(&body, p);
    if (!err) {
        rt_url_http(url);
        const struct http_header headers[] = {{"X-API-Key", p->settings->ultravox_api_key, true},
                                              {"Content-Type", "application/json", false}};
        const struct http_spec spec = {.method = "POST",
                                       .url = url,
                                       .headers = headers,
                                       .header_count = 2,
                                       .body = buf_str(&body)};
        err = rt_fetch(p, &spec, on_call);
    }
    buf_free(&body);
    return err;
}

static void on_open(struct provider *p)
{
    uv(p)->flushed = false; /* call_started follows */
}

static void tell(struct provider *p, const char *text, bool answer)
{
    struct json_writer w;
    if (answer)
        rt_self_asked(p);
    rt_message(p, &w);
    jw_text(&w, "type", "user_text_message");
    jw_text(&w, "text", text);
    jw_text(&w, "urgency", answer ? "immediate" : "later");
    rt_send(p, &w);
}

/* The secretary's own words are spoken as they are. */
static void say(struct provider *p, enum say_intent intent, const char *text)
{
    struct json_writer w;
    struct buf words;
    buf_init(&words, RT_TEXT_MAX);
    if (brief_say_words_add(&words, p->secretary, intent) || !words.len) {
        tell(p, text, true);
    } else {
        rt_self_asked(p);
        rt_message(p, &w);
        jw_text(&w, "type", "forced_agent_message");
        jw_text(&w, "content", buf_z(&words));
        jw_text(&w, "urgency", "immediate");
        jw_bool(&w, "uninterruptible", (p->next_flags & ANSWER_PROTECTED) != 0);
        rt_send(p, &w);
    }
    buf_free(&words);
}

static void tool_result(struct provider *p, const struct rt_tool *tool, const char *json,
                        bool answer)
{
    struct json_writer w;
    rt_message(p, &w);
    jw_text(&w, "type", "client_tool_result");
    jw_text(&w, "invocationId", tool->remote);
    jw_text(&w, "result", json);
    jw_text(&w, "agentReaction", answer ? "speaks" : "listens");
    rt_send(p, &w);
}

static const struct dialect dialect_ultravox = {
    .name = "ultravox",
    .caps = {.detects_turns = true,
             .takes_text = true,
             .resumes = true,
             .formats = "pcm at the line's rate / the same",
             .session_max_s = 3600},
    .self_answers = true,
    .start = start,
    .locate = locate,
    .on_open = on_open,
    .on_text = uv_on_text,
    .on_binary = uv_on_binary,
    .say = say,
    .tell = tell,
    .tool_result = tool_result,
    .interrupt = rt_self_interrupt,
};

RT_PROVIDER(provider_ultravox, "ultravox", "ULTRAVOX_API_KEY", dialect_ultravox);
