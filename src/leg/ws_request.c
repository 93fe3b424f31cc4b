#include "leg/ws_request.h"
#include "leg/ws_text.h"
#include "net/http_head.h"

#include <stdio.h>

/* ---- the head -------------------------------------------------------------------------------- */

static void read_bearer(const struct http_message *h, struct ws_ask *ask)
{
    struct str rest = http_head_get(h, "Authorization");
    if (str_ieqz(str_cut(&rest, ' '), "Bearer"))
        ask->bearer = str_trim(rest);
    if (!ask->bearer.len)
        ask->bearer = http_head_get(h, "X-Auth-Token");
}

static int fault(int status, const char *text, const char **ret_fault)
{
    *ret_fault = text;
    return status;
}

int ws_request_read(struct str head, struct ws_ask *ret, const char **ret_fault)
{
    static const char many[] = "too many headers";
    struct http_message h;
    *ret = (struct ws_ask){0};
    enum va_err err = http_head_request(head.p, head.len, &h);
    if (err == VA_ELIMIT)
        return fault(431, many, ret_fault);
    if (err || h.minor != 1 || !str_eqz(h.method, "GET") || !str_starts(h.target, "/"))
        return fault(400, "not an HTTP/1.1 GET request: this port speaks WebSocket", ret_fault);
    if (h.header_count > WS_HEADERS_MAX)
        return fault(431, many, ret_fault);
    if (http_head_count(&h, "Host") > 1)
        return fault(400, "more than one Host", ret_fault);
    if (!http_head_lists(&h, "Upgrade", "websocket"))
        return fault(426, "this port speaks WebSocket: the request has no Upgrade: websocket",
                     ret_fault);
    ret->path = str_cut(&h.target, '?');
    ret->query = h.target;
    ret->host = http_head_get(&h, "Host");
    ret->origin = http_head_get(&h, "Origin");
    read_bearer(&h, ret);
    return 0;
}

/* ---- path and query -------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum va_err ws_percent_decode(struct str s, char *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        int c = (unsigned char)s.p[i];
        if (c == '%') {
            int high = i + 2 < s.len ? hex_digit(s.p[i + 1]) : -1;
            int low = i + 2 < s.len ? hex_digit(s.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return VA_EINVAL;
            c = high * 16 + low;
            i += 2;
        }
        if (c < 0x20 || c == 0x7f)
            return VA_EINVAL;
        if (n + 1 >= cap)
            return VA_ELIMIT;
        out[n++] = (char)c;
    }
    out[n] = 0;
    return VA_OK;
}

struct str ws_query_get(struct str query, const char *name)
{
    while (query.len) {
        struct str value = str_cut(&query, '&');
        if (str_eqz(str_cut(&value, '='), name))
            return value.p ? value : str_make("", 0);
    }
    return (struct str){0};
}

/* [0-9A-Za-z-], what FreeSWITCH's own and most chosen uuids are made of: it ends up in commands. */
static bool channel_id(const char *s)
{
    if (!*s)
        return false;
    for (; *s; s++) {
        char lower = (char)(*s | 0x20);
        bool alnum = (*s >= '0' && *s <= '9') || (lower >= 'a' && lower <= 'z');
        if (!alnum && *s != '-')
            return false;
    }
    return true;
}

static int read_format(struct str query, struct ws_stream_facts *f, const char **ret_fault)
{
    struct str codec = ws_query_get(query, "codec"), rate = ws_query_get(query, "rate");
    struct str channels = ws_query_get(query, "channels");
    uint64_t n = 0;
    *ret_fault = "unknown codec: l16, pcmu or pcma";
    if (str_ieqz(codec, "l16"))
        f->codec = WS_CODEC_L16;
    else if (str_ieqz(codec, "pcmu"))
        f->codec = WS_CODEC_PCMU;
    else if (str_ieqz(codec, "pcma"))
        f->codec = WS_CODEC_PCMA;
    else if (codec.len)
        return 400;
    *ret_fault = "rate must be 8000, 16000, 24000 or 48000";
    if (rate.len && (str_to_u64(rate, &n) || (n != 8000 && n != 16000 && n != 24000 && n != 48000)))
        return 400;
    f->rate_hz = rate.len ? (int)n : 0;
    *ret_fault = "channels must be 1 or 2";
    if (channels.len && (str_to_u64(channels, &n) || n < 1 || n > 2))
        return 400;
    f->channels = channels.len ? (int)n : 0;
    struct str playback = ws_query_get(query, "playback");
    *ret_fault = "playback must be auto, unicast, broadcast, json or binary";
    return playback.len && ws_playback_read(playback, &f->playback) ? 400 : 0;
}

static int read_stream(struct str rest, struct str query, struct ws_stream_facts *f,
                       const char **ret_fault)
{
    struct str secretary = str_cut(&rest, '/'), call = str_cut(&rest, '/');
    struct str caller = str_cut(&rest, '/');
    *ret_fault = "the path is /stream/{secretary}/{call uuid}[/{caller}]";
    if (rest.len || !secretary.len)
        return 404;
    *ret_fault = "secretary too long or malformed";
    if (ws_percent_decode(secretary, f->secretary, sizeof(f->secretary)))
        return 400;
    if (strcmp(f->secretary, "default") == 0)
        f->secretary[0] = 0;
    *ret_fault = "not a call uuid: letters, digits and dashes, 36 at most";
    if (ws_percent_decode(call, f->call, sizeof(f->call)) || !channel_id(f->call))
        return 400;
    *ret_fault = "caller too long or malformed";
    if (ws_percent_decode(caller, f->caller, sizeof(f->caller)))
        return 400;
    return read_format(query, f, ret_fault);
}

int ws_path_read(struct str path, struct str query, struct ws_path *ret, const char **ret_fault)
{
    *ret = (struct ws_path){0};
    struct str rest = path;
    (void)str_cut(&rest, '/');
    struct str first = str_cut(&rest, '/');
    if (str_eqz(first, "stream"))
        return read_stream(rest, query, &ret->stream, ret_fault);
    *ret_fault = "no such path: /stream/{secretary}/{call uuid}[/{caller}]";
    if (!str_eqz(first, "call"))
        return 404;
    ret->kind = WS_PATH_CALL;
    *ret_fault = "not a token";
    return str_copy(ret->token, sizeof(ret->token), rest) && rest.len == WS_TOKEN_TEXT - 1 ? 0
                                                                                           : 404;
}

/* ---- who may in ------------------------------------------------------------------------------ */

/* In a time that tells nothing about where they differ. */
static bool same_secret(struct str a, struct str b)
{
    unsigned char differ = a.len != b.len;
    for (size_t i = 0; i < a.len; i++)
        differ |=
            (unsigned char)((unsigned char)a.p[i] ^ (unsigned char)(b.len ? b.p[i % b.len] : 0));
    return !differ;
}

static bool token_ok(const struct ws_gate *gate, const struct ws_ask *ask)
{
    char text[SETTING_TEXT_MAX] = "";
    struct str in_query = ws_query_get(ask->query, "token");
    if (in_query.len && ws_percent_decode(in_query, text, sizeof(text)))
        return false;
    struct str given = ask->bearer.len ? ask->bearer : str_of(text);
    return gate->token.len && same_secret(given, gate->token);
}

/* "[::1]:8085" → "::1", "host:1" → "host". */
static struct str host_part(struct str authority)
{
    if (str_starts(authority, "[")) {
        authority.p++;
        authority.len--;
        return str_cut(&authority, ']');
    }
    return str_cut(&authority, ':');
}

/* The name in Host cannot be a stranger's that resolves to us (DNS rebinding). */
static bool own_name(const struct ws_gate *gate, struct str host)
{
    char text[64];
    struct net_addr addr;
    if (str_ieqz(host, "localhost") || (gate->own_host.len && str_ieq(host, gate->own_host)))
        return true;
    return str_copy(text, sizeof(text), host) && net_addr_parse(text, 0, &addr) == VA_OK;
}

/* mod_audio_stream sends an Origin that repeats Host. A page of a browser sends its own site's. */
static bool page_of_a_browser(const struct ws_gate *gate, const struct ws_ask *ask)
{
    if (!ask->origin.len)
        return false;
    struct str site = ask->origin;
    (void)str_cut(&site, ':');
    if (!str_starts(site, "//"))
        return true;
    site.p += 2;
    site.len -= 2;
    return !str_ieq(site, ask->host) || !own_name(gate, host_part(ask->host));
}

int ws_gate_check(const struct ws_gate *gate, const struct ws_ask *ask, const char **ret_fault)
{
    if (token_ok(gate, ask))
        return 0;
    if (page_of_a_browser(gate, ask)) {
        *ret_fault = "pages of a browser need the token (WS_TOKEN)";
        return 403;
    }
    if (gate->loopback && !gate->token.len)
        return 0;
    *ret_fault = "the token (WS_TOKEN) is missing or wrong: Authorization: Bearer, X-Auth-Token "
                 "or ?token=";
    return 401;
}
