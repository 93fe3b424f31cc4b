/** leg/rtp_stream_int.h: inside rtp_stream*.c, tests and fuzz targets only. */
#ifndef VA_LEG_RTP_STREAM_INT_H
#define VA_LEG_RTP_STREAM_INT_H

#include "leg/rtp_stream.h"
#include "leg/secure.h"
#include "media/resample.h"
#include "net/udp.h"

enum {
    RTP_STREAM_PACKET = RTP_HEADER_BYTES + CODEC_PAYLOAD_MAX + SECURE_GROWTH,
    RTP_STREAM_BEGAN_MAX = 8,     /**< digits that one packet can begin: one of 32 bytes */
    RTP_STREAM_PT_KEEPALIVE = 127 /**< or the next below that means nothing to the far end */
};

/** Whose packets are heard. */
enum rtp_source_state {
    RTP_SOURCE_NONE,     /**< no remote yet */
    RTP_SOURCE_LEARNING, /**< since rtp_stream_set_remote() */
    RTP_SOURCE_LOCKED
};

/** An address that SDP did not name, on its way to be learned. */
struct rtp_rival {
    struct net_addr from;
    uint32_t ssrc;
    uint16_t next; /**< number that would continue its run */
    unsigned run;
};

/** The sending half. */
struct rtp_out {
    uint32_t ssrc, timestamp; /**< timestamp of the next sample that is sent */
    uint16_t seq;
    bool marker;               /**< of the next packet of audio */
    bool new_step;             /**< the next frame keeps no step with the one before */
    struct codec *codec;       /**< one of rtp_stream.codecs; NULL: none agreed */
    size_t packet;             /**< samples at the codec's rate */
    uint32_t units;            /**< the same in RTP units */
    struct resample *resample; /**< NULL: equal rates */
    int16_t *wait;             /**< what is not yet a packet; NULL: each frame is one */
    size_t wait_len, wait_cap;
    struct telephone_event_tx digits;
    uint64_t last_us;         /**< when `timestamp` was moved last */
    uint64_t due_us;          /**< when the next frame is expected; 0: not yet known */
    uint32_t packets, octets; /**< as sender reports carry them: they wrap */
    bool changed_ssrc;        /**< for a collision: once */
};

/** What is remembered for and from reports. */
struct rtp_reports {
    struct tmr due, keepalive;
    uint32_t packets_before[2]; /**< out.packets at the last reports: are we a sender? */
    uint64_t kept_at;           /**< stats.packets_out when the keep-alive timer started */
    struct rtcp_last_sr last_sr;
    struct net_addr source; /**< where reports come from; family 0: not seen */
};

struct rtp_stream {
    struct loop *loop;
    struct media_format format;
    size_t frame; /**< samples */
    int min_ms, start_ms, max_ms;
    const struct rtp_stream_handlers *h;
    void *arg;
    bool telling; /**< a handler runs */
    bool gone;    /**< it closed the stream: all is released but this struct */
    char cname[RTP_STREAM_CNAME_MAX + 1];
    struct udp_sock *rtp, *rtcp; /**< rtcp: NULL with one port */

    struct rtp_stream_remote remote;
    struct codec *codecs[CODEC_COUNT];
    uint8_t by_pt[128]; /**< index into remote.receive, plus 1; 0: not agreed */
    struct secure *secure;

    enum rtp_source_state state;
    struct net_addr source; /**< learned; kept over a re-INVITE that leaves the address */
    struct rtp_rival rival;
    struct rtp_source numbers;
    struct jitter *jitter;
    const struct codec *heard; /**< of the last audio that came, else of what is expected */
    struct telephone_event_rx events;
    bool first_told;
    char began[RTP_STREAM_BEGAN_MAX]; /**< digits of the packet that is being taken */
    unsigned began_count;

    struct rtp_out out;
    struct rtp_reports reports;
    uint64_t frames_in, frames_out; /**< ticks that had audio */
    struct rtp_stream_stats stats;

    /** Instead of the sockets, for tests. */
    enum va_err (*wire)(void *arg, bool rtcp, const struct net_addr *to, const void *p, size_t len);
    void *wire_arg;
};

static inline bool rtp_direction_sends(enum rtp_direction d)
{
    return d == RTP_SENDRECV || d == RTP_SENDONLY;
}

static inline bool rtp_direction_receives(enum rtp_direction d)
{
    return d == RTP_SENDRECV || d == RTP_RECVONLY;
}

/** Is there an address at all? */
static inline bool rtp_known(const struct net_addr *a)
{
    return a->u.sa.sa_family != AF_UNSPEC;
}

/* rtp_stream_in.c */
extern const struct telephone_event_handlers rtp_stream_events;
/** A datagram came. May end with a handler that closes the stream. */
void rtp_stream_take(struct rtp_stream *s, bool on_rtcp_port, const struct net_addr *from,
                     const void *p, size_t len, uint64_t now_us);
/** Learn the source anew; `same` when SDP names the address it did before. */
void rtp_stream_learn(struct rtp_stream *s, bool same);

/* rtp_stream_out.c */
/** Take over codec, packet length and digits of s->remote. Changes nothing on failure. */
VA_CHECK enum va_err rtp_out_set(struct rtp_stream *s, const struct rtp_stream_remote *remote);
void rtp_out_init(struct rtp_out *out);
void rtp_out_free(struct rtp_out *out);
/** A packet for the unknown, so that a NAT keeps its hole open (RFC 6263 §4.6). */
void rtp_out_keepalive(struct rtp_stream *s);
/** Another SSRC, and all that hangs on it. */
void rtp_out_anew(struct rtp_out *out);
/** Seal and send. `p` has SECURE_GROWTH bytes behind len. @return it left */
bool rtp_stream_put(struct rtp_stream *s, bool rtcp, void *p, size_t len);
/** Where RTP goes. @return false: nowhere */
bool rtp_stream_destination(const struct rtp_stream *s, struct net_addr *ret_to);

/* rtp_stream_rtcp.c */
void rtp_reports_start(struct rtp_stream *s);
void rtp_reports_stop(struct rtp_stream *s);
void rtp_reports_take(struct rtp_stream *s, const struct net_addr *from, const void *p, size_t len,
                      uint64_t now_us);
/** Send one now. */
void rtp_reports_send(struct rtp_stream *s, bool bye);

#endif
