/** tests/contract/http_fake.h: the HTTP side of a remote that gives out URLs: one canned answer,
 * and what it was asked. */
#ifndef VA_HTTP_FAKE_H
#define VA_HTTP_FAKE_H

#define rig_handlers http_rig_handlers /* provider_rig.h has some of its own */
#include "unit/unit.h"

#include "unit/http_rig.h"
#undef rig_handlers

struct hf {
    struct rig_server server;
    int status;
    char body[1024];
    unsigned asked;
    char line[512]; /* of the newest request */
    char key[128];  /* its header of that name */
    const char *key_header;
    struct buf got; /* its body */
};

static inline void hf_request(void *arg, struct rig_conn *c, const struct rig_request *r)
{
    struct hf *h = arg;
    h->asked++;
    (void)str_copy(h->line, sizeof(h->line), r->line);
    (void)str_copy(h->key, sizeof(h->key), rig_header(r, h->key_header));
    buf_reset(&h->got);
    (void)buf_adds(&h->got, r->body);
    rig_answer(c, h->status, "application/json", h->body, strlen(h->body));
}

static inline void hf_start(struct hf *h, struct loop *loop, const char *key_header)
{
    *h = (struct hf){.status = 200, .key_header = key_header};
    buf_init(&h->got, 1 << 20);
    rig_start(&h->server, loop, hf_request, h);
}

static inline void hf_stop(struct hf *h)
{
    rig_stop(&h->server);
    buf_free(&h->got);
}

#endif
