#include "store/call_admin.h"
#include "base/str.h"
#include "store/admin_int.h"

#include <stdio.h>

#define CALL_COLUMNS                                                                               \
    "SELECT id, secretary_id, tenant, caller_number, caller_name, called_number, started_us,"      \
    " answered_us, ended_us, outcome, destination, hangup_cause, recording, turns FROM calls "

static void copy(sqlite3_stmt *stmt, int column, char *dst, size_t cap)
{
    (void)str_copy(dst, cap, str_of(db_text(stmt, column)));
}

static enum call_outcome outcome_of(const char *text)
{
    for (int i = 0; i < CALL_OUTCOME_COUNT; i++)
        if (str_eqz(str_of(text), call_outcome_text((enum call_outcome)i)))
            return (enum call_outcome)i;
    return CALL_FAILED;
}

static void read_call(sqlite3_stmt *stmt, struct call_record *c)
{
    *c = (struct call_record){0};
    copy(stmt, 0, c->id, sizeof(c->id));
    copy(stmt, 1, c->secretary_id, sizeof(c->secretary_id));
    copy(stmt, 2, c->tenant, sizeof(c->tenant));
    copy(stmt, 3, c->caller_number, sizeof(c->caller_number));
    copy(stmt, 4, c->caller_name, sizeof(c->caller_name));
    copy(stmt, 5, c->called_number, sizeof(c->called_number));
    c->started_us = sqlite3_column_int64(stmt, 6);
    c->answered_us = sqlite3_column_int64(stmt, 7);
    c->ended_us = sqlite3_column_int64(stmt, 8);
    c->outcome = outcome_of(db_text(stmt, 9));
    copy(stmt, 10, c->destination, sizeof(c->destination));
    copy(stmt, 11, c->hangup_cause, sizeof(c->hangup_cause));
    copy(stmt, 12, c->recording, sizeof(c->recording));
    c->turns = sqlite3_column_int(stmt, 13);
}

enum va_err store_admin_calls(struct store_admin *admin, const char *tenant, int limit,
                              void (*each)(void *arg, const struct call_record *call), void *arg,
                              struct va_fault *fault)
{
    sqlite3_stmt *stmt = NULL;
    enum va_err err = db_prepare(
        admin->db, CALL_COLUMNS "WHERE ?1 IS NULL OR tenant = ?1 ORDER BY started_us DESC LIMIT ?2",
        &stmt, fault);
    if (err)
        return err;
    db_bind(stmt, 1, tenant);
    (void)sqlite3_bind_int(stmt, 2, limit);
    while (!(err = db_step(stmt, fault))) {
        struct call_record call;
        read_call(stmt, &call);
        each(arg, &call);
    }
    (void)sqlite3_finalize(stmt);
    return err == VA_ENOTFOUND ? VA_OK : err;
}

enum va_err store_admin_call(struct store_admin *admin, const char *key,
                             struct call_record *ret_call, struct va_fault *fault)
{
    sqlite3_stmt *stmt = NULL;
    enum va_err err = db_prepare(admin->db,
                                 CALL_COLUMNS "WHERE ?1 = 'last' OR substr(id, 1, length(?1)) = ?1"
                                              " ORDER BY started_us DESC LIMIT 2",
                                 &stmt, fault);
    if (err)
        return err;
    db_bind(stmt, 1, key);
    err = db_step(stmt, fault);
    if (!err)
        read_call(stmt, ret_call);
    else if (err == VA_ENOTFOUND)
        va_fault_set(fault, err, "no call \"%.100s\" (voice-ai calls lists them)", key);
    bool last = str_eqz(str_of(key), "last");
    if (!err && !last && db_step(stmt, NULL) == VA_OK)
        err = va_fault_set(fault, VA_EINVAL, "several calls begin with \"%.100s\"; give more of it",
                           key);
    (void)sqlite3_finalize(stmt);
    return err;
}

static enum speaker speaker_of(const char *text)
{
    return *text == 'c' ? SPEAKER_CALLER : *text == 'a' ? SPEAKER_AGENT : SPEAKER_SYSTEM;
}

enum va_err store_admin_lines(struct store_admin *admin, const char *call_id,
                              void (*each)(void *arg, const struct transcript_line *line),
                              void *arg, struct va_fault *fault)
{
    sqlite3_stmt *stmt = NULL;
    enum va_err err = db_prepare(admin->db,
                                 "SELECT speaker, at_ms, length_ms, text FROM transcript_lines"
                                 " WHERE call_id = ?1 ORDER BY at_ms, seq",
                                 &stmt, fault);
    if (err)
        return err;
    db_bind(stmt, 1, call_id);
    while (!(err = db_step(stmt, fault))) {
        struct transcript_line line = {.speaker = speaker_of(db_text(stmt, 0)),
                                       .at_ms = sqlite3_column_int64(stmt, 1),
                                       .length_ms = sqlite3_column_int(stmt, 2),
                                       .text = db_text(stmt, 3)};
        each(arg, &line);
    }
    (void)sqlite3_finalize(stmt);
    return err == VA_ENOTFOUND ? VA_OK : err;
}

static void read_message(sqlite3_stmt *stmt, struct message_record *m)
{
    *m = (struct message_record){0};
    copy(stmt, 0, m->id, sizeof(m->id));
    copy(stmt, 1, m->call_id, sizeof(m->call_id));
    copy(stmt, 2, m->secretary_id, sizeof(m->secretary_id));
    copy(stmt, 3, m->tenant, sizeof(m->tenant));
    copy(stmt, 4, m->caller_number, sizeof(m->caller_number));
    copy(stmt, 5, m->caller_name, sizeof(m->caller_name));
    m->taken_us = sqlite3_column_int64(stmt, 6);
    m->length_ms = sqlite3_column_int(stmt, 7);
    copy(stmt, 8, m->audio, sizeof(m->audio));
    m->text = db_text(stmt, 9);
}

enum va_err store_admin_messages(struct store_admin *admin, const char *tenant, int limit,
                                 void (*each)(void *arg, const struct message_record *m), void *arg,
                                 struct va_fault *fault)
{
    sqlite3_stmt *stmt = NULL;
    enum va_err err =
        db_prepare(admin->db,
                   "SELECT id, call_id, secretary_id, tenant, caller_number, caller_name, taken_us,"
                   " length_ms, audio, text FROM messages WHERE ?1 IS NULL OR tenant = ?1"
                   " ORDER BY taken_us DESC LIMIT ?2",
                   &stmt, fault);
    if (err)
        return err;
    db_bind(stmt, 1, tenant);
    (void)sqlite3_bind_int(stmt, 2, limit);
    while (!(err = db_step(stmt, fault))) {
        struct message_record message;
        read_message(stmt, &message);
        each(arg, &message);
    }
    (void)sqlite3_finalize(stmt);
    return err == VA_ENOTFOUND ? VA_OK : err;
}
