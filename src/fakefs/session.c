#include "fakefs/session_int.h"

#include <stdio.h>
#include <stdlib.h>

static const char goodbye[] =
    "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n";

const char *fakefs_state_text(enum fakefs_state state)
{
    static const char *const text[] = {"new",  "connected", "parked",  "bridged",
                                       "away", "hungup",    "returned"};
    return text[state];
}

uint64_t session_now(const struct fakefs_session *s)
{
    return clock_mono_us(s->clock);
}

void session_note(struct fakefs_session *s, enum fakefs_note note, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    s->ops->note(s->arg, note, text);
}

static void set_variables(struct fakefs_session *s, const struct fakefs_session_cfg *cfg)
{
    for (size_t i = 0; i < cfg->variable_count; i++) {
        struct str value = str_of(cfg->variables[i]), name = str_cut(&value, '=');
        char *n = str_dup(name), *v = str_dup(value);
        if (n && v)
            fakefs_channel_set(&s->ch, n, v);
        free(n);
        free(v);
    }
    if (cfg->bound) { /* the last action of 901_voice_ai_websocket.xml */
        fakefs_channel_set(&s->ch, "current_application", "park");
        return;
    }
    fakefs_channel_set(&s->ch, "current_application_data", s->socket_arg);
    fakefs_channel_set(&s->ch, "current_application", "socket");
    struct str host = str_of(s->socket_arg);
    char host_text[128];
    (void)str_copy(host_text, sizeof(host_text), str_cut(&host, ':'));
    fakefs_channel_set(&s->ch, "socket_host", host_text);
}

enum va_err fakefs_session_new(const struct fakefs_session_cfg *cfg,
                               const struct fakefs_session_ops *ops, void *arg,
                               struct fakefs_session **ret)
{
    struct fakefs_session *s = calloc(1, sizeof(*s));
    if (!s)
        return VA_ENOMEM;
    s->cfg = *cfg;
    s->ops = ops;
    s->arg = arg;
    s->clock = cfg->clock ? cfg->clock : &va_clock_system;
    fakefs_channel_init(&s->ch, &cfg->caller, s->clock);
    (void)str_copy(s->socket_arg, sizeof(s->socket_arg),
                   str_of(cfg->socket_arg ? cfg->socket_arg : "127.0.0.1:8022 async full"));
    set_variables(s, cfg);
    rand_uuid(s->socket_uuid);
    s->in_socket = !cfg->bound;
    s->said_connect = s->first_done = cfg->bound;
    s->state = cfg->bound ? FAKEFS_PARKED : FAKEFS_NEW;
    s->start_us = session_now(s);
    s->listen_phase_us = s->start_us + (cfg->fixed_phase ? 0 : rand_below(TICK_US));
    s->session_phase_us = s->start_us + (cfg->fixed_phase ? 0 : rand_below(TICK_US));
    fakefs_parser_init(&s->in);
    buf_init(&s->out, 8 << 20);
    list_init(&s->events);
    list_init(&s->queue);
    *ret = s;
    return VA_OK;
}

static void drop_events(struct fakefs_session *s)
{
    for (struct link *n; (n = list_pop(&s->events));) {
        struct fakefs_event *ev = container_of(n, struct fakefs_event, link);
        fakefs_event_free(&ev);
    }
    s->event_count = 0;
}

void fakefs_session_free(struct fakefs_session **ps)
{
    struct fakefs_session *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    drop_events(s);
    for (struct link *n; (n = list_pop(&s->queue));)
        msg_free(container_of(n, struct msg, link));
    while (s->depth)
        msg_free(s->stack[--s->depth]);
    for (size_t i = 0; i < s->job_count; i++) {
        free(s->jobs[i].command);
        free(s->jobs[i].arg);
        free(s->jobs[i].output);
    }
    session_subscribe_free(s);
    fakefs_channel_free(&s->ch);
    fakefs_parser_free(&s->in);
    buf_free(&s->out);
    free(s);
}

/* ---- out ------------------------------------------------------------------------------------ */

static void flush_out(struct fakefs_session *s)
{
    if (s->out.len && !s->closed)
        s->ops->write(s->arg, s->out.p, s->out.len);
    buf_reset(&s->out);
}

void session_reply(struct fakefs_session *s, const char *fmt, ...)
{
    char text[REPLY_MAX + 1];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    buf_addf(&s->out, "Content-Type: command/reply\nReply-Text: %s\n\n", text);
}

static void write_notice(struct fakefs_session *s, const char *disposition, const char *body)
{
    buf_addf(&s->out,
             "Content-Type: text/disconnect-notice\nControlled-Session-UUID: %s\n"
             "Content-Disposition: %s\n",
             s->ch.uuid, disposition);
    if (str_eqz(str_of(disposition), "linger"))
        buf_addf(&s->out, "Channel-Name: %s\nLinger-Time: %d\n", s->ch.name, s->linger_s);
    buf_addf(&s->out, "Content-Length: %zu\n\n%s", strlen(body), body);
}

void session_shut(struct fakefs_session *s, const char *why)
{
    if (s->closed)
        return;
    write_notice(s, "disconnect", why ? why : goodbye);
    flush_out(s);
    s->closed = true;
    s->close_us = NEVER;
    drop_events(s);
    s->ops->close(s->arg);
}

void session_emit(struct fakefs_session *s, struct fakefs_event *ev)
{
    if (!ev)
        return;
    if (s->closed || !session_wants(s, ev) || s->event_count == EVENT_QUEUE_MAX) {
        s->events_lost += s->event_count == EVENT_QUEUE_MAX;
        fakefs_event_free(&ev);
        return;
    }
    if (!s->event_count)
        s->waiting_us = session_now(s);
    list_push(&s->events, &ev->link);
    s->event_count++;
}

void session_emit_simple(struct fakefs_session *s, const char *name)
{
    session_emit(s, fakefs_channel_event(&s->ch, name));
}

/* The listener thread delivers what waits; at hang-up it lingers or leaves. */
static void deliver(struct fakefs_session *s)
{
    for (struct link *n; (n = list_pop(&s->events));) {
        struct fakefs_event *ev = container_of(n, struct fakefs_event, link);
        fakefs_event_write(ev, s->format, &s->out);
        fakefs_event_free(&ev);
    }
    s->event_count = 0;
    if (s->hangup_queued && s->said_connect && !s->linger_told) {
        s->linger_told = true;
        if (!s->linger) {
            session_shut(s, NULL);
            return;
        }
        write_notice(s, "linger", "");
        if (s->linger_s >= 0)
            s->close_us = session_now(s) + ((uint64_t)s->linger_s * 1000 + LINGER_EXTRA_MS) * 1000;
    }
    flush_out(s);
}

/* ---- in ------------------------------------------------------------------------------------- */

void fakefs_session_input(struct fakefs_session *s, const void *p, size_t len)
{
    if (s->closed)
        return;
    if (fakefs_parser_add(&s->in, p, len)) {
        session_shut(s, NULL);
        return;
    }
    enum va_err err = VA_OK;
    while (!s->closed && (err = fakefs_parser_next(&s->in, &s->cmd)) == VA_OK)
        session_command(s);
    if (s->closed)
        return;
    if (err == VA_EPROTO) {
        session_shut(s, NULL);
        return;
    }
    s->listen_phase_us = session_now(s); /* its poll starts anew */
    flush_out(s);
    if (!fakefs_parser_partial(&s->in) && s->said_connect)
        deliver(s);
}

/* FreeSWITCH 1.10.12 resets the channel when the socket of a `socket_resume` closes, whatever it
 * does by then (end of mod_event_socket's listener): a caller transferred meanwhile hears nothing.
 */
static void freeze_if_resumed(struct fakefs_session *s)
{
    const char *resume = fakefs_channel_get(&s->ch, "socket_resume");
    bool resumes = resume && str_ieqz(str_of(resume), "true");
    if ((s->state == FAKEFS_AWAY || s->state == FAKEFS_BRIDGED) && resumes)
        session_note(s, FAKEFS_NOTE_FROZEN,
                     "the transferred caller hears nothing: with socket_resume=true FreeSWITCH "
                     "resets the channel when the socket closes");
    else if (s->state == FAKEFS_PARKED && s->adrift)
        session_note(s, FAKEFS_NOTE_FROZEN,
                     "the caller hears nothing: parked behind a human, his dialplan does not go "
                     "on when the socket closes");
}

void fakefs_session_eof(struct fakefs_session *s)
{
    if (s->closed)
        return;
    s->closed = true;
    s->close_us = NEVER;
    drop_events(s);
    if (s->cfg.bound) /* a transfer that was its last word runs without it */
        session_run_queue(s);
    freeze_if_resumed(s);
    if (s->state == FAKEFS_HUNGUP || s->state == FAKEFS_AWAY || s->state == FAKEFS_RETURNED)
        return;
    session_unicast_off(s);
    if (s->state == FAKEFS_BRIDGED)
        return;
    s->state = FAKEFS_RETURNED;
    session_note(s, FAKEFS_NOTE_RETURNED, "%s", "");
}

/* ---- time ----------------------------------------------------------------------------------- */

static uint64_t next_tick(uint64_t phase_us, uint64_t after_us)
{
    if (after_us < phase_us)
        return phase_us;
    return phase_us + ((after_us - phase_us) / TICK_US + 1) * TICK_US;
}

void session_wake(struct fakefs_session *s)
{
    if (!s->session_due_us)
        s->session_due_us = next_tick(s->session_phase_us, session_now(s));
}

static uint64_t listener_due(const struct fakefs_session *s)
{
    bool work = s->event_count || (s->hangup_queued && !s->linger_told);
    if (!work || s->closed || fakefs_parser_partial(&s->in))
        return UINT64_MAX;
    return next_tick(s->listen_phase_us, s->waiting_us);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return b != NEVER && b < a ? b : a;
}

uint64_t fakefs_session_due_us(const struct fakefs_session *s)
{
    uint64_t due = sooner(listener_due(s), s->session_due_us);
    if (s->depth && s->stack[s->depth - 1]->end_us != UINT64_MAX)
        due = sooner(due, s->stack[s->depth - 1]->end_us);
    for (size_t i = 0; i < s->job_count; i++)
        due = sooner(due, s->jobs[i].due_us);
    if (!s->said_connect && !s->closed)
        due = sooner(due, s->start_us + CONNECT_MS * 1000ull);
    return sooner(sooner(sooner(due, s->close_us), s->leg_end_us), s->away_end_us);
}

static void jobs_due(struct fakefs_session *s, uint64_t now)
{
    for (size_t i = 0; i < s->job_count;) {
        struct job *j = &s->jobs[i];
        if (j->due_us > now) {
            i++;
            continue;
        }
        struct fakefs_event *ev = fakefs_bare_event(s->clock, "BACKGROUND_JOB");
        if (ev) {
            fakefs_event_add(ev, "Job-UUID", j->uuid);
            fakefs_event_add(ev, "Job-Owner-UUID", s->ch.uuid);
            fakefs_event_add(ev, "Job-Command", j->command);
            fakefs_event_add(ev, "Job-Command-Arg", j->arg);
            buf_addz(&ev->body, j->output);
            session_emit(s, ev);
        }
        session_originated(s, j);
        free(j->command);
        free(j->arg);
        free(j->output);
        *j = s->jobs[--s->job_count];
    }
}

static bool due(uint64_t at_us, uint64_t now)
{
    return at_us != NEVER && at_us <= now;
}

void fakefs_session_turn(struct fakefs_session *s)
{
    uint64_t now = session_now(s);
    if (!s->said_connect && !s->closed && now >= s->start_us + CONNECT_MS * 1000ull)
        session_shut(s, NULL);
    session_apps_due(s);
    if (due(s->leg_end_us, now) || due(s->away_end_us, now))
        session_human_left(s);
    if (due(s->session_due_us, now)) {
        s->session_due_us = NEVER;
        if (s->state == FAKEFS_CONNECTED)
            session_park(s);
        session_run_queue(s);
    }
    jobs_due(s, now);
    if (listener_due(s) <= now) {
        s->listen_phase_us = next_tick(s->listen_phase_us, now) - TICK_US;
        deliver(s);
    } else if (due(s->close_us, now)) {
        session_shut(s, NULL);
    }
}

enum fakefs_state fakefs_session_state(const struct fakefs_session *s)
{
    return s->state;
}

struct fakefs_channel *fakefs_session_channel(struct fakefs_session *s)
{
    return &s->ch;
}
