#include "ai/speech/pieces.h"

#include <stdbool.h>

enum {
    FRAME_MS = 20,
    PAUSE_FRAMES = 200 / FRAME_MS,
    LEAST_FRAMES = 150 / FRAME_MS,
    AROUND_FRAMES = 100 / FRAME_MS,
    QUIET_DIVISOR = 300 /* of the loudest frame's energy: about -25 dB */
};

static uint64_t energy(const int16_t *samples, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (uint64_t)((int64_t)samples[i] * samples[i]);
    return sum;
}

static uint64_t loudest(const int16_t *samples, size_t frames, size_t n)
{
    uint64_t most = 0;
    for (size_t f = 0; f < frames; f++) {
        uint64_t e = energy(samples + f * n, n);
        most = e > most ? e : most;
    }
    return most;
}

static struct piece widened(size_t first, size_t last, size_t frames, size_t n)
{
    size_t from = first > AROUND_FRAMES ? first - AROUND_FRAMES : 0;
    size_t to = last + 1 + AROUND_FRAMES < frames ? last + 1 + AROUND_FRAMES : frames;
    return (struct piece){from * n, (to - from) * n};
}

size_t pieces_find(const int16_t *samples, size_t count, int rate_hz, struct piece out[PIECES_MAX])
{
    size_t n = (size_t)rate_hz / 1000 * FRAME_MS, frames = count / n, found = 0;
    uint64_t quiet = loudest(samples, frames, n) / QUIET_DIVISOR;
    size_t first = 0, last = 0;
    bool open = false;
    for (size_t f = 0; f <= frames && found < PIECES_MAX; f++) {
        bool loud = f < frames && energy(samples + f * n, n) > quiet;
        if (loud && !open)
            first = f;
        if (loud)
            last = f;
        open = open || loud;
        if (open && (f == frames || f - last >= PAUSE_FRAMES)) {
            if (last - first + 1 >= LEAST_FRAMES)
                out[found++] = widened(first, last, frames, n);
            open = false;
        }
    }
    return found;
}
