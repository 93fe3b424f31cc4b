/**
 * ai/speech/words.h: text as a recogniser sees it: lower case words, one blank between them.
 */
#ifndef VA_AI_SPEECH_WORDS_H
#define VA_AI_SPEECH_WORDS_H

#include "base/buf.h"

/**
 * Append the words of a UTF-8 text: letters in lower case with their accents, digits, inner
 * apostrophes; all else only separates. "  Suporte-TÉCNICO! " → "suporte técnico".
 */
void words_normalise(const char *text, struct buf *out);

/** Append `word` (normalised) without accents: "horário" → "horario". */
void words_fold(struct str word, struct buf *out);

/**
 * Read one code point and move `*p` behind it. Malformed bytes give 0xFFFD, one byte each.
 * `*p` must be before `end`.
 */
uint32_t words_next(const char **p, const char *end);

#endif
