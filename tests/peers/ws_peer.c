/*
 * A program around net/ws, for WebSocket peers that are not ours.
 *
 *     ws_peer serve [CERT KEY]     answers every message with itself; first line: "port N"
 *         /refuse/STATUS           that status, "no: STATUS"
 *         /hello                   sends the text "first" at once
 *         subprotocol "echo"       is chosen when it is offered
 *         text "close CODE REASON" starts the close handshake
 *         text "send N"            N bytes of binary
 *     ws_peer connect URL [CA|insecure] [HEADER-NAME VALUE]
 *         offers "echo"; each line of standard input is sent as text, but for "binary N" (N bytes)
 *         and "close CODE REASON"; end of file closes with 1000
 *
 * Standard output has a line for each thing that happens.
 */
#include "net/tcp.h"
#include "net/tls.h"
#include "net/ws.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE = 4096, SHOWN = 60, SEND_MAX = 4 * 1024 * 1024 };

struct end {
    struct link link;
    struct ws_conn *c;
    bool hello;
};

static struct {
    struct loop *loop;
    struct tcp_listener *listener;
    struct tls_ctx *tls;
    struct end client;
    struct list clients; /* of the server */
    bool input_over;
    uv_pipe_t input;
    char line[LINE];
    size_t line_len;
} app;

static uint32_t sum(const char *p, size_t len)
{
    uint32_t s = 0;
    for (size_t i = 0; i < len; i++)
        s = s * 31 + (unsigned char)p[i];
    return s;
}

static void send_bytes(struct ws_conn *c, size_t n)
{
    char *p = malloc(n + 1);
    if (!p)
        exit(1);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(i * 7 + i / 251);
    if (ws_send(c, WS_BINARY, p, n))
        puts("refused");
    free(p);
}

/* "close CODE REASON" */
static void close_as(struct ws_conn *c, struct str words)
{
    uint64_t code = 0;
    char reason[LINE];
    (void)str_cut(&words, ' ');
    if (str_to_u64(str_cut(&words, ' '), &code) || code > 65535)
        code = 1000;
    (void)str_copy(reason, sizeof(reason), words);
    ws_close(c, (uint16_t)code, reason);
}

static bool number_after(struct str words, const char *prefix, size_t *ret_n)
{
    uint64_t n = 0;
    if (!str_starts(words, prefix))
        return false;
    (void)str_cut(&words, ' ');
    if (str_to_u64(words, &n) || n > SEND_MAX)
        return false;
    *ret_n = (size_t)n;
    return true;
}

static void forget(struct end *e)
{
    link_remove(&e->link);
    ws_free(&e->c);
    free(e);
}

/* ---- what happens --------------------------------------------------------------------------- */

static struct ws_reply on_request(void *arg, const struct ws_request *r)
{
    static char text[64];
    struct end *e = arg;
    struct str path = r->path;
    uint64_t status = 0;
    printf("request %.*s query %.*s\n", STR_ARG(r->path), STR_ARG(r->query));
    e->hello = str_eqz(path, "/hello");
    if (!str_starts(path, "/refuse/"))
        return (struct ws_reply){.status = 101, .subprotocol = "echo"};
    if (str_to_u64(str_make(path.p + 8, path.len - 8), &status) || status < 400 || status > 599)
        status = 400;
    (void)snprintf(text, sizeof(text), "no: %d", (int)status);
    return (struct ws_reply){.status = (int)status, .text = text};
}

static void on_open(void *arg, struct str subprotocol)
{
    struct end *e = arg;
    printf("open %.*s\n", STR_ARG(subprotocol));
    if (e->hello && ws_send(e->c, WS_TEXT, "first", 5))
        puts("refused");
}

static void on_client_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    (void)arg;
    printf("%s %zu %08x %.*s\n", kind == WS_TEXT ? "text" : "binary", len, sum(p, len),
           kind == WS_TEXT ? (int)(len < SHOWN ? len : SHOWN) : 0, p);
}

static void on_server_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct end *e = arg;
    size_t n = 0;
    if (kind == WS_TEXT && str_starts(str_make(p, len), "close "))
        close_as(e->c, str_make(p, len));
    else if (kind == WS_TEXT && number_after(str_make(p, len), "send ", &n))
        send_bytes(e->c, n);
    else if (ws_send(e->c, kind, p, len))
        puts("refused");
}

static void on_closed(void *arg, const struct ws_end *end)
{
    struct end *e = arg;
    printf("closed %s http %d code %u reason \"%.*s\": %s\n", va_err_name(end->err),
           end->http_status, end->code, STR_ARG(end->reason), end->text);
    ws_free(&e->c);
    if (e == &app.client)
        loop_stop(app.loop);
    else
        forget(e);
}

/* ---- server --------------------------------------------------------------------------------- */

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    static const struct ws_handlers h = {.on_request = on_request,
                                         .on_open = on_open,
                                         .on_message = on_server_message,
                                         .on_closed = on_closed};
    const struct ws_cfg cfg = {.tls = app.tls, .out_max = 2 * SEND_MAX};
    struct end *e = calloc(1, sizeof(*e));
    (void)arg;
    (void)peer;
    if (!e)
        exit(1);
    list_push(&app.clients, &e->link);
    if (ws_accept(app.loop, fd, (struct str){NULL, 0}, &cfg, &h, e, &e->c))
        forget(e);
}

static int serve(int argc, char **argv)
{
    struct net_addr addr;
    struct va_fault fault;
    if (argc > 3 && tls_server_ctx_new(argv[2], argv[3], &app.tls, &fault)) {
        fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    if (net_addr_parse("127.0.0.1", 0, &addr) ||
        tcp_listen(app.loop, &addr, on_accept, NULL, &app.listener, &fault))
        return 1;
    tcp_listener_addr(app.listener, &addr);
    printf("port %u\n", net_addr_port(&addr));
    loop_run(app.loop); /* until a signal */
    list_each(&app.clients, it, tmp) forget(container_of(it, struct end, link));
    return 0;
}

/* ---- client --------------------------------------------------------------------------------- */

static void on_line(struct str line)
{
    size_t n = 0;
    if (!app.client.c)
        return;
    if (str_starts(line, "close "))
        close_as(app.client.c, line);
    else if (number_after(line, "binary ", &n))
        send_bytes(app.client.c, n);
    else if (ws_send(app.client.c, WS_TEXT, line.p, line.len))
        puts("refused");
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
    (void)h;
    (void)suggested;
    *ret = uv_buf_init(app.line + app.line_len, (unsigned)(sizeof(app.line) - app.line_len));
}

static void on_input(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    if (n < 0) {
        (void)uv_read_stop(s);
        if (app.client.c)
            ws_close(app.client.c, 1000, NULL);
        return;
    }
    app.line_len += (size_t)n;
    struct str rest = {app.line, app.line_len};
    while (rest.len && memchr(rest.p, '\n', rest.len))
        on_line(str_cut(&rest, '\n'));
    memmove(app.line, rest.p, rest.len);
    app.line_len = rest.len;
}

static void on_client_open(void *arg, struct str subprotocol)
{
    on_open(arg, subprotocol);
    (void)uv_read_start((uv_stream_t *)&app.input, on_alloc, on_input);
}

static void on_input_closed(uv_handle_t *h)
{
    (void)h;
}

static int connect_to(int argc, char **argv)
{
    static const struct ws_handlers h = {
        .on_open = on_client_open, .on_message = on_client_message, .on_closed = on_closed};
    struct tls_client_cfg tls = {.ca_setting = "WS_PEER_CA"};
    struct va_fault fault;
    const struct ws_header header = {str_of(argc > 5 ? argv[4] : ""),
                                     str_of(argc > 5 ? argv[5] : "")};
    const struct ws_target to = {
        .url = argv[2], .headers = &header, .header_count = argc > 5, .subprotocol = "echo"};
    if (argc > 3 && str_eqz(str_of(argv[3]), "insecure"))
        tls.insecure = true;
    else if (argc > 3 && argv[3][0])
        tls.ca_file = argv[3];
    if (tls_client_ctx_new(&tls, &app.tls, &fault)) {
        fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    const struct ws_cfg cfg = {.tls = app.tls, .message_max = SEND_MAX, .out_max = 2 * SEND_MAX};
    (void)uv_pipe_init(loop_uv(app.loop), &app.input, 0);
    (void)uv_pipe_open(&app.input, 0);
    if (ws_connect(app.loop, &to, &cfg, &h, &app.client, &app.client.c)) {
        puts("not a URL");
        return 1;
    }
    loop_run(app.loop);
    uv_close((uv_handle_t *)&app.input, on_input_closed);
    return 0;
}

static void on_signal(uv_signal_t *s, int number)
{
    (void)number;
    uv_close((uv_handle_t *)s, NULL);
    loop_stop(app.loop);
}

int main(int argc, char **argv)
{
    static uv_signal_t term;
    int code = 2;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    list_init(&app.clients);
    if (loop_new(NULL, 0, &app.loop))
        return 1;
    (void)uv_signal_init(loop_uv(app.loop), &term);
    (void)uv_signal_start(&term, on_signal, SIGTERM);
    uv_unref((uv_handle_t *)&term);
    if (argc > 1 && str_eqz(str_of(argv[1]), "serve"))
        code = serve(argc, argv);
    else if (argc > 2 && str_eqz(str_of(argv[1]), "connect"))
        code = connect_to(argc, argv);
    else
        fprintf(stderr, "ws_peer serve [CERT KEY] | connect URL [CA|insecure] [NAME VALUE]\n");
    tcp_listener_close(&app.listener);
    if (!uv_is_closing((uv_handle_t *)&term))
        uv_close((uv_handle_t *)&term, NULL);
    loop_free(&app.loop);
    tls_ctx_free(&app.tls);
    return code;
}
