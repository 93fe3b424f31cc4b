/* Life cycle: control → channel's facts → secretary → leg and provider → conversation → end. */
#include "call/call_int.h"
#include "leg/ws_hub.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The longest a state may last in which nothing of ours is heard, before EV_STUCK [ms]; 0: it has
 * its own end. */
static const unsigned stuck_ms[CALL_STATE_COUNT] = {
    [CALL_CONNECTING] = CALL_CONNECT_MS,
    [CALL_GREETING] = 10000,
    [CALL_THINKING] = 15000,
    [CALL_SPEAKING] = 15000,
    [CALL_TRANSFERRING] = 8000, /* RINGING and WITH_HUMAN: their own ends */
    [CALL_RETURNING] = 8000,
    [CALL_ENDING] = 30000,
};

void call_event_log(struct call *c, const char *event, const char *key, const char *value)
{
    log_info("call", &c->log, event, key, value, NULL);
}

static void on_stuck(void *arg)
{
    struct call *c = arg;
    uint64_t quiet_ms = (loop_now_us(c->loop) - c->sounded_us) / 1000,
             limit_ms = stuck_ms[c->state];
    if (!c->hanging_up && quiet_ms < limit_ms) { /* being heard is progress */
        call_stuck_after(c, (unsigned)(limit_ms - quiet_ms));
        return;
    }
    log_warn("call", &c->log, "stuck", "state", call_state_name(c->state), NULL);
    call_fire(c, EV_STUCK);
}

void call_stuck_after(struct call *c, unsigned ms)
{
    tmr_start(&c->stuck, c->loop, ms, on_stuck, c);
}

/* The one setter. Every move of a call goes through here and can be followed in the debug log. */
static void set_state(struct call *c, enum call_state next, enum call_event by)
{
    uint64_t now = loop_now_us(c->loop);
    log_debug("call", &c->log, "state", "from", call_state_name(c->state), "to",
              call_state_name(next), "by", call_event_name(by), "after_ms",
              log_ms(now - c->state_since_us), NULL);
    c->state = next;
    c->state_since_us = now;
    tmr_stop(&c->silence);
    tmr_stop(&c->look);
    if (stuck_ms[next])
        tmr_start(&c->stuck, c->loop, stuck_ms[next], on_stuck, c);
    else
        tmr_stop(&c->stuck);
}

void call_fire(struct call *c, enum call_event event)
{
    const struct call_rule *rule = call_rule_find(c->state, event);
    if (!rule->allowed) {
        log_debug("call", &c->log, "ignored", "state", call_state_name(c->state), "by",
                  call_event_name(event), NULL);
        return;
    }
    if (rule->next != (unsigned char)c->state)
        set_state(c, (enum call_state)rule->next, event);
    if (rule->action)
        rule->action(c);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void on_reap(void *arg)
{
    struct call *c = arg;
    link_remove(&c->link);
    c->worker->on_call_gone(c->worker->arg, &c->bye);
}

const char *call_gone_stream(const struct mail *mail)
{
    const struct call *c = container_of(mail, struct call, bye);
    return c->by_stream;
}

void call_free_gone(struct mail *mail)
{
    free(container_of(mail, struct call, bye));
}

static void log_end(struct call *c)
{
    struct leg_stats ls;
    call_leg_stats(c, &ls);
    uint64_t mean = c->latency_count ? c->latency_sum_us / c->latency_count : 0;
    log_info("call", &c->log, "call-end", "outcome", call_outcome_text(c->record.outcome), "cause",
             c->record.hangup_cause, "mode", c->leg_ops->name, "destination", c->record.destination,
             "seconds", log_num((c->record.ended_us - c->record.started_us) / 1000000), "turns",
             log_num(c->record.turns), "first_audio_ms",
             c->first_audio_us ? log_ms(c->first_audio_us - c->accepted_us) : NULL,
             "answer_mean_ms", log_ms(mean), "answer_max_ms", log_ms(c->latency_max_us),
             "barge_ins_false", log_num(c->false_barge_ins), "held", log_num(c->holds), "frames_in",
             log_num((int64_t)ls.frames_in), "frames_out", log_num((int64_t)ls.frames_out),
             "foreign", log_num((int64_t)ls.foreign), "bad_size", log_num((int64_t)ls.bad_size),
             NULL);
}

static void store_result(struct call *c)
{
    if (!c->secretary)
        return;
    enum va_err err = store_put_call(c->env->store, c->loop, &c->record, NULL, NULL, NULL);
    if (err)
        log_error("call", &c->log, "record-lost", "why", va_err_text(err), NULL);
}

static void stop_conversation(struct call *c)
{
    call_media_stop(c);
    if (c->provider)
        c->provider_ops->close(&c->provider);
    store_cancel(&c->finding);
    secretary_unref(&c->secretary);
    call_lines_free(c);
    history_free(&c->history);
    tmr_stop(&c->stuck);
    tmr_stop(&c->silence);
    tmr_stop(&c->look);
    tmr_stop(&c->verdict);
    tmr_stop(&c->duration);
    tmr_stop(&c->later);
    tmr_stop(&c->ringing);
}

static void let_go(struct call *c)
{
    call_leg_close(c);
    ws_stream_refuse(&c->stream, 503, "the call is over");
    if (c->control && c->channel == CHANNEL_OURS)
        c->control->ops->give_back(&c->control);
    if (c->control)
        c->control->ops->close(&c->control);
    /* The memory goes on the next turn: whoever called us may still look at the call. */
    tmr_start(&c->later, c->loop, 0, on_reap, c);
}

void call_finish(struct call *c, enum call_outcome outcome)
{
    if (c->record.outcome != CALL_RUNNING)
        return;
    if (c->control && c->control->ops->cancel)
        c->control->ops->cancel(c->control);
    c->record.outcome = outcome;
    c->record.ended_us = clock_wall_us(loop_clock(c->loop));
    call_message_abandon(c);
    if (c->open_answer) {
        uint32_t playing = playout_current(c->playout);
        uint32_t heard = playout_played_ms(c->playout, playing);
        call_line_close(c, playing, heard, heard + playout_left_ms(c->playout, playing));
    }
    log_end(c);
    store_result(c);
    stop_conversation(c);
    if (c->channel == CHANNEL_OURS)
        call_leg_release(c, let_go);
    else
        let_go(c);
}

/* The channel is not ours any more. A call that is over and only waits to give it back is done. */
static void channel_goes(struct call *c, enum channel_fate fate, enum call_event event)
{
    c->channel = fate;
    if (c->state == CALL_ENDED)
        let_go(c);
    else
        call_fire(c, event);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void on_duration(void *arg)
{
    struct call *c = arg;
    c->time_is_up = true;
    call_fire(c, EV_TIME_UP);
}

void call_maybe_ready(struct call *c)
{
    if (c->state != CALL_CONNECTING || !c->provider_ready || c->legs.phase != LEG_FLOWING)
        return;
    enum va_err err = call_media_start(c);
    if (err) {
        log_error("call", &c->log, "media-start", "why", va_err_text(err), NULL);
        call_fire(c, EV_MEDIA_FAILED);
        return;
    }
    tmr_start(&c->duration, c->loop, (uint64_t)c->secretary->max_duration_s * 1000, on_duration, c);
    call_fire(c, EV_READY);
}

static void open_provider(struct call *c)
{
    c->provider_ops = c->env->speaker;
    struct provider_cfg cfg = {.loop = c->loop,
                               .env = &c->env->provider,
                               .secretary = c->secretary,
                               .rate_hz = c->channel_rate_hz,
                               .settings = c->env->settings,
                               .history = c->history,
                               .record = &c->record,
                               .log = c->log};
    enum va_err err = c->provider_ops->open(&cfg, &call_provider_handlers, c, &c->provider);
    if (err) {
        log_error("call", &c->log, "provider-open", "why", va_err_text(err), NULL);
        call_fire(c, EV_PROVIDER_FAILED);
    }
}

/* Answered, so the rate is known. The secretary may still be on its way, or wait for us. */
static void open_audio(struct call *c)
{
    c->answered = true;
    c->record.answered_us = clock_wall_us(loop_clock(c->loop));
    call_leg_open(c);
    if (c->state == CALL_CONNECTING && c->secretary)
        open_provider(c);
}

static void on_answered(void *arg, enum va_err err, int rate_hz)
{
    struct call *c = arg;
    if (c->state != CALL_CONNECTING)
        return;
    if (err) {
        call_fire(c, EV_MEDIA_FAILED);
        return;
    }
    if (rate_hz)
        c->channel_rate_hz = rate_hz;
    open_audio(c);
}

static void on_secretary(void *arg, enum va_err err, const struct secretary *secretary);

static enum va_err find_secretary(struct call *c)
{
    return store_find_secretary(c->env->store, c->loop, c->record.tenant, c->lookup_key,
                                on_secretary, c, &c->finding);
}

static void on_secretary(void *arg, enum va_err err, const struct secretary *secretary)
{
    struct call *c = arg;
    c->finding = NULL;
    /* A domain without secretaries of its own is served by the house's; never by another domain's.
     */
    if (err == VA_ENOTFOUND && strcmp(c->record.tenant, "default") != 0) {
        (void)str_copy(c->record.tenant, sizeof(c->record.tenant), str_of("default"));
        err = find_secretary(c);
        if (!err)
            return;
    }
    if (err) {
        log_error("call", &c->log, "no-secretary", "number", c->record.called_number, "key",
                  c->lookup_key, "why", va_err_text(err), NULL);
        call_fire(c, EV_PROVIDER_FAILED);
        return;
    }
    c->secretary = secretary;
    (void)str_copy(c->record.secretary_id, UUID_TEXT, str_of(secretary->id));
    (void)str_copy(c->record.tenant, sizeof(c->record.tenant), str_of(secretary->tenant));
    log_info("call", &c->log, "call-start", "secretary", secretary->name, "caller",
             c->record.caller_number, "called", c->record.called_number, "rate",
             log_num(c->channel_rate_hz), NULL);
    err = store_put_call(c->env->store, c->loop, &c->record, NULL, NULL, NULL);
    if (err)
        log_error("call", &c->log, "record-lost", "why", va_err_text(err), NULL);
    if (c->answered)
        open_provider(c);
}

static void read_facts(struct call *c, const struct channel_facts *f)
{
    struct call_record *r = &c->record;
    if (f->uuid.len)
        (void)str_copy(c->uuid, UUID_TEXT, f->uuid);
    else if (!*c->uuid)
        rand_uuid(c->uuid);
    (void)str_copy(r->id, UUID_TEXT, str_of(c->uuid));
    (void)str_copy(r->caller_number, sizeof(r->caller_number), f->caller_number);
    (void)str_copy(r->caller_name, sizeof(r->caller_name), f->caller_name);
    (void)str_copy(r->called_number, sizeof(r->called_number), f->called_number);
    (void)str_copy(r->tenant, sizeof(r->tenant), f->tenant.len ? f->tenant : str_of("default"));
    c->channel_rate_hz = f->rate_hz ? f->rate_hz : 8000;
    (void)str_copy(c->lookup_key, sizeof(c->lookup_key),
                   f->secretary.len ? f->secretary : str_of(r->called_number));
}

static void on_connected(void *arg, const struct channel_facts *facts)
{
    struct call *c = arg;
    if (c->state != CALL_CONNECTING)
        return;
    read_facts(c, facts);
    bool answered = facts->answered;
    enum va_err err = find_secretary(c);
    if (err) {
        log_error("call", &c->log, "call-start", "why", va_err_text(err), NULL);
        call_fire(c, EV_PROVIDER_FAILED);
        return;
    }
    if (answered)
        open_audio(c);
    else if (c->control->ops->answer(c->control))
        call_fire(c, EV_MEDIA_FAILED);
}

/* ---- what happens to the channel ------------------------------------------------------------- */

void call_digit(struct call *c, char digit)
{
    log_info("call", &c->log, "digit", "state", call_state_name(c->state), NULL);
    if ((c->state == CALL_SPEAKING || c->state == CALL_GREETING) &&
        (c->answer_flags & ANSWER_PROTECTED) && c->open_answer)
        return;
    c->digit = digit;
    call_fire(c, EV_DIGIT);
}

static void on_digit(void *arg, char digit)
{
    call_digit(arg, digit);
}

static void on_hung_up(void *arg, struct str cause)
{
    struct call *c = arg;
    if (cause.len)
        (void)str_copy(c->record.hangup_cause, sizeof(c->record.hangup_cause), cause);
    channel_goes(c, CHANNEL_HUNG_UP, EV_LEG_GONE);
}

static void on_left(void *arg)
{
    channel_goes(arg, CHANNEL_LEFT, EV_LEG_GONE);
}

static void on_event(void *arg, const struct esl_event *ev)
{
    struct call *c = arg;
    if (c->leg && c->leg_ops->on_event)
        c->leg_ops->on_event(c->leg, ev);
}

static void on_lost(void *arg, const char *why)
{
    struct call *c = arg;
    bool transferring = c->state == CALL_TRANSFERRING;
    if (c->state == CALL_CONNECTING && !*c->uuid)
        log_warn("call", &c->log, "no-channel", "why", why, NULL);
    else if (!transferring)
        log_warn("call", &c->log, "control-lost", "why", why, NULL);
    channel_goes(c, CHANNEL_LOST, transferring ? EV_LEG_GONE : EV_CONTROL_LOST);
}

const struct control_handlers call_control_handlers = {
    .on_connected = on_connected,
    .on_answered = on_answered,
    .on_digit = on_digit,
    .on_not_transferred = call_not_transferred,
    .on_reached = call_reached,
    .on_joined = call_joined,
    .on_returned = call_came_back,
    .on_hung_up = on_hung_up,
    .on_left = on_left,
    .on_event = on_event,
    .on_lost = on_lost,
};

void call_drain(struct call *c)
{
    c->draining = true;
    call_fire(c, EV_DRAIN);
}

void call_abort(struct call *c)
{
    if (c->state == CALL_ENDED)
        return;
    bool together = c->state == CALL_WITH_HUMAN;
    set_state(c, CALL_ENDED, EV_DRAIN);
    if (together)
        call_act_leave_together(c);
    else
        call_act_return(c);
}

struct call *call_of_link(struct link *link)
{
    return container_of(link, struct call, link);
}
