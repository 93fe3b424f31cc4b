/* Which events a connection gets: names asked for, then filters (any filter: default deny). */
#include "fake.h"

static const char *const types[] = {"CUSTOM",
                                    "CLONE",
                                    "CHANNEL_CREATE",
                                    "CHANNEL_DESTROY",
                                    "CHANNEL_STATE",
                                    "CHANNEL_CALLSTATE",
                                    "CHANNEL_ANSWER",
                                    "CHANNEL_HANGUP",
                                    "CHANNEL_HANGUP_COMPLETE",
                                    "CHANNEL_EXECUTE",
                                    "CHANNEL_EXECUTE_COMPLETE",
                                    "CHANNEL_HOLD",
                                    "CHANNEL_UNHOLD",
                                    "CHANNEL_BRIDGE",
                                    "CHANNEL_UNBRIDGE",
                                    "CHANNEL_PROGRESS",
                                    "CHANNEL_PROGRESS_MEDIA",
                                    "CHANNEL_OUTGOING",
                                    "CHANNEL_PARK",
                                    "CHANNEL_UNPARK",
                                    "CHANNEL_APPLICATION",
                                    "CHANNEL_ORIGINATE",
                                    "CHANNEL_UUID",
                                    "API",
                                    "LOG",
                                    "INBOUND_CHAN",
                                    "OUTBOUND_CHAN",
                                    "STARTUP",
                                    "SHUTDOWN",
                                    "PUBLISH",
                                    "UNPUBLISH",
                                    "TALK",
                                    "NOTALK",
                                    "SESSION_CRASH",
                                    "MODULE_LOAD",
                                    "MODULE_UNLOAD",
                                    "DTMF",
                                    "MESSAGE",
                                    "PRESENCE_IN",
                                    "NOTIFY_IN",
                                    "PRESENCE_OUT",
                                    "PRESENCE_PROBE",
                                    "MESSAGE_WAITING",
                                    "MESSAGE_QUERY",
                                    "ROSTER",
                                    "CODEC",
                                    "BACKGROUND_JOB",
                                    "DETECTED_SPEECH",
                                    "DETECTED_TONE",
                                    "PRIVATE_COMMAND",
                                    "HEARTBEAT",
                                    "TRAP",
                                    "ADD_SCHEDULE",
                                    "DEL_SCHEDULE",
                                    "EXE_SCHEDULE",
                                    "RE_SCHEDULE",
                                    "RELOADXML",
                                    "NOTIFY",
                                    "PHONE_FEATURE",
                                    "PHONE_FEATURE_SUBSCRIBE",
                                    "SEND_MESSAGE",
                                    "RECV_MESSAGE",
                                    "REQUEST_PARAMS",
                                    "CHANNEL_DATA",
                                    "GENERAL",
                                    "COMMAND",
                                    "SESSION_HEARTBEAT",
                                    "CLIENT_DISCONNECTED",
                                    "SERVER_DISCONNECTED",
                                    "SEND_INFO",
                                    "RECV_INFO",
                                    "RECV_RTCP_MESSAGE",
                                    "SEND_RTCP_MESSAGE",
                                    "CALL_SECURE",
                                    "NAT",
                                    "RECORD_START",
                                    "RECORD_STOP",
                                    "PLAYBACK_START",
                                    "PLAYBACK_STOP",
                                    "CALL_UPDATE",
                                    "FAILURE",
                                    "SOCKET_DATA",
                                    "MEDIA_BUG_START",
                                    "MEDIA_BUG_STOP",
                                    "CONFERENCE_DATA_QUERY",
                                    "CONFERENCE_DATA",
                                    "CALL_SETUP_REQ",
                                    "CALL_SETUP_RESULT",
                                    "CALL_DETAIL",
                                    "DEVICE_STATE",
                                    "TEXT",
                                    "SHUTDOWN_REQUESTED"};
enum { TYPES = sizeof(types) / sizeof(types[0]), CUSTOM = 0 };
_Static_assert((int)TYPES <= (int)EVENT_TYPES_MAX, "room for all types");

unsigned listeners;

static bool bit_of(const char *word, int *ret_index)
{
    for (int i = 0; i < TYPES; i++) {
        if (strcasecmp(types[i], word) == 0) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

static void subclass_change(struct listen *l, const char *name, bool on)
{
    struct subclass **at = &l->subclasses;
    while (*at && strcasecmp((*at)->name, name) != 0)
        at = &(*at)->next;
    if (on && !*at) {
        size_t n = strlen(name) + 1;
        *at = zalloc(sizeof(struct subclass) + n);
        memcpy((*at)->name, name, n);
    } else if (!on && *at) {
        struct subclass *gone = *at;
        *at = gone->next;
        free(gone);
    }
}

/* ALL is a set of all bits, so that nixevent can take one away. */
static void set_all(struct listen *l, bool on)
{
    for (int i = 0; i < TYPES; i++)
        l->wanted[i] = on;
    l->all = on;
}

static void settle(struct listen *l, bool was_on)
{
    l->on = l->bound[0] != 0;
    for (int i = 0; i < TYPES; i++)
        l->on = l->on || l->wanted[i];
    if (l->on != was_on)
        listeners += l->on ? 1u : -1u;
}

bool listen_change(struct listen *l, char *words, bool on)
{
    char *save = NULL;
    bool known = false, custom = false, was_on = l->on;
    for (char *w = strtok_r(words, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
        int i;
        if (custom) {
            subclass_change(l, w, on);
        } else if (strcasecmp(w, "ALL") == 0) {
            set_all(l, on);
            known = true;
        } else if (bit_of(w, &i)) {
            l->wanted[i] = on;
            custom = i == CUSTOM;
            known = true;
        }
    }
    settle(l, was_on);
    return known;
}

void listen_none(struct listen *l)
{
    bool was_on = l->on;
    set_all(l, false);
    while (l->subclasses)
        subclass_change(l, l->subclasses->name, false);
    settle(l, was_on);
}

void listen_bind(struct listen *l, const char *uuid)
{
    bool was_on = l->on;
    (void)snprintf(l->bound, sizeof(l->bound), "%s", uuid);
    settle(l, was_on);
}

bool listen_wants_type(const struct listen *l, const char *type)
{
    int i;
    return bit_of(type, &i) && l->wanted[i];
}

static bool custom_wanted(const struct listen *l, const struct event *ev)
{
    const char *name = event_get(ev, "Event-Subclass");
    if (l->all || (!l->subclasses && !name))
        return true;
    for (const struct subclass *s = l->subclasses; s && name; s = s->next)
        if (strcasecmp(s->name, name) == 0)
            return true;
    return false;
}

/* ---- filters -------------------------------------------------------------------------------- */

static bool hits(const struct filter *f, const struct event *ev)
{
    const char *value = event_get(ev, f->name);
    if (!value)
        return false;
    return f->is_regex ? regexec(&f->regex, value, 0, NULL, 0) == 0
                       : strcasecmp(value, f->value) == 0;
}

static bool filters_pass(const struct listen *l, const struct event *ev)
{
    bool pass = !l->filters;
    for (const struct filter *f = l->filters; f; f = f->next) {
        if (!hits(f, ev))
            continue;
        if (f->negative)
            return false;
        pass = true;
    }
    return pass;
}

/* Looked up once per origin. -1: no such type */
static int type_index(struct origin *from)
{
    int i;
    if (!from->type_known)
        from->type_known = bit_of(from->type, &i) ? i + 1 : -1;
    return from->type_known > 0 ? from->type_known - 1 : -1;
}

bool listen_wants(const struct listen *l, const struct event *ev)
{
    if (!l->on)
        return false;
    int i = type_index(ev->from);
    if (l->bound[0]) {
        const char *uuid = event_get(ev, "Unique-ID");
        return uuid && strcmp(uuid, l->bound) == 0;
    }
    if (i < 0 || !l->wanted[i] || (i == CUSTOM && !custom_wanted(l, ev)))
        return false;
    return filters_pass(l, ev);
}

/* "/re/" or "/re/i"; anything else, also "-/re/", is compared as it stands. */
static void compile(struct filter *f)
{
    char *end = f->value[0] == '/' ? strrchr(f->value + 1, '/') : NULL;
    if (!end)
        return;
    int flags = REG_EXTENDED | REG_NOSUB | (end[1] == 'i' ? REG_ICASE : 0);
    char *re = copy_of(f->value + 1);
    re[end - f->value - 1] = 0;
    f->is_regex = regcomp(&f->regex, re, flags) == 0;
    free(re);
}

void filter_add(struct listen *l, const char *name, const char *value)
{
    struct filter *f = zalloc(sizeof(*f)), **at = &l->filters;
    f->negative = value[0] == '-';
    f->name = copy_of(name);
    f->value = copy_of(value + f->negative);
    if (!f->negative)
        compile(f);
    while (*at)
        at = &(*at)->next;
    *at = f;
}

static void filter_free(struct filter *f)
{
    if (f->is_regex)
        regfree(&f->regex);
    free(f->name);
    free(f->value);
    free(f);
}

void filter_delete(struct listen *l, const char *name, const char *value)
{
    bool all = strcasecmp(name, "all") == 0;
    for (struct filter **at = &l->filters; *at;) {
        struct filter *f = *at;
        bool same = all || (strcasecmp(f->name, name) == 0 &&
                            (!*value || strcmp(f->value, value + f->negative) == 0));
        if (!same) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        filter_free(f);
    }
}

void listen_free(struct listen *l)
{
    l->bound[0] = 0;
    listen_none(l);
    filter_delete(l, "all", "");
}
