/**
 * leg/sdes.h: keys of SRTP as SDP carries them (RFC 4568):
 *
 *     a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20
 *
 * Pure functions; what is read is hostile. A key never goes into a log. Any thread.
 */
#ifndef VA_LEG_SDES_H
#define VA_LEG_SDES_H

#include "base/str.h"

enum {
    SDES_KEY_BYTES = 30, /**< master key and salt of AES_CM_128 (RFC 4568 §6.2) */
    SDES_TAG_MAX = 999999999,
    SDES_LINE = 128 /**< what sdes_format() writes, at most, with its NUL */
};

enum sdes_suite { SDES_NONE, SDES_AES_CM_128_SHA1_80, SDES_AES_CM_128_SHA1_32 };

struct sdes_crypto {
    enum sdes_suite suite; /**< SDES_NONE: no SRTP; the rest means nothing */
    uint32_t tag;          /**< 0 … SDES_TAG_MAX; an answer repeats the offer's */
    uint8_t key[SDES_KEY_BYTES];
};

/**
 * @param value  Behind "a=crypto:"
 * @return VA_OK, VA_EPROTO (not such a line), VA_ENOTSUP (another suite; MKI; several keys; session
 *         parameters that change what is protected: take the next line)
 */
VA_CHECK enum va_err sdes_parse(struct str value, struct sdes_crypto *ret_crypto);
/** Write the part behind "a=crypto:", terminated. @return VA_OK, VA_EINVAL, VA_ELIMIT (room) */
VA_CHECK enum va_err sdes_format(const struct sdes_crypto *crypto, char *out, size_t room);
/** A fresh random key. */
void sdes_make(enum sdes_suite suite, uint32_t tag, struct sdes_crypto *ret_crypto);
/** Overwrite a key that is no longer needed. */
void sdes_wipe(struct sdes_crypto *crypto);
const char *sdes_suite_name(enum sdes_suite suite);

#endif
