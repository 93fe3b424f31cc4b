/**
 * net/resolve.h: host name to addresses, without blocking the loop. A numeric address is answered
 * without a look-up; names are looked up by threads, since getaddrinfo() knows no other way.
 */
#ifndef VA_NET_RESOLVE_H
#define VA_NET_RESOLVE_H

#include "net/addr.h"
#include "net/loop.h"

enum {
    RESOLVE_MAX = 8,       /**< addresses kept of one name */
    RESOLVE_HOST_MAX = 255 /**< bytes of a name */
};

struct resolve;

/**
 * Called once, on the loop's thread, never from inside resolve_start(). The look-up is released
 * then.
 *
 * @param err    VA_OK, VA_ENOTFOUND (no such name), VA_EAGAIN (the name server did not answer)
 * @param addrs  `count` ≥ 1 of them in the order to try; borrowed
 */
typedef void(resolve_h)(void *arg, enum va_err err, const struct net_addr *addrs, size_t count);

/** @return VA_OK, VA_EINVAL (empty, or too long to be a name), VA_ENOMEM (or no thread) */
VA_CHECK enum va_err resolve_start(struct loop *loop, const char *host, uint16_t port,
                                   resolve_h *on_done, void *arg, struct resolve **ret_resolve);
/** Forget it: on_done is not called. NULL-safe, leaves NULL behind. */
void resolve_cancel(struct resolve **r);

#endif
