/* RIFF <size> WAVE, then chunks: four letters, a 32-bit size, the bytes, a pad byte when odd.
 * Only `fmt ` and `data` matter. Nothing in the file is believed beyond the bytes that exist. */
#include "media/wav_int.h"

#include "media/format.h"
#include "media/g711.h"
#include "media/resample.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACCEPTED                                                                                   \
    "accepted: WAV with PCM 16 bit, A-law or µ-law, mono or stereo, 4-192 kHz; convert with "     \
    "`ffmpeg -i IN -c:a pcm_s16le -ac 1 -ar 16000 OUT.wav`"

enum { RATE_MIN_HZ = 4000, RATE_MAX_HZ = RESAMPLE_RATE_MAX_HZ };

struct wav_file {
    unsigned format, channels, bits;
    uint32_t rate_hz;
    const uint8_t *data;
    size_t data_len;
};

static enum va_err check_container(const uint8_t *p, size_t len, struct va_fault *fault)
{
    if (len >= 12 && memcmp(p, "RIFF", 4) == 0 && memcmp(p + 8, "WAVE", 4) == 0)
        return VA_OK;
    if (len == 0)
        return va_fault_set(fault, VA_EPROTO, "empty file; " ACCEPTED);
    const char *seen = "something else";
    if (len >= 4 && memcmp(p, "OggS", 4) == 0)
        seen = "an Ogg file";
    else if (len >= 4 && memcmp(p, "fLaC", 4) == 0)
        seen = "a FLAC file";
    else if (len >= 4 && (memcmp(p, "ID3", 3) == 0 || (p[0] == 0xff && (p[1] & 0xe0) == 0xe0)))
        seen = "an MP3 file";
    else if (len >= 4 && (memcmp(p, "RF64", 4) == 0 || memcmp(p, "RIFX", 4) == 0))
        seen = "an RF64 or RIFX file";
    else if (len < 12)
        seen = "a file cut off in its header";
    return va_fault_set(fault, VA_EPROTO, "not a WAV file but %s; " ACCEPTED, seen);
}

static enum va_err read_fmt(const uint8_t *p, size_t len, struct wav_file *w,
                            struct va_fault *fault)
{
    if (len < 16)
        return va_fault_set(fault, VA_EPROTO, "broken WAV: format chunk of %zu bytes; " ACCEPTED,
                            len);
    w->format = wav_get16(p);
    w->channels = wav_get16(p + 2);
    w->rate_hz = wav_get32(p + 4);
    w->bits = wav_get16(p + 14);
    if (w->format == WAV_EXTENSIBLE && len >= 26) /* the GUID's first word is the old format code */
        w->format = wav_get16(p + 24);
    return VA_OK;
}

static enum va_err check_fmt(const struct wav_file *w, struct va_fault *fault)
{
    bool pcm = w->format == WAV_PCM && w->bits == 16;
    bool g711 = (w->format == WAV_ALAW || w->format == WAV_ULAW) && w->bits == 8;
    if (!pcm && !g711)
        return va_fault_set(fault, VA_ENOTSUP, "WAV format %u with %u bits; " ACCEPTED, w->format,
                            w->bits);
    if (w->channels < 1 || w->channels > 2)
        return va_fault_set(fault, VA_ENOTSUP, "WAV with %u channels; " ACCEPTED, w->channels);
    if (w->rate_hz < RATE_MIN_HZ || w->rate_hz > RATE_MAX_HZ)
        return va_fault_set(fault, VA_ENOTSUP, "WAV of %u Hz; " ACCEPTED, w->rate_hz);
    return VA_OK;
}

/* Zero in a data chunk is what a crashed writer left, unless another chunk follows it. */
static bool chunk_follows(const uint8_t *p, size_t len)
{
    if (len < 8)
        return false;
    for (size_t i = 0; i < 4; i++)
        if (p[i] < ' ' || p[i] > '~')
            return false;
    return wav_get32(p + 4) <= len - 8;
}

static enum va_err find_chunks(const uint8_t *p, size_t len, struct wav_file *w,
                               struct va_fault *fault)
{
    bool fmt = false;
    size_t at = 12;
    while (len - at >= 8) {
        const uint8_t *head = p + at;
        size_t size = wav_get32(head + 4), there = len - at - 8;
        at += 8;
        size_t have = size < there ? size : there;
        if (memcmp(head, "fmt ", 4) == 0 && !fmt) {
            enum va_err err = read_fmt(p + at, have, w, fault);
            if (err)
                return err;
            fmt = true;
        } else if (memcmp(head, "data", 4) == 0) {
            if (!fmt)
                return va_fault_set(fault, VA_EPROTO,
                                    "broken WAV: audio before its format chunk; " ACCEPTED);
            w->data = p + at;
            w->data_len = size == 0 && !chunk_follows(p + at, there) ? there : have;
            return check_fmt(w, fault);
        }
        if (have < size)
            break;
        at += size + (size & 1);
        if (at > len)
            break;
    }
    return va_fault_set(fault, VA_EPROTO, "broken WAV: no %s; " ACCEPTED,
                        fmt ? "audio (data chunk)" : "format chunk");
}

static int16_t sample_at(const struct wav_file *w, size_t i)
{
    if (w->format == WAV_ULAW)
        return g711_ulaw_decode(w->data[i]);
    if (w->format == WAV_ALAW)
        return g711_alaw_decode(w->data[i]);
    uint16_t u = wav_get16(w->data + 2 * i);
    return (int16_t)(u < 0x8000 ? u : (int32_t)u - 0x10000);
}

static int16_t *to_mono(const struct wav_file *w, enum wav_channel channel, size_t frames)
{
    int16_t *out = malloc(frames ? frames * sizeof(*out) : 1);
    if (!out)
        return NULL;
    for (size_t i = 0; i < frames; i++) {
        if (w->channels == 1) {
            out[i] = sample_at(w, i);
            continue;
        }
        int32_t left = sample_at(w, 2 * i), right = sample_at(w, 2 * i + 1);
        out[i] = (int16_t)(channel == WAV_LEFT    ? left
                           : channel == WAV_RIGHT ? right
                                                  : (left + right) / 2);
    }
    return out;
}

static enum va_err to_pcm(const struct wav_file *w, const struct wav_want *want,
                          struct pcm **ret_pcm, struct va_fault *fault)
{
    size_t frames = w->data_len / (w->channels * w->bits / 8u);
    if (media_samples_to_ms(frames, (int)w->rate_hz) > WAV_MS_MAX)
        return va_fault_set(fault, VA_ELIMIT, "WAV longer than %d minutes", WAV_MS_MAX / 60000);
    int16_t *mono = to_mono(w, want->channel, frames);
    if (!mono)
        return va_fault_set(fault, VA_ENOMEM, "out of memory for %zu samples", frames);
    int rate = (int)w->rate_hz;
    enum va_err err = VA_OK;
    if (want->rate_hz && want->rate_hz != rate) {
        err = resample_whole(rate, mono, frames, want->rate_hz, RESAMPLE_QUALITY_ASR, ret_pcm);
        free(mono);
    } else {
        err = pcm_adopt(rate, mono, frames, ret_pcm);
        if (err)
            free(mono);
    }
    return err ? va_fault_set(fault, err, "cannot convert to %d Hz: %s", want->rate_hz,
                              va_err_text(err))
               : VA_OK;
}

enum va_err wav_decode(const void *p, size_t len, const struct wav_want *want, struct pcm **ret_pcm,
                       struct va_fault *fault)
{
    static const struct wav_want as_is = {0, WAV_MIX};
    struct wav_file w = {0};
    if (len > WAV_BYTES_MAX)
        return va_fault_set(fault, VA_ELIMIT, "WAV larger than %d MB", WAV_BYTES_MAX >> 20);
    enum va_err err = check_container(p, len, fault);
    if (!err)
        err = find_chunks(p, len, &w, fault);
    return err ? err : to_pcm(&w, want ? want : &as_is, ret_pcm, fault);
}

/* ---- files ----------------------------------------------------------------------------------- */

static enum va_err io_fault(const char *path, int err, struct va_fault *fault)
{
    return va_fault_set(fault, va_err_from_errno(err), "%s: %s", path, strerror(err));
}

static enum va_err slurp(int fd, const char *path, uint8_t **ret_p, size_t *ret_len,
                         struct va_fault *fault)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return io_fault(path, errno, fault);
    if (!S_ISREG(st.st_mode))
        return va_fault_set(fault, VA_EINVAL, "%s: not a file", path);
    if (st.st_size > WAV_BYTES_MAX)
        return va_fault_set(fault, VA_ELIMIT, "%s: larger than %d MB", path, WAV_BYTES_MAX >> 20);
    size_t size = (size_t)st.st_size, len = 0;
    uint8_t *p = malloc(size + 1);
    if (!p)
        return va_fault_set(fault, VA_ENOMEM, "%s: out of memory for %zu bytes", path, size);
    while (len < size) {
        ssize_t n = read(fd, p + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int err = errno;
            free(p);
            return io_fault(path, err, fault);
        }
        if (n == 0)
            break;
        len += (size_t)n;
    }
    *ret_p = p;
    *ret_len = len;
    return VA_OK;
}

enum va_err wav_load(const char *path, const struct wav_want *want, struct pcm **ret_pcm,
                     struct va_fault *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return io_fault(path, errno, fault);
    uint8_t *p = NULL;
    size_t len = 0;
    enum va_err err = slurp(fd, path, &p, &len, fault);
    (void)close(fd);
    if (err)
        return err;
    struct va_fault inner = {VA_OK, ""};
    err = wav_decode(p, len, want, ret_pcm, &inner);
    free(p);
    return err ? va_fault_set(fault, err, "%.200s: %.300s", path, inner.text) : VA_OK;
}
