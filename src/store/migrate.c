#include "store/migrate.h"
#include "store/secretary_admin.h"
#include "store/secretary_row.h"

#include <stdio.h>

/*
 * Version n is the n-th text. Never change one that was released: append.
 *
 * A call, its lines and its messages outlive the secretary they belonged to, so secretary_id is no
 * foreign key; a message outlives a failed write of its call, so its call_id is none either.
 */
static const char *const migrations[] = {
    /* 1: secretaries. Columns are store/fields.c's; lists are JSON. `seq` is the order of birth. */
    "CREATE TABLE secretaries ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL UNIQUE COLLATE NOCASE,"
    " tenant TEXT NOT NULL COLLATE NOCASE,"
    " name TEXT NOT NULL COLLATE NOCASE,"
    " extension TEXT NOT NULL,"
    " enabled INTEGER NOT NULL,"
    " company TEXT NOT NULL,"
    " language TEXT NOT NULL,"
    " voice TEXT NOT NULL,"
    " provider TEXT NOT NULL,"
    " fallbacks TEXT NOT NULL,"
    " greeting TEXT NOT NULL,"
    " farewell TEXT NOT NULL,"
    " instructions TEXT NOT NULL,"
    " silence_ms INTEGER NOT NULL,"
    " silence_prompts INTEGER NOT NULL,"
    " max_duration_s INTEGER NOT NULL,"
    " message_max_s INTEGER NOT NULL,"
    " end_silence_ms INTEGER NOT NULL,"
    " protect_ms INTEGER NOT NULL,"
    " record INTEGER NOT NULL,"
    " barge_in INTEGER NOT NULL,"
    " destinations TEXT NOT NULL,"
    " topics TEXT NOT NULL,"
    " prompts TEXT NOT NULL,"
    " UNIQUE (tenant, name));"
    "CREATE INDEX secretaries_first ON secretaries (tenant, enabled, seq);"
    "CREATE UNIQUE INDEX secretaries_extension ON secretaries (tenant, extension)"
    " WHERE extension <> '';",

    /* 2: calls and what was said. */
    "CREATE TABLE calls ("
    " id TEXT PRIMARY KEY,"
    " secretary_id TEXT NOT NULL,"
    " tenant TEXT NOT NULL COLLATE NOCASE,"
    " caller_number TEXT NOT NULL,"
    " caller_name TEXT NOT NULL,"
    " called_number TEXT NOT NULL,"
    " started_us INTEGER NOT NULL,"
    " answered_us INTEGER NOT NULL,"
    " ended_us INTEGER NOT NULL,"
    " outcome TEXT NOT NULL,"
    " destination TEXT NOT NULL,"
    " hangup_cause TEXT NOT NULL,"
    " recording TEXT NOT NULL,"
    " turns INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX calls_time ON calls (tenant, started_us);"
    "CREATE INDEX calls_secretary ON calls (secretary_id, started_us);"
    "CREATE TABLE transcript_lines ("
    " seq INTEGER PRIMARY KEY,"
    " call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,"
    " speaker TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " length_ms INTEGER NOT NULL,"
    " text TEXT NOT NULL);"
    "CREATE INDEX transcript_lines_call ON transcript_lines (call_id, seq);",

    /* 3: messages that callers left. */
    "CREATE TABLE messages ("
    " id TEXT PRIMARY KEY,"
    " call_id TEXT NOT NULL,"
    " secretary_id TEXT NOT NULL,"
    " tenant TEXT NOT NULL COLLATE NOCASE,"
    " caller_number TEXT NOT NULL,"
    " caller_name TEXT NOT NULL,"
    " taken_us INTEGER NOT NULL,"
    " length_ms INTEGER NOT NULL,"
    " audio TEXT NOT NULL,"
    " text TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX messages_secretary ON messages (secretary_id, taken_us);"
    "CREATE INDEX messages_time ON messages (tenant, taken_us);",
};

int migrate_latest(void)
{
    return (int)(sizeof(migrations) / sizeof(migrations[0]));
}

/* 0 for an empty file. */
static enum va_err read_version(sqlite3 *db, int *ret_version, char program[static 32],
                                struct va_fault *fault)
{
    sqlite3_stmt *stmt = NULL;
    enum va_err err = db_prepare(
        db, "SELECT count(*), total(name = 'schema_version') FROM sqlite_master", &stmt, fault);
    if (!err)
        err = db_step(stmt, fault);
    int objects = err ? 0 : sqlite3_column_int(stmt, 0);
    bool ours = !err && sqlite3_column_int(stmt, 1);
    (void)sqlite3_finalize(stmt);
    stmt = NULL;
    if (err)
        return err;
    if (objects && !ours)
        return va_fault_set(fault, VA_ENOTSUP,
                            "%s: is a database of another program; move it away or set DATA_DIR",
                            sqlite3_db_filename(db, "main"));
    int version = 0;
    if (ours) {
        err = db_prepare(db, "SELECT max(version), program FROM schema_version", &stmt, fault);
        if (!err)
            err = db_step(stmt, fault);
        if (!err) {
            version = sqlite3_column_int(stmt, 0);
            (void)snprintf(program, 32, "%s", db_text(stmt, 1));
        }
        (void)sqlite3_finalize(stmt);
    }
    if (!err)
        *ret_version = version;
    return err;
}

static enum va_err note_version(sqlite3 *db, int version, struct va_fault *fault)
{
    char sql[160];
    (void)snprintf(sql, sizeof(sql), "INSERT INTO schema_version VALUES (%d, '%s', %s)", version,
                   VA_VERSION, "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')");
    return db_exec(db, sql, fault);
}

static enum va_err add_defaults(sqlite3 *db, struct va_fault *fault)
{
    const struct secretary *both[2] = {NULL, NULL};
    bool replaced = false;
    enum va_err err = secretary_defaults(&both[0], &both[1]);
    if (err)
        return va_fault_set(fault, err, "default secretaries: %s", va_err_text(err));
    for (size_t i = 0; !err && i < 2; i++)
        err = secretary_row_put(db, both[i], &replaced, fault);
    secretary_unref(&both[0]);
    secretary_unref(&both[1]);
    return err;
}

static enum va_err apply(sqlite3 *db, int from, int target, struct va_fault *fault)
{
    enum va_err err = VA_OK;
    if (from == 0)
        err = db_exec(db,
                      "CREATE TABLE schema_version (version INTEGER PRIMARY KEY,"
                      " program TEXT NOT NULL, applied TEXT NOT NULL)",
                      fault);
    for (int v = from; !err && v < target; v++) {
        err = db_exec(db, migrations[v], fault);
        if (!err)
            err = note_version(db, v + 1, fault);
    }
    if (!err && from == 0 && target == migrate_latest())
        err = add_defaults(db, fault);
    return err;
}

static enum va_err check_version(sqlite3 *db, int *ret_version, struct va_fault *fault)
{
    char program[32] = "";
    int version = 0;
    enum va_err err = read_version(db, &version, program, fault);
    if (err)
        return err;
    if (version > migrate_latest())
        return va_fault_set(
            fault, VA_ENOTSUP,
            "%s: has schema %d of voice-ai %s, but this is voice-ai %s, which knows "
            "schemas up to %d; run the newer program or restore an older copy",
            sqlite3_db_filename(db, "main"), version, program, VA_VERSION, migrate_latest());
    *ret_version = version;
    return VA_OK;
}

enum va_err migrate_run(sqlite3 *db, int target, struct va_fault *fault)
{
    int version = 0;
    enum va_err err = check_version(db, &version, fault);
    if (!err)
        err = db_exec(db, "PRAGMA journal_mode=WAL", fault);
    if (err || version >= target)
        return err;
    err = db_exec(db, "BEGIN IMMEDIATE", fault);
    if (!err) /* again: another process may have been faster */
        err = check_version(db, &version, fault);
    if (!err && version < target)
        err = apply(db, version, target, fault);
    if (!err)
        err = db_exec(db, "COMMIT", fault);
    if (err)
        db_rollback(db);
    return err;
}
