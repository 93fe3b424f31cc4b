/* What the stack tells, sorted. */
#include "leg/sip_int.h"
#include "leg/sip_body.h"

#include <stdio.h>
#include <stdlib.h>

static void post_simple(struct sip_call *call, enum sip_news_kind kind, int status, char digit)
{
    struct sip_news *news = sip_news_new(call, kind);
    if (!news)
        return;
    news->status = status;
    news->digit = digit;
    sip_news_post(call, news);
}

/* A Reason header says why better than a status does (RFC 3326). */
static void note_reason(struct sip_call *call, const sip_t *sip, int status, const char *text)
{
    if (call->end.status)
        return;
    const char *words = text;
    for (const sip_reason_t *r = sip ? sip->sip_reason : NULL; r; r = r->re_next) {
        uint64_t cause = 0;
        if (r->re_protocol && str_ieqz(str_of(r->re_protocol), "Q.850") && r->re_cause &&
            str_to_u64(str_of(r->re_cause), &cause) == VA_OK && cause < 128)
            call->end.q850 = (int)cause;
        if (r->re_text)
            words = r->re_text;
    }
    struct str s = str_of(words);
    char plain[96];
    if (s.len >= 2 && s.p[0] == '"')
        s = str_make(s.p + 1, s.len - 2);
    (void)str_copy(plain, sizeof(plain), s);
    sip_end_note(call, status, true, plain);
}

static void answered_to_us(struct sip_call *call, const sip_t *sip)
{
    struct sdp *sdp = NULL;
    struct sdp_choice choice;
    bool good = sip_read_sdp(sip, &sdp) == 0 && sdp &&
                sdp_negotiate(sdp, &call->ua->prefs, call->ua->srtp, &choice) == VA_OK;
    struct sip_news *news = good ? sip_news_new(call, SIP_NEWS_ANSWER) : NULL;
    call->offered = false;
    if (!news) {
        free(sdp);
        sip_end_note(call, 488, true, "no usable answer to our offer");
        sip_set_state(call, SIP_ENDING);
        nua_bye(call->nh, SIPTAG_REASON_STR("SIP;cause=488;text=\"No usable answer\""), TAG_END());
        return;
    }
    news->sdp = sdp;
    sip_news_post(call, news);
}

static void on_ack(struct sip_call *call, const sip_t *sip)
{
    if (call->state == SIP_LEAVING) {
        sip_end_note(call, 200, false, "ended by us");
        sip_set_state(call, SIP_ENDING);
        nua_bye(call->nh, TAG_END());
        return;
    }
    bool first = call->state == SIP_ANSWERED;
    if (first)
        sip_set_state(call, SIP_UP);
    if (call->offered)
        answered_to_us(call, sip);
    if (first && call->state == SIP_UP)
        post_simple(call, SIP_NEWS_ESTABLISHED, 0, 0);
}

static void on_invite_response(struct sip_call *call, int status, const char *phrase,
                               const sip_t *sip)
{
    if (status < 200 || call->state == SIP_GONE)
        return;
    bool begins = call->state == SIP_CALLING || call->state == SIP_ENDING;
    if (status < 300) {
        bool first = call->state == SIP_CALLING;
        if (first)
            sip_set_state(call, SIP_UP);
        if (call->state == SIP_ENDING) { /* answered while we gave up */
            nua_bye(call->nh, TAG_END());
            return;
        }
        if (sip && call->offered)
            answered_to_us(call, sip);
        if (first && call->state == SIP_UP)
            post_simple(call, SIP_NEWS_ESTABLISHED, 0, 0);
        return;
    }
    call->offered = false;
    if (!begins) {
        post_simple(call, SIP_NEWS_REFUSED, status, 0);
        return;
    }
    note_reason(call, sip, status, phrase);
    sip_dialog_gone(call);
}

static void on_info(struct sip_call *call, const sip_t *sip)
{
    const sip_payload_t *body = sip->sip_payload;
    const sip_content_type_t *type = sip->sip_content_type;
    if (!body || !type || !type->c_type)
        return;
    char digit = sip_dtmf_digit(str_of(type->c_type), str_make(body->pl_data, body->pl_len));
    if (digit)
        post_simple(call, SIP_NEWS_DIGIT, 0, digit);
}

static void on_notify(struct sip_call *call, const sip_t *sip)
{
    const sip_payload_t *body = sip->sip_payload;
    int status = body ? sip_frag_status(str_make(body->pl_data, body->pl_len)) : 0;
    const sip_subscription_state_t *ss = sip->sip_subscription_state;
    if (status < 200 && ss && ss->ss_substate && str_ieqz(str_of(ss->ss_substate), "terminated"))
        status = 408; /* nothing more will be told */
    if (status)
        post_simple(call, SIP_NEWS_TRANSFER, status, 0);
}

/* Accepted by the stack already. One at a time is reported on. */
static void on_refer(struct sip_call *call, const sip_t *sip, tagi_t tags[])
{
    const sip_event_t *event = NULL;
    const char *id = NULL;
    char uri[SIP_URI_MAX + 1] = "";
    (void)tl_gets(tags, NUTAG_REFER_EVENT_REF(event), TAG_END());
    if (!event || !sip->sip_refer_to)
        return;
    id = event->o_id;
    int n = snprintf(call->referral, sizeof(call->referral), id ? "refer;id=%s" : "refer", id);
    if (n < 0 || (size_t)n >= sizeof(call->referral))
        *call->referral = 0;
    if (url_e(uri, sizeof(uri), sip->sip_refer_to->r_url) >= (issize_t)sizeof(uri))
        *uri = 0;
    struct sip_news *news = sip_news_new(call, SIP_NEWS_REFER);
    if (!news)
        return;
    news->text = str_dup(str_of(uri));
    if (news->text)
        sip_news_post(call, news);
    else
        sip_news_free(news);
}

static void on_state(struct sip_call *call, int status, const char *phrase, tagi_t tags[])
{
    int state = nua_callstate_init;
    (void)tl_gets(tags, NUTAG_CALLSTATE_REF(state), TAG_END());
    if (state != nua_callstate_terminated)
        return;
    sip_end_note(call, status ? status : 408, true, phrase);
    sip_dialog_gone(call);
}

/* Of the first INVITE it is the end; of a later one it takes that back, which the stack answers,
 * and the call goes on as it was (RFC 3261 §14). */
static void on_cancel(struct sip_call *call, const sip_t *sip)
{
    if (call->state == SIP_UP) {
        if (call->open == SIP_OPEN_INVITE)
            call->open = SIP_OPEN_NONE;
        call->offered = false;
        return;
    }
    note_reason(call, sip, 487, "the caller gave up");
    sip_dialog_gone(call);
}

/* No ACK or no PRACK for 32 s. The stack says BYE; nobody has to wait for the answer to that. Other
 * errors are about requests that are gone. */
static void on_error(struct sip_call *call, int status, const char *phrase)
{
    if (status != 408 && status != 504)
        return;
    sip_end_note(call, status, true, phrase);
    if (call->state == SIP_ANSWERED || call->state == SIP_LEAVING)
        sip_dialog_gone(call);
}

static void on_call_event(nua_event_t event, int status, const char *phrase, struct sip_call *call,
                          const sip_t *sip, tagi_t tags[])
{
    bool moves = event == nua_i_invite || event == nua_i_update || event == nua_i_prack;
    if (moves && sip && !sip_target_ok(call->ua, sip, true)) {
        sip_dialog_poisoned(call, event == nua_i_invite);
        return;
    }
    switch (event) {
    case nua_i_invite: sip_on_reinvite(call, sip); break;
    case nua_i_update: sip_on_update(call, status, sip); break;
    case nua_i_ack:
        if (sip)
            on_ack(call, sip);
        break;
    case nua_i_cancel: on_cancel(call, sip); break;
    case nua_i_bye:
        note_reason(call, sip, 200, "ended by the other side");
        sip_dialog_gone(call);
        break;
    case nua_i_info:
        if (sip)
            on_info(call, sip);
        break;
    case nua_i_notify:
        if (sip)
            on_notify(call, sip);
        break;
    case nua_i_error: on_error(call, status, phrase); break;
    case nua_i_state: on_state(call, status, phrase, tags); break;
    case nua_i_refer:
        if (sip)
            on_refer(call, sip, tags);
        break;
    case nua_r_invite: on_invite_response(call, status, phrase, sip); break;
    case nua_r_refer:
        if (status >= 300)
            post_simple(call, SIP_NEWS_TRANSFER, status, 0);
        break;
    case nua_r_options:
        if (status >= 200)
            post_simple(call, SIP_NEWS_PROBED, status, 0);
        break;
    case nua_r_bye:
    case nua_r_cancel:
        if (status >= 200 && event == nua_r_bye)
            sip_dialog_gone(call);
        break;
    default: break;
    }
}

void sip_on_event(nua_event_t event, int status, char const *phrase, nua_t *nua, struct sip_ua *ua,
                  nua_handle_t *nh, struct sip_call *call, sip_t const *sip, tagi_t tags[])
{
    (void)nua;
    if (event == nua_r_shutdown) {
        if (status >= 200)
            su_root_break(ua->root);
        return;
    }
    if (event == nua_r_get_params) {
        sip_on_params(ua, tags);
        return;
    }
    if (call) {
        if (call->state != SIP_GONE)
            on_call_event(event, status, phrase, call, sip, tags);
        return;
    }
    if (event == nua_i_invite && sip)
        sip_on_invite(ua, nh, sip);
    else if (nh && nua_event_is_incoming_request(event))
        nua_handle_destroy(nh); /* answered by the stack, nothing of it is kept */
}
