/* Two halves that never share a field: the recorder lives on the worker, the track on the disk
 * thread. What goes between them are mails, in order both ways:
 *
 *     worker                                   disk
 *     open     ── track ──────────────────►    creates name.part
 *     batch, batch … (at most 8 away) ─────►   writes; the batch comes back with the track's state
 *     finish   ── loop_reply, never refused ►  header, rename
 *     on_finished ◄──────────────────────────  the last mail of all: both halves are freed here
 */
#include "media/recorder.h"

#include "media/format.h"
#include "media/wav.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MS_MIN = 20, BATCH_MS_MAX = 5000 };

/* Of the disk thread from the open mail to the answer of the finish mail. */
struct track {
    struct wav_writer *writer; /* NULL before the open and after a failed one */
    char *path, *part;
    int rate_hz;
    struct va_fault fault; /* the first one; its code is the track's state */
    uint64_t frames;
};

struct recorder {
    struct loop *worker, *disk;
    struct track track;
    int rate_hz;
    size_t batch_frames;
    struct batch *batch;  /* being filled; NULL: none yet */
    struct batch *finish; /* made at the start, so that the end needs no memory */
    unsigned away;        /* batches with the disk */
    uint64_t gap;         /* frames to make up with silence before the next batch */
    uint64_t dropped;
    bool closed;
    bool failed; /* told by the disk: ticks are ignored */
    void (*on_done)(void *arg, const struct recorder_result *result); /* NULL: told */
    void *arg;
};

/* Also the form of the open and finish mails: then `count` is 0. */
struct batch {
    struct mail mail;
    struct recorder *recorder; /* the disk thread touches ->track and ->worker only */
    uint64_t silence;          /* frames to write first */
    size_t count;              /* frames */
    uint64_t written;          /* the way back: frames in the file … */
    struct va_fault fault;     /* … and the track's first failure */
    int16_t frames[];          /* left, right, left … */
};

static void on_batch_back(struct mail *mail);
static void on_finished(struct mail *mail);

static struct batch *batch_of(struct mail *mail)
{
    return container_of(mail, struct batch, mail);
}

/* ---- on the disk thread ---------------------------------------------------------------------- */

static void answer(struct batch *b, void (*deliver)(struct mail *))
{
    b->written = b->recorder->track.frames;
    b->fault = b->recorder->track.fault;
    b->mail.deliver = deliver;
    loop_reply(b->recorder->worker, &b->mail);
}

static void disk_open(struct mail *mail)
{
    struct batch *b = batch_of(mail);
    struct track *t = &b->recorder->track;
    struct va_fault why;
    if (wav_writer_open(t->part, t->rate_hz, 2, &t->writer, &why))
        (void)va_fault_set(&t->fault, why.code,
                           "%.400s; does the recordings folder exist, may we write there?",
                           why.text);
    answer(b, on_batch_back);
}

static void track_write(struct track *t, const struct batch *b)
{
    struct va_fault why;
    if (t->fault.code)
        return;
    enum va_err err = b->silence ? wav_writer_write(t->writer, NULL, b->silence, &why) : VA_OK;
    if (!err && b->count)
        err = wav_writer_write(t->writer, b->frames, b->count, &why);
    t->frames = wav_writer_frames(t->writer);
    if (err)
        (void)va_fault_set(&t->fault, err, "%.200s: %.200s; is the disk full?", t->part, why.text);
}

static void disk_write(struct mail *mail)
{
    struct batch *b = batch_of(mail);
    track_write(&b->recorder->track, b);
    answer(b, on_batch_back);
}

static void disk_finish(struct mail *mail)
{
    struct batch *b = batch_of(mail);
    struct track *t = &b->recorder->track;
    struct va_fault why;
    track_write(t, b);
    enum va_err err = wav_writer_close(&t->writer, &why);
    if (err && !t->fault.code)
        (void)va_fault_set(&t->fault, err, "%.200s: %.200s; is the disk full?", t->part, why.text);
    if (!t->fault.code && rename(t->part, t->path) < 0)
        (void)va_fault_set(&t->fault, VA_EIO, "%.200s: cannot be renamed to its final name",
                           t->part);
    answer(b, on_finished);
}

/* ---- on the worker --------------------------------------------------------------------------- */

static void release(struct recorder *r)
{
    free(r->batch);
    free(r->finish);
    free(r->track.path);
    free(r->track.part);
    free(r);
}

static void tell(struct recorder *r, const struct batch *news)
{
    if (!r->on_done)
        return;
    void (*on_done)(void *, const struct recorder_result *) = r->on_done;
    r->on_done = NULL;
    enum va_err err = news->fault.code;
    struct recorder_result result = {
        .err = err,
        .path = err ? r->track.part : r->track.path,
        .text = err ? news->fault.text : "",
        .duration_ms = media_samples_to_ms(news->written, r->rate_hz),
        .dropped_samples = r->dropped,
    };
    on_done(r->arg, &result);
}

/* The handler may close the recorder, which frees it later: nothing is touched after tell(). */
static void on_batch_back(struct mail *mail)
{
    struct batch *b = batch_of(mail);
    struct recorder *r = b->recorder;
    bool first_failure = b->fault.code && !r->failed;
    r->away -= b->count ? 1 : 0;
    r->failed = r->failed || b->fault.code;
    if (b->count && !r->batch && !r->closed && !r->failed) {
        b->count = 0;
        r->batch = b; /* for the next second */
        return;
    }
    if (first_failure && !r->closed) /* when closed, the finish tells */
        tell(r, b);
    free(b);
}

static void on_finished(struct mail *mail)
{
    struct batch *b = batch_of(mail);
    struct recorder *r = b->recorder;
    tell(r, b);
    release(r);
}

static struct batch *batch_new(struct recorder *r, size_t frames, void (*deliver)(struct mail *))
{
    struct batch *b = malloc(sizeof(*b) + frames * 2 * sizeof(b->frames[0]));
    if (!b)
        return NULL;
    *b = (struct batch){.mail = {NULL, deliver}, .recorder = r};
    return b;
}

static bool cfg_valid(const struct recorder_cfg *cfg)
{
    bool batch_ok = cfg->batch_ms >= BATCH_MS_MIN && cfg->batch_ms <= BATCH_MS_MAX;
    return cfg->path && cfg->path[0] && media_rate_valid(cfg->rate_hz) &&
           (batch_ok || cfg->batch_ms == 0);
}

static struct recorder *recorder_new(const struct recorder_cfg *cfg)
{
    struct recorder *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    int batch_ms = cfg->batch_ms ? cfg->batch_ms : RECORDER_BATCH_MS;
    r->rate_hz = r->track.rate_hz = cfg->rate_hz;
    r->batch_frames = (size_t)media_ms_to_samples((uint64_t)batch_ms, cfg->rate_hz);
    r->track.path = strdup(cfg->path);
    if (asprintf(&r->track.part, "%s.part", cfg->path) < 0)
        r->track.part = NULL;
    r->finish = batch_new(r, 0, disk_finish);
    if (r->track.path && r->track.part && r->finish)
        return r;
    release(r);
    return NULL;
}

enum va_err recorder_open(struct loop *worker, struct loop *disk, const struct recorder_cfg *cfg,
                          void (*on_done)(void *arg, const struct recorder_result *result),
                          void *arg, struct recorder **ret_recorder)
{
    if (!cfg_valid(cfg))
        return VA_EINVAL;
    struct recorder *r = recorder_new(cfg);
    struct batch *open = r ? batch_new(r, 0, disk_open) : NULL;
    enum va_err err = open ? VA_OK : VA_ENOMEM;
    if (!err) {
        r->worker = worker;
        r->disk = disk;
        r->on_done = on_done;
        r->arg = arg;
        err = loop_post(disk, &open->mail);
    }
    if (err) {
        free(open);
        if (r)
            release(r);
        return err;
    }
    *ret_recorder = r;
    return VA_OK;
}

/* Give the batch to the disk. When it cannot go, its time becomes a gap and it is filled anew. */
static void send_batch(struct recorder *r)
{
    struct batch *b = r->batch;
    size_t count = b->count;
    b->silence = r->gap;
    b->mail.deliver = disk_write;
    if (r->away < RECORDER_PENDING_MAX && loop_post(r->disk, &b->mail) == VA_OK) {
        r->batch = NULL;
        r->gap = 0;
        r->away++;
        return;
    }
    b->count = 0;
    r->gap += count;
    r->dropped += count;
}

static void interleave(int16_t *out, const int16_t *left, const int16_t *right, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = left ? left[i] : 0;
        out[2 * i + 1] = right ? right[i] : 0;
    }
}

void recorder_tick(struct recorder *r, const int16_t *caller, const int16_t *agent, size_t n)
{
    while (n && !r->failed) {
        if (!r->batch)
            r->batch = batch_new(r, r->batch_frames, disk_write);
        if (!r->batch) {
            r->gap += n;
            r->dropped += n;
            return;
        }
        struct batch *b = r->batch;
        size_t room = r->batch_frames - b->count, part = n < room ? n : room;
        interleave(b->frames + 2 * b->count, caller, agent, part);
        b->count += part;
        caller = caller ? caller + part : NULL;
        agent = agent ? agent + part : NULL;
        n -= part;
        if (b->count == r->batch_frames)
            send_batch(r);
    }
}

uint64_t recorder_dropped(const struct recorder *r)
{
    return r->dropped;
}

void recorder_close(struct recorder **pr)
{
    struct recorder *r = pr ? *pr : NULL;
    if (!r)
        return;
    *pr = NULL;
    if (r->batch && r->batch->count && !r->failed)
        send_batch(r);
    r->closed = true;
    /* One per recorder and counted by its open mail, so it may go past the bound. */
    r->finish->silence = r->gap;
    struct mail *mail = &r->finish->mail;
    loop_reply(r->disk, mail);
}

void recorder_forget(struct recorder **pr)
{
    if (pr && *pr)
        (*pr)->on_done = NULL;
    recorder_close(pr);
}
