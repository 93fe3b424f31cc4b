#include "esl/session_int.h"
#include "esl/client.h"
#include "esl/escape.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    CONNECT_TIMEOUT_MS = 5000,
    OUT_MAX = 1 << 20,
    PENDING_MAX = 1024,
    JOBS_MAX = 256,
    WINDOW = 64,
    QUEUE_BYTES = 1 << 20
};

static size_t or_default(size_t n, size_t fallback)
{
    return n ? n : fallback;
}

/* ---- what the connection tells -------------------------------------------------------------- */

static void on_connect_answer(void *arg, const struct esl_result *r)
{
    struct esl_session *s = arg;
    if (r->err == VA_ECLOSED)
        return; /* the connection ended; on_end follows */
    struct str uuid = r->event ? esl_event_uuid(r->event) : (struct str){0};
    if (r->err || !esl_uuid_ok(uuid)) {
        esl_conn_fail(s->conn, r->why ? r->why : ESL_WHY_PROTOCOL);
        return;
    }
    (void)str_copy(s->uuid, sizeof(s->uuid), uuid);
    s->connected = true;
    /* On a connection we made (bound by myevents) everything is allowed, whatever it says. */
    s->full = s->full || str_eqz(esl_event_get(r->event, "Control"), "full");
    s->async = !str_eqz(esl_event_get(r->event, "Socket-Mode"), "static");
    s->exec.answer_ends = !s->async;
    if (s->h.on_connected)
        s->h.on_connected(s->arg, r->event);
}

/* Waiters first: whoever reads the event knows then that they were told. After CHANNEL_HANGUP
 * nothing new starts, but what was running still completes before CHANNEL_HANGUP_COMPLETE. */
static void end_waiters(struct esl_session *s, const struct esl_event *ev)
{
    struct str name = esl_event_name(ev);
    if (str_eqz(name, "CHANNEL_EXECUTE_COMPLETE"))
        esl_exec_on_complete(&s->exec, ev);
    if (!str_starts(name, "CHANNEL_HANGUP") || !str_eqz(esl_event_uuid(ev), s->uuid))
        return;
    s->hungup = true;
    esl_exec_end(&s->exec, ESL_WHY_HANGUP, str_eqz(name, "CHANNEL_HANGUP_COMPLETE"));
}

static void on_arrival(void *arg, const struct esl_event *ev)
{
    end_waiters(arg, ev);
}

static void on_event(void *arg, const struct esl_event *ev)
{
    struct esl_session *s = arg;
    if (s->h.on_event)
        s->h.on_event(s->arg, ev);
}

static void on_lost(void *arg, uint64_t n)
{
    struct esl_session *s = arg;
    if (s->h.on_lost)
        s->h.on_lost(s->arg, n);
}

static void on_notice(void *arg, enum esl_notice notice, struct str text)
{
    struct esl_session *s = arg;
    if (notice == ESL_NOTICE_LINGER) { /* may come before the last completions */
        s->hungup = true;
        esl_exec_end(&s->exec, ESL_WHY_HANGUP, false);
    }
    if (!esl_conn_closed(s->conn) && s->h.on_notice)
        s->h.on_notice(s->arg, notice, text);
}

static void on_end(void *arg, enum esl_why why)
{
    struct esl_session *s = arg;
    esl_exec_end(&s->exec, why, true);
    if (!esl_conn_closed(s->conn) && s->h.on_closed)
        s->h.on_closed(s->arg, why);
}

static void on_free(void *arg)
{
    struct esl_session *s = arg;
    if (s->on_gone)
        s->on_gone(s->gone_arg);
    free(s);
}

const struct esl_conn_handlers esl_session_conn_handlers = {.on_arrival = on_arrival,
                                                            .on_event = on_event,
                                                            .on_lost = on_lost,
                                                            .on_notice = on_notice,
                                                            .on_end = on_end,
                                                            .on_free = on_free};

/* ---- life ----------------------------------------------------------------------------------- */

enum va_err esl_session_send_connect(struct esl_session *s)
{
    struct buf b;
    buf_init(&b, 16);
    (void)buf_addz(&b, "connect\n\n");
    struct esl_then then = {on_connect_answer, s, s->connect_timeout_ms};
    enum va_err err = esl_conn_send(s->conn, &b, ESL_REQUEST_COMMAND, &then);
    buf_free(&b);
    return err;
}

struct esl_session *esl_session_make(const struct esl_session_cfg *cfg,
                                     const struct esl_session_handlers *h, void *arg)
{
    struct esl_session *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->sw.ops = &esl_session_switch_ops;
    s->h = *h;
    s->arg = arg;
    s->out_max = or_default(cfg->out_max, OUT_MAX);
    s->connect_timeout_ms = cfg->connect_timeout_ms ? cfg->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    return s;
}

void esl_session_attach(struct esl_session *s, const struct esl_session_cfg *cfg,
                        struct esl_conn *conn)
{
    s->conn = conn;
    esl_exec_init(&s->exec, conn, cfg->exec_inflight_max, cfg->exec_queue_max, s->out_max);
}

struct esl_conn_cfg esl_session_conn_cfg(const struct esl_session_cfg *cfg)
{
    return (struct esl_conn_cfg){.parser = {cfg->head_max, cfg->body_max},
                                 .out_max = or_default(cfg->out_max, OUT_MAX),
                                 .pending_max = or_default(cfg->pending_max, PENDING_MAX),
                                 .jobs_max = or_default(cfg->jobs_max, JOBS_MAX),
                                 .window = or_default(cfg->window, WINDOW),
                                 .queue = cfg->queue,
                                 .queue_bytes = QUEUE_BYTES};
}

enum va_err esl_session_open(struct loop *loop, int fd, const struct esl_session_cfg *cfg,
                             const struct esl_session_handlers *h, void *arg,
                             struct esl_session **ret_session)
{
    static const struct esl_session_cfg defaults = {0};
    cfg = cfg ? cfg : &defaults;
    struct esl_conn_cfg cc = esl_session_conn_cfg(cfg);
    struct esl_conn *conn = NULL;
    struct esl_session *s = loop && h ? esl_session_make(cfg, h, arg) : NULL;
    if (!s) {
        (void)close(fd);
        return loop && h ? VA_ENOMEM : VA_EINVAL;
    }
    enum va_err err = esl_conn_adopt(loop, fd, &cc, &esl_session_conn_handlers, s, &conn);
    if (err) {
        free(s);
        return err;
    }
    esl_session_attach(s, cfg, conn);
    err = esl_session_send_connect(s);
    if (err) {
        esl_conn_close(s->conn);
        return err == VA_ENOMEM ? err : VA_EIO;
    }
    *ret_session = s;
    return VA_OK;
}

void esl_session_close(struct esl_session **ps)
{
    struct esl_session *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    esl_client_close(&s->dialer);
    if (!s->conn) {
        free(s);
        return;
    }
    esl_exec_clear(&s->exec);
    esl_conn_close(s->conn); /* may free s */
}

void esl_session_refuse(int fd)
{
    (void)close(fd);
}

struct str esl_session_uuid(const struct esl_session *s)
{
    return str_of(s->connected ? s->uuid : "");
}

bool esl_session_connected(const struct esl_session *s)
{
    return s->connected;
}

bool esl_session_hungup(const struct esl_session *s)
{
    return s->hungup;
}

bool esl_session_full(const struct esl_session *s)
{
    return s->full;
}

bool esl_session_async(const struct esl_session *s)
{
    return s->async;
}

struct esl_switch *esl_session_switch(struct esl_session *s)
{
    return &s->sw;
}

void esl_session_forget(struct esl_session *s, const void *arg)
{
    if (!s->conn)
        return;
    esl_conn_forget(s->conn, arg);
    esl_exec_forget(&s->exec, arg);
}

void esl_session_drop_executes(struct esl_session *s, const void *arg)
{
    if (s->conn)
        esl_exec_drop(&s->exec, arg);
}

void esl_session_stats(const struct esl_session *s, struct esl_session_stats *ret_stats)
{
    struct esl_conn_stats c = {0};
    if (s->conn)
        esl_conn_stats(s->conn, &c);
    *ret_stats = (struct esl_session_stats){.events = c.events,
                                            .replies = c.replies,
                                            .late = c.late,
                                            .unsolicited = c.unsolicited,
                                            .flawed = c.flawed,
                                            .pending = c.pending,
                                            .jobs = c.jobs,
                                            .exec_inflight = s->exec.inflight.tab.count,
                                            .exec_queued = s->exec.queued,
                                            .queue = c.queue};
}
