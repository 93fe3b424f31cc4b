#include "fakefs/inbound.h"
#include "fakefs/command.h"

#include <stdio.h>
#include <stdlib.h>

enum { OUT_MAX = 8 << 20 };

struct fakefs_inbound {
    struct loop *loop;
    const char *password;
    struct tcp_listener *listener;
    struct list guests, channels;
    size_t guest_count;
};

/* A connection that is bound to nobody yet. */
struct guest {
    struct link link;
    struct fakefs_inbound *in;
    struct tcp_conn *tcp;
    struct fakefs_parser parser;
    bool known; /* logged in */
};

static void guest_free(struct guest *g)
{
    link_remove(&g->link);
    g->in->guest_count--;
    tcp_close(&g->tcp);
    fakefs_parser_free(&g->parser);
    free(g);
}

static void reply(struct guest *g, const char *text)
{
    char out[160];
    int n = snprintf(out, sizeof(out), "Content-Type: command/reply\nReply-Text: %s\n\n", text);
    if (tcp_write(g->tcp, out, (size_t)n))
        return; /* on_end tells */
}

static void log_in(struct guest *g, struct str word, struct str rest)
{
    struct str password = rest;
    if (str_ieqz(word, "userauth"))
        (void)str_cut(&password, ':');
    g->known = (str_ieqz(word, "auth") || str_ieqz(word, "userauth")) &&
               str_eqz(password, g->in->password);
    reply(g, g->known ? "+OK accepted" : "-ERR invalid");
}

static struct fakefs_bindable *find(struct fakefs_inbound *in, struct str uuid)
{
    list_each(&in->channels, it, next)
    {
        struct fakefs_bindable *b = container_of(it, struct fakefs_bindable, link);
        if (str_ieqz(uuid, b->uuid))
            return b;
    }
    return NULL;
}

/* What follows the command in the same read goes along. */
static void bind_to(struct guest *g, struct fakefs_bindable *b, struct str line)
{
    struct buf first;
    struct tcp_conn *tcp = g->tcp;
    buf_init(&first, FAKEFS_INPUT_MAX);
    buf_adds(&first, line);
    buf_addz(&first, "\n\n");
    buf_add(&first, g->parser.in.p + g->parser.used, g->parser.in.len - g->parser.used);
    g->tcp = NULL;
    guest_free(g);
    fakefs_inbound_remove(b);
    b->on_bound(b->arg, tcp, buf_str(&first));
    buf_free(&first);
}

/* @return false: the guest is gone */
static bool take(struct guest *g, const struct fakefs_command *c)
{
    struct str rest = c->line, word = str_cut(&rest, ' ');
    struct str uuid = str_cut(&rest, ' ');
    if (!g->known) {
        log_in(g, word, uuid);
        return true;
    }
    struct fakefs_bindable *b = str_ieqz(word, "myevents") ? find(g->in, uuid) : NULL;
    if (b) {
        bind_to(g, b, c->line);
        return false;
    }
    reply(g, str_ieqz(word, "myevents") ? "-ERR invalid uuid" : "+OK");
    return true;
}

static void on_open(void *arg)
{
    (void)arg;
}

static void on_read(void *arg, const char *p, size_t len)
{
    struct guest *g = arg;
    struct fakefs_command c;
    enum va_err err = fakefs_parser_add(&g->parser, p, len);
    while (!err && (err = fakefs_parser_next(&g->parser, &c)) == VA_OK)
        if (!take(g, &c))
            return;
    if (err != VA_EAGAIN)
        guest_free(g);
}

static void on_end(void *arg, enum va_err why)
{
    (void)why;
    guest_free(arg);
}

static const struct tcp_handlers handlers = {on_open, on_read, on_end};

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    static const char hello[] = "Content-Type: auth/request\n\n";
    struct fakefs_inbound *in = arg;
    struct guest *g = calloc(1, sizeof(*g));
    struct tcp_conn *tcp = NULL;
    (void)peer;
    if (tcp_adopt(in->loop, fd, OUT_MAX, &handlers, g, &tcp) || !g ||
        in->guest_count == FAKEFS_GUESTS_MAX) {
        tcp_close(&tcp);
        free(g);
        return;
    }
    g->in = in;
    g->tcp = tcp;
    fakefs_parser_init(&g->parser);
    list_push(&in->guests, &g->link);
    in->guest_count++;
    if (tcp_write(tcp, hello, sizeof(hello) - 1))
        guest_free(g);
}

enum va_err fakefs_inbound_open(struct loop *loop, const struct net_addr *addr,
                                const char *password, struct fakefs_inbound **ret,
                                struct va_fault *fault)
{
    struct fakefs_inbound *in = calloc(1, sizeof(*in));
    if (!in)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    in->loop = loop;
    in->password = password;
    list_init(&in->guests);
    list_init(&in->channels);
    enum va_err err = tcp_listen(loop, addr, on_accept, in, &in->listener, fault);
    if (err)
        free(in);
    else
        *ret = in;
    return err;
}

void fakefs_inbound_addr(const struct fakefs_inbound *in, struct net_addr *ret)
{
    tcp_listener_addr(in->listener, ret);
}

void fakefs_inbound_close(struct fakefs_inbound **pin)
{
    struct fakefs_inbound *in = pin ? *pin : NULL;
    if (!in)
        return;
    *pin = NULL;
    tcp_listener_close(&in->listener);
    list_each(&in->guests, it, next) guest_free(container_of(it, struct guest, link));
    free(in);
}

void fakefs_inbound_add(struct fakefs_inbound *in, struct fakefs_bindable *channel)
{
    list_push(&in->channels, &channel->link);
}

void fakefs_inbound_remove(struct fakefs_bindable *channel)
{
    link_remove(&channel->link);
}
