/*
 * The thread of the user agent: its start, its mailbox, its end.
 *
 * Everything of the stack is created, used and destroyed in this one thread; other threads meet it
 * in the mailbox alone (sip_mail.c).
 */
#include "leg/sip_int.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ALLOWED "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, NOTIFY"

enum { URL_TEXT = 128, MESSAGE_MAX = 65536, STOP_BYE_MS = 1000 };

bool sip_ua_wanted(const struct settings *s)
{
    return s->sip_allow_direct || settings_uses_mode(s, "rtp");
}

/* ---- the thread ------------------------------------------------------------------------------ */

static uint64_t now_us(void)
{
    return clock_mono_us(&va_clock_system);
}

static void on_token_check(su_root_magic_t *magic, su_timer_t *timer, struct sip_ua *ua)
{
    (void)magic;
    (void)timer;
    sip_tokens_expire(ua, now_us());
}

static void on_stop_limit(su_root_magic_t *magic, su_timer_t *timer, struct sip_ua *ua)
{
    (void)magic;
    (void)timer;
    ua->cut_short = true;
    su_root_break(ua->root);
}

/* BYE to all; nua_r_shutdown ends the loop. Who does not answer is not waited for as long as the
 * protocol would (64 T1, 32 s). */
static void begin_stop(struct sip_ua *ua)
{
    (void)su_timer_reset(ua->timer);
    (void)su_timer_set_interval(ua->timer, on_stop_limit, ua,
                                ua->poisoned ? STOP_BYE_MS : SIP_STOP_LIMIT_MS);
    nua_set_params(ua->nua, NTATAG_SIP_T1X64(STOP_BYE_MS), TAG_END());
    if (!ua->poisoned)
        nua_shutdown(ua->nua);
}

static int on_wake(su_root_magic_t *magic, su_wait_t *wait, struct sip_ua *ua)
{
    (void)magic;
    (void)wait;
    uint64_t n;
    if (read(ua->wake_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
        return 0;
    sip_orders_run(ua);
    if (atomic_exchange(&ua->stopping, false))
        begin_stop(ua);
    return 0;
}

/* NTATAG_CONTACT is an address the stack bound; with TLS it may be that one. */
void sip_on_params(struct sip_ua *ua, tagi_t tags[])
{
    const sip_contact_t *m = NULL;
    (void)tl_gets(tags, NTATAG_CONTACT_REF(m), TAG_END());
    uint64_t port = (uint64_t)ua->cfg.settings->sip_port;
    if (!port && (!m || !m->m_url->url_port || str_to_u64(str_of(m->m_url->url_port), &port)))
        port = 0;
    ua->port = (uint16_t)port;
    uv_sem_post(&ua->started);
}

static void print_url(const char *host, const char *scheme, unsigned port, const char *tail,
                      char out[static URL_TEXT])
{
    struct net_addr addr;
    bool any = net_addr_parse(host, 0, &addr) || net_addr_is_any(&addr);
    bool v6 = strchr(host, ':') != NULL;
    (void)snprintf(out, URL_TEXT, v6 && !any ? "%s:[%s]:%u%s" : "%s:%s:%u%s", scheme,
                   any ? (v6 ? "[::]" : "0.0.0.0") : host, port, tail);
}

static bool create_agent(struct sip_ua *ua)
{
    const struct settings *s = ua->cfg.settings;
    char url[URL_TEXT], tls[URL_TEXT];
    print_url(s->sip_host, "sip", (unsigned)s->sip_port, "", url);
    print_url(s->sip_host, "sips", (unsigned)s->sip_tls_port, ";transport=tls", tls);
    bool secure = s->sip_tls_port != 0;
    ua->nua =
        nua_create(ua->root, sip_on_event, ua, NUTAG_URL(url), TAG_IF(secure, NUTAG_SIPS_URL(tls)),
                   TAG_IF(secure, NUTAG_CERTIFICATE_DIR(s->sip_tls_cert_dir)),
                   NUTAG_MEDIA_ENABLE(0), SIPTAG_USER_AGENT_STR("voice-ai/" VA_VERSION),
                   SIPTAG_ALLOW_STR(ua->cfg.take_refer ? ALLOWED ", REFER" : ALLOWED),
                   SIPTAG_SUPPORTED_STR("timer, 100rel"), NUTAG_APPL_METHOD("UPDATE"),
                   NUTAG_AUTOALERT(0), NUTAG_AUTOANSWER(0), NUTAG_AUTOACK(1),
                   NUTAG_ENABLEMESSAGE(0), NUTAG_SESSION_TIMER(0), NUTAG_MIN_SE(SIP_MIN_SE_S),
                   NUTAG_UPDATE_REFRESH(1), NTATAG_MAXSIZE(MESSAGE_MAX), TAG_END());
    return ua->nua != NULL;
}

static bool start_stack(struct sip_ua *ua, su_wait_t *wait)
{
    ua->root = su_root_create(NULL);
    if (!ua->root)
        return false;
    su_root_threading(ua->root, 0);
    if (!create_agent(ua))
        return false;
    if (su_wait_create(wait, ua->wake_fd, SU_WAIT_IN) ||
        su_root_register(ua->root, wait, on_wake, ua, su_pri_normal) < 0)
        return false;
    ua->timer = su_timer_create(su_root_task(ua->root), SIP_TOKEN_CHECK_MS);
    if (!ua->timer || su_timer_set_for_ever(ua->timer, on_token_check, ua))
        return false;
    nua_get_params(ua->nua, TAG_ANY(), TAG_END());
    return true;
}

static void drop_calls(struct sip_ua *ua)
{
    sip_orders_run(ua);
    list_each(&ua->calls, it, next) sip_dialog_gone(container_of(it, struct sip_call, link));
}

/* The stack cannot be destroyed while it waits for an answer. It stays where it is, as little as
 * that is: the program ends. */
static void abandon(struct sip_ua *ua)
{
    static _Atomic(void *) left[2]; /* still reachable, so no leak */
    atomic_store(&left[0], ua->nua);
    atomic_store(&left[1], ua->root);
}

static void stop_stack(struct sip_ua *ua, su_wait_t *wait)
{
    if (ua->timer)
        su_timer_destroy(ua->timer);
    if (ua->cut_short) {
        (void)su_root_unregister(ua->root, wait, on_wake, ua);
        abandon(ua);
        return;
    }
    if (ua->nua)
        nua_destroy(ua->nua);
    if (ua->root) {
        (void)su_root_unregister(ua->root, wait, on_wake, ua);
        su_root_destroy(ua->root);
    }
}

static void thread_main(void *arg)
{
    struct sip_ua *ua = arg;
    su_wait_t wait[1] = {SU_WAIT_INIT};
    (void)pthread_setname_np(pthread_self(), "sip");
    ua->running = start_stack(ua, wait);
    if (ua->running)
        su_root_run(ua->root);
    else
        uv_sem_post(&ua->started);
    drop_calls(ua);
    stop_stack(ua, wait);
}

/* ---- start and stop (control thread) --------------------------------------------------------- */

/* The stack says only that it could not, and loses memory over it: look before. */
static enum va_err check_port(const struct settings *s, struct va_fault *fault)
{
    struct net_addr addr;
    if (net_addr_parse(s->sip_host, (uint16_t)s->sip_port, &addr))
        return va_fault_set(fault, VA_ECONFIG, "SIP_HOST=%s: not an IP address", s->sip_host);
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
    for (size_t i = 0; i < 2; i++) {
        int one = 1, fd = socket(addr.u.sa.sa_family, types[i] | SOCK_CLOEXEC, 0);
        if (i && fd >= 0) /* as the stack does: connections that just ended do not count */
            (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        bool bound = fd >= 0 && bind(fd, &addr.u.sa, net_addr_len(&addr)) == 0;
        int why = errno;
        if (fd >= 0)
            (void)close(fd);
        if (!bound)
            return va_fault_set(fault, va_err_from_errno(why),
                                "cannot open SIP_HOST:SIP_PORT %s:%d (%s): %s; choose another "
                                "SIP_PORT or stop the program that has it",
                                s->sip_host, (int)s->sip_port, i ? "TCP" : "UDP", strerror(why));
    }
    return VA_OK;
}

/* The stack starts without it, and then no handshake succeeds. */
static enum va_err check_certificate(const struct settings *s, struct va_fault *fault)
{
    char path[SETTING_TEXT_MAX + 16];
    (void)snprintf(path, sizeof(path), "%s/agent.pem", s->sip_tls_cert_dir);
    if (!s->sip_tls_port || access(path, R_OK) == 0)
        return VA_OK;
    return va_fault_set(fault, VA_ECONFIG,
                        "SIP_TLS_PORT is set, but %s cannot be read: %s; SIP_TLS_CERT_DIR names "
                        "the folder, the file holds certificate and key",
                        path, strerror(errno));
}

static enum va_err explain(const struct settings *s, struct va_fault *fault)
{
    enum va_err err = check_port(s, fault);
    if (err)
        return err;
    if (s->sip_tls_port)
        return va_fault_set(fault, VA_ECONFIG,
                            "cannot open SIP over TLS at port %d: SIP_TLS_CERT_DIR=%s must hold "
                            "agent.pem (certificate and key), and the port must be free",
                            (int)s->sip_tls_port, s->sip_tls_cert_dir);
    return va_fault_set(fault, VA_EIO, "cannot start SIP at %s:%d", s->sip_host, (int)s->sip_port);
}

static void swallow_log(void *stream, char const *fmt, va_list ap)
{
    (void)stream;
    (void)fmt;
    (void)ap;
}

/* The library's own start-up. Its log would put strangers' bytes on our standard error. */
static void init_library(void)
{
    (void)su_init();
    su_log_redirect(NULL, swallow_log, NULL);
}

static void ua_free(struct sip_ua *ua)
{
    if (ua->wake_fd >= 0)
        (void)close(ua->wake_fd);
    uv_sem_destroy(&ua->started);
    uv_mutex_destroy(&ua->lock);
    free(ua);
}

static enum va_err ua_new(const struct sip_ua_cfg *cfg, struct sip_ua **ret_ua,
                          struct va_fault *fault)
{
    struct sip_ua *ua = calloc(1, sizeof(*ua));
    if (!ua || thread_lock_init(&ua->lock)) {
        free(ua);
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    }
    (void)uv_sem_init(&ua->started, 0);
    ua->cfg = *cfg;
    list_init(&ua->calls);
    list_init(&ua->incoming);
    ua->srtp = sdp_srtp_policy(cfg->settings->rtp_srtp);
    ua->tls_port = (uint16_t)cfg->settings->sip_tls_port;
    ua->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    enum va_err err = sdp_prefs_parse(cfg->settings->rtp_codecs, &ua->prefs, fault);
    if (!err)
        err = sip_acl_parse(cfg->settings->sip_allow_acl, &ua->acl, fault);
    if (!err)
        err = check_port(cfg->settings, fault);
    if (!err)
        err = check_certificate(cfg->settings, fault);
    if (!err && ua->wake_fd < 0)
        err = va_fault_set(fault, VA_ELIMIT, "no file descriptor left for SIP");
    if (err) {
        ua_free(ua);
        return err;
    }
    *ret_ua = ua;
    return VA_OK;
}

enum va_err sip_ua_start(const struct sip_ua_cfg *cfg, struct sip_ua **ret_ua,
                         struct va_fault *fault)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, init_library);
    struct sip_ua *ua = NULL;
    enum va_err err = ua_new(cfg, &ua, fault);
    if (err)
        return err;
    sigset_t all, old; /* signals are for the main thread; a new thread inherits the mask */
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int status = uv_thread_create(&ua->thread, thread_main, ua);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (status) {
        ua_free(ua);
        return va_fault_set(fault, va_err_from_uv(status), "cannot start the SIP thread");
    }
    uv_sem_wait(&ua->started);
    if (!ua->running) {
        (void)uv_thread_join(&ua->thread);
        err = explain(cfg->settings, fault);
        ua_free(ua);
        return err;
    }
    *ret_ua = ua;
    return VA_OK;
}

void sip_ua_drain(struct sip_ua *ua)
{
    atomic_store(&ua->draining, true);
}

/* Those that lie in the control loop's mailbox, which is read after us. */
static void forget_incoming(struct sip_ua *ua)
{
    list_each(&ua->incoming, it, next)
    {
        struct sip_incoming *in = container_of(it, struct sip_incoming, link);
        link_remove(it);
        in->ua = NULL;
        sip_call_close(&in->call);
    }
}

void sip_ua_stop(struct sip_ua **pua)
{
    struct sip_ua *ua = pua ? *pua : NULL;
    if (!ua)
        return;
    *pua = NULL;
    atomic_store(&ua->stopping, true);
    sip_wake(ua);
    (void)uv_thread_join(&ua->thread);
    forget_incoming(ua);
    sip_orders_drop(ua);
    ua_free(ua);
}

uint16_t sip_ua_port(const struct sip_ua *ua)
{
    return ua->port;
}

void sip_ua_tell_audio(struct sip_ua *ua, bool comes)
{
    atomic_store(&ua->audio_comes, comes);
}

bool sip_ua_brings_audio(const struct sip_ua *ua)
{
    return atomic_load(&ua->audio_comes);
}

const struct sdp_prefs *sip_ua_prefs(const struct sip_ua *ua)
{
    return &ua->prefs;
}

void sip_ua_stats(const struct sip_ua *ua, struct sip_ua_stats *ret_stats)
{
    *ret_stats = (struct sip_ua_stats){.invites = atomic_load(&ua->invites),
                                       .no_token = atomic_load(&ua->no_token),
                                       .not_allowed = atomic_load(&ua->not_allowed),
                                       .over_limit = atomic_load(&ua->over_limit),
                                       .not_acceptable = atomic_load(&ua->not_acceptable),
                                       .expired = atomic_load(&ua->expired),
                                       .mails_refused = atomic_load(&ua->mails_refused),
                                       .dialogs = atomic_load(&ua->live)};
}
