/**
 * call/birth.h: what a call begins with, on its way from the port where it came to a worker. One
 * owner at a time, any thread.
 */
#ifndef VA_CALL_BIRTH_H
#define VA_CALL_BIRTH_H

#include "call/server.h"

/** One of the things is set, as `kind` says. */
struct birth {
    enum call_birth_kind kind;
    int fd; /**< BIRTH_SOCKET, from `peer` */
    struct net_addr peer;
    struct ws_stream *stream;
    struct sip_incoming *incoming;
};

/** Make a call of it. On the worker's thread. What it holds is gone afterwards, also on failure. */
VA_CHECK enum va_err birth_begin(struct birth *b, struct call_worker *w);
/** Send it away: a socket is closed, a stream and a SIP call get 503. */
void birth_refuse(struct birth *b, const char *why);
/** Unique-ID of the channel a stream belongs to; "" for other kinds. */
const char *birth_stream(const struct birth *b);

#endif
