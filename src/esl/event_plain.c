/* Plain bodies: `Name: value LF` … LF, then an inner body. Names are never encoded and may hold
 * ": "; values never do, so a line is cut at its last ": " (esl.md fact 7). */
#include "esl/event_int.h"
#include "esl/marks.h"

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

/* One line [at, stop) that is cut at `sep` (0: nowhere). False: no room for more. */
static inline bool line(struct esl_event *ev, size_t at, size_t sep, size_t stop,
                        struct str *length)
{
    struct esl_header h = {.name_at = (uint32_t)at,
                           .name_len = (uint32_t)(sep - at),
                           .value_at = (uint32_t)(sep + 2),
                           .value_len = (uint32_t)(stop - sep - 2),
                           .coding = ESL_CODING_PERCENT};
    if (!sep) {
        ev->flawed = true;
        return true;
    }
    if (is_length(str_make(ev->raw + at, h.name_len)))
        *length = str_make(ev->raw + h.value_at, h.value_len);
    return esl_event_add(ev, h);
}

void esl_event_scan_plain(struct esl_event *ev)
{
    const char *p = ev->raw;
    const size_t len = ev->len;
    struct str length = {0};
    size_t start = 0, sep = 0;
    for (size_t block = 0; block < len; block += 64) {
        uint64_t bits = esl_marks_bits(p + block, len - block, '\n', ':');
        for (; bits; bits &= bits - 1) {
            size_t at = block + (size_t)__builtin_ctzll(bits);
            if (p[at] == ':') {
                if (at + 1 < len && p[at + 1] == ' ')
                    sep = at;
                continue;
            }
            if (at == start) {
                inner_body(ev, at + 1, length);
                return;
            }
            if (!line(ev, start, sep, at, &length))
                return;
            start = at + 1;
            sep = 0;
        }
    }
    if (start < len) {
        ev->flawed = true; /* cut inside a line */
        (void)line(ev, start, sep, len, &length);
    }
}
