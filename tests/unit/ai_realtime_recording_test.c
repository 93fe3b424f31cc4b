/*
 * Real sessions ($VA_SHARED_DIR/recordings/providers, else ../shared beside the source) replayed as
 * the server's side: the driver sends nothing that the recorded server would have refused, and ends
 * in the same conversation.
 */
#include "contract/openai_fake.h"
#include "contract/provider_rig.h"

#include "ai/realtime/json_fast.h"
#include "ai/realtime/realtime.h"

#include <dirent.h>
#include <stdio.h>

enum { STEPS_MAX = 1024 };

struct replay {
    struct json_object *step[STEPS_MAX];
    size_t steps, at;
    struct buf sent; /* types of the driver's messages, each ends with ';' */
    unsigned updates, results, creates, need_updates, need_results, need_creates;
    bool xai;
};

static struct replay tape;

static bool recordings_dir(char out[static 600])
{
    const char *shared = getenv("VA_SHARED_DIR");
    (void)snprintf(out, 600, "%s/recordings/providers",
                   shared ? shared : VA_SOURCE_DIR "/../shared");
    DIR *d = opendir(out);
    if (d)
        (void)closedir(d);
    else
        print_message("skipped: no recordings in %s\n", out);
    return d != NULL;
}

static bool tape_load(const char *name)
{
    char dir[600], path[700], *line = NULL;
    size_t cap = 0;
    if (!recordings_dir(dir))
        return false;
    (void)snprintf(path, sizeof(path), "%s/%s.jsonl", dir, name);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    tape = (struct replay){0};
    buf_init(&tape.sent, 1 << 20);
    while (getline(&line, &cap, f) > 0 && tape.steps < STEPS_MAX) {
        tape.step[tape.steps] = json_tokener_parse(line);
        assert_non_null(tape.step[tape.steps++]);
    }
    free(line);
    (void)fclose(f);
    return true;
}

static void tape_free(void)
{
    for (size_t i = 0; i < tape.steps; i++)
        json_object_put(tape.step[i]);
    buf_free(&tape.sent);
}

/* ---- the server's side
 * --------------------------------------------------------------------------- */

/* A step of the recorded client: has ours done the like? What it said by text is ours to provoke.
 */
static bool client_step_done(struct json_object *data)
{
    struct str type = fake_str(data, "type");
    if (str_eqz(type, "session.update"))
        return tape.updates >= tape.need_updates + 1 && ++tape.need_updates;
    if (str_eqz(type, "response.create"))
        return tape.creates >= tape.need_creates + 1 && ++tape.need_creates;
    if (str_eqz(fake_str(fake_obj(data, "item"), "type"), "function_call_output"))
        tape.need_results++; /* the server does not wait for it; the response.create behind it does
                              */
    return true;
}

static void tape_play(struct fake *f)
{
    while (tape.at < tape.steps && f->open) {
        struct json_object *step = tape.step[tape.at], *data = fake_obj(step, "data");
        if (str_eqz(fake_str(step, "kind"), "close")) {
            tape.at++;
            f->script.close_code = 1011;
            fake_drop(f);
            return;
        }
        if (str_eqz(fake_str(step, "direction"), "sent")) {
            if (!client_step_done(data))
                return;
        } else {
            fake_send(f, WS_TEXT,
                      str_of(json_object_to_json_string_ext(data, JSON_C_TO_STRING_SPACED)));
        }
        tape.at++;
    }
}

static void replay_message(struct fake *f, enum ws_kind kind, struct str m)
{
    char bad[160];
    assert_int_equal(kind, WS_TEXT);
    struct json_object *o = fake_parse(m);
    struct str type = fake_str(o, "type");
    (void)buf_addf(&tape.sent, "%.*s;", STR_ARG(type));
    if (!of_check(o, log_str(type), bad, tape.xai))
        fake_refuse(f, "%s", bad);
    tape.updates += str_eqz(type, "session.update");
    tape.creates += str_eqz(type, "response.create");
    tape.results += str_eqz(fake_str(fake_obj(o, "item"), "type"), "function_call_output");
    json_object_put(o);
    tape_play(f);
}

static void replay_opened(struct fake *f)
{
    tape_play(f);
}

static int replay_request(struct fake *f, const struct ws_request *r)
{
    (void)f;
    return ws_request_header(r, "OpenAI-Beta").len ? 400 : 101;
}

static const struct fake_proto replay = {.opened = replay_opened,
                                         .message = replay_message,
                                         .request = replay_request,
                                         .state_size = sizeof(struct of_state)};

/* ---- the client's side
 * --------------------------------------------------------------------------- */

static void configure(struct rig *r)
{
    struct settings *s = &r->settings;
    (void)str_copy(s->openai_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)str_copy(s->xai_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)str_copy(s->azure_openai_api_key, SETTING_TEXT_MAX, str_of("sk-test"));
    (void)str_copy(s->azure_openai_deployment, SETTING_TEXT_MAX, str_of("gpt-realtime"));
    (void)snprintf(s->openai_base_url, SETTING_TEXT_MAX, "%s/v1", r->fake.url);
    (void)snprintf(s->xai_base_url, SETTING_TEXT_MAX, "%s/v1", r->fake.url);
    (void)snprintf(s->azure_openai_endpoint, SETTING_TEXT_MAX, "%s", r->fake.url);
}

/* What was said, by the recording's own final events. */
static void expected(struct buf *said, uint64_t *audio_bytes)
{
    for (size_t i = 0; i < tape.steps; i++) {
        struct json_object *data = fake_obj(tape.step[i], "data");
        struct str type = fake_str(data, "type");
        if (str_eqz(fake_str(tape.step[i], "direction"), "sent"))
            continue;
        if (str_eqz(type, "response.output_audio_transcript.done"))
            (void)buf_addf(said, "A:%.*s\n", STR_ARG(fake_str(data, "transcript")));
        if (str_eqz(type, "response.output_text.done"))
            (void)buf_addf(said, "A:%.*s\n", STR_ARG(fake_str(data, "text")));
        if (str_eqz(type, "conversation.item.input_audio_transcription.completed") &&
            !str_eqz(fake_str(data, "status"), "in_progress"))
            (void)buf_addf(said, "C:%.*s\n", STR_ARG(fake_str(data, "transcript")));
        if (str_eqz(type, "response.output_audio.delta")) {
            struct str delta = fake_str(data, "delta");
            *audio_bytes += delta.len / 4 * 3;
        }
    }
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

struct recording {
    const char *name;
    const struct provider_ops *ops;
    unsigned provoke; /* turns of text that the recorded client took */
    bool history;
};

static const struct recording recordings[] = {
    {"openai-text-in-audio-out-turn", &provider_openai, 1, false},
    {"openai-audio-in-server-vad-turn", &provider_openai, 0, false},
    {"openai-tool-call-round", &provider_openai, 1, false},
    {"openai-message-history-seeding", &provider_openai, 1, true},
    {"azure-text-in-audio-out-turn", &provider_azure, 1, false},
    {"azure-audio-in-server-vad-transcribes", &provider_azure, 0, false},
    {"azure-tool-call-round", &provider_azure, 1, false},
    {"xai-text-in-audio-out-turn", &provider_xai, 1, false},
    {"xai-audio-in-server-vad-turn", &provider_xai, 0, false},
    {"xai-session-resumption-after-drop", &provider_xai, 2, false},
};

static void run_text_turns(struct rig *r, unsigned turns)
{
    for (unsigned i = 0; i < turns; i++) {
        uint32_t before = r->done;
        RIG_UNTIL(r, r->ready && r->fake.open);
        r->with->ops->digit(r->p, '#');
        RIG_UNTIL(r, r->done > before);
        rig_settle(r, 20); /* a connection that breaks behind it */
    }
}

static void check(struct rig *r, const struct recording *rec)
{
    struct buf said;
    uint64_t bytes = 0, samples = 0;
    buf_init(&said, 1 << 16);
    expected(&said, &bytes);
    for (size_t i = 0; i < RIG_ANSWERS_MAX; i++)
        samples += r->samples[i];
    /* The order of both sides' texts is the server's whim; each side's own is not. */
    assert_int_equal(count(buf_z(&said), "\n"), count(buf_z(&r->said), "\n"));
    for (char *save = NULL, *line = strtok_r(buf_z(&said)[0] ? said.p : NULL, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save))
        assert_true(rig_heard(r, line));
    assert_in_range(samples, bytes / 6 > 60 ? bytes / 6 - 60 : 0, bytes / 6 + 60);
    assert_int_equal(tape.at, tape.steps);
    assert_int_equal(tape.results, tape.need_results);
    assert_false(r->failed);
    rig_no_refusals(r);
    if (rec->ops == &provider_openai && !rec->provoke)
        assert_memory_equal(r->order, "SE", 2);
    buf_free(&said);
}

static void test_recording(void **state)
{
    const struct recording *rec = *state;
    struct contract_case with = {.name = rec->name,
                                 .ops = rec->ops,
                                 .proto = &replay,
                                 .configure = configure,
                                 .renews = true,
                                 .truncates = true,
                                 .stops = true};
    struct rig r;
    if (!tape_load(rec->name))
        return;
    tape.xai = rec->ops == &provider_xai;
    rig_begin(&r, &with);
    if (rec->history) {
        assert_int_equal(history_add(r.history, SPEAKER_CALLER, "My name is Alice"), VA_OK);
        assert_int_equal(history_add(r.history, SPEAKER_AGENT, "Nice to meet you, Alice!"), VA_OK);
    }
    rig_open(&r);
    RIG_UNTIL(&r, r.ready);
    run_text_turns(&r, rec->provoke);
    RIG_UNTIL(&r, tape.at == tape.steps && r.done == r.answers && r.answers > 0);
    rig_settle(&r, 20);
    check(&r, rec);
    rig_end(&r);
    tape_free();
}

/* ---- the fast reader
 * ----------------------------------------------------------------------------- */

static unsigned fast_hits, fast_misses;

static void compare(struct str text)
{
    static const char *const keys[] = {"type", "delta", "item_id", "response_id"};
    struct json_want want[4];
    for (int i = 0; i < 4; i++)
        want[i] = (struct json_want){.key = keys[i]};
    bool fast = json_fast(text, want, 4);
    fast_hits += fast;
    fast_misses += !fast;
    if (!fast)
        return;
    struct json_object *o = fake_parse(text);
    assert_true(json_object_is_type(o, json_type_object));
    for (int i = 0; i < 4; i++) {
        struct str v = fake_str(o, keys[i]);
        assert_true(str_eq(v, want[i].value) && (v.p == NULL) == (want[i].value.p == NULL));
    }
    json_object_put(o);
}

static void test_json_fast(void **state)
{
    static const char *const names[] = {"gemini-message-history-seeding", "gemini-tool-call-round"};
    (void)state;
    fast_hits = fast_misses = 0;
    for (size_t i = 0; i < sizeof(recordings) / sizeof(recordings[0]) + 2; i++) {
        size_t n = sizeof(recordings) / sizeof(recordings[0]);
        if (!tape_load(i < n ? recordings[i].name : names[i - n]))
            return;
        for (size_t k = 0; k < tape.steps; k++) {
            struct json_object *data = fake_obj(tape.step[k], "data");
            if (!json_object_is_type(data, json_type_object))
                continue;
            static const int styles[] = {JSON_C_TO_STRING_PLAIN, JSON_C_TO_STRING_SPACED,
                                         JSON_C_TO_STRING_PRETTY};
            for (int m = 0; m < 3; m++) {
                const char *z = json_object_to_json_string_ext(data, styles[m]);
                compare(str_of(z));
                compare(str_make(z, strlen(z) / 2)); /* cut: must not be believed */
            }
        }
        tape_free();
    }
    print_message("fast %u, left to json-c %u\n", fast_hits, fast_misses);
    assert_true(fast_hits > 1000);
}

int main(void)
{
    enum { N = sizeof(recordings) / sizeof(recordings[0]) };
    static struct CMUnitTest tests[N + 1];
    for (size_t i = 0; i < N; i++)
        tests[i] = (struct CMUnitTest){recordings[i].name, test_recording, NULL, NULL,
                                       (void *)(uintptr_t)&recordings[i]};
    tests[N] = (struct CMUnitTest){"json_fast", test_json_fast, NULL, NULL, NULL};
    log_set_level(getenv("VA_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
    return _cmocka_run_group_tests("recordings", tests, N + 1, NULL, NULL);
}
