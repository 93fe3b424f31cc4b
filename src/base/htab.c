#include "base/htab.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 16 };

uint32_t htab_hash(struct str key)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char)key.p[i]) * 16777619u;
    return h;
}

static void put(struct hlink **slot, size_t slots, struct hlink *h)
{
    struct hlink **at = &slot[h->hash & (slots - 1)];
    h->next = *at;
    *at = h;
}

static enum va_err grow(struct htab *t)
{
    size_t slots = t->slots ? t->slots * 2 : SLOTS_FIRST;
    struct hlink **slot = calloc(slots, sizeof(*slot));
    if (!slot)
        return VA_ENOMEM;
    for (size_t i = 0; i < t->slots; i++) {
        for (struct hlink *h = t->slot[i], *next; h; h = next) {
            next = h->next;
            put(slot, slots, h);
        }
    }
    free((void *)t->slot);
    t->slot = slot;
    t->slots = slots;
    return VA_OK;
}

enum va_err htab_add(struct htab *t, struct hlink *h, uint32_t hash)
{
    if (t->count >= t->slots && grow(t) && !t->slots)
        return VA_ENOMEM;
    h->hash = hash;
    put(t->slot, t->slots, h);
    t->count++;
    return VA_OK;
}

void htab_remove(struct htab *t, struct hlink *h)
{
    struct hlink **at = &t->slot[h->hash & (t->slots - 1)];
    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    h->next = NULL;
    if (--t->count)
        return;
    free((void *)t->slot);
    t->slot = NULL;
    t->slots = 0;
}

static struct hlink *same(struct hlink *h, uint32_t hash)
{
    while (h && h->hash != hash)
        h = h->next;
    return h;
}

struct hlink *htab_first(const struct htab *t, uint32_t hash)
{
    return t->count ? same(t->slot[hash & (t->slots - 1)], hash) : NULL;
}

struct hlink *htab_next(const struct hlink *h)
{
    return same(h->next, h->hash);
}

struct hlink *htab_any(const struct htab *t)
{
    for (size_t i = 0; t->count && i < t->slots; i++) {
        if (t->slot[i])
            return t->slot[i];
    }
    return NULL;
}

struct hlink *htab_walk(const struct htab *t, size_t *at, struct hlink **next)
{
    struct hlink *h = *at ? *next : NULL;
    while (!h && t->count && *at < t->slots)
        h = t->slot[(*at)++];
    if (h)
        *next = h->next;
    return h;
}
