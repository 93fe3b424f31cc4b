#include "app/call_options.h"
#include "leg/sdp.h"

#include <inttypes.h>
#include <stdio.h>

const char call_options_help[] =
    "Usage: voice-ai call [options]\n"
    "Calls a running daemon as FreeSWITCH would, or as a SIP phone, and reports what it hears.\n\n"
    "  --to HOST:PORT       the daemon's Event Socket port (default 127.0.0.1:ESL_SERVER_PORT)\n"
    "  --sip [NUMBER@]HOST[:PORT]  a SIP call instead (SIP_ALLOW_DIRECT=true there; port 5060)\n"
    "  --codecs LIST        offered by --sip, as RTP_CODECS (default: by --rate-hz)\n"
    "  --say TEXT           what the caller says (espeak-ng); again for the next turn\n"
    "  --wav FILE           the same from a file\n"
    "  --voice NAME         espeak-ng voice (default: of --language)\n"
    "  --at MS              first turn that long after the start, not after the greeting\n"
    "  --dtmf DIGITS        keys pressed after the turns\n"
    "  --script FILE        steps and expectations instead (src/fakefs/README.md)\n"
    "  --number N           number called (8000)      --from N, --from-name NAME: the caller\n"
    "  --language TAG       default voice and channel variable default_language (pt-br)\n"
    "  --var NAME=VALUE     channel variable; again for more\n"
    "  --unanswered         the dialplan did not answer before `socket`\n"
    "  --human WHAT         whoever is dialled: answers, busy or no-answer; --human-rings MS,\n"
    "                       --human-talks MS\n"
    "  --rate-hz HZ         8000, 16000 or 48000      --ptime MS: 10 to 60 (20)\n"
    "  --silence KIND       what FreeSWITCH sends for nothing: ff, zero or noise (ff)\n"
    "  --audio-stream KIND  mod_audio_stream of this FreeSWITCH: none, open or commercial (none)\n"
    "  --stream URL         AUDIO_MODE=websocket: the channel streams to ws://HOST:PORT by itself\n"
    "  --listen HOST:PORT   where the daemon then finds its Event Socket (127.0.0.1:ESL_PORT)\n"
    "  --calls N --rate R --hold S   load: N calls, R new per second, S seconds each;\n"
    "                       --settle S: judge only from S seconds after the last start\n"
    "  --wav-out FILE       record in stereo: caller left, agent right\n"
    "  --timeout S          of the call (60)          --json, --quiet, --help\n\n"
    "Exit code: 0 as expected, 1 not, 2 no call could be made.\n";

struct reader {
    int argc;
    char **argv;
    int at;
    struct call_options *o;
    struct va_fault *fault;
    const char *language;
};

static enum va_err bad(struct reader *r, const char *option, const char *what)
{
    return va_fault_set(r->fault, VA_EINVAL, "%s: %s; see voice-ai call --help", option, what);
}

static enum va_err read_address(struct reader *r, const char *option, const char *value,
                                char host[static 64], uint16_t *ret_port)
{
    const char *colon = strrchr(value, ':');
    uint64_t port = 0;
    if (!colon || str_to_u64(str_of(colon + 1), &port) || !port || port > 65535 ||
        !str_copy(host, 64, str_make(value, (size_t)(colon - value))))
        return bad(r, option, "write HOST:PORT, as 127.0.0.1:8022");
    *ret_port = (uint16_t)port;
    return VA_OK;
}

static enum va_err read_human(struct reader *r, const char *value)
{
    static const char *const what[] = {"answers", "busy", "no-answer"};
    for (unsigned i = 0; i < 3; i++) {
        if (str_eqz(str_of(value), what[i])) {
            r->o->human = (enum fakefs_human)i;
            return VA_OK;
        }
    }
    return bad(r, "--human", "answers, busy or no-answer");
}

static enum va_err read_silence(struct reader *r, const char *value)
{
    static const char *const what[] = {"ff", "zero", "noise"};
    for (unsigned i = 0; i < 3; i++) {
        if (str_eqz(str_of(value), what[i])) {
            r->o->silence = (enum fakefs_silence)i;
            return VA_OK;
        }
    }
    return bad(r, "--silence", "ff, zero or noise");
}

static enum va_err read_module(struct reader *r, const char *value)
{
    static const char *const what[] = {"none", "open", "commercial"};
    for (unsigned i = 0; i < 3; i++) {
        if (str_eqz(str_of(value), what[i])) {
            r->o->module = (enum fakefs_module)i;
            return VA_OK;
        }
    }
    return bad(r, "--audio-stream", "none, open or commercial");
}

static enum va_err add_turn(struct reader *r, const char *value, bool file)
{
    if (r->o->turn_count == CALL_TURNS_MAX || !*value)
        return bad(r, file ? "--wav" : "--say", "is empty, or there are more than 100");
    r->o->turn[r->o->turn_count++] = (struct call_turn){file, value};
    return VA_OK;
}

static enum va_err add_var(struct reader *r, const char *value)
{
    if (r->o->var_count == CALL_VARS_MAX || !strchr(value, '=') || *value == '=')
        return bad(r, "--var", "write NAME=VALUE, at most 64 times");
    r->o->var[r->o->var_count++] = value;
    return VA_OK;
}

static enum va_err read_special(struct reader *r, const char *option, const char *value)
{
    uint64_t n = 0;
    if (str_eqz(str_of(option), "--to"))
        return read_address(r, option, value, r->o->host, &r->o->port);
    if (str_eqz(str_of(option), "--listen"))
        return read_address(r, option, value, r->o->listen_host, &r->o->listen_port);
    if (str_eqz(str_of(option), "--say") || str_eqz(str_of(option), "--wav"))
        return add_turn(r, value, option[2] == 'w');
    if (str_eqz(str_of(option), "--var"))
        return add_var(r, value);
    if (str_eqz(str_of(option), "--human"))
        return read_human(r, value);
    if (str_eqz(str_of(option), "--silence"))
        return read_silence(r, value);
    if (str_eqz(str_of(option), "--audio-stream"))
        return read_module(r, value);
    if (!str_eqz(str_of(option), "--at"))
        return bad(r, option, "unknown option");
    if (str_to_u64(str_of(value), &n) || n > 3600000)
        return bad(r, option, "milliseconds, 0 to 3600000");
    r->o->at_ms = (int64_t)n;
    return VA_OK;
}

static enum va_err read_value(struct reader *r, const char *option, const char *value)
{
    struct call_options *o = r->o;
    const struct {
        const char *name;
        const char **to;
    } texts[] = {{"--voice", &o->voice},     {"--dtmf", &o->dtmf}, {"--script", &o->script},
                 {"--number", &o->number},   {"--from", &o->from}, {"--from-name", &o->from_name},
                 {"--wav-out", &o->wav_out}, {"--sip", &o->sip},   {"--codecs", &o->codecs},
                 {"--stream", &o->stream}};
    const struct {
        const char *name;
        uint64_t *to, min, max;
    } numbers[] = {{"--rate-hz", &o->rate_hz, 8000, 48000},
                   {"--ptime", &o->ptime_ms, 10, 60},
                   {"--calls", &o->calls, 1, 20000},
                   {"--rate", &o->rate, 1, 10000},
                   {"--hold", &o->hold_s, 1, 86400},
                   {"--timeout", &o->timeout_s, 1, 86400},
                   {"--settle", &o->settle_s, 0, 86400},
                   {"--human-rings", &o->human_rings_ms, 0, 600000},
                   {"--human-talks", &o->human_talks_ms, 1, 3600000}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (str_eqz(str_of(option), texts[i].name)) {
            *texts[i].to = value;
            return VA_OK;
        }
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uint64_t n = 0;
        if (!str_eqz(str_of(option), numbers[i].name))
            continue;
        if (str_to_u64(str_of(value), &n) || n < numbers[i].min || n > numbers[i].max)
            return va_fault_set(r->fault, VA_EINVAL,
                                "%s: a number from %" PRIu64 " to %" PRIu64 " is needed", option,
                                numbers[i].min, numbers[i].max);
        *numbers[i].to = n;
        return VA_OK;
    }
    return read_special(r, option, value);
}

static bool read_flag(struct call_options *o, const char *option)
{
    const struct {
        const char *name;
        bool *to;
    } flags[] = {{"--json", &o->json},
                 {"--quiet", &o->quiet},
                 {"--help", &o->help},
                 {"-h", &o->help},
                 {"--unanswered", &o->unanswered}};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (str_eqz(str_of(option), flags[i].name)) {
            *flags[i].to = true;
            return true;
        }
    }
    return false;
}

static enum va_err read_all(struct reader *r)
{
    while (r->at < r->argc) {
        const char *option = r->argv[r->at++];
        if (read_flag(r->o, option))
            continue;
        if (*option != '-')
            return bad(r, option, "options begin with --");
        if (r->at == r->argc)
            return bad(r, option, "unknown option, or its value is missing");
        const char *value = r->argv[r->at++];
        if (str_eqz(str_of(option), "--language")) {
            r->language = value;
            continue;
        }
        enum va_err err = read_value(r, option, value);
        if (err)
            return err;
    }
    if (!r->language)
        return VA_OK;
    if (!r->o->voice)
        r->o->voice = r->language;
    (void)snprintf(r->o->language_var, sizeof(r->o->language_var), "default_language=%s",
                   r->language);
    return VA_OK;
}

/* "8000@127.0.0.1:5090", with or without "sip:" before it. */
static enum va_err check_sip(struct reader *r)
{
    struct call_options *o = r->o;
    if (!o->sip)
        return o->codecs ? bad(r, "--codecs", "is for --sip") : VA_OK;
    if (o->unanswered || o->var_count)
        return bad(r, "--sip", "a phone has no --var and no --unanswered");
    struct str rest = str_of(o->sip);
    if (str_starts(rest, "sip:"))
        rest = str_make(rest.p + 4, rest.len - 4);
    struct str host = rest, number = str_of(o->number);
    if (memchr(rest.p, '@', rest.len))
        number = str_cut(&host, '@');
    bool here = str_starts(host, "localhost");
    if (here)
        host = str_make(host.p + 9, host.len - 9);
    int n = snprintf(o->sip_to, sizeof(o->sip_to), "sip:%.*s@%s%.*s", STR_ARG(number),
                     here ? "127.0.0.1" : "", STR_ARG(host));
    if (n < 0 || (size_t)n >= sizeof(o->sip_to))
        return bad(r, "--sip", "is too long");
    if (!o->codecs)
        o->codecs = o->rate_hz == 8000 ? "PCMU,PCMA" : o->rate_hz == 16000 ? "G722" : "OPUS";
    struct sdp_prefs prefs;
    struct va_fault wrong;
    if (sdp_prefs_parse(o->codecs, &prefs, &wrong))
        return bad(r, "--codecs", "PCMU, PCMA, G722, OPUS, L16, L16/8000, separated by commas");
    return VA_OK;
}

/* "ws://127.0.0.1:8085", with a path of its own or without. */
static enum va_err check_stream(struct reader *r)
{
    struct call_options *o = r->o;
    if (!o->stream)
        return VA_OK;
    if (o->sip)
        return bad(r, "--stream", "is no call by SIP");
    if (o->module == FAKEFS_MODULE_NONE)
        o->module = FAKEFS_MODULE_OPEN;
    const char *host = strstr(o->stream, "://");
    bool path = host && strchr(host + 3, '/');
    int n = snprintf(o->stream_url, sizeof(o->stream_url), "%s%s", o->stream,
                     path ? "" : "/stream/default/{uuid}");
    if (!host || n < 0 || (size_t)n >= sizeof(o->stream_url))
        return bad(r, "--stream", "write ws://HOST:PORT, or a whole URL with {uuid} in it");
    return VA_OK;
}

static enum va_err check(struct reader *r)
{
    const struct call_options *o = r->o;
    struct media_format f = {(int)o->rate_hz, (int)o->ptime_ms};
    if (!media_format_valid(f) || o->rate_hz == 24000)
        return bad(r, "--rate-hz/--ptime", "8000, 16000 or 48000 Hz; 10, 20, 30, 40 or 60 ms");
    if (o->script && (o->turn_count || o->dtmf || o->at_ms >= 0))
        return bad(r, "--script", "stands alone: put say, wav and dtmf into the file");
    if (o->script && o->calls)
        return bad(r, "--script", "is for one call; load (--calls) plays one --wav or --say");
    enum va_err err = check_sip(r);
    return err ? err : check_stream(r);
}

enum va_err call_options_read(const struct settings *s, int argc, char **argv,
                              struct call_options *ret, struct va_fault *fault)
{
    struct call_options o = {.host = "127.0.0.1",
                             .port = (uint16_t)s->esl_server_port,
                             .listen_host = "127.0.0.1",
                             .listen_port = (uint16_t)s->esl_port,
                             .number = "8000",
                             .from = "5511999990000",
                             .at_ms = -1,
                             .rate_hz = 8000,
                             .ptime_ms = 20,
                             .timeout_s = 60,
                             .human_talks_ms = 2000};
    struct reader r = {argc, argv, 0, &o, fault, NULL};
    enum va_err err = read_all(&r);
    if (!err && !o.voice)
        o.voice = "pt-br";
    if (!err && !o.help)
        err = check(&r);
    if (!err)
        *ret = o;
    return err;
}

static void add_quoted(struct buf *out, const char *text)
{
    buf_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_addc(out, '\\');
        buf_addc(out, *text == '\n' ? ' ' : *text);
    }
    buf_addz(out, "\"\n");
}

void call_options_script(const struct call_options *o, struct buf *out)
{
    if (o->at_ms >= 0)
        buf_addf(out, "sleep %" PRId64 "ms\n", o->at_ms);
    else
        buf_addz(out, "wait greeting within 30s\n");
    for (size_t i = 0; i < o->turn_count; i++) {
        buf_addz(out, o->turn[i].file ? "wav " : "say ");
        add_quoted(out, o->turn[i].text);
        buf_addz(out, "try wait answer within 15s\n");
    }
    if (o->dtmf) {
        buf_addz(out, "dtmf ");
        add_quoted(out, o->dtmf);
        buf_addz(out, "try wait answer within 15s\n");
    }
    buf_addf(out, "sleep %" PRIu64 "ms\n", o->hold_s ? o->hold_s * 1000 : 1500);
    buf_addz(out, "try wait silence within 15s\n");
}
