#include "ai/pipeline/tts_stage.h"

static const struct tts_ops *const list[] = {&tts_embedded, &tts_openai, &tts_elevenlabs,
                                             &tts_piper};

const struct tts_ops *tts_stage_find(const char *name)
{
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        if (strcmp(list[i]->name, name) == 0)
            return list[i];
    return NULL;
}

const char *tts_stage_voice(const struct stage_cfg *cfg, const char *fallback)
{
    if (*cfg->secretary->voice)
        return cfg->secretary->voice;
    return *cfg->settings->tts_voice ? cfg->settings->tts_voice : fallback;
}
