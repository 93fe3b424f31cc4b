/*
 * A program around the user agent, for sipp, baresip and real FreeSWITCHes to talk to. It answers
 * as the daemon would, but sends no audio. What it does is told by the called number:
 *
 *     8000 answers · ring 180, then answers · wait 180 and no answer · busy 486
 *     bye answers, then ends · hold answers, then holds · refer answers, then refers to sip:201@…
 *
 * Settings come from the environment, as the daemon's. One line of standard output for each thing
 * that happens; on standard input: "expect" prints a token, "stats", "bye" to all calls, end of
 * file stops it.
 */
#include "leg/sip_ua.h"

#include <stdio.h>
#include <stdlib.h>

extern char **environ;

enum { RTP_PORT = 40000 };

struct rig {
    struct loop *loop;
    struct settings settings;
    struct sip_ua *ua;
    struct list calls;
    uv_pipe_t input;
    char line[256];
    size_t line_len;
};

struct one {
    struct link link;
    struct rig *rig;
    struct sip_call *call;
    char number[SIP_NAME_MAX];
    uint64_t version;
    struct sdp_choice choice;
};

static void say(const struct one *o, const char *what, const char *more)
{
    printf("%s %s %s\n", what, *o->number ? o->number : "-", more);
    (void)fflush(stdout);
}

static void one_free(struct one *o)
{
    link_remove(&o->link);
    sip_call_close(&o->call);
    free(o);
}

/* ---- handlers -------------------------------------------------------------------------------- */

static struct sdp_local local_of(struct one *o, enum sdp_direction direction)
{
    struct net_addr peer;
    struct sdp_local l = {.session_id = 1, .version = ++o->version, .direction = direction};
    if (!sip_call_addrs(o->call, &l.rtp, &peer) && net_addr_parse("127.0.0.1", 0, &l.rtp))
        abort();
    net_addr_set_port(&l.rtp, RTP_PORT);
    l.rtcp_port = RTP_PORT + 1;
    return l;
}

static void offer_hold(struct one *o)
{
    struct buf text;
    buf_init(&text, SDP_TEXT_MAX);
    struct sdp_local l = local_of(o, SDP_SENDONLY);
    if (sdp_print_offer(sip_ua_prefs(o->rig->ua), &l, &text) ||
        sip_call_offer(o->call, buf_str(&text)))
        say(o, "failed", "hold");
    buf_free(&text);
}

static void on_established(void *arg)
{
    struct one *o = arg;
    say(o, "established", "");
    if (strcmp(o->number, "bye") == 0)
        sip_call_bye(o->call);
    else if (strcmp(o->number, "hold") == 0)
        offer_hold(o);
    else if (strcmp(o->number, "refer") == 0 && sip_call_refer(o->call, "sip:201@127.0.0.1"))
        say(o, "failed", "refer");
}

static void on_digit(void *arg, char digit)
{
    say(arg, "digit", (char[]){digit, 0});
}

static void on_transfer(void *arg, int status)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", status);
    say(arg, "transfer", text);
    if (status >= 200 && status < 300)
        sip_call_bye(((struct one *)arg)->call);
}

static void on_ended(void *arg, const struct sip_end *end)
{
    struct one *o = arg;
    char text[160];
    (void)snprintf(text, sizeof(text), "%d q850=%d %s %s", end->status, end->q850,
                   end->by_peer ? "peer" : "us", end->text);
    say(o, "ended", text);
    one_free(o);
}

static const struct sip_call_handlers handlers = {on_established, on_digit, on_transfer, on_ended,
                                                  NULL};

static void answer(struct one *o, const struct sdp *offer)
{
    struct buf text;
    buf_init(&text, SDP_TEXT_MAX);
    const struct sdp_prefs *prefs = sip_ua_prefs(o->rig->ua);
    struct sdp_local l = local_of(o, SDP_SENDRECV);
    enum va_err err;
    if (!offer) {
        err = sdp_print_offer(prefs, &l, &text);
    } else {
        err = sdp_negotiate(offer, prefs, sdp_srtp_policy(o->rig->settings.rtp_srtp), &o->choice);
        l.direction = o->choice.direction;
        if (!err && o->choice.remote.suite != SDES_NONE)
            sdes_make(o->choice.remote.suite, o->choice.remote.tag, &l.crypto);
        if (!err)
            err = sdp_print_answer(offer, &o->choice, &l, &text);
    }
    if (!err)
        err = sip_call_answer(o->call, buf_str(&text));
    else if (!sip_call_reject(o->call, 488))
        say(o, "refused", va_err_text(err));
    buf_free(&text);
}

static void on_offer(void *arg, const struct sdp *offer, bool again)
{
    struct one *o = arg;
    char text[64] = "late";
    if (offer)
        (void)snprintf(text, sizeof(text), "dir=%d", (int)offer->audio[0].direction);
    say(o, again ? "again" : "offer", text);
    if (strcmp(o->number, "ring") == 0 || strcmp(o->number, "wait") == 0)
        sip_call_ring(o->call);
    if (strcmp(o->number, "busy") == 0) {
        if (sip_call_reject(o->call, 486))
            say(o, "failed", "reject");
    } else if (strcmp(o->number, "wait") != 0) {
        answer(o, offer);
    }
}

static void on_answer(void *arg, const struct sdp *answer_)
{
    struct one *o = arg;
    if (sdp_negotiate(answer_, sip_ua_prefs(o->rig->ua), SDP_SRTP_OPTIONAL, &o->choice))
        say(o, "failed", "answer");
    else
        say(o, "answer", o->choice.codec->name);
}

static void on_refused(void *arg, int status)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", status);
    say(arg, "refused", text);
}

static const struct sip_media_handlers media = {
    .on_offer = on_offer, .on_answer = on_answer, .on_refused = on_refused};

static struct one *one_new(struct rig *r, const char *number)
{
    struct one *o = calloc(1, sizeof(*o));
    if (!o)
        abort();
    o->rig = r;
    (void)str_copy(o->number, sizeof(o->number), str_of(number));
    list_push(&r->calls, &o->link);
    return o;
}

static void on_incoming(void *arg, struct sip_incoming *in)
{
    struct rig *r = arg;
    struct one *o = one_new(r, sip_incoming_info(in)->called_number);
    say(o, "incoming", sip_incoming_info(in)->caller_number);
    if (sip_call_take(in, r->loop, &handlers, o, &o->call))
        abort();
    sip_call_set_media(o->call, &media, o);
}

/* ---- standard input -------------------------------------------------------------------------- */

static void expect(struct rig *r)
{
    struct one *o = one_new(r, "token");
    char token[SIP_TOKEN_TEXT];
    if (sip_ua_expect(r->ua, r->loop, &handlers, o, token, &o->call)) {
        printf("failed expect\n");
        free(o);
        return;
    }
    sip_call_set_media(o->call, &media, o);
    say(o, "expecting", token);
}

static void print_stats(struct rig *r)
{
    struct sip_ua_stats s;
    sip_ua_stats(r->ua, &s);
    printf("stats invites=%llu no_token=%llu not_allowed=%llu over_limit=%llu not_acceptable=%llu "
           "expired=%llu dialogs=%llu\n",
           (unsigned long long)s.invites, (unsigned long long)s.no_token,
           (unsigned long long)s.not_allowed, (unsigned long long)s.over_limit,
           (unsigned long long)s.not_acceptable, (unsigned long long)s.expired,
           (unsigned long long)s.dialogs);
    (void)fflush(stdout);
}

static void on_line(struct rig *r, struct str line)
{
    if (str_eqz(line, "expect"))
        expect(r);
    else if (str_eqz(line, "stats"))
        print_stats(r);
    else if (str_eqz(line, "bye"))
        list_each(&r->calls, it, next) sip_call_bye(container_of(it, struct one, link)->call);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct rig *r = handle->data;
    (void)wanted;
    *buf = uv_buf_init(r->line + r->line_len, (unsigned)(sizeof(r->line) - r->line_len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct rig *r = stream->data;
    (void)buf;
    if (n < 0) {
        uv_close((uv_handle_t *)stream, NULL);
        loop_stop(r->loop);
        return;
    }
    r->line_len += (size_t)n;
    char *end;
    while ((end = memchr(r->line, '\n', r->line_len))) {
        size_t len = (size_t)(end - r->line);
        on_line(r, str_make(r->line, len));
        r->line_len -= len + 1;
        memmove(r->line, end + 1, r->line_len);
    }
    if (r->line_len == sizeof(r->line))
        r->line_len = 0;
}

int main(void)
{
    static struct rig r;
    struct va_fault fault = {0};
    if (settings_load("/dev/null", environ, &r.settings, &fault)) {
        fprintf(stderr, "%s\n", fault.text);
        return 2;
    }
    if (getenv("ANY_PORT"))
        r.settings.sip_port = 0;
    list_init(&r.calls);
    const struct sip_ua_cfg cfg = {&r.settings, NULL, on_incoming, &r, false};
    struct sip_ua_cfg with_loop = cfg;
    if (loop_new(NULL, 0, &r.loop))
        return 1;
    with_loop.control = r.loop;
    if (sip_ua_start(&with_loop, &r.ua, &fault)) {
        fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    printf("ready %u\n", sip_ua_port(r.ua));
    (void)fflush(stdout);
    uv_pipe_init(loop_uv(r.loop), &r.input, 0);
    r.input.data = &r;
    uv_pipe_open(&r.input, 0);
    uv_read_start((uv_stream_t *)&r.input, on_alloc, on_read);
    loop_run(r.loop);
    list_each(&r.calls, it, next) one_free(container_of(it, struct one, link));
    sip_ua_stop(&r.ua);
    loop_free(&r.loop);
    return 0;
}
