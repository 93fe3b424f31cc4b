/**
 * ai/speech/front.h: makes telephone audio look like what the acoustic model was trained on.
 *
 * The model hears 16 kHz; a telephone ends at 3.4 kHz. Three steps close the gap; each was measured
 * (README.md):
 *   - the utterance is brought to one level and gets a faint noise (about 28 dB below speech), so
 *     that no band is ever empty: the logarithm of nothing is what hurts most;
 *   - everything is cut to 8 kHz first, so that one treatment fits all callers;
 *   - the means of the model are moved to where narrow-band speech puts them: front_band_transform.
 */
#ifndef VA_AI_SPEECH_FRONT_H
#define VA_AI_SPEECH_FRONT_H

#include "base/buf.h"
#include "media/pcm.h"

enum { FRONT_RATE_HZ = 16000 };

/** A caller's utterance of any rate as the decoder wants it. @return VA_OK, VA_EINVAL, VA_ENOMEM */
VA_CHECK enum va_err front_prepare(const struct pcm *speech, struct pcm **ret_ready);

/**
 * Write the MLLR transform (text, as sphinxbase reads it) of a telephone band.
 *
 * A cepstrum is the cosine transform D of 25 log mel bands, liftered by L. When the bands above the
 * telephone's are constant, a mean c becomes L D M Dᵀ L⁻¹ c, where M keeps the bands below and
 * drops those above; the constant goes with the cepstral mean. The same for both deltas.
 */
VA_CHECK enum va_err front_band_transform(struct buf *out);

#endif
