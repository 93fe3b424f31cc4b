/* The SIP thread's side of a call: its state, and what workers order. */
#include "leg/sip_int.h"

#include <stdio.h>
#include <stdlib.h>

/* Ours towards them; a call of our own has what the stack chose. */
#define CONTACT(call) TAG_IF(*(call)->contact, SIPTAG_CONTACT_STR((call)->contact))

/* The one setter. */
void sip_set_state(struct sip_call *call, enum sip_state next)
{
    call->state = next;
}

/* What ended it; the first word counts. */
void sip_end_note(struct sip_call *call, int status, bool by_peer, const char *text)
{
    if (call->end.status)
        return;
    call->end.status = status;
    call->end.by_peer = by_peer;
    struct str s = str_of(text);
    for (size_t i = 0; i < s.len && i < sizeof(call->end.text) - 1; i++)
        call->end.text[i] = (unsigned char)s.p[i] < ' ' || s.p[i] == 127 ? '?' : s.p[i];
}

static void token_remove(struct sip_call *call)
{
    htab_remove(&call->ua->tokens, &call->by_token);
}

void sip_dialog_gone(struct sip_call *call)
{
    if (call->state == SIP_GONE)
        return;
    if (call->state == SIP_EXPECTED)
        token_remove(call);
    sip_set_state(call, SIP_GONE);
    link_remove(&call->link);
    if (call->open == SIP_OPEN_UPDATE)
        nua_destroy_event(call->update);
    call->open = SIP_OPEN_NONE;
    if (call->nh) {
        nua_handle_bind(call->nh, NULL);
        nua_handle_destroy(call->nh);
        call->nh = NULL;
    }
    sip_end_note(call, 500, false, "ended");
    sip_call_ref(call);
    call->gone.call = call;
    call->gone.kind = SIP_NEWS_ENDED;
    sip_news_post(call, &call->gone);
    sip_call_unref(call); /* the SIP thread's reference; orders hold their own */
}

/* The stack cannot send to its peer any more, nor forget it without trying: see sip_target.c. */
void sip_dialog_poisoned(struct sip_call *call, bool answer)
{
    if (answer)
        nua_respond(call->nh, SIP_400_BAD_REQUEST, TAG_END());
    nua_handle_bind(call->nh, NULL);
    call->nh = NULL;
    call->ua->poisoned = true;
    sip_end_note(call, 400, true, "moved to where nothing can be sent");
    sip_dialog_gone(call);
}

void sip_tokens_expire(struct sip_ua *ua, uint64_t now_us)
{
    list_each(&ua->calls, it, next)
    {
        struct sip_call *call = container_of(it, struct sip_call, link);
        if (call->state != SIP_EXPECTED || call->expires_us > now_us)
            continue;
        atomic_fetch_add(&ua->expired, 1);
        sip_end_note(call, 408, false, "no INVITE came");
        sip_dialog_gone(call);
    }
}

/* ---- orders ---------------------------------------------------------------------------------- */

static void do_expect(struct sip_call *call)
{
    struct sip_ua *ua = call->ua;
    list_push(&ua->calls, &call->link);
    if (htab_add(&ua->tokens, &call->by_token, htab_hash(str_of(call->token)))) {
        sip_set_state(call, SIP_CALLING); /* not in the table */
        sip_end_note(call, 500, false, "out of memory");
        sip_dialog_gone(call);
        return;
    }
    call->expires_us = clock_mono_us(&va_clock_system) + SIP_TOKEN_LIFE_MS * UINT64_C(1000);
    sip_set_state(call, SIP_EXPECTED);
}

static void do_place(struct sip_order *order)
{
    struct sip_call *call = order->call;
    struct sip_ua *ua = call->ua;
    list_push(&ua->calls, &call->link);
    sip_set_state(call, SIP_CALLING);
    call->offered = true;
    char to[600];
    (void)snprintf(to, sizeof(to), "<%s>", order->to);
    call->nh = nua_handle(ua->nua, call, NUTAG_URL(order->to), SIPTAG_TO_STR(to),
                          SIPTAG_FROM_STR(order->from), NUTAG_RETRY_COUNT(0), TAG_END());
    if (!call->nh) {
        sip_end_note(call, 500, false, "cannot call this address");
        sip_dialog_gone(call);
        return;
    }
    nua_invite(call->nh, SIPTAG_CONTENT_TYPE_STR("application/sdp"),
               SIPTAG_PAYLOAD_STR(order->text), TAG_END());
}

static void do_ring(struct sip_call *call)
{
    /* A late offer's first reliable answer would have to carry an offer (RFC 3262 §5). */
    if (call->state == SIP_INVITED && call->open == SIP_OPEN_INVITE && !call->offered)
        nua_respond(call->nh, SIP_180_RINGING, CONTACT(call), TAG_END());
}

static void do_answer(struct sip_order *order)
{
    struct sip_call *call = order->call;
    enum sip_open open = call->open;
    call->open = SIP_OPEN_NONE;
    if (open == SIP_OPEN_INVITE) {
        nua_respond(call->nh, SIP_200_OK, CONTACT(call), SIPTAG_CONTENT_TYPE_STR("application/sdp"),
                    SIPTAG_PAYLOAD_STR(order->text), TAG_END());
        if (call->state == SIP_INVITED)
            sip_set_state(call, SIP_ANSWERED);
    } else if (open == SIP_OPEN_UPDATE) {
        nua_respond(call->nh, SIP_200_OK, NUTAG_WITH_SAVED(call->update), CONTACT(call),
                    SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(order->text),
                    TAG_END());
        nua_destroy_event(call->update);
    }
}

static const char *phrase_of(int status)
{
    const char *phrase = sip_status_phrase(status);
    return phrase ? phrase : "Refused";
}

static void do_reject(struct sip_call *call, int status)
{
    enum sip_open open = call->open;
    call->open = SIP_OPEN_NONE;
    if (open == SIP_OPEN_INVITE) {
        nua_respond(call->nh, status, phrase_of(status),
                    TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("10")), TAG_END());
        call->offered = false; /* it asked for an offer and got none: no answer is due */
        if (call->state != SIP_INVITED)
            return;
        sip_end_note(call, status, false, phrase_of(status));
        sip_dialog_gone(call);
    } else if (open == SIP_OPEN_UPDATE) {
        nua_respond(call->nh, status, phrase_of(status), NUTAG_WITH_SAVED(call->update), TAG_END());
        nua_destroy_event(call->update);
    }
}

static void refuse_offer(struct sip_call *call, int status)
{
    struct sip_news *news = sip_news_new(call, SIP_NEWS_REFUSED);
    if (!news)
        return;
    news->status = status;
    sip_news_post(call, news);
}

static void do_offer(struct sip_order *order)
{
    struct sip_call *call = order->call;
    if (call->state != SIP_UP || call->offered || call->open != SIP_OPEN_NONE) {
        refuse_offer(call, 491);
        return;
    }
    call->offered = true;
    nua_invite(call->nh, CONTACT(call), SIPTAG_CONTENT_TYPE_STR("application/sdp"),
               SIPTAG_PAYLOAD_STR(order->text), TAG_END());
}

static void do_refer(struct sip_order *order)
{
    struct sip_call *call = order->call;
    if (call->state != SIP_UP) {
        struct sip_news *news = sip_news_new(call, SIP_NEWS_TRANSFER);
        if (!news)
            return;
        news->status = 481;
        sip_news_post(call, news);
        return;
    }
    char to[600];
    (void)snprintf(to, sizeof(to), "<%s>", order->text);
    nua_refer(call->nh, SIPTAG_REFER_TO_STR(to), CONTACT(call), TAG_END());
}

static void do_referred(struct sip_order *order)
{
    struct sip_call *call = order->call;
    char body[128];
    if (call->state != SIP_UP || !*call->referral)
        return;
    (void)snprintf(body, sizeof(body), "SIP/2.0 %d %s\r\n", order->status,
                   phrase_of(order->status));
    nua_notify(call->nh, SIPTAG_EVENT_STR(call->referral), NUTAG_SUBSTATE(nua_substate_terminated),
               SIPTAG_CONTENT_TYPE_STR("message/sipfrag"), SIPTAG_PAYLOAD_STR(body), CONTACT(call),
               TAG_END());
    *call->referral = 0;
}

static void do_probe(struct sip_call *call)
{
    if (call->state == SIP_UP) /* else something else tells */
        nua_options(call->nh, CONTACT(call), TAG_END());
}

static void do_bye(struct sip_call *call)
{
    switch (call->state) {
    case SIP_EXPECTED:
        sip_end_note(call, 487, false, "not waited for");
        sip_dialog_gone(call);
        break;
    case SIP_INVITED: do_reject(call, 480); break;
    case SIP_CALLING:
        sip_end_note(call, 487, false, "given up");
        sip_set_state(call, SIP_ENDING);
        nua_cancel(call->nh, TAG_END());
        break;
    case SIP_ANSWERED: sip_set_state(call, SIP_LEAVING); break;
    case SIP_UP:
        sip_end_note(call, 200, false, "ended by us");
        sip_set_state(call, SIP_ENDING);
        nua_bye(call->nh, TAG_END());
        break;
    case SIP_LEAVING:
    case SIP_ENDING:
    case SIP_GONE: break;
    }
}

void sip_order_do(struct sip_order *order)
{
    struct sip_call *call = order->call;
    if (call->state == SIP_GONE)
        return;
    switch (order->kind) {
    case SIP_ORDER_EXPECT: do_expect(call); break;
    case SIP_ORDER_PLACE: do_place(order); break;
    case SIP_ORDER_RING: do_ring(call); break;
    case SIP_ORDER_ANSWER: do_answer(order); break;
    case SIP_ORDER_REJECT: do_reject(call, order->status); break;
    case SIP_ORDER_OFFER: do_offer(order); break;
    case SIP_ORDER_REFER: do_refer(order); break;
    case SIP_ORDER_REFERRED: do_referred(order); break;
    case SIP_ORDER_PROBE: do_probe(call); break;
    case SIP_ORDER_BYE:
    case SIP_ORDER_CLOSE: do_bye(call); break;
    }
}
