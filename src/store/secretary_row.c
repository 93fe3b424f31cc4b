#include "store/secretary_row.h"
#include "base/buf.h"
#include "store/secretary_json.h"

enum { SQL_MAX = 4096 };

static enum va_err prepare_buf(sqlite3 *db, struct buf *sql, sqlite3_stmt **ret_stmt,
                               struct va_fault *fault)
{
    enum va_err err = buf_failed(sql) ? va_fault_set(fault, sql->err, "statement: out of memory")
                                      : db_prepare(db, buf_z(sql), ret_stmt, fault);
    buf_free(sql);
    return err;
}

enum va_err secretary_row_select(sqlite3 *db, const char *tail, sqlite3_stmt **ret_stmt,
                                 struct va_fault *fault)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    for (size_t i = 0; i < secretary_fields.count; i++)
        buf_addf(&sql, "%s%s", i ? "," : "SELECT ", secretary_fields.row[i].key);
    buf_addf(&sql, " FROM secretaries %s", tail);
    return prepare_buf(db, &sql, ret_stmt, fault);
}

static enum va_err read_column(sqlite3_stmt *stmt, int i, const struct field *f,
                               struct secretary *s)
{
    switch (f->kind) {
    case FIELD_ID: (void)str_copy(field_at(s, f), UUID_TEXT, str_of(db_text(stmt, i))); break;
    case FIELD_TEXT: return secretary_set(field_at(s, f), db_text(stmt, i));
    case FIELD_TRISTATE:
    case FIELD_INT: *(int32_t *)field_at(s, f) = sqlite3_column_int(stmt, i); break;
    case FIELD_BOOL: *(bool *)field_at(s, f) = sqlite3_column_int(stmt, i) != 0; break;
    case FIELD_DIGIT: break; /* not of a secretary */
    case FIELD_LIST:
    case FIELD_DESTINATIONS:
    case FIELD_TOPICS:
    case FIELD_PROMPTS: return field_from_json(s, f, db_text(stmt, i));
    }
    return VA_OK;
}

enum va_err secretary_row_read(sqlite3_stmt *stmt, const struct secretary **ret_secretary,
                               struct va_fault *fault)
{
    struct secretary *s = NULL;
    struct va_fault why = {0};
    enum va_err err = secretary_new(&s);
    if (err)
        return va_fault_set(fault, err, "out of memory");
    const struct secretary *made = s;
    for (size_t i = 0; !err && i < secretary_fields.count; i++) {
        err = read_column(stmt, (int)i, &secretary_fields.row[i], s);
        if (err)
            (void)va_fault_set(&why, err, "%s: %s", secretary_fields.row[i].key, va_err_text(err));
    }
    if (!err)
        err = secretary_check(s, &why);
    if (err) { /* somebody edited the database by hand, or it is damaged */
        err = va_fault_set(fault, err == VA_ENOMEM ? err : VA_EIO,
                           "secretary \"%s\" of tenant \"%s\" in the database: %.300s; import it "
                           "again",
                           s->name, s->tenant, why.text);
        secretary_unref(&made);
        return err;
    }
    *ret_secretary = made;
    return VA_OK;
}

/* ---- put ------------------------------------------------------------------------------------ */

/* A row that might be in the way of, or replaced by, what is put. */
struct found {
    int64_t seq; /* 0: none */
    char id[UUID_TEXT];
    char tenant[SECRETARY_NAME_MAX + 1], name[SECRETARY_NAME_MAX + 1];
};

static enum va_err find(sqlite3 *db, const char *where, const char *a, const char *b,
                        struct found *ret_found, struct va_fault *fault)
{
    struct buf sql;
    sqlite3_stmt *stmt = NULL;
    struct found found = {0};
    buf_init(&sql, SQL_MAX);
    buf_addf(&sql, "SELECT seq, id, tenant, name FROM secretaries WHERE %s", where);
    enum va_err err = prepare_buf(db, &sql, &stmt, fault);
    if (err)
        return err;
    db_bind(stmt, 1, a);
    db_bind(stmt, 2, b);
    err = db_step(stmt, fault);
    if (!err) {
        found.seq = sqlite3_column_int64(stmt, 0);
        (void)str_copy(found.id, sizeof(found.id), str_of(db_text(stmt, 1)));
        (void)str_copy(found.tenant, sizeof(found.tenant), str_of(db_text(stmt, 2)));
        (void)str_copy(found.name, sizeof(found.name), str_of(db_text(stmt, 3)));
    }
    (void)sqlite3_finalize(stmt);
    if (err && err != VA_ENOTFOUND)
        return err;
    *ret_found = found;
    return VA_OK;
}

/* Which row it replaces (seq 0: none), or whose way it would be in. */
static enum va_err find_target(sqlite3 *db, const struct secretary *s, struct found *ret_target,
                               struct va_fault *fault)
{
    struct found by_id = {0}, by_name = {0}, by_number = {0};
    enum va_err err = find(db, "id = ?1 AND ?2 = ''", s->id, "", &by_id, fault);
    if (!err)
        err = find(db, "tenant = ?1 AND name = ?2", s->tenant, s->name, &by_name, fault);
    if (!err && s->extension[0])
        err =
            find(db, "tenant = ?1 AND extension = ?2", s->tenant, s->extension, &by_number, fault);
    if (err)
        return err;
    struct found target = by_id.seq ? by_id : by_name;
    if (by_id.seq && !str_ieqz(str_of(s->tenant), by_id.tenant))
        return va_fault_set(fault, VA_EEXIST,
                            "secretary \"%s\": its id belongs to \"%s\" of tenant \"%s\"; leave "
                            "the id out to make a copy",
                            s->name, by_id.name, by_id.tenant);
    if (by_name.seq && by_name.seq != target.seq)
        return va_fault_set(fault, VA_EEXIST,
                            "secretary \"%s\": tenant \"%s\" already has one of this name with "
                            "the id %s; use that id or another name",
                            s->name, s->tenant, by_name.id);
    if (by_number.seq && by_number.seq != target.seq)
        return va_fault_set(fault, VA_EEXIST,
                            "secretary \"%s\": extension %s of tenant \"%s\" belongs to \"%s\"",
                            s->name, s->extension, s->tenant, by_number.name);
    *ret_target = target;
    return VA_OK;
}

static enum va_err prepare_put(sqlite3 *db, bool insert, sqlite3_stmt **ret_stmt,
                               struct va_fault *fault)
{
    struct buf sql;
    size_t n = secretary_fields.count;
    buf_init(&sql, SQL_MAX);
    buf_addz(&sql, insert ? "INSERT INTO secretaries (" : "UPDATE secretaries SET ");
    for (size_t i = 0; i < n; i++) {
        buf_addf(&sql, "%s%s", i ? "," : "", secretary_fields.row[i].key);
        if (!insert)
            buf_addf(&sql, "=?%zu", i + 1);
    }
    if (insert)
        for (size_t i = 0; i < n; i++)
            buf_addf(&sql, "%s?%zu", i ? "," : ") VALUES (", i + 1);
    if (insert)
        buf_addz(&sql, ")");
    else
        buf_addf(&sql, " WHERE seq=?%zu", n + 1);
    return prepare_buf(db, &sql, ret_stmt, fault);
}

static enum va_err bind_column(sqlite3_stmt *stmt, int i, const struct field *f,
                               const struct secretary *s)
{
    struct json_object *o = NULL;
    switch (f->kind) {
    case FIELD_DIGIT:
    case FIELD_ID: break; /* the caller knows which id */
    case FIELD_TEXT: db_bind(stmt, i, field_text(s, f)); break;
    case FIELD_TRISTATE:
    case FIELD_INT: (void)sqlite3_bind_int(stmt, i, *(const int32_t *)field_of(s, f)); break;
    case FIELD_BOOL: (void)sqlite3_bind_int(stmt, i, *(const bool *)field_of(s, f)); break;
    case FIELD_LIST:
    case FIELD_DESTINATIONS:
    case FIELD_TOPICS:
    case FIELD_PROMPTS:
        o = field_to_json(s, f);
        if (!o)
            return VA_ENOMEM;
        (void)sqlite3_bind_text(stmt, i,
                                json_object_to_json_string_ext(
                                    o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
                                -1, SQLITE_TRANSIENT);
        json_object_put(o);
        break;
    }
    return VA_OK;
}

enum va_err secretary_row_put(sqlite3 *db, const struct secretary *s, bool *ret_replaced,
                              struct va_fault *fault)
{
    struct found target = {0};
    sqlite3_stmt *stmt = NULL;
    enum va_err err = secretary_check(s, fault);
    if (!err)
        err = find_target(db, s, &target, fault);
    if (!err)
        err = prepare_put(db, !target.seq, &stmt, fault);
    for (size_t i = 0; !err && i < secretary_fields.count; i++)
        err = bind_column(stmt, (int)i + 1, &secretary_fields.row[i], s);
    if (!err) {
        db_bind(stmt, 1, target.seq ? target.id : s->id);
        if (target.seq)
            (void)sqlite3_bind_int64(stmt, (int)secretary_fields.count + 1, target.seq);
        err = db_run(stmt, fault);
    }
    (void)sqlite3_finalize(stmt);
    if (!err)
        *ret_replaced = target.seq != 0;
    return err;
}
