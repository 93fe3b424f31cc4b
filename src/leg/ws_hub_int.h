/** leg/ws_hub_int.h: inside of the WebSocket port, for ws_hub.c, ws_stream.c and ws_wait.c only. */
#ifndef VA_LEG_WS_HUB_INT_H
#define VA_LEG_WS_HUB_INT_H

#include "base/htab.h"
#include "base/list.h"
#include "leg/ws_request.h"
#include "leg/ws_tls.h"
#include "net/head.h"
#include "net/tcp.h"

struct ws_stream {
    struct link link; /* in ws_hub.held */
    int fd;
    char *early; /* what was read of it, from the request on */
    size_t early_len;
    uint64_t until_us; /* held no longer */
    struct ws_stream_facts facts;
};

enum ws_wait_state {
    WS_WAIT_OPEN,     /* in the tables */
    WS_WAIT_POSTED,   /* its stream is in the mailbox of its loop */
    WS_WAIT_CANCELED, /* … and nobody wants it: the mail frees */
    WS_WAIT_DONE
};

struct ws_wait {
    struct mail mail;
    struct hlink by_token, by_call;
    struct ws_hub *hub;
    struct loop *loop;
    void (*on_stream)(void *arg, struct ws_stream *stream);
    void *arg;
    enum ws_wait_state state; /* under the hub's lock */
    struct ws_stream *stream; /* of WS_WAIT_POSTED */
    bool served;              /* at birth: by a held one */
    char token[WS_TOKEN_TEXT];
    char call[UUID_TEXT];
};

/* The tables are touched by the control thread and by workers whose leg begins or ends, some
 * microseconds each: a lock is simpler here than letters, and a wait can be released at once. */
struct ws_hub {
    struct loop *control;
    const struct settings *settings;
    struct ws_hub_handlers h;
    void *arg;
    struct tcp_listener *listener;
    struct net_addr at; /* where it listens */
    struct ws_tls *tls; /* NULL: plain */
    struct ws_gate gate;
    struct list half_open; /* struct half_open */
    struct tmr sweep;      /* of held streams */
    uint64_t refused_logged_us;

    uv_mutex_t lock; /* guards all below */
    struct htab by_token, by_call;
    struct list held;
    struct ws_hub_stats stats;
};

/* ---- ws_stream.c */
/** Takes over fd, copies `bytes`. On failure fd stays the caller's. */
VA_CHECK enum va_err ws_stream_new(int fd, struct str bytes, const struct ws_stream_facts *facts,
                                   struct ws_stream **ret_stream);
/** Answer with an HTTP error on a bare socket and close it. */
void ws_refuse_fd(int fd, int status, const char *text);

/* ---- ws_wait.c */
/** Give the stream to the leg that waits for `token` (of `/call/`) or for its call. @return false:
 *  nobody does, the stream is still the caller's. */
bool ws_wait_match(struct ws_hub *hub, const char *token, struct ws_stream *stream);
/** Keep it for a call that may come. @return false: too many are held */
bool ws_wait_hold(struct ws_hub *hub, struct ws_stream *stream);

#endif
