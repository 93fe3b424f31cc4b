#include "app/app.h"
#include "app/cmd_call.h"
#include "app/cmd_provider.h"
#include "app/cmd_secretary.h"
#include "base/log.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static int cmd_version(const struct settings *s, int argc, char **argv)
{
    (void)s;
    (void)argc;
    (void)argv;
    (void)puts("voice-ai " VA_VERSION);
    return 0;
}

static const struct command commands[] = {
    {"serve", "take calls from FreeSWITCH until SIGTERM", cmd_serve},
    {"call", "play FreeSWITCH's side of a call to a running daemon", cmd_call},
    {"secretary", "list, show, import and export secretaries", cmd_secretary},
    {"provider", "list providers, try one with a spoken question", cmd_provider},
    {"calls", "list calls, show one with what was said", cmd_calls},
    {"messages", "list the messages callers left", cmd_messages},
    {"esl", "run commands in FreeSWITCH, follow its events and log", cmd_esl},
    {"config", "show every setting with its value", cmd_config},
    {"version", "show the version", cmd_version},
};

int app_fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)fputs("voice-ai: ", stderr);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
    return 2;
}

static void print_help(FILE *out)
{
    (void)fputs("voice-ai: an AI that answers telephone calls for FreeSWITCH\n\n"
                "usage: voice-ai [--env FILE] COMMAND [ARGUMENTS]\n\n",
                out);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    (void)fputs(
        "\nEach COMMAND knows --help. Settings come from the environment, else from ./.env\n"
        "(or --env FILE); `voice-ai config` lists them all.\n",
        out);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const char *env_file = NULL;
    int at = 1;
    (void)signal(SIGPIPE, SIG_IGN);
    if (at + 1 < argc && strcmp(argv[at], "--env") == 0) {
        env_file = argv[at + 1];
        at += 2;
    }
    if (at >= argc) {
        print_help(stderr);
        return 2;
    }
    const char *name = argv[at];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0)
        return cmd_version(NULL, 0, NULL);
    const struct command *command = find_command(name);
    if (!command)
        return app_fail("unknown command \"%s\"; did you mean %s? (voice-ai --help)", name,
                        str_nearest(str_of(name), &commands[0].name,
                                    sizeof(commands) / sizeof(commands[0]), sizeof(commands[0])));
    struct settings settings;
    struct va_fault fault;
    if (settings_load(env_file, environ, &settings, &fault))
        return app_fail("%s", fault.text);
    enum log_level level = LOG_INFO;
    if (log_level_parse(str_of(settings.log_level), &level) == VA_OK)
        log_set_level(level);
    return command->run(&settings, argc - at - 1, argv + at + 1);
}
