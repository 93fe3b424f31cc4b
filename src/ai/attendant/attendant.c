/*
 * The dialogue. What was understood (a tag of listen.h or a digit) meets the mode the conversation
 * is in; the answer is a prompt, and perhaps a tool behind it.
 *
 *     MENU ──destination──► "one moment …" ► transfer          (unsure: CONFIRM ─yes─► transfer)
 *      │ ──topic──► its answer + "anything else?" ──► ANYTHING_ELSE ─no─► farewell ► end call
 *      │ ──message──► "after the tone" ► take message ─► "saved" or "could not save" ─►
 * ANYTHING_ELSE └ ──not understood, twice──► default destination, or a message
 */
#include "ai/attendant/attendant.h"
#include "ai/attendant/listen.h"
#include "ai/attendant/prompts.h"
#include "ai/speech/asr.h"
#include "ai/attendant/utterance.h"
#include "ai/speech/tts.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PREROLL_MS = 600, /* kept from before the VAD's decision */
    LEAD_MS = 150,    /* given to the recogniser before the speech */
    TAIL_MS = 250,    /* and behind it */
    NOISE_MS = 500,   /* shorter and not understood: a cough, not an attempt */
    TEXT_MAX = 16384,
    MISSES_MAX = 2
};

/* Below this a destination is asked back rather than dialled. */
static const float SURE = 0.5f;

enum mode { MODE_MENU, MODE_CONFIRM, MODE_ANYTHING_ELSE };

/* What is to happen behind an answer. */
struct then {
    bool set;
    enum tool_kind kind;
    size_t destination; /* index, of TOOL_TRANSFER */
};

struct provider {
    struct loop *loop;
    const struct provider_env *env;
    const struct secretary *secretary;
    const struct provider_handlers *h;
    void *arg;
    int rate_hz;
    bool closed;
    struct tmr later; /* on_ready, on_failed, then the end of this memory */
    enum va_err failed;
    const char *failed_text;

    enum mode mode;
    size_t confirming; /* destination index of MODE_CONFIRM */
    int misses;
    bool interrupted; /* the turn under way cut into an answer */

    uint32_t answer; /* id of the newest */
    struct buf said; /* its text, for "repeat" */
    unsigned flags;
    struct then then;
    uint32_t tool_id;
    enum tool_kind tool_kind;
    struct tts_request *speaking;

    struct asr_grammar *grammar;
    struct asr_request *hearing;
    struct utterance utterance;
};

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
static void speak(struct provider *p, unsigned flags, struct then then)
{
    tts_cancel(&p->speaking);
    p->flags = flags;
    p->then = then;
    if (p->closed)
        return;
    enum va_err err = p->said.err;
    if (!err)
        err = tts_say(p->env->tts, p->loop, p->secretary->language, p->secretary->voice, p->rate_hz,
                      buf_z(&p->said), on_spoken, p, &p->speaking);
    if (err)
        fail(p, err, "the voice is overloaded");
}

static void speak_prompt(struct provider *p, enum prompt prompt, const char *destination,
                         unsigned flags, struct then then)
{
    buf_reset(&p->said);
    prompt_add(&p->said, p->secretary, prompt, destination);
    speak(p, flags, then);
}

static const struct then nothing = {false, TOOL_END_CALL, 0};

static void transfer(struct provider *p, size_t i, enum prompt announcement)
{
    p->mode = MODE_MENU;
    speak_prompt(p, announcement, p->secretary->destinations[i].name, ANSWER_PROTECTED,
                 (struct then){true, TOOL_TRANSFER, i});
}

static void take_message(struct provider *p, enum prompt announcement)
{
    p->mode = MODE_ANYTHING_ELSE;
    speak_prompt(p, announcement, NULL, ANSWER_PROTECTED,
                 (struct then){true, TOOL_TAKE_MESSAGE, 0});
}

static void say_goodbye(struct provider *p)
{
    speak_prompt(p, PROMPT_FAREWELL, NULL, ANSWER_PROTECTED, (struct then){true, TOOL_END_CALL, 0});
}

static void answer_topic(struct provider *p, size_t i)
{
    p->mode = MODE_ANYTHING_ELSE;
    buf_reset(&p->said);
    buf_addz(&p->said, p->secretary->topics[i].answer);
    buf_addc(&p->said, ' ');
    prompt_add(&p->said, p->secretary, PROMPT_ANYTHING_ELSE, NULL);
    speak(p, 0, nothing);
}

/* ---- understanding ------------------------------------------------------------------------------
 */

static bool default_index(const struct provider *p, size_t *ret_i)
{
    const struct destination *d = secretary_default_destination(p->secretary);
    if (d)
        *ret_i = (size_t)(d - p->secretary->destinations);
    return d != NULL;
}

static void give_up(struct provider *p)
{
    size_t i = 0;
    p->misses = 0;
    if (default_index(p, &i))
        transfer(p, i, PROMPT_GIVE_UP);
    else
        take_message(p, PROMPT_GIVE_UP_MESSAGE);
}

static void not_understood(struct provider *p)
{
    p->mode = p->mode == MODE_CONFIRM ? MODE_MENU : p->mode;
    if (++p->misses >= MISSES_MAX)
        give_up(p);
    else
        speak_prompt(p, PROMPT_NOT_UNDERSTOOD, NULL, 0, nothing);
}

static void understood_yes(struct provider *p)
{
    if (p->mode == MODE_CONFIRM) {
        transfer(p, p->confirming, PROMPT_TRANSFERRING);
    } else if (p->mode == MODE_ANYTHING_ELSE) {
        p->mode = MODE_MENU;
        speak_prompt(p, PROMPT_GO_ON, NULL, 0, nothing);
    } else {
        not_understood(p);
    }
}

static void understood_no(struct provider *p)
{
    if (p->mode == MODE_ANYTHING_ELSE) {
        say_goodbye(p);
    } else if (p->mode == MODE_CONFIRM) {
        p->mode = MODE_MENU;
        speak_prompt(p, PROMPT_MENU, NULL, 0, nothing);
    } else {
        not_understood(p);
    }
}

static void understood_word(struct provider *p, int tag)
{
    size_t i = 0;
    switch (tag) {
    case LISTEN_YES: understood_yes(p); break;
    case LISTEN_NO: understood_no(p); break;
    case LISTEN_MESSAGE: take_message(p, PROMPT_MESSAGE_START); break;
    case LISTEN_REPEAT:
        if (p->said.len)
            speak(p, 0, nothing);
        break;
    case LISTEN_HELP: speak_prompt(p, PROMPT_MENU, NULL, 0, nothing); break;
    case LISTEN_GOODBYE: say_goodbye(p); break;
    case LISTEN_OPERATOR:
        if (default_index(p, &i))
            transfer(p, i, PROMPT_TRANSFERRING);
        else
            take_message(p, PROMPT_MESSAGE_START);
        break;
    default: not_understood(p); break;
    }
}

static void understood(struct provider *p, int tag, float confidence)
{
    const struct secretary *s = p->secretary;
    if (tag < LISTEN_DESTINATION) {
        if (tag != LISTEN_YES && tag != LISTEN_NO)
            p->misses = 0;
        understood_word(p, tag);
        return;
    }
    p->misses = 0;
    if (tag >= LISTEN_TOPIC && (size_t)(tag - LISTEN_TOPIC) < s->topic_count) {
        answer_topic(p, (size_t)(tag - LISTEN_TOPIC));
    } else if (tag < LISTEN_TOPIC && (size_t)(tag - LISTEN_DESTINATION) < s->destination_count) {
        size_t i = (size_t)(tag - LISTEN_DESTINATION);
        if (confidence >= SURE) {
            transfer(p, i, PROMPT_TRANSFERRING);
            return;
        }
        p->mode = MODE_CONFIRM;
        p->confirming = i;
        speak_prompt(p, PROMPT_CONFIRM, s->destinations[i].name, 0, nothing);
    } else {
        not_understood(p);
    }
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
    log_info("ai", NULL, "heard", "understood", r->understood ? "yes" : "no", "confidence_pct",
             log_num((int64_t)(r->confidence * 100)), "spent_ms", log_ms(r->spent_us), NULL);
    if (!r->understood && noise && interrupted && p->said.len) {
        speak(p, p->flags, p->then); /* it was no speech: go on saying it */
        return;
    }
    p->h->on_transcript(p->arg, SPEAKER_CALLER, 0, r->understood ? r->text : "(?)");
    if (p->closed)
        return;
    if (r->understood)
        understood(p, r->tag, r->confidence);
    else
        not_understood(p);
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

static void attendant_turn(struct provider *p, enum turn_phase phase, unsigned back_ms)
{
    if (phase == TURN_STARTED)
        turn_started(p, back_ms);
    else
        turn_ended(p, back_ms);
}

static void attendant_digit(struct provider *p, char digit)
{
    const struct secretary *s = p->secretary;
    p->interrupted = false;
    utterance_clear(&p->utterance);
    asr_cancel(&p->hearing);
    for (size_t i = 0; i < s->destination_count; i++) {
        if (s->destinations[i].digit == digit) {
            p->misses = 0;
            transfer(p, i, PROMPT_TRANSFERRING);
            return;
        }
    }
    for (size_t i = 0; i < s->topic_count; i++) {
        if (s->topics[i].digit == digit) {
            p->misses = 0;
            answer_topic(p, i);
            return;
        }
    }
    /* Digits nobody claimed mean what callers expect of them. */
    int tag = digit == '0'   ? LISTEN_OPERATOR
              : digit == '9' ? LISTEN_MESSAGE
              : digit == '*' ? LISTEN_HELP
                             : -1;
    understood_word(p, tag);
}

/* ---- the call's other wishes
 * ----------------------------------------------------------------------- */

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
    speak_prompt(p, rows[intent].prompt, NULL, rows[intent].flags, nothing);
}

static void transfer_result(struct provider *p, enum va_err result)
{
    if (result)
        speak_prompt(p, PROMPT_TRANSFER_FAILED, NULL, 0, nothing);
}

static void message_result(struct provider *p, enum va_err result)
{
    p->mode = MODE_ANYTHING_ELSE;
    enum prompt prompt = result == VA_OK          ? PROMPT_MESSAGE_TAKEN
                         : result == VA_ENOTFOUND ? PROMPT_MESSAGE_EMPTY
                                                  : PROMPT_MESSAGE_FAILED;
    speak_prompt(p, prompt, NULL, 0, nothing);
}

static void attendant_tool_result(struct provider *p, uint32_t tool_id, enum va_err result)
{
    if (tool_id != p->tool_id || result == VA_ECANCELED)
        return; /* cancelled by the caller's own voice: the turn under way decides */
    if (p->tool_kind == TOOL_TRANSFER)
        transfer_result(p, result);
    else if (p->tool_kind == TOOL_TAKE_MESSAGE)
        message_result(p, result);
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
    p->h = handlers;
    p->arg = arg;
    p->rate_hz = cfg->rate_hz;
    buf_init(&p->said, TEXT_MAX);
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

const struct provider_ops provider_attendant = {
    .name = "attendant",
    .caps = {.detects_turns = false},
    .open = attendant_open,
    .audio_in = attendant_audio_in,
    .turn = attendant_turn,
    .digit = attendant_digit,
    .say = attendant_say,
    .tool_result = attendant_tool_result,
    .interrupt = attendant_interrupt,
    .close = attendant_close,
};

/* ---- warming up
 * --------------------------------------------------------------------------------------- */

static void on_warm(void *arg, enum va_err err, struct pcm *speech)
{
    (void)arg;
    (void)err; /* only the cache matters; a real failure shows with the first call */
    pcm_unref(&speech);
}

void attendant_warm(const struct provider_env *env, struct loop *loop,
                    const struct secretary *secretary, int rate_hz)
{
    static const enum prompt often[] = {PROMPT_GREETING, PROMPT_NOT_UNDERSTOOD, PROMPT_STILL_THERE,
                                        PROMPT_MESSAGE_START, PROMPT_FAREWELL};
    struct asr_grammar *grammar = NULL;
    if (listen_grammar(secretary, &grammar) == VA_OK) {
        asr_prepare(env->asr, grammar);
        asr_grammar_unref(&grammar);
    }
    for (size_t i = 0; i < sizeof(often) / sizeof(often[0]); i++) {
        struct buf text;
        buf_init(&text, TEXT_MAX);
        if (prompt_add(&text, secretary, often[i], NULL) == VA_OK &&
            tts_say(env->tts, loop, secretary->language, secretary->voice, rate_hz, buf_z(&text),
                    on_warm, NULL, NULL))
            log_debug("ai", NULL, "warm-up-skipped", "prompt", prompt_key(often[i]), NULL);
        buf_free(&text);
    }
}
