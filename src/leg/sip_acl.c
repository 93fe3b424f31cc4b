#include "leg/sip_acl.h"
#include "base/str.h"

#include <arpa/inet.h>

/* The address as bytes; an IPv4-mapped one as IPv4. @return their number */
static size_t bytes_of(const struct net_addr *a, unsigned char out[16])
{
    char ip[NET_ADDR_TEXT];
    net_addr_ip(a, ip);
    if (inet_pton(AF_INET, ip, out) == 1)
        return 4;
    return inet_pton(AF_INET6, ip, out) == 1 ? 16 : 0;
}

static bool same_prefix(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return !rest || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static bool parse_net(struct str entry, struct sip_acl_net *ret)
{
    struct str rest = entry, ip = str_cut(&rest, '/');
    char text[NET_ADDR_TEXT];
    unsigned char bytes[16];
    if (!str_copy(text, sizeof(text), ip) || net_addr_parse(text, 0, &ret->addr))
        return false;
    uint64_t most = bytes_of(&ret->addr, bytes) * 8, bits = most;
    bool slash = ip.len != entry.len;
    if (slash && (str_to_u64(rest, &bits) || bits > most))
        return false;
    ret->bits = (unsigned)bits;
    return true;
}

enum va_err sip_acl_parse(const char *text, struct sip_acl *ret_acl, struct va_fault *fault)
{
    struct sip_acl acl = {.count = 0};
    struct str rest = str_of(text);
    while (rest.len) {
        struct str entry = str_trim(str_cut(&rest, ','));
        if (!entry.len)
            continue;
        if (acl.count == SIP_ACL_MAX)
            return va_fault_set(fault, VA_ECONFIG, "SIP_ALLOW_ACL: more than %d networks",
                                SIP_ACL_MAX);
        if (!parse_net(entry, &acl.nets[acl.count]))
            return va_fault_set(fault, VA_ECONFIG,
                                "SIP_ALLOW_ACL: %.*s is no network; write 192.0.2.0/24 or an "
                                "address",
                                STR_ARG(entry));
        acl.count++;
    }
    *ret_acl = acl;
    return VA_OK;
}

bool sip_acl_allows(const struct sip_acl *acl, const struct net_addr *from)
{
    unsigned char a[16], b[16];
    size_t len = bytes_of(from, a);
    if ((len == 4 && a[0] == 127) || (len == 16 && IN6_IS_ADDR_LOOPBACK(&from->u.v6.sin6_addr)))
        return true;
    for (size_t i = 0; len && i < acl->count; i++)
        if (bytes_of(&acl->nets[i].addr, b) == len && same_prefix(a, b, acl->nets[i].bits))
            return true;
    return false;
}
