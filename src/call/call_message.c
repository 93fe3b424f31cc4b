/*
 * Taking a message. Nothing is promised before it is true:
 *
 *     beep ─► record ─► (pause, digit, limit) ─► WAV on disk, synced ─► row in the store, committed
 *                                                                          └─► tool result VA_OK
 *
 * When saving takes longer than SAVE_MS, the caller is told that it failed. From the moment the
 * recording ends the message is a job of its own that outlives the call: a caller who hangs up in
 * the middle has left what was said so far.
 */
#include "call/call_int.h"
#include "media/tone.h"
#include "media/wav.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BEEP_MS = 200,
    BEEP_HZ = 1000,
    PAUSE_MS = 2500,        /* silence that ends a message */
    NOTHING_SAID_MS = 8000, /* no speech at all */
    TURN_SPEECH_MS = 120,
    SAVE_MS = 8000 /* disk and store may take; the caller hears nothing meanwhile */
};

struct message_job {
    struct mail mail;
    struct call_worker *worker;
    struct call *call; /* NULL once the call ended */
    struct message_record record;
    int rate_hz;
    int16_t *samples;
    size_t count;
    struct va_fault fault;
};

/* ---- the job ----------------------------------------------------------------------------------
 */

static void finish_job(struct message_job *job, enum va_err err)
{
    struct log_ctx ctx = {job->record.tenant, job->record.call_id};
    if (err)
        log_error("call", &ctx, "message-lost", "audio", job->record.audio, "why",
                  *job->fault.text ? job->fault.text : va_err_text(err), NULL);
    else
        log_info("call", &ctx, "message", "audio", job->record.audio, "ms",
                 log_num(job->record.length_ms), NULL);
    struct call *c = job->call;
    if (c)
        c->message_job = NULL;
    job->worker->jobs--;
    free(job->samples);
    free(job);
    if (c)
        call_tool_done(c, err);
}

static void on_stored(void *arg, enum va_err err)
{
    finish_job(arg, err);
}

static void on_written(struct mail *mail)
{
    struct message_job *job = container_of(mail, struct message_job, mail);
    enum va_err err = job->fault.code;
    if (!err)
        err = store_put_message(job->worker->env->store, job->worker->loop, &job->record, on_stored,
                                job, NULL);
    if (err)
        finish_job(job, err);
}

static enum va_err sync_path(const char *path, int flags, struct va_fault *fault)
{
    int fd = open(path, flags | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok ? VA_OK : va_fault_set(fault, VA_EIO, "%s: cannot be synced to disk", path);
}

static enum va_err write_file(struct message_job *job, const char *folder)
{
    struct wav_writer *w = NULL;
    enum va_err err = wav_writer_open(job->record.audio, job->rate_hz, 1, &w, &job->fault);
    if (err)
        return err;
    err = wav_writer_write(w, job->samples, job->count, &job->fault);
    enum va_err closed = wav_writer_close(&w, err ? NULL : &job->fault);
    if (!err)
        err = closed;
    if (!err)
        err = sync_path(job->record.audio, O_RDONLY, &job->fault);
    return err ? err : sync_path(folder, O_RDONLY | O_DIRECTORY, &job->fault);
}

/* On the disk thread. */
static void on_disk(struct mail *mail)
{
    struct message_job *job = container_of(mail, struct message_job, mail);
    char folder[SETTING_TEXT_MAX + 16];
    (void)snprintf(folder, sizeof(folder), "%s/messages", job->worker->env->settings->data_dir);
    job->fault.code = write_file(job, folder);
    mail->deliver = on_written;
    loop_reply(job->worker->loop, mail);
}

static void fill_record(const struct call *c, struct message_job *job)
{
    struct message_record *r = &job->record;
    rand_uuid(r->id);
    (void)str_copy(r->call_id, UUID_TEXT, str_of(c->uuid));
    (void)str_copy(r->secretary_id, UUID_TEXT, str_of(c->secretary->id));
    (void)str_copy(r->tenant, sizeof(r->tenant), str_of(c->record.tenant));
    (void)str_copy(r->caller_number, sizeof(r->caller_number), str_of(c->record.caller_number));
    (void)str_copy(r->caller_name, sizeof(r->caller_name), str_of(c->record.caller_name));
    r->taken_us = clock_wall_us(loop_clock(c->loop));
    r->length_ms = (int32_t)(job->count * 1000 / (size_t)job->rate_hz);
    r->text = "";
    (void)snprintf(r->audio, sizeof(r->audio), "%s/messages/%s.wav", c->env->settings->data_dir,
                   r->id);
}

/* The samples go from the call to a job. `call` is told the result unless it is NULL. */
static enum va_err start_job(struct call *c, struct call *call)
{
    struct message_job *job = calloc(1, sizeof(*job));
    if (!job)
        return VA_ENOMEM;
    job->worker = c->worker;
    job->call = call;
    job->rate_hz = c->format.rate_hz;
    job->samples = c->message.samples;
    job->count = c->message.count;
    fill_record(c, job);
    job->mail.deliver = on_disk;
    enum va_err err = loop_post(c->env->disk, &job->mail);
    if (err) {
        free(job);
        return err;
    }
    c->message.samples = NULL;
    c->worker->jobs++;
    if (call)
        call->message_job = job;
    return VA_OK;
}

/* ---- the recording ----------------------------------------------------------------------------
 */

static void stop_taking(struct call *c)
{
    tmr_stop(&c->message.limit);
    c->message.open = false;
}

/* The ear of a conversation again: another pause, and what was said so far belongs to the message.
 */
static void listen_as_before(struct call *c)
{
    vad_reset(c->vad);
    vad_set_timing(c->vad, c->secretary->end_silence_ms, TURN_SPEECH_MS);
}

static void drop_samples(struct call *c)
{
    free(c->message.samples);
    c->message = (struct message_taking){0};
}

static bool worth_keeping(const struct call *c)
{
    return c->message.heard_speech &&
           c->message.count >= (size_t)c->format.rate_hz * CALL_MESSAGE_MIN_MS / 1000;
}

static void message_ends(struct call *c)
{
    stop_taking(c);
    listen_as_before(c);
    enum va_err err = worth_keeping(c) ? start_job(c, c) : VA_ENOTFOUND;
    if (!err)
        call_stuck_after(c, SAVE_MS);
    if (err && err != VA_ENOTFOUND)
        log_error("call", &c->log, "message-lost", "why", va_err_text(err), NULL);
    drop_samples(c);
    if (err)
        call_tool_done(c, err);
}

static void on_limit(void *arg)
{
    message_ends(arg);
}

void call_message_beeped(struct call *c)
{
    c->message.open = true;
    vad_reset(c->vad);
    vad_set_timing(c->vad, PAUSE_MS, 120);
    tmr_start(&c->message.limit, c->loop, NOTHING_SAID_MS, on_limit, c);
}

void call_message_frame(struct call *c, const int16_t *samples, size_t count)
{
    struct message_taking *m = &c->message;
    if (!m->open)
        return;
    if (m->count + count > m->max) {
        message_ends(c);
        return;
    }
    memcpy(m->samples + m->count, samples, count * sizeof(*samples));
    m->count += count;
}

void call_message_speech(struct call *c, enum vad_event event)
{
    if (!c->message.open)
        return;
    if (event == VAD_STARTED) {
        c->message.heard_speech = true;
        tmr_stop(&c->message.limit);
    } else {
        message_ends(c);
    }
}

void call_act_message_digit(struct call *c)
{
    if (c->message.open)
        message_ends(c);
}

static enum va_err beep(struct call *c)
{
    enum { SAMPLES_MAX = MEDIA_RATE_MAX_HZ / 1000 * BEEP_MS };
    static _Thread_local int16_t sound[SAMPLES_MAX];
    size_t count = (size_t)c->format.rate_hz / 1000 * BEEP_MS;
    struct tone tone;
    tone_init(&tone, c->format.rate_hz, BEEP_HZ, -18);
    tone_fill(&tone, sound, count);
    c->open_answer = call_playout_id(c->last_answer) + 1 + c->beeps++ % (CALL_SOUNDS - 1);
    enum va_err err = playout_write(c->playout, c->open_answer, sound, count);
    return err ? err : playout_mark_end(c->playout, c->open_answer);
}

void call_act_message(struct call *c)
{
    struct message_taking *m = &c->message;
    *m = (struct message_taking){0};
    m->max = (size_t)c->format.rate_hz * (size_t)c->secretary->message_max_s;
    m->samples = malloc(m->max * sizeof(*m->samples));
    enum va_err err = m->samples ? beep(c) : VA_ENOMEM;
    if (err) {
        drop_samples(c);
        call_tool_done(c, err);
    }
}

/* The job goes on without us. It may still be kept: then the caller was promised too little. */
static void leave_job(struct call *c)
{
    if (c->message_job)
        c->message_job->call = NULL;
    c->message_job = NULL;
}

void call_act_message_stuck(struct call *c)
{
    leave_job(c);
    call_tool_done(c, VA_ETIMEOUT);
}

void call_message_abandon(struct call *c)
{
    stop_taking(c);
    if (c->message.samples && worth_keeping(c) && start_job(c, NULL))
        log_error("call", &c->log, "message-lost", "why", "the disk thread is overloaded", NULL);
    drop_samples(c);
    leave_job(c);
}
