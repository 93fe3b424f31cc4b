/* The recogniser with its real model: phrases of a secretary spoken by espeak-ng and by recorded
 * callers (skipped where the recordings are absent). */
#include "ai/attendant/listen.h"
#include "ai/speech/asr.h"
#include "ai/speech/tts.h"
#include "media/tone.h"
#include "media/wav.h"
#include "store/secretary_admin.h"

#include "unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define MODEL "/usr/share/pocketsphinx/model/en-us"

struct rig {
    struct loop *loop;
    struct asr *asr;
    struct tts *tts;
    const struct secretary *pt, *en;
    struct asr_grammar *grammar_pt, *grammar_en;
    bool done;
    enum va_err err;
    struct asr_result result;
    char text[200];
    struct pcm *speech;
};

static struct rig rig;

static int open_rig(void **state)
{
    struct va_fault fault = {VA_OK, ""};
    *state = &rig;
    assert_int_equal(loop_new(NULL, 0, &rig.loop), VA_OK);
    struct asr_cfg cfg = {.model_dir = MODEL, .tts_command = "espeak-ng", .threads = 1};
    assert_int_equal(asr_start(&cfg, &rig.asr, &fault), VA_OK);
    assert_int_equal(tts_start(&(struct tts_cfg){.command = "espeak-ng"}, &rig.tts, &fault), VA_OK);
    assert_int_equal(secretary_defaults(&rig.pt, &rig.en), VA_OK);
    assert_int_equal(listen_grammar(rig.pt, &rig.grammar_pt), VA_OK);
    assert_int_equal(listen_grammar(rig.en, &rig.grammar_en), VA_OK);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    asr_grammar_unref(&rig.grammar_pt);
    asr_grammar_unref(&rig.grammar_en);
    secretary_unref(&rig.pt);
    secretary_unref(&rig.en);
    tts_stop(&rig.tts);
    asr_stop(&rig.asr);
    loop_free(&rig.loop);
    return 0;
}

static void on_result(void *arg, enum va_err err, const struct asr_result *result)
{
    struct rig *r = arg;
    r->done = true;
    r->err = err;
    r->result = *result;
    (void)snprintf(r->text, sizeof(r->text), "%s", result->text);
}

static void hear(struct asr_grammar *g, struct pcm *speech)
{
    struct asr_request *request = NULL;
    rig.done = false;
    assert_int_equal(asr_recognize(rig.asr, rig.loop, g, speech, on_result, &rig, &request), VA_OK);
    while (!rig.done)
        loop_turn(rig.loop, true);
    assert_int_equal(rig.err, VA_OK);
}

static void on_spoken(void *arg, enum va_err err, struct pcm *speech)
{
    struct rig *r = arg;
    assert_int_equal(err, VA_OK);
    r->speech = speech;
}

static void hear_said(struct asr_grammar *g, const char *language, const char *text)
{
    rig.speech = NULL;
    assert_int_equal(tts_say(rig.tts, rig.loop, language, "", 8000, text, on_spoken, &rig, NULL),
                     VA_OK);
    while (!rig.speech)
        loop_turn(rig.loop, true);
    hear(g, rig.speech);
}

static void is_understood(const char *text)
{
    if (!rig.result.understood)
        fail_msg("\"%s\" was not understood (confidence %.2f)", text,
                 (double)rig.result.confidence);
    assert_string_equal(rig.text, text);
}

static void phrases_are_understood_with_what_is_said_around_them(void **state)
{
    (void)state;
    hear_said(rig.grammar_pt, "pt-BR", "vendas");
    is_understood("vendas");
    hear_said(rig.grammar_pt, "pt-BR", "quero falar com vendas, por favor");
    is_understood("vendas");
    hear_said(rig.grammar_pt, "pt-BR", "suporte técnico");
    is_understood("suporte técnico");
    hear_said(rig.grammar_pt, "pt-BR", "não");
    is_understood("não");
    hear_said(rig.grammar_en, "en-US", "I would like to speak with support");
    is_understood("support");
}

static void other_sentences_are_not(void **state)
{
    (void)state;
    hear_said(rig.grammar_pt, "pt-BR", "minha filha fez aniversário na semana passada");
    assert_false(rig.result.understood);
    assert_string_equal(rig.text, "");
    hear_said(rig.grammar_pt, "pt-BR", "eu gosto muito de macarrão com queijo");
    assert_false(rig.result.understood);
}

static void silence_and_noise_are_nothing(void **state)
{
    (void)state;
    static int16_t samples[16000];
    struct pcm *quiet = NULL, *noise = NULL, *empty = NULL;
    assert_int_equal(pcm_new(8000, samples, 16000, &quiet), VA_OK);
    hear(rig.grammar_pt, quiet);
    assert_false(rig.result.understood);
    uint32_t seed = 7;
    tone_noise_add(&seed, -30, samples, 16000);
    assert_int_equal(pcm_new(8000, samples, 16000, &noise), VA_OK);
    hear(rig.grammar_pt, noise);
    assert_false(rig.result.understood);
    assert_int_equal(pcm_new(8000, NULL, 0, &empty), VA_OK);
    hear(rig.grammar_pt, empty);
    assert_false(rig.result.understood);
}

/* A decoder serves many callers: what it makes of one does not depend on who spoke before. */
static void an_utterance_does_not_depend_on_the_one_before(void **state)
{
    (void)state;
    static int16_t samples[5 * 8000];
    struct pcm *noise = NULL;
    uint32_t seed = 7;
    hear_said(rig.grammar_en, "en-US", "sales");
    struct asr_result before = rig.result;
    tone_noise_add(&seed, -12, samples, 5 * 8000);
    assert_int_equal(pcm_new(8000, samples, 5 * 8000, &noise), VA_OK);
    hear(rig.grammar_en, noise);
    hear_said(rig.grammar_en, "en-US", "sales");
    assert_true(before.understood && rig.result.understood);
    assert_memory_equal(&before.confidence, &rig.result.confidence, sizeof(before.confidence));
}

static void hear_file(struct asr_grammar *g, const char *name)
{
    char path[512];
    const char *shared = getenv("VA_SHARED_DIR");
    (void)snprintf(path, sizeof(path), "%s/audio/%s", shared ? shared : VA_SOURCE_DIR "/../shared",
                   name);
    struct pcm *speech = NULL;
    if (wav_load(path, NULL, &speech, NULL))
        skip();
    hear(g, speech);
}

static void recorded_callers_are_understood(void **state)
{
    (void)state;
    hear_file(rig.grammar_pt, "ptbr-falar-com-vendas-8k.wav");
    is_understood("vendas");
    hear_file(rig.grammar_pt, "ptbr-horario-8k.wav");
    assert_true(rig.result.understood && rig.result.tag >= LISTEN_TOPIC);
    hear_file(rig.grammar_en, "en-speak-with-sales-8k.wav");
    is_understood("sales");
}

static void a_cancelled_request_is_not_called_back(void **state)
{
    (void)state;
    static int16_t samples[8000];
    struct pcm *a = NULL, *b = NULL;
    struct asr_request *request = NULL;
    assert_int_equal(pcm_new(8000, samples, 8000, &a), VA_OK);
    assert_int_equal(pcm_new(8000, samples, 8000, &b), VA_OK);
    rig.done = false;
    assert_int_equal(asr_recognize(rig.asr, rig.loop, rig.grammar_pt, a, on_result, &rig, &request),
                     VA_OK);
    asr_cancel(&request);
    assert_null(request);
    asr_cancel(&request);
    hear(rig.grammar_pt, b); /* comes behind it, so the first one had its chance */
}

static void a_full_queue_refuses_and_the_end_answers(void **state)
{
    (void)state;
    struct va_fault fault = {VA_OK, ""};
    struct asr *small = NULL;
    struct asr_cfg cfg = {
        .model_dir = MODEL, .tts_command = "espeak-ng", .threads = 1, .queue_max = 2};
    assert_int_equal(asr_start(&cfg, &small, &fault), VA_OK);
    static int16_t samples[80000];
    struct rig answers[8] = {0};
    int taken = 0;
    for (int i = 0; i < 8; i++) {
        struct pcm *speech = NULL;
        struct asr_request *request = NULL;
        assert_int_equal(pcm_new(8000, samples, 80000, &speech), VA_OK);
        enum va_err err = asr_recognize(small, rig.loop, rig.grammar_pt, speech, on_result,
                                        &answers[taken], &request);
        taken += err == VA_OK;
        if (err) {
            assert_int_equal(err, VA_ELIMIT);
            pcm_unref(&speech); /* still ours */
        }
    }
    assert_in_range(taken, 2, 3);
    asr_stop(&small);
    loop_turn(rig.loop, false);
    for (int i = 0; i < taken; i++)
        assert_true(answers[i].done);
    assert_int_equal(answers[taken - 1].err, VA_ECLOSED);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    struct va_fault fault = {VA_OK, ""};
    struct asr *none = NULL;
    struct asr_cfg cfg = {.model_dir = "/nonexistent", .tts_command = "espeak-ng", .threads = 1};
    assert_int_not_equal(asr_start(&cfg, &none, &fault), VA_OK);
    assert_non_null(strstr(fault.text, "/nonexistent"));
    assert_non_null(strstr(fault.text, "pocketsphinx-en-us"));
    assert_null(none);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as main() does: a helper may die before it reads */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phrases_are_understood_with_what_is_said_around_them),
        cmocka_unit_test(other_sentences_are_not),
        cmocka_unit_test(silence_and_noise_are_nothing),
        cmocka_unit_test(an_utterance_does_not_depend_on_the_one_before),
        cmocka_unit_test(recorded_callers_are_understood),
        cmocka_unit_test(a_cancelled_request_is_not_called_back),
        cmocka_unit_test(a_full_queue_refuses_and_the_end_answers),
        cmocka_unit_test(what_is_missing_is_named),
    };
    return cmocka_run_group_tests_name("asr", tests, open_rig, close_rig);
}
