/* media/jitter on a simulated network: what comes out, how late, and whether it clicks. A minute
 * and a drift of ten minutes take a second each. */
#include "media/measure.h"
#include "media/wav.h"

#include "unit/media_jitter_rig.h"

/* A cross-fade of two like waves leaves next to nothing; a cut leaves the order of 1. */
static const double splice_max = 0.02;

static struct jitter_stats stats_of(const struct rig *r)
{
    struct jitter_stats s;
    jitter_stats(r->j, &s);
    return s;
}

/* The tone after the time given is whole: its pitch, its level, and no splice to be heard. */
static void assert_pure(const struct rig *r, double hz)
{
    size_t at = 0;
    double worst = worst_step(r->out, r->out_len, hz, r->tone.peak, &at);
    print_message("      largest step beside the tone: %.4f of its peak\n", worst);
    if (worst > splice_max)
        fail_msg("a step of %.3f at sample %zu", worst, at);
    assert_true(fabs(measure_frequency_hz(r->out, r->out_len, RATE) - hz) < 0.05);
    assert_true(fabs(measure_rms_dbfs(r->out, r->out_len) + 18) < 0.05);
}

static void what_went_in_comes_out(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 60, 60, 60);
    rig_run(&r, 10); /* over the wraps of both numbers */
    rig_print(&r, "clean");
    int16_t want[FRAME * 500];
    struct tone t;
    tone_init(&t, RATE, 1000, -18);
    tone_fill(&t, want, FRAME * 500);
    size_t start = r.frames[JITTER_FRAME_SILENCE] * FRAME, ramp = RATE / 1000 * 4;
    assert_true(start > 0 && start <= FRAME * 5);
    assert_memory_equal(r.out + start + ramp, want + ramp, (r.out_len - start - ramp) * 2);
    struct jitter_stats s = stats_of(&r);
    assert_int_equal(s.late + s.discarded + s.concealed_samples + s.stretches, 0);
    assert_int_equal(s.samples, r.out_len);
    assert_in_range(s.delay_ms, 50, 70);
    rig_close(&r);
}

static void jitter_is_taken_up(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 20, 40, 200);
    r.jitter_us = 60000;
    rig_run(&r, 5);
    rig_forget(&r);
    struct jitter_stats before = stats_of(&r);
    rig_run(&r, 60);
    rig_print(&r, "60 ms of jitter");
    struct jitter_stats s = stats_of(&r);
    assert_in_range(s.target_ms, 70, 90);
    assert_in_range(r.delay_max_ms, 60, 110);
    assert_true(r.source.reordered > 100);
    assert_true(s.concealed_samples - before.concealed_samples <= FRAME * 15); /* 1 % is its aim */
    assert_int_equal(s.discarded, 0);
    if (s.concealed_samples == before.concealed_samples)
        assert_pure(&r, 1000);
    rig_close(&r);
}

static void loss_is_concealed_and_counted(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 60, 100, 200);
    r.loss = 0.05;
    rig_run(&r, 60);
    rig_print(&r, "5 % loss");
    struct jitter_stats s = stats_of(&r);
    assert_true(r.lost > 100);
    assert_int_equal(s.concealed_samples, (r.lost) * FRAME); /* not one more */
    assert_int_equal(r.frames[JITTER_FRAME_CONCEALED] > 0, 1);
    assert_int_equal(s.late + s.discarded, 0);
    /* The tone bends, but makes no step higher than its own, which reach 0.79 of its peak. */
    assert_true(largest_step(r.out, r.out_len) < r.tone.peak * 0.8);
    assert_true(fabs(measure_frequency_hz(r.out, r.out_len, RATE) - 1000) < 2);
    rig_close(&r);
}

static void all_of_it_together(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 60, 100, 200);
    r.loss = 0.05;
    r.twice = 0.05;
    r.jitter_us = 60000;
    r.packet_us = 20000 * (1 + 200e-6);
    rig_run(&r, 60);
    rig_print(&r, "loss, jitter, doubles, drift");
    struct jitter_stats s = stats_of(&r);
    assert_true(r.source.duplicates > 50 && r.source.reordered > 100);
    assert_true(s.concealed_samples >= (r.lost - 2) * FRAME);
    assert_true(s.concealed_samples <= (r.lost + 40) * FRAME); /* 1 % late beside 5 % lost */
    assert_true(r.delay_max_ms <= 200);
    assert_true(largest_step(r.out, r.out_len) < r.tone.peak * 0.8);
    assert_true(r.frames[JITTER_FRAME_SILENCE] < 10);
    rig_close(&r);
}

static void drift(double ppm, double hz, uint64_t jitter_us)
{
    struct rig r;
    rig_open(&r, 60, 60, 200);
    r.packet_us = 20000 * (1 + ppm / 1e6);
    r.jitter_us = jitter_us;
    tone_init(&r.tone, RATE, hz, -18);
    rig_run(&r, 5);
    rig_forget(&r);
    rig_run(&r, 600);
    rig_print(&r, ppm > 0 ? "600 s of a slow sender" : "600 s of a fast sender");
    struct jitter_stats s = stats_of(&r);
    /* 200 ppm of 600 s are 120 ms. */
    double made = ((double)s.inserted_samples - (double)s.cut_samples) / 8.0;
    assert_true(fabs(made - ppm * 0.6) < 45);
    assert_int_equal(s.late + s.discarded + s.concealed_samples, 0);
    assert_int_equal(r.frames[JITTER_FRAME_VOICE] * FRAME, r.out_len);
    assert_in_range(s.delay_ms, 40, 110);
    assert_true(r.delay_max_ms < 115);
    assert_pure(&r, hz);
    rig_close(&r);
}

static void a_slow_sender_is_followed(void **state)
{
    (void)state;
    drift(200, 1000, 0);
    drift(200, 997, 20000);
}

static void a_fast_sender_is_followed(void **state)
{
    (void)state;
    drift(-200, 1000, 0);
    drift(-200, 997, 20000);
}

static void a_stall_is_bounded(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 60, 60, 200);
    rig_run(&r, 5);
    r.transit_us += 600000; /* what leaves now comes 0.6 s late … */
    rig_run(&r, 0.6);
    r.transit_us -= 600000; /* … and what follows in time */
    rig_run(&r, 0.2);
    assert_true(stats_of(&r).delay_ms <= 220);
    rig_run(&r, 5);
    rig_print(&r, "a stall of 0.6 s");
    struct jitter_stats s = stats_of(&r);
    assert_true(s.delay_ms <= 80);
    assert_true(s.late + s.discarded > 15);
    assert_true(largest_step(r.out, r.out_len) < r.tone.peak * 0.8);
    rig_close(&r);
}

/* All of the stall comes at once: what is older than the bound is not played. */
static void a_jam_is_cut(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 60, 60, 200);
    tone_init(&r.tone, RATE, 1013, -18);
    rig_run(&r, 5);
    for (int ms = 180; ms <= 600; ms += 420) { /* one that starves, one that ends in a gap */
        uint64_t discarded = stats_of(&r).discarded;
        rig_forget(&r);
        r.held_until_us = r.now_us + (uint64_t)ms * 1000 + 60000;
        rig_run(&r, 15);
        rig_print(&r, "a jam");
        struct jitter_stats s = stats_of(&r);
        assert_true(r.delay_max_ms <= 221);
        assert_in_range(s.discarded - discarded, (ms - 180) / 20, (ms - 20) / 20);
        assert_true(s.delay_ms <= 90);
        assert_true(largest_step(r.out, r.out_len) < r.tone.peak * 0.9);
    }
    rig_close(&r);
}

static void a_burst_is_played_whole(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 20, 20, 200);
    rig_run(&r, 5);
    struct jitter_stats before = stats_of(&r);
    r.transit_us += 120000;
    (void)rig_tick(&r);
    r.transit_us -= 120000; /* overtaken: one packet 120 ms late */
    rig_run(&r, 1);
    /* The other way: five come at once, late, then all is as before. */
    for (int i = 5; i > 0; i--) {
        r.transit_us = 30000 + (uint64_t)i * 20000;
        (void)rig_tick(&r);
    }
    r.transit_us = 30000;
    rig_forget(&r);
    rig_run(&r, 0.3);
    assert_in_range(r.delay_max_ms, 80, 170); /* it has grown at once … */
    rig_run(&r, 10);
    rig_print(&r, "bursts");
    struct jitter_stats s = stats_of(&r);
    assert_int_equal(s.discarded, 0);
    assert_true(s.late <= 1);
    assert_true(s.cut_samples > before.cut_samples);
    assert_true(s.delay_ms < 100); /* … and comes back without losing any */
    assert_pure(
        &(struct rig){.out = r.out + 30 * FRAME, .out_len = r.out_len - 30 * FRAME, .tone = r.tone},
        1000);
    rig_close(&r);
}

static void a_longer_way_is_followed(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 20, 20, 200);
    rig_run(&r, 5);
    r.transit_us += 80000;
    rig_run(&r, 30);
    struct jitter_stats s = stats_of(&r);
    rig_print(&r, "80 ms longer");
    assert_int_equal(s.discarded, 0);
    assert_true(s.delay_ms < 60);
    r.transit_us -= 80000;
    rig_run(&r, 20);
    rig_print(&r, "80 ms shorter");
    s = stats_of(&r);
    assert_true(s.delay_ms < 60);
    rig_close(&r);
}

/* The same, from files when they are there: speech has no pitch to rely on. */
static void speech_survives(void **state)
{
    (void)state;
    const char *dir = getenv("VA_SHARED_DIR");
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/audio/ptbr-falar-com-vendas-8k.wav",
                   dir ? dir : VA_SOURCE_DIR "/../shared");
    struct pcm *pcm = NULL;
    struct wav_want want = {RATE, WAV_MIX};
    if (wav_load(path, &want, &pcm, NULL))
        skip();
    const struct {
        double loss, ppm;
        uint64_t jitter_us;
    } lines[] = {{0, 0, 0}, {0, 200, 60000}, {0, -200, 60000}, {0.05, 200, 60000}};
    double clean_dbfs = 0;
    for (size_t i = 0; i < 4; i++) {
        struct rig r;
        rig_open(&r, 60, 100, 200);
        r.codec = &jitter_pcmu;
        r.speech = pcm_samples(pcm);
        r.speech_len = pcm_count(pcm) / FRAME * FRAME;
        r.loss = lines[i].loss;
        r.jitter_us = lines[i].jitter_us;
        r.packet_us = 20000 * (1 + lines[i].ppm / 1e6);
        rig_run(&r, 120);
        rig_print(&r, "speech");
        assert_int_equal(measure_clicks(r.speech, r.speech_len, RATE, 2500, NULL), 0);
        double dbfs = measure_rms_dbfs(r.out, r.out_len);
        assert_int_equal(measure_clicks(r.out, r.out_len, RATE, 2500, NULL), 0);
        if (i == 0)
            clean_dbfs = dbfs;
        assert_true(fabs(dbfs - clean_dbfs) < (lines[i].loss > 0 ? 1 : 0.3));
        assert_true(r.delay_max_ms <= 200);
        rig_close(&r);
    }
    pcm_unref(&pcm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_went_in_comes_out),
        cmocka_unit_test(jitter_is_taken_up),
        cmocka_unit_test(loss_is_concealed_and_counted),
        cmocka_unit_test(all_of_it_together),
        cmocka_unit_test(a_slow_sender_is_followed),
        cmocka_unit_test(a_fast_sender_is_followed),
        cmocka_unit_test(a_stall_is_bounded),
        cmocka_unit_test(a_jam_is_cut),
        cmocka_unit_test(a_burst_is_played_whole),
        cmocka_unit_test(a_longer_way_is_followed),
        cmocka_unit_test(speech_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
