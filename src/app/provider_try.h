/**
 * app/provider_try.h: one spoken turn with a provider, in real time, as a call would do it: a frame
 * each 20 ms, the question, then silence until the answer is complete.
 */
#ifndef VA_APP_PROVIDER_TRY_H
#define VA_APP_PROVIDER_TRY_H

#include "ai/provider.h"
#include "base/buf.h"

enum { TRY_TEXT_MAX = 16384 };

struct try_cfg {
    struct loop *loop;
    const struct provider_ops *ops;
    const struct provider_env *env;
    const struct settings *settings;
    const struct secretary *secretary;
    struct pcm *question; /**< its rate is the line's; borrowed */
    uint64_t timeout_ms;  /**< of all of it */
    const char *name;     /**< of the provider, with options */
};

/** What happened. Times are monotonic [µs], 0: did not. */
struct try_result {
    uint64_t opened_us, ready_us, spoken_us; /**< spoken: the last sample of the question */
    uint64_t turn_started_us, turn_ended_us; /**< as the provider, or our ear for it, heard it */
    uint64_t first_audio_us, done_us;
    uint64_t audio_ms;          /**< of the answer */
    double level_dbfs;          /**< of its loudest block */
    struct buf heard, answered; /**< texts */
    struct buf usage;
    char tool[80];         /**< "transfer to vendas"; "": none asked for */
    struct va_fault fault; /**< the first thing that is wrong */
    bool detects_turns;
    char formats[120];
};

/** Blocks. The texts of the result are released with try_free(), also after a failure.
 *  @return VA_OK when an answer, or a tool, came and nothing is wrong with it */
VA_CHECK enum va_err try_provider(const struct try_cfg *cfg, struct try_result *ret);
void try_free(struct try_result *r);

#endif
