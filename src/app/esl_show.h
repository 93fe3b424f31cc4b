/** app/esl_show.h: events and log lines as a person or a program reads them. Pure text. */
#ifndef VA_APP_ESL_SHOW_H
#define VA_APP_ESL_SHOW_H

#include "base/buf.h"
#include "esl/event.h"

/** Terminal colours. */
#define ESL_RED        "\033[31m"
#define ESL_GREEN      "\033[32m"
#define ESL_YELLOW     "\033[33m"
#define ESL_BLUE       "\033[34m"
#define ESL_CYAN       "\033[36m"
#define ESL_DIM        "\033[2m"
#define ESL_BOLD       "\033[1m"
#define ESL_MARK       "\033[7m"
#define ESL_PLAIN_TEXT "\033[0m"

/** One line: time, name, short uuid, the headers that matter; with LF. */
void esl_show_line(struct buf *out, const struct esl_event *ev, bool color);
/** That line, then every header on a line of its own and the body, then an empty line. */
void esl_show_full(struct buf *out, const struct esl_event *ev, bool color);
/**
 * One JSON object and LF: headers in their order, names that occur twice and FreeSWITCH's arrays as
 * arrays, the body as "_body". Always UTF-8: a byte that is none becomes U+FFFD, nothing else is
 * changed.
 */
void esl_show_json(struct buf *out, const struct esl_event *ev);
/** A line of FreeSWITCH's log, with LF. */
void esl_show_log(struct buf *out, int level, struct str line, bool color);

/** `s` so that it can do no harm to a terminal: control bytes and what is not UTF-8 as \xNN.
 *  With `lines`, LF and tab stay as they are. */
void esl_show_safe(struct buf *out, struct str s, bool lines);

/** Names of FreeSWITCH's events, ended by NULL. */
extern const char *const esl_event_names[];

#endif
