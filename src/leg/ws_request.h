/**
 * leg/ws_request.h: what a request to the WebSocket port asks for. Pure functions over bytes that
 * anybody may have sent.
 */
#ifndef VA_LEG_WS_REQUEST_H
#define VA_LEG_WS_REQUEST_H

#include "leg/ws_hub.h"

/** Slices of the head; empty when not there. */
struct ws_ask {
    struct str path, query; /**< still encoded */
    struct str host, origin;
    struct str bearer; /**< of Authorization or X-Auth-Token */
};

/**
 * Read a head.
 *
 * @param head       As long as http_head_length() says
 * @param ret_fault  One line for the body of an error
 * @return 0, or the HTTP status to refuse it with
 */
VA_CHECK int ws_request_read(struct str head, struct ws_ask *ret, const char **ret_fault);

enum ws_path_kind {
    WS_PATH_STREAM, /**< /stream/{secretary}/{call}[/{caller}] */
    WS_PATH_CALL    /**< /call/{token} */
};
struct ws_path {
    enum ws_path_kind kind;
    char token[WS_TOKEN_TEXT];     /**< of WS_PATH_CALL */
    struct ws_stream_facts stream; /**< of WS_PATH_STREAM; addresses are not set */
};
/** Path and query (format hints). @return 0, 400 (malformed), 404 (no such path) */
VA_CHECK int ws_path_read(struct str path, struct str query, struct ws_path *ret,
                          const char **ret_fault);

/** Who may in. */
struct ws_gate {
    struct str token;    /**< WS_TOKEN; empty: none */
    bool loopback;       /**< the port is bound to a loopback address */
    struct str own_host; /**< host of WS_ADVERTISE_URL; may be empty */
};
/** Is the request for `/stream/` allowed? @return 0, 401, 403 */
VA_CHECK int ws_gate_check(const struct ws_gate *gate, const struct ws_ask *ask,
                           const char **ret_fault);

/**
 * Undo percent-encoding.
 *
 * @param out  Terminated
 * @return VA_OK, VA_EINVAL (bad escape; control byte, NUL included), VA_ELIMIT (longer than cap−1)
 */
VA_CHECK enum va_err ws_percent_decode(struct str s, char *out, size_t cap);
/** Value of a parameter of a query, still encoded; p is NULL when there is none. */
struct str ws_query_get(struct str query, const char *name);

#endif
