/** ai/pipeline/tts_http.h: one sentence as one HTTP request whose answer is its audio: for the
 *  tts_*.c that speak HTTP. */
#ifndef VA_AI_PIPELINE_TTS_HTTP_H
#define VA_AI_PIPELINE_TTS_HTTP_H

#include "ai/pipeline/tts_stage.h"
#include "ai/realtime/format.h"

enum { TTS_AUDIO_MAX = 16 * 1024 * 1024 /* of one sentence [bytes] */ };

/**
 * Ask and decode as it comes. An answer that turns out to be a WAV is decoded as a whole, whatever
 * was asked for.
 *
 * @param format  Of the raw audio
 */
VA_CHECK enum va_err tts_http_say(const struct stage_cfg *cfg, struct http_spec *spec,
                                  struct rt_format format, const struct tts_handlers *h, void *arg,
                                  struct tts_job **ret_job);
void tts_http_cancel(struct tts_job **job);

#endif
