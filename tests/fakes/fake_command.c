/* The commands of mod_event_socket: prefix matches, any case (esl.md §1.5, §1.6). */
#include "fake.h"

#include <time.h>

static struct origin custom_origin = {"CUSTOM", "mod_event_socket.c", "parse_command", 2275, 0,
                                      {{0}}};

bool command_header(const char *headers, const char *name, char *out, size_t room)
{
    size_t n = strlen(name);
    out[0] = 0;
    while (headers && *headers) {
        size_t len = strcspn(headers, "\r\n");
        if (strncasecmp(headers, name, n) == 0 && headers[n] == ':' && len > n) {
            const char *v = headers + n + 1;
            while (*v == ' ')
                v++;
            size_t left = len - (size_t)(v - headers);
            (void)snprintf(out, room, "%.*s", (int)left, v);
            return true;
        }
        headers += len;
        headers += strspn(headers, "\r\n");
    }
    return false;
}

static char *trimmed(char *z)
{
    while (*z == ' ')
        z++;
    size_t n = strlen(z);
    while (n && z[n - 1] == ' ')
        z[--n] = 0;
    return z;
}

/* ---- before the password -------------------------------------------------------------------- */

static void auth(struct conn *c, char *arg)
{
    if (strcmp(trimmed(arg), opt.password) == 0) {
        c->authed = true;
        reply(c, "+OK accepted");
    } else {
        reply(c, "-ERR invalid");
        conn_goodbye(c);
    }
}

/* `user@domain:password` or `user:password@domain`. */
static void userauth(struct conn *c, char *arg)
{
    char one[600], two[600];
    const char *at = opt.user ? strchr(opt.user, '@') : NULL;
    if (!at) {
        reply(c, "-ERR invalid");
        conn_goodbye(c);
        return;
    }
    (void)snprintf(one, sizeof(one), "%s:%s", opt.user, opt.password);
    (void)snprintf(two, sizeof(two), "%.*s:%s%s", (int)(at - opt.user), opt.user, opt.password, at);
    arg = trimmed(arg);
    if (strcmp(arg, one) != 0 && strcmp(arg, two) != 0) {
        reply(c, "-ERR invalid");
        conn_goodbye(c);
        return;
    }
    c->authed = true;
    c->allow_api = opt.allow_api;
    bytes_addf(&c->out,
               "Content-Type: command/reply\nReply-Text: +OK accepted\nAllowed-Events: all\n"
               "Allowed-API: %s\nAllowed-LOG: true\n\n",
               opt.allow_api ? opt.allow_api : "all");
}

/* ---- events --------------------------------------------------------------------------------- */

static bool take_word(char **at, const char *word)
{
    size_t n = strlen(word);
    if (strncasecmp(*at, word, n) != 0 || ((*at)[n] && (*at)[n] != ' '))
        return false;
    *at = trimmed(*at + n);
    return true;
}

static bool take_format(char **at, enum format *format)
{
    static const char *const names[] = {"plain", "json", "xml"};
    for (int i = 0; i < FORMATS; i++) {
        if (take_word(at, names[i])) {
            *format = (enum format)i;
            return true;
        }
    }
    return false;
}

static void event(struct conn *c, char *arg)
{
    static const char *const names[] = {"plain", "json", "xml"};
    (void)take_format(&arg, &c->format); /* also when no name follows, as the real one */
    if (!listen_change(&c->listen, arg, true)) {
        reply(c, "-ERR no keywords supplied");
        return;
    }
    replyf(c, "+OK event listener enabled %s", names[c->format]);
    if (opt.blast && listen_wants_type(&c->listen, "CHANNEL_CREATE"))
        blast_start(c); /* not already when a library subscribes for its own needs */
}

static void nixevent(struct conn *c, char *arg)
{
    reply(c,
          listen_change(&c->listen, arg, false) ? "+OK events nixed" : "-ERR no keywords supplied");
}

static void noevents(struct conn *c, char *arg)
{
    (void)arg;
    reply(c, c->listen.on ? "+OK no longer listening for events" : "-ERR not listening for events");
    listen_none(&c->listen);
    c->events.len = 0;
}

static void filter(struct conn *c, char *arg)
{
    bool delete = take_word(&arg, "delete");
    if (!delete)
        (void)take_word(&arg, "add");
    char *value = strchr(arg, ' ');
    if (value) {
        *value++ = 0;
        value = trimmed(value);
    }
    if (!*arg || (!value && !delete)) {
        reply(c, "-ERR invalid syntax");
    } else if (delete) {
        filter_delete(&c->listen, arg, value ? value : "");
        replyf(c, "+OK filter deleted. [%s][%s]", arg, value ? value : "");
    } else {
        filter_add(&c->listen, arg, value);
        replyf(c, "+OK filter added. [%s]=[%s]", arg, value);
    }
}

/* An unknown uuid is accepted, and every channel's events come: a trap of the real one. */
static void myevents(struct conn *c, char *arg)
{
    char all[] = "CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE "
                 "CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_PARK CHANNEL_UNPARK CHANNEL_BRIDGE "
                 "CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_HANGUP "
                 "CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY DTMF CALL_UPDATE CHANNEL_HOLD "
                 "CHANNEL_UNHOLD CHANNEL_ORIGINATE CHANNEL_OUTGOING PLAYBACK_START PLAYBACK_STOP";
    enum format ignored;
    if (c->listen.bound[0]) {
        reply(c, "-ERR aready enabled.");
        return;
    }
    if (take_format(&arg, &ignored) || !*arg) {
        reply(c, "-ERR invalid uuid");
        return;
    }
    arg[strcspn(arg, " ")] = 0;
    if (channel_find(arg))
        listen_bind(&c->listen, arg);
    else
        (void)listen_change(&c->listen, all, true);
    reply(c, "+OK Events Enabled");
}

/* ---- log ------------------------------------------------------------------------------------ */

static void start_log(struct conn *c, char *arg)
{
    static const char *const names[] = {"console", "alert",  "crit", "err",
                                        "warning", "notice", "info", "debug"};
    int level = *arg ? -1 : 7;
    for (int i = 0; i < 8; i++)
        if (strcasecmp(arg, names[i]) == 0)
            level = i;
    if (level < 0 && *arg >= '0' && *arg <= '9')
        level = (int)strtol(arg, NULL, 10);
    if (level < 0) {
        reply(c, "-ERR invalid log level");
        return;
    }
    c->log_level = level;
    replyf(c, "+OK log level %s [%d]", arg, level);
}

static void stop_log(struct conn *c, char *arg)
{
    (void)arg;
    reply(c, c->log_level >= 0 ? "+OK no longer logging" : "-ERR not loging");
    c->log_level = -1;
}

void log_line(int level, const char *text)
{
    char date[32];
    uint64_t us = wall_us();
    time_t s = (time_t)(us / 1000000);
    struct tm tm;
    struct bytes b = {0};
    static const char *const names[] = {"CONSOLE", "ALERT",  "CRIT", "ERR",
                                        "WARNING", "NOTICE", "INFO", "DEBUG"};
    (void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", localtime_r(&s, &tm));
    bytes_addf(&b, "%s.%06u 75.57%% [%s] mod_commands.c:7200 %s\n", date, (unsigned)(us % 1000000),
               names[level & 7], text);
    for (struct conn *c = conns; c; c = c->next) {
        if (c->log_level < level)
            continue;
        bytes_addf(&c->events,
                   "Content-Type: log/data\nContent-Length: %zu\nLog-Level: %d\nText-Channel: 3\n"
                   "Log-File: mod_commands.c\nLog-Func: log_function\nLog-Line: 7200\n"
                   "User-Data: \n\n",
                   b.len, level);
        bytes_add(&c->events, b.p, b.len);
    }
    bytes_free(&b);
}

/* ---- sendevent, sendmsg --------------------------------------------------------------------- */

/* One line of a command as name and value, both terminated. @return what follows */
static char *next_header(char *at, char **ret_name, char **ret_value)
{
    size_t len = strcspn(at, "\n");
    char *next = at[len] ? at + len + 1 : NULL;
    at[len] = 0;
    char *colon = strchr(at, ':');
    *ret_name = colon ? at : NULL;
    *ret_value = colon ? trimmed(colon + 1) : NULL;
    if (colon)
        *colon = 0;
    return next;
}

static void sendevent(struct conn *c, char *arg, char *headers, char *body)
{
    char uuid[UUID_LEN + 1], command[300], subclass[300];
    arg[strcspn(arg, " ")] = 0;
    struct origin other = {arg, custom_origin.file, custom_origin.function, 2275, 0, {{0}}};
    bool custom = strcasecmp(arg, "CUSTOM") == 0;
    uuid_make(uuid);
    (void)snprintf(command, sizeof(command), "sendevent %s", arg);
    struct event *ev = event_start(custom ? &custom_origin : &other);
    if (command_header(headers, "Event-Subclass", subclass, sizeof(subclass)))
        event_add(ev, "Event-Subclass", subclass);
    event_add(ev, "Command", command);
    for (char *name, *value; headers;) {
        headers = next_header(headers, &name, &value);
        if (name && *value && strcasecmp(name, "Event-Subclass") != 0)
            event_add(ev, name, value);
    }
    event_add(ev, "Event-UUID", uuid);
    event_base_here(ev);
    ev->body = body;
    ev->body_len = body ? strlen(body) : 0;
    replyf(c, "+OK %s", uuid);
    event_fire(ev);
}

static void sendmsg_to(struct conn *c, struct channel *ch, const char *headers, const char *body)
{
    char command[32], app[64], arg[4096], uuid[200];
    (void)command_header(headers, "call-command", command, sizeof(command));
    (void)command_header(headers, "execute-app-name", app, sizeof(app));
    (void)command_header(headers, "Event-UUID", uuid, sizeof(uuid));
    reply(c, "+OK");
    if (strcmp(command, "hangup") == 0) {
        (void)command_header(headers, "hangup-cause", arg, sizeof(arg));
        channel_hangup(ch, *arg ? arg : "NORMAL_CLEARING");
    } else if (strcmp(command, "execute") == 0 && *app) {
        (void)command_header(headers, "execute-app-arg", arg, sizeof(arg));
        channel_execute(ch, app, !*arg && body ? body : arg, uuid);
    }
}

static void sendmsg(struct conn *c, char *arg, const char *headers, const char *body)
{
    char id[200];
    if (!*arg && command_header(headers, "session-id", id, sizeof(id)))
        arg = id;
    if (!*arg)
        arg = c->listen.bound;
    struct channel *ch = channel_find(arg);
    if (ch)
        sendmsg_to(c, ch, headers, body);
    else
        replyf(c, "-ERR invalid session id [%s]", arg);
}

/* ---- the rest ------------------------------------------------------------------------------- */

static void linger(struct conn *c, char *arg)
{
    int s = (int)strtol(arg, NULL, 10);
    if (!c->listen.bound[0])
        reply(c, "-ERR not controlling a session");
    else if (s > 0)
        replyf(c, "+OK will linger %d seconds", s);
    else
        reply(c, "+OK will linger");
}

static void nolinger(struct conn *c, char *arg)
{
    (void)arg;
    reply(c, c->listen.bound[0] ? "+OK will not linger" : "-ERR not controlling a session");
}

static void leave(struct conn *c, char *arg)
{
    (void)arg;
    reply(c, "+OK bye");
    conn_goodbye(c);
}

static void api(struct conn *c, char *arg)
{
    if (*arg)
        api_run(c, arg, NULL);
    else
        reply(c, "-ERR command not found");
}

static void bgapi(struct conn *c, char *arg, const char *headers)
{
    char uuid[UUID_LEN * 4 + 1];
    if (!*arg) {
        reply(c, "-ERR command not found");
        return;
    }
    if (!headers || !command_header(headers, "Job-UUID", uuid, sizeof(uuid)))
        uuid_make(uuid);
    api_run(c, arg, uuid);
}

static bool simple(struct conn *c, char *line)
{
    static const struct {
        const char *name;
        void (*run)(struct conn *c, char *arg);
        bool exact; /* the whole word, not only its beginning */
    } known[] = {
        {"exit", leave, false},     {"...", leave, false},         {"api", api, true},
        {"event", event, false},    {"nixevent", nixevent, false}, {"noevents", noevents, false},
        {"filter", filter, false},  {"myevents", myevents, false}, {"log", start_log, false},
        {"nolog", stop_log, false}, {"linger", linger, false},     {"nolinger", nolinger, false}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t n = strlen(known[i].name);
        if (strncasecmp(line, known[i].name, n) != 0 || (known[i].exact && line[n] > ' '))
            continue;
        known[i].run(c, trimmed(line + n));
        return true;
    }
    return false;
}

void command_run(struct conn *c, char *line, char *headers, char *body)
{
    if (!c->authed) {
        if (strncasecmp(line, "auth ", 5) == 0)
            auth(c, line + 5);
        else if (strncasecmp(line, "userauth ", 9) == 0)
            userauth(c, line + 9);
        else if (strncasecmp(line, "exit", 4) == 0)
            leave(c, line);
        else
            reply(c, "-ERR command not found");
        return;
    }
    if (strncasecmp(line, "bgapi", 5) == 0 && line[5] <= ' ')
        bgapi(c, trimmed(line + 5), headers);
    else if (strncasecmp(line, "sendevent ", 10) == 0)
        sendevent(c, trimmed(line + 10), headers, body);
    else if (strncasecmp(line, "sendmsg", 7) == 0)
        sendmsg(c, trimmed(line + 7), headers, body);
    else if (!simple(c, line))
        reply(c, "-ERR command not found");
}
