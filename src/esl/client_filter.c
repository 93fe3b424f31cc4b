/*
 * Filters. Any filter denies all that no filter names (fact 9), jobs and completions of ours
 * included, so what our waiters live on is part of the wanted set whenever that set is not empty:
 *
 *     the application's, the uuids of subscriptions, own needs ──► wanted ──diff──► `filter …`
 */
#include "esl/client_int.h"
#include "esl/escape.h"

#include <stdlib.h>

enum { TEXT_MAX = 65536 };

const char *const client_life_events[CLIENT_LIFE_EVENTS] = {
    "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"};

static struct client_filter *find_filter(const struct esl_client *c, struct str text)
{
    for (struct hlink *h = htab_first(&c->filter_tab, htab_hash(text)); h; h = htab_next(h)) {
        struct client_filter *f = container_of(h, struct client_filter, hash_link);
        if (str_eqz(text, f->text))
            return f;
    }
    return NULL;
}

static struct client_filter *need_filter(struct esl_client *c, struct str text)
{
    struct client_filter *f = find_filter(c, text);
    if (f)
        return f;
    f = calloc(1, sizeof(*f) + text.len + 1);
    if (!f || htab_add(&c->filter_tab, &f->hash_link, htab_hash(text))) {
        free(f);
        return NULL;
    }
    memcpy(f->text, text.p, text.len);
    return f;
}

static void free_filter(struct esl_client *c, struct client_filter *f)
{
    htab_remove(&c->filter_tab, &f->hash_link);
    link_remove(&f->link);
    free(f);
}

static enum va_err want(struct esl_client *c, const char *header, const char *value)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    (void)buf_addf(&text, "%s %s", header, value);
    struct client_filter *f = text.err ? NULL : need_filter(c, buf_str(&text));
    buf_free(&text);
    if (!f)
        return VA_ENOMEM;
    f->wanted = true;
    return VA_OK;
}

static bool is_negative(const struct client_filter *f)
{
    const char *value = strchr(f->text, ' ');
    return value && value[1] == '-';
}

static enum va_err want_uuids(struct esl_client *c)
{
    enum va_err err = VA_OK;
    list_each(&c->subs, it, next)
    {
        struct client_sub *s = container_of(it, struct client_sub, link);
        if (s->uuid && !err)
            err = want(c, "Unique-ID", s->uuid);
    }
    return err;
}

static enum va_err want_own_needs(struct esl_client *c)
{
    enum va_err err = c->need_jobs ? want(c, "Event-Name", "BACKGROUND_JOB") : VA_OK;
    for (size_t i = 0; !err && c->need_life && i < CLIENT_LIFE_EVENTS; i++)
        err = want(c, "Event-Name", client_life_events[i]);
    return err;
}

/* FreeSWITCH can sort by channel for us when nobody wants events of all. */
static bool all_by_uuid(const struct esl_client *c)
{
    list_each(&c->subs, it, next)
    {
        if (!container_of(it, struct client_sub, link)->uuid)
            return false;
    }
    return !list_empty(&c->subs);
}

/* Mark what is wanted now. */
static enum va_err plan_filters(struct esl_client *c)
{
    bool positive = false, any = !list_empty(&c->filters), by_uuid = all_by_uuid(c);
    size_t at = 0;
    struct hlink *next = NULL;
    for (struct hlink *h; (h = htab_walk(&c->filter_tab, &at, &next));) {
        struct client_filter *f = container_of(h, struct client_filter, hash_link);
        f->wanted = f->own;
        positive = positive || (f->own && !is_negative(f));
    }
    enum va_err err = VA_OK;
    if (any && !positive && !by_uuid) /* only negative ones would let nothing pass (esl.md §1.5) */
        err = want(c, "Event-Name", "/./");
    else if (by_uuid && !positive)
        err = want_uuids(c);
    return err || (!any && !by_uuid) ? err : want_own_needs(c);
}

/* Add before taking away, so that the set never gets narrower than both. */
static enum va_err send_filters(struct esl_client *c, bool wanted, const struct esl_then *then,
                                size_t *count)
{
    size_t at = 0;
    struct hlink *next = NULL;
    enum va_err err = VA_OK;
    for (struct hlink *h; !err && (h = htab_walk(&c->filter_tab, &at, &next));) {
        struct client_filter *f = container_of(h, struct client_filter, hash_link);
        if (f->wanted != wanted || f->sent == wanted)
            continue;
        err = client_send_line(c, wanted ? "filter" : "filter delete", str_of(f->text), then);
        f->sent = err ? f->sent : wanted;
        *count += !err;
    }
    return err;
}

static void sweep_filters(struct esl_client *c)
{
    size_t at = 0;
    struct hlink *next = NULL;
    for (struct hlink *h; (h = htab_walk(&c->filter_tab, &at, &next));) {
        struct client_filter *f = container_of(h, struct client_filter, hash_link);
        if (!f->wanted && !f->own && !f->sent)
            free_filter(c, f);
    }
}

enum va_err client_sync_filters(struct esl_client *c, const struct esl_then *then, size_t *count)
{
    size_t told = 0, taken = 0;
    enum va_err err = plan_filters(c);
    if (!err && client_online(c))
        err = send_filters(c, true, then, &told);
    if (!err && client_online(c))
        err = send_filters(c, false, NULL, &taken);
    if (err && told + taken)
        esl_conn_break(c->conn, ESL_WHY_MEMORY);
    *count += told;
    sweep_filters(c);
    return err;
}

void client_resync(struct esl_client *c)
{
    if (client_sync_filters(c, NULL, &(size_t){0}) && client_online(c))
        esl_conn_break(c->conn, ESL_WHY_MEMORY);
}

void client_forget_sent(struct esl_client *c)
{
    size_t at = 0;
    struct hlink *next = NULL;
    for (struct hlink *h; (h = htab_walk(&c->filter_tab, &at, &next));)
        container_of(h, struct client_filter, hash_link)->sent = false;
    sweep_filters(c);
}

/* One that is there already is said once more when somebody waits for the answer. */
static enum va_err say_filter(struct esl_client *c, struct client_filter *f,
                              const struct esl_then *then)
{
    if (!client_online(c) || (f->sent && !then))
        return VA_OK;
    enum va_err err = client_send_line(c, "filter", str_of(f->text), then);
    f->sent = f->sent || !err;
    return err;
}

enum va_err esl_client_filter(struct esl_client *c, const char *header, struct str value,
                              const struct esl_then *then)
{
    struct esl_then limited;
    struct buf text;
    if (!header || !esl_word_ok(str_of(header)) || !value.len || !esl_line_ok(value))
        return VA_EINVAL;
    if (client_full(c))
        return VA_ELIMIT;
    buf_init(&text, TEXT_MAX);
    (void)buf_addf(&text, "%s ", header);
    (void)buf_adds(&text, value);
    struct client_filter *f = text.err ? NULL : need_filter(c, buf_str(&text));
    enum va_err err = f ? VA_OK : text.err ? text.err : VA_ENOMEM;
    buf_free(&text);
    if (!err)
        err = say_filter(c, f, client_limit(c, then, &limited));
    if (err) {
        sweep_filters(c);
        return err;
    }
    if (!f->own)
        list_push(&c->filters, &f->link);
    f->own = true;
    client_resync(c);
    return VA_OK;
}

enum va_err esl_client_filter_clear(struct esl_client *c, const struct esl_then *then)
{
    struct esl_then limited;
    enum va_err err = client_full(c) ? VA_ELIMIT : VA_OK;
    if (!err && client_online(c))
        err = client_send_line(c, "filter", str_of("delete all"), client_limit(c, then, &limited));
    if (err)
        return err;
    list_each(&c->filters, it, next)
    {
        struct client_filter *f = container_of(it, struct client_filter, link);
        f->own = false;
        link_remove(&f->link);
    }
    client_forget_sent(c);
    client_resync(c);
    return VA_OK;
}

void client_free_filters(struct esl_client *c)
{
    struct hlink *h;
    while ((h = htab_any(&c->filter_tab)))
        free_filter(c, container_of(h, struct client_filter, hash_link));
}
