/* fakefs/script: the grammar; fakefs/meter: lateness, loss, speech. */
#include "fakefs/meter.h"
#include "fakefs/script.h"

#include "unit/unit.h"

static void steps_are_read(void **state)
{
    (void)state;
    static const char text[] = "# a caller\n"
                               "wait greeting within 3s\n"
                               "  say \"quero \\\"vendas\\\" # não\" voice pt-br # comment\r\n"
                               "barge-in 1500ms wav a.wav\n"
                               "barge-in 1.5s say hello within 4s\n\n"
                               "expect transfer 201 within 500ms\n"
                               "expect hangup within 20s\n"
                               "expect hangup NORMAL_CLEARING\n"
                               "try wait answer\n"
                               "dtmf \"1#\"\n"
                               "human busy after 2s\n"
                               "inject garbage 7";
    struct script s = {NULL, 0, 0};
    struct va_fault fault = {VA_OK, ""};
    enum va_err err = script_parse(&s, "x", str_of(text), &fault);
    assert_string_equal(fault.text, "");
    assert_int_equal(err, VA_OK);
    assert_int_equal(s.count, 11);
    assert_int_equal(s.step[0].kind, STEP_WAIT_GREETING);
    assert_int_equal(s.step[0].ms, 3000);
    assert_string_equal(s.step[1].text, "quero \"vendas\" # não");
    assert_string_equal(s.step[1].voice, "pt-br");
    assert_int_equal(s.step[1].line, 3);
    assert_int_equal(s.step[2].ms, 1500);
    assert_int_equal(s.step[2].count, 1);
    assert_int_equal(s.step[3].limit_ms, 4000);
    assert_string_equal(s.step[4].text, "201");
    assert_int_equal(s.step[4].ms, 500);
    assert_string_equal(s.step[5].text, "");
    assert_int_equal(s.step[6].ms, SCRIPT_WAIT_MS);
    assert_true(s.step[7].optional);
    assert_string_equal(s.step[8].text, "1#");
    assert_int_equal(s.step[9].choice, FAKEFS_HUMAN_BUSY);
    assert_int_equal(s.step[10].count, 7);
    script_free(&s);
}

static void mistakes_name_their_line(void **state)
{
    (void)state;
    static const char *const bad[] = {"jump",
                                      "say",
                                      "say \"open",
                                      "wait",
                                      "wait thing",
                                      "sleep 5",
                                      "sleep x",
                                      "sleep 1.5ms",
                                      "sleep .s",
                                      "expect",
                                      "expect speech within",
                                      "dtmf 1x",
                                      "dtmf",
                                      "wav",
                                      "barge-in 5s",
                                      "barge-in say x",
                                      "human",
                                      "inject",
                                      "hangup A B",
                                      "try say x",
                                      "say a b",
                                      "inject foreign 99999",
                                      "sleep 99999999s"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct script s = {NULL, 0, 0};
        struct va_fault fault = {VA_OK, ""};
        char text[100] = "sleep 1s\n";
        strcat(text, bad[i]);
        if (script_parse(&s, "my.script", str_of(text), &fault) != VA_ECONFIG)
            fail_msg("accepted: %s", bad[i]);
        assert_ptr_equal(strstr(fault.text, "my.script:2: "), fault.text);
        script_free(&s);
    }
}

struct stream {
    struct fakefs_histogram h;
    struct fakefs_meter m;
};

static void stream_open(struct stream *s)
{
    memset(s, 0, sizeof(*s));
    s->h.bin_us = 100;
    fakefs_meter_init(&s->m, 20, &s->h);
}

static void frames_on_time_are_on_time(void **state)
{
    (void)state;
    struct stream s;
    stream_open(&s);
    for (uint64_t i = 0; i < 500; i++)
        fakefs_meter_add(&s.m, 1000000 + i * 20000 + (i % 3) * 100);
    fakefs_meter_end(&s.m);
    assert_int_equal(s.h.count, 500);
    assert_int_equal(s.m.lost + s.m.extra + s.m.late + s.m.pauses, 0);
    assert_in_range(s.h.max_us, 200, 200);
}

static void a_stall_is_late_and_a_hole_is_lost(void **state)
{
    (void)state;
    struct stream s;
    stream_open(&s);
    for (uint64_t i = 0; i < 500; i++) {
        if (i == 300 || i == 301) /* never sent */
            continue;
        bool stalled = i >= 100 && i < 104; /* 4 frames held back until the 5th */
        fakefs_meter_add(&s.m, 1000000 + (stalled ? 104 : i) * 20000);
    }
    fakefs_meter_end(&s.m);
    assert_int_equal(s.m.lost, 2);
    assert_int_equal(s.m.late, 4);
    assert_int_equal(s.m.extra, 0);
    assert_int_equal(s.h.max_us, 80000);
    assert_int_equal(s.h.count, 498);
}

static void extra_frames_and_pauses_are_counted(void **state)
{
    (void)state;
    struct stream s;
    stream_open(&s);
    uint64_t at = 1000000;
    for (int i = 0; i < 100; i++) {
        at += i == 50 ? 1000 : 20000; /* one came at once after another */
        fakefs_meter_add(&s.m, at);
    }
    at += 3000000;
    for (int i = 0; i < 100; i++)
        fakefs_meter_add(&s.m, at += 20000);
    fakefs_meter_end(&s.m);
    assert_int_equal(s.m.extra, 1);
    assert_int_equal(s.m.lost, 0);
    assert_int_equal(s.m.pauses, 1);
}

static void the_first_late_frame_does_not_spoil_the_grid(void **state)
{
    (void)state;
    struct stream s;
    stream_open(&s);
    fakefs_meter_add(&s.m, 1000000 + 8000);
    for (uint64_t i = 1; i < 200; i++)
        fakefs_meter_add(&s.m, 1000000 + i * 20000);
    fakefs_meter_end(&s.m);
    assert_int_equal(s.h.max_us, 8000);
    assert_int_equal(fakefs_histogram_at(&s.h, 990), 100);
    assert_int_equal(s.m.lost + s.m.extra, 0);
}

static void speech_has_an_onset_and_an_end(void **state)
{
    (void)state;
    struct fakefs_gate g = {false, 0, 0};
    int16_t quiet[160], speech[160], ff[160];
    memset(ff, 0xFF, sizeof(ff));
    for (int i = 0; i < 160; i++) {
        quiet[i] = (int16_t)(i % 40 - 20);
        speech[i] = (int16_t)(i % 2 ? 3000 : -3000);
    }
    assert_int_equal(fakefs_gate_feed(&g, quiet, 160, 20000), GATE_NONE);
    assert_int_equal(fakefs_gate_feed(&g, ff, 160, 40000), GATE_NONE);
    assert_int_equal(fakefs_gate_feed(&g, speech, 160, 60000), GATE_ONSET);
    assert_int_equal(fakefs_gate_feed(&g, speech, 160, 80000), GATE_NONE);
    assert_int_equal(fakefs_gate_feed(&g, quiet, 160, 500000), GATE_NONE);
    assert_int_equal(fakefs_gate_idle(&g, 580000), GATE_OFFSET);
    assert_int_equal(g.onset_us, 60000);
    assert_int_equal(g.last_us, 80000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_read),
        cmocka_unit_test(mistakes_name_their_line),
        cmocka_unit_test(frames_on_time_are_on_time),
        cmocka_unit_test(a_stall_is_late_and_a_hole_is_lost),
        cmocka_unit_test(extra_frames_and_pauses_are_counted),
        cmocka_unit_test(the_first_late_frame_does_not_spoil_the_grid),
        cmocka_unit_test(speech_has_an_onset_and_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
