/** fakefs/voice.h: the caller's sentences as audio. Blocking: before a call, never during one. */
#ifndef VA_FAKEFS_VOICE_H
#define VA_FAKEFS_VOICE_H

#include "fakefs/script.h"

struct voice_cfg {
    const char *command; /**< the espeak-ng program */
    const char *voice;   /**< default voice: "pt-br" */
    int rate_hz;         /**< of the call */
};

/** Speak with espeak-ng as a helper process; the text goes through its standard input. */
VA_CHECK enum va_err voice_say(const struct voice_cfg *cfg, const char *voice, const char *text,
                               struct pcm **ret_pcm, struct va_fault *fault);
/** Make or load the audio of every step that needs some. */
VA_CHECK enum va_err voice_load_script(const struct voice_cfg *cfg, struct script *s,
                                       struct va_fault *fault);

#endif
