#include "net/sse.h"

void sse_init(struct sse *s, bool (*on_event)(void *arg, const struct sse_event *event), void *arg)
{
    *s = (struct sse){.on_event = on_event, .arg = arg};
    buf_init(&s->line, SSE_EVENT_MAX);
    buf_init(&s->data, SSE_EVENT_MAX);
}

void sse_free(struct sse *s)
{
    buf_free(&s->line);
    buf_free(&s->data);
}

static enum va_err dispatch(struct sse *s)
{
    bool more = true;
    struct sse_event event = {str_of(s->name), buf_str(&s->data)};
    if (s->has_data)
        more = s->on_event(s->arg, &event);
    if (!more)
        return VA_ECANCELED; /* `s` may be gone */
    buf_reset(&s->data);
    s->has_data = false;
    *s->name = '\0';
    return VA_OK;
}

static enum va_err take_line(struct sse *s, struct str line)
{
    if (!s->begun && str_starts(line, "\xef\xbb\xbf"))
        line = str_make(line.p + 3, line.len - 3);
    s->begun = true;
    if (line.len == 0)
        return dispatch(s);
    struct str value = line, field = str_cut(&value, ':');
    if (value.len && *value.p == ' ')
        value = str_make(value.p + 1, value.len - 1);
    if (str_eqz(field, "event")) {
        (void)str_copy(s->name, sizeof(s->name), value);
    } else if (str_eqz(field, "data")) {
        if (s->has_data)
            (void)buf_addc(&s->data, '\n');
        s->has_data = true;
        return buf_adds(&s->data, value);
    }
    return VA_OK;
}

/* A line that lies in one piece is not copied. */
static enum va_err end_line(struct sse *s, struct str tail)
{
    if (s->line.len == 0)
        return take_line(s, tail);
    enum va_err err = buf_adds(&s->line, tail);
    if (!err)
        err = take_line(s, buf_str(&s->line));
    if (!err)
        buf_reset(&s->line);
    return err;
}

static size_t line_length(struct str bytes)
{
    size_t n = 0;
    while (n < bytes.len && bytes.p[n] != '\n' && bytes.p[n] != '\r')
        n++;
    return n;
}

enum va_err sse_feed(struct sse *s, struct str bytes)
{
    while (bytes.len) {
        if (s->after_cr) {
            s->after_cr = false;
            if (*bytes.p == '\n') {
                bytes = str_make(bytes.p + 1, bytes.len - 1);
                continue;
            }
        }
        size_t n = line_length(bytes);
        struct str piece = str_make(bytes.p, n);
        if (n == bytes.len)
            return buf_adds(&s->line, piece);
        s->after_cr = bytes.p[n] == '\r';
        bytes = str_make(bytes.p + n + 1, bytes.len - n - 1);
        enum va_err err = end_line(s, piece);
        if (err)
            return err;
    }
    return VA_OK;
}

enum va_err sse_end(struct sse *s)
{
    enum va_err err = s->line.len ? end_line(s, str_make(NULL, 0)) : VA_OK;
    return err ? err : dispatch(s);
}
