/**
 * ai/speech/tts.h: text to speech by espeak-ng, run as a helper process.
 *
 * One thread with a loop of its own starts one short-lived process per text, so a crash or a kill
 * of a helper costs at most one retry of one text. What was spoken once is kept in a bounded cache
 * of immutable PCM: prompts cost nothing from the second time on.
 *
 *     worker ──tts_say──► [mailbox] ──► tts thread ──► espeak-ng … stdout WAV ──► pcm ──reply──►
 * worker
 */
#ifndef VA_AI_SPEECH_TTS_H
#define VA_AI_SPEECH_TTS_H

#include "media/pcm.h"
#include "net/loop.h"

struct tts;
struct tts_request; /**< valid until its callback or tts_cancel() */

struct tts_cfg {
    const char *command;    /**< program name or path ("espeak-ng") */
    size_t cache_max_bytes; /**< 0: 64 MiB */
    unsigned processes_max; /**< helpers at once, 0: 4; more texts wait in order */
    unsigned timeout_ms;    /**< per text, 0: 5000 */
};

/** `speech` is owned by the receiver (pcm_unref) and set with VA_OK only. Runs on the asking loop.
 */
typedef void(tts_done_h)(void *arg, enum va_err err, struct pcm *speech);

/**
 * Start the service. Tries the program once (blocking, < 1 s), so that a missing program or voice
 * data is known before anything is opened.
 *
 * @param fault  Names the program and the package to install
 */
VA_CHECK enum va_err tts_start(const struct tts_cfg *cfg, struct tts **ret_tts,
                               struct va_fault *fault);

/** Blocking check that a voice exists, for start-up and import. `fault` names it and near ones. */
VA_CHECK enum va_err tts_check_voice(struct tts *tts, const char *language, const char *voice,
                                     struct va_fault *fault);

/**
 * Speak a text.
 *
 * @param language  "pt-BR", "en-US", … chooses espeak's voice when `voice` is ""
 * @param rate_hz   Sample rate of the result: 8000, 16000, 24000 or 48000
 * @param text      UTF-8, copied; never interpreted by a shell, nor as espeak markup or option
 *
 * @return VA_OK (callback will come, never from inside), VA_ELIMIT (queue full), VA_EINVAL,
 * VA_ENOMEM
 */
VA_CHECK enum va_err tts_say(struct tts *tts, struct loop *reply_to, const char *language,
                             const char *voice, int rate_hz, const char *text, tts_done_h *on_done,
                             void *arg, struct tts_request **ret_request);

/** No callback will come. Sets *request NULL. NULL-safe. On the asking loop's thread. */
void tts_cancel(struct tts_request **request);

/**
 * Kill helpers, answer what is left with VA_ECLOSED, stop the thread. Blocks. NULL-safe. The loops
 * that asked must still be there.
 */
void tts_stop(struct tts **tts);

#endif
