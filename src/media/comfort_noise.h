/**
 * media/comfort_noise.h: the noise a sender describes instead of sending it (RFC 3389). Open value,
 * no allocation. One thread.
 */
#ifndef VA_MEDIA_COMFORT_NOISE_H
#define VA_MEDIA_COMFORT_NOISE_H

#include "media/format.h"

enum { COMFORT_NOISE_ORDER_MAX = 12 /**< reflection coefficients; further ones are ignored */ };

struct comfort_noise {
    float rms;      /**< of the noise [samples], 0: silence */
    float residual; /**< rms of what drives the filter */
    unsigned order;
    float k[COMFORT_NOISE_ORDER_MAX];
    float back[COMFORT_NOISE_ORDER_MAX + 1]; /**< the lattice's memory */
    uint32_t seed;
};

/** Silence. */
void comfort_noise_init(struct comfort_noise *cn);
/** A CN payload came (§3): level, then reflection coefficients. An empty one changes nothing. */
void comfort_noise_set(struct comfort_noise *cn, const uint8_t *payload, size_t len);
/** Write n samples. */
void comfort_noise_fill(struct comfort_noise *cn, int16_t *out, size_t n);

#endif
