/* net/sse.h: every stream cut at every byte says the same. */
#include "unit/unit.h"

#include "net/sse.h"

struct heard {
    struct buf text;
    unsigned events, stop_at;
};

static bool on_event(void *arg, const struct sse_event *e)
{
    struct heard *h = arg;
    (void)buf_addf(&h->text, "[%.*s|%.*s]", STR_ARG(e->name), STR_ARG(e->data));
    return ++h->events != h->stop_at;
}

static void check(const char *stream, const char *expect)
{
    size_t len = strlen(stream);
    for (size_t cut = 0; cut <= len + 1; cut++) {
        struct heard h = {.stop_at = 0};
        struct sse s;
        buf_init(&h.text, 4096);
        sse_init(&s, on_event, &h);
        if (cut <= len) {
            assert_int_equal(sse_feed(&s, str_make(stream, cut)), VA_OK);
            assert_int_equal(sse_feed(&s, str_make(stream + cut, len - cut)), VA_OK);
        } else { /* one by one */
            for (size_t i = 0; i < len; i++)
                assert_int_equal(sse_feed(&s, str_make(stream + i, 1)), VA_OK);
        }
        assert_int_equal(sse_end(&s), VA_OK);
        assert_string_equal(buf_z(&h.text), expect);
        sse_free(&s);
        buf_free(&h.text);
    }
}

static void streams_as_servers_send_them(void **state)
{
    (void)state;
    check("data: a\n\n", "[|a]");
    check("data:a\r\ndata: b\r\n\r\ndata: [DONE]\r\n\r\n", "[|a\nb][|[DONE]]");
    check("\xef\xbb\xbf"
          "event: ping\rdata: {}\r\r",
          "[ping|{}]");
    check(": OPENROUTER PROCESSING\n\nevent: x\n\ndata\n\n", "[|]");
    check("id: 1\nretry: 5\nevent: message_start\ndata: {\"a\":\"b: c\"}\n\n\n\n",
          "[message_start|{\"a\":\"b: c\"}]");
    check("data:  two\n\n", "[| two]");
    check("data: last", "[|last]"); /* tolerated */
    check("data: last\n", "[|last]");
    check("", "");
    check("\n\r\n\r\n", "");
    check("dat: a\nfoo\n\n", "");
}

static void a_handler_may_stop_it(void **state)
{
    (void)state;
    struct heard h = {.stop_at = 2};
    struct sse s;
    buf_init(&h.text, 4096);
    sse_init(&s, on_event, &h);
    assert_int_equal(sse_feed(&s, str_of("data: 1\n\ndata: 2\n\ndata: 3\n\n")), VA_ECANCELED);
    assert_string_equal(buf_z(&h.text), "[|1][|2]");
    sse_free(&s);
    buf_free(&h.text);
}

static void endless_lines_and_events_are_refused(void **state)
{
    (void)state;
    enum { PIECE = 65536 };
    static char x[PIECE];
    memset(x, 'x', sizeof(x));
    struct heard h = {.stop_at = 0};
    struct sse s;
    buf_init(&h.text, 4096);
    sse_init(&s, on_event, &h);
    enum va_err err = sse_feed(&s, str_of("data: "));
    for (size_t n = 0; !err && n < 100; n++)
        err = sse_feed(&s, str_make(x, sizeof(x)));
    assert_int_equal(err, VA_ELIMIT);
    sse_free(&s);
    sse_init(&s, on_event, &h);
    err = VA_OK;
    for (size_t n = 0; !err && n < 100; n++) {
        err = sse_feed(&s, str_of("data: "));
        if (!err)
            err = sse_feed(&s, str_make(x, sizeof(x)));
        if (!err)
            err = sse_feed(&s, str_of("\n"));
    }
    assert_int_equal(err, VA_ELIMIT);
    sse_free(&s);
    buf_free(&h.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_as_servers_send_them),
        cmocka_unit_test(a_handler_may_stop_it),
        cmocka_unit_test(endless_lines_and_events_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
