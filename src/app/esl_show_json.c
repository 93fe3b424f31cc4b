#include "app/esl_show.h"
#include "base/utf8.h"

enum { NAME_MAX_ = 512, UNIQUE_MAX = 4096 };

static unsigned char at(struct str s, size_t i)
{
    return (unsigned char)s.p[i];
}

static void json_char(struct buf *out, unsigned char c)
{
    if (c == '"' || c == '\\')
        (void)buf_addf(out, "\\%c", c);
    else if (c == '\n')
        (void)buf_addz(out, "\\n");
    else if (c < 0x20 || c == 0x7f)
        (void)buf_addf(out, "\\u%04x", c);
    else
        (void)buf_addc(out, (char)c);
}

static void json_text(struct buf *out, struct str s)
{
    (void)buf_addc(out, '"');
    while (s.len) {
        size_t n = utf8_char(s);
        if (n == 0)
            (void)buf_addz(out, "\xef\xbf\xbd");
        else if (n == 1)
            json_char(out, at(s, 0));
        else
            (void)buf_add(out, s.p, n);
        n = n ? n : 1;
        s = str_make(s.p + n, s.len - n);
    }
    (void)buf_addc(out, '"');
}

/* ---- headers -------------------------------------------------------------------------------- */

struct header {
    struct str name, value;
};

static struct header header(const struct esl_event *ev, size_t i)
{
    struct header h;
    esl_event_header(ev, i, &h.name, &h.value);
    return h;
}

/* Headers of one name: a list of their values, or the one value that all of them have. */
static void json_repeated(struct buf *out, const struct esl_event *ev, size_t i, size_t count)
{
    struct header first = header(ev, i);
    bool same = true;
    for (size_t k = i; same && k < count; k = esl_event_find(ev, first.name, k + 1))
        same = str_eq(header(ev, k).value, first.value);
    if (same) {
        json_text(out, first.value);
        return;
    }
    (void)buf_addc(out, '[');
    for (size_t k = i; k < count; k = esl_event_find(ev, first.name, k + 1)) {
        if (k > i)
            (void)buf_addc(out, ',');
        json_text(out, header(ev, k).value);
    }
    (void)buf_addc(out, ']');
}

static void json_array(struct buf *out, const struct esl_event *ev, const char *name, size_t n)
{
    (void)buf_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            (void)buf_addc(out, ',');
        json_text(out, esl_event_nth(ev, name, i));
    }
    (void)buf_addc(out, ']');
}

static void json_value(struct buf *out, const struct esl_event *ev, size_t i, size_t count)
{
    char name[NAME_MAX_];
    struct header h = header(ev, i);
    if (count <= UNIQUE_MAX && esl_event_find(ev, h.name, i + 1) < count) {
        json_repeated(out, ev, i, count);
        return;
    }
    size_t n = str_copy(name, sizeof(name), h.name) ? esl_event_count(ev, name) : 1;
    if (n > 1)
        json_array(out, ev, name, n);
    else
        json_text(out, count <= UNIQUE_MAX ? esl_event_gets(ev, h.name) : h.value);
}

void esl_show_json(struct buf *out, const struct esl_event *ev)
{
    size_t count = esl_event_headers(ev), written = 0;
    struct str body = esl_event_body(ev);
    (void)buf_addc(out, '{');
    for (size_t i = 0; i < count; i++) {
        struct header h = header(ev, i);
        /* Looking for twins is quadratic: not for an event of thousands of headers. */
        if (count <= UNIQUE_MAX && esl_event_find(ev, h.name, 0) < i)
            continue;
        if (body.p && str_eqz(h.name, "_body"))
            continue;
        if (written++)
            (void)buf_addc(out, ',');
        json_text(out, h.name);
        (void)buf_addc(out, ':');
        json_value(out, ev, i, count);
    }
    if (body.p) {
        (void)buf_addz(out, written ? ",\"_body\":" : "\"_body\":");
        json_text(out, body);
    }
    (void)buf_addz(out, "}\n");
}
