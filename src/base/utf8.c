#include "base/utf8.h"

/* Most text is ASCII: eight bytes at a time. @return how many of them begin `s` */
static size_t ascii_words(struct str s)
{
    size_t n = 0;
    for (uint64_t word; s.len - n >= sizeof(word); n += sizeof(word)) {
        memcpy(&word, s.p + n, sizeof(word));
        if (word & 0x8080808080808080u)
            break;
    }
    return n;
}

bool utf8_valid(struct str s)
{
    while (s.len) {
        size_t n = ascii_words(s);
        if (!n)
            n = utf8_char(s);
        if (!n)
            return false;
        s = str_make(s.p + n, s.len - n);
    }
    return true;
}

size_t utf8_cut(struct str s, size_t len)
{
    if (s.len <= len)
        return s.len;
    while (len && ((unsigned char)s.p[len] & 0xc0) == 0x80)
        len--;
    return len;
}
