#include "ai/pipeline/stt.h"

static const struct stt_ops *const list[] = {&stt_embedded, &stt_openai, &stt_deepgram};

const struct stt_ops *stt_find(const char *name)
{
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        if (strcmp(list[i]->name, name) == 0)
            return list[i];
    return NULL;
}
