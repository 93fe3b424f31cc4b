#include "store/fields.h"

#define ROW(type, member, kind, max)                                                               \
    {                                                                                              \
#member, kind, offsetof(struct type, member), max                                          \
    }
#define TABLE(what, rows)                                                                          \
    {                                                                                              \
        what, rows, sizeof(rows) / sizeof((rows)[0])                                               \
    }

static const struct field secretary_rows[] = {
    ROW(secretary, id, FIELD_ID, 0), /* first: secretary_row.c binds it by hand */
    ROW(secretary, tenant, FIELD_TEXT, 0),
    ROW(secretary, name, FIELD_TEXT, 0),
    ROW(secretary, extension, FIELD_TEXT, 0),
    ROW(secretary, enabled, FIELD_BOOL, 0),
    ROW(secretary, company, FIELD_TEXT, 0),
    ROW(secretary, language, FIELD_TEXT, 0),
    ROW(secretary, voice, FIELD_TEXT, 0),
    ROW(secretary, provider, FIELD_TEXT, 0),
    ROW(secretary, fallbacks, FIELD_LIST, SECRETARY_FALLBACKS_MAX),
    ROW(secretary, greeting, FIELD_TEXT, 0),
    ROW(secretary, farewell, FIELD_TEXT, 0),
    ROW(secretary, instructions, FIELD_TEXT, 0),
    ROW(secretary, silence_ms, FIELD_INT, 0),
    ROW(secretary, silence_prompts, FIELD_INT, 0),
    ROW(secretary, max_duration_s, FIELD_INT, 0),
    ROW(secretary, message_max_s, FIELD_INT, 0),
    ROW(secretary, end_silence_ms, FIELD_INT, 0),
    ROW(secretary, protect_ms, FIELD_INT, 0),
    ROW(secretary, record, FIELD_TRISTATE, 0),
    ROW(secretary, barge_in, FIELD_BOOL, 0),
    {"destinations", FIELD_DESTINATIONS, 0, 0},
    {"topics", FIELD_TOPICS, 0, 0},
    {"prompts", FIELD_PROMPTS, 0, 0},
};

static const struct field destination_rows[] = {
    ROW(destination, name, FIELD_TEXT, 0),
    ROW(destination, aliases, FIELD_LIST, SECRETARY_PHRASES_MAX),
    ROW(destination, number, FIELD_TEXT, 0),
    ROW(destination, context, FIELD_TEXT, 0),
    ROW(destination, digit, FIELD_DIGIT, 0),
    {"default", FIELD_BOOL, offsetof(struct destination, is_default), 0},
};

static const struct field topic_rows[] = {
    ROW(topic, name, FIELD_TEXT, 0),
    ROW(topic, phrases, FIELD_LIST, SECRETARY_PHRASES_MAX),
    ROW(topic, answer, FIELD_TEXT, 0),
    ROW(topic, digit, FIELD_DIGIT, 0),
};

const struct field_table secretary_fields = TABLE("secretary", secretary_rows);
const struct field_table destination_fields = TABLE("destination", destination_rows);
const struct field_table topic_fields = TABLE("topic", topic_rows);
