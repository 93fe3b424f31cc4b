/**
 * esl/conn.h: what both kinds of Event Socket connection share: bytes to messages, answers to
 * requests strictly first-in-first-out, jobs to their BACKGROUND_JOB, events to their owner at a
 * pace that never stops the reading. Inside of esl/ only; session (FreeSWITCH called us) and client
 * (we call FreeSWITCH) are built on it.
 */
#ifndef VA_ESL_CONN_H
#define VA_ESL_CONN_H

#include "base/buf.h"
#include "esl/event.h"
#include "esl/parser.h"
#include "esl/queue.h"
#include "esl/waiter.h"
#include "net/tcp.h"

struct esl_conn;

struct esl_conn_cfg {
    struct esl_parser_cfg parser;
    size_t out_max, pending_max, jobs_max, window; /* all > 0 */
    struct esl_queue_cfg queue;
    size_t queue_bytes; /* default of its two sizes */
    uint64_t reply_ms;  /* after it an answer without limit of its own is overdue; 0: never */
    bool greet;         /* what is no Event Socket fails by its first bytes: ESL_WHY_NOT_ESL */
};

/** On the loop's thread; each may close the connection, but for on_free. Optional ones: NULL. */
struct esl_conn_handlers {
    /** Connected (only after esl_conn_connect()). */
    void (*on_open)(void *arg);
    /** An event came, even while older ones wait in the queue: for waiters. Optional. */
    void (*on_arrival)(void *arg, const struct esl_event *ev);
    /** Events in order, as fast as this returns. */
    void (*on_event)(void *arg, const struct esl_event *ev);
    /** `n` events were dropped before this one, or before the queue ran empty. Optional. */
    void (*on_lost)(void *arg, uint64_t n);
    /** What is neither answer, event nor notice: auth/request, log/data, … Optional. */
    void (*on_other)(void *arg, const struct esl_message *m);
    void (*on_notice)(void *arg, enum esl_notice notice, struct str text);
    /** Once, after all requests and jobs got their result and the last event was handed out. */
    void (*on_end)(void *arg, enum esl_why why);
    /** The last stack frame of the connection is gone: the owner may free itself now. Once, always,
     *  after esl_conn_close(). */
    void (*on_free)(void *arg);
};

/** How an answer becomes a result. */
enum esl_request {
    ESL_REQUEST_COMMAND, /**< Reply-Text; -ERR is VA_EREFUSED */
    ESL_REQUEST_UPKEEP,  /**< the same; not limited by pending_max, its asker limits how many */
    ESL_REQUEST_API,     /**< body as it is; -ERR and -USAGE are VA_EREFUSED, an unknown channel
                          *   VA_ENOTFOUND */
    ESL_REQUEST_GETVAR   /**< body is a value; `_undef_` is VA_ENOTFOUND */
};

/** Take over a connected socket; fd is owned, also on failure. Handlers are borrowed. */
VA_CHECK enum va_err esl_conn_adopt(struct loop *loop, int fd, const struct esl_conn_cfg *cfg,
                                    const struct esl_conn_handlers *h, void *arg,
                                    struct esl_conn **ret_conn);
/** Connect; on_open or on_end (ESL_WHY_CONNECT) follows. */
VA_CHECK enum va_err esl_conn_connect(struct loop *loop, const struct net_addr *addr,
                                      uint64_t timeout_ms, const struct esl_conn_cfg *cfg,
                                      const struct esl_conn_handlers *h, void *arg,
                                      struct esl_conn **ret_conn);
/** No callback but on_free follows; that may come from inside this call. Allowed in callbacks. What
 *  was written, and what waits behind the window, still goes out. */
void esl_conn_close(struct esl_conn *c);
bool esl_conn_closed(const struct esl_conn *c);
/** The peer is gone: nothing can be sent, though events may still be handed out. */
bool esl_conn_ended(const struct esl_conn *c);
struct loop *esl_conn_loop(const struct esl_conn *c);
/** Another owner from here on. In callbacks only. */
void esl_conn_rebind(struct esl_conn *c, const struct esl_conn_handlers *h, void *arg);

/** End it as if the peer had: everything waiting fails with `why`, then on_end. In callbacks only.
 */
void esl_conn_fail(struct esl_conn *c, enum esl_why why);
/** The same on the next turn of the loop: allowed anywhere. */
void esl_conn_break(struct esl_conn *c, enum esl_why why);
/** Callbacks from timers of the owner run between these two. */
void esl_conn_enter(struct esl_conn *c);
void esl_conn_leave(struct esl_conn *c);

/** Send one whole command (as command.h built it, its failure included) and queue for its answer.
 */
VA_CHECK enum va_err esl_conn_send(struct esl_conn *c, const struct buf *text,
                                   enum esl_request kind, const struct esl_then *then);
/** pending_max is reached: requests are refused with VA_ELIMIT. */
bool esl_conn_full(const struct esl_conn *c);
/** Send bytes that nothing answers. */
VA_CHECK enum va_err esl_conn_send_raw(struct esl_conn *c, const char *bytes, size_t len);
/** bgapi with a Job-UUID of ours, known before it is sent. */
VA_CHECK enum va_err esl_conn_bgapi(struct esl_conn *c, struct str line,
                                    const struct esl_then *then);
void esl_conn_forget(struct esl_conn *c, const void *arg);
/** A quiet time passed: esl_parser_settle(). */
void esl_conn_settle(struct esl_conn *c);

/** The error of the socket that ended it; VA_OK when none did. */
enum va_err esl_conn_io_err(const struct esl_conn *c);
/** The first bytes that ever came, for a person to read. */
struct str esl_conn_first(const struct esl_conn *c);
/** When something came last [µs of the loop]. */
uint64_t esl_conn_heard_us(const struct esl_conn *c);

struct esl_conn_stats {
    uint64_t events, replies, late, unsolicited, flawed;
    size_t pending; /**< unanswered and unsent requests */
    size_t overdue; /**< of them, not answered in their time, or in reply_ms */
    size_t jobs;
    struct esl_queue_stats queue;
};
void esl_conn_stats(const struct esl_conn *c, struct esl_conn_stats *ret_stats);

#endif
