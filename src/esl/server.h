/**
 * esl/server.h: the port FreeSWITCH's `socket` application connects to (8022). Every connection
 * becomes a session (session.h) on the same loop.
 */
#ifndef VA_ESL_SERVER_H
#define VA_ESL_SERVER_H

#include "esl/session.h"

struct esl_server;

/** All fields 0: defaults. Copied. */
struct esl_server_cfg {
    const char *host;    /**< address to listen at; NULL: "0.0.0.0" */
    uint16_t port;       /**< 0: 8022 */
    bool any_port;       /**< pick a free port; esl_server_port() tells */
    size_t sessions_max; /**< open at a time; further ones are refused, so that the dialplan goes
                          * on; 0: 100 */
    struct esl_session_cfg session;
};

struct esl_server_handlers {
    struct esl_session_handlers session; /**< of every session */
    /**
     * FreeSWITCH called. The session is owned by the application from here on: it closes it, when
     * it likes even in here.
     *
     * @param peer  IP address of FreeSWITCH
     * @return the `arg` of this session's handlers
     */
    void *(*on_session)(void *arg, struct esl_session *s, const char *peer);
    /** One was refused because sessions_max are open. May be NULL. */
    void (*on_refused)(void *arg, const char *peer);
};

/**
 * @param h      Copied
 * @param fault  Cause and fix
 * @return VA_OK, VA_EINUSE, VA_EINVAL, VA_ENOMEM, VA_EIO
 */
VA_CHECK enum va_err esl_server_open(struct loop *loop, const struct esl_server_cfg *cfg,
                                     const struct esl_server_handlers *h, void *arg,
                                     struct esl_server **ret_server, struct va_fault *fault);
uint16_t esl_server_port(const struct esl_server *s);
size_t esl_server_sessions(const struct esl_server *s);
/** Stop listening. Open sessions stay. NULL-safe. */
void esl_server_close(struct esl_server **s);

#endif
