/* The realtime drivers beside the wire: URLs and settings, prepared connections, formats. */
#include "contract/openai_fake.h"
#include "contract/provider_rig.h"

#include "ai/realtime/link.h"
#include "ai/realtime/openai/openai.h"
#include "ai/realtime/realtime.h"

/* ---- URLs
 * ------------------------------------------------------------------------------------------ */

static void test_urls(void **state)
{
    (void)state;
    static const struct {
        const char *base, *root, *model, *url; /* NULL: refused */
    } rows[] = {
        {"https://api.openai.com/v1", "/v1", "gpt-realtime",
         "https://api.openai.com/v1/realtime?model=gpt-realtime"},
        {"http://127.0.0.1:8080", "/v1", "m", "http://127.0.0.1:8080/v1/realtime?model=m"},
        {"ws://host/v1/", "/v1", "m", "ws://host/v1/realtime?model=m"},
        {"wss://host:1/v1/realtime", "/v1", "m", "wss://host:1/v1/realtime?model=m"},
        {" https://r.openai.azure.com/ ", "/openai/v1", "my dep",
         "https://r.openai.azure.com/openai/v1/realtime?model=my%20dep"},
        {"https://h/proxy/x", "/v1", "a/b:c&d", "https://h/proxy/x/realtime?model=a%2Fb%3Ac%26d"},
        {"https://h/v1", "/v1", "", "https://h/v1/realtime"},
        {"ftp://h", "/v1", "m", NULL},
        {"api.openai.com", "/v1", "m", NULL},
        {"https://", "/v1", "m", NULL},
        {"https:///v1", "/v1", "m", NULL},
        {"https://h/v1?x=1", "/v1", "m", NULL},
        {"https://h/v1#x", "/v1", "m", NULL},
        {"", "/v1", "m", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char url[RT_URL_MAX];
        struct va_fault fault = {VA_OK, ""};
        enum va_err err = oa_url("OPENAI_BASE_URL", rows[i].base, rows[i].root, rows[i].model, url,
                                 sizeof(url), &fault);
        assert_int_equal(err, rows[i].url ? VA_OK : VA_ECONFIG);
        if (rows[i].url)
            assert_string_equal(url, rows[i].url);
        else
            assert_non_null(strstr(fault.text, "OPENAI_BASE_URL"));
    }
    char small[40];
    assert_int_equal(oa_url("X", "https://host/v1", "/v1", "a-model-with-a-long-name", small,
                            sizeof(small), NULL),
                     VA_ECONFIG);
}

/* ---- settings
 * -------------------------------------------------------------------------------------- */

static void configure_key(struct rig *r)
{
    (void)str_copy(r->settings.openai_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)snprintf(r->settings.openai_base_url, SETTING_TEXT_MAX, "%s/v1", r->fake.url);
}

static void configure_nothing(struct rig *r)
{
    (void)r;
}

static const struct contract_case with_key = {.name = "openai",
                                              .ops = &provider_openai,
                                              .proto = &openai_fake,
                                              .configure = configure_key,
                                              .renews = true,
                                              .truncates = true,
                                              .stops = true};

static void test_missing_settings(void **state)
{
    (void)state;
    static const struct {
        const struct provider_ops *ops;
        const char *named;
    } rows[] = {{&provider_openai, "OPENAI_API_KEY"},
                {&provider_azure, "AZURE_OPENAI_ENDPOINT"},
                {&provider_xai, "XAI_API_KEY"},
                {&provider_openai_compatible, "OPENAI_BASE_URL"}};
    for (size_t i = 0; i < 4; i++) {
        struct contract_case c = with_key;
        struct rig r;
        c.ops = rows[i].ops;
        c.configure = configure_nothing;
        rig_begin(&r, &c);
        rig_open(&r);
        RIG_UNTIL(&r, r.failed);
        assert_int_equal(r.why, VA_ECONFIG);
        assert_non_null(strstr(r.cause, rows[i].named));
        rig_end(&r);
    }
}

/* A key with a line break would be a header of its own. */
static void test_key_is_one_line(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with_key);
    (void)str_copy(r.settings.openai_api_key, SETTING_TEXT_MAX, str_of("sk\r\nX: y"));
    rig_open(&r);
    RIG_UNTIL(&r, r.failed);
    assert_null(strstr(r.cause, "sk"));
    assert_int_equal(r.fake.seen.connections, 0);
    rig_end(&r);
}

/* A secretary's voice that this provider does not have: the settings' one, and a line in the log.
 */
static void test_unknown_voice(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with_key);
    assert_int_equal(secretary_set(&r.secretary->voice, "nobody"), VA_OK);
    rig_open(&r);
    RIG_UNTIL(&r, r.ready || r.failed);
    assert_true(r.ready);
    rig_end(&r);
}

/* What an error means for the next call: the chain passes over what stays, and what is busy. */
static void test_errors_have_their_kind(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        enum va_err why;
    } rows[] = {{"rate_limit_exceeded", VA_ELIMIT},
                {"session_limit_reached", VA_ELIMIT},
                {"insufficient_quota", VA_EAUTH},
                {"model_not_found", VA_ECONFIG}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig r;
        struct buf b;
        struct json_writer w;
        rig_begin(&r, &with_key);
        rig_open(&r);
        RIG_UNTIL(&r, r.ready);
        fake_json(&w, &b, "error");
        jw_object(&w, "error");
        jw_text(&w, "type", "invalid_request_error");
        jw_text(&w, "code", rows[i].code);
        jw_text(&w, "message", "scripted");
        jw_end(&w);
        fake_json_end(&r.fake, &w, WS_TEXT);
        RIG_UNTIL(&r, r.failed);
        assert_int_equal(r.why, rows[i].why);
        rig_end(&r);
    }
}

/* A server that refuses whatever it is sent, fifty times a second: the caller talks to nobody. */
static void test_errors_without_end(void **state)
{
    (void)state;
    struct rig r;
    static const char error[] =
        "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"code\":"
        "\"unknown_event\",\"message\":\"no such event\",\"event_id\":\"x\"}}";
    rig_begin(&r, &with_key);
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    for (int i = 0; i < 20; i++)
        fake_send(&r.fake, WS_TEXT, str_of(error));
    rig_settle(&r, 50);
    assert_false(r.failed);
    for (int i = 0; i < 100; i++)
        fake_send(&r.fake, WS_TEXT, str_of(error));
    RIG_UNTIL(&r, r.failed);
    assert_non_null(strstr(r.cause, "no such event"));
    rig_end(&r);
}

/* Numbers no server means. */
static void test_endless_numbers(void **state)
{
    (void)state;
    struct rig r;
    static const char *const events[] = {
        "{\"type\":\"session.created\",\"session\":{\"expires_at\":9223372036854775807}}",
        "{\"type\":\"input_audio_buffer.speech_started\",\"item_id\":\"a\","
        "\"audio_start_ms\":9223372036854775807}",
        "{\"type\":\"input_audio_buffer.speech_stopped\",\"audio_end_ms\":0}",
        "{\"type\":\"input_audio_buffer.committed\",\"item_id\":\"a\"}",
    };
    rig_begin(&r, &with_key);
    rig_open(&r);
    RIG_UNTIL(&r, r.fake.open);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        fake_send(&r.fake, WS_TEXT, str_of(events[i]));
        if (i == 0)
            RIG_UNTIL(&r, r.ready);
    }
    RIG_UNTIL(&r, r.phases[TURN_ENDED]);
    rig_end(&r);
}

/* With a wrong clock every session seems to be about to end: not renewed without end. */
static void test_renewals_are_bounded(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with_key);
    r.fake.script.session_ms = 1;
    rig_open(&r);
    RIG_UNTIL(&r, r.fake.seen.sessions == 1 + RT_RECONNECTS_MAX);
    rig_settle(&r, 1100);
    assert_int_equal(r.fake.seen.connections, 1 + RT_RECONNECTS_MAX);
    assert_true(r.ready && !r.failed);
    rig_end(&r);
}

/* ---- prepared connections
 * ---------------------------------------------------------------------------- */

static void prepare(struct rig *r)
{
    (void)str_copy(r->settings.ai_provider, SETTING_TEXT_MAX, str_of("openai"));
    provider_loop_start(r->loop, &r->env, &r->settings);
    RIG_UNTIL(r, link_pool_waiting(r->loop) == 1);
    rig_settle(r, 20); /* what it says first is here too */
}

static void test_prepared_is_used(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with_key);
    prepare(&r);
    assert_int_equal(r.fake.seen.connections, 1);
    rig_open(&r);
    assert_int_equal(link_pool_waiting(r.loop), 0);
    RIG_UNTIL(&r, r.ready);
    assert_int_equal(r.fake.seen.sessions, 1);
    RIG_UNTIL(&r, r.fake.seen.connections == 2); /* the next one is being prepared */
    provider_loop_stop(r.loop);
    assert_int_equal(link_pool_waiting(r.loop), 0);
    rig_end(&r);
}

static void test_prepared_of_another_key_is_not(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with_key);
    prepare(&r);
    (void)str_copy(r.settings.openai_api_key, SETTING_TEXT_MAX, str_of("sk-other"));
    rig_open(&r);
    RIG_UNTIL(&r, r.failed); /* the fake knows one key: it was not lent */
    assert_int_equal(r.why, VA_EAUTH);
    provider_loop_stop(r.loop);
    rig_end(&r);
}

/* The server closes it while it waits, or in the moment it is taken. */
static void test_prepared_that_died(void **state)
{
    (void)state;
    for (int taken = 0; taken < 2; taken++) {
        struct rig r;
        rig_begin(&r, &with_key);
        prepare(&r);
        fake_drop(&r.fake);
        if (!taken)
            RIG_UNTIL(&r, link_pool_waiting(r.loop) == 0);
        rig_open(&r);
        RIG_UNTIL(&r, r.ready || r.failed);
        assert_true(r.ready);
        provider_loop_stop(r.loop);
        rig_end(&r);
    }
}

static void test_none_prepared(void **state)
{
    (void)state;
    struct rig r;
    rig_begin(&r, &with_key);
    (void)str_copy(r.settings.ai_provider, SETTING_TEXT_MAX, str_of("openai"));
    r.settings.ai_prepared = 0;
    provider_loop_start(r.loop, &r.env, &r.settings);
    rig_settle(&r, 20);
    assert_int_equal(r.fake.seen.connections, 0);
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    rig_settle(&r, 20);
    assert_int_equal(r.fake.seen.connections, 1);
    provider_loop_stop(r.loop);
    rig_end(&r);
}

/* ---- formats
 * ------------------------------------------------------------------------------------------ */

static uint64_t decode_in_pieces(struct rt_format f, int line_hz, const char *p, size_t len,
                                 size_t piece, int16_t *out)
{
    struct rt_decoder *d = NULL;
    uint64_t n = 0;
    assert_int_equal(rt_decoder_new(f, line_hz, &d), VA_OK);
    for (size_t at = 0; at < len; at += piece) {
        struct pcm *pcm = NULL;
        size_t some = len - at < piece ? len - at : piece;
        assert_int_equal(rt_decode(d, str_make(p + at, some), &pcm), VA_OK);
        if (!pcm)
            continue;
        memcpy(out + n, pcm_samples(pcm), pcm_count(pcm) * 2);
        n += pcm_count(pcm);
        pcm_unref(&pcm);
    }
    rt_decoder_free(&d);
    return n;
}

/* Pieces of any size are the same audio: a sample may be split between two. */
static void test_decoder_takes_any_pieces(void **state)
{
    (void)state;
    static const struct rt_format formats[] = {
        {RT_PCM16, 24000}, {RT_PCM16, 8000}, {RT_ULAW, 8000}, {RT_ALAW, 8000}};
    static int16_t tone[2400], whole[5000], some[5000];
    fake_tone(tone, 2400, 24000, 440, 0);
    for (size_t f = 0; f < 4; f++) {
        uint64_t n = decode_in_pieces(formats[f], 8000, (const char *)tone, 4800, 4800, whole);
        for (size_t piece = 1; piece < 64; piece += 2) {
            uint64_t m = decode_in_pieces(formats[f], 8000, (const char *)tone, 4800, piece, some);
            assert_true(m + 2 >= n && m <= n + 2);
            if (formats[f].rate_hz == 8000)
                assert_memory_equal(whole, some, n * 2);
        }
    }
}

static void test_encoder(void **state)
{
    (void)state;
    static int16_t in[160];
    fake_tone(in, 160, 8000, 440, 0);
    static const struct {
        struct rt_format f;
        size_t least, most;
    } rows[] = {{{RT_ULAW, 8000}, 160, 160},
                {{RT_ALAW, 8000}, 160, 160},
                {{RT_PCM16, 8000}, 320, 320},
                {{RT_PCM16, 24000}, 700, 964},
                {{RT_PCM16, 16000}, 500, 644}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rt_encoder *e = NULL;
        struct str out;
        assert_int_equal(rt_encoder_new(8000, rows[i].f, &e), VA_OK);
        assert_int_equal(rt_encode(e, in, 160, &out), VA_OK);
        assert_in_range(out.len, rows[i].least, rows[i].most);
        rt_encoder_free(&e);
    }
}

/* ---- the caller's audio ---------------------------------------------------------------------- */

static void test_packets_are_as_long_as_set(void **state)
{
    (void)state;
    static const struct {
        int64_t packet_ms;
        unsigned messages; /* of 300 ms of audio */
        unsigned ms;       /* in them */
    } rows[] = {{20, 15, 300}, {60, 5, 300}, {80, 3, 240}, {50, 5, 300}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig r;
        rig_begin(&r, &with_key);
        r.settings.ai_packet_ms = rows[i].packet_ms;
        rig_open(&r);
        RIG_UNTIL(&r, r.ready || r.failed);
        rig_speak(&r, 300, false);
        provider_openai.say(r.p, SAY_GREETING); /* behind the audio: what was sent is there */
        RIG_UNTIL(&r, r.done == 1);
        assert_int_equal(r.fake.seen.audio_messages, rows[i].messages);
        assert_int_equal(r.fake.seen.audio_ms, rows[i].ms);
        rig_end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_missing_settings),
        cmocka_unit_test(test_key_is_one_line),
        cmocka_unit_test(test_unknown_voice),
        cmocka_unit_test(test_errors_have_their_kind),
        cmocka_unit_test(test_errors_without_end),
        cmocka_unit_test(test_endless_numbers),
        cmocka_unit_test(test_renewals_are_bounded),
        cmocka_unit_test(test_prepared_is_used),
        cmocka_unit_test(test_prepared_of_another_key_is_not),
        cmocka_unit_test(test_prepared_that_died),
        cmocka_unit_test(test_none_prepared),
        cmocka_unit_test(test_decoder_takes_any_pieces),
        cmocka_unit_test(test_encoder),
        cmocka_unit_test(test_packets_are_as_long_as_set),
    };
    log_set_level(getenv("VA_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
