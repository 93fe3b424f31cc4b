#include "esl/waiter.h"

#include <stdlib.h>

const char *esl_why_text(enum esl_why why)
{
    static const char *const text[] = {
#define X(sym, words) words,
        ESL_WHY_MAP(X)
#undef X
    };
    return (unsigned)why < ESL_WHY_COUNT ? text[why] : "unknown";
}

enum va_err esl_why_err(enum esl_why why)
{
    switch (why) {
    case ESL_WHY_NONE: return VA_OK;
    case ESL_WHY_REFUSED: return VA_EREFUSED;
    case ESL_WHY_TIMEOUT: return VA_ETIMEOUT;
    case ESL_WHY_HANGUP: return VA_ECANCELED;
    default: return VA_ECLOSED;
    }
}

struct esl_waiter *esl_waiter_new(void *owner, const struct esl_then *then)
{
    struct esl_waiter *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    rand_uuid(w->uuid);
    w->owner = owner;
    if (then)
        w->then = *then;
    return w;
}

void esl_waiter_free(struct esl_waiter *w)
{
    tmr_stop(&w->tmr);
    buf_free(&w->text);
    free(w);
}

void esl_waiter_tell(struct esl_waiter *w, const struct esl_result *r)
{
    struct esl_then then = w->then;
    if (r->done)
        esl_waiter_free(w);
    if (then.on_result)
        then.on_result(then.arg, r);
}

void esl_waiters_init(struct esl_waiters *t)
{
    for (size_t i = 0; i < ESL_WAITER_BUCKETS; i++)
        list_init(&t->bucket[i]);
    t->count = 0;
}

static struct list *bucket(struct esl_waiters *t, struct str uuid)
{
    unsigned h = 0;
    for (size_t i = 0; i < uuid.len; i++)
        h = h * 31 + (unsigned char)uuid.p[i];
    return &t->bucket[h % ESL_WAITER_BUCKETS];
}

void esl_waiters_add(struct esl_waiters *t, struct esl_waiter *w)
{
    list_push(bucket(t, str_of(w->uuid)), &w->link);
    t->count++;
}

void esl_waiters_remove(struct esl_waiters *t, struct esl_waiter *w)
{
    link_remove(&w->link);
    t->count--;
}

struct esl_waiter *esl_waiters_find(struct esl_waiters *t, struct str uuid)
{
    if (!t->count || uuid.len != UUID_TEXT - 1)
        return NULL;
    list_each(bucket(t, uuid), it, next)
    {
        struct esl_waiter *w = container_of(it, struct esl_waiter, link);
        if (str_eqz(uuid, w->uuid))
            return w;
    }
    return NULL;
}

struct esl_waiter *esl_waiters_any(struct esl_waiters *t)
{
    for (size_t i = 0; i < ESL_WAITER_BUCKETS; i++) {
        if (!list_empty(&t->bucket[i]))
            return container_of(t->bucket[i].head.next, struct esl_waiter, link);
    }
    return NULL;
}

void esl_waiters_forget(struct esl_waiters *t, const void *arg)
{
    for (size_t i = 0; i < ESL_WAITER_BUCKETS; i++) {
        list_each(&t->bucket[i], it, next)
        {
            struct esl_waiter *w = container_of(it, struct esl_waiter, link);
            if (w->then.arg == arg)
                w->then.on_result = NULL;
        }
    }
}

void esl_waiters_clear(struct esl_waiters *t)
{
    struct esl_waiter *w;
    while ((w = esl_waiters_any(t))) {
        esl_waiters_remove(t, w);
        esl_waiter_free(w);
    }
}
