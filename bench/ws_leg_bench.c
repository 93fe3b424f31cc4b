/*
 * What a WebSocket leg costs: CALLS streams with a frame of 20 ms each way, through the port and
 * the legs on one thread, beside a floor in the same run: a thread that reads and writes the same
 * bytes over as many plain TCP connections. The callers are a process of their own.
 *
 *     ws_leg_bench [CALLS [SECONDS]]        (200, 5)
 */
#include "leg/websocket.h"
#include "leg/ws_hub.h"
#include "media/clock.h"
#include "media/format.h"
#include "net/tcp.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FRAME = 160, WIRE = 328, SETTLE_S = 2 };

static unsigned calls = 200, seconds = 5;

static double cpu_s(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "ws_leg_bench: %s\n", what);
    exit(1);
}

/* ---- callers, a process of their own --------------------------------------------------------- */

struct caller {
    struct ws_conn *ws;
    struct tcp_conn *tcp;
    struct media_tick tick;
    struct media_clock *clock;
    uint64_t *got;
};

static void caller_tick(void *arg, uint64_t now_us)
{
    struct caller *c = arg;
    static const char bytes[WIRE];
    (void)now_us;
    enum va_err err = c->ws ? ws_send(c->ws, WS_BINARY, bytes, FRAME * 2)
                            : tcp_write(c->tcp, bytes, sizeof(bytes));
    must(!err, "a caller cannot send");
}

static void caller_speaks(struct caller *c)
{
    must(!media_clock_join(c->clock, &c->tick, 20, caller_tick, c), "clock");
}

static void ws_opened(void *arg, struct str subprotocol)
{
    (void)subprotocol;
    caller_speaks(arg);
}

static void ws_heard(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct caller *c = arg;
    (void)kind;
    (void)p;
    *c->got += len == FRAME * 2;
}

static void ws_over(void *arg, const struct ws_end *end)
{
    (void)arg;
    (void)end;
    exit(0); /* the other process has ended */
}

static void tcp_opened(void *arg)
{
    caller_speaks(arg);
}

static void tcp_heard(void *arg, const char *p, size_t len)
{
    (void)arg;
    (void)p;
    (void)len;
}

static void tcp_over(void *arg, enum va_err why)
{
    (void)arg;
    (void)why;
    exit(0);
}

static void callers(uint16_t port, bool floor)
{
    static const struct ws_handlers ws = {
        .on_open = ws_opened, .on_message = ws_heard, .on_closed = ws_over};
    static const struct tcp_handlers tcp = {tcp_opened, tcp_heard, tcp_over};
    struct loop *loop = NULL;
    struct media_clock *clock = NULL;
    static uint64_t got;
    struct net_addr at;
    must(!loop_new(NULL, 0, &loop) && !media_clock_new(loop, &clock), "callers");
    must(!net_addr_parse("127.0.0.1", port, &at), "address");
    struct caller *all = calloc(calls, sizeof(*all));
    must(all != NULL, "memory");
    for (unsigned i = 0; i < calls; i++) {
        char url[120];
        all[i] = (struct caller){.clock = clock, .got = &got};
        (void)snprintf(url, sizeof(url), "ws://127.0.0.1:%u/stream/default/%u?rate=8000", port, i);
        const struct ws_target to = {.url = url};
        enum va_err err = floor ? tcp_connect(loop, &at, 5000, 1 << 16, &tcp, &all[i], &all[i].tcp)
                                : ws_connect(loop, &to, NULL, &ws, &all[i], &all[i].ws);
        must(!err, "a caller cannot connect");
        for (int turn = 0; turn < 4; turn++)
            loop_turn(loop, false);
    }
    loop_run(loop);
}

/* ---- what is measured ------------------------------------------------------------------------ */

struct served {
    struct leg *leg;
    struct media_tick tick;
    struct tcp_conn *tcp;
    int16_t frame[FRAME];
};

static struct {
    struct loop *loop;
    struct media_clock *clock;
    struct ws_hub *hub;
    struct leg_env env;
    struct settings settings;
    struct served *all;
    unsigned born, started;
    uint64_t in, out;
    struct tmr timer;
} b;

static void on_tick(void *arg, uint64_t now_us)
{
    struct served *s = arg;
    (void)now_us;
    leg_websocket.send(s->leg, s->frame, FRAME);
    b.out++;
}

static void on_started(void *arg, const struct leg_format *format)
{
    struct served *s = arg;
    must(!media_clock_join(b.clock, &s->tick, format->ptime_ms, on_tick, s), "clock");
    b.started++;
}

static void on_frame(void *arg, const int16_t *samples, size_t count, bool silence)
{
    struct served *s = arg;
    (void)silence;
    memcpy(s->frame, samples, count * sizeof(*samples));
    b.in++;
}

static void on_failed(void *arg, enum va_err why, const char *cause)
{
    (void)arg;
    (void)why;
    must(false, cause);
}

static const struct leg_handlers leg_handlers = {
    .on_started = on_started, .on_frame = on_frame, .on_failed = on_failed};

static void on_stream(void *arg, struct ws_stream *stream)
{
    (void)arg;
    must(b.born < calls, "too many");
    struct served *s = &b.all[b.born++];
    const struct leg_cfg cfg = {.loop = b.loop,
                                .env = &b.env,
                                .uuid = "u",
                                .settings = &b.settings,
                                .rate_hz = 8000,
                                .stream = stream};
    must(!leg_websocket.open(&cfg, &leg_handlers, s, &s->leg), "a leg cannot open");
}

static void floor_open(void *arg)
{
    (void)arg;
}

static void floor_read(void *arg, const char *p, size_t len)
{
    struct served *s = arg;
    b.in += len / WIRE;
    b.out += len / WIRE;
    must(!tcp_write(s->tcp, p, len), "the floor cannot send");
}

static void floor_end(void *arg, enum va_err why)
{
    (void)arg;
    (void)why;
}

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    static const struct tcp_handlers h = {floor_open, floor_read, floor_end};
    struct served *s = &b.all[b.born++];
    (void)arg;
    (void)peer;
    must(!tcp_adopt(b.loop, fd, 1 << 16, &h, s, &s->tcp), "floor");
    b.started++;
}

static void on_time(void *arg)
{
    *(bool *)arg = true;
}

static void run_for(unsigned ms)
{
    bool over = false;
    tmr_start(&b.timer, b.loop, ms, on_time, &over);
    while (!over)
        loop_turn(b.loop, true);
}

static void measure(bool floor, double *ret_us)
{
    struct tcp_listener *listener = NULL;
    struct net_addr at;
    struct va_fault fault = {0};
    memset(&b, 0, sizeof(b));
    b.all = calloc(calls, sizeof(*b.all));
    b.settings = (struct settings){.ws_host = "127.0.0.1",
                                   .ws_playback = "binary",
                                   .media_start_timeout_ms = 30000,
                                   .media_lost_timeout_ms = 30000};
    must(b.all && !loop_new(NULL, 0, &b.loop) && !media_clock_new(b.loop, &b.clock), "memory");
    must(!net_addr_parse("127.0.0.1", 0, &at), "address");
    const struct ws_hub_handlers h = {on_stream};
    must(floor ? !tcp_listen(b.loop, &at, on_accept, NULL, &listener, &fault)
               : !ws_hub_open(b.loop, &b.settings, &h, NULL, &b.hub, &fault),
         fault.text);
    if (floor)
        tcp_listener_addr(listener, &at);
    else
        ws_hub_addr(b.hub, &at);
    b.env.ws = b.hub;
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        callers(net_addr_port(&at), floor);
    while (b.started < calls)
        loop_turn(b.loop, true);
    run_for(SETTLE_S * 1000);
    uint64_t in = b.in, out = b.out;
    double before = cpu_s();
    run_for(seconds * 1000);
    double cpu = cpu_s() - before;
    in = b.in - in;
    out = b.out - out;
    double us = cpu * 1e6 / ((double)(in + out) / 2);
    struct media_clock_stats st;
    media_clock_stats(b.clock, &st);
    printf("%-12s %5u %7.3f %10.0f %9.1f %8llu %8llu %8.1f\n", floor ? "floor (TCP)" : "websocket",
           calls, cpu / seconds, 1e6 / us / 50, us, (unsigned long long)in, (unsigned long long)out,
           (double)st.p99_us / 1000);
    *ret_us = us;
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
    double floor_us = 0, leg_us = 0;
    if (argc > 1)
        calls = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        seconds = (unsigned)strtoul(argv[2], NULL, 10);
    log_set_level(LOG_WARN);
    must(calls && seconds, "ws_leg_bench [CALLS [SECONDS]]");
    printf("%-12s %5s %7s %10s %9s %8s %8s %8s\n", "", "calls", "cores", "calls/core", "µs/frame",
           "in", "out", "p99 ms");
    measure(true, &floor_us);
    measure(false, &leg_us);
    printf("\nCPU per frame each way: %.2f times the floor\n", leg_us / floor_us);
    return 0;
}
