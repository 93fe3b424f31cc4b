/**
 * net/tcp.h: TCP listener and connection with a bounded send buffer. All on the loop's thread.
 */
#ifndef VA_NET_TCP_H
#define VA_NET_TCP_H

#include "net/addr.h"
#include "net/loop.h"

struct tcp_listener;

/**
 * Listen and hand every accepted socket to `on_accept` as a bare file descriptor (non-blocking,
 * close-on-exec, no delay), so that it can go to another thread's loop.
 *
 * @param addr       Port 0 picks one; tcp_listener_addr() tells
 * @param on_accept  Owns fd. `peer` is borrowed for the call
 * @param fault      Names the port and what to do about it
 *
 * @return VA_OK, VA_EINUSE, VA_EREFUSED, VA_ENOMEM, VA_EIO
 */
VA_CHECK enum va_err tcp_listen(struct loop *loop, const struct net_addr *addr,
                                void (*on_accept)(void *arg, int fd, const struct net_addr *peer),
                                void *arg, struct tcp_listener **ret_listener,
                                struct va_fault *fault);
void tcp_listener_addr(const struct tcp_listener *l, struct net_addr *ret_addr);
/** Stop listening at once. No callback follows. NULL-safe. */
void tcp_listener_close(struct tcp_listener **l);

struct tcp_conn;

/** Called on the loop's thread; any of them may close the connection. All are required. */
struct tcp_handlers {
    /** Connected (only after tcp_connect). */
    void (*on_open)(void *arg);
    /** Bytes arrived; borrowed for the call. */
    void (*on_read)(void *arg, const char *p, size_t len);
    /** The peer closed (VA_ECLOSED) or it broke (VA_EREFUSED, VA_ETIMEOUT, VA_EIO …). Once and
     *  last; the connection is still to be released with tcp_close(). */
    void (*on_end)(void *arg, enum va_err why);
};

/**
 * Take over a connected socket.
 *
 * @param fd        Owned from here on, also on failure
 * @param out_max   Bound of unsent bytes
 * @param handlers  Borrowed until tcp_close(). on_open is not called
 */
VA_CHECK enum va_err tcp_adopt(struct loop *loop, int fd, size_t out_max,
                               const struct tcp_handlers *handlers, void *arg,
                               struct tcp_conn **ret_conn);

/** Connect; on_open or on_end follows. `timeout_ms` covers the connect only. */
VA_CHECK enum va_err tcp_connect(struct loop *loop, const struct net_addr *addr,
                                 uint64_t timeout_ms, size_t out_max,
                                 const struct tcp_handlers *handlers, void *arg,
                                 struct tcp_conn **ret_conn);

/**
 * Send bytes in order. They go out at once where the socket takes them; the rest is copied.
 *
 * @return VA_OK, VA_ELIMIT (would exceed out_max; nothing of it was sent), VA_ECLOSED
 */
VA_CHECK enum va_err tcp_write(struct tcp_conn *c, const void *p, size_t len);

/**
 * Call `on_drain(arg of the handlers)` once, when no more than `below` bytes are unsent. Never from
 * inside this call; not at all when everything is sent already or the connection ends before.
 */
void tcp_on_drain(struct tcp_conn *c, size_t below, void (*on_drain)(void *arg));

/** Hand it to another owner: its handlers are told from now on. Allowed in a handler. */
void tcp_rebind(struct tcp_conn *c, const struct tcp_handlers *handlers, void *arg);

/** Stop (true) or resume reading. */
void tcp_pause(struct tcp_conn *c, bool paused);
size_t tcp_unsent(const struct tcp_conn *c);
void tcp_peer(const struct tcp_conn *c, struct net_addr *ret_addr);
void tcp_local(const struct tcp_conn *c, struct net_addr *ret_addr);

/** Release now: unsent bytes are dropped, no callback follows. NULL-safe. */
void tcp_close(struct tcp_conn **c);
/** Release: what is unsent is sent for up to 5 s in the background, then closed. NULL-safe. */
void tcp_close_flush(struct tcp_conn **c);
/**
 * Release as tcp_close_flush() does, but then close the sending half only, and drop what still
 * arrives until the peer closes too (for 2 s): bytes that nobody read would make the kernel send a
 * reset, which can overtake the last words. NULL-safe.
 */
void tcp_close_linger(struct tcp_conn **c);
/** Release with a TCP reset. NULL-safe. */
void tcp_reset(struct tcp_conn **c);

#endif
