/*
 * Control over an Event Socket session of the channel's own:
 *
 *     socket: FreeSWITCH connected to us and parked the channel. When we close, its dialplan goes
 * on
 *
 * Where a channel goes is told by events: CHANNEL_UNPARK is "not ours any more" (transferred or
 * bridged; the socket stays open), CHANNEL_HANGUP or the linger notice is the end of it.
 */
#include "call/control_socket_int.h"
#include "esl/client.h"
#include "esl/escape.h"
#include "media/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    ANSWER_MS = 8000,   /* for the end of `answer` */
    TRANSFER_MS = 5000, /* for the end of `transfer` */
    LINGER_S = 2        /* the last events after a hang-up */
};

static const struct control_ops socket_ops, bound_ops;

/* ---- what FreeSWITCH tells ------------------------------------------------------------------- */

/* What the caller's codec decodes to. Before the answer there may be no codec yet. */
static int rate_of(const struct esl_event *ev)
{
    uint64_t rate = 0;
    if (!ev || str_to_u64(esl_event_get(ev, "Channel-Read-Codec-Rate"), &rate) ||
        rate > MEDIA_RATE_MAX_HZ)
        return 0;
    return (int)rate;
}

/* The guide's variable, or its siblings in the older system. */
static struct str secretary_of(const struct esl_event *channel)
{
    static const char *const names[] = {"secretary_uuid", "voice_secretary_uuid",
                                        "VOICE_AI_SECRETARY_UUID", "voiceai_secretary_uuid",
                                        "voice_ai_secretary"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct str v = esl_event_var(channel, names[i]);
        if (v.len)
            return v;
    }
    return str_of("");
}

static void read_facts(const struct esl_event *channel, struct channel_facts *ret_facts)
{
    struct str id = esl_event_uuid(channel);
    *ret_facts = (struct channel_facts){
        .uuid = esl_uuid_ok(id) ? id : str_of(""),
        .caller_number = esl_event_get(channel, "Caller-Caller-ID-Number"),
        .caller_name = esl_event_get(channel, "Caller-Caller-ID-Name"),
        .called_number = esl_event_get(channel, "Caller-Destination-Number"),
        .tenant = esl_event_var(channel, "domain_name"),
        .secretary = secretary_of(channel),
        .rate_hz = rate_of(channel),
        .answered = str_ieqz(esl_event_get(channel, "Answer-State"), "answered"),
    };
}

/* The dialplan's own safety net (freeswitch/README.md): a transfer for when nobody takes the call.
 */
static void cancel_guard(struct socket_control *s, const struct esl_event *channel)
{
    uint64_t task = 0;
    char line[40];
    if (str_to_u64(esl_event_var(channel, "voice_ai_guard"), &task) || !task)
        return;
    (void)snprintf(line, sizeof(line), "sched_del %" PRIu64, task);
    if (esl_session_api(s->session, str_of(line), NULL))
        log_warn("call", &s->log, "guard-stays", NULL);
}

/* What the stream's path and the dialplan say of a bound channel. */
static void read_bound(struct socket_control *s, const struct esl_event *channel,
                       struct channel_facts *facts)
{
    s->place = str_eqz(esl_event_var(channel, "current_application"), "park") ? PARKED : BUSY;
    if (*s->secretary)
        facts->secretary = str_of(s->secretary);
    else if (!facts->secretary.len)
        facts->secretary = str_of("default");
    if (!facts->caller_number.len)
        facts->caller_number = str_of(s->caller);
    cancel_guard(s, channel);
}

static void on_connected(void *arg, const struct esl_event *channel)
{
    struct socket_control *s = arg;
    struct channel_facts facts;
    bool bound = s->base.ops == &bound_ops;
    if (!esl_session_full(s->session) || !esl_session_async(s->session)) {
        s->h->on_lost(s->arg, "the dialplan's socket action must end in \"async full\"");
        return;
    }
    enum va_err err = bound ? VA_OK : esl_session_myevents(s->session, ESL_PLAIN, NULL);
    if (!err)
        err = esl_session_linger(s->session, LINGER_S, NULL);
    if (err) {
        s->h->on_lost(s->arg, va_err_text(err));
        return;
    }
    read_facts(channel, &facts);
    control_socket_keep(s, channel);
    if (bound)
        read_bound(s, channel, &facts);
    s->h->on_connected(s->arg, &facts);
}

/* Of a bound channel. A transfer begins with routing; a bridge by others, or a hold, with one of
 * the states in which no application of the dialplan runs. */
static bool leaves_by_state(const struct socket_control *s, const struct esl_event *ev)
{
    static const char *const away[] = {"CS_ROUTING",        "CS_RESET",         "CS_SOFT_EXECUTE",
                                       "CS_EXCHANGE_MEDIA", "CS_CONSUME_MEDIA", "CS_HIBERNATE"};
    if (s->place == PARKED_BY_US || ring_moves(&s->ring) || !esl_event_is(ev, "CHANNEL_STATE"))
        return false;
    struct str state = esl_event_get(ev, "Channel-State");
    for (size_t i = 0; i < sizeof(away) / sizeof(away[0]); i++)
        if (str_eqz(state, away[i]))
            return true;
    return false;
}

void control_socket_leaves(struct socket_control *s)
{
    if (s->fate != HERE)
        return;
    s->fate = LEFT;
    s->h->on_left(s->arg);
}

static void on_event(void *arg, const struct esl_event *ev)
{
    struct socket_control *s = arg;
    if (esl_event_is(ev, "DTMF")) {
        struct str digit = esl_event_get(ev, "DTMF-Digit");
        if (digit.len == 1)
            s->h->on_digit(s->arg, digit.p[0]);
    } else if (esl_event_is(ev, "CHANNEL_HANGUP")) {
        s->fate = HUNG_UP;
        s->h->on_hung_up(s->arg, esl_event_get(ev, "Hangup-Cause"));
    } else if (ring_event(&s->ring, ev)) {
        return;
    } else if ((esl_event_is(ev, "CHANNEL_UNPARK") && !ring_moves(&s->ring)) ||
               leaves_by_state(s, ev)) {
        control_socket_leaves(s);
    } else if (s->h->on_event) {
        s->h->on_event(s->arg, ev);
    }
}

static void on_notice(void *arg, enum esl_notice notice, struct str text)
{
    struct socket_control *s = arg;
    (void)text;
    /* With "linger" the channel is gone although its CHANNEL_HANGUP may still be on its way. */
    if (notice == ESL_NOTICE_LINGER) {
        s->fate = HUNG_UP;
        s->h->on_hung_up(s->arg, str_of(""));
    } else if (notice == ESL_NOTICE_DISCONNECT) {
        control_socket_leaves(s); /* of the others on_closed tells */
    }
}

static void on_closed(void *arg, enum esl_why why)
{
    struct socket_control *s = arg;
    s->h->on_lost(s->arg, esl_why_text(why));
}

static const struct esl_session_handlers session_handlers = {on_connected, on_event, NULL,
                                                             on_notice, on_closed};

/* ---- what it is asked for -------------------------------------------------------------------- */

static bool session_tells(const struct esl_result *r)
{
    return r->err == VA_ECANCELED || r->err == VA_ECLOSED; /* hang-up or end of the socket */
}

static void on_answer_result(void *arg, const struct esl_result *r)
{
    struct socket_control *s = arg;
    if (r->done && !session_tells(r))
        s->h->on_answered(s->arg, r->err, rate_of(r->event));
}

static enum va_err socket_answer(struct control *ctl)
{
    struct socket_control *s = socket_control_of(ctl);
    return esl_session_execute(s->session, &(struct esl_execute){.app = "answer"},
                               &(struct esl_then){on_answer_result, s, ANSWER_MS});
}

static void on_transfer_result(void *arg, const struct esl_result *r)
{
    struct socket_control *s = arg;
    if (!r->done || session_tells(r))
        return;
    if (r->err == VA_OK)
        control_socket_leaves(s);
    else
        s->h->on_not_transferred(s->arg, r->err, r->text);
}

static enum va_err socket_transfer(struct control *ctl, const char *number, const char *context)
{
    struct socket_control *s = socket_control_of(ctl);
    char line[256];
    int n = *context ? snprintf(line, sizeof(line), "%s XML %s", number, context)
                     : snprintf(line, sizeof(line), "%s", number);
    if (n < 0 || (size_t)n >= sizeof(line))
        return VA_EINVAL;
    /* With socket_resume=true (many dialplans) FreeSWITCH 1.10.12 resets whatever the channel does
     * by the time our socket closes: the transferred caller would hear nothing for ever. */
    enum va_err err = esl_session_setvar(s->session, "socket_resume", str_of("false"), NULL);
    struct esl_execute x = {.app = "transfer", .arg = str_make(line, (size_t)n)};
    if (!err)
        err = esl_session_execute(s->session, &x,
                                  &(struct esl_then){on_transfer_result, s, TRANSFER_MS});
    return err;
}

static void on_hangup_result(void *arg, const struct esl_result *r)
{
    struct socket_control *s = arg;
    if (r->err)
        log_warn("call", &s->log, "hangup-refused", "why", va_err_text(r->err), NULL);
}

static enum va_err socket_hangup(struct control *ctl, const char *cause)
{
    struct socket_control *s = socket_control_of(ctl);
    return esl_session_hangup(s->session, cause, &(struct esl_then){on_hangup_result, s, 0});
}

static enum va_err socket_setvar(struct control *ctl, const char *name, struct str value)
{
    return esl_session_setvar(socket_control_of(ctl)->session, name, value, NULL);
}

static enum va_err socket_publish(struct control *ctl, const char *subclass,
                                  const struct esl_field *fields, size_t count, struct str body)
{
    return esl_session_send_custom(socket_control_of(ctl)->session, subclass, fields, count, body,
                                   NULL);
}

static void socket_fill_leg(struct control *ctl, struct leg_cfg *cfg)
{
    const struct socket_control *s = socket_control_of(ctl);
    cfg->control = s->session;
    cfg->parked = s->place != BUSY;
    cfg->busy = s->place == BUSY;
    cfg->control_local = s->local;
    cfg->control_peer = s->peer;
}

void control_socket_close(struct control **pctl)
{
    struct socket_control *s = pctl && *pctl ? socket_control_of(*pctl) : NULL;
    if (!s)
        return;
    *pctl = NULL;
    ring_close(&s->ring);
    esl_session_close(&s->session);
    free(s);
}

static const struct control_ops socket_ops = {
    .name = "socket",
    .hears_digits = true,
    .leg_is_in_way = true,
    .transfer_ms = TRANSFER_MS,
    .answer = socket_answer,
    .transfer = socket_transfer,
    .ring = control_socket_ring,
    .join = control_socket_join,
    .cancel = control_socket_cancel,
    .hangup = socket_hangup,
    .setvar = socket_setvar,
    .publish = socket_publish,
    .fill_leg = socket_fill_leg,
    .give_back = control_socket_give_back,
    .close = control_socket_close,
};

static const struct control_ops bound_ops = {
    .name = "bound",
    .hears_digits = true,
    .leg_is_in_way = true,
    .transfer_ms = TRANSFER_MS,
    .answer = socket_answer,
    .transfer = socket_transfer,
    .ring = control_socket_ring,
    .join = control_socket_join,
    .cancel = control_socket_cancel,
    .hangup = socket_hangup,
    .setvar = socket_setvar,
    .publish = socket_publish,
    .fill_leg = socket_fill_leg,
    .give_back = control_bound_give_back,
    .close = control_socket_close,
};

static struct socket_control *make(const struct control_cfg *cfg, const struct control_ops *ops)
{
    struct socket_control *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->base.ops = ops;
    s->h = cfg->handlers;
    s->arg = cfg->arg;
    s->log = cfg->log;
    s->settings = cfg->settings;
    return s;
}

enum va_err control_socket_open(const struct control_cfg *cfg, int fd, const struct net_addr *peer,
                                struct control **ret_control)
{
    struct socket_control *s = make(cfg, &socket_ops);
    if (!s) {
        esl_session_refuse(fd);
        return VA_ENOMEM;
    }
    socklen_t len = sizeof(s->local.u);
    (void)getsockname(fd, &s->local.u.sa, &len);
    s->peer = *peer;
    enum va_err err = esl_session_open(cfg->loop, fd, NULL, &session_handlers, s, &s->session);
    if (err) {
        free(s);
        return err;
    }
    *ret_control = &s->base;
    return VA_OK;
}

enum va_err control_bound_open(const struct control_cfg *cfg, const struct control_channel *channel,
                               struct control **ret_control)
{
    const struct settings *set = cfg->settings;
    const struct esl_client_cfg to = {
        .host = set->esl_host,
        .port = (uint16_t)set->esl_port,
        .user = *set->esl_user ? set->esl_user : NULL,
        .password = set->esl_password,
        .connect_timeout_ms = (uint64_t)set->esl_connect_timeout_s * 1000,
        .read_timeout_ms = (uint64_t)set->esl_read_timeout_s * 1000,
    };
    struct socket_control *s = make(cfg, &bound_ops);
    if (!s)
        return VA_ENOMEM;
    s->place = BUSY;
    s->local = channel->local;
    s->peer = channel->peer;
    (void)str_copy(s->secretary, sizeof(s->secretary), str_of(channel->secretary));
    (void)str_copy(s->caller, sizeof(s->caller), str_of(channel->caller));
    enum va_err err =
        esl_session_bind(cfg->loop, &to, channel->uuid, NULL, &session_handlers, s, &s->session);
    if (err) {
        free(s);
        return err;
    }
    *ret_control = &s->base;
    return VA_OK;
}
