/*
 * What we want to hear, and how FreeSWITCH is told.
 *
 *     subscriptions (refs) ──► `event <format> names…`, additive: one line for each change
 *                         └──► `nixevent`, for names nobody wants any more
 */
#include "esl/client_int.h"
#include "esl/command.h"
#include "esl/escape.h"

#include <stdlib.h>

enum { LINE_MAX_BYTES = 1 << 20 };

bool client_online(const struct esl_client *c)
{
    return (c->state == CLIENT_RESTORING || c->state == CLIENT_READY) && !esl_conn_ended(c->conn);
}

bool client_full(const struct esl_client *c)
{
    return client_online(c) && esl_conn_full(c->conn);
}

/* ---- names ---------------------------------------------------------------------------------- */

/* Next name of "A B CUSTOM x y"; *custom becomes true behind CUSTOM. Bare CUSTOM is a name too. */
static bool next_name(struct str *rest, bool *custom, struct str *ret_name)
{
    while (rest->len) {
        struct str name = str_cut(rest, ' ');
        if (!name.len)
            continue;
        if (!*custom && str_ieqz(name, "CUSTOM")) {
            *custom = true;
            if (str_trim(*rest).len)
                continue;
            *ret_name = str_of("CUSTOM");
            *custom = false;
            return true;
        }
        *ret_name = name;
        return true;
    }
    return false;
}

static bool names_ok(struct str names)
{
    struct str rest = names, name;
    size_t n = 0;
    for (bool custom = false; next_name(&rest, &custom, &name); n++) {
        for (size_t i = 0; i < name.len; i++) {
            if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 127)
                return false;
        }
    }
    return n > 0;
}

static bool same_uuid(const char *a, const char *b)
{
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static struct client_sub *find_sub(struct esl_client *c, struct str name, bool custom,
                                   const char *uuid, bool internal)
{
    list_each(&c->subs, it, next)
    {
        struct client_sub *s = container_of(it, struct client_sub, link);
        if (s->custom == custom && s->internal == internal && str_ieqz(name, s->name) &&
            same_uuid(s->uuid, uuid))
            return s;
    }
    return NULL;
}

static bool wants_all(const struct esl_client *c)
{
    list_each(&c->subs, it, next)
    {
        struct client_sub *s = container_of(it, struct client_sub, link);
        if (!s->internal && !s->uuid && !s->custom && str_ieqz(str_of(s->name), "ALL"))
            return true;
    }
    return false;
}

static enum va_err add_sub(struct esl_client *c, struct str name, bool custom, const char *uuid,
                           bool internal)
{
    struct client_sub *s = find_sub(c, name, custom, uuid, internal);
    if (s) {
        s->refs++;
        return VA_OK;
    }
    s = calloc(1, sizeof(*s) + name.len + 1);
    if (!s || (uuid && !(s->uuid = str_dup(str_of(uuid))))) {
        free(s);
        return VA_ENOMEM;
    }
    s->refs = 1;
    s->custom = custom;
    s->internal = internal;
    memcpy(s->name, name.p, name.len);
    list_push(&c->subs, &s->link);
    c->all = wants_all(c);
    return VA_OK;
}

static void free_sub(struct client_sub *s)
{
    link_remove(&s->link);
    free(s->uuid);
    free(s);
}

/* Does anybody else (not us either) still want it? */
static bool name_in_use(const struct esl_client *c, struct str name, bool custom)
{
    list_each(&c->subs, it, next)
    {
        struct client_sub *s = container_of(it, struct client_sub, link);
        if (s->custom == custom && str_ieqz(name, s->name))
            return true;
    }
    if (custom)
        return false;
    for (size_t i = 0; c->need_life && i < CLIENT_LIFE_EVENTS; i++) {
        if (str_ieqz(name, client_life_events[i]))
            return true;
    }
    return c->need_jobs && str_ieqz(name, "BACKGROUND_JOB");
}

/* ---- what is sent --------------------------------------------------------------------------- */

/* All of them, or those of one subscription, as the words behind `event` or `nixevent`. */
static void add_names(const struct esl_client *c, struct buf *out)
{
    bool custom = false;
    for (size_t i = 0; c->need_life && i < CLIENT_LIFE_EVENTS; i++)
        (void)buf_addf(out, " %s", client_life_events[i]);
    if (c->need_jobs)
        (void)buf_addz(out, " BACKGROUND_JOB");
    for (int pass = 0; pass < 2; pass++) {
        list_each(&c->subs, it, next)
        {
            struct client_sub *s = container_of(it, struct client_sub, link);
            if (s->custom != (pass == 1) || str_eqz(str_of(s->name), "CUSTOM"))
                continue;
            (void)buf_addf(out, s->custom && !custom ? " CUSTOM %s" : " %s", s->name);
            custom = s->custom;
        }
    }
}

static bool wants_bare_custom(const struct esl_client *c)
{
    list_each(&c->subs, it, next)
    {
        struct client_sub *s = container_of(it, struct client_sub, link);
        if (!s->custom && str_eqz(str_of(s->name), "CUSTOM"))
            return true;
    }
    return false;
}

/* `names` begin with a blank. */
static enum va_err send_names(struct esl_client *c, const char *verb, struct str names,
                              const struct esl_then *then)
{
    struct buf b;
    buf_init(&b, LINE_MAX_BYTES);
    (void)buf_adds(&b, names);
    enum va_err err = b.err;
    if (!err)
        err = client_send_line(c, verb, str_trim(buf_str(&b)), then);
    buf_free(&b);
    return err;
}

static const char *event_verb(const struct esl_client *c)
{
    static const char *const verb[] = {"event plain", "event json", "event xml"};
    return verb[c->cfg.format];
}

static enum va_err send_log(struct esl_client *c, const struct esl_then *then)
{
    char level[2] = {(char)('0' + (c->log_level < 0 ? 0 : c->log_level)), 0};
    return c->log_level < 0 ? client_send_line(c, "nolog", (struct str){0}, then)
                            : client_send_line(c, "log", str_of(level), then);
}

/* Ask for everything that is wanted, in one line or two; `then` for the first, `more` for the
 * second, *count grows by them. */
static enum va_err ask_all(struct esl_client *c, const struct esl_then *then,
                           const struct esl_then *more, size_t *count)
{
    struct buf names;
    buf_init(&names, LINE_MAX_BYTES);
    add_names(c, &names);
    enum va_err err = names.err;
    bool some = names.len > 0;
    if (!err && some && !(err = send_names(c, event_verb(c), buf_str(&names), then)))
        ++*count;
    if (!err && wants_bare_custom(c) &&
        !(err = send_names(c, event_verb(c), str_of("CUSTOM"), some ? more : then)))
        ++*count;
    buf_free(&names);
    return err;
}

enum va_err client_restore(struct esl_client *c, const struct esl_then *then, size_t *ret_count)
{
    size_t n = 0;
    enum va_err err = client_sync_filters(c, then, &n); /* before the first event comes */
    if (!err)
        err = ask_all(c, then, then, &n);
    if (!err && c->log_level >= 0 && !(err = send_log(c, then)))
        n++;
    *ret_count = n;
    return err;
}

static enum va_err need(struct esl_client *c, bool *flag, const char *names)
{
    if (*flag)
        return VA_OK;
    *flag = true;
    enum va_err err = client_sync_filters(c, NULL, &(size_t){0});
    if (!err && client_online(c))
        err = send_names(c, event_verb(c), str_of(names), NULL);
    if (err)
        *flag = false;
    return err;
}

enum va_err client_need_jobs(struct esl_client *c)
{
    return need(c, &c->need_jobs, "BACKGROUND_JOB");
}

enum va_err client_need_life(struct esl_client *c)
{
    return need(c, &c->need_life,
                "CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY");
}

/* ---- requests ------------------------------------------------------------------------------- */

/* The first `count` of them. */
static void remove_names(struct esl_client *c, struct str names, size_t count, const char *uuid,
                         bool internal)
{
    struct str rest = names, name;
    for (bool custom = false; count-- && next_name(&rest, &custom, &name);) {
        struct client_sub *s = find_sub(c, name, custom, uuid, internal);
        if (s && --s->refs == 0)
            free_sub(s);
    }
    c->all = wants_all(c);
}

static enum va_err add_all(struct esl_client *c, struct str names, const char *uuid, bool internal)
{
    struct str rest = names, name;
    size_t added = 0;
    for (bool custom = false; next_name(&rest, &custom, &name); added++) {
        enum va_err err = add_sub(c, name, custom, uuid, internal);
        if (err) { /* undo those before it */
            remove_names(c, names, added, uuid, internal);
            return err;
        }
    }
    return VA_OK;
}

enum va_err client_subscribe(struct esl_client *c, struct str names, const char *uuid,
                             bool internal, const struct esl_then *then)
{
    if (!names_ok(names) || (uuid && !esl_uuid_ok(str_of(uuid))))
        return VA_EINVAL;
    enum va_err err = client_full(c) ? VA_ELIMIT : add_all(c, names, uuid, internal);
    if (err)
        return err;
    err = client_sync_filters(c, NULL, &(size_t){0});
    if (!err && client_online(c))
        err = send_names(c, event_verb(c), names, then);
    if (err) {
        remove_names(c, names, SIZE_MAX, uuid, internal);
        client_resync(c);
    }
    return err;
}

/* Names nobody wants any more, as words for `nixevent`; ALL is told apart. */
static void add_unused(struct esl_client *c, struct str names, struct buf *out, bool *all)
{
    struct str rest = names, name;
    bool said = false;
    for (bool custom = false; next_name(&rest, &custom, &name);) {
        if (name_in_use(c, name, custom))
            continue;
        (void)buf_addz(out, custom && !said ? " CUSTOM " : " ");
        (void)buf_adds(out, name);
        said = said || custom;
        *all = *all || (!custom && str_ieqz(name, "ALL"));
    }
}

/* nixevent ALL takes away what is still wanted too. When all names are still wanted there is
 * nothing to take away, but somebody may wait for an answer: what we have, said once more. */
static enum va_err take_away(struct esl_client *c, struct str unused, bool all,
                             const struct esl_then *then)
{
    size_t n = 0;
    if (!unused.len)
        return then ? ask_all(c, then, NULL, &n) : VA_OK;
    enum va_err err = send_names(c, "nixevent", unused, then);
    if (!err && all && ask_all(c, NULL, NULL, &n))
        esl_conn_break(c->conn, ESL_WHY_MEMORY);
    return err;
}

enum va_err client_unsubscribe(struct esl_client *c, struct str names, const char *uuid,
                               bool internal, const struct esl_then *then)
{
    struct str rest = names, name;
    struct buf unused;
    bool all = false;
    if (!names_ok(names))
        return VA_EINVAL;
    for (bool custom = false; next_name(&rest, &custom, &name);) {
        if (!find_sub(c, name, custom, uuid, internal))
            return VA_ENOTFOUND;
    }
    if (!internal && client_full(c)) /* what a waiter subscribed to goes with it */
        return VA_ELIMIT;
    remove_names(c, names, SIZE_MAX, uuid, internal);
    buf_init(&unused, LINE_MAX_BYTES);
    add_unused(c, names, &unused, &all);
    enum va_err err = unused.err;
    if (!err && client_online(c))
        err = take_away(c, buf_str(&unused), all, then);
    buf_free(&unused);
    client_resync(c);
    return err;
}

enum va_err esl_client_subscribe(struct esl_client *c, struct str names, const char *uuid,
                                 const struct esl_then *then)
{
    struct esl_then limited;
    return client_subscribe(c, names, uuid, false, client_limit(c, then, &limited));
}

enum va_err esl_client_unsubscribe(struct esl_client *c, struct str names, const char *uuid,
                                   const struct esl_then *then)
{
    struct esl_then limited;
    return client_unsubscribe(c, names, uuid, false, client_limit(c, then, &limited));
}

bool client_wants(const struct esl_client *c, const struct esl_event *ev)
{
    if (c->all)
        return true;
    struct str name = esl_event_name(ev), uuid = esl_event_uuid(ev), subclass = {0};
    bool is_custom = str_eqz(name, "CUSTOM");
    if (is_custom)
        subclass = esl_event_get(ev, "Event-Subclass");
    list_each(&c->subs, it, next)
    {
        struct client_sub *s = container_of(it, struct client_sub, link);
        if (s->internal || (s->uuid && !str_eqz(uuid, s->uuid)))
            continue;
        if (!s->custom && str_ieqz(str_of(s->name), "ALL"))
            return true;
        if (s->custom ? is_custom && str_ieqz(subclass, s->name) : str_ieqz(name, s->name))
            return true;
    }
    return false;
}

enum va_err esl_client_log(struct esl_client *c, int level, const struct esl_then *then)
{
    if (level < -1 || level > 7)
        return VA_EINVAL;
    struct esl_then limited;
    int before = c->log_level;
    enum va_err err = client_full(c) ? VA_ELIMIT : VA_OK;
    c->log_level = err ? before : level;
    if (!err && client_online(c))
        err = send_log(c, client_limit(c, then, &limited));
    if (err)
        c->log_level = before;
    return err;
}

void client_free_subs(struct esl_client *c)
{
    list_each(&c->subs, it, next) free_sub(container_of(it, struct client_sub, link));
}
