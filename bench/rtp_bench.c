/* Cost of the receive half of an RTP leg per 20 ms: read, place, put, get; on a clean network, with
 * jitter, with loss, and while time is stretched. Memory of a stream. rtp_bench [streams] */
#include "base/clock.h"
#include "base/str.h"
#include "media/jitter.h"
#include "media/tone.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME = 160, PACKET = RTP_HEADER_BYTES + FRAME, ROUNDS = 200000, AHEAD = 8 };

static uint8_t voice[FRAME * 100]; /* u-law noise in syllables */

static void make_voice(void)
{
    uint32_t seed = 5;
    for (size_t i = 0; i < sizeof(voice); i++) {
        seed = seed * 1664525u + 1013904223u;
        voice[i] = (uint8_t)(i / 800 % 2 ? 0x80 | (seed >> 24 & 0x3f) : 0xf0 | seed >> 28);
    }
}

static size_t make_packet(uint32_t n, uint8_t out[static PACKET])
{
    struct rtp_packet k = {.seq = (uint16_t)n,
                           .timestamp = n * FRAME,
                           .ssrc = 7,
                           .payload = voice + n % 100 * FRAME,
                           .payload_len = FRAME};
    size_t len = 0;
    return rtp_write(&k, out, PACKET, &len) ? 0 : len;
}

static bool receive(struct rtp_source *s, struct jitter *j, const uint8_t *p, size_t len,
                    uint64_t now_us)
{
    struct rtp_packet k;
    struct rtp_place place;
    if (rtp_classify(p, len) != RTP_IS_RTP || rtp_read(p, len, &k))
        return false;
    enum rtp_verdict v = rtp_source_take(s, &k, now_us, true, &place);
    if (v != RTP_TAKE && v != RTP_TAKE_ANEW)
        return true;
    struct jitter_packet jp = {JITTER_AUDIO, &jitter_pcmu,  place, false,
                               k.payload,    k.payload_len, now_us};
    return jitter_put(j, &jp) == VA_OK;
}

/* @param loss  One of so many is lost; 0: none
 * @param ppm   The sender's clock; large, so that time is stretched nearly always */
static bool bench_line(const char *what, uint32_t jitter_us, unsigned loss, int ppm)
{
    struct jitter_cfg cfg = {{8000, 20}, 60, 100, 200};
    struct jitter *j = NULL;
    struct rtp_source s;
    if (jitter_new(&cfg, &j))
        return false;
    rtp_source_init(&s, 8000, 0);
    uint8_t p[PACKET];
    int16_t out[FRAME];
    uint32_t seed = 3, next = 0;
    uint64_t t = clock_mono_us(&va_clock_system), clock_us = 0, voiced = 0;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint64_t now = 1000000 + (uint64_t)i * 20000;
        for (; clock_us <= (uint64_t)i * 20000; clock_us += (uint64_t)(20000 - ppm / 50), next++) {
            seed = seed * 1664525u + 1013904223u;
            if (loss && (seed >> 8) % loss == 0)
                continue;
            size_t len = make_packet(next, p);
            if (!receive(&s, j, p, len, now + (jitter_us ? seed % jitter_us : 0)))
                return false;
        }
        voiced += jitter_get(j, now, out) == JITTER_FRAME_VOICE;
    }
    double us = (double)(clock_mono_us(&va_clock_system) - t) / ROUNDS;
    struct jitter_stats st;
    jitter_stats(j, &st);
    printf("%-34s %7.3f us per 20 ms frame (%.1f %% voice, %llu stretches)\n", what, us,
           100.0 * (double)voiced / ROUNDS, (unsigned long long)st.stretches);
    jitter_free(&j);
    return true;
}

/* Bytes of the heap per stream, with what waits at 100 ms of delay. */
static bool bench_memory(size_t streams)
{
    struct jitter **j = calloc(streams, sizeof(struct jitter *));
    struct jitter_cfg cfg = {{8000, 20}, 60, 100, 200};
    size_t before = mallinfo2().uordblks;
    for (size_t i = 0; j && i < streams; i++)
        if (jitter_new(&cfg, &j[i]))
            return false;
    size_t empty = mallinfo2().uordblks;
    for (size_t i = 0; j && i < streams; i++) {
        struct rtp_source s;
        uint8_t p[PACKET];
        rtp_source_init(&s, 8000, 1);
        for (uint32_t n = 0; n < AHEAD; n++)
            if (!receive(&s, j[i], p, make_packet(n, p), 1000000))
                return false;
    }
    size_t full = mallinfo2().uordblks;
    printf("memory per stream: %zu bytes empty, %zu with %d packets waiting; rtp_source %zu\n",
           (empty - before) / streams, (full - before) / streams, AHEAD, sizeof(struct rtp_source));
    for (size_t i = 0; j && i < streams; i++)
        jitter_free(&j[i]);
    free(j);
    return true;
}

int main(int argc, char **argv)
{
    uint64_t streams = 1000;
    if (argc > 1 && (str_to_u64(str_of(argv[1]), &streams) || !streams))
        return 2;
    make_voice();
    bool ok = bench_line("rtp read + put + get, clean", 0, 0, 0) &&
              bench_line("… 15 ms of jitter", 15000, 0, 0) &&
              bench_line("… one of 20 lost", 0, 20, 0) &&
              bench_line("… clocks 1 % apart", 0, 0, 10000) && bench_memory((size_t)streams);
    return ok ? 0 : 1;
}
