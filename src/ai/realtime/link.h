/**
 * ai/realtime/link.h: one WebSocket to a provider, which may have been opened before anybody needed
 * it.
 *
 *     link_open ─► a prepared one of the same target, if there is one: on_open on the next turn
 *               └► a new one: connect, TLS, handshake ─► on_open
 *
 * Prepared links wait per loop, bounded; what the remote said meanwhile (its greeting) is kept and
 * delivered behind on_open. They are thrown away after LINK_STALE_S, when they close, when they say
 * more than LINK_EARLY_MAX, and with link_pool_stop(). All on the loop's thread.
 */
#ifndef VA_AI_REALTIME_LINK_H
#define VA_AI_REALTIME_LINK_H

#include "ai/realtime/rt.h"

enum {
    LINK_POOL_MAX = 16, /* prepared links of one loop, all targets */
    LINK_STALE_S = 240,
    LINK_EARLY_MAX = 65536, /* bytes said to a prepared link */
};

struct rt_link;
struct tls_ctx;

struct link_handlers {
    void (*on_open)(void *arg);
    void (*on_message)(void *arg, enum ws_kind kind, struct str message);
    void (*on_closed)(void *arg, const struct ws_end *end);
};

struct link_cfg {
    const struct rt_target *target; /**< copied */
    const struct tls_ctx *tls;      /**< borrowed; NULL: the system's authorities */
    uint64_t connect_timeout_ms;
    bool prepare; /**< put another one in the pool behind it */
};

/** A link with handlers, none of which is called from inside. @return as ws_connect() */
VA_CHECK enum va_err link_open(struct loop *loop, const struct link_cfg *cfg,
                               const struct link_handlers *h, void *arg, struct rt_link **ret_link);
/** NULL until it is open. */
struct ws_conn *link_ws(struct rt_link *l);
/** It had been waiting: when it breaks before it was of any use, another one may be better. */
bool link_was_prepared(const struct rt_link *l);
/** Close handshake behind our back, release. NULL-safe. */
void link_close(struct rt_link **l);

/** Keep up to `count` prepared links per target on this loop (0: none, the default), each made when
 *  one was used. On the loop's thread, as all of this. */
void link_pool_start(struct loop *loop, unsigned count);
/** Open one ahead. Failures are silent: the next call meets them itself. */
void link_prepare(struct loop *loop, const struct link_cfg *cfg);
/** Close all that wait, before the loop is freed. */
void link_pool_stop(struct loop *loop);
size_t link_pool_waiting(struct loop *loop);

#endif
