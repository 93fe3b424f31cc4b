/* net/udp.h: a peer with a descriptor of its own, and reading by a clock. */
#include "net/udp.h"

#include "unit/unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEEN_MAX = 64, AGED_MS = 15 };

struct far { /* a socket of the test's */
    int fd;
    struct net_addr addr;
};

struct rig {
    struct loop *loop;
    struct udp_sock *sock;
    struct net_addr own;
    struct far peer, other;
    char seen[SEEN_MAX + 1]; /* first byte of each datagram */
    struct net_addr from;
    uint64_t arrival_us;
    bool close_inside;
};

static void on_datagram(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    struct rig *r = arg;
    size_t n = strlen(r->seen);
    assert_true(len > 0 && n < SEEN_MAX);
    r->seen[n] = *(const char *)p;
    r->from = *from;
    r->arrival_us = udp_arrival_us(r->sock);
    if (r->close_inside)
        udp_close(&r->sock);
}

static struct far far_open(void)
{
    struct far f;
    socklen_t len = sizeof(f.addr.u);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &f.addr), VA_OK);
    f.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(f.fd >= 0);
    assert_int_equal(bind(f.fd, &f.addr.u.sa, net_addr_len(&f.addr)), 0);
    assert_int_equal(getsockname(f.fd, &f.addr.u.sa, &len), 0);
    return f;
}

static void far_send(const struct rig *r, const struct far *f, const char *text)
{
    for (; *text; text++)
        assert_int_equal(sendto(f->fd, text, 1, 0, &r->own.u.sa, net_addr_len(&r->own)), 1);
}

/* @return the port it came from; 0: nothing is there */
static uint16_t far_receive(const struct far *f)
{
    char byte;
    struct net_addr from;
    socklen_t len = sizeof(from.u);
    if (recvfrom(f->fd, &byte, 1, 0, &from.u.sa, &len) != 1)
        return 0;
    return net_addr_port(&from);
}

static void see(struct rig *r, const char *want)
{
    while (strlen(r->seen) < strlen(want))
        loop_turn(r->loop, true);
    assert_string_equal(r->seen, want);
}

static void rig_open(struct rig *r, const char *bind_to)
{
    struct net_addr at;
    *r = (struct rig){.loop = NULL};
    assert_int_equal(loop_new(NULL, 0, &r->loop), VA_OK);
    assert_int_equal(net_addr_parse(bind_to, 0, &at), VA_OK);
    assert_int_equal(udp_open(r->loop, &at, on_datagram, r, &r->sock), VA_OK);
    assert_int_equal(net_addr_parse("127.0.0.1", udp_port(r->sock), &r->own), VA_OK);
    r->peer = far_open();
    r->other = far_open();
}

static void rig_close(struct rig *r)
{
    udp_close(&r->sock);
    (void)close(r->peer.fd);
    (void)close(r->other.fd);
    loop_free(&r->loop);
}

static void on_time(void *arg)
{
    *(bool *)arg = true;
}

static void pass(struct rig *r, uint64_t ms)
{
    struct tmr t = {0};
    bool over = false;
    tmr_start(&t, r->loop, ms, on_time, &over);
    while (!over)
        loop_turn(r->loop, true);
}

static void both_ways_by(const char *bind_to)
{
    struct rig r;
    rig_open(&r, bind_to);
    assert_int_equal(udp_focus(r.sock, &r.peer.addr), VA_OK);
    assert_int_equal(udp_focus(r.sock, &r.peer.addr), VA_OK);
    far_send(&r, &r.peer, "p");
    see(&r, "p");
    assert_true(net_addr_eq(&r.from, &r.peer.addr));
    far_send(&r, &r.other, "o"); /* by the first descriptor */
    see(&r, "po");
    assert_true(net_addr_eq(&r.from, &r.other.addr));
    assert_int_equal(udp_send(r.sock, &r.peer.addr, "x", 1), VA_OK);
    assert_int_equal(udp_send(r.sock, &r.other.addr, "x", 1), VA_OK);
    assert_int_equal(far_receive(&r.peer), udp_port(r.sock));
    assert_int_equal(far_receive(&r.other), udp_port(r.sock));
    rig_close(&r);
}

static void a_peer_and_others_are_heard_by_one_port(void **state)
{
    (void)state;
    both_ways_by("127.0.0.1");
    both_ways_by("0.0.0.0");
}

static void the_port_stays_held(void **state)
{
    (void)state;
    struct rig r;
    struct udp_sock *second = NULL;
    rig_open(&r, "127.0.0.1");
    assert_int_equal(udp_focus(r.sock, &r.peer.addr), VA_OK);
    assert_int_equal(udp_open(r.loop, &r.own, on_datagram, &r, &second), VA_EINUSE);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1; /* one that is ready to share */
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    assert_int_equal(bind(fd, &r.own.u.sa, net_addr_len(&r.own)), -1);
    (void)close(fd);
    rig_close(&r);
}

static void the_peer_may_change_and_go(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "127.0.0.1");
    assert_int_equal(udp_focus(r.sock, &r.peer.addr), VA_OK);
    assert_int_equal(udp_focus(r.sock, &r.other.addr), VA_OK);
    far_send(&r, &r.peer, "1");
    see(&r, "1");
    far_send(&r, &r.other, "2");
    see(&r, "12");
    assert_int_equal(udp_focus(r.sock, NULL), VA_OK);
    far_send(&r, &r.other, "3");
    see(&r, "123");
    assert_int_equal(udp_send(r.sock, &r.other.addr, "x", 1), VA_OK);
    assert_int_equal(far_receive(&r.other), udp_port(r.sock));
    rig_close(&r);
}

/* The kernel tells a connected descriptor of the ICMP error; nothing is lost by that. */
static void a_peer_that_was_not_there_is_sent_to_again(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "127.0.0.1");
    assert_int_equal(udp_focus(r.sock, &r.peer.addr), VA_OK);
    (void)close(r.peer.fd);
    for (int i = 0; i < 3; i++)
        assert_int_equal(udp_send(r.sock, &r.peer.addr, "x", 1), VA_OK);
    r.peer.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(r.peer.fd, &r.peer.addr.u.sa, net_addr_len(&r.peer.addr)), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(udp_send(r.sock, &r.peer.addr, "x", 1), VA_OK);
        assert_int_equal(far_receive(&r.peer), udp_port(r.sock));
    }
    far_send(&r, &r.peer, "p");
    see(&r, "p");
    rig_close(&r);
}

static void by_the_clock_nothing_comes_by_itself(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "127.0.0.1");
    udp_read_by_clock(r.sock);
    far_send(&r, &r.peer, "a"); /* no peer yet: it comes */
    see(&r, "a");
    assert_int_equal(udp_read(r.sock), 0);
    assert_int_equal(udp_focus(r.sock, &r.peer.addr), VA_OK);
    far_send(&r, &r.peer, "b");
    far_send(&r, &r.other, "o"); /* others still do */
    see(&r, "ao");
    pass(&r, 1);
    see(&r, "ao");
    assert_int_equal(udp_read(r.sock), 1);
    see(&r, "aob");
    rig_close(&r);
}

static void the_time_of_arrival_is_the_kernels(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "127.0.0.1");
    udp_read_by_clock(r.sock);
    assert_int_equal(udp_focus(r.sock, &r.peer.addr), VA_OK);
    uint64_t before = loop_now_us(r.loop);
    far_send(&r, &r.peer, "a");
    uint64_t after = loop_now_us(r.loop);
    pass(&r, AGED_MS);
    assert_int_equal(udp_read(r.sock), 1);
    assert_in_range(r.arrival_us, before - 1000, after + 1000);
    rig_close(&r);
}

/* A bunch comes after a gap, so the read before found nothing; or the first of it is old. */
static void a_bunch_is_read_whole(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, "127.0.0.1");
    udp_read_by_clock(r.sock);
    assert_int_equal(udp_focus(r.sock, &r.peer.addr), VA_OK);
    assert_int_equal(udp_read(r.sock), 0);
    far_send(&r, &r.peer, "abc");
    assert_int_equal(udp_read(r.sock), 3);
    uint64_t before = loop_now_us(r.loop);
    far_send(&r, &r.peer, "de");
    size_t n = udp_read(r.sock);
    if (loop_now_us(r.loop) - before < UDP_FRESH_MS * 1000)
        assert_int_equal(n, 1); /* no look behind a fresh one */
    far_send(&r, &r.peer, "fg");
    pass(&r, AGED_MS);
    while (strlen(r.seen) < 7)
        assert_true(udp_read(r.sock) > 0);
    assert_string_equal(r.seen, "abcdefg");
    rig_close(&r);
}

static void a_flood_leaves_time_for_others(void **state)
{
    (void)state;
    struct rig r;
    char flood[UDP_READ_MAX + 2] = {0};
    rig_open(&r, "127.0.0.1");
    udp_read_by_clock(r.sock);
    assert_int_equal(udp_focus(r.sock, &r.peer.addr), VA_OK);
    memset(flood, 'x', UDP_READ_MAX + 1);
    far_send(&r, &r.peer, flood);
    assert_int_equal(udp_read(r.sock), UDP_READ_MAX);
    rig_close(&r);
}

static void a_handler_may_close_the_socket(void **state)
{
    (void)state;
    for (int by_clock = 0; by_clock < 2; by_clock++) {
        struct rig r;
        rig_open(&r, "127.0.0.1");
        r.close_inside = true;
        if (by_clock)
            udp_read_by_clock(r.sock);
        assert_int_equal(udp_focus(r.sock, &r.peer.addr), VA_OK);
        far_send(&r, &r.peer, "abc");
        if (by_clock)
            assert_int_equal(udp_read(r.sock), 1);
        see(&r, "a");
        loop_turn(r.loop, false);
        assert_string_equal(r.seen, "a");
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_and_others_are_heard_by_one_port),
        cmocka_unit_test(the_port_stays_held),
        cmocka_unit_test(the_peer_may_change_and_go),
        cmocka_unit_test(a_peer_that_was_not_there_is_sent_to_again),
        cmocka_unit_test(by_the_clock_nothing_comes_by_itself),
        cmocka_unit_test(the_time_of_arrival_is_the_kernels),
        cmocka_unit_test(a_bunch_is_read_whole),
        cmocka_unit_test(a_flood_leaves_time_for_others),
        cmocka_unit_test(a_handler_may_close_the_socket),
    };
    return cmocka_run_group_tests_name("net_udp", tests, NULL, NULL);
}
