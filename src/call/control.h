/**
 * call/control.h: how a call steers its channel and hears what happens to it.
 *
 *     call ── answer, transfer, hangup … ──► struct control ──► FreeSWITCH, or a SIP dialog
 *     call ◄── connected, digit, left … ────
 *
 * One file fills one control_ops; the call does not know which it is:
 * - control_socket.c: FreeSWITCH's outbound socket, or a session bound to a channel that exists;
 * - control_sip.c: the dialog of a direct SIP call, with no FreeSWITCH behind it.
 *
 * A control lives on the call's worker loop. No handler is called from inside an operation.
 */
#ifndef VA_CALL_CONTROL_H
#define VA_CALL_CONTROL_H

#include "base/log.h"
#include "base/settings.h"
#include "esl/session.h"
#include "leg/leg.h"

/** What is known of a channel when it is ours to steer. All borrowed for the handler's call, all
 *  from outside: data. */
struct channel_facts {
    struct str uuid; /**< Unique-ID; empty: none that can be trusted */
    struct str caller_number, caller_name, called_number;
    struct str tenant;    /**< domain; empty: not told */
    struct str secretary; /**< who shall take the call (name or uuid); empty: called_number tells */
    int rate_hz;          /**< what the caller's codec decodes to; 0: not known yet */
    bool answered;        /**< false: answer() is due before there is audio */
};

/** All on the loop's thread; each may use the control, and close it. */
struct control_handlers {
    /** The channel is ours. Once, before all others but on_lost and on_hung_up. */
    void (*on_connected)(void *arg, const struct channel_facts *facts);
    /** Result of answer(); `rate_hz` 0: nothing new. Does not come when the channel goes first. */
    void (*on_answered)(void *arg, enum va_err err, int rate_hz);
    /** A DTMF digit: 0-9 A-D * #, or what the other side calls one. */
    void (*on_digit)(void *arg, char digit);
    /** transfer(), ring() or join() failed, the channel is still ours: VA_EBUSY, VA_ETIMEOUT,
     *  VA_EREFUSED … (provider_ops.tool_result). `text` is what the other side says. Success is
     *  on_left. */
    void (*on_not_transferred)(void *arg, enum va_err err, struct str text);
    /** Whom ring() calls has answered: join() is due. */
    void (*on_reached)(void *arg);
    /** join() is done and the channel comes back (TRANSFER_RETURN=always): on_returned,
     *  on_hung_up or on_left follows. If it does not come back: on_left instead. */
    void (*on_joined)(void *arg);
    /** The other one hung up: the channel is ours again. A leg begins anew. */
    void (*on_returned)(void *arg);
    /** The channel hung up. `cause` is FreeSWITCH's word, empty when not told; may come twice. */
    void (*on_hung_up)(void *arg, struct str cause);
    /** The channel is not ours any more: transferred or bridged, by us or by somebody else. */
    void (*on_left)(void *arg);
    /** An event of the channel that is none of the above: for a leg. Borrowed. */
    void (*on_event)(void *arg, const struct esl_event *ev);
    /** The way to the channel is gone and nobody knows what becomes of it. Last. */
    void (*on_lost)(void *arg, const char *why);
};

struct control_cfg {
    struct loop *loop;               /**< borrowed, outlives the control */
    const struct settings *settings; /**< borrowed, likewise */
    const struct control_handlers *handlers;
    void *arg;
    struct log_ctx log; /**< borrowed texts */
};

struct control;

/**
 * @return of those that do: VA_OK, VA_ENOTSUP (this control cannot), VA_ECLOSED (on_lost follows or
 *         was called), VA_EINVAL (a text cannot be sent), VA_ELIMIT, VA_ENOMEM, VA_EAGAIN (before
 *         on_connected)
 */
struct control_ops {
    const char *name;
    bool hears_digits;    /**< on_digit tells every digit; those of the leg are the same ones */
    bool leg_is_in_way;   /**< a leg must be released before a transfer or give_back() */
    unsigned transfer_ms; /**< the longest until the result of transfer() [ms] */
    /** on_answered follows. */
    VA_CHECK enum va_err (*answer)(struct control *ctl);
    /**
     * Give the channel to `number`. on_left or on_not_transferred follows, or on_hung_up.
     *
     * @param context  Dialplan context, "" for the channel's own. Of no use without FreeSWITCH
     */
    VA_CHECK enum va_err (*transfer)(struct control *ctl, const char *number, const char *context);
    /**
     * Call `number` through the dialplan while the channel stays as it is; what the caller hears
     * meanwhile is ours to say. on_reached or on_not_transferred follows, or on_hung_up. NULL, all
     * three: this control cannot.
     *
     * @return VA_EINVAL also for a number that cannot be dialled
     */
    VA_CHECK enum va_err (*ring)(struct control *ctl, const char *number, const char *context);
    /** Hand the channel to who was reached. A leg with release() must be released before. on_left,
     *  on_joined or on_not_transferred follows, or on_hung_up. */
    VA_CHECK enum va_err (*join)(struct control *ctl);
    /** Who is called need not answer any more. Nothing follows. Idempotent; close() and give_back()
     *  do it too. */
    void (*cancel)(struct control *ctl);
    /** `cause` as "NORMAL_CLEARING". on_hung_up follows. */
    VA_CHECK enum va_err (*hangup)(struct control *ctl, const char *cause);
    /** Variable of the channel; an empty value deletes it. */
    VA_CHECK enum va_err (*setvar)(struct control *ctl, const char *name, struct str value);
    /** Raise a CUSTOM event for FreeSWITCH's other listeners. */
    VA_CHECK enum va_err (*publish)(struct control *ctl, const char *subclass,
                                    const struct esl_field *fields, size_t count, struct str body);
    /** Fill what a leg needs to know of the way to the channel: control, parked, busy,
     *  control_local, control_peer, sip_call. */
    void (*fill_leg)(struct control *ctl, struct leg_cfg *cfg);
    /** Let the channel go on without us (its dialplan's next action; a SIP call, which has none,
     *  ends; one that is joined stays with whom it is). Frees, as close(). */
    void (*give_back)(struct control **ctl);
    /** Free. No handler is called any more. NULL-safe, leaves NULL behind. */
    void (*close)(struct control **ctl);
};

/** What every control begins with. */
struct control {
    const struct control_ops *ops;
};

/**
 * FreeSWITCH's outbound socket (`socket … async full`).
 *
 * @param fd    Owned from here on, also on failure
 * @param peer  Its far end
 */
VA_CHECK enum va_err control_socket_open(const struct control_cfg *cfg, int fd,
                                         const struct net_addr *peer, struct control **ret_control);

/** A channel that its dialplan keeps busy while its audio comes to us (AUDIO_MODE=websocket). All
 *  copied. */
struct control_channel {
    const char *uuid;            /**< Unique-ID */
    const char *secretary;       /**< who shall take the call; empty: the channel's variable, else
                                  *   the default one */
    const char *caller;          /**< number, where the channel does not tell it; may be empty */
    struct net_addr local, peer; /**< of the audio's connection */
};

/**
 * The same over a connection we make to ESL_HOST:ESL_PORT, one per call: it is bound to the
 * channel.
 *
 * give_back(): the channel is transferred to what its variable `voice_ai_return` says ("200 XML
 * default"); without it, what it plays is ended, so that the next action follows. One in `park`
 * would stay there for ever and is hung up.
 */
VA_CHECK enum va_err control_bound_open(const struct control_cfg *cfg,
                                        const struct control_channel *channel,
                                        struct control **ret_control);

struct sip_incoming;
/** A direct SIP call. `in` is owned from here on, also on failure (503). */
VA_CHECK enum va_err control_sip_open(const struct control_cfg *cfg, struct sip_incoming *in,
                                      struct control **ret_control);

#endif
