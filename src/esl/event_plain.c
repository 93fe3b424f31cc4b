/* Plain bodies: `Name: value LF` … LF, then an inner body. Names are never encoded and may hold
 * ": "; values never do, so a line is cut at its last ": " (esl.md fact 7). */
#include "esl/event_int.h"

static const char *last_separator(const char *line, const char *end)
{
    const char *colon = end;
    while ((colon = memrchr(line, ':', (size_t)(colon - line)))) {
        if (colon + 1 < end && colon[1] == ' ')
            return colon;
    }
    return NULL;
}

static bool is_length(struct str name)
{
    static const char wanted[] = "Content-Length";
    return name.len == sizeof(wanted) - 1 && str_ieq(name, str_make(wanted, name.len));
}

/* The last Content-Length before the blank line counts (fact 7 of the plain format). */
static void inner_body(struct esl_event *ev, size_t at, struct str length)
{
    uint64_t want = 0;
    size_t have = ev->len - at;
    bool bad = length.p && str_to_u64(length, &want) != VA_OK;
    if (bad || want != have)
        ev->flawed = true;
    if (have)
        esl_event_set_body(ev, at, !bad && want && want < have ? (size_t)want : have,
                           ESL_CODING_RAW);
}

void esl_event_scan_plain(struct esl_event *ev)
{
    const char *p = ev->raw, *end = ev->raw + ev->len;
    struct str length = {0};
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        if (nl == p) {
            inner_body(ev, (size_t)(p + 1 - ev->raw), length);
            return;
        }
        const char *stop = nl ? nl : end, *sep = last_separator(p, stop);
        struct esl_header h = {.name_at = (uint32_t)(p - ev->raw), .coding = ESL_CODING_PERCENT};
        if (sep) {
            h.name_len = (uint32_t)(sep - p);
            h.value_at = (uint32_t)(sep + 2 - ev->raw);
            h.value_len = (uint32_t)(stop - sep - 2);
            if (!esl_event_add(ev, &h))
                return;
            if (is_length(str_make(p, h.name_len)))
                length = str_make(sep + 2, h.value_len);
        }
        if (!sep || !nl)
            ev->flawed = true;
        p = stop + 1;
    }
}
