#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t read_us(clockid_t id)
{
    struct timespec ts;
    (void)clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static uint64_t system_mono(const struct va_clock *clock)
{
    (void)clock;
    return read_us(CLOCK_MONOTONIC);
}

static int64_t system_wall(const struct va_clock *clock)
{
    (void)clock;
    return (int64_t)read_us(CLOCK_REALTIME);
}

const struct va_clock va_clock_system = {system_mono, system_wall};

static uint64_t manual_mono(const struct va_clock *clock)
{
    return ((const struct va_clock_manual *)(const void *)clock)->mono;
}

static int64_t manual_wall(const struct va_clock *clock)
{
    return ((const struct va_clock_manual *)(const void *)clock)->wall;
}

void va_clock_manual_init(struct va_clock_manual *c, uint64_t mono_us, int64_t wall_us)
{
    *c = (struct va_clock_manual){{manual_mono, manual_wall}, mono_us, wall_us};
}

void va_clock_manual_advance(struct va_clock_manual *c, uint64_t us)
{
    c->mono += us;
    c->wall += (int64_t)us;
}

void clock_format_utc(int64_t wall_us, char out[static 25])
{
    time_t sec = (time_t)(wall_us / 1000000);
    struct tm tm;
    (void)gmtime_r(&sec, &tm);
    int ms = (int)(wall_us / 1000 % 1000);
    char text[96]; /* room for what the compiler thinks an int may print */
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
                   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, ms);
    memcpy(out, text, 24);
    out[24] = 0;
}
