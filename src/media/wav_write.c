/* The audio goes first, then the header that promises it: at any moment the file plays up to what
 * the header says, and everything else is there too. */
#include "media/wav_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 4096 /* samples converted at a time */ };

struct wav_writer {
    int fd;
    uint32_t rate_hz;
    uint16_t channels;
    uint64_t bytes;    /* of audio */
    uint64_t promised; /* by the header in the file */
    enum va_err err;   /* the first failure; it stays */
    struct va_fault why;
};

static const uint64_t bytes_max = UINT32_MAX - WAV_HEADER;

static enum va_err failed(struct wav_writer *w, enum va_err err, const char *what)
{
    if (!w->err)
        w->err = va_fault_set(&w->why, err, "%s", what);
    return w->err;
}

static bool write_all(int fd, const uint8_t *p, size_t len, off_t at)
{
    while (len) {
        ssize_t n = pwrite(fd, p, len, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static enum va_err put_header(struct wav_writer *w)
{
    uint8_t h[WAV_HEADER] = {0};
    memcpy(h, "RIFF", 4);
    wav_put32(h + 4, (uint32_t)(w->bytes + WAV_HEADER - 8));
    memcpy(h + 8, "WAVEfmt ", 8);
    wav_put32(h + 16, 16);
    wav_put16(h + 20, WAV_PCM);
    wav_put16(h + 22, w->channels);
    wav_put32(h + 24, w->rate_hz);
    wav_put32(h + 28, w->rate_hz * w->channels * 2);
    wav_put16(h + 32, (uint16_t)(w->channels * 2));
    wav_put16(h + 34, 16);
    memcpy(h + 36, "data", 4);
    wav_put32(h + 40, (uint32_t)w->bytes);
    if (!write_all(w->fd, h, sizeof(h), 0))
        return failed(w, va_err_from_errno(errno), strerror(errno));
    w->promised = w->bytes;
    return VA_OK;
}

enum va_err wav_writer_open(const char *path, int rate_hz, int channels,
                            struct wav_writer **ret_writer, struct va_fault *fault)
{
    if (rate_hz < 1000 || rate_hz > 192000 || channels < 1 || channels > 2)
        return va_fault_set(fault, VA_EINVAL, "%d Hz, %d channels: not supported", rate_hz,
                            channels);
    struct wav_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return va_fault_set(fault, VA_ENOMEM, "%s: out of memory", path);
    w->rate_hz = (uint32_t)rate_hz;
    w->channels = (uint16_t)channels;
    w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (w->fd < 0)
        (void)failed(w, va_err_from_errno(errno), strerror(errno));
    else
        (void)put_header(w);
    if (w->err) {
        enum va_err err = va_fault_set(fault, w->err, "%.200s: %.250s", path, w->why.text);
        (void)wav_writer_close(&w, NULL);
        return err;
    }
    *ret_writer = w;
    return VA_OK;
}

static enum va_err append(struct wav_writer *w, const int16_t *samples, size_t n)
{
    uint8_t bytes[CHUNK * 2];
    memset(bytes, 0, samples ? 0 : sizeof(bytes));
    while (n && !w->err) {
        size_t part = n < CHUNK ? n : CHUNK;
        for (size_t i = 0; samples && i < part; i++)
            wav_put16(bytes + 2 * i, (uint16_t)samples[i]);
        if (!write_all(w->fd, bytes, part * 2, (off_t)(WAV_HEADER + w->bytes)))
            return failed(w, va_err_from_errno(errno), strerror(errno));
        w->bytes += part * 2;
        samples = samples ? samples + part : NULL;
        n -= part;
    }
    return w->err;
}

enum va_err wav_writer_write(struct wav_writer *w, const int16_t *samples, size_t frames,
                             struct va_fault *fault)
{
    uint64_t frame = w->channels * 2u;
    if (!w->err && frames > (bytes_max - w->bytes) / frame)
        (void)failed(w, VA_ELIMIT, "the file has reached 4 GB, the most a WAV can hold");
    if (!w->err)
        (void)append(w, samples, frames * w->channels);
    if (!w->err && w->bytes - w->promised >= w->rate_hz * frame)
        (void)put_header(w);
    return w->err ? va_fault_set(fault, w->err, "%s", w->why.text) : VA_OK;
}

uint64_t wav_writer_frames(const struct wav_writer *w)
{
    return w->bytes / (w->channels * 2u);
}

enum va_err wav_writer_close(struct wav_writer **pw, struct va_fault *fault)
{
    struct wav_writer *w = pw ? *pw : NULL;
    if (!w)
        return VA_OK;
    *pw = NULL;
    if (w->fd >= 0 && w->bytes != w->promised)
        (void)put_header(w); /* also after a failure: what was written shall play */
    if (w->fd >= 0 && close(w->fd) < 0)
        (void)failed(w, va_err_from_errno(errno), strerror(errno));
    enum va_err err = w->err;
    if (err)
        (void)va_fault_set(fault, err, "%s", w->why.text);
    free(w);
    return err;
}
