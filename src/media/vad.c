/* Energy against a floor. The floor is the quietest frame of the last 3 s, kept as the minima of
 * twelve quarters of a second so that forgetting costs nothing:
 *
 *     minima   [-61 -60 -58 -61 … -60 | -59]      floor = the smallest + 1.5 dB
 *               └ oldest falls out      └ being filled
 *
 * A minimum of noise is lower than its mean, hence the 1.5 dB. A call may begin with speech, so for
 * the first three quarters of a second two of the minima pretend to have heard −45 dBFS. */
#include "media/vad.h"

#include "media/format.h"

#include <math.h>
#include <stdlib.h>

enum {
    MINIMA = 12,
    MINIMUM_MS = 250,
    END_SILENCE_MS = 700,
    MIN_SPEECH_MS = 120,
    OVER_FLOOR_DB = 8,
    ABS_FLOOR_DBFS = -50,
    START_DBFS = -45,
    HYSTERESIS_DB = 3 /* speech that has begun holds on a little lower */
};

static const float min_bias_db = 1.5f;

struct vad {
    int rate_hz;
    uint64_t end_silence, min_speech; /* samples, as all times here */
    float over_floor_db, abs_floor_dbfs;

    uint64_t now;
    float level, floor;
    bool active;   /* the last frame */
    bool speaking; /* reported STARTED */

    uint64_t onset;       /* where this run of activity began */
    uint64_t run;         /* activity in it; quiet frames take away */
    uint64_t last_active; /* end of the last active frame */

    float minima[MINIMA];
    unsigned filling;
    uint64_t filled; /* samples of minima[filling] */
};

static bool cfg_valid(const struct vad_cfg *c)
{
    return c->rate_hz >= 8000 && c->rate_hz <= MEDIA_RATE_MAX_HZ && c->end_silence_ms >= 0 &&
           c->min_speech_ms >= 0 && c->over_floor_db >= 0 && c->abs_floor_dbfs <= 0;
}

static float or_default(int value, int otherwise)
{
    return (float)(value ? value : otherwise);
}

enum va_err vad_new(const struct vad_cfg *cfg, struct vad **ret_vad)
{
    if (!cfg_valid(cfg))
        return VA_EINVAL;
    struct vad *v = calloc(1, sizeof(*v));
    if (!v)
        return VA_ENOMEM;
    v->rate_hz = cfg->rate_hz;
    v->over_floor_db = or_default(cfg->over_floor_db, OVER_FLOOR_DB);
    v->abs_floor_dbfs = or_default(cfg->abs_floor_dbfs, ABS_FLOOR_DBFS);
    vad_set_timing(v, END_SILENCE_MS, MIN_SPEECH_MS);
    vad_set_timing(v, cfg->end_silence_ms, cfg->min_speech_ms);
    v->level = MEDIA_SILENCE_DBFS;
    v->floor = START_DBFS;
    v->minima[1] = v->minima[2] = START_DBFS; /* the next to be overwritten; the others: 0 dBFS */
    *ret_vad = v;
    return VA_OK;
}

void vad_free(struct vad **pv)
{
    struct vad *v = pv ? *pv : NULL;
    if (!v)
        return;
    *pv = NULL;
    free(v);
}

void vad_set_timing(struct vad *v, int end_silence_ms, int min_speech_ms)
{
    if (end_silence_ms > 0)
        v->end_silence = media_ms_to_samples((uint64_t)end_silence_ms, v->rate_hz);
    if (min_speech_ms > 0)
        v->min_speech = media_ms_to_samples((uint64_t)min_speech_ms, v->rate_hz);
}

/* Power around the mean: an offset is not sound, and a constant frame has none at all. */
static float level_of(const int16_t *x, size_t n)
{
    int32_t total = 0; /* n is at most MEDIA_FRAME_MAX, so it fits */
    int64_t squares = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t s = x[i];
        total += s;
        squares += s * s;
    }
    int64_t sum = total, count = (int64_t)n; /* all exact */
    float power = (float)(count * squares - sum * sum) / ((float)n * (float)n);
    if (power < 0.3f) /* less than one bit of dither */
        return MEDIA_SILENCE_DBFS;
    return 10.0f * log10f(power / (32768.0f * 32768.0f));
}

static void track_floor(struct vad *v, float level, size_t n)
{
    if (v->filled >= media_ms_to_samples(MINIMUM_MS, v->rate_hz)) {
        v->filling = (v->filling + 1) % MINIMA;
        v->filled = 0;
        v->minima[v->filling] = level;
    }
    v->filled += n;
    if (level < v->minima[v->filling])
        v->minima[v->filling] = level;
    float lowest = v->minima[0];
    for (unsigned i = 1; i < MINIMA; i++)
        lowest = v->minima[i] < lowest ? v->minima[i] : lowest;
    v->floor = lowest + min_bias_db;
}

static bool is_active(const struct vad *v)
{
    float threshold = v->floor + v->over_floor_db;
    threshold = threshold > v->abs_floor_dbfs ? threshold : v->abs_floor_dbfs;
    return v->level >= threshold - (v->speaking ? (float)HYSTERESIS_DB : 0);
}

/* Activity adds up; a quiet frame takes away as much, so a syllable with a hole in it still counts
 * and clicks far apart do not. */
static enum vad_event quiet_to_speech(struct vad *v, size_t n, uint64_t *ret_at)
{
    if (!v->active) {
        v->run = v->run > n ? v->run - n : 0;
        return VAD_NONE;
    }
    if (v->run == 0)
        v->onset = v->now - n;
    v->run += n;
    if (v->run < v->min_speech)
        return VAD_NONE;
    v->speaking = true;
    v->run = 0;
    *ret_at = v->onset;
    return VAD_STARTED;
}

static enum vad_event speech_to_quiet(struct vad *v, uint64_t *ret_at)
{
    if (v->active || v->now - v->last_active < v->end_silence)
        return VAD_NONE;
    v->speaking = false;
    *ret_at = v->last_active;
    return VAD_ENDED;
}

enum vad_event vad_feed(struct vad *v, const int16_t *frame, size_t n, uint64_t *ret_at_ms)
{
    if (n == 0 || n > MEDIA_FRAME_MAX)
        return VAD_NONE;
    v->now += n;
    v->level = level_of(frame, n);
    bool nothing = v->level <= MEDIA_SILENCE_DBFS;
    if (!nothing)
        track_floor(v, v->level, n);
    v->active = !nothing && is_active(v);
    if (v->active)
        v->last_active = v->now;
    uint64_t at = 0;
    enum vad_event e = v->speaking ? speech_to_quiet(v, &at) : quiet_to_speech(v, n, &at);
    if (e != VAD_NONE && ret_at_ms)
        *ret_at_ms = media_samples_to_ms(at, v->rate_hz);
    return e;
}

bool vad_speaking(const struct vad *v)
{
    return v->speaking;
}

bool vad_active(const struct vad *v)
{
    return v->active;
}

uint32_t vad_speech_ms(const struct vad *v)
{
    return v->speaking ? (uint32_t)media_samples_to_ms(v->last_active - v->onset, v->rate_hz) : 0;
}

uint64_t vad_now_ms(const struct vad *v)
{
    return media_samples_to_ms(v->now, v->rate_hz);
}

float vad_level_dbfs(const struct vad *v)
{
    return v->level;
}

float vad_floor_dbfs(const struct vad *v)
{
    return v->floor;
}

void vad_reset(struct vad *v)
{
    v->speaking = v->active = false;
    v->run = 0;
}
