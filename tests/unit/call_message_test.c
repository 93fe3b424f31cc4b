/* call/: taking a message. Nothing is promised before it is true. */
#include "unit/call_rig.h"

static void no_file_in(struct call_rig *g, const char *folder)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/%s", g->dir, folder);
    assert_int_equal(rmdir(path), 0); /* empty */
    assert_int_equal(mkdir(path, 0750), 0);
}

/* The one message: its file's length agrees with its row. @return the length [ms] */
static uint64_t the_message_ms(struct call_rig *g)
{
    char path[600];
    struct pcm *pcm = NULL;
    struct va_fault fault = {0};
    assert_string_equal(query(g, "SELECT count(*) FROM messages"), "1\n");
    (void)str_copy(path, sizeof(path), str_trim(str_of(query(g, "SELECT audio FROM messages"))));
    if (wav_load(path, NULL, &pcm, &fault))
        fail_msg("%s", fault.text);
    uint64_t ms = pcm_ms(pcm);
    pcm_unref(&pcm);
    assert_int_equal(strtoull(query(g, "SELECT length_ms FROM messages"), NULL, 10), ms);
    return ms;
}

static void a_message_is_kept_before_it_is_promised(void **state)
{
    struct call_rig *g = *state;
    reach_message(g);
    assert_true(g->fs.loud > 10); /* the beep */
    caller_speaks(g, 3000);
    pass(g, 2400);
    assert_null(strstr(buf_z(&g->log), "result"));
    is_state(g, CALL_MESSAGE);
    pass(g, 300);
    assert_int_equal(g->worker.jobs, 1);
    until(g, &g->log, "result 1 ");
    assert_non_null(strstr(buf_z(&g->log), "result 1 VA_OK;"));
    assert_in_range(the_message_ms(g), 5400, 5700); /* while the call still runs */
    assert_string_equal(
        query(g, "SELECT call_id, tenant, caller_number, caller_name FROM messages"),
        CALL_UUID "|default|5511987654321|Ana P\n");
    is_state(g, CALL_THINKING);
    answer(g, 2, 0, "Anotado", 100);
    pass(g, 140);
    is_state(g, CALL_LISTENING);
    assert_null(strstr(buf_z(&g->log), "turn started;turn ended;turn"));
}

static void a_key_ends_a_message(void **state)
{
    struct call_rig *g = *state;
    reach_message(g);
    caller_speaks(g, 1500);
    fs_digit(g, "%23");
    settle(g);
    until(g, &g->log, "result 1 VA_OK;");
    assert_in_range(the_message_ms(g), 1400, 1600);
    assert_null(strstr(buf_z(&g->log), "digit"));
}

static void a_key_during_the_beep_does_nothing(void **state)
{
    struct call_rig *g = *state;
    reach_thinking(g);
    tool(g, 1, TOOL_TAKE_MESSAGE, "");
    pass(g, 60);
    fs_digit(g, "1");
    settle(g);
    is_state(g, CALL_MESSAGE);
    pass(g, 200);
    assert_true(the_call(g)->message.open);
    assert_null(strstr(buf_z(&g->log), "digit"));
}

static void a_message_is_not_longer_than_it_may_be(void **state)
{
    struct call_rig *g = *state;
    g->wanted->message_max_s = 5;
    reach_message(g);
    caller_speaks(g, 5200);
    until(g, &g->log, "result 1 VA_OK;");
    assert_int_equal(the_message_ms(g), 5000);
}

static void nothing_said_is_no_message(void **state)
{
    struct call_rig *g = *state;
    reach_message(g);
    pass(g, 7900);
    is_state(g, CALL_MESSAGE);
    pass(g, 200);
    is_state(g, CALL_THINKING);
    assert_non_null(strstr(buf_z(&g->log), "result 1 VA_ENOTFOUND;"));
    no_file_in(g, "messages");
}

static void a_hangup_keeps_what_was_said(void **state)
{
    struct call_rig *g = *state;
    reach_message(g);
    caller_speaks(g, 2000);
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
    assert_in_range(the_message_ms(g), 1900, 2100);
    assert_null(strstr(buf_z(&g->log), "result"));
}

static void a_lost_socket_keeps_what_was_said(void **state)
{
    struct call_rig *g = *state;
    reach_message(g);
    caller_speaks(g, 2000);
    tcp_reset(&g->fs.control);
    outcome_is(g, "lost||\n");
    assert_in_range(the_message_ms(g), 1900, 2100);
}

static void a_cough_before_a_hangup_is_no_message(void **state)
{
    struct call_rig *g = *state;
    reach_message(g);
    caller_speaks(g, 400);
    fs_hangup(g, "NORMAL_CLEARING");
    outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
    assert_string_equal(query(g, "SELECT count(*) FROM messages"), "0\n");
    no_file_in(g, "messages");
}

static void a_hangup_while_it_is_being_saved_loses_nothing(void **state)
{
    struct call_rig *g = *state;
    reach_message(g);
    caller_speaks(g, 2000);
    fs_digit(g, "1");
    fs_hangup(g, "NORMAL_CLEARING"); /* both before the disk answers */
    outcome_is(g, "hung-up|NORMAL_CLEARING|\n");
    assert_in_range(the_message_ms(g), 1900, 2100);
}

static void a_disk_that_fails_is_told(void **state)
{
    struct call_rig *g = *state;
    char path[96];
    reach_message(g);
    (void)snprintf(path, sizeof(path), "%s/messages", g->dir);
    assert_int_equal(rmdir(path), 0);
    caller_speaks(g, 2000);
    fs_digit(g, "1");
    settle(g);
    until(g, &g->log, "result 1 ");
    assert_null(strstr(buf_z(&g->log), "VA_OK"));
    is_state(g, CALL_THINKING);
    answer(g, 2, 0, "Não consegui anotar", 100);
    pass(g, 140);
    is_state(g, CALL_LISTENING);
    fs_hangup(g, "NORMAL_CLEARING");
    until_gone(g);
    assert_string_equal(query(g, "SELECT count(*) FROM messages"), "0\n");
}

struct plug {
    struct mail mail;
    uv_sem_t stopped, go_on;
};

static void on_plug(struct mail *mail)
{
    struct plug *plug = container_of(mail, struct plug, mail);
    uv_sem_post(&plug->stopped);
    uv_sem_wait(&plug->go_on);
}

/* The disk hangs: the caller is told, the conversation goes on, and what is saved late is kept. */
static void a_disk_that_hangs_is_told(void **state)
{
    struct call_rig *g = *state;
    struct plug plug = {.mail.deliver = on_plug};
    assert_int_equal(uv_sem_init(&plug.stopped, 0), 0);
    assert_int_equal(uv_sem_init(&plug.go_on, 0), 0);
    reach_message(g);
    caller_speaks(g, 2000);
    assert_int_equal(loop_post(g->env.disk, &plug.mail), VA_OK);
    uv_sem_wait(&plug.stopped);
    fs_digit(g, "1");
    settle(g);
    pass(g, 7900);
    is_state(g, CALL_MESSAGE);
    pass(g, 200);
    is_state(g, CALL_THINKING);
    assert_non_null(strstr(buf_z(&g->log), "result 1 VA_ETIMEOUT;"));
    tool(g, 2, TOOL_TAKE_MESSAGE, ""); /* the caller tries again */
    pass(g, 260);
    uv_sem_post(&plug.go_on);
    while (g->worker.jobs)
        loop_turn(g->loop, true);
    assert_null(strstr(buf_z(&g->log), "VA_OK")); /* the end of the first is none of the second */
    is_state(g, CALL_MESSAGE);
    assert_true(the_call(g)->message.open);
    assert_in_range(the_message_ms(g), 1900, 2100);
    uv_sem_destroy(&plug.stopped);
    uv_sem_destroy(&plug.go_on);
}

/* After a message a pause is a pause of conversation again. */
static void the_pause_of_a_message_is_forgotten(void **state)
{
    struct call_rig *g = *state;
    reach_message(g);
    caller_speaks(g, 1500);
    fs_digit(g, "1");
    settle(g);
    until(g, &g->log, "result 1 VA_OK;");
    is_state(g, CALL_THINKING);
    caller_speaks(g, 600); /* goes on before we said a word */
    is_state(g, CALL_LISTENING);
    pass(g, 1000);
    is_state(g, CALL_THINKING);
}

static void a_second_message_may_follow(void **state)
{
    struct call_rig *g = *state;
    reach_message(g);
    caller_speaks(g, 1500);
    fs_digit(g, "1");
    settle(g);
    until(g, &g->log, "result 1 VA_OK;");
    tool(g, 2, TOOL_TAKE_MESSAGE, ""); /* without a word between them */
    pass(g, 260);
    is_state(g, CALL_MESSAGE);
    assert_true(the_call(g)->message.open);
    caller_speaks(g, 1500);
    fs_digit(g, "1");
    settle(g);
    until(g, &g->log, "result 2 VA_OK;");
    assert_string_equal(query(g, "SELECT count(*) FROM messages"), "2\n");
}

/* A provider that talks into the message does not end it. */
static void a_provider_out_of_turn_does_not_end_a_message(void **state)
{
    struct call_rig *g = *state;
    reach_message(g);
    caller_speaks(g, 1000);
    answer(g, 2, 0, "Alô?", 100);
    caller_speaks(g, 9000);
    is_state(g, CALL_MESSAGE);
    assert_true(the_call(g)->message.open);
    pass(g, 2700);
    until(g, &g->log, "result 1 VA_OK;");
    assert_in_range(the_message_ms(g), 12000, 13000);
}

/* Remotes that answer whatever they hear: they do not hear the message, and what they say all the
 * same is not said into it, nor takes the beep's place. */
static void nobody_answers_a_message(void **state)
{
    struct call_rig *g = *state;
    g->detects_turns = true;
    reach_listening(g);
    g->h->on_speech(g->arg, TURN_STARTED);
    g->h->on_speech(g->arg, TURN_ENDED);
    tool(g, 1, TOOL_TAKE_MESSAGE, "");
    pass(g, 60);
    buf_reset(&g->log);
    answer(g, 2, 0, "Fale depois do sinal", 3000); /* in the beep */
    assert_string_equal(buf_z(&g->log), "interrupt 2 0;");
    pass(g, 200);
    assert_true(the_call(g)->message.open);
    g->fed_loud = 0;
    caller_speaks(g, 1000);
    answer(g, 3, 0, "Entendi", 300);
    caller_speaks(g, 1000);
    pass(g, 2700);
    until(g, &g->log, "result 1 VA_OK;");
    assert_int_equal(g->fs.played[2] + g->fs.played[3], 0);
    assert_int_equal(g->fed_loud, 0);
    assert_in_range(the_message_ms(g), 4300, 4800);
    answer(g, 4, 0, "Anotado", 100);
    pass(g, 140);
    is_state(g, CALL_LISTENING);
    caller_speaks(g, 100);
    assert_true(g->fed_loud > 0);
}

int main(int argc, char **argv)
{
    rig_main(argc, argv);
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_message_is_kept_before_it_is_promised),
        RIG_TEST(a_key_ends_a_message),
        RIG_TEST(a_key_during_the_beep_does_nothing),
        RIG_TEST(a_message_is_not_longer_than_it_may_be),
        RIG_TEST(nothing_said_is_no_message),
        RIG_TEST(a_hangup_keeps_what_was_said),
        RIG_TEST(a_lost_socket_keeps_what_was_said),
        RIG_TEST(a_cough_before_a_hangup_is_no_message),
        RIG_TEST(a_hangup_while_it_is_being_saved_loses_nothing),
        RIG_TEST(a_disk_that_fails_is_told),
        RIG_TEST(a_disk_that_hangs_is_told),
        RIG_TEST(the_pause_of_a_message_is_forgotten),
        RIG_TEST(a_second_message_may_follow),
        RIG_TEST(a_provider_out_of_turn_does_not_end_a_message),
        RIG_TEST(nobody_answers_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
