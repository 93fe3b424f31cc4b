/* Commands of the program. Names are prefixes and case-insensitive, as in parse_command(). */
#include "fakefs/session_int.h"

#include <stdlib.h>

static void connect_command(struct fakefs_session *s)
{
    struct fakefs_event *ev = fakefs_channel_event(&s->ch, "CHANNEL_DATA");
    if (!ev)
        return;
    fakefs_event_add(ev, "Content-Type", "command/reply");
    fakefs_event_add(ev, "Reply-Text", "+OK\n");
    fakefs_event_add(ev, "Socket-Mode", "async");
    fakefs_event_add(ev, "Control", "full");
    fakefs_event_write_block(ev, &s->out);
    buf_addc(&s->out, '\n');
    fakefs_event_free(&ev);
    if (s->said_connect)
        return;
    s->said_connect = true;
    if (s->state == FAKEFS_NEW)
        s->state = FAKEFS_CONNECTED;
    s->session_phase_us = s->cfg.fixed_phase ? session_now(s) : s->session_phase_us;
    session_wake(s);
    session_note(s, FAKEFS_NOTE_CONNECTED, "%s", "");
}

static void linger_command(struct fakefs_session *s, struct str rest)
{
    uint64_t n = 0;
    rest = str_trim(rest);
    s->linger = true;
    s->linger_s = -1;
    if (rest.len && !str_to_u64(rest, &n) && n <= 86400) {
        s->linger_s = (int)n;
        session_reply(s, "+OK will linger %d seconds", s->linger_s);
    } else {
        session_reply(s, "+OK will linger");
    }
}

static void add_job(struct fakefs_session *s, struct str command, struct str args, const char *uuid)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    uint64_t delay_us = 0;
    session_api(s, command, args, &out, &delay_us);
    if (s->job_count < JOBS_MAX) {
        struct job *j = &s->jobs[s->job_count++];
        (void)str_copy(j->uuid, sizeof(j->uuid), str_of(uuid));
        j->command = str_dup(command);
        j->arg = str_dup(args);
        j->output = str_dup(buf_str(&out));
        j->due_us = session_now(s) + delay_us + 1;
    }
    buf_free(&out);
}

static void bgapi_command(struct fakefs_session *s, struct str rest)
{
    char uuid[64];
    struct str own = fakefs_command_header(&s->cmd, "Job-UUID");
    if (own.len)
        (void)str_copy(uuid, sizeof(uuid), own);
    else
        rand_uuid(uuid);
    struct str command = str_cut(&rest, ' ');
    session_reply(s, "+OK Job-UUID: %s\nJob-UUID: %s", uuid, uuid);
    add_job(s, command, rest, uuid);
}

static void api_command(struct fakefs_session *s, struct str rest)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    uint64_t delay_us = 0;
    struct str command = str_cut(&rest, ' ');
    session_api(s, command, rest, &out, &delay_us);
    if (!out.len)
        buf_addz(&out, "-ERR no reply\n");
    buf_addf(&s->out, "Content-Type: api/response\nContent-Length: %zu\n\n", out.len);
    buf_adds(&s->out, buf_str(&out));
    buf_free(&out);
}

static struct str field(const struct fakefs_session *s, const char *name)
{
    return fakefs_command_header(&s->cmd, name);
}

static void read_unicast(const struct fakefs_session *s, struct fakefs_unicast *u)
{
    uint64_t local = 8025, remote = 8026;
    struct str ip = field(s, "local-ip"), port = field(s, "local-port");
    (void)str_copy(u->local_ip, sizeof(u->local_ip), ip.len ? ip : str_of("127.0.0.1"));
    if (port.len && (str_to_u64(port, &local) || local > 65535))
        local = 0;
    ip = field(s, "remote-ip");
    port = field(s, "remote-port");
    (void)str_copy(u->remote_ip, sizeof(u->remote_ip), ip.len ? ip : str_of("127.0.0.1"));
    if (port.len && (str_to_u64(port, &remote) || remote > 65535))
        remote = 0;
    u->local_port = (uint16_t)local;
    u->remote_port = (uint16_t)remote;
}

static void read_execute(const struct fakefs_session *s, struct msg *m)
{
    m->kind = MSG_EXECUTE;
    m->lock = str_ieqz(field(s, "event-lock"), "true");
    struct str uuid = field(s, "Event-UUID"), arg = field(s, "execute-app-arg");
    if (uuid.len)
        (void)str_copy(m->uuid, sizeof(m->uuid), uuid);
    else
        rand_uuid(m->uuid);
    if (!arg.len && str_ieqz(field(s, "content-type"), "text/plain"))
        arg = s->cmd.body;
    m->app = str_dup(field(s, "execute-app-name"));
    m->arg = str_dup(arg);
}

static void sendmsg_command(struct fakefs_session *s, struct str rest)
{
    struct str target = str_trim(rest), call = field(s, "call-command");
    if (!target.len)
        target = field(s, "session-id");
    if (target.len && !str_ieqz(target, s->ch.uuid)) {
        if (session_leg(s, target))
            session_reply(s, "+OK");
        else
            session_reply(s, "-ERR invalid session id [%.*s]", STR_ARG(target));
        return;
    }
    struct msg m = {.kind = MSG_HANGUP};
    if (str_eqz(call, "execute")) {
        read_execute(s, &m);
    } else if (str_eqz(call, "unicast")) {
        m.kind = MSG_UNICAST;
        read_unicast(s, &m.unicast);
    } else if (str_eqz(call, "hangup")) {
        m.arg = str_dup(field(s, "hangup-cause"));
    } else { /* nomedia, xferext, unknown: accepted, nothing happens here */
        session_reply(s, "+OK");
        return;
    }
    enum va_err err = session_queue_msg(s, &m);
    if (err == VA_ELIMIT)
        session_shut(s, NULL); /* FreeSWITCH closes without an answer (esl.md fact 5) */
    else
        session_reply(s, "+OK");
}

static void getvar_command(struct fakefs_session *s, struct str rest)
{
    char name[FAKEFS_NAME_MAX];
    (void)str_copy(name, sizeof(name), str_trim(rest));
    const char *value = fakefs_channel_get(&s->ch, name);
    session_reply(s, "%s", value ? value : "-ERR command not found"); /* fact 3 */
}

static void note_transcript(struct fakefs_session *s)
{
    struct str subclass = fakefs_command_header(&s->cmd, "Event-Subclass");
    struct str speaker = fakefs_command_header(&s->cmd, "Voice-AI-Speaker");
    if (str_eqz(subclass, "voice_ai::transcript"))
        session_note(s, FAKEFS_NOTE_SAID, "%.*s: %.*s", STR_ARG(speaker), STR_ARG(s->cmd.body));
}

static void sendevent_command(struct fakefs_session *s, struct str rest)
{
    char name[FAKEFS_NAME_MAX], uuid[UUID_TEXT];
    (void)str_copy(name, sizeof(name), str_trim(rest));
    rand_uuid(uuid);
    struct fakefs_event *ev = fakefs_bare_event(s->clock, name);
    for (size_t i = 0; ev && i < s->cmd.header_count; i++) {
        char *n = str_dup(s->cmd.header[i].name), *v = str_dup(s->cmd.header[i].value);
        if (n && v)
            fakefs_event_add(ev, n, v);
        free(n);
        free(v);
    }
    note_transcript(s);
    if (ev) {
        fakefs_event_add(ev, "Event-UUID", uuid);
        buf_adds(&ev->body, s->cmd.body);
        session_emit(s, ev);
    }
    session_reply(s, "+OK %s", uuid);
}

static bool session_word(struct fakefs_session *s, struct str word, struct str rest)
{
    if (str_ieqz(word, "connect"))
        connect_command(s);
    else if (str_ieqz(word, "sendmsg"))
        sendmsg_command(s, rest);
    else if (str_ieqz(word, "api") && rest.len)
        api_command(s, rest);
    else if (str_ieqz(word, "bgapi") && rest.len)
        bgapi_command(s, rest);
    else if (str_ieqz(word, "linger"))
        linger_command(s, rest);
    else if (str_ieqz(word, "getvar"))
        getvar_command(s, rest);
    else if (str_ieqz(word, "sendevent"))
        sendevent_command(s, rest);
    else
        return false;
    return true;
}

static bool plain_word(struct fakefs_session *s, struct str word, struct str rest)
{
    if (str_ieqz(word, "nolinger")) {
        s->linger = false;
        session_reply(s, "+OK will not linger");
    } else if (str_ieqz(word, "divert_events")) {
        session_reply(s, str_ieqz(str_trim(rest), "on") ? "+OK events diverted"
                                                        : "+OK events not diverted");
    } else if (str_ieqz(word, "resume")) {
        fakefs_channel_set(&s->ch, "socket_resume", "true");
        session_reply(s, "+OK");
    } else if (str_ieqz(word, "nolog")) {
        session_reply(s, "+OK no longer logging");
    } else if (str_ieqz(word, "log")) {
        session_reply(s, "+OK log level %.*s [%.*s]", STR_ARG(rest), STR_ARG(rest));
    } else {
        return false;
    }
    return true;
}

void session_command(struct fakefs_session *s)
{
    struct str rest = s->cmd.line, word = str_cut(&rest, ' ');
    size_t before = s->out.len;
    bool first = !s->first_done;
    s->first_done = true;
    if (str_starts(s->cmd.line, "exit") || str_starts(s->cmd.line, "...")) {
        session_reply(s, "+OK bye");
        session_shut(s, NULL);
        if (s->state != FAKEFS_HUNGUP && s->state != FAKEFS_AWAY && s->state != FAKEFS_BRIDGED) {
            session_unicast_off(s);
            s->state = FAKEFS_RETURNED;
            session_note(s, FAKEFS_NOTE_RETURNED, "exit");
        }
        return;
    }
    session_note(s, FAKEFS_NOTE_COMMAND, "%.*s", STR_ARG(s->cmd.line));
    bool known = session_word(s, word, rest) || session_subscribe_command(s, word, rest) ||
                 plain_word(s, word, rest);
    if (!known)
        session_reply(s, "-ERR command not found");
    if (first && !s->said_connect && s->out.len > before)
        s->out.len = before; /* the answer to a first command other than connect is swallowed */
}
