/* The opening handshake of a connection, both sides. */
#include "net/ws_int.h"

#include <stdio.h>
#include <stdlib.h>

enum { BODY_MS = 1000, INTERIMS_MAX = 8, EXCERPT = 200 };

void ws_opening_free(struct ws_opening **po)
{
    struct ws_opening *o = po ? *po : NULL;
    if (!o)
        return;
    *po = NULL;
    free(o->url_copy);
    free(o->subprotocol);
    buf_free(&o->request);
    buf_free(&o->in);
    buf_free(&o->body);
    free(o);
}

/* A failure ends the stream, which tells it. */
static void say(struct ws_conn *c, const struct buf *b)
{
    enum va_err err = stream_write(c->stream, b->p, b->len);
    (void)err;
}

void ws_opening_late(void *arg)
{
    struct ws_conn *c = arg;
    struct buf out;
    if (c->side == WS_CLIENT) {
        ws_finish_with(c, VA_ETIMEOUT, 0, 0, "%s:%u: no connection in time, stopped at %s",
                       c->opening->url.host, c->opening->url.port,
                       c->state == WS_HELLO ? "waiting for the answer to our request"
                                            : stream_stage(c->stream));
        return;
    }
    buf_init(&out, WS_HEAD_BYTES_MAX);
    if (!ws_hello_refusal(408, "the request did not come in time", &out))
        say(c, &out);
    buf_free(&out);
    ws_finish_with(c, VA_ETIMEOUT, 0, 408, "the client did not finish its request in time");
}

/* Move bytes into `in` up to the end of the head. @return its length, 0: not complete */
static size_t collect(struct ws_opening *o, char **p, size_t *len)
{
    size_t before = o->in.len, room = WS_HEAD_BYTES_MAX - before;
    size_t n = *len < room ? *len : room;
    if (buf_add(&o->in, *p, n))
        return 0;
    size_t head = http_head_length(o->in.p, o->in.len, before);
    size_t used = head ? head - before : n;
    *p += used;
    *len -= used;
    if (head)
        o->in.len = head;
    return head;
}

static void opened(struct ws_conn *c, struct str subprotocol)
{
    struct ws_opening *o = c->opening; /* subprotocol points into it */
    c->opening = NULL;
    ws_set_state(c, WS_OPEN);
    ws_frames_start(c);
    if (c->h.on_open)
        c->h.on_open(c->arg, subprotocol);
    ws_opening_free(&o);
}

/* ---- client --------------------------------------------------------------------------------- */

void ws_opening_connected(struct ws_conn *c)
{
    struct ws_opening *o = c->opening;
    ws_set_state(c, WS_HELLO);
    say(c, &o->request);
    buf_free(&o->request);
}

static enum va_err status_err(int status)
{
    if (status == 401 || status == 403 || status == 407)
        return VA_EAUTH;
    return status == 429 || status >= 500 ? VA_EREFUSED : VA_EPROTO;
}

static const char *status_hint(int status)
{
    if (status == 401 || status == 403)
        return "check the key and what it may do";
    if (status == 404)
        return "check the URL's path";
    if (status == 429)
        return "too many requests or no quota left there";
    if (status >= 300 && status < 400)
        return "redirects are not followed: use the final URL";
    return status >= 500 ? "it has trouble of its own; try again later"
                         : "check the URL and the request's headers";
}

/* The first chunk's data of a chunked body. */
static struct str first_chunk(struct str body)
{
    struct str line = str_trim(str_cut(&body, '\n'));
    size_t n = 0;
    for (size_t i = 0; i < line.len && i < 4; i++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, line.p[i] | 0x20);
        if (!line.p[i] || !at)
            break;
        n = n * 16 + (size_t)(at - digits);
    }
    return str_make(body.p, n < body.len ? n : body.len);
}

static void tell_refusal(struct ws_conn *c)
{
    struct ws_opening *o = c->opening;
    struct va_fault text;
    struct str body = buf_str(&o->body);
    if (o->chunked)
        body = first_chunk(body);
    body = str_trim(body);
    struct str excerpt = str_make(body.p, body.len < EXCERPT ? body.len : EXCERPT);
    enum va_err err =
        va_fault_set(&text, status_err(o->status), "%s:%u answered %d %s%s%.*s; %s", o->url.host,
                     o->url.port, o->status, ws_hello_status_text(o->status),
                     excerpt.len ? ": " : "", STR_ARG(excerpt), status_hint(o->status));
    const struct ws_end end = {
        .err = err, .http_status = o->status, .reason = body, .text = text.text};
    ws_finish(c, &end);
}

static void on_body_late(void *arg)
{
    tell_refusal(arg);
}

static void read_body(struct ws_conn *c, char **p, size_t *len)
{
    struct ws_opening *o = c->opening;
    size_t room = WS_BODY_MAX - o->body.len, n = *len < room ? *len : room;
    (void)buf_add(&o->body, *p, n);
    *p += *len;
    *len = 0;
    if (o->body.len >= o->body_want || o->body.len == WS_BODY_MAX || buf_failed(&o->body))
        tell_refusal(c);
}

static void refused(struct ws_conn *c, const struct http_message *h, char **p, size_t *len)
{
    struct ws_opening *o = c->opening;
    struct str length = http_head_get(h, "Content-Length");
    o->status = h->status;
    o->chunked = http_head_lists(h, "Transfer-Encoding", "chunked");
    if (o->chunked || !length.len || str_to_u64(length, &o->body_want))
        o->body_want = WS_BODY_MAX; /* or until its end */
    ws_set_state(c, WS_REFUSED);
    tmr_start(&c->timer, c->loop, BODY_MS, on_body_late, c);
    read_body(c, p, len);
}

static void not_http(struct ws_conn *c, enum va_err err)
{
    const struct ws_url *u = &c->opening->url;
    if (err == VA_ELIMIT)
        ws_finish_with(c, err, 0, 0, "%s:%u: its HTTP answer is over %d bytes or %d headers",
                       u->host, u->port, WS_HEAD_BYTES_MAX, HTTP_FIELDS_MAX);
    else
        ws_finish_with(c, err, 0, 0, "%s:%u does not answer in HTTP; check the port%s", u->host,
                       u->port, u->tls ? "" : ", or use a URL with TLS (wss://)");
}

static void on_answer(struct ws_conn *c, char **p, size_t *len)
{
    struct ws_opening *o = c->opening;
    struct http_message *h = &o->head;
    enum va_err err = http_head_answer(o->in.p, o->in.len, h);
    if (err) {
        not_http(c, err);
        return;
    }
    if (h->status < 200 && h->status != 101 && ++o->interims < INTERIMS_MAX) {
        buf_reset(&o->in);
        return;
    }
    if (h->status != 101) {
        refused(c, h, p, len);
        return;
    }
    const char *wrong = ws_hello_check_answer(h, o->key, o->subprotocol);
    if (wrong)
        ws_finish_with(c, VA_EPROTO, 0, 101, "%s:%u: %s", o->url.host, o->url.port, wrong);
    else
        opened(c, http_head_get(h, "Sec-WebSocket-Protocol"));
}

/* ---- server --------------------------------------------------------------------------------- */

static void answer_refusal(struct ws_conn *c, enum va_err err, int status, const char *text)
{
    struct buf out;
    buf_init(&out, 2 * WS_HEAD_BYTES_MAX);
    if (!ws_hello_refusal(status, text, &out))
        say(c, &out);
    buf_free(&out);
    ws_finish_with(c, err, 0, status, "refused with %d: %s", status,
                   text ? text : ws_hello_status_text(status));
}

static void answer_accept(struct ws_conn *c, const char *subprotocol)
{
    struct buf out;
    const struct http_message *h = &c->opening->head;
    if (subprotocol && !http_head_lists(h, "Sec-WebSocket-Protocol", subprotocol))
        subprotocol = NULL; /* a client would refuse what it did not offer */
    buf_init(&out, WS_HEAD_BYTES_MAX);
    enum va_err err = ws_hello_answer(h, subprotocol, &out);
    if (!err)
        err = stream_write(c->stream, out.p, out.len);
    buf_free(&out);
    if (err)
        ws_finish_with(c, err, 0, 0, "the answer could not be sent: %s", va_err_text(err));
    else
        opened(c, str_of(subprotocol));
}

static void ask(struct ws_conn *c)
{
    struct ws_opening *o = c->opening;
    struct ws_header headers[WS_HEADERS_MAX];
    struct str query = o->head.target;
    struct ws_request r = {.headers = headers, .header_count = o->head.header_count};
    struct ws_reply reply = {.status = 101};
    for (size_t i = 0; i < r.header_count; i++)
        headers[i] = (struct ws_header){o->head.headers[i].name, o->head.headers[i].value};
    r.path = str_cut(&query, '?');
    r.query = query;
    stream_peer(c->stream, &r.peer);
    if (c->h.on_request)
        reply = c->h.on_request(c->arg, &r);
    if (c->state != WS_HELLO) /* closed in the handler */
        return;
    if (reply.status == 101)
        answer_accept(c, reply.subprotocol);
    else
        answer_refusal(c, reply.status == 401 || reply.status == 403 ? VA_EAUTH : VA_EREFUSED,
                       reply.status, reply.text);
}

static void on_request(struct ws_conn *c)
{
    struct ws_opening *o = c->opening;
    const char *text = NULL;
    enum va_err err = http_head_request(o->in.p, o->in.len, &o->head);
    if (err == VA_ELIMIT || (!err && o->head.header_count > WS_HEADERS_MAX)) {
        answer_refusal(c, VA_ELIMIT, 431, "too many headers");
        return;
    }
    if (err) {
        answer_refusal(c, VA_EPROTO, 400, "this is not an HTTP/1.1 request");
        return;
    }
    int status = ws_hello_check_request(&o->head, &text);
    if (status == 101)
        ask(c);
    else
        answer_refusal(c, VA_EPROTO, status, text);
}

/* ---- both ----------------------------------------------------------------------------------- */

static void over_limit(struct ws_conn *c)
{
    if (buf_failed(&c->opening->in))
        ws_finish_with(c, VA_ENOMEM, 0, 0, "out of memory in the handshake");
    else if (c->side == WS_CLIENT)
        not_http(c, VA_ELIMIT);
    else
        answer_refusal(c, VA_ELIMIT, 431, "the request's head is too long");
}

void ws_opening_read(struct ws_conn *c, char **p, size_t *len)
{
    while (*len && c->state == WS_HELLO) {
        struct ws_opening *o = c->opening;
        if (collect(o, p, len)) {
            if (c->side == WS_CLIENT)
                on_answer(c, p, len);
            else
                on_request(c);
        } else if (buf_failed(&o->in) || o->in.len == WS_HEAD_BYTES_MAX) {
            over_limit(c);
        }
    }
    if (*len && c->state == WS_REFUSED)
        read_body(c, p, len);
}

bool ws_opening_ended(struct ws_conn *c)
{
    if (c->state != WS_REFUSED)
        return false;
    tell_refusal(c); /* its body ended with the connection */
    return true;
}
