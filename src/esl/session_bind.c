/*
 * A session over a connection of ours:
 *
 *     client: connect, authenticate ─► its connection becomes the session's ─► myevents ─► connect
 */
#include "esl/client_int.h"
#include "esl/escape.h"
#include "esl/session_int.h"

#include <stdlib.h>

static void on_bound(void *arg, const struct esl_result *r)
{
    struct esl_session *s = arg;
    if (r->err == VA_ECLOSED)
        return; /* on_end follows */
    if (r->err || esl_session_send_connect(s))
        esl_conn_fail(s->conn, r->why ? r->why : ESL_WHY_IO);
}

static enum va_err ask(struct esl_session *s)
{
    char uuid[SESSION_UUID_MAX + 1];
    struct buf b;
    const struct esl_then then = {on_bound, s, s->connect_timeout_ms};
    (void)str_copy(uuid, sizeof(uuid), str_of(s->uuid));
    s->uuid[0] = 0; /* not ours before FreeSWITCH says so */
    buf_init(&b, 256);
    /* Without a format an unknown uuid is answered +OK and every channel's events come. The format
     * named here is ignored, so another one is switched to by a command that has no other effect
     * (both: esl.md §1.5). */
    if (s->bind_format != ESL_PLAIN) {
        (void)buf_addf(&b, "event %s\n\n", s->bind_format == ESL_JSON ? "json" : "xml");
        enum va_err err = esl_conn_send(s->conn, &b, ESL_REQUEST_COMMAND, NULL);
        buf_reset(&b);
        if (err) {
            buf_free(&b);
            return err;
        }
    }
    (void)buf_addf(&b, "myevents %s plain\n\n", uuid);
    enum va_err err = esl_conn_send(s->conn, &b, ESL_REQUEST_COMMAND, &then);
    buf_free(&b);
    return err;
}

static void on_ready(void *arg, bool again)
{
    struct esl_session *s = arg;
    const struct esl_session_cfg cfg = {0};
    (void)again;
    esl_session_attach(s, &cfg, client_give_conn(s->dialer));
    esl_conn_rebind(s->conn, &esl_session_conn_handlers, s);
    esl_client_close(&s->dialer);
    s->full = true;
    s->format = s->bind_format;
    if (ask(s))
        esl_conn_fail(s->conn, ESL_WHY_IO);
}

static void on_down(void *arg, const struct esl_down *down)
{
    struct esl_session *s = arg;
    esl_client_close(&s->dialer);
    if (s->h.on_closed)
        s->h.on_closed(s->arg, down->why);
}

enum va_err esl_session_bind(struct loop *loop, const struct esl_client_cfg *to, const char *uuid,
                             const struct esl_session_cfg *cfg,
                             const struct esl_session_handlers *h, void *arg,
                             struct esl_session **ret_session)
{
    static const struct esl_client_handlers handlers = {.on_ready = on_ready, .on_down = on_down};
    static const struct esl_session_cfg defaults = {0};
    struct esl_client_cfg once = to ? *to : (struct esl_client_cfg){0};
    once.max_attempts = 1;
    if (!loop || !h || !uuid || !esl_uuid_ok(str_of(uuid)))
        return VA_EINVAL;
    struct esl_session *s = esl_session_make(cfg ? cfg : &defaults, h, arg);
    if (!s)
        return VA_ENOMEM;
    (void)str_copy(s->uuid, sizeof(s->uuid), str_of(uuid));
    s->bind_format = once.format;
    enum va_err err = esl_client_open(loop, &once, &handlers, s, &s->dialer);
    if (err) {
        free(s);
        return err;
    }
    *ret_session = s;
    return VA_OK;
}
