/** ai/speech/decoder_int.h: inside of struct decoder, for decoder*.c only. */
#ifndef VA_AI_SPEECH_DECODER_INT_H
#define VA_AI_SPEECH_DECODER_INT_H

#include "ai/speech/decoder.h"

#include <pocketsphinx.h>

/** Name of the search that is the phone loop, and first byte of its words. */
#define DECODER_LOOP "~"

enum { DECODER_FRAMES_MAX = ASR_UTTERANCE_MAX_MS / 10 + 100, DECODER_NAME_MAX = 24 };

struct decoder_compiled {
    uint64_t id; /* of the grammar; 0: free */
    uint64_t used;
    bool empty; /* nothing in it is pronounceable */
};

struct decoder_frame {
    float score; /* of the phone loop */
    bool speech; /* it heard a phone, no pause */
};

struct decoder {
    ps_decoder_t *ps;
    char *model_dir;
    struct pron *pron;
    struct decoder_compiled grammars[DECODER_GRAMMARS_MAX];
    uint64_t clock, compilations;
    size_t dict_words;
    struct decoder_frame frames[DECODER_FRAMES_MAX];
};

void decoder_search_name(uint64_t id, char out[static DECODER_NAME_MAX]);

/** Forget all and load the model. On a decoder without one. @return VA_OK, VA_EIO, VA_ENOMEM */
VA_CHECK enum va_err decoder_open(struct decoder *d);

#endif
