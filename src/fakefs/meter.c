#include "fakefs/meter.h"

#include <string.h>

void fakefs_histogram_add(struct fakefs_histogram *h, uint64_t us)
{
    uint64_t bin = us / h->bin_us;
    h->bin[bin < METER_BINS ? bin : METER_BINS - 1]++;
    h->count++;
    if (us > h->max_us)
        h->max_us = us;
}

void fakefs_histogram_merge(struct fakefs_histogram *into, const struct fakefs_histogram *from)
{
    for (size_t i = 0; i < METER_BINS; i++)
        into->bin[i] += from->bin[i];
    into->count += from->count;
    if (from->max_us > into->max_us)
        into->max_us = from->max_us;
}

uint64_t fakefs_histogram_at(const struct fakefs_histogram *h, unsigned permille)
{
    uint64_t want = h->count * permille / 1000, seen = 0;
    for (size_t i = 0; i + 1 < METER_BINS; i++) {
        seen += h->bin[i];
        if (seen > want) {
            uint64_t edge = (i + 1) * h->bin_us;
            return edge < h->max_us ? edge : h->max_us;
        }
    }
    return h->max_us;
}

void fakefs_meter_init(struct fakefs_meter *m, unsigned ptime_ms, struct fakefs_histogram *lateness)
{
    memset(m, 0, sizeof(*m));
    m->period_us = ptime_ms * 1000ull;
    m->lateness = lateness;
}

static int64_t least_pending(const struct fakefs_meter *m)
{
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < m->fill; i++) {
        int64_t late = m->pending[(m->head + i) % METER_LOOKAHEAD];
        least = late < least ? late : least;
    }
    return least;
}

static void shift(struct fakefs_meter *m, int64_t us)
{
    m->base_us = (uint64_t)((int64_t)m->base_us + us);
    for (size_t i = 0; i < m->fill; i++)
        m->pending[(m->head + i) % METER_LOOKAHEAD] -= us;
}

/* Judge the oldest pending frame by those that came after it. */
static void judge(struct fakefs_meter *m)
{
    int64_t period = (int64_t)m->period_us, least = least_pending(m);
    if (least >= period * 9 / 10) {
        int64_t missing = (least + period / 2) / period;
        m->lost += (uint64_t)missing;
        shift(m, missing * period);
    }
    int64_t late = m->pending[m->head];
    m->head = (m->head + 1) % METER_LOOKAHEAD;
    m->fill--;
    late = late < 0 ? 0 : late;
    m->late += late > METER_LATE_MS * 1000;
    fakefs_histogram_add(m->lateness, (uint64_t)late);
}

void fakefs_meter_end(struct fakefs_meter *m)
{
    while (m->fill)
        judge(m);
    m->next = 0;
}

void fakefs_meter_add(struct fakefs_meter *m, uint64_t arrival_us)
{
    uint64_t gap = m->frames ? arrival_us - m->last_us : 0;
    m->last_us = arrival_us;
    m->frames++;
    if (gap > METER_PAUSE_MS * 1000ull) {
        m->pauses++;
        fakefs_meter_end(m);
    } else if (gap > m->max_gap_us) {
        m->max_gap_us = gap;
    }
    if (m->fill == METER_LOOKAHEAD)
        judge(m); /* may move the grid */
    if (m->next == 0)
        m->base_us = arrival_us;
    int64_t late = (int64_t)(arrival_us - m->base_us) - (int64_t)(m->next++ * m->period_us);
    if (late < -(int64_t)m->period_us * 3 / 4) { /* one frame more than its time allows */
        m->extra++;
        m->next--;
        late += (int64_t)m->period_us;
    }
    m->pending[(m->head + m->fill++) % METER_LOOKAHEAD] = late;
    if (late < 0) /* the earliest so far: everyone else was that much later */
        shift(m, late);
}

static bool loud(const int16_t *pcm, size_t n)
{
    enum { THRESHOLD = 184 /* −45 dBFS */ };
    int64_t sum = 0;
    bool constant = true;
    for (size_t i = 0; i < n; i++) {
        sum += (int64_t)pcm[i] * pcm[i];
        constant = constant && pcm[i] == pcm[0];
    }
    return n && !constant && sum > (int64_t)n * THRESHOLD * THRESHOLD;
}

enum fakefs_gate_event fakefs_gate_feed(struct fakefs_gate *g, const int16_t *pcm, size_t n,
                                        uint64_t now_us)
{
    if (!loud(pcm, n))
        return fakefs_gate_idle(g, now_us);
    g->last_us = now_us;
    if (g->speaking)
        return GATE_NONE;
    g->speaking = true;
    g->onset_us = now_us;
    return GATE_ONSET;
}

enum fakefs_gate_event fakefs_gate_idle(struct fakefs_gate *g, uint64_t now_us)
{
    if (!g->speaking || now_us < g->last_us + GATE_HANGOVER_MS * 1000ull)
        return GATE_NONE;
    g->speaking = false;
    return GATE_OFFSET;
}
