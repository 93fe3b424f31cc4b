/* Deepgram's Voice Agent beside the contract suite: refusals, keep-alive, noise, errors, messages
 * cut and garbled. */
#include "contract/deepgram_fake.h"
#include "unit/live_rig.h"

#include "ai/realtime/realtime.h"
#include "ai/realtime/rt.h"

static void configure(struct rig *r)
{
    memset(&df, 0, sizeof(df));
    (void)str_copy(r->settings.deepgram_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)snprintf(r->settings.deepgram_agent_url, SETTING_TEXT_MAX, "%s/v1/agent/converse",
                   r->fake.url);
}

static const struct contract_case with = {.name = "deepgram",
                                          .ops = &provider_deepgram,
                                          .proto = &deepgram_fake,
                                          .configure = configure,
                                          .renews = true};

static void begin(struct rig *r)
{
    live_begin(r, &with);
}

static void test_no_key(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with);
    r.settings.deepgram_api_key[0] = 0;
    live_misses(&r, "DEEPGRAM_API_KEY");
}

static void test_settings_refused(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with);
    df.error =
        "{\"type\":\"Error\",\"code\":\"INVALID_SETTINGS\",\"description\":\"no such voice\"}";
    rig_open(&r);
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.why, VA_ECONFIG);
    assert_non_null(strstr(r.cause, "no such voice"));
    rig_end(&r);
}

/* A part that fails in the middle: another session. */
static void test_part_fails(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    server_says(&r, "{\"type\":\"Warning\",\"code\":\"SLOW\",\"description\":\"slow\"}");
    server_says(&r, "{\"type\":\"Error\",\"code\":\"FAILED_TO_THINK\",\"description\":\"x\"}");
    RIG_UNTIL(&r, r.fake.seen.sessions == 2);
    assert_false(r.failed);
    rig_end(&r);
}

static void test_injection_refused(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    df.refusals = 2;
    r.with->ops->digit(r.p, '#');
    RIG_UNTIL(&r, r.done == 1);
    assert_int_equal(df.refusals, 0);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_keep_alive(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    r.p->dialect->on_tick(r.p);
    RIG_UNTIL(&r, df.keep_alives == 1);
    rig_speak(&r, 100, false);
    r.p->dialect->on_tick(r.p); /* audio flowed */
    rig_settle(&r, 20);
    assert_int_equal(df.keep_alives, 1);
    rig_end(&r);
}

/* A noise ended the answer over there, and nothing follows: that was no turn. */
static void test_noise(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    r.fake.script.answer_ms = 5000;
    r.fake.script.pace_ms = 20;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 300u);
    sf_interrupt(&r.fake);
    RIG_UNTIL(&r, r.phases[TURN_FALSE] == 1);
    assert_string_equal(r.order, "SCF");
    assert_int_equal(r.done, 1);
    rig_end(&r);
}

/* Behind an interruption audio is late until something tells of another answer. */
static void test_late_audio(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    r.fake.script.answer_ms = 5000;
    r.fake.script.pace_ms = 20;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 300u);
    r.fake.script.late_audio = true;
    sf_interrupt(&r.fake);
    RIG_UNTIL(&r, r.phases[TURN_CONFIRMED] == 1);
    rig_settle(&r, 20);
    assert_int_equal(r.answers, 1);
    server_says(&r, "{\"type\":\"AgentStartedSpeaking\"}");
    df_audio(&r.fake, (const uint8_t *)"more", 4);
    RIG_UNTIL(&r, r.answers == 2);
    rig_end(&r);
}

static void test_functions(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    server_says(&r, "{\"type\":\"FunctionCallRequest\",\"functions\":[{\"id\":\"call-1\",\"name\":"
                    "\"end_call\",\"arguments\":\"{}\",\"client_side\":false},{\"id\":\"call-2\","
                    "\"name\":\"take_message\",\"arguments\":\"\",\"client_side\":true}]}");
    RIG_UNTIL(&r, r.tools == 1); /* the other one is run over there */
    assert_int_equal(r.tool.kind, TOOL_TAKE_MESSAGE);
    server_says(&r, "{\"type\":\"FunctionCallCancelled\",\"functions\":[{\"id\":\"call-2\"}]}");
    rig_settle(&r, 20);
    r.with->ops->tool_result(r.p, r.tool.id, VA_OK);
    RIG_UNTIL(&r, r.done == 1);
    assert_int_equal(r.fake.seen.results, 0);
    rig_end(&r);
}

static void test_cut_and_garbled(void **state)
{
    static const char *const messages[] = {
        "{\"type\":\"ConversationText\",\"role\":\"assistant\",\"content\":\"hello\"}",
        "{\"type\":\"FunctionCallRequest\",\"functions\":[{\"id\":\"1\",\"name\":\"transfer\"}]}",
        "{\"type\":\"Error\",\"code\":\"x\",\"description\":\"y\"}",
    };
    (void)state;
    LIVE_CUT_AND_GARBLED(&with, messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_key),          cmocka_unit_test(test_settings_refused),
        cmocka_unit_test(test_part_fails),      cmocka_unit_test(test_injection_refused),
        cmocka_unit_test(test_keep_alive),      cmocka_unit_test(test_noise),
        cmocka_unit_test(test_late_audio),      cmocka_unit_test(test_functions),
        cmocka_unit_test(test_cut_and_garbled),
    };
    log_set_level(getenv("VA_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
