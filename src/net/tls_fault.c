/* Why a TLS handshake failed, in words that say what to do. */
#include "net/tls_int.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>

enum { HINT_TEXT = 160 };

/* How to make an authority known, if the user has a way. */
static void hint(const struct tls_ctx *ctx, char out[static HINT_TEXT])
{
    if (ctx->ca_setting)
        (void)snprintf(out, HINT_TEXT,
                       "if it is a server of your own, give its authority's PEM file in %s",
                       ctx->ca_setting);
    else
        (void)snprintf(out, HINT_TEXT,
                       "its authority must be among this system's "
                       "(update-ca-certificates)");
}

static enum va_err certificate(const struct tls_ctx *ctx, long verify, const char *host,
                               uint16_t port, const char *names, struct va_fault *fault)
{
    char how[HINT_TEXT];
    hint(ctx, how);
    switch (verify) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return va_fault_set(fault, VA_EAUTH,
                            "the certificate of %s:%u is of another host (%s); check the name in "
                            "the URL, or whether something stands in between",
                            host, port, names[0] ? names : "it names none");
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return va_fault_set(fault, VA_EAUTH,
                            "the certificate of %s:%u has expired; renew it there, or set this "
                            "machine's clock if that is wrong",
                            host, port);
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return va_fault_set(fault, VA_EAUTH,
                            "the certificate of %s:%u is not valid yet; set this machine's clock",
                            host, port);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return va_fault_set(fault, VA_EAUTH,
                            "the certificate of %s:%u is self-signed and nobody vouches for it; %s",
                            host, port, how);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return va_fault_set(fault, VA_EAUTH,
                            "the certificate of %s:%u is from an authority unknown here, or the "
                            "server does not send its chain; %s",
                            host, port, how);
    default:
        return va_fault_set(fault, VA_EAUTH, "the certificate of %s:%u is refused: %s", host, port,
                            X509_verify_cert_error_string(verify));
    }
}

static bool not_tls(int reason)
{
    return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
           reason == SSL_R_HTTPS_PROXY_REQUEST || reason == SSL_R_UNEXPECTED_MESSAGE ||
           reason == SSL_R_BAD_RECORD_TYPE || reason == SSL_R_RECORD_LENGTH_MISMATCH ||
           reason == SSL_R_PACKET_LENGTH_TOO_LONG || reason == SSL_R_UNKNOWN_PROTOCOL;
}

enum va_err tls_fault_handshake(const struct tls_ctx *ctx, SSL *ssl, const char *host,
                                uint16_t port, const char *names, struct va_fault *fault)
{
    unsigned long code = ERR_get_error();
    int reason = ERR_GET_REASON(code);
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    text = text ? text : "the connection broke";
    if (ctx->side == TLS_SERVER)
        return va_fault_set(fault, VA_EPROTO, "TLS handshake: %s%s", text,
                            not_tls(reason) ? "; the client does not speak TLS on this port" : "");
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return certificate(ctx, SSL_get_verify_result(ssl), host, port, names, fault);
    if (not_tls(reason))
        return va_fault_set(fault, VA_EPROTO,
                            "%s:%u does not speak TLS (%s); check the port, or use a URL without "
                            "TLS (ws://)",
                            host, port, text);
    return va_fault_set(fault, VA_EPROTO, "TLS handshake with %s:%u failed: %s", host, port, text);
}
