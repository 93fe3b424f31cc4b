/** esl/client_int.h: inside of struct esl_client, for client*.c only. */
#ifndef VA_ESL_CLIENT_INT_H
#define VA_ESL_CLIENT_INT_H

#include "base/htab.h"
#include "esl/client.h"
#include "esl/conn.h"
#include "esl/exec.h"
#include "esl/switch_int.h"
#include "net/resolve.h"

enum client_state {
    CLIENT_STOPPED,
    CLIENT_RESOLVING,
    CLIENT_CONNECTING,
    CLIENT_GREETING,
    CLIENT_AUTHENTICATING,
    CLIENT_RESTORING,
    CLIENT_READY,
    CLIENT_WAITING,
    CLIENT_STATES
};

/* One name of a subscription. */
struct client_sub {
    struct link link;
    unsigned refs;
    bool custom;   /* the name is the subclass of a CUSTOM event */
    bool internal; /* of a waiter: the application does not see the event because of it */
    char *uuid;    /* NULL: of all channels */
    char name[];
};

/* A filter as FreeSWITCH has it: "header value". */
struct client_filter {
    struct hlink hash_link;
    struct link link; /* of the filters the application set, in order; unlinked: made by us */
    bool own;         /* the application's */
    bool wanted;      /* mark of a sync */
    bool sent;        /* on this connection */
    char text[];
};

/* What belongs to one channel: listeners and running applications. */
struct client_channel {
    struct hlink hash_link;
    struct link running; /* of those with applications */
    struct esl_client *client;
    struct list listeners;
    struct esl_exec exec;
    char uuid[];
};

struct esl_listener {
    struct link link;
    struct client_channel *channel; /* NULL: of any channel */
    esl_event_h *fn;                /* NULL: off, to be freed when no dispatch is under way */
    void *arg;
    bool any_name;
    char name[];
};

struct esl_client {
    struct esl_switch sw; /* first: a switch pointer is this */
    struct loop *loop;
    struct esl_client_cfg cfg; /* with all defaults; its strings are ours */
    char *host, *user, *password;
    struct esl_client_handlers h;
    void *arg;

    enum client_state state;
    struct resolve *resolve;
    struct net_addr addrs[RESOLVE_MAX];
    size_t addr_count, addr_next;
    struct esl_conn *conn;
    struct tmr timer; /* limit of what is under way, or the pause */
    struct tmr idle;
    unsigned attempts;
    bool was_ready; /* the connection in work had been */
    bool ever_ready;
    size_t restoring; /* answers missing */
    unsigned refs;    /* owner, connections that still unwind, callbacks from timers */
    bool closed;

    struct list subs;
    bool all;            /* one of them wants everything: nothing is looked up then */
    struct list filters; /* the application's */
    struct htab filter_tab;
    bool need_jobs, need_life; /* events our own waiters live on */
    int log_level;             /* −1: none */

    struct list listeners; /* of any channel */
    struct htab channels;
    struct list running; /* of channels, whose exec has something to do */
    struct list waits;
    unsigned dispatching;
    bool sweep; /* a listener was switched off meanwhile */

    struct esl_client_stats totals; /* of connections that are gone */
};

/** Begin to connect. A timer's handler. */
void client_start(void *client);
void client_add_totals(struct esl_client_stats *t, const struct esl_conn_stats *s);
/** Callbacks to the application that do not come from the connection run between these. */
void client_enter(struct esl_client *c);
void client_leave(struct esl_client *c);

/** The connection leaves its client, which is ready and can only be closed then. */
struct esl_conn *client_give_conn(struct esl_client *c);

/** One line for a person: what happened at this client's host and port, and what to do. */
void client_explain(const struct esl_client *c, enum esl_why why, struct buf *out);

/* ---- client_subscribe.c ---- */
/** Commands may be sent: restoring or ready, and the connection stands. */
bool client_online(const struct esl_client *c);
/** Online, and too many commands are pending for one more. */
bool client_full(const struct esl_client *c);
/** Ask for everything again on a fresh connection; `then` for each command, *count of them. */
VA_CHECK enum va_err client_restore(struct esl_client *c, const struct esl_then *then,
                                    size_t *ret_count);
/** The events our own jobs, or waiters of channels, end by. */
VA_CHECK enum va_err client_need_jobs(struct esl_client *c);
VA_CHECK enum va_err client_need_life(struct esl_client *c);
/** The application subscribed to this event. */
bool client_wants(const struct esl_client *c, const struct esl_event *ev);
VA_CHECK enum va_err client_subscribe(struct esl_client *c, struct str names, const char *uuid,
                                      bool internal, const struct esl_then *then);
VA_CHECK enum va_err client_unsubscribe(struct esl_client *c, struct str names, const char *uuid,
                                        bool internal, const struct esl_then *then);
void client_free_subs(struct esl_client *c);

/* ---- client_filter.c ---- */
enum { CLIENT_LIFE_EVENTS = 4 };
extern const char *const client_life_events[CLIENT_LIFE_EVENTS];
/** Tell FreeSWITCH what changed; `then` for each that is added, *count grows by them. When it fails
 *  half-way the connection ends soon: only a fresh one, told everything, puts it right. */
VA_CHECK enum va_err client_sync_filters(struct esl_client *c, const struct esl_then *then,
                                         size_t *count);
/** The same where there is no way back: any failure ends the connection. */
void client_resync(struct esl_client *c);
/** The connection is gone, and what FreeSWITCH knew with it. */
void client_forget_sent(struct esl_client *c);
void client_free_filters(struct esl_client *c);

/* ---- client_event.c ---- */
void client_on_arrival(struct esl_client *c, const struct esl_event *ev);
void client_on_event(struct esl_client *c, const struct esl_event *ev);
/** All waiters and applications end. */
void client_end_waiters(struct esl_client *c, enum esl_why why);
void client_free_listeners(struct esl_client *c);
void client_forget_waiters(struct esl_client *c, const void *arg);
/** Found or made; NULL when out of memory. */
struct client_channel *client_channel(struct esl_client *c, struct str uuid);
struct client_channel *client_find_channel(const struct esl_client *c, struct str uuid);
/** Free it when nothing is left of it. */
void client_release_channel(struct client_channel *ch);

/* ---- client_request.c ---- */
extern const struct esl_switch_ops client_switch_ops;
/** `then` with the client's limit of time when it has none; NULL for none, and while not connected:
 *  no result follows then. */
const struct esl_then *client_limit(const struct esl_client *c, const struct esl_then *then,
                                    struct esl_then *room);
/** Send a line, answered by Reply-Text, in any state with a connection. Never refused because too
 *  many are pending: what an application asks for is refused before, by client_full(). */
VA_CHECK enum va_err client_send_line(struct esl_client *c, const char *verb, struct str rest,
                                      const struct esl_then *then);

#endif
