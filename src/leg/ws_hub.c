/*
 *     listener ─fd─► head_read (half open) ─► request ─► path ─► gate ─► leg │ on_stream │ held
 */
#include "leg/ws_hub_int.h"
#include "base/log.h"
#include "net/http_head.h"

#include <stdlib.h>
#include <unistd.h>

enum { SWEEP_MS = 250, LOG_EVERY_US = 1000000 };

/* A socket whose head is not there yet. */
struct half_open {
    struct link link;
    struct ws_hub *hub;
    struct head *head;
    struct net_addr peer, local;
};

/* ---- refusals -------------------------------------------------------------------------------- */

static void count_refusal(struct ws_hub *hub, int status)
{
    uv_mutex_lock(&hub->lock);
    if (status == 401 || status == 403)
        hub->stats.unauthorized++;
    else
        hub->stats.refused++;
    uv_mutex_unlock(&hub->lock);
}

/* One line a second at most: anybody can cause them. */
static void log_refusal(struct ws_hub *hub, const struct net_addr *peer, int status,
                        const char *why)
{
    uint64_t now = loop_now_us(hub->control);
    if (hub->refused_logged_us && now - hub->refused_logged_us < LOG_EVERY_US)
        return;
    hub->refused_logged_us = now;
    char from[NET_ADDR_TEXT];
    net_addr_text(peer, from);
    log_warn("leg", NULL, "ws-refused", "peer", from, "status", log_num(status), "why", why, NULL);
}

static void refuse(struct ws_hub *hub, int fd, const struct net_addr *peer, int status,
                   const char *why)
{
    count_refusal(hub, status);
    log_refusal(hub, peer, status, why);
    ws_refuse_fd(fd, status, why);
}

/* ---- a request ------------------------------------------------------------------------------- */

static void count_stream(struct ws_hub *hub)
{
    uv_mutex_lock(&hub->lock);
    hub->stats.streams++;
    uv_mutex_unlock(&hub->lock);
}

static void on_sweep(void *arg);

/* Whom is it for? */
static void dispatch(struct ws_hub *hub, struct ws_stream *stream, const char *token)
{
    const struct net_addr peer = stream->facts.peer;
    if (ws_wait_match(hub, token, stream))
        return;
    const char *why = "no call waits for this stream";
    int status = 404;
    if (!token && hub->h.on_stream) {
        count_stream(hub);
        hub->h.on_stream(hub->arg, stream);
        return;
    }
    if (!token) {
        if (ws_wait_hold(hub, stream)) {
            if (!tmr_running(&hub->sweep))
                tmr_start(&hub->sweep, hub->control, SWEEP_MS, on_sweep, hub);
            return;
        }
        status = 503;
        why = "too many streams wait for their calls";
    }
    count_refusal(hub, status);
    log_refusal(hub, &peer, status, why);
    ws_stream_refuse(&stream, status, why);
}

static void serve(struct ws_hub *hub, const struct half_open *from, int fd, struct str bytes)
{
    struct ws_ask ask;
    struct ws_path path;
    const char *why = "";
    const struct str head = str_make(bytes.p, http_head_length(bytes.p, bytes.len, 0));
    int status = ws_request_read(head, &ask, &why);
    if (!status)
        status = ws_path_read(ask.path, ask.query, &path, &why);
    if (!status && path.kind == WS_PATH_STREAM) /* a token in the path is its own ticket */
        status = ws_gate_check(&hub->gate, &ask, &why);
    struct ws_stream *stream = NULL;
    if (!status) {
        path.stream.peer = from->peer;
        path.stream.local = from->local;
        if (ws_stream_new(fd, bytes, &path.stream, &stream)) {
            status = 503;
            why = "out of memory";
        }
    }
    if (status)
        refuse(hub, fd, &from->peer, status, why);
    else
        dispatch(hub, stream, path.kind == WS_PATH_CALL ? path.token : NULL);
}

static void count_half_open(struct ws_hub *hub, int by)
{
    uv_mutex_lock(&hub->lock);
    hub->stats.half_open += (size_t)by;
    uv_mutex_unlock(&hub->lock);
}

static void on_head(void *arg, enum va_err err, int fd, struct str bytes)
{
    struct half_open *half = arg;
    struct ws_hub *hub = half->hub;
    link_remove(&half->link);
    count_half_open(hub, -1);
    if (!err)
        serve(hub, half, fd, bytes);
    else if (err == VA_ELIMIT)
        refuse(hub, fd, &half->peer, 431, "request head too long");
    else if (err == VA_ETIMEOUT) {
        uv_mutex_lock(&hub->lock);
        hub->stats.timeouts++;
        uv_mutex_unlock(&hub->lock);
        ws_refuse_fd(fd, 408, "no request came in time");
    } else
        (void)close(fd);
    free(half);
}

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    struct ws_hub *hub = arg;
    uv_mutex_lock(&hub->lock);
    hub->stats.accepted++;
    bool full = hub->stats.half_open >= WS_HUB_HALF_OPEN_MAX;
    hub->stats.overloads += full;
    uv_mutex_unlock(&hub->lock);
    struct half_open *half = full ? NULL : calloc(1, sizeof(*half));
    if (!half) {
        (void)close(fd);
        return;
    }
    socklen_t len = sizeof(half->local.u);
    (void)getsockname(fd, &half->local.u.sa, &len);
    if (hub->tls && ws_tls_relay(hub->tls, fd, &fd)) {
        count_refusal(hub, 503);
        free(half);
        return;
    }
    half->hub = hub;
    half->peer = *peer;
    if (head_read(hub->control, fd, WS_HEAD_BYTES_MAX, WS_HUB_HEAD_MS, on_head, half,
                  &half->head)) {
        free(half);
        return;
    }
    list_push(&hub->half_open, &half->link);
    count_half_open(hub, 1);
}

/* ---- held streams ---------------------------------------------------------------------------- */

static struct ws_stream *pop_expired(struct ws_hub *hub, uint64_t now_us, bool *ret_more)
{
    uv_mutex_lock(&hub->lock);
    struct ws_stream *s = NULL;
    if (!list_empty(&hub->held)) {
        struct ws_stream *first = container_of(hub->held.head.next, struct ws_stream, link);
        if (first->until_us <= now_us) {
            s = first;
            link_remove(&s->link);
            hub->stats.held--;
        }
    }
    *ret_more = !list_empty(&hub->held);
    uv_mutex_unlock(&hub->lock);
    return s;
}

static void drop_held(struct ws_hub *hub, uint64_t now_us)
{
    bool more = false;
    struct ws_stream *s;
    while ((s = pop_expired(hub, now_us, &more))) {
        const char *why = "no call came for this stream: does the dialplan go on with socket?";
        count_refusal(hub, 404);
        log_refusal(hub, &s->facts.peer, 404, why);
        ws_stream_refuse(&s, 404, why);
    }
    if (more)
        tmr_start(&hub->sweep, hub->control, SWEEP_MS, on_sweep, hub);
}

static void on_sweep(void *arg)
{
    struct ws_hub *hub = arg;
    drop_held(hub, loop_now_us(hub->control));
}

/* ---- open and close -------------------------------------------------------------------------- */

static bool is_loopback(const struct net_addr *a)
{
    if (a->u.sa.sa_family == AF_INET)
        return (ntohl(a->u.v4.sin_addr.s_addr) >> 24) == 127;
    return IN6_IS_ADDR_LOOPBACK(&a->u.v6.sin6_addr);
}

/* "wss://host:1/x" → "host". Checked here, so that the first call need not find the mistake. */
static enum va_err read_advertised(const char *url, struct str *ret_host, struct va_fault *fault)
{
    struct str rest = str_of(url);
    *ret_host = str_make("", 0);
    if (!rest.len)
        return VA_OK;
    size_t scheme = str_starts(rest, "ws://") ? 5 : str_starts(rest, "wss://") ? 6 : 0;
    rest.p += scheme;
    rest.len -= scheme;
    struct str authority = str_cut(&rest, '/');
    struct str host = str_cut(&authority, ':');
    bool bad =
        !scheme || !host.len || memchr(url, '?', strlen(url)) || memchr(url, ' ', strlen(url));
    for (size_t i = 0; i < host.len; i++)
        bad = bad || host.p[i] == '_' || host.p[i] == '[';
    if (bad)
        return va_fault_set(fault, VA_ECONFIG,
                            "WS_ADVERTISE_URL=%s: must be ws://host[:port][/path] or wss://…, as "
                            "FreeSWITCH reaches us; mod_audio_stream takes no underscore and no "
                            "IPv6 address in it",
                            url);
    *ret_host = host;
    return VA_OK;
}

static enum va_err make_gate(struct ws_hub *hub, const struct net_addr *at, struct va_fault *fault)
{
    const struct settings *s = hub->settings;
    hub->gate.token = str_of(s->ws_token);
    hub->gate.loopback = is_loopback(at);
    enum va_err err = read_advertised(s->ws_advertise_url, &hub->gate.own_host, fault);
    if (err)
        return err;
    if (!hub->h.on_stream && *s->ws_tls_cert && !*s->ws_advertise_url)
        return va_fault_set(fault, VA_ECONFIG,
                            "WS_TLS_CERT is set and WS_ADVERTISE_URL is not: FreeSWITCH would be "
                            "told an IP address, which mod_audio_stream never finds in a "
                            "certificate; set WS_ADVERTISE_URL=wss://name:%d, the certificate's "
                            "name",
                            (int)s->ws_port);
    if (hub->h.on_stream && !hub->gate.loopback && !hub->gate.token.len)
        return va_fault_set(fault, VA_ECONFIG,
                            "WS_HOST=%s is reachable from elsewhere and WS_TOKEN is empty: anybody "
                            "could begin calls; set WS_TOKEN (and send it in the dialplan's URL as "
                            "?token=) or WS_HOST=127.0.0.1",
                            s->ws_host);
    return VA_OK;
}

enum va_err ws_hub_open(struct loop *control, const struct settings *settings,
                        const struct ws_hub_handlers *h, void *arg, struct ws_hub **ret_hub,
                        struct va_fault *fault)
{
    struct net_addr at;
    if (net_addr_parse(settings->ws_host, (uint16_t)settings->ws_port, &at))
        return va_fault_set(fault, VA_ECONFIG, "WS_HOST=%s is not an IP address",
                            settings->ws_host);
    struct ws_hub *hub = calloc(1, sizeof(*hub));
    if (!hub || thread_lock_init(&hub->lock)) {
        free(hub);
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    }
    hub->control = control;
    hub->settings = settings;
    hub->h = *h;
    hub->arg = arg;
    list_init(&hub->half_open);
    list_init(&hub->held);
    enum va_err err = make_gate(hub, &at, fault);
    if (!err && *settings->ws_tls_cert)
        err = ws_tls_new(settings->ws_tls_cert, settings->ws_tls_key,
                         thread_priority_of(settings->worker_priority), &hub->tls, fault);
    if (!err)
        err = tcp_listen(control, &at, on_accept, hub, &hub->listener, fault);
    if (err) {
        ws_hub_close(&hub);
        return err;
    }
    tcp_listener_addr(hub->listener, &hub->at);
    *ret_hub = hub;
    return VA_OK;
}

void ws_hub_addr(const struct ws_hub *hub, struct net_addr *ret_addr)
{
    *ret_addr = hub->at;
}

void ws_hub_stop(struct ws_hub *hub)
{
    tcp_listener_close(&hub->listener);
    list_each(&hub->half_open, it, next)
    {
        struct half_open *half = container_of(it, struct half_open, link);
        link_remove(&half->link);
        head_cancel(&half->head);
        count_half_open(hub, -1);
        free(half);
    }
    tmr_stop(&hub->sweep);
    drop_held(hub, UINT64_MAX);
}

void ws_hub_close(struct ws_hub **phub)
{
    struct ws_hub *hub = phub ? *phub : NULL;
    if (!hub)
        return;
    *phub = NULL;
    ws_hub_stop(hub);
    ws_tls_free(&hub->tls);
    uv_mutex_destroy(&hub->lock);
    free(hub);
}

void ws_hub_stats(struct ws_hub *hub, struct ws_hub_stats *ret_stats)
{
    uv_mutex_lock(&hub->lock);
    *ret_stats = hub->stats;
    uv_mutex_unlock(&hub->lock);
}
