/** fakefs/report.h: a call as a person reads it while it happens, or as one JSON object at its end.
 */
#ifndef VA_FAKEFS_REPORT_H
#define VA_FAKEFS_REPORT_H

#include "base/err.h"
#include "fakefs/meter.h"

#include <stdio.h>

struct report;

struct report_cfg {
    FILE *out;
    bool json;  /**< nothing but one object, written by report_end() */
    bool quiet; /**< no lines while it happens */
};
VA_CHECK enum va_err report_new(const struct report_cfg *cfg, struct report **ret);
void report_free(struct report **r);
/** Times are printed relative to this [µs, mono]. */
void report_set_zero(struct report *r, uint64_t at_us);
/** One thing that happened. `event` is one word for machines ("agent-speaks"). */
VA_PRINTF(4, 5)
void report_line(struct report *r, uint64_t at_us, const char *event, const char *fmt, ...);

/** A call's figures; times −1 when there is none. */
struct report_summary {
    const char *outcome; /**< "completed", "transferred", "returned", "refused", "failed" … */
    const char *detail;  /**< cause, destination or failure; "" */
    bool passed;
    double first_audio_ms;
    const double *turn_ms;
    size_t turn_count;
    uint64_t sent, received, odd;
    const struct fakefs_meter *meter;
    const char *recording; /**< path or NULL */
};
void report_end(struct report *r, const struct report_summary *s);

/** Summary of many calls. */
struct report_load {
    uint64_t calls, answered, refused, lost_calls, peak, sent, received, odd;
    struct fakefs_meter meter;
    const struct fakefs_histogram *first_audio;
    double seconds;
    double own_p99_ms; /**< lateness of the caller's own clock: above 5 the machine is too busy */
    uint64_t own_skipped; /**< frames the caller itself did not send in time */
};
void report_load(struct report *r, const struct report_load *l);

#endif
