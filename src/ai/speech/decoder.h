/**
 * ai/speech/decoder.h: one pocketsphinx decoder with the grammars it has compiled.
 *
 * An utterance is decoded twice: by the grammar, and by a loop of all phones, which says how well
 * these sounds could fit at best. The phrase is believed when it comes near enough to that.
 * One thread per object.
 */
#ifndef VA_AI_SPEECH_DECODER_H
#define VA_AI_SPEECH_DECODER_H

#include "ai/speech/grammar.h"
#include "ai/speech/pron.h"

enum { DECODER_GRAMMARS_MAX = 64 };

struct decoder;

/** Margins are log-likelihood of the grammar minus that of free phones, per frame [0.1 nat]. */
struct decoder_result {
    const struct grammar_phrase *phrase; /**< best one, of the grammar; NULL: none came through */
    bool understood;                     /**< and near enough */
    float confidence;                    /**< 0…1; understood from 0.5 */
    float core;                          /**< margin of the phrase's words */
    float whole;                         /**< of all frames, over the frames of speech */
    float worst;                         /**< of the worst word, pause or lead-in */
    float pace;                          /**< frames per phone in the phrase */
};

/** Once per process, before the first decoder: pocketsphinx shall not print. */
void decoder_quiet(void);

/** @param pron  Borrowed. @return VA_OK, VA_EIO, VA_ENOMEM */
VA_CHECK enum va_err decoder_new(const char *model_dir, struct pron *pron,
                                 struct decoder **ret_decoder, struct va_fault *fault);
void decoder_free(struct decoder **d);

/** Compile, unless it is already. @return VA_OK, VA_ENOTFOUND (nothing pronounceable), VA_ENOMEM */
VA_CHECK enum va_err decoder_prepare(struct decoder *d, const struct asr_grammar *g);

/**
 * Decode an utterance of any rate. Prepares first.
 *
 * @return VA_OK also when nothing was understood; VA_EIO, VA_ENOMEM
 */
VA_CHECK enum va_err decoder_run(struct decoder *d, const struct asr_grammar *g,
                                 const struct pcm *speech, struct decoder_result *ret_result);

/** Compiled grammars now, and compilations so far. */
size_t decoder_grammars(const struct decoder *d);
uint64_t decoder_compiled(const struct decoder *d);

#endif
