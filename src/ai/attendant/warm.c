#include "ai/attendant/attendant_int.h"

#include <stdlib.h>

enum { DESTINATIONS = 10 /* of the announcements */ };

struct warm_up {
    size_t open; /* texts under way, and one for the loop that asks */
    void (*on_done)(void *arg);
    void *arg;
    struct tmr later;
};

static void finish(void *arg)
{
    struct warm_up *w = arg;
    if (--w->open)
        return;
    void (*on_done)(void *) = w->on_done;
    void *done_arg = w->arg;
    free(w);
    on_done(done_arg);
}

static void on_spoken(void *arg, enum va_err err, struct pcm *speech)
{
    (void)err; /* only the cache matters; a real failure shows with the first call */
    pcm_unref(&speech);
    finish(arg);
}

static void warm_prompt(struct warm_up *w, const struct provider_env *env, struct loop *loop,
                        const struct secretary *s, int rate_hz, enum prompt prompt,
                        const char *destination)
{
    struct buf text;
    buf_init(&text, ATTENDANT_TEXT_MAX);
    if (prompt_add(&text, s, prompt, destination) == VA_OK &&
        tts_say(env->tts, loop, s->language, s->voice, rate_hz, buf_z(&text), on_spoken, w, NULL) ==
            VA_OK)
        w->open++;
    buf_free(&text);
}

enum va_err attendant_warm(const struct provider_env *env, struct loop *loop,
                           const struct secretary *secretary, int rate_hz,
                           void (*on_done)(void *arg), void *arg)
{
    static const enum prompt often[] = {
        PROMPT_GREETING, PROMPT_NOT_UNDERSTOOD, PROMPT_STILL_THERE, PROMPT_MESSAGE_START,
        PROMPT_FAREWELL, PROMPT_REPEAT,         PROMPT_FILLER};
    struct asr_grammar *grammar = NULL;
    struct warm_up *w = calloc(1, sizeof(*w));
    if (!w)
        return VA_ENOMEM;
    *w = (struct warm_up){.open = 1, .on_done = on_done, .arg = arg};
    if (listen_grammar(secretary, &grammar) == VA_OK) {
        asr_prepare(env->asr, grammar);
        asr_grammar_unref(&grammar);
    }
    for (size_t i = 0; i < sizeof(often) / sizeof(often[0]); i++)
        warm_prompt(w, env, loop, secretary, rate_hz, often[i], NULL);
    for (size_t i = 0; i < secretary->destination_count && i < DESTINATIONS; i++)
        warm_prompt(w, env, loop, secretary, rate_hz, PROMPT_TRANSFERRING,
                    secretary->destinations[i].name);
    tmr_start(&w->later, loop, 0, finish, w);
    return VA_OK;
}
