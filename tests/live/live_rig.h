/**
 * tests/live/live_rig.h: a switch over a plain blocking socket, so that a live test shows what the
 * commands say and FreeSWITCH answers, whatever client is used otherwise.
 */
#ifndef VA_LIVE_RIG_H
#define VA_LIVE_RIG_H

#include "base/buf.h"
#include "base/rand.h"
#include "esl/commands.h"
#include "esl/event.h"
#include "esl/parser.h"
#include "esl/switch_int.h"
#include "unit/unit.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LIVE_WAITING_MAX = 64 };

/** A request that waits for its answer, and (job) for its end. */
struct live_wait {
    struct esl_then then;
    char job[UUID_TEXT]; /* "" for an api */
    bool used;
};

struct live {
    struct esl_switch sw;
    int fd;
    struct esl_parser *parser;
    struct live_wait *fifo[LIVE_WAITING_MAX]; /* answers come in order */
    size_t first, last;
    struct live_wait waits[LIVE_WAITING_MAX];
    struct esl_event *ev;
};

static inline void live_tell(struct live_wait *w, struct str text, bool done)
{
    enum va_err err = str_starts(text, "-ERR No such channel!")                ? VA_ENOTFOUND
                      : str_starts(text, "-ERR") || str_starts(text, "-USAGE") ? VA_EREFUSED
                                                                               : VA_OK;
    struct esl_result r = {.err = err, .done = done, .text = text};
    if (w->then.on_result)
        w->then.on_result(w->then.arg, &r);
    w->used = !done;
}

static inline void live_job(struct live *l, const struct esl_message *m)
{
    assert_int_equal(esl_event_parse(l->ev, ESL_PLAIN, m->body), VA_OK);
    for (size_t i = 0; i < LIVE_WAITING_MAX; i++)
        if (l->waits[i].used && str_eqz(esl_event_get(l->ev, "Job-UUID"), l->waits[i].job))
            live_tell(&l->waits[i], esl_event_body(l->ev), true);
}

static inline bool live_message(void *arg, const struct esl_message *m)
{
    struct live *l = arg;
    if (m->type == ESL_MSG_EVENT) {
        live_job(l, m);
    } else if (m->type == ESL_MSG_API || m->type == ESL_MSG_REPLY) {
        struct live_wait *w = l->fifo[l->first++ % LIVE_WAITING_MAX];
        live_tell(w, m->type == ESL_MSG_API ? m->body : esl_message_reply_text(m), !w->job[0]);
    }
    return true;
}

static inline void live_pump(struct live *l)
{
    char bytes[65536];
    ssize_t n = read(l->fd, bytes, sizeof(bytes));
    if (n <= 0)
        fail_msg("FreeSWITCH closed the connection");
    assert_int_equal(esl_parser_feed(l->parser, bytes, (size_t)n), VA_OK);
}

static inline enum va_err live_send(struct live *l, const char *verb, struct str line,
                                    const struct esl_then *then)
{
    struct live_wait *w = l->waits;
    while (w->used)
        w++;
    assert_true(w < l->waits + LIVE_WAITING_MAX);
    bool job = strcmp(verb, "bgapi ") == 0;
    *w = (struct live_wait){.then = then ? *then : (struct esl_then){0}, .used = true};
    if (job)
        rand_uuid(w->job);
    struct buf b;
    buf_init(&b, (size_t)1 << 22);
    (void)buf_addf(&b, "%s%.*s\n", verb, STR_ARG(line));
    if (job)
        (void)buf_addf(&b, "Job-UUID: %s\n", w->job);
    (void)buf_addz(&b, "\n");
    l->fifo[l->last++ % LIVE_WAITING_MAX] = w;
    assert_int_equal(write(l->fd, b.p, b.len), (ssize_t)b.len);
    buf_free(&b);
    return VA_OK;
}

static inline enum va_err live_api(struct esl_switch *sw, struct str line,
                                   const struct esl_then *then)
{
    return live_send((struct live *)sw, "api ", line, then);
}

static inline enum va_err live_bgapi(struct esl_switch *sw, struct str line,
                                     const struct esl_then *then)
{
    return live_send((struct live *)sw, "bgapi ", line, then);
}

static inline int live_connect(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *a = NULL;
    assert_int_equal(getaddrinfo(host, port, &hints, &a), 0);
    int fd = socket(a->ai_family, a->ai_socktype, 0);
    assert_int_equal(connect(fd, a->ai_addr, a->ai_addrlen), 0);
    freeaddrinfo(a);
    return fd;
}

/* What came of a request. */
struct live_answer {
    bool done, accepted;
    enum va_err err;
    struct buf text;
};

static inline void live_on_result(void *arg, const struct esl_result *r)
{
    struct live_answer *a = arg;
    a->accepted = true;
    a->done = r->done;
    a->err = r->err;
    buf_reset(&a->text);
    assert_int_equal(buf_adds(&a->text, r->text), VA_OK);
}

/** Borrowed until the next call. */
static inline const struct esl_then *live_then(struct live_answer *a)
{
    static struct esl_then then;
    buf_free(&a->text);
    *a = (struct live_answer){0};
    buf_init(&a->text, (size_t)64 << 20);
    then = (struct esl_then){live_on_result, a, 0};
    return &then;
}

static inline struct str live_wait(struct live *l, enum va_err err, struct live_answer *a)
{
    if (err)
        fail_msg("not sent: %s", va_err_text(err));
    while (!a->done)
        live_pump(l);
    return buf_str(&a->text);
}

static inline void live_open(struct live *l, const char *host, const char *port,
                             const char *password)
{
    static const struct esl_switch_ops ops = {live_api, live_bgapi};
    struct live_answer a = {0};
    char line[300];
    *l = (struct live){.sw = {&ops}, .fd = live_connect(host, port), .ev = esl_event_new()};
    assert_int_equal(esl_parser_new(NULL, live_message, l, &l->parser), VA_OK);
    (void)snprintf(line, sizeof(line), "auth %s", password);
    (void)live_wait(l, live_send(l, "", str_of(line), live_then(&a)), &a);
    assert_int_equal(a.err, VA_OK);
    (void)live_wait(l, live_send(l, "event plain BACKGROUND_JOB", (struct str){0}, live_then(&a)),
                    &a);
    assert_int_equal(a.err, VA_OK);
    buf_free(&a.text);
}

static inline void live_close(struct live *l)
{
    close(l->fd);
    esl_parser_free(&l->parser);
    esl_event_free(&l->ev);
}

static inline uint64_t live_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

#endif
