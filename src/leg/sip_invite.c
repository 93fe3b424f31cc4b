/* INVITE, re-INVITE and UPDATE of theirs: who may, and what is offered. */
#include "leg/sip_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- what a message says --------------------------------------------------------------------- */

int sip_read_sdp(const sip_t *sip, struct sdp **ret_sdp)
{
    *ret_sdp = NULL;
    const sip_payload_t *body = sip->sip_payload;
    if (!body || !body->pl_len)
        return 0;
    const sip_content_type_t *type = sip->sip_content_type;
    if (!type || !type->c_type || !str_ieqz(str_of(type->c_type), "application/sdp"))
        return 415;
    struct sdp *sdp = malloc(sizeof(*sdp));
    if (!sdp)
        return 500;
    if (sdp_parse(str_make(body->pl_data, body->pl_len), sdp)) {
        free(sdp);
        return 400;
    }
    *ret_sdp = sdp;
    return 0;
}

/* Is there anything in it that we can speak? The worker is asked only then. */
static bool acceptable(const struct sip_ua *ua, const struct sdp *sdp)
{
    struct sdp_choice choice;
    return !sdp || sdp_negotiate(sdp, &ua->prefs, ua->srtp, &choice) == VA_OK;
}

static void read_user(const url_t *url, char *out, size_t cap)
{
    char user[SIP_NAME_MAX] = "";
    if (url->url_user && strlen(url->url_user) < sizeof(user))
        (void)url_unescape(user, url->url_user);
    (void)str_copy(out, cap, str_of(user));
}

static void read_display(const char *display, char *out, size_t cap)
{
    struct str s = str_trim(str_of(display));
    if (s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"')
        s = str_make(s.p + 1, s.len - 2);
    (void)str_copy(out, cap, s);
}

/* ---- addresses ------------------------------------------------------------------------------- */

static void source_of(const struct sip_ua *ua, struct net_addr *ret)
{
    *ret = (struct net_addr){0};
    msg_t *msg = nua_current_request(ua->nua);
    su_sockaddr_t *from = msg ? msg_addr(msg) : NULL;
    if (from && from->su_family == AF_INET)
        ret->u.v4 = from->su_sin;
    else if (from && from->su_family == AF_INET6)
        ret->u.v6 = from->su_sin6;
    else
        ret->u.sa.sa_family = AF_INET;
}

/* Our side towards it, as the routing table has it: the port is bound to all addresses. */
static void local_towards(const struct sip_ua *ua, const struct net_addr *peer,
                          struct net_addr *ret)
{
    const char *bound = ua->cfg.settings->sip_host;
    if (net_addr_parse(bound, ua->port, ret) == VA_OK && !net_addr_is_any(ret))
        return;
    int fd = socket(peer->u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(ret->u);
    bool known = fd >= 0 && connect(fd, &peer->u.sa, net_addr_len(peer)) == 0 &&
                 getsockname(fd, &ret->u.sa, &len) == 0;
    if (fd >= 0)
        (void)close(fd);
    if (!known && net_addr_parse("127.0.0.1", 0, ret))
        return;
    net_addr_set_port(ret, ua->port);
}

static void make_contact(struct sip_call *call, const struct net_addr *local, const sip_t *sip)
{
    const struct sip_ua *ua = call->ua;
    const char *proto = sip->sip_via ? sip->sip_via->v_protocol : NULL;
    bool tls = proto && str_ieqz(str_of(proto), "SIP/2.0/TLS");
    bool tcp = proto && str_ieqz(str_of(proto), "SIP/2.0/TCP");
    const char *set = ua->cfg.settings->sip_advertise_address;
    struct net_addr addr = *local;
    if (*set && net_addr_parse(set, 0, &addr))
        addr = *local;
    net_addr_set_port(&addr, tls ? ua->tls_port : ua->port);
    char text[NET_ADDR_TEXT];
    net_addr_text(&addr, text);
    (void)snprintf(call->contact, sizeof(call->contact), "<sip:voice-ai@%s%s>", text,
                   tls   ? ";transport=tls"
                   : tcp ? ";transport=tcp"
                         : "");
}

/* ---- refusing -------------------------------------------------------------------------------- */

static void refuse(nua_handle_t *nh, int status)
{
    const char *phrase = sip_status_phrase(status);
    nua_respond(
        nh, status, phrase ? phrase : "Refused",
        TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("10")),
        TAG_IF(status == 415, SIPTAG_ACCEPT_STR("application/sdp")),
        TAG_IF(status == 488, SIPTAG_WARNING_STR("305 voice-ai \"Incompatible media format\"")),
        TAG_END());
}

static void refuse_call(nua_handle_t *nh, int status)
{
    refuse(nh, status);
    nua_handle_destroy(nh);
}

/* ---- a call that begins ---------------------------------------------------------------------- */

static void offer(struct sip_call *call, enum sip_news_kind kind, struct sdp *sdp,
                  const struct net_addr *local, const struct net_addr *peer)
{
    struct sip_news *news = sip_news_new(call, kind);
    if (!news) {
        free(sdp);
        refuse(call->nh, 500);
        return;
    }
    news->sdp = sdp;
    if (local) {
        news->local = *local;
        news->peer = *peer;
    }
    call->open = SIP_OPEN_INVITE;
    call->offered = sdp == NULL;
    sip_news_post(call, news);
}

static void begin(struct sip_call *call, nua_handle_t *nh, const sip_t *sip, struct sdp *sdp,
                  const struct net_addr *source)
{
    struct net_addr local;
    local_towards(call->ua, source, &local);
    make_contact(call, &local, sip);
    call->nh = nh;
    nua_handle_bind(nh, call);
    sip_set_state(call, SIP_INVITED);
    offer(call, SIP_NEWS_OFFER, sdp, &local, source);
}

static struct sip_call *find_token(struct sip_ua *ua, const char *user)
{
    struct str key = str_of(user);
    for (struct hlink *h = htab_first(&ua->tokens, htab_hash(key)); h; h = htab_next(h)) {
        struct sip_call *call = container_of(h, struct sip_call, by_token);
        if (str_eqz(key, call->token))
            return call;
    }
    return NULL;
}

/* The status to refuse a direct call with, or 0. */
static int may_call(struct sip_ua *ua, const struct net_addr *source)
{
    if (!ua->cfg.on_incoming || !ua->cfg.settings->sip_allow_direct) {
        atomic_fetch_add(&ua->no_token, 1);
        return 403;
    }
    if (!sip_acl_allows(&ua->acl, source)) {
        atomic_fetch_add(&ua->not_allowed, 1);
        return 403;
    }
    if (atomic_load(&ua->draining)) {
        atomic_fetch_add(&ua->over_limit, 1);
        return 503;
    }
    return 0;
}

static void on_incoming_mail(struct mail *mail)
{
    struct sip_incoming *in = container_of(mail, struct sip_incoming, mail);
    struct sip_ua *ua = in->ua;
    if (!ua) {
        free(in);
        return;
    }
    uv_mutex_lock(&ua->lock);
    link_remove(&in->link);
    uv_mutex_unlock(&ua->lock);
    ua->cfg.on_incoming(ua->cfg.arg, in);
}

static uint16_t request_port(const sip_t *sip, const struct net_addr *source)
{
    enum { SIP_PORT = 5060, SIPS_PORT = 5061 };
    const char *proto = sip->sip_via ? sip->sip_via->v_protocol : NULL;
    if (!proto || str_ieqz(str_of(proto), "SIP/2.0/UDP") || !sip->sip_contact)
        return net_addr_port(source);
    const char *port = sip->sip_contact->m_url->url_port; /* checked: sip_target_ok() */
    uint64_t n = 0;
    if (!port || str_to_u64(str_of(port), &n))
        n = str_ieqz(str_of(proto), "SIP/2.0/TLS") ? SIPS_PORT : SIP_PORT;
    return (uint16_t)n;
}

static void fill_info(struct sip_incoming_info *info, const sip_t *sip)
{
    read_user(sip->sip_from->a_url, info->caller_number, sizeof(info->caller_number));
    read_display(sip->sip_from->a_display, info->caller_name, sizeof(info->caller_name));
    read_user(sip->sip_request->rq_url, info->called_number, sizeof(info->called_number));
    (void)str_copy(info->call_id, sizeof(info->call_id), str_of(sip->sip_call_id->i_id));
}

static void begin_direct(struct sip_ua *ua, nua_handle_t *nh, const sip_t *sip, struct sdp *sdp,
                         const struct net_addr *source)
{
    struct sip_call *call = NULL;
    struct sip_incoming *in = calloc(1, sizeof(*in));
    enum va_err err = in ? sip_call_new(ua, &call) : VA_ENOMEM;
    if (err) {
        if (err == VA_ELIMIT)
            atomic_fetch_add(&ua->over_limit, 1);
        free(in);
        free(sdp);
        refuse_call(nh, 503);
        return;
    }
    in->mail.deliver = on_incoming_mail;
    in->ua = ua;
    in->call = call;
    fill_info(&in->info, sip);
    in->info.source = *source;
    in->info.port = request_port(sip, source);
    local_towards(ua, source, &in->info.local);
    list_push(&ua->calls, &call->link);
    begin(call, nh, sip, sdp, source);
    uv_mutex_lock(&ua->lock);
    list_push(&ua->incoming, &in->link);
    bool full = loop_post(ua->cfg.control, &in->mail) != VA_OK;
    if (full)
        link_remove(&in->link);
    uv_mutex_unlock(&ua->lock);
    if (full) {
        atomic_fetch_add(&ua->over_limit, 1);
        sip_incoming_reject(in, 503);
    }
}

void sip_on_invite(struct sip_ua *ua, nua_handle_t *nh, const sip_t *sip)
{
    atomic_fetch_add(&ua->invites, 1);
    sip_orders_run(ua); /* the token may lie there still */
    char user[SIP_NAME_MAX];
    read_user(sip->sip_request->rq_url, user, sizeof(user));
    struct net_addr source;
    source_of(ua, &source);
    struct sip_call *call = find_token(ua, user);
    int status = call ? 0 : may_call(ua, &source);
    if (status) {
        refuse_call(nh, status);
        return;
    }
    struct sdp *sdp = NULL;
    status = sip_target_ok(ua, sip, false) ? sip_read_sdp(sip, &sdp) : 400;
    if (!status && !acceptable(ua, sdp))
        status = 488;
    if (status) {
        atomic_fetch_add(&ua->not_acceptable, 1);
        free(sdp);
        refuse_call(nh, status);
        if (call) { /* a token is good for one INVITE */
            sip_end_note(call, status, false, "FreeSWITCH offers no codec of RTP_CODECS");
            sip_dialog_gone(call);
        }
        return;
    }
    if (!call) {
        begin_direct(ua, nh, sip, sdp, &source);
        return;
    }
    htab_remove(&ua->tokens, &call->by_token);
    begin(call, nh, sip, sdp, &source);
}

/* ---- a call that is changed ------------------------------------------------------------------ */

void sip_on_reinvite(struct sip_call *call, const sip_t *sip)
{
    struct sdp *sdp = NULL;
    int status = sip_read_sdp(sip, &sdp);
    if (!status && !acceptable(call->ua, sdp))
        status = 488;
    if (!status && call->open != SIP_OPEN_NONE)
        status = 491;
    if (!status && call->state != SIP_UP)
        status = 500;
    if (status) {
        atomic_fetch_add(&call->ua->not_acceptable, 1);
        free(sdp);
        refuse(call->nh, status);
        return;
    }
    offer(call, SIP_NEWS_AGAIN, sdp, NULL, NULL);
}

/* The stack asks for our answer where there is an offer in it; without one it is a sign of life. */
void sip_on_update(struct sip_call *call, int status, const sip_t *sip)
{
    if (status >= 200)
        return;
    struct sdp *sdp = NULL;
    nua_saved_event_t saved[1];
    if (!nua_save_event(call->ua->nua, saved))
        return;
    int refusal = sip_read_sdp(sip, &sdp);
    if (!refusal && !acceptable(call->ua, sdp))
        refusal = 488;
    if (!refusal && sdp && (call->open != SIP_OPEN_NONE || call->state != SIP_UP))
        refusal = 491;
    struct sip_news *news = !refusal && sdp ? sip_news_new(call, SIP_NEWS_AGAIN) : NULL;
    if (!refusal && sdp && !news)
        refusal = 500;
    if (!news) {
        nua_respond(call->nh, refusal ? refusal : 200,
                    refusal ? sip_status_phrase(refusal) : sip_200_OK, NUTAG_WITH_SAVED(saved),
                    TAG_IF(*call->contact, SIPTAG_CONTACT_STR(call->contact)), TAG_END());
        nua_destroy_event(saved);
        free(sdp);
        return;
    }
    news->sdp = sdp;
    call->open = SIP_OPEN_UPDATE;
    call->update[0] = saved[0];
    sip_news_post(call, news);
}
