#include "fakefs/rtp.h"
#include "base/rand.h"
#include "media/format.h"
#include "media/resample.h"
#include "media/rtp.h"
#include "media/telephone_event.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* Any codec's packet of 60 ms at our side's rate, and what a resampler may give on top. */
    WAIT_MAX = 3 * MEDIA_FRAME_MAX,
    PACKET_BYTES = RTP_HEADER_BYTES + CODEC_PAYLOAD_MAX
};

struct fakefs_rtp {
    struct fakefs_rtp_cfg cfg;
    fakefs_rtp_frame_h *on_frame;
    void *arg;
    struct fakefs_sock *sock;
    uint16_t port;
    struct fakefs_rtp_remote remote; /* codec NULL: nothing is agreed */
    struct codec *codec;
    struct resample *out, *in; /* NULL: the rates are equal */
    struct telephone_event_tx digits;
    struct rtp_source source;
    struct fakefs_rtp_stats stats;
    uint32_t ssrc, timestamp, units; /* units: of a packet */
    uint16_t seq;
    bool marker;
    bool begins;             /* the packet being heard keeps no step with the one before, */
    uint32_t last_timestamp; /* which was this */
    uint16_t last_seq;
    int16_t wait[WAIT_MAX]; /* encoded when a packet is whole */
    size_t wait_len, packet;
};

/* ---- in -------------------------------------------------------------------------------------- */

static void hear(struct fakefs_rtp *r, uint64_t at_us, const struct rtp_packet *p)
{
    int16_t pcm[WAIT_MAX], frame[WAIT_MAX];
    const struct jitter_codec *c = codec_jitter(r->codec);
    size_t n = c->decode(c->state, p->payload, p->payload_len, pcm, MEDIA_FRAME_MAX);
    r->stats.odd += n == 0;
    if (!n)
        return;
    if (!r->in) {
        r->on_frame(r->arg, at_us, pcm, n);
        return;
    }
    n = resample_run(r->in, pcm, n, frame, WAIT_MAX);
    if (n)
        r->on_frame(r->arg, at_us, frame, n);
}

static void on_datagram(void *arg, uint64_t at_us, const void *bytes, size_t len)
{
    struct fakefs_rtp *r = arg;
    struct rtp_packet p;
    struct rtp_place place;
    enum rtp_class class = rtp_classify(bytes, len);
    if (class == RTP_IS_RTCP)
        return;
    if (!r->codec || class != RTP_IS_RTP || rtp_read(bytes, len, &p) ||
        p.payload_type != r->remote.receive_pt) {
        r->stats.odd++;
        return;
    }
    r->stats.received++;
    uint32_t step = (uint32_t)(uint16_t)(p.seq - r->last_seq) * r->units;
    r->begins = p.marker || p.timestamp - r->last_timestamp != step;
    r->last_timestamp = p.timestamp;
    r->last_seq = p.seq;
    (void)rtp_source_take(&r->source, &p, at_us, true, &place);
    hear(r, at_us, &p);
}

/* ---- life ------------------------------------------------------------------------------------ */

enum va_err fakefs_rtp_open(const struct fakefs_rtp_cfg *cfg, fakefs_rtp_frame_h *on_frame,
                            void *arg, struct fakefs_rtp **ret)
{
    if (!media_format_valid((struct media_format){cfg->rate_hz, cfg->ptime_ms}))
        return VA_EINVAL;
    struct fakefs_rtp *r = calloc(1, sizeof(*r));
    if (!r)
        return VA_ENOMEM;
    r->cfg = *cfg;
    r->on_frame = on_frame;
    r->arg = arg;
    r->marker = true;
    rand_bytes(&r->ssrc, sizeof(r->ssrc));
    rand_bytes(&r->timestamp, sizeof(r->timestamp));
    rand_bytes(&r->seq, sizeof(r->seq));
    enum va_err err = fakefs_sock_open(cfg->loop, &cfg->local, on_datagram, r, &r->sock);
    if (err) {
        free(r);
        return err;
    }
    r->port = fakefs_sock_port(r->sock);
    *ret = r;
    return VA_OK;
}

void fakefs_rtp_close(struct fakefs_rtp **pr)
{
    struct fakefs_rtp *r = pr ? *pr : NULL;
    if (!r)
        return;
    *pr = NULL;
    fakefs_sock_close(&r->sock);
    codec_free(&r->codec);
    resample_free(&r->out);
    resample_free(&r->in);
    free(r);
}

uint16_t fakefs_rtp_port(const struct fakefs_rtp *r)
{
    return r->port;
}

static enum va_err converters(const struct fakefs_rtp *r, int codec_hz, struct resample **ret_out,
                              struct resample **ret_in)
{
    if (codec_hz == r->cfg.rate_hz)
        return VA_OK;
    enum va_err err = resample_new(r->cfg.rate_hz, codec_hz, RESAMPLE_QUALITY, ret_out);
    return err ? err : resample_new(codec_hz, r->cfg.rate_hz, RESAMPLE_QUALITY, ret_in);
}

enum va_err fakefs_rtp_set(struct fakefs_rtp *r, const struct fakefs_rtp_remote *remote)
{
    struct codec *codec = NULL;
    struct resample *out = NULL, *in = NULL;
    struct telephone_event_tx digits;
    int ptime = codec_ptime(remote->codec, r->cfg.ptime_ms);
    int event_hz = remote->event_pt >= 0 ? remote->event_hz : remote->codec->clock_hz;
    enum va_err err = telephone_event_tx_init(&digits, (uint32_t)event_hz, ptime);
    if (!err)
        err = codec_new(remote->codec, r->cfg.rate_hz, &codec);
    if (!err)
        err = converters(r, codec_rate(codec), &out, &in);
    if (err) {
        codec_free(&codec);
        resample_free(&out);
        resample_free(&in);
        return err;
    }
    codec_free(&r->codec);
    resample_free(&r->out);
    resample_free(&r->in);
    r->codec = codec;
    r->out = out;
    r->in = in;
    r->digits = digits;
    r->remote = *remote;
    r->packet = (size_t)(codec_rate(codec) / 1000 * ptime);
    r->units = (uint32_t)(remote->codec->clock_hz / 1000 * ptime);
    r->wait_len = 0;
    rtp_source_init(&r->source, (uint32_t)remote->codec->clock_hz, 1);
    return VA_OK;
}

/* ---- out ------------------------------------------------------------------------------------- */

static bool put(struct fakefs_rtp *r, struct rtp_packet *p, struct fakefs_sock *from)
{
    uint8_t bytes[PACKET_BYTES];
    size_t len = 0;
    p->ssrc = r->ssrc;
    p->seq = r->seq++;
    if (rtp_write(p, bytes, sizeof(bytes), &len) ||
        !fakefs_sock_send(from, &r->remote.to, bytes, len))
        return false;
    r->stats.sent += from == r->sock;
    return true;
}

static bool put_audio(struct fakefs_rtp *r)
{
    uint8_t payload[CODEC_PAYLOAD_MAX];
    struct rtp_packet p = {.marker = r->marker,
                           .payload_type = r->remote.send_pt,
                           .timestamp = r->timestamp,
                           .payload = payload};
    p.payload_len = codec_encode(r->codec, r->wait, r->packet, payload, sizeof(payload));
    r->marker = false;
    return p.payload_len && put(r, &p, r->sock);
}

static bool put_packet(struct fakefs_rtp *r)
{
    struct telephone_event_packet digit;
    bool event = telephone_event_tx_next(&r->digits, r->timestamp, &digit);
    struct rtp_packet p = {.marker = event && digit.marker,
                           .payload_type = (uint8_t)(r->remote.event_pt & 127),
                           .timestamp = event ? digit.timestamp : 0,
                           .payload = digit.payload,
                           .payload_len = TELEPHONE_EVENT_BYTES};
    bool went = event ? put(r, &p, r->sock) : put_audio(r);
    r->timestamp += r->units;
    r->wait_len -= r->packet;
    memmove(r->wait, r->wait + r->packet, r->wait_len * sizeof(*r->wait));
    return went;
}

bool fakefs_rtp_send(struct fakefs_rtp *r, const int16_t *pcm, size_t n)
{
    bool went = false;
    size_t room = WAIT_MAX - r->wait_len;
    if (!r->codec || n > MEDIA_FRAME_MAX)
        return false;
    if (r->out) {
        r->wait_len += resample_run(r->out, pcm, n, r->wait + r->wait_len, room);
    } else if (n <= room) {
        memcpy(r->wait + r->wait_len, pcm, n * sizeof(*pcm));
        r->wait_len += n;
    }
    while (r->wait_len >= r->packet)
        went = put_packet(r) || went;
    return went;
}

bool fakefs_rtp_begins(const struct fakefs_rtp *r)
{
    return r->begins;
}

void fakefs_rtp_skip(struct fakefs_rtp *r)
{
    r->timestamp += r->units;
    r->marker = true;
}

enum va_err fakefs_rtp_digit(struct fakefs_rtp *r, char digit, unsigned ms)
{
    if (!r->codec || r->remote.event_pt < 0)
        return VA_ENOTSUP;
    return telephone_event_tx_queue(&r->digits, digit, ms);
}

void fakefs_rtp_stats(const struct fakefs_rtp *r, struct fakefs_rtp_stats *ret)
{
    *ret = r->stats;
    int64_t lost = r->codec ? rtp_source_lost(&r->source) : 0;
    ret->lost = lost > 0 ? (uint64_t)lost : 0;
}

/* ---- faults ---------------------------------------------------------------------------------- */

static void ignore(void *arg, uint64_t at_us, const void *p, size_t len)
{
    (void)arg, (void)at_us, (void)p, (void)len;
}

void fakefs_rtp_inject_foreign(struct fakefs_rtp *r, unsigned count)
{
    uint8_t noise[160];
    struct fakefs_sock *other = NULL;
    if (!r->codec || fakefs_sock_open(r->cfg.loop, &r->cfg.local, ignore, r, &other))
        return;
    uint16_t seq = r->seq; /* the caller's own numbers go on as if nothing was */
    for (unsigned i = 0; i < count; i++) {
        rand_bytes(noise, sizeof(noise));
        struct rtp_packet p = {.payload_type = r->remote.send_pt,
                               .timestamp = r->timestamp + i * r->units,
                               .payload = noise,
                               .payload_len = sizeof(noise)};
        (void)put(r, &p, other);
    }
    r->seq = seq;
    fakefs_sock_close(&other);
}

void fakefs_rtp_inject_garbage(struct fakefs_rtp *r, unsigned count)
{
    static const size_t sizes[] = {0, 1, 7, 319, 1472, 2880};
    uint8_t noise[2880];
    rand_bytes(noise, sizeof(noise));
    noise[0] = 0x40; /* version 1 */
    for (unsigned i = 0; r->codec && i < count; i++)
        (void)fakefs_sock_send(r->sock, &r->remote.to, noise, sizes[i % 6]);
}
