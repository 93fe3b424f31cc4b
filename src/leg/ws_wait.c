#include "leg/ws_hub_int.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- tables, under the lock ------------------------------------------------------------------ */

static struct ws_wait *find_by_token(struct ws_hub *hub, const char *token)
{
    for (struct hlink *h = htab_first(&hub->by_token, htab_hash(str_of(token))); h;
         h = htab_next(h)) {
        struct ws_wait *w = container_of(h, struct ws_wait, by_token);
        if (strcmp(w->token, token) == 0)
            return w;
    }
    return NULL;
}

static struct ws_wait *find_by_call(struct ws_hub *hub, const char *call)
{
    for (struct hlink *h = htab_first(&hub->by_call, htab_hash(str_of(call))); h;
         h = htab_next(h)) {
        struct ws_wait *w = container_of(h, struct ws_wait, by_call);
        if (strcmp(w->call, call) == 0)
            return w;
    }
    return NULL;
}

static enum va_err table_add(struct ws_hub *hub, struct ws_wait *w)
{
    enum va_err err = htab_add(&hub->by_token, &w->by_token, htab_hash(str_of(w->token)));
    if (err)
        return err;
    err = htab_add(&hub->by_call, &w->by_call, htab_hash(str_of(w->call)));
    if (err) {
        htab_remove(&hub->by_token, &w->by_token);
        return err;
    }
    hub->stats.waiting++;
    return VA_OK;
}

static void table_remove(struct ws_hub *hub, struct ws_wait *w)
{
    htab_remove(&hub->by_token, &w->by_token);
    htab_remove(&hub->by_call, &w->by_call);
    hub->stats.waiting--;
}

static struct ws_stream *take_held(struct ws_hub *hub, const char *call)
{
    list_each(&hub->held, it, next)
    {
        struct ws_stream *s = container_of(it, struct ws_stream, link);
        if (strcmp(s->facts.call, call) != 0)
            continue;
        link_remove(&s->link);
        hub->stats.held--;
        return s;
    }
    return NULL;
}

/* ---- the stream's way to the leg's loop ------------------------------------------------------ */

static void on_delivered(struct mail *mail)
{
    struct ws_wait *w = container_of(mail, struct ws_wait, mail);
    uv_mutex_lock(&w->hub->lock);
    bool wanted = w->state == WS_WAIT_POSTED;
    w->state = WS_WAIT_DONE;
    uv_mutex_unlock(&w->hub->lock);
    struct ws_stream *stream = w->stream;
    w->stream = NULL;
    if (wanted) {
        w->on_stream(w->arg, stream);
        return;
    }
    ws_stream_refuse(&stream, 404, "the call is over");
    free(w);
}

static void post(struct ws_wait *w, struct ws_stream *stream)
{
    w->state = WS_WAIT_POSTED;
    w->stream = stream;
    w->mail = (struct mail){NULL, on_delivered};
    loop_reply(w->loop, &w->mail); /* one per wait, so bounded without the mailbox's limit */
}

bool ws_wait_match(struct ws_hub *hub, const char *token, struct ws_stream *stream)
{
    uv_mutex_lock(&hub->lock);
    struct ws_wait *w = token ? find_by_token(hub, token) : find_by_call(hub, stream->facts.call);
    if (w) {
        table_remove(hub, w);
        if (token) /* the path said no more than the token */
            (void)str_copy(stream->facts.call, sizeof(stream->facts.call), str_of(w->call));
        hub->stats.streams++;
        post(w, stream);
    }
    uv_mutex_unlock(&hub->lock);
    return w != NULL;
}

bool ws_wait_hold(struct ws_hub *hub, struct ws_stream *stream)
{
    uv_mutex_lock(&hub->lock);
    bool room = hub->stats.held < WS_HUB_HELD_MAX;
    if (room) {
        stream->until_us = loop_now_us(hub->control) + WS_HUB_HOLD_MS * 1000u;
        list_push(&hub->held, &stream->link);
        hub->stats.held++;
    }
    uv_mutex_unlock(&hub->lock);
    return room;
}

/* ---- legs ------------------------------------------------------------------------------------ */

enum va_err ws_hub_expect(struct ws_hub *hub, struct loop *loop, const char *call,
                          void (*on_stream)(void *arg, struct ws_stream *stream), void *arg,
                          struct ws_wait **ret_wait)
{
    struct ws_wait *w = calloc(1, sizeof(*w));
    if (!w)
        return VA_ENOMEM;
    if (!str_copy(w->call, sizeof(w->call), str_of(call))) {
        free(w);
        return VA_EINVAL;
    }
    w->hub = hub;
    w->loop = loop;
    w->on_stream = on_stream;
    w->arg = arg;
    rand_hex(w->token, sizeof(w->token));
    uv_mutex_lock(&hub->lock);
    struct ws_stream *held = take_held(hub, call);
    enum va_err err = VA_OK;
    if (held) {
        w->served = true;
        hub->stats.streams++;
        post(w, held);
    } else {
        err = table_add(hub, w);
    }
    uv_mutex_unlock(&hub->lock);
    if (err)
        free(w);
    else
        *ret_wait = w;
    return err;
}

bool ws_wait_served(const struct ws_wait *wait)
{
    return wait->served;
}

enum va_err ws_wait_url(const struct ws_wait *wait, const struct net_addr *local, char *out,
                        size_t cap)
{
    const struct settings *s = wait->hub->settings;
    char base[SETTING_TEXT_MAX];
    struct net_addr at;
    ws_hub_addr(wait->hub, &at);
    if (*s->ws_advertise_url) {
        (void)snprintf(base, sizeof(base), "%s", s->ws_advertise_url);
        size_t len = strlen(base);
        while (len && base[len - 1] == '/')
            base[--len] = 0;
    } else {
        char text[NET_ADDR_TEXT];
        uint16_t port = net_addr_port(&at);
        if (net_addr_is_any(&at))
            at = *local;
        net_addr_set_port(&at, port);
        net_addr_text(&at, text);
        if (text[0] == '[')
            return VA_ENOTSUP; /* mod_audio_stream refuses IPv6 literals */
        (void)snprintf(base, sizeof(base), "%s://%s", *s->ws_tls_cert ? "wss" : "ws", text);
    }
    int n = snprintf(out, cap, "%s/call/%s", base, wait->token);
    return n > 0 && (size_t)n < cap ? VA_OK : VA_ELIMIT;
}

void ws_wait_cancel(struct ws_wait **pwait)
{
    struct ws_wait *w = pwait ? *pwait : NULL;
    if (!w)
        return;
    *pwait = NULL;
    uv_mutex_lock(&w->hub->lock);
    bool under_way = w->state == WS_WAIT_POSTED;
    if (w->state == WS_WAIT_OPEN)
        table_remove(w->hub, w);
    if (under_way)
        w->state = WS_WAIT_CANCELED;
    uv_mutex_unlock(&w->hub->lock);
    if (!under_way)
        free(w);
}
