/* fakefs/rtp: two of them on loopback, every codec both ways, digits, faults. */
#include "fakefs/rtp.h"
#include "media/measure.h"
#include "media/telephone_event.h"
#include "media/tone.h"
#include "net/loop.h"

#include "unit/unit.h"

#include <math.h>

enum { FRAMES = 50, HEARD_MAX = 48000 * 2, EVENT_PT = 101 };

struct side {
    struct fakefs_rtp *rtp;
    int16_t heard[HEARD_MAX];
    size_t count;
};

struct rig {
    struct loop *loop;
    struct side a, b;
};

static void on_frame(void *arg, uint64_t at_us, const int16_t *pcm, size_t n)
{
    struct side *d = arg;
    assert_true(at_us > 0);
    assert_true(d->count + n <= HEARD_MAX);
    memcpy(d->heard + d->count, pcm, n * sizeof(*pcm));
    d->count += n;
}

static void open_side(struct rig *r, struct side *d, int rate_hz)
{
    struct fakefs_rtp_cfg cfg = {.loop = r->loop, .rate_hz = rate_hz, .ptime_ms = 20};
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &cfg.local), VA_OK);
    d->count = 0;
    assert_int_equal(fakefs_rtp_open(&cfg, on_frame, d, &d->rtp), VA_OK);
    assert_int_not_equal(fakefs_rtp_port(d->rtp), 0);
}

static void agree(struct side *d, const struct side *far, enum codec_id id, int event_pt)
{
    const struct codec_info *codec = codec_info(id);
    uint8_t pt = codec->static_pt < 0 ? 98 : (uint8_t)codec->static_pt;
    struct fakefs_rtp_remote remote = {.codec = codec,
                                       .send_pt = pt,
                                       .receive_pt = pt,
                                       .event_pt = event_pt,
                                       .event_hz = codec->clock_hz};
    assert_int_equal(net_addr_parse("127.0.0.1", fakefs_rtp_port(far->rtp), &remote.to), VA_OK);
    assert_int_equal(fakefs_rtp_set(d->rtp, &remote), VA_OK);
}

static void open_rig(struct rig *r, int rate_hz, enum codec_id id, int event_pt)
{
    assert_int_equal(loop_new(NULL, 0, &r->loop), VA_OK);
    open_side(r, &r->a, rate_hz);
    open_side(r, &r->b, rate_hz);
    agree(&r->a, &r->b, id, event_pt);
    agree(&r->b, &r->a, id, event_pt);
}

static void close_rig(struct rig *r)
{
    fakefs_rtp_close(&r->a.rtp);
    fakefs_rtp_close(&r->b.rtp);
    loop_free(&r->loop);
}

static uint64_t came(const struct side *d)
{
    struct fakefs_rtp_stats s;
    fakefs_rtp_stats(d->rtp, &s);
    return s.received + s.odd;
}

static void turn_until_came(struct rig *r, const struct side *d, uint64_t count)
{
    while (came(d) < count)
        loop_turn(r->loop, true);
}

static void every_codec_carries_a_tone(void **state)
{
    (void)state;
    static struct rig r;
    static const int rates[] = {8000, 16000, 48000};
    for (size_t i = 0; i < 3; i++) {
        for (int id = 0; id < CODEC_COUNT; id++) {
            struct tone tone;
            int16_t frame[960];
            size_t n = (size_t)rates[i] / 50;
            open_rig(&r, rates[i], (enum codec_id)id, EVENT_PT);
            tone_init(&tone, rates[i], 500, -18);
            for (unsigned k = 0; k < FRAMES; k++) {
                tone_fill(&tone, frame, n);
                (void)fakefs_rtp_send(r.a.rtp, frame, n);
            }
            struct fakefs_rtp_stats s;
            fakefs_rtp_stats(r.a.rtp, &s);
            assert_true(s.sent >= FRAMES - 1); /* a resampler may keep a few samples */
            turn_until_came(&r, &r.b, s.sent);
            size_t skip = (size_t)rates[i] / 10;
            assert_true(r.b.count > n * (FRAMES - 3));
            double hz = measure_frequency_hz(r.b.heard + skip, r.b.count - skip, rates[i]);
            assert_true(fabs(hz - 500) < 3);
            fakefs_rtp_stats(r.b.rtp, &s);
            assert_int_equal(s.odd + s.lost, 0);
            close_rig(&r);
        }
    }
}

/* Seen as bytes by a socket of the test. */
struct sniff {
    unsigned events, ends, audio;
    uint8_t event;
    uint32_t timestamp;
};

static void on_bytes(void *arg, uint64_t at_us, const void *p, size_t len)
{
    struct sniff *s = arg;
    const uint8_t *b = p;
    (void)at_us;
    assert_true(len >= 12);
    if ((b[1] & 127) != EVENT_PT) {
        s->audio++;
        return;
    }
    uint32_t timestamp = (uint32_t)b[4] << 24 | (uint32_t)b[5] << 16 | (uint32_t)b[6] << 8 | b[7];
    assert_true(!s->events || timestamp == s->timestamp);
    s->timestamp = timestamp;
    s->events++;
    s->ends += b[13] >> 7;
    s->event = b[12];
}

static void a_digit_takes_the_place_of_audio(void **state)
{
    (void)state;
    static struct rig r;
    struct sniff seen = {0};
    struct fakefs_sock *sock = NULL;
    struct net_addr any;
    int16_t frame[160] = {0};
    open_rig(&r, 8000, CODEC_PCMU, EVENT_PT);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &any), VA_OK);
    assert_int_equal(fakefs_sock_open(r.loop, &any, on_bytes, &seen, &sock), VA_OK);
    struct fakefs_rtp_remote remote = {
        .codec = codec_info(CODEC_PCMU), .event_pt = EVENT_PT, .event_hz = 8000};
    assert_int_equal(net_addr_parse("127.0.0.1", fakefs_sock_port(sock), &remote.to), VA_OK);
    assert_int_equal(fakefs_rtp_set(r.a.rtp, &remote), VA_OK);
    assert_int_equal(fakefs_rtp_digit(r.a.rtp, '9', 100), VA_OK);
    assert_int_equal(fakefs_rtp_digit(r.a.rtp, 'x', 100), VA_EINVAL);
    for (unsigned i = 0; i < 20; i++)
        assert_true(fakefs_rtp_send(r.a.rtp, frame, 160));
    while (seen.audio + seen.events < 20)
        loop_turn(r.loop, true);
    assert_int_equal(seen.event, 9);
    assert_int_equal(seen.ends, 3);
    assert_true(seen.events >= 5 && seen.audio >= 10);
    fakefs_sock_close(&sock);
    close_rig(&r);
}

static void without_telephone_event_there_are_no_digits(void **state)
{
    (void)state;
    static struct rig r;
    open_rig(&r, 8000, CODEC_PCMA, -1);
    assert_int_equal(fakefs_rtp_digit(r.a.rtp, '1', 0), VA_ENOTSUP);
    close_rig(&r);
}

static void faults_are_counted_and_a_gap_is_a_gap(void **state)
{
    (void)state;
    static struct rig r;
    int16_t frame[160] = {0};
    struct fakefs_rtp_stats s;
    open_rig(&r, 8000, CODEC_PCMU, EVENT_PT);
    fakefs_rtp_inject_garbage(r.a.rtp, 6);
    turn_until_came(&r, &r.b, 6);
    fakefs_rtp_inject_foreign(r.a.rtp, 3);
    turn_until_came(&r, &r.b, 9);
    fakefs_rtp_stats(r.b.rtp, &s);
    assert_int_equal(s.odd, 6);
    assert_int_equal(s.received, 3); /* this end does not look at who sends */
    fakefs_rtp_skip(r.a.rtp);
    assert_true(fakefs_rtp_send(r.a.rtp, frame, 160));
    turn_until_came(&r, &r.b, 10);
    fakefs_rtp_stats(r.a.rtp, &s);
    assert_int_equal(s.sent, 1); /* what was injected is not the caller's */
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_carries_a_tone),
        cmocka_unit_test(a_digit_takes_the_place_of_audio),
        cmocka_unit_test(without_telephone_event_there_are_no_digits),
        cmocka_unit_test(faults_are_counted_and_a_gap_is_a_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
