/** base/rand.h: identifiers and jitter. Any thread. */
#ifndef VA_BASE_RAND_H
#define VA_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

enum { UUID_TEXT = 37 };

/** Bytes of the kernel's generator; never fails (falls back to blocking until it can serve). */
void rand_bytes(void *p, size_t len);
/** 32 random bits, as unforeseeable as rand_bytes() and cheap: fetched in bulk for each thread. */
uint32_t rand_u32(void);
/** Uniform in [0, n), n > 0. */
uint32_t rand_below(uint32_t n);
/** cap - 1 random digits of base 16, lower case, terminated: 4 bits of the kernel's generator each.
 *  For tokens that nobody may guess. cap > 0 */
void rand_hex(char *out, size_t cap);
/** Random UUID version 4, lower case, terminated (RFC 9562 §5.4). */
void rand_uuid(char out[static UUID_TEXT]);

#endif
