/* The session thread: the private queue and the applications on top of each other. */
#include "fakefs/session_int.h"

#include <stdlib.h>

void msg_free(struct msg *m)
{
    if (!m)
        return;
    free(m->app);
    free(m->arg);
    free(m);
}

enum va_err session_queue_msg(struct fakefs_session *s, const struct msg *what)
{
    struct msg *m = malloc(sizeof(*m));
    bool full = s->queued >= QUEUED_APPS_MAX;
    if (!m || full || s->state == FAKEFS_HUNGUP) { /* down: "+OK", nothing runs */
        free(m);
        free(what->app);
        free(what->arg);
        return full ? VA_ELIMIT : VA_OK;
    }
    *m = *what;
    m->link = (struct link){NULL, NULL};
    list_push(&s->queue, &m->link);
    s->queued++;
    session_wake(s);
    return VA_OK;
}

static uint64_t tone_ms(const char *arg)
{
    const char *open = strstr(arg, "%(");
    uint64_t total = 0;
    if (!open)
        return 500;
    struct str rest = str_of(open + 2);
    for (int i = 0; i < 2; i++) { /* %(on,off,frequency…) */
        uint64_t ms = 0;
        if (!str_to_u64(str_trim(str_cut(&rest, ',')), &ms))
            total += ms;
    }
    return total;
}

static void set_variable(struct fakefs_session *s, const char *arg)
{
    struct str value = str_of(arg), name = str_cut(&value, '=');
    char *n = str_dup(str_trim(name)), *v = str_dup(value);
    if (n && v)
        fakefs_channel_set(&s->ch, n, v);
    free(n);
    free(v);
}

static const char *strip(const char *arg, const char *prefix)
{
    return str_starts(str_of(arg), prefix) ? arg + strlen(prefix) : arg;
}

/* ---- applications: each may set end_us; the default ends at once ---------------------------- */

static void app_answer(struct fakefs_session *s, struct msg *m)
{
    (void)m;
    if (s->ch.answered)
        return;
    s->ch.answered = true;
    s->ch.answered_us = clock_wall_us(s->clock);
    s->ch.call_state = "ACTIVE";
    fakefs_channel_set(&s->ch, "endpoint_disposition", "ANSWER");
    session_emit_simple(s, "CHANNEL_ANSWER");
    session_emit_simple(s, "CHANNEL_CALLSTATE");
}

static void app_set(struct fakefs_session *s, struct msg *m)
{
    set_variable(s, strip(m->arg, "nolocal:"));
}

static void app_unset(struct fakefs_session *s, struct msg *m)
{
    fakefs_channel_set(&s->ch, m->arg, NULL);
}

static void app_playback(struct fakefs_session *s, struct msg *m)
{
    m->response = "FILE PLAYED";
    m->plays = s->ops->play && s->ops->play(s->arg, m->arg);
    if (m->plays) {
        m->end_us = UINT64_MAX; /* until fakefs_session_played() */
        session_emit_simple(s, "PLAYBACK_START");
        return;
    }
    session_note(s, FAKEFS_NOTE_EXECUTE, "%s %s", m->app, m->arg);
    m->end_us = session_now(s) + tone_ms(m->arg) * 1000;
    session_emit_simple(s, "PLAYBACK_START");
}

static void app_sleep(struct fakefs_session *s, struct msg *m)
{
    uint64_t ms = 0;
    if (!str_to_u64(str_trim(str_of(m->arg)), &ms))
        m->end_us = session_now(s) + ms * 1000;
}

static void app_forever(struct fakefs_session *s, struct msg *m)
{
    (void)s;
    m->end_us = UINT64_MAX;
}

static void app_transfer(struct fakefs_session *s, struct msg *m)
{
    struct msg t = {.kind = MSG_TRANSFER, .arg = str_dup(str_of(m->arg))};
    if (t.arg)
        (void)session_queue_msg(s, &t);
}

static void app_hangup(struct fakefs_session *s, struct msg *m)
{
    fakefs_session_hangup(s, *m->arg ? m->arg : "NORMAL_CLEARING");
}

static void app_bridge(struct fakefs_session *s, struct msg *m)
{
    session_unicast_off(s); /* whoever is called, and whether he answers */
    m->dialled = s->ops->dial && s->ops->dial(s->arg, m->arg);
    if (m->dialled) {
        m->end_us = UINT64_MAX; /* until fakefs_session_dialled() */
        return;
    }
    bool error = strstr(m->arg, "error/") != NULL;
    uint64_t rings = error ? 0 : s->cfg.human_rings_ms;
    m->end_us = session_now(s) + rings * 1000 + 1;
}

static void app_nothing(struct fakefs_session *s, struct msg *m)
{
    (void)s;
    (void)m;
}

static const struct {
    const char *name;
    void (*run)(struct fakefs_session *s, struct msg *m);
} apps[] = {{"answer", app_answer},
            {"pre_answer", app_nothing},
            {"ring_ready", app_nothing},
            {"set", app_set},
            {"export", app_set},
            {"multiset", app_set},
            {"unset", app_unset},
            {"playback", app_playback},
            {"speak", app_playback},
            {"gentones", app_playback},
            {"sleep", app_sleep},
            {"park", app_forever},
            {"echo", app_forever},
            {"endless_playback", app_forever},
            {"transfer", app_transfer},
            {"hangup", app_hangup},
            {"bridge", app_bridge},
            {"log", app_nothing},
            {"info", app_nothing},
            {"event", app_nothing},
            {"presence", app_nothing},
            {"send_dtmf", app_nothing},
            {"start_dtmf", app_nothing},
            {"stop_dtmf", app_nothing},
            {"flush_dtmf", app_nothing},
            {"break", app_nothing},
            {"sched_hangup", app_nothing},
            {"sched_transfer", app_nothing},
            {"record_session", app_nothing},
            {"stop_record_session", app_nothing},
            {"set_name", app_nothing},
            {"set_profile_var", app_nothing},
            {"hash", app_nothing},
            {"limit", app_nothing},
            {"privacy", app_nothing},
            {"bind_meta_app", app_nothing},
            {"clear_digit_action", app_nothing},
            {"bind_digit_action", app_nothing},
            {"spandsp_start_dtmf", app_nothing},
            {"displace_session", app_nothing}};

/* ---- running -------------------------------------------------------------------------------- */

static void emit_app(struct fakefs_session *s, const struct msg *m, const char *event)
{
    struct fakefs_event *ev = fakefs_channel_event(&s->ch, event);
    if (!ev)
        return;
    fakefs_event_add(ev, "Application", m->app);
    fakefs_event_add(ev, "Application-Data", m->arg);
    if (strcmp(event, "CHANNEL_EXECUTE_COMPLETE") == 0)
        fakefs_event_add(ev, "Application-Response", m->response ? m->response : "_none_");
    fakefs_event_add(ev, "Application-UUID", m->uuid);
    session_emit(s, ev);
}

static void bridge_failed(struct fakefs_session *s, const char *cause)
{
    fakefs_channel_set(&s->ch, "originate_disposition", cause);
    fakefs_channel_set(&s->ch, "DIALSTATUS", strcmp(cause, "USER_BUSY") ? "NOANSWER" : "BUSY");
    fakefs_channel_set(&s->ch, "last_bridge_hangup_cause", cause);
    fakefs_channel_set(&s->ch, "originate_failed_cause", cause);
}

/* A bridge that rang long enough, or is over: the human answers, or the attempt fails. */
static bool bridge_turns(struct fakefs_session *s, struct msg *m)
{
    const char *error = strstr(m->arg, "error/");
    uint32_t talks = s->cfg.human_talks_ms ? s->cfg.human_talks_ms : 2000;
    if (m->bridged) {
        session_unbridged(s);
        if (!m->dialled)
            session_note(s, FAKEFS_NOTE_UNBRIDGE, "%s", s->ch.other_leg);
        return false;
    }
    if (m->dialled) {
        bridge_failed(s, m->cause);
        return false;
    }
    if (!error && s->cfg.human == FAKEFS_HUMAN_ANSWERS) {
        m->bridged = true;
        m->end_us = session_now(s) + talks * 1000ull;
        session_bridged(s);
        session_note(s, FAKEFS_NOTE_BRIDGE, "%s", m->arg);
        return true;
    }
    const char *cause = error                               ? error + 6
                        : s->cfg.human == FAKEFS_HUMAN_BUSY ? "USER_BUSY"
                                                            : "NO_ANSWER";
    bridge_failed(s, cause);
    return false;
}

static void after_bridge(struct fakefs_session *s, bool talked)
{
    if (!talked) {
        if (!fakefs_channel_is_true(&s->ch, "continue_on_fail"))
            fakefs_session_hangup(s, fakefs_channel_get(&s->ch, "originate_disposition"));
        return;
    }
    if (fakefs_channel_is_true(&s->ch, "hangup_after_bridge")) {
        fakefs_session_hangup(s, "NORMAL_CLEARING");
    } else if (fakefs_channel_is_true(&s->ch, "park_after_bridge")) {
        session_leave_park(s);
        session_set_state(s, CS_PARK, "ACTIVE");
        session_park(s);
    }
}

void session_complete_top(struct fakefs_session *s, const char *response)
{
    struct msg *m = s->stack[--s->depth];
    if (response)
        m->response = response;
    if (m->dialled)
        s->ops->undial(s->arg);
    if (m->plays)
        s->ops->play_stop(s->arg);
    bool playback = m->response && s->depth < NESTING_MAX && str_eqz(str_of(m->app), "playback");
    if (playback)
        session_emit_simple(s, "PLAYBACK_STOP");
    emit_app(s, m, "CHANNEL_EXECUTE_COMPLETE");
    struct msg *below = s->depth ? s->stack[s->depth - 1] : NULL;
    if (below && below->end_us != UINT64_MAX) /* it stood still meanwhile */
        below->end_us += session_now(s) - m->started_us;
    bool bridge = str_eqz(str_of(m->app), "bridge"), talked = m->bridged;
    msg_free(m);
    if (bridge && s->state == FAKEFS_PARKED && !*s->ch.cause)
        after_bridge(s, talked);
}

static void execute(struct fakefs_session *s, struct msg *m)
{
    size_t i = 0;
    while (i < sizeof(apps) / sizeof(apps[0]) && !str_ieqz(str_of(m->app), apps[i].name))
        i++;
    if (i == sizeof(apps) / sizeof(apps[0]) || s->depth == NESTING_MAX) {
        session_note(s, FAKEFS_NOTE_EXECUTE, "%s %s (unknown)", m->app, m->arg);
        msg_free(m);
        fakefs_session_hangup(s, "DESTINATION_OUT_OF_ORDER");
        return;
    }
    fakefs_channel_set(&s->ch, "current_application_data", m->arg);
    fakefs_channel_set(&s->ch, "current_application", m->app);
    emit_app(s, m, "CHANNEL_EXECUTE");
    if (apps[i].run != app_playback) /* notes it itself: pieces of speech are many */
        session_note(s, FAKEFS_NOTE_EXECUTE, "%s %s", m->app, m->arg);
    m->started_us = m->end_us = session_now(s);
    s->stack[s->depth++] = m;
    size_t depth = s->depth;
    apps[i].run(s, m);
    if (s->depth == depth && s->stack[depth - 1] == m && m->end_us <= m->started_us)
        session_complete_top(s, NULL);
}

/* FreeSWITCH answers "+OK" whatever becomes of it; only missing frames tell. */
static void start_unicast(struct fakefs_session *s, const struct fakefs_unicast *u)
{
    const char *why = s->state != FAKEFS_PARKED ? "the channel is not parked"
                      : s->unicast_on           ? "there is one already"
                                                : NULL;
    for (size_t i = 0; i < s->used_port_count; i++)
        if (s->used_ports[i] == u->local_port)
            why = "that local port was used before in this call";
    if (why) {
        session_note(s, FAKEFS_NOTE_UNICAST, "ignored: %s", why);
        return;
    }
    if (s->unicast_used) {
        session_note(s, FAKEFS_NOTE_FROZEN, "a second unicast in one park loop crashes FreeSWITCH");
        return;
    }
    s->unicast_used = true;
    if (s->used_port_count < PORTS_MAX)
        s->used_ports[s->used_port_count++] = u->local_port;
    s->unicast_on = true;
    session_note(s, FAKEFS_NOTE_UNICAST, "%s:%u, frames to %s:%u", u->local_ip, u->local_port,
                 u->remote_ip, u->remote_port);
    s->ops->unicast_start(s->arg, u);
}

static void run_msg(struct fakefs_session *s, struct msg *m)
{
    if (m->kind == MSG_EXECUTE && m->app && m->arg) {
        execute(s, m);
        return;
    }
    if (m->kind == MSG_HANGUP) {
        fakefs_session_hangup(s, m->arg && *m->arg ? m->arg : "NORMAL_CLEARING");
    } else if (m->kind == MSG_UNICAST) {
        start_unicast(s, &m->unicast);
    } else if (m->kind == MSG_TRANSFER && m->arg) {
        session_transfer(s, m->arg);
    } else if (m->kind == MSG_BRIDGE_LEG && m->arg) {
        session_bridge_leg(s, m->arg);
    }
    msg_free(m);
}

/* Nested unless event-lock was asked for, by the running application or by the next one. */
static bool may_start(const struct fakefs_session *s)
{
    const struct msg *next = container_of(s->queue.head.next, struct msg, link);
    bool runs = s->state == FAKEFS_PARKED || s->state == FAKEFS_BRIDGED;
    if (!runs || next->kind == MSG_HANGUP || next->kind == MSG_TRANSFER)
        return runs;
    return !s->depth || (!s->stack[s->depth - 1]->lock && !next->lock);
}

void session_run_queue(struct fakefs_session *s)
{
    while (!list_empty(&s->queue) && may_start(s)) {
        struct msg *m = container_of(list_pop(&s->queue), struct msg, link);
        s->queued--;
        run_msg(s, m);
    }
}

void session_apps_due(struct fakefs_session *s)
{
    while (s->depth && s->stack[s->depth - 1]->end_us <= session_now(s)) {
        struct msg *top = s->stack[s->depth - 1];
        if (str_eqz(str_of(top->app), "bridge") && bridge_turns(s, top))
            continue;
        session_complete_top(s, NULL);
        session_run_queue(s);
    }
}

static struct msg *dialled(struct fakefs_session *s)
{
    for (size_t i = s->depth; i-- > 0;)
        if (s->stack[i]->dialled)
            return s->stack[i];
    return NULL;
}

void fakefs_session_dialled(struct fakefs_session *s, const char *cause)
{
    struct msg *m = dialled(s);
    if (!m || m->bridged || s->state != FAKEFS_PARKED)
        return;
    m->bridged = cause == NULL;
    if (m->bridged) {
        fakefs_channel_set(&s->ch, "originate_disposition", "SUCCESS");
        fakefs_channel_set(&s->ch, "DIALSTATUS", "SUCCESS");
        session_bridged(s);
        return;
    }
    (void)str_copy(m->cause, sizeof(m->cause), str_of(cause));
    m->end_us = session_now(s);
}

void fakefs_session_peer_left(struct fakefs_session *s)
{
    struct msg *m = dialled(s);
    if (m && m->bridged)
        m->end_us = session_now(s);
}

/* What waits is dropped without a word, as switch_core_session_flush_private_events() does. */
static void drop_queued(struct fakefs_session *s)
{
    for (size_t left = s->queued; left; left--) {
        struct msg *m = container_of(list_pop(&s->queue), struct msg, link);
        if (m->kind == MSG_EXECUTE) {
            msg_free(m);
            s->queued--;
        } else {
            list_push(&s->queue, &m->link);
        }
    }
}

void session_break(struct fakefs_session *s, bool all)
{
    if (all)
        drop_queued(s);
    for (size_t i = 0; i < s->depth; i++)
        if (str_eqz(str_of(s->stack[i]->app), "playback"))
            s->stack[i]->end_us = session_now(s);
    session_wake(s);
}

bool fakefs_session_media_flows(const struct fakefs_session *s)
{
    return s->state == FAKEFS_PARKED && s->depth == 0;
}
