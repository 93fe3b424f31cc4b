/**
 * tests/unit/call_rig.h: one call between a scripted FreeSWITCH and a scripted provider, with a
 * real store and a real disk thread, in a time that only pass() moves.
 *
 *     test ─ pass(ms) ─► clock ─► timers, media clock, one caller's frame per 20 ms
 *     fs   ◄─TCP, UDP─► struct call ◄─► fake provider (writes down what it is told)
 */
#ifndef VA_CALL_RIG_H
#define VA_CALL_RIG_H

#include "call/call_int.h"
#include "media/wav.h"
#include "net/loop_int.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "store/db.h"
#include "store/secretary_admin.h"

#include "unit/unit.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CALL_UUID "11111111-2222-3333-4444-555555555555"
#define FS_REPLY  "Content-Type: command/reply\nReply-Text: +OK\n\n"
#define FS_LINGER                                                                                  \
    "Content-Type: text/disconnect-notice\nContent-Disposition: linger\nLinger-Time: 2\n"          \
    "Content-Length: 0\n\n"
#define FS_BYE                                                                                     \
    "Content-Type: text/disconnect-notice\nContent-Disposition: disconnect\nContent-Length: 5\n\n" \
    "Bye.\n"

enum {
    RIG_STEP_MS = 5,
    RIG_FRAME_MAX = 1920,
    RIG_LEVEL = 1000, /* sample value of an answer's audio is this plus its id */
    RIG_IDS_MAX = 64
};

/* FreeSWITCH's side. Fields above the line are the test's script. */
struct fs {
    const char *answer_state; /* "answered" */
    const char *rate;         /* Channel-Read-Codec-Rate in the connect data; NULL: none */
    const char *answer_rate;  /* the same in the end of `answer`; NULL: as `rate` */
    const char *domain;
    const char *called;
    const char *variables; /* more lines of the channel's data */
    const char *mode;      /* what the dialplan's `socket` says; NULL: async full */
    size_t frame_bytes;
    bool mute;          /* sends no audio */
    bool hold_unicast;  /* does not answer that command */
    bool hold_execute;  /* no CHANNEL_EXECUTE_COMPLETE by itself */
    bool voice;         /* the caller speaks */
    const char *refuse; /* command that is answered -ERR */
    /* ---- */
    struct tcp_conn *control;
    bool ended;
    struct buf in;
    struct buf log;                                /* commands in short, each ends with ';' */
    char event_uuid[64], job[64], called_uuid[64]; /* of the last originate */
    struct udp_sock *udp;
    struct net_addr addr, call_addr;
    unsigned sent, noise;
    unsigned frames, loud;        /* from the call; loud: not silence */
    unsigned played[RIG_IDS_MAX]; /* frames that begin inside the audio of an answer */
    uint64_t last_loud_us, hangup_us, transfer_us;
};

struct call_rig {
    char dir[64], file[96];
    struct settings settings;
    struct secretary *wanted; /* put into the store by rig_begin() */
    struct store *store;
    struct loop_thread *disk;
    struct va_clock_manual clock;
    struct loop *loop;
    struct call_env env;
    struct call_worker worker;
    unsigned gone;
    uint64_t since_frame_ms;
    struct fs fs;

    /* the provider */
    bool unready, refuse_open, detects_turns, holds;
    unsigned open, fed, fed_loud; /* frames; those that are no silence */
    const struct provider_handlers *h;
    void *arg;
    struct buf log; /* what it was told, each ends with ';' */
    int rate_hz;
};

static struct call_rig *the_rig; /* of the provider's functions */

static inline void rig_log(struct buf *log, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static inline void rig_log(struct buf *log, const char *fmt, ...)
{
    va_list ap;
    char line[1000];
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    assert_int_equal(buf_addf(log, "%s;", line), VA_OK);
}

/* ---- the provider ------------------------------------------------------------------------------
 */

struct provider {
    struct tmr later;
};

static inline void fake_ready(void *arg)
{
    (void)arg;
    the_rig->h->on_ready(the_rig->arg);
}

static inline enum va_err fake_open(const struct provider_cfg *cfg,
                                    const struct provider_handlers *handlers, void *arg,
                                    struct provider **ret_provider)
{
    struct call_rig *g = the_rig;
    if (g->refuse_open)
        return VA_EREFUSED;
    g->h = handlers;
    g->arg = arg;
    g->rate_hz = cfg->rate_hz;
    g->open++;
    rig_log(&g->log, "open %s %d", cfg->secretary->name, cfg->rate_hz);
    *ret_provider = calloc(1, sizeof(**ret_provider));
    if (!g->unready)
        tmr_start(&(*ret_provider)->later, cfg->loop, 0, fake_ready, g);
    return VA_OK;
}

static inline void fake_audio_in(struct provider *p, const int16_t *samples, size_t count)
{
    bool loud = false;
    (void)p;
    for (size_t i = 0; i < count; i++)
        loud = loud || samples[i];
    the_rig->fed++;
    the_rig->fed_loud += loud;
}

static inline void fake_turn(struct provider *p, enum turn_phase phase, unsigned back_ms)
{
    static const char *const names[] = {"started", "confirmed", "ended", "false"};
    (void)p, (void)back_ms;
    rig_log(&the_rig->log, "turn %s", names[phase]);
}

static inline void fake_digit(struct provider *p, char digit)
{
    (void)p;
    rig_log(&the_rig->log, "digit %c", digit);
}

static inline void fake_say(struct provider *p, enum say_intent intent)
{
    static const char *const names[] = {"greeting", "still there", "farewell", "time up",
                                        "hold on",  "answer",      "repeat"};
    (void)p;
    rig_log(&the_rig->log, "say %s", names[intent]);
}

static inline void fake_tool_result(struct provider *p, uint32_t tool_id, enum va_err result)
{
    (void)p;
    rig_log(&the_rig->log, "result %u %s", tool_id, va_err_name(result));
}

static inline void fake_interrupt(struct provider *p, uint32_t answer, uint32_t heard_ms)
{
    (void)p;
    rig_log(&the_rig->log, "interrupt %u %u", answer, heard_ms);
}

static inline void fake_close(struct provider **p)
{
    tmr_stop(&(*p)->later);
    free(*p);
    *p = NULL;
    the_rig->open--;
    rig_log(&the_rig->log, "close");
}

static inline const struct provider_caps *fake_caps(const struct provider *p)
{
    static const struct provider_caps caps[] = {{0},
                                                {.detects_turns = true},
                                                {.holds_answers = true},
                                                {.detects_turns = true, .holds_answers = true}};
    (void)p;
    return &caps[the_rig->detects_turns + 2 * the_rig->holds];
}

static const struct provider_ops fake_provider = {.name = "fake",
                                                  .caps = fake_caps,
                                                  .open = fake_open,
                                                  .audio_in = fake_audio_in,
                                                  .turn = fake_turn,
                                                  .digit = fake_digit,
                                                  .say = fake_say,
                                                  .tool_result = fake_tool_result,
                                                  .interrupt = fake_interrupt,
                                                  .close = fake_close};

static inline const struct provider_ops *fake_find(const char *name)
{
    (void)name;
    return &fake_provider;
}

/* `ms` of audio whose sample value tells the answer. */
static inline void answer_audio(struct call_rig *g, uint32_t id, unsigned ms)
{
    struct pcm *pcm = NULL;
    size_t count = (size_t)g->rate_hz / 1000 * ms;
    int16_t *samples = malloc(count * sizeof(*samples) + 1);
    for (size_t i = 0; i < count; i++)
        samples[i] = (int16_t)(RIG_LEVEL + id);
    assert_int_equal(pcm_adopt(g->rate_hz, samples, count, &pcm), VA_OK);
    g->h->on_audio(g->arg, id, pcm);
    pcm_unref(&pcm);
}

/* Begin an answer and give its text, but not its end. */
static inline void answer_begin(struct call_rig *g, uint32_t id, unsigned flags, const char *text,
                                unsigned ms)
{
    g->h->on_answer(g->arg, id, flags);
    if (text)
        g->h->on_transcript(g->arg, SPEAKER_AGENT, id, text);
    answer_audio(g, id, ms);
}

static inline void answer(struct call_rig *g, uint32_t id, unsigned flags, const char *text,
                          unsigned ms)
{
    answer_begin(g, id, flags, text, ms);
    g->h->on_answer_done(g->arg, id);
}

static inline void tool(struct call_rig *g, uint32_t id, enum tool_kind kind, const char *who)
{
    g->h->on_tool(g->arg, &(struct tool_call){.id = id, .kind = kind, .destination = who});
}

/* ---- FreeSWITCH --------------------------------------------------------------------------------
 */

static inline void fs_says(struct call_rig *g, const char *text)
{
    if (tcp_write(g->fs.control, text, strlen(text)))
        g->fs.ended = true;
}

static inline void fs_event(struct call_rig *g, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static inline void fs_event(struct call_rig *g, const char *fmt, ...)
{
    va_list ap;
    char body[800], text[1000];
    va_start(ap, fmt);
    int n = vsnprintf(body, sizeof(body), fmt, ap);
    va_end(ap);
    bool whole = strstr(body, "\n\n") != NULL; /* it has a body of its own */
    (void)snprintf(text, sizeof(text),
                   "Content-Length: %zu\nContent-Type: text/event-plain\n\nEvent-Name: %s%s",
                   (size_t)n + strlen("Event-Name: ") + (whole ? 0 : 2), body, whole ? "" : "\n\n");
    fs_says(g, text);
}

static inline void fs_channel_event(struct call_rig *g, const char *name, const char *more)
{
    fs_event(g, "%s\nUnique-ID: " CALL_UUID "%s", name, more);
}

static inline void fs_hangup(struct call_rig *g, const char *cause)
{
    char more[80];
    (void)snprintf(more, sizeof(more), "\nHangup-Cause: %s", cause);
    fs_channel_event(g, "CHANNEL_HANGUP", more);
}

static inline void fs_digit(struct call_rig *g, const char *encoded)
{
    char more[80];
    (void)snprintf(more, sizeof(more), "\nDTMF-Digit: %s", encoded);
    fs_channel_event(g, "DTMF", more);
}

/* The end of the application that was executed last. */
static inline void fs_completes(struct call_rig *g)
{
    char more[160];
    const char *rate = g->fs.answer_rate ? g->fs.answer_rate : g->fs.rate;
    (void)snprintf(more, sizeof(more), "\nApplication-UUID: %s\nApplication-Response: _none_%s%s",
                   g->fs.event_uuid, rate ? "\nChannel-Read-Codec-Rate: " : "", rate ? rate : "");
    fs_channel_event(g, "CHANNEL_EXECUTE_COMPLETE", more);
}

static inline void fs_on_udp(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    struct call_rig *g = arg;
    const int16_t *samples = p;
    (void)from;
    assert_int_equal(len, g->fs.frame_bytes);
    g->fs.frames++;
    bool loud = false;
    for (size_t i = 0; i < len / 2; i++)
        loud = loud || samples[i];
    if (!loud)
        return;
    g->fs.loud++;
    g->fs.last_loud_us = g->clock.mono;
    int id = samples[0] - RIG_LEVEL;
    if (id > 0 && id < RIG_IDS_MAX)
        g->fs.played[id]++;
}

static inline void header_of(const char *command, const char *name, char *out, size_t cap)
{
    const char *at = strstr(command, name);
    *out = 0;
    if (at)
        (void)str_copy(out, cap, str_make(at + strlen(name), strcspn(at + strlen(name), "\n")));
}

static inline void fs_addr(const char *command, const char *side, struct net_addr *ret)
{
    char name[24], ip[64], port[16];
    (void)snprintf(name, sizeof(name), "%s-ip: ", side);
    header_of(command, name, ip, sizeof(ip));
    (void)snprintf(name, sizeof(name), "%s-port: ", side);
    header_of(command, name, port, sizeof(port));
    assert_int_equal(net_addr_parse(ip, (uint16_t)strtoul(port, NULL, 10), ret), VA_OK);
}

static inline void fs_on_unicast(struct call_rig *g, const char *command)
{
    rig_log(&g->fs.log, "unicast");
    if (g->fs.hold_unicast)
        return;
    fs_says(g, FS_REPLY);
    assert_null(g->fs.udp); /* never a second one: it can crash the switch */
    fs_addr(command, "local", &g->fs.addr);
    fs_addr(command, "remote", &g->fs.call_addr);
    assert_int_equal(udp_open(g->loop, &g->fs.addr, fs_on_udp, g, &g->fs.udp), VA_OK);
}

static inline void fs_on_sendmsg(struct call_rig *g, const char *command)
{
    char app[40], arg[200];
    if (strstr(command, "call-command: unicast")) {
        fs_on_unicast(g, command);
        return;
    }
    fs_says(g, FS_REPLY);
    header_of(command, "execute-app-name: ", app, sizeof(app));
    header_of(command, "execute-app-arg: ", arg, sizeof(arg));
    if (!*app) {
        header_of(command, "hangup-cause: ", arg, sizeof(arg));
        g->fs.hangup_us = g->clock.mono;
        rig_log(&g->fs.log, "hangup %s", arg);
        return;
    }
    if (strcmp(app, "transfer") == 0)
        g->fs.transfer_us = g->clock.mono;
    header_of(command, "Event-UUID: ", g->fs.event_uuid, sizeof(g->fs.event_uuid));
    rig_log(&g->fs.log, "%s%s%s", app, *arg ? " " : "", arg);
    if (!g->fs.hold_execute)
        fs_completes(g);
}

static inline void fs_connect(struct call_rig *g)
{
    char text[1200], domain[80] = "", rate[60] = "";
    if (g->fs.domain)
        (void)snprintf(domain, sizeof(domain), "variable_domain_name: %s\n", g->fs.domain);
    if (g->fs.rate)
        (void)snprintf(rate, sizeof(rate), "Channel-Read-Codec-Rate: %s\n", g->fs.rate);
    (void)snprintf(text, sizeof(text),
                   "Event-Name: CHANNEL_DATA\nUnique-ID: " CALL_UUID "\nAnswer-State: %s\n%s%s"
                   "Caller-Caller-ID-Number: 5511987654321\nCaller-Caller-ID-Name: Ana%%20P\n"
                   "Caller-Destination-Number: %s\n%sContent-Type: command/reply\n"
                   "Reply-Text: %%2BOK%%0A\n%s\n\n",
                   g->fs.answer_state, rate, domain, g->fs.called,
                   g->fs.variables ? g->fs.variables : "",
                   g->fs.mode ? g->fs.mode : "Socket-Mode: async\nControl: full");
    fs_says(g, text);
}

static inline void fs_on_bgapi(struct call_rig *g, const char *command)
{
    char text[200];
    header_of(command, "Job-UUID: ", g->fs.job, sizeof(g->fs.job));
    header_of(command, "origination_uuid=", text, sizeof(text));
    struct str rest = str_of(text);
    (void)str_copy(g->fs.called_uuid, sizeof(g->fs.called_uuid), str_cut(&rest, ','));
    rig_log(&g->fs.log, "%.*s", (int)strcspn(command, "\n"), command);
    (void)snprintf(text, sizeof(text),
                   "Content-Type: command/reply\nReply-Text: +OK Job-UUID: %s\nJob-UUID: %s\n\n",
                   g->fs.job, g->fs.job);
    fs_says(g, text);
}

/* The end of the last bgapi. */
static inline void fs_job_ends(struct call_rig *g, const char *output)
{
    fs_event(g, "BACKGROUND_JOB\nJob-UUID: %s\nJob-Command: originate\nContent-Length: %zu\n\n%s",
             g->fs.job, strlen(output), output);
}

static inline void fs_on_command(struct call_rig *g, const char *command)
{
    if (strcmp(command, "connect") == 0) {
        fs_connect(g);
    } else if (strncmp(command, "bgapi ", 6) == 0) {
        fs_on_bgapi(g, command);
    } else if (strncmp(command, "sendmsg", 7) == 0) {
        fs_on_sendmsg(g, command);
    } else if (strncmp(command, "auth ", 5) == 0) {
        fs_says(g, "Content-Type: command/reply\nReply-Text: +OK accepted\n\n");
    } else if (g->fs.refuse && strncmp(command, g->fs.refuse, strlen(g->fs.refuse)) == 0) {
        fs_says(g, "Content-Type: command/reply\nReply-Text: -ERR refused\n\n");
    } else {
        rig_log(&g->fs.log, "%.*s", (int)strcspn(command, "\n"), command);
        if (strncmp(command, "api uuid_kill " CALL_UUID, strlen("api uuid_kill " CALL_UUID)) == 0)
            g->fs.hangup_us = g->clock.mono;
        fs_says(g, strncmp(command, "api ", 4) == 0
                       ? "Content-Type: api/response\nContent-Length: 4\n\n+OK\n"
                       : FS_REPLY);
    }
}

static inline void fs_on_read(void *arg, const char *p, size_t len)
{
    struct call_rig *g = arg;
    char command[2000], length[16];
    const char *end;
    assert_int_equal(buf_add(&g->fs.in, p, len), VA_OK);
    while (g->fs.in.len && (end = memmem(g->fs.in.p, g->fs.in.len, "\n\n", 2))) {
        size_t n = (size_t)(end - g->fs.in.p);
        (void)str_copy(command, sizeof(command), str_make(g->fs.in.p, n));
        header_of(command, "Content-Length: ", length, sizeof(length));
        size_t body = (size_t)strtoul(length, NULL, 10);
        if (g->fs.in.len < n + 2 + body)
            return;
        buf_consume(&g->fs.in, n + 2 + body);
        fs_on_command(g, command);
    }
}

static inline void fs_on_end(void *arg, enum va_err why)
{
    struct call_rig *g = arg;
    (void)why;
    g->fs.ended = true;
}

static inline void fs_on_open(void *arg)
{
    (void)arg;
}

static const struct tcp_handlers fs_handlers = {fs_on_open, fs_on_read, fs_on_end};

/* One frame of the caller: a voice with holes in it, or the hiss of a quiet line. */
static inline void fs_sends_frame(struct call_rig *g)
{
    struct fs *fs = &g->fs;
    int16_t frame[RIG_FRAME_MAX];
    if (!fs->udp || fs->mute)
        return;
    int level = fs->voice && fs->sent % 8 ? 8000 : 4;
    for (size_t i = 0; i < fs->frame_bytes / 2; i++) {
        fs->noise = fs->noise * 1103515245u + 12345u;
        frame[i] = (int16_t)((int)(fs->noise >> 16 & 0x7fff) * level / 0x7fff - level / 2);
    }
    fs->sent++;
    assert_int_equal(udp_send(fs->udp, &fs->call_addr, frame, fs->frame_bytes), VA_OK);
}

/* ---- time --------------------------------------------------------------------------------------
 */

/* What is under way arrives; no time passes. */
static inline void settle(struct call_rig *g)
{
    for (int i = 0; i < 4; i++)
        loop_turn(g->loop, false);
}

/* Every frame that was sent has arrived, whatever the machine is busy with. */
static inline void frames_arrive(struct call_rig *g)
{
    loop_turn(g->loop, false);
    while (!list_empty(&g->worker.calls)) {
        struct leg_stats st = {0};
        const struct call *c = call_of_link(g->worker.calls.head.next);
        if (!c->leg)
            break;
        call_leg_stats(c, &st);
        if (st.frames_in + st.bad_size >= g->fs.sent && g->fs.frames >= st.frames_out)
            break;
        loop_turn(g->loop, false);
    }
}

static inline void pass(struct call_rig *g, unsigned ms)
{
    for (unsigned at = 0; at < ms; at += RIG_STEP_MS) {
        va_clock_manual_advance(&g->clock, RIG_STEP_MS * 1000);
        g->since_frame_ms += RIG_STEP_MS;
        if (g->since_frame_ms >= 20) {
            g->since_frame_ms = 0;
            fs_sends_frame(g);
        }
        frames_arrive(g);
        loop_timers_turn(g->loop);
        media_clock_advance_to(g->worker.clock, g->clock.mono);
        frames_arrive(g);
        loop_turn(g->loop, false);
    }
}

/* Until a log holds `text`; other threads work, the clock stands still but for timers due now. */
static inline void until(struct call_rig *g, const struct buf *log, const char *text)
{
    while (!strstr(buf_z(log), text)) {
        loop_turn(g->loop, true);
        loop_timers_turn(g->loop);
    }
}

static inline void caller_speaks(struct call_rig *g, unsigned ms)
{
    g->fs.voice = true;
    pass(g, ms);
    g->fs.voice = false;
}

/* ---- life --------------------------------------------------------------------------------------
 */

static inline struct call *the_call(struct call_rig *g)
{
    assert_false(list_empty(&g->worker.calls));
    return call_of_link(g->worker.calls.head.next);
}

static inline void is_state(struct call_rig *g, enum call_state want)
{
    assert_string_equal(call_state_name(the_call(g)->state), call_state_name(want));
}

static inline void until_secretary(struct call_rig *g)
{
    while (!the_call(g)->secretary)
        loop_turn(g->loop, true);
}

static inline void on_rig_gone(void *arg, struct mail *mail)
{
    struct call_rig *g = arg;
    g->gone++;
    call_free_gone(mail);
}

static inline void add_destination(struct secretary *s, const char *name, const char *number,
                                   const char *context)
{
    struct destination *d = NULL;
    assert_int_equal(secretary_add_destination(s, &d), VA_OK);
    assert_int_equal(secretary_set(&d->name, name), VA_OK);
    assert_int_equal(secretary_set(&d->number, number), VA_OK);
    assert_int_equal(secretary_set(&d->context, context), VA_OK);
}

static inline void make_secretary(struct call_rig *g)
{
    assert_int_equal(secretary_new(&g->wanted), VA_OK);
    struct secretary *s = g->wanted;
    rand_uuid(s->id);
    assert_int_equal(secretary_set(&s->tenant, "default"), VA_OK);
    assert_int_equal(secretary_set(&s->name, "tester"), VA_OK);
    assert_int_equal(secretary_set(&s->extension, "700"), VA_OK);
    assert_int_equal(secretary_set(&s->language, "pt-BR"), VA_OK);
    assert_int_equal(secretary_set(&s->company, "Firma"), VA_OK);
    assert_int_equal(secretary_set(&s->greeting, "Olá"), VA_OK);
    assert_int_equal(secretary_set(&s->farewell, "Tchau"), VA_OK);
    add_destination(s, "vendas", "201", "");
    add_destination(s, "suporte", "202", "other");
    s->record = 0;
}

static inline void make_settings(struct call_rig *g)
{
    g->settings = (struct settings){.audio_mode = "esl",
                                    .ai_provider = "fake",
                                    .rtp_port_min = 21000,
                                    .rtp_port_max = 22999,
                                    .rtp_bind_address = "127.0.0.1",
                                    .rtp_advertise_address = "127.0.0.1",
                                    .unicast_port_min = 25000,
                                    .unicast_port_max = 28999,
                                    .transfer_return = "never", /* but in call_transfer_test */
                                    .transfer_ring_timeout_s = 30,
                                    .media_start_timeout_ms = 1500,
                                    .media_lost_timeout_ms = 5000,
                                    .barge_in_confirm_ms = 600};
    (void)str_copy(g->settings.data_dir, SETTING_TEXT_MAX, str_of(g->dir));
}

static inline void make_folders(struct call_rig *g)
{
    char path[96];
    (void)snprintf(g->dir, sizeof(g->dir), "/tmp/va-call-XXXXXX");
    assert_non_null(mkdtemp(g->dir));
    (void)snprintf(g->file, sizeof(g->file), "%s/" DB_FILE, g->dir);
    (void)snprintf(path, sizeof(path), "%s/recordings", g->dir);
    assert_int_equal(mkdir(path, 0750), 0);
    (void)snprintf(path, sizeof(path), "%s/messages", g->dir);
    assert_int_equal(mkdir(path, 0750), 0);
}

static inline int rig_set_up(void **state)
{
    struct call_rig *g = calloc(1, sizeof(*g));
    the_rig = g;
    buf_init(&g->log, 1 << 20);
    buf_init(&g->fs.log, 1 << 20);
    buf_init(&g->fs.in, 1 << 20);
    g->fs.answer_state = "answered";
    g->fs.rate = "8000";
    g->fs.called = "700";
    g->fs.frame_bytes = 320;
    g->fs.noise = 1;
    make_folders(g);
    make_settings(g);
    make_secretary(g);
    va_clock_manual_init(&g->clock, 1000000000, 1700000000000000);
    assert_int_equal(loop_new(&g->clock.base, 0, &g->loop), VA_OK);
    assert_int_equal(loop_thread_start("disk", NULL, &g->disk), VA_OK);
    g->env = (struct call_env){.settings = &g->settings,
                               .disk = loop_thread_loop(g->disk),
                               .speaker = &fake_provider,
                               .find_leg = leg_find};
    g->env.provider.find = fake_find;
    g->worker = (struct call_worker){
        .env = &g->env, .loop = g->loop, .on_call_gone = on_rig_gone, .arg = g};
    list_init(&g->worker.calls);
    assert_int_equal(media_clock_new(g->loop, &g->worker.clock), VA_OK);
    media_clock_set_catchup(g->worker.clock, 20);
    (void)alarm(120);
    (void)signal(SIGPIPE, SIG_IGN); /* as main() does */
    *state = g;
    return 0;
}

static inline int rig_on_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline void rig_quiet_end(struct call_rig *g)
{
    list_each(&g->worker.calls, it, next) call_abort(call_of_link(it));
    while (!list_empty(&g->worker.calls)) {
        loop_turn(g->loop, false);
        loop_timers_turn(g->loop);
    }
    while (g->worker.jobs)
        loop_turn(g->loop, true);
}

static inline int rig_tear_down(void **state)
{
    struct call_rig *g = *state;
    rig_quiet_end(g);
    store_close(&g->store);
    loop_thread_stop(&g->disk);
    tcp_close(&g->fs.control);
    udp_close(&g->fs.udp);
    media_clock_free(&g->worker.clock);
    loop_free(&g->loop);
    secretary_unref((const struct secretary **)&g->wanted);
    buf_free(&g->log);
    buf_free(&g->fs.log);
    buf_free(&g->fs.in);
    (void)nftw(g->dir, rig_on_entry, 8, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(g->open, 0); /* every provider was closed */
    free(g);
    return 0;
}

static inline void open_store(struct call_rig *g)
{
    struct va_fault fault = {VA_OK, ""};
    struct store_admin *admin = NULL;
    const struct secretary *const all[] = {g->wanted};
    if (store_admin_open(g->dir, &admin, &fault) || store_admin_put(admin, all, 1, NULL, &fault))
        fail_msg("%s", fault.text);
    store_admin_close(&admin);
    if (store_open_sqlite(g->dir, &g->store, &fault))
        fail_msg("%s", fault.text);
    g->env.store = g->store;
}

/* FreeSWITCH opens the control socket; another one when there was one before. */
static inline void fs_dials(struct call_rig *g)
{
    int fd[2];
    struct net_addr peer;
    assert_int_equal(net_addr_parse("127.0.0.1", 40000, &peer), VA_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    tcp_close(&g->fs.control);
    udp_close(&g->fs.udp);
    buf_reset(&g->fs.in);
    buf_reset(&g->fs.log);
    buf_reset(&g->log);
    g->fs.ended = false;
    g->fs.sent = g->fs.frames = 0;
    assert_int_equal(tcp_adopt(g->loop, fd[0], 1 << 20, &fs_handlers, g, &g->fs.control), VA_OK);
    assert_int_equal(call_open(&g->worker, fd[1], &peer), VA_OK);
}

static inline void rig_begin(struct call_rig *g)
{
    open_store(g);
    fs_dials(g);
}

/* It ends without a word of the clock: what it waits for comes by a socket or a timer due now. */
static inline void until_call_gone(struct call_rig *g)
{
    while (!g->gone) {
        loop_turn(g->loop, false);
        loop_timers_turn(g->loop);
    }
}

/* Everything of the call is over and written. */
static inline void until_gone(struct call_rig *g)
{
    until_call_gone(g);
    while (g->worker.jobs)
        loop_turn(g->loop, true);
    settle(g);
    store_close(&g->store);
    assert_int_equal(g->open, 0);
}

/* Columns of all rows, "a|b\n…", on a connection of its own. */
static inline const char *query(struct call_rig *g, const char *sql)
{
    static char text[2000];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    size_t n = 0;
    assert_int_equal(sqlite3_open(g->file, &db), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 5000);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL))
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    text[0] = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? "|" : "",
                                  (const char *)sqlite3_column_text(stmt, i));
        n += (size_t)snprintf(text + n, sizeof(text) - n, "\n");
    }
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return text;
}

/* The call is over: how, with which cause, to whom. "outcome|cause|destination\n" */
static inline void outcome_is(struct call_rig *g, const char *want)
{
    until_gone(g);
    assert_string_equal(query(g, "SELECT outcome, hangup_cause, destination FROM calls"), want);
}

/* speaker|text of each line. */
static inline void lines_are(struct call_rig *g, const char *want)
{
    assert_string_equal(query(g, "SELECT speaker, text FROM transcript_lines ORDER BY seq"), want);
}

/* ---- to a state -------------------------------------------------------------------------------
 */

static inline void reach_greeting(struct call_rig *g)
{
    rig_begin(g);
    until(g, &g->log, "open ");
    until(g, &g->fs.log, "unicast;");
    pass(g, 40);
    assert_non_null(strstr(buf_z(&g->log), "say greeting;"));
    is_state(g, CALL_GREETING);
}

/* The greeting is answer 1, 200 ms. */
static inline void reach_listening(struct call_rig *g)
{
    reach_greeting(g);
    answer(g, 1, 0, "Olá, bom dia", 200);
    pass(g, 240);
    is_state(g, CALL_LISTENING);
}

static inline void reach_thinking(struct call_rig *g)
{
    reach_listening(g);
    caller_speaks(g, 600);
    pass(g, 1000);
    is_state(g, CALL_THINKING);
}

/* Answer 2, a second long, has been heard for 200 ms or a little more. */
static inline void reach_speaking(struct call_rig *g)
{
    reach_thinking(g);
    answer(g, 2, 0, "Um momento por favor, vou ver isso agora", 1000);
    pass(g, 220);
    is_state(g, CALL_SPEAKING);
}

/* A sound into answer 2. */
static inline void reach_held(struct call_rig *g)
{
    g->holds = true;
    reach_speaking(g);
    caller_speaks(g, 200);
    is_state(g, CALL_HELD);
}

/* The beep is over. */
static inline void reach_message(struct call_rig *g)
{
    reach_thinking(g);
    tool(g, 1, TOOL_TAKE_MESSAGE, "");
    pass(g, 260);
    is_state(g, CALL_MESSAGE);
}

/* FreeSWITCH was told to, and has not done it. */
static inline void reach_transferring(struct call_rig *g)
{
    g->fs.hold_execute = true;
    reach_thinking(g);
    tool(g, 1, TOOL_TRANSFER, "vendas");
    pass(g, 200);
    is_state(g, CALL_TRANSFERRING);
}

/* Somebody is called for the caller, who hears it ring. */
static inline void reach_ringing(struct call_rig *g)
{
    if (strcmp(g->settings.transfer_return, "never") == 0)
        (void)str_copy(g->settings.transfer_return, SETTING_TEXT_MAX, str_of("failed"));
    reach_thinking(g);
    tool(g, 1, TOOL_TRANSFER, "vendas");
    pass(g, 200);
    is_state(g, CALL_RINGING);
}

/* He answered and talks with the caller, who comes back. */
static inline void reach_with_human(struct call_rig *g)
{
    (void)str_copy(g->settings.transfer_return, SETTING_TEXT_MAX, str_of("always"));
    reach_ringing(g);
    fs_job_ends(g, "+OK aaaaaaaa-2222-3333-4444-555555555555\n");
    until(g, &g->fs.log, "api uuid_bridge ");
    fs_channel_event(g, "CHANNEL_UNPARK", "");
    fs_channel_event(g, "CHANNEL_BRIDGE", "");
    pass(g, 40);
    is_state(g, CALL_WITH_HUMAN);
}

static inline void reach_returning(struct call_rig *g)
{
    reach_speaking(g);
    call_drain(the_call(g));
    answer(g, 3, ANSWER_PROTECTED, "Um instante", 200);
    pass(g, 60);
    is_state(g, CALL_RETURNING);
}

static inline void reach_ending(struct call_rig *g)
{
    reach_thinking(g);
    tool(g, 1, TOOL_END_CALL, "");
    is_state(g, CALL_ENDING);
}

static inline void reach_connecting(struct call_rig *g)
{
    g->unready = true;
    rig_begin(g);
    until(g, &g->log, "open ");
    until(g, &g->fs.log, "unicast;");
    pass(g, 40);
    is_state(g, CALL_CONNECTING);
}

static inline void reach(struct call_rig *g, enum call_state state)
{
    static void (*const ways[])(struct call_rig *) = {
        [CALL_CONNECTING] = reach_connecting, [CALL_GREETING] = reach_greeting,
        [CALL_LISTENING] = reach_listening,   [CALL_THINKING] = reach_thinking,
        [CALL_SPEAKING] = reach_speaking,     [CALL_HELD] = reach_held,
        [CALL_MESSAGE] = reach_message,       [CALL_TRANSFERRING] = reach_transferring,
        [CALL_RINGING] = reach_ringing,       [CALL_WITH_HUMAN] = reach_with_human,
        [CALL_RETURNING] = reach_returning,   [CALL_ENDING] = reach_ending};
    ways[state](g);
}

static inline void rig_main(int argc, char **argv)
{
    log_set_level(argc > 1 ? LOG_DEBUG : LOG_ERROR + 1);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_set_up, rig_tear_down)

#endif
