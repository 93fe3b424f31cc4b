#include "esl/blocking.h"
#include "esl/loop.h"
#include "net/loop.h"

#include <stdio.h>
#include <stdlib.h>

/* An event that waits to be fetched. */
struct kept {
    struct link link;
    struct esl_event *event;
};

struct esl_blocking {
    struct loop *loop;
    struct esl_client *client;
    struct list kept;
    bool ready, down;
    enum esl_why why;
    enum va_err err;
    size_t kept_count;
    uint64_t lost;
    char text[sizeof(((struct va_fault *)0)->text)]; /* why it is down */
};

/* One request on its way: the answer belongs to the caller, and so does its life. */
static void on_answer(void *arg, const struct esl_result *r)
{
    struct esl_answer *a = arg;
    if (!r->done)
        return;
    a->done = true;
    a->err = r->err;
    a->why = r->why;
    a->text = r->text.p ? str_dup(r->text) : NULL;
    a->len = a->text ? r->text.len : 0;
    a->event = r->event ? esl_event_dup(r->event) : NULL;
    if ((r->text.p && !a->text) || (r->event && !a->event))
        a->err = VA_ENOMEM;
}

void esl_answer_free(struct esl_answer *a)
{
    if (!a)
        return;
    free(a->text);
    esl_event_free(&a->event);
    *a = (struct esl_answer){0};
}

struct esl_then esl_blocking_then(struct esl_answer *a, uint64_t timeout_ms)
{
    esl_answer_free(a);
    return (struct esl_then){on_answer, a, timeout_ms};
}

static void on_ready(void *arg, bool again)
{
    struct esl_blocking *b = arg;
    (void)again;
    b->ready = true;
}

static void on_down(void *arg, const struct esl_down *d)
{
    struct esl_blocking *b = arg;
    b->why = d->why;
    b->err = d->err;
    (void)str_copy(b->text, sizeof(b->text), str_of(d->text));
    if (!d->was_ready && !d->final)
        return; /* more attempts were asked for */
    b->down = true;
    esl_client_close(&b->client);
}

/* The oldest event, which the caller frees; NULL when there is none. */
static struct esl_event *take_first(struct esl_blocking *b)
{
    struct link *first = list_pop(&b->kept);
    if (!first)
        return NULL;
    struct kept *k = container_of(first, struct kept, link);
    struct esl_event *ev = k->event;
    free(k);
    b->kept_count--;
    return ev;
}

static void on_event(void *arg, const struct esl_event *ev)
{
    struct esl_blocking *b = arg;
    struct kept *k = calloc(1, sizeof(*k));
    if (k)
        k->event = esl_event_dup(ev);
    if (!k || !k->event) {
        free(k);
        b->lost++;
        return;
    }
    if (b->kept_count == ESL_BLOCKING_EVENTS_MAX) {
        struct esl_event *old = take_first(b);
        esl_event_free(&old);
        b->lost++;
    }
    list_push(&b->kept, &k->link);
    b->kept_count++;
}

static void on_lost(void *arg, uint64_t n)
{
    ((struct esl_blocking *)arg)->lost += n;
}

enum va_err esl_blocking_connect(const struct esl_client_cfg *cfg, struct esl_blocking **ret_b,
                                 struct va_fault *fault)
{
    static const struct esl_client_handlers handlers = {
        .on_ready = on_ready, .on_down = on_down, .on_event = on_event, .on_lost = on_lost};
    struct esl_client_cfg once = cfg ? *cfg : (struct esl_client_cfg){0};
    if (!once.max_attempts)
        once.max_attempts = 1;
    struct esl_blocking *b = calloc(1, sizeof(*b));
    if (!b)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    list_init(&b->kept);
    enum va_err err = esl_loop_new(NULL, &b->loop);
    if (!err)
        err = esl_client_open(b->loop, &once, &handlers, b, &b->client);
    if (err) {
        esl_blocking_close(&b);
        return va_fault_set(fault, err, "host, user or password cannot be used: %s",
                            va_err_text(err));
    }
    while (!b->ready && !b->down)
        loop_turn(b->loop, true);
    if (b->ready) {
        *ret_b = b;
        return VA_OK;
    }
    err = va_fault_set(fault, b->err, "%s", b->text);
    esl_blocking_close(&b);
    return err;
}

void esl_blocking_close(struct esl_blocking **pb)
{
    struct esl_blocking *b = pb ? *pb : NULL;
    if (!b)
        return;
    *pb = NULL;
    esl_client_close(&b->client);
    for (struct esl_event *ev; (ev = take_first(b));)
        esl_event_free(&ev);
    esl_loop_free(&b->loop);
    free(b);
}

enum va_err esl_blocking_wait(struct esl_blocking *b, struct esl_answer *a)
{
    while (!a->done && !b->down)
        loop_turn(b->loop, true);
    if (!a->done) {
        a->done = true;
        a->err = VA_ECLOSED;
        a->why = b->why;
    }
    return a->err;
}

/* A request was sent, or not. */
static enum va_err finish(struct esl_blocking *b, enum va_err err, struct esl_answer *a)
{
    if (!err)
        return esl_blocking_wait(b, a);
    *a = (struct esl_answer){.done = true, .err = err, .why = b->why};
    return err;
}

enum va_err esl_blocking_api(struct esl_blocking *b, struct str line, struct esl_answer *a)
{
    struct esl_then then = esl_blocking_then(a, 0);
    return finish(b, b->client ? esl_client_api(b->client, line, &then) : VA_ECLOSED, a);
}

enum va_err esl_blocking_bgapi(struct esl_blocking *b, struct str line, uint64_t timeout_ms,
                               struct esl_answer *a)
{
    struct esl_then then = esl_blocking_then(a, timeout_ms);
    return finish(b, b->client ? esl_client_bgapi(b->client, line, &then) : VA_ECLOSED, a);
}

enum va_err esl_blocking_subscribe(struct esl_blocking *b, struct str names, const char *uuid)
{
    struct esl_answer a = {0};
    struct esl_then then = esl_blocking_then(&a, 0);
    enum va_err err = b->client ? esl_client_subscribe(b->client, names, uuid, &then) : VA_ECLOSED;
    if (!err)
        err = esl_blocking_wait(b, &a);
    esl_answer_free(&a);
    return err;
}

static void on_late(void *arg)
{
    *(bool *)arg = true;
}

enum va_err esl_blocking_next_event(struct esl_blocking *b, uint64_t timeout_ms,
                                    struct esl_event **ret_event)
{
    bool late = false;
    struct tmr limit = {0};
    if (timeout_ms)
        tmr_start(&limit, b->loop, timeout_ms, on_late, &late);
    while (list_empty(&b->kept) && !b->down && !late)
        loop_turn(b->loop, true);
    tmr_stop(&limit);
    struct esl_event *ev = take_first(b);
    if (!ev)
        return b->down ? VA_ECLOSED : VA_ETIMEOUT;
    *ret_event = ev;
    return VA_OK;
}

uint64_t esl_blocking_lost(const struct esl_blocking *b)
{
    return b->lost;
}

struct esl_client *esl_blocking_client(struct esl_blocking *b)
{
    return b->client;
}

struct esl_switch *esl_blocking_switch(struct esl_blocking *b)
{
    return b->client ? esl_client_switch(b->client) : NULL;
}

const char *esl_blocking_why(const struct esl_blocking *b)
{
    return b->down ? b->text : "";
}
