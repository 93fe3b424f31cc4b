/* api and bgapi commands, as far as a voice agent uses them. */
#include "fakefs/session_int.h"

#include <inttypes.h>
#include <stdlib.h>

static bool own(const struct fakefs_session *s, struct str uuid)
{
    return s->state != FAKEFS_HUNGUP && str_ieqz(uuid, s->ch.uuid);
}

static void copy_args(char *dst, size_t cap, struct str text)
{
    (void)str_copy(dst, cap, text);
}

/* switch_separate_string's escapes, which uuid_setvar applies (esl.md §1.9). */
static char *unescape(struct str text)
{
    char *out = malloc(text.len + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < text.len; i++) {
        char c = text.p[i];
        if (c != '\\' || i + 1 == text.len) {
            out[n++] = c;
            continue;
        }
        c = text.p[++i];
        out[n++] = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c == 's' ? ' ' : c;
    }
    if (out)
        out[n] = 0;
    return out;
}

static void set_escaped(struct fakefs_session *s, struct str name, struct str value)
{
    char *n = str_dup(name), *v = unescape(value);
    if (n && v)
        fakefs_channel_set(&s->ch, n, v);
    free(n);
    free(v);
}

/* Cuts at the first ';' that no backslash protects. */
static struct str cut_pair(struct str *rest)
{
    size_t i = 0;
    while (i < rest->len && rest->p[i] != ';')
        i += rest->p[i] == '\\' && i + 1 < rest->len ? 2 : 1;
    struct str head = str_make(rest->p, i);
    size_t skip = i < rest->len ? i + 1 : i;
    *rest = str_make(rest->p + skip, rest->len - skip);
    return head;
}

static void api_echo(struct fakefs_session *s, struct str args, struct buf *out)
{
    (void)s;
    buf_adds(out, args);
}

static void api_status(struct fakefs_session *s, struct str args, struct buf *out)
{
    (void)s;
    (void)args;
    buf_addz(out, "UP 0 years, 0 days, 0 hours, 0 minutes, 1 second, 0 milliseconds, 0 "
                  "microseconds\nFreeSWITCH (Version 1.10.12-release  64bit) is ready\n"
                  "1 session(s) since startup\n1 session(s) - peak 1, last 5min 1 \n"
                  "0 session(s) per Sec out of max 500, peak 1, last 5min 1 \n"
                  "5000 session(s) max\nmin idle cpu 0.00/90.00\n");
}

static void api_version(struct fakefs_session *s, struct str args, struct buf *out)
{
    (void)s;
    (void)args;
    buf_addz(out, "FreeSWITCH Version 1.10.12-release~64bit ( 64bit)\n");
}

static void api_create_uuid(struct fakefs_session *s, struct str args, struct buf *out)
{
    (void)s;
    (void)args;
    char uuid[UUID_TEXT];
    rand_uuid(uuid);
    buf_addz(out, uuid);
}

static void api_strepoch(struct fakefs_session *s, struct str args, struct buf *out)
{
    (void)args;
    buf_addf(out, "%" PRId64, clock_wall_us(s->clock) / 1000000);
}

static void api_exists(struct fakefs_session *s, struct str args, struct buf *out)
{
    buf_addz(out, own(s, args) || session_leg(s, args) ? "true" : "false");
}

static void api_getvar(struct fakefs_session *s, struct str args, struct buf *out)
{
    struct str uuid = str_cut(&args, ' ');
    char name[FAKEFS_NAME_MAX];
    copy_args(name, sizeof(name), str_trim(args));
    if (!str_ieqz(uuid, s->ch.uuid) && !session_leg(s, uuid)) {
        buf_addz(out, "-ERR No such channel!\n");
        return;
    }
    const char *value = str_ieqz(uuid, s->ch.uuid) ? fakefs_channel_get(&s->ch, name) : NULL;
    buf_addz(out, value ? value : "_undef_");
}

static void api_setvar(struct fakefs_session *s, struct str args, struct buf *out)
{
    struct str uuid = str_cut(&args, ' '), name = str_cut(&args, ' ');
    if (!own(s, uuid) && !session_leg(s, uuid)) {
        buf_addz(out, "-ERR No such channel!\n");
        return;
    }
    if (own(s, uuid))
        set_escaped(s, name, args);
    buf_addz(out, "+OK\n");
}

static void api_setvar_multi(struct fakefs_session *s, struct str args, struct buf *out)
{
    struct str uuid = str_cut(&args, ' ');
    if (!own(s, uuid) && !session_leg(s, uuid)) {
        buf_addz(out, "-ERR No such channel!\n");
        return;
    }
    while (own(s, uuid) && args.len) {
        struct str value = cut_pair(&args), name = str_cut(&value, '=');
        set_escaped(s, str_trim(name), value);
    }
    buf_addz(out, "+OK\n");
}

static void api_kill(struct fakefs_session *s, struct str args, struct buf *out)
{
    struct str uuid = str_cut(&args, ' ');
    struct leg *leg = session_leg(s, uuid);
    struct str cause = args.len ? str_trim(args) : str_of("NORMAL_CLEARING");
    if (own(s, uuid)) {
        struct msg m = {.kind = MSG_HANGUP, .arg = str_dup(cause)};
        (void)session_queue_msg(s, &m);
    } else if (leg) {
        bool bridged = s->state == FAKEFS_BRIDGED && str_ieqz(uuid, s->ch.other_leg);
        leg->up = false;
        if (bridged)
            s->leg_end_us = session_now(s);
    }
    buf_addz(out, own(s, uuid) || leg ? "+OK\n" : "-ERR No such channel!\n");
}

static void queue_arg(struct fakefs_session *s, enum msg_kind kind, struct str arg)
{
    struct msg m = {.kind = kind, .arg = str_dup(arg)};
    (void)session_queue_msg(s, &m);
}

static void api_transfer(struct fakefs_session *s, struct str args, struct buf *out)
{
    struct str uuid = str_cut(&args, ' ');
    bool mine = own(s, uuid);
    buf_addz(out, mine || session_leg(s, uuid) ? "+OK\n" : "-ERR No such channel!\n");
    char to[FAKEFS_NAME_MAX];
    copy_args(to, sizeof(to), args);
    if (mine && *to) /* at once, whatever the channel does */
        session_transfer(s, to);
}

static void api_bridge(struct fakefs_session *s, struct str args, struct buf *out)
{
    struct str a = str_cut(&args, ' '), b = str_trim(args);
    struct str other = own(s, a) ? b : a;
    if ((!own(s, a) && !own(s, b)) || !session_leg(s, other)) {
        buf_addz(out, "-ERR Invalid uuid\n");
        return;
    }
    queue_arg(s, MSG_BRIDGE_LEG, other);
    buf_addf(out, "+OK %.*s\n", STR_ARG(b));
}

static void api_broadcast(struct fakefs_session *s, struct str args, struct buf *out)
{
    struct str uuid = str_cut(&args, ' '), path = str_cut(&args, ' ');
    if (!own(s, uuid)) {
        buf_addz(out, session_leg(s, uuid) ? "+OK Message sent\n" : "-ERR Message not sent\n");
        return;
    }
    struct msg m = {.kind = MSG_EXECUTE, .app = str_dup(str_of("playback")), .arg = str_dup(path)};
    rand_uuid(m.uuid);
    (void)session_queue_msg(s, &m);
    buf_addz(out, "+OK Message sent\n");
}

static void api_break(struct fakefs_session *s, struct str args, struct buf *out)
{
    struct str uuid = str_cut(&args, ' ');
    if (own(s, uuid))
        session_break(s, str_ieqz(str_trim(args), "all"));
    buf_addz(out, own(s, uuid) || session_leg(s, uuid) ? "+OK\n" : "-ERR No such channel!\n");
}

static void api_dump(struct fakefs_session *s, struct str args, struct buf *out)
{
    struct fakefs_event *ev =
        own(s, str_cut(&args, ' ')) ? fakefs_channel_event(&s->ch, "CHANNEL_DATA") : NULL;
    if (ev)
        fakefs_event_write_block(ev, out);
    buf_addz(out, ev ? "\n" : "-ERR No such channel!\n");
    fakefs_event_free(&ev);
}

static void api_channel_ok(struct fakefs_session *s, struct str args, struct buf *out)
{
    struct str uuid = str_cut(&args, ' ');
    buf_addz(out,
             own(s, uuid) || session_leg(s, uuid) ? "+OK Success\n" : "-ERR No such channel!\n");
}

static void api_module_exists(struct fakefs_session *s, struct str args, struct buf *out)
{
    (void)s;
    static const char *const modules[] = {"mod_event_socket", "mod_commands", "mod_dptools",
                                          "mod_sofia"};
    bool found = false;
    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
        found = found || str_eqz(args, modules[i]);
    buf_addz(out, found ? "true" : "false");
}

static const struct {
    const char *name;
    void (*run)(struct fakefs_session *s, struct str args, struct buf *out);
} commands[] = {{"echo", api_echo},
                {"status", api_status},
                {"version", api_version},
                {"create_uuid", api_create_uuid},
                {"strepoch", api_strepoch},
                {"uuid_exists", api_exists},
                {"uuid_getvar", api_getvar},
                {"uuid_setvar", api_setvar},
                {"uuid_setvar_multi", api_setvar_multi},
                {"uuid_kill", api_kill},
                {"uuid_transfer", api_transfer},
                {"uuid_bridge", api_bridge},
                {"uuid_broadcast", api_broadcast},
                {"uuid_break", api_break},
                {"uuid_dump", api_dump},
                {"uuid_hold", api_channel_ok},
                {"uuid_record", api_channel_ok},
                {"uuid_send_dtmf", api_channel_ok},
                {"module_exists", api_module_exists}};

/* The number behind NAME= in the braces of an originate, else `other`. */
static uint64_t brace_number(const char *text, const char *name, uint64_t other)
{
    const char *at = strstr(text, name);
    uint64_t n = 0;
    if (!at)
        return other;
    struct str rest = str_of(at + strlen(name));
    struct str value = str_make(rest.p, strspn(rest.p, "0123456789"));
    return str_to_u64(value, &n) ? other : n;
}

static void keep_endpoint(struct leg *leg, const char *text)
{
    const char *at = strchr(text, '}');
    struct str rest = str_of(at ? at + 1 : text);
    copy_args(leg->endpoint, sizeof(leg->endpoint), str_cut(&rest, ' '));
}

/* {origination_uuid=…,…}dest &park(): a human's leg, as fakefs_session_cfg.human says. The caller's
 * channel notices nothing of it. */
static void api_originate(struct fakefs_session *s, struct str args, struct buf *out,
                          uint64_t *ret_delay_us)
{
    char uuid[UUID_TEXT], text[1024];
    rand_uuid(uuid);
    copy_args(text, sizeof(text), args);
    const char *given = strstr(text, "origination_uuid=");
    if (given && strlen(given) >= 17 + UUID_TEXT - 1)
        copy_args(uuid, sizeof(uuid), str_make(given + 17, UUID_TEXT - 1));
    uint64_t limit_s = brace_number(text, "originate_timeout=", 60);
    bool late = s->cfg.human_rings_ms > limit_s * 1000;
    const char *error = strstr(text, "error/");
    *ret_delay_us = late ? limit_s * 1000000 : s->cfg.human_rings_ms * 1000ull;
    if (error || late || s->cfg.human != FAKEFS_HUMAN_ANSWERS || s->leg_count == LEGS_MAX) {
        struct str cause = str_of(error ? error + 6 : "");
        if (error)
            buf_addf(out, "-ERR %.*s\n", STR_ARG(str_cut(&cause, ' ')));
        else
            buf_addz(out,
                     s->cfg.human == FAKEFS_HUMAN_BUSY ? "-ERR USER_BUSY\n" : "-ERR NO_ANSWER\n");
        return;
    }
    struct leg *leg = &s->legs[s->leg_count++];
    copy_args(leg->uuid, sizeof(leg->uuid), str_of(uuid));
    keep_endpoint(leg, text);
    buf_addf(out, "+OK %s\n", uuid);
}

void session_originated(struct fakefs_session *s, const struct job *job)
{
    struct str uuid = str_of(job->output);
    if (!str_ieqz(str_of(job->command), "originate") || !str_eqz(str_cut(&uuid, ' '), "+OK"))
        return;
    for (size_t i = 0; i < s->leg_count; i++)
        if (str_ieqz(str_trim(uuid), s->legs[i].uuid))
            s->legs[i].up = true;
}

/* hupall CAUSE esl_originate_id UUID: rings no more, or is hung up. */
static void api_hupall(struct fakefs_session *s, struct str args, struct buf *out)
{
    char uuid[UUID_TEXT], cause[64];
    copy_args(cause, sizeof(cause), str_cut(&args, ' '));
    struct str name = str_cut(&args, ' ');
    copy_args(uuid, sizeof(uuid), str_trim(args));
    struct leg *leg = session_leg(s, str_of(uuid));
    if (leg)
        leg->up = false;
    for (size_t i = 0; i < s->job_count && *uuid; i++) {
        struct job *j = &s->jobs[i];
        if (!str_ieqz(str_of(j->command), "originate") || !j->arg || !strstr(j->arg, uuid))
            continue;
        free(j->output);
        j->output = str_dup(str_of("-ERR ORIGINATOR_CANCEL\n"));
        j->due_us = session_now(s);
        session_note(s, FAKEFS_NOTE_EXECUTE, "cancel of who was called");
    }
    buf_addf(out, "+OK hangup all channels matching [%.*s]=[%s] with cause: %s\n", STR_ARG(name),
             uuid, cause);
}

void session_api(struct fakefs_session *s, struct str command, struct str args, struct buf *out,
                 uint64_t *ret_delay_us)
{
    *ret_delay_us = 0;
    if (str_ieqz(command, "originate")) {
        api_originate(s, args, out, ret_delay_us);
        return;
    }
    if (str_ieqz(command, "hupall")) {
        api_hupall(s, args, out);
        return;
    }
    if (s->cfg.audio_stream && str_ieqz(command, "uuid_audio_stream")) {
        session_audio_stream(s, args, out);
        return;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (str_ieqz(command, commands[i].name)) {
            commands[i].run(s, args, out);
            return;
        }
    }
    buf_addf(out, "-ERR %.*s Command not found!\n", STR_ARG(command));
}
