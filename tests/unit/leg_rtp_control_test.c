/* leg/rtp_stream: digits, reports, SRTP, life; and the same over real sockets. */
#include "unit/rtp_stream_rig.h"

enum { A, B };

/* ---- digits ---------------------------------------------------------------------------------- */

static void queue_digits(struct side *d, const char *digits)
{
    for (; *digits; digits++)
        assert_int_equal(rtp_stream_send_digit(d->s, *digits, 0), VA_OK);
}

static void digits_go_both_ways(void **state)
{
    (void)state;
    for (int id = 0; id < CODEC_COUNT; id++) {
        struct rig r;
        rig_open(&r, 8000);
        rig_agree(&r, (enum codec_id)id);
        rig_run(&r, 0.5);
        queue_digits(&r.side[A], "0123456789*#");
        queue_digits(&r.side[B], "abcd");
        rig_run(&r, 4);
        assert_string_equal(r.side[B].digits, "0123456789*#");
        assert_string_equal(r.side[A].digits, "ABCD");
        struct rtp_stream_stats s = stats_of(&r.side[B]);
        assert_int_equal(s.digits_in, 12);
        assert_int_equal(s.digits_out, 4);
        assert_int_equal(s.lost + s.malformed, 0);
        assert_int_equal(s.jitter.concealed_samples, 0); /* no audio is no loss */
        rig_close(&r);
    }
}

/* Loss, doubles and disorder: each digit once as long as one of its packets comes. */
static void digits_come_once_over_a_bad_network(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    r.loss = 0.1;
    r.twice = 0.2;
    r.jitter_us = 40000;
    rig_run(&r, 0.5);
    for (int i = 0; i < 4; i++) {
        queue_digits(&r.side[A], "112233445566");
        rig_run(&r, 4);
    }
    assert_string_equal(r.side[B].digits, "112233445566112233445566112233445566112233445566");
    rig_close(&r);
}

/* All that follows the first packet is lost: the digit was told, and the next one is another. */
static void a_lost_end_is_no_lost_digit(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    rig_run(&r, 0.5);
    for (int i = 0; i < 3; i++) {
        queue_digits(&r.side[A], "7");
        rig_run(&r, 0.05);
        assert_int_equal(r.side[B].digit_count, (size_t)i + 1);
        r.loss = 1;
        rig_run(&r, 0.3);
        r.loss = 0;
        rig_run(&r, 0.1);
    }
    assert_string_equal(r.side[B].digits, "777");
    assert_true(r.side[B].s->events.lost_ends >= 2);
    rig_close(&r);
}

static void a_digit_lasts_as_long_as_was_asked(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    rig_run(&r, 0.1);
    size_t events = 0, ends = 0;
    unsigned duration = 0;
    queue_digits(&r.side[A], "5");
    for (int i = 0; i < 20; i++) {
        rig_run(&r, 0.02);
        const uint8_t *p = r.side[A].last;
        if ((p[1] & 127) != PT_EVENT)
            continue;
        events++;
        ends += p[RTP_HEADER_BYTES + 1] >> 7;
        duration = (unsigned)(p[RTP_HEADER_BYTES + 2] << 8 | p[RTP_HEADER_BYTES + 3]);
        assert_int_equal(p[1] >> 7, events == 1);
    }
    assert_int_equal(duration, RTP_STREAM_DIGIT_MS * 8);
    assert_int_equal(ends, 3);
    assert_int_equal(events, RTP_STREAM_DIGIT_MS / 20 + 2);
    rig_close(&r);
}

static void digits_that_cannot_be_sent_are_refused(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    assert_int_equal(rtp_stream_send_digit(r.side[A].s, '1', 0), VA_ENOTSUP); /* no remote */
    rig_agree(&r, CODEC_PCMU);
    assert_int_equal(rtp_stream_send_digit(r.side[A].s, 'x', 0), VA_EINVAL);
    for (int i = 0; i < TELEPHONE_EVENT_QUEUE; i++)
        assert_int_equal(rtp_stream_send_digit(r.side[A].s, '1', 0), VA_OK);
    assert_int_equal(rtp_stream_send_digit(r.side[A].s, '1', 0), VA_ELIMIT);
    rtp_stream_clear_digits(r.side[A].s);
    rig_run(&r, 1);
    assert_int_equal(r.side[B].digit_count, 0);
    r.side[A].remote.send_event.clock_hz = 0;
    assert_int_equal(rtp_stream_set_remote(r.side[A].s, &r.side[A].remote), VA_OK);
    assert_int_equal(rtp_stream_send_digit(r.side[A].s, '1', 0), VA_ENOTSUP);
    rig_close(&r);
}

/* ---- reports --------------------------------------------------------------------------------- */

static void reports_tell_of_the_other_side(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    r.transit_us = 40000;
    r.loss = 0.1;
    r.jitter_us = 5000;
    rig_run(&r, 60);
    for (int i = 0; i < 2; i++) {
        struct side *d = &r.side[i];
        struct rtp_stream_stats s = stats_of(d);
        side_print(d, i ? "B" : "A");
        assert_true(s.rtcp_out >= 8 && s.rtcp_out <= 24); /* some 13 */
        assert_true(s.rtcp_in >= 3);
        assert_true(s.round_trip_us > 80000 && s.round_trip_us < 92000);
        assert_true(s.far_loss_of_256 > 0 && s.far_loss_of_256 < 80);
        assert_true(s.far_jitter_us > 500 && s.far_jitter_us < 5000);
        /* Not muxed: the port behind that of the audio. */
        assert_int_equal(net_addr_port(&d->last_rtcp_to), net_addr_port(&d->last_to) + 1);
    }
    rig_close(&r);
}

static struct rtcp_item find_item(const struct side *d, uint8_t type)
{
    struct rtcp_item item;
    size_t at = 0;
    assert_int_equal(rtcp_check(d->last_rtcp, d->last_rtcp_len), VA_OK);
    while (rtcp_next(d->last_rtcp, d->last_rtcp_len, &at, &item))
        if (item.type == type)
            return item;
    fail_msg("no item of type %u", type);
    return item;
}

static void a_report_is_true(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    struct side *a = &r.side[A], *b = &r.side[B];
    set_direction_of(b, RTP_RECVONLY);
    rig_run(&r, 14); /* less than a keep-alive, which would make it a sender */
    struct rtcp_item sr = find_item(a, RTCP_SR), rr = find_item(b, RTCP_RR);
    assert_int_equal(sr.ssrc, a->s->out.ssrc);
    assert_true(sr.packets > 300 && sr.packets <= 1000);
    assert_int_equal(sr.octets, sr.packets * 160);
    assert_int_equal(rr.block_count, 1);
    assert_int_equal(rr.blocks[0].ssrc, a->s->out.ssrc);
    assert_int_equal(rr.blocks[0].lost, 0);
    assert_true(rr.blocks[0].last_sr != 0);
    struct rtcp_item sdes = find_item(a, RTCP_SDES);
    assert_int_equal(sdes.text_len, strlen(a->s->cname));
    assert_memory_equal(sdes.text, a->s->cname, sdes.text_len);
    /* The timestamp of a report stands on the line of the packets' own. */
    rtp_reports_send(a->s, false);
    sr = find_item(a, RTCP_SR);
    int32_t off = (int32_t)(sr.rtp_timestamp - a->s->out.timestamp);
    assert_true(off >= 0 && off <= 160);
    rig_close(&r);
}

static void bye_is_said_and_understood(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    rig_run(&r, 1);
    rtp_stream_close(&r.side[A].s);
    rig_run(&r, 1);
    assert_true(stats_of(&r.side[B]).bye);
    assert_int_equal(find_item(&r.side[A], RTCP_BYE).type, RTCP_BYE);
    rig_close(&r);
    /* Nobody was spoken to, so nobody is told. */
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    rtp_stream_close(&r.side[A].s);
    assert_int_equal(r.side[A].last_rtcp_len, 0);
    rig_close(&r);
}

static void reports_share_the_port_when_agreed(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    for (int i = 0; i < 2; i++) {
        r.side[i].remote.mux = true;
        assert_int_equal(rtp_stream_set_remote(r.side[i].s, &r.side[i].remote), VA_OK);
    }
    rig_run(&r, 20);
    assert_true(net_addr_eq(&r.side[A].last_rtcp_to, &r.side[B].at));
    assert_true(stats_of(&r.side[A]).rtcp_in >= 2);
    assert_true(stats_of(&r.side[A]).round_trip_us > 0);
    /* From elsewhere they mean nothing. */
    struct net_addr from = addr_of("192.0.2.2", 5001);
    uint64_t in = stats_of(&r.side[A]).rtcp_in;
    rtp_stream_take(r.side[A].s, false, &from, r.side[B].last_rtcp, r.side[B].last_rtcp_len,
                    clock_mono_us(&r.clock.base));
    assert_int_equal(stats_of(&r.side[A]).rtcp_in, in);
    assert_int_equal(stats_of(&r.side[A]).foreign, 1);
    rig_close(&r);
}

/* Somebody else's report that goes astray, from the right host even, moves nothing. */
static void a_stray_report_is_no_report(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    rig_run(&r, 1);
    struct side *a = &r.side[A];
    struct net_addr from = addr_of("192.0.2.2", 7777);
    uint8_t p[200];
    size_t len = 0;
    for (int i = 0; i < 2; i++) {
        struct rtcp_report rep = {.ssrc = i ? r.side[B].s->out.ssrc : 0xabcdef, .cname = "x"};
        assert_int_equal(rtcp_write(&rep, p, sizeof(p), &len), VA_OK);
        rtp_stream_take(a->s, true, &from, p, len, clock_mono_us(&r.clock.base));
        assert_int_equal(stats_of(a).rtcp_in, i);
        assert_int_equal(stats_of(a).foreign, 1);
        rtp_reports_send(a->s, false);
        /* The second one is by the right sender, behind a NAT: that is where ours go now. */
        assert_int_equal(net_addr_port(&a->last_rtcp_to), i ? 7777 : 5001);
    }
    net_addr_set_port(&from, 7778);
    rtp_stream_take(a->s, true, &from, p, len, clock_mono_us(&r.clock.base));
    assert_int_equal(stats_of(a).foreign, 2); /* locked */
    rig_close(&r);
}

/* Our own SSRC, used by the far end: we take another, once. */
static void a_collision_is_avoided(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    r.side[A].s->out.ssrc = r.side[B].s->out.ssrc = 0x5555;
    rig_agree(&r, CODEC_PCMU);
    rig_run(&r, 2);
    assert_true(r.side[A].s->out.ssrc != r.side[B].s->out.ssrc);
    assert_true(r.side[B].frames[JITTER_FRAME_VOICE] > 80);
    rig_close(&r);
}

/* ---- SRTP ------------------------------------------------------------------------------------ */

static void agree_keys(struct rig *r, enum sdes_suite suite)
{
    struct sdes_crypto a, b;
    sdes_make(suite, 1, &a);
    sdes_make(suite, 1, &b);
    for (int i = 0; i < 2; i++) {
        struct side *d = &r->side[i];
        d->remote.send_key = i ? b : a;
        d->remote.receive_key = i ? a : b;
        assert_int_equal(rtp_stream_set_remote(d->s, &d->remote), VA_OK);
    }
}

static void secure_audio(enum sdes_suite suite, size_t tag)
{
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_L16_8K);
    agree_keys(&r, suite);
    r.side[A].s->out.seq = 65300; /* over a wrap: the roll-over counter */
    rig_run(&r, 0.5);
    queue_digits(&r.side[A], "42");
    rig_run(&r, 3);
    struct side *b = &r.side[B];
    side_forget(b);
    rig_run(&r, 40);
    assert_int_equal(r.side[A].last_len, RTP_HEADER_BYTES + 320 + tag);
    assert_true(worst_step(b->out, b->out_len, 8000, 500, r.side[A].tone.peak) < 0.01);
    struct rtp_stream_stats s = stats_of(b);
    assert_int_equal(s.forged + s.replayed + s.malformed + s.lost, 0);
    assert_string_equal(b->digits, "42");
    assert_true(s.rtcp_in >= 2 && s.round_trip_us > 0);
    rig_close(&r);
}

static void both_suites_carry_audio_digits_and_reports(void **state)
{
    (void)state;
    secure_audio(SDES_AES_CM_128_SHA1_80, 10);
    secure_audio(SDES_AES_CM_128_SHA1_32, 4);
}

static void forged_and_replayed_packets_are_counted(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_L16_8K);
    agree_keys(&r, SDES_AES_CM_128_SHA1_80);
    rig_run(&r, 1);
    struct side *a = &r.side[A], *b = &r.side[B];
    side_forget(b);
    uint64_t now = clock_mono_us(&r.clock.base);
    uint8_t p[DATAGRAM_MAX];
    memcpy(p, a->last, a->last_len);
    /* Each bit of it counts. It is on its way: what was taken already would be called replayed. */
    uint64_t before = stats_of(b).packets_in;
    for (size_t i = 2; i < a->last_len; i++) {
        p[i] ^= (uint8_t)(1 << i % 8);
        rtp_stream_take(b->s, false, &a->at, p, a->last_len, now);
        p[i] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t i = 12; i < a->last_len; i++)
        rtp_stream_take(b->s, false, &a->at, p, i, now);
    assert_int_equal(stats_of(b).packets_in, before);
    assert_true(stats_of(b).forged + stats_of(b).replayed == 2 * a->last_len - 14);
    assert_true(stats_of(b).replayed <= 2); /* those whose number was changed */
    uint64_t replayed = stats_of(b).replayed;
    rtp_stream_take(b->s, false, &a->at, p, a->last_len, now);
    assert_int_equal(stats_of(b).packets_in, before + 1);
    for (int i = 0; i < 3; i++)
        rtp_stream_take(b->s, false, &a->at, p, a->last_len, now);
    assert_int_equal(stats_of(b).packets_in, before + 1);
    assert_int_equal(stats_of(b).replayed, replayed + 3);
    /* A report without a key. */
    struct rtcp_report rep = {.ssrc = a->s->out.ssrc, .cname = "x", .bye = true};
    size_t len = 0;
    struct net_addr from = a->at;
    net_addr_set_port(&from, 4001);
    assert_int_equal(rtcp_write(&rep, p, sizeof(p), &len), VA_OK);
    rtp_stream_take(b->s, true, &from, p, len, now);
    assert_false(stats_of(b).bye);
    rig_run(&r, 1);
    assert_int_equal(b->frames[JITTER_FRAME_VOICE], 50);
    assert_true(worst_step(b->out, b->out_len, 8000, 500, a->tone.peak) < 0.01);
    rig_close(&r);
}

/* The source is learned only from what the key vouches for. */
static void a_stranger_without_the_key_is_not_learned(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    agree_keys(&r, SDES_AES_CM_128_SHA1_80);
    struct side *b = &r.side[B];
    b->remote.learn = true;
    b->remote.rtp = addr_of("10.1.1.1", 3000);
    assert_int_equal(rtp_stream_set_remote(b->s, &b->remote), VA_OK);
    uint8_t p[200] = {0x80, 0};
    struct net_addr from = addr_of("203.0.113.1", 4000);
    for (uint8_t i = 0; i < 20; i++) {
        p[3] = i;
        rtp_stream_take(b->s, false, &from, p, sizeof(p), 1000000);
    }
    assert_int_equal(stats_of(b).forged, 20);
    assert_int_equal(stats_of(b).learned, 0);
    rig_run(&r, 1);
    assert_true(net_addr_eq(&b->s->source, &r.side[A].at));
    rig_close(&r);
}

static void keys_may_change(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_L16_8K);
    agree_keys(&r, SDES_AES_CM_128_SHA1_80);
    rig_run(&r, 1);
    struct secure *same = r.side[B].s->secure;
    assert_int_equal(rtp_stream_set_remote(r.side[B].s, &r.side[B].remote), VA_OK);
    assert_ptr_equal(same, r.side[B].s->secure); /* a hold keeps the count */
    agree_keys(&r, SDES_AES_CM_128_SHA1_32);
    rig_run(&r, 1);
    assert_int_equal(stats_of(&r.side[B]).forged, 1); /* was on its way */
    side_forget(&r.side[B]);
    rig_run(&r, 1);
    assert_int_equal(r.side[B].frames[JITTER_FRAME_VOICE], 50);
    /* And back to none. */
    rig_agree(&r, CODEC_L16_8K);
    rig_run(&r, 0.5);
    side_forget(&r.side[B]);
    rig_run(&r, 1);
    assert_int_equal(r.side[B].frames[JITTER_FRAME_VOICE], 50);
    rig_close(&r);
}

/* More senders than are remembered, all with the right key. */
static void senders_are_bounded(void **state)
{
    (void)state;
    struct sdes_crypto k, other;
    struct secure *tx = NULL, *rx = NULL;
    sdes_make(SDES_AES_CM_128_SHA1_80, 1, &k);
    sdes_make(SDES_AES_CM_128_SHA1_80, 1, &other);
    assert_int_equal(secure_new(&k, &other, &tx), VA_OK);
    assert_int_equal(secure_new(&other, &k, &rx), VA_OK);
    uint8_t first[100];
    size_t first_len = 0, len = 0;
    for (uint8_t i = 0; i < 2 * SECURE_SENDERS_MAX; i++) {
        _Alignas(4) uint8_t p[20 + SECURE_GROWTH] = {0x80, 0, 0, 1, [11] = i};
        size_t n = secure_seal(tx, false, p, 20);
        assert_int_equal(n, 30);
        if (!i) {
            first_len = n;
            memcpy(first, p, n);
        }
        assert_int_equal(secure_open(rx, false, p, n, &len), SECURE_OK);
        assert_int_equal(len, 20);
    }
    /* The first one is forgotten, which is what the bound costs: it is new again. */
    _Alignas(4) uint8_t p[100];
    memcpy(p, first, first_len);
    assert_int_equal(secure_open(rx, false, p, first_len, &len), SECURE_OK);
    memcpy(p, first, first_len);
    assert_int_equal(secure_open(rx, false, p, first_len, &len), SECURE_REPLAYED);
    secure_free(&tx);
    secure_free(&rx);
}

/* FreeSWITCH shortens the tag of its reports under _32, others do not: each is answered in kind. */
static void the_tag_of_reports_follows_the_far_end(void **state)
{
    (void)state;
    struct sdes_crypto k, other;
    sdes_make(SDES_AES_CM_128_SHA1_32, 1, &k);
    sdes_make(SDES_AES_CM_128_SHA1_32, 1, &other);
    for (size_t tag = 4; tag <= 10; tag += 6) {
        struct secure *far = NULL, *near = NULL;
        _Alignas(4) uint8_t p[24 + SECURE_GROWTH];
        static const uint8_t report[24] = {0x80, 201, 0, 1, 1, 2, 3, 4, 0x80, 201, 0, 3};
        size_t len = 0, sealed = 0;
        assert_int_equal(secure_new(&k, &other, &far), VA_OK);
        assert_int_equal(secure_new(&other, &k, &near), VA_OK);
        memcpy(p, report, sizeof(report));
        assert_int_equal(secure_seal(near, true, p, sizeof(report)), 0); /* not settled */
        if (tag == 4)
            secure_shorten(far);
        do
            memcpy(p, report, sizeof(report));
        while (!(sealed = secure_seal(far, true, p, sizeof(report))));
        assert_int_equal(sealed, sizeof(report) + 4 + tag);
        assert_int_equal(secure_open(near, true, p, sealed, &len), SECURE_OK);
        assert_int_equal(len, sizeof(report));
        memcpy(p, report, sizeof(report));
        sealed = secure_seal(near, true, p, sizeof(report));
        assert_int_equal(sealed, sizeof(report) + 4 + tag);
        assert_int_equal(secure_open(far, true, p, sealed, &len), SECURE_OK);
        p[9] ^= 1;
        assert_true(secure_open(far, true, p, sealed, &len) != SECURE_OK);
        secure_free(&far);
        secure_free(&near);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

static void a_handler_may_close(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    r.side[B].close_in_handler = true;
    rig_run(&r, 1);
    assert_null(r.side[B].s);
    assert_int_equal(r.side[B].firsts, 1);
    rig_close(&r);
    rig_open(&r, 8000);
    rig_agree(&r, CODEC_PCMU);
    rig_run(&r, 1);
    r.side[B].close_in_handler = true;
    queue_digits(&r.side[A], "12");
    rig_run(&r, 1);
    assert_null(r.side[B].s);
    assert_string_equal(r.side[B].digits, "1");
    rig_close(&r);
}

static void ports_are_pairs_and_held(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 8000);
    assert_int_equal(rtp_stream_port(r.side[A].s) % 2, 0);
    assert_int_equal(rtp_stream_rtcp_port(r.side[A].s), rtp_stream_port(r.side[A].s) + 1);
    uint16_t port = rtp_stream_port(r.side[A].s);
    /* A range of three ports has one pair at most, and that one is taken. */
    struct settings s = r.settings;
    s.rtp_port_min = port;
    s.rtp_port_max = port + 1;
    struct rtp_stream_cfg cfg = {.loop = r.loop, .format = {8000, 20}, .settings = &s};
    struct rtp_stream *other = NULL;
    assert_int_equal(rtp_stream_open(&cfg, &side_handlers, NULL, &other), VA_ELIMIT);
    s.rtp_port_min = port + 1;
    assert_int_equal(rtp_stream_open(&cfg, &side_handlers, NULL, &other), VA_ELIMIT);
    rtp_stream_close(&r.side[A].s);
    s.rtp_port_min = port;
    assert_int_equal(rtp_stream_open(&cfg, &side_handlers, NULL, &other), VA_OK);
    assert_int_equal(rtp_stream_port(other), port);
    rtp_stream_close(&other);
    cfg.one_port = true;
    assert_int_equal(rtp_stream_open(&cfg, &side_handlers, NULL, &other), VA_OK);
    assert_int_equal(rtp_stream_rtcp_port(other), 0);
    rtp_stream_close(&other);
    cfg.format.ptime_ms = 25;
    assert_int_equal(rtp_stream_open(&cfg, &side_handlers, NULL, &other), VA_EINVAL);
    rig_close(&r);
}

/* ---- over sockets ---------------------------------------------------------------------------- */

/* Both sides on one loop with the system's clock; frames by turns, as fast as they arrive. */
static void over_sockets(const char *bind, bool one_port, enum sdes_suite suite)
{
    struct rig r;
    memset(&r, 0, sizeof(r));
    struct settings set = {.rtp_port_min = 20000,
                           .rtp_port_max = 29999,
                           .rtp_jitter_min_ms = 0,
                           .rtp_jitter_target_ms = 0,
                           .rtp_jitter_max_ms = 200};
    (void)snprintf(set.rtp_bind_address, sizeof(set.rtp_bind_address), "%s", bind);
    assert_int_equal(loop_new(NULL, 0, &r.loop), VA_OK);
    for (int i = 0; i < 2; i++) {
        struct rtp_stream_cfg cfg = {
            .loop = r.loop, .format = {8000, 20}, .settings = &set, .one_port = one_port};
        r.side[i].r = &r;
        assert_int_equal(rtp_stream_open(&cfg, &side_handlers, &r.side[i], &r.side[i].s), VA_OK);
        tone_init(&r.side[i].tone, 8000, 500, -18);
    }
    for (int i = 0; i < 2; i++) {
        r.side[i].remote =
            remote_of(addr_of("127.0.0.1", rtp_stream_port(r.side[!i].s)), CODEC_PCMA);
        r.side[i].remote.mux = one_port;
        assert_int_equal(rtp_stream_set_remote(r.side[i].s, &r.side[i].remote), VA_OK);
    }
    if (suite)
        agree_keys(&r, suite);
    queue_digits(&r.side[A], "9");
    int16_t x[160];
    for (uint64_t n = 1; n <= 30; n++) {
        tone_fill(&r.side[A].tone, x, 160);
        for (int i = 0; i < 2; i++)
            rtp_stream_send(r.side[i].s, x, 160);
        /* The first packet is on probation; a digit's packets are no audio. */
        while (stats_of(&r.side[A]).packets_in + 1 < n || stats_of(&r.side[B]).packets_in + 1 < n)
            loop_turn(r.loop, true);
    }
    for (int n = 0; n <= SECURE_WITHHELD_MAX; n++)
        for (int i = 0; i < 2; i++)
            rtp_reports_send(r.side[i].s, false);
    while (!stats_of(&r.side[A]).rtcp_in || !stats_of(&r.side[B]).rtcp_in)
        loop_turn(r.loop, true);
    rtp_stream_close(&r.side[A].s);
    while (!stats_of(&r.side[B]).bye)
        loop_turn(r.loop, true);
    assert_string_equal(r.side[B].digits, "9");
    assert_int_equal(r.side[B].firsts, 1);
    struct rtp_stream_stats s = stats_of(&r.side[B]);
    assert_int_equal(s.foreign + s.malformed + s.forged + s.replayed + s.send_fails, 0);
    rtp_stream_close(&r.side[B].s);
    loop_free(&r.loop);
}

static void sockets_carry_it(void **state)
{
    (void)state;
    over_sockets("127.0.0.1", false, SDES_NONE);
    over_sockets("0.0.0.0", true, SDES_AES_CM_128_SHA1_80);
    over_sockets("::", false, SDES_AES_CM_128_SHA1_32); /* an IPv4 far end of an IPv6 socket */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_go_both_ways),
        cmocka_unit_test(digits_come_once_over_a_bad_network),
        cmocka_unit_test(a_lost_end_is_no_lost_digit),
        cmocka_unit_test(a_digit_lasts_as_long_as_was_asked),
        cmocka_unit_test(digits_that_cannot_be_sent_are_refused),
        cmocka_unit_test(reports_tell_of_the_other_side),
        cmocka_unit_test(a_report_is_true),
        cmocka_unit_test(bye_is_said_and_understood),
        cmocka_unit_test(reports_share_the_port_when_agreed),
        cmocka_unit_test(a_stray_report_is_no_report),
        cmocka_unit_test(a_collision_is_avoided),
        cmocka_unit_test(both_suites_carry_audio_digits_and_reports),
        cmocka_unit_test(forged_and_replayed_packets_are_counted),
        cmocka_unit_test(a_stranger_without_the_key_is_not_learned),
        cmocka_unit_test(keys_may_change),
        cmocka_unit_test(senders_are_bounded),
        cmocka_unit_test(the_tag_of_reports_follows_the_far_end),
        cmocka_unit_test(a_handler_may_close),
        cmocka_unit_test(ports_are_pairs_and_held),
        cmocka_unit_test(sockets_carry_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
