/* A fake FreeSWITCH Event Socket: for benchmarks, tests of the command line, and to play with.
 * Prints `port N` when it listens; ends on SIGTERM. */
#include "fake.h"

#include <getopt.h>
#include <signal.h>
#include <sys/resource.h>

struct options opt = {
    .host = "127.0.0.1", .password = "ClueCon", .chunk = 262144, .sessions = 1000, .inflight = 1};

static const char usage[] =
    "usage: esl_fake [options]                      the inbound side (port 8021 of a FreeSWITCH)\n"
    "       esl_fake --dial HOST:PORT [options]     the outbound side, as a load generator\n"
    "\n"
    "  --port N            listen there; 0, the default: any free one, printed as `port N`\n"
    "  --host IP           listen there; default 127.0.0.1\n"
    "  --password WORD     default ClueCon\n"
    "  --user USER@DOMAIN  allow `userauth` for this one, with the same password\n"
    "  --allow-api WORDS   ... and only these API commands, e.g. \"status echo\"\n"
    "  --ring-ms N         before an originate is answered or fails; default 0\n"
    "\n"
    "  --refuse-acl            text/rude-rejection, then close\n"
    "  --silent                accept and say nothing\n"
    "  --not-freeswitch        speak SSH\n"
    "  --half-open-after-auth  fall silent and deaf after the password, socket open\n"
    "  --drop-after-ms N       close all connections every N ms\n"
    "\n"
    "  --blast FILE        after `event` send this recorded stream\n"
    "  --count N           ... until N events are sent; default: once\n"
    "  --chunk N           ... with writes of N bytes; default 262144\n"
    "  --blast-per-s N     ... N events per second; tells at the end how late the socket took "
    "them\n"
    "  --format plain|json ... which holds events of this format; default plain\n"
    "\n"
    "  --sessions N        with --dial: how many calls; default 1000\n"
    "  --inflight K        ... at the same time; default 1\n"
    "  --hold-ms H         ... hold all together, then H ms more\n"
    "  --events-per-s R    ... meanwhile send R small events per second to each\n"
    "  --connect-reply FILE  ... a recorded answer to `connect`; default: a small one\n";

enum {
    O_PORT = 256,
    O_HOST,
    O_PASSWORD,
    O_USER,
    O_ALLOW_API,
    O_RING,
    O_REFUSE,
    O_SILENT,
    O_NOT_FS,
    O_HALF,
    O_DROP,
    O_BLAST,
    O_COUNT,
    O_CHUNK,
    O_BLAST_RATE,
    O_FORMAT,
    O_DIAL,
    O_SESSIONS,
    O_INFLIGHT,
    O_HOLD,
    O_RATE,
    O_CONNECT,
    O_HELP
};

static const struct option names[] = {{"port", 1, NULL, O_PORT},
                                      {"host", 1, NULL, O_HOST},
                                      {"password", 1, NULL, O_PASSWORD},
                                      {"user", 1, NULL, O_USER},
                                      {"allow-api", 1, NULL, O_ALLOW_API},
                                      {"ring-ms", 1, NULL, O_RING},
                                      {"refuse-acl", 0, NULL, O_REFUSE},
                                      {"silent", 0, NULL, O_SILENT},
                                      {"not-freeswitch", 0, NULL, O_NOT_FS},
                                      {"half-open-after-auth", 0, NULL, O_HALF},
                                      {"drop-after-ms", 1, NULL, O_DROP},
                                      {"blast", 1, NULL, O_BLAST},
                                      {"count", 1, NULL, O_COUNT},
                                      {"chunk", 1, NULL, O_CHUNK},
                                      {"blast-per-s", 1, NULL, O_BLAST_RATE},
                                      {"format", 1, NULL, O_FORMAT},
                                      {"dial", 1, NULL, O_DIAL},
                                      {"sessions", 1, NULL, O_SESSIONS},
                                      {"inflight", 1, NULL, O_INFLIGHT},
                                      {"hold-ms", 1, NULL, O_HOLD},
                                      {"events-per-s", 1, NULL, O_RATE},
                                      {"connect-reply", 1, NULL, O_CONNECT},
                                      {"help", 0, NULL, O_HELP},
                                      {NULL, 0, NULL, 0}};

static long number(const char *text, long min)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || *end || n < min) {
        (void)fprintf(stderr, "esl_fake: %s is no number from %ld on\n", text, min);
        exit(2);
    }
    return n;
}

static bool set_inbound(int o, const char *v)
{
    switch (o) {
    case O_PORT: opt.port = (int)number(v, 0); return true;
    case O_HOST: opt.host = v; return true;
    case O_PASSWORD: opt.password = v; return true;
    case O_USER: opt.user = v; return true;
    case O_ALLOW_API: opt.allow_api = v; return true;
    case O_RING: opt.ring_ms = (int)number(v, 0); return true;
    case O_REFUSE: opt.refuse_acl = true; return true;
    case O_SILENT: opt.silent = true; return true;
    case O_NOT_FS: opt.not_freeswitch = true; return true;
    case O_HALF: opt.half_open = true; return true;
    case O_DROP: opt.drop_after_ms = (int)number(v, 1); return true;
    default: return false;
    }
}

static bool set_load(int o, const char *v)
{
    switch (o) {
    case O_BLAST: opt.blast = v; return true;
    case O_COUNT: opt.count = number(v, 1); return true;
    case O_CHUNK: opt.chunk = number(v, 1); return true;
    case O_BLAST_RATE: opt.blast_rate = number(v, 1); return true;
    case O_FORMAT: opt.format = strcmp(v, "json") ? PLAIN : JSON; return true;
    case O_DIAL: opt.dial = v; return true;
    case O_SESSIONS: opt.sessions = number(v, 1); return true;
    case O_INFLIGHT: opt.inflight = number(v, 1); return true;
    case O_HOLD: opt.hold_ms = number(v, 1); return true;
    case O_RATE: opt.rate = number(v, 1); return true;
    case O_CONNECT: opt.connect_reply = v; return true;
    default: return false;
    }
}

static void many_files(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &r);
    }
}

int main(int argc, char **argv)
{
    for (int o; (o = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (set_inbound(o, optarg) || set_load(o, optarg))
            continue;
        (void)fputs(usage, o == O_HELP ? stdout : stderr);
        return o == O_HELP ? 0 : 2;
    }
    if (optind < argc) {
        (void)fputs(usage, stderr);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    many_files();
    if (opt.dial) {
        dial_start();
        loop_run(dial_after_turn);
        return 0;
    }
    if (opt.blast)
        blast_load();
    inbound_start();
    loop_run(inbound_after_turn);
    while (conns)
        conn_kill(conns);
    return 0;
}
