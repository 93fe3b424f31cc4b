/*
 *     offer ─► answer ─► one tick per 20 ms: our frame out, theirs in, the script's next step
 */
#include "app/call_sip.h"
#include "fakefs/meter.h"
#include "leg/rtp_stream.h"
#include "leg/sip_ua.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PTIME_MS = 20, TURNS_MAX = 100, BYE_MS = 2000 };

struct sip_phone {
    const struct call_sip_cfg *cfg;
    struct loop *loop;
    struct settings settings; /* of a phone: no fixed ports of ours */
    struct sip_ua *ua;
    struct sip_call *call;
    struct rtp_stream *stream;
    struct media_tick tick;
    struct net_addr local;
    struct tmr limit;
    enum { DIALLING, TALKING, LEAVING, OVER } state;
    bool failed, by_peer;
    int status; /* that refused the call; 0: none */

    size_t at; /* step */
    uint64_t step_us, begun_us;
    const struct pcm *saying;
    size_t said;

    struct fakefs_gate gate;
    uint64_t first_us, stopped_us, spoke_us; /* agent's first word, last stop; our last word */
    double turn_ms[TURNS_MAX];
    size_t turns;
    bool waits_answer;
    uint64_t frames_out, frames_in;
};

static uint64_t now_us(const struct sip_phone *p)
{
    return loop_now_us(p->loop);
}

static void set_state(struct sip_phone *p, int state)
{
    p->state = state;
}

static void on_limit(void *arg)
{
    struct sip_phone *p = arg;
    if (p->state != LEAVING) {
        p->failed = true;
        report_line(p->cfg->report, now_us(p), "timeout", "no end in time");
    }
    set_state(p, OVER);
}

static void leave(struct sip_phone *p)
{
    if (p->state >= LEAVING)
        return;
    report_line(p->cfg->report, now_us(p), "hangup", "the phone hangs up");
    set_state(p, LEAVING);
    sip_call_bye(p->call);
    tmr_start(&p->limit, p->loop, BYE_MS, on_limit, p);
}

static void fail_step(struct sip_phone *p, const struct step *st)
{
    char text[300];
    (void)script_step_text(st, text, sizeof(text));
    p->failed = true;
    report_line(p->cfg->report, now_us(p), "failed", "FAILED: line %u: %s", st->line, text);
    leave(p);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/** Is the step of a kind that a phone can do? */
static bool can_do(enum step_kind kind)
{
    switch (kind) {
    case STEP_WAIT_GREETING:
    case STEP_WAIT_SPEECH:
    case STEP_WAIT_ANSWER:
    case STEP_WAIT_SILENCE:
    case STEP_SAY:
    case STEP_WAV:
    case STEP_DTMF:
    case STEP_SLEEP:
    case STEP_EXPECT_SPEECH:
    case STEP_EXPECT_SILENCE:
    case STEP_EXPECT_HANGUP:
    case STEP_HANGUP: return true;
    default: return false;
    }
}

static bool is_done(const struct sip_phone *p, const struct step *st, uint64_t since_ms)
{
    switch (st->kind) {
    case STEP_WAIT_GREETING: return p->first_us && !p->gate.speaking;
    case STEP_WAIT_ANSWER: return p->stopped_us > p->spoke_us && !p->gate.speaking;
    case STEP_WAIT_SPEECH:
    case STEP_EXPECT_SPEECH: return p->gate.speaking;
    case STEP_WAIT_SILENCE:
    case STEP_EXPECT_SILENCE: return !p->gate.speaking;
    case STEP_SLEEP: return since_ms >= st->ms;
    case STEP_SAY:
    case STEP_WAV: return !p->saying;
    default: return true;
    }
}

static void begin_step(struct sip_phone *p, const struct step *st)
{
    p->step_us = now_us(p);
    if (st->kind == STEP_SAY || st->kind == STEP_WAV) {
        report_line(p->cfg->report, p->step_us, "caller-speaks", "caller: \"%s\"", st->text);
        p->saying = st->pcm;
        p->said = 0;
    } else if (st->kind == STEP_DTMF) {
        report_line(p->cfg->report, p->step_us, "dtmf", "keys %s", st->text);
        for (const char *d = st->text; *d; d++)
            if (rtp_stream_send_digit(p->stream, *d, 0))
                fail_step(p, st);
        p->spoke_us = p->step_us;
        p->waits_answer = true;
    } else if (st->kind == STEP_HANGUP) {
        leave(p);
    }
}

static void next_step(struct sip_phone *p)
{
    if (++p->at < p->cfg->script->count)
        begin_step(p, &p->cfg->script->step[p->at]);
    else
        leave(p);
}

static void look(struct sip_phone *p)
{
    const struct step *st = &p->cfg->script->step[p->at];
    uint64_t since_ms = (now_us(p) - p->step_us) / 1000;
    if (st->kind != STEP_EXPECT_HANGUP && is_done(p, st, since_ms))
        next_step(p);
    else if (st->kind == STEP_SLEEP || st->kind == STEP_SAY || st->kind == STEP_WAV)
        return;
    else if (since_ms >= st->ms && st->optional)
        next_step(p);
    else if (since_ms >= st->ms)
        fail_step(p, st);
}

/* ---- audio ----------------------------------------------------------------------------------- */

static void take_clip(struct sip_phone *p, int16_t *frame, size_t count)
{
    memset(frame, 0, count * sizeof(*frame));
    if (!p->saying)
        return;
    size_t left = pcm_count(p->saying) - p->said, n = left < count ? left : count;
    memcpy(frame, pcm_samples(p->saying) + p->said, n * sizeof(*frame));
    p->said += n;
    if (p->said < pcm_count(p->saying))
        return;
    p->saying = NULL;
    p->spoke_us = now_us(p);
    p->waits_answer = true;
    report_line(p->cfg->report, p->spoke_us, "caller-stops", "caller stops");
}

static void hear(struct sip_phone *p, const int16_t *frame, size_t count)
{
    enum fakefs_gate_event event = fakefs_gate_feed(&p->gate, frame, count, now_us(p));
    struct report *r = p->cfg->report;
    if (event == GATE_OFFSET) {
        p->stopped_us = p->gate.last_us;
        report_line(r, p->stopped_us, "agent-stops", "agent stops");
    }
    if (event != GATE_ONSET)
        return;
    uint64_t at = p->gate.onset_us;
    if (!p->first_us) {
        p->first_us = at;
        report_line(r, at, "agent-speaks",
                    "agent speaks (first audio %" PRIu64 " ms after the call)",
                    (at - p->begun_us) / 1000);
    } else if (p->waits_answer && p->turns < TURNS_MAX) {
        p->turn_ms[p->turns++] = (double)(at - p->spoke_us) / 1000;
        report_line(r, at, "agent-speaks", "agent speaks (turn latency %.0f ms)",
                    p->turn_ms[p->turns - 1]);
    } else {
        report_line(r, at, "agent-speaks", "agent speaks");
    }
    p->waits_answer = false;
}

static void on_tick(void *arg, uint64_t now)
{
    struct sip_phone *p = arg;
    int16_t out[MEDIA_FRAME_MAX], in[MEDIA_FRAME_MAX], both[2 * MEDIA_FRAME_MAX];
    size_t count = (size_t)p->cfg->rate_hz / 1000 * PTIME_MS;
    if (p->state >= LEAVING)
        return;
    take_clip(p, out, count);
    rtp_stream_send(p->stream, out, count);
    p->frames_out++;
    if (rtp_stream_receive(p->stream, now, in) != JITTER_FRAME_SILENCE)
        p->frames_in++;
    for (size_t i = 0; i < count; i++) {
        both[2 * i] = out[i];
        both[2 * i + 1] = in[i];
    }
    struct va_fault fault;
    if (p->cfg->wav && wav_writer_write(p->cfg->wav, both, count, &fault))
        p->failed = true;
    hear(p, in, count);
    look(p);
}

static void on_first(void *arg)
{
    (void)arg;
}

static void on_digit(void *arg, char digit)
{
    struct sip_phone *p = arg;
    report_line(p->cfg->report, now_us(p), "digit", "the agent sends key %c", digit);
}

static const struct rtp_stream_handlers stream_handlers = {on_first, on_digit};

/* ---- signalling ------------------------------------------------------------------------------ */

static enum va_err agree(struct sip_phone *p, const struct sdp *answer)
{
    struct sdp_choice choice;
    enum va_err err = sdp_negotiate(answer, sip_ua_prefs(p->ua), SDP_SRTP_OFF, &choice);
    if (err)
        return err;
    struct rtp_stream_remote r = {
        .rtp = choice.rtp,
        .rtcp = choice.rtcp,
        .learn = true,
        .direction = RTP_SENDRECV,
        .ptime_ms = choice.ptime_ms,
        .send = {choice.pt, RTP_TYPE_AUDIO, choice.codec, 0},
        .receive_count = 1,
        .receive = {{sdp_offer_pt(choice.codec), RTP_TYPE_AUDIO, choice.codec, 0}}};
    if (choice.event_pt >= 0) {
        r.send_event =
            (struct rtp_type){(uint8_t)choice.event_pt, RTP_TYPE_EVENT, NULL, choice.event_hz};
        r.receive[r.receive_count++] = (struct rtp_type){
            (uint8_t)sdp_offer_event_pt(choice.event_hz), RTP_TYPE_EVENT, NULL, choice.event_hz};
    }
    return rtp_stream_set_remote(p->stream, &r);
}

static void on_answer(void *arg, const struct sdp *answer)
{
    struct sip_phone *p = arg;
    if (p->state != DIALLING)
        return;
    enum va_err err = agree(p, answer);
    if (!err)
        err = media_clock_join(p->cfg->clock, &p->tick, PTIME_MS, on_tick, p);
    if (err) {
        p->failed = true;
        leave(p);
        return;
    }
    set_state(p, TALKING);
    report_line(p->cfg->report, now_us(p), "answered", "answered");
    begin_step(p, &p->cfg->script->step[0]);
}

/* A hold or another codec: this phone keeps to what it has. */
static void on_offer(void *arg, const struct sdp *offer, bool again)
{
    struct sip_phone *p = arg;
    (void)offer, (void)again;
    if (sip_call_reject(p->call, 488))
        p->failed = true;
}

static const struct sip_media_handlers media_handlers = {.on_offer = on_offer,
                                                         .on_answer = on_answer};

static void on_ended(void *arg, const struct sip_end *end)
{
    struct sip_phone *p = arg;
    bool expected = p->state == TALKING && p->at < p->cfg->script->count &&
                    p->cfg->script->step[p->at].kind == STEP_EXPECT_HANGUP;
    p->by_peer = end->by_peer;
    if (p->state == DIALLING)
        p->status = end->status ? end->status : 500;
    else if (p->state == TALKING && !expected && p->at + 1 < p->cfg->script->count)
        p->failed = true;
    report_line(p->cfg->report, now_us(p), "ended", "ended %s: %d %s",
                end->by_peer ? "by the other side" : "by the phone", end->status, end->text);
    set_state(p, OVER);
}

static const struct sip_call_handlers call_handlers = {.on_ended = on_ended};

/* The address of ours that the way to the daemon begins with. */
static enum va_err local_towards(const struct net_addr *to, struct net_addr *ret_local)
{
    int fd = socket(to->u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = to->u.sa.sa_family == AF_INET ? sizeof(to->u.v4) : sizeof(to->u.v6);
    bool ok = fd >= 0 && connect(fd, &to->u.sa, len) == 0;
    len = sizeof(ret_local->u);
    ok = ok && getsockname(fd, &ret_local->u.sa, &len) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok ? VA_OK : VA_EIO;
}

static enum va_err dial(struct sip_phone *p, const struct net_addr *to)
{
    char uri[200], at[NET_ADDR_TEXT];
    struct sdp_local ours = {.session_id = now_us(p),
                             .version = 1,
                             .rtp = p->local,
                             .rtcp_port = rtp_stream_rtcp_port(p->stream),
                             .direction = SDP_SENDRECV,
                             .ptime_ms = PTIME_MS};
    net_addr_set_port(&ours.rtp, rtp_stream_port(p->stream));
    net_addr_text(to, at);
    (void)snprintf(uri, sizeof(uri), "sip:%s@%s", p->cfg->number, at);
    struct buf text;
    buf_init(&text, SDP_TEXT_MAX);
    enum va_err err = sdp_print_offer(sip_ua_prefs(p->ua), &ours, &text);
    struct sip_place place = {uri, p->cfg->from, p->cfg->from_name, buf_str(&text)};
    if (!err)
        err = sip_call_place(p->ua, p->loop, &place, &call_handlers, p, &p->call);
    if (!err)
        sip_call_set_media(p->call, &media_handlers, p);
    buf_free(&text);
    return err;
}

static enum va_err check_steps(const struct script *s, struct va_fault *fault)
{
    char text[300];
    for (size_t i = 0; i < s->count; i++)
        if (!can_do(s->step[i].kind))
            return va_fault_set(fault, VA_ENOTSUP,
                                "line %u: \"%s\" needs FreeSWITCH: not with --sip", s->step[i].line,
                                script_step_text(&s->step[i], text, sizeof(text)));
    return s->count ? VA_OK : va_fault_set(fault, VA_EINVAL, "the script has no steps");
}

static enum va_err begin(struct sip_phone *p, struct va_fault *fault)
{
    struct net_addr to;
    if (net_addr_parse(p->cfg->host, p->cfg->port, &to) || local_towards(&to, &p->local))
        return va_fault_set(fault, VA_EINVAL, "--to: no way to \"%s\"", p->cfg->host);
    char ip[NET_ADDR_TEXT];
    net_addr_ip(&p->local, ip);
    p->settings = *p->cfg->settings;
    p->settings.sip_port = p->settings.sip_tls_port = p->settings.sip_allow_direct = 0;
    (void)str_copy(p->settings.sip_host, SETTING_TEXT_MAX, str_of(ip));
    const struct sip_ua_cfg ua = {.settings = &p->settings, .control = p->loop};
    enum va_err err = sip_ua_start(&ua, &p->ua, fault);
    if (err)
        return err;
    const struct rtp_stream_cfg stream = {
        .loop = p->loop, .format = {p->cfg->rate_hz, PTIME_MS}, .settings = &p->settings};
    err = rtp_stream_open(&stream, &stream_handlers, p, &p->stream);
    if (err)
        return va_fault_set(fault, err, "no free ports in RTP_PORT_MIN-RTP_PORT_MAX");
    p->begun_us = now_us(p);
    report_set_zero(p->cfg->report, p->begun_us);
    tmr_start(&p->limit, p->loop, p->cfg->timeout_ms, on_limit, p);
    err = dial(p, &to);
    return err ? va_fault_set(fault, err, "the call cannot be placed: %s", va_err_text(err))
               : VA_OK;
}

static void end(struct sip_phone *p)
{
    struct fakefs_histogram lateness = {.bin_us = 100};
    struct fakefs_meter meter;
    fakefs_meter_init(&meter, PTIME_MS, &lateness);
    const struct report_summary s = {
        .outcome = p->failed    ? "failed"
                   : p->by_peer ? "hung-up"
                                : "completed",
        .detail = "",
        .passed = !p->failed && p->first_us,
        .first_audio_ms = p->first_us ? (double)(p->first_us - p->begun_us) / 1000 : -1,
        .turn_ms = p->turn_ms,
        .turn_count = p->turns,
        .sent = p->frames_out,
        .received = p->frames_in,
        .meter = &meter,
        .recording = p->cfg->recording};
    report_end(p->cfg->report, &s);
}

enum va_err call_sip_run(struct loop *loop, const struct call_sip_cfg *cfg, bool *ret_passed,
                         struct va_fault *fault)
{
    struct sip_phone *p = calloc(1, sizeof(*p));
    if (!p)
        return VA_ENOMEM;
    p->cfg = cfg;
    p->loop = loop;
    enum va_err err = check_steps(cfg->script, fault);
    if (!err)
        err = begin(p, fault);
    while (!err && p->state != OVER)
        loop_turn(loop, true);
    if (!err && p->status)
        err = va_fault_set(fault, VA_EREFUSED,
                           "%s:%u does not take the call (SIP %d): does a daemon run there with "
                           "SIP_ALLOW_DIRECT=true?",
                           cfg->host, cfg->port, p->status);
    if (!err)
        end(p);
    *ret_passed = !p->failed && p->first_us;
    tmr_stop(&p->limit);
    media_clock_leave(&p->tick);
    rtp_stream_close(&p->stream);
    sip_call_close(&p->call);
    sip_ua_stop(&p->ua);
    free(p);
    return err;
}
