/* Life, agreement and figures of a stream; rtp_stream_in.c, _out.c and _rtcp.c do the rest. */
#include "leg/rtp_stream_int.h"
#include "base/rand.h"

#include <stdlib.h>

/* ---- life ------------------------------------------------------------------------------------ */

static void on_rtp_port(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    struct rtp_stream *s = arg;
    rtp_stream_take(s, false, from, p, len, udp_arrival_us(s->rtp));
}

static void on_rtcp_port(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    struct rtp_stream *s = arg;
    rtp_stream_take(s, true, from, p, len, loop_now_us(s->loop));
}

static enum va_err open_ports(struct rtp_stream *s, const struct rtp_stream_cfg *cfg)
{
    struct net_addr at;
    const struct settings *set = cfg->settings;
    uint16_t min = (uint16_t)set->rtp_port_min, max = (uint16_t)set->rtp_port_max;
    enum va_err err = net_addr_parse(set->rtp_bind_address, 0, &at);
    if (err)
        return err;
    return cfg->one_port ? udp_open_range(s->loop, &at, min, max, on_rtp_port, s, &s->rtp)
                         : udp_open_pair_range(s->loop, &at, min, max, on_rtp_port, on_rtcp_port, s,
                                               &s->rtp, &s->rtcp);
}

static void set_cname(struct rtp_stream *s, const char *cname)
{
    char random[UUID_TEXT];
    if (!cname || !*cname) {
        rand_uuid(random);
        cname = random;
    }
    (void)str_copy(s->cname, sizeof(s->cname), str_of(cname));
}

enum va_err rtp_stream_open(const struct rtp_stream_cfg *cfg,
                            const struct rtp_stream_handlers *handlers, void *arg,
                            struct rtp_stream **ret_stream)
{
    const struct settings *set = cfg->settings;
    if (!media_format_valid(cfg->format))
        return VA_EINVAL;
    struct rtp_stream *s = calloc(1, sizeof(*s));
    if (!s)
        return VA_ENOMEM;
    s->loop = cfg->loop;
    s->format = cfg->format;
    s->frame = media_format_samples(cfg->format);
    s->h = handlers;
    s->arg = arg;
    set_cname(s, cfg->cname);
    rtp_out_init(&s->out);
    struct jitter_cfg j = {cfg->format, (int)set->rtp_jitter_min_ms, (int)set->rtp_jitter_target_ms,
                           (int)set->rtp_jitter_max_ms};
    enum va_err err = jitter_new(&j, &s->jitter);
    if (!err)
        err = open_ports(s, cfg);
    if (err) {
        rtp_stream_close(&s);
        return err;
    }
    *ret_stream = s;
    return VA_OK;
}

void rtp_stream_close(struct rtp_stream **ps)
{
    struct rtp_stream *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    rtp_reports_stop(s);
    if (s->stats.packets_out || s->stats.rtcp_out) /* RFC 3550 §6.3.7 */
        rtp_reports_send(s, true);
    udp_close(&s->rtp);
    udp_close(&s->rtcp);
    jitter_free(&s->jitter); /* before the codecs that its packets name */
    rtp_out_free(&s->out);
    for (size_t i = 0; i < CODEC_COUNT; i++)
        codec_free(&s->codecs[i]);
    secure_free(&s->secure);
    sdes_wipe(&s->remote.send_key);
    sdes_wipe(&s->remote.receive_key);
    s->gone = true;
    if (!s->telling)
        free(s);
}

uint16_t rtp_stream_port(const struct rtp_stream *s)
{
    return udp_port(s->rtp);
}

uint16_t rtp_stream_rtcp_port(const struct rtp_stream *s)
{
    return s->rtcp ? udp_port(s->rtcp) : 0;
}

/* ---- agreement ------------------------------------------------------------------------------- */

static bool type_valid(const struct rtp_type *t)
{
    if (t->pt > 127)
        return false;
    switch (t->kind) {
    case RTP_TYPE_AUDIO: return t->codec != NULL;
    case RTP_TYPE_EVENT: return t->clock_hz >= 8000 && t->clock_hz <= MEDIA_RATE_MAX_HZ;
    case RTP_TYPE_NOISE: return true;
    }
    return false;
}

/* @return the first audio; NULL: the list is no good */
static const struct rtp_type *check_receive(const struct rtp_stream_remote *r)
{
    const struct rtp_type *audio = NULL;
    bool seen[128] = {false};
    if (r->receive_count > RTP_STREAM_TYPES_MAX)
        return NULL;
    for (unsigned i = 0; i < r->receive_count; i++) {
        const struct rtp_type *t = &r->receive[i];
        if (!type_valid(t) || seen[t->pt])
            return NULL;
        seen[t->pt] = true;
        if (!audio && t->kind == RTP_TYPE_AUDIO)
            audio = t;
    }
    return audio;
}

static bool remote_valid(const struct rtp_stream_remote *r)
{
    const struct rtp_type *event = &r->send_event;
    return check_receive(r) && r->send.kind == RTP_TYPE_AUDIO && type_valid(&r->send) &&
           (!event->clock_hz || (event->kind == RTP_TYPE_EVENT && type_valid(event))) &&
           (!r->ptime_ms || media_ptime_valid(r->ptime_ms)) &&
           !r->send_key.suite == !r->receive_key.suite;
}

/* One object per codec for the stream's life: packets that wait in the jitter buffer name it. */
static enum va_err make_codec(struct rtp_stream *s, const struct codec_info *info)
{
    if (s->codecs[info->id])
        return VA_OK;
    return codec_new(info, s->format.rate_hz, &s->codecs[info->id]);
}

static enum va_err make_codecs(struct rtp_stream *s, const struct rtp_stream_remote *r)
{
    enum va_err err = make_codec(s, r->send.codec);
    for (unsigned i = 0; i < r->receive_count && !err; i++)
        if (r->receive[i].kind == RTP_TYPE_AUDIO)
            err = make_codec(s, r->receive[i].codec);
    return err;
}

static bool same_key(const struct sdes_crypto *a, const struct sdes_crypto *b)
{
    return a->suite == b->suite &&
           (a->suite == SDES_NONE || !memcmp(a->key, b->key, sizeof(a->key)));
}

/* The same keys keep their context, and with it the count of their packets. */
static bool same_keys(const struct rtp_stream_remote *a, const struct rtp_stream_remote *b)
{
    return same_key(&a->send_key, &b->send_key) && same_key(&a->receive_key, &b->receive_key);
}

static void take_types(struct rtp_stream *s)
{
    const struct rtp_stream_remote *r = &s->remote;
    memset(s->by_pt, 0, sizeof(s->by_pt));
    int event_hz = 8000;
    for (unsigned i = r->receive_count; i-- > 0;) {
        s->by_pt[r->receive[i].pt] = (uint8_t)(i + 1);
        if (r->receive[i].kind == RTP_TYPE_EVENT)
            event_hz = r->receive[i].clock_hz;
    }
    if (!s->heard) {
        s->heard = s->codecs[check_receive(r)->codec->id];
        rtp_source_init(&s->numbers, (uint32_t)codec_info_of(s->heard)->clock_hz, 0);
    }
    if (!s->events.handlers)
        telephone_event_rx_init(&s->events, (uint32_t)event_hz, &rtp_stream_events, s);
}

enum va_err rtp_stream_set_remote(struct rtp_stream *s, const struct rtp_stream_remote *r)
{
    if (!remote_valid(r))
        return VA_EINVAL;
    enum va_err err = make_codecs(s, r);
    bool rekey = !same_keys(&s->remote, r), same = net_addr_eq(&r->rtp, &s->remote.rtp);
    struct secure *secure = NULL;
    if (!err && rekey && r->send_key.suite)
        err = secure_new(&r->send_key, &r->receive_key, &secure);
    if (!err)
        err = rtp_out_set(s, r);
    if (err) {
        secure_free(&secure);
        return err;
    }
    if (rekey) {
        secure_free(&s->secure);
        s->secure = secure;
    }
    s->remote = *r;
    take_types(s);
    rtp_stream_learn(s, same);
    rtp_reports_start(s);
    return VA_OK;
}

/* ---- figures --------------------------------------------------------------------------------- */

/* What a caller would say of the audio that we hear: of packets that had to be made up, lost or not
 * in time, and of the delay. What is made up while the far end stops is no impairment. */
static uint32_t mos_x100(const struct rtp_stream *s, const struct rtp_stream_stats *st)
{
    uint64_t expected = rtp_source_expected(&s->numbers);
    if (!expected || !s->heard)
        return 0;
    double missing = (double)(st->lost + st->jitter.late + st->jitter.discarded);
    double delay = (double)st->round_trip_us / 2000.0 + st->jitter.delay_ms + s->format.ptime_ms;
    double r = emodel_r(codec_info_of(s->heard)->quality, missing / (double)expected, delay);
    return (uint32_t)(emodel_mos(r) * 100.0 + 0.5);
}

void rtp_stream_stats(const struct rtp_stream *s, struct rtp_stream_stats *ret_stats)
{
    struct rtp_stream_stats st = s->stats;
    /* RFC 3550 A.3 lets a duplicate make up for a loss; a person wants to know both. */
    int64_t lost = rtp_source_lost(&s->numbers) + (int64_t)s->numbers.duplicates;
    jitter_stats(s->jitter, &st.jitter);
    st.lost = lost > 0 ? (uint64_t)lost : 0;
    st.duplicates = s->numbers.duplicates;
    st.reordered = s->numbers.reordered;
    st.jitter_us = (uint32_t)rtp_source_jitter_us(&s->numbers);
    if (s->state == RTP_SOURCE_LOCKED)
        st.source = s->source;
    st.mos_x100 = mos_x100(s, &st);
    *ret_stats = st;
}

void rtp_stream_leg_stats(const struct rtp_stream *s, struct leg_stats *ret_stats)
{
    struct rtp_stream_stats st;
    rtp_stream_stats(s, &st);
    *ret_stats = (struct leg_stats){
        .frames_in = s->frames_in,
        .frames_out = s->frames_out,
        .foreign = st.foreign,
        .bad_size = st.malformed + st.jitter.broken + st.forged + st.replayed,
        .send_fails = st.send_fails,
        .lost = st.lost,
        .concealed = st.jitter.concealed_samples / s->frame,
        .jitter_us = st.jitter_us,
        .delay_ms = st.jitter.delay_ms,
        .round_trip_us = st.round_trip_us,
        .mos_x100 = st.mos_x100,
    };
}
