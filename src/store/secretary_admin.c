#include "store/secretary_admin.h"
#include "store/admin_int.h"
#include "store/migrate.h"
#include "store/secretary_row.h"

#include <stdlib.h>

enum va_err store_admin_open(const char *data_dir, struct store_admin **ret_admin,
                             struct va_fault *fault)
{
    if (!data_dir || !ret_admin)
        return va_fault_set(fault, VA_EINVAL, "store: no data folder");
    struct store_admin *a = calloc(1, sizeof(*a));
    if (!a)
        return va_fault_set(fault, VA_ENOMEM, "store: out of memory");
    enum va_err err = db_open(data_dir, &a->db, fault);
    if (!err)
        err = migrate_run(a->db, migrate_latest(), fault);
    if (err) {
        store_admin_close(&a);
        return err;
    }
    *ret_admin = a;
    return VA_OK;
}

void store_admin_close(struct store_admin **admin)
{
    if (!admin || !*admin)
        return;
    db_close(&(*admin)->db);
    free(*admin);
    *admin = NULL;
}

enum va_err store_admin_list(struct store_admin *admin, const char *tenant,
                             void (*each)(void *arg, const struct secretary *s), void *arg,
                             struct va_fault *fault)
{
    sqlite3_stmt *stmt = NULL;
    enum va_err err = secretary_row_select(
        admin->db, "WHERE ?1 IS NULL OR tenant = ?1 ORDER BY tenant, name", &stmt, fault);
    if (err)
        return err;
    db_bind(stmt, 1, tenant);
    while (!(err = db_step(stmt, fault))) {
        const struct secretary *s = NULL;
        err = secretary_row_read(stmt, &s, fault);
        if (err)
            break;
        each(arg, s);
        secretary_unref(&s);
    }
    (void)sqlite3_finalize(stmt);
    return err == VA_ENOTFOUND ? VA_OK : err;
}

/* Fault of an unknown key: with the nearest name, when one is near. */
static enum va_err not_found(struct store_admin *admin, const char *tenant, const char *key,
                             struct va_fault *fault)
{
    sqlite3_stmt *stmt = NULL;
    char nearest[SECRETARY_NAME_MAX + 1] = "";
    unsigned best = 64;
    enum va_err err = db_prepare(
        admin->db, "SELECT name FROM secretaries WHERE ?1 IS NULL OR tenant = ?1 ORDER BY seq",
        &stmt, fault);
    if (err)
        return err;
    db_bind(stmt, 1, tenant);
    while (!(err = db_step(stmt, fault))) {
        unsigned distance = str_distance(str_of(key), str_of(db_text(stmt, 0)));
        if (distance < best) {
            best = distance;
            (void)str_copy(nearest, sizeof(nearest), str_of(db_text(stmt, 0)));
        }
    }
    (void)sqlite3_finalize(stmt);
    if (err != VA_ENOTFOUND)
        return err;
    bool near = best <= 3 || best <= strlen(key) / 2;
    return va_fault_set(fault, VA_ENOTFOUND, "no secretary \"%.100s\"%s%.100s%s%s%s%s", key,
                        tenant ? " in tenant \"" : "", tenant ? tenant : "", tenant ? "\"" : "",
                        near ? "; did you mean \"" : "", near ? nearest : "", near ? "\"?" : "");
}

/* How a row matches a key: the best wins. */
static int rank(const struct secretary *s, struct str key)
{
    return str_ieqz(key, s->id) ? 0 : str_ieqz(key, s->name) ? 1 : 2;
}

static enum va_err ambiguous(const struct secretary *a, const struct secretary *b, const char *key,
                             struct va_fault *fault)
{
    return va_fault_set(fault, VA_EINVAL,
                        "\"%.100s\" is in tenant \"%s\" and in tenant \"%s\"; say which with "
                        "--tenant",
                        key, a->tenant, b->tenant);
}

/* The best row of a prepared search (ordered by rank); two equally good ones are a fault. */
static enum va_err take_best(sqlite3_stmt *stmt, const char *key, const struct secretary **ret_s,
                             struct va_fault *fault)
{
    const struct secretary *s = NULL, *other = NULL;
    enum va_err err = db_step(stmt, fault);
    if (!err)
        err = secretary_row_read(stmt, &s, fault);
    if (err)
        return err;
    err = db_step(stmt, fault);
    if (!err)
        err = secretary_row_read(stmt, &other, fault);
    if (!err && rank(s, str_of(key)) == rank(other, str_of(key)))
        err = ambiguous(s, other, key, fault);
    secretary_unref(&other);
    if (err && err != VA_ENOTFOUND) {
        secretary_unref(&s);
        return err;
    }
    *ret_s = s;
    return VA_OK;
}

enum va_err store_admin_get(struct store_admin *admin, const char *tenant, const char *key,
                            const struct secretary **ret_secretary, struct va_fault *fault)
{
    sqlite3_stmt *stmt = NULL;
    enum va_err err = secretary_row_select(admin->db,
                                           "WHERE (?1 IS NULL OR tenant = ?1) AND ?2 <> ''"
                                           " AND (id = ?2 OR name = ?2 OR extension = ?2)"
                                           " ORDER BY id = ?2 DESC, name = ?2 DESC, seq LIMIT 2",
                                           &stmt, fault);
    if (err)
        return err;
    db_bind(stmt, 1, tenant);
    db_bind(stmt, 2, key);
    err = take_best(stmt, key, ret_secretary, fault);
    (void)sqlite3_finalize(stmt);
    return err == VA_ENOTFOUND ? not_found(admin, tenant, key, fault) : err;
}

enum va_err store_admin_put(struct store_admin *admin, const struct secretary *const s[],
                            size_t count, bool ret_replaced[], struct va_fault *fault)
{
    enum va_err err = db_exec(admin->db, "BEGIN IMMEDIATE", fault);
    for (size_t i = 0; !err && i < count; i++) {
        bool replaced = false;
        err = secretary_row_put(admin->db, s[i], &replaced, fault);
        if (!err && ret_replaced)
            ret_replaced[i] = replaced;
    }
    if (!err)
        err = db_exec(admin->db, "COMMIT", fault);
    if (err)
        db_rollback(admin->db);
    return err;
}

enum va_err store_admin_remove(struct store_admin *admin, const char *tenant, const char *key,
                               struct va_fault *fault)
{
    const struct secretary *s = NULL;
    sqlite3_stmt *stmt = NULL;
    enum va_err err = store_admin_get(admin, tenant, key, &s, fault);
    if (!err)
        err = db_prepare(admin->db, "DELETE FROM secretaries WHERE id = ?1", &stmt, fault);
    if (!err) {
        db_bind(stmt, 1, s->id);
        err = db_run(stmt, fault);
    }
    (void)sqlite3_finalize(stmt);
    secretary_unref(&s);
    return err;
}
