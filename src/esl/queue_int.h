/** esl/queue_int.h: the queue itself; one per connection, for conn.c only. */
#ifndef VA_ESL_QUEUE_INT_H
#define VA_ESL_QUEUE_INT_H

#include "base/list.h"
#include "esl/event.h"
#include "esl/queue.h"

struct esl_queued {
    struct link all;      /* in order of arrival */
    struct link ordinary; /* those that may be dropped for a newer one */
    enum esl_format format;
    size_t len;
    char bytes[];
};

struct esl_queue {
    struct esl_queue_cfg cfg;
    struct list all, ordinary;
    size_t ordinary_bytes, control_bytes;
    uint64_t lost; /* dropped and not told yet */
    struct esl_queue_stats stats;
};

/** Zeroes in cfg become `bytes_default` and 2000 µs. */
void esl_queue_init(struct esl_queue *q, const struct esl_queue_cfg *cfg, size_t bytes_default);
void esl_queue_clear(struct esl_queue *q);
/** Keep a copy of an event's bytes, or drop by policy. `ev` is that event, parsed. */
void esl_queue_push(struct esl_queue *q, enum esl_format format, struct str body,
                    const struct esl_event *ev);
/** The oldest, to be freed with free(). NULL when empty. */
struct esl_queued *esl_queue_pop(struct esl_queue *q);
static inline bool esl_queue_empty(const struct esl_queue *q)
{
    return list_empty(&q->all);
}

#endif
