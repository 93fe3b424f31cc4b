#include "fakefs/line.h"
#include "base/rand.h"
#include "leg/sip_ua.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fakefs_sip {
    struct settings settings;
    struct loop *loop;
    struct sip_ua *ua; /* NULL until the first line */
    struct net_addr local;
};

struct fakefs_line {
    struct fakefs_sip *sip;
    const struct fakefs_line_handlers *h;
    void *arg;
    struct sip_call *call;
    struct fakefs_rtp *rtp;
    struct sdp_prefs prefs;
    struct sdp_local local;
    enum { LINE_CALLING, LINE_AGREED, LINE_UP, LINE_OVER } state;
    char what[NET_ADDR_TEXT + 32];
};

/* ---- the user agent -------------------------------------------------------------------------- */

enum va_err fakefs_sip_new(const struct settings *settings, struct loop *loop, unsigned lines_max,
                           struct fakefs_sip **ret)
{
    struct fakefs_sip *sip = calloc(1, sizeof(*sip));
    if (!sip)
        return VA_ENOMEM;
    struct settings *s = &sip->settings;
    *s = *settings;
    s->sip_port = 0;
    s->sip_tls_port = 0;
    s->sip_allow_direct = 0;
    s->esl_max_connections = lines_max;
    *s->sip_advertise_address = *s->sip_allow_acl = 0;
    (void)str_copy(s->rtp_codecs, sizeof(s->rtp_codecs),
                   str_of("PCMU,PCMA,G722,OPUS,L16,L16/8000"));
    (void)str_copy(s->rtp_srtp, sizeof(s->rtp_srtp), str_of("off"));
    sip->loop = loop;
    *ret = sip;
    return VA_OK;
}

void fakefs_sip_free(struct fakefs_sip **psip)
{
    struct fakefs_sip *sip = psip ? *psip : NULL;
    if (!sip)
        return;
    *psip = NULL;
    sip_ua_stop(&sip->ua);
    free(sip);
}

/* "sip:8000@127.0.0.1:5090;transport=udp" */
static enum va_err peer_of(const char *uri, struct net_addr *ret)
{
    const char *at = strrchr(uri, '@');
    struct str rest = str_of(at ? at + 1 : strchr(uri, ':') ? strchr(uri, ':') + 1 : uri);
    rest = str_cut(&rest, ';');
    char host[NET_ADDR_TEXT];
    uint64_t port = 5060;
    struct str name;
    if (str_starts(rest, "[")) {
        name = str_cut(&rest, ']');
        name = str_make(name.p + 1, name.len - 1);
        if (rest.len && *rest.p == ':')
            rest = str_make(rest.p + 1, rest.len - 1);
    } else {
        name = str_cut(&rest, ':');
    }
    if ((rest.len && (str_to_u64(rest, &port) || !port || port > 65535)) ||
        !str_copy(host, sizeof(host), name))
        return VA_EINVAL;
    return net_addr_parse(host, (uint16_t)port, ret);
}

/* Our side towards it, as the routing table has it. */
static enum va_err local_towards(const struct net_addr *peer, struct net_addr *ret)
{
    int fd = socket(peer->u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(ret->u);
    bool known = fd >= 0 && connect(fd, &peer->u.sa, net_addr_len(peer)) == 0 &&
                 getsockname(fd, &ret->u.sa, &len) == 0;
    if (fd >= 0)
        (void)close(fd);
    net_addr_set_port(ret, 0);
    return known ? VA_OK : VA_EIO;
}

static enum va_err start(struct fakefs_sip *sip, const char *to, struct va_fault *fault)
{
    struct net_addr peer;
    char ip[NET_ADDR_TEXT];
    if (peer_of(to, &peer))
        return va_fault_set(fault, VA_EINVAL,
                            "\"%s\" is no address; write sip:8000@127.0.0.1:5090 with a numeric IP",
                            to);
    if (sip->ua)
        return VA_OK;
    if (local_towards(&peer, &sip->local))
        return va_fault_set(fault, VA_EIO, "there is no way to %s from here", to);
    net_addr_ip(&sip->local, ip);
    (void)str_copy(sip->settings.sip_host, sizeof(sip->settings.sip_host), str_of(ip));
    const struct sip_ua_cfg cfg = {
        .settings = &sip->settings, .control = sip->loop, .take_refer = true};
    return sip_ua_start(&cfg, &sip->ua, fault);
}

/* ---- what the dialog tells ------------------------------------------------------------------- */

/* The answer came before it: news keep their order. */
static void on_established(void *arg)
{
    struct fakefs_line *l = arg;
    if (l->state != LINE_AGREED)
        return;
    l->state = LINE_UP;
    l->h->on_up(l->arg, l->what);
}

static void on_refer(void *arg, const char *to_uri)
{
    struct fakefs_line *l = arg;
    struct str user = str_of(to_uri);
    char number[SIP_NAME_MAX];
    (void)str_cut(&user, ':');
    user = str_cut(&user, '@');
    if (!user.len || !str_copy(number, sizeof(number), user))
        fakefs_line_referred(l, 400);
    else
        l->h->on_refer(l->arg, number);
}

static void on_ended(void *arg, const struct sip_end *end)
{
    struct fakefs_line *l = arg;
    struct fakefs_line_end e = {.status = end->status, .by_peer = end->by_peer};
    (void)str_copy(e.text, sizeof(e.text), str_of(end->text));
    l->state = LINE_OVER;
    l->h->on_ended(l->arg, &e);
}

static const struct sip_call_handlers call_handlers = {
    .on_established = on_established, .on_refer = on_refer, .on_ended = on_ended};

/* ---- descriptions ---------------------------------------------------------------------------- */

static enum va_err agree(struct fakefs_line *l, const struct sdp_choice *choice, bool our_numbers)
{
    struct fakefs_rtp_remote r = {.to = choice->rtp,
                                  .codec = choice->codec,
                                  .send_pt = choice->pt,
                                  .receive_pt =
                                      our_numbers ? sdp_offer_pt(choice->codec) : choice->pt,
                                  .event_pt = choice->event_pt,
                                  .event_hz = choice->event_hz};
    char at[NET_ADDR_TEXT];
    net_addr_text(&choice->rtp, at);
    (void)snprintf(l->what, sizeof(l->what), "%s with %s", choice->codec->name, at);
    return fakefs_rtp_set(l->rtp, &r);
}

static void on_answer(void *arg, const struct sdp *answer)
{
    struct fakefs_line *l = arg;
    struct sdp_choice choice;
    if (sdp_negotiate(answer, &l->prefs, SDP_SRTP_OFF, &choice) || agree(l, &choice, true))
        sip_call_bye(l->call);
    else if (l->state == LINE_CALLING)
        l->state = LINE_AGREED;
}

/* The program changes the call: its offer is answered as it is. */
static void on_offer(void *arg, const struct sdp *offer, bool again)
{
    struct fakefs_line *l = arg;
    struct sdp_choice choice;
    struct buf text;
    (void)again;
    buf_init(&text, SDP_TEXT_MAX);
    l->local.version++;
    l->local.direction = SDP_SENDRECV;
    enum va_err err = offer ? sdp_negotiate(offer, &l->prefs, SDP_SRTP_OFF, &choice)
                            : sdp_print_offer(&l->prefs, &l->local, &text);
    if (!err && offer) {
        l->local.direction = choice.direction;
        err = agree(l, &choice, false);
        if (!err)
            err = sdp_print_answer(offer, &choice, &l->local, &text);
    }
    if (!err)
        err = sip_call_answer(l->call, buf_str(&text));
    if (err && sip_call_reject(l->call, 488))
        sip_call_bye(l->call);
    buf_free(&text);
}

static const struct sip_media_handlers media_handlers = {.on_offer = on_offer,
                                                         .on_answer = on_answer};

/* ---- life ------------------------------------------------------------------------------------ */

static enum va_err place(struct fakefs_line *l, const struct fakefs_line_cfg *cfg)
{
    struct buf text;
    buf_init(&text, SDP_TEXT_MAX);
    uint32_t id = 0;
    rand_bytes(&id, sizeof(id));
    l->local = (struct sdp_local){.session_id = id,
                                  .version = 1,
                                  .rtp = l->sip->local,
                                  .direction = SDP_SENDRECV,
                                  .ptime_ms = cfg->ptime_ms};
    net_addr_set_port(&l->local.rtp, fakefs_rtp_port(l->rtp));
    enum va_err err = sdp_print_offer(&l->prefs, &l->local, &text);
    const struct sip_place p = {cfg->to, cfg->from, cfg->name, buf_str(&text)};
    if (!err)
        err = sip_call_place(l->sip->ua, l->sip->loop, &p, &call_handlers, l, &l->call);
    if (!err)
        sip_call_set_media(l->call, &media_handlers, l);
    buf_free(&text);
    return err;
}

enum va_err fakefs_line_open(struct fakefs_sip *sip, const struct fakefs_line_cfg *cfg,
                             const struct fakefs_line_handlers *h, void *arg,
                             struct fakefs_line **ret, struct va_fault *fault)
{
    enum va_err err = start(sip, cfg->to, fault);
    if (err)
        return err;
    struct fakefs_line *l = calloc(1, sizeof(*l));
    if (!l)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    l->sip = sip;
    l->h = h;
    l->arg = arg;
    err = sdp_prefs_parse(cfg->codecs, &l->prefs, fault);
    const struct fakefs_rtp_cfg rtp = {sip->loop, sip->local, cfg->rate_hz, cfg->ptime_ms};
    if (!err && (err = fakefs_rtp_open(&rtp, h->on_frame, arg, &l->rtp)))
        err = va_fault_set(fault, err, "no port for RTP: %s", va_err_text(err));
    if (!err && (err = place(l, cfg)))
        err = va_fault_set(fault, err, "cannot call %s: %s", cfg->to, va_err_text(err));
    if (err) {
        fakefs_line_close(&l);
        return err;
    }
    *ret = l;
    return VA_OK;
}

void fakefs_line_close(struct fakefs_line **pl)
{
    struct fakefs_line *l = pl ? *pl : NULL;
    if (!l)
        return;
    *pl = NULL;
    sip_call_close(&l->call);
    fakefs_rtp_close(&l->rtp);
    free(l);
}

bool fakefs_line_up(const struct fakefs_line *l)
{
    return l->state == LINE_UP;
}

struct fakefs_rtp *fakefs_line_rtp(struct fakefs_line *l)
{
    return l->rtp;
}

void fakefs_line_bye(struct fakefs_line *l)
{
    sip_call_bye(l->call);
}

void fakefs_line_referred(struct fakefs_line *l, int status)
{
    if (sip_call_referred(l->call, status))
        sip_call_bye(l->call); /* it would wait for ever */
}
