/*
 * The inner half: from the waiting packets to samples.
 *
 *                 its time has come                      no packet
 *     [ GAP ] ───────────────────────► [ PLAYING ] ◄────────────────► [ STARVED ]
 *        ▲                                  │     it came, or a later one   │
 *        └── noise, event, pause, new epoch ┘                               │
 *        └──────────────────── JITTER_STARVED_MS ───────────────────────────┘
 */
#include "media/jitter_int.h"

#include <string.h>

enum {
    OWN_MAX = MEDIA_RATE_MAX_HZ / 1000 * JITTER_PACKET_MS_MAX, /* a packet at any rate */
    BLOCK_MAX = OWN_MAX + MEDIA_RATE_MAX_HZ / 1000,            /* resampled: a little more */
    RAMP_MS = 4,    /* silence into audio, audio into other audio */
    LAG_MS = 6,     /* what a resampler gives first is its own delay: nothing to be heard */
    FADE_MS = 10,   /* made-up audio into silence */
    PAUSE_MS = 1000 /* a hole longer than this is not concealed */
};

static size_t ready(const struct jitter *j)
{
    return j->tail - j->head;
}

static size_t ms(const struct jitter *j, unsigned n)
{
    return (size_t)j->rate_hz / 1000u * n;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void append(struct jitter *j, const int16_t *x, size_t n)
{
    n = smaller(n, j->cap - j->tail);
    memcpy(j->buf + j->tail, x, n * sizeof(*x));
    j->tail += n;
}

/* x becomes what `old` fades into, after the first `held` samples, which are old's. */
static void fade_over(const int16_t *old, int16_t *x, size_t held, size_t n)
{
    memcpy(x, old, held * sizeof(*x));
    for (size_t i = held; i < n; i++) {
        int32_t w = (int32_t)((2 * (i - held) + 1) * 32768u / (2 * (n - held)));
        x[i] = (int16_t)((old[i] * (32768 - w) + x[i] * w) / 32768);
    }
}

/* ---- real audio ------------------------------------------------------------------------------ */

/* How the next samples begin, when they do not follow the last ones: out of silence, out of what is
 * ready but not yet played (which the first of them then replace), or out of what the concealment
 * thinks would have come. @return samples of x that are used up */
static size_t join(struct jitter *j, int16_t *x, size_t n)
{
    int16_t old[MEDIA_RATE_MAX_HZ / 1000 * (LAG_MS + RAMP_MS)];
    size_t held = smaller(n, j->lag), k = smaller(n, held + ms(j, RAMP_MS));
    bool ramp = j->ramp, splice = j->splice;
    j->ramp = j->splice = false;
    j->lag = 0;
    if (ramp) {
        comfort_noise_fill(&j->noise, old, k);
        comfort_noise_init(&j->noise);
        conceal_init(&j->plc, j->rate_hz, j->past);
        fade_over(old, x, held, k);
    } else if (splice && !held && ready(j) >= k) {
        int16_t *tail = j->buf + j->tail - k;
        fade_over(tail, x, 0, k);
        memcpy(tail, x, k * sizeof(*x));
        return k;
    } else if (splice) {
        struct conceal ahead = j->plc; /* as if it had gone on; j->plc must not know */
        conceal_make(&ahead, old, k);
        fade_over(old, x, held, k);
    }
    return 0;
}

/* What was sent goes behind what is there, joined to it without a step. */
static void append_real(struct jitter *j, int16_t *x, size_t n)
{
    size_t used = join(j, x, n);
    conceal_heard(&j->plc, x + used, n - used);
    append(j, x + used, n - used);
}

/* Codecs of our rate follow each other as they are; what a resampler held back, or lacks at first,
 * is covered by a splice. */
static bool use_codec(struct jitter *j, const struct jitter_codec *c)
{
    if (c == j->codec)
        return true;
    bool other = c->rate_hz != j->rate_hz;
    j->splice = j->splice || (j->codec && (other || j->resample));
    resample_free(&j->resample);
    j->codec = NULL;
    if (other && resample_new(c->rate_hz, j->rate_hz, RESAMPLE_QUALITY_ASR, &j->resample))
        return false;
    j->lag = other ? ms(j, LAG_MS) : 0;
    if (c->reset)
        c->reset(c->state);
    j->codec = c;
    return true;
}

static size_t to_our_rate(struct jitter *j, const int16_t *own, size_t n, int16_t *out)
{
    if (j->resample)
        return resample_run(j->resample, own, n, out, BLOCK_MAX);
    memcpy(out, own, n * sizeof(*out));
    return n;
}

static void make_up(struct jitter *j, size_t n, const struct jitter_item *next);

/* Decode the first packet from next_pos on. One that cannot be decoded is a lost one. */
static void play_first(struct jitter *j)
{
    struct jitter_item *i = jitter_first(j);
    int16_t own[OWN_MAX], ours[BLOCK_MAX];
    size_t n = 0, skip = (size_t)(j->next_pos - i->pos), before = j->tail;
    if (use_codec(j, i->codec))
        n = i->codec->decode(i->codec->state, i->payload, i->len, own, OWN_MAX);
    if (n && n <= OWN_MAX) {
        n = to_our_rate(j, own, n, ours);
        j->splice = j->splice || skip;
        if (n > skip)
            append_real(j, ours + skip, n - skip);
        j->voiced += j->tail - before;
    } else {
        j->stats.broken++;
        make_up(j, i->samples - skip, NULL);
    }
    j->next_pos = i->pos + (int64_t)i->samples;
    j->last_seq = i->seq;
    j->last_marker = i->marker;
    jitter_drop_first(j);
}

/* ---- made-up audio --------------------------------------------------------------------------- */

/* @return samples that the codec's own concealment gave; 0: it has none, or would not */
static size_t conceal_by_codec(struct jitter *j, size_t n, const struct jitter_item *next)
{
    const struct jitter_codec *c = j->codec;
    int16_t own[OWN_MAX], ours[BLOCK_MAX];
    size_t want = c && c->conceal ? n * (size_t)c->rate_hz / (size_t)j->rate_hz : 0;
    if (!want || want > OWN_MAX)
        return 0;
    bool fec = next && next->codec == c && next->kind == JITTER_AUDIO;
    size_t got = c->conceal(c->state, fec ? next->payload : NULL, fec ? next->len : 0, own, want);
    if (!got || got > want)
        return 0;
    got = to_our_rate(j, own, got, ours);
    conceal_heard(&j->plc, ours, got);
    append(j, ours, got);
    return got;
}

static void make_up(struct jitter *j, size_t n, const struct jitter_item *next)
{
    size_t from = j->tail;
    if (!conceal_by_codec(j, n, next)) {
        int16_t x[BLOCK_MAX];
        n = smaller(n, OWN_MAX);
        conceal_make(&j->plc, x, n);
        append(j, x, n);
    }
    j->made_up += j->tail - from;
}

/* How much to make up at once: a codec's own concealment works in whole packets, and less than
 * CONCEAL_LEAST would click. */
static size_t portion(const struct jitter *j, size_t hole, size_t want)
{
    size_t n = want - ready(j), least = CONCEAL_LEAST;
    if (j->codec && j->codec->conceal)
        least = ms(j, 20);
    return smaller(hole, n > least ? n : least);
}

/* ---- gaps ------------------------------------------------------------------------------------ */

static void enter_gap(struct jitter *j)
{
    if (j->state != JITTER_GAP)
        j->fade = ms(j, FADE_MS);
    j->state = JITTER_GAP;
    j->ramp = true;
}

/* Noise or zeros; at first what was played fades away in it. */
static void append_gap(struct jitter *j, size_t n)
{
    int16_t x[MEDIA_FRAME_MAX], old[MEDIA_FRAME_MAX];
    n = smaller(n, MEDIA_FRAME_MAX);
    comfort_noise_fill(&j->noise, x, n);
    size_t k = smaller(n, j->fade), all = ms(j, FADE_MS);
    if (k)
        conceal_make(&j->plc, old, k);
    for (size_t i = 0; i < k; i++)
        x[i] = media_clip(x[i] + old[i] * (int32_t)(j->fade - i) / (int32_t)(all + 1));
    j->fade -= k;
    append(j, x, n);
    j->silent += n;
}

/* Beyond the fastest packet, when played now [µs]. */
static int64_t delay_of(const struct jitter *j, const struct jitter_item *i)
{
    return (int64_t)j->local_us - jitter_pos_us(j, i->pos) - j->delay.base_us;
}

/* The packet's turn in a gap: when it has waited as long as the target says, to half a frame. Those
 * of a time line that has ended wait for nothing. */
static bool due(const struct jitter *j, const struct jitter_item *i)
{
    return i->epoch != j->epoch_in || !j->delay.any ||
           delay_of(j, i) + (int64_t)j->frame_us / 2 >= j->delay.target_us;
}

static void drop_overdue(struct jitter *j)
{
    struct jitter_item *i = jitter_first(j);
    while (i && i->kind == JITTER_AUDIO && i->epoch == j->epoch_in && j->delay.any &&
           delay_of(j, i) > j->max_us) {
        j->stats.discarded++;
        jitter_drop_first(j);
        i = jitter_first(j);
    }
}

/* ---- what comes next ------------------------------------------------------------------------- */

/* Noise or an event has its turn: there is a gap behind it. */
static void take_marker(struct jitter *j)
{
    struct jitter_item *i = jitter_first(j);
    enter_gap(j);
    if (i->kind == JITTER_NOISE)
        comfort_noise_set(&j->noise, i->payload, i->len);
    if (i->epoch != j->epoch || i->pos > j->next_pos)
        j->next_pos = i->pos;
    j->epoch = i->epoch;
    j->last_seq = i->seq;
    jitter_drop_first(j);
}

static void in_gap(struct jitter *j, size_t want)
{
    drop_overdue(j);
    struct jitter_item *i = jitter_first(j);
    if (!i || !due(j, i)) {
        append_gap(j, portion(j, SIZE_MAX, want));
        return;
    }
    if (i->kind != JITTER_AUDIO) {
        take_marker(j);
        return;
    }
    if (i->epoch != j->epoch || i->pos > j->next_pos)
        j->next_pos = i->pos;
    j->epoch = i->epoch;
    j->state = JITTER_PLAYING;
    j->stats.spurts++;
}

/* The sender made a pause: it says so (but some mark each packet), or no number is missing, or the
 * hole is too long to be one. */
static bool paused(const struct jitter *j, const struct jitter_item *i, int64_t hole)
{
    return (i->marker && !j->last_marker) || i->seq == j->last_seq + 1 ||
           hole > (int64_t)ms(j, PAUSE_MS);
}

static void in_hole(struct jitter *j, const struct jitter_item *i, size_t want)
{
    size_t hole = (size_t)(i->pos - j->next_pos), n = portion(j, hole, want);
    make_up(j, n, n == hole ? i : NULL);
    j->next_pos += (int64_t)n;
}

static void in_play(struct jitter *j, size_t want)
{
    struct jitter_item *i = jitter_first(j);
    if (!i) {
        j->state = JITTER_STARVED;
        j->starved = 0;
        j->stats.starvations++;
        return;
    }
    int64_t hole = i->pos - j->next_pos;
    if (i->epoch != j->epoch || (hole > 0 && paused(j, i, hole))) {
        enter_gap(j);
    } else if (hole > 0) {
        in_hole(j, i, want);
    } else if (i->kind != JITTER_AUDIO) {
        take_marker(j);
    } else if (hole + (int64_t)i->samples <= 0) {
        j->stats.late++; /* overlaps what came before it */
        jitter_drop_first(j);
    } else {
        play_first(j);
    }
}

/* What was made up while there was nothing counts towards what turns out to be lost. */
static void end_starvation(struct jitter *j, const struct jitter_item *i)
{
    int64_t hole = i->epoch == j->epoch ? i->pos - j->next_pos : 0;
    if (hole > 0 && !paused(j, i, hole))
        j->next_pos += (int64_t)smaller((size_t)hole, j->starved);
    j->state = JITTER_PLAYING;
}

static void in_starvation(struct jitter *j, size_t want)
{
    struct jitter_item *i = jitter_first(j);
    if (i) {
        end_starvation(j, i);
        return;
    }
    if (j->starved >= ms(j, JITTER_STARVED_MS)) {
        enter_gap(j);
        return;
    }
    size_t n = portion(j, SIZE_MAX, want);
    make_up(j, n, NULL);
    j->starved += n;
}

/* Each step makes samples, takes a packet or changes the state, and no two changes of state follow
 * each other in a circle: a gap is left only with the packet that is then played. */
void jitter_fill(struct jitter *j, size_t want)
{
    while (ready(j) < want) {
        switch (j->state) {
        case JITTER_GAP: in_gap(j, want); break;
        case JITTER_PLAYING: in_play(j, want); break;
        case JITTER_STARVED: in_starvation(j, want); break;
        }
    }
}

bool jitter_fill_ahead(struct jitter *j, size_t want)
{
    while (ready(j) < want) {
        struct jitter_item *i = jitter_first(j);
        if (!i || i->kind != JITTER_AUDIO || i->epoch != j->epoch || i->pos > j->next_pos ||
            i->pos + (int64_t)i->samples <= j->next_pos)
            return false;
        play_first(j);
    }
    return true;
}
