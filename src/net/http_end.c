/* How a request ended, in words that name the cause and what to do. */
#include "net/http_int.h"

#include <stdio.h>

enum { SECRET_MIN = 6 /* shorter ones are no secrets, and would blot out half a text */ };

static void by_status(struct http_request *r)
{
    int status = r->head.status;
    if (status / 100 == 2)
        http_request_state(r, HTTP_ENDED);
    else if (status == 401 || status == 403)
        http_fail(r, VA_EAUTH,
                  "%s refuses the key (HTTP %d); check it and what it is allowed to do", r->host,
                  status);
    else if (status == 404)
        http_fail(r, VA_ENOTFOUND,
                  "%s has no such address or model (HTTP 404); check base URL and model", r->host);
    else if (status == 429)
        http_fail(r, VA_ELIMIT,
                  "%s takes no more requests for now (HTTP 429): rate limit or no credit left",
                  r->host);
    else if (status / 100 == 5 || status == 408)
        http_fail(r, VA_EAGAIN, "%s cannot answer now (HTTP %d); its operator knows why", r->host,
                  status);
    else if (status / 100 == 4)
        http_fail(r, VA_EINVAL, "%s does not take the request (HTTP %d); check model and settings",
                  r->host, status);
    else
        http_fail(r, VA_EPROTO,
                  "%s answers with HTTP %d; a redirect is not followed, check the URL", r->host,
                  status);
}

static void broke_off(struct http_request *r)
{
    http_fail(r, VA_EIO,
              r->state == HTTP_ANSWERING ? "%s:%u broke off in the middle of its answer (%s)"
                                         : "%s:%u closed the connection without an answer (%s)",
              r->host, r->port, r->curl_text);
}

static void forget_address(struct http_request *r)
{
    for (size_t i = 0; i < HTTP_HOSTS_MAX; i++)
        if (strcmp(r->client->host[i].name, r->host) == 0)
            r->client->host[i].looked_up_us = 0;
}

static void tls_failed(struct http_request *r, CURLcode code)
{
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        http_fail(r, VA_EAUTH,
                  "the certificate of %s:%u is not accepted (%s); TLS_CA_FILE names further "
                  "authorities",
                  r->host, r->port, r->curl_text);
    else if (code == CURLE_SSL_CACERT_BADFILE)
        http_fail(r, VA_EINVAL, "TLS_CA_FILE holds no certificates (%s)", r->curl_text);
    else
        http_fail(r, VA_EIO, "no TLS with %s:%u (%s); is it a plain http:// server?", r->host,
                  r->port, r->curl_text);
}

void http_ended(struct http_request *r, CURLcode code)
{
    switch (code) {
    case CURLE_OK: by_status(r); break;
    case CURLE_COULDNT_RESOLVE_HOST:
        http_fail(r, VA_ENOTFOUND, "host %s is not known; check the name in the URL", r->host);
        break;
    case CURLE_COULDNT_CONNECT:
        forget_address(r);
        http_fail(r, VA_EREFUSED,
                  "nothing answers at %s:%u; is the server running, is a firewall in between? (%s)",
                  r->host, r->port, r->curl_text);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR: tls_failed(r, code); break;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
        http_fail(r, VA_EPROTO, "%s:%u does not speak HTTP (%s); check the port", r->host, r->port,
                  r->curl_text);
        break;
    case CURLE_OUT_OF_MEMORY: http_fail(r, VA_ENOMEM, "out of memory"); break;
    default: broke_off(r); break;
    }
    if (r->state == HTTP_ENDED)
        http_ready(r);
}

void http_timed_out(void *arg)
{
    struct http_request *r = arg;
    unsigned long long ms = r->state == HTTP_ANSWERING ? r->idle_ms
                            : r->state == HTTP_SENT    ? r->first_byte_ms
                                                       : r->connect_ms;
    const char *what = r->state == HTTP_ANSWERING ? "stopped in the middle of its answer"
                       : r->state == HTTP_SENT    ? "took the request and does not answer"
                                                  : "cannot be reached";
    if (r->state != HTTP_ANSWERING && r->state != HTTP_SENT)
        forget_address(r);
    http_fail(r, VA_ETIMEOUT, "%s:%u %s (%llu ms)", r->host, r->port, what, ms);
}

void http_took_too_long(void *arg)
{
    struct http_request *r = arg;
    http_fail(r, VA_ETIMEOUT, "%s:%u has not finished its answer in time", r->host, r->port);
}

static void blot_one(char *p, size_t len, struct str secret)
{
    for (char *at = memmem(p, len, secret.p, secret.len); at;
         at = memmem(p, len, secret.p, secret.len))
        memset(at, '*', secret.len);
}

/* Servers repeat what they were sent. A secret is "Bearer KEY" or KEY: its last word counts. */
void http_blot(struct http_request *r)
{
    for (size_t at = 0; at < r->secret.len;) {
        struct str value = str_of(r->secret.p + at);
        at += value.len + 1;
        const char *blank = memrchr(value.p, ' ', value.len);
        struct str key =
            blank ? str_make(blank + 1, (size_t)(value.p + value.len - blank - 1)) : value;
        if (key.len < SECRET_MIN)
            continue;
        if (r->error_body.len)
            blot_one(r->error_body.p, r->error_body.len, key);
        blot_one(r->fault.text, strlen(r->fault.text), key);
    }
}
