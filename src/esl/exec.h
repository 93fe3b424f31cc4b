/**
 * esl/exec.h: applications running on one channel. FreeSWITCH drops the whole connection at the
 * 257th that waits (esl.md fact 5), so a few are sent and the rest waits here, in order. An
 * application ends with CHANNEL_EXECUTE_COMPLETE, or with the channel. Inside of esl/ only.
 */
#ifndef VA_ESL_EXEC_H
#define VA_ESL_EXEC_H

#include "esl/conn.h"
#include "esl/execute.h"

struct esl_exec {
    struct esl_conn *conn;
    struct esl_waiters inflight;
    struct list queue; /* of esl_waiter, not sent yet */
    size_t queued, queued_bytes;
    size_t inflight_max, queue_max, queue_bytes_max;
    unsigned busy;      /* frames of exec.c that still use it */
    enum va_err refuse; /* nothing new starts: results of what ends are told just now */
    bool answer_ends;   /* static socket: the answer comes when the application is done */
    /** Nothing runs and nothing waits any more, busy is 0: the owner may free it. Optional. */
    void (*on_idle)(struct esl_exec *x);
};

/** @param inflight_max  0 or too many: ESL_EXEC_INFLIGHT_MAX. queue_max 0: 256 */
void esl_exec_init(struct esl_exec *x, struct esl_conn *conn, size_t inflight_max, size_t queue_max,
                   size_t queue_bytes_max);
/** `w` (with its text, which carries w->uuid as Event-UUID) is owned on success. */
VA_CHECK enum va_err esl_exec_start(struct esl_exec *x, struct esl_waiter *w);
void esl_exec_on_complete(struct esl_exec *x, const struct esl_event *ev);
/** End those that were not sent; with `all` every one. */
void esl_exec_end(struct esl_exec *x, enum esl_why why, bool all);
void esl_exec_forget(struct esl_exec *x, const void *arg);
/** Those with this arg will not end: FreeSWITCH dropped them, or they were not sent yet. */
void esl_exec_drop(struct esl_exec *x, const void *arg);
/** Free all without a word. */
void esl_exec_clear(struct esl_exec *x);

#endif
