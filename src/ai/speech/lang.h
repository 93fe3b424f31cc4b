/**
 * ai/speech/lang.h: what is known about a language: one table each, lang_<tag>.c.
 *
 * Pronunciations are phones of the en-us model (ARPAbet without stress), blank between phones, '|'
 * between variants:
 *
 *     {"sim", "S IH N|S IY|S IY NG"}
 */
#ifndef VA_AI_SPEECH_LANG_H
#define VA_AI_SPEECH_LANG_H

#include "base/str.h"

struct lang_word {
    const char *word;  /**< normalised */
    const char *prons; /**< best variant first */
};

struct lang {
    const char *tag;    /**< primary subtag: "pt" */
    const char *espeak; /**< voice that pronounces unknown words */
    bool cmudict;       /**< the packaged English dictionary holds its words */
    bool table_only;    /**< a word of the table needs no further variants by espeak */
    const struct lang_word *words;
    size_t word_count;
    const char *const *greetings; /**< allowed before all else; ends with NULL */
    const char *const *lead_ins;  /**< word sequences allowed before a phrase; ends with NULL */
    const char *const *politely;  /**< after a phrase; ends with NULL */
};

extern const struct lang lang_pt, lang_en;

/**
 * The table of a language tag ("pt-BR" → lang_pt). Unknown languages have no words and no lead-ins:
 * they live by espeak-ng alone, with lang_espeak_voice() as voice.
 */
const struct lang *lang_find(const char *tag);

/** espeak's voice name of a language tag: "pt-BR" → "pt-br", "en" → "en-us", "de-DE" → "de". */
void lang_espeak_voice(const char *tag, char *out, size_t cap);

/** Variants of a word in the table (also found without its accents), or NULL. */
const char *lang_word_prons(const struct lang *lang, struct str word);

#endif
