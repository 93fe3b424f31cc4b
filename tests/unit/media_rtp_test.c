/* media/rtp and media/rtcp. */
#include "media/rtcp.h"

#include "unit/unit.h"

#include <math.h>
#include <stdlib.h>

/* ---- packets --------------------------------------------------------------------------------- */

static const uint8_t full[] = {
    0xb2, 0x80, 0xff, 0xfe, 1,    2,    3, 4,    0xde, 0xad, 0xbe, 0xef, /* P X CC=2 M PT 0 */
    0,    0,    0,    7,    0,    0,    0, 8,                            /* CSRC */
    0xbe, 0xde, 0,    2,    0x10, 0xaa, 0, 0x21, 1,    2,    0,    0,    /* 1: aa; 2: 01 02 */
    'a',  'b',  'c',  0,    2};                                          /* two bytes of padding */

static void a_packet_is_read(void **state)
{
    (void)state;
    struct rtp_packet k;
    assert_int_equal(rtp_read(full, sizeof(full), &k), VA_OK);
    assert_true(k.marker);
    assert_int_equal(k.payload_type, 0);
    assert_int_equal(k.seq, 0xfffe);
    assert_int_equal(k.timestamp, 0x01020304);
    assert_int_equal(k.ssrc, 0xdeadbeef);
    assert_int_equal(k.csrc_count, 2);
    assert_int_equal(k.csrc[1], 8);
    assert_int_equal(k.payload_len, 3);
    assert_memory_equal(k.payload, "abc", 3);
    struct rtp_ext e;
    size_t at = 0;
    assert_true(rtp_ext_next(&k, &at, &e));
    assert_int_equal(e.id, 1);
    assert_int_equal(e.len, 1);
    assert_int_equal(e.data[0], 0xaa);
    assert_true(rtp_ext_next(&k, &at, &e));
    assert_int_equal(e.id, 2);
    assert_int_equal(e.len, 2);
    assert_false(rtp_ext_next(&k, &at, &e));
    assert_false(rtp_ext_next(&k, &at, &e));
}

static void every_cut_is_survived(void **state)
{
    (void)state;
    struct rtp_packet k;
    for (size_t n = 0; n <= sizeof(full); n++) {
        uint8_t *exactly = malloc(n + 1); /* so that the sanitizer sees its end */
        memcpy(exactly, full, n);
        exactly = realloc(exactly, n ? n : 1);
        bool ok = rtp_read(exactly, n, &k) == VA_OK;
        assert_true(!ok || n >= 32);
        if (ok)
            assert_true(k.payload + k.payload_len <= exactly + n);
        free(exactly);
    }
    uint8_t b[RTP_PACKET_MAX + 1] = {0x80};
    assert_int_equal(rtp_read(b, sizeof(b), &k), VA_ELIMIT);
    b[0] = 0xa0; /* padding of zero, padding longer than the rest */
    assert_int_equal(rtp_read(b, 13, &k), VA_EPROTO);
    b[12] = 2;
    assert_int_equal(rtp_read(b, 13, &k), VA_EPROTO);
    b[12] = 1;
    assert_int_equal(rtp_read(b, 13, &k), VA_OK);
    assert_int_equal(k.payload_len, 0);
    b[0] = 0x40;
    assert_int_equal(rtp_read(b, 13, &k), VA_EPROTO);
}

static void a_written_packet_reads_the_same(void **state)
{
    (void)state;
    struct rtp_packet k, back;
    assert_int_equal(rtp_read(full, sizeof(full), &k), VA_OK);
    uint8_t out[100];
    size_t len = 0;
    assert_int_equal(rtp_write(&k, out, sizeof(out), &len), VA_OK);
    assert_int_equal(len, sizeof(full) - 2);
    assert_int_equal(rtp_read(out, len, &back), VA_OK);
    assert_int_equal(back.csrc[0], k.csrc[0]);
    assert_int_equal(back.ext_len, k.ext_len);
    assert_memory_equal(back.payload, "abc", 3);
    assert_int_equal(rtp_write(&k, out, len - 1, &len), VA_ELIMIT);
    k.payload_type = 128;
    assert_int_equal(rtp_write(&k, out, sizeof(out), &len), VA_EINVAL);
    struct rtp_packet in_place = {.payload = out + RTP_HEADER_BYTES, .payload_len = 3};
    memcpy(out + RTP_HEADER_BYTES, "xyz", 3);
    assert_int_equal(rtp_write(&in_place, out, sizeof(out), &len), VA_OK);
    assert_memory_equal(out + RTP_HEADER_BYTES, "xyz", 3);
}

static void two_byte_extensions_and_broken_ones(void **state)
{
    (void)state;
    const uint8_t two[] = {5, 0, 200, 3, 1, 2, 3, 0, 9, 200, 1, 1};
    struct rtp_packet k = {.ext_profile = 0x1000, .ext = two, .ext_len = sizeof(two)};
    struct rtp_ext e;
    size_t at = 0;
    assert_true(rtp_ext_next(&k, &at, &e));
    assert_true(e.id == 5 && e.len == 0);
    assert_true(rtp_ext_next(&k, &at, &e));
    assert_true(e.id == 200 && e.len == 3 && e.data[2] == 3);
    assert_false(rtp_ext_next(&k, &at, &e)); /* longer than what is there */
    const uint8_t stop[] = {0xf0, 1, 0x10, 2};
    k = (struct rtp_packet){.ext_profile = RTP_EXT_ONE_BYTE, .ext = stop, .ext_len = 4};
    at = 0;
    assert_false(rtp_ext_next(&k, &at, &e));
    k.ext_profile = 0x1234;
    at = 0;
    assert_false(rtp_ext_next(&k, &at, &e));
}

static void one_port_carries_many(void **state)
{
    (void)state;
    const struct {
        uint8_t b[2];
        enum rtp_class is;
    } rows[] = {
        {{0x80, 0}, RTP_IS_RTP},    {{0x80, 0xe5}, RTP_IS_RTP},  {{0x80, 200}, RTP_IS_RTCP},
        {{0x81, 201}, RTP_IS_RTCP}, {{0x80, 191}, RTP_IS_RTP},   {{0x80, 223}, RTP_IS_RTCP},
        {{0x80, 224}, RTP_IS_RTP},  {{0, 1}, RTP_IS_STUN},       {{22, 254}, RTP_IS_DTLS},
        {{0x40, 0}, RTP_IS_OTHER},  {{0xc0, 200}, RTP_IS_OTHER}, {{'I', 'N'}, RTP_IS_OTHER}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(rtp_classify(rows[i].b, 2), rows[i].is);
    assert_int_equal(rtp_classify(rows[0].b, 1), RTP_IS_OTHER);
}

/* ---- a sender -------------------------------------------------------------------------------- */

static enum rtp_verdict take(struct rtp_source *s, uint32_t ssrc, unsigned seq, uint32_t ts,
                             uint64_t us, struct rtp_place *place)
{
    struct rtp_packet k = {.ssrc = ssrc, .seq = (uint16_t)seq, .timestamp = ts};
    return rtp_source_take(s, &k, us, true, place);
}

static void numbers_do_not_wrap(void **state)
{
    (void)state;
    struct rtp_source s;
    struct rtp_place p, last = {0, 0, 0};
    rtp_source_init(&s, 8000, 0);
    for (unsigned i = 0; i < 200000; i++) {
        enum rtp_verdict v = take(&s, 5, 65530 + i, 0xfffff000u + i * 160, i * 20000u, &p);
        assert_int_equal(v, i == 0 ? RTP_PROBATION_WAIT : i == 1 ? RTP_TAKE_ANEW : RTP_TAKE);
        if (i > 1) {
            assert_int_equal(p.seq, last.seq + 1);
            assert_int_equal(p.timestamp, last.timestamp + 160);
        }
        last = p;
    }
    assert_int_equal(rtp_source_lost(&s), 0);
    assert_int_equal(s.received, 199999);
    assert_int_equal(rtp_source_jitter_us(&s), 0);
}

static void loss_order_and_doubles_are_counted(void **state)
{
    (void)state;
    struct rtp_source s;
    struct rtp_place p;
    rtp_source_init(&s, 8000, 1);
    const unsigned order[] = {10, 11, 13, 12, 12, 16, 13, 17}; /* 14 and 15 are lost */
    const enum rtp_verdict want[] = {RTP_TAKE_ANEW, RTP_TAKE, RTP_TAKE,      RTP_TAKE,
                                     RTP_DUPLICATE, RTP_TAKE, RTP_DUPLICATE, RTP_TAKE};
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(take(&s, 5, order[i], order[i] * 160, order[i] * 20000u, &p), want[i]);
    assert_int_equal(rtp_source_expected(&s), 8);
    assert_int_equal(s.received, 8);
    assert_int_equal(rtp_source_lost(&s), 0); /* two lost, two double: as A.3 counts */
    assert_int_equal(s.duplicates, 2);
    assert_int_equal(s.reordered, 1);
    (void)rtp_source_take_fraction(&s);
    for (unsigned i = 18; i < 118; i++)
        if (i % 4)
            (void)take(&s, 5, i, i * 160, i * 20000u, &p);
    assert_int_equal(rtp_source_take_fraction(&s), 64);
    assert_int_equal(rtp_source_take_fraction(&s), 0);
}

/* A.8 by hand: transit times that differ by 10 ms each time converge to 10 ms. */
static void jitter_is_that_of_the_rfc(void **state)
{
    (void)state;
    struct rtp_source s;
    struct rtp_place p;
    rtp_source_init(&s, 8000, 1);
    double by_hand = 0;
    for (unsigned i = 0; i < 200; i++) {
        (void)take(&s, 5, i, i * 160, i * 20000u + (i % 2) * 10000u + 5000000u, &p);
        if (i)
            by_hand += (80 - by_hand) / 16;
    }
    assert_true(fabs(s.jitter - by_hand) < 0.01);
    assert_in_range(rtp_source_jitter_us(&s), 9990, 10000);
}

static void strangers_are_on_probation(void **state)
{
    (void)state;
    struct rtp_source s;
    struct rtp_place p;
    rtp_source_init(&s, 8000, 2);
    unsigned n = 100;
    for (; n < 110; n++)
        (void)take(&s, 5, n, n * 160, 0, &p);
    uint32_t generation = s.generation;
    /* One stray packet, then strays that never follow each other. */
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(take(&s, 6, 1000 + 2 * i, 0, 0, &p), RTP_PROBATION_WAIT);
        assert_int_equal(take(&s, 5, n, n * 160, 0, &p), RTP_TAKE);
        n++;
    }
    assert_int_equal(s.generation, generation);
    assert_int_equal(s.refused, 21);
    /* Another source for good. */
    assert_int_equal(take(&s, 6, 65535, 7, 0, &p), RTP_PROBATION_WAIT);
    assert_int_equal(take(&s, 6, 0, 167, 0, &p), RTP_TAKE_ANEW);
    assert_int_equal(p.generation, generation + 1);
    assert_int_equal(take(&s, 6, 1, 327, 0, &p), RTP_TAKE);
    assert_int_equal(take(&s, 5, n, n * 160, 0, &p), RTP_PROBATION_WAIT);
    /* The same one begins anew (A.1: bad_seq). */
    assert_int_equal(take(&s, 6, 30000, 7, 0, &p), RTP_PROBATION_WAIT);
    assert_int_equal(take(&s, 6, 2, 487, 0, &p), RTP_TAKE);
    assert_int_equal(take(&s, 6, 30001, 7, 0, &p), RTP_PROBATION_WAIT);
    assert_int_equal(take(&s, 6, 30002, 167, 0, &p), RTP_TAKE_ANEW);
    assert_int_equal(p.generation, generation + 2);
    assert_true(rtp_source_lost(&s) <= 0);
}

/* ---- RTCP ------------------------------------------------------------------------------------ */

static void a_compound_reads_as_written(void **state)
{
    (void)state;
    struct rtcp_block blocks[2] = {{1, 64, -5, 70000, 80, 0x12345678, 65536},
                                   {2, 0, 0x800000, 1, 2, 3, 4}};
    struct rtcp_report r = {.ssrc = 0xabcdef01,
                            .sender = true,
                            .ntp = 0x0102030405060708,
                            .rtp_timestamp = 9,
                            .packets = 10,
                            .octets = 11,
                            .block_count = 2,
                            .blocks = blocks,
                            .cname = "voice@host",
                            .bye = true,
                            .reason = "end of call"};
    uint8_t out[RTCP_PACKET_MAX];
    size_t len = 0, at = 0;
    assert_int_equal(rtcp_write(&r, out, sizeof(out), &len), VA_OK);
    assert_int_equal(rtcp_check(out, len), VA_OK);
    assert_int_equal(rtp_classify(out, len), RTP_IS_RTCP);
    struct rtcp_item i;
    assert_true(rtcp_next(out, len, &at, &i));
    assert_int_equal(i.type, RTCP_SR);
    assert_int_equal(i.ssrc, 0xabcdef01);
    assert_true(i.ntp == 0x0102030405060708);
    assert_int_equal(i.octets, 11);
    assert_int_equal(i.block_count, 2);
    assert_int_equal(i.blocks[0].lost, -5);
    assert_int_equal(i.blocks[0].max_seq, 70000);
    assert_int_equal(i.blocks[1].lost, 0x7fffff);
    assert_int_equal(i.blocks[1].since_sr, 4);
    assert_true(rtcp_next(out, len, &at, &i));
    assert_int_equal(i.type, RTCP_SDES);
    assert_int_equal(i.text_len, 10);
    assert_memory_equal(i.text, "voice@host", 10);
    assert_true(rtcp_next(out, len, &at, &i));
    assert_int_equal(i.type, RTCP_BYE);
    assert_int_equal(i.ssrc, 0xabcdef01);
    assert_memory_equal(i.text, "end of call", 11);
    assert_false(rtcp_next(out, len, &at, &i));
    assert_int_equal(at, len);
    for (size_t room = 0; room < len; room++)
        assert_int_equal(rtcp_write(&r, out, room, &len), VA_ELIMIT);
    r.cname = "";
    assert_int_equal(rtcp_write(&r, out, sizeof(out), &len), VA_EINVAL);
}

static void broken_compounds_are_refused(void **state)
{
    (void)state;
    struct rtcp_report r = {.ssrc = 1, .cname = "x"};
    uint8_t out[100];
    size_t len = 0;
    assert_int_equal(rtcp_write(&r, out, sizeof(out), &len), VA_OK);
    for (size_t n = 0; n < len; n++)
        assert_true(n == 8 || rtcp_check(out, n) == VA_EPROTO); /* 8: the RR alone */
    out[0] |= 0x20; /* padding, but not in the last one */
    assert_int_equal(rtcp_check(out, len), VA_EPROTO);
    out[0] = 0x81; /* a block that is not there */
    assert_int_equal(rtcp_check(out, len), VA_OK);
    struct rtcp_item i;
    size_t at = 0;
    assert_false(rtcp_next(out, len, &at, &i));
}

static void the_round_trip_is_measured(void **state)
{
    (void)state;
    /* RFC 3550 figure 2: 6.125 s. */
    struct rtcp_block b = {.last_sr = 0xb7052000, .since_sr = 0x00054000};
    uint64_t us = 0;
    assert_true(rtcp_round_trip_us(&b, (uint64_t)0xb7108000 << 16, &us));
    assert_int_equal(us, 6125000);
    assert_true(rtcp_ntp(0) == (uint64_t)2208988800u << 32);
    assert_true(rtcp_ntp(-500000) == ((uint64_t)2208988799u << 32 | 0x80000000u));
    /* Ours, their answer 250 ms after it came, back after 40 ms in all. */
    int64_t wall = 1795328491123456;
    b = (struct rtcp_block){.last_sr = rtcp_ntp_middle(rtcp_ntp(wall)), .since_sr = 65536 / 4};
    assert_true(rtcp_round_trip_us(&b, rtcp_ntp(wall + 290000), &us));
    assert_in_range(us, 39900, 40100);
    assert_true(rtcp_round_trip_us(&b, rtcp_ntp(wall + 249990), &us));
    assert_int_equal(us, 0);
    assert_false(rtcp_round_trip_us(&b, rtcp_ntp(wall), &us)); /* answered before it was sent */
    b.last_sr = 0;
    assert_false(rtcp_round_trip_us(&b, rtcp_ntp(wall), &us));
}

static void a_report_about_a_source(void **state)
{
    (void)state;
    struct rtp_source s;
    struct rtp_place p;
    rtp_source_init(&s, 8000, 1);
    for (unsigned i = 0; i < 101; i++)
        if (i % 10 != 5)
            (void)take(&s, 0x77, 65500 + i, i * 160, i * 20000u, &p);
    struct rtcp_block b;
    struct rtcp_last_sr sr = {0x11112222, 1000000};
    rtcp_block_fill(&b, &s, &sr, 3500000);
    assert_int_equal(b.ssrc, 0x77);
    assert_int_equal(b.lost, 10);
    assert_int_equal(b.fraction, 256 * 10 / 101);
    assert_int_equal(b.max_seq, 65600);
    assert_int_equal(b.last_sr, 0x11112222);
    assert_int_equal(b.since_sr, 65536 * 5 / 2);
    rtcp_block_fill(&b, &s, NULL, 3500000);
    assert_int_equal(b.fraction | b.last_sr | b.since_sr, 0);
}

/* Values from the formulas; those of G.107 annex B for the scores. */
static void the_line_gets_a_mark(void **state)
{
    (void)state;
    assert_true(fabs(emodel_mos(93.2) - 4.41) < 0.01);
    assert_true(fabs(emodel_mos(80) - 4.02) < 0.01);
    assert_true(fabs(emodel_mos(50) - 2.58) < 0.01);
    assert_true(emodel_mos(-1) == 1 && emodel_mos(101) == 4.5);
    double perfect = emodel_r(&emodel_g711_plc, 0, 0), near = emodel_r(&emodel_g711_plc, 0, 100),
           far = emodel_r(&emodel_g711_plc, 0, 400), lossy = emodel_r(&emodel_g711_plc, 0.05, 100);
    assert_true(fabs(perfect - 93.2) < 1e-9);
    assert_true(fabs(near - 90.8) < 1e-9);
    assert_true(fabs(far - (93.2 - 9.6 - 24.497)) < 1e-9);
    assert_true(fabs(lossy - (90.8 - 95.0 * 5 / 30.1)) < 1e-9);
    assert_true(emodel_r(&emodel_g711, 0.05, 100) < lossy);
    assert_true(emodel_r(&emodel_g711, 2, 1e6) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_is_read),
        cmocka_unit_test(every_cut_is_survived),
        cmocka_unit_test(a_written_packet_reads_the_same),
        cmocka_unit_test(two_byte_extensions_and_broken_ones),
        cmocka_unit_test(one_port_carries_many),
        cmocka_unit_test(numbers_do_not_wrap),
        cmocka_unit_test(loss_order_and_doubles_are_counted),
        cmocka_unit_test(jitter_is_that_of_the_rfc),
        cmocka_unit_test(strangers_are_on_probation),
        cmocka_unit_test(a_compound_reads_as_written),
        cmocka_unit_test(broken_compounds_are_refused),
        cmocka_unit_test(the_round_trip_is_measured),
        cmocka_unit_test(a_report_about_a_source),
        cmocka_unit_test(the_line_gets_a_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
