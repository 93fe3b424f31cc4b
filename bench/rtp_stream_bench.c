/* CPU per packet of whole RTP streams, sockets included, beside the floor: the same datagrams
 * received and sent by recvfrom and sendto in an epoll loop and nothing else. One thread does both
 * ends by turns; only our side's time is counted. Media time is simulated: 20 ms a round.
 *
 *     rtp_stream_bench [STREAMS [ROUNDS]]      (200, 1000) */
#include "base/str.h"
#include "leg/rtp_stream.h"
#include "media/g711.h"
#include "media/tone.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 160, PER_PEER = 50, EVENTS = 256, SPEECH = 400 /* frames */, WARM_UP = 50 };

/* The far ends of PER_PEER streams: one socket. */
struct peer {
    int fd;
    uint16_t port;
};

struct bench {
    size_t count, rounds;
    struct peer *peers;
    struct sockaddr_in *to; /* each stream's port */
    uint8_t packets[SPEECH][CODEC_PAYLOAD_MAX];
    size_t packet_len[SPEECH];
    const struct codec_info *codec;
};

static int16_t speech[SPEECH * FRAME];

static uint64_t cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Asks the system as the real one does, and tells media time. */
static struct va_clock_manual media_time;

static uint64_t bench_mono(const struct va_clock *c)
{
    (void)c;
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_nsec < 0 ? 0 : media_time.mono;
}

static int64_t bench_wall(const struct va_clock *c)
{
    (void)c;
    return media_time.wall;
}

static const struct va_clock bench_clock = {bench_mono, bench_wall};

/* ---- the far ends ---------------------------------------------------------------------------- */

static int udp_on_loopback(uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) ||
        getsockname(fd, (struct sockaddr *)&a, &len))
        return -1;
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static bool open_peers(struct bench *b)
{
    size_t n = (b->count + PER_PEER - 1) / PER_PEER;
    b->peers = calloc(n, sizeof(*b->peers));
    b->to = calloc(b->count, sizeof(*b->to));
    for (size_t i = 0; b->peers && b->to && i < n; i++) {
        b->peers[i].fd = udp_on_loopback(&b->peers[i].port);
        if (b->peers[i].fd < 0)
            return false;
    }
    return b->peers && b->to;
}

static void aim(struct bench *b, size_t i, uint16_t port)
{
    b->to[i] = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static bool send_round(struct bench *b, size_t round)
{
    uint8_t p[RTP_HEADER_BYTES + CODEC_PAYLOAD_MAX];
    size_t at = round % SPEECH, len = 0;
    struct rtp_packet k = {.payload_type =
                               (uint8_t)(b->codec->static_pt < 0 ? 96 : b->codec->static_pt),
                           .seq = (uint16_t)round,
                           .timestamp = (uint32_t)round * (uint32_t)(b->codec->clock_hz / 50),
                           .ssrc = 7,
                           .payload = b->packets[at],
                           .payload_len = b->packet_len[at]};
    if (rtp_write(&k, p, sizeof(p), &len))
        return false;
    for (size_t i = 0; i < b->count; i++)
        if (sendto(b->peers[i / PER_PEER].fd, p, len, 0, (struct sockaddr *)&b->to[i],
                   sizeof(b->to[i])) != (ssize_t)len)
            return false;
    return true;
}

static size_t drain(struct bench *b)
{
    char p[4096];
    size_t n = 0;
    for (size_t i = 0; i < (b->count + PER_PEER - 1) / PER_PEER; i++)
        while (recv(b->peers[i].fd, p, sizeof(p), 0) > 0)
            n++;
    return n;
}

/* ---- the floor ------------------------------------------------------------------------------- */

static void echo_ready(int loop, size_t want)
{
    struct epoll_event ev[EVENTS];
    char p[4096];
    while (want) {
        int n = epoll_wait(loop, ev, EVENTS, 0);
        for (int i = 0; i < n; i++) {
            struct sockaddr_in from;
            socklen_t len = sizeof(from);
            ssize_t got = recvfrom(ev[i].data.fd, p, sizeof(p), 0, (struct sockaddr *)&from, &len);
            if (got > 0)
                (void)sendto(ev[i].data.fd, p, (size_t)got, 0, (struct sockaddr *)&from, len);
            want -= got > 0;
        }
    }
}

/* @return CPU per packet received and sent [µs], < 0: it failed */
static double run_floor(struct bench *b)
{
    int loop = epoll_create1(EPOLL_CLOEXEC);
    int *fds = calloc(b->count, sizeof(*fds));
    uint64_t ns = 0;
    size_t back = 0;
    for (size_t i = 0; fds && i < b->count; i++) {
        uint16_t port = 0;
        fds[i] = udp_on_loopback(&port);
        struct epoll_event ev = {.events = EPOLLIN, .data = {.fd = fds[i]}};
        if (fds[i] < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, fds[i], &ev))
            return -1;
        aim(b, i, port);
    }
    for (size_t round = 0; round < b->rounds + WARM_UP; round++) {
        if (!send_round(b, round))
            return -1;
        uint64_t t = cpu_ns();
        echo_ready(loop, b->count);
        ns += round >= WARM_UP ? cpu_ns() - t : 0;
        back += drain(b);
    }
    for (size_t i = 0; fds && i < b->count; i++)
        (void)close(fds[i]);
    (void)close(loop);
    free(fds);
    return back == b->count * (b->rounds + WARM_UP)
               ? (double)ns / 1000.0 / (double)(b->count * b->rounds)
               : -1;
}

/* ---- streams --------------------------------------------------------------------------------- */

static void on_first(void *arg)
{
    ++*(size_t *)arg;
}

static void on_digit(void *arg, char digit)
{
    (void)arg;
    (void)digit;
}

static const struct rtp_stream_handlers handlers = {on_first, on_digit};

static struct rtp_stream_remote remote_of(const struct bench *b, size_t i)
{
    struct rtp_type t = {.pt = (uint8_t)(b->codec->static_pt < 0 ? 96 : b->codec->static_pt),
                         .codec = b->codec};
    struct rtp_stream_remote r = {.send = t, .receive_count = 1, .receive = {t}};
    (void)!net_addr_parse("127.0.0.1", b->peers[i / PER_PEER].port, &r.rtp);
    return r;
}

static bool open_streams(struct bench *b, struct loop *loop, struct rtp_stream **s, size_t *firsts)
{
    static struct settings set = {.rtp_port_min = 10000,
                                  .rtp_port_max = 65535,
                                  .rtp_bind_address = "127.0.0.1",
                                  .rtp_jitter_min_ms = 60,
                                  .rtp_jitter_target_ms = 100,
                                  .rtp_jitter_max_ms = 200};
    struct rtp_stream_cfg cfg = {.loop = loop, .format = {8000, 20}, .settings = &set};
    for (size_t i = 0; i < b->count; i++) {
        struct rtp_stream_remote r = remote_of(b, i);
        if (rtp_stream_open(&cfg, &handlers, firsts, &s[i]) || rtp_stream_set_remote(s[i], &r))
            return false;
        aim(b, i, rtp_stream_port(s[i]));
    }
    return true;
}

static void tick_all(const struct bench *b, struct rtp_stream **s, size_t round)
{
    int16_t heard[FRAME];
    for (size_t i = 0; i < b->count; i++) {
        rtp_stream_send(s[i], speech + (round + i) % SPEECH * FRAME, FRAME);
        (void)rtp_stream_receive(s[i], media_time.mono, heard);
    }
}

/* @return CPU per packet received and sent [µs], < 0: it failed */
static double run_streams(struct bench *b, size_t *ret_bytes)
{
    struct loop *loop = NULL;
    struct rtp_stream **s = calloc(b->count, sizeof(struct rtp_stream *));
    size_t firsts = 0, before = mallinfo2().uordblks;
    uint64_t ns = 0, in = 0, out = 0;
    if (!s || loop_new(&bench_clock, 0, &loop) || !open_streams(b, loop, s, &firsts))
        return -1;
    for (size_t round = 0; round < b->rounds + WARM_UP; round++) {
        va_clock_manual_advance(&media_time, 20000);
        if (!send_round(b, round))
            return -1;
        uint64_t t = cpu_ns();
        loop_turn(loop, false);
        tick_all(b, s, round);
        ns += round >= WARM_UP ? cpu_ns() - t : 0;
        (void)drain(b);
    }
    *ret_bytes = (mallinfo2().uordblks - before) / b->count;
    for (size_t i = 0; i < b->count; i++) {
        struct rtp_stream_stats st;
        rtp_stream_stats(s[i], &st);
        in += st.packets_in;
        out += st.packets_out;
        rtp_stream_close(&s[i]);
    }
    loop_free(&loop);
    free(s);
    (void)drain(b);
    size_t all = b->count * (b->rounds + WARM_UP); /* one each is on probation */
    bool whole = in == all - b->count && out == all && firsts == b->count;
    return whole ? (double)ns / 1000.0 / (double)(b->count * b->rounds) : -1;
}

static bool make_packets(struct bench *b, enum codec_id id)
{
    struct codec *c = NULL;
    b->codec = codec_info(id);
    if (codec_new(b->codec, 8000, &c))
        return false;
    size_t n = (size_t)codec_rate(c) / 50;
    for (size_t i = 0; i < SPEECH; i++) {
        int16_t x[2 * FRAME];
        for (size_t k = 0; k < n; k++)
            x[k] = speech[i * FRAME + k * FRAME / n];
        b->packet_len[i] = codec_encode(c, x, n, b->packets[i], CODEC_PAYLOAD_MAX);
    }
    codec_free(&c);
    return true;
}

static void make_speech(void)
{
    struct tone t;
    uint32_t seed = 5;
    tone_init(&t, 8000, 300, -20);
    tone_fill(&t, speech, SPEECH * FRAME);
    tone_noise_add(&seed, -35, speech, SPEECH * FRAME);
}

static bool bench_codec(struct bench *b, enum codec_id id)
{
    size_t bytes = 0;
    if (!make_packets(b, id))
        return false;
    double floor_us = run_floor(b), ours = run_streams(b, &bytes);
    if (floor_us < 0 || ours < 0) {
        fprintf(stderr, "%s: packets are missing\n", b->codec->name);
        return false;
    }
    printf("%-6s floor %6.2f us, stream %6.2f us per packet in and out: %.2f x; %zu bytes each\n",
           b->codec->name, floor_us, ours, ours / floor_us, bytes);
    return true;
}

int main(int argc, char **argv)
{
    uint64_t count = 200, rounds = 1000;
    if ((argc > 1 && (str_to_u64(str_of(argv[1]), &count) || !count)) ||
        (argc > 2 && (str_to_u64(str_of(argv[2]), &rounds) || !rounds)))
        return 2;
    static struct bench b;
    b.count = (size_t)count;
    b.rounds = (size_t)rounds;
    va_clock_manual_init(&media_time, 1000000, 1700000000000000);
    make_speech();
    bool ok = open_peers(&b);
    static const enum codec_id ids[] = {CODEC_PCMU, CODEC_PCMA, CODEC_L16_8K, CODEC_G722,
                                        CODEC_OPUS};
    for (size_t i = 0; ok && i < sizeof(ids) / sizeof(*ids); i++)
        ok = bench_codec(&b, ids[i]);
    return ok ? 0 : 1;
}
