/**
 * media/rtp.h: RTP packets as bytes and as values (RFC 3550 §5.1, RFC 8285 extensions), and what is
 * known of their sender: numbers without wrap, loss, order, jitter (RFC 3550 A.1, A.3, A.8).
 *
 *     datagram ──rtp_classify──► rtp_read ──► rtp_source_take ──► jitter_put
 *
 * Pure: no sockets, no allocation, time comes in as an argument. Everything read is hostile. One
 * thread per object.
 */
#ifndef VA_MEDIA_RTP_H
#define VA_MEDIA_RTP_H

#include "base/err.h"

#include <stdint.h>

enum {
    RTP_HEADER_BYTES = 12,
    RTP_CSRC_MAX = 15,
    RTP_PACKET_MAX = 4096,  /**< longer datagrams are refused: 60 ms of L16/24000 fits [bytes] */
    RTP_MAX_DROPOUT = 3000, /**< A.1: a larger step forward is a restart [packets] */
    RTP_MAX_MISORDER = 100, /**< A.1: a larger step back is a restart [packets] */
    RTP_PROBATION_MAX = 8,  /**< largest probation that may be asked for [packets] */
    RTP_PROBATION = 2,      /**< A.1: MIN_SEQUENTIAL [packets] */
    RTP_EXT_ONE_BYTE = 0xBEDE
};

/* ---- packets --------------------------------------------------------------------------------- */

enum rtp_class { RTP_IS_OTHER, RTP_IS_RTP, RTP_IS_RTCP, RTP_IS_STUN, RTP_IS_DTLS };

/** What a datagram on a shared port is, by its first two bytes (RFC 5761 §4, RFC 7983 §7). */
enum rtp_class rtp_classify(const void *p, size_t len);

/** Slices point into the datagram that was read. */
struct rtp_packet {
    bool marker;
    uint8_t payload_type; /**< 0 … 127 */
    uint16_t seq;
    uint32_t timestamp, ssrc;
    uint8_t csrc_count; /**< 0 … RTP_CSRC_MAX */
    uint32_t csrc[RTP_CSRC_MAX];
    uint16_t ext_profile; /**< of the header extension; meaningful when ext is set */
    const uint8_t *ext;   /**< its data, NULL: none */
    size_t ext_len;       /**< bytes, a multiple of 4 */
    const uint8_t *payload;
    size_t payload_len; /**< bytes, padding taken off; may be 0 */
};

/** @return VA_OK, VA_EPROTO (not RTP version 2, or lengths that do not fit), VA_ELIMIT (too long)
 */
VA_CHECK enum va_err rtp_read(const void *p, size_t len, struct rtp_packet *ret_packet);

/**
 * Write header, CSRCs, extension and payload; never padding.
 *
 * @param out  May be where packet->payload points to, RTP_HEADER_BYTES before it
 * @return VA_OK, VA_EINVAL (payload type, counts, ext_len), VA_ELIMIT (room, RTP_PACKET_MAX)
 */
VA_CHECK enum va_err rtp_write(const struct rtp_packet *packet, void *out, size_t room,
                               size_t *ret_len);

/** One element of a header extension. */
struct rtp_ext {
    uint8_t id; /**< 1 … 14 in the one-byte form, 1 … 255 in the two-byte form */
    const uint8_t *data;
    size_t len;
};

/**
 * Walk the elements of RFC 8285 §4.2 and §4.3; other profiles have none. A broken rest ends it.
 *
 * @param at  Walk's position: 0 at the start
 * @return false at the end
 */
bool rtp_ext_next(const struct rtp_packet *packet, size_t *at, struct rtp_ext *ret_ext);

/* ---- a window of numbers seen ---------------------------------------------------------------- */

/** Which of the last 64 numbers were seen. Zero is empty. */
struct rtp_window {
    int64_t top;
    uint64_t bits; /**< bit n: top − n */
};

enum rtp_seen { RTP_SEEN_NEW, RTP_SEEN_BEHIND, RTP_SEEN_TWICE };

/** Note a number. Behind by 64 and more counts as RTP_SEEN_BEHIND. */
enum rtp_seen rtp_window_note(struct rtp_window *w, int64_t n);

/* ---- a sender -------------------------------------------------------------------------------- */

/** What to do with a packet. */
enum rtp_verdict {
    RTP_TAKE,          /**< play it; its numbers follow those before */
    RTP_TAKE_ANEW,     /**< play it; source or numbering is new: `generation` has grown */
    RTP_DUPLICATE,     /**< seen before */
    RTP_PROBATION_WAIT /**< a new source, or a jump, which the next packet has to confirm: drop */
};

/** Above all timestamps of an rtp_place: times 48,000 still fits into an int64_t. */
#define RTP_TIMESTAMP_MAX ((int64_t)1 << 46)

/** Where a packet stands in its stream. Never negative, never wraps. */
struct rtp_place {
    int64_t seq;         /**< packets */
    int64_t timestamp;   /**< RTP units */
    uint32_t generation; /**< numbers of different generations do not compare */
};

/** Open value; its fields may be read. */
struct rtp_source {
    uint32_t clock_hz; /**< of the timestamps; 0: jitter is not measured */
    unsigned probation;
    bool valid; /**< there is a source; what follows is about it */
    uint32_t ssrc;
    uint32_t generation;
    int64_t max_seq, base_seq, max_timestamp;
    struct rtp_window window;

    uint32_t rival_ssrc; /**< probation: who, how many in a row, next number */
    unsigned rival_run;
    uint16_t rival_next;

    uint64_t received;    /**< packets taken, duplicates too, as RFC 3550 A.3 counts */
    uint64_t duplicates;  /**< of them */
    uint64_t reordered;   /**< came after a higher number */
    uint64_t refused;     /**< RTP_PROBATION_WAIT */
    uint64_t carried;     /**< lost before the last change of generation */
    int64_t last_transit; /**< A.8 [RTP units] */
    double jitter;        /**< A.8 [RTP units] */
    bool has_transit;
    uint64_t prior_expected, prior_received; /**< at the last report */
};

/**
 * @param probation  Packets in a row that make a source (A.1), 1 … RTP_PROBATION_MAX; 1 trusts the
 *                   first one; 0 is RTP_PROBATION
 */
void rtp_source_init(struct rtp_source *s, uint32_t clock_hz, unsigned probation);

/**
 * A packet came. The first source is validated by probation; another SSRC takes over when it has
 * passed its own, and one stray packet of it changes nothing.
 *
 * @param arrival_us  Monotonic [µs]
 * @param timed       False for payloads whose timestamp stands still (telephone-event): they count
 *                    but do not touch the jitter
 * @param ret_place   Set for RTP_TAKE and RTP_TAKE_ANEW
 */
enum rtp_verdict rtp_source_take(struct rtp_source *s, const struct rtp_packet *packet,
                                 uint64_t arrival_us, bool timed, struct rtp_place *ret_place);

/** Packets that should have come, of this generation (A.3). */
uint64_t rtp_source_expected(const struct rtp_source *s);
/** Expected minus received, as reports carry it: negative with duplicates (A.3). */
int64_t rtp_source_lost(const struct rtp_source *s);
/** Interarrival jitter [µs]; 0 without clock_hz. */
uint64_t rtp_source_jitter_us(const struct rtp_source *s);
/** Lost of 256 expected since the last call (A.3), for a report that is now sent. */
uint8_t rtp_source_take_fraction(struct rtp_source *s);

#endif
