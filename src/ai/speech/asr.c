/*
 * The recogniser's service: decoder threads that share one bounded queue.
 *
 *     worker ──asr_recognize──► [queue] ──► any decoder thread ──loop_reply──► worker
 *            ──asr_prepare────► [queue, one job per decoder]
 *
 * The threads are plain ones that block on a condition: decoding is nothing but work.
 */
#include "ai/speech/asr.h"
#include "ai/speech/decoder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <signal.h>
#include <stdlib.h>

enum { QUEUE_MAX = 1000, THREADS_MAX = 64, ANY_THREAD = -1 };

struct asr_request {
    struct mail mail;
    struct link link; /* of the queue */
    int thread;       /* ANY_THREAD, or the decoder that shall prepare */
    struct asr_grammar *grammar;
    struct pcm *speech; /* NULL: only prepare */
    struct loop *reply_to;
    asr_done_h *on_done;   /* asking thread only; NULL once cancelled */
    atomic_bool cancelled; /* no need to decode it any more */
    void *arg;
    enum va_err err;
    struct asr_result result;
};

struct decoder_thread {
    struct asr *asr;
    int number;
    pthread_t thread;
    struct decoder *decoder;
};

struct asr {
    struct pron *pron;
    const struct va_clock *clock;
    pthread_mutex_t lock; /* guards queue, waiting, stopping */
    pthread_cond_t work;
    struct list queue;
    size_t waiting, queue_max;
    bool stopping;
    struct decoder_thread *threads;
    size_t thread_count, running;
};

/* ---- answers -------------------------------------------------------------------------------- */

static void request_free(struct asr_request *r)
{
    asr_grammar_unref(&r->grammar);
    pcm_unref(&r->speech);
    free(r);
}

/* On the asking thread. The text belongs to the grammar, which lives until here. */
static void on_reply(struct mail *mail)
{
    struct asr_request *r = container_of(mail, struct asr_request, mail);
    if (r->on_done)
        r->on_done(r->arg, r->err, &r->result);
    request_free(r);
}

static void reply(struct asr_request *r)
{
    if (!r->reply_to) {
        request_free(r);
        return;
    }
    r->mail.deliver = on_reply;
    loop_reply(r->reply_to, &r->mail);
}

/* ---- decoding ------------------------------------------------------------------------------- */

static enum va_err decode(struct decoder *d, const struct asr_grammar *g, const struct pcm *speech,
                          struct asr_result *result)
{
    struct decoder_result found = {0};
    enum va_err err = decoder_run(d, g, speech, &found);
    if (err == VA_OK && found.understood && found.phrase) {
        result->understood = true;
        result->tag = found.phrase->tag;
        result->text = found.phrase->text;
    }
    result->confidence = found.confidence;
    return err;
}

static void work(struct decoder_thread *t, struct asr_request *r)
{
    uint64_t began = clock_mono_us(t->asr->clock);
    r->result.text = "";
    if (!r->speech)
        r->err = decoder_prepare(t->decoder, r->grammar);
    else if (pcm_count(r->speech) && !atomic_load(&r->cancelled))
        r->err = decode(t->decoder, r->grammar, r->speech, &r->result);
    r->result.spent_us = (uint32_t)(clock_mono_us(t->asr->clock) - began);
    reply(r);
}

/* With the lock held. */
static struct asr_request *take(struct asr *a, int thread)
{
    list_each(&a->queue, it, next)
    {
        struct asr_request *r = container_of(it, struct asr_request, link);
        if (r->thread == ANY_THREAD || r->thread == thread) {
            link_remove(&r->link);
            a->waiting--;
            return r;
        }
    }
    return NULL;
}

static void *thread_main(void *arg)
{
    struct decoder_thread *t = arg;
    struct asr *a = t->asr;
    (void)pthread_mutex_lock(&a->lock);
    while (!a->stopping) {
        struct asr_request *r = take(a, t->number);
        if (!r) {
            (void)pthread_cond_wait(&a->work, &a->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&a->lock);
        work(t, r);
        (void)pthread_mutex_lock(&a->lock);
    }
    (void)pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* ---- asking --------------------------------------------------------------------------------- */

static enum va_err enqueue(struct asr *a, struct asr_request *r)
{
    enum va_err err = VA_OK;
    (void)pthread_mutex_lock(&a->lock);
    if (a->stopping) {
        err = VA_ECLOSED;
    } else if (a->waiting >= a->queue_max) {
        err = VA_ELIMIT;
    } else {
        list_push(&a->queue, &r->link);
        a->waiting++;
        /* A job for one decoder must not wake only another. */
        if (r->thread == ANY_THREAD)
            (void)pthread_cond_signal(&a->work);
        else
            (void)pthread_cond_broadcast(&a->work);
    }
    (void)pthread_mutex_unlock(&a->lock);
    return err;
}

void asr_prepare(struct asr *a, struct asr_grammar *g)
{
    for (size_t i = 0; i < a->thread_count; i++) {
        struct asr_request *r = calloc(1, sizeof(*r));
        if (!r)
            return; /* the first utterance prepares as well */
        r->thread = (int)i;
        r->grammar = asr_grammar_ref(g);
        if (enqueue(a, r))
            request_free(r);
    }
}

enum va_err asr_recognize(struct asr *a, struct loop *reply_to, struct asr_grammar *g,
                          struct pcm *speech, asr_done_h *on_done, void *arg,
                          struct asr_request **ret_request)
{
    if (!reply_to || !g || !speech || !on_done || pcm_ms(speech) > ASR_UTTERANCE_MAX_MS)
        return VA_EINVAL;
    struct asr_request *r = calloc(1, sizeof(*r));
    if (!r)
        return VA_ENOMEM;
    r->thread = ANY_THREAD;
    r->grammar = asr_grammar_ref(g);
    r->speech = speech;
    r->reply_to = reply_to;
    r->on_done = on_done;
    r->arg = arg;
    if (ret_request)
        *ret_request = r; /* before a decoder can answer on another thread */
    enum va_err err = enqueue(a, r);
    if (err) {
        r->speech = NULL; /* still the caller's */
        request_free(r);
        if (ret_request)
            *ret_request = NULL;
    }
    return err;
}

void asr_cancel(struct asr_request **request)
{
    if (!request || !*request)
        return;
    atomic_store(&(*request)->cancelled, true);
    (*request)->on_done = NULL; /* the request itself comes back and frees itself */
    *request = NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

static enum va_err start_thread(struct asr *a, const char *model_dir, struct va_fault *fault)
{
    struct decoder_thread *t = &a->threads[a->thread_count];
    t->asr = a;
    t->number = (int)a->thread_count++;
    enum va_err err = decoder_new(model_dir, a->pron, &t->decoder, fault);
    if (err)
        return err;
    sigset_t all, old;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int status = pthread_create(&t->thread, NULL, thread_main, t);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (status)
        return va_fault_set(fault, VA_ELIMIT, "cannot start a recogniser thread");
    a->running++;
    return VA_OK;
}

static size_t wanted_threads(const struct asr_cfg *cfg)
{
    unsigned n = cfg->threads ? cfg->threads : uv_available_parallelism();
    return n == 0 ? 1 : n > THREADS_MAX ? THREADS_MAX : n;
}

enum va_err asr_start(const struct asr_cfg *cfg, struct asr **ret_asr, struct va_fault *fault)
{
    struct asr *a = calloc(1, sizeof(*a));
    size_t count = wanted_threads(cfg);
    struct decoder_thread *threads = calloc(count, sizeof(*threads));
    if (!a || !threads) {
        free(a);
        free(threads);
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    }
    a->threads = threads;
    a->clock = &va_clock_system;
    a->queue_max = cfg->queue_max ? cfg->queue_max : QUEUE_MAX;
    list_init(&a->queue);
    (void)!thread_lock_init(&a->lock);
    (void)pthread_cond_init(&a->work, NULL);
    decoder_quiet();
    enum va_err err = pron_new(cfg->model_dir, cfg->tts_command, &a->pron, fault);
    while (!err && a->thread_count < count)
        err = start_thread(a, cfg->model_dir, fault);
    if (err) {
        asr_stop(&a);
        return err;
    }
    *ret_asr = a;
    return VA_OK;
}

static void stop_threads(struct asr *a)
{
    (void)pthread_mutex_lock(&a->lock);
    a->stopping = true;
    (void)pthread_cond_broadcast(&a->work);
    (void)pthread_mutex_unlock(&a->lock);
    for (size_t i = 0; i < a->running; i++)
        (void)pthread_join(a->threads[i].thread, NULL);
}

void asr_stop(struct asr **pa)
{
    struct asr *a = pa ? *pa : NULL;
    if (!a)
        return;
    *pa = NULL;
    stop_threads(a);
    for (struct link *l = list_pop(&a->queue); l; l = list_pop(&a->queue)) {
        struct asr_request *r = container_of(l, struct asr_request, link);
        r->err = VA_ECLOSED;
        r->result.text = "";
        reply(r);
    }
    for (size_t i = 0; i < a->thread_count; i++)
        decoder_free(&a->threads[i].decoder);
    pron_free(&a->pron);
    (void)pthread_cond_destroy(&a->work);
    (void)pthread_mutex_destroy(&a->lock);
    free(a->threads);
    free(a);
}
