#include "leg/leg.h"
#include "leg/rtp.h"
#include "leg/unicast.h"
#include "leg/websocket.h"

#include <string.h>

static const struct leg_ops *const legs[] = {
    &leg_unicast,
    &leg_rtp,
    &leg_dual,
    &leg_websocket,
};

const struct leg_ops *leg_find(const char *mode)
{
    for (size_t i = 0; i < sizeof(legs) / sizeof(legs[0]); i++)
        if (strcmp(legs[i]->name, mode) == 0)
            return legs[i];
    return NULL;
}
