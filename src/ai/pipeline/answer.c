#include "ai/pipeline/answer.h"

void answer_init(struct answer *a)
{
    *a = (struct answer){.usage = {-1, -1}};
    buf_init(&a->text, SSE_EVENT_MAX * 2);
    for (size_t i = 0; i < LLM_TOOLS_MAX; i++)
        buf_init(&a->tool[i].arguments, LLM_ARGUMENTS_MAX);
}

void answer_free(struct answer *a)
{
    buf_free(&a->text);
    for (size_t i = 0; i < LLM_TOOLS_MAX; i++)
        buf_free(&a->tool[i].arguments);
}

void answer_text(struct answer *a, struct str delta)
{
    if (a->bytes + delta.len > STAGE_TEXT_MAX) {
        a->over = true; /* nobody listens that long */
        return;
    }
    a->bytes += delta.len;
    (void)reasoning_filter(&a->reasoning, delta, &a->text);
}

void answer_end(struct answer *a)
{
    (void)reasoning_end(&a->reasoning, &a->text);
}

static bool same_call(const struct answer_tool *t, int64_t index, struct str id)
{
    if (!t->used || (index >= 0 && t->index != index))
        return false;
    return !id.len || !*t->id || str_eqz(id, t->id);
}

static struct answer_tool *last_used(struct answer *a)
{
    for (size_t i = LLM_TOOLS_MAX; i-- > 0;)
        if (a->tool[i].used)
            return &a->tool[i];
    return NULL;
}

struct answer_tool *answer_tool_at(struct answer *a, int64_t index, struct str id)
{
    for (size_t i = LLM_TOOLS_MAX; i-- > 0;)
        if (same_call(&a->tool[i], index, id) && (index >= 0 || id.len))
            return &a->tool[i];
    if (index < 0 && !id.len && last_used(a))
        return last_used(a);
    for (size_t i = 0; i < LLM_TOOLS_MAX; i++) {
        struct answer_tool *t = &a->tool[i];
        if (t->used)
            continue;
        t->used = true;
        t->index = index;
        return t;
    }
    return NULL;
}

void answer_error(struct answer *a, struct str kind, struct str body)
{
    a->over = true;
    a->err = str_eqz(kind, "overloaded_error")        ? VA_EAGAIN
             : str_eqz(kind, "rate_limit_error")      ? VA_ELIMIT
             : str_eqz(kind, "rate_limit_exceeded")   ? VA_ELIMIT
             : str_eqz(kind, "authentication_error")  ? VA_EAUTH
             : str_eqz(kind, "permission_error")      ? VA_EAUTH
             : str_eqz(kind, "invalid_request_error") ? VA_EINVAL
                                                      : VA_EIO;
    stage_cause(body, a->cause);
}
