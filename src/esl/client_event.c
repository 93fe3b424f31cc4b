/*
 * Events to those who wait for them. On arrival: waiters and running applications, which must not
 * stand behind a slow handler. From the queue: the application's handlers, in order.
 */
#include "esl/client_int.h"
#include "esl/escape.h"

#include <stdlib.h>

/* One esl_client_wait_for_event(). */
struct wait {
    struct link link;
    struct esl_client *client;
    struct esl_then then;
    struct tmr tmr;
    bool past_hangup; /* an event it waits for comes after CHANNEL_HANGUP */
    char *uuid;       /* NULL: any channel */
    char names[];
};

/* ---- channels ------------------------------------------------------------------------------- */

struct client_channel *client_find_channel(const struct esl_client *c, struct str uuid)
{
    if (!c->channels.count)
        return NULL;
    for (struct hlink *h = htab_first(&c->channels, htab_hash(uuid)); h; h = htab_next(h)) {
        struct client_channel *ch = container_of(h, struct client_channel, hash_link);
        if (str_eqz(uuid, ch->uuid))
            return ch;
    }
    return NULL;
}

static void on_exec_idle(struct esl_exec *x)
{
    client_release_channel(container_of(x, struct client_channel, exec));
}

struct client_channel *client_channel(struct esl_client *c, struct str uuid)
{
    struct client_channel *ch = client_find_channel(c, uuid);
    if (ch)
        return ch;
    ch = calloc(1, sizeof(*ch) + uuid.len + 1);
    if (!ch || htab_add(&c->channels, &ch->hash_link, htab_hash(uuid))) {
        free(ch);
        return NULL;
    }
    ch->client = c;
    memcpy(ch->uuid, uuid.p, uuid.len);
    list_init(&ch->listeners);
    esl_exec_init(&ch->exec, NULL, c->cfg.exec_inflight_max, c->cfg.exec_queue_max, c->cfg.out_max);
    ch->exec.on_idle = on_exec_idle;
    return ch;
}

static bool runs_something(const struct client_channel *ch)
{
    return ch->exec.inflight.tab.count || ch->exec.queued;
}

void client_release_channel(struct client_channel *ch)
{
    struct esl_client *c = ch->client;
    if (!runs_something(ch))
        link_remove(&ch->running);
    if (runs_something(ch) || ch->exec.busy || !list_empty(&ch->listeners))
        return; /* the end of these comes here again */
    if (c->dispatching) {
        c->sweep = true;
        return;
    }
    htab_remove(&c->channels, &ch->hash_link);
    free(ch);
}

/* ---- waiters -------------------------------------------------------------------------------- */

static void free_wait(struct wait *w)
{
    link_remove(&w->link);
    tmr_stop(&w->tmr);
    free(w->uuid);
    free(w);
}

static void end_wait(struct wait *w, const struct esl_result *r)
{
    struct esl_then then = w->then;
    struct esl_client *c = w->client;
    link_remove(&w->link);
    /* When it cannot be sent, events come that nobody wants: no harm. */
    enum va_err ignored = client_unsubscribe(c, str_of(w->names), w->uuid, true, NULL);
    (void)ignored;
    free_wait(w);
    if (then.on_result)
        then.on_result(then.arg, r);
}

static void on_wait_late(void *arg)
{
    struct wait *w = arg;
    struct esl_client *c = w->client;
    struct esl_result r = {.err = VA_ETIMEOUT, .why = ESL_WHY_TIMEOUT, .done = true};
    client_enter(c);
    end_wait(w, &r);
    client_leave(c);
}

/* Is `name` (or the subclass of a CUSTOM event) among the words? */
static bool names_have(const char *names, struct str name, struct str subclass)
{
    struct str rest = str_of(names);
    while (rest.len) {
        struct str word = str_cut(&rest, ' ');
        if (str_ieqz(word, "CUSTOM") && str_trim(rest).len)
            continue; /* only those behind it */
        if (str_ieqz(word, "ALL") || str_ieq(word, name) ||
            (subclass.len && str_ieq(word, subclass)))
            return true;
    }
    return false;
}

/* Did this event end the wait? Fills the result. */
static bool wait_ends(const struct wait *w, const struct esl_event *ev, struct esl_result *r)
{
    struct str name = esl_event_name(ev), subclass = {0};
    if (w->uuid && !str_eqz(esl_event_uuid(ev), w->uuid))
        return false;
    if (str_eqz(name, "CUSTOM"))
        subclass = esl_event_get(ev, "Event-Subclass");
    *r = (struct esl_result){.done = true, .event = ev};
    if (names_have(w->names, name, subclass))
        return true;
    r->err = VA_ECANCELED;
    r->why = ESL_WHY_HANGUP;
    return w->uuid && str_eqz(name, w->past_hangup ? "CHANNEL_DESTROY" : "CHANNEL_HANGUP");
}

static void tell_waits(struct esl_client *c, const struct esl_event *ev)
{
    struct link *last = c->waits.head.prev; /* one that is added meanwhile waits for the next */
    struct link *it = c->waits.head.next;
    while (!c->closed && it != &c->waits.head) {
        struct wait *w = container_of(it, struct wait, link);
        bool was_last = it == last;
        struct esl_result r;
        it = it->next;
        if (wait_ends(w, ev, &r)) {
            end_wait(w, &r);
            it = c->closed ? NULL : c->waits.head.next; /* the list may be another one now */
        }
        if (was_last || c->closed)
            break;
    }
}

enum va_err esl_client_wait_for_event(struct esl_client *c, struct str names, const char *uuid,
                                      const struct esl_then *then)
{
    struct wait *w = calloc(1, sizeof(*w) + names.len + 1);
    if (!w || (uuid && !(w->uuid = str_dup(str_of(uuid))))) {
        free(w);
        return VA_ENOMEM;
    }
    if (names.len)
        memcpy(w->names, names.p, names.len);
    w->client = c;
    w->past_hangup = names_have(w->names, str_of("CHANNEL_HANGUP_COMPLETE"), (struct str){0}) ||
                     names_have(w->names, str_of("CHANNEL_DESTROY"), (struct str){0});
    if (then)
        w->then = *then;
    enum va_err err = esl_client_connected(c) ? VA_OK : VA_ECLOSED;
    if (!err && uuid)
        err = client_need_life(c);
    if (!err)
        err = client_subscribe(c, names, uuid, true, NULL);
    if (err) {
        free_wait(w);
        return err;
    }
    list_push(&c->waits, &w->link);
    if (w->then.timeout_ms)
        tmr_start(&w->tmr, c->loop, w->then.timeout_ms, on_wait_late, w);
    return VA_OK;
}

void client_end_waiters(struct esl_client *c, enum esl_why why)
{
    struct esl_result r = {.err = esl_why_err(why), .why = why, .done = true};
    while (!c->closed && !list_empty(&c->waits))
        end_wait(container_of(c->waits.head.next, struct wait, link), &r);
    while (!c->closed && !list_empty(&c->running)) {
        struct client_channel *ch =
            container_of(list_pop(&c->running), struct client_channel, running);
        esl_exec_end(&ch->exec, why, true); /* nothing new starts: we are not ready */
    }
}

/* ---- arrival -------------------------------------------------------------------------------- */

static void tell_channel(struct esl_client *c, const struct esl_event *ev)
{
    struct str name = esl_event_name(ev);
    if (!str_starts(name, "CHANNEL_"))
        return;
    struct client_channel *ch = client_find_channel(c, esl_event_uuid(ev));
    if (!ch || !runs_something(ch))
        return;
    if (str_eqz(name, "CHANNEL_EXECUTE_COMPLETE")) {
        esl_exec_on_complete(&ch->exec, ev);
    } else if (str_eqz(name, "CHANNEL_HANGUP")) {
        esl_exec_end(&ch->exec, ESL_WHY_HANGUP, false);
    } else if (str_eqz(name, "CHANNEL_HANGUP_COMPLETE") || str_eqz(name, "CHANNEL_DESTROY")) {
        esl_exec_end(&ch->exec, ESL_WHY_HANGUP, true);
    }
}

void client_on_arrival(struct esl_client *c, const struct esl_event *ev)
{
    if (!list_empty(&c->running))
        tell_channel(c, ev);
    if (!c->closed && !list_empty(&c->waits))
        tell_waits(c, ev);
}

/* ---- listeners ------------------------------------------------------------------------------ */

static void free_listener(struct esl_listener *l)
{
    link_remove(&l->link);
    free(l);
}

struct esl_listener *esl_client_on_event(struct esl_client *c, const char *name, const char *uuid,
                                         esl_event_h *fn, void *arg)
{
    size_t len = name ? strlen(name) : 0;
    struct esl_listener *l = fn ? calloc(1, sizeof(*l) + len + 1) : NULL;
    if (l && uuid && !(l->channel = client_channel(c, str_of(uuid)))) {
        free(l);
        l = NULL;
    }
    if (!l)
        return NULL;
    l->fn = fn;
    l->arg = arg;
    l->any_name = !name;
    memcpy(l->name, name ? name : "", len);
    list_push(l->channel ? &l->channel->listeners : &c->listeners, &l->link);
    return l;
}

static void drop_listener(struct esl_listener *l)
{
    struct client_channel *ch = l->channel;
    free_listener(l);
    if (ch)
        client_release_channel(ch);
}

void esl_client_off_event(struct esl_client *c, struct esl_listener **pl)
{
    struct esl_listener *l = pl ? *pl : NULL;
    if (!l)
        return;
    *pl = NULL;
    l->fn = NULL;
    if (c->dispatching)
        c->sweep = true;
    else
        drop_listener(l);
}

static void sweep_list(struct list *list)
{
    list_each(list, it, next)
    {
        struct esl_listener *l = container_of(it, struct esl_listener, link);
        if (!l->fn)
            free_listener(l);
    }
}

static void sweep(struct esl_client *c)
{
    size_t at = 0;
    struct hlink *next = NULL;
    c->sweep = false;
    sweep_list(&c->listeners);
    for (struct hlink *h; (h = htab_walk(&c->channels, &at, &next));) {
        struct client_channel *ch = container_of(h, struct client_channel, hash_link);
        sweep_list(&ch->listeners);
        client_release_channel(ch);
    }
    c->sweep = false;
}

static bool name_fits(const struct esl_listener *l, struct str name, struct str subclass)
{
    return l->any_name || str_ieqz(name, l->name) || (subclass.len && str_ieqz(subclass, l->name));
}

/* Listeners are only added and switched off meanwhile, never freed: c->dispatching is up. */
static void dispatch(struct esl_client *c, struct list *list, const struct esl_event *ev)
{
    struct link *end = list->head.prev; /* what is added meanwhile begins with the next event */
    if (list_empty(list))
        return;
    struct str name = esl_event_name(ev), subclass = {0};
    if (str_eqz(name, "CUSTOM"))
        subclass = esl_event_get(ev, "Event-Subclass");
    for (struct link *it = list->head.next;; it = it->next) {
        struct esl_listener *l = container_of(it, struct esl_listener, link);
        bool last = it == end;
        if (l->fn && name_fits(l, name, subclass))
            l->fn(l->arg, ev);
        if (last || c->closed) /* closed: they are gone, and so is this one */
            break;
    }
}

void client_on_event(struct esl_client *c, const struct esl_event *ev)
{
    if (!client_wants(c, ev))
        return;
    client_enter(c);
    c->dispatching++;
    if (c->h.on_event)
        c->h.on_event(c->arg, ev);
    if (!c->closed)
        dispatch(c, &c->listeners, ev);
    struct client_channel *ch =
        c->closed || !c->channels.count ? NULL : client_find_channel(c, esl_event_uuid(ev));
    if (ch)
        dispatch(c, &ch->listeners, ev);
    c->dispatching--;
    if (!c->closed && c->sweep && !c->dispatching)
        sweep(c);
    client_leave(c);
}

void client_free_listeners(struct esl_client *c)
{
    struct hlink *h;
    list_each(&c->waits, it, next) free_wait(container_of(it, struct wait, link));
    list_each(&c->listeners, it, next) free_listener(container_of(it, struct esl_listener, link));
    while ((h = htab_any(&c->channels))) {
        struct client_channel *ch = container_of(h, struct client_channel, hash_link);
        list_each(&ch->listeners, it, next)
            free_listener(container_of(it, struct esl_listener, link));
        esl_exec_clear(&ch->exec);
        htab_remove(&c->channels, &ch->hash_link);
        free(ch);
    }
}

void client_forget_waiters(struct esl_client *c, const void *arg)
{
    size_t at = 0;
    struct hlink *next = NULL;
    list_each(&c->waits, it, after)
    {
        struct wait *w = container_of(it, struct wait, link);
        if (w->then.arg == arg)
            w->then.on_result = NULL;
    }
    for (struct hlink *h; (h = htab_walk(&c->channels, &at, &next));)
        esl_exec_forget(&container_of(h, struct client_channel, hash_link)->exec, arg);
}
