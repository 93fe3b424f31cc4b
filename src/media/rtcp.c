/*     |V=2|P|  count  |     type      |  length in words − 1          |   RFC 3550 §6.4
 *     |  type's own contents …                                        |   packets follow each other
 */
#include "media/rtcp.h"

#include <string.h>

enum { HEAD = 4, BLOCK_BYTES = 24, SR_BYTES = 24, RR_BYTES = 4, SDES_CNAME = 1 };

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint8_t *put32(uint8_t *p, uint32_t x)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(x >> (24 - 8 * i));
    return p + 4;
}

static size_t item_bytes(const uint8_t *b)
{
    return 4u * ((size_t)(b[2] << 8 | b[3]) + 1);
}

/* ---- reading --------------------------------------------------------------------------------- */

enum va_err rtcp_check(const void *p, size_t len)
{
    const uint8_t *b = p;
    if (len > RTCP_PACKET_MAX)
        return VA_ELIMIT;
    if (len < HEAD || len % 4)
        return VA_EPROTO;
    for (size_t at = 0; at < len;) {
        size_t n = item_bytes(b + at);
        bool last = n == len - at, padded = b[at] & 0x20;
        if (b[at] >> 6 != 2 || b[at + 1] < 192 || b[at + 1] > 223 || n > len - at)
            return VA_EPROTO;
        if (padded && (!last || !b[len - 1] || b[len - 1] % 4 || b[len - 1] > n - HEAD))
            return VA_EPROTO; /* only the last one may be padded, and not into its head */
        at += n;
    }
    return VA_OK;
}

static void read_block(const uint8_t *b, struct rtcp_block *k)
{
    uint32_t lost = get32(b + 4) & 0xffffff;
    *k = (struct rtcp_block){.ssrc = get32(b),
                             .fraction = b[4],
                             .lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost,
                             .max_seq = get32(b + 8),
                             .jitter = get32(b + 12),
                             .last_sr = get32(b + 16),
                             .since_sr = get32(b + 20)};
}

static bool read_report(const uint8_t *b, size_t n, unsigned count, struct rtcp_item *item)
{
    size_t own = item->type == RTCP_SR ? SR_BYTES : RR_BYTES;
    if (n < own + (size_t)count * BLOCK_BYTES)
        return false;
    item->ssrc = get32(b);
    if (item->type == RTCP_SR) {
        item->ntp = (uint64_t)get32(b + 4) << 32 | get32(b + 8);
        item->rtp_timestamp = get32(b + 12);
        item->packets = get32(b + 16);
        item->octets = get32(b + 20);
    }
    item->block_count = count;
    for (unsigned i = 0; i < count; i++)
        read_block(b + own + (size_t)i * BLOCK_BYTES, &item->blocks[i]);
    return true;
}

/* First chunk: SSRC, then items of type, length, text; type 0 ends them. */
static bool read_sdes(const uint8_t *b, size_t n, unsigned count, struct rtcp_item *item)
{
    if (!count)
        return true;
    if (n < 4)
        return false;
    item->ssrc = get32(b);
    for (size_t at = 4; at < n && b[at];) {
        if (n - at < 2 || b[at + 1] > n - at - 2)
            return false;
        if (b[at] == SDES_CNAME && !item->text) {
            item->text = b + at + 2;
            item->text_len = b[at + 1];
        }
        at += 2u + b[at + 1];
    }
    return true;
}

static bool read_bye(const uint8_t *b, size_t n, unsigned count, struct rtcp_item *item)
{
    size_t at = 4u * count;
    if (n < at)
        return false;
    if (count)
        item->ssrc = get32(b);
    if (n > at) {
        if (b[at] > n - at - 1)
            return false;
        item->text = b + at + 1;
        item->text_len = b[at];
    }
    return true;
}

bool rtcp_next(const void *p, size_t len, size_t *at, struct rtcp_item *ret_item)
{
    const uint8_t *b = p;
    if (*at >= len || len - *at < HEAD || item_bytes(b + *at) > len - *at)
        return false;
    b += *at;
    size_t n = item_bytes(b);
    *at += n;
    unsigned count = b[0] & 31;
    size_t padding = b[0] & 0x20 ? b[n - 1] : 0;
    if (padding > n - HEAD)
        return false;
    n -= HEAD + padding;
    b += HEAD;
    memset(ret_item, 0, sizeof(*ret_item));
    ret_item->type = b[-3];
    switch (ret_item->type) {
    case RTCP_SR:
    case RTCP_RR: return read_report(b, n, count, ret_item);
    case RTCP_SDES: return read_sdes(b, n, count, ret_item);
    case RTCP_BYE: return read_bye(b, n, count, ret_item);
    default: ret_item->ssrc = n >= 4 ? get32(b) : 0; return true;
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

static uint8_t *write_head(uint8_t *b, unsigned count, uint8_t type, size_t bytes)
{
    b[0] = (uint8_t)(0x80 | count);
    b[1] = type;
    size_t words = bytes / 4 - 1;
    b[2] = (uint8_t)(words >> 8);
    b[3] = (uint8_t)words;
    return b + HEAD;
}

static int32_t clamp24(int32_t lost)
{
    return lost > 0x7fffff ? 0x7fffff : lost < -0x800000 ? -0x800000 : lost;
}

static uint8_t *write_block(uint8_t *b, const struct rtcp_block *k)
{
    b = put32(b, k->ssrc);
    b = put32(b, (uint32_t)k->fraction << 24 | ((uint32_t)clamp24(k->lost) & 0xffffff));
    b = put32(b, k->max_seq);
    b = put32(b, k->jitter);
    b = put32(b, k->last_sr);
    return put32(b, k->since_sr);
}

static size_t up4(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

enum va_err rtcp_write(const struct rtcp_report *r, void *out, size_t room, size_t *ret_len)
{
    size_t cname = r->cname ? strlen(r->cname) : 0, reason = r->reason ? strlen(r->reason) : 0;
    if (!cname || cname > RTCP_TEXT_MAX || reason > RTCP_TEXT_MAX ||
        r->block_count > RTCP_BLOCKS_MAX || (r->block_count && !r->blocks))
        return VA_EINVAL;
    size_t own = r->sender ? SR_BYTES : RR_BYTES;
    size_t report = HEAD + own + (size_t)r->block_count * BLOCK_BYTES;
    size_t sdes = HEAD + up4(4 + 2 + cname + 1); /* at least one zero ends the chunk */
    size_t bye = r->bye ? HEAD + 4 + (reason ? up4(1 + reason) : 0) : 0;
    if (report + sdes + bye > room || report + sdes + bye > RTCP_PACKET_MAX)
        return VA_ELIMIT;
    uint8_t *b = out;
    memset(b, 0, report + sdes + bye);
    uint8_t *at = write_head(b, r->block_count, r->sender ? RTCP_SR : RTCP_RR, report);
    at = put32(at, r->ssrc);
    if (r->sender) {
        at = put32(at, (uint32_t)(r->ntp >> 32));
        at = put32(at, (uint32_t)r->ntp);
        at = put32(at, r->rtp_timestamp);
        at = put32(at, r->packets);
        at = put32(at, r->octets);
    }
    for (unsigned i = 0; i < r->block_count; i++)
        at = write_block(at, &r->blocks[i]);
    at = put32(write_head(b + report, 1, RTCP_SDES, sdes), r->ssrc);
    at[0] = SDES_CNAME;
    at[1] = (uint8_t)cname;
    memcpy(at + 2, r->cname, cname);
    if (r->bye) {
        at = put32(write_head(b + report + sdes, 1, RTCP_BYE, bye), r->ssrc);
        if (reason) {
            at[0] = (uint8_t)reason;
            memcpy(at + 1, r->reason, reason);
        }
    }
    *ret_len = report + sdes + bye;
    return VA_OK;
}

/* ---- figures --------------------------------------------------------------------------------- */

uint64_t rtcp_ntp(int64_t wall_us)
{
    const int64_t since_1900_s = 2208988800;
    int64_t s = wall_us / 1000000, us = wall_us % 1000000;
    if (us < 0) {
        us += 1000000;
        s--;
    }
    return (uint64_t)(s + since_1900_s) << 32 | ((uint64_t)us << 32) / 1000000u;
}

/* µs in 1/65536 s, at most what 32 bits hold. */
static uint32_t to_short(uint64_t us)
{
    uint64_t s = us / 1000000u;
    return s > 0xffff ? UINT32_MAX : (uint32_t)(s << 16 | (us % 1000000u << 16) / 1000000u);
}

void rtcp_block_fill(struct rtcp_block *block, struct rtp_source *s,
                     const struct rtcp_last_sr *last_sr, uint64_t now_us)
{
    int64_t lost = rtp_source_lost(s);
    bool heard = last_sr && last_sr->middle;
    *block = (struct rtcp_block){.ssrc = s->ssrc,
                                 .fraction = rtp_source_take_fraction(s),
                                 .lost = clamp24((int32_t)(lost > INT32_MAX   ? INT32_MAX
                                                           : lost < INT32_MIN ? INT32_MIN
                                                                              : lost)),
                                 .max_seq = (uint32_t)(s->max_seq - 65536),
                                 .jitter = (uint32_t)s->jitter,
                                 .last_sr = heard ? last_sr->middle : 0,
                                 .since_sr = heard && now_us > last_sr->arrival_us
                                                 ? to_short(now_us - last_sr->arrival_us)
                                                 : 0};
}

bool rtcp_round_trip_us(const struct rtcp_block *k, uint64_t now_ntp, uint64_t *ret_us)
{
    uint32_t rtt = rtcp_ntp_middle(now_ntp) - k->last_sr - k->since_sr;
    /* A clock that is coarse or was set back gives a little less than nothing: that is nothing. */
    if ((int32_t)rtt < 0 && rtt > UINT32_MAX - 65536 / 20)
        rtt = 0;
    if (!k->last_sr || (int32_t)rtt < 0)
        return false;
    *ret_us = (uint64_t)rtt * 1000000u >> 16;
    return true;
}

const struct emodel_codec emodel_g711_plc = {0, 25.1};
const struct emodel_codec emodel_g711 = {0, 4.3};
const struct emodel_codec emodel_g722 = {0, 10};
const struct emodel_codec emodel_opus = {0, 20};

double emodel_r(const struct emodel_codec *codec, double loss, double delay_ms)
{
    const double r0 = 93.2, knee_ms = 177.3;
    double percent = loss < 0 ? 0 : loss > 1 ? 100 : loss * 100, d = delay_ms < 0 ? 0 : delay_ms;
    double id = 0.024 * d + (d > knee_ms ? 0.11 * (d - knee_ms) : 0);
    double ie = codec->ie + (95.0 - codec->ie) * percent / (percent + codec->bpl);
    double r = r0 - id - ie;
    return r < 0 ? 0 : r;
}

double emodel_mos(double r)
{
    if (r <= 0)
        return 1;
    if (r >= 100)
        return 4.5;
    double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
    return mos < 1 ? 1 : mos;
}
