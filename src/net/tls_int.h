/** net/tls_int.h: inside of TLS: what a context holds, and one connection. For tls*.c and stream.c.
 */
#ifndef VA_NET_TLS_INT_H
#define VA_NET_TLS_INT_H

#include "net/tls.h"

#include <openssl/ssl.h>
#include <stdint.h>

enum tls_side { TLS_CLIENT, TLS_SERVER };

struct tls_sessions;

struct tls_ctx {
    enum tls_side side;
    SSL_CTX *ssl;
    struct tls_sessions *sessions; /* client; locked by itself */
    char *ca_setting;              /* may be NULL */
};

/* ---- sessions: what a host gave us for a shorter handshake next time ------------------------- */

enum { TLS_SESSIONS_MAX = 64 /**< hosts; over it the one unused for longest goes */ };

VA_CHECK enum va_err tls_sessions_new(struct tls_sessions **ret_sessions);
void tls_sessions_free(struct tls_sessions **s);
/** Any thread. Keeps a reference of its own; silently not, when memory is short. */
void tls_sessions_put(struct tls_sessions *s, const char *host, uint16_t port,
                      SSL_SESSION *session);
/** Any thread. @return to be freed with SSL_SESSION_free(), or NULL */
SSL_SESSION *tls_sessions_get(struct tls_sessions *s, const char *host, uint16_t port);

/* ---- one connection ------------------------------------------------------------------------- */

struct tls_conn;

/** Bytes for the socket; called from inside the functions below. */
typedef enum va_err(tls_emit_h)(void *arg, const void *p, size_t len);

enum {
    TLS_RECORD = 16384,     /**< plain bytes of one record at most */
    TLS_RECORD_EXTRA = 512, /**< what encryption adds to it at most, and a close_notify */
};

/**
 * @param host  Whose certificate it must be (name or IP address); borrowed until tls_conn_free().
 *              Server: NULL
 * @return VA_OK, VA_EINVAL (host), VA_ENOMEM
 */
VA_CHECK enum va_err tls_conn_new(const struct tls_ctx *ctx, const char *host, uint16_t port,
                                  tls_emit_h *emit, void *arg, struct tls_conn **ret_conn);
void tls_conn_free(struct tls_conn **t);

/** Bytes from the socket; borrowed until the functions below say VA_EAGAIN. */
void tls_conn_input(struct tls_conn *t, const char *p, size_t len);
/** Whether tls_conn_read() has anything to look at: asking it in vain costs as much as a record. */
bool tls_conn_has_input(const struct tls_conn *t);
/**
 * Go on with the handshake.
 *
 * @return VA_OK (it stands), VA_EAGAIN (needs more input), VA_EAUTH (certificate), VA_EPROTO,
 * VA_EIO
 */
VA_CHECK enum va_err tls_conn_handshake(struct tls_conn *t, struct va_fault *fault);
/** @return VA_OK, VA_EAGAIN (needs more input), VA_ECLOSED (the peer's end of data), VA_EPROTO */
VA_CHECK enum va_err tls_conn_read(struct tls_conn *t, char *p, size_t cap, size_t *ret_len,
                                   struct va_fault *fault);
/** All of it, len > 0. @return VA_OK, or the connection is broken: emit's error, VA_EPROTO */
VA_CHECK enum va_err tls_conn_write(struct tls_conn *t, const void *p, size_t len);
/** The end of what we send (close_notify). Errors do not matter any more. */
void tls_conn_end(struct tls_conn *t);
bool tls_conn_resumed(const struct tls_conn *t);

/** OpenSSL's call for a new session of a client. */
int tls_conn_on_session(SSL *ssl, SSL_SESSION *session);

/** Read the reason of a failure out of OpenSSL (tls_fault.c). `names`: of a wrong certificate. */
enum va_err tls_fault_handshake(const struct tls_ctx *ctx, SSL *ssl, const char *host,
                                uint16_t port, const char *names, struct va_fault *fault);

#endif
