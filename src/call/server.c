#include "call/server.h"
#include "base/htab.h"
#include "call/birth.h"
#include "net/tcp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    IDLE_CHECK_MS = 20,
    FRAME_MS = 20,
    WORKER_PACE_US = 1000 /* a fraction of a frame: what comes in it costs one wake-up */
};

struct worker_slot {
    struct mail begin; /* its first */
    struct call_worker worker;
    struct call_server *server;
    size_t calls; /* counted by the control thread */
    struct mail ask;
    struct tmr again;
};

struct call_server {
    struct loop *control;
    const struct call_env *env;
    struct tcp_listener *listener;
    struct worker_slot *slots;
    size_t slot_count;
    struct call_server_stats stats;
    struct htab streams; /* struct known_stream: of running calls */
    uint64_t refused_logged_us;

    bool draining;
    size_t asked; /* workers whose answer to "idle?" is due */
    void (*on_idle)(void *arg);
    void *arg;
    struct tmr soft, hard;
};

/* ---- a call goes to a worker and comes back as memory ------------------------------------------
 */

struct hand_over {
    struct mail mail;
    struct worker_slot *slot;
    struct birth birth;
};

static void maybe_ask_idle(struct call_server *s);

static void count_down(struct worker_slot *slot)
{
    slot->calls--;
    slot->server->stats.running--;
    maybe_ask_idle(slot->server);
}

/* A channel has one call. A module that connects again, or somebody who repeats a request, must not
 * make a second one of it. */
struct known_stream {
    struct hlink hl;
    char uuid[UUID_TEXT];
};

static struct known_stream *find_stream(struct call_server *s, const char *uuid)
{
    for (struct hlink *h = htab_first(&s->streams, htab_hash(str_of(uuid))); h; h = htab_next(h)) {
        struct known_stream *known = container_of(h, struct known_stream, hl);
        if (strcmp(known->uuid, uuid) == 0)
            return known;
    }
    return NULL;
}

static enum va_err know_stream(struct call_server *s, const char *uuid)
{
    struct known_stream *known = calloc(1, sizeof(*known));
    if (!known)
        return VA_ENOMEM;
    (void)str_copy(known->uuid, sizeof(known->uuid), str_of(uuid));
    enum va_err err = htab_add(&s->streams, &known->hl, htab_hash(str_of(known->uuid)));
    if (err)
        free(known);
    return err;
}

static void forget_stream(struct call_server *s, const char *uuid)
{
    struct known_stream *known = *uuid ? find_stream(s, uuid) : NULL;
    if (!known)
        return;
    htab_remove(&s->streams, &known->hl);
    free(known);
}

/* The worker a gone call belonged to travels in a box of its own: a call's mail has no room. */
struct gone_box {
    struct mail mail;
    struct worker_slot *slot;
    struct mail *call;
    char stream[UUID_TEXT];
};

static void on_gone_control(struct mail *mail)
{
    struct gone_box *box = container_of(mail, struct gone_box, mail);
    if (box->call)
        call_free_gone(box->call);
    struct worker_slot *slot = box->slot;
    forget_stream(slot->server, box->stream);
    free(box);
    count_down(slot);
}

static void tell_gone(struct worker_slot *slot, struct mail *call, const char *stream)
{
    struct gone_box *box = calloc(1, sizeof(*box));
    if (!box)
        abort(); /* losing count would block the shutdown for ever */
    *box = (struct gone_box){.mail = {NULL, on_gone_control}, .slot = slot, .call = call};
    (void)str_copy(box->stream, sizeof(box->stream), str_of(stream));
    loop_reply(slot->server->control, &box->mail);
}

static void on_call_gone(void *arg, struct mail *call)
{
    tell_gone(arg, call, call_gone_stream(call));
}

static void on_hand_over(struct mail *mail)
{
    struct hand_over *h = container_of(mail, struct hand_over, mail);
    struct worker_slot *slot = h->slot;
    char stream[UUID_TEXT];
    (void)str_copy(stream, sizeof(stream), str_of(birth_stream(&h->birth)));
    enum va_err err = birth_begin(&h->birth, &slot->worker);
    free(h);
    if (!err)
        return;
    log_error("call", NULL, "call-refused", "why", va_err_text(err), NULL);
    tell_gone(slot, NULL, stream);
}

static struct worker_slot *least_loaded(struct call_server *s)
{
    struct worker_slot *best = &s->slots[0];
    for (size_t i = 1; i < s->slot_count; i++)
        if (s->slots[i].calls < best->calls)
            best = &s->slots[i];
    return best;
}

static void refuse(struct call_server *s, struct birth *b, const char *why)
{
    birth_refuse(b, why);
    s->stats.refused++;
    uint64_t now = loop_now_us(s->control);
    if (s->refused_logged_us && now - s->refused_logged_us < 1000000)
        return;
    s->refused_logged_us = now;
    log_warn("call", NULL, "call-refused", "why", why, "running",
             log_num((int64_t)s->stats.running), "refused", log_num((int64_t)s->stats.refused),
             NULL);
}

static const char *why_not(struct call_server *s, const struct birth *b)
{
    const char *stream = birth_stream(b);
    if (s->draining)
        return "stopping";
    if (s->stats.running >= (size_t)s->env->settings->esl_max_connections)
        return "ESL_MAX_CONNECTIONS reached";
    return *stream && find_stream(s, stream) ? "its channel has a call already" : NULL;
}

static enum va_err hand_over(struct call_server *s, struct worker_slot *slot, const struct birth *b)
{
    const char *stream = birth_stream(b);
    struct hand_over *h = calloc(1, sizeof(*h));
    enum va_err err = !h ? VA_ENOMEM : *stream ? know_stream(s, stream) : VA_OK;
    if (!err) {
        *h = (struct hand_over){{NULL, on_hand_over}, slot, *b};
        err = loop_post(slot->worker.loop, &h->mail);
    }
    if (err) {
        forget_stream(s, stream);
        free(h);
    }
    return err;
}

static void take(struct call_server *s, struct birth *b)
{
    const char *why = why_not(s, b);
    struct worker_slot *slot = least_loaded(s);
    enum va_err err = why ? VA_OK : hand_over(s, slot, b);
    if (why || err) {
        refuse(s, b, why ? why : va_err_text(err));
        return;
    }
    slot->calls++;
    s->stats.running++;
    s->stats.taken[b->kind]++;
}

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    take(arg, &(struct birth){.kind = BIRTH_SOCKET, .fd = fd, .peer = *peer});
}

void call_server_take_stream(struct call_server *s, struct ws_stream *stream)
{
    take(s, &(struct birth){.kind = BIRTH_STREAM, .fd = -1, .stream = stream});
}

void call_server_take_sip(struct call_server *s, struct sip_incoming *in)
{
    take(s, &(struct birth){.kind = BIRTH_SIP, .fd = -1, .incoming = in});
}

/* ---- drain -------------------------------------------------------------------------------------
 * Asking every worker "idle?" when no call is left: it answers once its files are written. */

static void on_idle_answer(struct mail *mail)
{
    struct worker_slot *slot = container_of(mail, struct worker_slot, ask);
    struct call_server *s = slot->server;
    if (--s->asked || !s->on_idle)
        return;
    void (*on_idle)(void *) = s->on_idle;
    s->on_idle = NULL;
    on_idle(s->arg);
}

static void answer_when_idle(void *arg)
{
    struct worker_slot *slot = arg;
    if (slot->worker.jobs) {
        tmr_start(&slot->again, slot->worker.loop, IDLE_CHECK_MS, answer_when_idle, slot);
        return;
    }
    slot->ask.deliver = on_idle_answer;
    loop_reply(slot->server->control, &slot->ask);
}

static void on_asked_idle(struct mail *mail)
{
    answer_when_idle(container_of(mail, struct worker_slot, ask));
}

static void maybe_ask_idle(struct call_server *s)
{
    if (!s->draining || s->stats.running || s->asked || !s->on_idle)
        return;
    tmr_stop(&s->soft);
    tmr_stop(&s->hard);
    for (size_t i = 0; i < s->slot_count; i++) {
        s->slots[i].ask = (struct mail){NULL, on_asked_idle};
        s->asked++;
        loop_reply(s->slots[i].worker.loop, &s->slots[i].ask);
    }
}

struct order {
    struct mail mail;
    struct worker_slot *slot;
    void (*each)(struct call *c);
};

static void on_order(struct mail *mail)
{
    struct order *o = container_of(mail, struct order, mail);
    list_each(&o->slot->worker.calls, it, next) o->each(call_of_link(it));
    free(o);
}

static void order_all(struct call_server *s, void (*each)(struct call *c))
{
    for (size_t i = 0; i < s->slot_count; i++) {
        struct order *o = calloc(1, sizeof(*o));
        if (!o)
            return;
        *o = (struct order){{NULL, on_order}, &s->slots[i], each};
        loop_reply(s->slots[i].worker.loop, &o->mail);
    }
}

static void on_soft(void *arg)
{
    struct call_server *s = arg;
    log_info("call", NULL, "drain", "step", "one-moment", "running",
             log_num((int64_t)s->stats.running), NULL);
    order_all(s, call_drain);
}

static void on_hard(void *arg)
{
    struct call_server *s = arg;
    log_warn("call", NULL, "drain", "step", "give-back", "running",
             log_num((int64_t)s->stats.running), NULL);
    order_all(s, call_abort);
}

void call_server_drain(struct call_server *s, uint64_t timeout_ms, void (*on_idle)(void *arg),
                       void *arg)
{
    if (s->draining)
        return;
    s->draining = true;
    s->on_idle = on_idle;
    s->arg = arg;
    tcp_listener_close(&s->listener);
    log_info("call", NULL, "drain", "step", "no-new-calls", "running",
             log_num((int64_t)s->stats.running), "timeout_ms", log_num((int64_t)timeout_ms), NULL);
    tmr_start(&s->soft, s->control, timeout_ms / 2, on_soft, s);
    tmr_start(&s->hard, s->control, timeout_ms * 9 / 10, on_hard, s);
    maybe_ask_idle(s);
}

void call_server_abort(struct call_server *s)
{
    order_all(s, call_abort);
}

/* ---- start and stop ----------------------------------------------------------------------------
 */

static void on_begin(struct mail *mail)
{
    const struct worker_slot *slot = container_of(mail, struct worker_slot, begin);
    const struct call_env *env = slot->worker.env;
    loop_set_pace(slot->worker.loop, WORKER_PACE_US);
    provider_loop_start(slot->worker.loop, &env->provider, env->settings);
}

static enum va_err start_worker(struct worker_slot *slot, struct call_server *s, unsigned number)
{
    char name[16];
    (void)snprintf(name, sizeof(name), "worker-%u", number);
    struct call_worker *w = &slot->worker;
    slot->server = s;
    w->env = s->env;
    w->on_call_gone = on_call_gone;
    w->arg = slot;
    list_init(&w->calls);
    enum va_err err = loop_thread_start(name, NULL, &w->thread);
    if (err)
        return err;
    w->loop = loop_thread_loop(w->thread);
    loop_thread_rank(w->thread, thread_priority_of(w->env->settings->worker_priority));
    err = media_clock_new(w->loop, &w->clock);
    /* FreeSWITCH paces what we send and queues what comes early, and the queue cannot be flushed:
     * frames missed in a stall are skipped, so the delay stays what it was. */
    if (!err)
        media_clock_set_catchup(w->clock, FRAME_MS);
    slot->begin = (struct mail){NULL, on_begin};
    loop_reply(w->loop, &slot->begin);
    return err;
}

static size_t worker_count(const struct settings *settings)
{
    if (settings->workers)
        return (size_t)settings->workers;
    unsigned cores = uv_available_parallelism();
    return cores ? cores : 1;
}

enum va_err call_server_start(struct loop *control, const struct call_env *env,
                              struct call_server **ret_server, struct va_fault *fault)
{
    struct net_addr addr;
    if (net_addr_parse(env->settings->esl_server_host, (uint16_t)env->settings->esl_server_port,
                       &addr))
        return va_fault_set(fault, VA_ECONFIG, "ESL_SERVER_HOST: not an IP address");
    struct call_server *s = calloc(1, sizeof(*s));
    size_t count = worker_count(env->settings);
    struct worker_slot *slots = calloc(count, sizeof(*slots));
    if (!s || !slots) {
        free(s);
        free(slots);
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    }
    s->control = control;
    s->env = env;
    s->slots = slots;
    enum va_err err = VA_OK;
    while (!err && s->slot_count < count) {
        err = start_worker(&slots[s->slot_count], s, (unsigned)s->slot_count);
        s->slot_count++;
        if (err)
            va_fault_set(fault, err, "cannot start a worker thread: %s", va_err_text(err));
    }
    if (!err)
        err = tcp_listen(control, &addr, on_accept, s, &s->listener, fault);
    if (err) {
        call_server_stop(&s);
        return err;
    }
    *ret_server = s;
    return VA_OK;
}

void call_server_addr(const struct call_server *s, struct net_addr *ret_addr)
{
    tcp_listener_addr(s->listener, ret_addr);
}

void call_server_stats(const struct call_server *s, struct call_server_stats *ret_stats)
{
    *ret_stats = s->stats;
    for (size_t i = 0; i < s->slot_count; i++) {
        const struct call_counters *c = &s->slots[i].worker.counters;
        for (size_t m = 0; m < CALL_MODES; m++) {
            ret_stats->failed[m] += atomic_load_explicit(&c->failed[m], memory_order_relaxed);
            ret_stats->moved_to[m] += atomic_load_explicit(&c->moved_to[m], memory_order_relaxed);
        }
        ret_stats->no_audio += atomic_load_explicit(&c->no_audio, memory_order_relaxed);
    }
}

static void on_end(struct mail *mail)
{
    struct worker_slot *slot = container_of(mail, struct worker_slot, ask);
    provider_loop_stop(slot->worker.loop);
    media_clock_free(&slot->worker.clock);
}

void call_server_stop(struct call_server **ps)
{
    struct call_server *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    tmr_stop(&s->soft);
    tmr_stop(&s->hard);
    tcp_listener_close(&s->listener);
    for (size_t i = 0; i < s->slot_count; i++) {
        struct worker_slot *slot = &s->slots[i];
        if (slot->worker.thread) {
            slot->ask = (struct mail){NULL, on_end};
            loop_reply(slot->worker.loop, &slot->ask);
        }
        loop_thread_stop(&slot->worker.thread);
    }
    free(s->slots);
    free(s);
}
