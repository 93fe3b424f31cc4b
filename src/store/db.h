/**
 * store/db.h: one SQLite connection and its errors as a person reads them. (Private to store/.)
 *
 * A connection belongs to one thread at a time. Every `fault` may be NULL.
 */
#ifndef VA_STORE_DB_H
#define VA_STORE_DB_H

#include "base/err.h"

#include <sqlite3.h>

#define DB_FILE "voice-ai.db"

enum {
    DB_BUSY_MS = 5000,         /* how long to wait for another program's transaction */
    DB_CHECK_BYTES = 64000000, /* up to this size the whole file is checked when it is opened */
};

/**
 * Open DATA_DIR/voice-ai.db, creating folder (0750) and file (0640): foreign keys on, busy
 * timeout. Writes nothing into it; migrate_run() does (WAL, schema).
 */
VA_CHECK enum va_err db_open(const char *data_dir, sqlite3 **ret_db, struct va_fault *fault);
/** NULL-safe. All its statements must be finalized. */
void db_close(sqlite3 **db);

/** Look for damage, when the file is small enough for that not to delay a start. */
VA_CHECK enum va_err db_check(sqlite3 *db, struct va_fault *fault);

/** Code and fault of an SQLite status: disk full, damaged, locked, … each with what to do. */
enum va_err db_fault(sqlite3 *db, int status, struct va_fault *fault);

VA_CHECK enum va_err db_exec(sqlite3 *db, const char *sql, struct va_fault *fault);
VA_CHECK enum va_err db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt,
                                struct va_fault *fault);
/** @return VA_OK: a row; VA_ENOTFOUND: no (more) row, fault untouched; else an error */
VA_CHECK enum va_err db_step(sqlite3_stmt *stmt, struct va_fault *fault);
/** Run a statement that gives no row. Leaves it reset and unbound. */
VA_CHECK enum va_err db_run(sqlite3_stmt *stmt, struct va_fault *fault);
/** Borrowed text, until the statement is reset. */
void db_bind(sqlite3_stmt *stmt, int index, const char *text);
/** Never NULL. Borrowed until the next step. */
const char *db_text(sqlite3_stmt *stmt, int column);

/** Undo an open transaction, if one is open. */
void db_rollback(sqlite3 *db);

#endif
