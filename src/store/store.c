/* The store's edge: requests in, answers out, threads up and down. */
#include "base/str.h"
#include "store/migrate.h"
#include "store/store_int.h"

#include <stdlib.h>

/* ---- open and close ------------------------------------------------------------------------- */

static enum va_err open_databases(struct store *s, const char *data_dir, struct va_fault *fault)
{
    sqlite3 *db = NULL;
    enum va_err err = db_open(data_dir, &db, fault);
    if (err)
        return err;
    s->writer.db = db; /* from here on destroy() closes it */
    err = migrate_run(db, migrate_latest(), fault);
    if (!err)
        err = db_check(db, fault);
    if (!err)
        err = writer_open(&s->writer, db, fault);
    if (err)
        return err;
    err = db_open(data_dir, &db, fault);
    return err ? err : reader_open(&s->reader, db, fault);
}

static void destroy(struct store *s)
{
    writer_close(&s->writer);
    reader_close(&s->reader);
    uv_mutex_destroy(&s->lock);
    free(s);
}

/*
 * The threads find their loop in *s, which is complete before the first request can be posted: the
 * caller has no store before this returns.
 */
static enum va_err start_threads(struct store *s)
{
    enum va_err err = loop_thread_start("store-writer", NULL, &s->writer_thread);
    if (!err)
        err = loop_thread_start("store-reader", NULL, &s->reader_thread);
    if (err) {
        loop_thread_stop(&s->writer_thread);
        return err;
    }
    s->writer_loop = loop_thread_loop(s->writer_thread);
    s->reader_loop = loop_thread_loop(s->reader_thread);
    return VA_OK;
}

enum va_err store_open_sqlite(const char *data_dir, struct store **ret_store,
                              struct va_fault *fault)
{
    if (!data_dir || !ret_store)
        return va_fault_set(fault, VA_EINVAL, "store: no data folder");
    struct store *s = calloc(1, sizeof(*s));
    if (!s || uv_mutex_init(&s->lock)) {
        free(s);
        return va_fault_set(fault, VA_ENOMEM, "store: out of memory");
    }
    enum va_err err = open_databases(s, data_dir, fault);
    if (!err) {
        err = start_threads(s);
        if (err)
            (void)va_fault_set(fault, err, "store: cannot start a thread: %s", va_err_text(err));
    }
    if (err) {
        destroy(s);
        return err;
    }
    *ret_store = s;
    return VA_OK;
}

static void on_closing(struct mail *mail)
{
    writer_flush(container_of(mail, struct store, closing));
}

void store_close(struct store **pstore)
{
    struct store *s = pstore ? *pstore : NULL;
    if (!s)
        return;
    *pstore = NULL;
    s->closing.deliver = on_closing; /* behind all accepted writes */
    loop_reply(s->writer_loop, &s->closing);
    loop_thread_stop(&s->writer_thread);
    loop_thread_stop(&s->reader_thread);
    destroy(s);
}

/* ---- failures ------------------------------------------------------------------------------- */

static void count_failure(struct store *s, enum va_err err, const struct va_fault *fault)
{
    (void)__atomic_add_fetch(&s->failures, 1, __ATOMIC_RELAXED);
    uv_mutex_lock(&s->lock);
    if (fault && fault->code)
        s->last = *fault;
    else
        (void)va_fault_set(&s->last, err, "store: request refused: %s", va_err_text(err));
    uv_mutex_unlock(&s->lock);
}

uint64_t store_failures(const struct store *store)
{
    return __atomic_load_n(&store->failures, __ATOMIC_RELAXED);
}

bool store_last_fault(const struct store *store, struct va_fault *ret_fault)
{
    struct store *s = (struct store *)store;
    uv_mutex_lock(&s->lock);
    bool any = s->last.code != VA_OK;
    if (any)
        *ret_fault = s->last;
    uv_mutex_unlock(&s->lock);
    return any;
}

/* ---- requests ------------------------------------------------------------------------------- */

static void on_answer(struct mail *mail)
{
    struct store_request *q = container_of(mail, struct store_request, mail);
    void *arg = q->arg;
    enum va_err err = q->err;
    const struct secretary *found = q->found;
    store_done_h *on_done = q->cancelled ? NULL : q->on_done;
    store_secretary_h *on_found = q->cancelled ? NULL : q->on_found;
    free(q); /* before the call, which may do anything */
    if (on_found)
        on_found(arg, err, found);
    else
        secretary_unref(&found);
    if (on_done)
        on_done(arg, err);
}

void store_answer(struct store_request *q, enum va_err err, const struct va_fault *fault)
{
    struct store *s = q->store;
    if (err && !(q->kind == REQUEST_FIND && err == VA_ENOTFOUND))
        count_failure(s, err, fault);
    (void)__atomic_sub_fetch(&s->outstanding, 1, __ATOMIC_RELAXED);
    q->err = err;
    q->store = NULL; /* the answer may outlive it */
    if (!q->reply_to) {
        free(q);
        return;
    }
    q->mail.deliver = on_answer;
    loop_reply(q->reply_to, &q->mail);
}

static enum va_err refuse(struct store *s, enum va_err err)
{
    count_failure(s, err, NULL);
    return err;
}

/* Copy of a request's fixed part is left to the caller. */
static enum va_err request_new(struct store *s, enum request_kind kind, const char *text,
                               struct store_request **ret_request)
{
    size_t len = strlen(text);
    if (len > STORE_TEXT_MAX)
        return refuse(s, VA_EINVAL);
    if (__atomic_add_fetch(&s->outstanding, 1, __ATOMIC_RELAXED) > STORE_REQUESTS_MAX) {
        (void)__atomic_sub_fetch(&s->outstanding, 1, __ATOMIC_RELAXED);
        return refuse(s, VA_ELIMIT);
    }
    struct store_request *q = calloc(1, sizeof(*q) + len + 1);
    if (!q) {
        (void)__atomic_sub_fetch(&s->outstanding, 1, __ATOMIC_RELAXED);
        return refuse(s, VA_ENOMEM);
    }
    q->store = s;
    q->kind = kind;
    memcpy(q->text, text, len + 1);
    *ret_request = q;
    return VA_OK;
}

static enum va_err submit(struct store_request *q, struct loop *to,
                          struct store_request **ret_request)
{
    struct store *s = q->store;
    struct store_request *handle = q->reply_to ? q : NULL;
    q->mail.deliver = q->kind == REQUEST_FIND ? reader_take : writer_take;
    enum va_err err = loop_post(to, &q->mail);
    if (err) {
        (void)__atomic_sub_fetch(&s->outstanding, 1, __ATOMIC_RELAXED);
        free(q);
        return refuse(s, err);
    }
    if (ret_request)
        *ret_request = handle;
    return VA_OK;
}

static enum va_err submit_write(struct store_request *q, struct loop *reply_to,
                                store_done_h *on_done, void *arg,
                                struct store_request **ret_request)
{
    q->reply_to = on_done ? reply_to : NULL;
    q->on_done = on_done;
    q->arg = arg;
    return submit(q, q->store->writer_loop, ret_request);
}

enum va_err store_find_secretary(struct store *store, struct loop *reply_to, const char *tenant,
                                 const char *key, store_secretary_h *on_done, void *arg,
                                 struct store_request **ret_request)
{
    if (!store || !reply_to || !tenant || !key || !on_done || !tenant[0])
        return VA_EINVAL;
    struct store_request *q = NULL;
    enum va_err err = request_new(store, REQUEST_FIND, "", &q);
    if (err)
        return err;
    struct find_key *find = &q->u.find; /* what is too long to be one of ours is unknown */
    if (!str_copy(find->tenant, sizeof(find->tenant), str_of(tenant)))
        find->tenant[0] = 0;
    if (!str_copy(find->key, sizeof(find->key), str_of(key)))
        find->key[0] = 0;
    q->reply_to = reply_to;
    q->on_found = on_done;
    q->arg = arg;
    return submit(q, store->reader_loop, ret_request);
}

enum va_err store_put_call(struct store *store, struct loop *reply_to,
                           const struct call_record *call, store_done_h *on_done, void *arg,
                           struct store_request **ret_request)
{
    if (!store || !call || !call->id[0] || (on_done && !reply_to))
        return VA_EINVAL;
    struct store_request *q = NULL;
    enum va_err err = request_new(store, REQUEST_CALL, "", &q);
    if (err)
        return err;
    q->u.call = *call;
    return submit_write(q, reply_to, on_done, arg, ret_request);
}

enum va_err store_add_line(struct store *store, struct loop *reply_to, const char *call_id,
                           const struct transcript_line *line, store_done_h *on_done, void *arg,
                           struct store_request **ret_request)
{
    if (!store || !call_id || !line || !line->text || (on_done && !reply_to) || !call_id[0] ||
        strlen(call_id) >= UUID_TEXT)
        return VA_EINVAL;
    struct store_request *q = NULL;
    enum va_err err = request_new(store, REQUEST_LINE, line->text, &q);
    if (err)
        return err;
    (void)str_copy(q->u.line.call_id, sizeof(q->u.line.call_id), str_of(call_id));
    q->u.line.line = *line;
    return submit_write(q, reply_to, on_done, arg, ret_request);
}

enum va_err store_put_message(struct store *store, struct loop *reply_to,
                              const struct message_record *message, store_done_h *on_done,
                              void *arg, struct store_request **ret_request)
{
    if (!store || !message || !message->id[0] || !message->text || (on_done && !reply_to))
        return VA_EINVAL;
    struct store_request *q = NULL;
    enum va_err err = request_new(store, REQUEST_MESSAGE, message->text, &q);
    if (err)
        return err;
    q->u.message = *message;
    return submit_write(q, reply_to, on_done, arg, ret_request);
}

void store_cancel(struct store_request **request)
{
    if (!request || !*request)
        return;
    (*request)->cancelled = true;
    *request = NULL;
}
