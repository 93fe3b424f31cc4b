/**
 * model/history.h: what was said in a call so far, as it was heard. The call writes it, providers
 * read it: to seed a session that begins in the middle (a fallback, a reconnect).
 *
 * Bounded: the oldest lines make room. One thread.
 */
#ifndef VA_MODEL_HISTORY_H
#define VA_MODEL_HISTORY_H

#include "base/err.h"
#include "model/record.h"

enum { HISTORY_LINES_MAX = 128, HISTORY_BYTES_MAX = 32768 };

struct history;

/** One line. `text` is borrowed from the history until it changes. */
struct history_line {
    enum speaker speaker;
    const char *text;
};

/** @return VA_OK, VA_ENOMEM */
VA_CHECK enum va_err history_new(struct history **ret_history);
/** NULL-safe, leaves NULL behind. */
void history_free(struct history **h);

/**
 * Append what one side said (copied). Empty texts are not kept; a text over HISTORY_BYTES_MAX is
 * cut at a character.
 *
 * @return VA_OK, VA_ENOMEM (nothing changed)
 */
enum va_err history_add(struct history *h, enum speaker speaker, const char *text);

/** Lines kept, oldest first. NULL counts as empty. */
size_t history_count(const struct history *h);
/** Line `i` < history_count(). */
struct history_line history_at(const struct history *h, size_t i);

#endif
