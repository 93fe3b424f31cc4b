#include "ai/attendant/attendant_int.h"

static void on_warm(void *arg, enum va_err err, struct pcm *speech)
{
    (void)arg;
    (void)err; /* only the cache matters; a real failure shows with the first call */
    pcm_unref(&speech);
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
    for (size_t i = 0; i < sizeof(often) / sizeof(often[0]); i++) {
        struct buf text;
        buf_init(&text, ATTENDANT_TEXT_MAX);
        if (prompt_add(&text, secretary, often[i], NULL) == VA_OK &&
            tts_say(env->tts, loop, secretary->language, secretary->voice, rate_hz, buf_z(&text),
                    on_warm, NULL, NULL))
            log_debug("ai", NULL, "warm-up-skipped", "prompt", prompt_key(often[i]), NULL);
        buf_free(&text);
    }
}
