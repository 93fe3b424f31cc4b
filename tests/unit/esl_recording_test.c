/* Every recorded conversation gives the same messages in recorded pieces, one byte at a time and at
 * once. Recordings: $VA_SHARED_DIR/recordings/freeswitch, else ../shared beside the source. */
#include "unit/esl_recording.h"

#include <glob.h>

static void conversations_parse_the_same_in_any_cut(void **state)
{
    (void)state;
    char pattern[600];
    glob_t found;
    (void)snprintf(pattern, sizeof(pattern), "%s/*.jsonl", recordings_dir());
    if (glob(pattern, 0, NULL, &found))
        skip();
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct recording r;
        recording_load(found.gl_pathv[i], &r);
        struct trace whole = trace_all_cuts(buf_str(&r.fs), false);
        trace_same(&whole, recording_pieces(&r));
        assert_int_equal(whole.err, VA_OK);
        assert_true(whole.messages > 0);
        assert_null(strstr(whole.text.p, "flawed 1"));
        buf_free(&whole.text);
        recording_free(&r);
    }
    globfree(&found);
}

static void load_events(const char *kind, struct buf *ret)
{
    char command[700];
    buf_init(ret, (size_t)64 << 20);
    (void)snprintf(command, sizeof(command), "xz -dc '%s/events-%s.bin.xz' 2>/dev/null",
                   recordings_dir(), kind);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    char chunk[65536];
    size_t n;
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        assert_int_equal(buf_add(ret, chunk, n), VA_OK);
    (void)pclose(f);
}

static void many_events_parse_the_same_in_any_cut(void **state)
{
    (void)state;
    static const char *const kinds[] = {"plain", "json"};
    for (size_t i = 0; i < 2; i++) {
        struct buf b;
        load_events(kinds[i], &b);
        if (!b.len)
            skip();
        struct trace t = trace_stream(buf_str(&b), 0, 0, NULL);
        assert_int_equal(t.messages, 2580);
        assert_null(strstr(t.text.p, "flawed 1"));
        trace_same(&t, trace_stream(buf_str(&b), 0, 1448, NULL));
        trace_same(&t, trace_stream(buf_str(&b), 0, 1, NULL));
        buf_free(&t.text);
        buf_free(&b);
    }
}

static void connect_reply_parses_at_every_split(void **state)
{
    (void)state;
    char path[600], bytes[8192];
    (void)snprintf(path, sizeof(path), "%s/connect.bin", recordings_dir());
    FILE *f = fopen(path, "rb");
    if (!f)
        skip();
    size_t n = fread(bytes, 1, sizeof(bytes), f);
    (void)fclose(f);
    struct trace t = trace_all_cuts(str_make(bytes, n), true);
    assert_int_equal(t.messages, 1);
    assert_non_null(strstr(t.text.p, "[Event-Name]=[CHANNEL_DATA]"));
    buf_free(&t.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversations_parse_the_same_in_any_cut),
        cmocka_unit_test(many_events_parse_the_same_in_any_cut),
        cmocka_unit_test(connect_reply_parses_at_every_split),
    };
    return cmocka_run_group_tests_name("esl_recording", tests, NULL, NULL);
}
