/* media/telephone_event: each digit exactly once, whatever the network and the sender do. */
#include "media/telephone_event.h"

#include "unit/unit.h"

#include <stdio.h>

struct rig {
    struct telephone_event_rx rx;
    char heard[64]; /* digits at their start, ')' at their end */
    unsigned count;
    uint32_t last_ms;
    int64_t seq;
    uint64_t now_us;
};

static void on_start(void *arg, uint8_t event, char digit)
{
    struct rig *r = arg;
    r->heard[r->count++] = digit ? digit : event == 16 ? '!' : '?';
}

static void on_end(void *arg, uint8_t event, char digit, uint32_t ms)
{
    struct rig *r = arg;
    (void)event;
    (void)digit;
    r->heard[r->count++] = ')';
    r->last_ms = ms;
}

static const struct telephone_event_handlers handlers = {on_start, on_end};

static void rig_open(struct rig *r)
{
    *r = (struct rig){.seq = 70000, .now_us = 1000000};
    telephone_event_rx_init(&r->rx, 8000, &handlers, r);
}

/* What was heard since the last time. */
static void assert_heard(struct rig *r, const char *want)
{
    r->heard[r->count] = 0;
    assert_string_equal(r->heard, want);
    r->count = 0;
}

static void push_at(struct rig *r, int64_t seq, int64_t ts, char digit, unsigned duration, bool end,
                    bool marker)
{
    static const char digits[] = "0123456789*#ABCD!";
    struct telephone_event e = {(uint8_t)(strchr(digits, digit) - digits), end, 10,
                                (uint16_t)duration};
    uint8_t p[TELEPHONE_EVENT_BYTES];
    telephone_event_write(&e, p);
    struct rtp_packet k = {.marker = marker, .payload = p, .payload_len = sizeof(p)};
    struct rtp_place place = {seq, ts, 1};
    telephone_event_rx_push(&r->rx, &k, &place, r->now_us);
    r->now_us += 20000;
}

static void push(struct rig *r, int64_t ts, char digit, unsigned duration, bool end)
{
    push_at(r, r->seq++, ts, digit, duration, end, duration == 160);
}

static void a_digit_is_heard_once(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    for (unsigned d = 160; d <= 800; d += 160)
        push(&r, 1000, '5', d, false);
    assert_heard(&r, "5");
    for (int i = 0; i < 3; i++)
        push(&r, 1000, '5', 960, true);
    assert_heard(&r, ")");
    assert_int_equal(r.last_ms, 120);
    push_at(&r, 70001, 1000, '5', 320, false, false); /* a straggler */
    push(&r, 2000, '5', 160, false);                  /* the same digit again */
    push(&r, 2000, '5', 320, true);
    assert_heard(&r, "5)");
    assert_int_equal(r.rx.events, 2);
    assert_int_equal(r.rx.lost_ends, 0);
    push(&r, 3000, '!', 160, true);
    assert_heard(&r, "!)");
}

/* Any packets of it may be lost, as long as one comes: 2^8 patterns of two digits. */
static void any_packet_is_enough(void **state)
{
    (void)state;
    for (unsigned lost = 0; lost < 256; lost++) {
        struct rig r;
        rig_open(&r);
        char want[8] = "";
        for (unsigned n = 0; n < 2; n++) {
            unsigned mask = lost >> (4 * n) & 15;
            for (unsigned i = 0; i < 4; i++, r.seq++)
                if (!(mask >> i & 1))
                    push_at(&r, r.seq, 1000 + n * 2000, '7', 160 * (i + 1), i >= 2, i == 0);
            if (mask != 15)
                strcat(want, "7)");
            r.now_us += 200000;
            telephone_event_rx_poll(&r.rx, r.now_us);
        }
        assert_heard(&r, want);
    }
}

static void a_lost_end_ends_by_time_or_by_the_next(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    push(&r, 1000, '1', 160, false);
    push(&r, 1000, '1', 320, false);
    telephone_event_rx_poll(&r.rx, r.now_us + 100000);
    assert_heard(&r, "1");
    assert_in_range(r.rx.due_us, r.now_us + 129000, r.now_us + 131000);
    telephone_event_rx_poll(&r.rx, r.rx.due_us);
    assert_heard(&r, ")");
    assert_int_equal(r.last_ms, 40);
    assert_true(r.rx.due_us == UINT64_MAX);
    push(&r, 1000, '1', 480, true); /* its end comes after all */
    assert_heard(&r, "");
    push(&r, 3000, '2', 160, false);
    r.seq += 3; /* its end is lost, so is the beginning of the next, the same digit */
    push(&r, 4600, '2', 320, false);
    assert_heard(&r, "2)2");
    push(&r, 4600, '2', 480, true);
    assert_heard(&r, ")");
    assert_int_equal(r.rx.lost_ends, 2);
}

/* 65,535 units are 8.2 s: then the timestamp moves on (RFC 4733 §2.5.1.3). */
static void a_long_event_is_one(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    for (unsigned d = 160; d < 65535; d += 160)
        push(&r, 1000, '#', d, false);
    r.seq++; /* one is lost at the seam */
    push_at(&r, r.seq++, 1000 + 65535, '#', 320, false, false);
    push_at(&r, r.seq++, 1000 + 65535, '#', 480, true, false);
    push_at(&r, r.seq++, 1000 + 65535, '#', 480, true, false);
    assert_heard(&r, "#)");
    assert_int_equal(r.last_ms, (65535 + 480) / 8);
}

static void senders_that_move_the_timestamp(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    for (unsigned i = 0; i < 6; i++)
        push_at(&r, r.seq++, 1000 + i * 160, '9', 160, i >= 5, i == 0);
    assert_heard(&r, "9)");
    /* With the marker it is another one, next number or not. */
    push_at(&r, r.seq++, 9000, '9', 160, false, true);
    push_at(&r, r.seq++, 9800, '9', 160, false, true);
    assert_heard(&r, "9)9");
}

static void order_and_garbage(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    push_at(&r, 5, 2000, '2', 320, true, false); /* the end first */
    push_at(&r, 4, 2000, '2', 160, false, true);
    push_at(&r, 3, 1000, '1', 320, true, false); /* the digit before it, too late */
    assert_heard(&r, "2)");
    assert_int_equal(r.rx.old, 2);
    uint8_t p[9] = {3, 0, 0, 160, 4, 0x8a, 0, 160, 0};
    struct rtp_packet k = {.payload = p};
    struct rtp_place place = {10, 5000, 1};
    for (size_t len = 0; len <= 9; len++) {
        k.payload_len = len;
        if (len % 4 || !len)
            telephone_event_rx_push(&r.rx, &k, &place, r.now_us);
    }
    assert_heard(&r, "");
    assert_int_equal(r.rx.broken, 8);
    p[1] = 0x8a; /* two events in one packet */
    k.payload_len = 8;
    telephone_event_rx_push(&r.rx, &k, &place, r.now_us);
    telephone_event_rx_push(&r.rx, &k, &place, r.now_us);
    assert_heard(&r, "3)4)");
    p[0] = 200; /* not a digit */
    k.payload_len = 4;
    place.timestamp = 9000;
    telephone_event_rx_push(&r.rx, &k, &place, r.now_us);
    assert_heard(&r, "?)");
    place = (struct rtp_place){1, 1, 2}; /* another source: numbers start anew */
    p[0] = 1;
    telephone_event_rx_push(&r.rx, &k, &place, r.now_us);
    assert_heard(&r, "1)");
}

/* ---- sending --------------------------------------------------------------------------------- */

static void digits_are_sent_as_the_rfc_says(void **state)
{
    (void)state;
    struct telephone_event_tx tx;
    assert_int_equal(telephone_event_tx_init(&tx, 8000, 25), VA_EINVAL);
    assert_int_equal(telephone_event_tx_init(&tx, 4000, 20), VA_EINVAL);
    assert_int_equal(telephone_event_tx_init(&tx, 8000, 20), VA_OK);
    assert_int_equal(telephone_event_tx_queue(&tx, 'x', 100), VA_EINVAL);
    assert_int_equal(telephone_event_tx_queue(&tx, 'a', 90), VA_OK); /* 100 ms: whole frames */
    assert_int_equal(telephone_event_tx_queue(&tx, '#', 1), VA_OK);  /* 40 ms */
    uint32_t ts = 0xffffff00u;
    struct telephone_event_packet p;
    struct telephone_event e;
    for (unsigned i = 0; i < 7; i++, ts += 160) {
        assert_true(telephone_event_tx_next(&tx, ts, &p));
        assert_int_equal(p.marker, i == 0);
        assert_int_equal(p.timestamp, 0xffffff00u);
        assert_int_equal(telephone_event_read(p.payload, 4, 0, &e), VA_OK);
        assert_int_equal(e.event, 12);
        assert_int_equal(e.duration, i < 5 ? (i + 1) * 160 : 800);
        assert_int_equal(e.end, i >= 4);
    }
    unsigned pause = 0;
    for (; !telephone_event_tx_next(&tx, ts, &p); ts += 160)
        pause++;
    assert_true((2 + pause) * 20 >= TELEPHONE_EVENT_PAUSE_MS);
    assert_true(p.marker && p.timestamp == ts);
    for (unsigned i = 1; i < 4; i++)
        assert_true(telephone_event_tx_next(&tx, ts, &p));
    for (unsigned i = 0; i < 50; i++)
        assert_false(telephone_event_tx_next(&tx, ts, &p));
    unsigned n = 0;
    while (telephone_event_tx_queue(&tx, '1', 0) == VA_OK)
        n++;
    assert_int_equal(n, TELEPHONE_EVENT_QUEUE);
    assert_true(telephone_event_tx_next(&tx, ts, &p));
    telephone_event_tx_clear(&tx);
    for (n = 1; telephone_event_tx_next(&tx, ts, &p); n++)
        ;
    assert_int_equal(n, TELEPHONE_EVENT_MS / 20 + 2); /* the one on its way ends properly */
    for (unsigned i = 0; i < 50; i++)
        assert_false(telephone_event_tx_next(&tx, ts, &p));
}

/* What we send is heard, at all clocks and frame lengths, long events too. */
static void sent_is_heard(void **state)
{
    (void)state;
    static const uint32_t clocks[] = {8000, 16000, 48000};
    static const int ptimes[] = {10, 20, 30, 60};
    for (size_t c = 0; c < 3; c++)
        for (size_t f = 0; f < 4; f++) {
            struct rig r;
            struct telephone_event_tx tx;
            rig_open(&r);
            telephone_event_rx_init(&r.rx, clocks[c], &handlers, &r);
            assert_int_equal(telephone_event_tx_init(&tx, clocks[c], ptimes[f]), VA_OK);
            const char *text = "11*D0";
            for (const char *d = text; *d; d++)
                assert_int_equal(telephone_event_tx_queue(&tx, *d, d == text + 2 ? 8000 : 120),
                                 VA_OK);
            uint32_t ts = 1000;
            for (int i = 0; i < 1200; i++, ts += tx.ptime) {
                struct telephone_event_packet p;
                if (telephone_event_tx_next(&tx, ts, &p)) {
                    struct rtp_packet k = {
                        .marker = p.marker, .payload = p.payload, .payload_len = 4};
                    struct rtp_place place = {r.seq++, p.timestamp, 1};
                    telephone_event_rx_push(&r.rx, &k, &place, r.now_us);
                    if (r.count == 6 && r.heard[5] == ')')
                        assert_in_range(r.last_ms, 8000, 8059);
                }
                r.now_us += (uint64_t)ptimes[f] * 1000;
            }
            assert_heard(&r, "1)1)*)D)0)");
            assert_int_equal(r.rx.lost_ends, 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digit_is_heard_once),
        cmocka_unit_test(any_packet_is_enough),
        cmocka_unit_test(a_lost_end_ends_by_time_or_by_the_next),
        cmocka_unit_test(a_long_event_is_one),
        cmocka_unit_test(senders_that_move_the_timestamp),
        cmocka_unit_test(order_and_garbage),
        cmocka_unit_test(digits_are_sent_as_the_rfc_says),
        cmocka_unit_test(sent_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
