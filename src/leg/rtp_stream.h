/**
 * leg/rtp_stream.h: one audio stream by RTP: ports, codec, jitter buffer, RTCP, digits, SRTP.
 *
 *     call's tick ─ rtp_stream_send ─► resample ─ encode ─ SRTP ─► socket ─► far end
 *     call's tick ◄ rtp_stream_receive ─ [ jitter ] ◄─ who sent it? ◄─ SRTP ◄─ socket ◄─ far end
 *                   rtp_stream_read ───────────────────────────────────────────┘ by the same tick
 *
 * Order: open, read the ports for SDP, set the remote when SDP has come (again at any re-INVITE),
 * then one send and one receive per tick. Whoever owns it does the signalling; this file knows no
 * SIP. All on the loop's thread.
 *
 * Symmetric RTP: audio goes where SDP said until a source is learned, then to that source. Learned
 * is the signalled address at its first good packet, or, when `learn` allows it and the signalled
 * one is silent, another one that sent RTP_STREAM_LEARN_PACKETS in a row (NAT). Then it is locked:
 * what comes from elsewhere is counted and never heard. rtp_stream_set_remote() learns anew.
 */
#ifndef VA_LEG_RTP_STREAM_H
#define VA_LEG_RTP_STREAM_H

#include "base/settings.h"
#include "leg/leg.h"
#include "leg/sdes.h"
#include "media/codec.h"
#include "media/telephone_event.h"
#include "net/addr.h"
#include "net/loop.h"

enum {
    RTP_STREAM_TYPES_MAX = 12,       /**< payload types that may be received */
    RTP_STREAM_LEARN_PACKETS = 5,    /**< in a row from an address that SDP did not name */
    RTP_STREAM_DIGIT_MS = 100,       /**< default length of a digit that is sent */
    RTP_STREAM_RTCP_MS = 5000,       /**< between reports, on the average (RFC 3550 §6.2) */
    RTP_STREAM_KEEPALIVE_MS = 15000, /**< while nothing is sent (RFC 6263 §7) */
    RTP_STREAM_CNAME_MAX = 64
};

struct rtp_stream;

struct rtp_stream_handlers {
    /** The first audio was heard, or the comfort noise of who does not speak yet. Once per stream;
     *  a re-INVITE does not repeat it. */
    void (*on_first)(void *arg);
    /** A digit (RFC 4733), once, when it begins. */
    void (*on_digit)(void *arg, char digit);
}; /* Both run from the socket, never inside a call of ours, and may close the stream. */

struct rtp_stream_cfg {
    struct loop *loop;               /**< borrowed, outlives the stream */
    struct media_format format;      /**< of the frames on our side, both ways */
    const struct settings *settings; /**< RTP_PORT_MIN, _MAX, RTP_BIND_ADDRESS, RTP_JITTER_*; copied
                                      */
    bool one_port; /**< RTCP by the same port (RFC 5761): no second socket; offer a=rtcp-mux then */
    const char *cname; /**< for RTCP, not empty, cut at RTP_STREAM_CNAME_MAX; NULL: a random one */
};

enum rtp_type_kind {
    RTP_TYPE_AUDIO,
    RTP_TYPE_EVENT, /**< telephone-event */
    RTP_TYPE_NOISE  /**< CN */
};

/** A payload type of one side's SDP. */
struct rtp_type {
    uint8_t pt; /**< 0 … 127 */
    enum rtp_type_kind kind;
    const struct codec_info *codec; /**< RTP_TYPE_AUDIO; else NULL */
    int clock_hz;                   /**< RTP_TYPE_EVENT; else the codec's */
};

/** Named from our side, as in our own SDP. */
enum rtp_direction { RTP_SENDRECV, RTP_SENDONLY, RTP_RECVONLY, RTP_INACTIVE };

/** What offer and answer have agreed on. */
struct rtp_stream_remote {
    struct net_addr rtp;  /**< the far end's c= and m=; 0.0.0.0 or port 0: nowhere, nothing is sent
                           */
    struct net_addr rtcp; /**< its a=rtcp; family 0 is rtp's port + 1. Ignored when mux */
    bool mux;             /**< both sides said a=rtcp-mux: RTCP goes by the RTP port */
    bool learn;           /**< a source other than `rtp` may be learned (NAT) */
    enum rtp_direction direction;
    int ptime_ms; /**< of what we send: far end's a=ptime, media_ptime_valid(); 0 is 20 */

    struct rtp_type send;       /**< audio, by the far end's numbers */
    struct rtp_type send_event; /**< digits, likewise; clock_hz 0: it takes none */
    unsigned receive_count;     /**< 1 … RTP_STREAM_TYPES_MAX, at least one of audio */
    struct rtp_type receive[RTP_STREAM_TYPES_MAX]; /**< by our own numbers; the first audio is the
                                                    *   one around noise and digits */

    struct sdes_crypto send_key, receive_key; /**< of our SDP, of the far end's; both or neither */
};

/**
 * Bind ports of RTP_PORT_MIN … _MAX: an even one for RTP and the next for RTCP, or one. They are
 * held until the stream is closed. Nothing is sent or heard before rtp_stream_set_remote().
 *
 * @param handlers  Borrowed; both are required
 * @return VA_OK, VA_EINVAL (format, settings), VA_ELIMIT (all ports taken, or descriptors),
 *         VA_ENOMEM
 */
VA_CHECK enum va_err rtp_stream_open(const struct rtp_stream_cfg *cfg,
                                     const struct rtp_stream_handlers *handlers, void *arg,
                                     struct rtp_stream **ret_stream);
/** RTCP BYE to the far end, ports released, no handler is called any more. Sets *stream NULL. */
void rtp_stream_close(struct rtp_stream **stream);

/** Ports for our SDP; the second is 0 with one_port. */
uint16_t rtp_stream_port(const struct rtp_stream *stream);
uint16_t rtp_stream_rtcp_port(const struct rtp_stream *stream);

/**
 * Set or replace what was agreed: first answer, hold and resume, other codec, other address, other
 * keys. Copied. The same twice changes nothing but that the source is learned anew. On failure all
 * stays as it was.
 *
 * @return VA_OK, VA_EINVAL (types, ptime, keys of one side only, two codecs of one payload type),
 *         VA_ENOMEM
 */
VA_CHECK enum va_err rtp_stream_set_remote(struct rtp_stream *stream,
                                           const struct rtp_stream_remote *remote);

/**
 * Our frame of this tick: encoded and sent, or only counted where the direction says so. The far
 * end's clock is our count of frames, so each tick needs one.
 *
 * @param count  A whole frame of the format
 */
void rtp_stream_send(struct rtp_stream *stream, const int16_t *samples, size_t count);
/** The next frame keeps no step with those before: its timestamp tells when it is sent. It is not
 *  marked as the first of a talk spurt: FreeSWITCH 1.10.12 drops a packet that is. */
void rtp_stream_new_step(struct rtp_stream *stream);
/**
 * For an owner with a clock: from here on the far end's packets are read by rtp_stream_read(), one
 * system call a tick, instead of waking the loop one by one. They are not later for it: the jitter
 * buffer would make them wait, and their time of arrival is the kernel's. Before there is a source,
 * and for what others send, the loop goes on reading.
 */
void rtp_stream_read_by_clock(struct rtp_stream *stream);
/** Once a tick, before rtp_stream_receive(). Handlers are called from inside, and may close the
 *  stream. */
void rtp_stream_read(struct rtp_stream *stream);
/**
 * The far end's frame of this tick.
 *
 * @param now_us  As on_tick() of media/clock.h got it
 * @param out     A whole frame of the format, all written
 */
enum jitter_frame rtp_stream_receive(struct rtp_stream *stream, uint64_t now_us, int16_t *out);

/**
 * Send a digit after those before it; it takes the place of the audio.
 *
 * @param ms  0 is RTP_STREAM_DIGIT_MS
 * @return VA_OK, VA_ENOTSUP (the far end takes none), VA_EINVAL (not a digit), VA_ELIMIT (queue)
 */
VA_CHECK enum va_err rtp_stream_send_digit(struct rtp_stream *stream, char digit, uint32_t ms);
/** Drop the digits that wait. */
void rtp_stream_clear_digits(struct rtp_stream *stream);

struct rtp_stream_stats {
    uint64_t packets_in;  /**< taken: audio, noise, events */
    uint64_t packets_out; /**< of RTP */
    uint64_t last_in_us;  /**< monotonic, when RTP was taken last; 0: never */
    uint64_t foreign;     /**< from a source that is not the learned one: dropped */
    uint64_t malformed;   /**< not RTP or RTCP, or a payload type that was not agreed: dropped */
    uint64_t unexpected;  /**< came while the direction says that nothing is received: dropped */
    uint64_t forged;      /**< SRTP: not by this key */
    uint64_t replayed;    /**< SRTP: seen before, or too old */
    uint64_t send_fails;  /**< datagrams the socket would not take */
    uint64_t lost;        /**< packets that never came, by their numbers */
    uint64_t duplicates, reordered; /**< came twice; came after a higher number */
    uint64_t digits_in, digits_out;
    uint64_t rtcp_in, rtcp_out;
    uint64_t learned;                        /**< times a source was locked */
    uint64_t moved;                          /**< of them: an address that SDP did not name */
    bool bye;                                /**< the source said BYE by RTCP */
    bool pauses;                             /**< comfort noise came last (RFC 3389): it need not
                                              *   send until somebody speaks */
    struct net_addr source;                  /**< the learned one; family 0: none */
    uint32_t jitter_us;                      /**< of the network (RFC 3550 A.8) */
    uint32_t round_trip_us;                  /**< by RTCP; 0: not known yet */
    uint32_t far_loss_of_256, far_jitter_us; /**< what the far end's last report says of us */
    uint32_t mos_x100;                       /**< of what we hear, 100 … 450; 0: nothing yet */
    struct jitter_stats jitter;
};

void rtp_stream_stats(const struct rtp_stream *stream, struct rtp_stream_stats *ret_stats);
/** The same as the call's statistics have it; frames are counted here too. */
void rtp_stream_leg_stats(const struct rtp_stream *stream, struct leg_stats *ret_stats);

#endif
