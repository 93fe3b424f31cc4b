/**
 * media/jitter_delay.h: how long packets are under way, beyond the fastest of the last two seconds,
 * and how much delay makes nearly all of them come in time. Open value, no allocation. One thread.
 *
 * In principle as NetEq does it (relative arrival delay against a window's minimum, a histogram
 * that forgets, a quantile of it). The minimum moves with the two ends' clocks, so that drift needs
 * no estimate of its own.
 */
#ifndef VA_MEDIA_JITTER_DELAY_H
#define VA_MEDIA_JITTER_DELAY_H

#include "base/err.h"

#include <stdint.h>

enum {
    JITTER_DELAY_PARTS = 8, /**< of the window */
    JITTER_DELAY_PART_MS = 250,
    JITTER_DELAY_BINS = 128,
    JITTER_DELAY_BIN_MS = 5,
    JITTER_DELAY_MEMORY = 250,     /**< packets: 5 s at 20 ms */
    JITTER_DELAY_LATE_OF_1000 = 10 /**< packets that may come later than the target allows */
};

struct jitter_delay {
    int64_t min_us, max_us, spare_us;  /**< bounds of the target; what it has above the quantile */
    bool any;                          /**< a packet was noted since the last anew() */
    uint64_t part;                     /**< number of the newest part of the window */
    int64_t least[JITTER_DELAY_PARTS]; /**< least transit of each [µs]; INT64_MAX: none */
    int64_t base_us;                   /**< least of all [µs, arrival minus media time] */
    unsigned seen;
    float bins[JITTER_DELAY_BINS]; /**< share of packets by delay over the base; their sum is 1 */
    int64_t target_us;             /**< delay over the base to play at */
};

/**
 * @param min_ms, max_ms  Bounds of the target
 * @param start_ms        Target until about a hundred packets have come
 * @param spare_ms        Added to the quantile: the frame that must be whole when its tick comes
 */
void jitter_delay_init(struct jitter_delay *d, int min_ms, int start_ms, int max_ms, int spare_ms);
/** Media times begin anew: forget the window, keep the histogram. */
void jitter_delay_anew(struct jitter_delay *d);
/** A packet came. One that no allowed delay would have been enough for does not move the target.
 *  @param transit_us  Arrival minus media time, of any origin */
void jitter_delay_note(struct jitter_delay *d, int64_t transit_us, uint64_t arrival_us);

#endif
