/**
 * leg/ws_audio.h: the bytes of a stream's binary messages as frames of the call, whatever their
 * codec, rate, channels and size. The other way too. On the leg's thread.
 *
 *     message ─► L16 │ µ-law │ A-law ─► caller's channel ─► resample ─► [queue] ─► whole frames
 *
 * A message may end anywhere: a sample begun in it is finished by the next.
 */
#ifndef VA_LEG_WS_AUDIO_H
#define VA_LEG_WS_AUDIO_H

#include "leg/ws_hub.h"

struct ws_wire {
    enum ws_codec codec;
    int rate_hz;  /**< 8000, 16000, 24000 or 48000 */
    int channels; /**< 1, or 2: interleaved, the caller first */
};

/** Complete what was not said by what the first message looks like: 160 bytes are 20 ms of µ-law,
 *  320 of L16 at 8 kHz, 640 at 16 kHz. Never left unknown. */
void ws_wire_guess(struct ws_wire *wire, size_t first_bytes);

enum { WS_AUDIO_QUEUE_MS = 500 /* waiting frames; over it the oldest are dropped [ms] */ };

struct ws_audio;

/**
 * @param rate_hz    Of the frames
 * @param ptime_ms   Length of one
 * @return VA_OK, VA_EINVAL, VA_ENOMEM
 */
VA_CHECK enum va_err ws_audio_new(const struct ws_wire *wire, int rate_hz, int ptime_ms,
                                  struct ws_audio **ret_audio);
void ws_audio_free(struct ws_audio **a);

void ws_audio_feed(struct ws_audio *a, const char *p, size_t len);
/** Next whole frame, or NULL. Borrowed until the next call. */
const int16_t *ws_audio_next(struct ws_audio *a, size_t *ret_count);
/** Whole frames waiting. */
size_t ws_audio_frames(const struct ws_audio *a);
/** Frames dropped so far because the queue was full. */
uint64_t ws_audio_dropped(const struct ws_audio *a);

/** Most bytes ws_audio_encode() gives for one frame. */
enum { WS_AUDIO_WIRE_MAX = 2 * 48000 / 1000 * 60 + 64 };
/**
 * A frame of the call as bytes of the wire's codec and rate, one channel.
 *
 * @param out  WS_AUDIO_WIRE_MAX bytes
 * @return bytes written
 */
size_t ws_audio_encode(struct ws_audio *a, const int16_t *samples, size_t count, char *out);

#endif
