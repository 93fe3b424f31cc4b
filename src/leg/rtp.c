/* The leg: offers answered, frames carried, silence noticed. */
#include "leg/rtp_int.h"
#include "base/rand.h"

#include <stdio.h>
#include <stdlib.h>

enum { PTIME_MS = 20, CN_PT = 13, CLOCK_8K = 8000, HEAD_MS = 10, HEAD_FRAMES = 2 };

/* The one setter. */
void rtp_set_state(struct leg *leg, enum rtp_state next)
{
    leg->state = next;
}

void rtp_fail(struct leg *leg, enum va_err why, const char *cause)
{
    if (leg->state == RTP_OVER || leg->state == RTP_RELEASING)
        return;
    rtp_set_state(leg, RTP_OVER);
    tmr_stop(&leg->watch);
    tmr_stop(&leg->head);
    tmr_stop(&leg->grace);
    leg->h->on_failed(leg->arg, why, cause);
}

static void on_grace(void *arg)
{
    rtp_fail(arg, VA_ECLOSED,
             "FreeSWITCH ended the bridge to us although the call goes on: somebody moved it, or "
             "its log says why");
}

void rtp_left(struct leg *leg, const char *cause)
{
    (void)cause;
    if (leg->state != RTP_AGREED && leg->state != RTP_FLOWING)
        return;
    rtp_set_state(leg, RTP_LEFT);
    tmr_stop(&leg->watch);
    tmr_stop(&leg->head);
    tmr_start(&leg->grace, leg->loop, RTP_BYE_GRACE_MS, on_grace, leg);
}

/* ---- silence --------------------------------------------------------------------------------- */

static void describe_silence(const struct leg *leg, const char *what, char *out, size_t cap)
{
    char local[NET_ADDR_TEXT];
    struct rtp_stream_stats st;
    rtp_stream_stats(leg->stream, &st);
    net_addr_text(&leg->local.rtp, local);
    (void)snprintf(out, cap, "%s at UDP %s: check the firewall and RTP_ADVERTISE_ADDRESS%s%s", what,
                   local,
                   st.foreign ? "; audio came from another address, which is what NAT does" : "",
                   st.forged ? "; packets came that are not encrypted with the key agreed on" : "");
}

void rtp_lost(struct leg *leg)
{
    char cause[800];
    describe_silence(leg, "audio stopped", cause, sizeof(cause));
    rtp_fail(leg, VA_ETIMEOUT, cause);
}

static void on_never_started(void *arg)
{
    struct leg *leg = arg;
    char cause[800];
    if (leg->control)
        sip_ua_tell_audio(leg->ua, false);
    if (leg->state == RTP_AGREED || leg->state == RTP_FLOWING)
        describe_silence(leg, "no audio came", cause, sizeof(cause));
    else if (leg->control)
        (void)snprintf(cause, sizeof(cause),
                       "FreeSWITCH did not call us at %s in time: check SIP_PROFILE (%s), "
                       "SIP_ADVERTISE_ADDRESS and the firewall",
                       leg->bridge.target, leg->settings->sip_profile);
    else
        (void)snprintf(cause, sizeof(cause), "no session description came");
    rtp_fail(leg, VA_ETIMEOUT, cause);
}

/* ---- descriptions ---------------------------------------------------------------------------- */

static enum rtp_direction rtp_direction_of(enum sdp_direction d)
{
    static const enum rtp_direction map[] = {RTP_INACTIVE, RTP_SENDONLY, RTP_RECVONLY,
                                             RTP_SENDRECV};
    return map[d & SDP_SENDRECV];
}

static void add_type(struct rtp_stream_remote *r, uint8_t pt, enum rtp_type_kind kind,
                     const struct codec_info *codec, int clock_hz)
{
    if (r->receive_count < RTP_STREAM_TYPES_MAX)
        r->receive[r->receive_count++] = (struct rtp_type){pt, kind, codec, clock_hz};
}

/* Of our answer: the numbers are theirs both ways. */
static void receive_by_answer(struct rtp_stream_remote *r, const struct sdp_choice *choice)
{
    add_type(r, choice->pt, RTP_TYPE_AUDIO, choice->codec, 0);
    if (choice->event_pt >= 0)
        add_type(r, (uint8_t)choice->event_pt, RTP_TYPE_EVENT, NULL, choice->event_hz);
}

/* Of our offer: they may send whatever we named. What they chose comes first. */
static void receive_by_offer(struct rtp_stream_remote *r, const struct sdp_choice *choice,
                             const struct sdp_prefs *prefs)
{
    add_type(r, sdp_offer_pt(choice->codec), RTP_TYPE_AUDIO, choice->codec, 0);
    for (size_t i = 0; i < prefs->count; i++)
        if (prefs->list[i] != choice->codec)
            add_type(r, sdp_offer_pt(prefs->list[i]), RTP_TYPE_AUDIO, prefs->list[i], 0);
    static const int clocks[] = {8000, 48000};
    for (size_t i = 0; i < 2; i++)
        add_type(r, (uint8_t)sdp_offer_event_pt(clocks[i]), RTP_TYPE_EVENT, NULL, clocks[i]);
}

static enum va_err set_remote(struct leg *leg, const struct sdp_choice *choice, bool we_offered)
{
    struct rtp_stream_remote r = {
        .rtp = choice->rtp,
        .rtcp = choice->rtcp,
        .mux = choice->rtcp_mux && !we_offered,
        .learn = true,
        .direction = rtp_direction_of(choice->direction),
        .ptime_ms = choice->ptime_ms,
        .send = {choice->pt, RTP_TYPE_AUDIO, choice->codec, 0},
        .send_key = leg->local.crypto,
        .receive_key = choice->remote,
    };
    if (choice->event_pt >= 0)
        r.send_event =
            (struct rtp_type){(uint8_t)choice->event_pt, RTP_TYPE_EVENT, NULL, choice->event_hz};
    if (we_offered)
        receive_by_offer(&r, choice, sip_ua_prefs(leg->ua));
    else
        receive_by_answer(&r, choice);
    if (choice->codec->clock_hz == CLOCK_8K) /* some send it without a word (RFC 3389) */
        add_type(&r, CN_PT, RTP_TYPE_NOISE, NULL, 0);
    enum va_err err = rtp_stream_set_remote(leg->stream, &r);
    if (!err)
        leg->direction = choice->direction;
    return err;
}

/* What the setting says, else the address audio is bound to, else our side towards the peer. */
static enum va_err choose_address(struct leg *leg)
{
    const struct settings *s = leg->settings;
    struct net_addr bound, ours = leg->control_local, peer;
    uint16_t port = rtp_stream_port(leg->stream);
    (void)sip_call_addrs(leg->call, &ours, &peer);
    if (*s->rtp_advertise_address)
        return net_addr_parse(s->rtp_advertise_address, port, &leg->local.rtp);
    if (net_addr_parse(s->rtp_bind_address, 0, &bound) == VA_OK && !net_addr_is_any(&bound))
        ours = bound;
    char ip[NET_ADDR_TEXT]; /* through its text: an IPv4-mapped one becomes plain */
    net_addr_ip(&ours, ip);
    return net_addr_parse(ip, port, &leg->local.rtp);
}

/* A key of ours as long as the suite stays; the answer carries their tag. */
static void choose_key(struct leg *leg, const struct sdes_crypto *theirs)
{
    if (leg->local.crypto.suite != theirs->suite)
        sdes_make(theirs->suite, theirs->tag, &leg->local.crypto);
    leg->local.crypto.tag = theirs->tag;
    if (theirs->suite == SDES_NONE)
        sdes_wipe(&leg->local.crypto);
}

static enum va_err answer(struct leg *leg, const struct sdp *offer, struct buf *text)
{
    struct sdp_choice choice;
    enum va_err err = sdp_negotiate(offer, sip_ua_prefs(leg->ua),
                                    sdp_srtp_policy(leg->settings->rtp_srtp), &choice);
    if (err)
        return err;
    choose_key(leg, &choice.remote);
    leg->local.direction = choice.direction;
    leg->local.ptime_ms = choice.ptime_ms;
    leg->local.rtcp_port = rtp_stream_rtcp_port(leg->stream);
    err = set_remote(leg, &choice, false);
    if (!err)
        err = sdp_print_answer(offer, &choice, &leg->local, text);
    sdes_wipe(&choice.remote);
    return err;
}

static enum va_err offer_ours(struct leg *leg, struct buf *text)
{
    leg->local.direction = SDP_SENDRECV;
    leg->local.ptime_ms = PTIME_MS;
    leg->local.rtcp_port = rtp_stream_rtcp_port(leg->stream);
    if (sdp_srtp_policy(leg->settings->rtp_srtp) == SDP_SRTP_REQUIRED &&
        leg->local.crypto.suite == SDES_NONE)
        sdes_make(SDES_AES_CM_128_SHA1_80, 1, &leg->local.crypto);
    return sdp_print_offer(sip_ua_prefs(leg->ua), &leg->local, text);
}

static void on_offer(void *arg, const struct sdp *offer, bool again)
{
    struct leg *leg = arg;
    struct buf text;
    buf_init(&text, SDP_TEXT_MAX);
    leg->local.version++;
    enum va_err err = choose_address(leg);
    if (!err)
        err = offer ? answer(leg, offer, &text) : offer_ours(leg, &text);
    if (!err)
        err = sip_call_answer(leg->call, buf_str(&text));
    buf_free(&text);
    if (!err) {
        if (leg->state == RTP_ASKING && offer)
            rtp_set_state(leg, RTP_AGREED);
        return;
    }
    if (sip_call_reject(leg->call, 488) || !again)
        rtp_fail(leg, err, "the other side's session description cannot be answered");
}

static void on_answer(void *arg, const struct sdp *their_answer)
{
    struct leg *leg = arg;
    struct sdp_choice choice;
    enum va_err err = sdp_negotiate(their_answer, sip_ua_prefs(leg->ua),
                                    sdp_srtp_policy(leg->settings->rtp_srtp), &choice);
    if (!err && choice.remote.suite != leg->local.crypto.suite)
        err = VA_ENOTSUP;
    if (!err)
        err = set_remote(leg, &choice, true);
    if (err)
        rtp_fail(leg, err, "the other side's answer to our offer cannot be used");
    else if (leg->state == RTP_ASKING)
        rtp_set_state(leg, RTP_AGREED);
}

static const struct sip_media_handlers media_handlers = {on_offer, on_answer, NULL,
                                                         rtp_quiet_probed};

static void on_ended(void *arg, const struct sip_end *end)
{
    struct leg *leg = arg;
    if (leg->state != RTP_ASKING) {
        rtp_left(leg, end->text);
        return;
    }
    if (end->status != 408) {
        char cause[800];
        (void)snprintf(cause, sizeof(cause), "FreeSWITCH's call to us failed: %d %s", end->status,
                       end->text);
        rtp_fail(leg, VA_EREFUSED, cause);
    } /* no INVITE: the start timeout or the bridge's own end say more */
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void begin(struct leg *leg)
{
    tmr_stop(&leg->head);
    if (leg->state != RTP_AGREED)
        return;
    rtp_set_state(leg, RTP_FLOWING);
    if (leg->head_frames) /* from here on by the call's clock */
        rtp_stream_new_step(leg->stream);
    leg->h->on_started(leg->arg, &leg->format);
}

/* FreeSWITCH 1.10.12 plays what comes from about 40 ms behind its ACK, having dropped a frame or
 * two, and sends its first packet 75 ms behind it. So a greeting need not wait for that: silence
 * takes what is dropped. It does wait where audio is not known to get through, or its beginning
 * would be lost to the mode that comes next. */
static void on_head_start(void *arg)
{
    static const int16_t silence[MEDIA_FRAME_MAX];
    struct leg *leg = arg;
    if (leg->head_frames++ == HEAD_FRAMES) {
        begin(leg);
        return;
    }
    rtp_stream_send(leg->stream, silence, (size_t)(leg->format.rate_hz / 1000 * PTIME_MS));
    tmr_start(&leg->head, leg->loop, PTIME_MS, on_head_start, leg);
}

static void on_established(void *arg)
{
    struct leg *leg = arg;
    if (leg->state == RTP_AGREED && sip_ua_brings_audio(leg->ua))
        tmr_start(&leg->head, leg->loop, HEAD_MS, on_head_start, leg);
}

static const struct sip_call_handlers call_handlers = {.on_established = on_established,
                                                       .on_ended = on_ended};

/* ---- audio ----------------------------------------------------------------------------------- */

static void on_first(void *arg)
{
    struct leg *leg = arg;
    if (leg->state != RTP_AGREED && leg->state != RTP_FLOWING)
        return;
    if (leg->control)
        sip_ua_tell_audio(leg->ua, true);
    rtp_stream_read_by_clock(leg->stream);
    rtp_quiet_watch(leg);
    begin(leg);
}

static void on_digit(void *arg, char digit)
{
    struct leg *leg = arg;
    if (leg->state == RTP_FLOWING)
        leg->h->on_digit(leg->arg, digit);
}

static const struct rtp_stream_handlers stream_handlers = {on_first, on_digit};

/* A digit, or its answer, may end all this. @return it goes on as before */
static bool read_packets(struct leg *leg)
{
    enum rtp_state before = leg->state;
    bool gone = false;
    leg->gone = &gone;
    rtp_stream_read(leg->stream);
    if (gone)
        return false;
    leg->gone = NULL;
    return leg->state == before;
}

/* Once per tick, so both ways go by it: one frame out, one frame in. */
static void rtp_send(struct leg *leg, const int16_t *samples, size_t count)
{
    if ((leg->state != RTP_FLOWING && leg->state != RTP_LEFT) ||
        count != (size_t)(leg->format.rate_hz / 1000 * leg->format.ptime_ms))
        return;
    int16_t in[MEDIA_FRAME_MAX];
    rtp_stream_send(leg->stream, samples, count);
    if (!read_packets(leg))
        return;
    enum jitter_frame kind = rtp_stream_receive(leg->stream, loop_now_us(leg->loop), in);
    leg->h->on_frame(leg->arg, in, count, kind == JITTER_FRAME_SILENCE);
}

static void rtp_stats(const struct leg *leg, struct leg_stats *ret_stats)
{
    rtp_stream_leg_stats(leg->stream, ret_stats);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void rtp_close(struct leg **pleg)
{
    struct leg *leg = pleg ? *pleg : NULL;
    if (!leg)
        return;
    *pleg = NULL;
    if (leg->gone)
        *leg->gone = true;
    tmr_stop(&leg->watch);
    tmr_stop(&leg->head);
    tmr_stop(&leg->grace);
    if (leg->control) {
        rtp_bridge_forget(leg);
        rtp_bridge_restore(leg);
        sip_call_close(&leg->call);
    } else if (leg->call) {
        sip_call_set_media(leg->call, NULL, NULL);
    }
    rtp_stream_close(&leg->stream);
    sdes_wipe(&leg->local.crypto);
    free(leg);
}

void rtp_released(struct leg *leg)
{
    if (leg->state != RTP_RELEASING)
        return;
    rtp_set_state(leg, RTP_OVER);
    tmr_stop(&leg->grace);
    leg->h->on_released(leg->arg);
}

static void on_release_over(void *arg)
{
    struct leg *leg = arg;
    rtp_released(leg);
}

static void rtp_release(struct leg *leg)
{
    tmr_stop(&leg->watch);
    tmr_stop(&leg->head);
    rtp_set_state(leg, RTP_RELEASING);
    bool waits = leg->control && leg->bridge.state == RTP_BRIDGE_ASKED;
    tmr_start(&leg->grace, leg->loop, waits ? LEG_RELEASE_MS : 0, on_release_over, leg);
    if (leg->control)
        sip_call_bye(leg->call);
}

static enum va_err ask(struct leg *leg, const struct leg_cfg *cfg)
{
    if (!leg->control) {
        leg->call = cfg->sip_call;
        sip_call_set_media(leg->call, &media_handlers, leg);
        return VA_OK;
    }
    enum va_err err =
        sip_ua_expect(leg->ua, leg->loop, &call_handlers, leg, leg->bridge.token, &leg->call);
    if (err)
        return err;
    sip_call_set_media(leg->call, &media_handlers, leg);
    return rtp_bridge_ask(leg);
}

static bool can_use(const struct leg_cfg *cfg)
{
    if (!cfg->env->sip || !media_rate_valid(cfg->rate_hz))
        return false;
    if (!cfg->control)
        return cfg->sip_call != NULL;
    return !cfg->busy && esl_session_full(cfg->control);
}

static enum va_err rtp_open(const struct leg_cfg *cfg, const struct leg_handlers *handlers,
                            void *arg, struct leg **ret_leg)
{
    if (!can_use(cfg))
        return VA_ENOTSUP;
    struct leg *leg = calloc(1, sizeof(*leg));
    if (!leg)
        return VA_ENOMEM;
    leg->loop = cfg->loop;
    leg->ua = cfg->env->sip;
    leg->control = cfg->control;
    leg->settings = cfg->settings;
    leg->control_local = cfg->control_local;
    leg->log = cfg->log;
    leg->h = handlers;
    leg->arg = arg;
    leg->format = (struct leg_format){cfg->rate_hz, PTIME_MS};
    leg->direction = SDP_SENDRECV;
    uint32_t id = 0;
    rand_bytes(&id, sizeof(id));
    leg->local.session_id = id;
    const struct rtp_stream_cfg stream = {
        .loop = cfg->loop, .format = {cfg->rate_hz, PTIME_MS}, .settings = cfg->settings};
    enum va_err err = rtp_stream_open(&stream, &stream_handlers, leg, &leg->stream);
    if (!err)
        err = ask(leg, cfg);
    if (err) {
        rtp_close(&leg);
        return err;
    }
    tmr_start(&leg->watch, leg->loop, (uint64_t)cfg->settings->media_start_timeout_ms,
              on_never_started, leg);
    *ret_leg = leg;
    return VA_OK;
}

const struct leg_ops leg_rtp = {
    .name = "rtp",
    .open = rtp_open,
    .send = rtp_send,
    .stats = rtp_stats,
    .release = rtp_release,
    .close = rtp_close,
};
