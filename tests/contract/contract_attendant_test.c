/* The contract suite: the attendant, and the chain that falls back on it. */
#include "contract/helpers_fake.h"
#include "contract/pipeline_fake.h"

#include "ai/attendant/attendant.h"
#include "ai/chain/chain.h"

static void configure_attendant(struct rig *r)
{
    hp_configure(r);
    r->speed = 0;
    pf_set(r->settings.ai_provider, "attendant");
}

/* Whoever should speak cannot be reached: its port was somebody's a moment ago. */
static void configure_chain(struct rig *r)
{
    hp_configure(r);
    r->speed = 0;
    chain_health_forget();
    r->env.find = provider_find;
    pf_set(r->settings.ai_provider, "xai");
    pf_set(r->settings.xai_api_key, "sk-test");
    pf_set(r->settings.xai_base_url, r->fake.url);
    tcp_listener_close(&r->fake.listener);
}

#define HELPERS                                                                                    \
    .proto = &pf_no_ear_fake, .opening = hp_opening, .end = hp_end, .utter = hp_utter,             \
    .sessionless = true, .own_prompts = true, .own_ear = true, .own_voice = true, .no_model = true

static const struct contract_case cases[] = {
    {.name = "attendant", .ops = &provider_attendant, .configure = configure_attendant, HELPERS},
    {.name = "chain", .ops = &provider_chain, .configure = configure_chain, HELPERS},
};

/* ---- in place of others -----------------------------------------------------------------------
 */

static void test_digit_chooses(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.with->ops->digit(r.p, '1');
    RIG_UNTIL(&r, r.tools == 1);
    assert_int_equal(r.tool.kind, TOOL_TRANSFER);
    assert_string_equal(r.destination, "sales");
    rig_end(&r);
}

/* A second and a half of it: asked for again, nobody is dialled, and words are understood behind
 * it.
 */
static void test_noise_as_speech(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.with->ops->turn(r.p, TURN_STARTED, 0);
    hp_noise(&r, 1500);
    r.with->ops->turn(r.p, TURN_ENDED, 0);
    RIG_UNTIL(&r, r.done == 1);
    assert_string_equal(r.order, "F");
    assert_true(rig_heard(&r, "A:Sorry"));
    hear_out(&r);
    take_turn(&r);
    assert_true(rig_heard(&r, "A:It is open until six."));
    assert_int_equal(r.tools, 0);
    assert_false(r.failed);
    rig_end(&r);
}

static const char nobody[] = "there is nobody far away",
                  whole[] = "an answer begins when all of it is there";

static const struct contract_skip skips[] = {
    {"*", "prompt", "no model is told anything", NULL, NULL},
    {"*", "digit", "digits choose", "digit_chooses", test_digit_chooses},
    {"*", "slow", whole, "helper_is_slow", test_helper_is_slow},
    {"*", "stall", whole, "helper_hangs", test_helper_hangs},
    {"*", "silence", nobody, NULL, NULL},
    {"*", "garbage", nobody, "noise_as_speech", test_noise_as_speech},
    {"*", "never_ready", "it is ready without having asked anybody", NULL, NULL},
    {"*", "refused", nobody, "helper_fails", test_helper_fails},
    {"*", "nobody_there", "a voice that is missing ends the program's start", NULL, NULL},
    {"*", "drop_mid_word", nobody, "helper_is_killed", test_helper_is_killed},
    {"*", "loss_is_not_an_end", whole, NULL, NULL},
    {"*", "close_codes", nobody, NULL, NULL},
    {"*", "reconnects_are_bounded", nobody, NULL, NULL},
    {"*", "session_limit", "the call's longest duration is the only one", NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    hp_begin_program();
    int failed = suite_run("contract attendant", cases, sizeof(cases) / sizeof(cases[0]), skips,
                           argc > 1 ? argv[1] : NULL);
    hp_end_program();
    return failed;
}
