/** fakefs/load.h: many calls at once, for measuring a daemon. One thread, one media clock. */
#ifndef VA_FAKEFS_LOAD_H
#define VA_FAKEFS_LOAD_H

#include "fakefs/report.h"
#include "fakefs/call.h"

enum { LOAD_CALLS_MAX = 20000 };

struct load_cfg {
    struct fakefs_call_cfg call;    /**< of every call; uuid must be NULL, lateness is set here */
    const struct fakefs_clip *clip; /**< said over and over, each call from its own start */
    uint32_t pause_ms;              /**< between two times */
    unsigned calls, rate;           /**< rate: new calls per second */
    uint64_t hold_ms;               /**< of each call, from its socket's opening */
    uint64_t settle_ms; /**< frames of the first that long after the last start do not count;
                             0 counts everything */
    struct report *report;
};

/** @param ret_passed  no call refused, lost or without the agent's audio */
VA_CHECK enum va_err load_run(struct loop *loop, const struct load_cfg *cfg, bool *ret_passed,
                              struct va_fault *fault);

#endif
