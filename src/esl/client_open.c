/* Birth and end of a client, its defaults and its figures. */
#include "esl/client_int.h"
#include "esl/escape.h"

#include <stdlib.h>

enum {
    PORT = 8021,
    CONNECT_MS = 5000,
    READ_MS = 30000,
    IDLE_MS = 15000,
    RECONNECT_MS = 2000,
    RECONNECT_MAX_MS = 60000,
    WINDOW = 64,
    PENDING_MAX = 8192,
    OUT_MAX = 4 << 20
};

static void fill(struct esl_client_cfg *cfg)
{
#define DEFAULT(field, value) cfg->field = cfg->field ? cfg->field : (value)
    DEFAULT(host, "127.0.0.1");
    DEFAULT(port, PORT);
    DEFAULT(password, "ClueCon");
    DEFAULT(connect_timeout_ms, CONNECT_MS);
    DEFAULT(read_timeout_ms, READ_MS);
    DEFAULT(idle_ms, IDLE_MS);
    DEFAULT(reconnect_delay_ms, RECONNECT_MS);
    DEFAULT(reconnect_max_ms, RECONNECT_MAX_MS);
    DEFAULT(window, WINDOW);
    DEFAULT(pending_max, PENDING_MAX);
    DEFAULT(jobs_max, PENDING_MAX);
    DEFAULT(out_max, OUT_MAX);
#undef DEFAULT
}

/* Longest pause that fits the arithmetic: half of it must fit 32 bits. */
enum { PAUSE_LIMIT_MS = 1 << 30 };

static bool cfg_ok(const struct esl_client_cfg *cfg)
{
    struct str host = str_of(cfg->host), user = str_of(cfg->user);
    return (unsigned)cfg->format <= ESL_XML && host.len && esl_line_ok(host) &&
           !memchr(host.p, ' ', host.len) && esl_line_ok(user) && (!cfg->user || user.len) &&
           esl_line_ok(str_of(cfg->password)) && cfg->reconnect_delay_ms <= PAUSE_LIMIT_MS &&
           cfg->reconnect_max_ms <= PAUSE_LIMIT_MS;
}

enum va_err esl_client_open(struct loop *loop, const struct esl_client_cfg *cfg,
                            const struct esl_client_handlers *h, void *arg,
                            struct esl_client **ret_client)
{
    struct esl_client_cfg full = cfg ? *cfg : (struct esl_client_cfg){0};
    fill(&full);
    if (!loop || !h || !cfg_ok(&full))
        return VA_EINVAL;
    struct esl_client *c = calloc(1, sizeof(*c));
    if (!c)
        return VA_ENOMEM;
    c->refs = 1;
    c->sw.ops = &client_switch_ops;
    c->loop = loop;
    c->cfg = full;
    c->h = *h;
    c->arg = arg;
    c->log_level = -1;
    list_init(&c->subs);
    list_init(&c->filters);
    list_init(&c->listeners);
    list_init(&c->waits);
    list_init(&c->running);
    c->host = str_dup(str_of(full.host));
    c->user = full.user ? str_dup(str_of(full.user)) : NULL;
    c->password = str_dup(str_of(full.password));
    if (!c->host || !c->password || (full.user && !c->user)) {
        client_leave(c);
        return VA_ENOMEM;
    }
    c->cfg.host = c->host;
    c->cfg.user = c->user;
    c->cfg.password = c->password;
    tmr_start(&c->timer, loop, 0, client_start, c);
    *ret_client = c;
    return VA_OK;
}

void esl_client_close(struct esl_client **pc)
{
    struct esl_client *c = pc ? *pc : NULL;
    if (!c)
        return;
    *pc = NULL;
    c->closed = true;
    tmr_stop(&c->timer);
    tmr_stop(&c->idle);
    resolve_cancel(&c->resolve);
    client_free_listeners(c);
    client_free_subs(c);
    client_free_filters(c);
    if (c->conn) {
        struct esl_conn *conn = c->conn;
        c->conn = NULL;
        esl_conn_close(conn);
    }
    client_leave(c);
}

bool esl_client_connected(const struct esl_client *c)
{
    return c->state == CLIENT_READY && !esl_conn_ended(c->conn);
}

void esl_client_stats(const struct esl_client *c, struct esl_client_stats *ret_stats)
{
    *ret_stats = c->totals;
    if (!c->conn)
        return;
    struct esl_conn_stats s;
    esl_conn_stats(c->conn, &s);
    client_add_totals(ret_stats, &s);
    ret_stats->pending = s.pending;
    ret_stats->jobs = s.jobs;
    ret_stats->queue.events = s.queue.events;
    ret_stats->queue.bytes = s.queue.bytes;
}
