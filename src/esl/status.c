#include "esl/line.h"
#include "esl/reply.h"
#include "esl/status.h"

static enum va_err bare(struct esl_switch *sw, const char *verb, const struct esl_then *then)
{
    return esl_switch_api(sw, str_of(verb), then);
}

enum va_err esl_status(struct esl_switch *sw, const struct esl_then *then)
{
    return bare(sw, "status", then);
}

enum va_err esl_reloadxml(struct esl_switch *sw, const struct esl_then *then)
{
    return bare(sw, "reloadxml", then);
}

enum va_err esl_reloadxml_read(enum va_err err, struct str text, struct str *ret_message)
{
    err = esl_ok_read(err, text);
    if (err)
        return err;
    struct str line = str_trim(text);
    if (!str_starts(line, "+OK [") || line.p[line.len - 1] != ']')
        return VA_EPROTO;
    *ret_message = str_make(line.p + 5, line.len - 6);
    return VA_OK;
}

static size_t digits(struct str s)
{
    size_t n = 0;
    while (n < s.len && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    return n;
}

static size_t letters(struct str s)
{
    size_t n = 0;
    while (n < s.len && s.p[n] >= 'a' && s.p[n] <= 'z')
        n++;
    return n;
}

/* The whole line against a pattern: '#' is a number, put into the next of out, '@' a word of any
 * letters (plurals), anything else is itself. */
static bool match(struct str line, const char *pattern, uint64_t *out)
{
    for (; *pattern; pattern++) {
        size_t n = *pattern == '#'   ? digits(line)
                   : *pattern == '@' ? letters(line)
                                     : (line.len && line.p[0] == *pattern);
        if (!n || (*pattern == '#' && str_to_u64(str_make(line.p, n), out++)))
            return false;
        line = str_make(line.p + n, line.len - n);
    }
    return line.len == 0;
}

static bool uptime(struct str line, struct esl_status *st)
{
    static const uint64_t ms[] = {31536000000, 86400000, 3600000, 60000, 1000, 1};
    uint64_t n[7] = {0};
    if (!match(line, "UP # @, # @, # @, # @, # @, # @, # @", n))
        return false;
    st->uptime_ms = 0;
    for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++)
        st->uptime_ms += n[i] * ms[i];
    return true;
}

static bool version(struct str line, struct esl_status *st)
{
    static const char head[] = "FreeSWITCH (Version ", up[] = ") is ready",
                      down[] = ") is not ready";
    enum { HEAD = sizeof(head) - 1, UP = sizeof(up) - 1, DOWN = sizeof(down) - 1 };
    if (!str_starts(line, head))
        return false;
    struct str rest = str_make(line.p + HEAD, line.len - HEAD);
    st->ready = rest.len >= UP && memcmp(rest.p + rest.len - UP, up, UP) == 0;
    bool not_yet = rest.len >= DOWN && memcmp(rest.p + rest.len - DOWN, down, DOWN) == 0;
    if (!st->ready && !not_yet)
        return false;
    st->version = str_make(rest.p, rest.len - (st->ready ? UP : DOWN));
    return true;
}

static bool since_start(struct str line, struct esl_status *st)
{
    return match(line, "# session(s) since startup", &st->since_start);
}

static bool sessions(struct str line, struct esl_status *st)
{
    uint64_t n[3];
    if (!match(line, "# session(s) - peak #, last 5min #", n))
        return false;
    st->sessions = n[0], st->peak = n[1], st->peak_5min = n[2];
    return true;
}

static bool rate(struct str line, struct esl_status *st)
{
    uint64_t n[4];
    if (!match(line, "# session(s) per Sec out of max #, peak #, last 5min #", n))
        return false;
    st->rate = n[0], st->rate_max = n[1], st->rate_peak = n[2], st->rate_peak_5min = n[3];
    return true;
}

static bool sessions_max(struct str line, struct esl_status *st)
{
    return match(line, "# session(s) max", &st->sessions_max);
}

static bool idle_cpu(struct str line, struct esl_status *st)
{
    uint64_t n[4];
    if (!match(line, "min idle cpu #.#/#.#", n)) /* always two decimals */
        return false;
    st->idle_cpu_min = (double)n[0] + (double)n[1] / 100;
    st->idle_cpu = (double)n[2] + (double)n[3] / 100;
    return true;
}

enum va_err esl_status_read(enum va_err err, struct str text, struct esl_status *ret_status)
{
    static bool (*const lines[])(struct str, struct esl_status *) = {
        uptime, version, since_start, sessions, rate, sessions_max, idle_cpu};
    struct esl_status st = {0};
    err = esl_ok_read(err, text);
    if (err)
        return err;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (!text.len || !memchr(text.p, '\n', text.len))
            return VA_EPROTO;
        if (!lines[i](str_trim(str_cut(&text, '\n')), &st))
            return VA_EPROTO;
    }
    *ret_status = st;
    return VA_OK;
}
