/* call/: calls that begin with a stream. The port of the streams is the real one, their leg is
 * scripted, FreeSWITCH is called by us. */
#include "unit/call_rig.h"
#include "leg/ws_hub.h"

static struct tcp_listener *esl_port;
static struct ws_hub *hub;
static int module = -1; /* mod_audio_stream's socket */
static enum va_err born;
static struct leg *the_leg;

/* ---- the leg ----------------------------------------------------------------------------------
 */

struct leg {
    const struct leg_handlers *h;
    void *arg;
    struct ws_stream *stream;
};

static enum va_err fake_leg_open(const struct leg_cfg *cfg, const struct leg_handlers *h, void *arg,
                                 struct leg **ret_leg)
{
    if (!cfg->stream)
        return VA_ENOTSUP;
    the_leg = *ret_leg = calloc(1, sizeof(**ret_leg));
    **ret_leg = (struct leg){h, arg, cfg->stream};
    assert_non_null(cfg->control);
    assert_true(net_addr_eq(&cfg->control_peer, &ws_stream_facts(cfg->stream)->peer));
    return VA_OK;
}

static void fake_send(struct leg *leg, const int16_t *samples, size_t count)
{
    (void)leg, (void)samples, (void)count;
}

static void fake_stats(const struct leg *leg, struct leg_stats *ret_stats)
{
    (void)leg;
    *ret_stats = (struct leg_stats){0};
}

static void fake_event(struct leg *leg, const struct esl_event *ev)
{
    (void)leg;
    rig_log(&the_rig->log, "event %.*s", STR_ARG(esl_event_name(ev)));
}

static void fake_leg_close(struct leg **leg)
{
    ws_stream_refuse(&(*leg)->stream, 503, "closed");
    free(*leg);
    *leg = the_leg = NULL;
}

static const struct leg_ops fake_ws = {.name = "websocket",
                                       .open = fake_leg_open,
                                       .send = fake_send,
                                       .on_event = fake_event,
                                       .stats = fake_stats,
                                       .close = fake_leg_close};

static const struct leg_ops *find(const char *mode)
{
    return strcmp(mode, "websocket") == 0 ? &fake_ws : leg_find(mode);
}

/* ---- FreeSWITCH's two ports --------------------------------------------------------------------
 */

static void on_control(void *arg, int fd, const struct net_addr *peer)
{
    struct call_rig *g = arg;
    (void)peer;
    assert_null(g->fs.control);
    assert_int_equal(tcp_adopt(g->loop, fd, 1 << 20, &fs_handlers, g, &g->fs.control), VA_OK);
    fs_says(g, "Content-Type: auth/request\n\n");
}

static void on_stream(void *arg, struct ws_stream *stream)
{
    struct call_rig *g = arg;
    born = call_open_stream(&g->worker, stream);
}

static void open_ports(struct call_rig *g)
{
    struct net_addr a;
    struct va_fault fault = {0};
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &a), VA_OK);
    assert_int_equal(tcp_listen(g->loop, &a, on_control, g, &esl_port, &fault), VA_OK);
    tcp_listener_addr(esl_port, &a);
    g->settings.esl_port = net_addr_port(&a);
    if (ws_hub_open(g->loop, &g->settings, &(struct ws_hub_handlers){on_stream}, g, &hub, &fault))
        fail_msg("%s", fault.text);
}

static void module_connects(struct call_rig *g, const char *path)
{
    char request[400];
    struct net_addr a;
    ws_hub_addr(hub, &a);
    module = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(module, &a.u.sa, sizeof(a.u.v4)), 0);
    int n = snprintf(request, sizeof(request),
                     "GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     "Sec-WebSocket-Version: 13\r\n\r\n",
                     path);
    assert_int_equal(write(module, request, (size_t)n), n);
    while (list_empty(&g->worker.calls) && !born)
        loop_turn(g->loop, true);
}

/* What the module got back, "" when nothing. */
static const char *module_heard(struct call_rig *g)
{
    static char text[400];
    settle(g);
    ssize_t n = recv(module, text, sizeof(text) - 1, MSG_DONTWAIT);
    text[n > 0 ? n : 0] = 0;
    return text;
}

static void stream_begins(struct call_rig *g, const char *path)
{
    open_store(g);
    open_ports(g);
    module_connects(g, path);
    assert_int_equal(born, VA_OK);
}

static void reach_leg(struct call_rig *g, const char *path)
{
    stream_begins(g, path);
    until(g, &g->log, "open ");
    assert_non_null(the_leg);
}

static void reach_hello(struct call_rig *g, const char *path)
{
    reach_leg(g, path);
    the_leg->h->on_started(the_leg->arg, &(struct leg_format){8000, 20});
    until(g, &g->log, "say greeting;");
    is_state(g, CALL_GREETING);
}

#define PATH "/stream/default/" CALL_UUID

/* ---- tests ------------------------------------------------------------------------------------
 */

static void a_stream_makes_a_call(void **state)
{
    struct call_rig *g = *state;
    reach_hello(g, PATH);
    assert_string_equal(buf_z(&g->fs.log), "myevents " CALL_UUID " plain;linger 2;");
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
    assert_string_equal(query(g, "SELECT id, caller_number, called_number, tenant FROM calls"),
                        CALL_UUID "|5511987654321|700|default\n");
}

static void the_path_names_the_secretary(void **state)
{
    struct call_rig *g = *state;
    char path[200];
    g->fs.variables = "variable_secretary_uuid: somebody-else\n";
    (void)snprintf(path, sizeof(path), "/stream/%s/" CALL_UUID "/77", g->wanted->id);
    reach_leg(g, path);
    assert_string_equal(the_call(g)->lookup_key, g->wanted->id);
    assert_string_equal(the_call(g)->record.caller_number, "5511987654321"); /* better known */
}

static void without_one_the_channel_says_it(void **state)
{
    struct call_rig *g = *state;
    g->fs.variables = "variable_secretary_uuid: tester\n";
    reach_leg(g, PATH);
    assert_string_equal(the_call(g)->lookup_key, "tester");
}

static void an_event_socket_that_is_not_there_loses_the_call(void **state)
{
    struct call_rig *g = *state;
    open_store(g);
    open_ports(g);
    tcp_listener_close(&esl_port);
    module_connects(g, PATH);
    until_gone(g);
    assert_non_null(strstr(module_heard(g), "503"));
    assert_string_equal(query(g, "SELECT count(*) FROM calls"), "0\n");
}

static void a_channel_that_is_unknown_loses_the_call(void **state)
{
    struct call_rig *g = *state;
    g->fs.refuse = "myevents";
    stream_begins(g, PATH);
    until_gone(g);
    assert_non_null(strstr(module_heard(g), "503"));
}

static void it_is_given_back_where_its_dialplan_wants_it(void **state)
{
    struct call_rig *g = *state;
    g->fs.variables = "variable_current_application: park\n"
                      "variable_voice_ai_return: 200 XML default\n";
    reach_hello(g, PATH);
    call_abort(the_call(g));
    until(g, &g->fs.log, "transfer 200 XML default;");
    outcome_is(g, "returned||\n");
}

static void what_it_plays_is_ended_so_that_its_dialplan_goes_on(void **state)
{
    struct call_rig *g = *state;
    g->fs.variables = "variable_current_application: playback\n";
    reach_hello(g, PATH);
    call_abort(the_call(g));
    until(g, &g->fs.log, "api uuid_break " CALL_UUID " all;");
    outcome_is(g, "returned||\n");
}

static void a_parked_one_is_hung_up_rather_than_left_there(void **state)
{
    struct call_rig *g = *state;
    g->fs.variables = "variable_current_application: park\n";
    reach_hello(g, PATH);
    call_abort(the_call(g));
    until(g, &g->fs.log, "api uuid_kill " CALL_UUID " NORMAL_TEMPORARY_FAILURE;");
    outcome_is(g, "returned||\n");
}

static void somebody_else_takes_it(struct call_rig *g, const char *event)
{
    g->fs.variables = "variable_current_application: playback\n"
                      "variable_voice_ai_return: 200 XML default\n";
    reach_hello(g, PATH);
    fs_channel_event(g, "CHANNEL_STATE", "\nChannel-State: CS_EXECUTE");
    settle(g);
    is_state(g, CALL_GREETING);
    fs_channel_event(g, event, "\nChannel-State: CS_ROUTING");
    outcome_is(g, "returned||\n");
    settle(g);
    assert_null(strstr(buf_z(&g->fs.log), "transfer")); /* it is not ours to move any more */
    assert_null(strstr(buf_z(&g->fs.log), "uuid_break"));
}

static void a_transfer_by_others_ends_the_call(void **state)
{
    somebody_else_takes_it(*state, "CHANNEL_STATE");
}

static void an_unpark_by_others_ends_the_call(void **state)
{
    somebody_else_takes_it(*state, "CHANNEL_UNPARK");
}

static void we_transfer_it(void **state)
{
    struct call_rig *g = *state;
    reach_hello(g, PATH);
    answer(g, 1, 0, "Olá", 100);
    pass(g, 200);
    fs_digit(g, "1");
    settle(g);
    tool(g, 7, TOOL_TRANSFER, "vendas");
    pass(g, 200);
    until(g, &g->fs.log, "transfer 201;");
    outcome_is(g, "transferred||201\n");
}

static void a_parked_one_can_go_on_by_unicast(void **state)
{
    struct call_rig *g = *state;
    (void)str_copy(g->settings.audio_fallback, SETTING_TEXT_MAX, str_of("esl"));
    g->fs.variables = "variable_current_application: park\n";
    reach_leg(g, PATH);
    the_leg->h->on_failed(the_leg->arg, VA_ETIMEOUT, "scripted");
    until(g, &g->fs.log, "unicast;");
    pass(g, 40);
    is_state(g, CALL_GREETING);
}

static void another_one_cannot(void **state)
{
    struct call_rig *g = *state;
    (void)str_copy(g->settings.audio_fallback, SETTING_TEXT_MAX, str_of("esl"));
    g->fs.variables = "variable_current_application: playback\n";
    reach_leg(g, PATH);
    the_leg->h->on_failed(the_leg->arg, VA_ETIMEOUT, "scripted");
    outcome_is(g, "returned||\n");
    assert_null(strstr(buf_z(&g->fs.log), "unicast"));
}

static void a_caller_who_goes_before_the_leg_gets_the_stream_loses_nothing(void **state)
{
    struct call_rig *g = *state;
    g->fs.answer_state = "ringing";
    g->fs.hold_execute = true;
    stream_begins(g, PATH);
    until(g, &g->fs.log, "answer;");
    until_secretary(g);
    fs_hangup(g, "ORIGINATOR_CANCEL");
    until_gone(g);
    assert_non_null(strstr(module_heard(g), "503"));
}

static void events_of_the_module_reach_the_leg(void **state)
{
    struct call_rig *g = *state;
    reach_hello(g, PATH);
    fs_channel_event(g, "CUSTOM", "\nEvent-Subclass: mod_audio_stream::play");
    until(g, &g->log, "event CUSTOM;");
}

static void a_drain_gives_it_back(void **state)
{
    struct call_rig *g = *state;
    reach_hello(g, PATH);
    answer(g, 1, 0, "Olá", 100);
    pass(g, 200);
    call_drain(the_call(g));
    answer(g, 2, ANSWER_PROTECTED, "Um instante", 100);
    pass(g, 400);
    until(g, &g->fs.log, "uuid_break");
    outcome_is(g, "returned||\n");
}

static void without_the_leg_there_is_no_call(void **state)
{
    struct call_rig *g = *state;
    g->env.find_leg = leg_find;
    (void)str_copy(g->settings.audio_mode, SETTING_TEXT_MAX, str_of("none"));
    open_store(g);
    struct net_addr peer;
    int fd[2];
    char c;
    assert_int_equal(net_addr_parse("127.0.0.1", 40000, &peer), VA_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    assert_int_not_equal(call_open(&g->worker, fd[1], &peer), VA_OK);
    assert_int_equal(read(fd[0], &c, 1), 0); /* closed: the dialplan goes on */
    (void)close(fd[0]);
}

/* ---- a test's own ends ------------------------------------------------------------------------
 */

static int set_up(void **state)
{
    born = VA_OK;
    int failed = rig_set_up(state);
    struct call_rig *g = *state;
    g->env.find_leg = find;
    (void)str_copy(g->settings.audio_mode, SETTING_TEXT_MAX, str_of("websocket"));
    (void)str_copy(g->settings.ws_host, SETTING_TEXT_MAX, str_of("127.0.0.1"));
    (void)str_copy(g->settings.esl_host, SETTING_TEXT_MAX, str_of("127.0.0.1"));
    (void)str_copy(g->settings.esl_password, SETTING_TEXT_MAX, str_of("ClueCon"));
    g->settings.esl_connect_timeout_s = g->settings.esl_read_timeout_s = 5;
    return failed;
}

static int tear_down(void **state)
{
    struct call_rig *g = *state;
    rig_quiet_end(g);
    tcp_listener_close(&esl_port);
    ws_hub_close(&hub);
    if (module >= 0)
        (void)close(module);
    module = -1;
    return rig_tear_down(state);
}

#define BIRTH_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(int argc, char **argv)
{
    rig_main(argc, argv);
    const struct CMUnitTest tests[] = {
        BIRTH_TEST(a_stream_makes_a_call),
        BIRTH_TEST(the_path_names_the_secretary),
        BIRTH_TEST(without_one_the_channel_says_it),
        BIRTH_TEST(an_event_socket_that_is_not_there_loses_the_call),
        BIRTH_TEST(a_channel_that_is_unknown_loses_the_call),
        BIRTH_TEST(it_is_given_back_where_its_dialplan_wants_it),
        BIRTH_TEST(what_it_plays_is_ended_so_that_its_dialplan_goes_on),
        BIRTH_TEST(a_parked_one_is_hung_up_rather_than_left_there),
        BIRTH_TEST(a_transfer_by_others_ends_the_call),
        BIRTH_TEST(an_unpark_by_others_ends_the_call),
        BIRTH_TEST(we_transfer_it),
        BIRTH_TEST(a_parked_one_can_go_on_by_unicast),
        BIRTH_TEST(another_one_cannot),
        BIRTH_TEST(a_caller_who_goes_before_the_leg_gets_the_stream_loses_nothing),
        BIRTH_TEST(events_of_the_module_reach_the_leg),
        BIRTH_TEST(a_drain_gives_it_back),
        BIRTH_TEST(without_the_leg_there_is_no_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
