/**
 * ai/speech/cmudict.h: a pronouncing dictionary file ("word PH ON ES" lines), kept once as text
 * with a hash index (3.2 + 1 MB for 135,000 words) for all decoders, which load only the words they
 * use.
 */
#ifndef VA_AI_SPEECH_CMUDICT_H
#define VA_AI_SPEECH_CMUDICT_H

#include "base/buf.h"

struct cmudict; /**< immutable: any thread */

/** @return VA_OK, VA_ENOTFOUND, VA_EIO, VA_ELIMIT (over 64 MiB), VA_ENOMEM */
VA_CHECK enum va_err cmudict_load(const char *path, struct cmudict **ret_dict,
                                  struct va_fault *fault);
void cmudict_free(struct cmudict **dict);

/** Append the variants of a word: "R IY D|R EH D". @return VA_OK, VA_ENOTFOUND, VA_ENOMEM */
VA_CHECK enum va_err cmudict_lookup(const struct cmudict *dict, struct str word, struct buf *out);

#endif
