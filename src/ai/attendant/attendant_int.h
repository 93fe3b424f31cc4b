/** ai/attendant/attendant_int.h: inside of the attendant, for the files of this folder only. */
#ifndef VA_AI_ATTENDANT_INT_H
#define VA_AI_ATTENDANT_INT_H

#include "ai/attendant/attendant.h"
#include "ai/attendant/listen.h"
#include "ai/attendant/prompts.h"
#include "ai/attendant/utterance.h"
#include "ai/speech/asr.h"
#include "ai/speech/tts.h"

enum { ATTENDANT_TEXT_MAX = 16384 /* of one answer [bytes] */ };

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
    const struct history *history;
    const char *voice; /* of the secretary, or "" */
    const struct provider_handlers *h;
    void *arg;
    int rate_hz;
    struct log_ctx log;
    bool closed;
    struct tmr later; /* on_ready, on_failed, then the end of this memory */
    enum va_err failed;
    const char *failed_text;

    enum mode mode;
    size_t confirming;   /* destination index of MODE_CONFIRM */
    size_t transferring; /* … of the last transfer */
    int misses;
    bool interrupted; /* the turn under way cut into an answer */
    bool forgotten;   /* the last sound was none, says the call */

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

/** Nothing behind the answer. */
extern const struct then attendant_nothing;

/* ---- attendant.c: say something */

/** Speak what is in p->said. */
void attendant_speak(struct provider *p, unsigned flags, struct then then);
void attendant_speak_prompt(struct provider *p, enum prompt prompt, const char *destination,
                            unsigned flags, struct then then);

/* ---- dialogue.c: decide what to say */

/** A phrase was understood (tag of listen.h), or nothing was. */
void dialogue_understood(struct provider *p, int tag, float confidence);
void dialogue_not_understood(struct provider *p);
void dialogue_digit(struct provider *p, char digit);
void dialogue_tool_result(struct provider *p, enum va_err result);
/** Another provider failed: answer what the caller said last, or ask for it again. */
void dialogue_answer_history(struct provider *p);
void dialogue_ask_again(struct provider *p);

#endif
