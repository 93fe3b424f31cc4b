/**
 * ai/attendant/attendant.h: the embedded agent. Needs no network and no key: speaks with espeak-ng,
 * understands digits and the phrases of its secretary (pocketsphinx, grammar mode).
 */
#ifndef VA_AI_ATTENDANT_H
#define VA_AI_ATTENDANT_H

#include "ai/provider.h"

extern const struct provider_ops provider_attendant;

/**
 * Speak what a secretary says most into the cache of the voice and compile its grammar, in the
 * background, so that the first caller waits for nothing. On the loop's thread.
 *
 * @param on_done  Once, when the last text is spoken or failed; never from inside
 */
VA_CHECK enum va_err attendant_warm(const struct provider_env *env, struct loop *loop,
                                    const struct secretary *secretary, int rate_hz,
                                    void (*on_done)(void *arg), void *arg);

#endif
