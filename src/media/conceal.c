/* Two traps of spandsp 0.0.6 (plc.c), found by AddressSanitizer:
 * - the first plc_fillin() of a hole writes up to 30 samples, however few are asked for;
 * - it turns its ring of history straight by memcpy() of overlapping ranges. A history that is
 *   straight already is left alone, so it is turned here first. */
#include "media/conceal_int.h"

#include <limits.h>
#include <string.h>

enum { SPILL = CONCEAL_LEAST, PART = 960 };

void conceal_init(struct conceal *c, int rate_hz, int16_t *memory)
{
    (void)plc_init(&c->plc);
    c->rate_hz = rate_hz;
    c->past = memory;
    c->lag = c->at = c->missing = 0;
    c->step = 0;
    c->cycle = NULL;
    if (!memory)
        return;
    memset(memory, 0, conceal_memory(rate_hz) * sizeof(*memory));
    c->cycle = memory + (size_t)rate_hz / 1000u * CONCEAL_PAST_MS;
}

void conceal_heard(struct conceal *c, int16_t *x, size_t n)
{
    if (c->past) {
        conceal_wide_heard(c, x, n);
        return;
    }
    for (size_t part; n; n -= part, x += part) {
        part = n < PART ? n : PART;
        (void)plc_rx(&c->plc, x, (int)part);
    }
}

static void straighten(plc_state_t *s)
{
    int16_t straight[PLC_HISTORY_LEN];
    size_t at = (size_t)s->buf_ptr;
    if (at == 0 || at >= PLC_HISTORY_LEN)
        return;
    memcpy(straight, s->history + at, (PLC_HISTORY_LEN - at) * sizeof(straight[0]));
    memcpy(straight + PLC_HISTORY_LEN - at, s->history, at * sizeof(straight[0]));
    memcpy(s->history, straight, sizeof(straight));
    s->buf_ptr = 0;
}

void conceal_make(struct conceal *c, int16_t *out, size_t n)
{
    int16_t scratch[PART + SPILL];
    if (c->past) {
        conceal_wide_make(c, out, n);
        return;
    }
    for (size_t part; n; n -= part, out += part) {
        part = n < PART ? n : PART;
        straighten(&c->plc);
        /* Its count of missing samples would overflow in a hole of days; faded is faded. */
        if (c->plc.missing_samples > INT_MAX / 2)
            c->plc.missing_samples = INT_MAX / 2;
        (void)plc_fillin(&c->plc, scratch, (int)part);
        memcpy(out, scratch, part * sizeof(*out));
    }
}
