/* net/tcp: draining, lingering, and the end of a loop while last words are on their way. */
#include "net/tcp.h"

#include "unit/unit.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MUCH = 4 * 1024 * 1024 };

static struct {
    struct loop *loop;
    struct tcp_conn *c;
    int peer; /* blocking */
    unsigned drained, ended;
    size_t unsent_at_drain;
} lab;

static void on_open(void *arg)
{
    (void)arg;
}

static void on_read(void *arg, const char *p, size_t len)
{
    (void)arg;
    (void)p;
    (void)len;
}

static void on_end(void *arg, enum va_err why)
{
    (void)arg;
    (void)why;
    lab.ended++;
}

static void on_drain(void *arg)
{
    (void)arg;
    lab.drained++;
    lab.unsent_at_drain = tcp_unsent(lab.c);
}

static const struct tcp_handlers handlers = {on_open, on_read, on_end};

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    (void)arg;
    (void)peer;
    assert_int_equal(tcp_adopt(lab.loop, fd, MUCH, &handlers, NULL, &lab.c), VA_OK);
}

static void lab_open(void)
{
    struct net_addr addr;
    struct tcp_listener *l = NULL;
    memset(&lab, 0, sizeof(lab));
    assert_int_equal(loop_new(NULL, 0, &lab.loop), VA_OK);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &addr), VA_OK);
    assert_int_equal(tcp_listen(lab.loop, &addr, on_accept, NULL, &l, NULL), VA_OK);
    tcp_listener_addr(l, &addr);
    lab.peer = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(lab.peer, &addr.u.sa, net_addr_len(&addr)), 0);
    while (!lab.c)
        loop_turn(lab.loop, true);
    tcp_listener_close(&l);
    (void)alarm(20);
}

static void lab_close(void)
{
    tcp_close(&lab.c);
    loop_free(&lab.loop);
    (void)close(lab.peer);
}

/* What the peer gets until the end, while our loop turns. */
static size_t read_all(void)
{
    static char p[65536];
    size_t n = 0;
    for (;;) {
        struct pollfd fd = {lab.peer, POLLIN, 0};
        if (poll(&fd, 1, 0) == 0) {
            loop_turn(lab.loop, false);
            continue;
        }
        ssize_t got = read(lab.peer, p, sizeof(p));
        assert_true(got >= 0); /* a reset would lose what came before */
        if (got == 0)
            return n;
        n += (size_t)got;
    }
}

static char *much(void)
{
    char *p = calloc(1, MUCH);
    assert_non_null(p);
    return p;
}

static void a_drain_is_told_once_when_there_is_room(void **state)
{
    static char p[65536];
    char *big = much();
    (void)state;
    lab_open();
    tcp_on_drain(lab.c, 10, on_drain); /* nothing is unsent: nothing to tell */
    assert_int_equal(tcp_write(lab.c, big, MUCH), VA_OK);
    assert_true(tcp_unsent(lab.c) > 0);
    size_t left = tcp_unsent(lab.c);
    tcp_on_drain(lab.c, left / 2, on_drain);
    assert_int_equal(tcp_write(lab.c, big, MUCH), VA_ELIMIT);
    loop_turn(lab.loop, false);
    assert_int_equal(lab.drained, 0);
    for (size_t n = 0; n < MUCH;) {
        loop_turn(lab.loop, false);
        ssize_t got = recv(lab.peer, p, sizeof(p), MSG_DONTWAIT);
        n += got > 0 ? (size_t)got : 0;
    }
    while (!lab.drained)
        loop_turn(lab.loop, true);
    assert_true(lab.unsent_at_drain <= left / 2);
    assert_int_equal(tcp_write(lab.c, big, MUCH), VA_OK);
    while (recv(lab.peer, p, sizeof(p), MSG_DONTWAIT) > 0)
        loop_turn(lab.loop, false);
    assert_int_equal(lab.drained, 1);
    free(big);
    lab_close();
}

/* The peer has sent what nobody reads: a plain close would reset the connection. */
static void lingering_lets_the_last_words_arrive(void **state)
{
    char *big = much();
    (void)state;
    for (int large = 0; large < 2; large++) {
        size_t len = large ? MUCH : 10;
        lab_open();
        assert_int_equal(send(lab.peer, big, 5000, 0), 5000);
        assert_int_equal(tcp_write(lab.c, big, len), VA_OK);
        tcp_close_linger(&lab.c);
        assert_null(lab.c);
        assert_int_equal(send(lab.peer, big, 5000, 0), 5000);
        assert_int_equal(read_all(), len);
        assert_int_equal(send(lab.peer, big, 5000, MSG_NOSIGNAL), 5000); /* still dropped */
        assert_int_equal(lab.ended, 0);
        lab_close();
    }
    free(big);
}

static void a_loop_may_end_while_last_words_are_on_their_way(void **state)
{
    static void (*const how[])(struct tcp_conn **) = {tcp_close_flush, tcp_close_linger};
    char *big = much();
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (int turns = 0; turns < 3; turns++) {
            lab_open();
            assert_int_equal(tcp_write(lab.c, big, MUCH), VA_OK);
            how[i](&lab.c);
            for (int k = 0; k < turns; k++)
                loop_turn(lab.loop, false);
            lab_close(); /* asserts that nothing is left of it */
        }
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drain_is_told_once_when_there_is_room),
        cmocka_unit_test(lingering_lets_the_last_words_arrive),
        cmocka_unit_test(a_loop_may_end_while_last_words_are_on_their_way),
    };
    return cmocka_run_group_tests_name("net_tcp", tests, NULL, NULL);
}
