/** tests/unit/esl_client_rig.h: a client and a scripted FreeSWITCH that listens, on one loop. */
#ifndef VA_ESL_CLIENT_RIG_H
#define VA_ESL_CLIENT_RIG_H

#include "base/buf.h"
#include "esl/client.h"
#include "net/tcp.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CRIG_UUID  "11111111-2222-3333-4444-555555555555"
#define CRIG_HELLO "Content-Type: auth/request\n\n"
#define CRIG_OK    "Content-Type: command/reply\nReply-Text: +OK accepted\n\n"
#define CRIG_REPLY "Content-Type: command/reply\nReply-Text: +OK\n\n"
#define CRIG_NOTICE                                                                                \
    "Content-Type: text/disconnect-notice\nContent-Length: 67\n\n"                                 \
    "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"

struct crig {
    struct loop *loop;
    struct tcp_listener *listener;
    struct tcp_conn *peer; /* the latest connection */
    struct esl_client *c;
    struct buf heard;        /* what the peer got, from the last crig_hears() on */
    struct buf log;          /* what the client reported, each followed by ';' */
    const char *close_after; /* close the client in the callback that logs this */
    bool bytewise;           /* say everything byte by byte */
    bool quiet;              /* events are counted, not logged */
    unsigned accepted;
    uint64_t events, lost;
    struct esl_down down; /* the last */
    char down_text[512];
    int next;
};

static bool crig_all_bytewise; /* second run of the suite */

static inline void crig_note(struct crig *g, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static inline void crig_note(struct crig *g, const char *fmt, ...)
{
    va_list ap;
    char line[600];
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    assert_int_equal(buf_addf(&g->log, "%s;", line), VA_OK);
    if (g->close_after && strstr(line, g->close_after))
        esl_client_close(&g->c);
}

static inline void crig_on_ready(void *arg, bool again)
{
    crig_note(arg, again ? "ready again" : "ready");
}

static inline void crig_on_down(void *arg, const struct esl_down *d)
{
    struct crig *g = arg;
    g->down = *d;
    (void)snprintf(g->down_text, sizeof(g->down_text), "%s", d->text);
    crig_note(g, "down %s %s%s%u", esl_why_text(d->why), d->was_ready ? "was ready " : "",
              d->final ? "final " : "", d->attempts);
}

static inline void crig_on_event(void *arg, const struct esl_event *ev)
{
    struct crig *g = arg;
    g->events++;
    if (!g->quiet)
        crig_note(g, "event %.*s", STR_ARG(esl_event_name(ev)));
}

static inline void crig_on_lost(void *arg, uint64_t n)
{
    struct crig *g = arg;
    g->lost += n;
    if (!g->quiet)
        crig_note(g, "lost %llu", (unsigned long long)n);
}

static inline void crig_on_log(void *arg, int level, struct str line)
{
    crig_note(arg, "log %d %.*s", level, STR_ARG(str_trim(line)));
}

static const struct esl_client_handlers crig_handlers = {crig_on_ready, crig_on_down, crig_on_event,
                                                         crig_on_lost, crig_on_log};

/* ---- results -------------------------------------------------------------------------------- */

struct crig_wait {
    struct crig *rig;
    char name[16];
};

static struct crig_wait crig_waits[4096];

static inline void crig_on_result(void *arg, const struct esl_result *r)
{
    struct crig_wait *w = arg;
    crig_note(w->rig, "%s %s %s%s%s[%.*s]", w->name, va_err_name(r->err), r->done ? "done" : "ok",
              r->why ? " " : "", r->why ? esl_why_text(r->why) : "", STR_ARG(str_trim(r->text)));
}

/* A handler that logs "rN VA_OK done[text]". */
static inline const struct esl_then *crig_then(struct crig *g, uint64_t timeout_ms)
{
    static struct esl_then then;
    struct crig_wait *w = &crig_waits[g->next % 4096];
    w->rig = g;
    (void)snprintf(w->name, sizeof(w->name), "r%d", g->next++);
    then = (struct esl_then){crig_on_result, w, timeout_ms};
    return &then;
}

/* ---- the scripted side ---------------------------------------------------------------------- */

static inline void crig_peer_open(void *arg)
{
    (void)arg;
}

static inline void crig_peer_read(void *arg, const char *p, size_t len)
{
    struct crig *g = arg;
    assert_int_equal(buf_add(&g->heard, p, len), VA_OK);
}

static inline void crig_peer_end(void *arg, enum va_err why)
{
    struct crig *g = arg;
    (void)why;
    tcp_close(&g->peer);
}

static const struct tcp_handlers crig_peer = {crig_peer_open, crig_peer_read, crig_peer_end};

static inline void crig_on_accept(void *arg, int fd, const struct net_addr *peer)
{
    struct crig *g = arg;
    (void)peer;
    tcp_close(&g->peer);
    buf_reset(&g->heard);
    g->accepted++;
    assert_int_equal(tcp_adopt(g->loop, fd, (size_t)256 << 20, &crig_peer, g, &g->peer), VA_OK);
}

static inline void crig_turn_until(struct crig *g, const bool *flag)
{
    while (!*flag)
        loop_turn(g->loop, true);
}

static inline void crig_says(struct crig *g, const char *text)
{
    size_t len = strlen(text), step = g->bytewise ? 1 : len;
    for (size_t at = 0; at < len && g->peer; at += step) {
        assert_int_equal(tcp_write(g->peer, text + at, step), VA_OK);
        for (int i = 0; g->bytewise && i < 2; i++)
            loop_turn(g->loop, false);
    }
}

static inline void crig_says_event(struct crig *g, const char *body)
{
    char head[100];
    (void)snprintf(head, sizeof(head), "Content-Length: %zu\nContent-Type: text/event-plain\n\n",
                   strlen(body));
    crig_says(g, head);
    crig_says(g, body);
}

/* Turn until the peer got `text`; what came up to it is gone then. */
static inline void crig_hears(struct crig *g, const char *text)
{
    const char *at;
    while (!g->heard.len || !(at = memmem(g->heard.p, g->heard.len, text, strlen(text))))
        loop_turn(g->loop, true);
    buf_consume(&g->heard, (size_t)(at - g->heard.p) + strlen(text));
}

/* All the peer got since, now that it heard `text`, which ends it. */
static inline void crig_heard_is(struct crig *g, const char *want)
{
    while (g->heard.len < strlen(want))
        loop_turn(g->loop, true);
    assert_string_equal(buf_z(&g->heard), want);
    buf_reset(&g->heard);
}

/* Value of a header in the next command the peer hears: up to the line end. */
static inline void crig_hears_value(struct crig *g, const char *header, char *out, size_t cap)
{
    crig_hears(g, header);
    const char *nl;
    while (!g->heard.len || !(nl = memchr(g->heard.p, '\n', g->heard.len)))
        loop_turn(g->loop, true);
    (void)str_copy(out, cap, str_make(g->heard.p, (size_t)(nl - g->heard.p)));
}

static inline void crig_sees(struct crig *g, const char *text)
{
    while (!strstr(buf_z(&g->log), text))
        loop_turn(g->loop, true);
}

static inline void crig_forget_log(struct crig *g)
{
    buf_reset(&g->log);
}

static inline void crig_log_is(struct crig *g, const char *want)
{
    assert_string_equal(buf_z(&g->log), want);
}

static inline void crig_peer_closes(struct crig *g)
{
    tcp_close_flush(&g->peer);
}

/* ---- life ----------------------------------------------------------------------------------- */

/* Listens; the client is opened by crig_open(). clock: NULL is the system's. */
static inline struct crig *crig_new_with(const struct va_clock *clock)
{
    struct crig *g = calloc(1, sizeof(*g));
    struct net_addr addr;
    assert_int_equal(loop_new(clock, 0, &g->loop), VA_OK);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &addr), VA_OK);
    assert_int_equal(tcp_listen(g->loop, &addr, crig_on_accept, g, &g->listener, NULL), VA_OK);
    buf_init(&g->heard, (size_t)64 << 20);
    buf_init(&g->log, (size_t)64 << 20);
    g->bytewise = crig_all_bytewise;
    (void)alarm(120); /* a script that waits for what never comes */
    return g;
}

static inline struct crig *crig_new(void)
{
    return crig_new_with(NULL);
}

static inline uint16_t crig_port(const struct crig *g)
{
    struct net_addr addr;
    tcp_listener_addr(g->listener, &addr);
    return net_addr_port(&addr);
}

/* cfg: NULL, or everything but host and port. Pauses are short unless it says otherwise. */
static inline void crig_open(struct crig *g, const struct esl_client_cfg *cfg)
{
    struct esl_client_cfg full = cfg ? *cfg : (struct esl_client_cfg){0};
    full.host = "127.0.0.1";
    full.port = full.port ? full.port : crig_port(g);
    if (!full.reconnect_delay_ms)
        full.reconnect_delay_ms = 5;
    if (!full.queue.slice_us) /* however slow the machine is, nothing has to wait */
        full.queue.slice_us = 60000000;
    assert_int_equal(esl_client_open(g->loop, &full, &crig_handlers, g, &g->c), VA_OK);
}

static inline void crig_log_in(struct crig *g)
{
    unsigned before = g->accepted;
    while (g->accepted == before && !g->peer)
        loop_turn(g->loop, true);
    crig_says(g, CRIG_HELLO);
    crig_hears(g, "auth ClueCon\n\n");
    crig_says(g, CRIG_OK);
}

static inline struct crig *crig_ready(const struct esl_client_cfg *cfg)
{
    struct crig *g = crig_new();
    crig_open(g, cfg);
    crig_log_in(g);
    crig_sees(g, "ready;");
    crig_forget_log(g);
    return g;
}

static inline void crig_free(struct crig *g)
{
    esl_client_close(&g->c);
    tcp_close(&g->peer);
    tcp_listener_close(&g->listener);
    loop_free(&g->loop);
    buf_free(&g->heard);
    buf_free(&g->log);
    free(g);
}

#endif
