/* The requests of a session: each builds its text in one buffer and sends it in one write. */
#include "esl/command.h"
#include "esl/escape.h"
#include "esl/session_int.h"

/* Nothing may come before a connection of ours is bound to its channel. */
static bool early(const struct esl_session *s)
{
    return !s->conn || (s->full && !s->connected);
}

/* The buffer is freed. */
static enum va_err send_whole(struct esl_session *s, struct buf *b, enum esl_request kind,
                              const struct esl_then *then)
{
    enum va_err err = early(s) ? VA_EAGAIN : esl_conn_send(s->conn, b, kind, then);
    buf_free(b);
    return err;
}

static enum va_err submit(struct esl_session *s, struct buf *b, enum esl_request kind,
                          const struct esl_then *then)
{
    esl_command_end(b);
    return send_whole(s, b, kind, then);
}

static enum va_err line(struct esl_session *s, const char *verb, struct str rest,
                        enum esl_request kind, const struct esl_then *then)
{
    struct buf b;
    buf_init(&b, s->out_max);
    esl_command_line(&b, verb, rest);
    return submit(s, &b, kind, then);
}

/* What FreeSWITCH refuses without `full`; before the answer to `connect` it will tell itself. */
static bool denied(const struct esl_session *s)
{
    return s->connected && !s->full;
}

enum va_err esl_session_command(struct esl_session *s, struct str text, const struct esl_then *then)
{
    struct buf b;
    buf_init(&b, s->out_max);
    enum va_err err = esl_command_free_line(&b, text);
    if (!err)
        return send_whole(s, &b, ESL_REQUEST_COMMAND, then);
    buf_free(&b);
    return err;
}

enum va_err esl_session_api(struct esl_session *s, struct str text, const struct esl_then *then)
{
    if (denied(s))
        return VA_ENOTSUP;
    return text.len ? line(s, "api", text, ESL_REQUEST_API, then) : VA_EINVAL;
}

enum va_err esl_session_getvar(struct esl_session *s, const char *name, const struct esl_then *then)
{
    if (!s->connected || denied(s))
        return s->connected ? VA_ENOTSUP : VA_EAGAIN;
    if (!esl_word_ok(str_of(name)))
        return VA_EINVAL;
    struct buf b;
    buf_init(&b, s->out_max);
    (void)buf_addf(&b, "api uuid_getvar %s %s\n", s->uuid, name);
    return submit(s, &b, ESL_REQUEST_GETVAR, then);
}

enum va_err esl_session_setvar(struct esl_session *s, const char *name, struct str value,
                               const struct esl_then *then)
{
    if (!s->connected || denied(s))
        return s->connected ? VA_ENOTSUP : VA_EAGAIN;
    if (!esl_word_ok(str_of(name)))
        return VA_EINVAL;
    struct buf b;
    buf_init(&b, s->out_max);
    (void)buf_addf(&b, "api uuid_setvar %s %s ", s->uuid, name);
    enum va_err err = esl_escape_setvar(&b, value);
    if (err) {
        buf_free(&b);
        return err;
    }
    (void)buf_addc(&b, '\n');
    return submit(s, &b, ESL_REQUEST_API, then);
}

/* A job's event comes only to those who subscribed to it, even with myevents. The format keyword
 * is given because it would fall back to plain for all events else (esl.md §1.5). */
static enum va_err subscribe_jobs(struct esl_session *s)
{
    if (s->jobs_subscribed)
        return VA_OK;
    struct buf b;
    buf_init(&b, s->out_max);
    (void)buf_addf(&b, "event %s BACKGROUND_JOB\n", esl_format_word(s->format));
    enum va_err err = submit(s, &b, ESL_REQUEST_COMMAND, NULL);
    s->jobs_subscribed = !err;
    return err;
}

enum va_err esl_session_bgapi(struct esl_session *s, struct str text, const struct esl_then *then)
{
    if (!text.len || !esl_line_ok(text))
        return VA_EINVAL;
    if (denied(s))
        return VA_ENOTSUP;
    enum va_err err = subscribe_jobs(s);
    return err ? err : esl_conn_bgapi(s->conn, text, then);
}

static enum va_err switch_api(struct esl_switch *sw, struct str text, const struct esl_then *then)
{
    return esl_session_api(container_of(sw, struct esl_session, sw), text, then);
}

static enum va_err switch_bgapi(struct esl_switch *sw, struct str text, const struct esl_then *then)
{
    return esl_session_bgapi(container_of(sw, struct esl_session, sw), text, then);
}

const struct esl_switch_ops esl_session_switch_ops = {switch_api, switch_bgapi};

enum va_err esl_session_execute(struct esl_session *s, const struct esl_execute *x,
                                const struct esl_then *then)
{
    if (!esl_execute_ok(x))
        return VA_EINVAL;
    if (s->hungup || early(s))
        return s->hungup ? VA_ECLOSED : VA_EAGAIN;
    struct esl_waiter *w = esl_waiter_new(&s->exec, then);
    if (!w)
        return VA_ENOMEM;
    buf_init(&w->text, s->out_max);
    esl_command_execute(&w->text, NULL, w->uuid, x);
    enum va_err err = esl_exec_start(&s->exec, w);
    if (err)
        esl_waiter_free(w);
    return err;
}

enum va_err esl_session_hangup(struct esl_session *s, const char *cause,
                               const struct esl_then *then)
{
    if (cause && !esl_word_ok(str_of(cause)))
        return VA_EINVAL;
    struct buf b;
    buf_init(&b, s->out_max);
    /* sendmsg is a message to the channel and waits behind every application with event-lock (seen
     * on 1.10.12: +OK at once, hung up 20 s later). uuid_kill waits for nothing but needs `full`.
     */
    if (s->full) {
        (void)buf_addf(&b, "api uuid_kill %s %s\n", s->uuid, cause ? cause : "NORMAL_CLEARING");
        return submit(s, &b, ESL_REQUEST_API, then);
    }
    (void)buf_addz(&b, "sendmsg\ncall-command: hangup\n");
    esl_command_headerz(&b, "hangup-cause", cause);
    return submit(s, &b, ESL_REQUEST_COMMAND, then);
}

enum va_err esl_session_unicast(struct esl_session *s, const struct esl_unicast *u,
                                const struct esl_then *then)
{
    if (!u || !u->local_ip || !u->remote_ip)
        return VA_EINVAL;
    struct buf b;
    buf_init(&b, s->out_max);
    (void)buf_addz(&b, "sendmsg\ncall-command: unicast\n");
    esl_command_headerz(&b, "local-ip", u->local_ip);
    (void)buf_addf(&b, "local-port: %u\n", u->local_port);
    esl_command_headerz(&b, "remote-ip", u->remote_ip);
    (void)buf_addf(&b, "remote-port: %u\ntransport: udp\n", u->remote_port);
    return submit(s, &b, ESL_REQUEST_COMMAND, then);
}

enum va_err esl_session_myevents(struct esl_session *s, enum esl_format format,
                                 const struct esl_then *then)
{
    enum va_err err =
        line(s, "myevents", str_of(esl_format_word(format)), ESL_REQUEST_COMMAND, then);
    if (!err)
        s->format = format;
    return err;
}

enum va_err esl_session_linger(struct esl_session *s, unsigned seconds, const struct esl_then *then)
{
    if (seconds == 0) /* "linger" alone would keep the channel's memory for ever (esl.md §1.7) */
        return VA_EINVAL;
    if (denied(s))
        return VA_ENOTSUP;
    struct buf b;
    buf_init(&b, s->out_max);
    (void)buf_addf(&b, "linger %u\n", seconds);
    return submit(s, &b, ESL_REQUEST_COMMAND, then);
}

enum va_err esl_session_nolinger(struct esl_session *s, const struct esl_then *then)
{
    return denied(s) ? VA_ENOTSUP : line(s, "nolinger", (struct str){0}, ESL_REQUEST_COMMAND, then);
}

enum va_err esl_session_divert_events(struct esl_session *s, bool on, const struct esl_then *then)
{
    return line(s, "divert_events", str_of(on ? "on" : "off"), ESL_REQUEST_COMMAND, then);
}

enum va_err esl_session_resume(struct esl_session *s, const struct esl_then *then)
{
    return line(s, "resume", (struct str){0}, ESL_REQUEST_COMMAND, then);
}

static enum va_err send_filter(struct esl_session *s, const char *header, struct str value,
                               const struct esl_then *then)
{
    struct buf b;
    buf_init(&b, s->out_max);
    (void)buf_addf(&b, "filter %s ", header);
    (void)buf_adds(&b, value);
    (void)buf_addc(&b, '\n');
    return submit(s, &b, ESL_REQUEST_UPKEEP, then);
}

enum va_err esl_session_filter(struct esl_session *s, const char *header, struct str value,
                               const struct esl_then *then)
{
    /* Any filter denies all the rest, so what ends our waiters is let through first (fact 9). */
    static const char *const ours[] = {"CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP",
                                       "CHANNEL_HANGUP_COMPLETE", "BACKGROUND_JOB"};
    if (!header || !esl_word_ok(str_of(header)) || !value.len || !esl_line_ok(value))
        return VA_EINVAL;
    if (s->conn && esl_conn_full(s->conn))
        return VA_ELIMIT;
    enum va_err err = VA_OK;
    size_t n = 0;
    for (; !err && !s->filtering && n < sizeof(ours) / sizeof(ours[0]); n++)
        err = send_filter(s, "Event-Name", str_of(ours[n]), NULL);
    if (!err)
        err = send_filter(s, header, value, then);
    /* Some without the rest would swallow events for good. */
    if (err && n > 1)
        esl_conn_break(s->conn, ESL_WHY_MEMORY);
    s->filtering = s->filtering || !err;
    return err;
}

enum va_err esl_session_exit(struct esl_session *s, const struct esl_then *then)
{
    return line(s, "exit", (struct str){0}, ESL_REQUEST_COMMAND, then);
}

enum va_err esl_session_poke(struct esl_session *s)
{
    return early(s) ? VA_EAGAIN : esl_conn_send_raw(s->conn, "\n", 1);
}

enum va_err esl_session_nomedia(struct esl_session *s, const char *uuid,
                                const struct esl_then *then)
{
    if (uuid && !esl_uuid_ok(str_of(uuid)))
        return VA_EINVAL;
    struct buf b;
    buf_init(&b, s->out_max);
    (void)buf_addz(&b, "sendmsg\ncall-command: nomedia\n");
    esl_command_headerz(&b, "nomedia-uuid", uuid);
    return submit(s, &b, ESL_REQUEST_COMMAND, then);
}

enum va_err esl_session_xferext(struct esl_session *s, const struct esl_execute *list, size_t count,
                                const struct esl_then *then)
{
    struct buf b;
    buf_init(&b, s->out_max);
    (void)buf_addz(&b, "sendmsg\ncall-command: xferext\n");
    for (size_t i = 0; i < count; i++) {
        if (!b.err && (!esl_execute_ok(&list[i]) || !esl_line_ok(list[i].arg)))
            b.err = VA_EINVAL;
        (void)buf_addf(&b, "application: %s ", list[i].app ? list[i].app : "");
        (void)buf_adds(&b, list[i].arg);
        (void)buf_addc(&b, '\n');
    }
    if (!b.err && count == 0)
        b.err = VA_EINVAL;
    return submit(s, &b, ESL_REQUEST_COMMAND, then);
}

enum va_err esl_session_send_custom(struct esl_session *s, const char *subclass,
                                    const struct esl_field *fields, size_t count, struct str body,
                                    const struct esl_then *then)
{
    if (denied(s))
        return VA_ENOTSUP;
    struct buf b;
    buf_init(&b, s->out_max);
    esl_command_send_event(&b, "CUSTOM", subclass, fields, count, body);
    return send_whole(s, &b, ESL_REQUEST_COMMAND, then);
}
