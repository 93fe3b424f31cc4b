#include "app/serve_media.h"

#include <stdio.h>

static void on_stream(void *arg, struct ws_stream *stream)
{
    call_server_take_stream(arg, stream);
}

static void on_incoming(void *arg, struct sip_incoming *in)
{
    call_server_take_sip(arg, in);
}

static enum va_err start_ws(struct serve_media *m, struct loop *control,
                            const struct settings *settings, struct call_server *server,
                            struct va_fault *fault)
{
    /* Only in this mode is a stream that nobody asked for a call. */
    bool births = strcmp(settings->audio_mode, "websocket") == 0;
    struct ws_hub_handlers h = {.on_stream = births ? on_stream : NULL};
    if (!births && !settings_uses_mode(settings, "dual") &&
        !settings_uses_mode(settings, "websocket"))
        return VA_OK;
    return ws_hub_open(control, settings, &h, server, &m->ws, fault);
}

static enum va_err start_sip(struct serve_media *m, struct loop *control,
                             const struct settings *settings, struct call_server *server,
                             struct va_fault *fault)
{
    struct sip_ua_cfg cfg = {.settings = settings,
                             .control = control,
                             .on_incoming = settings->sip_allow_direct ? on_incoming : NULL,
                             .arg = server};
    return sip_ua_wanted(settings) ? sip_ua_start(&cfg, &m->sip, fault) : VA_OK;
}

enum va_err serve_media_start(struct serve_media *m, struct loop *control,
                              const struct settings *settings, struct call_server *server,
                              struct leg_env *ret_env, struct va_fault *fault)
{
    enum va_err err = start_ws(m, control, settings, server, fault);
    if (!err)
        err = start_sip(m, control, settings, server, fault);
    if (!err)
        *ret_env = (struct leg_env){.sip = m->sip, .ws = m->ws};
    return err;
}

void serve_media_drain(struct serve_media *m)
{
    if (m->sip)
        sip_ua_drain(m->sip);
}

void serve_media_stop(struct serve_media *m)
{
    sip_ua_stop(&m->sip);
    ws_hub_close(&m->ws);
}

void serve_media_addrs(const struct serve_media *m, char ws[NET_ADDR_TEXT], char sip[NET_ADDR_TEXT])
{
    struct net_addr addr;
    *ws = *sip = 0;
    if (m->ws) {
        ws_hub_addr(m->ws, &addr);
        net_addr_text(&addr, ws);
    }
    if (m->sip)
        (void)snprintf(sip, NET_ADDR_TEXT, "%u", sip_ua_port(m->sip));
}
