/* Calls by SIP: a phone's own, and those that a session's bridge makes. */
#include "fakefs/call_int.h"

#include <stdio.h>

enum { PTIME_MS = 20, TOKEN_LEN = 32 };

void call_drop_line(struct fakefs_call *c)
{
    struct fakefs_rtp_stats rtp;
    if (!c->line)
        return;
    fakefs_rtp_stats(fakefs_line_rtp(c->line), &rtp);
    c->stats.sent += rtp.sent;
    c->stats.received += rtp.received;
    c->stats.odd += rtp.odd;
    fakefs_line_close(&c->line);
    fakefs_meter_end(&c->meter);
}

static void on_frame(void *arg, uint64_t at_us, const int16_t *pcm, size_t n)
{
    struct fakefs_call *c = arg;
    if (fakefs_rtp_begins(fakefs_line_rtp(c->line)))
        fakefs_meter_end(&c->meter);
    fakefs_meter_add(&c->meter, at_us);
    call_hear(c, at_us, pcm, n);
}

static enum va_err open_line(struct fakefs_call *c, const char *to, const char *codecs,
                             const struct fakefs_line_handlers *h, struct va_fault *fault)
{
    const struct fakefs_caller *who = &c->cfg.session.caller; /* valid for a phone's call alone */
    const struct fakefs_channel *ch = c->session ? fakefs_session_channel(c->session) : NULL;
    const struct fakefs_line_cfg cfg = {
        .to = to,
        .from = ch ? ch->from : who->from,
        .name = ch ? ch->from_name : who->from_name,
        .codecs = codecs,
        .rate_hz = (int)call_rate_hz(c),
        .ptime_ms = c->cfg.ptime_ms ? (int)c->cfg.ptime_ms : PTIME_MS,
    };
    return fakefs_line_open(c->cfg.sip, &cfg, h, c, &c->line, fault);
}

/* ---- a phone --------------------------------------------------------------------------------- */

static void phone_on_up(void *arg, const char *what)
{
    struct fakefs_call *c = arg;
    if (c->opened)
        return;
    c->opened = true;
    c->h->on_open(c->arg);
    c->h->on_note(c->arg, FAKEFS_NOTE_LINE, what);
}

static void on_referred(void *arg)
{
    struct fakefs_call *c = arg;
    enum fakefs_human human = c->cfg.session.human;
    char text[FAKEFS_NAME_MAX + 64];
    int status = human == FAKEFS_HUMAN_ANSWERS ? 200 : human == FAKEFS_HUMAN_BUSY ? 486 : 480;
    fakefs_line_referred(c->line, status);
    (void)snprintf(text, sizeof(text), "REFER to %s: %d", c->refer_to, status);
    c->h->on_note(c->arg, FAKEFS_NOTE_LINE, text);
    if (status == 200)
        c->h->on_note(c->arg, FAKEFS_NOTE_TRANSFER, c->refer_to);
}

static void phone_on_refer(void *arg, const char *number)
{
    struct fakefs_call *c = arg;
    (void)str_copy(c->refer_to, sizeof(c->refer_to), str_of(number));
    tmr_start(&c->refer, c->loop, c->cfg.session.human_rings_ms, on_referred, c);
}

static enum va_err why_not(int status)
{
    return status == 408 ? VA_ETIMEOUT : VA_EREFUSED;
}

static void phone_on_ended(void *arg, const struct fakefs_line_end *end)
{
    struct fakefs_call *c = arg;
    if (!c->opened)
        (void)snprintf(c->why_text, sizeof(c->why_text), "%d %s", end->status, end->text);
    else if (end->by_peer)
        c->h->on_note(c->arg, FAKEFS_NOTE_HANGUP,
                      end->status == 200 ? "NORMAL_CLEARING" : end->text);
    call_over(c, c->opened ? VA_OK : why_not(end->status));
}

static const struct fakefs_line_handlers phone_handlers = {phone_on_up, on_frame, phone_on_refer,
                                                           phone_on_ended};

enum va_err call_phone(struct fakefs_call *c, struct va_fault *fault)
{
    c->stats.opened_us = loop_now_us(c->loop);
    return open_line(c, c->cfg.sip_to, c->cfg.sip_codecs, &phone_handlers, fault);
}

/* ---- a bridge -------------------------------------------------------------------------------- */

/* FreeSWITCH's names for causes, by status, as far as a program of ours may give them. */
static const char *cause_of(const struct fakefs_line_end *end)
{
    switch (end->status) {
    case 403: return "CALL_REJECTED";
    case 408: return "RECOVERY_ON_TIMER_EXPIRE";
    case 486: return "USER_BUSY";
    case 488: return "INCOMPATIBLE_DESTINATION";
    case 503: return "NORMAL_TEMPORARY_FAILURE";
    default: return "NORMAL_UNSPECIFIED";
    }
}

static void bridge_on_up(void *arg, const char *what)
{
    struct fakefs_call *c = arg;
    c->h->on_note(c->arg, FAKEFS_NOTE_LINE, what);
    fakefs_session_dialled(c->session, NULL);
    call_rearm(c);
}

static void bridge_on_refer(void *arg, const char *number)
{
    struct fakefs_call *c = arg;
    (void)number;
    fakefs_line_referred(c->line, 480);
}

static void bridge_on_ended(void *arg, const struct fakefs_line_end *end)
{
    struct fakefs_call *c = arg;
    char text[128];
    bool was_up = fakefs_session_state(c->session) == FAKEFS_BRIDGED;
    (void)snprintf(text, sizeof(text), "ended: %d %s", end->status, end->text);
    c->h->on_note(c->arg, FAKEFS_NOTE_LINE, text);
    call_drop_line(c);
    if (was_up)
        fakefs_session_peer_left(c->session);
    else
        fakefs_session_dialled(c->session, cause_of(end));
    call_rearm(c);
}

static const struct fakefs_line_handlers bridge_handlers = {bridge_on_up, on_frame, bridge_on_refer,
                                                            bridge_on_ended};

/* "PCMU:G722:L16@8000h", behind absolute_codec_string=^^: , as RTP_CODECS has it. */
static void read_codecs(struct str vars, struct buf *out)
{
    static const char name[] = "absolute_codec_string=^^:";
    const char *at = memmem(vars.p, vars.len, name, sizeof(name) - 1);
    if (!at) {
        buf_addz(out, "PCMU,PCMA");
        return;
    }
    struct str rest =
        str_make(at + sizeof(name) - 1, vars.len - (size_t)(at - vars.p) - (sizeof(name) - 1));
    rest = str_cut(&rest, ',');
    while (rest.len) {
        struct str rate = str_cut(&rest, ':'), codec = str_cut(&rate, '@');
        buf_adds(out, codec);
        if (str_eqz(rate, "8000h") && str_ieqz(codec, "L16"))
            buf_addz(out, "/8000");
        buf_addc(out, ',');
    }
}

/* Ours are sofia/PROFILE/TOKEN@HOST:PORT; whatever else is dialled reaches the human. */
static bool is_token(struct str user)
{
    for (size_t i = 0; i < user.len; i++)
        if (!((user.p[i] >= '0' && user.p[i] <= '9') || (user.p[i] >= 'a' && user.p[i] <= 'f')))
            return false;
    return user.len == TOKEN_LEN;
}

static bool read_dial(const char *dial, struct buf *uri, struct buf *codecs)
{
    struct str rest = str_of(dial), vars = str_of("");
    if (str_starts(rest, "{"))
        vars = str_cut(&rest, '}');
    struct str kind = str_cut(&rest, '/'), profile = str_cut(&rest, '/'), host = rest;
    struct str user = str_cut(&host, '@');
    if (!str_eqz(kind, "sofia") || !profile.len || !host.len || !is_token(user))
        return false;
    read_codecs(vars, codecs);
    buf_addz(uri, "sip:");
    buf_adds(uri, rest);
    buf_addc(uri, 0);
    buf_addc(codecs, 0);
    return !buf_failed(uri) && !buf_failed(codecs);
}

bool call_dial(struct fakefs_call *c, const char *dial_string)
{
    struct buf uri, codecs;
    struct va_fault fault;
    buf_init(&uri, 600);
    buf_init(&codecs, 200);
    bool ours = c->cfg.sip && !c->line && read_dial(dial_string, &uri, &codecs);
    bool placed = ours && open_line(c, uri.p, codecs.p, &bridge_handlers, &fault) == VA_OK;
    if (ours && !placed)
        c->h->on_note(c->arg, FAKEFS_NOTE_LINE, fault.text);
    buf_free(&uri);
    buf_free(&codecs);
    return placed;
}
