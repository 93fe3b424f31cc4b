/** esl/session_int.h: inside of struct esl_session, for session*.c only. */
#ifndef VA_ESL_SESSION_INT_H
#define VA_ESL_SESSION_INT_H

#include "esl/exec.h"
#include "esl/session.h"
#include "esl/switch_int.h"

enum { SESSION_UUID_MAX = 128 };

struct esl_session {
    struct esl_switch sw;  /* first: a switch pointer is this */
    struct esl_conn *conn; /* NULL while `dialer` makes it */
    struct esl_client *dialer;
    enum esl_format bind_format;
    uint64_t connect_timeout_ms;
    struct esl_exec exec;
    struct esl_session_handlers h;
    void *arg;
    size_t out_max;
    char uuid[SESSION_UUID_MAX + 1];
    bool connected, full, async;
    bool hungup;          /* no application will run any more */
    bool jobs_subscribed; /* BACKGROUND_JOB was asked for */
    bool filtering;       /* our own filters were set */
    enum esl_format format;
    void (*on_gone)(void *arg); /* the server that counts it; NULL: none */
    void *gone_arg;
};

extern const struct esl_switch_ops esl_session_switch_ops;
extern const struct esl_conn_handlers esl_session_conn_handlers;

/** A session without connection yet. NULL when out of memory. */
struct esl_session *esl_session_make(const struct esl_session_cfg *cfg,
                                     const struct esl_session_handlers *h, void *arg);
/** Give it its connection, whose handlers are the session's. */
void esl_session_attach(struct esl_session *s, const struct esl_session_cfg *cfg,
                        struct esl_conn *conn);
/** Send `connect`, whose answer opens the session. */
VA_CHECK enum va_err esl_session_send_connect(struct esl_session *s);
/** esl_session_cfg with its defaults, for a connection. */
struct esl_conn_cfg esl_session_conn_cfg(const struct esl_session_cfg *cfg);

#endif
