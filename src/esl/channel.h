/**
 * esl/channel.h: commands for one channel, over any connection that is a switch. Each sends one
 * `api` line and ends with one result, which esl_ok_read() interprets unless said otherwise.
 *
 * All arguments are checked and escaped, so none can forge or shift another; what cannot be sent
 * is VA_EINVAL, what FreeSWITCH would expand (`${…}`, which calls APIs) is VA_ENOTSUP. Further
 * errors, `then` and the thread: as esl_switch_api(). Source: mod_commands.c 1.10.12.
 */
#ifndef VA_ESL_CHANNEL_H
#define VA_ESL_CHANNEL_H

#include "esl/switch.h"

struct esl_event;

/** Connect two channels; both leave what they were doing. VA_ENOTFOUND: one of them is gone. */
VA_CHECK enum va_err esl_uuid_bridge(struct esl_switch *sw, const char *a, const char *b,
                                     const struct esl_then *then);

/** Hang up. @param cause  "USER_BUSY" …; NULL: NORMAL_CLEARING. FreeSWITCH takes a word it does not
 *  know for NORMAL_CLEARING without a word */
VA_CHECK enum va_err esl_uuid_kill(struct esl_switch *sw, const char *uuid, const char *cause,
                                   const struct esl_then *then);

/** Hang up later. @param after_s  1 to 31 days [s]. @param cause  NULL: ALLOTTED_TIMEOUT */
VA_CHECK enum va_err esl_sched_hangup(struct esl_switch *sw, const char *uuid, unsigned after_s,
                                      const char *cause, const struct esl_then *then);

/** Answer; pre-answer (early media). What cannot be answered is VA_EREFUSED, also a channel that
 *  is gone. */
VA_CHECK enum va_err esl_uuid_answer(struct esl_switch *sw, const char *uuid,
                                     const struct esl_then *then);
VA_CHECK enum va_err esl_uuid_pre_answer(struct esl_switch *sw, const char *uuid,
                                         const struct esl_then *then);
VA_CHECK enum va_err esl_uuid_park(struct esl_switch *sw, const char *uuid,
                                   const struct esl_then *then);

/** esl_bool_read() reads the result. */
VA_CHECK enum va_err esl_uuid_exists(struct esl_switch *sw, const char *uuid,
                                     const struct esl_then *then);
/** Everything FreeSWITCH knows of a channel. esl_dump_read() reads the result. */
VA_CHECK enum va_err esl_uuid_dump(struct esl_switch *sw, const char *uuid,
                                   const struct esl_then *then);
/**
 * @param ev  Reusable event; borrows the text until its next parse, reset or free. Variables by
 *            esl_event_var()
 * @return as esl_ok_read(), VA_EPROTO (cut off), VA_ENOMEM
 */
VA_CHECK enum va_err esl_dump_read(enum va_err err, struct str text, struct esl_event *ev);

/** Which leg: that of the uuid, the one it is bridged to, or both. */
enum esl_leg {
    ESL_LEG_A,
    ESL_LEG_B,
    ESL_LEG_BOTH,
    ESL_LEG_A_HOLD_B /**< broadcasts only: leg A, and the other one hears hold music meanwhile */
};

/**
 * Play a file or stream ("/x/y.wav", "tone_stream://…") behind what is playing already.
 *
 * @param path  Blanks and quotes arrive. VA_EINVAL when its first colon is followed by another: it
 *              would name an application to run (esl_uuid_broadcast_app())
 */
VA_CHECK enum va_err esl_uuid_broadcast(struct esl_switch *sw, const char *uuid, struct str path,
                                        enum esl_leg leg, const struct esl_then *then);
/** Run an application instead. @param arg  May be empty, but not hold NUL */
VA_CHECK enum va_err esl_uuid_broadcast_app(struct esl_switch *sw, const char *uuid,
                                            const char *app, struct str arg, enum esl_leg leg,
                                            const struct esl_then *then);
/** End what is playing; `all`: also everything queued behind it. */
VA_CHECK enum va_err esl_uuid_break(struct esl_switch *sw, const char *uuid, bool all,
                                    const struct esl_then *then);

enum esl_hold { ESL_HOLD_ON, ESL_HOLD_OFF, ESL_HOLD_TOGGLE };
/** Send hold (SIP re-INVITE) to the phone of this leg. VA_EREFUSED: it is so already. FreeSWITCH
 * says +OK to a channel that is gone. */
VA_CHECK enum va_err esl_uuid_hold(struct esl_switch *sw, const char *uuid, enum esl_hold hold,
                                   const struct esl_then *then);
/** Let FreeSWITCH leave the media path of a bridged call (false) or take it back. */
VA_CHECK enum va_err esl_uuid_media(struct esl_switch *sw, const char *uuid, bool on,
                                    const struct esl_then *then);
/** Tell a phone to act: "hold", "talk" (answer or resume), … as it understands SIP NOTIFY. */
VA_CHECK enum va_err esl_uuid_phone_event(struct esl_switch *sw, const char *uuid,
                                          const char *event, const struct esl_then *then);

/**
 * Send an answered SIP call elsewhere by REFER. `+OK` comes for any channel; whether the phone did
 * it is told by its events.
 *
 * @param uri  "sip:1001@example.org", no blank
 */
VA_CHECK enum va_err esl_uuid_deflect(struct esl_switch *sw, const char *uuid, const char *uri,
                                      const struct esl_then *then);

/** Where to. */
struct esl_transfer {
    enum esl_leg leg;     /**< B and BOTH: as bridged now */
    struct str extension; /**< not empty, not beginning with '-'. With the dialplan "inline" it is
                           *   a list of applications, so never text of a caller then */
    const char *dialplan; /**< NULL: that of the channel, as a rule XML */
    const char *context;  /**< NULL: that of the channel; else a dialplan must be named too */
};
VA_CHECK enum va_err esl_uuid_transfer(struct esl_switch *sw, const char *uuid,
                                       const struct esl_transfer *to, const struct esl_then *then);

enum { ESL_DTMF_MAX = 90, ESL_DTMF_MS_MAX = 10000 };
/**
 * Send digits to the other side.
 *
 * @param digits  1 to ESL_DTMF_MAX of 0-9 * # A-D, F (flash), w and W (a pause of 0.5 and 1 s)
 * @param ms      Length of each [ms], to ESL_DTMF_MS_MAX; 0: FreeSWITCH's default
 */
VA_CHECK enum va_err esl_uuid_send_dtmf(struct esl_switch *sw, const char *uuid, const char *digits,
                                        unsigned ms, const struct esl_then *then);
/** As if the other side had pressed them; arguments as esl_uuid_send_dtmf(). */
VA_CHECK enum va_err esl_uuid_recv_dtmf(struct esl_switch *sw, const char *uuid, const char *digits,
                                        unsigned ms, const struct esl_then *then);
/** Forget digits that came and were not read. */
VA_CHECK enum va_err esl_uuid_flush_dtmf(struct esl_switch *sw, const char *uuid,
                                         const struct esl_then *then);

#endif
