/* The worker's side of a call: its handlers, and what it asks of the SIP thread. */
#include "leg/sip_int.h"

#include <stdlib.h>

/* ---- birth and end --------------------------------------------------------------------------- */

void sip_call_ref(struct sip_call *call)
{
    atomic_fetch_add(&call->refs, 1);
}

void sip_call_unref(struct sip_call *call)
{
    if (atomic_fetch_sub(&call->refs, 1) != 1)
        return;
    uv_mutex_destroy(&call->lock);
    free(call);
}

/* One place of ESL_MAX_CONNECTIONS, until the worker lets go. */
enum va_err sip_call_new(struct sip_ua *ua, struct sip_call **ret_call)
{
    if (atomic_fetch_add(&ua->live, 1) >= (size_t)ua->cfg.settings->esl_max_connections) {
        atomic_fetch_sub(&ua->live, 1);
        return VA_ELIMIT;
    }
    struct sip_call *call = calloc(1, sizeof(*call));
    if (!call || thread_lock_init(&call->lock)) {
        atomic_fetch_sub(&ua->live, 1);
        free(call);
        return VA_ENOMEM;
    }
    call->ua = ua;
    atomic_store(&call->refs, 2); /* the worker's and the SIP thread's */
    *ret_call = call;
    return VA_OK;
}

void sip_call_take_over(struct sip_call *call, struct loop *loop, const struct sip_call_handlers *h,
                        void *arg)
{
    call->h = h;
    call->arg = arg;
    uv_mutex_lock(&call->lock);
    call->loop = loop;
    struct mail *held = call->held_first;
    call->held_first = call->held_last = NULL;
    while (held) { /* in order, before anything newer */
        struct mail *next = held->next;
        loop_reply(loop, held);
        held = next;
    }
    uv_mutex_unlock(&call->lock);
}

static void drop_waiting(struct sip_call *call)
{
    tmr_stop(&call->soon);
    sip_news_free(call->waiting);
    call->waiting = NULL;
}

static void post_embedded(struct sip_call *call, struct sip_order *order, enum sip_order_kind kind)
{
    sip_call_ref(call);
    order->call = call;
    order->kind = kind;
    sip_order_send(call->ua, order);
}

void sip_call_bye(struct sip_call *call)
{
    if (!atomic_exchange(&call->bye_sent, true))
        post_embedded(call, &call->bye, SIP_ORDER_BYE);
}

void sip_call_close(struct sip_call **pcall)
{
    struct sip_call *call = pcall ? *pcall : NULL;
    if (!call)
        return;
    *pcall = NULL;
    call->released = true;
    drop_waiting(call);
    uv_mutex_lock(&call->lock);
    call->closed = true;
    call->loop = NULL;
    struct mail *held = call->held_first;
    call->held_first = call->held_last = NULL;
    uv_mutex_unlock(&call->lock);
    while (held) {
        struct mail *next = held->next;
        sip_news_free(container_of(held, struct sip_news, mail));
        held = next;
    }
    atomic_fetch_sub(&call->ua->live, 1);
    post_embedded(call, &call->close, SIP_ORDER_CLOSE);
    sip_call_unref(call);
}

/* ---- orders ---------------------------------------------------------------------------------- */

struct sip_order *sip_order_new(struct sip_call *call, enum sip_order_kind kind)
{
    struct sip_order *order = calloc(1, sizeof(*order));
    if (!order)
        return NULL;
    sip_call_ref(call);
    order->call = call;
    order->kind = kind;
    return order;
}

static enum va_err order_text(struct sip_call *call, enum sip_order_kind kind, struct str text)
{
    if (call->ended)
        return VA_ECLOSED;
    struct sip_order *order = sip_order_new(call, kind);
    if (!order)
        return VA_ENOMEM;
    order->text = str_dup(text);
    if (!order->text) {
        sip_order_free(order);
        return VA_ENOMEM;
    }
    return sip_order_post(call->ua, order);
}

void sip_call_ring(struct sip_call *call)
{
    struct sip_order *order = call->ended ? NULL : sip_order_new(call, SIP_ORDER_RING);
    if (order && sip_order_post(call->ua, order))
        return; /* counted there; a 180 that is not sent harms nobody */
}

bool sip_sdp_ok(struct str sdp)
{
    return sdp.len && sdp.len <= SDP_TEXT_MAX && !memchr(sdp.p, 0, sdp.len);
}

enum va_err sip_call_answer(struct sip_call *call, struct str sdp)
{
    if (!call->ended && (call->turn != SIP_TURN_OURS || !sip_sdp_ok(sdp)))
        return VA_EINVAL;
    enum va_err err = order_text(call, SIP_ORDER_ANSWER, sdp);
    if (!err)
        call->turn = SIP_TURN_NONE;
    return err;
}

enum va_err sip_call_reject(struct sip_call *call, int status)
{
    if (call->ended)
        return VA_ECLOSED;
    if (call->turn != SIP_TURN_OURS || status < 400 || status > 699)
        return VA_EINVAL;
    struct sip_order *order = sip_order_new(call, SIP_ORDER_REJECT);
    if (!order)
        return VA_ENOMEM;
    order->status = status;
    enum va_err err = sip_order_post(call->ua, order);
    if (!err)
        call->turn = SIP_TURN_NONE;
    return err;
}

enum va_err sip_call_offer(struct sip_call *call, struct str sdp)
{
    if (!sip_sdp_ok(sdp))
        return VA_EINVAL;
    return order_text(call, SIP_ORDER_OFFER, sdp);
}

/* What may stand between < and > of a header: no blank, no control byte, nothing that ends it. */
bool sip_uri_ok(const char *uri)
{
    if (strncmp(uri, "sip:", 4) != 0 && strncmp(uri, "sips:", 5) != 0 &&
        strncmp(uri, "tel:", 4) != 0)
        return false;
    size_t len = strlen(uri);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)uri[i] <= ' ' || (unsigned char)uri[i] >= 127 ||
            strchr("<>\"\\^`{|}", uri[i]))
            return false;
    return len < 512;
}

enum va_err sip_call_refer(struct sip_call *call, const char *to_uri)
{
    return sip_uri_ok(to_uri) ? order_text(call, SIP_ORDER_REFER, str_of(to_uri)) : VA_EINVAL;
}

enum va_err sip_call_referred(struct sip_call *call, int status)
{
    if (call->ended)
        return VA_ECLOSED;
    if (status < 200 || status > 699)
        return VA_EINVAL;
    struct sip_order *order = sip_order_new(call, SIP_ORDER_REFERRED);
    if (!order)
        return VA_ENOMEM;
    order->status = status;
    return sip_order_post(call->ua, order);
}

/* ---- news ------------------------------------------------------------------------------------ */

static bool about_media(enum sip_news_kind kind)
{
    return kind == SIP_NEWS_OFFER || kind == SIP_NEWS_AGAIN || kind == SIP_NEWS_ANSWER ||
           kind == SIP_NEWS_REFUSED;
}

static void tell_media(struct sip_call *call, struct sip_news *news)
{
    switch (news->kind) {
    case SIP_NEWS_OFFER:
    case SIP_NEWS_AGAIN:
        call->media->on_offer(call->media_arg, news->sdp, news->kind == SIP_NEWS_AGAIN);
        break;
    case SIP_NEWS_ANSWER: call->media->on_answer(call->media_arg, news->sdp); break;
    case SIP_NEWS_REFUSED:
        if (call->media->on_refused)
            call->media->on_refused(call->media_arg, news->status);
        break;
    default: break;
    }
    sip_news_free(news);
}

static void on_soon(void *arg)
{
    struct sip_call *call = arg;
    struct sip_news *news = call->waiting;
    if (!news || !call->media)
        return;
    call->waiting = NULL;
    tell_media(call, news);
}

void sip_call_set_media(struct sip_call *call, const struct sip_media_handlers *h, void *arg)
{
    call->media = h;
    call->media_arg = arg;
    if (h && call->waiting)
        tmr_start(&call->soon, call->loop, 0, on_soon, call);
}

bool sip_call_addrs(const struct sip_call *call, struct net_addr *ret_local,
                    struct net_addr *ret_peer)
{
    if (!call->addressed)
        return false;
    *ret_local = call->local;
    *ret_peer = call->peer;
    return true;
}

static void take_media(struct sip_call *call, struct sip_news *news)
{
    if (news->kind == SIP_NEWS_OFFER || news->kind == SIP_NEWS_AGAIN)
        call->turn = SIP_TURN_OURS;
    if (news->local.u.sa.sa_family) {
        call->local = news->local;
        call->peer = news->peer;
        call->addressed = true;
    }
    if (call->media && !call->waiting) {
        tell_media(call, news);
        return;
    }
    sip_news_free(call->waiting); /* the newer one counts */
    call->waiting = news;
    if (call->media)
        tmr_start(&call->soon, call->loop, 0, on_soon, call);
}

static void tell_ended(struct sip_call *call)
{
    call->ended = true;
    call->turn = SIP_TURN_NONE;
    drop_waiting(call);
    if (call->h->on_ended)
        call->h->on_ended(call->arg, &call->end);
}

void sip_news_deliver(struct mail *mail)
{
    struct sip_news *news = container_of(mail, struct sip_news, mail);
    struct sip_call *call = news->call;
    if (call->released || call->ended) {
        sip_news_free(news);
        return;
    }
    if (about_media(news->kind)) {
        take_media(call, news);
        return;
    }
    const struct sip_call_handlers *h = call->h;
    switch (news->kind) {
    case SIP_NEWS_ESTABLISHED:
        if (h->on_established)
            h->on_established(call->arg);
        break;
    case SIP_NEWS_DIGIT:
        if (h->on_digit)
            h->on_digit(call->arg, news->digit);
        break;
    case SIP_NEWS_TRANSFER:
        if (h->on_transfer)
            h->on_transfer(call->arg, news->status);
        break;
    case SIP_NEWS_REFER:
        if (h->on_refer)
            h->on_refer(call->arg, news->text);
        break;
    case SIP_NEWS_ENDED: tell_ended(call); break;
    default: break;
    }
    sip_news_free(news);
}
