/* Time is cut into slots of 5 ms, counted from the moment the first member joined (slot 0). A ring
 * of lists holds each member at its next slot:
 *
 *     slot      n−20 ……………… next ………… now │ now+1 ………… now+12
 *     ring      (skipped)    ├─ being caught up ─┤ └─ where members may be put ─┘
 *
 * The largest span is 20 slots of catching up and 12 of the longest period: a ring of 64 can never
 * put two different slots into one list. Periods divide 120 ms, so the load of a slot is the same
 * again 24 slots later and a table of 24 counts tells where the wheel is emptiest. */
#include "media/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    SLOT_US = MEDIA_CLOCK_SLOT_MS * 1000,
    RING = 64,
    CYCLE = 24,     /* slots after which the load repeats */
    PERIOD_MAX = 12 /* slots */
};

struct media_clock {
    uv_poll_t poll; /* first: freed when libuv let go of it */
    struct loop *loop;
    int fd;
    bool ticking; /* inside advance_to */
    uint64_t origin_us;
    uint64_t next_slot; /* the first one not delivered yet */
    uint64_t now_slot;  /* the last one that is due */
    uint64_t now_us;    /* what advance_to was told */
    uint64_t catchup;   /* slots that are delivered late rather than skipped */
    size_t members;
    uint32_t load[CYCLE];
    struct list ring[RING];
    struct media_clock_stats stats;
};

/* ---- lateness: four bins per octave of (µs + 4), so that small values have bins of 1 µs --------
 */

static unsigned bin_of(uint64_t us)
{
    uint64_t v = us + 4;
    unsigned top = 63u - (unsigned)__builtin_clzll(v);
    unsigned bin = (top - 2) * 4 + (unsigned)((v >> (top - 2)) & 3);
    return bin < MEDIA_CLOCK_LATENESS_BINS ? bin : MEDIA_CLOCK_LATENESS_BINS - 1;
}

uint64_t media_clock_bin_edge_us(unsigned bin)
{
    if (bin >= MEDIA_CLOCK_LATENESS_BINS - 1)
        return UINT64_MAX;
    return ((uint64_t)(bin % 4 + 5) << (bin / 4)) - 5;
}

static void note_lateness(struct media_clock *c, uint64_t us)
{
    c->stats.ticks++;
    c->stats.bins[bin_of(us)]++;
    if (us > MEDIA_CLOCK_LATE_MS * 1000)
        c->stats.late++;
    if (us > c->stats.max_us)
        c->stats.max_us = us;
}

static uint64_t percentile(const struct media_clock_stats *s, unsigned percent)
{
    uint64_t want = (s->ticks * percent + 99) / 100, seen = 0;
    for (unsigned i = 0; i < MEDIA_CLOCK_LATENESS_BINS && want; i++) {
        seen += s->bins[i];
        if (seen >= want) {
            uint64_t edge = media_clock_bin_edge_us(i);
            return edge < s->max_us ? edge : s->max_us;
        }
    }
    return 0;
}

void media_clock_stats(const struct media_clock *c, struct media_clock_stats *ret_stats)
{
    *ret_stats = c->stats;
    ret_stats->members = c->members;
    ret_stats->p50_us = percentile(&c->stats, 50);
    ret_stats->p99_us = percentile(&c->stats, 99);
}

void media_clock_stats_reset(struct media_clock *c)
{
    memset(&c->stats, 0, sizeof(c->stats));
}

/* Relative to now, which is never before the origin: a wake-up comes just after its slot is due. */
static void set_timer(struct media_clock *c, bool on)
{
    long ns = on ? SLOT_US * 1000L : 0;
    struct itimerspec spec = {{0, ns}, {0, ns}};
    (void)timerfd_settime(c->fd, 0, &spec, NULL);
}

/* ---- the wheel ------------------------------------------------------------------------------- */

static void put(struct media_clock *c, struct media_tick *t)
{
    assert(t->due_slot >= c->next_slot && t->due_slot - c->next_slot < RING);
    list_push(&c->ring[t->due_slot % RING], &t->link);
}

static void add_load(struct media_clock *c, const struct media_tick *t, uint32_t by)
{
    for (uint64_t s = t->due_slot % t->period_slots; s < CYCLE; s += t->period_slots)
        c->load[s] += by;
}

/* A stall longer than the catch-up: every member jumps over the periods that are too old. */
static void skip_to(struct media_clock *c, uint64_t slot)
{
    struct list all;
    list_init(&all);
    for (size_t i = 0; i < RING; i++)
        for (struct link *l = list_pop(&c->ring[i]); l; l = list_pop(&c->ring[i]))
            list_push(&all, l);
    c->next_slot = slot;
    for (struct link *l = list_pop(&all); l; l = list_pop(&all)) {
        struct media_tick *t = container_of(l, struct media_tick, link);
        if (t->due_slot < slot) {
            uint64_t missed = (slot - t->due_slot + t->period_slots - 1) / t->period_slots;
            t->due_slot += missed * t->period_slots;
            t->skipped += missed;
            c->stats.skipped += missed;
        }
        put(c, t);
    }
}

/* Members are popped one by one, so a tick may unlink any other of the same slot. A member is
 * already at its next slot when its tick runs, so it may leave, or be freed, inside it. */
static void turn_slot(struct media_clock *c)
{
    uint64_t slot = c->next_slot++, due_us = c->origin_us + slot * SLOT_US;
    struct list *list = &c->ring[slot % RING];
    for (struct link *l = list_pop(list); l; l = list_pop(list)) {
        struct media_tick *t = container_of(l, struct media_tick, link);
        t->due_slot = slot + t->period_slots;
        put(c, t);
        uint64_t now = loop_now_us(c->loop);
        if (now < c->now_us)
            now = c->now_us; /* a test that only advances */
        note_lateness(c, now > due_us ? now - due_us : 0);
        t->on_tick(t->arg, now);
    }
}

static void see_time(struct media_clock *c, uint64_t now_us)
{
    if (now_us <= c->now_us)
        return;
    c->now_us = now_us;
    c->now_slot = (now_us - c->origin_us) / SLOT_US;
    if (c->now_slot >= c->next_slot + c->catchup)
        skip_to(c, c->now_slot - c->catchup + 1);
}

void media_clock_advance_to(struct media_clock *c, uint64_t now_us)
{
    assert(!c->ticking && "not from inside a tick");
    if (!c->members || c->ticking)
        return;
    see_time(c, now_us);
    c->ticking = true;
    while (c->next_slot <= c->now_slot)
        turn_slot(c);
    c->ticking = false;
    if (c->members == 0)
        set_timer(c, false);
}

/* ---- the timer ------------------------------------------------------------------------------- */

static void on_timer(uv_poll_t *poll, int status, int events)
{
    struct media_clock *c = poll->data;
    (void)status;
    (void)events;
    uint64_t expired = 0;
    if (read(c->fd, &expired, sizeof(expired)) < 0)
        return; /* switched off between the wake-up and now */
    media_clock_advance_to(c, loop_now_us(c->loop));
}

void media_clock_set_catchup(struct media_clock *c, int ms)
{
    if (ms > MEDIA_CLOCK_CATCHUP_MS)
        ms = MEDIA_CLOCK_CATCHUP_MS; /* the ring has no room for more */
    c->catchup = ms < MEDIA_CLOCK_SLOT_MS ? 1 : (uint64_t)(ms / MEDIA_CLOCK_SLOT_MS);
}

enum va_err media_clock_new(struct loop *loop, struct media_clock **ret_clock)
{
    struct media_clock *c = calloc(1, sizeof(*c));
    if (!c)
        return VA_ENOMEM;
    c->loop = loop;
    media_clock_set_catchup(c, MEDIA_CLOCK_CATCHUP_MS);
    c->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (c->fd < 0) {
        enum va_err err = va_err_from_errno(errno);
        free(c);
        return err;
    }
    for (size_t i = 0; i < RING; i++)
        list_init(&c->ring[i]);
    int status = uv_poll_init(loop_uv(loop), &c->poll, c->fd);
    if (status) {
        (void)close(c->fd);
        free(c);
        return va_err_from_uv(status);
    }
    c->poll.data = c;
    (void)uv_poll_start(&c->poll, UV_READABLE, on_timer);
    *ret_clock = c;
    return VA_OK;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void media_clock_free(struct media_clock **pc)
{
    struct media_clock *c = pc ? *pc : NULL;
    if (!c)
        return;
    assert(!c->ticking);
    *pc = NULL;
    for (size_t i = 0; i < RING; i++) {
        list_each(&c->ring[i], l, tmp) media_clock_leave(container_of(l, struct media_tick, link));
    }
    (void)uv_poll_stop(&c->poll);
    (void)close(c->fd);
    uv_close((uv_handle_t *)&c->poll, on_closed);
}

/* ---- members --------------------------------------------------------------------------------- */

/* Of the next `period` slots the one whose fullest repetition is emptiest; the earliest of equals.
 */
static uint64_t best_slot(const struct media_clock *c, uint64_t from, uint32_t period)
{
    uint64_t best = from;
    uint32_t best_load = UINT32_MAX;
    for (uint64_t slot = from; slot < from + period; slot++) {
        uint32_t load = 0;
        for (uint64_t s = slot % period; s < CYCLE; s += period)
            load = c->load[s] > load ? c->load[s] : load;
        if (load < best_load) {
            best = slot;
            best_load = load;
        }
    }
    return best;
}

static bool period_valid(int ms)
{
    return ms > 0 && ms <= PERIOD_MAX * MEDIA_CLOCK_SLOT_MS && ms % MEDIA_CLOCK_SLOT_MS == 0 &&
           CYCLE % (ms / MEDIA_CLOCK_SLOT_MS) == 0;
}

static void start(struct media_clock *c)
{
    c->origin_us = c->now_us = loop_now_us(c->loop);
    c->next_slot = 1;
    c->now_slot = 0;
    set_timer(c, true);
}

enum va_err media_clock_join(struct media_clock *c, struct media_tick *t, int period_ms,
                             void (*on_tick)(void *arg, uint64_t now_us), void *arg)
{
    if (!on_tick || !period_valid(period_ms))
        return VA_EINVAL;
    media_clock_leave(t);
    if (c->members == 0 && !c->ticking)
        start(c);
    if (!c->ticking) /* joining between two turns of a loop that is late */
        see_time(c, loop_now_us(c->loop));
    t->clock = c;
    t->on_tick = on_tick;
    t->arg = arg;
    t->period_slots = (uint32_t)period_ms / MEDIA_CLOCK_SLOT_MS;
    t->due_slot = best_slot(c, c->now_slot + 1, t->period_slots);
    add_load(c, t, 1);
    put(c, t);
    c->members++;
    return VA_OK;
}

void media_clock_leave(struct media_tick *t)
{
    struct media_clock *c = t->clock;
    if (!c)
        return;
    t->clock = NULL;
    link_remove(&t->link);
    add_load(c, t, UINT32_MAX); /* one less */
    if (--c->members == 0 && !c->ticking)
        set_timer(c, false);
}
