/** ai/pipeline/deepgram.h: what Deepgram's live transcription (v1) says, as words of a turn. No
 * I/O.
 */
#ifndef VA_AI_PIPELINE_DEEPGRAM_H
#define VA_AI_PIPELINE_DEEPGRAM_H

#include "ai/pipeline/stage.h"

struct deepgram {
    struct buf final; /* words that will not change any more */
    struct buf words; /* these and the newest guess behind them */
    bool flushed;     /* the answer to Finalize came */
    /* Times of its audio [ms]: what it says of nothing later came late. -1: none */
    int64_t turn_from_ms;  /* is of the turn before */
    int64_t flush_from_ms; /* answers the Finalize before */
    enum va_err err;       /* it told an error */
    char cause[STAGE_CAUSE_MAX];
};

void deepgram_init(struct deepgram *d);
void deepgram_free(struct deepgram *d);
/** Another turn begins: its words are those behind turn_from_ms. */
void deepgram_reset(struct deepgram *d);
/** A text message. @return true: the words changed, see buf_z(&d->words) */
bool deepgram_take(struct deepgram *d, struct str message);

#endif
