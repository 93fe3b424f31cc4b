/** ai/speech/grammar.h: inside of struct asr_grammar, for the decoders. */
#ifndef VA_AI_SPEECH_GRAMMAR_H
#define VA_AI_SPEECH_GRAMMAR_H

#include "ai/speech/asr.h"
#include "base/str.h"

#include <stdatomic.h>

struct grammar_phrase {
    int tag;
    char *text;  /* as given */
    char *words; /* normalised */
};

struct asr_grammar {
    atomic_uint refs;
    uint64_t id; /* never used twice: a decoder's key for what it compiled */
    char language[32];
    size_t count;
    struct grammar_phrase phrases[];
};

/** The phrase of these normalised words, or NULL. */
const struct grammar_phrase *grammar_find(const struct asr_grammar *g, struct str words);

#endif
