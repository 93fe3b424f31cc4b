/* A ring of answers, counted by numbers that only grow:
 *
 *     first ……… head ……… next          [first, head)  done: remembered for played_ms
 *       done      waiting               [head, next)   head is playing, the others wait
 *
 * Each waiting answer owns a list of blocks; a block is either a piece of heap that copied audio
 * fills up, or a share of an immutable pcm. */
#include "media/playout.h"

#include "base/list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SAMPLES = 2000, /* with its head about 4 KB */
    FADE_MAX = MEDIA_RATE_MAX_HZ / 1000 * PLAYOUT_FADE_MS
};

struct block {
    struct link link;
    struct pcm *shared; /* NULL: data */
    const int16_t *at;  /* next sample to play */
    size_t left;        /* samples to play */
    size_t room;        /* samples that still fit behind them */
    int16_t data[];
};

struct answer {
    uint32_t id;
    bool ended;
    uint64_t played; /* samples */
    struct list blocks;
};

struct playout {
    int rate_hz;
    uint64_t max; /* samples */
    const struct playout_handlers *handlers;
    void *arg;
    bool *gone; /* set by playout_free() inside a handler */

    uint32_t last_id; /* no answer up to here is new */
    uint32_t first, head, next;
    struct answer ring[PLAYOUT_ANSWERS_MAX];
    uint64_t queued; /* samples */
    bool starved;
    bool sounding; /* the last frame was full: silence now would click */
    bool held;
    size_t rise; /* samples still to be raised after a hold */

    size_t fade_len;
    int16_t fade[FADE_MAX];
    struct playout_stats stats;
};

static struct answer *nth(const struct playout *p, uint32_t i)
{
    return (struct answer *)&p->ring[i % PLAYOUT_ANSWERS_MAX];
}

enum va_err playout_new(int rate_hz, uint32_t max_ms, const struct playout_handlers *handlers,
                        void *arg, struct playout **ret_playout)
{
    if (!media_rate_valid(rate_hz))
        return VA_EINVAL;
    struct playout *p = calloc(1, sizeof(*p));
    if (!p)
        return VA_ENOMEM;
    p->rate_hz = rate_hz;
    p->max = media_ms_to_samples(max_ms ? max_ms : PLAYOUT_MAX_MS, rate_hz);
    p->handlers = handlers;
    p->arg = arg;
    *ret_playout = p;
    return VA_OK;
}

static void block_free(struct block *b)
{
    link_remove(&b->link);
    pcm_unref(&b->shared);
    free(b);
}

static void drop_blocks(struct answer *a)
{
    list_each(&a->blocks, l, tmp) block_free(container_of(l, struct block, link));
}

void playout_free(struct playout **pp)
{
    struct playout *p = pp ? *pp : NULL;
    if (!p)
        return;
    *pp = NULL;
    if (p->gone)
        *p->gone = true;
    for (uint32_t i = p->head; i != p->next; i++)
        drop_blocks(nth(p, i));
    free(p);
}

/* ---- writing --------------------------------------------------------------------------------- */

static struct answer *find(const struct playout *p, uint32_t from, uint32_t id)
{
    for (uint32_t i = from; i != p->next; i++)
        if (nth(p, i)->id == id)
            return nth(p, i);
    return NULL;
}

/* The waiting answer of that number, opened when the number is new. */
static enum va_err answer_for(struct playout *p, uint32_t id, struct answer **ret_answer)
{
    if (id == 0)
        return VA_EINVAL;
    struct answer *a = find(p, p->head, id);
    if (!a && id <= p->last_id)
        return VA_ECANCELED;
    if (!a) {
        if (p->next - p->first == PLAYOUT_ANSWERS_MAX && p->first == p->head)
            return VA_ELIMIT;
        if (p->next - p->first == PLAYOUT_ANSWERS_MAX)
            p->first++;
        a = nth(p, p->next++);
        *a = (struct answer){.id = id};
        list_init(&a->blocks);
        p->last_id = id;
    }
    *ret_answer = a;
    return VA_OK;
}

static enum va_err admit(struct playout *p, uint32_t id, size_t n, struct answer **ret_answer)
{
    enum va_err err = n > p->max - p->queued ? VA_ELIMIT : VA_OK;
    struct answer *a = NULL;
    if (!err)
        err = answer_for(p, id, &a);
    else if (id <= p->last_id && !find(p, p->head, id))
        err = VA_ECANCELED; /* late audio is late whether or not there is room */
    if (!err && a->ended)
        err = VA_ECANCELED;
    if (err == VA_ECANCELED)
        p->stats.late_samples += n;
    if (err == VA_ELIMIT)
        p->stats.refused_samples += n;
    *ret_answer = a;
    return err;
}

static struct block *tail_with_room(struct answer *a)
{
    if (list_empty(&a->blocks))
        return NULL;
    struct block *b = container_of(a->blocks.head.prev, struct block, link);
    return b->room ? b : NULL;
}

static struct block *block_add(struct answer *a, size_t room)
{
    struct block *b = malloc(sizeof(*b) + room * sizeof(b->data[0]));
    if (!b)
        return NULL;
    *b = (struct block){.room = room};
    b->at = b->data;
    list_push(&a->blocks, &b->link);
    return b;
}

enum va_err playout_write(struct playout *p, uint32_t answer_id, const int16_t *pcm, size_t n)
{
    struct answer *a = NULL;
    enum va_err err = n && !pcm ? VA_EINVAL : admit(p, answer_id, n, &a);
    if (err)
        return err;
    while (n) {
        struct block *b = tail_with_room(a);
        if (!b)
            b = block_add(a, BLOCK_SAMPLES);
        if (!b)
            return VA_ENOMEM;
        size_t part = n < b->room ? n : b->room;
        memcpy(b->data + (BLOCK_SAMPLES - b->room), pcm, part * sizeof(*pcm));
        b->room -= part;
        b->left += part;
        p->queued += part;
        pcm += part;
        n -= part;
    }
    return VA_OK;
}

enum va_err playout_write_shared(struct playout *p, uint32_t answer_id, struct pcm *pcm)
{
    struct answer *a = NULL;
    size_t n = pcm_count(pcm);
    enum va_err err = pcm_rate_hz(pcm) == p->rate_hz ? admit(p, answer_id, n, &a) : VA_EINVAL;
    if (err || n == 0)
        return err;
    struct block *b = block_add(a, 0);
    if (!b)
        return VA_ENOMEM;
    b->shared = pcm_ref(pcm);
    b->at = pcm_samples(pcm);
    b->left = n;
    p->queued += n;
    return VA_OK;
}

enum va_err playout_mark_end(struct playout *p, uint32_t answer_id)
{
    struct answer *a = NULL;
    enum va_err err = answer_for(p, answer_id, &a);
    if (!err)
        a->ended = true;
    return err;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Up to n samples of one answer. */
static size_t take(struct playout *p, struct answer *a, int16_t *out, size_t n)
{
    size_t got = 0;
    while (got < n && !list_empty(&a->blocks)) {
        struct block *b = container_of(a->blocks.head.next, struct block, link);
        size_t part = n - got < b->left ? n - got : b->left;
        memcpy(out + got, b->at, part * sizeof(*out));
        got += part;
        b->at += part;
        b->left -= part;
        if (b->left == 0)
            block_free(b);
    }
    p->queued -= got;
    a->played += got;
    return got;
}

static size_t fade_length(const struct playout *p)
{
    return (size_t)media_ms_to_samples(PLAYOUT_FADE_MS, p->rate_hz);
}

static void mix_fade(struct playout *p, int16_t *frame, size_t n)
{
    for (size_t i = 0; i < p->fade_len && i < n; i++)
        frame[i] = media_clip(frame[i] + p->fade[i]);
    p->fade_len = 0;
}

/* What one frame made happen, told when the playout is at rest again. */
struct news {
    uint32_t drained[PLAYOUT_ANSWERS_MAX];
    unsigned count;
    uint32_t underrun; /* answer, 0: none */
};

static size_t fill(struct playout *p, int16_t *frame, size_t n, struct news *news)
{
    size_t got = 0;
    while (p->head != p->next) {
        struct answer *a = nth(p, p->head);
        got += take(p, a, frame + got, n - got);
        if (!list_empty(&a->blocks))
            break;
        if (!a->ended) {
            if (got < n && a->played)
                news->underrun = a->id;
            break;
        }
        news->drained[news->count++] = a->id;
        p->head++;
    }
    return got;
}

static void note_underrun(struct playout *p, struct news *news, size_t got, size_t n)
{
    bool starved = news->underrun != 0, begins = starved && !(p->starved && got == 0);
    if (starved)
        p->stats.underrun_samples += n - got;
    if (begins)
        p->stats.underruns++;
    else
        news->underrun = 0;
    p->starved = starved;
}

static void tell(struct playout *p, const struct news *news)
{
    const struct playout_handlers *h = p->handlers;
    void *arg = p->arg;
    bool gone = false, *outer = p->gone;
    if (!h || (!news->count && !news->underrun))
        return;
    p->gone = &gone;
    for (unsigned i = 0; i < news->count && !gone; i++)
        if (h->on_drained)
            h->on_drained(arg, news->drained[i]);
    if (news->underrun && !gone && h->on_underrun)
        h->on_underrun(arg, news->underrun);
    if (!gone)
        p->gone = outer;
    else if (outer)
        *outer = true;
}

/* The first samples behind a hold; a rise may reach into the next frame. */
static void fade_in(struct playout *p, int16_t *frame, size_t n)
{
    size_t len = fade_length(p);
    for (size_t i = 0; i < n && p->rise; i++, p->rise--)
        frame[i] = (int16_t)((int32_t)frame[i] * (int32_t)(len + 1 - p->rise) / (int32_t)(len + 1));
}

size_t playout_next(struct playout *p, int16_t *frame, size_t n)
{
    struct news news = {{0}, 0, 0};
    size_t got = p->held ? 0 : fill(p, frame, n, &news);
    p->sounding = got == n;
    fade_in(p, frame, got);
    memset(frame + got, 0, (n - got) * sizeof(*frame));
    mix_fade(p, frame, n);
    if (!p->held)
        note_underrun(p, &news, got, n);
    tell(p, &news);
    return got;
}

/* ---- hold and flush -------------------------------------------------------------------------- */

static void ramp_down(int16_t *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (int16_t)((int32_t)x[i] * (int32_t)(n - i) / (int32_t)(n + 1));
}

/* Up to n samples of what comes next, left where they are. */
static size_t peek(const struct playout *p, int16_t *out, size_t n)
{
    size_t got = 0;
    for (uint32_t i = p->head; i != p->next && got < n; i++) {
        struct answer *a = nth(p, i);
        list_each(&a->blocks, l, tmp)
        {
            const struct block *b = container_of(l, struct block, link);
            size_t part = n - got < b->left ? n - got : b->left;
            memcpy(out + got, b->at, part * sizeof(*out));
            got += part;
        }
        if (!a->ended)
            break;
    }
    return got;
}

/* A hold has faded already. */
static void fade_out(struct playout *p)
{
    if (!p->sounding || p->held)
        return;
    p->fade_len = peek(p, p->fade, fade_length(p));
    ramp_down(p->fade, p->fade_len);
}

void playout_hold(struct playout *p)
{
    if (p->held)
        return;
    fade_out(p);
    p->held = true;
    p->stats.holds++;
}

void playout_resume(struct playout *p)
{
    if (!p->held)
        return;
    p->held = false;
    if (p->sounding)
        p->fade_len = 0; /* no frame was asked for meanwhile: nothing happened */
    else
        p->rise = fade_length(p);
}

bool playout_held(const struct playout *p)
{
    return p->held;
}

void playout_flush_until(struct playout *p, uint32_t answer_id)
{
    uint64_t dropped = p->queued;
    fade_out(p);
    for (; p->head != p->next; p->head++)
        drop_blocks(nth(p, p->head));
    p->queued = 0;
    p->rise = 0;
    p->starved = p->sounding = p->held = false;
    p->stats.flushed_samples += dropped;
    p->stats.flushes++;
    if (answer_id > p->last_id)
        p->last_id = answer_id;
}

void playout_flush(struct playout *p)
{
    playout_flush_until(p, 0);
}

/* ---- reading out ----------------------------------------------------------------------------- */

uint32_t playout_played_ms(const struct playout *p, uint32_t answer_id)
{
    const struct answer *a = find(p, p->first, answer_id);
    return a ? (uint32_t)media_samples_to_ms(a->played, p->rate_hz) : 0;
}

uint32_t playout_left_ms(const struct playout *p, uint32_t answer_id)
{
    struct answer *a = find(p, p->head, answer_id);
    uint64_t left = 0;
    if (a)
        list_each(&a->blocks, l, tmp) left += container_of(l, struct block, link)->left;
    return (uint32_t)media_samples_to_ms(left, p->rate_hz);
}

uint32_t playout_current(const struct playout *p)
{
    return p->head != p->next ? nth(p, p->head)->id : 0;
}

uint32_t playout_queued_ms(const struct playout *p)
{
    return (uint32_t)media_samples_to_ms(p->queued, p->rate_hz);
}

void playout_stats(const struct playout *p, struct playout_stats *ret_stats)
{
    *ret_stats = p->stats;
}
