/**
 * tests/contract/provider_rig.h: any provider against its fake server, with the call's side written
 * down. One loop, one thread; the test turns the loop until what it waits for has happened.
 *
 * Both sides live by a clock of the test's own. A turn of the loop takes RIG_TURN_US on it, however
 * long it really takes; when nothing is left to be done it moves to the next timer, RIG_SPEED times
 * faster than real time would: a machine under load makes no deadline come early, and waiting costs
 * little.
 */
#ifndef VA_PROVIDER_RIG_H
#define VA_PROVIDER_RIG_H

#include "ai/provider.h"
#include "contract/fake_server.h"
#include "net/loop_int.h"

#include <poll.h>

enum {
    RIG_ANSWERS_MAX = 32,
    RIG_PATIENCE_MS = 8000, /* real: how long the test waits for what does not happen */
    RIG_SPEED = 100,        /* how many times faster than real time idle time passes */
    RIG_IDLE_MS = 50,       /* real: between two looks when no timer runs */
    RIG_TURN_US = 100,
};

struct rig;

/** A provider and its far end. What is not said here is as with most: a model over there that is
 *  told everything, hears the whole call and speaks the fake's tone. */
struct contract_case {
    const char *name;
    const struct provider_ops *ops;
    const struct fake_proto *proto; /* of its WebSocket */
    /** Point the settings at the far end. */
    void (*configure)(struct rig *r);
    /** Settings, script and history are as the test wants them; NULL: nothing to do. */
    void (*opening)(struct rig *r);
    /** Nobody is there any more; NULL: its WebSocket's listener alone. */
    void (*vanish)(struct rig *r);
    void (*end)(struct rig *r);   /* of what configure() began; NULL: nothing */
    void (*utter)(struct rig *r); /* the caller's words as audio; NULL: a tone */
    const char *const *garbage;   /* what makes no sense to it, ends with NULL; NULL: the suite's */
    bool renews;                  /* a session that ends is opened again with the conversation */
    bool truncates;               /* the remote is told how much was heard */
    bool continuous;   /* no interruptions; answers are cut out of a stream, with its silence */
    bool stops;        /* an answer can be stopped over there */
    bool sessionless;  /* ready without having asked anybody */
    bool stall_ends;   /* an answer that stops coming is a failure of its own finding */
    bool own_prompts;  /* speaks the secretary's texts itself */
    bool own_ear;      /* no audio of the caller leaves it */
    bool own_voice;    /* a real voice, of a helper */
    bool no_model;     /* nobody is told anything in words */
    unsigned hears_ms; /* of the caller's turn at least; 0: all of the call */
};

struct rig {
    const struct contract_case *with;
    struct va_clock_manual clock;
    struct loop *loop;
    struct fake fake;
    struct settings settings;
    struct secretary *secretary;
    struct history *history;
    struct call_record record;
    struct provider_env env;
    struct provider *p;
    /* what the call was told */
    bool ready, failed;
    enum va_err why;
    char cause[512];
    uint32_t answers, done; /* newest begun, newest over */
    unsigned flags[RIG_ANSWERS_MAX];
    uint64_t samples[RIG_ANSWERS_MAX];
    uint32_t heard_level; /* loudest sample */
    unsigned phases[4];
    char order[64]; /* turn phases in order: S C E F */
    unsigned tools;
    struct tool_call tool;
    char destination[64];
    struct buf said; /* "A:…\n" agent, "C:…\n" caller */
    bool close_at_answer;
    bool holds;     /* the call has an answer that waits until a sound is judged */
    unsigned speed; /* RIG_SPEED; 0: time stands still while a helper is waited for */
};

/* No handler is called from inside of open(), nor after close(). */
static inline struct rig *rig_of(void *arg)
{
    struct rig *r = arg;
    assert_non_null(r->p);
    return r;
}

static inline void rig_on_ready(void *arg)
{
    rig_of(arg)->ready = true;
}

static inline void rig_on_answer(void *arg, uint32_t answer, unsigned flags)
{
    struct rig *r = rig_of(arg);
    assert_true(r->ready);
    assert_int_equal(answer, r->answers + 1);
    r->answers = answer;
    r->flags[answer % RIG_ANSWERS_MAX] = flags;
    if (r->close_at_answer)
        r->with->ops->close(&r->p);
}

static inline void rig_on_audio(void *arg, uint32_t answer, struct pcm *audio)
{
    struct rig *r = rig_of(arg);
    assert_true(answer && answer <= r->answers && answer > r->done);
    assert_int_equal(pcm_rate_hz(audio), 8000);
    r->samples[answer % RIG_ANSWERS_MAX] += pcm_count(audio);
    const int16_t *s = pcm_samples(audio);
    for (size_t i = 0; i < pcm_count(audio); i++)
        if (abs(s[i]) > (int)r->heard_level)
            r->heard_level = (uint32_t)abs(s[i]);
}

static inline void rig_on_answer_done(void *arg, uint32_t answer)
{
    struct rig *r = rig_of(arg);
    assert_true(answer > r->done && answer <= r->answers);
    r->done = answer;
}

static inline void rig_on_transcript(void *arg, enum speaker who, uint32_t answer, const char *text)
{
    struct rig *r = rig_of(arg);
    assert_true((who == SPEAKER_CALLER) == (answer == 0));
    (void)buf_addf(&r->said, "%c:%s\n", who == SPEAKER_CALLER ? 'C' : 'A', text);
    assert_int_equal(history_add(r->history, who, text), VA_OK); /* as a call does */
}

static inline void rig_on_speech(void *arg, enum turn_phase phase)
{
    struct rig *r = rig_of(arg);
    r->phases[phase]++;
    size_t n = strlen(r->order);
    if (n + 1 < sizeof(r->order))
        r->order[n] = "SCEF"[phase];
    if (!r->holds || phase == TURN_STARTED)
        return;
    r->holds = false;
    if (phase == TURN_FALSE)
        r->with->ops->turn(r->p, TURN_FALSE, 0);
    else
        r->with->ops->interrupt(r->p, r->answers, 200);
}

static inline void rig_on_tool(void *arg, const struct tool_call *tool)
{
    struct rig *r = rig_of(arg);
    r->tools++;
    r->tool = *tool;
    (void)str_copy(r->destination, sizeof(r->destination), str_of(tool->destination));
}

static inline void rig_on_failed(void *arg, enum va_err why, const char *text)
{
    struct rig *r = rig_of(arg);
    assert_false(r->failed);
    r->failed = true;
    r->why = why;
    (void)str_copy(r->cause, sizeof(r->cause), str_of(text));
}

static const struct provider_handlers rig_handlers = {
    .on_ready = rig_on_ready,
    .on_answer = rig_on_answer,
    .on_audio = rig_on_audio,
    .on_answer_done = rig_on_answer_done,
    .on_transcript = rig_on_transcript,
    .on_speech = rig_on_speech,
    .on_tool = rig_on_tool,
    .on_failed = rig_on_failed,
};

static inline void rig_make_secretary(struct secretary **ret)
{
    struct secretary *s;
    struct destination *d;
    struct topic *t;
    assert_int_equal(secretary_new(&s), VA_OK);
    assert_int_equal(secretary_set(&s->name, "Ana"), VA_OK);
    assert_int_equal(secretary_set(&s->company, "Acme"), VA_OK);
    assert_int_equal(secretary_set(&s->language, "en-US"), VA_OK);
    assert_int_equal(secretary_set(&s->greeting, "Welcome to Acme."), VA_OK);
    assert_int_equal(secretary_add_destination(s, &d), VA_OK);
    assert_int_equal(secretary_set(&d->name, "sales"), VA_OK);
    assert_int_equal(secretary_set(&d->number, "201"), VA_OK);
    d->digit = '1';
    assert_int_equal(secretary_add_topic(s, &t), VA_OK);
    assert_int_equal(secretary_set(&t->name, "opening hours"), VA_OK);
    assert_int_equal(secretary_list_add(&t->phrases, "opening hours"), VA_OK);
    assert_int_equal(secretary_set(&t->answer, "It is open until six."), VA_OK);
    *ret = s;
}

/* Everything but the provider, so that a test can change settings, script and history first. */
static inline void rig_begin(struct rig *r, const struct contract_case *with)
{
    *r = (struct rig){.with = with, .speed = RIG_SPEED};
    char *none[] = {NULL};
    assert_int_equal(settings_load("/dev/null", none, &r->settings, NULL), VA_OK);
    va_clock_manual_init(&r->clock, 1000000000, clock_wall_us(&va_clock_system));
    assert_int_equal(loop_new(&r->clock.base, 0, &r->loop), VA_OK);
    assert_int_equal(history_new(&r->history), VA_OK);
    rig_make_secretary(&r->secretary);
    buf_init(&r->said, 1 << 16);
    fake_start(&r->fake, r->loop, with->proto);
    (void)snprintf(r->record.caller_number, sizeof(r->record.caller_number), "+5511999990000");
    with->configure(r);
}

static inline void rig_open(struct rig *r)
{
    if (r->with->opening)
        r->with->opening(r);
    struct provider_cfg cfg = {.loop = r->loop,
                               .env = &r->env,
                               .secretary = r->secretary,
                               .rate_hz = 8000,
                               .settings = &r->settings,
                               .history = r->history,
                               .record = &r->record};
    assert_int_equal(r->with->ops->open(&cfg, &rig_handlers, r, &r->p), VA_OK);
}

/* Whether something came in within `us` of real time. */
static inline bool rig_input(struct rig *r, uint64_t us)
{
    struct pollfd backend = {.fd = uv_backend_fd(loop_uv(r->loop)), .events = POLLIN};
    const struct timespec wait = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
    return ppoll(&backend, 1, &wait, NULL) > 0;
}

/** Do what is to be done now. */
static inline void rig_work(struct rig *r)
{
    va_clock_manual_advance(&r->clock, RIG_TURN_US);
    for (int i = 0; i < 2; i++) /* what a turn leaves behind (ends of writes) is the next one's */
        loop_turn(r->loop, false);
    loop_timers_turn(r->loop);
}

/** Wait for more of it, or let time pass to the next timer. */
static inline void rig_wait(struct rig *r)
{
    uint64_t now = loop_now_us(r->loop);
    uint64_t due = r->loop->heap_len ? r->loop->heap[0]->due_us : 0;
    if (due && due <= now)
        return;
    if (!r->speed) {
        (void)rig_input(r, RIG_IDLE_MS * 1000);
        return;
    }
    if (!rig_input(r, due ? (due - now) / r->speed : RIG_IDLE_MS * 1000) && due)
        va_clock_manual_advance(&r->clock, due - now);
}

static inline void rig_over(void *arg)
{
    *(bool *)arg = true;
}

/** Turn the loop until `cond`; fails the test when it does not come true. */
#define RIG_UNTIL(r, cond)                                                                         \
    do {                                                                                           \
        uint64_t late_ = clock_mono_us(&va_clock_system) + RIG_PATIENCE_MS * 1000;                 \
        while (!(cond) && clock_mono_us(&va_clock_system) < late_) {                               \
            rig_work(r);                                                                           \
            if (!(cond))                                                                           \
                rig_wait(r);                                                                       \
        }                                                                                          \
        if (!(cond))                                                                               \
            fail_msg("did not happen: %s (failed: %s; answers %u, done %u, order %s, said %s)",    \
                     #cond, (r)->cause, (r)->answers, (r)->done, (r)->order, buf_z(&(r)->said));   \
    } while (0)

/** Let everything run that is due within `ms`. */
static inline void rig_settle(struct rig *r, unsigned ms)
{
    bool over = false;
    struct tmr t = {0};
    unsigned speed = r->speed;
    r->speed = RIG_SPEED; /* nobody is waited for */
    tmr_start(&t, r->loop, ms, rig_over, &over);
    for (rig_work(r); !over; rig_work(r))
        rig_wait(r);
    r->speed = speed;
}

/** A frame of the caller, and the time it takes. */
static inline void rig_frame(struct rig *r, const int16_t frame[static 160])
{
    if (r->p)
        r->with->ops->audio_in(r->p, frame, 160);
    rig_work(r);
    va_clock_manual_advance(&r->clock, 20000 - RIG_TURN_US);
}

/** Caller's audio: `ms` of a voice or of silence. */
static inline void rig_speak(struct rig *r, unsigned ms, bool voice)
{
    int16_t frame[160];
    for (unsigned at = 0; at < ms && r->p; at += 20) {
        memset(frame, 0, sizeof(frame));
        if (voice)
            fake_tone(frame, 160, 8000, 300, at * 8);
        rig_frame(r, frame);
    }
}

/** The far end goes away: whoever calls it is refused. */
static inline void rig_vanish(struct rig *r)
{
    tcp_listener_close(&r->fake.listener);
    if (r->with->vanish)
        r->with->vanish(r);
}

static inline bool rig_heard(const struct rig *r, const char *line)
{
    return strstr(buf_z(&r->said), line) != NULL;
}

static inline void rig_no_refusals(const struct rig *r)
{
    assert_string_equal(buf_z(&r->fake.seen.refusals), "");
}

static inline void rig_end(struct rig *r)
{
    if (r->p)
        r->with->ops->close(&r->p);
    rig_settle(r, 5);
    if (r->with->end)
        r->with->end(r);
    fake_stop(&r->fake);
    rig_settle(r, 1);
    loop_free(&r->loop);
    history_free(&r->history);
    const struct secretary *s = r->secretary;
    secretary_unref(&s);
    buf_free(&r->said);
}

#endif
