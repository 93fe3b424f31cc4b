#include "net/loop_int.h"
#include "net/resolve.h"

#include <stdlib.h>
#include <string.h>

struct resolve {
    struct loop *loop;
    uv_getaddrinfo_t req;
    struct tmr numeric; /* answers on the next turn */
    struct net_addr addrs[RESOLVE_MAX];
    size_t count;
    uint16_t port;
    resolve_h *on_done; /* NULL: canceled */
    void *arg;
};

static void finish(struct resolve *r, enum va_err err)
{
    if (r->on_done)
        r->on_done(r->arg, err, r->addrs, r->count);
    free(r);
}

static void on_numeric(void *arg)
{
    finish(arg, VA_OK);
}

static void keep(struct resolve *r, const struct addrinfo *ai)
{
    if (r->count == RESOLVE_MAX || ai->ai_addrlen > sizeof(r->addrs[0].u))
        return;
    if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
        return;
    struct net_addr *a = &r->addrs[r->count++];
    memset(a, 0, sizeof(*a));
    memcpy(&a->u, ai->ai_addr, ai->ai_addrlen);
    net_addr_set_port(a, r->port);
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct resolve *r = req->data;
    r->loop->open_handles--;
    for (struct addrinfo *ai = list; ai; ai = ai->ai_next)
        keep(r, ai);
    uv_freeaddrinfo(list);
    if (r->count)
        finish(r, VA_OK);
    else
        finish(r, status == UV_EAI_AGAIN ? VA_EAGAIN : VA_ENOTFOUND);
}

enum va_err resolve_start(struct loop *loop, const char *host, uint16_t port, resolve_h *on_done,
                          void *arg, struct resolve **ret_resolve)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct resolve *r = calloc(1, sizeof(*r));
    if (!r)
        return VA_ENOMEM;
    r->loop = loop;
    r->req.data = r;
    r->port = port;
    r->on_done = on_done;
    r->arg = arg;
    if (net_addr_parse(host, port, &r->addrs[0]) == VA_OK) {
        r->count = 1;
        tmr_start(&r->numeric, loop, 0, on_numeric, r);
    } else if (uv_getaddrinfo(loop_uv(loop), &r->req, on_resolved, host, NULL, &hints)) {
        free(r);
        return VA_EINVAL;
    } else {
        loop->open_handles++; /* loop_free() waits for it, also when it is canceled */
    }
    *ret_resolve = r;
    return VA_OK;
}

void resolve_cancel(struct resolve **pr)
{
    struct resolve *r = pr ? *pr : NULL;
    if (!r)
        return;
    *pr = NULL;
    r->on_done = NULL;
    if (tmr_running(&r->numeric)) {
        tmr_stop(&r->numeric);
        free(r);
    } else {
        (void)uv_cancel((uv_req_t *)&r->req); /* on_resolved still comes and frees it */
    }
}
