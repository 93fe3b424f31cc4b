/** net/ws_int.h: inside of a WebSocket connection: ws.c (life, sending), ws_open.c (handshake),
 *  ws_read.c (frames, pings). */
#ifndef VA_NET_WS_INT_H
#define VA_NET_WS_INT_H

#include "net/stream.h"
#include "net/ws.h"
#include "net/ws_frame.h"
#include "net/ws_hello.h"

enum ws_state {
    WS_CONNECTING, /* client: until the request is out */
    WS_HELLO,      /* the other's head is awaited */
    WS_REFUSED,    /* client: the body of an HTTP error is awaited */
    WS_OPEN,
    WS_CLOSING, /* our close frame is out, or an end of our own is about to be told */
    WS_CLOSED   /* on_closed was called */
};

enum ws_side { WS_CLIENT, WS_SERVER };

enum { WS_BODY_MAX = 512 /* kept of an HTTP error's body */ };

/* What only the handshake needs; gone when it is over. */
struct ws_opening {
    char *url_copy;
    struct ws_url url;
    char *subprotocol;
    char key[WS_KEY_TEXT];
    struct buf request; /* client: ready to go */
    struct buf in;      /* the other's head as far as it came */
    unsigned interims;  /* 1xx answers before the final one */
    struct http_message head;
    int status; /* WS_REFUSED */
    bool chunked;
    uint64_t body_want; /* bytes of it to wait for */
    struct buf body;
};

struct ws_conn {
    struct loop *loop;
    struct stream *stream;
    enum ws_side side;
    enum ws_state state;
    struct ws_handlers h;
    void *arg;
    size_t out_max;
    uint64_t ping_us;
    struct ws_opening *opening; /* NULL once open */
    struct ws_rx rx;
    struct tmr timer; /* handshake's limit, then pings, then the close handshake's limit */
    uint64_t heard_us;
    uint16_t code;    /* of the close frame that we sent */
    bool wants_drain; /* a ws_send() was refused */
    bool reading;     /* a handler may run: the memory has to stay */
    bool released;    /* ws_free() came meanwhile */
};

/* Tell the end, once. The stream is closed; what is unsent (a close frame, an HTTP error) still
 * goes out. The connection may be gone afterwards. */
void ws_finish(struct ws_conn *c, const struct ws_end *end);
VA_PRINTF(5, 6)
void ws_finish_with(struct ws_conn *c, enum va_err err, uint16_t code, int status, const char *fmt,
                    ...);
void ws_set_state(struct ws_conn *c, enum ws_state to);
/* Best effort: a control frame that finds no room is not sent. */
void ws_control(struct ws_conn *c, enum ws_op op, const void *p, size_t len);
void ws_send_close(struct ws_conn *c, uint16_t code, struct str reason);

/* ws_open.c: bytes of the handshake. What is behind the head stays in *p, *len. */
void ws_opening_connected(struct ws_conn *c);
void ws_opening_read(struct ws_conn *c, char **p, size_t *len);
void ws_opening_late(void *arg);
/* The peer closed before it was over. @return false: not told yet, the cause is `why` */
bool ws_opening_ended(struct ws_conn *c);
void ws_opening_free(struct ws_opening **o);

/* ws_read.c */
void ws_frames_start(struct ws_conn *c);
void ws_frames_read(struct ws_conn *c, char *p, size_t len);

#endif
