/* curl's sockets and its timer on our loop (curl_multi_socket_action). */
#include "net/http_int.h"

#include <stdlib.h>

/* One socket of curl's. */
struct http_sock {
    uv_poll_t poll;
    struct http_client *client;
    curl_socket_t fd;
};

static void take_messages(struct http_client *c)
{
    int left = 0;
    for (CURLMsg *m = curl_multi_info_read(c->multi, &left); m;
         m = curl_multi_info_read(c->multi, &left)) {
        struct http_request *r = NULL;
        if (m->msg != CURLMSG_DONE || curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r))
            continue;
        long connects = 0;
        (void)curl_easy_getinfo(m->easy_handle, CURLINFO_NUM_CONNECTS, &connects);
        c->counters.connections += (uint64_t)connects;
        http_ended(r, m->data.result);
    }
}

static void act(struct http_client *c, curl_socket_t fd, int events)
{
    int running = 0;
    (void)curl_multi_socket_action(c->multi, fd, events, &running);
    take_messages(c);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct http_sock *s = poll->data;
    int what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
               (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0) | (status < 0 ? CURL_CSELECT_ERR : 0);
    act(s->client, s->fd, what);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static struct http_sock *watch(struct http_client *c, curl_socket_t fd)
{
    struct http_sock *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->client = c;
    s->fd = fd;
    s->poll.data = s;
    if (uv_poll_init_socket(loop_uv(c->loop), &s->poll, fd)) {
        free(s);
        return NULL;
    }
    (void)curl_multi_assign(c->multi, fd, s);
    return s;
}

/* A socket that cannot be watched ends its request. curl is not told: it would end all of them. */
static int cannot_watch(CURL *easy)
{
    struct http_request *r = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &r) == CURLE_OK && r)
        http_fail(r, VA_ENOMEM, "out of memory");
    return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock)
{
    struct http_client *c = arg;
    struct http_sock *s = sock;
    if (what == CURL_POLL_REMOVE) {
        if (s) {
            (void)uv_poll_stop(&s->poll);
            uv_close((uv_handle_t *)&s->poll, on_poll_closed);
            (void)curl_multi_assign(c->multi, fd, NULL);
        }
        return 0;
    }
    if (!s)
        s = watch(c, fd);
    if (!s)
        return cannot_watch(easy);
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&s->poll, events, on_poll) ? cannot_watch(easy) : 0;
}

static void on_curl_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    struct http_client *c = arg;
    (void)multi;
    if (ms < 0)
        tmr_stop(&c->curl_timer);
    else
        tmr_start(&c->curl_timer, c->loop, (uint64_t)ms, on_curl_timer, c);
    return 0;
}

enum va_err http_poll_start(struct http_client *c)
{
    return curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket) ||
                   curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c) ||
                   curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer) ||
                   curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c) ||
                   curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_IDLE_MAX)
               ? VA_ENOMEM
               : VA_OK;
}
