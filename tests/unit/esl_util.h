/** tests/unit/esl_util.h: feed a stream to the parser in any cut and write down what comes out. */
#ifndef VA_ESL_UTIL_H
#define VA_ESL_UTIL_H

#include "base/buf.h"
#include "esl/event.h"
#include "esl/parser.h"

#include "unit/unit.h"

#include <stdlib.h>

/** What a stream gave, as text: one line per message, one per header of an event. */
struct trace {
    struct buf text;
    size_t messages;
    enum va_err err;
};

static inline void trace_event(struct trace *t, const struct esl_message *m, bool channel)
{
    struct esl_event *ev = esl_event_new();
    assert_int_equal(esl_event_parse(ev, m->format, channel ? m->head : m->body), VA_OK);
    for (size_t i = 0; i < esl_event_headers(ev); i++) {
        struct str name, value;
        esl_event_header(ev, i, &name, &value);
        buf_addf(&t->text, "  [%.*s]=[%.*s]\n", STR_ARG(name), STR_ARG(value));
    }
    struct str body = esl_event_body(ev);
    buf_addf(&t->text, "  body %zu flawed %d\n", body.len, esl_event_flawed(ev));
    buf_adds(&t->text, body);
    esl_event_free(&ev);
}

static inline bool trace_message(void *arg, const struct esl_message *m)
{
    struct trace *t = arg;
    bool channel = esl_message_is_channel_data(m);
    t->messages++;
    buf_addf(&t->text, "%d:%d:%d head %zu body %zu\n", m->type, m->format, m->spliced, m->head.len,
             m->body.len);
    buf_adds(&t->text, m->head);
    buf_adds(&t->text, m->body);
    if (channel || m->type == ESL_MSG_EVENT)
        trace_event(t, m, channel);
    return true;
}

/** First `cut` bytes (0: none), then steps of `step` bytes (0: the whole rest), then EOF. */
static inline struct trace trace_stream(struct str s, size_t cut, size_t step,
                                        const struct esl_parser_cfg *cfg)
{
    struct trace t = {0};
    struct esl_parser *p = NULL;
    buf_init(&t.text, (size_t)256 << 20);
    assert_int_equal(esl_parser_new(cfg, trace_message, &t, &p), VA_OK);
    for (size_t at = 0, n; !t.err && at < s.len; at += n, cut = 0) {
        n = cut ? cut : step && step < s.len - at ? step : s.len - at;
        char *exact = n > 1 ? malloc(n) : NULL; /* shows the sanitizer a read behind the bytes */
        if (exact)
            memcpy(exact, s.p + at, n);
        t.err = esl_parser_feed(p, exact ? exact : s.p + at, n);
        free(exact);
    }
    esl_parser_end(p);
    esl_parser_free(&p);
    return t;
}

static inline void trace_same(const struct trace *a, struct trace b)
{
    assert_int_equal(a->messages, b.messages);
    assert_int_equal(a->err, b.err);
    assert_int_equal(a->text.len, b.text.len);
    assert_memory_equal(buf_z(&a->text), buf_z(&b.text), a->text.len);
    buf_free(&b.text);
}

/** Whole, one byte at a time, and (`splits`) cut in two at every place. Free the text. */
static inline struct trace trace_all_cuts(struct str s, bool splits)
{
    struct trace whole = trace_stream(s, 0, 0, NULL);
    trace_same(&whole, trace_stream(s, 0, 1, NULL));
    for (size_t cut = 1; splits && cut < s.len; cut++)
        trace_same(&whole, trace_stream(s, cut, 0, NULL));
    return whole;
}

/** As an event of a format; the result borrows `z`. */
static inline struct esl_event *event_of(enum esl_format format, const char *z, size_t len)
{
    struct esl_event *ev = esl_event_new();
    assert_non_null(ev);
    assert_int_equal(esl_event_parse(ev, format, str_make(z, len)), VA_OK);
    return ev;
}

static inline void is_text(struct str s, const char *want)
{
    if (!str_eqz(s, want))
        fail_msg("got [%.*s], want [%s]", STR_ARG(s), want);
    assert_non_null(s.p);
}

#endif
