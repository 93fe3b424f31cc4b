/**
 * leg/sdp.h: session descriptions as plain data (RFC 4566, 3264, 3551, 4568), as far as one audio
 * stream needs them. Pure functions: no memory is allocated, no clock, no socket; what is read is
 * hostile. Any thread.
 *
 *     text ──sdp_parse──► struct sdp ──sdp_negotiate(prefs)──► struct sdp_choice
 *                         text ◄── sdp_print_answer, sdp_print_offer ──┘
 */
#ifndef VA_LEG_SDP_H
#define VA_LEG_SDP_H

#include "base/buf.h"
#include "leg/sdes.h"
#include "media/codec.h"
#include "net/addr.h"

enum {
    SDP_TEXT_MAX = 8192, /**< longest description read or written [bytes] */
    SDP_LINES_MAX = 8,   /**< m= lines; more: VA_ELIMIT */
    SDP_AUDIO_MAX = 2,   /**< of them audio: a peer may offer one with SRTP and one without */
    SDP_CODECS_MAX = 24, /**< formats of one audio line; what follows is ignored */
    SDP_EVENTS_MAX = 4,  /**< of them telephone-event, one per clock rate */
    SDP_CRYPTO_MAX = 4,  /**< a=crypto lines of a kind we can use; what follows is ignored */
    SDP_PREFS_MAX = CODEC_COUNT
};

/** As the side that says it sees it. */
enum sdp_direction { SDP_INACTIVE = 0, SDP_SENDONLY = 1, SDP_RECVONLY = 2, SDP_SENDRECV = 3 };

/** A format of an audio line that we know. */
struct sdp_codec {
    const struct codec_info *info;
    uint8_t pt; /**< 0 … 127 */
};

struct sdp_event {
    uint8_t pt;
    int clock_hz;
};

struct sdp_audio {
    size_t line;          /**< index in sdp.lines */
    struct net_addr rtp;  /**< where to send; port 0: refused. Any-address: a hold (RFC 2543) */
    struct net_addr rtcp; /**< a=rtcp (RFC 3605), else the next port */
    bool rtcp_mux;        /**< RFC 5761 */
    bool secure;          /**< RTP/SAVP */
    bool usable;          /**< RTP/AVP or RTP/SAVP with a port and an address */
    enum sdp_direction direction;
    int ptime_ms;                            /**< 0: not said, or none we can make */
    struct sdp_codec codecs[SDP_CODECS_MAX]; /**< in their order; unknown ones are left out */
    size_t codec_count;
    struct sdp_event events[SDP_EVENTS_MAX];
    size_t event_count;
    struct sdes_crypto crypto[SDP_CRYPTO_MAX]; /**< secret */
    size_t crypto_count;
};

/** An m= line as an answer has to repeat it. Cut texts are of lines that are refused anyway. */
struct sdp_line {
    char type[16];   /**< "audio", "video" */
    char proto[32];  /**< "RTP/AVP" */
    char format[32]; /**< its first format */
};

struct sdp {
    struct sdp_line lines[SDP_LINES_MAX];
    size_t line_count;
    struct sdp_audio audio[SDP_AUDIO_MAX];
    size_t audio_count;
};

/** @return VA_OK, VA_EPROTO (no description), VA_ELIMIT (too long, too many lines) */
VA_CHECK enum va_err sdp_parse(struct str text, struct sdp *ret_sdp);

/** What we speak, best first: RTP_CODECS. */
struct sdp_prefs {
    const struct codec_info *list[SDP_PREFS_MAX];
    size_t count; /**< ≥ 1 */
};
/** @param text  "PCMU,PCMA,G722,OPUS,L16"; see codec_by_setting()
 *  @return VA_OK, VA_ECONFIG (`fault` names the word that is no codec of ours) */
VA_CHECK enum va_err sdp_prefs_parse(const char *text, struct sdp_prefs *ret_prefs,
                                     struct va_fault *fault);

enum sdp_srtp { SDP_SRTP_OFF, SDP_SRTP_OPTIONAL, SDP_SRTP_REQUIRED };
/** RTP_SRTP: off, optional, required. */
enum sdp_srtp sdp_srtp_policy(const char *text);

/** What both sides agree on. */
struct sdp_choice {
    const struct codec_info *codec;
    uint8_t pt;   /**< the peer's number for it */
    int event_pt; /**< the peer's telephone-event at the codec's clock, else at another; -1: none */
    int event_hz; /**< its clock */
    int ptime_ms; /**< what we send: as the peer wants, else 20 */
    size_t line;  /**< the m= line it is about */
    struct net_addr rtp, rtcp; /**< the peer's */
    bool rtcp_mux;
    enum sdp_direction direction; /**< as WE see it: RECVONLY when the peer holds us */
    struct sdes_crypto remote;    /**< their key; SDES_NONE: no SRTP */
};

/**
 * Choose: the first of ours that they have, with SRTP if both want it.
 *
 * @param theirs  An offer, or the answer to ours
 * @return VA_OK, VA_ENOTSUP (no audio, no common codec, or SRTP against the policy: 488)
 */
VA_CHECK enum va_err sdp_negotiate(const struct sdp *theirs, const struct sdp_prefs *prefs,
                                   enum sdp_srtp srtp, struct sdp_choice *ret_choice);

/** Our side of the stream. */
struct sdp_local {
    uint64_t session_id;          /**< constant for a call */
    uint64_t version;             /**< one more for each description that differs */
    struct net_addr rtp;          /**< advertised address and port */
    uint16_t rtcp_port;           /**< 0: with RTP by one port, a=rtcp-mux is said */
    enum sdp_direction direction; /**< as we see it */
    int ptime_ms;                 /**< 0: 20 */
    struct sdes_crypto crypto;    /**< our key; in an answer with their tag. SDES_NONE: no SRTP */
};

/** Our number for a codec in our own offers: static, or a fixed one of 96 … 127. */
uint8_t sdp_offer_pt(const struct codec_info *codec);
/** Our number for telephone-event in our own offers; clock 8000 or 48000, else -1. */
int sdp_offer_event_pt(int clock_hz);

/** Answer `offer`: every m= line is repeated, all but the chosen one refused. The numbers are
 *  theirs. @return VA_OK, or the failure of `out` */
VA_CHECK enum va_err sdp_print_answer(const struct sdp *offer, const struct sdp_choice *choice,
                                      const struct sdp_local *local, struct buf *out);
/** Offer all of `prefs`: to a late offer, or for a call of our own. */
VA_CHECK enum va_err sdp_print_offer(const struct sdp_prefs *prefs, const struct sdp_local *local,
                                     struct buf *out);

#endif
