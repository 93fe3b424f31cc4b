/* Gemini Live beside the contract suite: recordings of real sessions, resumption, thoughts,
 * interruption, tools, and messages cut and garbled. */
#include "contract/gemini_fake.h"
#define LIVE_KIND WS_BINARY
#include "unit/live_rig.h"

#include "ai/realtime/realtime.h"

#include <stdio.h>

static void configure(struct rig *r)
{
    memset(&gf, 0, sizeof(gf));
    (void)str_copy(r->settings.gemini_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)str_copy(r->settings.gemini_base_url, SETTING_TEXT_MAX, str_of(r->fake.url));
}

static const struct contract_case with = {.name = "gemini",
                                          .ops = &provider_gemini,
                                          .proto = &gemini_fake,
                                          .configure = configure,
                                          .renews = true};

static void begin(struct rig *r)
{
    live_begin(r, &with);
}

/* ---- sessions -----------------------------------------------------------------------------------
 */

static void test_no_key(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with);
    r.settings.gemini_api_key[0] = 0;
    live_misses(&r, "GEMINI_API_KEY");
}

/* goAway: renewed by the handle, without the history, and the caller notices nothing. */
static void test_go_away_resumes(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with);
    gf.handle = "handle-1";
    r.fake.script.session_ms = 1000;
    assert_int_equal(history_add(r.history, SPEAKER_CALLER, "my name is Marcelo"), VA_OK);
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    r.fake.script.session_ms = 0;
    RIG_UNTIL(&r, r.fake.seen.sessions == 2);
    assert_string_equal(gf.resumed, "handle-1");
    assert_int_equal(gf.seeds, 1);
    r.with->ops->say(r.p, SAY_STILL_THERE);
    RIG_UNTIL(&r, r.done == 1);
    assert_int_equal(r.answers, 1);
    assert_false(r.failed);
    rig_no_refusals(&r);
    rig_end(&r);
}

/* Cut off in the middle of a word: resumed, and told to go on. */
static void test_drop_resumes(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with);
    gf.handle = "handle-1";
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    r.fake.script.drop_after_ms = 200;
    r.with->ops->say(r.p, SAY_STILL_THERE);
    RIG_UNTIL(&r, r.done == 2);
    assert_string_equal(gf.resumed, "handle-1");
    assert_false(r.failed);
    rig_end(&r);
}

static void test_expired_handle(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with);
    gf.handle = gf.refuse = "handle-1";
    assert_int_equal(history_add(r.history, SPEAKER_CALLER, "my name is Marcelo"), VA_OK);
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    r.fake.script.drop_after_ms = 200;
    r.with->ops->say(r.p, SAY_STILL_THERE);
    RIG_UNTIL(&r, r.done == 2);
    assert_int_equal(r.fake.seen.connections, 3); /* with the handle, and without */
    assert_int_equal(gf.seeds, 2);
    assert_string_equal(gf.resumed, "");
    assert_false(r.failed);
    rig_no_refusals(&r);
    rig_end(&r);
}

/* ---- one message at a time ----------------------------------------------------------------------
 */

static void test_thoughts_are_not_spoken(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    gf.thoughts = true;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.done == 1);
    assert_null(strstr(buf_z(&r.said), "Thinking"));
    assert_true(rig_heard(&r, "A:It is open until six."));
    server_says(&r,
                "{\"serverContent\":{\"modelTurn\":{\"parts\":[{\"thought\":true,"
                "\"inlineData\":{\"mimeType\":\"audio/pcm;rate=24000\",\"data\":\"AAAA\"}}]}}}");
    rig_settle(&r, 30);
    assert_int_equal(r.answers, 1);
    rig_end(&r);
}

/* Keys of one message do not exclude each other. */
static void test_all_in_one(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    server_says(
        &r, "{\"serverContent\":{\"inputTranscription\":{\"text\":\"hello\"},"
            "\"outputTranscription\":{\"text\":\"Good day.\"},\"modelTurn\":{\"parts\":["
            "{\"inlineData\":{\"mimeType\":\"audio/pcm;rate=24000\",\"data\":\"AAAAAAAAAAAA\"}}]},"
            "\"generationComplete\":true,\"turnComplete\":true},\"usageMetadata\":"
            "{\"totalTokenCount\":3},\"toolCall\":{\"functionCalls\":[{\"name\":\"end_call\","
            "\"args\":{},\"id\":\"call-1\"}]}}");
    RIG_UNTIL(&r, r.tools == 1);
    assert_int_equal(r.done, 1);
    assert_string_equal(r.order, "SCE");
    assert_string_equal(buf_z(&r.said), "C:hello\nA:Good day.\n");
    rig_end(&r);
}

/* The remote stopped it: the call is told before anything of the next answer. */
static void test_interrupted(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    r.fake.script.answer_ms = 5000;
    r.fake.script.pace_ms = 20;
    r.fake.script.late_audio = true;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 300u);
    rig_speak(&r, 400, true);
    RIG_UNTIL(&r, r.phases[TURN_CONFIRMED] == 1);
    assert_true(rig_heard(&r, "A:It is open until six."));
    assert_int_equal(r.done, 1);
    rig_end(&r);
}

/* A text of ours ends what is being said: nobody interrupted. */
static void test_text_interrupts(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    r.fake.script.answer_ms = 5000;
    r.fake.script.pace_ms = 20;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 300u);
    r.fake.script.answer_ms = 300;
    r.with->ops->say(r.p, SAY_FAREWELL);
    RIG_UNTIL(&r, r.done == 2);
    assert_string_equal(r.order, "");
    assert_int_equal(r.flags[2], ANSWER_PROTECTED);
    rig_end(&r);
}

/* A transcript that lags behind the answer to it is no barge-in. */
static void test_late_words(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    r.fake.script.answer_ms = 400;
    r.fake.script.pace_ms = 20;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.answers == 1);
    server_says(&r,
                "{\"serverContent\":{\"inputTranscription\":{\"text\":\"what I said before\"}}}");
    RIG_UNTIL(&r, r.done == 1);
    assert_string_equal(r.order, "");
    RIG_UNTIL(&r, rig_heard(&r, "C:what I said before"));
    rig_end(&r);
}

/* Words and nothing behind them: the turn ends all the same, so that a deadline can run. */
static void test_words_without_answer(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    server_says(&r, "{\"serverContent\":{\"inputTranscription\":{\"text\":\"hello?\"}}}");
    RIG_UNTIL(&r, r.phases[TURN_ENDED] == 1);
    assert_string_equal(r.order, "SCE");
    assert_true(rig_heard(&r, "C:hello?"));
    rig_end(&r);
}

static void test_voice_activity(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    server_says(&r, "{\"voiceActivity\":{\"type\":\"ACTIVITY_START\",\"audioOffset\":\"1.880s\"}}");
    server_says(&r, "{\"voiceActivity\":{\"type\":\"ACTIVITY_END\",\"audioOffset\":\"2s\"}}");
    rig_settle(&r, 30);
    assert_string_equal(r.order, ""); /* a cough */
    server_says(&r, "{\"serverContent\":{\"inputTranscription\":{\"text\":\"hello\"}}}");
    RIG_UNTIL(&r, r.phases[TURN_CONFIRMED] == 1);
    server_says(&r, "{\"voiceActivity\":{\"type\":\"ACTIVITY_END\",\"audioOffset\":\"5s\"}}");
    RIG_UNTIL(&r, r.phases[TURN_ENDED] == 1);
    rig_end(&r);
}

static void test_tool_cancelled(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    server_says(&r, "{\"toolCall\":{\"functionCalls\":[{\"name\":\"take_message\",\"args\":{},"
                    "\"id\":\"call-9\"}]}}");
    RIG_UNTIL(&r, r.tools == 1);
    server_says(&r, "{\"toolCallCancellation\":{\"ids\":[7,\"call-9\"]}}");
    rig_settle(&r, 30);
    r.with->ops->tool_result(r.p, r.tool.id, VA_OK);
    RIG_UNTIL(&r, r.done == 1); /* it is told as a note instead: the caller did speak */
    assert_int_equal(r.fake.seen.results, 0);
    assert_non_null(strstr(buf_z(&r.fake.seen.texts), "Result of your tool take_message"));
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_error_message(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    server_says(&r, "{\"error\":{\"code\":403,\"message\":\"no such quota\"}}");
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.why, VA_EAUTH);
    assert_non_null(strstr(r.cause, "no such quota"));
    rig_end(&r);
}

static void test_cut_and_garbled(void **state)
{
    static const char *const messages[] = {
        "{\"setupComplete\":{}}",
        "{\"serverContent\":{\"interrupted\":true,\"turnComplete\":true}}",
        "{\"serverContent\":{\"modelTurn\":{\"parts\":[{\"inlineData\":{\"mimeType\":\"audio/pcm\","
        "\"data\":\"AAAA\"}}]},\"outputTranscription\":{\"text\":\"a\"}}}",
        "{\"toolCall\":{\"functionCalls\":[{\"name\":\"transfer\",\"args\":{\"destination\":\"x\"},"
        "\"id\":\"1\"}]}}",
        "{\"goAway\":{\"timeLeft\":\"50s\"},\"sessionResumptionUpdate\":{\"newHandle\":\"h\","
        "\"resumable\":true}}",
    };
    (void)state;
    LIVE_CUT_AND_GARBLED(&with, messages);
}

/* ---- recordings ---------------------------------------------------------------------------------
 */

static struct {
    struct json_object *step[512];
    size_t steps, at;
    unsigned setups, contents, responses;
} tape;

static bool tape_load(const char *name)
{
    char path[700], *line = NULL;
    size_t cap = 0;
    const char *shared = getenv("VA_SHARED_DIR");
    (void)snprintf(path, sizeof(path), "%s/recordings/providers/%s.jsonl",
                   shared ? shared : VA_SOURCE_DIR "/../shared", name);
    FILE *f = fopen(path, "re");
    memset(&tape, 0, sizeof(tape));
    if (!f) {
        print_message("skipped: no recording %s\n", path);
        return false;
    }
    while (getline(&line, &cap, f) > 0 && tape.steps < 512)
        tape.step[tape.steps++] = json_tokener_parse(line);
    free(line);
    (void)fclose(f);
    return true;
}

/* What the recorded client sent has its like from ours before the server goes on. */
static bool client_did(struct json_object *data)
{
    if (fake_obj(data, "setup"))
        return tape.setups && tape.setups--;
    if (fake_obj(data, "client_content"))
        return tape.contents && tape.contents--;
    if (fake_obj(data, "tool_response"))
        return tape.responses && tape.responses--;
    return true;
}

static void tape_play(struct fake *f)
{
    for (; tape.at < tape.steps && f->open; tape.at++) {
        struct json_object *data = fake_obj(tape.step[tape.at], "data");
        if (str_eqz(fake_str(tape.step[tape.at], "direction"), "received"))
            fake_send(f, WS_BINARY, str_of(json_object_to_json_string(data)));
        else if (!client_did(data))
            return;
    }
}

static void tape_message(struct fake *f, enum ws_kind kind, struct str m)
{
    struct json_object *o = fake_parse(m);
    assert_int_equal(kind, WS_TEXT);
    tape.setups += fake_obj(o, "setup") != NULL;
    tape.contents += fake_obj(o, "clientContent") != NULL;
    tape.responses += fake_obj(o, "toolResponse") != NULL;
    json_object_put(o);
    tape_play(f);
}

static const struct fake_proto tape_proto = {
    .opened = tape_play, .message = tape_message, .state_size = 8};

/* What the recording's own events add up to. */
static void expected(struct buf *said, uint64_t *bytes)
{
    for (size_t i = 0; i < tape.steps; i++) {
        struct json_object *content = fake_obj(fake_obj(tape.step[i], "data"), "serverContent");
        struct str text = fake_str(fake_obj(content, "outputTranscription"), "text");
        struct json_object *parts = fake_obj(fake_obj(content, "modelTurn"), "parts");
        (void)buf_adds(said, text);
        for (size_t k = 0; parts && k < json_object_array_length(parts); k++)
            *bytes +=
                fake_str(fake_obj(json_object_array_get_idx(parts, k), "inlineData"), "data").len /
                4 * 3;
    }
}

static void test_recording(void **state)
{
    const char *name = *state;
    bool seeds = strstr(name, "history") != NULL;
    struct contract_case c = with;
    struct rig r;
    struct buf said;
    uint64_t bytes = 0;
    c.proto = &tape_proto;
    if (!tape_load(name))
        return;
    rig_begin(&r, &c);
    (void)str_copy(r.settings.gemini_model, SETTING_TEXT_MAX, str_of("gemini-2.5-flash"));
    r.record.caller_number[0] = 0;
    if (seeds) {
        assert_int_equal(history_add(r.history, SPEAKER_CALLER, "My name is Alice"), VA_OK);
        assert_int_equal(history_add(r.history, SPEAKER_AGENT, "Nice to meet you, Alice!"), VA_OK);
    }
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    r.with->ops->digit(r.p, '#');
    RIG_UNTIL(&r, r.done == 1);
    rig_settle(&r, 20);
    buf_init(&said, 1 << 16);
    expected(&said, &bytes);
    assert_int_equal(tape.at, tape.steps);
    assert_int_equal(r.answers, 1);
    assert_non_null(strstr(buf_z(&r.said), buf_z(&said)));
    assert_in_range(r.samples[1], bytes / 6 > 60 ? bytes / 6 - 60 : 0, bytes / 6 + 60);
    assert_int_equal(r.tools, 0); /* the recorded tool is none of ours: refused, and it goes on */
    assert_false(r.failed);
    rig_end(&r);
    buf_free(&said);
    for (size_t i = 0; i < tape.steps; i++)
        json_object_put(tape.step[i]);
}

int main(void)
{
    static char history[] = "gemini-message-history-seeding", tool[] = "gemini-tool-call-round";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_key),
        cmocka_unit_test(test_go_away_resumes),
        cmocka_unit_test(test_drop_resumes),
        cmocka_unit_test(test_expired_handle),
        cmocka_unit_test(test_thoughts_are_not_spoken),
        cmocka_unit_test(test_all_in_one),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_text_interrupts),
        cmocka_unit_test(test_late_words),
        cmocka_unit_test(test_words_without_answer),
        cmocka_unit_test(test_voice_activity),
        cmocka_unit_test(test_tool_cancelled),
        cmocka_unit_test(test_error_message),
        cmocka_unit_test(test_cut_and_garbled),
        cmocka_unit_test_prestate(test_recording, history),
        cmocka_unit_test_prestate(test_recording, tool),
    };
    log_set_level(getenv("VA_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
