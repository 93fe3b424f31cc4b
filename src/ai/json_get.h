/**
 * ai/json_get.h: reading a parsed message of a remote. What is absent or of another type
 * is empty, NULL, 0 or the fallback; nothing here fails. One thread per tree.
 */
#ifndef VA_AI_JSON_GET_H
#define VA_AI_JSON_GET_H

#include "base/str.h"

#include <json-c/json.h>

enum { JG_DEPTH_MAX = 32 /**< of objects and arrays in one another */ };

/** @return one reference, json_object_put() it; NULL: no JSON, no object, or too deep */
static inline struct json_object *jg_parse(struct str text)
{
    struct json_tokener *tok = text.len <= INT32_MAX ? json_tokener_new_ex(JG_DEPTH_MAX) : NULL;
    if (!tok)
        return NULL;
    struct json_object *o = json_tokener_parse_ex(tok, text.p ? text.p : "", (int)text.len);
    json_tokener_free(tok);
    if (json_object_is_type(o, json_type_object))
        return o;
    json_object_put(o);
    return NULL;
}

/** Whatever stands there. Borrowed from the tree. */
static inline struct json_object *jg_obj(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;
    if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &v))
        return NULL;
    return v;
}

/** p is NULL when it is no string. Borrowed from the tree. */
static inline struct str jg_str(struct json_object *o, const char *key)
{
    struct json_object *v = jg_obj(o, key);
    if (!json_object_is_type(v, json_type_string))
        return str_make(NULL, 0);
    return str_make(json_object_get_string(v), (size_t)json_object_get_string_len(v));
}

/** What JSON holds exactly: sums, and a thousand of it, have room. */
#define JG_INT_MAX ((int64_t)1 << 53)

/** Not beyond ±JG_INT_MAX: it is the remote's, and will be reckoned with. */
static inline int64_t jg_int(struct json_object *o, const char *key, int64_t fallback)
{
    struct json_object *v = jg_obj(o, key);
    bool number = json_object_is_type(v, json_type_int) || json_object_is_type(v, json_type_double);
    int64_t n = number ? json_object_get_int64(v) : fallback;
    return n > JG_INT_MAX ? JG_INT_MAX : n < -JG_INT_MAX ? -JG_INT_MAX : n;
}

/** It is the boolean true. */
static inline bool jg_true(struct json_object *o, const char *key)
{
    struct json_object *v = jg_obj(o, key);
    return json_object_is_type(v, json_type_boolean) && json_object_get_boolean(v);
}

/** Members of an array; of anything else none. */
static inline size_t jg_count(struct json_object *array)
{
    return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

static inline struct json_object *jg_at(struct json_object *array, size_t i)
{
    return i < jg_count(array) ? json_object_array_get_idx(array, i) : NULL;
}

/** An object again as text, for rt_tool_called(); "{}" for anything else. Borrowed from the tree.
 */
static inline struct str jg_text(struct json_object *o)
{
    return str_of(json_object_is_type(o, json_type_object) ? json_object_to_json_string(o) : "{}");
}

#endif
