/* store/: the SQLite store with its threads. */
#include "store/migrate.h"
#include "store/secretary_admin.h"
#include "store/store.h"

#include "unit/unit.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* One test: a folder, a store in it, a loop that asks. */
struct bench {
    char dir[64], file[96];
    struct store *store;
    struct loop *loop;
    int waiting;
    enum va_err err;
    const struct secretary *found;
    char order[64];
    size_t n;
};

static int on_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void bench_open_store(struct bench *b)
{
    struct va_fault fault = {0};
    if (store_open_sqlite(b->dir, &b->store, &fault))
        fail_msg("%s", fault.text);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    (void)snprintf(b->dir, sizeof(b->dir), "/tmp/va-store-XXXXXX");
    if (!mkdtemp(b->dir) || loop_new(NULL, 0, &b->loop))
        return -1;
    (void)snprintf(b->file, sizeof(b->file), "%s/%s", b->dir, DB_FILE);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    store_close(&b->store);
    loop_free(&b->loop);
    secretary_unref(&b->found);
    (void)nftw(b->dir, on_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(b);
    return 0;
}

static void on_found(void *arg, enum va_err err, const struct secretary *s)
{
    struct bench *b = arg;
    b->waiting--;
    b->err = err;
    secretary_unref(&b->found);
    b->found = s;
}

static void on_done(void *arg, enum va_err err)
{
    struct bench *b = arg;
    b->waiting--;
    b->err = err;
}

static void wait_all(struct bench *b)
{
    while (b->waiting)
        loop_turn(b->loop, true);
}

/* Name of the secretary that answers, "" for none. */
static const char *answering(struct bench *b, const char *tenant, const char *key)
{
    b->waiting++;
    assert_int_equal(store_find_secretary(b->store, b->loop, tenant, key, on_found, b, NULL),
                     VA_OK);
    assert_int_equal(b->waiting, 1); /* never from inside the call */
    wait_all(b);
    assert_true(b->err == VA_OK || b->err == VA_ENOTFOUND);
    return b->err ? "" : b->found->name;
}

static struct call_record call_of(const char *id)
{
    struct call_record c = {.started_us = 1000, .turns = 3, .outcome = CALL_COMPLETED};
    (void)snprintf(c.id, sizeof(c.id), "%s", id);
    (void)snprintf(c.tenant, sizeof(c.tenant), "default");
    return c;
}

static struct message_record message_of(const char *id)
{
    struct message_record m = {.taken_us = 5, .length_ms = 1200, .text = "ligue para mim; --'"};
    (void)snprintf(m.id, sizeof(m.id), "%s", id);
    (void)snprintf(m.tenant, sizeof(m.tenant), "default");
    return m;
}

static enum va_err put_call(struct bench *b, const char *id)
{
    struct call_record c = call_of(id);
    b->waiting++;
    assert_int_equal(store_put_call(b->store, b->loop, &c, on_done, b, NULL), VA_OK);
    wait_all(b);
    return b->err;
}

static enum va_err put_message(struct bench *b, const char *id)
{
    struct message_record m = message_of(id);
    b->waiting++;
    assert_int_equal(store_put_message(b->store, b->loop, &m, on_done, b, NULL), VA_OK);
    wait_all(b);
    return b->err;
}

/* First column of the first row, as text, on a connection of its own. */
static const char *query(struct bench *b, const char *sql)
{
    static char text[256];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_open(b->file, &db), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 5000);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL))
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    int status = sqlite3_step(stmt);
    assert_true(status == SQLITE_ROW || status == SQLITE_DONE);
    const void *p = status == SQLITE_ROW ? sqlite3_column_text(stmt, 0) : NULL;
    (void)snprintf(text, sizeof(text), "%s", p ? (const char *)p : "");
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return text;
}

/* ---- opening -------------------------------------------------------------------------------- */

static void a_new_store_has_two_secretaries(void **state)
{
    struct bench *b = *state;
    bench_open_store(b);
    assert_string_equal(answering(b, "default", "8000"), "recepcao");
    assert_string_equal(answering(b, "default", "8001"), "reception");
    assert_string_equal(answering(b, "default", "RECEPTION"), "reception");
    char id[UUID_TEXT];
    memcpy(id, b->found->id, sizeof(id));
    assert_string_equal(answering(b, "default", id), "reception");
    assert_string_equal(answering(b, "default", ""), "recepcao");
    assert_string_equal(answering(b, "default", "default"), "recepcao");
    assert_string_equal(answering(b, "default", "4711"), "recepcao");
    assert_string_equal(answering(b, "other.example", "8000"), "");
    assert_int_equal(store_failures(b->store), 0);
    struct stat st;
    assert_int_equal(stat(b->file, &st), 0);
    assert_int_equal(st.st_mode & 07, 0); /* nobody else's to read */
}

static void a_disabled_one_does_not_answer(void **state)
{
    struct bench *b = *state;
    bench_open_store(b);
    (void)query(b, "UPDATE secretaries SET enabled = 0 WHERE name = 'recepcao'");
    assert_string_equal(answering(b, "default", "8000"), "reception");
    assert_string_equal(answering(b, "default", ""), "reception");
    (void)query(b, "UPDATE secretaries SET enabled = 0");
    assert_string_equal(answering(b, "default", "8001"), "");
}

static void defaults_come_once(void **state)
{
    struct bench *b = *state;
    bench_open_store(b);
    store_close(&b->store);
    struct store_admin *admin = NULL;
    struct va_fault fault = {0};
    assert_int_equal(store_admin_open(b->dir, &admin, &fault), VA_OK);
    assert_int_equal(store_admin_remove(admin, NULL, "recepcao", &fault), VA_OK);
    assert_int_equal(store_admin_remove(admin, "default", "8001", &fault), VA_OK);
    assert_int_equal(store_admin_remove(admin, NULL, "recepcao", &fault), VA_ENOTFOUND);
    store_admin_close(&admin);
    bench_open_store(b);
    assert_string_equal(answering(b, "default", "8000"), "");
}

static void every_earlier_schema_is_brought_up(void **state)
{
    struct bench *b = *state;
    for (int version = 1; version < migrate_latest(); version++) {
        sqlite3 *db = NULL;
        struct va_fault fault = {0};
        assert_int_equal(db_open(b->dir, &db, &fault), VA_OK);
        assert_int_equal(migrate_run(db, version, &fault), VA_OK);
        assert_int_equal(migrate_run(db, 1, &fault), VA_OK); /* nothing to do, nothing undone */
        db_close(&db);
        assert_int_equal(atoi(query(b, "SELECT max(version) FROM schema_version")), version);
        bench_open_store(b);
        assert_int_equal(put_call(b, "c"), VA_OK);
        assert_int_equal(put_message(b, "m"), VA_OK);
        assert_string_equal(answering(b, "default", ""), ""); /* not new: no defaults */
        store_close(&b->store);
        assert_int_equal(atoi(query(b, "SELECT count(*) FROM schema_version")), migrate_latest());
        assert_int_equal(remove(b->file), 0);
    }
}

static void cannot_open(const char *dir, enum va_err expected, const char *text)
{
    struct store *store = NULL;
    struct va_fault fault = {0};
    enum va_err err = store_open_sqlite(dir, &store, &fault);
    if (err != expected || !strstr(fault.text, text))
        fail_msg("%s: \"%s\", expected %s \"%s\"", va_err_name(err), fault.text,
                 va_err_name(expected), text);
    assert_null(store);
}

static void a_newer_schema_is_refused(void **state)
{
    struct bench *b = *state;
    bench_open_store(b);
    store_close(&b->store);
    (void)query(b, "INSERT INTO schema_version VALUES (99, '7.5.0', '')");
    cannot_open(b->dir, VA_ENOTSUP,
                "schema 99 of voice-ai 7.5.0, but this is voice-ai " VA_VERSION);
}

static void write_file(const char *path, const char *text, size_t repeat)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (size_t i = 0; i < repeat; i++)
        assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void what_is_not_ours_is_refused_and_left_alone(void **state)
{
    struct bench *b = *state;
    write_file(b->file, "this is not a database. ", 100);
    cannot_open(b->dir, VA_EIO, "is not a database");
    assert_int_equal(remove(b->file), 0);
    (void)query(b, "CREATE TABLE theirs (x)");
    cannot_open(b->dir, VA_ENOTSUP, "another program");
    assert_string_equal(query(b, "PRAGMA journal_mode"), "delete");
    assert_int_equal(remove(b->file), 0);
    assert_int_equal(mkdir(b->file, 0700), 0);
    cannot_open(b->dir, VA_EIO, "is not a file");
}

static void a_folder_that_cannot_be_is_named(void **state)
{
    struct bench *b = *state;
    char path[160];
    write_file(b->file, "", 1);
    cannot_open(b->file, VA_ECONFIG, "is a file; give a folder");
    (void)snprintf(path, sizeof(path), "%s/below/a/file", b->file);
    cannot_open(path, VA_EIO, "cannot create this folder: Not a directory");
    cannot_open("/proc/voice-ai", VA_EIO, "cannot create this folder");
    cannot_open("/proc/self", VA_EIO, "cannot create this file");
    cannot_open("", VA_ECONFIG, "DATA_DIR");
    (void)snprintf(path, sizeof(path), "%s/a/b/c/", b->dir);
    struct va_fault fault = {0};
    assert_int_equal(store_open_sqlite(path, &b->store, &fault), VA_OK);
}

static void damage_is_found(void **state)
{
    struct bench *b = *state;
    bench_open_store(b);
    store_close(&b->store);
    FILE *f = fopen(b->file, "r+");
    assert_non_null(f);
    char garbage[4096];
    memset(garbage, 'x', sizeof(garbage));
    assert_int_equal(fseek(f, 4096 * 3, SEEK_SET), 0);
    assert_int_equal(fwrite(garbage, 1, sizeof(garbage), f), sizeof(garbage));
    assert_int_equal(fclose(f), 0);
    cannot_open(b->dir, VA_EIO, "is damaged");
}

/* ---- requests ------------------------------------------------------------------------------- */

static void a_call_is_kept_and_updated(void **state)
{
    struct bench *b = *state;
    bench_open_store(b);
    struct call_record c = call_of("call-1");
    c.outcome = CALL_RUNNING;
    assert_int_equal(store_put_call(b->store, NULL, &c, NULL, NULL, NULL), VA_OK);
    struct transcript_line line = {SPEAKER_CALLER, 10, 900, "olá"};
    assert_int_equal(store_add_line(b->store, NULL, "call-1", &line, NULL, NULL, NULL), VA_OK);
    assert_int_equal(put_call(b, "call-1"), VA_OK);
    assert_string_equal(query(b, "SELECT group_concat(outcome || turns) FROM calls"), "completed3");
    assert_string_equal(
        query(b, "SELECT speaker || at_ms || length_ms || text FROM transcript_lines"),
        "caller10900olá");
}

static void a_line_without_call_fails_alone(void **state)
{
    struct bench *b = *state;
    bench_open_store(b);
    struct transcript_line line = {SPEAKER_AGENT, 0, 0, "x"};
    b->waiting++;
    assert_int_equal(store_add_line(b->store, b->loop, "nobody", &line, on_done, b, NULL), VA_OK);
    wait_all(b);
    assert_int_equal(b->err, VA_ENOTFOUND);
    assert_int_equal(put_message(b, "m"), VA_OK);
    assert_int_equal(put_message(b, "m"), VA_EEXIST);
    assert_int_equal(store_failures(b->store), 2);
    struct va_fault fault = {0};
    assert_true(store_last_fault(b->store, &fault));
    assert_int_equal(fault.code, VA_EEXIST);
}

static void a_message_is_on_disk_when_it_is_answered(void **state)
{
    struct bench *b = *state;
    bench_open_store(b);
    assert_int_equal(put_message(b, "m-1"), VA_OK);
    assert_string_equal(query(b, "SELECT text FROM messages"), "ligue para mim; --'");
    store_close(&b->store);
    bench_open_store(b);
    assert_string_equal(query(b, "SELECT count(*) FROM messages WHERE id = 'm-1'"), "1");
}

struct stamp {
    struct bench *b;
    char name;
};

static void on_stamp(void *arg, enum va_err err)
{
    struct stamp *s = arg;
    assert_int_equal(err, VA_OK);
    s->b->order[s->b->n++] = s->name;
    s->b->waiting--;
}

static void answers_and_rows_keep_their_order(void **state)
{
    struct bench *b = *state;
    struct stamp stamp[26];
    bench_open_store(b);
    assert_int_equal(put_call(b, "c"), VA_OK);
    for (int i = 0; i < 26; i++) {
        char text[2] = {(char)('a' + i), 0};
        stamp[i] = (struct stamp){b, text[0]};
        struct transcript_line line = {SPEAKER_AGENT, 0, 0, text};
        struct message_record m = message_of(text);
        b->waiting++;
        enum va_err err =
            i % 2 ? store_add_line(b->store, b->loop, "c", &line, on_stamp, &stamp[i], NULL)
                  : store_put_message(b->store, b->loop, &m, on_stamp, &stamp[i], NULL);
        assert_int_equal(err, VA_OK);
    }
    wait_all(b);
    assert_string_equal(b->order, "abcdefghijklmnopqrstuvwxyz");
    assert_string_equal(
        query(b, "SELECT group_concat(text, '') FROM (SELECT text FROM transcript_lines"
                 " WHERE call_id = 'c' ORDER BY seq)"),
        "bdfhjlnprtvxz");
}

static void never(void *arg, enum va_err err)
{
    (void)arg, (void)err;
    fail_msg("called back after cancel");
}

static void never_found(void *arg, enum va_err err, const struct secretary *s)
{
    (void)s;
    never(arg, err);
}

/* Cancelled before the answer, and when it already lies in our mailbox: store_close() waits. */
static void a_cancelled_request_is_not_called_back(void **state)
{
    struct bench *b = *state;
    for (int answered = 0; answered < 2; answered++) {
        struct store_request *find = NULL, *write = NULL;
        struct call_record c = call_of("cancelled");
        bench_open_store(b);
        assert_int_equal(
            store_find_secretary(b->store, b->loop, "default", "", never_found, NULL, &find),
            VA_OK);
        assert_int_equal(store_put_call(b->store, b->loop, &c, never, NULL, &write), VA_OK);
        if (answered)
            store_close(&b->store);
        store_cancel(&find);
        store_cancel(&write);
        store_cancel(&write);
        store_close(&b->store);
        loop_turn(b->loop, true);
        assert_string_equal(query(b, "SELECT id FROM calls"), "cancelled"); /* done all the same */
    }
}

static void answers_outlive_the_store(void **state)
{
    struct bench *b = *state;
    struct store_request *cancelled = NULL;
    bench_open_store(b);
    struct call_record c = call_of("late");
    b->waiting += 2;
    assert_int_equal(store_put_call(b->store, b->loop, &c, on_done, b, NULL), VA_OK);
    assert_int_equal(store_find_secretary(b->store, b->loop, "default", "", on_found, b, NULL),
                     VA_OK);
    assert_int_equal(
        store_find_secretary(b->store, b->loop, "default", "", never_found, NULL, &cancelled),
        VA_OK);
    store_close(&b->store);
    assert_int_equal(b->waiting, 2);
    store_cancel(&cancelled);
    wait_all(b);
    assert_string_equal(b->found->name, "recepcao");
    assert_string_equal(query(b, "SELECT id FROM calls"), "late");
}

static void wrong_arguments_are_refused(void **state)
{
    struct bench *b = *state;
    bench_open_store(b);
    struct call_record c = call_of("");
    assert_int_equal(store_put_call(b->store, b->loop, &c, on_done, b, NULL), VA_EINVAL);
    c = call_of("x");
    assert_int_equal(store_put_call(b->store, NULL, &c, on_done, b, NULL), VA_EINVAL);
    char *big = malloc(STORE_TEXT_MAX + 2);
    memset(big, 'a', STORE_TEXT_MAX + 1);
    big[STORE_TEXT_MAX + 1] = 0;
    struct transcript_line line = {SPEAKER_SYSTEM, 0, 0, big};
    assert_int_equal(store_add_line(b->store, b->loop, "x", &line, on_done, b, NULL), VA_EINVAL);
    free(big);
    assert_int_equal(store_find_secretary(b->store, NULL, "default", "", on_found, b, NULL),
                     VA_EINVAL);
}

/* ---- under load ----------------------------------------------------------------------------- */

/* Somebody else's transaction holds the writer up; lookups go on, writes wait, up to the limit. */
static void a_blocked_writer_delays_no_lookup_and_has_a_limit(void **state)
{
    struct bench *b = *state;
    sqlite3 *other = NULL;
    bench_open_store(b);
    assert_int_equal(put_call(b, "c"), VA_OK);
    assert_int_equal(sqlite3_open(b->file, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct transcript_line line = {SPEAKER_CALLER, 0, 0, "x"};
    for (int i = 0; i < STORE_REQUESTS_MAX - 1; i++)
        assert_int_equal(store_add_line(b->store, NULL, "c", &line, NULL, NULL, NULL), VA_OK);
    assert_string_equal(answering(b, "default", "8001"), "reception");
    assert_int_equal(store_add_line(b->store, NULL, "c", &line, NULL, NULL, NULL), VA_OK);
    assert_int_equal(store_add_line(b->store, NULL, "c", &line, NULL, NULL, NULL), VA_ELIMIT);
    assert_int_equal(store_failures(b->store), 1);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    store_close(&b->store);
    assert_int_equal(atoi(query(b, "SELECT count(*) FROM transcript_lines")), STORE_REQUESTS_MAX);
}

static void lookups_and_writes_from_two_loops(void **state)
{
    enum { ROUNDS = 300 };
    struct bench *b = *state, second = {0};
    bench_open_store(b);
    second.store = b->store;
    assert_int_equal(loop_new(NULL, 0, &second.loop), VA_OK);
    for (int i = 0; i < ROUNDS; i++) {
        char id[UUID_TEXT];
        (void)snprintf(id, sizeof(id), "m-%d", i);
        struct call_record c = call_of(id);
        struct message_record m = message_of(id);
        b->waiting += 2;
        second.waiting++;
        assert_int_equal(store_put_call(b->store, b->loop, &c, on_done, b, NULL), VA_OK);
        assert_int_equal(store_put_message(b->store, b->loop, &m, on_done, b, NULL), VA_OK);
        assert_int_equal(store_find_secretary(second.store, second.loop, "default", "8001",
                                              on_found, &second, NULL),
                         VA_OK);
        if (i % 10 == 0)
            wait_all(&second);
    }
    wait_all(&second);
    wait_all(b);
    assert_int_equal(b->err, VA_OK);
    assert_string_equal(second.found->name, "reception");
    assert_int_equal(atoi(query(b, "SELECT count(*) FROM messages")), ROUNDS);
    assert_int_equal(store_failures(b->store), 0);
    secretary_unref(&second.found);
    loop_free(&second.loop);
}

/* A limit on the size of files stands for the full disk. */
static void a_full_disk_is_told_and_survived(void **state)
{
    struct bench *b = *state;
    struct rlimit old, small;
    bench_open_store(b);
    assert_int_equal(put_message(b, "before"), VA_OK);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){1, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum va_err err = put_message(b, "lost");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(err, VA_EIO);
    struct va_fault fault = {0};
    assert_true(store_last_fault(b->store, &fault));
    if (!strstr(fault.text, "free some space"))
        fail_msg("%s", fault.text);
    assert_int_equal(put_message(b, "after"), VA_OK);
    assert_string_equal(query(b, "SELECT group_concat(id) FROM messages"), "after,before");
}

/* ---- administration ------------------------------------------------------------------------- */

static void on_list(void *arg, const struct secretary *s)
{
    struct bench *b = arg;
    (void)s;
    b->n++;
}

static const struct secretary *copy_of(const char *tenant, const char *name, const char *extension)
{
    struct secretary *s = NULL;
    assert_int_equal(secretary_new(&s), VA_OK);
    assert_int_equal(secretary_set(&s->tenant, tenant), VA_OK);
    assert_int_equal(secretary_set(&s->name, name), VA_OK);
    assert_int_equal(secretary_set(&s->extension, extension), VA_OK);
    assert_int_equal(secretary_set(&s->language, "en-US"), VA_OK);
    return s;
}

static void the_running_store_sees_an_administrator_s_change(void **state)
{
    struct bench *b = *state;
    struct store_admin *admin = NULL;
    struct va_fault fault = {0};
    bench_open_store(b);
    assert_int_equal(put_call(b, "c"), VA_OK);
    assert_int_equal(store_admin_open(b->dir, &admin, &fault), VA_OK);
    const struct secretary *s[2] = {copy_of("acme", "front", "100"),
                                    copy_of("default", "RECEPCAO", "8002")};
    bool replaced[2] = {true, false};
    assert_int_equal(store_admin_put(admin, s, 2, replaced, &fault), VA_OK);
    assert_true(!replaced[0] && replaced[1]);
    assert_string_equal(answering(b, "ACME", "100"), "front");
    assert_string_equal(answering(b, "default", "8002"), "RECEPCAO");
    assert_string_not_equal(b->found->id, s[1]->id); /* keeps the id that calls refer to */
    assert_int_equal(store_admin_list(admin, NULL, on_list, b, &fault), VA_OK);
    assert_int_equal(b->n, 3);
    assert_int_equal(store_admin_list(admin, "acme", on_list, b, &fault), VA_OK);
    assert_int_equal(b->n, 4);
    secretary_unref(&s[0]);
    secretary_unref(&s[1]);
    store_admin_close(&admin);
}

static void all_are_put_or_none(void **state)
{
    struct bench *b = *state;
    struct store_admin *admin = NULL;
    struct va_fault fault = {0};
    assert_int_equal(store_admin_open(b->dir, &admin, &fault), VA_OK);
    const struct secretary *s[2] = {copy_of("default", "fine", "100"),
                                    copy_of("default", "clash", "8000")};
    assert_int_equal(store_admin_put(admin, s, 2, NULL, &fault), VA_EEXIST);
    assert_non_null(strstr(fault.text, "belongs to \"recepcao\""));
    const struct secretary *got = NULL;
    assert_int_equal(store_admin_get(admin, NULL, "fine", &got, &fault), VA_ENOTFOUND);
    assert_int_equal(store_admin_get(admin, NULL, "recpcao", &got, &fault), VA_ENOTFOUND);
    assert_non_null(strstr(fault.text, "did you mean \"recepcao\""));
    secretary_unref(&s[0]);
    secretary_unref(&s[1]);
    store_admin_close(&admin);
}

static void a_name_in_two_tenants_needs_the_tenant(void **state)
{
    struct bench *b = *state;
    struct store_admin *admin = NULL;
    struct va_fault fault = {0};
    const struct secretary *got = NULL;
    assert_int_equal(store_admin_open(b->dir, &admin, &fault), VA_OK);
    const struct secretary *s = copy_of("acme", "recepcao", "8000");
    assert_int_equal(store_admin_put(admin, &s, 1, NULL, &fault), VA_OK);
    assert_int_equal(store_admin_get(admin, NULL, "recepcao", &got, &fault), VA_EINVAL);
    assert_non_null(strstr(fault.text, "acme"));
    assert_int_equal(store_admin_get(admin, "acme", "8000", &got, &fault), VA_OK);
    assert_string_equal(got->tenant, "acme");
    secretary_unref(&got);
    struct secretary *moved = (struct secretary *)s; /* still the only reference */
    assert_int_equal(secretary_set(&moved->tenant, "evil"), VA_OK);
    assert_int_equal(store_admin_put(admin, &s, 1, NULL, &fault), VA_EEXIST);
    assert_non_null(strstr(fault.text, "leave the id out"));
    secretary_unref(&s);
    store_admin_close(&admin);
}

static void a_row_edited_to_nonsense_is_not_used(void **state)
{
    struct bench *b = *state;
    bench_open_store(b);
    (void)query(b, "UPDATE secretaries SET destinations = '[{\"number\":\"1 bridge\"}]'"
                   " WHERE name = 'recepcao'");
    b->waiting++;
    assert_int_equal(store_find_secretary(b->store, b->loop, "default", "8000", on_found, b, NULL),
                     VA_OK);
    wait_all(b);
    assert_int_equal(b->err, VA_EIO);
    struct va_fault fault = {0};
    assert_true(store_last_fault(b->store, &fault));
    assert_non_null(strstr(fault.text, "recepcao"));
}

static void two_connections_create_one_database(void **state)
{
    struct bench *b = *state;
    struct store_admin *admin = NULL;
    struct va_fault fault = {0};
    assert_int_equal(store_admin_open(b->dir, &admin, &fault), VA_OK);
    bench_open_store(b);
    assert_string_equal(query(b, "SELECT count(*) FROM secretaries"), "2");
    assert_string_equal(query(b, "PRAGMA journal_mode"), "wal");
    store_admin_close(&admin);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_store_has_two_secretaries),
        TEST(a_disabled_one_does_not_answer),
        TEST(defaults_come_once),
        TEST(every_earlier_schema_is_brought_up),
        TEST(a_newer_schema_is_refused),
        TEST(what_is_not_ours_is_refused_and_left_alone),
        TEST(a_folder_that_cannot_be_is_named),
        TEST(damage_is_found),
        TEST(a_call_is_kept_and_updated),
        TEST(a_line_without_call_fails_alone),
        TEST(a_message_is_on_disk_when_it_is_answered),
        TEST(answers_and_rows_keep_their_order),
        TEST(a_cancelled_request_is_not_called_back),
        TEST(answers_outlive_the_store),
        TEST(wrong_arguments_are_refused),
        TEST(a_blocked_writer_delays_no_lookup_and_has_a_limit),
        TEST(lookups_and_writes_from_two_loops),
        TEST(a_full_disk_is_told_and_survived),
        TEST(the_running_store_sees_an_administrator_s_change),
        TEST(all_are_put_or_none),
        TEST(a_name_in_two_tenants_needs_the_tenant),
        TEST(a_row_edited_to_nonsense_is_not_used),
        TEST(two_connections_create_one_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
