/**
 * media/dtmf.h: digits as events (collecting them) and as sound (generating them). Pure: time comes
 * in as an argument. One thread per object.
 */
#ifndef VA_MEDIA_DTMF_H
#define VA_MEDIA_DTMF_H

#include "base/err.h"
#include "media/format.h"

enum { DTMF_DIGITS_MAX = 32 };

/** The digit as 0-9 * # A-D (small letters are raised), or 0 when it is none. */
char dtmf_digit(char c);
static inline bool dtmf_valid(char c)
{
    return dtmf_digit(c) != 0;
}

/** Zero means the default. */
struct dtmf_cfg {
    unsigned max_digits;     /**< 1 … DTMF_DIGITS_MAX; DTMF_DIGITS_MAX */
    char terminator;         /**< ends the entry and is not part of it; 0: none */
    uint32_t first_ms;       /**< wait for the first digit; 10000 */
    uint32_t inter_digit_ms; /**< wait for each further one; 3000 */
};

enum dtmf_state {
    DTMF_COLLECTING,
    DTMF_COMPLETE, /**< max_digits reached, or the terminator came (digits may be empty then) */
    DTMF_TIMED_OUT /**< what came before the pause is in digits, maybe nothing */
};

/** Open value; its fields may be read. */
struct dtmf_collect {
    struct dtmf_cfg cfg;
    enum dtmf_state state;
    uint64_t due_us; /**< when dtmf_collect_poll() is worth a call; UINT64_MAX when finished */
    unsigned count;
    char digits[DTMF_DIGITS_MAX + 1]; /**< terminated */
};

/** @return VA_OK, VA_EINVAL (max_digits, terminator) */
VA_CHECK enum va_err dtmf_collect_start(struct dtmf_collect *c, const struct dtmf_cfg *cfg,
                                        uint64_t now_us);
/** A digit came. Invalid ones and those after the end are ignored. @return the state */
enum dtmf_state dtmf_collect_push(struct dtmf_collect *c, char digit, uint64_t now_us);
/** Time passed. @return the state */
enum dtmf_state dtmf_collect_poll(struct dtmf_collect *c, uint64_t now_us);

/**
 * The sound of a digit: two sines (ITU-T Q.23), each at −10 dBFS, without ramps.
 *
 * @param out  n samples, all written
 * @return VA_OK, VA_EINVAL (not a digit)
 */
VA_CHECK enum va_err dtmf_tone(char digit, int rate_hz, int16_t *out, size_t n);

#endif
