/**
 * esl/escape.h: how text is handed to FreeSWITCH so that it arrives as it was. Any thread.
 *
 * Source: esl.md §1.9; switch_utils.c switch_separate_string(), cleanup_separated_string() and
 * switch_strip_whitespace(), switch_event.c switch_event_add_header_string(), mod_event_socket.c
 * parse_command() of 1.10.12. Checked against it by tests/live/esl_live_test.c.
 */
#ifndef VA_ESL_ESCAPE_H
#define VA_ESL_ESCAPE_H

#include "base/buf.h"

/**
 * Append a value for `uuid_setvar <uuid> <name> <value>`, the last thing on its line.
 *
 * @return VA_OK, VA_EINVAL (NUL in it; nothing appended), VA_ENOTSUP (begins with "ARRAY::": would
 *         arrive as an array, not as this text; nothing appended), VA_ELIMIT, VA_ENOMEM
 */
VA_CHECK enum va_err esl_escape_setvar(struct buf *b, struct str value);

/**
 * Append a value for `uuid_setvar_multi <uuid> <name>=<value>;…`.
 *
 * @return as esl_escape_setvar(), and VA_ENOTSUP for what esl_arg_expands(): FreeSWITCH would drop
 *         it without a word
 */
VA_CHECK enum va_err esl_escape_multi(struct buf *b, struct str value);

/**
 * Append one argument of an API that cuts its line at blanks, as nearly all do. Blanks, quotes,
 * backslashes and line ends arrive.
 *
 * @return VA_OK, VA_EINVAL (NUL, or empty: the next argument would take its place; nothing
 *         appended), VA_ELIMIT, VA_ENOMEM
 */
VA_CHECK enum va_err esl_escape_arg(struct buf *b, struct str arg);

/**
 * Append a value for the braces of `originate {name=value,…}dest`.
 *
 * @return VA_OK, VA_EINVAL (NUL), VA_ENOTSUP (unbalanced braces, ":_:", "ARRAY::" in front or what
 *         esl_arg_expands(): cannot be expressed, set it by uuid_setvar after the call exists),
 *         VA_ELIMIT, VA_ENOMEM
 */
VA_CHECK enum va_err esl_escape_originate(struct buf *b, struct str value);

/** True when the text can stand in one line: no CR, LF or NUL. */
bool esl_line_ok(struct str s);
/** 1 to 128 bytes of letters, digits, '-', '_', '.': a uuid as FreeSWITCH and we make them. */
bool esl_uuid_ok(struct str s);
/** 1 to 256 bytes that can name a variable, an application or a cause: no blank, no control byte,
 *  none of `:={}[]'"\$,;|^` (two `^` in front would change what separates values). */
bool esl_word_ok(struct str s);
/**
 * True when FreeSWITCH would expand something in an application's argument ("${…}" calls APIs!).
 * It takes backslashes between the two bytes for nothing, so `$\{` counts too.
 * Never pass on text of a caller for which this is true: setvar it and name the variable.
 */
bool esl_arg_expands(struct str s);
/**
 * True when mod_event_socket would take a whole command for `reload mod_event_socket`: it looks for
 * these words anywhere in its first line. The escapers keep them apart.
 */
bool esl_line_reloads(struct str line);

#endif
