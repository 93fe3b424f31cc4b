/**
 * esl/command.h: text of outgoing commands. A field with CR, LF or NUL makes the buffer fail with
 * VA_EINVAL (one such byte could forge a command, esl.md §1.3), so one check at the end is enough.
 */
#ifndef VA_ESL_COMMAND_H
#define VA_ESL_COMMAND_H

#include "base/buf.h"
#include "esl/execute.h"

/** "verb rest LF", or "verb LF" when rest is empty. VA_ENOTSUP for what FreeSWITCH would take for a
 *  reload of its socket (esl_line_reloads). */
void esl_command_line(struct buf *b, const char *verb, struct str rest);
/** "name: value LF"; nothing when the value is empty, as an empty header is none. */
void esl_command_header(struct buf *b, const char *name, struct str value);
void esl_command_headerz(struct buf *b, const char *name, const char *value);
/** The blank line that ends a command. */
void esl_command_end(struct buf *b);
/** Headers of a text/plain body, the blank line and the body. NUL is refused. */
void esl_command_body(struct buf *b, struct str body);

/** Argument of an application: one header line where that keeps it whole, else a body. Ends the
 *  command. Source: esl.md §1.6. */
void esl_command_app_arg(struct buf *b, struct str arg, size_t line_max);

/**
 * The whole sendmsg that runs an application.
 *
 * @param channel     Its uuid; NULL: the connection's own
 * @param event_uuid  Comes back as Application-UUID
 */
void esl_command_execute(struct buf *b, const char *channel, const char *event_uuid,
                         const struct esl_execute *x);
/** False when it cannot be sent: no application, a name with blanks, loops below -1. */
bool esl_execute_ok(const struct esl_execute *x);

/** The whole sendevent. `subclass` may be NULL, `body` empty. */
void esl_command_send_event(struct buf *b, const char *name, const char *subclass,
                            const struct esl_field *fields, size_t count, struct str body);

/** "plain", "json", "xml". */
const char *esl_format_word(enum esl_format format);

/**
 * Any one-line command of an application's own.
 *
 * @return VA_ENOTSUP for getvar: its answer is neither framed nor escaped, a value could forge
 *         messages (esl.md fact 3); VA_EINVAL when it has no first word
 */
VA_CHECK enum va_err esl_command_free_line(struct buf *b, struct str text);

#endif
