#include "fakefs/command.h"

void fakefs_parser_init(struct fakefs_parser *p)
{
    memset(p, 0, sizeof(*p));
    buf_init(&p->in, FAKEFS_INPUT_MAX);
}

void fakefs_parser_free(struct fakefs_parser *p)
{
    buf_free(&p->in);
}

static void drop_used(struct fakefs_parser *p)
{
    if (p->used)
        buf_consume(&p->in, p->used);
    p->used = 0;
    if (p->scanned) /* in the middle of a block */
        return;
    size_t n = 0;
    while (n < p->in.len && (p->in.p[n] == '\n' || p->in.p[n] == '\r'))
        n++;
    if (n)
        buf_consume(&p->in, n);
}

enum va_err fakefs_parser_add(struct fakefs_parser *p, const void *bytes, size_t len)
{
    drop_used(p);
    return buf_add(&p->in, bytes, len);
}

bool fakefs_parser_partial(const struct fakefs_parser *p)
{
    return p->in.len > p->used;
}

/** Length of the header block with its terminator, or 0. Resumes where the last scan stopped. */
static size_t block_length(struct fakefs_parser *p)
{
    const char *b = p->in.p;
    for (size_t i = p->scanned; i < p->in.len; i++) {
        if (b[i] != '\n')
            continue;
        size_t j = i + 1;
        while (j < p->in.len && b[j] == '\r')
            j++;
        if (j == p->in.len) {
            p->scanned = i;
            return 0;
        }
        if (b[j] == '\n') {
            p->scanned = i;
            return j + 1;
        }
    }
    p->scanned = p->in.len;
    return 0;
}

static struct str cut_line(struct str *rest)
{
    const char *end = rest->len ? memchr(rest->p, '\r', rest->len) : NULL;
    if (!end && rest->len)
        end = memchr(rest->p, '\n', rest->len);
    size_t n = end ? (size_t)(end - rest->p) : rest->len, skip = n;
    while (skip < rest->len && (rest->p[skip] == '\r' || rest->p[skip] == '\n'))
        skip++;
    struct str line = str_make(rest->p, n);
    *rest = str_make(rest->p + skip, rest->len - skip);
    return line;
}

static void add_header(struct fakefs_command *c, struct str line)
{
    if (!line.len || !memchr(line.p, ':', line.len))
        return;
    struct str name = str_cut(&line, ':');
    while (line.len && line.p[0] == ' ')
        line = str_make(line.p + 1, line.len - 1);
    if (!line.len || c->header_count == FAKEFS_HEADERS_MAX)
        return;
    c->header[c->header_count++] = (struct fakefs_header){name, line};
}

static enum va_err body_length(const struct fakefs_command *c, size_t *ret_len)
{
    uint64_t n = 0;
    struct str text = fakefs_command_header(c, "content-length");
    if (text.len && (str_to_u64(str_trim(text), &n) || n > FAKEFS_INPUT_MAX))
        return VA_EPROTO;
    *ret_len = (size_t)n;
    return VA_OK;
}

enum va_err fakefs_parser_next(struct fakefs_parser *p, struct fakefs_command *ret)
{
    drop_used(p);
    size_t block = p->in.len ? block_length(p) : 0;
    if (!block)
        return VA_EAGAIN;
    struct str rest = str_make(p->in.p, block);
    ret->header_count = 0;
    ret->line = cut_line(&rest);
    while (rest.len)
        add_header(ret, cut_line(&rest));
    size_t body = 0;
    enum va_err err = body_length(ret, &body);
    if (err)
        return err;
    if (p->in.len - block < body) /* the block is found again at once, from `scanned` */
        return VA_EAGAIN;
    ret->body = str_make(p->in.p + block, body);
    p->used = block + body;
    p->scanned = 0;
    return VA_OK;
}

struct str fakefs_command_header(const struct fakefs_command *c, const char *name)
{
    for (size_t i = 0; i < c->header_count; i++)
        if (str_ieqz(c->header[i].name, name))
            return c->header[i].value;
    return str_make(NULL, 0);
}
