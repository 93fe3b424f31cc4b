/* leg/unicast: against a scripted FreeSWITCH on one loop: its control socket and its UDP socket. */
#include "leg/unicast.h"
#include "media/format.h"
#include "net/udp.h"

#include "unit/esl_rig.h"

enum {
    RTP_MIN = 20000,
    RTP_MAX = 20999,
    FS_MIN = 23000,
    FS_MAX = 24999,
    START_MS = 100,
    LOST_MS = 60,
    DATAGRAM_MAX = 8192
};

/* One leg; what it told, and what FreeSWITCH's side got from it. */
struct bench {
    struct rig *g;
    struct settings settings;
    struct leg_cfg cfg;
    struct leg *leg;
    struct net_addr fs_addr, leg_addr; /* as the unicast command said */
    struct udp_sock *fs;
    size_t fs_datagrams, fs_bytes;
    int16_t fs_first;

    const char *close_in; /* "started", "frame", "failed": the handler that closes the leg */
    struct leg_format format;
    unsigned started, frames, silences, failed;
    size_t frame_count;
    int16_t first;
    enum va_err why;
    char cause[400];
};

static void maybe_close(struct bench *b, const char *where)
{
    if (b->close_in && strcmp(b->close_in, where) == 0)
        leg_unicast.close(&b->leg);
}

static void on_started(void *arg, const struct leg_format *format)
{
    struct bench *b = arg;
    b->format = *format;
    b->started++;
    maybe_close(b, "started");
}

static void on_frame(void *arg, const int16_t *samples, size_t count, bool silence)
{
    struct bench *b = arg;
    b->frames++;
    b->silences += silence;
    b->frame_count = count;
    b->first = samples[0];
    assert_int_equal(b->started, 1);
    maybe_close(b, "frame");
}

static void on_failed(void *arg, enum va_err why, const char *cause)
{
    struct bench *b = arg;
    b->failed++;
    b->why = why;
    (void)snprintf(b->cause, sizeof(b->cause), "%s", cause);
    maybe_close(b, "failed");
}

static const struct leg_handlers handlers = {
    .on_started = on_started,
    .on_frame = on_frame,
    .on_failed = on_failed,
};

static struct net_addr addr_of(const char *ip, uint16_t port)
{
    struct net_addr a;
    assert_int_equal(net_addr_parse(ip, port, &a), VA_OK);
    return a;
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    b->g = rig_connected_new(NULL);
    b->settings = (struct settings){.rtp_port_min = RTP_MIN,
                                    .rtp_port_max = RTP_MAX,
                                    .rtp_bind_address = "127.0.0.1",
                                    .unicast_port_min = FS_MIN,
                                    .unicast_port_max = FS_MAX,
                                    .media_start_timeout_ms = START_MS,
                                    .media_lost_timeout_ms = 10000};
    b->cfg = (struct leg_cfg){.loop = b->g->loop,
                              .control = b->g->s,
                              .settings = &b->settings,
                              .rate_hz = 8000,
                              .parked = true,
                              .control_local = addr_of("127.0.0.1", 8022),
                              .control_peer = addr_of("127.0.0.1", 40000)};
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    leg_unicast.close(&b->leg);
    udp_close(&b->fs);
    rig_free(b->g);
    free(b);
    return 0;
}

static void on_fs(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    struct bench *b = arg;
    b->fs_datagrams++;
    b->fs_bytes += len;
    if (len >= sizeof(b->fs_first))
        memcpy(&b->fs_first, p, sizeof(b->fs_first));
    assert_true(net_addr_eq(from, &b->leg_addr));
}

static void hear_address(struct rig *g, const char *side, struct net_addr *ret)
{
    char ip[NET_ADDR_TEXT], port[8], header[24];
    (void)snprintf(header, sizeof(header), "%s-ip: ", side);
    rig_hears_value(g, header, ip, sizeof(ip));
    (void)snprintf(header, sizeof(header), "%s-port: ", side);
    rig_hears_value(g, header, port, sizeof(port));
    *ret = addr_of(ip, (uint16_t)strtoul(port, NULL, 10));
}

/* Open the leg and hear where FreeSWITCH is told to listen and to send. */
static void leg_up(struct bench *b)
{
    assert_int_equal(leg_unicast.open(&b->cfg, &handlers, b, &b->leg), VA_OK);
    rig_hears(b->g, "sendmsg\ncall-command: unicast\n");
    hear_address(b->g, "local", &b->fs_addr);
    hear_address(b->g, "remote", &b->leg_addr);
    rig_hears(b->g, "\ntransport: udp\n\n");
}

static void fs_up(struct bench *b)
{
    assert_int_equal(udp_open(b->g->loop, &b->fs_addr, on_fs, b, &b->fs), VA_OK);
    rig_says(b->g, RIG_REPLY);
}

static void fs_sends_from(struct bench *b, struct udp_sock *sock, int fill, size_t bytes)
{
    char frame[DATAGRAM_MAX];
    memset(frame, fill, sizeof(frame));
    assert_int_equal(udp_send(sock, &b->leg_addr, frame, bytes), VA_OK);
}

static void fs_sends(struct bench *b, int fill, size_t bytes)
{
    fs_sends_from(b, b->fs, fill, bytes);
}

static void wait_frames(struct bench *b, unsigned count)
{
    while (b->frames < count)
        loop_turn(b->g->loop, true);
}

static struct leg_stats stats_of(const struct bench *b)
{
    struct leg_stats st;
    leg_unicast.stats(b->leg, &st);
    return st;
}

/* Until the leg failed; it must have asked for unicast just once. */
static void wait_failed(struct bench *b)
{
    while (!b->failed)
        loop_turn(b->g->loop, true);
    for (int i = 0; i < 3; i++)
        loop_turn(b->g->loop, false);
    assert_int_equal(b->failed, 1);
    if (b->g->heard.len)
        assert_null(memmem(b->g->heard.p, b->g->heard.len, "unicast", 7));
}

/* ---- what FreeSWITCH is told ------------------------------------------------------------------
 */

static void is_ip(const struct net_addr *a, const char *want)
{
    char ip[NET_ADDR_TEXT];
    net_addr_ip(a, ip);
    assert_string_equal(ip, want);
}

static void addresses_default_to_the_control_socket(void **state)
{
    struct bench *b = *state;
    (void)str_copy(b->settings.rtp_bind_address, SETTING_TEXT_MAX, str_of("0.0.0.0"));
    b->cfg.control_local = addr_of("127.0.0.3", 8022);
    b->cfg.control_peer = addr_of("127.0.0.4", 40000);
    leg_up(b);
    is_ip(&b->fs_addr, "127.0.0.4");
    is_ip(&b->leg_addr, "127.0.0.3");
    assert_in_range(net_addr_port(&b->fs_addr), FS_MIN, FS_MAX);
    assert_in_range(net_addr_port(&b->leg_addr), RTP_MIN, RTP_MAX);
}

static void addresses_of_the_settings_win(void **state)
{
    struct bench *b = *state;
    (void)str_copy(b->settings.freeswitch_rtp_ip, SETTING_TEXT_MAX, str_of("10.1.2.3"));
    (void)str_copy(b->settings.rtp_advertise_address, SETTING_TEXT_MAX, str_of("192.0.2.9"));
    leg_up(b);
    is_ip(&b->fs_addr, "10.1.2.3");
    is_ip(&b->leg_addr, "192.0.2.9");
}

static void audio_is_asked_for_where_it_can_come(void **state)
{
    struct bench *b = *state;
    (void)str_copy(b->settings.rtp_bind_address, SETTING_TEXT_MAX, str_of("127.0.0.5"));
    leg_up(b);
    is_ip(&b->leg_addr, "127.0.0.5");
}

static void an_address_that_is_none_is_refused(void **state)
{
    struct bench *b = *state;
    (void)str_copy(b->settings.freeswitch_rtp_ip, SETTING_TEXT_MAX, str_of("pbx.example"));
    assert_int_equal(leg_unicast.open(&b->cfg, &handlers, b, &b->leg), VA_EINVAL);
    b->settings.freeswitch_rtp_ip[0] = 0;
    (void)str_copy(b->settings.rtp_advertise_address, SETTING_TEXT_MAX, str_of("x"));
    assert_int_equal(leg_unicast.open(&b->cfg, &handlers, b, &b->leg), VA_EINVAL);
    b->settings.rtp_advertise_address[0] = 0;
    (void)str_copy(b->settings.rtp_bind_address, SETTING_TEXT_MAX, str_of("x"));
    assert_int_equal(leg_unicast.open(&b->cfg, &handlers, b, &b->leg), VA_EINVAL);
    assert_null(b->leg);
}

/* A listener on :: sees its IPv4 peers as ::ffff:…; the audio socket is an IPv4 one. */
static void an_ipv4_mapped_control_socket_carries_audio(void **state)
{
    struct bench *b = *state;
    b->cfg.control_local = addr_of("::ffff:127.0.0.1", 8022);
    b->cfg.control_peer = addr_of("::ffff:127.0.0.1", 40000);
    leg_up(b);
    is_ip(&b->fs_addr, "127.0.0.1");
    fs_up(b);
    fs_sends(b, 1, 320);
    wait_frames(b, 1);
    static const int16_t frame[160] = {5};
    leg_unicast.send(b->leg, frame, 160);
    assert_int_equal(stats_of(b).send_fails, 0);
    while (!b->fs_datagrams)
        loop_turn(b->g->loop, true);
}

static void legs_take_different_ports(void **state)
{
    struct bench *b = *state;
    struct leg *first;
    leg_up(b);
    first = b->leg;
    struct net_addr fs = b->fs_addr, leg = b->leg_addr;
    leg_up(b);
    assert_int_not_equal(net_addr_port(&fs), net_addr_port(&b->fs_addr));
    assert_int_not_equal(net_addr_port(&leg), net_addr_port(&b->leg_addr));
    leg_unicast.close(&first);
    assert_null(first);
}

static void on_nothing(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    (void)arg, (void)from, (void)p, (void)len;
}

static void an_exhausted_port_range_is_told(void **state)
{
    struct bench *b = *state;
    struct net_addr any = addr_of("127.0.0.1", 0);
    assert_int_equal(udp_open(b->g->loop, &any, on_nothing, NULL, &b->fs), VA_OK);
    b->settings.rtp_port_min = b->settings.rtp_port_max = udp_port(b->fs);
    assert_int_equal(leg_unicast.open(&b->cfg, &handlers, b, &b->leg), VA_ELIMIT);
    assert_null(b->leg);
    udp_close(&b->fs);
    leg_up(b); /* the port is free now, and nothing of the failure was left behind */
    assert_int_equal(net_addr_port(&b->leg_addr), b->settings.rtp_port_min);
}

static void a_rate_we_cannot_carry_is_refused(void **state)
{
    struct bench *b = *state;
    static const int rates[] = {0, 11025, 32000, 44100, 96000};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        b->cfg.rate_hz = rates[i];
        assert_int_equal(leg_unicast.open(&b->cfg, &handlers, b, &b->leg), VA_ENOTSUP);
    }
    assert_null(b->leg);
}

/* ---- frames -----------------------------------------------------------------------------------
 */

static void the_first_frame_tells_the_format(void **state)
{
    struct bench *b = *state;
    static const struct {
        int rate_hz;
        size_t bytes;
        int ptime_ms;
    } cases[] = {{8000, 320, 20}, {16000, 640, 20}, {48000, 1920, 20}, {8000, 480, 30},
                 {8000, 160, 10}, {8000, 640, 40},  {48000, 5760, 60}, {24000, 960, 20}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        b->started = b->frames = 0;
        b->cfg.rate_hz = cases[i].rate_hz;
        leg_up(b);
        fs_up(b);
        fs_sends(b, 1, cases[i].bytes);
        fs_sends(b, 2, cases[i].bytes);
        wait_frames(b, 2);
        assert_int_equal(b->format.rate_hz, cases[i].rate_hz);
        assert_int_equal(b->format.ptime_ms, cases[i].ptime_ms);
        assert_int_equal(b->frame_count, cases[i].bytes / 2);
        assert_int_equal(b->first, 0x0202);
        assert_int_equal(stats_of(b).frames_in, 2);
        leg_unicast.close(&b->leg);
        udp_close(&b->fs);
    }
}

static void strangers_are_never_heard(void **state)
{
    struct bench *b = *state;
    struct udp_sock *other_port = NULL, *other_ip = NULL;
    struct net_addr a = addr_of("127.0.0.1", 0);
    leg_up(b);
    fs_up(b);
    assert_int_equal(udp_open(b->g->loop, &a, on_nothing, NULL, &other_port), VA_OK);
    a = addr_of("127.0.0.2", net_addr_port(&b->fs_addr));
    assert_int_equal(udp_open(b->g->loop, &a, on_nothing, NULL, &other_ip), VA_OK);
    fs_sends_from(b, other_port, 7, 320);
    fs_sends_from(b, other_ip, 7, 640); /* nor may they choose the format */
    fs_sends(b, 1, 320);
    wait_frames(b, 1);
    fs_sends_from(b, other_port, 7, 320);
    fs_sends_from(b, other_ip, 7, 320);
    fs_sends_from(b, other_ip, 7, 0);
    fs_sends(b, 2, 320);
    wait_frames(b, 2);
    while (stats_of(b).foreign <
           5) /* they come by another descriptor, in no order with the frames */
        loop_turn(b->g->loop, true);
    assert_int_equal(b->format.ptime_ms, 20);
    assert_int_equal(b->frames, 2);
    assert_int_equal(stats_of(b).foreign, 5);
    assert_int_equal(stats_of(b).bad_size, 0);
    udp_close(&other_port);
    udp_close(&other_ip);
}

static void what_is_not_one_frame_is_dropped(void **state)
{
    struct bench *b = *state;
    static const size_t before[] = {0, 1, 2, 100, 321, 5762, 8192},
                        after[] = {0, 1, 2, 160, 319, 321, 640, 5760, 5762, 8192};
    size_t wrong = sizeof(before) / sizeof(before[0]);
    leg_up(b);
    fs_up(b);
    for (size_t i = 0; i < wrong; i++)
        fs_sends(b, 1, before[i]);
    fs_sends(b, 1, 320);
    wait_frames(b, 1);
    assert_int_equal(stats_of(b).bad_size, wrong);
    for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++, wrong++)
        fs_sends(b, 1, after[i]);
    fs_sends(b, 2, 320);
    wait_frames(b, 2);
    assert_int_equal(b->frames, 2);
    assert_int_equal(stats_of(b).bad_size, wrong);
    assert_int_equal(stats_of(b).foreign, 0);
}

static void a_filled_frame_is_marked_silence(void **state)
{
    struct bench *b = *state;
    leg_up(b);
    fs_up(b);
    fs_sends(b, 0xff, 320);
    fs_sends(b, 0, 320);
    wait_frames(b, 2);
    assert_int_equal(b->silences, 1);
    int16_t almost[160];
    memset(almost, 0xff, sizeof(almost));
    almost[159] = 0;
    assert_int_equal(udp_send(b->fs, &b->leg_addr, almost, sizeof(almost)), VA_OK);
    wait_frames(b, 3);
    assert_int_equal(b->silences, 1);
}

static void only_whole_frames_are_sent(void **state)
{
    struct bench *b = *state;
    static const int16_t frame[320] = {77};
    leg_up(b);
    fs_up(b);
    leg_unicast.send(b->leg, frame, 160); /* before FreeSWITCH told what a frame is */
    leg_unicast.send(b->leg, frame, 0);   /* an empty datagram would end its playback for good */
    fs_sends(b, 1, 320);
    wait_frames(b, 1);
    static const size_t wrong[] = {0, 1, 80, 159, 161, 320};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        leg_unicast.send(b->leg, frame, wrong[i]);
    leg_unicast.send(b->leg, frame, 160);
    while (!b->fs_datagrams)
        loop_turn(b->g->loop, true);
    assert_int_equal(b->fs_datagrams, 1);
    assert_int_equal(b->fs_bytes, 320);
    assert_int_equal(b->fs_first, 77);
    assert_int_equal(stats_of(b).frames_out, 1);
    assert_int_equal(stats_of(b).send_fails, 0);
}

/* ---- failures ---------------------------------------------------------------------------------
 */

static void cause_names_both_addresses(const struct bench *b)
{
    char fs[NET_ADDR_TEXT], leg[NET_ADDR_TEXT];
    net_addr_text(&b->fs_addr, fs);
    net_addr_text(&b->leg_addr, leg);
    assert_non_null(strstr(b->cause, fs));
    assert_non_null(strstr(b->cause, leg));
}

static void no_audio_fails_and_says_where(void **state)
{
    struct bench *b = *state;
    leg_up(b);
    fs_up(b);
    fs_sends(b, 1, 321); /* garbage is no audio */
    wait_failed(b);
    assert_int_equal(b->why, VA_ETIMEOUT);
    assert_int_equal(b->started, 0);
    cause_names_both_addresses(b);
    assert_null(strstr(b->cause, "NAT"));
    fs_sends(b, 1, 320); /* too late: it stays failed, and nothing is heard or sent */
    static const int16_t frame[160];
    for (int i = 0; i < 3; i++)
        loop_turn(b->g->loop, false);
    leg_unicast.send(b->leg, frame, 160);
    assert_int_equal(b->started + b->frames, 0);
    assert_int_equal(stats_of(b).frames_out, 0);
}

static void audio_from_elsewhere_is_called_nat(void **state)
{
    struct bench *b = *state;
    struct net_addr a = addr_of("127.0.0.2", 0);
    leg_up(b);
    rig_says(b->g, RIG_REPLY);
    assert_int_equal(udp_open(b->g->loop, &a, on_nothing, NULL, &b->fs), VA_OK);
    fs_sends(b, 1, 320);
    wait_failed(b);
    assert_int_equal(b->why, VA_ETIMEOUT);
    assert_non_null(strstr(b->cause, "NAT"));
}

static void audio_that_stops_fails(void **state)
{
    struct bench *b = *state;
    b->settings.media_lost_timeout_ms = LOST_MS;
    leg_up(b);
    fs_up(b);
    fs_sends(b, 1, 320);
    wait_frames(b, 1);
    assert_int_equal(b->failed, 0);
    wait_failed(b);
    assert_int_equal(b->why, VA_ETIMEOUT);
    assert_non_null(strstr(b->cause, "stopped"));
    cause_names_both_addresses(b);
}

static void a_refused_unicast_fails(void **state)
{
    struct bench *b = *state;
    leg_up(b);
    rig_says(b->g, "Content-Type: command/reply\nReply-Text: -ERR no such media\n\n");
    wait_failed(b);
    assert_int_equal(b->why, VA_EREFUSED);
    assert_non_null(strstr(b->cause, "-ERR no such media"));
    assert_int_equal(b->started, 0);
}

/* The end of the control socket is told by the session; the leg has no second opinion. */
static void a_lost_control_socket_is_not_a_refusal(void **state)
{
    struct bench *b = *state;
    leg_up(b);
    tcp_close(&b->g->peer);
    rig_sees(b->g, "closed");
    assert_int_equal(b->failed, 0);
}

static void opening_on_a_dead_session_fails(void **state)
{
    struct bench *b = *state;
    tcp_close(&b->g->peer);
    rig_sees(b->g, "closed");
    assert_int_equal(leg_unicast.open(&b->cfg, &handlers, b, &b->leg), VA_ECLOSED);
    assert_null(b->leg);
}

/* ---- closing ----------------------------------------------------------------------------------
 */

static void closing_in_on_started_is_safe(void **state)
{
    struct bench *b = *state;
    b->close_in = "started";
    leg_up(b);
    fs_up(b);
    fs_sends(b, 1, 320);
    fs_sends(b, 1, 320);
    while (b->leg)
        loop_turn(b->g->loop, true);
    loop_turn(b->g->loop, false);
    assert_int_equal(b->started, 1);
    assert_int_equal(b->frames, 0);
}

static void closing_in_on_frame_is_safe(void **state)
{
    struct bench *b = *state;
    b->close_in = "frame";
    leg_up(b);
    fs_up(b);
    fs_sends(b, 1, 320);
    fs_sends(b, 1, 320);
    while (b->leg)
        loop_turn(b->g->loop, true);
    loop_turn(b->g->loop, false);
    assert_int_equal(b->frames, 1);
}

static void closing_in_on_failed_is_safe(void **state)
{
    struct bench *b = *state;
    b->close_in = "failed";
    leg_up(b); /* silence */
    wait_failed(b);
    assert_null(b->leg);
    b->failed = 0;
    rig_says(b->g, RIG_REPLY);
    leg_up(b); /* refusal */
    rig_says(b->g, "Content-Type: command/reply\nReply-Text: -ERR no\n\n");
    wait_failed(b);
    assert_null(b->leg);
    b->failed = 0;
    b->settings.media_lost_timeout_ms = LOST_MS;
    leg_up(b); /* audio that stops */
    fs_up(b);
    fs_sends(b, 1, 320);
    wait_failed(b);
    assert_null(b->leg);
}

static void an_answer_after_close_finds_nobody(void **state)
{
    struct bench *b = *state;
    leg_up(b);
    leg_unicast.close(&b->leg);
    leg_unicast.close(&b->leg);
    rig_says(b->g, "Content-Type: command/reply\nReply-Text: -ERR no\n\n");
    assert_int_equal(esl_session_command(b->g->s, str_of("nolinger"), rig_then(b->g, 0)), VA_OK);
    rig_says(b->g, RIG_REPLY);
    rig_sees(b->g, "r0 VA_OK");
    assert_int_equal(b->failed, 0);
}

static void legs_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(leg_find("esl"), &leg_unicast);
    static const char *const others[] = {"rtp", "dual", "websocket"};
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(leg_find(others[i])->name, others[i]);
    assert_null(leg_find("none"));
    assert_null(leg_find(""));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* FreeSWITCH says +OK to a port that is taken over there, and then no audio comes. */
static void no_two_calls_get_one_port(void **state)
{
    struct bench *b = *state;
    struct leg *second = NULL, *third = NULL;
    b->settings.unicast_port_max = FS_MIN + 1;
    leg_up(b);
    struct net_addr first = b->fs_addr;
    assert_int_equal(leg_unicast.open(&b->cfg, &handlers, b, &second), VA_OK);
    hear_address(b->g, "local", &b->fs_addr);
    assert_false(net_addr_eq(&first, &b->fs_addr));
    assert_int_equal(leg_unicast.open(&b->cfg, &handlers, b, &third), VA_ELIMIT);
    leg_unicast.close(&b->leg);
    assert_int_equal(leg_unicast.open(&b->cfg, &handlers, b, &third), VA_OK);
    hear_address(b->g, "local", &b->fs_addr);
    assert_true(net_addr_eq(&first, &b->fs_addr));
    leg_unicast.close(&second);
    leg_unicast.close(&third);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(addresses_default_to_the_control_socket),
        TEST(addresses_of_the_settings_win),
        TEST(audio_is_asked_for_where_it_can_come),
        TEST(an_address_that_is_none_is_refused),
        TEST(an_ipv4_mapped_control_socket_carries_audio),
        TEST(legs_take_different_ports),
        TEST(an_exhausted_port_range_is_told),
        TEST(no_two_calls_get_one_port),
        TEST(a_rate_we_cannot_carry_is_refused),
        TEST(the_first_frame_tells_the_format),
        TEST(strangers_are_never_heard),
        TEST(what_is_not_one_frame_is_dropped),
        TEST(a_filled_frame_is_marked_silence),
        TEST(only_whole_frames_are_sent),
        TEST(no_audio_fails_and_says_where),
        TEST(audio_from_elsewhere_is_called_nat),
        TEST(audio_that_stops_fails),
        TEST(a_refused_unicast_fails),
        TEST(a_lost_control_socket_is_not_a_refusal),
        TEST(opening_on_a_dead_session_fails),
        TEST(closing_in_on_started_is_safe),
        TEST(closing_in_on_frame_is_safe),
        TEST(closing_in_on_failed_is_safe),
        TEST(an_answer_after_close_finds_nobody),
        cmocka_unit_test(legs_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
