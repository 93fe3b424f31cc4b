/* The list, and a conversation as messages. */
#include "ai/pipeline/llm.h"

static const struct llm_ops *const list[] = {&llm_openai, &llm_anthropic};

const struct llm_ops *llm_find(const char *name)
{
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        if (strcmp(list[i]->name, name) == 0)
            return list[i];
    return NULL;
}

enum { MESSAGE_MAX = HISTORY_BYTES_MAX + STAGE_TEXT_MAX };

struct joiner {
    void (*each)(void *arg, enum llm_role role, const char *text, const struct llm_tool *tool_call);
    void *arg;
    enum llm_role role;
    struct buf text;
};

static void flush(struct joiner *j, const struct llm_tool *tool_call)
{
    if (j->text.len || tool_call)
        j->each(j->arg, j->role, buf_z(&j->text), tool_call);
    buf_reset(&j->text);
}

static void add(struct joiner *j, enum llm_role role, const char *text)
{
    if (!text || !*text)
        return;
    if (role != j->role)
        flush(j, NULL);
    j->role = role;
    if (j->text.len)
        (void)buf_addc(&j->text, '\n');
    (void)buf_addz(&j->text, text);
}

static void add_line(struct joiner *j, struct history_line line)
{
    if (line.speaker == SPEAKER_CALLER)
        add(j, LLM_USER, line.text);
    else if (line.speaker == SPEAKER_AGENT)
        add(j, LLM_ASSISTANT, line.text);
}

void llm_each_message(const struct llm_question *q,
                      void (*each)(void *arg, enum llm_role role, const char *text,
                                   const struct llm_tool *tool_call),
                      void *arg)
{
    struct joiner j = {.each = each, .arg = arg, .role = LLM_USER};
    buf_init(&j.text, MESSAGE_MAX);
    add(&j, LLM_USER, q->opening);
    for (size_t i = 0; i < history_count(q->history); i++)
        add_line(&j, history_at(q->history, i));
    if (q->tool) {
        if (j.role == LLM_USER)
            flush(&j, NULL);
        j.role = LLM_ASSISTANT;
        flush(&j, q->tool);
        j.role = LLM_USER;
    }
    add(&j, LLM_USER, q->note);
    flush(&j, NULL);
    buf_free(&j.text);
}
