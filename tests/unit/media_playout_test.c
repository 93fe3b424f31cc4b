/* media/playout and pcm. */
#include "media/measure.h"
#include "media/playout.h"
#include "media/tone.h"

#include "unit/unit.h"

#include <stdlib.h>

enum { FRAME = 160 };

struct rig {
    struct playout *p;
    uint32_t drained[32];
    unsigned drains, underruns;
    bool free_in_handler;
    uint32_t write_in_handler;
};

static void on_drained(void *arg, uint32_t id)
{
    struct rig *r = arg;
    r->drained[r->drains++] = id;
    if (r->write_in_handler) {
        int16_t x[FRAME] = {7};
        assert_int_equal(playout_write(r->p, r->write_in_handler, x, FRAME), VA_OK);
        r->write_in_handler = 0;
    }
    if (r->free_in_handler)
        playout_free(&r->p);
}

static void on_underrun(void *arg, uint32_t id)
{
    struct rig *r = arg;
    assert_true(id > 0);
    r->underruns++;
}

static const struct playout_handlers handlers = {on_drained, on_underrun};

static void rig_open(struct rig *r, uint32_t max_ms)
{
    *r = (struct rig){0};
    assert_int_equal(playout_new(8000, max_ms, &handlers, r, &r->p), VA_OK);
}

/* Samples start, start+1, … (never 0). */
static void write_ramp(struct rig *r, uint32_t id, int start, size_t n)
{
    int16_t *x = malloc(n * sizeof(*x));
    for (size_t i = 0; i < n; i++)
        x[i] = (int16_t)(start + (int)i);
    assert_int_equal(playout_write(r->p, id, x, n), VA_OK);
    free(x);
}

static void frames_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 0);
    int16_t f[FRAME];
    assert_int_equal(playout_next(r.p, f, FRAME), 0);
    assert_int_equal(f[0] | f[FRAME - 1], 0);
    int at = 1;
    for (size_t n = 1; at < 9000; n = n * 3 % 997 + 1) {
        write_ramp(&r, 1, at, n);
        at += (int)n;
    }
    assert_int_equal(playout_mark_end(r.p, 1), VA_OK);
    int want = 1;
    size_t got = 0;
    do {
        got = playout_next(r.p, f, FRAME);
        for (size_t i = 0; i < FRAME; i++)
            assert_int_equal(f[i], i < got ? want++ : 0);
    } while (got == FRAME);
    assert_int_equal(want, at);
    assert_int_equal(r.drains, 1);
    assert_int_equal(r.drained[0], 1);
    assert_int_equal(playout_played_ms(r.p, 1), (at - 1) / 8);
    assert_int_equal(playout_current(r.p), 0);
    assert_int_equal(playout_next(r.p, f, FRAME), 0);
    assert_int_equal(r.drains, 1);
    assert_int_equal(r.underruns, 0);
    playout_free(&r.p);
    playout_free(&r.p);
}

static void answers_follow_each_other_inside_a_frame(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 0);
    int16_t f[FRAME], one[40];
    for (int i = 0; i < 40; i++)
        one[i] = 3000;
    struct pcm *pcm = NULL;
    assert_int_equal(pcm_new(8000, one, 40, &pcm), VA_OK);
    write_ramp(&r, 3, 1, 100);
    assert_int_equal(playout_write_shared(r.p, 5, pcm), VA_OK);
    write_ramp(&r, 5, 1000, 10);
    write_ramp(&r, 9, 2000, 200);
    write_ramp(&r, 3, 101, 5); /* the older one is still open */
    pcm_unref(&pcm);
    assert_int_equal(playout_mark_end(r.p, 3), VA_OK);
    assert_int_equal(playout_mark_end(r.p, 5), VA_OK);
    assert_int_equal(playout_current(r.p), 3);
    assert_int_equal(playout_next(r.p, f, FRAME), FRAME);
    assert_int_equal(f[104], 105);
    assert_int_equal(f[105], 3000);
    assert_int_equal(f[145], 1000);
    assert_int_equal(f[155], 2000);
    assert_int_equal(r.drains, 2);
    assert_int_equal(r.drained[1], 5);
    assert_int_equal(playout_current(r.p), 9);
    assert_int_equal(playout_played_ms(r.p, 3), 13);
    assert_int_equal(playout_queued_ms(r.p), 195 / 8);
    assert_int_equal(playout_write(r.p, 5, one, 40), VA_ECANCELED); /* ended and gone */
    assert_int_equal(playout_write(r.p, 4, one, 40), VA_ECANCELED); /* older than known */
    assert_int_equal(playout_write(r.p, 0, one, 40), VA_EINVAL);
    struct playout_stats s;
    playout_stats(r.p, &s);
    assert_int_equal(s.late_samples, 80);
    playout_free(&r.p);
}

static void an_unended_answer_holds_the_next_one(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 0);
    int16_t f[FRAME];
    write_ramp(&r, 1, 1, 200);
    write_ramp(&r, 2, 1000, 200);
    assert_int_equal(playout_next(r.p, f, FRAME), FRAME);
    assert_int_equal(r.underruns, 0);
    assert_int_equal(playout_next(r.p, f, FRAME), 40);
    assert_int_equal(r.underruns, 1);
    assert_int_equal(playout_next(r.p, f, FRAME), 0);
    assert_int_equal(r.underruns, 1); /* the same drought */
    write_ramp(&r, 1, 201, 20);
    assert_int_equal(playout_next(r.p, f, FRAME), 20);
    assert_int_equal(r.underruns, 2);
    assert_int_equal(playout_mark_end(r.p, 1), VA_OK);
    assert_int_equal(playout_next(r.p, f, FRAME), FRAME);
    assert_int_equal(f[0], 1000);
    assert_int_equal(r.drained[0], 1);
    struct playout_stats s;
    playout_stats(r.p, &s);
    assert_int_equal(s.underruns, 2);
    assert_int_equal(s.underrun_samples, 120 + 160 + 140);
    playout_free(&r.p);
}

static void flush_silences_within_a_frame_without_a_click(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 0);
    int16_t x[8000], out[FRAME * 4], f[FRAME];
    struct tone t;
    tone_init(&t, 8000, 300, -10);
    tone_fill(&t, x, 8000);
    assert_int_equal(playout_write(r.p, 1, x, 8000), VA_OK);
    write_ramp(&r, 2, 1, 500);
    assert_int_equal(playout_next(r.p, out, FRAME), FRAME);
    assert_int_equal(playout_next(r.p, out + FRAME, FRAME), FRAME);
    playout_flush(r.p);
    assert_int_equal(playout_queued_ms(r.p), 0);
    assert_int_equal(playout_write(r.p, 1, x, 100), VA_ECANCELED);
    assert_int_equal(playout_write(r.p, 2, x, 100), VA_ECANCELED);
    assert_int_equal(playout_mark_end(r.p, 2), VA_ECANCELED);
    assert_int_equal(playout_next(r.p, out + 2 * FRAME, FRAME), 0);
    assert_int_equal(playout_next(r.p, out + 3 * FRAME, FRAME), 0);
    struct measure_run loud = measure_active(out, 4 * FRAME, 0);
    assert_true(loud.at + loud.len <= 2 * FRAME + 8 * PLAYOUT_FADE_MS);
    assert_true(loud.at + loud.len >= 2 * FRAME + 8);
    assert_int_equal(measure_clicks(out, 4 * FRAME, 8000, 1500, NULL), 0);
    assert_int_equal(playout_played_ms(r.p, 1), 40);
    assert_int_equal(playout_played_ms(r.p, 2), 0);
    assert_int_equal(r.drains, 0);
    /* A flush while nothing sounds makes no sound. */
    assert_int_equal(playout_write(r.p, 3, x, 8000), VA_OK);
    playout_flush(r.p);
    assert_int_equal(playout_next(r.p, f, FRAME), 0);
    assert_int_equal(measure_active(f, FRAME, 0).len, 0);
    struct playout_stats s;
    playout_stats(r.p, &s);
    assert_int_equal(s.flushes, 2);
    assert_int_equal(s.flushed_samples, 8000 - 2 * FRAME + 500 + 8000);
    playout_free(&r.p);
}

static void a_new_answer_begins_in_the_frame_of_the_fade(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 0);
    int16_t f[FRAME];
    write_ramp(&r, 1, 1000, 1000);
    assert_int_equal(playout_next(r.p, f, FRAME), FRAME);
    playout_flush_until(r.p, 6);
    int16_t x[FRAME] = {0};
    assert_int_equal(playout_write(r.p, 6, x, FRAME), VA_ECANCELED);
    write_ramp(&r, 7, 10000, FRAME);
    assert_int_equal(playout_next(r.p, f, FRAME), FRAME);
    assert_true(f[0] > 11000);
    assert_int_equal(f[FRAME - 1], 10000 + FRAME - 1);
    playout_free(&r.p);
}

/* ---- hold and resume ------------------------------------------------------------------------- */

enum { TONE_LEN = 8000 };

static void write_tone(struct rig *r, uint32_t id, int16_t *ret_x)
{
    struct tone t;
    tone_init(&t, 8000, 300, -10);
    tone_fill(&t, ret_x, TONE_LEN);
    assert_int_equal(playout_write(r->p, id, ret_x, TONE_LEN), VA_OK);
}

static void frames(struct rig *r, int16_t *out, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        (void)playout_next(r->p, out + (size_t)i * FRAME, FRAME);
}

/* Silent within a frame; later on from the very next sample; no click at either edge. Held at
 * every phase of the tone. */
static void a_held_answer_goes_on_where_it_stopped(void **state)
{
    (void)state;
    for (unsigned before = 1; before < 20; before++) {
        struct rig r;
        int16_t x[TONE_LEN], out[FRAME * 32];
        size_t heard = (size_t)before * FRAME, back = heard + 4 * FRAME;
        rig_open(&r, 0);
        write_tone(&r, 1, x);
        frames(&r, out, before);
        playout_hold(r.p);
        playout_hold(r.p);
        assert_true(playout_held(r.p));
        frames(&r, out + heard, 4);
        assert_int_equal(
            measure_active(out + heard + 8 * PLAYOUT_FADE_MS, 4 * FRAME - 8 * PLAYOUT_FADE_MS, 0)
                .len,
            0);
        assert_int_equal(playout_played_ms(r.p, 1), before * 20); /* the fade is not heard */
        assert_int_equal(playout_left_ms(r.p, 1), 1000 - before * 20);
        playout_resume(r.p);
        playout_resume(r.p);
        frames(&r, out + back, 3);
        assert_memory_equal(out + back + 8 * PLAYOUT_FADE_MS, x + heard + 8 * PLAYOUT_FADE_MS,
                            (3 * FRAME - 8 * PLAYOUT_FADE_MS) * sizeof(*x));
        assert_int_equal(playout_played_ms(r.p, 1), before * 20 + 60);
        assert_int_equal(measure_clicks(out, back + 3 * FRAME, 8000, 1500, NULL), 0);
        struct playout_stats s;
        playout_stats(r.p, &s);
        assert_int_equal(s.holds, 1);
        assert_int_equal(s.flushes | s.underruns | s.flushed_samples, 0);
        playout_free(&r.p);
    }
}

static void a_hold_of_no_frame_changes_nothing(void **state)
{
    (void)state;
    struct rig r;
    int16_t x[TONE_LEN], out[FRAME * 2];
    rig_open(&r, 0);
    write_tone(&r, 1, x);
    frames(&r, out, 1);
    playout_hold(r.p);
    playout_resume(r.p);
    frames(&r, out + FRAME, 1);
    assert_memory_equal(out, x, sizeof(out));
    playout_free(&r.p);
}

/* Everything is kept, nothing ends, until it is let go. */
static void a_hold_takes_audio_and_reports_nothing(void **state)
{
    (void)state;
    struct rig r;
    int16_t out[FRAME * 4];
    rig_open(&r, 0);
    write_ramp(&r, 1, 1, FRAME + 10);
    frames(&r, out, 1);
    playout_hold(r.p);
    write_ramp(&r, 1, FRAME + 11, FRAME - 10);
    assert_int_equal(playout_mark_end(r.p, 1), VA_OK);
    assert_int_equal(playout_mark_end(r.p, 2), VA_OK);
    write_ramp(&r, 3, 1000, FRAME);
    frames(&r, out, 3);
    assert_int_equal(r.drains | r.underruns, 0);
    assert_int_equal(playout_current(r.p), 1);
    playout_resume(r.p);
    frames(&r, out, 2);
    assert_int_equal(r.drains, 2);
    assert_int_equal(out[100], FRAME + 101);
    assert_int_equal(out[FRAME], 1000);
    assert_int_equal(r.underruns, 0);
    playout_free(&r.p);
}

static void a_flush_ends_a_hold(void **state)
{
    (void)state;
    struct rig r;
    int16_t x[TONE_LEN], out[FRAME * 4];
    rig_open(&r, 0);
    write_tone(&r, 1, x);
    frames(&r, out, 1);
    playout_hold(r.p);
    playout_flush(r.p); /* before any frame: the fade of the hold is still due, and once */
    frames(&r, out + FRAME, 1);
    assert_int_equal(measure_clicks(out, 2 * FRAME, 8000, 1500, NULL), 0);
    assert_int_equal(measure_active(out + FRAME + 8 * PLAYOUT_FADE_MS, 100, 0).len, 0);
    assert_false(playout_held(r.p));
    write_tone(&r, 2, x);
    frames(&r, out, 1);
    playout_hold(r.p);
    frames(&r, out, 1);
    playout_flush(r.p); /* silent already: no second fade */
    frames(&r, out, 1);
    assert_int_equal(measure_active(out, FRAME, 0).len, 0);
    assert_int_equal(playout_played_ms(r.p, 2), 20);
    write_ramp(&r, 3, 1000, FRAME); /* what is new begins as it is */
    frames(&r, out, 1);
    assert_int_equal(out[0], 1000);
    playout_free(&r.p);
}

static void bounds_hold(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 1000);
    int16_t *x = calloc(8001, sizeof(*x)), f[FRAME];
    assert_int_equal(playout_write(r.p, 1, x, 8001), VA_ELIMIT);
    assert_int_equal(playout_queued_ms(r.p), 0);
    assert_int_equal(playout_write(r.p, 1, x, 8000), VA_OK);
    struct pcm *pcm = NULL, *wide = NULL;
    assert_int_equal(pcm_new(8000, x, 1, &pcm), VA_OK);
    assert_int_equal(pcm_new(16000, x, 1, &wide), VA_OK);
    assert_int_equal(playout_write_shared(r.p, 1, pcm), VA_ELIMIT);
    assert_int_equal(playout_write_shared(r.p, 1, wide), VA_EINVAL);
    assert_int_equal(playout_next(r.p, f, FRAME), FRAME);
    assert_int_equal(playout_write_shared(r.p, 1, pcm), VA_OK);
    for (uint32_t id = 2; id <= PLAYOUT_ANSWERS_MAX; id++)
        assert_int_equal(playout_mark_end(r.p, id), VA_OK);
    assert_int_equal(playout_mark_end(r.p, 99), VA_ELIMIT);
    assert_int_equal(playout_mark_end(r.p, 1), VA_OK);
    while (playout_next(r.p, f, FRAME) > 0)
        ;
    assert_int_equal(r.drains, PLAYOUT_ANSWERS_MAX);
    for (uint32_t id = 100; id < 120; id++)
        assert_int_equal(playout_mark_end(r.p, id), id < 116 ? VA_OK : VA_ELIMIT);
    assert_int_equal(playout_played_ms(r.p, 1), 0); /* forgotten by now */
    struct playout_stats s;
    playout_stats(r.p, &s);
    assert_int_equal(s.refused_samples, 8002);
    pcm_unref(&pcm);
    pcm_unref(&wide);
    playout_free(&r.p);
    free(x);
    assert_int_equal(playout_new(11025, 0, NULL, NULL, &r.p), VA_EINVAL);
}

static void handlers_may_write_and_free(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 0);
    int16_t f[FRAME];
    write_ramp(&r, 1, 1, FRAME);
    assert_int_equal(playout_mark_end(r.p, 1), VA_OK);
    assert_int_equal(playout_mark_end(r.p, 2), VA_OK);
    r.write_in_handler = 3;
    assert_int_equal(playout_next(r.p, f, FRAME), FRAME);
    assert_int_equal(r.drains, 2);
    assert_int_equal(playout_next(r.p, f, FRAME), FRAME);
    assert_int_equal(f[0], 7);
    assert_int_equal(playout_mark_end(r.p, 3), VA_OK);
    assert_int_equal(playout_mark_end(r.p, 4), VA_OK);
    r.free_in_handler = true;
    assert_int_equal(playout_next(r.p, f, FRAME), 0);
    assert_int_equal(r.drains, 3);
    assert_null(r.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_out_as_they_went_in),
        cmocka_unit_test(answers_follow_each_other_inside_a_frame),
        cmocka_unit_test(an_unended_answer_holds_the_next_one),
        cmocka_unit_test(flush_silences_within_a_frame_without_a_click),
        cmocka_unit_test(a_new_answer_begins_in_the_frame_of_the_fade),
        cmocka_unit_test(a_held_answer_goes_on_where_it_stopped),
        cmocka_unit_test(a_hold_of_no_frame_changes_nothing),
        cmocka_unit_test(a_hold_takes_audio_and_reports_nothing),
        cmocka_unit_test(a_flush_ends_a_hold),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(handlers_may_write_and_free),
    };
    return cmocka_run_group_tests_name("media playout", tests, NULL, NULL);
}
