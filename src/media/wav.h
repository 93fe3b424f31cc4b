/**
 * media/wav.h: WAV files: a tolerant reader and a writer that survives a crash.
 *
 * Blocking: on a worker only from memory (wav_decode); files belong to the disk thread, to start-up
 * and to commands. Source: Microsoft RIFF (1991), WAVE_FORMAT_EXTENSIBLE (mmreg.h).
 */
#ifndef VA_MEDIA_WAV_H
#define VA_MEDIA_WAV_H

#include "media/pcm.h"

enum {
    WAV_BYTES_MAX = 128 << 20, /**< largest input */
    WAV_MS_MAX = 3600 * 1000   /**< longest input; also bounds what resampling may make of it */
};

enum wav_channel { WAV_MIX, WAV_LEFT, WAV_RIGHT };

/** Zero is: the file's own rate, mono mix. */
struct wav_want {
    int rate_hz; /**< resampled to this when it differs [Hz] */
    enum wav_channel channel;
};

/**
 * Decode a file in memory: PCM 16 bit, A-law or µ-law, mono or stereo, 4–192 kHz, also
 * WAVE_FORMAT_EXTENSIBLE. Unknown chunks are skipped; a data size that is zero, absurd or larger
 * than what is there means "to the end" (streaming writers, crashed recorders).
 *
 * @param want   May be NULL
 * @param fault  Says what is wrong and what is accepted; may be NULL
 *
 * @return VA_OK, VA_EPROTO (not a WAV, or broken), VA_ENOTSUP (a format we do not read),
 *         VA_ELIMIT (too large), VA_ENOMEM, VA_EINVAL
 */
VA_CHECK enum va_err wav_decode(const void *p, size_t len, const struct wav_want *want,
                                struct pcm **ret_pcm, struct va_fault *fault);

/** The same from a file. The fault names it. Also VA_ENOTFOUND, VA_EREFUSED, VA_EIO. */
VA_CHECK enum va_err wav_load(const char *path, const struct wav_want *want, struct pcm **ret_pcm,
                              struct va_fault *fault);

struct wav_writer;

/**
 * Create (or empty) a file of PCM 16 bit, mode 0640. The header is true again after each second of
 * audio, so a crash leaves a file that plays.
 *
 * @param channels  1 or 2
 * @return VA_OK, VA_EINVAL, VA_ENOMEM, VA_ENOTFOUND, VA_EREFUSED, VA_EIO
 */
VA_CHECK enum va_err wav_writer_open(const char *path, int rate_hz, int channels,
                                     struct wav_writer **ret_writer, struct va_fault *fault);
/**
 * Append `frames` × channels interleaved samples; NULL writes silence. Costs a system call: hand
 * over blocks, not samples. After a failure every further call returns the same code.
 *
 * @return VA_OK, VA_ELIMIT (4 GB, the format's end), VA_EIO (disk full, …)
 */
VA_CHECK enum va_err wav_writer_write(struct wav_writer *w, const int16_t *samples, size_t frames,
                                      struct va_fault *fault);
/** Frames written so far. */
uint64_t wav_writer_frames(const struct wav_writer *w);
/** Set the final header and close. @return the first failure, or VA_OK. NULL-safe (VA_OK). */
enum va_err wav_writer_close(struct wav_writer **w, struct va_fault *fault);

#endif
