/**
 * ai/speech/helper.h: one run of a helper program: bytes in by stdin, bytes out by stdout.
 *
 * No shell is ever involved. The program runs in a process group of its own, so that a kill takes
 * its children along. What it writes to stderr is kept for the fault text (first KiB). A helper
 * may be started early and fed later: it then waits for its stdin, with everything loaded.
 *
 *     helper_start ──► (waiting) ──helper_feed──► running ──► on_done, once ──► gone
 *
 * On one loop's thread; SIGCHLD is unblocked in that thread. The program ignores SIGPIPE (a helper
 * may die before it reads).
 */
#ifndef VA_AI_SPEECH_HELPER_H
#define VA_AI_SPEECH_HELPER_H

#include "base/buf.h"
#include "net/loop.h"

struct helper;

/** Where helpers live. The owner embeds it and closes its loop only when `alive` is 0. */
struct helper_group {
    struct loop *loop;
    size_t out_max;              /**< most bytes of stdout; more is VA_ELIMIT */
    unsigned alive;              /**< processes and pipes not yet gone */
    void (*on_empty)(void *arg); /**< `alive` fell to 0; may be NULL */
    void *arg;
};

/**
 * @param err    VA_OK (exit status 0), VA_EIO (died, killed, other status), VA_ELIMIT, VA_ETIMEOUT
 * @param out    Borrowed for the callback
 * @param fault  One line for people, set unless VA_OK
 */
typedef void(helper_done_h)(void *arg, enum va_err err, const struct buf *out,
                            const struct va_fault *fault);

/**
 * Start a program, found in PATH unless its name has a slash.
 *
 * @param argv     Ends with NULL; argv[0] is the program
 * @param on_done  Comes once, never from inside a call, also when it dies before it was fed
 *
 * @return VA_OK, VA_ENOTFOUND, VA_EREFUSED (not executable), VA_EIO, VA_ENOMEM
 */
VA_CHECK enum va_err helper_start(struct helper_group *group, const char *const *argv,
                                  helper_done_h *on_done, void *arg, struct helper **ret_helper,
                                  struct va_fault *fault);

/** Give it its input and the end of it, and start its clock. Copies. @return VA_OK, VA_ENOMEM */
VA_CHECK enum va_err helper_feed(struct helper *h, struct str in, unsigned timeout_ms);

/** Change who is told. For a helper that was started ahead. */
void helper_on_done(struct helper *h, helper_done_h *on_done, void *arg);

/** Kill it without a callback. Sets *h NULL. NULL-safe. */
void helper_kill(struct helper **h);

/**
 * Run a program to its end, blocking, on a loop of its own.
 *
 * @param out  Its stdout is appended here
 * @return as on_done and helper_start
 */
VA_CHECK enum va_err helper_run(const char *const *argv, struct str in, unsigned timeout_ms,
                                struct buf *out, struct va_fault *fault);

#endif
