/**
 * fakefs/sock.h: a UDP socket that knows when a datagram arrived at the kernel (SO_TIMESTAMPNS), so
 * that a busy fake does not blame the program it measures. On the loop's thread.
 */
#ifndef VA_FAKEFS_SOCK_H
#define VA_FAKEFS_SOCK_H

#include "net/addr.h"
#include "net/loop.h"

struct fakefs_sock;

/** `at_us` on the loop's monotonic clock. `p` is borrowed. May close the socket. */
typedef void(fakefs_recv_h)(void *arg, uint64_t at_us, const void *p, size_t len);

VA_CHECK enum va_err fakefs_sock_open(struct loop *loop, const struct net_addr *local,
                                      fakefs_recv_h *on_recv, void *arg, struct fakefs_sock **ret);
/** The port it is bound to. */
uint16_t fakefs_sock_port(const struct fakefs_sock *s);
/** @return false when the datagram was dropped */
bool fakefs_sock_send(struct fakefs_sock *s, const struct net_addr *to, const void *p, size_t len);
/** No callback follows. NULL-safe. */
void fakefs_sock_close(struct fakefs_sock **s);

#endif
