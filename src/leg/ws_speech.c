#include "leg/ws_speech.h"
#include "base/base64.h"
#include "esl/commands.h"
#include "media/format.h"

#include <stdio.h>
#include <stdlib.h>

/* An execute that FreeSWITCH lost for other reasons than ours. */
enum { PLAYBACK_TIMEOUT_MS = 30000, POKE_MS = 4 };

struct piece {
    uint32_t ms;
    uint64_t at_us; /* sent; of the one that plays: begun */
    bool dead;      /* flushed before its file was told */
};

enum speech_state { SPEECH_SILENT, SPEECH_FIRST, SPEECH_ON };

struct ws_speech {
    struct ws_speech_cfg cfg;
    enum speech_state state;
    uint32_t first_ms; /* of the first piece: longer after every gap */
    int16_t *piece;
    size_t len, pause; /* samples collected; of silence at its end, maybe more than collected */
    struct piece fifo[WS_PIECES_MAX];
    size_t head, count; /* all … */
    size_t queued;      /* … of which the first are with FreeSWITCH, the others on their way */
    struct tmr poke;    /* the event waits at FreeSWITCH for up to 20 ms otherwise */
    struct ws_speech_stats stats;
};

/* ---- messages -------------------------------------------------------------------------------- */

enum va_err ws_speech_send(struct ws_conn *conn, enum ws_dialect dialect, int rate_hz,
                           const int16_t *samples, size_t count)
{
    char head[160];
    bool fork = dialect == WS_DIALECT_FORK;
    int n = snprintf(
        head, sizeof(head), "{\"type\":\"%s\",\"data\":{\"%s\":\"raw\",\"sampleRate\":%d,\"%s\":\"",
        fork ? "playAudio" : "streamAudio", fork ? "audioContentType" : "audioDataType", rate_hz,
        fork ? "audioContent" : "audioData");
    size_t bytes = count * sizeof(*samples);
    char *base64 = malloc(base64_encoded_len(bytes) + 1); /* of nothing too */
    if (!base64)
        return VA_ENOMEM;
    size_t encoded = base64_encode(samples, bytes, base64);
    const struct str parts[] = {{head, (size_t)n}, {base64, encoded}, STR_LIT("\"}}")};
    enum va_err err = ws_sendv(conn, WS_TEXT, parts, sizeof(parts) / sizeof(parts[0]));
    free(base64);
    return err;
}

/* ---- pieces on their way --------------------------------------------------------------------- */

static struct piece *piece_at(struct ws_speech *s, size_t i)
{
    return &s->fifo[(s->head + i) % WS_PIECES_MAX];
}

static void pop(struct ws_speech *s)
{
    s->head = (s->head + 1) % WS_PIECES_MAX;
    s->count--;
}

static uint32_t to_ms(const struct ws_speech *s, size_t samples)
{
    return (uint32_t)(samples * 1000 / (size_t)s->cfg.rate_hz);
}

static void on_poke(void *arg)
{
    struct ws_speech *s = arg;
    if (esl_session_poke(s->cfg.control))
        return; /* it comes by itself, later */
}

static void send_piece(struct ws_speech *s)
{
    size_t len = s->len;
    s->len = 0;
    if (!len)
        return;
    if (s->count == WS_PIECES_MAX ||
        ws_speech_send(s->cfg.conn, s->cfg.dialect, s->cfg.rate_hz, s->piece, len)) {
        s->stats.dropped++;
        return;
    }
    *piece_at(s, s->count++) = (struct piece){to_ms(s, len), loop_now_us(s->cfg.loop), false};
    tmr_start(&s->poke, s->cfg.loop, POKE_MS, on_poke, s);
}

/* FreeSWITCH has nothing to play in the middle of speech: the way there is slower than thought.
 * What comes now is later by the gap, so this speech has its reserve; the next gets it at once. */
static void gap(struct ws_speech *s)
{
    s->stats.gaps++;
    s->first_ms += WS_PIECE_MS / 2;
    if (s->first_ms > WS_FIRST_PIECE_MAX_MS)
        s->first_ms = WS_FIRST_PIECE_MAX_MS;
}

/* Playbacks end in the order they were queued. */
static void on_played(void *arg, const struct esl_result *r)
{
    struct ws_speech *s = arg;
    uint64_t now = loop_now_us(s->cfg.loop);
    if (r->done) {
        s->stats.pieces += r->err == VA_OK;
        s->stats.failed += r->err != VA_OK;
        if (s->queued) {
            pop(s);
            s->queued--;
        }
        if (!s->queued && s->state == SPEECH_ON)
            gap(s);
    }
    if (s->queued && (r->done || s->queued == 1))
        piece_at(s, 0)->at_us = now;
}

void ws_speech_written(struct ws_speech *s, const char *path)
{
    if (s->queued == s->count)
        return; /* none of ours */
    struct piece *p = piece_at(s, s->queued);
    struct esl_execute x = {.app = "playback", .arg = str_of(path)};
    struct esl_then then = {on_played, s, PLAYBACK_TIMEOUT_MS};
    if (!p->dead && path && !esl_session_execute(s->cfg.control, &x, &then)) {
        s->queued++;
        return;
    }
    s->stats.failed += !p->dead;
    for (size_t i = s->queued; i + 1 < s->count; i++)
        *piece_at(s, i) = *piece_at(s, i + 1);
    s->count--;
}

/* ---- speech ---------------------------------------------------------------------------------- */

static bool is_silence(const int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (samples[i])
            return false;
    return true;
}

static size_t target(const struct ws_speech *s)
{
    uint32_t ms = s->state == SPEECH_FIRST ? s->first_ms : WS_PIECE_MS;
    return (size_t)s->cfg.rate_hz / 1000 * ms;
}

/* One frame fits behind a piece that is not full yet. */
static size_t piece_room(int rate_hz)
{
    return (size_t)(rate_hz / 1000 * (WS_FIRST_PIECE_MAX_MS + MEDIA_PTIME_MAX_MS));
}

void ws_speech_feed(struct ws_speech *s, const int16_t *samples, size_t count)
{
    bool silence = is_silence(samples, count);
    if (count > piece_room(s->cfg.rate_hz) - s->len || (silence && s->state == SPEECH_SILENT))
        return;
    if (s->state == SPEECH_SILENT)
        s->state = SPEECH_FIRST;
    memcpy(s->piece + s->len, samples, count * sizeof(*samples));
    s->len += count;
    s->pause = silence ? s->pause + count : 0;
    if (to_ms(s, s->pause) >= WS_PAUSE_MS) {
        s->len = s->len > s->pause ? s->len - s->pause : 0;
        send_piece(s);
        s->state = SPEECH_SILENT;
        s->pause = 0;
    } else if (s->len >= target(s)) {
        send_piece(s);
        s->state = SPEECH_ON;
    }
}

uint32_t ws_speech_lead_ms(const struct ws_speech *s)
{
    uint64_t ms = to_ms(s, s->len);
    for (size_t i = 0; i < s->count; i++) {
        const struct piece *p = &s->fifo[(s->head + i) % WS_PIECES_MAX];
        ms += p->dead ? 0 : p->ms;
    }
    if (!s->queued)
        return (uint32_t)ms;
    const struct piece *playing = &s->fifo[s->head];
    uint64_t elapsed = (loop_now_us(s->cfg.loop) - playing->at_us) / 1000;
    return (uint32_t)(ms - (elapsed < playing->ms ? elapsed : playing->ms));
}

uint32_t ws_speech_flush(struct ws_speech *s)
{
    uint32_t unheard = ws_speech_lead_ms(s);
    s->state = SPEECH_SILENT;
    s->len = s->pause = 0;
    if (!s->count)
        return unheard;
    if (s->queued) {
        enum va_err err =
            esl_uuid_break(esl_session_switch(s->cfg.control), s->cfg.uuid, true, NULL);
        s->stats.failed += err != VA_OK;
        esl_session_drop_executes(s->cfg.control, s);
    }
    for (; s->queued; s->queued--)
        pop(s);
    for (size_t i = 0; i < s->count; i++)
        piece_at(s, i)->dead = true;
    return unheard;
}

bool ws_speech_stuck(const struct ws_speech *s, uint64_t ms)
{
    if (s->queued == s->count)
        return false;
    const struct piece *oldest = &s->fifo[(s->head + s->queued) % WS_PIECES_MAX];
    return loop_now_us(s->cfg.loop) - oldest->at_us > ms * 1000;
}

void ws_speech_stats(const struct ws_speech *s, struct ws_speech_stats *ret_stats)
{
    *ret_stats = s->stats;
}

enum va_err ws_speech_new(const struct ws_speech_cfg *cfg, struct ws_speech **ret_speech)
{
    struct ws_speech *s = calloc(1, sizeof(*s));
    if (!s)
        return VA_ENOMEM;
    s->cfg = *cfg;
    s->first_ms = WS_FIRST_PIECE_MS;
    s->piece = calloc(piece_room(cfg->rate_hz), sizeof(*s->piece));
    if (!s->piece) {
        free(s);
        return VA_ENOMEM;
    }
    *ret_speech = s;
    return VA_OK;
}

void ws_speech_free(struct ws_speech **ps)
{
    struct ws_speech *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    tmr_stop(&s->poke);
    esl_session_forget(s->cfg.control, s);
    free(s->piece);
    free(s);
}
