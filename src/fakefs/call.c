#include "fakefs/call_int.h"

#include <stdlib.h>

enum { CONNECT_TIMEOUT_MS = 5000, OUT_MAX = 8 << 20 };

/* ---- the end: reported from a timer, so that no caller of ours is freed under its feet ------- */

static void on_ended(void *arg)
{
    struct fakefs_call *c = arg;
    c->h->on_end(c->arg, c->why);
}

static void finish(struct fakefs_call *c, enum va_err why)
{
    if (c->ending)
        return;
    c->ending = true;
    c->why = why;
    tmr_stop(&c->turn);
    call_media_close(c);
    tmr_start(&c->end, c->loop, 0, on_ended, c);
}

/* ---- session ops ---------------------------------------------------------------------------- */

static void op_write(void *arg, const void *p, size_t len)
{
    struct fakefs_call *c = arg;
    if (c->tcp && tcp_write(c->tcp, p, len))
        c->stats.unwritten++; /* a dead peer shows in on_end */
}

static void op_close(void *arg)
{
    struct fakefs_call *c = arg;
    tcp_close_flush(&c->tcp);
    finish(c, VA_OK);
}

static void op_unicast_start(void *arg, const struct fakefs_unicast *where)
{
    call_unicast_start(arg, where);
}

static void op_unicast_stop(void *arg)
{
    call_unicast_stop(arg);
}

static void op_note(void *arg, enum fakefs_note note, const char *text)
{
    struct fakefs_call *c = arg;
    c->h->on_note(c->arg, note, text);
}

static const struct fakefs_session_ops session_ops = {op_write, op_close, op_unicast_start,
                                                      op_unicast_stop, op_note};

static void on_turn(void *arg)
{
    struct fakefs_call *c = arg;
    fakefs_session_turn(c->session);
    call_rearm(c);
}

void call_rearm(struct fakefs_call *c)
{
    uint64_t due = fakefs_session_due_us(c->session), now = loop_now_us(c->loop);
    if (c->ending || due == UINT64_MAX)
        tmr_stop(&c->turn);
    else
        tmr_start(&c->turn, c->loop, due > now ? (due - now + 999) / 1000 : 0, on_turn, c);
}

/* ---- tcp ------------------------------------------------------------------------------------ */

static void on_open(void *arg)
{
    struct fakefs_call *c = arg;
    c->opened = true;
    c->stats.opened_us = loop_now_us(c->loop);
    c->h->on_open(c->arg);
    call_rearm(c);
}

static void on_read(void *arg, const char *p, size_t len)
{
    struct fakefs_call *c = arg;
    fakefs_session_input(c->session, p, len);
    call_rearm(c);
}

static void on_end(void *arg, enum va_err why)
{
    struct fakefs_call *c = arg;
    tcp_close(&c->tcp);
    if (c->opened)
        fakefs_session_eof(c->session);
    finish(c, c->opened ? VA_OK : why);
}

static const struct tcp_handlers tcp_handlers = {on_open, on_read, on_end};

enum va_err fakefs_call_new(struct loop *loop, const struct fakefs_call_cfg *cfg,
                            const struct fakefs_call_handlers *h, void *arg,
                            struct fakefs_call **ret)
{
    struct fakefs_call *c = calloc(1, sizeof(*c));
    if (!c)
        return VA_ENOMEM;
    c->loop = loop;
    c->cfg = *cfg;
    c->h = h;
    c->arg = arg;
    c->cfg.session.clock = loop_clock(loop);
    enum va_err err = fakefs_session_new(&c->cfg.session, &session_ops, c, &c->session);
    if (!err && !call_media_open(c))
        err = VA_ENOMEM;
    if (!err)
        err = tcp_connect(loop, &cfg->to, CONNECT_TIMEOUT_MS, OUT_MAX, &tcp_handlers, c, &c->tcp);
    if (err) {
        fakefs_call_free(&c);
        return err;
    }
    *ret = c;
    return VA_OK;
}

void fakefs_call_free(struct fakefs_call **pc)
{
    struct fakefs_call *c = pc ? *pc : NULL;
    if (!c)
        return;
    *pc = NULL;
    c->ending = true;
    tmr_stop(&c->turn);
    tmr_stop(&c->end);
    call_media_close(c);
    tcp_close(&c->tcp);
    fakefs_session_free(&c->session);
    free(c->heard);
    free(c);
}

struct fakefs_session *fakefs_call_session(struct fakefs_call *c)
{
    return c->session;
}

void fakefs_call_stats(const struct fakefs_call *c, struct fakefs_call_stats *ret)
{
    *ret = c->stats;
}

const struct fakefs_meter *fakefs_call_meter(const struct fakefs_call *c)
{
    return &c->meter;
}

const struct fakefs_gate *fakefs_call_gate(const struct fakefs_call *c)
{
    return &c->gate;
}

void fakefs_call_hangup(struct fakefs_call *c, const char *cause)
{
    if (c->ending)
        return;
    fakefs_session_hangup(c->session, cause);
    call_rearm(c);
}

void fakefs_call_dtmf(struct fakefs_call *c, const char *digits)
{
    for (; *digits && c->key_count < KEYS_MAX; digits++)
        c->keys[c->key_count++] = *digits;
    if (!c->key_due_us)
        c->key_due_us = loop_now_us(c->loop);
}

void fakefs_call_reset(struct fakefs_call *c)
{
    if (c->ending)
        return;
    tcp_reset(&c->tcp);
    fakefs_session_eof(c->session);
    finish(c, VA_OK);
}
