/* base64, the JSON writer and the fast reader. */
#include "ai/realtime/json_fast.h"
#include "base/base64.h"
#include "base/json_write.h"
#include "base/rand.h"

#include "unit/unit.h"

#include <json-c/json.h>
#include <stdlib.h>

/* ---- base64
 * -------------------------------------------------------------------------------------- */

static void test_base64_vectors(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}}; /* RFC 4648 §10 */
    for (size_t i = 0; i < 7; i++) {
        char text[16];
        uint8_t bytes[16];
        size_t n = base64_encode(rows[i][0], strlen(rows[i][0]), text), len = 99;
        assert_true(str_eqz(str_make(text, n), rows[i][1]));
        assert_int_equal(base64_decode(text, n, bytes, &len), VA_OK);
        assert_int_equal(len, strlen(rows[i][0]));
        assert_memory_equal(bytes, rows[i][0], len);
        while (n && text[n - 1] == '=')
            n--; /* padding may be missing */
        assert_int_equal(base64_decode(text, n, bytes, &len), VA_OK);
        assert_int_equal(len, strlen(rows[i][0]));
    }
}

static void test_base64_round_trip(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n++) {
        uint8_t in[300], out[304];
        char text[404];
        size_t len = 0;
        rand_bytes(in, n);
        assert_int_equal(base64_encode(in, n, text), base64_encoded_len(n));
        assert_int_equal(base64_decode(text, base64_encoded_len(n), out, &len), VA_OK);
        assert_int_equal(len, n);
        assert_memory_equal(in, out, n);
    }
}

static void test_base64_of_nothing(void **state)
{
    (void)state;
    uint8_t out[3];
    size_t len = 9;
    assert_int_equal(base64_decode(NULL, 0, out, &len), VA_OK);
    assert_int_equal(len, 0);
}

static void test_base64_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "A",     "=",       "==",   "A=",   "A==",   "AA=A", "====", "AA A",
        "AA\nA", "AAA\x80", "AB==", "AAB=", "AAAA=", "AA-_", "*AAA", "AAAA\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t out[16];
        size_t len;
        assert_int_equal(base64_decode(bad[i], strlen(bad[i]), out, &len), VA_EINVAL);
    }
}

/* ---- writer
 * -------------------------------------------------------------------------------------- */

static void test_writer(void **state)
{
    (void)state;
    struct buf b;
    struct json_writer w;
    buf_init(&b, 4096);
    jw_begin(&w, &b);
    jw_object(&w, NULL);
    jw_text(&w, "a", "x\"\\\n\t\x01/é");
    jw_array(&w, "b");
    jw_int(&w, NULL, -7);
    jw_milli(&w, NULL, 500);
    jw_milli(&w, NULL, -1050);
    jw_bool(&w, NULL, true);
    jw_null(&w, NULL);
    jw_object(&w, NULL);
    jw_end(&w);
    jw_end(&w);
    jw_text(&w, "c", NULL);
    jw_end(&w);
    assert_int_equal(jw_finish(&w), VA_OK);
    assert_string_equal(buf_z(&b),
                        "{\"a\":\"x\\\"\\\\\\n\\t\\u0001/é\",\"b\":[-7,0.500,-1.050,true,"
                        "null,{}],\"c\":\"\"}");
    buf_free(&b);
}

/* Whatever bytes come in, JSON of valid UTF-8 comes out, and the good part of them. */
static void test_writer_takes_any_bytes(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\xff", "\xEF\xBF\xBD"},
        {"a\xc3", "a\xEF\xBF\xBD"},
        {"\xc0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xed\xa0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"\xf4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf b;
        buf_init(&b, 256);
        assert_int_equal(jw_escape(&b, str_of(rows[i][0])), VA_OK);
        assert_string_equal(buf_z(&b), rows[i][1]);
        buf_free(&b);
    }
    for (int i = 0; i < 2000; i++) {
        char bytes[64];
        struct buf b;
        struct json_writer w;
        rand_bytes(bytes, sizeof(bytes));
        buf_init(&b, 4096);
        jw_begin(&w, &b);
        jw_array(&w, NULL);
        jw_str(&w, NULL, str_make(bytes, rand_below(65)));
        jw_end(&w);
        assert_int_equal(jw_finish(&w), VA_OK);
        struct json_tokener *t = json_tokener_new();
        json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        struct json_object *o = json_tokener_parse_ex(t, b.p, (int)b.len);
        assert_non_null(o);
        json_object_put(o);
        json_tokener_free(t);
        buf_free(&b);
    }
}

static void test_writer_limits(void **state)
{
    (void)state;
    struct buf b;
    struct json_writer w;
    buf_init(&b, 4096);
    jw_begin(&w, &b);
    for (int i = 0; i < JSON_WRITE_DEPTH_MAX + 3; i++)
        jw_array(&w, NULL);
    assert_int_equal(jw_finish(&w), VA_EINVAL);
    buf_reset(&b);
    jw_begin(&w, &b);
    jw_object(&w, NULL);
    assert_int_equal(jw_finish(&w), VA_EINVAL); /* left open */
    buf_free(&b);
    buf_init(&b, 10);
    jw_begin(&w, &b);
    jw_object(&w, NULL);
    jw_text(&w, "key", "longer than ten");
    jw_end(&w);
    assert_int_equal(jw_finish(&w), VA_ELIMIT);
    buf_free(&b);
}

/* ---- fast reader
 * --------------------------------------------------------------------------------- */

static void test_fast_finds(void **state)
{
    (void)state;
    struct json_want want[] = {{.key = "type"}, {.key = "delta"}, {.key = "none"}};
    const char *z =
        " { \"x\" : [1,-0.5e+3,{\"type\":\"inner\",\"y\":[[]]}], \"type\":\"t\" , "
        "\"n\":null,\"o\":{},\"esc\":\"a\\u00e9\\\"\",\"delta\":\"AAAAAAAAAAAAAAAAAAAA\"} ";
    assert_true(json_fast(str_of(z), want, 3));
    assert_true(str_eqz(want[0].value, "t"));
    assert_true(str_eqz(want[1].value, "AAAAAAAAAAAAAAAAAAAA"));
    assert_null(want[2].value.p);
    for (size_t n = 0; n < strlen(z) - 1; n++) /* cut anywhere it is not believed */
        assert_false(json_fast(str_make(z, n), want, 3));
    assert_true(json_fast(str_of("{\"type\":\"\"}"), want, 3));
    assert_true(want[0].value.p && !want[0].value.len);
    assert_true(json_fast(str_of("{\"type\":7}"), want, 3));
    assert_null(want[0].value.p);
}

static void test_fast_leaves_to_jsonc(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "[]",
                                       "7",
                                       "{",
                                       "{}x",
                                       "{,}",
                                       "{\"a\"}",
                                       "{\"a\":}",
                                       "{\"a\":1,}",
                                       "{\"a\":01}",
                                       "{\"a\":1.}",
                                       "{\"a\":.5}",
                                       "{\"a\":+1}",
                                       "{\"a\":1e}",
                                       "{\"a\":tru}",
                                       "{\"a\":[1,]}",
                                       "{\"a\":[}",
                                       "{\"a\":{]}",
                                       "{\"a\":\"\\x\"}",
                                       "{\"a\":\"\\u12g4\"}",
                                       "{\"a\":\"\n\"}",
                                       "{a:1}",
                                       "{'a':1}",
                                       "{\"a\":1 \"b\":2}",
                                       "{\"type\":\"a\\n\"}",
                                       "{\"ty\\u0070e\":\"a\"}",
                                       "{\"type\":\"a\",\"type\":\"b\"}"};
    struct json_want want[] = {{.key = "type"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_false(json_fast(str_of(rows[i]), want, 1));
    char deep[200];
    memset(deep, '[', sizeof(deep));
    memcpy(deep, "{\"a\":", 5);
    assert_false(json_fast(str_make(deep, sizeof(deep)), want, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64_vectors),
        cmocka_unit_test(test_base64_round_trip),
        cmocka_unit_test(test_base64_of_nothing),
        cmocka_unit_test(test_base64_refuses),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_writer_takes_any_bytes),
        cmocka_unit_test(test_writer_limits),
        cmocka_unit_test(test_fast_finds),
        cmocka_unit_test(test_fast_leaves_to_jsonc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
