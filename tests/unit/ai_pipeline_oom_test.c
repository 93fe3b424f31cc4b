/* A turn of the pipeline in which one allocation after the other fails: it is answered or it
 * failed, and nothing is lost. The servers are a process of their own, which has all the memory it
 * wants. */
#include "unit/oom.h"

#include "ai/pipeline/pipeline.h"
#include "unit/http_rig.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RATE = 16000, PATIENCE_MS = 3000 };

static uint16_t port;

/* ---- the servers ------------------------------------------------------------------------------
 */

static void on_request(void *arg, struct rig_conn *c, const struct rig_request *r)
{
    static const char chat[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        "data: {\"choices\":[{\"delta\":{\"content\":\"One moment. Then.\",\"tool_calls\":[{\"id\":"
        "\"c\",\"function\":{\"name\":\"transfer\",\"arguments\":\"{\\\"destination\\\":"
        "\\\"sales\\\"}"
        "\"}}]}}]}\n\ndata: [DONE]\n\n";
    static char audio[4800];
    (void)arg;
    if (str_starts(r->line, "POST /v1/audio/transcriptions ")) {
        rig_answer(c, 200, "application/json", "{\"text\":\"Sales, please.\"}", 25);
    } else if (str_starts(r->line, "POST /v1/audio/speech ")) {
        rig_answer(c, 200, "audio/pcm", audio, sizeof(audio));
    } else {
        rig_send(c, chat, sizeof(chat) - 1);
        rig_close(c);
    }
}

static void serve(int to_parent)
{
    struct loop *loop = NULL;
    static struct rig_server s;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (loop_new(NULL, 0, &loop))
        _exit(1);
    rig_start(&s, loop, on_request, NULL);
    if (write(to_parent, &s.port, sizeof(s.port)) != sizeof(s.port))
        _exit(1);
    loop_run(loop);
    _exit(0);
}

/* ---- the call ---------------------------------------------------------------------------------
 */

struct turn {
    bool ready, failed, done, tool;
};

static void on_ready(void *arg)
{
    ((struct turn *)arg)->ready = true;
}

static void on_answer(void *arg, uint32_t answer, unsigned flags)
{
    (void)arg, (void)answer, (void)flags;
}

static void on_audio(void *arg, uint32_t answer, struct pcm *audio)
{
    (void)arg, (void)answer, (void)audio;
}

static void on_answer_done(void *arg, uint32_t answer)
{
    (void)answer;
    ((struct turn *)arg)->done = true;
}

static void on_transcript(void *arg, enum speaker who, uint32_t answer, const char *text)
{
    (void)arg, (void)who, (void)answer, (void)text;
}

static void on_speech(void *arg, enum turn_phase phase)
{
    (void)arg, (void)phase;
}

static void on_tool(void *arg, const struct tool_call *tool)
{
    (void)tool;
    ((struct turn *)arg)->tool = true;
}

static void on_failed(void *arg, enum va_err why, const char *text)
{
    struct turn *t = arg;
    assert_true(why != VA_OK && *text);
    t->failed = true;
}

static const struct provider_handlers handlers = {.on_ready = on_ready,
                                                  .on_answer = on_answer,
                                                  .on_audio = on_audio,
                                                  .on_answer_done = on_answer_done,
                                                  .on_transcript = on_transcript,
                                                  .on_speech = on_speech,
                                                  .on_tool = on_tool,
                                                  .on_failed = on_failed};

static void late(void *arg)
{
    *(bool *)arg = true;
}

static void until(struct loop *loop, const bool *a, const bool *b)
{
    bool over = false;
    struct tmr t = {0};
    oom.exempt++;
    tmr_start(&t, loop, PATIENCE_MS, late, &over);
    oom.exempt--;
    while (!*a && !*b && !over)
        loop_turn(loop, true);
    tmr_stop(&t);
    if (over && !*a && !*b) {
        oom.exempt++;
        fail_msg("it neither goes on nor fails (allocation %zu)", oom.from);
    }
}

static struct settings settings;
static struct secretary *secretary;

static void converse(struct loop *loop, struct history *history)
{
    static const int16_t frame[RATE / 50];
    static const struct provider_env env;
    static const struct call_record record;
    struct provider *p = NULL;
    struct turn t = {.ready = false};
    const struct provider_cfg cfg = {.name = "pipeline:stt-model=x",
                                     .loop = loop,
                                     .env = &env,
                                     .secretary = secretary,
                                     .rate_hz = RATE,
                                     .settings = &settings,
                                     .history = history,
                                     .record = &record};
    if (provider_pipeline.open(&cfg, &handlers, &t, &p))
        return;
    until(loop, &t.ready, &t.failed);
    if (t.ready) {
        provider_pipeline.turn(p, TURN_STARTED, 100);
        for (int i = 0; i < 20; i++)
            provider_pipeline.audio_in(p, frame, RATE / 50);
        provider_pipeline.turn(p, TURN_ENDED, 100);
        until(loop, &t.tool, &t.failed);
    }
    provider_pipeline.close(&p);
    loop_turn(loop, false);
}

/* A loop ends the program when it has no room for a timer: it gets that beforehand. */
static void room_for_timers(struct loop *loop)
{
    struct tmr t[64] = {{0}};
    bool fired = false;
    for (size_t i = 0; i < 64; i++)
        tmr_start(&t[i], loop, 1000, late, &fired);
    for (size_t i = 0; i < 64; i++)
        tmr_stop(&t[i]);
}

static void run(void)
{
    struct loop *loop = NULL;
    struct history *history = NULL;
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    assert_int_equal(history_new(&history), VA_OK);
    room_for_timers(loop);
    oom.exempt--;
    converse(loop, history);
    oom.exempt++;
    loop_free(&loop);
    history_free(&history);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    oom_sweep(run, 1);
}

static void memory_may_run_out_for_good(void **state)
{
    (void)state;
    oom_sweep(run, SIZE_MAX / 2);
}

static int setup(void **state)
{
    struct destination *d;
    char *none[] = {NULL};
    (void)state;
    assert_int_equal(settings_load("/dev/null", none, &settings, NULL), VA_OK);
    char base[SETTING_TEXT_MAX];
    (void)snprintf(base, sizeof(base), "http://127.0.0.1:%u/v1", port);
    (void)str_copy(settings.stt_provider, SETTING_TEXT_MAX, str_of("openai"));
    (void)str_copy(settings.tts_provider, SETTING_TEXT_MAX, str_of("openai"));
    (void)str_copy(settings.stt_base_url, SETTING_TEXT_MAX, str_of(base));
    (void)str_copy(settings.tts_base_url, SETTING_TEXT_MAX, str_of(base));
    (void)str_copy(settings.llm_base_url, SETTING_TEXT_MAX, str_of(base));
    (void)str_copy(settings.llm_model, SETTING_TEXT_MAX, str_of("m"));
    (void)str_copy(settings.llm_api_key, SETTING_TEXT_MAX, str_of("secret-key-1"));
    assert_int_equal(secretary_new(&secretary), VA_OK);
    assert_int_equal(secretary_set(&secretary->language, "en-US"), VA_OK);
    assert_int_equal(secretary_add_destination(secretary, &d), VA_OK);
    assert_int_equal(secretary_set(&d->name, "sales"), VA_OK);
    return 0;
}

static int teardown(void **state)
{
    const struct secretary *s = secretary;
    (void)state;
    secretary_unref(&s);
    return 0;
}

int main(void)
{
    int pipes[2];
    log_set_fd(-1);
    if (pipe(pipes))
        return 1;
    pid_t child = fork();
    if (child == 0)
        serve(pipes[1]);
    if (child < 0 || read(pipes[0], &port, sizeof(port)) != sizeof(port))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(memory_may_run_out_for_good),
    };
    int bad = cmocka_run_group_tests(tests, setup, teardown);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    return bad;
}
