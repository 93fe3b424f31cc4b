#include "model/secretary.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

static enum va_err set_all_empty(char **const fields[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *fields[i] = str_dup(str_of(""));
        if (!*fields[i])
            return VA_ENOMEM;
    }
    return VA_OK;
}

enum va_err secretary_new(struct secretary **ret_secretary)
{
    struct secretary *s = calloc(1, sizeof(*s));
    if (!s)
        return VA_ENOMEM;
    s->refs = 1;
    char **const fields[] = {&s->tenant,   &s->name,        &s->extension, &s->company,
                             &s->language, &s->voice,       &s->greeting,  &s->farewell,
                             &s->provider, &s->instructions};
    s->silence_ms = 8000;
    s->silence_prompts = 2;
    s->max_duration_s = 600;
    s->message_max_s = 60;
    s->end_silence_ms = 700;
    s->record = -1;
    s->barge_in = s->enabled = true;
    rand_uuid(s->id);
    const struct secretary *half = s;
    if (set_all_empty(fields, sizeof(fields) / sizeof(fields[0]))) {
        secretary_unref(&half);
        return VA_ENOMEM;
    }
    *ret_secretary = s;
    return VA_OK;
}

const struct secretary *secretary_ref(const struct secretary *s)
{
    (void)__atomic_add_fetch(&((struct secretary *)s)->refs, 1, __ATOMIC_RELAXED);
    return s;
}

static void free_list(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->item[i]);
    free(list->item);
}

static void free_destination(struct destination *d)
{
    free(d->name);
    free_list(&d->aliases);
    free(d->number);
    free(d->context);
}

static void free_topic(struct topic *t)
{
    free(t->name);
    free_list(&t->phrases);
    free(t->answer);
}

static void destroy(struct secretary *s)
{
    for (size_t i = 0; i < s->destination_count; i++)
        free_destination(&s->destinations[i]);
    for (size_t i = 0; i < s->topic_count; i++)
        free_topic(&s->topics[i]);
    for (size_t i = 0; i < s->prompt_count; i++) {
        free(s->prompts[i].key);
        free(s->prompts[i].text);
    }
    free(s->destinations);
    free(s->topics);
    free(s->prompts);
    free_list(&s->fallbacks);
    free(s->tenant);
    free(s->name);
    free(s->extension);
    free(s->company);
    free(s->language);
    free(s->voice);
    free(s->greeting);
    free(s->farewell);
    free(s->provider);
    free(s->instructions);
    free(s);
}

void secretary_unref(const struct secretary **ps)
{
    struct secretary *s = ps ? (struct secretary *)*ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    if (__atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) == 0)
        destroy(s);
}

enum va_err secretary_set(char **field, const char *text)
{
    char *copy = str_dup(str_of(text ? text : ""));
    if (!copy)
        return VA_ENOMEM;
    free(*field);
    *field = copy;
    return VA_OK;
}

enum va_err secretary_list_add(struct text_list *list, const char *text)
{
    char **item = realloc(list->item, (list->count + 1) * sizeof(*item));
    if (!item)
        return VA_ENOMEM;
    list->item = item;
    item[list->count] = str_dup(str_of(text));
    if (!item[list->count])
        return VA_ENOMEM;
    list->count++;
    return VA_OK;
}

/* Room for one more zeroed element of `size` bytes in an array of `*count`. */
static void *grow(void *array, size_t *count, size_t size, size_t max)
{
    if (*count >= max)
        return NULL;
    char *bigger = realloc(array, (*count + 1) * size);
    if (bigger)
        memset(bigger + *count * size, 0, size);
    return bigger;
}

enum va_err secretary_add_destination(struct secretary *s, struct destination **ret_d)
{
    if (s->destination_count >= SECRETARY_DESTINATIONS_MAX)
        return VA_ELIMIT;
    void *p = grow(s->destinations, &s->destination_count, sizeof(struct destination),
                   SECRETARY_DESTINATIONS_MAX);
    if (!p)
        return VA_ENOMEM;
    s->destinations = p;
    struct destination *d = &s->destinations[s->destination_count++];
    char **const fields[] = {&d->name, &d->number, &d->context};
    enum va_err err = set_all_empty(fields, 3);
    if (!err)
        *ret_d = d;
    return err;
}

enum va_err secretary_add_topic(struct secretary *s, struct topic **ret_t)
{
    if (s->topic_count >= SECRETARY_TOPICS_MAX)
        return VA_ELIMIT;
    void *p = grow(s->topics, &s->topic_count, sizeof(struct topic), SECRETARY_TOPICS_MAX);
    if (!p)
        return VA_ENOMEM;
    s->topics = p;
    struct topic *t = &s->topics[s->topic_count++];
    char **const fields[] = {&t->name, &t->answer};
    enum va_err err = set_all_empty(fields, 2);
    if (!err)
        *ret_t = t;
    return err;
}

enum va_err secretary_add_prompt(struct secretary *s, const char *key, const char *text)
{
    if (s->prompt_count >= SECRETARY_PROMPTS_MAX)
        return VA_ELIMIT;
    void *p = grow(s->prompts, &s->prompt_count, sizeof(struct prompt_text), SECRETARY_PROMPTS_MAX);
    if (!p)
        return VA_ENOMEM;
    s->prompts = p;
    struct prompt_text *t = &s->prompts[s->prompt_count++];
    enum va_err err = secretary_set(&t->key, key);
    return err ? err : secretary_set(&t->text, text);
}

/* ---- checks --------------------------------------------------------------------------------- */

static enum va_err check_text(const char *field, const char *text, size_t max, bool required,
                              struct va_fault *fault)
{
    size_t len = strlen(text);
    if (required && len == 0)
        return va_fault_set(fault, VA_ECONFIG, "%s: is missing", field);
    if (len > max)
        return va_fault_set(fault, VA_ECONFIG, "%s: %zu bytes, at most %zu are allowed", field, len,
                            max);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < ' ' && *p != '\n' && *p != '\t')
            return va_fault_set(fault, VA_ECONFIG, "%s: holds a control character (0x%02x)", field,
                                *p);
    return VA_OK;
}

/* Numbers and contexts go into a dialplan command, so only what a dialplan needs is let in. */
static enum va_err check_number(const char *field, const char *text, bool required,
                                struct va_fault *fault)
{
    enum va_err err = check_text(field, text, SECRETARY_NAME_MAX, required, fault);
    size_t ok =
        strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ*#+._-");
    if (!err && text[ok])
        return va_fault_set(fault, VA_ECONFIG,
                            "%s=\"%s\": letters, digits and * # + . _ - only, found \"%c\"", field,
                            text, text[ok]);
    return err;
}

static enum va_err check_range(const char *field, int32_t value, int32_t min, int32_t max,
                               struct va_fault *fault)
{
    if (value < min || value > max)
        return va_fault_set(fault, VA_ECONFIG, "%s=%d: must be from %d to %d", field, value, min,
                            max);
    return VA_OK;
}

static enum va_err check_digit(char digit, bool seen[128], const char *owner,
                               struct va_fault *fault)
{
    if (digit == 0)
        return VA_OK;
    if (!strchr("0123456789*#", digit))
        return va_fault_set(fault, VA_ECONFIG, "digit of \"%s\": must be one of 0-9 * #", owner);
    if (seen[(unsigned char)digit])
        return va_fault_set(fault, VA_ECONFIG, "digit %c of \"%s\": is already taken", digit,
                            owner);
    seen[(unsigned char)digit] = true;
    return VA_OK;
}

static enum va_err check_list(const char *field, const struct text_list *list, size_t max,
                              struct va_fault *fault)
{
    if (list->count > max)
        return va_fault_set(fault, VA_ECONFIG, "%s: %zu entries, at most %zu are allowed", field,
                            list->count, max);
    for (size_t i = 0; i < list->count; i++) {
        enum va_err err = check_text(field, list->item[i], SECRETARY_NAME_MAX, true, fault);
        if (err)
            return err;
    }
    return VA_OK;
}

static enum va_err check_destinations(const struct secretary *s, bool seen[128],
                                      struct va_fault *fault)
{
    unsigned defaults = 0;
    for (size_t i = 0; i < s->destination_count; i++) {
        const struct destination *d = &s->destinations[i];
        char field[64];
        (void)snprintf(field, sizeof(field), "destinations[%zu]", i + 1);
        enum va_err err = check_text(field, d->name, SECRETARY_NAME_MAX, true, fault);
        if (!err)
            err = check_list(field, &d->aliases, SECRETARY_PHRASES_MAX, fault);
        if (!err) {
            (void)snprintf(field, sizeof(field), "destinations[%zu].number", i + 1);
            err = check_number(field, d->number, true, fault);
        }
        if (!err) {
            (void)snprintf(field, sizeof(field), "destinations[%zu].context", i + 1);
            err = check_number(field, d->context, false, fault);
        }
        if (!err)
            err = check_digit(d->digit, seen, d->name, fault);
        if (err)
            return err;
        defaults += d->is_default;
    }
    if (defaults > 1)
        return va_fault_set(fault, VA_ECONFIG, "destinations: %u are marked default, one may be",
                            defaults);
    return VA_OK;
}

static enum va_err check_topics(const struct secretary *s, bool seen[128], struct va_fault *fault)
{
    for (size_t i = 0; i < s->topic_count; i++) {
        const struct topic *t = &s->topics[i];
        char field[64];
        (void)snprintf(field, sizeof(field), "topics[%zu]", i + 1);
        enum va_err err = check_text(field, t->name, SECRETARY_NAME_MAX, true, fault);
        if (!err)
            err = check_list(field, &t->phrases, SECRETARY_PHRASES_MAX, fault);
        if (!err)
            err = check_text(field, t->answer, SECRETARY_TEXT_MAX, true, fault);
        if (!err)
            err = check_digit(t->digit, seen, t->name, fault);
        if (err)
            return err;
    }
    return VA_OK;
}

static enum va_err check_language(const char *language, struct va_fault *fault)
{
    size_t n = strspn(language, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    if (n < 2 || n > 20 || language[n])
        return va_fault_set(fault, VA_ECONFIG,
                            "language=\"%s\": expected a tag such as pt-BR or en-US", language);
    return VA_OK;
}

static enum va_err check_texts(const struct secretary *s, struct va_fault *fault)
{
    const struct {
        const char *field, *text;
        size_t max;
        bool required;
    } rows[] = {
        {"tenant", s->tenant, SECRETARY_NAME_MAX, true},
        {"name", s->name, SECRETARY_NAME_MAX, true},
        {"company", s->company, SECRETARY_NAME_MAX, false},
        {"voice", s->voice, SECRETARY_NAME_MAX, false},
        {"provider", s->provider, SECRETARY_NAME_MAX, false},
        {"greeting", s->greeting, SECRETARY_TEXT_MAX, false},
        {"farewell", s->farewell, SECRETARY_TEXT_MAX, false},
        {"instructions", s->instructions, SECRETARY_TEXT_MAX * 4, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum va_err err =
            check_text(rows[i].field, rows[i].text, rows[i].max, rows[i].required, fault);
        if (err)
            return err;
    }
    for (size_t i = 0; i < s->prompt_count; i++) {
        enum va_err err =
            check_text(s->prompts[i].key, s->prompts[i].text, SECRETARY_TEXT_MAX, false, fault);
        if (err)
            return err;
    }
    return check_list("fallbacks", &s->fallbacks, SECRETARY_FALLBACKS_MAX, fault);
}

static enum va_err check_limits(const struct secretary *s, struct va_fault *fault)
{
    const struct {
        const char *field;
        int32_t value, min, max;
    } rows[] = {
        {"silence_ms", s->silence_ms, 1000, 120000},
        {"silence_prompts", s->silence_prompts, 0, 20},
        {"max_duration_s", s->max_duration_s, 10, 86400},
        {"message_max_s", s->message_max_s, 5, 600},
        {"end_silence_ms", s->end_silence_ms, 200, 5000},
        {"protect_ms", s->protect_ms, 0, 60000},
        {"record", s->record, -1, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum va_err err =
            check_range(rows[i].field, rows[i].value, rows[i].min, rows[i].max, fault);
        if (err)
            return err;
    }
    return VA_OK;
}

enum va_err secretary_check(const struct secretary *s, struct va_fault *fault)
{
    bool seen[128] = {false};
    enum va_err err = check_texts(s, fault);
    if (!err)
        err = check_language(s->language, fault);
    if (!err)
        err = check_number("extension", s->extension, false, fault);
    if (!err)
        err = check_limits(s, fault);
    if (!err)
        err = check_destinations(s, seen, fault);
    if (!err)
        err = check_topics(s, seen, fault);
    return err;
}

const char *secretary_prompt(const struct secretary *s, const char *key)
{
    for (size_t i = 0; i < s->prompt_count; i++)
        if (strcmp(s->prompts[i].key, key) == 0)
            return s->prompts[i].text;
    return NULL;
}

const struct destination *secretary_default_destination(const struct secretary *s)
{
    for (size_t i = 0; i < s->destination_count; i++)
        if (s->destinations[i].is_default)
            return &s->destinations[i];
    return NULL;
}

const struct destination *secretary_find_destination(const struct secretary *s, const char *name)
{
    struct str wanted = str_of(name);
    for (size_t i = 0; i < s->destination_count; i++) {
        const struct destination *d = &s->destinations[i];
        if (str_ieqz(wanted, d->name))
            return d;
        for (size_t j = 0; j < d->aliases.count; j++)
            if (str_ieqz(wanted, d->aliases.item[j]))
                return d;
    }
    return NULL;
}
