/*
 * The caller goes to somebody else:
 *
 *     TRANSFER_RETURN=never, a direct SIP call:   announcement ─► transfer ─► left, or not
 *
 *     else:  announcement ─► he is called ── busy, no answer, `*` ──► the caller is told why
 *                             │ the caller hears it ring, from us: his channel is as it was
 *                             └ answered ─► leg released ─► joined ─► left (failed)
 *                                                               └───► WITH_HUMAN ─► back (always)
 */
#include "call/call_int.h"
#include "media/tone.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TRANSFER_GRACE_MS = 3000, /* above the control's own limit */
    JOIN_MS = 5000,           /* FreeSWITCH's time to join two channels */
    RINGBACK_DBFS = -22
};

static const struct destination *destination(const struct call *c)
{
    return secretary_find_destination(c->secretary, c->tool_destination);
}

/* The caller is ours again, and hears what comes of it. */
static void not_transferred(struct call *c, enum va_err err)
{
    *c->record.destination = 0;
    call_leg_take_back(c);
    call_tool_done(c, err);
}

/* What comes next of the provider knows of it by its history. */
static void note_failure(struct call *c, const char *why)
{
    char line[2 * SECRETARY_NAME_MAX + 40];
    (void)snprintf(line, sizeof(line), "%s: %s", c->record.destination, why);
    log_warn("call", &c->log, "transfer-failed", "destination", c->tool_destination, "why", why,
             NULL);
    call_line_say(c, SPEAKER_SYSTEM, line);
}

/* ---- the ringing tone ------------------------------------------------------------------------ */

/* As at home: North America's 440+480 Hz for 2 s in 6, else 425 Hz for 1 s in 5. */
static enum va_err make_tone(const struct call *c, struct pcm **ret_pcm)
{
    bool american = str_eqz(str_of(c->secretary->language), "en-US");
    size_t per_s = (size_t)c->format.rate_hz, count = per_s * (american ? 6 : 5);
    int16_t *samples = calloc(count, sizeof(*samples));
    struct tone tone;
    if (!samples)
        return VA_ENOMEM;
    for (int i = 0; i < (american ? 2 : 1); i++) {
        tone_init(&tone, c->format.rate_hz, !american ? 425 : i ? 480 : 440, RINGBACK_DBFS);
        tone_add(&tone, samples, per_s * (american ? 2 : 1));
    }
    return pcm_adopt(c->format.rate_hz, samples, count, ret_pcm);
}

/* Enough of it at once; it is one piece of memory. */
static void start_tone(struct call *c)
{
    struct pcm *pcm = NULL;
    enum va_err err = make_tone(c, &pcm);
    uint64_t left_ms = (uint64_t)c->env->settings->transfer_ring_timeout_s * 1000 + 5000;
    c->open_answer = call_playout_id(c->last_answer) + 1 + c->beeps++ % (CALL_SOUNDS - 1);
    c->ring_sounds = true;
    while (!err && left_ms) {
        err = playout_write_shared(c->playout, c->open_answer, pcm);
        left_ms -= left_ms < pcm_ms(pcm) ? left_ms : pcm_ms(pcm);
    }
    pcm_unref(&pcm);
    if (err)
        log_error("call", &c->log, "no-ringback", "why", va_err_text(err), NULL);
}

static void stop_ringing(struct call *c)
{
    tmr_stop(&c->ringing);
    if (!c->ring_sounds)
        return;
    c->ring_sounds = false;
    if (c->leg && c->leg_ops->flush)
        (void)c->leg_ops->flush(c->leg);
    playout_flush_until(c->playout, c->open_answer);
    c->open_answer = 0;
}

/* ---- ringing --------------------------------------------------------------------------------- */

bool call_is_handed_over(const struct call *c)
{
    return c->state == CALL_TRANSFERRING || c->state == CALL_RINGING || c->state == CALL_WITH_HUMAN;
}

static void ring_fails(struct call *c, enum va_err err, const char *why)
{
    stop_ringing(c);
    note_failure(c, why);
    not_transferred(c, err);
}

void call_not_transferred(void *arg, enum va_err err, struct str text)
{
    struct call *c = arg;
    char why[160];
    if (c->state != CALL_TRANSFERRING && c->state != CALL_RINGING)
        return;
    (void)snprintf(why, sizeof(why), "%s (%.*s)", va_err_text(err), STR_ARG(text));
    ring_fails(c, err, why);
}

static void on_ring_timeout(void *arg)
{
    struct call *c = arg;
    c->control->ops->cancel(c->control);
    ring_fails(c, VA_ETIMEOUT, "nobody answered in time");
}

void call_act_ring(struct call *c)
{
    uint64_t ms = (uint64_t)c->env->settings->transfer_ring_timeout_s * 1000;
    c->turn_ended_us = 0; /* the tone is no answer */
    start_tone(c);
    tmr_start(&c->ringing, c->loop, ms, on_ring_timeout, c);
}

void call_act_ring_digit(struct call *c)
{
    if (c->digit != '*')
        return;
    c->control->ops->cancel(c->control);
    ring_fails(c, VA_EINTR, "the caller pressed *");
}

/* The caller does not wait, or others took him. */
void call_act_ring_gone(struct call *c)
{
    *c->record.destination = 0;
    call_act_gone(c);
}

/* ---- together -------------------------------------------------------------------------------- */

void call_reached(void *arg)
{
    call_fire(arg, EV_REACHED);
}

static void join_now(struct call *c)
{
    call_stuck_after(c, JOIN_MS);
    enum va_err err = c->control->ops->join(c->control);
    if (err) {
        c->control->ops->cancel(c->control);
        ring_fails(c, err, va_err_text(err));
    }
}

void call_act_join(struct call *c)
{
    stop_ringing(c);
    call_event_log(c, "reached", "destination", c->record.destination);
    call_media_pause(c);
    call_leg_lend(c, join_now);
}

void call_joined(void *arg)
{
    call_fire(arg, EV_JOINED);
}

/* Nothing of what they say reaches us. */
void call_act_with_human(struct call *c)
{
    call_event_log(c, "with-human", "destination", c->record.destination);
    call_leg_close(c);
    call_media_rest(c);
}

void call_came_back(void *arg)
{
    struct call *c = arg;
    if (c->state != CALL_WITH_HUMAN)
        return;
    char line[SECRETARY_NAME_MAX + 40];
    (void)snprintf(line, sizeof(line), "%s hung up", c->record.destination);
    call_line_say(c, SPEAKER_SYSTEM, line);
    call_event_log(c, "came-back", "destination", c->record.destination);
    *c->record.destination = 0;
    call_media_pause(c);
    call_leg_renew(c);
    call_leg_open(c);
    if (c->state == CALL_WITH_HUMAN)
        call_tool_done(c, VA_ECLOSED);
}

void call_act_leave_together(struct call *c)
{
    call_finish(c, CALL_TRANSFERRED);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static bool may_return(const struct call *c)
{
    return c->control->ops->ring && strcmp(c->env->settings->transfer_return, "never") != 0;
}

static void note_transfer(struct call *c, const struct destination *d)
{
    char line[2 * SECRETARY_NAME_MAX + 8];
    (void)snprintf(line, sizeof(line), *d->context ? "%s XML %s" : "%s", d->number, d->context);
    (void)str_copy(c->record.destination, sizeof(c->record.destination), str_of(d->number));
    call_line_say(c, SPEAKER_SYSTEM, line);
    call_event_log(c, "transfer", "destination", line);
}

static void transfer_now(struct call *c)
{
    const struct destination *d = destination(c);
    note_transfer(c, d);
    enum va_err err = c->control->ops->transfer(c->control, d->number, d->context);
    if (err)
        not_transferred(c, err);
    else
        call_stuck_after(c, c->control->ops->transfer_ms + TRANSFER_GRACE_MS);
}

static void ring_now(struct call *c)
{
    const struct destination *d = destination(c);
    note_transfer(c, d);
    enum va_err err = c->control->ops->ring(c->control, d->number, d->context);
    if (err)
        ring_fails(c, err, va_err_text(err));
    else
        call_fire(c, EV_RINGS);
}

static void begin_transfer(void *arg)
{
    struct call *c = arg;
    if (!destination(c))
        call_tool_done(c, VA_ENOTFOUND);
    else if (may_return(c))
        ring_now(c);
    else
        call_leg_lend(c, transfer_now);
}

void call_act_transfer(struct call *c)
{
    tmr_start(&c->later, c->loop, call_in_flight_ms(c), begin_transfer, c);
}
