/**
 * net/stream.h: a byte stream over TCP, plain or TLS. All on the loop's thread. No handler is
 * called from inside a function of this file; each may write and close.
 */
#ifndef VA_NET_STREAM_H
#define VA_NET_STREAM_H

#include "base/str.h"
#include "net/addr.h"
#include "net/loop.h"

struct stream;
struct tls_ctx; /* net/tls.h */

struct stream_handlers {
    /** Only after stream_connect(): TCP, and TLS if any, stand. */
    void (*on_open)(void *arg);
    /** Bytes arrived; borrowed for the call, may be changed in place. */
    void (*on_read)(void *arg, char *p, size_t len);
    /** See stream_on_drain(). */
    void (*on_drain)(void *arg);
    /** Once and last: VA_ECLOSED, VA_EREFUSED, VA_ETIMEOUT, VA_ENOTFOUND (host), VA_EAUTH
     *  (certificate), VA_EPROTO (TLS), VA_ENOMEM, VA_EIO. stream_close() is still due. */
    void (*on_end)(void *arg, const struct va_fault *why);
};

struct stream_cfg {
    uint64_t timeout_ms;       /**< stream_connect(): shared by the host's addresses, TCP only */
    size_t out_max;            /**< unsent plain bytes */
    const struct tls_ctx *tls; /**< NULL: plain; outlives the stream */
};

/**
 * Look up the host, try its addresses in turn, shake hands. on_open or on_end follows.
 *
 * @param host      Copied
 * @param handlers  Borrowed until the stream is closed
 * @return VA_OK, VA_EINVAL (not a host), VA_ENOMEM
 */
VA_CHECK enum va_err stream_connect(struct loop *loop, const char *host, uint16_t port,
                                    const struct stream_cfg *cfg,
                                    const struct stream_handlers *handlers, void *arg,
                                    struct stream **ret_stream);
/**
 * Take over an accepted socket.
 *
 * @param fd     Owned from here on, also on failure
 * @param early  Bytes of it that were read already; copied, delivered first
 */
VA_CHECK enum va_err stream_adopt(struct loop *loop, int fd, struct str early,
                                  const struct stream_cfg *cfg,
                                  const struct stream_handlers *handlers, void *arg,
                                  struct stream **ret_stream);

/**
 * Send bytes in order; with TLS, up to 16 KiB become one record.
 *
 * @return VA_OK, VA_ELIMIT (more than stream_room(); nothing was sent), VA_EAGAIN (not open yet),
 *         VA_ECLOSED; anything else: the stream is broken and on_end follows
 */
VA_CHECK enum va_err stream_write(struct stream *s, const void *p, size_t len);
/** Bytes that stream_write() takes now. */
size_t stream_room(const struct stream *s);
size_t stream_unsent(const struct stream *s);
/** Call on_drain once, when no more than `below` bytes are unsent. */
void stream_on_drain(struct stream *s, size_t below);
void stream_peer(const struct stream *s, struct net_addr *ret_addr);
/** What it is doing before it is open, for a person ("looking up the host"). */
const char *stream_stage(const struct stream *s);
/** TLS that did not need a whole handshake. */
bool stream_resumed(const struct stream *s);

/** Release now. NULL-safe. */
void stream_close(struct stream **s);
/** Release; what is unsent goes out in the background, and the peer is given the time to read it
 *  (tcp_close_linger()). NULL-safe. */
void stream_close_flush(struct stream **s);

#endif
