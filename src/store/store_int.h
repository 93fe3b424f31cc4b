/** store/store_int.h: a request, and the two threads that do requests. (Private to store/.) */
#ifndef VA_STORE_STORE_INT_H
#define VA_STORE_STORE_INT_H

#include "store/db.h"
#include "store/store.h"

enum request_kind { REQUEST_FIND, REQUEST_CALL, REQUEST_LINE, REQUEST_MESSAGE };

struct find_key {
    char tenant[101], key[101];
};

struct line_of_call {
    char call_id[UUID_TEXT];
    struct transcript_line line; /**< its text is the request's */
};

/**
 * Travels to a store thread and back as one mail. Asking loop: `cancelled`, on_*, arg. Store
 * thread: link, err, found. Everything else is written before the post and then only read.
 */
struct store_request {
    struct mail mail;
    struct link link; /**< of the writer's batch */
    struct store *store;
    struct loop *reply_to; /**< NULL: nobody waits */
    enum request_kind kind;
    enum va_err err;
    bool cancelled;
    store_done_h *on_done;
    store_secretary_h *on_found;
    void *arg;
    const struct secretary *found;
    union {
        struct find_key find;
        struct call_record call;
        struct line_of_call line;
        struct message_record message;
    } u;
    char text[]; /**< terminated */
};

enum { WRITER_STATEMENTS = 3 };

struct writer {
    sqlite3 *db;
    sqlite3_stmt *stmt[WRITER_STATEMENTS]; /**< REQUEST_CALL, _LINE, _MESSAGE */
    sqlite3_stmt *begin, *commit;
    struct list batch;  /**< accepted, not committed */
    bool durable;       /**< what PRAGMA synchronous is set to: FULL */
    struct tmr on_idle; /**< fires when the mailbox is drained */
};

struct reader {
    sqlite3 *db;
    sqlite3_stmt *by_key, *first;
};

struct store {
    struct writer writer;
    struct reader reader;
    struct loop_thread *writer_thread, *reader_thread; /**< of open and close alone */
    struct loop *writer_loop, *reader_loop;            /**< theirs */
    struct mail closing;                               /**< to the writer */
    size_t outstanding;                                /**< atomic */
    uint64_t failures;                                 /**< atomic */
    uv_mutex_t lock;                                   /**< of `last` alone */
    struct va_fault last;                              /**< why a request failed */
};

VA_CHECK enum va_err writer_open(struct writer *w, sqlite3 *db, struct va_fault *fault);
void writer_close(struct writer *w);
/** mail->deliver of a write, on the writer's thread. */
void writer_take(struct mail *mail);
/** Commit and answer the batch now. On the writer's thread. */
void writer_flush(struct store *store);

VA_CHECK enum va_err reader_open(struct reader *r, sqlite3 *db, struct va_fault *fault);
void reader_close(struct reader *r);
/** mail->deliver of a lookup, on the reader's thread. */
void reader_take(struct mail *mail);

/** Send a finished request back, or free it. `fault` (may be NULL) is kept if `err` is a failure.
 * On a store thread; the request is gone afterwards. */
void store_answer(struct store_request *r, enum va_err err, const struct va_fault *fault);

#endif
