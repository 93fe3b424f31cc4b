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
    return c->state == CLIENT_RESTORING || c->state == CLIENT_READY;
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
static bool name_in_use(const struct esl_client *c, const char *name, bool custom)
{
    list_each(&c->subs, it, next)
    {
        struct client_sub *s = container_of(it, struct client_sub, link);
        if (s->custom == custom && str_ieqz(str_of(name), s->name))
            return true;
    }
    if (custom)
        return false;
    for (size_t i = 0; c->need_life && i < CLIENT_LIFE_EVENTS; i++) {
        if (str_ieqz(str_of(name), client_life_events[i]))
            return true;
    }
    return c->need_jobs && str_ieqz(str_of(name), "BACKGROUND_JOB");
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

static bool wants_bare_custom(struct esl_client *c)
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

enum va_err client_restore(struct esl_client *c, const struct esl_then *then, size_t *ret_count)
{
    struct buf names;
    size_t n = 0;
    enum va_err err = client_sync_filters(c, then, &n); /* before the first event comes */
    buf_init(&names, LINE_MAX_BYTES);
    add_names(c, &names);
    if (!err)
        err = names.err;
    if (!err && names.len && !(err = send_names(c, event_verb(c), buf_str(&names), then)))
        n++;
    if (!err && wants_bare_custom(c) &&
        !(err = send_names(c, event_verb(c), str_of("CUSTOM"), then)))
        n++;
    if (!err && c->log_level >= 0 && !(err = send_log(c, then)))
        n++;
    buf_free(&names);
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

static void remove_names(struct esl_client *c, struct str names, const char *uuid, bool internal)
{
    struct str rest = names, name;
    for (bool custom = false; next_name(&rest, &custom, &name);) {
        struct client_sub *s = find_sub(c, name, custom, uuid, internal);
        if (s && --s->refs == 0)
            free_sub(s);
    }
    c->all = wants_all(c);
}

static enum va_err add_all(struct esl_client *c, struct str names, const char *uuid, bool internal)
{
    struct str rest = names, name;
    for (bool custom = false; next_name(&rest, &custom, &name);) {
        enum va_err err = add_sub(c, name, custom, uuid, internal);
        if (err) { /* undo those before it */
            remove_names(c, str_make(names.p, (size_t)(name.p - names.p)), uuid, internal);
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
    enum va_err err = add_all(c, names, uuid, internal);
    if (err)
        return err;
    err = client_sync_filters(c, NULL, &(size_t){0});
    if (!err && client_online(c))
        err = send_names(c, event_verb(c), names, then);
    if (err)
        remove_names(c, names, uuid, internal);
    return err;
}

/* Names nobody wants any more, as words for `nixevent`; ALL is told apart. */
static void add_unused(struct esl_client *c, struct str names, struct buf *out, bool *all)
{
    struct str rest = names, name;
    bool said = false;
    for (bool custom = false; next_name(&rest, &custom, &name);) {
        char *z = str_dup(name);
        if (z && !name_in_use(c, z, custom)) {
            (void)buf_addf(out, custom && !said ? " CUSTOM %s" : " %s", z);
            said = said || custom;
            *all = *all || (!custom && str_ieqz(name, "ALL"));
        }
        free(z);
    }
}

enum va_err client_unsubscribe(struct esl_client *c, struct str names, const char *uuid,
                               bool internal, const struct esl_then *then)
{
    struct str rest = names, name;
    if (!names_ok(names))
        return VA_EINVAL;
    for (bool custom = false; next_name(&rest, &custom, &name);) {
        if (!find_sub(c, name, custom, uuid, internal))
            return VA_ENOTFOUND;
    }
    remove_names(c, names, uuid, internal);
    struct buf unused, left;
    bool all = false;
    buf_init(&unused, LINE_MAX_BYTES);
    buf_init(&left, LINE_MAX_BYTES);
    add_unused(c, names, &unused, &all);
    enum va_err err = unused.err;
    if (!err && unused.len && client_online(c))
        err = send_names(c, "nixevent", buf_str(&unused), then);
    /* nixevent ALL takes away what is still wanted too. When all of them are still wanted there is
     * nothing to take away, but somebody may wait for an answer: what we have, said once more. */
    add_names(c, &left);
    if (!err && (all || !unused.len) && left.len && client_online(c))
        err = send_names(c, event_verb(c), buf_str(&left), unused.len ? NULL : then);
    buf_free(&unused);
    buf_free(&left);
    return err ? err : client_sync_filters(c, NULL, &(size_t){0});
}

enum va_err esl_client_subscribe(struct esl_client *c, struct str names, const char *uuid,
                                 const struct esl_then *then)
{
    return client_subscribe(c, names, uuid, false, then);
}

enum va_err esl_client_unsubscribe(struct esl_client *c, struct str names, const char *uuid,
                                   const struct esl_then *then)
{
    return client_unsubscribe(c, names, uuid, false, then);
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
    c->log_level = level;
    return client_online(c) ? send_log(c, then) : VA_OK;
}

void client_free_subs(struct esl_client *c)
{
    list_each(&c->subs, it, next) free_sub(container_of(it, struct client_sub, link));
}
