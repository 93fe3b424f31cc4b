/**
 * net/udp.h: a UDP socket on a loop. All on the loop's thread.
 *
 *     anybody ──► first descriptor ─────────┬─► on_recv
 *     the peer ─► descriptor of its own ────┘       udp_focus()
 */
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

/**
 * Give `peer` a descriptor of its own, connected to it and bound to the same address: the kernel
 * then need not look for the way with every datagram, which is a fifth of what a send costs. What
 * others send still comes by the first descriptor. The port stays held: nobody else can bind it.
 *
 * @param peer  NULL, or family AF_UNSPEC: nobody any more. The one it is already: nothing is done
 * @return VA_OK, VA_ELIMIT (descriptors), VA_ENOMEM, VA_EINVAL: all goes by the first descriptor
 *         then, as before
 */
enum va_err udp_focus(struct udp_sock *s, const struct net_addr *peer);

/**
 * From here on the peer's datagrams wait until udp_read() asks for them, instead of waking the loop
 * one by one. For a receiver with a clock of its own, which cannot use them earlier anyway. Without
 * a peer it begins with the next one.
 */
void udp_read_by_clock(struct udp_sock *s);

/**
 * Hand over what the peer has sent, in its order, by on_recv, from inside. A handler may close the
 * socket. Does not look behind a datagram that came within the last UDP_FRESH_MS if the call before
 * found one, too: no second one is due yet, and looking costs as much as a third of a read.
 *
 * @return number of datagrams; 0 also without udp_read_by_clock()
 */
size_t udp_read(struct udp_sock *s);

enum {
    UDP_FRESH_MS = 10, /**< the shortest ptime of a sender */
    UDP_READ_MAX = 32  /**< datagrams of one udp_read(): a flood waits for the next */
};

/** Inside on_recv: when the datagram came [µs of the loop's clock]. By the kernel's stamp for what
 *  udp_read() hands over, else now. */
uint64_t udp_arrival_us(const struct udp_sock *s);

/** Send one datagram now, or drop it: audio that waits is worth nothing. @return VA_OK or why not
 */
enum va_err udp_send(struct udp_sock *s, const struct net_addr *to, const void *p, size_t len);
uint16_t udp_port(const struct udp_sock *s);
/** No callback follows. NULL-safe. */
void udp_close(struct udp_sock **s);

#endif
