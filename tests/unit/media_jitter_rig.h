/* unit/media_jitter_rig.h: a sender, a network and a receiver, all on one simulated clock.
 *
 *     source ─ 20 ms packets ─► loss, jitter, doubles ─► rtp_source ─► jitter ─► out[]
 */
#ifndef VA_MEDIA_JITTER_RIG_H
#define VA_MEDIA_JITTER_RIG_H

#include "media/jitter.h"
#include "media/g711.h"
#include "media/tone.h"

#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { RATE = 8000, FRAME = 160, WIRE_MAX = 400, PACKET_BYTES = 2 * FRAME };

/* What is under way. */
struct wire {
    uint64_t arrival_us;
    bool used, marker;
    const struct jitter_codec *codec;
    uint16_t seq;
    uint32_t ts, ssrc;
    size_t len;
    uint8_t payload[PACKET_BYTES];
};

struct rig {
    struct jitter *j;
    struct rtp_source source;
    uint64_t now_us;        /* of the receiver */
    double sent_us;         /* when the next packet leaves, by the receiver's clock */
    double packet_us;       /* 20 ms by the sender's clock */
    uint64_t transit_us;    /* least time under way */
    uint64_t jitter_us;     /* uniform, on top */
    uint64_t held_until_us; /* the network holds everything until then */
    double loss, twice;
    uint32_t seed;
    bool mute;  /* the sender's network is down */
    bool pause; /* the sender sends nothing (DTX) */
    bool marker;
    const struct jitter_codec *codec;
    uint16_t seq;
    uint32_t ts, ssrc;
    struct tone tone;
    const int16_t *speech; /* instead of the tone */
    size_t speech_len, speech_at;
    struct wire wire[WIRE_MAX];
    int16_t *out;
    size_t out_len, out_cap;
    size_t frames[3]; /* by enum jitter_frame */
    uint64_t sent, lost;
    uint32_t delay_max_ms;
    double delay_sum_ms;
    size_t delay_count;
};

/* L16 in host order: exact, so that every fault in the output is the buffer's. */
static size_t exact_samples(void *state, const uint8_t *p, size_t len)
{
    (void)state;
    (void)p;
    return len % 2 ? 0 : len / 2;
}

static size_t exact_decode(void *state, const uint8_t *p, size_t len, int16_t *out, size_t room)
{
    (void)state;
    size_t n = len / 2 < room ? len / 2 : room;
    memcpy(out, p, n * 2);
    return n;
}

static const struct jitter_codec exact = {.name = "L16",
                                          .clock_hz = RATE,
                                          .rate_hz = RATE,
                                          .samples = exact_samples,
                                          .decode = exact_decode};

static double rig_random(struct rig *r)
{
    r->seed = r->seed * 1664525u + 1013904223u;
    return (double)(r->seed >> 8) / 16777216.0;
}

static void rig_open(struct rig *r, int min_ms, int start_ms, int max_ms)
{
    *r = (struct rig){.now_us = 1000000,
                      .sent_us = 1000000,
                      .packet_us = 20000,
                      .transit_us = 30000,
                      .seed = 7,
                      .marker = true,
                      .codec = &exact,
                      .seq = 65500,
                      .ts = 0xffffff00u,
                      .ssrc = 0x1234};
    struct jitter_cfg cfg = {{RATE, 20}, min_ms, start_ms, max_ms};
    assert_int_equal(jitter_new(&cfg, &r->j), VA_OK);
    rtp_source_init(&r->source, RATE, 1);
    tone_init(&r->tone, RATE, 1000, -18);
}

static void rig_close(struct rig *r)
{
    jitter_free(&r->j);
    free(r->out);
}

static struct wire *rig_wire(struct rig *r)
{
    for (size_t i = 0; i < WIRE_MAX; i++)
        if (!r->wire[i].used)
            return &r->wire[i];
    fail_msg("the wire is full");
    return NULL;
}

static size_t rig_encode(struct rig *r, uint8_t *p)
{
    int16_t x[FRAME];
    if (r->speech)
        for (size_t i = 0; i < FRAME; i++)
            x[i] = r->speech[r->speech_at++ % r->speech_len];
    else
        tone_fill(&r->tone, x, FRAME);
    if (r->codec == &jitter_pcmu)
        g711_ulaw_encode_block(x, FRAME, p);
    else if (r->codec == &jitter_pcma)
        g711_alaw_encode_block(x, FRAME, p);
    else
        memcpy(p, x, sizeof(x));
    return r->codec == &exact ? sizeof(x) : FRAME;
}

/* One packet leaves, or would. */
static void rig_send(struct rig *r)
{
    struct wire w = {.used = true,
                     .codec = r->codec,
                     .marker = r->marker,
                     .seq = r->seq,
                     .ts = r->ts,
                     .ssrc = r->ssrc};
    w.len = rig_encode(r, w.payload);
    w.arrival_us = (uint64_t)r->sent_us + r->transit_us;
    r->ts += FRAME;
    if (r->pause)
        return;
    r->seq++;
    r->marker = false;
    r->sent++;
    if (r->mute || rig_random(r) < r->loss) {
        r->lost++;
        return;
    }
    w.arrival_us += (uint64_t)(rig_random(r) * (double)r->jitter_us);
    if (w.arrival_us < r->held_until_us)
        w.arrival_us = r->held_until_us;
    *rig_wire(r) = w;
    if (rig_random(r) < r->twice) {
        w.arrival_us += (uint64_t)(rig_random(r) * 30000);
        *rig_wire(r) = w;
    }
}

static void rig_deliver(struct rig *r, struct wire *w)
{
    struct rtp_packet k = {.marker = w->marker,
                           .seq = w->seq,
                           .timestamp = w->ts,
                           .ssrc = w->ssrc,
                           .payload = w->payload,
                           .payload_len = w->len};
    struct rtp_place place;
    enum rtp_verdict v = rtp_source_take(&r->source, &k, w->arrival_us, true, &place);
    if (v == RTP_TAKE || v == RTP_TAKE_ANEW) {
        struct jitter_packet p = {JITTER_AUDIO, w->codec,      place,        k.marker,
                                  k.payload,    k.payload_len, w->arrival_us};
        assert_int_equal(jitter_put(r->j, &p), VA_OK);
    }
    w->used = false;
}

/* All that arrives before the next tick, in order of arrival. */
static void rig_arrive(struct rig *r)
{
    for (;;) {
        struct wire *next = NULL;
        for (size_t i = 0; i < WIRE_MAX; i++)
            if (r->wire[i].used && r->wire[i].arrival_us <= r->now_us &&
                (!next || r->wire[i].arrival_us < next->arrival_us))
                next = &r->wire[i];
        if (!next)
            return;
        rig_deliver(r, next);
    }
}

static enum jitter_frame rig_tick(struct rig *r)
{
    r->now_us += 20000;
    while (r->sent_us <= (double)r->now_us) {
        rig_send(r);
        r->sent_us += r->packet_us;
    }
    rig_arrive(r);
    if (r->out_len + FRAME > r->out_cap) {
        r->out_cap = r->out_cap ? 2 * r->out_cap : 1 << 16;
        r->out = realloc(r->out, r->out_cap * sizeof(*r->out));
        assert_non_null(r->out);
    }
    enum jitter_frame f = jitter_get(r->j, r->now_us, r->out + r->out_len);
    r->out_len += FRAME;
    r->frames[f]++;
    struct jitter_stats s;
    jitter_stats(r->j, &s);
    if (f == JITTER_FRAME_VOICE && s.delay_ms > r->delay_max_ms)
        r->delay_max_ms = s.delay_ms;
    r->delay_sum_ms += s.delay_ms;
    r->delay_count++;
    return f;
}

static void rig_run(struct rig *r, double seconds)
{
    for (int i = 0; i < (int)(seconds * 50); i++)
        (void)rig_tick(r);
}

/* Forget what was heard and measured so far. */
static void rig_forget(struct rig *r)
{
    r->out_len = 0;
    memset(r->frames, 0, sizeof(r->frames));
    r->delay_max_ms = 0;
    r->delay_sum_ms = 0;
    r->delay_count = 0;
}

static void rig_print(const struct rig *r, const char *what)
{
    struct jitter_stats s;
    jitter_stats(r->j, &s);
    print_message(
        "    %s: delay %u ms (mean %.0f, max %u), target %u, sent %llu lost %llu, late %llu "
        "twice %llu discarded %llu, concealed %.0f ms, starved %llu, stretched %llu times "
        "(-%.0f +%.0f ms), spurts %llu\n",
        what, s.delay_ms, r->delay_count ? r->delay_sum_ms / (double)r->delay_count : 0,
        r->delay_max_ms, s.target_ms, (unsigned long long)r->sent, (unsigned long long)r->lost,
        (unsigned long long)s.late, (unsigned long long)(s.duplicates + r->source.duplicates),
        (unsigned long long)s.discarded, (double)s.concealed_samples / 8.0,
        (unsigned long long)s.starvations, (unsigned long long)s.stretches,
        (double)s.cut_samples / 8.0, (double)s.inserted_samples / 8.0,
        (unsigned long long)s.spurts);
}

/* What a step in a sine leaves when the sine itself is taken out, by x[n] − 2 cos ω x[n−1] +
 * x[n−2], relative to its peak: 0 for the sine, 1 for a step as high as the peak. */
static double worst_step(const int16_t *x, size_t n, double hz, double peak, size_t *ret_at)
{
    double c = 2 * cos(6.283185307179586 * hz / RATE), worst = 0;
    for (size_t i = 2; i < n; i++) {
        double e = fabs(x[i] - c * x[i - 1] + x[i - 2]) / peak;
        if (e > worst) {
            worst = e;
            if (ret_at)
                *ret_at = i;
        }
    }
    return worst;
}

/* From one sample to the next. */
static int largest_step(const int16_t *x, size_t n)
{
    int worst = 0;
    for (size_t i = 1; i < n; i++)
        if (abs(x[i] - x[i - 1]) > worst)
            worst = abs(x[i] - x[i - 1]);
    return worst;
}

#endif
