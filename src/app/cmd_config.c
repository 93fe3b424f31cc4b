#include "app/app.h"

#include <string.h>

int cmd_config(const struct settings *s, int argc, char **argv)
{
    if (argc == 0) {
        settings_print(s, stdout);
        return 0;
    }
    if (strcmp(argv[0], "--markdown") == 0) {
        settings_print_markdown(stdout);
        return 0;
    }
    if (strcmp(argv[0], "--help") == 0) {
        (void)puts("usage: voice-ai config [--markdown]\n\n"
                   "Show every setting, its value (secrets as ***) and its meaning;\n"
                   "--markdown prints the documentation page instead.");
        return 0;
    }
    return app_fail("config: unknown argument \"%s\" (voice-ai config --help)", argv[0]);
}
