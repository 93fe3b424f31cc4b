/** esl/types.h: words that every part of the Event Socket layer shares. */
#ifndef VA_ESL_TYPES_H
#define VA_ESL_TYPES_H

#include "base/err.h"
#include "base/str.h"

struct esl_event;

/** How an event's bytes are written (`event plain|json|xml`). */
enum esl_format { ESL_PLAIN, ESL_JSON, ESL_XML };

/* X(symbol, text): why something ended. */
#define ESL_WHY_MAP(X)                                                                             \
    X(ESL_WHY_NONE, "none")                    /* it did not end, or it ended well */              \
    X(ESL_WHY_REFUSED, "refused")              /* FreeSWITCH answered -ERR */                      \
    X(ESL_WHY_TIMEOUT, "timeout")              /* no answer in the time given */                   \
    X(ESL_WHY_HANGUP, "hangup")                /* the channel hung up */                           \
    X(ESL_WHY_NOTICE, "disconnect notice")     /* FreeSWITCH said good-bye */                      \
    X(ESL_WHY_KILLED, "killed: lost events")   /* we read too slowly (esl.md fact 1) */            \
    X(ESL_WHY_SHUTDOWN, "freeswitch shutdown") /* FreeSWITCH itself is going down */               \
    X(ESL_WHY_EOF, "connection closed")        /* closed without a notice */                       \
    X(ESL_WHY_IO, "connection broken")         /* reset or another socket error */                 \
    X(ESL_WHY_PROTOCOL, "protocol error")      /* bytes that are not Event Socket, or too many */  \
    X(ESL_WHY_MEMORY, "out of memory")                                                             \
    X(ESL_WHY_RESOLVE, "host name not found")                                                      \
    X(ESL_WHY_CONNECT, "no connection")          /* nobody listens, or no route */                 \
    X(ESL_WHY_SILENT, "silent port")             /* connected, but no auth/request came */         \
    X(ESL_WHY_NOT_ESL, "not an event socket")    /* the port speaks something else */              \
    X(ESL_WHY_ACL, "address refused")            /* apply-inbound-acl does not have us */          \
    X(ESL_WHY_AUTH, "password refused")          /* or the user is not known */                    \
    X(ESL_WHY_HALF_OPEN, "peer does not answer") /* the connection stands, nothing comes */

enum esl_why {
#define X(sym, text) sym,
    ESL_WHY_MAP(X)
#undef X
        ESL_WHY_COUNT
};

/** Short English text ("disconnect notice"). Never NULL. Any thread. */
const char *esl_why_text(enum esl_why why);

/** A `text/disconnect-notice`. */
enum esl_notice {
    ESL_NOTICE_LINGER,     /**< channel gone, events keep coming for the linger time */
    ESL_NOTICE_DISCONNECT, /**< good-bye; on_closed follows at once */
    ESL_NOTICE_KILLED,     /**< "killed listener because of lost …"; on_closed follows */
    ESL_NOTICE_SHUTDOWN    /**< "The system is being shut down."; on_closed follows */
};

/** What became of a request. Everything in it is borrowed for the call. */
struct esl_result {
    /** VA_OK; VA_EREFUSED (-ERR, the text says more); VA_ETIMEOUT; VA_ECANCELED (hang-up before
     *  the end); VA_ECLOSED (connection ended: the outcome is unknown); VA_EIO, VA_ELIMIT,
     *  VA_ENOMEM (a locally queued execute could not be sent). */
    enum va_err err;
    enum esl_why why; /**< finer than err; ESL_WHY_NONE with VA_OK */
    /** The last call for this request. False only for the "accepted" stage of bgapi and execute. */
    bool done;
    /** Reply-Text without its line end, or the body of `api` byte for byte. For the end of a bgapi:
     *  the job's output. For the end of an execute: Application-Response. */
    struct str text;
    /** BACKGROUND_JOB or CHANNEL_EXECUTE_COMPLETE that ended it, else NULL. */
    const struct esl_event *event;
};

/**
 * Result of a request. On the loop's thread, never from inside the call that made the request.
 * May make further requests and may close the connection.
 */
typedef void(esl_result_h)(void *arg, const struct esl_result *r);

/** Where a result goes. Copied by the call it is given to. NULL instead of it: nobody cares. */
struct esl_then {
    esl_result_h *on_result; /**< may be NULL */
    void *arg;
    /** 0: none. After it on_result gets VA_ETIMEOUT; a later answer is discarded and no other
     *  request is shifted by it. bgapi, execute: until the end of the job or application. */
    uint64_t timeout_ms;
};

#endif
