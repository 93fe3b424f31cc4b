/* esl/event: the cases of esl.md §5 that concern one event, named after them. */
#include "unit/esl_util.h"

#define PLAIN(z) event_of(ESL_PLAIN, z, sizeof(z) - 1)
#define JSON(z)  event_of(ESL_JSON, z, sizeof(z) - 1)
#define XML(z)   event_of(ESL_XML, z, sizeof(z) - 1)

static void case_4_percent_decoding(void **state)
{
    (void)state;
    struct esl_event *ev = PLAIN("a: %41bc\nb: %zz\nc: %\nd: %FF%FE\ne: a%2Bb\nf: a+b\n"
                                 "g: _undef_\nh: 100%\ni: %4\n\n");
    is_text(esl_event_get(ev, "a"), "Abc");
    is_text(esl_event_raw(ev, "a"), "%41bc");
    is_text(esl_event_get(ev, "b"), "%zz");
    is_text(esl_event_get(ev, "c"), "%");
    is_text(esl_event_get(ev, "d"), "\xFF\xFE");
    is_text(esl_event_get(ev, "e"), "a+b");
    is_text(esl_event_get(ev, "f"), "a+b");
    is_text(esl_event_get(ev, "g"), "");
    assert_true(esl_event_undef(ev, "g"));
    assert_false(esl_event_undef(ev, "f"));
    is_text(esl_event_raw(ev, "g"), "_undef_");
    is_text(esl_event_get(ev, "h"), "100%");
    is_text(esl_event_get(ev, "i"), "%4");
    assert_null(esl_event_get(ev, "none").p);
    assert_true(esl_event_undef(ev, "none"));
    assert_false(esl_event_flawed(ev));
    esl_event_free(&ev);
    assert_null(ev);
}

static void case_5_a_value_cannot_forge_a_header(void **state)
{
    (void)state;
    struct esl_event *ev = PLAIN("Event-Name: DTMF\nvariable_x: a%0AEvent-Name%3A%20FORGED\n\n");
    assert_int_equal(esl_event_headers(ev), 2);
    assert_true(esl_event_is(ev, "DTMF"));
    is_text(esl_event_var(ev, "x"), "a\nEvent-Name: FORGED");
    esl_event_free(&ev);
}

static void case_6_strange_names(void **state)
{
    (void)state;
    struct esl_event *ev = PLAIN("Bad Name: 1\nvariable_a: b: 2\nx: 3\nX: 4\nUnique-ID: u:v\n\n");
    struct str name, value;
    is_text(esl_event_get(ev, "bad name"), "1");
    is_text(esl_event_var(ev, "A: b"), "2");
    is_text(esl_event_get(ev, "x"), "4");
    is_text(esl_event_uuid(ev), "u:v");
    assert_int_equal(esl_event_headers(ev), 5);
    esl_event_header(ev, 2, &name, &value);
    is_text(name, "x");
    is_text(value, "3");
    esl_event_free(&ev);
}

#define S(z) str_of(z)

static void case_7_duplicates(void **state)
{
    (void)state;
    struct esl_event *ev = PLAIN("Event-Name: COMMAND\nContent-Length: 99\nEvent-Name: "
                                 "PRIVATE_COMMAND\nContent-Length: 2\n\nhi");
    is_text(esl_event_name(ev), "PRIVATE_COMMAND");
    assert_int_equal(esl_event_count(ev, "Event-Name"), 1);
    assert_int_equal(esl_event_headers(ev), 4);
    is_text(esl_event_body(ev), "hi");
    assert_false(esl_event_flawed(ev));
    assert_int_equal(esl_event_find(ev, S("event-name"), 0), 0);
    assert_int_equal(esl_event_find(ev, S("Event-Name"), 1), 2);
    assert_int_equal(esl_event_find(ev, S("Event-Name"), 3), 4);
    assert_int_equal(esl_event_find(ev, S("Event-Nam"), 0), 4);
    assert_int_equal(esl_event_find(ev, S("Event-Name"), 99), 4);
    esl_event_free(&ev);
    ev = JSON("{\"Event-Name\":\"COMMAND\",\"Event-Name\":\"PRIVATE_COMMAND\"}");
    is_text(esl_event_name(ev), "PRIVATE_COMMAND");
    assert_int_equal(esl_event_headers(ev), 2);
    esl_event_free(&ev);
}

static void two_elements(struct esl_event *ev)
{
    assert_int_equal(esl_event_count(ev, "x"), 2);
    is_text(esl_event_nth(ev, "x", 0), "a");
    is_text(esl_event_nth(ev, "x", 1), "b\xC3\xA9");
    assert_null(esl_event_nth(ev, "x", 2).p);
    is_text(esl_event_get(ev, "X"), "a");
    assert_int_equal(esl_event_count(ev, "one"), 1);
    is_text(esl_event_nth(ev, "one", 0), "solo");
    is_text(esl_event_get(ev, "one"), "solo");
    assert_int_equal(esl_event_count(ev, "none"), 0);
    assert_false(esl_event_flawed(ev));
    esl_event_free(&ev);
}

static void case_8_arrays_are_the_same_in_each_format(void **state)
{
    (void)state;
    two_elements(PLAIN("x: ARRAY%3A%3Aa%7C%3Ab%C3%A9\none: solo\n\n"));
    two_elements(JSON("{\"x\":[\"a\",\"b\\u00e9\"],\"one\":[\"solo\"]}"));
    two_elements(JSON("{ \"x\" : [ \"a\" , \"b\xC3\xA9\" ] , \"one\" : [\"solo\"] }"));
    two_elements(XML("<event>\n <headers>\n  <x>a</x>\n  <x>b%C3%A9</x>\n  <one>solo</one>\n "
                     "</headers>\n</event>\n"));
    struct esl_event *ev = PLAIN("x: foo%20ARRAY%3A%3Ax\ny: ARRAY%3A%3Asolo\n\n");
    assert_int_equal(esl_event_count(ev, "x"), 1);
    is_text(esl_event_get(ev, "x"), "foo ARRAY::x");
    is_text(esl_event_get(ev, "y"), "solo");
    esl_event_free(&ev);
}

static void case_9_inner_bodies(void **state)
{
    (void)state;
    struct esl_event *ev =
        PLAIN("Event-Name: CUSTOM\nContent-Length: 14\n\na\n\nKey: v\n\xC3\xA9\0z");
    struct str body = esl_event_body(ev);
    assert_int_equal(body.len, 14);
    assert_memory_equal(body.p, "a\n\nKey: v\n\xC3\xA9\0z", 14);
    assert_false(esl_event_flawed(ev));
    assert_null(esl_event_get(ev, "Key").p);
    esl_event_free(&ev);
    ev = JSON("{\"a\":\"1\",\"Content-Length\":\"6\",\"_body\":\"%s%n\\u0000\\n\"}");
    body = esl_event_body(ev);
    assert_int_equal(body.len, 6);
    assert_memory_equal(body.p, "%s%n\0\n", 6);
    assert_int_equal(esl_event_headers(ev), 2);
    esl_event_free(&ev);
    ev = XML("<event><headers><a>1</a></headers><Content-Length>6</Content-Length>"
             "<body>&lt;b&gt;&#xE9;&#10;&bogus;&amp;</body></event>\n");
    is_text(esl_event_body(ev), "<b>\xC3\xA9\n&bogus;&");
    esl_event_free(&ev);
    ev = PLAIN("a: 1\n\n");
    assert_null(esl_event_body(ev).p);
    esl_event_free(&ev);
}

static void case_10_text_that_is_not_quite_text(void **state)
{
    (void)state;
    struct esl_event *ev = JSON("{\"a\":\"\xFF\x7F\",\"b\":\"x\\ud800y\",\"c\":\"\\ud83d\\ude00\","
                                "\"d\":\"\\q\\\"\\\\\",\"e\":12,\"f\":{\"g\":[1,\"]\"]},"
                                "\"\\u0041b\":\"\\udc00\"}");
    is_text(esl_event_get(ev, "a"), "\xFF\x7F");
    is_text(esl_event_get(ev, "b"), "x\xEF\xBF\xBDy");
    is_text(esl_event_get(ev, "c"), "\xF0\x9F\x98\x80");
    is_text(esl_event_get(ev, "d"), "\\q\"\\");
    is_text(esl_event_get(ev, "e"), "12");
    is_text(esl_event_get(ev, "f"), "{\"g\":[1,\"]\"]}");
    is_text(esl_event_get(ev, "Ab"), "\xEF\xBF\xBD");
    assert_false(esl_event_flawed(ev));
    esl_event_free(&ev);
    ev = XML("<event><headers>\n<Bad Name>1</Bad Name>\n<a>b>2</a>b>\n<open>3\n<c>4</c>\n"
             "</headers></event>");
    is_text(esl_event_get(ev, "Bad Name"), "1");
    is_text(esl_event_get(ev, "a>b"), "2");
    is_text(esl_event_get(ev, "c"), "4");
    assert_true(esl_event_flawed(ev));
    esl_event_free(&ev);
}

static void a_cut_event_keeps_what_it_has(void **state)
{
    (void)state;
    static const char *const json[] = {"{\"a\":\"1\",\"b\":\"2", "{\"a\":\"1\",",
                                       "{\"a\":\"1\"",           "{\"a\":\"1\"}x",
                                       "{\"a\":\"1\",\"b\":[\"", "{\"a\":\"1\",}"};
    for (size_t i = 0; i < sizeof(json) / sizeof(json[0]); i++) {
        struct esl_event *ev = event_of(ESL_JSON, json[i], strlen(json[i]));
        is_text(esl_event_get(ev, "a"), "1");
        assert_true(esl_event_flawed(ev));
        esl_event_free(&ev);
    }
    struct esl_event *ev = PLAIN("a: 1\nb: 2");
    is_text(esl_event_get(ev, "b"), "2");
    assert_true(esl_event_flawed(ev));
    esl_event_free(&ev);
    ev = JSON("{}");
    assert_false(esl_event_flawed(ev));
    esl_event_free(&ev);
    ev = XML("nothing");
    assert_true(esl_event_flawed(ev));
    esl_event_free(&ev);
}

static void a_dup_outlives_its_bytes(void **state)
{
    (void)state;
    char *bytes = strdup("Event-Name: DTMF\nDTMF-Digit: %23\n\n");
    struct esl_event *ev = event_of(ESL_PLAIN, bytes, strlen(bytes)), *kept = esl_event_dup(ev);
    esl_event_reset(ev);
    assert_int_equal(esl_event_headers(ev), 0);
    free(bytes);
    is_text(esl_event_get(kept, "dtmf-digit"), "#");
    is_text(esl_event_name(kept), "DTMF");
    esl_event_free(&kept);
    esl_event_free(&ev);
}

static void too_many_headers_are_left_out(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < ESL_EVENT_HEADERS_MAX + 10; i++)
        buf_addz(&b, "a: b\n");
    struct esl_event *ev = event_of(ESL_PLAIN, b.p, b.len);
    assert_int_equal(esl_event_headers(ev), ESL_EVENT_HEADERS_MAX);
    assert_true(esl_event_flawed(ev));
    esl_event_free(&ev);
    buf_free(&b);
}

/* The JSON scanner looks at 64 bytes at a time: every escape must come to stand at every place of
 * such a block, also across two (an escaped quote that looks like the end of a pair), and after a
 * pair that it leaves to the slow way. */
static void json_escapes_at_every_place(void **state)
{
    (void)state;
    static const char *const odd[] = {"", "\"l\":[\"x\",\"y\"],", "\"n\" : 1 ,", "\"n\\\"\":\"\","};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        for (size_t pad = 0; pad < 140; pad++) {
            struct buf b;
            buf_init(&b, 4096);
            buf_addz(&b, "{\"pad\":\"");
            for (size_t n = 0; n < pad; n++)
                buf_addc(&b, 'p');
            buf_addf(&b, "\",\"q\":\"a\\\",\",%s\"s\":\"\\\\\",\"c\":\",\",\"e\":\"\",\"z\":\":\"}",
                     odd[i]);
            struct esl_event *ev = event_of(ESL_JSON, b.p, b.len);
            assert_false(esl_event_flawed(ev));
            assert_int_equal(esl_event_headers(ev), i ? 7 : 6);
            assert_int_equal(esl_event_get(ev, "pad").len, pad);
            is_text(esl_event_get(ev, "q"), "a\",");
            is_text(esl_event_raw(ev, "q"), "a\\\",");
            is_text(esl_event_get(ev, "s"), "\\");
            is_text(esl_event_get(ev, "c"), ",");
            is_text(esl_event_get(ev, "e"), "");
            is_text(esl_event_get(ev, "z"), ":");
            esl_event_free(&ev);
            buf_free(&b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_4_percent_decoding),
        cmocka_unit_test(case_5_a_value_cannot_forge_a_header),
        cmocka_unit_test(case_6_strange_names),
        cmocka_unit_test(case_7_duplicates),
        cmocka_unit_test(case_8_arrays_are_the_same_in_each_format),
        cmocka_unit_test(case_9_inner_bodies),
        cmocka_unit_test(case_10_text_that_is_not_quite_text),
        cmocka_unit_test(a_cut_event_keeps_what_it_has),
        cmocka_unit_test(a_dup_outlives_its_bytes),
        cmocka_unit_test(too_many_headers_are_left_out),
        cmocka_unit_test(json_escapes_at_every_place),
    };
    return cmocka_run_group_tests_name("esl_event", tests, NULL, NULL);
}
