/*
 * The two ways between a worker and the SIP thread. Orders go into a mailbox of our own, with an
 * eventfd among the sockets the stack waits for; news go into the worker's mailbox.
 */
#include "leg/sip_int.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- orders ---------------------------------------------------------------------------------- */

static bool embedded(const struct sip_order *order)
{
    return order == &order->call->bye || order == &order->call->close;
}

void sip_order_free(struct sip_order *order)
{
    struct sip_call *call = order->call;
    free(order->text);
    free(order->to);
    free(order->from);
    if (!embedded(order))
        free(order);
    sip_call_unref(call);
}

static bool put(struct sip_ua *ua, struct mail *mail, bool bounded)
{
    mail->next = NULL;
    uv_mutex_lock(&ua->lock);
    bool room = !bounded || ua->box_count < SIP_MAILBOX_MAX;
    if (room) {
        if (ua->box_last)
            ua->box_last->next = mail;
        else
            ua->box_first = mail;
        ua->box_last = mail;
        ua->box_count++;
    }
    uv_mutex_unlock(&ua->lock);
    return room;
}

void sip_wake(struct sip_ua *ua)
{
    uint64_t one = 1;
    /* Full means that a wake-up is due anyway. */
    if (write(ua->wake_fd, &one, sizeof(one)) < 0)
        return;
}

void sip_order_send(struct sip_ua *ua, struct sip_order *order)
{
    (void)put(ua, &order->mail, false);
    sip_wake(ua);
}

enum va_err sip_order_post(struct sip_ua *ua, struct sip_order *order)
{
    if (!put(ua, &order->mail, true)) {
        atomic_fetch_add(&ua->mails_refused, 1);
        sip_order_free(order);
        return VA_ELIMIT;
    }
    sip_wake(ua);
    return VA_OK;
}

static void take_all(struct sip_ua *ua, void (*each)(struct sip_order *order))
{
    uv_mutex_lock(&ua->lock);
    struct mail *mail = ua->box_first;
    ua->box_first = ua->box_last = NULL;
    ua->box_count = 0;
    uv_mutex_unlock(&ua->lock);
    while (mail) {
        struct mail *next = mail->next;
        struct sip_order *order = container_of(mail, struct sip_order, mail);
        if (each)
            each(order);
        sip_order_free(order);
        mail = next;
    }
}

void sip_orders_run(struct sip_ua *ua)
{
    take_all(ua, sip_order_do);
}

void sip_orders_drop(struct sip_ua *ua)
{
    take_all(ua, NULL);
}

/* ---- news ------------------------------------------------------------------------------------ */

struct sip_news *sip_news_new(struct sip_call *call, enum sip_news_kind kind)
{
    struct sip_news *news = calloc(1, sizeof(*news));
    if (!news)
        return NULL;
    sip_call_ref(call);
    news->call = call;
    news->kind = kind;
    return news;
}

void sip_news_free(struct sip_news *news)
{
    if (!news)
        return;
    struct sip_call *call = news->call;
    free(news->sdp);
    free(news->text);
    if (news != &call->gone)
        free(news);
    sip_call_unref(call);
}

/* Under the lock, so that after sip_call_close() nothing is posted: the loop may be gone then. */
void sip_news_post(struct sip_call *call, struct sip_news *news)
{
    news->mail = (struct mail){NULL, sip_news_deliver};
    uv_mutex_lock(&call->lock);
    bool closed = call->closed;
    if (!closed && call->loop) {
        loop_reply(call->loop, &news->mail);
    } else if (!closed) {
        if (call->held_last)
            call->held_last->next = &news->mail;
        else
            call->held_first = &news->mail;
        call->held_last = &news->mail;
    }
    uv_mutex_unlock(&call->lock);
    if (closed)
        sip_news_free(news);
}
