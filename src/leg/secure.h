/**
 * leg/secure.h: SRTP and SRTCP of one stream, both ways (RFC 3711), by libsrtp2. One thread per
 * object.
 */
#ifndef VA_LEG_SECURE_H
#define VA_LEG_SECURE_H

#include "leg/sdes.h"

enum {
    SECURE_GROWTH = 148,      /**< room behind a packet that protecting it may need [bytes] */
    SECURE_REPORT_MAX = 1648, /**< longest SRTCP of which a short tag is understood [bytes] */
    SECURE_WITHHELD_MAX = 2,  /**< reports not sent while it is open how the far end wants them */
    SECURE_SENDERS_MAX = 8,   /**< SSRCs of the far end whose numbers are remembered */
};

struct secure;

/** What became of a packet. */
enum secure_verdict { SECURE_OK, SECURE_FORGED, SECURE_REPLAYED };

/** @return VA_OK, VA_EINVAL (a key without suite), VA_ENOMEM, VA_ENOTSUP (libsrtp has not the
 *          suite, or does not start) */
VA_CHECK enum va_err secure_new(const struct sdes_crypto *send_key,
                                const struct sdes_crypto *receive_key, struct secure **ret_secure);
void secure_free(struct secure **secure);

/** In place; `p` has SECURE_GROWTH bytes of room behind len.
 *  @return new length; 0: failed, or a report that is withheld: SECURE_WITHHELD_MAX of them */
size_t secure_seal(struct secure *s, bool rtcp, void *p, size_t len);
/** In place, 4-byte aligned. What is forged is left in no particular state. */
enum secure_verdict secure_open(struct secure *s, bool rtcp, void *p, size_t len, size_t *ret_len);

/** Send reports as FreeSWITCH does, from the first one on; for tests. Only under _32. */
void secure_shorten(struct secure *s);

#endif
