/**
 * esl/event.h: one FreeSWITCH event as an index of (name, value) over its bytes.
 *
 * Values are decoded when asked for (percent, JSON or XML escapes), each into its own place of a
 * mirror buffer, so slices stay valid together as long as the event. Names compare ASCII
 * case-insensitively as FreeSWITCH does; of duplicates the last wins and all can be enumerated.
 * An array (`ARRAY::a|:b`, a JSON array, repeated XML elements) gives its first element to
 * esl_event_get(). Not-UTF-8 bytes and NUL pass through.
 *
 * Not thread-safe: even reading writes to the mirror. Source: esl.md §1.2.
 */
#ifndef VA_ESL_EVENT_H
#define VA_ESL_EVENT_H

#include "esl/types.h"

enum {
    ESL_EVENT_HEADERS_MAX = 65536, /**< further headers are left out and the event is flawed */
    ESL_EVENT_JSON_DEPTH = 16      /**< nesting that a value to be skipped may have */
};

/** Empty reusable event. Owned by the caller. NULL when out of memory. */
struct esl_event *esl_event_new(void);
/** NULL-safe, leaves NULL behind. */
void esl_event_free(struct esl_event **ev);

/**
 * Point a reusable event at the body of a message.
 *
 * What is wrong in it never fails the whole: headers that can be read are kept and
 * esl_event_flawed() tells.
 *
 * @param raw  Borrowed until the next parse, reset or free. < 4 GiB
 *
 * @return VA_OK, VA_ENOMEM, VA_ELIMIT (raw too long); the event is empty on failure
 */
VA_CHECK enum va_err esl_event_parse(struct esl_event *ev, enum esl_format format, struct str raw);

/** Forget the bytes and give the memory of index and mirror back. */
void esl_event_reset(struct esl_event *ev);

/** Own copy of a borrowed event, to keep it past its callback. NULL when out of memory. */
struct esl_event *esl_event_dup(const struct esl_event *ev);

/** Decoded value; p is NULL when there is no such header, len 0 when empty or `_undef_`. */
struct str esl_event_get(const struct esl_event *ev, const char *name);
/** As esl_event_get() for a name that is not terminated. */
struct str esl_event_gets(const struct esl_event *ev, struct str name);
/** Channel variable `name`, without `variable_` in front. */
struct str esl_event_var(const struct esl_event *ev, const char *name);
/** Value as it was on the wire (whole array text, JSON without its quotes). */
struct str esl_event_raw(const struct esl_event *ev, const char *name);
/** True when the value is FreeSWITCH's mark of an empty header, or there is no such header. */
bool esl_event_undef(const struct esl_event *ev, const char *name);

/** Elements of a header: 0 absent, 1 a plain value or array of one, … */
size_t esl_event_count(const struct esl_event *ev, const char *name);
/** Element i, decoded; p is NULL when there is none. */
struct str esl_event_nth(const struct esl_event *ev, const char *name, size_t i);

/** Event-Name ("CHANNEL_HANGUP"). */
struct str esl_event_name(const struct esl_event *ev);
bool esl_event_is(const struct esl_event *ev, const char *name);
/** Unique-ID. */
struct str esl_event_uuid(const struct esl_event *ev);
/** Inner body (`_body` of JSON), exact bytes; p is NULL when there is none. */
struct str esl_event_body(const struct esl_event *ev);

/** All headers in the order of the wire, duplicates too. */
size_t esl_event_headers(const struct esl_event *ev);
/** Header i < esl_event_headers(): name, and value decoded (all elements of an array as text). */
void esl_event_header(const struct esl_event *ev, size_t i, struct str *ret_name,
                      struct str *ret_value);

/** First header i ≥ `from` of that name; esl_event_headers() when there is none. To walk duplicates
 *  in the order of the wire. */
size_t esl_event_find(const struct esl_event *ev, struct str name, size_t from);

/** True when some of it could not be read as its format wants: cut off, bad length, bad escapes. */
bool esl_event_flawed(const struct esl_event *ev);

#endif
