/* leg/rtp: against a scripted FreeSWITCH: its control socket, a user agent of its own that calls
 * the token, and a UDP socket that sends RTP. */
#include "leg/rtp.h"
#include "leg/sip_ua.h"
#include "media/g711.h"
#include "net/udp.h"

#include "unit/esl_rig.h"

enum { RTP_MIN = 26000, RTP_MAX = 26999, TICK_MS = 5, FRAME = 160 };

struct bench {
    struct rig *g;
    struct settings settings, fs_settings;
    struct sip_ua *ua, *fs;
    struct leg_env env;
    struct leg_cfg cfg;
    struct leg *leg;

    char exec_uuid[64], dial[600], token_uri[128];
    struct sip_call *fs_call;
    unsigned fs_answers, fs_established, fs_ended, fs_refused;
    struct sip_end fs_how;
    struct sdp fs_seen;
    struct udp_sock *fs_rtp;
    struct net_addr leg_rtp;
    struct tmr tick;
    bool fs_silent; /* the clock ticks, it sends nothing */
    uint16_t seq;
    unsigned fs_heard, fs_loud;

    struct sip_call *dialog; /* of a direct call */

    struct leg_format format;
    unsigned started, frames, loud, failed, released, digits;
    char digit;
    bool digit_ends; /* its handler closes the leg */
    enum va_err why;
    char cause[900];
};

/* ---- the call's side ------------------------------------------------------------------------- */

static void on_started(void *arg, const struct leg_format *format)
{
    struct bench *b = arg;
    b->started++;
    b->format = *format;
}

static void on_frame(void *arg, const int16_t *samples, size_t count, bool silence)
{
    struct bench *b = arg;
    b->frames++;
    assert_int_equal(count, FRAME);
    b->loud += !silence && (samples[50] > 1000 || samples[50] < -1000);
}

static void on_digit(void *arg, char digit)
{
    struct bench *b = arg;
    b->digits++;
    b->digit = digit;
    if (b->digit_ends)
        leg_rtp.close(&b->leg);
}

static void on_failed(void *arg, enum va_err why, const char *cause)
{
    struct bench *b = arg;
    b->failed++;
    b->why = why;
    (void)str_copy(b->cause, sizeof(b->cause), str_of(cause));
}

static void on_released(void *arg)
{
    ((struct bench *)arg)->released++;
}

static const struct leg_handlers handlers = {on_started, on_frame, on_digit, on_failed,
                                             on_released};

/* ---- FreeSWITCH's side ----------------------------------------------------------------------- */

static void fs_on_established(void *arg)
{
    ((struct bench *)arg)->fs_established++;
}

static void fs_on_ended(void *arg, const struct sip_end *end)
{
    struct bench *b = arg;
    b->fs_ended++;
    b->fs_how = *end;
}

static const struct sip_call_handlers fs_handlers = {.on_established = fs_on_established,
                                                     .on_ended = fs_on_ended};

static void fs_on_offer(void *arg, const struct sdp *offer, bool again)
{
    (void)arg, (void)offer, (void)again;
    fail_msg("nobody offers anything to FreeSWITCH");
}

static void fs_on_answer(void *arg, const struct sdp *answer)
{
    struct bench *b = arg;
    b->fs_answers++;
    b->fs_seen = *answer;
    b->leg_rtp = answer->audio[0].rtp;
}

static void fs_on_refused(void *arg, int status)
{
    (void)status;
    ((struct bench *)arg)->fs_refused++;
}

static const struct sip_media_handlers fs_media = {fs_on_offer, fs_on_answer, fs_on_refused};

static void fs_on_rtp(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    struct bench *b = arg;
    const uint8_t *bytes = p;
    (void)from;
    if (len == 12 + FRAME) {
        b->fs_heard++;
        b->fs_loud += bytes[12 + 50] != 0xff;
    }
}

static struct net_addr addr_of(const char *ip, uint16_t port)
{
    struct net_addr a;
    assert_int_equal(net_addr_parse(ip, port, &a), VA_OK);
    return a;
}

/* One frame each way: FreeSWITCH sends one, the call's clock ticks. */
static void on_tick(void *arg)
{
    struct bench *b = arg;
    uint8_t p[12 + FRAME] = {0x80, 0, (uint8_t)(b->seq >> 8), (uint8_t)b->seq};
    uint32_t ts = (uint32_t)b->seq * FRAME;
    for (int i = 0; i < 4; i++)
        p[4 + i] = (uint8_t)(ts >> (24 - 8 * i));
    p[11] = 7;
    memset(p + 12, 0x10, FRAME); /* a loud constant */
    b->seq++;
    if (b->leg_rtp.u.sa.sa_family && !b->fs_silent)
        (void)udp_send(b->fs_rtp, &b->leg_rtp, p, sizeof(p));
    int16_t frame[FRAME];
    for (int i = 0; i < FRAME; i++)
        frame[i] = 5000;
    if (b->leg && b->started)
        leg_rtp.send(b->leg, frame, FRAME);
    tmr_start(&b->tick, b->g->loop, TICK_MS, on_tick, b);
}

static const char *fs_sdp(struct bench *b, const char *tail)
{
    static char text[1024];
    (void)snprintf(text, sizeof(text),
                   "v=0\r\no=FreeSWITCH 1 %u IN IP4 127.0.0.1\r\ns=FreeSWITCH\r\n"
                   "c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %u RTP/AVP 0 101 13\r\n"
                   "a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n%s",
                   b->seq + 1u, udp_port(b->fs_rtp), tail);
    return text;
}

static void fs_calls(struct bench *b, const char *sdp)
{
    const struct sip_place p = {b->token_uri, NULL, NULL, str_of(sdp)};
    assert_int_equal(sip_call_place(b->fs, b->g->loop, &p, &fs_handlers, b, &b->fs_call), VA_OK);
    sip_call_set_media(b->fs_call, &fs_media, b);
}

static void api_says(struct bench *b, const char *body)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "Content-Type: api/response\nContent-Length: %zu\n\n%s",
                   strlen(body), body);
    rig_says(b->g, text);
}

/* What it is asked before the bridge; "true" is what the dialplan had set. */
static void fs_hears_bridge(struct bench *b)
{
    static const char *const names[] = {"hangup_after_bridge", "park_after_bridge", "socket_resume",
                                        "continue_on_fail", "hold_music"};
    static const char *const values[] = {"true", "_undef_", "_undef_", "_undef_",
                                         "local_stream://moh"};
    char want[128];
    for (size_t i = 0; i < 5; i++) {
        (void)snprintf(want, sizeof(want), "api uuid_getvar " RIG_UUID " %s\n\n", names[i]);
        rig_hears(b->g, want);
        (void)snprintf(want, sizeof(want), "api uuid_setvar " RIG_UUID " %s ", names[i]);
        rig_hears(b->g, want);
        api_says(b, values[i]);
        api_says(b, "+OK\n");
    }
    rig_hears(b->g, "execute-app-name: bridge\n");
    const char *end;
    while (!b->g->heard.len || !(end = memmem(b->g->heard.p, b->g->heard.len, "\n\n", 2)))
        loop_turn(b->g->loop, true);
    char head[1500];
    (void)str_copy(head, sizeof(head), str_make(b->g->heard.p, (size_t)(end - b->g->heard.p)));
    buf_consume(&b->g->heard, (size_t)(end - b->g->heard.p) + 2);
    const char *arg = strstr(head, "execute-app-arg: "), *id = strstr(head, "Event-UUID: ");
    assert_true(arg && id);
    struct str rest = str_of(arg + 17);
    (void)str_copy(b->dial, sizeof(b->dial), str_cut(&rest, '\n'));
    rest = str_of(id + 12);
    (void)str_copy(b->exec_uuid, sizeof(b->exec_uuid), str_cut(&rest, '\n'));
    rig_says(b->g, RIG_REPLY);
    const char *slash = strrchr(b->dial, '/');
    assert_non_null(slash);
    (void)snprintf(b->token_uri, sizeof(b->token_uri), "sip:%s", slash + 1);
}

static void fs_ends_bridge(struct bench *b, const char *disposition)
{
    char body[400];
    (void)snprintf(body, sizeof(body),
                   "Event-Name: CHANNEL_EXECUTE_COMPLETE\nUnique-ID: " RIG_UUID
                   "\nApplication: bridge\nvariable_originate_disposition: %s\n"
                   "Application-UUID: %s\nApplication-Response: _none_\n\n",
                   disposition, b->exec_uuid);
    rig_says_event(b->g, body);
}

/* ---- set-up ---------------------------------------------------------------------------------- */

static void on_guard(void *arg)
{
    *(bool *)arg = true;
}

#define turn_until(b, what)                                                                        \
    do {                                                                                           \
        struct tmr guard_ = {0};                                                                   \
        bool late_ = false;                                                                        \
        tmr_start(&guard_, (b)->g->loop, 15000, on_guard, &late_);                                 \
        while (!(what) && !late_)                                                                  \
            loop_turn((b)->g->loop, true);                                                         \
        tmr_stop(&guard_);                                                                         \
        if (late_)                                                                                 \
            fail_msg("waited too long for %s", #what);                                             \
    } while (0)

static void on_incoming(void *arg, struct sip_incoming *in)
{
    struct bench *b = arg;
    static const struct sip_call_handlers none = {0};
    assert_int_equal(sip_call_take(in, b->g->loop, &none, b, &b->dialog), VA_OK);
}

static void load(struct settings *s)
{
    char *const none[] = {NULL};
    struct va_fault fault;
    assert_int_equal(settings_load("/dev/null", none, s, &fault), VA_OK);
    s->sip_port = 0;
    s->sip_allow_direct = 1;
    s->rtp_port_min = RTP_MIN;
    s->rtp_port_max = RTP_MAX;
    (void)str_copy(s->sip_host, sizeof(s->sip_host), str_of("127.0.0.1"));
    (void)str_copy(s->rtp_bind_address, sizeof(s->rtp_bind_address), str_of("127.0.0.1"));
    s->media_start_timeout_ms = 10000;
    s->media_lost_timeout_ms = 10000;
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    struct va_fault fault = {0};
    b->g = rig_connected_new(NULL);
    load(&b->settings);
    load(&b->fs_settings);
    const struct sip_ua_cfg ours = {&b->settings, b->g->loop, on_incoming, b, false};
    const struct sip_ua_cfg theirs = {&b->fs_settings, b->g->loop, NULL, NULL, false};
    if (sip_ua_start(&ours, &b->ua, &fault) || sip_ua_start(&theirs, &b->fs, &fault))
        fail_msg("%s", fault.text);
    struct net_addr any = addr_of("127.0.0.1", 0);
    assert_int_equal(udp_open(b->g->loop, &any, fs_on_rtp, b, &b->fs_rtp), VA_OK);
    b->env = (struct leg_env){.sip = b->ua};
    b->cfg = (struct leg_cfg){.loop = b->g->loop,
                              .env = &b->env,
                              .control = b->g->s,
                              .parked = true,
                              .settings = &b->settings,
                              .rate_hz = 8000,
                              .control_local = addr_of("127.0.0.1", 8022),
                              .control_peer = addr_of("127.0.0.1", 40000)};
    on_tick(b);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    tmr_stop(&b->tick);
    leg_rtp.close(&b->leg);
    sip_call_close(&b->dialog);
    sip_call_close(&b->fs_call);
    udp_close(&b->fs_rtp);
    sip_ua_stop(&b->ua);
    sip_ua_stop(&b->fs);
    rig_free(b->g);
    free(b);
    return 0;
}

static void open_leg(struct bench *b)
{
    assert_int_equal(leg_rtp.open(&b->cfg, &handlers, b, &b->leg), VA_OK);
}

static void flowing(struct bench *b)
{
    open_leg(b);
    fs_hears_bridge(b);
    fs_calls(b, fs_sdp(b, ""));
    turn_until(b, b->started && b->loud > 20 && b->fs_loud > 20);
    assert_true(!b->cfg.control || sip_ua_brings_audio(b->env.sip));
}

/* What release() and close() put back. */
static void fs_hears_restore(struct bench *b)
{
    rig_hears(b->g, "api uuid_setvar " RIG_UUID " hangup_after_bridge true\n\n");
    rig_hears(b->g, "api uuid_setvar " RIG_UUID " park_after_bridge \n\n");
    rig_hears(b->g, "api uuid_setvar " RIG_UUID " socket_resume \n\n");
    rig_hears(b->g, "api uuid_setvar " RIG_UUID " continue_on_fail \n\n");
    rig_hears(b->g, "api uuid_setvar " RIG_UUID " hold_music local_stream://moh\n\n");
}

/* ---- bridges --------------------------------------------------------------------------------- */

static void a_bridge_brings_audio_both_ways(void **state)
{
    struct bench *b = *state;
    flowing(b);
    char want[128];
    (void)snprintf(want, sizeof(want), "@127.0.0.1:%u", sip_ua_port(b->ua));
    assert_non_null(strstr(b->dial, want));
    assert_non_null(strstr(b->dial, "}sofia/internal/"));
    assert_non_null(strstr(b->dial, "absolute_codec_string=^^:PCMU:PCMA:G722:opus:L16@16000h"));
    assert_int_equal(b->started, 1);
    assert_int_equal(b->format.rate_hz, 8000);
    assert_int_equal(b->format.ptime_ms, 20);
    struct leg_stats st;
    leg_rtp.stats(b->leg, &st);
    assert_true(st.frames_in > 20 && st.frames_out > 20);
    assert_int_equal(b->fs_ended + b->failed, 0);
}

static void release_ends_the_bridge_and_puts_back(void **state)
{
    struct bench *b = *state;
    flowing(b);
    leg_rtp.release(b->leg);
    assert_int_equal(b->released, 0);
    turn_until(b, b->fs_ended);
    assert_true(b->fs_how.by_peer);
    assert_int_equal(b->released, 0); /* only FreeSWITCH knows when its bridge is over */
    fs_ends_bridge(b, "SUCCESS");
    fs_hears_restore(b);
    turn_until(b, b->released);
    unsigned frames = b->frames;
    leg_rtp.send(b->leg, (int16_t[FRAME]){0}, FRAME);
    assert_int_equal(b->frames, frames);
    assert_int_equal(b->failed, 0);
    leg_rtp.close(&b->leg);
    assert_null(b->leg);
}

static void release_before_the_call_came(void **state)
{
    struct bench *b = *state;
    open_leg(b);
    fs_hears_bridge(b);
    leg_rtp.release(b->leg);
    fs_calls(b, fs_sdp(b, "")); /* too late: its token is gone, so it is a stranger's call */
    fs_ends_bridge(b, "CALL_REJECTED");
    turn_until(b, b->released);
    assert_int_equal(b->failed + b->started, 0);
}

static void release_that_is_not_answered_is_given_up(void **state)
{
    struct bench *b = *state;
    flowing(b);
    leg_rtp.release(b->leg);
    turn_until(b, b->released);
    leg_rtp.close(&b->leg);
    for (int i = 0; i < 10; i++)
        loop_turn(b->g->loop, true);
    assert_int_equal(b->failed, 0);
    /* The bridge may run still: hangup_after_bridge as it was would end the call with it. */
    assert_true(!b->g->heard.len ||
                !memmem(b->g->heard.p, b->g->heard.len, "uuid_setvar", strlen("uuid_setvar")));
}

static void a_refused_bridge_is_told_with_its_cause(void **state)
{
    struct bench *b = *state;
    open_leg(b);
    fs_hears_bridge(b);
    fs_ends_bridge(b, "INVALID_PROFILE");
    fs_hears_restore(b);
    turn_until(b, b->failed);
    assert_int_equal(b->why, VA_EREFUSED);
    assert_non_null(strstr(b->cause, "INVALID_PROFILE"));
    assert_non_null(strstr(b->cause, "SIP_PROFILE"));
    leg_rtp.release(b->leg); /* as the call does before it takes another leg */
    turn_until(b, b->released);
}

static void no_call_is_a_time_limit(void **state)
{
    struct bench *b = *state;
    b->settings.media_start_timeout_ms = 150;
    open_leg(b);
    fs_hears_bridge(b);
    turn_until(b, b->failed);
    assert_int_equal(b->why, VA_ETIMEOUT);
    assert_non_null(strstr(b->cause, "did not call us"));
}

static void no_audio_is_a_time_limit(void **state)
{
    struct bench *b = *state;
    b->settings.media_start_timeout_ms = 400;
    tmr_stop(&b->tick);
    open_leg(b);
    fs_hears_bridge(b);
    fs_calls(b, fs_sdp(b, ""));
    turn_until(b, b->failed);
    assert_int_equal(b->fs_established, 1);
    assert_non_null(strstr(b->cause, "no audio came"));
    assert_int_equal(b->started, 0);
}

/* Silence first, for what FreeSWITCH drops; then the call's frames, whether or not any came. */
static void a_bridge_that_is_known_to_bring_audio_begins_at_once(void **state)
{
    struct bench *b = *state;
    b->settings.media_start_timeout_ms = 400;
    b->fs_silent = true;
    sip_ua_tell_audio(b->env.sip, true);
    open_leg(b);
    fs_hears_bridge(b);
    fs_calls(b, fs_sdp(b, ""));
    turn_until(b, b->fs_loud);
    assert_int_equal(b->started, 1);
    assert_int_equal(b->fs_heard - b->fs_loud, 2);
    turn_until(b, b->failed);
    assert_non_null(strstr(b->cause, "no audio came"));
    assert_int_equal(b->started, 1);
    assert_false(sip_ua_brings_audio(b->env.sip)); /* the next one waits */
}

static void audio_that_stops_is_told_but_not_on_hold(void **state)
{
    struct bench *b = *state;
    b->settings.media_lost_timeout_ms = 150;
    flowing(b);
    assert_int_equal(sip_call_offer(b->fs_call, str_of(fs_sdp(b, "a=sendonly\r\n"))), VA_OK);
    turn_until(b, b->fs_answers == 2);
    assert_int_equal(b->fs_seen.audio[0].direction, SDP_RECVONLY);
    tmr_stop(&b->tick); /* and nothing comes any more */
    struct tmr thrice = {0};
    bool over = false;
    tmr_start(&thrice, b->g->loop, 500, on_guard, &over);
    turn_until(b, over);
    assert_int_equal(b->failed, 0);
    assert_int_equal(sip_call_offer(b->fs_call, str_of(fs_sdp(b, ""))), VA_OK);
    turn_until(b, b->fs_answers == 3);
    turn_until(b, b->failed);
    assert_non_null(strstr(b->cause, "audio stopped"));
}

static void fs_sends(struct bench *b, uint8_t pt, uint8_t first, size_t payload_len)
{
    uint32_t ts = (uint32_t)b->seq * FRAME;
    uint8_t p[12 + FRAME] = {0x80, pt, (uint8_t)(b->seq >> 8), (uint8_t)b->seq};
    for (int i = 0; i < 4; i++)
        p[4 + i] = (uint8_t)(ts >> (24 - 8 * i));
    p[11] = 7;
    p[12] = first;
    b->seq++;
    assert_int_equal(udp_send(b->fs_rtp, &b->leg_rtp, p, 12 + payload_len), VA_OK);
}

/* A phone that suppresses silence, while the caller listens. */
static void a_silence_that_was_announced_is_not_the_end(void **state)
{
    struct bench *b = *state;
    struct tmr thrice = {0};
    bool over = false;
    b->settings.media_lost_timeout_ms = 150;
    flowing(b);
    b->fs_silent = true;
    fs_sends(b, 13, 60, 1); /* noise of -60 dBov */
    tmr_start(&thrice, b->g->loop, 500, on_guard, &over);
    turn_until(b, over);
    assert_int_equal(b->failed, 0);
    fs_sends(b, 0, 0x10, FRAME);
    turn_until(b, b->failed);
}

/* It is read inside the call's tick, which must not go on with a leg that is gone. */
static void a_digit_may_end_the_leg(void **state)
{
    struct bench *b = *state;
    flowing(b);
    b->digit_ends = true;
    b->fs_silent = true;
    fs_sends(b, 101, 5, 4);
    turn_until(b, b->digits);
    assert_int_equal(b->digit, '5');
    assert_null(b->leg);
}

static void a_caller_who_does_not_speak_first_is_heard(void **state)
{
    struct bench *b = *state;
    b->settings.media_start_timeout_ms = 2000;
    tmr_stop(&b->tick);
    open_leg(b);
    fs_hears_bridge(b);
    fs_calls(b, fs_sdp(b, ""));
    turn_until(b, b->fs_established);
    fs_sends(b, 13, 60, 1);                         /* noise of -60 dBov */
    fs_sends(b, 13, 60, 1); /* noise of -60 dBov */ /* two make a source */
    turn_until(b, b->started || b->failed);
    assert_int_equal(b->failed, 0);
}

static void bye_waits_for_what_the_socket_says(void **state)
{
    struct bench *b = *state;
    flowing(b);
    sip_call_bye(b->fs_call);
    turn_until(b, b->fs_ended);
    fs_ends_bridge(b, "SUCCESS");
    turn_until(b, b->failed);
    assert_int_equal(b->why, VA_ECLOSED);
    assert_int_equal(b->failed, 1);
}

static void closed_at_any_moment(void **state)
{
    struct bench *b = *state;
    open_leg(b);
    leg_rtp.close(&b->leg);
    open_leg(b);
    fs_hears_bridge(b);
    for (int i = 0; i < 8; i++)
        api_says(b, "+OK\n"); /* of the one that was closed */
    leg_rtp.close(&b->leg);
}

static void a_digit_is_told(void **state)
{
    struct bench *b = *state;
    flowing(b);
    uint8_t p[16] = {
        0x80, 0x80 | 101, (uint8_t)(b->seq >> 8), (uint8_t)b->seq, 0, 0, 0, 0, 0, 0, 0, 7, 5, 10,
        0,    160};
    uint32_t ts = (uint32_t)b->seq++ * FRAME;
    for (int i = 0; i < 4; i++)
        p[4 + i] = (uint8_t)(ts >> (24 - 8 * i));
    assert_int_equal(udp_send(b->fs_rtp, &b->leg_rtp, p, sizeof(p)), VA_OK);
    turn_until(b, b->digits);
    assert_int_equal(b->digit, '5');
}

static void who_cannot_use_it(void **state)
{
    struct bench *b = *state;
    struct leg_env none = {0};
    b->cfg.env = &none;
    assert_int_equal(leg_rtp.open(&b->cfg, &handlers, b, &b->leg), VA_ENOTSUP);
    b->cfg.env = &b->env;
    b->cfg.rate_hz = 11025;
    assert_int_equal(leg_rtp.open(&b->cfg, &handlers, b, &b->leg), VA_ENOTSUP);
    b->cfg.rate_hz = 8000;
    b->cfg.busy = true;
    assert_int_equal(leg_rtp.open(&b->cfg, &handlers, b, &b->leg), VA_ENOTSUP);
    b->cfg.busy = false;
    b->cfg.control = NULL;
    assert_int_equal(leg_rtp.open(&b->cfg, &handlers, b, &b->leg), VA_ENOTSUP);
    b->cfg.control = b->g->s;
    (void)str_copy(b->settings.sip_profile, SETTING_TEXT_MAX, str_of("in ternal"));
    assert_int_equal(leg_rtp.open(&b->cfg, &handlers, b, &b->leg), VA_ECONFIG);
    assert_null(b->leg);
}

/* ---- direct calls ---------------------------------------------------------------------------- */

static void direct(struct bench *b, const char *sdp)
{
    (void)snprintf(b->token_uri, sizeof(b->token_uri), "sip:8000@127.0.0.1:%u", sip_ua_port(b->ua));
    fs_calls(b, sdp);
    turn_until(b, b->dialog);
    b->cfg.control = NULL;
    b->cfg.parked = false;
    b->cfg.sip_call = b->dialog;
    open_leg(b);
}

static void a_direct_call_is_answered(void **state)
{
    struct bench *b = *state;
    direct(b, fs_sdp(b, ""));
    turn_until(b, b->started && b->loud > 20 && b->fs_loud > 20);
    leg_rtp.release(b->leg);
    turn_until(b, b->released);
    assert_int_equal(b->fs_ended, 0); /* the dialog is not the leg's */
}

static void a_direct_call_by_srtp(void **state)
{
    struct bench *b = *state;
    direct(b, "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:3 "
              "AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR\r\n");
    turn_until(b, b->fs_answers);
    assert_true(b->fs_seen.audio[0].secure);
    assert_int_equal(b->fs_seen.audio[0].crypto[0].tag, 3);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    T(a_bridge_brings_audio_both_ways),
    T(release_ends_the_bridge_and_puts_back),
    T(release_before_the_call_came),
    T(release_that_is_not_answered_is_given_up),
    T(a_refused_bridge_is_told_with_its_cause),
    T(no_call_is_a_time_limit),
    T(no_audio_is_a_time_limit),
    T(a_bridge_that_is_known_to_bring_audio_begins_at_once),
    T(audio_that_stops_is_told_but_not_on_hold),
    T(a_silence_that_was_announced_is_not_the_end),
    T(a_digit_may_end_the_leg),
    T(a_caller_who_does_not_speak_first_is_heard),
    T(bye_waits_for_what_the_socket_says),
    T(closed_at_any_moment),
    T(a_digit_is_told),
    T(who_cannot_use_it),
    T(a_direct_call_is_answered),
    T(a_direct_call_by_srtp),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
