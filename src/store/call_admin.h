/**
 * store/call_admin.h: calls, transcripts and messages for the command line, blocking, on the
 * connection of a struct store_admin. Everything handed out is borrowed for the call of `each`.
 */
#ifndef VA_STORE_CALL_ADMIN_H
#define VA_STORE_CALL_ADMIN_H

#include "model/record.h"
#include "store/secretary_admin.h"

/** The newest calls first, of one tenant or (NULL) of all. `limit` ≥ 1. */
VA_CHECK enum va_err store_admin_calls(struct store_admin *admin, const char *tenant, int limit,
                                       void (*each)(void *arg, const struct call_record *call),
                                       void *arg, struct va_fault *fault);

/**
 * One call: by id, by the beginning of an id, or "last".
 * @return VA_OK, VA_ENOTFOUND, VA_EINVAL (several begin like that), VA_EIO
 */
VA_CHECK enum va_err store_admin_call(struct store_admin *admin, const char *key,
                                      struct call_record *ret_call, struct va_fault *fault);

/** The transcript of a call, in order. */
VA_CHECK enum va_err store_admin_lines(struct store_admin *admin, const char *call_id,
                                       void (*each)(void *arg, const struct transcript_line *line),
                                       void *arg, struct va_fault *fault);

/** The newest messages first. */
VA_CHECK enum va_err store_admin_messages(struct store_admin *admin, const char *tenant, int limit,
                                          void (*each)(void *arg, const struct message_record *m),
                                          void *arg, struct va_fault *fault);

#endif
