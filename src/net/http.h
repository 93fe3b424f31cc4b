/**
 * net/http.h: HTTP requests (libcurl, HTTP/1.1, plain or TLS), many at once on one loop, without
 * blocking it.
 *
 *     http_start ─► look-up ─► connect, TLS ─► request ─► on_head ─► on_body … ─► on_end
 *                   (an idle connection of the same host saves the first two)
 *
 * One client per loop: it keeps the idle connections, the TLS sessions and the addresses. Redirects
 * are not followed and no proxy is used: an interface with a key has one address. All on the loop's
 * thread; no handler is called from inside a function of this file, each may start and cancel
 * requests.
 */
#ifndef VA_NET_HTTP_H
#define VA_NET_HTTP_H

#include "base/str.h"
#include "net/loop.h"

struct http_client;
struct http_request;

enum {
    HTTP_REQUESTS_MAX = 4096, /**< under way on one client */
    HTTP_IDLE_MAX = 64,       /**< idle connections of one client */
    HTTP_URL_MAX = 2048,
    HTTP_HEADERS_MAX = 16,                 /**< of a request */
    HTTP_PARTS_MAX = 16,                   /**< of a multipart body */
    HTTP_BODY_MAX = 8 * 1024 * 1024,       /**< of a request [bytes] */
    HTTP_RESPONSE_MAX = 64 * 1024 * 1024,  /**< default of response_max [bytes] */
    HTTP_ERROR_BODY_MAX = 4096,            /**< kept of an answer that is not 2xx [bytes] */
    HTTP_RETRY_AFTER_MAX_MS = 3600 * 1000, /**< a server that asks for more is not believed */
};

struct http_client_cfg {
    const char *ca_file; /**< PEM of the authorities to trust besides the system's; "": these */
    bool insecure;       /**< accept any certificate: for a lab */
};

struct http_header {
    const char *name, *value;
    bool secret; /**< the value never shows in a text, not even when the server repeats it */
};

/** One part of multipart/form-data. */
struct http_part {
    const char *name;
    const char *filename; /**< NULL: a plain field */
    const char *type;     /**< media type; NULL: none is sent */
    struct str data;
};

/** A request; everything is copied. */
struct http_spec {
    const char *method; /**< "GET", "POST", … */
    const char *url;    /**< http:// or https:// */
    const struct http_header *headers;
    size_t header_count;
    struct str body; /**< unless there are parts */
    const struct http_part *parts;
    size_t part_count;
    uint64_t connect_ms;    /**< look-up, connect, TLS; 0: 10 s */
    uint64_t first_byte_ms; /**< from then on until the answer begins; 0: 30 s */
    uint64_t idle_ms;       /**< longest pause inside it; 0: 30 s */
    uint64_t total_ms;      /**< all of it; 0: no limit */
    size_t response_max;    /**< body of the answer; 0: HTTP_RESPONSE_MAX */
};

/** Head of an answer. Borrowed for the call. */
struct http_head {
    int status;
    struct str content_type;
    int64_t retry_after_ms; /**< Retry-After in seconds; -1: none, or a date */
};

/** How a request ended. Borrowed for the call. */
struct http_end {
    /** VA_OK: an answer 2xx came to its end. Else:
     *  - no answer: VA_ENOTFOUND (host), VA_EREFUSED, VA_ETIMEOUT, VA_EAUTH (certificate), VA_EIO
     *    (broke off, also in the middle), VA_EPROTO (no HTTP), VA_ELIMIT (longer than it may be)
     *  - by status: VA_EAUTH (401, 403), VA_ENOTFOUND (404), VA_ELIMIT (429), VA_EAGAIN (5xx, 408),
     *    VA_EINVAL (another 4xx), VA_EPROTO (3xx) */
    enum va_err err;
    int status; /**< 0: there was none */
    int64_t retry_after_ms;
    struct str body;  /**< of an answer that is not 2xx: its beginning. Anybody's bytes: secrets of
                       *   this request are blotted out, control characters are not */
    const char *text; /**< one line for a person: what is wrong and what to do */
};

/** on_head and on_body are for answers 2xx alone. Unused ones but on_end: NULL. */
struct http_handlers {
    void (*on_head)(void *arg, const struct http_head *head);
    /** Bytes as they come; borrowed. */
    void (*on_body)(void *arg, struct str bytes);
    /** Once and last, also without any answer; the request is released then. */
    void (*on_end)(void *arg, const struct http_end *end);
};

/** @return VA_OK, VA_ENOMEM, VA_EINVAL (ca_file cannot be read) */
VA_CHECK enum va_err http_client_new(struct loop *loop, const struct http_client_cfg *cfg,
                                     struct http_client **ret_client, struct va_fault *fault);
/** Requests under way end without a handler. Not from inside a handler. NULL-safe. */
void http_client_free(struct http_client **client);

/**
 * The client of a loop: made by the first who asks, closed with the loop.
 *
 * @param cfg  Of the first who asks; the process has one configuration
 */
VA_CHECK enum va_err http_client_of(struct loop *loop, const struct http_client_cfg *cfg,
                                    struct http_client **ret_client, struct va_fault *fault);

/**
 * Ask. on_end follows, before it on_head and on_body.
 *
 * @param handlers  Borrowed until on_end or http_cancel()
 * @return VA_OK, VA_EINVAL (URL, method, control characters in a header), VA_ELIMIT (too many
 *         requests, a body too long), VA_ENOMEM
 */
VA_CHECK enum va_err http_start(struct http_client *client, const struct http_spec *spec,
                                const struct http_handlers *handlers, void *arg,
                                struct http_request **ret_request);
/** No handler is called any more; a connection in use is closed. Sets *request NULL. NULL-safe. */
void http_cancel(struct http_request **request);

struct http_counters {
    uint64_t started, ended, failed, cancelled, connections;
};
void http_client_counters(const struct http_client *client, struct http_counters *ret);

#endif
