/* media/vad: synthetic speech in noise, and what must not be taken for speech. */
#include "media/dtmf.h"
#include "media/measure.h"
#include "media/tone.h"
#include "media/vad.h"
#include "media/wav.h"

#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SECONDS_MAX = 40, FRAME_MS = 20 };

/* A call's worth of audio with the truth about each 20 ms frame. */
struct scene {
    int rate_hz;
    size_t n;
    int16_t *pcm;
    bool speech[SECONDS_MAX * 1000 / FRAME_MS];
};

static size_t frame_of(const struct scene *s)
{
    return (size_t)s->rate_hz * FRAME_MS / 1000;
}

static void scene_open(struct scene *s, int rate_hz)
{
    *s = (struct scene){.rate_hz = rate_hz};
    s->pcm = calloc((size_t)rate_hz * SECONDS_MAX, sizeof(*s->pcm));
}

static void add_quiet(struct scene *s, int ms)
{
    s->n += (size_t)s->rate_hz / 1000 * (size_t)ms;
}

/* The truth: frames over −45 dBFS, and what lies between two of them less than 300 ms apart. */
static void mark_truth(struct scene *s, size_t from, size_t to)
{
    size_t frame = frame_of(s), last = SIZE_MAX;
    for (size_t k = from / frame; (k + 1) * frame <= to; k++) {
        if (measure_rms_dbfs(s->pcm + k * frame, frame) < -45)
            continue;
        bool joined = last != SIZE_MAX && (k - last) * FRAME_MS < 300;
        for (size_t i = joined ? last : k; i <= k; i++)
            s->speech[i] = true;
        last = k;
    }
}

static bool add_file(struct scene *s, const char *name)
{
    const char *dir = getenv("VA_SHARED_DIR");
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/audio/%s", dir ? dir : VA_SOURCE_DIR "/../shared", name);
    struct wav_want want = {s->rate_hz, WAV_MIX};
    struct pcm *pcm = NULL;
    if (wav_load(path, &want, &pcm, NULL) != VA_OK)
        return false;
    assert_true(s->n + pcm_count(pcm) <= (size_t)s->rate_hz * SECONDS_MAX);
    memcpy(s->pcm + s->n, pcm_samples(pcm), pcm_count(pcm) * sizeof(int16_t));
    size_t from = s->n, frame = frame_of(s);
    s->n += (pcm_count(pcm) + frame - 1) / frame * frame;
    mark_truth(s, from, s->n);
    pcm_unref(&pcm);
    return true;
}

/* Two seconds, then the four utterances, each followed by a pause. */
static bool add_speech(struct scene *s)
{
    static const char *const names[] = {"en-leave-message-16k.wav", "ptbr-horario-8k.wav",
                                        "en-speak-with-sales-8k.wav",
                                        "ptbr-falar-com-vendas-8k.wav"};
    add_quiet(s, 2000);
    for (size_t i = 0; i < 4; i++) {
        if (!add_file(s, names[i]))
            return false;
        add_quiet(s, 2000);
    }
    return true;
}

static void add_noise(struct scene *s, double snr_db)
{
    double sum = 0;
    size_t frame = frame_of(s), count = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!s->speech[i / frame])
            continue;
        sum += (double)s->pcm[i] * s->pcm[i];
        count++;
    }
    double level = 10 * log10(sum / (double)count / (32768.0 * 32768.0));
    uint32_t seed = 42;
    tone_noise_add(&seed, level - snr_db, s->pcm, s->n);
}

struct verdict {
    unsigned starts, ends;
    uint64_t started_ms[64], ended_ms[64];
    double recall, false_share; /* of speech frames, of quiet frames */
};

static struct verdict judge(const struct scene *s, const struct vad_cfg *cfg, size_t frame)
{
    struct vad *vad = NULL;
    struct verdict v = {0};
    assert_int_equal(vad_new(cfg, &vad), VA_OK);
    for (size_t at = 0; at + frame <= s->n; at += frame) {
        uint64_t ms = 0;
        enum vad_event e = vad_feed(vad, s->pcm + at, frame, &ms);
        assert_int_equal(e == VAD_STARTED, e != VAD_NONE && vad_speaking(vad));
        if (e == VAD_STARTED)
            v.started_ms[v.starts++] = ms;
        if (e == VAD_ENDED)
            v.ended_ms[v.ends++] = ms;
    }
    if (v.starts > v.ends)
        v.ended_ms[v.ends] = vad_now_ms(vad);
    vad_free(&vad);
    size_t frames = s->n / frame_of(s), said = 0, heard = 0, wrong = 0;
    for (size_t k = 0; k < frames; k++) {
        uint64_t mid = k * FRAME_MS + FRAME_MS / 2;
        bool in = false;
        for (unsigned i = 0; i < v.starts; i++)
            in = in || (mid >= v.started_ms[i] && mid < v.ended_ms[i]);
        said += s->speech[k];
        heard += s->speech[k] && in;
        wrong += !s->speech[k] && in;
    }
    v.recall = said ? (double)heard / (double)said : 1;
    v.false_share = frames > said ? (double)wrong / (double)(frames - said) : 0;
    return v;
}

static void speech_in_noise_is_found(void **state)
{
    (void)state;
    static const struct {
        int rate_hz, frame_ms, snr_db;
        double recall, false_share;
    } cases[] = {
        {8000, 20, 96, 0.97, 0.03}, {8000, 20, 20, 0.95, 0.05},  {8000, 10, 20, 0.95, 0.05},
        {8000, 30, 20, 0.95, 0.05}, {16000, 20, 20, 0.95, 0.05}, {48000, 20, 20, 0.95, 0.05},
        {8000, 20, 10, 0.85, 0.10}, {8000, 10, 10, 0.85, 0.10},  {16000, 20, 10, 0.85, 0.10},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene s;
        scene_open(&s, cases[i].rate_hz);
        if (!add_speech(&s)) {
            free(s.pcm);
            skip();
        }
        if (cases[i].snr_db < 96)
            add_noise(&s, cases[i].snr_db);
        struct vad_cfg cfg = {.rate_hz = s.rate_hz};
        struct verdict v = judge(&s, &cfg, (size_t)(s.rate_hz / 1000 * cases[i].frame_ms));
        print_message("%5d Hz, %d ms, %d dB: recall %.3f, false %.3f, %u starts, %u ends\n",
                      s.rate_hz, cases[i].frame_ms, cases[i].snr_db, v.recall, v.false_share,
                      v.starts, v.ends);
        assert_true(v.recall >= cases[i].recall);
        assert_true(v.false_share <= cases[i].false_share);
        assert_in_range(v.starts, 4, 7);
        assert_int_equal(v.starts, v.ends);
        free(s.pcm);
    }
}

static void speech_is_dated_back(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, 8000);
    add_quiet(&s, 1000);
    uint32_t seed = 1;
    tone_noise_add(&seed, -80, s.pcm, 8000 * 4);
    struct tone t;
    tone_init(&t, 8000, 300, -20);
    tone_add(&t, s.pcm + s.n, 8000);
    add_quiet(&s, 3000);
    struct vad_cfg cfg = {.rate_hz = 8000};
    struct verdict v = judge(&s, &cfg, 160);
    assert_int_equal(v.starts, 1);
    assert_int_equal(v.started_ms[0], 1000);
    assert_int_equal(v.ended_ms[0], 2000);
    tone_noise_add(&seed, -60, s.pcm, s.n);
    cfg.end_silence_ms = 300;
    v = judge(&s, &cfg, 80);
    assert_int_equal(v.starts, 1);
    assert_int_equal(v.started_ms[0], 1000);
    assert_int_equal(v.ended_ms[0], 2000);
    free(s.pcm);
}

static void events_come_on_time_and_timing_can_change(void **state)
{
    (void)state;
    int16_t loud[160], quiet[160] = {0};
    struct tone t;
    tone_init(&t, 8000, 300, -20);
    tone_fill(&t, loud, 160);
    struct vad_cfg cfg = {.rate_hz = 8000};
    struct vad *vad = NULL;
    assert_int_equal(vad_new(&cfg, &vad), VA_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(vad_feed(vad, quiet, 160, NULL), VAD_NONE);
    for (int i = 0; i < 5; i++)
        assert_int_equal(vad_feed(vad, loud, 160, NULL), VAD_NONE);
    assert_true(vad_active(vad));
    uint64_t at = 0;
    assert_int_equal(vad_feed(vad, loud, 160, &at), VAD_STARTED); /* 120 ms */
    assert_int_equal(at, 200);
    assert_true(fabsf(vad_level_dbfs(vad) + 20) < 0.3f);
    for (int i = 0; i < 34; i++)
        assert_int_equal(vad_feed(vad, quiet, 160, NULL), VAD_NONE);
    assert_int_equal(vad_feed(vad, quiet, 160, &at), VAD_ENDED); /* 700 ms */
    assert_int_equal(at, 320);
    vad_set_timing(vad, 200, 60);
    for (int i = 0; i < 2; i++)
        assert_int_equal(vad_feed(vad, loud, 160, NULL), VAD_NONE);
    assert_int_equal(vad_feed(vad, loud, 160, NULL), VAD_STARTED);
    vad_reset(vad);
    assert_false(vad_speaking(vad));
    assert_int_equal(vad_feed(vad, quiet, 160, NULL), VAD_NONE);
    assert_int_equal(vad_feed(vad, loud, 0, NULL), VAD_NONE);
    vad_free(&vad);
    cfg.rate_hz = 4000;
    assert_int_equal(vad_new(&cfg, &vad), VA_EINVAL);
}

static void clicks_are_no_speech(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, 8000);
    struct tone t;
    tone_init(&t, 8000, 700, -10);
    for (int i = 0; i < 40; i++) { /* 20 … 59 ms long, 300 ms apart */
        add_quiet(&s, 300);
        tone_fill(&t, s.pcm + s.n, (size_t)(20 + i) * 8);
        add_quiet(&s, 20 + i);
    }
    struct vad_cfg cfg = {.rate_hz = 8000};
    assert_int_equal(judge(&s, &cfg, 160).starts, 0);
    assert_int_equal(judge(&s, &cfg, 80).starts, 0);
    free(s.pcm);
}

static void a_steady_sound_is_absorbed(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct scene s;
        scene_open(&s, 8000);
        uint32_t seed = 9;
        tone_noise_add(&seed, -65, s.pcm, 8000 * 22);
        struct tone hum;
        tone_init(&hum, 8000, kind == 0 ? 50 : 420, -25);
        if (kind < 2)
            tone_add(&hum, s.pcm + 16000, 8000 * 10);
        else
            assert_int_equal(dtmf_tone('5', 8000, s.pcm + 16000, 8000 * 10), VA_OK);
        add_quiet(&s, 22000);
        struct vad_cfg cfg = {.rate_hz = 8000};
        struct verdict v = judge(&s, &cfg, 160);
        assert_in_range(v.starts, 0, 1);
        if (v.starts) { /* heard as a sound, but given up long before it stops */
            assert_int_equal(v.ends, 1);
            assert_true(v.ended_ms[0] < 2000 + 4000);
        }
        free(s.pcm);
    }
}

static void no_packet_frames_are_silence_and_leave_the_floor(void **state)
{
    (void)state;
    struct vad_cfg cfg = {.rate_hz = 8000};
    struct vad *vad = NULL;
    assert_int_equal(vad_new(&cfg, &vad), VA_OK);
    int16_t f[160];
    uint32_t seed = 3;
    for (int i = 0; i < 300; i++) {
        tone_silence(f, 160);
        tone_noise_add(&seed, -40, f, 160);
        assert_int_equal(vad_feed(vad, f, 160, NULL), VAD_NONE);
    }
    float floor = vad_floor_dbfs(vad);
    assert_true(fabsf(floor + 40) < 1.5f);
    for (int i = 0; i < 1000; i++) {
        memset(f, i % 2 ? 0xff : 0, sizeof(f));
        assert_int_equal(vad_feed(vad, f, 160, NULL), VAD_NONE);
    }
    assert_true(vad_floor_dbfs(vad) >= floor - 0.01f);
    for (int i = 0; i < 100; i++) { /* the same noise again is still no speech */
        tone_silence(f, 160);
        tone_noise_add(&seed, -40, f, 160);
        assert_int_equal(vad_feed(vad, f, 160, NULL), VAD_NONE);
    }
    assert_true(vad_level_dbfs(vad) < -38);
    vad_free(&vad);
}

static void noise_alone_is_no_speech(void **state)
{
    (void)state;
    static const int levels[] = {-80, -60, -50, -46, -40, -30};
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        struct scene s;
        scene_open(&s, 8000);
        uint32_t seed = 11;
        tone_noise_add(&seed, levels[i], s.pcm, 8000 * 30);
        add_quiet(&s, 30000);
        struct vad_cfg cfg = {.rate_hz = 8000};
        struct verdict v = judge(&s, &cfg, 160);
        /* Louder than −45 + 8 at the very start it is believed to be speech, until the floor
         * has seen three quarters of a second. */
        assert_in_range(v.starts, 0, levels[i] > -38 ? 1 : 0);
        assert_true(v.starts == 0 || v.ended_ms[0] <= 1000);
        free(s.pcm);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speech_in_noise_is_found),
        cmocka_unit_test(speech_is_dated_back),
        cmocka_unit_test(events_come_on_time_and_timing_can_change),
        cmocka_unit_test(clicks_are_no_speech),
        cmocka_unit_test(a_steady_sound_is_absorbed),
        cmocka_unit_test(no_packet_frames_are_silence_and_leave_the_floor),
        cmocka_unit_test(noise_alone_is_no_speech),
    };
    return cmocka_run_group_tests_name("media vad", tests, NULL, NULL);
}
