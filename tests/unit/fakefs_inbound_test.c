/* fakefs/inbound: logging in and binding, byte by byte, and those who may not. */
#include "fakefs/inbound.h"

#include "unit/unit.h"

#include <stdio.h>

struct rig {
    struct loop *loop;
    struct fakefs_inbound *in;
    struct fakefs_bindable channel;
    struct tcp_conn *program, *bound;
    char heard[1000], first[300];
    size_t heard_len;
    bool ended, open;
};

static void on_open(void *arg)
{
    ((struct rig *)arg)->open = true;
}

static void on_read(void *arg, const char *p, size_t len)
{
    struct rig *r = arg;
    assert_true(r->heard_len + len < sizeof(r->heard));
    memcpy(r->heard + r->heard_len, p, len);
    r->heard_len += len;
}

static void on_end(void *arg, enum va_err why)
{
    struct rig *r = arg;
    (void)why;
    r->ended = true;
    tcp_close(&r->program);
}

static const struct tcp_handlers handlers = {on_open, on_read, on_end};

static void on_bound(void *arg, struct tcp_conn *tcp, struct str first)
{
    struct rig *r = arg;
    assert_null(r->bound);
    r->bound = tcp;
    assert_true(str_copy(r->first, sizeof(r->first), first));
    assert_int_equal(tcp_write(tcp, "bound!", 6), VA_OK);
}

static int setup(void **state)
{
    static struct rig rig;
    struct rig *r = &rig;
    struct net_addr any;
    struct va_fault fault;
    memset(r, 0, sizeof(*r));
    assert_int_equal(loop_new(NULL, 0, &r->loop), VA_OK);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &any), VA_OK);
    assert_int_equal(fakefs_inbound_open(r->loop, &any, "secret", &r->in, &fault), VA_OK);
    r->channel = (struct fakefs_bindable){.uuid = "u-1", .on_bound = on_bound, .arg = r};
    fakefs_inbound_add(r->in, &r->channel);
    fakefs_inbound_addr(r->in, &any);
    assert_int_equal(tcp_connect(r->loop, &any, 5000, 65536, &handlers, r, &r->program), VA_OK);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    tcp_close(&r->program);
    tcp_close(&r->bound);
    fakefs_inbound_remove(&r->channel);
    fakefs_inbound_close(&r->in);
    loop_free(&r->loop);
    return 0;
}

static void hear(struct rig *r, const char *text)
{
    while (!strstr(r->heard, text)) {
        assert_false(r->ended);
        loop_turn(r->loop, true);
    }
    memset(r->heard, 0, sizeof(r->heard));
    r->heard_len = 0;
}

static void say(struct rig *r, const char *text, size_t len)
{
    assert_int_equal(tcp_write(r->program, text, len), VA_OK);
}

static void a_program_logs_in_and_binds(void **state)
{
    struct rig *r = *state;
    static const char all[] = "auth secret\n\nevent json\n\nmyevents u-1 plain\n\nconnect\n\n";
    hear(r, "auth/request\n\n");
    say(r, all, sizeof(all) - 1); /* what comes behind goes along */
    hear(r, "bound!");
    assert_string_equal(r->first, "myevents u-1 plain\n\nconnect\n\n");
}

static void it_may_come_byte_by_byte(void **state)
{
    struct rig *r = *state;
    static const char all[] = "userauth a@b:secret\n\nmyevents u-1 plain\n\n";
    hear(r, "auth/request\n\n");
    for (size_t i = 0; i + 1 < sizeof(all); i++) {
        say(r, all + i, 1);
        loop_turn(r->loop, false);
    }
    hear(r, "bound!");
    assert_string_equal(r->first, "myevents u-1 plain\n\n");
}

static void who_may_not_does_not(void **state)
{
    struct rig *r = *state;
    hear(r, "auth/request\n\n");
    say(r, "myevents u-1 plain\n\n", 20);
    hear(r, "-ERR invalid");
    say(r, "auth wrong\n\n", 12);
    hear(r, "-ERR invalid");
    say(r, "auth secret\n\n", 13);
    hear(r, "+OK accepted");
    say(r, "myevents u-2 plain\n\n", 20);
    hear(r, "-ERR invalid uuid");
    assert_null(r->bound);
    say(r, "x\nContent-Length: -1\n\n", 22); /* the stream is lost */
    while (!r->ended)
        loop_turn(r->loop, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_program_logs_in_and_binds, setup, teardown),
        cmocka_unit_test_setup_teardown(it_may_come_byte_by_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(who_may_not_does_not, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
