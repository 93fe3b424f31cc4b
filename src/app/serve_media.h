/** app/serve_media.h: the ports that calls and their audio come by, as far as the modes in use need
 *  them: streams (WS_PORT) and SIP (SIP_PORT). Control thread. */
#ifndef VA_APP_SERVE_MEDIA_H
#define VA_APP_SERVE_MEDIA_H

#include "call/server.h"
#include "leg/sip_ua.h"
#include "leg/ws_hub.h"

struct serve_media {
    struct ws_hub *ws; /**< NULL: no mode needs it */
    struct sip_ua *sip;
};

/**
 * Open them. Before the control loop runs, so that no call sees `ret_env` half filled.
 *
 * @param m  Zeroed; serve_media_stop() is due also on failure
 */
VA_CHECK enum va_err serve_media_start(struct serve_media *m, struct loop *control,
                                       const struct settings *settings, struct call_server *server,
                                       struct leg_env *ret_env, struct va_fault *fault);
/** No new streams and direct calls; what running calls need stays. */
void serve_media_drain(struct serve_media *m);
/** Free, after the workers have stopped. Takes at most SIP_STOP_LIMIT_MS. */
void serve_media_stop(struct serve_media *m);
/** Where they listen, for the log; "" for one that does not. */
void serve_media_addrs(const struct serve_media *m, char ws[NET_ADDR_TEXT],
                       char sip[NET_ADDR_TEXT]);

#endif
