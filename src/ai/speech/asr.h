/**
 * ai/speech/asr.h: speech recognition by pocketsphinx in grammar mode.
 *
 * The caller of this interface cuts utterances (VAD); one utterance is one job for a small pool of
 * decoder threads. A grammar is the set of phrases that are listened for; anything else comes back
 * as "nothing understood". Portuguese (and any language espeak-ng can pronounce) is spelled with
 * the phones of the packaged English acoustic model.
 */
#ifndef VA_AI_SPEECH_ASR_H
#define VA_AI_SPEECH_ASR_H

#include "media/pcm.h"
#include "net/loop.h"

struct asr;
struct asr_request; /**< valid until its callback or asr_cancel() */
struct asr_grammar; /**< immutable, reference-counted, any thread */

enum { ASR_PHRASES_MAX = 1000, ASR_PHRASE_BYTES_MAX = 200, ASR_UTTERANCE_MAX_MS = 15000 };

struct asr_cfg {
    const char *model_dir;   /**< folder with en-us acoustic model and cmudict-en-us.dict */
    const char *tts_command; /**< espeak-ng: pronounces words no dictionary has */
    unsigned threads;        /**< decoders, 0: one per core */
    unsigned queue_max;      /**< utterances waiting, 0: 1000 */
};

/** One thing that may be said. Borrowed for asr_grammar_new(). */
struct asr_phrase {
    int tag;          /**< what it means to the asker, ≥ 0; several phrases may share one */
    const char *text; /**< UTF-8 words: "suporte técnico" */
};

struct asr_result {
    bool understood;   /**< false: speech, but none of the phrases */
    int tag;           /**< of the phrase, when understood */
    const char *text;  /**< the phrase as given, borrowed for the callback; "" otherwise */
    float confidence;  /**< 0…1 */
    uint32_t spent_us; /**< decoding time, for the metrics */
};

typedef void(asr_done_h)(void *arg, enum va_err err, const struct asr_result *result);

/** Load the model and start the decoder threads. Blocks < 2 s. `fault` names folder and package. */
VA_CHECK enum va_err asr_start(const struct asr_cfg *cfg, struct asr **ret_asr,
                               struct va_fault *fault);

/**
 * Define a grammar. Cheap here; it is compiled by a decoder with its first utterance, or earlier by
 * asr_prepare(), and kept there (least recently used goes first).
 *
 * Lead-in and polite words of the language ("quero falar com", "por favor") are allowed around
 * every phrase.
 *
 * @param language  "pt-BR", "en-US", … chooses the pronouncing dictionary
 * @return VA_OK, VA_EINVAL (no phrase, too many, empty text), VA_ENOMEM
 */
VA_CHECK enum va_err asr_grammar_new(const char *language, const struct asr_phrase *phrases,
                                     size_t count, struct asr_grammar **ret_grammar);
struct asr_grammar *asr_grammar_ref(struct asr_grammar *g);
void asr_grammar_unref(struct asr_grammar **g);

/** Compile ahead on every decoder, in the background. */
void asr_prepare(struct asr *asr, struct asr_grammar *g);

/**
 * Recognise one utterance.
 *
 * @param speech  8000 or 16000 Hz (others are resampled); one reference is taken over on VA_OK
 * @return VA_OK (callback will come on `reply_to`, never from inside), VA_EINVAL (longer than
 *         ASR_UTTERANCE_MAX_MS, nobody to tell), VA_ELIMIT (queue full), VA_ECLOSED, VA_ENOMEM
 */
VA_CHECK enum va_err asr_recognize(struct asr *asr, struct loop *reply_to, struct asr_grammar *g,
                                   struct pcm *speech, asr_done_h *on_done, void *arg,
                                   struct asr_request **ret_request);

/** No callback will come. Sets *request NULL. NULL-safe. On the asking loop's thread. */
void asr_cancel(struct asr_request **request);

/**
 * Answer what is left with VA_ECLOSED, stop the threads, free the model. Blocks. NULL-safe. The
 * loops that asked must still be there.
 */
void asr_stop(struct asr **asr);

#endif
