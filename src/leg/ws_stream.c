#include "leg/ws_hub_int.h"
#include "net/ws_hello.h"

#include <stdlib.h>
#include <unistd.h>

const struct ws_stream_facts *ws_stream_facts(const struct ws_stream *stream)
{
    return &stream->facts;
}

enum va_err ws_stream_new(int fd, struct str bytes, const struct ws_stream_facts *facts,
                          struct ws_stream **ret_stream)
{
    struct ws_stream *s = calloc(1, sizeof(*s));
    char *early = malloc(bytes.len ? bytes.len : 1);
    if (!s || !early) {
        free(early);
        free(s);
        return VA_ENOMEM;
    }
    memcpy(early, bytes.p, bytes.len);
    s->fd = fd;
    s->early = early;
    s->early_len = bytes.len;
    s->facts = *facts;
    *ret_stream = s;
    return VA_OK;
}

static void free_stream(struct ws_stream *s)
{
    free(s->early);
    free(s);
}

/* A fresh socket takes these few bytes at once; if not, the peer is not worth waiting for. */
void ws_refuse_fd(int fd, int status, const char *text)
{
    enum { REFUSAL_MAX = 2048 };
    char rest[640];
    struct buf out;
    buf_init(&out, REFUSAL_MAX);
    if (!ws_hello_refusal(status, text, &out))
        (void)send(fd, out.p, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    buf_free(&out);
    (void)shutdown(fd, SHUT_WR);
    /* Bytes left unread would turn the close into a reset, which takes the answer with it. */
    for (int i = 0; i < 16 && recv(fd, rest, sizeof(rest), MSG_DONTWAIT) > 0; i++)
        ;
    (void)close(fd);
}

void ws_stream_refuse(struct ws_stream **pstream, int status, const char *text)
{
    struct ws_stream *s = pstream ? *pstream : NULL;
    if (!s)
        return;
    *pstream = NULL;
    ws_refuse_fd(s->fd, status, text);
    free_stream(s);
}

/* Modules offer one protocol each; a client that offers none gets none. */
struct ws_reply ws_stream_answer(void *arg, const struct ws_request *request)
{
    static const char *const known[] = {"audio.drachtio.org", "audio.jambonz.org"};
    (void)arg;
    struct str offered = ws_request_header(request, "Sec-WebSocket-Protocol");
    while (offered.len) {
        struct str one = str_trim(str_cut(&offered, ','));
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            if (str_eqz(one, known[i]))
                return (struct ws_reply){101, known[i], NULL};
    }
    return (struct ws_reply){101, NULL, NULL};
}

enum va_err ws_stream_take(struct ws_stream **pstream, struct loop *loop, const struct ws_cfg *cfg,
                           const struct ws_handlers *h, void *arg, struct ws_conn **ret_conn)
{
    struct ws_stream *s = *pstream;
    *pstream = NULL;
    struct ws_cfg plain = *cfg;
    plain.tls = NULL;
    enum va_err err =
        ws_accept(loop, s->fd, str_make(s->early, s->early_len), &plain, h, arg, ret_conn);
    free_stream(s);
    return err;
}
