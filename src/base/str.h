/**
 * base/str.h: byte slices. A slice borrows; it never owns and need not be terminated.
 */
#ifndef VA_BASE_STR_H
#define VA_BASE_STR_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p; /**< may be NULL when len is 0 */
    size_t len;    /**< bytes */
};

/** Slice of a string literal, for initialisers. */
#define STR_LIT(s)                                                                                 \
    {                                                                                              \
        "" s "", sizeof(s) - 1                                                                     \
    }
/** Arguments of a "%.*s" conversion; cuts at INT_MAX. */
#define STR_ARG(s) ((int)((s).len > 0x7fffffff ? 0x7fffffff : (s).len)), ((s).p ? (s).p : "")

/** Slice over a terminated string; NULL gives an empty slice. */
static inline struct str str_of(const char *z)
{
    struct str s = {z, z ? strlen(z) : 0};
    return s;
}

static inline struct str str_make(const char *p, size_t len)
{
    struct str s = {p, len};
    return s;
}

bool str_eq(struct str a, struct str b);
/** ASCII case-insensitive equality, whatever the locale. */
bool str_ieq(struct str a, struct str b);
bool str_eqz(struct str a, const char *z);
bool str_ieqz(struct str a, const char *z);
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
/** Without leading and trailing bytes that are space, tab, CR or LF. */
struct str str_trim(struct str s);

/**
 * Cut off and return the part before the first `sep`; `*rest` moves behind it. Without `sep` the
 * whole rest is returned and `*rest` becomes empty.
 */
struct str str_cut(struct str *rest, char sep);
/** Cut off and return the first word, words being what stands between spaces; empty: there is none.
 */
struct str str_word(struct str *rest);

/**
 * Whole slice as a decimal number: digits only (a leading '-' is allowed for i64), no blanks.
 *
 * @return VA_OK, VA_EINVAL (not a number), VA_ELIMIT (does not fit)
 */
VA_CHECK enum va_err str_to_u64(struct str s, uint64_t *ret_n);
VA_CHECK enum va_err str_to_i64(struct str s, int64_t *ret_n);

/** Copy into a fixed array, always terminated. @return false when it had to be cut. */
bool str_copy(char *dst, size_t cap, struct str s);

/** Heap copy, terminated, freed by free(). NULL when out of memory. */
char *str_dup(struct str s);

/** Edit distance with a ceiling, for "did you mean". Both are taken as ASCII. */
unsigned str_distance(struct str a, struct str b);

/**
 * Of a table of named entries, the name spelled most like `name`; the first of equals.
 *
 * @param names  The name pointer of the first entry; the others follow in steps of `stride` bytes
 * @param count  > 0
 */
const char *str_nearest(struct str name, const char *const *names, size_t count, size_t stride);

#endif
