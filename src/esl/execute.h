/** esl/execute.h: what is run on a channel and what is sent to listeners, for session and client.
 */
#ifndef VA_ESL_EXECUTE_H
#define VA_ESL_EXECUTE_H

#include "esl/types.h"

enum {
    ESL_EXEC_INFLIGHT_MAX = 64, /**< FreeSWITCH drops the connection at 257 (esl.md fact 5) */
    ESL_ARG_LINE_MAX = 4096     /**< longer application arguments travel as a body [bytes] */
};

/** An application to run on a channel. Source: esl.md §1.6. */
struct esl_execute {
    const char *app;
    struct str arg; /**< any bytes but NUL; beware: FreeSWITCH expands ${…} in it, see escape.h */
    bool no_lock;   /**< leave out event-lock: FreeSWITCH then nests and completes last-in-first.
                     *   With it, sendmsg (unicast too) waits until the application ends */
    bool priority;  /**< `event-lock-pri: true`: before what is queued in FreeSWITCH */
    bool async;     /**< `async: true` */
    bool hold_bleg; /**< `hold-bleg: true`: the other leg hears music meanwhile */
    int loops;      /**< 0 or 1: once; -1 for ever */
    unsigned lead_frames; /**< `lead-frames`: wait for so much audio first [frames] */
};

/** One header of an event that is sent. */
struct esl_field {
    const char *name; /**< no colon, no blank */
    struct str value; /**< one line, nothing expands it; empty is left out */
};

#endif
