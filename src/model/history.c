#include "model/history.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

struct history {
    struct history_line line[HISTORY_LINES_MAX]; /* a ring */
    size_t first, count, bytes;
};

enum va_err history_new(struct history **ret_history)
{
    struct history *h = calloc(1, sizeof(*h));
    if (!h)
        return VA_ENOMEM;
    *ret_history = h;
    return VA_OK;
}

static void drop_oldest(struct history *h)
{
    struct history_line *line = &h->line[h->first];
    h->bytes -= strlen(line->text);
    free((char *)line->text);
    h->first = (h->first + 1) % HISTORY_LINES_MAX;
    h->count--;
}

void history_free(struct history **ph)
{
    struct history *h = ph ? *ph : NULL;
    if (!h)
        return;
    *ph = NULL;
    while (h->count)
        drop_oldest(h);
    free(h);
}

enum va_err history_add(struct history *h, enum speaker speaker, const char *text)
{
    size_t len = utf8_cut(str_of(text), HISTORY_BYTES_MAX);
    if (!len)
        return VA_OK;
    char *copy = strndup(text, len);
    if (!copy)
        return VA_ENOMEM;
    while (h->count == HISTORY_LINES_MAX || (h->count && h->bytes + len > HISTORY_BYTES_MAX))
        drop_oldest(h);
    h->line[(h->first + h->count) % HISTORY_LINES_MAX] = (struct history_line){speaker, copy};
    h->count++;
    h->bytes += len;
    return VA_OK;
}

size_t history_count(const struct history *h)
{
    return h ? h->count : 0;
}

struct history_line history_at(const struct history *h, size_t i)
{
    return h->line[(h->first + i) % HISTORY_LINES_MAX];
}
