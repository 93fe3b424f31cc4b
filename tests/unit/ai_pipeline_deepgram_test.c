/* The Deepgram ear against a WebSocket server of ours, on a clock that is turned by hand. */
#include "unit/unit.h"

#include "ai/pipeline/stt.h"
#include "net/tcp.h"
#include "net/ws.h"

#include <stdio.h>
#include <stdlib.h>

struct dg {
    struct va_clock_manual clock;
    struct loop *loop;
    struct tcp_listener *listener;
    struct ws_conn *conn, *old[8];
    unsigned connections;
    int status; /* of the next request; 0: in */
    char query[400], token[64];
    size_t audio, keep_alives, finalizes, closes;
    struct settings settings;
    struct secretary *secretary;
    struct provider_env env;
    struct log_ctx log;
    struct stage_cfg cfg;
    struct stt *stt;
    unsigned ready, finals, failed;
    char partial[200], final[200], cause[600];
    enum va_err why;
};

static struct ws_reply on_request(void *arg, const struct ws_request *r)
{
    struct dg *d = arg;
    (void)str_copy(d->query, sizeof(d->query), r->query);
    (void)str_copy(d->token, sizeof(d->token), ws_request_header(r, "authorization"));
    assert_true(str_eqz(r->path, "/v1/listen"));
    return (struct ws_reply){.status = d->status ? d->status : 101, .text = "no"};
}

static void on_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct dg *d = arg;
    if (kind == WS_BINARY) {
        d->audio += len;
        return;
    }
    struct str m = str_make(p, len);
    d->keep_alives += str_eqz(m, "{\"type\":\"KeepAlive\"}");
    d->finalizes += str_eqz(m, "{\"type\":\"Finalize\"}");
    d->closes += str_eqz(m, "{\"type\":\"CloseStream\"}");
}

static void on_closed(void *arg, const struct ws_end *end)
{
    (void)arg, (void)end;
}

static const struct ws_handlers server = {
    .on_request = on_request, .on_message = on_message, .on_closed = on_closed};

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    struct dg *d = arg;
    (void)peer;
    d->old[d->connections++ % 8] = d->conn;
    d->conn = NULL;
    assert_int_equal(ws_accept(d->loop, fd, str_make(NULL, 0), NULL, &server, d, &d->conn), VA_OK);
}

static void on_ready(void *arg)
{
    ((struct dg *)arg)->ready++;
}

static void on_partial(void *arg, const char *text)
{
    struct dg *d = arg;
    (void)str_copy(d->partial, sizeof(d->partial), str_of(text));
}

static void on_final(void *arg, const char *text)
{
    struct dg *d = arg;
    d->finals++;
    (void)str_copy(d->final, sizeof(d->final), str_of(text));
}

static void on_failed(void *arg, const struct stage_fault *fault)
{
    struct dg *d = arg;
    d->failed++;
    d->why = fault->err;
    (void)str_copy(d->cause, sizeof(d->cause), str_of(fault->text));
}

static const struct stt_handlers handlers = {on_ready, on_partial, on_final, on_failed};

static void nothing(void *arg)
{
    (void)arg;
}

/* One turn, a millisecond long: a timer that is due makes the loop look at the others. */
static void step(struct dg *d)
{
    struct tmr now = {0};
    va_clock_manual_advance(&d->clock, 1000);
    tmr_start(&now, d->loop, 0, nothing, NULL);
    loop_turn(d->loop, false);
    tmr_stop(&now);
}

/* Turn until it is so. */
#define UNTIL(d, cond)                                                                             \
    do {                                                                                           \
        for (unsigned n_ = 0; !(cond) && n_ < 60000; n_++)                                         \
            step(d);                                                                               \
        if (!(cond))                                                                               \
            fail_msg("did not happen: %s (%s)", #cond, (d)->cause);                                \
    } while (0)

static int setup(void **state)
{
    struct dg *d = calloc(1, sizeof(*d));
    char *none[] = {NULL};
    struct net_addr any;
    struct va_fault fault;
    va_clock_manual_init(&d->clock, 1000000, 0);
    assert_int_equal(loop_new(&d->clock.base, 0, &d->loop), VA_OK);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &any), VA_OK);
    assert_int_equal(tcp_listen(d->loop, &any, on_accept, d, &d->listener, &fault), VA_OK);
    tcp_listener_addr(d->listener, &any);
    assert_int_equal(settings_load("/dev/null", none, &d->settings, NULL), VA_OK);
    (void)snprintf(d->settings.stt_base_url, SETTING_TEXT_MAX, "ws://127.0.0.1:%u/",
                   net_addr_port(&any));
    (void)str_copy(d->settings.deepgram_api_key, SETTING_TEXT_MAX, str_of("dg-secret"));
    assert_int_equal(secretary_new(&d->secretary), VA_OK);
    assert_int_equal(secretary_set(&d->secretary->language, "pt-BR"), VA_OK);
    d->cfg = (struct stage_cfg){.loop = d->loop,
                                .env = &d->env,
                                .settings = &d->settings,
                                .secretary = d->secretary,
                                .log = &d->log,
                                .rate_hz = 8000};
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    struct dg *d = *state;
    const struct secretary *s = d->secretary;
    stt_deepgram.close(&d->stt);
    ws_free(&d->conn);
    for (size_t i = 0; i < 8; i++)
        ws_free(&d->old[i]);
    tcp_listener_close(&d->listener);
    loop_free(&d->loop);
    secretary_unref(&s);
    free(d);
    return 0;
}

static void begin(struct dg *d)
{
    struct va_fault fault;
    assert_int_equal(stt_deepgram.open(&d->cfg, &handlers, d, &d->stt, &fault), VA_OK);
    UNTIL(d, d->ready || d->failed);
}

static void frame(struct dg *d)
{
    static const int16_t samples[160];
    stt_deepgram.audio(d->stt, samples, 160);
}

static void says(struct dg *d, const char *flags, const char *text)
{
    char m[400];
    int n = snprintf(
        m, sizeof(m),
        "{\"type\":\"Results\",%s\"channel\":{\"alternatives\":[{\"transcript\":\"%s\"}]}}", flags,
        text);
    assert_int_equal(ws_send(d->conn, WS_TEXT, m, (size_t)n), VA_OK);
}

static void words_come_before_and_behind_the_end(void **state)
{
    struct dg *d = *state;
    begin(d);
    assert_non_null(strstr(d->query, "encoding=mulaw&sample_rate=8000"));
    assert_non_null(strstr(d->query, "language=pt-BR"));
    assert_null(strstr(d->query, "secret"));
    assert_string_equal(d->token, "Token dg-secret");
    for (int i = 0; i < 10; i++)
        frame(d);
    UNTIL(d, d->audio == 1600);
    stt_deepgram.begin(d->stt, 100);
    says(d, "\"is_final\":false,", "quero");
    UNTIL(d, strcmp(d->partial, "quero") == 0);
    stt_deepgram.end(d->stt, 300);
    UNTIL(d, d->finalizes == 1);
    assert_int_equal(d->finals, 0);
    says(d, "\"is_final\":true,\"from_finalize\":true,", "Quero vendas.");
    UNTIL(d, d->finals == 1);
    assert_string_equal(d->final, "Quero vendas.");
    stt_deepgram.begin(d->stt, 100); /* the next turn has none of that */
    stt_deepgram.end(d->stt, 300);
    UNTIL(d, d->finalizes == 2);
    says(d, "\"is_final\":true,\"from_finalize\":true,", "");
    UNTIL(d, d->finals == 2);
    assert_string_equal(d->final, "");
    stt_deepgram.close(&d->stt);
    UNTIL(d, d->closes == 1);
}

static void an_end_that_is_not_answered_is_not_waited_for(void **state)
{
    struct dg *d = *state;
    begin(d);
    stt_deepgram.begin(d->stt, 0);
    says(d, "\"is_final\":false,", "sim");
    UNTIL(d, *d->partial);
    stt_deepgram.end(d->stt, 0);
    UNTIL(d, d->finals == 1);
    assert_string_equal(d->final, "sim");
}

static void a_pause_keeps_the_words_and_forgetting_does_not(void **state)
{
    struct dg *d = *state;
    begin(d);
    stt_deepgram.begin(d->stt, 0);
    says(d, "\"is_final\":true,", "Eu queria");
    UNTIL(d, *d->partial);
    stt_deepgram.end(d->stt, 0);
    stt_deepgram.begin(d->stt, 0);
    stt_deepgram.end(d->stt, 0);
    UNTIL(d, d->finalizes == 2);
    says(d, "\"is_final\":true,\"from_finalize\":true,", "saber.");
    UNTIL(d, d->finals == 1);
    assert_string_equal(d->final, "Eu queria saber.");
    stt_deepgram.begin(d->stt, 0);
    stt_deepgram.end(d->stt, 0);
    stt_deepgram.forget(d->stt);
    for (int i = 0; i < 3000; i++) {
        step(d);
    }
    assert_int_equal(d->finals, 1);
}

static void frames(struct dg *d, size_t count)
{
    size_t want = d->audio + count * 160;
    for (size_t i = 0; i < count; i++)
        frame(d);
    UNTIL(d, d->audio == want);
}

#define FINAL(start, duration)                                                                     \
    "\"start\":" start ",\"duration\":" duration ",\"is_final\":true,\"from_finalize\":true,"
#define INTERIM(start, duration) "\"start\":" start ",\"duration\":" duration ",\"is_final\":false,"

/* The answer to the first Finalize comes when the turn is over without it: it ends no other turn,
 * and its words are no other's. */
static void a_late_end_is_not_the_next_turns(void **state)
{
    struct dg *d = *state;
    begin(d);
    frames(d, 25);
    stt_deepgram.begin(d->stt, 0);
    frames(d, 50);
    stt_deepgram.end(d->stt, 0); /* at 1.5 s */
    UNTIL(d, d->finals == 1);
    assert_string_equal(d->final, "");
    stt_deepgram.begin(d->stt, 0);
    says(d, FINAL("0.5", "1.0"), "vendas");
    frames(d, 50);
    stt_deepgram.end(d->stt, 0); /* at 2.5 s */
    UNTIL(d, d->finalizes == 2);
    says(d, FINAL("0.5", "1.010"), "vendas");
    says(d, INTERIM("1.5", "0.9"), "sup");
    UNTIL(d, *d->partial);
    assert_string_equal(d->partial, "sup");
    assert_int_equal(d->finals, 1);
    says(d, FINAL("1.5", "1.0"), "Suporte.");
    UNTIL(d, d->finals == 2);
    assert_string_equal(d->final, "Suporte.");
}

/* Words of a turn that is over do not confirm the sound that follows it. */
static void late_words_are_no_partial_of_a_cough(void **state)
{
    struct dg *d = *state;
    begin(d);
    frames(d, 25);
    stt_deepgram.begin(d->stt, 0);
    frames(d, 25);
    stt_deepgram.forget(d->stt); /* at 1 s */
    frames(d, 5);
    stt_deepgram.begin(d->stt, 0);
    says(d, INTERIM("0", "1.0"), "que horas abre");
    frames(d, 25);
    says(d, INTERIM("1.0", "0.5"), "eh");
    UNTIL(d, *d->partial);
    assert_string_equal(d->partial, "eh");
}

/* The answer to the Finalize before a pause has words of this turn, and is not its end. */
static void the_end_before_a_pause_is_not_the_turns(void **state)
{
    struct dg *d = *state;
    begin(d);
    stt_deepgram.begin(d->stt, 0);
    frames(d, 50);
    stt_deepgram.end(d->stt, 0); /* at 1 s */
    stt_deepgram.begin(d->stt, 0);
    frames(d, 50);
    stt_deepgram.end(d->stt, 0); /* at 2 s */
    UNTIL(d, d->finalizes == 2);
    says(d, FINAL("0", "1.0"), "Eu queria");
    UNTIL(d, *d->partial);
    assert_string_equal(d->partial, "Eu queria");
    assert_int_equal(d->finals, 0);
    says(d, FINAL("1.0", "1.0"), "saber.");
    UNTIL(d, d->finals == 1);
    assert_string_equal(d->final, "Eu queria saber.");
}

/* Another connection has a time of its own. */
static void a_new_connection_begins_at_0(void **state)
{
    struct dg *d = *state;
    begin(d);
    stt_deepgram.begin(d->stt, 0);
    frames(d, 100);
    stt_deepgram.end(d->stt, 0);
    UNTIL(d, d->finalizes == 1);
    ws_free(&d->conn);
    UNTIL(d, d->connections == 2 && d->finals == 1);
    for (size_t had = d->audio; d->audio == had;) {
        frame(d);
        step(d);
    }
    stt_deepgram.begin(d->stt, 0);
    says(d, INTERIM("0", "0.5"), "alô");
    UNTIL(d, *d->partial);
    assert_string_equal(d->partial, "alô");
    stt_deepgram.end(d->stt, 0);
    UNTIL(d, d->finals == 2);
    *d->partial = 0;
    stt_deepgram.begin(d->stt, 0);
    says(d, INTERIM("0.5", "1.0"), "vendas");
    UNTIL(d, *d->partial);
}

static void it_is_kept_alive_when_there_is_no_audio(void **state)
{
    struct dg *d = *state;
    begin(d);
    UNTIL(d, d->keep_alives >= 2);
    assert_int_equal(d->audio, 0);
}

static void a_lost_connection_is_opened_again_twice(void **state)
{
    struct dg *d = *state;
    begin(d);
    for (unsigned n = 1; n <= 2; n++) {
        stt_deepgram.begin(d->stt, 0);
        says(d, "\"is_final\":true,", "metade");
        UNTIL(d, *d->partial);
        stt_deepgram.end(d->stt, 0);
        UNTIL(d, d->finalizes == n);
        ws_free(&d->conn);
        UNTIL(d, d->connections == n + 1 && d->finals == n);
        assert_string_equal(d->final, "metade");
        size_t had = d->audio;
        for (int i = 0; i < 100 && d->audio == had; i++) {
            frame(d);
            loop_turn(d->loop, false);
        }
        assert_true(d->audio > had);
        *d->partial = '\0';
    }
    ws_free(&d->conn);
    UNTIL(d, d->failed == 1);
    assert_int_equal(d->ready, 1);
}

static void a_wrong_key_is_said(void **state)
{
    struct dg *d = *state;
    d->status = 401;
    begin(d);
    assert_int_equal(d->failed, 1);
    assert_int_equal(d->why, VA_EAUTH);
    assert_null(strstr(d->cause, "dg-secret"));
}

static void an_error_message_ends_it(void **state)
{
    struct dg *d = *state;
    static const char m[] = "{\"type\":\"Error\",\"description\":\"no more minutes\"}";
    begin(d);
    assert_int_equal(ws_send(d->conn, WS_TEXT, m, sizeof(m) - 1), VA_OK);
    UNTIL(d, d->failed == 1);
    assert_non_null(strstr(d->cause, "no more minutes"));
}

static void wrong_settings_are_named(void **state)
{
    struct dg *d = *state;
    struct va_fault fault;
    (void)str_copy(d->settings.stt_model, SETTING_TEXT_MAX, str_of("x&language=de"));
    assert_int_equal(stt_deepgram.open(&d->cfg, &handlers, d, &d->stt, &fault), VA_ECONFIG);
    assert_non_null(strstr(fault.text, "STT_MODEL"));
    *d->settings.stt_model = *d->settings.stt_base_url = *d->settings.deepgram_api_key = '\0';
    assert_int_equal(stt_deepgram.open(&d->cfg, &handlers, d, &d->stt, &fault), VA_ECONFIG);
    assert_non_null(strstr(fault.text, "DEEPGRAM_API_KEY"));
}

int main(void)
{
    log_set_level(LOG_ERROR);
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(words_come_before_and_behind_the_end),
        T(an_end_that_is_not_answered_is_not_waited_for),
        T(a_pause_keeps_the_words_and_forgetting_does_not),
        T(a_late_end_is_not_the_next_turns),
        T(late_words_are_no_partial_of_a_cough),
        T(the_end_before_a_pause_is_not_the_turns),
        T(a_new_connection_begins_at_0),
        T(it_is_kept_alive_when_there_is_no_audio),
        T(a_lost_connection_is_opened_again_twice),
        T(a_wrong_key_is_said),
        T(an_error_message_ends_it),
        T(wrong_settings_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
