/**
 * fakefs/stream.h: mod_audio_stream on one channel: the caller's audio to a WebSocket server, and
 * what comes back (reference: its commit ec2a781).
 *
 *     open edition:        streamAudio text ─► a "file", kept here ─► on_play ─► playback of it
 *     commercial edition:  streamAudio text, binary frames ─► on_frame, heard as they arrive
 *
 * On the loop's thread; no handler is called from inside a function of this file.
 */
#ifndef VA_FAKEFS_STREAM_H
#define VA_FAKEFS_STREAM_H

#include "base/err.h"
#include "media/pcm.h"
#include "net/loop.h"

enum fakefs_module { FAKEFS_MODULE_NONE, FAKEFS_MODULE_OPEN, FAKEFS_MODULE_COMMERCIAL };

struct fakefs_stream;

struct fakefs_stream_cfg {
    struct loop *loop; /**< borrowed */
    const char *url;
    const char *metadata;      /**< first message; "": none */
    const char *uuid;          /**< of the channel: part of the files' names */
    int rate_hz, call_rate_hz; /**< of the stream; of the frames on our side */
    enum fakefs_module module; /**< not NONE */
};

struct fakefs_stream_handlers {
    void (*on_open)(void *arg);
    /** Open edition: the body of `mod_audio_stream::play`. */
    void (*on_play)(void *arg, const char *body);
    /** Commercial edition: `n` samples at call_rate_hz. */
    void (*on_frame)(void *arg, uint64_t at_us, const int16_t *pcm, size_t n);
    /** Once and last; fakefs_stream_close() is due. `opened` false: it never connected. */
    void (*on_end)(void *arg, bool opened, const char *text);
};

/** Connects. @return VA_OK, VA_EINVAL (URL, rate), VA_ENOMEM */
VA_CHECK enum va_err fakefs_stream_open(const struct fakefs_stream_cfg *cfg,
                                        const struct fakefs_stream_handlers *h, void *arg,
                                        struct fakefs_stream **ret);
/** Closes with 1000, as at hang-up; no handler follows. NULL-safe. */
void fakefs_stream_close(struct fakefs_stream **s);
/** Samples of the caller, any number. */
void fakefs_stream_send(struct fakefs_stream *s, const int16_t *pcm, size_t n);
/** The audio of a file it told by on_play; NULL: there is none, or it is long ago. Borrowed. */
struct pcm *fakefs_stream_file(const struct fakefs_stream *s, const char *path);

#endif
