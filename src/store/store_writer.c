/*
 * Writes: one connection, one thread, one transaction for all that lay in the mailbox.
 *
 *     mail mail mail │ idle ──► BEGIN, each in order, COMMIT ──► answers
 *
 * The commit waits for the disk (synchronous=FULL) when a message is among them, else it may be
 * lost with the power, not with the process (NORMAL): sqlite.org/pragma.html#pragma_synchronous.
 */
#include "store/store_int.h"

static const char *const texts[WRITER_STATEMENTS] = {
    /* REQUEST_CALL */
    "INSERT INTO calls (id, secretary_id, tenant, caller_number, caller_name, called_number,"
    " started_us, answered_us, ended_us, outcome, destination, hangup_cause, recording, turns)"
    " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14) ON CONFLICT (id) DO UPDATE SET"
    " secretary_id=?2, tenant=?3, caller_number=?4, caller_name=?5, called_number=?6,"
    " started_us=?7, answered_us=?8, ended_us=?9, outcome=?10, destination=?11,"
    " hangup_cause=?12, recording=?13, turns=?14",
    /* REQUEST_LINE */
    "INSERT INTO transcript_lines (call_id, speaker, at_ms, length_ms, text)"
    " VALUES (?1,?2,?3,?4,?5)",
    /* REQUEST_MESSAGE */
    "INSERT INTO messages (id, call_id, secretary_id, tenant, caller_number, caller_name, taken_us,"
    " length_ms, audio, text) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
};

static sqlite3_stmt *statement(struct writer *w, enum request_kind kind)
{
    return w->stmt[kind - REQUEST_CALL];
}

enum va_err writer_open(struct writer *w, sqlite3 *db, struct va_fault *fault)
{
    w->db = db;
    list_init(&w->batch);
    enum va_err err = db_prepare(db, "BEGIN IMMEDIATE", &w->begin, fault);
    if (!err)
        err = db_prepare(db, "COMMIT", &w->commit, fault);
    for (size_t i = 0; !err && i < WRITER_STATEMENTS; i++)
        err = db_prepare(db, texts[i], &w->stmt[i], fault);
    return err;
}

void writer_close(struct writer *w)
{
    (void)sqlite3_finalize(w->begin);
    (void)sqlite3_finalize(w->commit);
    for (size_t i = 0; i < WRITER_STATEMENTS; i++)
        (void)sqlite3_finalize(w->stmt[i]);
    db_close(&w->db);
}

static void bind_call(sqlite3_stmt *stmt, const struct call_record *c)
{
    db_bind(stmt, 1, c->id);
    db_bind(stmt, 2, c->secretary_id);
    db_bind(stmt, 3, c->tenant);
    db_bind(stmt, 4, c->caller_number);
    db_bind(stmt, 5, c->caller_name);
    db_bind(stmt, 6, c->called_number);
    (void)sqlite3_bind_int64(stmt, 7, c->started_us);
    (void)sqlite3_bind_int64(stmt, 8, c->answered_us);
    (void)sqlite3_bind_int64(stmt, 9, c->ended_us);
    db_bind(stmt, 10, call_outcome_text(c->outcome));
    db_bind(stmt, 11, c->destination);
    db_bind(stmt, 12, c->hangup_cause);
    db_bind(stmt, 13, c->recording);
    (void)sqlite3_bind_int(stmt, 14, c->turns);
}

static const char *speaker_text(enum speaker speaker)
{
    switch (speaker) {
    case SPEAKER_CALLER: return "caller";
    case SPEAKER_AGENT: return "agent";
    case SPEAKER_SYSTEM: break;
    }
    return "system";
}

static void bind_line(sqlite3_stmt *stmt, const struct line_of_call *l, const char *text)
{
    db_bind(stmt, 1, l->call_id);
    db_bind(stmt, 2, speaker_text(l->line.speaker));
    (void)sqlite3_bind_int64(stmt, 3, l->line.at_ms);
    (void)sqlite3_bind_int(stmt, 4, l->line.length_ms);
    db_bind(stmt, 5, text);
}

static void bind_message(sqlite3_stmt *stmt, const struct message_record *m, const char *text)
{
    db_bind(stmt, 1, m->id);
    db_bind(stmt, 2, m->call_id);
    db_bind(stmt, 3, m->secretary_id);
    db_bind(stmt, 4, m->tenant);
    db_bind(stmt, 5, m->caller_number);
    db_bind(stmt, 6, m->caller_name);
    (void)sqlite3_bind_int64(stmt, 7, m->taken_us);
    (void)sqlite3_bind_int(stmt, 8, m->length_ms);
    db_bind(stmt, 9, m->audio);
    db_bind(stmt, 10, text);
}

static enum va_err write_one(struct writer *w, struct store_request *q, struct va_fault *fault)
{
    sqlite3_stmt *stmt = statement(w, q->kind);
    if (q->kind == REQUEST_CALL)
        bind_call(stmt, &q->u.call);
    else if (q->kind == REQUEST_LINE)
        bind_line(stmt, &q->u.line, q->text);
    else
        bind_message(stmt, &q->u.message, q->text);
    return db_run(stmt, fault);
}

/* PRAGMA synchronous can only be changed between transactions. */
static enum va_err begin(struct writer *w, bool durable, struct va_fault *fault)
{
    enum va_err err = VA_OK;
    if (durable != w->durable)
        err = db_exec(w->db, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL",
                      fault);
    if (err)
        return err;
    w->durable = durable;
    return db_run(w->begin, fault);
}

static bool holds_message(const struct writer *w)
{
    list_each(&w->batch, it, next) if (container_of(it, struct store_request, link)->kind ==
                                       REQUEST_MESSAGE) return true;
    return false;
}

/*
 * A statement that breaks a constraint fails alone. An error that made SQLite end the transaction
 * (disk full, I/O: sqlite.org/lang_transaction.html §3) fails the batch: nothing of it is kept.
 */
static enum va_err write_batch(struct writer *w, struct va_fault *last, struct va_fault *fault)
{
    enum va_err err = begin(w, holds_message(w), fault);
    if (err)
        return err;
    list_each(&w->batch, it, next)
    {
        struct store_request *q = container_of(it, struct store_request, link);
        q->err = write_one(w, q, last);
        if (q->err && sqlite3_get_autocommit(w->db)) {
            *fault = *last;
            return q->err;
        }
    }
    err = db_run(w->commit, fault);
    if (err)
        db_rollback(w->db);
    return err;
}

void writer_flush(struct store *store)
{
    struct writer *w = &store->writer;
    struct va_fault last = {0}, fault = {0};
    tmr_stop(&w->on_idle);
    if (list_empty(&w->batch))
        return;
    enum va_err err = write_batch(w, &last, &fault);
    struct link *it;
    while ((it = list_pop(&w->batch))) {
        struct store_request *q = container_of(it, struct store_request, link);
        store_answer(q, err ? err : q->err, err ? &fault : &last);
    }
}

static void on_idle(void *arg)
{
    writer_flush(arg);
}

void writer_take(struct mail *mail)
{
    struct store_request *q = container_of(mail, struct store_request, mail);
    struct writer *w = &q->store->writer;
    list_push(&w->batch, &q->link);
    if (!tmr_running(&w->on_idle))
        tmr_start(&w->on_idle, q->store->writer_loop, 0, on_idle, q->store);
}
