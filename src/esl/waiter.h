/**
 * esl/waiter.h: requests whose end is an event that carries a uuid of ours (bgapi: Job-UUID,
 * execute: Application-UUID), and the table they are found in. Inside of esl/ only.
 */
#ifndef VA_ESL_WAITER_H
#define VA_ESL_WAITER_H

#include "base/buf.h"
#include "base/htab.h"
#include "base/rand.h"
#include "esl/types.h"
#include "net/loop.h"

struct esl_waiter {
    struct link link;       /* in a queue before it is sent */
    struct hlink hash_link; /* in a table by uuid after */
    char uuid[UUID_TEXT];
    bool accepted;        /* FreeSWITCH said +OK: only the event is missing */
    struct esl_then then; /* on_result NULL: nobody waits any more */
    struct tmr tmr;
    void *owner;
    struct buf text; /* command not sent yet */
};

/** Zero-initialise. */
struct esl_waiters {
    struct htab tab;
};

/** With a fresh uuid. NULL when out of memory. */
struct esl_waiter *esl_waiter_new(void *owner, const struct esl_then *then);
/** Unlinked by the caller; stops its timer. */
void esl_waiter_free(struct esl_waiter *w);
/** Tell its owner; `w` is gone when done is true. */
void esl_waiter_tell(struct esl_waiter *w, const struct esl_result *r);

VA_CHECK enum va_err esl_waiters_add(struct esl_waiters *t, struct esl_waiter *w);
void esl_waiters_remove(struct esl_waiters *t, struct esl_waiter *w);
struct esl_waiter *esl_waiters_find(struct esl_waiters *t, struct str uuid);
/** Any one of them, or NULL. */
struct esl_waiter *esl_waiters_any(struct esl_waiters *t);
void esl_waiters_forget(struct esl_waiters *t, const void *arg);
/** Free all without a word. */
void esl_waiters_clear(struct esl_waiters *t);

/** The error a request ends with when its connection or channel ended because of `why`. */
enum va_err esl_why_err(enum esl_why why);

#endif
