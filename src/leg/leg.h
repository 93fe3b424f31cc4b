/**
 * leg/leg.h: the way of a call's audio between FreeSWITCH and us. One file fills one leg_ops.
 *
 * A leg lives on the call's worker loop. It never paces: the call's media clock sends one frame per
 * tick, and what arrives is passed on at once, or, from a jitter buffer, at that tick.
 */
#ifndef VA_LEG_LEG_H
#define VA_LEG_LEG_H

#include "base/err.h"
#include "base/log.h"
#include "base/settings.h"
#include "esl/session.h"
#include "model/secretary.h"
#include "net/addr.h"
#include "net/loop.h"

struct leg;
struct ws_stream;
struct sip_call;

/** Services legs may use; owned by the program, outlive every leg. NULL: not running. */
struct leg_env {
    struct sip_ua *sip; /**< AUDIO_MODE=rtp, direct calls */
    struct ws_hub *ws;  /**< AUDIO_MODE=dual, websocket */
};

struct leg_format {
    int rate_hz;  /**< of the mono L16 in both directions: that of leg_cfg. A leg whose wire has
                   *   another rate converts, so that a call can change its leg */
    int ptime_ms; /**< frame length: 10, 20, 30, 40 or 60; send() is called once in it */
};

struct leg_handlers {
    /** Audio flows; frames of this format follow and are expected. Once, before on_frame. */
    void (*on_started)(void *arg, const struct leg_format *format);
    /** One frame from the caller; `silence` marks a frame FreeSWITCH filled in. Borrowed. */
    void (*on_frame)(void *arg, const int16_t *samples, size_t count, bool silence);
    /** A digit that came with the audio (RFC 4733); others come by the control socket. */
    void (*on_digit)(void *arg, char digit);
    /** No audio came, or it stopped. `cause` says what is likely wrong. Once and last but for
     *  on_released: the call may release it then, and open another leg. */
    void (*on_failed)(void *arg, enum va_err why, const char *cause);
    /** What release() was asked for is done, or was given up after LEG_RELEASE_MS. Once. */
    void (*on_released)(void *arg);
};

enum { LEG_RELEASE_MS = 2000 /* the longest a release may take */ };

struct leg_cfg {
    struct loop *loop;           /**< borrowed, outlives the leg */
    const struct leg_env *env;   /**< borrowed, likewise */
    struct esl_session *control; /**< the call's control socket, borrowed likewise; NULL for a
                                  *   call that did not come through FreeSWITCH */
    bool parked;                 /**< its channel is parked by `socket … async`: what lives in
                                  *   FreeSWITCH's park loop (unicast) works, and no leg before
                                  *   used it up */
    bool busy;                   /**< its dialplan runs an application: what we execute waits for
                                  *   the end of that, so a bridge would come too late */
    struct sip_call *sip_call;   /**< the dialog of a direct call, borrowed likewise; NULL:
                                  *   none */
    const char *uuid;            /**< of the call; borrowed */
    const struct secretary *secretary; /**< borrowed; NULL where it is not found yet */
    const struct settings *settings;   /**< borrowed */
    int rate_hz; /**< what the channel data says the caller's codec decodes to */
    struct net_addr control_local, control_peer;
    struct ws_stream *stream; /**< websocket only: what the call was made of (leg/ws_hub.h), owned
                               * by the leg from open() on, also on failure; else NULL */
    bool stream_again;        /**< websocket only: that stream was taken before, and its leg was
                               *   released: one of our own is asked for */
    struct log_ctx log;       /**< borrowed texts */
};

struct leg_stats {
    uint64_t frames_in, frames_out;
    uint64_t foreign;    /**< datagrams from a source FreeSWITCH was not told to use: dropped */
    uint64_t bad_size;   /**< datagrams that are not one frame: dropped */
    uint64_t send_fails; /**< frames the socket would not take */
    uint64_t lost, concealed; /**< packets the network lost, frames made up for them */
    uint32_t jitter_us, delay_ms, round_trip_us; /**< of the network, of the playout buffer */
    uint32_t lead_ms;  /**< handed to send() and not yet audible: a call that interrupts has been
                        *   heard this much less than it sent (broadcast playback; else 0) */
    uint64_t gaps;     /**< the caller heard nothing in the middle of speech, for want of frames in
                        *   time (playback by files; else 0: not known) */
    bool unicast;      /**< FreeSWITCH's unicast was asked for on this channel: it cannot be a
                        *   second time while the channel stays parked */
    uint32_t mos_x100; /**< estimated mark of the caller's audio, 100 … 450; 0: unknown */
};

struct leg_ops {
    const char *name; /**< as in AUDIO_MODE */
    /**
     * Ask FreeSWITCH for audio; on_started or on_failed follows, never from inside.
     *
     * @return VA_ENOTSUP: this call cannot use the leg at all (no control socket, no stream, a
     *         service that is not running): nothing was done. Others: tried in vain
     */
    VA_CHECK enum va_err (*open)(const struct leg_cfg *cfg, const struct leg_handlers *handlers,
                                 void *arg, struct leg **ret_leg);
    /** Send one frame to the caller, now. `count` is a whole frame of the format. */
    void (*send)(struct leg *leg, const int16_t *samples, size_t count);
    /**
     * The caller interrupts: silence what was sent and is not audible yet.
     *
     * @return how much less was heard than sent [ms]. NULL instead of a function: always 0
     */
    uint32_t (*flush)(struct leg *leg);
    /** An event of the call's channel that is no news to the call itself (CUSTOM). Borrowed. NULL:
     *  not wanted. */
    void (*on_event)(struct leg *leg, const struct esl_event *ev);
    void (*stats)(const struct leg *leg, struct leg_stats *ret_stats);
    /**
     * End what the leg did to the channel (a bridge, a stream), so that it can be transferred,
     * given back to the dialplan or served by another leg. on_released follows, never from inside,
     * when FreeSWITCH has done it; close() is still due. send() does nothing from here on;
     * on_started and on_failed do not come. NULL: nothing to end. Only while the control socket
     * works. (A bridge: hangup_after_bridge=false and not park_after_bridge, with which FreeSWITCH
     * 1.10.12 takes the channel out of its `socket` for good: nothing of ours would bring its
     * dialplan back.)
     */
    void (*release)(struct leg *leg);
    /** Free. No handler is called any more; what still runs in FreeSWITCH for it is not waited for.
     *  Sets *leg NULL. */
    void (*close)(struct leg **leg);
};

/** By AUDIO_MODE name, or NULL. The list is leg.c: one line per leg. */
const struct leg_ops *leg_find(const char *mode);

#endif
