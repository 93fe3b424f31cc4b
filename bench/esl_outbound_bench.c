/*
 * Our side of outbound calls, for a load generator to dial: `connect`, one api command, `exit`.
 *     esl_outbound_bench [hold]     prints `port N`, runs until SIGTERM, then tells what it served
 * With `hold` a session is kept after its `connect`, so that the memory of one can be measured.
 * One loop, one thread. bench/esl.sh runs it against tests/fakes.
 */
#include "esl/session.h"
#include "net/tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct server {
    struct loop *loop;
    bool hold;
    uint64_t served, failed;
};

struct one {
    struct server *server;
    struct esl_session *session;
};

static void release(struct one *o)
{
    esl_session_close(&o->session);
    free(o);
}

static void on_status(void *arg, const struct esl_result *r)
{
    struct one *o = arg;
    if (r->err || esl_session_exit(o->session, NULL))
        o->server->failed++;
}

static void on_connected(void *arg, const struct esl_event *channel)
{
    struct one *o = arg;
    (void)channel;
    if (!o->server->hold && esl_session_api(o->session, str_of("status"),
                                            &(struct esl_then){.on_result = on_status, .arg = o}))
        o->server->failed++;
}

static void on_closed(void *arg, enum esl_why why)
{
    struct one *o = arg;
    if (why == ESL_WHY_NOTICE || why == ESL_WHY_EOF)
        o->server->served++;
    else
        o->server->failed++;
    release(o);
}

static const struct esl_session_handlers handlers = {.on_connected = on_connected,
                                                     .on_closed = on_closed};

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    struct one *o = calloc(1, sizeof(*o));
    (void)peer;
    if (!o) {
        esl_session_refuse(fd);
        return;
    }
    o->server = arg;
    if (esl_session_open(o->server->loop, fd, NULL, &handlers, o, &o->session)) {
        o->server->failed++;
        free(o);
    }
}

static void on_term(uv_signal_t *handle, int signum)
{
    (void)signum;
    loop_stop(handle->data);
}

int main(int argc, char **argv)
{
    struct server s = {.hold = argc > 1 && strcmp(argv[1], "hold") == 0};
    struct tcp_listener *listener = NULL;
    struct va_fault fault = {0};
    struct net_addr addr;
    uv_signal_t term;
    if (loop_new(NULL, 0, &s.loop) || net_addr_parse("127.0.0.1", 0, &addr) ||
        tcp_listen(s.loop, &addr, on_accept, &s, &listener, &fault)) {
        (void)fprintf(stderr, "esl_outbound_bench: %s\n", fault.text);
        return 2;
    }
    (void)uv_signal_init(loop_uv(s.loop), &term);
    term.data = s.loop;
    (void)uv_signal_start(&term, on_term, SIGTERM);
    tcp_listener_addr(listener, &addr);
    (void)printf("port %u\n", net_addr_port(&addr));
    (void)fflush(stdout);
    loop_run(s.loop);
    (void)printf("{\"served\":%llu,\"failed\":%llu}\n", (unsigned long long)s.served,
                 (unsigned long long)s.failed);
    return 0; /* what is open goes with the process */
}
