/**
 * fakefs/event.h: one FreeSWITCH event: ordered headers (a name may repeat), an optional body, and
 * its two forms on the wire (esl.md §1.2). Serialised when sent, not when made, as FreeSWITCH does.
 */
#ifndef VA_FAKEFS_EVENT_H
#define VA_FAKEFS_EVENT_H

#include "base/buf.h"
#include "base/list.h"

enum fakefs_format { FAKEFS_PLAIN, FAKEFS_JSON };

struct fakefs_event {
    struct link link; /**< of the queue it waits in */
    struct buf pairs; /**< name NUL value NUL … */
    struct buf body;
};

/** Empty event, or NULL. Caller owns. */
struct fakefs_event *fakefs_event_new(void);
void fakefs_event_free(struct fakefs_event **ev);

/** Append a header. A NULL or empty value adds nothing (FreeSWITCH refuses empty headers). */
void fakefs_event_add(struct fakefs_event *ev, const char *name, const char *value);
VA_PRINTF(3, 4)
void fakefs_event_addf(struct fakefs_event *ev, const char *name, const char *fmt, ...);
/** "variable_" + name. */
void fakefs_event_add_variable(struct fakefs_event *ev, const char *name, const char *value);
/** Value of the last header of that name (case-insensitive), or NULL. Borrowed. */
const char *fakefs_event_get(const struct fakefs_event *ev, const char *name);
/** Walk: first call with *at = 0. @return false at the end */
bool fakefs_event_each(const struct fakefs_event *ev, size_t *at, const char **ret_name,
                       const char **ret_value);

/** "Name: percent-encoded\n" lines, without a blank line at the end. */
void fakefs_event_write_block(const struct fakefs_event *ev, struct buf *out);
/** The whole message: Content-Length, Content-Type, blank line, event. */
void fakefs_event_write(const struct fakefs_event *ev, enum fakefs_format format, struct buf *out);

/** FreeSWITCH's percent-encoding of a header value. */
void fakefs_encode(struct buf *out, const char *value);

#endif
