/*
 * From datagrams to the jitter buffer:
 *
 *     what is it ─► from the source? ─► by the key? ─► agreed type? ─► its place in the stream ─►
 *     may we hear it now? ─► digit, jitter buffer
 *
 * Cheap tests come before dear ones, and nothing is learned from what the key does not vouch for.
 */
#include "leg/rtp_stream_int.h"

#include <stdlib.h>

/* ---- the source ------------------------------------------------------------------------------ */

void rtp_stream_learn(struct rtp_stream *s, bool same)
{
    s->state = RTP_SOURCE_LEARNING;
    s->rival = (struct rtp_rival){.run = 0};
    if (!same) {
        s->source = (struct net_addr){.u.sa.sa_family = AF_UNSPEC};
        s->reports.source = s->source;
        (void)udp_focus(s->rtp, NULL);
    }
}

static bool is(const struct net_addr *from, const struct net_addr *known)
{
    return rtp_known(known) && net_addr_eq(from, known);
}

static void lock_source(struct rtp_stream *s, const struct net_addr *from)
{
    s->source = *from;
    s->state = RTP_SOURCE_LOCKED;
    s->stats.learned++;
    s->stats.moved += !is(from, &s->remote.rtp);
    (void)udp_focus(s->rtp, from); /* in vain: it costs more, no more than that */
}

/* Worth looking at? Decided by the address alone, before any work is done. */
static bool may_be_source(const struct rtp_stream *s, const struct net_addr *from)
{
    switch (s->state) {
    case RTP_SOURCE_NONE: return false;
    case RTP_SOURCE_LOCKED: return is(from, &s->source);
    case RTP_SOURCE_LEARNING: break;
    }
    return s->remote.learn || is(from, &s->remote.rtp) || is(from, &s->source);
}

/* A good packet while there is no source. */
static bool learn_from(struct rtp_stream *s, const struct net_addr *from,
                       const struct rtp_packet *k)
{
    /* The one that was heard before the re-INVITE is as good as the one SDP names. */
    if (is(from, &s->remote.rtp) || is(from, &s->source)) {
        lock_source(s, from);
        return true;
    }
    struct rtp_rival *r = &s->rival;
    bool follows = r->run && net_addr_eq(from, &r->from) && k->ssrc == r->ssrc && k->seq == r->next;
    *r = (struct rtp_rival){*from, k->ssrc, (uint16_t)(k->seq + 1), follows ? r->run + 1 : 1};
    if (r->run < RTP_STREAM_LEARN_PACKETS)
        return false;
    lock_source(s, from);
    return true;
}

static bool from_source(struct rtp_stream *s, const struct net_addr *from,
                        const struct rtp_packet *k)
{
    bool heard = s->state == RTP_SOURCE_LOCKED || learn_from(s, from, k);
    s->stats.foreign += !heard;
    return heard;
}

/* ---- SRTP ------------------------------------------------------------------------------------ */

/* @return what to read, in `buf` when it had to be opened; NULL: not ours */
static const void *opened(struct rtp_stream *s, bool rtcp, const void *p, size_t *len, void *buf,
                          size_t room)
{
    if (!s->secure)
        return p;
    if (*len > room) {
        s->stats.malformed++;
        return NULL;
    }
    memcpy(buf, p, *len);
    enum secure_verdict v = secure_open(s->secure, rtcp, buf, *len, len);
    s->stats.forged += v == SECURE_FORGED;
    s->stats.replayed += v == SECURE_REPLAYED;
    return v == SECURE_OK ? buf : NULL;
}

/* ---- packets --------------------------------------------------------------------------------- */

/* RFC 3550 §8.2. A far end that sends us our own packets back has our SSRC whatever we choose, so
 * this happens once. */
static void avoid_collision(struct rtp_stream *s, const struct rtp_packet *k)
{
    if (k->ssrc != s->out.ssrc || s->out.changed_ssrc)
        return;
    s->out.changed_ssrc = true;
    rtp_out_anew(&s->out);
}

static const struct jitter_codec *codec_of(struct rtp_stream *s, const struct rtp_type *t)
{
    if (t->kind == RTP_TYPE_AUDIO)
        s->heard = s->codecs[t->codec->id];
    return codec_jitter((struct codec *)s->heard);
}

/* The clock of the numbers follows the codec; what was measured by another one is void. */
static void use_clock(struct rtp_stream *s, int clock_hz)
{
    if (s->numbers.clock_hz == (uint32_t)clock_hz)
        return;
    s->numbers.clock_hz = (uint32_t)clock_hz;
    s->numbers.has_transit = false;
    s->numbers.jitter = 0;
}

static void place(struct rtp_stream *s, const struct rtp_type *t, const struct rtp_packet *k,
                  uint64_t now_us)
{
    static const enum jitter_kind kinds[] = {[RTP_TYPE_AUDIO] = JITTER_AUDIO,
                                             [RTP_TYPE_EVENT] = JITTER_EVENT,
                                             [RTP_TYPE_NOISE] = JITTER_NOISE};
    const struct jitter_codec *codec = codec_of(s, t);
    struct rtp_place at;
    if (t->kind == RTP_TYPE_AUDIO)
        use_clock(s, codec->clock_hz);
    enum rtp_verdict v = rtp_source_take(&s->numbers, k, now_us, t->kind == RTP_TYPE_AUDIO, &at);
    if (v != RTP_TAKE && v != RTP_TAKE_ANEW)
        return;
    /* On hold its number counts all the same, else it would look lost. */
    if (!rtp_direction_receives(s->remote.direction)) {
        s->stats.unexpected++;
        return;
    }
    if (v == RTP_TAKE_ANEW) {
        s->stats.bye = false;
        s->reports.last_sr = (struct rtcp_last_sr){0, 0};
    }
    s->stats.packets_in++;
    s->stats.last_in_us = now_us;
    s->stats.pauses = t->kind == RTP_TYPE_NOISE;
    if (t->kind == RTP_TYPE_EVENT)
        telephone_event_rx_push(&s->events, k, &at, now_us);
    struct jitter_packet jp = {.kind = kinds[t->kind],
                               .codec = codec,
                               .place = at,
                               .marker = k->marker,
                               .payload = k->payload,
                               .len = k->payload_len,
                               .arrival_us = now_us};
    (void)jitter_put(s->jitter, &jp); /* it counts what it refuses */
}

static void on_event(void *arg, uint8_t event, char digit)
{
    struct rtp_stream *s = arg;
    (void)event;
    if (digit && s->began_count < RTP_STREAM_BEGAN_MAX)
        s->began[s->began_count++] = digit;
}

const struct telephone_event_handlers rtp_stream_events = {.on_start = on_event};

/* Last of all, since a handler may close the stream. */
static void tell(struct rtp_stream *s, enum rtp_type_kind kind)
{
    char began[RTP_STREAM_BEGAN_MAX];
    unsigned count = s->began_count;
    memcpy(began, s->began, count);
    s->began_count = 0;
    s->stats.digits_in += count;
    s->telling = true;
    if (kind != RTP_TYPE_EVENT && !s->first_told && s->stats.packets_in) {
        s->first_told = true;
        s->h->on_first(s->arg);
    }
    for (unsigned i = 0; i < count && !s->gone; i++)
        s->h->on_digit(s->arg, began[i]);
    s->telling = false;
    if (s->gone)
        free(s);
}

static void take_rtp(struct rtp_stream *s, const struct net_addr *from, const void *p, size_t len,
                     uint64_t now_us)
{
    _Alignas(8) uint8_t buf[RTP_PACKET_MAX];
    struct rtp_packet k;
    if (!may_be_source(s, from)) {
        s->stats.foreign++;
        return;
    }
    p = opened(s, false, p, &len, buf, sizeof(buf));
    if (!p)
        return;
    if (rtp_read(p, len, &k) || !s->by_pt[k.payload_type]) {
        s->stats.malformed++;
        return;
    }
    if (!from_source(s, from, &k))
        return;
    const struct rtp_type *t = &s->remote.receive[s->by_pt[k.payload_type] - 1];
    avoid_collision(s, &k);
    place(s, t, &k, now_us);
    tell(s, t->kind);
}

static bool same_ip(const struct net_addr *a, const struct net_addr *b)
{
    struct net_addr x = *a;
    if (!rtp_known(b))
        return false;
    net_addr_set_port(&x, net_addr_port(b));
    return net_addr_eq(&x, b);
}

/* Reports come from the host whose audio is heard, from one port of it, which is learned like the
 * source of the audio; by a shared port, from that very address. */
static bool may_report(const struct rtp_stream *s, const struct net_addr *from)
{
    if (s->state == RTP_SOURCE_NONE)
        return false;
    const struct net_addr *whose = s->state == RTP_SOURCE_LOCKED ? &s->source : &s->remote.rtp;
    if (s->remote.mux)
        return is(from, whose);
    if (rtp_known(&s->reports.source))
        return is(from, &s->reports.source);
    return same_ip(from, whose) || same_ip(from, &s->remote.rtcp);
}

static void take_rtcp(struct rtp_stream *s, const struct net_addr *from, const void *p, size_t len,
                      uint64_t now_us)
{
    _Alignas(8) uint8_t buf[RTCP_PACKET_MAX + SECURE_GROWTH];
    if (!may_report(s, from)) {
        s->stats.foreign++;
        return;
    }
    p = opened(s, true, p, &len, buf, sizeof(buf));
    if (p)
        rtp_reports_take(s, from, p, len, now_us);
}

void rtp_stream_take(struct rtp_stream *s, bool on_rtcp_port, const struct net_addr *from,
                     const void *p, size_t len, uint64_t now_us)
{
    switch (rtp_classify(p, len)) {
    case RTP_IS_RTP:
        if (on_rtcp_port)
            s->stats.malformed++;
        else
            take_rtp(s, from, p, len, now_us);
        break;
    case RTP_IS_RTCP: take_rtcp(s, from, p, len, now_us); break;
    case RTP_IS_STUN:
    case RTP_IS_DTLS:
    case RTP_IS_OTHER: s->stats.malformed++; break;
    }
}

void rtp_stream_read_by_clock(struct rtp_stream *s)
{
    udp_read_by_clock(s->rtp);
}

void rtp_stream_read(struct rtp_stream *s)
{
    (void)udp_read(s->rtp);
}

enum jitter_frame rtp_stream_receive(struct rtp_stream *s, uint64_t now_us, int16_t *out)
{
    telephone_event_rx_poll(&s->events, now_us);
    enum jitter_frame what = jitter_get(s->jitter, now_us, out);
    s->frames_in += what != JITTER_FRAME_SILENCE;
    return what;
}
