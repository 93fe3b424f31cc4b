#include "media/dtmf.h"

#include "media/tone.h"

#include <string.h>

enum { FIRST_MS = 10000, INTER_DIGIT_MS = 3000, LEVEL_DBFS = -10 };

static const char keys[] = "123A456B789C*0#D"; /* four rows of four columns, Q.23 */

char dtmf_digit(char c)
{
    char up = c >= 'a' && c <= 'd' ? (char)(c - 'a' + 'A') : c;
    return up && strchr(keys, up) ? up : 0;
}

enum va_err dtmf_collect_start(struct dtmf_collect *c, const struct dtmf_cfg *cfg, uint64_t now_us)
{
    if (cfg->max_digits > DTMF_DIGITS_MAX || (cfg->terminator && !dtmf_valid(cfg->terminator)))
        return VA_EINVAL;
    *c = (struct dtmf_collect){.cfg = *cfg, .state = DTMF_COLLECTING};
    c->cfg.terminator = dtmf_digit(cfg->terminator);
    if (!c->cfg.max_digits)
        c->cfg.max_digits = DTMF_DIGITS_MAX;
    if (!c->cfg.first_ms)
        c->cfg.first_ms = FIRST_MS;
    if (!c->cfg.inter_digit_ms)
        c->cfg.inter_digit_ms = INTER_DIGIT_MS;
    c->due_us = now_us + c->cfg.first_ms * 1000ull;
    return VA_OK;
}

static enum dtmf_state finish(struct dtmf_collect *c, enum dtmf_state state)
{
    c->due_us = UINT64_MAX;
    return c->state = state;
}

enum dtmf_state dtmf_collect_poll(struct dtmf_collect *c, uint64_t now_us)
{
    if (c->state == DTMF_COLLECTING && now_us >= c->due_us)
        return finish(c, DTMF_TIMED_OUT);
    return c->state;
}

enum dtmf_state dtmf_collect_push(struct dtmf_collect *c, char digit, uint64_t now_us)
{
    digit = dtmf_digit(digit);
    if (dtmf_collect_poll(c, now_us) != DTMF_COLLECTING || !digit)
        return c->state;
    if (digit == c->cfg.terminator)
        return finish(c, DTMF_COMPLETE);
    c->digits[c->count++] = digit;
    if (c->count == c->cfg.max_digits)
        return finish(c, DTMF_COMPLETE);
    c->due_us = now_us + c->cfg.inter_digit_ms * 1000ull;
    return c->state;
}

enum va_err dtmf_tone(char digit, int rate_hz, int16_t *out, size_t n)
{
    static const int rows[4] = {697, 770, 852, 941}, columns[4] = {1209, 1336, 1477, 1633};
    digit = dtmf_digit(digit);
    if (!digit)
        return VA_EINVAL;
    size_t key = (size_t)(strchr(keys, digit) - keys);
    struct tone low, high;
    tone_init(&low, rate_hz, rows[key / 4], LEVEL_DBFS);
    tone_init(&high, rate_hz, columns[key % 4], LEVEL_DBFS);
    tone_fill(&low, out, n);
    tone_add(&high, out, n);
    return VA_OK;
}
