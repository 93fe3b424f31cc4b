#include "net/tls_int.h"
#include "base/str.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_TEXT = 256, NAMES_TEXT = 160 };

struct tls_conn {
    const struct tls_ctx *ctx;
    SSL *ssl;
    const char *host; /* NULL: server */
    uint16_t port;
    const char *in; /* what is left of tls_conn_input() */
    size_t in_len;
    tls_emit_h *emit;
    void *emit_arg;
    enum va_err emit_err;   /* why emit failed */
    char names[NAMES_TEXT]; /* of a certificate of another host */
};

/* ---- between OpenSSL and the socket: no buffer of our own ----------------------------------- */

static int bio_read(BIO *bio, char *p, size_t cap, size_t *ret_len)
{
    struct tls_conn *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!t->in_len) {
        BIO_set_retry_read(bio);
        return 0;
    }
    size_t n = t->in_len < cap ? t->in_len : cap;
    memcpy(p, t->in, n);
    t->in += n;
    t->in_len -= n;
    *ret_len = n;
    return 1;
}

static int bio_write(BIO *bio, const char *p, size_t len, size_t *ret_len)
{
    struct tls_conn *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    enum va_err err = t->emit(t->emit_arg, p, len);
    if (err) {
        t->emit_err = err;
        return 0;
    }
    *ret_len = len;
    return 1;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    (void)bio;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;

static void make_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    if (m && BIO_meth_set_read_ex(m, bio_read) && BIO_meth_set_write_ex(m, bio_write) &&
        BIO_meth_set_ctrl(m, bio_ctrl))
        method = m;
    else
        BIO_meth_free(m);
}

static BIO *bio_make(struct tls_conn *t)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_method);
    BIO *bio = method ? BIO_new(method) : NULL;
    if (!bio)
        return NULL;
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    return bio;
}

/* ---- whose certificate ---------------------------------------------------------------------- */

/* The names in a certificate of another host, for the error's text. They are the peer's words. */
static void keep_names(struct tls_conn *t, X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    size_t len = 0;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS)
            continue;
        struct str s = {(const char *)ASN1_STRING_get0_data(name->d.dNSName),
                        (size_t)ASN1_STRING_length(name->d.dNSName)};
        if (len + s.len + 3 > sizeof(t->names))
            break;
        if (len)
            len += (size_t)snprintf(t->names + len, sizeof(t->names) - len, ", ");
        for (size_t k = 0; k < s.len; k++)
            t->names[len++] = s.p[k] > ' ' && s.p[k] < 127 ? s.p[k] : '?';
        t->names[len] = 0;
    }
    GENERAL_NAMES_free(names);
}

static int on_verify(int ok, X509_STORE_CTX *store)
{
    if (ok)
        return 1;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    int err = X509_STORE_CTX_get_error(store);
    X509 *cert = X509_STORE_CTX_get0_cert(store);
    if (cert && (err == X509_V_ERR_HOSTNAME_MISMATCH || err == X509_V_ERR_IP_ADDRESS_MISMATCH))
        keep_names(SSL_get_app_data(ssl), cert);
    return 0;
}

/* A name without the dot that ends a full one: neither certificates nor SNI have it. */
static bool plain_name(const char *host, char out[static NAME_TEXT])
{
    struct str s = str_of(host);
    if (s.len && s.p[s.len - 1] == '.')
        s.len--;
    return s.len && str_copy(out, NAME_TEXT, s);
}

static enum va_err expect(struct tls_conn *t)
{
    char name[NAME_TEXT];
    X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
    if (!plain_name(t->host, name))
        return VA_EINVAL;
    if (SSL_CTX_get_verify_mode(t->ctx->ssl) != SSL_VERIFY_NONE)
        SSL_set_verify(t->ssl, SSL_VERIFY_PEER, on_verify);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1)
        return VA_OK;
    ERR_clear_error();
    if (!SSL_set1_host(t->ssl, name) || !SSL_set_tlsext_host_name(t->ssl, name))
        return VA_ENOMEM;
    return VA_OK;
}

/* ---- life ----------------------------------------------------------------------------------- */

int tls_conn_on_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_conn *t = SSL_get_app_data(ssl);
    tls_sessions_put(t->ctx->sessions, t->host, t->port, session);
    return 0; /* the reference stays OpenSSL's */
}

static enum va_err start_client(struct tls_conn *t)
{
    static const unsigned char alpn[] = "\x08http/1.1"; /* all that is spoken inside so far */
    enum va_err err = expect(t);
    if (err)
        return err;
    if (SSL_set_alpn_protos(t->ssl, alpn, sizeof(alpn) - 1))
        return VA_ENOMEM;
    SSL_SESSION *session = tls_sessions_get(t->ctx->sessions, t->host, t->port);
    if (session)
        (void)SSL_set_session(t->ssl, session);
    SSL_SESSION_free(session);
    SSL_set_connect_state(t->ssl);
    return VA_OK;
}

static enum va_err start(struct tls_conn *t)
{
    t->ssl = SSL_new(t->ctx->ssl);
    BIO *bio = t->ssl ? bio_make(t) : NULL;
    if (!bio)
        return VA_ENOMEM;
    SSL_set_bio(t->ssl, bio, bio);
    (void)SSL_set_app_data(t->ssl, t);
    if (t->ctx->side == TLS_CLIENT)
        return start_client(t);
    SSL_set_accept_state(t->ssl);
    return VA_OK;
}

enum va_err tls_conn_new(const struct tls_ctx *ctx, const char *host, uint16_t port,
                         tls_emit_h *emit, void *arg, struct tls_conn **ret_conn)
{
    struct tls_conn *t = calloc(1, sizeof(*t));
    if (!t)
        return VA_ENOMEM;
    t->ctx = ctx;
    t->host = host;
    t->port = port;
    t->emit = emit;
    t->emit_arg = arg;
    enum va_err err = start(t);
    ERR_clear_error();
    if (err) {
        tls_conn_free(&t);
        return err;
    }
    *ret_conn = t;
    return VA_OK;
}

void tls_conn_free(struct tls_conn **pt)
{
    struct tls_conn *t = pt ? *pt : NULL;
    if (!t)
        return;
    *pt = NULL;
    SSL_free(t->ssl);
    free(t);
}

/* ---- bytes ---------------------------------------------------------------------------------- */

void tls_conn_input(struct tls_conn *t, const char *p, size_t len)
{
    t->in = p;
    t->in_len = len;
}

bool tls_conn_has_input(const struct tls_conn *t)
{
    return t->in_len || SSL_has_pending(t->ssl);
}

/* What others left in the thread's queue would be taken for ours. Mostly there is nothing. */
static void forget_errors(void)
{
    if (ERR_peek_error())
        ERR_clear_error();
}

enum va_err tls_conn_handshake(struct tls_conn *t, struct va_fault *fault)
{
    forget_errors();
    int done = SSL_do_handshake(t->ssl);
    if (done == 1)
        return VA_OK;
    if (SSL_get_error(t->ssl, done) == SSL_ERROR_WANT_READ)
        return VA_EAGAIN;
    if (t->emit_err)
        return va_fault_set(fault, t->emit_err, "TLS: %s", va_err_text(t->emit_err));
    return tls_fault_handshake(t->ctx, t->ssl, t->host, t->port, t->names, fault);
}

enum va_err tls_conn_read(struct tls_conn *t, char *p, size_t cap, size_t *ret_len,
                          struct va_fault *fault)
{
    forget_errors();
    int done = SSL_read_ex(t->ssl, p, cap, ret_len);
    if (done)
        return VA_OK;
    int why = SSL_get_error(t->ssl, done);
    if (why == SSL_ERROR_WANT_READ)
        return VA_EAGAIN;
    if (why == SSL_ERROR_ZERO_RETURN)
        return va_fault_set(fault, VA_ECLOSED, "the peer closed the connection");
    unsigned long code = ERR_get_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    forget_errors();
    return va_fault_set(fault, VA_EPROTO, "TLS is broken: %s", text ? text : "unknown error");
}

enum va_err tls_conn_write(struct tls_conn *t, const void *p, size_t len)
{
    size_t written = 0;
    forget_errors();
    if (SSL_write_ex(t->ssl, p, len, &written) && written == len)
        return VA_OK;
    forget_errors();
    return t->emit_err ? t->emit_err : VA_EPROTO;
}

void tls_conn_end(struct tls_conn *t)
{
    forget_errors();
    if (SSL_is_init_finished(t->ssl))
        (void)SSL_shutdown(t->ssl);
    forget_errors();
}

bool tls_conn_resumed(const struct tls_conn *t)
{
    return SSL_session_reused(t->ssl);
}
