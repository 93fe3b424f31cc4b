/**
 * ai/pipeline/tts_stage.h: the voice: one sentence as audio at the line's rate.
 *
 *     say ─► on_audio … ─► on_done            cancel: at any moment, closes the connection
 */
#ifndef VA_AI_PIPELINE_TTS_STAGE_H
#define VA_AI_PIPELINE_TTS_STAGE_H

#include "ai/pipeline/stage.h"

struct tts_job;

struct tts_handlers {
    /** Audio at cfg->rate_hz; one share is the receiver's. */
    void (*on_audio)(void *arg, struct pcm *audio);
    /** All of it came. Once and last: the object is released. */
    void (*on_done)(void *arg);
    /** Likewise, instead of on_done. */
    void (*on_failed)(void *arg, const struct stage_fault *fault);
};

struct tts_ops {
    const char *name; /**< as in TTS_PROVIDER */
    /** Are all settings there? Before anything is said. */
    VA_CHECK enum va_err (*check)(const struct stage_cfg *cfg, struct va_fault *fault);
    /** @param text  UTF-8, one sentence, nothing but words and marks. Copied */
    VA_CHECK enum va_err (*say)(const struct stage_cfg *cfg, const char *text,
                                const struct tts_handlers *h, void *arg, struct tts_job **ret_job);
    /** NULL-safe, leaves NULL. No handler follows. */
    void (*cancel)(struct tts_job **job);
};

extern const struct tts_ops tts_embedded, tts_openai, tts_elevenlabs, tts_piper;

/** By name, or NULL. The list is tts_stage.c. */
const struct tts_ops *tts_stage_find(const char *name);

/** The secretary's voice, else TTS_VOICE, else `fallback`. */
const char *tts_stage_voice(const struct stage_cfg *cfg, const char *fallback);

#endif
