/* Ultravox beside the contract suite: calls that are not made, words in both orders, messages cut
 * and garbled. */
#include "contract/ultravox_fake.h"

#include "unit/live_rig.h"

#include "ai/realtime/realtime.h"

static void configure(struct rig *r)
{
    hf_start(&uf_http, r->loop, "x-api-key");
    uf_joined = 0;
    (void)snprintf(uf_http.body, sizeof(uf_http.body), "{\"joinUrl\":\"%s/join\"}", r->fake.url);
    (void)str_copy(r->settings.ultravox_api_key, SETTING_TEXT_MAX, str_of("secret-key"));
    (void)snprintf(r->settings.ultravox_base_url, SETTING_TEXT_MAX, "http://127.0.0.1:%u",
                   uf_http.server.port);
}

static void end(struct rig *r)
{
    (void)r;
    hf_stop(&uf_http);
}

static const struct contract_case with = {.name = "ultravox",
                                          .ops = &provider_ultravox,
                                          .proto = &ultravox_fake,
                                          .configure = configure,
                                          .end = end,
                                          .renews = true};

static void begin(struct rig *r)
{
    live_begin(r, &with);
}

static void test_call_not_made(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum va_err why;
    } rows[] = {{401, "{\"detail\":\"bad secret-key\"}", VA_EAUTH},
                {402, "{\"detail\":\"pay first\"}", VA_EINVAL},
                {429, "{\"detail\":\"too many calls\"}", VA_ELIMIT},
                {201, "{\"callId\":\"x\"}", VA_EPROTO},
                {201, "{\"joinUrl\":\"https://x\"}", VA_EPROTO},
                {201, "[", VA_EPROTO}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig r;
        rig_begin(&r, &with);
        uf_http.status = rows[i].status;
        (void)str_copy(uf_http.body, sizeof(uf_http.body), str_of(rows[i].body));
        rig_open(&r);
        RIG_UNTIL(&r, r.failed);
        assert_int_equal(r.why, rows[i].why);
        assert_null(strstr(r.cause, "secret-key"));
        assert_string_equal(uf_http.line, "POST /api/calls HTTP/1.1");
        assert_string_equal(uf_http.key, "secret-key");
        rig_end(&r);
    }
}

static void test_no_key(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with);
    r.settings.ultravox_api_key[0] = 0;
    live_misses(&r, "ULTRAVOX_API_KEY");
}

/* What we typed comes back as the user's: it is no turn. */
static void test_typed_is_no_turn(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    r.with->ops->digit(r.p, '#');
    RIG_UNTIL(&r, r.done == 1);
    assert_string_equal(r.order, "");
    assert_false(rig_heard(&r, "C:"));
    rig_end(&r);
}

/* The last words of an answer may come when it is over. */
static void test_words_behind(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    uf_audio(&r.fake, (const uint8_t *)"\0\1\0\1", 4);
    uf_state(&r.fake, "listening");
    uf_words_of(&r.fake, "agent", "voice", "text", "Good day.", true);
    RIG_UNTIL(&r, rig_heard(&r, "A:Good day."));
    assert_int_equal(r.answers, 1);
    uf_words_of(&r.fake, "agent", "voice", "text", "And now?", true);
    RIG_UNTIL(&r, r.answers == 2);
    rig_end(&r);
}

/* Words of the caller that grow begin the turn, those that are final end it. */
static void test_growing_words(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    uf_words_of(&r.fake, "user", "voice", "text", "when", false);
    RIG_UNTIL(&r, r.phases[TURN_CONFIRMED] == 1);
    uf_words_of(&r.fake, "user", "voice", "text", "when do you close", true);
    RIG_UNTIL(&r, r.phases[TURN_ENDED] == 1);
    assert_string_equal(buf_z(&r.said), "C:when do you close\n");
    assert_string_equal(r.order, "SCE");
    rig_end(&r);
}

static void test_ping(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    server_says(&r, "{\"type\":\"ping\",\"timestamp\":12.5}");
    RIG_UNTIL(&r, strstr(buf_z(&r.fake.seen.texts), "pong:") != NULL);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_cut_and_garbled(void **state)
{
    static const char *const messages[] = {
        "{\"type\":\"transcript\",\"role\":\"agent\",\"text\":\"hello\",\"final\":true}",
        "{\"type\":\"client_tool_invocation\",\"toolName\":\"end_call\",\"invocationId\":\"1\"}",
        "{\"type\":\"state\",\"state\":\"thinking\"}",
    };
    (void)state;
    LIVE_CUT_AND_GARBLED(&with, messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call_not_made),    cmocka_unit_test(test_no_key),
        cmocka_unit_test(test_typed_is_no_turn), cmocka_unit_test(test_words_behind),
        cmocka_unit_test(test_growing_words),    cmocka_unit_test(test_ping),
        cmocka_unit_test(test_cut_and_garbled),
    };
    log_set_level(getenv("VA_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
