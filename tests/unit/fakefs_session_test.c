/* fakefs/session: behaviours that the recordings do not show (esl.md §1). */
#include "fakefs/session.h"

#include "unit/unit.h"

#include <stdio.h>

struct fixture {
    struct va_clock_manual clock;
    struct fakefs_session *s;
    struct buf out;
    char notes[2000];
    int closes, unicasts, stops, undials;
    char dialled[200]; /* the last dial string that was taken */
    char url[100];     /* of the stream that runs, "": none */
    int rate_hz;
    char plays[20]; /* last letters of the files that were played, in order */
    int play_stops;
};

static void on_write(void *arg, const void *p, size_t len)
{
    buf_add(&((struct fixture *)arg)->out, p, len);
}

static void on_close(void *arg)
{
    ((struct fixture *)arg)->closes++;
}

static void on_start(void *arg, const struct fakefs_unicast *where)
{
    (void)where;
    ((struct fixture *)arg)->unicasts++;
}

static void on_stop(void *arg)
{
    ((struct fixture *)arg)->stops++;
}

static bool on_dial(void *arg, const char *dial_string)
{
    struct fixture *f = arg;
    return strncmp(dial_string, "sofia/", 6) == 0 &&
           str_copy(f->dialled, sizeof(f->dialled), str_of(dial_string));
}

static void on_undial(void *arg)
{
    ((struct fixture *)arg)->undials++;
}

static bool on_stream_start(void *arg, const struct fakefs_stream_ask *ask)
{
    struct fixture *f = arg;
    if (*f->url)
        return false; /* one per channel */
    f->rate_hz = ask->rate_hz;
    return str_copy(f->url, sizeof(f->url), str_of(ask->url));
}

static bool on_stream_stop(void *arg)
{
    struct fixture *f = arg;
    bool was = *f->url != 0;
    *f->url = 0;
    return was;
}

static bool on_play(void *arg, const char *path)
{
    struct fixture *f = arg;
    size_t n = strlen(f->plays);
    if (!str_starts(str_of(path), "/tmp/"))
        return false;
    f->plays[n] = path[strlen(path) - 1];
    return true;
}

static void on_play_stop(void *arg)
{
    ((struct fixture *)arg)->play_stops++;
}

static void on_note(void *arg, enum fakefs_note note, const char *text)
{
    struct fixture *f = arg;
    size_t n = strlen(f->notes);
    if (note != FAKEFS_NOTE_COMMAND)
        (void)snprintf(f->notes + n, sizeof(f->notes) - n, "%d:%s;", (int)note, text);
}

static const struct fakefs_session_ops ops = {.write = on_write,
                                              .close = on_close,
                                              .unicast_start = on_start,
                                              .unicast_stop = on_stop,
                                              .dial = on_dial,
                                              .undial = on_undial,
                                              .stream_start = on_stream_start,
                                              .stream_stop = on_stream_stop,
                                              .play = on_play,
                                              .play_stop = on_play_stop,
                                              .note = on_note};

static void open_session(struct fixture *f, struct fakefs_session_cfg cfg)
{
    memset(f, 0, sizeof(*f));
    va_clock_manual_init(&f->clock, 1000000, 1795349067296389);
    buf_init(&f->out, 1 << 20);
    cfg.clock = &f->clock.base;
    cfg.fixed_phase = true;
    cfg.caller.uuid = "11111111-2222-4333-8444-555555555555";
    assert_int_equal(fakefs_session_new(&cfg, &ops, f, &f->s), VA_OK);
}

static void close_session(struct fixture *f)
{
    fakefs_session_free(&f->s);
    buf_free(&f->out);
}

static void say(struct fixture *f, const char *text)
{
    fakefs_session_input(f->s, text, strlen(text));
}

static void pass_ms(struct fixture *f, uint64_t ms)
{
    uint64_t until = f->clock.mono + ms * 1000;
    while (fakefs_session_due_us(f->s) <= until) {
        uint64_t due = fakefs_session_due_us(f->s);
        if (due > f->clock.mono)
            va_clock_manual_advance(&f->clock, due - f->clock.mono);
        fakefs_session_turn(f->s);
    }
    va_clock_manual_advance(&f->clock, until - f->clock.mono);
}

static void park(struct fixture *f)
{
    say(f, "connect\n\n");
    say(f, "linger 1\n\nmyevents\n\n");
    pass_ms(f, 50);
    assert_int_equal(fakefs_session_state(f->s), FAKEFS_PARKED);
    buf_reset(&f->out);
}

static bool heard(const struct fixture *f, const char *text)
{
    return strstr(buf_z(&f->out), text) != NULL;
}

/* All "Event-Name/Application-Data" pairs of executes, in order. */
static void executes(struct fixture *f, char *out, size_t cap)
{
    *out = 0;
    for (const char *p = buf_z(&f->out); (p = strstr(p, "Event-Name: CHANNEL_EXECUTE"));) {
        const char *data = strstr(p, "\nApplication-Data: ");
        size_t n = strlen(out);
        p += 27;
        (void)snprintf(out + n, cap - n, "%c%c", *p == '_' ? '-' : '+', data ? data[19] : '?');
    }
}

#define EXECUTE(app, arg, more)                                                                    \
    "sendmsg\ncall-command: execute\nexecute-app-name: " app "\nexecute-app-arg: " arg "\n" more   \
    "\n"

static void applications_nest_without_a_lock(void **state)
{
    (void)state;
    struct fixture f;
    char order[100];
    open_session(&f, (struct fakefs_session_cfg){.socket_arg = NULL});
    park(&f);
    say(&f, EXECUTE("playback", "A%(100,0,400)", "") EXECUTE("playback", "B%(100,0,400)", "")
                EXECUTE("playback", "C%(100,0,400)", ""));
    pass_ms(&f, 1000);
    executes(&f, order, sizeof(order));
    assert_string_equal(order, "+A+B+C-C-B-A");
    buf_reset(&f.out);
    say(&f, EXECUTE("playback", "A%(100,0,400)", "event-lock: true\n")
                EXECUTE("playback", "B%(100,0,400)", "event-lock: true\n")
                    EXECUTE("set", "C=1", "event-lock: true\n"));
    pass_ms(&f, 1000);
    executes(&f, order, sizeof(order));
    assert_string_equal(order, "+A-A+B-B+C-C");
    close_session(&f);
}

static void events_wait_for_the_listener_and_a_newline_wakes_it(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.socket_arg = NULL});
    park(&f);
    fakefs_session_dtmf(f.s, '#', 250);
    assert_false(heard(&f, "DTMF"));
    say(&f, "\n");
    assert_true(heard(&f, "DTMF-Digit: %23\n"));
    buf_reset(&f.out);
    fakefs_session_dtmf(f.s, '5', 250);
    say(&f, "api echo half"); /* half a command holds events back */
    pass_ms(&f, 200);
    assert_false(heard(&f, "DTMF"));
    say(&f, "\n\n");
    assert_true(heard(&f, "half"));
    assert_true(heard(&f, "DTMF-Digit: 5\n"));
    close_session(&f);
}

static void unicast_needs_a_parked_channel_and_a_new_port(void **state)
{
    (void)state;
    static const char unicast[] = "sendmsg\ncall-command: unicast\nlocal-ip: 127.0.0.1\n"
                                  "local-port: 20001\nremote-ip: 127.0.0.1\nremote-port: 1\n\n";
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.human_talks_ms = 100});
    say(&f, "connect\n\n");
    say(&f, unicast);
    assert_int_equal(f.unicasts, 0);
    pass_ms(&f, 30);
    assert_int_equal(f.unicasts, 1);
    assert_true(fakefs_session_media_flows(f.s));
    say(&f, EXECUTE("bridge", "user/201", ""));
    pass_ms(&f, 50);
    assert_int_equal(f.stops, 1);
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_BRIDGED);
    pass_ms(&f, 200);
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_PARKED);
    say(&f, unicast); /* "+OK", but no frames: the port was used before */
    pass_ms(&f, 30);
    assert_int_equal(f.unicasts, 1);
    close_session(&f);
}

static void filters_deny_by_default(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.socket_arg = NULL});
    park(&f);
    say(&f, "filter DTMF-Digit 5\n\nevent plain BACKGROUND_JOB\n\n");
    fakefs_session_dtmf(f.s, '4', 250);
    fakefs_session_dtmf(f.s, '5', 250);
    say(&f, "bgapi echo hi\nJob-UUID: j1\n\n");
    pass_ms(&f, 50);
    assert_true(heard(&f, "Reply-Text: +OK Job-UUID: j1\nJob-UUID: j1\n\n"));
    assert_false(heard(&f, "DTMF-Digit: 4"));
    assert_true(heard(&f, "DTMF-Digit: 5"));
    assert_false(heard(&f, "BACKGROUND_JOB")); /* fact 9: swallowed by one's own filter */
    say(&f, "filter delete all\n\nbgapi echo hi\nJob-UUID: j2\n\n");
    pass_ms(&f, 50);
    assert_true(heard(&f, "Event-Name: BACKGROUND_JOB"));
    assert_true(heard(&f, "Content-Length: 2\n\nhi"));
    close_session(&f);
}

static void variables_are_unescaped_as_uuid_setvar_does(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.socket_arg = NULL});
    park(&f);
    say(&f, "api uuid_setvar 11111111-2222-4333-8444-555555555555 note a\\nb\\'c\\\\d \\s\n\n");
    assert_string_equal(fakefs_channel_get(fakefs_session_channel(f.s), "note"), "a\nb'c\\d  ");
    say(&f, "api uuid_setvar_multi 11111111-2222-4333-8444-555555555555 a=1;b=x\\;y;note=\n\n");
    assert_string_equal(fakefs_channel_get(fakefs_session_channel(f.s), "b"), "x;y");
    assert_null(fakefs_channel_get(fakefs_session_channel(f.s), "note"));
    say(&f, "api uuid_setvar 99999999-2222-4333-8444-555555555555 a 1\n\n");
    assert_true(heard(&f, "-ERR No such channel!\n"));
    say(&f, "getvar nothing\n\n");
    assert_true(heard(&f, "Reply-Text: -ERR command not found\n"));
    close_session(&f);
}

static void the_first_answer_is_swallowed_unless_connect(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.socket_arg = NULL});
    say(&f, "myevents\n\n");
    assert_int_equal(f.out.len, 0);
    say(&f, "connect\n\n");
    assert_true(heard(&f, "Reply-Text: %2BOK%0A\nSocket-Mode: async\nControl: full\n\n"));
    close_session(&f);
}

static void nobody_says_connect(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.socket_arg = NULL});
    pass_ms(&f, 24000);
    assert_int_equal(f.closes, 0);
    pass_ms(&f, 2000);
    assert_int_equal(f.closes, 1);
    assert_true(heard(&f, "text/disconnect-notice"));
    close_session(&f);
}

static void too_many_queued_commands_close_the_socket(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.socket_arg = NULL});
    say(&f, "connect\n\n");
    for (int i = 0; i < 256; i++)
        say(&f, EXECUTE("set", "a=b", "event-lock: true\n"));
    assert_int_equal(f.closes, 0);
    say(&f, EXECUTE("set", "a=b", "event-lock: true\n"));
    assert_int_equal(f.closes, 1);
    close_session(&f);
}

static void a_program_may_leave(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.socket_arg = NULL});
    park(&f);
    say(&f, "exit\n\n");
    assert_int_equal(f.closes, 1);
    assert_true(heard(&f, "+OK bye"));
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_RETURNED);
    close_session(&f);
    open_session(&f, (struct fakefs_session_cfg){.socket_arg = NULL});
    fakefs_session_eof(f.s);
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_RETURNED);
    close_session(&f);
}

static void a_transfer_leaves_the_socket_open_until_the_human_hangs_up(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.human_rings_ms = 100, .human_talks_ms = 500});
    park(&f);
    say(&f, EXECUTE("transfer", "201 XML default", ""));
    pass_ms(&f, 100);
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_AWAY);
    assert_non_null(strstr(f.notes, "2:201 XML default;"));
    assert_true(heard(&f, "Channel-State: CS_ROUTING"));
    assert_int_equal(f.closes, 0);
    pass_ms(&f, 600);
    assert_true(heard(&f, "Content-Disposition: linger\n"));
    assert_int_equal(f.closes, 0);
    pass_ms(&f, 1500);
    assert_int_equal(f.closes, 1);
    close_session(&f);
}

static void a_busy_human_is_reported(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.human = FAKEFS_HUMAN_BUSY});
    park(&f);
    say(&f, "event plain BACKGROUND_JOB\n\n"
            "bgapi originate {origination_uuid=x}user/201 &park()\nJob-UUID: o\n\n" EXECUTE(
                "set", "continue_on_fail=true", "") EXECUTE("bridge", "user/201", ""));
    pass_ms(&f, 200);
    assert_true(heard(&f, "-ERR USER_BUSY\n"));
    assert_true(heard(&f, "variable_last_bridge_hangup_cause: USER_BUSY"));
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_PARKED);
    say(&f, EXECUTE("set", "continue_on_fail=false", "") EXECUTE("bridge", "user/201", ""));
    pass_ms(&f, 200);
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_HUNGUP);
    close_session(&f);
}

#define ORIGINATE(more)                                                                            \
    "event plain BACKGROUND_JOB\n\nbgapi originate {origination_uuid=aaaaaaaa-2222-4333-8444-"     \
    "555555555555" more "}loopback/201/default/xml &park()\nJob-UUID: o\n\n"
#define JOIN                                                                                       \
    "api uuid_bridge 11111111-2222-4333-8444-555555555555 "                                        \
    "aaaaaaaa-2222-4333-8444-555555555555\n\n"
#define SETVAR(rest) "api uuid_setvar 11111111-2222-4333-8444-555555555555 " rest "\n\n"

static void who_is_called_rings_and_is_there_when_he_answers(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.human_rings_ms = 500, .human_talks_ms = 300});
    park(&f);
    say(&f, ORIGINATE(""));
    pass_ms(&f, 400);
    assert_false(heard(&f, "BACKGROUND_JOB\nCore"));
    say(&f, JOIN);
    assert_true(heard(&f, "-ERR Invalid uuid")); /* not yet */
    assert_false(heard(&f, "CHANNEL_"));         /* the caller's channel notices nothing */
    pass_ms(&f, 200);
    assert_true(heard(&f, "+OK aaaaaaaa-2222"));
    say(&f, SETVAR("hangup_after_bridge true") JOIN);
    pass_ms(&f, 40);
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_BRIDGED);
    assert_non_null(strstr(f.notes, "2:201 XML default;"));
    pass_ms(&f, 400);
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_HUNGUP);
    close_session(&f);
}

static void what_follows_a_human_is_what_the_variables_say(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        enum fakefs_state then;
    } cases[] = {{SETVAR("hangup_after_bridge true"), FAKEFS_HUNGUP},
                 {SETVAR("park_after_bridge true"), FAKEFS_PARKED},
                 {SETVAR("x 1"), FAKEFS_RETURNED}};
    for (size_t i = 0; i < 3; i++) {
        struct fixture f;
        open_session(&f, (struct fakefs_session_cfg){.human_talks_ms = 300});
        park(&f);
        say(&f, ORIGINATE(""));
        pass_ms(&f, 40);
        say(&f, cases[i].set);
        say(&f, JOIN);
        pass_ms(&f, 500);
        assert_int_equal(fakefs_session_state(f.s), cases[i].then);
        fakefs_session_eof(f.s);
        bool frozen = strstr(f.notes, "hears nothing") != NULL;
        assert_int_equal(frozen, cases[i].then == FAKEFS_PARKED); /* and nobody took it along */
        close_session(&f);
    }
}

static void ringing_ends_by_its_limit_or_by_a_cancel(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.human_rings_ms = 60000});
    park(&f);
    say(&f, ORIGINATE(",originate_timeout=2"));
    pass_ms(&f, 1900);
    assert_false(heard(&f, "-ERR"));
    pass_ms(&f, 200);
    assert_true(heard(&f, "-ERR NO_ANSWER\n"));
    say(&f, ORIGINATE(""));
    pass_ms(&f, 100);
    say(&f,
        "api hupall ORIGINATOR_CANCEL esl_originate_id aaaaaaaa-2222-4333-8444-555555555555\n\n");
    pass_ms(&f, 40);
    assert_true(heard(&f, "-ERR ORIGINATOR_CANCEL\n"));
    say(&f, JOIN);
    assert_true(heard(&f, "-ERR Invalid uuid"));
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_PARKED);
    close_session(&f);
}

static void a_second_unicast_in_one_park_loop_is_a_crash(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.human = FAKEFS_HUMAN_BUSY});
    park(&f);
    say(&f, "sendmsg\ncall-command: unicast\nlocal-port: 20001\nremote-port: 1\n\n" EXECUTE(
                "set", "continue_on_fail=true", "") EXECUTE("bridge", "user/201", ""));
    pass_ms(&f, 60);
    assert_int_equal(f.stops, 1); /* although nobody answered */
    assert_null(strstr(f.notes, "crash"));
    say(&f, "sendmsg\ncall-command: unicast\nlocal-port: 20002\nremote-port: 1\n\n");
    pass_ms(&f, 40);
    assert_non_null(strstr(f.notes, "crash"));
    assert_int_equal(f.unicasts, 1);
    close_session(&f);
}

/* The names of the events so far, without those of states, as "PARK EXECUTE …". */
static void event_names(const struct fixture *f, char *out, size_t cap)
{
    static const char tag[] = "Event-Name: CHANNEL_";
    *out = 0;
    for (const char *p = buf_z(&f->out); (p = strstr(p, tag));) {
        p += sizeof(tag) - 1;
        size_t n = strlen(out), len = strcspn(p, "\n");
        if (strncmp(p, "STATE", 5) != 0)
            (void)snprintf(out + n, cap - n, "%.*s ", (int)len, p);
    }
}

/* As in the recording outbound-bridge-then-transfer-away. */
static void a_dialled_bridge_tells_as_freeswitch_does(void **state)
{
    (void)state;
    struct fixture f;
    char names[300];
    open_session(&f, (struct fakefs_session_cfg){.socket_arg = NULL});
    park(&f);
    say(&f, EXECUTE("bridge", "sofia/internal/t@192.0.2.1:5090", ""));
    pass_ms(&f, 50);
    assert_string_equal(f.dialled, "sofia/internal/t@192.0.2.1:5090");
    event_names(&f, names, sizeof(names));
    assert_string_equal(names, "EXECUTE ");
    fakefs_session_dialled(f.s, NULL);
    pass_ms(&f, 5000); /* no human is played: it goes on */
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_BRIDGED);
    fakefs_session_peer_left(f.s);
    pass_ms(&f, 50);
    event_names(&f, names, sizeof(names));
    assert_string_equal(names, "EXECUTE BRIDGE UNBRIDGE EXECUTE_COMPLETE ");
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_PARKED);
    assert_int_equal(f.undials, 1);
    close_session(&f);
}

static void a_dialled_bridge_that_fails_says_why(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.socket_arg = NULL});
    park(&f);
    say(&f, EXECUTE("set", "continue_on_fail=true", "") EXECUTE("bridge", "sofia/a/t@h", ""));
    pass_ms(&f, 50);
    fakefs_session_peer_left(f.s); /* nobody was there: nothing happens */
    fakefs_session_dialled(f.s, "CALL_REJECTED");
    pass_ms(&f, 50);
    assert_true(heard(&f, "variable_originate_disposition: CALL_REJECTED"));
    assert_false(heard(&f, "CHANNEL_BRIDGE"));
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_PARKED);
    close_session(&f);
}

static void a_caller_who_leaves_ends_what_was_dialled(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.socket_arg = NULL});
    park(&f);
    say(&f, EXECUTE("bridge", "sofia/a/t@h", ""));
    pass_ms(&f, 50);
    fakefs_session_dialled(f.s, NULL);
    fakefs_session_hangup(f.s, "NORMAL_CLEARING");
    pass_ms(&f, 50);
    assert_int_equal(f.undials, 1);
    assert_int_equal(fakefs_session_state(f.s), FAKEFS_HUNGUP);
    fakefs_session_dialled(f.s, NULL);
    fakefs_session_peer_left(f.s);
    close_session(&f);
}

#define OWN "11111111-2222-4333-8444-555555555555"

static void a_stream_is_started_once_and_only_with_the_module(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.socket_arg = NULL});
    park(&f);
    say(&f, "api uuid_audio_stream " OWN " start ws://h:1/x mono 8k\n\n");
    assert_true(heard(&f, "-ERR uuid_audio_stream Command not found!"));
    close_session(&f);
    open_session(&f, (struct fakefs_session_cfg){.audio_stream = true});
    park(&f);
    say(&f, "api uuid_audio_stream " OWN " start ws://h:1/x mono 16k {\"a\": 1}\n\n");
    assert_true(heard(&f, "+OK Success"));
    assert_string_equal(f.url, "ws://h:1/x");
    assert_int_equal(f.rate_hz, 16000);
    buf_reset(&f.out);
    say(&f, "api uuid_audio_stream " OWN " start ws://h:1/y mono 8k\n\n");
    assert_true(heard(&f, "-ERR Operation Failed"));
    buf_reset(&f.out);
    say(&f, "api uuid_audio_stream " OWN " stop\n\n");
    assert_true(heard(&f, "+OK Success"));
    say(&f, "api uuid_audio_stream " OWN " stop\n\n");
    assert_true(heard(&f, "-ERR Operation Failed"));
    close_session(&f);
}

static void a_modules_event_comes_to_who_subscribed(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.audio_stream = true});
    park(&f);
    fakefs_session_custom(f.s, "mod_audio_stream::play", "{\"file\":\"a\"}");
    pass_ms(&f, 40);
    assert_false(heard(&f, "CUSTOM"));
    say(&f, "event plain CUSTOM mod_audio_stream::play\n\n");
    fakefs_session_custom(f.s, "mod_audio_stream::play", "{\"file\":\"b\"}");
    pass_ms(&f, 40);
    assert_true(heard(&f, "Event-Subclass: mod_audio_stream%3A%3Aplay"));
    assert_true(heard(&f, "{\"file\":\"b\"}"));
    close_session(&f);
}

/* As ws_speech has its pieces played: one behind the other, until they are broken off. */
static void files_follow_one_another_until_a_break(void **state)
{
    (void)state;
    struct fixture f;
    open_session(&f, (struct fakefs_session_cfg){.audio_stream = true});
    park(&f);
    say(&f, EXECUTE("playback", "/tmp/a", "event-lock: true\n")
                EXECUTE("playback", "/tmp/b", "event-lock: true\n")
                    EXECUTE("playback", "/tmp/c", "event-lock: true\n")
                        EXECUTE("playback", "/tmp/d", "event-lock: true\n"));
    pass_ms(&f, 40);
    assert_string_equal(f.plays, "a");
    assert_false(fakefs_session_media_flows(f.s));
    fakefs_session_played(f.s); /* the next begins at once */
    assert_string_equal(f.plays, "ab");
    assert_int_equal(f.play_stops, 1);
    say(&f, "api uuid_break " OWN " all\n\n");
    pass_ms(&f, 40);
    assert_string_equal(f.plays, "ab");
    assert_int_equal(f.play_stops, 2);
    assert_true(fakefs_session_media_flows(f.s));
    say(&f, EXECUTE("playback", "/tmp/e", "event-lock: true\n")
                EXECUTE("playback", "/tmp/f", "event-lock: true\n"));
    pass_ms(&f, 40);
    say(&f, "api uuid_break " OWN "\n\n"); /* without "all" what waits is played */
    pass_ms(&f, 40);
    assert_string_equal(f.plays, "abef");
    close_session(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applications_nest_without_a_lock),
        cmocka_unit_test(events_wait_for_the_listener_and_a_newline_wakes_it),
        cmocka_unit_test(unicast_needs_a_parked_channel_and_a_new_port),
        cmocka_unit_test(filters_deny_by_default),
        cmocka_unit_test(variables_are_unescaped_as_uuid_setvar_does),
        cmocka_unit_test(the_first_answer_is_swallowed_unless_connect),
        cmocka_unit_test(nobody_says_connect),
        cmocka_unit_test(too_many_queued_commands_close_the_socket),
        cmocka_unit_test(a_program_may_leave),
        cmocka_unit_test(a_transfer_leaves_the_socket_open_until_the_human_hangs_up),
        cmocka_unit_test(a_busy_human_is_reported),
        cmocka_unit_test(who_is_called_rings_and_is_there_when_he_answers),
        cmocka_unit_test(what_follows_a_human_is_what_the_variables_say),
        cmocka_unit_test(ringing_ends_by_its_limit_or_by_a_cancel),
        cmocka_unit_test(a_second_unicast_in_one_park_loop_is_a_crash),
        cmocka_unit_test(a_dialled_bridge_tells_as_freeswitch_does),
        cmocka_unit_test(a_dialled_bridge_that_fails_says_why),
        cmocka_unit_test(a_stream_is_started_once_and_only_with_the_module),
        cmocka_unit_test(a_modules_event_comes_to_who_subscribed),
        cmocka_unit_test(files_follow_one_another_until_a_break),
        cmocka_unit_test(a_caller_who_leaves_ends_what_was_dialled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
