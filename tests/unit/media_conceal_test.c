/* media/conceal: what is made up goes on as what was heard, at every rate, and joins it. */
#include "media/conceal.h"
#include "media/measure.h"
#include "media/wav.h"

#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAP = 4 * MEDIA_RATE_MAX_HZ };

static const int rates[] = {8000, 16000, 24000, 48000};

/* A voice of five harmonics: sample i. */
static int16_t voice(size_t i, int rate, double hz)
{
    double x = 0, t = 6.283185307179586 * hz * (double)i / rate;
    for (int n = 1; n <= 5; n++)
        x += sin(n * t + n) / n;
    return (int16_t)(4000 * x);
}

static struct conceal made(int rate, int16_t **ret_memory)
{
    struct conceal c;
    size_t n = conceal_memory(rate);
    *ret_memory = n ? malloc(n * sizeof(int16_t)) : NULL;
    conceal_init(&c, rate, *ret_memory);
    return c;
}

/* Signal to error of 10 ms made up after half a second of a voice [dB]. */
static double continued(int rate, double hz)
{
    int16_t *memory = NULL, x[960], out[960];
    struct conceal c = made(rate, &memory);
    size_t frame = (size_t)rate / 50, at = 0;
    for (int f = 0; f < 25; f++) {
        for (size_t i = 0; i < frame; i++)
            x[i] = voice(at++, rate, hz);
        conceal_heard(&c, x, frame);
    }
    double s = 0, e = 0;
    conceal_make(&c, out, frame);
    for (size_t i = 0; i < frame / 2; i++) {
        double want = voice(at + i, rate, hz), d = out[i] - want;
        s += want * want;
        e += d * d;
    }
    free(memory);
    return 10 * log10(s / (e + 1e-9));
}

static void a_voice_goes_on(void **state)
{
    (void)state;
    static const double pitches[] = {80, 110, 175, 240, 330};
    for (size_t r = 0; r < 4; r++)
        for (size_t p = 0; p < 5; p++) {
            double snr = continued(rates[r], pitches[p]);
            print_message("    %d Hz, voice of %.0f Hz: %.1f dB\n", rates[r], pitches[p], snr);
            if (rates[r] > 8000)
                assert_true(snr > 9);
        }
}

/* Holes of 20 ms in one frame of twelve: steps no larger than those of the voice. */
static void holes_do_not_click(void **state)
{
    (void)state;
    static int16_t all[CAP];
    for (size_t r = 1; r < 4; r++) {
        int rate = rates[r], own = 0, worst = 0;
        int16_t *memory = NULL;
        struct conceal c = made(rate, &memory);
        size_t frame = (size_t)rate / 50, n = 0;
        for (size_t f = 0; f < 150; f++, n += frame) {
            for (size_t i = 0; i < frame; i++)
                all[n + i] = voice(n + i, rate, 90 + (double)(f / 12) * 12);
            for (size_t i = 1; i < frame; i++)
                own =
                    abs(all[n + i] - all[n + i - 1]) > own ? abs(all[n + i] - all[n + i - 1]) : own;
            if (f % 12 == 11)
                conceal_make(&c, all + n, frame);
            else
                conceal_heard(&c, all + n, frame);
        }
        for (size_t i = 1; i < n; i++)
            if ((i / frame) % 12 != 0 || i % frame) /* there the voice itself jumps */
                worst = abs(all[i] - all[i - 1]) > worst ? abs(all[i] - all[i - 1]) : worst;
        print_message("    %d Hz: largest step %d, the voice's own %d\n", rate, worst, own);
        assert_true(worst < own * 13 / 10);
        free(memory);
    }
}

static void a_long_hole_fades_to_nothing(void **state)
{
    (void)state;
    static int16_t out[CAP];
    for (size_t r = 1; r < 4; r++) {
        int rate = rates[r];
        int16_t *memory = NULL, x[960];
        struct conceal c = made(rate, &memory);
        size_t frame = (size_t)rate / 50, ms = (size_t)rate / 1000;
        for (size_t f = 0, at = 0; f < 10; f++) {
            for (size_t i = 0; i < frame; i++)
                x[i] = voice(at++, rate, 120);
            conceal_heard(&c, x, frame);
        }
        /* In portions of any size it is the same as at once. */
        struct conceal twin = c;
        static int16_t again[CAP];
        conceal_make(&twin, again, 100 * ms);
        for (size_t at = 0, n = 1; at < 100 * ms; at += n, n = n % 37 + 1)
            conceal_make(&c, out + at, n < 100 * ms - at ? n : 100 * ms - at);
        assert_memory_equal(out, again, 100 * ms * sizeof(*out));
        double first = measure_rms_dbfs(out, 10 * ms),
               late = measure_rms_dbfs(out + 40 * ms, 10 * ms);
        assert_true(first > -21 && late < first - 5);
        for (size_t i = CONCEAL_GONE_MS * ms; i < 100 * ms; i++)
            assert_int_equal(out[i], 0);
        free(memory);
    }
}

static void silence_stays_silent(void **state)
{
    (void)state;
    for (size_t r = 1; r < 4; r++) {
        int16_t *memory = NULL, out[960] = {1};
        struct conceal c = made(rates[r], &memory);
        conceal_make(&c, out, 960);
        for (size_t i = 0; i < 960; i++)
            assert_int_equal(out[i], 0);
        conceal_heard(&c, out, 960);
        conceal_heard(&c, out, 0);
        conceal_make(&c, out, 0);
        free(memory);
    }
}

/* Speech with one 20 ms frame of ten lost: nearer to the speech with concealment than without. */
static void speech_is_mended(void **state)
{
    (void)state;
    const char *shared = getenv("VA_SHARED_DIR");
    char path[400];
    static int16_t out[CAP];
    (void)snprintf(path, sizeof(path), "%s/audio/en-leave-message-16k.wav",
                   shared ? shared : VA_SOURCE_DIR "/../shared");
    for (size_t r = 0; r < 4; r++) {
        struct pcm *pcm = NULL;
        int16_t *memory = NULL;
        int rate = rates[r];
        if (wav_load(path, &(struct wav_want){.rate_hz = rate}, &pcm, NULL))
            skip();
        struct conceal c = made(rate, &memory);
        size_t frame = (size_t)rate / 50;
        double s = 0, made_error = 0;
        for (size_t f = 0; (f + 1) * frame <= pcm_count(pcm) && (f + 1) * frame <= CAP; f++) {
            const int16_t *x = pcm_samples(pcm) + f * frame;
            memcpy(out, x, frame * sizeof(*x));
            if (f % 10 != 9) {
                conceal_heard(&c, out, frame);
                continue;
            }
            conceal_make(&c, out, frame);
            for (size_t i = 0; i < frame; i++) {
                s += (double)x[i] * x[i];
                made_error += (double)(x[i] - out[i]) * (x[i] - out[i]);
            }
        }
        print_message("    %d Hz: error of what was made up %.1f dB (silence is 0)\n", rate,
                      10 * log10(made_error / s));
        assert_true(made_error < s * (rate == 8000 ? 1.2 : 0.95));
        free(memory);
        pcm_unref(&pcm);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_voice_goes_on),
        cmocka_unit_test(holes_do_not_click),
        cmocka_unit_test(a_long_hole_fades_to_nothing),
        cmocka_unit_test(silence_stays_silent),
        cmocka_unit_test(speech_is_mended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
