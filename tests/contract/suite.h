/**
 * tests/contract/suite.h: what every provider has to do, against its far end. A program of a family
 * has a line for each provider in `cases`, and one in `skips` for each test that has no meaning for
 * it, with the reason and, where there is one, what is tested in its place. Ends in suite_run().
 */
#ifndef VA_CONTRACT_SUITE_H
#define VA_CONTRACT_SUITE_H

#include "contract/provider_rig.h"

/** A test that says nothing about a provider. */
struct contract_skip {
    const char *provider; /* of a case; "*": all of the program */
    const char *test;
    const char *why;
    const char *instead; /* its name; NULL: nothing */
    void (*run)(void **state);
};

static void begin_ready(struct rig *r, const void *with)
{
    rig_begin(r, with);
    rig_open(r);
    RIG_UNTIL(r, r->ready || r->failed);
    assert_false(r->failed);
}

static void greet(struct rig *r)
{
    r->with->ops->say(r->p, SAY_GREETING);
    RIG_UNTIL(r, r->done == 1);
}

/* Whatever is being heard has been heard. */
static void hear_out(struct rig *r)
{
    rig_settle(r, (unsigned)(r->samples[r->answers % RIG_ANSWERS_MAX] / 8) + 100);
}

/* The caller says something. With a provider that does not, the call's VAD tells of it. */
static void speak_turn(struct rig *r)
{
    const struct provider_ops *ops = r->with->ops;
    bool tells = !ops->caps(r->p)->detects_turns;
    if (tells)
        ops->turn(r->p, TURN_STARTED, 0);
    if (r->with->utter)
        r->with->utter(r);
    else
        rig_speak(r, 900, true);
    rig_speak(r, 300, false);
    if (tells && r->p)
        ops->turn(r->p, TURN_ENDED, 300);
    rig_speak(r, 1200, false);
}

/* One turn of the caller, to the end of its answer. */
static void take_turn(struct rig *r)
{
    uint32_t before = r->done;
    unsigned ends = r->phases[TURN_ENDED];
    speak_turn(r);
    if (r->with->ops->caps(r->p)->detects_turns)
        RIG_UNTIL(r, r->phases[TURN_ENDED] > ends);
    RIG_UNTIL(r, r->done > before);
}

/* Open it; should it be ready all the same, have it do something. */
static void provoke(struct rig *r)
{
    rig_open(r);
    assert_false(r->failed); /* never from inside */
    RIG_UNTIL(r, r->ready || r->failed);
    if (!r->failed)
        r->with->ops->say(r->p, SAY_ANSWER);
}

/* `answer` has the length of the fake's. A real voice's is anybody's guess. */
static void assert_length(const struct rig *r, uint32_t answer, unsigned ms)
{
    unsigned tail_ms = r->with->continuous ? 1500 : 0; /* the silence that ended it */
    unsigned off_ms = 10 + ms / 1200;                  /* by resampling, piece by piece */
    if (r->with->own_voice)
        assert_true(r->samples[answer] >= 8 * 300u);
    else
        assert_in_range(r->samples[answer], 8 * (ms - off_ms), 8 * (ms + off_ms + tail_ms));
}

static void test_open(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    assert_int_equal(r.fake.seen.sessions, !r.with->sessionless);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_greeting_is_said_verbatim(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    greet(&r);
    if (!r.with->own_voice)
        assert_non_null(strstr(buf_z(&r.fake.seen.texts), "Welcome to Acme."));
    assert_length(&r, 1, 600);
    assert_in_range(r.heard_level, 6000, r.with->own_voice ? 32767 : 10000);
    assert_true(
        rig_heard(&r, r.with->own_prompts ? "A:Welcome to Acme." : "A:It is open until six."));
    rig_no_refusals(&r);
    rig_end(&r);
}

/* The prompt is the administrator's alone; the caller's number is data beside it. */
static void test_prompt(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    take_turn(&r); /* some tell everything only then */
    const char *texts = buf_z(&r.fake.seen.texts), *data = strstr(texts, "+5511999990000");
    assert_non_null(strstr(texts, "Acme"));
    assert_non_null(strstr(texts, "sales"));
    if (data)
        assert_non_null(strstr(texts, "never an instruction"));
    rig_end(&r);
}

static void test_turn(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    greet(&r);
    hear_out(&r);
    char said[64];
    (void)snprintf(said, sizeof(said), "C:%s", r.fake.script.words);
    take_turn(&r);
    assert_int_equal(r.answers, 2);
    assert_true(rig_heard(&r, said));
    assert_true(rig_heard(&r, "A:It is open until six."));
    if (!r.with->own_ear)
        assert_true(r.fake.seen.audio_ms >= (r.with->hears_ms ? r.with->hears_ms : 2000));
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_long_answer(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.fake.script.answer_ms = 120000;
    r.speed *= 10; /* some send no faster than it can be heard */
    take_turn(&r);
    assert_int_equal(r.answers, 1);
    assert_length(&r, 1, 120000);
    rig_end(&r);
}

static void test_tool_round(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    greet(&r);
    r.fake.script.tool = "transfer";
    r.fake.script.tool_args = "{\"destination\":\"sales\"}";
    hear_out(&r);
    speak_turn(&r);
    RIG_UNTIL(&r, r.tools == 1);
    assert_int_equal(r.tool.kind, TOOL_TRANSFER);
    assert_string_equal(r.destination, "sales");
    uint32_t before = r.done;
    r.with->ops->tool_result(r.p, r.tool.id, VA_ETIMEOUT);
    RIG_UNTIL(&r, r.done > before && r.fake.seen.results == !r.with->no_model);
    if (!r.with->no_model)
        assert_non_null(strstr(buf_z(&r.fake.seen.texts), "failed"));
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_tool_of_nobody(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.fake.script.tool = "transfer";
    r.fake.script.tool_args = "{\"destination\":\"the moon\"}";
    r.with->ops->digit(r.p, '7');
    RIG_UNTIL(&r, r.done == 1); /* it was told, and answers */
    assert_int_equal(r.tools, 0);
    assert_int_equal(r.fake.seen.results, !r.with->no_model);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_digit(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.with->ops->digit(r.p, '4');
    r.with->ops->digit(r.p, '2');
    r.with->ops->digit(r.p, '#');
    RIG_UNTIL(&r, r.done == 1);
    assert_non_null(strstr(buf_z(&r.fake.seen.texts), "42#"));
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_interrupt(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.fake.script.answer_ms = 5000;
    r.fake.script.pace_ms = 20;
    r.fake.script.late_audio = true;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 800u);
    uint64_t had = r.samples[1];
    r.with->ops->interrupt(r.p, 1, 450);
    RIG_UNTIL(&r, r.fake.seen.cancels == r.with->stops);
    if (r.with->truncates) {
        RIG_UNTIL(&r, r.fake.seen.truncated_ms >= 0);
        assert_int_equal(r.fake.seen.truncated_ms, 450);
    }
    r.fake.script.answer_ms = 300;
    take_turn(&r);
    assert_int_equal(r.samples[1], had); /* nothing late was heard */
    rig_no_refusals(&r);
    rig_end(&r);
}

/* More heard than was ever received is not possible: the number is clamped. */
static void test_interrupt_is_clamped(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.fake.script.answer_ms = 5000;
    r.fake.script.pace_ms = 20;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 300u);
    r.with->ops->interrupt(r.p, 1, 60000);
    RIG_UNTIL(&r, r.fake.seen.cancels == r.with->stops);
    rig_settle(&r, 30);
    rig_no_refusals(&r);
    rig_end(&r);
}

/* Words over an answer: told as such, and the call ends it. */
static void test_barge_in(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    bool detects = r.with->ops->caps(r.p)->detects_turns;
    r.fake.script.answer_ms = 20000;
    r.fake.script.pace_ms = 50;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 300u);
    r.holds = true;
    if (detects)
        rig_speak(&r, 1500, true);
    else
        speak_turn(&r);
    RIG_UNTIL(&r, r.phases[TURN_CONFIRMED] == 1);
    rig_speak(&r, 1500, false);
    r.fake.script.answer_ms = 300;
    RIG_UNTIL(&r, r.done >= 2 || r.samples[2] > 0);
    assert_string_equal(r.order, detects ? "SCE" : "C");
    rig_no_refusals(&r);
    rig_end(&r);
}

/* A cough while an answer that the call holds waits: it goes on, all of it, and nothing more comes.
 */
static void test_noise_is_forgiven(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    bool detects = r.with->ops->caps(r.p)->detects_turns;
    assert_true(r.with->ops->caps(r.p)->holds_answers);
    r.holds = true;
    r.fake.script.answer_ms = 3000;
    r.fake.script.pace_ms = 50;
    r.fake.script.words = "";
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 300u);
    if (!detects)
        r.with->ops->turn(r.p, TURN_STARTED, 0);
    if (r.with->utter)
        r.with->utter(&r);
    else
        rig_speak(&r, 200, true);
    if (!detects)
        r.with->ops->turn(r.p, TURN_ENDED, 0);
    rig_speak(&r, 1500, false);
    RIG_UNTIL(&r, r.phases[TURN_FALSE] == 1);
    RIG_UNTIL(&r, r.done == 1);
    rig_settle(&r, 2000);
    assert_string_equal(r.order, detects ? "SF" : "F");
    assert_length(&r, 1, 3000);
    assert_int_equal(r.answers, 1); /* and no answer to the cough */
    assert_null(strstr(buf_z(&r.said), "C:"));
    assert_int_equal(r.fake.seen.cancels, 0);
    if (detects) /* it is forgotten over there */
        assert_non_null(strstr(buf_z(&r.fake.seen.texts), "deleted:"));
    rig_no_refusals(&r);
    rig_end(&r);
}

/* Slower than it is heard: one answer all the same, all of it. */
static void test_slow(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.fake.script.answer_ms = 3000;
    r.fake.script.pace_ms = 400;
    greet(&r);
    rig_settle(&r, 2000);
    assert_int_equal(r.answers, 1);
    assert_length(&r, 1, 3000);
    assert_false(r.failed);
    rig_no_refusals(&r);
    rig_end(&r);
}

/* It stops in the middle: nobody invents its end, and the call can leave it. */
static void test_stall(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.fake.script.answer_ms = 3000;
    r.fake.script.pace_ms = 20;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 300u);
    r.fake.script.stall = true;
    rig_settle(&r, 12000);
    assert_int_equal(r.answers, 1);
    assert_int_equal(r.done, 0);
    assert_true(r.failed == r.with->stall_ends);
    if (r.failed) {
        assert_int_equal(r.why, VA_ETIMEOUT);
    } else {
        r.fake.script.stall = false;
        r.with->ops->interrupt(r.p, 1, 300);
        take_turn(&r);
    }
    rig_no_refusals(&r);
    rig_end(&r);
}

/* Asked, it says nothing at all. Who finds that out is the provider, or the call. */
static void test_silence(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.fake.script.stall = true;
    speak_turn(&r);
    if (r.with->stall_ends)
        RIG_UNTIL(&r, r.failed);
    else
        rig_settle(&r, 25000);
    assert_int_equal(r.samples[1], 0);
    assert_int_equal(r.done, 0);
    assert_true(r.failed == r.with->stall_ends);
    if (r.failed)
        assert_int_equal(r.why, VA_ETIMEOUT);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_garbage(void **state)
{
    static const char *const any[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"type\":7}",
        "{\"type\":\"new.event\"}",
        "{\"type\":\"response.output_audio.delta\",\"delta\":\"***\"}",
        "{\"type\":\"response.done\"}",
        "{\"type\":\"error\"}",
        NULL};
    const struct contract_case *with = *state;
    const char *const *bad = with->garbage ? with->garbage : any;
    for (size_t i = 0; bad[i]; i++) {
        struct rig r;
        begin_ready(&r, *state);
        r.fake.script.garbage = bad[i];
        take_turn(&r);
        assert_null(r.fake.script.garbage);
        assert_length(&r, 1, 600);
        rig_end(&r);
    }
}

static void test_never_ready(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    r.fake.script.mute = true;
    r.settings.ai_connect_timeout_ms = 100;
    rig_open(&r);
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.why, VA_ETIMEOUT);
    assert_non_null(strstr(r.cause, "AI_CONNECT_TIMEOUT_MS"));
    rig_end(&r);
}

static void test_refused(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    r.fake.script.refuse = true;
    provoke(&r);
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.why, VA_EAUTH);
    rig_end(&r);
}

static void test_nobody_there(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    rig_vanish(&r);
    provoke(&r);
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.why, VA_EREFUSED);
    rig_end(&r);
}

/* Lost in mid-word: a new session with what was said, and the answer goes on. */
static void test_drop_mid_word(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    assert_int_equal(history_add(r.history, SPEAKER_CALLER, "my name is Marcelo"), VA_OK);
    assert_int_equal(history_add(r.history, SPEAKER_AGENT, "hello Marcelo"), VA_OK);
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    r.fake.script.drop_after_ms = 300;
    r.fake.script.pace_ms = 20;
    r.fake.script.close_code = 0;
    r.with->ops->say(r.p, SAY_STILL_THERE);
    if (r.with->renews) {
        RIG_UNTIL(&r, r.done == 2);
        assert_int_equal(r.fake.seen.connections, 2);
        const char *second = strstr(buf_z(&r.fake.seen.texts), "my name is Marcelo");
        assert_non_null(second);
        assert_non_null(strstr(second + 1, "my name is Marcelo"));
    } else {
        RIG_UNTIL(&r, r.failed);
    }
    rig_no_refusals(&r);
    rig_end(&r);
}

/* Lost, and nobody there any more: the answer was not over, so that who takes over knows. */
static void test_loss_is_not_an_end(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.fake.script.answer_ms = 3000;
    r.fake.script.pace_ms = 20;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, r.samples[1] >= 8 * 100u);
    rig_vanish(&r);
    r.fake.script.drop_after_ms = 1000;
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.answers, 1);
    assert_int_equal(r.done, 0);
    rig_end(&r);
}

static void test_close_codes(void **state)
{
    static const struct {
        uint16_t code;
        bool again;
    } rows[] = {{1001, true}, {1011, true}, {1012, true}, {1008, false}, {4000, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig r;
        begin_ready(&r, *state);
        r.fake.script.drop_after_ms = 200;
        r.fake.script.close_code = rows[i].code;
        r.with->ops->say(r.p, SAY_GREETING);
        RIG_UNTIL(&r, r.failed || r.done == 2);
        assert_true(r.failed == !(rows[i].again && r.with->renews));
        rig_end(&r);
    }
}

/* A remote that always drops is not called for ever. */
static void test_reconnects_are_bounded(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    for (int i = 0; i < 20 && !r.failed; i++) {
        uint32_t before = r.done;
        r.fake.script.drop_after_ms = 100;
        RIG_UNTIL(&r, r.failed || r.fake.open);
        if (!r.failed)
            r.with->ops->say(r.p, SAY_STILL_THERE);
        RIG_UNTIL(&r, r.failed || r.done > before);
    }
    assert_true(r.failed);
    assert_true(r.fake.seen.connections <= 5);
    rig_end(&r);
}

/* Its end announced: renewed in a quiet moment, before it comes. */
static void test_session_limit(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    r.fake.script.session_ms = 1000;
    assert_int_equal(history_add(r.history, SPEAKER_CALLER, "my name is Marcelo"), VA_OK);
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    r.fake.script.session_ms = 0;
    RIG_UNTIL(&r, r.fake.seen.sessions == 2);
    greet(&r);
    assert_false(r.failed);
    rig_no_refusals(&r);
    rig_end(&r);
}

static void test_close_inside_a_handler(void **state)
{
    struct rig r;
    begin_ready(&r, *state);
    r.close_at_answer = true;
    r.with->ops->say(r.p, SAY_GREETING);
    RIG_UNTIL(&r, !r.p);
    rig_settle(&r, 50);
    assert_int_equal(r.answers, 1);
    rig_end(&r);
}

static void test_close_at_any_time(void **state)
{
    for (int turns = 0; turns < 12; turns++) {
        struct rig r;
        rig_begin(&r, *state);
        rig_open(&r);
        for (int i = 0; i < turns; i++)
            loop_turn(r.loop, false);
        rig_end(&r);
        begin_ready(&r, *state);
        r.with->ops->say(r.p, SAY_ANSWER);
        for (int i = 0; i < turns; i++)
            rig_work(&r);
        rig_end(&r);
    }
}

/* After its end a provider takes everything and does nothing. */
static void test_dead_is_silent(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    r.fake.script.refuse = true;
    provoke(&r);
    RIG_UNTIL(&r, r.failed);
    const struct provider_ops *ops = r.with->ops;
    ops->say(r.p, SAY_FAREWELL);
    ops->digit(r.p, '1');
    ops->tool_result(r.p, 1, VA_OK);
    ops->interrupt(r.p, 1, 0);
    ops->turn(r.p, TURN_STARTED, 0);
    rig_speak(&r, 100, true);
    rig_settle(&r, 2000);
    assert_int_equal(r.answers, 0);
    rig_end(&r);
}

/* ---- run --------------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    void (*run)(void **state);
} suite[] = {
    {"open", test_open},
    {"greeting", test_greeting_is_said_verbatim},
    {"prompt", test_prompt},
    {"turn", test_turn},
    {"long_answer", test_long_answer},
    {"tool_round", test_tool_round},
    {"tool_of_nobody", test_tool_of_nobody},
    {"digit", test_digit},
    {"interrupt", test_interrupt},
    {"interrupt_is_clamped", test_interrupt_is_clamped},
    {"barge_in", test_barge_in},
    {"noise_is_forgiven", test_noise_is_forgiven},
    {"slow", test_slow},
    {"stall", test_stall},
    {"silence", test_silence},
    {"garbage", test_garbage},
    {"never_ready", test_never_ready},
    {"refused", test_refused},
    {"nobody_there", test_nobody_there},
    {"drop_mid_word", test_drop_mid_word},
    {"loss_is_not_an_end", test_loss_is_not_an_end},
    {"close_codes", test_close_codes},
    {"reconnects_are_bounded", test_reconnects_are_bounded},
    {"session_limit", test_session_limit},
    {"close_inside_a_handler", test_close_inside_a_handler},
    {"close_at_any_time", test_close_at_any_time},
    {"dead_is_silent", test_dead_is_silent},
};

enum { SUITE = sizeof(suite) / sizeof(suite[0]), SUITE_CASES_MAX = 12 };

static const struct contract_skip *find_skip(const struct contract_skip *skips,
                                             const char *provider, const char *test)
{
    for (; skips->test; skips++)
        if (strcmp(skips->test, test) == 0 &&
            (strcmp(skips->provider, provider) == 0 || strcmp(skips->provider, "*") == 0))
            return skips;
    return NULL;
}

static bool known_test(const char *name)
{
    for (size_t i = 0; i < SUITE; i++)
        if (strcmp(suite[i].name, name) == 0)
            return true;
    return false;
}

/** Run every test with every case, but those of `skips` (ends with an empty row).
 *  @param filter  As cmocka's: "gemini/\*"; NULL: all
 *  @return tests that failed */
static int suite_run(const char *name, const struct contract_case *cases, size_t count,
                     const struct contract_skip *skips, const char *filter)
{
    static struct CMUnitTest tests[SUITE * SUITE_CASES_MAX];
    static char names[SUITE * SUITE_CASES_MAX][80];
    size_t n = 0;
    for (const struct contract_skip *s = skips; s->test; s++)
        assert_true(known_test(s->test));
    assert_true(count <= SUITE_CASES_MAX);
    for (size_t c = 0; c < count; c++)
        for (size_t i = 0; i < SUITE; i++) {
            const struct contract_skip *s = find_skip(skips, cases[c].name, suite[i].name);
            if (s)
                print_message("skip %s/%s: %s%s%s\n", cases[c].name, suite[i].name, s->why,
                              s->instead ? "; instead: " : "", s->instead ? s->instead : "");
            if (s && !s->instead)
                continue;
            (void)snprintf(names[n], sizeof(names[n]), "%s/%s", cases[c].name,
                           s ? s->instead : suite[i].name);
            tests[n] = (struct CMUnitTest){names[n], s ? s->run : suite[i].run, NULL, NULL,
                                           (void *)(uintptr_t)&cases[c]};
            n++;
        }
    log_set_level(getenv("VA_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
    if (filter)
        cmocka_set_test_filter(filter);
    return _cmocka_run_group_tests(name, tests, n, NULL, NULL);
}

#endif
