/* The outer half: packets in, the clock, the delay and its correction. What turns packets into
 * samples is jitter_play.c. */
#include "media/jitter_int.h"
#include "media/g711.h"
#include "media/stretch.h"

#include <stdlib.h>
#include <string.h>

enum {
    NEW_EPOCH_US = 1500000, /* transit that moves by more than this is another time line */
    TICK_SLIP_US = 150000,  /* ticks missed for longer than the clock catches up were lost */
    STRETCH_REST_MS = 60,   /* between two stretches: at most 15 ms in 80 */
    STRETCH_URGENT_US = 60000,
    STRETCH_PRESSING_US = 30000
};

/* ---- G.711 ----------------------------------------------------------------------------------- */

static size_t g711_samples(void *state, const uint8_t *payload, size_t len)
{
    (void)state;
    (void)payload;
    return len;
}

static size_t pcmu_decode(void *state, const uint8_t *p, size_t len, int16_t *out, size_t room)
{
    (void)state;
    size_t n = len < room ? len : room;
    g711_ulaw_decode_block(p, n, out);
    return n;
}

static size_t pcma_decode(void *state, const uint8_t *p, size_t len, int16_t *out, size_t room)
{
    (void)state;
    size_t n = len < room ? len : room;
    g711_alaw_decode_block(p, n, out);
    return n;
}

const struct jitter_codec jitter_pcmu = {.name = "PCMU",
                                         .clock_hz = 8000,
                                         .rate_hz = 8000,
                                         .samples = g711_samples,
                                         .decode = pcmu_decode};
const struct jitter_codec jitter_pcma = {.name = "PCMA",
                                         .clock_hz = 8000,
                                         .rate_hz = 8000,
                                         .samples = g711_samples,
                                         .decode = pcma_decode};

/* ---- life ------------------------------------------------------------------------------------ */

static void drop_all(struct jitter *j)
{
    while (j->queued)
        jitter_drop_first(j);
}

static void begin(struct jitter *j)
{
    jitter_delay_init(&j->delay, j->cfg.min_ms, j->cfg.start_ms, j->cfg.max_ms,
                      j->cfg.format.ptime_ms);
    comfort_noise_init(&j->noise);
    conceal_init(&j->plc, j->rate_hz, j->past);
    j->state = JITTER_GAP;
    j->window = (struct rtp_window){0, 0};
    j->clock_hz = 0;
    j->codec = NULL;
    j->fade = 0;
    j->splice = false;
    j->lag = 0;
    j->ramp = true;
    /* Behind the head there is always a pitch period for stretch_insert(): silence at first. */
    j->head = j->tail = stretch_lag_max(j->rate_hz);
    memset(j->buf, 0, j->head * sizeof(*j->buf));
}

enum va_err jitter_new(const struct jitter_cfg *cfg, struct jitter **ret_jitter)
{
    if (!media_format_valid(cfg->format) || cfg->min_ms < 0 || cfg->max_ms < cfg->min_ms ||
        cfg->max_ms > JITTER_DELAY_MS_MAX)
        return VA_EINVAL;
    struct jitter *j = calloc(1, sizeof(*j));
    if (!j)
        return VA_ENOMEM;
    j->cfg = *cfg;
    j->rate_hz = cfg->format.rate_hz;
    j->frame = media_format_samples(cfg->format);
    j->frame_us = (uint64_t)cfg->format.ptime_ms * 1000u;
    j->max_us = (int64_t)cfg->max_ms * 1000;
    /* A period behind; a frame and a stretch ahead, and two packets where some were dropped. */
    j->cap = 2 * (stretch_lag_max(j->rate_hz) + stretch_fade(j->rate_hz)) + 2 * j->frame +
             2 * ((size_t)j->rate_hz / 1000u * (JITTER_PACKET_MS_MAX + 1));
    size_t past = conceal_memory(j->rate_hz);
    j->buf = calloc(j->cap + past, sizeof(*j->buf));
    list_init(&j->queue);
    if (!j->buf) {
        free(j);
        return VA_ENOMEM;
    }
    j->past = past ? j->buf + j->cap : NULL;
    begin(j);
    *ret_jitter = j;
    return VA_OK;
}

void jitter_free(struct jitter **pj)
{
    struct jitter *j = pj ? *pj : NULL;
    if (!j)
        return;
    *pj = NULL;
    drop_all(j);
    resample_free(&j->resample);
    free(j->buf);
    free(j);
}

void jitter_reset(struct jitter *j)
{
    drop_all(j);
    begin(j);
    j->epoch = ++j->epoch_in;
    j->ticking = false;
}

/* ---- packets in ------------------------------------------------------------------------------ */

struct jitter_item *jitter_first(const struct jitter *j)
{
    return j->queued ? container_of(j->queue.head.next, struct jitter_item, link) : NULL;
}

void jitter_drop_first(struct jitter *j)
{
    struct jitter_item *i = jitter_first(j);
    link_remove(&i->link);
    j->queued--;
    free(i);
}

int64_t jitter_pos_us(const struct jitter *j, int64_t pos)
{
    return pos / j->rate_hz * 1000000 + pos % j->rate_hz * 1000000 / j->rate_hz;
}

/* Another sender, another clock, or a time that has jumped: what was measured no longer holds. Only
 * a packet newer than all others may say so. An event's time stands still: that is no jump.
 * @return false: a straggler of the time before a jump */
static bool note_epoch(struct jitter *j, const struct jitter_packet *k, int64_t transit)
{
    bool newer = k->place.seq > j->top_seq;
    int64_t moved = transit - j->delay.base_us;
    bool jumped =
        j->delay.any && k->kind != JITTER_EVENT && (moved > NEW_EPOCH_US || moved < -NEW_EPOCH_US);
    if (j->clock_hz && k->place.generation == j->generation && k->codec->clock_hz == j->clock_hz &&
        !(jumped && newer)) {
        if (newer)
            j->top_seq = k->place.seq;
        return !jumped;
    }
    if (k->place.generation != j->generation || !j->clock_hz)
        j->window = (struct rtp_window){0, 0};
    j->epoch_in++;
    j->generation = k->place.generation;
    j->clock_hz = k->codec->clock_hz;
    j->top_seq = k->place.seq;
    jitter_delay_anew(&j->delay);
    return true;
}

/* Where a packet belongs; most belong at the end. @return the item before it */
static struct link *place_of(struct jitter *j, const struct jitter_item *i, bool *ret_taken)
{
    struct link *at = j->queue.head.prev;
    *ret_taken = false;
    for (; at != &j->queue.head; at = at->prev) {
        struct jitter_item *o = container_of(at, struct jitter_item, link);
        if (o->epoch < i->epoch || (o->epoch == i->epoch && o->pos < i->pos))
            break;
        if (o->epoch == i->epoch && o->pos == i->pos && o->kind == i->kind) {
            if (o->seq < i->seq && o->kind == JITTER_EVENT)
                o->seq = i->seq; /* updates of one event stand at one place */
            *ret_taken = true;
        }
    }
    return at;
}

static bool too_late(const struct jitter *j, const struct jitter_item *i)
{
    if (i->epoch != j->epoch)
        return i->epoch < j->epoch;
    return i->pos + (int64_t)i->samples < j->next_pos + (i->samples > 0);
}

static enum va_err enqueue(struct jitter *j, const struct jitter_packet *k, int64_t pos,
                           size_t samples)
{
    struct jitter_item *i = malloc(sizeof(*i) + k->len);
    if (!i)
        return VA_ENOMEM;
    *i = (struct jitter_item){.epoch = j->epoch_in,
                              .pos = pos,
                              .seq = k->place.seq,
                              .samples = samples,
                              .kind = k->kind,
                              .codec = k->codec,
                              .marker = k->marker,
                              .len = k->len};
    if (k->len)
        memcpy(i->payload, k->payload, k->len);
    bool taken = false, late = too_late(j, i);
    struct link *before = place_of(j, i, &taken);
    if (late || taken) {
        /* Updates of an event under way are no latecomers, but their numbers are accounted for. */
        if (k->kind == JITTER_EVENT && late && i->seq > j->last_seq && i->epoch == j->epoch)
            j->last_seq = i->seq;
        j->stats.late += late && k->kind == JITTER_AUDIO;
        j->stats.duplicates += !late && k->kind == JITTER_AUDIO;
        free(i);
        return VA_OK;
    }
    i->link.prev = before;
    i->link.next = before->next;
    before->next->prev = &i->link;
    before->next = &i->link;
    j->queued++;
    return VA_OK;
}

enum va_err jitter_put(struct jitter *j, const struct jitter_packet *k)
{
    const struct jitter_codec *c = k->codec;
    if (!c || c->clock_hz < 1000 || !media_rate_valid(c->rate_hz) || (k->len && !k->payload) ||
        k->place.timestamp < 0 || k->place.timestamp > RTP_TIMESTAMP_MAX)
        return VA_EINVAL;
    size_t own = k->kind == JITTER_AUDIO && k->len <= JITTER_PAYLOAD_MAX
                     ? c->samples(c->state, k->payload, k->len)
                     : 0;
    bool fits = own && own * 1000u <= (size_t)c->rate_hz * JITTER_PACKET_MS_MAX;
    if (k->len > JITTER_PAYLOAD_MAX || (k->kind == JITTER_AUDIO && !fits)) {
        j->stats.broken++;
        return VA_EPROTO;
    }
    int64_t pos = k->place.timestamp * j->rate_hz / c->clock_hz;
    int64_t transit = (int64_t)k->arrival_us - jitter_pos_us(j, pos);
    j->stats.packets++;
    if (!note_epoch(j, k, transit)) {
        j->stats.late++;
        return VA_OK;
    }
    if (rtp_window_note(&j->window, k->place.seq) == RTP_SEEN_TWICE) {
        j->stats.duplicates++;
        return VA_OK;
    }
    if (k->kind == JITTER_AUDIO)
        jitter_delay_note(&j->delay, transit, k->arrival_us);
    if (j->queued == JITTER_PACKETS_MAX) {
        jitter_drop_first(j);
        j->stats.discarded++;
    }
    return enqueue(j, k, pos, own * (size_t)j->rate_hz / (size_t)c->rate_hz);
}

/* ---- the delay ------------------------------------------------------------------------------- */

/* The tick's own time: ticks that come late, and those that catch up, keep the cadence. */
static void tick(struct jitter *j, uint64_t now_us)
{
    uint64_t due = j->local_us + j->frame_us;
    bool slipped = now_us > due + TICK_SLIP_US;
    j->local_us = !j->ticking || now_us < due || slipped ? now_us : due;
    j->ticking = true;
}

/* Of the sample that is played next. @return false while it means nothing */
static bool delay_now(const struct jitter *j, int64_t *ret_us)
{
    if (!j->delay.any || j->epoch != j->epoch_in || j->state == JITTER_GAP)
        return false;
    int64_t pos = j->next_pos - (int64_t)(j->tail - j->head);
    *ret_us = (int64_t)j->local_us - jitter_pos_us(j, pos) - j->delay.base_us;
    return true;
}

static bool above_bound(const struct jitter *j)
{
    int64_t delay = 0;
    struct jitter_item *i = jitter_first(j);
    return i && i->kind == JITTER_AUDIO && i->epoch == j->epoch && delay_now(j, &delay) &&
           delay > j->max_us + (int64_t)j->frame_us;
}

/* Drop whole packets, oldest first. The first of them is played a little, so that what comes after
 * the others, and is decoded at once, has something real to be faded into. */
static void keep_bound(struct jitter *j)
{
    if (!above_bound(j))
        return;
    j->state = JITTER_PLAYING;
    (void)jitter_fill_ahead(j, stretch_fade(j->rate_hz));
    while (above_bound(j)) {
        struct jitter_item *i = jitter_first(j);
        j->next_pos = i->pos + (int64_t)i->samples;
        j->last_seq = i->seq;
        j->last_marker = i->marker;
        j->splice = true;
        j->stats.discarded++;
        jitter_drop_first(j);
    }
    (void)jitter_fill_ahead(j, j->tail - j->head + 1);
}

static void note_stretch(struct jitter *j, uint64_t *samples, size_t lag, int64_t excess)
{
    if (!lag) {
        j->rest = 1; /* a search costs as much as a hundred frames */
        return;
    }
    /* In silence, where the longest lag always fits, nobody hears how often. */
    bool urgent = excess > STRETCH_URGENT_US || excess < -STRETCH_URGENT_US ||
                  lag == stretch_lag_max(j->rate_hz);
    *samples += lag;
    j->stats.stretches++;
    j->rest = urgent ? 1 : (unsigned)(STRETCH_REST_MS / j->cfg.format.ptime_ms);
}

/* The further off, the less like its neighbour a piece has to be. */
static double fit_for(int64_t excess_us)
{
    int64_t off = excess_us < 0 ? -excess_us : excess_us;
    return off > STRETCH_URGENT_US ? 0.5 : off > STRETCH_PRESSING_US ? 0.7 : 0.85;
}

static void approach_target(struct jitter *j)
{
    int64_t delay = 0, slack = JITTER_SLACK_MS * 1000;
    if (j->rest && j->rest--)
        return;
    if (j->state != JITTER_PLAYING || !delay_now(j, &delay))
        return;
    int64_t excess = delay - j->delay.target_us;
    size_t lag_max = stretch_lag_max(j->rate_hz), fade = stretch_fade(j->rate_hz);
    if (excess > slack) {
        size_t need = lag_max + (fade > j->frame ? fade : j->frame);
        if (!jitter_fill_ahead(j, need))
            return;
        size_t lag = stretch_cut(j->buf + j->head, j->rate_hz, fit_for(excess));
        j->head += lag;
        note_stretch(j, &j->stats.cut_samples, lag, excess);
    } else if (excess < -slack && j->tail - j->head >= fade && j->head >= lag_max) {
        size_t lag = stretch_insert(j->buf + j->head, j->rate_hz, fit_for(excess));
        j->head -= lag;
        note_stretch(j, &j->stats.inserted_samples, lag, excess);
    }
}

/* ---- frames out ------------------------------------------------------------------------------ */

static enum jitter_frame account(struct jitter *j)
{
    enum jitter_frame what = JITTER_FRAME_VOICE;
    if (j->made_up > j->voiced && j->made_up >= j->silent)
        what = JITTER_FRAME_CONCEALED;
    else if (j->silent > j->voiced)
        what = JITTER_FRAME_SILENCE;
    j->stats.concealed_samples += j->made_up;
    j->stats.silence_samples += j->silent;
    j->stats.samples += j->frame;
    j->voiced = j->made_up = j->silent = 0;
    return what;
}

enum jitter_frame jitter_get(struct jitter *j, uint64_t now_us, int16_t *out)
{
    tick(j, now_us);
    keep_bound(j);
    jitter_fill(j, j->frame);
    approach_target(j);
    memcpy(out, j->buf + j->head, j->frame * sizeof(*out));
    j->head += j->frame;
    size_t keep = stretch_lag_max(j->rate_hz), shift = j->head > keep ? j->head - keep : 0;
    memmove(j->buf, j->buf + shift, (j->tail - shift) * sizeof(*j->buf));
    j->head -= shift;
    j->tail -= shift;
    return account(j);
}

void jitter_stats(const struct jitter *j, struct jitter_stats *ret_stats)
{
    *ret_stats = j->stats;
    int64_t delay = 0;
    bool known = delay_now(j, &delay);
    delay += (int64_t)j->frame_us;  /* the next sample's turn is the next tick */
    if (j->state == JITTER_STARVED) /* not yet: it may as well be lost */
        delay -= jitter_pos_us(j, (int64_t)j->starved);
    ret_stats->delay_ms = (uint32_t)((known && delay > 0 ? delay : 0) / 1000);
    ret_stats->target_ms = (uint32_t)(j->delay.target_us / 1000);
    ret_stats->queued = (uint32_t)j->queued;
}
