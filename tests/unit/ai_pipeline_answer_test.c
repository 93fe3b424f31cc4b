/* A model's stream and a recogniser's messages as what they mean; streams cut at every byte. */
#include "unit/unit.h"

#include "ai/pipeline/answer.h"
#include "ai/pipeline/deepgram.h"

struct reader {
    struct answer answer;
    bool (*take)(struct answer *a, const struct sse_event *event);
};

static bool on_event(void *arg, const struct sse_event *event)
{
    struct reader *r = arg;
    return r->take(&r->answer, event);
}

/* "text|name id arguments|…|tokens in/out". */
static void describe(const struct answer *a, struct buf *out)
{
    (void)buf_addz(out, buf_z(&a->text));
    for (size_t i = 0; i < LLM_TOOLS_MAX; i++)
        if (a->tool[i].used)
            (void)buf_addf(out, "|%s %s %s", a->tool[i].name, a->tool[i].id,
                           buf_z(&a->tool[i].arguments));
    (void)buf_addf(out, "|%d/%d", (int)a->usage.input_tokens, (int)a->usage.output_tokens);
    if (a->err)
        (void)buf_addf(out, "|%s %s", va_err_name(a->err), a->cause);
}

static void stream(bool (*take)(struct answer *, const struct sse_event *), const char *text,
                   const char *expect)
{
    size_t len = strlen(text);
    for (size_t cut = 0; cut <= len; cut++) {
        struct reader r = {.take = take};
        struct sse s;
        struct buf out;
        buf_init(&out, 65536);
        answer_init(&r.answer);
        sse_init(&s, on_event, &r);
        enum va_err err = sse_feed(&s, str_make(text, cut));
        if (!err)
            err = sse_feed(&s, str_make(text + cut, len - cut));
        if (!err)
            err = sse_end(&s);
        assert_true(err == VA_OK || err == VA_ECANCELED);
        answer_end(&r.answer);
        describe(&r.answer, &out);
        assert_string_equal(buf_z(&out), expect);
        sse_free(&s);
        answer_free(&r.answer);
        buf_free(&out);
    }
}

#define CHUNK(delta)                                                                               \
    "data: {\"choices\":[{\"index\":0,\"delta\":" delta ",\"finish_reason\":null}]}\n\n"

static void chat_as_openai_streams_it(void **state)
{
    (void)state;
    stream(answer_chat,
           CHUNK("{\"role\":\"assistant\",\"content\":\"\"}") CHUNK("{\"content\":\"Ol\\u00e1, \"}")
               CHUNK("{\"content\":\"mundo\"}") CHUNK(
                   "{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":"
                   "{\"name\":\"transfer\",\"arguments\":\"\"}}]}")
                   CHUNK("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\"\"}"
                         "}]}") CHUNK("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
                                      "\":1}\"}}]}") "data: "
                                                     "{\"choices\":[],\"usage\":{\"prompt_tokens\":"
                                                     "3,\"completion_tokens\":5}}\n\n"
                                                     "data: [DONE]\n\n",
           "Olá, mundo|transfer c1 {\"a\":1}|3/5");
}

static void chat_as_others_do(void **state)
{
    (void)state;
    /* one fragment, no finish, no [DONE], comments, CRLF */
    stream(answer_chat,
           ": OPENROUTER PROCESSING\r\n\r\n"
           "data: {\"choices\":[{\"delta\":{\"content\":\"ok\",\"tool_calls\":[{\"id\":\"x\","
           "\"function\":{\"name\":\"end_call\",\"arguments\":\"{}\"}}]}}]}\r\n\r\n",
           "ok|end_call x {}|-1/-1");
    /* arguments as an object, two calls that both claim index 0 */
    stream(answer_chat,
           CHUNK("{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"one\","
                 "\"arguments\":{\"k\":\"v\"}}}]}")
               CHUNK("{\"tool_calls\":[{\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"two\","
                     "\"arguments\":\"{}\"}}]}"),
           "|one a { \"k\": \"v\" }|two b {}|-1/-1");
    /* fragments without any index or id belong to the call before */
    stream(
        answer_chat,
        CHUNK(
            "{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"one\",\"arguments\":\"{\"}}]}")
            CHUNK("{\"tool_calls\":[{\"function\":{\"arguments\":\"}\"}}]}"),
        "|one a {}|-1/-1");
    /* thoughts, as members of their own and in the text */
    stream(answer_chat,
           CHUNK("{\"reasoning_content\":\"hm\"}") CHUNK("{\"reasoning\":\"hm\",\"content\":null}")
               CHUNK("{\"content\":\"<think>no\"}") CHUNK("{\"content\":\"pe</think>yes\"}"),
           "yes|-1/-1");
    /* a message in place of deltas, content as parts */
    stream(answer_chat,
           "data: {\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
           "{\"type\":\"image\"},{\"type\":\"text\",\"text\":\"b\"}]}}]}\n\n",
           "ab|-1/-1");
}

static void chat_tells_errors_in_the_stream(void **state)
{
    (void)state;
    stream(answer_chat,
           CHUNK("{\"content\":\"Ol\"}") "data: {\"error\":{\"message\":\"no memory\","
                                         "\"type\":\"server_error\"}}\n\n" CHUNK(
                                             "{\"content\":\"x\"}"),
           "Ol|-1/-1|VA_EIO no memory");
    stream(answer_chat, "data: {\"error\":\"busy\",\"choices\":null}\n\n", "|-1/-1|VA_EIO busy");
}

static void garbage_is_odd_and_harms_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "data: {\n\n",
        "data: []\n\n",
        "data: {\"choices\":7}\n\n",
        "data: {\"choices\":[7]}\n\n",
        "data: {\"choices\":[{\"delta\":[]}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[7,{},{\"function\":3}]}}]}\n\n",
        "data: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct reader r = {.take = answer_chat};
        struct sse s;
        answer_init(&r.answer);
        sse_init(&s, on_event, &r);
        assert_int_equal(sse_feed(&s, str_of(texts[i])), VA_OK);
        assert_int_equal(r.answer.text.len, 0);
        sse_free(&s);
        answer_free(&r.answer);
    }
}

static void an_answer_without_end_ends(void **state)
{
    (void)state;
    struct answer a;
    answer_init(&a);
    struct sse_event e = {str_of(""),
                          str_of("{\"choices\":[{\"delta\":{\"content\":\"more and more\"}}]}")};
    unsigned n = 0;
    while (answer_chat(&a, &e))
        assert_true(++n < 10000);
    assert_true(a.text.len <= STAGE_TEXT_MAX);
    answer_free(&a);
}

static void anthropic_as_it_streams(void **state)
{
    (void)state;
    stream(
        answer_anthropic,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":"
        "{\"input_tokens\":9,\"output_tokens\":1}}}\n\n"
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
        "\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n"
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
        "\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}\n\n"
        "event: ping\ndata: {\"type\": \"ping\"}\n\n"
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,"
        "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,"
        "\"delta\":{\"type\":\"text_delta\",\"text\":\"Um momento.\"}}\n\n"
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":2,"
        "\"content_block\":{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"transfer\",\"input\":{}}"
        "}\n\n"
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":2,"
        "\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"destination\\\":\"}}\n\n"
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":2,"
        "\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"\\\"x\\\"}\"}}\n\n"
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
        "\"tool_use\"},\"usage\":{\"output_tokens\":12}}\n\n"
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        "Um momento.|transfer t1 {\"destination\":\"x\"}|9/12");
    stream(answer_anthropic,
           "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
           "\"message\":\"Overloaded\"}}\n\n",
           "|-1/-1|VA_EAGAIN Overloaded");
}

/* ---- causes -----------------------------------------------------------------------------------
 */

static void a_servers_own_words_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *body, *cause;
    } rows[] = {
        {"{\"error\":{\"message\":\"bad model\"}}", "bad model"},
        {"{\"error\":\"bad model\"}", "bad model"},
        {"{\"detail\":\"Not Found\"}", "Not Found"},
        {"{\"detail\":{\"message\":\"quota\"}}", "quota"},
        {"{\"message\":\"m\"}", "m"},
        {"{\"a\":1}", ""},
        {"<html>\r\nbad\x1b[31m</html>", "<html>  bad [31m</html>"},
        {"", ""},
    };
    char out[STAGE_CAUSE_MAX];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        stage_cause(str_of(rows[i].body), out);
        assert_string_equal(out, rows[i].cause);
    }
    struct buf big;
    buf_init(&big, 4096);
    for (int i = 0; i < 500; i++)
        (void)buf_addz(&big, "é");
    stage_cause(buf_str(&big), out);
    assert_true(strlen(out) < STAGE_CAUSE_MAX && strlen(out) % 2 == 0);
    buf_free(&big);
}

/* ---- Deepgram ---------------------------------------------------------------------------------
 */

static void results(struct deepgram *d, const char *text, const char *flags)
{
    struct buf m;
    buf_init(&m, 4096);
    (void)buf_addf(
        &m, "{\"type\":\"Results\",%s\"channel\":{\"alternatives\":[{\"transcript\":\"%s\"}]}}",
        flags, text);
    (void)deepgram_take(d, buf_str(&m));
    buf_free(&m);
}

static void deepgram_words_grow_and_become_final(void **state)
{
    (void)state;
    struct deepgram d;
    deepgram_init(&d);
    results(&d, "eu", "\"is_final\":false,");
    assert_string_equal(buf_z(&d.words), "eu");
    results(&d, "eu queria", "\"is_final\":false,");
    assert_string_equal(buf_z(&d.words), "eu queria");
    results(&d, "Eu queria", "\"is_final\":true,");
    results(&d, "sab", "\"is_final\":false,");
    assert_string_equal(buf_z(&d.words), "Eu queria sab");
    assert_false(d.flushed);
    results(&d, "saber.", "\"is_final\":true,\"from_finalize\":true,");
    assert_true(d.flushed);
    assert_string_equal(buf_z(&d.words), "Eu queria saber.");
    deepgram_reset(&d);
    results(&d, "", "\"is_final\":true,\"from_finalize\":true,");
    assert_string_equal(buf_z(&d.words), "");
    assert_false(deepgram_take(&d, str_of("{\"type\":\"Metadata\"}")));
    assert_false(deepgram_take(&d, str_of("garbage")));
    assert_false(deepgram_take(&d, str_of("{\"type\":\"Results\",\"channel\":[]}")));
    assert_int_equal(d.err, VA_OK);
    (void)deepgram_take(&d, str_of("{\"type\":\"Error\",\"description\":\"too slow\"}"));
    assert_int_equal(d.err, VA_EIO);
    assert_string_equal(d.cause, "too slow");
    deepgram_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chat_as_openai_streams_it),
        cmocka_unit_test(chat_as_others_do),
        cmocka_unit_test(chat_tells_errors_in_the_stream),
        cmocka_unit_test(garbage_is_odd_and_harms_nothing),
        cmocka_unit_test(an_answer_without_end_ends),
        cmocka_unit_test(anthropic_as_it_streams),
        cmocka_unit_test(a_servers_own_words_are_found),
        cmocka_unit_test(deepgram_words_grow_and_become_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
