#include "media/telephone_event.h"
#include "media/dtmf.h"
#include "media/format.h"

#include <string.h>

enum { ENDS = 3, SEGMENT_MAX = 0xffff };

static const char digits[] = "0123456789*#ABCD";

char telephone_event_digit(uint8_t event)
{
    return event < sizeof(digits) - 1 ? digits[event] : 0;
}

enum va_err telephone_event_read(const uint8_t *p, size_t len, size_t at,
                                 struct telephone_event *ret_event)
{
    if (!len || len % TELEPHONE_EVENT_BYTES)
        return VA_EPROTO;
    if (at >= len / TELEPHONE_EVENT_BYTES)
        return VA_ENOTFOUND;
    const uint8_t *b = p + at * TELEPHONE_EVENT_BYTES;
    *ret_event = (struct telephone_event){b[0], b[1] >> 7, b[1] & 63, (uint16_t)(b[2] << 8 | b[3])};
    return VA_OK;
}

void telephone_event_write(const struct telephone_event *e,
                           uint8_t out[static TELEPHONE_EVENT_BYTES])
{
    out[0] = e->event;
    out[1] = (uint8_t)((e->end ? 0x80 : 0) | (e->volume & 63));
    out[2] = (uint8_t)(e->duration >> 8);
    out[3] = (uint8_t)e->duration;
}

/* ---- hearing --------------------------------------------------------------------------------- */

void telephone_event_rx_init(struct telephone_event_rx *rx, uint32_t clock_hz,
                             const struct telephone_event_handlers *handlers, void *arg)
{
    *rx = (struct telephone_event_rx){
        .clock_hz = clock_hz, .handlers = handlers, .arg = arg, .due_us = UINT64_MAX};
}

static void finish(struct telephone_event_rx *rx)
{
    uint64_t units = (uint64_t)rx->before + rx->duration;
    rx->running = false;
    rx->due_us = UINT64_MAX;
    if (rx->handlers->on_end)
        rx->handlers->on_end(rx->arg, rx->event, telephone_event_digit(rx->event),
                             rx->clock_hz ? (uint32_t)(units * 1000u / rx->clock_hz) : 0);
}

static void finish_unseen(struct telephone_event_rx *rx)
{
    if (!rx->running)
        return;
    rx->lost_ends++;
    finish(rx);
}

void telephone_event_rx_poll(struct telephone_event_rx *rx, uint64_t now_us)
{
    if (now_us >= rx->due_us)
        finish_unseen(rx);
}

/*
 * A new timestamp is a new event, but for two cases, both while the end has not come:
 * - an event longer than its counter goes on in a new segment, which begins where the full one
 *   ended (RFC 4733 §2.5.1.3);
 * - senders that move the timestamp with each update. Their next packet has the next number and no
 *   marker, so no end and no beginning can be lost between the two.
 */
static bool goes_on(const struct telephone_event_rx *rx, const struct telephone_event *e,
                    bool marker, const struct rtp_place *at)
{
    if (!rx->running || marker || e->event != rx->event)
        return false;
    return at->timestamp == rx->timestamp + SEGMENT_MAX || at->seq == rx->last_seq + 1;
}

static void start(struct telephone_event_rx *rx, const struct telephone_event *e,
                  const struct rtp_place *at)
{
    finish_unseen(rx);
    rx->any = rx->running = true;
    rx->event = e->event;
    rx->generation = at->generation;
    rx->timestamp = at->timestamp;
    rx->last_seq = at->seq;
    rx->before = 0;
    rx->duration = e->duration;
    rx->events++;
    rx->handlers->on_start(rx->arg, e->event, telephone_event_digit(e->event));
}

static void take(struct telephone_event_rx *rx, const struct telephone_event *e, bool marker,
                 const struct rtp_place *at, uint64_t now_us)
{
    bool same = rx->any && at->generation == rx->generation;
    if (!same || at->timestamp > rx->timestamp) {
        if (same && goes_on(rx, e, marker, at)) {
            rx->before += (uint32_t)(at->timestamp - rx->timestamp);
            rx->timestamp = at->timestamp;
            rx->duration = e->duration;
        } else {
            start(rx, e, at);
        }
    } else if (at->timestamp < rx->timestamp || !rx->running || e->event != rx->event) {
        rx->old++;
        return;
    }
    if (at->seq > rx->last_seq)
        rx->last_seq = at->seq;
    if (e->duration > rx->duration)
        rx->duration = e->duration;
    rx->due_us = now_us + TELEPHONE_EVENT_SILENT_MS * 1000u;
    if (e->end)
        finish(rx);
}

/* Several blocks in one packet follow each other in time (§2.5.1.5). */
void telephone_event_rx_push(struct telephone_event_rx *rx, const struct rtp_packet *k,
                             const struct rtp_place *place, uint64_t now_us)
{
    telephone_event_rx_poll(rx, now_us);
    struct rtp_place at = *place;
    struct telephone_event e;
    enum va_err err = VA_OK;
    for (size_t i = 0; !(err = telephone_event_read(k->payload, k->payload_len, i, &e)); i++) {
        take(rx, &e, k->marker && i == 0, &at, now_us);
        at.timestamp += e.duration;
    }
    rx->broken += err == VA_EPROTO;
}

/* ---- sending --------------------------------------------------------------------------------- */

enum va_err telephone_event_tx_init(struct telephone_event_tx *tx, uint32_t clock_hz, int ptime_ms)
{
    if (clock_hz < 8000 || clock_hz > MEDIA_RATE_MAX_HZ || !media_ptime_valid(ptime_ms))
        return VA_EINVAL;
    *tx = (struct telephone_event_tx){.clock_hz = clock_hz,
                                      .ptime = clock_hz / 1000 * (uint32_t)ptime_ms};
    return VA_OK;
}

static uint32_t whole_frames(const struct telephone_event_tx *tx, uint32_t ms)
{
    uint32_t units = tx->clock_hz / 1000 * ms;
    return (units + tx->ptime - 1) / tx->ptime * tx->ptime;
}

enum va_err telephone_event_tx_queue(struct telephone_event_tx *tx, char digit, uint32_t ms)
{
    char d = dtmf_digit(digit);
    if (!d)
        return VA_EINVAL;
    if (tx->count == TELEPHONE_EVENT_QUEUE)
        return VA_ELIMIT;
    ms = ms == 0                       ? TELEPHONE_EVENT_MS
         : ms < TELEPHONE_EVENT_MIN_MS ? TELEPHONE_EVENT_MIN_MS
         : ms > TELEPHONE_EVENT_MAX_MS ? TELEPHONE_EVENT_MAX_MS
                                       : ms;
    unsigned at = (tx->head + tx->count++) % TELEPHONE_EVENT_QUEUE;
    tx->queue[at].event = (uint8_t)(strchr(digits, d) - digits);
    tx->queue[at].duration = whole_frames(tx, ms);
    return VA_OK;
}

void telephone_event_tx_clear(struct telephone_event_tx *tx)
{
    tx->count = tx->sending ? 1 : 0;
}

static void end_of_event(struct telephone_event_tx *tx)
{
    tx->sending = false;
    tx->head = (tx->head + 1) % TELEPHONE_EVENT_QUEUE;
    tx->count--;
    /* The repeated ends already were (ENDS − 1) frames of pause. */
    uint32_t pause = whole_frames(tx, TELEPHONE_EVENT_PAUSE_MS), had = (ENDS - 1) * tx->ptime;
    tx->pause = pause > had ? pause - had : 0;
}

/* One frame more: within the segment, or into the next one when the counter is full. The end is
 * marked in the packet that brings the full duration. */
static void advance(struct telephone_event_tx *tx)
{
    if (tx->left && tx->sent + tx->ptime > SEGMENT_MAX) {
        uint32_t rest = SEGMENT_MAX - tx->sent; /* the full segment ends inside this frame */
        tx->timestamp += SEGMENT_MAX;
        tx->sent = tx->ptime - rest;
        tx->left -= tx->ptime;
    } else if (tx->left) {
        tx->sent += tx->ptime;
        tx->left -= tx->ptime;
    }
    if (!tx->left)
        tx->ends++;
}

bool telephone_event_tx_next(struct telephone_event_tx *tx, uint32_t now_timestamp,
                             struct telephone_event_packet *ret_packet)
{
    bool first = !tx->sending;
    if (first && tx->pause) {
        tx->pause = tx->pause > tx->ptime ? tx->pause - tx->ptime : 0;
        return false;
    }
    if (first && !tx->count)
        return false;
    if (first) {
        tx->sending = true;
        tx->timestamp = now_timestamp;
        tx->sent = tx->ends = 0;
        tx->left = tx->queue[tx->head].duration;
    }
    advance(tx);
    const struct telephone_event e = {tx->queue[tx->head].event, tx->ends > 0,
                                      TELEPHONE_EVENT_VOLUME, (uint16_t)tx->sent};
    *ret_packet = (struct telephone_event_packet){.marker = first, .timestamp = tx->timestamp};
    telephone_event_write(&e, ret_packet->payload);
    if (tx->ends == ENDS)
        end_of_event(tx);
    return true;
}
