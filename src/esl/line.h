/**
 * esl/line.h: the line of an `api` command: a verb and its arguments, none of which can forge,
 * shift or swallow another. A wrong argument makes the line fail, so one check at its end is
 * enough. Inside of esl/ only.
 */
#ifndef VA_ESL_LINE_H
#define VA_ESL_LINE_H

#include "base/buf.h"
#include "esl/switch.h"

enum { ESL_LINE_MAX = 1 << 20 }; /* longest line [bytes] */

struct esl_line {
    struct buf b;
};

void esl_line_begin(struct esl_line *l, const char *verb);
/* Each puts a blank in front. */
void esl_line_uuid(struct esl_line *l, const char *uuid);
/* A word as esl_word_ok() has it. */
void esl_line_word(struct esl_line *l, const char *word);
/* Any text but the empty one, escaped for APIs that cut at blanks. */
void esl_line_arg(struct esl_line *l, struct str arg);
/* Text of our own, not checked. */
void esl_line_text(struct esl_line *l, const char *text);
void esl_line_number(struct esl_line *l, uint64_t n);
/* The line is wrong for this reason, unless it was wrong before. */
void esl_line_fail(struct esl_line *l, enum va_err err);

/* Send and release it. VA_ENOTSUP when FreeSWITCH would take it for a reload of its socket. */
VA_CHECK enum va_err esl_line_api(struct esl_line *l, struct esl_switch *sw,
                                  const struct esl_then *then);
VA_CHECK enum va_err esl_line_bgapi(struct esl_line *l, struct esl_switch *sw,
                                    const struct esl_then *then);

#endif
