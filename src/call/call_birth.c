/* How a call begins: with a control socket. */
#include "call/call_int.h"

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
