/** ai/chain/chain_int.h: inside of the chain, for the files of this folder only. */
#ifndef VA_AI_CHAIN_INT_H
#define VA_AI_CHAIN_INT_H

#include "ai/chain/chain.h"
#include "base/buf.h"

/*     OPENING ─ready─► TALKING ─failed─► OPENING (the next) … ─nobody left─► FAILED    any ─►
 * CLOSED
 */
enum chain_state {
    CHAIN_OPENING, /* the inner one is not ready, or there is none for a moment */
    CHAIN_TALKING,
    CHAIN_FAILED,
    CHAIN_CLOSED, /* memory goes with the next turn of the loop */
};

enum chain_kind { OWED_NOTHING, OWED_SAY, OWED_ANSWER };

/* What the caller waits for, until it was said to its end. */
struct chain_owed {
    enum chain_kind kind;
    enum say_intent say;
    bool words;     /* OWED_ANSWER: what the caller wanted is in the history */
    bool sounding;  /* its first audio has come */
    uint32_t after; /* answers above this are it */
    uint64_t since_us;
};

struct provider {
    struct provider_cfg cfg; /* the secretary is a reference of ours */
    const struct provider_handlers *h;
    void *arg;
    enum chain_state state; /* chain_state_set() only */
    bool told_ready;

    char list[SETTING_TEXT_MAX]; /* AI_FALLBACK, cut into names */
    const char *name[CHAIN_NAMES_MAX];
    size_t name_count, next;

    const struct provider_ops *ops; /* of the inner one */
    struct provider *inner;         /* NULL: none */
    uint32_t inner_last;            /* its newest answer, as it counts */
    uint32_t base, tool_base;       /* our number is this plus its */
    uint32_t last, tool_last;       /* newest numbers we gave */
    uint32_t open_from;             /* oldest answer without its end; 0: none */

    struct chain_owed owed, before; /* before: of the sound that may be none */
    bool wondering;                 /* a sound was heard, not yet known whether it is a turn */
    bool turn_open;                 /* the caller speaks */
    uint64_t opened_us, audio_us;   /* inner opened; last audio */
    uint64_t audible_until_us;      /* all audio so far was heard by then, if nothing stops it */

    struct tmr deadline, patience, filler_due, later;
    struct tts_request *filling;
    struct buf filler; /* its text */
};

/* ---- chain.c */
void chain_state_set(struct provider *p, enum chain_state next);
static inline bool chain_talking(const struct provider *p)
{
    return p->state == CHAIN_TALKING;
}
void chain_owe(struct provider *p, enum chain_kind kind, enum say_intent say, bool words);
/** The caller's turns, whoever hears them. */
void chain_note_turn(struct provider *p, enum turn_phase phase);
/** What was wondered about is known: what was owed before it does not matter any more. */
void chain_known(struct provider *p);

/* ---- chain_inner.c */
extern const struct provider_handlers chain_inner_handlers;

/* ---- chain_switch.c */
/** Let the next one of the list begin. @return the last failure when nobody is left */
VA_CHECK enum va_err chain_open_next(struct provider *p);
/** The inner one cannot go on. The chain may be closed afterwards. */
void chain_fail(struct provider *p, enum va_err why, const char *text);
/** Tell the inner one, now ready, what is under way. */
void chain_take_over(struct provider *p);
/** Start or move the deadline of what is awaited now. */
void chain_watch(struct provider *p);

/* ---- chain_filler.c */
void chain_filler_arm(struct provider *p);
void chain_filler_stop(struct provider *p);

/* ---- chain_health.c: who is passed over. Any thread. */
enum chain_class { CHAIN_CLASS_FATAL, CHAIN_CLASS_BUSY, CHAIN_CLASS_LOST };
enum chain_class chain_class_of(enum va_err why);
/** @param name  As in the list, options included: what one stage refuses says nothing of another
 *  @param why   Decides for whom: its tenant, or this secretary as it is now alone */
void chain_health_note(const char *name, const struct secretary *secretary, enum va_err why,
                       uint64_t now_us, uint64_t skip_s);
/** How long it is still to be passed over for this secretary [ms]; 0: not. */
uint64_t chain_health_left_ms(const char *name, const struct secretary *secretary, uint64_t now_us);

/* ---- counters: chain_health.c */
#define CHAIN_COUNT_MAP(X)                                                                         \
    X(opened)                                                                                      \
    X(fatal) X(busy) X(lost) X(timeouts) X(skipped) X(unknown) X(takeovers) X(fillers) X(exhausted)
enum chain_count {
#define X(name) COUNT_##name,
    CHAIN_COUNT_MAP(X)
#undef X
        CHAIN_COUNTS
};
void chain_count(enum chain_count what);

#endif
