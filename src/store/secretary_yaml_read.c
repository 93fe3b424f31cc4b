/*
 * YAML to secretaries, by recursive descent over the table of fields:
 *
 *     stream ──► document ──► secretary { key: value … } ──► destinations [ { key: value … } … ]
 *
 * The functions that read a value stand on its first step and leave on its last one.
 */
#include "store/fields.h"
#include "store/secretary_admin.h"
#include "store/yaml_value.h"

#include <stdlib.h>

/* Lines of a mapping's keys by row of its table; 0: not there. */
struct lines {
    size_t of[FIELD_TABLE_MAX];
};

/* ---- mappings and lists --------------------------------------------------------------------- */

static enum va_err unknown_key(struct yaml_in *in, const struct field_table *table)
{
    const char *key = yaml_in_text(in);
    return yaml_in_fault(
        in, yaml_in_line(in), "unknown key \"%.60s\" of a %s; the nearest is \"%s\"", key,
        table->what,
        str_nearest(str_of(key), &table->row[0].key, table->count, sizeof(table->row[0])));
}

static enum va_err find_key(struct yaml_in *in, const struct field_table *table,
                            struct lines *lines, const struct field **ret_field)
{
    if (yaml_in_type(in) != YAML_SCALAR_EVENT)
        return yaml_in_fault(in, yaml_in_line(in), "expected a key of a %s", table->what);
    size_t i = 0;
    while (i < table->count && strcmp(table->row[i].key, yaml_in_text(in)) != 0)
        i++;
    if (i == table->count)
        return unknown_key(in, table);
    if (lines->of[i])
        return yaml_in_fault(in, yaml_in_line(in), "%s: is already given in line %zu",
                             table->row[i].key, lines->of[i]);
    lines->of[i] = yaml_in_line(in);
    *ret_field = &table->row[i];
    return VA_OK;
}

static enum va_err read_value(struct yaml_in *in, const struct field *f, void *object);

static enum va_err read_mapping(struct yaml_in *in, const struct field_table *table, void *object,
                                struct lines *lines)
{
    if (yaml_in_type(in) != YAML_MAPPING_START_EVENT)
        return yaml_in_fault(in, yaml_in_line(in), "expected the keys of a %s (name: …)",
                             table->what);
    enum va_err err;
    while (!(err = yaml_in_next(in)) && yaml_in_type(in) != YAML_MAPPING_END_EVENT) {
        const struct field *f = NULL;
        err = find_key(in, table, lines, &f);
        if (!err)
            err = yaml_in_next(in);
        if (!err)
            err = read_value(in, f, object);
        if (err)
            return err;
    }
    return err;
}

static enum va_err need_list(struct yaml_in *in, const char *key)
{
    if (yaml_in_type(in) != YAML_SEQUENCE_START_EVENT)
        return yaml_in_fault(in, yaml_in_line(in), "%s: expected a list ([] for none)", key);
    return VA_OK;
}

static enum va_err read_list(struct yaml_in *in, const struct field *f, struct text_list *list)
{
    enum va_err err = need_list(in, f->key);
    if (err)
        return err;
    while (!(err = yaml_in_next(in)) && yaml_in_type(in) != YAML_SEQUENCE_END_EVENT) {
        err = yaml_value_need(in, f->key, "a list of texts");
        if (!err)
            err = yaml_value_fault(
                in, list->count < f->max ? secretary_list_add(list, yaml_in_text(in)) : VA_ELIMIT,
                f->key);
        if (err)
            return err;
    }
    return err;
}

static enum va_err read_element(struct yaml_in *in, const struct field *f, struct secretary *s)
{
    struct lines lines = {{0}};
    struct destination *d = NULL;
    struct topic *t = NULL;
    bool topics = f->kind == FIELD_TOPICS;
    enum va_err err = topics ? secretary_add_topic(s, &t) : secretary_add_destination(s, &d);
    if (err)
        return yaml_value_fault(in, err, f->key);
    return topics ? read_mapping(in, &topic_fields, t, &lines)
                  : read_mapping(in, &destination_fields, d, &lines);
}

static enum va_err read_elements(struct yaml_in *in, const struct field *f, struct secretary *s)
{
    enum va_err err = need_list(in, f->key);
    if (err)
        return err;
    while (!(err = yaml_in_next(in)) && yaml_in_type(in) != YAML_SEQUENCE_END_EVENT) {
        err = read_element(in, f, s);
        if (err)
            return err;
    }
    return err;
}

static enum va_err read_prompt(struct yaml_in *in, const struct field *f, struct secretary *s)
{
    enum va_err err = yaml_value_need(in, f->key, "a key");
    if (!err && secretary_prompt(s, yaml_in_text(in)))
        err = yaml_in_fault(in, yaml_in_line(in), "%s: \"%.60s\" is given twice", f->key,
                            yaml_in_text(in));
    if (!err)
        err = yaml_value_fault(in, secretary_add_prompt(s, yaml_in_text(in), ""), f->key);
    if (!err)
        err = yaml_in_next(in);
    if (!err) {
        struct prompt_text *p = &s->prompts[s->prompt_count - 1];
        err = yaml_value_text(in, p->key, &p->text);
    }
    return err;
}

static enum va_err read_prompts(struct yaml_in *in, const struct field *f, struct secretary *s)
{
    if (yaml_in_type(in) != YAML_MAPPING_START_EVENT)
        return yaml_in_fault(in, yaml_in_line(in), "%s: expected \"key: text\" lines ({} for none)",
                             f->key);
    enum va_err err;
    while (!(err = yaml_in_next(in)) && yaml_in_type(in) != YAML_MAPPING_END_EVENT) {
        err = read_prompt(in, f, s);
        if (err)
            return err;
    }
    return err;
}

static enum va_err read_value(struct yaml_in *in, const struct field *f, void *object)
{
    void *at = field_at(object, f);
    int32_t truth = 0;
    enum va_err err = VA_OK;
    switch (f->kind) {
    case FIELD_ID: return yaml_value_id(in, f->key, at);
    case FIELD_TEXT: return yaml_value_text(in, f->key, at);
    case FIELD_INT: return yaml_value_int(in, f->key, at);
    case FIELD_TRISTATE: return yaml_value_truth(in, f->key, true, at);
    case FIELD_DIGIT: return yaml_value_digit(in, f->key, at);
    case FIELD_LIST: return read_list(in, f, at);
    case FIELD_DESTINATIONS:
    case FIELD_TOPICS: return read_elements(in, f, object);
    case FIELD_PROMPTS: return read_prompts(in, f, object);
    case FIELD_BOOL:
        err = yaml_value_truth(in, f->key, false, &truth);
        *(bool *)at = truth != 0;
        break;
    }
    return err;
}

/* ---- documents ------------------------------------------------------------------------------ */

struct batch {
    struct secretary **s;
    size_t count;
};

/* secretary_check() names the field first: "silence_ms=5: …"; its line, else the document's. */
static size_t line_of(const char *text, const struct lines *lines, size_t document)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
    for (size_t i = 0; i < secretary_fields.count; i++)
        if (lines->of[i] && str_eqz(str_make(text, n), secretary_fields.row[i].key))
            return lines->of[i];
    return document;
}

static bool same(const struct secretary *a, const struct secretary *b)
{
    return strcmp(a->id, b->id) == 0 ||
           (str_ieqz(str_of(a->tenant), b->tenant) && str_ieqz(str_of(a->name), b->name));
}

static enum va_err check(struct yaml_in *in, const struct batch *batch, const struct secretary *s,
                         const struct lines *lines, size_t line)
{
    struct va_fault why = {0};
    enum va_err err = secretary_check(s, &why);
    if (err)
        return yaml_in_fault(in, line_of(why.text, lines, line), "%.300s", why.text);
    for (size_t i = 0; i < batch->count; i++)
        if (same(batch->s[i], s))
            return yaml_in_fault(in, line,
                                 "secretary \"%.60s\" of tenant \"%.60s\" is in this file twice",
                                 s->name, s->tenant);
    return VA_OK;
}

static enum va_err read_secretary(struct yaml_in *in, const struct batch *batch,
                                  struct secretary **ret_secretary)
{
    struct secretary *s = NULL;
    struct lines lines = {{0}};
    size_t line = yaml_in_line(in);
    enum va_err err = secretary_new(&s);
    if (!err)
        err = secretary_set(&s->tenant, "default");
    err = yaml_value_fault(in, err, "secretary");
    if (!err)
        err = read_mapping(in, &secretary_fields, s, &lines);
    if (!err)
        err = check(in, batch, s, &lines, line);
    if (err) {
        const struct secretary *half = s;
        secretary_unref(&half);
        return err;
    }
    *ret_secretary = s;
    return VA_OK;
}

static enum va_err add_document(struct yaml_in *in, struct batch *batch)
{
    if (batch->count == SECRETARY_YAML_DOCUMENTS_MAX)
        return va_fault_set(in->fault, VA_ELIMIT, "%.100s: more than %d secretaries in one file",
                            in->name, SECRETARY_YAML_DOCUMENTS_MAX);
    struct secretary **bigger = realloc(batch->s, (batch->count + 1) * sizeof(struct secretary *));
    if (!bigger)
        return va_fault_set(in->fault, VA_ENOMEM, "%.100s: out of memory", in->name);
    batch->s = bigger;
    enum va_err err = yaml_in_next(in);
    if (!err)
        err = read_secretary(in, batch, &batch->s[batch->count]);
    if (err)
        return err;
    batch->count++;
    return yaml_in_next(in); /* the document's end */
}

static enum va_err read_stream(struct yaml_in *in, struct batch *batch)
{
    enum va_err err = yaml_in_next(in); /* the stream's start */
    while (!err && !(err = yaml_in_next(in)) && yaml_in_type(in) != YAML_STREAM_END_EVENT)
        err = add_document(in, batch);
    if (!err && batch->count == 0)
        err = va_fault_set(in->fault, VA_ECONFIG,
                           "%.100s: holds no secretary; see: voice-ai secretary export", in->name);
    return err;
}

enum va_err secretary_from_yaml(const char *name, struct str text,
                                void (*each)(void *arg, struct secretary *s), void *arg,
                                struct va_fault *fault)
{
    struct yaml_in in;
    struct batch batch = {NULL, 0};
    if (text.len > SECRETARY_YAML_MAX)
        return va_fault_set(fault, VA_ELIMIT, "%.100s: %zu bytes, at most %d are allowed", name,
                            text.len, SECRETARY_YAML_MAX);
    enum va_err err = yaml_in_open(&in, name, text, fault);
    if (err)
        return err;
    err = read_stream(&in, &batch);
    yaml_in_close(&in);
    for (size_t i = 0; i < batch.count; i++) {
        const struct secretary *unwanted = batch.s[i];
        if (err)
            secretary_unref(&unwanted);
        else
            each(arg, batch.s[i]);
    }
    free(batch.s);
    return err;
}
