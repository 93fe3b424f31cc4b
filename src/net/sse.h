/**
 * net/sse.h: events out of a text/event-stream (WHATWG HTML §9.2.6), as bytes come. No I/O.
 *
 * Lines end with LF, CR or CRLF, wherever the stream is cut; several data lines are joined by LF; a
 * BOM, comments, `id` and `retry` are skipped. Tolerated besides: an event whose blank line never
 * came, at the end of the stream (sse_end).
 */
#ifndef VA_NET_SSE_H
#define VA_NET_SSE_H

#include "base/buf.h"

enum { SSE_EVENT_MAX = 1024 * 1024 /**< bytes of one event's data, and of one line */ };

/** An event. Borrowed for the call. `name` is "" when there was none ("message"). */
struct sse_event {
    struct str name, data;
};

struct sse {
    /** @return false: no more of it, sse_feed() leaves at once */
    bool (*on_event)(void *arg, const struct sse_event *event);
    void *arg;
    struct buf line, data;
    char name[64];
    bool has_data; /* a data line came, may be an empty one */
    bool after_cr; /* an LF that follows belongs to it */
    bool begun;    /* the first line, which may carry a BOM, is behind us */
};

void sse_init(struct sse *s, bool (*on_event)(void *arg, const struct sse_event *event), void *arg);
/**
 * Feed bytes.
 *
 * @return VA_OK, VA_ECANCELED (the handler wants no more: feed nothing any more), VA_ELIMIT (over
 *         SSE_EVENT_MAX), VA_ENOMEM
 */
VA_CHECK enum va_err sse_feed(struct sse *s, struct str bytes);
/** The stream is over: an event without its blank line is told. @return as sse_feed() */
VA_CHECK enum va_err sse_end(struct sse *s);
void sse_free(struct sse *s);

#endif
