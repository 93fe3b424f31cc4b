/*
 * One flat JSON object whose values are strings or arrays of strings, as FreeSWITCH writes it.
 * A general JSON library would refuse what FreeSWITCH really sends (bytes that are not UTF-8, raw
 * control bytes) and would fold duplicate keys, so a scanner marks the slices and nothing more.
 * Values of other types are kept as raw text.
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

static bool pair(struct esl_event *ev, struct scan *s)
{
    struct esl_header h = {0};
    if (!name(ev, s, &h) || !take(s, ':') || !value(s, &h))
        return false;
    if (h.name_len == 5 && memcmp(ev->raw + h.name_at, "_body", 5) == 0) {
        esl_event_set_body(ev, h.value_at, h.value_len, h.coding);
        return true;
    }
    return esl_event_add(ev, &h);
}

void esl_event_scan_json(struct esl_event *ev)
{
    struct scan s = {ev->raw, ev->len, 0, esl_marks_over(ev->raw, ev->len, '"', '\\')};
    bool ok = take(&s, '{');
    if (ok && take(&s, '}'))
        return;
    while (ok) {
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
