/**
 * base/buf.h: a growing byte buffer with a ceiling given at birth.
 *
 * On any failure (ceiling, memory) the buffer frees its bytes and stays failed, so a chain of
 * appends needs one check at its end: `if (buf_failed(&b))`. One thread at a time.
 */
#ifndef VA_BASE_BUF_H
#define VA_BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

#include <stdarg.h>

struct buf {
    char *p;    /**< bytes; terminated by a NUL that is not counted in len; NULL while empty */
    size_t len; /**< bytes in use */
    size_t cap; /**< bytes allocated */
    size_t max; /**< ceiling for len [bytes] */
    enum va_err err;
};

/** Empty buffer that never grows beyond `max` bytes. Allocates nothing. */
void buf_init(struct buf *b, size_t max);
/** Release the bytes; the buffer is empty and usable again. NULL-safe. */
void buf_free(struct buf *b);
/** Forget the content, keep the memory and clear a failure. */
void buf_reset(struct buf *b);
/** @return VA_OK, VA_ELIMIT (ceiling), VA_ENOMEM. The same code is kept in b->err. */
enum va_err buf_add(struct buf *b, const void *p, size_t len);
enum va_err buf_addz(struct buf *b, const char *z);
enum va_err buf_adds(struct buf *b, struct str s);
enum va_err buf_addc(struct buf *b, char c);
VA_PRINTF(2, 3) enum va_err buf_addf(struct buf *b, const char *fmt, ...);
VA_PRINTF(2, 0) enum va_err buf_addfv(struct buf *b, const char *fmt, va_list ap);
/** Room for `len` more bytes; the caller writes at b->p + b->len and then adds to b->len. */
enum va_err buf_reserve(struct buf *b, size_t len);
/** Drop the first `n` bytes. n must be ≤ len. */
void buf_consume(struct buf *b, size_t n);

static inline bool buf_failed(const struct buf *b)
{
    return b->err != VA_OK;
}

static inline struct str buf_str(const struct buf *b)
{
    return str_make(b->p, b->len);
}

/** Content as a terminated string, "" when empty. Borrowed until the next change. */
static inline const char *buf_z(const struct buf *b)
{
    return b->p ? b->p : "";
}

#endif
