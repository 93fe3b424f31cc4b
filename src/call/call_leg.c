/* Which leg carries the audio of a call. */
#include "call/call_int.h"

void call_leg_open(struct call *c)
{
    struct leg_cfg cfg = {.loop = c->loop,
                          .env = &c->env->leg,
                          .uuid = c->uuid,
                          .secretary = c->secretary,
                          .settings = c->env->settings,
                          .rate_hz = c->channel_rate_hz,
                          .log = c->log};
    c->control->ops->fill_leg(c->control, &cfg);
    enum va_err err = c->leg_ops->open(&cfg, &call_leg_handlers, c, &c->leg);
    if (!err)
        return;
    log_error("call", &c->log, "leg-open", "mode", c->leg_ops->name, "why",
              err == VA_ELIMIT ? "all UDP ports of RTP_PORT_MIN-RTP_PORT_MAX are in use; widen it"
                               : va_err_text(err),
              NULL);
    call_fire(c, EV_MEDIA_FAILED);
}
