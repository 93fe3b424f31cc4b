/**
 * media/rtcp.h: RTCP compound packets (RFC 3550 §6): reading, writing, round trip, and what a
 * caller would say of the line (E-model).
 *
 * Pure: no sockets, no allocation. Everything read is hostile. Any thread.
 */
#ifndef VA_MEDIA_RTCP_H
#define VA_MEDIA_RTCP_H

#include "media/rtp.h"

enum {
    RTCP_BLOCKS_MAX = 31, /**< report blocks of one SR or RR; five bits count them */
    RTCP_TEXT_MAX = 255,  /**< CNAME, reason of a BYE [bytes] */
    RTCP_PACKET_MAX = 1500
};

enum rtcp_type { RTCP_SR = 200, RTCP_RR = 201, RTCP_SDES = 202, RTCP_BYE = 203, RTCP_APP = 204 };

/** §6.4.1 */
struct rtcp_block {
    uint32_t ssrc;     /**< whom it is about */
    uint8_t fraction;  /**< lost of 256 since the report before */
    int32_t lost;      /**< in all, 24 bits with sign */
    uint32_t max_seq;  /**< highest number with its wraps */
    uint32_t jitter;   /**< RTP units */
    uint32_t last_sr;  /**< middle 32 bits of the NTP time of the last SR; 0: none */
    uint32_t since_sr; /**< since it came [1/65536 s] */
};

/** One packet of a compound. Slices point into the datagram. */
struct rtcp_item {
    uint8_t type;  /**< enum rtcp_type, or one that is not known: skip it */
    uint32_t ssrc; /**< of the sender; of the first chunk or source for SDES and BYE; 0: none */
    uint64_t ntp;  /**< SR [1/2^32 s since 1900] */
    uint32_t rtp_timestamp, packets, octets; /**< SR */
    unsigned block_count;                    /**< SR, RR */
    struct rtcp_block blocks[RTCP_BLOCKS_MAX];
    const uint8_t *text; /**< SDES: CNAME of the first chunk; BYE: reason; NULL: none. No NUL. */
    size_t text_len;
};

/**
 * Is this a compound packet (A.2)? A first packet of another type than SR and RR is accepted:
 * reduced-size RTCP (RFC 5506).
 *
 * @return VA_OK, VA_EPROTO, VA_ELIMIT (RTCP_PACKET_MAX)
 */
VA_CHECK enum va_err rtcp_check(const void *p, size_t len);
/**
 * Walk the packets of a datagram that passed rtcp_check().
 *
 * @param at  Walk's position: 0 at the start
 * @return false at the end, and at contents that do not fit their packet
 */
bool rtcp_next(const void *p, size_t len, size_t *at, struct rtcp_item *ret_item);

/** What we send: SR when `sender`, else RR; then SDES with the CNAME; then BYE when `bye`. */
struct rtcp_report {
    uint32_t ssrc;
    bool sender;
    uint64_t ntp;
    uint32_t rtp_timestamp, packets, octets;
    unsigned block_count;
    const struct rtcp_block *blocks; /**< borrowed */
    const char *cname;               /**< required; at most RTCP_TEXT_MAX bytes */
    bool bye;
    const char *reason; /**< of the BYE; may be NULL */
};

/** @return VA_OK, VA_EINVAL (blocks, texts), VA_ELIMIT (room) */
VA_CHECK enum va_err rtcp_write(const struct rtcp_report *report, void *out, size_t room,
                                size_t *ret_len);

/** NTP time of a wall clock [µs since 1970]. */
uint64_t rtcp_ntp(int64_t wall_us);
/** The 32 bits that LSR carries. */
static inline uint32_t rtcp_ntp_middle(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

/** What is remembered of the far end's last SR, for LSR and DLSR. Zero is none. */
struct rtcp_last_sr {
    uint32_t middle;
    uint64_t arrival_us; /**< monotonic */
};

/** The block about a source; takes its fraction, so exactly one report must go out with it. */
void rtcp_block_fill(struct rtcp_block *block, struct rtp_source *source,
                     const struct rtcp_last_sr *last_sr, uint64_t now_us);

/**
 * Round trip by a block about us (§6.4.1, figure 2).
 *
 * @param now_ntp  When the block came, by the clock that wrote our SR
 * @return false: the far end has had no SR yet, or the figures contradict each other
 */
bool rtcp_round_trip_us(const struct rtcp_block *block, uint64_t now_ntp, uint64_t *ret_us);

/* ---- what a caller would say ----------------------------------------------------------------- */

/** Impairment of a codec and its sensitivity to loss (ITU-T G.113 appendix I). */
struct emodel_codec {
    double ie;  /**< without loss */
    double bpl; /**< robustness to loss */
};

extern const struct emodel_codec emodel_g711_plc; /**< Ie 0, Bpl 25.1: G.711 with concealment */
extern const struct emodel_codec emodel_g711;     /**< Ie 0, Bpl 4.3: without */
/** G.113 gives no narrow-band values for these two: an assumption, not above G.711 with PLC. */
extern const struct emodel_codec emodel_g722, emodel_opus;

/**
 * Transmission rating R, ITU-T G.107 with all other parameters at their defaults:
 * R = 93.2 − Id − Ie,eff, with Id after Cole and Rosenbluth (Voice over IP Performance Monitoring,
 * 2001) and Ie,eff of G.107 §7.4 for random loss.
 *
 * @param loss         0 … 1, what concealment had to replace: late packets too
 * @param delay_ms     One way, mouth to ear: network, playout buffer, frame
 * @return 0 … 93.2
 */
double emodel_r(const struct emodel_codec *codec, double loss, double delay_ms);
/** Mean opinion score of R (G.107 annex B), 1 … 4.5. */
double emodel_mos(double r);

#endif
