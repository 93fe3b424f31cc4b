/* The caller's voice out, the agent's voice in. */
#include "fakefs/call_int.h"
#include "media/measure.h"

#include <stdlib.h>

static void on_tick(void *arg, uint64_t now_us);

bool call_media_open(struct fakefs_call *c)
{
    unsigned ptime = c->cfg.ptime_ms ? c->cfg.ptime_ms : 20;
    c->frame = call_rate_hz(c) / 1000u * ptime;
    c->noise = 1;
    fakefs_meter_init(&c->meter, ptime, c->cfg.lateness);
    if (c->cfg.wav && !(c->heard = calloc(HEARD_MAX, sizeof(*c->heard))))
        return false;
    return media_clock_join(c->cfg.clock, &c->tick, (int)ptime, on_tick, c) == VA_OK;
}

void call_media_close(struct fakefs_call *c)
{
    media_clock_leave(&c->tick);
    call_unicast_stop(c);
    call_drop_line(c);
    call_stream_close(c);
}

/* ---- agent ---------------------------------------------------------------------------------- */

static void keep_heard(struct fakefs_call *c, const int16_t *pcm, size_t n)
{
    if (!c->heard || n > HEARD_MAX - c->heard_count)
        return;
    memcpy(c->heard + c->heard_count, pcm, n * sizeof(*pcm));
    c->heard_count += n;
}

static void tell_gate(struct fakefs_call *c, enum fakefs_gate_event event)
{
    if (event == GATE_ONSET)
        c->h->on_agent(c->arg, true, c->gate.onset_us);
    else if (event == GATE_OFFSET)
        c->h->on_agent(c->arg, false, c->gate.last_us);
}

void call_hear(struct fakefs_call *c, uint64_t at_us, const int16_t *pcm, size_t n)
{
    if (!c->stats.first_frame_us)
        c->stats.first_frame_us = at_us;
    keep_heard(c, pcm, n);
    tell_gate(c, fakefs_gate_feed(&c->gate, pcm, n, at_us));
}

/* Whoever it is from: FreeSWITCH does not look at it either. */
static void on_datagram(void *arg, uint64_t now, const void *p, size_t len)
{
    struct fakefs_call *c = arg;
    c->stats.received++;
    if (len != c->frame * 2) {
        c->stats.odd++;
        return;
    }
    int16_t pcm[MEDIA_FRAME_MAX];
    memcpy(pcm, p, len);
    fakefs_meter_add(&c->meter, now);
    call_hear(c, now, pcm, c->frame);
}

void call_unicast_start(struct fakefs_call *c, const struct fakefs_unicast *where)
{
    struct net_addr local;
    if (net_addr_parse(where->local_ip, where->local_port, &local) ||
        net_addr_parse(where->remote_ip, where->remote_port, &c->remote) ||
        fakefs_sock_open(c->loop, &local, on_datagram, c, &c->udp)) {
        c->udp = NULL;
        c->h->on_note(c->arg, FAKEFS_NOTE_UNICAST, "cannot bind: no audio, as in FreeSWITCH");
    }
}

void call_unicast_stop(struct fakefs_call *c)
{
    if (!c->udp)
        return;
    fakefs_sock_close(&c->udp);
    fakefs_meter_end(&c->meter);
}

/* ---- caller --------------------------------------------------------------------------------- */

static void fill_silence(struct fakefs_call *c, int16_t *out, size_t n)
{
    if (c->cfg.silence == FAKEFS_SILENCE_FF && !c->line && !c->stream) { /* unicast's own */
        memset(out, 0xFF, n * sizeof(*out));
        return;
    }
    memset(out, 0, n * sizeof(*out));
    for (size_t i = 0; c->cfg.silence == FAKEFS_SILENCE_NOISE && i < n; i++) {
        c->noise = c->noise * 1664525u + 1013904223u;
        out[i] = (int16_t)((int)(c->noise >> 26) - 32); /* ±32: about −65 dBFS */
    }
}

static void tell_caller(struct fakefs_call *c, size_t from, uint64_t now_us)
{
    if (from <= c->clip.speech_at && c->clip.speech_at < c->at)
        c->h->on_caller(c->arg, true, now_us);
    if (from < c->clip.speech_end && c->clip.speech_end <= c->at)
        c->h->on_caller(c->arg, false, now_us);
}

/* The caller's next frame. Handlers may start another clip, so they are told last. */
static bool next_frame(struct fakefs_call *c, int16_t *out, size_t *ret_from)
{
    *ret_from = c->at;
    if (c->pause_left) {
        c->pause_left = c->pause_left > c->frame ? c->pause_left - c->frame : 0;
        fill_silence(c, out, c->frame);
        return false;
    }
    if (!c->playing) {
        fill_silence(c, out, c->frame);
        return false;
    }
    size_t left = c->clip.count - c->at, n = left < c->frame ? left : c->frame;
    memcpy(out, c->clip.pcm + c->at, n * sizeof(*out));
    if (n < c->frame)
        memset(out + n, 0, (c->frame - n) * sizeof(*out));
    c->at += n;
    return true;
}

static void end_clip(struct fakefs_call *c)
{
    if (!c->playing || c->at < c->clip.count)
        return;
    c->playing = c->forever;
    c->at = 0;
    if (c->forever)
        c->pause_left = c->pause_ms * (call_rate_hz(c) / 1000u);
}

static void record(struct fakefs_call *c, const int16_t *caller)
{
    int16_t both[2 * MEDIA_FRAME_MAX];
    size_t n = c->heard_count < c->frame ? c->heard_count : c->frame;
    for (size_t i = 0; i < c->frame; i++) {
        both[2 * i] = caller ? caller[i] : 0;
        both[2 * i + 1] = i < n ? c->heard[i] : 0;
    }
    c->heard_count -= n;
    memmove(c->heard, c->heard + n, c->heard_count * sizeof(*c->heard));
    if (wav_writer_write(c->cfg.wav, both, c->frame, NULL))
        c->cfg.wav = NULL; /* the disk is full: the call goes on */
}

static void press_keys(struct fakefs_call *c, uint64_t now_us)
{
    if (!c->key_count || now_us < c->key_due_us)
        return;
    if (c->line && fakefs_line_up(c->line) &&
        fakefs_rtp_digit(fakefs_line_rtp(c->line), c->keys[0], KEY_MS))
        c->h->on_note(c->arg, FAKEFS_NOTE_LINE, "a key is lost: no telephone-event was agreed");
    if (c->session)
        fakefs_session_dtmf(c->session, c->keys[0], KEY_MS);
    memmove(c->keys, c->keys + 1, --c->key_count);
    c->key_due_us = c->key_count ? now_us + KEY_GAP_MS * 1000ull : 0;
    call_rearm(c);
}

static bool media_flows(const struct fakefs_call *c)
{
    if (c->line)
        return fakefs_line_up(c->line);
    return c->udp && fakefs_session_media_flows(c->session);
}

static void send_frame(struct fakefs_call *c, const int16_t *frame)
{
    if (c->line && c->audio_failed)
        fakefs_rtp_skip(fakefs_line_rtp(c->line));
    else if (c->line)
        (void)fakefs_rtp_send(fakefs_line_rtp(c->line), frame, c->frame);
    else if (!c->audio_failed && fakefs_sock_send(c->udp, &c->remote, frame, c->frame * 2))
        c->stats.sent++;
}

static void on_tick(void *arg, uint64_t now_us)
{
    struct fakefs_call *c = arg;
    int16_t frame[MEDIA_FRAME_MAX];
    bool flows = media_flows(c), streams = c->stream != NULL, spoke = false;
    size_t from = 0;
    if (flows || streams)
        spoke = next_frame(c, frame, &from);
    if (flows)
        send_frame(c, frame);
    if (streams && !c->audio_failed)
        fakefs_stream_send(c->stream, frame, c->frame);
    c->stats.sent += streams && !flows && !c->audio_failed;
    call_stream_tick(c, now_us);
    if (c->cfg.wav)
        record(c, flows || streams ? frame : NULL);
    tell_gate(c, fakefs_gate_idle(&c->gate, now_us));
    press_keys(c, now_us);
    if (spoke) {
        bool last = c->at >= c->clip.count;
        tell_caller(c, from, now_us);
        if (last)
            end_clip(c);
    }
}

void fakefs_call_play(struct fakefs_call *c, const struct fakefs_clip *clip)
{
    c->clip = *clip;
    c->at = 0;
    c->pause_left = 0;
    c->forever = false;
    c->playing = clip->count > 0;
}

void fakefs_call_play_forever(struct fakefs_call *c, const struct fakefs_clip *clip,
                              uint32_t pause_ms)
{
    fakefs_call_play(c, clip);
    c->forever = c->playing;
    c->pause_ms = pause_ms;
}

bool fakefs_call_playing(const struct fakefs_call *c)
{
    return c->playing;
}

void fakefs_call_set_silence(struct fakefs_call *c, enum fakefs_silence silence)
{
    c->cfg.silence = silence;
}

void fakefs_call_fail_audio(struct fakefs_call *c, bool failed)
{
    c->audio_failed = failed;
}

static void ignore_datagram(void *arg, uint64_t at_us, const void *p, size_t len)
{
    (void)arg;
    (void)at_us;
    (void)p;
    (void)len;
}

void fakefs_call_inject(struct fakefs_call *c, enum fakefs_inject what, unsigned count)
{
    int16_t noise[MEDIA_FRAME_MAX];
    struct fakefs_sock *other = NULL;
    struct net_addr any = c->remote;
    if (c->line && what == FAKEFS_INJECT_FOREIGN)
        fakefs_rtp_inject_foreign(fakefs_line_rtp(c->line), count);
    else if (c->line)
        fakefs_rtp_inject_garbage(fakefs_line_rtp(c->line), count);
    if (c->line || !c->udp)
        return;
    for (size_t i = 0; i < c->frame; i++)
        noise[i] = (int16_t)(rand_below(40000) - 20000);
    net_addr_set_port(&any, 0);
    if (what == FAKEFS_INJECT_FOREIGN &&
        fakefs_sock_open(c->loop, &any, ignore_datagram, c, &other))
        return;
    static const size_t sizes[] = {0, 1, 7, 319, 1472, 2880};
    for (unsigned i = 0; i < count; i++) {
        size_t bytes = other ? c->frame * 2 : sizes[i % 6];
        (void)fakefs_sock_send(other ? other : c->udp, &c->remote, noise, bytes);
    }
    fakefs_sock_close(&other);
}

void fakefs_clip_of(const struct pcm *pcm, struct fakefs_clip *ret)
{
    enum { QUIET = 600 };
    struct measure_run run = measure_active(pcm_samples(pcm), pcm_count(pcm), QUIET);
    ret->pcm = pcm_samples(pcm);
    ret->count = pcm_count(pcm);
    ret->speech_at = run.at;
    ret->speech_end = run.len ? run.at + run.len : pcm_count(pcm);
}
