/* call/server: births of every kind through real ports and real workers: limit, drain, one call per
 * channel. */
#include "unit/call_rig.h"
#include "call/server.h"
#include "leg/sip_ua.h"
#include "leg/ws_hub.h"

static struct call_server *server;
static struct ws_hub *hub;
static struct sip_ua *ours, *phones;
static struct settings phone_settings;
static struct tcp_listener *esl_port; /* takes connections and says nothing */
static int esl_fd = -1, fs_fd = -1, modules[2] = {-1, -1};
static bool idle;

/* ---- ports ------------------------------------------------------------------------------------
 */

static void on_control(void *arg, int fd, const struct net_addr *peer)
{
    (void)arg, (void)peer;
    if (esl_fd >= 0)
        (void)close(esl_fd);
    esl_fd = fd;
}

static void on_stream(void *arg, struct ws_stream *stream)
{
    (void)arg;
    call_server_take_stream(server, stream);
}

static void on_incoming(void *arg, struct sip_incoming *in)
{
    (void)arg;
    call_server_take_sip(server, in);
}

static int connected_to(const struct net_addr *a)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, &a->u.sa, sizeof(a->u.v4)), 0);
    return fd;
}

/* What came back until the other side closed. */
static const char *refusal(struct call_rig *g, int fd)
{
    static char text[600];
    size_t n = 0;
    for (;;) {
        ssize_t got = recv(fd, text + n, sizeof(text) - 1 - n, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            break;
        if (got > 0)
            n += (size_t)got;
        else
            loop_turn(g->loop, false);
    }
    text[n] = 0;
    return text;
}

static struct call_server_stats stats(void)
{
    struct call_server_stats st;
    call_server_stats(server, &st);
    return st;
}

/* FreeSWITCH's socket application: connects and stays silent. */
static void socket_comes(struct call_rig *g)
{
    struct net_addr a;
    uint64_t before = stats().taken[BIRTH_SOCKET];
    call_server_addr(server, &a);
    fs_fd = connected_to(&a);
    while (stats().taken[BIRTH_SOCKET] == before)
        loop_turn(g->loop, true);
}

static void stream_comes(struct call_rig *g, int which, const char *uuid)
{
    char request[400];
    struct net_addr a;
    struct call_server_stats before = stats();
    ws_hub_addr(hub, &a);
    modules[which] = connected_to(&a);
    int n = snprintf(request, sizeof(request),
                     "GET /stream/default/%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     "Sec-WebSocket-Version: 13\r\n\r\n",
                     uuid);
    assert_int_equal(write(modules[which], request, (size_t)n), n);
    while (stats().taken[BIRTH_STREAM] == before.taken[BIRTH_STREAM] &&
           stats().refused == before.refused)
        loop_turn(g->loop, true);
}

static void on_ended(void *arg, const struct sip_end *end)
{
    *(int *)arg = end->status;
}

static int dialled(struct call_rig *g)
{
    static const struct sip_call_handlers handlers = {.on_ended = on_ended};
    char to[80];
    struct sip_call *call = NULL;
    int status = 0;
    (void)snprintf(to, sizeof(to), "sip:700@127.0.0.1:%u", sip_ua_port(ours));
    const struct sip_place place = {
        to, NULL, NULL,
        str_of("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
               "m=audio 4000 RTP/AVP 0\r\n")};
    assert_int_equal(sip_call_place(phones, g->loop, &place, &handlers, &status, &call), VA_OK);
    while (!status)
        loop_turn(g->loop, true);
    sip_call_close(&call);
    return status;
}

static void until_running(struct call_rig *g, size_t count)
{
    while (stats().running != count)
        loop_turn(g->loop, true);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void a_full_house_sends_each_away_in_its_own_way(void **state)
{
    struct call_rig *g = *state;
    struct net_addr a;
    g->settings.esl_max_connections = 1;
    socket_comes(g);
    int first = fs_fd;
    call_server_addr(server, &a);
    fs_fd = connected_to(&a);
    assert_string_equal(refusal(g, fs_fd), "");
    (void)close(fs_fd);
    fs_fd = first;
    stream_comes(g, 0, CALL_UUID);
    const char *said = refusal(g, modules[0]);
    assert_non_null(strstr(said, "503"));
    assert_non_null(strstr(said, "ESL_MAX_CONNECTIONS"));
    assert_int_equal(dialled(g), 503);
    assert_int_equal(stats().running, 1);
    assert_int_equal(stats().refused, 3);
    (void)close(fs_fd); /* and when it is gone there is room again */
    fs_fd = -1;
    until_running(g, 0);
    stream_comes(g, 1, CALL_UUID);
    assert_int_equal(stats().taken[BIRTH_STREAM], 1);
    assert_int_equal(stats().running, 1);
}

static void a_channel_has_one_call(void **state)
{
    struct call_rig *g = *state;
    stream_comes(g, 0, CALL_UUID);
    stream_comes(g, 1, CALL_UUID);
    assert_non_null(strstr(refusal(g, modules[1]), "503"));
    assert_int_equal(stats().taken[BIRTH_STREAM], 1);
    assert_int_equal(stats().refused, 1);
    (void)close(modules[1]);
    stream_comes(g, 1, "99999999-2222-3333-4444-555555555555");
    assert_int_equal(stats().taken[BIRTH_STREAM], 2);
    while (esl_fd < 0)
        loop_turn(g->loop, true);
    (void)close(esl_fd); /* one of the two is over; both when the other's connection goes, too */
    esl_fd = -1;
    tcp_listener_close(&esl_port);
    call_server_abort(server);
    until_running(g, 0);
    (void)close(modules[0]);
    stream_comes(g, 0, CALL_UUID); /* and then it may come again */
    assert_int_equal(stats().taken[BIRTH_STREAM], 3);
}

static void on_idle(void *arg)
{
    (void)arg;
    idle = true;
}

static void while_draining_nothing_is_born(void **state)
{
    struct call_rig *g = *state;
    struct net_addr a;
    socket_comes(g);
    call_server_addr(server, &a);
    call_server_drain(server, 100000, on_idle, NULL);
    stream_comes(g, 0, CALL_UUID);
    assert_non_null(strstr(refusal(g, modules[0]), "stopping"));
    assert_int_equal(dialled(g), 503);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, &a.u.sa, sizeof(a.u.v4)), -1); /* the port is closed */
    (void)close(fd);
    assert_false(idle);
    assert_int_equal(stats().running, 1);
    (void)close(fs_fd);
    fs_fd = -1;
    while (!idle)
        loop_turn(g->loop, true);
}

static void an_abort_ends_calls_of_every_birth(void **state)
{
    struct call_rig *g = *state;
    socket_comes(g);
    stream_comes(g, 0, CALL_UUID);
    assert_int_equal(stats().running, 2);
    call_server_drain(server, 100000, on_idle, NULL);
    call_server_abort(server);
    while (!idle)
        loop_turn(g->loop, true);
    assert_non_null(strstr(refusal(g, modules[0]), "503"));
    assert_string_equal(call_mode_name(1), "rtp");
    assert_int_equal(stats().no_audio, 0);
}

/* ---- a test's own ends ------------------------------------------------------------------------
 */

static void load(struct settings *s)
{
    struct va_fault fault;
    char *const none[] = {NULL};
    assert_int_equal(settings_load("/dev/null", none, s, &fault), VA_OK);
    s->sip_port = s->ws_port = s->esl_server_port = 0;
    s->workers = 2;
    (void)str_copy(s->sip_host, SETTING_TEXT_MAX, str_of("127.0.0.1"));
    (void)str_copy(s->ws_host, SETTING_TEXT_MAX, str_of("127.0.0.1"));
    (void)str_copy(s->esl_server_host, SETTING_TEXT_MAX, str_of("127.0.0.1"));
    (void)str_copy(s->audio_mode, SETTING_TEXT_MAX, str_of("websocket"));
}

static int set_up(void **state)
{
    struct va_fault fault = {0};
    struct net_addr a;
    struct settings full;
    int failed = rig_set_up(state);
    struct call_rig *g = *state;
    idle = false;
    load(&phone_settings);
    load(&full);
    memcpy(full.data_dir, g->settings.data_dir, sizeof(full.data_dir));
    full.sip_allow_direct = 1;
    g->settings = full;
    open_store(g);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &a), VA_OK);
    assert_int_equal(tcp_listen(g->loop, &a, on_control, g, &esl_port, &fault), VA_OK);
    tcp_listener_addr(esl_port, &a);
    g->settings.esl_port = net_addr_port(&a);
    const struct sip_ua_cfg our = {&g->settings, g->loop, on_incoming, g, false};
    const struct sip_ua_cfg their = {&phone_settings, g->loop, NULL, NULL, false};
    if (call_server_start(g->loop, &g->env, &server, &fault) ||
        ws_hub_open(g->loop, &g->settings, &(struct ws_hub_handlers){on_stream}, g, &hub, &fault) ||
        sip_ua_start(&our, &ours, &fault) || sip_ua_start(&their, &phones, &fault))
        fail_msg("%s", fault.text);
    return failed;
}

static int tear_down(void **state)
{
    struct call_rig *g = *state;
    int *const fds[] = {&esl_fd, &fs_fd, &modules[0], &modules[1]};
    call_server_abort(server);
    until_running(g, 0);
    for (size_t i = 0; i < 4; i++) {
        if (*fds[i] >= 0)
            (void)close(*fds[i]);
        *fds[i] = -1;
    }
    store_close(&g->store);
    loop_thread_stop(&g->disk);
    call_server_stop(&server);
    sip_ua_stop(&phones);
    sip_ua_stop(&ours);
    ws_hub_close(&hub);
    tcp_listener_close(&esl_port);
    return rig_tear_down(state);
}

#define SERVER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(int argc, char **argv)
{
    rig_main(argc, argv);
    const struct CMUnitTest tests[] = {
        SERVER_TEST(a_full_house_sends_each_away_in_its_own_way),
        SERVER_TEST(a_channel_has_one_call),
        SERVER_TEST(while_draining_nothing_is_born),
        SERVER_TEST(an_abort_ends_calls_of_every_birth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
