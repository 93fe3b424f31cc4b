/* The contract suite: pipelines whose ear, or ear and voice, are the embedded ones. */
#include "contract/helpers_fake.h"
#include "contract/pipeline_fake.h"

#include "ai/pipeline/pipeline.h"

static void configure_piper(struct rig *r)
{
    hp_configure(r);
    pf_start(r, "embedded", "openai", "piper");
    *r->settings.tts_api_key = '\0';
}

static void configure_embedded(struct rig *r)
{
    hp_configure(r);
    pf_start(r, "embedded", "openai", "embedded");
}

static void end(struct rig *r)
{
    pf_end(r);
    hp_end(r);
}

#define EMBEDDED                                                                                   \
    .ops = &provider_pipeline, .proto = &pf_no_ear_fake, .vanish = pf_vanish, .end = end,          \
    .utter = hp_utter, .sessionless = true, .stall_ends = true, .own_prompts = true,               \
    .own_ear = true

static const struct contract_case cases[] = {
    {.name = "embedded-openai-piper", .configure = configure_piper, EMBEDDED},
    {.name = "embedded-openai-embedded",
     .configure = configure_embedded,
     .own_voice = true,
     EMBEDDED},
};

static const char http_only[] = "each request is a connection of its own, and none is repeated",
                  whole[] = "the sound of a sentence comes as a whole";

static const struct contract_skip skips[] = {
    {"*", "stall", whole, NULL, NULL},
    {"embedded-openai-embedded", "slow", whole, "helper_is_slow", test_helper_is_slow},
    {"*", "never_ready", "it is ready without having asked anybody", NULL, NULL},
    {"embedded-openai-embedded", "drop_mid_word", whole, "helper_is_killed", test_helper_is_killed},
    {"*", "loss_is_not_an_end", whole, NULL, NULL},
    {"*", "close_codes", "HTTP has none", NULL, NULL},
    {"*", "reconnects_are_bounded", http_only, NULL, NULL},
    {"*", "session_limit", http_only, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    hp_begin_program();
    int failed = suite_run("contract embedded", cases, sizeof(cases) / sizeof(cases[0]), skips,
                           argc > 1 ? argv[1] : NULL);
    hp_end_program();
    return failed;
}
