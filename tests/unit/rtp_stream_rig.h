/* unit/rtp_stream_rig.h: two streams and a network between them, all on one simulated clock.
 *
 *     side 0 ─ rtp_stream_send ─► loss, jitter, doubles ─► rtp_stream_take ─ side 1, and back
 */
#ifndef VA_RTP_STREAM_RIG_H
#define VA_RTP_STREAM_RIG_H

#include "leg/rtp_stream_int.h"
#include "media/measure.h"
#include "media/tone.h"
#include "net/loop_int.h"

#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FLYING_MAX = 400, DATAGRAM_MAX = 2300, PT_EVENT = 110, PT_NOISE = 13 };

struct rig;

struct flying {
    uint64_t at_us;
    uint64_t order;
    bool used, rtcp;
    int to; /* side */
    size_t len;
    uint8_t p[DATAGRAM_MAX];
};

struct side {
    struct rig *r;
    int index;
    struct rtp_stream *s;
    struct rtp_stream_remote remote;
    struct media_format format;
    struct net_addr at; /* where its packets come from */
    double tick_us, period_us;
    struct tone tone;
    const int16_t *speech; /* instead of the tone */
    size_t speech_len, speech_at;
    bool silent_sender; /* it does not tick out */

    unsigned firsts;
    char digits[64];
    size_t digit_count;
    bool close_in_handler;

    bool record;
    int16_t *out;
    size_t out_len, out_cap;
    size_t frames[3];
    uint32_t delay_max_ms;

    size_t sent; /* datagrams of RTP */
    uint8_t last[DATAGRAM_MAX];
    size_t last_len;
    struct net_addr last_to;
    uint8_t last_rtcp[DATAGRAM_MAX];
    size_t last_rtcp_len;
    struct net_addr last_rtcp_to;
    unsigned markers;
};

struct rig {
    struct va_clock_manual clock;
    struct loop *loop;
    struct settings settings;
    struct side side[2];
    struct flying *flying;
    uint64_t order;
    double loss, twice;
    uint64_t transit_us, jitter_us;
    uint64_t seed;
    uint64_t dropped;
};

/* xorshift: what one packet draws must not hang together. */
static inline double rig_random(struct rig *r)
{
    r->seed ^= r->seed << 13;
    r->seed ^= r->seed >> 7;
    r->seed ^= r->seed << 17;
    return (double)(r->seed >> 11) / 9007199254740992.0;
}

static inline void side_on_first(void *arg)
{
    struct side *d = arg;
    d->firsts++;
    if (d->close_in_handler)
        rtp_stream_close(&d->s);
}

static inline void side_on_digit(void *arg, char digit)
{
    struct side *d = arg;
    assert_true(d->digit_count + 1 < sizeof(d->digits));
    d->digits[d->digit_count++] = digit;
    if (d->close_in_handler)
        rtp_stream_close(&d->s);
}

static const struct rtp_stream_handlers side_handlers = {side_on_first, side_on_digit};

static inline struct flying *rig_slot(struct rig *r)
{
    for (size_t i = 0; i < FLYING_MAX; i++)
        if (!r->flying[i].used)
            return &r->flying[i];
    fail_msg("the network is full");
    return NULL;
}

static inline void rig_fly(struct rig *r, int to, bool rtcp, const void *p, size_t len,
                           uint64_t at_us)
{
    struct flying *f = rig_slot(r);
    *f = (struct flying){
        .at_us = at_us, .order = r->order++, .used = true, .rtcp = rtcp, .to = to, .len = len};
    memcpy(f->p, p, len);
}

/* A stream sends. */
static inline enum va_err side_wire(void *arg, bool rtcp, const struct net_addr *to, const void *p,
                                    size_t len)
{
    struct side *d = arg;
    struct rig *r = d->r;
    assert_true(len <= DATAGRAM_MAX);
    memcpy(rtcp ? d->last_rtcp : d->last, p, len);
    *(rtcp ? &d->last_rtcp_len : &d->last_len) = len;
    *(rtcp ? &d->last_rtcp_to : &d->last_to) = *to;
    if (!rtcp) {
        d->sent++;
        d->markers += d->last[1] >> 7;
    }
    if (rig_random(r) < r->loss) {
        r->dropped += !rtcp;
        return VA_OK;
    }
    uint64_t now = clock_mono_us(&r->clock.base) + r->transit_us;
    rig_fly(r, !d->index, rtcp, p, len, now + (uint64_t)(rig_random(r) * (double)r->jitter_us));
    if (rig_random(r) < r->twice)
        rig_fly(r, !d->index, rtcp, p, len, now + (uint64_t)(rig_random(r) * 30000));
    return VA_OK;
}

static inline struct net_addr addr_of(const char *ip, uint16_t port)
{
    struct net_addr a;
    assert_int_equal(net_addr_parse(ip, port, &a), VA_OK);
    return a;
}

static inline struct rtp_type audio_type(enum codec_id id, int pt)
{
    const struct codec_info *c = codec_info(id);
    return (struct rtp_type){.pt = (uint8_t)(pt >= 0 ? pt : c->static_pt),
                             .kind = RTP_TYPE_AUDIO,
                             .codec = c,
                             .clock_hz = c->clock_hz};
}

/* One codec, digits and comfort noise, both ways. */
static inline struct rtp_stream_remote remote_of(struct net_addr at, enum codec_id id)
{
    struct rtp_type audio = audio_type(id, codec_info(id)->static_pt < 0 ? 96 + (int)id : -1);
    struct rtp_type event = {
        .pt = PT_EVENT, .kind = RTP_TYPE_EVENT, .clock_hz = codec_info(id)->clock_hz};
    struct rtp_type noise = {.pt = PT_NOISE, .kind = RTP_TYPE_NOISE, .clock_hz = 8000};
    return (struct rtp_stream_remote){.rtp = at,
                                      .send = audio,
                                      .send_event = event,
                                      .receive_count = 3,
                                      .receive = {audio, event, noise}};
}

static inline void side_open(struct side *d)
{
    struct rtp_stream_cfg cfg = {
        .loop = d->r->loop, .format = d->format, .settings = &d->r->settings};
    assert_int_equal(rtp_stream_open(&cfg, &side_handlers, d, &d->s), VA_OK);
    d->s->wire = side_wire;
    d->s->wire_arg = d;
}

/* Both at `rate_hz`; call rig_agree() then. */
static inline void rig_open(struct rig *r, int rate_hz)
{
    memset(r, 0, sizeof(*r));
    va_clock_manual_init(&r->clock, 1000000, 1700000000000000);
    assert_int_equal(loop_new(&r->clock.base, 0, &r->loop), VA_OK);
    r->settings = (struct settings){.rtp_port_min = 20000,
                                    .rtp_port_max = 29999,
                                    .rtp_bind_address = "127.0.0.1",
                                    .rtp_jitter_min_ms = 40,
                                    .rtp_jitter_target_ms = 60,
                                    .rtp_jitter_max_ms = 200};
    r->flying = calloc(FLYING_MAX, sizeof(*r->flying));
    r->seed = 88172645463325252u;
    r->transit_us = 10000;
    for (int i = 0; i < 2; i++) {
        struct side *d = &r->side[i];
        d->r = r;
        d->index = i;
        d->format = (struct media_format){rate_hz, 20};
        d->at = addr_of(i ? "192.0.2.2" : "192.0.2.1", (uint16_t)(i ? 5000 : 4000));
        d->tick_us = 1000000 + 3000 * i;
        d->period_us = 20000;
        tone_init(&d->tone, rate_hz, i ? 1000 : 500, -18);
        side_open(d);
    }
}

static inline void rig_agree(struct rig *r, enum codec_id id)
{
    for (int i = 0; i < 2; i++) {
        struct side *d = &r->side[i];
        d->remote = remote_of(r->side[!i].at, id);
        assert_int_equal(rtp_stream_set_remote(d->s, &d->remote), VA_OK);
    }
}

static inline void set_direction_of(struct side *d, enum rtp_direction direction)
{
    d->remote.direction = direction;
    assert_int_equal(rtp_stream_set_remote(d->s, &d->remote), VA_OK);
}

static inline void rig_close(struct rig *r)
{
    for (int i = 0; i < 2; i++) {
        rtp_stream_close(&r->side[i].s);
        free(r->side[i].out);
    }
    loop_free(&r->loop);
    free(r->flying);
}

static inline void side_record(struct side *d, const int16_t *x)
{
    size_t n = media_format_samples(d->format);
    if (d->out_len + n > d->out_cap) {
        d->out_cap = d->out_cap ? 2 * d->out_cap : 1 << 16;
        d->out = realloc(d->out, d->out_cap * sizeof(*d->out));
        assert_non_null(d->out);
    }
    memcpy(d->out + d->out_len, x, n * sizeof(*x));
    d->out_len += n;
}

static inline void side_tick(struct side *d, uint64_t now_us)
{
    int16_t x[MEDIA_FRAME_MAX];
    size_t n = media_format_samples(d->format);
    if (!d->s)
        return;
    if (!d->silent_sender) {
        if (d->speech)
            for (size_t i = 0; i < n; i++)
                x[i] = d->speech[d->speech_at++ % d->speech_len];
        else
            tone_fill(&d->tone, x, n);
        rtp_stream_send(d->s, x, n);
    }
    enum jitter_frame f = rtp_stream_receive(d->s, now_us, x);
    d->frames[f]++;
    if (d->record)
        side_record(d, x);
    struct jitter_stats s;
    jitter_stats(d->s->jitter, &s);
    if (f == JITTER_FRAME_VOICE && s.delay_ms > d->delay_max_ms)
        d->delay_max_ms = s.delay_ms;
}

static inline void rig_arrive(struct rig *r, struct flying *f)
{
    struct side *to = &r->side[f->to];
    struct net_addr from = r->side[!f->to].at;
    f->used = false;
    if (!to->s)
        return;
    if (f->rtcp && !to->remote.mux)
        net_addr_set_port(&from, (uint16_t)(net_addr_port(&from) + 1));
    rtp_stream_take(to->s, f->rtcp, &from, f->p, f->len, f->at_us);
}

static inline void rig_goto(struct rig *r, uint64_t us)
{
    uint64_t now = clock_mono_us(&r->clock.base);
    if (us > now)
        va_clock_manual_advance(&r->clock, us - now);
    loop_timers_turn(r->loop);
}

/* Events in their order until `seconds` have passed. */
static inline void rig_run(struct rig *r, double seconds)
{
    uint64_t end = clock_mono_us(&r->clock.base) + (uint64_t)(seconds * 1e6);
    for (;;) {
        struct flying *next = NULL;
        for (size_t i = 0; i < FLYING_MAX; i++) {
            struct flying *f = &r->flying[i];
            if (f->used && (!next || f->at_us < next->at_us ||
                            (f->at_us == next->at_us && f->order < next->order)))
                next = f;
        }
        struct side *d = r->side[0].tick_us <= r->side[1].tick_us ? &r->side[0] : &r->side[1];
        bool packet = next && (double)next->at_us <= d->tick_us;
        uint64_t at = packet ? next->at_us : (uint64_t)d->tick_us;
        if (at > end)
            break;
        rig_goto(r, at);
        if (packet) {
            rig_arrive(r, next);
        } else {
            side_tick(d, at);
            d->tick_us += d->period_us;
        }
    }
    rig_goto(r, end);
}

static inline struct rtp_stream_stats stats_of(const struct side *d)
{
    struct rtp_stream_stats s;
    rtp_stream_stats(d->s, &s);
    return s;
}

static inline void side_forget(struct side *d)
{
    d->out_len = 0;
    d->record = true;
    d->delay_max_ms = 0;
    memset(d->frames, 0, sizeof(d->frames));
}

static inline void side_print(const struct side *d, const char *what)
{
    struct rtp_stream_stats s = stats_of(d);
    print_message("    %s: in %llu out %llu lost %llu foreign %llu, delay %u (max %u) target %u, "
                  "jitter %u us, rtt %u us, mos %u, concealed %llu samples, late %llu twice %llu "
                  "stretched %llu\n",
                  what, (unsigned long long)s.packets_in, (unsigned long long)s.packets_out,
                  (unsigned long long)s.lost, (unsigned long long)s.foreign, s.jitter.delay_ms,
                  d->delay_max_ms, s.jitter.target_ms, s.jitter_us, s.round_trip_us, s.mos_x100,
                  (unsigned long long)s.jitter.concealed_samples, (unsigned long long)s.jitter.late,
                  (unsigned long long)s.jitter.duplicates, (unsigned long long)s.jitter.stretches);
}

/* What a step in a sine leaves when the sine itself is taken out, relative to its peak. */
static inline double worst_step(const int16_t *x, size_t n, int rate, double hz, double peak)
{
    double c = 2 * cos(6.283185307179586 * hz / rate), worst = 0;
    for (size_t i = 2; i < n; i++) {
        double e = fabs(x[i] - c * x[i - 1] + x[i - 2]) / peak;
        worst = e > worst ? e : worst;
    }
    return worst;
}

/* From one sample to the next. */
static inline int largest_step(const int16_t *x, size_t n)
{
    int worst = 0;
    for (size_t i = 1; i < n; i++)
        worst = abs(x[i] - x[i - 1]) > worst ? abs(x[i] - x[i - 1]) : worst;
    return worst;
}

#endif
