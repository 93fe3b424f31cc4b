/*
 * FreeSWITCH's part of it: a bridge of the caller to our SIP port. See rtp.h for what was measured.
 *
 * All that goes into the dial string is ours: settings, a token of hexadecimal digits, addresses.
 */
#include "esl/escape.h"
#include "leg/rtp_int.h"

#include <stdio.h>

enum { DIAL_MAX = 512, DIAL_TIMEOUT_S = 5 };

static const struct {
    const char *name, *value;
} wanted[RTP_VARS] = {
    {"hangup_after_bridge", "false"}, /* many dialplans set it; our BYE would end the call */
    {"park_after_bridge", "false"},   /* would take the channel out of `socket` */
    {"socket_resume", "true"},        /* should we die, the dialplan goes on, else the bridge */
    {"continue_on_fail", "true"},     /* else a bridge that fails hangs the caller up */
    {"hold_music",
     "silence_stream://-1"}, /* the caller's hold would be music, or no packets at all */
};

/* ---- variables ------------------------------------------------------------------------------- */

static void on_var(void *arg, const struct esl_result *r)
{
    struct rtp_var *var = arg;
    if (r->err == VA_OK)
        var->changed = str_copy(var->value, sizeof(var->value), r->text);
    else
        var->changed = r->err == VA_ENOTFOUND;
}

static enum va_err change_vars(struct leg *leg)
{
    enum va_err err = VA_OK;
    for (size_t i = 0; i < RTP_VARS && !err; i++) {
        leg->bridge.vars[i].leg = leg;
        err = esl_session_getvar(leg->control, wanted[i].name,
                                 &(struct esl_then){on_var, &leg->bridge.vars[i], 0});
        if (!err)
            err = esl_session_setvar(leg->control, wanted[i].name, str_of(wanted[i].value), NULL);
    }
    return err;
}

/* While a bridge runs, or waits to run, ours have to stay: hangup_after_bridge would end the call
 * with it, and so would a failure without continue_on_fail. */
void rtp_bridge_restore(struct leg *leg)
{
    if (!leg->control || leg->bridge.state == RTP_BRIDGE_ASKED)
        return;
    for (size_t i = 0; i < RTP_VARS; i++) {
        struct rtp_var *var = &leg->bridge.vars[i];
        if (!var->changed)
            continue;
        var->changed = false;
        if (esl_session_setvar(leg->control, wanted[i].name, str_of(var->value), NULL))
            return; /* the socket is gone, and with it the channel */
    }
}

/* ---- the bridge ------------------------------------------------------------------------------ */

static void on_bridge(void *arg, const struct esl_result *r)
{
    struct leg *leg = arg;
    if (!r->done)
        return;
    leg->bridge.state = RTP_BRIDGE_OVER;
    if (r->err == VA_ECANCELED || r->err == VA_ECLOSED)
        return; /* hang-up or end of the socket: their own events tell */
    rtp_bridge_restore(leg);
    if (leg->state == RTP_RELEASING) {
        rtp_released(leg);
        return;
    }
    struct str why = r->event ? esl_event_var(r->event, "originate_disposition") : r->text;
    char cause[800];
    if (leg->state == RTP_ASKING) {
        (void)snprintf(cause, sizeof(cause),
                       "FreeSWITCH could not call us at %s: %.*s; check SIP_PROFILE (%s), "
                       "SIP_ADVERTISE_ADDRESS, the firewall and RTP_CODECS",
                       leg->bridge.target, STR_ARG(why), leg->settings->sip_profile);
        rtp_fail(leg, VA_EREFUSED, cause);
        return;
    }
    rtp_left(leg, "FreeSWITCH ended the bridge");
}

/* What the setting says, else what the port is bound to, else our side of the control socket. */
static enum va_err choose_target(struct leg *leg)
{
    const struct settings *s = leg->settings;
    struct net_addr addr;
    bool tls = str_eqz(str_of(s->sip_transport), "tls");
    uint16_t port = tls ? (uint16_t)s->sip_tls_port : sip_ua_port(leg->ua);
    char ip[NET_ADDR_TEXT];
    net_addr_ip(&leg->control_local, ip);
    bool bound = net_addr_parse(s->sip_host, 0, &addr) == VA_OK && !net_addr_is_any(&addr);
    const char *host = *s->sip_advertise_address ? s->sip_advertise_address
                       : bound                   ? s->sip_host
                                                 : ip;
    enum va_err err = net_addr_parse(host, port, &addr);
    if (!err)
        net_addr_text(&addr, leg->bridge.target);
    return err;
}

/* FreeSWITCH's names; "^^:" makes the colon what separates them, a comma would end the value. */
static void print_codecs(const struct sdp_prefs *prefs, struct buf *out)
{
    buf_addz(out, "absolute_codec_string=^^");
    for (size_t i = 0; i < prefs->count; i++) {
        const struct codec_info *c = prefs->list[i];
        buf_addf(out, ":%s", c->name);
        if (c->id == CODEC_L16_8K || c->id == CODEC_L16_16K)
            buf_addf(out, "@%dh", c->clock_hz);
    }
}

static enum va_err print_dial(struct leg *leg, struct buf *out)
{
    const struct settings *s = leg->settings;
    if (!esl_word_ok(str_of(s->sip_profile)))
        return VA_ECONFIG;
    buf_addz(out, "{");
    print_codecs(sip_ua_prefs(leg->ua), out);
    buf_addf(out, ",originate_timeout=%d,ignore_early_media=true,rtp_timer_name=none",
             DIAL_TIMEOUT_S);
    if (sdp_srtp_policy(s->rtp_srtp) == SDP_SRTP_REQUIRED)
        buf_addz(out, ",rtp_secure_media=mandatory:AES_CM_128_HMAC_SHA1_80");
    buf_addf(out, "}sofia/%s/%s@%s", s->sip_profile, leg->bridge.token, leg->bridge.target);
    if (!str_eqz(str_of(s->sip_transport), "udp"))
        buf_addf(out, ";transport=%s", s->sip_transport);
    return out->err;
}

enum va_err rtp_bridge_ask(struct leg *leg)
{
    struct buf dial;
    buf_init(&dial, DIAL_MAX);
    enum va_err err = choose_target(leg);
    if (!err)
        err = print_dial(leg, &dial);
    if (!err)
        err = change_vars(leg);
    if (!err)
        err = esl_session_execute(leg->control,
                                  &(struct esl_execute){.app = "bridge", .arg = buf_str(&dial)},
                                  &(struct esl_then){on_bridge, leg, 0});
    buf_free(&dial);
    if (!err)
        leg->bridge.state = RTP_BRIDGE_ASKED;
    return err;
}

void rtp_bridge_forget(struct leg *leg)
{
    if (!leg->control)
        return;
    esl_session_forget(leg->control, leg);
    for (size_t i = 0; i < RTP_VARS; i++)
        esl_session_forget(leg->control, &leg->bridge.vars[i]);
}
