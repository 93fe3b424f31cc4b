/* From frames to datagrams. The clock of what we send is the count of frames: it also runs while
 * nothing may be sent, so that what follows stands in its right place. */
#include "leg/rtp_stream_int.h"
#include "base/rand.h"

#include <stdlib.h>

enum { DUE_GIVES_IN = 32 /* of a lateness, per tick */ };

/* ---- where and how --------------------------------------------------------------------------- */

bool rtp_stream_destination(const struct rtp_stream *s, struct net_addr *ret_to)
{
    if (s->state == RTP_SOURCE_NONE)
        return false;
    *ret_to = rtp_known(&s->source) ? s->source : s->remote.rtp;
    return rtp_known(ret_to) && net_addr_port(ret_to) && !net_addr_is_any(ret_to);
}

static struct net_addr next_port(struct net_addr a)
{
    net_addr_set_port(&a, (uint16_t)(net_addr_port(&a) + 1));
    return a;
}

/* Where reports have come from, else where SDP says, else beside the audio. */
static bool report_destination(const struct rtp_stream *s, struct net_addr *ret_to)
{
    struct net_addr audio;
    if (!rtp_stream_destination(s, &audio))
        return false;
    if (s->remote.mux)
        *ret_to = audio;
    else if (rtp_known(&s->reports.source))
        *ret_to = s->reports.source;
    else if (rtp_known(&s->remote.rtcp))
        *ret_to = s->remote.rtcp;
    else
        *ret_to = next_port(audio);
    return net_addr_port(ret_to) != 0 && !net_addr_is_any(ret_to);
}

bool rtp_stream_put(struct rtp_stream *s, bool rtcp, void *p, size_t len)
{
    struct net_addr to;
    if (!(rtcp ? report_destination(s, &to) : rtp_stream_destination(s, &to)))
        return false;
    if (s->secure)
        len = secure_seal(s->secure, rtcp, p, len);
    if (!len && rtcp)
        return false; /* withheld */
    enum va_err err = VA_EINVAL;
    if (len && s->wire)
        err = s->wire(s->wire_arg, rtcp, &to, p, len);
    else if (len)
        err = udp_send(rtcp && s->rtcp && !s->remote.mux ? s->rtcp : s->rtp, &to, p, len);
    s->stats.send_fails += err != VA_OK;
    return err == VA_OK;
}

/* ---- what is agreed -------------------------------------------------------------------------- */

void rtp_out_anew(struct rtp_out *out)
{
    rand_bytes(&out->ssrc, sizeof(out->ssrc));
    rand_bytes(&out->timestamp, sizeof(out->timestamp));
    out->seq = (uint16_t)rand_below(1u << 15); /* SRTP: far from a wrap at the start */
    out->packets = out->octets = 0;
    out->marker = true;
}

void rtp_out_init(struct rtp_out *out)
{
    *out = (struct rtp_out){.codec = NULL};
    rtp_out_anew(out);
}

void rtp_out_free(struct rtp_out *out)
{
    resample_free(&out->resample);
    free(out->wait);
    out->wait = NULL;
}

/* What stands between our frames and the codec's packets. */
static enum va_err make_wait(const struct rtp_stream *s, struct rtp_out *next)
{
    int rate = codec_rate(next->codec);
    size_t frame = s->frame;
    if (rate != s->format.rate_hz) {
        enum va_err err = resample_new(s->format.rate_hz, rate, RESAMPLE_QUALITY, &next->resample);
        if (err)
            return err;
        frame = resample_room(next->resample, s->frame);
    } else if (next->packet == s->frame) {
        return VA_OK;
    }
    next->wait_cap = next->packet + frame;
    next->wait = calloc(next->wait_cap, sizeof(*next->wait));
    return next->wait ? VA_OK : VA_ENOMEM;
}

enum va_err rtp_out_set(struct rtp_stream *s, const struct rtp_stream_remote *remote)
{
    struct rtp_out *out = &s->out, next = *out;
    next.codec = s->codecs[remote->send.codec->id];
    int ptime = codec_ptime(remote->send.codec, remote->ptime_ms);
    int clock = remote->send.codec->clock_hz, event_clock = remote->send_event.clock_hz;
    next.packet = (size_t)codec_rate(next.codec) / 1000u * (size_t)ptime;
    next.units = (uint32_t)(clock / 1000 * ptime);
    bool same = next.codec == out->codec && next.packet == out->packet;
    uint32_t digit_clock = (uint32_t)(event_clock ? event_clock : clock);
    enum va_err err = VA_OK;
    if (!same || digit_clock != out->digits.clock_hz)
        err = telephone_event_tx_init(&next.digits, digit_clock, ptime);
    if (err)
        return err;
    if (!same) {
        next.resample = NULL;
        next.wait = NULL;
        next.wait_len = next.wait_cap = 0;
        err = make_wait(s, &next);
        if (err) {
            rtp_out_free(&next);
            return err;
        }
        rtp_out_free(out);
        codec_restart(next.codec);
        next.marker = true;
    }
    /* One SSRC has one clock (RFC 7160). */
    if (out->codec && codec_info_of(out->codec)->clock_hz != clock)
        rtp_out_anew(&next);
    *out = next;
    return VA_OK;
}

/* ---- packets --------------------------------------------------------------------------------- */

/* The payload already stands in its place. */
static void send_packet(struct rtp_stream *s, uint8_t *buf, size_t payload_len, uint8_t pt,
                        bool marker, uint32_t timestamp)
{
    struct rtp_out *out = &s->out;
    struct rtp_packet k = {.marker = marker,
                           .payload_type = pt,
                           .seq = out->seq,
                           .timestamp = timestamp,
                           .ssrc = out->ssrc,
                           .payload = buf + RTP_HEADER_BYTES,
                           .payload_len = payload_len};
    size_t len = 0;
    if (rtp_write(&k, buf, RTP_HEADER_BYTES + CODEC_PAYLOAD_MAX, &len)) {
        s->stats.send_fails++;
        return;
    }
    out->seq++; /* also when the socket refuses: for the far end that is a loss */
    if (!rtp_stream_put(s, false, buf, len))
        return;
    s->stats.packets_out++;
    out->packets++;
    out->octets += (uint32_t)payload_len;
}

static void send_audio(struct rtp_stream *s, uint8_t *buf, const int16_t *x)
{
    struct rtp_out *out = &s->out;
    size_t len =
        codec_encode(out->codec, x, out->packet, buf + RTP_HEADER_BYTES, CODEC_PAYLOAD_MAX);
    if (!len) {
        s->stats.send_fails++;
        return;
    }
    send_packet(s, buf, len, s->remote.send.pt, out->marker, out->timestamp);
    out->marker = false;
}

static void send_one(struct rtp_stream *s, const int16_t *x)
{
    struct rtp_out *out = &s->out;
    uint8_t buf[RTP_STREAM_PACKET];
    struct telephone_event_packet e;
    if (s->remote.send_event.clock_hz &&
        telephone_event_tx_next(&out->digits, out->timestamp, &e)) {
        memcpy(buf + RTP_HEADER_BYTES, e.payload, sizeof(e.payload));
        send_packet(s, buf, sizeof(e.payload), s->remote.send_event.pt, e.marker, e.timestamp);
        s->stats.digits_out += e.marker;
        out->marker = true;
    } else {
        send_audio(s, buf, x);
    }
    out->timestamp += out->units;
}

/* Nothing may be sent, or nothing was: time passes all the same. */
static void pass_time(struct rtp_stream *s, uint64_t frames)
{
    struct rtp_out *out = &s->out;
    const struct codec_info *c = codec_info_of(out->codec);
    out->timestamp += (uint32_t)(frames * (uint64_t)(c->clock_hz / 1000 * s->format.ptime_ms));
    if (out->marker)
        return;
    out->marker = true;
    out->wait_len = 0;
    if (out->resample)
        resample_reset(out->resample);
    codec_restart(out->codec);
}

/* Through the store of what is not yet a packet. */
static void send_by_wait(struct rtp_stream *s, const int16_t *samples)
{
    struct rtp_out *out = &s->out;
    int16_t *end = out->wait + out->wait_len;
    size_t room = out->wait_cap - out->wait_len, sent = 0;
    if (out->resample) {
        out->wait_len += resample_run(out->resample, samples, s->frame, end, room);
    } else {
        memcpy(end, samples, s->frame * sizeof(*end));
        out->wait_len += s->frame;
    }
    for (; out->wait_len - sent >= out->packet; sent += out->packet)
        send_one(s, out->wait + sent);
    out->wait_len -= sent;
    memmove(out->wait, out->wait + sent, out->wait_len * sizeof(*out->wait));
}

/* Ticks that the media clock skipped in a stall (media_clock_set_catchup). Were they not counted,
 * all that follows would be later than its timestamps say, and the far end would keep that as delay
 * to the end of the call. A tick that is only late is none: `due_us` is when the earliest come, and
 * gives in slowly. */
static uint64_t ticks_missed(struct rtp_stream *s, uint64_t now_us)
{
    struct rtp_out *out = &s->out;
    uint64_t frame_us = (uint64_t)s->format.ptime_ms * 1000, due_us = out->due_us, missed = 0;
    if (!due_us || now_us < due_us)
        due_us = now_us;
    else if (now_us - due_us < frame_us)
        due_us += (now_us - due_us) / DUE_GIVES_IN;
    else
        missed = (now_us - due_us) / frame_us;
    out->due_us = due_us + (missed + 1) * frame_us;
    return missed;
}

void rtp_stream_new_step(struct rtp_stream *s)
{
    s->out.new_step = true;
}

/* Whoever sends now keeps another step: the time between is not a whole number of frames. */
static void shift_step(struct rtp_stream *s, uint64_t now_us)
{
    struct rtp_out *out = &s->out;
    uint64_t frame_us = (uint64_t)s->format.ptime_ms * 1000, since_us = now_us - out->last_us;
    out->new_step = false;
    if (!out->last_us || since_us < frame_us)
        return;
    out->timestamp +=
        (uint32_t)((since_us - frame_us) * (uint64_t)codec_info_of(out->codec)->clock_hz / 1000000);
    out->due_us = 0;
}

void rtp_stream_send(struct rtp_stream *s, const int16_t *samples, size_t count)
{
    struct net_addr to;
    if (count != s->frame || !s->out.codec)
        return;
    uint64_t now_us = loop_now_us(s->loop);
    if (s->out.new_step)
        shift_step(s, now_us);
    s->out.last_us = now_us;
    uint64_t missed = ticks_missed(s, now_us);
    if (missed)
        pass_time(s, missed);
    if (!rtp_direction_sends(s->remote.direction) || !rtp_stream_destination(s, &to)) {
        pass_time(s, 1);
        return;
    }
    s->frames_out++;
    if (s->out.wait)
        send_by_wait(s, samples);
    else
        send_one(s, samples);
}

/* ---- digits, keep-alive ---------------------------------------------------------------------- */

enum va_err rtp_stream_send_digit(struct rtp_stream *s, char digit, uint32_t ms)
{
    if (!s->out.codec || !s->remote.send_event.clock_hz)
        return VA_ENOTSUP;
    return telephone_event_tx_queue(&s->out.digits, digit, ms ? ms : RTP_STREAM_DIGIT_MS);
}

void rtp_stream_clear_digits(struct rtp_stream *s)
{
    telephone_event_tx_clear(&s->out.digits);
}

/* The far end drops a type that it does not know; routers see a packet. */
void rtp_out_keepalive(struct rtp_stream *s)
{
    uint8_t buf[RTP_STREAM_PACKET], pt = RTP_STREAM_PT_KEEPALIVE;
    while (pt == s->remote.send.pt || pt == s->remote.send_event.pt || s->by_pt[pt])
        pt--;
    send_packet(s, buf, 0, pt, false, s->out.timestamp);
}
