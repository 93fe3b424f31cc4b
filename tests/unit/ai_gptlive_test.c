/* GPT-Live beside the contract suite: a stream cut into answers, words over an answer, closings,
 * long texts, messages cut and garbled. */
#include "contract/gptlive_fake.h"
#include "unit/live_rig.h"

#include "ai/realtime/realtime.h"

static void configure(struct rig *r)
{
    memset(&lf, 0, sizeof(lf));
    (void)str_copy(r->settings.openai_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)snprintf(r->settings.openai_base_url, SETTING_TEXT_MAX, "%s/v1", r->fake.url);
}

static const struct contract_case with = {.name = "gpt-live",
                                          .ops = &provider_gpt_live,
                                          .proto = &gptlive_fake,
                                          .configure = configure,
                                          .renews = true,
                                          .continuous = true};

static void begin(struct rig *r)
{
    live_begin(r, &with);
    tmr_stop(&((struct lf_state *)r->fake.state)->silence); /* the test makes the stream */
}

static void sound(struct rig *r, unsigned pieces)
{
    for (unsigned i = 0; i < pieces; i++)
        sf_send_audio(&r->fake, 100);
}

/* Silence in front is cut to a lead, a short pause inside stays, a long one ends the answer. */
static void test_stream_to_answers(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    lf_silence(&r.fake, 20);
    rig_settle(&r, 20);
    assert_int_equal(r.answers, 0);
    lf_text(&r.fake, "Good ");
    sound(&r, 5);
    lf_silence(&r.fake, 8);
    sound(&r, 5);
    lf_text(&r.fake, "day.");
    rig_settle(&r, 20);
    assert_int_equal(r.answers, 1);
    assert_int_equal(r.done, 0);
    lf_silence(&r.fake, 9);
    RIG_UNTIL(&r, r.done == 1);
    assert_int_equal(r.samples[1], 8 * (120 + 500 + 800 + 500 + 900));
    assert_true(rig_heard(&r, "A:Good day."));
    lf_silence(&r.fake, 20);
    sound(&r, 1);
    RIG_UNTIL(&r, r.answers == 2);
    assert_string_equal(r.order, "");
    rig_end(&r);
}

/* "aham" while it speaks: it decides itself, so nothing is cut; the words are written down. */
static void test_words_over_an_answer(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    sound(&r, 5);
    lf_heard(&r.fake, "aham");
    sound(&r, 5);
    rig_settle(&r, 20);
    assert_string_equal(r.order, "");
    lf_silence(&r.fake, 9);
    RIG_UNTIL(&r, r.done == 1);
    RIG_UNTIL(&r, rig_heard(&r, "C:aham"));
    assert_string_equal(r.order, "");
    rig_end(&r);
}

static void test_turn(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    lf_heard(&r.fake, "What");
    lf_heard(&r.fake, " time?");
    RIG_UNTIL(&r, r.phases[TURN_CONFIRMED] == 1);
    sound(&r, 3);
    RIG_UNTIL(&r, r.answers == 1);
    assert_string_equal(r.order, "SCE");
    assert_true(rig_heard(&r, "C:What time?"));
    rig_end(&r);
}

/* Two calls of one delegation: both results, then one response.create. */
static void test_two_tools(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    sf(&r.fake)->answer = 1;
    sf(&r.fake)->tool = true;
    lf_tool(&r.fake, "take_message", "{}");
    sf(&r.fake)->answer = 2;
    lf_tool(&r.fake, "end_call", "{}");
    RIG_UNTIL(&r, r.tools == 2);
    r.with->ops->tool_result(r.p, 1, VA_OK);
    rig_settle(&r, 20);
    assert_int_equal(r.fake.seen.answers, 0);
    r.with->ops->tool_result(r.p, 2, VA_ELIMIT);
    RIG_UNTIL(&r, r.fake.seen.answers == 1);
    assert_int_equal(r.fake.seen.results, 2);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_refused(void **state)
{
    static const struct {
        const char *code;
        enum va_err why;
    } rows[] = {{"invalid_api_key", VA_EAUTH}, {"unknown_parameter", VA_ECONFIG}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rig r;
        rig_begin(&r, &with);
        lf.refuse = rows[i].code;
        rig_open(&r);
        RIG_UNTIL(&r, r.failed);
        assert_int_equal(r.why, rows[i].why);
        rig_end(&r);
    }
}

static void test_closings(void **state)
{
    static const struct {
        const char *reason;
        bool again;
    } rows[] = {{"expired", true}, {"connection_lost", true}, {"content", false}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct rig r;
        char text[80];
        begin(&r);
        (void)snprintf(text, sizeof(text), "{\"type\":\"session.closed\",\"reason\":\"%s\"}",
                       rows[i].reason);
        server_says(&r, "{\"type\":\"error\",\"error\":{\"code\":\"bad_command\"}}"); /* goes on */
        server_says(&r, text);
        RIG_UNTIL(&r, r.failed || r.fake.seen.sessions == 2);
        assert_true(r.failed == !rows[i].again);
        rig_end(&r);
    }
}

/* Of an append 500 tokens are taken: a long text goes in pieces that are text each. */
static void test_long_text(void **state)
{
    (void)state;
    struct rig r;
    static char words[4001];
    for (size_t i = 0; i + 2 <= 4000; i += 2)
        memcpy(words + i, i % 40 == 38 ? "  " : "é", 2);
    rig_begin(&r, &with);
    assert_int_equal(secretary_set(&r.secretary->greeting, words), VA_OK);
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.done >= 1);
    assert_null(strstr(buf_z(&r.fake.seen.texts), "\xEF\xBF\xBD")); /* no character was cut */
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_says_goodbye(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    r.with->ops->close(&r.p);
    RIG_UNTIL(&r, lf.closes == 1);
    rig_end(&r);
}

static void test_cut_and_garbled(void **state)
{
    static const char *const messages[] = {
        "{\"type\":\"session.output_audio.delta\",\"delta\":\"AAAA\"}",
        "{\"type\":\"response.event\",\"event\":{\"type\":\"response.output_item.done\",\"item\":{"
        "\"type\":\"function_call\",\"call_id\":\"1\",\"name\":\"end_call\"}}}",
        "{\"type\":\"session.closed\",\"reason\":\"x\"}",
    };
    (void)state;
    LIVE_CUT_AND_GARBLED(&with, messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream_to_answers),
        cmocka_unit_test(test_words_over_an_answer),
        cmocka_unit_test(test_turn),
        cmocka_unit_test(test_two_tools),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_closings),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_says_goodbye),
        cmocka_unit_test(test_cut_and_garbled),
    };
    log_set_level(getenv("VA_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
