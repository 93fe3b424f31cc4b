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

#include <stdatomic.h>

struct call;
struct sip_incoming;

enum { CALL_MODES = 4 };
/** AUDIO_MODE's word of a mode below CALL_MODES. */
const char *call_mode_name(size_t mode);

/** What happened to audio, for the metrics. Written by one worker, read by any thread. */
struct call_counters {
    atomic_uint_least64_t failed[CALL_MODES];   /**< no audio in this mode, or it stopped */
    atomic_uint_least64_t moved_to[CALL_MODES]; /**< calls that went on in this mode */
    atomic_uint_least64_t no_audio;             /**< calls with no mode left: given back */
};

/** What calls use and do not own. Shared by all workers, outlives them, read-only. */
struct call_env {
    const struct settings *settings;
    struct store *store;
    struct loop *disk; /**< loop of the disk thread: recordings, messages */
    struct provider_env provider;
    struct leg_env leg;
    /** Whom every call opens: &provider_chain. The call knows no provider itself. */
    const struct provider_ops *speaker;
    /** By mode, or NULL: leg_find(). */
    const struct leg_ops *(*find_leg)(const char *mode);
};

/** One thread that carries calls. Fields belong to its thread. */
struct call_worker {
    const struct call_env *env;
    struct loop_thread *thread;
    struct loop *loop;
    struct media_clock *clock;
    struct list calls; /**< struct call.link */
    size_t jobs;       /**< files and messages still being written */
    struct call_counters counters;
    /** A call is over and its memory goes to `mail`'s receiver. Called once per call. */
    void (*on_call_gone)(void *arg, struct mail *mail);
    void *arg;
};

/* ---- births: on the worker's thread. What is handed over is owned from there on, also on failure:
 * then it was refused in its own way, so that FreeSWITCH or the phone goes on. ---------------- */

/** FreeSWITCH's `socket` application connected: `fd`, from `peer`. */
VA_CHECK enum va_err call_open(struct call_worker *w, int fd, const struct net_addr *peer);
/** A stream came by itself (AUDIO_MODE=websocket): its channel is steered over ESL_HOST. */
VA_CHECK enum va_err call_open_stream(struct call_worker *w, struct ws_stream *stream);
/** A phone called us without FreeSWITCH (SIP_ALLOW_DIRECT). */
VA_CHECK enum va_err call_open_sip(struct call_worker *w, struct sip_incoming *in);

/** The daemon is stopping: say "one moment" and give the call back to the dialplan. */
void call_drain(struct call *c);
/** The same at once, without a word. */
void call_abort(struct call *c);
struct call *call_of_link(struct link *link);
/** Of a call whose on_call_gone was called: its Unique-ID if a stream began it, else "". */
const char *call_gone_stream(const struct mail *mail);
/** Free a call whose on_call_gone was called. Any thread. */
void call_free_gone(struct mail *mail);

#endif
