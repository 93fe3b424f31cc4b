#include "app/esl_show.h"
#include "base/utf8.h"

#include <time.h>

enum { VALUE_SHOWN = 100, UUID_SHOWN = 8, NAME_COLUMNS = 24 };

void esl_show_safe(struct buf *out, struct str s, bool lines)
{
    while (s.len) {
        size_t n = utf8_char(s);
        unsigned char c = (unsigned char)s.p[0], next = s.len > 1 ? (unsigned char)s.p[1] : 0;
        /* U+0080 to U+009F are control characters too. */
        bool harmless = n > 2 || (n == 2 && !(c == 0xc2 && next < 0xa0)) ||
                        (n == 1 && c >= 0x20 && c != 0x7f) || (lines && (c == '\n' || c == '\t'));
        if (harmless)
            (void)buf_add(out, s.p, n);
        else if (lines && c == '\r' && next == '\n')
            ; /* a SIP trace ends its lines so */
        else
            (void)buf_addf(out, "\\x%02x", c);
        n = harmless ? n : 1;
        s = str_make(s.p + n, s.len - n);
    }
}

/* ---- one line ------------------------------------------------------------------------------- */

static void add_time(struct buf *out, const struct esl_event *ev)
{
    uint64_t us = 0;
    struct tm tm = {0};
    if (str_to_u64(esl_event_get(ev, "Event-Date-Timestamp"), &us) || us > INT64_MAX)
        us = 0;
    time_t s = (time_t)(us / 1000000);
    (void)localtime_r(&s, &tm);
    (void)buf_addf(out, "%02d:%02d:%02d.%03u", tm.tm_hour, tm.tm_min, tm.tm_sec,
                   (unsigned)(us / 1000 % 1000));
}

static const char *color_of(const struct esl_event *ev)
{
    static const struct {
        const char *name, *color;
    } table[] = {
        {"CHANNEL_CREATE", ESL_YELLOW},
        {"CHANNEL_PROGRESS", ESL_YELLOW},
        {"CHANNEL_ANSWER", ESL_GREEN},
        {"CHANNEL_PROGRESS_MEDIA", ESL_YELLOW},
        {"CHANNEL_BRIDGE", ESL_GREEN},
        {"CHANNEL_UNBRIDGE", ESL_BLUE},
        {"CHANNEL_HANGUP", ESL_RED},
        {"CHANNEL_HANGUP_COMPLETE", ESL_RED},
        {"DTMF", ESL_CYAN},
        {"BACKGROUND_JOB", ESL_BLUE},
        {"HEARTBEAT", ESL_DIM},
        {"RE_SCHEDULE", ESL_DIM},
        {"CUSTOM", ESL_CYAN},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (esl_event_is(ev, table[i].name))
            return table[i].color;
    return "";
}

/* Cut, safe, and in quotes when it could be taken for two. */
static void add_value(struct buf *out, struct str v)
{
    bool cut = v.len > VALUE_SHOWN, quote = false;
    v.len = utf8_cut(v, VALUE_SHOWN);
    for (size_t i = 0; i < v.len; i++)
        quote |= v.p[i] == ' ';
    if (quote)
        (void)buf_addc(out, '"');
    esl_show_safe(out, v, false);
    if (cut)
        (void)buf_addz(out, "...");
    if (quote)
        (void)buf_addc(out, '"');
}

static void add_parties(struct buf *out, const struct esl_event *ev)
{
    struct str from = esl_event_get(ev, "Caller-Caller-ID-Number");
    struct str to = esl_event_get(ev, "Caller-Destination-Number");
    if (!esl_event_uuid(ev).len || (!from.len && !to.len))
        return;
    (void)buf_addc(out, ' ');
    add_value(out, from.len ? from : str_of("?"));
    (void)buf_addz(out, " > ");
    add_value(out, to.len ? to : str_of("?"));
}

/* What is shown, in this order, of any event (only NULL) or of those whose name begins so. */
static const struct {
    const char *header, *label, *only;
    bool uuid;
} shown[] = {
    {"Call-Direction", NULL, "CHANNEL_CREATE", false},
    {"Channel-Name", "channel", "CHANNEL_CREATE", false},
    {"Channel-State", "state", "CHANNEL_STATE", false},
    {"Channel-Call-State", "state", "CHANNEL_CALLSTATE", false},
    {"Answer-State", "answer", "CHANNEL_STATE", false},
    {"DTMF-Digit", "digit", NULL, false},
    {"DTMF-Duration", "duration", NULL, false},
    {"Application", "app", NULL, false},
    {"Application-Data", "data", NULL, false},
    {"Application-Response", "response", NULL, false},
    {"Other-Leg-Unique-ID", "other", "CHANNEL_", true},
    {"Hangup-Cause", "cause", NULL, false},
    {"variable_sip_hangup_disposition", "by", "CHANNEL_HANGUP_COMPLETE", false},
    {"variable_duration", "duration", "CHANNEL_HANGUP_COMPLETE", false},
    {"variable_billsec", "billsec", "CHANNEL_HANGUP_COMPLETE", false},
    {"Job-Command", "job", NULL, false},
    {"Job-Command-Arg", "arg", NULL, false},
    {"API-Command", "api", NULL, false},
    {"API-Command-Argument", "arg", NULL, false},
    {"Session-Count", "sessions", NULL, false},
    {"Session-Per-Sec", "per-second", "HEARTBEAT", false},
    {"Idle-CPU", "idle", "HEARTBEAT", false},
    {"Up-Time", "up", "HEARTBEAT", false},
    {"Task-Desc", "task", NULL, false},
    {"profile-name", "profile", NULL, false},
    {"from-user", "user", NULL, false},
    {"from-host", "host", NULL, false},
    {"network-ip", "from", NULL, false},
    {"Gateway", "gateway", NULL, false},
    {"State", "state", "CUSTOM", false},
    {"status", "status", NULL, false},
    {"Conference-Name", "conference", NULL, false},
    {"Action", "action", NULL, false},
    {"Member-ID", "member", NULL, false},
    {"login", "login", "PRESENCE", false},
    {"from", "from", "PRESENCE", false},
    {"rpid", "rpid", "PRESENCE", false},
    {"type", "type", "MODULE", false},
    {"name", "name", "MODULE", false},
    {"Event-Info", "info", NULL, false},
    {"Old-Unique-ID", "was", "CHANNEL_UUID", true},
    {"channel-read-codec-name", "codec", "CODEC", false},
    {"channel-read-codec-rate", "rate", "CODEC", false},
    {"Playback-File-Path", "file", "PLAYBACK", false},
    {"Record-File-Path", "file", "RECORD", false},
    {"Bridge-A-Unique-ID", "a", "CHANNEL_BRIDGE", true},
    {"Bridge-B-Unique-ID", "b", "CHANNEL_BRIDGE", true},
};

static void add_headers(struct buf *out, const struct esl_event *ev)
{
    struct str name = esl_event_name(ev);
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        if (shown[i].only && !str_starts(name, shown[i].only))
            continue;
        struct str v = esl_event_get(ev, shown[i].header);
        if (!v.len || str_eqz(v, "_none_"))
            continue;
        (void)buf_addc(out, ' ');
        if (shown[i].label)
            (void)buf_addf(out, "%s=", shown[i].label);
        if (shown[i].uuid && v.len > UUID_SHOWN)
            v.len = UUID_SHOWN;
        add_value(out, v);
    }
    if (esl_event_is(ev, "BACKGROUND_JOB") && esl_event_body(ev).len) {
        (void)buf_addz(out, " said=");
        add_value(out, str_trim(esl_event_body(ev)));
    }
}

void esl_show_line(struct buf *out, const struct esl_event *ev, bool color)
{
    struct str name = esl_event_name(ev), sub = esl_event_get(ev, "Event-Subclass");
    struct str uuid = esl_event_uuid(ev);
    const char *paint = color ? color_of(ev) : "";
    if (color)
        (void)buf_addz(out, ESL_DIM);
    add_time(out, ev);
    (void)buf_addz(out, color ? ESL_PLAIN_TEXT " " : " ");
    (void)buf_addz(out, paint);
    size_t before = out->len;
    esl_show_safe(out, str_eqz(name, "CUSTOM") && sub.len ? sub : name, false);
    while (!buf_failed(out) && out->len < before + NAME_COLUMNS)
        (void)buf_addc(out, ' ');
    if (*paint)
        (void)buf_addz(out, ESL_PLAIN_TEXT);
    (void)buf_addc(out, ' ');
    if (uuid.len > UUID_SHOWN)
        uuid.len = UUID_SHOWN;
    before = out->len;
    esl_show_safe(out, uuid.len ? uuid : str_of("-"), false);
    while (!buf_failed(out) && out->len < before + UUID_SHOWN)
        (void)buf_addc(out, ' ');
    add_parties(out, ev);
    add_headers(out, ev);
    (void)buf_addc(out, '\n');
}

/* ---- everything ----------------------------------------------------------------------------- */

void esl_show_full(struct buf *out, const struct esl_event *ev, bool color)
{
    struct str name, value, body = esl_event_body(ev);
    esl_show_line(out, ev, color);
    for (size_t i = 0; i < esl_event_headers(ev); i++) {
        esl_event_header(ev, i, &name, &value);
        (void)buf_addz(out, color ? "    " ESL_DIM : "    ");
        esl_show_safe(out, name, false);
        (void)buf_addz(out, color ? ":" ESL_PLAIN_TEXT " " : ": ");
        esl_show_safe(out, value, false);
        (void)buf_addc(out, '\n');
    }
    while (body.len) {
        (void)buf_addz(out, "    | ");
        esl_show_safe(out, str_cut(&body, '\n'), false);
        (void)buf_addc(out, '\n');
    }
    (void)buf_addc(out, '\n');
}

void esl_show_log(struct buf *out, int level, struct str line, bool color)
{
    static const char *const paint[] = {"",         ESL_RED ESL_BOLD, ESL_RED ESL_BOLD, ESL_RED,
                                        ESL_YELLOW, ESL_CYAN,         ESL_GREEN,        ESL_DIM};
    bool painted = color && level > 0 && level < 8;
    while (line.len && (line.p[line.len - 1] == '\n' || line.p[line.len - 1] == '\r'))
        line.len--;
    (void)buf_addz(out, painted ? paint[level] : "");
    esl_show_safe(out, line, true);
    (void)buf_addz(out, painted ? ESL_PLAIN_TEXT "\n" : "\n");
}
