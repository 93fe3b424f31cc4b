/**
 * net/head.h: the head of a request (up to its empty line) read from a fresh socket, before it is
 * known on which loop, or as what, the connection will live. All on the loop's thread.
 */
#ifndef VA_NET_HEAD_H
#define VA_NET_HEAD_H

#include "base/str.h"
#include "net/loop.h"

struct head;

/**
 * Once, never from inside head_read(). The reader is released then.
 *
 * @param err    VA_OK: `bytes` hold a whole head, and what came behind it; VA_ELIMIT (longer than
 *               `max`), VA_ETIMEOUT, VA_ECLOSED, VA_ENOMEM
 * @param fd     Owned by the handler, whatever `err` says
 * @param bytes  All that was read of it; borrowed
 */
typedef void(head_h)(void *arg, enum va_err err, int fd, struct str bytes);

/**
 * @param fd   Non-blocking stream socket, owned from here on, also on failure
 * @param max  Bound of the bytes
 * @return VA_OK, VA_ENOMEM, VA_EIO
 */
VA_CHECK enum va_err head_read(struct loop *loop, int fd, size_t max, uint64_t timeout_ms,
                               head_h *on_done, void *arg, struct head **ret_head);
/** Close the socket and forget it. NULL-safe. */
void head_cancel(struct head **h);

#endif
