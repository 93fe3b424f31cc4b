/**
 * leg/ws_speech.h: our side of a conversation as text messages of mod_audio_stream (`streamAudio`)
 * or mod_audio_fork (`playAudio`).
 *
 *     feed ─► [piece] ─streamAudio─► module writes a file ─`::play`─► playback of it on the channel
 *
 * The open edition plays nothing by itself. Its file is played by `execute playback`, which begins
 * in the frame where the one before it ends; uuid_broadcast puts 100 ms of silence in front of each
 * (lead-frames, switch_ivr_async.c). The first piece is longer than those behind it: what it is
 * longer by is how much later than the first another may be without a gap.
 */
#ifndef VA_LEG_WS_SPEECH_H
#define VA_LEG_WS_SPEECH_H

#include "esl/session.h"
#include "net/ws.h"

enum {
    WS_FIRST_PIECE_MS = 160,
    WS_FIRST_PIECE_MAX_MS = 400, /**< it grows to, by half a piece after every gap */
    WS_PIECE_MS = 100,
    WS_PAUSE_MS = 60,  /**< of silence ends a piece; nothing is sent while it lasts */
    WS_PIECES_MAX = 16 /**< on their way or queued; over it what comes is dropped */
};

enum ws_dialect { WS_DIALECT_STREAM, WS_DIALECT_FORK };

/** One message. @return as ws_send(), VA_ENOMEM */
VA_CHECK enum va_err ws_speech_send(struct ws_conn *conn, enum ws_dialect dialect, int rate_hz,
                                    const int16_t *samples, size_t count);

struct ws_speech;

struct ws_speech_cfg {
    struct loop *loop;
    struct ws_conn *conn;        /**< borrowed, outlives it */
    struct esl_session *control; /**< borrowed, outlives it */
    const char *uuid;            /**< of the channel, borrowed */
    enum ws_dialect dialect;
    int rate_hz;
};
VA_CHECK enum va_err ws_speech_new(const struct ws_speech_cfg *cfg, struct ws_speech **ret_speech);
/** What is queued at FreeSWITCH stays. NULL-safe. */
void ws_speech_free(struct ws_speech **s);

/** One frame of the call, once per tick, silence too. */
void ws_speech_feed(struct ws_speech *s, const int16_t *samples, size_t count);
/** The module wrote the oldest piece whose file was not told yet. `path` NULL: it could not. */
void ws_speech_written(struct ws_speech *s, const char *path);
/** Silence now. @return how much of what was fed nobody hears [ms] */
uint32_t ws_speech_flush(struct ws_speech *s);
/** Fed and not audible yet [ms], by when FreeSWITCH said a piece ended, and the clock. */
uint32_t ws_speech_lead_ms(const struct ws_speech *s);
/** Pieces on their way whose file is overdue since `ms`: the events do not come. */
bool ws_speech_stuck(const struct ws_speech *s, uint64_t ms);

struct ws_speech_stats {
    uint64_t pieces, failed; /**< played or refused by FreeSWITCH */
    uint64_t gaps;           /**< FreeSWITCH had nothing to play in the middle of speech */
    uint64_t dropped;        /**< not sent: WS_PIECES_MAX, or no room in the socket */
};
void ws_speech_stats(const struct ws_speech *s, struct ws_speech_stats *ret_stats);

#endif
