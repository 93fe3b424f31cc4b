/* From one provider to the next, and the deadlines that lead there. */
#include "ai/chain/chain_int.h"

/* ---- deadlines ---------------------------------------------------------------------------------
 * One timer; what it stands for follows from what is awaited. When it fires too early because
 * something came meanwhile, it is set again: audio comes often, deadlines never. */

enum awaited { AWAIT_NOTHING, AWAIT_READY, AWAIT_AUDIO, AWAIT_MORE };

static enum awaited awaited(const struct provider *p, uint64_t *ret_due_us)
{
    const struct settings *s = p->cfg.settings;
    uint64_t heard = p->audio_us > p->audible_until_us ? p->audio_us : p->audible_until_us;
    if (p->state == CHAIN_OPENING && p->inner) {
        *ret_due_us = p->opened_us + (uint64_t)s->ai_connect_timeout_ms * 1000;
        return AWAIT_READY;
    }
    if (!chain_talking(p) || p->turn_open)
        return AWAIT_NOTHING;
    if (p->owed.kind != OWED_NOTHING && !p->owed.sounding) {
        *ret_due_us = p->owed.since_us + (uint64_t)s->ai_first_audio_timeout_ms * 1000;
        return AWAIT_AUDIO;
    }
    if (!p->open_from)
        return AWAIT_NOTHING;
    *ret_due_us = heard + (uint64_t)s->ai_stall_timeout_ms * 1000;
    return AWAIT_MORE;
}

static void on_deadline(void *arg)
{
    static const char *const texts[] = {
        [AWAIT_READY] = "not ready within AI_CONNECT_TIMEOUT_MS",
        [AWAIT_AUDIO] = "no answer within AI_FIRST_AUDIO_TIMEOUT_MS",
        [AWAIT_MORE] = "its answer stopped for AI_STALL_TIMEOUT_MS",
    };
    struct provider *p = arg;
    uint64_t due = 0;
    enum awaited what = awaited(p, &due);
    if (what != AWAIT_NOTHING && due > loop_now_us(p->cfg.loop)) {
        chain_watch(p);
    } else if (what != AWAIT_NOTHING) {
        chain_count(COUNT_timeouts);
        chain_fail(p, VA_ETIMEOUT, texts[what]);
    }
}

void chain_watch(struct provider *p)
{
    uint64_t due = 0, now = loop_now_us(p->cfg.loop);
    if (awaited(p, &due) == AWAIT_NOTHING)
        tmr_stop(&p->deadline);
    else if (!tmr_running(&p->deadline) || p->deadline.due_us > due)
        tmr_start(&p->deadline, p->cfg.loop, due > now ? (due - now + 999) / 1000 : 0, on_deadline,
                  p);
}

/* ---- the next one ------------------------------------------------------------------------------
 */

static void note_failure(struct provider *p, enum va_err why, const char *text)
{
    static const enum chain_count counts[] = {COUNT_fatal, COUNT_busy, COUNT_lost};
    static const char *const kinds[] = {"fatal", "busy", "lost"};
    static const uint64_t skip_s[] = {CHAIN_SKIP_FATAL_S, CHAIN_SKIP_BUSY_S,
                                      CHAIN_SKIP_UNREACHED_S};
    enum chain_class kind = chain_class_of(why);
    bool skip = kind != CHAIN_CLASS_LOST || p->state == CHAIN_OPENING;
    chain_count(counts[kind]);
    if (skip)
        chain_health_note(p->name[p->next - 1], p->cfg.secretary, why, loop_now_us(p->cfg.loop),
                          skip_s[kind]);
    log_warn("ai", &p->cfg.log, "provider-failed", "provider", p->ops->name, "kind", kinds[kind],
             "why", va_err_text(why), "cause", text, "skipped_s",
             log_num(skip ? (int64_t)skip_s[kind] : 0), NULL);
}

/* Whether the one just chosen is worth a try; the last of the list always is. */
static bool usable(struct provider *p, const char *name)
{
    if (!p->ops) {
        chain_count(COUNT_unknown);
        log_warn("ai", &p->cfg.log, "provider-unknown", "provider", name, "note",
                 "not in this version; see voice-ai provider list", NULL);
        return false;
    }
    uint64_t left = chain_health_left_ms(name, p->cfg.secretary, loop_now_us(p->cfg.loop));
    if (!left || p->next == p->name_count)
        return true;
    chain_count(COUNT_skipped);
    log_info("ai", &p->cfg.log, "provider-skipped", "provider", name, "note",
             "it failed a moment ago", "left_ms", log_num((int64_t)left), NULL);
    return false;
}

static enum va_err open_one(struct provider *p)
{
    p->opened_us = loop_now_us(p->cfg.loop);
    p->cfg.name = p->name[p->next - 1];
    enum va_err err = p->ops->open(&p->cfg, &chain_inner_handlers, p, &p->inner);
    if (err) {
        p->inner = NULL;
        note_failure(p, err, "it could not be opened");
        return err;
    }
    chain_count(COUNT_opened);
    log_info("ai", &p->cfg.log, "provider-open", "provider", p->ops->name, "history",
             log_num((int64_t)history_count(p->cfg.history)), NULL);
    chain_watch(p);
    return VA_OK;
}

enum va_err chain_open_next(struct provider *p)
{
    enum va_err err = VA_ENOTFOUND;
    while (p->next < p->name_count) {
        const char *name = p->name[p->next++];
        p->ops = p->cfg.env->find(name);
        if (!usable(p, name))
            continue;
        err = open_one(p);
        if (!err)
            return VA_OK;
    }
    chain_count(COUNT_exhausted);
    return err;
}

/* ---- failure ------------------------------------------------------------------------------------
 */

static void close_inner(struct provider *p)
{
    tmr_stop(&p->deadline);
    p->ops->close(&p->inner);
    chain_state_set(p, CHAIN_OPENING);
    p->base = p->last;
    p->tool_base = p->tool_last;
    p->inner_last = 0;
}

/* What was begun ends where it stopped: the caller hears what there is of it, and no turn waits for
 * an ear that is gone. */
static void end_what_is_open(struct provider *p)
{
    uint32_t from = p->open_from;
    bool turn = p->turn_open;
    p->open_from = 0;
    for (uint32_t id = from; id && id <= p->last && p->state != CHAIN_CLOSED; id++)
        p->h->on_answer_done(p->arg, id);
    if (turn && p->state != CHAIN_CLOSED) {
        p->turn_open = false;
        p->h->on_speech(p->arg, TURN_FALSE);
    }
}

void chain_fail(struct provider *p, enum va_err why, const char *text)
{
    note_failure(p, why, text);
    uint64_t now = loop_now_us(p->cfg.loop);
    bool cut = p->open_from != 0;
    if (p->turn_open && p->wondering)
        p->owed = p->before; /* of the sound under way nobody will know */
    chain_known(p);
    bool words = p->owed.words;
    close_inner(p);
    if (cut && p->owed.kind == OWED_NOTHING)
        chain_owe(p, OWED_ANSWER, SAY_ANSWER, words);
    p->owed.sounding = false;
    p->owed.after = p->last;
    if (cut || p->audible_until_us > now) /* the silence is still to come */
        p->owed.since_us = now;
    end_what_is_open(p);
    if (p->state == CHAIN_CLOSED)
        return;
    enum va_err err = chain_open_next(p);
    if (!err) {
        chain_filler_arm(p);
        return;
    }
    chain_filler_stop(p);
    chain_state_set(p, CHAIN_FAILED);
    p->h->on_failed(p->arg, why, text);
}

/* The caller's words are half heard by an ear that tells no end of them: ended here, as lost. */
static void end_half_turn(struct provider *p)
{
    p->turn_open = false;
    chain_known(p);
    chain_owe(p, OWED_ANSWER, SAY_ANSWER, false);
    p->h->on_speech(p->arg, TURN_ENDED);
}

void chain_take_over(struct provider *p)
{
    chain_count(COUNT_takeovers);
    if (p->turn_open && p->ops->caps(p->inner)->detects_turns)
        end_half_turn(p);
    if (!chain_talking(p))
        return;
    /* A sound nobody could listen to: what was known to be wanted before it is the better guess. */
    if (p->wondering && !p->turn_open && p->before.kind != OWED_NOTHING)
        p->owed = p->before;
    p->owed.since_us = loop_now_us(p->cfg.loop);
    if (p->turn_open)
        p->ops->turn(p->inner, TURN_STARTED, 0);
    else if (p->owed.kind == OWED_SAY)
        p->ops->say(p->inner, p->owed.say);
    else if (p->owed.kind == OWED_ANSWER)
        p->ops->say(p->inner, p->owed.words ? SAY_ANSWER : SAY_REPEAT);
    chain_watch(p);
}
