#include "ai/speech/front.h"

#include "media/resample.h"

#include <math.h>
#include <stdlib.h>

enum {
    PHONE_RATE_HZ = 8000,
    LEVEL_PEAK = 16000, /* −6 dBFS */
    LEVEL_LEAST = 100,  /* below it there is no speech to bring up */
    GAIN_MAX = 30,
    NOISE_PEAK = 200, /* uniform: 115 RMS */
    BANDS = 25,       /* of the model's feat.params: -nfilt, -ncep, -lifter, -lowerf, -upperf */
    CEPSTRA = 13,
    LIFTER = 22,
    LOWEST_HZ = 130,
    HIGHEST_HZ = 6800,
    PHONE_BAND_HZ = 3600,
    STREAMS = 3 /* cepstra, deltas, second deltas */
};

static double gain_for(const int16_t *in, size_t n)
{
    int peak = 0;
    for (size_t i = 0; i < n; i++)
        peak = abs(in[i]) > peak ? abs(in[i]) : peak;
    double gain = peak < LEVEL_LEAST ? 1.0 : (double)LEVEL_PEAK / peak;
    return gain > GAIN_MAX ? GAIN_MAX : gain;
}

static void level_and_noise(const int16_t *in, size_t n, int16_t *out)
{
    double gain = gain_for(in, n);
    uint32_t seed = 1; /* the same utterance gives the same result */
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525U + 1013904223U;
        int noise = (int)(seed >> 16) % (2 * NOISE_PEAK + 1) - NOISE_PEAK;
        double x = in[i] * gain + noise;
        out[i] = (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
    }
}

enum va_err front_prepare(const struct pcm *speech, struct pcm **ret_ready)
{
    struct pcm *narrow = NULL, *wide = NULL;
    enum va_err err = resample_whole(pcm_rate_hz(speech), pcm_samples(speech), pcm_count(speech),
                                     PHONE_RATE_HZ, RESAMPLE_QUALITY_ASR, &narrow);
    if (!err)
        err = resample_whole(PHONE_RATE_HZ, pcm_samples(narrow), pcm_count(narrow), FRONT_RATE_HZ,
                             RESAMPLE_QUALITY_ASR, &wide);
    pcm_unref(&narrow);
    if (err)
        return err;
    size_t n = pcm_count(wide);
    int16_t *out = calloc(n + 1, sizeof(*out));
    if (out)
        level_and_noise(pcm_samples(wide), n, out);
    pcm_unref(&wide);
    err = out ? pcm_adopt(FRONT_RATE_HZ, out, n, ret_ready) : VA_ENOMEM;
    if (err)
        free(out);
    return err;
}

static double mel(double hz)
{
    return 2595.0 * log10(1.0 + hz / 700.0);
}

static double band_centre_hz(int band)
{
    double low = mel(LOWEST_HZ), high = mel(HIGHEST_HZ);
    return 700.0 * (pow(10.0, (low + (high - low) * (band + 1) / (BANDS + 1)) / 2595.0) - 1.0);
}

/* Orthonormal cosine transform. */
static double cosine(int k, int band)
{
    return k == 0 ? sqrt(1.0 / BANDS) : sqrt(2.0 / BANDS) * cos(M_PI * k * (band + 0.5) / BANDS);
}

static double lift(int k)
{
    return 1.0 + LIFTER / 2.0 * sin(M_PI * k / LIFTER);
}

static double element(int row, int column)
{
    double sum = 0;
    for (int band = 0; band < BANDS && band_centre_hz(band) <= PHONE_BAND_HZ; band++)
        sum += cosine(row, band) * cosine(column, band);
    return sum * lift(row) / lift(column);
}

enum va_err front_band_transform(struct buf *out)
{
    (void)buf_addf(out, "1\n%d\n", STREAMS);
    for (int stream = 0; stream < STREAMS; stream++) {
        (void)buf_addf(out, "%d\n", CEPSTRA);
        for (int row = 0; row < CEPSTRA; row++) {
            for (int column = 0; column < CEPSTRA; column++)
                (void)buf_addf(out, "%.6f ", element(row, column));
            (void)buf_addc(out, '\n');
        }
        for (int k = 0; k < CEPSTRA; k++) /* no offset */
            (void)buf_addz(out, "0 ");
        (void)buf_addc(out, '\n');
        for (int k = 0; k < CEPSTRA; k++) /* variances as they are */
            (void)buf_addz(out, "1 ");
        (void)buf_addc(out, '\n');
    }
    return out->err;
}
