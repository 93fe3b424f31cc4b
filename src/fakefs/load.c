#include "fakefs/load.h"

#include <inttypes.h>
#include <stdlib.h>

enum { START_MS = 10, FAREWELL_MS = 5000 };

struct load;

struct member {
    struct load *load;
    struct fakefs_call *call;
    struct tmr hold;
    bool opened, heard, by_us, over;
};

struct load {
    const struct load_cfg *cfg;
    struct loop *loop;
    struct fakefs_histogram lateness, first_audio;
    struct report_load sum;
    struct member *member;
    unsigned started, ended, up;
    uint64_t begin_us;
    struct tmr start, settle, limit;
    bool timed_out;
};

static void on_hold_over(void *arg)
{
    struct member *m = arg;
    m->by_us = true;
    fakefs_call_hangup(m->call, "NORMAL_CLEARING");
}

static void on_open(void *arg)
{
    struct member *m = arg;
    struct load *l = m->load;
    m->opened = true;
    if (++l->up > l->sum.peak)
        l->sum.peak = l->up;
    tmr_start(&m->hold, l->loop, l->cfg->hold_ms, on_hold_over, m);
    if (l->cfg->clip)
        fakefs_call_play_forever(m->call, l->cfg->clip, l->cfg->pause_ms);
}

static void on_note(void *arg, enum fakefs_note note, const char *text)
{
    (void)arg;
    (void)note;
    (void)text;
}

static void on_agent(void *arg, bool speaks, uint64_t at_us)
{
    struct member *m = arg;
    struct fakefs_call_stats stats;
    if (!speaks || m->heard)
        return;
    m->heard = true;
    fakefs_call_stats(m->call, &stats);
    fakefs_histogram_add(&m->load->first_audio, at_us - stats.opened_us);
}

static void on_caller(void *arg, bool starts, uint64_t at_us)
{
    (void)arg;
    (void)starts;
    (void)at_us;
}

static void add_meter(struct fakefs_meter *sum, const struct fakefs_meter *m)
{
    sum->frames += m->frames;
    sum->lost += m->lost;
    sum->extra += m->extra;
    sum->late += m->late;
    sum->pauses += m->pauses;
    if (m->max_gap_us > sum->max_gap_us)
        sum->max_gap_us = m->max_gap_us;
}

static void on_end(void *arg, enum va_err why)
{
    struct member *m = arg;
    struct load *l = m->load;
    struct fakefs_call_stats stats;
    fakefs_call_stats(m->call, &stats);
    l->sum.sent += stats.sent;
    l->sum.received += stats.received;
    l->sum.odd += stats.odd;
    add_meter(&l->sum.meter, fakefs_call_meter(m->call));
    l->sum.answered += stats.first_frame_us != 0;
    if (why || (!stats.first_frame_us && !m->by_us))
        l->sum.refused++;
    else if (!m->by_us)
        l->sum.lost_calls++;
    l->up -= m->opened;
    l->ended++;
    m->over = true;
    tmr_stop(&m->hold);
    fakefs_call_free(&m->call);
}

static const struct fakefs_call_handlers handlers = {on_open, on_note, on_agent, on_caller, on_end};

static void start_one(struct load *l)
{
    struct member *m = &l->member[l->started++];
    m->load = l;
    struct fakefs_call_cfg cfg = l->cfg->call;
    char from[32];
    (void)snprintf(from, sizeof(from), "5511%07u", l->started);
    cfg.session.caller.from = from;
    cfg.session.caller.from_name = from;
    cfg.lateness = &l->lateness;
    struct va_fault fault;
    if (fakefs_call_new(l->loop, &cfg, &handlers, m, &m->call, &fault)) {
        m->over = true;
        l->ended++;
        l->sum.refused++;
    }
}

/* The steady state alone is judged: what the ramp cost is forgotten. */
static void on_settled(void *arg)
{
    struct load *l = arg;
    media_clock_stats_reset(l->cfg->call.clock);
    uint64_t bin_us = l->lateness.bin_us;
    l->lateness = (struct fakefs_histogram){.bin_us = bin_us};
}

static void on_start(void *arg)
{
    struct load *l = arg;
    const struct load_cfg *cfg = l->cfg;
    uint64_t due = (loop_now_us(l->loop) - l->begin_us) * cfg->rate / 1000000 + 1;
    while (l->started < cfg->calls && l->started < due)
        start_one(l);
    if (l->started < cfg->calls)
        tmr_start(&l->start, l->loop, START_MS, on_start, l);
    else if (cfg->settle_ms)
        tmr_start(&l->settle, l->loop, cfg->settle_ms, on_settled, l);
}

static void on_limit(void *arg)
{
    ((struct load *)arg)->timed_out = true;
}

static void run(struct load *l)
{
    const struct load_cfg *cfg = l->cfg;
    uint64_t ramp_ms = cfg->calls * 1000ull / cfg->rate;
    tmr_start(&l->start, l->loop, 0, on_start, l);
    tmr_start(&l->limit, l->loop, ramp_ms + cfg->hold_ms + FAREWELL_MS, on_limit, l);
    while (l->ended < cfg->calls && !l->timed_out)
        loop_turn(l->loop, true);
    tmr_stop(&l->start);
    tmr_stop(&l->settle);
    tmr_stop(&l->limit);
    for (unsigned i = 0; i < l->started; i++) /* those whose program did not say goodbye */
        if (!l->member[i].over)
            on_end(&l->member[i], VA_OK);
}

enum va_err load_run(struct loop *loop, const struct load_cfg *cfg, bool *ret_passed,
                     struct va_fault *fault)
{
    if (!cfg->calls || cfg->calls > LOAD_CALLS_MAX || !cfg->rate)
        return va_fault_set(fault, VA_EINVAL, "--calls is 1 to %d, --rate at least 1",
                            LOAD_CALLS_MAX);
    struct load *l = calloc(1, sizeof(*l));
    struct member *member = calloc(cfg->calls, sizeof(*member));
    if (!l || !member) {
        free(l);
        free(member);
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    }
    l->cfg = cfg;
    l->loop = loop;
    l->member = member;
    l->lateness.bin_us = 100;
    l->first_audio.bin_us = 2000;
    l->begin_us = loop_now_us(loop);
    run(l);
    l->sum.calls = cfg->calls;
    struct media_clock_stats own;
    media_clock_stats(cfg->call.clock, &own);
    l->sum.own_p99_ms = (double)own.p99_us / 1000;
    l->sum.own_skipped = own.skipped;
    l->sum.meter.lateness = &l->lateness;
    l->sum.first_audio = &l->first_audio;
    l->sum.seconds = (double)(loop_now_us(loop) - l->begin_us) / 1e6;
    report_load(cfg->report, &l->sum);
    *ret_passed = !l->sum.refused && !l->sum.lost_calls && l->sum.answered == cfg->calls;
    free(member);
    free(l);
    return VA_OK;
}
