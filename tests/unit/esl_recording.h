/** tests/unit/esl_recording.h: a recorded Event Socket conversation (shared/recordings/README.md).
 */
#ifndef VA_ESL_RECORDING_H
#define VA_ESL_RECORDING_H

#include "unit/esl_util.h"

#include <json-c/json.h>
#include <stdio.h>

enum { RECORDING_READS_MAX = 4096 };

/** What FreeSWITCH sent, and where each of its reads ends. */
struct recording {
    struct buf fs;
    size_t end[RECORDING_READS_MAX];
    size_t reads;
};

static inline const char *recordings_dir(void)
{
    static char dir[500];
    const char *shared = getenv("VA_SHARED_DIR");
    (void)snprintf(dir, sizeof(dir), "%s/recordings/freeswitch",
                   shared ? shared : VA_SOURCE_DIR "/../shared");
    return dir;
}

static inline int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static inline void add_base64(struct buf *b, const char *z)
{
    unsigned bits = 0, n = 0;
    for (; *z; z++) {
        int d = base64_digit(*z);
        if (d < 0)
            continue;
        bits = bits << 6 | (unsigned)d;
        n += 6;
        if (n >= 8) {
            n -= 8;
            buf_addc(b, (char)(bits >> n));
        }
    }
}

static inline void recording_line(struct recording *r, const char *line)
{
    struct json_object *o = json_tokener_parse(line), *from, *v;
    assert_non_null(o);
    if (json_object_object_get_ex(o, "from", &from) &&
        strcmp(json_object_get_string(from), "fs") == 0) {
        if (json_object_object_get_ex(o, "text", &v))
            buf_add(&r->fs, json_object_get_string(v), (size_t)json_object_get_string_len(v));
        else if (json_object_object_get_ex(o, "b64", &v))
            add_base64(&r->fs, json_object_get_string(v));
        assert_true(r->reads < RECORDING_READS_MAX);
        r->end[r->reads++] = r->fs.len;
    }
    json_object_put(o);
}

static inline void recording_load(const char *path, struct recording *r)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    assert_non_null(f);
    r->reads = 0;
    buf_init(&r->fs, (size_t)64 << 20);
    while (getline(&line, &cap, f) > 0)
        recording_line(r, line);
    free(line);
    (void)fclose(f);
}

static inline void recording_free(struct recording *r)
{
    buf_free(&r->fs);
}

/** The stream in the pieces in which it was recorded. */
static inline struct trace recording_pieces(const struct recording *r)
{
    struct trace t = {0};
    struct esl_parser *p = NULL;
    buf_init(&t.text, (size_t)256 << 20);
    assert_int_equal(esl_parser_new(NULL, trace_message, &t, &p), VA_OK);
    for (size_t i = 0; i < r->reads && !t.err; i++) {
        size_t at = i ? r->end[i - 1] : 0;
        t.err = esl_parser_feed(p, r->fs.p + at, r->end[i] - at);
    }
    esl_parser_end(p);
    esl_parser_free(&p);
    return t;
}

#endif
