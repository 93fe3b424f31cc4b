/**
 * net/http_head.h: the head of an HTTP/1.1 message, read strictly (RFC 9112). Any thread.
 */
#ifndef VA_NET_HTTP_HEAD_H
#define VA_NET_HTTP_HEAD_H

#include "base/str.h"

enum { HTTP_FIELDS_MAX = 64 };

struct http_field {
    struct str name, value; /**< value trimmed */
};

/** All slices point into the bytes that were parsed. */
struct http_message {
    struct str method, target; /**< of a request: "GET", "/a?b" */
    int status;                /**< of an answer */
    struct str reason;         /**< of an answer, may be empty */
    int minor;                 /**< HTTP/1.minor */
    struct http_field headers[HTTP_FIELDS_MAX];
    size_t header_count;
};

/**
 * Length of the head at the start of the bytes, its empty line included. 0: it is not complete.
 *
 * @param from  Bytes of it that were searched before; 0 the first time
 */
size_t http_head_length(const char *p, size_t len, size_t from);

/**
 * Parse a complete head of `http_head_length()` bytes. Lines end in CRLF; no folded lines, no blank
 * before a colon, no control characters.
 *
 * @return VA_OK, VA_EPROTO (not HTTP/1.x, or malformed), VA_ELIMIT (over HTTP_FIELDS_MAX)
 */
VA_CHECK enum va_err http_head_request(const char *p, size_t len, struct http_message *ret_head);
VA_CHECK enum va_err http_head_answer(const char *p, size_t len, struct http_message *ret_head);

/** First header of that name (ASCII case-insensitive), trimmed; empty when there is none. */
struct str http_head_get(const struct http_message *h, const char *name);
/** How many headers have that name. */
size_t http_head_count(const struct http_message *h, const char *name);
/** Whether the comma-separated list of all headers of that name has the token (ignoring case). */
bool http_head_lists(const struct http_message *h, const char *name, const char *token);

/** A token of RFC 9110 §5.6.2, not empty. */
bool http_is_token(struct str s);
/** A header's value: no control character but tab. */
bool http_is_value(struct str s);

#endif
