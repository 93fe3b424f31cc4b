#include "net/ws_hello.h"
#include "base/base64.h"
#include "base/rand.h"

#include <openssl/sha.h>

_Static_assert(WS_KEY_TEXT == (16 + 2) / 3 * 4 + 1, "a key is 16 bytes");
_Static_assert(WS_ACCEPT_TEXT == (SHA_DIGEST_LENGTH + 2) / 3 * 4 + 1, "its answer a digest");

void ws_hello_key(char out[static WS_KEY_TEXT])
{
    unsigned char b[16];
    rand_bytes(b, sizeof(b));
    out[base64_encode(b, sizeof(b), out)] = 0;
}

void ws_hello_accept(struct str key, char out[static WS_ACCEPT_TEXT])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char both[WS_KEY_TEXT - 1 + sizeof(guid) - 1], digest[SHA_DIGEST_LENGTH];
    size_t n = key.len < WS_KEY_TEXT - 1 ? key.len : WS_KEY_TEXT - 1;
    if (n)
        memcpy(both, key.p, n);
    memcpy(both + n, guid, sizeof(guid) - 1);
    (void)SHA1(both, n + sizeof(guid) - 1, digest);
    out[base64_encode(digest, sizeof(digest), out)] = 0;
}

/* ---- client --------------------------------------------------------------------------------- */

/* Headers that are ours alone. */
static bool reserved(struct str name)
{
    static const char *const ours[] = {"Host",
                                       "Upgrade",
                                       "Connection",
                                       "Content-Length",
                                       "Transfer-Encoding",
                                       "Sec-WebSocket-Key",
                                       "Expect",
                                       "Sec-WebSocket-Version",
                                       "Sec-WebSocket-Protocol",
                                       "Sec-WebSocket-Extensions"};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (str_ieqz(name, ours[i]))
            return true;
    return false;
}

static enum va_err add_headers(const struct ws_target *to, struct buf *out)
{
    if (to->header_count > WS_HEADERS_MAX)
        return VA_EINVAL;
    for (size_t i = 0; i < to->header_count; i++) {
        const struct ws_header *h = &to->headers[i];
        if (!http_is_token(h->name) || !http_is_value(h->value) || reserved(h->name))
            return VA_EINVAL;
        (void)buf_adds(out, h->name);
        (void)buf_addz(out, ": ");
        (void)buf_adds(out, str_trim(h->value));
        (void)buf_addz(out, "\r\n");
    }
    return VA_OK;
}

static void add_host(const struct ws_url *url, struct buf *out)
{
    bool ipv6 = strchr(url->host, ':');
    (void)buf_addf(out, "Host: %s%s%s", ipv6 ? "[" : "", url->host, ipv6 ? "]" : "");
    if (url->port != (url->tls ? 443 : 80))
        (void)buf_addf(out, ":%u", url->port);
    (void)buf_addz(out, "\r\n");
}

enum va_err ws_hello_request(const struct ws_url *url, const struct ws_target *to, const char *key,
                             struct buf *out)
{
    if (to->subprotocol && !http_is_token(str_of(to->subprotocol)))
        return VA_EINVAL;
    (void)buf_addz(out, "GET ");
    if (!str_starts(url->target, "/"))
        (void)buf_addc(out, '/');
    (void)buf_adds(out, url->target);
    (void)buf_addz(out, " HTTP/1.1\r\n");
    add_host(url, out);
    (void)buf_addf(out,
                   "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: %s\r\n",
                   key);
    if (to->subprotocol)
        (void)buf_addf(out, "Sec-WebSocket-Protocol: %s\r\n", to->subprotocol);
    enum va_err err = add_headers(to, out);
    if (err)
        return err;
    (void)buf_addz(out, "\r\n");
    return out->err;
}

const char *ws_hello_check_answer(const struct http_message *h, const char *key,
                                  const char *offered)
{
    char accept[WS_ACCEPT_TEXT];
    struct str chosen = http_head_get(h, "Sec-WebSocket-Protocol");
    ws_hello_accept(str_of(key), accept);
    if (!http_head_lists(h, "Upgrade", "websocket") || !http_head_lists(h, "Connection", "upgrade"))
        return "its 101 does not upgrade to websocket";
    if (http_head_count(h, "Sec-WebSocket-Accept") != 1 ||
        !str_eqz(http_head_get(h, "Sec-WebSocket-Accept"), accept))
        return "its Sec-WebSocket-Accept is not the answer to our key";
    if (http_head_get(h, "Sec-WebSocket-Extensions").len)
        return "it uses an extension that was not offered";
    if (http_head_count(h, "Sec-WebSocket-Protocol") > 1 ||
        (chosen.len && (!offered || !str_eqz(chosen, offered))))
        return "it chose a subprotocol that was not offered";
    return NULL;
}

/* ---- server --------------------------------------------------------------------------------- */

/* 16 bytes in base64: 22 characters and "==". */
static bool is_key(struct str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (s.len != WS_KEY_TEXT - 1 || s.p[22] != '=' || s.p[23] != '=')
        return false;
    for (size_t i = 0; i < 22; i++)
        if (!s.p[i] || !strchr(digits, s.p[i]))
            return false;
    return true;
}

static int refuse(int status, const char *text, const char **ret_text)
{
    *ret_text = text;
    return status;
}

int ws_hello_check_request(const struct http_message *h, const char **ret_text)
{
    struct str length = http_head_get(h, "Content-Length");
    if (h->minor < 1)
        return refuse(400, "HTTP/1.1 is needed", ret_text);
    if (!str_eqz(h->method, "GET"))
        return refuse(405, "only GET: this is a WebSocket", ret_text);
    if (http_head_count(h, "Host") != 1)
        return refuse(400, "one Host header is needed", ret_text);
    if (h->target.p[0] != '/')
        return refuse(400, "the request's target must be a path", ret_text);
    if (http_head_count(h, "Transfer-Encoding") || (length.len && !str_eqz(length, "0")))
        return refuse(400, "a WebSocket request has no body", ret_text);
    if (!http_head_lists(h, "Upgrade", "websocket"))
        return refuse(426, "this is a WebSocket: connect with ws:// or wss://", ret_text);
    if (!http_head_lists(h, "Connection", "upgrade"))
        return refuse(400, "\"Connection: Upgrade\" is missing (a proxy may have removed it)",
                      ret_text);
    if (http_head_count(h, "Sec-WebSocket-Version") != 1 ||
        !str_eqz(http_head_get(h, "Sec-WebSocket-Version"), "13"))
        return refuse(426, "WebSocket version 13 is needed", ret_text);
    if (http_head_count(h, "Sec-WebSocket-Key") != 1 ||
        !is_key(http_head_get(h, "Sec-WebSocket-Key")))
        return refuse(400, "one Sec-WebSocket-Key of 16 bytes is needed", ret_text);
    return 101;
}

enum va_err ws_hello_answer(const struct http_message *h, const char *subprotocol, struct buf *out)
{
    char accept[WS_ACCEPT_TEXT];
    ws_hello_accept(http_head_get(h, "Sec-WebSocket-Key"), accept);
    (void)buf_addf(out,
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n",
                   accept);
    if (subprotocol)
        (void)buf_addf(out, "Sec-WebSocket-Protocol: %s\r\n", subprotocol);
    return buf_addz(out, "\r\n");
}

const char *ws_hello_status_text(int status)
{
    switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Error";
    }
}

enum va_err ws_hello_refusal(int status, const char *text, struct buf *out)
{
    text = text ? text : ws_hello_status_text(status);
    (void)buf_addf(out, "HTTP/1.1 %d %s\r\n", status, ws_hello_status_text(status));
    if (status == 401)
        (void)buf_addz(out, "WWW-Authenticate: Bearer\r\n");
    if (status == 405)
        (void)buf_addz(out, "Allow: GET\r\n");
    if (status == 426)
        (void)buf_addz(out, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    return buf_addf(out,
                    "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
                    "Connection: %s\r\n\r\n%s\n",
                    strlen(text) + 1, status == 426 ? "Upgrade, close" : "close", text);
}
