#include "ai/pipeline/speakable.h"

#include <ctype.h>

/* ---- thoughts ----------------------------------------------------------------------------------
 */

static const char *const opening[] = {"<think>", "<thinking>", "<reasoning>"};
static const char *const closing[] = {"</think>", "</thinking>", "</reasoning>"};
enum { TAGS = 3 };

/* 2: it is a tag; 1: it may become one; 0: neither. */
static int match(struct str have, const char *const tags[static TAGS])
{
    int best = 0;
    for (size_t i = 0; i < TAGS; i++) {
        size_t len = strlen(tags[i]);
        if (have.len == len && str_ieqz(have, tags[i]))
            return 2;
        if (have.len < len && str_ieq(have, str_make(tags[i], have.len)))
            best = 1;
    }
    return best;
}

static enum va_err give_up_tag(struct reasoning *r, struct buf *out)
{
    enum va_err err = r->inside ? VA_OK : buf_add(out, r->tag, r->tag_len);
    r->tag_len = 0;
    return err;
}

enum va_err reasoning_filter(struct reasoning *r, struct str delta, struct buf *out)
{
    enum va_err err = out->err;
    for (size_t i = 0; i < delta.len && !err; i++) {
        char c = delta.p[i];
        if (r->tag_len && c == '<')
            err = give_up_tag(r, out);
        if (!r->tag_len && c != '<') {
            if (!r->inside)
                err = buf_addc(out, c);
            continue;
        }
        r->tag[r->tag_len++] = c;
        int m = match(str_make(r->tag, r->tag_len), r->inside ? closing : opening);
        if (m == 2) {
            r->inside = !r->inside;
            r->tag_len = 0;
        } else if (m == 0 && !err) {
            err = give_up_tag(r, out);
        }
    }
    return err;
}

enum va_err reasoning_end(struct reasoning *r, struct buf *out)
{
    return give_up_tag(r, out);
}

/* ---- markup ------------------------------------------------------------------------------------
 */

/* Bytes of the character at t.p[at] that nobody can read aloud, 0 when it can be read. */
static size_t pictogram(struct str t, size_t at)
{
    const unsigned char *p = (const unsigned char *)t.p + at;
    size_t left = t.len - at;
    if (left >= 4 && p[0] == 0xF0 && p[1] == 0x9F)
        return 4; /* U+1F000 … U+1FFFF */
    if (left < 3 || (p[0] != 0xE2 && p[0] != 0xEF))
        return 0;
    unsigned code = (unsigned)(p[0] & 0xF) << 12 | (unsigned)(p[1] & 0x3F) << 6 | (p[2] & 0x3Fu);
    bool symbol = (code >= 0x2190 && code <= 0x21FF) || (code >= 0x2500 && code <= 0x27BF) ||
                  (code >= 0x2B00 && code <= 0x2BFF) || code == 0xFE0F || code == 0x200D ||
                  code == 0x2022;
    return symbol ? 3 : 0;
}

/* At the start of a line: headings, bullets, quotes. */
static size_t line_markup(struct str t, size_t at)
{
    size_t n = at;
    while (n < t.len && (t.p[n] == ' ' || t.p[n] == '\t'))
        n++;
    size_t from = n;
    while (n < t.len && (t.p[n] == '#' || t.p[n] == '>'))
        n++;
    if (n == from && n + 1 < t.len && strchr("-*+", t.p[n]) && t.p[n + 1] == ' ')
        n++;
    return n == from ? 0 : n - at;
}

static bool word_char(struct str t, size_t at)
{
    return at < t.len && (isalnum((unsigned char)t.p[at]) || (t.p[at] & 0x80));
}

/* [words](address): the length of "](address)", 0 when it is no link. */
static size_t link_tail(struct str t, size_t at)
{
    if (t.p[at] != ']' || at + 1 >= t.len || t.p[at + 1] != '(')
        return 0;
    const char *close = memchr(t.p + at, ')', t.len - at);
    return close ? (size_t)(close - t.p) - at + 1 : 0;
}

static bool opens_link(struct str t, size_t at)
{
    const char *close = t.p[at] == '[' ? memchr(t.p + at, ']', t.len - at) : NULL;
    return close && link_tail(t, (size_t)(close - t.p)) > 0;
}

/* Bytes at `at` that are markup. */
static size_t markup(struct str t, size_t at)
{
    char c = t.p[at];
    size_t n = pictogram(t, at);
    if (n)
        return n;
    if (c == '*' || c == '`' || opens_link(t, at))
        return 1;
    if (c == '~' && at + 1 < t.len && t.p[at + 1] == '~')
        return 2;
    if (c == '_' && !(word_char(t, at + 1) && at > 0 && word_char(t, at - 1)))
        return 1; /* snake_case stays */
    return link_tail(t, at);
}

enum va_err speakable_add(struct buf *out, struct str t)
{
    size_t start = out->len;
    bool line_start = true;
    for (size_t at = 0; at < t.len && !out->err;) {
        size_t n = line_start ? line_markup(t, at) : 0;
        n = n ? n : markup(t, at);
        if (n) {
            at += n;
            line_start = false;
            continue;
        }
        char c = t.p[at++];
        line_start = c == '\n';
        bool is_blank = isspace((unsigned char)c) || c == '|';
        if (!is_blank)
            (void)buf_addc(out, c);
        else if (out->len > start && out->p[out->len - 1] != ' ')
            (void)buf_addc(out, ' ');
    }
    while (!out->err && out->len > start && out->p[out->len - 1] == ' ')
        out->p[--out->len] = '\0';
    return out->err;
}

bool speakable_has_words(struct str t)
{
    for (size_t i = 0; i < t.len; i++)
        if (isalnum((unsigned char)t.p[i]) || ((unsigned char)t.p[i] >= 0xC3 && !pictogram(t, i)))
            return true;
    return false;
}
