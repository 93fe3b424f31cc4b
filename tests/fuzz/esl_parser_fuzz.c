/* Any bytes, cut at any place, give the same messages and events. Input: cut (2 bytes), stream. */
#include "esl/event.h"
#include "esl/parser.h"

#include <stdlib.h>

struct digest {
    uint64_t hash, messages;
};

static void mix(struct digest *d, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        d->hash = (d->hash ^ (unsigned char)s.p[i]) * 1099511628211u;
    d->hash = (d->hash ^ s.len) * 1099511628211u;
}

static bool on_message(void *arg, const struct esl_message *m)
{
    struct digest *d = arg;
    struct esl_event *ev = esl_event_new();
    bool channel = esl_message_is_channel_data(m), event = channel || m->type == ESL_MSG_EVENT;
    d->messages++;
    mix(d, m->head);
    mix(d, m->body);
    mix(d, esl_message_reply_text(m));
    if (event && ev && !esl_event_parse(ev, m->format, channel ? m->head : m->body)) {
        for (size_t i = 0; i < esl_event_headers(ev); i++) {
            struct str name, value;
            esl_event_header(ev, i, &name, &value);
            mix(d, name), mix(d, value);
            mix(d, i < 64 ? esl_event_gets(ev, name) : name);
        }
        mix(d, esl_event_nth(ev, "x", 1)), mix(d, esl_event_body(ev));
    }
    esl_event_free(&ev);
    return d->messages < 100000;
}

static struct digest run(const char *p, size_t len, size_t cut, size_t step)
{
    struct digest d = {14695981039346656037u, 0};
    struct esl_parser *parser = NULL;
    static const struct esl_parser_cfg cfg = {4096, 65536};
    enum va_err err = esl_parser_new(&cfg, on_message, &d, &parser);
    for (size_t at = 0, n; !err && at < len; at += n, cut = 0) {
        n = cut ? cut : step && step < len - at ? step : len - at;
        err = esl_parser_feed(parser, p + at, n);
    }
    esl_parser_end(parser);
    d.hash ^= err;
    esl_parser_free(&parser);
    return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    const char *p = (const char *)data + 2;
    size_t len = size - 2, cut = (size_t)(data[0] | data[1] << 8) % len;
    struct digest whole = run(p, len, 0, 0), two = run(p, len, cut, 0), bytes = run(p, len, 0, 1);
    if (whole.hash != two.hash || whole.hash != bytes.hash || whole.messages != bytes.messages)
        abort();
    return 0;
}
