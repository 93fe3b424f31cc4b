/**
 * app/app.h: the commands of `voice-ai`. Each takes the arguments behind its own name and returns
 * the exit code: 0 done, 1 a clear "no" (not found, expectation failed), 2 wrong use or cannot run.
 */
#ifndef VA_APP_APP_H
#define VA_APP_APP_H

#include "base/settings.h"

struct command {
    const char *name, *summary;
    int (*run)(const struct settings *s, int argc, char **argv);
};

int cmd_serve(const struct settings *s, int argc, char **argv);
int cmd_calls(const struct settings *s, int argc, char **argv);
int cmd_messages(const struct settings *s, int argc, char **argv);
int cmd_esl(const struct settings *s, int argc, char **argv);
int cmd_config(const struct settings *s, int argc, char **argv);

/** Print "voice-ai: <text>" to stderr and return 2. */
VA_PRINTF(1, 2) int app_fail(const char *fmt, ...);

#endif
