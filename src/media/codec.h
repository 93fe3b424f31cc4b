/**
 * media/codec.h: the codecs an RTP stream may carry, and one of them at work.
 *
 *     int16_t at rate_hz ──codec_encode──► payload ──► packet ──► codec_jitter ──► int16_t at
 * rate_hz
 *
 * A codec object works at one rate on our side. Opus encodes and decodes at that rate itself; the
 * others have a rate of their own (struct codec_info.rate_hz) and whoever uses them resamples: the
 * jitter buffer on the way in, leg/rtp_stream on the way out. All payloads are hostile. One thread.
 */
#ifndef VA_MEDIA_CODEC_H
#define VA_MEDIA_CODEC_H

#include "base/str.h"
#include "media/format.h"
#include "media/jitter.h"
#include "media/rtcp.h"

enum codec_id {
    CODEC_PCMU,
    CODEC_PCMA,
    CODEC_G722,
    CODEC_OPUS,
    CODEC_L16_8K,
    CODEC_L16_16K,
    CODEC_COUNT
};

enum {
    CODEC_PAYLOAD_MAX = 1920,       /**< 60 ms of L16/16000 [bytes] */
    CODEC_OPUS_BITS_VOICE = 24000,  /**< at 16 kHz and above [bit/s] */
    CODEC_OPUS_BITS_NARROW = 20000, /**< at 8 kHz; below, libopus leaves the FEC out */
    CODEC_OPUS_LOSS_PERCENT = 10,   /**< what the encoder's FEC is made for */
    CODEC_OPUS_COMPLEXITY = 5
};

/** A row of the table: what SDP needs, and the rates. */
struct codec_info {
    enum codec_id id;
    const char *name; /**< as in a=rtpmap: "PCMU", "G722", "opus", "L16" */
    int static_pt;    /**< 0 … 95, or -1: dynamic. L16's 10 and 11 are 44.1 kHz: not ours */
    int clock_hz;     /**< of a=rtpmap and of RTP timestamps: 8000 for G722 (RFC 3551 §4.5.2) */
    int channels;     /**< of a=rtpmap: 2 for opus (RFC 7587 §4.1), though we send one */
    int rate_hz;      /**< of the samples; 0: any, the codec object's own (opus) */
    const char *fmtp; /**< what our SDP says in a=fmtp, NULL: nothing */
    const struct emodel_codec *quality;
};

/** By id. Never NULL for a valid id. */
const struct codec_info *codec_info(enum codec_id id);
/**
 * By what a=rtpmap says; the name in any case.
 *
 * @param channels  0 is 1
 * @return NULL: not in the table
 */
const struct codec_info *codec_by_rtpmap(struct str name, int clock_hz, int channels);
/** By payload type alone, as in an m= line without a=rtpmap. @return NULL: not in the table */
const struct codec_info *codec_by_static_pt(int pt);
/** By a name of RTP_CODECS: PCMU, PCMA, G722, OPUS, L16 (16 kHz), L16/8000, L16/16000; any case. */
const struct codec_info *codec_by_setting(struct str name);

struct codec;

/**
 * @param rate_hz  Our side's, media_rate_valid(); only opus takes it over, see codec_rate()
 * @return VA_OK, VA_EINVAL, VA_ENOMEM
 */
VA_CHECK enum va_err codec_new(const struct codec_info *info, int rate_hz,
                               struct codec **ret_codec);
void codec_free(struct codec **codec);
const struct codec_info *codec_info_of(const struct codec *codec);
/** Of the samples both ways [Hz]. */
int codec_rate(const struct codec *codec);

/** The length of packets [ms] nearest to what was asked for that the codec can make. */
int codec_ptime(const struct codec_info *info, int ms);

/**
 * One packet.
 *
 * @param n    Samples at codec_rate(): of a codec_ptime()
 * @param out  CODEC_PAYLOAD_MAX bytes are always enough
 * @return bytes written; 0: wrong n or room, or the encoder would not
 */
size_t codec_encode(struct codec *codec, const int16_t *samples, size_t n, uint8_t *out,
                    size_t room);
/** The encoder's stream begins anew (after a hold). */
void codec_restart(struct codec *codec);

/** The decoding half, for jitter_packet.codec. Belongs to the codec: free the jitter first. */
const struct jitter_codec *codec_jitter(struct codec *codec);

#endif
