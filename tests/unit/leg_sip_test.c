/* The SIP user agent against itself: two of them in one process, each in its thread. */
#include "leg/sip_ua.h"
#include "net/udp.h"

#include "unit/unit.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char sdp_pcmu[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
                               "t=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n"
                               "a=rtpmap:101 telephone-event/8000\r\n";
static const char sdp_hold[] = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
                               "t=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\na=sendonly\r\n";
static const char sdp_gsm[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
                              "t=0 0\r\nm=audio 4000 RTP/AVP 3\r\n";

/* One end of a call, and what it was told. */
struct end {
    struct sip_call *call;
    unsigned offers, again, answers, established, ended, transfers, digits;
    int transfer_status;
    enum sdp_direction direction;
    struct sip_end how;
    char last_digit;
    bool late; /* answers with an offer of its own */
    int reject_with, reject_again_with;
    bool thinks; /* answers no offer */
    unsigned refers;
    char refer_to[SIP_URI_MAX + 1];
    int refer_status;
    unsigned refused;
    int refused_status;
    struct sdp seen;
};

struct rig {
    struct loop *loop;
    struct settings a_settings, b_settings;
    struct sip_ua *a, *b; /* a calls, b is called */
    struct end caller, callee;
    struct sip_incoming *incoming;
    unsigned incomings;
    bool take, take_refer;
};

static void on_established(void *arg)
{
    ((struct end *)arg)->established++;
}

static void on_digit(void *arg, char digit)
{
    struct end *e = arg;
    e->digits++;
    e->last_digit = digit;
}

static void on_transfer(void *arg, int status)
{
    struct end *e = arg;
    e->transfers++;
    e->transfer_status = status;
}

static void on_ended(void *arg, const struct sip_end *end)
{
    struct end *e = arg;
    e->ended++;
    e->how = *end;
}

static void on_refer(void *arg, const char *to_uri)
{
    struct end *e = arg;
    e->refers++;
    (void)str_copy(e->refer_to, sizeof(e->refer_to), str_of(to_uri));
    assert_int_equal(sip_call_referred(e->call, e->refer_status), VA_OK);
}

static const struct sip_call_handlers handlers = {on_established, on_digit, on_transfer, on_ended,
                                                  on_refer};

static void on_offer(void *arg, const struct sdp *offer, bool again)
{
    struct end *e = arg;
    if (again)
        e->again++;
    else
        e->offers++;
    e->late = offer == NULL;
    if (offer) {
        e->seen = *offer;
        e->direction = offer->audio[0].direction;
    }
    int status = again ? e->reject_again_with : e->reject_with;
    if (e->thinks)
        return;
    if (status)
        assert_int_equal(sip_call_reject(e->call, status), VA_OK);
    else
        assert_int_equal(sip_call_answer(e->call, str_of(sdp_pcmu)), VA_OK);
}

static void on_answer(void *arg, const struct sdp *answer)
{
    struct end *e = arg;
    e->answers++;
    e->seen = *answer;
}

static void on_refused(void *arg, int status)
{
    struct end *e = arg;
    e->refused++;
    e->refused_status = status;
}

static const struct sip_media_handlers media = {
    .on_offer = on_offer, .on_answer = on_answer, .on_refused = on_refused};

static void on_incoming(void *arg, struct sip_incoming *in)
{
    struct rig *r = arg;
    r->incomings++;
    if (!r->take) {
        r->incoming = in;
        return;
    }
    sip_call_close(&r->callee.call);
    assert_int_equal(sip_call_take(in, r->loop, &handlers, &r->callee, &r->callee.call), VA_OK);
    sip_call_set_media(r->callee.call, &media, &r->callee);
}

static void load(struct settings *s)
{
    char *const none[] = {NULL};
    struct va_fault fault;
    assert_int_equal(settings_load("/dev/null", none, s, &fault), VA_OK);
    s->sip_port = 0;
    (void)str_copy(s->sip_host, sizeof(s->sip_host), str_of("127.0.0.1"));
}

static int set_up(void **state, bool take_refer)
{
    struct rig *r = calloc(1, sizeof(*r));
    r->take_refer = take_refer;
    struct va_fault fault = {0};
    assert_int_equal(loop_new(NULL, 0, &r->loop), VA_OK);
    load(&r->a_settings);
    load(&r->b_settings);
    r->b_settings.sip_allow_direct = 1;
    r->b_settings.esl_max_connections = 2;
    r->take = true;
    const struct sip_ua_cfg a = {&r->a_settings, r->loop, NULL, NULL, r->take_refer};
    const struct sip_ua_cfg b = {&r->b_settings, r->loop, on_incoming, r, false};
    if (sip_ua_start(&a, &r->a, &fault) || sip_ua_start(&b, &r->b, &fault))
        fail_msg("%s", fault.text);
    assert_true(sip_ua_port(r->a) && sip_ua_port(r->b) && sip_ua_port(r->a) != sip_ua_port(r->b));
    *state = r;
    return 0;
}

static int setup(void **state)
{
    return set_up(state, false);
}

static int setup_refer(void **state)
{
    return set_up(state, true);
}

static int teardown(void **state)
{
    struct rig *r = *state;
    sip_call_close(&r->caller.call);
    sip_call_close(&r->callee.call);
    sip_ua_stop(&r->a);
    sip_ua_stop(&r->b);
    loop_free(&r->loop);
    free(r);
    return 0;
}

#define turn_until(r, what)                                                                        \
    do {                                                                                           \
        struct tmr guard_ = {0};                                                                   \
        bool late_ = false;                                                                        \
        tmr_start(&guard_, (r)->loop, 15000, on_guard, &late_);                                    \
        while (!(what) && !late_)                                                                  \
            loop_turn((r)->loop, true);                                                            \
        tmr_stop(&guard_);                                                                         \
        if (late_)                                                                                 \
            fail_msg("waited too long for %s", #what);                                             \
    } while (0)

static void on_guard(void *arg)
{
    *(bool *)arg = true;
}

static void place(struct rig *r, const char *user, const char *sdp)
{
    char to[128];
    (void)snprintf(to, sizeof(to), "sip:%s@127.0.0.1:%u", user, sip_ua_port(r->b));
    const struct sip_place p = {to, "5551234", "Ana \xc3\x81lvares", str_of(sdp)};
    assert_int_equal(sip_call_place(r->a, r->loop, &p, &handlers, &r->caller, &r->caller.call),
                     VA_OK);
    sip_call_set_media(r->caller.call, &media, &r->caller);
}

static void begin(struct rig *r)
{
    place(r, "8000", sdp_pcmu);
    turn_until(r, r->caller.established && r->callee.established);
    assert_int_equal(r->caller.answers, 1);
    assert_int_equal(r->callee.offers, 1);
}

static void direct_call_and_bye_from_the_caller(void **state)
{
    struct rig *r = *state;
    begin(r);
    struct net_addr local, peer;
    assert_true(sip_call_addrs(r->callee.call, &local, &peer));
    assert_int_equal(net_addr_port(&local), sip_ua_port(r->b));
    assert_int_equal(net_addr_port(&peer), sip_ua_port(r->a));
    sip_call_bye(r->caller.call);
    turn_until(r, r->caller.ended && r->callee.ended);
    assert_int_equal(r->callee.how.status, 200);
    assert_true(r->callee.how.by_peer);
    assert_false(r->caller.how.by_peer);
}

static void bye_from_the_called_side(void **state)
{
    struct rig *r = *state;
    begin(r);
    sip_call_close(&r->callee.call);
    turn_until(r, r->caller.ended);
    assert_true(r->caller.how.by_peer);
    assert_int_equal(r->caller.how.status, 200);
}

static void token_brings_one_call(void **state)
{
    struct rig *r = *state;
    char token[SIP_TOKEN_TEXT];
    assert_int_equal(sip_ua_expect(r->b, r->loop, &handlers, &r->callee, token, &r->callee.call),
                     VA_OK);
    assert_int_equal(strlen(token), SIP_TOKEN_TEXT - 1);
    sip_call_set_media(r->callee.call, &media, &r->callee);
    place(r, token, sdp_pcmu);
    turn_until(r, r->caller.established && r->callee.established);
    assert_int_equal(r->incomings, 0);
    assert_int_equal(r->callee.seen.audio[0].codecs[0].info->id, CODEC_PCMU);
    /* The second one with it is an unknown number. */
    struct end second = {0};
    char to[128];
    (void)snprintf(to, sizeof(to), "sip:%s@127.0.0.1:%u", token, sip_ua_port(r->b));
    r->b_settings.sip_allow_direct = 0;
    const struct sip_place p = {to, NULL, NULL, str_of(sdp_pcmu)};
    assert_int_equal(sip_call_place(r->a, r->loop, &p, &handlers, &second, &second.call), VA_OK);
    turn_until(r, second.ended);
    assert_int_equal(second.how.status, 403);
    sip_call_close(&second.call);
}

static void no_token_is_403(void **state)
{
    struct rig *r = *state;
    r->b_settings.sip_allow_direct = 0;
    place(r, "0123456789abcdef0123456789abcdef", sdp_pcmu);
    turn_until(r, r->caller.ended);
    assert_int_equal(r->caller.how.status, 403);
    assert_true(r->caller.how.by_peer);
    struct sip_ua_stats stats;
    sip_ua_stats(r->b, &stats);
    assert_int_equal(stats.no_token, 1);
    assert_int_equal(stats.dialogs, 0);
}

static void token_expires(void **state)
{
    struct rig *r = *state;
    char token[SIP_TOKEN_TEXT];
    assert_int_equal(sip_ua_expect(r->b, r->loop, &handlers, &r->callee, token, &r->callee.call),
                     VA_OK);
    turn_until(r, r->callee.ended);
    assert_int_equal(r->callee.how.status, 408);
    struct sip_ua_stats stats;
    sip_ua_stats(r->b, &stats);
    assert_int_equal(stats.expired, 1);
}

static void no_common_codec_is_488(void **state)
{
    struct rig *r = *state;
    place(r, "8000", sdp_gsm);
    turn_until(r, r->caller.ended);
    assert_int_equal(r->caller.how.status, 488);
    assert_int_equal(r->incomings, 0);
}

static void refused_incoming(void **state)
{
    struct rig *r = *state;
    r->take = false;
    place(r, "8000", sdp_pcmu);
    turn_until(r, r->incoming);
    const struct sip_incoming_info *info = sip_incoming_info(r->incoming);
    assert_string_equal(info->caller_number, "5551234");
    assert_string_equal(info->caller_name, "Ana \xc3\x81lvares");
    assert_string_equal(info->called_number, "8000");
    assert_true(*info->call_id);
    assert_int_equal(info->port, net_addr_port(&info->source));
    sip_incoming_reject(r->incoming, 486);
    turn_until(r, r->caller.ended);
    assert_int_equal(r->caller.how.status, 486);
}

/* A transfer names the PBX that called: not by the port of its end of the connection. */
static void by_a_connection_its_contact_says_the_port(void **state)
{
    struct rig *r = *state;
    char to[128];
    r->take = false;
    (void)snprintf(to, sizeof(to), "sip:8000@127.0.0.1:%u;transport=tcp", sip_ua_port(r->b));
    const struct sip_place p = {to, NULL, NULL, str_of(sdp_pcmu)};
    assert_int_equal(sip_call_place(r->a, r->loop, &p, &handlers, &r->caller, &r->caller.call),
                     VA_OK);
    turn_until(r, r->incoming);
    const struct sip_incoming_info *info = sip_incoming_info(r->incoming);
    assert_int_not_equal(net_addr_port(&info->source), sip_ua_port(r->a));
    assert_int_equal(info->port, sip_ua_port(r->a));
    sip_incoming_reject(r->incoming, 486);
    turn_until(r, r->caller.ended);
}

static void cancelled_before_it_was_taken(void **state)
{
    struct rig *r = *state;
    r->take = false;
    place(r, "8000", sdp_pcmu);
    turn_until(r, r->incoming);
    sip_call_bye(r->caller.call);
    turn_until(r, r->caller.ended);
    assert_int_equal(sip_call_take(r->incoming, r->loop, &handlers, &r->callee, &r->callee.call),
                     VA_OK);
    turn_until(r, r->callee.ended);
    assert_int_equal(r->callee.how.status, 487);
    assert_true(r->callee.how.by_peer);
    assert_int_equal(r->callee.offers, 0);
}

static void over_the_limit_and_draining_is_503(void **state)
{
    struct rig *r = *state;
    r->b_settings.esl_max_connections = 0;
    place(r, "8000", sdp_pcmu);
    turn_until(r, r->caller.ended);
    assert_int_equal(r->caller.how.status, 503);
    sip_call_close(&r->caller.call);
    r->b_settings.esl_max_connections = 2;
    sip_ua_drain(r->b);
    r->caller = (struct end){0};
    place(r, "8000", sdp_pcmu);
    turn_until(r, r->caller.ended);
    assert_int_equal(r->caller.how.status, 503);
    assert_int_equal(r->incomings, 0);
}

static void hold_and_resume(void **state)
{
    struct rig *r = *state;
    begin(r);
    assert_int_equal(sip_call_offer(r->caller.call, str_of(sdp_hold)), VA_OK);
    turn_until(r, r->caller.answers == 2);
    assert_int_equal(r->callee.again, 1);
    assert_int_equal(r->callee.direction, SDP_SENDONLY);
    assert_int_equal(sip_call_offer(r->caller.call, str_of(sdp_pcmu)), VA_OK);
    turn_until(r, r->caller.answers == 3);
    assert_int_equal(r->callee.direction, SDP_SENDRECV);
}

static void refused_change_leaves_the_call(void **state)
{
    struct rig *r = *state;
    begin(r);
    assert_int_equal(sip_call_offer(r->caller.call, str_of(sdp_gsm)), VA_OK);
    turn_until(r, r->caller.refused);
    assert_int_equal(r->caller.refused_status, 488);
    assert_int_equal(r->callee.again, 0);
    r->callee.reject_again_with = 488;
    assert_int_equal(sip_call_offer(r->caller.call, str_of(sdp_hold)), VA_OK);
    turn_until(r, r->caller.refused == 2);
    assert_int_equal(r->callee.again, 1);
    assert_int_equal(r->caller.ended + r->callee.ended, 0);
    sip_call_bye(r->callee.call);
    turn_until(r, r->caller.ended && r->callee.ended);
}

static void crossing_changes_are_491_or_served(void **state)
{
    struct rig *r = *state;
    begin(r);
    assert_int_equal(sip_call_offer(r->caller.call, str_of(sdp_pcmu)), VA_OK);
    assert_int_equal(sip_call_offer(r->callee.call, str_of(sdp_pcmu)), VA_OK);
    turn_until(
        r, r->caller.refused + r->caller.answers - 1 + r->callee.refused + r->callee.answers == 2);
    assert_int_equal(r->caller.ended + r->callee.ended, 0);
}

static void offer_waits_for_who_carries(void **state)
{
    struct rig *r = *state;
    r->take = false;
    place(r, "8000", sdp_pcmu);
    turn_until(r, r->incoming);
    assert_int_equal(sip_call_take(r->incoming, r->loop, &handlers, &r->callee, &r->callee.call),
                     VA_OK);
    assert_int_equal(sip_call_answer(r->callee.call, str_of(sdp_pcmu)), VA_EINVAL);
    loop_turn(r->loop, false);
    assert_int_equal(r->callee.offers, 0);
    sip_call_set_media(r->callee.call, &media, &r->callee);
    assert_int_equal(r->callee.offers, 0); /* never from inside */
    turn_until(r, r->callee.established);
}

static void refer_is_refused_where_nobody_takes_it(void **state)
{
    struct rig *r = *state;
    begin(r);
    assert_int_equal(sip_call_refer(r->callee.call, "sip:1\r\nX: y@h"), VA_EINVAL);
    assert_int_equal(sip_call_refer(r->callee.call, "http://h"), VA_EINVAL);
    assert_int_equal(sip_call_refer(r->callee.call, "sip:201@127.0.0.1"), VA_OK);
    turn_until(r, r->callee.transfers);
    assert_int_equal(r->callee.transfer_status, 405);
    assert_int_equal(r->callee.ended, 0);
}

/* Blind transfer by whoever was called, twice: it fails, then it goes well. */
static void refer_is_told_and_reported_on(void **state)
{
    struct rig *r = *state;
    begin(r);
    r->caller.refer_status = 486;
    assert_int_equal(sip_call_refer(r->callee.call, "sip:201@127.0.0.1"), VA_OK);
    turn_until(r, r->callee.transfers && r->callee.transfer_status >= 200);
    assert_int_equal(r->callee.transfer_status, 486);
    assert_string_equal(r->caller.refer_to, "sip:201@127.0.0.1");
    r->caller.refer_status = 200;
    assert_int_equal(sip_call_refer(r->callee.call, "sip:202@127.0.0.1"), VA_OK);
    turn_until(r, r->callee.transfer_status == 200);
    assert_int_equal(r->caller.refers, 2);
    assert_string_equal(r->caller.refer_to, "sip:202@127.0.0.1");
    assert_int_equal(sip_call_referred(r->caller.call, 100), VA_EINVAL);
    assert_int_equal(r->caller.ended + r->callee.ended, 0);
}

static void hostile_words_place_no_call(void **state)
{
    struct rig *r = *state;
    struct sip_call *call = NULL;
    struct sip_place p = {"sip:8000@127.0.0.1\r\nEvil: 1", NULL, NULL, str_of(sdp_pcmu)};
    assert_int_equal(sip_call_place(r->a, r->loop, &p, &handlers, NULL, &call), VA_EINVAL);
    p.to = "sip:8000@127.0.0.1";
    p.from = "a@b";
    assert_int_equal(sip_call_place(r->a, r->loop, &p, &handlers, NULL, &call), VA_EINVAL);
    p.from = NULL;
    p.name = "x\" <sip:y@z>";
    assert_int_equal(sip_call_place(r->a, r->loop, &p, &handlers, NULL, &call), VA_EINVAL);
    p.name = NULL;
    p.offer = str_of("");
    assert_int_equal(sip_call_place(r->a, r->loop, &p, &handlers, NULL, &call), VA_EINVAL);
    assert_null(call);
}

/* Closed at any moment: no handler is called any more, nothing leaks. */
static void closed_at_any_moment(void **state)
{
    struct rig *r = *state;
    for (int turns = 0; turns < 12; turns++) {
        place(r, "8000", sdp_pcmu);
        for (int i = 0; i < turns && !r->caller.ended; i++)
            loop_turn(r->loop, i < 3);
        sip_call_close(&r->caller.call);
        sip_call_close(&r->callee.call);
        r->caller = r->callee = (struct end){0};
    }
}

static void taken_port_is_explained(void **state)
{
    struct rig *r = *state;
    struct settings s = r->a_settings;
    s.sip_port = sip_ua_port(r->a);
    const struct sip_ua_cfg cfg = {&s, r->loop, NULL, NULL, false};
    struct sip_ua *ua = NULL;
    struct va_fault fault = {0};
    assert_int_equal(sip_ua_start(&cfg, &ua, &fault), VA_EINUSE);
    assert_non_null(strstr(fault.text, "SIP_PORT"));
    (void)str_copy(s.rtp_codecs, sizeof(s.rtp_codecs), str_of("PCMU,G729"));
    assert_int_equal(sip_ua_start(&cfg, &ua, &fault), VA_ECONFIG);
    assert_non_null(strstr(fault.text, "G729"));
    (void)str_copy(s.rtp_codecs, sizeof(s.rtp_codecs), str_of("PCMU"));
    (void)str_copy(s.sip_allow_acl, sizeof(s.sip_allow_acl), str_of("10.0.0.0/33"));
    assert_int_equal(sip_ua_start(&cfg, &ua, &fault), VA_ECONFIG);
    assert_non_null(strstr(fault.text, "10.0.0.0/33"));
    assert_null(ua);
}

/* ---- a stranger with a socket of his own ------------------------------------------------------
 */

struct stranger {
    struct udp_sock *sock;
    struct net_addr ua;
    char got[4096]; /* the last message */
    unsigned byes, oks, invites, refusals, cancels;
};

static void stranger_hears(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    struct stranger *x = arg;
    (void)from;
    (void)str_copy(x->got, sizeof(x->got), str_make(p, len));
    if (str_starts(str_make(p, len), "BYE "))
        x->byes++;
    if (str_starts(str_make(p, len), "INVITE "))
        x->invites++;
    if (str_starts(str_make(p, len), "SIP/2.0 200") && strstr(x->got, "INVITE"))
        x->oks++;
    if (str_starts(str_make(p, len), "SIP/2.0 488") && strstr(x->got, "INVITE"))
        x->refusals++;
    if (str_starts(str_make(p, len), "SIP/2.0 487") && strstr(x->got, "INVITE"))
        x->cancels++;
}

static void stranger_says(struct stranger *x, const char *method, unsigned cseq, const char *to_tag,
                          const char *body)
{
    char text[2048];
    int n = snprintf(text, sizeof(text),
                     "%s sip:8000@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;"
                     "branch=z9hG4bK%s%u\r\nFrom: <sip:x@127.0.0.1>;tag=1\r\n"
                     "To: <sip:8000@127.0.0.1>%s\r\nCall-ID: stranger\r\nCSeq: %u %s\r\n"
                     "Contact: <sip:x@127.0.0.1:%u>\r\nMax-Forwards: 70\r\n%sContent-Length: "
                     "%zu\r\n\r\n%s",
                     method, udp_port(x->sock), strcmp(method, "CANCEL") ? method : "INVITE", cseq,
                     to_tag, cseq, method, udp_port(x->sock),
                     *body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
    assert_int_equal(udp_send(x->sock, &x->ua, text, (size_t)n), VA_OK);
}

static void stranger_up(struct rig *r, struct stranger *x)
{
    struct net_addr any;
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &any), VA_OK);
    assert_int_equal(udp_open(r->loop, &any, stranger_hears, x, &x->sock), VA_OK);
    assert_int_equal(net_addr_parse("127.0.0.1", sip_ua_port(r->b), &x->ua), VA_OK);
}

static void stranger_calls(struct rig *r, struct stranger *x, char tag[static 128])
{
    stranger_up(r, x);
    stranger_says(x, "INVITE", 1, "", sdp_pcmu);
    turn_until(r, x->oks);
    const char *to = strstr(x->got, "\r\nTo: "), *at = to ? strstr(to, ";tag=") : NULL;
    assert_non_null(at);
    struct str rest = str_of(at);
    (void)str_copy(tag, 128, str_cut(&rest, '\r'));
    stranger_says(x, "ACK", 1, tag, "");
    turn_until(r, r->callee.established);
}

/* They asked for an offer and were refused: there is none to be answered, and the next one is ours
 * to make. */
static void a_refused_late_offer_is_over(void **state)
{
    struct rig *r = *state;
    struct stranger x = {0};
    char tag[128];
    stranger_calls(r, &x, tag);
    r->callee.reject_again_with = 488;
    stranger_says(&x, "INVITE", 2, tag, "");
    turn_until(r, x.refusals);
    assert_true(r->callee.late);
    stranger_says(&x, "ACK", 2, tag, "");
    assert_int_equal(sip_call_offer(r->callee.call, str_of(sdp_pcmu)), VA_OK);
    turn_until(r, x.invites || r->callee.refused);
    assert_int_equal(r->callee.refused, 0);
    udp_close(&x.sock);
}

/* What was asked for is taken back before it was answered: the call is as it was before. */
static void a_change_that_is_cancelled_leaves_the_call(void **state)
{
    struct rig *r = *state;
    struct stranger x = {0};
    char tag[128];
    stranger_calls(r, &x, tag);
    r->callee.thinks = true;
    stranger_says(&x, "INVITE", 2, tag, sdp_pcmu);
    turn_until(r, r->callee.again == 1);
    stranger_says(&x, "CANCEL", 2, tag, "");
    turn_until(r, x.cancels);
    stranger_says(&x, "ACK", 2, tag, "");
    r->callee.thinks = false;
    assert_int_equal(sip_call_answer(r->callee.call, str_of(sdp_pcmu)), VA_OK); /* too late */
    stranger_says(&x, "INVITE", 3, tag, sdp_pcmu);
    turn_until(r, r->callee.again == 2 || r->callee.ended);
    assert_int_equal(r->callee.ended, 0);
    stranger_says(&x, "ACK", 3, tag, "");
    udp_close(&x.sock);
}

/* Stopping does not wait for somebody who answers nothing. */
static void stop_is_bounded(void **state)
{
    struct rig *r = *state;
    struct stranger x = {0};
    char tag[128];
    stranger_calls(r, &x, tag);
    uint64_t began = loop_now_us(r->loop);
    sip_call_close(&r->callee.call);
    sip_ua_stop(&r->b);
    assert_true(loop_now_us(r->loop) - began < (SIP_STOP_LIMIT_MS + 4000) * UINT64_C(1000));
    turn_until(r, x.byes);
    udp_close(&x.sock);
}

/* An INVITE that lies in the control loop's mailbox when we stop. */
static void stop_with_a_call_under_way(void **state)
{
    struct rig *r = *state;
    struct stranger x = {0};
    struct sip_ua_stats stats = {0};
    stranger_up(r, &x);
    stranger_says(&x, "INVITE", 1, "", sdp_pcmu);
    while (!stats.dialogs) /* the loop does not turn */
        sip_ua_stats(r->b, &stats);
    sip_ua_stop(&r->b);
    loop_turn(r->loop, false);
    assert_int_equal(r->incomings, 0);
    udp_close(&x.sock);
}

/* No ACK: the call is given up and ended with BYE. 64 T1 is 32 s, so this only sees it closed. */
static void answered_and_left_before_the_ack(void **state)
{
    struct rig *r = *state;
    struct stranger x = {0};
    stranger_up(r, &x);
    stranger_says(&x, "INVITE", 1, "", sdp_pcmu);
    turn_until(r, x.oks);
    sip_call_close(&r->callee.call); /* a BYE must wait for the ACK (RFC 3261 section 15) */
    unsigned before = x.byes;
    char tag[128] = "";
    struct str rest = str_of(strstr(strstr(x.got, "\r\nTo: "), ";tag="));
    (void)str_copy(tag, sizeof(tag), str_cut(&rest, '\r'));
    assert_int_equal(before, 0);
    stranger_says(&x, "ACK", 1, tag, "");
    turn_until(r, x.byes);
    stranger_says(&x, "INVITE", 2, tag, sdp_pcmu); /* into a call that ends */
    turn_until(r, strstr(x.got, "SIP/2.0 481") || strstr(x.got, "SIP/2.0 500"));
    udp_close(&x.sock);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    T(direct_call_and_bye_from_the_caller),
    T(bye_from_the_called_side),
    T(token_brings_one_call),
    T(no_token_is_403),
    T(token_expires),
    T(no_common_codec_is_488),
    T(refused_incoming),
    T(by_a_connection_its_contact_says_the_port),
    T(cancelled_before_it_was_taken),
    T(over_the_limit_and_draining_is_503),
    T(hold_and_resume),
    T(refused_change_leaves_the_call),
    T(crossing_changes_are_491_or_served),
    T(offer_waits_for_who_carries),
    T(refer_is_refused_where_nobody_takes_it),
    cmocka_unit_test_setup_teardown(refer_is_told_and_reported_on, setup_refer, teardown),
    T(hostile_words_place_no_call),
    T(closed_at_any_moment),
    T(taken_port_is_explained),
    T(a_refused_late_offer_is_over),
    T(a_change_that_is_cancelled_leaves_the_call),
    T(stop_is_bounded),
    T(stop_with_a_call_under_way),
    T(answered_and_left_before_the_ack),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
