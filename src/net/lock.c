/* Of thread.c's, what the Event Socket library needs, too. */
#include "net/loop.h"

#include <pthread.h>

enum va_err thread_lock_init(uv_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    if (pthread_mutexattr_init(&attr))
        return VA_ENOMEM;
    int status = pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
    if (!status)
        status = pthread_mutex_init(lock, &attr);
    (void)pthread_mutexattr_destroy(&attr);
    return status ? VA_ENOMEM : VA_OK;
}
