/*
 * Two states: HEAD looks for the blank line, BODY counts bytes. `kept` holds at most one message
 * that came in pieces; whatever lies whole in the bytes fed is handed out from there.
 *
 *     feed ──► HEAD ──blank line──► read_head ──► BODY ──all bytes──► on_message ──► HEAD
 *
 * FreeSWITCH sometimes breaks its own framing. Two such breaks are known and mended here:
 *  - the `userauth` reply cut at 511 bytes loses its blank line, so the next message begins inside
 *    its last header (case 15);
 *  - the farewell notice is written by another thread into the middle of a message that was half
 *    sent, and then the connection closes (fact 2). It shows as a header block that makes no
 *    sense, or as a body that never ends.
 */
#include "esl/parser.h"
#include "base/buf.h"

#include <stdlib.h>

enum {
    HEAD_MAX = 1 << 20,
    BODY_MAX = 64 << 20,
    TAIL = 192,        /* of the last body: a notice may lie in it */
    NOTICE_MAX = 4096, /* how far back from the end a spliced notice is looked for */
    RESERVE_MAX = 65536
};

static const char notice_mark[] = "Content-Type: text/disconnect-notice\n";
static const char accepted[] = "Content-Type: command/reply\nReply-Text: +OK accepted\n";

struct esl_parser {
    esl_message_h *on_message;
    void *arg;
    size_t head_max, body_max;
    struct buf kept;
    enum va_err err; /* not VA_OK: stopped for good */
    bool in_body;
    bool splicing;        /* the body in work is a notice's text, up to the end of the stream */
    bool lf;              /* last byte of the unfinished header block was LF */
    bool may_glue;        /* the one `userauth` reply did not come yet */
    size_t head_len;      /* header lines of the message in work, without the blank line */
    size_t total;         /* its whole length */
    struct esl_message m; /* type and format of it */
    char tail[TAIL];
    size_t tail_len;
};

/* Both limits of a message, and a little, can be added up. */
static size_t limit(size_t n, size_t fallback)
{
    n = n ? n : fallback;
    return n < SIZE_MAX / 4 ? n : SIZE_MAX / 4;
}

enum va_err esl_parser_new(const struct esl_parser_cfg *cfg, esl_message_h *on_message, void *arg,
                           struct esl_parser **ret_parser)
{
    struct esl_parser *p = calloc(1, sizeof(*p));
    if (!p)
        return VA_ENOMEM;
    p->on_message = on_message;
    p->arg = arg;
    p->head_max = limit(cfg ? cfg->head_max : 0, HEAD_MAX);
    p->body_max = limit(cfg ? cfg->body_max : 0, BODY_MAX);
    p->may_glue = true;
    buf_init(&p->kept, p->head_max + p->body_max + 1);
    *ret_parser = p;
    return VA_OK;
}

void esl_parser_free(struct esl_parser **pp)
{
    struct esl_parser *p = pp ? *pp : NULL;
    if (!p)
        return;
    *pp = NULL;
    buf_free(&p->kept);
    free(p);
}

size_t esl_parser_pending(const struct esl_parser *p)
{
    return p->kept.len;
}

static enum va_err emit(struct esl_parser *p, const struct esl_message *m)
{
    if (!p->on_message(p->arg, m))
        p->err = VA_ECANCELED;
    return p->err;
}

/* ---- what the header lines say -------------------------------------------------------------- */

static void classify(struct str type, struct esl_message *m)
{
    static const struct {
        const char *name;
        enum esl_message_type type;
        enum esl_format format;
    } known[] = {{"text/event-plain", ESL_MSG_EVENT, ESL_PLAIN},
                 {"text/event-json", ESL_MSG_EVENT, ESL_JSON},
                 {"text/event-xml", ESL_MSG_EVENT, ESL_XML},
                 {"command/reply", ESL_MSG_REPLY, ESL_PLAIN},
                 {"api/response", ESL_MSG_API, ESL_PLAIN},
                 {"log/data", ESL_MSG_LOG, ESL_PLAIN},
                 {"auth/request", ESL_MSG_AUTH_REQUEST, ESL_PLAIN},
                 {"text/disconnect-notice", ESL_MSG_NOTICE, ESL_PLAIN},
                 {"text/rude-rejection", ESL_MSG_REJECTION, ESL_PLAIN}};
    m->type = ESL_MSG_OTHER;
    m->format = ESL_PLAIN;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (str_ieqz(type, known[i].name)) {
            m->type = known[i].type;
            m->format = known[i].format;
            return;
        }
    }
}

/* Value of `line` when it is the header `name` (given with its colon). p is NULL when it is not. */
static struct str line_value(struct str line, const char *name)
{
    size_t n = strlen(name);
    if (line.len < n || !str_ieq(str_make(line.p, n), str_make(name, n)))
        return (struct str){0};
    if (line.len > n && line.p[n] == ' ')
        n++;
    return str_make(line.p + n, line.len - n);
}

/* Type and body length of a header block. Strict on lengths (case 11): the sender and we must
 * agree about the next message's first byte or the connection is worthless. */
static enum va_err read_head(const struct esl_parser *p, struct str head, struct esl_message *ret_m,
                             size_t *ret_body)
{
    struct str rest = head, type = {0}, length = {0};
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (line.len < 13 || (line.p[0] | 0x20) != 'c')
            continue;
        struct str v = line_value(line, "Content-Type:");
        if (v.p)
            type = v;
        v = line_value(line, "Content-Length:");
        if (v.p && length.p)
            return VA_EPROTO;
        if (v.p)
            length = v;
    }
    uint64_t n = 0;
    if (!type.p)
        return VA_EPROTO;
    enum va_err err = length.p ? str_to_u64(length, &n) : VA_OK;
    if (err == VA_EINVAL)
        return VA_EPROTO;
    if (err || n > p->body_max)
        return VA_ELIMIT;
    classify(type, ret_m);
    if (ret_m->type == ESL_MSG_REPLY && length.p &&
        memmem(head.p, head.len, notice_mark, sizeof(notice_mark) - 1))
        return VA_EPROTO;
    *ret_body = (size_t)n;
    return VA_OK;
}

/* ---- broken framing ------------------------------------------------------------------------- */

/* Deliver the last farewell notice in `s`, if there is one. */
static bool salvage_notice(struct esl_parser *p, struct str s)
{
    size_t n = sizeof(notice_mark) - 1;
    if (s.len > NOTICE_MAX)
        s = str_make(s.p + s.len - NOTICE_MAX, NOTICE_MAX);
    const char *at = NULL, *from = s.p, *end = s.p + s.len;
    for (const char *hit; s.len && (hit = memmem(from, (size_t)(end - from), notice_mark, n));)
        at = hit, from = hit + n;
    if (!at)
        return false;
    const char *blank = memmem(at, (size_t)(end - at), "\n\n", 2);
    struct esl_message m = {.type = ESL_MSG_NOTICE, .spliced = true};
    const char *head_end = blank ? blank + 1 : end;
    m.head = str_make(at, (size_t)(head_end - at));
    if (blank)
        m.body = str_make(blank + 2, (size_t)(end - blank - 2));
    p->err = VA_ECLOSED;
    (void)p->on_message(p->arg, &m);
    return true;
}

/* A header block that makes no sense: it may be what follows a splice. The notice's text has not
 * come yet then, so it is kept until the peer closes. */
static bool starts_splice(const struct esl_parser *p, struct str head)
{
    char both[TAIL + sizeof(notice_mark)];
    size_t n = head.len < sizeof(notice_mark) ? head.len : sizeof(notice_mark);
    memcpy(both, p->tail, p->tail_len);
    memcpy(both + p->tail_len, head.p, n);
    return memmem(both, p->tail_len + n, notice_mark, sizeof(notice_mark) - 1) ||
           memmem(head.p, head.len, notice_mark, sizeof(notice_mark) - 1);
}

/* Where the next message begins inside the header block of a `userauth` reply; 0 when it does
 * not. Only there, so that a raw Reply-Text cannot forge a message. */
static size_t glued_at(const struct esl_parser *p, struct str head)
{
    size_t n = sizeof(accepted) - 1;
    if (!p->may_glue || !str_starts(head, accepted))
        return 0;
    const char *at = memmem(head.p + n, head.len - n, "Content-Type: ", 14);
    const char *len = memmem(head.p + n, head.len - n, "Content-Length: ", 16);
    const char *first = !at || (len && len < at) ? len : at;
    return first ? (size_t)(first - head.p) : 0;
}

/* ---- the two states ------------------------------------------------------------------------- */

/* Bytes of `s` up to and with the blank line; 0 when it is not there. *lf carries over. */
static size_t blank_line(struct str s, bool *lf)
{
    size_t at = 0;
    if (*lf && s.p[0] == '\n')
        return 1;
    while (at < s.len) {
        const char *nl = memchr(s.p + at, '\n', s.len - at);
        if (!nl)
            break;
        at = (size_t)(nl - s.p) + 1;
        if (at < s.len && s.p[at] == '\n')
            return at + 1;
    }
    *lf = s.p[s.len - 1] == '\n';
    return 0;
}

static enum va_err deliver(struct esl_parser *p, const char *bytes)
{
    struct esl_message m = p->m;
    m.head = str_make(bytes, p->head_len);
    m.body = str_make(bytes + p->head_len + 1, p->total - p->head_len - 1);
    bool cuttable = m.type == ESL_MSG_EVENT || m.type == ESL_MSG_API || m.type == ESL_MSG_LOG;
    p->tail_len = !cuttable ? 0 : m.body.len < TAIL ? m.body.len : TAIL;
    memcpy(p->tail, m.body.p + m.body.len - p->tail_len, p->tail_len);
    p->in_body = p->lf = false;
    return emit(p, &m);
}

static enum va_err fail(struct esl_parser *p, enum va_err err)
{
    p->err = err;
    buf_free(&p->kept);
    return err;
}

static enum va_err keep(struct esl_parser *p, const char *bytes, size_t len)
{
    enum va_err err = buf_add(&p->kept, bytes, len);
    return err ? fail(p, err) : VA_OK;
}

/* Give out a finished message that is in `kept`; its memory goes before or after, never stays. */
static enum va_err deliver_kept(struct esl_parser *p)
{
    struct buf mine = p->kept;
    buf_init(&p->kept, mine.max);
    enum va_err err = deliver(p, mine.p);
    buf_free(&mine);
    return err;
}

/* `head` is borrowed from `kept` or from the bytes fed. */
static void unglue(struct esl_parser *p, struct str head, size_t at)
{
    struct esl_message m = {.type = ESL_MSG_REPLY, .head = str_make(head.p, at)};
    struct buf mine = p->kept;
    buf_init(&p->kept, mine.max);
    p->may_glue = p->lf = false;
    if (!emit(p, &m) && !esl_parser_feed(p, head.p + at, head.len - at))
        p->err = esl_parser_feed(p, "\n", 1); /* the blank line belongs to the second message */
    buf_free(&mine);
}

/* A whole header block, blank line included, is at `block`: find out what follows it. */
static enum va_err on_head(struct esl_parser *p, struct str block)
{
    struct str head = str_make(block.p, block.len - 1);
    size_t body = 0;
    enum va_err err = read_head(p, head, &p->m, &body);
    p->splicing = err && starts_splice(p, head);
    if (p->splicing)
        body = NOTICE_MAX;
    else if (err)
        return fail(p, err);
    if (p->may_glue && str_starts(head, accepted))
        p->may_glue = false;
    p->in_body = true;
    p->head_len = head.len;
    p->total = block.len + body;
    return VA_OK;
}

/* The rest of the message is yet to come: keep what is here. */
static void start_body(struct esl_parser *p, const char *block, size_t len)
{
    size_t room = p->total < RESERVE_MAX ? p->total : RESERVE_MAX;
    if (room > p->kept.len && buf_reserve(&p->kept, room - p->kept.len))
        (void)fail(p, p->kept.err);
    else
        (void)keep(p, block, len);
}

/* HEAD: @return bytes used */
static size_t feed_head(struct esl_parser *p, struct str s)
{
    if (!p->kept.len && s.p[0] == '\n')
        return 1; /* blank lines between messages mean nothing */
    size_t n = blank_line(s, &p->lf), take = n ? n : s.len;
    if (take > p->head_max || p->kept.len > p->head_max - take) {
        (void)fail(p, VA_ELIMIT);
        return s.len;
    }
    bool direct = n && !p->kept.len;
    if ((!direct && keep(p, s.p, take)) || !n)
        return take;
    struct str block = direct ? str_make(s.p, n) : buf_str(&p->kept);
    size_t glue = glued_at(p, str_make(block.p, block.len - 1));
    if (glue) {
        unglue(p, str_make(block.p, block.len - 1), glue);
        return take;
    }
    if (on_head(p, block))
        return s.len;
    if (direct && s.len >= p->total && !p->splicing) {
        take = p->total;
        (void)deliver(p, s.p);
    } else if (direct) {
        start_body(p, s.p, n);
    } else if (p->kept.len == p->total) {
        (void)deliver_kept(p);
    } else {
        start_body(p, NULL, 0);
    }
    return take;
}

static size_t feed_body(struct esl_parser *p, struct str s)
{
    size_t missing = p->total - p->kept.len, take = s.len < missing ? s.len : missing;
    if (keep(p, s.p, take))
        return s.len;
    if (p->kept.len == p->total && p->splicing)
        (void)fail(p, VA_EPROTO);
    else if (p->kept.len == p->total)
        (void)deliver_kept(p);
    return take;
}

enum va_err esl_parser_feed(struct esl_parser *p, const char *bytes, size_t len)
{
    struct str s = str_make(bytes, len);
    while (s.len && !p->err) {
        size_t used = p->in_body ? feed_body(p, s) : feed_head(p, s);
        s = str_make(s.p + used, s.len - used);
    }
    return p->err;
}

void esl_parser_end(struct esl_parser *p)
{
    if (!p->err && (p->kept.len || p->tail_len)) {
        struct buf both; /* a notice may begin in the body before */
        buf_init(&both, p->kept.max + TAIL);
        (void)buf_add(&both, p->tail, p->tail_len);
        (void)buf_adds(&both, buf_str(&p->kept));
        if (!buf_failed(&both))
            (void)salvage_notice(p, buf_str(&both));
        buf_free(&both);
    }
    if (!p->err)
        p->err = VA_ECLOSED;
    buf_free(&p->kept);
}

void esl_parser_settle(struct esl_parser *p)
{
    if (p->err || p->in_body || !p->may_glue || !str_starts(buf_str(&p->kept), accepted))
        return;
    p->may_glue = p->lf = false;
    struct buf mine = p->kept;
    buf_init(&p->kept, mine.max);
    struct esl_message m = {.type = ESL_MSG_REPLY, .head = buf_str(&mine)};
    (void)emit(p, &m);
    buf_free(&mine);
}
