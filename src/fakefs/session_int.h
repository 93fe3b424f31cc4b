/* fakefs/session_int.h: shared by the session*.c files only. */
#ifndef VA_FAKEFS_SESSION_INT_H
#define VA_FAKEFS_SESSION_INT_H

#include "fakefs/session.h"

enum {
    TICK_US = 20000,       /* period of both threads */
    CONNECT_MS = 25000,    /* without `connect`: notice and close */
    LINGER_EXTRA_MS = 400, /* measured: "linger 2" closes after 2.4–2.6 s */
    EVENT_QUEUE_MAX = 4096,
    QUEUED_APPS_MAX = 256, /* one more closes the connection (esl.md fact 5) */
    NESTING_MAX = 32,
    NAMES_MAX = 96, /* subscribed event names */
    FILTERS_MAX = 32,
    LEGS_MAX = 8,
    JOBS_MAX = 16,
    PORTS_MAX = 16,
    REPLY_MAX = 511, /* bytes of a command/reply */
    NEVER = 0
};

enum msg_kind { MSG_EXECUTE, MSG_HANGUP, MSG_UNICAST, MSG_TRANSFER, MSG_BRIDGE_LEG };

/* A message in the channel's private queue; an application also while it runs. */
struct msg {
    struct link link;
    enum msg_kind kind;
    bool lock;       /* event-lock */
    char uuid[64];   /* Application-UUID */
    char *app, *arg; /* owned; arg may be "" */
    struct fakefs_unicast unicast;
    uint64_t end_us; /* running: when it ends; UINT64_MAX: by itself never */
    uint64_t started_us;
    bool bridged;         /* a bridge that was answered */
    bool dialled;         /* by ops->dial(): no human is played */
    bool plays;           /* by ops->play() */
    char cause[32];       /* why it was not answered */
    const char *response; /* Application-Response */
};

struct filter {
    char *name, *value;
    bool negative;
};

/* Somebody who is called by originate. */
struct leg {
    char uuid[UUID_TEXT];
    char endpoint[FAKEFS_NAME_MAX];
    bool up; /* answered, and not gone */
};

struct job {
    char uuid[64];
    char *command, *arg, *output;
    uint64_t due_us;
};

struct fakefs_session {
    struct fakefs_session_cfg cfg;
    const struct fakefs_session_ops *ops;
    void *arg;
    const struct va_clock *clock;
    struct fakefs_channel ch;
    enum fakefs_state state;
    char socket_arg[128], socket_uuid[UUID_TEXT];
    bool in_socket; /* the `socket` application still runs */
    bool closed;    /* ops->close was called, or the program closed */

    struct fakefs_parser in;
    struct fakefs_command cmd;
    bool first_done; /* a first command was seen */
    bool said_connect;
    struct buf out; /* one write per wake-up */

    enum fakefs_format format;
    bool listening, myevents, all;
    char *names[NAMES_MAX];
    size_t name_count;
    struct filter filters[FILTERS_MAX];
    size_t filter_count;
    struct list events;
    size_t event_count;
    uint64_t waiting_us; /* since when the listener has something to deliver */
    uint64_t events_lost;

    bool linger, linger_told, hangup_queued;
    int linger_s;      /* −1: for ever */
    uint64_t close_us; /* NEVER or when the socket is closed */
    uint64_t start_us, listen_phase_us, session_phase_us;
    uint64_t session_due_us; /* NEVER or next tick of the session thread */

    struct list queue; /* of msg */
    size_t queued;
    struct msg *stack[NESTING_MAX];
    size_t depth;
    bool unicast_on;
    bool unicast_used; /* in this park loop: a second one crashes FreeSWITCH */
    bool adrift;       /* parked by park_after_bridge: `socket` or `park` does not go on */
    uint16_t used_ports[PORTS_MAX]; /* local ports of earlier unicasts of this call */
    size_t used_port_count;

    struct leg legs[LEGS_MAX];
    size_t leg_count;
    uint64_t leg_end_us; /* NEVER or when the bridged human hangs up */
    struct job jobs[JOBS_MAX];
    size_t job_count;
    uint64_t away_end_us;
};

/* session.c */
uint64_t session_now(const struct fakefs_session *s);
void session_note(struct fakefs_session *s, enum fakefs_note note, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Queue an event for delivery if it is wanted; owns it. */
void session_emit(struct fakefs_session *s, struct fakefs_event *ev);
void session_emit_simple(struct fakefs_session *s, const char *name);
void session_wake(struct fakefs_session *s); /* the session thread has work at its next tick */
void session_shut(struct fakefs_session *s, const char *why); /* notice, close */
void session_reply(struct fakefs_session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* session_subscribe.c */
bool session_wants(const struct fakefs_session *s, const struct fakefs_event *ev);
bool session_subscribe_command(struct fakefs_session *s, struct str word, struct str rest);
void session_subscribe_free(struct fakefs_session *s);

/* session_cmd.c */
void session_command(struct fakefs_session *s);

/* session_api.c: append the command's output to `out`; *ret_delay_us of a job's result */
void session_api(struct fakefs_session *s, struct str command, struct str args, struct buf *out,
                 uint64_t *ret_delay_us);
/* A job of originate ends: who was called is there, if he answered. */
void session_originated(struct fakefs_session *s, const struct job *job);

/* session_stream.c */
void session_audio_stream(struct fakefs_session *s, struct str args, struct buf *out);

/* session_app.c */
void session_run_queue(struct fakefs_session *s);
void session_apps_due(struct fakefs_session *s);
void session_complete_top(struct fakefs_session *s, const char *response);
/* @param all  What waits behind it too */
void session_break(struct fakefs_session *s, bool all);
enum va_err session_queue_msg(struct fakefs_session *s, const struct msg *what);
void msg_free(struct msg *m);

/* session_move.c */
void session_park(struct fakefs_session *s);
void session_leave_park(struct fakefs_session *s);
void session_set_state(struct fakefs_session *s, enum fakefs_cs state, const char *call_state);
void session_transfer(struct fakefs_session *s, const char *arg);
void session_bridge_leg(struct fakefs_session *s, const char *uuid);
void session_human_left(struct fakefs_session *s);
void session_bridged(struct fakefs_session *s);
void session_unbridged(struct fakefs_session *s);
struct leg *session_leg(struct fakefs_session *s, struct str uuid);
void session_unicast_off(struct fakefs_session *s);

#endif
