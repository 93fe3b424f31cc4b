/**
 * media/vad.h: voice activity by energy over an adaptive noise floor (minimum statistics: the
 * quietest frame of the last 3 s). Cheap (well under 1 µs per frame) and free of allocation.
 *
 *     level  ____/▔▔▔\_/▔▔\______        STARTED comes after min_speech_ms, dated back to the rise;
 *                ^started  ^ended        ENDED comes after end_silence_ms, dated back to the fall.
 *
 * A frame of one constant value (zeros; the 0xFF fill that FreeSWITCH sends for "no packet") is
 * silence and does not touch the floor. Good for stationary noise; babble and music look like
 * speech. A sound that stays the same is given up after 3 s, and after 0.5 s when nothing was heard
 * before it; noise louder than −37 dBFS from the very start is taken for speech that long. Time is
 * the audio's own: milliseconds since the first sample. One thread.
 */
#ifndef VA_MEDIA_VAD_H
#define VA_MEDIA_VAD_H

#include "base/err.h"

#include <stdint.h>

/** Zero means the default. */
struct vad_cfg {
    int rate_hz;        /**< 8000 … 48000; required */
    int end_silence_ms; /**< quiet that ends speech; 700 */
    int min_speech_ms;  /**< speech that starts it; 120 */
    int over_floor_db;  /**< how far above the floor speech is; 8 [dB] */
    int abs_floor_dbfs; /**< below this nothing is speech; −50 [dBFS] */
};

enum vad_event { VAD_NONE, VAD_STARTED, VAD_ENDED };

struct vad;

/** @return VA_OK, VA_EINVAL, VA_ENOMEM */
VA_CHECK enum va_err vad_new(const struct vad_cfg *cfg, struct vad **ret_vad);
void vad_free(struct vad **vad);

/**
 * One frame of 10–30 ms (60 works, coarser).
 *
 * @param ret_at_ms  When it started or ended on the audio's time line; set with an event only; may
 *                   be NULL
 */
enum vad_event vad_feed(struct vad *vad, const int16_t *frame, size_t n, uint64_t *ret_at_ms);

/** Between STARTED and ENDED. */
bool vad_speaking(const struct vad *vad);
/** The last frame by itself was above the threshold (a first hint, before min_speech_ms). */
bool vad_active(const struct vad *vad);
/** Of the speech in progress: from its onset to its last sound so far [ms]; 0 when there is none.
 */
uint32_t vad_speech_ms(const struct vad *vad);
/** Audio fed so far [ms]. */
uint64_t vad_now_ms(const struct vad *vad);
/** The last frame, −96 … 0 [dBFS, RMS of full scale square]. */
float vad_level_dbfs(const struct vad *vad);
/** The noise floor now [dBFS]. */
float vad_floor_dbfs(const struct vad *vad);

/** From now on. Values ≤ 0 keep what is. */
void vad_set_timing(struct vad *vad, int end_silence_ms, int min_speech_ms);
/** Forget speech in progress (no event), keep the floor: after a flush or a change of turn. */
void vad_reset(struct vad *vad);

#endif
