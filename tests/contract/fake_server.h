/**
 * tests/contract/fake_server.h: the remote side of a provider, as far as all protocols share it: a
 * listener, the newest connection, a script that says how to behave and a record of what was seen.
 * A protocol adds what it says and what it refuses (openai_fake.h).
 */
#ifndef VA_FAKE_SERVER_H
#define VA_FAKE_SERVER_H

#include "base/base64.h"
#include "base/buf.h"
#include "base/json_write.h"
#include "net/loop.h"
#include "net/tcp.h"
#include "net/ws.h"

#include "unit/unit.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* How it behaves; the test changes it at any time. */
struct fake_script {
    const char *answer_text; /* of every answer */
    unsigned answer_ms;      /* length of its audio */
    unsigned pace_ms;        /* pause between pieces of 100 ms; 0: the loop's next turn */
    const char *tool;        /* the next answer is a call of this function instead; then NULL */
    const char *tool_args;   /* JSON */
    const char *words;       /* what the caller said, "" none */
    const char *garbage;     /* sent in front of the next answer's audio; then NULL */
    bool mute;               /* never accepts the session */
    bool stall;              /* an answer begins and nothing follows */
    unsigned drop_after_ms;  /* reset the connection behind so much of an answer; then 0 */
    uint16_t close_code;     /* close like this instead of reset */
    unsigned session_ms;     /* it says that a session lasts so long; 0: an hour */
    bool late_audio;         /* one more piece behind a cancelled answer's end */
    bool refuse;             /* 401 */
};

struct fake_seen {
    unsigned connections, sessions; /* opened, accepted */
    unsigned answers, cancels;      /* begun, cancelled by the client */
    unsigned results;               /* of tools */
    int64_t truncated_ms;           /* -1: never */
    uint64_t audio_ms;              /* of the caller */
    unsigned audio_messages;        /* it came in (openai_fake.h counts) */
    struct buf refusals;            /* what it had to refuse, for the test to find empty */
    struct buf texts;               /* what it was told in words, each ends with '\n' */
};

struct fake {
    struct loop *loop;
    struct tcp_listener *listener;
    struct ws_conn *conn; /* the newest */
    bool open;
    char url[64];
    struct fake_script script;
    struct fake_seen seen;
    const struct fake_proto *proto;
    void *state;   /* of the protocol */
    int silent[8]; /* sockets of clients that get no answer */
    unsigned silents;
};

/* A protocol. Every function on the loop's thread. */
struct fake_proto {
    void (*opened)(struct fake *f); /* a client is there: a new session */
    void (*message)(struct fake *f, enum ws_kind kind, struct str m);
    void (*closed)(struct fake *f);
    /* NULL: any request is let in; else 101, or a status */
    int (*request)(struct fake *f, const struct ws_request *r);
    bool mute_early; /* script.mute: not even the request is answered */
    size_t state_size;
};

static inline void fake_refuse(struct fake *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)buf_addfv(&f->seen.refusals, fmt, ap);
    (void)buf_addc(&f->seen.refusals, '\n');
    va_end(ap);
}

static inline void fake_send(struct fake *f, enum ws_kind kind, struct str m)
{
    if (f->conn && f->open)
        (void)!ws_send(f->conn, kind, m.p, m.len);
}

/* {"type":"…", then the members that the caller writes; end with fake_json_end(). */
static inline void fake_json(struct json_writer *w, struct buf *b, const char *type)
{
    buf_init(b, 4 << 20);
    jw_begin(w, b);
    jw_object(w, NULL);
    if (type)
        jw_text(w, "type", type);
}

static inline void fake_json_end(struct fake *f, struct json_writer *w, enum ws_kind kind)
{
    jw_end(w);
    assert_int_equal(jw_finish(w), VA_OK);
    fake_send(f, kind, buf_str(w->out));
    buf_free(w->out);
}

static inline struct str fake_str(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;
    if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &v) ||
        !json_object_is_type(v, json_type_string))
        return str_make(NULL, 0);
    return str_of(json_object_get_string(v));
}

static inline struct json_object *fake_obj(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;
    if (json_object_is_type(o, json_type_object))
        (void)json_object_object_get_ex(o, key, &v);
    return v;
}

static inline struct json_object *fake_parse(struct str m)
{
    struct json_tokener *tok = json_tokener_new();
    struct json_object *o = json_tokener_parse_ex(tok, m.p, (int)m.len);
    json_tokener_free(tok);
    return o;
}

static inline void fake_told(struct fake *f, const char *kind, struct str text)
{
    (void)buf_addf(&f->seen.texts, "%s:%.*s\n", kind, STR_ARG(text));
}

/* An object's members must be among those of `allowed` (" a b "). */
static inline bool fake_only(struct fake *f, struct json_object *o, const char *where,
                             const char *allowed)
{
    bool fine = true;
    if (!json_object_is_type(o, json_type_object))
        return true;
    json_object_object_foreach(o, key, value)
    {
        char padded[80];
        (void)value;
        (void)snprintf(padded, sizeof(padded), " %s ", key);
        if (!strstr(allowed, padded)) {
            fake_refuse(f, "%s: unknown member %s", where, key);
            fine = false;
        }
    }
    return fine;
}

/* Drop the client the hard way. */
static inline void fake_drop(struct fake *f)
{
    f->open = false;
    if (f->proto->closed)
        f->proto->closed(f);
    if (f->script.close_code)
        ws_close(f->conn, f->script.close_code, "test");
    ws_free(&f->conn);
}

static inline struct ws_reply fake_on_request(void *arg, const struct ws_request *r)
{
    struct fake *f = arg;
    int status = f->script.refuse ? 401 : f->proto->request ? f->proto->request(f, r) : 101;
    return (struct ws_reply){status, NULL, status == 101 ? NULL : "no"};
}

static inline void fake_on_open(void *arg, struct str subprotocol)
{
    (void)subprotocol;
    struct fake *f = arg;
    f->open = true;
    memset(f->state, 0, f->proto->state_size);
    f->proto->opened(f);
}

static inline void fake_on_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct fake *f = arg;
    if (f->open)
        f->proto->message(f, kind, str_make(p, len));
}

static inline void fake_on_closed(void *arg, const struct ws_end *end)
{
    (void)end;
    struct fake *f = arg;
    if (f->open && f->proto->closed)
        f->proto->closed(f);
    f->open = false;
    ws_free(&f->conn);
}

static const struct ws_handlers fake_ws = {.on_request = fake_on_request,
                                           .on_open = fake_on_open,
                                           .on_message = fake_on_message,
                                           .on_closed = fake_on_closed};

static inline void fake_on_accept(void *arg, int fd, const struct net_addr *peer)
{
    (void)peer;
    struct fake *f = arg;
    struct ws_cfg cfg = {0};
    if (f->script.mute && f->proto->mute_early) {
        assert_true(f->silents < sizeof(f->silent) / sizeof(f->silent[0]));
        f->silent[f->silents++] = fd;
        return;
    }
    if (f->conn) {
        if (f->open && f->proto->closed)
            f->proto->closed(f);
        ws_free(&f->conn);
    }
    f->open = false;
    f->seen.connections++;
    assert_int_equal(ws_accept(f->loop, fd, str_make(NULL, 0), &cfg, &fake_ws, f, &f->conn), VA_OK);
}

static inline void fake_start(struct fake *f, struct loop *loop, const struct fake_proto *proto)
{
    struct net_addr a;
    *f = (struct fake){.loop = loop, .proto = proto};
    f->script = (struct fake_script){
        .answer_text = "It is open until six.", .answer_ms = 600, .words = "when do you close"};
    f->seen.truncated_ms = -1;
    buf_init(&f->seen.refusals, 1 << 16);
    buf_init(&f->seen.texts, 1 << 20);
    f->state = calloc(1, proto->state_size);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &a), VA_OK);
    assert_int_equal(tcp_listen(loop, &a, fake_on_accept, f, &f->listener, NULL), VA_OK);
    tcp_listener_addr(f->listener, &a);
    (void)snprintf(f->url, sizeof(f->url), "ws://127.0.0.1:%u", net_addr_port(&a));
}

static inline void fake_stop(struct fake *f)
{
    if (f->proto->closed)
        f->proto->closed(f);
    ws_free(&f->conn);
    tcp_listener_close(&f->listener);
    while (f->silents)
        (void)close(f->silent[--f->silents]);
    buf_free(&f->seen.refusals);
    buf_free(&f->seen.texts);
    free(f->state);
}

/* A tone of `ms` at rate_hz, as 16 bit samples. */
static inline void fake_tone(int16_t *out, size_t n, int rate_hz, double hz, uint64_t from)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)(8000 * sin(2 * M_PI * hz * (double)(from + i) / rate_hz));
}

#endif
