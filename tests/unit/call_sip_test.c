/* call/: direct SIP calls. Two user agents in one process: ours and the phone's; the leg is
 * scripted. */
#include "unit/call_rig.h"
#include "leg/sip_ua.h"

static const char sdp_text[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
                               "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

static struct settings phone_settings;
static struct sip_ua *ours, *phones;
static struct leg *the_leg;
static bool refuse_births;

static struct phone {
    struct sip_call *call;
    bool established, ended;
    struct sip_end how;
} phone;

/* ---- the leg ----------------------------------------------------------------------------------
 */

struct leg {
    const struct leg_handlers *h;
    void *arg;
    struct sip_call *call;
};

static void on_offer(void *arg, const struct sdp *offer, bool again)
{
    struct leg *leg = arg;
    assert_non_null(offer);
    assert_false(again);
    assert_int_equal(sip_call_answer(leg->call, str_of(sdp_text)), VA_OK);
    leg->h->on_started(leg->arg, &(struct leg_format){8000, 20});
}

static const struct sip_media_handlers media = {.on_offer = on_offer};

static enum va_err fake_leg_open(const struct leg_cfg *cfg, const struct leg_handlers *h, void *arg,
                                 struct leg **ret_leg)
{
    assert_null(cfg->control);
    assert_false(cfg->parked);
    assert_non_null(cfg->sip_call);
    the_leg = *ret_leg = calloc(1, sizeof(**ret_leg));
    **ret_leg = (struct leg){h, arg, cfg->sip_call};
    sip_call_set_media(cfg->sip_call, &media, the_leg);
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

static void fake_release(struct leg *leg)
{
    (void)leg;
    fail_msg("%s", "nothing of a direct call stands in the way");
}

static void fake_leg_close(struct leg **leg)
{
    sip_call_set_media((*leg)->call, NULL, NULL);
    free(*leg);
    *leg = the_leg = NULL;
}

static const struct leg_ops fake_rtp = {.name = "rtp",
                                        .open = fake_leg_open,
                                        .send = fake_send,
                                        .stats = fake_stats,
                                        .release = fake_release,
                                        .close = fake_leg_close};

static const struct leg_ops *find(const char *mode)
{
    return strcmp(mode, "rtp") == 0 ? &fake_rtp : leg_find(mode);
}

/* ---- the phone --------------------------------------------------------------------------------
 */

static void on_established(void *arg)
{
    ((struct phone *)arg)->established = true;
}

static void on_ended(void *arg, const struct sip_end *end)
{
    struct phone *p = arg;
    p->ended = true;
    p->how = *end;
}

static const struct sip_call_handlers phone_handlers = {.on_established = on_established,
                                                        .on_ended = on_ended};

static void on_incoming(void *arg, struct sip_incoming *in)
{
    struct call_rig *g = arg;
    if (refuse_births)
        sip_incoming_reject(in, 503);
    else
        assert_int_equal(call_open_sip(&g->worker, in), VA_OK);
}

static void dial(struct call_rig *g)
{
    char to[80];
    (void)snprintf(to, sizeof(to), "sip:700@127.0.0.1:%u", sip_ua_port(ours));
    const struct sip_place place = {to, "5551234", "Ana", str_of(sdp_text)};
    open_store(g);
    assert_int_equal(sip_call_place(phones, g->loop, &place, &phone_handlers, &phone, &phone.call),
                     VA_OK);
}

static void reach_sip_greeting(struct call_rig *g)
{
    dial(g);
    until(g, &g->log, "say greeting;");
    is_state(g, CALL_GREETING);
    while (!phone.established)
        loop_turn(g->loop, true);
}

static void ends(struct call_rig *g, const char *want)
{
    while (!g->gone) {
        loop_turn(g->loop, true);
        loop_timers_turn(g->loop);
    }
    outcome_is(g, want);
}

static void phone_hears_the_end(struct call_rig *g)
{
    while (!phone.ended)
        loop_turn(g->loop, true);
    assert_true(phone.how.by_peer);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void a_phone_calls(void **state)
{
    struct call_rig *g = *state;
    reach_sip_greeting(g);
    sip_call_bye(phone.call);
    ends(g, "hung-up|NORMAL_CLEARING|\n");
    assert_string_equal(query(g, "SELECT caller_number, caller_name, called_number, tenant,"
                                 " length(id) FROM calls"),
                        "5551234|Ana|700|default|36\n");
}

static void we_hang_up(void **state)
{
    struct call_rig *g = *state;
    reach_sip_greeting(g);
    answer(g, 1, 0, "Tchau", 100);
    tool(g, 1, TOOL_END_CALL, "");
    pass(g, 400);
    phone_hears_the_end(g);
    ends(g, "completed|NORMAL_CLEARING|\n");
}

/* There is no dialplan to go on with. */
static void a_call_that_is_given_back_ends(void **state)
{
    struct call_rig *g = *state;
    reach_sip_greeting(g);
    call_abort(the_call(g));
    ends(g, "returned||\n");
    phone_hears_the_end(g);
}

static void a_provider_that_fails_ends_it(void **state)
{
    struct call_rig *g = *state;
    reach_sip_greeting(g);
    g->h->on_failed(g->arg, VA_EIO, "scripted");
    ends(g, "returned||\n");
    phone_hears_the_end(g);
}

static void digits_of_the_audio_are_heard(void **state)
{
    struct call_rig *g = *state;
    reach_sip_greeting(g);
    the_leg->h->on_digit(the_leg->arg, '4');
    assert_non_null(strstr(buf_z(&g->log), "digit 4;"));
}

static void lost_audio_has_no_other_way(void **state)
{
    struct call_rig *g = *state;
    (void)str_copy(g->settings.audio_fallback, SETTING_TEXT_MAX, str_of("esl,dual"));
    reach_sip_greeting(g);
    the_leg->h->on_failed(the_leg->arg, VA_ETIMEOUT, "scripted");
    ends(g, "returned||\n");
    phone_hears_the_end(g);
}

/* The phone here does not take a REFER: the caller is told, the conversation goes on. */
static void a_transfer_the_phone_refuses_comes_back(void **state)
{
    struct call_rig *g = *state;
    reach_sip_greeting(g);
    answer(g, 1, 0, "Olá", 100);
    pass(g, 200);
    the_leg->h->on_digit(the_leg->arg, '1');
    tool(g, 7, TOOL_TRANSFER, "vendas");
    pass(g, 200);
    until(g, &g->log, "result 7 VA_EREFUSED;");
    is_state(g, CALL_THINKING);
    assert_string_equal(the_call(g)->record.destination, "");
    answer(g, 2, 0, "Não deu", 100);
    pass(g, 200);
    is_state(g, CALL_LISTENING);
}

static void a_phone_that_gives_up_leaves_nothing(void **state)
{
    struct call_rig *g = *state;
    g->unready = true;
    dial(g);
    until(g, &g->log, "open ");
    sip_call_close(&phone.call);
    while (!g->gone) {
        loop_turn(g->loop, true);
        loop_timers_turn(g->loop);
    }
    until_gone(g);
}

static void a_full_house_is_503(void **state)
{
    struct call_rig *g = *state;
    refuse_births = true;
    dial(g);
    phone_hears_the_end(g);
    assert_int_equal(phone.how.status, 503);
}

/* ---- a test's own ends ------------------------------------------------------------------------
 */

static void load(struct settings *s)
{
    struct va_fault fault;
    char *const none[] = {NULL};
    assert_int_equal(settings_load("/dev/null", none, s, &fault), VA_OK);
    s->sip_port = 0;
    (void)str_copy(s->sip_host, SETTING_TEXT_MAX, str_of("127.0.0.1"));
}

static int set_up(void **state)
{
    struct va_fault fault = {0};
    int failed = rig_set_up(state);
    struct call_rig *g = *state;
    struct settings full;
    phone = (struct phone){0};
    refuse_births = false;
    g->env.find_leg = find;
    load(&phone_settings);
    load(&full);
    full.sip_allow_direct = 1;
    memcpy(full.data_dir, g->settings.data_dir, sizeof(full.data_dir));
    (void)str_copy(full.ai_provider, SETTING_TEXT_MAX, str_of("fake"));
    g->settings = full;
    const struct sip_ua_cfg our = {&g->settings, g->loop, on_incoming, g, false};
    const struct sip_ua_cfg their = {&phone_settings, g->loop, NULL, NULL, false};
    if (sip_ua_start(&our, &ours, &fault) || sip_ua_start(&their, &phones, &fault))
        fail_msg("%s", fault.text);
    return failed;
}

static int tear_down(void **state)
{
    struct call_rig *g = *state;
    rig_quiet_end(g);
    sip_call_close(&phone.call);
    sip_ua_stop(&phones);
    sip_ua_stop(&ours);
    return rig_tear_down(state);
}

#define SIP_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(int argc, char **argv)
{
    rig_main(argc, argv);
    const struct CMUnitTest tests[] = {
        SIP_TEST(a_phone_calls),
        SIP_TEST(we_hang_up),
        SIP_TEST(a_call_that_is_given_back_ends),
        SIP_TEST(a_provider_that_fails_ends_it),
        SIP_TEST(digits_of_the_audio_are_heard),
        SIP_TEST(lost_audio_has_no_other_way),
        SIP_TEST(a_transfer_the_phone_refuses_comes_back),
        SIP_TEST(a_phone_that_gives_up_leaves_nothing),
        SIP_TEST(a_full_house_is_503),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
