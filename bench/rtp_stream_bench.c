/* CPU per packet of whole RTP streams, sockets included, beside two floors: the same datagrams
 * received and sent by recvfrom and sendto in an epoll loop and nothing else, either each sent back
 * as it comes (echo), or all sent when the clock ticks (paced), as whoever plays audio must. One
 * thread does both ends by turns; only our side's time is counted. Media time is simulated: 20 ms a
 * round.
 *
 * The three take turns of 50 rounds, and the ratios are medians over the turns, so that what else
 * the machine does hits all of them.
 *
 *     rtp_stream_bench [STREAMS [TURNS]]      (200, 20) */
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

enum {
    FRAME = 160,
    PER_PEER = 50,
    EVENTS = 256,
    SPEECH = 400 /* frames */,
    SLICE = 50 /* rounds */
};

/* The far ends of PER_PEER streams: one socket. */
struct peer {
    int fd;
    uint16_t port;
};

struct bench {
    size_t count, turns;
    struct peer *peers;
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
    for (size_t i = 0; b->peers && i < n; i++) {
        b->peers[i].fd = udp_on_loopback(&b->peers[i].port);
        if (b->peers[i].fd < 0)
            return false;
    }
    return b->peers != NULL;
}

/* What is measured: our side of all streams, one way or another. */
struct subject {
    struct sockaddr_in *to; /* each stream's port */
    size_t round;           /* those done */
    size_t back;            /* packets that came back */
    double *us;             /* per packet in and out, of each turn */
    void (*work)(struct bench *b, struct subject *s);
    int loop_fd, *fds; /* floors */
    struct loop *loop; /* streams */
    struct rtp_stream **streams;
    size_t firsts, bytes;
};

static void aim(struct subject *s, size_t i, uint16_t port)
{
    s->to[i] = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static bool send_round(struct bench *b, const struct subject *s)
{
    uint8_t p[RTP_HEADER_BYTES + CODEC_PAYLOAD_MAX];
    size_t round = s->round, at = round % SPEECH, len = 0;
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
        if (sendto(b->peers[i / PER_PEER].fd, p, len, 0, (struct sockaddr *)&s->to[i],
                   sizeof(s->to[i])) != (ssize_t)len)
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

/* ---- the floors ------------------------------------------------------------------------------ */

static void floor_turn(int loop, size_t want, bool echo)
{
    struct epoll_event ev[EVENTS];
    char p[4096];
    while (want) {
        int n = epoll_wait(loop, ev, EVENTS, 0);
        for (int i = 0; i < n; i++) {
            struct sockaddr_in from;
            socklen_t len = sizeof(from);
            ssize_t got = recvfrom(ev[i].data.fd, p, sizeof(p), 0, (struct sockaddr *)&from, &len);
            if (got > 0 && echo)
                (void)sendto(ev[i].data.fd, p, (size_t)got, 0, (struct sockaddr *)&from, len);
            want -= got > 0;
        }
    }
}

static void work_echo(struct bench *b, struct subject *s)
{
    floor_turn(s->loop_fd, b->count, true);
}

static void work_paced(struct bench *b, struct subject *s)
{
    static const char p[RTP_HEADER_BYTES + CODEC_PAYLOAD_MAX];
    floor_turn(s->loop_fd, b->count, false);
    for (size_t i = 0; i < b->count; i++) {
        struct sockaddr_in to = {.sin_family = AF_INET,
                                 .sin_port = htons(b->peers[i / PER_PEER].port),
                                 .sin_addr = {htonl(INADDR_LOOPBACK)}};
        (void)sendto(s->fds[i], p, RTP_HEADER_BYTES + b->packet_len[s->round % SPEECH], 0,
                     (struct sockaddr *)&to, sizeof(to));
    }
}

static bool open_floor(struct bench *b, struct subject *s)
{
    s->loop_fd = epoll_create1(EPOLL_CLOEXEC);
    s->fds = calloc(b->count, sizeof(*s->fds));
    for (size_t i = 0; s->fds && i < b->count; i++) {
        uint16_t port = 0;
        s->fds[i] = udp_on_loopback(&port);
        struct epoll_event ev = {.events = EPOLLIN, .data = {.fd = s->fds[i]}};
        if (s->fds[i] < 0 || epoll_ctl(s->loop_fd, EPOLL_CTL_ADD, s->fds[i], &ev))
            return false;
        aim(s, i, port);
    }
    return s->fds != NULL;
}

static void close_floor(const struct bench *b, struct subject *s)
{
    for (size_t i = 0; i < b->count; i++)
        (void)close(s->fds[i]);
    (void)close(s->loop_fd);
    free(s->fds);
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
    struct rtp_stream_remote r = {
        .mux = true, .send = t, .receive_count = 1, .receive = {t}}; /* no report to a neighbour */
    (void)!net_addr_parse("127.0.0.1", b->peers[i / PER_PEER].port, &r.rtp);
    return r;
}

static bool open_streams(struct bench *b, struct subject *s)
{
    static struct settings set = {.rtp_port_min = 10000,
                                  .rtp_port_max = 65535,
                                  .rtp_bind_address = "127.0.0.1",
                                  .rtp_jitter_min_ms = 60,
                                  .rtp_jitter_target_ms = 100,
                                  .rtp_jitter_max_ms = 200};
    s->streams = calloc(b->count, sizeof(struct rtp_stream *));
    s->bytes = mallinfo2().uordblks;
    if (!s->streams || loop_new(&bench_clock, 0, &s->loop))
        return false;
    struct rtp_stream_cfg cfg = {.loop = s->loop, .format = {8000, 20}, .settings = &set};
    for (size_t i = 0; i < b->count; i++) {
        struct rtp_stream_remote r = remote_of(b, i);
        if (rtp_stream_open(&cfg, &handlers, &s->firsts, &s->streams[i]) ||
            rtp_stream_set_remote(s->streams[i], &r))
            return false;
        rtp_stream_read_by_clock(s->streams[i]);
        aim(s, i, rtp_stream_port(s->streams[i]));
    }
    return true;
}

static void work_streams(struct bench *b, struct subject *s)
{
    int16_t heard[FRAME];
    loop_turn(s->loop, false);
    for (size_t i = 0; i < b->count; i++) {
        rtp_stream_send(s->streams[i], speech + (s->round + i) % SPEECH * FRAME, FRAME);
        rtp_stream_read(s->streams[i]);
        (void)rtp_stream_receive(s->streams[i], media_time.mono, heard);
    }
}

/* @return all packets went both ways; one each is on probation */
static bool close_streams(struct bench *b, struct subject *s)
{
    uint64_t in = 0, out = 0;
    s->bytes = (mallinfo2().uordblks - s->bytes) / b->count;
    for (size_t i = 0; i < b->count; i++) {
        struct rtp_stream_stats st;
        rtp_stream_stats(s->streams[i], &st);
        in += st.packets_in;
        out += st.packets_out;
        rtp_stream_close(&s->streams[i]);
    }
    loop_free(&s->loop);
    free(s->streams);
    (void)drain(b);
    return in == b->count * (s->round - 1) && out == b->count * s->round && s->firsts == b->count;
}

/* ---- turns ----------------------------------------------------------------------------------- */

static bool run_turn(struct bench *b, struct subject *s, size_t turn)
{
    uint64_t ns = 0;
    for (size_t i = 0; i < SLICE; i++, s->round++) {
        if (s->streams)
            va_clock_manual_advance(&media_time, 20000);
        if (!send_round(b, s))
            return false;
        uint64_t t = cpu_ns();
        s->work(b, s);
        ns += cpu_ns() - t;
        s->back += drain(b);
    }
    s->us[turn] = (double)ns / 1000.0 / (double)(b->count * SLICE);
    return true;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Of the turns behind the first, which warms up. */
static double median(const double *x, size_t n)
{
    double *sorted = malloc(n * sizeof(*x)), m = 0;
    if (!sorted)
        return 0;
    memcpy(sorted, x, n * sizeof(*x));
    qsort(sorted, n, sizeof(*x), by_size);
    m = sorted[n / 2];
    free(sorted);
    return m;
}

static double median_ratio(const struct subject *ours, const struct subject *floors, size_t turns)
{
    double *r = malloc(turns * sizeof(*r)), m = 0;
    for (size_t i = 0; r && i < turns; i++)
        r[i] = ours->us[i] / floors->us[i];
    m = r ? median(r + 1, turns - 1) : 0;
    free(r);
    return m;
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

enum { ECHO_FLOOR, PACED_FLOOR, STREAMS, SUBJECTS };

static bool bench_codec(struct bench *b, enum codec_id id)
{
    struct subject s[SUBJECTS] = {
        {.work = work_echo}, {.work = work_paced}, {.work = work_streams}};
    bool ok = make_packets(b, id);
    for (int k = 0; ok && k < SUBJECTS; k++) {
        s[k].us = calloc(b->turns, sizeof(double));
        s[k].to = calloc(b->count, sizeof(*s[k].to));
        ok = s[k].us && s[k].to && (k == STREAMS ? open_streams : open_floor)(b, &s[k]);
    }
    for (size_t turn = 0; ok && turn < b->turns; turn++)
        for (int k = 0; ok && k < SUBJECTS; k++)
            ok = run_turn(b, &s[k], turn);
    if (!ok) {
        fprintf(stderr, "%s: sockets, ports or memory are short\n", b->codec->name);
        return false;
    }
    close_floor(b, &s[ECHO_FLOOR]);
    close_floor(b, &s[PACED_FLOOR]);
    if (!close_streams(b, &s[STREAMS]) || s[ECHO_FLOOR].back != b->count * b->turns * SLICE) {
        fprintf(stderr, "%s: packets are missing\n", b->codec->name);
        return false;
    }
    size_t n = b->turns - 1;
    printf("%-5s floors %5.2f (echo) %5.2f us (paced), stream %6.2f us per packet in and out: "
           "%.2f x, %.2f x; %zu bytes a stream\n",
           b->codec->name, median(s[ECHO_FLOOR].us + 1, n), median(s[PACED_FLOOR].us + 1, n),
           median(s[STREAMS].us + 1, n), median_ratio(&s[STREAMS], &s[ECHO_FLOOR], b->turns),
           median_ratio(&s[STREAMS], &s[PACED_FLOOR], b->turns), s[STREAMS].bytes);
    for (int k = 0; k < SUBJECTS; k++) {
        free(s[k].us);
        free(s[k].to);
    }
    return true;
}

int main(int argc, char **argv)
{
    uint64_t count = 200, turns = 20;
    if ((argc > 1 && (str_to_u64(str_of(argv[1]), &count) || !count)) ||
        (argc > 2 && (str_to_u64(str_of(argv[2]), &turns) || turns < 2)))
        return 2;
    static struct bench b;
    b.count = (size_t)count;
    b.turns = (size_t)turns;
    va_clock_manual_init(&media_time, 1000000, 1700000000000000);
    make_speech();
    bool ok = open_peers(&b);
    static const enum codec_id ids[] = {CODEC_PCMU, CODEC_PCMA, CODEC_L16_8K, CODEC_G722,
                                        CODEC_OPUS};
    for (size_t i = 0; ok && i < sizeof(ids) / sizeof(*ids); i++)
        ok = bench_codec(&b, ids[i]);
    return ok ? 0 : 1;
}
