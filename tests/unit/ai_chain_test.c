/* ai/chain: who speaks, who takes over, and what the caller and the call notice of it. */
#include "unit/chain_rig.h"

#include "ai/speech/tts.h"

static int set_up(void **state)
{
    (void)state;
    rig_start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_stop();
    return 0;
}

static void begin(void)
{
    assert_int_equal(rig_open(), VA_OK);
}

static void turn(enum turn_phase phase)
{
    provider_chain.turn(the_rig.chain, phase, 0);
}

/* The greeting was said by alpha and heard. */
static void talk(void)
{
    begin();
    settle();
    its_answer(ALPHA, 200);
    its_done(ALPHA);
    pass(300);
    buf_reset(&the_rig.log);
}

/* A spoken turn, whose words alpha understood or not. */
static void caller_says(const char *text)
{
    turn(TURN_STARTED);
    pass(500);
    turn(TURN_ENDED);
    if (text)
        it_understands(ALPHA, text);
    settle();
    buf_reset(&the_rig.log);
}

/* ---- nothing fails -----------------------------------------------------------------------------
 */

static void a_call_notices_nothing_of_the_chain(void **state)
{
    (void)state;
    begin();
    log_is("alpha open;ready;alpha say greeting;");
    int16_t frame[160] = {0};
    provider_chain.audio_in(the_rig.chain, frame, 160);
    assert_int_equal(the_rig.fake[ALPHA].frames, 1);
    assert_true(provider_chain.caps(the_rig.chain)->holds_answers);
    assert_false(provider_chain.caps(the_rig.chain)->detects_turns);
    its_answer(ALPHA, 200);
    its_done(ALPHA);
    log_is("answer 1;audio 1 200;done 1;");
    turn(TURN_STARTED);
    it_hears(ALPHA, TURN_CONFIRMED);
    turn(TURN_ENDED);
    it_says_caller_said(ALPHA, "vendas");
    its_answer(ALPHA, 100);
    provider_chain.interrupt(the_rig.chain, 2, 60);
    provider_chain.digit(the_rig.chain, '5');
    struct fake *f = &the_rig.fake[ALPHA];
    f->h->on_tool(f->arg, &(struct tool_call){.id = 1, .kind = TOOL_TRANSFER, .destination = "x"});
    provider_chain.tool_result(the_rig.chain, 1, VA_ENOTFOUND);
    f->h->on_usage(f->arg, "12 tokens");
    log_is("alpha turn started;speech confirmed;alpha turn ended;caller 0 vendas;answer 2;"
           "audio 2 100;alpha interrupt 2 60;alpha digit 5;tool 1;alpha result 1 VA_ENOTFOUND;"
           "usage 12 tokens;");
    its_answer(ALPHA, 100);
    its_done(ALPHA);
    pass(60000); /* silence alone is no failure */
    log_is("answer 3;audio 3 100;done 3;");
}

static void the_secretarys_list_comes_first(void **state)
{
    (void)state;
    (void)str_copy(the_rig.settings.ai_provider, SETTING_TEXT_MAX, str_of("beta"));
    (void)str_copy(the_rig.settings.ai_fallback, SETTING_TEXT_MAX, str_of("nobody"));
    for (int i = 0; i < FAKES; i++)
        the_rig.fake[i].refuse = VA_EIO;
    assert_int_equal(rig_open(), VA_EIO);
    log_is("alpha refuses;beta refuses;attendant refuses;");
}

static void the_settings_serve_who_names_none(void **state)
{
    (void)state;
    assert_int_equal(secretary_set(&the_rig.secretary->provider, ""), VA_OK);
    free(the_rig.secretary->fallbacks.item[0]);
    the_rig.secretary->fallbacks.count = 0;
    (void)str_copy(the_rig.settings.ai_provider, SETTING_TEXT_MAX, str_of("beta"));
    (void)str_copy(the_rig.settings.ai_fallback, SETTING_TEXT_MAX,
                   str_of(" martian , alpha,,beta , attendant"));
    struct chain_stats before, after;
    chain_stats(&before);
    the_rig.fake[BETA].refuse = the_rig.fake[ALPHA].refuse = VA_EAUTH;
    begin();
    log_is("beta refuses;alpha refuses;attendant open;ready;attendant say greeting;");
    chain_stats(&after);
    assert_int_equal(after.unknown - before.unknown, 1);
    assert_int_equal(after.fatal - before.fatal, 2);
}

/* ---- failure before the first word -------------------------------------------------------------
 */

static void a_refusal_costs_no_time(void **state)
{
    (void)state;
    the_rig.fake[ALPHA].refuse = VA_EREFUSED;
    begin();
    log_is("alpha refuses;beta open;ready;beta say greeting;");
}

static void a_provider_that_does_not_get_ready_is_left(void **state)
{
    (void)state;
    the_rig.fake[ALPHA].slow = true;
    struct chain_stats before, after;
    chain_stats(&before);
    begin();
    log_is("alpha open;");
    pass(1490);
    assert_false(the_rig.ready);
    pass(20); /* somebody must be there to tell the caller */
    log_is("ready;");
    pass(1470);
    log_is("");
    pass(20);
    log_is("alpha close;beta open;beta say greeting;");
    chain_stats(&after);
    assert_int_equal(after.timeouts - before.timeouts, 1);
    assert_int_equal(after.lost - before.lost, 1);
}

static void a_slow_one_that_gets_ready_greets(void **state)
{
    (void)state;
    the_rig.fake[ALPHA].slow = true;
    begin();
    pass(2000);
    fake_ready(&the_rig.fake[ALPHA]);
    log_is("alpha open;ready;alpha say greeting;");
}

static void all_down_is_told_once(void **state)
{
    (void)state;
    the_rig.fake[BETA].refuse = the_rig.fake[LAST].refuse = VA_EREFUSED;
    struct chain_stats before, after;
    chain_stats(&before);
    begin();
    settle();
    buf_reset(&the_rig.log);
    it_fails(ALPHA, VA_ECLOSED);
    log_is("alpha close;beta refuses;attendant refuses;failed VA_ECLOSED;");
    pass(10000);
    turn(TURN_STARTED);
    turn(TURN_ENDED);
    provider_chain.say(the_rig.chain, SAY_FAREWELL);
    pass(10000);
    log_is("");
    chain_stats(&after);
    assert_int_equal(after.exhausted - before.exhausted, 1);
}

/* ---- failure in the conversation ---------------------------------------------------------------
 */

static void an_answer_that_does_not_come_is_given_by_the_next(void **state)
{
    (void)state;
    talk();
    caller_says("que horas abre?");
    pass(4980);
    log_is("");
    pass(30);
    log_is("alpha close;beta open;beta say answer;");
    assert_int_equal(the_rig.fake[BETA].history, 1);
    its_answer(BETA, 100);
    its_done(BETA);
    log_is("answer 2;audio 2 100;done 2;");
    turn(TURN_STARTED);
    turn(TURN_ENDED);
    its_answer(BETA, 100);
    provider_chain.interrupt(the_rig.chain, 3, 40);
    log_is("beta turn started;beta turn ended;answer 3;audio 3 100;beta interrupt 2 40;");
}

static void lost_words_are_asked_for(void **state)
{
    (void)state;
    talk();
    caller_says(NULL);
    it_fails(ALPHA, VA_EIO);
    log_is("alpha close;beta open;beta say repeat;");
}

static void words_of_an_older_turn_do_not_count(void **state)
{
    (void)state;
    talk();
    caller_says("primeira");
    its_answer(ALPHA, 100);
    its_done(ALPHA);
    pass(200);
    caller_says(NULL);
    it_fails(ALPHA, VA_EIO);
    log_is("alpha close;beta open;beta say repeat;");
}

static void a_digit_is_known(void **state)
{
    (void)state;
    talk();
    provider_chain.digit(the_rig.chain, '2');
    it_fails(ALPHA, VA_EIO);
    log_is("alpha digit 2;alpha close;beta open;beta say answer;");
}

/* In the middle of a word: what there is of it is ended, so that the next answer can follow. */
static void death_in_the_middle_of_a_word(void **state)
{
    (void)state;
    talk();
    caller_says("que horas abre?");
    its_answer(ALPHA, 300);
    it_fails(ALPHA, VA_ECLOSED);
    log_is("answer 2;audio 2 300;alpha close;done 2;beta open;beta say answer;");
    its_answer(BETA, 100);
    log_is("answer 3;audio 3 100;");
    provider_chain.interrupt(the_rig.chain, 2, 200); /* the old one was still being heard */
    log_is("beta interrupt 1 0;");
}

static void a_second_answer_that_dies_is_missed_too(void **state)
{
    (void)state;
    talk();
    caller_says("que horas abre?");
    its_answer(ALPHA, 300);
    its_done(ALPHA);
    its_answer(ALPHA, 300);
    buf_reset(&the_rig.log);
    it_fails(ALPHA, VA_ECLOSED);
    log_is("alpha close;done 3;beta open;beta say answer;");
}

/* Delivered fast, heard slowly: the stall counts from the end of what can be heard. */
static void an_answer_that_stalls_is_left(void **state)
{
    (void)state;
    talk();
    caller_says("que horas abre?");
    its_answer(ALPHA, 3000);
    buf_reset(&the_rig.log);
    pass(5480);
    log_is("");
    pass(40);
    log_is("alpha close;done 2;beta open;beta say answer;");
}

static void an_answer_that_goes_on_is_not(void **state)
{
    (void)state;
    talk();
    caller_says("conte");
    its_answer(ALPHA, 100);
    for (int i = 0; i < 10; i++) {
        pass(2000);
        its_audio(ALPHA, 2, 100);
    }
    its_done(ALPHA);
    pass(20000);
    assert_int_equal(the_rig.fake[BETA].opens, 0);
}

/* While the caller speaks nobody owes anything. */
static void a_long_turn_is_no_failure(void **state)
{
    (void)state;
    talk();
    caller_says("primeira");
    turn(TURN_STARTED); /* goes on speaking before the answer */
    pass(20000);
    turn(TURN_ENDED);
    pass(4900);
    assert_int_equal(the_rig.fake[BETA].opens, 0);
    pass(200);
    assert_int_equal(the_rig.fake[BETA].opens, 1);
}

static void a_quiet_death_is_a_quiet_takeover(void **state)
{
    (void)state;
    talk();
    it_fails(ALPHA, VA_ECLOSED);
    log_is("alpha close;beta open;");
    turn(TURN_STARTED);
    log_is("beta turn started;");
}

static void what_was_to_be_said_is_said_by_the_next(void **state)
{
    (void)state;
    for (enum say_intent i = SAY_STILL_THERE; i <= SAY_HOLD_ON; i++) {
        static const char *const want[] = {[SAY_STILL_THERE] = "still-there;",
                                           [SAY_FAREWELL] = "farewell;",
                                           [SAY_TIME_UP] = "time-up;",
                                           [SAY_HOLD_ON] = "hold-on;"};
        char text[100];
        talk();
        provider_chain.say(the_rig.chain, i);
        buf_reset(&the_rig.log);
        it_fails(ALPHA, VA_EIO);
        (void)snprintf(text, sizeof(text), "alpha close;beta open;beta say %s", want[i]);
        log_is(text);
        rig_stop();
        rig_start();
    }
}

static void the_next_may_fail_too(void **state)
{
    (void)state;
    talk();
    the_rig.fake[BETA].slow = true;
    caller_says("que horas abre?");
    it_fails(ALPHA, VA_EIO);
    log_is("alpha close;beta open;");
    it_fails(BETA, VA_EAUTH);
    log_is("beta close;attendant open;attendant say answer;");
    its_answer(LAST, 100);
    log_is("answer 2;audio 2 100;");
    it_fails(LAST, VA_EIO);
    log_is("attendant close;done 2;failed VA_EIO;");
}

/* ---- turns over a takeover ---------------------------------------------------------------------
 */

static void a_turn_under_way_is_started_anew(void **state)
{
    (void)state;
    talk();
    the_rig.fake[BETA].slow = true;
    turn(TURN_STARTED);
    it_fails(ALPHA, VA_EIO);
    log_is("alpha turn started;alpha close;speech false;beta open;");
    turn(TURN_STARTED); /* the call's own ear still hears it */
    fake_ready(&the_rig.fake[BETA]);
    log_is("beta turn started;");
    turn(TURN_ENDED);
    log_is("beta turn ended;");
}

static void a_turn_nobody_heard_is_asked_for(void **state)
{
    (void)state;
    talk();
    the_rig.fake[BETA].slow = true;
    it_fails(ALPHA, VA_EIO);
    turn(TURN_STARTED);
    turn(TURN_ENDED);
    fake_ready(&the_rig.fake[BETA]);
    log_is("alpha close;beta open;beta say repeat;");
}

static void a_sound_meanwhile_does_not_lose_the_question(void **state)
{
    (void)state;
    talk();
    the_rig.fake[BETA].slow = true;
    caller_says("que horas abre?");
    it_fails(ALPHA, VA_EIO);
    turn(TURN_STARTED);
    turn(TURN_ENDED);
    fake_ready(&the_rig.fake[BETA]);
    log_is("alpha close;beta open;beta say answer;");
}

static void turns_of_a_provider_that_hears_them(void **state)
{
    (void)state;
    the_rig.fake[ALPHA].hears = true;
    talk();
    assert_true(provider_chain.caps(the_rig.chain)->detects_turns);
    it_hears(ALPHA, TURN_STARTED);
    pass(8000);
    it_hears(ALPHA, TURN_ENDED);
    log_is("speech started;speech confirmed;speech ended;");
    pass(4950);
    log_is("");
    pass(100);
    log_is("alpha close;beta open;beta say repeat;");
    assert_false(provider_chain.caps(the_rig.chain)->detects_turns);
}

/* ENDED without CONFIRMED confirms too: the call lets go of the answer it held, and what the caller
 * said into it is owed an answer all the same. */
static void a_turn_that_is_confirmed_by_its_end_is_answered(void **state)
{
    (void)state;
    the_rig.fake[ALPHA].hears = true;
    talk();
    its_answer(ALPHA, 4000);
    the_rig.held = true;
    it_hears(ALPHA, TURN_STARTED);
    it_hears(ALPHA, TURN_ENDED);
    log_is("answer 2;audio 2 4000;speech started;speech confirmed;alpha interrupt 2 100;"
           "speech ended;");
    pass(5100);
    log_is("alpha close;beta open;beta say repeat;");
}

/* Its own ear begins in the middle of the caller's words: nobody would tell their end. */
static void a_turn_that_is_taken_over_by_other_ears_is_ended(void **state)
{
    (void)state;
    the_rig.fake[BETA].slow = the_rig.fake[BETA].hears = true;
    talk();
    it_fails(ALPHA, VA_EIO);
    turn(TURN_STARTED);
    fake_ready(&the_rig.fake[BETA]);
    log_is("alpha close;beta open;speech ended;beta say repeat;");
    pass(5100);
    log_is("beta close;attendant open;attendant say repeat;");
}

static void an_open_turn_of_a_deaf_ear_is_closed(void **state)
{
    (void)state;
    the_rig.fake[ALPHA].hears = true;
    talk();
    it_hears(ALPHA, TURN_STARTED);
    it_fails(ALPHA, VA_EIO);
    log_is("speech started;alpha close;speech false;beta open;");
}

/* A transcript that lags behind the answer to it says nothing of the sound under way: whose words
 * are then lost, and asked for again. */
static void late_words_are_not_the_next_turns(void **state)
{
    (void)state;
    talk();
    turn(TURN_STARTED);
    turn(TURN_ENDED);
    its_answer(ALPHA, 200);
    its_done(ALPHA);
    pass(300);
    turn(TURN_STARTED);
    it_says_caller_said(ALPHA, "que horas abre?");
    turn(TURN_ENDED);
    buf_reset(&the_rig.log);
    it_fails(ALPHA, VA_EIO);
    log_is("alpha close;beta open;beta say repeat;");
}

/* Late, but the answer to it is still owed: a cough meanwhile changes nothing. */
static void late_words_are_those_of_the_turn_before(void **state)
{
    (void)state;
    the_rig.acks = true;
    talk();
    turn(TURN_STARTED);
    turn(TURN_ENDED);
    its_answer(ALPHA, 4000);
    turn(TURN_STARTED);
    it_says_caller_said(ALPHA, "que horas abre?");
    turn(TURN_ENDED);
    it_hears(ALPHA, TURN_FALSE);
    buf_reset(&the_rig.log);
    it_fails(ALPHA, VA_EIO);
    log_is("alpha close;done 2;beta open;beta say answer;");
}

/* A cough into an answer owes nothing, and what was owed before still is. */
static void a_sound_that_was_none_changes_nothing(void **state)
{
    (void)state;
    the_rig.acks = true;
    talk();
    caller_says("que horas abre?");
    its_answer(ALPHA, 4000);
    turn(TURN_STARTED);
    turn(TURN_ENDED);
    it_hears(ALPHA, TURN_FALSE);
    log_is("answer 2;audio 2 4000;alpha turn started;alpha turn ended;speech false;"
           "alpha turn false;");
    pass(5500); /* still being heard */
    log_is("");
    it_fails(ALPHA, VA_EIO);
    log_is("alpha close;done 2;beta open;beta say answer;");
}

/* ---- tools -------------------------------------------------------------------------------------
 */

static void a_tool_outlives_who_asked_for_it(void **state)
{
    (void)state;
    talk();
    struct fake *f = &the_rig.fake[ALPHA];
    caller_says("recado");
    f->h->on_tool(f->arg, &(struct tool_call){.id = 1, .kind = TOOL_TAKE_MESSAGE, ""});
    pass(20000); /* the message is being taken */
    it_fails(ALPHA, VA_EIO);
    log_is("tool 1;alpha close;beta open;");
    provider_chain.tool_result(the_rig.chain, 1, VA_OK);
    log_is("beta say still-there;");
    f = &the_rig.fake[BETA];
    f->h->on_tool(f->arg, &(struct tool_call){.id = 1, .kind = TOOL_TRANSFER, "x"});
    provider_chain.tool_result(the_rig.chain, 2, VA_ENOTFOUND);
    log_is("tool 2;beta result 1 VA_ENOTFOUND;");
    pass(5010);
    log_is("beta close;attendant open;attendant say repeat;");
}

/* ---- who is passed over ------------------------------------------------------------------------
 */

static void another_call(void)
{
    provider_chain.close(&the_rig.chain);
    settle();
    the_rig.ready = the_rig.failed = false;
    the_rig.last = 0;
    buf_reset(&the_rig.log);
    begin();
}

static void a_bad_key_is_remembered_for_a_minute(void **state)
{
    (void)state;
    struct chain_stats before, after;
    chain_stats(&before);
    begin();
    it_fails(ALPHA, VA_EAUTH);
    another_call();
    log_is("beta open;ready;beta say greeting;");
    pass(58000);
    another_call();
    log_is("beta open;ready;beta say greeting;");
    pass(3000);
    another_call();
    log_is("alpha open;ready;alpha say greeting;");
    chain_stats(&after);
    assert_int_equal(after.skipped - before.skipped, 2);
}

static void another_tenants_key_is_another(void **state)
{
    (void)state;
    begin();
    it_fails(ALPHA, VA_EAUTH);
    provider_chain.close(&the_rig.chain);
    settle();
    assert_int_equal(secretary_set(&the_rig.secretary->tenant, "other.example"), VA_OK);
    another_call();
    log_is("alpha open;ready;alpha say greeting;");
}

/* An unknown voice is this secretary's mistake: its colleagues' calls are not moved, and its own
 * are back as soon as it is mended. */
static void what_a_secretary_asked_for_is_its_own(void **state)
{
    (void)state;
    static const enum va_err its_own[] = {VA_ECONFIG, VA_EINVAL, VA_ENOTFOUND, VA_ENOTSUP};
    struct secretary *s = the_rig.secretary;
    assert_int_equal(secretary_set(&s->voice, "unknown"), VA_OK);
    for (size_t i = 0; i < sizeof(its_own) / sizeof(its_own[0]); i++) {
        chain_health_forget();
        (void)str_copy(s->id, sizeof(s->id), str_of("first"));
        another_call();
        it_fails(ALPHA, its_own[i]);
        another_call();
        log_is("beta open;ready;beta say greeting;");
        provider_chain.close(&the_rig.chain);
        settle();
        (void)str_copy(s->id, sizeof(s->id), str_of("second"));
        another_call();
        log_is("alpha open;ready;alpha say greeting;");
    }
    (void)str_copy(s->id, sizeof(s->id), str_of("first"));
    assert_int_equal(secretary_set(&s->voice, "marin"), VA_OK);
    another_call();
    log_is("alpha open;ready;alpha say greeting;");
}

static void a_bad_key_is_the_whole_tenants(void **state)
{
    (void)state;
    struct secretary *s = the_rig.secretary;
    (void)str_copy(s->id, sizeof(s->id), str_of("first"));
    begin();
    it_fails(ALPHA, VA_EAUTH);
    provider_chain.close(&the_rig.chain);
    settle();
    (void)str_copy(s->id, sizeof(s->id), str_of("second"));
    another_call();
    log_is("beta open;ready;beta say greeting;");
}

/* One pipeline's bad key says nothing of the same pipeline with other stages. */
static void options_make_another_provider(void **state)
{
    (void)state;
    struct secretary *s = the_rig.secretary;
    assert_int_equal(secretary_set(&s->provider, "alpha:stt=a"), VA_OK);
    assert_int_equal(secretary_set(&s->fallbacks.item[0], "alpha:stt=b"), VA_OK);
    begin();
    settle();
    it_fails(ALPHA, VA_EAUTH);
    log_is("alpha open;ready;alpha say greeting;alpha close;alpha open;alpha say greeting;");
    another_call();
    log_is("alpha open;ready;alpha say greeting;");
    it_fails(ALPHA, VA_EAUTH); /* b's */
    log_is("alpha close;attendant open;attendant say greeting;");
}

static void a_rate_limit_is_remembered_briefly(void **state)
{
    (void)state;
    talk();
    it_fails(ALPHA, VA_ELIMIT);
    another_call();
    log_is("beta open;ready;beta say greeting;");
    pass(10100);
    another_call();
    log_is("alpha open;ready;alpha say greeting;");
}

static void who_cannot_be_reached_is_not_tried_by_every_call(void **state)
{
    (void)state;
    the_rig.fake[ALPHA].slow = true;
    begin();
    pass(3100);
    another_call();
    log_is("beta open;ready;beta say greeting;");
    pass(5000);
    another_call();
    log_is("alpha open;");
}

static void a_lost_connection_is_not_held_against_it(void **state)
{
    (void)state;
    talk();
    it_fails(ALPHA, VA_ECLOSED);
    another_call();
    log_is("alpha open;ready;alpha say greeting;");
}

static void the_last_one_is_always_tried(void **state)
{
    (void)state;
    begin();
    it_fails(ALPHA, VA_EAUTH);
    it_fails(BETA, VA_EAUTH);
    it_fails(LAST, VA_EAUTH);
    assert_true(the_rig.failed);
    another_call();
    log_is("attendant open;ready;attendant say greeting;");
}

/* ---- filler ------------------------------------------------------------------------------------
 */

static struct tts *voice(void)
{
    struct tts *tts = NULL;
    struct va_fault fault;
    if (tts_start(&(struct tts_cfg){.command = "espeak-ng"}, &tts, &fault))
        fail_msg("%s", fault.text);
    the_rig.env.tts = tts;
    return tts;
}

static void until_log_has(const char *text)
{
    while (!strstr(buf_z(&the_rig.log), text)) {
        loop_turn(the_rig.loop, true);
        loop_timers_turn(the_rig.loop);
    }
}

static bool filler_waits(void)
{
    settle();
    return strstr(buf_z(&the_rig.log), "instante") == NULL;
}

static void the_caller_hears_a_filler(void **state)
{
    (void)state;
    struct tts *tts = voice();
    struct chain_stats before, after;
    chain_stats(&before);
    talk();
    the_rig.fake[BETA].slow = true;
    caller_says("que horas abre?");
    it_fails(ALPHA, VA_EIO);
    uint64_t from = the_rig.clock.mono;
    pass(690);
    assert_true(filler_waits());
    pass(10);
    until_log_has("done 2");
    assert_true(the_rig.sound_us - from <= 1000000); /* within a second */
    assert_non_null(strstr(buf_z(&the_rig.log), "answer 2;agent 2 Só um instante, por favor.;"));
    buf_reset(&the_rig.log);
    fake_ready(&the_rig.fake[BETA]);
    its_answer(BETA, 100);
    its_done(BETA);
    log_is("beta say answer;answer 3;audio 3 100;done 3;"); /* numbers go on growing */
    pass(3000);
    log_is("");
    chain_stats(&after);
    assert_int_equal(after.fillers - before.fillers, 1);
    provider_chain.close(&the_rig.chain);
    tts_stop(&tts);
}

/* A filler may be spoken over; then nobody owes what it stood for. */
static void a_filler_may_be_interrupted(void **state)
{
    (void)state;
    struct tts *tts = voice();
    talk();
    the_rig.fake[BETA].slow = true;
    caller_says("que horas abre?");
    it_fails(ALPHA, VA_EIO);
    pass(700);
    until_log_has("done 2");
    buf_reset(&the_rig.log);
    provider_chain.interrupt(the_rig.chain, 2, 100);
    turn(TURN_STARTED);
    fake_ready(&the_rig.fake[BETA]);
    turn(TURN_ENDED);
    log_is("beta turn started;beta turn ended;");
    provider_chain.close(&the_rig.chain);
    tts_stop(&tts);
}

static void no_filler_when_the_next_is_quick(void **state)
{
    (void)state;
    struct tts *tts = voice();
    talk();
    caller_says("que horas abre?");
    it_fails(ALPHA, VA_EIO);
    settle();
    pass(600);
    its_answer(BETA, 100);
    its_done(BETA);
    pass(3000);
    assert_true(filler_waits());
    provider_chain.close(&the_rig.chain);
    tts_stop(&tts);
}

/* Silence begins when what was delivered has been heard. */
static void no_filler_while_there_is_something_to_hear(void **state)
{
    (void)state;
    struct tts *tts = voice();
    talk();
    the_rig.fake[BETA].slow = true;
    caller_says("que horas abre?");
    its_answer(ALPHA, 1000);
    it_fails(ALPHA, VA_EIO);
    pass(1690);
    assert_true(filler_waits());
    pass(20);
    until_log_has("instante");
    provider_chain.close(&the_rig.chain);
    tts_stop(&tts);
}

static void a_caller_who_waits_for_the_greeting_hears_one(void **state)
{
    (void)state;
    struct tts *tts = voice();
    the_rig.fake[ALPHA].slow = true;
    begin();
    pass(1500 + 700);
    until_log_has("done 1");
    fake_ready(&the_rig.fake[ALPHA]);
    its_answer(ALPHA, 100);
    assert_non_null(strstr(buf_z(&the_rig.log), "alpha say greeting;answer 2;"));
    provider_chain.close(&the_rig.chain);
    tts_stop(&tts);
}

/* Heard to its end it would end the call before the farewell. */
static void no_filler_before_the_last_word(void **state)
{
    (void)state;
    struct tts *tts = voice();
    talk();
    the_rig.fake[BETA].slow = true;
    provider_chain.say(the_rig.chain, SAY_FAREWELL);
    it_fails(ALPHA, VA_EIO);
    pass(2000);
    assert_true(filler_waits());
    provider_chain.close(&the_rig.chain);
    tts_stop(&tts);
}

/* ---- closing -----------------------------------------------------------------------------------
 */

/* The call may end inside whatever it is told. */
static void a_call_may_close_in_every_handler(void **state)
{
    (void)state;
    for (int at = 0; at < 9; at++) {
        begin();
        if (at > 0)
            settle();
        the_rig.close_in_handler = true;
        if (at == 1)
            its_answer(ALPHA, 0);
        if (at == 2)
            it_fails(ALPHA, VA_EIO);
        if (at == 3)
            it_hears(ALPHA, TURN_CONFIRMED);
        if (at == 4)
            it_says_caller_said(ALPHA, "oi");
        if (at == 5) {
            the_rig.close_in_handler = false;
            its_answer(ALPHA, 100);
            the_rig.close_in_handler = true;
            it_fails(ALPHA, VA_EIO); /* in done */
        }
        if (at == 6) {
            turn(TURN_STARTED);
            it_fails(ALPHA, VA_EIO); /* in speech false */
        }
        if (at == 7) {
            the_rig.fake[BETA].refuse = the_rig.fake[LAST].refuse = VA_EIO;
            it_fails(ALPHA, VA_EIO); /* in failed */
        }
        if (at == 8)
            pass(6000);
        rig_stop();
        rig_start();
    }
}

static uint64_t seed;
static unsigned dice(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static int open_fake(void)
{
    for (int i = 0; i < FAKES; i++)
        if (the_rig.fake[i].p)
            return i;
    return -1;
}

static void provider_does_something(int i)
{
    static const enum va_err errors[] = {VA_EIO, VA_EAUTH, VA_ELIMIT, VA_ECLOSED};
    struct fake *f = &the_rig.fake[i];
    if (!f->ready) {
        if (f->slow && dice(2))
            fake_ready(f);
        else if (dice(4) == 0)
            it_fails(i, errors[dice(4)]);
        return;
    }
    switch (dice(8)) {
    case 0: its_answer(i, dice(400)); break;
    case 1:
        if (f->answers)
            its_audio(i, f->answers, dice(400));
        break;
    case 2:
    case 3:
        if (f->answers)
            its_done(i);
        break;
    case 4: it_says_caller_said(i, dice(2) ? "oi" : ""); break;
    case 5: it_hears(i, f->hears ? dice(4) : dice(2) ? TURN_CONFIRMED : TURN_FALSE); break;
    case 6: f->h->on_tool(f->arg, &(struct tool_call){.id = dice(3) + 1, .destination = ""}); break;
    default:
        if (dice(3) == 0)
            it_fails(i, errors[dice(4)]);
    }
}

static void call_does_something(void)
{
    struct provider *p = the_rig.chain;
    int16_t frame[160] = {0};
    switch (dice(9)) {
    case 0:
        if (the_rig.last)
            provider_chain.interrupt(p, dice(the_rig.last) + 1, dice(100));
        break;
    case 1: provider_chain.digit(p, '1'); break;
    case 2: provider_chain.say(p, dice(SAY_HOLD_ON + 1)); break;
    case 3: provider_chain.tool_result(p, dice(4), dice(2) ? VA_OK : VA_ECANCELED); break;
    case 4:
    case 5: provider_chain.turn(p, TURN_STARTED, 0); break;
    case 6: provider_chain.turn(p, TURN_ENDED, 0); break;
    case 7: provider_chain.turn(p, TURN_FALSE, 0); break;
    default: provider_chain.audio_in(p, frame, 160);
    }
}

/* Whatever both sides do: numbers grow, nobody is spoken to before it is ready, all are closed, one
 * failure is told (asserted by the rig). */
static void whatever_both_sides_do(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 400; round++) {
        seed = round + 1;
        the_rig.fake[ALPHA].slow = dice(2);
        the_rig.fake[BETA].slow = dice(2);
        the_rig.fake[ALPHA].hears = dice(2);
        the_rig.fake[BETA].refuse = dice(4) ? VA_OK : VA_EREFUSED;
        the_rig.acks = false;
        bool open = rig_open() == VA_OK;
        for (unsigned step = 0; open && step < 200 && !the_rig.failed; step++) {
            int i = open_fake();
            if (dice(2) && i >= 0)
                provider_does_something(i);
            else if (the_rig.ready && dice(2))
                call_does_something();
            else
                pass(dice(100) ? 10 : 3000);
        }
        rig_stop();
        rig_start();
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_call_notices_nothing_of_the_chain),
        T(the_secretarys_list_comes_first),
        T(the_settings_serve_who_names_none),
        T(a_refusal_costs_no_time),
        T(a_provider_that_does_not_get_ready_is_left),
        T(a_slow_one_that_gets_ready_greets),
        T(all_down_is_told_once),
        T(an_answer_that_does_not_come_is_given_by_the_next),
        T(lost_words_are_asked_for),
        T(words_of_an_older_turn_do_not_count),
        T(a_digit_is_known),
        T(death_in_the_middle_of_a_word),
        T(a_second_answer_that_dies_is_missed_too),
        T(an_answer_that_stalls_is_left),
        T(an_answer_that_goes_on_is_not),
        T(a_long_turn_is_no_failure),
        T(a_quiet_death_is_a_quiet_takeover),
        T(what_was_to_be_said_is_said_by_the_next),
        T(the_next_may_fail_too),
        T(a_turn_under_way_is_started_anew),
        T(a_turn_nobody_heard_is_asked_for),
        T(a_sound_meanwhile_does_not_lose_the_question),
        T(turns_of_a_provider_that_hears_them),
        T(a_turn_that_is_confirmed_by_its_end_is_answered),
        T(a_turn_that_is_taken_over_by_other_ears_is_ended),
        T(an_open_turn_of_a_deaf_ear_is_closed),
        T(late_words_are_not_the_next_turns),
        T(late_words_are_those_of_the_turn_before),
        T(a_sound_that_was_none_changes_nothing),
        T(a_tool_outlives_who_asked_for_it),
        T(a_bad_key_is_remembered_for_a_minute),
        T(another_tenants_key_is_another),
        T(what_a_secretary_asked_for_is_its_own),
        T(a_bad_key_is_the_whole_tenants),
        T(options_make_another_provider),
        T(a_rate_limit_is_remembered_briefly),
        T(who_cannot_be_reached_is_not_tried_by_every_call),
        T(a_lost_connection_is_not_held_against_it),
        T(the_last_one_is_always_tried),
        T(the_caller_hears_a_filler),
        T(a_filler_may_be_interrupted),
        T(no_filler_when_the_next_is_quick),
        T(no_filler_while_there_is_something_to_hear),
        T(a_caller_who_waits_for_the_greeting_hears_one),
        T(no_filler_before_the_last_word),
        T(a_call_may_close_in_every_handler),
        T(whatever_both_sides_do),
    };
    return cmocka_run_group_tests_name("ai chain", tests, NULL, NULL);
}
