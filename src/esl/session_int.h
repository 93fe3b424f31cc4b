/** esl/session_int.h: inside of struct esl_session, for session*.c only. */
#ifndef VA_ESL_SESSION_INT_H
#define VA_ESL_SESSION_INT_H

#include "esl/exec.h"
#include "esl/session.h"

enum { SESSION_UUID_MAX = 128 };

struct esl_session {
    struct esl_conn *conn;
    struct esl_exec exec;
    struct esl_session_handlers h;
    void *arg;
    size_t out_max;
    char uuid[SESSION_UUID_MAX + 1];
    bool connected, full;
    bool hungup;          /* no application will run any more */
    bool jobs_subscribed; /* BACKGROUND_JOB was asked for */
    bool filtering;       /* our own filters were set */
    enum esl_format format;
};

#endif
