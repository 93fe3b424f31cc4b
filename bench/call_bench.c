/* `voice-ai call` by itself, for benches and tests of trees that have no daemon yet. */
#include "app/cmd_call.h"

#include <stdio.h>

extern char **environ;

int main(int argc, char **argv)
{
    struct settings s;
    struct va_fault fault;
    if (settings_load(NULL, environ, &s, &fault)) {
        (void)fprintf(stderr, "%s\n", fault.text);
        return 2;
    }
    return cmd_call(&s, argc - 1, argv + 1);
}
