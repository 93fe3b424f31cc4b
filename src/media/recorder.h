/**
 * media/recorder.h: record a call in stereo, caller left, agent right, without ever touching the
 * disk on the worker's thread.
 *
 *     worker: tick() ─► batch of 1 s ──loop_post──► disk thread: name.part ─► wav_writer
 *     worker: on_done(result) ◄───────loop_reply─── close(): header, rename to name
 *
 * What cannot be taken (disk slower than the calls, mailbox full, no memory) becomes silence of the
 * same length and is counted, so the two channels and the call's time line stay aligned.
 *
 * All functions on the worker's thread. The disk's loop_thread must be stopped before the worker's
 * loop is freed; mails still on their way are then delivered by loop_free().
 */
#ifndef VA_MEDIA_RECORDER_H
#define VA_MEDIA_RECORDER_H

#include "net/loop.h"

#include <stdint.h>

enum {
    RECORDER_BATCH_MS = 1000, /**< default */
    RECORDER_PENDING_MAX = 8  /**< batches on their way to the disk, per recorder */
};

struct recorder;

struct recorder_cfg {
    const char *path; /**< final name, in a folder that exists; copied. An old file is replaced */
    int rate_hz;      /**< 8000, 16000, 24000 or 48000 */
    int batch_ms;     /**< 20 … 5000; 0 is RECORDER_BATCH_MS. Memory: 4 bytes a sample */
};

/** Borrowed for the call of on_done. */
struct recorder_result {
    enum va_err err;          /**< VA_OK, or the first failure */
    const char *path;         /**< the finished file; after a failure name.part, what there is */
    const char *text;         /**< failure for a person: cause and fix; "" when fine */
    uint64_t duration_ms;     /**< of the file */
    uint64_t dropped_samples; /**< per channel, silent in the file */
};

/**
 * Start recording.
 *
 * @param worker   Loop of the caller
 * @param disk     Loop of the disk thread
 * @param on_done  Exactly once, on the worker's loop, never from inside a function here: either
 *                 when the disk fails (the call goes on, ticks are ignored; recorder_close() is
 *                 still due), or after recorder_close(), when the file is finished
 * @param arg      Must live until on_done (or recorder_forget())
 *
 * @return VA_OK, VA_EINVAL, VA_ENOMEM, VA_ELIMIT (the disk thread's mailbox is full)
 */
VA_CHECK enum va_err recorder_open(struct loop *worker, struct loop *disk,
                                   const struct recorder_cfg *cfg,
                                   void (*on_done)(void *arg, const struct recorder_result *result),
                                   void *arg, struct recorder **ret_recorder);

/**
 * One tick of the call: n samples of each side. Copies, never blocks, never fails.
 *
 * @param caller, agent  NULL is silence
 */
void recorder_tick(struct recorder *r, const int16_t *caller, const int16_t *agent, size_t n);

/** Samples per channel dropped so far. */
uint64_t recorder_dropped(const struct recorder *r);

/** Finish; on_done follows unless it was already called. NULL-safe, leaves NULL behind. */
void recorder_close(struct recorder **r);
/** Finish the file, but no on_done: its arg may go now. */
void recorder_forget(struct recorder **r);

#endif
