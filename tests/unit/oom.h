/** tests/unit/oom.h: the n-th allocation of our own code fails. Needs the linker's --wrap (see
 *  CMakeLists.txt); allocations of shared libraries are not counted. One thread. */
#ifndef VA_OOM_H
#define VA_OOM_H

#include "unit/unit.h"

#include <stdbool.h>
#include <stdlib.h>

static struct {
    size_t count;      /* allocations so far */
    size_t from, many; /* those that fail: many of them, beginning with this (1 is the first) */
    unsigned exempt;   /* > 0: not counted, never fails */
} oom = {.exempt = 1};

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);

static bool oom_now(void)
{
    if (oom.exempt)
        return false;
    oom.count++;
    return oom.count >= oom.from && oom.count - oom.from < oom.many;
}

void *__wrap_malloc(size_t n)
{
    return oom_now() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t n)
{
    return oom_now() ? NULL : __real_calloc(count, n);
}

void *__wrap_realloc(void *p, size_t n)
{
    return oom_now() ? NULL : __real_realloc(p, n);
}

/* Run with each allocation failing in turn, until a run has no more than that. */
static inline void oom_sweep(void (*run)(void), size_t many)
{
    for (size_t n = 1;; n++) {
        oom.count = 0;
        oom.from = n;
        oom.many = many;
        oom.exempt = 1;
        run();
        assert_int_equal(oom.exempt, 1);
        if (oom.count < n)
            break;
        assert_true(n < 100000);
    }
}

#endif
