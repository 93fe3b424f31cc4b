/* ai/speech/tts with the real espeak-ng, and with small scripts in its place that misbehave. */
#include "ai/speech/tts.h"
#include "ai/speech/tts_cache.h"

#include "unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct said {
    struct loop *loop;
    unsigned count, refused;
    enum va_err err;
    struct pcm *speech;
};

static void on_said(void *arg, enum va_err err, struct pcm *speech)
{
    struct said *s = arg;
    s->count++;
    s->refused += err == VA_ELIMIT;
    s->err = err;
    pcm_unref(&s->speech);
    s->speech = speech;
}

static struct tts *start(const char *command, unsigned processes, unsigned timeout_ms)
{
    struct tts *tts = NULL;
    struct va_fault fault = {VA_OK, ""};
    struct tts_cfg cfg = {command, 0, processes, timeout_ms};
    enum va_err err = tts_start(&cfg, &tts, &fault);
    if (err)
        print_error("%s\n", fault.text);
    assert_int_equal(err, VA_OK);
    return tts;
}

static void say(struct tts *tts, struct said *s, const char *text)
{
    assert_int_equal(tts_say(tts, s->loop, "pt-BR", "", 8000, text, on_said, s, NULL), VA_OK);
}

static void wait_for(struct said *s, unsigned count)
{
    while (s->count < count)
        loop_turn(s->loop, true);
}

/* Says one text and forgets its sound. @return milliseconds of it */
static uint64_t length_of(struct tts *tts, struct said *s, const char *text)
{
    say(tts, s, text);
    wait_for(s, s->count + 1);
    assert_int_equal(s->err, VA_OK);
    uint64_t ms = pcm_ms(s->speech);
    pcm_unref(&s->speech);
    return ms;
}

static void setup(struct said *s)
{
    *s = (struct said){0};
    assert_int_equal(loop_new(NULL, 0, &s->loop), VA_OK);
}

static void teardown(struct said *s, struct tts **tts)
{
    tts_stop(tts);
    pcm_unref(&s->speech);
    loop_free(&s->loop);
}

static void a_text_becomes_clean_telephone_speech(void **state)
{
    (void)state;
    struct said s;
    setup(&s);
    struct tts *tts = start("espeak-ng", 0, 0);
    say(tts, &s, "Bom dia, você ligou para a Empresa Exemplo. Em que posso ajudar?");
    assert_int_equal(s.count, 0); /* never from inside */
    wait_for(&s, 1);
    assert_int_equal(s.err, VA_OK);
    assert_int_equal(pcm_rate_hz(s.speech), 8000);
    const int16_t *x = pcm_samples(s.speech);
    size_t n = pcm_count(s.speech), lead = 0, tail = 0;
    int peak = 0;
    for (size_t i = 0; i < n; i++)
        peak = abs(x[i]) > peak ? abs(x[i]) : peak;
    while (abs(x[lead]) <= 50)
        lead++;
    while (abs(x[n - 1 - tail]) <= 50)
        tail++;
    assert_in_range(pcm_ms(s.speech), 2000, 8000);
    assert_in_range(peak, 12000, 28000);
    assert_in_range(lead, 0, 30 * 8);
    assert_in_range(tail, 0, 100 * 8);
    teardown(&s, &tts);
}

static void a_text_said_before_is_the_same_speech(void **state)
{
    (void)state;
    struct said s;
    setup(&s);
    struct tts *tts = start("espeak-ng", 0, 0);
    say(tts, &s, "um momento");
    wait_for(&s, 1);
    struct pcm *first = pcm_ref(s.speech);
    say(tts, &s, "um momento");
    wait_for(&s, 2);
    assert_ptr_equal(s.speech, first);
    say(tts, &s, "outro momento");
    wait_for(&s, 3);
    assert_ptr_not_equal(s.speech, first);
    pcm_unref(&first);
    teardown(&s, &tts);
}

static void nothing_in_a_text_is_a_command(void **state)
{
    (void)state;
    static const char *const texts[] = {"--help",
                                        "-w /tmp/x.wav",
                                        "\"'`$(id)`'\"; id",
                                        "<speak><break time=\"9s\"/></speak>",
                                        "a\0015S\033[2Jb",
                                        "primeira\nsegunda\r\n\r\nterceira",
                                        "\xff\xfe quebrado"};
    struct said s;
    setup(&s);
    struct tts *tts = start("espeak-ng", 0, 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_in_range(length_of(tts, &s, texts[i]), 50, 12000);
    /* "[[…]]" would be phonemes: "oi" would be all that is heard */
    assert_in_range(length_of(tts, &s, "oi [[_:_:]] tudo bem com a senhora"), 1200, 8000);
    uint64_t plain = length_of(tts, &s, "um a b dois");
    uint64_t control = length_of(tts, &s,
                                 "um a\x01"
                                 "b dois");
    assert_in_range(control, plain * 8 / 10, plain * 12 / 10);
    teardown(&s, &tts);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    struct said s;
    setup(&s);
    struct tts *tts = start("espeak-ng", 0, 0);
    assert_int_equal(tts_say(tts, s.loop, "pt-BR", "", 11025, "x", on_said, &s, NULL), VA_EINVAL);
    assert_int_equal(tts_say(tts, s.loop, "pt-BR", "-w", 8000, "x", on_said, &s, NULL), VA_EINVAL);
    assert_int_equal(tts_say(tts, s.loop, "pt-BR", "", 8000, "x", NULL, &s, NULL), VA_EINVAL);
    teardown(&s, &tts);
}

static void a_missing_voice_is_named(void **state)
{
    (void)state;
    struct said s;
    setup(&s);
    struct tts *tts = start("espeak-ng", 0, 0);
    struct va_fault fault = {VA_OK, ""};
    assert_int_equal(tts_check_voice(tts, "pt-BR", "", &fault), VA_OK);
    assert_int_not_equal(tts_check_voice(tts, "pt-BR", "klingonish", &fault), VA_OK);
    assert_non_null(strstr(fault.text, "klingonish"));
    assert_int_equal(tts_say(tts, s.loop, "pt-BR", "klingonish", 8000, "x", on_said, &s, NULL),
                     VA_OK);
    wait_for(&s, 1);
    assert_int_equal(s.err, VA_EIO);
    assert_null(s.speech);
    teardown(&s, &tts);
}

static void a_missing_program_is_named_with_its_package(void **state)
{
    (void)state;
    struct tts *tts = NULL;
    struct va_fault fault = {VA_OK, ""};
    struct tts_cfg cfg = {"/nonexistent/espeak-ng", 0, 0, 0};
    assert_int_equal(tts_start(&cfg, &tts, &fault), VA_ENOTFOUND);
    assert_null(tts);
    assert_non_null(strstr(fault.text, "/nonexistent/espeak-ng"));
    assert_non_null(strstr(fault.text, "apt install espeak-ng"));
}

static void cancelled_requests_are_not_called_back(void **state)
{
    (void)state;
    struct said s, other;
    setup(&s);
    other = (struct said){.loop = s.loop};
    struct tts *tts = start("espeak-ng", 1, 0);
    struct tts_request *r = NULL;
    assert_int_equal(tts_say(tts, s.loop, "pt-BR", "", 8000, "nunca", on_said, &s, &r), VA_OK);
    tts_cancel(&r);
    assert_null(r);
    tts_cancel(&r);
    tts_cancel(NULL);
    say(tts, &other, "depois"); /* one helper, in order: it comes behind the cancelled one */
    wait_for(&other, 1);
    assert_int_equal(s.count, 0);
    pcm_unref(&other.speech);
    teardown(&s, &tts);
}

static void stopping_answers_what_is_left(void **state)
{
    (void)state;
    enum { TEXTS = 50 };
    struct said s;
    setup(&s);
    struct tts *tts = start("espeak-ng", 1, 0);
    for (int i = 0; i < TEXTS; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "texto número %d", i);
        say(tts, &s, text);
    }
    tts_stop(&tts);
    wait_for(&s, TEXTS);
    assert_int_equal(s.err, VA_ECLOSED);
    teardown(&s, &tts);
}

static void too_many_texts_are_refused(void **state)
{
    (void)state;
    enum { TEXTS = 1100 };
    struct said s;
    setup(&s);
    struct tts *tts = start("espeak-ng", 1, 0);
    for (int i = 0; i < TEXTS; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "texto %d", i);
        say(tts, &s, text);
    }
    tts_stop(&tts);
    wait_for(&s, TEXTS);
    assert_in_range(s.refused, 1, TEXTS - 1000);
    teardown(&s, &tts);
}

/* ---- misbehaving programs ------------------------------------------------------------------- */

/* A script that counts its starts in $n (tts_start is the first) and then does `body`. */
static void write_script(char *dir, char *path, size_t cap, const char *body)
{
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, cap, "%s/voice", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fprintf(f, "#!/bin/sh\necho x >> %s/n\nn=$(grep -c x %s/n)\n%s\nexec espeak-ng \"$@\"\n",
                  dir, dir, body);
    (void)fclose(f);
    assert_int_equal(chmod(path, 0755), 0);
}

static void remove_script(const char *dir, const char *path)
{
    char count[256];
    (void)snprintf(count, sizeof(count), "%s/n", dir);
    (void)unlink(count);
    (void)unlink(path);
    assert_int_equal(rmdir(dir), 0);
}

static unsigned starts(const char *dir)
{
    char count[256], line[8];
    unsigned n = 0;
    (void)snprintf(count, sizeof(count), "%s/n", dir);
    FILE *f = fopen(count, "r");
    while (f && fgets(line, sizeof(line), f))
        n++;
    if (f)
        (void)fclose(f);
    return n;
}

static enum va_err outcome(const char *body, unsigned timeout_ms)
{
    char dir[] = "/tmp/va-tts-XXXXXX", path[256];
    struct said s;
    write_script(dir, path, sizeof(path), body);
    setup(&s);
    struct tts *tts = start(path, 1, timeout_ms);
    say(tts, &s, "bom dia");
    wait_for(&s, 1);
    enum va_err err = s.err;
    assert_true((err == VA_OK) == (s.speech != NULL));
    teardown(&s, &tts);
    remove_script(dir, path);
    return err;
}

static void a_helper_that_dies_is_tried_once_more(void **state)
{
    (void)state;
    assert_int_equal(outcome("[ $n = 2 ] && kill -9 $$", 0), VA_OK);
    assert_int_equal(outcome("[ $n = 2 ] && exit 3", 0), VA_OK);
    assert_int_equal(outcome("[ $n -ge 2 ] && kill -9 $$", 0), VA_EIO);
}

static void a_helper_that_hangs_is_killed(void **state)
{
    (void)state;
    assert_int_equal(outcome("[ $n -ge 2 ] && exec tail -f /dev/null", 300), VA_EIO);
    assert_int_equal(outcome("[ $n = 2 ] && tail -f /dev/null", 1000), VA_OK);
}

static void a_helper_that_talks_nonsense_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(outcome("[ $n -ge 2 ] && exec head -c 5000 /dev/zero", 0), VA_EIO);
    assert_int_equal(outcome("[ $n -ge 2 ] && exit 0", 0), VA_EIO);
    assert_int_equal(outcome("[ $n -ge 2 ] && exec head -c 30000000 /dev/zero", 0), VA_EIO);
}

static void one_helper_speaks_for_all_who_ask_the_same(void **state)
{
    (void)state;
    enum { ASKERS = 20 };
    char dir[] = "/tmp/va-tts-XXXXXX", path[256];
    struct said s[ASKERS];
    write_script(dir, path, sizeof(path), "[ $n = 2 ] && { cat > /dev/null; exit 1; }");
    setup(&s[0]);
    struct tts *tts = start(path, 4, 0);
    for (int i = 0; i < ASKERS; i++) {
        s[i] = (struct said){.loop = s[0].loop};
        say(tts, &s[i], "todos ao mesmo tempo");
    }
    for (int i = 0; i < ASKERS; i++)
        wait_for(&s[i], 1);
    for (int i = 0; i < ASKERS; i++)
        assert_ptr_equal(s[i].speech, s[0].speech);
    for (int i = 1; i < ASKERS; i++)
        pcm_unref(&s[i].speech);
    teardown(&s[0], &tts);
    assert_in_range(starts(dir), 3, 4); /* the trial, two attempts, one that waits */
    remove_script(dir, path);
}

static void the_cache_forgets_what_was_not_used_longest(void **state)
{
    (void)state;
    struct tts_cache *cache = NULL;
    static int16_t sound[1000];
    assert_int_equal(tts_cache_new(8000, &cache), VA_OK);
    static const char *const keys[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++) {
        struct pcm *p = NULL;
        assert_int_equal(pcm_new(8000, sound, 1000, &p), VA_OK);
        tts_cache_put(cache, keys[i], p);
        pcm_unref(&p);
        p = tts_cache_get(cache, "a");
        assert_non_null(p);
        pcm_unref(&p);
    }
    assert_in_range(tts_cache_bytes(cache), 4000, 8000);
    assert_null(tts_cache_get(cache, "b"));
    tts_cache_free(&cache);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as main() does: a helper may die before it reads */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_becomes_clean_telephone_speech),
        cmocka_unit_test(a_text_said_before_is_the_same_speech),
        cmocka_unit_test(nothing_in_a_text_is_a_command),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(a_missing_voice_is_named),
        cmocka_unit_test(a_missing_program_is_named_with_its_package),
        cmocka_unit_test(cancelled_requests_are_not_called_back),
        cmocka_unit_test(stopping_answers_what_is_left),
        cmocka_unit_test(too_many_texts_are_refused),
        cmocka_unit_test(a_helper_that_dies_is_tried_once_more),
        cmocka_unit_test(a_helper_that_hangs_is_killed),
        cmocka_unit_test(a_helper_that_talks_nonsense_is_an_error),
        cmocka_unit_test(one_helper_speaks_for_all_who_ask_the_same),
        cmocka_unit_test(the_cache_forgets_what_was_not_used_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
