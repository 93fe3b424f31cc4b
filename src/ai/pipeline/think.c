/* Asking the model: what it is told, what it wants done, and what to do when it does not answer. */
#include "ai/brief.h"
#include "ai/pipeline/pipeline_int.h"

#include <stdio.h>
#include <stdlib.h>

enum { SYSTEM_MAX = 262144, OPENING_MAX = 4096, LISTENING_MAX = 2048 };

static const struct llm_handlers llm_handlers;

/* The embedded ear knows some phrases; the model had better ask for one of them. */
static void add_listening(struct provider *p)
{
    if (p->stt_ops != &stt_embedded)
        return;
    (void)buf_addz(&p->system, "\nYou can understand only these words of the caller: yes, no, "
                               "message, goodbye, the destinations and the topics above. Ask so "
                               "that one of them is the answer.\n");
}

enum va_err think_open(struct provider *p)
{
    buf_init(&p->system, SYSTEM_MAX);
    buf_init(&p->opening, OPENING_MAX);
    p->used = (struct llm_usage){0, 0};
    (void)brief_prompt_add(&p->system, p->cfg.secretary);
    add_listening(p);
    (void)brief_call_add(&p->opening, p->record);
    if (!p->opening.len)
        (void)buf_addz(&p->opening, "[The telephone rings and you answer.]");
    return buf_failed(&p->system) ? p->system.err : p->opening.err;
}

static void drop_wish(struct provider *p)
{
    free(p->wish.arguments);
    p->wish = (struct wish){.state = WISH_NONE};
}

static void ask(struct provider *p)
{
    const struct llm_tool tool = {p->wish.id, p->wish.name,
                                  p->wish.arguments ? p->wish.arguments : "{}", p->wish.result};
    const struct llm_question q = {.system = buf_z(&p->system),
                                   .opening = buf_z(&p->opening),
                                   .history = p->history,
                                   .tool = p->wish.state == WISH_ANSWERED ? &tool : NULL,
                                   .note = p->note,
                                   .tools = !p->no_tools};
    p->rounds++;
    speak_begin(p, 0);
    if (pipeline_gone(p))
        return;
    enum va_err err = p->llm_ops->ask(&p->cfg, &q, &llm_handlers, p, &p->llm);
    if (err)
        pipeline_fail(p, err, "LLM: the conversation could not be sent: %s", va_err_text(err));
    if (p->wish.state == WISH_ANSWERED)
        drop_wish(p);
}

static void ask_again(void *arg)
{
    ask(arg);
}

void think_cancel(struct provider *p)
{
    p->llm_ops->cancel(&p->llm);
    tmr_stop(&p->retry);
    if (p->wish.state == WISH_WANTED)
        drop_wish(p);
}

void think_ask(struct provider *p, const char *note)
{
    if (pipeline_gone(p))
        return;
    think_cancel(p);
    free(p->note);
    p->note = note ? str_dup(str_of(note)) : NULL;
    p->rounds = 0;
    ask(p);
}

void think_close(struct provider *p)
{
    think_cancel(p);
    drop_wish(p);
    free(p->note);
    p->note = NULL;
    buf_free(&p->system);
    buf_free(&p->opening);
}

/* ---- tools -------------------------------------------------------------------------------------
 */

/* What the model wants, or why it cannot have it. */
static const char *judge(struct provider *p, const struct llm_tool *t, struct wish *ret)
{
    struct tool_call call;
    const char *why =
        brief_tool_read(p->cfg.secretary, str_of(t->name), str_of(t->arguments), &call);
    if (!why) {
        ret->kind = call.kind;
        ret->destination = call.destination;
    }
    return why;
}

static void on_tool(void *arg, const struct llm_tool *t)
{
    struct provider *p = arg;
    if (p->wish.state != WISH_NONE) {
        log_info("ai", &p->log, "tool-refused", "tool", t->name, "why", "one at a time", NULL);
        return;
    }
    p->wish.result = judge(p, t, &p->wish);
    p->wish.state = p->wish.result ? WISH_ANSWERED : WISH_WANTED;
    (void)str_copy(p->wish.id, sizeof(p->wish.id), str_of(t->id));
    (void)str_copy(p->wish.name, sizeof(p->wish.name), str_of(t->name));
    p->wish.arguments = str_dup(str_of(*t->arguments ? t->arguments : "{}"));
    if (p->wish.result)
        log_info("ai", &p->log, "tool-refused", "tool", t->name, "why", p->wish.result, NULL);
}

/* A model that says nothing with its tool leaves the caller without a word. */
static void say_for_tool(struct provider *p)
{
    static const enum prompt prompts[] = {[TOOL_TRANSFER] = PROMPT_TRANSFERRING,
                                          [TOOL_TAKE_MESSAGE] = PROMPT_MESSAGE_START,
                                          [TOOL_END_CALL] = PROMPT_FAREWELL};
    struct buf text;
    buf_init(&text, STAGE_TEXT_MAX);
    p->flags |= ANSWER_PROTECTED;
    if (prompt_add(&text, p->cfg.secretary, prompts[p->wish.kind], p->wish.destination) == VA_OK)
        speak_text(p, buf_str(&text));
    buf_free(&text);
}

void think_run_tool(struct provider *p)
{
    if (p->wish.state == WISH_ANSWERED && p->rounds < THINK_ROUNDS_MAX)
        ask(p); /* it told the caller of something it cannot do */
    if (p->wish.state != WISH_WANTED)
        return;
    p->wish.state = WISH_RUNNING;
    const struct tool_call call = {++p->tool_id, p->wish.kind, p->wish.destination};
    p->h->on_tool(p->arg, &call);
}

void think_result(struct provider *p, uint32_t tool_id, enum va_err result)
{
    if (tool_id != p->tool_id || p->wish.state != WISH_RUNNING || pipeline_gone(p))
        return;
    if (!brief_tool_result_told(p->wish.kind, result)) {
        drop_wish(p);
        return;
    }
    p->wish.result = brief_tool_result(p->wish.kind, result);
    p->wish.state = WISH_ANSWERED;
    think_ask(p, NULL);
}

/* ---- the answer --------------------------------------------------------------------------------
 */

static void on_text(void *arg, struct str delta)
{
    speak_text(arg, delta);
}

static void count(struct provider *p, const struct llm_usage *u)
{
    char text[96];
    if (u->input_tokens < 0 && u->output_tokens < 0)
        return;
    p->used.input_tokens += u->input_tokens > 0 ? u->input_tokens : 0;
    p->used.output_tokens += u->output_tokens > 0 ? u->output_tokens : 0;
    (void)snprintf(text, sizeof(text), "LLM input %lld tokens, output %lld tokens",
                   (long long)p->used.input_tokens, (long long)p->used.output_tokens);
    if (p->h->on_usage)
        p->h->on_usage(p->arg, text);
}

/* Of this answer; a sentence may not be complete yet. */
static bool said_something(const struct provider *p)
{
    return speak_has_words(p) || str_trim(buf_str(&p->cutter.text)).len > 0;
}

static void on_done(void *arg, const struct llm_usage *usage)
{
    struct provider *p = arg;
    p->llm = NULL;
    count(p, usage);
    if (pipeline_gone(p))
        return;
    bool tool = p->wish.state == WISH_WANTED;
    if (tool && !said_something(p))
        say_for_tool(p);
    speak_end(p);
    if (speak_has_words(p))
        return;
    speak_drop(p, false);
    if (p->rounds >= THINK_ROUNDS_MAX)
        pipeline_fail(p, VA_EPROTO, "LLM: the model answers nothing; check LLM_MODEL");
    else
        tmr_start(&p->retry, p->cfg.loop, 0, ask_again, p);
}

static bool worth_another_try(struct provider *p, const struct stage_fault *fault)
{
    if (p->rounds >= THINK_ROUNDS_MAX || speak_has_words(p))
        return false;
    if (fault->err == VA_EINVAL && !p->no_tools && strstr(fault->text, "tool")) {
        log_warn("ai", &p->log, "no-tools", "cause", fault->text, "fix",
                 "choose a model that can use tools: it can transfer nobody", NULL);
        p->no_tools = true;
        tmr_start(&p->retry, p->cfg.loop, 0, ask_again, p);
        return true;
    }
    if ((fault->err != VA_ELIMIT && fault->err != VA_EAGAIN) || fault->retry_after_ms < 0 ||
        fault->retry_after_ms > THINK_WAIT_MAX_MS)
        return false;
    tmr_start(&p->retry, p->cfg.loop, (uint64_t)fault->retry_after_ms, ask_again, p);
    return true;
}

static void on_failed(void *arg, const struct stage_fault *fault)
{
    struct provider *p = arg;
    p->llm = NULL;
    if (!pipeline_gone(p) && !worth_another_try(p, fault))
        pipeline_fail(p, fault->err, "%s", fault->text);
}

static const struct llm_handlers llm_handlers = {on_text, on_tool, on_done, on_failed};
