/**
 * fakefs/meter.h: is a stream of frames on time? And: does it carry speech? I/O-free.
 *
 * Unicast has no sequence numbers, so loss is told from lateness: frame n is due at base + n ·
 * ptime, where base is the earliest arrival seen. A frame that comes late and is followed by frames
 * on time was late; when all of the next METER_LOOKAHEAD frames are late by whole periods, that
 * many frames are missing and the grid moves. A hole longer than METER_PAUSE_MS starts a new grid
 * and counts as a pause, because a sender may stop while it has nothing to say.
 */
#ifndef VA_FAKEFS_METER_H
#define VA_FAKEFS_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    METER_BINS = 1000,
    METER_LOOKAHEAD = 25,
    METER_PAUSE_MS = 400,
    METER_LATE_MS = 5,
    GATE_HANGOVER_MS = 500, /**< quiet that ends the agent's turn */
};

/** Distribution of times. Zero plus bin_us is ready to use. */
struct fakefs_histogram {
    uint64_t bin_us; /**< width of a bin; what is beyond the last bin is in it */
    uint64_t count, max_us;
    uint32_t bin[METER_BINS];
};
void fakefs_histogram_add(struct fakefs_histogram *h, uint64_t us);
void fakefs_histogram_merge(struct fakefs_histogram *into, const struct fakefs_histogram *from);
/** Upper edge of the bin where `permille` of the values lie below [µs]; max_us at the last one. */
uint64_t fakefs_histogram_at(const struct fakefs_histogram *h, unsigned permille);

struct fakefs_meter {
    struct fakefs_histogram *lateness; /**< borrowed; may be shared by many meters of a thread */
    uint64_t period_us;
    uint64_t frames, lost, extra, late, pauses;
    uint64_t max_gap_us; /**< longest time between two frames, pauses not counted */
    uint64_t last_us, base_us, next;
    int64_t pending[METER_LOOKAHEAD]; /**< lateness of frames not judged yet */
    size_t head, fill;
};
void fakefs_meter_init(struct fakefs_meter *m, unsigned ptime_ms,
                       struct fakefs_histogram *lateness);
void fakefs_meter_add(struct fakefs_meter *m, uint64_t arrival_us);
/** The stream ended: judge what is pending. */
void fakefs_meter_end(struct fakefs_meter *m);

enum fakefs_gate_event { GATE_NONE, GATE_ONSET, GATE_OFFSET };

/** Speech by level alone: good enough for an agent's clean audio. Zero is ready to use. */
struct fakefs_gate {
    bool speaking;
    uint64_t onset_us; /**< first frame of the last speech */
    uint64_t last_us;  /**< last frame with speech */
};
enum fakefs_gate_event fakefs_gate_feed(struct fakefs_gate *g, const int16_t *pcm, size_t n,
                                        uint64_t now_us);
/** Without a frame: speech ends also when frames stop coming. */
enum fakefs_gate_event fakefs_gate_idle(struct fakefs_gate *g, uint64_t now_us);

#endif
