/** media/codec_int.h: inside codec*.c only. */
#ifndef VA_MEDIA_CODEC_INT_H
#define VA_MEDIA_CODEC_INT_H

#include "media/codec.h"

/** What differs between codecs. `state` is made at first use by the functions themselves. */
struct codec_ops {
    size_t (*encode)(struct codec *c, const int16_t *x, size_t n, uint8_t *out, size_t room);
    size_t (*samples)(void *codec, const uint8_t *p, size_t len);
    size_t (*decode)(void *codec, const uint8_t *p, size_t len, int16_t *out, size_t room);
    size_t (*conceal)(void *codec, const uint8_t *next, size_t next_len, int16_t *out, size_t n);
    void (*reset)(void *codec);           /**< decoder; may be NULL */
    void (*restart)(struct codec *c);     /**< encoder; may be NULL */
    void (*free_states)(struct codec *c); /**< may be NULL */
};

struct codec {
    const struct codec_info *info;
    const struct codec_ops *ops;
    int rate_hz;
    void *encoder, *decoder; /* NULL until they are needed */
    struct jitter_codec jitter;
};

extern const struct codec_ops codec_g722_ops, codec_opus_ops;

#endif
