/**
 * store/store.h: what outlives a call: secretaries, calls, transcripts, messages.
 *
 * Every operation is asynchronous: the request is copied, done on the store's own threads, and
 * answered on the loop that asked (`reply_to`). Writes are done in the order they were asked for,
 * lookups likewise; a lookup never waits for a write. A caller that lost interest cancels its
 * request and is not called back.
 *
 *     worker ──request──► [mailbox] ──► writer thread (one transaction per drain) ──reply──► worker
 *                         [mailbox] ──► reader thread (own connection)            ──reply──►
 *
 * Asking functions: any thread that runs `reply_to`, and none may be running in store_close().
 */
#ifndef VA_STORE_STORE_H
#define VA_STORE_STORE_H

#include "base/err.h"
#include "model/record.h"
#include "model/secretary.h"
#include "net/loop.h"

struct store;
struct store_request; /**< handle of a request under way; valid until its callback or cancel */

enum {
    STORE_REQUESTS_MAX = 10000, /* accepted and not yet done; beyond it VA_ELIMIT at once */
    STORE_TEXT_MAX = 65535,     /* bytes of a transcript line or message; beyond it VA_EINVAL */
};

/**
 * Runs on the asking loop. `err`: VA_OK; VA_EEXIST (id is taken); VA_ENOTFOUND (no such call);
 * VA_EAGAIN (database locked by another program for long); VA_EIO (store_last_fault says more).
 */
typedef void(store_done_h)(void *arg, enum va_err err);
/** `secretary` is owned by the receiver (secretary_unref) and set with VA_OK only. */
typedef void(store_secretary_h)(void *arg, enum va_err err, const struct secretary *secretary);

/**
 * Open the embedded SQLite store of a data folder: creates folder and file, runs the migrations,
 * adds the default secretaries when it is new, starts the store's threads. Blocks.
 *
 * @param data_dir  DATA_DIR
 * @param fault     What is wrong and what to do: not writable, not a database, written by a newer
 *                  version (names both versions), damaged, disk full, …
 * @return VA_OK, VA_ECONFIG, VA_EIO, VA_ENOTSUP (newer, or another program's), VA_EAGAIN, VA_ENOMEM
 */
VA_CHECK enum va_err store_open_sqlite(const char *data_dir, struct store **ret_store,
                                       struct va_fault *fault);

/**
 * Finish what was accepted, answer it, stop the threads, close. Blocks. NULL-safe.
 *
 * The last answers then lie in the mailboxes of the asking loops, which therefore must live longer
 * than this call; they hold nothing of the store, so they may be delivered after it. Cancel what
 * must not be called back any more, or run the loops until all is answered.
 */
void store_close(struct store **store);

/**
 * The enabled secretary for a call. `key` is tried as secretary id, as name, then as extension;
 * "" or "default", or an unknown number, gives the tenant's default secretary (the first one).
 * Tenants and names are compared without regard to ASCII case.
 *
 * @param ret_request  May be NULL when never cancelled
 * @return VA_OK (the callback will come, never from inside this call; VA_ENOTFOUND in it: the
 *         tenant has no enabled secretary), VA_EINVAL, VA_ELIMIT, VA_ENOMEM
 */
VA_CHECK enum va_err store_find_secretary(struct store *store, struct loop *reply_to,
                                          const char *tenant, const char *key,
                                          store_secretary_h *on_done, void *arg,
                                          struct store_request **ret_request);

/**
 * Insert or update a call by its id. Here and below: `on_done` may be NULL, then `reply_to` may be
 * too, and *ret_request is set to NULL. Returns as store_find_secretary().
 */
VA_CHECK enum va_err store_put_call(struct store *store, struct loop *reply_to,
                                    const struct call_record *call, store_done_h *on_done,
                                    void *arg, struct store_request **ret_request);

/** Append one line to a call's transcript. The call was put before, else VA_ENOTFOUND. */
VA_CHECK enum va_err store_add_line(struct store *store, struct loop *reply_to, const char *call_id,
                                    const struct transcript_line *line, store_done_h *on_done,
                                    void *arg, struct store_request **ret_request);

/**
 * Keep a message. VA_OK in the callback means it is on disk (synchronous commit), and only then may
 * the caller be told so.
 */
VA_CHECK enum va_err store_put_message(struct store *store, struct loop *reply_to,
                                       const struct message_record *message, store_done_h *on_done,
                                       void *arg, struct store_request **ret_request);

/**
 * No callback will come; a write is done nevertheless. Sets *request to NULL. NULL-safe. On the
 * asking loop's thread; also after store_close().
 */
void store_cancel(struct store_request **request);

/** Requests refused or failed since the start, for the log and the metrics. Any thread. */
uint64_t store_failures(const struct store *store);
/** Why the last one failed, for the log. @return false when none did. Any thread. */
bool store_last_fault(const struct store *store, struct va_fault *ret_fault);

#endif
