/**
 * media/clock.h: the one media clock of a worker: a timerfd that turns a wheel of 5 ms slots.
 *
 *     timerfd ──5 ms──► uv_poll ──► media_clock_advance_to(now) ──► slot 7: on_tick, on_tick …
 *                                                                   slot 8: on_tick …
 *
 * Each member ticks exactly once per period counted from a monotonic origin: no drift. When the
 * loop was late, the missed ticks follow at once, so that the far end's sample clock is kept; what
 * is older than MEDIA_CLOCK_CATCHUP_MS is skipped and counted. Members are put where the wheel is
 * emptiest, so the work is spread over the slots. Without members the timer is off.
 *
 * All on the loop's thread.
 */
#ifndef VA_MEDIA_CLOCK_H
#define VA_MEDIA_CLOCK_H

#include "net/loop.h"

enum {
    MEDIA_CLOCK_SLOT_MS = 5,
    MEDIA_CLOCK_CATCHUP_MS = 100,
    MEDIA_CLOCK_LATE_MS = 5,       /**< a tick later than this counts as late */
    MEDIA_CLOCK_LATENESS_BINS = 84 /**< four per octave, 0 µs … > 1 s */
};

struct media_clock;

/** A member. Embed it; zero before the first join. Its fields belong to the clock. */
struct media_tick {
    struct link link;
    struct media_clock *clock; /**< NULL while not a member */
    void (*on_tick)(void *arg, uint64_t now_us);
    void *arg;
    uint64_t due_slot;
    uint32_t period_slots;
    uint64_t skipped; /**< ticks this member lost to a stall longer than the catch-up; readable */
};

/** Uses loop_clock(loop) for the time; a timer and a poll handle on the loop.
 *  @return VA_OK, VA_ENOMEM, VA_ELIMIT (descriptors), VA_EIO */
VA_CHECK enum va_err media_clock_new(struct loop *loop, struct media_clock **ret_clock);
/**
 * After a stall, deliver what is at most `ms` old and skip the rest. Default and maximum is
 * MEDIA_CLOCK_CATCHUP_MS, which keeps a far end's sample clock. One period is right towards a far
 * end that queues what comes early: there a burst would stay as delay for the rest of the call.
 */
void media_clock_set_catchup(struct media_clock *clock, int ms);
/** Members are put off the clock first. Not from inside a tick. NULL-safe. */
void media_clock_free(struct media_clock **clock);

/**
 * Tick once per period; the first tick comes within one period. A member that joins again is moved.
 * Safe inside a tick.
 *
 * @param period_ms  5, 10, 15, 20, 30, 40 or 60
 * @param on_tick    May join, leave and free any member, itself too. `now_us` is the actual
 *                   monotonic time, for measuring; the cadence is what counts the samples
 * @return VA_OK, VA_EINVAL
 */
VA_CHECK enum va_err media_clock_join(struct media_clock *clock, struct media_tick *tick,
                                      int period_ms, void (*on_tick)(void *arg, uint64_t now_us),
                                      void *arg);
/** No tick follows. Idempotent; safe inside a tick. */
void media_clock_leave(struct media_tick *tick);

/** Deliver all that is due at `now_us` (same origin as loop_clock). The timer calls it; tests too.
 */
void media_clock_advance_to(struct media_clock *clock, uint64_t now_us);

struct media_clock_stats {
    size_t members;
    uint64_t ticks;
    uint64_t late;           /**< ticks more than MEDIA_CLOCK_LATE_MS after their time */
    uint64_t skipped;        /**< ticks never delivered */
    uint64_t p50_us, p99_us; /**< lateness: upper edge of the bin */
    uint64_t max_us;         /**< lateness, exact */
    uint64_t bins[MEDIA_CLOCK_LATENESS_BINS];
};

void media_clock_stats(const struct media_clock *clock, struct media_clock_stats *ret_stats);
/** Start the lateness figures and counters anew. */
void media_clock_stats_reset(struct media_clock *clock);
/** Upper edge of a bin [µs], inclusive; UINT64_MAX for the last. */
uint64_t media_clock_bin_edge_us(unsigned bin);

#endif
