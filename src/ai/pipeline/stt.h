/**
 * ai/pipeline/stt.h: the ear: what the caller said in one turn, as text.
 *
 *     open ─► on_ready
 *     audio … begin ─ audio … [on_partial …] ─ end ─► on_final        forget: instead of on_final
 *
 * `end` may be followed by `begin` before on_final came: a pause inside one turn, whose text is
 * then told as a whole behind the next `end`. One object per conversation.
 */
#ifndef VA_AI_PIPELINE_STT_H
#define VA_AI_PIPELINE_STT_H

#include "ai/pipeline/stage.h"

struct stt;

struct stt_handlers {
    /** Takes audio. Once. */
    void (*on_ready)(void *arg);
    /** Words so far of the turn under way. NULL-terminated, borrowed. */
    void (*on_partial)(void *arg, const char *text);
    /** All words of the turn; "" when there were none. Once for each `end`. Borrowed. */
    void (*on_final)(void *arg, const char *text);
    /** Cannot go on. Once and last. */
    void (*on_failed)(void *arg, const struct stage_fault *fault);
};

struct stt_ops {
    const char *name; /**< as in STT_PROVIDER */
    bool partials;    /**< tells words before the turn is over */
    bool punctuates;  /**< a sentence that is over ends with its mark */

    /** @param fault  A missing setting by its name
     *  @return VA_OK: on_ready or on_failed follows */
    VA_CHECK enum va_err (*open)(const struct stage_cfg *cfg, const struct stt_handlers *h,
                                 void *arg, struct stt **ret_stt, struct va_fault *fault);
    /** Every frame of the call, silence included, from on_ready on. */
    void (*audio)(struct stt *s, const int16_t *samples, size_t count);
    /** The caller began to speak `back_ms` ago. */
    void (*begin)(struct stt *s, unsigned back_ms);
    /** The caller stopped `back_ms` ago: on_final follows. */
    void (*end)(struct stt *s, unsigned back_ms);
    /** Nothing of this turn is wanted: no on_final. */
    void (*forget)(struct stt *s);
    /** NULL-safe, leaves NULL. No handler follows. */
    void (*close)(struct stt **s);
};

extern const struct stt_ops stt_embedded, stt_openai, stt_deepgram;

/** By name, or NULL. The list is stt.c. */
const struct stt_ops *stt_find(const char *name);

#endif
