/**
 * call/ring.h: somebody is called for the caller of a session, and joined with him.
 *
 *     IDLE ─begin─► RINGING ─answer─► REACHED ─join─► JOINING ─► JOINED ─other hangs up─► BACK
 *                      └─ failed, cancel ─► IDLE                   └─ for good: GONE
 *
 * Facts that shape this file (FreeSWITCH 1.10.12, tried on it):
 * - The caller's channel stays parked in its `socket`, with its audio, until somebody has answered:
 *   who is called gets a channel of his own, through the dialplan (`loopback/NUMBER/CONTEXT`). The
 *   application `bridge` would end a unicast on the caller's channel from its first moment, also
 *   when nobody answers, and the park loop it leaves it in takes no second one without a crash.
 * - uuid_bridge takes the caller's channel out of `socket`; the socket itself stays open.
 *   hangup_after_bridge=true ends the call when the other one hangs up, whatever the dialplan has
 *   behind `socket`, and whether we still live. With park_after_bridge=true the channel is parked
 *   instead: there a new unicast works, but its dialplan does not go on any more.
 * - A loopback channel takes itself out of a conversation after two seconds, which is told as the
 *   end of one bridge and the beginning of another; loopback_bowout=false keeps it where we wait
 *   for the end.
 * - What nobody joins hangs up by itself (park_timeout): we may have died meanwhile.
 */
#ifndef VA_CALL_RING_H
#define VA_CALL_RING_H

#include "base/rand.h"
#include "esl/session.h"

enum ring_state {
    RING_IDLE,
    RING_RINGING,
    RING_REACHED, /* answered, and parked */
    RING_JOINING,
    RING_JOINED,
    RING_BACK /* was joined; the caller's channel is parked, and not in its dialplan any more */
};

/** All on the session's thread, none from inside a function of this file. */
struct ring_handlers {
    /** Somebody answered. ring_join() is due. */
    void (*on_reached)(void *arg);
    /** Nobody did, or he hung up before he was joined. `text` says why, borrowed. */
    void (*on_failed)(void *arg, enum va_err err, struct str text);
    /** They are together. */
    void (*on_joined)(void *arg);
    /** The other one hung up and the caller's channel is parked (`comes_back`). */
    void (*on_back)(void *arg);
    /** Joined, the caller's channel was moved on by others. */
    void (*on_moved)(void *arg);
};

/** Who is called. Texts are borrowed for ring_begin(). */
struct ring_wish {
    const char *number, *context; /**< esl_number_ok() */
    unsigned timeout_s;
    bool comes_back; /**< the caller, when the other one hangs up first */
    struct str caller_name, caller_number;
    bool hide_name, hide_number;    /**< the caller's wish: not shown to who is called */
    struct str domain, domain_uuid; /**< FusionPBX's tenant; may be empty */
};

/** Embeddable; zeroed it is idle. */
struct ring {
    struct esl_session *session;
    const struct ring_handlers *h;
    void *arg;
    enum ring_state state;
    bool comes_back;
    char other[UUID_TEXT]; /**< channel of who is called */
};

/**
 * Call him. on_reached or on_failed follows.
 *
 * @param session  The caller's, with `full`; borrowed until ring_close()
 * @param h        Borrowed likewise
 * @return VA_OK, VA_EINVAL (a number or context that no dial string can hold), else as
 *         esl_originate()
 */
VA_CHECK enum va_err ring_begin(struct ring *r, struct esl_session *session,
                                const struct ring_wish *wish, const struct ring_handlers *h,
                                void *arg);
/** Of RING_REACHED. on_joined or on_failed follows; of a caller who is gone his own events tell. */
VA_CHECK enum va_err ring_join(struct ring *r);
/** An event of the caller's channel. @return true: it is about this, and no news for others */
bool ring_event(struct ring *r, const struct esl_event *ev);
/** The caller's channel is moving by our will: that it leaves its place means nothing else. */
bool ring_moves(const struct ring *r);
/** He need not answer any more. Nothing follows. Idempotent. */
void ring_cancel(struct ring *r);
/** Joined, or nearly: the two stay together for good, and their hang-up ends the call. Nothing
 *  follows. */
void ring_part(struct ring *r);
/** ring_cancel(), and the session is not used any more. */
void ring_close(struct ring *r);

#endif
