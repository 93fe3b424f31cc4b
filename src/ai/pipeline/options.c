#include "ai/pipeline/options.h"

struct stage_texts {
    const char *key; /* "stt"; its model is "stt-model" */
    const char *setting;
    char *provider, *base_url, *api_key, *model;
};

enum { STAGES = 3 };

static enum va_err set_provider(const struct stage_texts *t, struct str value,
                                struct va_fault *fault)
{
    const struct setting *row = settings_find(str_of(t->setting));
    struct str rest = str_of(row->choices);
    while (rest.len) {
        struct str choice = str_cut(&rest, '|');
        if (!str_eq(choice, value))
            continue;
        if (!str_eqz(value, t->provider))
            *t->base_url = *t->api_key = *t->model = '\0';
        (void)str_copy(t->provider, SETTING_TEXT_MAX, value);
        return VA_OK;
    }
    return va_fault_set(fault, VA_ECONFIG, "provider pipeline: %s=%.*s must be one of %s", t->key,
                        STR_ARG(value), row->choices);
}

static bool is_model_of(struct str key, const char *stage)
{
    size_t n = strlen(stage);
    return str_starts(key, stage) && str_eqz(str_make(key.p + n, key.len - n), "-model");
}

static enum va_err apply_one(struct stage_texts stages[static STAGES], struct str one,
                             struct va_fault *fault)
{
    struct str value = one, key = str_cut(&value, '=');
    for (size_t i = 0; i < STAGES; i++) {
        if (str_eqz(key, stages[i].key))
            return set_provider(&stages[i], value, fault);
        if (is_model_of(key, stages[i].key)) {
            (void)str_copy(stages[i].model, SETTING_TEXT_MAX, value);
            return VA_OK;
        }
    }
    return va_fault_set(
        fault, VA_ECONFIG,
        "provider pipeline: no option \"%.*s\"; there are stt, llm, tts, stt-model, "
        "llm-model and tts-model, as in pipeline:stt=deepgram+tts=piper",
        STR_ARG(key));
}

static struct str options_of(const char *name)
{
    struct str rest = str_of(name);
    (void)str_cut(&rest, ':');
    return rest;
}

bool options_any(const char *name)
{
    return name && options_of(name).len > 0;
}

/* Providers first: choosing one empties the model. */
enum va_err options_apply(const char *name, struct settings *s, struct va_fault *fault)
{
    struct stage_texts stages[STAGES] = {
        {"stt", "STT_PROVIDER", s->stt_provider, s->stt_base_url, s->stt_api_key, s->stt_model},
        {"llm", "LLM_PROVIDER", s->llm_provider, s->llm_base_url, s->llm_api_key, s->llm_model},
        {"tts", "TTS_PROVIDER", s->tts_provider, s->tts_base_url, s->tts_api_key, s->tts_model}};
    for (int models = 0; models < 2; models++) {
        struct str rest = options_of(name);
        while (rest.len) {
            struct str one = str_cut(&rest, '+');
            struct str key = one;
            key = str_cut(&key, '=');
            bool is_model = memchr(key.p, '-', key.len) != NULL;
            enum va_err err = is_model == (models == 1) ? apply_one(stages, one, fault) : VA_OK;
            if (err)
                return err;
        }
    }
    return VA_OK;
}
