/* Which events go to the program: event, nixevent, noevents, myevents, filter. */
#include "fakefs/session_int.h"

#include <stdlib.h>

/* mod_event_socket.c, "myevents": what a bound connection gets of its own channel. */
static const char *const own_events[] = {"CHANNEL_CREATE",
                                         "CHANNEL_DESTROY",
                                         "CHANNEL_STATE",
                                         "CHANNEL_ANSWER",
                                         "CHANNEL_HANGUP",
                                         "CHANNEL_EXECUTE",
                                         "CHANNEL_BRIDGE",
                                         "CHANNEL_HANGUP_COMPLETE",
                                         "CHANNEL_UNBRIDGE",
                                         "CHANNEL_PROGRESS",
                                         "CHANNEL_OUTGOING",
                                         "CHANNEL_EXECUTE_COMPLETE",
                                         "CHANNEL_PARK",
                                         "CHANNEL_UNPARK",
                                         "CHANNEL_ORIGINATE",
                                         "CHANNEL_PROGRESS_MEDIA",
                                         "CHANNEL_APPLICATION",
                                         "CALL_UPDATE",
                                         "CALL_SECURE",
                                         "DETECTED_SPEECH",
                                         "TALK",
                                         "NOTALK",
                                         "DTMF"};

static size_t find_name(const struct fakefs_session *s, struct str name)
{
    size_t i = 0;
    while (i < s->name_count && !str_ieqz(name, s->names[i]))
        i++;
    return i;
}

static bool subscribed(const struct fakefs_session *s, const struct fakefs_event *ev)
{
    const char *name = fakefs_event_get(ev, "Event-Name");
    if (!s->listening || !name)
        return false;
    if (s->all || find_name(s, str_of(name)) < s->name_count)
        return true;
    for (size_t i = 0; s->myevents && i < sizeof(own_events) / sizeof(own_events[0]); i++)
        if (str_eqz(str_of(own_events[i]), name))
            return true;
    return false;
}

/* Any filter means default deny; a negative hit denies at once (esl.md §1.5). */
bool session_wants(const struct fakefs_session *s, const struct fakefs_event *ev)
{
    if (!subscribed(s, ev))
        return false;
    bool pass = s->filter_count == 0;
    for (size_t i = 0; i < s->filter_count; i++) {
        const char *value = fakefs_event_get(ev, s->filters[i].name);
        if (!value || !str_ieqz(str_of(value), s->filters[i].value))
            continue;
        if (s->filters[i].negative)
            return false;
        pass = true;
    }
    return pass;
}

static bool known_event(struct str name)
{
    static const char *const other[] = {"ALL",
                                        "CUSTOM",
                                        "API",
                                        "BACKGROUND_JOB",
                                        "CHANNEL_CALLSTATE",
                                        "CHANNEL_DATA",
                                        "CHANNEL_HOLD",
                                        "CHANNEL_UNHOLD",
                                        "CHANNEL_UUID",
                                        "PLAYBACK_START",
                                        "PLAYBACK_STOP",
                                        "RECORD_START",
                                        "RECORD_STOP",
                                        "MESSAGE",
                                        "HEARTBEAT",
                                        "CODEC",
                                        "COMMAND",
                                        "PRIVATE_COMMAND",
                                        "MEDIA_BUG_START",
                                        "MEDIA_BUG_STOP",
                                        "SESSION_HEARTBEAT"};
    for (size_t i = 0; i < sizeof(own_events) / sizeof(own_events[0]); i++)
        if (str_ieqz(name, own_events[i]))
            return true;
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        if (str_ieqz(name, other[i]))
            return true;
    return false;
}

static bool take_format(struct fakefs_session *s, struct str word)
{
    if (str_ieqz(word, "json"))
        s->format = FAKEFS_JSON;
    else if (str_ieqz(word, "plain") || str_ieqz(word, "xml"))
        s->format = FAKEFS_PLAIN;
    else
        return false;
    return true;
}

static void event_command(struct fakefs_session *s, struct str rest)
{
    size_t found = 0;
    bool first = true, custom = false;
    while (rest.len) {
        struct str word = str_cut(&rest, ' ');
        bool format = first && take_format(s, word);
        first = first && !word.len;
        if (!word.len || format)
            continue;
        if (!custom && !known_event(word))
            continue;
        found++;
        custom = custom || str_ieqz(word, "CUSTOM");
        s->all = s->all || (!custom && str_ieqz(word, "ALL"));
        if (find_name(s, word) == s->name_count && s->name_count < NAMES_MAX &&
            (s->names[s->name_count] = str_dup(word)))
            s->name_count++;
    }
    if (!found) {
        session_reply(s, "-ERR no keywords supplied");
        return;
    }
    s->listening = true;
    session_reply(s, "+OK event listener enabled %s", s->format == FAKEFS_JSON ? "json" : "plain");
}

static void nix_command(struct fakefs_session *s, struct str rest)
{
    while (rest.len) {
        struct str word = str_cut(&rest, ' ');
        size_t i = find_name(s, word);
        if (i < s->name_count) {
            free(s->names[i]);
            s->names[i] = s->names[--s->name_count];
        }
        if (str_ieqz(word, "ALL"))
            s->all = false;
    }
    session_reply(s, "+OK events nixed");
}

static void drop_filter(struct fakefs_session *s, size_t i)
{
    free(s->filters[i].name);
    free(s->filters[i].value);
    s->filters[i] = s->filters[--s->filter_count];
}

static void filter_delete(struct fakefs_session *s, struct str name, struct str value)
{
    for (size_t i = 0; i < s->filter_count;) {
        bool hit = str_ieqz(name, "all") || (str_ieqz(name, s->filters[i].name) &&
                                             (!value.len || str_eqz(value, s->filters[i].value)));
        if (hit)
            drop_filter(s, i);
        else
            i++;
    }
    session_reply(s, "+OK filter deleted. [%.*s][%.*s]", STR_ARG(name), STR_ARG(value));
}

static void filter_command(struct fakefs_session *s, struct str rest)
{
    struct str name = str_cut(&rest, ' ');
    bool drop = str_ieqz(name, "delete");
    if (drop || str_ieqz(name, "add"))
        name = str_cut(&rest, ' ');
    if (drop) {
        filter_delete(s, name, rest);
        return;
    }
    if (!name.len || !rest.len) {
        session_reply(s, "-ERR invalid syntax");
        return;
    }
    bool negative = rest.p[0] == '-';
    struct str value = negative ? str_make(rest.p + 1, rest.len - 1) : rest;
    struct filter f = {str_dup(name), str_dup(value), negative};
    if (f.name && f.value && s->filter_count < FILTERS_MAX) {
        s->filters[s->filter_count++] = f;
    } else {
        free(f.name);
        free(f.value);
    }
    session_reply(s, "+OK filter added. [%.*s]=[%.*s]", STR_ARG(name), STR_ARG(rest));
}

static void noevents_command(struct fakefs_session *s)
{
    if (!s->listening) {
        session_reply(s, "-ERR not listening for events");
        return;
    }
    s->listening = s->all = false;
    while (s->name_count)
        free(s->names[--s->name_count]);
    session_reply(s, "+OK no longer listening for events");
}

bool session_subscribe_command(struct fakefs_session *s, struct str word, struct str rest)
{
    if (str_ieqz(word, "myevents")) {
        if (rest.len)
            (void)take_format(s, str_trim(rest));
        s->myevents = s->listening = true;
        session_reply(s, "+OK Events Enabled");
    } else if (str_ieqz(word, "filter")) {
        filter_command(s, rest);
    } else if (str_ieqz(word, "nixevent")) {
        nix_command(s, rest);
    } else if (str_ieqz(word, "noevents")) {
        noevents_command(s);
    } else if (str_ieqz(word, "event") || str_ieqz(word, "events")) {
        event_command(s, rest);
    } else {
        return false;
    }
    return true;
}

void session_subscribe_free(struct fakefs_session *s)
{
    while (s->name_count)
        free(s->names[--s->name_count]);
    while (s->filter_count)
        drop_filter(s, s->filter_count - 1);
}
