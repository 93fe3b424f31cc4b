/** fakefs/run.h: one call that follows a script, judged and reported. */
#ifndef VA_FAKEFS_RUN_H
#define VA_FAKEFS_RUN_H

#include "fakefs/report.h"
#include "fakefs/script.h"

struct run_cfg {
    struct fakefs_call_cfg call;
    const struct script *script; /**< audio loaded */
    const char *script_name;     /**< for failures; NULL: steps were made from options */
    uint64_t timeout_ms;         /**< of the whole call */
    struct report *report;
    const char *recording; /**< path for the summary, or NULL */
};

/**
 * Make the call and turn the loop until it is over. Without a script_name the steps are what the
 * caller would like to do: a hang-up or a transfer by the agent ends them without a failure.
 *
 * @param fault  Only when there was no call
 * @return VA_OK: see *ret_passed. VA_EREFUSED …: nobody answered the TCP connection
 */
VA_CHECK enum va_err run_call(struct loop *loop, const struct run_cfg *cfg, bool *ret_passed,
                              struct va_fault *fault);

#endif
