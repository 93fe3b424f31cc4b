/*
 * The commands of esl/commands.h against a real FreeSWITCH:
 *
 *     ESL_HOST=127.0.0.1 [ESL_PORT=8021] [ESL_PASSWORD=ClueCon] build/live/esl_live_test
 *
 * Touches only channels of its own. Needs mod_loopback, mod_sofia and a context "default" in which
 * 203 is busy, 204 rejects, 205 rings 3 s without an answer, 206 answers and parks and 9999 parks
 * unanswered. ESL_SIP, ESL_WS, ESL_ANSWERS: see below. ESL_DOMAIN names a directory domain with
 * users 1000 (not registered) and, when ESL_REGISTERED names one, a user with at least one phone
 * that rings.
 */
#include "esl/escape.h"
#include "live/live_rig.h"

static struct esl_blocking *live;
static struct esl_answer answer;
static struct esl_switch *sw;

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

#define SEND(call) live_wait(live, (call), &answer)
#define THEN       live_then(&answer)

static void good(struct str text, enum va_err want)
{
    enum va_err err = esl_ok_read(answer.err, text);
    if (err != want)
        fail_msg("%s instead of %s: [%.*s]", va_err_name(err), va_err_name(want), STR_ARG(text));
}

static struct esl_originated originate(struct esl_originate o)
{
    char id[UUID_TEXT];
    struct va_fault fault = {0};
    struct esl_originated got = {0};
    enum va_err err = esl_originate(sw, &o, THEN, id, &fault);
    if (err)
        fail_msg("%s", fault.text);
    struct str text = SEND(err);
    assert_int_equal(esl_originate_read(answer.err, text, &got), VA_OK);
    return got;
}

/* A channel of ours that is up. */
static void new_channel(char uuid[static UUID_TEXT], const char *endpoint)
{
    struct esl_originated o =
        originate((struct esl_originate){.endpoint = endpoint, .app = "park"});
    if (o.outcome != ESL_ANSWERED || !str_copy(uuid, UUID_TEXT, o.uuid))
        fail_msg("%s: %.*s", endpoint, STR_ARG(o.cause));
}

static void kill_channel(const char *uuid)
{
    good(SEND(esl_uuid_kill(sw, uuid, NULL, THEN)), VA_OK);
}

/* ---- values --------------------------------------------------------------------------------- */

enum { VALUE_MAX = 120 };

static struct str random_value(char *p)
{
    static const char *const tokens[] = {"${",
                                         "$\\{",
                                         "}",
                                         "{",
                                         "ARRAY::",
                                         "|:",
                                         ":_:",
                                         "reload mod_event_socket",
                                         "undef",
                                         "^^;",
                                         "''",
                                         "\\'",
                                         "\\",
                                         "  ",
                                         "\\n",
                                         "%41",
                                         "_undef_",
                                         "-ERR x",
                                         "\xC3\xA9",
                                         "\v",
                                         "\f",
                                         "\n",
                                         "\r\n",
                                         "\t",
                                         "origination_nested_vars=true",
                                         "[a=b]",
                                         "<a>",
                                         "&",
                                         "#",
                                         "\"",
                                         "{x}"};
    static const char nasty[] = "\\'\"\n\r\t ,=|;:^[]<>{}#$%&aZ9!~`@?*()+-_./\x7F\x01\x1B\v\f";
    size_t len = 0, parts = 1 + rand_below(12);
    for (size_t i = 0; i < parts; i++) {
        const char *token = tokens[rand_below(sizeof(tokens) / sizeof(tokens[0]))];
        size_t n = strlen(token);
        uint32_t kind = rand_below(8);
        if (kind == 0 && len + n < VALUE_MAX) {
            memcpy(p + len, token, n);
            len += n;
        } else if (kind == 1) {
            p[len++] = (char)(1 + rand_below(255));
        } else {
            p[len++] = nasty[rand_below(sizeof(nasty) - 1)];
        }
    }
    return str_make(p, len);
}

/* What uuid_getvar tells and what was set. */
static void has_value(const char *uuid, const char *name, struct str want)
{
    struct str got;
    struct str text = SEND(esl_uuid_getvar(sw, uuid, name, THEN));
    assert_int_equal(esl_value_read(answer.err, text, &got), VA_OK);
    bool unset = !got.p && (!want.len || str_eqz(want, "_undef_"));
    if (unset || str_eq(got, want))
        return;
    (void)fprintf(stderr, "%s set:", name);
    for (size_t i = 0; i < want.len; i++)
        (void)fprintf(stderr, " %02x", (unsigned char)want.p[i]);
    (void)fprintf(stderr, "\n    got [%.*s]\n", STR_ARG(got));
    fail_msg("%s came back as another", name);
}

static void values_by_setvar(void **state)
{
    (void)state;
    char uuid[UUID_TEXT], text[VALUE_MAX * 2];
    int sent = 0, refused = 0;
    new_channel(uuid, "null/x");
    while (sent < 10000) {
        struct str v = random_value(text);
        enum va_err err = esl_uuid_setvar(sw, uuid, "v", v, THEN);
        if (err == VA_ENOTSUP) {
            assert_true(str_starts(v, "ARRAY::"));
            refused++;
            continue;
        }
        good(SEND(err), VA_OK);
        has_value(uuid, "v", v);
        sent++;
    }
    kill_channel(uuid);
    print_message("uuid_setvar: %d came back as they were, %d refused\n", sent, refused);
}

/* Long ones, made of everything that needs an escape. */
static void long_values(void **state)
{
    (void)state;
    enum { LONG = 60000 };
    static const char unit[] = "a'\\ \n,=;|\"";
    char *text = malloc(LONG), uuid[UUID_TEXT];
    assert_non_null(text);
    for (size_t i = 0; i < LONG; i++)
        text[i] = unit[i % (sizeof(unit) - 1)];
    struct str v = str_make(text, LONG);
    struct esl_field field = {"v", v};
    struct esl_originated o = originate((struct esl_originate){
        .endpoint = "null/x", .app = "park", .vars = &field, .var_count = 1});
    assert_int_equal(o.outcome, ESL_ANSWERED);
    assert_true(str_copy(uuid, sizeof(uuid), o.uuid));
    has_value(uuid, "v", v);
    good(SEND(esl_uuid_setvar(sw, uuid, "w", v, THEN)), VA_OK);
    has_value(uuid, "w", v);
    good(SEND(esl_uuid_setvar_multi(sw, uuid, &field, 1, THEN, NULL)), VA_OK);
    has_value(uuid, "v", v);
    kill_channel(uuid);
    free(text);
}

enum { BATCH = 20 };

/* BATCH random values that `escape` takes, in fields of the names v0, v1, … */
static int random_fields(struct esl_field *fields, char (*texts)[VALUE_MAX * 2],
                         enum va_err (*escape)(struct buf *, struct str))
{
    static char names[BATCH][16];
    int refused = 0;
    for (int i = 0; i < BATCH;) {
        struct buf b;
        buf_init(&b, 100000);
        struct str v = random_value(texts[i]);
        enum va_err err = escape(&b, v);
        buf_free(&b);
        refused += err == VA_ENOTSUP;
        if (err)
            continue;
        (void)snprintf(names[i], sizeof(names[i]), "v%d", i);
        fields[i] = (struct esl_field){names[i], v};
        i++;
    }
    return refused;
}

static void values_by_setvar_multi(void **state)
{
    (void)state;
    char uuid[UUID_TEXT], texts[BATCH][VALUE_MAX * 2];
    struct esl_field fields[BATCH];
    struct va_fault fault;
    int sent = 0, refused = 0;
    new_channel(uuid, "null/x");
    for (; sent < 10000; sent += BATCH) {
        refused += random_fields(fields, texts, esl_escape_multi);
        good(SEND(esl_uuid_setvar_multi(sw, uuid, fields, BATCH, THEN, &fault)), VA_OK);
        for (size_t i = 0; i < BATCH; i++)
            has_value(uuid, fields[i].name, fields[i].value);
    }
    kill_channel(uuid);
    print_message("uuid_setvar_multi: %d came back as they were, %d refused\n", sent, refused);
}

static void values_by_originate(void **state)
{
    (void)state;
    char uuid[UUID_TEXT], texts[BATCH][VALUE_MAX * 2];
    struct esl_field fields[BATCH];
    int sent = 0, refused = 0;
    for (; sent < 10000; sent += BATCH) {
        refused += random_fields(fields, texts, esl_escape_originate);
        struct esl_originated o = originate((struct esl_originate){
            .endpoint = "null/x", .app = "park", .vars = fields, .var_count = BATCH});
        assert_int_equal(o.outcome, ESL_ANSWERED);
        assert_true(str_copy(uuid, sizeof(uuid), o.uuid));
        for (size_t i = 0; i < BATCH; i++)
            has_value(uuid, fields[i].name, fields[i].value);
        kill_channel(uuid);
    }
    print_message("originate: %d came back as they were, %d refused\n", sent, refused);
}

/* The argument of an application, as the channel says it was given. */
static void runs_with(const char *uuid, struct str arg)
{
    struct str v = {0};
    for (uint64_t until = live_ms() + 3000; !v.p && live_ms() < until;) {
        struct str text = SEND(esl_uuid_getvar(sw, uuid, "current_application_data", THEN));
        assert_int_equal(esl_value_read(answer.err, text, &v), VA_OK);
    }
    has_value(uuid, "current_application_data", arg);
}

static void arguments_arrive(void **state)
{
    (void)state;
    static const char *const args[] = {"a b",   "it's",   "x\\y", "a\tb",
                                       "a\nb",  "\"q\"",  "a\v",  "reload mod_event_socket",
                                       "undef", "a,b;c|d"};
    char uuid[UUID_TEXT];
    for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
        struct str arg = str_of(args[i]);
        struct esl_originated o =
            originate((struct esl_originate){.endpoint = "null/x", .app = "park", .app_arg = arg});
        assert_int_equal(o.outcome, ESL_ANSWERED);
        assert_true(str_copy(uuid, sizeof(uuid), o.uuid));
        runs_with(uuid, arg);
        kill_channel(uuid);
        new_channel(uuid, "null/x");
        good(SEND(esl_uuid_broadcast_app(sw, uuid, "park", arg, ESL_LEG_A, THEN)), VA_OK);
        runs_with(uuid, arg);
        kill_channel(uuid);
    }
    new_channel(uuid, "null/x");
    struct esl_transfer to = {.extension = str_of("park:a b"), .dialplan = "inline"};
    good(SEND(esl_uuid_transfer(sw, uuid, &to, THEN)), VA_OK);
    runs_with(uuid, str_of("a b"));
    kill_channel(uuid);
}

/* ---- originate ------------------------------------------------------------------------------ */

static void outcome(const char *endpoint, unsigned timeout_s, enum esl_outcome want)
{
    uint64_t t = live_ms();
    struct esl_originated o = originate(
        (struct esl_originate){.endpoint = endpoint, .app = "park", .timeout_s = timeout_s});
    print_message("%-52s %-12s %.*s, %llu ms\n", endpoint, esl_outcome_text(o.outcome),
                  STR_ARG(o.cause), (unsigned long long)(live_ms() - t));
    assert_int_equal(o.outcome, want);
    char uuid[UUID_TEXT];
    if (o.uuid.len && str_copy(uuid, sizeof(uuid), o.uuid))
        kill_channel(uuid);
}

static void outcomes(void **state)
{
    (void)state;
    char user[200];
    const char *domain = setting("ESL_DOMAIN", "lab.local");
    outcome("null/x", 0, ESL_ANSWERED);
    outcome("loopback/206/default", 0, ESL_ANSWERED);
    outcome("loopback/203/default", 0, ESL_BUSY);
    outcome("loopback/204/default", 0, ESL_REJECTED);
    outcome("loopback/205/default", 0, ESL_NO_ANSWER);
    outcome("loopback/9999/default", 1, ESL_NO_ANSWER);
    outcome("loopback/nobody/default", 0, ESL_NO_ROUTE);
    outcome("sofia/gateway/nope/1", 0, ESL_NO_ROUTE);
    outcome("nope/1", 0, ESL_NO_ROUTE);
    (void)snprintf(user, sizeof(user), "user/1000@%s", domain);
    outcome(user, 0, ESL_OFFLINE);
    (void)snprintf(user, sizeof(user), "user/nobody@%s", domain);
    outcome(user, 0, ESL_OFFLINE);
    outcome("loopback/203/default|loopback/206/default", 0, ESL_ANSWERED);
    outcome("loopback/203/default,loopback/206/default", 0, ESL_ANSWERED);
}

/* ESL_SIP is host:port where the same numbers answer by SIP. */
static void outcomes_by_sip(void **state)
{
    (void)state;
    static const struct {
        const char *number;
        enum esl_outcome outcome;
    } rows[] = {{"206", ESL_ANSWERED},
                {"203", ESL_BUSY},
                {"204", ESL_REJECTED},
                {"205", ESL_NO_ANSWER},
                {"4711", ESL_NO_ROUTE}};
    char endpoint[200];
    const char *sip = getenv("ESL_SIP");
    if (!sip)
        skip();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(endpoint, sizeof(endpoint), "sofia/internal/%s@%s", rows[i].number, sip);
        outcome(endpoint, 0, rows[i].outcome);
    }
    (void)snprintf(endpoint, sizeof(endpoint), "sofia/internal/9999@%s", sip);
    outcome(endpoint, 1, ESL_NO_ANSWER);
}

/* Cancelled while it rings, however many phones do. */
static void cancel(const char *endpoint)
{
    struct esl_answer job = {0};
    struct esl_originated o = {0};
    struct va_fault fault;
    char id[UUID_TEXT];
    struct esl_originate call = {.endpoint = endpoint, .app = "park", .timeout_s = 20};
    bool there = false;
    assert_int_equal(esl_originate(sw, &call, live_then(&job), id, &fault), VA_OK);
    for (uint64_t until = live_ms() + 3000; !there && live_ms() < until;) {
        struct str said = SEND(esl_uuid_exists(sw, id, THEN));
        assert_int_equal(esl_bool_read(answer.err, said, &there), VA_OK);
    }
    assert_true(there);
    (void)usleep(500000); /* so that the phones ring */
    assert_false(job.done);
    uint64_t t = live_ms();
    good(SEND(esl_originate_cancel(sw, id, THEN)), VA_OK);
    struct str text = live_wait(live, VA_OK, &job);
    assert_int_equal(esl_originate_read(job.err, text, &o), VA_OK);
    print_message("%-52s %-12s %.*s, %llu ms after\n", endpoint, esl_outcome_text(o.outcome),
                  STR_ARG(o.cause), (unsigned long long)(live_ms() - t));
    assert_int_equal(o.outcome, ESL_CANCELED);
    esl_answer_free(&job);
}

static void cancels(void **state)
{
    (void)state;
    char user[200];
    cancel("loopback/9999/default");
    cancel("loopback/9999/default,loopback/9999/default");
    cancel("loopback/9999/default|loopback/9999/default");
    if (!getenv("ESL_REGISTERED"))
        return;
    (void)snprintf(user, sizeof(user), "user/%s@%s", getenv("ESL_REGISTERED"),
                   setting("ESL_DOMAIN", "lab.local"));
    cancel(user);
}

/* ---- one channel ---------------------------------------------------------------------------- */

static const char gone[] = "00000000-0000-4000-8000-000000000000";

static void channels(void **state)
{
    (void)state;
    char a[UUID_TEXT], b[UUID_TEXT];
    bool yes = false;
    new_channel(a, "loopback/206/default");
    new_channel(b, "loopback/206/default");
    assert_int_equal(esl_bool_read(VA_OK, SEND(esl_uuid_exists(sw, a, THEN)), &yes), VA_OK);
    assert_true(yes);
    good(SEND(esl_uuid_answer(sw, a, THEN)), VA_OK);
    good(SEND(esl_uuid_bridge(sw, a, b, THEN)), VA_OK);
    good(SEND(esl_uuid_send_dtmf(sw, a, "12w#", 120, THEN)), VA_OK);
    good(SEND(esl_uuid_flush_dtmf(sw, a, THEN)), VA_OK);
    good(SEND(esl_uuid_broadcast(sw, a, str_of("tone_stream://%(9000,0,440)"), ESL_LEG_BOTH, THEN)),
         VA_OK);
    struct str text = {0};
    for (uint64_t until = live_ms() + 3000; !str_starts(text, "+OK") && live_ms() < until;)
        text = SEND(esl_uuid_fileman(sw, a, ESL_FILE_PAUSE, 0, THEN)); /* until it plays */
    good(text, VA_OK);
    good(SEND(esl_uuid_fileman(sw, a, ESL_FILE_VOLUME, -1, THEN)), VA_OK);
    good(SEND(esl_uuid_mute(sw, a, ESL_READ, true, THEN)), VA_OK);
    good(SEND(esl_uuid_level(sw, a, ESL_WRITE, 2, THEN)), VA_OK);
    good(SEND(esl_uuid_break(sw, a, true, THEN)), VA_OK);
    good(SEND(esl_uuid_recv_dtmf(sw, a, "12", 0, THEN)), VA_OK);
    good(SEND(esl_sched_hangup(sw, b, 60, NULL, THEN)), VA_OK);
    good(SEND(esl_uuid_record(sw, a, ESL_RECORD_START, str_of("/tmp/esl live 'x'.wav"), 60, THEN)),
         VA_OK);
    good(SEND(esl_uuid_record(sw, a, ESL_RECORD_MASK, str_of("/tmp/esl live 'x'.wav"), 0, THEN)),
         VA_OK);
    good(SEND(esl_uuid_record(sw, a, ESL_RECORD_UNMASK, str_of("/tmp/esl live 'x'.wav"), 0, THEN)),
         VA_OK);
    good(SEND(esl_uuid_record(sw, a, ESL_RECORD_STOP, str_of("/tmp/esl live 'x'.wav"), 0, THEN)),
         VA_OK);
    good(SEND(esl_uuid_displace(sw, a, true, str_of("tone_stream://%(9000,0,440)"), 0, true, THEN)),
         VA_OK);
    good(SEND(esl_uuid_displace(sw, a, false, str_of("tone_stream://%(9000,0,440)"), 0, false,
                                THEN)),
         VA_OK);
    (void)SEND(esl_uuid_hold(sw, a, ESL_HOLD_ON, THEN));
    (void)SEND(esl_uuid_hold(sw, a, ESL_HOLD_TOGGLE, THEN));
    (void)SEND(esl_uuid_hold(sw, a, ESL_HOLD_OFF, THEN));
    good(SEND(esl_uuid_transfer(
             sw, a, &(struct esl_transfer){ESL_LEG_BOTH, str_of("206"), "XML", "default"}, THEN)),
         VA_OK);
    good(SEND(esl_uuid_park(sw, b, THEN)), VA_OK);
    kill_channel(a);
    kill_channel(b);
}

/* ESL_ANSWERS names a registered user whose phone answers by itself. */
static void a_phone(void **state)
{
    (void)state;
    char endpoint[200], a[UUID_TEXT];
    const char *user = getenv("ESL_ANSWERS");
    if (!user)
        skip();
    (void)snprintf(endpoint, sizeof(endpoint), "user/%s@%s", user,
                   setting("ESL_DOMAIN", "lab.local"));
    new_channel(a, endpoint);
    good(SEND(esl_uuid_hold(sw, a, ESL_HOLD_ON, THEN)), VA_OK);
    good(SEND(esl_uuid_hold(sw, a, ESL_HOLD_ON, THEN)), VA_EREFUSED); /* it is held */
    good(SEND(esl_uuid_hold(sw, a, ESL_HOLD_TOGGLE, THEN)), VA_OK);
    good(SEND(esl_uuid_hold(sw, a, ESL_HOLD_OFF, THEN)), VA_EREFUSED);
    good(SEND(esl_uuid_phone_event(sw, a, "talk", THEN)), VA_OK);
    good(SEND(esl_uuid_send_dtmf(sw, a, "1", 0, THEN)), VA_OK);
    struct str text = SEND(esl_uuid_media(sw, a, true, THEN));
    print_message("uuid_media: %.*s", STR_ARG(text));
    good(SEND(esl_uuid_kill(sw, a, "USER_BUSY", THEN)), VA_OK);
}

static void channels_that_are_gone(void **state)
{
    (void)state;
    bool yes = true;
    struct str v;
    struct esl_transfer to = {.extension = str_of("206")};
    struct esl_field var = {"a", str_of("b")};
    assert_int_equal(esl_bool_read(VA_OK, SEND(esl_uuid_exists(sw, gone, THEN)), &yes), VA_OK);
    assert_false(yes);
    good(SEND(esl_uuid_kill(sw, gone, "USER_BUSY", THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_bridge(sw, gone, gone, THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_break(sw, gone, true, THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_park(sw, gone, THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_dump(sw, gone, THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_transfer(sw, gone, &to, THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_setvar(sw, gone, "a", str_of("b"), THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_setvar_multi(sw, gone, &var, 1, THEN, NULL)), VA_ENOTFOUND);
    good(SEND(esl_uuid_record(sw, gone, ESL_RECORD_STOP, str_of("all"), 0, THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_displace(sw, gone, false, str_of("x"), 0, false, THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_broadcast(sw, gone, str_of("x"), ESL_LEG_A, THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_send_dtmf(sw, gone, "1", 0, THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_flush_dtmf(sw, gone, THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_answer(sw, gone, THEN)), VA_EREFUSED);
    good(SEND(esl_uuid_hold(sw, gone, ESL_HOLD_ON, THEN)), VA_OK); /* so it says */
    good(SEND(esl_uuid_media(sw, gone, true, THEN)), VA_EREFUSED);
    good(SEND(esl_uuid_phone_event(sw, gone, "talk", THEN)), VA_EREFUSED);
    good(SEND(esl_uuid_deflect(sw, gone, "sip:x", THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_fileman(sw, gone, ESL_FILE_STOP, 0, THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_mute(sw, gone, ESL_READ, true, THEN)), VA_ENOTFOUND);
    good(SEND(esl_sched_hangup(sw, gone, 9, NULL, THEN)), VA_ENOTFOUND);
    good(SEND(esl_uuid_recv_dtmf(sw, gone, "1", 0, THEN)), VA_ENOTFOUND);
    good(SEND(esl_originate_cancel(sw, gone, THEN)), VA_OK);
    struct str text = SEND(esl_uuid_getvar(sw, gone, "a", THEN));
    assert_int_equal(esl_value_read(answer.err, text, &v), VA_ENOTFOUND);
}

/* ESL_WS is the URL of a WebSocket server that takes anything. */
static void audio_stream(void **state)
{
    (void)state;
    char a[UUID_TEXT];
    const char *url = getenv("ESL_WS");
    struct esl_audio_stream s = {url, ESL_MIX_MONO, 16000, str_of("{\"it's\": \"a b\\n\"}")};
    if (!url)
        skip();
    new_channel(a, "loopback/206/default");
    good(SEND(esl_uuid_audio_stream_start(sw, a, &s, THEN)), VA_OK);
    (void)usleep(500000); /* it connects on a thread of its own */
    good(SEND(esl_uuid_audio_stream_pause(sw, a, THEN)), VA_OK);
    good(SEND(esl_uuid_audio_stream_resume(sw, a, THEN)), VA_OK);
    good(SEND(esl_uuid_audio_stream_send_text(sw, a, str_of("{\"x\": \"y  'z'\"}"), THEN)), VA_OK);
    good(SEND(esl_uuid_audio_stream_stop(sw, a, str_of("bye now"), THEN)), VA_OK);
    good(SEND(esl_uuid_audio_stream_stop(sw, a, str_of(""), THEN)), VA_EREFUSED);
    kill_channel(a);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static bool listed(const char *uuid, enum va_err err)
{
    struct esl_rows rows;
    struct esl_event *row = esl_event_new();
    bool found = false;
    struct str text = SEND(err);
    assert_int_equal(esl_rows_read(answer.err, text, &rows), VA_OK);
    while (esl_rows_next(&rows, row) == VA_OK) {
        assert_false(esl_event_flawed(row));
        found = found || str_eqz(esl_event_get(row, "uuid"), uuid) ||
                str_eqz(esl_event_get(row, "b_uuid"), uuid);
    }
    esl_event_free(&row);
    return found;
}

static void rows(void **state)
{
    (void)state;
    char a[UUID_TEXT];
    struct esl_event *ev = esl_event_new();
    struct esl_originated o = originate((struct esl_originate){.endpoint = "loopback/206/default",
                                                               .app = "park",
                                                               .caller_name = str_of("[{\"]},\\"),
                                                               .caller_number = str_of("+1")});
    assert_true(str_copy(a, sizeof(a), o.uuid));
    uint64_t t = live_ms();
    while (!listed(a, esl_show_channels(sw, THEN)) && live_ms() - t < 5000)
        (void)usleep(10000);
    print_message("listed by show after %llu ms\n", (unsigned long long)(live_ms() - t));
    assert_true(listed(a, esl_show_channels(sw, THEN)));
    (void)listed(a, esl_show_calls(sw, THEN));
    assert_false(listed(gone, esl_show(sw, "bridged_calls", THEN)));
    struct str text = SEND(esl_uuid_dump(sw, a, THEN));
    assert_int_equal(esl_dump_read(answer.err, text, ev), VA_OK);
    assert_true(str_eqz(esl_event_uuid(ev), a));
    assert_true(str_eqz(esl_event_var(ev, "esl_originate_id"), a));
    assert_true(str_eqz(esl_event_var(ev, "origination_caller_id_name"), "[{\"]},\\"));
    esl_event_free(&ev);
    kill_channel(a);
}

static void the_whole(void **state)
{
    (void)state;
    struct esl_status st;
    struct str v, text = SEND(esl_status(sw, THEN));
    assert_int_equal(esl_status_read(answer.err, text, &st), VA_OK);
    assert_true(st.ready && st.uptime_ms > 0 && st.sessions_max > 0);
    print_message("%.*s, up %llu s, %llu of %llu sessions, %.2f %% idle\n", STR_ARG(st.version),
                  (unsigned long long)st.uptime_ms / 1000, (unsigned long long)st.sessions,
                  (unsigned long long)st.sessions_max, st.idle_cpu);
    text = SEND(esl_global_getvar(sw, "hostname", THEN));
    assert_int_equal(esl_value_read(answer.err, text, &v), VA_OK);
    assert_true(v.len > 0);
    text = SEND(esl_global_getvar(sw, "no_such_variable", THEN));
    assert_int_equal(esl_value_read(answer.err, text, &v), VA_OK);
    assert_null(v.p);
    text = SEND(esl_reloadxml(sw, THEN));
    assert_int_equal(esl_reloadxml_read(answer.err, text, &v), VA_OK);
    print_message("reloadxml: %.*s\n", STR_ARG(v));
}

static void registrations(void **state)
{
    (void)state;
    struct esl_registrations list;
    struct esl_registration reg;
    const char *domain = setting("ESL_DOMAIN", "lab.local"), *user = getenv("ESL_REGISTERED");
    struct str text = SEND(esl_registration(sw, "internal", "1000", domain, THEN));
    assert_int_equal(esl_registrations_read(answer.err, text, &list), VA_OK);
    assert_int_equal(list.count, 0);
    text = SEND(esl_registration(sw, "nope", "1000", domain, THEN));
    assert_int_equal(esl_registrations_read(answer.err, text, &list), VA_ENOTFOUND);
    if (!user)
        return;
    text = SEND(esl_registration(sw, "internal", user, domain, THEN));
    assert_int_equal(esl_registrations_read(answer.err, text, &list), VA_OK);
    assert_true(list.count > 0);
    while (esl_registrations_next(&list, &reg)) {
        assert_true(str_eqz(reg.user, user) && str_eqz(reg.domain, domain));
        print_message("%.*s [%.*s] %.*s, %lld s, %.*s:%u\n", STR_ARG(reg.contact),
                      STR_ARG(reg.agent), STR_ARG(reg.status), (long long)reg.expires_s,
                      STR_ARG(reg.ip), reg.port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_that_are_gone),
        cmocka_unit_test(channels),
        cmocka_unit_test(a_phone),
        cmocka_unit_test(audio_stream),
        cmocka_unit_test(outcomes),
        cmocka_unit_test(outcomes_by_sip),
        cmocka_unit_test(cancels),
        cmocka_unit_test(arguments_arrive),
        cmocka_unit_test(rows),
        cmocka_unit_test(the_whole),
        cmocka_unit_test(registrations),
        cmocka_unit_test(long_values),
        cmocka_unit_test(values_by_setvar),
        cmocka_unit_test(values_by_setvar_multi),
        cmocka_unit_test(values_by_originate),
    };
    if (!getenv("ESL_HOST")) {
        (void)puts("skipped: set ESL_HOST (and ESL_PORT, ESL_PASSWORD) to run against FreeSWITCH");
        return 0;
    }
    if (getenv("ESL_ONLY"))
        cmocka_set_test_filter(getenv("ESL_ONLY"));
    live = live_open(getenv("ESL_HOST"), setting("ESL_PORT", "8021"),
                     setting("ESL_PASSWORD", "ClueCon"));
    if (!live)
        return 1;
    sw = esl_blocking_switch(live);
    int failed = cmocka_run_group_tests_name("esl_live", tests, NULL, NULL);
    esl_answer_free(&answer);
    esl_blocking_close(&live);
    return failed;
}
