/* One step of a script: what it does once, and when it is done. */
#include "fakefs/run_int.h"

enum {
    QUIET_PROOF_MS = 300, /* silence must last that long to count */
    KEY_MS = 300,
    PLAY_SLACK_MS = 10000 /* for audio that FreeSWITCH is not asked for yet */
};

static uint64_t since_us(const struct run *r)
{
    return run_now(r) - r->step_us;
}

static enum step_state within(const struct run *r, const struct step *st, bool done)
{
    if (done)
        return STEP_DONE;
    return since_us(r) > st->ms * 1000 ? STEP_FAILED : STEP_RUNS;
}

static void speak(struct run *r, const struct step *st, bool file)
{
    r->caller_start_us = r->caller_end_us = 0;
    r->turn_open = false;
    report_line(r->report, run_now(r), "caller", "caller: %s%s%s", file ? "" : "\"", st->text,
                file ? " (wav)" : "\"");
    fakefs_call_play(r->call, &st->clip);
}

static void start(struct run *r, const struct step *st)
{
    switch (st->kind) {
    case STEP_SAY: speak(r, st, false); break;
    case STEP_WAV: speak(r, st, true); break;
    case STEP_DTMF:
        report_line(r->report, run_now(r), "dtmf", "caller presses %s", st->text);
        fakefs_call_dtmf(r->call, st->text);
        break;
    case STEP_HANGUP:
        r->hungup_by_us = true;
        fakefs_call_hangup(r->call, st->text);
        break;
    case STEP_FAIL_AUDIO: fakefs_call_fail_audio(r->call, true); break;
    case STEP_RESUME_AUDIO: fakefs_call_fail_audio(r->call, false); break;
    case STEP_RESET_CONTROL:
        report_line(r->report, run_now(r), "reset", "the control socket is reset");
        r->expected_return = true;
        fakefs_call_reset(r->call);
        break;
    case STEP_INJECT: fakefs_call_inject(r->call, (enum fakefs_inject)st->choice, st->count); break;
    case STEP_HUMAN:
        fakefs_call_set_human(r->call, (enum fakefs_human)st->choice, (uint32_t)st->ms,
                              (uint32_t)st->talks_ms);
        break;
    default: break;
    }
}

static enum step_state spoken(const struct run *r, const struct step *st)
{
    if (r->caller_end_us)
        return STEP_DONE;
    uint64_t length_us = pcm_ms(st->pcm) * 1000 + PLAY_SLACK_MS * 1000ull;
    return since_us(r) > length_us ? STEP_FAILED : STEP_RUNS;
}

static enum step_state pressed(struct run *r, const struct step *st)
{
    uint64_t keys_us = (strlen(st->text) - 1) * KEY_MS * 1000ull;
    if (since_us(r) < keys_us + 40000)
        return STEP_RUNS;
    r->caller_end_us = r->step_us + keys_us; /* a cached answer is quicker than our look at it */
    r->turn_open = true;
    return STEP_DONE;
}

static enum step_state barge_in(struct run *r, const struct step *st)
{
    const struct fakefs_gate *gate = fakefs_call_gate(r->call);
    if (r->barged)
        return r->caller_start_us ? STEP_DONE : STEP_RUNS;
    if (gate->speaking && run_now(r) >= gate->onset_us + st->ms * 1000) {
        r->barged = true;
        speak(r, st, st->count == 1);
        return STEP_RUNS;
    }
    return since_us(r) > (st->limit_ms + st->ms) * 1000 ? STEP_FAILED : STEP_RUNS;
}

static enum step_state silence(struct run *r, const struct step *st)
{
    uint64_t last_us = fakefs_call_gate(r->call)->last_us, until_us = r->step_us + st->ms * 1000;
    if (last_us > until_us)
        return STEP_FAILED;
    if (run_now(r) < until_us + QUIET_PROOF_MS * 1000)
        return STEP_RUNS;
    uint64_t after_us = last_us > r->step_us ? last_us - r->step_us : 0;
    report_line(r->report, last_us, "agent-silent", "agent silent after %.0f ms",
                (double)after_us / 1000);
    return STEP_DONE;
}

/* "201" matches "201 XML default"; an empty wish matches anything that happened. */
static bool matches(const char *wish, const char *happened)
{
    struct str rest = str_of(happened), first = str_cut(&rest, ' ');
    if (!*happened)
        return false;
    return !*wish || str_eqz(first, wish) || strstr(happened, wish) != NULL;
}

static enum step_state expect(struct run *r, const struct step *st)
{
    switch (st->kind) {
    case STEP_EXPECT_SPEECH: return within(r, st, fakefs_call_gate(r->call)->speaking);
    case STEP_EXPECT_TRANSFER: {
        struct str rest = str_of(r->transfer);
        bool exact = *st->text ? str_eqz(str_cut(&rest, ' '), st->text) : r->transferred;
        return r->transferred && !exact ? STEP_FAILED : within(r, st, exact);
    }
    case STEP_EXPECT_BRIDGE: return within(r, st, matches(st->text, r->bridge));
    case STEP_EXPECT_HANGUP:
        if (r->hungup && *st->text && !str_eqz(str_of(st->text), r->cause))
            return STEP_FAILED;
        return within(r, st, r->hungup);
    case STEP_EXPECT_UNBRIDGE: return within(r, st, r->unbridged);
    case STEP_EXPECT_RETURN: r->expected_return = true; return within(r, st, r->returned);
    default: return STEP_FAILED;
    }
}

static enum step_state look(struct run *r, const struct step *st)
{
    const struct fakefs_gate *gate = fakefs_call_gate(r->call);
    switch (st->kind) {
    case STEP_WAIT_GREETING: return within(r, st, r->first_onset_us && !gate->speaking);
    case STEP_WAIT_SPEECH: return within(r, st, gate->speaking);
    case STEP_WAIT_SILENCE: return within(r, st, !gate->speaking);
    case STEP_WAIT_ANSWER:
        return within(r, st, gate->onset_us > r->caller_end_us && !gate->speaking);
    case STEP_SAY:
    case STEP_WAV: return spoken(r, st);
    case STEP_BARGE_IN: return barge_in(r, st);
    case STEP_DTMF: return pressed(r, st);
    case STEP_SLEEP: return since_us(r) >= st->ms * 1000 ? STEP_DONE : STEP_RUNS;
    case STEP_EXPECT_SILENCE: return silence(r, st);
    case STEP_EXPECT_SPEECH:
    case STEP_EXPECT_TRANSFER:
    case STEP_EXPECT_BRIDGE:
    case STEP_EXPECT_HANGUP:
    case STEP_EXPECT_RETURN:
    case STEP_EXPECT_UNBRIDGE: return expect(r, st);
    default: return STEP_DONE;
    }
}

enum step_state run_step(struct run *r, const struct step *st)
{
    if (!r->started) {
        r->started = true;
        r->step_us = run_now(r);
        start(r, st);
    }
    return look(r, st);
}
