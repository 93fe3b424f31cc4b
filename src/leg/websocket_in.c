/*
 *     message ─► ws_audio ─► up to WS_LEG_BURST frames at once, the rest by a timer ─► call
 *
 * TCP delivers late audio in one lump. The call takes lumps, but its recording and its ear do
 * better with frames that come about as fast as they were spoken.
 */
#include "leg/websocket_int.h"
#include "media/format.h"

#include <stdio.h>

bool ws_leg_frame(struct leg *leg, const int16_t *samples, size_t count, bool silence)
{
    bool gone = false;
    leg->stats.frames_in++;
    leg->gone = &gone;
    leg->h->on_frame(leg->arg, samples, count, silence);
    if (!gone)
        leg->gone = NULL;
    return !gone;
}

static void on_burst(void *arg);

/* @return false when the leg is gone */
static bool hand_on(struct leg *leg, size_t most)
{
    size_t count;
    const int16_t *samples;
    while (most-- && leg->state == WS_LEG_RUNNING && (samples = ws_audio_next(leg->audio, &count)))
        if (!ws_leg_frame(leg, samples, count, false))
            return false;
    if (leg->state == WS_LEG_RUNNING && ws_audio_frames(leg->audio))
        tmr_start(&leg->burst, leg->cfg.loop, WS_LEG_BURST_MS, on_burst, leg);
    return true;
}

static void on_burst(void *arg)
{
    (void)hand_on(arg, 1);
}

static void take_format(struct leg *leg, const struct ws_wire *told)
{
    if (told->codec)
        leg->told.wire.codec = told->codec;
    if (told->rate_hz)
        leg->told.wire.rate_hz = told->rate_hz;
    if (told->channels)
        leg->told.wire.channels = told->channels;
}

static void on_text(struct leg *leg, struct str text)
{
    struct ws_told told;
    if (ws_text_read(text, &told))
        return;
    if (!leg->audio) /* in mid-stream nothing changes any more */
        take_format(leg, &told.wire);
    if (leg->wanted == WS_PLAY_AUTO && told.playback && leg->state == WS_LEG_STARTING) {
        leg->wanted = told.playback;
        ws_leg_play_begin(leg); /* may be the end of the leg */
    } else if (told.digit && leg->state == WS_LEG_RUNNING && leg->h->on_digit) {
        leg->h->on_digit(leg->arg, told.digit);
    }
}

static enum va_err make_audio(struct leg *leg, size_t first_bytes)
{
    leg->wire = leg->told.wire;
    ws_wire_guess(&leg->wire, first_bytes);
    return ws_audio_new(&leg->wire, leg->cfg.rate_hz, leg->ptime_ms, &leg->audio);
}

static void on_audio(struct leg *leg, const char *p, size_t len)
{
    if (leg->state != WS_LEG_STARTING && leg->state != WS_LEG_RUNNING)
        return;
    if (!leg->audio && make_audio(leg, len)) {
        ws_leg_fail(leg, VA_ENOMEM, "no memory for the stream's audio");
        return;
    }
    ws_audio_feed(leg->audio, p, len);
    leg->stats.lost = ws_audio_dropped(leg->audio);
    if (leg->state == WS_LEG_STARTING && !ws_leg_maybe_start(leg))
        return;
    if (leg->state == WS_LEG_RUNNING && !tmr_running(&leg->burst))
        (void)hand_on(leg, WS_LEG_BURST);
}

static void on_open(void *arg, struct str subprotocol)
{
    struct leg *leg = arg;
    if (leg->state != WS_LEG_OPENING)
        return;
    leg->state = WS_LEG_STARTING;
    leg->dialect = subprotocol.len ? WS_DIALECT_FORK : WS_DIALECT_STREAM;
    if (leg->wanted == WS_PLAY_AUTO && str_eqz(subprotocol, "audio.jambonz.org"))
        leg->wanted = WS_PLAY_BINARY;
    ws_leg_play_begin(leg);
}

static void on_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct leg *leg = arg;
    if (kind == WS_TEXT)
        on_text(leg, str_make(p, len));
    else
        on_audio(leg, p, len);
}

static void on_goodbye_over(void *arg)
{
    ws_leg_fail(arg, VA_ECLOSED,
                "FreeSWITCH closed its WebSocket stream and the call goes on: did something stop "
                "it (uuid_audio_stream stop)?");
}

static void on_closed(void *arg, const struct ws_end *end)
{
    struct leg *leg = arg;
    char cause[300];
    (void)snprintf(cause, sizeof(cause), "the WebSocket stream ended (code %u): %.200s", end->code,
                   end->text ? end->text : "");
    enum va_err err = end->err;
    ws_free(&leg->conn);
    if (leg->state == WS_LEG_RUNNING && leg->play == PLAY_UNICAST) {
        if (err) /* not the good-bye before a hang-up */
            log_warn("leg", &leg->cfg.log, "stream-lost", "cause", cause, "now", "unicast", NULL);
        leg->unicast_hears = true;
    } else if (leg->state == WS_LEG_RUNNING && !err) {
        leg->state = WS_LEG_ENDING;
        tmr_stop(&leg->play_tmr);
        tmr_start(&leg->watch, leg->cfg.loop, WS_LEG_GOODBYE_MS, on_goodbye_over, leg);
    } else {
        ws_leg_fail(leg, err ? err : VA_ECLOSED, cause);
    }
}

const struct ws_handlers ws_leg_conn_handlers = {
    .on_request = ws_stream_answer,
    .on_open = on_open,
    .on_message = on_message,
    .on_closed = on_closed,
};
