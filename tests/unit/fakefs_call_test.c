/* fakefs/call, fakefs/run: whole calls over loopback against a daemon of a few lines. */
#include "fakefs/run.h"
#include "net/tcp.h"
#include "net/udp.h"

#include "unit/unit.h"

#include <stdio.h>

/* Greets with 300 ms of noise, then sends silence; transfers to 201 when a key is pressed. */
struct daemon {
    struct loop *loop;
    struct media_clock *clock;
    struct tcp_listener *listener;
    struct tcp_conn *conn;
    struct udp_sock *udp;
    struct media_tick tick;
    struct net_addr caller;
    int frames, heard;
    bool refuse, transferred;
};

static void on_frame(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    struct daemon *d = arg;
    (void)p;
    d->caller = *from;
    d->heard += len == 320;
}

static void on_tick(void *arg, uint64_t now_us)
{
    struct daemon *d = arg;
    int16_t frame[160] = {0};
    (void)now_us;
    if (!d->heard)
        return;
    for (int i = 0; i < 160 && d->frames < 15; i++)
        frame[i] = (int16_t)(i % 2 ? 4000 : -4000);
    d->frames++;
    (void)udp_send(d->udp, &d->caller, frame, sizeof(frame));
}

static void on_open(void *arg)
{
    (void)arg;
}

static void on_read(void *arg, const char *p, size_t len)
{
    static const char transfer[] = "sendmsg\ncall-command: execute\nexecute-app-name: transfer\n"
                                   "execute-app-arg: 201 XML default\n\n";
    struct daemon *d = arg;
    if (d->transferred || !memmem(p, len, "DTMF-Digit: 1\n", 14))
        return;
    d->transferred = true;
    assert_int_equal(tcp_write(d->conn, transfer, sizeof(transfer) - 1), VA_OK);
}

static void on_end(void *arg, enum va_err why)
{
    struct daemon *d = arg;
    (void)why;
    tcp_close(&d->conn);
}

static const struct tcp_handlers handlers = {on_open, on_read, on_end};

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    struct daemon *d = arg;
    char text[300];
    (void)peer;
    assert_int_equal(tcp_adopt(d->loop, fd, 65536, &handlers, d, &d->conn), VA_OK);
    if (d->refuse) {
        tcp_close(&d->conn);
        return;
    }
    struct net_addr any;
    struct udp_sock *free_port = NULL; /* a port that nobody has, for the fake's side */
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &any), VA_OK);
    assert_int_equal(udp_open(d->loop, &any, on_frame, d, &d->udp), VA_OK);
    assert_int_equal(udp_open(d->loop, &any, on_frame, d, &free_port), VA_OK);
    int n = snprintf(text, sizeof(text),
                     "connect\n\nlinger 1\n\nmyevents\n\nsendmsg\ncall-command: unicast\n"
                     "local-ip: 127.0.0.1\nlocal-port: %u\nremote-ip: 127.0.0.1\n"
                     "remote-port: %u\ntransport: udp\n\n",
                     udp_port(free_port), udp_port(d->udp));
    udp_close(&free_port);
    assert_int_equal(tcp_write(d->conn, text, (size_t)n), VA_OK);
    assert_int_equal(media_clock_join(d->clock, &d->tick, 20, on_tick, d), VA_OK);
}

static void open_daemon(struct daemon *d, bool refuse)
{
    struct net_addr any;
    memset(d, 0, sizeof(*d));
    d->refuse = refuse;
    assert_int_equal(loop_new(NULL, 0, &d->loop), VA_OK);
    assert_int_equal(media_clock_new(d->loop, &d->clock), VA_OK);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &any), VA_OK);
    assert_int_equal(tcp_listen(d->loop, &any, on_accept, d, &d->listener, NULL), VA_OK);
}

static void close_daemon(struct daemon *d)
{
    media_clock_leave(&d->tick);
    tcp_listener_close(&d->listener);
    tcp_close(&d->conn);
    udp_close(&d->udp);
    media_clock_free(&d->clock);
    loop_free(&d->loop);
}

static enum va_err call(struct daemon *d, const char *steps, bool *ret_passed, char *json,
                        size_t cap)
{
    static struct fakefs_histogram lateness;
    struct script script = {NULL, 0, 0};
    struct va_fault fault = {VA_OK, ""};
    struct report *report = NULL;
    FILE *out = fmemopen(json, cap, "w");
    lateness = (struct fakefs_histogram){.bin_us = 100};
    assert_non_null(out);
    assert_int_equal(script_parse(&script, "test", str_of(steps), &fault), VA_OK);
    assert_int_equal(report_new(&(struct report_cfg){out, true, false}, &report), VA_OK);
    struct run_cfg cfg = {.script = &script,
                          .script_name = "test",
                          .timeout_ms = 20000,
                          .report = report,
                          .call = {.clock = d->clock, .lateness = &lateness}};
    if (d->listener)
        tcp_listener_addr(d->listener, &cfg.call.to);
    else
        assert_int_equal(net_addr_parse("127.0.0.1", 1, &cfg.call.to), VA_OK);
    enum va_err err = run_call(d->loop, &cfg, ret_passed, &fault);
    report_free(&report);
    script_free(&script);
    (void)fclose(out);
    return err;
}

static void a_call_is_greeted_and_transferred(void **state)
{
    (void)state;
    struct daemon d;
    bool passed = false;
    char json[8000];
    open_daemon(&d, false);
    assert_int_equal(call(&d,
                          "human answers talks 100ms\nwait greeting within 5s\n"
                          "expect silence within 1s\ndtmf 1\nexpect transfer 201 within 2s\n"
                          "expect hangup NORMAL_CLEARING within 2s",
                          &passed, json, sizeof(json)),
                     VA_OK);
    assert_true(passed);
    assert_non_null(strstr(json, "\"outcome\":\"transferred\",\"detail\":\"201 XML default\""));
    assert_non_null(strstr(json, "\"first_audio_ms\":"));
    assert_true(d.heard > 20);
    close_daemon(&d);
}

static void an_expectation_fails(void **state)
{
    (void)state;
    struct daemon d;
    bool passed = true;
    char json[8000];
    open_daemon(&d, false);
    assert_int_equal(
        call(&d, "wait greeting\nexpect bridge within 100ms", &passed, json, sizeof(json)), VA_OK);
    assert_false(passed);
    assert_non_null(strstr(json, "test:2: expect bridge"));
    close_daemon(&d);
}

static void lost_audio_is_noticed_and_garbage_survived(void **state)
{
    (void)state;
    struct daemon d;
    bool passed = false;
    char json[8000];
    open_daemon(&d, false);
    assert_int_equal(call(&d,
                          "wait speech\nfail-audio\ninject garbage 12\ninject foreign 3\n"
                          "sleep 100ms\nresume-audio\nreset-control",
                          &passed, json, sizeof(json)),
                     VA_OK);
    assert_true(passed);
    close_daemon(&d);
}

static void a_refusal_is_a_return_to_the_dialplan(void **state)
{
    (void)state;
    struct daemon d;
    bool passed = false;
    char json[8000];
    open_daemon(&d, true);
    assert_int_equal(call(&d, "expect return within 2s", &passed, json, sizeof(json)), VA_OK);
    assert_true(passed);
    assert_int_equal(call(&d, "wait greeting within 2s", &passed, json, sizeof(json)), VA_OK);
    assert_false(passed);
    close_daemon(&d);
}

static void nobody_listens(void **state)
{
    (void)state;
    struct daemon d;
    bool passed = false;
    char json[8000];
    open_daemon(&d, false);
    tcp_listener_close(&d.listener);
    assert_int_equal(call(&d, "sleep 1s", &passed, json, sizeof(json)), VA_EREFUSED);
    close_daemon(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_greeted_and_transferred),
        cmocka_unit_test(an_expectation_fails),
        cmocka_unit_test(lost_audio_is_noticed_and_garbage_survived),
        cmocka_unit_test(a_refusal_is_a_return_to_the_dialplan),
        cmocka_unit_test(nobody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
