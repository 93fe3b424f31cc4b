/* Lookups: one connection, one thread, two prepared statements. */
#include "base/str.h"
#include "store/secretary_row.h"
#include "store/store_int.h"

enum va_err reader_open(struct reader *r, sqlite3 *db, struct va_fault *fault)
{
    r->db = db;
    /* One index each; the first kind of match wins. */
    enum va_err err = secretary_row_select(
        db,
        "WHERE seq = (SELECT seq FROM ("
        "SELECT seq, 1 AS kind FROM secretaries WHERE id = ?2 AND tenant = ?1 AND enabled = 1"
        " UNION ALL "
        "SELECT seq, 2 FROM secretaries WHERE tenant = ?1 AND name = ?2 AND enabled = 1"
        " UNION ALL "
        "SELECT seq, 3 FROM secretaries WHERE tenant = ?1 AND extension = ?2 AND extension <> ''"
        " AND enabled = 1) ORDER BY kind LIMIT 1)",
        &r->by_key, fault);
    if (!err)
        err = secretary_row_select(db, "WHERE tenant = ?1 AND enabled = 1 ORDER BY seq LIMIT 1",
                                   &r->first, fault);
    return err;
}

void reader_close(struct reader *r)
{
    (void)sqlite3_finalize(r->by_key);
    (void)sqlite3_finalize(r->first);
    db_close(&r->db);
}

static enum va_err look_up(sqlite3_stmt *stmt, const struct find_key *find,
                           const struct secretary **ret_found, struct va_fault *fault)
{
    db_bind(stmt, 1, find->tenant);
    if (sqlite3_bind_parameter_count(stmt) > 1)
        db_bind(stmt, 2, find->key);
    enum va_err err = db_step(stmt, fault);
    if (!err)
        err = secretary_row_read(stmt, ret_found, fault);
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    return err;
}

void reader_take(struct mail *mail)
{
    struct store_request *q = container_of(mail, struct store_request, mail);
    struct reader *r = &q->store->reader;
    const struct find_key *find = &q->u.find;
    struct va_fault fault = {0};
    enum va_err err = VA_ENOTFOUND;
    if (find->key[0] && !str_ieqz(str_of(find->key), "default"))
        err = look_up(r->by_key, find, &q->found, &fault);
    if (err == VA_ENOTFOUND)
        err = look_up(r->first, find, &q->found, &fault);
    store_answer(q, err, &fault);
}
