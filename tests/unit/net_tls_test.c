/* net/tls through net/stream: whose certificate, resumption, damage, threads. */
#include "net/loop.h"
#include "net/stream.h"
#include "net/tcp.h"
#include "net/tls_int.h"

#include "unit/tls_certs.h"

#include <pthread.h>
#include <sys/socket.h>

/* ---- certificates of the whole program ------------------------------------------------------ */

static struct {
    struct cert ca, good, other, ip, expired, future, self, chained, middle;
} pki;

static int make_pki(void **state)
{
    (void)state;
    const struct cert_want ca = {"ca", NULL, true, -10, 30};
    const struct cert_want middle = {"middle", NULL, true, -10, 30};
    const struct cert_want good = {"good", "DNS:localhost,DNS:*.lab.test", false, -1, 30};
    const struct cert_want other = {"other", "DNS:a.example,DNS:b.example", false, -1, 30};
    const struct cert_want ip = {"ip", "IP:127.0.0.1", false, -1, 30};
    const struct cert_want expired = {"expired", "DNS:localhost", false, -9, -1};
    const struct cert_want future = {"future", "DNS:localhost", false, 2, 9};
    const struct cert_want self = {"self", "DNS:localhost", false, -1, 30};
    const struct cert_want chained = {"chained", "DNS:localhost", false, -1, 30};
    pki.ca = cert_make(&ca, NULL);
    pki.middle = cert_make(&middle, &pki.ca);
    pki.good = cert_make(&good, &pki.ca);
    pki.other = cert_make(&other, &pki.ca);
    pki.ip = cert_make(&ip, &pki.ca);
    pki.expired = cert_make(&expired, &pki.ca);
    pki.future = cert_make(&future, &pki.ca);
    pki.self = cert_make(&self, NULL);
    pki.chained = cert_make(&chained, &pki.middle);
    return 0;
}

static int remove_pki(void **state)
{
    struct cert *all[] = {&pki.ca,     &pki.good, &pki.other,   &pki.ip,    &pki.expired,
                          &pki.future, &pki.self, &pki.chained, &pki.middle};
    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        cert_free(all[i]);
    certs_remove();
    return 0;
}

static struct tls_ctx *client_ctx(bool insecure)
{
    struct tls_ctx *ctx = NULL;
    struct va_fault fault = {VA_OK, ""};
    const struct tls_client_cfg cfg = {
        .ca_file = pki.ca.cert_file, .insecure = insecure, .ca_setting = "LAB_CA_FILE"};
    if (tls_client_ctx_new(&cfg, &ctx, &fault))
        fail_msg("%s", fault.text);
    return ctx;
}

static struct tls_ctx *server_ctx(const struct cert *c)
{
    struct tls_ctx *ctx = NULL;
    struct va_fault fault = {VA_OK, ""};
    if (tls_server_ctx_new(c->cert_file, c->key_file, &ctx, &fault))
        fail_msg("%s", fault.text);
    return ctx;
}

/* ---- two streams ---------------------------------------------------------------------------- */

struct end {
    struct stream *s;
    unsigned opens, ends;
    size_t bytes, records;
    uint32_t sum;
    struct va_fault why;
    bool echo;
};

struct pair {
    struct loop *loop;
    struct tcp_listener *listener;
    struct net_addr addr;
    struct stream_cfg server_cfg;
    struct end client, server;
};

static void on_open(void *arg)
{
    ((struct end *)arg)->opens++;
}

static void on_read(void *arg, char *p, size_t len)
{
    struct end *e = arg;
    e->bytes += len;
    e->records++;
    for (size_t i = 0; i < len; i++)
        e->sum = e->sum * 31 + (unsigned char)p[i];
    if (e->echo)
        assert_int_equal(stream_write(e->s, p, len), VA_OK);
    memset(p, 0, len); /* it is ours */
}

static void on_drain(void *arg)
{
    (void)arg;
}

static void on_end(void *arg, const struct va_fault *why)
{
    struct end *e = arg;
    e->ends++;
    e->why = *why;
    assert_true(why->code && why->text[0]);
    stream_close_flush(&e->s);
}

static const struct stream_handlers handlers = {on_open, on_read, on_drain, on_end};

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    struct pair *p = arg;
    (void)peer;
    assert_int_equal(stream_adopt(p->loop, fd, (struct str){NULL, 0}, &p->server_cfg, &handlers,
                                  &p->server, &p->server.s),
                     VA_OK);
}

static void pair_open(struct pair *p, const struct tls_ctx *server)
{
    memset(p, 0, sizeof(*p));
    p->server_cfg = (struct stream_cfg){.timeout_ms = 5000, .out_max = 1 << 22, .tls = server};
    p->server.echo = true;
    assert_int_equal(loop_new(NULL, 0, &p->loop), VA_OK);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &p->addr), VA_OK);
    assert_int_equal(tcp_listen(p->loop, &p->addr, on_accept, p, &p->listener, NULL), VA_OK);
    tcp_listener_addr(p->listener, &p->addr);
}

static void pair_start(struct pair *p, const char *host, const struct tls_ctx *client)
{
    const struct stream_cfg cfg = {.timeout_ms = 5000, .out_max = 1 << 22, .tls = client};
    assert_int_equal(stream_connect(p->loop, host, net_addr_port(&p->addr), &cfg, &handlers,
                                    &p->client, &p->client.s),
                     VA_OK);
}

static void pair_connect(struct pair *p, const char *host, const struct tls_ctx *client)
{
    pair_start(p, host, client);
    while (!p->client.opens && !p->client.ends)
        loop_turn(p->loop, true);
}

static void pair_close(struct pair *p)
{
    stream_close(&p->client.s);
    stream_close(&p->server.s);
    tcp_listener_close(&p->listener);
    loop_free(&p->loop);
}

/* ---- whose certificate ---------------------------------------------------------------------- */

/* @param text  Part of the fault; NULL: it works */
static void expect(const struct cert *server_cert, const char *host, bool insecure, bool system,
                   const char *text)
{
    struct pair p;
    struct tls_ctx *client = client_ctx(insecure), *server = server_ctx(server_cert);
    const struct tls_ctx *ours = client;
    if (system)
        assert_int_equal(tls_client_ctx_default(&ours, NULL), VA_OK);
    pair_open(&p, server);
    pair_connect(&p, host, ours);
    if (!text && p.client.ends)
        fail_msg("%s", p.client.why.text);
    if (text &&
        (!p.client.ends || p.client.why.code != VA_EAUTH || !strstr(p.client.why.text, text)))
        fail_msg("%s, not: %s", p.client.why.text, text);
    if (text) { /* the server is told too, and nothing was said to it */
        while (!p.server.ends)
            loop_turn(p.loop, true);
        assert_int_equal(p.server.bytes, 0);
        assert_int_equal(p.client.opens, 0);
    }
    pair_close(&p);
    tls_ctx_free(&client);
    tls_ctx_free(&server);
}

static void a_certificate_must_be_valid_in_time_and_of_the_host(void **state)
{
    (void)state;
    expect(&pki.good, "localhost", false, false, NULL);
    expect(&pki.good, "LOCALHOST", false, false, NULL);
    expect(&pki.ip, "127.0.0.1", false, false, NULL);
    expect(&pki.good, "127.0.0.1", false, false, "another host (localhost, *.lab.test)");
    expect(&pki.ip, "localhost", false, false, "another host (it names none)");
    expect(&pki.other, "localhost", false, false, "another host (a.example, b.example)");
    expect(&pki.expired, "localhost", false, false, "has expired");
    expect(&pki.future, "localhost", false, false, "not valid yet");
    expect(&pki.self, "localhost", false, false, "self-signed and nobody vouches");
    expect(&pki.self, "localhost", false, false, "LAB_CA_FILE");
    expect(&pki.chained, "localhost", false, false, "does not send its chain");
    expect(&pki.good, "localhost", false, true, "authority unknown here");
}

static void a_lab_may_accept_anything(void **state)
{
    (void)state;
    expect(&pki.expired, "127.0.0.1", true, false, NULL);
    expect(&pki.self, "127.0.0.1", true, false, NULL);
}

static void a_chain_may_come_with_the_certificate(void **state)
{
    struct cert both = pki.chained;
    (void)state;
    (void)snprintf(both.cert_file, sizeof(both.cert_file), "%s/chain.pem", certs_dir);
    FILE *f = fopen(both.cert_file, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, pki.chained.x509), 1);
    assert_int_equal(PEM_write_X509(f, pki.middle.x509), 1);
    (void)fclose(f);
    expect(&both, "localhost", false, false, NULL);
    (void)unlink(both.cert_file);
}

/* ---- files that are none -------------------------------------------------------------------- */

static void files_that_do_not_fit_are_named(void **state)
{
    char locked[80], empty[80];
    struct tls_ctx *ctx = NULL;
    struct va_fault fault;
    (void)state;
    (void)snprintf(locked, sizeof(locked), "%s/locked.key", certs_dir);
    (void)snprintf(empty, sizeof(empty), "%s/empty", certs_dir);
    FILE *f = fopen(locked, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, pki.good.key, EVP_aes_128_cbc(),
                                          (const unsigned char *)"secret", 6, NULL, NULL),
                     1);
    (void)fclose(f);
    f = fopen(empty, "w");
    assert_non_null(f);
    (void)fclose(f);
    const struct {
        const char *cert, *key, *text;
    } rows[] = {
        {"/nowhere.pem", pki.good.key_file, "/nowhere.pem: "},
        {empty, pki.good.key_file, "/empty: "},
        {pki.good.cert_file, "/nowhere.key", "/nowhere.key: "},
        {pki.good.cert_file, pki.ca.key_file, "it must be the key of"},
        {pki.good.cert_file, locked, "without password"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(tls_server_ctx_new(rows[i].cert, rows[i].key, &ctx, &fault), VA_ECONFIG);
        if (!strstr(fault.text, rows[i].text))
            fail_msg("row %zu: %s", i, fault.text);
    }
    const struct tls_client_cfg cfg = {.ca_file = empty};
    assert_int_equal(tls_client_ctx_new(&cfg, &ctx, &fault), VA_ECONFIG);
    assert_non_null(strstr(fault.text, "/empty: "));
    (void)unlink(locked);
    (void)unlink(empty);
}

/* ---- not TLS at all ------------------------------------------------------------------------- */

static void whoever_does_not_speak_tls_is_told_apart(void **state)
{
    struct pair p;
    struct tls_ctx *client = client_ctx(false), *server = server_ctx(&pki.good);
    (void)state;
    pair_open(&p, NULL); /* echoes the client's own words */
    pair_connect(&p, "localhost", client);
    assert_int_equal(p.client.why.code, VA_EPROTO);
    assert_non_null(strstr(p.client.why.text, "does not speak TLS"));
    pair_close(&p);

    pair_open(&p, server);
    pair_connect(&p, "localhost", NULL);
    assert_int_equal(p.client.opens, 1);
    assert_int_equal(stream_write(p.client.s, "GET / HTTP/1.1\r\n\r\n", 18), VA_OK);
    while (!p.server.ends)
        loop_turn(p.loop, true);
    assert_int_equal(p.server.why.code, VA_EPROTO);
    assert_non_null(strstr(p.server.why.text, "does not speak TLS"));
    pair_close(&p);
    tls_ctx_free(&client);
    tls_ctx_free(&server);
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static void a_write_is_a_record(void **state)
{
    static char big[300000];
    struct pair p;
    struct tls_ctx *client = client_ctx(false), *server = server_ctx(&pki.good);
    (void)state;
    pair_open(&p, server);
    pair_connect(&p, "localhost", client);
    for (unsigned i = 1; i <= 20; i++) {
        assert_int_equal(stream_write(p.client.s, big, i * 100), VA_OK);
        while (p.client.bytes < i * (i + 1) / 2 * 100)
            loop_turn(p.loop, true);
    }
    assert_int_equal(p.server.records, 20);
    assert_int_equal(p.client.records, 20);
    p.client.bytes = 0;
    assert_int_equal(stream_write(p.client.s, big, sizeof(big)), VA_OK);
    while (p.client.bytes < sizeof(big))
        loop_turn(p.loop, true);
    assert_int_equal(stream_write(p.client.s, big, (1 << 22) + 1), VA_ELIMIT);
    stream_close_flush(&p.client.s); /* close_notify */
    while (!p.server.ends)
        loop_turn(p.loop, true);
    assert_int_equal(p.server.why.code, VA_ECLOSED);
    pair_close(&p);
    tls_ctx_free(&client);
    tls_ctx_free(&server);
}

/* One byte at a time in both directions, through a relay; and with one byte damaged. */
struct relay {
    struct loop *loop;
    struct net_addr to;
    struct tcp_conn *in, *out;
    size_t passed, damage; /* the how-many-th byte is changed; 0: none */
};

static void pass(struct relay *r, struct tcp_conn *to, const char *p, size_t len)
{
    for (size_t i = 0; i < len && to; i++) {
        char c = p[i];
        if (++r->passed == r->damage)
            c ^= 0x10;
        (void)!tcp_write(to, &c, 1);
    }
}

static void relay_open(void *arg)
{
    struct relay *r = arg;
    tcp_pause(r->in, false);
}

static void relay_in(void *arg, const char *p, size_t len)
{
    struct relay *r = arg;
    pass(r, r->out, p, len);
}

static void relay_out(void *arg, const char *p, size_t len)
{
    struct relay *r = arg;
    pass(r, r->in, p, len);
}

static void relay_end(void *arg, enum va_err why)
{
    struct relay *r = arg;
    (void)why;
    tcp_close_flush(&r->in);
    tcp_close_flush(&r->out);
}

static const struct tcp_handlers relay_ins = {relay_open, relay_in, relay_end};
static const struct tcp_handlers relay_outs = {relay_open, relay_out, relay_end};

static void relay_accept(void *arg, int fd, const struct net_addr *peer)
{
    struct relay *r = arg;
    (void)peer;
    assert_int_equal(tcp_adopt(r->loop, fd, 1 << 20, &relay_ins, r, &r->in), VA_OK);
    tcp_pause(r->in, true);
    assert_int_equal(tcp_connect(r->loop, &r->to, 5000, 1 << 20, &relay_outs, r, &r->out), VA_OK);
}

/* @return bytes that went through the relay */
static size_t through_relay(const struct tls_ctx *client, const struct tls_ctx *server,
                            size_t damage)
{
    struct pair p;
    struct relay r;
    struct tcp_listener *l = NULL;
    memset(&r, 0, sizeof(r));
    pair_open(&p, server);
    r.loop = p.loop;
    r.to = p.addr;
    r.damage = damage;
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &p.addr), VA_OK);
    assert_int_equal(tcp_listen(p.loop, &p.addr, relay_accept, &r, &l, NULL), VA_OK);
    tcp_listener_addr(l, &p.addr);
    pair_start(&p, "127.0.0.1", client);
    for (int idle = 0; p.client.bytes < 5 && !p.client.ends; idle++) {
        size_t before = r.passed;
        bool opened = p.client.opens;
        loop_turn(p.loop, false);
        if (p.client.opens && !opened)
            assert_int_equal(stream_write(p.client.s, "hello", 5), VA_OK);
        if (r.passed != before)
            idle = 0;
        if (damage && idle > 100) /* a wrong length: they would wait for ever */
            relay_end(&r, VA_OK);
    }
    assert_int_equal(p.client.ends, damage ? 1 : 0);
    assert_int_equal(p.client.bytes, damage ? 0 : 5);
    tcp_close(&r.in);
    tcp_close(&r.out);
    tcp_listener_close(&l);
    pair_close(&p);
    return r.passed;
}

static void records_may_come_in_any_pieces_but_not_damaged(void **state)
{
    struct tls_ctx *client = client_ctx(false), *server = server_ctx(&pki.ip);
    (void)state;
    size_t n = through_relay(client, server, 0);
    assert_true(n > 1000);
    (void)through_relay(client, server, 0); /* resumed */
    for (size_t at = 6; at < n - 100; at += 211) {
        struct tls_ctx *fresh = client_ctx(false);
        (void)through_relay(fresh, server, at);
        tls_ctx_free(&fresh);
    }
    tls_ctx_free(&client);
    tls_ctx_free(&server);
}

/* ---- sessions ------------------------------------------------------------------------------- */

static bool resumes(const struct tls_ctx *client, const struct tls_ctx *server, const char *host)
{
    struct pair p;
    pair_open(&p, server);
    pair_connect(&p, host, client);
    assert_int_equal(p.client.opens, 1);
    assert_int_equal(stream_write(p.client.s, "x", 1), VA_OK);
    while (!p.client.bytes) /* its ticket came before that */
        loop_turn(p.loop, true);
    bool resumed = stream_resumed(p.client.s);
    pair_close(&p);
    return resumed;
}

static void sessions_are_kept_by_host_and_bounded(void **state)
{
    struct tls_sessions *s = NULL;
    char host[20];
    (void)state;
    assert_int_equal(tls_sessions_new(&s), VA_OK);
    for (int i = 0; i <= TLS_SESSIONS_MAX; i++) {
        SSL_SESSION *session = SSL_SESSION_new();
        (void)snprintf(host, sizeof(host), "host%d", i);
        tls_sessions_put(s, host, 443, session);
        tls_sessions_put(s, host, 443, session); /* takes its own place */
        SSL_SESSION_free(session);
        assert_null(tls_sessions_get(s, host, 444));
    }
    assert_null(tls_sessions_get(s, "none", 443));
    tls_sessions_free(&s);
    tls_sessions_free(&s);
}

static void the_next_connection_is_resumed(void **state)
{
    struct pair p;
    struct tls_ctx *client = client_ctx(false), *server = server_ctx(&pki.good);
    (void)state;
    pair_open(&p, server);
    for (int i = 0; i < 3; i++) {
        pair_connect(&p, "localhost", client);
        assert_int_equal(p.client.opens, 1);
        assert_int_equal(stream_write(p.client.s, "x", 1), VA_OK);
        while (!p.client.bytes)
            loop_turn(p.loop, true);
        assert_int_equal(stream_resumed(p.client.s), i > 0);
        stream_close(&p.client.s);
        stream_close(&p.server.s);
        p.client = p.server = (struct end){.echo = false};
        p.server.echo = true;
    }
    pair_close(&p);
    assert_false(resumes(client, server, "localhost")); /* another port, another server */
    tls_ctx_free(&client);
    tls_ctx_free(&server);
}

/* ---- threads -------------------------------------------------------------------------------- */

struct worker {
    pthread_t thread;
    const struct tls_ctx *client, *server;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    struct pair p;
    pair_open(&p, w->server);
    for (int i = 0; i < 10; i++) {
        pair_connect(&p, "localhost", w->client);
        assert_int_equal(stream_write(p.client.s, "hello", 5), VA_OK);
        while (p.client.bytes < 5)
            loop_turn(p.loop, true);
        stream_close(&p.client.s);
        stream_close(&p.server.s);
        p.client = p.server = (struct end){.echo = false};
        p.server.echo = true;
    }
    pair_close(&p);
    return NULL;
}

static void a_context_serves_all_threads(void **state)
{
    enum { THREADS = 4 };
    struct worker w[THREADS];
    struct tls_ctx *client = client_ctx(false), *server = server_ctx(&pki.good);
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        w[i].client = client;
        w[i].server = server;
        assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(w[i].thread, NULL), 0);
    tls_ctx_free(&client);
    tls_ctx_free(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_must_be_valid_in_time_and_of_the_host),
        cmocka_unit_test(a_lab_may_accept_anything),
        cmocka_unit_test(a_chain_may_come_with_the_certificate),
        cmocka_unit_test(files_that_do_not_fit_are_named),
        cmocka_unit_test(whoever_does_not_speak_tls_is_told_apart),
        cmocka_unit_test(a_write_is_a_record),
        cmocka_unit_test(records_may_come_in_any_pieces_but_not_damaged),
        cmocka_unit_test(sessions_are_kept_by_host_and_bounded),
        cmocka_unit_test(the_next_connection_is_resumed),
        cmocka_unit_test(a_context_serves_all_threads),
    };
    return cmocka_run_group_tests_name("net_tls", tests, make_pki, remove_pki);
}
