#include "ai/provider.h"
#include "ai/attendant/attendant.h"

#include <string.h>

static const struct provider_ops *const providers[] = {
    &provider_attendant,
};

const struct provider_ops *provider_find(const char *name)
{
    for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
        if (strcmp(providers[i]->name, name) == 0)
            return providers[i];
    return NULL;
}

const struct provider_ops *provider_at(size_t i)
{
    return i < sizeof(providers) / sizeof(providers[0]) ? providers[i] : NULL;
}
