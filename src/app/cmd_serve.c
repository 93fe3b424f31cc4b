/*
 * The daemon. Services are started from the bottom up, each checked before the ports open; they are
 * stopped in the opposite order.
 *
 *     folders ─► store ─► voice ─► recogniser ─► disk thread ─► workers and ports ─► "ready"
 */
#include "ai/attendant/attendant.h"
#include "ai/chain/chain.h"
#include "ai/speech/asr.h"
#include "ai/speech/tts.h"
#include "app/app.h"
#include "app/serve_media.h"
#include "base/log.h"
#include "call/server.h"
#include "net/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct daemon {
    const struct settings *settings;
    struct loop *loop;
    struct loop_thread *disk;
    struct store *store;
    struct tts *tts;
    struct asr *asr;
    struct tls_ctx *tls;
    struct call_env env;
    struct call_server *server;
    struct serve_media media;
    uv_signal_t sig_term, sig_int;
    unsigned signals;
    bool warming;
    int exit_code;
};

/* ---- what must be there
 * --------------------------------------------------------------------------- */

static enum va_err make_folder(const char *path, struct va_fault *fault)
{
    if (mkdir(path, 0750) == 0 || errno == EEXIST) {
        struct stat st;
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode) && access(path, W_OK) == 0)
            return VA_OK;
        errno = errno ? errno : ENOTDIR;
    }
    return va_fault_set(
        fault, VA_EIO,
        "DATA_DIR: folder %s cannot be used: %s; set DATA_DIR to a folder that this "
        "user may write",
        path, strerror(errno));
}

static enum va_err make_folders(const struct settings *s, struct va_fault *fault)
{
    static const char *const names[] = {"", "/recordings", "/messages"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[SETTING_TEXT_MAX + 16];
        (void)snprintf(path, sizeof(path), "%s%s", s->data_dir, names[i]);
        enum va_err err = make_folder(path, fault);
        if (err)
            return err;
    }
    return VA_OK;
}

/* Each call holds a control socket, two for its audio (net/udp.h) and at least one of its provider;
 * RTP has RTCP beside it, unicast may play what a stream hears, which comes by three descriptors
 * when it is wss (leg/ws_tls.c). */
static rlim_t files_needed(const struct settings *s)
{
    bool more =
        sip_ua_wanted(s) || settings_uses_mode(s, "dual") || settings_uses_mode(s, "websocket");
    rlim_t each = (more ? 5u : 4u) + (*s->ws_tls_cert ? 2u : 0u);
    return (rlim_t)s->esl_max_connections * each + 256;
}

/* All this user may have: a provider in parts (recogniser, language model, voice) holds more. */
static enum va_err raise_descriptors(const struct settings *s, struct va_fault *fault)
{
    rlim_t need = files_needed(s);
    struct rlimit lim;
    if (getrlimit(RLIMIT_NOFILE, &lim))
        return VA_OK;
    bool enough = lim.rlim_cur >= need;
    if (lim.rlim_max < need)
        lim.rlim_max = need;
    lim.rlim_cur = lim.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &lim) == 0 || enough)
        return VA_OK;
    return va_fault_set(fault, VA_ELIMIT,
                        "ESL_MAX_CONNECTIONS=%lld needs %llu open files, this user may have fewer; "
                        "lower it, or raise the limit (ulimit -n, LimitNOFILE=)",
                        (long long)s->esl_max_connections, (unsigned long long)need);
}

static enum va_err check_fallback(const struct settings *s, struct va_fault *fault)
{
    struct str rest = str_of(s->ai_fallback);
    while (rest.len) {
        char name[SETTING_TEXT_MAX];
        (void)str_copy(name, sizeof(name), str_trim(str_cut(&rest, ',')));
        if (*name && !provider_find(name))
            return va_fault_set(fault, VA_ECONFIG,
                                "AI_FALLBACK=%s: \"%s\" is not in this version (voice-ai provider "
                                "list)",
                                s->ai_fallback, name);
    }
    return VA_OK;
}

static enum va_err start_speech(struct daemon *d, struct va_fault *fault)
{
    const struct settings *s = d->settings;
    enum va_err err = tts_start(&(struct tts_cfg){.command = s->tts_command}, &d->tts, fault);
    if (!err)
        err = tts_check_voice(d->tts, "pt-BR", "", fault);
    if (!err)
        err = tts_check_voice(d->tts, "en-US", "", fault);
    struct asr_cfg asr = {.model_dir = s->asr_model_dir,
                          .tts_command = s->tts_command,
                          .threads = (unsigned)s->asr_threads};
    if (!err)
        err = asr_start(&asr, &d->asr, fault);
    return err;
}

/* For providers over a network. The system's authorities are read here, not in the first call. */
static enum va_err start_tls(struct daemon *d, struct va_fault *fault)
{
    const char *ca = d->settings->tls_ca_file;
    struct tls_client_cfg cfg = {.ca_file = *ca ? ca : NULL, .ca_setting = "TLS_CA_FILE"};
    return tls_client_ctx_new(&cfg, &d->tls, fault);
}

/* ---- warm-up
 * --------------------------------------------------------------------------------------- */

static void on_warm(void *arg)
{
    struct daemon *d = arg;
    d->warming = false;
}

static void on_warm_secretary(void *arg, enum va_err err, const struct secretary *secretary)
{
    struct daemon *d = arg;
    if (err || attendant_warm(&d->env.provider, d->loop, secretary, 8000, on_warm, d))
        d->warming = false;
    secretary_unref(&secretary);
}

/* The first caller shall wait for nothing, so the port opens when the usual texts are spoken. */
static void warm_up(struct daemon *d)
{
    d->warming = store_find_secretary(d->store, d->loop, "default", "default", on_warm_secretary, d,
                                      NULL) == VA_OK;
    while (d->warming)
        loop_turn(d->loop, true); /* every text ends: spoken, failed or timed out */
}

/* ---- life
 * ------------------------------------------------------------------------------------------- */

static enum va_err start(struct daemon *d, struct va_fault *fault)
{
    enum va_err err = check_fallback(d->settings, fault);
    if (!err)
        err = raise_descriptors(d->settings, fault);
    if (!err)
        err = make_folders(d->settings, fault);
    if (!err)
        err = store_open_sqlite(d->settings->data_dir, &d->store, fault);
    if (!err)
        err = start_tls(d, fault);
    if (!err)
        err = start_speech(d, fault);
    if (!err && (err = loop_thread_start("disk", NULL, &d->disk)) != VA_OK)
        va_fault_set(fault, err, "cannot start the disk thread: %s", va_err_text(err));
    if (err)
        return err;
    d->env = (struct call_env){
        .settings = d->settings,
        .store = d->store,
        .disk = loop_thread_loop(d->disk),
        .provider = {.tts = d->tts, .asr = d->asr, .tls = d->tls, .find = provider_find},
        .speaker = &provider_chain,
        .find_leg = leg_find};
    warm_up(d);
    err = call_server_start(d->loop, &d->env, &d->server, fault);
    if (!err)
        err = serve_media_start(&d->media, d->loop, d->settings, d->server, &d->env.leg, fault);
    return err;
}

/* Services answer into the loops of workers and of this thread, so those go last. */
static void stop(struct daemon *d)
{
    asr_stop(&d->asr);
    tts_stop(&d->tts);
    store_close(&d->store);
    loop_thread_stop(&d->disk);
    call_server_stop(&d->server);
    serve_media_stop(&d->media);
    tls_ctx_free(&d->tls);
}

static void on_idle(void *arg)
{
    struct daemon *d = arg;
    loop_stop(d->loop);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct daemon *d = handle->data;
    log_info("app", NULL, "signal", "name", signum == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
    if (d->signals++ == 0) {
        serve_media_drain(&d->media);
        call_server_drain(d->server, (uint64_t)d->settings->drain_timeout_s * 1000, on_idle, d);
        return;
    }
    log_warn("app", NULL, "stop-now", "note", "calls go back to the dialplan", NULL);
    call_server_abort(d->server);
}

static void listen_signals(struct daemon *d)
{
    uv_signal_t *const handles[] = {&d->sig_term, &d->sig_int};
    static const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < 2; i++) {
        (void)uv_signal_init(loop_uv(d->loop), handles[i]);
        handles[i]->data = d;
        (void)uv_signal_start(handles[i], on_signal, numbers[i]);
    }
}

/* ---- priority ------------------------------------------------------------------------------- */

static void try_priority(void *arg)
{
    enum thread_priority *p = arg;
    *p = thread_set_priority(*p);
}

/* What the workers get: tried by a thread of its own, since this one stays as it is. */
static enum thread_priority worker_priority(const struct settings *s)
{
    enum thread_priority wish = thread_priority_of(s->worker_priority), got = wish;
    uv_thread_t t;
    if (uv_thread_create(&t, try_priority, &got))
        return THREAD_NORMAL;
    (void)uv_thread_join(&t);
    if (got != wish && strcmp(s->worker_priority, "auto") != 0)
        log_warn("app", NULL, "priority-refused", "WORKER_PRIORITY", s->worker_priority, "is",
                 thread_priority_name(got), "note",
                 wish == THREAD_REALTIME
                     ? "this user may not: LimitRTPRIO=1 in the systemd unit, or CAP_SYS_NICE"
                     : "this user may not: LimitNICE=-10 in the systemd unit, or CAP_SYS_NICE",
                 NULL);
    return got;
}

static void log_ready(const struct daemon *d)
{
    struct net_addr addr;
    char text[NET_ADDR_TEXT], ws[NET_ADDR_TEXT], sip[NET_ADDR_TEXT];
    call_server_addr(d->server, &addr);
    net_addr_text(&addr, text);
    serve_media_addrs(&d->media, ws, sip);
    log_info("app", NULL, "ready", "version", VA_VERSION, "esl", text, "ws", *ws ? ws : NULL, "sip",
             *sip ? sip : NULL, "mode", d->settings->audio_mode, "provider",
             d->settings->ai_provider, "data", d->settings->data_dir, "priority",
             thread_priority_name(worker_priority(d->settings)), NULL);
    if (*d->settings->db_host || *d->settings->redis_host)
        log_warn("app", NULL, "setting-unused", "note",
                 "DB_HOST and REDIS_HOST have no effect in this version: data is kept in DATA_DIR",
                 NULL);
}

int cmd_serve(const struct settings *s, int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "--help") == 0) {
        (void)puts(
            "usage: voice-ai serve\n\nTake calls from FreeSWITCH's `socket` application on\n"
            "ESL_SERVER_HOST:ESL_SERVER_PORT, and as AUDIO_MODE says streams on WS_PORT and\n"
            "SIP on SIP_PORT. SIGTERM: no new calls, running ones end\n"
            "within DRAIN_TIMEOUT; a second SIGTERM gives them back at once.");
        return 0;
    }
    if (argc > 0)
        return app_fail("serve: unknown argument \"%s\" (voice-ai serve --help)", argv[0]);
    struct daemon d = {.settings = s};
    struct va_fault fault = {VA_OK, ""};
    if (loop_new(NULL, 0, &d.loop))
        return app_fail("cannot create the main loop: out of memory or descriptors");
    int code = 0;
    if (start(&d, &fault)) {
        code = app_fail("%s", fault.text);
    } else {
        listen_signals(&d);
        log_ready(&d);
        loop_run(d.loop);
        log_info("app", NULL, "stopped", NULL);
        uv_close((uv_handle_t *)&d.sig_term, NULL);
        uv_close((uv_handle_t *)&d.sig_int, NULL);
    }
    stop(&d);
    loop_free(&d.loop);
    return code;
}
