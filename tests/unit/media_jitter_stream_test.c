/* media/jitter: what senders do: pauses, comfort noise, digits, other codecs, other sources. */
#include "media/measure.h"
#include "media/stretch.h"

#include "unit/media_jitter_rig.h"

static struct jitter_stats stats_of(const struct rig *r)
{
    struct jitter_stats s;
    jitter_stats(r->j, &s);
    return s;
}

/* The place of the packet that the sender would send next. */
static struct rtp_place place_now(const struct rig *r)
{
    const struct rtp_source *s = &r->source;
    return (struct rtp_place){
        .seq = s->max_seq + (int16_t)(uint16_t)(r->seq - (uint16_t)s->max_seq),
        .timestamp = s->max_timestamp + (int32_t)(r->ts - (uint32_t)s->max_timestamp),
        .generation = s->generation};
}

static size_t sounding_from(const struct rig *r, size_t from)
{
    while (from < r->out_len && abs(r->out[from]) < 50)
        from++;
    return from;
}

static int loudest(const int16_t *x, size_t n)
{
    int most = 0;
    for (size_t i = 0; i < n; i++)
        most = abs(x[i]) > most ? abs(x[i]) : most;
    return most;
}

static void wrong_use_is_refused(void **state)
{
    (void)state;
    struct jitter *j = NULL;
    const struct jitter_cfg bad[] = {{{8000, 25}, 0, 0, 100},
                                     {{11025, 20}, 0, 0, 100},
                                     {{8000, 20}, -1, 0, 100},
                                     {{8000, 20}, 101, 100, 100},
                                     {{8000, 20}, 0, 100, 2001}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(jitter_new(&bad[i], &j), VA_EINVAL);
    struct rig r;
    rig_open(&r, 60, 60, 200);
    uint8_t p[JITTER_PAYLOAD_MAX + 1] = {0};
    struct jitter_packet k = {.codec = &exact, .payload = p, .len = 321, .place = {1000, 1000, 1}};
    assert_int_equal(jitter_put(r.j, &k), VA_EPROTO); /* half a sample */
    k.len = JITTER_PAYLOAD_MAX + 1;
    assert_int_equal(jitter_put(r.j, &k), VA_EPROTO);
    k.len = 0;
    assert_int_equal(jitter_put(r.j, &k), VA_EPROTO);
    k.len = 2 * 961; /* above 120 ms */
    assert_int_equal(jitter_put(r.j, &k), VA_EPROTO);
    k.codec = NULL;
    assert_int_equal(jitter_put(r.j, &k), VA_EINVAL);
    assert_int_equal(stats_of(&r).broken, 4);
    assert_int_equal(stats_of(&r).packets, 0);
    rig_close(&r);
    jitter_free(&r.j);
    jitter_free(NULL);
}

static void a_stretch_needs_likeness(void **state)
{
    (void)state;
    static const int rates[] = {8000, 16000, 48000};
    for (size_t i = 0; i < 3; i++) {
        enum { N = 48 * 60 };
        int rate = rates[i], before[N], same = 0;
        int16_t x[N] = {0};
        size_t at = stretch_lag_max(rate), period = (size_t)rate / 150;
        assert_int_equal(stretch_cut(x, rate, 0.85), at); /* silence: all it can */
        assert_int_equal(stretch_insert(x + at, rate, 0.85), at);
        uint32_t seed = 3;
        tone_noise_add(&seed, -20, x, N);
        for (size_t k = 0; k < N; k++)
            before[k] = x[k];
        assert_int_equal(stretch_cut(x, rate, 0.85), 0);
        assert_int_equal(stretch_insert(x + at, rate, 0.85), 0);
        for (size_t k = 0; k < N; k++)
            same += before[k] == x[k];
        assert_int_equal(same, N);
        struct tone t, over;
        tone_init(&t, rate, 150, -20);
        tone_init(&over, rate, 300, -20);
        tone_fill(&t, x, N);
        tone_add(&over, x, N);
        size_t lag = stretch_cut(x, rate, 0.85); /* one or two waves of the lower tone */
        assert_true(abs((int)(lag % period) - (int)period) <= 2 || lag % period <= 2);
    }
}

/* A pause without a word (DTX): the next spurt starts at the target, whatever grew before. */
static void a_spurt_starts_at_the_target(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 60, 60, 200);
    rig_run(&r, 3);
    r.transit_us += 90000; /* late: the delay grows */
    rig_run(&r, 0.2);
    assert_true(stats_of(&r).delay_ms > 70);
    r.pause = true;
    rig_run(&r, 3);
    r.transit_us -= 90000;
    r.pause = false;
    r.marker = true;
    rig_forget(&r);
    uint64_t cut = stats_of(&r).cut_samples;
    rig_run(&r, 0.5);
    rig_print(&r, "a spurt");
    assert_int_equal(stats_of(&r).cut_samples, cut);
    uint32_t target = stats_of(&r).target_ms; /* it remembers the late ones */
    assert_in_range(r.delay_max_ms, target - 15, target + 15);
    assert_int_equal(stats_of(&r).spurts, 2);
    assert_int_equal(stats_of(&r).late, 0);
    /* It fades in: a whole wave at its start is still soft. */
    size_t at = sounding_from(&r, 0);
    assert_true(at > 0 && loudest(r.out + at, 8) < 2000);
    assert_true(loudest(r.out + at + 32, 16) > 5000);
    rig_close(&r);
}

static void a_long_gap_is_silence(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 60, 60, 200);
    rig_run(&r, 3);
    r.mute = true; /* the network is down, numbers go on */
    rig_run(&r, 1);
    rig_forget(&r);
    rig_run(&r, 60);
    assert_int_equal(r.frames[JITTER_FRAME_SILENCE], 3000);
    assert_int_equal(measure_active(r.out, r.out_len, 0).len, 0);
    r.mute = false;
    rig_forget(&r);
    rig_run(&r, 2);
    rig_print(&r, "a minute without a packet");
    assert_in_range(r.frames[JITTER_FRAME_SILENCE], 3, 8);
    assert_int_equal(stats_of(&r).late + stats_of(&r).discarded, 0);
    assert_true(r.delay_max_ms < 90);
    rig_close(&r);
}

/* RFC 3389: level and then nothing; the noise has that level until speech comes back. */
static void comfort_noise_fills_a_pause(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 60, 60, 200);
    rig_run(&r, 3);
    r.pause = true;
    (void)rig_tick(&r);
    const uint8_t cn[] = {45, 200, 110};
    struct jitter_packet k = {.kind = JITTER_NOISE,
                              .codec = &exact,
                              .place = place_now(&r),
                              .payload = cn,
                              .len = sizeof(cn),
                              .arrival_us = r.now_us};
    r.seq++;
    assert_int_equal(jitter_put(r.j, &k), VA_OK);
    rig_run(&r, 0.3);
    rig_forget(&r);
    rig_run(&r, 10);
    assert_int_equal(r.frames[JITTER_FRAME_SILENCE], 500);
    double dbfs = measure_rms_dbfs(r.out, r.out_len);
    print_message("    comfort noise at %.1f dBFS\n", dbfs);
    assert_true(fabs(dbfs + 45) < 1);
    r.pause = false;
    r.marker = true;
    rig_run(&r, 1);
    assert_true(fabs(measure_rms_dbfs(r.out + r.out_len - 4000, 4000) + 18) < 0.1);
    assert_int_equal(stats_of(&r).concealed_samples, 0);
    rig_close(&r);
}

/* A digit takes the place and the numbers of some audio: nothing was lost, nothing is made up. */
static void an_event_is_no_loss(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 60, 60, 200);
    rig_run(&r, 3);
    struct rtp_place at = place_now(&r);
    r.pause = true;
    for (int i = 0; i < 6; i++) {
        struct jitter_packet k = {.kind = JITTER_EVENT,
                                  .codec = &exact,
                                  .place = at,
                                  .marker = i == 0,
                                  .arrival_us = r.now_us + 5000};
        assert_int_equal(jitter_put(r.j, &k), VA_OK);
        at.seq++;
        r.seq++;
        (void)rig_tick(&r);
    }
    r.pause = false;
    r.marker = false; /* some senders forget it */
    size_t from = r.out_len;
    rig_run(&r, 1);
    rig_print(&r, "a digit");
    struct jitter_stats s = stats_of(&r);
    assert_int_equal(s.concealed_samples + s.late + s.duplicates, 0);
    assert_int_equal(s.spurts, 2);
    struct measure_run hole = measure_longest_gap(r.out + from - 8 * FRAME, 20 * FRAME, 0);
    print_message("    hole of %zu ms\n", hole.len / 8);
    assert_in_range(hole.len, 100 * 8, 125 * 8);
    const int16_t *edge = r.out + from - 8 * FRAME + hole.at;
    assert_true(loudest(edge - 8, 8) < 1000); /* it fades out */
    assert_true(loudest(edge + hole.len, 8) < 2000);
    rig_close(&r);
}

static void codecs_change_without_a_click(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 60, 60, 200);
    for (int i = 0; i < 9; i++) {
        r.codec = i % 3 == 0 ? &jitter_pcmu : i % 3 == 1 ? &jitter_pcma : &exact;
        rig_run(&r, 0.5);
    }
    size_t at = 0, from = 20 * FRAME;
    double worst = worst_step(r.out + from, r.out_len - from, 1000, r.tone.peak, &at);
    print_message("    worst step %.3f\n", worst);
    assert_true(worst < 0.15); /* the codes' own steps */
    rig_print(&r, "codecs");
    assert_true(stats_of(&r).late + stats_of(&r).broken + stats_of(&r).discarded == 0);
    rig_close(&r);
}

/* A new source with numbers of its own, old one gone. */
static void another_source_takes_over(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 60, 60, 200);
    rig_run(&r, 3);
    r.ssrc = 0x9999;
    r.seq = 77;
    r.ts = 0x70000000;
    rig_forget(&r);
    rig_run(&r, 3);
    rig_print(&r, "another source");
    struct jitter_stats s = stats_of(&r);
    assert_int_equal(s.spurts, 2);
    assert_int_equal(s.late + s.discarded, 0);
    assert_in_range(s.delay_ms, 50, 75);
    assert_true(r.frames[JITTER_FRAME_SILENCE] + r.frames[JITTER_FRAME_CONCEALED] <= 5);
    /* A jump of the time alone. */
    struct rtp_place old = place_now(&r);
    r.ts += 0x10000000;
    rig_run(&r, 3);
    s = stats_of(&r);
    assert_int_equal(s.spurts, 3);
    old.seq -= 20; /* a straggler of the time before is late, and begins nothing */
    struct jitter_packet k = {JITTER_AUDIO, &exact, old, false, r.wire[0].payload, 320, r.now_us};
    assert_int_equal(jitter_put(r.j, &k), VA_OK);
    assert_int_equal(stats_of(&r).late, 1);
    rig_run(&r, 1);
    s = stats_of(&r);
    assert_int_equal(s.spurts, 3);
    r.ts -= 0x20000000;
    rig_run(&r, 3);
    s = stats_of(&r);
    assert_int_equal(s.spurts, 4);
    assert_int_equal(s.late + s.discarded, 1);
    assert_in_range(s.delay_ms, 50, 75);
    rig_close(&r);
}

/* Ticks of a stalled loop: late, then at once. The buffer's idea of the delay stays. */
static void late_ticks_are_understood(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, 60, 60, 60);
    rig_run(&r, 3);
    uint64_t before = stats_of(&r).delay_ms;
    int16_t frame[FRAME];
    for (int i = 0; i < 4; i++) {
        r.now_us += 20000;
        while (r.sent_us <= (double)r.now_us) {
            rig_send(&r);
            r.sent_us += r.packet_us;
        }
    }
    rig_arrive(&r);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(jitter_get(r.j, r.now_us, frame), JITTER_FRAME_VOICE);
        assert_in_range(stats_of(&r).delay_ms, before - 1, before + 1);
    }
    rig_run(&r, 3);
    assert_int_equal(stats_of(&r).stretches + stats_of(&r).discarded, 0);
    /* Half a second of ticks that never come: what waited is now too old. Packets that are dropped
     * hold no whole number of this tone's waves. */
    tone_init(&r.tone, RATE, 1013, -18);
    rig_run(&r, 1);
    rig_forget(&r);
    r.now_us += 500000;
    rig_run(&r, 2);
    assert_true(largest_step(r.out, r.out_len) < r.tone.peak * 0.8);
    size_t where = 0;
    double worst = worst_step(r.out, r.out_len, 1013, r.tone.peak, &where);
    print_message("    worst %.3f at %zu of %zu\n", worst, where, r.out_len);
    assert_true(worst < 0.2);
    rig_print(&r, "ticks lost");
    assert_true(stats_of(&r).delay_ms <= 80);
    assert_true(stats_of(&r).discarded > 15);
    rig_close(&r);
}

/* ---- a codec with concealment of its own, at another rate and clock -------------------------- */

struct own {
    unsigned plc, fec, resets;
};

/* 20 ms of 48 kHz at one level, which is the payload. */
static size_t own_samples(void *state, const uint8_t *p, size_t len)
{
    (void)state;
    (void)p;
    return len == 2 ? 960 : 0;
}

static size_t own_decode(void *state, const uint8_t *p, size_t len, int16_t *out, size_t room)
{
    (void)state;
    if (len != 2 || room < 960)
        return 0;
    for (size_t i = 0; i < 960; i++)
        out[i] = (int16_t)(p[0] << 8 | p[1]);
    return 960;
}

static size_t own_conceal(void *state, const uint8_t *next, size_t len, int16_t *out, size_t n)
{
    struct own *o = state;
    assert_true(n == 960 && (!next || len == 2));
    *(next ? &o->fec : &o->plc) += 1;
    for (size_t i = 0; i < n; i++)
        out[i] = 4000;
    return n;
}

static void own_reset(void *state)
{
    ((struct own *)state)->resets++;
}

static void a_codec_conceals_by_itself(void **state)
{
    (void)state;
    struct own own = {0, 0, 0};
    struct jitter_codec c = {"own",      48000,       48000,     own_samples,
                             own_decode, own_conceal, own_reset, &own};
    struct jitter_cfg cfg = {{16000, 20}, 60, 60, 200};
    struct jitter *j = NULL;
    assert_int_equal(jitter_new(&cfg, &j), VA_OK);
    const uint8_t level[] = {4000 >> 8, 4000 & 255};
    int16_t frame[320];
    uint64_t now = 5000000;
    size_t concealed = 0;
    for (int i = 0; i < 500; i++) {
        now += 20000;
        struct jitter_packet k = {
            JITTER_AUDIO, &c, {1000 + i, 960 * (int64_t)i, 1}, i == 0, level, 2, now - 7000};
        /* One lost: FEC. Three lost: twice PLC, then FEC. */
        bool lost = i == 100 || (i >= 200 && i < 203);
        if (!lost)
            assert_int_equal(jitter_put(j, &k), VA_OK);
        concealed += jitter_get(j, now, frame) == JITTER_FRAME_CONCEALED;
        if (i > 20)
            for (size_t s = 0; s < 320; s++)
                assert_in_range(frame[s], 3990, 4010);
    }
    assert_int_equal(concealed, 4);
    assert_int_equal(own.fec, 2);
    assert_int_equal(own.plc, 2);
    assert_int_equal(own.resets, 1);
    jitter_free(&j);
}

/* ---- rates, clocks and lengths --------------------------------------------------------------- */

static const struct jitter_codec wide = {.name = "G722's clock",
                                         .clock_hz = 8000,
                                         .rate_hz = 16000,
                                         .samples = exact_samples,
                                         .decode = exact_decode};

/* A tone in packets of one length and rate comes out in frames of another, with loss and drift. */
static void through(const struct jitter_codec *c, int packet_ms, struct media_format format,
                    unsigned lost_of)
{
    struct jitter_cfg cfg = {format, 60, 60, 200};
    struct jitter *j = NULL;
    struct tone tone;
    assert_int_equal(jitter_new(&cfg, &j), VA_OK);
    tone_init(&tone, c->rate_hz, 500, -18);
    size_t n = (size_t)c->rate_hz / 1000 * (size_t)packet_ms, frame = media_format_samples(format);
    size_t len = 0, cap = (size_t)format.rate_hz * 30;
    int16_t *out = calloc(cap, sizeof(*out)), x[MEDIA_FRAME_MAX];
    assert_non_null(out);
    uint64_t sent_us = 1000000, now_us = 1000000;
    for (unsigned i = 0; len + frame <= cap; now_us += (uint64_t)format.ptime_ms * 1000) {
        for (; sent_us <= now_us; i++, sent_us += (uint64_t)packet_ms * 1000 * 9998 / 10000) {
            tone_fill(&tone, x, n);
            struct jitter_packet k = {JITTER_AUDIO,
                                      c,
                                      {1000 + i, (int64_t)i * c->clock_hz / 1000 * packet_ms, 1},
                                      true, /* on each packet, as some do */
                                      (const uint8_t *)x,
                                      n * 2,
                                      sent_us};
            if (!lost_of || i % lost_of != lost_of - 1)
                assert_int_equal(jitter_put(j, &k), VA_OK);
        }
        (void)jitter_get(j, now_us, out + len);
        len += frame;
    }
    struct jitter_stats s;
    jitter_stats(j, &s);
    size_t from = (size_t)format.rate_hz / 5; /* the start is silence */
    double hz = measure_frequency_hz(out + from, len - from, format.rate_hz);
    print_message(
        "    %d ms at %d/%d Hz in %d ms at %d: %.2f Hz, %.2f dBFS, delay %u, %llu spurts, "
        "stretched %llu, concealed %.0f ms\n",
        packet_ms, c->rate_hz, c->clock_hz, format.ptime_ms, format.rate_hz, hz,
        measure_rms_dbfs(out + from, len - from), s.delay_ms, (unsigned long long)s.spurts,
        (unsigned long long)s.stretches, (double)s.concealed_samples * 1000 / format.rate_hz);
    assert_true(fabs(hz - 500) < (lost_of ? 6 : 0.5));
    assert_true(fabs(measure_rms_dbfs(out + from, len - from) + 18) < (lost_of ? 1 : 0.1));
    assert_int_equal(s.spurts, 1);
    assert_int_equal(s.late + s.discarded + s.broken, 0);
    assert_in_range(s.delay_ms, 40, 85);
    int worst = 0; /* the tone's own steps are 2 π 500 / rate of its peak */
    for (size_t i = from; i < len; i++)
        if (abs(out[i] - out[i - 1]) > worst)
            worst = abs(out[i] - out[i - 1]);
    double own = tone.peak * 6.2832 * 500 / format.rate_hz;
    assert_true(worst < own * (lost_of ? 1.6 : 1.1) + 2);
    free(out);
    jitter_free(&j);
}

/* From a codec of our rate to one that is resampled and back, at tones that fit no packet. */
static void a_change_of_rate_is_joined(void **state)
{
    (void)state;
    struct jitter_cfg cfg = {{8000, 20}, 60, 60, 60};
    struct jitter *j = NULL;
    struct tone narrow_tone, wide_tone;
    assert_int_equal(jitter_new(&cfg, &j), VA_OK);
    tone_init(&narrow_tone, 8000, 437, -18);
    tone_init(&wide_tone, 16000, 437, -18);
    static int16_t out[FRAME * 200];
    for (int i = 0; i < 200; i++) {
        int16_t narrow[FRAME], broad[2 * FRAME];
        tone_fill(&narrow_tone, narrow, FRAME);
        tone_fill(&wide_tone, broad, 2 * FRAME);
        bool w = i / 20 % 2;
        struct jitter_packet k = {JITTER_AUDIO,
                                  w ? &wide : &exact,
                                  {1000 + i, FRAME * (int64_t)i, 1},
                                  false,
                                  (const uint8_t *)(w ? broad : narrow),
                                  w ? sizeof(broad) : sizeof(narrow),
                                  1000000 + (uint64_t)i * 20000};
        assert_int_equal(jitter_put(j, &k), VA_OK);
        (void)jitter_get(j, k.arrival_us, out + (size_t)i * FRAME);
    }
    int own = (int)(narrow_tone.peak * 6.2832 * 437 / 8000);
    print_message("    largest step %d, the tone's own %d\n",
                  largest_step(out + 10 * FRAME, 190 * FRAME), own);
    assert_true(largest_step(out + 10 * FRAME, 190 * FRAME) < own * 5 / 4);
    jitter_free(&j);
}

static void rates_and_lengths_may_differ(void **state)
{
    (void)state;
    static const struct media_format formats[] = {{8000, 20}, {16000, 20}, {8000, 10}, {16000, 60}};
    static const int packets[] = {10, 20, 30, 60};
    for (size_t f = 0; f < 4; f++)
        for (size_t p = 0; p < 4; p++) {
            through(&exact, packets[p], formats[f], 0);
            through(&wide, packets[p], formats[f], 0);
        }
    through(&exact, 20, formats[0], 20);
    through(&wide, 20, formats[1], 20);
    through(&wide, 10, formats[0], 20);
}

/* The buffer is bounded, and what it holds is freed, whatever comes. */
static void anything_may_come(void **state)
{
    (void)state;
    const struct media_format formats[] = {{8000, 10}, {16000, 30}, {24000, 60}, {48000, 20}};
    uint32_t seed = 99;
    for (size_t f = 0; f < 4; f++) {
        struct jitter_cfg cfg = {formats[f], 0, 50, f == 3 ? 2000 : 100};
        struct jitter *j = NULL;
        assert_int_equal(jitter_new(&cfg, &j), VA_OK);
        int16_t out[MEDIA_FRAME_MAX];
        uint8_t payload[JITTER_PAYLOAD_MAX];
        for (size_t i = 0; i < sizeof(payload); i++)
            payload[i] = (uint8_t)(i * 7);
        uint64_t now = 1000000;
        int64_t seq = 70000, ts = (int64_t)1 << 32;
        uint32_t generation = 1;
        for (int i = 0; i < 20000; i++) {
            seed = seed * 1664525u + 1013904223u;
            uint32_t a = seed >> 8;
            seed = seed * 1664525u + 1013904223u;
            uint32_t b = seed >> 8;
            static const struct jitter_codec *const codecs[] = {&exact, &jitter_pcmu, &jitter_pcma};
            generation += a % 997 == 0;
            struct jitter_packet k = {
                .kind = a % 31 == 0   ? JITTER_NOISE
                        : a % 37 == 0 ? JITTER_EVENT
                                      : JITTER_AUDIO,
                .codec = codecs[b % 3],
                .place = {seq + (int)(a % 9) - 4, ts + (int)(b % 700) - 350, generation},
                .marker = b % 13 == 0,
                .payload = payload,
                .len = a % 17 == 0 ? b % 2048 : 160,
                .arrival_us = now + b % 20000};
            (void)jitter_put(j, &k);
            seq++;
            ts += a % 501 == 0 ? (int64_t)(b % 200000) - 90000 : 160;
            if (a % 1999 == 0)
                jitter_reset(j);
            if (a % 3) {
                now += (uint64_t)formats[f].ptime_ms * 1000u;
                if (b % 499 == 0)
                    now += b % 3000000;
                (void)jitter_get(j, now, out);
            }
            struct jitter_stats s;
            jitter_stats(j, &s);
            assert_true(s.queued <= JITTER_PACKETS_MAX);
        }
        jitter_free(&j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_use_is_refused),
        cmocka_unit_test(a_stretch_needs_likeness),
        cmocka_unit_test(a_spurt_starts_at_the_target),
        cmocka_unit_test(a_long_gap_is_silence),
        cmocka_unit_test(comfort_noise_fills_a_pause),
        cmocka_unit_test(an_event_is_no_loss),
        cmocka_unit_test(codecs_change_without_a_click),
        cmocka_unit_test(another_source_takes_over),
        cmocka_unit_test(late_ticks_are_understood),
        cmocka_unit_test(a_codec_conceals_by_itself),
        cmocka_unit_test(a_change_of_rate_is_joined),
        cmocka_unit_test(rates_and_lengths_may_differ),
        cmocka_unit_test(anything_may_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
