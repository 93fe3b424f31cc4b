#include "ai/attendant/attendant_int.h"

enum { DESTINATIONS = 10 };

static void on_warm(void *arg, enum va_err err, struct pcm *speech)
{
    (void)arg;
    (void)err; /* only the cache matters; a real failure shows with the first call */
    pcm_unref(&speech);
}

static void warm_prompt(const struct provider_env *env, struct loop *loop,
                        const struct secretary *s, int rate_hz, enum prompt prompt,
                        const char *destination)
{
    struct buf text;
    buf_init(&text, ATTENDANT_TEXT_MAX);
    if (prompt_add(&text, s, prompt, destination) == VA_OK &&
        tts_say(env->tts, loop, s->language, s->voice, rate_hz, buf_z(&text), on_warm, NULL, NULL))
        log_debug("ai", NULL, "warm-up-skipped", "prompt", prompt_key(prompt), NULL);
    buf_free(&text);
}

void attendant_warm(const struct provider_env *env, struct loop *loop,
                    const struct secretary *secretary, int rate_hz)
{
    static const enum prompt often[] = {PROMPT_GREETING, PROMPT_NOT_UNDERSTOOD, PROMPT_STILL_THERE,
                                        PROMPT_MESSAGE_START, PROMPT_FAREWELL};
    struct asr_grammar *grammar = NULL;
    if (listen_grammar(secretary, &grammar) == VA_OK) {
        asr_prepare(env->asr, grammar);
        asr_grammar_unref(&grammar);
    }
    for (size_t i = 0; i < sizeof(often) / sizeof(often[0]); i++)
        warm_prompt(env, loop, secretary, rate_hz, often[i], NULL);
    for (size_t i = 0; i < secretary->destination_count && i < DESTINATIONS; i++)
        warm_prompt(env, loop, secretary, rate_hz, PROMPT_TRANSFERRING,
                    secretary->destinations[i].name);
}
