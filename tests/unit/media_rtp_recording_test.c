/* The receive half on what a real FreeSWITCH sent: $VA_SHARED_DIR/recordings/freeswitch/
 * sip-rtp-leg-pcmu-dtmf-hold.pcap: PCMU with tone bursts, the digits 1 2 #, hold and resume. */
#include "media/g711.h"
#include "media/jitter.h"
#include "media/measure.h"
#include "media/telephone_event.h"

#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FS_PORT = 22490, OUR_PORT = 10010, PT_EVENT = 101, MS = 8, CAP = 20 * 8000 };

struct rig {
    struct rtp_source source;
    struct jitter *j;
    struct telephone_event_rx events;
    char digits[16];
    unsigned digit_count, ends;
    int16_t out[CAP];
    size_t out_len;
    int16_t sent[CAP]; /* what the packets hold, each at its timestamp */
    int64_t first_ts;
    size_t packets;
    uint64_t tick_us;
};

static uint32_t get32le(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void on_start(void *arg, uint8_t event, char digit)
{
    struct rig *r = arg;
    (void)event;
    if (r->digit_count < sizeof(r->digits) - 1)
        r->digits[r->digit_count++] = digit;
}

static void on_end(void *arg, uint8_t event, char digit, uint32_t ms)
{
    struct rig *r = arg;
    (void)event;
    (void)digit;
    assert_int_equal(ms, 260); /* FreeSWITCH says so, though it sends them faster */
    r->ends++;
}

static const struct telephone_event_handlers handlers = {on_start, on_end};

static void on_packet(struct rig *r, const uint8_t *p, size_t len, uint64_t now_us)
{
    struct rtp_packet k;
    struct rtp_place place;
    assert_int_equal(rtp_classify(p, len), RTP_IS_RTP);
    assert_int_equal(rtp_read(p, len, &k), VA_OK);
    bool event = k.payload_type == PT_EVENT;
    enum rtp_verdict v = rtp_source_take(&r->source, &k, now_us, !event, &place);
    assert_true(v == RTP_TAKE || v == RTP_TAKE_ANEW);
    if (event)
        telephone_event_rx_push(&r->events, &k, &place, now_us);
    struct jitter_packet jp = {event ? JITTER_EVENT : JITTER_AUDIO,
                               &jitter_pcmu,
                               place,
                               k.marker,
                               k.payload,
                               k.payload_len,
                               now_us};
    assert_int_equal(jitter_put(r->j, &jp), VA_OK);
    r->packets++;
    if (r->packets == 1)
        r->first_ts = place.timestamp;
    size_t at = (size_t)(place.timestamp - r->first_ts);
    if (!event && at + k.payload_len <= CAP)
        g711_ulaw_decode_block(k.payload, k.payload_len, r->sent + at);
}

static void tick_until(struct rig *r, uint64_t now_us)
{
    while (r->tick_us <= now_us && r->out_len + 160 <= CAP) {
        (void)jitter_get(r->j, r->tick_us, r->out + r->out_len);
        telephone_event_rx_poll(&r->events, r->tick_us);
        r->out_len += 160;
        r->tick_us += 20000;
    }
}

/* Ethernet, IPv4 without options, UDP: nothing else is in there. */
static void replay(struct rig *r, FILE *f)
{
    uint8_t head[24], rec[16], frame[65536];
    assert_int_equal(fread(head, 1, 24, f), 24);
    assert_int_equal(get32le(head), 0xa1b2c3d4);
    while (fread(rec, 1, 16, f) == 16) {
        size_t len = get32le(rec + 8);
        assert_true(len <= sizeof(frame) && fread(frame, 1, len, f) == len);
        uint64_t now_us = (uint64_t)get32le(rec) * 1000000u + get32le(rec + 4);
        const uint8_t *udp = frame + 14 + 20;
        if (len < 14 + 20 + 8 || frame[14] != 0x45 || frame[14 + 9] != 17)
            continue;
        if ((udp[0] << 8 | udp[1]) != FS_PORT || (udp[2] << 8 | udp[3]) != OUR_PORT)
            continue;
        if (!r->tick_us)
            r->tick_us = now_us + 7000;
        tick_until(r, now_us);
        on_packet(r, udp + 8, len - (14 + 20 + 8), now_us);
    }
    tick_until(r, r->tick_us + 300000);
}

static double fit_at(const struct rig *r, const int16_t *want, size_t n, size_t at)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (double)want[i] * r->out[at + i];
        aa += (double)want[i] * want[i];
        bb += (double)r->out[at + i] * r->out[at + i];
    }
    return aa * bb > 0 ? ab / sqrt(aa * bb) : 0;
}

/* The best fit of a piece within 20 ms of where the playout delay should put it. */
static double best_fit(const struct rig *r, const int16_t *want, size_t n, size_t guess)
{
    double best = -1;
    for (size_t at = guess > 160 ? guess - 160 : 0; at < guess + 160 && at + n <= r->out_len; at++)
        if (fit_at(r, want, n, at) > best)
            best = fit_at(r, want, n, at);
    return best;
}

static void a_real_leg_is_heard(void **state)
{
    (void)state;
    const char *shared = getenv("VA_SHARED_DIR");
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/recordings/freeswitch/sip-rtp-leg-pcmu-dtmf-hold.pcap",
                   shared ? shared : VA_SOURCE_DIR "/../shared");
    FILE *f = fopen(path, "rb");
    if (!f)
        skip();
    static struct rig r;
    memset(&r, 0, sizeof(r));
    struct jitter_cfg cfg = {{8000, 20}, 60, 60, 200};
    assert_int_equal(jitter_new(&cfg, &r.j), VA_OK);
    rtp_source_init(&r.source, 8000, 1);
    telephone_event_rx_init(&r.events, 8000, &handlers, &r);
    replay(&r, f);
    (void)fclose(f);

    assert_int_equal(r.packets, 561);
    assert_string_equal(r.digits, "12#");
    assert_int_equal(r.ends, 3);
    assert_int_equal(r.events.lost_ends, 0);
    assert_int_equal(rtp_source_lost(&r.source), 0);
    struct jitter_stats s;
    jitter_stats(r.j, &s);
    print_message(
        "    delay %u ms, target %u, network jitter %.1f ms, concealed %.0f ms (hold and end), "
        "starved %llu, spurts %llu, stretched %llu\n",
        s.delay_ms, s.target_ms, (double)rtp_source_jitter_us(&r.source) / 1000,
        (double)s.concealed_samples / MS, (unsigned long long)s.starvations,
        (unsigned long long)s.spurts, (unsigned long long)s.stretches);
    assert_int_equal(s.late + s.discarded + s.broken + s.duplicates, 0);
    /* Nothing to make up but at the hold and at the end. */
    assert_true(s.starvations <= 3);
    assert_true(s.concealed_samples <= 3 * JITTER_STARVED_MS * MS + 3 * 160);

    /* Every 100 ms of what was sent and sounds all the time is found where it belongs. */
    size_t pieces = 0, n = 100 * MS;
    for (size_t at = 0; at + n <= 12 * 8000; at += n) {
        if (measure_rms_dbfs(r.sent + at, n) < -40 ||
            measure_active(r.sent + at, n, 8).len < n - 2 * MS ||
            measure_longest_gap(r.sent + at, n, 8).len > 2 * MS)
            continue;
        double fit = best_fit(&r, r.sent + at, n, at + 60 * MS);
        if (fit < 0.98)
            fail_msg("what was sent at %zu ms fits only by %.3f", at / MS, fit);
        pieces++;
    }
    print_message("    %zu pieces found\n", pieces);
    assert_true(pieces >= 5);
    /* The bursts begin and end with steps of their own; none are added. */
    assert_true(measure_clicks(r.out, r.out_len, 8000, 3000, NULL) <=
                measure_clicks(r.sent, r.out_len, 8000, 3000, NULL));
    jitter_free(&r.j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_real_leg_is_heard)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
