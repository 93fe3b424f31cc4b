/*
 * What every provider over a network has to do, against its fake server. A provider joins with a
 * line in `cases`.
 */
#include "contract/deepgram_fake.h"
#include "contract/elevenlabs_fake.h"
#include "contract/gemini_fake.h"
#include "contract/gptlive_fake.h"
#include "contract/openai_fake.h"
#include "contract/provider_rig.h"
#include "contract/ultravox_fake.h"

#include "ai/realtime/realtime.h"

static void configure_openai(struct rig *r)
{
    (void)str_copy(r->settings.openai_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)snprintf(r->settings.openai_base_url, SETTING_TEXT_MAX, "%s/v1", r->fake.url);
}

static void configure_azure(struct rig *r)
{
    (void)str_copy(r->settings.azure_openai_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)str_copy(r->settings.azure_openai_endpoint, SETTING_TEXT_MAX, str_of(r->fake.url));
    (void)str_copy(r->settings.azure_openai_deployment, SETTING_TEXT_MAX, str_of("mine"));
}

static void configure_xai(struct rig *r)
{
    (void)str_copy(r->settings.xai_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)snprintf(r->settings.xai_base_url, SETTING_TEXT_MAX, "%s/v1", r->fake.url);
}

static void configure_gemini(struct rig *r)
{
    memset(&gf, 0, sizeof(gf));
    (void)str_copy(r->settings.google_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)str_copy(r->settings.gemini_base_url, SETTING_TEXT_MAX, str_of(r->fake.url));
}

static void configure_gemini_2(struct rig *r)
{
    configure_gemini(r);
    (void)str_copy(r->settings.gemini_model, SETTING_TEXT_MAX, str_of("gemini-2.5-native"));
}

static void configure_elevenlabs(struct rig *r)
{
    memset(&ef, 0, sizeof(ef));
    (void)str_copy(r->settings.elevenlabs_agent_id, SETTING_TEXT_MAX, str_of("agent_1"));
    (void)str_copy(r->settings.elevenlabs_base_url, SETTING_TEXT_MAX, str_of(r->fake.url));
}

static void configure_elevenlabs_pcm(struct rig *r)
{
    configure_elevenlabs(r);
    ef.format = "pcm_16000";
    ef.same_number = ef.complete = true;
}

static void configure_deepgram(struct rig *r)
{
    memset(&df, 0, sizeof(df));
    df.echo = true;
    (void)str_copy(r->settings.deepgram_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)snprintf(r->settings.deepgram_agent_url, SETTING_TEXT_MAX, "%s/v1/agent/converse",
                   r->fake.url);
}

static void configure_ultravox(struct rig *r)
{
    hf_start(&uf_http, r->loop, "x-api-key");
    uf_joined = 0;
    (void)snprintf(uf_http.body, sizeof(uf_http.body), "{\"joinUrl\":\"%s/join\"}", r->fake.url);
    (void)str_copy(r->settings.ultravox_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)snprintf(r->settings.ultravox_base_url, SETTING_TEXT_MAX, "http://127.0.0.1:%u",
                   uf_http.server.port);
}

static void end_ultravox(struct rig *r)
{
    (void)r;
    hf_stop(&uf_http);
}

static void configure_gpt_live(struct rig *r)
{
    configure_openai(r);
    memset(&lf, 0, sizeof(lf));
}

static const struct contract_case cases[] = {
    {"openai", &provider_openai, &openai_fake, configure_openai, true, true, true, false, true,
     NULL},
    {"azure", &provider_azure, &openai_fake, configure_azure, true, true, true, false, true, NULL},
    {"xai", &provider_xai, &xai_fake, configure_xai, true, false, true, false, true, NULL},
    {"openai-compatible", &provider_openai_compatible, &openai_fake, configure_openai, true, false,
     true, false, true, NULL},
    {"gemini", &provider_gemini, &gemini_fake, configure_gemini, true, false, true, false, false,
     NULL},
    {"gemini-2", &provider_gemini, &gemini_fake, configure_gemini_2, true, false, true, false,
     false, NULL},
    {"elevenlabs", &provider_elevenlabs, &elevenlabs_fake, configure_elevenlabs, true, false, true,
     false, false, NULL},
    {"elevenlabs-pcm", &provider_elevenlabs, &elevenlabs_fake, configure_elevenlabs_pcm, true,
     false, true, false, false, NULL},
    {"deepgram", &provider_deepgram, &deepgram_fake, configure_deepgram, true, false, true, false,
     false, NULL},
    {"ultravox", &provider_ultravox, &ultravox_fake, configure_ultravox, true, false, true, false,
     false, end_ultravox},
    {"gpt-live", &provider_gpt_live, &gptlive_fake, configure_gpt_live, true, false, true, true,
     false, NULL},
};

static void begin_ready(struct rig *r, const void *with)
{
    rig_begin(r, with);
    rig_open(r);
    RIG_UNTIL(r, r->ready || r->failed);
    assert_false(r->failed);
}

static void greet(struct rig *r)
{
    r->with->ops->say(r->p, SAY_GREETING);
    RIG_UNTIL(r, r->done == 1);
}

/* One turn of the caller, to the end of its answer. */
static void take_turn(struct rig *r)
{
    uint32_t before = r->done;
    unsigned ends = r->phases[TURN_ENDED];
    rig_speak(r, 900, true);
    rig_speak(r, 1500, false);
    if (r->with->ops->caps(r->p)->detects_turns)
        RIG_UNTIL(r, r->phases[TURN_ENDED] > ends);
    RIG_UNTIL(r, r->done > before);
}

/* ---- the suite
 * ----------------------------------------------------------------------------------- */

static void test_open(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    assert_int_equal(r.fake.seen.sessions, 1);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_greeting_is_said_verbatim(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    greet(&r);
    assert_non_null(strstr(buf_z(&r.fake.seen.texts), "Welcome to Acme."));
    unsigned tail_ms = r.with->continuous ? 1500 : 0; /* the silence that ended it */
    assert_true(r.samples[1] >= 8 * 590 && r.samples[1] <= 8 * (610 + tail_ms));
    assert_in_range(r.heard_level, 6000, 10000);
    assert_true(rig_heard(&r, "A:It is open until six."));
    rig_no_refusals(&r);
    rig_end(&r);
}

/* The prompt is the administrator's alone; the caller's number is data beside it. */
static void test_prompt(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    const char *texts = buf_z(&r.fake.seen.texts), *data = strstr(texts, "+5511999990000");
    assert_non_null(strstr(texts, "Acme"));
    assert_non_null(strstr(texts, "sales"));
    if (data)
        assert_non_null(strstr(texts, "never an instruction"));
    rig_end(&r);
}

static void test_turn(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    greet(&r);
    rig_settle(&r, 700); /* the greeting has been heard */
    take_turn(&r);
    assert_int_equal(r.answers, 2);
    assert_true(rig_heard(&r, "C:when do you close"));
    assert_true(r.fake.seen.audio_ms >= 2000);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_long_answer(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.fake.script.answer_ms = 120000;
    greet(&r);
    assert_true(r.samples[1] >= 8 * 119900u && r.samples[1] <= 8 * 121500u);
    rig_end(&r);
}

static void test_tool_round(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    greet(&r);
    r.fake.script.tool = "transfer";
    r.fake.script.tool_args = "{\"destination\":\"sales\"}";
    rig_settle(&r, 700);
    rig_speak(&r, 900, true);
    rig_speak(&r, 1500, false);
    RIG_UNTIL(&r, r.tools == 1);
    assert_int_equal(r.tool.kind, TOOL_TRANSFER);
    assert_string_equal(r.destination, "sales");
    uint32_t before = r.done;
    r.with->ops->tool_result(r.p, r.tool.id, VA_ETIMEOUT);
    RIG_UNTIL(&r, r.done > before && r.fake.seen.results == 1);
    assert_non_null(strstr(buf_z(&r.fake.seen.texts), "failed"));
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_tool_of_nobody(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.fake.script.tool = "transfer";
    r.fake.script.tool_args = "{\"destination\":\"the moon\"}";
    r.with->ops->digit(r.p, '7');
    RIG_UNTIL(&r, r.done == 1); /* it was told, and answers */
    assert_int_equal(r.tools, 0);
    assert_int_equal(r.fake.seen.results, 1);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_digit(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.with->ops->digit(r.p, '4');
    r.with->ops->digit(r.p, '2');
    r.with->ops->digit(r.p, '#');
    RIG_UNTIL(&r, r.done == 1);
    assert_non_null(strstr(buf_z(&r.fake.seen.texts), "42#"));
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_interrupt(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.fake.script.answer_ms = 5000;
    r.fake.script.pace_ms = 20;
    r.fake.script.late_audio = true;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 800u);
    uint64_t had = r.samples[1];
    r.with->ops->interrupt(r.p, 1, 450);
    RIG_UNTIL(&r, r.fake.seen.cancels == r.with->stops);
    if (r.with->truncates) {
        RIG_UNTIL(&r, r.fake.seen.truncated_ms >= 0);
        assert_int_equal(r.fake.seen.truncated_ms, 450);
    }
    r.fake.script.answer_ms = 300;
    take_turn(&r);
    assert_int_equal(r.samples[1], had); /* nothing late was heard */
    rig_no_refusals(&r);
    rig_end(&r);
}

/* More heard than was ever received is not possible: the number is clamped. */
static void test_interrupt_is_clamped(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.fake.script.answer_ms = 5000;
    r.fake.script.pace_ms = 20;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 300u);
    r.with->ops->interrupt(r.p, 1, 60000);
    RIG_UNTIL(&r, r.fake.seen.cancels == r.with->stops);
    rig_settle(&r, 30);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_barge_in(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    if (!r.with->ops->caps(r.p)->detects_turns || r.with->continuous) {
        rig_end(&r);
        return;
    }
    r.fake.script.answer_ms = 20000;
    r.fake.script.pace_ms = 50;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 300u);
    rig_speak(&r, 1500, true);
    RIG_UNTIL(&r, r.phases[TURN_CONFIRMED] == 1);
    r.with->ops->interrupt(r.p, 1, 200);
    rig_speak(&r, 1500, false);
    r.fake.script.answer_ms = 300;
    RIG_UNTIL(&r, r.done >= 2 || r.samples[2] > 0);
    assert_memory_equal(r.order, "SCE", 3);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_noise_is_forgiven(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    if (!r.with->ops->caps(r.p)->detects_turns || !r.with->ops->caps(r.p)->holds_answers) {
        rig_end(&r);
        return;
    }
    r.fake.script.answer_ms = 3000;
    r.fake.script.pace_ms = 50;
    r.fake.script.words = "";
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 300u);
    rig_speak(&r, 200, true);
    rig_speak(&r, 1500, false);
    RIG_UNTIL(&r, r.phases[TURN_FALSE] == 1);
    RIG_UNTIL(&r, r.done == 1);
    assert_string_equal(r.order, "SF");
    assert_true(r.samples[1] >= 8 * 2990u); /* all of it came */
    assert_int_equal(r.answers, 1);         /* and no answer to the cough */
    assert_int_equal(r.fake.seen.cancels, 0);
    assert_non_null(strstr(buf_z(&r.fake.seen.texts), "deleted:"));
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_garbage(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"type\":7}",
        "{\"type\":\"new.event\"}",
        "{\"type\":\"response.output_audio.delta\",\"delta\":\"***\"}",
        "{\"type\":\"response.done\"}",
        "{\"type\":\"error\"}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rig r;
        begin_ready(&r, *state);
        r.fake.script.garbage = bad[i];
        greet(&r);
        assert_true(r.samples[1] >= 8 * 590);
        rig_end(&r);
    }
}

static void test_never_ready(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    r.fake.script.mute = true;
    r.settings.ai_connect_timeout_ms = 100;
    rig_open(&r);
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.why, VA_ETIMEOUT);
    assert_non_null(strstr(r.cause, "AI_CONNECT_TIMEOUT_MS"));
    rig_end(&r);
}

static void test_refused(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    r.fake.script.refuse = true;
    rig_open(&r);
    assert_false(r.failed); /* never from inside */
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.why, VA_EAUTH);
    rig_end(&r);
}

static void test_nobody_there(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    tcp_listener_close(&r.fake.listener);
    rig_open(&r);
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.why, VA_EREFUSED);
    rig_end(&r);
}

/* Lost in mid-word: a new session with what was said, and the answer goes on. */
static void test_drop_mid_word(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    assert_int_equal(history_add(r.history, SPEAKER_CALLER, "my name is Marcelo"), VA_OK);
    assert_int_equal(history_add(r.history, SPEAKER_AGENT, "hello Marcelo"), VA_OK);
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    r.fake.script.drop_after_ms = 300;
    r.fake.script.close_code = 0;
    r.with->ops->say(r.p, SAY_STILL_THERE);
    if (r.with->renews) {
        RIG_UNTIL(&r, r.done == 2);
        assert_int_equal(r.fake.seen.connections, 2);
        const char *second = strstr(buf_z(&r.fake.seen.texts), "my name is Marcelo");
        assert_non_null(second);
        assert_non_null(strstr(second + 1, "my name is Marcelo"));
    } else {
        RIG_UNTIL(&r, r.failed);
    }
    rig_no_refusals(&r);
    rig_end(&r);
}

/* Lost, and nobody there any more: the answer was not over, so that who takes over knows. */
static void test_loss_is_not_an_end(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.fake.script.drop_after_ms = 300;
    tcp_listener_close(&r.fake.listener);
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.answers, 1);
    assert_int_equal(r.done, 0);
    rig_end(&r);
}

static void test_close_codes(void **state)
{
    static const struct {
        uint16_t code;
        bool again;
    } rows[] = {{1001, true}, {1011, true}, {1012, true}, {1008, false}, {4000, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig r;
        begin_ready(&r, *state);
        r.fake.script.drop_after_ms = 200;
        r.fake.script.close_code = rows[i].code;
        r.with->ops->say(r.p, SAY_GREETING);
        RIG_UNTIL(&r, r.failed || r.done == 2);
        assert_true(r.failed == !(rows[i].again && r.with->renews));
        rig_end(&r);
    }
}

/* A remote that always drops is not called for ever. */
static void test_reconnects_are_bounded(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    for (int i = 0; i < 20 && !r.failed; i++) {
        uint32_t before = r.done;
        r.fake.script.drop_after_ms = 100;
        RIG_UNTIL(&r, r.failed || r.fake.open);
        if (!r.failed)
            r.with->ops->say(r.p, SAY_STILL_THERE);
        RIG_UNTIL(&r, r.failed || r.done > before);
    }
    assert_true(r.failed);
    assert_true(r.fake.seen.connections <= 5);
    rig_end(&r);
}

/* Its end announced: renewed in a quiet moment, before it comes. */
static void test_session_limit(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    if (!r.with->renews) {
        rig_end(&r);
        return;
    }
    r.fake.script.session_ms = 1000;
    assert_int_equal(history_add(r.history, SPEAKER_CALLER, "my name is Marcelo"), VA_OK);
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    r.fake.script.session_ms = 0;
    RIG_UNTIL(&r, r.fake.seen.sessions == 2);
    greet(&r);
    assert_false(r.failed);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_close_inside_a_handler(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.close_at_answer = true;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, !r.p);
    rig_settle(&r, 50);
    assert_int_equal(r.answers, 1);
    rig_end(&r);
}

static void test_close_at_any_time(void **state)
{
    for (int turns = 0; turns < 12; turns++) {
        struct rig r;
        rig_begin(&r, *state);
        rig_open(&r);
        for (int i = 0; i < turns; i++)
            loop_turn(r.loop, false);
        rig_end(&r);
    }
}

/* After its end a provider takes everything and does nothing. */
static void test_dead_is_silent(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    r.fake.script.refuse = true;
    rig_open(&r);
    RIG_UNTIL(&r, r.failed);
    const struct provider_ops *ops = r.with->ops;
    ops->say(r.p, SAY_FAREWELL);
    ops->digit(r.p, '1');
    ops->tool_result(r.p, 1, VA_OK);
    ops->interrupt(r.p, 1, 0);
    ops->turn(r.p, TURN_STARTED, 0);
    rig_speak(&r, 100, true);
    assert_int_equal(r.answers, 0);
    rig_end(&r);
}

/* ---- run
 * ----------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*run)(void **state);
} suite[] = {
    {"open", test_open},
    {"greeting", test_greeting_is_said_verbatim},
    {"prompt", test_prompt},
    {"turn", test_turn},
    {"long_answer", test_long_answer},
    {"tool_round", test_tool_round},
    {"tool_of_nobody", test_tool_of_nobody},
    {"digit", test_digit},
    {"interrupt", test_interrupt},
    {"interrupt_is_clamped", test_interrupt_is_clamped},
    {"barge_in", test_barge_in},
    {"noise_is_forgiven", test_noise_is_forgiven},
    {"garbage", test_garbage},
    {"never_ready", test_never_ready},
    {"refused", test_refused},
    {"nobody_there", test_nobody_there},
    {"drop_mid_word", test_drop_mid_word},
    {"loss_is_not_an_end", test_loss_is_not_an_end},
    {"close_codes", test_close_codes},
    {"reconnects_are_bounded", test_reconnects_are_bounded},
    {"session_limit", test_session_limit},
    {"close_inside_a_handler", test_close_inside_a_handler},
    {"close_at_any_time", test_close_at_any_time},
    {"dead_is_silent", test_dead_is_silent},
};

enum { SUITE = sizeof(suite) / sizeof(suite[0]), CASES = sizeof(cases) / sizeof(cases[0]) };

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[SUITE * CASES];
    static char names[SUITE * CASES][80];
    size_t n = 0;
    for (size_t c = 0; c < CASES; c++)
        for (size_t i = 0; i < SUITE; i++) {
            (void)snprintf(names[n], sizeof(names[n]), "%s/%s", cases[c].name, suite[i].name);
            tests[n] = (struct CMUnitTest){names[n], suite[i].run, NULL, NULL,
                                           (void *)(uintptr_t)&cases[c]};
            n++;
        }
    log_set_level(getenv("VA_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return _cmocka_run_group_tests("providers", tests, n, NULL, NULL);
}
