/*
 * Where requests of ours to the peer would go: Contact and Record-Route of theirs.
 *
 * sofia-sip 1.12.11 cannot cope with a place nothing can be sent to: its BYE fails at once, inside
 * of the call that makes it, and it then calls itself without end or stops with an assertion. So
 * such a target is refused before there is a dialog; one that comes later ends the call, and its
 * handle is left alone for good (struct sip_ua.poisoned).
 */
#include "leg/sip_int.h"

#include <stdlib.h>

static bool host_ok(const char *host)
{
    if (!host || !*host)
        return false;
    struct net_addr addr;
    char ip[NET_ADDR_TEXT];
    size_t len = strlen(host);
    if (host[0] == '[' && host[len - 1] == ']' && len > 2)
        return str_copy(ip, sizeof(ip), str_make(host + 1, len - 2)) &&
               net_addr_parse(ip, 0, &addr) == VA_OK;
    if (len < sizeof(ip) && net_addr_parse(host, 0, &addr) == VA_OK)
        return !net_addr_is_any(&addr);
    bool letter = false; /* a name, not a number that is no address */
    for (size_t i = 0; i < len; i++) {
        char c = host[i];
        bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        letter = letter || alpha;
        if (!alpha && !(c >= '0' && c <= '9') && c != '.' && c != '-')
            return false;
    }
    return letter && len <= 253;
}

static bool port_ok(const char *port)
{
    uint64_t n = 0;
    return !port || !*port || (str_to_u64(str_of(port), &n) == VA_OK && n > 0 && n <= 65535);
}

static bool transport_ok(const struct sip_ua *ua, const url_t *url)
{
    char value[16] = "";
    if (!url->url_params)
        return true;
    if (url_param(url->url_params, "maddr", NULL, 0))
        return false;
    if (!url_param(url->url_params, "transport", value, sizeof(value)))
        return true;
    struct str t = str_of(value);
    return str_ieqz(t, "udp") || str_ieqz(t, "tcp") || (str_ieqz(t, "tls") && ua->tls_port);
}

static bool url_ok(const struct sip_ua *ua, const url_t *url)
{
    bool scheme = url->url_type == url_sip || (url->url_type == url_sips && ua->tls_port);
    return scheme && !url->url_headers && host_ok(url->url_host) && port_ok(url->url_port) &&
           transport_ok(ua, url);
}

bool sip_target_ok(const struct sip_ua *ua, const sip_t *sip, bool again)
{
    const sip_contact_t *m = sip->sip_contact;
    if (!m) /* a dialog keeps the one it has */
        return again;
    if (m->m_next || !url_ok(ua, m->m_url))
        return false;
    for (const sip_record_route_t *r = again ? NULL : sip->sip_record_route; r; r = r->r_next)
        if (!url_ok(ua, r->r_url))
            return false;
    return true;
}
