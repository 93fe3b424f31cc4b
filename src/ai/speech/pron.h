/**
 * ai/speech/pron.h: how words are pronounced, for all decoders together.
 *
 *     word ─► table of the language ─► cmudict (English) ─► espeak-ng --ipa ─► phones of the model
 *
 * What espeak-ng said once is remembered (bounded).
 */
#ifndef VA_AI_SPEECH_PRON_H
#define VA_AI_SPEECH_PRON_H

#include "base/buf.h"

struct pron; /**< any thread */

/** @return VA_OK, VA_ENOTFOUND, VA_EIO, VA_ENOMEM */
VA_CHECK enum va_err pron_new(const char *model_dir, const char *espeak, struct pron **ret_pron,
                              struct va_fault *fault);
void pron_free(struct pron **pron);

/**
 * Append the pronunciations of a text's words, one line per word: "vendas\tV EY N D AH S|…\n".
 * Each word stands once. Words that nobody can pronounce are left out. Blocks while espeak-ng runs
 * (once per text at most, about 15 ms), never for words known already.
 *
 * @param language  "pt-BR"
 * @param words     Normalised, separated by blanks or newlines
 *
 * @return VA_OK (espeak-ng failing is no error: its words are left out), VA_ENOMEM, VA_ELIMIT
 */
VA_CHECK enum va_err pron_words(struct pron *pron, const char *language, struct str words,
                                struct buf *out);

#endif
