/* Reports: SR or RR with CNAME about every five seconds, BYE at the end; those of the far end. */
#include "leg/rtp_stream_int.h"
#include "base/rand.h"

/* ---- sending --------------------------------------------------------------------------------- */

/* RFC 3550 §6.2, §6.3.1: half to one and a half of the interval, over e − 3/2; for two parties the
 * bandwidth is never the bound. */
static uint64_t interval_ms(bool first)
{
    uint32_t least = (first ? RTP_STREAM_RTCP_MS / 2 : RTP_STREAM_RTCP_MS) * 1000u / 1218u;
    return least / 2 + rand_below(least);
}

/* The RTP timestamp of now (§6.4.1): that of the last frame, and what has passed since. */
static uint32_t timestamp_now(const struct rtp_stream *s, uint64_t now_us)
{
    uint64_t hz = s->out.codec ? (uint64_t)codec_info_of(s->out.codec)->clock_hz : 0;
    uint64_t since = s->out.last_us && now_us > s->out.last_us ? now_us - s->out.last_us : 0;
    return s->out.timestamp + (uint32_t)(since * hz / 1000000u);
}

static uint64_t ntp_now(const struct rtp_stream *s)
{
    return rtcp_ntp(clock_wall_us(loop_clock(s->loop)));
}

void rtp_reports_send(struct rtp_stream *s, bool bye)
{
    uint8_t buf[RTCP_PACKET_MAX + SECURE_GROWTH];
    struct rtp_reports *r = &s->reports;
    uint64_t now_us = loop_now_us(s->loop);
    struct rtcp_block block;
    struct rtcp_report report = {.ssrc = s->out.ssrc,
                                 .sender = s->out.packets != r->packets_before[1],
                                 .ntp = ntp_now(s),
                                 .rtp_timestamp = timestamp_now(s, now_us),
                                 .packets = s->out.packets,
                                 .octets = s->out.octets,
                                 .blocks = &block,
                                 .cname = s->cname,
                                 .bye = bye};
    size_t len = 0;
    if (s->numbers.valid) {
        rtcp_block_fill(&block, &s->numbers, &r->last_sr, now_us);
        report.block_count = 1;
    }
    r->packets_before[1] = r->packets_before[0];
    r->packets_before[0] = s->out.packets;
    if (rtcp_write(&report, buf, RTCP_PACKET_MAX, &len) == VA_OK &&
        rtp_stream_put(s, true, buf, len))
        s->stats.rtcp_out++;
}

static void on_report_due(void *arg)
{
    struct rtp_stream *s = arg;
    tmr_start(&s->reports.due, s->loop, interval_ms(false), on_report_due, s);
    rtp_reports_send(s, false);
}

/* Reports keep a shared port open by themselves. */
static void on_keepalive_due(void *arg)
{
    struct rtp_stream *s = arg;
    if (s->stats.packets_out == s->reports.kept_at && !s->remote.mux)
        rtp_out_keepalive(s);
    s->reports.kept_at = s->stats.packets_out;
    tmr_start(&s->reports.keepalive, s->loop, RTP_STREAM_KEEPALIVE_MS, on_keepalive_due, s);
}

void rtp_reports_start(struct rtp_stream *s)
{
    if (tmr_running(&s->reports.due))
        return;
    s->reports.kept_at = s->stats.packets_out;
    tmr_start(&s->reports.due, s->loop, interval_ms(true), on_report_due, s);
    tmr_start(&s->reports.keepalive, s->loop, RTP_STREAM_KEEPALIVE_MS, on_keepalive_due, s);
}

void rtp_reports_stop(struct rtp_stream *s)
{
    tmr_stop(&s->reports.due);
    tmr_stop(&s->reports.keepalive);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static void take_block(struct rtp_stream *s, const struct rtcp_block *b)
{
    uint64_t us = 0;
    if (b->ssrc != s->out.ssrc)
        return;
    uint64_t hz = s->out.codec ? (uint64_t)codec_info_of(s->out.codec)->clock_hz : 8000;
    s->stats.far_loss_of_256 = b->fraction;
    uint64_t jitter_us = b->jitter * UINT64_C(1000000) / hz;
    s->stats.far_jitter_us = jitter_us > UINT32_MAX ? UINT32_MAX : (uint32_t)jitter_us;
    if (rtcp_round_trip_us(b, ntp_now(s), &us) && us <= UINT32_MAX)
        s->stats.round_trip_us = (uint32_t)us;
}

static void take_item(struct rtp_stream *s, const struct rtcp_item *item, uint64_t now_us)
{
    bool source = s->numbers.valid && item->ssrc == s->numbers.ssrc;
    if (item->type == RTCP_SR && source)
        s->reports.last_sr = (struct rtcp_last_sr){rtcp_ntp_middle(item->ntp), now_us};
    if (item->type == RTCP_SR || item->type == RTCP_RR)
        for (unsigned i = 0; i < item->block_count; i++)
            take_block(s, &item->blocks[i]);
    if (item->type == RTCP_BYE && source)
        s->stats.bye = true;
}

void rtp_reports_take(struct rtp_stream *s, const struct net_addr *from, const void *p, size_t len,
                      uint64_t now_us)
{
    struct rtcp_item item;
    size_t at = 0;
    if (rtcp_check(p, len)) {
        s->stats.malformed++;
        return;
    }
    /* Whoever speaks is whom we hear, else it is somebody else's report that went astray. */
    if (s->numbers.valid && (!rtcp_next(p, len, &at, &item) || item.ssrc != s->numbers.ssrc)) {
        s->stats.foreign++;
        return;
    }
    s->stats.rtcp_in++;
    if (s->numbers.valid && s->state == RTP_SOURCE_LOCKED)
        s->reports.source = *from;
    for (at = 0; rtcp_next(p, len, &at, &item);)
        take_item(s, &item, now_us);
}
