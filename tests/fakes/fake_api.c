/*
 * API commands. Each writes its output and is done, or keeps the waiter and answers later
 * (originate, msleep). `api` then holds its connection, `bgapi` does not.
 *
 *     api_run ─► handler ─┬─ output ─► API event ─► api/response, or BACKGROUND_JOB to all
 *                         └─ later  ─► waiter_done()
 */
#include "fake.h"
#include "fake_api.h"

#include <time.h>
#include <unistd.h>

static struct origin job_origin = {
    "BACKGROUND_JOB", "mod_event_socket.c", "api_exec", 1572, 0, {{0}}};
static struct origin api_origin = {"API", "switch_loadable_module.c", "switch_api_execute", 2954, 0,
                                   {{0}}};
static struct origin reload_origin = {"RELOADXML", "switch_xml.c", "switch_xml_open_root", 2459,
                                      0,           {{0}}};

/* ---- who gets the output -------------------------------------------------------------------- */

static void fire_api(const char *command, const char *arg)
{
    if (!listeners)
        return;
    struct event *ev = event_start(&api_origin);
    event_add(ev, "API-Command", command);
    if (*arg)
        event_add(ev, "API-Command-Argument", arg);
    event_fire(ev);
}

static void fire_job(const struct waiter *w, const char *p, size_t n)
{
    if (!listeners)
        return;
    struct event *ev = event_start(&job_origin);
    event_add(ev, "Job-UUID", w->uuid);
    event_add(ev, "Job-Command", w->command);
    if (*w->arg)
        event_add(ev, "Job-Command-Arg", w->arg);
    ev->body = n ? p : NULL;
    ev->body_len = n;
    event_fire(ev);
}

static void deliver(const struct waiter *w, const char *p, size_t n)
{
    static const char nothing[] = "-ERR no reply\n";
    struct conn *c;
    fire_api(w->command, w->arg);
    if (w->job)
        fire_job(w, p, n);
    else if ((c = conn_find(w->conn_id)))
        api_response(c, n ? p : nothing, n ? n : sizeof(nothing) - 1);
}

void waiter_keep(struct waiter *to, const struct waiter *w)
{
    struct conn *c = conn_find(w->conn_id);
    *to = *w;
    to->command = copy_of(w->command);
    to->arg = copy_of(w->arg);
    if (c && w->job)
        c->jobs++;
    else if (c)
        c->blocked = true;
}

void waiter_done(struct waiter *w, const char *p, size_t n)
{
    struct conn *c = conn_find(w->conn_id);
    deliver(w, p, n);
    free(w->command);
    free(w->arg);
    if (c && w->job)
        c->jobs--;
    else if (c)
        conn_resume(c);
}

/* ---- about the whole switch ----------------------------------------------------------------- */

static unsigned count_channels(void)
{
    unsigned n = 0;
    for (const struct channel *ch = channels; ch; ch = ch->next)
        n++;
    return n;
}

static void make_status(struct bytes *out, uint64_t us)
{
    unsigned n = count_channels();
    bytes_addf(out,
               "UP 0 years, 0 days, %llu hours, %llu minutes, %llu seconds, %llu milliseconds, "
               "%llu microseconds\nFreeSWITCH (Version 1.10.12-release  64bit) is ready\n"
               "%u session(s) since startup\n%u session(s) - peak %u, last 5min %u \n"
               "0 session(s) per Sec out of max 500, peak 3, last 5min 3 \n"
               "5000 session(s) max\nmin idle cpu 0.00/96.80\nCurrent Stack Size/Max 240K/8192K\n",
               (unsigned long long)(us / 3600000000), (unsigned long long)(us / 60000000 % 60),
               (unsigned long long)(us / 1000000 % 60), (unsigned long long)(us / 1000 % 1000),
               (unsigned long long)(us % 1000), session_count(), n, n, n);
}

/* The same for all that ask within a turn: it is what benchmarks ask for. */
static void status(char *arg, struct bytes *out)
{
    static struct bytes text;
    static uint64_t made_us;
    (void)arg;
    if (made_us != loop_now()) {
        text.len = 0;
        made_us = loop_now();
        make_status(&text, made_us);
    }
    bytes_add(out, text.p, text.len);
}

static void version(char *arg, struct bytes *out)
{
    bytes_addz(out, strstr(arg, "short") ? "1.10.12\n"
                                         : "FreeSWITCH Version 1.10.12-release~64bit ( 64bit)\n");
}

static void echo(char *arg, struct bytes *out)
{
    bytes_addz(out, arg);
}

static void hostname(char *arg, struct bytes *out)
{
    char name[256] = "localhost";
    (void)arg;
    (void)gethostname(name, sizeof(name) - 1);
    bytes_addz(out, name);
}

static void create_uuid(char *arg, struct bytes *out)
{
    char uuid[UUID_LEN + 1];
    (void)arg;
    uuid_make(uuid);
    bytes_addz(out, uuid);
}

static void strepoch(char *arg, struct bytes *out)
{
    (void)arg;
    bytes_addf(out, "%llu", (unsigned long long)(wall_us() / 1000000));
}

static void reloadxml(char *arg, struct bytes *out)
{
    (void)arg;
    bytes_addz(out, "+OK [Success]\n");
    event_fire(event_start(&reload_origin));
}

static void module_exists(char *arg, struct bytes *out)
{
    static const char *const known[] = {"mod_event_socket", "mod_commands", "mod_dptools",
                                        "mod_sofia", "mod_loopback"};
    bool found = false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        found = found || strcmp(arg, known[i]) == 0;
    bytes_addz(out, found ? "true" : "false");
}

static void log_text(char *arg, struct bytes *out)
{
    static const char *const names[] = {"CONSOLE", "ALERT",  "CRIT", "ERR",
                                        "WARNING", "NOTICE", "INFO", "DEBUG"};
    char *text = strchr(arg, ' ');
    int level = 7;
    if (text)
        *text++ = 0;
    for (int i = 0; i < 8; i++)
        if (strcasecmp(arg, names[i]) == 0)
            level = i;
    log_line(level, text ? text : "");
    bytes_addz(out, "+OK\n");
}

/* ---- the table ------------------------------------------------------------------------------ */

struct sleeper {
    struct timer timer;
    struct waiter waiter;
};

static void on_awake(struct timer *t)
{
    struct sleeper *s = (struct sleeper *)(void *)t;
    waiter_done(&s->waiter, "+OK\n", 4);
    free(s);
}

static bool msleep_later(char *arg, const struct waiter *w, struct bytes *out)
{
    (void)out;
    struct sleeper *s = zalloc(sizeof(*s));
    waiter_keep(&s->waiter, w);
    timer_start(&s->timer, (uint64_t)strtoul(arg, NULL, 10) * 1000, on_awake);
    return true;
}

static bool originate(char *arg, const struct waiter *w, struct bytes *out)
{
    char error[128];
    if (channel_originate(arg, w, error))
        return true;
    bytes_addz(out, error);
    return false;
}

static void console_complete(char *arg, struct bytes *out);

static const struct command {
    const char *name;
    void (*run)(char *arg, struct bytes *out);
    bool (*later)(char *arg, const struct waiter *w, struct bytes *out); /* true: it will */
} commands[] = {{"status", status, NULL},
                {"echo", echo, NULL},
                {"version", version, NULL},
                {"hostname", hostname, NULL},
                {"create_uuid", create_uuid, NULL},
                {"strepoch", strepoch, NULL},
                {"reloadxml", reloadxml, NULL},
                {"module_exists", module_exists, NULL},
                {"log", log_text, NULL},
                {"console_complete", console_complete, NULL},
                {"show", api_show, NULL},
                {"originate", NULL, originate},
                {"msleep", NULL, msleep_later},
                {"uuid_exists", api_uuid_exists, NULL},
                {"uuid_getvar", api_uuid_getvar, NULL},
                {"uuid_setvar", api_uuid_setvar, NULL},
                {"uuid_setvar_multi", api_uuid_setvar_multi, NULL},
                {"uuid_kill", api_uuid_kill, NULL},
                {"uuid_dump", api_uuid_dump, NULL},
                {"uuid_broadcast", api_uuid_broadcast, NULL},
                {"uuid_break", api_uuid_break, NULL},
                {"uuid_park", api_uuid_break, NULL},
                {"uuid_send_dtmf", api_uuid_send_dtmf, NULL},
                {"uuid_recv_dtmf", api_uuid_recv_dtmf, NULL},
                {"uuid_hold", api_uuid_hold, NULL}};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* Matches in a list, then what a console would write: the common beginning, or the one match. */
static void console_complete(char *arg, struct bytes *out)
{
    const char *line = strstr(arg, "c=") && strchr(arg, ';') ? strchr(arg, ';') + 1 : arg;
    size_t typed = strlen(line), hits = 0, common = 0;
    const char *first = NULL;
    for (size_t i = 0; i < COMMANDS; i++) {
        const char *name = commands[i].name;
        if (strncasecmp(name, line, typed) != 0)
            continue;
        size_t same = 0;
        while (first && name[same] && name[same] == first[same])
            same++;
        common = !first || same < common ? (first ? same : strlen(name)) : common;
        first = first ? first : name;
        bytes_addf(out, "[%20s]\t", name);
        if (++hits % 4 == 0)
            bytes_addz(out, "\n");
    }
    bytes_addz(out, "\n\n");
    if (hits == 1)
        bytes_addf(out, "write=%zu:%s ", typed, first);
    else if (hits > 1 && common)
        bytes_addf(out, "write=%zu:%.*s", typed, (int)common, first);
}

static bool allowed(const struct conn *c, const char *name)
{
    if (!c->allow_api)
        return true;
    size_t n = strlen(name);
    for (const char *p = c->allow_api; (p = strstr(p, name)); p += n)
        if ((p == c->allow_api || p[-1] == ' ') && (!p[n] || p[n] == ' '))
            return true;
    return false;
}

static const struct command *lookup(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcasecmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void say_job(struct conn *c, const char *uuid)
{
    static const char head[] = "Content-Type: command/reply\nReply-Text: +OK Job-UUID: ";
    bytes_add(&c->out, head, sizeof(head) - 1);
    bytes_addz(&c->out, uuid);
    bytes_addz(&c->out, "\nJob-UUID: ");
    bytes_addz(&c->out, uuid);
    bytes_add(&c->out, "\n\n", 2);
}

void api_run(struct conn *c, char *text, const char *job_uuid)
{
    static struct bytes out, copy;
    char *arg = strchr(text, ' ');
    struct waiter w = {.job = job_uuid != NULL, .conn_id = c->id, .command = text};
    if (arg)
        *arg++ = 0;
    w.arg = arg ? arg : text + strlen(text);
    if (job_uuid)
        memcpy(w.uuid, job_uuid, strlen(job_uuid) + 1);
    if (!allowed(c, text)) {
        reply(c, "-ERR permission denied");
        return;
    }
    if (job_uuid)
        say_job(c, job_uuid);
    const struct command *cmd = lookup(text);
    out.len = copy.len = 0;
    bytes_add(&copy, w.arg, strlen(w.arg) + 1); /* a command takes its arguments apart in place */
    if (!cmd)
        bytes_addf(&out, "-ERR %s Command not found!\n", text);
    else if (cmd->run)
        cmd->run(copy.p, &out);
    else if (cmd->later(copy.p, &w, &out))
        return;
    deliver(&w, out.p, out.len);
}
