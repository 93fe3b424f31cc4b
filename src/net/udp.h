/** net/udp.h: a UDP socket on a loop. All on the loop's thread. */
#ifndef VA_NET_UDP_H
#define VA_NET_UDP_H

#include "net/addr.h"
#include "net/loop.h"

struct udp_sock;

/** One datagram; `p` is borrowed for the call. May close the socket. */
typedef void(udp_recv_h)(void *arg, const struct net_addr *from, const void *p, size_t len);

/**
 * Bind a socket and receive on it.
 *
 * @param addr  Port 0 picks one
 * @return VA_OK, VA_EINUSE, VA_EINVAL, VA_ELIMIT (descriptors), VA_ENOMEM
 */
VA_CHECK enum va_err udp_open(struct loop *loop, const struct net_addr *addr, udp_recv_h *on_recv,
                              void *arg, struct udp_sock **ret_sock);

/**
 * Bind the first free port of [min, max], starting behind the port that was handed out last
 * (process-wide), so that a port rests before it is used again. The port is held from here on:
 * nothing is probed and released.
 *
 * @return VA_OK, VA_ELIMIT (all taken), else as udp_open()
 */
VA_CHECK enum va_err udp_open_range(struct loop *loop, const struct net_addr *addr, uint16_t min,
                                    uint16_t max, udp_recv_h *on_recv, void *arg,
                                    struct udp_sock **ret_sock);

/**
 * The same for RTP and RTCP (RFC 3550 §11): an even port and the one behind it, both held.
 *
 * @return VA_OK, VA_ELIMIT (no pair is free), else as udp_open()
 */
VA_CHECK enum va_err udp_open_pair_range(struct loop *loop, const struct net_addr *addr,
                                         uint16_t min, uint16_t max, udp_recv_h *on_even,
                                         udp_recv_h *on_odd, void *arg, struct udp_sock **ret_even,
                                         struct udp_sock **ret_odd);

/** Send one datagram now, or drop it: audio that waits is worth nothing. @return VA_OK or why not
 */
enum va_err udp_send(struct udp_sock *s, const struct net_addr *to, const void *p, size_t len);
uint16_t udp_port(const struct udp_sock *s);
/** No callback follows. NULL-safe. */
void udp_close(struct udp_sock **s);

#endif
