/* media/codec: what goes in comes out, and garbage does no harm. */
#include "media/codec.h"
#include "media/measure.h"
#include "media/tone.h"
#include "media/wav.h"

#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SECONDS = 3, CAP = SECONDS * MEDIA_RATE_MAX_HZ };

static int16_t in[CAP], out[CAP];

static struct codec *made(enum codec_id id, int rate)
{
    struct codec *c = NULL;
    assert_int_equal(codec_new(codec_info(id), rate, &c), VA_OK);
    return c;
}

/* @return samples written to out[] */
static size_t round_trip(struct codec *c, size_t n, int ptime, size_t *ret_bytes)
{
    const struct jitter_codec *j = codec_jitter(c);
    size_t frame = (size_t)codec_rate(c) / 1000u * (size_t)ptime, got = 0, bytes = 0;
    for (size_t at = 0; at + frame <= n; at += frame) {
        uint8_t p[CODEC_PAYLOAD_MAX];
        size_t len = codec_encode(c, in + at, frame, p, sizeof(p));
        assert_true(len > 0 && len <= sizeof(p));
        uint8_t *exact = malloc(len); /* so that a read too far is seen */
        memcpy(exact, p, len);
        assert_int_equal(j->samples(j->state, exact, len), frame);
        size_t back = j->decode(j->state, exact, len, out + got, CAP - got);
        assert_int_equal(back, frame);
        free(exact);
        got += back;
        bytes += len;
    }
    *ret_bytes = bytes;
    return got;
}

/* Signal to noise at the delay where it is best [dB]; gain is not noise. */
static double snr_at(size_t n, size_t lag)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i + lag < n; i++) {
        ab += (double)in[i] * out[i + lag];
        aa += (double)in[i] * in[i];
        bb += (double)out[i + lag] * out[i + lag];
    }
    double explained = aa > 0 ? ab * ab / aa : 0, noise = bb - explained;
    return noise > 0 ? 10 * log10(explained / noise) : 99;
}

static double best_snr(size_t n, int rate)
{
    double best = -99;
    for (size_t lag = 0; lag <= (size_t)rate / 100; lag++) { /* 10 ms: Opus has 6.5 */
        double snr = snr_at(n, lag);
        best = snr > best ? snr : best;
    }
    return best;
}

static void a_sine_comes_back(void **state)
{
    (void)state;
    static const struct {
        enum codec_id id;
        double snr;
    } least[] = {{CODEC_PCMU, 36}, {CODEC_PCMA, 36},   {CODEC_G722, 36},
                 {CODEC_OPUS, 15}, {CODEC_L16_8K, 98}, {CODEC_L16_16K, 98}};
    static const int ptimes[] = {10, 20, 30, 40, 60};
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        struct codec *c = made(least[i].id, 16000);
        struct tone tone;
        tone_init(&tone, codec_rate(c), 440, -12);
        size_t n = (size_t)codec_rate(c) * SECONDS, bytes = 0;
        tone_fill(&tone, in, n);
        for (size_t k = 0; k < 5; k++) {
            if (codec_ptime(codec_info_of(c), ptimes[k]) != ptimes[k])
                continue;
            size_t got = round_trip(c, n, ptimes[k], &bytes);
            double snr = best_snr(got, codec_rate(c));
            print_message("    %s/%d %d ms: SNR %.1f dB, %.1f kbit/s\n", codec_info_of(c)->name,
                          codec_info_of(c)->clock_hz, ptimes[k], snr,
                          (double)bytes * 8 / SECONDS / 1000);
            assert_true(snr >= least[i].snr);
        }
        codec_free(&c);
    }
}

/* @return samples of speech in in[] at `rate`; 0: there is none here */
static size_t speech(int rate)
{
    const char *shared = getenv("VA_SHARED_DIR");
    char path[400];
    struct pcm *ours = NULL;
    struct va_fault fault;
    (void)snprintf(path, sizeof(path), "%s/audio/en-leave-message-16k.wav",
                   shared ? shared : VA_SOURCE_DIR "/../shared");
    if (wav_load(path, &(struct wav_want){.rate_hz = rate}, &ours, &fault))
        return 0;
    size_t n = pcm_count(ours) < (size_t)rate * SECONDS ? pcm_count(ours) : (size_t)rate * SECONDS;
    memcpy(in, pcm_samples(ours), n * sizeof(*in));
    pcm_unref(&ours);
    return n;
}

static void speech_comes_back(void **state)
{
    (void)state;
    static const double least[CODEC_COUNT] = {
        [CODEC_PCMU] = 30, [CODEC_PCMA] = 30,   [CODEC_G722] = 18,
        [CODEC_OPUS] = 5,  [CODEC_L16_8K] = 98, [CODEC_L16_16K] = 98};
    if (!speech(8000))
        skip();
    for (int id = 0; id < CODEC_COUNT; id++) {
        struct codec *c = made((enum codec_id)id, 16000);
        size_t n = speech(codec_rate(c)), bytes = 0, got = round_trip(c, n, 20, &bytes);
        double snr = best_snr(got, codec_rate(c)), level = measure_rms_dbfs(in, got);
        print_message("    %s/%d speech: SNR %.1f dB, level %.1f → %.1f dBFS, %.1f kbit/s\n",
                      codec_info((enum codec_id)id)->name, codec_info((enum codec_id)id)->clock_hz,
                      snr, level, measure_rms_dbfs(out, got),
                      (double)bytes * 8 * codec_rate(c) / (double)n / 1000);
        assert_true(snr >= least[id]);
        assert_true(fabs(measure_rms_dbfs(out, got) - level) < 1.5);
        codec_free(&c);
    }
}

/* ---- Opus ------------------------------------------------------------------------------------ */

/* One packet of ten is lost. What its successor says of it is nearer than what is made up. */
static double concealed_snr(bool fec, int rate)
{
    struct codec *c = made(CODEC_OPUS, rate);
    const struct jitter_codec *j = codec_jitter(c);
    size_t n = speech(rate), frame = (size_t)rate / 50, count = n / frame;
    uint8_t p[2][CODEC_PAYLOAD_MAX];
    size_t len[2] = {0, 0};
    len[0] = codec_encode(c, in, frame, p[0], CODEC_PAYLOAD_MAX);
    for (size_t k = 0; k + 1 < count; k++) {
        size_t this = k % 2, next = !this, got = 0;
        len[next] = codec_encode(c, in + (k + 1) * frame, frame, p[next], CODEC_PAYLOAD_MAX);
        if (k % 10 == 9)
            got = j->conceal(j->state, fec ? p[next] : NULL, fec ? len[next] : 0, out + k * frame,
                             frame);
        else
            got = j->decode(j->state, p[this], len[this], out + k * frame, frame);
        assert_int_equal(got, frame);
    }
    codec_free(&c);
    return best_snr((count - 1) * frame, rate);
}

static void opus_hears_the_lost_packet_in_the_next(void **state)
{
    (void)state;
    static const int rates[] = {8000, 16000, 24000, 48000};
    if (!speech(8000))
        skip();
    for (size_t i = 0; i < 4; i++) {
        double with = concealed_snr(true, rates[i]), without = concealed_snr(false, rates[i]);
        print_message("    %d Hz: SNR %.2f dB with FEC, %.2f without\n", rates[i], with, without);
        assert_true(with > without + 0.5);
    }
}

static void opus_makes_up_what_is_asked_for(void **state)
{
    (void)state;
    struct codec *c = made(CODEC_OPUS, 8000);
    const struct jitter_codec *j = codec_jitter(c);
    for (size_t n = 1; n <= 120 * 8; n++)
        assert_int_equal(j->conceal(j->state, NULL, 0, out, n), n % 20 ? 0 : n);
    assert_int_equal(j->conceal(j->state, NULL, 0, out, 121 * 8), 0);
    static const uint8_t junk[] = {0xff, 0xff, 0xff};
    assert_int_equal(j->conceal(j->state, junk, sizeof(junk), out, 160), 160);
    codec_free(&c);
}

/* ---- the table ------------------------------------------------------------------------------- */

static void the_table_is_found_by_all_names(void **state)
{
    (void)state;
    assert_ptr_equal(codec_by_static_pt(0), codec_info(CODEC_PCMU));
    assert_ptr_equal(codec_by_static_pt(8), codec_info(CODEC_PCMA));
    assert_ptr_equal(codec_by_static_pt(9), codec_info(CODEC_G722));
    assert_null(codec_by_static_pt(11)); /* 44.1 kHz */
    assert_null(codec_by_static_pt(-1));
    assert_null(codec_by_static_pt(3));
    assert_ptr_equal(codec_by_rtpmap(str_of("pcmu"), 8000, 0), codec_info(CODEC_PCMU));
    assert_ptr_equal(codec_by_rtpmap(str_of("G722"), 8000, 1), codec_info(CODEC_G722));
    assert_ptr_equal(codec_by_rtpmap(str_of("OPUS"), 48000, 2), codec_info(CODEC_OPUS));
    assert_ptr_equal(codec_by_rtpmap(str_of("L16"), 16000, 1), codec_info(CODEC_L16_16K));
    assert_ptr_equal(codec_by_rtpmap(str_of("L16"), 8000, 1), codec_info(CODEC_L16_8K));
    assert_null(codec_by_rtpmap(str_of("opus"), 48000, 1));
    assert_null(codec_by_rtpmap(str_of("G722"), 16000, 1));
    assert_null(codec_by_rtpmap(str_of("L16"), 44100, 2));
    assert_null(codec_by_rtpmap(str_of(""), 8000, 1));
    assert_ptr_equal(codec_by_setting(str_of("opus")), codec_info(CODEC_OPUS));
    assert_ptr_equal(codec_by_setting(str_of("L16")), codec_info(CODEC_L16_16K));
    assert_ptr_equal(codec_by_setting(str_of("l16/8000")), codec_info(CODEC_L16_8K));
    assert_null(codec_by_setting(str_of("GSM")));
    for (int id = 0; id < CODEC_COUNT; id++)
        assert_int_equal(codec_info((enum codec_id)id)->id, id);
}

/* ---- wrong lengths and garbage --------------------------------------------------------------- */

static void wrong_lengths_are_refused(void **state)
{
    (void)state;
    for (int id = 0; id < CODEC_COUNT; id++) {
        struct codec *c = made((enum codec_id)id, 8000);
        const struct jitter_codec *j = codec_jitter(c);
        size_t ms = (size_t)codec_rate(c) / 1000;
        uint8_t p[CODEC_PAYLOAD_MAX];
        assert_int_equal(codec_encode(c, in, 0, p, sizeof(p)), 0);
        assert_int_equal(codec_encode(c, in, 20 * ms - 1, p, sizeof(p)), 0);
        assert_int_equal(codec_encode(c, in, 25 * ms, p, sizeof(p)), 0);
        assert_int_equal(codec_encode(c, in, 80 * ms, p, sizeof(p)), 0);
        assert_int_equal(codec_encode(c, in, 20 * ms, p, id == CODEC_OPUS ? 0 : 1), 0);
        size_t len = codec_encode(c, in, 20 * ms, p, sizeof(p));
        assert_true(len > 0);
        assert_int_equal(j->samples(j->state, p, 0), 0);
        assert_int_equal(j->decode(j->state, p, 0, out, CAP), 0);
        assert_int_equal(j->decode(j->state, p, len, out, 20 * ms - 1), 0);
        assert_int_equal(j->decode(j->state, p, len, out, 20 * ms), 20 * ms);
        codec_free(&c);
    }
    struct codec *c = made(CODEC_L16_16K, 8000);
    const struct jitter_codec *j = codec_jitter(c);
    assert_int_equal(j->samples(j->state, (const uint8_t *)"abc", 3), 0);
    assert_int_equal(j->decode(j->state, (const uint8_t *)"abc", 3, out, CAP), 0);
    codec_free(&c);
    assert_int_equal(codec_new(codec_info(CODEC_OPUS), 11025, &c), VA_EINVAL);
    assert_int_equal(codec_new(NULL, 8000, &c), VA_EINVAL);
}

/* What samples() promises is what decode() gives, or nothing; never more than there is room. */
static void garbage_does_no_harm(void **state)
{
    (void)state;
    uint32_t seed = 12345;
    for (int id = 0; id < CODEC_COUNT; id++) {
        struct codec *c = made((enum codec_id)id, 16000);
        const struct jitter_codec *j = codec_jitter(c);
        for (size_t i = 0; i < 3000; i++) {
            seed = seed * 1664525u + 1013904223u;
            size_t len = seed >> 8 & (i % 3 ? 63 : 511);
            uint8_t *p = malloc(len ? len : 1);
            for (size_t k = 0; k < len; k++) {
                seed = seed * 1664525u + 1013904223u;
                p[k] = (uint8_t)(seed >> 24);
            }
            size_t want = j->samples(j->state, p, len), room = 160 + i % 3 * 800;
            int16_t *x = malloc(room * sizeof(*x));
            size_t got = j->decode(j->state, p, len, x, room);
            assert_true(got == 0 || (got == want && got <= room));
            if (j->conceal)
                (void)j->conceal(j->state, p, len, x, room - room % 40);
            free(x);
            free(p);
        }
        codec_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sine_comes_back),
        cmocka_unit_test(speech_comes_back),
        cmocka_unit_test(opus_hears_the_lost_packet_in_the_next),
        cmocka_unit_test(opus_makes_up_what_is_asked_for),
        cmocka_unit_test(the_table_is_found_by_all_names),
        cmocka_unit_test(wrong_lengths_are_refused),
        cmocka_unit_test(garbage_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
