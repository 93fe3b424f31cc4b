/* A whole WebSocket server connection on any bytes: every handler in its order, one end. The first
 * byte cuts the bytes into those handed over early and the socket's. Corpus: tests/corpus/ws_conn.
 */
#include "net/loop.h"
#include "net/ws.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct ws_conn *c;
    unsigned requests, opens, ends;
};

static struct ws_reply on_request(void *arg, const struct ws_request *r)
{
    struct seen *s = arg;
    if (s->requests++ || s->opens || s->ends || !r->path.len || r->path.p[0] != '/')
        abort();
    return (struct ws_reply){.status = 101, .subprotocol = "chat"};
}

static void on_open(void *arg, struct str subprotocol)
{
    struct seen *s = arg;
    if (s->opens++ || !s->requests || s->ends || (subprotocol.len && !str_eqz(subprotocol, "chat")))
        abort();
}

static void on_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct seen *s = arg;
    if (!s->opens || s->ends || len > 5000)
        abort();
    enum va_err err = ws_send(s->c, kind, p, len);
    if (len && p[0] == 'c')
        ws_close(s->c, 1000, "c");
    else if (len && p[0] == 'f')
        ws_free(&s->c);
    (void)err;
}

static void on_closed(void *arg, const struct ws_end *end)
{
    struct seen *s = arg;
    if (s->ends++ || !end->text || !end->text[0] || (end->err == VA_OK && !s->opens))
        abort();
    ws_free(&s->c);
}

static const struct ws_handlers handlers = {
    .on_request = on_request, .on_open = on_open, .on_message = on_message, .on_closed = on_closed};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct loop *loop;
    const struct ws_cfg cfg = {.message_max = 5000, .out_max = 20000};
    struct seen s = {NULL, 0, 0, 0};
    int fd[2];
    if (size < 1 || (!loop && loop_new(NULL, 0, &loop)))
        return 0;
    size_t early = size > 1 ? data[0] % size : 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) ||
        ws_accept(loop, fd[0], str_make((const char *)data + 1, early), &cfg, &handlers, &s, &s.c))
        abort();
    if (size - 1 > early && write(fd[1], data + 1 + early, size - 1 - early) < 0)
        abort();
    for (int i = 0; i < 3; i++)
        loop_turn(loop, false);
    (void)close(fd[1]);
    for (int i = 0; i < 10 && s.c; i++)
        loop_turn(loop, false);
    if (s.c) /* its end was seen, or the user let it go */
        abort();
    loop_turn(loop, false);
    return 0;
}
