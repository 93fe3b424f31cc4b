/**
 * esl/blocking.h: the client for small programs: connect, ask, wait for events, one call after the
 * other. The same client as client.h on a loop of its own, so every request of client.h and
 * commands.h can be waited for.
 *
 * One thread at a time. Between calls nothing is read: a program that is away for long should not
 * be subscribed to busy events (esl.md fact 1).
 */
#ifndef VA_ESL_BLOCKING_H
#define VA_ESL_BLOCKING_H

#include "esl/client.h"

struct esl_blocking;

/** Events kept until they are fetched; of more the oldest goes. */
enum { ESL_BLOCKING_EVENTS_MAX = 65536 };

/** What became of a request. Zero-initialise; release with esl_answer_free(). */
struct esl_answer {
    bool done;
    enum va_err err;
    enum esl_why why;
    char *text; /**< terminated; NULL when there is none */
    size_t len;
    struct esl_event *event; /**< own copy, or NULL */
};
void esl_answer_free(struct esl_answer *a);

/**
 * Connect and authenticate. One attempt, unless cfg->max_attempts says more; a connection lost
 * later is not made again.
 *
 * @param fault  Cause and fix
 * @return VA_OK, VA_EAUTH (password, user, ACL), VA_EREFUSED, VA_ETIMEOUT, VA_EPROTO (not an Event
 *         Socket), VA_ENOTFOUND (host name), VA_ENOMEM, VA_EINVAL, VA_EIO
 */
VA_CHECK enum va_err esl_blocking_connect(const struct esl_client_cfg *cfg,
                                          struct esl_blocking **ret_b, struct va_fault *fault);
void esl_blocking_close(struct esl_blocking **b);

/** Run one `api` command. @return a->err, which is filled. VA_ECLOSED when the connection ended. */
VA_CHECK enum va_err esl_blocking_api(struct esl_blocking *b, struct str line,
                                      struct esl_answer *a);
/** Run one command as a job and wait for its output, at most `timeout_ms` (0: for ever). */
VA_CHECK enum va_err esl_blocking_bgapi(struct esl_blocking *b, struct str line,
                                        uint64_t timeout_ms, struct esl_answer *a);

/** Subscribe, as esl_client_subscribe(), and wait for the answer. */
VA_CHECK enum va_err esl_blocking_subscribe(struct esl_blocking *b, struct str names,
                                            const char *uuid);
/**
 * The next event that is subscribed to.
 *
 * @param timeout_ms  0: for ever
 * @param ret_event   Owned by the caller: esl_event_free()
 * @return VA_OK, VA_ETIMEOUT, VA_ECLOSED (why: esl_blocking_why())
 */
VA_CHECK enum va_err esl_blocking_next_event(struct esl_blocking *b, uint64_t timeout_ms,
                                             struct esl_event **ret_event);

/** Events dropped so far because they were not fetched in time. */
uint64_t esl_blocking_lost(const struct esl_blocking *b);

/**
 * To wait for any other request:
 *
 *     struct esl_answer a = {0};
 *     struct esl_then then = esl_blocking_then(&a, 5000);
 *     err = esl_uuid_bridge(esl_blocking_switch(b), x, y, &then);
 *     if (!err) err = esl_blocking_wait(b, &a);
 */
struct esl_then esl_blocking_then(struct esl_answer *a, uint64_t timeout_ms);
/** @return a->err. Every request given esl_blocking_then() must be waited for. */
VA_CHECK enum va_err esl_blocking_wait(struct esl_blocking *b, struct esl_answer *a);

struct esl_client *esl_blocking_client(struct esl_blocking *b);
struct esl_switch *esl_blocking_switch(struct esl_blocking *b);
/** Why the connection ended: one line; "" while it stands. */
const char *esl_blocking_why(const struct esl_blocking *b);

#endif
