/**
 * leg/ws_hub.h: the port WebSocket streams of FreeSWITCH come to (WS_HOST:WS_PORT, 8085).
 *
 *     accept ─► request head (bounded, timed) ─► path, token, Origin ─► who is it for?
 *         a leg that waits for it (ws_hub_expect)      ─► that leg's worker
 *         nobody, and on_stream is given               ─► on_stream: a call is born of it
 *         nobody, but a call may come for it (held)    ─► the leg that asks within WS_HUB_HOLD_MS
 *         else                                         ─► 404
 *
 * The handshake is answered (101) only where the stream is taken, on the taker's loop; a refusal is
 * one HTTP line. So a stream can cross threads: it is a socket and the bytes that were read.
 *
 * Paths: `/stream/{secretary}/{call}[/{caller}]`, `default` for the default secretary, and
 * `/call/{token}` for a stream we asked FreeSWITCH for.
 *
 * A token (WS_TOKEN; `Authorization: Bearer`, `X-Auth-Token` or `?token=`) is needed for `/stream/`
 * unless WS_HOST is a loopback address. Pages of a browser (Origin) always need it.
 */
#ifndef VA_LEG_WS_HUB_H
#define VA_LEG_WS_HUB_H

#include "base/rand.h"
#include "base/settings.h"
#include "net/ws.h"

enum {
    WS_HUB_SECRETARY_MAX = 100, /**< longest secretary of a path, decoded [bytes] */
    WS_HUB_CALLER_MAX = 64,     /**< longest caller [bytes] */
    WS_HUB_HEAD_MS = 5000,      /**< a request head must be there in it [ms] */
    WS_HUB_HALF_OPEN_MAX = 256, /**< connections whose head is not there yet */
    WS_HUB_HELD_MAX = 256,      /**< streams that wait for their call (AUDIO_MODE=dual) */
    WS_HUB_HOLD_MS = 5000       /**< … for so long [ms] */
};

/* ---- a stream -------------------------------------------------------------------------------- */

/** One accepted, authenticated request that was not answered yet. One owner at a time, any thread.
 */
struct ws_stream;

/** How a stream's bytes are to be read. */
enum ws_codec { WS_CODEC_UNKNOWN, WS_CODEC_L16, WS_CODEC_PCMU, WS_CODEC_PCMA };

/** How the caller hears us. */
enum ws_playback {
    WS_PLAY_AUTO,
    WS_PLAY_UNICAST, /**< FreeSWITCH's unicast carries our side */
    WS_PLAY_FILES,   /**< streamAudio, `::play`, playback of the file (WS_PLAYBACK=broadcast) */
    WS_PLAY_JSON,    /**< streamAudio, and the module plays it by itself */
    WS_PLAY_BINARY   /**< raw frames back */
};

/** What the request says. Texts came from outside: data, without control bytes. */
struct ws_stream_facts {
    char secretary[WS_HUB_SECRETARY_MAX + 1]; /**< its uuid; empty: the default one */
    char call[UUID_TEXT];                     /**< Unique-ID of the channel: [0-9A-Za-z-] */
    char caller[WS_HUB_CALLER_MAX + 1];       /**< caller's number; may be empty */
    enum ws_codec codec;                      /**< `?codec=l16|pcmu|pcma` */
    int rate_hz;                              /**< `?rate=8000|16000…`; 0: not said */
    int channels;                             /**< `?channels=1|2`; 0: not said */
    enum ws_playback playback;                /**< `?playback=`, a word of WS_PLAYBACK */
    struct net_addr peer;                     /**< FreeSWITCH's address */
    struct net_addr local;                    /**< the address it reached us at */
};
/** Borrowed, valid as long as the stream. */
const struct ws_stream_facts *ws_stream_facts(const struct ws_stream *stream);

/**
 * Answer with 101 and serve it. On the loop's thread. on_open (or on_closed) follows.
 *
 * @param stream  Gone afterwards, also on failure; set NULL
 * @param cfg     As ws_accept(); its `tls` is ignored
 * @param h       Borrowed until ws_free(); its on_request is ws_stream_answer()
 */
VA_CHECK enum va_err ws_stream_take(struct ws_stream **stream, struct loop *loop,
                                    const struct ws_cfg *cfg, const struct ws_handlers *h,
                                    void *arg, struct ws_conn **ret_conn);

/** on_request of a stream's taker: 101, with the subprotocol that FreeSWITCH's module offers. */
struct ws_reply ws_stream_answer(void *arg, const struct ws_request *request);

/** Answer with an HTTP error and close: 503 when full or draining, 404 for an unknown secretary …
 *  `text` is its one-line body. NULL-safe, sets *stream NULL. Any thread. */
void ws_stream_refuse(struct ws_stream **stream, int status, const char *text);

/* ---- the port -------------------------------------------------------------------------------- */

struct ws_hub;

struct ws_hub_handlers {
    /**
     * A stream for a call that nobody waits for: make a call out of it (AUDIO_MODE=websocket). On
     * the control loop's thread. The stream is owned from here on: hand it to a worker (a leg takes
     * it by leg_cfg.stream), or ws_stream_refuse() it, at once or later.
     *
     * NULL: AUDIO_MODE is dual. A stream that comes before its call is held for a while.
     */
    void (*on_stream)(void *arg, struct ws_stream *stream);
};

/**
 * Listen at WS_HOST:WS_PORT. On the control loop's thread.
 *
 * @param settings  Borrowed, outlives the hub
 * @param h         Copied
 * @param fault     VA_ECONFIG: WS_TOKEN is missing though WS_HOST is not a loopback address and
 *                  streams may begin calls; WS_TLS_CERT without WS_ADVERTISE_URL in dual mode, or
 *                  with files that cannot be used. VA_EINUSE: port taken
 */
VA_CHECK enum va_err ws_hub_open(struct loop *control, const struct settings *settings,
                                 const struct ws_hub_handlers *h, void *arg,
                                 struct ws_hub **ret_hub, struct va_fault *fault);
/** Where it listens (port 0 in a test picks one). */
void ws_hub_addr(const struct ws_hub *hub, struct net_addr *ret_addr);
/** Stop listening; half-open connections and held streams go. Legs that wait and streams that were
 *  handed over stay. Idempotent. On the control loop's thread. */
void ws_hub_stop(struct ws_hub *hub);
/** Free, after every worker that uses it is stopped. Stops it first. NULL-safe. */
void ws_hub_close(struct ws_hub **hub);

struct ws_hub_stats {
    uint64_t accepted;               /**< sockets */
    uint64_t streams;                /**< requests that found a taker */
    uint64_t unauthorized;           /**< 401, 403 */
    uint64_t refused;                /**< other 4xx, and 503 of this file */
    uint64_t timeouts;               /**< heads that did not come in time */
    uint64_t overloads;              /**< sockets closed at once: WS_HUB_HALF_OPEN_MAX */
    size_t half_open, held, waiting; /**< now */
};
/** Any thread. */
void ws_hub_stats(struct ws_hub *hub, struct ws_hub_stats *ret_stats);

/* ---- legs that wait (AUDIO_MODE=dual) -------------------------------------------------------- */

struct ws_wait;

enum { WS_TOKEN_TEXT = 33 };

/**
 * Wait for the stream of a call: one that FreeSWITCH opens to `/call/{token}`, the one-time token
 * made here, or one its dialplan opens to `/stream/…/{call}`. Any loop's thread.
 *
 * @param call       Unique-ID
 * @param on_stream  Once, on `loop`; owns the stream. The wait is still to be released
 */
VA_CHECK enum va_err ws_hub_expect(struct ws_hub *hub, struct loop *loop, const char *call,
                                   void (*on_stream)(void *arg, struct ws_stream *stream),
                                   void *arg, struct ws_wait **ret_wait);
/** URL to give to FreeSWITCH. `local` is our address as FreeSWITCH reached it by the control
 *  socket; WS_ADVERTISE_URL replaces it. Holds a one-time token: not for logs. @return VA_ELIMIT */
VA_CHECK enum va_err ws_wait_url(const struct ws_wait *wait, const struct net_addr *local,
                                 char *out, size_t cap);
/** A dialplan's stream was there already: on_stream follows, none need be asked for. */
bool ws_wait_served(const struct ws_wait *wait);
/** Release; no handler follows, a stream that is under way is refused. On `loop`'s thread.
 *  NULL-safe. */
void ws_wait_cancel(struct ws_wait **wait);

#endif
