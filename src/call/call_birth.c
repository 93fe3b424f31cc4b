/* How a call begins: FreeSWITCH connects its control socket, a stream comes by itself, or a phone
 * calls us. */
#include "call/call_int.h"
#include "leg/sip_ua.h"
#include "leg/ws_hub.h"

#include <stdlib.h>

static struct call *make(struct call_worker *w, const char *mode)
{
    struct call *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->worker = w;
    c->env = w->env;
    c->loop = w->loop;
    c->accepted_us = c->state_since_us = loop_now_us(w->loop);
    c->record.started_us = clock_wall_us(loop_clock(w->loop));
    c->log.tenant = c->record.tenant;
    c->log.call = c->uuid;
    if (call_leg_list(c, mode) || history_new(&c->history)) {
        free(c);
        return NULL;
    }
    return c;
}

static struct control_cfg control_cfg(struct call *c)
{
    return (struct control_cfg){.loop = c->loop,
                                .settings = c->env->settings,
                                .handlers = &call_control_handlers,
                                .arg = c,
                                .log = c->log};
}

/* @param err  Of the control's opening */
static enum va_err begin(struct call *c, enum va_err err)
{
    if (err) {
        ws_stream_refuse(&c->stream, 503, "no resources");
        history_free(&c->history);
        free(c);
        return err;
    }
    list_push(&c->worker->calls, &c->link);
    call_stuck_after(c, CALL_CONNECT_MS);
    return VA_OK;
}

enum va_err call_open(struct call_worker *w, int fd, const struct net_addr *peer)
{
    struct call *c = make(w, w->env->settings->audio_mode);
    if (!c) {
        esl_session_refuse(fd);
        return VA_ENOMEM;
    }
    const struct control_cfg cfg = control_cfg(c);
    return begin(c, control_socket_open(&cfg, fd, peer, &c->control));
}

enum va_err call_open_stream(struct call_worker *w, struct ws_stream *stream)
{
    struct call *c = make(w, "websocket");
    if (!c) {
        ws_stream_refuse(&stream, 503, "no resources");
        return VA_ENOMEM;
    }
    const struct ws_stream_facts *facts = ws_stream_facts(stream);
    const struct control_cfg cfg = control_cfg(c);
    const struct control_channel channel = {.uuid = facts->call,
                                            .secretary = facts->secretary,
                                            .caller = facts->caller,
                                            .local = facts->local,
                                            .peer = facts->peer};
    (void)str_copy(c->uuid, UUID_TEXT, str_of(facts->call));
    (void)str_copy(c->by_stream, UUID_TEXT, str_of(facts->call));
    c->stream = stream;
    return begin(c, control_bound_open(&cfg, &channel, &c->control));
}

enum va_err call_open_sip(struct call_worker *w, struct sip_incoming *in)
{
    struct call *c = make(w, "rtp");
    if (!c) {
        sip_incoming_reject(in, 503);
        return VA_ENOMEM;
    }
    rand_uuid(c->uuid);
    const struct control_cfg cfg = control_cfg(c);
    return begin(c, control_sip_open(&cfg, in, &c->control));
}
