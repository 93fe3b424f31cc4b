/**
 * esl/session.h: a connection that FreeSWITCH opened to us: `socket host:port async full`.
 *
 *     esl_session_open ─► "connect" ─► on_connected ─► on_event, on_notice, results … ─► on_closed
 *
 * The session belongs to one loop and is used on its thread only. No handler and no result is
 * called from inside a function of this file. Requests may be made as soon as the session is open
 * (they follow `connect`) and are answered strictly in order, whatever the answer's type. Each
 * command is one write; fields with CR, LF or NUL are refused (VA_EINVAL).
 *
 * Source: esl.md §1.3, §1.6, §1.7; freeswitch-media.md §1.
 */
#ifndef VA_ESL_SESSION_H
#define VA_ESL_SESSION_H

#include "esl/event.h"
#include "esl/execute.h"
#include "esl/queue.h"
#include "esl/switch.h"

struct esl_session;
struct loop;

/** All fields 0: defaults. Copied. */
struct esl_session_cfg {
    uint64_t connect_timeout_ms; /**< for the answer to `connect`; 0: 5000 [ms] */
    size_t out_max;              /**< unsent bytes; 0: 1 MiB */
    size_t head_max, body_max;   /**< of one message, as esl_parser_cfg */
    size_t pending_max;          /**< unanswered commands; 0: 1024 */
    size_t jobs_max;             /**< running bgapi jobs; 0: 256 */
    size_t exec_inflight_max;    /**< sent, not complete; 0 or more: ESL_EXEC_INFLIGHT_MAX */
    size_t exec_queue_max;       /**< waiting behind them; 0: 256 */
    size_t window;               /**< commands with FreeSWITCH; the rest waits here; 0: 64 */
    struct esl_queue_cfg queue;  /**< events that wait for on_event; 0: 1 MiB each */
};

/** All on the loop's thread; each may make requests and close the session. Unused ones: NULL. */
struct esl_session_handlers {
    /** `connect` was answered; `channel` is the channel's data with all variables. Borrowed. */
    void (*on_connected)(void *arg, const struct esl_event *channel);
    /** Every event, in order, after the waiters it ended were told. Borrowed. */
    void (*on_event)(void *arg, const struct esl_event *ev);
    /** `n` events were dropped here since the last call, because on_event was too slow. */
    void (*on_lost)(void *arg, uint64_t n);
    /** `text` is the notice's body. After ESL_NOTICE_LINGER the session stays open. May come before
     *  events that wait because on_event was too slow; on_closed never does. */
    void (*on_notice)(void *arg, enum esl_notice notice, struct str text);
    /** Once and last, after every waiter got its result. esl_session_close() is still due. */
    void (*on_closed)(void *arg, enum esl_why why);
};

/**
 * Take over an accepted socket and send `connect`.
 *
 * @param fd   Owned from here on, also on failure
 * @param cfg  NULL: all defaults
 * @param h    Borrowed until esl_session_close()
 *
 * @return VA_OK, VA_EINVAL, VA_ENOMEM, VA_EIO
 */
VA_CHECK enum va_err esl_session_open(struct loop *loop, int fd, const struct esl_session_cfg *cfg,
                                      const struct esl_session_handlers *h, void *arg,
                                      struct esl_session **ret_session);

struct esl_client_cfg;
/**
 * The same over a connection we make: it is bound to a channel that exists (`myevents <uuid>`), as
 * if FreeSWITCH had called for it. on_connected or on_closed follows; before it requests are
 * refused with VA_EAGAIN. The channel itself does not notice: it goes on when we leave.
 *
 * @param to   Where to connect, as esl_client_open(); one attempt. Its format is that of events
 * @param cfg  NULL: all defaults; sizes are those of `to`
 * @return VA_OK, VA_EINVAL, VA_ENOMEM. on_closed tells the rest: ESL_WHY_REFUSED is an unknown uuid
 */
VA_CHECK enum va_err esl_session_bind(struct loop *loop, const struct esl_client_cfg *to,
                                      const char *uuid, const struct esl_session_cfg *cfg,
                                      const struct esl_session_handlers *h, void *arg,
                                      struct esl_session **ret_session);

/**
 * Release. What was written still goes out, then the socket closes and the dialplan continues. No
 * callback follows, open waiters are forgotten. Allowed in any callback. NULL-safe.
 */
void esl_session_close(struct esl_session **s);

/** Do not take a call (over the limit, draining): the dialplan goes on at once. Owns fd. */
void esl_session_refuse(int fd);

/** Unique-ID of the channel; empty before on_connected. Borrowed from the session. */
struct str esl_session_uuid(const struct esl_session *s);
bool esl_session_connected(const struct esl_session *s);
/** True after CHANNEL_HANGUP of this channel or a linger notice: executes are refused now. */
bool esl_session_hungup(const struct esl_session *s);
/** Full control (`full` in the dialplan): api, bgapi, linger, event work. Without it they are
 *  refused here (VA_ENOTSUP), as FreeSWITCH would. */
bool esl_session_full(const struct esl_session *s);
/** `async` in the dialplan. Without it (static) an execute is done when its answer comes, and
 *  FreeSWITCH sends no events while the application runs. */
bool esl_session_async(const struct esl_session *s);
/** To send commands of commands.h over this connection. Valid as long as the session. */
struct esl_switch *esl_session_switch(struct esl_session *s);

/* ---- requests ---------------------------------------------------------------------------------
 * @param then  Copied; NULL when the result does not matter
 * @return VA_OK (exactly one result with done follows, unless the session is closed by its owner),
 *         VA_EINVAL (a field cannot be sent), VA_ELIMIT (too many pending, or unsent bytes),
 *         VA_ENOTSUP (needs `full`), VA_ECLOSED, VA_ENOMEM. On failure no result follows.
 */

/** Any one-line command, e.g. "nolinger". Answered by Reply-Text. `getvar` is VA_ENOTSUP: its
 *  answer could forge messages, use esl_session_getvar(). */
VA_CHECK enum va_err esl_session_command(struct esl_session *s, struct str line,
                                         const struct esl_then *then);
/** As esl_switch_api(). Needs `full`. */
VA_CHECK enum va_err esl_session_api(struct esl_session *s, struct str line,
                                     const struct esl_then *then);
/** Variable of the own channel by `api uuid_getvar`; VA_ENOTFOUND when unset. Text is the value.
 *  Before on_connected: VA_EAGAIN. Needs `full`; without it read what on_connected brought. */
VA_CHECK enum va_err esl_session_getvar(struct esl_session *s, const char *name,
                                        const struct esl_then *then);
/** Variable of the own channel by `api uuid_setvar`, any bytes but NUL; empty deletes it.
 *  VA_ENOTSUP for a value that begins with "ARRAY::", which would become one. Needs `full`; without
 * it execute `set`, which expands ${…}. */
VA_CHECK enum va_err esl_session_setvar(struct esl_session *s, const char *name, struct str value,
                                        const struct esl_then *then);
/** As esl_switch_bgapi(). Needs `full`. */
VA_CHECK enum va_err esl_session_bgapi(struct esl_session *s, struct str line,
                                       const struct esl_then *then);

/**
 * Run an application. A result with done=false tells FreeSWITCH queued it; the one with done=true
 * comes with its CHANNEL_EXECUTE_COMPLETE (needs myevents), or VA_ECANCELED at hang-up. On a static
 * socket the answer itself comes at its end. At most ESL_EXEC_INFLIGHT_MAX are with FreeSWITCH, the
 * rest waits here in order.
 */
VA_CHECK enum va_err esl_session_execute(struct esl_session *s, const struct esl_execute *x,
                                         const struct esl_then *then);

/** Hang up now, whatever is playing (without `full`: after the applications with event-lock).
 *  `cause` as "USER_BUSY"; NULL: normal clearing. */
VA_CHECK enum va_err esl_session_hangup(struct esl_session *s, const char *cause,
                                        const struct esl_then *then);

/** Raw L16 frames by UDP: FreeSWITCH's side and the side that gets them. */
struct esl_unicast {
    const char *local_ip, *remote_ip; /**< numeric */
    uint16_t local_port, remote_port;
};
/** Source: freeswitch-media.md §1. */
VA_CHECK enum va_err esl_session_unicast(struct esl_session *s, const struct esl_unicast *u,
                                         const struct esl_then *then);

/** Subscribe to the channel's own events. */
VA_CHECK enum va_err esl_session_myevents(struct esl_session *s, enum esl_format format,
                                          const struct esl_then *then);
/** Keep the socket for `seconds` ≥ 1 after hang-up, so that the last events arrive. */
VA_CHECK enum va_err esl_session_linger(struct esl_session *s, unsigned seconds,
                                        const struct esl_then *then);
/** Undo it. */
VA_CHECK enum va_err esl_session_nolinger(struct esl_session *s, const struct esl_then *then);
/** Let the channel's private events (DTMF, speech) come here instead of to its applications. */
VA_CHECK enum va_err esl_session_divert_events(struct esl_session *s, bool on,
                                               const struct esl_then *then);
/** `socket_resume`: the dialplan goes on when we close, hang-up or not. On a static socket, or
 *  after a transfer, it freezes the channel instead: leave it alone there. */
VA_CHECK enum va_err esl_session_resume(struct esl_session *s, const struct esl_then *then);
/** Let only events with this header value through. What our own waiters need is added. */
VA_CHECK enum va_err esl_session_filter(struct esl_session *s, const char *header, struct str value,
                                        const struct esl_then *then);
/** Take the media of the own channel out of FreeSWITCH's hands: to that of `uuid`; NULL: its
 *  partner's. (`call-command: nomedia`) */
VA_CHECK enum va_err esl_session_nomedia(struct esl_session *s, const char *uuid,
                                         const struct esl_then *then);
/** Leave the socket for a dialplan of our own: these applications run in turn, then the channel
 *  ends. Only `app` and `arg` (one line) of each are used. (`call-command: xferext`) */
VA_CHECK enum va_err esl_session_xferext(struct esl_session *s, const struct esl_execute *list,
                                         size_t count, const struct esl_then *then);
/** Ask FreeSWITCH to close; the dialplan continues. */
VA_CHECK enum va_err esl_session_exit(struct esl_session *s, const struct esl_then *then);
/** Raise a CUSTOM event for every listener of FreeSWITCH. Needs `full`. `body` may be empty. */
VA_CHECK enum va_err esl_session_send_custom(struct esl_session *s, const char *subclass,
                                             const struct esl_field *fields, size_t count,
                                             struct str body, const struct esl_then *then);

/** Wake FreeSWITCH's sender now, which else looks every 20 ms. Nothing answers. */
VA_CHECK enum va_err esl_session_poke(struct esl_session *s);

/** Forget every result handler with this arg, e.g. because its owner dies. Order is kept. */
void esl_session_forget(struct esl_session *s, const void *arg);

/**
 * `uuid_break … all` took what was queued on the channel: executes with this arg will never end, so
 * they no longer wait nor count as with FreeSWITCH, and those not sent yet are not sent. No result
 * follows. One of them that ends nevertheless is of no account.
 */
void esl_session_drop_executes(struct esl_session *s, const void *arg);

struct esl_session_stats {
    uint64_t events, replies;
    uint64_t late;        /**< answers that came after their timeout */
    uint64_t unsolicited; /**< answers nobody asked for; not 0 is a bug on some side */
    uint64_t flawed;      /**< events with esl_event_flawed() */
    size_t pending, jobs, exec_inflight, exec_queued;
    struct esl_queue_stats queue;
};
void esl_session_stats(const struct esl_session *s, struct esl_session_stats *ret_stats);

#endif
