/**
 * ai/speech/band.h: fit the wide-band acoustic model to the telephone's band.
 *
 * The model was trained on 16 kHz speech; a telephone ends below 4 kHz. What the missing mel bands
 * did to the model's cepstral means is linear, so it can be taken out of them: a projection in the
 * form pocketsphinx applies to means (MLLR).
 */
#ifndef VA_AI_SPEECH_BAND_H
#define VA_AI_SPEECH_BAND_H

#include "base/err.h"

#include <stdint.h>

/** Loudness of the noise that fills what is digitally silent, as ADPCM and codecs never are. */
enum { BAND_DITHER = 200 };

/** Write the transform as pocketsphinx reads it into a file (ps_mllr_read). @return VA_OK, VA_EIO
 */
VA_CHECK enum va_err band_write_transform(const char *path);

/** Add white noise of ±BAND_DITHER, the same for the same input. */
void band_dither(int16_t *samples, size_t count);

#endif
