/*
 * One UDP socket per call. FreeSWITCH is told where to bind and where to send:
 *
 *     FreeSWITCH  local-ip:local-port  ◄──── L16 frames ────►  our RTP port
 *
 * Facts that shape this file (FreeSWITCH 1.10.12, tried on it):
 * - FreeSWITCH answers +OK also when its port is taken or unreachable; only missing frames tell.
 * - A second `unicast` while one is active kills the audio of the first and leaks a thread that
 *   outlives the call (it can crash the switch). So there is one attempt per call, never a retry.
 * - A datagram is one frame. A short one is played with stale bytes, an empty one ends playback for
 *   good. So only whole frames are sent.
 * - Nothing checks the source address over there; here it is checked.
 */
#include "leg/unicast.h"
#include "media/format.h"
#include "base/rand.h"
#include "net/udp.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILL = -1 /* 0xFFFF: FreeSWITCH's mark for "no packet from the caller" */ };

struct leg {
    struct loop *loop;
    struct esl_session *control;
    const struct settings *settings;
    struct log_ctx log;
    const struct leg_handlers *h;
    void *arg;
    struct udp_sock *sock;
    struct net_addr remote; /* FreeSWITCH's side */
    uint16_t remote_port;   /* of it, while it is marked as ours; else 0 */
    struct net_addr local;  /* ours, as FreeSWITCH was told */
    int rate_hz;
    size_t frame_samples; /* 0 until the first frame */
    bool failed;
    bool *gone; /* set by close() inside on_started */
    struct tmr watch;
    uint64_t seen_at_watch;
    struct leg_stats stats;
};

static void fail(struct leg *leg, enum va_err why, const char *cause)
{
    if (leg->failed)
        return;
    leg->failed = true;
    tmr_stop(&leg->watch);
    leg->h->on_failed(leg->arg, why, cause);
}

static void describe_silence(const struct leg *leg, const char *what, char *out, size_t cap)
{
    char from[NET_ADDR_TEXT], to[NET_ADDR_TEXT];
    net_addr_text(&leg->remote, from);
    net_addr_text(&leg->local, to);
    (void)snprintf(out, cap,
                   "%s from FreeSWITCH (%s) at UDP %s: check the firewall, RTP_ADVERTISE_ADDRESS, "
                   "FREESWITCH_RTP_IP and that its port is free (FreeSWITCH logs a CRIT line if "
                   "not)%s",
                   what, from, to,
                   leg->stats.foreign ? "; audio came from another address, which is what NAT does"
                                      : "");
}

static void on_lost_check(void *arg)
{
    struct leg *leg = arg;
    if (leg->stats.frames_in == leg->seen_at_watch) {
        char cause[400];
        describe_silence(leg, "audio stopped", cause, sizeof(cause));
        fail(leg, VA_ETIMEOUT, cause);
        return;
    }
    leg->seen_at_watch = leg->stats.frames_in;
    tmr_start(&leg->watch, leg->loop, (uint64_t)leg->settings->media_lost_timeout_ms, on_lost_check,
              leg);
}

static void on_never_started(void *arg)
{
    struct leg *leg = arg;
    char cause[400];
    describe_silence(leg, "no audio came", cause, sizeof(cause));
    fail(leg, VA_ETIMEOUT, cause);
}

static bool whole_frame(const struct leg *leg, size_t samples)
{
    int ptime = (int)(samples * 1000u / (size_t)leg->rate_hz);
    struct media_format f = {leg->rate_hz, ptime};
    return media_format_valid(f) && media_format_samples(f) == samples;
}

/* @return false when the handler closed the leg */
static bool start(struct leg *leg, size_t samples)
{
    leg->frame_samples = samples;
    leg->seen_at_watch = leg->stats.frames_in;
    tmr_start(&leg->watch, leg->loop, (uint64_t)leg->settings->media_lost_timeout_ms, on_lost_check,
              leg);
    struct leg_format format = {leg->rate_hz, (int)(samples * 1000u / (size_t)leg->rate_hz)};
    bool gone = false;
    leg->gone = &gone;
    leg->h->on_started(leg->arg, &format);
    if (!gone)
        leg->gone = NULL;
    return !gone;
}

static bool is_fill(const int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (samples[i] != FILL)
            return false;
    return true;
}

static void on_datagram(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    struct leg *leg = arg;
    if (!net_addr_eq(from, &leg->remote)) {
        leg->stats.foreign++;
        return;
    }
    size_t samples = len / 2;
    bool good = len % 2 == 0 && samples > 0 && samples <= MEDIA_FRAME_MAX && !leg->failed;
    if (good)
        good = leg->frame_samples ? samples == leg->frame_samples : whole_frame(leg, samples);
    if (!good) {
        leg->stats.bad_size++;
        return;
    }
    if (!leg->frame_samples && !start(leg, samples))
        return;
    leg->stats.frames_in++;
    /* The scratch buffer is aligned; L16 here is little-endian as the hosts FreeSWITCH runs on. */
    const int16_t *pcm = p;
    leg->h->on_frame(leg->arg, pcm, samples, pcm[0] == FILL && is_fill(pcm, samples));
}

static void on_unicast_reply(void *arg, const struct esl_result *r)
{
    struct leg *leg = arg;
    if (r->err && r->err != VA_ECLOSED) { /* the session itself tells of its end */
        char cause[200];
        (void)snprintf(cause, sizeof(cause), "FreeSWITCH refused unicast: %.*s", STR_ARG(r->text));
        fail(leg, r->err, cause);
    }
}

/* Ports on FreeSWITCH's side are ours to choose. One that another call still has would bring no
 * audio, and FreeSWITCH would not say so: each is marked. A random start keeps two daemons apart.
 */
static atomic_bool port_taken[UINT16_MAX + 1];

/* @return 0: all are taken */
static uint16_t take_remote_port(const struct settings *s)
{
    static atomic_uint next;
    static atomic_bool seeded;
    if (!atomic_exchange(&seeded, true))
        atomic_store(&next, rand_below(1u << 16));
    unsigned count = (unsigned)(s->unicast_port_max - s->unicast_port_min) + 1u;
    for (unsigned i = 0; i < count; i++) {
        unsigned port = (unsigned)s->unicast_port_min + atomic_fetch_add(&next, 1) % count;
        if (!atomic_exchange(&port_taken[port], true))
            return (uint16_t)port;
    }
    return 0;
}

static void give_remote_port(struct leg *leg)
{
    if (leg->remote_port)
        atomic_store(&port_taken[leg->remote_port], false);
    leg->remote_port = 0;
}

/* What the setting says, else one side of the control socket. Through its text, because that of a
 * listener on :: is IPv4-mapped, and an IPv4 socket can send to the plain form only. */
static enum va_err choose_address(const char *setting, const struct net_addr *control,
                                  uint16_t port, struct net_addr *ret)
{
    char ip[NET_ADDR_TEXT];
    net_addr_ip(control, ip);
    return net_addr_parse(*setting ? setting : ip, port, ret);
}

static enum va_err pick_addresses(struct leg *leg, const struct leg_cfg *cfg)
{
    const struct settings *s = cfg->settings;
    leg->remote_port = take_remote_port(s);
    if (!leg->remote_port)
        return VA_ELIMIT;
    enum va_err err =
        choose_address(s->freeswitch_rtp_ip, &cfg->control_peer, leg->remote_port, &leg->remote);
    /* Bound to one address, that is where audio can come, whatever the control socket came by. */
    struct net_addr bound;
    bool one = net_addr_parse(s->rtp_bind_address, 0, &bound) == VA_OK && !net_addr_is_any(&bound);
    const struct net_addr *ours = one ? &bound : &cfg->control_local;
    return err ? err : choose_address(s->rtp_advertise_address, ours, 0, &leg->local);
}

static enum va_err open_socket(struct leg *leg)
{
    struct net_addr bind_to;
    const struct settings *s = leg->settings;
    if (net_addr_parse(s->rtp_bind_address, 0, &bind_to))
        return VA_EINVAL;
    enum va_err err = udp_open_range(leg->loop, &bind_to, (uint16_t)s->rtp_port_min,
                                     (uint16_t)s->rtp_port_max, on_datagram, leg, &leg->sock);
    if (err)
        return err;
    net_addr_set_port(&leg->local, udp_port(leg->sock));
    (void)udp_focus(leg->sock, &leg->remote); /* in vain: it costs more, no more than that */
    return VA_OK;
}

static void unicast_close(struct leg **pleg)
{
    struct leg *leg = pleg ? *pleg : NULL;
    if (!leg)
        return;
    *pleg = NULL;
    if (leg->gone)
        *leg->gone = true;
    tmr_stop(&leg->watch);
    udp_close(&leg->sock);
    give_remote_port(leg);
    esl_session_forget(leg->control, leg);
    free(leg);
}

static enum va_err ask_for_unicast(struct leg *leg)
{
    char remote_ip[NET_ADDR_TEXT], local_ip[NET_ADDR_TEXT];
    net_addr_ip(&leg->remote, remote_ip);
    net_addr_ip(&leg->local, local_ip);
    /* FreeSWITCH's own side is its "local": our remote. */
    const struct esl_unicast u = {.local_ip = remote_ip,
                                  .local_port = net_addr_port(&leg->remote),
                                  .remote_ip = local_ip,
                                  .remote_port = net_addr_port(&leg->local)};
    return esl_session_unicast(leg->control, &u, &(struct esl_then){on_unicast_reply, leg, 0});
}

static enum va_err unicast_open(const struct leg_cfg *cfg, const struct leg_handlers *handlers,
                                void *arg, struct leg **ret_leg)
{
    if (!cfg->control || !cfg->parked)
        return VA_ENOTSUP;
    struct leg *leg = calloc(1, sizeof(*leg));
    if (!leg)
        return VA_ENOMEM;
    leg->loop = cfg->loop;
    leg->control = cfg->control;
    leg->settings = cfg->settings;
    leg->log = cfg->log;
    leg->rate_hz = cfg->rate_hz;
    leg->h = handlers;
    leg->arg = arg;
    leg->stats.unicast = true;
    enum va_err err = media_rate_valid(cfg->rate_hz) ? pick_addresses(leg, cfg) : VA_ENOTSUP;
    if (!err)
        err = open_socket(leg);
    if (!err)
        err = ask_for_unicast(leg);
    if (err) {
        unicast_close(&leg);
        return err;
    }
    tmr_start(&leg->watch, leg->loop, (uint64_t)cfg->settings->media_start_timeout_ms,
              on_never_started, leg);
    *ret_leg = leg;
    return VA_OK;
}

static void unicast_send(struct leg *leg, const int16_t *samples, size_t count)
{
    if (!count || count != leg->frame_samples || leg->failed)
        return;
    if (udp_send(leg->sock, &leg->remote, samples, count * sizeof(*samples)))
        leg->stats.send_fails++;
    else
        leg->stats.frames_out++;
}

static void unicast_stats(const struct leg *leg, struct leg_stats *ret_stats)
{
    *ret_stats = leg->stats;
}

const struct leg_ops leg_unicast = {
    .name = "esl",
    .open = unicast_open,
    .send = unicast_send,
    .stats = unicast_stats,
    .close = unicast_close,
};
