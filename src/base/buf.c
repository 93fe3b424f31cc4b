#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_free(struct buf *b)
{
    if (!b)
        return;
    free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->err = VA_OK;
    if (b->p)
        b->p[0] = 0;
}

static enum va_err fail(struct buf *b, enum va_err err)
{
    free(b->p);
    *b = (struct buf){.max = b->max, .err = err};
    return err;
}

enum va_err buf_reserve(struct buf *b, size_t len)
{
    if (b->err)
        return b->err;
    if (len > b->max || b->len > b->max - len)
        return fail(b, VA_ELIMIT);
    size_t need = b->len + len + 1;
    if (need <= b->cap)
        return VA_OK;
    size_t cap = b->cap ? b->cap * 2 : 64;
    if (cap < need)
        cap = need;
    if (cap - 1 > b->max)
        cap = b->max + 1;
    char *p = realloc(b->p, cap);
    if (!p)
        return fail(b, VA_ENOMEM);
    b->p = p;
    b->cap = cap;
    return VA_OK;
}

enum va_err buf_add(struct buf *b, const void *p, size_t len)
{
    enum va_err err = buf_reserve(b, len);
    if (err)
        return err;
    if (len)
        memcpy(b->p + b->len, p, len);
    b->len += len;
    b->p[b->len] = 0;
    return VA_OK;
}

enum va_err buf_addz(struct buf *b, const char *z)
{
    return buf_add(b, z, strlen(z));
}

enum va_err buf_adds(struct buf *b, struct str s)
{
    return buf_add(b, s.p, s.len);
}

enum va_err buf_addc(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

enum va_err buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    enum va_err err = buf_addfv(b, fmt, ap);
    va_end(ap);
    return err;
}

enum va_err buf_addfv(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int need = vsnprintf(NULL, 0, fmt, ap);
    enum va_err err = need < 0 ? fail(b, VA_EINVAL) : buf_reserve(b, (size_t)need);
    if (!err) {
        (void)vsnprintf(b->p + b->len, (size_t)need + 1, fmt, again);
        b->len += (size_t)need;
    }
    va_end(again);
    return err;
}

void buf_consume(struct buf *b, size_t n)
{
    assert(n <= b->len);
    if (n == 0)
        return;
    memmove(b->p, b->p + n, b->len - n);
    b->len -= n;
    b->p[b->len] = 0;
}
