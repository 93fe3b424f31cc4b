/**
 * ai/pipeline/pipeline.h: speech to text, a language model, text to speech, one after the other,
 * sentence by sentence. Each of the three is a table of functions, chosen by settings: stt.h,
 * llm.h, tts_stage.h.
 */
#ifndef VA_AI_PIPELINE_H
#define VA_AI_PIPELINE_H

#include "ai/provider.h"

extern const struct provider_ops provider_pipeline;

#endif
