/** app/esl_options.h: the words behind `voice-ai esl`, read into plain data. */
#ifndef VA_APP_ESL_OPTIONS_H
#define VA_APP_ESL_OPTIONS_H

#include "base/buf.h"
#include "base/settings.h"

enum { ESL_COMMANDS_MAX = 256, ESL_FILTERS_MAX = 32, ESL_VARS_MAX = 64, ESL_NAMES_MAX = 8192 };

enum esl_mode {
    ESL_MODE_RUN,       /**< commands of the arguments, or of stdin, or the prompt */
    ESL_MODE_FOLLOW,    /**< events and log lines until stopped */
    ESL_MODE_ORIGINATE, /**< one call, its outcome as exit code */
    ESL_MODE_HELP,
    ESL_MODE_NAMES, /**< of FreeSWITCH's commands, for shell completion; never hangs */
    ESL_MODE_EVENTS /**< names of events, for shell completion */
};

enum esl_color { ESL_COLOR_AUTO, ESL_COLOR_ALWAYS, ESL_COLOR_NEVER };

struct esl_filter {
    char header[128];
    const char *value;
};

/** Strings borrow from argv and settings. Release with esl_options_free(). */
struct esl_options {
    enum esl_mode mode;
    const char *host, *user;
    char password[SETTING_TEXT_MAX];
    uint16_t port;
    uint64_t timeout_ms; /**< 0: of the settings */
    uint64_t connect_timeout_ms, read_timeout_ms, reconnect_delay_ms;
    unsigned max_attempts; /**< to connect again, where that is done; 0: no limit */

    const char *command[ESL_COMMANDS_MAX]; /**< of -x */
    size_t commands;
    struct buf words; /**< all words that are no option, one blank between: a command, or names */
    bool bg;
    uint64_t watch_ms; /**< 0: once */

    bool full, json;
    enum esl_color color;
    const char *uuid;
    struct esl_filter filter[ESL_FILTERS_MAX];
    size_t filters;
    uint64_t count; /**< events or runs; 0: no limit */
    int log_level;  /**< −1: no log */

    const char *endpoint, *target, *caller_id;
    const char *var[ESL_VARS_MAX]; /**< "name=value" */
    size_t vars;
    bool cancel_on_signal;
};

/** @return VA_OK, VA_EINVAL with a line for the user. The options are to be freed either way. */
VA_CHECK enum va_err esl_options_read(const struct settings *s, int argc, char **argv,
                                      struct esl_options *ret, struct va_fault *fault);
void esl_options_free(struct esl_options *o);
extern const char esl_options_help[];

#endif
