/**
 * net/ws_frame.h: WebSocket frames (RFC 6455 §5) as bytes; no connection, no time. One thread at a
 * time.
 *
 *     bytes ──ws_rx_next──► message │ ping │ pong │ close        ws_frame_head + ws_mask ──► bytes
 */
#ifndef VA_NET_WS_FRAME_H
#define VA_NET_WS_FRAME_H

#include "base/buf.h"

enum ws_op {
    WS_OP_CONTINUE = 0,
    WS_OP_TEXT = 1,
    WS_OP_BINARY = 2,
    WS_OP_CLOSE = 8,
    WS_OP_PING = 9,
    WS_OP_PONG = 10
};

/** Close codes (RFC 6455 §7.4.1) that are used here. */
enum {
    WS_CODE_NORMAL = 1000,
    WS_CODE_AWAY = 1001,
    WS_CODE_PROTOCOL = 1002,
    WS_CODE_NONE = 1005, /**< said by nobody: a close frame without a code */
    WS_CODE_TEXT = 1007,
    WS_CODE_TOO_BIG = 1009,
    WS_CODE_INTERNAL = 1011
};

enum {
    WS_HEAD_MAX = 14,        /**< bytes of a frame's head */
    WS_CONTROL_MAX = 125,    /**< payload of a control frame */
    WS_FRAGMENTS_MAX = 16384 /**< of one message: empty ones cost the sender almost nothing */
};

/**
 * Write the head of a final frame.
 *
 * @param mask  The client's key, NULL: none (server)
 * @return bytes written
 */
size_t ws_frame_head(uint8_t out[static WS_HEAD_MAX], enum ws_op op, uint64_t len,
                     const uint8_t mask[4]);
/** dst = src XOR key, `at` bytes into the payload. dst may be src; otherwise they do not overlap.
 */
void ws_mask(void *dst, const void *src, size_t len, const uint8_t key[4], uint64_t at);

/** A code that may stand in a close frame. */
bool ws_code_valid(uint16_t code);

/* ---- receiving ------------------------------------------------------------------------------ */

struct ws_rx {
    bool from_client; /**< its frames must be masked; a server's must not */
    bool utf8_unchecked;
    size_t message_max;
    /* inside */
    uint8_t head[WS_HEAD_MAX];
    uint8_t head_len, head_need;
    bool in_payload, fin;
    uint8_t op;      /**< of the frame */
    uint8_t message; /**< op of the fragmented message under way, 0: none */
    uint8_t key[4];
    uint32_t fragments;
    uint64_t len, at; /**< of the frame's payload: all, and received */
    struct buf joined;
    size_t control_len;
    uint8_t control[WS_CONTROL_MAX];
};

/** What came. p is borrowed until the next call. */
struct ws_event {
    enum ws_op op; /**< TEXT, BINARY (whole messages), PING, PONG, CLOSE */
    uint16_t code; /**< CLOSE; WS_CODE_NONE when it had none */
    const char *p; /**< message, ping's payload, close reason (valid UTF-8) */
    size_t len;
};

void ws_rx_init(struct ws_rx *rx, bool from_client, size_t message_max, bool utf8_unchecked);
void ws_rx_free(struct ws_rx *rx);

/**
 * Take bytes off the front of *p, up to the end of one event. Payload is unmasked where it lies.
 * After an error the stream is not to be read on.
 *
 * @param p, len    Moved behind what was taken
 * @param ret_code  Set with an error: what the close frame should say
 * @return VA_OK, VA_EAGAIN (all were taken, more are needed), VA_EPROTO, VA_ELIMIT, VA_ENOMEM
 */
VA_CHECK enum va_err ws_rx_next(struct ws_rx *rx, char **p, size_t *len, struct ws_event *ret_event,
                                uint16_t *ret_code);

#endif
