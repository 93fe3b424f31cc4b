/**
 * store/secretary_json.h: the lists of a secretary as JSON, for one database column each.
 * (Private to store/.)
 */
#ifndef VA_STORE_SECRETARY_JSON_H
#define VA_STORE_SECRETARY_JSON_H

#include "store/fields.h"

#include <json-c/json.h>

/** Value of one field of an object (a secretary, destination, topic). NULL when out of memory. */
struct json_object *field_to_json(const void *object, const struct field *f);

/** Set one field of a secretary from JSON text. @return VA_OK, VA_EPROTO (damaged), VA_ENOMEM */
VA_CHECK enum va_err field_from_json(struct secretary *s, const struct field *f, const char *json);

#endif
