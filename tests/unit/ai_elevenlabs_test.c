/* ElevenLabs Agents beside the contract suite: signed URLs, overrides, the greeting that comes too
 * early, interruptions by number, pings, messages cut and garbled. */
#include "contract/elevenlabs_fake.h"
#include "contract/http_fake.h"
#include "unit/live_rig.h"

#include "ai/realtime/realtime.h"

static void configure(struct rig *r)
{
    memset(&ef, 0, sizeof(ef));
    ef.quiet = true;
    (void)str_copy(r->settings.elevenlabs_agent_id, SETTING_TEXT_MAX, str_of("agent_1"));
    (void)str_copy(r->settings.elevenlabs_base_url, SETTING_TEXT_MAX, str_of(r->fake.url));
}

static const struct contract_case with = {.name = "elevenlabs",
                                          .ops = &provider_elevenlabs,
                                          .proto = &elevenlabs_fake,
                                          .configure = configure,
                                          .renews = true};

static void begin(struct rig *r)
{
    live_begin(r, &with);
}

static void test_no_agent(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with);
    r.settings.elevenlabs_agent_id[0] = 0;
    live_misses(&r, "ELEVENLABS_AGENT_ID");
}

/* ---- private agents -----------------------------------------------------------------------------
 */

static void begin_private(struct rig *r, struct hf *h)
{
    rig_begin(r, &with);
    hf_start(h, r->loop, "xi-api-key");
    (void)str_copy(r->settings.elevenlabs_api_key, SETTING_TEXT_MAX, str_of("secret-key"));
    (void)snprintf(r->settings.elevenlabs_base_url, SETTING_TEXT_MAX, "ws://127.0.0.1:%u",
                   h->server.port);
    (void)snprintf(h->body, sizeof(h->body),
                   "{\"signed_url\":\"%s/v1/convai/conversation?agent_id=agent_1&token=abc\"}",
                   r->fake.url);
}

static void end_private(struct rig *r, struct hf *h)
{
    if (r->p)
        r->with->ops->close(&r->p);
    hf_stop(h);
    rig_end(r);
}

static void test_signed_url(void **state)
{
    (void)state;
    struct rig r;
    struct hf h;
    begin_private(&r, &h);
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    assert_string_equal(h.line, "GET /v1/convai/conversation/get-signed-url?agent_id=agent_1 "
                                "HTTP/1.1");
    assert_string_equal(h.key, "secret-key");
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.done == 1);
    r.fake.script.drop_after_ms = 100;
    r.with->ops->say(r.p, SAY_STILL_THERE);
    RIG_UNTIL(&r, r.done == 3); /* a URL is good for one start: another was asked for */
    assert_int_equal(h.asked, 2);
    rig_no_refusals(&r);
    end_private(&r, &h);
}

static void test_signed_url_refused(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum va_err why;
    } rows[] = {{401, "{\"detail\":\"no such key: secret-key\"}", VA_EAUTH},
                {404, "{\"detail\":\"no such agent\"}", VA_ENOTFOUND},
                {500, "oops", VA_EAGAIN},
                {200, "{}", VA_EPROTO},
                {200, "not json", VA_EPROTO},
                {200, "{\"signed_url\":\"http://else\"}", VA_EPROTO}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig r;
        struct hf h;
        begin_private(&r, &h);
        h.status = rows[i].status;
        (void)str_copy(h.body, sizeof(h.body), str_of(rows[i].body));
        rig_open(&r);
        RIG_UNTIL(&r, r.failed);
        assert_int_equal(r.why, rows[i].why);
        assert_null(strstr(r.cause, "secret-key"));
        assert_int_equal(r.fake.seen.connections, 0);
        end_private(&r, &h);
    }
}

static void test_closed_while_asking(void **state)
{
    (void)state;
    for (int turns = 0; turns < 8; turns++) {
        struct rig r;
        struct hf h;
        begin_private(&r, &h);
        rig_open(&r);
        for (int i = 0; i < turns; i++)
            loop_turn(r.loop, false);
        end_private(&r, &h);
    }
}

/* ---- overrides, greeting ------------------------------------------------------------------------
 */

static void test_override_refused(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with);
    ef.refuse = "language";
    rig_open(&r);
    RIG_UNTIL(&r, r.failed);
    assert_non_null(strstr(r.cause, "Override for field"));
    assert_non_null(strstr(r.cause, "ELEVENLABS_OVERRIDES"));
    rig_end(&r);
    rig_begin(&r, &with);
    ef.refuse = "language";
    (void)str_copy(r.settings.elevenlabs_overrides, SETTING_TEXT_MAX, str_of("first_message"));
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    rig_no_refusals(&r);
    rig_end(&r);
}

/* The agent greets as soon as it is connected; it is heard when the call asks for it. */
static void test_greeting_waits(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    rig_settle(&r, 50);
    assert_int_equal(r.answers, 0);
    r.with->ops->say(r.p, SAY_GREETING);
    assert_int_equal(r.answers, 0); /* never from inside */
    RIG_UNTIL(&r, r.done == 1);
    assert_in_range(r.samples[1], 8 * 599, 8 * 601);
    assert_null(strstr(buf_z(&r.fake.seen.texts), "user:"));
    rig_end(&r);
}

/* The call does not want it: it goes on with another's conversation. */
static void test_no_greeting(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with);
    assert_int_equal(history_add(r.history, SPEAKER_CALLER, "my name is Marcelo"), VA_OK);
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    r.with->ops->say(r.p, SAY_ANSWER);
    RIG_UNTIL(&r, r.done == 1);
    const char *texts = buf_z(&r.fake.seen.texts);
    assert_non_null(strstr(texts, "first:\n"));
    const char *told = strstr(texts, "context:[The conversation so far");
    assert_non_null(told);
    assert_non_null(strstr(told, "caller: my name is Marcelo"));
    assert_int_equal(r.fake.seen.answers, 1);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_formats(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with);
    ef.format = "opus_48000";
    rig_open(&r);
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.why, VA_ECONFIG);
    assert_non_null(strstr(r.cause, "opus_48000"));
    rig_end(&r);
}

/* ---- one message at a time ----------------------------------------------------------------------
 */

#define AUDIO(event, data)                                                                         \
    "{\"type\":\"audio\",\"audio_event\":{\"audio_base_64\":\"" data "\",\"event_id\":" event "}}"

/* Old audio is late by its number, whichever number the interruption names. */
static void test_interruption_gate(void **state)
{
    static const char *const names[] = {"5", "6"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct rig r;
        char text[120];
        begin(&r);
        r.with->ops->say(r.p, SAY_GREETING);
        RIG_UNTIL(&r, r.done == 1);
        rig_settle(&r, 700);
        server_says(&r, AUDIO("5", "AAAAAAAA"));
        RIG_UNTIL(&r, r.answers == 2);
        (void)snprintf(text, sizeof(text),
                       "{\"type\":\"interruption\",\"interruption_event\":{\"event_id\":%s}}",
                       names[i]);
        server_says(&r, text);
        RIG_UNTIL(&r, r.done == 2);
        assert_string_equal(r.order, "SC");
        uint64_t had = r.samples[2];
        server_says(&r, AUDIO("4", "AAAAAAAA"));
        server_says(&r, AUDIO("5", "AAAAAAAA"));
        rig_settle(&r, 30);
        assert_int_equal(r.answers, 2);
        assert_int_equal(r.samples[2], had);
        server_says(&r, AUDIO("6", "AAAAAAAA"));
        RIG_UNTIL(&r, r.answers == 3);
        rig_end(&r);
    }
}

/* Another number is another answer, also when nothing told the end of the one before. */
static void test_answers_by_number(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    r.with->ops->say(r.p, SAY_ANSWER);
    RIG_UNTIL(&r, r.done == 1);
    uint32_t before = r.answers;
    server_says(&r, AUDIO("7", "AAAAAAAA"));
    server_says(&r, AUDIO("8", "AAAAAAAA"));
    server_says(&r, "{\"type\":\"agent_response\",\"agent_response_event\":{\"agent_response\":"
                    "\"the second\",\"event_id\":8}}");
    RIG_UNTIL(&r, rig_heard(&r, "A:the second"));
    assert_int_equal(r.answers, before + 2);
    assert_string_equal(r.order, "");
    rig_end(&r);
}

static void test_pings(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    for (int i = 1; i <= 3; i++) {
        char text[100];
        ef_of(&r.fake)->pings++;
        (void)snprintf(text, sizeof(text),
                       "{\"type\":\"ping\",\"ping_event\":{\"event_id\":%d,\"ping_ms\":%s}}", i,
                       i == 2 ? "40" : "null");
        server_says(&r, text);
    }
    RIG_UNTIL(&r, ef.pongs == 3);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_hangs_up_by_itself(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    server_says(&r, "{\"type\":\"agent_tool_response\",\"agent_tool_response\":{\"tool_name\":"
                    "\"end_call\",\"tool_type\":\"system\",\"is_error\":false}}");
    RIG_UNTIL(&r, r.tools == 1);
    assert_int_equal(r.tool.kind, TOOL_END_CALL);
    rig_end(&r);
}

static void test_cut_and_garbled(void **state)
{
    static const char *const messages[] = {
        AUDIO("9", "AAAAAAAA"),
        "{\"type\":\"ping\",\"ping_event\":{\"event_id\":1,\"ping_ms\":null}}",
        "{\"type\":\"interruption\",\"interruption_event\":{\"event_id\":6}}",
        "{\"type\":\"client_tool_call\",\"client_tool_call\":{\"tool_name\":\"end_call\"}}",
    };
    (void)state;
    LIVE_CUT_AND_GARBLED(&with, messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_agent),
        cmocka_unit_test(test_signed_url),
        cmocka_unit_test(test_signed_url_refused),
        cmocka_unit_test(test_closed_while_asking),
        cmocka_unit_test(test_override_refused),
        cmocka_unit_test(test_greeting_waits),
        cmocka_unit_test(test_no_greeting),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_interruption_gate),
        cmocka_unit_test(test_answers_by_number),
        cmocka_unit_test(test_pings),
        cmocka_unit_test(test_hangs_up_by_itself),
        cmocka_unit_test(test_cut_and_garbled),
    };
    log_set_level(getenv("VA_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
