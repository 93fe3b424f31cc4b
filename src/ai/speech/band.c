#include "ai/speech/band.h"

#include <math.h>
#include <stdio.h>

/* Front end of the packaged model (feat.params). */
enum { FILTERS = 25, CEPSTRA = 13, LIFTER = 22, STREAMS = 3 };
static const double LOWER_HZ = 130, UPPER_HZ = 6800, BAND_END_HZ = 3600;

static double mel(double hz)
{
    return 2595.0 * log10(1.0 + hz / 700.0);
}

/* 1 for a filter whose centre the telephone passes. */
static void passed_filters(double pass[FILTERS])
{
    double low = mel(LOWER_HZ), step = (mel(UPPER_HZ) - low) / (FILTERS + 1);
    for (int i = 0; i < FILTERS; i++) {
        double centre_hz = 700.0 * (pow(10.0, (low + step * (i + 1)) / 2595.0) - 1.0);
        pass[i] = centre_hz <= BAND_END_HZ ? 1.0 : 0.0;
    }
}

/* Orthonormal DCT-II: cepstrum k of filter j. */
static double dct(int k, int j)
{
    if (k == 0)
        return sqrt(1.0 / FILTERS);
    return sqrt(2.0 / FILTERS) * cos(M_PI * k * (j + 0.5) / FILTERS);
}

static double lifter(int k)
{
    return 1.0 + LIFTER / 2 * sin(M_PI * k / LIFTER);
}

/* To the filters, without those that are missing, and back. */
static double element(const double pass[FILTERS], int row, int column)
{
    double sum = 0;
    for (int j = 0; j < FILTERS; j++)
        sum += dct(row, j) * pass[j] * dct(column, j);
    return sum * lifter(row) / lifter(column);
}

static void write_stream(FILE *f, const double pass[FILTERS])
{
    (void)fprintf(f, "%d\n", CEPSTRA);
    for (int row = 0; row < CEPSTRA; row++) {
        for (int column = 0; column < CEPSTRA; column++)
            (void)fprintf(f, "%f ", element(pass, row, column));
        (void)fputc('\n', f);
    }
    for (int i = 0; i < CEPSTRA; i++) /* no shift of the means */
        (void)fputs("0 ", f);
    (void)fputc('\n', f);
    for (int i = 0; i < CEPSTRA; i++) /* variances stay */
        (void)fputs("1 ", f);
    (void)fputc('\n', f);
}

enum va_err band_write_transform(const char *path)
{
    double pass[FILTERS];
    passed_filters(pass);
    FILE *f = fopen(path, "we");
    if (!f)
        return VA_EIO;
    (void)fprintf(f, "1\n%d\n", STREAMS);
    for (int i = 0; i < STREAMS; i++)
        write_stream(f, pass);
    bool failed = ferror(f) != 0;
    return fclose(f) || failed ? VA_EIO : VA_OK;
}

void band_dither(int16_t *samples, size_t count)
{
    uint32_t seed = 1;
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        int32_t x = samples[i] + (int32_t)((seed >> 16) % (2 * BAND_DITHER + 1)) - BAND_DITHER;
        samples[i] = (int16_t)(x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x);
    }
}
