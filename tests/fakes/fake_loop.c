/* One epoll, a list of timers in the order of their times, and what every file needs. */
#include "fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int epfd = -1;
static volatile sig_atomic_t ended;
static uint64_t turn_us, turn_wall_us;
static struct timer timers = {&timers, &timers, 0, NULL};

void die(const char *what)
{
    perror(what);
    exit(2);
}

void *zalloc(size_t n)
{
    void *p = calloc(1, n);
    if (!p)
        die("memory");
    return p;
}

char *copy_of(const char *z)
{
    char *p = strdup(z);
    if (!p)
        die("memory");
    return p;
}

/* ---- bytes ---------------------------------------------------------------------------------- */

char *bytes_room(struct bytes *b, size_t n)
{
    if (b->cap - b->len < n) {
        size_t cap = b->cap ? b->cap : 256;
        while (cap - b->len < n)
            cap *= 2;
        b->p = realloc(b->p, cap);
        if (!b->p)
            die("memory");
        b->cap = cap;
    }
    return b->p + b->len;
}

void bytes_add(struct bytes *b, const void *p, size_t n)
{
    if (!n)
        return;
    memcpy(bytes_room(b, n), p, n);
    b->len += n;
}

void bytes_addz(struct bytes *b, const char *z)
{
    bytes_add(b, z, strlen(z));
}

void bytes_addf(struct bytes *b, const char *fmt, ...)
{
    va_list ap;
    for (size_t room = 512;;) { /* nearly always enough: one pass */
        char *at = bytes_room(b, room);
        va_start(ap, fmt);
        int n = vsnprintf(at, room, fmt, ap);
        va_end(ap);
        if (n < 0)
            return;
        if ((size_t)n < room) {
            b->len += (size_t)n;
            return;
        }
        room = (size_t)n + 1;
    }
}

void bytes_addu(struct bytes *b, uint64_t n)
{
    char digits[20];
    size_t i = sizeof(digits);
    do {
        digits[--i] = (char)('0' + n % 10);
    } while (n /= 10);
    bytes_add(b, digits + i, sizeof(digits) - i);
}

void bytes_drop(struct bytes *b, size_t n)
{
    b->len -= n;
    if (b->len)
        memmove(b->p, b->p + n, b->len);
}

void bytes_free(struct bytes *b)
{
    free(b->p);
    *b = (struct bytes){0};
}

char *read_file(const char *path, size_t *ret_len)
{
    struct bytes b = {0};
    FILE *f = fopen(path, "rb");
    size_t n;
    if (!f)
        die(path);
    while ((n = fread(bytes_room(&b, 65536), 1, 65536, f)) > 0)
        b.len += n;
    if (ferror(f))
        die(path);
    (void)fclose(f);
    *ret_len = b.len;
    bytes_add(&b, "", 1);
    return b.p;
}

/* ---- time ----------------------------------------------------------------------------------- */

static uint64_t read_clock(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t clock_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t loop_now(void)
{
    return turn_us;
}

uint64_t wall_us(void)
{
    return turn_wall_us;
}

static void read_time(void)
{
    turn_us = read_clock(CLOCK_MONOTONIC);
    turn_wall_us = read_clock(CLOCK_REALTIME);
}

void timer_start(struct timer *t, uint64_t after_us, void (*on_fire)(struct timer *))
{
    timer_stop(t);
    t->due_us = turn_us + after_us;
    t->on_fire = on_fire;
    struct timer *at = timers.prev; /* most are the latest: look from the end */
    while (at != &timers && at->due_us > t->due_us)
        at = at->prev;
    t->prev = at;
    t->next = at->next;
    at->next->prev = t;
    at->next = t;
}

void timer_stop(struct timer *t)
{
    if (!t->next)
        return;
    t->prev->next = t->next;
    t->next->prev = t->prev;
    t->prev = t->next = NULL;
}

static void fire_timers(void)
{
    while (timers.next != &timers && timers.next->due_us <= turn_us) {
        struct timer *t = timers.next;
        timer_stop(t);
        t->on_fire(t);
    }
}

static int until_timer(void)
{
    if (timers.next == &timers)
        return -1;
    uint64_t due = timers.next->due_us;
    return due <= turn_us ? 0 : (int)((due - turn_us + 999) / 1000);
}

/* ---- epoll ---------------------------------------------------------------------------------- */

static void control(struct watch *w, int op, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = w};
    if (epfd < 0 && (epfd = epoll_create1(EPOLL_CLOEXEC)) < 0)
        die("epoll");
    if (epoll_ctl(epfd, op, w->fd, &ev))
        die("epoll_ctl");
}

void watch_start(struct watch *w, uint32_t events)
{
    control(w, EPOLL_CTL_ADD, events);
}

void watch_change(struct watch *w, uint32_t events)
{
    control(w, EPOLL_CTL_MOD, events);
}

static void on_signal(int sig)
{
    (void)sig;
    ended = 1;
}

void loop_end(void)
{
    ended = 1;
}

void loop_run(void (*after_turn)(void))
{
    /* Signals stay blocked but while epoll waits, so none is lost in between. */
    struct sigaction sa = {.sa_handler = on_signal};
    struct epoll_event ev[256];
    sigset_t block, open;
    (void)sigemptyset(&block);
    (void)sigaddset(&block, SIGTERM);
    (void)sigaddset(&block, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &block, &open);
    (void)sigaction(SIGTERM, &sa, NULL);
    (void)sigaction(SIGINT, &sa, NULL);
    for (read_time(); !ended; read_time()) {
        fire_timers();
        after_turn();
        if (ended)
            break;
        int n = epoll_pwait(epfd, ev, 256, until_timer(), &open);
        if (n < 0 && errno != EINTR)
            die("epoll_wait");
        read_time();
        for (int i = 0; i < n; i++) {
            struct watch *w = ev[i].data.ptr;
            w->on_ready(w, ev[i].events);
        }
    }
}

/* ---- the rest ------------------------------------------------------------------------------- */

void uuid_make(char out[UUID_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    static uint64_t state;
    if (!state)
        state = read_clock(CLOCK_REALTIME) * 2654435761u ^ (uint64_t)getpid() << 32;
    for (int i = 0, left = 0; i < UUID_LEN; i++) {
        static uint64_t bits;
        if (!left--) { /* splitmix64 */
            bits = state += 0x9E3779B97F4A7C15u;
            bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9u;
            bits = (bits ^ bits >> 27) * 0x94D049BB133111EBu;
            bits ^= bits >> 31;
            left = 15;
        }
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        out[i] = dash ? '-' : i == 14 ? '4' : i == 19 ? digits[8 + (bits & 3)] : digits[bits & 15];
        bits >>= 4;
    }
    out[UUID_LEN] = 0;
}

int listen_on(const char *host, int port, int *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t len = sizeof(at);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (inet_pton(AF_INET, host, &at.sin_addr) != 1) {
        (void)fprintf(stderr, "esl_fake: %s is no IPv4 address\n", host);
        exit(2);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 4096) ||
        getsockname(fd, (struct sockaddr *)&at, &len))
        die("listen");
    *ret_port = ntohs(at.sin_port);
    return fd;
}
