/** leg/websocket_int.h: inside of a WebSocket leg, for websocket*.c only. */
#ifndef VA_LEG_WEBSOCKET_INT_H
#define VA_LEG_WEBSOCKET_INT_H

#include "leg/unicast.h"
#include "leg/websocket.h"
#include "leg/ws_speech.h"
#include "leg/ws_text.h"

enum {
    WS_LEG_MESSAGE_MAX = 64 * 1024, /* audio of two seconds at 16 kHz, or the metadata */
    WS_LEG_OUT_MAX = 64 * 1024,     /* unsent: about as much */
    WS_LEG_PING_MS = 10000,
    WS_LEG_UNICAST_MS = 400, /* for a frame by unicast; then another way of playback */
    WS_LEG_PROBE_MS = 600,   /* for the event that tells the open edition */
    WS_LEG_STUCK_MS = 3000,  /* for the file of a piece: no events come */
    WS_LEG_BURST = 4,        /* frames handed on at once; of the rest one each … */
    WS_LEG_BURST_MS = 10,    /* … so late audio catches up at double speed [ms] */
    WS_LEG_GOODBYE_MS = 500,
    WS_LEG_FRAME_MS = 20
};

enum ws_leg_state {
    WS_LEG_WAITING,  /* for a stream */
    WS_LEG_OPENING,  /* handshake */
    WS_LEG_STARTING, /* audio may come; how we are heard is being found out */
    WS_LEG_RUNNING,
    WS_LEG_ENDING, /* the module said good-bye: the hang-up that is the cause is told any moment */
    WS_LEG_FAILED,
    WS_LEG_RELEASING,
    WS_LEG_RELEASED
};

enum ws_leg_play {
    PLAY_NONE, /* not chosen yet */
    PLAY_TRIES_UNICAST,
    PLAY_PROBES, /* a silent piece was sent: will its event come? */
    PLAY_UNICAST,
    PLAY_FILES,
    PLAY_JSON,
    PLAY_BINARY
};

struct leg {
    const char *mode;
    struct leg_cfg cfg; /* its pointers are borrowed as agreed in leg.h */
    const struct leg_handlers *h;
    void *arg;
    enum ws_leg_state state;
    bool *gone; /* set by close() inside a handler */

    struct ws_wait *wait;
    struct ws_conn *conn;
    struct net_addr peer;
    enum ws_dialect dialect;
    bool subscribed, refused; /* to the module's events; uuid_audio_stream said -ERR */
    bool channel_streams;     /* FreeSWITCH has a stream on the channel that is to be stopped */

    struct ws_told told; /* by URL, metadata */
    struct ws_wire wire;
    struct ws_audio *audio;
    struct tmr burst;

    enum ws_leg_play play;
    enum ws_playback wanted;
    struct leg *unicast; /* a leg of its own, for playback, and for all if the stream dies */
    bool unicast_hears;  /* the stream is gone: the caller's audio comes by unicast */
    int ptime_ms;
    struct ws_speech *speech;
    struct tmr play_tmr;

    struct tmr watch;
    uint64_t seen_at_watch;
    struct leg_stats stats;
};

/* ---- websocket.c */
void ws_leg_fail(struct leg *leg, enum va_err why, const char *cause);
/* Audio comes and we can be heard: on_started. @return false when the handler closed the leg */
bool ws_leg_maybe_start(struct leg *leg);
void ws_leg_stop_stream(struct leg *leg, const struct esl_then *then);

/* ---- websocket_in.c */
extern const struct ws_handlers ws_leg_conn_handlers;
/* Hand a caller's frame to the call. @return false when the leg is gone */
bool ws_leg_frame(struct leg *leg, const int16_t *samples, size_t count, bool silence);

/* ---- websocket_play.c */
/* The connection is open: begin to find out how the caller hears us. */
void ws_leg_play_begin(struct leg *leg);
/* To the module's events of this channel, once. Needs the control connection. `then` is not called
 * where that was done before. */
VA_CHECK enum va_err ws_leg_subscribe(struct leg *leg, const struct esl_then *then);
bool ws_leg_play_ready(const struct leg *leg);
void ws_leg_play_send(struct leg *leg, const int16_t *samples, size_t count);
uint32_t ws_leg_play_flush(struct leg *leg);
void ws_leg_play_event(struct leg *leg, const struct esl_event *ev);
void ws_leg_play_end(struct leg *leg);

#endif
