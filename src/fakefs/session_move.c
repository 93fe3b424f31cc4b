/* Where the channel goes: park, transfer, bridge, hang-up. */
#include "fakefs/session_int.h"

#include <stdio.h>
#include <stdlib.h>

void session_unicast_off(struct fakefs_session *s)
{
    if (!s->unicast_on)
        return;
    s->unicast_on = false;
    s->ops->unicast_stop(s->arg);
}

void session_set_state(struct fakefs_session *s, enum fakefs_cs state, const char *call_state)
{
    s->ch.state = s->ch.next_state = state;
    s->ch.call_state = call_state;
    session_emit_simple(s, "CHANNEL_STATE");
}

void session_park(struct fakefs_session *s)
{
    s->state = FAKEFS_PARKED;
    s->unicast_used = false;
    session_emit_simple(s, "CHANNEL_PARK");
}

static void complete_socket(struct fakefs_session *s)
{
    if (!s->in_socket)
        return;
    s->in_socket = false;
    struct fakefs_event *ev = fakefs_channel_event(&s->ch, "CHANNEL_EXECUTE_COMPLETE");
    if (!ev)
        return;
    fakefs_event_add(ev, "Application", "socket");
    fakefs_event_add(ev, "Application-Data", s->socket_arg);
    fakefs_event_add(ev, "Application-Response", "_none_");
    fakefs_event_add(ev, "Application-UUID", s->socket_uuid);
    session_emit(s, ev);
}

void session_leave_park(struct fakefs_session *s)
{
    session_unicast_off(s);
    while (s->depth)
        session_complete_top(s, NULL);
    session_emit_simple(s, "CHANNEL_UNPARK");
    complete_socket(s);
}

static void start_away_app(struct fakefs_session *s)
{
    struct msg *m = calloc(1, sizeof(*m));
    if (!m)
        return;
    rand_uuid(m->uuid);
    m->kind = MSG_EXECUTE;
    m->end_us = UINT64_MAX;
    m->started_us = session_now(s);
    m->app = str_dup(str_of("bridge"));
    char arg[FAKEFS_NAME_MAX + 16];
    (void)snprintf(arg, sizeof(arg), "user/%s", s->ch.number);
    m->arg = str_dup(str_of(arg));
    fakefs_channel_set(&s->ch, "current_application_data", arg);
    fakefs_channel_set(&s->ch, "current_application", "bridge");
    struct fakefs_event *ev = fakefs_channel_event(&s->ch, "CHANNEL_EXECUTE");
    if (ev) {
        fakefs_event_add(ev, "Application", "bridge");
        fakefs_event_add(ev, "Application-Data", arg);
        fakefs_event_add(ev, "Application-UUID", m->uuid);
    }
    session_emit(s, ev);
    s->stack[s->depth++] = m;
}

static void set_source(struct fakefs_session *s, const char *how, const char *where)
{
    char uuid[UUID_TEXT];
    rand_uuid(uuid);
    (void)snprintf(s->ch.transfer_source, sizeof(s->ch.transfer_source), "%lld:%s:%s:%s",
                   (long long)(clock_wall_us(s->clock) / 1000000), uuid, how, where);
}

/* The channel leaves for the dialplan; the socket stays open until hang-up or until the program
 * closes it (recording outbound-bridge-then-transfer-away). */
void session_transfer(struct fakefs_session *s, const char *arg)
{
    if (s->state != FAKEFS_PARKED && s->state != FAKEFS_BRIDGED)
        return;
    struct str rest = str_trim(str_of(arg)), dest = str_cut(&rest, ' ');
    if (str_starts(dest, "-")) /* -aleg, -bleg, -both */
        dest = str_cut(&rest, ' ');
    struct str dialplan = str_cut(&rest, ' ');
    session_note(s, FAKEFS_NOTE_TRANSFER, "%.*s %.*s %.*s", STR_ARG(dest),
                 STR_ARG(dialplan.len ? dialplan : str_of("XML")),
                 STR_ARG(rest.len ? str_trim(rest) : str_of(s->ch.context)));
    s->leg_end_us = NEVER;
    s->ch.next_state = CS_ROUTING;
    session_leave_park(s);
    s->state = FAKEFS_AWAY;
    s->adrift = false;
    (void)str_copy(s->ch.rdnis, sizeof(s->ch.rdnis), str_of(s->ch.number));
    (void)str_copy(s->ch.number, sizeof(s->ch.number), dest);
    s->ch.profile_index++;
    s->ch.transfer_us = clock_wall_us(s->clock);
    set_source(s, "bl_xfer", s->ch.number);
    session_set_state(s, CS_ROUTING, "RINGING");
    session_set_state(s, CS_EXECUTE, "ACTIVE");
    start_away_app(s);
    bool answers = s->cfg.human == FAKEFS_HUMAN_ANSWERS;
    uint32_t talks = answers ? (s->cfg.human_talks_ms ? s->cfg.human_talks_ms : 2000) : 0;
    s->away_end_us = session_now(s) + ((uint64_t)s->cfg.human_rings_ms + talks) * 1000 + 1;
}

void session_bridged(struct fakefs_session *s)
{
    session_unicast_off(s);
    s->state = FAKEFS_BRIDGED;
    if (!*s->ch.other_leg)
        rand_uuid(s->ch.other_leg);
    struct fakefs_event *ev = fakefs_channel_event(&s->ch, "CHANNEL_BRIDGE");
    if (ev) {
        fakefs_event_add(ev, "Bridge-A-Unique-ID", s->ch.uuid);
        fakefs_event_add(ev, "Bridge-B-Unique-ID", s->ch.other_leg);
    }
    session_emit(s, ev);
}

void session_unbridged(struct fakefs_session *s)
{
    s->state = FAKEFS_PARKED;
    fakefs_channel_set(&s->ch, "last_bridge_hangup_cause", "NORMAL_CLEARING");
    fakefs_channel_set(&s->ch, "bridge_hangup_cause", "NORMAL_CLEARING");
    struct fakefs_event *ev = fakefs_channel_event(&s->ch, "CHANNEL_UNBRIDGE");
    if (ev) {
        fakefs_event_add(ev, "Bridge-A-Unique-ID", s->ch.uuid);
        fakefs_event_add(ev, "Bridge-B-Unique-ID", s->ch.other_leg);
    }
    session_emit(s, ev);
}

struct leg *session_leg(struct fakefs_session *s, struct str uuid)
{
    for (size_t i = 0; i < s->leg_count; i++)
        if (s->legs[i].up && str_ieqz(uuid, s->legs[i].uuid))
            return &s->legs[i];
    return NULL;
}

/* The way to him led through the dialplan: loopback/NUMBER/CONTEXT/xml. */
static void note_transfer(struct fakefs_session *s, const struct leg *leg)
{
    struct str rest = str_of(leg->endpoint);
    if (!str_eqz(str_cut(&rest, '/'), "loopback"))
        return;
    struct str number = str_cut(&rest, '/'), context = str_cut(&rest, '/');
    session_note(s, FAKEFS_NOTE_TRANSFER, "%.*s XML %.*s", STR_ARG(number), STR_ARG(context));
}

/* uuid_bridge: the channel soft-executes, as in outbound-sip-unicast-warm-transfer-and-return. */
void session_bridge_leg(struct fakefs_session *s, const char *uuid)
{
    const struct leg *leg = session_leg(s, str_of(uuid));
    if (s->state != FAKEFS_PARKED || !leg)
        return;
    (void)str_copy(s->ch.other_leg, sizeof(s->ch.other_leg), str_of(uuid));
    set_source(s, "uuid_br", uuid);
    s->ch.next_state = CS_HIBERNATE;
    session_leave_park(s);
    session_set_state(s, CS_HIBERNATE, "ACTIVE");
    session_set_state(s, CS_RESET, "ACTIVE");
    session_set_state(s, CS_SOFT_EXECUTE, "ACTIVE");
    struct fakefs_event *ev = fakefs_channel_event(&s->ch, "CHANNEL_EXECUTE");
    if (ev) {
        fakefs_event_add(ev, "Application", "uuid_bridge");
        fakefs_event_add(ev, "Application-Data", uuid);
    }
    session_emit(s, ev);
    session_bridged(s);
    session_note(s, FAKEFS_NOTE_BRIDGE, "%s", *leg->endpoint ? leg->endpoint : uuid);
    note_transfer(s, leg);
    uint32_t talks = s->cfg.human_talks_ms ? s->cfg.human_talks_ms : 2000;
    s->leg_end_us = session_now(s) + talks * 1000ull;
}

/* Nothing parks it: the call ends, or its dialplan goes on behind `socket`. */
static void goes_on_alone(struct fakefs_session *s)
{
    if (fakefs_channel_is_true(&s->ch, "hangup_after_bridge")) {
        fakefs_session_hangup(s, "NORMAL_CLEARING");
        return;
    }
    s->state = FAKEFS_RETURNED;
    session_note(s, FAKEFS_NOTE_RETURNED, "the human hung up");
}

/* The human hangs up: after uuid_bridge the call may come back, after a transfer it is over. */
void session_human_left(struct fakefs_session *s)
{
    if (s->state == FAKEFS_AWAY) {
        s->away_end_us = NEVER;
        fakefs_session_hangup(s, s->cfg.human == FAKEFS_HUMAN_ANSWERS ? "NORMAL_CLEARING"
                                 : s->cfg.human == FAKEFS_HUMAN_BUSY  ? "USER_BUSY"
                                                                      : "NO_ANSWER");
        return;
    }
    s->leg_end_us = NEVER;
    struct leg *leg = session_leg(s, str_of(s->ch.other_leg));
    if (leg)
        leg->up = false;
    if (s->state != FAKEFS_BRIDGED)
        return;
    session_unbridged(s);
    if (!fakefs_channel_is_true(&s->ch, "park_after_bridge")) {
        goes_on_alone(s);
        return;
    }
    session_note(s, FAKEFS_NOTE_UNBRIDGE, "%s", s->ch.other_leg);
    s->ch.other_leg[0] = 0;
    session_set_state(s, CS_PARK, "ACTIVE");
    s->adrift = true;
    session_park(s);
    session_wake(s);
}

static void end_running(struct fakefs_session *s)
{
    bool parked = s->state == FAKEFS_PARKED || (s->state == FAKEFS_BRIDGED && s->in_socket);
    while (s->depth)
        session_complete_top(s, NULL);
    if (parked)
        session_emit_simple(s, "CHANNEL_UNPARK");
    complete_socket(s);
}

static void add_end_variables(struct fakefs_session *s)
{
    char text[32];
    int64_t ms = (s->ch.hangup_us - s->ch.created_us) / 1000;
    fakefs_channel_set(&s->ch, "hangup_cause", s->ch.cause);
    (void)snprintf(text, sizeof(text), "%d", fakefs_cause_q850(s->ch.cause));
    fakefs_channel_set(&s->ch, "hangup_cause_q850", text);
    fakefs_channel_set(&s->ch, "digits_dialed", *s->ch.digits ? s->ch.digits : "none");
    (void)snprintf(text, sizeof(text), "%lld", (long long)(ms / 1000));
    fakefs_channel_set(&s->ch, "duration", text);
    fakefs_channel_set(&s->ch, "billsec", s->ch.answered ? text : "0");
    (void)snprintf(text, sizeof(text), "%lld", (long long)ms);
    fakefs_channel_set(&s->ch, "mduration", text);
    fakefs_channel_set(&s->ch, "billmsec", s->ch.answered ? text : "0");
}

void fakefs_session_hangup(struct fakefs_session *s, const char *cause)
{
    if (s->state == FAKEFS_HUNGUP || *s->ch.cause)
        return;
    (void)str_copy(s->ch.cause, sizeof(s->ch.cause), str_of(cause ? cause : "NORMAL_CLEARING"));
    s->ch.next_state = CS_HANGUP;
    session_unicast_off(s);
    session_emit_simple(s, "CHANNEL_HANGUP");
    s->ch.hangup_us = clock_wall_us(s->clock);
    end_running(s);
    s->state = FAKEFS_HUNGUP;
    session_set_state(s, CS_HANGUP, "ACTIVE");
    s->ch.call_state = "HANGUP";
    session_emit_simple(s, "CHANNEL_CALLSTATE");
    session_set_state(s, CS_REPORTING, "HANGUP");
    add_end_variables(s);
    session_emit_simple(s, "CHANNEL_HANGUP_COMPLETE");
    for (size_t i = 0; i < s->leg_count; i++)
        s->legs[i].up = false;
    s->leg_end_us = s->away_end_us = NEVER;
    if (!s->event_count)
        s->waiting_us = session_now(s);
    s->hangup_queued = true;
    session_note(s, FAKEFS_NOTE_HANGUP, "%s", s->ch.cause);
    if (!s->said_connect)
        session_shut(s, NULL);
}

void fakefs_session_dtmf(struct fakefs_session *s, char digit, unsigned ms)
{
    if (s->state == FAKEFS_HUNGUP || s->state == FAKEFS_RETURNED)
        return;
    size_t n = strlen(s->ch.digits);
    if (n + 1 < sizeof(s->ch.digits))
        s->ch.digits[n] = digit;
    struct fakefs_event *ev = fakefs_channel_event(&s->ch, "DTMF");
    if (ev) {
        fakefs_event_addf(ev, "DTMF-Digit", "%c", digit);
        fakefs_event_addf(ev, "DTMF-Duration", "%u", ms * 8);
        fakefs_event_add(ev, "DTMF-Source", "RTP");
    }
    session_emit(s, ev);
}

void fakefs_session_set_human(struct fakefs_session *s, enum fakefs_human human, uint32_t rings_ms,
                              uint32_t talks_ms)
{
    s->cfg.human = human;
    s->cfg.human_rings_ms = rings_ms;
    s->cfg.human_talks_ms = talks_ms;
}
