/**
 * base/clock.h: the only place that asks the system for the time.
 *
 * A clock is injected wherever time matters, so tests can turn it by hand.
 */
#ifndef VA_BASE_CLOCK_H
#define VA_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct va_clock {
    uint64_t (*mono_us)(const struct va_clock *clock); /**< monotonic [µs], origin arbitrary */
    int64_t (*wall_us)(const struct va_clock *clock);  /**< since 1970-01-01 UTC [µs] */
};

/** The system's clock (CLOCK_MONOTONIC, CLOCK_REALTIME). Any thread. */
extern const struct va_clock va_clock_system;

/** A clock that only moves when told to. Embed it and pass &c->base. */
struct va_clock_manual {
    struct va_clock base;
    uint64_t mono;
    int64_t wall;
};
void va_clock_manual_init(struct va_clock_manual *c, uint64_t mono_us, int64_t wall_us);
void va_clock_manual_advance(struct va_clock_manual *c, uint64_t us);

static inline uint64_t clock_mono_us(const struct va_clock *c)
{
    return c->mono_us(c);
}

static inline int64_t clock_wall_us(const struct va_clock *c)
{
    return c->wall_us(c);
}

/** "2026-11-22T12:43:59.123Z" (24 bytes and NUL). */
void clock_format_utc(int64_t wall_us, char out[static 25]);

#endif
