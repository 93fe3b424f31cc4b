/* leg/rtp_stream: two streams through a simulated network. */
#include "unit/rtp_stream_rig.h"

enum { A, B };

/* ---- audio ----------------------------------------------------------------------------------- */

static void carries(enum codec_id id, int rate, double hz_error, double db_error)
{
    struct rig r;
    rig_open(&r, rate);
    rig_agree(&r, id);
    rig_run(&r, 1);
    side_forget(&r.side[A]);
    side_forget(&r.side[B]);
    rig_run(&r, 2);
    for (int i = 0; i < 2; i++) {
        struct side *d = &r.side[i];
        double hz = measure_frequency_hz(d->out, d->out_len, rate);
        double db = measure_tone_dbfs(d->out, d->out_len, rate, i == A ? 1000 : 500);
        struct rtp_stream_stats s = stats_of(d);
        print_message("    %s/%d at %d: %.1f Hz %.2f dBFS, %u ms\n", codec_info(id)->name,
                      codec_info(id)->clock_hz, rate, hz, db, s.jitter.delay_ms);
        assert_true(fabs(hz - (i == A ? 1000 : 500)) < hz_error);
        assert_true(fabs(db + 18) < db_error);
        assert_int_equal(d->firsts, 1);
        assert_int_equal(d->frames[JITTER_FRAME_VOICE], 100);
        assert_int_equal(s.foreign + s.malformed + s.lost + s.send_fails, 0);
        assert_int_equal(s.jitter.concealed_samples, 0);
        assert_true(s.mos_x100 > 400);
    }
    rig_close(&r);
}

static void every_codec_carries_audio_at_every_rate(void **state)
{
    (void)state;
    static const int rates[] = {8000, 16000, 24000, 48000};
    for (size_t i = 0; i < 4; i++)
        for (int id = 0; id < CODEC_COUNT; id++)
            carries((enum codec_id)id, rates[i], 1, id == CODEC_OPUS ? 1 : 0.3);
}

/* Packets of other lengths than our frames, also those that do not divide them. */
static void packets_have_the_length_that_was_agreed(void **state)
{
    (void)state;
    static const int ptimes[] = {10, 20, 30, 40, 60};
    for (size_t i = 0; i < 5; i++) {
        for (int id = 0; id < CODEC_COUNT; id++) {
            struct rig r;
            rig_open(&r, 8000);
            rig_agree(&r, (enum codec_id)id);
            r.side[A].remote.ptime_ms = ptimes[i];
            assert_int_equal(rtp_stream_set_remote(r.side[A].s, &r.side[A].remote), VA_OK);
            rig_run(&r, 1);
            side_forget(&r.side[B]);
            size_t before = r.side[A].sent;
            rig_run(&r, 1.2);
            int ms = codec_ptime(codec_info((enum codec_id)id), ptimes[i]);
            assert_true(abs((int)(r.side[A].sent - before) - 1200 / ms) <= 1);
            struct side *d = &r.side[B];
            assert_int_equal(d->frames[JITTER_FRAME_VOICE], 60);
            assert_true(fabs(measure_frequency_hz(d->out, d->out_len, 8000) - 500) < 1);
            rig_close(&r);
        }
    }
}

/* ---- a bad network --------------------------------------------------------------------------- */

static void a_bad_network_is_survived(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_L16_8K);
    r.loss = 0.05;
    r.jitter_us = 60000;
    r.twice = 0.02;
    rig_run(&r, 10);
    side_forget(&r.side[B]);
    rig_run(&r, 60);
    struct side *d = &r.side[B];
    struct rtp_stream_stats s = stats_of(d);
    side_print(d, "5 % loss, 60 ms jitter");
    /* A step of a 500 Hz tone itself is 0.39 of its peak. */
    double worst = largest_step(d->out, d->out_len) / r.side[A].tone.peak;
    print_message("    largest step %.3f of the peak\n", worst);
    assert_true(worst < 0.55);
    assert_int_equal(measure_clicks(d->out, d->out_len, 8000, 1500, NULL), 0);
    assert_true(s.reordered > 500 && s.duplicates > 30);
    assert_true(d->delay_max_ms <= 200 + 20);
    assert_true(s.lost > 110 && s.lost < 240); /* of 3500 */
    assert_true(s.jitter.concealed_samples > 0 && s.jitter.concealed_samples < 8000 * 7);
    assert_int_equal(d->frames[JITTER_FRAME_SILENCE], 0);
    assert_int_equal(d->firsts, 1);
    assert_true(s.mos_x100 > 200 && s.mos_x100 < 420);
    rig_close(&r);
}

/* Each codec's own concealment, or that of the buffer, at the codec's rate and at others. */
static void loss_is_concealed_for_every_codec(void **state)
{
    (void)state;
    static const int rates[] = {8000, 16000, 48000};
    for (size_t i = 0; i < 3; i++) {
        for (int id = 0; id < CODEC_COUNT; id++) {
            struct rig r;
            rig_open(&r, rates[i]);
            rig_agree(&r, (enum codec_id)id);
            tone_init(&r.side[A].tone, rates[i], 300, -18);
            rig_run(&r, 2);
            r.loss = 0.05;
            side_forget(&r.side[B]);
            rig_run(&r, 10);
            struct side *d = &r.side[B];
            double own = 2 * 3.14159265 * 300 / rates[i] * r.side[A].tone.peak;
            double worst = largest_step(d->out, d->out_len) / own;
            size_t clicks = measure_clicks(d->out, d->out_len, rates[i], 1500, NULL);
            print_message("    %s/%d at %d: largest step %.2f of the tone's own, %zu clicks, "
                          "%.2f dBFS\n",
                          codec_info((enum codec_id)id)->name,
                          codec_info((enum codec_id)id)->clock_hz, rates[i], worst, clicks,
                          measure_rms_dbfs(d->out, d->out_len));
            assert_int_equal(clicks, 0);
            assert_true(worst < 2.5);
            assert_true(fabs(measure_rms_dbfs(d->out, d->out_len) + 18) < 1.2);
            assert_true(stats_of(d).jitter.concealed_samples >=
                        stats_of(d).lost * (size_t)rates[i] / 100);
            rig_close(&r);
        }
    }
}

static void drift_is_followed(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct rig r;
        rig_open(&r, 8000);
        rig_agree(&r, CODEC_L16_8K);
        r.side[A].period_us = 20000 * (1 + sign * 200e-6);
        rig_run(&r, 5);
        side_forget(&r.side[B]);
        rig_run(&r, 600);
        struct side *d = &r.side[B];
        side_print(d, sign < 0 ? "sender 200 ppm fast" : "sender 200 ppm slow");
        double worst = worst_step(d->out, d->out_len, 8000, 500, r.side[A].tone.peak);
        print_message("    worst step %.3f of the peak\n", worst);
        assert_true(worst < 0.1);
        assert_true(d->delay_max_ms < 100);
        assert_int_equal(stats_of(d).jitter.concealed_samples, 0);
        assert_int_equal(stats_of(d).lost, 0);
        assert_true(stats_of(d).jitter.stretches > 0);
        rig_close(&r);
    }
}

static void numbers_wrap_unheard(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    r.side[A].s->out.seq = 65400;
    r.side[A].s->out.timestamp = 0xffffe000u;
    rig_agree(&r, CODEC_L16_8K);
    rig_run(&r, 1);
    side_forget(&r.side[B]);
    rig_run(&r, 5);
    struct side *d = &r.side[B];
    assert_true(r.side[A].s->out.seq < 1000);
    assert_true(worst_step(d->out, d->out_len, 8000, 500, r.side[A].tone.peak) < 0.01);
    assert_int_equal(stats_of(d).lost, 0);
    rig_close(&r);
}

/* The sender begins anew, as a PBX does when it changes what it bridges us to. */
static void another_ssrc_is_taken_over(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_L16_8K);
    rig_run(&r, 2);
    side_forget(&r.side[B]);
    rtp_out_anew(&r.side[A].s->out);
    rig_run(&r, 2);
    struct side *d = &r.side[B];
    side_print(d, "other SSRC");
    assert_true(d->frames[JITTER_FRAME_VOICE] > 90);
    assert_true(measure_clicks(d->out, d->out_len, 8000, 1500, NULL) == 0);
    assert_int_equal(stats_of(d).lost, 0);
    assert_int_equal(stats_of(d).learned, 1);
    rig_close(&r);
}

/* ---- whose audio ----------------------------------------------------------------------------- */

/* A stranger's loud packets of the same look: another SSRC, or the very same numbers. */
static void inject(struct rig *r, const char *ip, uint16_t port, bool same_numbers)
{
    uint8_t p[RTP_HEADER_BYTES + 320];
    struct net_addr from = addr_of(ip, port);
    struct rtp_out *out = &r->side[A].s->out;
    static uint16_t seq = 100;
    static uint32_t ts = 5000;
    struct rtp_packet k = {.payload_type = (uint8_t)r->side[B].remote.receive[0].pt,
                           .seq = same_numbers ? (uint16_t)(out->seq + 1) : seq++,
                           .timestamp = same_numbers ? out->timestamp + out->units : (ts += 160),
                           .ssrc = same_numbers ? out->ssrc : 0xbadbad,
                           .payload = p + RTP_HEADER_BYTES,
                           .payload_len = 320};
    size_t len = 0;
    for (size_t i = 0; i < 320; i++)
        p[RTP_HEADER_BYTES + i] = (uint8_t)(i % 4 < 2 ? 0x7f : 0x80);
    assert_int_equal(rtp_write(&k, p, sizeof(p), &len), VA_OK);
    rtp_stream_take(r->side[B].s, false, &from, p, len, clock_mono_us(&r->clock.base));
}

static void a_second_sender_is_not_heard(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_L16_8K);
    r.side[B].remote.learn = true; /* also where NAT is allowed for */
    assert_int_equal(rtp_stream_set_remote(r.side[B].s, &r.side[B].remote), VA_OK);
    rig_run(&r, 1);
    side_forget(&r.side[B]);
    for (int i = 0; i < 100; i++) {
        inject(&r, "203.0.113.9", 4000, false);
        inject(&r, "192.0.2.1", 4002, true); /* the right host is not enough */
        rig_run(&r, 0.02);
    }
    struct side *d = &r.side[B];
    struct rtp_stream_stats s = stats_of(d);
    assert_int_equal(s.foreign, 200);
    assert_int_equal(s.moved, 0);
    assert_true(worst_step(d->out, d->out_len, 8000, 500, r.side[A].tone.peak) < 0.01);
    assert_true(net_addr_eq(&s.source, &r.side[A].at));
    struct leg_stats ls;
    rtp_stream_leg_stats(d->s, &ls);
    assert_int_equal(ls.foreign, 200);
    rig_close(&r);
}

static void a_source_behind_nat_is_learned_once(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    struct side *d = &r.side[B];
    d->remote.rtp = addr_of("10.1.1.1", 30000); /* what the far end thinks it has */
    d->remote.learn = true;
    assert_int_equal(rtp_stream_set_remote(d->s, &d->remote), VA_OK);
    rig_run(&r, 1);
    struct rtp_stream_stats s = stats_of(d);
    assert_int_equal(s.moved, 1);
    assert_true(net_addr_eq(&s.source, &r.side[A].at));
    assert_true(net_addr_eq(&d->last_to, &r.side[A].at)); /* and that is where ours goes */
    assert_int_equal(s.foreign, RTP_STREAM_LEARN_PACKETS - 1);
    assert_int_equal(d->firsts, 1);
    inject(&r, "10.1.1.1", 30000, false); /* too late */
    assert_int_equal(stats_of(d).foreign, RTP_STREAM_LEARN_PACKETS);
    /* A re-INVITE with the same address: what was heard goes on without a gap. */
    side_forget(d);
    assert_int_equal(rtp_stream_set_remote(d->s, &d->remote), VA_OK);
    rig_run(&r, 1);
    assert_int_equal(d->frames[JITTER_FRAME_VOICE], 50);
    assert_int_equal(stats_of(d).foreign, RTP_STREAM_LEARN_PACKETS);
    rig_close(&r);
}

static void nothing_is_learned_where_it_is_not_allowed(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    struct side *d = &r.side[B];
    d->remote.rtp = addr_of("10.1.1.1", 30000);
    assert_int_equal(rtp_stream_set_remote(d->s, &d->remote), VA_OK);
    rig_run(&r, 1);
    assert_int_equal(stats_of(d).packets_in, 0);
    assert_int_equal(stats_of(d).learned, 0);
    assert_int_equal(d->firsts, 0);
    assert_true(stats_of(d).foreign >= 48);
    assert_true(net_addr_eq(&d->last_to, &d->remote.rtp));
    rig_close(&r);
}

/* Two strangers that take turns are no run, and the one SDP names wins whenever it speaks. */
static void the_named_source_wins(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_L16_8K);
    struct side *d = &r.side[B];
    d->remote.learn = true;
    assert_int_equal(rtp_stream_set_remote(d->s, &d->remote), VA_OK);
    for (int i = 0; i < 31; i++)
        inject(&r, i % 2 ? "203.0.113.9" : "203.0.113.8", 4000, false);
    for (int i = 0; i < RTP_STREAM_LEARN_PACKETS - 1; i++)
        inject(&r, "203.0.113.9", 4000, false);
    assert_int_equal(stats_of(d).learned, 0);
    rig_run(&r, 1);
    assert_true(net_addr_eq(&d->s->source, &r.side[A].at));
    rig_close(&r);
}

static void a_new_address_is_learned_anew(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    rig_run(&r, 1);
    struct side *d = &r.side[B];
    struct net_addr old = r.side[A].at;
    r.side[A].at = d->remote.rtp = addr_of("192.0.2.77", 9000);
    assert_int_equal(rtp_stream_set_remote(d->s, &d->remote), VA_OK);
    inject(&r, "192.0.2.1", 4000, false);
    assert_int_equal(stats_of(d).foreign, 1); /* the old one is a stranger now */
    rig_run(&r, 1);
    assert_true(net_addr_eq(&d->s->source, &r.side[A].at));
    assert_true(net_addr_eq(&d->last_to, &r.side[A].at));
    assert_false(net_addr_eq(&d->last_to, &old));
    assert_int_equal(d->firsts, 1);
    rig_close(&r);
}

/* ---- hold ------------------------------------------------------------------------------------ */

static uint32_t timestamp_of(const uint8_t *p)
{
    return (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
}

static uint16_t seq_of(const uint8_t *p)
{
    return (uint16_t)(p[2] << 8 | p[3]);
}

static void hold_stops_and_resume_goes_on(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_L16_8K);
    rig_run(&r, 2);
    struct side *a = &r.side[A], *b = &r.side[B];
    assert_int_equal(a->markers, 1);
    uint16_t seq = seq_of(a->last);
    uint32_t ts = timestamp_of(a->last);
    set_direction_of(a, RTP_INACTIVE);
    set_direction_of(b, RTP_INACTIVE);
    size_t sent = a->sent, got = (size_t)stats_of(b).packets_in;
    rig_run(&r, 3);
    assert_int_equal(stats_of(b).unexpected, 1); /* was on its way */
    assert_int_equal(a->sent, sent);
    side_forget(b);
    rig_run(&r, 1);
    for (size_t i = 0; i < b->out_len; i++)
        assert_int_equal(b->out[i], 0);
    set_direction_of(a, RTP_SENDRECV);
    set_direction_of(b, RTP_SENDRECV);
    side_forget(b);
    rig_run(&r, 2);
    assert_int_equal(a->markers, 2); /* a talk spurt begins */
    uint32_t ticks = (uint32_t)(a->sent - sent) + 200;
    assert_int_equal(timestamp_of(a->last), ts + ticks * 160);
    assert_int_equal(seq_of(a->last), (uint16_t)(seq + (a->sent - sent)));
    assert_true(stats_of(b).packets_in > got + 95);
    assert_int_equal(stats_of(b).lost, 0);
    assert_true(b->frames[JITTER_FRAME_VOICE] > 90);
    assert_int_equal(measure_clicks(b->out, b->out_len, 8000, 1500, NULL), 0);
    rig_close(&r);
}

/* The media clock skips ticks in a stall. */
static void skipped_ticks_are_time_all_the_same(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    rig_run(&r, 1.0);
    struct side *d = &r.side[A];
    uint32_t before = d->s->out.timestamp;
    int16_t frame[160] = {0};
    rig_goto(&r, (uint64_t)d->tick_us + 15000); /* late, but none is missing */
    rtp_stream_send(d->s, frame, 160);
    assert_int_equal(d->s->out.timestamp - before, 160);
    rig_goto(&r, (uint64_t)d->tick_us + 5 * 20000 + 2000); /* four are */
    rtp_stream_send(d->s, frame, 160);
    assert_int_equal(d->s->out.timestamp - before, 6 * 160);
    rig_close(&r);
}

/* Whoever goes on sending keeps another step. */
static void a_new_step_has_the_timestamp_of_its_time(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    rig_run(&r, 1.0);
    struct side *d = &r.side[A];
    int16_t frame[160] = {0};
    rtp_stream_send(d->s, frame, 160);
    uint64_t at = loop_now_us(d->s->loop);
    uint32_t before = d->s->out.timestamp;
    size_t markers = d->markers;
    rig_goto(&r, at + 33000);
    rtp_stream_new_step(d->s);
    rtp_stream_send(d->s, frame, 160);
    assert_int_equal(d->markers, markers);
    assert_int_equal(timestamp_of(d->last), before + 13 * 8);
    rig_goto(&r, at + 53000);
    rtp_stream_send(d->s, frame, 160);
    assert_int_equal(d->markers, markers);
    assert_int_equal(timestamp_of(d->last), before + 13 * 8 + 160);
    rig_close(&r);
}

/* Held with music: we hear and do not speak; the hole in the NAT stays open. */
static void music_on_hold_is_heard(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    rig_run(&r, 1);
    struct side *a = &r.side[A], *b = &r.side[B];
    set_direction_of(b, RTP_RECVONLY);
    set_direction_of(a, RTP_SENDONLY);
    size_t sent = b->sent;
    side_forget(b);
    rig_run(&r, 31);
    assert_true(b->frames[JITTER_FRAME_VOICE] > 1500);
    assert_true(b->sent == sent + 1 || b->sent == sent + 2); /* the keep-alive, and no audio */
    assert_int_equal(b->last_len, RTP_HEADER_BYTES);
    assert_int_equal(b->last[1], RTP_STREAM_PT_KEEPALIVE);
    rig_close(&r);
}

/* c=0.0.0.0, as old PBXs say it. */
static void nowhere_is_no_destination(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    rig_run(&r, 1);
    struct side *a = &r.side[A];
    a->remote.rtp = addr_of("0.0.0.0", 5000);
    assert_int_equal(rtp_stream_set_remote(a->s, &a->remote), VA_OK);
    size_t sent = a->sent;
    rig_run(&r, 1);
    assert_int_equal(a->sent, sent);
    assert_int_equal(stats_of(a).send_fails, 0);
    rig_close(&r);
}

/* ---- another codec --------------------------------------------------------------------------- */

static void the_codec_may_change(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 16000);
    rig_agree(&r, CODEC_PCMU);
    rig_run(&r, 2);
    static const enum codec_id next[] = {CODEC_G722, CODEC_OPUS, CODEC_L16_16K,
                                         CODEC_PCMA, CODEC_PCMU, CODEC_OPUS};
    for (size_t i = 0; i < sizeof(next) / sizeof(*next); i++) {
        uint32_t ssrc = r.side[A].s->out.ssrc;
        int clock = codec_info_of(r.side[A].s->out.codec)->clock_hz;
        side_forget(&r.side[B]);
        rig_agree(&r, next[i]);
        rig_run(&r, 2);
        struct side *d = &r.side[B];
        assert_true((ssrc == r.side[A].s->out.ssrc) == (clock == codec_info(next[i])->clock_hz));
        assert_int_equal(measure_clicks(d->out, d->out_len, 16000, 1500, NULL), 0);
        assert_true(d->frames[JITTER_FRAME_VOICE] > 85);
        assert_int_equal(d->firsts, 1);
        size_t n = d->out_len / 2;
        assert_true(fabs(measure_frequency_hz(d->out + n, n, 16000) - 500) < 1);
    }
    rig_close(&r);
}

static void what_was_not_agreed_is_refused(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_L16_8K);
    rig_run(&r, 1);
    struct side *b = &r.side[B];
    /* Other types and short or foreign datagrams change nothing. */
    uint8_t p[200] = {0x80, 77, 0, 1};
    rtp_stream_take(b->s, false, &r.side[A].at, p, sizeof(p), 2000000);
    for (size_t i = 0; i < sizeof(p); i++)
        rtp_stream_take(b->s, i % 2, &r.side[A].at, p, i, 2000000);
    assert_int_equal(stats_of(b).malformed, 201);
    /* Agreements that are none. */
    struct rtp_stream_remote bad = b->remote;
    bad.receive_count = 0;
    assert_int_equal(rtp_stream_set_remote(b->s, &bad), VA_EINVAL);
    bad = b->remote;
    bad.receive[1].pt = bad.receive[0].pt;
    assert_int_equal(rtp_stream_set_remote(b->s, &bad), VA_EINVAL);
    bad = b->remote;
    bad.ptime_ms = 25;
    assert_int_equal(rtp_stream_set_remote(b->s, &bad), VA_EINVAL);
    bad = b->remote;
    bad.send.codec = NULL;
    assert_int_equal(rtp_stream_set_remote(b->s, &bad), VA_EINVAL);
    bad = b->remote;
    bad.send.pt = 128;
    assert_int_equal(rtp_stream_set_remote(b->s, &bad), VA_EINVAL);
    bad = b->remote;
    sdes_make(SDES_AES_CM_128_SHA1_80, 1, &bad.send_key);
    assert_int_equal(rtp_stream_set_remote(b->s, &bad), VA_EINVAL);
    side_forget(b);
    rig_run(&r, 1);
    assert_int_equal(b->frames[JITTER_FRAME_VOICE], 50);
    rig_close(&r);
}

/* ---- comfort noise --------------------------------------------------------------------------- */

static void comfort_noise_fills_a_pause(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    rig_run(&r, 1);
    struct side *a = &r.side[A], *b = &r.side[B];
    a->silent_sender = true; /* its voice activity detection */
    uint8_t p[RTP_HEADER_BYTES + 1];
    p[RTP_HEADER_BYTES] = 45;
    struct rtp_packet k = {.payload_type = PT_NOISE,
                           .seq = a->s->out.seq++,
                           .timestamp = a->s->out.timestamp,
                           .ssrc = a->s->out.ssrc,
                           .payload = p + RTP_HEADER_BYTES,
                           .payload_len = 1};
    size_t len = 0;
    assert_int_equal(rtp_write(&k, p, sizeof(p), &len), VA_OK);
    rig_fly(&r, B, false, p, len, clock_mono_us(&r.clock.base) + r.transit_us);
    rig_run(&r, 0.5);
    side_forget(b);
    rig_run(&r, 1);
    assert_int_equal(b->frames[JITTER_FRAME_SILENCE], 50);
    assert_true(fabs(measure_rms_dbfs(b->out, b->out_len) + 45) < 1.5);
    assert_int_equal(stats_of(b).lost, 0);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_carries_audio_at_every_rate),
        cmocka_unit_test(packets_have_the_length_that_was_agreed),
        cmocka_unit_test(a_bad_network_is_survived),
        cmocka_unit_test(loss_is_concealed_for_every_codec),
        cmocka_unit_test(drift_is_followed),
        cmocka_unit_test(numbers_wrap_unheard),
        cmocka_unit_test(another_ssrc_is_taken_over),
        cmocka_unit_test(a_second_sender_is_not_heard),
        cmocka_unit_test(a_source_behind_nat_is_learned_once),
        cmocka_unit_test(nothing_is_learned_where_it_is_not_allowed),
        cmocka_unit_test(the_named_source_wins),
        cmocka_unit_test(a_new_address_is_learned_anew),
        cmocka_unit_test(hold_stops_and_resume_goes_on),
        cmocka_unit_test(skipped_ticks_are_time_all_the_same),
        cmocka_unit_test(a_new_step_has_the_timestamp_of_its_time),
        cmocka_unit_test(music_on_hold_is_heard),
        cmocka_unit_test(nowhere_is_no_destination),
        cmocka_unit_test(the_codec_may_change),
        cmocka_unit_test(what_was_not_agreed_is_refused),
        cmocka_unit_test(comfort_noise_fills_a_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
