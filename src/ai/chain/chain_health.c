/* Who is passed over, and counters. Shared by all workers without a lock: a slot is claimed by its
 * key, then given its time. Whoever reads in between sees a time that is over and tries the
 * provider himself: harmless. */
#include "ai/chain/chain_int.h"

#include <stdatomic.h>

enum { SLOTS = 256 /* when all are in use, the next ones are tried */ };

static struct slot {
    _Atomic uint64_t key;      /* 0: free */
    _Atomic uint64_t until_us; /* monotonic */
} slots[SLOTS];

static _Atomic uint64_t counts[CHAIN_COUNTS];

/* FNV-1a, the NUL included. */
static uint64_t hash(uint64_t h, const char *z)
{
    do
        h = (h ^ (unsigned char)*z) * 0x100000001b3u;
    while (*z++);
    return h;
}

/* What is wrong with a key, a quota or the way there is so for the whole tenant. */
static uint64_t tenant_key(const char *name, const struct secretary *s)
{
    uint64_t h = hash(hash(0xcbf29ce484222325u, name), s->tenant);
    return h ? h : 1;
}

/* What a remote will not do may be asked for by this secretary alone, a voice it does not know. A
 * wrong setting is everybody's, but each finds that out by itself, at the cost of one try. */
static uint64_t secretary_key(const char *name, const struct secretary *s)
{
    uint64_t h = hash(hash(hash(tenant_key(name, s), s->id), s->voice), s->language);
    return h ? h : 1;
}

static bool asked_for(enum va_err why)
{
    return chain_class_of(why) == CHAIN_CLASS_FATAL && why != VA_EAUTH;
}

static struct slot *find(uint64_t key)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (atomic_load(&slots[i].key) == key)
            return &slots[i];
    return NULL;
}

static struct slot *claim(uint64_t key, uint64_t now_us)
{
    for (size_t i = 0; i < SLOTS; i++) {
        uint64_t old = atomic_load(&slots[i].key);
        bool over = !old || atomic_load(&slots[i].until_us) <= now_us;
        if (over && atomic_compare_exchange_strong(&slots[i].key, &old, key))
            return &slots[i];
    }
    return NULL;
}

void chain_health_note(const char *name, const struct secretary *secretary, enum va_err why,
                       uint64_t now_us, uint64_t skip_s)
{
    uint64_t key = asked_for(why) ? secretary_key(name, secretary) : tenant_key(name, secretary);
    struct slot *s = find(key);
    if (!s)
        s = claim(key, now_us);
    if (s)
        atomic_store(&s->until_us, now_us + skip_s * 1000000);
}

static uint64_t until_us(uint64_t key)
{
    const struct slot *s = find(key);
    return s ? atomic_load(&s->until_us) : 0;
}

uint64_t chain_health_left_ms(const char *name, const struct secretary *secretary, uint64_t now_us)
{
    uint64_t until = until_us(tenant_key(name, secretary)),
             own = until_us(secretary_key(name, secretary));
    until = own > until ? own : until;
    return until > now_us ? (until - now_us + 999) / 1000 : 0;
}

void chain_health_forget(void)
{
    for (size_t i = 0; i < SLOTS; i++)
        atomic_store(&slots[i].until_us, 0);
}

enum chain_class chain_class_of(enum va_err why)
{
    switch (why) {
    case VA_EAUTH:
    case VA_ECONFIG:
    case VA_ENOTSUP:
    case VA_EINVAL:
    case VA_ENOTFOUND: return CHAIN_CLASS_FATAL;
    case VA_ELIMIT: return CHAIN_CLASS_BUSY;
    default: return CHAIN_CLASS_LOST;
    }
}

void chain_count(enum chain_count what)
{
    atomic_fetch_add_explicit(&counts[what], 1, memory_order_relaxed);
}

void chain_stats(struct chain_stats *ret_stats)
{
#define X(name) ret_stats->name = atomic_load_explicit(&counts[COUNT_##name], memory_order_relaxed);
    CHAIN_COUNT_MAP(X)
#undef X
}
