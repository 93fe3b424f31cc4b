/*
 * One flat JSON object whose values are strings or arrays of strings, as FreeSWITCH writes it.
 * A general JSON library would refuse what FreeSWITCH really sends (bytes that are not UTF-8, raw
 * control bytes) and would fold duplicate keys, so a scanner marks the slices and nothing more.
 * Values of other types are kept as raw text.
 *
 * Two ways lead through it. FreeSWITCH prints `"name":"value",` without a blank, so nearly every
 * pair is taken by plain_pairs(), which needs no more than the place of each closing quote. Where
 * anything else stands (a blank, an array, an escaped name, the body, the end, damage) it steps
 * aside and pair() reads that one pair by the full rules.
 */
#include "esl/event_int.h"
#include "esl/marks.h"

struct scan {
    const char *p;
    size_t len, at;
    struct esl_marks marks; /* of quotes and backslashes */
};

static inline void blanks(struct scan *s)
{
    while (s->at < s->len && (unsigned char)s->p[s->at] <= ' ')
        s->at++;
}

static inline bool take(struct scan *s, char c)
{
    blanks(s);
    if (s->at >= s->len || s->p[s->at] != c)
        return false;
    s->at++;
    return true;
}

size_t esl_json_string_end(const char *p, size_t len, size_t at)
{
    for (size_t from = at + 1; from < len;) {
        const char *quote = memchr(p + from, '"', len - from);
        if (!quote)
            return 0;
        size_t q = (size_t)(quote - p), slashes = 0;
        while (q - slashes > from && p[q - slashes - 1] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return q + 1;
        from = q + 1;
    }
    return 0;
}

static inline bool string(struct scan *s, size_t *ret_at, size_t *ret_len)
{
    blanks(s);
    if (s->at >= s->len || s->p[s->at] != '"')
        return false;
    size_t start = s->at + 1, q = esl_marks_next(&s->marks, start);
    while (q < s->len && s->p[q] == '\\')
        q = esl_marks_next(&s->marks, q + 2);
    if (q >= s->len)
        return false;
    *ret_at = start;
    *ret_len = q - start;
    s->at = q + 1;
    return true;
}

/* Behind a value that is not a string: to the next ',' or closing bracket of its own level. */
static bool other(struct scan *s, size_t *ret_at, size_t *ret_len)
{
    int depth = 0;
    blanks(s);
    size_t start = s->at;
    for (; s->at < s->len; s->at++) {
        char c = s->p[s->at];
        bool closes = c == '}' || c == ']';
        if (depth == 0 && (closes || c == ','))
            break;
        if (c == '"') {
            size_t end = esl_json_string_end(s->p, s->len, s->at);
            if (!end)
                return false;
            s->at = end - 1;
        }
        if (c == '{' || c == '[')
            depth++;
        if (closes)
            depth--;
        if (depth > ESL_EVENT_JSON_DEPTH)
            return false;
    }
    *ret_at = start;
    *ret_len = s->at - start;
    return s->at > start && s->at < s->len;
}

static inline bool value(struct scan *s, struct esl_header *h)
{
    size_t at = 0, len = 0;
    blanks(s);
    bool text = s->at < s->len && s->p[s->at] == '"';
    h->array = s->at < s->len && s->p[s->at] == '[';
    if (!(text ? string(s, &at, &len) : other(s, &at, &len)))
        return false;
    h->coding = text ? ESL_CODING_JSON : ESL_CODING_RAW;
    if (h->array) { /* without the brackets; what follows the last one up to the comma is blank */
        while (len > 1 && s->p[at + len - 1] != ']')
            len--;
        at++;
        len = len > 1 ? len - 2 : 0;
    }
    h->value_at = (uint32_t)at;
    h->value_len = (uint32_t)len;
    return true;
}

static inline bool name(struct esl_event *ev, struct scan *s, struct esl_header *h)
{
    size_t at = 0, len = 0;
    if (!string(s, &at, &len))
        return false;
    h->name_mirrored = len && memchr(ev->raw + at, '\\', len);
    if (h->name_mirrored)
        len = esl_decode(ESL_CODING_JSON, ev->raw + at, len, ev->mirror + at);
    h->name_at = (uint32_t)at;
    h->name_len = (uint32_t)len;
    return true;
}

static inline bool is_body(const char *name, size_t len)
{
    return len == 5 && memcmp(name, "_body", 5) == 0;
}

static bool pair(struct esl_event *ev, struct scan *s)
{
    struct esl_header h = {0};
    if (!name(ev, s, &h) || !take(s, ':') || !value(s, &h))
        return false;
    if (is_body(ev->raw + h.name_at, h.name_len)) {
        esl_event_set_body(ev, h.value_at, h.value_len, h.coding);
        return true;
    }
    return esl_event_add(ev, h);
}

/* ---- the usual pairs ------------------------------------------------------------------------ */

/* The quotes of successive blocks of 64 bytes. */
struct quotes {
    uint64_t inside;   /* all ones when the block before ended inside of a string */
    bool escaping;     /* ... and with the backslash of an escape */
    size_t last_slash; /* of the backslashes seen so far */
};

/* `quotes` without those that a backslash escapes. */
static uint64_t unescaped(struct quotes *q, uint64_t quotes, uint64_t slashes)
{
    if (q->escaping) {
        quotes &= ~(uint64_t)1;
        slashes &= ~(uint64_t)1;
    }
    q->escaping = false;
    while (slashes) {
        uint64_t slash = slashes & (~slashes + 1), next = slash << 1;
        q->escaping = !next;
        quotes &= ~next;
        slashes &= ~(slash | next);
    }
    return quotes;
}

/* Of the block at p + block the quotes that close a string, those in front of `from` left out. */
static inline uint64_t closing(struct quotes *q, const char *p, size_t len, size_t block,
                               size_t from)
{
    uint64_t slashes, bits = esl_marks_split(p + block, len - block, '"', '\\', &slashes);
    if (from > block) {
        bits &= UINT64_MAX << (from & 63);
        slashes &= UINT64_MAX << (from & 63);
    }
    if (slashes || q->escaping) {
        if (slashes)
            q->last_slash = block + 63 - (size_t)__builtin_clzll(slashes);
        bits = unescaped(q, bits, slashes);
    }
    uint64_t in = bits; /* bit i: an odd number of quotes up to and with i */
    for (unsigned shift = 1; shift < 64; shift *= 2)
        in ^= in << shift;
    in ^= q->inside;
    q->inside = 0 - (in >> 63);
    return bits & ~in;
}

/* True when [at, end) may hold a backslash; asks the bytes only where one was seen. */
static inline bool escapes(const struct quotes *q, const char *p, size_t at, size_t end)
{
    return q->last_slash >= at && end > at && memchr(p + at, '\\', end - at);
}

/* Index pairs `"name":"value","` for as long as they are just that; what is outside of the strings
 * is looked at byte by byte, so no quote can be mistaken. A value without escapes is marked as raw
 * text. @return offset of the first pair that was not taken; `at` when p[at] opens no string */
static size_t plain_pairs(struct esl_event *ev, size_t at)
{
    const char *p = ev->raw;
    const size_t len = ev->len;
    struct quotes q = {0};
    struct esl_header h = {.name_at = (uint32_t)at + 1};
    bool named = false;
    if (at >= len || p[at] != '"')
        return at;
    for (size_t block = at & ~(size_t)63; block < len; block += 64) {
        uint64_t ends = closing(&q, p, len, block, at);
        for (; ends; ends &= ends - 1, named = !named) {
            size_t end = block + (size_t)__builtin_ctzll(ends);
            if (end + 2 >= len || p[end + 1] != (named ? ',' : ':') || p[end + 2] != '"')
                return at;
            if (!named) {
                h.name_len = (uint32_t)(end - h.name_at);
                h.value_at = (uint32_t)end + 3;
                if (escapes(&q, p, h.name_at, end) || is_body(p + h.name_at, h.name_len))
                    return at;
                continue;
            }
            h.value_len = (uint32_t)(end - h.value_at);
            h.coding = escapes(&q, p, h.value_at, end) ? ESL_CODING_JSON : ESL_CODING_RAW;
            if (!esl_event_add(ev, h))
                return at;
            at = end + 2;
            h.name_at = (uint32_t)end + 3;
        }
    }
    return at;
}

void esl_event_scan_json(struct esl_event *ev)
{
    struct scan s = {ev->raw, ev->len, 0, esl_marks_over(ev->raw, ev->len, '"', '\\')};
    bool ok = take(&s, '{');
    if (ok && take(&s, '}'))
        return;
    while (ok) {
        blanks(&s);
        s.at = plain_pairs(ev, s.at);
        ok = pair(ev, &s);
        if (ok && take(&s, '}')) {
            blanks(&s);
            ev->flawed = ev->flawed || s.at != s.len;
            return;
        }
        ok = ok && take(&s, ',');
    }
    ev->flawed = true;
}
