/** net/http_int.h: inside of the HTTP client, for http*.c only. */
#ifndef VA_NET_HTTP_INT_H
#define VA_NET_HTTP_INT_H

#include "base/buf.h"
#include "net/http.h"
#include "net/resolve.h"

#include <curl/curl.h>

enum { HTTP_HOSTS_MAX = 32, HTTP_HOST_MAX = 256, HTTP_HOST_FRESH_MS = 60000 };

/* A request's way. Only http_request_state() changes it.
 *
 *     QUEUED ─► LOOKING_UP ─► CONNECTING ─► SENT ─► ANSWERING ─► ENDED     (or ENDED from anywhere)
 */
enum http_state {
    HTTP_QUEUED,     /* started from inside who knows what: begins on the next turn */
    HTTP_LOOKING_UP, /* curl would look up in threads that its cleaning up waits for: we do it */
    HTTP_CONNECTING, /* curl has it */
    HTTP_SENT,       /* a connection carries it, nothing came back yet */
    HTTP_ANSWERING,
    HTTP_ENDED, /* on_end is due */
};

/* Addresses of a host that was asked lately. */
struct http_host {
    char name[HTTP_HOST_MAX]; /* "" free */
    uint16_t port;
    uint64_t looked_up_us;
};

struct http_client {
    struct loop_kept kept; /* of http_client_of() */
    struct loop *loop;
    CURLM *multi;
    CURLSH *share; /* TLS sessions */
    struct http_client_cfg cfg;
    char *ca_file;
    struct list requests; /* all of them */
    struct list queued;   /* to be begun */
    struct list ready;    /* with something to tell */
    struct tmr begin, tell, curl_timer;
    size_t count;
    struct http_request *telling; /* whose handlers are running; NULL once it is gone */
    struct http_host host[HTTP_HOSTS_MAX];
    struct http_counters counters;
};

struct http_request {
    struct link all, link; /* of requests; of queued or ready */
    struct http_client *client;
    enum http_state state;
    const struct http_handlers *h;
    void *arg;
    CURL *easy;
    bool added; /* to the multi handle, which is to be told first when it goes */
    struct curl_slist *headers, *addresses;
    curl_mime *mime;
    struct resolve *resolve;
    char host[HTTP_HOST_MAX];
    uint16_t port;
    uint64_t connect_ms, first_byte_ms, idle_ms;
    size_t response_max, received;
    struct tmr deadline, total;
    char curl_text[CURL_ERROR_SIZE];

    struct http_head head;
    char content_type[128];
    struct buf in;     /* came, not told yet */
    bool head_told;    /* on_head was called */
    struct buf secret; /* values to blot out, each with its NUL */

    enum va_err err;
    struct buf error_body;
    struct va_fault fault;
};

/* http.c */
void http_request_state(struct http_request *r, enum http_state to);
/** It is over, unless it was before. on_end comes on the next turn or behind what came. */
VA_PRINTF(3, 4)
void http_fail(struct http_request *r, enum va_err why, const char *fmt, ...);
void http_ready(struct http_request *r);
void http_begin(struct http_request *r);

/* http_request.c: one request as curl wants it */
VA_CHECK enum va_err http_prepare(struct http_request *r, const struct http_spec *spec);
/** Addresses for curl. @return VA_OK, VA_ENOMEM */
VA_CHECK enum va_err http_use_addresses(struct http_request *r, const struct net_addr *addrs,
                                        size_t count);
void http_release(struct http_request *r);

/* http_end.c: what went wrong, for people */
void http_ended(struct http_request *r, CURLcode code);
void http_timed_out(void *request);
void http_took_too_long(void *request);
void http_blot(struct http_request *r);

/* http_poll.c: curl's sockets and timer on the loop */
VA_CHECK enum va_err http_poll_start(struct http_client *c);

#endif
