#include "fakefs/call_int.h"

#include <stdlib.h>

enum { CONNECT_TIMEOUT_MS = 5000, OUT_MAX = 8 << 20 };

/* ---- the end: reported from a timer, so that no caller of ours is freed under its feet ------- */

static void on_ended(void *arg)
{
    struct fakefs_call *c = arg;
    c->h->on_end(c->arg, c->why);
}

void call_over(struct fakefs_call *c, enum va_err why)
{
    if (c->ending)
        return;
    c->ending = true;
    c->why = why;
    tmr_stop(&c->turn);
    tmr_stop(&c->refer);
    fakefs_inbound_remove(&c->bindable);
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
    call_over(c, VA_OK);
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
    if (note == FAKEFS_NOTE_HANGUP)
        call_stream_close(c); /* the module's part of the channel goes first */
    c->h->on_note(c->arg, note, text);
}

static bool op_dial(void *arg, const char *dial_string)
{
    return call_dial(arg, dial_string);
}

static void op_undial(void *arg)
{
    call_drop_line(arg);
}

static const struct fakefs_session_ops session_ops = {.write = op_write,
                                                      .close = op_close,
                                                      .unicast_start = op_unicast_start,
                                                      .unicast_stop = op_unicast_stop,
                                                      .dial = op_dial,
                                                      .undial = op_undial,
                                                      .stream_start = call_stream_start,
                                                      .stream_stop = call_stream_stop,
                                                      .play = call_play,
                                                      .play_stop = call_play_stop,
                                                      .note = op_note};

static void on_turn(void *arg)
{
    struct fakefs_call *c = arg;
    fakefs_session_turn(c->session);
    call_rearm(c);
}

void call_rearm(struct fakefs_call *c)
{
    if (!c->session)
        return;
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
    call_over(c, c->opened ? VA_OK : why);
}

static const struct tcp_handlers tcp_handlers = {on_open, on_read, on_end};

void call_bound(struct fakefs_call *c, struct tcp_conn *tcp)
{
    c->tcp = tcp;
    c->opened = true;
    tcp_rebind(tcp, &tcp_handlers, c);
    c->h->on_open(c->arg);
}

enum va_err fakefs_call_new(struct loop *loop, const struct fakefs_call_cfg *cfg,
                            const struct fakefs_call_handlers *h, void *arg,
                            struct fakefs_call **ret, struct va_fault *fault)
{
    struct fakefs_call *c = calloc(1, sizeof(*c));
    *fault = (struct va_fault){VA_OK, ""};
    if (!c)
        return VA_ENOMEM;
    c->loop = loop;
    c->cfg = *cfg;
    c->h = h;
    c->arg = arg;
    c->cfg.session.clock = loop_clock(loop);
    c->cfg.session.bound = cfg->inbound != NULL;
    c->cfg.session.audio_stream = cfg->module != FAKEFS_MODULE_NONE;
    enum va_err err = VA_OK;
    if (!cfg->sip_to)
        err = fakefs_session_new(&c->cfg.session, &session_ops, c, &c->session);
    if (!err && !call_media_open(c))
        err = VA_ENOMEM;
    if (!err && cfg->sip_to)
        err = call_phone(c, fault);
    else if (!err && cfg->inbound)
        err = call_bindable(c);
    else if (!err)
        err = tcp_connect(loop, &cfg->to, CONNECT_TIMEOUT_MS, OUT_MAX, &tcp_handlers, c, &c->tcp);
    if (err) {
        fakefs_call_free(&c);
        return err;
    }
    /* The texts are the caller's, for the time of this function. */
    unsigned rate_hz = c->cfg.session.caller.rate_hz;
    c->cfg.session.caller = (struct fakefs_caller){.rate_hz = rate_hz};
    c->cfg.session.variables = NULL;
    c->cfg.sip_to = c->cfg.sip_codecs = c->cfg.stream_url = NULL;
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
    tmr_stop(&c->refer);
    fakefs_inbound_remove(&c->bindable);
    call_media_close(c);
    tcp_close(&c->tcp);
    fakefs_session_free(&c->session);
    free(c->heard);
    free(c);
}

unsigned call_rate_hz(const struct fakefs_call *c)
{
    return c->session ? fakefs_session_channel(c->session)->rate_hz : c->cfg.session.caller.rate_hz;
}

const char *fakefs_call_why(const struct fakefs_call *c)
{
    return c->why_text;
}

void fakefs_call_set_human(struct fakefs_call *c, enum fakefs_human human, uint32_t rings_ms,
                           uint32_t talks_ms)
{
    c->cfg.session.human = human;
    c->cfg.session.human_rings_ms = rings_ms;
    if (c->session)
        fakefs_session_set_human(c->session, human, rings_ms, talks_ms);
}

void fakefs_call_stats(const struct fakefs_call *c, struct fakefs_call_stats *ret)
{
    struct fakefs_rtp_stats rtp = {0};
    if (c->line)
        fakefs_rtp_stats(fakefs_line_rtp(c->line), &rtp);
    *ret = c->stats;
    ret->sent += rtp.sent;
    ret->received += rtp.received;
    ret->odd += rtp.odd;
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
    if (c->session) {
        fakefs_session_hangup(c->session, cause);
        call_rearm(c);
        return;
    }
    c->h->on_note(c->arg, FAKEFS_NOTE_HANGUP, cause);
    if (c->line)
        fakefs_line_bye(c->line);
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
    if (c->session)
        fakefs_session_eof(c->session);
    call_over(c, VA_OK);
}
