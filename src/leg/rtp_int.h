/** leg/rtp_int.h: inside of the rtp leg, for rtp.c and rtp_bridge.c only. */
#ifndef VA_LEG_RTP_INT_H
#define VA_LEG_RTP_INT_H

#include "leg/rtp.h"
#include "leg/rtp_stream.h"
#include "leg/sip_ua.h"

enum rtp_state {
    RTP_ASKING, /* waits for an offer */
    RTP_AGREED, /* answered, waits for audio */
    RTP_FLOWING,
    RTP_LEFT,      /* BYE came: waits for the control socket to say why */
    RTP_RELEASING, /* waits for the end of the bridge */
    RTP_OVER       /* failed or released: only close() is left */
};

/* Variables of the caller's channel that a bridge needs otherwise. */
enum { RTP_VARS = 5, RTP_VAR_MAX = 200 };

enum rtp_bridge_state { RTP_BRIDGE_NONE, RTP_BRIDGE_ASKED, RTP_BRIDGE_OVER };

struct rtp_bridge {
    enum rtp_bridge_state state;
    char token[SIP_TOKEN_TEXT];
    char target[NET_ADDR_TEXT]; /* host and port FreeSWITCH is told to call */
    struct rtp_var {
        struct leg *leg;
        char value[RTP_VAR_MAX]; /* as it was, "" for unset */
        bool changed;            /* ours is set, the old one is known */
    } vars[RTP_VARS];
};

struct leg {
    struct loop *loop;
    struct sip_ua *ua;
    struct esl_session *control; /* NULL: a direct call */
    const struct settings *settings;
    struct net_addr control_local;
    struct log_ctx log;
    const struct leg_handlers *h;
    void *arg;

    enum rtp_state state;
    struct rtp_stream *stream;
    struct sip_call *call; /* ours for a bridge, borrowed for a direct call */
    struct leg_format format;
    struct sdp_local local;
    struct rtp_bridge bridge;
    enum sdp_direction direction;
    struct tmr watch, grace;
    struct tmr head; /* we begin before audio has come */
    unsigned head_frames;
    uint64_t seen_at_watch;
    bool *gone; /* set by close() inside rtp_stream_read() */
};

/* ---- rtp.c */
void rtp_set_state(struct leg *leg, enum rtp_state next);
void rtp_fail(struct leg *leg, enum va_err why, const char *cause);
/* The far end is gone; the control socket may say more. */
void rtp_left(struct leg *leg, const char *cause);
void rtp_released(struct leg *leg);

/* ---- rtp_bridge.c */
VA_CHECK enum va_err rtp_bridge_ask(struct leg *leg);
/* The variables as they were. */
void rtp_bridge_restore(struct leg *leg);
void rtp_bridge_forget(struct leg *leg);

#endif
