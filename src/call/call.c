/* Life cycle: control socket → channel data → secretary → leg and provider → conversation → end. */
#include "call/call_int.h"
#include "esl/escape.h"
#include "media/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The longest a state may last in which nothing of ours is heard, before EV_STUCK [ms]; 0: it has
 * its own end. */
static const unsigned stuck_ms[CALL_STATE_COUNT] = {
    [CALL_CONNECTING] = 10000, [CALL_GREETING] = 10000,    [CALL_THINKING] = 15000,
    [CALL_SPEAKING] = 15000,   [CALL_TRANSFERRING] = 8000, [CALL_RETURNING] = 8000,
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

void call_free_gone(struct mail *mail)
{
    free(container_of(mail, struct call, bye));
}

static void log_end(struct call *c)
{
    struct leg_stats ls = {0};
    if (c->leg)
        c->leg_ops->stats(c->leg, &ls);
    uint64_t mean = c->latency_count ? c->latency_sum_us / c->latency_count : 0;
    log_info("call", &c->log, "call-end", "outcome", call_outcome_text(c->record.outcome), "cause",
             c->record.hangup_cause, "destination", c->record.destination, "seconds",
             log_num((c->record.ended_us - c->record.started_us) / 1000000), "turns",
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

void call_finish(struct call *c, enum call_outcome outcome)
{
    if (c->record.outcome != CALL_RUNNING)
        return;
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
    call_media_stop(c);
    if (c->provider)
        c->provider_ops->close(&c->provider);
    if (c->leg)
        c->leg_ops->close(&c->leg);
    esl_session_close(&c->control);
    store_cancel(&c->finding);
    secretary_unref(&c->secretary);
    call_lines_free(c);
    history_free(&c->history);
    tmr_stop(&c->stuck);
    tmr_stop(&c->silence);
    tmr_stop(&c->look);
    tmr_stop(&c->verdict);
    tmr_stop(&c->duration);
    /* The memory goes on the next turn: whoever called us may still look at the call. */
    tmr_start(&c->later, c->loop, 0, on_reap, c);
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
    if (c->state != CALL_CONNECTING || !c->provider_ready || !c->format.rate_hz)
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

static void open_leg(struct call *c)
{
    c->answered = true;
    c->record.answered_us = clock_wall_us(loop_clock(c->loop));
    struct leg_cfg cfg = {.loop = c->loop,
                          .env = &c->env->leg,
                          .control = c->control,
                          .uuid = c->uuid,
                          .secretary = c->secretary,
                          .settings = c->env->settings,
                          .rate_hz = c->channel_rate_hz,
                          .control_local = c->local,
                          .control_peer = c->peer,
                          .log = c->log};
    enum va_err err = c->leg_ops->open(&cfg, &call_leg_handlers, c, &c->leg);
    if (!err)
        return;
    log_error("call", &c->log, "leg-open", "mode", c->leg_ops->name, "why",
              err == VA_ELIMIT ? "all UDP ports of RTP_PORT_MIN-RTP_PORT_MAX are in use; widen it"
                               : va_err_text(err),
              NULL);
    call_fire(c, EV_MEDIA_FAILED);
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

/* What the caller's codec decodes to. Before the answer there may be no codec yet. */
static void read_rate(struct call *c, const struct esl_event *ev)
{
    uint64_t rate = 0;
    if (str_to_u64(esl_event_get(ev, "Channel-Read-Codec-Rate"), &rate) == VA_OK && rate > 0 &&
        rate <= MEDIA_RATE_MAX_HZ)
        c->channel_rate_hz = (int)rate;
}

/* Answered, so the rate is known. The secretary may still be on its way, or wait for us. */
static void open_audio(struct call *c)
{
    open_leg(c);
    if (c->state == CALL_CONNECTING && c->secretary)
        open_provider(c);
}

static void on_answered(void *arg, const struct esl_result *r)
{
    struct call *c = arg;
    if (!r->done || c->state != CALL_CONNECTING)
        return;
    if (r->err == VA_ECANCELED || r->err == VA_ECLOSED)
        return; /* hang-up or end of the socket: their own events tell */
    if (r->err) {
        call_fire(c, EV_MEDIA_FAILED);
        return;
    }
    if (r->event)
        read_rate(c, r->event);
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

static void copy_header(const struct esl_event *ev, const char *name, char *dst, size_t cap)
{
    (void)str_copy(dst, cap, esl_event_get(ev, name));
}

/* The guide's variable, its siblings in the older system, else the number that was called. */
static void choose_lookup_key(struct call *c, const struct esl_event *channel)
{
    static const char *const names[] = {"secretary_uuid", "voice_secretary_uuid",
                                        "VOICE_AI_SECRETARY_UUID", "voiceai_secretary_uuid",
                                        "voice_ai_secretary"};
    struct str key = str_of(c->record.called_number);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct str v = esl_event_var(channel, names[i]);
        if (v.len) {
            key = v;
            break;
        }
    }
    (void)str_copy(c->lookup_key, sizeof(c->lookup_key), key);
}

static void read_channel(struct call *c, const struct esl_event *channel)
{
    struct str id = esl_event_uuid(channel);
    if (esl_uuid_ok(id) && str_copy(c->record.id, UUID_TEXT, id))
        (void)str_copy(c->uuid, UUID_TEXT, id);
    else
        rand_uuid(c->uuid);
    (void)str_copy(c->record.id, UUID_TEXT, str_of(c->uuid));
    copy_header(channel, "Caller-Caller-ID-Number", c->record.caller_number, 101);
    copy_header(channel, "Caller-Caller-ID-Name", c->record.caller_name, 101);
    copy_header(channel, "Caller-Destination-Number", c->record.called_number, 101);
    struct str domain = esl_event_var(channel, "domain_name");
    (void)str_copy(c->record.tenant, 101, domain.len ? domain : str_of("default"));
    c->channel_rate_hz = 8000;
    read_rate(c, channel);
    choose_lookup_key(c, channel);
}

static void on_connected(void *arg, const struct esl_event *channel)
{
    struct call *c = arg;
    if (c->state != CALL_CONNECTING)
        return;
    read_channel(c, channel);
    enum va_err err = esl_session_myevents(c->control, ESL_PLAIN, NULL);
    if (!err)
        err = esl_session_linger(c->control, 2, NULL);
    if (!err)
        err = find_secretary(c);
    if (err) {
        log_error("call", &c->log, "call-start", "why", va_err_text(err), NULL);
        call_fire(c, EV_PROVIDER_FAILED);
        return;
    }
    if (str_ieqz(esl_event_get(channel, "Answer-State"), "answered"))
        open_audio(c);
    else if (esl_session_execute(c->control, &(struct esl_execute){.app = "answer"},
                                 &(struct esl_then){on_answered, c, 8000}))
        call_fire(c, EV_MEDIA_FAILED);
}

/* ---- events of the channel ------------------------------------------------------------------- */

static void on_digit_event(struct call *c, const struct esl_event *ev)
{
    struct str digit = esl_event_get(ev, "DTMF-Digit");
    if (digit.len != 1)
        return;
    log_info("call", &c->log, "digit", "state", call_state_name(c->state), NULL);
    if ((c->state == CALL_SPEAKING || c->state == CALL_GREETING) &&
        (c->answer_flags & ANSWER_PROTECTED) && c->open_answer)
        return;
    c->digit = digit.p[0];
    call_fire(c, EV_DIGIT);
}

static void on_event(void *arg, const struct esl_event *ev)
{
    struct call *c = arg;
    if (esl_event_is(ev, "DTMF")) {
        on_digit_event(c, ev);
    } else if (esl_event_is(ev, "CHANNEL_HANGUP")) {
        c->hung_up = true;
        copy_header(ev, "Hangup-Cause", c->record.hangup_cause, sizeof(c->record.hangup_cause));
        call_fire(c, EV_LEG_GONE);
    } else if (esl_event_is(ev, "CHANNEL_UNPARK") && !c->hung_up) {
        call_fire(c,
                  EV_LEG_GONE); /* transferred, by us or by somebody else; the socket stays open */
    }
}

static void on_notice(void *arg, enum esl_notice notice, struct str text)
{
    struct call *c = arg;
    (void)text;
    /* With "linger" the channel is gone although its CHANNEL_HANGUP may still be on its way. */
    if (notice == ESL_NOTICE_LINGER)
        c->hung_up = true;
    if (notice == ESL_NOTICE_LINGER || notice == ESL_NOTICE_DISCONNECT)
        call_fire(c, EV_LEG_GONE); /* of the others on_closed tells: the call is lost */
}

static void on_closed(void *arg, enum esl_why why)
{
    struct call *c = arg;
    if (c->state == CALL_CONNECTING && !*c->uuid)
        log_warn("call", &c->log, "not-freeswitch", "why", esl_why_text(why), NULL);
    else if (c->state != CALL_TRANSFERRING)
        log_warn("call", &c->log, "control-lost", "why", esl_why_text(why), NULL);
    call_fire(c, c->state == CALL_TRANSFERRING ? EV_LEG_GONE : EV_CONTROL_LOST);
}

static const struct esl_session_handlers control_handlers = {on_connected, on_event, NULL,
                                                             on_notice, on_closed};

enum va_err call_open(struct call_worker *w, int fd, const struct net_addr *peer)
{
    struct call *c = calloc(1, sizeof(*c));
    if (!c) {
        esl_session_refuse(fd);
        return VA_ENOMEM;
    }
    c->worker = w;
    c->env = w->env;
    c->loop = w->loop;
    c->peer = *peer;
    socklen_t len = sizeof(c->local.u);
    (void)getsockname(fd, &c->local.u.sa, &len);
    c->accepted_us = c->state_since_us = loop_now_us(w->loop);
    c->record.started_us = clock_wall_us(loop_clock(w->loop));
    c->log.tenant = c->record.tenant;
    c->log.call = c->uuid;
    c->leg_ops = leg_find(w->env->settings->audio_mode);
    enum va_err err = c->leg_ops ? history_new(&c->history) : VA_ENOTSUP;
    if (err)
        esl_session_refuse(fd);
    else
        err = esl_session_open(c->loop, fd, NULL, &control_handlers, c, &c->control);
    if (err) {
        history_free(&c->history);
        free(c);
        return err;
    }
    list_push(&w->calls, &c->link);
    tmr_start(&c->stuck, c->loop, stuck_ms[CALL_CONNECTING], on_stuck, c);
    return VA_OK;
}

void call_drain(struct call *c)
{
    c->draining = true;
    call_fire(c, EV_DRAIN);
}

void call_abort(struct call *c)
{
    if (c->state == CALL_ENDED)
        return;
    set_state(c, CALL_ENDED, EV_DRAIN);
    call_act_return(c);
}

struct call *call_of_link(struct link *link)
{
    return container_of(link, struct call, link);
}
