/* `voice-ai calls` and `voice-ai messages`: what the store keeps, for people. */
#include "app/app.h"
#include "store/call_admin.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "usage: voice-ai calls [list] [--tenant TENANT] [--limit N]\n"
    "       voice-ai calls show ID|last\n"
    "       voice-ai messages [--tenant TENANT] [--limit N]\n"
    "\n"
    "  calls list   the newest calls (20, or N)\n"
    "  calls show   one call with what was said; the beginning of its id is enough\n"
    "  messages     the newest messages that callers left, and where the audio is\n"
    "\n"
    "Exit code: 0 done, 1 not found or nothing there, 2 wrong usage or a fault.\n";

struct options {
    const char *tenant;
    int limit;
    const char *what, *key; /* positional */
};

static int parse(int argc, char **argv, const char *command, struct options *o)
{
    *o = (struct options){.limit = 20};
    for (int i = 0; i < argc; i++) {
        uint64_t n = 0;
        if (strcmp(argv[i], "--help") == 0) {
            (void)fputs(help, stdout);
            return -1;
        }
        bool tenant = strcmp(argv[i], "--tenant") == 0, limit = strcmp(argv[i], "--limit") == 0;
        if ((tenant || limit) && i + 1 == argc)
            return app_fail("%s: %s needs a value", command, argv[i]);
        if (tenant) {
            o->tenant = argv[++i];
        } else if (limit) {
            if (str_to_u64(str_of(argv[++i]), &n) || n < 1 || n > 1000000)
                return app_fail("%s: --limit %s: must be from 1 to 1000000", command, argv[i]);
            o->limit = (int)n;
        } else if (argv[i][0] != '-' && !o->key) {
            *(o->what ? &o->key : &o->what) = argv[i];
        } else {
            return app_fail("%s: unknown argument \"%s\" (--help)", command, argv[i]);
        }
    }
    return 0;
}

static const char *when(int64_t us)
{
    static char text[32];
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    (void)localtime_r(&seconds, &tm);
    (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
    return text;
}

static int seconds_of(const struct call_record *c)
{
    return c->ended_us ? (int)((c->ended_us - c->started_us) / 1000000) : 0;
}

static void print_call(void *arg, const struct call_record *c)
{
    if ((*(int *)arg)++ == 0)
        (void)printf("%-36s  %-19s  %-16s %-8s %5s  %s\n", "ID", "STARTED", "CALLER", "CALLED",
                     "SEC", "OUTCOME");
    (void)printf("%-36s  %-19s  %-16s %-8s %5d  %s%s%s\n", c->id, when(c->started_us),
                 *c->caller_number ? c->caller_number : "-",
                 *c->called_number ? c->called_number : "-", seconds_of(c),
                 call_outcome_text(c->outcome), *c->destination ? " " : "", c->destination);
}

static void print_message(void *arg, const struct message_record *m)
{
    if ((*(int *)arg)++ == 0)
        (void)printf("%-19s  %-16s %6s  %s\n", "TAKEN", "CALLER", "SEC", "AUDIO");
    (void)printf("%-19s  %-16s %6.1f  %s\n", when(m->taken_us),
                 *m->caller_number ? m->caller_number : "-", m->length_ms / 1000.0, m->audio);
}

static void print_line(void *arg, const struct transcript_line *line)
{
    static const char *const who[] = {"caller", "agent", "-"};
    (void)arg;
    (void)printf("  %7.2f s  %-6s  %s\n", (double)line->at_ms / 1000.0, who[line->speaker],
                 line->text);
}

static int done(enum va_err err, const struct va_fault *fault, int printed, const char *nothing)
{
    if (err) {
        (void)app_fail("%s", fault->text);
        return err == VA_ENOTFOUND ? 1 : 2;
    }
    if (printed == 0)
        (void)fprintf(stderr, "voice-ai: %s\n", nothing);
    return printed == 0;
}

static int show(struct store_admin *admin, const char *key)
{
    struct call_record c;
    struct va_fault fault = {VA_OK, ""};
    enum va_err err = store_admin_call(admin, key, &c, &fault);
    if (err)
        return done(err, &fault, 0, "");
    (void)printf("call       %s\nstarted    %s\ncaller     %s %s\ncalled     %s\n"
                 "outcome    %s%s%s after %d s, %d turns\n",
                 c.id, when(c.started_us), c.caller_number, c.caller_name, c.called_number,
                 call_outcome_text(c.outcome), *c.destination ? " to " : "", c.destination,
                 seconds_of(&c), c.turns);
    if (*c.hangup_cause)
        (void)printf("cause      %s\n", c.hangup_cause);
    if (*c.recording)
        (void)printf("recording  %s\n", c.recording);
    err = store_admin_lines(admin, c.id, print_line, NULL, &fault);
    return done(err, &fault, 1, "");
}

static int with_store(const struct settings *s, const struct options *o, bool messages)
{
    struct store_admin *admin = NULL;
    struct va_fault fault = {VA_OK, ""};
    if (store_admin_open(s->data_dir, &admin, &fault))
        return app_fail("%s", fault.text);
    int printed = 0, code;
    if (messages) {
        enum va_err err =
            store_admin_messages(admin, o->tenant, o->limit, print_message, &printed, &fault);
        code = done(err, &fault, printed, "no messages");
    } else if (o->key) {
        code = show(admin, o->key);
    } else {
        enum va_err err =
            store_admin_calls(admin, o->tenant, o->limit, print_call, &printed, &fault);
        code = done(err, &fault, printed, "no calls yet");
    }
    store_admin_close(&admin);
    return code;
}

int cmd_calls(const struct settings *s, int argc, char **argv)
{
    struct options o;
    int code = parse(argc, argv, "calls", &o);
    if (code)
        return code < 0 ? 0 : code;
    bool shows = o.what && strcmp(o.what, "show") == 0;
    if (o.what && !shows && strcmp(o.what, "list") != 0)
        return app_fail("calls: unknown command \"%s\" (voice-ai calls --help)", o.what);
    if (shows != (o.key != NULL))
        return app_fail(shows ? "calls show: which one? an id, or last"
                              : "calls list: takes no name (voice-ai calls show ID)");
    return with_store(s, &o, false);
}

int cmd_messages(const struct settings *s, int argc, char **argv)
{
    struct options o;
    int code = parse(argc, argv, "messages", &o);
    if (code)
        return code < 0 ? 0 : code;
    if (o.what)
        return app_fail("messages: unknown argument \"%s\" (voice-ai messages --help)", o.what);
    return with_store(s, &o, true);
}
