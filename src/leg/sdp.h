/**
 * leg/sdp.h: session descriptions as plain data (RFC 4566, RFC 3264, RFC 4568), as far as one audio
 * stream needs them. Pure functions: no memory is allocated, no clock, no socket. Any thread.
 *
 *     text ──sdp_parse──► struct sdp ──sdp_negotiate(prefs)──► struct sdp_choice
 *                                                   sdp_print_answer / sdp_print_offer ──► text
 */
#ifndef VA_LEG_SDP_H
#define VA_LEG_SDP_H

#include "base/buf.h"
#include "net/addr.h"

enum {
    SDP_TEXT_MAX = 8192,   /**< longest description read or written [bytes] */
    SDP_CODECS_MAX = 24,   /**< formats of one audio line; more are ignored */
    SDP_MEDIA_MAX = 8,     /**< m= lines; more: VA_ELIMIT */
    SDP_CRYPTO_MAX = 4,    /**< a=crypto lines kept; more are ignored */
    SDP_FMTP_MAX = 128,    /**< longer parameters are cut at the last whole one */
    SDP_NAME_MAX = 16,     /**< encoding and media names */
    SDP_KEY_MAX = 64,      /**< SDES master key and salt, decoded: at most 46 bytes */
    SDP_EVENT_PT_NONE = -1 /**< no telephone-event */
};

enum sdp_direction { SDP_INACTIVE = 0, SDP_SENDONLY = 1, SDP_RECVONLY = 2, SDP_SENDRECV = 3 };

/** One format of the audio line. Static payload types carry their names (RFC 3551 table 4). */
struct sdp_codec {
    char name[SDP_NAME_MAX]; /**< as written: "PCMU", "opus" */
    uint8_t pt;              /**< 0 … 127 */
    uint32_t clock_hz;       /**< of the RTP timestamp: 8000 for G722 too */
    uint8_t channels;        /**< as written; opus always says 2 */
    char fmtp[SDP_FMTP_MAX]; /**< "" when there is none */
};

/** One SDES offer (RFC 4568 §4). Secret: never logged. */
struct sdp_crypto {
    uint32_t tag;
    char suite[40];           /**< "AES_CM_128_HMAC_SHA1_80" */
    uint8_t key[SDP_KEY_MAX]; /**< master key, then salt */
    size_t key_len;           /**< [bytes] */
};

/** An m= line as an answer has to repeat it. */
struct sdp_line {
    char type[SDP_NAME_MAX]; /**< "audio", "video" */
    char proto[24];          /**< "RTP/AVP" */
    char format[32];         /**< its first format */
};

/** A description, as far as it is ours: the first audio line with a port, else the first audio
 * line. */
struct sdp {
    struct sdp_line lines[SDP_MEDIA_MAX];
    size_t line_count;
    size_t audio_line; /**< index in lines; line_count: there is no audio at all */

    struct net_addr
        rtp; /**< where to send; port 0: refused. The any-address is a hold (RFC 2543) */
    struct net_addr rtcp;         /**< likewise (a=rtcp, RFC 3605); else the next port */
    bool rtcp_mux;                /**< RFC 5761 */
    bool secure;                  /**< RTP/SAVP or SAVPF */
    enum sdp_direction direction; /**< as the sender of the description sees it */
    int ptime_ms;                 /**< 0: not said */
    struct sdp_codec
        codecs[SDP_CODECS_MAX]; /**< in order of preference; no telephone-event, no CN */
    size_t codec_count;
    struct sdp_codec events[4]; /**< telephone-event, one per clock rate */
    size_t event_count;
    struct sdp_crypto crypto[SDP_CRYPTO_MAX];
    size_t crypto_count;
};

/** @return VA_OK, VA_EPROTO (no description), VA_ELIMIT (too long, too many lines) */
VA_CHECK enum va_err sdp_parse(struct str text, struct sdp *ret_sdp);

/** An `RTP_CODECS` list, e.g. "PCMU,PCMA,G722,opus,L16,L16/16000". */
enum { SDP_PREFS_MAX = 12 };
struct sdp_pref {
    char name[SDP_NAME_MAX];
    uint32_t clock_hz;
    uint8_t channels;
};
struct sdp_prefs {
    struct sdp_pref list[SDP_PREFS_MAX];
    size_t count;
};
/** @return VA_OK, VA_ECONFIG (`fault` names the word that is no codec of ours) */
VA_CHECK enum va_err sdp_prefs_parse(const char *text, struct sdp_prefs *ret_prefs,
                                     struct va_fault *fault);

enum sdp_srtp { SDP_SRTP_OFF, SDP_SRTP_OPTIONAL, SDP_SRTP_REQUIRED };

/** What two sides agree on: everything an RTP stream needs to know. */
struct sdp_choice {
    struct sdp_codec codec;    /**< with the payload type of the peer */
    int event_pt;              /**< telephone-event at that clock; SDP_EVENT_PT_NONE */
    int ptime_ms;              /**< to send with: what the peer wants, else 20 */
    struct net_addr rtp, rtcp; /**< the peer's */
    bool rtcp_mux;
    enum sdp_direction direction; /**< as WE see it: RECVONLY is held by the peer */
    bool secure;
    struct sdp_crypto remote; /**< their key; of use when secure */
};

/**
 * Choose. The order is ours (`prefs`): the first of ours that they have.
 *
 * @param theirs  An offer, or the answer to ours
 * @return VA_OK, VA_ENOTSUP (no audio, no common codec, or SRTP where the policy says no; this is
 *         SIP's 488)
 */
VA_CHECK enum va_err sdp_negotiate(const struct sdp *theirs, const struct sdp_prefs *prefs,
                                   enum sdp_srtp srtp, struct sdp_choice *ret_choice);

/** Our side of the stream. */
struct sdp_local {
    uint64_t session_id;          /**< constant for a call */
    uint64_t version;             /**< one more with each description that differs */
    struct net_addr rtp;          /**< advertised address, RTP port */
    uint16_t rtcp_port;           /**< equal to that of rtp: rtcp-mux only */
    enum sdp_direction direction; /**< as we see it */
    int ptime_ms;                 /**< 0: 20 */
    const struct sdp_crypto
        *crypto; /**< NULL: no SRTP. Our key; in an answer with the tag of theirs */
};

/** Answer `offer`: every line of it is repeated, only the audio line is not refused.
 *  @return VA_OK, VA_ELIMIT (`out` is full) */
VA_CHECK enum va_err sdp_print_answer(const struct sdp *offer, const struct sdp_choice *choice,
                                      const struct sdp_local *local, struct buf *out);
/** Offer all of `prefs`, for a late offer or a call of our own. */
VA_CHECK enum va_err sdp_print_offer(const struct sdp_prefs *prefs, const struct sdp_local *local,
                                     struct buf *out);

#endif
