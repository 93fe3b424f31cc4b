#include "ai/speech/words.h"

uint32_t words_next(const char **p, const char *end)
{
    const unsigned char *s = (const unsigned char *)*p;
    size_t left = (size_t)(end - *p);
    size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : s[0] >= 0xC2 ? 2 : 0;
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c = len == 1 ? s[0] : len ? s[0] & (0xFFU >> (len + 1)) : 0;
    bool good = len != 0 && len <= left;
    for (size_t i = 1; good && i < len; i++) {
        good = (s[i] & 0xC0) == 0x80;
        c = c << 6 | (s[i] & 0x3F);
    }
    good = good && c >= least[len] && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
    *p += good ? len : 1;
    return good ? c : 0xFFFD;
}

static uint32_t lower(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7))
        return c + 0x20;
    if (c >= 0x100 && c <= 0x137)
        return c | 1;
    return c;
}

static bool is_letter(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (c < 0xC0)
        return false;
    return c != 0xD7 && c != 0xF7 && (c < 0x2000 || c > 0x2BFF) && (c < 0x3000 || c > 0x303F) &&
           c != 0xFFFD && c != 0xFEFF;
}

static void add_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_addc(out, (char)c);
        return;
    }
    if (c < 0x800) {
        buf_addc(out, (char)(0xC0 | c >> 6));
    } else if (c < 0x10000) {
        buf_addc(out, (char)(0xE0 | c >> 12));
        buf_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
    } else {
        buf_addc(out, (char)(0xF0 | c >> 18));
        buf_addc(out, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
    }
    buf_addc(out, (char)(0x80 | (c & 0x3F)));
}

void words_normalise(const char *text, struct buf *out)
{
    const char *p = text, *end = text + strlen(text);
    bool gap = false, first = true;
    while (p < end) {
        uint32_t c = lower(words_next(&p, end));
        const char *ahead = p;
        bool apostrophe = (c == '\'' || c == 0x2019) && !gap && !first && p < end &&
                          is_letter(lower(words_next(&ahead, end)));
        if (!apostrophe && !is_letter(c)) {
            gap = true;
            continue;
        }
        if (gap && !first)
            buf_addc(out, ' ');
        gap = first = false;
        add_utf8(out, apostrophe ? '\'' : c);
    }
}

void words_fold(struct str word, struct buf *out)
{
    /* U+00E0 … U+00FF */
    static const char plain[] = "aaaaaaaceeeeiiiidnooooo/ouuuuypy";
    const char *p = word.p, *end = word.p + word.len;
    while (p < end) {
        uint32_t c = words_next(&p, end);
        add_utf8(out, c >= 0xE0 && c <= 0xFF && c != 0xF7 ? (uint32_t)plain[c - 0xE0] : c);
    }
}
