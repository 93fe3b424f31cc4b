/** app/esl_prompt.h: inside of the prompt of `voice-ai esl`, for esl_prompt*.c only. */
#ifndef VA_APP_ESL_PROMPT_H
#define VA_APP_ESL_PROMPT_H

#include "app/esl_app.h"

#include <histedit.h>

enum { PROMPT_TEXT = 300, SUBSCRIPTIONS_MAX = 64 };

struct esl_prompt {
    struct esl_app *app;
    EditLine *el;
    History *history;
    char history_path[512]; /**< "" when there is no place for it */
    char text[PROMPT_TEXT];
    size_t text_width;
    struct esl_input in;
    uv_signal_t sig_winch;
    bool winch_open;
    enum { KEY_PLAIN, KEY_ESCAPE, KEY_SEQUENCE } key;
    bool editing; /**< the line is on the screen */
    bool hidden;  /**< it was taken off for output and is to be drawn again */
    bool quit;
    char *subscribed[SUBSCRIPTIONS_MAX]; /**< names as they were asked for */
    size_t subscriptions;
};

/** A line that begins with '/'. */
void esl_prompt_slash(struct esl_prompt *p, struct str line);
/** One command for FreeSWITCH. */
void esl_prompt_run(struct esl_prompt *p, struct str line, bool bg);
/** The Tab key. */
unsigned char esl_prompt_tab(EditLine *el, int key);
/** Slash commands, each with its help, ended by NULL names. */
struct esl_slash {
    const char *name, *arguments, *help;
    void (*run)(struct esl_prompt *p, struct str rest);
};
extern const struct esl_slash esl_slashes[];

#endif
