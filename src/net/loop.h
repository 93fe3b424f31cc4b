/**
 * net/loop.h: one event loop, its timers and its mailbox. One thread runs a loop; everything that
 * belongs to it is touched by that thread alone. The mailbox is the only door for other threads.
 *
 *     other thread ──loop_post(mail)──► [bounded mailbox] ──eventfd──► mail->deliver(mail)
 */
#ifndef VA_NET_LOOP_H
#define VA_NET_LOOP_H

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"

#include <uv.h>

struct loop;

/** Default bound of a mailbox [mails]. */
enum { LOOP_MAILBOX_MAX = 65536, LOOP_SCRATCH_BYTES = 65536 };

/**
 * A message to a loop. Embed it in what is sent; the receiver gets the container back.
 * The sender gives the memory away with the post and may not touch it afterwards.
 */
struct mail {
    struct mail *next;              /**< of the mailbox */
    void (*deliver)(struct mail *); /**< runs on the receiving loop's thread; owns the mail */
};

/**
 * Create a loop with its own uv_loop_t. SIGPIPE, where it would end the program, is ignored from
 * then on: writing to a peer that closed is an error here, not a signal.
 *
 * @param clock        Injected time (borrowed); NULL is the system's
 * @param mailbox_max  Bound of loop_post [mails]; 0 is LOOP_MAILBOX_MAX
 */
VA_CHECK enum va_err loop_new(const struct va_clock *clock, size_t mailbox_max,
                              struct loop **ret_loop);

/** The same on a uv_loop_t of the caller's, who runs it; waiting for mail alone does not keep it
 *  running. loop_free(), outside of uv_run(), leaves it open. */
VA_CHECK enum va_err loop_attach(uv_loop_t *uv, const struct va_clock *clock, size_t mailbox_max,
                                 struct loop **ret_loop);

/** Run until loop_stop(). On the owning thread. */
void loop_run(struct loop *loop);
/** Run what is ready, and wait for at most one event when `wait`. For blocking callers and tests.
 */
void loop_turn(struct loop *loop, bool wait);
/**
 * Begin a turn at most every `us`; 0: as soon as anything happens. What comes in between is taken
 * by one turn, so that a thread with hundreds of sockets wakes a thousand times a second and not
 * for each packet. A loop that is seldom woken is not slowed: a turn waits only for the one before.
 * On the loop's thread, or before it runs.
 */
void loop_set_pace(struct loop *loop, uint64_t us);
/** Ask loop_run() to return. Any thread, idempotent. */
void loop_stop(struct loop *loop);
/** Close the loop's own handles, run their close callbacks, free. All users must be closed. */
void loop_free(struct loop **loop);

uv_loop_t *loop_uv(struct loop *loop);
const struct va_clock *loop_clock(const struct loop *loop);
/** Monotonic now [µs]. */
uint64_t loop_now_us(const struct loop *loop);
/** A scratch area of LOOP_SCRATCH_BYTES for reads; valid until the current callback returns. */
char *loop_scratch(struct loop *loop);

/**
 * Send a request to a loop. Any thread.
 *
 * @return VA_OK (mail is given away), VA_ELIMIT (mailbox full; the mail is still the caller's)
 */
VA_CHECK enum va_err loop_post(struct loop *loop, struct mail *mail);

/** Send an answer: never refused, because its request was counted when it was posted. */
void loop_reply(struct loop *loop, struct mail *mail);

/** Mails refused by loop_post() so far. */
uint64_t loop_posts_refused(const struct loop *loop);

/* ---- what is kept per loop ------------------------------------------------------------------- */

/** Something whose first user makes it and which lives as long as the loop: a pool of connections.
 *  Embedded in it, zero before. */
struct loop_kept {
    struct link link;
    const void *key;                    /**< tells kinds apart: any address of yours */
    void (*close)(struct loop_kept *k); /**< the loop goes: let go of everything, free */
};

/** Keep it until loop_free(), which calls close() before it closes itself: the last kept goes
 * first.
 */
void loop_keep(struct loop *loop, struct loop_kept *k);
/** What is kept under this key, or NULL. */
struct loop_kept *loop_find_kept(struct loop *loop, const void *key);

/* ---- timers --------------------------------------------------------------------------------- */

/** One-shot timer, embedded in its owner. Zero-initialise before first use. */
struct tmr {
    uint64_t due_us;
    uint64_t order; /**< equal due times fire in start order */
    size_t slot;    /**< heap index + 1; 0 while not running */
    struct loop *loop;
    void (*on_fire)(void *arg);
    void *arg;
};

/** Arm (or re-arm) a timer. `after_ms` 0 fires on the next turn, never from inside this call. */
void tmr_start(struct tmr *t, struct loop *loop, uint64_t after_ms, void (*on_fire)(void *),
               void *arg);
/** Idempotent; after it the owner's memory may go. */
void tmr_stop(struct tmr *t);
static inline bool tmr_running(const struct tmr *t)
{
    return t->slot != 0;
}

/* ---- threads with a loop -------------------------------------------------------------------- */

struct loop_thread;

/** Start a thread that runs a loop of its own. `name` ≤ 15 bytes. All signals are blocked in it. */
VA_CHECK enum va_err loop_thread_start(const char *name, const struct va_clock *clock,
                                       struct loop_thread **ret_thread);
struct loop *loop_thread_loop(struct loop_thread *t);
/** Stop its loop, wait for the thread, free. Mails still in the box are delivered first. */
void loop_thread_stop(struct loop_thread **t);

/** How the kernel ranks a thread. */
enum thread_priority {
    THREAD_NORMAL,
    THREAD_HIGH,    /**< nice -10 */
    THREAD_REALTIME /**< SCHED_RR, the lowest of its ranks: before all that is not real-time */
};

/** WORKER_PRIORITY's value; "auto" is THREAD_REALTIME. */
enum thread_priority thread_priority_of(const char *setting);
/** Its name, as the setting has it. */
const char *thread_priority_name(enum thread_priority p);
/**
 * Rank the calling thread, or as near to that as this user may (RLIMIT_RTPRIO, RLIMIT_NICE,
 * CAP_SYS_NICE). Threads and programs that it starts begin at THREAD_NORMAL again.
 *
 * @return what it has got
 */
enum thread_priority thread_set_priority(enum thread_priority wish);
/** The same for the thread of a loop, by itself as soon as it runs. Once. */
void loop_thread_rank(struct loop_thread *t, enum thread_priority wish);
/**
 * Make a mutex whose holder ranks as high as whoever waits for it: for all that a ranked thread
 * shares with others, or it waits for them and for all that is ranked between.
 *
 * @return VA_OK, VA_ENOMEM
 */
VA_CHECK enum va_err thread_lock_init(uv_mutex_t *lock);

#endif
