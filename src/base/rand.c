#include "base/rand.h"

#include <pthread.h>
#include <string.h>
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

/* Random bytes for uuids and masks, fetched in bulk: a system call for each would cost more than
 * the request it names. A forked child must not repeat its parent's, so it starts without any. */
static _Thread_local struct {
    unsigned char bytes[1024];
    size_t left;
} pool;

static void forget_pool(void)
{
    pool.left = 0;
}

static void watch_fork(void)
{
    (void)pthread_atfork(NULL, NULL, forget_pool);
}

static void pool_take(unsigned char *p, size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (pool.left < len) {
        (void)pthread_once(&once, watch_fork);
        rand_bytes(pool.bytes, sizeof(pool.bytes));
        pool.left = sizeof(pool.bytes);
    }
    pool.left -= len;
    memcpy(p, pool.bytes + pool.left, len);
}

uint32_t rand_u32(void)
{
    uint32_t x = 0;
    pool_take((unsigned char *)&x, sizeof(x));
    return x;
}

static const char digit[] = "0123456789abcdef";

void rand_hex(char *out, size_t cap)
{
    rand_bytes(out, cap);
    for (size_t i = 0; i < cap - 1; i++)
        out[i] = digit[(unsigned char)out[i] & 15]; /* half of each byte is used */
    out[cap - 1] = 0;
}

void rand_uuid(char out[static UUID_TEXT])
{
    unsigned char b[16];
    pool_take(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    char *at = out;
    for (size_t i = 0; i < sizeof(b); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digit[b[i] >> 4];
        *at++ = digit[b[i] & 15];
    }
    *at = 0;
}
