#include "fakefs/report.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdlib.h>

struct report {
    struct report_cfg cfg;
    uint64_t zero_us;
    struct json_object *events;
};

enum va_err report_new(const struct report_cfg *cfg, struct report **ret)
{
    struct report *r = calloc(1, sizeof(*r));
    if (!r)
        return VA_ENOMEM;
    r->cfg = *cfg;
    r->events = json_object_new_array();
    *ret = r;
    return VA_OK;
}

void report_free(struct report **pr)
{
    struct report *r = pr ? *pr : NULL;
    if (!r)
        return;
    *pr = NULL;
    json_object_put(r->events);
    free(r);
}

void report_set_zero(struct report *r, uint64_t at_us)
{
    r->zero_us = at_us;
}

static struct json_object *json_ms(double value)
{
    struct json_object *o = json_object_new_double(value);
    json_object_set_serializer(o, json_object_double_to_json_string, "%.1f", NULL);
    return o;
}

static double ms(uint64_t us)
{
    return (double)us / 1000;
}

void report_line(struct report *r, uint64_t at_us, const char *event, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    uint64_t at = at_us > r->zero_us ? at_us - r->zero_us : 0;
    if (r->cfg.json) {
        struct json_object *o = json_object_new_object();
        json_object_object_add(o, "t_ms", json_ms(ms(at)));
        json_object_object_add(o, "event", json_object_new_string(event));
        json_object_object_add(o, "text", json_object_new_string(text));
        json_object_array_add(r->events, o);
    } else if (!r->cfg.quiet) {
        (void)fprintf(r->cfg.out, "%8.3f s  %s\n", ms(at) / 1000, text);
        (void)fflush(r->cfg.out);
    }
}

static void add_count(struct json_object *o, const char *name, uint64_t n)
{
    json_object_object_add(o, name, json_object_new_int64((int64_t)n));
}

static void add_times(struct json_object *o, const char *name, const struct fakefs_histogram *h)
{
    struct json_object *t = json_object_new_object();
    json_object_object_add(t, "p50", json_ms(ms(fakefs_histogram_at(h, 500))));
    json_object_object_add(t, "p99", json_ms(ms(fakefs_histogram_at(h, 990))));
    json_object_object_add(t, "max", json_ms(ms(h->max_us)));
    json_object_object_add(o, name, t);
}

static struct json_object *frames_json(uint64_t sent, uint64_t received, uint64_t odd,
                                       const struct fakefs_meter *m)
{
    struct json_object *f = json_object_new_object();
    add_count(f, "sent", sent);
    add_count(f, "received", received);
    add_count(f, "late", m->late);
    add_count(f, "lost", m->lost);
    add_count(f, "extra", m->extra);
    add_count(f, "odd", odd);
    add_count(f, "pauses", m->pauses);
    json_object_object_add(f, "max_gap_ms", json_ms(ms(m->max_gap_us)));
    add_times(f, "lateness_ms", m->lateness);
    return f;
}

static void put_json(struct report *r, struct json_object *o)
{
    (void)fprintf(
        r->cfg.out, "%s\n",
        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(o);
}

static void end_json(struct report *r, const struct report_summary *s)
{
    struct json_object *o = json_object_new_object(), *turns = json_object_new_array();
    for (size_t i = 0; i < s->turn_count; i++)
        json_object_array_add(turns, json_ms(s->turn_ms[i]));
    json_object_object_add(o, "outcome", json_object_new_string(s->outcome));
    json_object_object_add(o, "detail", json_object_new_string(s->detail));
    json_object_object_add(o, "passed", json_object_new_boolean(s->passed));
    if (s->first_audio_ms >= 0)
        json_object_object_add(o, "first_audio_ms", json_ms(s->first_audio_ms));
    json_object_object_add(o, "turn_latency_ms", turns);
    json_object_object_add(o, "frames", frames_json(s->sent, s->received, s->odd, s->meter));
    if (s->recording)
        json_object_object_add(o, "recording", json_object_new_string(s->recording));
    json_object_object_add(o, "events", json_object_get(r->events));
    put_json(r, o);
}

static void print_frames(FILE *out, uint64_t sent, uint64_t received, uint64_t odd,
                         const struct fakefs_meter *m)
{
    (void)fprintf(out,
                  "  frames       sent %" PRIu64 ", received %" PRIu64 ", late %" PRIu64
                  ", lost %" PRIu64 ", extra %" PRIu64,
                  sent, received, m->late, m->lost, m->extra);
    if (odd)
        (void)fprintf(out, ", of a wrong size %" PRIu64, odd);
    (void)fprintf(out, "\n  lateness     p50 %.1f ms, p99 %.1f ms, max %.1f ms\n",
                  ms(fakefs_histogram_at(m->lateness, 500)),
                  ms(fakefs_histogram_at(m->lateness, 990)), ms(m->lateness->max_us));
}

void report_end(struct report *r, const struct report_summary *s)
{
    FILE *out = r->cfg.out;
    if (r->cfg.json) {
        end_json(r, s);
        return;
    }
    (void)fprintf(out, "\n  outcome      %s%s%s%s\n", s->passed ? "" : "FAILED: ", s->outcome,
                  *s->detail ? ", " : "", s->detail);
    if (s->first_audio_ms >= 0)
        (void)fprintf(out, "  first audio  %.0f ms after the call began\n", s->first_audio_ms);
    for (size_t i = 0; i < s->turn_count; i++)
        (void)fprintf(out, "%s%.0f ms%s", i ? ", " : "  turns        ", s->turn_ms[i],
                      i + 1 == s->turn_count ? "\n" : "");
    print_frames(out, s->sent, s->received, s->odd, s->meter);
    if (s->recording)
        (void)fprintf(out, "  recording    %s (caller left, agent right)\n", s->recording);
}

void report_load(struct report *r, const struct report_load *l)
{
    const struct fakefs_histogram *first = l->first_audio;
    if (r->cfg.json) {
        struct json_object *o = json_object_new_object();
        add_count(o, "calls", l->calls);
        add_count(o, "answered", l->answered);
        add_count(o, "refused", l->refused);
        add_count(o, "lost_calls", l->lost_calls);
        add_count(o, "peak", l->peak);
        json_object_object_add(o, "seconds", json_ms(l->seconds));
        add_times(o, "first_audio_ms", first);
        json_object_object_add(o, "frames", frames_json(l->sent, l->received, l->odd, &l->meter));
        json_object_object_add(o, "own_p99_ms", json_ms(l->own_p99_ms));
        add_count(o, "own_skipped", l->own_skipped);
        put_json(r, o);
        return;
    }
    (void)fprintf(r->cfg.out,
                  "  calls        %" PRIu64 ", answered %" PRIu64 ", refused %" PRIu64
                  ", lost %" PRIu64 ", at most %" PRIu64 " at once, %.1f s\n"
                  "  first audio  p50 %.0f ms, p99 %.0f ms, max %.0f ms\n",
                  l->calls, l->answered, l->refused, l->lost_calls, l->peak, l->seconds,
                  ms(fakefs_histogram_at(first, 500)), ms(fakefs_histogram_at(first, 990)),
                  ms(first->max_us));
    print_frames(r->cfg.out, l->sent, l->received, l->odd, &l->meter);
    (void)fprintf(r->cfg.out, "  own clock    p99 %.1f ms late, skipped %" PRIu64 "%s\n",
                  l->own_p99_ms, l->own_skipped,
                  l->own_p99_ms > 5 || l->own_skipped
                      ? ": this machine is too busy, the figures are not the daemon's"
                      : "");
}
