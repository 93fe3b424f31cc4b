#include "esl/queue_int.h"

#include <stdlib.h>

enum { SLICE_US = 2000, SLICE_MAX_US = 1 << 30 };

void esl_queue_init(struct esl_queue *q, const struct esl_queue_cfg *cfg, size_t bytes_default)
{
    *q = (struct esl_queue){.cfg = *cfg};
    if (!q->cfg.bytes_max)
        q->cfg.bytes_max = bytes_default;
    if (!q->cfg.control_bytes_max)
        q->cfg.control_bytes_max = bytes_default;
    if (!q->cfg.slice_us)
        q->cfg.slice_us = SLICE_US;
    if (q->cfg.slice_us > SLICE_MAX_US)
        q->cfg.slice_us = SLICE_MAX_US;
    list_init(&q->all);
    list_init(&q->ordinary);
}

/* What an application keeps state by: losing one of these leaves a ghost call behind. */
static bool is_control(const struct esl_event *ev)
{
    static const char *const names[] = {
        "CHANNEL_CREATE",           "CHANNEL_ANSWER", "CHANNEL_BRIDGE",
        "CHANNEL_UNBRIDGE",         "CHANNEL_UUID",   "CHANNEL_UNPARK",
        "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_DESTROY",          "BACKGROUND_JOB", "SHUTDOWN"};
    struct str name = esl_event_name(ev);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_eqz(name, names[i]))
            return true;
    }
    return false;
}

static size_t cost(const struct esl_queued *e)
{
    return sizeof(*e) + e->len;
}

static void take_out(struct esl_queue *q, struct esl_queued *e)
{
    size_t *bytes = link_linked(&e->ordinary) ? &q->ordinary_bytes : &q->control_bytes;
    *bytes -= cost(e);
    link_remove(&e->all);
    link_remove(&e->ordinary);
    q->stats.events--;
    q->stats.bytes -= cost(e);
}

static void count_drop(struct esl_queue *q, bool control)
{
    q->lost++;
    if (control)
        q->stats.dropped_control++;
    else
        q->stats.dropped++;
}

/* Make room among the ordinary ones; false when the new one is the one to go. */
static bool make_room(struct esl_queue *q, size_t need)
{
    if (need > q->cfg.bytes_max)
        return false;
    while (q->ordinary_bytes > q->cfg.bytes_max - need) {
        if (q->cfg.drop == ESL_DROP_NEWEST)
            return false;
        struct esl_queued *old = container_of(q->ordinary.head.next, struct esl_queued, ordinary);
        take_out(q, old);
        free(old);
        count_drop(q, false);
    }
    return true;
}

void esl_queue_push(struct esl_queue *q, enum esl_format format, struct str body,
                    const struct esl_event *ev)
{
    size_t need = sizeof(struct esl_queued) + body.len;
    bool control = is_control(ev);
    bool fits = control ? need <= q->cfg.control_bytes_max &&
                              q->control_bytes <= q->cfg.control_bytes_max - need
                        : make_room(q, need);
    struct esl_queued *e = fits ? malloc(need) : NULL;
    if (!e) {
        count_drop(q, control);
        return;
    }
    *e = (struct esl_queued){.format = format, .len = body.len};
    memcpy(e->bytes, body.p, body.len);
    list_push(&q->all, &e->all);
    if (!control)
        list_push(&q->ordinary, &e->ordinary);
    *(control ? &q->control_bytes : &q->ordinary_bytes) += need;
    q->stats.queued++;
    q->stats.events++;
    q->stats.bytes += need;
    if (q->stats.bytes > q->stats.bytes_peak)
        q->stats.bytes_peak = q->stats.bytes;
}

struct esl_queued *esl_queue_pop(struct esl_queue *q)
{
    if (esl_queue_empty(q))
        return NULL;
    struct esl_queued *e = container_of(q->all.head.next, struct esl_queued, all);
    take_out(q, e);
    return e;
}

void esl_queue_clear(struct esl_queue *q)
{
    struct esl_queued *e;
    while ((e = esl_queue_pop(q)))
        free(e);
}
