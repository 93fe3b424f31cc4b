/**
 * store/yaml_in.h: YAML as a stream of steps with line numbers in every fault, and with what only
 * invites trouble refused: aliases, anchors, tags, NUL. (Private to store/.)
 *
 * The depth is bounded by the reader's own grammar: it stops at the first thing it does not expect.
 */
#ifndef VA_STORE_YAML_IN_H
#define VA_STORE_YAML_IN_H

#include "base/err.h"
#include "base/str.h"

#include <yaml.h>

struct yaml_in {
    yaml_parser_t parser;
    yaml_event_t event; /**< the current step */
    const char *name;   /**< of the file, for faults */
    struct va_fault *fault;
};

VA_CHECK enum va_err yaml_in_open(struct yaml_in *in, const char *name, struct str text,
                                  struct va_fault *fault);
void yaml_in_close(struct yaml_in *in);

/** To the next step. The current one's text is gone. @return VA_OK, VA_ECONFIG, VA_ENOMEM */
VA_CHECK enum va_err yaml_in_next(struct yaml_in *in);

static inline yaml_event_type_t yaml_in_type(const struct yaml_in *in)
{
    return in->event.type;
}

/** Line of the current step, from 1. */
static inline size_t yaml_in_line(const struct yaml_in *in)
{
    return in->event.start_mark.line + 1;
}

/** Text of the current step, a scalar. Terminated, without NUL inside. */
static inline const char *yaml_in_text(const struct yaml_in *in)
{
    return (const char *)in->event.data.scalar.value;
}

/** `key:` with nothing behind it, `~` or `null`: most often a forgotten quote. */
bool yaml_in_is_null(const struct yaml_in *in);

/** Fault "name:line: …" with VA_ECONFIG. */
VA_PRINTF(3, 4)
enum va_err yaml_in_fault(const struct yaml_in *in, size_t line, const char *fmt, ...);

#endif
