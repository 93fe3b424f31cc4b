#include "base/str.h"

#include <stdlib.h>

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool str_ieq(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool str_eqz(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}

bool str_ieqz(struct str a, const char *z)
{
    return str_ieq(a, str_of(z));
}

bool str_starts(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.len >= n && memcmp(s.p, prefix, n) == 0;
}

bool str_ends(struct str s, const char *suffix)
{
    size_t n = strlen(suffix);
    return s.len >= n && (n == 0 || memcmp(s.p + s.len - n, suffix, n) == 0);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len && blank(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len && blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

struct str str_cut(struct str *rest, char sep)
{
    struct str head = *rest;
    const char *at = rest->len ? memchr(rest->p, sep, rest->len) : NULL;
    if (!at) {
        rest->p = rest->p ? rest->p + rest->len : NULL;
        rest->len = 0;
        return head;
    }
    head.len = (size_t)(at - head.p);
    rest->len -= head.len + 1;
    rest->p = at + 1;
    return head;
}

struct str str_word(struct str *rest)
{
    struct str word = str_make(NULL, 0);
    while (rest->len && !word.len)
        word = str_cut(rest, ' ');
    return word;
}

enum va_err str_to_u64(struct str s, uint64_t *ret_n)
{
    uint64_t n = 0;
    if (s.len == 0)
        return VA_EINVAL;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return VA_EINVAL;
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (n > (UINT64_MAX - digit) / 10)
            return VA_ELIMIT;
        n = n * 10 + digit;
    }
    *ret_n = n;
    return VA_OK;
}

enum va_err str_to_i64(struct str s, int64_t *ret_n)
{
    bool negative = s.len && s.p[0] == '-';
    if (negative) {
        s.p++;
        s.len--;
    }
    uint64_t n = 0;
    enum va_err err = str_to_u64(s, &n);
    if (err)
        return err;
    if (n > (uint64_t)INT64_MAX)
        return VA_ELIMIT;
    *ret_n = negative ? -(int64_t)n : (int64_t)n;
    return VA_OK;
}

bool str_copy(char *dst, size_t cap, struct str s)
{
    if (cap == 0)
        return s.len == 0;
    size_t n = s.len < cap ? s.len : cap - 1;
    if (n)
        memcpy(dst, s.p, n);
    dst[n] = 0;
    return n == s.len;
}

char *str_dup(struct str s)
{
    char *z = malloc(s.len + 1);
    if (!z)
        return NULL;
    if (s.len)
        memcpy(z, s.p, s.len);
    z[s.len] = 0;
    return z;
}

unsigned str_distance(struct str a, struct str b)
{
    enum { MAX = 64 };
    unsigned row[MAX + 1];
    if (a.len > MAX || b.len > MAX)
        return MAX;
    for (unsigned j = 0; j <= b.len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned up = row[j];
            unsigned best = diagonal + (lower(a.p[i - 1]) != lower(b.p[j - 1]));
            if (up + 1 < best)
                best = up + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = up;
        }
    }
    return row[b.len];
}

const char *str_nearest(struct str name, const char *const *names, size_t count, size_t stride)
{
    const char *best = NULL;
    unsigned least = ~0u;
    for (size_t i = 0; i < count; i++) {
        const char *entry = *(const char *const *)(const void *)((const char *)names + i * stride);
        unsigned d = str_distance(name, str_of(entry));
        if (d < least) {
            least = d;
            best = entry;
        }
    }
    return best;
}
