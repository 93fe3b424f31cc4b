/* media/: G.711, resampler, tones and the judges of recordings, DTMF. */
#include "media/dtmf.h"
#include "media/g711.h"
#include "media/measure.h"
#include "media/resample.h"
#include "media/tone.h"

#include "unit/unit.h"

#include <math.h>
#include <stdlib.h>

/* ---- G.711 ----------------------------------------------------------------------------------- */

/* Decision values and outputs of G.711 tables 1a/2a, positive half, in 16-bit units. */
struct law {
    int edge[129];
    int value[128];
};

static struct law ulaw_of_the_standard(void)
{
    struct law law;
    int x = 0; /* 14-bit units; the first interval is 0…1, then 15 of 2, then 16 of 4, 8, … 256 */
    for (int i = 0; i < 128; i++) {
        int width = i == 0 ? 1 : 2 << (i / 16);
        law.edge[i] = x * 4;
        law.value[i] = i == 0 ? 0 : (2 * x + width) * 2;
        x += width;
    }
    law.edge[128] = x * 4;
    return law;
}

static struct law alaw_of_the_standard(void)
{
    struct law law;
    int x = 0; /* 13-bit units; 32 intervals of 2, then 16 each of 4, 8, … 128 */
    for (int i = 0; i < 128; i++) {
        int width = i < 32 ? 2 : 2 << (i / 16 - 1);
        law.edge[i] = x * 8;
        law.value[i] = (2 * x + width) * 4;
        x += width;
    }
    law.edge[128] = x * 8;
    return law;
}

static int interval(const struct law *law, int mag)
{
    int i = 0;
    while (i < 127 && mag >= law->edge[i + 1])
        i++;
    return i;
}

static void g711_is_the_standard_for_every_sample(void **state)
{
    (void)state;
    struct law u = ulaw_of_the_standard(), a = alaw_of_the_standard();
    assert_int_equal(u.edge[128], 8159 * 4);
    assert_int_equal(a.edge[128], 4096 * 8);
    for (int x = -32768; x <= 32767; x++) {
        int i = interval(&u, abs(x)), want = x < 0 ? -u.value[i] : u.value[i];
        assert_int_equal(g711_ulaw_decode(g711_ulaw_encode((int16_t)x)), want);
        i = interval(&a, x < 0 ? -x - 1 : x);
        want = x < 0 ? -a.value[i] : a.value[i];
        assert_int_equal(g711_alaw_decode(g711_alaw_encode((int16_t)x)), want);
    }
}

static void g711_codes_survive_a_round_trip(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        uint8_t code = (uint8_t)c;
        if (code != 0x7f) /* µ-law has two zeros */
            assert_int_equal(g711_ulaw_encode(g711_ulaw_decode(code)), code);
        assert_int_equal(g711_alaw_encode(g711_alaw_decode(code)), code);
    }
    assert_int_equal(g711_ulaw_encode(0), 0xff);
    assert_int_equal(g711_alaw_encode(0), 0xd5);
    assert_int_equal(g711_ulaw_decode(0x80), 32124);
    assert_int_equal(g711_alaw_decode(0xaa), 32256);
    int16_t in[4] = {0, 1000, -1000, 32767}, out[4];
    uint8_t codes[4];
    g711_ulaw_encode_block(in, 4, codes);
    g711_ulaw_decode_block(codes, 4, out);
    assert_int_equal(out[1], -out[2]);
    g711_alaw_encode_block(in, 4, codes);
    g711_alaw_decode_block(codes, 4, out);
    assert_int_equal(out[3], 32256);
}

/* ---- resampler ------------------------------------------------------------------------------- */

/* Signal to everything else, by least squares fit of a sine at hz [dB]. */
static double sine_snr(const int16_t *x, size_t n, int rate, double hz)
{
    double s = 0, c = 0, rest = 0, w = 2 * 3.14159265358979323846 * hz / rate;
    for (size_t i = 0; i < n; i++) {
        s += x[i] * sin(w * (double)i);
        c += x[i] * cos(w * (double)i);
    }
    s *= 2.0 / (double)n;
    c *= 2.0 / (double)n;
    for (size_t i = 0; i < n; i++) {
        double e = x[i] - s * sin(w * (double)i) - c * cos(w * (double)i);
        rest += e * e;
    }
    return 10 * log10((s * s + c * c) / 2 / (rest / (double)n));
}

/* A sine of one second and a half through a stream in odd blocks; returns what came out. */
static size_t stream_sine(int in_hz, int out_hz, int quality, double hz, int16_t *out, size_t cap)
{
    static int16_t in[48000 * 3 / 2];
    size_t n = (size_t)in_hz * 3 / 2, at = 0, got = 0, block = 1;
    struct tone t;
    tone_init(&t, in_hz, hz, -6);
    tone_fill(&t, in, n);
    struct resample *r = NULL;
    assert_int_equal(resample_new(in_hz, out_hz, quality, &r), VA_OK);
    while (at < n) {
        size_t part = n - at < block ? n - at : block;
        assert_true(resample_room(r, part) <= cap - got);
        got += resample_run(r, in + at, part, out + got, cap - got);
        at += part;
        block = block * 7 % 1009 + 1;
    }
    resample_free(&r);
    assert_null(r);
    return got;
}

static void a_stream_keeps_sines_and_counts(void **state)
{
    (void)state;
    static const int rates[] = {8000, 16000, 24000, 48000};
    static int16_t out[48000 * 2];
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++) {
            for (int q = RESAMPLE_QUALITY; q <= RESAMPLE_QUALITY_ASR; q += 2) {
                size_t n = stream_sine(rates[i], rates[k], q, 1000, out, 48000 * 2);
                long want = rates[k] * 3L / 2;
                assert_true(labs((long)n - want) <= 1);
                double snr = sine_snr(out + rates[k] / 4, (size_t)rates[k], rates[k], 1000);
                assert_true(snr > 70);
            }
        }
    }
}

static void a_stream_rejects_aliases(void **state)
{
    (void)state;
    static int16_t out[48000 * 2];
    size_t n = stream_sine(24000, 8000, RESAMPLE_QUALITY, 5000, out, 48000 * 2);
    assert_true(measure_rms_dbfs(out + 800, n - 1600) < -80);
    n = stream_sine(48000, 16000, RESAMPLE_QUALITY_ASR, 10000, out, 48000 * 2);
    assert_true(measure_rms_dbfs(out + 800, n - 1600) < -80);
}

static void whole_utterances_have_no_delay(void **state)
{
    (void)state;
    static const int pairs[][2] = {{22050, 8000}, {22050, 16000}, {44100, 8000},
                                   {8000, 24000}, {8000, 8000},   {16000, 8000}};
    enum { MS = 1000 };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        int from = pairs[i][0], to = pairs[i][1];
        size_t n = (size_t)from;
        int16_t *in = calloc(n, sizeof(*in));
        struct tone t;
        tone_init(&t, from, 1000, -10);
        tone_fill(&t, in + n / 2, n / 2); /* begins in the middle */
        struct pcm *pcm = NULL;
        assert_int_equal(resample_whole(from, in, n, to, RESAMPLE_QUALITY, &pcm), VA_OK);
        assert_int_equal(pcm_count(pcm), to);
        assert_int_equal(pcm_ms(pcm), MS);
        const int16_t *x = pcm_samples(pcm);
        struct measure_run run = measure_active(x, pcm_count(pcm), 1000);
        assert_true(labs((long)run.at - to / 2) <= to / 1000);
        assert_true(run.at + run.len > (size_t)to - (size_t)to / 500); /* the end is there */
        assert_true(fabs(measure_frequency_hz(x + to / 2 + 100, (size_t)to / 3, to) - 1000) < 2);
        pcm_unref(&pcm);
        free(in);
    }
}

static void resampler_edges(void **state)
{
    (void)state;
    struct resample *r = NULL;
    assert_int_equal(resample_new(0, 8000, 3, &r), VA_EINVAL);
    assert_int_equal(resample_new(8000, 8000, 11, &r), VA_EINVAL);
    assert_int_equal(resample_new(8000, 16000, 3, &r), VA_OK);
    int16_t in[8] = {0}, out[8];
    assert_int_equal(resample_run(r, in, 8, out, 8), 0);
    resample_reset(r);
    resample_free(&r);
    resample_free(&r);
    struct pcm *pcm = NULL, *second = NULL;
    assert_int_equal(resample_whole(22050, NULL, 0, 8000, 3, &pcm), VA_OK);
    assert_int_equal(pcm_count(pcm), 0);
    second = pcm_ref(pcm);
    pcm_unref(&pcm);
    assert_int_equal(pcm_rate_hz(second), 8000);
    pcm_unref(&second);
    assert_int_equal(pcm_new(1, in, 8, &pcm), VA_EINVAL);
}

/* ---- tones and judges ------------------------------------------------------------------------ */

static void tones_measure_as_made(void **state)
{
    (void)state;
    int16_t x[8000];
    struct tone t;
    tone_init(&t, 8000, 440, -20);
    tone_fill(&t, x, 8000);
    assert_true(fabs(measure_rms_dbfs(x, 8000) + 20) < 0.1);
    assert_true(fabs(measure_frequency_hz(x, 8000, 8000) - 440) < 0.5);
    assert_true(fabs(measure_tone_dbfs(x, 8000, 8000, 440) + 20) < 0.1);
    assert_true(measure_tone_dbfs(x, 8000, 8000, 900) < -60);
    tone_silence(x, 8000);
    assert_true(measure_rms_dbfs(x, 8000) <= MEDIA_SILENCE_DBFS);
    assert_true(measure_frequency_hz(x, 8000, 8000) == 0);
    uint32_t seed = 7;
    tone_noise_add(&seed, -30, x, 8000);
    assert_true(fabs(measure_rms_dbfs(x, 8000) + 30) < 0.3);
}

static void holes_are_found(void **state)
{
    (void)state;
    int16_t x[1000] = {0};
    assert_int_equal(measure_longest_gap(x, 1000, 0).len, 0);
    for (size_t i = 100; i < 900; i++)
        x[i] = (i >= 300 && i < 350) || (i >= 500 && i < 620) ? 8 : 500;
    assert_int_equal(measure_longest_gap(x, 1000, 0).len, 0);
    struct measure_run gap = measure_longest_gap(x, 1000, 8), all = measure_active(x, 1000, 8);
    assert_int_equal(gap.at, 500);
    assert_int_equal(gap.len, 120);
    assert_int_equal(all.at, 100);
    assert_int_equal(all.len, 800);
}

static void clicks_are_found_and_sines_are_none(void **state)
{
    (void)state;
    int16_t x[8000];
    struct tone t;
    tone_init(&t, 8000, 1000, -12);
    tone_fill(&t, x, 8000);
    size_t at = 0;
    /* Its ends are cut too, but there is nothing to judge them by. */
    assert_int_equal(measure_clicks(x, 8000, 8000, 1500, &at), 0);
    size_t cut = 4000;
    while (x[cut - 1] < 8000)
        cut++;
    memset(x + cut, 0, sizeof(x) - cut * sizeof(x[0]));
    assert_int_equal(measure_clicks(x, 8000, 8000, 1500, &at), 1);
    assert_int_equal(at, cut);
    memset(x, 0, sizeof(x));
    x[3000] = 9000;
    assert_true(measure_clicks(x, 8000, 8000, 1500, &at) >= 1);
}

/* ---- DTMF ------------------------------------------------------------------------------------ */

static void digits_sound_right(void **state)
{
    (void)state;
    int16_t x[800];
    assert_int_equal(dtmf_tone('8', 8000, x, 800), VA_OK);
    assert_true(fabs(measure_tone_dbfs(x, 800, 8000, 852) + 10) < 0.6);
    assert_true(fabs(measure_tone_dbfs(x, 800, 8000, 1336) + 10) < 0.6);
    assert_true(measure_tone_dbfs(x, 800, 8000, 697) < -25);
    assert_int_equal(dtmf_tone('x', 8000, x, 800), VA_EINVAL);
    assert_int_equal(dtmf_digit('d'), 'D');
    assert_true(dtmf_valid('#') && dtmf_valid('*') && dtmf_valid('0'));
    assert_false(dtmf_valid('E') || dtmf_valid(' ') || dtmf_valid(0));
}

static void digits_are_collected(void **state)
{
    (void)state;
    struct dtmf_collect c;
    struct dtmf_cfg cfg = {.max_digits = 3, .terminator = '#', .inter_digit_ms = 1000};
    assert_int_equal(dtmf_collect_start(&c, &cfg, 0), VA_OK);
    assert_int_equal(c.due_us, 10000000);
    assert_int_equal(dtmf_collect_push(&c, '1', 9000000), DTMF_COLLECTING);
    assert_int_equal(dtmf_collect_push(&c, 'x', 9100000), DTMF_COLLECTING);
    assert_int_equal(dtmf_collect_poll(&c, 9999999), DTMF_COLLECTING);
    assert_int_equal(dtmf_collect_push(&c, '#', 9999999), DTMF_COMPLETE);
    assert_string_equal(c.digits, "1");
    assert_int_equal(dtmf_collect_push(&c, '2', 9999999), DTMF_COMPLETE);
    assert_string_equal(c.digits, "1");

    assert_int_equal(dtmf_collect_start(&c, &cfg, 0), VA_OK);
    for (int i = 0; i < 3; i++)
        (void)dtmf_collect_push(&c, "4a*"[i], 1);
    assert_int_equal(c.state, DTMF_COMPLETE);
    assert_string_equal(c.digits, "4A*");

    assert_int_equal(dtmf_collect_start(&c, &cfg, 0), VA_OK);
    assert_int_equal(dtmf_collect_push(&c, '7', 100), DTMF_COLLECTING);
    assert_int_equal(dtmf_collect_push(&c, '8', 1000100), DTMF_TIMED_OUT);
    assert_string_equal(c.digits, "7");
    cfg.max_digits = DTMF_DIGITS_MAX + 1;
    assert_int_equal(dtmf_collect_start(&c, &cfg, 0), VA_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(g711_is_the_standard_for_every_sample),
        cmocka_unit_test(g711_codes_survive_a_round_trip),
        cmocka_unit_test(a_stream_keeps_sines_and_counts),
        cmocka_unit_test(a_stream_rejects_aliases),
        cmocka_unit_test(whole_utterances_have_no_delay),
        cmocka_unit_test(resampler_edges),
        cmocka_unit_test(tones_measure_as_made),
        cmocka_unit_test(holes_are_found),
        cmocka_unit_test(clicks_are_found_and_sines_are_none),
        cmocka_unit_test(digits_sound_right),
        cmocka_unit_test(digits_are_collected),
    };
    return cmocka_run_group_tests_name("media codec", tests, NULL, NULL);
}
