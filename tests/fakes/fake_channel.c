/*
 * Channels that exist only on paper.
 *
 *     originate ─► CREATE, ORIGINATE ─ring-ms─┬─ ANSWER, job +OK, EXECUTE, PARK
 *                                             └─ HANGUP …, job -ERR CAUSE
 *     kill, hang up ─► HANGUP, STATE, HANGUP_COMPLETE, DESTROY
 *
 * What happens is told by the words in the dial string: busy, noanswer, reject, unallocated, ring
 * (until it is killed), error/CAUSE, fake/CAUSE; else it is answered.
 */
#include "fake_api.h"

#include <time.h>

struct channel *channels;
static unsigned sessions;

#define ORIGIN(var, type, file, function, line)                                                    \
    static struct origin var = {type, file, function, line, 0, {{0}}}
ORIGIN(o_create, "CHANNEL_CREATE", "switch_core_state_machine.c", "switch_core_session_run", 626);
ORIGIN(o_originate, "CHANNEL_ORIGINATE", "switch_core_state_machine.c", "switch_core_session_run",
       632);
ORIGIN(o_state, "CHANNEL_STATE", "switch_channel.c", "switch_channel_perform_set_running_state",
       2408);
ORIGIN(o_progress, "CHANNEL_PROGRESS", "switch_channel.c", "switch_channel_perform_mark_ring_ready",
       3492);
ORIGIN(o_answer, "CHANNEL_ANSWER", "switch_channel.c", "switch_channel_perform_mark_answered",
       3846);
ORIGIN(o_execute, "CHANNEL_EXECUTE", "switch_core_session.c", "switch_core_session_exec", 2944);
ORIGIN(o_complete, "CHANNEL_EXECUTE_COMPLETE", "switch_core_session.c", "switch_core_session_exec",
       2967);
ORIGIN(o_park, "CHANNEL_PARK", "switch_ivr.c", "switch_ivr_park", 1002);
ORIGIN(o_hangup, "CHANNEL_HANGUP", "switch_channel.c", "switch_channel_perform_hangup", 3445);
ORIGIN(o_hangup_complete, "CHANNEL_HANGUP_COMPLETE", "switch_core_state_machine.c",
       "switch_core_session_reporting_state", 943);
ORIGIN(o_destroy, "CHANNEL_DESTROY", "switch_core_session.c", "switch_core_session_perform_destroy",
       1584);
ORIGIN(o_dump, "CHANNEL_DATA", "mod_commands.c", "uuid_dump_function", 6468);

unsigned session_count(void)
{
    return sessions;
}

struct channel *channel_find(const char *uuid)
{
    struct channel *ch = channels;
    while (ch && strcmp(ch->uuid, uuid) != 0)
        ch = ch->next;
    return ch;
}

/* ---- variables ------------------------------------------------------------------------------ */

void channel_set(struct channel *ch, const char *name, const char *value)
{
    struct variable **at = &ch->variables;
    while (*at && strcasecmp((*at)->name, name) != 0)
        at = &(*at)->next;
    if (*at && !*value) {
        struct variable *gone = *at;
        *at = gone->next;
        free(gone->name);
        free(gone->value);
        free(gone);
        return;
    }
    if (!*value)
        return;
    if (!*at) {
        *at = zalloc(sizeof(struct variable));
        (*at)->name = copy_of(name);
    }
    char *copy = copy_of(value);
    free((*at)->value);
    (*at)->value = copy;
}

const char *channel_get(const struct channel *ch, const char *name)
{
    for (const struct variable *v = ch->variables; v; v = v->next)
        if (strcasecmp(v->name, name) == 0)
            return v->value;
    return NULL;
}

/* ---- events --------------------------------------------------------------------------------- */

static void state_headers(const struct channel *ch, struct event *ev)
{
    bool up = ch->answered_us, over = ch->hungup_us;
    event_add(ev, "Channel-State", over ? "CS_HANGUP" : up ? "CS_EXECUTE" : "CS_INIT");
    event_add(ev, "Channel-Call-State", over ? "HANGUP" : up ? "ACTIVE" : "DOWN");
    event_add(ev, "Channel-State-Number", over ? "10" : up ? "4" : "2");
    event_add(ev, "Channel-Name", ch->name);
    event_add(ev, "Unique-ID", ch->uuid);
    event_add(ev, "Call-Direction", "outbound");
    event_add(ev, "Presence-Call-Direction", "outbound");
    event_add(ev, "Channel-HIT-Dialplan", up ? "true" : "false");
    event_add(ev, "Channel-Call-UUID", ch->uuid);
    event_add(ev, "Answer-State", over ? "hangup" : up ? "answered" : "ringing");
    if (over)
        event_add(ev, "Hangup-Cause", ch->hangup_cause);
    for (int i = 0; i < 2; i++) {
        event_add(ev, i ? "Channel-Write-Codec-Name" : "Channel-Read-Codec-Name", "L16");
        event_add(ev, i ? "Channel-Write-Codec-Rate" : "Channel-Read-Codec-Rate", "8000");
        event_add(ev, i ? "Channel-Write-Codec-Bit-Rate" : "Channel-Read-Codec-Bit-Rate", "128000");
    }
}

static void caller_headers(const struct channel *ch, struct event *ev)
{
    event_add(ev, "Caller-Direction", "outbound");
    event_add(ev, "Caller-Logical-Direction", "outbound");
    event_add(ev, "Caller-Dialplan", "xml");
    event_add(ev, "Caller-Caller-ID-Name", ch->caller_name);
    event_add(ev, "Caller-Caller-ID-Number", ch->caller_number);
    event_add(ev, "Caller-Orig-Caller-ID-Name", ch->caller_name);
    event_add(ev, "Caller-Orig-Caller-ID-Number", ch->caller_number);
    event_add(ev, "Caller-Callee-ID-Name", "Outbound Call");
    event_add(ev, "Caller-Callee-ID-Number", "default");
    event_add(ev, "Caller-ANI", ch->caller_number);
    event_add(ev, "Caller-Destination-Number", ch->number);
    event_add(ev, "Caller-Unique-ID", ch->uuid);
    event_add(ev, "Caller-Source", "mod_loopback");
    event_add(ev, "Caller-Context", "default");
    event_add(ev, "Caller-Channel-Name", ch->name);
    event_add(ev, "Caller-Profile-Index", "1");
}

static void time_headers(const struct channel *ch, struct event *ev)
{
    static const char *const unused[] = {"Caller-Channel-Progress-Time",
                                         "Caller-Channel-Progress-Media-Time",
                                         NULL,
                                         "Caller-Channel-Transfer-Time",
                                         "Caller-Channel-Resurrect-Time",
                                         "Caller-Channel-Bridged-Time",
                                         "Caller-Channel-Last-Hold",
                                         "Caller-Channel-Hold-Accum"};
    unsigned long long created = ch->created_us, answered = ch->answered_us, over = ch->hungup_us;
    event_addf(ev, "Caller-Profile-Created-Time", "%llu", created);
    event_addf(ev, "Caller-Channel-Created-Time", "%llu", created);
    event_addf(ev, "Caller-Channel-Answered-Time", "%llu", answered);
    for (size_t i = 0; i < sizeof(unused) / sizeof(unused[0]); i++) {
        if (unused[i])
            event_add(ev, unused[i], "0");
        else
            event_addf(ev, "Caller-Channel-Hangup-Time", "%llu", over);
    }
    event_add(ev, "Caller-Screen-Bit", "true");
    event_add(ev, "Caller-Privacy-Hide-Name", "false");
    event_add(ev, "Caller-Privacy-Hide-Number", "false");
}

void channel_headers(struct channel *ch, struct event *ev)
{
    state_headers(ch, ev);
    caller_headers(ch, ev);
    time_headers(ch, ev);
    event_add(ev, "variable_direction", "outbound");
    event_add(ev, "variable_is_outbound", "true");
    event_addf(ev, "variable_session_id", "%u", ch->session);
    event_add(ev, "variable_channel_name", ch->name);
    event_add(ev, "variable_uuid", ch->uuid);
    event_add(ev, "variable_call_uuid", ch->uuid);
    for (const struct variable *v = ch->variables; v; v = v->next) {
        char name[256];
        (void)snprintf(name, sizeof(name), "variable_%s", v->name);
        event_addf(ev, "", "%s", name); /* the name must live as long as the event */
        const char *kept = ev->h[--ev->count].value;
        event_add(ev, kept, v->value);
    }
}

void channel_event(struct channel *ch, struct origin *from)
{
    if (!listeners)
        return;
    struct event *ev = event_start(from);
    if (from == &o_hangup_complete)
        event_add(ev, "Hangup-Cause", ch->hangup_cause);
    channel_headers(ch, ev);
    event_fire(ev);
}

void channel_dump(struct channel *ch, struct bytes *out)
{
    struct event *ev = event_start(&o_dump);
    channel_headers(ch, ev);
    event_body_text(ev, out);
}

/* ---- applications --------------------------------------------------------------------------- */

static void execute_event(struct channel *ch, struct origin *from, const char *app, const char *arg,
                          const char *uuid)
{
    struct event *ev = event_start(from);
    channel_headers(ch, ev);
    event_add(ev, "variable_current_application", app);
    event_add(ev, "Application", app);
    if (*arg)
        event_add(ev, "Application-Data", arg);
    if (from == &o_complete)
        event_add(ev, "Application-Response", strcmp(app, "playback") ? "_none_" : "FILE PLAYED");
    event_add(ev, "Application-UUID", uuid);
    event_fire(ev);
}

/* Everything is over at once; only park goes on for ever. */
void channel_execute(struct channel *ch, const char *app, const char *arg, const char *uuid)
{
    char own[UUID_LEN + 1];
    if (!*uuid) {
        uuid_make(own);
        uuid = own;
    }
    execute_event(ch, &o_execute, app, arg, uuid);
    if (strcmp(app, "park") == 0) {
        channel_event(ch, &o_park);
        return;
    }
    if (strcmp(app, "set") == 0 && strchr(arg, '=')) {
        char *name = copy_of(arg), *value = strchr(name, '=');
        *value++ = 0;
        channel_set(ch, name, value);
        free(name);
    }
    execute_event(ch, &o_complete, app, arg, uuid);
    if (strcmp(app, "hangup") == 0)
        channel_hangup(ch, *arg ? arg : "NORMAL_CLEARING");
}

/* ---- the end of a call ---------------------------------------------------------------------- */

static void finish_originate(struct channel *ch, const char *error)
{
    char text[128];
    if (!ch->waiting)
        return;
    ch->waiting = false;
    int n = error ? snprintf(text, sizeof(text), "-ERR %s\n", error)
                  : snprintf(text, sizeof(text), "+OK %s\n", ch->uuid);
    waiter_done(&ch->waiter, text, (size_t)n);
}

static void unlink_channel(struct channel *ch)
{
    struct channel **at = &channels;
    while (*at != ch)
        at = &(*at)->next;
    *at = ch->next;
}

static void drop(struct channel *ch)
{
    while (ch->variables)
        channel_set(ch, ch->variables->name, "");
    free(ch);
}

/* `error` is what an originate that still waits is told. */
static void end_call(struct channel *ch, const char *cause, const char *error)
{
    ch->hungup_us = wall_us();
    timer_stop(&ch->timer);
    (void)snprintf(ch->hangup_cause, sizeof(ch->hangup_cause), "%s", cause);
    unlink_channel(ch);
    channel_event(ch, &o_hangup);
    finish_originate(ch, error);
    channel_set(ch, "hangup_cause", cause);
    channel_event(ch, &o_state);
    channel_event(ch, &o_hangup_complete);
    channel_event(ch, &o_destroy);
    drop(ch);
}

void channel_hangup(struct channel *ch, const char *cause)
{
    end_call(ch, cause, "ORIGINATOR_CANCEL");
}

/* ---- originate ------------------------------------------------------------------------------ */

static void on_outcome(struct timer *t)
{
    struct channel *ch = (struct channel *)(void *)((char *)t - offsetof(struct channel, timer));
    char app[64], arg[512];
    if (ch->cause) {
        end_call(ch, ch->cause, ch->cause);
        return;
    }
    ch->answered_us = wall_us();
    channel_event(ch, &o_answer);
    finish_originate(ch, NULL);
    channel_event(ch, &o_state);
    memcpy(app, ch->app, sizeof(app)); /* the application may be the last */
    memcpy(arg, ch->app_arg, sizeof(arg));
    if (*app)
        channel_execute(ch, app, arg, "");
}

/* NULL: answer. */
static const char *outcome(const char *dial, bool *ret_endless)
{
    static const struct {
        const char *word, *cause;
    } known[] = {{"busy", "USER_BUSY"},
                 {"noanswer", "NO_ANSWER"},
                 {"reject", "CALL_REJECTED"},
                 {"unallocated", "UNALLOCATED_NUMBER"}};
    const char *name = strchr(dial, '/');
    *ret_endless = name && strncmp(name, "/ring", 5) == 0;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strstr(dial, known[i].word))
            return known[i].cause;
    bool named = strncmp(dial, "error/", 6) == 0 || (name && name[1] >= 'A' && name[1] <= 'Z');
    return named ? name + 1 : NULL;
}

/* `{a=b,c=d}` in front of a dial string. @return what follows it, NULL when it does not end */
static char *take_variables(struct channel *ch, char *dial)
{
    char *pair[ARGS_MAX], *part[2], *end = dial;
    if (*dial != '{')
        return dial;
    for (int depth = 0; *end && (depth += (*end == '{') - (*end == '}')); end++)
        ;
    if (!*end)
        return NULL;
    *end = 0;
    size_t n = split_args(dial + 1, ',', pair, ARGS_MAX);
    for (size_t i = 0; i < n; i++)
        if (split_args(pair[i], '=', part, 2) == 2)
            channel_set(ch, part[0], part[1]);
    return end + 1;
}

static void take_app(struct channel *ch, char *app)
{
    if (*app != '&') { /* an extension: the dialplan's answer is to park */
        (void)snprintf(ch->app, sizeof(ch->app), "park");
        return;
    }
    char *arg = strchr(app, '('), *end = strrchr(app, ')');
    if (arg)
        *arg++ = 0;
    if (end)
        *end = 0;
    (void)snprintf(ch->app, sizeof(ch->app), "%s", app + 1);
    (void)snprintf(ch->app_arg, sizeof(ch->app_arg), "%s", arg ? arg : "");
}

static void copy_variable(const struct channel *ch, const char *name, char *out, size_t room)
{
    const char *value = channel_get(ch, name);
    (void)snprintf(out, room, "%s", value ? value : "");
}

static void name_channel(struct channel *ch, const char *dial)
{
    const char *slash = strchr(dial, '/');
    (void)snprintf(ch->number, sizeof(ch->number), "%.*s",
                   slash ? (int)strcspn(slash + 1, "/@") : 0, slash ? slash + 1 : "");
    if (strncmp(dial, "loopback/", 9) == 0)
        (void)snprintf(ch->name, sizeof(ch->name), "loopback/%s-a", ch->number);
    else
        (void)snprintf(ch->name, sizeof(ch->name), "%.200s", dial);
    copy_variable(ch, "origination_uuid", ch->uuid, sizeof(ch->uuid));
    copy_variable(ch, "origination_caller_id_name", ch->caller_name, sizeof(ch->caller_name));
    copy_variable(ch, "origination_caller_id_number", ch->caller_number, sizeof(ch->caller_number));
    if (!*ch->uuid)
        uuid_make(ch->uuid);
}

static void ring(struct channel *ch)
{
    const char *timeout = channel_get(ch, "originate_timeout");
    uint64_t ms = (uint64_t)opt.ring_ms;
    if (ch->endless) { /* until it is killed, or FreeSWITCH's own patience ends */
        ms = (timeout ? strtoul(timeout, NULL, 10) : 60) * 1000;
        ch->cause = "NO_ANSWER";
    } else if (strncmp(ch->name, "loopback/", 9) == 0) {
        ms = 0;
    }
    timer_start(&ch->timer, ms * 1000, on_outcome);
}

bool channel_originate(char *args, const struct waiter *w, char error[128])
{
    char *part[2];
    struct channel *ch = zalloc(sizeof(*ch));
    size_t n = split_args(args, ' ', part, 2);
    char *dial = n == 2 ? take_variables(ch, part[0]) : NULL;
    if (!dial || !strchr(dial, '/')) {
        (void)snprintf(error, 128,
                       n == 2 ? "-ERR CHAN_NOT_IMPLEMENTED\n"
                              : "-USAGE: <call url> <exten>|&<application_name>(<app_args>)"
                                " [<dialplan>] [<context>]\n");
        drop(ch);
        return false;
    }
    name_channel(ch, dial);
    take_app(ch, part[1]);
    ch->cause = outcome(dial, &ch->endless);
    ch->session = ++sessions;
    ch->created_us = wall_us();
    ch->next = channels;
    channels = ch;
    waiter_keep(&ch->waiter, w);
    ch->waiting = true;
    channel_event(ch, &o_create);
    channel_event(ch, &o_originate);
    if (opt.ring_ms)
        channel_event(ch, &o_progress);
    ring(ch);
    return true;
}
