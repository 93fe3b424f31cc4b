/* What a dialect needs before the socket: its URL, asked for over HTTP where it is not known. */
#include "ai/realtime/rt.h"
#include "net/http.h"

#include <stdio.h>

enum { FETCH_BODY_MAX = 262144, FETCH_SAID_MAX = 200 };

static void on_body(void *arg, struct str bytes)
{
    struct provider *p = arg;
    (void)buf_adds(&p->fetch.body, bytes);
}

static bool may_go_well_again(enum va_err err)
{
    return err == VA_EAGAIN || err == VA_ELIMIT || err == VA_EIO || err == VA_ETIMEOUT;
}

static void on_end(void *arg, const struct http_end *end)
{
    struct provider *p = arg;
    p->fetch.request = NULL;
    if (rt_gone(p))
        return;
    size_t said = end->body.len < FETCH_SAID_MAX ? end->body.len : FETCH_SAID_MAX;
    if (end->err)
        rt_fault(p, end->err, may_go_well_again(end->err), "%s: %s%s%.*s", p->dialect->name,
                 end->text, said ? ": " : "", (int)said, said ? end->body.p : "");
    else if (buf_failed(&p->fetch.body))
        rt_fault(p, VA_ELIMIT, false, "%s: an endless answer", p->dialect->name);
    else
        p->fetch.done(p, buf_str(&p->fetch.body));
}

static const struct http_handlers handlers = {.on_body = on_body, .on_end = on_end};

enum va_err rt_fetch(struct provider *p, const struct http_spec *spec,
                     void (*done)(struct provider *p, struct str body))
{
    const struct http_client_cfg cfg = {.ca_file = p->settings->tls_ca_file};
    struct http_client *client = NULL;
    enum va_err err = http_client_of(p->loop, &cfg, &client, NULL);
    if (err)
        return err;
    rt_fetch_stop(p);
    buf_init(&p->fetch.body, FETCH_BODY_MAX);
    p->fetch.done = done;
    return http_start(client, spec, &handlers, p, &p->fetch.request);
}

void rt_fetch_stop(struct provider *p)
{
    http_cancel(&p->fetch.request);
    buf_free(&p->fetch.body);
}

/* ---- URLs ---------------------------------------------------------------------------------------
 */

static bool has_host(struct str url)
{
    static const char *const schemes[] = {"https://", "wss://", "http://", "ws://"};
    for (size_t i = 0; i < 4; i++) {
        size_t n = strlen(schemes[i]);
        if (str_starts(url, schemes[i]))
            return url.len > n && url.p[n] != '/';
    }
    return false;
}

enum va_err rt_url(char *out, size_t cap, const char *setting, const char *base, const char *path,
                   struct va_fault *fault)
{
    struct str url = str_trim(str_of(base));
    while (url.len && url.p[url.len - 1] == '/')
        url.len--;
    if (!has_host(url) || memchr(url.p, '?', url.len) || memchr(url.p, '#', url.len))
        return va_fault_set(fault, VA_ECONFIG,
                            "%s: must be a URL like https://host or ws://127.0.0.1:8080, without a "
                            "query",
                            setting);
    int n = snprintf(out, cap, "%.*s%s", STR_ARG(url), path);
    if (n < 0 || (size_t)n >= cap)
        return va_fault_set(fault, VA_ECONFIG, "%s: too long", setting);
    return VA_OK;
}

enum va_err rt_url_query(char *url, size_t cap, const char *key, const char *value)
{
    struct buf b;
    buf_init(&b, cap - 1);
    (void)buf_addf(&b, "%s%c%s=", url, strchr(url, '?') ? '&' : '?', key);
    for (const char *c = value; *c; c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
                     (*c >= 'A' && *c <= 'Z') || strchr("-._~", *c);
        (void)(plain ? buf_addc(&b, *c) : buf_addf(&b, "%%%02X", (unsigned char)*c));
    }
    enum va_err err = b.err;
    if (!err)
        (void)str_copy(url, cap, buf_str(&b));
    buf_free(&b);
    return err;
}

/* As HTTP asks for it: ws://… is http://…, wss://… is https://… */
void rt_url_http(char *url)
{
    if (strncmp(url, "ws", 2) != 0)
        return;
    size_t n = strlen(url);
    memmove(url + 4, url + 2, n - 1 > RT_URL_MAX - 5 ? RT_URL_MAX - 5 : n - 1);
    memcpy(url, "http", 4);
    url[RT_URL_MAX - 1] = 0;
}
