/**
 * store/yaml_value.h: single values out of YAML, typed. (Private to store/.)
 *
 * Each stands on the value's step and leaves there; `key` is for the fault. Outputs are set on
 * success only (yaml_value_id: half written on failure).
 */
#ifndef VA_STORE_YAML_VALUE_H
#define VA_STORE_YAML_VALUE_H

#include "base/rand.h"
#include "store/yaml_in.h"

/** Fault of a model function's code: VA_ELIMIT is the file's mistake. VA_OK stays VA_OK. */
enum va_err yaml_value_fault(struct yaml_in *in, enum va_err err, const char *key);

/** Fault unless there is a scalar with a value. @param what  "a text", "a whole number", … */
VA_CHECK enum va_err yaml_value_need(struct yaml_in *in, const char *key, const char *what);
/** Replaces *field, as secretary_set(). */
VA_CHECK enum va_err yaml_value_text(struct yaml_in *in, const char *key, char **field);
VA_CHECK enum va_err yaml_value_int(struct yaml_in *in, const char *key, int32_t *ret_n);
/** 1, 0, and -1 for "auto" where that is allowed. */
VA_CHECK enum va_err yaml_value_truth(struct yaml_in *in, const char *key, bool with_auto,
                                      int32_t *ret_n);
/** DTMF digit, 0 for "". */
VA_CHECK enum va_err yaml_value_digit(struct yaml_in *in, const char *key, char *ret_digit);
/** UUID (RFC 9562 §4), in lower case. */
VA_CHECK enum va_err yaml_value_id(struct yaml_in *in, const char *key, char id[static UUID_TEXT]);

#endif
