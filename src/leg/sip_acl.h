/** leg/sip_acl.h: which addresses may call directly (SIP_ALLOW_ACL). Pure functions. */
#ifndef VA_LEG_SIP_ACL_H
#define VA_LEG_SIP_ACL_H

#include "net/addr.h"

enum { SIP_ACL_MAX = 32 };

struct sip_acl {
    struct sip_acl_net {
        struct net_addr addr;
        unsigned bits; /**< of the prefix */
    } nets[SIP_ACL_MAX];
    size_t count;
};

/** "10.0.0.0/8, 192.0.2.7, 2001:db8::/32"; "" is an empty list.
 *  @return VA_OK, VA_ECONFIG; `fault` names the entry */
VA_CHECK enum va_err sip_acl_parse(const char *text, struct sip_acl *ret_acl,
                                   struct va_fault *fault);
/** Loopback is always let in. An IPv4-mapped IPv6 address counts as its IPv4 form. */
bool sip_acl_allows(const struct sip_acl *acl, const struct net_addr *from);

#endif
