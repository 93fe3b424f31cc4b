/* base/: slices, buffers, errors, settings, log lines. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/settings.h"
#include "base/str.h"
#include "base/utf8.h"

#include "unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

static void str_cut_walks_fields(void **state)
{
    (void)state;
    struct str rest = str_of("a,,bc");
    assert_true(str_eqz(str_cut(&rest, ','), "a"));
    assert_true(str_eqz(str_cut(&rest, ','), ""));
    assert_true(str_eqz(str_cut(&rest, ','), "bc"));
    assert_int_equal(rest.len, 0);
    struct str none = {NULL, 0};
    assert_int_equal(str_cut(&none, ',').len, 0);
}

static void str_word_skips_spaces(void **state)
{
    (void)state;
    struct str rest = str_of("  a  bc "), none = {NULL, 0};
    assert_true(str_eqz(str_word(&rest), "a"));
    assert_true(str_eqz(str_word(&rest), "bc"));
    assert_int_equal(str_word(&rest).len, 0);
    assert_int_equal(str_word(&none).len, 0);
}

static void str_ends_compares_the_end(void **state)
{
    (void)state;
    assert_true(str_ends(str_of("session.voice"), "voice"));
    assert_true(str_ends(str_of("voice"), "voice"));
    assert_false(str_ends(str_of("oice"), "voice"));
    assert_false(str_ends(str_of("voices"), "voice"));
    assert_true(str_ends(str_make(NULL, 0), ""));
}

static void str_numbers_reject_what_is_not_one(void **state)
{
    (void)state;
    uint64_t u = 7;
    int64_t i = 7;
    assert_int_equal(str_to_u64(str_of("18446744073709551615"), &u), VA_OK);
    assert_true(u == UINT64_MAX);
    assert_int_equal(str_to_u64(str_of("18446744073709551616"), &u), VA_ELIMIT);
    assert_int_equal(str_to_u64(str_of("+5"), &u), VA_EINVAL);
    assert_int_equal(str_to_u64(str_of("5x"), &u), VA_EINVAL);
    assert_int_equal(str_to_u64(str_of(""), &u), VA_EINVAL);
    assert_true(u == UINT64_MAX); /* outputs untouched on failure */
    assert_int_equal(str_to_i64(str_of("-12"), &i), VA_OK);
    assert_int_equal(i, -12);
    assert_int_equal(str_to_i64(str_of("9223372036854775808"), &i), VA_ELIMIT);
}

static void utf8_is_what_rfc_3629_says(void **state)
{
    static const struct {
        const char *p;
        bool valid;
    } rows[] = {
        {"", true},
        {"plain ASCII, longer than a word", true},
        {"\x7f", true},
        {"\xc2\x80", true},
        {"\xdf\xbf", true},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xee\x80\x80", true},
        {"\xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"eight by\xc3\xa4te", true},
        {"\x80", false},
        {"\xbf", false},
        {"\xc0\xaf", false},
        {"\xc1\xbf", false},
        {"\xc2", false},
        {"\xc2x", false},
        {"\xe0\x9f\xbf", false},
        {"\xe1\x80", false},
        {"\xed\xa0\x80", false},
        {"\xed\xbf\xbf", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"eight byte\xc3", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (utf8_valid(str_of(rows[i].p)) != rows[i].valid)
            fail_msg("row %zu", i);
}

static void a_cut_keeps_characters_whole(void **state)
{
    (void)state;
    struct str s = str_of("a\xc3\xa4\xf0\x9f\x98\x80z"); /* 1, 2, 4, 1 bytes */
    static const size_t left[] = {0, 1, 1, 3, 3, 3, 3, 7, 8, 8};
    for (size_t len = 0; len < sizeof(left) / sizeof(left[0]); len++)
        assert_int_equal(utf8_cut(s, len), left[len]);
    assert_int_equal(utf8_cut(str_make(NULL, 0), 4), 0);
    assert_int_equal(utf8_char(str_make(NULL, 0)), 0);
    assert_int_equal(utf8_char(str_make(s.p + 3, 3)), 0); /* three of four bytes */
    assert_int_equal(utf8_char(str_make(s.p + 3, 4)), 4);
}

static void buf_stops_at_its_ceiling_and_stays_failed(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 8);
    assert_int_equal(buf_addz(&b, "12345678"), VA_OK);
    assert_string_equal(buf_z(&b), "12345678");
    assert_int_equal(buf_addc(&b, '9'), VA_ELIMIT);
    assert_true(buf_failed(&b));
    assert_int_equal(buf_addc(&b, 'x'), VA_ELIMIT);
    buf_reset(&b);
    assert_int_equal(buf_addf(&b, "%s-%d", "ab", 12), VA_OK);
    buf_consume(&b, 3);
    assert_string_equal(buf_z(&b), "12");
    buf_free(&b);
}

static void errors_map_both_ways(void **state)
{
    (void)state;
    assert_string_equal(va_err_name(VA_EINUSE), "VA_EINUSE");
    assert_string_equal(va_err_text((enum va_err)999), "unknown error");
    assert_int_equal(va_err_from_errno(ECONNREFUSED), VA_EREFUSED);
    assert_int_equal(va_err_from_uv(UV_EOF), VA_ECLOSED);
    assert_true(va_err_retryable(VA_ETIMEOUT));
}

static void settings_defaults_then_environment(void **state)
{
    (void)state;
    struct settings s;
    struct va_fault fault = {0};
    char *env[] = {"ESL_SERVER_PORT=9022", "RECORD_CALLS=yes", "PATH=/bin", NULL};
    assert_int_equal(settings_load("/dev/null", env, &s, &fault), VA_OK);
    assert_int_equal(s.esl_server_port, 9022);
    assert_int_equal(s.record_calls, 1);
    assert_int_equal(s.rtp_port_max, 10100);
    assert_string_equal(s.esl_password, "ClueCon");
    char text[SETTING_TEXT_MAX];
    settings_value_text(&s, settings_find(str_of("ESL_PASSWORD")), text, sizeof(text));
    assert_string_equal(text, "***");
}

static void expect_fault(char *const *env, const char *const *words)
{
    struct settings s;
    struct va_fault fault = {0};
    assert_int_equal(settings_load("/dev/null", env, &s, &fault), VA_ECONFIG);
    for (; *words; words++)
        assert_non_null(strstr(fault.text, *words));
    assert_null(strchr(fault.text, '\n'));
}

static void settings_faults_name_cause_and_fix(void **state)
{
    (void)state;
    expect_fault((char *[]){"ESL_SERVER_PORT=70000", NULL},
                 (const char *[]){"ESL_SERVER_PORT", "70000", "1 to 65535", NULL});
    expect_fault((char *[]){"ESL_SERVER_PROT=8022", NULL},
                 (const char *[]){"ESL_SERVER_PROT", "ESL_SERVER_PORT", NULL});
    expect_fault((char *[]){"AUDIO_MODE=carrier-pigeon", NULL},
                 (const char *[]){"AUDIO_MODE", "esl", NULL});
    expect_fault((char *[]){"AUDIO_FALLBACK=esl,pigeon", NULL},
                 (const char *[]){"AUDIO_FALLBACK", "esl|rtp", NULL});
    expect_fault((char *[]){"AUDIO_FALLBACK=esl,,rtp", NULL},
                 (const char *[]){"AUDIO_FALLBACK", NULL});
    expect_fault((char *[]){"ESL_SERVER_HOST=localhost", NULL},
                 (const char *[]){"ESL_SERVER_HOST", "IP address", NULL});
    expect_fault((char *[]){"RTP_PORT_MIN=10200", NULL}, (const char *[]){"RTP_PORT_MAX", NULL});
}

static void settings_lists(void **state)
{
    (void)state;
    struct settings s;
    struct va_fault fault = {0};
    assert_int_equal(settings_load("/dev/null", (char *[]){"AUDIO_FALLBACK=", NULL}, &s, &fault),
                     VA_OK);
    assert_string_equal(s.audio_fallback, "");
    assert_int_equal(
        settings_load("/dev/null", (char *[]){"AUDIO_FALLBACK= dual, ESL ", NULL}, &s, &fault),
        VA_OK);
    assert_string_equal(s.audio_fallback, "dual,esl");
}

static void settings_env_file(void **state)
{
    (void)state;
    char path[] = "/tmp/va-env-XXXXXX";
    int fd = mkstemp(path);
    static const char text[] = "# guide\nexport ESL_SERVER_PORT='9023'\n\nDATA_DIR=\"/tmp/a b\"  \n"
                               "LOG_LEVEL=debug # loud\r\n";
    assert_int_equal(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
    struct settings s;
    struct va_fault fault = {0};
    char *env[] = {"ESL_SERVER_PORT=9024", NULL};
    assert_int_equal(settings_load(path, env, &s, &fault), VA_OK);
    assert_int_equal(s.esl_server_port, 9024); /* the environment wins */
    assert_string_equal(s.data_dir, "/tmp/a b");
    assert_string_equal(s.log_level, "debug");
    assert_int_equal(write(fd, "NOSUCH=1\n", 9), 9);
    assert_int_equal(settings_load(path, env, &s, &fault), VA_ECONFIG);
    assert_non_null(strstr(fault.text, ":6")); /* the line number */
    (void)close(fd);
    (void)unlink(path);
    assert_int_equal(settings_load("/nonexistent/.env", env, &s, &fault), VA_EIO);
}

static void log_values_never_start_a_line(void **state)
{
    (void)state;
    int pipefd[2];
    assert_int_equal(pipe(pipefd), 0);
    log_set_fd(pipefd[1]);
    struct log_ctx ctx = {"default", "6f1c"};
    log_info("call", &ctx, "start", "caller", "Eve\nERROR forged=\"1\"", "ms", log_ms(12345),
             "none", NULL, NULL);
    log_set_fd(STDERR_FILENO);
    char line[512] = {0};
    assert_true(read(pipefd[0], line, sizeof(line) - 1) > 0);
    assert_non_null(strstr(line, " INFO  call tenant=default call=6f1c event=start "
                                 "caller=\"Eve\\nERROR forged=\\\"1\\\"\" ms=12.3 none=-\n"));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    (void)close(pipefd[0]);
    (void)close(pipefd[1]);
}

static void uuid_has_its_shape(void **state)
{
    (void)state;
    char a[UUID_TEXT], b[UUID_TEXT];
    rand_uuid(a);
    rand_uuid(b);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '4');
}

static void hex_is_filled_to_its_end(void **state)
{
    (void)state;
    char a[33], b[33], one[1] = {'x'};
    memset(a, 'x', sizeof(a));
    rand_hex(a, sizeof(a));
    rand_hex(b, sizeof(b));
    assert_int_equal(strlen(a), 32);
    assert_int_equal(strspn(a, "0123456789abcdef"), 32);
    assert_string_not_equal(a, b);
    char many[1025]; /* one of the 16 is missing in one of 10^27 */
    rand_hex(many, sizeof(many));
    for (const char *digit = "0123456789abcdef"; *digit; digit++)
        assert_non_null(strchr(many, *digit));
    rand_hex(one, sizeof(one));
    assert_int_equal(one[0], 0);
}

static void the_nearest_name_of_a_table_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int other;
    } rows[] = {{"serve", 1}, {"secretary", 2}, {"call", 3}, {"calls", 4}};
    const size_t step = sizeof(rows[0]);
    assert_string_equal(str_nearest(str_of("serv"), &rows[0].name, 4, step), "serve");
    assert_string_equal(str_nearest(str_of("SECRETRY"), &rows[0].name, 4, step), "secretary");
    assert_string_equal(str_nearest(str_of("calls"), &rows[0].name, 4, step), "calls");
    assert_string_equal(str_nearest(str_of("cal"), &rows[0].name, 4, step), "call");
    assert_string_equal(str_nearest(str_of("call"), &rows[2].name, 1, step), "call");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(str_cut_walks_fields),
        cmocka_unit_test(str_word_skips_spaces),
        cmocka_unit_test(str_ends_compares_the_end),
        cmocka_unit_test(str_numbers_reject_what_is_not_one),
        cmocka_unit_test(utf8_is_what_rfc_3629_says),
        cmocka_unit_test(a_cut_keeps_characters_whole),
        cmocka_unit_test(buf_stops_at_its_ceiling_and_stays_failed),
        cmocka_unit_test(errors_map_both_ways),
        cmocka_unit_test(settings_defaults_then_environment),
        cmocka_unit_test(settings_faults_name_cause_and_fix),
        cmocka_unit_test(settings_lists),
        cmocka_unit_test(settings_env_file),
        cmocka_unit_test(log_values_never_start_a_line),
        cmocka_unit_test(uuid_has_its_shape),
        cmocka_unit_test(hex_is_filled_to_its_end),
        cmocka_unit_test(the_nearest_name_of_a_table_is_found),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
