/**
 * esl/client.h: a connection to FreeSWITCH's Event Socket (port 8021), kept alive: it connects,
 * authenticates, restores filters and subscriptions after a loss, and tells its owner to re-sync.
 *
 *     stopped ─► resolving ─► connecting ─► greeting ─► authenticating ─► restoring ─► ready
 *                   ▲                                                                    │
 *                   └───────── waiting (growing pause with jitter) ◄── lost, refused ◄───┘
 *
 * Everything runs on the loop's thread; no thread of its own (but to look up a host that is a name).
 * Events reach handlers in order. The socket is always read: what handlers
 * cannot take in time waits in a bounded queue, and what does not fit there is dropped by policy
 * and counted, never left in FreeSWITCH, where one slow reader halts the events of all (esl.md fact
 * 1). Source: esl.md §1.1–1.8; mod_event_socket.c 1.10.12.
 */
#ifndef VA_ESL_CLIENT_H
#define VA_ESL_CLIENT_H

#include "esl/event.h"
#include "esl/execute.h"
#include "esl/queue.h"
#include "esl/switch.h"

struct esl_client;
struct loop;

/** All fields 0: defaults. Strings are copied. */
struct esl_client_cfg {
    const char *host;     /**< name or address; NULL: "127.0.0.1" */
    uint16_t port;        /**< 0: 8021 */
    const char *user;     /**< "user@domain" for `userauth`; NULL: `auth` with the password alone */
    const char *password; /**< NULL: "ClueCon" */
    enum esl_format format;      /**< of events: ESL_PLAIN costs least, ESL_JSON loses nothing */
    uint64_t connect_timeout_ms; /**< from the first packet until it is authenticated; 0: 5000 */
    uint64_t read_timeout_ms;    /**< for a reply where `then` names no time of its own; 0: 30000.
                                  *   The end of a job or application has no limit of its own */
    uint64_t idle_ms;            /**< silence after which the peer is asked for a sign of life,
                                  *   which read_timeout_ms limits; 0: 15000 */
    uint64_t reconnect_delay_ms; /**< first pause; it doubles with every failure; 0: 2000 */
    uint64_t reconnect_max_ms;   /**< longest pause, and at once the pause after a refused password
                                  *   or address, which time alone does not heal; 0: 60000 */
    unsigned max_attempts;       /**< failures in a row until it gives up; 0: never */
    size_t window;               /**< commands FreeSWITCH has unanswered; the rest wait here, as
                                  *   it sends no events between pipelined commands; 0: 64 */
    size_t pending_max;          /**< unanswered and waiting commands; 0: 8192 */
    size_t jobs_max;             /**< running jobs; 0: 8192 */
    size_t out_max;              /**< unsent bytes; 0: 4 MiB */
    size_t head_max, body_max;   /**< of one message, as esl_parser_cfg */
    struct esl_queue_cfg queue;  /**< events that wait for their handlers */
    size_t exec_inflight_max;    /**< per channel, as esl_session_cfg */
    size_t exec_queue_max;
};

/** Why there is no connection. Borrowed for the call. */
struct esl_down {
    enum esl_why why;
    enum va_err err; /**< VA_EAUTH (password, user, ACL), VA_EREFUSED (nobody listens), VA_ETIMEOUT,
                      *   VA_EPROTO (no Event Socket), VA_ENOTFOUND (host), VA_ECLOSED, … */
    const char *text;  /**< one line for a person: cause and fix */
    bool was_ready;    /**< it had been ready: running requests ended with it, events are lost */
    unsigned attempts; /**< failures in a row */
    uint64_t retry_ms; /**< until the next attempt; meaningless when final */
    bool final;        /**< max_attempts reached: nothing more happens */
};

/** On the loop's thread; each may make requests and close the client. Unused ones: NULL. */
struct esl_client_handlers {
    /**
     * Authenticated, filters and subscriptions acknowledged. `again`: it was ready before; what
     * happened meanwhile is not told, so read the state anew (`show channels`).
     */
    void (*on_ready)(void *arg, bool again);
    /** Each failed attempt and each loss, after all running requests got their result. */
    void (*on_down)(void *arg, const struct esl_down *down);
    /** Every event that comes, in order, before the handlers of esl_client_on_event(). Borrowed. */
    void (*on_event)(void *arg, const struct esl_event *ev);
    /** `n` events were dropped here since the last call, because handlers were too slow. */
    void (*on_lost)(void *arg, uint64_t n);
    /** A line of FreeSWITCH's log (after esl_client_log()). level 0 console … 7 debug. */
    void (*on_log)(void *arg, int level, struct str line);
};

/**
 * Begin to connect; on_ready or on_down follow, never from inside this call.
 *
 * @param cfg  NULL: all defaults
 * @param h    Copied
 * @return VA_OK, VA_EINVAL (host, user or password cannot be sent), VA_ENOMEM
 */
VA_CHECK enum va_err esl_client_open(struct loop *loop, const struct esl_client_cfg *cfg,
                                     const struct esl_client_handlers *h, void *arg,
                                     struct esl_client **ret_client);
/** Release now. What was written still goes out. No callback follows, open requests are forgotten.
 *  Allowed in any callback. NULL-safe. */
void esl_client_close(struct esl_client **c);

bool esl_client_connected(const struct esl_client *c);
/** To send commands of commands.h. Valid as long as the client; requests are refused with
 *  VA_ECLOSED while it is not ready. */
struct esl_switch *esl_client_switch(struct esl_client *c);

/* ---- requests: arguments and errors as in switch.h ------------------------------------------- */

VA_CHECK enum va_err esl_client_api(struct esl_client *c, struct str line,
                                    const struct esl_then *then);
VA_CHECK enum va_err esl_client_bgapi(struct esl_client *c, struct str line,
                                      const struct esl_then *then);
/** Any one-line command ("nolog"). Answered by Reply-Text. `getvar` is VA_ENOTSUP: its answer could
 *  forge messages. What subscriptions, filters and auth are for has functions of its own. */
VA_CHECK enum va_err esl_client_command(struct esl_client *c, struct str line,
                                        const struct esl_then *then);

/**
 * Want events. Remembered, and asked for again after every reconnect; may be called before the
 * client is ready.
 *
 * @param names  As FreeSWITCH's `event`: "CHANNEL_ANSWER CUSTOM sofia::register", "ALL"
 * @param uuid   Only events of this channel; NULL: of all. As long as every subscription names a
 *               channel FreeSWITCH filters for us, else we do
 * @return as esl_client_api(), but VA_OK while not connected (no result follows then)
 */
VA_CHECK enum va_err esl_client_subscribe(struct esl_client *c, struct str names, const char *uuid,
                                          const struct esl_then *then);
/** Undo a subscription made with the same names and uuid. VA_ENOTFOUND when there is none. */
VA_CHECK enum va_err esl_client_unsubscribe(struct esl_client *c, struct str names,
                                            const char *uuid, const struct esl_then *then);
/**
 * Let only events with this header value through (`-value`: keep those out; `/regex/`). Remembered
 * as subscriptions are. What our own jobs and waiters need is let through by itself.
 */
VA_CHECK enum va_err esl_client_filter(struct esl_client *c, const char *header, struct str value,
                                       const struct esl_then *then);
/** Drop all filters of esl_client_filter(). */
VA_CHECK enum va_err esl_client_filter_clear(struct esl_client *c, const struct esl_then *then);
/** Lines of FreeSWITCH's log up to `level` (0 console … 7 debug); −1: none. Remembered. */
VA_CHECK enum va_err esl_client_log(struct esl_client *c, int level, const struct esl_then *then);

/* ---- events ---------------------------------------------------------------------------------- */

typedef void(esl_event_h)(void *arg, const struct esl_event *ev);
struct esl_listener; /**< a handle of esl_client_on_event() */

/**
 * Call `fn` for events that are subscribed to.
 *
 * @param name  Event-Name, or the subclass of a CUSTOM event ("sofia::register"); NULL: any
 * @param uuid  Unique-ID; NULL: any
 * @return handle, owned by the client until esl_client_off_event(); NULL when out of memory
 */
struct esl_listener *esl_client_on_event(struct esl_client *c, const char *name, const char *uuid,
                                         esl_event_h *fn, void *arg);
/** Stop; allowed in any callback, that of the handle too. NULL-safe, leaves NULL behind. */
void esl_client_off_event(struct esl_client *c, struct esl_listener **l);

/**
 * One result when one of these events comes (r->event), or the wait ends otherwise: VA_ETIMEOUT,
 * VA_ECANCELED with ESL_WHY_HANGUP (the channel `uuid` hung up and no named event did it),
 * VA_ECLOSED with what ended the connection. Subscribed to the names for as long as it waits.
 */
VA_CHECK enum va_err esl_client_wait_for_event(struct esl_client *c, struct str names,
                                               const char *uuid, const struct esl_then *then);

/** Run an application on any channel. As esl_session_execute(); its end needs no subscription. */
VA_CHECK enum va_err esl_client_execute(struct esl_client *c, const char *uuid,
                                        const struct esl_execute *x, const struct esl_then *then);
/** Raise an event for every listener of FreeSWITCH; `name` is "CUSTOM" with `subclass`, or any
 *  event's name with NULL. As esl_session_send_custom(). */
VA_CHECK enum va_err esl_client_send_event(struct esl_client *c, const char *name,
                                           const char *subclass, const struct esl_field *fields,
                                           size_t count, struct str body,
                                           const struct esl_then *then);

/** Wake FreeSWITCH's sender now, which else looks every 20 ms. Nothing answers. */
VA_CHECK enum va_err esl_client_poke(struct esl_client *c);
/** Forget every result handler with this arg, e.g. because its owner dies. Order is kept. */
void esl_client_forget(struct esl_client *c, const void *arg);

struct esl_client_stats {
    uint64_t connects; /**< times it became ready */
    uint64_t events, replies;
    uint64_t late;        /**< answers that came after their timeout */
    uint64_t unsolicited; /**< answers nobody asked for; not 0 is a bug on some side */
    uint64_t flawed;      /**< events with esl_event_flawed() */
    size_t pending, jobs;
    struct esl_queue_stats queue;
};
void esl_client_stats(const struct esl_client *c, struct esl_client_stats *ret_stats);

#endif
