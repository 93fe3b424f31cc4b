#include "esl/server.h"
#include "esl/session_int.h"

#include <stdlib.h>
#include <unistd.h>

enum { PORT = 8022, SESSIONS_MAX = 100 };

struct esl_server {
    struct loop *loop;
    struct tcp_listener *listener;
    struct esl_server_cfg cfg;
    struct esl_server_handlers h;
    void *arg;
    size_t sessions;
    bool closed; /* by the application; the memory goes with the last session */
};

static void release(struct esl_server *s)
{
    if (s->closed && s->sessions == 0)
        free(s);
}

static void on_gone(void *arg)
{
    struct esl_server *s = arg;
    s->sessions--;
    release(s);
}

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    struct esl_server *s = arg;
    struct esl_session *session = NULL;
    char ip[NET_ADDR_TEXT];
    net_addr_ip(peer, ip);
    if (s->sessions >= s->cfg.sessions_max) {
        esl_session_refuse(fd);
        if (s->h.on_refused)
            s->h.on_refused(s->arg, ip);
        return;
    }
    if (esl_session_open(s->loop, fd, &s->cfg.session, &s->h.session, NULL, &session))
        return; /* no memory: the socket is closed and the dialplan goes on */
    s->sessions++;
    session->on_gone = on_gone;
    session->gone_arg = s;
    /* Nothing of the session is called before the loop turns, so the arg is there in time. The
     * application may close it right here. */
    struct esl_conn *conn = session->conn;
    esl_conn_enter(conn);
    void *session_arg = s->h.on_session(s->arg, session, ip);
    if (!esl_conn_closed(conn))
        session->arg = session_arg;
    esl_conn_leave(conn);
}

enum va_err esl_server_open(struct loop *loop, const struct esl_server_cfg *cfg,
                            const struct esl_server_handlers *h, void *arg,
                            struct esl_server **ret_server, struct va_fault *fault)
{
    struct esl_server_cfg full = cfg ? *cfg : (struct esl_server_cfg){0};
    const char *host = full.host ? full.host : "0.0.0.0";
    struct net_addr addr;
    if (!full.port && !full.any_port)
        full.port = PORT;
    if (!full.sessions_max)
        full.sessions_max = SESSIONS_MAX;
    if (!h || !h->on_session || net_addr_parse(host, full.any_port ? 0 : full.port, &addr))
        return va_fault_set(fault, VA_EINVAL, "%s is not an IP address to listen at", host);
    struct esl_server *s = calloc(1, sizeof(*s));
    if (!s)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    s->loop = loop;
    s->cfg = full;
    s->cfg.host = NULL; /* the caller's */
    s->h = *h;
    s->arg = arg;
    enum va_err err = tcp_listen(loop, &addr, on_accept, s, &s->listener, fault);
    if (err) {
        free(s);
        return err;
    }
    *ret_server = s;
    return VA_OK;
}

uint16_t esl_server_port(const struct esl_server *s)
{
    struct net_addr addr;
    tcp_listener_addr(s->listener, &addr);
    return net_addr_port(&addr);
}

size_t esl_server_sessions(const struct esl_server *s)
{
    return s->sessions;
}

void esl_server_close(struct esl_server **ps)
{
    struct esl_server *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    tcp_listener_close(&s->listener);
    s->closed = true;
    release(s);
}
