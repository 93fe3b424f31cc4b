#include "net/tls_int.h"
#include "base/str.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

/* Why OpenSSL did not like a file. Only the first error says so; the others are its consequences.
 */
static const char *openssl_says(void)
{
    unsigned long code = ERR_get_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return text ? text : "unknown error";
}

static enum va_err ctx_make(enum tls_side side, struct tls_ctx **ret_ctx)
{
    struct tls_ctx *c = calloc(1, sizeof(*c));
    if (!c)
        return VA_ENOMEM;
    c->side = side;
    c->ssl = SSL_CTX_new(side == TLS_CLIENT ? TLS_client_method() : TLS_server_method());
    if (!c->ssl || !SSL_CTX_set_min_proto_version(c->ssl, TLS1_2_VERSION)) {
        ERR_clear_error();
        tls_ctx_free(&c);
        return VA_ENOMEM;
    }
    /* A peer that just closes is told apart from one that says so by the protocol inside. */
    (void)SSL_CTX_set_options(c->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_mode(c->ssl, SSL_MODE_RELEASE_BUFFERS);
    *ret_ctx = c;
    return VA_OK;
}

/* ---- client --------------------------------------------------------------------------------- */

static enum va_err trust(struct tls_ctx *c, const struct tls_client_cfg *cfg,
                         struct va_fault *fault)
{
    SSL_CTX_set_verify(c->ssl, cfg->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (cfg->insecure)
        return VA_OK;
    if (SSL_CTX_set_default_verify_paths(c->ssl) != 1)
        return va_fault_set(fault, VA_EIO,
                            "the system's certificate authorities cannot be read: %s; install the "
                            "package ca-certificates",
                            openssl_says());
    if (cfg->ca_file && SSL_CTX_load_verify_file(c->ssl, cfg->ca_file) != 1)
        return va_fault_set(fault, VA_ECONFIG,
                            "certificate authorities %s: %s; a readable PEM file is needed",
                            cfg->ca_file, openssl_says());
    ERR_clear_error(); /* some authorities of the system may be unreadable: not our matter */
    return VA_OK;
}

enum va_err tls_client_ctx_new(const struct tls_client_cfg *cfg, struct tls_ctx **ret_ctx,
                               struct va_fault *fault)
{
    static const struct tls_client_cfg defaults;
    struct tls_ctx *c = NULL;
    cfg = cfg ? cfg : &defaults;
    enum va_err err = ctx_make(TLS_CLIENT, &c);
    if (!err)
        err = tls_sessions_new(&c->sessions);
    if (!err && cfg->ca_setting && !(c->ca_setting = str_dup(str_of(cfg->ca_setting))))
        err = VA_ENOMEM;
    if (err) {
        tls_ctx_free(&c);
        return va_fault_set(fault, err, "TLS: out of memory");
    }
    err = trust(c, cfg, fault);
    if (err) {
        tls_ctx_free(&c);
        return err;
    }
    (void)SSL_CTX_set_session_cache_mode(c->ssl,
                                         SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(c->ssl, tls_conn_on_session);
    *ret_ctx = c;
    return VA_OK;
}

enum va_err tls_client_ctx_default(const struct tls_ctx **ret_ctx, struct va_fault *fault)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct tls_ctx *made;
    enum va_err err = VA_OK;
    (void)pthread_mutex_lock(&lock);
    if (!made)
        err = tls_client_ctx_new(NULL, &made, fault);
    if (!err)
        *ret_ctx = made;
    (void)pthread_mutex_unlock(&lock);
    return err;
}

/* ---- server --------------------------------------------------------------------------------- */

/* OpenSSL would ask the terminal. */
static int no_password(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return 0;
}

static enum va_err identify(struct tls_ctx *c, const char *cert_file, const char *key_file,
                            struct va_fault *fault)
{
    SSL_CTX_set_default_passwd_cb(c->ssl, no_password);
    if (SSL_CTX_use_certificate_chain_file(c->ssl, cert_file) != 1)
        return va_fault_set(fault, VA_ECONFIG, "certificate %s: %s; a readable PEM file is needed",
                            cert_file, openssl_says());
    if (SSL_CTX_use_PrivateKey_file(c->ssl, key_file, SSL_FILETYPE_PEM) != 1)
        return va_fault_set(fault, VA_ECONFIG,
                            "private key %s: %s; a readable PEM file without password is needed, "
                            "and it must be the key of %s",
                            key_file, openssl_says(), cert_file);
    return VA_OK;
}

enum va_err tls_server_ctx_new(const char *cert_file, const char *key_file,
                               struct tls_ctx **ret_ctx, struct va_fault *fault)
{
    static const unsigned char id[] = "voice-ai";
    struct tls_ctx *c = NULL;
    enum va_err err = ctx_make(TLS_SERVER, &c);
    if (err)
        return va_fault_set(fault, err, "TLS: out of memory");
    err = identify(c, cert_file, key_file, fault);
    if (err) {
        tls_ctx_free(&c);
        return err;
    }
    /* Resumption is by tickets: nothing is kept here for clients that may never come back. */
    (void)SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_session_id_context(c->ssl, id, sizeof(id) - 1);
    (void)SSL_CTX_set_num_tickets(c->ssl, 1);
    *ret_ctx = c;
    return VA_OK;
}

void tls_ctx_free(struct tls_ctx **pc)
{
    struct tls_ctx *c = pc ? *pc : NULL;
    if (!c)
        return;
    *pc = NULL;
    SSL_CTX_free(c->ssl);
    tls_sessions_free(&c->sessions);
    free(c->ca_setting);
    free(c);
}
