/*
 * Requests and their answers.
 *
 *     send ─► [unsent] ─(fewer than window)─► slots ─answer─► on_result
 *
 * A slot stays in the FIFO until its answer comes, whatever happened to its asker, so that a late
 * answer can never be taken for the next one's (esl.md §5 case 13). The window keeps FreeSWITCH
 * from starving events: it sends none as long as a next command is there to be read (§1.1).
 */
#include "esl/command.h"
#include "esl/conn_int.h"

#include <stdlib.h>

enum { OUT_FULL = 32768, OUT_KEEP = 1024 };

struct slot {
    struct link link;
    struct esl_conn *conn;
    enum esl_request kind;
    bool overdue;   /* counted in the connection's stats */
    bool abandoned; /* its asker was told: only its place in the order is kept */
    struct esl_then then;
    struct tmr tmr;
    size_t len;  /* of text; 0 as soon as it is sent */
    char text[]; /* not sent yet */
};

static void slot_free(struct slot *slot)
{
    link_remove(&slot->link);
    tmr_stop(&slot->tmr);
    free(slot);
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static enum va_err write_now(struct esl_conn *c, const char *bytes, size_t len)
{
    enum va_err err = c->tcp ? tcp_write(c->tcp, bytes, len) : VA_ECLOSED;
    /* Part of it may be out, and then nothing we could send would be understood any more. */
    if (err && err != VA_ELIMIT)
        esl_conn_break(c, err == VA_ENOMEM ? ESL_WHY_MEMORY : ESL_WHY_IO);
    return err && err != VA_ELIMIT ? VA_ECLOSED : err;
}

void esl_conn_flush(struct esl_conn *c)
{
    if (!c->out.len)
        return;
    if (c->tcp)
        (void)write_now(c, c->out.p, c->out.len); /* there is room: esl_conn_send_raw() checked */
    if (c->out.cap > OUT_KEEP)
        buf_free(&c->out);
    else
        buf_reset(&c->out);
}

enum va_err esl_conn_send_raw(struct esl_conn *c, const char *bytes, size_t len)
{
    if (c->ended || c->closed || !c->tcp)
        return VA_ECLOSED;
    if (!c->depth)
        return write_now(c, bytes, len);
    size_t unsent = c->out.len + tcp_unsent(c->tcp);
    if (len > c->out_max || unsent > c->out_max - len)
        return VA_ELIMIT;
    if (buf_add(&c->out, bytes, len)) { /* what was held back is gone with it */
        esl_conn_break(c, ESL_WHY_MEMORY);
        return VA_ECLOSED;
    }
    if (c->out.len >= OUT_FULL)
        esl_conn_flush(c);
    return VA_OK;
}

/* ---- slots ---------------------------------------------------------------------------------- */

static enum va_err send_waiting(struct esl_conn *c, const struct slot *slot)
{
    enum va_err err = esl_conn_send_raw(c, slot->text, slot->len);
    if (err != VA_ELIMIT)
        return err;
    esl_conn_flush(c); /* what this turn held back may be all that is in the way */
    err = esl_conn_send_raw(c, slot->text, slot->len);
    if (err && !c->sent)
        esl_conn_break(c, ESL_WHY_IO); /* no answer would ever come to try again */
    return err;
}

/* Send what the window lets through. */
static void pump(struct esl_conn *c)
{
    while (c->sent < c->window && !list_empty(&c->unsent)) {
        struct slot *slot = container_of(c->unsent.head.next, struct slot, link);
        if (send_waiting(c, slot))
            return; /* no room: tried again with the next answer; or it is ending anyway */
        link_remove(&slot->link);
        list_push(&c->slots, &slot->link);
        c->sent++;
        c->unsent_count--;
        c->unsent_bytes -= slot->len;
        slot->len = 0;
    }
}

void esl_conn_send_rest(struct esl_conn *c)
{
    if (c->tcp && !c->ended) {
        esl_conn_flush(c);
        list_each(&c->unsent, it, next)
        {
            struct slot *slot = container_of(it, struct slot, link);
            if (write_now(c, slot->text, slot->len))
                break;
        }
    }
    buf_free(&c->out);
}

static void drop_unsent(struct slot *slot)
{
    slot->conn->unsent_count--;
    slot->conn->unsent_bytes -= slot->len;
    slot_free(slot);
}

static void mark_overdue(void *arg)
{
    struct slot *slot = arg;
    slot->overdue = true;
    slot->conn->stats.overdue++;
}

static void on_slot_late(void *arg)
{
    struct slot *slot = arg;
    struct esl_conn *c = slot->conn;
    struct esl_then then = slot->then;
    struct esl_result r = {.err = VA_ETIMEOUT, .why = ESL_WHY_TIMEOUT, .done = true};
    if (slot->len) { /* never sent, never will be */
        drop_unsent(slot);
    } else {
        slot->abandoned = true;
        slot->then.on_result = NULL;
        mark_overdue(slot);
    }
    if (!then.on_result)
        return;
    esl_conn_enter(c);
    then.on_result(then.arg, &r);
    esl_conn_leave(c);
}

/* One that goes out at once keeps no text; one that waits does. */
static struct slot *make_slot(const struct buf *text, bool wait)
{
    size_t len = wait ? text->len : 0;
    struct slot *slot = malloc(sizeof(*slot) + len);
    if (!slot)
        return NULL;
    *slot = (struct slot){.len = len};
    if (len)
        memcpy(slot->text, text->p, len);
    return slot;
}

bool esl_conn_full(const struct esl_conn *c)
{
    return c->sent + c->unsent_count >= c->pending_max;
}

static void start_limit(struct slot *slot)
{
    struct esl_conn *c = slot->conn;
    if (slot->then.timeout_ms)
        tmr_start(&slot->tmr, c->loop, slot->then.timeout_ms, on_slot_late, slot);
    else if (c->reply_ms)
        tmr_start(&slot->tmr, c->loop, c->reply_ms, mark_overdue, slot);
}

enum va_err esl_conn_send(struct esl_conn *c, const struct buf *text, enum esl_request kind,
                          const struct esl_then *then)
{
    if (text->err)
        return text->err;
    if (c->ended || c->closed)
        return VA_ECLOSED;
    bool wait = c->sent >= c->window || !list_empty(&c->unsent);
    if ((kind != ESL_REQUEST_UPKEEP && esl_conn_full(c)) ||
        (wait && (text->len > c->out_max || c->unsent_bytes > c->out_max - text->len)))
        return VA_ELIMIT;
    struct slot *slot = make_slot(text, wait);
    if (!slot)
        return VA_ENOMEM;
    enum va_err err = wait ? VA_OK : esl_conn_send_raw(c, text->p, text->len);
    if (err) {
        free(slot);
        return err;
    }
    slot->conn = c;
    slot->kind = kind;
    if (then)
        slot->then = *then;
    start_limit(slot);
    list_push(wait ? &c->unsent : &c->slots, &slot->link);
    if (wait) {
        c->unsent_count++;
        c->unsent_bytes += slot->len;
    } else {
        c->sent++;
    }
    return VA_OK;
}

/* ---- answers -------------------------------------------------------------------------------- */

static void refuse(struct esl_result *r, enum va_err err)
{
    r->err = err;
    r->why = ESL_WHY_REFUSED;
}

/* Output of an API, now or of a job. */
static void judge_api(struct esl_result *r)
{
    if (str_starts(r->text, "-ERR No such channel"))
        refuse(r, VA_ENOTFOUND);
    else if (str_starts(r->text, "-ERR") || str_starts(r->text, "-USAGE"))
        refuse(r, VA_EREFUSED);
}

static void judge(enum esl_request kind, const struct esl_message *m, struct esl_result *r)
{
    r->text = m->type == ESL_MSG_API ? m->body : esl_message_reply_text(m);
    if (kind == ESL_REQUEST_GETVAR && m->type == ESL_MSG_API) {
        /* A value may begin with -ERR too; FreeSWITCH's own message is known word for word. */
        if (str_eqz(r->text, "-ERR No such channel!\n"))
            refuse(r, VA_EREFUSED); /* VA_ENOTFOUND is said of the variable */
        else if (str_eqz(r->text, "_undef_"))
            *r = (struct esl_result){.err = VA_ENOTFOUND, .done = true};
        return;
    }
    if (kind == ESL_REQUEST_API)
        judge_api(r);
    else if (str_starts(r->text, "-ERR"))
        refuse(r, VA_EREFUSED);
}

void esl_conn_on_answer(struct esl_conn *c, const struct esl_message *m)
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
    c->sent--;
    c->stats.overdue -= slot->overdue;
    c->stats.late += slot->abandoned;
    judge(slot->kind, m, &r);
    slot_free(slot);
    pump(c);
    if (!then.on_result || c->ended)
        return;
    if (esl_message_is_channel_data(m)) {
        r.text = str_of("+OK");
        r.event = c->ev;
        if (esl_event_parse(c->ev, ESL_PLAIN, m->head))
            r = (struct esl_result){.err = VA_ENOMEM, .why = ESL_WHY_MEMORY, .done = true};
    }
    then.on_result(then.arg, &r);
}

static void end_all(struct esl_conn *c, struct list *slots, const struct esl_result *r)
{
    while (!c->closed && !list_empty(slots)) {
        struct slot *slot = container_of(slots->head.next, struct slot, link);
        struct esl_then then = slot->then;
        slot_free(slot);
        if (then.on_result)
            then.on_result(then.arg, r);
    }
}

void esl_conn_end_requests(struct esl_conn *c, enum esl_why why)
{
    struct esl_result r = {.err = esl_why_err(why), .why = why, .done = true};
    struct esl_waiter *w;
    c->sent = c->unsent_count = c->unsent_bytes = c->stats.overdue = 0;
    buf_free(&c->out);
    end_all(c, &c->slots, &r);
    end_all(c, &c->unsent, &r);
    while (!c->closed && (w = esl_waiters_any(&c->jobs))) {
        esl_waiters_remove(&c->jobs, w);
        esl_waiter_tell(w, &r);
    }
}

void esl_conn_clear_requests(struct esl_conn *c)
{
    list_each(&c->slots, it, next) slot_free(container_of(it, struct slot, link));
    list_each(&c->unsent, it, next) slot_free(container_of(it, struct slot, link));
    c->sent = c->unsent_count = c->unsent_bytes = 0;
    esl_waiters_clear(&c->jobs);
}

void esl_conn_forget(struct esl_conn *c, const void *arg)
{
    struct list *lists[] = {&c->slots, &c->unsent};
    for (size_t i = 0; i < 2; i++) {
        list_each(lists[i], it, next)
        {
            struct slot *slot = container_of(it, struct slot, link);
            if (slot->then.arg == arg)
                slot->then.on_result = NULL;
        }
    }
    esl_waiters_forget(&c->jobs, arg);
}

/* ---- jobs ----------------------------------------------------------------------------------- */

void esl_conn_on_job(struct esl_conn *c)
{
    struct esl_waiter *w = esl_waiters_find(&c->jobs, esl_event_get(c->ev, "Job-UUID"));
    if (!w)
        return;
    struct esl_result r = {.done = true, .text = esl_event_body(c->ev), .event = c->ev};
    judge_api(&r);
    esl_waiters_remove(&c->jobs, w);
    if (!w->accepted) /* its answer is still on the way */
        esl_conn_forget(c, w);
    esl_waiter_tell(w, &r);
}

static void on_job_accepted(void *arg, const struct esl_result *r)
{
    struct esl_waiter *w = arg;
    struct esl_conn *c = w->owner;
    struct esl_result copy = *r;
    copy.done = r->err != VA_OK;
    w->accepted = true;
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
    if (!w->accepted)
        esl_conn_forget(c, w);
    esl_conn_enter(c);
    esl_waiter_tell(w, &r);
    esl_conn_leave(c);
}

static enum va_err send_job(struct esl_conn *c, struct str line, struct esl_waiter *w)
{
    struct buf b;
    buf_init(&b, c->out_max);
    esl_command_line(&b, "bgapi", line);
    esl_command_headerz(&b, "Job-UUID", w->uuid);
    esl_command_end(&b);
    enum va_err err =
        esl_conn_send(c, &b, ESL_REQUEST_COMMAND, &(struct esl_then){on_job_accepted, w, 0});
    buf_free(&b);
    return err;
}

enum va_err esl_conn_bgapi(struct esl_conn *c, struct str line, const struct esl_then *then)
{
    if (c->jobs.tab.count >= c->jobs_max)
        return VA_ELIMIT;
    struct esl_waiter *w = esl_waiter_new(c, then);
    if (!w)
        return VA_ENOMEM;
    /* Registered before it is sent: the event may overtake the answer. */
    enum va_err err = esl_waiters_add(&c->jobs, w);
    if (!err && (err = send_job(c, line, w)))
        esl_waiters_remove(&c->jobs, w);
    if (err) {
        esl_waiter_free(w);
        return err;
    }
    if (w->then.timeout_ms)
        tmr_start(&w->tmr, c->loop, w->then.timeout_ms, on_job_late, w);
    return VA_OK;
}
