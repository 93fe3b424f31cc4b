/** bench/esl/driver.h: what the drivers written in C share: clocks, percentiles, the checksum. */
#ifndef VA_BENCH_ESL_DRIVER_H
#define VA_BENCH_ESL_DRIVER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/** Monotonic [s]. */
static inline double wall(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/** The most memory this process had [KB]. What getrusage() tells includes who started it. */
static inline long most_memory(void)
{
    char line[256];
    long kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "VmHWM: %ld", &kb) == 1)
            break;
    }
    if (f)
        (void)fclose(f);
    return kb;
}

/** User and system of this process [s], and most_memory(). */
static inline double cpu(long *ret_rss_kb)
{
    struct rusage r;
    (void)getrusage(RUSAGE_SELF, &r);
    *ret_rss_kb = most_memory();
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static inline int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline void sort_times(double *s, long n)
{
    if (n > 0)
        qsort(s, (size_t)n, sizeof(*s), by_size);
}

/** Of sorted seconds, in µs; 0 of none. */
static inline double share_us(const double *sorted, long n, int percent)
{
    return n > 0 ? sorted[n * percent / 100] * 1e6 : 0;
}

/** The handler of a slow consumer. */
static inline void be_busy(long us)
{
    double until = wall() + (double)us / 1e6;
    while (wall() < until)
        ;
}

static inline uint64_t mix_bytes(uint64_t sum, const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += (unsigned char)p[i];
    return sum + len;
}

#endif
