#include "fakefs/run_int.h"

#include <stdio.h>
#include <stdlib.h>

enum { FAREWELL_MS = 3000 /* for the program to close after our hang-up */ };

uint64_t run_now(const struct run *r)
{
    return loop_now_us(r->loop);
}

static void on_poll(void *arg);

static void look_now(struct run *r)
{
    if (!r->over)
        tmr_start(&r->poll, r->loop, 0, on_poll, r);
}

static void on_left(void *arg)
{
    ((struct run *)arg)->over = true;
}

static void leave(struct run *r)
{
    if (r->leaving)
        return;
    r->leaving = true;
    tmr_stop(&r->poll);
    if (!r->hungup && !r->returned && !r->transferred) { /* a transferred call is the human's */
        r->hungup_by_us = true;
        fakefs_call_hangup(r->call, "NORMAL_CLEARING");
    }
    tmr_start(&r->limit, r->loop, FAREWELL_MS, on_left, r);
}

VA_PRINTF(2, 3) static void fail(struct run *r, const char *fmt, ...)
{
    if (r->failed)
        return;
    r->failed = true;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(r->failure, sizeof(r->failure), fmt, ap);
    va_end(ap);
    report_line(r->report, run_now(r), "failed", "FAILED: %s", r->failure);
}

static void fail_step(struct run *r, const struct step *st, const char *why)
{
    char text[300];
    (void)script_step_text(st, text, sizeof(text));
    if (r->cfg->script_name)
        fail(r, "%s:%u: %s: %s", r->cfg->script_name, st->line, text, why);
    else
        fail(r, "%s: %s", text, why);
}

static bool still_useful(const struct step *st)
{
    return st->kind >= STEP_EXPECT_SPEECH && st->kind <= STEP_EXPECT_UNBRIDGE;
}

static const char *end_text(const struct run *r)
{
    return r->returned ? "the daemon gave the call back" : "the call is over";
}

/* Go through the steps as far as they go. */
static void on_poll(void *arg)
{
    struct run *r = arg;
    const struct script *s = r->cfg->script;
    bool gone = r->hungup || r->returned;
    while (!r->leaving && r->at < s->count) {
        const struct step *st = &s->step[r->at];
        bool lenient = !r->cfg->script_name && (gone || r->transferred);
        enum step_state state = lenient ? STEP_DONE : STEP_FAILED;
        const char *why = end_text(r);
        if (!lenient && (!gone || still_useful(st))) {
            state = run_step(r, st);
            why = gone ? end_text(r) : "it did not happen";
        }
        if (state == STEP_RUNS) {
            tmr_start(&r->poll, r->loop, POLL_MS, on_poll, r);
            return;
        }
        if (state == STEP_FAILED && !st->optional) {
            fail_step(r, st, why);
            break;
        }
        r->at++;
        r->started = r->barged = false;
    }
    leave(r);
}

static void on_limit(void *arg)
{
    struct run *r = arg;
    fail(r, "the call was not over after %.0f s", (double)r->cfg->timeout_ms / 1000);
    leave(r);
}

/* ---- what the call tells -------------------------------------------------------------------- */

static void on_open(void *arg)
{
    struct run *r = arg;
    struct fakefs_call_stats stats;
    fakefs_call_stats(r->call, &stats);
    r->connected = true;
    report_set_zero(r->report, stats.opened_us);
    look_now(r);
}

static void keep(char *to, const char *text)
{
    (void)str_copy(to, NOTE_TEXT, str_of(text));
}

static void note_hangup(struct run *r, const char *text)
{
    r->hungup = true;
    keep(r->cause, text);
    report_line(r->report, run_now(r), "hangup", "%s: %s",
                r->hungup_by_us ? "the caller hangs up" : "hang-up", text);
}

static void on_note(void *arg, enum fakefs_note note, const char *text)
{
    struct run *r = arg;
    uint64_t now = run_now(r);
    switch (note) {
    case FAKEFS_NOTE_TRANSFER:
        r->transferred = true;
        keep(r->transfer, text);
        report_line(r->report, now, "transfer", "transfer → %s", text);
        break;
    case FAKEFS_NOTE_BRIDGE:
        keep(r->bridge, text);
        report_line(r->report, now, "bridge", "bridged with %s", text);
        break;
    case FAKEFS_NOTE_UNBRIDGE:
        r->transferred = false;
        r->unbridged = true;
        report_line(r->report, now, "unbridge", "the human hangs up, the call is back");
        break;
    case FAKEFS_NOTE_HANGUP: note_hangup(r, text); break;
    case FAKEFS_NOTE_RETURNED:
        r->returned = true;
        report_line(r->report, now, "returned", "the daemon leaves; the dialplan goes on");
        break;
    case FAKEFS_NOTE_EXECUTE: report_line(r->report, now, "execute", "execute %s", text); break;
    case FAKEFS_NOTE_UNICAST: report_line(r->report, now, "unicast", "audio %s", text); break;
    case FAKEFS_NOTE_LINE: report_line(r->report, now, "sip", "sip %s", text); break;
    case FAKEFS_NOTE_STREAM: report_line(r->report, now, "stream", "stream %s", text); break;
    case FAKEFS_NOTE_SAID: report_line(r->report, now, "said", "    %s", text); break;
    case FAKEFS_NOTE_FROZEN: fail(r, "%s", text); break;
    case FAKEFS_NOTE_CONNECTED:
    case FAKEFS_NOTE_COMMAND: break;
    }
    look_now(r);
}

static void measure_turn(struct run *r, uint64_t at_us, char *text, size_t cap)
{
    struct fakefs_call_stats stats;
    fakefs_call_stats(r->call, &stats);
    *text = 0;
    if (!r->first_onset_us) {
        r->first_onset_us = at_us;
        (void)snprintf(text, cap, " (first audio %.0f ms after the %s)",
                       (double)(at_us - stats.opened_us) / 1000,
                       r->cfg->call.sip_to ? "INVITE" : "socket opened");
    } else if (r->turn_open && at_us >= r->caller_end_us) {
        double latency = (double)(at_us - r->caller_end_us) / 1000;
        if (r->turn_count < TURNS_MAX)
            r->turn_ms[r->turn_count++] = latency;
        (void)snprintf(text, cap, " (turn latency %.0f ms)", latency);
    } else if (r->caller_start_us && !r->caller_end_us) {
        (void)snprintf(text, cap, " over the caller");
    }
    r->turn_open = false;
}

static void on_agent(void *arg, bool speaks, uint64_t at_us)
{
    struct run *r = arg;
    char text[80];
    if (speaks) {
        measure_turn(r, at_us, text, sizeof(text));
        r->onset_us = at_us;
        report_line(r->report, at_us, "agent-speaks", "agent speaks%s", text);
    } else {
        report_line(r->report, at_us, "agent-stops", "agent stops");
    }
    look_now(r);
}

static void on_caller(void *arg, bool starts, uint64_t at_us)
{
    struct run *r = arg;
    if (starts) {
        r->caller_start_us = at_us;
        r->caller_end_us = 0;
    } else {
        r->caller_end_us = at_us;
        r->turn_open = true;
        report_line(r->report, at_us, "caller-stops", "caller stops");
    }
    look_now(r);
}

static void on_end(void *arg, enum va_err why)
{
    struct run *r = arg;
    r->why = why;
    r->over = true;
    if (!why && !r->leaving && !r->hungup && !r->transferred && !r->returned)
        r->returned = true;
}

static const struct fakefs_call_handlers handlers = {on_open, on_note, on_agent, on_caller, on_end};

/* ---- the whole ------------------------------------------------------------------------------ */

static void summarise(struct run *r)
{
    struct fakefs_call_stats stats;
    fakefs_call_stats(r->call, &stats);
    struct report_summary s = {.outcome = "completed", .detail = "", .first_audio_ms = -1};
    if (r->failed) {
        s.outcome = "failed";
        s.detail = r->failure;
    } else if (r->transferred) {
        s.outcome = "transferred";
        s.detail = r->transfer;
    } else if (r->returned) {
        s.outcome = "returned";
        s.detail = "the dialplan goes on";
    } else if (r->hungup) {
        s.detail = r->cause;
    }
    s.passed = !r->failed;
    if (r->first_onset_us)
        s.first_audio_ms = (double)(r->first_onset_us - stats.opened_us) / 1000;
    s.turn_ms = r->turn_ms;
    s.turn_count = r->turn_count;
    s.sent = stats.sent;
    s.received = stats.received;
    s.odd = stats.odd;
    s.meter = fakefs_call_meter(r->call);
    s.recording = r->cfg->recording;
    report_end(r->report, &s);
}

/* The socket closed with steps left: look at them once more, then it is over. */
static void last_look(struct run *r)
{
    if (!r->leaving)
        on_poll(r);
    while (!r->leaving) { /* steps that wait for something have nothing to wait for */
        const struct step *st = &r->cfg->script->step[r->at];
        if (st->optional) {
            r->at++;
            r->started = false;
            on_poll(r);
            continue;
        }
        fail_step(r, st, end_text(r));
        leave(r);
    }
    if (r->returned && !r->expected_return && !r->hungup && !r->transferred)
        fail(r, "the daemon refused the call or gave it back");
}

enum va_err run_call(struct loop *loop, const struct run_cfg *cfg, bool *ret_passed,
                     struct va_fault *fault)
{
    struct run *r = calloc(1, sizeof(*r));
    if (!r)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    r->cfg = cfg;
    r->loop = loop;
    r->report = cfg->report;
    report_set_zero(r->report, run_now(r));
    enum va_err err = fakefs_call_new(loop, &cfg->call, &handlers, r, &r->call, fault);
    if (!err) {
        tmr_start(&r->limit, loop, cfg->timeout_ms, on_limit, r);
        while (!r->over)
            loop_turn(loop, true);
        err = r->connected ? VA_OK : r->why;
    }
    if (!err) {
        last_look(r);
        summarise(r);
        *ret_passed = !r->failed;
    } else if (r->call && *fakefs_call_why(r->call)) {
        (void)va_fault_set(fault, err, "%s", fakefs_call_why(r->call));
    } else if (!*fault->text) {
        (void)va_fault_set(fault, err, "%s", va_err_text(err));
    }
    tmr_stop(&r->poll);
    tmr_stop(&r->limit);
    fakefs_call_free(&r->call);
    free(r);
    return err;
}
