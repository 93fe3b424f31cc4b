#include "net/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum va_err net_addr_parse(const char *ip, uint16_t port, struct net_addr *ret_addr)
{
    struct net_addr a;
    memset(&a, 0, sizeof(a));
    if (inet_pton(AF_INET, ip, &a.u.v4.sin_addr) == 1) {
        a.u.v4.sin_family = AF_INET;
        a.u.v4.sin_port = htons(port);
    } else if (inet_pton(AF_INET6, ip, &a.u.v6.sin6_addr) == 1) {
        a.u.v6.sin6_family = AF_INET6;
        a.u.v6.sin6_port = htons(port);
    } else {
        return VA_EINVAL;
    }
    *ret_addr = a;
    return VA_OK;
}

/* IPv4 bytes of an IPv4 or IPv4-mapped address, else NULL. */
static const unsigned char *v4_bytes(const struct net_addr *a)
{
    if (a->u.sa.sa_family == AF_INET)
        return (const unsigned char *)&a->u.v4.sin_addr;
    if (a->u.sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->u.v6.sin6_addr))
        return (const unsigned char *)&a->u.v6.sin6_addr + 12;
    return NULL;
}

bool net_addr_eq(const struct net_addr *a, const struct net_addr *b)
{
    if (net_addr_port(a) != net_addr_port(b))
        return false;
    const unsigned char *x = v4_bytes(a), *y = v4_bytes(b);
    if (x && y)
        return memcmp(x, y, 4) == 0;
    if (x || y || a->u.sa.sa_family != AF_INET6 || b->u.sa.sa_family != AF_INET6)
        return false;
    return memcmp(&a->u.v6.sin6_addr, &b->u.v6.sin6_addr, 16) == 0;
}

uint16_t net_addr_port(const struct net_addr *a)
{
    return ntohs(a->u.sa.sa_family == AF_INET6 ? a->u.v6.sin6_port : a->u.v4.sin_port);
}

void net_addr_set_port(struct net_addr *a, uint16_t port)
{
    if (a->u.sa.sa_family == AF_INET6)
        a->u.v6.sin6_port = htons(port);
    else
        a->u.v4.sin_port = htons(port);
}

socklen_t net_addr_len(const struct net_addr *a)
{
    return a->u.sa.sa_family == AF_INET6 ? sizeof(a->u.v6) : sizeof(a->u.v4);
}

void net_addr_ip(const struct net_addr *a, char out[static NET_ADDR_TEXT])
{
    const unsigned char *v4 = v4_bytes(a);
    const void *from = v4 ? (const void *)v4 : (const void *)&a->u.v6.sin6_addr;
    if (!inet_ntop(v4 ? AF_INET : AF_INET6, from, out, NET_ADDR_TEXT))
        memcpy(out, "?", 2);
}

void net_addr_text(const struct net_addr *a, char out[static NET_ADDR_TEXT])
{
    char ip[NET_ADDR_TEXT];
    net_addr_ip(a, ip);
    (void)snprintf(out, NET_ADDR_TEXT, strchr(ip, ':') ? "[%.46s]:%u" : "%.46s:%u", ip,
                   net_addr_port(a));
}

bool net_addr_is_any(const struct net_addr *a)
{
    const unsigned char *v4 = v4_bytes(a);
    if (v4)
        return v4[0] == 0 && v4[1] == 0 && v4[2] == 0 && v4[3] == 0;
    return IN6_IS_ADDR_UNSPECIFIED(&a->u.v6.sin6_addr);
}
