/* Text as FreeSWITCH writes it (percent, JSON, XML) and as it takes arguments apart. */
#include "fake.h"

static bool hex_upper(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* A '%' that already looks like an escape is left alone: plain events are lossy there. */
void encode_percent(struct bytes *out, const char *z)
{
    static const char digits[] = "0123456789ABCDEF";
    static bool encoded[256], known;
    if (!known) {
        for (int i = 0; i < 256; i++)
            encoded[i] = i <= ' ' || i > 0x7E;
        for (const char *s = "\"#%&+:;<=>?@[\\]^`{|}"; *s; s++)
            encoded[(unsigned char)*s] = true;
        known = true;
    }
    char *w = bytes_room(out, 3 * strlen(z)), *start = w;
    for (; *z; z++) {
        unsigned char c = (unsigned char)*z;
        if (!encoded[c] || (c == '%' && hex_upper(z[1]) && hex_upper(z[2]))) {
            *w++ = *z;
            continue;
        }
        *w++ = '%';
        *w++ = digits[c >> 4];
        *w++ = digits[c & 15];
    }
    out->len += (size_t)(w - start);
}

void encode_json(struct bytes *out, const char *p, size_t n)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    char *w = bytes_room(out, 6 * n), *start = w;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        const char *hit = c && (c < ' ' || c == '"' || c == '\\') ? strchr(from, c) : NULL;
        if (hit) {
            *w++ = '\\';
            *w++ = to[hit - from];
        } else if (c < ' ') {
            w += snprintf(w, 7, "\\u%04x", c);
        } else {
            *w++ = p[i];
        }
    }
    out->len += (size_t)(w - start);
}

/* Bytes of the UTF-8 character at p; 1 when it is none. */
static size_t utf8_at(const unsigned char *p, size_t n, unsigned *ret_c)
{
    size_t len = p[0] < 0xC2 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 1;
    *ret_c = p[0];
    if (len == 1 || len > n)
        return 1;
    unsigned c = p[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 1;
        c = c << 6 | (p[i] & 0x3Fu);
    }
    *ret_c = c;
    return len;
}

void encode_xml(struct bytes *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        unsigned c;
        size_t len = utf8_at((const unsigned char *)p + i, n - i, &c);
        const char *entity = c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : NULL;
        if (entity)
            bytes_addz(out, entity);
        else if (c > 0x7E)
            bytes_addf(out, "&#x%X;", c);
        else
            bytes_add(out, p + i, 1);
        i += len;
    }
}

/* ---- arguments ------------------------------------------------------------------------------ */

static char unescape(char c)
{
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 's': return ' ';
    default: return c;
    }
}

/* Take escapes and paired quotes out of [z, end) and bare blanks off its ends, in place. */
static char *clean(char *z, char *end, char delim)
{
    while (z < end && *z == ' ')
        z++;
    char *w = z, *keep = z; /* keep: behind the last byte that is no bare blank */
    bool quoted = false;
    for (char *p = z; p < end; p++) {
        char next = p + 1 < end ? p[1] : 0;
        bool special = next && strchr("\\'\"nrts", next);
        if (*p == '\\' && next && (special || next == delim)) {
            *w++ = unescape(next);
            keep = w;
            p++;
        } else if (*p == '\'' && (quoted || memchr(p + 1, '\'', (size_t)(end - p - 1)))) {
            quoted = !quoted;
            keep = w;
        } else {
            *w++ = *p;
            if (*p != ' ' || quoted)
                keep = w;
        }
    }
    *keep = 0;
    return z;
}

size_t split_args(char *z, char delim, char *out[], size_t max)
{
    size_t count = 0;
    char *end = z + strlen(z);
    while (count < max) {
        while (delim == ' ' && *z == ' ')
            z++;
        if (z >= end && (delim == ' ' || !count))
            break;
        char *p = z;
        bool quoted = false;
        for (; p < end && count + 1 < max && (*p != delim || quoted); p++) {
            if (*p == '\\' && p + 1 < end)
                p++;
            else if (*p == '\'' && (quoted || strchr(p + 1, '\'')))
                quoted = !quoted;
        }
        if (count + 1 == max)
            p = end;
        bool last = p >= end;
        out[count++] = clean(z, p < end ? p : end, delim);
        if (last)
            break;
        z = p + 1;
    }
    return count;
}
