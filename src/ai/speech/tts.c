/*
 * Life of a text on the service's thread:
 *
 *     request ─► cached? ─────────────────────────────────────────► reply
 *            └─► a job speaks it already? wait with it ──┐
 *            └─► new job ─► [queue] ─► helper ─► WAV ────┴─► cache ─► reply to all
 *                                        └─ died: once more
 */
#include "ai/speech/tts.h"
#include "ai/speech/helper.h"
#include "ai/speech/lang.h"
#include "ai/speech/tts_cache.h"
#include "ai/speech/tts_idle.h"
#include "base/buf.h"
#include "media/format.h"
#include "media/wav.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CACHE_BYTES = 64 << 20,
    PROCESSES = 4,
    TIMEOUT_MS = 5000,
    ATTEMPTS = 2,
    JOBS_MAX = 1000, /* texts waiting for a helper */
    TEXT_MAX = 65536,
    OUT_MAX = 20 << 20, /* about 4 minutes of speech */
    LEAD_MS = 30,       /* silence left before the first sound */
    TAIL_MS = 100,      /* and behind the last */
    SILENT = 50         /* |sample| up to this is silence */
};

struct tts {
    struct loop_thread *thread;
    struct loop *loop;
    char *command;
    unsigned processes_max, timeout_ms;
    struct tts_cache *cache;
    struct tts_idle *idle;
    struct helper_group group;
    struct list waiting; /* struct job, no helper yet */
    struct list running;
    size_t waiting_count, running_count;
    bool stopping;
    struct mail stop;
    uv_sem_t emptied; /* stopping, and the last helper is gone */
};

struct tts_request {
    struct mail mail;
    struct link link; /* of its job */
    struct tts *tts;
    struct loop *reply_to;
    tts_done_h *on_done; /* asking thread only; NULL once cancelled */
    void *arg;
    enum va_err err;
    struct pcm *speech;
    int rate_hz;
    char voice[64];
    char *text;
};

struct job {
    struct link link;
    struct tts *tts;
    struct list requests;
    struct helper *helper;
    unsigned attempts;
    int rate_hz;
    char *key, *text;
    char voice[64];
};

/* ---- answers -------------------------------------------------------------------------------- */

/* On the asking thread. */
static void on_reply(struct mail *mail)
{
    struct tts_request *r = container_of(mail, struct tts_request, mail);
    if (r->on_done)
        r->on_done(r->arg, r->err, r->speech);
    else
        pcm_unref(&r->speech);
    free(r->text);
    free(r);
}

/* Takes a reference of its own on `speech`. */
static void reply(struct tts_request *r, enum va_err err, struct pcm *speech)
{
    r->err = err;
    r->speech = err ? NULL : pcm_ref(speech);
    r->mail.deliver = on_reply;
    loop_reply(r->reply_to, &r->mail);
}

/* ---- what espeak-ng wrote ------------------------------------------------------------------- */

static struct pcm *trimmed(struct pcm *speech)
{
    const int16_t *s = pcm_samples(speech);
    size_t n = pcm_count(speech), from = 0, to = n;
    int rate = pcm_rate_hz(speech);
    while (from < n && s[from] <= SILENT && s[from] >= -SILENT)
        from++;
    while (to > from && s[to - 1] <= SILENT && s[to - 1] >= -SILENT)
        to--;
    size_t lead = (size_t)media_ms_to_samples(LEAD_MS, rate);
    size_t tail = (size_t)media_ms_to_samples(TAIL_MS, rate);
    from = from > lead ? from - lead : 0;
    to = to + tail < n ? to + tail : n;
    struct pcm *cut = NULL;
    if ((from == 0 && to == n) || pcm_new(rate, s + from, to - from, &cut))
        return speech;
    pcm_unref(&speech);
    return cut;
}

static enum va_err decode(const struct buf *out, int rate_hz, struct pcm **ret_speech)
{
    struct pcm *speech = NULL;
    enum va_err err =
        wav_decode(out->p, out->len, &(struct wav_want){.rate_hz = rate_hz}, &speech, NULL);
    if (err)
        return err;
    *ret_speech = trimmed(speech);
    return VA_OK;
}

/* ---- jobs ----------------------------------------------------------------------------------- */

static void run_next(struct tts *t);

static void job_free(struct job *j)
{
    link_remove(&j->link);
    free(j->key);
    free(j->text);
    free(j);
}

static void job_ends(struct job *j, enum va_err err, struct pcm *speech)
{
    struct tts *t = j->tts;
    for (struct link *l = list_pop(&j->requests); l; l = list_pop(&j->requests))
        reply(container_of(l, struct tts_request, link), err, speech);
    job_free(j);
    run_next(t);
}

static void start_helper(struct job *j);

static void on_helped(void *arg, enum va_err err, const struct buf *out,
                      const struct va_fault *fault)
{
    struct job *j = arg;
    struct tts *t = j->tts;
    struct pcm *speech = NULL;
    (void)fault;
    j->helper = NULL;
    t->running_count--;
    if (!err && !t->stopping)
        tts_idle_warm(t->idle, j->voice);
    if (!err)
        err = decode(out, j->rate_hz, &speech);
    if (err && j->attempts < ATTEMPTS && !t->stopping) {
        start_helper(j);
        return;
    }
    if (!err)
        tts_cache_put(t->cache, j->key, speech);
    job_ends(j, err ? VA_EIO : VA_OK, speech);
    pcm_unref(&speech);
}

static void start_helper(struct job *j)
{
    struct tts *t = j->tts;
    j->attempts++;
    link_remove(&j->link);
    list_push(&t->running, &j->link);
    enum va_err err = tts_idle_start(t->idle, j->voice, on_helped, j, &j->helper);
    if (err) {
        job_ends(j, VA_EIO, NULL);
        return;
    }
    t->running_count++;
    if (helper_feed(j->helper, str_of(j->text), t->timeout_ms)) {
        helper_kill(&j->helper);
        t->running_count--;
        job_ends(j, VA_ENOMEM, NULL);
    }
}

static void run_next(struct tts *t)
{
    while (!t->stopping && t->running_count < t->processes_max && !list_empty(&t->waiting)) {
        t->waiting_count--;
        start_helper(container_of(t->waiting.head.next, struct job, link));
    }
}

static struct job *find_job(struct list *jobs, const char *key)
{
    list_each(jobs, it, next)
    {
        struct job *j = container_of(it, struct job, link);
        if (strcmp(j->key, key) == 0)
            return j;
    }
    return NULL;
}

static struct job *new_job(struct tts *t, struct tts_request *r, const char *key)
{
    struct job *j = t->waiting_count < JOBS_MAX ? calloc(1, sizeof(*j)) : NULL;
    if (!j)
        return NULL;
    list_init(&j->requests);
    j->tts = t;
    j->rate_hz = r->rate_hz;
    (void)str_copy(j->voice, sizeof(j->voice), str_of(r->voice));
    j->key = str_dup(str_of(key));
    j->text = r->text;
    r->text = NULL;
    if (!j->key) {
        job_free(j);
        return NULL;
    }
    list_push(&t->waiting, &j->link);
    t->waiting_count++;
    return j;
}

static void take_request(struct tts *t, struct tts_request *r, const char *key)
{
    struct pcm *speech = tts_cache_get(t->cache, key);
    if (speech) {
        reply(r, VA_OK, speech);
        pcm_unref(&speech);
        return;
    }
    struct job *j = find_job(&t->running, key);
    if (!j)
        j = find_job(&t->waiting, key);
    if (!j)
        j = new_job(t, r, key);
    if (!j) {
        reply(r, VA_ELIMIT, NULL);
        return;
    }
    list_push(&j->requests, &r->link);
    run_next(t);
}

static void on_request(struct mail *mail)
{
    struct tts_request *r = container_of(mail, struct tts_request, mail);
    struct tts *t = r->tts;
    struct buf key;
    buf_init(&key, TEXT_MAX + 128);
    buf_addf(&key, "%s\n%d\n%s", r->voice, r->rate_hz, r->text);
    if (t->stopping || buf_failed(&key))
        reply(r, t->stopping ? VA_ECLOSED : VA_ENOMEM, NULL);
    else
        take_request(t, r, buf_z(&key));
    buf_free(&key);
}

/* ---- asking --------------------------------------------------------------------------------- */

/* Control bytes are espeak's embedded commands, "[[" starts its phoneme mnemonics: both become
 * blanks, so that a text is only ever read aloud. */
static char *clean_text(const char *text)
{
    char *copy = str_dup(str_of(text));
    for (char *p = copy; p && *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f || (p[0] == '[' && p[1] == '['))
            *p = ' ';
        else if ((unsigned char)p[0] == 0xC2 && (unsigned char)p[1] >= 0x80 &&
                 (unsigned char)p[1] < 0xA0) /* C1 controls */
            p[0] = p[1] = ' ';
    }
    return copy;
}

static void choose_voice(const char *language, const char *voice, char *out, size_t cap)
{
    if (voice && *voice)
        (void)str_copy(out, cap, str_of(voice));
    else
        lang_espeak_voice(language, out, cap);
}

enum va_err tts_say(struct tts *t, struct loop *reply_to, const char *language, const char *voice,
                    int rate_hz, const char *text, tts_done_h *on_done, void *arg,
                    struct tts_request **ret_request)
{
    if (!media_rate_valid(rate_hz) || strlen(text) > TEXT_MAX || !on_done)
        return VA_EINVAL;
    struct tts_request *r = calloc(1, sizeof(*r));
    char *copy = clean_text(text);
    if (!r || !copy) {
        free(r);
        free(copy);
        return VA_ENOMEM;
    }
    *r = (struct tts_request){.mail = {NULL, on_request},
                              .tts = t,
                              .reply_to = reply_to,
                              .on_done = on_done,
                              .arg = arg,
                              .rate_hz = rate_hz,
                              .text = copy};
    choose_voice(language, voice, r->voice, sizeof(r->voice));
    enum va_err err = r->voice[0] == '-' ? VA_EINVAL : loop_post(t->loop, &r->mail);
    if (err) {
        free(copy);
        free(r);
        return err;
    }
    if (ret_request)
        *ret_request = r;
    return VA_OK;
}

void tts_cancel(struct tts_request **request)
{
    if (!request || !*request)
        return;
    (*request)->on_done = NULL; /* the request itself comes back and frees itself */
    *request = NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

/* One text through the program, blocking. */
static enum va_err try_voice(const char *command, unsigned timeout_ms, const char *voice,
                             struct va_fault *fault)
{
    const char *argv[] = {command, "--stdout", "--stdin", "-b", "1", "-v", voice, NULL};
    struct buf out;
    struct va_fault why = {VA_OK, ""};
    struct pcm *speech = NULL;
    buf_init(&out, OUT_MAX);
    enum va_err err = helper_run(argv, str_of("a"), timeout_ms, &out, &why);
    if (err == VA_ENOTFOUND)
        (void)va_fault_set(fault, err,
                           "the voice program %s was not found; install it (apt install espeak-ng) "
                           "or set TTS_COMMAND",
                           command);
    else if (err)
        (void)va_fault_set(fault, err,
                           "voice \"%s\" cannot speak (%s); see `%s --voices`, install "
                           "espeak-ng-data, or set TTS_COMMAND",
                           voice, why.text, command);
    else if ((err = decode(&out, 8000, &speech)) != VA_OK)
        (void)va_fault_set(fault, VA_EPROTO,
                           "the voice program %s did not write a WAV file to its output; set "
                           "TTS_COMMAND to an espeak-ng",
                           command);
    pcm_unref(&speech);
    buf_free(&out);
    return err;
}

enum va_err tts_check_voice(struct tts *t, const char *language, const char *voice,
                            struct va_fault *fault)
{
    char name[64];
    choose_voice(language, voice, name, sizeof(name));
    if (name[0] == '-')
        return va_fault_set(fault, VA_EINVAL, "voice \"%s\": no voice is called that", name);
    return try_voice(t->command, t->timeout_ms, name, fault);
}

static void on_empty(void *arg)
{
    struct tts *t = arg;
    if (t->stopping)
        uv_sem_post(&t->emptied);
}

static enum va_err make(struct tts *t, const struct tts_cfg *cfg)
{
    list_init(&t->waiting);
    list_init(&t->running);
    t->processes_max = cfg->processes_max ? cfg->processes_max : PROCESSES;
    t->timeout_ms = cfg->timeout_ms ? cfg->timeout_ms : TIMEOUT_MS;
    t->command = str_dup(str_of(cfg->command));
    enum va_err err = t->command ? VA_OK : VA_ENOMEM;
    if (!err)
        err = tts_cache_new(cfg->cache_max_bytes ? cfg->cache_max_bytes : CACHE_BYTES, &t->cache);
    if (!err)
        err = loop_thread_start("tts", NULL, &t->thread);
    if (!err)
        err = tts_idle_new(&t->group, t->command, &t->idle);
    if (err)
        return err;
    t->loop = loop_thread_loop(t->thread);
    t->group =
        (struct helper_group){.loop = t->loop, .out_max = OUT_MAX, .on_empty = on_empty, .arg = t};
    return VA_OK;
}

enum va_err tts_start(const struct tts_cfg *cfg, struct tts **ret_tts, struct va_fault *fault)
{
    struct tts *t = calloc(1, sizeof(*t));
    if (!t || uv_sem_init(&t->emptied, 0)) {
        free(t);
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    }
    enum va_err err = make(t, cfg);
    if (err)
        (void)va_fault_set(fault, err, "cannot start the voice: %s", va_err_text(err));
    else
        err = try_voice(t->command, t->timeout_ms, "en-us", fault);
    if (err) {
        tts_stop(&t);
        return err;
    }
    *ret_tts = t;
    return VA_OK;
}

/* On the service's thread: everything still open is answered, helpers die. */
static void on_stop(struct mail *mail)
{
    struct tts *t = container_of(mail, struct tts, stop);
    t->stopping = true;
    tts_idle_free(&t->idle);
    list_each(&t->running, it, next)
    {
        struct job *j = container_of(it, struct job, link);
        helper_kill(&j->helper);
        job_ends(j, VA_ECLOSED, NULL);
    }
    list_each(&t->waiting, it2, next2)
        job_ends(container_of(it2, struct job, link), VA_ECLOSED, NULL);
    if (t->group.alive == 0)
        uv_sem_post(&t->emptied);
}

void tts_stop(struct tts **pt)
{
    struct tts *t = pt ? *pt : NULL;
    if (!t)
        return;
    *pt = NULL;
    if (t->loop) {
        t->stop.deliver = on_stop;
        loop_reply(t->loop, &t->stop);
        uv_sem_wait(&t->emptied);
    }
    loop_thread_stop(&t->thread);
    tts_idle_free(&t->idle);
    tts_cache_free(&t->cache);
    uv_sem_destroy(&t->emptied);
    free(t->command);
    free(t);
}
