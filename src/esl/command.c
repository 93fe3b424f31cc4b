#include "esl/command.h"
#include "esl/escape.h"

static void add_field(struct buf *b, struct str s)
{
    if (!b->err && !esl_line_ok(s))
        b->err = VA_EINVAL;
    (void)buf_adds(b, s);
}

/* FreeSWITCH obeys "reload mod_event_socket" wherever it stands in a command's line and throws out
 * every client. Only who says just that may mean it. */
static bool reloads_by_accident(struct str rest)
{
    return esl_line_reloads(rest) && !str_starts(rest, "reload ") && !str_starts(rest, "unload ");
}

void esl_command_line(struct buf *b, const char *verb, struct str rest)
{
    if (!b->err && reloads_by_accident(rest))
        b->err = VA_ENOTSUP;
    (void)buf_addz(b, verb);
    if (rest.len)
        (void)buf_addc(b, ' ');
    add_field(b, rest);
    (void)buf_addc(b, '\n');
}

void esl_command_header(struct buf *b, const char *name, struct str value)
{
    if (!value.len)
        return;
    (void)buf_addf(b, "%s: ", name);
    add_field(b, value);
    (void)buf_addc(b, '\n');
}

void esl_command_headerz(struct buf *b, const char *name, const char *value)
{
    esl_command_header(b, name, str_of(value));
}

void esl_command_end(struct buf *b)
{
    (void)buf_addc(b, '\n');
}

void esl_command_body(struct buf *b, struct str body)
{
    if (!b->err && body.len && memchr(body.p, 0, body.len))
        b->err = VA_EINVAL; /* FreeSWITCH would cut it there */
    (void)buf_addf(b, "content-type: text/plain\ncontent-length: %zu\n\n", body.len);
    (void)buf_adds(b, body);
}

void esl_command_app_arg(struct buf *b, struct str arg, size_t line_max)
{
    /* Blanks at the ends of a header value are lost on the way. */
    bool edges = arg.len && (arg.p[0] == ' ' || arg.p[arg.len - 1] == ' ');
    if (arg.len > line_max || edges || !esl_line_ok(arg)) {
        esl_command_body(b, arg);
        return;
    }
    esl_command_header(b, "execute-app-arg", arg);
    esl_command_end(b);
}

bool esl_execute_ok(const struct esl_execute *x)
{
    return x && x->app && esl_word_ok(str_of(x->app)) && x->loops >= -1;
}

void esl_command_execute(struct buf *b, const char *channel, const char *event_uuid,
                         const struct esl_execute *x)
{
    esl_command_line(b, "sendmsg", str_of(channel));
    (void)buf_addz(b, "call-command: execute\n");
    esl_command_headerz(b, "execute-app-name", x->app);
    esl_command_headerz(b, "Event-UUID", event_uuid);
    if (!x->no_lock)
        (void)buf_addz(b, "event-lock: true\n");
    if (x->priority)
        (void)buf_addz(b, "event-lock-pri: true\n");
    if (x->async)
        (void)buf_addz(b, "async: true\n");
    if (x->hold_bleg)
        (void)buf_addz(b, "hold-bleg: true\n");
    if (x->lead_frames)
        (void)buf_addf(b, "lead-frames: %u\n", x->lead_frames);
    if (x->loops != 0 && x->loops != 1)
        (void)buf_addf(b, "loops: %d\n", x->loops);
    esl_command_app_arg(b, x->arg, ESL_ARG_LINE_MAX);
}

void esl_command_send_event(struct buf *b, const char *name, const char *subclass,
                            const struct esl_field *fields, size_t count, struct str body)
{
    esl_command_line(b, "sendevent", str_of(name));
    esl_command_headerz(b, "Event-Subclass", subclass);
    for (size_t i = 0; i < count; i++) {
        if (!b->err && !esl_word_ok(str_of(fields[i].name)))
            b->err = VA_EINVAL;
        esl_command_header(b, fields[i].name, fields[i].value);
    }
    if (body.len)
        esl_command_body(b, body);
    else
        esl_command_end(b);
}

const char *esl_format_word(enum esl_format format)
{
    return format == ESL_JSON ? "json" : format == ESL_XML ? "xml" : "plain";
}

enum va_err esl_command_free_line(struct buf *b, struct str text)
{
    struct str rest = text, verb = str_cut(&rest, ' ');
    char word[32];
    if (verb.len >= 6 && str_ieqz(str_make(verb.p, 6), "getvar"))
        return VA_ENOTSUP;
    if (!verb.len || !esl_word_ok(verb) || !str_copy(word, sizeof(word), verb))
        return VA_EINVAL;
    esl_command_line(b, word, rest);
    esl_command_end(b);
    return VA_OK;
}
