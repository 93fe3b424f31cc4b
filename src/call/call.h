/**
 * call/call.h: one telephone conversation, from the accepted control socket to the last record.
 *
 * A call is born on a worker and never leaves its thread; it owns its control socket, its leg, its
 * provider conversation, its playout and its timers. Nobody outside holds a pointer to it except
 * its worker.
 */
#ifndef VA_CALL_CALL_H
#define VA_CALL_CALL_H

#include "ai/provider.h"
#include "base/settings.h"
#include "leg/leg.h"
#include "media/clock.h"
#include "net/loop.h"
#include "store/store.h"

struct call;

/** What calls use and do not own. Shared by all workers, outlives them, read-only. */
struct call_env {
    const struct settings *settings;
    struct store *store;
    struct loop *disk; /**< loop of the disk thread: recordings, messages */
    struct provider_env provider;
    struct leg_env leg;
    /** Whom every call opens: &provider_chain. The call knows no provider itself. */
    const struct provider_ops *speaker;
};

/** One thread that carries calls. Fields belong to its thread. */
struct call_worker {
    const struct call_env *env;
    struct loop_thread *thread;
    struct loop *loop;
    struct media_clock *clock;
    struct list calls; /**< struct call.link */
    size_t jobs;       /**< files and messages still being written */
    /** A call is over and its memory goes to `mail`'s receiver. Called once per call. */
    void (*on_call_gone)(void *arg, struct mail *mail);
    void *arg;
};

/**
 * Begin a call. On the worker's thread.
 *
 * @param fd    Accepted control socket, owned from here on, also on failure
 * @param peer  FreeSWITCH's address
 */
VA_CHECK enum va_err call_open(struct call_worker *w, int fd, const struct net_addr *peer);

/** The daemon is stopping: say "one moment" and give the call back to the dialplan. */
void call_drain(struct call *c);
/** The same at once, without a word. */
void call_abort(struct call *c);
struct call *call_of_link(struct link *link);
/** Free a call whose on_call_gone was called. Any thread. */
void call_free_gone(struct mail *mail);

#endif
