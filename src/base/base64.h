/** base/base64.h: base64 with padding (RFC 4648 §4). Any thread. */
#ifndef VA_BASE_BASE64_H
#define VA_BASE_BASE64_H

#include "base/err.h"

#include <stdint.h>

/** Characters that `n` bytes become, no NUL. */
static inline size_t base64_encoded_len(size_t n)
{
    return (n + 2) / 3 * 4;
}

/** Most bytes that `n` characters become. */
static inline size_t base64_decoded_max(size_t n)
{
    return n / 4 * 3 + 3;
}

/** `out` holds base64_encoded_len(n) characters; no NUL is written. @return that number */
size_t base64_encode(const void *in, size_t n, char *out);

/**
 * Strict: the alphabet only, no blanks. The padding may be missing, but not be wrong.
 *
 * @param in   May be NULL when n is 0
 * @param out  At least base64_decoded_max(n) bytes; may be changed also on failure
 * @return VA_OK, VA_EINVAL
 */
VA_CHECK enum va_err base64_decode(const char *in, size_t n, uint8_t *out, size_t *ret_len);

#endif
