/* One request as curl wants it, and what curl brings back. */
#include "net/http_int.h"

#include <stdlib.h>

enum {
    CONNECT_MS = 10000,
    FIRST_BYTE_MS = 30000,
    IDLE_MS = 30000,
    HEADER_LINE_MAX = 4096 + 256, /* of a request's header */
};

/* ---- what comes --------------------------------------------------------------------------------
 */

static int on_connected(void *arg, char *remote, char *local, int remote_port, int local_port)
{
    struct http_request *r = arg;
    (void)remote, (void)local, (void)remote_port, (void)local_port;
    http_request_state(r, HTTP_SENT);
    return CURL_PREREQFUNC_OK;
}

static void head_line(struct http_request *r, struct str line)
{
    struct str value = line, name = str_cut(&value, ':');
    value = str_trim(value);
    uint64_t s = 0;
    if (str_ieqz(name, "content-type")) {
        (void)str_copy(r->content_type, sizeof(r->content_type), value);
        r->head.content_type = str_of(r->content_type);
    } else if (str_ieqz(name, "retry-after") && str_to_u64(value, &s) == VA_OK) {
        uint64_t max = HTTP_RETRY_AFTER_MAX_MS;
        r->head.retry_after_ms = (int64_t)(s > max / 1000 ? max : s * 1000);
    }
}

static void status_line(struct http_request *r, struct str line)
{
    (void)str_cut(&line, ' ');
    uint64_t status = 0;
    if (str_to_u64(str_cut(&line, ' '), &status) || status > 999)
        status = 0;
    r->head = (struct http_head){.status = (int)status, .retry_after_ms = -1};
    *r->content_type = '\0';
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct http_request *r = arg;
    struct str line = str_trim(str_make(p, size * n));
    if (r->state != HTTP_SENT)
        return size * n; /* a trailer, or it is over */
    if (str_starts(line, "HTTP/"))
        status_line(r, line);
    else if (line.len)
        head_line(r, line);
    else if (r->head.status >= 200) {
        http_request_state(r, HTTP_ANSWERING);
        tmr_start(&r->deadline, r->client->loop, r->idle_ms, http_timed_out, r);
        http_ready(r);
    }
    return size * n;
}

static size_t on_bytes(char *p, size_t size, size_t n, void *arg)
{
    struct http_request *r = arg;
    size_t len = size * n;
    if (r->state != HTTP_ANSWERING)
        return 0;
    tmr_start(&r->deadline, r->client->loop, r->idle_ms, http_timed_out, r);
    r->received += len;
    if (r->received > r->response_max) {
        http_fail(r, VA_ELIMIT, "%s sent more than %zu bytes in one answer", r->host,
                  r->response_max);
        return 0;
    }
    if (r->head.status / 100 == 2) {
        if (buf_add(&r->in, p, len)) {
            http_fail(r, VA_ENOMEM, "out of memory");
            return 0;
        }
        http_ready(r);
        return len;
    }
    size_t room = r->error_body.max - r->error_body.len;
    (void)buf_add(&r->error_body, p, len < room ? len : room);
    return len;
}

/* ---- what goes ---------------------------------------------------------------------------------
 */

static bool plain(const char *z)
{
    for (; *z; z++)
        if ((unsigned char)*z < 0x20 || *z == 0x7f)
            return false;
    return true;
}

static enum va_err add_header(struct http_request *r, const char *name, const char *value)
{
    struct buf line;
    buf_init(&line, HEADER_LINE_MAX);
    (void)buf_addf(&line, "%s: %s", name, value);
    struct curl_slist *more =
        buf_failed(&line) ? NULL : curl_slist_append(r->headers, buf_z(&line));
    enum va_err err = line.err;
    if (line.p)
        explicit_bzero(line.p, line.len);
    buf_free(&line);
    if (!more)
        return err ? err : VA_ENOMEM;
    r->headers = more;
    return VA_OK;
}

static enum va_err add_headers(struct http_request *r, const struct http_spec *spec)
{
    if (spec->header_count > HTTP_HEADERS_MAX)
        return VA_ELIMIT;
    enum va_err err =
        add_header(r, "Expect", ""); /* curl's own "100-continue" costs a round trip */
    if (!err && spec->body.len == 0 && !spec->part_count)
        err = add_header(r, "Content-Type", "");
    for (size_t i = 0; i < spec->header_count && !err; i++) {
        const struct http_header *h = &spec->headers[i];
        if (!plain(h->name) || !plain(h->value) || strchr(h->name, ':') || !*h->name)
            return VA_EINVAL;
        err = add_header(r, h->name, h->value);
        if (!err && h->secret)
            err = buf_add(&r->secret, h->value, strlen(h->value) + 1);
    }
    return err;
}

static enum va_err add_parts(struct http_request *r, const struct http_spec *spec)
{
    if (spec->part_count > HTTP_PARTS_MAX)
        return VA_ELIMIT;
    r->mime = curl_mime_init(r->easy);
    size_t total = 0;
    for (size_t i = 0; r->mime && i < spec->part_count; i++) {
        const struct http_part *from = &spec->parts[i];
        curl_mimepart *part = curl_mime_addpart(r->mime);
        total += from->data.len;
        if (total > HTTP_BODY_MAX)
            return VA_ELIMIT;
        if (!part || curl_mime_name(part, from->name) ||
            curl_mime_data(part, from->data.p ? from->data.p : "", from->data.len) ||
            (from->filename && curl_mime_filename(part, from->filename)) ||
            (from->type && curl_mime_type(part, from->type)))
            return VA_ENOMEM;
    }
    return r->mime && !curl_easy_setopt(r->easy, CURLOPT_MIMEPOST, r->mime) ? VA_OK : VA_ENOMEM;
}

/* Host and port; a URL that carries a password is refused: it would be shown. */
static enum va_err read_url(struct http_request *r, const char *url)
{
    CURLU *u = curl_url();
    char *host = NULL, *port = NULL, *scheme = NULL, *user = NULL;
    uint64_t n = 0;
    enum va_err err = u ? VA_OK : VA_ENOMEM;
    if (u && (strlen(url) > HTTP_URL_MAX || !plain(url) || curl_url_set(u, CURLUPART_URL, url, 0) ||
              curl_url_get(u, CURLUPART_HOST, &host, 0) ||
              curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ||
              curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) || str_to_u64(str_of(port), &n) ||
              curl_url_get(u, CURLUPART_USER, &user, 0) != CURLUE_NO_USER ||
              (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)))
        err = VA_EINVAL;
    if (!err) {
        struct str bare = str_of(host);
        if (bare.len > 2 && *bare.p == '[')
            bare = str_make(bare.p + 1, bare.len - 2);
        if (!str_copy(r->host, sizeof(r->host), bare) || n == 0 || n > 65535)
            err = VA_EINVAL;
        r->port = (uint16_t)n;
    }
    curl_free(host);
    curl_free(port);
    curl_free(scheme);
    curl_free(user);
    curl_url_cleanup(u);
    return err;
}

static bool set_transport(struct http_request *r)
{
    const struct http_client *c = r->client;
    CURL *e = r->easy;
    long verify = !c->cfg.insecure;
    return !curl_easy_setopt(e, CURLOPT_SHARE, c->share) &&
           !curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) &&
           !curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") &&
           !curl_easy_setopt(e, CURLOPT_PROXY, "") &&
           !curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           !curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           !curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, verify) &&
           !curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, verify * 2) &&
           (!c->ca_file || !curl_easy_setopt(e, CURLOPT_CAINFO, c->ca_file)) &&
           !curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L) &&
           /* the deadlines are ours; curl's own is only moved out of their way */
           !curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)r->connect_ms + 60000) &&
           !curl_easy_setopt(e, CURLOPT_USERAGENT, "voice-ai/" VA_VERSION);
}

static bool set_callbacks(struct http_request *r)
{
    CURL *e = r->easy;
    return !curl_easy_setopt(e, CURLOPT_PRIVATE, r) &&
           !curl_easy_setopt(e, CURLOPT_ERRORBUFFER, r->curl_text) &&
           !curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_connected) &&
           !curl_easy_setopt(e, CURLOPT_PREREQDATA, r) &&
           !curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) &&
           !curl_easy_setopt(e, CURLOPT_HEADERDATA, r) &&
           !curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes) &&
           !curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
}

static enum va_err set_body(struct http_request *r, const struct http_spec *spec)
{
    if (spec->part_count)
        return add_parts(r, spec);
    if (spec->body.len == 0)
        return VA_OK;
    /* The size first, or curl copies up to a NUL. */
    return curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE, (long)spec->body.len) ||
                   curl_easy_setopt(r->easy, CURLOPT_COPYPOSTFIELDS, spec->body.p)
               ? VA_ENOMEM
               : VA_OK;
}

enum va_err http_prepare(struct http_request *r, const struct http_spec *spec)
{
    r->connect_ms = spec->connect_ms ? spec->connect_ms : CONNECT_MS;
    r->first_byte_ms = spec->first_byte_ms ? spec->first_byte_ms : FIRST_BYTE_MS;
    r->idle_ms = spec->idle_ms ? spec->idle_ms : IDLE_MS;
    r->response_max = spec->response_max ? spec->response_max : HTTP_RESPONSE_MAX;
    r->head.retry_after_ms = -1;
    buf_init(&r->in, r->response_max);
    buf_init(&r->error_body, HTTP_ERROR_BODY_MAX);
    buf_init(&r->secret, 16384);
    enum va_err err = read_url(r, spec->url);
    if (err)
        return err;
    if (!*spec->method || !plain(spec->method) || strchr(spec->method, ' '))
        return VA_EINVAL;
    r->easy = curl_easy_init();
    if (!r->easy || !set_transport(r) || !set_callbacks(r))
        return VA_ENOMEM;
    err = add_headers(r, spec);
    if (!err)
        err = set_body(r, spec);
    if (!err && (curl_easy_setopt(r->easy, CURLOPT_URL, spec->url) ||
                 curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers) ||
                 curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, spec->method)))
        err = VA_ENOMEM;
    return err;
}

enum va_err http_use_addresses(struct http_request *r, const struct net_addr *addrs, size_t count)
{
    struct buf line;
    buf_init(&line, 2048);
    (void)buf_addf(&line, "%s:%u:", r->host, r->port);
    for (size_t i = 0; i < count; i++) {
        char ip[NET_ADDR_TEXT];
        net_addr_ip(&addrs[i], ip);
        bool v6 = strchr(ip, ':') != NULL;
        (void)buf_addf(&line, "%s%s%s%s", i ? "," : "", v6 ? "[" : "", ip, v6 ? "]" : "");
    }
    r->addresses = buf_failed(&line) ? NULL : curl_slist_append(NULL, buf_z(&line));
    buf_free(&line);
    return r->addresses && !curl_easy_setopt(r->easy, CURLOPT_RESOLVE, r->addresses) ? VA_OK
                                                                                     : VA_ENOMEM;
}

void http_release(struct http_request *r)
{
    struct http_client *c = r->client;
    if (c->telling == r)
        c->telling = NULL;
    tmr_stop(&r->deadline);
    tmr_stop(&r->total);
    resolve_cancel(&r->resolve);
    link_remove(&r->link);
    link_remove(&r->all);
    c->count--;
    if (r->added)
        (void)curl_multi_remove_handle(c->multi, r->easy);
    curl_easy_cleanup(r->easy);
    curl_mime_free(r->mime);
    for (struct curl_slist *h = r->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(r->headers);
    curl_slist_free_all(r->addresses);
    if (r->secret.p)
        explicit_bzero(r->secret.p, r->secret.len);
    buf_free(&r->secret);
    buf_free(&r->in);
    buf_free(&r->error_body);
    free(r);
}
