/**
 * esl/escape.h: how text is handed to FreeSWITCH so that it arrives as it was. Any thread.
 *
 * Source: esl.md §1.9, algorithms checked by round trip against FreeSWITCH 1.10.12.
 */
#ifndef VA_ESL_ESCAPE_H
#define VA_ESL_ESCAPE_H

#include "base/buf.h"

/**
 * Append a value for `uuid_setvar <uuid> <name> <value>`.
 *
 * @return VA_OK, VA_EINVAL (NUL in it; nothing appended), VA_ELIMIT, VA_ENOMEM
 */
VA_CHECK enum va_err esl_escape_setvar(struct buf *b, struct str value);

/**
 * Append a value for the braces of `originate {name=value,…}dest`.
 *
 * @return VA_OK, VA_EINVAL (NUL), VA_ENOTSUP (unbalanced braces, ":_:" or "${": cannot be
 *         expressed, set it by uuid_setvar after the call exists), VA_ELIMIT, VA_ENOMEM
 */
VA_CHECK enum va_err esl_escape_originate(struct buf *b, struct str value);

/** True when the text can stand in one line: no CR, LF or NUL. */
bool esl_line_ok(struct str s);
/** 1 to 128 bytes of letters, digits, '-', '_', '.': a uuid as FreeSWITCH and we make them. */
bool esl_uuid_ok(struct str s);
/** 1 to 256 bytes that can name a variable, an application or a cause: no blank, no control byte,
 *  none of `:={}[]'"\$,;|`. */
bool esl_word_ok(struct str s);
/**
 * True when FreeSWITCH would expand something in an application's argument ("${…}" calls APIs!).
 * Never pass on text of a caller for which this is true: setvar it and name the variable.
 */
bool esl_arg_expands(struct str s);

#endif
