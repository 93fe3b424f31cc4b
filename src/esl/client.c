/*
 * Life of the client: one state, one setter, a table of allowed moves. Whatever ends a connection
 * comes through on_end() of the connection; whatever ends an attempt, through down().
 */
#include "esl/client_int.h"
#include "esl/command.h"
#include "esl/escape.h"

#include <assert.h>
#include <stdlib.h>

enum {
    QUEUE_BYTES = 16 << 20,
    SETTLE_MS = 300 /* of quiet, after which a cut `userauth` reply is taken as it is */
};

#define TO(state) (1u << (state))
static const unsigned moves[CLIENT_STATES] = {
    [CLIENT_STOPPED] = TO(CLIENT_RESOLVING),
    [CLIENT_RESOLVING] = TO(CLIENT_CONNECTING) | TO(CLIENT_WAITING) | TO(CLIENT_STOPPED),
    [CLIENT_CONNECTING] =
        TO(CLIENT_CONNECTING) | TO(CLIENT_GREETING) | TO(CLIENT_WAITING) | TO(CLIENT_STOPPED),
    [CLIENT_GREETING] = TO(CLIENT_AUTHENTICATING) | TO(CLIENT_WAITING) | TO(CLIENT_STOPPED),
    [CLIENT_AUTHENTICATING] = TO(CLIENT_RESTORING) | TO(CLIENT_WAITING) | TO(CLIENT_STOPPED),
    [CLIENT_RESTORING] = TO(CLIENT_READY) | TO(CLIENT_WAITING) | TO(CLIENT_STOPPED),
    [CLIENT_READY] = TO(CLIENT_WAITING) | TO(CLIENT_STOPPED),
    [CLIENT_WAITING] = TO(CLIENT_RESOLVING) | TO(CLIENT_STOPPED),
};

static void set_state(struct esl_client *c, enum client_state to)
{
    bool allowed = moves[c->state] & TO(to);
    assert(allowed);
    (void)allowed;
    c->state = to;
}

void client_enter(struct esl_client *c)
{
    c->refs++;
}

void client_leave(struct esl_client *c)
{
    if (--c->refs)
        return;
    free(c->host);
    free(c->user);
    free(c->password);
    free(c);
}

/* ---- down ----------------------------------------------------------------------------------- */

/* These do not heal by asking again soon: a person has to change something. */
static bool is_refusal(enum esl_why why)
{
    return why == ESL_WHY_AUTH || why == ESL_WHY_ACL || why == ESL_WHY_NOT_ESL;
}

static uint64_t pause_ms(const struct esl_client *c, enum esl_why why)
{
    uint64_t ms = c->cfg.reconnect_delay_ms;
    for (unsigned i = 1; i < c->attempts && ms < c->cfg.reconnect_max_ms; i++)
        ms *= 2;
    if (is_refusal(why) || ms > c->cfg.reconnect_max_ms)
        ms = c->cfg.reconnect_max_ms;
    /* Half of it at random, so that many clients of one FreeSWITCH do not come back at once. */
    return ms - ms / 2 + rand_below((uint32_t)(ms / 2) + 1);
}

static enum va_err why_to_err(const struct esl_client *c, enum esl_why why)
{
    enum va_err io = c->conn ? esl_conn_io_err(c->conn) : VA_OK;
    switch (why) {
    case ESL_WHY_AUTH:
    case ESL_WHY_ACL: return VA_EAUTH;
    case ESL_WHY_RESOLVE: return VA_ENOTFOUND;
    case ESL_WHY_CONNECT: return io ? io : VA_ETIMEOUT;
    case ESL_WHY_SILENT:
    case ESL_WHY_HALF_OPEN: return VA_ETIMEOUT;
    case ESL_WHY_NOT_ESL:
    case ESL_WHY_PROTOCOL: return VA_EPROTO;
    case ESL_WHY_MEMORY: return VA_ENOMEM;
    default: return VA_ECLOSED;
    }
}

/* An attempt or a connection ended. c->conn is only still there to tell about itself. */
static void down(struct esl_client *c, enum esl_why why)
{
    struct buf text;
    buf_init(&text, 1024);
    client_explain(c, why, &text);
    c->attempts = c->was_ready ? 0 : c->attempts + 1;
    struct esl_down d = {.why = why,
                         .err = why_to_err(c, why),
                         .was_ready = c->was_ready,
                         .attempts = c->attempts,
                         .final = c->cfg.max_attempts && c->attempts >= c->cfg.max_attempts};
    d.text = text.len ? buf_z(&text) : esl_why_text(why);
    d.retry_ms = d.final ? 0 : pause_ms(c, why);
    c->was_ready = false;
    tmr_stop(&c->idle);
    set_state(c, d.final ? CLIENT_STOPPED : CLIENT_WAITING);
    if (d.final)
        tmr_stop(&c->timer);
    else
        tmr_start(&c->timer, c->loop, d.retry_ms, client_start, c);
    client_enter(c);
    client_end_waiters(c, why);
    if (!c->closed && c->h.on_down)
        c->h.on_down(c->arg, &d);
    client_leave(c);
    buf_free(&text);
}

void client_add_totals(struct esl_client_stats *t, const struct esl_conn_stats *s)
{
    t->events += s->events;
    t->replies += s->replies;
    t->late += s->late;
    t->unsolicited += s->unsolicited;
    t->flawed += s->flawed;
    t->queue.queued += s->queue.queued;
    t->queue.dropped += s->queue.dropped;
    t->queue.dropped_control += s->queue.dropped_control;
    if (s->queue.bytes_peak > t->queue.bytes_peak)
        t->queue.bytes_peak = s->queue.bytes_peak;
}

static void drop_conn(struct esl_client *c)
{
    struct esl_conn_stats s;
    esl_conn_stats(c->conn, &s);
    client_add_totals(&c->totals, &s);
    client_forget_sent(c);
    struct esl_conn *conn = c->conn;
    c->conn = NULL;
    esl_conn_close(conn);
}

/* ---- a connection --------------------------------------------------------------------------- */

static void try_next(struct esl_client *c);

static uint64_t quiet_ms(const struct esl_client *c)
{
    return (loop_now_us(c->loop) - esl_conn_heard_us(c->conn)) / 1000;
}

static void on_settle(void *arg)
{
    struct esl_client *c = arg;
    uint64_t quiet = quiet_ms(c);
    bool over = quiet >= SETTLE_MS;
    client_enter(c);
    if (over)
        esl_conn_settle(c->conn);
    if (!c->closed && c->state == CLIENT_AUTHENTICATING)
        tmr_start(&c->idle, c->loop, over ? SETTLE_MS : SETTLE_MS - quiet, on_settle, c);
    client_leave(c);
}

static void on_quiet(void *arg);

static void become_ready(struct esl_client *c)
{
    bool again = c->ever_ready;
    set_state(c, CLIENT_READY);
    c->was_ready = c->ever_ready = true;
    c->attempts = 0;
    c->totals.connects++;
    tmr_stop(&c->timer);
    tmr_start(&c->idle, c->loop, c->cfg.idle_ms, on_quiet, c);
    if (c->h.on_ready)
        c->h.on_ready(c->arg, again);
}

static void on_restored(void *arg, const struct esl_result *r)
{
    struct esl_client *c = arg;
    if (r->err == VA_ECLOSED || c->state != CLIENT_RESTORING)
        return; /* on_end follows */
    /* A subscription that is refused now was refused before too: its asker knows. */
    if (--c->restoring == 0)
        become_ready(c);
}

static void on_auth(void *arg, const struct esl_result *r)
{
    struct esl_client *c = arg;
    tmr_stop(&c->idle);
    if (r->err == VA_ECLOSED || c->state != CLIENT_AUTHENTICATING)
        return; /* on_end follows */
    if (r->err) {
        esl_conn_fail(c->conn, ESL_WHY_AUTH);
        return;
    }
    set_state(c, CLIENT_RESTORING);
    if (client_restore(c, &(struct esl_then){on_restored, c, 0}, &c->restoring))
        esl_conn_fail(c->conn, ESL_WHY_MEMORY);
    else if (c->restoring == 0)
        become_ready(c);
}

static enum va_err authenticate(struct esl_client *c)
{
    struct buf secret;
    const struct esl_then then = {on_auth, c, 0};
    buf_init(&secret, 4096);
    if (c->user)
        (void)buf_addf(&secret, "%s:", c->user);
    (void)buf_addz(&secret, c->password);
    enum va_err err = secret.err;
    if (!err)
        err = client_send_line(c, c->user ? "userauth" : "auth", buf_str(&secret), &then);
    if (secret.p)
        explicit_bzero(secret.p, secret.len);
    buf_free(&secret);
    return err;
}

static void on_other(void *arg, const struct esl_message *m)
{
    struct esl_client *c = arg;
    if (m->type == ESL_MSG_LOG && c->h.on_log) {
        struct str level = str_trim(esl_message_get(m, "Log-Level"));
        c->h.on_log(c->arg, level.len == 1 ? level.p[0] - '0' : 0, m->body);
    } else if (m->type == ESL_MSG_REJECTION) {
        esl_conn_fail(c->conn, ESL_WHY_ACL);
    } else if (m->type == ESL_MSG_AUTH_REQUEST && c->state == CLIENT_GREETING) {
        set_state(c, CLIENT_AUTHENTICATING);
        if (c->user)
            tmr_start(&c->idle, c->loop, SETTLE_MS, on_settle, c);
        enum va_err err = authenticate(c);
        if (err)
            esl_conn_fail(c->conn, err == VA_ENOMEM ? ESL_WHY_MEMORY : ESL_WHY_IO);
    }
}

static void on_open(void *arg)
{
    set_state(arg, CLIENT_GREETING);
}

static void on_arrival(void *arg, const struct esl_event *ev)
{
    client_on_arrival(arg, ev);
}

static void on_event(void *arg, const struct esl_event *ev)
{
    client_on_event(arg, ev);
}

static void on_lost(void *arg, uint64_t n)
{
    struct esl_client *c = arg;
    if (c->h.on_lost)
        c->h.on_lost(c->arg, n);
}

static void on_notice(void *arg, enum esl_notice notice, struct str text)
{
    (void)arg; /* on_end follows, and says which */
    (void)notice;
    (void)text;
}

static void on_end(void *arg, enum esl_why why)
{
    struct esl_client *c = arg;
    tmr_stop(&c->timer);
    tmr_stop(&c->idle);
    /* The host may have more addresses, of which one listens. */
    bool next = c->state == CLIENT_CONNECTING && c->addr_next < c->addr_count;
    client_enter(c);
    if (next) {
        drop_conn(c);
        try_next(c);
    } else {
        struct esl_conn *conn = c->conn; /* client_explain() reads it */
        down(c, why);
        if (!c->closed && c->conn == conn)
            drop_conn(c);
    }
    client_leave(c);
}

static void on_free(void *arg)
{
    client_leave(arg);
}

static const struct esl_conn_handlers conn_handlers = {on_open,  on_arrival, on_event, on_lost,
                                                       on_other, on_notice,  on_end,   on_free};

/* ---- what takes too long -------------------------------------------------------------------- */

static void on_slow(void *arg)
{
    struct esl_client *c = arg;
    static const enum esl_why why[CLIENT_STATES] = {[CLIENT_CONNECTING] = ESL_WHY_CONNECT,
                                                    [CLIENT_GREETING] = ESL_WHY_SILENT,
                                                    [CLIENT_AUTHENTICATING] = ESL_WHY_HALF_OPEN,
                                                    [CLIENT_RESTORING] = ESL_WHY_HALF_OPEN};
    esl_conn_fail(c->conn, why[c->state]);
}

static void on_sign_of_life(void *arg, const struct esl_result *r)
{
    struct esl_client *c = arg;
    if (r->err == VA_ETIMEOUT && c->state == CLIENT_READY)
        esl_conn_fail(c->conn, ESL_WHY_HALF_OPEN);
}

/* Nothing came for a while. A command that runs long is answered by nothing, so only a connection
 * that owes nothing is asked, and one that owes only what is overdue is given up. The question is a
 * command that does not exist: it costs FreeSWITCH nothing and needs no permission. */
static void on_quiet(void *arg)
{
    struct esl_client *c = arg;
    struct esl_conn_stats s;
    uint64_t ms = quiet_ms(c);
    bool quiet = ms >= c->cfg.idle_ms;
    esl_conn_stats(c->conn, &s);
    tmr_start(&c->idle, c->loop, c->cfg.idle_ms - (quiet ? 0 : ms), on_quiet, c);
    if (!quiet)
        return;
    if (s.pending && s.pending == s.overdue) {
        esl_conn_fail(c->conn, ESL_WHY_HALF_OPEN);
    } else if (!s.pending) {
        const struct esl_then then = {on_sign_of_life, c, c->cfg.read_timeout_ms};
        if (client_send_line(c, "ping", (struct str){0}, &then))
            esl_conn_fail(c->conn, ESL_WHY_IO);
    }
}

/* ---- an attempt ----------------------------------------------------------------------------- */

static struct esl_conn_cfg conn_cfg(const struct esl_client_cfg *cfg)
{
    return (struct esl_conn_cfg){.parser = {cfg->head_max, cfg->body_max},
                                 .out_max = cfg->out_max,
                                 .pending_max = cfg->pending_max,
                                 .jobs_max = cfg->jobs_max,
                                 .window = cfg->window,
                                 .reply_ms = cfg->read_timeout_ms,
                                 .queue = cfg->queue,
                                 .queue_bytes = QUEUE_BYTES,
                                 .greet = true};
}

static void try_next(struct esl_client *c)
{
    const struct esl_conn_cfg cc = conn_cfg(&c->cfg);
    enum va_err err = VA_ECLOSED;
    set_state(c, CLIENT_CONNECTING);
    while (err && c->addr_next < c->addr_count) {
        const struct net_addr *to = &c->addrs[c->addr_next++];
        /* The limit of the whole attempt is c->timer. */
        err = esl_conn_connect(c->loop, to, UINT64_MAX, &cc, &conn_handlers, c, &c->conn);
    }
    if (err) {
        down(c, err == VA_ENOMEM ? ESL_WHY_MEMORY : ESL_WHY_CONNECT);
        return;
    }
    c->refs++; /* until its on_free */
    tmr_start(&c->timer, c->loop, c->cfg.connect_timeout_ms, on_slow, c);
}

static void on_resolved(void *arg, enum va_err err, const struct net_addr *addrs, size_t count)
{
    struct esl_client *c = arg;
    c->resolve = NULL;
    if (err) {
        down(c, ESL_WHY_RESOLVE);
        return;
    }
    memcpy(c->addrs, addrs, count * sizeof(*addrs));
    c->addr_count = count;
    c->addr_next = 0;
    try_next(c);
}

void client_start(void *arg)
{
    struct esl_client *c = arg;
    set_state(c, CLIENT_RESOLVING);
    enum va_err err = resolve_start(c->loop, c->host, c->cfg.port, on_resolved, c, &c->resolve);
    if (err)
        down(c, err == VA_ENOMEM ? ESL_WHY_MEMORY : ESL_WHY_RESOLVE);
}

struct esl_conn *client_give_conn(struct esl_client *c)
{
    struct esl_conn *conn = c->conn;
    c->conn = NULL;
    c->refs--; /* its on_free goes to the new owner */
    tmr_stop(&c->idle);
    set_state(c, CLIENT_STOPPED);
    return conn;
}
