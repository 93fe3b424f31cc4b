#include "net/ws_hello.h"

static bool scheme(struct str *rest, struct ws_url *u)
{
    static const struct {
        const char *prefix;
        bool tls;
    } known[] = {{"ws://", false}, {"wss://", true}, {"http://", false}, {"https://", true}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t n = strlen(known[i].prefix);
        if (rest->len < n || !str_ieqz(str_make(rest->p, n), known[i].prefix))
            continue;
        u->tls = known[i].tls;
        u->port = u->tls ? 443 : 80;
        *rest = str_make(rest->p + n, rest->len - n);
        return true;
    }
    return false;
}

static bool port(struct str s, struct ws_url *u)
{
    uint64_t n = 0;
    if (str_to_u64(s, &n) || n == 0 || n > UINT16_MAX)
        return false;
    u->port = (uint16_t)n;
    return true;
}

static bool host_char(char c, bool ipv6)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_' || (ipv6 && c == ':');
}

static bool host(struct str s, bool ipv6, struct ws_url *u)
{
    for (size_t i = 0; i < s.len; i++)
        if (!host_char(s.p[i], ipv6))
            return false;
    return s.len > 0 && str_copy(u->host, sizeof(u->host), s);
}

static bool authority(struct str s, struct ws_url *u)
{
    if (!str_starts(s, "[")) {
        struct str name = str_cut(&s, ':');
        bool bare = name.p + name.len == s.p; /* no colon */
        return host(name, false, u) && (bare || port(s, u));
    }
    (void)str_cut(&s, '[');
    const char *end = s.len ? memchr(s.p, ']', s.len) : NULL;
    if (!end || !host(str_make(s.p, (size_t)(end - s.p)), true, u))
        return false;
    s = str_make(end + 1, s.len - (size_t)(end + 1 - s.p));
    return s.len == 0 || (s.p[0] == ':' && port(str_make(s.p + 1, s.len - 1), u));
}

static bool target(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c >= 127 || c == '#')
            return false;
    }
    return true;
}

enum va_err ws_url_parse(const char *url, struct ws_url *ret_url)
{
    struct ws_url u = {.tls = false};
    struct str rest = str_of(url);
    if (!scheme(&rest, &u))
        return VA_EINVAL;
    size_t end = 0;
    while (end < rest.len && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#')
        end++;
    u.target = str_make(rest.p + end, rest.len - end);
    if (!authority(str_make(rest.p, end), &u) || !target(u.target))
        return VA_EINVAL;
    *ret_url = u;
    return VA_OK;
}
