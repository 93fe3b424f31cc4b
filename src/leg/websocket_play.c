/*
 * How the caller hears us, when nobody said (WS_PLAYBACK=auto):
 *
 *     mod_audio_fork of jambonz ─────────────────────────────► binary frames
 *     else, channel parked: unicast, a frame within 400 ms ──► unicast
 *     else a silent piece is sent: `::play` within 600 ms ───► files (open edition)
 *     else ──────────────────────────────────────────────────► JSON, the module plays by itself
 */
#include "esl/commands.h"
#include "leg/websocket_int.h"
#include "media/format.h"

#include <stdio.h>

static const char *const play_names[] = {
    [PLAY_NONE] = "none",     [PLAY_TRIES_UNICAST] = "tries-unicast",
    [PLAY_PROBES] = "probes", [PLAY_UNICAST] = "unicast",
    [PLAY_FILES] = "files",   [PLAY_JSON] = "json",
    [PLAY_BINARY] = "binary",
};

bool ws_leg_play_ready(const struct leg *leg)
{
    return leg->play >= PLAY_UNICAST;
}

/* @return false when the leg is gone */
static bool settle(struct leg *leg, enum ws_leg_play play)
{
    tmr_stop(&leg->play_tmr);
    leg->play = play;
    log_info("leg", &leg->cfg.log, "playback", "mode", leg->mode, "way", play_names[play], NULL);
    return ws_leg_maybe_start(leg);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* On an outbound session these come for its own channel only. The open edition reserves no name for
 * ::play; subscribing works all the same. */
enum va_err ws_leg_subscribe(struct leg *leg, const struct esl_then *then)
{
    static const char events[] =
        "event plain CUSTOM mod_audio_stream::play mod_audio_stream::error "
        "mod_audio_stream::disconnect mod_audio_fork::play_audio mod_audio_fork::connect_failed";
    if (leg->subscribed)
        return VA_OK;
    enum va_err err =
        esl_session_command(leg->cfg.control, str_make(events, sizeof(events) - 1), then);
    leg->subscribed = !err;
    return err;
}

static enum va_err make_speech(struct leg *leg)
{
    if (leg->speech)
        return VA_OK;
    enum va_err err = leg->cfg.control ? ws_leg_subscribe(leg, NULL) : VA_ENOTSUP;
    if (err)
        return err;
    const struct ws_speech_cfg cfg = {.loop = leg->cfg.loop,
                                      .conn = leg->conn,
                                      .control = leg->cfg.control,
                                      .uuid = leg->cfg.uuid,
                                      .dialect = leg->dialect,
                                      .rate_hz = leg->cfg.rate_hz};
    return ws_speech_new(&cfg, &leg->speech);
}

static void on_stuck_check(void *arg)
{
    struct leg *leg = arg;
    if (leg->play != PLAY_FILES)
        return;
    if (ws_speech_stuck(leg->speech, WS_LEG_STUCK_MS)) {
        ws_leg_fail(leg, VA_ETIMEOUT,
                    "FreeSWITCH does not tell where it put what shall be played "
                    "(mod_audio_stream::play): is its temp_dir writable? WS_PLAYBACK=binary is "
                    "for modules that play by themselves");
        return;
    }
    tmr_start(&leg->play_tmr, leg->cfg.loop, WS_LEG_STUCK_MS / 2, on_stuck_check, leg);
}

static void use_files(struct leg *leg)
{
    enum va_err err = make_speech(leg);
    if (err) {
        ws_leg_fail(leg, err, "playback by files needs the call's control connection");
        return;
    }
    if (settle(leg, PLAY_FILES))
        tmr_start(&leg->play_tmr, leg->cfg.loop, WS_LEG_STUCK_MS / 2, on_stuck_check, leg);
}

static void on_no_event(void *arg)
{
    (void)settle(arg, PLAY_JSON);
}

static enum va_err send_probe(struct leg *leg)
{
    static const int16_t silence[MEDIA_FRAME_MAX];
    size_t count = (size_t)(leg->cfg.rate_hz / 1000 * WS_LEG_FRAME_MS);
    enum va_err err = ws_speech_send(leg->conn, leg->dialect, leg->cfg.rate_hz, silence, count);
    if (!err)
        tmr_start(&leg->play_tmr, leg->cfg.loop, WS_LEG_PROBE_MS, on_no_event, leg);
    return err;
}

static void on_subscribed(void *arg, const struct esl_result *r)
{
    struct leg *leg = arg;
    if (r->done && leg->play == PLAY_PROBES && leg->conn && send_probe(leg))
        (void)settle(leg, PLAY_JSON);
}

/* 20 ms of silence: what happens to it tells the edition. Its event would come for nobody before
 * FreeSWITCH has read that we want it: the two go by connections of their own. */
static void probe(struct leg *leg)
{
    if (leg->dialect == WS_DIALECT_FORK) {
        use_files(leg);
        return;
    }
    enum va_err err = VA_ENOTSUP;
    if (leg->cfg.control && leg->subscribed)
        err = send_probe(leg);
    else if (leg->cfg.control)
        err = ws_leg_subscribe(leg, &(struct esl_then){on_subscribed, leg, 0});
    if (err) {
        (void)settle(leg, PLAY_JSON);
        return;
    }
    leg->play = PLAY_PROBES;
}

/* ---- unicast --------------------------------------------------------------------------------- */

static void after_unicast(struct leg *leg, const char *cause)
{
    tmr_stop(&leg->play_tmr);
    leg_unicast.close(&leg->unicast);
    if (leg->unicast_hears || leg->wanted == WS_PLAY_UNICAST || !leg->conn) {
        ws_leg_fail(leg, VA_ETIMEOUT, cause);
        return;
    }
    log_info("leg", &leg->cfg.log, "no-unicast", "cause", cause, NULL);
    probe(leg);
}

static void on_unicast_late(void *arg)
{
    after_unicast(arg, "no frame came by unicast in time: UDP between FreeSWITCH and here?");
}

static void on_unicast_started(void *arg, const struct leg_format *format)
{
    struct leg *leg = arg;
    if (leg->ptime_ms != format->ptime_ms) /* what came is cut for another frame length */
        ws_audio_free(&leg->audio);
    leg->ptime_ms = format->ptime_ms;
    (void)settle(leg, PLAY_UNICAST);
}

static void on_unicast_frame(void *arg, const int16_t *samples, size_t count, bool silence)
{
    struct leg *leg = arg;
    if (leg->unicast_hears && leg->state == WS_LEG_RUNNING)
        (void)ws_leg_frame(leg, samples, count, silence);
}

static void on_unicast_failed(void *arg, enum va_err why, const char *cause)
{
    (void)why;
    after_unicast(arg, cause);
}

static const struct leg_handlers unicast_handlers = {
    .on_started = on_unicast_started,
    .on_frame = on_unicast_frame,
    .on_failed = on_unicast_failed,
};

/* Once: a second one on a channel can crash the switch (leg/unicast.c). */
static void try_unicast(struct leg *leg)
{
    if (leg->stats.unicast) {
        after_unicast(leg, "unicast was tried on this channel before");
        return;
    }
    leg->stats.unicast = true;
    enum va_err err = leg_unicast.open(&leg->cfg, &unicast_handlers, leg, &leg->unicast);
    if (err) {
        after_unicast(leg, "unicast is not possible here: it needs a parked channel");
        return;
    }
    leg->play = PLAY_TRIES_UNICAST;
    tmr_start(&leg->play_tmr, leg->cfg.loop, WS_LEG_UNICAST_MS, on_unicast_late, leg);
}

/* ---- from the leg ---------------------------------------------------------------------------- */

void ws_leg_play_begin(struct leg *leg)
{
    if (leg->wanted == WS_PLAY_UNICAST && leg->unicast)
        return; /* it is on its way already */
    ws_leg_play_end(leg);
    switch (leg->wanted) {
    case WS_PLAY_BINARY: (void)settle(leg, PLAY_BINARY); return;
    case WS_PLAY_JSON: (void)settle(leg, PLAY_JSON); return;
    case WS_PLAY_FILES: use_files(leg); return;
    case WS_PLAY_UNICAST: try_unicast(leg); return;
    case WS_PLAY_AUTO:
        if (leg->cfg.control && leg->cfg.parked)
            try_unicast(leg);
        else
            probe(leg);
    }
}

void ws_leg_play_send(struct leg *leg, const int16_t *samples, size_t count)
{
    enum va_err err = VA_OK;
    char wire[WS_AUDIO_WIRE_MAX];
    switch (leg->play) {
    case PLAY_UNICAST: leg_unicast.send(leg->unicast, samples, count); break;
    case PLAY_FILES: ws_speech_feed(leg->speech, samples, count); break;
    case PLAY_JSON:
        err = ws_speech_send(leg->conn, leg->dialect, leg->cfg.rate_hz, samples, count);
        break;
    case PLAY_BINARY:
        err =
            ws_send(leg->conn, WS_BINARY, wire, ws_audio_encode(leg->audio, samples, count, wire));
        break;
    default: return;
    }
    if (err)
        leg->stats.send_fails++;
    else
        leg->stats.frames_out++;
}

/* Modules that play by themselves hold a frame or two of what came at the pace of speech; the order
 * to forget them costs nothing. */
uint32_t ws_leg_play_flush(struct leg *leg)
{
    static const char stop[] = "{\"type\":\"stopAudio\"}", kill[] = "{\"type\":\"killAudio\"}";
    bool fork = leg->dialect == WS_DIALECT_FORK;
    if (leg->play == PLAY_FILES)
        return ws_speech_flush(leg->speech);
    if ((leg->play == PLAY_JSON || leg->play == PLAY_BINARY) && leg->conn &&
        ws_send(leg->conn, WS_TEXT, fork ? kill : stop, sizeof(stop) - 1))
        leg->stats.send_fails++;
    return 0;
}

static void on_play_event(struct leg *leg, const struct esl_event *ev)
{
    char path[300];
    bool told = ws_play_file(esl_event_body(ev), leg->cfg.uuid, path, sizeof(path)) == VA_OK;
    if (leg->play == PLAY_PROBES) {
        if (told)
            use_files(leg);
        return;
    }
    if (leg->play == PLAY_FILES && leg->state <= WS_LEG_RUNNING)
        ws_speech_written(leg->speech, told ? path : NULL);
}

void ws_leg_play_event(struct leg *leg, const struct esl_event *ev)
{
    struct str name = esl_event_get(ev, "Event-Subclass");
    if (str_eqz(name, "mod_audio_stream::play") || str_eqz(name, "mod_audio_fork::play_audio")) {
        on_play_event(leg, ev);
        return;
    }
    bool error =
        str_eqz(name, "mod_audio_stream::error") || str_eqz(name, "mod_audio_fork::connect_failed");
    if (!error || leg->state != WS_LEG_WAITING)
        return;
    char text[120], cause[400];
    ws_error_text(esl_event_body(ev), text, sizeof(text));
    (void)snprintf(cause, sizeof(cause),
                   "FreeSWITCH cannot open its stream to us: %s; check WS_ADVERTISE_URL, WS_HOST "
                   "and the firewall",
                   *text ? text : "not told why");
    ws_leg_fail(leg, VA_EREFUSED, cause);
}

void ws_leg_play_end(struct leg *leg)
{
    tmr_stop(&leg->play_tmr);
    leg_unicast.close(&leg->unicast);
    ws_speech_free(&leg->speech);
    leg->play = PLAY_NONE;
}
