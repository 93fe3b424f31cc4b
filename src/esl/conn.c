/*
 *     bytes ─► parser ─┬─ reply, api ─► first slot of the FIFO ─► on_result        (conn_send.c)
 *                      ├─ event ─┬────► job by Job-UUID, on_arrival    (at once)
 *                      │         └────► [queue, when handlers are slow] ─► on_event
 *                      └─ notice, EOF ► end: slots, jobs, the queue's events, on_end
 *
 * Callbacks may close the connection: `depth` counts our frames on the stack and the memory goes
 * with the last of them.
 *
 * Reading comes before handling: after slice_us of handlers events are only queued, and the loop
 * turns between reading what is there and handling one slice more. However slow a handler is, the
 * socket is emptied between two of its calls (esl.md fact 1).
 *
 * A fast handler gets a longer slice to empty the queue. It is only there because something else
 * had the processor, and would stay as long as more is read in a turn than a slice can handle.
 */
#include "esl/conn_int.h"

#include <stdlib.h>

enum { FAST_EVENTS = 64, FAST_SLICES = 8 }; /* so many events in a slice: so many slices */

static void destroy(struct esl_conn *c)
{
    void (*on_free)(void *) = c->h->on_free;
    void *arg = c->arg;
    esl_parser_free(&c->parser);
    esl_event_free(&c->ev);
    buf_free(&c->out);
    free(c);
    on_free(arg);
}

void esl_conn_enter(struct esl_conn *c)
{
    c->depth++;
}

void esl_conn_leave(struct esl_conn *c)
{
    if (c->depth == 1)
        esl_conn_flush(c);
    if (--c->depth == 0 && c->closed)
        destroy(c);
}

void esl_conn_close(struct esl_conn *c)
{
    c->closed = true;
    esl_conn_send_rest(c);
    tmr_stop(&c->broken);
    tmr_stop(&c->drain);
    tcp_close_flush(&c->tcp);
    esl_conn_clear_requests(c);
    esl_queue_clear(&c->queue);
    if (c->depth == 0)
        destroy(c);
}

bool esl_conn_closed(const struct esl_conn *c)
{
    return c->closed;
}

bool esl_conn_ended(const struct esl_conn *c)
{
    return c->ended;
}

struct loop *esl_conn_loop(const struct esl_conn *c)
{
    return c->loop;
}

void esl_conn_rebind(struct esl_conn *c, const struct esl_conn_handlers *h, void *arg)
{
    c->h = h;
    c->arg = arg;
}

/* ---- the end -------------------------------------------------------------------------------- */

static void tell_lost(struct esl_conn *c)
{
    uint64_t n = c->queue.lost;
    c->queue.lost = 0;
    if (n && c->h->on_lost)
        c->h->on_lost(c->arg, n);
}

/* The queue may be empty and `drain` run all the same, to tell of what was dropped. */
static void tell_end(struct esl_conn *c)
{
    if (c->closed || !c->ended || !esl_queue_empty(&c->queue))
        return;
    tmr_stop(&c->drain);
    tell_lost(c);
    if (!c->closed)
        c->h->on_end(c->arg, c->why);
}

void esl_conn_fail(struct esl_conn *c, enum esl_why why)
{
    if (c->ended || c->closed)
        return;
    c->ended = true;
    c->why = why;
    esl_conn_enter(c);
    tmr_stop(&c->broken);
    tcp_close_flush(&c->tcp);
    esl_conn_end_requests(c, why);
    tell_end(c); /* else the queue does when it is empty */
    esl_conn_leave(c);
}

static void on_broken(void *arg)
{
    struct esl_conn *c = arg;
    esl_conn_fail(c, c->broken_why);
}

void esl_conn_break(struct esl_conn *c, enum esl_why why)
{
    if (c->ended || c->closed || tmr_running(&c->broken))
        return;
    c->broken_why = why;
    tmr_start(&c->broken, c->loop, 0, on_broken, c);
}

/* ---- events --------------------------------------------------------------------------------- */

static void hand_out(struct esl_conn *c)
{
    tell_lost(c);
    if (!c->closed)
        c->h->on_event(c->arg, c->ev);
}

static bool slice_over(const struct esl_conn *c)
{
    return loop_now_us(c->loop) >= c->slice_end_us;
}

static void on_drain(void *arg)
{
    struct esl_conn *c = arg;
    struct esl_queued *e;
    unsigned handled = 0;
    uint64_t from = loop_now_us(c->loop);
    esl_conn_enter(c);
    c->slice_end_us = from + c->queue.cfg.slice_us;
    while (!c->closed && (e = esl_queue_pop(&c->queue))) {
        if (esl_event_parse(c->ev, e->format, str_make(e->bytes, e->len)) == VA_OK)
            hand_out(c);
        else
            c->queue.lost++;
        esl_event_reset(c->ev);
        free(e);
        if (++handled == FAST_EVENTS && !slice_over(c))
            c->slice_end_us = from + FAST_SLICES * c->queue.cfg.slice_us;
        if (slice_over(c))
            break;
    }
    if (!c->closed && !esl_queue_empty(&c->queue)) {
        tmr_start(&c->drain, c->loop, 0, on_drain, c);
    } else if (!c->closed) {
        tell_lost(c);
        tell_end(c);
    }
    esl_conn_leave(c);
}

static void on_event(struct esl_conn *c, const struct esl_message *m)
{
    if (esl_event_parse(c->ev, m->format, m->body)) {
        esl_conn_fail(c, ESL_WHY_MEMORY);
        return;
    }
    c->stats.events++;
    if (esl_event_flawed(c->ev))
        c->stats.flawed++;
    if (c->jobs.tab.count && esl_event_is(c->ev, "BACKGROUND_JOB"))
        esl_conn_on_job(c);
    if (!c->closed && !c->ended && c->h->on_arrival)
        c->h->on_arrival(c->arg, c->ev);
    if (c->closed || c->ended)
        return;
    if (esl_queue_empty(&c->queue) && !slice_over(c)) {
        hand_out(c);
        return;
    }
    esl_queue_push(&c->queue, m->format, m->body, c->ev);
    if (!tmr_running(&c->drain))
        tmr_start(&c->drain, c->loop, 0, on_drain, c);
}

/* ---- what FreeSWITCH says ------------------------------------------------------------------- */

static void on_notice(struct esl_conn *c, const struct esl_message *m)
{
    static const enum esl_why why[] = {[ESL_NOTICE_DISCONNECT] = ESL_WHY_NOTICE,
                                       [ESL_NOTICE_KILLED] = ESL_WHY_KILLED,
                                       [ESL_NOTICE_SHUTDOWN] = ESL_WHY_SHUTDOWN};
    enum esl_notice notice = esl_message_notice(m);
    c->h->on_notice(c->arg, notice, m->body);
    if (!c->closed && notice != ESL_NOTICE_LINGER)
        esl_conn_fail(c, why[notice]);
}

static bool on_message(void *arg, const struct esl_message *m)
{
    struct esl_conn *c = arg;
    switch (m->type) {
    case ESL_MSG_REPLY:
    case ESL_MSG_API: esl_conn_on_answer(c, m); break;
    case ESL_MSG_EVENT: on_event(c, m); break;
    case ESL_MSG_NOTICE: on_notice(c, m); break;
    default:
        if (c->h->on_other)
            c->h->on_other(c->arg, m);
    }
    return !c->closed && !c->ended;
}

static void on_open(void *arg)
{
    struct esl_conn *c = arg;
    c->opened = true;
    esl_conn_enter(c);
    c->rx_us = loop_now_us(c->loop);
    if (c->h->on_open)
        c->h->on_open(c->arg);
    esl_conn_leave(c);
}

static void keep_first(struct esl_conn *c, const char *p, size_t len)
{
    size_t n = CONN_FIRST - c->first_len;
    n = len < n ? len : n;
    memcpy(c->first + c->first_len, p, n);
    c->first_len += n;
}

/* Every message of FreeSWITCH begins with Content-Type or Content-Length. */
static bool is_foreign(const struct esl_conn *c)
{
    static const char begin[] = "Content-";
    size_t n = c->first_len < sizeof(begin) - 1 ? c->first_len : sizeof(begin) - 1;
    return c->greet && memcmp(c->first, begin, n) != 0;
}

static void on_read(void *arg, const char *p, size_t len)
{
    struct esl_conn *c = arg;
    esl_conn_enter(c);
    c->rx_us = loop_now_us(c->loop);
    c->slice_end_us = c->rx_us + c->queue.cfg.slice_us;
    if (c->first_len < CONN_FIRST)
        keep_first(c, p, len);
    if (is_foreign(c)) {
        esl_conn_fail(c, ESL_WHY_NOT_ESL);
    } else {
        enum va_err err = esl_parser_feed(c->parser, p, len);
        if (err && err != VA_ECANCELED)
            esl_conn_fail(c, err == VA_ENOMEM ? ESL_WHY_MEMORY : ESL_WHY_PROTOCOL);
    }
    esl_event_reset(c->ev); /* an idle connection keeps nothing */
    esl_conn_leave(c);
}

static void on_end(void *arg, enum va_err why)
{
    struct esl_conn *c = arg;
    esl_conn_enter(c);
    c->io_err = why;
    if (!c->opened) {
        esl_conn_fail(c, ESL_WHY_CONNECT);
    } else {
        esl_parser_end(c->parser);
        esl_conn_fail(c, why == VA_ECLOSED ? ESL_WHY_EOF : ESL_WHY_IO);
    }
    esl_conn_leave(c);
}

static const struct tcp_handlers tcp_handlers = {on_open, on_read, on_end};

void esl_conn_settle(struct esl_conn *c)
{
    if (c->ended || c->closed)
        return;
    esl_conn_enter(c);
    esl_parser_settle(c->parser);
    esl_event_reset(c->ev);
    esl_conn_leave(c);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void unmake(struct esl_conn *c)
{
    esl_parser_free(&c->parser);
    esl_event_free(&c->ev);
    free(c);
}

static struct esl_conn *make(struct loop *loop, const struct esl_conn_cfg *cfg,
                             const struct esl_conn_handlers *h, void *arg)
{
    struct esl_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->loop = loop;
    c->h = h;
    c->arg = arg;
    c->window = cfg->window;
    c->pending_max = cfg->pending_max;
    c->jobs_max = cfg->jobs_max;
    c->out_max = cfg->out_max;
    c->reply_ms = cfg->reply_ms;
    c->greet = cfg->greet;
    c->rx_us = loop_now_us(loop);
    buf_init(&c->out, cfg->out_max);
    list_init(&c->slots);
    list_init(&c->unsent);
    esl_queue_init(&c->queue, &cfg->queue, cfg->queue_bytes);
    if (esl_parser_new(&cfg->parser, on_message, c, &c->parser) == VA_OK &&
        (c->ev = esl_event_new()))
        return c;
    unmake(c);
    return NULL;
}

enum va_err esl_conn_adopt(struct loop *loop, int fd, const struct esl_conn_cfg *cfg,
                           const struct esl_conn_handlers *h, void *arg, struct esl_conn **ret_conn)
{
    struct esl_conn *c = make(loop, cfg, h, arg);
    struct tcp_conn *tcp = NULL;
    enum va_err err = tcp_adopt(loop, fd, cfg->out_max, &tcp_handlers, c, &tcp);
    if (!err && !c) {
        tcp_close(&tcp);
        err = VA_ENOMEM;
    }
    if (err) {
        if (c)
            unmake(c);
        return err;
    }
    c->opened = true;
    c->tcp = tcp;
    *ret_conn = c;
    return VA_OK;
}

enum va_err esl_conn_connect(struct loop *loop, const struct net_addr *addr, uint64_t timeout_ms,
                             const struct esl_conn_cfg *cfg, const struct esl_conn_handlers *h,
                             void *arg, struct esl_conn **ret_conn)
{
    struct esl_conn *c = make(loop, cfg, h, arg);
    if (!c)
        return VA_ENOMEM;
    enum va_err err = tcp_connect(loop, addr, timeout_ms, cfg->out_max, &tcp_handlers, c, &c->tcp);
    if (err) {
        unmake(c);
        return err;
    }
    *ret_conn = c;
    return VA_OK;
}

enum va_err esl_conn_io_err(const struct esl_conn *c)
{
    return c->io_err;
}

struct str esl_conn_first(const struct esl_conn *c)
{
    return str_make(c->first, c->first_len);
}

uint64_t esl_conn_heard_us(const struct esl_conn *c)
{
    return c->rx_us;
}

void esl_conn_stats(const struct esl_conn *c, struct esl_conn_stats *ret_stats)
{
    *ret_stats = c->stats;
    ret_stats->pending = c->sent + c->unsent_count;
    ret_stats->jobs = c->jobs.tab.count;
    ret_stats->queue = c->queue.stats;
}
