/* app/esl_show, esl_options, esl_candidates: what a person, a program and a terminal get to see. */
#include "unit/unit.h"

#include "app/esl_candidates.h"
#include "app/esl_options.h"
#include "app/esl_show.h"
#include "base/utf8.h"

#include <json-c/json.h>
#include <stdlib.h>

static struct esl_event *event(enum esl_format format, const char *text, size_t len)
{
    struct esl_event *borrowed = esl_event_new(), *own;
    assert_int_equal(esl_event_parse(borrowed, format, str_make(text, len)), VA_OK);
    own = esl_event_dup(borrowed);
    esl_event_free(&borrowed);
    return own;
}
#define EVENT(format, text) event(format, "" text, sizeof(text) - 1)

static void shows(void (*show)(struct buf *, const struct esl_event *, bool), struct esl_event *ev,
                  const char *want)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    show(&out, ev, false);
    assert_false(buf_failed(&out));
    if (!strstr(buf_z(&out), want))
        fail_msg("\"%s\" is not in \"%s\"", want, buf_z(&out));
    buf_free(&out);
    esl_event_free(&ev);
}

static json_object *json(struct esl_event *ev)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    esl_show_json(&out, ev);
    assert_int_equal(out.p[out.len - 1], '\n');
    assert_null(memchr(out.p, '\n', out.len - 1));
    for (struct str s = buf_str(&out); s.len;) {
        size_t n = utf8_char(s);
        assert_true(n > 0);
        s = str_make(s.p + n, s.len - n);
    }
    json_object *o = json_tokener_parse(buf_z(&out));
    assert_non_null(o);
    buf_free(&out);
    esl_event_free(&ev);
    return o;
}

static const char *text_of(json_object *o, const char *name)
{
    json_object *v = NULL;
    assert_true(json_object_object_get_ex(o, name, &v));
    return json_object_get_string(v);
}

static void a_line(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    shows(esl_show_line,
          EVENT(ESL_PLAIN, "Event-Name: CHANNEL_HANGUP_COMPLETE\n"
                           "Event-Date-Timestamp: 1795474028504931\n"
                           "Unique-ID: 2c068df5-a8d0-489e-9d9f-c69debedb289\n"
                           "Caller-Caller-ID-Number: 1000\nCaller-Destination-Number: 9196\n"
                           "Hangup-Cause: USER_BUSY\n\n"),
          "22:47:08.504 CHANNEL_HANGUP_COMPLETE  2c068df5 1000 > 9196 cause=USER_BUSY\n");
    shows(esl_show_line,
          EVENT(ESL_PLAIN, "Event-Name: CUSTOM\nEvent-Subclass: sofia%3A%3Aregister\n"
                           "from-user: 1001\nnetwork-ip: 192.0.2.1\n\n"),
          "sofia::register          -        user=1001 from=192.0.2.1\n");
    shows(esl_show_line, EVENT(ESL_PLAIN, "\n"), "00:00:00.000 ");
}

static void nothing_controls_the_terminal(void **state)
{
    (void)state;
    shows(esl_show_line,
          EVENT(ESL_PLAIN, "Event-Name: DTMF\nUnique-ID: u\nDTMF-Digit: %1B%5B2J%0A%C2%9B%FF\n\n"),
          "digit=\\x1b[2J\\x0a\\xc2\\x9b\\xff\n");
    shows(esl_show_full, EVENT(ESL_PLAIN, "Event-Name: X\nA: %1B\nContent-Length: 4\n\na\x1b\nb"),
          "    A: \\x1b\n    Content-Length: 4\n    | a\\x1b\n    | b\n");
}

static void json_is_lossless(void **state)
{
    (void)state;
    json_object *o = json(EVENT(ESL_PLAIN, "Event-Name: A\nevent-name: B\nQuote: %22%5C%0A%01\n"
                                           "List: ARRAY%3A%3Aone%7C%3Atwo\n"
                                           "Content-Length: 3\n\nx\"y"));
    assert_string_equal(text_of(o, "Event-Name"), "[ \"A\", \"B\" ]");
    assert_string_equal(text_of(o, "Quote"), "\"\\\n\x01");
    assert_string_equal(text_of(o, "List"), "[ \"one\", \"two\" ]");
    assert_string_equal(text_of(o, "_body"), "x\"y");
    json_object_put(o);
    o = json(EVENT(ESL_PLAIN, "Event-Name: A\nHangup-Cause: USER_BUSY\nX: 1\n"
                              "hangup-cause: USER_BUSY\nX: 2\n\n"));
    assert_string_equal(text_of(o, "Hangup-Cause"), "USER_BUSY"); /* FreeSWITCH says it twice */
    json_object *both = NULL;
    assert_true(json_object_object_get_ex(o, "X", &both));
    assert_int_equal(json_object_array_length(both), 2);
    json_object_put(o);
    o = json(EVENT(ESL_JSON, "{\"Event-Name\":\"A\",\"Solo\":[\"x\"],\"_body\":\"b\"}"));
    assert_string_equal(text_of(o, "Solo"), "x");
    assert_string_equal(text_of(o, "_body"), "b");
    json_object_put(o);
}

static void json_is_utf8(void **state)
{
    (void)state;
    json_object *o = json(EVENT(ESL_PLAIN, "Event-Name: %C3%A4%FF%C3%ED%A0%80\n\n"));
    assert_string_equal(text_of(o, "Event-Name"), "\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                                                  "\xef\xbf\xbd\xef\xbf\xbd");
    json_object_put(o);
}

static void a_log_line(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    esl_show_log(&out, 3, str_of("bad\x1b thing\r\n\tmore\n"), true);
    assert_string_equal(buf_z(&out), "\033[31mbad\\x1b thing\n\tmore\033[0m\n");
    buf_free(&out);
}

/* ---- options -------------------------------------------------------------------------------- */

static enum va_err read_options(struct esl_options *o, struct va_fault *fault, const char *line)
{
    static char words[16][64];
    static char *argv[16];
    static struct settings s;
    int argc = 0;
    for (struct str rest = str_of(line), word; rest.len; argc++) {
        word = str_cut(&rest, '|');
        assert_true(str_copy(words[argc], sizeof(words[argc]), word));
        argv[argc] = words[argc];
    }
    assert_int_equal(settings_load("/dev/null", (char *const[]){NULL}, &s, fault), VA_OK);
    return esl_options_read(&s, argc, argv, o, fault);
}

static void options(void **state)
{
    struct esl_options o;
    struct va_fault fault;
    (void)state;
    assert_int_equal(read_options(&o, &fault, "show|channels|-t|0.25|-P9|--bg"), VA_OK);
    assert_string_equal(buf_z(&o.words), "show channels");
    assert_int_equal(o.timeout_ms, 250);
    assert_int_equal(o.port, 9);
    assert_true(o.bg);
    esl_options_free(&o);
    assert_int_equal(read_options(&o, &fault, "-f|A,B|C|--filter|X=-y=z|--count|3"), VA_OK);
    assert_int_equal(o.mode, ESL_MODE_FOLLOW);
    assert_string_equal(buf_z(&o.words), "A B C");
    assert_string_equal(o.filter[0].header, "X");
    assert_string_equal(o.filter[0].value, "-y=z");
    esl_options_free(&o);
    assert_int_equal(read_options(&o, &fault, "--watch|show|calls"), VA_OK);
    assert_int_equal(o.watch_ms, 2000);
    esl_options_free(&o);
    assert_int_equal(read_options(&o, &fault, "originate|user/1|9196|--var|a=b"), VA_OK);
    assert_int_equal(o.mode, ESL_MODE_ORIGINATE);
    assert_string_equal(o.target, "9196");
    esl_options_free(&o);
    assert_int_equal(read_options(&o, &fault, "originate user/1 9196"), VA_OK);
    assert_int_equal(o.mode, ESL_MODE_RUN);
    esl_options_free(&o);
}

static void a_password_is_wiped_from_the_arguments(void **state)
{
    struct esl_options o;
    struct va_fault fault;
    struct settings s;
    char flag[] = "-p", value[] = "secret", joined[] = "--password=other";
    char *argv[] = {flag, value, joined};
    (void)state;
    assert_int_equal(settings_load("/dev/null", (char *const[]){NULL}, &s, &fault), VA_OK);
    assert_int_equal(esl_options_read(&s, 2, argv, &o, &fault), VA_OK);
    assert_string_equal(o.password, "secret");
    assert_string_equal(value, "");
    esl_options_free(&o);
    assert_int_equal(esl_options_read(&s, 1, argv + 2, &o, &fault), VA_OK);
    assert_string_equal(o.password, "other");
    assert_string_equal(joined, "--password=");
    esl_options_free(&o);
}

/* ---- completion ----------------------------------------------------------------------------- */

static void candidates(void **state)
{
    struct esl_candidates *c = calloc(1, sizeof(*c));
    struct str text;
    size_t len = 9;
    (void)state;
    esl_candidates_read(c, str_of("\n\n[      show]\t[      shutdown]\n\nwrite=2:sh"), &len, &text);
    assert_int_equal(c->count, 2);
    assert_string_equal(c->word[1], "shutdown");
    assert_int_equal(len, 2);
    assert_true(str_eqz(text, "sh"));
    esl_candidates_free(c);
    static const char *const odd[] = {"",          "[",        "write=",           "write=x:y",
                                      "[\x1b[2J]", "write=9:", "write=99999999:a", "]]]["};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        esl_candidates_read(c, str_of(odd[i]), &len, &text);
        for (size_t k = 0; k < c->count; k++)
            assert_null(strchr(c->word[k], 27));
        esl_candidates_free(c);
    }
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line),
        cmocka_unit_test(nothing_controls_the_terminal),
        cmocka_unit_test(json_is_lossless),
        cmocka_unit_test(json_is_utf8),
        cmocka_unit_test(a_log_line),
        cmocka_unit_test(options),
        cmocka_unit_test(a_password_is_wiped_from_the_arguments),
        cmocka_unit_test(candidates),
    };
    return cmocka_run_group_tests_name("app_esl_show", tests, NULL, NULL);
}
