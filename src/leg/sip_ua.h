/**
 * leg/sip_ua.h: one SIP user agent for the whole program, in a thread of its own.
 *
 *     SIP thread (sofia-sip, media off)          worker's loop
 *     dialogs, transactions, tokens   ──mail──►  struct sip_call: handlers
 *                                     ◄──mail──  answer, reject, bye, refer, …
 *
 * Nothing of sofia-sip shows here. A `struct sip_call` belongs to one loop and is used on its
 * thread only. No handler is called from inside a function of this file.
 *
 * Two kinds of calls come in:
 *   - expected: FreeSWITCH is told to bridge to sip:TOKEN@us. A token lives for some seconds and is
 *     good for one INVITE. Without it the answer is 403 before anything is taken.
 *   - direct: any phone, where SIP_ALLOW_DIRECT and SIP_ALLOW_ACL let it.
 * And calls go out: sip_call_place().
 *
 * A call has two owners of handlers: who steers it (struct sip_call_handlers), and who carries its
 * audio (struct sip_media_handlers, set by the leg). Offers wait until there is one who carries.
 *
 * Source: RFC 3261, 3262 (100rel), 3311 (UPDATE), 3515 (REFER), 4028 (timers).
 */
#ifndef VA_LEG_SIP_UA_H
#define VA_LEG_SIP_UA_H

#include "base/settings.h"
#include "leg/sdp.h"
#include "net/addr.h"
#include "net/loop.h"

struct sip_ua;
struct sip_call;
struct sip_incoming;

enum {
    SIP_TOKEN_TEXT = 33,      /**< 128 random bits as hex, terminated */
    SIP_TOKEN_LIFE_MS = 5000, /**< an INVITE that comes later is 403 */
    SIP_NAME_MAX = 101,       /**< caller and called, cut there */
    SIP_CALL_ID_MAX = 128,    /**< likewise */
    SIP_URI_MAX = 512,        /**< of a REFER; longer ones are told as "" */
    SIP_STOP_LIMIT_MS = 4000  /**< longest sip_ua_stop() [ms] */
};

/* ---- the user agent (control thread) ----------------------------------------------------------
 */

struct sip_ua_cfg {
    const struct settings *settings; /**< borrowed, outlives the user agent */
    struct loop *control;            /**< on_incoming runs here; borrowed likewise */
    /** A direct call that the access list lets in; `in` is owned by the callee, who passes it to a
     *  worker for sip_call_take(), or to sip_incoming_reject(). NULL: direct calls are refused. */
    void (*on_incoming)(void *arg, struct sip_incoming *in);
    void *arg;
    bool take_refer; /**< REFER is accepted (202) and told to on_refer; else it is refused */
};

/** Does this configuration need a user agent? AUDIO_MODE or AUDIO_FALLBACK with rtp, or direct
 *  calls. */
bool sip_ua_wanted(const struct settings *settings);

/**
 * Bind SIP_HOST:SIP_PORT (UDP and TCP; TLS on SIP_TLS_PORT) and start the thread.
 *
 * @return VA_OK, VA_ECONFIG (RTP_CODECS, SIP_ALLOW_ACL), VA_EINUSE, VA_ENOMEM; `fault` says why
 */
VA_CHECK enum va_err sip_ua_start(const struct sip_ua_cfg *cfg, struct sip_ua **ret_ua,
                                  struct va_fault *fault);
/** From now on 503 to direct calls. Tokens stay good: running calls may need them. Any thread. */
void sip_ua_drain(struct sip_ua *ua);
/** BYE to all, at most SIP_STOP_LIMIT_MS, end the thread, free. Every sip_call must be closed
 *  before (their loops need not live any more). No on_incoming follows. On the control loop's
 * thread. NULL-safe. */
void sip_ua_stop(struct sip_ua **ua);

/** The port it is bound to (SIP_PORT may be 0 in tests). Any thread. */
uint16_t sip_ua_port(const struct sip_ua *ua);
/** The codecs of RTP_CODECS. Any thread; valid as long as the user agent. */
const struct sdp_prefs *sip_ua_prefs(const struct sip_ua *ua);
/** Whether audio comes by what calls this port: told by who waits for it. False at first. Any
 * thread.
 */
void sip_ua_tell_audio(struct sip_ua *ua, bool comes);
bool sip_ua_brings_audio(const struct sip_ua *ua);

struct sip_ua_stats {
    uint64_t invites;        /**< initial ones */
    uint64_t no_token;       /**< 403: no live token and no direct calls */
    uint64_t not_allowed;    /**< 403: source not in SIP_ALLOW_ACL */
    uint64_t over_limit;     /**< 503 */
    uint64_t not_acceptable; /**< 488, 415, 400 for what they offered */
    uint64_t expired;        /**< tokens nobody came for */
    uint64_t mails_refused;  /**< requests of workers that were not taken: mailbox full */
    uint64_t dialogs;        /**< now */
};
/** Any thread. */
void sip_ua_stats(const struct sip_ua *ua, struct sip_ua_stats *ret_stats);

/* ---- calls (worker's thread) ------------------------------------------------------------------
 */

/** How a call ended. Texts are safe to log. */
struct sip_end {
    int status;    /**< SIP status that refused it; 200: ended by BYE; 408: nothing answered;
                    *   487: the caller gave up before the answer (CANCEL) */
    int q850;      /**< cause of a Reason header; 0: none */
    bool by_peer;  /**< false: by us, or by a time limit */
    char text[96]; /**< phrase or text of the Reason */
};

/** For who steers the call. Unused ones: NULL. */
struct sip_call_handlers {
    /** The dialog is confirmed: their ACK came, or the answer to our INVITE. Once. */
    void (*on_established)(void *arg);
    /** A digit by SIP INFO (application/dtmf-relay, application/dtmf). */
    void (*on_digit)(void *arg, char digit);
    /** Progress of sip_call_refer(): 100 … 699 as the peer reports it by NOTIFY, or the refusal of
     *  the REFER itself. ≥ 200 is the last one. */
    void (*on_transfer)(void *arg, int status);
    /** Once and last. sip_call_close() is still due. Also when the INVITE of a token never came
     *  (status 408). */
    void (*on_ended)(void *arg, const struct sip_end *end);
    /** They ask us to call somebody else (sip_ua_cfg.take_refer); sip_call_referred() is due. The
     *  URI is a stranger's word, at most SIP_URI_MAX bytes; borrowed. */
    void (*on_refer)(void *arg, const char *to_uri);
};

/** For who carries the audio. */
struct sip_media_handlers {
    /**
     * Answer it with sip_call_answer() or refuse with sip_call_reject(), now or later (the peer
     * waits some 30 s). `offer` NULL: they want an offer from us: sip_call_answer() with one; their
     * answer comes to on_answer. Borrowed.
     *
     * @param again  false: the call begins; true: it is changed (hold, codec, address). A refusal
     *               then leaves everything as it was
     */
    void (*on_offer)(void *arg, const struct sdp *offer, bool again);
    /** The answer to an offer of ours. Borrowed. */
    void (*on_answer)(void *arg, const struct sdp *answer);
    /** Our sip_call_offer() was refused; all stays as it was. May be NULL. */
    void (*on_refused)(void *arg, int status);
};

/**
 * Expect one INVITE to sip:TOKEN@us. Offers come to the media handlers.
 *
 * @param h, arg     Borrowed until sip_call_close()
 * @param ret_token  Terminated; for the bridge's dial string
 * @return VA_OK, VA_ELIMIT (too many), VA_ENOMEM
 */
VA_CHECK enum va_err sip_ua_expect(struct sip_ua *ua, struct loop *loop,
                                   const struct sip_call_handlers *h, void *arg,
                                   char ret_token[static SIP_TOKEN_TEXT],
                                   struct sip_call **ret_call);

/** Who calls. Words of strangers: data, nothing else. */
struct sip_incoming_info {
    char caller_number[SIP_NAME_MAX]; /**< user part of From */
    char caller_name[SIP_NAME_MAX];   /**< display name, "" */
    char called_number[SIP_NAME_MAX]; /**< user part of the request URI */
    char call_id[SIP_CALL_ID_MAX];
    struct net_addr source, local; /**< where it came from; our side towards it */
    uint16_t port; /**< of its host, where it takes requests: that of its Contact when it came by a
                    *   connection (TCP, TLS), whose own port is of no use to anybody else */
};
/** Valid until taken or rejected. */
const struct sip_incoming_info *sip_incoming_info(const struct sip_incoming *in);
/** Take it, on the thread of `loop`. `in` is gone afterwards, also on failure (then it was refused
 *  with 503). A caller who gave up meanwhile is told by on_ended. @return VA_OK, VA_ENOMEM */
VA_CHECK enum va_err sip_call_take(struct sip_incoming *in, struct loop *loop,
                                   const struct sip_call_handlers *h, void *arg,
                                   struct sip_call **ret_call);
/** Refuse it with a status of 400 … 699; 503 says when to try again. Any thread. */
void sip_incoming_reject(struct sip_incoming *in, int status);

/** A call of ours. Caller and target are data of the caller's and are checked: VA_EINVAL. */
struct sip_place {
    const char *to;   /**< "sip:8000@127.0.0.1:5090" */
    const char *from; /**< user part, NULL: "voice-ai" */
    const char *name; /**< display name, may be NULL */
    struct str offer; /**< SDP */
};
/** on_answer, on_established or on_ended follow. */
VA_CHECK enum va_err sip_call_place(struct sip_ua *ua, struct loop *loop,
                                    const struct sip_place *place,
                                    const struct sip_call_handlers *h, void *arg,
                                    struct sip_call **ret_call);

/** Who carries the audio from now on; NULL: nobody. Borrowed until changed. An offer that waits is
 *  delivered on the next turn. */
void sip_call_set_media(struct sip_call *call, const struct sip_media_handlers *h, void *arg);

/** Address of the peer's signalling and our side towards it: what SDP advertises if no setting says
 *  else. @return false before the INVITE came */
bool sip_call_addrs(const struct sip_call *call, struct net_addr *ret_local,
                    struct net_addr *ret_peer);

/** 180 Ringing. */
void sip_call_ring(struct sip_call *call);
/** 200 with this description, to the offer that is open. Copied.
 *  @return VA_OK, VA_EINVAL (no offer is open), VA_ELIMIT, VA_ENOMEM, VA_ECLOSED (ended) */
VA_CHECK enum va_err sip_call_answer(struct sip_call *call, struct str sdp);
/** Refuse the offer that is open (488 …), and with it a call that begins: on_ended follows. */
VA_CHECK enum va_err sip_call_reject(struct sip_call *call, int status);
/** Change an established call: re-INVITE. on_answer or on_refused follows. */
VA_CHECK enum va_err sip_call_offer(struct sip_call *call, struct str sdp);
/** Transfer: REFER to a URI (checked: VA_EINVAL). on_transfer follows; the dialog stays. */
VA_CHECK enum va_err sip_call_refer(struct sip_call *call, const char *to_uri);
/** How the last on_refer went, as a final SIP status (NOTIFY, RFC 3515 §2.4.4). */
VA_CHECK enum va_err sip_call_referred(struct sip_call *call, int status);
/** End it: BYE, CANCEL or a refusal, whatever fits. on_ended follows. Idempotent. */
void sip_call_bye(struct sip_call *call);
/** The same, and release: no handler is called any more, and nothing is posted to the loop. Never
 *  fails. Sets *call NULL. NULL-safe. */
void sip_call_close(struct sip_call **call);

#endif
