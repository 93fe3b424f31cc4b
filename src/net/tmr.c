/* A binary heap of (due, order), one uv timer for its top. Cancelling needs no search: a timer
 * knows its slot. */
#include "net/loop_int.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static bool before(const struct tmr *a, const struct tmr *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void place(struct loop *loop, size_t i, struct tmr *t)
{
    loop->heap[i] = t;
    t->slot = i + 1;
}

static void sift_up(struct loop *loop, size_t i)
{
    struct tmr *t = loop->heap[i];
    while (i > 0 && before(t, loop->heap[(i - 1) / 2])) {
        place(loop, i, loop->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(loop, i, t);
}

static void sift_down(struct loop *loop, size_t i)
{
    struct tmr *t = loop->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= loop->heap_len)
            break;
        if (child + 1 < loop->heap_len && before(loop->heap[child + 1], loop->heap[child]))
            child++;
        if (!before(loop->heap[child], t))
            break;
        place(loop, i, loop->heap[child]);
        i = child;
    }
    place(loop, i, t);
}

static void on_uv_due(uv_timer_t *timer)
{
    loop_timers_turn(timer->data);
}

static void on_uv_soon(uv_idle_t *soon)
{
    loop_timers_turn(soon->data);
}

/* What is due already goes by an idle handle: libuv fires a timer of 0 ms that is started by a
 * timer at once, again and again, and would never come to look at its sockets. */
static void arm(struct loop *loop)
{
    uint64_t now = loop_now_us(loop), due = loop->heap_len ? loop->heap[0]->due_us : 0;
    if (loop->heap_len && due <= now) {
        uv_timer_stop(&loop->timer);
        uv_idle_start(&loop->soon, on_uv_soon);
        return;
    }
    uv_idle_stop(&loop->soon);
    if (loop->heap_len == 0) {
        uv_timer_stop(&loop->timer);
        return;
    }
    uv_update_time(loop->uv);
    uv_timer_start(&loop->timer, on_uv_due, (due - now - 1) / 1000 + 1, 0);
}

static void heap_room(struct loop *loop)
{
    if (loop->heap_len < loop->heap_cap)
        return;
    size_t cap = loop->heap_cap ? loop->heap_cap * 2 : 64;
    struct tmr **heap = realloc(loop->heap, cap * sizeof(struct tmr *));
    if (!heap) { /* a lost timer would hang a call for ever: there is no honest way on */
        (void)fputs("out of memory for timers\n", stderr);
        abort();
    }
    loop->heap = heap;
    loop->heap_cap = cap;
}

void tmr_start(struct tmr *t, struct loop *loop, uint64_t after_ms, void (*on_fire)(void *),
               void *arg)
{
    tmr_stop(t);
    heap_room(loop);
    t->loop = loop;
    t->on_fire = on_fire;
    t->arg = arg;
    t->order = loop->tmr_order++;
    uint64_t now = loop_now_us(loop);
    t->due_us = after_ms < (UINT64_MAX - now) / 1000 ? now + after_ms * 1000 : UINT64_MAX;
    place(loop, loop->heap_len++, t);
    sift_up(loop, loop->heap_len - 1);
    if (t->slot == 1)
        arm(loop);
}

void tmr_stop(struct tmr *t)
{
    if (!t->slot)
        return;
    struct loop *loop = t->loop;
    size_t i = t->slot - 1;
    t->slot = 0;
    struct tmr *last = loop->heap[--loop->heap_len];
    if (last != t) {
        place(loop, i, last);
        sift_down(loop, i);
        sift_up(loop, last->slot - 1);
    }
}

void loop_timers_turn(struct loop *loop)
{
    /* Timers armed by handlers of this turn wait for the next one, even with a delay of 0. */
    uint64_t now = loop_now_us(loop), limit = loop->tmr_order;
    while (loop->heap_len) {
        struct tmr *t = loop->heap[0];
        if (t->due_us > now || t->order >= limit)
            break;
        tmr_stop(t);
        t->on_fire(t->arg);
        if (loop->turning) /* something happened: loop_turn() need not wait for more */
            uv_stop(loop->uv);
    }
    arm(loop);
}
