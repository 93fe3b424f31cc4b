/*
 * Calls on one worker, each with a conversation over TLS and its leg's datagrams, two-way, 20 ms
 * frames of G.711, the real driver, real sockets; and the floor: the same number of datagrams and
 * TLS records of the same size with nothing around them.
 *
 *     thread "server":  caller's datagram ─► ┌──────────── worker ───────────┐ ─► append (TLS)
 *                       µ-law delta (TLS) ─► │ provider, playout, clock, udp │ ─► datagram
 *                                            └───────────────────────────────┘
 *
 * openai_bench [calls] [seconds] [ms of audio per delta] [ms per append]. Calls per core: by the
 * worker thread's own CPU time, so that a machine shared with others tells the same.
 */
#include "ai/realtime/realtime.h"
#include "base/base64.h"
#include "base/buf.h"
#include "media/clock.h"
#include "media/g711.h"
#include "media/playout.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "net/udp.h"
#include "net/ws.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    FRAME = 160,
    RING = 64,
    SAMPLES_MAX = 1 << 20,
    PARTS = 10 /* of 20 ms, in which calls have their turn: real ones keep no step either */,
    FLOOR_ROUNDS = 300,
    FLOOR_BATCH = 64
};

struct lat {
    uint32_t *us;
    size_t count;
};

struct conn { /* the server's side of a call */
    struct bench *b;
    struct ws_conn *ws;
    struct call *call; /* of the same number, known by the first append's arrival */
    bool speaking;
    uint64_t appends, deltas;
};

struct call {
    struct bench *b;
    struct provider *p;
    struct playout *playout;
    struct udp_sock *udp;
    struct net_addr addr;
    struct media_tick tick;
    bool ready, failed;
    uint64_t frames_in, audio_in, sounding;
    _Atomic uint64_t up_at[RING], down_at[RING];
    _Atomic bool open;
};

struct bench {
    size_t calls;
    unsigned delta_ms, append_ms;
    struct loop_thread *server;
    struct tcp_listener *listener;
    struct tls_ctx *server_tls, *client_tls;
    struct conn *conns;
    size_t conn_count;
    struct udp_sock *source, *sink; /* sender of the caller's frames; where ours go */
    struct net_addr sink_addr;
    struct tmr pace, caller;
    struct buf delta;
    struct loop *loop; /* the worker's: this thread's */
    struct media_clock *clock;
    struct call *call;
    struct settings settings;
    struct secretary *secretary;
    size_t ready, failed;
    _Atomic bool measuring, stop;
    struct lat up, down;
    uint64_t late_audio;
    char url[64], cert[64], key[64];
    uint64_t next_caller_us, next_pace_us;
    size_t caller_part, pace_part;
};

static uint64_t now_us(void)
{
    return clock_mono_us(&va_clock_system);
}

static uint64_t cpu_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "openai_bench: %s\n", what);
    exit(1);
}

static void must(enum va_err err, const char *what)
{
    if (err) {
        (void)fprintf(stderr, "openai_bench: %s: %s\n", what, va_err_text(err));
        exit(1);
    }
}

static void lat_add(struct lat *l, uint64_t us)
{
    if (l->count < SAMPLES_MAX)
        l->us[l->count++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void lat_print(const char *what, struct lat *l)
{
    if (!l->count)
        die("no audio came through");
    qsort(l->us, l->count, sizeof(*l->us), by_value);
    printf("%-42s p50 %.2f ms, p95 %.2f ms, p99 %.2f ms, max %.2f ms\n", what,
           l->us[l->count / 2] / 1e3, l->us[l->count * 95 / 100] / 1e3,
           l->us[l->count * 99 / 100] / 1e3, l->us[l->count - 1] / 1e3);
}

/* ---- a certificate for localhost
 * ------------------------------------------------------------------ */

static void write_cert(struct bench *b)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    (void)X509_set_version(x, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(x), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    (void)X509_set_pubkey(x, key);
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                     (const unsigned char *)"localhost", -1, -1, 0);
    (void)X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    (void)X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    (void)X509_sign(x, key, EVP_sha256());
    (void)snprintf(b->cert, sizeof(b->cert), "/tmp/openai_bench.%d.pem", getpid());
    (void)snprintf(b->key, sizeof(b->key), "/tmp/openai_bench.%d.key", getpid());
    FILE *cert = fopen(b->cert, "we"), *secret = fopen(b->key, "we");
    if (!cert || !secret || !PEM_write_X509(cert, x) ||
        !PEM_write_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL))
        die("cannot write a certificate to /tmp");
    (void)fclose(cert);
    (void)fclose(secret);
    X509_free(x);
    EVP_PKEY_free(key);
    struct tls_client_cfg cfg = {.ca_file = b->cert};
    must(tls_server_ctx_new(b->cert, b->key, &b->server_tls, NULL), "server's TLS");
    must(tls_client_ctx_new(&cfg, &b->client_tls, NULL), "client's TLS");
}

/* ---- the server's thread
 * --------------------------------------------------------------------------- */

static void say(struct conn *c, const char *text)
{
    (void)!ws_send(c->ws, WS_TEXT, text, strlen(text));
}

static void on_server_open(void *arg, struct str subprotocol)
{
    (void)subprotocol;
    say(arg, "{\"type\":\"session.created\",\"session\":{}}");
}

static bool has(const char *p, size_t len, const char *what)
{
    size_t n = strlen(what);
    return memmem(p, len < 120 ? len : 120, what, n) != NULL;
}

static void on_append(struct conn *c)
{
    c->appends += c->b->append_ms / 20; /* the last of its frames is as old as the append */
    uint64_t at = atomic_load(&c->call->up_at[(c->appends - 1) % RING]);
    if (atomic_load(&c->b->measuring) && at)
        lat_add(&c->b->up, now_us() - at);
}

/* Which call this is: its place in the model's name. */
static struct ws_reply on_server_request(void *arg, const struct ws_request *r)
{
    struct conn *c = arg;
    uint64_t number = 0;
    struct str q = r->query;
    (void)str_cut(&q, '=');
    if (str_to_u64(q, &number) || number >= c->b->calls)
        return (struct ws_reply){404, NULL, "which call?"};
    c->call = &c->b->call[number];
    return (struct ws_reply){101, NULL, NULL};
}

static void on_server_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    (void)kind;
    struct conn *c = arg;
    if (has(p, len, "input_audio_buffer.append"))
        on_append(c);
    else if (has(p, len, "\"session.update\""))
        say(c, "{\"type\":\"session.updated\",\"session\":{}}");
    else if (has(p, len, "\"response.create\"")) {
        say(c, "{\"type\":\"response.created\",\"response\":{\"id\":\"resp_0123456789abcdef\"}}");
        c->speaking = true;
    }
}

static void on_server_closed(void *arg, const struct ws_end *end)
{
    (void)end;
    struct conn *c = arg;
    c->speaking = false;
    ws_free(&c->ws);
}

static const struct ws_handlers server_handlers = {.on_request = on_server_request,
                                                   .on_open = on_server_open,
                                                   .on_message = on_server_message,
                                                   .on_closed = on_server_closed};

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    (void)peer;
    struct bench *b = arg;
    if (b->conn_count == b->calls)
        die("more connections than calls");
    struct conn *c = &b->conns[b->conn_count++];
    struct ws_cfg cfg = {.tls = b->server_tls, .utf8_unchecked = true};
    c->b = b;
    must(ws_accept(loop_thread_loop(b->server), fd, str_make(NULL, 0), &cfg, &server_handlers, c,
                   &c->ws),
         "accept");
}

static void again(struct bench *b, struct tmr *t, uint64_t *next, unsigned ms, void (*fire)(void *))
{
    uint64_t now = now_us();
    *next = *next ? *next + (uint64_t)ms * 1000 : now + (uint64_t)ms * 1000;
    tmr_start(t, loop_thread_loop(b->server), *next > now ? (*next - now + 500) / 1000 : 0, fire,
              b);
}

static void on_pace(void *arg)
{
    struct bench *b = arg;
    for (size_t i = b->pace_part; i < b->conn_count; i += PARTS) {
        struct conn *c = &b->conns[i];
        if (!c->speaking || !c->ws)
            continue;
        atomic_store(&c->call->down_at[c->deltas++ % RING], now_us());
        (void)!ws_send(c->ws, WS_TEXT, b->delta.p, b->delta.len);
    }
    b->pace_part = (b->pace_part + 1) % PARTS;
    if (!atomic_load(&b->stop))
        again(b, &b->pace, &b->next_pace_us, b->delta_ms / PARTS, on_pace);
}

/* The callers' datagrams; each begins with when it was sent. */
static void on_caller(void *arg)
{
    static int16_t frame[FRAME];
    struct bench *b = arg;
    for (size_t i = b->caller_part; i < b->calls; i += PARTS) {
        uint64_t at = now_us();
        memcpy(frame, &at, sizeof(at));
        if (atomic_load(&b->call[i].open))
            (void)udp_send(b->source, &b->call[i].addr, frame, sizeof(frame));
    }
    b->caller_part = (b->caller_part + 1) % PARTS;
    if (!atomic_load(&b->stop))
        again(b, &b->caller, &b->next_caller_us, 20 / PARTS, on_caller);
}

static void ignore(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    (void)arg;
    (void)from;
    (void)p;
    (void)len;
}

static void make_delta(struct bench *b)
{
    size_t n = (size_t)b->delta_ms * 8;
    uint8_t *codes = malloc(n);
    char *text = malloc(base64_encoded_len(n));
    for (size_t i = 0; i < n; i++)
        codes[i] = g711_ulaw_encode((int16_t)(i % 40 * 300 - 6000));
    size_t len = base64_encode(codes, n, text);
    buf_init(&b->delta, 1 << 16);
    (void)buf_addf(
        &b->delta,
        "{\"type\":\"response.output_audio.delta\",\"event_id\":\"event_0123456789abcdef\","
        "\"response_id\":\"resp_0123456789abcdef\",\"item_id\":\"item_0123456789abcdef\","
        "\"output_index\":0,\"content_index\":0,\"delta\":\"%.*s\"}",
        (int)len, text);
    free(codes);
    free(text);
}

struct begin {
    struct mail mail;
    struct bench *b;
};

static void on_begin(struct mail *mail)
{
    struct bench *b = container_of(mail, struct begin, mail)->b;
    struct loop *loop = loop_thread_loop(b->server);
    struct net_addr any;
    must(net_addr_parse("127.0.0.1", 0, &any), "address");
    must(tcp_listen(loop, &any, on_accept, b, &b->listener, NULL), "listen");
    struct net_addr at;
    tcp_listener_addr(b->listener, &at);
    must(udp_open(loop, &any, ignore, b, &b->source), "UDP");
    must(udp_open(loop, &any, ignore, b, &b->sink), "UDP");
    must(net_addr_parse("127.0.0.1", udp_port(b->sink), &b->sink_addr), "address");
    (void)snprintf(b->url, sizeof(b->url), "https://localhost:%u/v1", net_addr_port(&at));
    again(b, &b->pace, &b->next_pace_us, b->delta_ms / PARTS, on_pace);
    again(b, &b->caller, &b->next_caller_us, 20 / PARTS, on_caller);
    free(container_of(mail, struct begin, mail));
    atomic_store(&b->measuring, true); /* as a signal that the server is up */
}

static void on_finish(struct mail *mail)
{
    struct begin *m = container_of(mail, struct begin, mail);
    struct bench *b = m->b;
    tmr_stop(&b->pace);
    tmr_stop(&b->caller);
    for (size_t i = 0; i < b->conn_count; i++)
        ws_free(&b->conns[i].ws);
    tcp_listener_close(&b->listener);
    udp_close(&b->source);
    udp_close(&b->sink);
    free(m);
}

static void post(struct bench *b, void (*deliver)(struct mail *))
{
    struct begin *m = calloc(1, sizeof(*m));
    m->b = b;
    m->mail.deliver = deliver;
    loop_reply(loop_thread_loop(b->server), &m->mail);
}

/* ---- the worker
 * ------------------------------------------------------------------------------------ */

static void on_ready(void *arg)
{
    struct call *c = arg;
    c->ready = true;
    c->b->ready++;
}

static void on_answer(void *arg, uint32_t answer, unsigned flags)
{
    (void)arg;
    (void)answer;
    (void)flags;
}

static void on_audio(void *arg, uint32_t answer, struct pcm *audio)
{
    struct call *c = arg;
    uint64_t at = atomic_load(&c->down_at[c->audio_in++ % RING]);
    if (atomic_load(&c->b->measuring) && at)
        lat_add(&c->b->down, now_us() - at);
    if (playout_write_shared(c->playout, answer, audio))
        c->b->late_audio++;
}

static void on_answer_done(void *arg, uint32_t answer)
{
    (void)arg;
    (void)answer;
}

static void on_transcript(void *arg, enum speaker who, uint32_t answer, const char *text)
{
    (void)arg;
    (void)who;
    (void)answer;
    (void)text;
}

static void on_speech(void *arg, enum turn_phase phase)
{
    (void)arg;
    (void)phase;
}

static void on_tool(void *arg, const struct tool_call *tool)
{
    (void)arg;
    (void)tool;
}

static void on_failed(void *arg, enum va_err why, const char *text)
{
    struct call *c = arg;
    if (!c->b->failed++)
        (void)fprintf(stderr, "a conversation failed: %s: %s\n", va_err_text(why), text);
    c->failed = true;
}

static const struct provider_handlers handlers = {
    .on_ready = on_ready,
    .on_answer = on_answer,
    .on_audio = on_audio,
    .on_answer_done = on_answer_done,
    .on_transcript = on_transcript,
    .on_speech = on_speech,
    .on_tool = on_tool,
    .on_failed = on_failed,
};

static void on_datagram(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    (void)from;
    struct call *c = arg;
    if (!c->ready || c->failed)
        return;
    uint64_t at = 0;
    if (len >= sizeof(at))
        memcpy(&at, p, sizeof(at));
    atomic_store(&c->up_at[c->frames_in++ % RING], at);
    provider_openai.audio_in(c->p, p, len / 2);
}

static void on_tick(void *arg, uint64_t at_us)
{
    (void)at_us;
    struct call *c = arg;
    int16_t frame[FRAME];
    c->sounding += playout_next(c->playout, frame, FRAME) == FRAME;
    (void)udp_send(c->udp, &c->b->sink_addr, frame, sizeof(frame));
}

static void open_call(struct bench *b, size_t number)
{
    struct call *c = &b->call[number];
    struct provider_env env = {.tls = b->client_tls};
    static struct provider_env shared;
    shared = env;
    struct provider_cfg cfg = {.loop = b->loop,
                               .env = &shared,
                               .secretary = b->secretary,
                               .rate_hz = 8000,
                               .settings = &b->settings};
    c->b = b;
    (void)snprintf(b->settings.openai_model, SETTING_TEXT_MAX, "%zu", number);
    struct net_addr any;
    must(net_addr_parse("127.0.0.1", 0, &any), "address");
    must(udp_open(b->loop, &any, on_datagram, c, &c->udp), "UDP");
    must(net_addr_parse("127.0.0.1", udp_port(c->udp), &c->addr), "address");
    must(playout_new(8000, 0, NULL, NULL, &c->playout), "playout");
    must(provider_openai.open(&cfg, &handlers, c, &c->p), "open");
    must(media_clock_join(b->clock, &c->tick, 20, on_tick, c), "clock");
    atomic_store(&c->open, true);
}

static void on_time(void *arg)
{
    *(bool *)arg = true;
}

static void run_for(struct bench *b, uint64_t ms)
{
    bool over = false;
    struct tmr t = {0};
    tmr_start(&t, b->loop, ms, on_time, &over);
    while (!over)
        loop_turn(b->loop, true);
}

static void open_all(struct bench *b)
{
    for (size_t i = 0; i < b->calls; i++) {
        open_call(b, i);
        while (b->ready + b->failed < i / 16 * 16) /* at most 16 handshakes at once */
            loop_turn(b->loop, true);
    }
    while (b->ready + b->failed < b->calls)
        loop_turn(b->loop, true);
    for (size_t i = 0; i < b->calls; i++)
        if (b->call[i].ready)
            provider_openai.say(b->call[i].p, SAY_STILL_THERE);
}

static void close_all(struct bench *b)
{
    for (size_t i = 0; i < b->calls; i++) {
        struct call *c = &b->call[i];
        media_clock_leave(&c->tick);
        provider_openai.close(&c->p);
        udp_close(&c->udp);
        playout_free(&c->playout);
    }
    run_for(b, 50);
}

/* ---- the floor
 * -------------------------------------------------------------------------------------- */

static int connected_pair(int fd[2])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l < 0 || bind(l, (struct sockaddr *)&a, len) || listen(l, 1) ||
        getsockname(l, (struct sockaddr *)&a, &len))
        return -1;
    fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd[0] < 0 || connect(fd[0], (struct sockaddr *)&a, len))
        return -1;
    fd[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
    (void)close(l);
    return fd[1] < 0 ? -1 : 0;
}

static void shake(void *arg)
{
    (void)SSL_accept(arg);
}

struct tls_pair {
    SSL *client, *server;
    int fd[2];
};

static void tls_pair_open(SSL_CTX *server, SSL_CTX *client, struct tls_pair *p)
{
    if (connected_pair(p->fd))
        die("no socket pair");
    p->server = SSL_new(server);
    p->client = SSL_new(client);
    (void)SSL_set_fd(p->client, p->fd[0]);
    (void)SSL_set_fd(p->server, p->fd[1]);
    uv_thread_t t;
    (void)uv_thread_create(&t, shake, p->server);
    if (SSL_connect(p->client) != 1)
        die("no TLS pair");
    (void)uv_thread_join(&t);
}

/* A record of that size written and one read on each of FLOOR_BATCH connections by turns, a system
 * call each: [us] of CPU per record. */
static void floor_tls(const struct bench *b, size_t len, double *write_us, double *read_us)
{
    SSL_CTX *server = SSL_CTX_new(TLS_server_method()), *client = SSL_CTX_new(TLS_client_method());
    (void)SSL_CTX_use_certificate_file(server, b->cert, SSL_FILETYPE_PEM);
    (void)SSL_CTX_use_PrivateKey_file(server, b->key, SSL_FILETYPE_PEM);
    SSL_CTX_set_read_ahead(server, 1);
    static struct tls_pair pair[FLOOR_BATCH];
    for (int k = 0; k < FLOOR_BATCH; k++)
        tls_pair_open(server, client, &pair[k]);
    char *p = calloc(1, len), *q = malloc(len);
    uint64_t wrote = 0, read_ = 0, at;
    for (int i = 0; i < FLOOR_ROUNDS; i++) {
        at = cpu_us();
        for (int k = 0; k < FLOOR_BATCH; k++)
            (void)SSL_write(pair[k].client, p, (int)len);
        wrote += cpu_us() - at;
        at = cpu_us();
        for (int k = 0; k < FLOOR_BATCH; k++)
            (void)SSL_read(pair[k].server, q, (int)len);
        read_ += cpu_us() - at;
    }
    *write_us = (double)wrote / (FLOOR_ROUNDS * FLOOR_BATCH);
    *read_us = (double)read_ / (FLOOR_ROUNDS * FLOOR_BATCH);
    for (int k = 0; k < FLOOR_BATCH; k++) {
        SSL_free(pair[k].server);
        SSL_free(pair[k].client);
        (void)close(pair[k].fd[0]);
        (void)close(pair[k].fd[1]);
    }
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    free(p);
    free(q);
}

static void floor_udp(double *send_us, double *recv_us)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int to = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (to < 0 || from < 0 || bind(to, (struct sockaddr *)&a, len) ||
        getsockname(to, (struct sockaddr *)&a, &len))
        die("no UDP");
    char p[320] = {0};
    uint64_t sent = 0, got = 0, at;
    for (int i = 0; i < FLOOR_ROUNDS; i++) {
        at = cpu_us();
        for (int k = 0; k < FLOOR_BATCH; k++)
            (void)!sendto(from, p, sizeof(p), 0, (struct sockaddr *)&a, len);
        sent += cpu_us() - at;
        at = cpu_us();
        for (int k = 0; k < FLOOR_BATCH; k++)
            (void)!recv(to, p, sizeof(p), MSG_DONTWAIT);
        got += cpu_us() - at;
    }
    *send_us = (double)sent / (FLOOR_ROUNDS * FLOOR_BATCH);
    *recv_us = (double)got / (FLOOR_ROUNDS * FLOOR_BATCH);
    (void)close(to);
    (void)close(from);
}

static double print_floor(const struct bench *b)
{
    double up_w, up_r, down_w, down_r, udp_s, udp_r;
    size_t append = 50 + base64_encoded_len((size_t)b->append_ms * 8);
    floor_tls(b, append, &up_w, &up_r);
    floor_tls(b, b->delta.len + 4, &down_w, &down_r);
    floor_udp(&udp_s, &udp_r);
    double down = down_r * 20 / b->delta_ms, up = up_w * 20 / b->append_ms;
    double sum = udp_s + udp_r + up + down;
    printf("floor per call and 20 ms: datagram out %.1f + in %.1f, TLS record out %.1f + in %.1f "
           "= %.1f us: %.0f calls per core\n",
           udp_s, udp_r, up, down, sum, 20000 / sum);
    return sum;
}

/* ---- run
 * -------------------------------------------------------------------------------------------- */

static void raise_descriptors(void)
{
    struct rlimit r;
    (void)getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = r.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &r);
}

static void begin(struct bench *b)
{
    char *none[] = {NULL};
    must(settings_load("/dev/null", none, &b->settings, NULL), "settings");
    (void)str_copy(b->settings.openai_api_key, SETTING_TEXT_MAX, str_of("sk-bench"));
    b->settings.ai_connect_timeout_ms = 60000;
    b->settings.ai_packet_ms = b->append_ms;
    must(secretary_new(&b->secretary), "secretary");
    must(loop_new(NULL, 0, &b->loop), "loop");
    (void)thread_set_priority(THREAD_REALTIME); /* both as call/server.c's workers */
    loop_set_pace(b->loop, 1000);
    must(media_clock_new(b->loop, &b->clock), "clock");
    b->call = calloc(b->calls, sizeof(*b->call));
    b->conns = calloc(b->calls, sizeof(*b->conns));
    b->up.us = malloc(SAMPLES_MAX * sizeof(uint32_t));
    b->down.us = malloc(SAMPLES_MAX * sizeof(uint32_t));
    if (!b->call || !b->conns || !b->up.us || !b->down.us)
        die("out of memory");
    make_delta(b);
    write_cert(b);
    must(loop_thread_start("server", NULL, &b->server), "thread");
    post(b, on_begin);
    while (!atomic_load(&b->measuring))
        run_for(b, 1);
    atomic_store(&b->measuring, false);
    (void)str_copy(b->settings.openai_base_url, SETTING_TEXT_MAX, str_of(b->url));
}

static uint64_t total(const struct bench *b, bool out)
{
    uint64_t n = 0;
    for (size_t i = 0; i < b->calls; i++)
        n += out ? b->call[i].audio_in : b->call[i].frames_in;
    return n;
}

static void measure(struct bench *b, unsigned seconds, double floor_us)
{
    run_for(b, 1000);
    atomic_store(&b->measuring, true);
    uint64_t wall = now_us(), cpu = cpu_us(), frames = total(b, false), pieces = total(b, true);
    run_for(b, (uint64_t)seconds * 1000);
    wall = now_us() - wall;
    cpu = cpu_us() - cpu;
    atomic_store(&b->measuring, false);
    frames = total(b, false) - frames;
    pieces = (total(b, true) - pieces) * b->delta_ms / 20;
    /* What was carried, not what was asked for: on a busy machine the server may not keep up. */
    double per = (double)cpu * 2 / (double)(frames + pieces);
    double load = (double)cpu / (double)wall;
    double due = (double)b->calls * (double)wall / 20000;
    printf("%zu calls, two-way, appends of %u, deltas of %u ms: %.0f %% of a core, %.1f us per "
           "call and 20 ms "
           "(floor x %.2f): %.0f calls per core; carried %.0f %% in, %.0f %% out\n",
           b->calls, b->append_ms, b->delta_ms, load * 100, per, per / floor_us, 20000 / per,
           100.0 * (double)frames / due, 100.0 * (double)pieces / due);
    lat_print("caller's datagram sent -> append at the server", &b->up);
    lat_print("delta sent -> audio in the playout", &b->down);
    printf("failed %zu, audio refused %" PRIu64 "\n", b->failed, b->late_audio);
}

int main(int argc, char **argv)
{
    static struct bench b;
    uint64_t n = 500, seconds = 5, delta = 20, append = 20;
    if ((argc > 1 && str_to_u64(str_of(argv[1]), &n)) ||
        (argc > 2 && str_to_u64(str_of(argv[2]), &seconds)) ||
        (argc > 3 && str_to_u64(str_of(argv[3]), &delta)) ||
        (argc > 4 && str_to_u64(str_of(argv[4]), &append)) || !n || n > 20000 || !seconds ||
        delta < 20 || delta > 1000 || delta % PARTS || append % 20 || !append || append > 100)
        die("usage: openai_bench [calls] [seconds] [ms per delta] [ms per append]");
    b.calls = n;
    b.delta_ms = (unsigned)delta;
    b.append_ms = (unsigned)append;
    log_set_level(getenv("BENCH_DEBUG") ? LOG_DEBUG : LOG_ERROR);
    raise_descriptors();
    begin(&b);
    double floor_us = print_floor(&b);
    open_all(&b);
    measure(&b, (unsigned)seconds, floor_us);
    atomic_store(&b.stop, true);
    close_all(&b);
    post(&b, on_finish);
    loop_thread_stop(&b.server);
    media_clock_free(&b.clock);
    loop_free(&b.loop);
    tls_ctx_free(&b.client_tls);
    tls_ctx_free(&b.server_tls);
    (void)unlink(b.cert);
    (void)unlink(b.key);
    return b.failed ? 1 : 0;
}
