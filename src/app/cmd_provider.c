#include "app/cmd_provider.h"
#include "ai/speech/asr.h"
#include "ai/speech/tts.h"
#include "app/app.h"
#include "app/provider_try.h"
#include "base/log.h"
#include "fakefs/voice.h"
#include "media/format.h"
#include "media/wav.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: voice-ai provider list\n"
    "       voice-ai provider test NAME [--say TEXT | --wav FILE] [--language TAG]\n"
    "                              [--rate-hz HZ] [--timeout S]\n\n"
    "list   who can speak: audio formats in / out, what it can do, whether its key is set\n"
    "test   connects with the configured key, asks one question by voice and shows times,\n"
    "       texts, costs if it tells them, and the first thing that is wrong\n\n"
    "  --say TEXT      the question, spoken by the embedded voice (default: opening hours)\n"
    "  --wav FILE      the same from a file\n"
    "  --language TAG  of the secretary and the voice (pt-BR)\n"
    "  --rate-hz HZ    of the line: 8000, 16000, 24000 or 48000 (8000)\n"
    "  --timeout S     of everything (30)\n\n"
    "Exit code: 0 done and well, 1 the provider failed, 2 wrong use or cannot run.\n";

/* ---- list --------------------------------------------------------------------------------------
 */

static bool is_set(const struct settings *s, const char *name)
{
    char value[SETTING_TEXT_MAX] = "";
    const struct setting *row = name ? settings_find(str_of(name)) : NULL;
    if (row)
        settings_value_text(s, row, value, sizeof(value));
    return *value;
}

static bool key_missing(const struct settings *s, const struct provider_ops *ops)
{
    return ops->key && !is_set(s, ops->key) && !is_set(s, ops->key_alias);
}

static void key_text(const struct settings *s, const struct provider_ops *ops, char *out,
                     size_t cap)
{
    bool alias = !is_set(s, ops->key) && is_set(s, ops->key_alias);
    const char *name = alias ? ops->key_alias : ops->key;
    (void)snprintf(out, cap, "%s%s", name ? name : "not needed",
                   !name                 ? ""
                   : key_missing(s, ops) ? " missing"
                                         : " set");
}

static void print_abilities(const struct provider_caps *c)
{
    (void)printf("%s%s%s%s%s", c->detects_turns ? "hears turns, " : "",
                 c->holds_answers ? "holds answers, " : "",
                 c->truncates ? "remembers what was heard, " : "",
                 c->takes_text ? "takes text, " : "", c->resumes ? "resumes, " : "");
    if (c->session_max_s)
        (void)printf("sessions of %" PRIu32 " min", c->session_max_s / 60);
    else
        (void)printf("no session limit");
}

static int list(const struct settings *s)
{
    (void)printf("%-18s %-28s %-56s %s\n", "NAME", "KEY", "AUDIO IN / OUT", "ABILITIES");
    for (size_t i = 0; provider_at(i); i++) {
        const struct provider_ops *ops = provider_at(i);
        const struct provider_caps *caps = ops->caps(NULL);
        char key[100];
        key_text(s, ops, key, sizeof(key));
        (void)printf("%-18s %-28s %-56s ", ops->name, key, caps->formats ? caps->formats : "");
        print_abilities(caps);
        (void)putchar('\n');
    }
    return 0;
}

/* ---- test: arguments ---------------------------------------------------------------------------
 */

struct options {
    const char *name, *say, *wav, *language;
    uint64_t rate_hz, timeout_s;
};

static bool read_number(const char *text, uint64_t lo, uint64_t hi, uint64_t *ret)
{
    return str_to_u64(str_of(text), ret) == VA_OK && *ret >= lo && *ret <= hi;
}

static int read_option(struct options *o, const char *option, const char *value)
{
    if (strcmp(option, "--say") == 0)
        o->say = value;
    else if (strcmp(option, "--wav") == 0)
        o->wav = value;
    else if (strcmp(option, "--language") == 0)
        o->language = value;
    else if (strcmp(option, "--rate-hz") == 0 && read_number(value, 8000, 48000, &o->rate_hz) &&
             media_rate_valid((int)o->rate_hz))
        return 0;
    else if (strcmp(option, "--timeout") == 0 && read_number(value, 1, 3600, &o->timeout_s))
        return 0;
    else
        return app_fail("provider test: %s %s: not an option or not a value of it "
                        "(voice-ai provider --help)",
                        option, value);
    return 0;
}

static int read_options(struct options *o, int argc, char **argv)
{
    *o = (struct options){.language = "pt-BR", .rate_hz = 8000, .timeout_s = 30};
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '-' && !o->name) {
            o->name = argv[i];
            continue;
        }
        if (argv[i][0] != '-' || i + 1 >= argc)
            return app_fail("provider test: %s: an option without its value, or one name too many "
                            "(voice-ai provider --help)",
                            argv[i]);
        if (read_option(o, argv[i], argv[i + 1]))
            return 2;
        i++;
    }
    if (!o->name)
        return app_fail("provider test: which one? (voice-ai provider list)");
    if (o->say && o->wav)
        return app_fail("provider test: --say or --wav, not both");
    return 0;
}

/* ---- test: what it needs -----------------------------------------------------------------------
 */

static bool portuguese(const struct options *o)
{
    return str_starts(str_of(o->language), "pt");
}

/* Somebody who can answer the question. */
static enum va_err make_secretary(const struct options *o, struct secretary **ret_s,
                                  struct va_fault *fault)
{
    bool pt = portuguese(o);
    struct secretary *s = NULL;
    struct topic *topic = NULL;
    enum va_err err = secretary_new(&s);
    if (err)
        return va_fault_set(fault, err, "out of memory");
    rand_uuid(s->id);
    if (secretary_set(&s->tenant, "default") || secretary_set(&s->name, "provider-test") ||
        secretary_set(&s->company, "Voice AI") || secretary_set(&s->language, o->language) ||
        secretary_set(&s->provider, o->name) || secretary_add_topic(s, &topic) ||
        secretary_set(&topic->name, pt ? "horário" : "opening hours") ||
        secretary_list_add(&topic->phrases, pt ? "horário de funcionamento" : "hours") ||
        secretary_set(&topic->answer, pt ? "Abrimos de segunda a sexta, das nove às dezoito horas."
                                         : "We are open from nine to six, Monday to Friday."))
        err = va_fault_set(fault, VA_ENOMEM, "out of memory");
    if (!err)
        err = secretary_check(s, fault);
    if (err)
        secretary_unref((const struct secretary **)&s);
    else
        *ret_s = s;
    return err;
}

static enum va_err make_question(const struct settings *s, const struct options *o,
                                 const char **ret_text, struct pcm **ret_pcm,
                                 struct va_fault *fault)
{
    char voice[32];
    size_t i = 0;
    *ret_text = o->wav ? o->wav : o->say;
    if (!*ret_text)
        *ret_text =
            portuguese(o) ? "qual é o horário de funcionamento" : "what are your opening hours";
    if (o->wav)
        return wav_load(o->wav, &(struct wav_want){.rate_hz = (int)o->rate_hz}, ret_pcm, fault);
    for (; o->language[i] && i + 1 < sizeof(voice); i++)
        voice[i] = (char)(o->language[i] | 0x20); /* espeak-ng writes pt-br; '-' stays */
    voice[i] = 0;
    struct voice_cfg cfg = {s->tts_command, voice, (int)o->rate_hz};
    return voice_say(&cfg, NULL, *ret_text, ret_pcm, fault);
}

/* A recogniser that is missing matters to providers that live from it alone. */
static enum va_err start_speech(const struct settings *s, const struct provider_ops *ops,
                                struct provider_env *env, struct va_fault *fault)
{
    struct asr_cfg cfg = {.model_dir = s->asr_model_dir,
                          .tts_command = s->tts_command,
                          .threads = (unsigned)s->asr_threads};
    enum va_err err = tts_start(&(struct tts_cfg){.command = s->tts_command}, &env->tts, fault);
    if (!err)
        err = asr_start(&cfg, &env->asr, fault);
    if (err && ops->key)
        err = VA_OK;
    return err;
}

/* ---- test: what it shows -----------------------------------------------------------------------
 */

static void print_ms(const char *what, uint64_t from_us, uint64_t to_us, const char *since)
{
    if (from_us && to_us)
        (void)printf("%-12s %.0f ms %s\n", what, ((double)to_us - (double)from_us) / 1000, since);
}

static void print_text(const char *what, const struct buf *text)
{
    (void)printf("%-12s ", what);
    for (const char *p = buf_z(text); *p; p++) /* theirs: no control characters on a terminal */
        (void)putchar((unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p);
    (void)putchar('\n');
}

static void print_result(const struct options *o, const struct try_result *r, const char *question,
                         const struct pcm *pcm)
{
    (void)printf("%-12s %s\n%-12s %s\n%-12s %s, %.1f s\n", "provider", o->name, "formats",
                 *r->formats ? r->formats : "-", "question", question, (double)pcm_ms(pcm) / 1000);
    print_ms("ready", r->opened_us, r->ready_us, "after the start: connected and set up");
    print_ms("turn heard", r->spoken_us, r->turn_ended_us,
             r->detects_turns ? "after the last word, by the provider"
                              : "after the last word, by our voice detector");
    print_ms("first audio", r->spoken_us, r->first_audio_us, "after the last word");
    print_ms("", r->turn_ended_us, r->first_audio_us, "after the turn was heard");
    print_ms("complete", r->spoken_us, r->done_us, "after the last word");
    if (r->heard.len)
        print_text("understood", &r->heard);
    if (r->answered.len)
        print_text("answered", &r->answered);
    if (r->audio_ms)
        (void)printf("%-12s %.1f s, loudest block %.0f dBFS\n", "answer",
                     (double)r->audio_ms / 1000, r->level_dbfs);
    if (*r->tool)
        (void)printf("%-12s %s\n", "asked to", r->tool);
    if (r->usage.len)
        print_text("usage", &r->usage);
    print_ms("total", r->opened_us, r->done_us, "");
    if (r->fault.code)
        (void)printf("%-12s %s\n", "WRONG", r->fault.text);
    else
        (void)printf("%-12s everything as it should be\n", "result");
}

static int run_test(const struct settings *s, const struct provider_ops *ops,
                    const struct options *o)
{
    struct va_fault fault = {VA_OK, ""};
    struct provider_env env = {.find = provider_find};
    struct secretary *secretary = NULL;
    struct loop *loop = NULL;
    struct pcm *pcm = NULL;
    const char *question = NULL;
    int code = 2;
    enum va_err err = make_question(s, o, &question, &pcm, &fault);
    if (!err)
        err = make_secretary(o, &secretary, &fault);
    if (!err && loop_new(NULL, 0, &loop))
        err = va_fault_set(&fault, VA_ENOMEM, "cannot create a loop");
    if (!err)
        err = start_speech(s, ops, &env, &fault);
    if (err) {
        code = app_fail("provider test: %s", fault.text);
    } else {
        struct try_cfg cfg = {loop, ops, &env, s, secretary, pcm, o->timeout_s * 1000, o->name};
        struct try_result r;
        code = try_provider(&cfg, &r) ? 1 : 0;
        print_result(o, &r, question, pcm);
        try_free(&r);
    }
    asr_stop(&env.asr);
    tts_stop(&env.tts);
    loop_free(&loop);
    secretary_unref((const struct secretary **)&secretary);
    pcm_unref(&pcm);
    return code;
}

static int test(const struct settings *s, int argc, char **argv)
{
    struct options o;
    if (read_options(&o, argc, argv))
        return 2;
    const struct provider_ops *ops = provider_find(o.name);
    if (!ops)
        return app_fail("provider test: \"%s\" is not in this version (voice-ai provider list)",
                        o.name);
    if (key_missing(s, ops))
        return app_fail("provider test: %s needs a key; set %s in the environment or in .env",
                        o.name, ops->key);
    if (strcmp(s->log_level, "info") == 0)
        log_set_level(LOG_WARN); /* the table says it better */
    return run_test(s, ops, &o);
}

int cmd_provider(const struct settings *s, int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "--help") == 0) {
        (void)fputs(help, stdout);
        return 0;
    }
    if (argc == 0 || strcmp(argv[0], "list") == 0)
        return argc > 1 ? app_fail("provider list: takes no argument \"%s\"", argv[1]) : list(s);
    if (strcmp(argv[0], "test") == 0)
        return test(s, argc - 1, argv + 1);
    return app_fail("provider: unknown command \"%s\"; list or test (voice-ai provider --help)",
                    argv[0]);
}
