/* A secretary as YAML. Texts are always quoted or literal, so "0800", "#1" or "yes" stay texts. */
#include "store/fields.h"
#include "store/secretary_admin.h"

#include <stdio.h>
#include <yaml.h>

struct yaml_out {
    yaml_emitter_t emitter;
    bool failed;
};

static void emit(struct yaml_out *w, int made, yaml_event_t *event)
{
    if (w->failed && made)
        yaml_event_delete(event);
    else if (!made || !yaml_emitter_emit(&w->emitter, event)) /* which owns the event */
        w->failed = true;
}

static void put_scalar(struct yaml_out *w, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t e;
    int made = yaml_scalar_event_initialize(&e, NULL, NULL, (const yaml_char_t *)text,
                                            (int)strlen(text), 1, 1, style);
    emit(w, made, &e);
}

static void put_plain(struct yaml_out *w, const char *text)
{
    put_scalar(w, text, YAML_PLAIN_SCALAR_STYLE);
}

/*
 * Several lines read best as they are ("|"). Only where nothing can be lost: a blank at the start
 * or end of a line, a tab, or one of Unicode's own line ends (NEL, LS, PS) is quoted instead.
 */
static bool fits_literal(const char *text)
{
    if (!strchr(text, '\n') || text[0] == '\n' || strpbrk(text, "\t\r") ||
        strstr(text, "\xc2\x85") || strstr(text, "\xe2\x80\xa8") || strstr(text, "\xe2\x80\xa9"))
        return false;
    for (const char *p = text; *p; p++)
        if (*p == ' ' && (p == text || p[-1] == '\n' || p[1] == '\n' || p[1] == 0))
            return false;
    return true;
}

static void put_text(struct yaml_out *w, const char *text)
{
    put_scalar(w, text,
               fits_literal(text) ? YAML_LITERAL_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static void open_map(struct yaml_out *w)
{
    yaml_event_t e;
    int made = yaml_mapping_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
    emit(w, made, &e);
}

static void close_map(struct yaml_out *w)
{
    yaml_event_t e;
    int made = yaml_mapping_end_event_initialize(&e);
    emit(w, made, &e);
}

static void open_list(struct yaml_out *w, yaml_sequence_style_t style)
{
    yaml_event_t e;
    int made = yaml_sequence_start_event_initialize(&e, NULL, NULL, 1, style);
    emit(w, made, &e);
}

static void close_list(struct yaml_out *w)
{
    yaml_event_t e;
    int made = yaml_sequence_end_event_initialize(&e);
    emit(w, made, &e);
}

static void put_row(struct yaml_out *w, const void *object, const struct field_table *table);

static void put_rows(struct yaml_out *w, const void *first, size_t count, size_t size,
                     const struct field_table *table)
{
    open_list(w, count ? YAML_BLOCK_SEQUENCE_STYLE : YAML_FLOW_SEQUENCE_STYLE);
    for (size_t i = 0; i < count; i++)
        put_row(w, (const char *)first + i * size, table);
    close_list(w);
}

static void put_list(struct yaml_out *w, const struct text_list *list)
{
    open_list(w, YAML_FLOW_SEQUENCE_STYLE);
    for (size_t i = 0; i < list->count; i++)
        put_scalar(w, list->item[i], YAML_DOUBLE_QUOTED_SCALAR_STYLE);
    close_list(w);
}

static void put_number(struct yaml_out *w, const struct field *f, int32_t n)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", n);
    if (f->kind == FIELD_TRISTATE && n < 0)
        put_plain(w, "auto");
    else if (f->kind == FIELD_TRISTATE)
        put_plain(w, n ? "true" : "false");
    else
        put_plain(w, text);
}

static void put_value(struct yaml_out *w, const void *object, const struct field *f)
{
    const struct secretary *s = object;
    const void *at = field_of(object, f);
    char digit[2] = {0};
    switch (f->kind) {
    case FIELD_ID: put_plain(w, at); break;
    case FIELD_TEXT: put_text(w, field_text(object, f)); break;
    case FIELD_TRISTATE:
    case FIELD_INT: put_number(w, f, *(const int32_t *)at); break;
    case FIELD_BOOL: put_plain(w, *(const bool *)at ? "true" : "false"); break;
    case FIELD_DIGIT:
        digit[0] = *(const char *)at;
        put_scalar(w, digit, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
        break;
    case FIELD_LIST: put_list(w, at); break;
    case FIELD_DESTINATIONS:
        put_rows(w, s->destinations, s->destination_count, sizeof(struct destination),
                 &destination_fields);
        break;
    case FIELD_TOPICS:
        put_rows(w, s->topics, s->topic_count, sizeof(struct topic), &topic_fields);
        break;
    case FIELD_PROMPTS:
        open_map(w);
        for (size_t i = 0; i < s->prompt_count; i++) {
            put_scalar(w, s->prompts[i].key, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
            put_text(w, s->prompts[i].text);
        }
        close_map(w);
        break;
    }
}

/* In a list's element, what was not said is left out; the secretary itself shows every key. */
static bool is_unset(const void *object, const struct field *f)
{
    const void *at = field_of(object, f);
    switch (f->kind) {
    case FIELD_TEXT: return !field_text(object, f)[0];
    case FIELD_BOOL: return !*(const bool *)at;
    case FIELD_DIGIT: return !*(const char *)at;
    case FIELD_LIST: return ((const struct text_list *)at)->count == 0;
    default: return false;
    }
}

static void put_row(struct yaml_out *w, const void *object, const struct field_table *table)
{
    open_map(w);
    for (size_t i = 0; i < table->count; i++) {
        const struct field *f = &table->row[i];
        if (table != &secretary_fields && is_unset(object, f))
            continue;
        put_plain(w, f->key);
        put_value(w, object, f);
    }
    close_map(w);
}

static int on_bytes(void *arg, unsigned char *p, size_t len)
{
    return buf_add(arg, p, len) == VA_OK;
}

static void put_document(struct yaml_out *w, const struct secretary *s)
{
    yaml_event_t e;
    int made = yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING);
    emit(w, made, &e);
    made = yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 0);
    emit(w, made, &e);
    put_row(w, s, &secretary_fields);
    made = yaml_document_end_event_initialize(&e, 1);
    emit(w, made, &e);
    made = yaml_stream_end_event_initialize(&e);
    emit(w, made, &e);
}

enum va_err secretary_to_yaml(const struct secretary *s, struct buf *out)
{
    struct yaml_out w = {.failed = false};
    if (!yaml_emitter_initialize(&w.emitter))
        return VA_ENOMEM;
    yaml_emitter_set_output(&w.emitter, on_bytes, out);
    yaml_emitter_set_unicode(&w.emitter, 1);
    yaml_emitter_set_width(&w.emitter, -1);
    put_document(&w, s);
    yaml_error_type_t why = w.emitter.error;
    yaml_emitter_delete(&w.emitter);
    if (!w.failed)
        return VA_OK;
    if (buf_failed(out))
        return out->err;
    return why == YAML_MEMORY_ERROR ? VA_ENOMEM : VA_EINVAL;
}
