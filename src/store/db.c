#include "store/db.h"
#include "base/str.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* mkdir -p. */
static enum va_err make_folder(const char *dir, struct va_fault *fault)
{
    char path[PATH_MAX];
    if (!dir[0] || !str_copy(path, sizeof(path), str_of(dir)))
        return va_fault_set(fault, VA_ECONFIG, "DATA_DIR: give a folder, of at most %d bytes",
                            PATH_MAX - 1);
    int status = 0;
    for (char *p = path + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            (void)mkdir(path, 0750); /* the last one's status tells */
            *p = '/';
        }
    status = mkdir(path, 0750);
    int why = errno;
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        return va_fault_set(fault, VA_ECONFIG, "DATA_DIR=%s: is a file; give a folder", dir);
    if (status && why != EEXIST)
        return va_fault_set(fault, VA_EIO,
                            "DATA_DIR=%s: cannot create this folder: %s; create it for the user "
                            "that runs voice-ai, or give another",
                            dir, strerror(why));
    return VA_OK;
}

/*
 * Create the file with our mode. mknod, not open: closing a descriptor of the file would drop the
 * locks that other connections of this process hold on it (fcntl(2), "Advisory record locking").
 */
static enum va_err make_file(const char *path, struct va_fault *fault)
{
    struct stat st;
    if (mknod(path, S_IFREG | 0640, 0) && errno != EEXIST)
        return va_fault_set(fault, VA_EIO,
                            "%s: cannot create this file: %s; make the folder writable for the "
                            "user that runs voice-ai, or set DATA_DIR",
                            path, strerror(errno));
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return va_fault_set(fault, VA_EIO,
                            "%s: is not a file (a folder?); move it away or set DATA_DIR", path);
    if (access(path, R_OK | W_OK))
        return va_fault_set(fault, VA_EIO,
                            "%s: %s; make it readable and writable for the user that runs voice-ai",
                            path, strerror(errno));
    return VA_OK;
}

/* SQLite tells ENOSPC as SQLITE_FULL, but a quota or a limit of the file system only as a write
 * that failed; sqlite3_system_errno() is no longer the write's by the time it can be asked. */
static enum va_err io_fault(const char *path, int status, const char *why, struct va_fault *fault)
{
    if (status == SQLITE_IOERR_WRITE || status == SQLITE_IOERR_FSYNC ||
        status == SQLITE_IOERR_SHMSIZE || status == SQLITE_IOERR_TRUNCATE)
        return va_fault_set(fault, VA_EIO,
                            "%s: cannot be written (%s); free some space there, check quota and "
                            "disk",
                            path, why);
    return va_fault_set(fault, VA_EIO, "%s: %s; check the disk and the folder's permissions", path,
                        why);
}

enum va_err db_fault(sqlite3 *db, int status, struct va_fault *fault)
{
    const char *path = db ? sqlite3_db_filename(db, "main") : NULL;
    const char *why = db ? sqlite3_errmsg(db) : sqlite3_errstr(status);
    if (!path)
        path = DB_FILE;
    switch (status & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return VA_OK;
    case SQLITE_NOMEM: return va_fault_set(fault, VA_ENOMEM, "%s: out of memory", path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return va_fault_set(fault, VA_EAGAIN,
                            "%s: another program keeps it locked; end its transaction, try again",
                            path);
    case SQLITE_FULL:
        return va_fault_set(fault, VA_EIO, "%s: the disk is full; free some space there", path);
    case SQLITE_NOTADB:
        return va_fault_set(
            fault, VA_EIO, "%s: is not a database of voice-ai; move it away or set DATA_DIR", path);
    case SQLITE_CORRUPT:
        return va_fault_set(fault, VA_EIO,
                            "%s: is damaged (%s); restore a copy, or rescue it with: sqlite3 "
                            "FILE .recover",
                            path, why);
    case SQLITE_READONLY:
        return va_fault_set(fault, VA_EIO, "%s: is read-only; make file and folder writable", path);
    case SQLITE_CONSTRAINT:
        return status == SQLITE_CONSTRAINT_FOREIGNKEY
                   ? va_fault_set(fault, VA_ENOTFOUND, "%s: what it refers to is not there", path)
                   : va_fault_set(fault, VA_EEXIST, "%s: already there: %s", path, why);
    default: return io_fault(path, status, why, fault);
    }
}

static enum va_err set_up(sqlite3 *db, struct va_fault *fault)
{
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, DB_BUSY_MS);
    /* The first statement finds out whether the file is a database at all. Nothing here changes it:
     * migrate_run() does, once it knows that the database is ours. */
    return db_exec(db,
                   "SELECT count(*) FROM sqlite_master; PRAGMA synchronous=NORMAL;"
                   "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY;"
                   "PRAGMA journal_size_limit=67108864;",
                   fault);
}

enum va_err db_open(const char *data_dir, sqlite3 **ret_db, struct va_fault *fault)
{
    char path[PATH_MAX + sizeof("/" DB_FILE)];
    enum va_err err = make_folder(data_dir, fault);
    if (err)
        return err;
    (void)snprintf(path, sizeof(path), "%s/%s", data_dir, DB_FILE);
    err = make_file(path, fault);
    if (err)
        return err;
    sqlite3 *db = NULL;
    int status = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    err = status ? db_fault(db, status, fault) : set_up(db, fault);
    if (err) {
        db_close(&db);
        return err;
    }
    *ret_db = db;
    return VA_OK;
}

void db_close(sqlite3 **db)
{
    if (!db || !*db)
        return;
    (void)sqlite3_close(*db);
    *db = NULL;
}

enum va_err db_check(sqlite3 *db, struct va_fault *fault)
{
    struct stat st;
    const char *path = sqlite3_db_filename(db, "main");
    if (stat(path, &st) || st.st_size > DB_CHECK_BYTES)
        return VA_OK;
    sqlite3_stmt *stmt = NULL;
    enum va_err err = db_prepare(db, "PRAGMA quick_check(1)", &stmt, fault);
    if (err)
        return err;
    err = db_step(stmt, fault);
    if (!err && strcmp(db_text(stmt, 0), "ok") != 0)
        err = va_fault_set(fault, VA_EIO,
                           "%s: is damaged (%.200s); restore a copy, or rescue it with: sqlite3 "
                           "FILE .recover",
                           path, db_text(stmt, 0));
    (void)sqlite3_finalize(stmt);
    return err;
}

enum va_err db_exec(sqlite3 *db, const char *sql, struct va_fault *fault)
{
    return db_fault(db, sqlite3_exec(db, sql, NULL, NULL, NULL), fault);
}

enum va_err db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt,
                       struct va_fault *fault)
{
    sqlite3_stmt *stmt = NULL;
    int status = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    if (status)
        return db_fault(db, status, fault);
    *ret_stmt = stmt;
    return VA_OK;
}

enum va_err db_step(sqlite3_stmt *stmt, struct va_fault *fault)
{
    int status = sqlite3_step(stmt);
    if (status == SQLITE_ROW)
        return VA_OK;
    return status == SQLITE_DONE ? VA_ENOTFOUND : db_fault(sqlite3_db_handle(stmt), status, fault);
}

enum va_err db_run(sqlite3_stmt *stmt, struct va_fault *fault)
{
    int status = sqlite3_step(stmt);
    enum va_err err = db_fault(sqlite3_db_handle(stmt), status, fault);
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    return err;
}

void db_bind(sqlite3_stmt *stmt, int index, const char *text)
{
    (void)sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

const char *db_text(sqlite3_stmt *stmt, int column)
{
    const void *text = sqlite3_column_text(stmt, column);
    return text ? text : "";
}

void db_rollback(sqlite3 *db)
{
    if (!sqlite3_get_autocommit(db))
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}
