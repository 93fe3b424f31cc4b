/*
 *     OPENING ─► OPEN ─► DONE        of a call: handlers set
 *     OPENING ─► WAITING ─► TAKEN ─► OPEN     prepared: handlers set when taken, told on the next
 *                                             turn
 */
#include "ai/realtime/link.h"

#include <stdlib.h>

enum {
    MESSAGE_MAX = 4 * 1024 * 1024, /* the longest seen is a response.done of some 100 KB */
    CLOSE_NORMAL = 1000,
    NEXT_MS = 500 /* the call that took one has the worker to itself first */
};

enum link_state { LINK_OPENING, LINK_WAITING, LINK_TAKEN, LINK_OPEN, LINK_DONE };

struct rt_link {
    struct link in_pool; /* of those that wait or will */
    struct pool *pool;   /* NULL: of a call */
    struct loop *loop;
    struct ws_conn *ws;
    enum link_state state;
    const struct link_handlers *h;
    void *arg;
    struct rt_target *target; /* of a prepared one; NULL once delivered */
    const struct tls_ctx *tls;
    uint64_t connect_timeout_ms;
    bool prepare;
    bool was_prepared;
    struct buf early; /* messages before it was taken: kind, length, bytes */
    struct tmr later; /* stale, then delivery */
    bool *gone;       /* set when freed inside of delivery */
};

struct pool {
    struct pool *next;
    struct loop *loop;
    unsigned per_target;
    struct list links;
    size_t count;
};

/* A loop is one thread's; several on one thread happen in tests. */
static _Thread_local struct pool *pools;

static struct pool *pool_of(const struct loop *loop)
{
    struct pool *p = pools;
    while (p && p->loop != loop)
        p = p->next;
    return p;
}

/* ---- one link ----------------------------------------------------------------------------------
 */

static void leave_pool(struct rt_link *l)
{
    if (!l->pool)
        return;
    link_remove(&l->in_pool);
    l->pool->count--;
    l->pool = NULL;
}

static void free_link(struct rt_link *l)
{
    if (l->gone)
        *l->gone = true;
    leave_pool(l);
    tmr_stop(&l->later);
    ws_free(&l->ws);
    buf_free(&l->early);
    free(l->target);
    free(l);
}

void link_close(struct rt_link **pl)
{
    struct rt_link *l = *pl;
    *pl = NULL;
    if (!l)
        return;
    if (l->ws && l->state == LINK_OPEN)
        ws_close(l->ws, CLOSE_NORMAL, "");
    free_link(l);
}

struct ws_conn *link_ws(struct rt_link *l)
{
    return l->state == LINK_OPEN ? l->ws : NULL;
}

bool link_was_prepared(const struct rt_link *l)
{
    return l->was_prepared;
}

static enum va_err connect_ws(struct rt_link *l, const struct rt_target *to);

static void prepare(struct loop *loop, const struct link_cfg *cfg, uint64_t after_ms);

static void prepare_next(struct rt_link *l)
{
    if (!l->prepare || !l->target)
        return;
    struct link_cfg cfg = {l->target, l->tls, l->connect_timeout_ms, true};
    prepare(l->loop, &cfg, NEXT_MS);
    free(l->target);
    l->target = NULL;
}

static void on_stale(void *arg)
{
    struct rt_link *l = arg;
    ws_close(l->ws, CLOSE_NORMAL, "");
    leave_pool(l); /* its place is the next one's */
    l->prepare = true;
    prepare_next(l);
    free_link(l);
}

static void on_ws_open(void *arg, struct str subprotocol)
{
    (void)subprotocol;
    struct rt_link *l = arg;
    if (l->pool) {
        l->state = LINK_WAITING;
        tmr_start(&l->later, l->loop, (uint64_t)LINK_STALE_S * 1000, on_stale, l);
        return;
    }
    l->state = LINK_OPEN;
    prepare_next(l);
    l->h->on_open(l->arg);
}

static void keep_early(struct rt_link *l, enum ws_kind kind, const char *p, size_t len)
{
    uint32_t n = (uint32_t)len;
    char k = (char)kind;
    (void)buf_add(&l->early, &k, 1);
    (void)buf_add(&l->early, &n, sizeof(n));
    (void)buf_add(&l->early, p, len);
    if (buf_failed(&l->early) && l->state == LINK_WAITING)
        free_link(l);
}

static void on_ws_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct rt_link *l = arg;
    if (l->state == LINK_OPEN)
        l->h->on_message(l->arg, kind, str_make(p, len));
    else
        keep_early(l, kind, p, len);
}

/* A prepared one that dies in the moment it is taken: a new one, nobody has seen anything of it. */
static bool connect_again(struct rt_link *l)
{
    if (l->state != LINK_TAKEN)
        return false;
    tmr_stop(&l->later);
    buf_reset(&l->early);
    ws_free(&l->ws);
    l->was_prepared = false;
    l->state = LINK_OPENING;
    return connect_ws(l, l->target) == VA_OK;
}

static void on_ws_closed(void *arg, const struct ws_end *end)
{
    struct rt_link *l = arg;
    if (l->pool) {
        free_link(l);
        return;
    }
    if (connect_again(l))
        return;
    l->state = LINK_DONE;
    l->h->on_closed(l->arg, end);
}

static const struct ws_handlers ws_handlers = {
    .on_open = on_ws_open, .on_message = on_ws_message, .on_closed = on_ws_closed};

static enum va_err connect_ws(struct rt_link *l, const struct rt_target *to)
{
    struct ws_header headers[RT_HEADERS_MAX];
    for (size_t i = 0; i < to->header_count; i++)
        headers[i] = (struct ws_header){str_of(to->header[i].name), str_of(to->header[i].value)};
    struct ws_target target = {.url = to->url,
                               .headers = headers,
                               .header_count = to->header_count,
                               .subprotocol = *to->subprotocol ? to->subprotocol : NULL};
    struct ws_cfg cfg = {.connect_timeout_ms = l->connect_timeout_ms,
                         .message_max = MESSAGE_MAX,
                         .out_max = RT_OUT_MAX,
                         .tls = l->tls};
    return ws_connect(l->loop, &target, &cfg, &ws_handlers, l, &l->ws);
}

static struct rt_link *new_link(struct loop *loop, const struct link_cfg *cfg)
{
    struct rt_link *l = calloc(1, sizeof(*l));
    struct rt_target *target = malloc(sizeof(*target));
    if (!l || !target) {
        free(l);
        free(target);
        return NULL;
    }
    *target = *cfg->target;
    l->target = target;
    l->loop = loop;
    l->tls = cfg->tls;
    l->connect_timeout_ms = cfg->connect_timeout_ms;
    l->prepare = cfg->prepare;
    buf_init(&l->early, LINK_EARLY_MAX);
    return l;
}

/* ---- taking a prepared one
 * ----------------------------------------------------------------------- */

static bool same_target(const struct rt_target *a, const struct rt_target *b)
{
    bool same = strcmp(a->url, b->url) == 0 && strcmp(a->subprotocol, b->subprotocol) == 0 &&
                a->header_count == b->header_count;
    for (size_t i = 0; same && i < a->header_count; i++)
        same = strcmp(a->header[i].name, b->header[i].name) == 0 &&
               strcmp(a->header[i].value, b->header[i].value) == 0;
    return same;
}

static void deliver(void *arg)
{
    struct rt_link *l = arg;
    bool gone = false;
    struct buf early = l->early;
    buf_init(&l->early, LINK_EARLY_MAX);
    l->state = LINK_OPEN;
    l->gone = &gone;
    prepare_next(l);
    l->h->on_open(l->arg);
    for (size_t at = 0; !gone && at + 5 <= early.len;) {
        uint32_t n;
        memcpy(&n, early.p + at + 1, sizeof(n));
        l->h->on_message(l->arg, (enum ws_kind)early.p[at], str_make(early.p + at + 5, n));
        at += 5 + n;
    }
    if (!gone)
        l->gone = NULL;
    buf_free(&early);
}

static struct rt_link *take(struct loop *loop, const struct link_cfg *cfg)
{
    struct pool *pool = pool_of(loop);
    if (!pool)
        return NULL;
    list_each(&pool->links, it, next)
    {
        struct rt_link *l = container_of(it, struct rt_link, in_pool);
        if (l->state != LINK_WAITING || l->tls != cfg->tls || !same_target(l->target, cfg->target))
            continue;
        leave_pool(l);
        l->was_prepared = true;
        l->state = LINK_TAKEN;
        return l;
    }
    return NULL;
}

enum va_err link_open(struct loop *loop, const struct link_cfg *cfg, const struct link_handlers *h,
                      void *arg, struct rt_link **ret_link)
{
    struct rt_link *l = cfg->prepare ? take(loop, cfg) : NULL;
    if (l) {
        l->h = h;
        l->arg = arg;
        tmr_start(&l->later, loop, 0, deliver, l);
        *ret_link = l;
        return VA_OK;
    }
    l = new_link(loop, cfg);
    if (!l)
        return VA_ENOMEM;
    l->h = h;
    l->arg = arg;
    enum va_err err = connect_ws(l, l->target);
    if (err) {
        free_link(l);
        return err;
    }
    *ret_link = l;
    return VA_OK;
}

/* ---- the pool
 * ------------------------------------------------------------------------------------ */

void link_pool_start(struct loop *loop, unsigned count)
{
    struct pool *p = pool_of(loop);
    if (!p) {
        p = calloc(1, sizeof(*p));
        if (!p)
            return; /* then none are prepared */
        p->loop = loop;
        list_init(&p->links);
        p->next = pools;
        pools = p;
    }
    p->per_target = count;
}

static void on_its_turn(void *arg)
{
    struct rt_link *l = arg;
    if (connect_ws(l, l->target))
        free_link(l);
}

static void prepare(struct loop *loop, const struct link_cfg *cfg, uint64_t after_ms)
{
    struct pool *pool = pool_of(loop);
    if (!pool || pool->count >= LINK_POOL_MAX)
        return;
    unsigned have = 0;
    list_each(&pool->links, it, next)
    {
        struct rt_link *l = container_of(it, struct rt_link, in_pool);
        have += same_target(l->target, cfg->target);
    }
    struct rt_link *l = have < pool->per_target ? new_link(loop, cfg) : NULL;
    if (!l)
        return;
    l->pool = pool;
    list_push(&pool->links, &l->in_pool);
    pool->count++;
    tmr_start(&l->later, loop, after_ms, on_its_turn, l);
}

void link_prepare(struct loop *loop, const struct link_cfg *cfg)
{
    prepare(loop, cfg, 0);
}

void link_pool_stop(struct loop *loop)
{
    for (struct pool **at = &pools; *at; at = &(*at)->next) {
        struct pool *p = *at;
        if (p->loop != loop)
            continue;
        *at = p->next;
        list_each(&p->links, it, next) free_link(container_of(it, struct rt_link, in_pool));
        free(p);
        return;
    }
}

size_t link_pool_waiting(struct loop *loop)
{
    struct pool *p = pool_of(loop);
    size_t n = 0;
    if (!p)
        return 0;
    list_each(&p->links, it, next) n +=
        container_of(it, struct rt_link, in_pool)->state == LINK_WAITING;
    return n;
}
