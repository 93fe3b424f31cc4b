/* leg/ws_text: texts of a stream and bodies of its events. */
#include "leg/ws_text.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define CALL "11111111-2222-3333-4444-555555555555"

static enum va_err read_text(const char *text, struct ws_told *told)
{
    return ws_text_read(str_of(text), told);
}

static void formats(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct ws_wire wire;
        enum ws_playback playback;
        char digit;
    } cases[] = {
        {"{}", {0}, WS_PLAY_AUTO, 0},
        {"{\"sampleRate\":16000,\"codec\":\"PCMU\",\"channels\":2}",
         {WS_CODEC_PCMU, 16000, 2},
         0,
         0},
        {"{\"sample_rate\":\"8000\",\"encoding\":\"alaw\"}", {WS_CODEC_PCMA, 8000, 0}, 0, 0},
        {"{\"rate\":\"16k\",\"mix\":\"stereo\"}", {0, 16000, 2}, 0, 0},
        {"{\"rate\":\"8k\",\"mix\":\"mono\"}", {0, 8000, 1}, 0, 0},
        {" {\"playback\":\"binary\"} \n", {0}, WS_PLAY_BINARY, 0},
        {"{\"playback\":\"loud\",\"rate\":44100,\"channels\":9,\"codec\":7}", {0}, 0, 0},
        {"{\"type\":\"dtmf\",\"digit\":\"#\"}", {0}, 0, '#'},
        {"{\"event\":\"dtmf\",\"digit\":\"5\"}", {0}, 0, '5'},
        {"{\"type\":\"dtmf\",\"digit\":\"55\"}", {0}, 0, 0},
        {"{\"type\":\"dtmf\",\"digit\":\"x\"}", {0}, 0, 0},
        {"{\"type\":\"other\",\"digit\":\"5\"}", {0}, 0, 0},
        {"{\"rate\":-1,\"channels\":\"\\u0000\"}", {0}, 0, 0},
        {"{\"rate\":99999999999999999999999}", {0}, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ws_told t;
        assert_int_equal(read_text(cases[i].text, &t), VA_OK);
        assert_int_equal(t.wire.codec, cases[i].wire.codec);
        assert_int_equal(t.wire.rate_hz, cases[i].wire.rate_hz);
        assert_int_equal(t.wire.channels, cases[i].wire.channels);
        assert_int_equal(t.playback, cases[i].playback);
        assert_int_equal(t.digit, cases[i].digit);
    }
}

static void other_texts_tell_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "hello",
        "[1,2]",
        "7",
        "null",
        "{",
        "{\"a\":1}x",
        "{\"a\":1}{\"b\":2}",
        "{\"a\":[[[[[[[[[[1]]]]]]]]]]}",
        "{\"a\":\"\xff\"",
        "\xef\xbb\xbf{}",
    };
    struct ws_told t;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(read_text(texts[i], &t), VA_EINVAL);
    char *big = malloc(WS_TEXT_MAX + 2);
    memset(big, ' ', WS_TEXT_MAX + 1);
    big[0] = '{';
    big[WS_TEXT_MAX - 1] = '}';
    assert_int_equal(ws_text_read(str_make(big, WS_TEXT_MAX), &t), VA_OK);
    assert_int_equal(ws_text_read(str_make(big, WS_TEXT_MAX + 1), &t), VA_ELIMIT);
    free(big);
}

static void cut_anywhere(void **state)
{
    (void)state;
    const char *text = "{\"sampleRate\":16000,\"data\":{\"x\":[1,2]},\"codec\":\"pcmu\"}";
    for (size_t len = 0; len < strlen(text); len++) {
        char *exact = malloc(len + 1);
        struct ws_told t;
        memcpy(exact, text, len);
        assert_int_equal(ws_text_read(str_make(exact, len), &t), VA_EINVAL);
        free(exact);
    }
}

static enum va_err play(const char *file, char *path, size_t cap)
{
    char body[600];
    (void)snprintf(body, sizeof(body),
                   "{\"audioDataType\":\"raw\",\"sampleRate\":8000,\"file\":\"%s\"}", file);
    return ws_play_file(str_of(body), CALL, path, cap);
}

static void only_plain_files_are_played(void **state)
{
    (void)state;
    char path[120];
    assert_int_equal(play("/tmp/" CALL "_0.tmp.r8", path, sizeof(path)), VA_OK);
    assert_string_equal(path, "/tmp/" CALL "_0.tmp.r8");
    assert_int_equal(play("C:/tmp/" CALL "_0.tmp.r8", path, sizeof(path)), VA_OK);
    assert_int_equal(play("/tmp/" CALL "_0.tmp.r8", path, 20), VA_ELIMIT);
    static const char *const wrong[] = {
        "",
        "/etc/passwd",
        "tmp/" CALL,
        "/tmp/../etc/" CALL,
        "/tmp/" CALL " -x",
        "/tmp/" CALL "\\n",
        "/tmp/${api(" CALL ")}",
        "{x=y}/tmp/" CALL,
        "/tmp/" CALL "!/tmp/b",
        "http://x/" CALL,
        "/tmp/" CALL "\\u0000",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(play(wrong[i], path, sizeof(path)), VA_EPROTO);
    assert_int_equal(ws_play_file(str_of("{\"file\":7}"), CALL, path, sizeof(path)), VA_EPROTO);
    assert_int_equal(ws_play_file(str_of("no"), CALL, path, sizeof(path)), VA_EPROTO);
    assert_int_equal(ws_play_file(str_make(NULL, 0), CALL, path, sizeof(path)), VA_EPROTO);
}

static void errors_are_told(void **state)
{
    (void)state;
    char text[40];
    ws_error_text(str_of("{\"status\":\"error\",\"message\":{\"code\":6,\"error\":\"no route\"}}"),
                  text, sizeof(text));
    assert_string_equal(text, "no route");
    ws_error_text(str_of("{\"message\":{\"code\":1000,\"reason\":\"bye\"}}"), text, sizeof(text));
    assert_string_equal(text, "bye");
    static const char *const none[] = {"", "{}", "{\"message\":7}", "x"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        ws_error_text(str_of(none[i]), text, sizeof(text));
        assert_string_equal(text, "");
    }
}

static void words_of_playback(void **state)
{
    (void)state;
    enum ws_playback p;
    for (int i = WS_PLAY_AUTO; i <= WS_PLAY_BINARY; i++) {
        assert_int_equal(ws_playback_read(str_of(ws_playback_text((enum ws_playback)i)), &p),
                         VA_OK);
        assert_int_equal(p, i);
    }
    assert_int_equal(ws_playback_read(str_of("x"), &p), VA_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),         cmocka_unit_test(other_texts_tell_nothing),
        cmocka_unit_test(cut_anywhere),    cmocka_unit_test(only_plain_files_are_played),
        cmocka_unit_test(errors_are_told), cmocka_unit_test(words_of_playback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
