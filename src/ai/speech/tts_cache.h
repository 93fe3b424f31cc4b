/**
 * ai/speech/tts_cache.h: what was spoken, by voice, rate and text; bounded by bytes, the least
 * recently used goes first. One thread.
 */
#ifndef VA_AI_SPEECH_TTS_CACHE_H
#define VA_AI_SPEECH_TTS_CACHE_H

#include "media/pcm.h"

struct tts_cache;

VA_CHECK enum va_err tts_cache_new(size_t max_bytes, struct tts_cache **ret_cache);
/** NULL-safe. */
void tts_cache_free(struct tts_cache **cache);
/** One reference for the caller, or NULL. */
struct pcm *tts_cache_get(struct tts_cache *cache, const char *key);
/** Keep it (a reference of its own). What is larger than the cache is not kept. */
void tts_cache_put(struct tts_cache *cache, const char *key, struct pcm *speech);
size_t tts_cache_bytes(const struct tts_cache *cache);

#endif
