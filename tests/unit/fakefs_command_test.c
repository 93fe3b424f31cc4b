/* fakefs/command, fakefs/event: what comes in and how events go out. */
#include "fakefs/command.h"
#include "fakefs/event.h"

#include "unit/unit.h"

#include <stdio.h>

static const char stream[] = "\r\n\nconnect\n\n"
                             "sendmsg\ncall-command: execute\nexecute-app-name:   set\n"
                             "no colon here\nempty:\nexecute-app-arg: a=b: c\n\n"
                             "\n\napi echo x\r\n\r\n"
                             "sendmsg\ncontent-type: text/plain\ncontent-length: 7\n\nab\n\ncd\n"
                             "exit\n\n";

/* All commands as text, so that two ways of feeding can be compared. */
static void describe(struct fakefs_parser *p, struct buf *out)
{
    struct fakefs_command c;
    while (fakefs_parser_next(p, &c) == VA_OK) {
        buf_addf(out, "[%.*s]", STR_ARG(c.line));
        for (size_t i = 0; i < c.header_count; i++)
            buf_addf(out, "(%.*s=%.*s)", STR_ARG(c.header[i].name), STR_ARG(c.header[i].value));
        buf_addf(out, "<%.*s>", STR_ARG(c.body));
    }
}

static const char expected[] =
    "[connect]<>[sendmsg](call-command=execute)(execute-app-name=set)(execute-app-arg=a=b: c)<>"
    "[api echo x]<>[sendmsg](content-type=text/plain)(content-length=7)<ab\n\ncd\n>[exit]<>";

static void commands_are_the_same_at_every_split(void **state)
{
    (void)state;
    for (size_t cut = 0; cut + 1 < sizeof(stream); cut++) {
        struct fakefs_parser p;
        struct buf out;
        fakefs_parser_init(&p);
        buf_init(&out, 4096);
        assert_int_equal(fakefs_parser_add(&p, stream, cut), VA_OK);
        describe(&p, &out);
        assert_int_equal(fakefs_parser_add(&p, stream + cut, sizeof(stream) - 1 - cut), VA_OK);
        describe(&p, &out);
        assert_string_equal(buf_z(&out), expected);
        assert_false(fakefs_parser_partial(&p));
        fakefs_parser_free(&p);
        buf_free(&out);
    }
}

static void commands_survive_single_bytes(void **state)
{
    (void)state;
    struct fakefs_parser p;
    struct buf out;
    fakefs_parser_init(&p);
    buf_init(&out, 4096);
    for (size_t i = 0; i + 1 < sizeof(stream); i++) {
        assert_int_equal(fakefs_parser_add(&p, stream + i, 1), VA_OK);
        describe(&p, &out);
    }
    assert_string_equal(buf_z(&out), expected);
    fakefs_parser_free(&p);
    buf_free(&out);
}

static void a_cr_moves_every_earlier_cut(void **state)
{
    (void)state; /* esl.md §1.3: `api echo lf\nX-Y: a\r\n\r\n` echoed "lf\nX-Y: a" */
    struct fakefs_parser p;
    struct fakefs_command c;
    fakefs_parser_init(&p);
    static const char text[] = "api echo lf\nX-Y: a\r\n\r\n";
    assert_int_equal(fakefs_parser_add(&p, text, sizeof(text) - 1), VA_OK);
    assert_int_equal(fakefs_parser_next(&p, &c), VA_OK);
    assert_true(str_eqz(c.line, "api echo lf\nX-Y: a"));
    fakefs_parser_free(&p);
}

static void a_bad_length_is_a_protocol_error(void **state)
{
    (void)state;
    static const char *const bad[] = {"-5", "5x", "+5", "99999999999", "0x10"};
    for (size_t i = 0; i < 5; i++) {
        struct fakefs_parser p;
        struct fakefs_command c;
        char text[64];
        fakefs_parser_init(&p);
        int n = snprintf(text, sizeof(text), "sendmsg\nContent-Length: %s\n\n", bad[i]);
        assert_int_equal(fakefs_parser_add(&p, text, (size_t)n), VA_OK);
        assert_int_equal(fakefs_parser_next(&p, &c), VA_EPROTO);
        fakefs_parser_free(&p);
    }
}

static void input_is_bounded(void **state)
{
    (void)state;
    struct fakefs_parser p;
    fakefs_parser_init(&p);
    static char block[65536];
    memset(block, 'x', sizeof(block));
    enum va_err err = VA_OK;
    for (int i = 0; i < 17 && !err; i++)
        err = fakefs_parser_add(&p, block, sizeof(block));
    assert_int_equal(err, VA_ELIMIT);
    fakefs_parser_free(&p);
}

static void values_are_encoded_as_freeswitch_does(void **state)
{
    (void)state;
    static const char *const pair[][2] = {
        {"Ana Conceição", "Ana%20Concei%C3%A7%C3%A3o"},
        {"+OK\n", "%2BOK%0A"},
        {"%41bc", "%41bc"},
        {"%zz 100%", "%25zz%20100%25"},
        {"tone_stream://%(400,100,440)", "tone_stream%3A//%25(400,100,440)"},
        {"", "_undef_"}};
    for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
        struct buf out;
        buf_init(&out, 1000);
        fakefs_encode(&out, pair[i][0]);
        assert_string_equal(buf_z(&out), pair[i][1]);
        buf_free(&out);
    }
}

static void an_event_has_two_forms(void **state)
{
    (void)state;
    struct fakefs_event *ev = fakefs_event_new();
    struct buf out;
    buf_init(&out, 1000);
    fakefs_event_add(ev, "Event-Name", "X");
    fakefs_event_add(ev, "None", "");
    fakefs_event_add_variable(ev, "m", "ARRAY::a|:b c");
    fakefs_event_add(ev, "Q", "\"\\\n\x01");
    buf_addz(&ev->body, "hi\n");
    fakefs_event_write(ev, FAKEFS_PLAIN, &out);
    assert_string_equal(buf_z(&out), "Content-Length: 88\nContent-Type: text/event-plain\n\n"
                                     "Event-Name: X\nvariable_m: ARRAY%3A%3Aa%7C%3Ab%20c\n"
                                     "Q: %22%5C%0A%01\nContent-Length: 3\n\nhi\n");
    buf_reset(&out);
    fakefs_event_write(ev, FAKEFS_JSON, &out);
    assert_non_null(strstr(buf_z(&out), "{\"Event-Name\":\"X\",\"variable_m\":[\"a\",\"b c\"],"
                                        "\"Q\":\"\\\"\\\\\\n\\u0001\",\"Content-Length\":\"3\","
                                        "\"_body\":\"hi\\n\"}"));
    assert_string_equal(fakefs_event_get(ev, "event-name"), "X");
    buf_free(&out);
    fakefs_event_free(&ev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_the_same_at_every_split),
        cmocka_unit_test(commands_survive_single_bytes),
        cmocka_unit_test(a_cr_moves_every_earlier_cut),
        cmocka_unit_test(a_bad_length_is_a_protocol_error),
        cmocka_unit_test(input_is_bounded),
        cmocka_unit_test(values_are_encoded_as_freeswitch_does),
        cmocka_unit_test(an_event_has_two_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
