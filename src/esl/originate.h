/**
 * esl/originate.h: place a call, cancel it while it rings, and tell in words why it failed.
 *
 *     char id[UUID_TEXT];
 *     err = esl_originate(sw, &(struct esl_originate){.endpoint = "user/1001@example.org",
 *                         .app = "park", .timeout_s = 30}, &then, id, &fault);
 *     …
 *     if (r->done && esl_originate_read(r->err, r->text, &o) == VA_OK && o.outcome == ESL_BUSY) …
 *
 * Source: mod_commands.c originate_function(), switch_ivr_originate.c, sofia_glue.c
 * sofia_glue_sip_cause_to_freeswitch() of 1.10.12; every row that the lab can make was seen there.
 */
#ifndef VA_ESL_ORIGINATE_H
#define VA_ESL_ORIGINATE_H

#include "base/rand.h"
#include "esl/execute.h"
#include "esl/switch.h"

/** Who is called and what happens when they answer. All strings are borrowed for the call. */
struct esl_originate {
    /**
     * FreeSWITCH's dial string: "user/1001@example.org", "sofia/gateway/x/+4930…", several with
     * `,` (at once) or `|` (in turn), each with `[name=value]` in front. It is a language of its
     * own, so what a caller gave may stand in it only if esl_number_ok(). Refused: blanks, quotes,
     * backslashes, braces, `<`, `>`, "${" and ":_:".
     */
    const char *endpoint;
    /** Application to run on answer, with its argument (any bytes but NUL and ')', no "${")… */
    const char *app;
    struct str app_arg;
    /** … or, when app is NULL, an extension of the dialplan, not beginning with '&'. */
    struct str extension;
    const char *dialplan, *context; /**< NULL: XML, default */

    struct str caller_name, caller_number; /**< shown to who is called; empty: FreeSWITCH's own */
    unsigned timeout_s;                    /**< of the ringing [s]; 0: FreeSWITCH's 60 */
    const struct esl_field *vars;          /**< variables of the new channel, any value escaped */
    size_t var_count;                      /**< 0 to ESL_ORIGINATE_VARS_MAX */
    bool early_media; /**< also a ring tone or announcement before the answer (183) counts as
                       *   answered. false: only an answer does */
    bool blocking;    /**< by `api`: nothing else of this connection moves until the call is
                       *   answered or failed. false: as a job */
    const char *uuid; /**< of the new channel, at most 36 bytes; NULL: a fresh one of ours */
};

enum { ESL_ORIGINATE_VARS_MAX = 512 };

/**
 * Place the call. As a job `then` gets two results, done=false when FreeSWITCH took the command.
 *
 * @param ret_uuid  The channel's uuid from the very start, for esl_originate_cancel(). When the
 *                  endpoint has several destinations another one may answer: the result tells
 * @param fault     Names what cannot be sent; may be NULL
 * @return VA_OK, VA_EINVAL, VA_ENOTSUP (a value that the braces cannot express: set it by
 *         esl_uuid_setvar() once the call exists), else as esl_switch_bgapi()
 */
VA_CHECK enum va_err esl_originate(struct esl_switch *sw, const struct esl_originate *o,
                                   const struct esl_then *then, char ret_uuid[static UUID_TEXT],
                                   struct va_fault *fault);

/**
 * End it, however many phones ring and even if one was just answered; the result of the originate
 * says "canceled" then. The result of this is VA_OK whether there was such a call or not: one whose
 * channel FreeSWITCH has not made yet (the first milliseconds of a job) rings all the same.
 */
VA_CHECK enum va_err esl_originate_cancel(struct esl_switch *sw, const char *uuid,
                                          const struct esl_then *then);

/* X(symbol, text) */
#define ESL_OUTCOME_MAP(X)                                                                         \
    X(ESL_ANSWERED, "answered")                                                                    \
    X(ESL_OFFLINE, "offline") /* known, but no phone is registered */                              \
    X(ESL_BUSY, "busy")                                                                            \
    X(ESL_NO_ANSWER, "no answer") /* it rang, or the phone never said a word */                    \
    X(ESL_REJECTED, "rejected")                                                                    \
    X(ESL_DND, "do not disturb")                                                                   \
    X(ESL_NO_ROUTE, "no route") /* nobody has this number, or no way leads there */                \
    X(ESL_CANCELED, "canceled") /* by us */                                                        \
    X(ESL_FAILED, "failed")

enum esl_outcome {
#define X(sym, text) sym,
    ESL_OUTCOME_MAP(X)
#undef X
        ESL_OUTCOME_COUNT
};

/*
 * X(cause, outcome); a cause that is not here is "failed".
 *
 * FreeSWITCH has no cause of its own for do-not-disturb: a phone says 480 (NO_USER_RESPONSE), 486
 * (USER_BUSY) or 603 (CALL_REJECTED), FusionPBX makes it USER_BUSY. The word comes from other
 * systems only. ORIGINATOR_CANCEL is also what a 487 of the other side gives.
 */
#define ESL_CAUSE_MAP(X)                                                                           \
    X("SUCCESS", ESL_ANSWERED)                                                                     \
    X("USER_NOT_REGISTERED", ESL_OFFLINE)                                                          \
    X("SUBSCRIBER_ABSENT", ESL_OFFLINE)                                                            \
    X("GATEWAY_DOWN", ESL_OFFLINE)                                                                 \
    X("USER_BUSY", ESL_BUSY)                                                                       \
    X("BUSY_EVERYWHERE", ESL_BUSY)                                                                 \
    X("NO_ANSWER", ESL_NO_ANSWER)                                                                  \
    X("NO_USER_RESPONSE", ESL_NO_ANSWER)                                                           \
    X("ALLOTTED_TIMEOUT", ESL_NO_ANSWER)                                                           \
    X("PROGRESS_TIMEOUT", ESL_NO_ANSWER)                                                           \
    X("RECOVERY_ON_TIMER_EXPIRE", ESL_NO_ANSWER)                                                   \
    X("NO_PICKUP", ESL_NO_ANSWER)                                                                  \
    X("CALL_REJECTED", ESL_REJECTED)                                                               \
    X("DECLINE", ESL_REJECTED)                                                                     \
    X("REJECT_ALL", ESL_REJECTED)                                                                  \
    X("UNWANTED", ESL_REJECTED)                                                                    \
    X("USER_CHALLENGE", ESL_REJECTED)                                                              \
    X("INCOMING_CALL_BARRED", ESL_REJECTED)                                                        \
    X("OUTGOING_CALL_BARRED", ESL_REJECTED)                                                        \
    X("DO_NOT_DISTURB", ESL_DND)                                                                   \
    X("NO_ROUTE_DESTINATION", ESL_NO_ROUTE)                                                        \
    X("NO_ROUTE_TRANSIT_NET", ESL_NO_ROUTE)                                                        \
    X("UNALLOCATED_NUMBER", ESL_NO_ROUTE)                                                          \
    X("DOES_NOT_EXIST_ANYWHERE", ESL_NO_ROUTE)                                                     \
    X("NUMBER_CHANGED", ESL_NO_ROUTE)                                                              \
    X("INVALID_NUMBER_FORMAT", ESL_NO_ROUTE)                                                       \
    X("INVALID_URL", ESL_NO_ROUTE)                                                                 \
    X("INVALID_GATEWAY", ESL_NO_ROUTE)                                                             \
    X("INVALID_PROFILE", ESL_NO_ROUTE)                                                             \
    X("CHAN_NOT_IMPLEMENTED", ESL_NO_ROUTE)                                                        \
    X("ORIGINATOR_CANCEL", ESL_CANCELED)                                                           \
    X("LOSE_RACE", ESL_CANCELED)                                                                   \
    X("PICKED_OFF", ESL_CANCELED)                                                                  \
    X("MANAGER_REQUEST", ESL_CANCELED)

/** Short English text ("no answer"). Never NULL. Any thread. */
const char *esl_outcome_text(enum esl_outcome outcome);
/** What a hangup cause ("USER_BUSY", any case) means for who called. Any thread. */
enum esl_outcome esl_outcome_of(struct str cause);

/** How a call ended up. Borrowed from the text it was read from. */
struct esl_originated {
    enum esl_outcome outcome;
    struct str uuid;  /**< ESL_ANSWERED: the channel that answered, else empty */
    struct str cause; /**< as FreeSWITCH wrote it ("USER_BUSY"), else empty */
};

/**
 * Read the result that has done=true.
 *
 * @return VA_OK (FreeSWITCH told the outcome, whichever), VA_EAGAIN (it is the one with
 *         done=false), VA_EINVAL (it says -USAGE), VA_EPROTO (neither +OK nor -ERR with a cause),
 *         or err
 */
VA_CHECK enum va_err esl_originate_read(enum va_err err, struct str text,
                                        struct esl_originated *ret_o);

/** 1 to 64 bytes of letters, digits, `+*#._-`: can stand for a number or user in a dial string
 *  and mean nothing else. */
bool esl_number_ok(struct str s);

#endif
