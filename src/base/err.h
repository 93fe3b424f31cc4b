/**
 * base/err.h: the one error type of the whole program.
 *
 * Functions that can fail return `enum va_err` (0 is success) and set their `ret_` outputs only on
 * success. Where a person has to read the reason, the function also fills a `struct va_fault`:
 * one line that names the cause and the fix.
 */
#ifndef VA_BASE_ERR_H
#define VA_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

/* X(symbol, text, retryable): retryable means the same call may succeed later without a change. */
#define VA_ERR_MAP(X)                                                                              \
    X(VA_OK, "success", false)                                                                     \
    X(VA_EINVAL, "invalid argument", false)                                                        \
    X(VA_ENOMEM, "out of memory", true)                                                            \
    X(VA_ELIMIT, "limit reached", true)                                                            \
    X(VA_EAGAIN, "not ready yet", true)                                                            \
    X(VA_EPROTO, "protocol error", false)                                                          \
    X(VA_EIO, "input/output error", true)                                                          \
    X(VA_ETIMEOUT, "timed out", true)                                                              \
    X(VA_ECLOSED, "closed", false)                                                                 \
    X(VA_ENOTFOUND, "not found", false)                                                            \
    X(VA_EEXIST, "already there", false)                                                           \
    X(VA_EINUSE, "address in use", true)                                                           \
    X(VA_EREFUSED, "refused", true)                                                                \
    X(VA_EAUTH, "authentication failed", false)                                                    \
    X(VA_ENOTSUP, "not supported", false)                                                          \
    X(VA_ECANCELED, "canceled", false)                                                             \
    X(VA_ECONFIG, "wrong configuration", false)                                                    \
    X(VA_EBUSY, "busy", true)                                                                      \
    X(VA_EINTR, "interrupted", true)

enum va_err {
#define X(sym, text, retry) sym,
    VA_ERR_MAP(X)
#undef X
        VA_ERR_COUNT
};

#define VA_CHECK        __attribute__((warn_unused_result))
#define VA_PRINTF(f, a) __attribute__((format(printf, f, a)))

/** Short English text of a code ("timed out"). Never NULL. Any thread. */
const char *va_err_text(enum va_err err);

/** Symbol of a code ("VA_ETIMEOUT"). Never NULL. Any thread. */
const char *va_err_name(enum va_err err);

/** True when the same call may succeed later without any change by the caller. */
bool va_err_retryable(enum va_err err);

/** Nearest code for a positive errno value (ECONNREFUSED → VA_EREFUSED, …). */
enum va_err va_err_from_errno(int err);

/** Nearest code for a negative libuv status. */
enum va_err va_err_from_uv(int status);

/** A failure as a person reads it: one line, cause and fix, no newline, always terminated. */
struct va_fault {
    enum va_err code;
    char text[512];
};

/**
 * Fill a fault and return its code, so that a function can end with
 * `return va_fault_set(fault, VA_EINUSE, "port %d is taken; …", port);`
 *
 * @param fault  May be NULL (only the code is returned)
 */
VA_PRINTF(3, 4)
enum va_err va_fault_set(struct va_fault *fault, enum va_err code, const char *fmt, ...);

#endif
