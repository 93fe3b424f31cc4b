#include "media/stretch.h"

#include <math.h>

/* Below this mean square (−48 dBFS) a splice is not heard, wherever it is made. */
static const double quiet = 130.0 * 130.0;

struct sums {
    double ab, aa, bb;
};

static struct sums compare(const int16_t *a, const int16_t *b, size_t n, size_t stride)
{
    struct sums s = {0, 0, 0};
    for (size_t i = 0; i < n; i += stride) {
        int32_t x = a[i], y = b[i];
        s.ab += (double)(x * y);
        s.aa += (double)(x * x);
        s.bb += (double)(y * y);
    }
    return s;
}

static double likeness(const struct sums *s)
{
    double norm = s->aa * s->bb;
    return norm > 0 ? s->ab / sqrt(norm) : s->aa == s->bb ? 1 : 0;
}

/* The lag at which `x` fits `x + sign · lag` best: coarsely at every eighth of a millisecond,
 * which is each sample at 8 kHz, then finely around the best. */
static size_t best_lag(const int16_t *x, int rate_hz, int sign, double *ret_fit)
{
    size_t stride = rate_hz > 8000 ? (size_t)rate_hz / 8000u : 1, n = stretch_fade(rate_hz);
    size_t min = (size_t)rate_hz / 1000u * STRETCH_LAG_MIN_US / 1000u;
    size_t max = stretch_lag_max(rate_hz), best = min;
    double fit = -2;
    for (size_t lag = min; lag <= max; lag += stride) {
        struct sums s = compare(x, x + sign * (ptrdiff_t)lag, n, stride);
        double f = likeness(&s);
        if (f > fit) {
            fit = f;
            best = lag;
        }
    }
    size_t from = best > min + stride ? best - stride + 1 : min;
    size_t to = best + stride - 1 < max ? best + stride - 1 : max;
    for (size_t lag = from; stride > 1 && lag <= to; lag++) {
        struct sums s = compare(x, x + sign * (ptrdiff_t)lag, n, 1);
        double f = likeness(&s);
        if (f > fit) {
            fit = f;
            best = lag;
        }
    }
    *ret_fit = fit;
    return best;
}

/* @return the lag to use, or 0 */
static size_t choose(const int16_t *x, int rate_hz, int sign, double fit)
{
    size_t n = stretch_fade(rate_hz), max = stretch_lag_max(rate_hz);
    ptrdiff_t far = sign * (ptrdiff_t)max;
    struct sums s = compare(x, x + far, n, 1);
    if (s.aa < quiet * (double)n && s.bb < quiet * (double)n)
        return max;
    double got = 0;
    size_t lag = best_lag(x, rate_hz, sign, &got);
    return got >= fit ? lag : 0;
}

/* b becomes what a fades into. The two look alike, so the weights add up to one. They may overlap:
 * a write must not reach what is still to be read, so it goes from the far end when b is ahead. */
static void fade(const int16_t *a, int16_t *b, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        size_t i = b > a ? n - 1 - k : k;
        int32_t w = (int32_t)((2 * i + 1) * 32768u / (2 * n));
        b[i] = (int16_t)((a[i] * (32768 - w) + b[i] * w) / 32768);
    }
}

size_t stretch_cut(int16_t *x, int rate_hz, double fit)
{
    size_t lag = choose(x, rate_hz, 1, fit);
    if (lag)
        fade(x, x + lag, stretch_fade(rate_hz));
    return lag;
}

size_t stretch_insert(int16_t *x, int rate_hz, double fit)
{
    size_t lag = choose(x, rate_hz, -1, fit);
    if (lag)
        fade(x, x - lag, stretch_fade(rate_hz));
    return lag;
}
