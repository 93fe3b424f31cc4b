/**
 * net/tls.h: TLS settings shared by many connections (OpenSSL 3, TLS 1.2 and newer). A context is
 * made once, is read-only afterwards and may be used by all threads; its sessions are kept, so that
 * the next connection to the same host is resumed.
 */
#ifndef VA_NET_TLS_H
#define VA_NET_TLS_H

#include "base/err.h"

struct tls_ctx;

struct tls_client_cfg {
    const char *ca_file; /**< PEM of the authorities to trust besides the system's; NULL: these */
    bool insecure;       /**< accept any certificate: for a lab, said in the log by its user */
    const char *ca_setting; /**< name of the setting that gives ca_file, for the texts of errors;
                             *   NULL: they name none */
};

/**
 * For connections we make: the peer's certificate must be valid, in time, and of its host.
 *
 * @param cfg    NULL: all defaults
 * @param fault  Names the file and what is wrong with it
 */
VA_CHECK enum va_err tls_client_ctx_new(const struct tls_client_cfg *cfg, struct tls_ctx **ret_ctx,
                                        struct va_fault *fault);
/**
 * The context of all defaults, made by the first call (reading the system's authorities takes about
 * 20 ms: call it at start). Any thread; it lives as long as the program.
 */
VA_CHECK enum va_err tls_client_ctx_default(const struct tls_ctx **ret_ctx, struct va_fault *fault);
/** For connections we accept. PEM files; the certificate's may hold its chain. */
VA_CHECK enum va_err tls_server_ctx_new(const char *cert_file, const char *key_file,
                                        struct tls_ctx **ret_ctx, struct va_fault *fault);
/** All connections of it are gone. NULL-safe. */
void tls_ctx_free(struct tls_ctx **ctx);

#endif
