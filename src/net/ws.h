/**
 * net/ws.h: WebSocket connections (RFC 6455), both sides, plain or TLS. All on the loop's thread.
 *
 *     client: ws_connect ─► resolve ─► TCP ─► TLS ─► GET, 101 ─► on_open ─► messages ─► on_closed
 *     server: ws_accept  ─► [TLS] ─► GET ─► on_request: yes (101) or no (4xx) ─► on_open ─► …
 *
 * Messages are whole: fragments are joined up to `message_max`. Pings are answered here. A message
 * is one write, with TLS one record (up to 16 KiB). No handler is called from inside a function of
 * this file; each may send, close and free. A peer that breaks a rule or a bound ends its own
 * connection: 1002 (protocol), 1007 (text is not UTF-8), 1009 (too long).
 */
#ifndef VA_NET_WS_H
#define VA_NET_WS_H

#include "base/str.h"
#include "net/addr.h"
#include "net/loop.h"

struct ws_conn;
struct tls_ctx; /* net/tls.h */

enum ws_kind { WS_TEXT, WS_BINARY };

enum {
    WS_HEADERS_MAX = 32,         /**< of a request or a configuration */
    WS_HEAD_BYTES_MAX = 8192,    /**< handshake, either direction: over it 431, or VA_ELIMIT */
    WS_MESSAGE_MAX = 1024 * 1024 /**< default of message_max */
};

struct ws_header {
    struct str name, value;
};

/** Why a connection ended, or never was. Borrowed for the call, also after a ws_free() in it. */
struct ws_end {
    enum va_err err;   /**< VA_OK: closed by a close handshake, whatever its code; VA_ETIMEOUT,
                        *   VA_EREFUSED (connection; HTTP 429, 5xx; by our on_request),
                        *   VA_ENOTFOUND (host), VA_EAUTH (certificate; HTTP 401, 403, 407),
                        *   VA_EPROTO (also other HTTP answers, redirects among them), VA_ELIMIT
                        *   (message or head over its bound), VA_ECLOSED (without a close frame),
                        *   VA_ECANCELED (ws_close() before it was open), VA_ENOMEM, VA_EIO */
    int http_status;   /**< of the handshake's answer; 0: there was none */
    uint16_t code;     /**< of the peer's close frame, or ours if we ended it; 0: none */
    struct str reason; /**< of that close frame; else the first bytes of an HTTP error's body */
    const char *text;  /**< one line for a person: what is wrong and what to do */
};

/** What a client asked for (server side). Borrowed for the call. */
struct ws_request {
    struct str path;  /**< decoded by nobody: "/stream/a/b" */
    struct str query; /**< behind the "?", may be empty */
    struct net_addr peer;
    const struct ws_header *headers;
    size_t header_count;
};
/** First header of that name (ASCII case-insensitive), trimmed; empty when there is none. */
struct str ws_request_header(const struct ws_request *r, const char *name);

/** The answer to a request: 101 with `subprotocol` (may be NULL), or an HTTP error. */
struct ws_reply {
    int status;              /**< 101, or 4xx, 5xx */
    const char *subprotocol; /**< one of those offered */
    const char *text;        /**< body of an error: one line, cause and fix */
};

/** Unused ones: NULL. on_closed is required. */
struct ws_handlers {
    /** Server only, once: may this client in? */
    struct ws_reply (*on_request)(void *arg, const struct ws_request *request);
    /** Messages may be sent and will come. `subprotocol` is the chosen one, may be empty. */
    void (*on_open)(void *arg, struct str subprotocol);
    /** A whole message; text is valid UTF-8. Borrowed. */
    void (*on_message)(void *arg, enum ws_kind kind, const char *p, size_t len);
    /** Unsent bytes fell below half of out_max again after a VA_ELIMIT of ws_send(). */
    void (*on_drain)(void *arg);
    /** Once and last; ws_free() is still due. */
    void (*on_closed)(void *arg, const struct ws_end *end);
};

/** All 0: defaults. Copied, but for the TLS context. */
struct ws_cfg {
    uint64_t connect_timeout_ms; /**< until on_open, look-up and TLS included; 0: 10000 */
    size_t message_max;        /**< longest message that may come; over it close 1009; 0: default */
    size_t out_max;            /**< unsent bytes; 0: 1 MiB */
    uint64_t ping_ms;          /**< own ping after so long without a byte from the peer; no byte
                                *   for as long again ends it (VA_ETIMEOUT); 0: 20000 */
    bool utf8_unchecked;       /**< a trusted peer's text is not checked (saves a pass) */
    const struct tls_ctx *tls; /**< borrowed, outlives the connection; wss only. Client, NULL:
                                *   tls_client_ctx_default(), which takes 20 ms the first time.
                                *   Server, NULL: plain */
};

/** Where a client goes. Strings are copied. */
struct ws_target {
    const char *url; /**< ws://, wss://, also http:// and https://; path and query as they are */
    const struct ws_header *headers; /**< added to the request; CR, LF, NUL: VA_EINVAL */
    size_t header_count;
    const char *subprotocol; /**< offered; NULL: none */
};

/**
 * Connect. on_open or on_closed follows.
 *
 * @return VA_OK, VA_EINVAL (URL, header, subprotocol), VA_ENOMEM, VA_EIO (wss without a context:
 * the system's authorities cannot be read)
 */
VA_CHECK enum va_err ws_connect(struct loop *loop, const struct ws_target *to,
                                const struct ws_cfg *cfg, const struct ws_handlers *h, void *arg,
                                struct ws_conn **ret_conn);

/**
 * Serve one accepted socket. on_request, then on_open, or on_closed follows.
 *
 * @param fd     Owned from here on, also on failure
 * @param early  Bytes of it that were read already (a request that a dispatcher looked at); copied
 */
VA_CHECK enum va_err ws_accept(struct loop *loop, int fd, struct str early,
                               const struct ws_cfg *cfg, const struct ws_handlers *h, void *arg,
                               struct ws_conn **ret_conn);

/**
 * Send one message (copied where the socket does not take it at once).
 *
 * @param p  For a client's connection it is masked in a copy; never changed
 * @return VA_OK, VA_ELIMIT (would exceed out_max; nothing was sent), VA_EAGAIN (not open yet),
 *         VA_ECLOSED
 */
VA_CHECK enum va_err ws_send(struct ws_conn *c, enum ws_kind kind, const void *p, size_t len);
/** The message out of parts, without joining them first. */
VA_CHECK enum va_err ws_sendv(struct ws_conn *c, enum ws_kind kind, const struct str *parts,
                              size_t count);
size_t ws_unsent(const struct ws_conn *c);
void ws_peer(const struct ws_conn *c, struct net_addr *ret_addr);
/** Start the close handshake; no message is delivered any more, on_closed follows, after 2 s at the
 *  latest. `reason` is cut at 123 bytes; NULL: none. Idempotent. */
void ws_close(struct ws_conn *c, uint16_t code, const char *reason);
/** Release now, without a word where ws_close() was not called (where it was, the close frame still
 *  goes out). No handler follows. NULL-safe. */
void ws_free(struct ws_conn **c);

#endif
