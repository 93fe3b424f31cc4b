/**
 * fakefs/inbound.h: FreeSWITCH's own Event Socket port, as far as AUDIO_MODE=websocket needs it: a
 * program logs in and binds its connection to one channel by `myevents <uuid>`.
 *
 *     accept ─► auth/request ─► auth │ userauth ─► myevents UUID ─► on_bound of that channel
 *
 * On the loop's thread.
 */
#ifndef VA_FAKEFS_INBOUND_H
#define VA_FAKEFS_INBOUND_H

#include "base/list.h"
#include "base/str.h"
#include "net/tcp.h"

enum { FAKEFS_GUESTS_MAX = 20000 /* connections without a channel */ };

struct fakefs_inbound;

/** @param password  Borrowed. @return as tcp_listen() */
VA_CHECK enum va_err fakefs_inbound_open(struct loop *loop, const struct net_addr *addr,
                                         const char *password, struct fakefs_inbound **ret,
                                         struct va_fault *fault);
void fakefs_inbound_addr(const struct fakefs_inbound *in, struct net_addr *ret);
/** Channels are removed first. NULL-safe. */
void fakefs_inbound_close(struct fakefs_inbound **in);

/** A channel that can be bound to. Embed it; open value. */
struct fakefs_bindable {
    struct link link;
    const char *uuid; /**< borrowed */
    /** The connection is yours, and `first` the bytes from the myevents on. Once: it is removed
     *  before. */
    void (*on_bound)(void *arg, struct tcp_conn *tcp, struct str first);
    void *arg;
};
void fakefs_inbound_add(struct fakefs_inbound *in, struct fakefs_bindable *channel);
/** Idempotent for a zeroed or added one. */
void fakefs_inbound_remove(struct fakefs_bindable *channel);

#endif
