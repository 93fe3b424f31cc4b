/*
 * One pass, no recursion. It accepts a subset of RFC 8259 and json-c accepts all of it; whatever is
 * doubtful is left to json-c, so the two can never disagree, only differ in speed.
 */
#include "ai/realtime/json_fast.h"

struct scan {
    const char *p, *end;
};

static void skip_blanks(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

/* 0: ends a string, 1: plain, 2: escape, 3: not allowed raw. */
static unsigned kind_of(unsigned char c)
{
    return c == '"' ? 0 : c == '\\' ? 2 : c < 0x20 ? 3 : 1;
}

#define ONES (~(uint64_t)0 / 255)
#define HIGH (ONES * 128)

/* Eight bytes at once while none of them is a quote, a backslash, a control or above ASCII. */
static const char *plain_run(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        uint64_t quote = v ^ ONES * '"', slash = v ^ ONES * '\\';
        uint64_t hit =
            ((quote - ONES) & ~quote) | ((slash - ONES) & ~slash) | ((v - ONES * 0x20) & ~v) | v;
        if (hit & HIGH)
            break;
        p += 8;
    }
    return p;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Behind a backslash. */
static bool escape(struct scan *s)
{
    if (s->p == s->end || !*s->p || !strchr("\"\\/bfnrtu", *s->p))
        return false;
    if (*s->p++ != 'u')
        return true;
    for (int i = 0; i < 4; i++, s->p++)
        if (s->p == s->end || !is_hex(*s->p))
            return false;
    return true;
}

/* Behind the opening quote. `escaped` is set when the raw bytes are not the value. */
static bool string(struct scan *s, struct str *ret, bool *escaped)
{
    const char *from = s->p;
    for (;;) {
        s->p = plain_run(s->p, s->end);
        if (s->p == s->end)
            return false;
        unsigned kind = kind_of((unsigned char)*s->p);
        if (kind == 3)
            return false;
        s->p++;
        if (kind == 0)
            break;
        if (kind == 2) {
            *escaped = true;
            if (!escape(s))
                return false;
        }
    }
    *ret = str_make(from, (size_t)(s->p - 1 - from));
    return true;
}

static size_t digits(struct scan *s)
{
    const char *from = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return (size_t)(s->p - from);
}

static bool take(struct scan *s, char c)
{
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool number(struct scan *s)
{
    (void)take(s, '-');
    const char *from = s->p;
    size_t n = digits(s);
    if (!n || (n > 1 && *from == '0'))
        return false;
    if (take(s, '.') && !digits(s))
        return false;
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (!take(s, '+'))
            (void)take(s, '-');
        return digits(s) > 0;
    }
    return true;
}

static bool word(struct scan *s, const char *z)
{
    size_t n = strlen(z);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, z, n) != 0)
        return false;
    s->p += n;
    return true;
}

static bool scalar(struct scan *s)
{
    switch (*s->p) {
    case 't': return word(s, "true");
    case 'f': return word(s, "false");
    case 'n': return word(s, "null");
    default: return number(s);
    }
}

/* ---- levels ---------------------------------------------------------------------------------- */

struct level {
    uint64_t array; /* bit per level */
    int depth;
    struct json_want *want; /* of the outermost */
    size_t count;
    struct json_want *at; /* the member whose value comes next, if wanted */
    uint32_t seen;
};

static bool in_array(const struct level *l)
{
    return l->array >> l->depth & 1;
}

static bool open_level(struct level *l, bool array)
{
    if (l->depth == JSON_FAST_DEPTH_MAX - 1)
        return false;
    l->depth++;
    l->array = array ? l->array | (uint64_t)1 << l->depth : l->array & ~((uint64_t)1 << l->depth);
    return true;
}

/* A key of an object with its colon. json-c keeps the last of two equal keys: left to it. */
static bool member_key(struct scan *s, struct level *l)
{
    struct str name;
    bool escaped = false;
    skip_blanks(s);
    if (!take(s, '"') || !string(s, &name, &escaped) || escaped)
        return false;
    l->at = NULL;
    for (size_t i = 0; l->depth == 1 && i < l->count; i++) {
        const char *key = l->want[i].key;
        if (!name.len || name.p[0] != key[0] || !str_eqz(name, key))
            continue;
        if (l->seen >> i & 1)
            return false;
        l->seen |= (uint32_t)1 << i;
        l->at = &l->want[i];
    }
    skip_blanks(s);
    return take(s, ':');
}

static bool value_string(struct scan *s, struct level *l)
{
    struct str value;
    bool escaped = false;
    if (!string(s, &value, &escaped))
        return false;
    if (!l->at || l->depth != 1)
        return true;
    if (escaped)
        return false;
    l->at->value = value;
    return true;
}

/* A value, or the opening of one: then *opened. */
static bool value(struct scan *s, struct level *l, bool *opened)
{
    skip_blanks(s);
    *opened = false;
    if (s->p == s->end)
        return false;
    if (*s->p == '"') {
        s->p++;
        return value_string(s, l);
    }
    if (*s->p != '{' && *s->p != '[')
        return scalar(s);
    *opened = true;
    return open_level(l, *s->p++ == '[');
}

/* Behind a value: close levels until another value is due. False at the end or on an error. */
static bool next_value(struct scan *s, struct level *l, bool *done)
{
    for (;;) {
        skip_blanks(s);
        if (l->depth == 0) {
            *done = s->p == s->end;
            return false;
        }
        if (take(s, ','))
            return in_array(l) || member_key(s, l);
        if (!take(s, in_array(l) ? ']' : '}'))
            return false;
        l->depth--;
        l->at = NULL;
    }
}

bool json_fast(struct str text, struct json_want *want, size_t count)
{
    struct scan s = {text.p, text.p + text.len};
    struct level l = {.want = want, .count = count};
    for (size_t i = 0; i < count; i++)
        want[i].value = str_make(NULL, 0);
    skip_blanks(&s);
    if (count > 32 || !take(&s, '{') || !open_level(&l, false))
        return false;
    bool done = false, opened = true, go = true;
    while (go) {
        if (opened) { /* the first member, or none */
            skip_blanks(&s);
            bool empty = s.p < s.end && *s.p == (in_array(&l) ? ']' : '}');
            if (!empty && !in_array(&l) && !member_key(&s, &l))
                return false;
            opened = false;
            if (empty) {
                go = next_value(&s, &l, &done);
                continue;
            }
        }
        if (!value(&s, &l, &opened))
            return false;
        if (!opened)
            go = next_value(&s, &l, &done);
    }
    return done;
}
