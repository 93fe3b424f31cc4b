/**
 * esl/switch.h: one FreeSWITCH that runs commands for us, whichever way we are connected to it. A
 * client (esl_client_switch) and a session with `full` (esl_session_switch) both are one, so the
 * commands of commands.h work over both.
 *
 * On the loop's thread. Borrowed from the client or session; never freed by itself.
 */
#ifndef VA_ESL_SWITCH_H
#define VA_ESL_SWITCH_H

#include "esl/types.h"

struct esl_switch;

/**
 * `api <line>`: runs inside FreeSWITCH's thread of this connection, so nothing else of it, events
 * included, moves until it ends. For what answers at once.
 *
 * @param then  Copied; NULL when the result does not matter. The text is the output as it is, with
 *              -ERR and -USAGE as VA_EREFUSED and "-ERR No such channel!" as VA_ENOTFOUND
 * @return VA_OK (exactly one result with done follows, unless the owner closes the connection),
 *         VA_EINVAL (CR, LF or NUL in it), VA_ELIMIT (too many pending, or unsent bytes),
 *         VA_ENOTSUP (a session without `full`; esl_line_reloads()), VA_ECLOSED (not connected),
 * VA_ENOMEM. On failure no result follows
 */
VA_CHECK enum va_err esl_switch_api(struct esl_switch *sw, struct str line,
                                    const struct esl_then *then);

/**
 * `bgapi <line>` with a Job-UUID of ours that is registered before it is sent: a thread of its own
 * in FreeSWITCH. One result with done=false tells it was accepted, one with done=true brings the
 * output. BACKGROUND_JOB is subscribed to, and let through our own filters, by itself. Arguments
 * and errors as esl_switch_api().
 */
VA_CHECK enum va_err esl_switch_bgapi(struct esl_switch *sw, struct str line,
                                      const struct esl_then *then);

#endif
