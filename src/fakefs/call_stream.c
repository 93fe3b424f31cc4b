/* A channel's WebSocket stream: the caller's audio out, files or frames of the program in. */
#include "fakefs/call_int.h"

#include <stdio.h>

static void note(struct fakefs_call *c, const char *text)
{
    c->h->on_note(c->arg, FAKEFS_NOTE_STREAM, text);
}

static void on_open(void *arg)
{
    struct fakefs_call *c = arg;
    note(c, "connected");
    fakefs_session_custom(c->session, "mod_audio_stream::connect", "{\"status\":\"connected\"}");
    call_rearm(c);
}

static void on_play(void *arg, const char *body)
{
    struct fakefs_call *c = arg;
    fakefs_session_custom(c->session, "mod_audio_stream::play", body);
    call_rearm(c);
}

static void on_frame(void *arg, uint64_t at_us, const int16_t *pcm, size_t n)
{
    struct fakefs_call *c = arg;
    c->stats.received++;
    fakefs_meter_add(&c->meter, at_us);
    call_hear(c, at_us, pcm, n);
}

static void on_end(void *arg, bool opened, const char *text)
{
    struct fakefs_call *c = arg;
    note(c, text);
    call_stream_close(c);
    if (c->cfg.inbound && !c->opened) {
        (void)str_copy(c->why_text, sizeof(c->why_text), str_of(text));
        call_over(c, VA_EREFUSED);
        return;
    }
    if (opened)
        fakefs_session_custom(c->session, "mod_audio_stream::disconnect",
                              "{\"status\":\"disconnected\",\"message\":{\"code\":1000,"
                              "\"reason\":\"closed\"}}");
    else
        fakefs_session_custom(c->session, "mod_audio_stream::error",
                              "{\"status\":\"error\",\"message\":{\"code\":1,"
                              "\"error\":\"connection failed\"}}");
    call_rearm(c);
}

static const struct fakefs_stream_handlers handlers = {on_open, on_play, on_frame, on_end};

bool call_stream_start(void *arg, const struct fakefs_stream_ask *ask)
{
    struct fakefs_call *c = arg;
    const struct fakefs_stream_cfg cfg = {.loop = c->loop,
                                          .url = ask->url,
                                          .metadata = ask->metadata,
                                          .uuid = fakefs_session_channel(c->session)->uuid,
                                          .rate_hz = ask->rate_hz,
                                          .call_rate_hz = (int)call_rate_hz(c),
                                          .module = c->cfg.module};
    return !c->stream && fakefs_stream_open(&cfg, &handlers, c, &c->stream) == VA_OK;
}

/* ---- AUDIO_MODE=websocket: the dialplan began the stream ---------------------------------------
 */

static void on_bound(void *arg, struct tcp_conn *tcp, struct str first)
{
    struct fakefs_call *c = arg;
    call_bound(c, tcp);
    fakefs_session_input(c->session, first.p, first.len);
    call_rearm(c);
}

enum va_err call_bindable(struct fakefs_call *c)
{
    static const char hole[] = "{uuid}";
    const char *url = c->cfg.stream_url, *at = strstr(url, hole);
    struct fakefs_stream_ask ask = {.metadata = "",
                                    .rate_hz = call_rate_hz(c) < 16000 ? 8000 : 16000};
    struct buf full;
    buf_init(&full, 1024);
    buf_adds(&full, str_make(url, at ? (size_t)(at - url) : strlen(url)));
    if (at) {
        buf_addz(&full, fakefs_session_channel(c->session)->uuid);
        buf_addz(&full, at + sizeof(hole) - 1);
    }
    buf_addc(&full, 0);
    c->stats.opened_us = loop_now_us(c->loop);
    ask.url = full.p;
    bool begun = !buf_failed(&full) && call_stream_start(c, &ask);
    buf_free(&full);
    if (!begun)
        return VA_EINVAL;
    c->bindable.uuid = fakefs_session_channel(c->session)->uuid;
    c->bindable.on_bound = on_bound;
    c->bindable.arg = c;
    fakefs_inbound_add(c->cfg.inbound, &c->bindable);
    return VA_OK;
}

void call_stream_close(struct fakefs_call *c)
{
    call_play_stop(c);
    fakefs_stream_close(&c->stream);
}

bool call_stream_stop(void *arg)
{
    struct fakefs_call *c = arg;
    bool was = c->stream != NULL;
    if (was)
        note(c, "stopped");
    fakefs_stream_close(&c->stream); /* what plays goes on */
    return was;
}

bool call_play(void *arg, const char *path)
{
    struct fakefs_call *c = arg;
    struct pcm *pcm = c->stream ? fakefs_stream_file(c->stream, path) : NULL;
    if (!pcm)
        return false;
    pcm_unref(&c->file);
    c->file = pcm_ref(pcm);
    c->file_at = 0;
    return true;
}

void call_play_stop(void *arg)
{
    struct fakefs_call *c = arg;
    pcm_unref(&c->file);
}

void call_stream_tick(struct fakefs_call *c, uint64_t now_us)
{
    if (!c->file)
        return;
    size_t left = pcm_count(c->file) - c->file_at, n = left < c->frame ? left : c->frame;
    const int16_t *at = pcm_samples(c->file) + c->file_at;
    c->file_at += n;
    c->stats.received++; /* our own pace says nothing of the program's: not metered */
    call_hear(c, now_us, at, n);
    if (n < left)
        return;
    fakefs_session_played(c->session);
    call_rearm(c);
}
