#include "store/secretary_json.h"
#include "base/str.h"

/* Add to an array or, with a key, to an object; takes `value` in any case. */
static bool take(struct json_object *parent, const char *key, struct json_object *value)
{
    if (!value)
        return false;
    int failed =
        key ? json_object_object_add(parent, key, value) : json_object_array_add(parent, value);
    if (failed)
        json_object_put(value);
    return !failed;
}

static struct json_object *done(struct json_object *o, bool ok)
{
    if (ok)
        return o;
    json_object_put(o);
    return NULL;
}

static struct json_object *list_to_json(const struct text_list *list)
{
    struct json_object *array = json_object_new_array();
    bool ok = array != NULL;
    for (size_t i = 0; ok && i < list->count; i++)
        ok = take(array, NULL, json_object_new_string(list->item[i]));
    return done(array, ok);
}

static struct json_object *prompts_to_json(const struct secretary *s)
{
    struct json_object *map = json_object_new_object();
    bool ok = map != NULL;
    for (size_t i = 0; ok && i < s->prompt_count; i++)
        ok = take(map, s->prompts[i].key, json_object_new_string(s->prompts[i].text));
    return done(map, ok);
}

static struct json_object *row_to_json(const void *object, const struct field_table *table)
{
    struct json_object *map = json_object_new_object();
    bool ok = map != NULL;
    for (size_t i = 0; ok && i < table->count; i++)
        ok = take(map, table->row[i].key, field_to_json(object, &table->row[i]));
    return done(map, ok);
}

static struct json_object *rows_to_json(const void *first, size_t count, size_t size,
                                        const struct field_table *table)
{
    struct json_object *array = json_object_new_array();
    bool ok = array != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = take(array, NULL, row_to_json((const char *)first + i * size, table));
    return done(array, ok);
}

struct json_object *field_to_json(const void *object, const struct field *f)
{
    const struct secretary *s = object;
    char digit[2] = {0};
    switch (f->kind) {
    case FIELD_ID: return json_object_new_string(field_of(object, f));
    case FIELD_TEXT: return json_object_new_string(field_text(object, f));
    case FIELD_TRISTATE:
    case FIELD_INT: return json_object_new_int(*(const int32_t *)field_of(object, f));
    case FIELD_BOOL: return json_object_new_boolean(*(const bool *)field_of(object, f));
    case FIELD_DIGIT: digit[0] = *(const char *)field_of(object, f); break;
    case FIELD_LIST: return list_to_json(field_of(object, f));
    case FIELD_DESTINATIONS:
        return rows_to_json(s->destinations, s->destination_count, sizeof(struct destination),
                            &destination_fields);
    case FIELD_TOPICS:
        return rows_to_json(s->topics, s->topic_count, sizeof(struct topic), &topic_fields);
    case FIELD_PROMPTS: return prompts_to_json(s);
    }
    return json_object_new_string(digit);
}

/* ---- and back ------------------------------------------------------------------------------- */

static enum va_err list_from_json(struct json_object *o, size_t max, struct text_list *list)
{
    if (!json_object_is_type(o, json_type_array) || json_object_array_length(o) > max)
        return VA_EPROTO;
    enum va_err err = VA_OK;
    for (size_t i = 0; !err && i < json_object_array_length(o); i++) {
        struct json_object *item = json_object_array_get_idx(o, i);
        err = json_object_is_type(item, json_type_string)
                  ? secretary_list_add(list, json_object_get_string(item))
                  : VA_EPROTO;
    }
    return err;
}

static enum va_err prompts_from_json(struct json_object *o, struct secretary *s)
{
    if (!json_object_is_type(o, json_type_object))
        return VA_EPROTO;
    json_object_object_foreach(o, key, value)
    {
        enum va_err err = json_object_is_type(value, json_type_string)
                              ? secretary_add_prompt(s, key, json_object_get_string(value))
                              : VA_EPROTO;
        if (err)
            return err;
    }
    return VA_OK;
}

/* Fields of a destination or topic; what is not there keeps its default. */
static enum va_err row_from_json(struct json_object *o, void *object,
                                 const struct field_table *table)
{
    if (!json_object_is_type(o, json_type_object))
        return VA_EPROTO;
    enum va_err err = VA_OK;
    for (size_t i = 0; !err && i < table->count; i++) {
        const struct field *f = &table->row[i];
        struct json_object *value = NULL;
        if (!json_object_object_get_ex(o, f->key, &value))
            continue;
        if (f->kind == FIELD_LIST)
            err = list_from_json(value, f->max, field_at(object, f));
        else if (f->kind == FIELD_BOOL)
            *(bool *)field_at(object, f) = json_object_get_boolean(value);
        else if (!json_object_is_type(value, json_type_string))
            err = VA_EPROTO;
        else if (f->kind == FIELD_DIGIT)
            *(char *)field_at(object, f) = json_object_get_string(value)[0];
        else
            err = secretary_set(field_at(object, f), json_object_get_string(value));
    }
    return err;
}

static enum va_err rows_from_json(struct json_object *o, struct secretary *s, bool topics)
{
    if (!json_object_is_type(o, json_type_array))
        return VA_EPROTO;
    enum va_err err = VA_OK;
    for (size_t i = 0; !err && i < json_object_array_length(o); i++) {
        struct json_object *item = json_object_array_get_idx(o, i);
        struct destination *d = NULL;
        struct topic *t = NULL;
        err = topics ? secretary_add_topic(s, &t) : secretary_add_destination(s, &d);
        if (!err)
            err = topics ? row_from_json(item, t, &topic_fields)
                         : row_from_json(item, d, &destination_fields);
    }
    return err == VA_ELIMIT ? VA_EPROTO : err;
}

enum va_err field_from_json(struct secretary *s, const struct field *f, const char *json)
{
    struct json_object *o = json_tokener_parse(json);
    enum va_err err = VA_EPROTO;
    if (o && f->kind == FIELD_LIST)
        err = list_from_json(o, f->max, field_at(s, f));
    else if (o && f->kind == FIELD_PROMPTS)
        err = prompts_from_json(o, s);
    else if (o && (f->kind == FIELD_DESTINATIONS || f->kind == FIELD_TOPICS))
        err = rows_from_json(o, s, f->kind == FIELD_TOPICS);
    json_object_put(o);
    return err;
}
