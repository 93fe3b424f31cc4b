/* The requests of a client: each builds its text in one buffer and sends it in one piece. */
#include "esl/client_int.h"
#include "esl/command.h"
#include "esl/escape.h"

const struct esl_then *client_limit(const struct esl_client *c, const struct esl_then *then,
                                    struct esl_then *room)
{
    if (!then || !esl_client_connected(c))
        return NULL;
    *room = *then;
    if (!room->timeout_ms)
        room->timeout_ms = c->cfg.read_timeout_ms;
    return room;
}

enum va_err client_send_line(struct esl_client *c, const char *verb, struct str rest,
                             const struct esl_then *then)
{
    struct buf b;
    if (!c->conn)
        return VA_ECLOSED;
    buf_init(&b, c->cfg.out_max);
    esl_command_line(&b, verb, rest);
    esl_command_end(&b);
    enum va_err err = esl_conn_send(c->conn, &b, ESL_REQUEST_UPKEEP, then);
    if (b.p) /* it may be the password */
        explicit_bzero(b.p, b.len);
    buf_free(&b);
    return err;
}

/* The buffer, its failure included, is freed. */
static enum va_err send_built(struct esl_client *c, struct buf *b, enum esl_request kind,
                              const struct esl_then *then)
{
    struct esl_then limited;
    enum va_err err = esl_conn_send(c->conn, b, kind, client_limit(c, then, &limited));
    buf_free(b);
    return err;
}

enum va_err esl_client_command(struct esl_client *c, struct str text, const struct esl_then *then)
{
    struct buf b;
    if (!esl_client_connected(c))
        return VA_ECLOSED;
    buf_init(&b, c->cfg.out_max);
    enum va_err err = esl_command_free_line(&b, text);
    if (!err)
        return send_built(c, &b, ESL_REQUEST_COMMAND, then);
    buf_free(&b);
    return err;
}

enum va_err esl_client_api(struct esl_client *c, struct str text, const struct esl_then *then)
{
    struct buf b;
    if (!text.len || !esl_line_ok(text))
        return VA_EINVAL;
    if (!esl_client_connected(c))
        return VA_ECLOSED;
    buf_init(&b, c->cfg.out_max);
    esl_command_line(&b, "api", text);
    esl_command_end(&b);
    return send_built(c, &b, ESL_REQUEST_API, then);
}

enum va_err esl_client_bgapi(struct esl_client *c, struct str text, const struct esl_then *then)
{
    if (!text.len || !esl_line_ok(text))
        return VA_EINVAL;
    if (!esl_client_connected(c))
        return VA_ECLOSED;
    enum va_err err = client_need_jobs(c);
    return err ? err : esl_conn_bgapi(c->conn, text, then);
}

static enum va_err switch_api(struct esl_switch *sw, struct str text, const struct esl_then *then)
{
    return esl_client_api(container_of(sw, struct esl_client, sw), text, then);
}

static enum va_err switch_bgapi(struct esl_switch *sw, struct str text, const struct esl_then *then)
{
    return esl_client_bgapi(container_of(sw, struct esl_client, sw), text, then);
}

const struct esl_switch_ops client_switch_ops = {switch_api, switch_bgapi};

struct esl_switch *esl_client_switch(struct esl_client *c)
{
    return &c->sw;
}

enum va_err esl_client_execute(struct esl_client *c, const char *uuid, const struct esl_execute *x,
                               const struct esl_then *then)
{
    if (!esl_execute_ok(x) || !uuid || !esl_uuid_ok(str_of(uuid)))
        return VA_EINVAL;
    if (!esl_client_connected(c))
        return VA_ECLOSED;
    enum va_err err = client_need_life(c);
    struct client_channel *ch = err ? NULL : client_channel(c, str_of(uuid));
    struct esl_waiter *w = ch ? esl_waiter_new(&ch->exec, then) : NULL;
    if (w) {
        ch->exec.conn = c->conn;
        buf_init(&w->text, c->cfg.out_max);
        esl_command_execute(&w->text, uuid, w->uuid, x);
        err = esl_exec_start(&ch->exec, w);
        if (err)
            esl_waiter_free(w);
        else if (!link_linked(&ch->running))
            list_push(&c->running, &ch->running);
    } else if (!err) {
        err = VA_ENOMEM;
    }
    if (err && ch)
        client_release_channel(ch);
    return err;
}

enum va_err esl_client_send_event(struct esl_client *c, const char *name, const char *subclass,
                                  const struct esl_field *fields, size_t count, struct str body,
                                  const struct esl_then *then)
{
    struct buf b;
    if (!name || !esl_word_ok(str_of(name)))
        return VA_EINVAL;
    if (!esl_client_connected(c))
        return VA_ECLOSED;
    buf_init(&b, c->cfg.out_max);
    esl_command_send_event(&b, name, subclass, fields, count, body);
    return send_built(c, &b, ESL_REQUEST_COMMAND, then);
}

enum va_err esl_client_poke(struct esl_client *c)
{
    return esl_client_connected(c) ? esl_conn_send_raw(c->conn, "\n", 1) : VA_ECLOSED;
}

void esl_client_forget(struct esl_client *c, const void *arg)
{
    if (c->conn)
        esl_conn_forget(c->conn, arg);
    client_forget_waiters(c, arg);
}
