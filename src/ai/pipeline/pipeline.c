/* The pipeline as a provider: three stages, chosen by settings. */
#include "ai/brief.h"
#include "ai/pipeline/options.h"
#include "ai/pipeline/pipeline_int.h"

#include <stdio.h>
#include <stdlib.h>

static void report_failure(void *arg)
{
    struct provider *p = arg;
    p->h->on_failed(p->arg, p->failed, p->failed_text);
}

void pipeline_fail(struct provider *p, enum va_err why, const char *fmt, ...)
{
    if (pipeline_gone(p))
        return;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(p->failed_text, sizeof(p->failed_text), fmt, ap);
    va_end(ap);
    p->failed = why;
    tmr_start(&p->later, p->cfg.loop, 0, report_failure, p);
}

/* ---- what the call says ------------------------------------------------------------------------
 */

static void audio_in(struct provider *p, const int16_t *samples, size_t count)
{
    if (p->listening && !pipeline_gone(p))
        p->stt_ops->audio(p->stt, samples, count);
}

/* Greeting and "still there?" of one that has no words of its own for them: the attendant's speak
 * of a menu, which is right for its ear alone. */
static bool model_says(const struct provider *p, enum say_intent intent)
{
    const struct secretary *s = p->cfg.secretary;
    if (intent == SAY_GREETING)
        return !*s->greeting && !secretary_prompt(s, "greeting") && p->stt_ops != &stt_embedded;
    if (intent == SAY_STILL_THERE)
        return !secretary_prompt(s, "still-there") && p->stt_ops != &stt_embedded;
    return intent == SAY_ANSWER;
}

static void say(struct provider *p, enum say_intent intent)
{
    static const struct {
        enum prompt prompt;
        unsigned flags;
    } rows[] = {
        [SAY_GREETING] = {PROMPT_GREETING, 0},
        [SAY_STILL_THERE] = {PROMPT_STILL_THERE, 0},
        [SAY_FAREWELL] = {PROMPT_FAREWELL, ANSWER_PROTECTED},
        [SAY_TIME_UP] = {PROMPT_TIME_UP, ANSWER_PROTECTED},
        [SAY_HOLD_ON] = {PROMPT_HOLD_ON, ANSWER_PROTECTED},
        [SAY_ANSWER] = {PROMPT_GREETING, 0}, /* the model's */
        [SAY_REPEAT] = {PROMPT_NOT_UNDERSTOOD, 0},
    };
    struct buf text;
    if (pipeline_gone(p))
        return;
    hear_forget(p);
    think_cancel(p);
    buf_init(&text, STAGE_TEXT_MAX);
    if (model_says(p, intent)) {
        (void)brief_say_add(&text, p->cfg.secretary, intent);
        think_ask(p, buf_z(&text));
    } else if (prompt_add(&text, p->cfg.secretary, rows[intent].prompt, NULL)) {
        pipeline_fail(p, text.err, "a prompt of the secretary is too long");
    } else {
        speak_whole(p, buf_z(&text), rows[intent].flags);
    }
    buf_free(&text);
}

static void interrupt(struct provider *p, uint32_t answer, uint32_t heard_ms)
{
    (void)heard_ms; /* the call's history has what was heard: it is all the model is told */
    p->sound_end_us = loop_now_us(p->cfg.loop);
    p->cut = true;
    if (answer != p->answer || p->reply == REPLY_NONE || !p->answer_open)
        return; /* all of it had been told */
    think_cancel(p);
    speak_drop(p, false);
}

/* ---- life --------------------------------------------------------------------------------------
 */

static void destroy(void *arg)
{
    struct provider *p = arg;
    secretary_unref(&p->cfg.secretary);
    free(p->own_settings);
    free(p);
}

static void close_pipeline(struct provider **pp)
{
    struct provider *p = pp ? *pp : NULL;
    if (!p)
        return;
    *pp = NULL;
    p->closed = true;
    hear_close(p);
    think_close(p);
    speak_close(p);
    /* A handler of ours may be on the stack: the memory goes with the next turn of the loop. */
    tmr_start(&p->later, p->cfg.loop, 0, destroy, p);
}

static enum va_err choose(struct provider *p, struct va_fault *fault)
{
    const struct settings *s = p->cfg.settings;
    p->stt_ops = stt_find(s->stt_provider);
    p->llm_ops = llm_find(s->llm_provider);
    p->tts_ops = tts_stage_find(s->tts_provider);
    if (!p->stt_ops || !p->llm_ops || !p->tts_ops)
        return va_fault_set(fault, VA_ECONFIG,
                            "STT_PROVIDER, LLM_PROVIDER or TTS_PROVIDER is unknown");
    enum va_err err = p->llm_ops->check(&p->cfg, fault);
    return err ? err : p->tts_ops->check(&p->cfg, fault);
}

/* Settings of this secretary's own, where its provider has options. */
static enum va_err own_settings(struct provider *p, const char *name, struct va_fault *fault)
{
    if (!options_any(name))
        return VA_OK;
    p->own_settings = malloc(sizeof(*p->own_settings));
    if (!p->own_settings)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    *p->own_settings = *p->cfg.settings;
    p->cfg.settings = p->own_settings;
    return options_apply(name, p->own_settings, fault);
}

static enum va_err open_stages(struct provider *p, const char *name, struct va_fault *fault)
{
    enum va_err err = own_settings(p, name, fault);
    const struct http_client_cfg http = {.ca_file = p->cfg.settings->tls_ca_file};
    if (!err)
        err = choose(p, fault);
    if (!err)
        err = http_client_of(p->cfg.loop, &http, &p->cfg.http, fault);
    if (!err && (err = think_open(p)) != VA_OK)
        (void)va_fault_set(fault, err, "the secretary's texts are too long for a model");
    return err ? err : hear_open(p, fault);
}

static void note_ops(struct provider *p)
{
    p->stt_ops = p->stt_ops ? p->stt_ops : &stt_embedded;
    p->llm_ops = p->llm_ops ? p->llm_ops : &llm_openai;
    p->tts_ops = p->tts_ops ? p->tts_ops : &tts_embedded;
}

static enum va_err open_pipeline(const struct provider_cfg *cfg,
                                 const struct provider_handlers *handlers, void *arg,
                                 struct provider **ret_provider)
{
    struct provider *p = calloc(1, sizeof(*p));
    if (!p)
        return VA_ENOMEM;
    p->cfg = (struct stage_cfg){.loop = cfg->loop,
                                .env = cfg->env,
                                .settings = cfg->settings,
                                .secretary = secretary_ref(cfg->secretary),
                                .rate_hz = cfg->rate_hz};
    p->h = handlers;
    p->arg = arg;
    p->history = cfg->history;
    p->record = cfg->record;
    p->log = cfg->log;
    p->cfg.log = &p->log;
    speak_open(p);
    struct va_fault fault = {.code = VA_OK};
    enum va_err err = open_stages(p, cfg->name, &fault);
    note_ops(p);
    if (err) /* a wrong setting is told as the failure of a conversation: it has a text */
        pipeline_fail(p, err, "%s", fault.text);
    *ret_provider = p;
    return VA_OK;
}

static const struct provider_caps *caps(const struct provider *p)
{
    static const struct provider_caps all = {
        .holds_answers = true,
        .truncates = true,
        .takes_text = true,
        .resumes = true,
        .formats = "by stage: pcm, wav or mu-law / pcm, wav or mu-law"};
    (void)p;
    return &all;
}

const struct provider_ops provider_pipeline = {
    .name = "pipeline",
    .takes_options = true,
    .caps = caps,
    .open = open_pipeline,
    .audio_in = audio_in,
    .turn = hear_turn,
    .digit = hear_digit,
    .say = say,
    .tool_result = think_result,
    .interrupt = interrupt,
    .close = close_pipeline,
};
