/*      0                   1                   2                   3
 *     |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *     |                           timestamp                           |
 *     |                             SSRC                              |
 *     |  CSRC × CC …   [ profile | length in words ][ extension … ]   |   RFC 3550 §5.1, §5.3.1
 *     |  payload …                                    [ padding, n ]  | */
#include "media/rtp.h"

#include <string.h>

enum { WINDOW = 64 };

/* A sender that jumps half way round with each packet gets here in half an hour, no other ever. */
static const int64_t timestamp_max = RTP_TIMESTAMP_MAX - ((int64_t)1 << 32);

/* ---- packets --------------------------------------------------------------------------------- */

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint16_t x)
{
    p[0] = (uint8_t)(x >> 8);
    p[1] = (uint8_t)x;
}

static void put32(uint8_t *p, uint32_t x)
{
    put16(p, (uint16_t)(x >> 16));
    put16(p + 2, (uint16_t)x);
}

/* RTCP types 192–223 would be RTP payload types 64–95 with the marker set: RFC 5761 forbids those
 * for RTP, so the second byte decides. */
enum rtp_class rtp_classify(const void *p, size_t len)
{
    const uint8_t *b = p;
    if (len < 2)
        return RTP_IS_OTHER;
    if (b[0] <= 3)
        return RTP_IS_STUN;
    if (b[0] >= 20 && b[0] <= 63)
        return RTP_IS_DTLS;
    if (b[0] < 128 || b[0] > 191)
        return RTP_IS_OTHER;
    return b[1] >= 192 && b[1] <= 223 ? RTP_IS_RTCP : RTP_IS_RTP;
}

/* The optional parts between fixed header and payload. @return where the payload begins, or 0 */
static size_t read_options(const uint8_t *b, size_t len, struct rtp_packet *k)
{
    size_t at = RTP_HEADER_BYTES;
    k->csrc_count = b[0] & 15;
    if (len < at + 4u * k->csrc_count)
        return 0;
    for (unsigned i = 0; i < k->csrc_count; i++, at += 4)
        k->csrc[i] = get32(b + at);
    if (!(b[0] & 0x10))
        return at;
    if (len < at + 4)
        return 0;
    k->ext_profile = get16(b + at);
    k->ext_len = 4u * get16(b + at + 2);
    k->ext = b + at + 4;
    at += 4 + k->ext_len;
    return at <= len ? at : 0;
}

enum va_err rtp_read(const void *p, size_t len, struct rtp_packet *ret_packet)
{
    const uint8_t *b = p;
    if (len > RTP_PACKET_MAX)
        return VA_ELIMIT;
    if (len < RTP_HEADER_BYTES || b[0] >> 6 != 2)
        return VA_EPROTO;
    struct rtp_packet k = {.marker = b[1] >> 7,
                           .payload_type = b[1] & 127,
                           .seq = get16(b + 2),
                           .timestamp = get32(b + 4),
                           .ssrc = get32(b + 8)};
    size_t at = read_options(b, len, &k);
    if (!at)
        return VA_EPROTO;
    size_t padding = b[0] & 0x20 ? b[len - 1] : 0;
    if ((b[0] & 0x20 && !padding) || padding > len - at)
        return VA_EPROTO;
    k.payload = b + at;
    k.payload_len = len - at - padding;
    *ret_packet = k;
    return VA_OK;
}

enum va_err rtp_write(const struct rtp_packet *k, void *out, size_t room, size_t *ret_len)
{
    if (k->payload_type > 127 || k->csrc_count > RTP_CSRC_MAX || (k->payload_len && !k->payload) ||
        (k->ext && (k->ext_len % 4 || k->ext_len > RTP_PACKET_MAX)))
        return VA_EINVAL;
    size_t ext = k->ext ? 4 + k->ext_len : 0, head = RTP_HEADER_BYTES + 4u * k->csrc_count + ext;
    if (k->payload_len > RTP_PACKET_MAX || head + k->payload_len > RTP_PACKET_MAX ||
        head + k->payload_len > room)
        return VA_ELIMIT;
    uint8_t *b = out, *at = b + RTP_HEADER_BYTES;
    if (k->payload_len)
        memmove(b + head, k->payload, k->payload_len);
    b[0] = (uint8_t)(0x80 | (k->ext ? 0x10 : 0) | k->csrc_count);
    b[1] = (uint8_t)((k->marker ? 0x80 : 0) | k->payload_type);
    put16(b + 2, k->seq);
    put32(b + 4, k->timestamp);
    put32(b + 8, k->ssrc);
    for (unsigned i = 0; i < k->csrc_count; i++, at += 4)
        put32(at, k->csrc[i]);
    if (k->ext) {
        put16(at, k->ext_profile);
        put16(at + 2, (uint16_t)(k->ext_len / 4));
        memcpy(at + 4, k->ext, k->ext_len);
    }
    *ret_len = head + k->payload_len;
    return VA_OK;
}

bool rtp_ext_next(const struct rtp_packet *k, size_t *at, struct rtp_ext *ret_ext)
{
    bool one = k->ext_profile == RTP_EXT_ONE_BYTE, two = k->ext_profile >> 4 == 0x100;
    while (k->ext && (one || two) && *at < k->ext_len) {
        const uint8_t *b = k->ext + *at;
        if (*b == 0) { /* padding */
            ++*at;
            continue;
        }
        size_t head = one ? 1 : 2, left = k->ext_len - *at;
        if (left < head || (one && b[0] >> 4 == 15)) /* 15: stop, RFC 8285 §4.2 */
            break;
        struct rtp_ext e = {one ? b[0] >> 4 : b[0], b + head, one ? (b[0] & 15u) + 1u : b[1]};
        if (e.len > left - head)
            break;
        *at += head + e.len;
        *ret_ext = e;
        return true;
    }
    *at = k->ext_len;
    return false;
}

/* ---- a window of numbers seen ---------------------------------------------------------------- */

enum rtp_seen rtp_window_note(struct rtp_window *w, int64_t n)
{
    if (!w->bits || n > w->top) {
        uint64_t step = w->bits ? (uint64_t)(n - w->top) : WINDOW;
        w->bits = (step < WINDOW ? w->bits << step : 0) | 1;
        w->top = n;
        return RTP_SEEN_NEW;
    }
    uint64_t back = (uint64_t)(w->top - n);
    if (back >= WINDOW)
        return RTP_SEEN_BEHIND;
    uint64_t bit = (uint64_t)1 << back;
    if (w->bits & bit)
        return RTP_SEEN_TWICE;
    w->bits |= bit;
    return RTP_SEEN_BEHIND;
}

/* ---- a sender -------------------------------------------------------------------------------- */

void rtp_source_init(struct rtp_source *s, uint32_t clock_hz, unsigned probation)
{
    if (!probation)
        probation = RTP_PROBATION;
    *s = (struct rtp_source){.clock_hz = clock_hz,
                             .probation =
                                 probation > RTP_PROBATION_MAX ? RTP_PROBATION_MAX : probation};
}

uint64_t rtp_source_expected(const struct rtp_source *s)
{
    return s->valid ? (uint64_t)(s->max_seq - s->base_seq + 1) + s->carried : 0;
}

int64_t rtp_source_lost(const struct rtp_source *s)
{
    return (int64_t)(rtp_source_expected(s) - s->received);
}

uint64_t rtp_source_jitter_us(const struct rtp_source *s)
{
    return s->clock_hz ? (uint64_t)(s->jitter * 1e6 / s->clock_hz) : 0;
}

uint8_t rtp_source_take_fraction(struct rtp_source *s)
{
    uint64_t expected = rtp_source_expected(s);
    int64_t due = (int64_t)(expected - s->prior_expected);
    int64_t lost = due - (int64_t)(s->received - s->prior_received);
    s->prior_expected = expected;
    s->prior_received = s->received;
    if (due <= 0 || lost <= 0)
        return 0;
    int64_t fraction = lost * 256 / due;
    return (uint8_t)(fraction > 255 ? 255 : fraction);
}

/* A.1's probation, of a new source and of a jump inside the known one alike: so many packets in a
 * row, by the same sender, each with the next number. */
static bool confirmed(struct rtp_source *s, const struct rtp_packet *k)
{
    bool follows = s->rival_run && k->ssrc == s->rival_ssrc && k->seq == s->rival_next;
    s->rival_run = follows ? s->rival_run + 1 : 1;
    s->rival_ssrc = k->ssrc;
    s->rival_next = (uint16_t)(k->seq + 1);
    if (s->rival_run < s->probation)
        return false;
    s->rival_run = 0;
    return true;
}

/* Counters go on over a change; what is counted from is new. Numbers start one wrap above zero, so
 * that what is a little older than the first packet is not negative. */
static void begin(struct rtp_source *s, const struct rtp_packet *k)
{
    s->carried = rtp_source_expected(s);
    s->ssrc = k->ssrc;
    s->valid = true;
    s->generation++;
    s->max_seq = s->base_seq = (int64_t)65536 + k->seq;
    s->max_timestamp = ((int64_t)1 << 32) + k->timestamp;
    s->window = (struct rtp_window){0, 0};
    s->has_transit = false;
    s->jitter = 0;
}

/* A.8, on timestamps without wrap. */
static void measure_jitter(struct rtp_source *s, int64_t timestamp, uint64_t arrival_us)
{
    if (!s->clock_hz)
        return;
    uint64_t hz = s->clock_hz;
    int64_t arrival = (int64_t)(arrival_us / 1000000u * hz + arrival_us % 1000000u * hz / 1000000u);
    int64_t transit = arrival - timestamp, d = transit - s->last_transit;
    s->last_transit = transit;
    if (s->has_transit)
        s->jitter += ((double)(d < 0 ? -d : d) - s->jitter) / 16.0;
    s->has_transit = true;
}

enum rtp_verdict rtp_source_take(struct rtp_source *s, const struct rtp_packet *k,
                                 uint64_t arrival_us, bool timed, struct rtp_place *ret_place)
{
    enum rtp_verdict verdict = RTP_TAKE;
    int step = (int16_t)(uint16_t)(k->seq - (uint16_t)s->max_seq);
    bool known = s->valid && k->ssrc == s->ssrc && s->max_timestamp < timestamp_max;
    if (!known || step > RTP_MAX_DROPOUT || step < -RTP_MAX_MISORDER) {
        if (!confirmed(s, k)) {
            s->refused++;
            return RTP_PROBATION_WAIT;
        }
        begin(s, k);
        verdict = RTP_TAKE_ANEW;
        step = 0;
    } else if (s->rival_ssrc == s->ssrc) {
        s->rival_run = 0; /* the old numbering goes on: that was no restart */
    }
    struct rtp_place place = {
        s->max_seq + step, s->max_timestamp + (int32_t)(k->timestamp - (uint32_t)s->max_timestamp),
        s->generation};
    s->received++;
    if (rtp_window_note(&s->window, place.seq) == RTP_SEEN_TWICE) {
        s->duplicates++;
        return RTP_DUPLICATE;
    }
    s->reordered += step < 0;
    if (step > 0)
        s->max_seq = place.seq;
    if (place.seq < s->base_seq)
        s->base_seq = place.seq;
    if (place.timestamp > s->max_timestamp)
        s->max_timestamp = place.timestamp;
    if (timed)
        measure_jitter(s, place.timestamp, arrival_us);
    *ret_place = place;
    return verdict;
}
