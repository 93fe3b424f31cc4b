/*
 *     bytes ─► parser ─┬─ reply, api ─► first slot of the FIFO ─► on_result
 *                      ├─ event ──────► job by Job-UUID, then on_event
 *                      └─ notice, EOF ► end: slots, jobs, on_end
 *
 * A slot stays in the FIFO until its answer comes, whatever happened to its asker, so that a late
 * answer can never be taken for the next one's (esl.md §5 case 13). Callbacks may close the
 * connection: `depth` counts our frames on the stack and the memory goes with the last of them.
 */
#include "esl/conn.h"
#include "esl/command.h"
#include "esl/escape.h"

#include <stdlib.h>

struct slot {
    struct link link;
    struct esl_conn *conn;
    enum esl_request kind;
    struct esl_then then;
    struct tmr tmr;
    bool abandoned;
};

struct esl_conn {
    struct loop *loop;
    struct tcp_conn *tcp;
    struct esl_parser *parser;
    struct esl_event *ev;
    const struct esl_conn_handlers *h;
    void *arg;
    size_t pending_max, jobs_max, out_max;
    struct list slots;
    struct esl_waiters jobs;
    struct tmr broken; /* a write failed inside a request: end on the next turn */
    unsigned depth;
    bool ended, closed;
    struct esl_conn_stats stats;
};

static void slot_free(struct slot *slot)
{
    link_remove(&slot->link);
    tmr_stop(&slot->tmr);
    free(slot);
}

static void destroy(struct esl_conn *c)
{
    void (*on_free)(void *) = c->h->on_free;
    void *arg = c->arg;
    esl_parser_free(&c->parser);
    esl_event_free(&c->ev);
    free(c);
    on_free(arg);
}

void esl_conn_enter(struct esl_conn *c)
{
    c->depth++;
}

void esl_conn_leave(struct esl_conn *c)
{
    if (--c->depth == 0 && c->closed)
        destroy(c);
}

void esl_conn_close(struct esl_conn *c)
{
    c->closed = true;
    tmr_stop(&c->broken);
    tcp_close_flush(&c->tcp);
    list_each(&c->slots, it, next) slot_free(container_of(it, struct slot, link));
    esl_waiters_clear(&c->jobs);
    if (c->depth == 0)
        destroy(c);
}

bool esl_conn_closed(const struct esl_conn *c)
{
    return c->closed;
}

struct loop *esl_conn_loop(const struct esl_conn *c)
{
    return c->loop;
}

/* ---- the end -------------------------------------------------------------------------------- */

void esl_conn_fail(struct esl_conn *c, enum esl_why why)
{
    struct esl_result r = {.err = esl_why_err(why), .why = why, .done = true};
    if (c->ended || c->closed)
        return;
    c->ended = true;
    esl_conn_enter(c);
    tmr_stop(&c->broken);
    tcp_close_flush(&c->tcp);
    c->stats.pending = 0;
    while (!c->closed && !list_empty(&c->slots)) {
        struct slot *slot = container_of(c->slots.head.next, struct slot, link);
        struct esl_then then = slot->then;
        slot_free(slot);
        if (then.on_result)
            then.on_result(then.arg, &r);
    }
    struct esl_waiter *w;
    while (!c->closed && (w = esl_waiters_any(&c->jobs))) {
        esl_waiters_remove(&c->jobs, w);
        esl_waiter_tell(w, &r);
    }
    if (!c->closed)
        c->h->on_end(c->arg, why);
    esl_conn_leave(c);
}

static void on_broken(void *arg)
{
    esl_conn_fail(arg, ESL_WHY_IO);
}

/* ---- what FreeSWITCH says ------------------------------------------------------------------- */

static void judge(enum esl_request kind, const struct esl_message *m, struct esl_result *r)
{
    r->text = m->type == ESL_MSG_API ? m->body : esl_message_reply_text(m);
    bool denied = str_starts(r->text, "-ERR");
    if (kind == ESL_REQUEST_GETVAR && m->type == ESL_MSG_API) {
        /* A value may begin with -ERR too; FreeSWITCH's own message is known word for word. */
        denied = str_eqz(r->text, "-ERR No such channel!\n");
        if (str_eqz(r->text, "_undef_")) {
            *r = (struct esl_result){.err = VA_ENOTFOUND, .done = true};
            return;
        }
    }
    r->err = denied ? VA_EREFUSED : VA_OK;
    r->why = denied ? ESL_WHY_REFUSED : ESL_WHY_NONE;
}

static void on_answer(struct esl_conn *c, const struct esl_message *m)
{
    struct link *first = list_pop(&c->slots);
    if (!first) {
        c->stats.unsolicited++;
        return;
    }
    struct slot *slot = container_of(first, struct slot, link);
    struct esl_then then = slot->then;
    struct esl_result r = {.done = true};
    c->stats.replies++;
    c->stats.pending--;
    if (slot->abandoned)
        c->stats.late++;
    judge(slot->kind, m, &r);
    slot_free(slot);
    if (!then.on_result)
        return;
    if (esl_message_is_channel_data(m)) {
        r.text = str_of("+OK");
        if (esl_event_parse(c->ev, ESL_PLAIN, m->head) == VA_OK)
            r.event = c->ev;
    }
    then.on_result(then.arg, &r);
}

static void on_job(struct esl_conn *c)
{
    struct esl_waiter *w = esl_waiters_find(&c->jobs, esl_event_get(c->ev, "Job-UUID"));
    if (!w)
        return;
    struct esl_result r = {.done = true, .text = esl_event_body(c->ev), .event = c->ev};
    if (str_starts(r.text, "-ERR")) {
        r.err = VA_EREFUSED;
        r.why = ESL_WHY_REFUSED;
    }
    esl_waiters_remove(&c->jobs, w);
    esl_conn_forget(c, w); /* its answer may still be on the way */
    esl_waiter_tell(w, &r);
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
    if (c->jobs.count && esl_event_is(c->ev, "BACKGROUND_JOB"))
        on_job(c);
    if (!c->closed && !c->ended)
        c->h->on_event(c->arg, c->ev);
}

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
    case ESL_MSG_API: on_answer(c, m); break;
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
    (void)arg; /* only sockets that are connected are taken so far */
}

static void on_read(void *arg, const char *p, size_t len)
{
    struct esl_conn *c = arg;
    esl_conn_enter(c);
    enum va_err err = esl_parser_feed(c->parser, p, len);
    if (err && err != VA_ECANCELED)
        esl_conn_fail(c, err == VA_ENOMEM ? ESL_WHY_MEMORY : ESL_WHY_PROTOCOL);
    esl_event_reset(c->ev); /* an idle connection keeps nothing */
    esl_conn_leave(c);
}

static void on_end(void *arg, enum va_err why)
{
    struct esl_conn *c = arg;
    esl_conn_enter(c);
    esl_parser_end(c->parser);
    esl_conn_fail(c, why == VA_ECLOSED ? ESL_WHY_EOF : ESL_WHY_IO);
    esl_conn_leave(c);
}

static const struct tcp_handlers tcp_handlers = {on_open, on_read, on_end};

/* ---- what we say ---------------------------------------------------------------------------- */

enum va_err esl_conn_adopt(struct loop *loop, int fd, const struct esl_conn_cfg *cfg,
                           const struct esl_conn_handlers *h, void *arg, struct esl_conn **ret_conn)
{
    struct esl_conn *c = calloc(1, sizeof(*c));
    struct tcp_conn *tcp = NULL;
    enum va_err err = tcp_adopt(loop, fd, cfg->out_max, &tcp_handlers, c, &tcp);
    if (!err && !c)
        err = VA_ENOMEM;
    if (!err)
        err = esl_parser_new(&cfg->parser, on_message, c, &c->parser);
    if (!err && !(c->ev = esl_event_new()))
        err = VA_ENOMEM;
    if (err) {
        tcp_close(&tcp);
        if (c)
            esl_parser_free(&c->parser);
        free(c);
        return err;
    }
    c->loop = loop;
    c->tcp = tcp;
    c->h = h;
    c->arg = arg;
    c->pending_max = cfg->pending_max;
    c->jobs_max = cfg->jobs_max;
    c->out_max = cfg->out_max;
    list_init(&c->slots);
    esl_waiters_init(&c->jobs);
    *ret_conn = c;
    return VA_OK;
}

enum va_err esl_conn_send_raw(struct esl_conn *c, const char *bytes, size_t len)
{
    if (c->ended || c->closed)
        return VA_ECLOSED;
    enum va_err err = tcp_write(c->tcp, bytes, len);
    /* Part of it may be out, and then nothing we could send would be understood any more. */
    if (err && err != VA_ELIMIT)
        tmr_start(&c->broken, c->loop, 0, on_broken, c);
    return err && err != VA_ELIMIT ? VA_ECLOSED : err;
}

static void on_slot_late(void *arg)
{
    struct slot *slot = arg;
    struct esl_conn *c = slot->conn;
    struct esl_then then = slot->then;
    struct esl_result r = {.err = VA_ETIMEOUT, .why = ESL_WHY_TIMEOUT, .done = true};
    slot->abandoned = true;
    slot->then.on_result = NULL;
    if (!then.on_result)
        return;
    esl_conn_enter(c);
    then.on_result(then.arg, &r);
    esl_conn_leave(c);
}

enum va_err esl_conn_send(struct esl_conn *c, const struct buf *text, enum esl_request kind,
                          const struct esl_then *then)
{
    if (text->err)
        return text->err;
    if (c->stats.pending >= c->pending_max)
        return VA_ELIMIT;
    struct slot *slot = calloc(1, sizeof(*slot));
    if (!slot)
        return VA_ENOMEM;
    enum va_err err = esl_conn_send_raw(c, text->p, text->len);
    if (err) {
        free(slot);
        return err;
    }
    slot->conn = c;
    slot->kind = kind;
    if (then)
        slot->then = *then;
    if (then && then->timeout_ms)
        tmr_start(&slot->tmr, c->loop, then->timeout_ms, on_slot_late, slot);
    list_push(&c->slots, &slot->link);
    c->stats.pending++;
    return VA_OK;
}

static void on_job_accepted(void *arg, const struct esl_result *r)
{
    struct esl_waiter *w = arg;
    struct esl_conn *c = w->owner;
    struct esl_result copy = *r;
    copy.done = r->err != VA_OK;
    if (copy.done)
        esl_waiters_remove(&c->jobs, w);
    esl_waiter_tell(w, &copy);
}

static void on_job_late(void *arg)
{
    struct esl_waiter *w = arg;
    struct esl_conn *c = w->owner;
    struct esl_result r = {.err = VA_ETIMEOUT, .why = ESL_WHY_TIMEOUT, .done = true};
    esl_waiters_remove(&c->jobs, w);
    esl_conn_forget(c, w);
    esl_conn_enter(c);
    esl_waiter_tell(w, &r);
    esl_conn_leave(c);
}

enum va_err esl_conn_bgapi(struct esl_conn *c, struct str line, const struct esl_then *then)
{
    if (c->jobs.count >= c->jobs_max)
        return VA_ELIMIT;
    struct esl_waiter *w = esl_waiter_new(c, then);
    if (!w)
        return VA_ENOMEM;
    esl_waiters_add(&c->jobs, w); /* before it is sent: the event may overtake the answer */
    struct buf b;
    buf_init(&b, c->out_max);
    esl_command_line(&b, "bgapi", line);
    esl_command_headerz(&b, "Job-UUID", w->uuid);
    esl_command_end(&b);
    enum va_err err =
        esl_conn_send(c, &b, ESL_REQUEST_COMMAND, &(struct esl_then){on_job_accepted, w, 0});
    buf_free(&b);
    if (err) {
        esl_waiters_remove(&c->jobs, w);
        esl_waiter_free(w);
        return err;
    }
    if (w->then.timeout_ms)
        tmr_start(&w->tmr, c->loop, w->then.timeout_ms, on_job_late, w);
    return VA_OK;
}

void esl_conn_forget(struct esl_conn *c, const void *arg)
{
    list_each(&c->slots, it, next)
    {
        struct slot *slot = container_of(it, struct slot, link);
        if (slot->then.arg == arg)
            slot->then.on_result = NULL;
    }
    esl_waiters_forget(&c->jobs, arg);
}

void esl_conn_stats(const struct esl_conn *c, struct esl_conn_stats *ret_stats)
{
    *ret_stats = c->stats;
    ret_stats->jobs = c->jobs.count;
}
