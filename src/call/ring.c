#include "call/ring.h"
#include "esl/channel.h"
#include "esl/originate.h"

#include <stdio.h>

enum {
    /* FreeSWITCH counts whole seconds of the wall clock, so it may ring one less; we cancel. */
    ROUNDING_S = 2,
    JOB_SLACK_MS = 15000
};

#define PARK_S "5" /* what an answer waits for us */

/* Before the number of an outcome there is no news; the last word of FreeSWITCH is for the log. */
static enum va_err err_of(enum esl_outcome outcome)
{
    switch (outcome) {
    case ESL_BUSY:
    case ESL_DND: return VA_EBUSY;
    case ESL_NO_ANSWER: return VA_ETIMEOUT;
    case ESL_REJECTED:
    case ESL_CANCELED: return VA_EREFUSED; /* not by us */
    case ESL_NO_ROUTE: return VA_ENOTFOUND;
    default: return VA_EIO;
    }
}

static void fail(struct ring *r, enum va_err err, struct str text)
{
    r->state = RING_IDLE;
    r->h->on_failed(r->arg, err, text);
}

static void on_originate(void *arg, const struct esl_result *r)
{
    struct ring *ring = arg;
    struct esl_originated o;
    if (!r->done || ring->state != RING_RINGING || r->err == VA_ECLOSED)
        return;
    enum va_err err = esl_originate_read(r->err, r->text, &o);
    if (err) {
        fail(ring, err, r->text);
    } else if (o.outcome != ESL_ANSWERED) {
        fail(ring, err_of(o.outcome), o.cause);
    } else {
        ring->state = RING_REACHED;
        ring->h->on_reached(ring->arg);
    }
}

static const char *privacy(const struct ring_wish *wish)
{
    if (!wish->hide_number)
        return "screen:hide_name";
    return wish->hide_name ? "screen:hide_name:hide_number" : "screen:hide_number";
}

/* What a dialplan of several tenants needs of the caller's channel. */
static size_t add_vars(const struct ring_wish *wish, struct esl_field *vars)
{
    size_t n = 0;
    vars[n++] = (struct esl_field){"park_timeout", STR_LIT(PARK_S)};
    if (wish->comes_back)
        vars[n++] = (struct esl_field){"loopback_bowout", STR_LIT("false")};
    if (wish->hide_name || wish->hide_number)
        vars[n++] = (struct esl_field){"origination_privacy", str_of(privacy(wish))};
    if (wish->domain.len)
        vars[n++] = (struct esl_field){"domain_name", wish->domain};
    if (wish->domain_uuid.len)
        vars[n++] = (struct esl_field){"domain_uuid", wish->domain_uuid};
    return n;
}

/* A name that a dial string cannot hold is left out rather than the call. */
static enum va_err originate(struct ring *r, struct esl_originate *o)
{
    const struct esl_then then = {on_originate, r, (uint64_t)o->timeout_s * 1000 + JOB_SLACK_MS};
    struct esl_switch *sw = esl_session_switch(r->session);
    enum va_err err = esl_originate(sw, o, &then, r->other, NULL);
    if (err != VA_ENOTSUP)
        return err;
    o->caller_name = o->caller_number = str_of("");
    return esl_originate(sw, o, &then, r->other, NULL);
}

enum va_err ring_begin(struct ring *r, struct esl_session *session, const struct ring_wish *wish,
                       const struct ring_handlers *h, void *arg)
{
    char endpoint[200];
    struct esl_field vars[5];
    if (!esl_number_ok(str_of(wish->number)) || !esl_number_ok(str_of(wish->context)))
        return VA_EINVAL;
    (void)snprintf(endpoint, sizeof(endpoint), "loopback/%s/%s/xml", wish->number, wish->context);
    struct esl_originate o = {.endpoint = endpoint,
                              .app = "park",
                              .caller_name = wish->caller_name,
                              .caller_number = wish->caller_number,
                              .timeout_s = wish->timeout_s + ROUNDING_S,
                              .vars = vars,
                              .var_count = add_vars(wish, vars)};
    *r = (struct ring){.session = session, .h = h, .arg = arg, .comes_back = wish->comes_back};
    enum va_err err = originate(r, &o);
    if (!err)
        r->state = RING_RINGING;
    return err;
}

/* ---- together -------------------------------------------------------------------------------- */

/* After it the channel hangs up, or is parked. What many dialplans set would win otherwise; and
 * with socket_resume FreeSWITCH resets whatever the channel does by the time our socket closes. */
static enum va_err set_end(struct ring *r, bool comes_back)
{
    const struct {
        const char *name, *value;
    } vars[] = {{"hangup_after_bridge", comes_back ? "false" : "true"},
                {"park_after_bridge", comes_back ? "true" : ""},
                {"transfer_after_bridge", ""},
                {"socket_resume", "false"}};
    enum va_err err = VA_OK;
    for (size_t i = 0; i < sizeof(vars) / sizeof(vars[0]) && !err; i++)
        err = esl_session_setvar(r->session, vars[i].name, str_of(vars[i].value), NULL);
    return err;
}

static void on_bridge(void *arg, const struct esl_result *r)
{
    struct ring *ring = arg;
    if (r->done && ring->state == RING_JOINING && r->err != VA_ECLOSED &&
        str_starts(r->text, "-ERR"))
        fail(ring, VA_EIO, str_of("he hung up before he was joined"));
}

enum va_err ring_join(struct ring *r)
{
    char uuid[UUID_TEXT];
    if (r->state != RING_REACHED)
        return VA_EINVAL;
    (void)str_copy(uuid, sizeof(uuid), esl_session_uuid(r->session));
    enum va_err err = set_end(r, r->comes_back);
    if (!err)
        err = esl_uuid_bridge(esl_session_switch(r->session), uuid, r->other,
                              &(struct esl_then){on_bridge, r, 0});
    if (!err)
        r->state = RING_JOINING;
    return err;
}

bool ring_moves(const struct ring *r)
{
    return r->state == RING_JOINING || r->state == RING_JOINED;
}

/* Of a joined channel: it is parked when the other one is gone, and routed when others send it
 * somewhere else. */
static bool joined_event(struct ring *r, const struct esl_event *ev)
{
    if (esl_event_is(ev, "CHANNEL_PARK")) {
        r->state = RING_BACK;
        if (esl_session_setvar(r->session, "park_after_bridge", str_of(""), NULL))
            return true; /* the session is closing: its end is told */
        r->h->on_back(r->arg);
        return true;
    }
    if (esl_event_is(ev, "CHANNEL_STATE") &&
        str_eqz(esl_event_get(ev, "Channel-State"), "CS_ROUTING")) {
        ring_part(r);
        r->h->on_moved(r->arg);
        return true;
    }
    return false;
}

bool ring_event(struct ring *r, const struct esl_event *ev)
{
    if (r->state == RING_JOINED)
        return joined_event(r, ev);
    if (r->state != RING_JOINING || !esl_event_is(ev, "CHANNEL_BRIDGE"))
        return false;
    r->state = RING_JOINED;
    r->h->on_joined(r->arg);
    return true;
}

/* ---- the end --------------------------------------------------------------------------------- */

void ring_cancel(struct ring *r)
{
    if (r->state != RING_RINGING && r->state != RING_REACHED)
        return;
    r->state = RING_IDLE;
    esl_session_forget(r->session, r);
    if (esl_originate_cancel(esl_session_switch(r->session), r->other, NULL))
        return; /* the session is closed; FreeSWITCH ends it by itself */
}

void ring_part(struct ring *r)
{
    if (!ring_moves(r))
        return;
    r->state = RING_IDLE;
    if (r->comes_back && set_end(r, false))
        return; /* likewise */
}

void ring_close(struct ring *r)
{
    ring_cancel(r);
    if (r->session)
        esl_session_forget(r->session, r);
    *r = (struct ring){0};
}
