/**
 * app/esl_app.h: what all forms of `voice-ai esl` stand on: one thread, one loop, one client, and
 * waiting by turning the loop. Functions that wait keep events, log lines and reconnects going.
 */
#ifndef VA_APP_ESL_APP_H
#define VA_APP_ESL_APP_H

#include "app/esl_options.h"
#include "app/esl_out.h"
#include "esl/client.h"

enum { ESL_EXIT_NO = 1, ESL_EXIT_FAIL = 2, ESL_EXIT_SIGNAL = 130 };

struct esl_app {
    const struct esl_options *o;
    struct loop *loop;
    struct esl_client *client;
    struct esl_out out; /**< stdout */
    uv_signal_t sig_int, sig_term;
    unsigned open_signals;
    bool terminal, color; /**< stdout is one; colours are wanted */
    bool ready;           /**< connected now */
    bool was_ready;       /**< connected once */
    bool down;            /**< an attempt failed or the connection broke; `why` says more */
    bool lasts;           /**< it connects again */
    bool gave_up;         /**< ESL_MAX_RECONNECT_ATTEMPTS failed */
    bool stop;            /**< SIGINT or SIGTERM came */
    bool terminated;      /**< it was SIGTERM */
    bool prompt;          /**< messages go between the lines of the prompt, not to stderr */
    bool full, json;      /**< how events are shown; the prompt changes it */
    uint64_t events;
    uint64_t lost; /**< dropped events not told of yet */
    struct tmr lost_tmr;
    char why[600]; /**< one line: cause and fix */
};

/** Begin to connect; with `lasts` again after a loss, as often as the settings say. @return 0 or
 * the exit code, with a line on stderr */
int esl_app_open(struct esl_app *a, const struct esl_options *o, bool lasts);
/** Wait until connected. @return 0, or the exit code when the first attempt failed, with a line */
int esl_app_connect(struct esl_app *a);
void esl_app_close(struct esl_app *a);

/** Turn the loop until *flag, a signal, or `ms` are over (0: for ever). @return *flag */
bool esl_app_wait(struct esl_app *a, const bool *flag, uint64_t ms);
/** A line for the user: on stderr, or above the prompt. Not cut off by what else is printed. */
VA_PRINTF(2, 3) void esl_app_say(struct esl_app *a, const char *fmt, ...);

/** What FreeSWITCH answered. Zero-initialise; free text with buf_free(). */
struct esl_reply {
    bool done;
    enum va_err err; /**< VA_ECANCELED with ESL_WHY_NONE: stopped by a signal */
    enum esl_why why;
    struct buf text;
};
enum esl_ask { ESL_ASK_API, ESL_ASK_BGAPI };
/** Run a command and wait for its end. `ms` 0: the usual limit. */
void esl_app_ask(struct esl_app *a, enum esl_ask how, struct str line, uint64_t ms,
                 struct esl_reply *r);
/** Collects a result; its arg is the esl_reply. */
void esl_app_on_result(void *arg, const struct esl_result *result);
/** Print what it answered, or why it did not. @return the exit code */
int esl_app_print(struct esl_app *a, struct str line, const struct esl_reply *r);

/** Bytes of stdin without blocking the loop. */
struct esl_input {
    struct esl_app *app;
    uv_poll_t poll;
    bool polled, readable, closed, eof;
    struct buf buf;
    size_t at;
};
void esl_input_open(struct esl_input *in, struct esl_app *a);
/** Wait for more. @return false: a signal came */
bool esl_input_wait(struct esl_input *in, uint64_t ms);
/** Next line without its LF, borrowed until the next call. @return false: the end, or a signal */
bool esl_input_line(struct esl_input *in, struct str *ret_line);
void esl_input_close(struct esl_input *in);

/** The forms; each returns the exit code. */
int esl_run(struct esl_app *a);
int esl_watch(struct esl_app *a);
int esl_follow(struct esl_app *a);
int esl_originate_run(struct esl_app *a);
int esl_prompt(struct esl_app *a);
int esl_complete_names(struct esl_app *a);

#endif
