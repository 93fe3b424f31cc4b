/* Any bytes, cut at any place, give the same messages and events. Input: cut (2 bytes), stream. */
#include "esl/event.h"
#include "esl/parser.h"

static void mix(uint64_t *hash, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        *hash = (*hash ^ (unsigned char)s.p[i]) * 1099511628211u;
}

static bool on_message(void *hash, const struct esl_message *m)
{
    struct esl_event *ev = esl_event_new();
    struct str name, value, raw = esl_message_is_channel_data(m) ? m->head : m->body;
    mix(hash, m->head), mix(hash, m->body), mix(hash, esl_message_reply_text(m));
    if (ev && esl_event_parse(ev, m->format, raw) == VA_OK) {
        for (size_t i = 0; i < esl_event_headers(ev); i++) {
            esl_event_header(ev, i, &name, &value);
            mix(hash, name), mix(hash, value), mix(hash, i < 64 ? esl_event_gets(ev, name) : name);
        }
        mix(hash, esl_event_nth(ev, "x", 1)), mix(hash, esl_event_body(ev));
    }
    esl_event_free(&ev);
    return true;
}

static uint64_t run(struct str s, size_t cut, size_t step)
{
    struct esl_parser *parser = NULL;
    uint64_t hash = 14695981039346656037u;
    enum va_err err =
        esl_parser_new(&(struct esl_parser_cfg){4096, 65536}, on_message, &hash, &parser);
    for (size_t at = 0, n; !err && at < s.len; at += n, cut = 0) {
        n = cut ? cut : step && step < s.len - at ? step : s.len - at;
        err = esl_parser_feed(parser, s.p + at, n);
    }
    esl_parser_end(parser);
    esl_parser_free(&parser);
    return hash ^ err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str s = str_make((const char *)data + 2, size < 3 ? 0 : size - 2);
    size_t cut = s.len ? (size_t)(data[0] | data[1] << 8) % s.len : 0;
    uint64_t whole = run(s, 0, 0);
    if (whole != run(s, cut, 0) || whole != run(s, 0, 1))
        __builtin_trap();
    return 0;
}
