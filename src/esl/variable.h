/**
 * esl/variable.h: variables of any channel and of FreeSWITCH. Values are any bytes but NUL and
 * arrive as they are; names are words (esl_word_ok()). Otherwise as channel.h.
 */
#ifndef VA_ESL_VARIABLE_H
#define VA_ESL_VARIABLE_H

#include "esl/execute.h"
#include "esl/switch.h"

/** esl_value_read() reads the result. */
VA_CHECK enum va_err esl_uuid_getvar(struct esl_switch *sw, const char *uuid, const char *name,
                                     const struct esl_then *then);
/** Empty deletes it. VA_ENOTSUP for a value beginning with "ARRAY::", which would become one. */
VA_CHECK enum va_err esl_uuid_setvar(struct esl_switch *sw, const char *uuid, const char *name,
                                     struct str value, const struct esl_then *then);

enum { ESL_SETVAR_MAX = 64 }; /**< variables that FreeSWITCH takes in one command */
/**
 * Set several at once; an empty value deletes one.
 *
 * @param vars   1 to ESL_SETVAR_MAX
 * @param fault  Names the variable that cannot be sent; may be NULL. Values with `${` are refused
 *               (VA_ENOTSUP), FreeSWITCH would drop them here; esl_uuid_setvar() can set them
 */
VA_CHECK enum va_err esl_uuid_setvar_multi(struct esl_switch *sw, const char *uuid,
                                           const struct esl_field *vars, size_t count,
                                           const struct esl_then *then, struct va_fault *fault);

/** A global variable ("domain"). esl_value_read() reads the result. */
VA_CHECK enum va_err esl_global_getvar(struct esl_switch *sw, const char *name,
                                       const struct esl_then *then);

#endif
