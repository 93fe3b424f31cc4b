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

static struct esl_waiter *of(struct hlink *h)
{
    return container_of(h, struct esl_waiter, hash_link);
}

enum va_err esl_waiters_add(struct esl_waiters *t, struct esl_waiter *w)
{
    return htab_add(&t->tab, &w->hash_link, htab_hash(str_of(w->uuid)));
}

void esl_waiters_remove(struct esl_waiters *t, struct esl_waiter *w)
{
    htab_remove(&t->tab, &w->hash_link);
}

struct esl_waiter *esl_waiters_find(struct esl_waiters *t, struct str uuid)
{
    if (!t->tab.count || uuid.len != UUID_TEXT - 1)
        return NULL;
    for (struct hlink *h = htab_first(&t->tab, htab_hash(uuid)); h; h = htab_next(h)) {
        if (str_eqz(uuid, of(h)->uuid))
            return of(h);
    }
    return NULL;
}

struct esl_waiter *esl_waiters_any(struct esl_waiters *t)
{
    struct hlink *h = htab_any(&t->tab);
    return h ? of(h) : NULL;
}

void esl_waiters_forget(struct esl_waiters *t, const void *arg)
{
    size_t at = 0;
    struct hlink *next = NULL;
    for (struct hlink *h; (h = htab_walk(&t->tab, &at, &next));) {
        if (of(h)->then.arg == arg)
            of(h)->then.on_result = NULL;
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
