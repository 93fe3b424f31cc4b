/** call/control_socket_int.h: control over an Event Socket session, for control_*.c only. */
#ifndef VA_CALL_CONTROL_SOCKET_INT_H
#define VA_CALL_CONTROL_SOCKET_INT_H

#include "call/control.h"
#include "call/ring.h"

struct socket_control {
    struct control base;
    const struct control_handlers *h;
    void *arg;
    struct log_ctx log;
    struct esl_session *session;
    struct net_addr local, peer;
    enum {
        PARKED_BY_US,
        PARKED,
        BUSY,
        ADRIFT /* parked behind a human who hung up: its dialplan does not go on by itself */
    } place;   /* where its dialplan keeps the channel */
    enum { HERE, LEFT, HUNG_UP } fate;
    const struct settings *settings;
    struct ring ring;
    bool hide_name, hide_number;
    /* Of the channel, for ring() and the way back to its dialplan. */
    char number[65], context[65], caller_number[101], caller_name[101], domain[101],
        domain_uuid[UUID_TEXT];
    /* bound: what the caller of control_bound_open() knows, and the dialplan's wish */
    char secretary[128], caller[101], back_to[256];
};

static inline struct socket_control *socket_control_of(struct control *ctl)
{
    return container_of(ctl, struct socket_control, base);
}

/* ---- control_socket.c */
/* The channel is not ours any more: tell it once. */
void control_socket_leaves(struct socket_control *s);
void control_socket_close(struct control **pctl);

/* ---- control_ring.c: ring(), join(), cancel() */
/* Keep what they, and the way back to the dialplan, need to know of the channel. */
void control_socket_keep(struct socket_control *s, const struct esl_event *channel);
enum va_err control_socket_ring(struct control *ctl, const char *number, const char *context);
enum va_err control_socket_join(struct control *ctl);
void control_socket_cancel(struct control *ctl);

/* ---- control_back.c: give_back() */
void control_socket_give_back(struct control **pctl);
void control_bound_give_back(struct control **pctl);

#endif
