/* The chain as a provider: what the call says, on its way to the inner one, and its life. */
#include "ai/chain/chain_int.h"

#include <stdlib.h>

enum { FILLER_MAX = 4096 /* its text [bytes] */ };

void chain_state_set(struct provider *p, enum chain_state next)
{
    static const char *const names[] = {"opening", "talking", "failed", "closed"};
    log_debug("ai", &p->cfg.log, "chain", "from", names[p->state], "to", names[next], "provider",
              p->ops ? p->ops->name : "-", NULL);
    p->state = next;
}

static const struct provider_caps *chain_caps(const struct provider *p)
{
    static const struct provider_caps nobody = {.holds_answers = true,
                                                .truncates = true,
                                                .takes_text = true,
                                                .formats = "of whoever speaks"};
    return p && chain_talking(p) ? p->ops->caps(p->inner) : &nobody;
}

/* ---- what is owed ------------------------------------------------------------------------------
 */

void chain_owe(struct provider *p, enum chain_kind kind, enum say_intent say, bool words)
{
    p->owed = (struct chain_owed){.kind = kind,
                                  .say = say,
                                  .words = words,
                                  .after = p->last,
                                  .since_us = loop_now_us(p->cfg.loop)};
    if (p->state == CHAIN_OPENING)
        chain_filler_arm(p);
}

void chain_known(struct provider *p)
{
    p->wondering = false;
}

/* A sound may be none: then what was owed before it still is. */
void chain_note_turn(struct provider *p, enum turn_phase phase)
{
    if (phase == TURN_STARTED) {
        if (!p->wondering)
            p->before = p->owed;
        p->wondering = p->turn_open = true;
        p->owed.words = false;
        chain_filler_stop(p);
    } else if (phase == TURN_CONFIRMED) {
        chain_known(p);
    } else if (phase == TURN_ENDED) {
        p->turn_open = false;
        if (chain_caps(p)->detects_turns)
            chain_known(p);
        chain_owe(p, OWED_ANSWER, SAY_ANSWER, p->owed.words);
    } else {
        p->turn_open = false;
        if (p->wondering)
            p->owed = p->before;
        p->owed.since_us = loop_now_us(p->cfg.loop);
        chain_known(p);
    }
    chain_watch(p);
}

/* ---- operations --------------------------------------------------------------------------------
 */

static void chain_audio_in(struct provider *p, const int16_t *samples, size_t count)
{
    if (chain_talking(p))
        p->ops->audio_in(p->inner, samples, count);
}

static void chain_turn(struct provider *p, enum turn_phase phase, unsigned back_ms)
{
    bool told = p->turn_open || phase != TURN_ENDED; /* whoever heard it begin may hear its end */
    chain_note_turn(p, phase);
    if (chain_talking(p) && told)
        p->ops->turn(p->inner, phase, back_ms);
}

static void chain_digit(struct provider *p, char digit)
{
    p->turn_open = false;
    chain_known(p);
    chain_owe(p, OWED_ANSWER, SAY_ANSWER, true); /* the call writes it down as the caller's words */
    if (chain_talking(p))
        p->ops->digit(p->inner, digit);
    chain_watch(p);
}

static void chain_say(struct provider *p, enum say_intent intent)
{
    p->turn_open = false; /* whatever the caller was saying: from here on this is awaited */
    chain_owe(p, OWED_SAY, intent, false);
    if (chain_talking(p))
        p->ops->say(p->inner, intent);
    chain_watch(p);
}

static void chain_tool_result(struct provider *p, uint32_t tool_id, enum va_err result)
{
    bool its = tool_id > p->tool_base;
    if (result == VA_ECANCELED || result == VA_ELIMIT) {
        if (its && chain_talking(p))
            p->ops->tool_result(p->inner, tool_id - p->tool_base, result);
        return;
    }
    /* Of a provider that is gone: nobody knows any more what it wanted to say. */
    chain_owe(p, its ? OWED_ANSWER : OWED_SAY, its ? SAY_ANSWER : SAY_STILL_THERE, false);
    if (chain_talking(p) && its)
        p->ops->tool_result(p->inner, tool_id - p->tool_base, result);
    else if (chain_talking(p))
        p->ops->say(p->inner, SAY_STILL_THERE);
    chain_watch(p);
}

static void chain_interrupt(struct provider *p, uint32_t answer, uint32_t heard_ms)
{
    p->owed.kind = OWED_NOTHING;
    p->open_from = 0;
    p->audible_until_us = 0;
    chain_known(p);
    chain_filler_stop(p);
    chain_watch(p);
    if (!chain_talking(p))
        return;
    if (answer > p->base)
        p->ops->interrupt(p->inner, answer - p->base, heard_ms);
    else if (p->inner_last) /* a filler or an older one's was heard; its own waited behind */
        p->ops->interrupt(p->inner, p->inner_last, 0);
}

/* ---- life --------------------------------------------------------------------------------------
 */

static void destroy(void *arg)
{
    struct provider *p = arg;
    secretary_unref(&p->cfg.secretary);
    buf_free(&p->filler);
    free(p);
}

static void chain_close(struct provider **pp)
{
    struct provider *p = pp ? *pp : NULL;
    if (!p)
        return;
    *pp = NULL;
    chain_state_set(p, CHAIN_CLOSED);
    if (p->inner)
        p->ops->close(&p->inner);
    chain_filler_stop(p);
    tmr_stop(&p->deadline);
    tmr_stop(&p->patience);
    /* A handler of ours may be on the stack: the memory goes with the next turn of the loop. */
    tmr_start(&p->later, p->cfg.loop, 0, destroy, p);
}

static void add_name(struct provider *p, const char *name)
{
    for (size_t i = 0; i < p->name_count; i++)
        if (strcmp(p->name[i], name) == 0)
            return;
    if (*name && p->name_count < CHAIN_NAMES_MAX)
        p->name[p->name_count++] = name;
}

/* AI_FALLBACK is cut into its names in a copy. */
static void add_list(struct provider *p)
{
    (void)str_copy(p->list, sizeof(p->list), str_of(p->cfg.settings->ai_fallback));
    for (char *at = p->list; at;) {
        char *comma = strchr(at, ',');
        if (comma)
            *comma = 0;
        char *end = at + strlen(at);
        while (end > at && end[-1] == ' ')
            *--end = 0;
        add_name(p, at + strspn(at, " "));
        at = comma ? comma + 1 : NULL;
    }
}

static void make_list(struct provider *p)
{
    const struct secretary *s = p->cfg.secretary;
    add_name(p, *s->provider ? s->provider : p->cfg.settings->ai_provider);
    for (size_t i = 0; i < s->fallbacks.count; i++)
        add_name(p, s->fallbacks.item[i]);
    if (!s->fallbacks.count)
        add_list(p);
    if (p->name_count == CHAIN_NAMES_MAX)
        p->name_count--; /* room for whoever is always there */
    add_name(p, "attendant");
}

static void on_patience(void *arg)
{
    struct provider *p = arg;
    if (p->told_ready || p->state != CHAIN_OPENING)
        return;
    p->told_ready = true;
    log_info("ai", &p->cfg.log, "provider-slow", "provider", p->ops->name, NULL);
    p->h->on_ready(p->arg);
}

static enum va_err chain_open(const struct provider_cfg *cfg,
                              const struct provider_handlers *handlers, void *arg,
                              struct provider **ret_provider)
{
    struct provider *p = calloc(1, sizeof(*p));
    if (!p)
        return VA_ENOMEM;
    p->cfg = *cfg;
    p->cfg.secretary = secretary_ref(cfg->secretary);
    p->h = handlers;
    p->arg = arg;
    buf_init(&p->filler, FILLER_MAX);
    make_list(p);
    enum va_err err = chain_open_next(p);
    if (err) {
        destroy(p);
        return err;
    }
    tmr_start(&p->patience, cfg->loop, CHAIN_PATIENCE_MS, on_patience, p);
    *ret_provider = p;
    return VA_OK;
}

const struct provider_ops provider_chain = {
    .name = "chain",
    .caps = chain_caps,
    .open = chain_open,
    .audio_in = chain_audio_in,
    .turn = chain_turn,
    .digit = chain_digit,
    .say = chain_say,
    .tool_result = chain_tool_result,
    .interrupt = chain_interrupt,
    .close = chain_close,
};
