/**
 * ai/pipeline/options.h: stages that one secretary has its own way:
 * "pipeline:stt=deepgram+tts=piper".
 *
 *     stt, llm, tts        as STT_PROVIDER, LLM_PROVIDER, TTS_PROVIDER
 *     stt-model, llm-model, tts-model
 *
 * A stage that is another than the settings' has none of their URL, key and model: it is the
 * service itself, with its own key.
 */
#ifndef VA_AI_PIPELINE_OPTIONS_H
#define VA_AI_PIPELINE_OPTIONS_H

#include "base/settings.h"

/**
 * Change `s` as the name says.
 *
 * @param name   Of a provider, with or without options
 * @param fault  Names the option and what is accepted
 * @return VA_OK, VA_ECONFIG
 */
VA_CHECK enum va_err options_apply(const char *name, struct settings *s, struct va_fault *fault);
/** Does the name have any? */
bool options_any(const char *name);

#endif
