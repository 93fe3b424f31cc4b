/**
 * ai/realtime/format.h: the caller's frames as a remote takes them, its audio as the line does.
 *
 *     line (pcm at line rate) ─► [resample] ─► µ-law, A-law or pcm bytes ─► [base64] ─► remote
 *
 * µ-law and A-law at the line's rate need no resampler. One thread per object.
 */
#ifndef VA_AI_REALTIME_FORMAT_H
#define VA_AI_REALTIME_FORMAT_H

#include "base/buf.h"
#include "media/pcm.h"

enum rt_codec { RT_PCM16, RT_ULAW, RT_ALAW }; /* RT_PCM16: little-endian */

struct rt_format {
    enum rt_codec codec;
    int rate_hz;
};

/** "audio/pcm" family name for people and logs: "pcm 24000 Hz", "µ-law 8000 Hz". */
void rt_format_text(struct rt_format f, char *out, size_t cap);
/** Bytes of one second. */
static inline size_t rt_format_bytes_per_s(struct rt_format f)
{
    return (size_t)f.rate_hz * (f.codec == RT_PCM16 ? 2 : 1);
}

struct rt_encoder;
struct rt_decoder;

/** Line samples in, bytes out. @return VA_OK, VA_EINVAL (rates), VA_ENOMEM */
VA_CHECK enum va_err rt_encoder_new(int line_hz, struct rt_format to, struct rt_encoder **ret_e);
void rt_encoder_free(struct rt_encoder **e);
/** Encode a block. The bytes are borrowed until the next call. @return VA_OK, VA_ENOMEM */
VA_CHECK enum va_err rt_encode(struct rt_encoder *e, const int16_t *samples, size_t count,
                               struct str *ret_bytes);

/** Bytes in, pcm at the line's rate out. */
VA_CHECK enum va_err rt_decoder_new(struct rt_format from, int line_hz, struct rt_decoder **ret_d);
void rt_decoder_free(struct rt_decoder **d);
/** Forget the past: another answer begins. Half a sample that was left over goes too. */
void rt_decoder_reset(struct rt_decoder *d);
/**
 * Decode a block of any length; a sample may be split between two.
 *
 * @param ret_pcm  One owner, or NULL when nothing came out yet
 * @return VA_OK, VA_ENOMEM
 */
VA_CHECK enum va_err rt_decode(struct rt_decoder *d, struct str bytes, struct pcm **ret_pcm);
/** The same out of base64. @return also VA_EINVAL */
VA_CHECK enum va_err rt_decode_base64(struct rt_decoder *d, struct str text, struct pcm **ret_pcm);

#endif
