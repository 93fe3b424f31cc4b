/* The header sets of channel events, in FreeSWITCH's order. */
#include "fakefs/channel.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static char core_uuid[UUID_TEXT];
static atomic_uint_fast64_t sequence;

static void make_core_uuid(void)
{
    rand_uuid(core_uuid);
}

/* Who raises an event in 1.10.12; programs show it, none needs it. */
static const struct {
    const char *name, *file, *function, *line;
} callers[] = {
    {"CHANNEL_DATA", "mod_event_socket.c", "parse_command", "2021"},
    {"CHANNEL_PARK", "switch_ivr.c", "switch_ivr_park", "1002"},
    {"CHANNEL_UNPARK", "switch_ivr.c", "switch_ivr_park", "1213"},
    {"CHANNEL_EXECUTE", "switch_core_session.c", "switch_core_session_exec", "2944"},
    {"CHANNEL_EXECUTE_COMPLETE", "switch_core_session.c", "switch_core_session_exec", "2967"},
    {"CHANNEL_HANGUP", "switch_channel.c", "switch_channel_perform_hangup", "3445"},
    {"CHANNEL_STATE", "switch_channel.c", "switch_channel_perform_set_running_state", "2408"},
    {"CHANNEL_HANGUP_COMPLETE", "switch_core_state_machine.c",
     "switch_core_session_reporting_state", "943"},
    {"DTMF", "switch_channel.c", "switch_channel_dequeue_dtmf", "677"},
    {"BACKGROUND_JOB", "mod_event_socket.c", "api_exec", "1572"},
};

static void add_caller(struct fakefs_event *ev, const char *name)
{
    size_t i = 0, last = sizeof(callers) / sizeof(callers[0]) - 1;
    while (i < last && strcmp(callers[i].name, name) != 0)
        i++;
    fakefs_event_add(ev, "Event-Calling-File", callers[i].file);
    fakefs_event_add(ev, "Event-Calling-Function", callers[i].function);
    fakefs_event_add(ev, "Event-Calling-Line-Number", callers[i].line);
}

struct fakefs_event *fakefs_bare_event(const struct va_clock *clock, const char *name)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_core_uuid);
    struct fakefs_event *ev = fakefs_event_new();
    if (!ev)
        return NULL;
    int64_t now = clock_wall_us(clock);
    time_t seconds = (time_t)(now / 1000000);
    struct tm local, gmt;
    char date[64];
    fakefs_event_add(ev, "Event-Name", name);
    fakefs_event_add(ev, "Core-UUID", core_uuid);
    fakefs_event_add(ev, "FreeSWITCH-Hostname", "fakefs");
    fakefs_event_add(ev, "FreeSWITCH-Switchname", "fakefs");
    fakefs_event_add(ev, "FreeSWITCH-IPv4", "127.0.0.1");
    fakefs_event_add(ev, "FreeSWITCH-IPv6", "::1");
    (void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &local));
    fakefs_event_add(ev, "Event-Date-Local", date);
    (void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&seconds, &gmt));
    fakefs_event_add(ev, "Event-Date-GMT", date);
    fakefs_event_addf(ev, "Event-Date-Timestamp", "%" PRId64, now);
    add_caller(ev, name);
    fakefs_event_addf(ev, "Event-Sequence", "%" PRIuFAST64, atomic_fetch_add(&sequence, 1) + 1);
    return ev;
}

static const char *state_name(enum fakefs_cs state)
{
    switch (state) {
    case CS_ROUTING: return "CS_ROUTING";
    case CS_SOFT_EXECUTE: return "CS_SOFT_EXECUTE";
    case CS_EXECUTE: return "CS_EXECUTE";
    case CS_PARK: return "CS_PARK";
    case CS_HIBERNATE: return "CS_HIBERNATE";
    case CS_RESET: return "CS_RESET";
    case CS_HANGUP: return "CS_HANGUP";
    case CS_REPORTING: return "CS_REPORTING";
    }
    return "CS_NONE";
}

static void add_codec(const struct fakefs_channel *ch, struct fakefs_event *ev, const char *way)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "Channel-%s-Codec-Name", way);
    fakefs_event_add(ev, name, ch->codec);
    (void)snprintf(name, sizeof(name), "Channel-%s-Codec-Rate", way);
    fakefs_event_addf(ev, name, "%u", ch->rate_hz);
    (void)snprintf(name, sizeof(name), "Channel-%s-Codec-Bit-Rate", way);
    fakefs_event_add(ev, name, str_eqz(str_of(ch->codec), "opus") ? "0" : "64000");
}

static void add_state(const struct fakefs_channel *ch, struct fakefs_event *ev)
{
    const char *answer = *ch->cause ? "hangup" : ch->answered ? "answered" : "ringing";
    fakefs_event_add(ev, "Channel-State", state_name(ch->state));
    fakefs_event_add(ev, "Channel-Call-State", ch->call_state);
    fakefs_event_addf(ev, "Channel-State-Number", "%d", (int)ch->next_state);
    fakefs_event_add(ev, "Channel-Name", ch->name);
    fakefs_event_add(ev, "Unique-ID", ch->uuid);
    fakefs_event_add(ev, "Call-Direction", "inbound");
    fakefs_event_add(ev, "Presence-Call-Direction", "inbound");
    fakefs_event_add(ev, "Channel-HIT-Dialplan", "true");
    fakefs_event_add(ev, "Channel-Call-UUID", ch->uuid);
    fakefs_event_add(ev, "Answer-State", answer);
    fakefs_event_add(ev, "Hangup-Cause", ch->cause);
    add_codec(ch, ev, "Read");
    add_codec(ch, ev, "Write");
}

struct prefixed {
    struct fakefs_event *ev;
    const char *prefix;
};

static void put(const struct prefixed *to, const char *name, const char *value)
{
    char full[96];
    (void)snprintf(full, sizeof(full), "%s-%s", to->prefix, name);
    fakefs_event_add(to->ev, full, value);
}

static void put_time(const struct prefixed *to, const char *name, int64_t us)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, us);
    put(to, name, text);
}

static void add_profile_times(const struct fakefs_channel *ch, const struct prefixed *to)
{
    put_time(to, "Profile-Index", ch->profile_index);
    put_time(to, "Profile-Created-Time", ch->transfer_us ? ch->transfer_us : ch->created_us);
    put_time(to, "Channel-Created-Time", ch->created_us);
    put_time(to, "Channel-Answered-Time", ch->answered_us);
    put_time(to, "Channel-Progress-Time", 0);
    put_time(to, "Channel-Progress-Media-Time", ch->answered_us);
    put_time(to, "Channel-Hangup-Time", ch->hangup_us);
    put_time(to, "Channel-Transfer-Time", ch->transfer_us);
    put_time(to, "Channel-Resurrect-Time", 0);
    put_time(to, "Channel-Bridged-Time", 0);
    put_time(to, "Channel-Last-Hold", 0);
    put_time(to, "Channel-Hold-Accum", 0);
    put(to, "Screen-Bit", "true");
    put(to, "Privacy-Hide-Name", "false");
    put(to, "Privacy-Hide-Number", "false");
}

static void add_profile(const struct fakefs_channel *ch, const struct prefixed *to)
{
    put(to, "Direction", "inbound");
    put(to, "Logical-Direction", "inbound");
    put(to, "Username", ch->from);
    put(to, "Dialplan", "XML");
    put(to, "Caller-ID-Name", ch->from_name);
    put(to, "Caller-ID-Number", ch->from);
    put(to, "Orig-Caller-ID-Name", ch->from_name);
    put(to, "Orig-Caller-ID-Number", ch->from);
    put(to, "Network-Addr", "127.0.0.1");
    put(to, "ANI", ch->from);
    put(to, "RDNIS", ch->rdnis);
    put(to, "Destination-Number", ch->number);
    put(to, "Unique-ID", ch->uuid);
    put(to, "Source", "mod_sofia");
    put(to, "Context", ch->context);
    put(to, "Transfer-Source", ch->transfer_source);
    put(to, "Channel-Name", ch->name);
    add_profile_times(ch, to);
}

struct fakefs_event *fakefs_channel_event(const struct fakefs_channel *ch, const char *name)
{
    struct fakefs_event *ev = fakefs_bare_event(ch->clock, name);
    if (!ev)
        return NULL;
    bool data = strcmp(name, "CHANNEL_DATA") == 0;
    bool short_form = strcmp(name, "DTMF") == 0 || strcmp(name, "CHANNEL_STATE") == 0 ||
                      strcmp(name, "CHANNEL_CALLSTATE") == 0;
    if (data)
        add_profile(ch, &(struct prefixed){ev, "Channel"});
    if (strcmp(name, "CHANNEL_HANGUP_COMPLETE") == 0)
        fakefs_event_add(ev, "Hangup-Cause", ch->cause);
    add_state(ch, ev);
    add_profile(ch, &(struct prefixed){ev, "Caller"});
    if (*ch->other_leg) {
        fakefs_event_add(ev, "Other-Type", "originatee");
        fakefs_event_add(ev, "Other-Leg-Unique-ID", ch->other_leg);
    }
    for (size_t i = 0; !short_form && i < ch->var_count; i++)
        fakefs_event_add_variable(ev, ch->var[i].name, ch->var[i].value);
    return ev;
}
