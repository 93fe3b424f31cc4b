/* leg/ws_audio: bytes of any cut become the same frames. */
#include "leg/ws_audio.h"
#include "media/format.h"
#include "media/g711.h"

#include "unit/unit.h"

#include <stdlib.h>

enum { FRAME = 160, FRAMES = 5 };

static int16_t sample_at(size_t i)
{
    return (int16_t)(i * 37 % 20000 - 10000);
}

/* `count` samples of the caller on the wire; a second channel says something else. */
static size_t wire_bytes(const struct ws_wire *w, size_t count, unsigned char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        for (int ch = 0; ch < w->channels; ch++) {
            int16_t x = ch ? (int16_t)~sample_at(i) : sample_at(i);
            if (w->codec == WS_CODEC_L16) {
                out[n++] = (unsigned char)((uint16_t)x & 0xff);
                out[n++] = (unsigned char)((uint16_t)x >> 8);
            } else {
                out[n++] = w->codec == WS_CODEC_PCMU ? g711_ulaw_encode(x) : g711_alaw_encode(x);
            }
        }
    return n;
}

static int16_t expected(const struct ws_wire *w, size_t i)
{
    int16_t x = sample_at(i);
    if (w->codec == WS_CODEC_PCMU)
        return g711_ulaw_decode(g711_ulaw_encode(x));
    return w->codec == WS_CODEC_PCMA ? g711_alaw_decode(g711_alaw_encode(x)) : x;
}

static void check_frames(struct ws_audio *a, const struct ws_wire *w)
{
    size_t at = 0, count;
    const int16_t *f;
    while ((f = ws_audio_next(a, &count))) {
        assert_int_equal(count, FRAME);
        for (size_t i = 0; i < count; i++, at++)
            assert_int_equal(f[i], expected(w, at));
    }
    assert_int_equal(at, FRAME * FRAMES);
}

static const struct ws_wire wires[] = {
    {WS_CODEC_L16, 8000, 1},  {WS_CODEC_L16, 8000, 2},  {WS_CODEC_PCMU, 8000, 1},
    {WS_CODEC_PCMU, 8000, 2}, {WS_CODEC_PCMA, 8000, 1},
};

static void any_cut_gives_the_same_frames(void **state)
{
    (void)state;
    unsigned char bytes[FRAME * FRAMES * 4];
    for (size_t k = 0; k < sizeof(wires) / sizeof(wires[0]); k++) {
        size_t len = wire_bytes(&wires[k], FRAME * FRAMES, bytes);
        for (size_t cut = 0; cut <= len; cut++) {
            struct ws_audio *a = NULL;
            assert_int_equal(ws_audio_new(&wires[k], 8000, 20, &a), VA_OK);
            char *first = malloc(cut + 1), *rest = malloc(len - cut + 1);
            memcpy(first, bytes, cut);
            memcpy(rest, bytes + cut, len - cut);
            ws_audio_feed(a, first, cut);
            ws_audio_feed(a, rest, len - cut);
            check_frames(a, &wires[k]);
            free(first);
            free(rest);
            ws_audio_free(&a);
        }
    }
}

static void byte_by_byte(void **state)
{
    (void)state;
    unsigned char bytes[FRAME * FRAMES * 4];
    for (size_t k = 0; k < sizeof(wires) / sizeof(wires[0]); k++) {
        size_t len = wire_bytes(&wires[k], FRAME * FRAMES, bytes);
        struct ws_audio *a = NULL;
        assert_int_equal(ws_audio_new(&wires[k], 8000, 20, &a), VA_OK);
        for (size_t i = 0; i < len; i++)
            ws_audio_feed(a, (const char *)bytes + i, 1);
        check_frames(a, &wires[k]);
        ws_audio_free(&a);
    }
}

static void the_oldest_is_dropped(void **state)
{
    (void)state;
    struct ws_audio *a = NULL;
    assert_int_equal(ws_audio_new(&wires[0], 8000, 20, &a), VA_OK);
    enum { MOST = WS_AUDIO_QUEUE_MS / 20 };
    for (int f = 0; f < MOST + 3; f++) {
        int16_t frame[FRAME];
        for (int i = 0; i < FRAME; i++)
            frame[i] = (int16_t)f;
        ws_audio_feed(a, (const char *)frame, sizeof(frame));
    }
    assert_int_equal(ws_audio_frames(a), MOST);
    assert_int_equal(ws_audio_dropped(a), 3);
    size_t count;
    assert_int_equal(ws_audio_next(a, &count)[0], 3);
    /* one message longer than the queue */
    int16_t *lump = calloc(FRAME * MOST * 2, sizeof(*lump));
    lump[FRAME * MOST * 2 - 1] = 77;
    ws_audio_feed(a, (const char *)lump, FRAME * MOST * 2 * sizeof(*lump));
    free(lump);
    const int16_t *last = NULL, *f;
    while ((f = ws_audio_next(a, &count)))
        last = f;
    assert_int_equal(last[FRAME - 1], 77);
    ws_audio_free(&a);
}

static void other_rates_are_converted_both_ways(void **state)
{
    (void)state;
    static const int rates[] = {8000, 16000, 24000, 48000};
    for (size_t from = 0; from < 4; from++)
        for (size_t to = 0; to < 4; to++) {
            struct ws_wire w = {WS_CODEC_L16, rates[from], 1};
            struct ws_audio *a = NULL;
            assert_int_equal(ws_audio_new(&w, rates[to], 20, &a), VA_OK);
            int16_t frame[MEDIA_FRAME_MAX] = {0};
            size_t frames = 0, count = 0, out = 0, in = (size_t)rates[from] / 50;
            size_t ours = (size_t)rates[to] / 50;
            char wire[WS_AUDIO_WIRE_MAX];
            for (int i = 0; i < 50; i++) {
                ws_audio_feed(a, (const char *)frame, in * 2);
                for (; ws_audio_next(a, &count); frames++)
                    assert_int_equal(count, ours);
                out += ws_audio_encode(a, frame, ours, wire);
            }
            assert_in_range(frames, 49, 50);
            assert_in_range(out, in * 2 * 50 - 8, in * 2 * 50 + 8);
            ws_audio_free(&a);
        }
}

static void longest_frames_fit(void **state)
{
    (void)state;
    for (int up = 0; up < 2; up++) {
        struct ws_wire w = {WS_CODEC_L16, up ? 48000 : 8000, 1};
        struct ws_audio *a = NULL;
        int16_t frame[MEDIA_FRAME_MAX] = {0};
        char wire[WS_AUDIO_WIRE_MAX];
        assert_int_equal(ws_audio_new(&w, up ? 8000 : 48000, 60, &a), VA_OK);
        size_t total = 0;
        for (int i = 0; i < 20; i++)
            total += ws_audio_encode(a, frame, up ? 480 : 2880, wire);
        assert_in_range(total, (up ? 2880u : 480u) * 2 * 20 - 8, (up ? 2880u : 480u) * 2 * 20 + 8);
        ws_audio_free(&a);
    }
}

static void what_is_not_said_is_guessed(void **state)
{
    (void)state;
    static const struct {
        struct ws_wire told, want;
        size_t first;
    } cases[] = {
        {{0}, {WS_CODEC_PCMU, 8000, 1}, 160},
        {{0}, {WS_CODEC_L16, 8000, 1}, 320},
        {{0}, {WS_CODEC_L16, 16000, 1}, 640},
        {{WS_CODEC_L16, 0, 2}, {WS_CODEC_L16, 8000, 2}, 640},
        {{WS_CODEC_L16, 0, 2}, {WS_CODEC_L16, 16000, 2}, 1280},
        {{WS_CODEC_L16, 8000, 1}, {WS_CODEC_L16, 8000, 1}, 640},
        {{WS_CODEC_PCMA, 0, 0}, {WS_CODEC_PCMA, 8000, 1}, 160},
        {{0}, {WS_CODEC_L16, 8000, 1}, 7},
        {{0}, {WS_CODEC_L16, 8000, 1}, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ws_wire w = cases[i].told;
        ws_wire_guess(&w, cases[i].first);
        assert_int_equal(w.codec, cases[i].want.codec);
        assert_int_equal(w.rate_hz, cases[i].want.rate_hz);
        assert_int_equal(w.channels, cases[i].want.channels);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    struct ws_audio *a = NULL;
    assert_int_equal(ws_audio_new(&(struct ws_wire){WS_CODEC_L16, 11025, 1}, 8000, 20, &a),
                     VA_EINVAL);
    assert_int_equal(ws_audio_new(&(struct ws_wire){WS_CODEC_L16, 8000, 3}, 8000, 20, &a),
                     VA_EINVAL);
    assert_int_equal(ws_audio_new(&(struct ws_wire){0, 8000, 1}, 8000, 20, &a), VA_EINVAL);
    assert_int_equal(ws_audio_new(&wires[0], 8000, 25, &a), VA_EINVAL);
    assert_null(a);
    ws_audio_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_cut_gives_the_same_frames),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(the_oldest_is_dropped),
        cmocka_unit_test(other_rates_are_converted_both_ways),
        cmocka_unit_test(longest_frames_fit),
        cmocka_unit_test(what_is_not_said_is_guessed),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
