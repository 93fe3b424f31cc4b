/* The pipeline as the call sees it, against servers that do as each test says. */
#include "unit/unit.h"

#include "ai/pipeline/pipeline.h"
#include "unit/http_rig.h"

#include <math.h>

enum { PATIENCE_MS = 8000, ASKED_MAX = 16, RATE = 8000 };

struct world {
    struct loop *loop;
    struct rig_server server;
    struct settings settings;
    struct secretary *secretary;
    struct history *history;
    struct call_record record;
    struct provider_env env;
    struct provider *p;
    const char *name; /* of the provider, with options */
    /* what the servers do, and were asked */
    const char *words;                                  /* of every transcription */
    void (*think)(struct world *w, struct rig_conn *c); /* answers the model's question */
    const char *says;                                   /* of chat_says() */
    bool voice_waits;                                   /* sentences wait for speak_now() */
    struct rig_conn *waiting[4];
    size_t waiting_count;
    int voice_status, ear_status;
    struct rig_conn *thinking;
    struct buf asked;  /* bodies of all questions, each with a line end */
    struct buf spoken; /* texts of all sentences, likewise */
    unsigned questions, transcriptions;
    /* what the call was told */
    struct buf told; /* "A1 ", "T:text ", "a ", "D1 ", … */
    uint64_t samples;
    unsigned answers, done, tools, failed, usages;
    struct tool_call tool;
    char destination[64];
    enum va_err why;
    char cause[800];
    enum { TAKE_NOTHING, TAKE_FALSE, TAKE_CLOSE_AT_ANSWER, TAKE_INTERRUPT } call_does;
    bool ready;
};

/* ---- the remote ends --------------------------------------------------------------------------
 */

static void begin_chat(struct rig_conn *c)
{
    rig_sendz(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n");
}

static void chunk(struct rig_conn *c, const char *json)
{
    struct buf b;
    buf_init(&b, 65536);
    (void)buf_addf(&b, "data: %s\n\n", json);
    rig_chunk(c, b.p, b.len);
    buf_free(&b);
}

static void content(struct rig_conn *c, const char *text)
{
    struct buf b;
    buf_init(&b, 65536);
    (void)buf_addf(&b, "{\"choices\":[{\"delta\":{\"content\":\"%s\"}}]}", text);
    chunk(c, buf_z(&b));
    buf_free(&b);
}

static void end_chat(struct rig_conn *c)
{
    chunk(c, "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4}}");
    chunk(c, "[DONE]");
    rig_chunk(c, "", 0);
}

static void chat_says(struct world *w, struct rig_conn *c)
{
    begin_chat(c);
    content(c, w->says);
    end_chat(c);
}

/* Half a second per sentence, cut at odd places. */
static void voice(struct rig_conn *c)
{
    enum { BYTES = 24000 };
    static char audio[BYTES];
    for (size_t i = 0; i < BYTES / 2; i++) {
        int16_t s = (int16_t)(8000 * sin((double)i * 0.15));
        memcpy(audio + 2 * i, &s, 2);
    }
    rig_sendz(c,
              "HTTP/1.1 200 OK\r\nContent-Type: audio/pcm\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < BYTES;) {
        size_t n = BYTES - at < 4801 ? BYTES - at : 4801;
        rig_chunk(c, audio + at, n);
        at += n;
    }
    rig_chunk(c, "", 0);
}

static void note_sentence(struct world *w, struct str body)
{
    const char *from = memmem(body.p, body.len, "\"input\":\"", 9);
    assert_non_null(from);
    struct str text = str_make(from + 9, (size_t)(body.p + body.len - from) - 9);
    (void)buf_adds(&w->spoken, str_cut(&text, '"'));
    (void)buf_addc(&w->spoken, '\n');
}

static void on_speech_request(struct world *w, struct rig_conn *c, struct str body)
{
    note_sentence(w, body);
    if (w->voice_status)
        rig_answer(c, w->voice_status, "application/json", "{\"detail\":\"no voice\"}", 21);
    else if (w->voice_waits)
        w->waiting[w->waiting_count++] = c;
    else
        voice(c);
}

static void on_ear_request(struct world *w, struct rig_conn *c)
{
    struct buf b;
    w->transcriptions++;
    if (w->ear_status) {
        rig_answer(c, w->ear_status, "application/json", "{}", 2);
        return;
    }
    buf_init(&b, 4096);
    (void)buf_addf(&b, "{\"text\":\"%s\"}", w->words);
    rig_answer(c, 200, "application/json", b.p, b.len);
    buf_free(&b);
}

static void on_request(void *arg, struct rig_conn *c, const struct rig_request *r)
{
    struct world *w = arg;
    if (str_starts(r->line, "POST /v1/audio/speech ")) {
        on_speech_request(w, c, r->body);
    } else if (str_starts(r->line, "POST /v1/audio/transcriptions ")) {
        on_ear_request(w, c);
    } else {
        assert_true(str_starts(r->line, "POST /v1/chat/completions "));
        w->questions++;
        buf_reset(&w->asked);
        (void)buf_adds(&w->asked, r->body);
        w->thinking = c;
        w->think(w, c);
    }
}

/* ---- the call ---------------------------------------------------------------------------------
 */

static void on_ready(void *arg)
{
    ((struct world *)arg)->ready = true;
}

static void on_answer(void *arg, uint32_t answer, unsigned flags)
{
    struct world *w = arg;
    assert_int_equal(answer, w->answers + 1);
    w->answers = answer;
    w->samples = 0;
    (void)buf_addf(&w->told, "A%u%s ", answer, flags & ANSWER_PROTECTED ? "p" : "");
    if (w->call_does == TAKE_CLOSE_AT_ANSWER)
        provider_pipeline.close(&w->p);
}

static void on_audio(void *arg, uint32_t answer, struct pcm *audio)
{
    struct world *w = arg;
    assert_int_equal(answer, w->answers);
    assert_true(answer > w->done);
    assert_int_equal(pcm_rate_hz(audio), RATE);
    if (w->samples == 0 || w->told.p[w->told.len - 2] != 'a')
        (void)buf_addz(&w->told, "a ");
    w->samples += pcm_count(audio);
    if (w->call_does == TAKE_INTERRUPT) {
        w->call_does = TAKE_NOTHING;
        provider_pipeline.interrupt(w->p, answer, 20);
    }
}

static void on_answer_done(void *arg, uint32_t answer)
{
    struct world *w = arg;
    assert_int_equal(answer, w->answers);
    w->done = answer;
    (void)buf_addf(&w->told, "D%u ", answer);
}

static void on_transcript(void *arg, enum speaker who, uint32_t answer, const char *text)
{
    struct world *w = arg;
    assert_true((who == SPEAKER_CALLER) == (answer == 0));
    (void)buf_addf(&w->told, "%c:%s ", who == SPEAKER_CALLER ? 'C' : 'T', text);
    assert_int_equal(history_add(w->history, who, text), VA_OK);
}

static void on_speech(void *arg, enum turn_phase phase)
{
    struct world *w = arg;
    assert_true(phase == TURN_CONFIRMED || phase == TURN_FALSE);
    (void)buf_addz(&w->told, phase == TURN_CONFIRMED ? "words " : "noise ");
    if (phase == TURN_FALSE && w->call_does == TAKE_FALSE)
        provider_pipeline.turn(w->p, TURN_FALSE, 0);
}

static void on_tool(void *arg, const struct tool_call *tool)
{
    struct world *w = arg;
    w->tools++;
    w->tool = *tool;
    (void)str_copy(w->destination, sizeof(w->destination), str_of(tool->destination));
    (void)buf_addf(&w->told, "tool%d ", (int)tool->kind);
}

static void on_failed(void *arg, enum va_err why, const char *text)
{
    struct world *w = arg;
    assert_int_equal(w->failed, 0);
    w->failed = 1;
    w->why = why;
    (void)str_copy(w->cause, sizeof(w->cause), str_of(text));
}

static void on_usage(void *arg, const char *text)
{
    struct world *w = arg;
    w->usages++;
    assert_non_null(strstr(text, "tokens"));
}

static const struct provider_handlers handlers = {
    .on_ready = on_ready,
    .on_answer = on_answer,
    .on_audio = on_audio,
    .on_answer_done = on_answer_done,
    .on_transcript = on_transcript,
    .on_speech = on_speech,
    .on_tool = on_tool,
    .on_failed = on_failed,
    .on_usage = on_usage,
};

static void late(void *arg)
{
    *(bool *)arg = true;
}

#define UNTIL(w, cond)                                                                             \
    do {                                                                                           \
        bool late_ = false;                                                                        \
        struct tmr patience_ = {0};                                                                \
        tmr_start(&patience_, (w)->loop, PATIENCE_MS, late, &late_);                               \
        while (!(cond) && !late_)                                                                  \
            loop_turn((w)->loop, true);                                                            \
        tmr_stop(&patience_);                                                                      \
        if (!(cond))                                                                               \
            fail_msg("did not happen: %s; told: %s; failed: %s", #cond, buf_z(&(w)->told),         \
                     (w)->cause);                                                                  \
    } while (0)

/* What is due without anybody doing anything more. */
static void settle(struct world *w)
{
    bool over = false;
    struct tmr t = {0};
    tmr_start(&t, w->loop, 30, late, &over);
    while (!over)
        loop_turn(w->loop, true);
}

static void told(struct world *w, const char *expect)
{
    assert_string_equal(buf_z(&w->told), expect);
    buf_reset(&w->told);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct destination *d;
    char *none[] = {NULL};
    assert_int_equal(settings_load("/dev/null", none, &w->settings, NULL), VA_OK);
    assert_int_equal(loop_new(NULL, 0, &w->loop), VA_OK);
    assert_int_equal(history_new(&w->history), VA_OK);
    assert_int_equal(secretary_new(&w->secretary), VA_OK);
    assert_int_equal(secretary_set(&w->secretary->language, "en-US"), VA_OK);
    assert_int_equal(secretary_set(&w->secretary->greeting, "Welcome to Acme. Hello!"), VA_OK);
    assert_int_equal(secretary_add_destination(w->secretary, &d), VA_OK);
    assert_int_equal(secretary_set(&d->name, "sales"), VA_OK);
    rig_start(&w->server, w->loop, on_request, w);
    char base[SETTING_TEXT_MAX];
    (void)snprintf(base, sizeof(base), "http://127.0.0.1:%u/v1", w->server.port);
    struct settings *s = &w->settings;
    (void)str_copy(s->stt_provider, SETTING_TEXT_MAX, str_of("openai"));
    (void)str_copy(s->tts_provider, SETTING_TEXT_MAX, str_of("openai"));
    (void)str_copy(s->stt_base_url, SETTING_TEXT_MAX, str_of(base));
    (void)str_copy(s->tts_base_url, SETTING_TEXT_MAX, str_of(base));
    (void)str_copy(s->llm_base_url, SETTING_TEXT_MAX, str_of(base));
    (void)str_copy(s->llm_model, SETTING_TEXT_MAX, str_of("m"));
    (void)str_copy(s->llm_api_key, SETTING_TEXT_MAX, str_of("secret-key-1"));
    (void)str_copy(w->record.caller_number, sizeof(w->record.caller_number), str_of("+55119"));
    buf_init(&w->asked, 1 << 20);
    buf_init(&w->spoken, 1 << 20);
    buf_init(&w->told, 1 << 20);
    w->think = chat_says;
    w->says = "It is open. Until six.";
    w->words = "When do you close?";
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    const struct secretary *s = w->secretary;
    provider_pipeline.close(&w->p);
    loop_turn(w->loop, false);
    settle(w);
    rig_stop(&w->server);
    loop_free(&w->loop);
    history_free(&w->history);
    secretary_unref(&s);
    buf_free(&w->asked);
    buf_free(&w->spoken);
    buf_free(&w->told);
    free(w);
    return 0;
}

static void open_it(struct world *w)
{
    const struct provider_cfg cfg = {.loop = w->loop,
                                     .env = &w->env,
                                     .secretary = w->secretary,
                                     .rate_hz = RATE,
                                     .settings = &w->settings,
                                     .history = w->history,
                                     .record = &w->record,
                                     .name = w->name};
    w->ready = false;
    w->failed = w->answers = w->done = 0;
    assert_int_equal(provider_pipeline.open(&cfg, &handlers, w, &w->p), VA_OK);
    assert_false(w->ready || w->failed);
}

static void begin(struct world *w)
{
    open_it(w);
    UNTIL(w, w->ready);
}

static void frames(struct world *w, unsigned ms)
{
    int16_t frame[RATE / 50];
    for (size_t i = 0; i < RATE / 50; i++)
        frame[i] = (int16_t)(9000 * sin((double)i * 0.3));
    for (unsigned at = 0; at < ms && w->p; at += 20)
        provider_pipeline.audio_in(w->p, frame, RATE / 50);
}

static void starts(struct world *w)
{
    provider_pipeline.turn(w->p, TURN_STARTED, 100);
    frames(w, 1000);
}

static void ends(struct world *w)
{
    provider_pipeline.turn(w->p, TURN_ENDED, 200);
}

static void turn(struct world *w)
{
    starts(w);
    ends(w);
}

/* It cannot go on, and says why. */
static void fails(struct world *w, enum va_err why, const char *text)
{
    UNTIL(w, w->failed);
    assert_int_equal(w->why, why);
    assert_non_null(strstr(w->cause, text));
}

/* ---- a conversation ---------------------------------------------------------------------------
 */

static void the_greeting_is_said_word_for_word(void **state)
{
    struct world *w = *state;
    begin(w);
    provider_pipeline.say(w->p, SAY_GREETING);
    UNTIL(w, w->done == 1);
    told(w, "A1 T:Welcome to Acme. a T:Hello! a D1 ");
    assert_string_equal(buf_z(&w->spoken), "Welcome to Acme.\nHello!\n");
    assert_in_range(w->samples, 7900, 8050); /* two half seconds */
    assert_int_equal(w->questions, 0);
}

static void a_question_is_answered_sentence_by_sentence(void **state)
{
    struct world *w = *state;
    begin(w);
    turn(w);
    UNTIL(w, w->done == 1);
    told(w, "words C:When do you close? A1 T:It is open. a T:Until six. a D1 ");
    assert_int_equal(w->usages, 1);
    const char *asked = buf_z(&w->asked);
    assert_non_null(strstr(asked, "When do you close?"));
    assert_non_null(strstr(asked, "never an instruction"));
    assert_non_null(strstr(asked, "+55119"));
    assert_non_null(strstr(asked, "\"enum\":[\"sales\"]"));
    assert_true(strstr(asked, "+55119") >
                strstr(asked, "\"role\":\"user\"")); /* not in the prompt */
    turn(w);
    UNTIL(w, w->done == 2);
    assert_non_null(strstr(buf_z(&w->asked), "It is open.\\nUntil six."));
}

static void think_slowly(struct world *w, struct rig_conn *c)
{
    (void)w;
    begin_chat(c);
    content(c, "First sentence. Second");
}

static void the_first_sentence_is_heard_before_the_second_is_thought(void **state)
{
    struct world *w = *state;
    w->think = think_slowly;
    begin(w);
    turn(w);
    UNTIL(w, w->samples > 3900);
    told(w, "words C:When do you close? A1 T:First sentence. a ");
    content(w->thinking, " one.");
    end_chat(w->thinking);
    UNTIL(w, w->done == 1);
    told(w, "T:Second one. a D1 ");
}

static void sentences_keep_their_order_and_two_are_fetched_at_once(void **state)
{
    struct world *w = *state;
    w->says = "One. Two. Three.";
    w->voice_waits = true;
    begin(w);
    turn(w);
    UNTIL(w, w->waiting_count == 2);
    settle(w);
    assert_int_equal(w->waiting_count, 2);
    voice(w->waiting[1]); /* the second is there first */
    settle(w);
    told(w, "words C:When do you close? ");
    voice(w->waiting[0]);
    UNTIL(w, w->waiting_count == 3);
    voice(w->waiting[2]);
    UNTIL(w, w->done == 1);
    told(w, "A1 T:One. a T:Two. a T:Three. a D1 ");
}

static void the_farewell_is_protected(void **state)
{
    struct world *w = *state;
    begin(w);
    provider_pipeline.say(w->p, SAY_FAREWELL);
    UNTIL(w, w->done == 1);
    assert_true(str_starts(buf_str(&w->told), "A1p T:"));
}

static void what_was_never_answered_is_answered(void **state)
{
    struct world *w = *state;
    assert_int_equal(history_add(w->history, SPEAKER_CALLER, "Where are you?"), VA_OK);
    begin(w);
    provider_pipeline.say(w->p, SAY_ANSWER);
    UNTIL(w, w->done == 1);
    assert_non_null(strstr(buf_z(&w->asked), "Where are you?"));
}

static void keys_are_told_together(void **state)
{
    struct world *w = *state;
    begin(w);
    provider_pipeline.digit(w->p, '4');
    provider_pipeline.digit(w->p, '2');
    provider_pipeline.digit(w->p, '#');
    UNTIL(w, w->done == 1);
    assert_int_equal(w->questions, 1);
    assert_non_null(strstr(buf_z(&w->asked), "keys: 42#"));
}

/* ---- turns ------------------------------------------------------------------------------------
 */

static void an_interruption_closes_everything(void **state)
{
    struct world *w = *state;
    w->think = think_slowly;
    begin(w);
    turn(w);
    UNTIL(w, w->samples > 0);
    size_t closed = w->server.closed_by_client;
    provider_pipeline.interrupt(w->p, 1, 20);
    UNTIL(w, w->server.closed_by_client > closed); /* the model's */
    uint64_t had = w->samples;
    settle(w);
    assert_int_equal(w->samples, had);
    assert_int_equal(w->done, 0);
    w->think = chat_says;
    turn(w);
    UNTIL(w, w->done == 2);
}

static void an_interruption_from_inside_a_handler(void **state)
{
    struct world *w = *state;
    begin(w);
    w->call_does = TAKE_INTERRUPT;
    turn(w);
    UNTIL(w, w->samples > 0);
    settle(w);
    assert_int_equal(w->done, 0);
    turn(w);
    UNTIL(w, w->done == 2);
}

static void a_caller_who_goes_on_is_answered_as_a_whole(void **state)
{
    struct world *w = *state;
    w->voice_waits = true;
    begin(w);
    turn(w);
    UNTIL(w, w->waiting_count == 2);
    starts(w); /* nothing of the answer was heard yet */
    voice(w->waiting[0]);
    voice(w->waiting[1]);
    settle(w);
    told(w, "words C:When do you close? ");
    w->voice_waits = false;
    w->words = "On Sunday.";
    ends(w);
    UNTIL(w, w->done == 1);
    told(w, "words C:On Sunday. A1 T:It is open. a T:Until six. a D1 ");
    assert_int_equal(w->questions, 2);
    assert_non_null(strstr(buf_z(&w->asked), "When do you close?\\nOn Sunday."));
}

static void noise_does_not_lose_an_answer_that_waits(void **state)
{
    struct world *w = *state;
    w->voice_waits = true;
    begin(w);
    turn(w);
    UNTIL(w, w->waiting_count == 2);
    starts(w);
    voice(w->waiting[0]);
    voice(w->waiting[1]);
    settle(w);
    w->words = "";
    ends(w);
    UNTIL(w, w->done == 1);
    told(w, "words C:When do you close? noise A1 T:It is open. a T:Until six. a D1 ");
    assert_int_equal(w->questions, 1);
}

static void a_sound_over_an_answer_is_judged_by_its_words(void **state)
{
    struct world *w = *state;
    begin(w);
    provider_pipeline.say(w->p, SAY_GREETING);
    UNTIL(w, w->done == 1); /* and a second of it is being played */
    buf_reset(&w->told);
    w->call_does = TAKE_FALSE;
    w->words = "Mm-hmm.";
    turn(w);
    UNTIL(w, w->transcriptions == 1);
    settle(w);
    told(w, "noise ");
    w->words = "";
    turn(w);
    UNTIL(w, w->transcriptions == 2);
    settle(w);
    told(w, "noise ");
    assert_int_equal(w->questions, 0);
    w->words = "Stop.";
    turn(w);
    UNTIL(w, w->done == 2);
    assert_true(str_starts(buf_str(&w->told), "words C:Stop. A2 "));
}

static void silence_is_asked_about_only_when_it_was_a_try(void **state)
{
    struct world *w = *state;
    begin(w);
    w->words = "";
    provider_pipeline.turn(w->p, TURN_STARTED, 100);
    frames(w, 300);
    ends(w);
    UNTIL(w, w->transcriptions == 1);
    settle(w);
    told(w, "noise ");
    assert_int_equal(w->questions, 0);
}

static void words_that_end_in_the_middle_are_waited_on(void **state)
{
    struct world *w = *state;
    w->settings.stt_hold_ms = 5000;
    w->words = "I would like to";
    begin(w);
    turn(w);
    UNTIL(w, w->transcriptions == 1);
    settle(w);
    told(w, "words ");
    w->words = "speak with sales.";
    turn(w);
    UNTIL(w, w->done == 1);
    assert_true(str_starts(buf_str(&w->told), "C:I would like to speak with sales. A1 "));
    buf_reset(&w->told);
    w->settings.stt_hold_ms = 30; /* nothing more comes */
    w->words = "And the";
    turn(w);
    UNTIL(w, w->done == 2);
    assert_true(str_starts(buf_str(&w->told), "words C:And the A2 "));
}

static void noise_behind_words_does_not_lose_them(void **state)
{
    struct world *w = *state;
    w->settings.stt_hold_ms = 5000;
    w->words = "I would like to";
    begin(w);
    turn(w);
    UNTIL(w, w->transcriptions == 1);
    settle(w);
    starts(w);
    provider_pipeline.turn(w->p, TURN_FALSE, 0);
    UNTIL(w, w->done == 1);
    assert_true(str_starts(buf_str(&w->told), "words C:I would like to A1 "));
}

static void a_pause_inside_a_turn_is_heard_as_a_whole(void **state)
{
    struct world *w = *state;
    begin(w);
    starts(w);
    ends(w);
    starts(w); /* before the words of the first half came */
    settle(w);
    told(w, "");
    ends(w);
    UNTIL(w, w->done == 1);
    assert_int_equal(w->questions, 1);
}

static void forgotten_is_forgotten(void **state)
{
    struct world *w = *state;
    begin(w);
    starts(w);
    ends(w);
    provider_pipeline.turn(w->p, TURN_FALSE, 0);
    settle(w);
    told(w, "");
    assert_int_equal(w->questions, 0);
}

/* ---- tools ------------------------------------------------------------------------------------
 */

static const char *call_name, *call_arguments;

static void chat_calls(struct world *w, struct rig_conn *c)
{
    struct buf b;
    buf_init(&b, 4096);
    (void)buf_addf(&b,
                   "{\"choices\":[{\"delta\":{\"content\":\"%s\",\"tool_calls\":[{\"index\":0,"
                   "\"id\":\"c9\",\"function\":{\"name\":\"%s\",\"arguments\":\"%s\"}}]}}]}",
                   w->says, call_name, call_arguments);
    begin_chat(c);
    chunk(c, buf_z(&b));
    end_chat(c);
    buf_free(&b);
    w->think = chat_says;
    w->says = "Anything else?";
}

static void a_tool_runs_behind_its_announcement_and_its_result_is_told(void **state)
{
    struct world *w = *state;
    begin(w);
    w->think = chat_calls;
    w->says = "One moment.";
    call_name = "transfer";
    call_arguments = "{\\\"destination\\\":\\\"Sales\\\"}";
    turn(w);
    UNTIL(w, w->tools == 1);
    told(w, "words C:When do you close? A1 T:One moment. a D1 tool0 ");
    assert_string_equal(w->destination, "sales");
    provider_pipeline.tool_result(w->p, w->tool.id + 7, VA_OK); /* none of ours */
    provider_pipeline.tool_result(w->p, w->tool.id, VA_ETIMEOUT);
    UNTIL(w, w->done == 2);
    told(w, "A2 T:Anything else? a D2 ");
    const char *asked = buf_z(&w->asked);
    assert_non_null(strstr(asked, "\"tool_calls\":[{\"id\":\"c9\""));
    assert_non_null(strstr(asked, "{\"role\":\"tool\",\"tool_call_id\":\"c9\""));
    assert_non_null(strstr(asked, "nobody answered"));
    assert_non_null(strstr(asked, "\"content\":\"One moment.\",\"tool_calls\"")); /* one message */
}

static void a_tool_without_a_word_gets_some(void **state)
{
    struct world *w = *state;
    begin(w);
    w->think = chat_calls;
    w->says = "";
    call_name = "end_call";
    call_arguments = "";
    turn(w);
    UNTIL(w, w->tools == 1);
    assert_non_null(
        strstr(buf_z(&w->told), "A1p T:Thank you for calling. a T:Goodbye! a D1 tool2"));
}

static void a_tool_that_does_not_exist_is_answered_to_the_model(void **state)
{
    struct world *w = *state;
    static const char *const rows[][2] = {{"transfer", "{\\\"destination\\\":\\\"the moon\\\"}"},
                                          {"transfer", "garbage"},
                                          {"launch", "{}"}};
    begin(w);
    for (unsigned i = 0; i < 3; i++) {
        w->think = chat_calls;
        w->says = "";
        call_name = rows[i][0];
        call_arguments = rows[i][1];
        turn(w);
        UNTIL(w, w->done == i + 1);
        assert_non_null(strstr(buf_z(&w->asked), "there is no such"));
    }
    assert_int_equal(w->tools, 0);
    w->think = chat_calls; /* the same behind words of its own */
    w->says = "Off to the moon.";
    turn(w);
    UNTIL(w, w->done == 5);
    assert_int_equal(w->tools, 0);
}

static void an_interrupted_announcement_takes_its_tool_with_it(void **state)
{
    struct world *w = *state;
    begin(w);
    w->call_does = TAKE_INTERRUPT;
    w->think = chat_calls;
    w->says = "One moment.";
    call_name = "end_call";
    call_arguments = "{}";
    turn(w);
    UNTIL(w, w->samples > 0);
    settle(w);
    provider_pipeline.say(w->p, SAY_STILL_THERE);
    UNTIL(w, w->done == 2);
    settle(w);
    assert_int_equal(w->tools, 0);
}

static void a_cancelled_tool_asks_nothing(void **state)
{
    struct world *w = *state;
    begin(w);
    w->think = chat_calls;
    w->says = "One moment.";
    call_name = "take_message";
    call_arguments = "{}";
    turn(w);
    UNTIL(w, w->tools == 1);
    provider_pipeline.tool_result(w->p, w->tool.id, VA_ECANCELED);
    settle(w);
    assert_int_equal(w->questions, 1);
    provider_pipeline.tool_result(w->p, w->tool.id, VA_OK); /* too late */
    settle(w);
    assert_int_equal(w->questions, 1);
}

/* ---- failure ----------------------------------------------------------------------------------
 */

static int status;
static const char *extra_head, *error_body;

static void chat_refuses(struct world *w, struct rig_conn *c)
{
    char text[512];
    (void)snprintf(text, sizeof(text), "HTTP/1.1 %d No\r\n%sContent-Length: %zu\r\n\r\n%s", status,
                   extra_head, strlen(error_body), error_body);
    rig_sendz(c, text);
    if (w->questions >= 1 && *extra_head)
        w->think = chat_says;
}

static void refusals_have_their_error_and_no_key(void **state)
{
    struct world *w = *state;
    static const struct {
        int status;
        enum va_err why;
    } rows[] = {{401, VA_EAUTH}, {404, VA_ENOTFOUND}, {429, VA_ELIMIT}, {500, VA_EAGAIN}};
    w->think = chat_refuses;
    extra_head = "";
    error_body = "{\"error\":{\"message\":\"not with secret-key-1\"}}";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        status = rows[i].status;
        begin(w);
        turn(w);
        fails(w, rows[i].why, "LLM: ");
        assert_non_null(strstr(w->cause, "not with ************"));
        provider_pipeline.turn(w->p, TURN_STARTED, 0); /* dead: takes all, does nothing */
        provider_pipeline.digit(w->p, '1');
        provider_pipeline.say(w->p, SAY_FAREWELL);
        provider_pipeline.interrupt(w->p, 1, 0);
        provider_pipeline.tool_result(w->p, 1, VA_OK);
        settle(w);
        provider_pipeline.close(&w->p);
        loop_turn(w->loop, false);
    }
}

static void a_short_pause_that_is_asked_for_is_made(void **state)
{
    struct world *w = *state;
    w->think = chat_refuses;
    status = 429;
    extra_head = "Retry-After: 1\r\n";
    error_body = "{}";
    begin(w);
    turn(w);
    UNTIL(w, w->done == 1);
    assert_int_equal(w->questions, 2);
}

static void a_long_one_is_not(void **state)
{
    struct world *w = *state;
    w->think = chat_refuses;
    status = 429;
    extra_head = "Retry-After: 60\r\n";
    error_body = "{}";
    begin(w);
    turn(w);
    fails(w, VA_ELIMIT, "60 s");
}

static void a_model_without_tools_is_asked_without(void **state)
{
    struct world *w = *state;
    w->think = chat_refuses;
    status = 400;
    extra_head = "X: y\r\n";
    error_body = "{\"error\":{\"message\":\"tiny does not support tools\"}}";
    begin(w);
    turn(w);
    UNTIL(w, w->done == 1);
    assert_null(strstr(buf_z(&w->asked), "\"tools\""));
}

static void think_and_die(struct world *w, struct rig_conn *c)
{
    (void)w;
    begin_chat(c);
    content(c, "A sentence. Another that");
    rig_close(c);
}

static void dying_in_mid_sentence_is_told_behind_what_was_said(void **state)
{
    struct world *w = *state;
    w->think = think_and_die;
    begin(w);
    turn(w);
    UNTIL(w, w->failed);
    assert_int_equal(w->why, VA_EIO);
    assert_true(va_err_retryable(w->why));
    assert_non_null(strstr(w->cause, "in the middle"));
}

static void chat_says_nothing(struct world *w, struct rig_conn *c)
{
    (void)w;
    begin_chat(c);
    end_chat(c);
}

static void a_model_that_says_nothing_fails_after_some_tries(void **state)
{
    struct world *w = *state;
    w->think = chat_says_nothing;
    begin(w);
    turn(w);
    UNTIL(w, w->failed);
    assert_int_equal(w->questions, 3);
    assert_int_equal(w->why, VA_EPROTO);
}

static void chat_is_a_web_page(struct world *w, struct rig_conn *c)
{
    (void)w;
    rig_answer(c, 200, "text/html", "<html>", 6);
}

static void what_is_no_model_is_said(void **state)
{
    struct world *w = *state;
    w->think = chat_is_a_web_page;
    begin(w);
    turn(w);
    fails(w, VA_EPROTO, "base URL");
}

static void a_voice_or_an_ear_that_fails_is_named(void **state)
{
    struct world *w = *state;
    w->voice_status = 503;
    begin(w);
    provider_pipeline.say(w->p, SAY_GREETING);
    fails(w, VA_EAGAIN, "TTS: ");
    assert_non_null(strstr(w->cause, "no voice"));
    provider_pipeline.close(&w->p);
    w->ear_status = 401;
    begin(w);
    turn(w);
    fails(w, VA_EAUTH, "STT: ");
}

static void missing_settings_are_named(void **state)
{
    struct world *w = *state;
    struct settings good = w->settings;
    static const struct {
        size_t clear, clear_too;
        const char *named;
    } rows[] = {
        {offsetof(struct settings, llm_base_url), offsetof(struct settings, llm_api_key),
         "LLM_API_KEY"},
        {offsetof(struct settings, llm_model), offsetof(struct settings, llm_model), "LLM_MODEL"},
        {offsetof(struct settings, tts_base_url), offsetof(struct settings, tts_base_url),
         "TTS_API_KEY"},
        {offsetof(struct settings, stt_base_url), offsetof(struct settings, stt_base_url),
         "STT_API_KEY"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        w->settings = good;
        *((char *)&w->settings + rows[i].clear) = '\0';
        *((char *)&w->settings + rows[i].clear_too) = '\0';
        open_it(w);
        fails(w, VA_ECONFIG, rows[i].named);
        provider_pipeline.close(&w->p);
        loop_turn(w->loop, false);
    }
}

/* A stage of the secretary's own has its own service and key, not the settings' URL. */
static void a_secretary_may_choose_its_stages(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *name, *cause;
    } rows[] = {{"pipeline:llm=anthropic", "ANTHROPIC_API_KEY"},
                {"pipeline:tts=elevenlabs+tts-model=x", "ELEVENLABS_API_KEY"},
                {"pipeline:stt=deepgram", "DEEPGRAM_API_KEY"},
                {"pipeline:stt=nobody", "embedded|openai|deepgram"},
                {"pipeline:x", "no option"},
                {"pipeline:x-model=y", "no option"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        w->name = rows[i].name;
        assert_ptr_equal(provider_find(w->name), &provider_pipeline);
        open_it(w);
        fails(w, VA_ECONFIG, rows[i].cause);
        provider_pipeline.close(&w->p);
        loop_turn(w->loop, false);
    }
    assert_null(provider_find("attendant:x=y"));
    assert_null(provider_find("pipelin"));
    w->name = "pipeline:llm-model=bigger+llm=openai";
    begin(w);
    turn(w);
    UNTIL(w, w->done == 1);
    assert_non_null(strstr(buf_z(&w->asked), "\"model\":\"bigger\""));
}

static void closing_is_possible_at_every_moment(void **state)
{
    struct world *w = *state;
    for (int turns = 0; turns < 40; turns++) {
        begin(w);
        turn(w);
        for (int i = 0; i < turns; i++)
            loop_turn(w->loop, false);
        provider_pipeline.close(&w->p);
        buf_reset(&w->told);
        settle(w);
        told(w, "");
    }
    w->call_does = TAKE_CLOSE_AT_ANSWER;
    begin(w);
    provider_pipeline.say(w->p, SAY_GREETING);
    UNTIL(w, !w->p);
    settle(w);
    told(w, "A1 ");
}

static void an_endless_answer_is_ended(void **state)
{
    struct world *w = *state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 200; i++)
        (void)buf_addz(&b, "More. ");
    w->says = buf_z(&b);
    w->voice_waits = true;
    begin(w);
    turn(w);
    UNTIL(w, w->waiting_count == 2);
    settle(w);
    assert_int_equal(w->failed, 0);
    buf_free(&b);
}

int main(void)
{
    log_set_level(LOG_ERROR);
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_greeting_is_said_word_for_word),
        T(a_question_is_answered_sentence_by_sentence),
        T(the_first_sentence_is_heard_before_the_second_is_thought),
        T(sentences_keep_their_order_and_two_are_fetched_at_once),
        T(the_farewell_is_protected),
        T(what_was_never_answered_is_answered),
        T(keys_are_told_together),
        T(an_interruption_closes_everything),
        T(an_interruption_from_inside_a_handler),
        T(a_caller_who_goes_on_is_answered_as_a_whole),
        T(noise_does_not_lose_an_answer_that_waits),
        T(a_sound_over_an_answer_is_judged_by_its_words),
        T(silence_is_asked_about_only_when_it_was_a_try),
        T(words_that_end_in_the_middle_are_waited_on),
        T(noise_behind_words_does_not_lose_them),
        T(a_pause_inside_a_turn_is_heard_as_a_whole),
        T(forgotten_is_forgotten),
        T(a_tool_runs_behind_its_announcement_and_its_result_is_told),
        T(a_tool_without_a_word_gets_some),
        T(a_tool_that_does_not_exist_is_answered_to_the_model),
        T(an_interrupted_announcement_takes_its_tool_with_it),
        T(a_cancelled_tool_asks_nothing),
        T(refusals_have_their_error_and_no_key),
        T(a_short_pause_that_is_asked_for_is_made),
        T(a_long_one_is_not),
        T(a_model_without_tools_is_asked_without),
        T(dying_in_mid_sentence_is_told_behind_what_was_said),
        T(a_model_that_says_nothing_fails_after_some_tries),
        T(what_is_no_model_is_said),
        T(a_voice_or_an_ear_that_fails_is_named),
        T(missing_settings_are_named),
        T(a_secretary_may_choose_its_stages),
        T(closing_is_possible_at_every_moment),
        T(an_endless_answer_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
