/* The contract suite: pipelines whose ear, model and voice are services over a network. */
#include "contract/pipeline_fake.h"
#include "contract/suite.h"

#include "ai/pipeline/pipeline.h"

static void configure_deepgram(struct rig *r)
{
    pf_start(r, "deepgram", "openai", "elevenlabs");
}

static void configure_anthropic(struct rig *r)
{
    pf_start(r, "openai", "anthropic", "openai");
}

/* An error of Anthropic's is one: it is not here. */
static const char *const anthropic_garbage[] = {
    "",
    "{",
    "[]",
    "null",
    "{\"type\":7}",
    "{\"type\":\"new.event\"}",
    "{\"type\":\"content_block_delta\"}",
    "{\"type\":\"content_block_delta\",\"index\":-1,\"delta\":{\"type\":\"input_json_delta\"}}",
    NULL};

static const struct contract_case cases[] = {
    {.name = "deepgram-openai-elevenlabs",
     .ops = &provider_pipeline,
     .proto = &pf_ear_fake,
     .configure = configure_deepgram,
     .vanish = pf_vanish,
     .end = pf_end,
     .stops = true,
     .stall_ends = true,
     .own_prompts = true},
    {.name = "openai-anthropic-openai",
     .ops = &provider_pipeline,
     .proto = &pf_no_ear_fake,
     .configure = configure_anthropic,
     .vanish = pf_vanish,
     .end = pf_end,
     .garbage = anthropic_garbage,
     .stops = true,
     .sessionless = true,
     .stall_ends = true,
     .own_prompts = true,
     .hears_ms = 800},
};

/* ---- in place of others -----------------------------------------------------------------------
 */

/* Its session is opened again with the next words, but not for ever. */
static void test_ear_is_lost(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    for (unsigned n = 2; n <= 3; n++) {
        fake_drop(&r.fake);
        RIG_UNTIL(&r, r.fake.seen.sessions == n);
        take_turn(&r);
        assert_int_equal(r.answers, n - 1);
    }
    fake_drop(&r.fake);
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.why, VA_ECLOSED);
    assert_non_null(strstr(r.cause, "STT"));
    assert_int_equal(r.fake.seen.connections, 3);
    rig_no_refusals(&r);
    rig_end(&r);
}

static const char http_only[] = "each request is a connection of its own, and none is repeated";

static const struct contract_skip skips[] = {
    {"*", "close_codes", "HTTP has none, and the ear is opened again whatever its code", NULL,
     NULL},
    {"deepgram-openai-elevenlabs", "reconnects_are_bounded", "the ear alone has a session",
     "ear_is_lost", test_ear_is_lost},
    {"openai-anthropic-openai", "reconnects_are_bounded", http_only, NULL, NULL},
    {"openai-anthropic-openai", "session_limit", http_only, NULL, NULL},
    {"openai-anthropic-openai", "never_ready", "it is ready without having asked anybody", NULL,
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    return suite_run("contract pipeline", cases, sizeof(cases) / sizeof(cases[0]), skips,
                     argc > 1 ? argv[1] : NULL);
}
