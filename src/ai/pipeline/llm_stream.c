#include "ai/pipeline/llm_stream.h"

#include <stdio.h>
#include <stdlib.h>

struct llm {
    const struct llm_handlers *h;
    void *arg;
    bool (*take)(struct answer *a, const struct sse_event *event);
    struct http_request *request;
    struct sse sse;
    struct answer answer;
    bool events;       /* an event stream came, not a document */
    struct buf whole;  /* the document */
    enum va_err broke; /* the stream is no such */
};

void llm_stream_cancel(struct llm **pl)
{
    struct llm *l = pl ? *pl : NULL;
    if (!l)
        return;
    *pl = NULL;
    http_cancel(&l->request);
    sse_free(&l->sse);
    answer_free(&l->answer);
    buf_free(&l->whole);
    free(l);
}

static bool on_event(void *arg, const struct sse_event *event)
{
    struct llm *l = arg;
    return l->take(&l->answer, event);
}

static void fail(struct llm *l, enum va_err err, const char *what)
{
    const struct llm_handlers *h = l->h;
    void *arg = l->arg;
    char text[sizeof(((struct va_fault *)0)->text)];
    (void)snprintf(text, sizeof(text), "LLM: %s%s%s", what, *l->answer.cause ? ": " : "",
                   l->answer.cause);
    llm_stream_cancel(&l);
    const struct stage_fault fault = {err, -1, text};
    h->on_failed(arg, &fault);
}

static void tell_text(struct llm *l)
{
    if (l->answer.text.len)
        l->h->on_text(l->arg, buf_str(&l->answer.text));
    buf_reset(&l->answer.text);
}

static void finish(struct llm *l)
{
    const struct llm_handlers *h = l->h;
    void *arg = l->arg;
    struct llm_usage usage = l->answer.usage;
    tell_text(l);
    for (size_t i = 0; i < LLM_TOOLS_MAX; i++) {
        const struct answer_tool *t = &l->answer.tool[i];
        const struct llm_tool tool = {t->id, t->name, buf_z(&t->arguments), NULL};
        if (t->used)
            h->on_tool(arg, &tool);
    }
    llm_stream_cancel(&l);
    h->on_done(arg, &usage);
}

static void on_head(void *arg, const struct http_head *head)
{
    struct llm *l = arg;
    l->events = str_starts(head->content_type, "text/event-stream") || !head->content_type.len;
}

static void on_body(void *arg, struct str bytes)
{
    struct llm *l = arg;
    if (l->answer.over || l->broke)
        return; /* behind the end */
    if (l->events)
        l->broke = sse_feed(&l->sse, bytes);
    else
        l->broke = buf_adds(&l->whole, bytes);
    if (l->broke == VA_ECANCELED)
        l->broke = VA_OK; /* the answer is over, or an error: on_end tells */
    tell_text(l);
}

static void read_document(struct llm *l)
{
    struct sse_event event = {str_make("", 0), buf_str(&l->whole)};
    if (l->whole.len)
        (void)l->take(&l->answer, &event);
}

static void on_end(void *arg, const struct http_end *end)
{
    struct llm *l = arg;
    l->request = NULL;
    if (!end->err && l->events && !l->answer.over && !l->broke) {
        enum va_err err = sse_end(&l->sse);
        l->broke = err == VA_ECANCELED ? VA_OK : err;
    } else if (!end->err && !l->events) {
        read_document(l);
    }
    answer_end(&l->answer);
    if (l->answer.err) {
        fail(l, l->answer.err, "the server broke off its answer");
    } else if (end->err && !l->answer.over) {
        char text[sizeof(((struct va_fault *)0)->text) + STAGE_CAUSE_MAX];
        const struct stage_fault fault = stage_http_fault("LLM", end, text, sizeof(text));
        const struct llm_handlers *h = l->h;
        void *to = l->arg;
        llm_stream_cancel(&l);
        h->on_failed(to, &fault);
    } else if (l->broke || (l->answer.odd && !l->answer.bytes)) {
        fail(l, l->broke ? l->broke : VA_EPROTO,
             "what the server sends is no stream of chat messages; check base URL and provider");
    } else {
        finish(l);
    }
}

static const struct http_handlers http_handlers = {on_head, on_body, on_end};

enum va_err llm_stream_ask(const struct stage_cfg *cfg, struct http_spec *spec,
                           bool (*take)(struct answer *a, const struct sse_event *event),
                           const struct llm_handlers *h, void *arg, struct llm **ret_llm)
{
    struct llm *l = calloc(1, sizeof(*l));
    if (!l)
        return VA_ENOMEM;
    l->h = h;
    l->arg = arg;
    l->take = take;
    sse_init(&l->sse, on_event, l);
    answer_init(&l->answer);
    buf_init(&l->whole, SSE_EVENT_MAX);
    spec->method = "POST";
    spec->response_max = 4 * SSE_EVENT_MAX;
    stage_deadlines(cfg, spec);
    enum va_err err = http_start(cfg->http, spec, &http_handlers, l, &l->request);
    if (err) {
        llm_stream_cancel(&l);
        return err;
    }
    *ret_llm = l;
    return VA_OK;
}
