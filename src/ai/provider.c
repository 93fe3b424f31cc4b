#include "ai/provider.h"
#include "ai/attendant/attendant.h"
#include "ai/pipeline/pipeline.h"
#include "ai/realtime/link.h"
#include "ai/realtime/realtime.h"

#include <string.h>

static const struct provider_ops *const providers[] = {
    &provider_attendant,         &provider_openai,   &provider_azure,      &provider_xai,
    &provider_openai_compatible, &provider_gemini,   &provider_elevenlabs, &provider_deepgram,
    &provider_ultravox,          &provider_gpt_live, &provider_pipeline,
};

const struct provider_ops *provider_find(const char *name)
{
    struct str rest = str_of(name), plain = str_cut(&rest, ':');
    for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
        if (str_eqz(plain, providers[i]->name) &&
            (plain.len == strlen(name) || providers[i]->takes_options))
            return providers[i];
    return NULL;
}

void provider_loop_start(struct loop *loop, const struct provider_env *env,
                         const struct settings *settings)
{
    link_pool_start(loop, (unsigned)settings->ai_prepared);
    const struct provider_ops *usual = provider_find(settings->ai_provider);
    if (usual && usual->prepare && settings->ai_prepared)
        usual->prepare(loop, env, settings);
}

void provider_loop_stop(struct loop *loop)
{
    link_pool_stop(loop);
}

const struct provider_ops *provider_at(size_t i)
{
    return i < sizeof(providers) / sizeof(providers[0]) ? providers[i] : NULL;
}
