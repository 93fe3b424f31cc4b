/**
 * store/fields.h: what a secretary is made of, one table row per field. (Private to store/.)
 *
 * The table makes the database columns, the JSON inside them and the YAML keys. A new field of
 * model/secretary.h is a row here and a migration in migrate.c.
 */
#ifndef VA_STORE_FIELDS_H
#define VA_STORE_FIELDS_H

#include "model/secretary.h"

/** C type behind the offset, and its shape outside. */
enum field_kind {
    FIELD_ID,           /**< char[UUID_TEXT] */
    FIELD_TEXT,         /**< char * */
    FIELD_INT,          /**< int32_t */
    FIELD_BOOL,         /**< bool */
    FIELD_TRISTATE,     /**< int32_t: 1 true, 0 false, -1 auto */
    FIELD_DIGIT,        /**< char, 0 for none; outside a text of one byte or "" */
    FIELD_LIST,         /**< struct text_list of at most `max` */
    FIELD_DESTINATIONS, /**< the secretary's array; the offset is not used */
    FIELD_TOPICS,       /**< likewise */
    FIELD_PROMPTS,      /**< likewise; outside a mapping key → text */
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    size_t max; /**< of FIELD_LIST */
};

struct field_table {
    const char *what; /**< "secretary", "destination", "topic": for messages */
    const struct field *row;
    size_t count;
};

enum { FIELD_TABLE_MAX = 32 };

extern const struct field_table secretary_fields, destination_fields, topic_fields;

static inline void *field_at(void *object, const struct field *f)
{
    return (char *)object + f->offset;
}

static inline const void *field_of(const void *object, const struct field *f)
{
    return (const char *)object + f->offset;
}

/** The text of a FIELD_TEXT, the text of a list, … for reading. */
static inline const char *field_text(const void *object, const struct field *f)
{
    return *(char *const *)field_of(object, f);
}

#endif
