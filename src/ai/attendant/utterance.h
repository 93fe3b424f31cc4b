/**
 * ai/attendant/utterance.h: what the caller said in one turn, cut out of the stream with a little
 * before the VAD's decision and a little behind the last word. One thread.
 */
#ifndef VA_AI_ATTENDANT_UTTERANCE_H
#define VA_AI_ATTENDANT_UTTERANCE_H

#include "base/err.h"
#include "media/pcm.h"

struct utterance {
    int rate_hz;
    bool open;       /**< between begin and end: audio is kept */
    int16_t *before; /**< ring of what was heard last */
    size_t before_len, before_at, before_full;
    int16_t *samples;
    size_t count, cap;
    size_t max_ms; /**< longer ones are cut; 0: ASR_UTTERANCE_MAX_MS [ms] */
};

VA_CHECK enum va_err utterance_init(struct utterance *u, int rate_hz);
/** NULL-safe members; the object may be zero. */
void utterance_free(struct utterance *u);
/** Every frame of the call. */
void utterance_feed(struct utterance *u, const int16_t *samples, size_t count);
/** The speech began `back_ms` ago. What was kept of an earlier part is kept in front of it. */
void utterance_begin(struct utterance *u, unsigned back_ms);
/** It ended `back_ms` ago. The samples stay until utterance_clear(). One reference for the caller.
 */
VA_CHECK enum va_err utterance_end(struct utterance *u, unsigned back_ms, struct pcm **ret_speech);
void utterance_clear(struct utterance *u);
unsigned utterance_ms(const struct utterance *u);

#endif
