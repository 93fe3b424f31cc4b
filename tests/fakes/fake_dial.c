/*
 * The outbound side: what FreeSWITCH's `socket` application does, many times at once.
 *
 *     connect() ─► silent until "connect" ─► channel data ─► +OK to all ─► "exit": notice, close
 *                                                  └─ --hold-ms: kept until all are there
 *
 * The time of a session runs from connect() to the close. Source addresses 127.0.0.2 … .201 take
 * turns, so that ports do not run out.
 */
#include "fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOURCES = 200, IN_MAX = 4096, PATIENCE_US = 30000000 };

struct session {
    struct watch watch;
    struct timer timer;
    struct session *next; /* of the dead, or of the free ones */
    uint64_t started_us;
    bool connected, held, dead;
    size_t in_len;
    char in[IN_MAX];
};

static struct sockaddr_in peer;
static char *channel_data;
static size_t channel_data_len;
static struct session **all; /* those that are held */
static struct session *graves;
static long started, open_now, held, good, errors;
static uint32_t *took_us;
static uint64_t begun_us;
static struct timer end_of_hold, next_events;

static const char built_in[] =
    "Event-Name: CHANNEL_DATA\nCore-UUID: 7a28e53c-86f7-4c07-879b-cc18638cfb05\n"
    "FreeSWITCH-Hostname: fake\nEvent-Calling-Function: switch_channel_perform_mark_answered\n"
    "Channel-State: CS_EXECUTE\nChannel-Name: loopback/8000-b\n"
    "Unique-ID: 4a145b4a-0000-4000-8000-000000000001\nCall-Direction: inbound\n"
    "Answer-State: ringing\nCaller-Caller-ID-Number: 100\nCaller-Destination-Number: 8000\n"
    "variable_uuid: 4a145b4a-0000-4000-8000-000000000001\nContent-Type: command/reply\n"
    "Reply-Text: %2BOK%0A\nSocket-Mode: async\nControl: full\n\n";
static const char ok[] = "Content-Type: command/reply\nReply-Text: +OK\n\n";
static const char api_ok[] = "Content-Type: api/response\nContent-Length: 4\n\n+OK\n";
static const char bye[] = "Content-Type: command/reply\nReply-Text: +OK bye\n\n";
static const char notice[] = "Content-Type: text/disconnect-notice\nContent-Length: 67\n\n"
                             "Disconnected, goodbye.\n"
                             "See you at ClueCon! http://www.cluecon.com/\n";
static char event[512];
static size_t event_len;

static void make_event(void)
{
    static const char body[] = "Event-Name: CHANNEL_CALLSTATE\n"
                               "Unique-ID: 4a145b4a-0000-4000-8000-000000000001\n"
                               "Channel-Call-State: ACTIVE\nAnswer-State: answered\n\n";
    event_len = (size_t)snprintf(event, sizeof(event),
                                 "Content-Length: %zu\nContent-Type: text/event-plain\n\n%s",
                                 sizeof(body) - 1, body);
}

/* ---- one session ---------------------------------------------------------------------------- */

static void end(struct session *s, bool well)
{
    if (s->dead)
        return;
    s->dead = true;
    timer_stop(&s->timer);
    (void)close(s->watch.fd);
    if (well)
        took_us[good++] = (uint32_t)(clock_us() - s->started_us);
    else
        errors++;
    open_now--;
    if (s->held) /* its place in `all` stays empty */
        for (long i = 0; i < held; i++)
            if (all[i] == s)
                all[i] = NULL;
    s->next = graves;
    graves = s;
}

/* What is sent is far smaller than an empty socket's room: a short write is an error. */
static void say(struct session *s, const char *p, size_t n)
{
    if (!s->dead && send(s->watch.fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
        end(s, false);
}

static void on_hold_over(struct timer *t)
{
    (void)t;
    timer_stop(&next_events);
    for (long i = 0; i < held; i++) {
        struct session *s = all[i];
        if (!s)
            continue;
        all[i] = NULL;
        s->held = false;
        say(s, notice, sizeof(notice) - 1);
        if (!s->dead)
            end(s, true);
    }
}

static void on_events(struct timer *t)
{
    for (long i = 0; i < held; i++)
        if (all[i])
            say(all[i], event, event_len);
    timer_start(t, 1000000 / (uint64_t)opt.rate, on_events);
}

static void hold(struct session *s)
{
    timer_stop(&s->timer);
    s->held = true;
    all[held++] = s;
    if (held < opt.sessions)
        return;
    (void)printf("{\"held\":%ld,\"seconds\":%.3f}\n", held, (double)(clock_us() - begun_us) / 1e6);
    (void)fflush(stdout);
    timer_start(&end_of_hold, (uint64_t)opt.hold_ms * 1000, on_hold_over);
    if (opt.rate)
        timer_start(&next_events, 1, on_events);
}

static void answer(struct session *s, const char *command)
{
    if (strncmp(command, "connect", 7) == 0) {
        say(s, channel_data, channel_data_len);
        s->connected = true;
        if (opt.hold_ms && !s->dead)
            hold(s);
    } else if (strncmp(command, "exit", 4) == 0) {
        say(s, bye, sizeof(bye) - 1);
        say(s, notice, sizeof(notice) - 1);
        if (!s->dead)
            end(s, true);
    } else if (strncmp(command, "api ", 4) == 0) {
        say(s, api_ok, sizeof(api_ok) - 1);
    } else {
        say(s, ok, sizeof(ok) - 1);
    }
}

/* Bytes of the first command in the buffer; 0: not whole. */
static size_t command_len(const struct session *s)
{
    const char *blank = memmem(s->in, s->in_len, "\n\n", 2), *at = s->in;
    if (!blank)
        return 0;
    size_t head = (size_t)(blank + 2 - s->in), body = 0;
    for (; at && at < blank; at = memchr(at, '\n', (size_t)(blank - at)), at = at ? at + 1 : NULL)
        if (strncasecmp(at, "content-length:", 15) == 0)
            body = strtoul(at + 15, NULL, 10);
    return s->in_len - head >= body ? head + body : 0;
}

static void on_session(struct watch *w, uint32_t events)
{
    struct session *s = (struct session *)(void *)w;
    if (s->dead || (events == EPOLLOUT && s->in_len == 0 && !s->connected)) {
        if (!s->dead)
            watch_change(w, EPOLLIN); /* the connection stands */
        return;
    }
    ssize_t n = recv(w->fd, s->in + s->in_len, sizeof(s->in) - 1 - s->in_len, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) { /* left without `exit`: fine once it had its channel data */
        end(s, n == 0 && s->connected);
        return;
    }
    s->in_len += (size_t)n;
    s->in[s->in_len] = 0;
    for (size_t len; !s->dead && (len = command_len(s));) {
        answer(s, s->in);
        s->in_len -= len;
        memmove(s->in, s->in + len, s->in_len + 1);
    }
}

static void on_late(struct timer *t)
{
    end((struct session *)(void *)((char *)t - offsetof(struct session, timer)), false);
}

/* ---- starting them -------------------------------------------------------------------------- */

static void start_one(void)
{
    static struct session *spare;
    struct sockaddr_in from = {.sin_family = AF_INET};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    from.sin_addr.s_addr = htonl(0x7F000002u + (uint32_t)(started % SOURCES));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if ((ntohl(peer.sin_addr.s_addr) >> 24) == 127 && bind(fd, (void *)&from, sizeof(from)))
        die("bind");
    struct session *s = spare ? spare : zalloc(sizeof(*s));
    spare = NULL;
    s->watch = (struct watch){fd, on_session};
    s->started_us = clock_us();
    started++;
    open_now++;
    if (connect(fd, (void *)&peer, sizeof(peer)) && errno != EINPROGRESS) {
        watch_start(&s->watch, 0);
        end(s, false);
        return;
    }
    watch_start(&s->watch, EPOLLIN);
    timer_start(&s->timer, PATIENCE_US, on_late);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void report(void)
{
    double s = (double)(clock_us() - begun_us) / 1e6;
    struct rusage use;
    (void)getrusage(RUSAGE_SELF, &use);
    qsort(took_us, (size_t)good, sizeof(*took_us), by_size);
    (void)printf("{\"sessions\":%ld,\"errors\":%ld,\"seconds\":%.3f,\"per_s\":%.0f,"
                 "\"p50_us\":%u,\"p99_us\":%u,\"own_cpu_s\":%.3f}\n",
                 good, errors, s, (double)good / s, good ? took_us[good / 2] : 0,
                 good ? took_us[good * 99 / 100] : 0,
                 (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                     (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
    (void)fflush(stdout);
}

void dial_after_turn(void)
{
    while (graves) {
        struct session *s = graves;
        graves = s->next;
        free(s);
    }
    while (started < opt.sessions && open_now - held < opt.inflight)
        start_one();
    if (started >= opt.sessions && !open_now) {
        report();
        loop_end();
    }
}

void dial_start(void)
{
    char host[64];
    const char *colon = strrchr(opt.dial, ':');
    int n = colon ? (int)(colon - opt.dial) : 0;
    (void)snprintf(host, sizeof(host), "%.*s", n, opt.dial);
    peer.sin_family = AF_INET;
    peer.sin_port = htons((uint16_t)(colon ? strtoul(colon + 1, NULL, 10) : 0));
    if (inet_pton(AF_INET, host, &peer.sin_addr) != 1 || !peer.sin_port) {
        (void)fprintf(stderr, "esl_fake: --dial wants an IPv4 address and a port: %s\n", opt.dial);
        exit(2);
    }
    channel_data_len = sizeof(built_in) - 1;
    channel_data =
        opt.connect_reply ? read_file(opt.connect_reply, &channel_data_len) : copy_of(built_in);
    all = zalloc((size_t)opt.sessions * sizeof(struct session *));
    took_us = zalloc((size_t)opt.sessions * sizeof(*took_us));
    make_event();
    begun_us = clock_us();
}
