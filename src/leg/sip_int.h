/** leg/sip_int.h: inside of the SIP user agent, for sip_*.c only. The one place that sees
 * sofia-sip.
 */
#ifndef VA_LEG_SIP_INT_H
#define VA_LEG_SIP_INT_H

#define NUA_MAGIC_T       struct sip_ua
#define NUA_HMAGIC_T      struct sip_call
#define SU_WAKEUP_ARG_T   struct sip_ua
#define SU_TIMER_ARG_T    struct sip_ua
#define NUA_SAVED_EVENT_T su_msg_t *

#include "base/htab.h"
#include "base/list.h"
#include "leg/sip_acl.h"
#include "leg/sip_ua.h"

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/su_wait.h>

#include <stdatomic.h>

enum {
    SIP_MAILBOX_MAX = 65536, /* orders of workers that wait; ends of calls are taken beyond it */
    SIP_CONTACT_TEXT = 160,
    SIP_REFERRAL_TEXT = 32, /* "refer;id=4294967295" */
    SIP_TOKEN_CHECK_MS = 500,
    SIP_SESSION_EXPIRES_S = 1800, /* RFC 4028 §4 */
    SIP_MIN_SE_S = 90,
    SIP_RETRY_AFTER_S = 10
};

/* ---- mails ----------------------------------------------------------------------------------- */

/* From a worker to the SIP thread. */
enum sip_order_kind {
    SIP_ORDER_EXPECT,
    SIP_ORDER_PLACE,
    SIP_ORDER_RING,
    SIP_ORDER_ANSWER,   /* text: SDP */
    SIP_ORDER_REJECT,   /* status */
    SIP_ORDER_OFFER,    /* text: SDP */
    SIP_ORDER_REFER,    /* text: URI */
    SIP_ORDER_REFERRED, /* status */
    SIP_ORDER_BYE,
    SIP_ORDER_CLOSE
};

struct sip_order {
    struct mail mail;
    struct sip_call *call; /* with a reference */
    enum sip_order_kind kind;
    int status;
    char *text;      /* owned */
    char *to, *from; /* of SIP_ORDER_PLACE, owned */
};

/* From the SIP thread to a worker. */
enum sip_news_kind {
    SIP_NEWS_OFFER,  /* sdp, or none: late offer */
    SIP_NEWS_AGAIN,  /* likewise, of an established call */
    SIP_NEWS_ANSWER, /* sdp */
    SIP_NEWS_REFUSED,
    SIP_NEWS_ESTABLISHED,
    SIP_NEWS_DIGIT,
    SIP_NEWS_TRANSFER,
    SIP_NEWS_REFER, /* text */
    SIP_NEWS_ENDED
};

struct sip_news {
    struct mail mail;
    struct sip_call *call; /* with a reference */
    enum sip_news_kind kind;
    int status;
    char digit;
    bool has_sdp;
    struct sdp *sdp; /* owned */
    char *text;      /* owned */
    struct net_addr local, peer;
};

/* ---- calls ----------------------------------------------------------------------------------- */

/* A dialog as the SIP thread sees it. */
enum sip_state {
    SIP_EXPECTED, /* a token waits for its INVITE */
    SIP_INVITED,  /* theirs, not answered */
    SIP_CALLING,  /* ours, not answered */
    SIP_ANSWERED, /* 200 sent, ACK due */
    SIP_UP,
    SIP_LEAVING, /* as ANSWERED, but a BYE follows the ACK (RFC 3261 §15) */
    SIP_ENDING,  /* BYE, CANCEL or a refusal is under way */
    SIP_GONE
};

/* The request of theirs that a worker has to answer. */
enum sip_open { SIP_OPEN_NONE, SIP_OPEN_INVITE, SIP_OPEN_UPDATE };

/* As the worker sees the exchange of descriptions. */
enum sip_turn { SIP_TURN_NONE, SIP_TURN_OURS, SIP_TURN_THEIRS };

struct sip_call {
    atomic_uint refs; /* worker, SIP thread, each mail under way */
    struct sip_ua *ua;

    uv_mutex_t lock;   /* guards loop, closed, held_* */
    struct loop *loop; /* NULL: not taken yet, or closed */
    bool closed;
    struct mail *held_first, *held_last; /* news before there was a worker */

    /* ---- the worker's */
    const struct sip_call_handlers *h;
    void *arg;
    const struct sip_media_handlers *media;
    void *media_arg;
    struct sip_news *waiting; /* an offer or answer nobody carries yet */
    struct tmr soon;          /* delivers it */
    enum sip_turn turn;
    bool addressed, ended, released;
    struct net_addr local, peer;

    /* ---- the SIP thread's */
    struct link link; /* of ua->calls */
    struct hlink by_token;
    char token[SIP_TOKEN_TEXT];
    uint64_t expires_us;
    enum sip_state state;
    enum sip_open open;
    nua_handle_t *nh;
    nua_saved_event_t update[1]; /* of SIP_OPEN_UPDATE */
    bool offered;                /* our 200 or INVITE made the offer: the answer is due */
    char contact[SIP_CONTACT_TEXT];
    char referral[SIP_REFERRAL_TEXT]; /* Event of the REFER to report on, "": none */
    struct sip_end end;

    struct sip_order bye, close; /* never refused, so their memory is here */
    atomic_bool bye_sent;
    struct sip_news gone;
};

struct sip_incoming {
    struct mail mail;
    struct link link;      /* of ua->incoming, until it is delivered */
    struct sip_ua *ua;     /* NULL: stopped before that */
    struct sip_call *call; /* with the worker's reference */
    struct sip_incoming_info info;
};

struct sip_ua {
    struct sip_ua_cfg cfg;
    struct sdp_prefs prefs;
    enum sdp_srtp srtp;
    struct sip_acl acl;

    uv_thread_t thread;
    uv_sem_t started;
    bool running;
    enum va_err start_err;
    uint16_t port, tls_port;

    uv_mutex_t lock; /* guards box_*, incoming */
    struct mail *box_first, *box_last;
    size_t box_count;
    struct list incoming; /* on their way to the control loop; under the lock too */
    int wake_fd;

    atomic_bool draining, stopping, audio_comes;
    atomic_size_t live; /* calls a worker holds or is offered */
    atomic_uint_fast64_t invites, no_token, not_allowed, over_limit, not_acceptable, expired,
        mails_refused;

    /* ---- the SIP thread's */
    bool cut_short; /* the stack did not stop in time */
    bool poisoned;  /* a handle cannot be destroyed, see sip_target.c */
    su_root_t *root;
    nua_t *nua;
    su_timer_t *timer;
    struct list calls; /* struct sip_call.link; the expected ones in order of their end */
    struct htab tokens;
};

/* ---- sip_mail.c: any thread ------------------------------------------------------------------ */

/* @return VA_OK, VA_ELIMIT; the order is given away in both cases */
VA_CHECK enum va_err sip_order_post(struct sip_ua *ua, struct sip_order *order);
/* Of ends, which are never refused. */
void sip_order_send(struct sip_ua *ua, struct sip_order *order);
/* The SIP thread looks into its mailbox, and whether it is to stop. */
void sip_wake(struct sip_ua *ua);
/* SIP thread: everything in the mailbox, in order. */
void sip_orders_run(struct sip_ua *ua);
/* The SIP thread has ended: what came later is forgotten. */
void sip_orders_drop(struct sip_ua *ua);
void sip_order_free(struct sip_order *order);
/* SIP thread: to the worker, or kept until there is one. */
void sip_news_post(struct sip_call *call, struct sip_news *news);
struct sip_news *sip_news_new(struct sip_call *call, enum sip_news_kind kind);
void sip_news_free(struct sip_news *news);

/* ---- sip_call.c: the worker's side ----------------------------------------------------------- */

VA_CHECK enum va_err sip_call_new(struct sip_ua *ua, struct sip_call **ret_call);
void sip_call_take_over(struct sip_call *call, struct loop *loop, const struct sip_call_handlers *h,
                        void *arg);
struct sip_order *sip_order_new(struct sip_call *call, enum sip_order_kind kind);
bool sip_sdp_ok(struct str sdp);
/* A SIP or tel URI that may stand between < and > of a header. */
bool sip_uri_ok(const char *uri);
void sip_call_ref(struct sip_call *call);
void sip_call_unref(struct sip_call *call);
/* Runs on the worker. */
void sip_news_deliver(struct mail *mail);

/* ---- sip_dialog.c: the SIP thread's side ----------------------------------------------------- */

void sip_set_state(struct sip_call *call, enum sip_state next);
void sip_order_do(struct sip_order *order);
/* The dialog is over: tell the worker, let go of the handle. */
void sip_dialog_gone(struct sip_call *call);
/* A request moved it to a target that cannot be used. @param answer  It waits for an answer */
void sip_dialog_poisoned(struct sip_call *call, bool answer);
void sip_tokens_expire(struct sip_ua *ua, uint64_t now_us);
void sip_end_note(struct sip_call *call, int status, bool by_peer, const char *text);

/* ---- sip_event.c, sip_invite.c: what the stack tells ----------------------------------------- */

void sip_on_event(nua_event_t event, int status, char const *phrase, nua_t *nua, struct sip_ua *ua,
                  nua_handle_t *nh, struct sip_call *call, sip_t const *sip, tagi_t tags[]);
/* sip_ua.c: the answer to nua_get_params(). */
void sip_on_params(struct sip_ua *ua, tagi_t tags[]);
/* sip_target.c: can requests of ours be sent to who said this? */
bool sip_target_ok(const struct sip_ua *ua, const sip_t *sip, bool again);
void sip_on_invite(struct sip_ua *ua, nua_handle_t *nh, const sip_t *sip);
void sip_on_reinvite(struct sip_call *call, const sip_t *sip);
void sip_on_update(struct sip_call *call, int status, const sip_t *sip);
/* The description of a message. @return 0: there is one, or none and *ret_sdp is NULL; else the
 * status to refuse with. *ret_sdp is owned by the caller. */
int sip_read_sdp(const sip_t *sip, struct sdp **ret_sdp);

#endif
