/** app/cmd_provider.h: `voice-ai provider`: who can speak, and whether it does. */
#ifndef VA_APP_CMD_PROVIDER_H
#define VA_APP_CMD_PROVIDER_H

#include "base/settings.h"

/** @return exit code: 0 done, 1 the provider failed, 2 wrong use or cannot run */
int cmd_provider(const struct settings *s, int argc, char **argv);

#endif
