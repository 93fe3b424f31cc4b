/**
 * base/utf8.h: UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF.
 * Any thread.
 */
#ifndef VA_BASE_UTF8_H
#define VA_BASE_UTF8_H

#include "base/str.h"

/** Bytes of the character that `s` begins with; 0: it begins with none, or is empty. */
static inline size_t utf8_char(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (!s.len)
        return 0;
    unsigned char c = p[0];
    size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (n == 0 || n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) || /* overlong; surrogates */
        (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))   /* overlong; above U+10FFFF */
        return 0;
    return n;
}

/** The whole of it is. */
bool utf8_valid(struct str s);

/** Where `s` may be cut, so that at most `len` bytes are left and no character is cut in two. */
size_t utf8_cut(struct str s, size_t len);

#endif
