/* media/clock: the wheel by hand, and the timer once for real. */
#include "media/clock.h"

#include "unit/unit.h"

#include <stdlib.h>

struct rig {
    struct va_clock_manual time;
    struct loop *loop;
    struct media_clock *clock;
};

static void rig_open(struct rig *r)
{
    va_clock_manual_init(&r->time, 1000000, 0);
    assert_int_equal(loop_new(&r->time.base, 0, &r->loop), VA_OK);
    assert_int_equal(media_clock_new(r->loop, &r->clock), VA_OK);
}

static void rig_close(struct rig *r)
{
    media_clock_free(&r->clock);
    assert_null(r->clock);
    loop_free(&r->loop);
}

static void pass(struct rig *r, uint64_t us)
{
    va_clock_manual_advance(&r->time, us);
    media_clock_advance_to(r->clock, r->time.mono);
}

struct member {
    struct media_tick tick;
    unsigned count;
    uint64_t first_us, last_us;
    struct rig *rig;
    struct member *victim; /* leaves in our tick */
    int rejoin_ms;
    unsigned leave_after;
};

static void on_tick(void *arg, uint64_t now_us)
{
    struct member *m = arg;
    if (m->count++ == 0)
        m->first_us = now_us;
    m->last_us = now_us;
    if (m->victim)
        media_clock_leave(&m->victim->tick);
    if (m->leave_after && m->count == m->leave_after)
        media_clock_leave(&m->tick);
    if (m->rejoin_ms)
        assert_int_equal(media_clock_join(m->rig->clock, &m->tick, m->rejoin_ms, on_tick, m), 0);
    m->rejoin_ms = 0;
}

static void join(struct rig *r, struct member *m, int ms)
{
    m->rig = r;
    assert_int_equal(media_clock_join(r->clock, &m->tick, ms, on_tick, m), VA_OK);
}

static void each_member_ticks_once_per_period_without_drift(void **state)
{
    (void)state;
    static const int periods[] = {5, 10, 15, 20, 30, 40, 60};
    struct rig r;
    rig_open(&r);
    struct member m[7] = {0};
    for (int i = 0; i < 7; i++)
        join(&r, &m[i], periods[i]);
    /* Ten seconds in steps that fit nothing, always a little late, never a slot. */
    uint64_t until = r.time.mono + 10000000, origin = r.time.mono;
    while (r.time.mono < until)
        pass(&r, 4999 + r.time.mono % 3 < until - r.time.mono ? 4999 + r.time.mono % 3
                                                              : until - r.time.mono);
    for (int i = 0; i < 7; i++) {
        unsigned least = 10000u / (unsigned)periods[i];
        assert_in_range(m[i].count, least, least + (10000 % periods[i] ? 1 : 0));
        assert_true(m[i].first_us - origin <= (uint64_t)periods[i] * 1000 + 5000);
    }
    struct media_clock_stats s;
    media_clock_stats(r.clock, &s);
    assert_int_equal(s.members, 7);
    assert_int_equal(s.skipped, 0);
    assert_true(s.max_us <= 5000);
    rig_close(&r);
}

static void missed_ticks_follow_up_to_100_ms(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct member m = {0};
    join(&r, &m, 20);
    pass(&r, 20000);
    assert_int_equal(m.count, 1);
    pass(&r, 100000);
    assert_int_equal(m.count, 6);
    assert_int_equal(m.tick.skipped, 0);
    pass(&r, 1000000); /* 50 periods: 5 come, 45 are lost */
    assert_int_equal(m.count, 11);
    assert_int_equal(m.tick.skipped, 45);
    pass(&r, 20000); /* and the cadence is the old one */
    assert_int_equal(m.count, 12);
    struct media_clock_stats s;
    media_clock_stats(r.clock, &s);
    assert_int_equal(s.skipped, 45);
    assert_int_equal(s.ticks, 12);
    assert_true(s.late >= 8 && s.max_us <= 100000 && s.max_us >= 80000);
    assert_true(s.p99_us >= s.p50_us && s.p99_us <= s.max_us);
    media_clock_stats_reset(r.clock);
    media_clock_stats(r.clock, &s);
    assert_int_equal(s.ticks + s.max_us + s.p99_us, 0);
    rig_close(&r);
}

static void with_a_catch_up_of_one_period_no_burst_follows_a_stall(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    media_clock_set_catchup(r.clock, 20);
    struct member m = {0};
    join(&r, &m, 20);
    pass(&r, 20000);
    pass(&r, 39000); /* nearly two periods late: still nothing is lost */
    assert_int_equal(m.count, 2);
    pass(&r, 101000); /* six ticks in one go: one frame, five skipped */
    assert_int_equal(m.count, 3);
    assert_int_equal(m.tick.skipped, 5);
    pass(&r, 20000);
    assert_int_equal(m.count, 4);
    rig_close(&r);
}

static void members_are_spread_over_the_slots(void **state)
{
    (void)state;
    enum { N = 400 };
    struct rig r;
    rig_open(&r);
    struct member *m = calloc(N, sizeof(*m));
    static const int periods[] = {20, 20, 20, 10, 30, 40, 60, 20};
    double per_slot = 0;
    for (int i = 0; i < N; i++) {
        join(&r, &m[i], periods[i % 8]);
        per_slot += 5.0 / periods[i % 8];
    }
    uint64_t before = 0;
    pass(&r, 60000);
    struct media_clock_stats s;
    media_clock_stats(r.clock, &s);
    before = s.ticks;
    for (int i = 0; i < 48; i++) {
        pass(&r, 5000);
        media_clock_stats(r.clock, &s);
        assert_true((double)(s.ticks - before) < per_slot * 1.15 + 2);
        before = s.ticks;
    }
    for (int i = 0; i < N; i++)
        media_clock_leave(&m[i].tick);
    free(m);
    rig_close(&r);
}

static void joining_and_leaving_inside_a_tick_is_safe(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct member a = {0}, b = {0}, c = {0};
    struct media_tick *load = calloc(3, sizeof(*load));
    struct member dummy[3] = {0};
    join(&r, &a, 5); /* period 5: all in the same slots */
    join(&r, &b, 5);
    join(&r, &c, 5);
    a.victim = &b;
    c.leave_after = 2;
    for (int i = 0; i < 3; i++) /* joined and freed inside the wheel's life */
        assert_int_equal(media_clock_join(r.clock, &load[i], 20, on_tick, &dummy[i]), VA_OK);
    pass(&r, 5000);
    assert_int_equal(a.count, 1);
    assert_int_equal(b.count, 0);
    for (int i = 0; i < 3; i++)
        media_clock_leave(&load[i]);
    free(load);
    pass(&r, 50000);
    assert_int_equal(a.count, 11);
    assert_int_equal(c.count, 2);
    a.victim = NULL;
    a.rejoin_ms = 20;
    a.count = 0;
    pass(&r, 5000);
    pass(&r, 100000);
    assert_int_equal(a.count, 6); /* one old tick, five of 20 ms */
    media_clock_leave(&a.tick);
    media_clock_leave(&a.tick);
    pass(&r, 100000);
    assert_int_equal(a.count, 6);
    rig_close(&r);
}

static void the_last_member_may_leave_and_return_in_its_tick(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct member a = {0};
    join(&r, &a, 10);
    for (int i = 0; i < 500; i++) {
        a.rejoin_ms = i % 2 ? 20 : 10;
        unsigned before = a.count;
        pass(&r, 20000);
        assert_true(a.count - before >= 1 && a.count - before <= 3);
    }
    rig_close(&r); /* takes the member off */
    assert_null(a.tick.clock);
}

static void a_late_join_does_not_tick_into_the_past(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct member a = {0}, b = {0};
    join(&r, &a, 20);
    va_clock_manual_advance(&r.time, 3000000); /* the loop is stuck, then a call arrives first */
    uint64_t joined = r.time.mono;
    join(&r, &b, 20);
    pass(&r, 0);
    assert_int_equal(b.count, 0);
    assert_int_equal(a.count, 5);
    pass(&r, 20000);
    assert_int_equal(b.count, 1);
    assert_true(b.first_us > joined);
    rig_close(&r);
}

static void wrong_periods_are_refused(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct member m = {0};
    static const int wrong[] = {0, -20, 7, 25, 35, 45, 50, 55, 65, 120};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(media_clock_join(r.clock, &m.tick, wrong[i], on_tick, &m), VA_EINVAL);
    assert_int_equal(media_clock_join(r.clock, &m.tick, 20, NULL, &m), VA_EINVAL);
    rig_close(&r);
}

static void bins_are_whole(void **state)
{
    (void)state;
    uint64_t edge = media_clock_bin_edge_us(0);
    assert_int_equal(edge, 0);
    for (unsigned i = 1; i < MEDIA_CLOCK_LATENESS_BINS - 1; i++) {
        assert_true(media_clock_bin_edge_us(i) > edge);
        assert_true(media_clock_bin_edge_us(i) <= edge + edge / 4 + 4);
        edge = media_clock_bin_edge_us(i);
    }
    assert_true(edge > 1000000);
}

static void the_timer_turns_the_wheel(void **state)
{
    (void)state;
    struct loop *loop = NULL;
    struct media_clock *clock = NULL;
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    assert_int_equal(media_clock_new(loop, &clock), VA_OK);
    struct member m = {.leave_after = 5};
    uint64_t t0 = loop_now_us(loop);
    assert_int_equal(media_clock_join(clock, &m.tick, 10, on_tick, &m), VA_OK);
    while (m.count < 5)
        loop_turn(loop, true);
    assert_true(loop_now_us(loop) - t0 >= 40000);
    loop_turn(loop, false); /* off: nothing is ready any more */
    m.leave_after = 7;
    assert_int_equal(media_clock_join(clock, &m.tick, 10, on_tick, &m), VA_OK);
    while (m.count < 7)
        loop_turn(loop, true);
    media_clock_free(&clock);
    loop_free(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_member_ticks_once_per_period_without_drift),
        cmocka_unit_test(missed_ticks_follow_up_to_100_ms),
        cmocka_unit_test(with_a_catch_up_of_one_period_no_burst_follows_a_stall),
        cmocka_unit_test(members_are_spread_over_the_slots),
        cmocka_unit_test(joining_and_leaving_inside_a_tick_is_safe),
        cmocka_unit_test(the_last_member_may_leave_and_return_in_its_tick),
        cmocka_unit_test(a_late_join_does_not_tick_into_the_past),
        cmocka_unit_test(wrong_periods_are_refused),
        cmocka_unit_test(bins_are_whole),
        cmocka_unit_test(the_timer_turns_the_wheel),
    };
    return cmocka_run_group_tests_name("media clock", tests, NULL, NULL);
}
