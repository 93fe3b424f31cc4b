/*
 *     start ─► queue ─(fewer than inflight_max)─► sent ─► "+OK" ─► COMPLETE ─► done
 *
 * One whose waiting ended by timeout still counts as sent: FreeSWITCH has it in its queue.
 */
#include "esl/exec.h"

enum { QUEUE_MAX = 256 };

void esl_exec_init(struct esl_exec *x, struct esl_conn *conn, size_t inflight_max, size_t queue_max,
                   size_t queue_bytes_max)
{
    bool given = inflight_max && inflight_max < ESL_EXEC_INFLIGHT_MAX;
    *x = (struct esl_exec){.conn = conn,
                           .inflight_max = given ? inflight_max : ESL_EXEC_INFLIGHT_MAX,
                           .queue_max = queue_max ? queue_max : QUEUE_MAX,
                           .queue_bytes_max = queue_bytes_max};
    list_init(&x->queue);
}

/* Callbacks run between enter and leave; they may close the connection, and with it goes x. */
static void enter(struct esl_exec *x)
{
    x->busy++;
}

static void leave(struct esl_exec *x, struct esl_conn *conn)
{
    if (esl_conn_closed(conn))
        return;
    if (--x->busy == 0 && !x->queued && !x->inflight.tab.count && x->on_idle)
        x->on_idle(x);
}

static void unqueue(struct esl_exec *x, struct esl_waiter *w)
{
    link_remove(&w->link);
    x->queued--;
    x->queued_bytes -= w->text.len;
}

static void on_answer(void *arg, const struct esl_result *r);

static enum va_err transmit(struct esl_exec *x, struct esl_waiter *w)
{
    enum va_err err = esl_waiters_add(&x->inflight, w);
    if (err)
        return err;
    err =
        esl_conn_send(x->conn, &w->text, ESL_REQUEST_COMMAND, &(struct esl_then){on_answer, w, 0});
    if (err)
        esl_waiters_remove(&x->inflight, w);
    else
        buf_free(&w->text);
    return err;
}

/* It cannot be sent. What is asked for instead is refused at once, or this would never end. */
static void refuse(struct esl_exec *x, struct esl_waiter *w, enum va_err err)
{
    struct esl_conn *conn = x->conn;
    struct esl_result r = {.err = err, .why = ESL_WHY_IO, .done = true};
    x->refuse = err;
    esl_waiter_tell(w, &r);
    if (!esl_conn_closed(conn))
        x->refuse = VA_OK;
}

/* Send what may go now. A callback may close the connection under us; what waits when it ended is
 * told with the cause, by esl_exec_end(). */
static void pump(struct esl_exec *x)
{
    struct esl_conn *conn = x->conn;
    while (!esl_conn_closed(conn) && !esl_conn_ended(conn) && x->queued &&
           x->inflight.tab.count < x->inflight_max) {
        struct esl_waiter *w = container_of(x->queue.head.next, struct esl_waiter, link);
        unqueue(x, w);
        enum va_err err = transmit(x, w);
        if (err)
            refuse(x, w, err);
    }
}

static void finish(struct esl_exec *x, struct esl_waiter *w, const struct esl_result *r)
{
    struct esl_conn *conn = x->conn;
    esl_waiters_remove(&x->inflight, w);
    if (!w->accepted)
        esl_conn_forget(conn, w);
    esl_waiter_tell(w, r);
}

static void on_answer(void *arg, const struct esl_result *r)
{
    struct esl_waiter *w = arg;
    struct esl_exec *x = w->owner;
    struct esl_conn *conn = x->conn;
    struct esl_result copy = *r;
    w->accepted = true;
    copy.done = r->err != VA_OK || x->answer_ends;
    if (!copy.done) {
        esl_waiter_tell(w, &copy);
        return;
    }
    enter(x);
    finish(x, w, &copy);
    if (!esl_conn_closed(conn))
        pump(x);
    leave(x, conn);
}

static void on_late(void *arg)
{
    struct esl_waiter *w = arg;
    struct esl_exec *x = w->owner;
    struct esl_conn *conn = x->conn;
    struct esl_then then = w->then;
    struct esl_result r = {.err = VA_ETIMEOUT, .why = ESL_WHY_TIMEOUT, .done = true};
    esl_conn_enter(conn);
    if (w->text.p) { /* never sent, never will be */
        unqueue(x, w);
        enter(x);
        esl_waiter_tell(w, &r);
        leave(x, conn);
    } else {
        w->then.on_result = NULL;
        if (then.on_result)
            then.on_result(then.arg, &r);
    }
    esl_conn_leave(conn);
}

enum va_err esl_exec_start(struct esl_exec *x, struct esl_waiter *w)
{
    enum va_err err = w->text.err ? w->text.err : x->refuse;
    if (!err && esl_conn_ended(x->conn))
        err = VA_ECLOSED;
    if (!err && !x->queued && x->inflight.tab.count < x->inflight_max) {
        err = transmit(x, w);
    } else if (!err &&
               (x->queued >= x->queue_max || w->text.len > x->queue_bytes_max - x->queued_bytes)) {
        err = VA_ELIMIT;
    } else if (!err) {
        list_push(&x->queue, &w->link);
        x->queued++;
        x->queued_bytes += w->text.len;
    }
    if (!err && w->then.timeout_ms)
        tmr_start(&w->tmr, esl_conn_loop(x->conn), w->then.timeout_ms, on_late, w);
    return err;
}

void esl_exec_on_complete(struct esl_exec *x, const struct esl_event *ev)
{
    struct esl_waiter *w = esl_waiters_find(&x->inflight, esl_event_get(ev, "Application-UUID"));
    if (!w)
        return;
    struct esl_conn *conn = x->conn;
    struct esl_result r = {
        .done = true, .text = esl_event_get(ev, "Application-Response"), .event = ev};
    enter(x);
    finish(x, w, &r);
    if (!esl_conn_closed(conn))
        pump(x);
    leave(x, conn);
}

void esl_exec_end(struct esl_exec *x, enum esl_why why, bool all)
{
    struct esl_conn *conn = x->conn;
    struct esl_result r = {.err = esl_why_err(why), .why = why, .done = true};
    enter(x);
    x->refuse = VA_ECLOSED;
    while (!esl_conn_closed(conn) && x->queued) {
        struct esl_waiter *w = container_of(x->queue.head.next, struct esl_waiter, link);
        unqueue(x, w);
        esl_waiter_tell(w, &r);
    }
    struct esl_waiter *w;
    while (all && !esl_conn_closed(conn) && (w = esl_waiters_any(&x->inflight)))
        finish(x, w, &r);
    if (!esl_conn_closed(conn))
        x->refuse = VA_OK;
    leave(x, conn);
}

void esl_exec_forget(struct esl_exec *x, const void *arg)
{
    esl_waiters_forget(&x->inflight, arg);
    list_each(&x->queue, it, next)
    {
        struct esl_waiter *w = container_of(it, struct esl_waiter, link);
        if (w->then.arg == arg)
            w->then.on_result = NULL;
    }
}

/* As pump(), for callers that may not be called back: what cannot be sent goes on waiting. */
static void refill(struct esl_exec *x)
{
    while (x->queued && x->inflight.tab.count < x->inflight_max) {
        struct esl_waiter *w = container_of(x->queue.head.next, struct esl_waiter, link);
        size_t len = w->text.len;
        if (transmit(x, w))
            return;
        link_remove(&w->link);
        x->queued--;
        x->queued_bytes -= len;
    }
}

void esl_exec_drop(struct esl_exec *x, const void *arg)
{
    size_t at = 0;
    struct hlink *next = NULL;
    for (struct hlink *h; (h = htab_walk(&x->inflight.tab, &at, &next));) {
        struct esl_waiter *w = container_of(h, struct esl_waiter, hash_link);
        if (w->then.arg != arg)
            continue;
        esl_waiters_remove(&x->inflight, w);
        if (!w->accepted)
            esl_conn_forget(x->conn, w);
        esl_waiter_free(w);
    }
    list_each(&x->queue, it, tmp)
    {
        struct esl_waiter *w = container_of(it, struct esl_waiter, link);
        if (w->then.arg != arg)
            continue;
        unqueue(x, w);
        esl_waiter_free(w);
    }
    if (!esl_conn_ended(x->conn))
        refill(x);
}

void esl_exec_clear(struct esl_exec *x)
{
    esl_waiters_clear(&x->inflight);
    list_each(&x->queue, it, next)
    {
        struct esl_waiter *w = container_of(it, struct esl_waiter, link);
        unqueue(x, w);
        esl_waiter_free(w);
    }
}
