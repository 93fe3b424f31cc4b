#include "app/provider_try.h"
#include "media/clock.h"
#include "media/measure.h"
#include "media/vad.h"

#include <inttypes.h>

enum {
    FRAME_MS = 20,
    LEAD_MS = 400,    /* of silence before the question: an ear needs a floor */
    HEAR_MS = 3000,   /* behind the question: the turn has been heard by then */
    LINGER_MS = 600,  /* texts and costs may come behind the answer */
    QUIET_DBFS = -60, /* an answer below this is silence */
    PTIME_SAMPLES_MAX = MEDIA_RATE_MAX_HZ / 1000 * FRAME_MS
};

enum try_state { TRY_CONNECTING, TRY_ASKING, TRY_WAITING, TRY_ANSWERING, TRY_LINGERING, TRY_OVER };

struct
try {
    const struct try_cfg *cfg;
    struct try_result *r;
    enum try_state state;
    uint64_t since_us; /* of the state */
    struct provider *p;
    struct media_clock *clock;
    struct media_tick tick;
    struct vad *vad;
    struct history *history;
    struct call_record record;
    size_t at;      /* samples of lead and question sent */
    bool turn_told; /* that it started */
};

static uint64_t now_us(const struct try *t)
{
    return loop_now_us(t->cfg->loop);
}

static void set_state(struct try *t, enum try_state next)
{
    t->state = next;
    t->since_us = now_us(t);
}

static void fail(struct try *t, enum va_err why, const char *text)
{
    if (t->state == TRY_OVER)
        return;
    if (!t->r->fault.code)
        va_fault_set(&t->r->fault, why, "%s", text);
    set_state(t, TRY_OVER);
}

static void once(uint64_t *at_us, uint64_t now)
{
    if (!*at_us)
        *at_us = now;
}

/* ---- what the provider says --------------------------------------------------------------------
 */

static void on_ready(void *arg)
{
    struct try *t = arg;
    t->r->ready_us = now_us(t);
    set_state(t, TRY_ASKING);
}

static void on_answer(void *arg, uint32_t answer, unsigned flags)
{
    (void)arg, (void)answer, (void)flags;
}

static void on_audio(void *arg, uint32_t answer, struct pcm *audio)
{
    struct try *t = arg;
    double level = measure_rms_dbfs(pcm_samples(audio), pcm_count(audio));
    (void)answer;
    if (!t->r->first_audio_us || level > t->r->level_dbfs)
        t->r->level_dbfs = level;
    once(&t->r->first_audio_us, now_us(t));
    t->r->audio_ms += pcm_ms(audio);
    if (t->state == TRY_WAITING)
        set_state(t, TRY_ANSWERING);
}

static void answered(struct try *t)
{
    t->r->done_us = now_us(t);
    set_state(t, TRY_LINGERING);
}

static void on_answer_done(void *arg, uint32_t answer)
{
    struct try *t = arg;
    (void)answer;
    if (t->state == TRY_ANSWERING)
        answered(t);
}

static void on_transcript(void *arg, enum speaker who, uint32_t answer, const char *text)
{
    struct try *t = arg;
    struct buf *out = who == SPEAKER_CALLER ? &t->r->heard : &t->r->answered;
    (void)answer;
    if (out->len)
        buf_addc(out, ' ');
    buf_addz(out, text);
}

static void on_speech(void *arg, enum turn_phase phase)
{
    struct try *t = arg;
    if (!t->cfg->ops->caps(t->p)->detects_turns)
        return;
    if (phase == TURN_STARTED)
        once(&t->r->turn_started_us, now_us(t));
    if (phase == TURN_ENDED)
        t->r->turn_ended_us = now_us(t);
}

static void on_tool(void *arg, const struct tool_call *tool)
{
    static const char *const names[] = {"transfer to ", "take a message", "end the call"};
    struct try *t = arg;
    (void)snprintf(t->r->tool, sizeof(t->r->tool), "%s%.60s", names[tool->kind],
                   tool->kind == TOOL_TRANSFER ? tool->destination : "");
    if (t->state == TRY_WAITING || t->state == TRY_ANSWERING)
        answered(t);
}

static void on_failed(void *arg, enum va_err why, const char *text)
{
    fail(arg, why, text && *text ? text : va_err_text(why));
}

static void on_usage(void *arg, const char *text)
{
    struct try *t = arg;
    buf_reset(&t->r->usage);
    buf_addz(&t->r->usage, text);
}

static const struct provider_handlers handlers = {
    .on_ready = on_ready,
    .on_answer = on_answer,
    .on_audio = on_audio,
    .on_answer_done = on_answer_done,
    .on_transcript = on_transcript,
    .on_speech = on_speech,
    .on_tool = on_tool,
    .on_failed = on_failed,
    .on_usage = on_usage,
};

/* ---- what the caller says ----------------------------------------------------------------------
 */

static void our_ear(struct try *t, const int16_t *frame, size_t n)
{
    uint64_t at_ms = 0;
    enum vad_event e = vad_feed(t->vad, frame, n, &at_ms);
    if (e == VAD_NONE || t->cfg->ops->caps(t->p)->detects_turns)
        return;
    if (e == VAD_STARTED)
        once(&t->r->turn_started_us, now_us(t));
    else
        t->r->turn_ended_us = now_us(t);
    t->cfg->ops->turn(t->p, e == VAD_STARTED ? TURN_STARTED : TURN_ENDED,
                      (unsigned)(vad_now_ms(t->vad) - at_ms));
}

/* Silence, the question, silence. */
static void say_frame(struct try *t)
{
    const struct pcm *q = t->cfg->question;
    int16_t frame[PTIME_SAMPLES_MAX] = {0};
    size_t rate = (size_t)pcm_rate_hz(q), n = rate / 1000 * FRAME_MS;
    size_t lead = rate / 1000 * LEAD_MS, count = pcm_count(q);
    if (t->at >= lead && t->at - lead < count) {
        size_t from = t->at - lead, part = count - from < n ? count - from : n;
        memcpy(frame, pcm_samples(q) + from, part * sizeof(*frame));
    }
    t->at += n;
    if (t->state == TRY_ASKING && t->at >= lead + count) {
        t->r->spoken_us = now_us(t);
        set_state(t, t->r->first_audio_us ? TRY_ANSWERING : TRY_WAITING);
    }
    t->cfg->ops->audio_in(t->p, frame, n);
    our_ear(t, frame, n);
}

/* ---- patience ----------------------------------------------------------------------------------
 */

static const char *what_is_missing(const struct try *t, char *out, size_t cap)
{
    const char *who = t->r->detects_turns ? "the provider" : "our voice detector";
    if (t->state == TRY_CONNECTING)
        (void)snprintf(out, cap,
                       "it was not ready within AI_CONNECT_TIMEOUT_MS=%" PRId64
                       " ms; is its address reachable from here?",
                       t->cfg->settings->ai_connect_timeout_ms);
    else if (!t->r->turn_started_us)
        (void)snprintf(out, cap, "%s heard no speech in the question; is it silent or too quiet?",
                       who);
    else if (!t->r->turn_ended_us)
        (void)snprintf(out, cap,
                       "%s heard the question begin but not end; is there noise behind "
                       "it?",
                       who);
    else if (t->state == TRY_ANSWERING)
        (void)snprintf(out, cap, "its answer began and never ended");
    else
        (void)snprintf(out, cap,
                       "it heard the question, but nothing of an answer came within "
                       "AI_FIRST_AUDIO_TIMEOUT_MS=%" PRId64 " ms",
                       t->cfg->settings->ai_first_audio_timeout_ms);
    return out;
}

static uint64_t patience_ms(const struct try *t)
{
    const struct settings *s = t->cfg->settings;
    if (t->state == TRY_CONNECTING)
        return (uint64_t)s->ai_connect_timeout_ms;
    return t->state == TRY_WAITING ? (uint64_t)s->ai_first_audio_timeout_ms + HEAR_MS : UINT64_MAX;
}

static void on_tick(void *arg, uint64_t now)
{
    struct try *t = arg;
    char text[240];
    uint64_t in_state_ms = (now - t->since_us) / 1000;
    if (t->state == TRY_LINGERING && in_state_ms >= LINGER_MS)
        set_state(t, TRY_OVER);
    else if (in_state_ms >= patience_ms(t) || (now - t->r->opened_us) / 1000 >= t->cfg->timeout_ms)
        fail(t, VA_ETIMEOUT, what_is_missing(t, text, sizeof(text)));
    else if (t->state != TRY_CONNECTING && t->state != TRY_OVER)
        say_frame(t);
}

/* ---- from beginning to end ---------------------------------------------------------------------
 */

static enum va_err begin(struct try *t)
{
    const struct try_cfg *cfg = t->cfg;
    int rate = pcm_rate_hz(cfg->question);
    struct provider_cfg pc = {.name = cfg->name,
                              .loop = cfg->loop,
                              .env = cfg->env,
                              .secretary = cfg->secretary,
                              .rate_hz = rate,
                              .settings = cfg->settings,
                              .record = &t->record,
                              .log = {"default", "provider-test"}};
    enum va_err err = history_new(&t->history);
    pc.history = t->history;
    if (!err)
        err = vad_new(&(struct vad_cfg){.rate_hz = rate}, &t->vad);
    if (!err)
        err = media_clock_new(cfg->loop, &t->clock);
    if (!err)
        err = media_clock_join(t->clock, &t->tick, FRAME_MS, on_tick, t);
    t->r->opened_us = t->since_us = now_us(t);
    if (!err)
        err = cfg->ops->open(&pc, &handlers, t, &t->p);
    return err;
}

static void judge(struct try *t)
{
    struct try_result *r = t->r;
    if (!r->fault.code && !*r->tool && r->level_dbfs < QUIET_DBFS)
        va_fault_set(&r->fault, VA_EPROTO, "its answer is %" PRIu64 " ms of silence", r->audio_ms);
}

enum va_err try_provider(const struct try_cfg *cfg, struct try_result *ret)
{
    struct try t = {.cfg = cfg, .r = ret};
    *ret = (struct try_result){0};
    buf_init(&ret->heard, TRY_TEXT_MAX);
    buf_init(&ret->answered, TRY_TEXT_MAX);
    buf_init(&ret->usage, TRY_TEXT_MAX);
    enum va_err err = begin(&t);
    if (err)
        va_fault_set(&ret->fault, err, "it cannot begin: %s", va_err_text(err));
    while (!err && t.state != TRY_OVER)
        loop_turn(cfg->loop, true);
    const struct provider_caps *caps = cfg->ops->caps(t.p);
    ret->detects_turns = caps->detects_turns;
    (void)str_copy(ret->formats, sizeof(ret->formats), str_of(caps->formats ? caps->formats : ""));
    if (!err)
        judge(&t);
    if (t.p)
        cfg->ops->close(&t.p);
    media_clock_leave(&t.tick);
    loop_turn(cfg->loop, false);
    loop_turn(cfg->loop, false);
    media_clock_free(&t.clock);
    vad_free(&t.vad);
    history_free(&t.history);
    return ret->fault.code;
}

void try_free(struct try_result *r)
{
    buf_free(&r->heard);
    buf_free(&r->answered);
    buf_free(&r->usage);
}
