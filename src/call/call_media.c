/*
 *     leg ─on_frame─► VAD, provider, message, capture ring ─┐
 *                                                           ├─► recorder (left caller, right agent)
 *     provider ─on_audio─► playout ─tick─► frame ─► leg ────┘
 */
#include "call/call_int.h"
#include "media/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ---- recording ------------------------------------------------------------------------------- */

/* What is left of a call while its recording is being finished. */
struct recording_job {
    struct call_worker *worker;
    char tenant[101], call[UUID_TEXT];
};

static void on_recorded(void *arg, const struct recorder_result *r)
{
    struct recording_job *job = arg;
    struct log_ctx ctx = {job->tenant, job->call};
    if (r->err)
        log_error("call", &ctx, "recording-failed", "path", r->path, "why", r->text, NULL);
    else
        log_info("call", &ctx, "recording", "path", r->path, "ms", log_num((int64_t)r->duration_ms),
                 "dropped", log_num((int64_t)r->dropped_samples), NULL);
    job->worker->jobs--;
    free(job);
}

static void recording_path(struct call *c)
{
    char when[25];
    clock_format_utc(c->record.started_us, when);
    for (char *p = when; *p; p++)
        if (*p == ':')
            *p = '-';
    when[19] = 0;
    (void)snprintf(c->record.recording, sizeof(c->record.recording), "%s/recordings/%s-%s.wav",
                   c->env->settings->data_dir, when, c->uuid);
}

static void start_recording(struct call *c)
{
    bool on = c->secretary->record < 0 ? c->env->settings->record_calls : c->secretary->record == 1;
    struct recording_job *job = on ? calloc(1, sizeof(*job)) : NULL;
    if (!job)
        return;
    recording_path(c);
    job->worker = c->worker;
    (void)str_copy(job->tenant, sizeof(job->tenant), str_of(c->record.tenant));
    (void)str_copy(job->call, sizeof(job->call), str_of(c->uuid));
    struct recorder_cfg cfg = {.path = c->record.recording, .rate_hz = c->format.rate_hz};
    size_t frame = (size_t)(c->format.rate_hz / 1000 * c->format.ptime_ms);
    c->capture = calloc(CALL_CAPTURE_FRAMES * frame, sizeof(*c->capture));
    enum va_err err =
        c->capture ? recorder_open(c->loop, c->env->disk, &cfg, on_recorded, job, &c->recorder)
                   : VA_ENOMEM;
    if (!err) {
        c->worker->jobs++;
        return;
    }
    log_error("call", &c->log, "recording-failed", "path", cfg.path, "why", va_err_text(err), NULL);
    *c->record.recording = 0;
    free(c->capture);
    c->capture = NULL;
    free(job);
}

/* Frames of the caller wait here for the next tick, so that both sides share one time line. */
static void capture_put(struct call *c, const int16_t *samples, size_t count)
{
    if (c->capture_count == CALL_CAPTURE_FRAMES) {
        c->capture_head = (c->capture_head + 1) % CALL_CAPTURE_FRAMES;
        c->capture_count--;
    }
    unsigned at = (c->capture_head + c->capture_count++) % CALL_CAPTURE_FRAMES;
    memcpy(c->capture + at * count, samples, count * sizeof(*samples));
}

static const int16_t *capture_take(struct call *c, size_t count)
{
    c->capture_primed = c->capture_primed ? c->capture_count > 0 : c->capture_count >= 2;
    if (!c->capture_primed)
        return NULL;
    const int16_t *frame = c->capture + c->capture_head * count;
    c->capture_head = (c->capture_head + 1) % CALL_CAPTURE_FRAMES;
    c->capture_count--;
    return frame;
}

/* ---- from the caller ------------------------------------------------------------------------- */

/* A remote that answers whatever it hears would answer the message that is being taken; and who
 * waits for somebody else to answer speaks to nobody. */
static bool answers_in_vain(const struct call *c)
{
    const struct provider_caps *caps = c->provider_ops->caps(c->provider);
    return call_is_handed_over(c) ||
           (c->state == CALL_MESSAGE && caps->detects_turns && !caps->holds_answers);
}

static void on_frame(void *arg, const int16_t *samples, size_t count, bool silence)
{
    static const int16_t zeros[MEDIA_FRAME_MAX];
    struct call *c = arg;
    if (!c->vad)
        return;
    if (silence)
        samples = zeros;
    if (c->recorder)
        capture_put(c, samples, count);
    c->provider_ops->audio_in(c->provider, answers_in_vain(c) ? zeros : samples, count);
    if (c->state == CALL_MESSAGE)
        call_message_frame(c, samples, count);
    uint64_t at_ms = 0;
    enum vad_event event = vad_feed(c->vad, samples, count, &at_ms);
    if (event != VAD_NONE)
        call_speech(c, event, vad_now_ms(c->vad) - at_ms);
}

/* FreeSWITCH tells of the same digit by the control socket. */
static void on_digit(void *arg, char digit)
{
    struct call *c = arg;
    if (!c->control->ops->hears_digits)
        call_digit(c, digit);
}

const struct leg_handlers call_leg_handlers = {
    .on_started = call_leg_started,
    .on_frame = on_frame,
    .on_digit = on_digit,
    .on_failed = call_leg_failed,
    .on_released = call_leg_released,
};

/* ---- to the caller --------------------------------------------------------------------------- */

static void on_drained(void *arg, uint32_t answer)
{
    struct call *c = arg;
    uint32_t played = playout_played_ms(c->playout, answer);
    call_line_close(c, answer, played, played);
    c->drained = answer; /* acted upon when its last frame is on the wire */
}

/* Of an answer that is cut now. What the leg still holds back was never heard. */
static uint32_t cut_heard_ms(struct call *c, uint32_t playing)
{
    uint32_t sent = playout_played_ms(c->playout, playing);
    uint32_t back = c->leg && c->leg_ops->flush ? c->leg_ops->flush(c->leg) : 0;
    return sent > back ? sent - back : 0;
}

static const struct playout_handlers playout_handlers = {on_drained, NULL};

static void measure(struct call *c)
{
    uint64_t now = loop_now_us(c->loop);
    if (!c->first_audio_us)
        c->first_audio_us = now;
    if (!c->turn_ended_us)
        return;
    uint64_t latency = now - c->turn_ended_us;
    c->turn_ended_us = 0;
    c->latency_sum_us += latency;
    c->latency_count++;
    if (latency > c->latency_max_us)
        c->latency_max_us = latency;
    log_info("call", &c->log, "answer", "after_turn_ms", log_ms(latency), NULL);
}

static void on_tick(void *arg, uint64_t now_us)
{
    struct call *c = arg;
    int16_t frame[MEDIA_FRAME_MAX];
    size_t count = (size_t)(c->format.rate_hz / 1000 * c->format.ptime_ms);
    c->drained = 0;
    size_t real = playout_next(c->playout, frame, count);
    c->leg_ops->send(c->leg, frame, count); /* the caller's frame may come from inside */
    if (c->state == CALL_ENDED)
        return;
    if (c->recorder)
        recorder_tick(c->recorder, capture_take(c, count), frame, count);
    if (real)
        c->sounded_us = now_us;
    if (real && (!c->first_audio_us || c->turn_ended_us))
        measure(c);
    if (c->drained)
        call_drained(c, c->drained);
}

void call_media_interrupt(struct call *c)
{
    if (!c->open_answer)
        return;
    uint32_t playing = playout_current(c->playout) ? playout_current(c->playout) : c->open_answer;
    uint32_t total = playout_played_ms(c->playout, playing) + playout_left_ms(c->playout, playing);
    uint32_t heard = cut_heard_ms(c, playing);
    playout_flush_until(c->playout, call_playout_id(c->last_answer));
    c->open_answer = 0;
    log_info("call", &c->log, "interrupted", "heard_ms", log_num(heard), "of_ms", log_num(total),
             NULL);
    call_line_close(c, playing, heard, total);
    call_lines_free(c); /* what was never heard was never said */
    c->line_done = call_playout_id(c->last_answer);
    c->provider_ops->interrupt(c->provider, playing / CALL_SOUNDS, heard);
}

static enum va_err join(struct call *c)
{
    return media_clock_join(c->worker->clock, &c->tick, c->format.ptime_ms, on_tick, c);
}

enum va_err call_media_start(struct call *c)
{
    struct vad_cfg cfg = {.rate_hz = c->format.rate_hz,
                          .end_silence_ms = c->secretary->end_silence_ms};
    enum va_err err = vad_new(&cfg, &c->vad);
    if (!err)
        err =
            playout_new(c->format.rate_hz, CALL_PLAYOUT_MAX_MS, &playout_handlers, c, &c->playout);
    if (!err)
        err = join(c);
    if (!err)
        start_recording(c);
    return err;
}

void call_media_pause(struct call *c)
{
    if (!c->tick.clock)
        return;
    media_clock_leave(&c->tick);
    if (c->state != CALL_WITH_HUMAN) /* there it stood still for us all the time */
        c->paused_us = loop_now_us(c->loop);
}

static void on_rest(void *arg, uint64_t now_us)
{
    static const int16_t zeros[MEDIA_FRAME_MAX];
    struct call *c = arg;
    (void)now_us;
    c->provider_ops->audio_in(c->provider, zeros,
                              (size_t)(c->format.rate_hz / 1000 * c->format.ptime_ms));
}

void call_media_rest(struct call *c)
{
    if (media_clock_join(c->worker->clock, &c->tick, c->format.ptime_ms, on_rest, c))
        log_warn("call", &c->log, "provider-hears-nothing", NULL);
}

/* Frames of another length, and silence for the time nothing was heard or said. */
static enum va_err resume_recording(struct call *c)
{
    if (!c->recorder)
        return VA_OK;
    size_t frame = (size_t)(c->format.rate_hz / 1000 * c->format.ptime_ms);
    int16_t *capture = calloc(CALL_CAPTURE_FRAMES * frame, sizeof(*capture));
    if (!capture)
        return VA_ENOMEM;
    free(c->capture);
    c->capture = capture;
    c->capture_head = c->capture_count = 0;
    c->capture_primed = false;
    uint64_t gap_ms = (loop_now_us(c->loop) - c->paused_us) / 1000;
    recorder_tick(c->recorder, NULL, NULL, (size_t)(c->format.rate_hz / 1000) * gap_ms);
    return VA_OK;
}

enum va_err call_media_resume(struct call *c, const struct leg_format *format)
{
    if (format->rate_hz != c->format.rate_hz)
        return VA_EINVAL;
    c->format = *format;
    enum va_err err = resume_recording(c);
    return err ? err : join(c);
}

void call_media_stop(struct call *c)
{
    media_clock_leave(&c->tick);
    recorder_close(&c->recorder);
    free(c->capture);
    c->capture = NULL;
    playout_free(&c->playout);
    vad_free(&c->vad);
}
