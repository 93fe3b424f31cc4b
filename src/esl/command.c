#include "esl/command.h"
#include "esl/escape.h"

static void add_field(struct buf *b, struct str s)
{
    if (!b->err && !esl_line_ok(s))
        b->err = VA_EINVAL;
    (void)buf_adds(b, s);
}

void esl_command_line(struct buf *b, const char *verb, struct str rest)
{
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
