/* The client: requests wait, run, tell. curl's callbacks only note what came; handlers run when
 * curl is left, so that they may start and cancel what they like. */
#include "net/http_int.h"

#include <stdio.h>
#include <stdlib.h>

static void begin_queued(void *arg);
static void tell_ready(void *arg);

/* ---- the client --------------------------------------------------------------------------------
 */

static void global_init(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static enum va_err check_ca_file(const char *path, struct va_fault *fault)
{
    FILE *f = path && *path ? fopen(path, "re") : NULL;
    if (path && *path && !f)
        return va_fault_set(fault, VA_EINVAL,
                            "%s: the file of trusted authorities (TLS_CA_FILE) cannot be read",
                            path);
    if (f)
        (void)fclose(f);
    return VA_OK;
}

static void destroy(struct http_client *c)
{
    while (!list_empty(&c->requests)) {
        struct http_request *r = container_of(c->requests.head.next, struct http_request, all);
        http_cancel(&r);
    }
    tmr_stop(&c->begin);
    tmr_stop(&c->tell);
    if (c->multi)
        curl_multi_cleanup(c->multi); /* closes the idle connections: its socket callback runs */
    if (c->share)
        curl_share_cleanup(c->share);
    tmr_stop(&c->curl_timer);
    free(c->ca_file);
    free(c);
}

enum va_err http_client_new(struct loop *loop, const struct http_client_cfg *cfg,
                            struct http_client **ret_client, struct va_fault *fault)
{
    static uv_once_t once = UV_ONCE_INIT;
    uv_once(&once, global_init);
    enum va_err err = check_ca_file(cfg ? cfg->ca_file : NULL, fault);
    if (err)
        return err;
    struct http_client *c = calloc(1, sizeof(*c));
    if (!c)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    c->loop = loop;
    list_init(&c->requests);
    list_init(&c->queued);
    list_init(&c->ready);
    c->cfg.insecure = cfg && cfg->insecure;
    c->ca_file = cfg && cfg->ca_file && *cfg->ca_file ? str_dup(str_of(cfg->ca_file)) : NULL;
    c->multi = curl_multi_init();
    c->share = curl_share_init();
    if (!c->multi || !c->share || http_poll_start(c) ||
        curl_share_setopt(c->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION)) {
        destroy(c);
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    }
    *ret_client = c;
    return VA_OK;
}

void http_client_free(struct http_client **pc)
{
    struct http_client *c = pc ? *pc : NULL;
    if (!c)
        return;
    *pc = NULL;
    link_remove(&c->kept.link);
    destroy(c);
}

static void close_kept(struct loop_kept *k)
{
    destroy(container_of(k, struct http_client, kept));
}

enum va_err http_client_of(struct loop *loop, const struct http_client_cfg *cfg,
                           struct http_client **ret_client, struct va_fault *fault)
{
    static const char key;
    struct loop_kept *k = loop_find_kept(loop, &key);
    if (k) {
        *ret_client = container_of(k, struct http_client, kept);
        return VA_OK;
    }
    enum va_err err = http_client_new(loop, cfg, ret_client, fault);
    if (err)
        return err;
    (*ret_client)->kept.key = &key;
    (*ret_client)->kept.close = close_kept;
    loop_keep(loop, &(*ret_client)->kept);
    return VA_OK;
}

void http_client_counters(const struct http_client *c, struct http_counters *ret)
{
    *ret = c->counters;
}

/* ---- a request's way ---------------------------------------------------------------------------
 */

void http_request_state(struct http_request *r, enum http_state to)
{
    if (r->state == HTTP_ENDED)
        return;
    r->state = to;
    if (to == HTTP_LOOKING_UP)
        tmr_start(&r->deadline, r->client->loop, r->connect_ms, http_timed_out, r);
    else if (to == HTTP_SENT)
        tmr_start(&r->deadline, r->client->loop, r->first_byte_ms, http_timed_out, r);
    else if (to == HTTP_ENDED)
        tmr_stop(&r->deadline);
}

void http_ready(struct http_request *r)
{
    if (!link_linked(&r->link))
        list_push(&r->client->ready, &r->link);
    tmr_start(&r->client->tell, r->client->loop, 0, tell_ready, r->client);
}

void http_fail(struct http_request *r, enum va_err why, const char *fmt, ...)
{
    if (r->state == HTTP_ENDED)
        return;
    if (r->state == HTTP_QUEUED)
        link_remove(&r->link);
    r->err = why;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(r->fault.text, sizeof(r->fault.text), fmt, ap);
    va_end(ap);
    http_request_state(r, HTTP_ENDED);
    http_ready(r);
}

static struct http_host *find_host(struct http_client *c, const char *name, uint16_t port)
{
    for (size_t i = 0; i < HTTP_HOSTS_MAX; i++)
        if (c->host[i].port == port && strcmp(c->host[i].name, name) == 0)
            return &c->host[i];
    return NULL;
}

static void remember_host(struct http_client *c, const char *name, uint16_t port)
{
    struct http_host *slot = find_host(c, name, port);
    for (size_t i = 0; i < HTTP_HOSTS_MAX && !slot; i++)
        if (!*c->host[i].name)
            slot = &c->host[i];
    for (size_t i = 0; i < HTTP_HOSTS_MAX; i++)
        if (!slot || (*c->host[i].name && *slot->name &&
                      c->host[i].looked_up_us < slot->looked_up_us && !find_host(c, name, port)))
            slot = &c->host[i];
    (void)str_copy(slot->name, sizeof(slot->name), str_of(name));
    slot->port = port;
    slot->looked_up_us = loop_now_us(c->loop);
}

/* curl keeps the addresses it was given; ours is the memory of when that was. */
static bool known(struct http_client *c, const char *name, uint16_t port)
{
    const struct http_host *h = find_host(c, name, port);
    return h && loop_now_us(c->loop) - h->looked_up_us < (uint64_t)HTTP_HOST_FRESH_MS * 1000;
}

static void hand_to_curl(struct http_request *r)
{
    http_request_state(r, HTTP_CONNECTING);
    if (curl_multi_add_handle(r->client->multi, r->easy)) {
        http_fail(r, VA_ENOMEM, "out of memory");
        return;
    }
    r->added = true;
}

static void on_resolved(void *arg, enum va_err err, const struct net_addr *addrs, size_t count)
{
    struct http_request *r = arg;
    r->resolve = NULL;
    if (err) {
        http_fail(r, err, "the name server knows no host %s; check the name in the URL", r->host);
        return;
    }
    if (http_use_addresses(r, addrs, count)) {
        http_fail(r, VA_ENOMEM, "out of memory");
        return;
    }
    remember_host(r->client, r->host, r->port);
    hand_to_curl(r);
}

void http_begin(struct http_request *r)
{
    struct net_addr numeric;
    http_request_state(r, HTTP_LOOKING_UP);
    if (net_addr_parse(r->host, r->port, &numeric) == VA_OK || known(r->client, r->host, r->port)) {
        hand_to_curl(r);
        return;
    }
    enum va_err err = resolve_start(r->client->loop, r->host, r->port, on_resolved, r, &r->resolve);
    if (err)
        http_fail(r, err, "%s is no host name; check the URL", r->host);
}

static void begin_queued(void *arg)
{
    struct http_client *c = arg;
    for (struct link *l = list_pop(&c->queued); l; l = list_pop(&c->queued))
        http_begin(container_of(l, struct http_request, link));
}

enum va_err http_start(struct http_client *c, const struct http_spec *spec,
                       const struct http_handlers *handlers, void *arg,
                       struct http_request **ret_request)
{
    if (c->count >= HTTP_REQUESTS_MAX || spec->body.len > HTTP_BODY_MAX)
        return VA_ELIMIT;
    struct http_request *r = calloc(1, sizeof(*r));
    if (!r)
        return VA_ENOMEM;
    r->client = c;
    r->h = handlers;
    r->arg = arg;
    list_push(&c->requests, &r->all);
    c->count++;
    enum va_err err = http_prepare(r, spec);
    if (err) {
        http_release(r);
        return err;
    }
    c->counters.started++;
    list_push(&c->queued, &r->link);
    tmr_start(&c->begin, c->loop, 0, begin_queued, c);
    if (spec->total_ms)
        tmr_start(&r->total, c->loop, spec->total_ms, http_took_too_long, r);
    *ret_request = r;
    return VA_OK;
}

void http_cancel(struct http_request **pr)
{
    struct http_request *r = pr ? *pr : NULL;
    if (!r)
        return;
    *pr = NULL;
    r->client->counters.cancelled++;
    http_release(r);
}

/* ---- telling -----------------------------------------------------------------------------------
 */

static void tell_head(struct http_request *r)
{
    r->head_told = true;
    if (r->h->on_head)
        r->h->on_head(r->arg, &r->head);
}

static void tell_body(struct http_request *r)
{
    struct buf bytes = r->in; /* the handler may end the request: its bytes are ours */
    buf_init(&r->in, bytes.max);
    if (r->h->on_body)
        r->h->on_body(r->arg, buf_str(&bytes));
    buf_free(&bytes);
}

static void tell_end(struct http_request *r)
{
    struct http_client *c = r->client;
    http_blot(r);
    struct http_end end = {.err = r->err,
                           .status = r->head.status,
                           .retry_after_ms = r->head.retry_after_ms,
                           .body = buf_str(&r->error_body),
                           .text = r->fault.text};
    c->counters.ended++;
    c->counters.failed += r->err != VA_OK;
    const struct http_handlers *h = r->h;
    void *arg = r->arg;
    struct buf body = r->error_body;
    struct va_fault fault = r->fault;
    end.text = fault.text;
    buf_init(&r->error_body, 0);
    http_release(r); /* first: the handler may start the next one in its place */
    h->on_end(arg, &end);
    buf_free(&body);
}

/* telling is NULL once a handler has cancelled the request. */
static void tell(struct http_client *c, struct http_request *r)
{
    c->telling = r;
    bool good = r->head.status / 100 == 2;
    if (good && r->state >= HTTP_ANSWERING && !r->head_told)
        tell_head(r);
    if (c->telling == r && r->in.len)
        tell_body(r);
    if (c->telling == r && r->state == HTTP_ENDED)
        tell_end(r);
    c->telling = NULL;
}

static void tell_ready(void *arg)
{
    struct http_client *c = arg;
    for (struct link *l = list_pop(&c->ready); l; l = list_pop(&c->ready))
        tell(c, container_of(l, struct http_request, link));
}
