/**
 * ai/speech/tts_idle.h: espeak-ng processes that wait for a text with everything loaded.
 *
 * Starting the program and loading a voice is most of what a short text costs, so each voice used
 * lately keeps one process that has done it. On the service's thread.
 */
#ifndef VA_AI_SPEECH_TTS_IDLE_H
#define VA_AI_SPEECH_TTS_IDLE_H

#include "ai/speech/helper.h"

enum { TTS_IDLE_MAX = 4 };

struct tts_idle;

/** @param group, command  Borrowed */
VA_CHECK enum va_err tts_idle_new(struct helper_group *group, const char *command,
                                  struct tts_idle **ret_idle);
/** Kill what waits. NULL-safe. */
void tts_idle_free(struct tts_idle **idle);

/** The waiting helper of a voice, else a new one. @return as helper_start() */
VA_CHECK enum va_err tts_idle_start(struct tts_idle *idle, const char *voice,
                                    helper_done_h *on_done, void *arg, struct helper **ret_helper);

/** Let a helper wait for the voice's next text. The voice not used for longest loses its own. */
void tts_idle_warm(struct tts_idle *idle, const char *voice);

#endif
