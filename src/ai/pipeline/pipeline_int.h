/**
 * ai/pipeline/pipeline_int.h: inside of the pipeline, for the files of this folder only.
 *
 *     audio, turns ─► hear.c (stt) ─► think.c (llm) ─► speak.c (tts) ─► answers
 */
#ifndef VA_AI_PIPELINE_INT_H
#define VA_AI_PIPELINE_INT_H

#include "ai/attendant/prompts.h"
#include "ai/pipeline/llm.h"
#include "ai/pipeline/pipeline.h"
#include "ai/pipeline/sentence.h"
#include "ai/pipeline/stt.h"
#include "ai/pipeline/tts_stage.h"

enum {
    SPEAK_LINES_MAX = 64,     /* sentences of one answer; then it is over */
    SPEAK_FETCH_MAX = 2,      /* sentences whose audio is fetched at once */
    SPEAK_AHEAD_MS = 15000,   /* audio given to the call that cannot have been heard yet */
    THINK_ROUNDS_MAX = 3,     /* questions of one turn: tools that do not exist, empty answers */
    THINK_WAIT_MAX_MS = 1500, /* a Retry-After up to this is waited for */
    HEAR_NOISE_MS = 700,      /* shorter and without words: no attempt to speak */
    DIGITS_MAX = 32,
    DIGIT_WAIT_MS = 800, /* for the next one */
};

/* One sentence of an answer on its way to the caller. */
struct spoken {
    struct provider *p;
    char *text;
    enum { SPOKEN_QUEUED, SPOKEN_FETCHING, SPOKEN_COMPLETE } state;
    struct tts_job *job;
    struct list audio; /* of struct sound: fetched, not given to the call yet */
    bool told;         /* its text */
};

/* A tool that the model wants run behind its answer.
 *
 *     NONE ─► WANTED ─► RUNNING (the call has it) ─► ANSWERED (the model is to be told) ─► NONE
 *               └──── there is no such thing ────────────┘
 */
enum wish_state { WISH_NONE, WISH_WANTED, WISH_RUNNING, WISH_ANSWERED };

struct wish {
    enum wish_state state;
    enum tool_kind kind;
    char id[LLM_ID_MAX], name[LLM_NAME_MAX];
    char *arguments;
    const char *destination; /* the secretary's spelling; borrowed from it */
    const char *result;      /* JSON, static; once ANSWERED */
};

/* ---- the caller's turn. hear_state() alone moves it.
 *
 *     IDLE ─STARTED► OPEN ─ENDED► WAITING (for the words) ─► [HOLDING: is there more?] ─► IDLE
 */
enum hear_state { HEAR_IDLE, HEAR_OPEN, HEAR_WAITING, HEAR_HOLDING };

/* ---- an answer: none, its text grows, its text is complete. reply_*() alone move it. */
enum reply_state { REPLY_NONE, REPLY_GROWING, REPLY_WHOLE };

struct provider {
    struct stage_cfg cfg;
    struct settings *own_settings; /* NULL: the program's */
    const struct provider_handlers *h;
    void *arg;
    const struct history *history;
    const struct call_record *record;
    struct log_ctx log;
    bool closed;
    enum va_err failed; /* on_failed is due or was called */
    char failed_text[sizeof(((struct va_fault *)0)->text) + STAGE_CAUSE_MAX];
    struct tmr later; /* on_failed, then the end of this memory */

    /* hear.c */
    const struct stt_ops *stt_ops;
    struct stt *stt;
    enum hear_state hear;
    struct buf heard; /* words of the turn, of all its parts */
    bool listening;   /* the ear takes audio */
    bool confirmed;   /* on_speech(CONFIRMED) was told for this turn */
    bool over_answer; /* it began while an answer could be heard */
    bool cut;         /* an answer was interrupted, and nothing was said since */
    uint64_t turn_began_us, turn_ms;
    struct tmr hold;
    char digits[DIGITS_MAX];
    size_t digit_count;
    struct tmr digit_wait;

    /* think.c */
    const struct llm_ops *llm_ops;
    struct llm *llm;
    struct buf system, opening;
    char *note;      /* of the question under way, for another try */
    unsigned rounds; /* questions of this turn so far */
    bool no_tools;   /* the model cannot be told of any */
    bool enough;     /* more text is not wanted: the question is to be cancelled */
    struct tmr retry;
    struct wish wish;
    uint32_t tool_id;      /* of the newest that ran */
    struct llm_usage used; /* of all questions */

    /* speak.c */
    const struct tts_ops *tts_ops;
    struct tmr pump;
    enum reply_state reply;
    unsigned generation; /* changes when an answer is dropped */
    uint32_t answer;     /* id of the newest */
    bool answer_open;    /* on_answer was told of this reply */
    unsigned flags;
    struct sentence cutter;
    struct buf scratch;
    struct spoken line[SPEAK_LINES_MAX];
    size_t line_first, line_count;
    uint64_t sound_end_us; /* when all audio given to the call will have been played [mono µs] */
};

static inline bool pipeline_gone(const struct provider *p)
{
    return p->closed || p->failed;
}

/* ---- pipeline.c */

/** The conversation cannot go on: told on the next turn of the loop. */
VA_PRINTF(3, 4) void pipeline_fail(struct provider *p, enum va_err why, const char *fmt, ...);

/* ---- hear.c */

VA_CHECK enum va_err hear_open(struct provider *p, struct va_fault *fault);
void hear_turn(struct provider *p, enum turn_phase phase, unsigned back_ms);
void hear_digit(struct provider *p, char digit);
/** Whatever was being heard is of no interest any more. */
void hear_forget(struct provider *p);
void hear_close(struct provider *p);

/* ---- think.c */

VA_CHECK enum va_err think_open(struct provider *p);
/** Ask the model about the conversation so far; its answer is spoken. `note`: in brackets, or NULL.
 */
void think_ask(struct provider *p, const char *note);
void think_result(struct provider *p, uint32_t tool_id, enum va_err result);
/** The answer was heard or needs no hearing: now the tool. */
void think_run_tool(struct provider *p);
/** The question under way, and a tool that was wanted behind its answer, are moot. */
void think_cancel(struct provider *p);
void think_close(struct provider *p);

/* ---- speak.c */

void speak_open(struct provider *p);
/** An answer begins; a former one is dropped. */
void speak_begin(struct provider *p, unsigned flags);
/** More of its text, as the model writes it. */
void speak_text(struct provider *p, struct str more);
/** All of its text came. */
void speak_end(struct provider *p);
/** A whole answer that needs no model. */
void speak_whole(struct provider *p, const char *text, unsigned flags);
/** Text of this answer was or will be spoken. */
bool speak_has_words(const struct provider *p);
/** Drop it: jobs are cancelled, no tool follows. `tell`: on_answer_done, if it had begun. */
void speak_drop(struct provider *p, bool tell);
/** Go on where something changed: on the next turn of the loop. */
void speak_go_on(struct provider *p);
/** The caller hears an answer now, as far as we know. */
bool speak_sounding(const struct provider *p);
void speak_close(struct provider *p);

#endif
