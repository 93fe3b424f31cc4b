/** tests/live/live_rig.h: the blocking client of a live test, and how it waits. */
#ifndef VA_LIVE_RIG_H
#define VA_LIVE_RIG_H

#include "esl/blocking.h"
#include "esl/commands.h"
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/** Borrowed until the next call. */
static inline const struct esl_then *live_then(struct esl_answer *a)
{
    static struct esl_then then;
    then = esl_blocking_then(a, 0);
    return &then;
}

/** Text of the result; borrowed from the answer. */
static inline struct str live_wait(struct esl_blocking *b, enum va_err err, struct esl_answer *a)
{
    if (err)
        fail_msg("not sent: %s", va_err_text(err));
    enum va_err got = esl_blocking_wait(b, a);
    assert_int_equal(got, a->err);
    if (got == VA_ECLOSED)
        fail_msg("the connection ended: %s", esl_blocking_why(b));
    return str_make(a->text, a->len);
}

static inline struct esl_blocking *live_open(const char *host, const char *port,
                                             const char *password)
{
    struct esl_blocking *b = NULL;
    struct va_fault fault = {0};
    uint64_t n = 0;
    assert_int_equal(str_to_u64(str_of(port), &n), VA_OK);
    struct esl_client_cfg cfg = {.host = host, .port = (uint16_t)n, .password = password};
    if (esl_blocking_connect(&cfg, &b, &fault))
        (void)fprintf(stderr, "%s\n", fault.text);
    return b;
}

static inline uint64_t live_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

#endif
