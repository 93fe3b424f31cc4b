/*
 * Above 8 kHz. The pitch is looked for in the past, brought down to 8 kHz, and then placed exactly:
 *
 *     past   …  ~~~~~~~~~~~~ | last period |      cycle: that period, its end bent so that the
 *                            └──── lag ────┘      period's own beginning follows it without a step
 *     hole      cycle, cycle, cycle … softer and softer; the first samples lean towards what was
 *               heard last; the first real ones after the hole are faded in
 */
#include "media/conceal_int.h"

#include <string.h>

enum {
    LOW_HZ = 8000,
    LOW_PAST = LOW_HZ / 1000 * CONCEAL_PAST_MS,
    LOW_LAG_MIN = LOW_HZ / 400,
    LOW_LAG_MAX = LOW_HZ / 1000 * CONCEAL_LAG_MAX_MS,
    LOW_WINDOW = LOW_HZ / 1000 * 20, /* what a period is compared over */
    LEAN_MS = 2
};

static const double noise_fit = 0.3; /* less alike than this has no pitch */
static const double same_fit = 0.9;  /* of the best: a fraction of that lag is the pitch */

static size_t ms(const struct conceal *c, size_t n)
{
    return (size_t)c->rate_hz / 1000u * n;
}

static void remember(struct conceal *c, const int16_t *x, size_t n)
{
    size_t all = ms(c, CONCEAL_PAST_MS);
    if (n >= all) {
        memcpy(c->past, x + n - all, all * sizeof(*x));
        return;
    }
    memmove(c->past, c->past + n, (all - n) * sizeof(*x));
    memcpy(c->past + all - n, x, n * sizeof(*x));
}

/* ---- the pitch ------------------------------------------------------------------------------- */

/* How alike the last `window` samples and those `lag` before them are, −1 … 1; 0 in silence. */
static double fit(const int16_t *end, size_t window, size_t lag)
{
    double ab = 0, aa = 0, bb = 0;
    const int16_t *a = end - window, *b = a - lag;
    for (size_t i = 0; i < window; i++) {
        ab += (double)a[i] * b[i];
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
    }
    double both = aa > bb ? aa : bb; /* one that swells is not alike, either */
    return both > 0 ? ab / both : 0;
}

static void bring_down(const struct conceal *c, int16_t low[static LOW_PAST])
{
    size_t k = (size_t)c->rate_hz / LOW_HZ;
    for (size_t i = 0; i < LOW_PAST; i++) {
        int32_t sum = 0;
        for (size_t n = 0; n < k; n++)
            sum += c->past[i * k + n];
        low[i] = (int16_t)(sum / (int32_t)k);
    }
}

/* A period fits twice as well as once: of lags that are whole parts of the best, the shortest that
 * is nearly as good. @return samples at LOW_HZ */
static size_t low_lag(const int16_t low[static LOW_PAST])
{
    double fits[LOW_LAG_MAX + 1];
    size_t best = LOW_LAG_MAX;
    for (size_t lag = LOW_LAG_MIN; lag <= LOW_LAG_MAX; lag++) {
        fits[lag] = fit(low + LOW_PAST, LOW_WINDOW, lag);
        if (lag == LOW_LAG_MIN || fits[lag] > fits[best])
            best = lag;
    }
    if (fits[best] < noise_fit)
        return LOW_LAG_MAX; /* noise: the longer the period, the less it hums */
    for (size_t part = 4; part > 1; part--) {
        size_t lag = best / part;
        if (lag >= LOW_LAG_MIN && fits[lag] >= same_fit * fits[best])
            return lag;
    }
    return best;
}

static size_t find_lag(const struct conceal *c)
{
    int16_t low[LOW_PAST];
    bring_down(c, low);
    size_t k = (size_t)c->rate_hz / LOW_HZ, about = low_lag(low) * k,
           max = ms(c, CONCEAL_LAG_MAX_MS);
    const int16_t *end = c->past + ms(c, CONCEAL_PAST_MS);
    size_t best = about;
    double best_fit = -2;
    for (size_t lag = about - k; lag <= about + k && lag <= max; lag++) {
        double f = fit(end, ms(c, 10), lag);
        if (f > best_fit) {
            best_fit = f;
            best = lag;
        }
    }
    return best;
}

/* ---- the hole -------------------------------------------------------------------------------- */

static void begin_hole(struct conceal *c)
{
    const int16_t *end = c->past + ms(c, CONCEAL_PAST_MS);
    c->lag = find_lag(c);
    c->at = 0;
    memcpy(c->cycle, end - c->lag, c->lag * sizeof(*end));
    size_t bend = c->lag / 4;
    for (size_t i = 0; i < bend; i++) {
        int32_t w = (int32_t)((i + 1) * 256 / (bend + 1)), own = end[(long)i - (long)bend];
        int32_t before = end[(long)i - (long)bend - (long)c->lag];
        c->cycle[c->lag - bend + i] = (int16_t)((own * (256 - w) + before * w) / 256);
    }
    c->step = end[-1] - c->cycle[c->lag - 1];
}

static int16_t next_made(struct conceal *c)
{
    size_t full = ms(c, CONCEAL_FULL_MS), gone = ms(c, CONCEAL_GONE_MS), lean = ms(c, LEAN_MS);
    int32_t v = c->cycle[c->at];
    if (c->missing < lean)
        v += c->step * (int32_t)(lean - c->missing) / (int32_t)lean;
    if (c->missing >= gone)
        v = 0;
    else if (c->missing > full)
        v = (int32_t)((int64_t)v * (int64_t)(gone - c->missing) / (int64_t)(gone - full));
    c->at = c->at + 1 < c->lag ? c->at + 1 : 0;
    c->missing += c->missing < gone;
    return media_clip(v);
}

void conceal_wide_make(struct conceal *c, int16_t *out, size_t n)
{
    if (!n)
        return;
    if (!c->missing)
        begin_hole(c);
    for (size_t i = 0; i < n; i++)
        out[i] = next_made(c);
}

void conceal_wide_heard(struct conceal *c, int16_t *x, size_t n)
{
    size_t join = c->missing ? c->lag / 4 : 0;
    join = join < n ? join : n;
    for (size_t i = 0; i < join; i++) {
        int32_t w = (int32_t)((i + 1) * 256 / (join + 1));
        x[i] = (int16_t)((next_made(c) * (256 - w) + x[i] * w) / 256);
    }
    if (n)
        c->missing = 0;
    remember(c, x, n);
}
