/**
 * ai/speech/ipa.h: espeak-ng's IPA spelled with the 39 phones of the en-us acoustic model.
 *
 * Where a sound has no English twin it gets several: Portuguese "te" /tʃy/ is CH IY or CH, a nasal
 * vowel is the vowel with N, M or NG, a final "o" is UH or OW, "r" is R, D (the tap of "water") or
 * HH. The table is at the top of ipa.c.
 */
#ifndef VA_AI_SPEECH_IPA_H
#define VA_AI_SPEECH_IPA_H

#include "base/buf.h"

enum { IPA_VARIANTS_MAX = 8 };

/**
 * Append the variants of one word as "V EH N D AH S|V EY N D AH S", the likeliest first: the first
 * has all first choices, each further one differs from it at one sound, later sounds first.
 *
 * @param ipa  UTF-8, one word or a few; stress and length marks are skipped
 * @return VA_OK, VA_ENOTFOUND (no sound that the model has), VA_ENOMEM, VA_ELIMIT (of `out`)
 */
VA_CHECK enum va_err ipa_to_phones(struct str ipa, struct buf *out);

#endif
