/** esl/status.h: FreeSWITCH as a whole. As channel.h. */
#ifndef VA_ESL_STATUS_H
#define VA_ESL_STATUS_H

#include "esl/switch.h"

/** esl_status_read() reads the result. */
VA_CHECK enum va_err esl_status(struct esl_switch *sw, const struct esl_then *then);

struct esl_status {
    uint64_t uptime_ms;       /**< years as FreeSWITCH counts them: 365 days */
    struct str version;       /**< "1.10.12-release  64bit", borrowed from the text */
    bool ready;               /**< it takes calls: not starting, not shutting down */
    uint64_t since_start;     /**< sessions since it started */
    uint64_t sessions;        /**< now */
    uint64_t peak, peak_5min; /**< most sessions at a time */
    uint64_t rate;            /**< sessions per second, now */
    uint64_t rate_max;        /**< … allowed */
    uint64_t rate_peak, rate_peak_5min;
    uint64_t sessions_max; /**< allowed */
    double idle_cpu_min;   /**< below it no call is taken [%]; 0: any */
    double idle_cpu;       /**< now [%] */
};
/** @return VA_OK, VA_EPROTO (not a status, or cut off), or as esl_ok_read() */
VA_CHECK enum va_err esl_status_read(enum va_err err, struct str text,
                                     struct esl_status *ret_status);

/** Read the configuration anew; a mistake in it is in the text and esl_ok_read() is VA_OK: the old
 *  one stays then. */
VA_CHECK enum va_err esl_reloadxml(struct esl_switch *sw, const struct esl_then *then);
/** What a reload said: "Success", or the mistake. Borrowed. VA_EPROTO when there is none. */
VA_CHECK enum va_err esl_reloadxml_read(enum va_err err, struct str text, struct str *ret_message);

#endif
