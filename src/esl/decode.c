/* The three escapings of event text. Each maps n bytes to at most n bytes, so a mirror of the same
 * size always has room. What is not a valid escape passes through as it is (esl.md §5 case 4). */
#include "esl/event_int.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t decode_percent(const char *p, size_t n, char *out)
{
    char *w = out;
    const char *end = p + n;
    while (p < end) {
        int hi, lo;
        if (*p == '%' && end - p > 2 && (hi = hex(p[1])) >= 0 && (lo = hex(p[2])) >= 0) {
            *w++ = (char)(hi << 4 | lo);
            p += 3;
        } else {
            *w++ = *p++;
        }
    }
    return (size_t)(w - out);
}

static size_t put_utf8(uint32_t c, char *w)
{
    if (c < 0x80) {
        w[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        w[0] = (char)(0xC0 | c >> 6);
        w[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        w[0] = (char)(0xE0 | c >> 12);
        w[1] = (char)(0x80 | (c >> 6 & 0x3F));
        w[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    w[0] = (char)(0xF0 | c >> 18);
    w[1] = (char)(0x80 | (c >> 12 & 0x3F));
    w[2] = (char)(0x80 | (c >> 6 & 0x3F));
    w[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* "\uXXXX" at p. @return its value, or -1 */
static int32_t unit(const char *p, const char *end)
{
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    int32_t c = 0;
    for (int i = 2; i < 6; i++) {
        int d = hex(p[i]);
        if (d < 0)
            return -1;
        c = c << 4 | d;
    }
    return c;
}

/* A \u escape, maybe a pair of them. A surrogate without its partner becomes U+FFFD, so that what
 * we hand on is text. @return bytes read, 0 when it is no such escape */
static size_t decode_unit(const char *p, const char *end, char **w)
{
    int32_t c = unit(p, end);
    if (c < 0)
        return 0;
    size_t used = 6;
    if (c >= 0xD800 && c < 0xDC00) {
        int32_t low = unit(p + 6, end);
        bool pair = low >= 0xDC00 && low < 0xE000;
        c = pair ? 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00) : 0xFFFD;
        used = pair ? 12 : 6;
    } else if (c >= 0xDC00 && c < 0xE000) {
        c = 0xFFFD;
    }
    *w += put_utf8((uint32_t)c, *w);
    return used;
}

static size_t decode_json(const char *p, size_t n, char *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char *w = out;
    const char *end = p + n;
    while (p < end) {
        const char *known = NULL;
        size_t used = 0;
        if (*p == '\\' && end - p > 1) {
            known = p[1] ? strchr(from, p[1]) : NULL;
            used = known ? 2 : decode_unit(p, end, &w);
        }
        if (known)
            *w++ = to[known - from];
        else if (!used)
            *w++ = *p;
        p += used ? used : 1;
    }
    return (size_t)(w - out);
}

/* "&#233;" or "&#xE9;" between the ampersand and the semicolon. */
static bool numeric(struct str s, uint32_t *ret_c)
{
    bool is_hex = s.len > 1 && (s.p[1] == 'x' || s.p[1] == 'X');
    size_t i = is_hex ? 2 : 1;
    uint32_t c = 0;
    if (i >= s.len)
        return false;
    for (; i < s.len; i++) {
        int d = hex(s.p[i]);
        if (d < 0 || (!is_hex && d > 9))
            return false;
        c = c * (is_hex ? 16 : 10) + (uint32_t)d;
        if (c > 0x10FFFF)
            return false;
    }
    *ret_c = c;
    return true;
}

static bool entity(struct str s, uint32_t *ret_c)
{
    static const struct {
        const char *name;
        uint32_t c;
    } known[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    if (s.len && s.p[0] == '#')
        return numeric(s, ret_c);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (str_eqz(s, known[i].name)) {
            *ret_c = known[i].c;
            return true;
        }
    }
    return false;
}

static size_t decode_xml(const char *p, size_t n, char *out)
{
    enum { ENTITY_MAX = 12 };
    char *w = out;
    const char *end = p + n;
    while (p < end) {
        const char *semi = NULL;
        uint32_t c;
        if (*p == '&')
            semi = memchr(p, ';', (size_t)(end - p < ENTITY_MAX ? end - p : ENTITY_MAX));
        if (semi && entity(str_make(p + 1, (size_t)(semi - p - 1)), &c)) {
            w += put_utf8(c, w);
            p = semi + 1;
        } else {
            *w++ = *p++;
        }
    }
    return (size_t)(w - out);
}

size_t esl_decode(enum esl_coding coding, const char *p, size_t n, char *out)
{
    switch (coding) {
    case ESL_CODING_PERCENT: return decode_percent(p, n, out);
    case ESL_CODING_JSON: return decode_json(p, n, out);
    case ESL_CODING_XML: return decode_xml(p, n, out);
    case ESL_CODING_RAW: break;
    }
    memcpy(out, p, n);
    return n;
}
