/**
 * tests/contract/helpers_fake.h: the far end of those that need no network: the real recogniser,
 * and the real voice behind a script that misbehaves as a test says. The caller's words are spoken
 * by the same voice without the script. Recogniser and caller are the program's, once.
 */
#ifndef VA_HELPERS_FAKE_H
#define VA_HELPERS_FAKE_H

#include "contract/suite.h"

#include "ai/speech/asr.h"
#include "ai/speech/tts.h"
#include "media/tone.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct {
    struct asr *asr;
    struct tts *caller;
    struct pcm *words; /* of the caller, when they are spoken */
    /* of the rig */
    struct tts *voice;
    char dir[64], command[80];
    int gate; /* a line lets one helper go on that is slow */
} hp;

static inline void hp_path(char out[static 96], const char *name)
{
    (void)snprintf(out, 96, "%s/%s", hp.dir, name);
}

static inline void hp_write(const char *name, const char *text, mode_t mode)
{
    char path[96];
    hp_path(path, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

/** How the voice does with its next texts: ok, fail, slow, die (once, in the middle of the sound).
 */
static inline void hp_mode(const char *mode)
{
    hp_write("mode", mode, 0644);
}

static inline bool hp_mode_is(const char *mode)
{
    char path[96], now[16] = "";
    hp_path(path, "mode");
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    (void)!fgets(now, sizeof(now), f);
    (void)fclose(f);
    return strncmp(now, mode, strlen(mode)) == 0;
}

/* The text comes first: a helper is started before there is one. */
static inline void hp_write_script(void)
{
    char script[900];
    (void)snprintf(script, sizeof(script),
                   "#!/bin/sh\n"
                   "text=$(cat)\n"
                   "case $(cat %s/mode) in\n"
                   "fail) echo 'no voice today' >&2; exit 1 ;;\n"
                   "slow) read -r go < %s/gate ;;\n"
                   "die)\n"
                   "    echo ok > %s/mode\n"
                   "    printf %%s \"$text\" | espeak-ng \"$@\" | head -c 6000\n"
                   "    kill -9 $$ ;;\n"
                   "esac\n"
                   "printf %%s \"$text\" | espeak-ng \"$@\"\n",
                   hp.dir, hp.dir, hp.dir);
    hp_write("voice", script, 0755);
}

/* `timeout_ms` is the voice's patience with its helper; 0: its own. */
static inline void hp_voice(struct rig *r, unsigned timeout_ms)
{
    struct va_fault fault = {VA_OK, ""};
    struct tts_cfg cfg = {.command = hp.command, .timeout_ms = timeout_ms};
    tts_stop(&hp.voice);
    if (tts_start(&cfg, &hp.voice, &fault))
        fail_msg("%s", fault.text);
    r->env.tts = hp.voice;
    r->env.asr = hp.asr;
}

static inline void hp_configure(struct rig *r)
{
    char path[96];
    (void)snprintf(hp.dir, sizeof(hp.dir), "/tmp/va-contract-XXXXXX");
    assert_non_null(mkdtemp(hp.dir));
    (void)snprintf(hp.command, sizeof(hp.command), "%s/voice", hp.dir);
    hp_path(path, "gate");
    assert_int_equal(mkfifo(path, 0600), 0);
    hp.gate = open(path, O_RDWR | O_CLOEXEC);
    assert_true(hp.gate >= 0);
    hp_write_script();
    hp_mode("ok");
    hp_voice(r, 0);
    r->fake.script.words = "opening hours";
}

static inline void hp_opening(struct rig *r)
{
    if (r->fake.script.refuse)
        hp_mode("fail");
}

static inline void hp_end(struct rig *r)
{
    static const char *const names[] = {"voice", "mode", "gate"};
    (void)r;
    tts_stop(&hp.voice);
    (void)close(hp.gate);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[96];
        hp_path(path, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(hp.dir), 0);
    pcm_unref(&hp.words);
}

static inline void hp_on_words(void *arg, enum va_err err, struct pcm *speech)
{
    (void)arg;
    assert_int_equal(err, VA_OK);
    hp.words = speech;
}

/** Noise of `ms`, as loud as a voice. */
static inline void hp_noise(struct rig *r, unsigned ms)
{
    uint32_t seed = 7;
    for (unsigned at = 0; at < ms; at += 20) {
        int16_t frame[160] = {0};
        tone_noise_add(&seed, -20, frame, 160);
        rig_frame(r, frame);
    }
}

static inline void hp_speak(struct rig *r, const char *text)
{
    int16_t frame[160];
    pcm_unref(&hp.words);
    assert_int_equal(tts_say(hp.caller, r->loop, "en-US", "", 8000, text, hp_on_words, NULL, NULL),
                     VA_OK);
    RIG_UNTIL(r, hp.words);
    const int16_t *samples = pcm_samples(hp.words);
    for (size_t at = 0, n = pcm_count(hp.words); at < n; at += 160) {
        memset(frame, 0, sizeof(frame));
        memcpy(frame, samples + at, (n - at < 160 ? n - at : 160) * sizeof(*frame));
        rig_frame(r, frame);
    }
}

/** What the caller says: the script's words, a cough for none, or whom to speak with where that is
 *  a tool's test. */
static inline void hp_utter(struct rig *r)
{
    const struct fake_script *script = &r->fake.script;
    if (script->tool)
        hp_speak(r, "sales");
    else if (*script->words)
        hp_speak(r, script->words);
    else
        hp_noise(r, 200);
}

/* ---- in place of others -----------------------------------------------------------------------
 */

/* Nothing fails while a helper takes its time, and its answer is one. */
static inline void test_helper_is_slow(void **state)
{
    static const char go[] = "go\ngo\ngo\ngo\n";
    struct rig r;
    begin_ready(&r, *state);
    hp_mode("slow");
    r.with->ops->say(r.p, SAY_GREETING);
    rig_settle(&r, 3000);
    assert_int_equal(r.answers, 0);
    assert_false(r.failed);
    hp_mode("ok");
    assert_int_equal(write(hp.gate, go, sizeof(go) - 1), sizeof(go) - 1);
    RIG_UNTIL(&r, r.done == 1);
    rig_settle(&r, 500);
    assert_int_equal(r.answers, 1);
    assert_length(&r, 1, 0);
    rig_end(&r);
}

/* Killed in the middle of a word: spoken again, and the caller hears it once and whole. */
static inline void test_helper_is_killed(void **state)
{
    struct rig r;
    uint64_t whole;
    begin_ready(&r, *state);
    greet(&r);
    whole = r.samples[1];
    rig_end(&r);
    begin_ready(&r, *state);
    hp_mode("die");
    greet(&r);
    assert_true(hp_mode_is("ok")); /* it did die */
    assert_int_equal(r.samples[1], whole);
    rig_settle(&r, 500);
    assert_int_equal(r.answers, 1);
    assert_false(r.failed);
    rig_end(&r);
}

/* It hangs, and so does the one after it. */
static inline void test_helper_hangs(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    hp_voice(&r, 300);
    hp_mode("slow");
    provoke(&r);
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.why, VA_EIO);
    assert_non_null(strstr(r.cause, "TTS_COMMAND"));
    assert_int_equal(r.answers, 0);
    rig_end(&r);
}

static inline void test_helper_fails(void **state)
{
    struct rig r;
    rig_begin(&r, *state);
    r.fake.script.refuse = true;
    provoke(&r);
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.why, VA_EIO);
    assert_non_null(strstr(r.cause, "TTS_COMMAND"));
    assert_int_equal(r.answers, 0);
    rig_end(&r);
}

/* ---- run --------------------------------------------------------------------------------------
 */

static inline void hp_begin_program(void)
{
    struct va_fault fault = {VA_OK, ""};
    struct asr_cfg ear = {.model_dir = "/usr/share/pocketsphinx/model/en-us",
                          .tts_command = "espeak-ng",
                          .threads = 1};
    log_set_level(LOG_ERROR);
    if (asr_start(&ear, &hp.asr, &fault) ||
        tts_start(&(struct tts_cfg){.command = "espeak-ng"}, &hp.caller, &fault)) {
        (void)fprintf(stderr, "%s\n", fault.text);
        exit(1);
    }
}

static inline void hp_end_program(void)
{
    tts_stop(&hp.caller);
    asr_stop(&hp.asr);
}

#endif
