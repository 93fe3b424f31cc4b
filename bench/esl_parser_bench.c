/*
 * Events per second of one core, from memory: xz -dc events-plain.bin.xz | esl_parser_bench
 * L1 dispatches and reads three headers; L2 decodes every header into a checksum (esl.md §4.3).
 */
#include "esl/event.h"
#include "esl/parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct work {
    struct esl_event *ev;
    int level;
    uint64_t events, sum;
};

static uint64_t mix(uint64_t sum, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        sum += (unsigned char)s.p[i];
    return sum + s.len;
}

static bool on_message(void *arg, const struct esl_message *m)
{
    struct work *w = arg;
    if (m->type != ESL_MSG_EVENT || esl_event_parse(w->ev, m->format, m->body))
        return true;
    w->events++;
    if (w->level == 1) {
        w->sum = mix(w->sum, esl_event_name(w->ev));
        w->sum = mix(w->sum, esl_event_uuid(w->ev));
        w->sum = mix(w->sum, esl_event_var(w->ev, "sip_call_id"));
        return true;
    }
    for (size_t i = 0; i < esl_event_headers(w->ev); i++) {
        struct str name, value;
        esl_event_header(w->ev, i, &name, &value);
        w->sum = mix(mix(w->sum, name), value);
    }
    return true;
}

static void run(const char *bytes, size_t len, int level)
{
    enum { CHUNK = 65536, ROUNDS = 20 };
    struct work w = {esl_event_new(), level, 0, 0};
    clock_t start = clock();
    for (int i = 0; i < ROUNDS && w.ev; i++) {
        struct esl_parser *p = NULL;
        if (esl_parser_new(NULL, on_message, &w, &p))
            break;
        for (size_t at = 0; at < len; at += CHUNK) {
            if (esl_parser_feed(p, bytes + at, len - at < CHUNK ? len - at : CHUNK))
                break;
        }
        esl_parser_free(&p);
    }
    double s = (double)(clock() - start) / CLOCKS_PER_SEC;
    (void)printf("L%d: %llu events, %.0f events per CPU second, checksum %llu\n", level,
                 (unsigned long long)w.events, (double)w.events / s, (unsigned long long)w.sum);
    esl_event_free(&w.ev);
}

int main(void)
{
    size_t cap = 64u << 20, len = 0, n;
    char *bytes = malloc(cap);
    while (bytes && (n = fread(bytes + len, 1, cap - len, stdin)) > 0)
        len += n;
    run(bytes, len, 1);
    run(bytes, len, 2);
    free(bytes);
    return 0;
}
