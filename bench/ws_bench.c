/* Messages of 300 bytes to and fro on many connections, both ends in one thread: net/ws beside the
 * floor (the same bytes over the same sockets with epoll, plain or with OpenSSL on the descriptor,
 * without WebSocket). ws_bench CERT KEY [connections] [rounds]; bench/ws.sh makes the certificate.
 */
#include "base/clock.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "net/ws.h"

#include <fcntl.h>
#include <malloc.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE = 300, PAIRS_PER_CALL = 50 };

static size_t conns = 100, rounds = 2000;
static const char *cert_file, *key_file;
static char message[MESSAGE];

static void die(const char *what)
{
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static double cpu_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double report(const char *what, double us, double floor)
{
    double pair = us / (double)(conns * rounds) / 2; /* two ends share it */
    printf("%-22s %6.2f us to send and receive one  %8.0f messages per CPU second  %6.0f calls",
           what, pair, 2e6 / pair, 1e6 / pair / PAIRS_PER_CALL);
    if (floor > 0)
        printf("  %.2f x the floor", pair / floor);
    puts("");
    return pair;
}

/* ---- floor ---------------------------------------------------------------------------------- */

struct floor_end {
    int fd;
    SSL *ssl;
    bool client;
    size_t left; /* client: rounds to go */
};

static int listener(struct sockaddr_in *addr)
{
    socklen_t len = sizeof(*addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (fd < 0 || bind(fd, (struct sockaddr *)addr, len) || listen(fd, 16) ||
        getsockname(fd, (struct sockaddr *)addr, &len))
        die("listen");
    return fd;
}

static void shake(SSL *client, SSL *server)
{
    for (int done = 0; done != 3;) {
        done |= SSL_do_handshake(client) == 1;
        done |= (SSL_do_handshake(server) == 1) << 1;
    }
    char c;
    (void)SSL_read(client, &c, 0); /* take the tickets */
}

static void floor_connect(struct floor_end *c, struct floor_end *s, int listen_fd,
                          const struct sockaddr_in *addr, SSL_CTX *ctx)
{
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (const struct sockaddr *)addr, sizeof(*addr)))
        die("connect");
    s->fd = accept(listen_fd, NULL, NULL);
    c->client = true;
    struct floor_end *both[] = {c, s};
    for (int i = 0; i < 2; i++) {
        (void)fcntl(both[i]->fd, F_SETFL, O_NONBLOCK);
        (void)setsockopt(both[i]->fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on));
        if (!ctx)
            continue;
        both[i]->ssl = SSL_new(ctx);
        SSL_set_read_ahead(both[i]->ssl, 1);
        (void)SSL_set_fd(both[i]->ssl, both[i]->fd);
    }
    if (!ctx)
        return;
    SSL_set_connect_state(c->ssl);
    SSL_set_accept_state(s->ssl);
    shake(c->ssl, s->ssl);
}

static void floor_send(struct floor_end *e)
{
    long n = e->ssl ? SSL_write(e->ssl, message, MESSAGE) : write(e->fd, message, MESSAGE);
    if (n != MESSAGE)
        die("write");
}

/* @return whether the client has had its last message */
static bool floor_take(struct floor_end *e)
{
    char p[4096];
    long n = e->ssl ? SSL_read(e->ssl, p, sizeof(p)) : read(e->fd, p, sizeof(p));
    if (n <= 0)
        return false; /* a ticket, or not a whole record yet */
    if (n != MESSAGE)
        die("read");
    if (e->client && --e->left == 0)
        return true;
    floor_send(e);
    return false;
}

static double run_floor(SSL_CTX *ctx)
{
    struct floor_end *ends = calloc(2 * conns, sizeof(*ends));
    struct sockaddr_in addr;
    struct epoll_event ev[64];
    int listen_fd = listener(&addr), ep = epoll_create1(0);
    if (!ends)
        die("memory");
    for (size_t i = 0; i < 2 * conns; i += 2) {
        floor_connect(&ends[i], &ends[i + 1], listen_fd, &addr, ctx);
        for (size_t k = i; k < i + 2; k++) {
            struct epoll_event in = {.events = EPOLLIN, .data.ptr = &ends[k]};
            ends[k].left = rounds;
            (void)epoll_ctl(ep, EPOLL_CTL_ADD, ends[k].fd, &in);
        }
    }
    double t = cpu_us();
    for (size_t i = 0; i < 2 * conns; i += 2)
        floor_send(&ends[i]);
    for (size_t done = 0; done < conns;) {
        int n = epoll_wait(ep, ev, 64, -1);
        for (int i = 0; i < n; i++)
            done += floor_take(ev[i].data.ptr);
    }
    t = cpu_us() - t;
    for (size_t i = 0; i < 2 * conns; i++) {
        SSL_free(ends[i].ssl);
        (void)close(ends[i].fd);
    }
    (void)close(ep);
    (void)close(listen_fd);
    free(ends);
    return t;
}

/* ---- ours ----------------------------------------------------------------------------------- */

struct ws_end_of_it {
    struct ws_conn *c;
    bool client;
    size_t left;
};

static struct {
    struct loop *loop;
    struct ws_end_of_it *ends;
    size_t accepted, open, done;
    struct tls_ctx *client_tls, *server_tls;
} lab;

static void ws_say(struct ws_end_of_it *e)
{
    if (ws_send(e->c, WS_TEXT, message, MESSAGE))
        die("ws_send");
}

static void on_open(void *arg, struct str subprotocol)
{
    (void)arg;
    (void)subprotocol;
    lab.open++;
}

static void on_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct ws_end_of_it *e = arg;
    (void)kind;
    (void)p;
    if (len != MESSAGE)
        die("message");
    if (e->client && --e->left == 0)
        lab.done++;
    else
        ws_say(e);
}

static void on_closed(void *arg, const struct ws_end *end)
{
    (void)arg;
    fprintf(stderr, "%s\n", end->text);
    die("connection");
}

static const struct ws_handlers handlers = {
    .on_open = on_open, .on_message = on_message, .on_closed = on_closed};

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    const struct ws_cfg cfg = {.tls = lab.server_tls};
    struct ws_end_of_it *e = &lab.ends[conns + lab.accepted++];
    (void)arg;
    (void)peer;
    if (ws_accept(lab.loop, fd, (struct str){NULL, 0}, &cfg, &handlers, e, &e->c))
        die("ws_accept");
}

static double run_ws(bool tls)
{
    struct tcp_listener *l = NULL;
    struct net_addr addr;
    char url[100];
    const struct ws_cfg cfg = {.tls = lab.client_tls};
    const struct ws_target to = {.url = url};
    lab.ends = calloc(2 * conns, sizeof(*lab.ends));
    lab.accepted = lab.open = lab.done = 0;
    if (!lab.ends || loop_new(NULL, 0, &lab.loop) || net_addr_parse("127.0.0.1", 0, &addr) ||
        tcp_listen(lab.loop, &addr, on_accept, NULL, &l, NULL))
        die("listen");
    tcp_listener_addr(l, &addr);
    (void)snprintf(url, sizeof(url), "%s://127.0.0.1:%u/", tls ? "wss" : "ws",
                   net_addr_port(&addr));
    size_t before = mallinfo2().uordblks;
    for (size_t i = 0; i < conns; i++) {
        lab.ends[i].client = true;
        lab.ends[i].left = rounds;
        if (ws_connect(lab.loop, &to, &cfg, &handlers, &lab.ends[i], &lab.ends[i].c))
            die("ws_connect");
        while (lab.open < 2 * (i + 1))
            loop_turn(lab.loop, true);
    }
    size_t bytes = (mallinfo2().uordblks - before) / conns / 2;
    double t = cpu_us();
    for (size_t i = 0; i < conns; i++)
        ws_say(&lab.ends[i]);
    while (lab.done < conns)
        loop_turn(lab.loop, true);
    t = cpu_us() - t;
    for (size_t i = 0; i < 2 * conns; i++)
        ws_free(&lab.ends[i].c);
    tcp_listener_close(&l);
    loop_free(&lab.loop);
    free(lab.ends);
    printf("%-22s %6zu bytes of heap per open connection\n", tls ? "wss" : "ws", bytes);
    return t;
}

/* ---- all ------------------------------------------------------------------------------------ */

static SSL_CTX *floor_ctx(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, cert_file) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1)
        die("certificate");
    return ctx;
}

int main(int argc, char **argv)
{
    struct va_fault fault = {VA_OK, ""};
    const struct tls_client_cfg cfg = {.insecure = true};
    if (argc < 3) {
        fprintf(stderr, "ws_bench CERT KEY [connections] [rounds]\n");
        return 2;
    }
    cert_file = argv[1];
    key_file = argv[2];
    conns = argc > 3 ? strtoul(argv[3], NULL, 10) : conns;
    rounds = argc > 4 ? strtoul(argv[4], NULL, 10) : rounds;
    memset(message, 'm', sizeof(message));
    if (!conns || !rounds || tls_client_ctx_new(&cfg, &lab.client_tls, &fault) ||
        tls_server_ctx_new(cert_file, key_file, &lab.server_tls, &fault)) {
        fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    struct tls_ctx *server_tls = lab.server_tls;
    SSL_CTX *ctx = floor_ctx();
    printf("%zu connections, %zu rounds of %d bytes to and fro; a call is %d of each a second\n",
           conns, rounds, MESSAGE, PAIRS_PER_CALL);
    double floor = report("sockets", run_floor(NULL), 0);
    lab.server_tls = NULL;
    (void)report("WebSocket", run_ws(false), floor);
    floor = report("TLS records", run_floor(ctx), 0);
    lab.server_tls = server_tls;
    (void)report("WebSocket over TLS", run_ws(true), floor);
    SSL_CTX_free(ctx);
    tls_ctx_free(&lab.client_tls);
    tls_ctx_free(&lab.server_tls);
    return 0;
}
