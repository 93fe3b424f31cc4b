#include "fakefs/event.h"

#include <stdlib.h>

enum { EVENT_MAX = 1 << 20 /* [bytes] of one event, in any form */ };

struct fakefs_event *fakefs_event_new(void)
{
    struct fakefs_event *ev = calloc(1, sizeof(*ev));
    if (!ev)
        return NULL;
    buf_init(&ev->pairs, EVENT_MAX);
    buf_init(&ev->body, EVENT_MAX);
    return ev;
}

void fakefs_event_free(struct fakefs_event **pev)
{
    struct fakefs_event *ev = pev ? *pev : NULL;
    if (!ev)
        return;
    *pev = NULL;
    link_remove(&ev->link);
    buf_free(&ev->pairs);
    buf_free(&ev->body);
    free(ev);
}

void fakefs_event_add(struct fakefs_event *ev, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    buf_add(&ev->pairs, name, strlen(name) + 1);
    buf_add(&ev->pairs, value, strlen(value) + 1);
}

void fakefs_event_addf(struct fakefs_event *ev, const char *name, const char *fmt, ...)
{
    buf_add(&ev->pairs, name, strlen(name) + 1);
    va_list ap;
    va_start(ap, fmt);
    buf_addfv(&ev->pairs, fmt, ap);
    va_end(ap);
    buf_addc(&ev->pairs, '\0');
}

void fakefs_event_add_variable(struct fakefs_event *ev, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    buf_addf(&ev->pairs, "variable_%s", name);
    buf_addc(&ev->pairs, '\0');
    buf_add(&ev->pairs, value, strlen(value) + 1);
}

bool fakefs_event_each(const struct fakefs_event *ev, size_t *at, const char **ret_name,
                       const char **ret_value)
{
    if (*at >= ev->pairs.len)
        return false;
    *ret_name = ev->pairs.p + *at;
    *ret_value = *ret_name + strlen(*ret_name) + 1;
    *at = (size_t)(*ret_value - ev->pairs.p) + strlen(*ret_value) + 1;
    return true;
}

const char *fakefs_event_get(const struct fakefs_event *ev, const char *name)
{
    const char *n, *v, *found = NULL;
    for (size_t at = 0; fakefs_event_each(ev, &at, &n, &v);)
        if (str_ieqz(str_of(n), name))
            found = v;
    return found;
}

static bool upper_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

void fakefs_encode(struct buf *out, const char *value)
{
    static const char special[] = "\r\n \"#%&+:;<=>?@[\\]^`{|}";
    if (!*value)
        buf_addz(out, "_undef_");
    for (const char *p = value; *p; p++) {
        unsigned char u = (unsigned char)*p;
        bool looks_encoded = u == '%' && upper_hex(p[1]) && upper_hex(p[2]);
        if (!looks_encoded && (u < 0x20 || u > 0x7E || strchr(special, *p)))
            buf_addf(out, "%%%02X", u);
        else
            buf_addc(out, *p);
    }
}

void fakefs_event_write_block(const struct fakefs_event *ev, struct buf *out)
{
    const char *name, *value;
    for (size_t at = 0; fakefs_event_each(ev, &at, &name, &value);) {
        buf_addz(out, name);
        buf_addz(out, ": ");
        fakefs_encode(out, value);
        buf_addc(out, '\n');
    }
}

static void json_text(struct buf *out, struct str s)
{
    static const char plain[] = "\b\f\n\r\t\"\\", letter[] = "bfnrt\"\\";
    buf_addc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        const char *at = s.p[i] ? strchr(plain, s.p[i]) : NULL;
        if (at)
            buf_addf(out, "\\%c", letter[at - plain]);
        else if ((unsigned char)s.p[i] < 0x20)
            buf_addf(out, "\\u%04x", (unsigned)s.p[i]);
        else
            buf_addc(out, s.p[i]);
    }
    buf_addc(out, '"');
}

static void json_array(struct buf *out, const char *items)
{
    buf_addc(out, '[');
    for (const char *p = items; p;) {
        const char *next = strstr(p, "|:");
        json_text(out, str_make(p, next ? (size_t)(next - p) : strlen(p)));
        p = next ? next + 2 : NULL;
        if (p)
            buf_addc(out, ',');
    }
    buf_addc(out, ']');
}

static void write_json(const struct fakefs_event *ev, struct buf *out)
{
    const char *name, *value;
    bool first = true;
    buf_addc(out, '{');
    for (size_t at = 0; fakefs_event_each(ev, &at, &name, &value); first = false) {
        if (!first)
            buf_addc(out, ',');
        json_text(out, str_of(name));
        buf_addc(out, ':');
        if (str_starts(str_of(value), "ARRAY::"))
            json_array(out, value + 7);
        else
            json_text(out, str_of(value));
    }
    if (ev->body.len) {
        buf_addf(out, "%s\"Content-Length\":\"%zu\",\"_body\":", first ? "" : ",", ev->body.len);
        json_text(out, buf_str(&ev->body));
    }
    buf_addc(out, '}');
}

static void write_plain(const struct fakefs_event *ev, struct buf *out)
{
    fakefs_event_write_block(ev, out);
    if (ev->body.len)
        buf_addf(out, "Content-Length: %zu\n", ev->body.len);
    buf_addc(out, '\n');
    buf_adds(out, buf_str(&ev->body));
}

void fakefs_event_write(const struct fakefs_event *ev, enum fakefs_format format, struct buf *out)
{
    struct buf text;
    buf_init(&text, EVENT_MAX);
    if (format == FAKEFS_JSON)
        write_json(ev, &text);
    else
        write_plain(ev, &text);
    if (!buf_failed(&text) && !buf_failed(&ev->pairs)) {
        buf_addf(out, "Content-Length: %zu\nContent-Type: text/event-%s\n\n", text.len,
                 format == FAKEFS_JSON ? "json" : "plain");
        buf_adds(out, buf_str(&text));
    }
    buf_free(&text);
}
