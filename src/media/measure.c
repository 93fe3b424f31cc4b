#include "media/measure.h"

#include <math.h>
#include <stdlib.h>

enum { CLICK_RATIO = 4, CLICK_SIDE_MS = 10 };

static double to_dbfs(double mean_square)
{
    double db = mean_square > 0 ? 10.0 * log10(mean_square / (32768.0 * 32768.0)) : -1000;
    return db < MEDIA_SILENCE_DBFS ? MEDIA_SILENCE_DBFS : db;
}

double measure_rms_dbfs(const int16_t *pcm, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)pcm[i] * pcm[i];
    return to_dbfs(n ? sum / (double)n : 0);
}

struct measure_run measure_active(const int16_t *pcm, size_t n, int quiet)
{
    size_t from = 0, to = n;
    while (from < n && abs(pcm[from]) <= quiet)
        from++;
    while (to > from && abs(pcm[to - 1]) <= quiet)
        to--;
    return (struct measure_run){from < to ? from : 0, to - from};
}

struct measure_run measure_longest_gap(const int16_t *pcm, size_t n, int quiet)
{
    struct measure_run active = measure_active(pcm, n, quiet), best = {0, 0};
    size_t run = 0;
    for (size_t i = active.at; i < active.at + active.len; i++) {
        run = abs(pcm[i]) <= quiet ? run + 1 : 0;
        if (run > best.len)
            best = (struct measure_run){i + 1 - run, run};
    }
    return best;
}

static int step_at(const int16_t *pcm, size_t i)
{
    return abs(pcm[i] - pcm[i - 1]);
}

/* No step in [from, to) reaches a quarter of `step`. At an end of the recording, where less than
 * `enough` is left to judge by, nothing is calm. */
static bool calm(const int16_t *pcm, size_t from, size_t to, size_t enough, int step)
{
    if (to - from < enough)
        return false;
    for (size_t i = from; i < to; i++)
        if (step_at(pcm, i) * CLICK_RATIO > step)
            return false;
    return true;
}

size_t measure_clicks(const int16_t *pcm, size_t n, int rate_hz, int step, size_t *ret_first)
{
    size_t side = (size_t)rate_hz * CLICK_SIDE_MS / 1000, count = 0;
    for (size_t i = 1; i < n; i++) {
        int d = step_at(pcm, i);
        if (d < step)
            continue;
        size_t from = i > side ? i - side : 1, to = n - i > side ? i + 1 + side : n;
        if (!calm(pcm, from, i, side / 2, d) && !calm(pcm, i + 1, to, side / 2, d))
            continue;
        if (count++ == 0 && ret_first)
            *ret_first = i;
    }
    return count;
}

double measure_tone_dbfs(const int16_t *pcm, size_t n, int rate_hz, double hz)
{
    double w = 6.283185307179586 * hz / rate_hz, c = 2.0 * cos(w), s1 = 0, s2 = 0;
    for (size_t i = 0; i < n; i++) {
        double s0 = pcm[i] + c * s1 - s2;
        s2 = s1;
        s1 = s0;
    }
    double power = s1 * s1 + s2 * s2 - c * s1 * s2, half = (double)n / 2.0;
    return to_dbfs(n ? power / (half * half) / 2.0 : 0);
}

/* Upward crossings, each placed between its samples by a straight line. */
double measure_frequency_hz(const int16_t *pcm, size_t n, int rate_hz)
{
    double first = 0, last = 0;
    size_t crossings = 0;
    for (size_t i = 1; i < n; i++) {
        if (pcm[i - 1] >= 0 || pcm[i] < 0)
            continue;
        double rise = (double)pcm[i] - pcm[i - 1];
        last = (double)i - (double)pcm[i] / rise;
        if (crossings++ == 0)
            first = last;
    }
    return crossings > 1 ? (double)(crossings - 1) * rate_hz / (last - first) : 0;
}
