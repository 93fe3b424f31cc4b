/*
 * Port 8021. Bytes are read in big pieces, all commands in them are run, and what they said goes
 * out in one write: first the answers, then the events, as the real one does when commands come
 * without a pause.
 */
#include "fake.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 256 << 10, OUT_FULL = 4 << 20 };

struct conn *conns;
static struct conn *graves; /* freed after the turn: epoll may still name them */
static struct watch listener;
static uint64_t next_id = 1;

static const char goodbye[] = "Content-Type: text/disconnect-notice\nContent-Length: 67\n\n"
                              "Disconnected, goodbye.\n"
                              "See you at ClueCon! http://www.cluecon.com/\n";

/* ---- what is said --------------------------------------------------------------------------- */

void reply(struct conn *c, const char *text)
{
    static const char head[] = "Content-Type: command/reply\nReply-Text: ";
    bytes_add(&c->out, head, sizeof(head) - 1);
    bytes_addz(&c->out, text);
    bytes_add(&c->out, "\n\n", 2);
}

void replyf(struct conn *c, const char *fmt, ...)
{
    enum { TEXT_MAX = 512 }; /* the real one cuts there, too */
    char text[TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    reply(c, text);
}

void api_response(struct conn *c, const char *p, size_t n)
{
    bytes_addf(&c->out, "Content-Type: api/response\nContent-Length: %zu\n\n", n);
    bytes_add(&c->out, p, n);
}

/* ---- the end -------------------------------------------------------------------------------- */

struct conn *conn_find(uint64_t id)
{
    struct conn *c = conns;
    while (c && c->id != id)
        c = c->next;
    return c;
}

void conn_kill(struct conn *c)
{
    if (c->dead)
        return;
    c->dead = true;
    (void)close(c->watch.fd);
    if (c->next)
        c->next->prev = c->prev;
    *(c->prev ? &c->prev->next : &conns) = c->next;
    listen_free(&c->listen);
    blast_stop(c);
    c->next = graves;
    graves = c;
}

void conn_goodbye(struct conn *c)
{
    c->leaving = true;
}

static void bury(void)
{
    while (graves) {
        struct conn *c = graves;
        graves = c->next;
        bytes_free(&c->in);
        bytes_free(&c->out);
        bytes_free(&c->events);
        free(c);
    }
}

/* ---- writing -------------------------------------------------------------------------------- */

static void watch_again(struct conn *c, bool writing)
{
    bool full = c->out.len - c->out_at > OUT_FULL;
    bool reading = !c->eof && !c->deaf && !c->blocked && !full;
    uint32_t events = (reading ? EPOLLIN : 0u) | (writing ? EPOLLOUT : 0u);
    if (events != c->watched)
        watch_change(&c->watch, events);
    c->watched = events;
}

/* @return false: the socket takes no more now, or is gone */
static bool write_out(struct conn *c, const char *p, size_t n, size_t *ret_sent)
{
    ssize_t sent = send(c->watch.fd, p, n, MSG_NOSIGNAL);
    *ret_sent = sent > 0 ? (size_t)sent : 0;
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        conn_kill(c);
    return *ret_sent == n;
}

static bool flush_blast(struct conn *c)
{
    enum { WRITES_MAX = 64 }; /* then look after the others */
    const char *p;
    for (int i = 0; i < WRITES_MAX; i++) {
        size_t sent, n = blast_next(c, &p);
        if (!n)
            return true;
        bool whole = write_out(c, p, n, &sent);
        if (c->dead)
            return false;
        blast_sent(c, sent);
        if (!whole)
            return false;
    }
    return false;
}

/* What was being sent of the stream, up to the end of its message. False: not yet. */
static bool flush_rest(struct conn *c)
{
    const char *p;
    size_t sent, n = blast_rest(c, &p);
    if (!n)
        return true;
    bool whole = write_out(c, p, n, &sent);
    if (!c->dead)
        blast_sent(c, sent);
    return whole && !c->dead;
}

static bool flush_out(struct conn *c)
{
    size_t sent, n = c->out.len - c->out_at;
    if (!n)
        return true;
    if (!flush_rest(c))
        return false;
    bool whole = write_out(c, c->out.p + c->out_at, n, &sent);
    c->out_at += sent;
    return whole && !c->dead;
}

static void gather(struct conn *c, bool ending)
{
    bool partial_command = c->in.len > 0 && !c->blocked;
    if (!partial_command && !c->blocked && c->events.len) {
        bytes_add(&c->out, c->events.p, c->events.len);
        c->events.len = 0;
    }
    if (ending && !c->mute) {
        bytes_add(&c->out, goodbye, sizeof(goodbye) - 1);
        c->mute = true;
    }
}

/* Answers, then events, then the stream; the farewell last. */
static void flush(struct conn *c)
{
    bool ending = c->leaving && !c->jobs && !c->blocked;
    gather(c, ending);
    bool all = flush_out(c);
    if (c->dead)
        return;
    if (!all) {
        watch_again(c, true);
        return;
    }
    c->out.len = c->out_at = 0;
    if (ending) {
        conn_kill(c);
        return;
    }
    bool more = c->blast && !flush_blast(c);
    if (!c->dead)
        watch_again(c, more);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Bytes of the first command's header block and of its blank line; 0: not whole yet. */
static size_t block_end(const char *p, size_t n, size_t *ret_text)
{
    for (size_t at = 0; at < n;) {
        const char *nl = memchr(p + at, '\n', n - at);
        if (!nl)
            return 0;
        size_t text = (size_t)(nl - p), next = text + 1;
        while (next < n && p[next] == '\r')
            next++;
        if (next < n && p[next] == '\n') {
            *ret_text = text;
            return next + 1;
        }
        at = text + 1;
    }
    return 0;
}

/* Run the first command of [p, p + n). @return bytes of it; 0: not whole */
static size_t one_command(struct conn *c, char *p, size_t n)
{
    size_t text = 0, skip = 0, end, body = 0;
    char length[24];
    while (skip < n && (p[skip] == '\n' || p[skip] == '\r'))
        skip++;
    end = skip < n ? block_end(p + skip, n - skip, &text) : 0;
    if (!end)
        return skip == n ? skip : 0;
    char *line = p + skip, *cut = memchr(line, '\n', text), *headers = cut ? cut + 1 : NULL;
    char was = line[text];
    line[text] = 0;
    if (headers && command_header(headers, "Content-Length", length, sizeof(length)))
        body = (size_t)strtoul(length, NULL, 10);
    if (n - skip - end < body) {
        line[text] = was;
        return 0;
    }
    char *copy = NULL;
    if (body) {
        copy = zalloc(body + 1);
        memcpy(copy, line + end, body);
    }
    if (cut)
        *cut = 0;
    for (char *cr = line; (cr = strchr(cr, '\r'));)
        *cr = cr[1] ? ' ' : 0;
    command_run(c, line, headers, copy);
    free(copy);
    return skip + end + body;
}

static void run_commands(struct conn *c)
{
    size_t at = 0, n;
    while (!c->blocked && !c->leaving && !c->dead && at < c->in.len &&
           (n = one_command(c, c->in.p + at, c->in.len - at)))
        at += n;
    if (!c->dead)
        bytes_drop(&c->in, at);
}

void conn_resume(struct conn *c)
{
    c->blocked = false;
    run_commands(c);
}

/* What is not Event Socket does not understand us either. */
static bool only_pretends(struct conn *c)
{
    if (opt.not_freeswitch) {
        bytes_addz(&c->out, "Invalid SSH identification string.\r\n");
        c->mute = c->leaving = true;
    }
    c->in.len = 0;
    return opt.not_freeswitch || opt.silent;
}

static void on_bytes(struct conn *c)
{
    ssize_t n = recv(c->watch.fd, bytes_room(&c->in, READ_BYTES), READ_BYTES, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        conn_kill(c);
        return;
    }
    c->eof = n == 0; /* what was asked before is still answered, then comes the farewell */
    c->leaving = c->leaving || c->eof;
    c->in.len += (size_t)n;
    if ((opt.silent || opt.not_freeswitch) && only_pretends(c))
        return;
    run_commands(c);
    c->deaf = opt.half_open && c->authed;
}

static void on_conn(struct watch *w, uint32_t events)
{
    struct conn *c = (struct conn *)(void *)w;
    if (!c->dead && (events & (EPOLLHUP | EPOLLERR)) && c->eof)
        conn_kill(c);
    else if (!c->dead && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        on_bytes(c);
}

void inbound_after_turn(void)
{
    for (struct conn *c = conns, *next; c; c = next) {
        next = c->next;
        flush(c);
    }
    bury();
}

/* ---- accepting ------------------------------------------------------------------------------ */

static void on_drop(struct timer *t)
{
    while (conns)
        conn_kill(conns);
    timer_start(t, (uint64_t)opt.drop_after_ms * 1000, on_drop);
}

static void greet(struct conn *c)
{
    if (opt.not_freeswitch) {
        bytes_addz(&c->out, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    } else if (opt.refuse_acl) {
        bytes_addz(&c->out, "Content-Type: text/rude-rejection\nContent-Length: 24\n\n"
                            "Access Denied, go away.\n");
        c->leaving = true; /* the notice follows even here */
    } else if (opt.silent) {
        c->mute = true;
    } else {
        bytes_addz(&c->out, "Content-Type: auth/request\n\n");
    }
}

static void on_accept(struct watch *w, uint32_t events)
{
    int one = 1, fd;
    (void)events;
    while ((fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct conn *c = zalloc(sizeof(*c));
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        c->watch = (struct watch){fd, on_conn};
        c->id = next_id++;
        c->log_level = -1;
        c->next = conns;
        if (conns)
            conns->prev = c;
        conns = c;
        c->watched = EPOLLIN;
        watch_start(&c->watch, EPOLLIN);
        greet(c);
    }
}

void inbound_start(void)
{
    int port;
    listener = (struct watch){listen_on(opt.host, opt.port, &port), on_accept};
    static struct timer drop;
    watch_start(&listener, EPOLLIN);
    if (opt.drop_after_ms)
        timer_start(&drop, (uint64_t)opt.drop_after_ms * 1000, on_drop);
    (void)printf("port %d\n", port);
    (void)fflush(stdout);
}
