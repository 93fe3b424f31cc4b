/**
 * media/playout.h: THE playout buffer of a call. Providers deliver faster than real time; this
 * holds their audio and hands out one frame per tick of the media clock. It alone knows what the
 * caller has heard.
 *
 *     write(7) write(7) write_shared(8) ──► [ 7: ▓▓▓▓▓▓▓ | 8: ▓▓▓ ] ──next()──► one frame
 *                                              └ flush(): short fade, silence, 7 and 8 are dead
 *
 * An answer is a number that the caller of this object chooses; numbers grow. Answers play in the
 * order of their numbers; one begins, in the very same frame, where the one before it is marked
 * ended and played. So every answer needs its mark_end (or a flush), else the next one waits.
 *
 *     hold ──► short fade, silence; nothing is lost ──resume──► on from the very next sample
 *
 * Nothing is allocated before audio comes (an empty buffer is about 2 KB), and a block is freed as
 * soon as it was played. One thread.
 */
#ifndef VA_MEDIA_PLAYOUT_H
#define VA_MEDIA_PLAYOUT_H

#include "media/format.h"
#include "media/pcm.h"

enum {
    PLAYOUT_MAX_MS = 120000,  /**< default bound of unplayed audio */
    PLAYOUT_ANSWERS_MAX = 16, /**< answers waiting; as many are remembered for played_ms */
    PLAYOUT_FADE_MS = 3
};

struct playout;

/** Both are called at the end of playout_next(), on its thread, and may do anything with the
 *  playout, free it too (then the caller of playout_next() must not touch it either). May be NULL.
 */
struct playout_handlers {
    /** The answer is marked ended and its last sample was handed out. Once per answer, in order;
     *  never for a flushed one. */
    void (*on_drained)(void *arg, uint32_t answer_id);
    /** An answer has begun, is not ended, and has nothing to play. Once per drought. */
    void (*on_underrun)(void *arg, uint32_t answer_id);
};

/**
 * @param rate_hz   8000, 16000, 24000 or 48000
 * @param max_ms    Bound of unplayed audio; 0 is PLAYOUT_MAX_MS
 * @param handlers  Borrowed until playout_free(); may be NULL
 *
 * @return VA_OK, VA_EINVAL, VA_ENOMEM
 */
VA_CHECK enum va_err playout_new(int rate_hz, uint32_t max_ms,
                                 const struct playout_handlers *handlers, void *arg,
                                 struct playout **ret_playout);
void playout_free(struct playout **p);

/**
 * Append audio to an answer (copied). A number above all before opens a new answer.
 *
 * @param answer_id  ≥ 1
 *
 * @return VA_OK, VA_ELIMIT (bound of audio or of answers; nothing was taken), VA_ENOMEM,
 *         VA_ECANCELED (answer flushed, ended or older than all known ones: late audio, dropped
 *         and counted; nothing to do about it), VA_EINVAL
 */
VA_CHECK enum va_err playout_write(struct playout *p, uint32_t answer_id, const int16_t *pcm,
                                   size_t n);

/** The same without a copy: the playout owns a share of `pcm` until it is played. Its rate must be
 *  the playout's (VA_EINVAL). */
VA_CHECK enum va_err playout_write_shared(struct playout *p, uint32_t answer_id, struct pcm *pcm);

/** The answer is complete. An answer without any audio is opened and drains with the next frame.
 *  @return VA_OK, VA_ELIMIT (answers), VA_ECANCELED (unknown old or flushed), VA_EINVAL */
enum va_err playout_mark_end(struct playout *p, uint32_t answer_id);

/**
 * One frame, filled up with silence.
 *
 * @param frame  n samples, all written
 * @return how many samples of answers are in it (0: nothing but silence or the tail of a fade)
 */
size_t playout_next(struct playout *p, int16_t *frame, size_t n);

/**
 * Silence now: all waiting audio is dropped and all answers known so far are dead. The next frame
 * carries PLAYOUT_FADE_MS of fade (of what would have been played) and no more of it.
 */
void playout_flush(struct playout *p);
/** The same, and all answers up to `answer_id` are dead too, though no audio of theirs has come. */
void playout_flush_until(struct playout *p, uint32_t answer_id);

/**
 * Silence from the next frame on, but everything is kept: writes and ends are taken, nothing plays,
 * nothing drains, nothing underruns. The fade's samples count as not heard and come again.
 * Idempotent; a flush ends it.
 */
void playout_hold(struct playout *p);
/** Go on with the sample behind the last one that was heard, raised over PLAYOUT_FADE_MS. Nothing
 *  happens when it is not held. */
void playout_resume(struct playout *p);
bool playout_held(const struct playout *p);

/** How much of an answer was handed out [ms]; a fade is not counted. 0 when it is unknown or older
 *  than the PLAYOUT_ANSWERS_MAX last ones. */
uint32_t playout_played_ms(const struct playout *p, uint32_t answer_id);
/** How much of an answer is still to be played [ms]. */
uint32_t playout_left_ms(const struct playout *p, uint32_t answer_id);
/** The answer at the head, also while it is starved; 0 when there is none. */
uint32_t playout_current(const struct playout *p);
/** Unplayed audio [ms]. */
uint32_t playout_queued_ms(const struct playout *p);

struct playout_stats {
    uint64_t underruns;        /**< droughts inside an answer */
    uint64_t underrun_samples; /**< silence they made */
    uint64_t late_samples;     /**< dropped: written to a dead answer */
    uint64_t refused_samples;  /**< over the bound */
    uint64_t flushed_samples;  /**< dropped unplayed by a flush */
    uint32_t flushes;
    uint32_t holds; /**< of them may have been flushed while held */
};
void playout_stats(const struct playout *p, struct playout_stats *ret_stats);

#endif
