/* Cost per 20 ms frame of the media layer's parts, and the lateness of the clock with 1,000
 * members. media_bench [members] [seconds] */
#include "base/str.h"
#include "media/clock.h"
#include "media/g711.h"
#include "media/playout.h"
#include "media/resample.h"
#include "media/tone.h"
#include "media/vad.h"

#include <stdio.h>
#include <stdlib.h>

enum { FRAME = 160, ROUNDS = 200000, SPEECH = 16000 };

static int16_t speech[SPEECH]; /* noise in syllables */

static void make_speech(void)
{
    uint32_t seed = 5;
    for (size_t i = 0; i + 800 <= SPEECH; i += 800)
        tone_noise_add(&seed, i / 800 % 2 ? -20 : -55, speech + i, 800);
}

static void report(const char *what, uint64_t from_us)
{
    double us = (double)(clock_mono_us(&va_clock_system) - from_us) / ROUNDS;
    printf("%-34s %7.3f us per 20 ms frame\n", what, us);
}

static bool bench_vad(int rate_hz)
{
    struct vad_cfg cfg = {.rate_hz = rate_hz};
    struct vad *vad = NULL;
    if (vad_new(&cfg, &vad))
        return false;
    size_t frame = (size_t)rate_hz / 50;
    unsigned events = 0;
    uint64_t t = clock_mono_us(&va_clock_system);
    for (size_t i = 0; i < ROUNDS; i++)
        events += vad_feed(vad, speech + i * frame % (SPEECH - frame), frame, NULL) != VAD_NONE;
    char name[40];
    (void)snprintf(name, sizeof(name), "vad_feed %d Hz (%u events)", rate_hz, events);
    report(name, t);
    vad_free(&vad);
    return true;
}

static bool bench_playout(void)
{
    struct playout *p = NULL;
    if (playout_new(8000, 0, NULL, NULL, &p))
        return false;
    int16_t frame[FRAME];
    size_t got = 0;
    uint64_t t = clock_mono_us(&va_clock_system);
    for (size_t i = 0; i < ROUNDS; i++) {
        if (i % 20 == 0 && playout_write(p, 1, speech, 20 * FRAME))
            return false;
        got += playout_next(p, frame, FRAME);
    }
    report(got == (size_t)ROUNDS * FRAME ? "playout_write + playout_next" : "playout (WRONG)", t);
    t = clock_mono_us(&va_clock_system);
    for (size_t i = 0; i < ROUNDS; i++)
        got += playout_next(p, frame, FRAME);
    report("playout_next, nothing to play", t);
    playout_free(&p);
    return true;
}

static bool bench_codecs(void)
{
    struct resample *r = NULL;
    if (resample_new(24000, 8000, RESAMPLE_QUALITY, &r))
        return false;
    int16_t out[FRAME + 2];
    uint8_t codes[FRAME];
    uint64_t t = clock_mono_us(&va_clock_system);
    size_t got = 0;
    for (size_t i = 0; i < ROUNDS; i++)
        got += resample_run(r, speech + i % 8000, 3 * FRAME, out, FRAME + 2);
    report(got ? "resample 24 to 8 kHz, quality 3" : "resample (WRONG)", t);
    t = clock_mono_us(&va_clock_system);
    for (size_t i = 0; i < ROUNDS; i++) {
        g711_ulaw_encode_block(speech + i % 8000, FRAME, codes);
        g711_ulaw_decode_block(codes, FRAME, out);
    }
    report("u-law encode + decode", t);
    resample_free(&r);
    return true;
}

/* A member does what a call does at least: one frame out, one frame judged. */
struct member {
    struct media_tick tick;
    struct playout *playout;
    struct vad *vad;
    size_t at;
};

static void on_tick(void *arg, uint64_t now_us)
{
    struct member *m = arg;
    int16_t frame[FRAME];
    (void)now_us;
    if (m->at % (20 * FRAME) == 0 && playout_write(m->playout, 1, speech, 20 * FRAME))
        abort();
    (void)playout_next(m->playout, frame, FRAME);
    (void)vad_feed(m->vad, frame, FRAME, NULL);
    m->at += FRAME;
}

static void on_over(void *arg)
{
    loop_stop(arg);
}

static bool bench_clock(size_t members, uint64_t seconds)
{
    struct loop *loop = NULL;
    struct media_clock *clock = NULL;
    struct member *m = calloc(members, sizeof(*m));
    if (!m || loop_new(NULL, 0, &loop) || media_clock_new(loop, &clock))
        return false;
    struct vad_cfg cfg = {.rate_hz = 8000};
    for (size_t i = 0; i < members; i++)
        if (playout_new(8000, 0, NULL, NULL, &m[i].playout) || vad_new(&cfg, &m[i].vad) ||
            media_clock_join(clock, &m[i].tick, 20, on_tick, &m[i]))
            return false;
    struct tmr over = {0};
    tmr_start(&over, loop, seconds * 1000, on_over, loop);
    uv_rusage_t before, after;
    (void)uv_getrusage(&before);
    loop_run(loop);
    (void)uv_getrusage(&after);
    struct media_clock_stats s;
    media_clock_stats(clock, &s);
    double cpu = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
                 (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
                 (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6 +
                 (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
    printf(
        "clock: %zu members, %llu s: %llu ticks, late(>5ms) %llu, skipped %llu, lateness p50 %llu "
        "p99 %llu max %llu us, CPU %.1f %%\n",
        members, (unsigned long long)seconds, (unsigned long long)s.ticks,
        (unsigned long long)s.late, (unsigned long long)s.skipped, (unsigned long long)s.p50_us,
        (unsigned long long)s.p99_us, (unsigned long long)s.max_us, cpu * 100 / (double)seconds);
    for (size_t i = 0; i < members; i++) {
        media_clock_leave(&m[i].tick);
        playout_free(&m[i].playout);
        vad_free(&m[i].vad);
    }
    media_clock_free(&clock);
    loop_free(&loop);
    free(m);
    return true;
}

int main(int argc, char **argv)
{
    uint64_t members = 1000, seconds = 5;
    if ((argc > 1 && str_to_u64(str_of(argv[1]), &members)) ||
        (argc > 2 && str_to_u64(str_of(argv[2]), &seconds)))
        return 2;
    make_speech();
    bool ok = bench_vad(8000) && bench_vad(16000) && bench_playout() && bench_codecs() &&
              bench_clock((size_t)members, seconds);
    return ok ? 0 : 1;
}
