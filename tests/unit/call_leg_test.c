/* call/: audio that does not come or stops, the modes after it, and who gets the channel when. The
 * esl leg is the real one; the others are scripted. */
#include "unit/call_rig.h"

/* ---- legs that do what the test says ----------------------------------------------------------
 */

struct leg {
    const struct leg_handlers *h;
    void *arg;
};

static struct script {
    enum va_err open_err;
    unsigned opens;
    struct leg *leg;
} rtp, dual, ws;

static struct buf leg_log;
static unsigned sent, sent_samples, heard[RIG_IDS_MAX];
static int asked_rate_hz;
static bool was_parked;

static enum va_err script_open(struct script *s, const char *name, const struct leg_cfg *cfg,
                               const struct leg_handlers *h, void *arg, struct leg **ret_leg)
{
    s->opens++;
    rig_log(&leg_log, "%s open", name);
    assert_non_null(cfg->control);
    was_parked = cfg->parked;
    assert_string_equal(cfg->uuid, CALL_UUID);
    asked_rate_hz = cfg->rate_hz;
    if (s->open_err)
        return s->open_err;
    *ret_leg = s->leg = calloc(1, sizeof(**ret_leg));
    s->leg->h = h;
    s->leg->arg = arg;
    return VA_OK;
}

static void script_send(struct leg *leg, const int16_t *samples, size_t count)
{
    (void)leg;
    sent++;
    sent_samples = (unsigned)count;
    int id = samples[0] - RIG_LEVEL;
    if (id > 0 && id < RIG_IDS_MAX)
        heard[id] += (unsigned)count;
}

static bool plays_by_unicast; /* as leg_dual may */
static uint32_t lead_ms;

static void script_stats(const struct leg *leg, struct leg_stats *ret_stats)
{
    (void)leg;
    *ret_stats = (struct leg_stats){.unicast = plays_by_unicast, .lead_ms = lead_ms};
}

static void script_release(struct leg *leg)
{
    (void)leg;
    rig_log(&leg_log, "release");
}

static uint32_t script_flush(struct leg *leg)
{
    (void)leg;
    return 60;
}

static void script_close(struct leg **leg)
{
    rig_log(&leg_log, "close");
    struct script *const scripts[] = {&rtp, &dual, &ws};
    for (size_t i = 0; i < 3; i++)
        if (scripts[i]->leg == *leg)
            scripts[i]->leg = NULL;
    free(*leg);
    *leg = NULL;
}

#define SCRIPTED(which, mode_, flush_)                                                             \
    static enum va_err which##_open(const struct leg_cfg *cfg, const struct leg_handlers *h,       \
                                    void *arg, struct leg **ret)                                   \
    {                                                                                              \
        return script_open(&which, mode_, cfg, h, arg, ret);                                       \
    }                                                                                              \
    static const struct leg_ops which##_ops = {.name = mode_,                                      \
                                               .open = which##_open,                               \
                                               .send = script_send,                                \
                                               .flush = flush_,                                    \
                                               .stats = script_stats,                              \
                                               .release = script_release,                          \
                                               .close = script_close}

SCRIPTED(rtp, "rtp", NULL);
SCRIPTED(dual, "dual", script_flush);
SCRIPTED(ws, "websocket", NULL);

static const struct leg_ops *find(const char *mode)
{
    static const struct leg_ops *const ops[] = {&rtp_ops, &dual_ops, &ws_ops};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(ops[i]->name, mode) == 0)
            return ops[i];
    return leg_find(mode);
}

static void starts(struct leg *leg, int ptime_ms)
{
    leg->h->on_started(leg->arg, &(struct leg_format){asked_rate_hz, ptime_ms});
}

static void fails(struct leg *leg)
{
    leg->h->on_failed(leg->arg, VA_ETIMEOUT, "scripted");
}

static void is_released(struct leg *leg)
{
    leg->h->on_released(leg->arg);
}

static void modes(struct call_rig *g, const char *mode, const char *fallback)
{
    g->env.find_leg = find;
    (void)str_copy(g->settings.audio_mode, SETTING_TEXT_MAX, str_of(mode));
    (void)str_copy(g->settings.audio_fallback, SETTING_TEXT_MAX, str_of(fallback));
}

static uint64_t counted(const atomic_uint_least64_t *n)
{
    return atomic_load(n);
}

enum { ESL, RTP, DUAL, WEBSOCKET };

/* ---- to a state with a scripted leg -----------------------------------------------------------
 */

static void begin(struct call_rig *g, const char *mode, const char *fallback)
{
    modes(g, mode, fallback);
    rig_begin(g);
    until(g, &leg_log, " open;");
    until(g, &g->log, "open ");
}

static void greet_by_rtp(struct call_rig *g, const char *fallback)
{
    begin(g, "rtp", fallback);
    starts(rtp.leg, 20);
    until(g, &g->log, "say greeting;");
    is_state(g, CALL_GREETING);
}

/* Answer 2, 1 s long, 200 ms of it sent. */
static void speak_by_rtp(struct call_rig *g, const char *fallback)
{
    greet_by_rtp(g, fallback);
    answer(g, 1, 0, "Olá", 100);
    pass(g, 200);
    fs_digit(g, "1");
    settle(g);
    answer(g, 2, 0, "Um momento por favor", 1000);
    pass(g, 200);
    is_state(g, CALL_SPEAKING);
}

/* ---- the start --------------------------------------------------------------------------------
 */

static void the_mode_that_was_chosen_is_used(void **state)
{
    struct call_rig *g = *state;
    greet_by_rtp(g, "esl");
    answer(g, 1, 0, "Olá", 200);
    pass(g, 260);
    is_state(g, CALL_LISTENING);
    assert_int_equal(heard[1], 1600);
    assert_null(strstr(buf_z(&g->fs.log), "unicast"));
    assert_int_equal(counted(&g->worker.counters.failed[RTP]), 0);
    assert_int_equal(counted(&g->worker.counters.moved_to[ESL]), 0);
}

static void a_mode_without_audio_is_followed_by_the_next(void **state)
{
    struct call_rig *g = *state;
    begin(g, "rtp", "esl");
    pass(g, 1500);
    is_state(g, CALL_CONNECTING);
    fails(rtp.leg);
    assert_string_equal(buf_z(&leg_log), "rtp open;release;");
    settle(g);
    assert_null(strstr(buf_z(&g->fs.log), "unicast")); /* the channel is not free yet */
    is_released(rtp.leg);
    assert_string_equal(buf_z(&leg_log), "rtp open;release;close;");
    until(g, &g->fs.log, "unicast;");
    pass(g, 40);
    is_state(g, CALL_GREETING);
    answer(g, 1, 0, "Olá", 100);
    pass(g, 140);
    assert_int_equal(g->fs.played[1], 5);
    assert_int_equal(counted(&g->worker.counters.failed[RTP]), 1);
    assert_int_equal(counted(&g->worker.counters.moved_to[ESL]), 1);
    assert_int_equal(counted(&g->worker.counters.no_audio), 0);
}

/* The provider is ready first, or last: the greeting waits for both. */
static void a_fall_before_the_provider_is_ready_waits_for_it(void **state)
{
    struct call_rig *g = *state;
    g->unready = true;
    begin(g, "rtp", "dual");
    starts(rtp.leg, 20);
    fails(rtp.leg);
    is_released(rtp.leg);
    g->h->on_ready(g->arg);
    is_state(g, CALL_CONNECTING); /* audio of the first one is gone, that of the next not there */
    starts(dual.leg, 20);
    is_state(g, CALL_GREETING);
}

static void a_mode_the_call_cannot_use_is_skipped(void **state)
{
    struct call_rig *g = *state;
    dual.open_err = VA_ENOTSUP;
    rtp.open_err = VA_ELIMIT;
    begin(g, "dual", "websocket,rtp,esl");
    ws.leg->h->on_failed(ws.leg->arg, VA_EREFUSED, "scripted");
    is_released(ws.leg);
    assert_string_equal(buf_z(&leg_log), "dual open;websocket open;release;close;rtp open;");
    until(g, &g->fs.log, "unicast;");
    pass(g, 40);
    is_state(g, CALL_GREETING);
    assert_int_equal(counted(&g->worker.counters.failed[DUAL]), 0); /* it was never tried */
    assert_int_equal(counted(&g->worker.counters.failed[RTP]), 1);
    assert_int_equal(counted(&g->worker.counters.failed[WEBSOCKET]), 1);
}

static void without_a_mode_left_the_call_is_returned(void **state)
{
    struct call_rig *g = *state;
    g->fs.mute = true;
    begin(g, "rtp", "rtp,esl,rtp,esl");
    fails(rtp.leg);
    is_released(rtp.leg);
    until(g, &g->fs.log, "unicast;");
    pass(g, 1600);
    assert_int_equal(rtp.opens, 1);
    assert_int_equal(counted(&g->worker.counters.no_audio), 1);
    assert_int_equal(counted(&g->worker.counters.failed[ESL]), 1);
    outcome_is(g, "returned||\n");
}

static void an_empty_list_has_no_next(void **state)
{
    struct call_rig *g = *state;
    begin(g, "rtp", "");
    fails(rtp.leg);
    is_state(g, CALL_CONNECTING);
    settle(g);
    assert_false(g->fs.ended); /* the bridge is not ended yet */
    is_released(rtp.leg);
    outcome_is(g, "returned||\n");
    assert_true(g->fs.ended);
}

/* ---- in mid-call ------------------------------------------------------------------------------
 */

static void an_answer_goes_on_where_its_audio_was_lost(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "dual");
    unsigned before = heard[2];
    assert_in_range(before, 1280, 1760);
    fails(rtp.leg);
    pass(g, 1000); /* between two legs: nothing is played, nothing lost */
    assert_int_equal(heard[2], before);
    is_state(g, CALL_SPEAKING);
    is_released(rtp.leg);
    pass(g, 300);
    assert_int_equal(heard[2], before);
    starts(dual.leg, 30);
    pass(g, 60);
    assert_int_equal(sent_samples, 240);
    pass(g, 900);
    assert_in_range(heard[2], 8000, 8160); /* all of it, once; the last frame is filled up */
    is_state(g, CALL_LISTENING);
    assert_int_equal(g->open, 1); /* the same conversation */
    assert_null(strstr(buf_z(&g->log), "close"));
    assert_int_equal(history_count(the_call(g)->history), 3);
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
    lines_are(g, "agent|Olá\ncaller|1\nagent|Um momento por favor\n");
}

static void unicast_takes_over_in_mid_call(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "esl");
    unsigned before = heard[2] / 160;
    fails(rtp.leg);
    is_released(rtp.leg);
    until(g, &g->fs.log, "unicast;");
    pass(g, 1000);
    assert_int_equal(before + g->fs.played[2], 50);
    is_state(g, CALL_LISTENING);
    caller_speaks(g, 600); /* and the caller is heard again */
    pass(g, 1000);
    is_state(g, CALL_THINKING);
}

static void another_rate_is_no_way_to_go_on(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "dual,esl");
    fails(rtp.leg);
    is_released(rtp.leg);
    dual.leg->h->on_started(dual.leg->arg, &(struct leg_format){16000, 20});
    is_released(dual.leg);
    until(g, &g->fs.log, "unicast;");
    pass(g, 60);
    is_state(g, CALL_SPEAKING);
    assert_int_equal(counted(&g->worker.counters.failed[DUAL]), 1);
}

static void a_message_goes_on_in_the_next_mode(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "esl");
    pass(g, 900);
    fs_digit(g, "1");
    settle(g);
    tool(g, 1, TOOL_TAKE_MESSAGE, "");
    pass(g, 260);
    is_state(g, CALL_MESSAGE);
    fails(rtp.leg);
    is_released(rtp.leg);
    until(g, &g->fs.log, "unicast;");
    caller_speaks(g, 2000);
    pass(g, 2700);
    until(g, &g->log, "result 1 VA_OK;");
}

static void the_recording_keeps_its_time(void **state)
{
    struct call_rig *g = *state;
    g->wanted->record = 1;
    speak_by_rtp(g, "dual");
    fails(rtp.leg);
    pass(g, 500);
    is_released(rtp.leg);
    pass(g, 500);
    starts(dual.leg, 30);
    pass(g, 1200);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    char path[600];
    struct pcm *pcm = NULL;
    struct va_fault fault = {0};
    (void)str_copy(path, sizeof(path), str_trim(str_of(query(g, "SELECT recording FROM calls"))));
    if (wav_load(path, &(struct wav_want){.channel = WAV_RIGHT}, &pcm, &fault))
        fail_msg("%s", fault.text);
    assert_in_range(pcm_ms(pcm), 2550, 2650);
    pcm_unref(&pcm);
}

static void speak_by_dual(struct call_rig *g)
{
    begin(g, "dual", "");
    starts(dual.leg, 20);
    until(g, &g->log, "say greeting;");
    answer(g, 1, 0, "Olá", 100);
    pass(g, 200);
    fs_digit(g, "1");
    settle(g);
    answer(g, 2, 0, "Um momento por favor", 3000);
    pass(g, 200);
    is_state(g, CALL_SPEAKING);
}

static void what_a_leg_holds_back_was_not_heard(void **state)
{
    struct call_rig *g = *state;
    speak_by_dual(g);
    buf_reset(&g->log);
    fs_digit(g, "2");
    settle(g);
    assert_string_equal(buf_z(&g->log), "interrupt 2 140;digit 2;");
}

static void caller_shouts(struct leg *leg, unsigned frames)
{
    int16_t loud[160];
    for (size_t i = 0; i < 160; i++)
        loud[i] = i % 7 < 3 ? 9000 : -9000;
    for (unsigned i = 0; i < frames; i++)
        leg->h->on_frame(leg->arg, loud, 160, false);
}

/* A sound may be a cough; the answer waits for the verdict. */
static void a_sound_holds_the_answer(void **state)
{
    struct call_rig *g = *state;
    g->holds = true;
    speak_by_dual(g);
    caller_shouts(dual.leg, 6);
    is_state(g, CALL_HELD);
}

/* Not when the leg is ahead: what it has could only be cut. */
static void what_a_leg_is_ahead_by_cannot_be_held(void **state)
{
    struct call_rig *g = *state;
    g->holds = true;
    speak_by_dual(g);
    lead_ms = 400;
    caller_shouts(dual.leg, 8);
    is_state(g, CALL_LISTENING);
}

static void a_digit_is_heard_once(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "");
    buf_reset(&g->log);
    rtp.leg->h->on_digit(rtp.leg->arg, '5');
    fs_digit(g, "5");
    settle(g);
    assert_string_equal(buf_z(&g->log), "interrupt 2 200;digit 5;");
}

/* ---- the channel goes while it is being freed -------------------------------------------------
 */

static void a_hangup_does_not_wait_for_a_leg(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "esl");
    fails(rtp.leg);
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
    assert_non_null(strstr(buf_z(&leg_log), "release;close;"));
}

static void a_release_that_never_comes_is_not_waited_for(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "dual");
    fails(rtp.leg);
    pass(g, LEG_RELEASE_MS);
    assert_null(dual.leg);
    pass(g, CALL_RELEASE_GRACE_MS);
    assert_non_null(dual.leg);
    assert_null(rtp.leg);
}

/* ---- the dialplan gets it back ----------------------------------------------------------------
 */

static void the_dialplan_waits_for_the_leg(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "esl");
    call_abort(the_call(g));
    pass(g, 300);
    assert_int_equal(g->gone, 0);
    assert_false(g->fs.ended);
    call_abort(the_call(g));
    fs_digit(g, "1"); /* nobody minds */
    pass(g, 20);
    is_released(rtp.leg);
    outcome_is(g, "returned||\n");
    assert_true(g->fs.ended);
    assert_string_equal(buf_z(&leg_log), "rtp open;release;close;");
}

static void a_caller_who_hangs_up_there_ends_the_wait(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "esl");
    call_abort(the_call(g));
    fs_hangup(g, "ORIGINATOR_CANCEL");
    until_gone(g);
    assert_string_equal(buf_z(&leg_log), "rtp open;release;close;");
}

static void a_socket_that_dies_there_ends_the_wait(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "esl");
    call_abort(the_call(g));
    tcp_reset(&g->fs.control);
    outcome_is(g, "returned||\n");
}

/* ---- transfers --------------------------------------------------------------------------------
 */

static void ask_for_transfer(struct call_rig *g)
{
    pass(g, 900);
    fs_digit(g, "1");
    settle(g);
    g->fs.hold_execute = true;
    tool(g, 7, TOOL_TRANSFER, "vendas");
    pass(g, 200);
    is_state(g, CALL_TRANSFERRING);
}

static void a_transfer_waits_for_the_leg(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "esl");
    ask_for_transfer(g);
    assert_non_null(strstr(buf_z(&leg_log), "release;"));
    assert_null(strstr(buf_z(&g->fs.log), "transfer"));
    is_released(rtp.leg);
    until(g, &g->fs.log, "transfer 201;");
    fs_completes(g);
    outcome_is(g, "transferred||201\n");
}

static void a_failed_transfer_comes_back_to_the_same_mode(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "esl");
    ask_for_transfer(g);
    is_released(rtp.leg);
    until(g, &g->fs.log, "transfer 201;");
    pass(g, 5100);
    assert_non_null(strstr(buf_z(&g->log), "result 7 VA_ETIMEOUT;"));
    is_state(g, CALL_THINKING);
    answer(g, 3, 0, "Não atendeu", 200);
    pass(g, 100);
    assert_int_equal(heard[3], 0);
    assert_int_equal(rtp.opens, 2);
    starts(rtp.leg, 20);
    pass(g, 300);
    assert_int_equal(heard[3], 1600);
    is_state(g, CALL_LISTENING);
    assert_int_equal(counted(&g->worker.counters.failed[RTP]), 0);
}

/* That is no move: nothing went wrong with a mode. */
static void a_reopened_leg_is_not_counted_as_a_move(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "dual");
    fails(rtp.leg);
    is_released(rtp.leg);
    starts(dual.leg, 20);
    assert_int_equal(counted(&g->worker.counters.moved_to[DUAL]), 1);
    ask_for_transfer(g);
    is_released(dual.leg);
    until(g, &g->fs.log, "transfer 201;");
    pass(g, 5100);
    is_state(g, CALL_THINKING);
    assert_int_equal(dual.opens, 2);
    assert_int_equal(counted(&g->worker.counters.moved_to[DUAL]), 1);
}

/* A second unicast could crash the switch: it is kept while a transfer is tried. */
static void unicast_is_never_asked_for_twice(void **state)
{
    struct call_rig *g = *state;
    modes(g, "esl", "esl");
    reach_speaking(g);
    ask_for_transfer(g);
    until(g, &g->fs.log, "transfer 201;");
    pass(g, 5100);
    is_state(g, CALL_THINKING);
    answer(g, 3, 0, "Não atendeu", 200);
    pass(g, 300);
    is_state(g, CALL_LISTENING);
    assert_int_equal(g->fs.played[3], 10);
}

static void nor_by_the_leg_of_another_mode(void **state)
{
    struct call_rig *g = *state;
    plays_by_unicast = true;
    begin(g, "dual", "esl,rtp");
    assert_true(was_parked);
    fails(dual.leg);
    is_released(dual.leg);
    settle(g);
    assert_null(strstr(buf_z(&g->fs.log), "unicast"));
    assert_int_equal(rtp.opens, 1);
    assert_false(was_parked);
}

static void nor_after_the_mode_that_is_nothing_else(void **state)
{
    struct call_rig *g = *state;
    modes(g, "esl", "dual");
    reach_speaking(g);
    g->fs.mute = true;
    pass(g, 10100);
    assert_int_equal(dual.opens, 1);
    assert_false(was_parked);
}

static void a_transfer_in_the_middle_of_a_fall_goes_first(void **state)
{
    struct call_rig *g = *state;
    speak_by_rtp(g, "dual");
    pass(g, 900);
    fs_digit(g, "1");
    settle(g);
    fails(rtp.leg);
    g->fs.hold_execute = true;
    tool(g, 7, TOOL_TRANSFER, "vendas");
    pass(g, 200);
    is_released(rtp.leg);
    until(g, &g->fs.log, "transfer 201;");
    assert_null(dual.leg);
    pass(g, 5100);
    is_state(g, CALL_THINKING);
    assert_non_null(dual.leg); /* the one that failed is not tried again */
}

/* ---- a test's own ends ------------------------------------------------------------------------
 */

static int set_up(void **state)
{
    rtp = dual = ws = (struct script){0};
    buf_init(&leg_log, 1 << 16);
    sent = sent_samples = 0;
    plays_by_unicast = was_parked = false;
    lead_ms = 0;
    memset(heard, 0, sizeof(heard));
    return rig_set_up(state);
}

static int tear_down(void **state)
{
    struct call_rig *g = *state;
    list_each(&g->worker.calls, it, next) call_abort(call_of_link(it));
    struct script *const scripts[] = {&rtp, &dual, &ws};
    for (size_t i = 0; i < 3; i++)
        if (scripts[i]->leg)
            is_released(scripts[i]->leg);
    int failed = rig_tear_down(state);
    buf_free(&leg_log);
    return failed;
}

#define LEG_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void it_rings_by_rtp(struct call_rig *g)
{
    (void)str_copy(g->settings.transfer_return, SETTING_TEXT_MAX, str_of("failed"));
    speak_by_rtp(g, "esl");
    pass(g, 1200);
    fs_digit(g, "1");
    settle(g);
    is_state(g, CALL_THINKING);
    tool(g, 1, TOOL_TRANSFER, "vendas");
    pass(g, 200);
    is_state(g, CALL_RINGING);
}

/* The destination rings no longer than the call that wants it, whatever a leg's end takes. */
static void an_end_while_it_rings_waits_for_no_leg(void **state)
{
    struct call_rig *g = *state;
    it_rings_by_rtp(g);
    assert_null(strstr(buf_z(&leg_log), "release")); /* it stays: the caller hears the tone by it */
    call_abort(the_call(g));
    settle(g);
    assert_non_null(strstr(buf_z(&leg_log), "release;"));
    assert_null(strstr(buf_z(&leg_log), "close;"));
    assert_non_null(strstr(buf_z(&g->fs.log), "api hupall "));
    is_released(rtp.leg);
}

/* Who answers gets the channel without our bridge; he hung up meanwhile, and it is ours again. */
static void who_is_reached_waits_for_the_leg(void **state)
{
    struct call_rig *g = *state;
    it_rings_by_rtp(g);
    g->fs.refuse = "api uuid_bridge";
    fs_job_ends(g, "+OK aaaaaaaa-2222-3333-4444-555555555555\n");
    until(g, &leg_log, "release;");
    settle(g);
    assert_null(strstr(buf_z(&g->fs.log), "uuid_setvar"));
    is_released(rtp.leg);
    until(g, &g->log, "result 1 VA_EIO;");
    assert_non_null(strstr(buf_z(&g->fs.log), "uuid_setvar"));
    assert_int_equal(rtp.opens, 2);
    starts(rtp.leg, 20);
    answer(g, 3, 0, "Não deu", 100);
    pass(g, 200);
    assert_true(heard[3] >= 800);
}

int main(int argc, char **argv)
{
    rig_main(argc, argv);
    const struct CMUnitTest tests[] = {
        LEG_TEST(the_mode_that_was_chosen_is_used),
        LEG_TEST(a_mode_without_audio_is_followed_by_the_next),
        LEG_TEST(a_fall_before_the_provider_is_ready_waits_for_it),
        LEG_TEST(a_mode_the_call_cannot_use_is_skipped),
        LEG_TEST(without_a_mode_left_the_call_is_returned),
        LEG_TEST(an_empty_list_has_no_next),
        LEG_TEST(an_answer_goes_on_where_its_audio_was_lost),
        LEG_TEST(unicast_takes_over_in_mid_call),
        LEG_TEST(another_rate_is_no_way_to_go_on),
        LEG_TEST(a_message_goes_on_in_the_next_mode),
        LEG_TEST(the_recording_keeps_its_time),
        LEG_TEST(what_a_leg_holds_back_was_not_heard),
        LEG_TEST(a_sound_holds_the_answer),
        LEG_TEST(what_a_leg_is_ahead_by_cannot_be_held),
        LEG_TEST(a_digit_is_heard_once),
        LEG_TEST(a_hangup_does_not_wait_for_a_leg),
        LEG_TEST(a_release_that_never_comes_is_not_waited_for),
        LEG_TEST(the_dialplan_waits_for_the_leg),
        LEG_TEST(a_caller_who_hangs_up_there_ends_the_wait),
        LEG_TEST(a_socket_that_dies_there_ends_the_wait),
        LEG_TEST(a_transfer_waits_for_the_leg),
        LEG_TEST(an_end_while_it_rings_waits_for_no_leg),
        LEG_TEST(who_is_reached_waits_for_the_leg),
        LEG_TEST(a_failed_transfer_comes_back_to_the_same_mode),
        LEG_TEST(a_reopened_leg_is_not_counted_as_a_move),
        LEG_TEST(unicast_is_never_asked_for_twice),
        LEG_TEST(nor_by_the_leg_of_another_mode),
        LEG_TEST(nor_after_the_mode_that_is_nothing_else),
        LEG_TEST(a_transfer_in_the_middle_of_a_fall_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
