/*
 *     raw     Name: a%20b\nOther: c\n\n        borrowed (or owned by a dup)
 *     index   [name 0+4 | value 6+5] [ … ]     made by one scan
 *     mirror        a b                        value decoded at the same offset, when asked for
 *
 * A value without escapes is a slice of raw itself; the mirror is touched only for the others.
 * Decoding twice writes the same bytes to the same place, so nothing needs to be remembered.
 */
#include "esl/event_int.h"

#include <stdlib.h>

struct esl_event *esl_event_new(void)
{
    return calloc(1, sizeof(struct esl_event));
}

void esl_event_reset(struct esl_event *ev)
{
    free(ev->mirror);
    free(ev->h);
    free(ev->name_lens);
    free(ev->owned);
    *ev = (struct esl_event){0};
}

void esl_event_free(struct esl_event **pev)
{
    struct esl_event *ev = pev ? *pev : NULL;
    if (!ev)
        return;
    *pev = NULL;
    esl_event_reset(ev);
    free(ev);
}

bool esl_event_grow(struct esl_event *ev)
{
    if (ev->count >= ESL_EVENT_HEADERS_MAX) {
        ev->flawed = true;
        return false;
    }
    size_t cap = ev->cap ? ev->cap * 2 : 128;
    struct esl_header *h = realloc(ev->h, cap * sizeof(struct esl_header));
    if (h)
        ev->h = h;
    uint8_t *lens = h ? realloc(ev->name_lens, cap) : NULL;
    if (!lens) {
        ev->out_of_memory = true;
        return false;
    }
    ev->name_lens = lens;
    ev->cap = cap;
    return true;
}

void esl_event_set_body(struct esl_event *ev, size_t at, size_t len, enum esl_coding coding)
{
    ev->has_body = true;
    ev->body_at = (uint32_t)at;
    ev->body_len = (uint32_t)len;
    ev->body_coding = (uint8_t)coding;
}

static enum va_err prepare(struct esl_event *ev, struct str raw)
{
    ev->count = 0;
    ev->len = 0;
    ev->raw = NULL;
    ev->flawed = ev->out_of_memory = ev->has_body = false;
    if (raw.len >= UINT32_MAX)
        return VA_ELIMIT;
    if (ev->mirror_cap < raw.len) {
        free(ev->mirror);
        ev->mirror = malloc(raw.len);
        ev->mirror_cap = ev->mirror ? raw.len : 0;
        if (!ev->mirror)
            return VA_ENOMEM;
    }
    return VA_OK;
}

enum va_err esl_event_parse(struct esl_event *ev, enum esl_format format, struct str raw)
{
    enum va_err err = prepare(ev, raw);
    if (err)
        return err;
    ev->raw = raw.len ? raw.p : "";
    ev->len = raw.len;
    ev->format = format;
    if (format == ESL_PLAIN)
        esl_event_scan_plain(ev);
    else if (format == ESL_JSON)
        esl_event_scan_json(ev);
    else
        esl_event_scan_xml(ev);
    if (ev->out_of_memory) {
        ev->count = 0;
        return VA_ENOMEM;
    }
    return VA_OK;
}

struct esl_event *esl_event_dup(const struct esl_event *ev)
{
    struct esl_event *copy = esl_event_new();
    char *bytes = str_dup(str_make(ev->raw, ev->len));
    if (copy && bytes && esl_event_parse(copy, ev->format, str_make(bytes, ev->len)) == VA_OK) {
        copy->owned = bytes;
        return copy;
    }
    free(bytes);
    esl_event_free(&copy);
    return NULL;
}

/* ---- reading -------------------------------------------------------------------------------- */

static struct str header_name(const struct esl_event *ev, const struct esl_header *h)
{
    return str_make((h->name_mirrored ? ev->mirror : ev->raw) + h->name_at, h->name_len);
}

static struct str text(const struct esl_event *ev, enum esl_coding coding, size_t at, size_t len)
{
    static const char mark[] = {0, '%', '\\', '&'};
    const char *p = ev->raw + at;
    if (coding == ESL_CODING_RAW || !len || !memchr(p, mark[coding], len))
        return str_make(p, len);
    return str_make(ev->mirror + at, esl_decode(coding, p, len, ev->mirror + at));
}

static bool is_undef(const struct esl_event *ev, const struct esl_header *h)
{
    return h->coding == ESL_CODING_PERCENT && h->value_len == 7 &&
           memcmp(ev->raw + h->value_at, "_undef_", 7) == 0;
}

static struct str value(const struct esl_event *ev, const struct esl_header *h)
{
    if (is_undef(ev, h))
        return str_make(ev->raw + h->value_at, 0);
    return text(ev, h->coding, h->value_at, h->value_len);
}

/* Nearly always the case is the same and the last byte tells names apart soonest. */
static bool same_name(const char *a, const char *b, size_t len)
{
    if (len && ((a[len - 1] ^ b[len - 1]) & ~0x20))
        return false;
    return memcmp(a, b, len) == 0 || str_ieq(str_make(a, len), str_make(b, len));
}

/* Last header of that name, so that the last of duplicates wins. */
static const struct esl_header *find(const struct esl_event *ev, struct str name)
{
    int len = name.len < 255 ? (int)name.len : 255;
    size_t left = ev->count;
    const uint8_t *at;
    while (left && (at = memrchr(ev->name_lens, len, left))) {
        left = (size_t)(at - ev->name_lens);
        const struct esl_header *h = &ev->h[left];
        if (h->name_len == name.len && same_name(header_name(ev, h).p, name.p, name.len))
            return h;
    }
    return NULL;
}

size_t esl_event_find(const struct esl_event *ev, struct str name, size_t from)
{
    int len = name.len < 255 ? (int)name.len : 255;
    for (size_t i = from; i < ev->count; i++) {
        const uint8_t *at = memchr(ev->name_lens + i, len, ev->count - i);
        if (!at)
            break;
        i = (size_t)(at - ev->name_lens);
        const struct esl_header *h = &ev->h[i];
        if (h->name_len == name.len && same_name(header_name(ev, h).p, name.p, name.len))
            return i;
    }
    return ev->count;
}

/* Element i of `ARRAY::a|:b` text. */
static struct str split_nth(struct str s, size_t want, size_t *ret_count)
{
    struct str found = {0};
    size_t i = 0;
    for (;;) {
        const char *bar = s.len ? memmem(s.p, s.len, "|:", 2) : NULL;
        struct str item = str_make(s.p, bar ? (size_t)(bar - s.p) : s.len);
        if (i++ == want)
            found = item;
        if (!bar)
            break;
        s = str_make(bar + 2, s.len - item.len - 2);
    }
    *ret_count = i;
    return found;
}

/* Element i of what stands between the brackets of a JSON array; only strings count. */
static struct str json_nth(const struct esl_event *ev, const struct esl_header *h, size_t want,
                           size_t *ret_count)
{
    struct str found = {0};
    size_t i = 0, at = h->value_at, end = h->value_at + h->value_len;
    while (at < end) {
        size_t next = ev->raw[at] == '"' ? esl_json_string_end(ev->raw, end, at) : at + 1;
        if (!next)
            break;
        if (ev->raw[at] == '"' && i++ == want)
            found = text(ev, ESL_CODING_JSON, at + 1, next - at - 2);
        at = next;
    }
    *ret_count = i;
    return found;
}

/* XML writes an array as neighbours of one name. */
static struct str xml_nth(const struct esl_event *ev, const struct esl_header *h, size_t want,
                          size_t *ret_count)
{
    const struct esl_header *first = h;
    while (first > ev->h && str_ieq(header_name(ev, first - 1), header_name(ev, h)))
        first--;
    *ret_count = (size_t)(h - first) + 1;
    return want < *ret_count ? value(ev, first + want) : (struct str){0};
}

static struct str element(const struct esl_event *ev, const struct esl_header *h, size_t want,
                          size_t *ret_count)
{
    if (h->array)
        return json_nth(ev, h, want, ret_count);
    if (ev->format == ESL_XML)
        return xml_nth(ev, h, want, ret_count);
    struct str s = value(ev, h);
    if (h->coding == ESL_CODING_PERCENT && str_starts(s, "ARRAY::"))
        return split_nth(str_make(s.p + 7, s.len - 7), want, ret_count);
    *ret_count = 1;
    return want == 0 ? s : (struct str){0};
}

struct str esl_event_gets(const struct esl_event *ev, struct str name)
{
    const struct esl_header *h = find(ev, name);
    size_t count;
    return h ? element(ev, h, 0, &count) : (struct str){0};
}

struct str esl_event_get(const struct esl_event *ev, const char *name)
{
    return esl_event_gets(ev, str_of(name));
}

struct str esl_event_var(const struct esl_event *ev, const char *name)
{
    static const char prefix[] = "variable_";
    enum { PREFIX = sizeof(prefix) - 1 };
    size_t len = strlen(name);
    for (size_t i = ev->count; i-- > 0;) {
        const struct esl_header *h = &ev->h[i];
        struct str n = header_name(ev, h);
        size_t count;
        if (n.len == PREFIX + len && same_name(n.p + PREFIX, name, len) &&
            same_name(n.p, prefix, PREFIX))
            return element(ev, h, 0, &count);
    }
    return (struct str){0};
}

struct str esl_event_raw(const struct esl_event *ev, const char *name)
{
    const struct esl_header *h = find(ev, str_of(name));
    return h ? str_make(ev->raw + h->value_at, h->value_len) : (struct str){0};
}

bool esl_event_undef(const struct esl_event *ev, const char *name)
{
    const struct esl_header *h = find(ev, str_of(name));
    return !h || is_undef(ev, h);
}

size_t esl_event_count(const struct esl_event *ev, const char *name)
{
    const struct esl_header *h = find(ev, str_of(name));
    size_t count = 0;
    if (h)
        (void)element(ev, h, SIZE_MAX, &count);
    return count;
}

struct str esl_event_nth(const struct esl_event *ev, const char *name, size_t i)
{
    const struct esl_header *h = find(ev, str_of(name));
    size_t count;
    return h ? element(ev, h, i, &count) : (struct str){0};
}

struct str esl_event_name(const struct esl_event *ev)
{
    return esl_event_get(ev, "Event-Name");
}

bool esl_event_is(const struct esl_event *ev, const char *name)
{
    return str_eqz(esl_event_name(ev), name);
}

struct str esl_event_uuid(const struct esl_event *ev)
{
    return esl_event_get(ev, "Unique-ID");
}

struct str esl_event_body(const struct esl_event *ev)
{
    return ev->has_body ? text(ev, ev->body_coding, ev->body_at, ev->body_len) : (struct str){0};
}

size_t esl_event_headers(const struct esl_event *ev)
{
    return ev->count;
}

void esl_event_header(const struct esl_event *ev, size_t i, struct str *ret_name,
                      struct str *ret_value)
{
    const struct esl_header *h = &ev->h[i];
    *ret_name = header_name(ev, h);
    *ret_value = h->array ? str_make(ev->raw + h->value_at, h->value_len) : value(ev, h);
}

bool esl_event_flawed(const struct esl_event *ev)
{
    return ev->flawed;
}
