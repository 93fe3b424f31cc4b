/*
 *     dual:       expect ─► uuid_audio_stream start ─► stream comes to the hub ─┐
 *     websocket:  the stream the call was made of (once; then as dual) ──────────┤
 *                                      STARTING: audio in, a way of playback out ▼
 *                                                                 RUNNING ─► FAILED
 *                                                                    └─► RELEASING ─► RELEASED
 */
#include "esl/commands.h"
#include "leg/websocket_int.h"
#include "media/format.h"

#include <stdio.h>
#include <stdlib.h>

enum { WS_RATE_MAX = 16000 /* of the stream that we ask for: speech has no more */ };

/* ---- failure --------------------------------------------------------------------------------- */

static void quiet(struct leg *leg)
{
    tmr_stop(&leg->watch);
    tmr_stop(&leg->burst);
    tmr_stop(&leg->play_tmr);
}

void ws_leg_fail(struct leg *leg, enum va_err why, const char *cause)
{
    if (leg->state >= WS_LEG_FAILED)
        return;
    leg->state = WS_LEG_FAILED;
    quiet(leg);
    leg->h->on_failed(leg->arg, why, cause);
}

static void on_never_started(void *arg)
{
    struct leg *leg = arg;
    char cause[400], at[NET_ADDR_TEXT];
    struct net_addr listening;
    ws_hub_addr(leg->cfg.env->ws, &listening);
    net_addr_text(&listening, at);
    if (leg->state == WS_LEG_WAITING && leg->refused)
        (void)snprintf(cause, sizeof(cause),
                       "FreeSWITCH refused uuid_audio_stream and no stream of its own came: is the "
                       "channel answered, and has it no other stream?");
    else if (leg->state == WS_LEG_WAITING)
        (void)snprintf(cause, sizeof(cause),
                       "FreeSWITCH did not open its stream to us (TCP %s): check the firewall and "
                       "WS_ADVERTISE_URL",
                       at);
    else if (!leg->audio)
        (void)snprintf(cause, sizeof(cause),
                       "the stream is open but no audio comes in it: is the channel answered, and "
                       "does the caller send?");
    else
        (void)snprintf(cause, sizeof(cause), "no way to be heard was found in time: WS_PLAYBACK");
    ws_leg_fail(leg, VA_ETIMEOUT, cause);
}

static void on_lost_check(void *arg)
{
    struct leg *leg = arg;
    if (leg->stats.frames_in == leg->seen_at_watch) {
        ws_leg_fail(leg, VA_ETIMEOUT,
                    "audio stopped in the WebSocket stream: network, or FreeSWITCH paused it");
        return;
    }
    leg->seen_at_watch = leg->stats.frames_in;
    tmr_start(&leg->watch, leg->cfg.loop, (uint64_t)leg->cfg.settings->media_lost_timeout_ms,
              on_lost_check, leg);
}

/* ---- start ----------------------------------------------------------------------------------- */

bool ws_leg_maybe_start(struct leg *leg)
{
    if (leg->state != WS_LEG_STARTING || !leg->audio || !ws_leg_play_ready(leg))
        return true;
    leg->state = WS_LEG_RUNNING;
    leg->seen_at_watch = leg->stats.frames_in;
    tmr_start(&leg->watch, leg->cfg.loop, (uint64_t)leg->cfg.settings->media_lost_timeout_ms,
              on_lost_check, leg);
    const struct leg_format format = {leg->cfg.rate_hz, leg->ptime_ms};
    bool gone = false;
    leg->gone = &gone;
    leg->h->on_started(leg->arg, &format);
    if (!gone)
        leg->gone = NULL;
    return !gone;
}

/* The URL may say how the stream's bytes are to be read. */
static void take_facts(struct leg *leg, const struct ws_stream_facts *f)
{
    leg->peer = f->peer;
    if (f->codec)
        leg->told.wire.codec = f->codec;
    if (f->rate_hz)
        leg->told.wire.rate_hz = f->rate_hz;
    if (f->channels)
        leg->told.wire.channels = f->channels;
    if (f->playback)
        leg->wanted = f->playback;
}

static enum va_err serve(struct leg *leg, struct ws_stream *stream)
{
    const struct ws_cfg cfg = {
        .message_max = WS_LEG_MESSAGE_MAX, .out_max = WS_LEG_OUT_MAX, .ping_ms = WS_LEG_PING_MS};
    take_facts(leg, ws_stream_facts(stream));
    leg->state = WS_LEG_OPENING;
    return ws_stream_take(&stream, leg->cfg.loop, &cfg, &ws_leg_conn_handlers, leg, &leg->conn);
}

static void on_stream(void *arg, struct ws_stream *stream)
{
    struct leg *leg = arg;
    leg->channel_streams = true;
    if (leg->state != WS_LEG_WAITING) {
        ws_stream_refuse(&stream, 404, "the call does not wait for it any more");
        return;
    }
    enum va_err err = serve(leg, stream);
    if (err)
        ws_leg_fail(leg, err, "the WebSocket stream could not be taken over");
}

/* ---- dual: ask for a stream ------------------------------------------------------------------ */

static void on_asked(void *arg, const struct esl_result *r)
{
    struct leg *leg = arg;
    if (!r->done)
        return;
    if (!r->err)
        return;
    leg->channel_streams = leg->state != WS_LEG_WAITING; /* the dialplan's came meanwhile */
    if (memmem(r->text.p ? r->text.p : "", r->text.len, "ot found", 8)) {
        ws_leg_fail(leg, VA_ENOTSUP,
                    "FreeSWITCH has no uuid_audio_stream: load mod_audio_stream, or use "
                    "AUDIO_MODE=esl, which needs no module");
        return;
    }
    leg->refused = true; /* perhaps the dialplan has a stream on the channel, which then comes */
}

static enum va_err ask_for_stream(struct leg *leg)
{
    char url[SETTING_TEXT_MAX + WS_TOKEN_TEXT + 16];
    struct esl_switch *sw = esl_session_switch(leg->cfg.control);
    /* Not set, they are what was on the stack of the module. */
    static const struct esl_field vars[] = {{"STREAM_MESSAGE_DEFLATE", STR_LIT("true")},
                                            {"STREAM_HEART_BEAT", STR_LIT("20")},
                                            {"STREAM_SUPPRESS_LOG", STR_LIT("true")}};
    enum va_err err = ws_wait_url(leg->wait, &leg->cfg.control_local, url, sizeof(url));
    if (!err) /* before it starts: an error is told at once */
        err = ws_leg_subscribe(leg, NULL);
    if (!err)
        err = esl_uuid_setvar_multi(sw, leg->cfg.uuid, vars, sizeof(vars) / sizeof(vars[0]), NULL,
                                    NULL);
    leg->told.wire = (struct ws_wire){
        WS_CODEC_L16, leg->cfg.rate_hz < WS_RATE_MAX ? leg->cfg.rate_hz : WS_RATE_MAX, 1};
    const struct esl_audio_stream stream = {
        .url = url, .mix = ESL_MIX_MONO, .rate_hz = (unsigned)leg->told.wire.rate_hz};
    if (!err)
        err = esl_uuid_audio_stream_start(sw, leg->cfg.uuid, &stream,
                                          &(struct esl_then){on_asked, leg, 0});
    leg->channel_streams = !err; /* from now on, though it is answered later */
    return err;
}

/* ---- release --------------------------------------------------------------------------------- */

static void released(struct leg *leg)
{
    if (leg->state != WS_LEG_RELEASING)
        return;
    leg->state = WS_LEG_RELEASED;
    tmr_stop(&leg->watch);
    leg->h->on_released(leg->arg);
}

static void on_release_timer(void *arg)
{
    released(arg);
}

void ws_leg_stop_stream(struct leg *leg, const struct esl_then *then)
{
    enum va_err err = VA_ENOTSUP;
    if (leg->cfg.control && leg->dialect == WS_DIALECT_FORK) {
        char line[100];
        (void)snprintf(line, sizeof(line), "uuid_audio_fork %s stop", leg->cfg.uuid);
        err = esl_session_api(leg->cfg.control, str_of(line), then);
    } else if (leg->cfg.control) {
        err = esl_uuid_audio_stream_stop(esl_session_switch(leg->cfg.control), leg->cfg.uuid,
                                         str_make("", 0), then);
    }
    if (err && then) /* nothing to wait for */
        tmr_start(&leg->watch, leg->cfg.loop, 0, on_release_timer, leg);
}

/* ---- the table ------------------------------------------------------------------------------- */

static void ws_close_leg(struct leg **pleg)
{
    struct leg *leg = pleg ? *pleg : NULL;
    if (!leg)
        return;
    *pleg = NULL;
    if (leg->gone)
        *leg->gone = true;
    quiet(leg);
    ws_leg_play_end(leg);
    ws_wait_cancel(&leg->wait);
    if (leg->cfg.control)
        esl_session_forget(leg->cfg.control, leg);
    if (leg->channel_streams && leg->state < WS_LEG_RELEASING)
        ws_leg_stop_stream(leg, NULL); /* the module keeps its part on the channel without */
    ws_free(&leg->conn);
    ws_audio_free(&leg->audio);
    free(leg);
}

static struct leg *make(const char *mode, const struct leg_cfg *cfg,
                        const struct leg_handlers *handlers, void *arg)
{
    struct leg *leg = calloc(1, sizeof(*leg));
    if (!leg)
        return NULL;
    leg->mode = mode;
    leg->cfg = *cfg;
    leg->cfg.stream = NULL;
    leg->h = handlers;
    leg->arg = arg;
    leg->ptime_ms = WS_LEG_FRAME_MS;
    if (ws_playback_read(str_of(cfg->settings->ws_playback), &leg->wanted))
        leg->wanted = WS_PLAY_AUTO;
    tmr_start(&leg->watch, cfg->loop, (uint64_t)cfg->settings->media_start_timeout_ms,
              on_never_started, leg);
    return leg;
}

/* Of a stream that we ask for. */
static enum va_err open_asking(const char *mode, const struct leg_cfg *cfg,
                               const struct leg_handlers *handlers, void *arg, struct leg **ret_leg)
{
    if (!cfg->control || !cfg->env || !cfg->env->ws || !media_rate_valid(cfg->rate_hz))
        return VA_ENOTSUP;
    struct leg *leg = make(mode, cfg, handlers, arg);
    if (!leg)
        return VA_ENOMEM;
    enum va_err err = ws_hub_expect(cfg->env->ws, cfg->loop, cfg->uuid, on_stream, leg, &leg->wait);
    if (!err && !ws_wait_served(leg->wait))
        err = ask_for_stream(leg);
    if (err)
        ws_close_leg(&leg);
    else
        *ret_leg = leg;
    return err;
}

static enum va_err dual_open(const struct leg_cfg *cfg, const struct leg_handlers *handlers,
                             void *arg, struct leg **ret_leg)
{
    return open_asking("dual", cfg, handlers, arg, ret_leg);
}

static enum va_err websocket_open(const struct leg_cfg *cfg, const struct leg_handlers *handlers,
                                  void *arg, struct leg **ret_leg)
{
    struct ws_stream *stream = cfg->stream;
    if (!stream && cfg->stream_again)
        return open_asking("websocket", cfg, handlers, arg, ret_leg);
    if (!stream || !cfg->env || !cfg->env->ws)
        return VA_ENOTSUP;
    struct leg *leg = media_rate_valid(cfg->rate_hz) ? make("websocket", cfg, handlers, arg) : NULL;
    if (!leg) {
        ws_stream_refuse(&stream, 503, "out of memory");
        return media_rate_valid(cfg->rate_hz) ? VA_ENOMEM : VA_ENOTSUP;
    }
    leg->channel_streams = true;
    enum va_err err = serve(leg, stream);
    if (err)
        ws_close_leg(&leg);
    else
        *ret_leg = leg;
    return err;
}

static void ws_send_frame(struct leg *leg, const int16_t *samples, size_t count)
{
    if (leg->state == WS_LEG_RUNNING)
        ws_leg_play_send(leg, samples, count);
}

static uint32_t ws_flush(struct leg *leg)
{
    return leg->state == WS_LEG_RUNNING ? ws_leg_play_flush(leg) : 0;
}

static void ws_stats(const struct leg *leg, struct leg_stats *ret_stats)
{
    *ret_stats = leg->stats;
    if (leg->speech) {
        struct ws_speech_stats speech;
        ws_speech_stats(leg->speech, &speech);
        ret_stats->lead_ms = ws_speech_lead_ms(leg->speech);
        ret_stats->send_fails += speech.dropped + speech.failed;
        ret_stats->gaps = speech.gaps;
    }
}

static void ws_on_event(struct leg *leg, const struct esl_event *ev)
{
    if (leg->state < WS_LEG_FAILED)
        ws_leg_play_event(leg, ev);
}

static void on_stopped(void *arg, const struct esl_result *r)
{
    if (r->done)
        released(arg);
}

static void ws_release(struct leg *leg)
{
    (void)ws_flush(leg);
    leg->state = WS_LEG_RELEASING;
    quiet(leg);
    tmr_start(&leg->watch, leg->cfg.loop, LEG_RELEASE_MS, on_release_timer, leg);
    ws_leg_stop_stream(leg, &(struct esl_then){on_stopped, leg, LEG_RELEASE_MS});
}

const struct leg_ops leg_dual = {
    .name = "dual",
    .open = dual_open,
    .send = ws_send_frame,
    .flush = ws_flush,
    .on_event = ws_on_event,
    .stats = ws_stats,
    .release = ws_release,
    .close = ws_close_leg,
};

const struct leg_ops leg_websocket = {
    .name = "websocket",
    .open = websocket_open,
    .send = ws_send_frame,
    .flush = ws_flush,
    .on_event = ws_on_event,
    .stats = ws_stats,
    .release = ws_release,
    .close = ws_close_leg,
};
