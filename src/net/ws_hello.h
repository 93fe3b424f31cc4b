/**
 * net/ws_hello.h: the WebSocket handshake (RFC 6455 §4) as bytes, both sides. For ws*.c, for who
 * refuses a request before there is a connection, and tests.
 */
#ifndef VA_NET_WS_HELLO_H
#define VA_NET_WS_HELLO_H

#include "base/buf.h"
#include "net/http_head.h"
#include "net/ws.h"

enum { WS_HOST_TEXT = 256, WS_KEY_TEXT = 25, WS_ACCEPT_TEXT = 29 };

struct ws_url {
    bool tls;
    uint16_t port;
    char host[WS_HOST_TEXT]; /**< without the brackets of an IPv6 address */
    struct str target; /**< path and query; without the leading "/" when the URL had no path */
};

/**
 * ws, wss, http or https. No user, no fragment: a secret in a URL ends in logs.
 *
 * @param ret_url  Its target points into `url`
 * @return VA_OK, VA_EINVAL
 */
VA_CHECK enum va_err ws_url_parse(const char *url, struct ws_url *ret_url);

/** A new random Sec-WebSocket-Key. */
void ws_hello_key(char out[static WS_KEY_TEXT]);
/** The Sec-WebSocket-Accept that answers a key. */
void ws_hello_accept(struct str key, char out[static WS_ACCEPT_TEXT]);

/** @return VA_OK, VA_EINVAL (header or subprotocol), VA_ELIMIT (WS_HEAD_BYTES_MAX), VA_ENOMEM */
VA_CHECK enum va_err ws_hello_request(const struct ws_url *url, const struct ws_target *to,
                                      const char *key, struct buf *out);
/**
 * Is this 101 the answer to our key?
 *
 * @param offered  Subprotocol, NULL: none
 * @return NULL: yes; else what is wrong with it
 */
const char *ws_hello_check_answer(const struct http_message *h, const char *key,
                                  const char *offered);

/** Is this a client's opening handshake? @return 101, or the status of the refusal with its text */
int ws_hello_check_request(const struct http_message *h, const char **ret_text);
/** @param subprotocol  NULL: none */
VA_CHECK enum va_err ws_hello_answer(const struct http_message *h, const char *subprotocol,
                                     struct buf *out);
/** An HTTP error with a body of one line. */
VA_CHECK enum va_err ws_hello_refusal(int status, const char *text, struct buf *out);
/** "Not Found"; "Error" for what is not known here. */
const char *ws_hello_status_text(int status);

#endif
