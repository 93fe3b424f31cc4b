#include "base/rand.h"

#include <stdio.h>
#include <sys/random.h>
#include <sys/types.h>

void rand_bytes(void *p, size_t len)
{
    unsigned char *at = p;
    while (len) {
        ssize_t n = getrandom(at, len, 0);
        if (n <= 0)
            continue; /* EINTR only: the flags ask to wait for entropy */
        at += n;
        len -= (size_t)n;
    }
}

uint32_t rand_below(uint32_t n)
{
    uint32_t x = 0;
    rand_bytes(&x, sizeof(x));
    return (uint32_t)(((uint64_t)x * n) >> 32);
}

void rand_uuid(char out[static UUID_TEXT])
{
    unsigned char b[16];
    rand_bytes(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    (void)snprintf(out, UUID_TEXT,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}
