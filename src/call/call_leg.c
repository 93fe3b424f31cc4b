/*
 * Which leg carries the audio, and what happens when it does not:
 *
 *     NONE ─► STARTING ─started─► FLOWING ─failed─► RELEASING ─released─► the next mode of the list
 *               └──── failed ─────────────────────────►┘                  none left:
 * EV_MEDIA_FAILED
 *
 * A mode is tried once. What a leg did to the channel (a bridge, a stream) is ended before another
 * leg, a transfer or the dialplan gets the channel: it would be left parked, or streamed, for ever.
 * The conversation does not notice: playout, VAD, recording and history stay, the media clock
 * stands still between two legs.
 */
#include "call/call_int.h"

#include <stdlib.h>

static const char *const modes[CALL_MODES] = {"esl", "rtp", "dual", "websocket"};

static size_t mode_of(const struct leg_ops *ops)
{
    for (size_t i = 0; i < CALL_MODES; i++)
        if (strcmp(modes[i], ops->name) == 0)
            return i;
    return 0;
}

const char *call_mode_name(size_t mode)
{
    return modes[mode];
}

static void count(atomic_uint_least64_t *counter)
{
    (void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* ---- the list -------------------------------------------------------------------------------- */

static void add_mode(struct call *c, struct str name)
{
    struct call_legs *l = &c->legs;
    char mode[16];
    (void)str_copy(mode, sizeof(mode), name);
    const struct leg_ops *ops = c->env->find_leg(mode);
    for (size_t i = 0; i < l->count; i++)
        if (l->chain[i] == ops)
            return;
    if (ops && l->count < CALL_MODES)
        l->chain[l->count++] = ops;
}

enum va_err call_leg_list(struct call *c, const char *first)
{
    add_mode(c, str_of(first));
    if (!c->legs.count)
        return VA_ENOTSUP;
    for (struct str rest = str_of(c->env->settings->audio_fallback); rest.len;)
        add_mode(c, str_cut(&rest, ','));
    c->leg_ops = c->legs.chain[0];
    return VA_OK;
}

/* ---- phases ---------------------------------------------------------------------------------- */

static void set_phase(struct call *c, enum leg_phase phase)
{
    static const char *const names[] = {"none", "starting", "flowing", "releasing", "released"};
    if (phase == c->legs.phase)
        return;
    log_debug("call", &c->log, "leg", "mode", c->leg_ops->name, "from", names[c->legs.phase], "to",
              names[phase], NULL);
    c->legs.phase = phase;
}

static void add_stats(struct leg_stats *sum, const struct leg_stats *st)
{
    sum->frames_in += st->frames_in;
    sum->frames_out += st->frames_out;
    sum->foreign += st->foreign;
    sum->bad_size += st->bad_size;
    sum->unicast = sum->unicast || st->unicast;
}

static void close_leg(struct call *c)
{
    struct leg_stats st = {0};
    tmr_stop(&c->legs.guard);
    if (!c->leg)
        return;
    c->leg_ops->stats(c->leg, &st);
    add_stats(&c->legs.stats, &st);
    c->leg_ops->close(&c->leg);
}

static enum va_err try_open(struct call *c)
{
    struct leg_cfg cfg = {.loop = c->loop,
                          .env = &c->env->leg,
                          .uuid = c->uuid,
                          .secretary = c->secretary,
                          .settings = c->env->settings,
                          .rate_hz = c->channel_rate_hz,
                          .log = c->log};
    c->control->ops->fill_leg(c->control, &cfg);
    /* A second unicast on a channel can crash the switch (leg/unicast.c). */
    cfg.parked = cfg.parked && !c->legs.stats.unicast;
    if (strcmp(c->leg_ops->name, "websocket") == 0) {
        cfg.stream = c->stream;
        cfg.stream_again = !c->stream && *c->by_stream;
        c->stream = NULL;
    }
    return c->leg_ops->open(&cfg, &call_leg_handlers, c, &c->leg);
}

static const char *open_fault(enum va_err err)
{
    if (err == VA_ENOTSUP)
        return "this call cannot use it";
    return err == VA_ELIMIT
               ? "all UDP ports of RTP_PORT_MIN-_MAX or UNICAST_PORT_MIN-_MAX are in use; "
                 "widen them"
               : va_err_text(err);
}

void call_leg_open(struct call *c)
{
    struct call_legs *l = &c->legs;
    set_phase(c, LEG_NONE);
    for (; l->at < l->count; l->at++) {
        c->leg_ops = l->chain[l->at];
        enum va_err err = try_open(c);
        if (!err) {
            set_phase(c, LEG_STARTING);
            if (l->at > l->moved) /* else the same again, behind a transfer that failed */
                count(&c->worker->counters.moved_to[mode_of(c->leg_ops)]);
            l->moved = l->at;
            if (c->state == CALL_CONNECTING)
                call_stuck_after(c, CALL_CONNECT_MS);
            return;
        }
        log_warn("call", &c->log, "leg-open", "mode", c->leg_ops->name, "why", open_fault(err),
                 NULL);
        if (err != VA_ENOTSUP)
            count(&c->worker->counters.failed[mode_of(c->leg_ops)]);
    }
    log_error("call", &c->log, "no-audio", "note",
              "no mode of AUDIO_MODE and AUDIO_FALLBACK is left", NULL);
    count(&c->worker->counters.no_audio);
    call_fire(c, EV_MEDIA_FAILED);
}

/* ---- release --------------------------------------------------------------------------------- */

static void released(struct call *c)
{
    void (*then)(struct call * c) = c->legs.then;
    c->legs.then = NULL;
    close_leg(c);
    set_phase(c, LEG_RELEASED);
    then(c);
}

static void on_guard(void *arg)
{
    struct call *c = arg;
    log_warn("call", &c->log, "leg-not-released", "mode", c->leg_ops->name, NULL);
    released(c);
}

void call_leg_release(struct call *c, void (*then)(struct call *c))
{
    struct call_legs *l = &c->legs;
    call_media_pause(c);
    l->then = then;
    if (l->phase == LEG_RELEASING)
        return;
    if (!c->leg || !c->leg_ops->release || !c->control->ops->leg_is_in_way) {
        released(c);
        return;
    }
    set_phase(c, LEG_RELEASING);
    tmr_start(&l->guard, c->loop, LEG_RELEASE_MS + CALL_RELEASE_GRACE_MS, on_guard, c);
    c->leg_ops->release(c->leg);
}

void call_leg_lend(struct call *c, void (*then)(struct call *c))
{
    if (c->leg && (!c->leg_ops->release || !c->control->ops->leg_is_in_way))
        then(c); /* nothing in the way; what it is goes on if the channel stays */
    else
        call_leg_release(c, then);
}

/* A leg that was not in the way may have been paused all the same. */
void call_leg_take_back(struct call *c)
{
    if (c->legs.phase == LEG_RELEASED)
        call_leg_open(c);
    else if (c->legs.phase == LEG_FLOWING && !c->tick.clock && call_media_resume(c, &c->format))
        call_leg_failed(c, VA_ENOMEM, "the media clock cannot go on");
}

void call_leg_renew(struct call *c)
{
    c->legs.stats.unicast = false;
}

void call_leg_close(struct call *c)
{
    c->legs.then = NULL;
    close_leg(c);
    set_phase(c, LEG_NONE);
}

void call_leg_released(void *arg)
{
    struct call *c = arg;
    if (c->legs.phase == LEG_RELEASING)
        released(c);
}

void call_leg_stats(const struct call *c, struct leg_stats *ret_stats)
{
    struct leg_stats now = {0};
    *ret_stats = c->legs.stats;
    if (c->leg)
        c->leg_ops->stats(c->leg, &now);
    add_stats(ret_stats, &now);
}

/* ---- fallback -------------------------------------------------------------------------------- */

void call_leg_failed(void *arg, enum va_err why, const char *cause)
{
    struct call *c = arg;
    struct call_legs *l = &c->legs;
    l->at++;
    log_error("call", &c->log, "audio-failed", "mode", c->leg_ops->name, "why", va_err_text(why),
              "cause", cause, "next", l->at < l->count ? l->chain[l->at]->name : "none", NULL);
    count(&c->worker->counters.failed[mode_of(c->leg_ops)]);
    call_leg_release(c, call_leg_open);
}

void call_leg_started(void *arg, const struct leg_format *format)
{
    struct call *c = arg;
    if (c->legs.phase != LEG_STARTING)
        return;
    set_phase(c, LEG_FLOWING);
    if (!c->playout) {
        c->format = *format;
        call_maybe_ready(c);
        return;
    }
    enum va_err err = call_media_resume(c, format);
    if (err)
        call_leg_failed(c, err, "the media clock cannot follow this leg");
    else
        log_info("call", &c->log, "audio-again", "mode", c->leg_ops->name, NULL);
}
