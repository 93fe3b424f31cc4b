/*  tag SP suite SP "inline:" base64(key ‖ salt) ["|" lifetime] ["|" MKI ":" length] *(SP param)
 *  (RFC 4568 §9.2) */
#include "leg/sdes.h"
#include "base/base64.h"
#include "base/rand.h"

#include <stdio.h>

enum { KEY_TEXT = SDES_KEY_BYTES / 3 * 4 /* 30 bytes need no padding */ };

static const char *const suites[] = {
    [SDES_NONE] = "none",
    [SDES_AES_CM_128_SHA1_80] = "AES_CM_128_HMAC_SHA1_80",
    [SDES_AES_CM_128_SHA1_32] = "AES_CM_128_HMAC_SHA1_32",
};

const char *sdes_suite_name(enum sdes_suite suite)
{
    return suite <= SDES_AES_CM_128_SHA1_32 ? suites[suite] : suites[SDES_NONE];
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool read_tag(struct str text, uint32_t *ret_tag)
{
    uint64_t n = 0;
    if (!text.len || text.len > 9 || str_to_u64(text, &n) || n > SDES_TAG_MAX)
        return false;
    *ret_tag = (uint32_t)n;
    return true;
}

static bool read_key(struct str text, uint8_t out[static SDES_KEY_BYTES])
{
    uint8_t key[SDES_KEY_BYTES + 3]; /* base64_decoded_max() */
    size_t len = 0;
    bool good = text.len == KEY_TEXT && base64_decode(text.p, text.len, key, &len) == VA_OK &&
                len == SDES_KEY_BYTES;
    if (good)
        memcpy(out, key, SDES_KEY_BYTES);
    explicit_bzero(key, sizeof(key));
    return good;
}

/* "2^20" or digits. How long the key holds is the far end's business: a call is shorter. */
static bool is_lifetime(struct str text)
{
    uint64_t n = 0;
    if (str_starts(text, "2^")) {
        text.p += 2;
        text.len -= 2;
    }
    return str_to_u64(text, &n) == VA_OK;
}

/* @return VA_OK, VA_EPROTO, VA_ENOTSUP */
static enum va_err read_key_param(struct str text, uint8_t out[static SDES_KEY_BYTES])
{
    static const char method[] = "inline:";
    if (!str_starts(text, method))
        return VA_EPROTO;
    struct str rest = {text.p + sizeof(method) - 1, text.len - (sizeof(method) - 1)};
    if (memchr(rest.p, ';', rest.len))
        return VA_ENOTSUP; /* several keys need an MKI */
    struct str key = str_cut(&rest, '|');
    if (!read_key(key, out))
        return VA_EPROTO;
    while (rest.len) {
        struct str part = str_cut(&rest, '|');
        if (memchr(part.p, ':', part.len))
            return VA_ENOTSUP; /* MKI */
        if (!is_lifetime(part))
            return VA_EPROTO;
    }
    return VA_OK;
}

/* WSH is a hint. All others change what goes over the wire (§6.3). */
static bool only_hints(struct str params)
{
    while (params.len) {
        struct str p = str_cut(&params, ' ');
        if (p.len && !str_starts(p, "WSH="))
            return false;
    }
    return true;
}

enum va_err sdes_parse(struct str value, struct sdes_crypto *ret_crypto)
{
    struct sdes_crypto c = {.suite = SDES_NONE};
    struct str rest = str_trim(value), tag = str_word(&rest), suite = str_word(&rest),
               key = str_word(&rest);
    if (!read_tag(tag, &c.tag) || !suite.len || !key.len)
        return VA_EPROTO;
    for (int i = SDES_AES_CM_128_SHA1_80; i <= SDES_AES_CM_128_SHA1_32; i++)
        if (str_ieqz(suite, suites[i]))
            c.suite = (enum sdes_suite)i;
    if (c.suite == SDES_NONE)
        return VA_ENOTSUP;
    enum va_err err = read_key_param(key, c.key);
    if (!err && !only_hints(rest))
        err = VA_ENOTSUP;
    if (!err)
        *ret_crypto = c;
    sdes_wipe(&c);
    return err;
}

/* ---- writing --------------------------------------------------------------------------------- */

enum va_err sdes_format(const struct sdes_crypto *c, char *out, size_t room)
{
    char key[KEY_TEXT + 1];
    if ((c->suite != SDES_AES_CM_128_SHA1_80 && c->suite != SDES_AES_CM_128_SHA1_32) ||
        c->tag > SDES_TAG_MAX)
        return VA_EINVAL;
    (void)base64_encode(c->key, SDES_KEY_BYTES, key);
    key[KEY_TEXT] = 0;
    int n = snprintf(out, room, "%u %s inline:%s", c->tag, suites[c->suite], key);
    explicit_bzero(key, sizeof(key));
    return n < 0 || (size_t)n >= room ? VA_ELIMIT : VA_OK;
}

void sdes_make(enum sdes_suite suite, uint32_t tag, struct sdes_crypto *ret_crypto)
{
    *ret_crypto = (struct sdes_crypto){.suite = suite, .tag = tag};
    rand_bytes(ret_crypto->key, sizeof(ret_crypto->key));
}

void sdes_wipe(struct sdes_crypto *c)
{
    explicit_bzero(c, sizeof(*c));
}
