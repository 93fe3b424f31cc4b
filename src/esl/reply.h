/**
 * esl/reply.h: what the text of an api result says. Readers take err and text of a result
 * (`esl_ok_read(r->err, r->text)`), in its callback or after the blocking form. Any thread.
 *
 * All of them pass on what is wrong with the connection (VA_ECLOSED, VA_ETIMEOUT, …) and set their
 * outputs only on VA_OK. What they return is borrowed from the text.
 */
#ifndef VA_ESL_REPLY_H
#define VA_ESL_REPLY_H

#include "esl/types.h"

/**
 * Did a command do it? FreeSWITCH has a dozen ways of saying no; some with VA_OK.
 *
 * @return VA_OK, VA_ENOTFOUND (no such channel, session, profile), VA_EINVAL (it says -USAGE),
 *         VA_ENOTSUP (it has no such command: a module is not loaded), VA_EREFUSED (the text says
 *         why), or err
 */
VA_CHECK enum va_err esl_ok_read(enum va_err err, struct str text);

/** "true" or "false", e.g. of esl_uuid_exists(). VA_EPROTO for anything else. */
VA_CHECK enum va_err esl_bool_read(enum va_err err, struct str text, bool *ret_value);

/**
 * Value of esl_uuid_getvar() and esl_global_getvar(), byte for byte; ret_value->p is NULL when the
 * variable is not set. A value that begins with "-ERR" is a value.
 *
 * @return VA_OK, VA_ENOTFOUND (no such channel), VA_EINVAL, or err
 */
VA_CHECK enum va_err esl_value_read(enum va_err err, struct str text, struct str *ret_value);

#endif
