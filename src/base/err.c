#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <uv.h>

struct err_row {
    const char *name;
    const char *text;
    bool retryable;
};

static const struct err_row rows[VA_ERR_COUNT] = {
#define X(sym, text, retry) [sym] = {#sym, text, retry},
    VA_ERR_MAP(X)
#undef X
};

static const struct err_row *row(enum va_err err)
{
    static const struct err_row unknown = {"VA_E?", "unknown error", false};
    return (unsigned)err < VA_ERR_COUNT ? &rows[err] : &unknown;
}

const char *va_err_text(enum va_err err)
{
    return row(err)->text;
}

const char *va_err_name(enum va_err err)
{
    return row(err)->name;
}

bool va_err_retryable(enum va_err err)
{
    return row(err)->retryable;
}

enum va_err va_err_from_errno(int err)
{
    switch (err) {
    case 0: return VA_OK;
    case EINVAL: return VA_EINVAL;
    case ENOMEM: return VA_ENOMEM;
    case EMFILE:
    case ENFILE:
    case ENOBUFS: return VA_ELIMIT;
    case EAGAIN: return VA_EAGAIN;
    case ETIMEDOUT: return VA_ETIMEOUT;
    case EPIPE:
    case ECONNRESET: return VA_ECLOSED;
    case ENOENT: return VA_ENOTFOUND;
    case EEXIST: return VA_EEXIST;
    case EADDRINUSE: return VA_EINUSE;
    case ECONNREFUSED:
    case EACCES:
    case EPERM: return VA_EREFUSED;
    case ECANCELED: return VA_ECANCELED;
    default: return VA_EIO;
    }
}

enum va_err va_err_from_uv(int status)
{
    if (status == UV_EOF)
        return VA_ECLOSED;
    return va_err_from_errno(status < 0 ? -status : 0);
}

enum va_err va_fault_set(struct va_fault *fault, enum va_err code, const char *fmt, ...)
{
    if (!fault)
        return code;
    fault->code = code;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(fault->text, sizeof(fault->text), fmt, ap);
    va_end(ap);
    for (char *p = fault->text; *p; p++) /* what is quoted in it may hold line ends */
        if ((unsigned char)*p < ' ')
            *p = ' ';
    return code;
}
