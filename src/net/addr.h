/** net/addr.h: an IP address with port as one small value. */
#ifndef VA_NET_ADDR_H
#define VA_NET_ADDR_H

#include "base/err.h"

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

enum { NET_ADDR_TEXT = 64 };

struct net_addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } u;
};

/** Numeric IPv4 or IPv6 text (no DNS) and a port. @return VA_OK, VA_EINVAL */
VA_CHECK enum va_err net_addr_parse(const char *ip, uint16_t port, struct net_addr *ret_addr);
/** Same IP and port. An IPv4-mapped IPv6 address equals its IPv4 form. */
bool net_addr_eq(const struct net_addr *a, const struct net_addr *b);
uint16_t net_addr_port(const struct net_addr *a);
void net_addr_set_port(struct net_addr *a, uint16_t port);
socklen_t net_addr_len(const struct net_addr *a);
/** IP alone ("127.0.0.1"; IPv4-mapped shown as IPv4). */
void net_addr_ip(const struct net_addr *a, char out[static NET_ADDR_TEXT]);
/** "127.0.0.1:8022" or "[::1]:8022". */
void net_addr_text(const struct net_addr *a, char out[static NET_ADDR_TEXT]);
bool net_addr_is_any(const struct net_addr *a);

#endif
