/**
 * leg/ws_tls.h: TLS for the WebSocket port (wss), in a thread of its own: what is inside the TLS
 * connection comes out of one end of a socket pair, which then is served as if it were plain. So a
 * stream can still go to the loop of its call, and calls have no part in the handshakes.
 *
 *     FreeSWITCH ══TLS══ relay (thread "ws-tls") ──socket pair── hub, then the call's worker
 */
#ifndef VA_LEG_WS_TLS_H
#define VA_LEG_WS_TLS_H

#include "net/loop.h"
#include "net/tls.h"

enum {
    WS_TLS_RELAYS_MAX = 10000, /**< at a time */
    WS_TLS_BUFFER_MAX =
        256 * 1024,        /**< unsent bytes of one direction; over it the connection ends */
    WS_TLS_IDLE_MS = 60000 /**< no byte either way [ms] */
};

struct ws_tls;

/**
 * @param priority  Of its thread: all audio by wss passes it
 * @param fault     Names the file and what is wrong with it
 */
VA_CHECK enum va_err ws_tls_new(const char *cert_file, const char *key_file,
                                enum thread_priority priority, struct ws_tls **ret_tls,
                                struct va_fault *fault);
/** Ends all connections, waits for the thread. NULL-safe. */
void ws_tls_free(struct ws_tls **tls);

/**
 * Relay an accepted socket.
 *
 * @param fd      Owned from here on, also on failure
 * @param ret_fd  The plain end, non-blocking; the caller's
 * @return VA_OK, VA_ELIMIT (WS_TLS_RELAYS_MAX, descriptors, overloaded), VA_ENOMEM
 */
VA_CHECK enum va_err ws_tls_relay(struct ws_tls *tls, int fd, int *ret_fd);

#endif
