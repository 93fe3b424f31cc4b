#include "base/json_write.h"
#include "base/utf8.h"

#include <inttypes.h>

void jw_begin(struct json_writer *w, struct buf *out)
{
    *w = (struct json_writer){.out = out};
}

static void add(struct json_writer *w, const char *p, size_t len)
{
    (void)buf_add(w->out, p, len); /* a failure sticks to the buf */
}

/* Comma and key before a value. */
static void lead(struct json_writer *w, const char *key)
{
    uint32_t bit = (uint32_t)1 << w->depth;
    if (w->used & bit)
        (void)buf_addc(w->out, ',');
    w->used |= bit;
    if (!key)
        return;
    (void)buf_addc(w->out, '"');
    (void)buf_addz(w->out, key);
    add(w, "\":", 2);
}

static void open_level(struct json_writer *w, const char *key, bool array)
{
    lead(w, key);
    (void)buf_addc(w->out, array ? '[' : '{');
    if (w->depth == JSON_WRITE_DEPTH_MAX - 1) {
        w->out->err = w->out->err ? w->out->err : VA_EINVAL;
        return;
    }
    w->depth++;
    uint32_t bit = (uint32_t)1 << w->depth;
    w->used &= ~bit;
    w->array = array ? w->array | bit : w->array & ~bit;
}

void jw_object(struct json_writer *w, const char *key)
{
    open_level(w, key, false);
}

void jw_array(struct json_writer *w, const char *key)
{
    open_level(w, key, true);
}

void jw_end(struct json_writer *w)
{
    if (!w->depth) {
        w->out->err = w->out->err ? w->out->err : VA_EINVAL;
        return;
    }
    (void)buf_addc(w->out, w->array & (uint32_t)1 << w->depth ? ']' : '}');
    w->depth--;
}

static void escape_one(struct buf *out, unsigned char c)
{
    switch (c) {
    case '"': (void)buf_add(out, "\\\"", 2); break;
    case '\\': (void)buf_add(out, "\\\\", 2); break;
    case '\n': (void)buf_add(out, "\\n", 2); break;
    case '\r': (void)buf_add(out, "\\r", 2); break;
    case '\t': (void)buf_add(out, "\\t", 2); break;
    default: (void)buf_addf(out, "\\u%04x", c);
    }
}

enum va_err jw_escape(struct buf *out, struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t from = 0;
    for (size_t i = 0; i < s.len;) {
        size_t n = utf8_char(str_make(s.p + i, s.len - i));
        bool plain = n > 1 || (n == 1 && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\');
        if (plain) {
            i += n;
            continue;
        }
        (void)buf_add(out, s.p + from, i - from);
        if (n)
            escape_one(out, p[i]);
        else
            (void)buf_add(out, "\xEF\xBF\xBD", 3);
        from = ++i;
    }
    return s.len ? buf_add(out, s.p + from, s.len - from) : out->err;
}

void jw_str(struct json_writer *w, const char *key, struct str s)
{
    lead(w, key);
    (void)buf_addc(w->out, '"');
    (void)jw_escape(w->out, s);
    (void)buf_addc(w->out, '"');
}

void jw_text(struct json_writer *w, const char *key, const char *z)
{
    jw_str(w, key, str_of(z));
}

void jw_int(struct json_writer *w, const char *key, int64_t n)
{
    lead(w, key);
    (void)buf_addf(w->out, "%" PRId64, n);
}

void jw_milli(struct json_writer *w, const char *key, int64_t n)
{
    lead(w, key);
    uint64_t u = n < 0 ? (uint64_t)0 - (uint64_t)n : (uint64_t)n;
    (void)buf_addf(w->out, "%s%" PRIu64 ".%03" PRIu64, n < 0 ? "-" : "", u / 1000, u % 1000);
}

void jw_bool(struct json_writer *w, const char *key, bool b)
{
    lead(w, key);
    (void)buf_addz(w->out, b ? "true" : "false");
}

void jw_null(struct json_writer *w, const char *key)
{
    lead(w, key);
    (void)buf_addz(w->out, "null");
}

enum va_err jw_finish(struct json_writer *w)
{
    if (!w->out->err && w->depth)
        w->out->err = VA_EINVAL;
    return w->out->err;
}
