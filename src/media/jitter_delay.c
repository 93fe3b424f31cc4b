#include "media/jitter_delay.h"

static int64_t clamp(int64_t x, int64_t min, int64_t max)
{
    return x < min ? min : x > max ? max : x;
}

void jitter_delay_anew(struct jitter_delay *d)
{
    d->any = false;
    for (unsigned i = 0; i < JITTER_DELAY_PARTS; i++)
        d->least[i] = INT64_MAX;
}

/* What is expected at the start is one packet of the histogram: the more come, the less it weighs.
 */
void jitter_delay_init(struct jitter_delay *d, int min_ms, int start_ms, int max_ms, int spare_ms)
{
    *d = (struct jitter_delay){.min_us = min_ms * 1000,
                               .max_us = max_ms * 1000,
                               .spare_us = spare_ms * 1000,
                               .target_us = start_ms * 1000};
    int64_t bin = ((int64_t)start_ms - spare_ms) / JITTER_DELAY_BIN_MS - 1;
    d->bins[clamp(bin, 0, JITTER_DELAY_BINS - 1)] = 1;
    d->target_us = clamp(d->target_us, d->min_us, d->max_us);
    jitter_delay_anew(d);
}

static void note_base(struct jitter_delay *d, int64_t transit_us, uint64_t arrival_us)
{
    uint64_t part = arrival_us / (JITTER_DELAY_PART_MS * 1000u);
    if (!d->any || part - d->part >= JITTER_DELAY_PARTS) {
        jitter_delay_anew(d);
        d->any = true;
        d->part = part;
    }
    while (d->part < part)
        d->least[++d->part % JITTER_DELAY_PARTS] = INT64_MAX;
    int64_t *now = &d->least[part % JITTER_DELAY_PARTS];
    if (transit_us < *now)
        *now = transit_us;
    d->base_us = INT64_MAX;
    for (unsigned i = 0; i < JITTER_DELAY_PARTS; i++)
        if (d->least[i] < d->base_us)
            d->base_us = d->least[i];
}

/* Each packet's weight: as many as came so far share the histogram, at most MEMORY. */
static void note_bin(struct jitter_delay *d, int64_t over_us)
{
    if (d->seen < JITTER_DELAY_MEMORY - 2)
        d->seen++;
    float weight = 1.0f / (float)(d->seen + 1), keep = 1.0f - weight;
    for (unsigned i = 0; i < JITTER_DELAY_BINS; i++)
        d->bins[i] *= keep;
    d->bins[clamp(over_us / (JITTER_DELAY_BIN_MS * 1000), 0, JITTER_DELAY_BINS - 1)] += weight;
}

static int64_t quantile_us(const struct jitter_delay *d)
{
    float above = 0;
    unsigned i = JITTER_DELAY_BINS;
    while (i > 1 && above + d->bins[i - 1] < JITTER_DELAY_LATE_OF_1000 / 1000.0f)
        above += d->bins[--i];
    return (int64_t)i * JITTER_DELAY_BIN_MS * 1000;
}

void jitter_delay_note(struct jitter_delay *d, int64_t transit_us, uint64_t arrival_us)
{
    note_base(d, transit_us, arrival_us);
    if (transit_us - d->base_us <= d->max_us)
        note_bin(d, transit_us - d->base_us);
    d->target_us = clamp(quantile_us(d) + d->spare_us, d->min_us, d->max_us);
}
