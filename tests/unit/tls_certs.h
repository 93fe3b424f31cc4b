/** tests/unit/tls_certs.h: certificates made on the spot, as PEM files in a folder of their own. */
#ifndef VA_TLS_CERTS_H
#define VA_TLS_CERTS_H

#include "unit/unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct cert {
    X509 *x509;
    EVP_PKEY *key;
    char cert_file[64], key_file[64];
};

struct cert_want {
    const char *name; /* of the files, and common name */
    const char *san;  /* "DNS:localhost,IP:127.0.0.1"; NULL: none */
    bool ca;
    int from_day, to_day; /* validity, days from now */
};

static char certs_dir[32];

static inline void cert_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

static inline void cert_write(struct cert *c, const char *name)
{
    if (!certs_dir[0]) {
        (void)snprintf(certs_dir, sizeof(certs_dir), "/tmp/certs-XXXXXX");
        assert_non_null(mkdtemp(certs_dir));
    }
    (void)snprintf(c->cert_file, sizeof(c->cert_file), "%s/%s.pem", certs_dir, name);
    (void)snprintf(c->key_file, sizeof(c->key_file), "%s/%s.key", certs_dir, name);
    FILE *f = fopen(c->cert_file, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, c->x509), 1);
    (void)fclose(f);
    f = fopen(c->key_file, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, c->key, NULL, NULL, 0, NULL, NULL), 1);
    (void)fclose(f);
}

/* @param issuer  NULL: signed by itself */
static inline struct cert cert_make(const struct cert_want *want, const struct cert *issuer)
{
    static long serial = 1;
    struct cert c = {X509_new(), EVP_EC_gen("P-256"), "", ""};
    X509_NAME *name = X509_get_subject_name(c.x509);
    (void)X509_set_version(c.x509, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(c.x509), serial++);
    (void)X509_gmtime_adj(X509_getm_notBefore(c.x509), 86400L * want->from_day);
    (void)X509_gmtime_adj(X509_getm_notAfter(c.x509), 86400L * want->to_day);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)want->name,
                                     -1, -1, 0);
    (void)X509_set_issuer_name(c.x509, issuer ? X509_get_subject_name(issuer->x509) : name);
    (void)X509_set_pubkey(c.x509, c.key);
    X509 *by = issuer ? issuer->x509 : c.x509;
    cert_extension(c.x509, by, NID_basic_constraints, want->ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (want->san)
        cert_extension(c.x509, by, NID_subject_alt_name, want->san);
    assert_true(X509_sign(c.x509, issuer ? issuer->key : c.key, EVP_sha256()) > 0);
    cert_write(&c, want->name);
    return c;
}

static inline void cert_free(struct cert *c)
{
    (void)unlink(c->cert_file);
    (void)unlink(c->key_file);
    X509_free(c->x509);
    EVP_PKEY_free(c->key);
}

/* After the last cert_free(). */
static inline void certs_remove(void)
{
    (void)rmdir(certs_dir);
    certs_dir[0] = 0;
}

#endif
