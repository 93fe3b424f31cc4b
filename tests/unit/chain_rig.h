/** tests/unit/chain_rig.h: the chain between a test that plays the call and providers that do what
 *  the test says, in a time that only pass() moves.
 *
 *     test (the call) ◄─► provider_chain ◄─► alpha, beta, attendant (write down what they are told)
 */
#ifndef VA_CHAIN_RIG_H
#define VA_CHAIN_RIG_H

#include "ai/chain/chain.h"
#include "base/buf.h"
#include "media/format.h"
#include "net/loop_int.h"

#include "unit/unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FAKES = 3, ALPHA = 0, BETA = 1, LAST = 2 };

struct fake {
    const char *name;
    /* script */
    enum va_err refuse; /* open() returns it */
    bool slow;          /* does not get ready by itself */
    bool hears;         /* caps.detects_turns */
    /* now */
    struct provider *p; /* NULL: closed */
    const struct provider_handlers *h;
    void *arg;
    bool ready;
    uint32_t answers; /* begun */
    unsigned opens, frames;
    size_t history; /* lines at its open */
};

struct chain_rig {
    struct va_clock_manual clock;
    struct loop *loop;
    struct settings settings;
    struct secretary *secretary;
    struct history *history;
    struct call_record record;
    struct provider_env env;
    struct provider *chain;
    struct fake fake[FAKES];
    struct buf log;
    uint32_t last; /* answer the call knows */
    bool ready, failed;
    bool close_in_handler; /* the call ends with the next thing it hears */
    bool acks;             /* an answer is held: FALSE is told on */
    bool held;             /* an answer is held: what confirms the turn interrupts it */
    uint64_t sound_us;     /* last audio the call got */
};

static struct chain_rig the_rig;

static inline void rig_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline void rig_log(const char *fmt, ...)
{
    va_list ap;
    char line[300];
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    (void)buf_addf(&the_rig.log, "%s;", line);
}

/* ---- inner providers ---------------------------------------------------------------------------
 */

struct provider {
    struct fake *f;
    struct tmr later;
};

static inline void fake_ready(void *arg)
{
    struct fake *f = arg;
    f->ready = true;
    f->h->on_ready(f->arg);
}

static inline enum va_err fake_open(struct fake *f, const struct provider_cfg *cfg,
                                    const struct provider_handlers *h, void *arg,
                                    struct provider **ret_p)
{
    assert_null(f->p); /* one at a time */
    f->opens++;
    if (f->refuse) {
        rig_log("%s refuses", f->name);
        return f->refuse;
    }
    f->p = calloc(1, sizeof(*f->p));
    if (!f->p)
        return VA_ENOMEM;
    f->p->f = f;
    f->h = h;
    f->arg = arg;
    f->ready = false;
    f->answers = 0;
    f->history = history_count(cfg->history);
    rig_log("%s open", f->name);
    if (!f->slow)
        tmr_start(&f->p->later, cfg->loop, 0, fake_ready, f);
    *ret_p = f->p;
    return VA_OK;
}

static inline struct fake *ready_fake(struct provider *p)
{
    assert_true(p->f->ready); /* never spoken to before */
    return p->f;
}

static inline void fake_audio_in(struct provider *p, const int16_t *samples, size_t count)
{
    (void)samples, (void)count;
    ready_fake(p)->frames++;
}

static inline void fake_turn(struct provider *p, enum turn_phase phase, unsigned back_ms)
{
    static const char *const names[] = {"started", "confirmed", "ended", "false"};
    (void)back_ms;
    rig_log("%s turn %s", ready_fake(p)->name, names[phase]);
}

static inline void fake_digit(struct provider *p, char digit)
{
    rig_log("%s digit %c", ready_fake(p)->name, digit);
}

static inline void fake_say(struct provider *p, enum say_intent intent)
{
    static const char *const names[] = {"greeting", "still-there", "farewell", "time-up",
                                        "hold-on",  "answer",      "repeat"};
    rig_log("%s say %s", ready_fake(p)->name, names[intent]);
}

static inline void fake_tool_result(struct provider *p, uint32_t id, enum va_err result)
{
    rig_log("%s result %u %s", ready_fake(p)->name, id, va_err_name(result));
}

static inline void fake_interrupt(struct provider *p, uint32_t answer, uint32_t heard_ms)
{
    assert_in_range(answer, 1, ready_fake(p)->answers);
    rig_log("%s interrupt %u %u", p->f->name, answer, heard_ms);
}

static inline void fake_close(struct provider **pp)
{
    struct fake *f = (*pp)->f;
    rig_log("%s close", f->name);
    tmr_stop(&(*pp)->later);
    free(*pp);
    *pp = f->p = NULL;
    f->h = NULL;
}

#define FAKE(i)                                                                                    \
    static inline enum va_err open_##i(const struct provider_cfg *cfg,                             \
                                       const struct provider_handlers *h, void *arg,               \
                                       struct provider **ret_p)                                    \
    {                                                                                              \
        return fake_open(&the_rig.fake[i], cfg, h, arg, ret_p);                                    \
    }
FAKE(0)
FAKE(1)
FAKE(2)

static inline const struct provider_caps *fake_caps(const struct provider *p)
{
    static const struct provider_caps deaf = {.holds_answers = true},
                                      hears = {.detects_turns = true, .holds_answers = true};
    return p->f->hears ? &hears : &deaf;
}

#define FAKE_OPS(name_, i)                                                                         \
    {                                                                                              \
        .name = name_, .caps = fake_caps, .open = open_##i, .audio_in = fake_audio_in,             \
        .turn = fake_turn, .digit = fake_digit, .say = fake_say, .tool_result = fake_tool_result,  \
        .interrupt = fake_interrupt, .close = fake_close                                           \
    }
static const struct provider_ops fakes[FAKES] = {FAKE_OPS("alpha", 0), FAKE_OPS("beta", 1),
                                                 FAKE_OPS("attendant", 2)};

static inline const struct provider_ops *fake_find(const char *name)
{
    for (size_t i = 0; i < FAKES; i++)
        if (str_eqz(str_make(name, strcspn(name, ":")), fakes[i].name))
            return &fakes[i];
    return NULL;
}

/* ---- the call ----------------------------------------------------------------------------------
 */

static inline void maybe_close(void)
{
    if (the_rig.close_in_handler && the_rig.chain)
        provider_chain.close(&the_rig.chain);
}

static inline void call_ready(void *arg)
{
    (void)arg;
    assert_false(the_rig.ready);
    the_rig.ready = true;
    rig_log("ready");
    if (the_rig.chain)
        provider_chain.say(the_rig.chain, SAY_GREETING); /* as a call does */
    maybe_close();
}

static inline void call_answer(void *arg, uint32_t answer, unsigned flags)
{
    (void)arg, (void)flags;
    assert_true(the_rig.ready && answer > the_rig.last); /* numbers grow, whoever speaks */
    the_rig.last = answer;
    rig_log("answer %u", answer);
    maybe_close();
}

static inline void call_audio(void *arg, uint32_t answer, struct pcm *audio)
{
    (void)arg;
    the_rig.sound_us = the_rig.clock.mono;
    rig_log("audio %u %u", answer, (unsigned)pcm_ms(audio));
    maybe_close();
}

static inline void call_done(void *arg, uint32_t answer)
{
    (void)arg;
    rig_log("done %u", answer);
    maybe_close();
}

static inline void call_text(void *arg, enum speaker who, uint32_t answer, const char *text)
{
    (void)arg;
    rig_log("%s %u %s", who == SPEAKER_CALLER ? "caller" : "agent", answer, text);
    (void)history_add(the_rig.history, who, text);
    maybe_close();
}

static inline void call_speech(void *arg, enum turn_phase phase)
{
    static const char *const names[] = {"started", "confirmed", "ended", "false"};
    (void)arg;
    rig_log("speech %s", names[phase]);
    if (phase == TURN_FALSE && the_rig.acks)
        provider_chain.turn(the_rig.chain, TURN_FALSE, 0);
    if (the_rig.held && (phase == TURN_CONFIRMED || phase == TURN_ENDED)) {
        the_rig.held = false;
        provider_chain.interrupt(the_rig.chain, the_rig.last, 100);
    }
    maybe_close();
}

static inline void call_tool(void *arg, const struct tool_call *tool)
{
    (void)arg;
    rig_log("tool %u", tool->id);
    maybe_close();
}

static inline void call_failed(void *arg, enum va_err why, const char *text)
{
    (void)arg, (void)text;
    assert_false(the_rig.failed);
    the_rig.failed = true;
    rig_log("failed %s", va_err_name(why));
    maybe_close();
}

static inline void call_usage(void *arg, const char *text)
{
    (void)arg;
    rig_log("usage %s", text);
}

static const struct provider_handlers call_handlers = {
    .on_ready = call_ready,
    .on_answer = call_answer,
    .on_audio = call_audio,
    .on_answer_done = call_done,
    .on_transcript = call_text,
    .on_speech = call_speech,
    .on_tool = call_tool,
    .on_failed = call_failed,
    .on_usage = call_usage,
};

/* ---- life and time -----------------------------------------------------------------------------
 */

static inline void rig_start(void)
{
    struct chain_rig *g = &the_rig;
    *g = (struct chain_rig){.fake = {{.name = "alpha"}, {.name = "beta"}, {.name = "attendant"}}};
    log_set_level(LOG_ERROR + 1);
    chain_health_forget();
    buf_init(&g->log, 1 << 20);
    va_clock_manual_init(&g->clock, 1000000000, 1700000000000000);
    assert_int_equal(loop_new(&g->clock.base, 0, &g->loop), VA_OK);
    assert_int_equal(history_new(&g->history), VA_OK);
    assert_int_equal(secretary_new(&g->secretary), VA_OK);
    assert_int_equal(secretary_set(&g->secretary->tenant, "default"), VA_OK);
    assert_int_equal(secretary_set(&g->secretary->language, "pt-BR"), VA_OK);
    assert_int_equal(secretary_set(&g->secretary->provider, "alpha"), VA_OK);
    assert_int_equal(secretary_list_add(&g->secretary->fallbacks, "beta"), VA_OK);
    g->settings = (struct settings){.ai_connect_timeout_ms = 3000,
                                    .ai_first_audio_timeout_ms = 5000,
                                    .ai_stall_timeout_ms = 2500};
    g->env.find = fake_find;
}

static inline void rig_stop(void)
{
    struct chain_rig *g = &the_rig;
    provider_chain.close(&g->chain);
    loop_turn(g->loop, false);
    loop_timers_turn(g->loop);
    for (size_t i = 0; i < FAKES; i++)
        assert_null(g->fake[i].p); /* all closed */
    secretary_unref((const struct secretary **)&g->secretary);
    history_free(&g->history);
    loop_free(&g->loop);
    buf_free(&g->log);
}

static inline enum va_err rig_open(void)
{
    struct chain_rig *g = &the_rig;
    struct provider_cfg cfg = {.loop = g->loop,
                               .env = &g->env,
                               .secretary = g->secretary,
                               .rate_hz = 8000,
                               .settings = &g->settings,
                               .history = g->history,
                               .record = &g->record,
                               .log = {"default", "test"}};
    return provider_chain.open(&cfg, &call_handlers, NULL, &g->chain);
}

static inline void settle(void)
{
    for (int i = 0; i < 4; i++) {
        loop_turn(the_rig.loop, false);
        loop_timers_turn(the_rig.loop);
    }
}

static inline void pass(unsigned ms)
{
    for (unsigned at = 0; at < ms; at += 10) {
        va_clock_manual_advance(&the_rig.clock, 10000);
        settle();
    }
}

static inline void log_is(const char *want)
{
    settle();
    assert_string_equal(buf_z(&the_rig.log), want);
    buf_reset(&the_rig.log);
}

/* What the provider that is open does. */
static inline void its_audio(int i, uint32_t answer, unsigned ms)
{
    struct fake *f = &the_rig.fake[i];
    struct pcm *pcm = NULL;
    int16_t *samples = calloc(8u * ms + 1, sizeof(*samples));
    assert_int_equal(pcm_adopt(8000, samples, 8u * ms, &pcm), VA_OK);
    f->h->on_audio(f->arg, answer, pcm);
    pcm_unref(&pcm);
}

static inline void its_answer(int i, unsigned ms)
{
    struct fake *f = &the_rig.fake[i];
    uint32_t id = ++f->answers;
    f->h->on_answer(f->arg, id, 0);
    if (f->h && ms)
        its_audio(i, id, ms);
}

static inline void its_done(int i)
{
    struct fake *f = &the_rig.fake[i];
    f->h->on_answer_done(f->arg, f->answers);
}

static inline void it_says_caller_said(int i, const char *text)
{
    struct fake *f = &the_rig.fake[i];
    f->h->on_transcript(f->arg, SPEAKER_CALLER, 0, text);
}

static inline void it_hears(int i, enum turn_phase phase)
{
    struct fake *f = &the_rig.fake[i];
    f->h->on_speech(f->arg, phase);
}

/* Words of the turn under way, as every provider tells them. */
static inline void it_understands(int i, const char *text)
{
    it_hears(i, TURN_CONFIRMED);
    it_says_caller_said(i, text);
}

static inline void it_fails(int i, enum va_err why)
{
    struct fake *f = &the_rig.fake[i];
    f->h->on_failed(f->arg, why, "scripted");
}

#endif
