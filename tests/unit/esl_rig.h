/** tests/unit/esl_rig.h: a session and a scripted FreeSWITCH on one loop, over a socket pair. */
#ifndef VA_ESL_RIG_H
#define VA_ESL_RIG_H

#include "base/buf.h"
#include "esl/session.h"
#include "net/tcp.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RIG_UUID  "11111111-2222-3333-4444-555555555555"
#define RIG_REPLY "Content-Type: command/reply\nReply-Text: +OK\n\n"
#define RIG_CONNECT                                                                                \
    "Event-Name: CHANNEL_DATA\nUnique-ID: " RIG_UUID "\nvariable_a: b%20c\n"                       \
    "Content-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: async\nControl: full\n\n"
#define RIG_BYE                                                                                    \
    "Content-Type: text/disconnect-notice\nContent-Disposition: disconnect\nContent-Length: 5\n\n" \
    "Bye.\n"
#define RIG_LINGER                                                                                 \
    "Content-Type: text/disconnect-notice\nContent-Disposition: linger\nLinger-Time: 2\n"          \
    "Content-Length: 0\n\n"

struct rig {
    struct loop *loop;
    struct tcp_conn *peer;
    struct esl_session *s;
    struct buf heard;        /* what the peer got, from the last rig_hears() on */
    struct buf log;          /* what the session reported, one word group per ';' */
    const char *close_after; /* close the session in the callback that logs this */
    bool peer_ended;
    int next;
};

static inline void rig_note(struct rig *g, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static inline void rig_note(struct rig *g, const char *fmt, ...)
{
    va_list ap;
    char line[600];
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    assert_int_equal(buf_addf(&g->log, "%s;", line), VA_OK);
    if (g->close_after && strstr(line, g->close_after))
        esl_session_close(&g->s);
}

static inline void rig_connected(void *arg, const struct esl_event *ev)
{
    rig_note(arg, "connected %.*s a=%.*s", STR_ARG(esl_event_uuid(ev)),
             STR_ARG(esl_event_var(ev, "a")));
}

static inline void rig_event(void *arg, const struct esl_event *ev)
{
    rig_note(arg, "event %.*s", STR_ARG(esl_event_name(ev)));
}

static inline void rig_notice(void *arg, enum esl_notice notice, struct str text)
{
    rig_note(arg, "notice %d %.*s", notice, STR_ARG(str_trim(text)));
}

static inline void rig_closed(void *arg, enum esl_why why)
{
    rig_note(arg, "closed %s", esl_why_text(why));
}

static const struct esl_session_handlers rig_handlers = {rig_connected, rig_event, NULL, rig_notice,
                                                         rig_closed};

/* A waiter with a name: logs "name VA_OK done text". */
struct rig_wait {
    struct rig *rig;
    char name[16];
};

static inline void rig_result(void *arg, const struct esl_result *r)
{
    struct rig_wait *w = arg;
    rig_note(w->rig, "%s %s %s%s[%.*s]", w->name, va_err_name(r->err), r->done ? "done" : "ok",
             r->why == ESL_WHY_HANGUP ? " hangup" : "", STR_ARG(r->text));
}

static struct rig_wait rig_waits[1024];

static inline const struct esl_then *rig_then(struct rig *g, uint64_t timeout_ms)
{
    static struct esl_then then;
    struct rig_wait *w = &rig_waits[g->next % 1024];
    w->rig = g;
    (void)snprintf(w->name, sizeof(w->name), "r%d", g->next++);
    then = (struct esl_then){rig_result, w, timeout_ms};
    return &then;
}

static inline void rig_peer_open(void *arg)
{
    (void)arg;
}

static inline void rig_peer_read(void *arg, const char *p, size_t len)
{
    struct rig *g = arg;
    assert_int_equal(buf_add(&g->heard, p, len), VA_OK);
}

static inline void rig_peer_end(void *arg, enum va_err why)
{
    struct rig *g = arg;
    (void)why;
    g->peer_ended = true;
}

static const struct tcp_handlers rig_peer = {rig_peer_open, rig_peer_read, rig_peer_end};

static inline struct rig *rig_new(const struct esl_session_cfg *cfg)
{
    struct rig *g = calloc(1, sizeof(*g));
    int fd[2];
    assert_int_equal(loop_new(NULL, 0, &g->loop), VA_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    buf_init(&g->heard, (size_t)64 << 20);
    buf_init(&g->log, (size_t)64 << 20);
    assert_int_equal(tcp_adopt(g->loop, fd[0], (size_t)64 << 20, &rig_peer, g, &g->peer), VA_OK);
    struct esl_session_cfg full = cfg ? *cfg : (struct esl_session_cfg){0};
    if (!full.queue.slice_us) /* however slow the machine is, nothing has to wait */
        full.queue.slice_us = 60000000;
    assert_int_equal(esl_session_open(g->loop, fd[1], &full, &rig_handlers, g, &g->s), VA_OK);
    (void)alarm(120); /* a script that waits for what never comes */
    return g;
}

/* Turn until the peer got `text`; what came up to it is gone then. */
static inline void rig_hears(struct rig *g, const char *text)
{
    const char *at;
    while (!g->heard.len || !(at = memmem(g->heard.p, g->heard.len, text, strlen(text))))
        loop_turn(g->loop, true);
    buf_consume(&g->heard, (size_t)(at - g->heard.p) + strlen(text));
}

static inline void rig_says(struct rig *g, const char *text)
{
    assert_int_equal(tcp_write(g->peer, text, strlen(text)), VA_OK);
}

static inline void rig_says_event(struct rig *g, const char *body)
{
    char head[100];
    (void)snprintf(head, sizeof(head), "Content-Length: %zu\nContent-Type: text/event-plain\n\n",
                   strlen(body));
    rig_says(g, head);
    rig_says(g, body);
}

/* Turn until the session reported `text`. */
static inline void rig_sees(struct rig *g, const char *text)
{
    while (!strstr(buf_z(&g->log), text))
        loop_turn(g->loop, true);
}

static inline void rig_forget_log(struct rig *g)
{
    buf_reset(&g->log);
}

/* The whole report since the last rig_forget_log(). */
static inline void rig_log_is(struct rig *g, const char *want)
{
    assert_string_equal(buf_z(&g->log), want);
}

static inline struct rig *rig_connected_new(const struct esl_session_cfg *cfg)
{
    struct rig *g = rig_new(cfg);
    rig_hears(g, "connect\n\n");
    rig_says(g, RIG_CONNECT);
    rig_sees(g, "connected " RIG_UUID " a=b c;");
    rig_forget_log(g);
    return g;
}

/* Value of a header in the next command the peer hears: up to the line end. */
static inline void rig_hears_value(struct rig *g, const char *header, char *out, size_t cap)
{
    rig_hears(g, header);
    const char *nl;
    while (!g->heard.len || !(nl = memchr(g->heard.p, '\n', g->heard.len)))
        loop_turn(g->loop, true);
    (void)str_copy(out, cap, str_make(g->heard.p, (size_t)(nl - g->heard.p)));
}

static inline void rig_free(struct rig *g)
{
    esl_session_close(&g->s);
    tcp_close(&g->peer);
    loop_free(&g->loop);
    buf_free(&g->heard);
    buf_free(&g->log);
    free(g);
}

#endif
