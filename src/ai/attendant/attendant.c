/* The attendant as a provider: voice out, utterances in. What is said is decided in dialogue.c. */
#include "ai/attendant/attendant_int.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    NOISE_MS = 700 /* shorter (with its margins) and not understood: a cough, not an attempt */
};

const struct then attendant_nothing = {false, TOOL_END_CALL, 0};

/* ---- speaking ----------------------------------------------------------------------------------
 */

static void report_failure(void *arg)
{
    struct provider *p = arg;
    p->h->on_failed(p->arg, p->failed, p->failed_text);
}

/* Told on the next turn of the loop: operations never call back. */
static void fail(struct provider *p, enum va_err why, const char *text)
{
    if (p->closed || p->failed)
        return;
    p->failed = why;
    p->failed_text = text;
    tmr_start(&p->later, p->loop, 0, report_failure, p);
}

static void on_spoken(void *arg, enum va_err err, struct pcm *speech)
{
    struct provider *p = arg;
    p->speaking = NULL;
    if (err) {
        fail(p, err, "the voice (TTS_COMMAND) could not speak a text");
        return;
    }
    uint32_t id = ++p->answer;
    p->h->on_answer(p->arg, id, p->flags);
    if (!p->closed)
        p->h->on_transcript(p->arg, SPEAKER_AGENT, id, buf_z(&p->said));
    if (!p->closed)
        p->h->on_audio(p->arg, id, speech);
    if (!p->closed)
        p->h->on_answer_done(p->arg, id);
    pcm_unref(&speech);
    if (p->closed || !p->then.set)
        return;
    p->then.set = false;
    p->tool_kind = p->then.kind;
    struct tool_call tool = {.id = ++p->tool_id, .kind = p->then.kind, .destination = ""};
    if (tool.kind == TOOL_TRANSFER)
        tool.destination = p->secretary->destinations[p->then.destination].name;
    p->h->on_tool(p->arg, &tool);
}

/* Speak what is in p->said. */
void attendant_speak(struct provider *p, unsigned flags, struct then then)
{
    tts_cancel(&p->speaking);
    p->flags = flags;
    p->then = then;
    if (p->closed)
        return;
    enum va_err err = p->said.err;
    if (!err)
        err = tts_say(p->env->tts, p->loop, p->secretary->language, p->voice, p->rate_hz,
                      buf_z(&p->said), on_spoken, p, &p->speaking);
    if (err)
        fail(p, err, "the voice is overloaded");
}

void attendant_speak_prompt(struct provider *p, enum prompt prompt, const char *destination,
                            unsigned flags, struct then then)
{
    buf_reset(&p->said);
    prompt_add(&p->said, p->secretary, prompt, destination);
    attendant_speak(p, flags, then);
}

/* No words. The answer that was held goes on, or what was cut off is said again, or it was an
 * attempt. */
static void heard_nothing(struct provider *p, bool noise, bool interrupted)
{
    p->forgotten = false;
    p->h->on_speech(p->arg, TURN_FALSE);
    if (p->closed || p->forgotten)
        return;
    if (noise && interrupted && p->said.len) {
        attendant_speak(p, p->flags, p->then);
        return;
    }
    p->h->on_transcript(p->arg, SPEAKER_CALLER, 0, "(?)");
    if (!p->closed)
        dialogue_not_understood(p);
}

static void heard_words(struct provider *p, const struct asr_result *r)
{
    p->h->on_speech(p->arg, TURN_CONFIRMED);
    p->interrupted = false;
    if (!p->closed)
        p->h->on_transcript(p->arg, SPEAKER_CALLER, 0, r->text);
    if (!p->closed)
        dialogue_understood(p, r->tag, r->confidence);
}

static void on_heard(void *arg, enum va_err err, const struct asr_result *r)
{
    struct provider *p = arg;
    p->hearing = NULL;
    bool noise = utterance_ms(&p->utterance) < NOISE_MS;
    bool interrupted = p->interrupted;
    utterance_clear(&p->utterance);
    p->interrupted = false;
    if (err) {
        fail(p, err, "the recogniser failed");
        return;
    }
    log_info("ai", &p->log, "heard", "understood", r->understood ? "yes" : "no", "confidence_pct",
             log_num((int64_t)(r->confidence * 100)), "spent_ms", log_ms(r->spent_us), NULL);
    if (r->understood)
        heard_words(p, r);
    else
        heard_nothing(p, noise, interrupted);
}

/* ---- listening
 * ----------------------------------------------------------------------------------- */

static void attendant_audio_in(struct provider *p, const int16_t *samples, size_t count)
{
    utterance_feed(&p->utterance, samples, count);
}

static void turn_started(struct provider *p, unsigned back_ms)
{
    if (p->speaking) { /* an answer nobody has heard yet: the caller goes on */
        tts_cancel(&p->speaking);
        p->then.set = false;
        utterance_clear(&p->utterance);
    }
    if (p->hearing)
        asr_cancel(&p->hearing); /* a pause inside one sentence: hear it as a whole */
    else
        utterance_clear(&p->utterance);
    utterance_begin(&p->utterance, back_ms);
}

static void turn_ended(struct provider *p, unsigned back_ms)
{
    struct pcm *speech = NULL;
    enum va_err err = utterance_end(&p->utterance, back_ms, &speech);
    if (!err)
        err = asr_recognize(p->env->asr, p->loop, p->grammar, speech, on_heard, p, &p->hearing);
    if (err) {
        pcm_unref(&speech);
        fail(p, err, "the recogniser is overloaded");
    }
}

static void turn_false(struct provider *p)
{
    asr_cancel(&p->hearing);
    utterance_clear(&p->utterance);
    p->forgotten = true;
}

static void attendant_turn(struct provider *p, enum turn_phase phase, unsigned back_ms)
{
    if (phase == TURN_STARTED)
        turn_started(p, back_ms);
    else if (phase == TURN_ENDED)
        turn_ended(p, back_ms);
    else if (phase == TURN_FALSE)
        turn_false(p);
}

/* ---- the call's other wishes
 * ----------------------------------------------------------------------- */

static void attendant_digit(struct provider *p, char digit)
{
    p->interrupted = false;
    utterance_clear(&p->utterance);
    asr_cancel(&p->hearing);
    dialogue_digit(p, digit);
}

static void attendant_say(struct provider *p, enum say_intent intent)
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
    };
    utterance_clear(&p->utterance);
    asr_cancel(&p->hearing);
    if (intent == SAY_ANSWER)
        dialogue_answer_history(p);
    else if (intent == SAY_REPEAT)
        dialogue_ask_again(p);
    else
        attendant_speak_prompt(p, rows[intent].prompt, NULL, rows[intent].flags, attendant_nothing);
}

static void attendant_tool_result(struct provider *p, uint32_t tool_id, enum va_err result)
{
    if (tool_id != p->tool_id || result == VA_ECANCELED)
        return; /* cancelled by the caller's own voice: the turn under way decides */
    dialogue_tool_result(p, result);
}

static void attendant_interrupt(struct provider *p, uint32_t answer, uint32_t heard_ms)
{
    (void)answer;
    (void)heard_ms;
    tts_cancel(&p->speaking);
    p->then.set = false;
    p->interrupted = true;
}

/* ---- life
 * ------------------------------------------------------------------------------------------ */

static void destroy(void *arg)
{
    struct provider *p = arg;
    secretary_unref(&p->secretary);
    asr_grammar_unref(&p->grammar);
    buf_free(&p->said);
    utterance_free(&p->utterance);
    free(p);
}

static void attendant_close(struct provider **pp)
{
    struct provider *p = pp ? *pp : NULL;
    if (!p)
        return;
    *pp = NULL;
    p->closed = true;
    tts_cancel(&p->speaking);
    asr_cancel(&p->hearing);
    /* A handler of ours may be on the stack: the memory goes with the next turn of the loop. */
    tmr_start(&p->later, p->loop, 0, destroy, p);
}

static void on_ready(void *arg)
{
    struct provider *p = arg;
    p->h->on_ready(p->arg);
}

/* A voice is one of the secretary's provider: another provider's name for it says nothing here. */
static const char *own_voice(const struct provider_cfg *cfg)
{
    const struct secretary *s = cfg->secretary;
    const char *whose = *s->provider ? s->provider : cfg->settings->ai_provider;
    return strcmp(whose, provider_attendant.name) == 0 ? s->voice : "";
}

static enum va_err attendant_open(const struct provider_cfg *cfg,
                                  const struct provider_handlers *handlers, void *arg,
                                  struct provider **ret_provider)
{
    struct provider *p = calloc(1, sizeof(*p));
    if (!p)
        return VA_ENOMEM;
    p->loop = cfg->loop;
    p->env = cfg->env;
    p->secretary = secretary_ref(cfg->secretary);
    p->history = cfg->history;
    p->voice = own_voice(cfg);
    p->h = handlers;
    p->arg = arg;
    p->rate_hz = cfg->rate_hz;
    p->log = cfg->log;
    buf_init(&p->said, ATTENDANT_TEXT_MAX);
    enum va_err err = utterance_init(&p->utterance, cfg->rate_hz);
    if (!err)
        err = listen_grammar(cfg->secretary, &p->grammar);
    if (err) {
        destroy(p);
        return err;
    }
    tmr_start(&p->later, p->loop, 0, on_ready, p);
    *ret_provider = p;
    return VA_OK;
}

static const struct provider_caps *attendant_caps(const struct provider *p)
{
    static const struct provider_caps caps = {.holds_answers = true,
                                              .truncates = true,
                                              .takes_text = true,
                                              .formats = "pcm at the line's rate / the same"};
    (void)p;
    return &caps;
}

const struct provider_ops provider_attendant = {
    .name = "attendant",
    .caps = attendant_caps,
    .open = attendant_open,
    .audio_in = attendant_audio_in,
    .turn = attendant_turn,
    .digit = attendant_digit,
    .say = attendant_say,
    .tool_result = attendant_tool_result,
    .interrupt = attendant_interrupt,
    .close = attendant_close,
};
