/* The floor under every unicast daemon: accept FreeSWITCH's socket, ask for unicast, and send each
 * frame back as it comes. One thread, one epoll, one UDP socket per call, recvfrom and sendto,
 * nothing else. What a daemon costs beyond this is its own doing. Driven by `voice-ai call`.
 *
 *     floor_bench [ESL_PORT [FS_PORT_MIN [OUR_PORT_MIN]]]      (18022, 20000, 30000) */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, PORTS = 12000 };

struct line {
    int tcp, udp;
    bool asked;
};

static int loop_fd;
static struct line *by_fd; /* index: descriptor of either socket */
static unsigned next_call, fs_min = 20000, our_min = 30000;

static void watch(int fd)
{
    struct epoll_event ev = {.events = EPOLLIN, .data = {.fd = fd}};
    (void)epoll_ctl(loop_fd, EPOLL_CTL_ADD, fd, &ev);
}

static int bound(int type, unsigned port)
{
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (fd < 0)
        return -1;
    if (type == SOCK_STREAM)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static void on_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
    if (fd < 0)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    by_fd[fd] = (struct line){fd, -1, false};
    watch(fd);
    static const char hello[] = "connect\n\n";
    (void)!write(fd, hello, sizeof(hello) - 1);
}

static void ask_for_audio(struct line *l)
{
    char text[256];
    unsigned at = 0;
    l->asked = true;
    for (int tries = 0; l->udp < 0 && tries < 100; tries++) {
        at = next_call++ % PORTS;
        l->udp = bound(SOCK_DGRAM, our_min + at);
    }
    if (l->udp < 0)
        return;
    by_fd[l->udp] = *l;
    watch(l->udp);
    int n = snprintf(text, sizeof(text),
                     "sendmsg\ncall-command: unicast\nlocal-ip: 127.0.0.1\nlocal-port: %u\n"
                     "remote-ip: 127.0.0.1\nremote-port: %u\ntransport: udp\n\n",
                     fs_min + at, our_min + at);
    (void)!write(l->tcp, text, (size_t)n);
}

static void on_control(int fd)
{
    char block[16384];
    ssize_t n = read(fd, block, sizeof(block));
    if (n > 0) {
        if (!by_fd[fd].asked)
            ask_for_audio(&by_fd[fd]);
        return;
    }
    if (n < 0 && errno == EAGAIN)
        return;
    if (by_fd[fd].udp >= 0)
        (void)close(by_fd[fd].udp);
    (void)close(fd);
}

static void on_frame(int fd)
{
    char frame[2048];
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    ssize_t n = recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &len);
    if (n > 0)
        (void)sendto(fd, frame, (size_t)n, 0, (struct sockaddr *)&from, len);
}

static unsigned number(int argc, char **argv, int i, unsigned fallback)
{
    return argc > i ? (unsigned)strtoul(argv[i], NULL, 10) : fallback;
}

int main(int argc, char **argv)
{
    struct rlimit lim;
    unsigned port = number(argc, argv, 1, 18022);
    fs_min = number(argc, argv, 2, fs_min);
    our_min = number(argc, argv, 3, our_min);
    (void)getrlimit(RLIMIT_NOFILE, &lim);
    lim.rlim_cur = lim.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &lim);
    by_fd = calloc(lim.rlim_max < 1048576 ? (size_t)lim.rlim_max : 1048576, sizeof(*by_fd));
    loop_fd = epoll_create1(EPOLL_CLOEXEC);
    int listener = bound(SOCK_STREAM, port);
    if (!by_fd || loop_fd < 0 || listener < 0 || listen(listener, 4096)) {
        (void)fprintf(stderr, "floor_bench: port %u is taken, or no memory\n", port);
        return 1;
    }
    watch(listener);
    for (;;) {
        struct epoll_event ready[EVENTS];
        int n = epoll_wait(loop_fd, ready, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener)
                on_accept(fd);
            else if (by_fd[fd].tcp == fd)
                on_control(fd);
            else
                on_frame(fd);
        }
    }
}
