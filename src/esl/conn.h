/**
 * esl/conn.h: what both kinds of Event Socket connection share: bytes to messages, answers to
 * requests strictly first-in-first-out, jobs to their BACKGROUND_JOB. Inside of esl/ only; a
 * session (FreeSWITCH called us) is built on it, a client (we call FreeSWITCH) can be.
 */
#ifndef VA_ESL_CONN_H
#define VA_ESL_CONN_H

#include "base/buf.h"
#include "esl/event.h"
#include "esl/parser.h"
#include "esl/waiter.h"
#include "net/tcp.h"

struct esl_conn;

struct esl_conn_cfg {
    struct esl_parser_cfg parser;
    size_t out_max, pending_max, jobs_max; /* all > 0 */
};

/** On the loop's thread; each may close the connection, but for on_free. */
struct esl_conn_handlers {
    void (*on_event)(void *arg, const struct esl_event *ev);
    /** What is neither answer, event nor notice: auth/request, log/data, … May be NULL. */
    void (*on_other)(void *arg, const struct esl_message *m);
    void (*on_notice)(void *arg, enum esl_notice notice, struct str text);
    /** Once, after all requests and jobs got their result. */
    void (*on_end)(void *arg, enum esl_why why);
    /** The last stack frame of the connection is gone: the owner may free itself now. Once, always,
     *  after esl_conn_close(). */
    void (*on_free)(void *arg);
};

/** How an answer becomes a result. */
enum esl_request {
    ESL_REQUEST_COMMAND, /**< Reply-Text; -ERR is VA_EREFUSED */
    ESL_REQUEST_API,     /**< body as it is; -ERR is VA_EREFUSED */
    ESL_REQUEST_GETVAR   /**< body is a value; `_undef_` is VA_ENOTFOUND */
};

/** Take over a connected socket; fd is owned, also on failure. Handlers are borrowed. */
VA_CHECK enum va_err esl_conn_adopt(struct loop *loop, int fd, const struct esl_conn_cfg *cfg,
                                    const struct esl_conn_handlers *h, void *arg,
                                    struct esl_conn **ret_conn);
/** No callback but on_free follows; that may come from inside this call. Allowed in callbacks. */
void esl_conn_close(struct esl_conn *c);
bool esl_conn_closed(const struct esl_conn *c);
struct loop *esl_conn_loop(const struct esl_conn *c);

/** End it as if the peer had: everything waiting fails with `why`, then on_end. In callbacks only.
 */
void esl_conn_fail(struct esl_conn *c, enum esl_why why);
/** Callbacks from timers of the owner run between these two. */
void esl_conn_enter(struct esl_conn *c);
void esl_conn_leave(struct esl_conn *c);

/** Send one whole command (as command.h built it, its failure included) and queue for its answer.
 */
VA_CHECK enum va_err esl_conn_send(struct esl_conn *c, const struct buf *text,
                                   enum esl_request kind, const struct esl_then *then);
/** Send bytes that nothing answers. */
VA_CHECK enum va_err esl_conn_send_raw(struct esl_conn *c, const char *bytes, size_t len);
/** bgapi with a Job-UUID of ours, known before it is sent. */
VA_CHECK enum va_err esl_conn_bgapi(struct esl_conn *c, struct str line,
                                    const struct esl_then *then);
void esl_conn_forget(struct esl_conn *c, const void *arg);

struct esl_conn_stats {
    uint64_t events, replies, late, unsolicited, flawed;
    size_t pending, jobs;
};
void esl_conn_stats(const struct esl_conn *c, struct esl_conn_stats *ret_stats);

#endif
