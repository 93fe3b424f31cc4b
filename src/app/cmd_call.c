#include "app/cmd_call.h"
#include "app/call_options.h"
#include "fakefs/load.h"
#include "fakefs/run.h"
#include "fakefs/voice.h"
#include "media/wav.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SCRIPT_MAX = 1 << 20 };

/* Everything one run owns. */
struct call_app {
    const struct settings *settings;
    struct call_options o;
    struct loop *loop;
    struct media_clock *clock;
    struct fakefs_sip *sip;
    struct fakefs_inbound *inbound;
    struct report *report;
    struct script script;
    struct pcm *load_pcm;
    struct wav_writer *wav;
    struct fakefs_histogram lateness;
    struct va_fault fault;
};

static enum va_err read_file(const char *path, struct buf *out, struct va_fault *fault)
{
    char block[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return va_fault_set(fault, VA_ENOTFOUND, "cannot read %s: %s", path, strerror(errno));
    ssize_t n = 0;
    while ((n = read(fd, block, sizeof(block))) > 0 && !buf_add(out, block, (size_t)n))
        ;
    (void)close(fd);
    if (n < 0 || buf_failed(out))
        return va_fault_set(fault, VA_EIO, "cannot read %s whole (at most 1 MB)", path);
    return VA_OK;
}

static enum va_err load_script(struct call_app *a)
{
    struct buf text;
    buf_init(&text, SCRIPT_MAX);
    enum va_err err = VA_OK;
    if (a->o.script)
        err = read_file(a->o.script, &text, &a->fault);
    else
        call_options_script(&a->o, &text);
    if (!err)
        err = script_parse(&a->script, a->o.script ? a->o.script : "options", buf_str(&text),
                           &a->fault);
    buf_free(&text);
    struct voice_cfg voice = {a->settings->tts_command, a->o.voice, (int)a->o.rate_hz};
    return err ? err : voice_load_script(&voice, &a->script, &a->fault);
}

/* ---- the call's configuration --------------------------------------------------------------- */

static enum va_err address(struct call_app *a, struct net_addr *ret)
{
    const char *host = str_eqz(str_of(a->o.host), "localhost") ? "127.0.0.1" : a->o.host;
    if (!net_addr_parse(host, a->o.port, ret))
        return VA_OK;
    return va_fault_set(&a->fault, VA_EINVAL,
                        "--to: \"%s\" is not a numeric IP address; write 127.0.0.1:8022",
                        a->o.host);
}

static enum va_err configure(struct call_app *a, struct fakefs_call_cfg *ret)
{
    struct call_options *o = &a->o;
    a->lateness.bin_us = 100;
    if (*o->language_var && o->var_count < CALL_VARS_MAX)
        o->var[o->var_count++] = o->language_var;
    *ret = (struct fakefs_call_cfg){.session = {.caller = {.number = o->number,
                                                           .from = o->from,
                                                           .from_name = o->from_name,
                                                           .rate_hz = (unsigned)o->rate_hz,
                                                           .unanswered = o->unanswered},
                                                .human = o->human,
                                                .human_rings_ms = (uint32_t)o->human_rings_ms,
                                                .human_talks_ms = (uint32_t)o->human_talks_ms,
                                                .variables = o->var,
                                                .variable_count = o->var_count},
                                    .ptime_ms = (unsigned)o->ptime_ms,
                                    .silence = o->silence,
                                    .module = o->module,
                                    .clock = a->clock,
                                    .lateness = &a->lateness,
                                    .sip = a->sip,
                                    .wav = a->wav};
    ret->inbound = a->inbound;
    ret->stream_url = o->stream_url;
    if (!o->sip)
        return address(a, &ret->to);
    ret->sip_to = o->sip_to;
    ret->sip_codecs = o->codecs;
    return VA_OK;
}

static enum va_err open_recording(struct call_app *a)
{
    if (!a->o.wav_out || a->o.calls)
        return VA_OK;
    return wav_writer_open(a->o.wav_out, (int)a->o.rate_hz, 2, &a->wav, &a->fault);
}

static enum va_err no_daemon(struct call_app *a, enum va_err err)
{
    char said[200];
    if (a->o.sip && (err == VA_EREFUSED || err == VA_ETIMEOUT)) {
        (void)str_copy(said, sizeof(said), str_of(a->fault.text));
        return va_fault_set(&a->fault, err,
                            "%s: %s; is a daemon there, with SIP_ALLOW_DIRECT=true (and "
                            "SIP_ALLOW_ACL for other hosts)?",
                            a->o.sip_to, said);
    }
    if (err == VA_EREFUSED || err == VA_ETIMEOUT || err == VA_EIO)
        return va_fault_set(&a->fault, err,
                            "no daemon answers at %s:%u (%s); start one with: voice-ai serve",
                            a->o.host, a->o.port, va_err_text(err));
    return err;
}

static enum va_err one_call(struct call_app *a, bool *ret_passed)
{
    struct run_cfg cfg = {.script = &a->script,
                          .script_name = a->o.script,
                          .timeout_ms = a->o.timeout_s * 1000,
                          .report = a->report,
                          .recording = a->o.wav_out};
    enum va_err err = load_script(a);
    if (!err)
        err = open_recording(a);
    if (!err)
        err = configure(a, &cfg.call);
    if (!err)
        err = no_daemon(a, run_call(a->loop, &cfg, ret_passed, &a->fault));
    struct va_fault disk;
    if (wav_writer_close(&a->wav, &disk) && !err)
        err = va_fault_set(&a->fault, VA_EIO, "%s", disk.text);
    return err;
}

/* ---- load ----------------------------------------------------------------------------------- */

/* Without --say or --wav: two seconds that sound like syllables to a voice detector. */
static enum va_err syllables(struct call_app *a)
{
    size_t rate = (size_t)a->o.rate_hz, n = rate * 2;
    int16_t *pcm = malloc(n * sizeof(*pcm));
    for (size_t i = 0; pcm && i < n; i++) {
        double t = (double)i / (double)rate;
        double swell = sin(3.14159265 * 4 * t), tone = sin(6.2831853 * 180 * t);
        pcm[i] = (int16_t)(6000 * swell * swell * tone + (double)rand_below(1200) - 600);
    }
    enum va_err err = pcm ? pcm_adopt((int)a->o.rate_hz, pcm, n, &a->load_pcm) : VA_ENOMEM;
    if (err)
        free(pcm);
    return err;
}

static enum va_err load_voice(struct call_app *a)
{
    const struct call_turn *t = a->o.turn;
    struct wav_want want = {.rate_hz = (int)a->o.rate_hz};
    struct voice_cfg voice = {a->settings->tts_command, a->o.voice, (int)a->o.rate_hz};
    if (!a->o.turn_count)
        return syllables(a);
    return t->file ? wav_load(t->text, &want, &a->load_pcm, &a->fault)
                   : voice_say(&voice, NULL, t->text, &a->load_pcm, &a->fault);
}

static void raise_descriptors(void)
{
    struct rlimit lim;
    if (getrlimit(RLIMIT_NOFILE, &lim))
        return;
    lim.rlim_cur = lim.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &lim);
}

static enum va_err many_calls(struct call_app *a, bool *ret_passed)
{
    struct fakefs_clip clip;
    struct load_cfg cfg = {.clip = &clip,
                           .pause_ms = 3000,
                           .calls = (unsigned)a->o.calls,
                           .rate = (unsigned)(a->o.rate ? a->o.rate : 50),
                           .hold_ms = (a->o.hold_s ? a->o.hold_s : 10) * 1000,
                           .settle_ms = a->o.settle_s * 1000,
                           .report = a->report};
    raise_descriptors();
    enum va_err err = load_voice(a);
    if (!err)
        err = configure(a, &cfg.call);
    if (err)
        return err;
    fakefs_clip_of(a->load_pcm, &clip);
    return load_run(a->loop, &cfg, ret_passed, &a->fault);
}

/* The port of its own that AUDIO_MODE=websocket needs. */
static enum va_err listen_inbound(struct call_app *a)
{
    struct net_addr at;
    if (!a->o.stream)
        return VA_OK;
    if (net_addr_parse(a->o.listen_host, a->o.listen_port, &at))
        return va_fault_set(&a->fault, VA_EINVAL, "--listen: \"%s\" is not a numeric IP address",
                            a->o.listen_host);
    const char *password = a->settings->esl_password;
    return fakefs_inbound_open(a->loop, &at, *password ? password : "ClueCon", &a->inbound,
                               &a->fault);
}

/* ---- the command ---------------------------------------------------------------------------- */

static enum va_err run(struct call_app *a, bool *ret_passed)
{
    struct report_cfg out = {stdout, a->o.json, a->o.quiet};
    enum va_err err = report_new(&out, &a->report);
    if (!err)
        err = loop_new(NULL, 0, &a->loop);
    if (!err)
        err = media_clock_new(a->loop, &a->clock);
    if (!err)
        err = fakefs_sip_new(a->settings, a->loop, a->o.calls ? (unsigned)a->o.calls : 4, &a->sip);
    if (err)
        return va_fault_set(&a->fault, err, "cannot begin: %s", va_err_text(err));
    err = listen_inbound(a);
    if (err)
        return err;
    return a->o.calls ? many_calls(a, ret_passed) : one_call(a, ret_passed);
}

int cmd_call(const struct settings *s, int argc, char **argv)
{
    struct call_app *a = calloc(1, sizeof(*a));
    bool passed = false;
    if (!a)
        return 2;
    a->settings = s;
    enum va_err err = call_options_read(s, argc, argv, &a->o, &a->fault);
    if (!err && a->o.help) {
        (void)fputs(call_options_help, stdout);
        passed = true;
    } else if (!err) {
        err = run(a, &passed);
    }
    if (err)
        (void)fprintf(stderr, "voice-ai call: %s\n",
                      *a->fault.text ? a->fault.text : va_err_text(err));
    script_free(&a->script);
    pcm_unref(&a->load_pcm);
    media_clock_free(&a->clock);
    fakefs_sip_free(&a->sip);
    fakefs_inbound_close(&a->inbound);
    loop_free(&a->loop);
    report_free(&a->report);
    free(a);
    return err ? 2 : passed ? 0 : 1;
}
