#include "ai/speech/tts_cache.h"
#include "base/list.h"
#include "base/str.h"

#include <stdlib.h>

enum { BUCKETS = 1024 };

struct entry {
    struct link used; /* in the order of use, oldest first */
    struct entry *next;
    struct pcm *speech;
    size_t bytes;
    uint64_t hash;
    char key[];
};

struct tts_cache {
    struct entry *bucket[BUCKETS];
    struct list used;
    size_t bytes, max;
};

/* FNV-1a, 64 bit. */
static uint64_t hash_of(const char *key)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 0x100000001b3u;
    return h;
}

enum va_err tts_cache_new(size_t max_bytes, struct tts_cache **ret_cache)
{
    struct tts_cache *c = calloc(1, sizeof(*c));
    if (!c)
        return VA_ENOMEM;
    list_init(&c->used);
    c->max = max_bytes;
    *ret_cache = c;
    return VA_OK;
}

static struct entry **find(struct tts_cache *c, const char *key, uint64_t hash)
{
    struct entry **at = &c->bucket[hash % BUCKETS];
    while (*at && ((*at)->hash != hash || strcmp((*at)->key, key) != 0))
        at = &(*at)->next;
    return at;
}

static void drop(struct tts_cache *c, struct entry *e)
{
    *find(c, e->key, e->hash) = e->next;
    link_remove(&e->used);
    c->bytes -= e->bytes;
    pcm_unref(&e->speech);
    free(e);
}

void tts_cache_free(struct tts_cache **pc)
{
    struct tts_cache *c = pc ? *pc : NULL;
    if (!c)
        return;
    *pc = NULL;
    list_each(&c->used, it, next) drop(c, container_of(it, struct entry, used));
    free(c);
}

struct pcm *tts_cache_get(struct tts_cache *c, const char *key)
{
    struct entry *e = *find(c, key, hash_of(key));
    if (!e)
        return NULL;
    link_remove(&e->used);
    list_push(&c->used, &e->used);
    return pcm_ref(e->speech);
}

void tts_cache_put(struct tts_cache *c, const char *key, struct pcm *speech)
{
    uint64_t hash = hash_of(key);
    size_t len = strlen(key) + 1;
    size_t bytes = sizeof(struct entry) + len + pcm_count(speech) * sizeof(int16_t);
    if (bytes > c->max || *find(c, key, hash))
        return;
    struct entry *e = calloc(1, sizeof(*e) + len);
    if (!e)
        return; /* a cache may forget */
    while (c->bytes + bytes > c->max)
        drop(c, container_of(c->used.head.next, struct entry, used));
    memcpy(e->key, key, len);
    e->hash = hash;
    e->bytes = bytes;
    e->speech = pcm_ref(speech);
    e->next = c->bucket[hash % BUCKETS];
    c->bucket[hash % BUCKETS] = e;
    list_push(&c->used, &e->used);
    c->bytes += bytes;
}

size_t tts_cache_bytes(const struct tts_cache *c)
{
    return c->bytes;
}
