/* net/: loop, timers, mailbox, TCP, UDP. */
#include "net/loop.h"
#include "net/resolve.h"
#include "net/tcp.h"
#include "net/udp.h"

#include "unit/unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct order {
    char seen[16];
    size_t n;
};

struct stamp {
    struct tmr t;
    struct order *to;
    char name;
};

static void on_stamp(void *arg)
{
    struct stamp *s = arg;
    s->to->seen[s->to->n++] = s->name;
}

static void timers_fire_in_order_and_can_be_cancelled(void **state)
{
    (void)state;
    struct loop *loop = NULL;
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    struct order order = {{0}, 0};
    struct stamp s[5] = {0};
    static const uint64_t delay[5] = {6, 2, 2, 4, 1};
    for (int i = 0; i < 5; i++) {
        s[i].to = &order;
        s[i].name = (char)('a' + i);
        tmr_start(&s[i].t, loop, delay[i], on_stamp, &s[i]);
    }
    tmr_stop(&s[3].t);
    tmr_stop(&s[3].t);
    while (order.n < 4)
        loop_turn(loop, true);
    assert_string_equal(order.seen, "ebca");
    loop_free(&loop);
}

struct note {
    struct mail mail;
    struct loop *back;
    int *count;
};

static void on_note_back(struct mail *m)
{
    struct note *n = container_of(m, struct note, mail);
    ++*n->count;
    free(n);
}

static void on_note(struct mail *m)
{
    struct note *n = container_of(m, struct note, mail);
    m->deliver = on_note_back;
    loop_reply(n->back, m);
}

static void mails_go_to_a_thread_and_back(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    struct loop *loop = NULL;
    struct loop_thread *thread = NULL;
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    assert_int_equal(loop_thread_start("t", NULL, &thread), VA_OK);
    int count = 0;
    for (int i = 0; i < COUNT; i++) {
        struct note *n = calloc(1, sizeof(*n));
        *n = (struct note){{NULL, on_note}, loop, &count};
        assert_int_equal(loop_post(loop_thread_loop(thread), &n->mail), VA_OK);
    }
    while (count < COUNT)
        loop_turn(loop, true);
    loop_thread_stop(&thread);
    loop_free(&loop);
}

static void a_full_mailbox_refuses(void **state)
{
    (void)state;
    struct loop *loop = NULL;
    assert_int_equal(loop_new(NULL, 1, &loop), VA_OK);
    int count = 0;
    struct note *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
    *a = *b = (struct note){{NULL, on_note_back}, loop, &count};
    assert_int_equal(loop_post(loop, &a->mail), VA_OK);
    assert_int_equal(loop_post(loop, &b->mail), VA_ELIMIT);
    assert_int_equal(loop_posts_refused(loop), 1);
    loop_turn(loop, false);
    assert_int_equal(count, 1);
    free(b);
    loop_free(&loop);
}

struct peer {
    struct loop *loop;
    struct tcp_conn *conn;
    struct tcp_conn *served;
    size_t got;
    bool opened, ended;
    enum va_err why;
};

static void served_read(void *arg, const char *p, size_t len)
{
    struct peer *t = arg;
    assert_int_equal(tcp_write(t->served, p, len), VA_OK);
}

static void served_end(void *arg, enum va_err why)
{
    struct peer *t = arg;
    (void)why;
    tcp_close(&t->served);
}

static void never_open(void *arg)
{
    (void)arg;
}

static const struct tcp_handlers served = {never_open, served_read, served_end};

static void on_accept(void *arg, int fd, const struct net_addr *peer)
{
    struct peer *t = arg;
    assert_int_equal(peer->u.sa.sa_family, AF_INET);
    assert_int_equal(tcp_adopt(t->loop, fd, 1 << 20, &served, t, &t->served), VA_OK);
}

static void client_open(void *arg)
{
    ((struct peer *)arg)->opened = true;
}

static void client_read(void *arg, const char *p, size_t len)
{
    (void)p;
    ((struct peer *)arg)->got += len;
}

static void client_end(void *arg, enum va_err why)
{
    struct peer *t = arg;
    t->ended = true;
    t->why = why;
}

static const struct tcp_handlers client = {client_open, client_read, client_end};

static void tcp_echo_bounded(void **state)
{
    (void)state;
    enum { TOTAL = 300000 };
    struct peer t = {0};
    assert_int_equal(loop_new(NULL, 0, &t.loop), VA_OK);
    struct net_addr addr;
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &addr), VA_OK);
    struct tcp_listener *l = NULL, *second = NULL;
    struct va_fault fault;
    assert_int_equal(tcp_listen(t.loop, &addr, on_accept, &t, &l, &fault), VA_OK);
    tcp_listener_addr(l, &addr);
    assert_int_equal(tcp_listen(t.loop, &addr, on_accept, &t, &second, &fault), VA_EINUSE);
    assert_non_null(strstr(fault.text, "taken"));
    assert_int_equal(tcp_connect(t.loop, &addr, 1000, TOTAL, &client, &t, &t.conn), VA_OK);
    while (!t.opened)
        loop_turn(t.loop, true);
    char *data = calloc(1, TOTAL + 1);
    assert_int_equal(tcp_write(t.conn, data, TOTAL + 1), VA_ELIMIT);
    assert_int_equal(tcp_write(t.conn, data, TOTAL), VA_OK);
    while (t.got < TOTAL)
        loop_turn(t.loop, true);
    tcp_close(&t.served);
    while (!t.ended)
        loop_turn(t.loop, true);
    assert_int_equal(t.why, VA_ECLOSED);
    assert_int_equal(tcp_write(t.conn, data, 1), VA_ECLOSED);
    tcp_close(&t.conn);
    tcp_listener_close(&l);
    free(data);
    loop_free(&t.loop);
}

static void tcp_connect_refused(void **state)
{
    (void)state;
    struct peer t = {0};
    assert_int_equal(loop_new(NULL, 0, &t.loop), VA_OK);
    struct net_addr addr;
    assert_int_equal(net_addr_parse("127.0.0.1", 1, &addr), VA_OK);
    assert_int_equal(tcp_connect(t.loop, &addr, 1000, 100, &client, &t, &t.conn), VA_OK);
    while (!t.ended)
        loop_turn(t.loop, true);
    assert_int_equal(t.why, VA_EREFUSED);
    tcp_close(&t.conn);
    loop_free(&t.loop);
}

static void on_datagram(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    (void)from;
    assert_memory_equal(p, "hello", 5);
    *(size_t *)arg += len;
}

static void udp_range_holds_ports_until_it_is_full(void **state)
{
    (void)state;
    struct loop *loop = NULL;
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    struct net_addr any, to;
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &any), VA_OK);
    size_t got = 0;
    struct udp_sock *first = NULL, *a = NULL, *b = NULL;
    assert_int_equal(udp_open(loop, &any, on_datagram, &got, &first), VA_OK);
    uint16_t port = udp_port(first);
    assert_int_equal(udp_open_range(loop, &any, port, port, on_datagram, &got, &a), VA_ELIMIT);
    assert_int_equal(udp_open_range(loop, &any, 20000, 60000, on_datagram, &got, &a), VA_OK);
    assert_int_equal(udp_open_range(loop, &any, 20000, 60000, on_datagram, &got, &b), VA_OK);
    assert_int_not_equal(udp_port(a), udp_port(b));
    assert_int_equal(net_addr_parse("127.0.0.1", udp_port(b), &to), VA_OK);
    assert_int_equal(udp_send(a, &to, "hello", 5), VA_OK);
    while (got < 5)
        loop_turn(loop, true);
    udp_close(&first);
    udp_close(&a);
    udp_close(&b);
    loop_free(&loop);
}

static void addresses_compare_and_print(void **state)
{
    (void)state;
    struct net_addr a, b;
    char text[NET_ADDR_TEXT];
    assert_int_equal(net_addr_parse("127.0.0.1", 80, &a), VA_OK);
    assert_int_equal(net_addr_parse("::ffff:127.0.0.1", 80, &b), VA_OK);
    assert_true(net_addr_eq(&a, &b));
    net_addr_text(&b, text);
    assert_string_equal(text, "127.0.0.1:80");
    net_addr_set_port(&b, 81);
    assert_false(net_addr_eq(&a, &b));
    assert_int_equal(net_addr_parse("::1", 5, &a), VA_OK);
    net_addr_text(&a, text);
    assert_string_equal(text, "[::1]:5");
    assert_int_equal(net_addr_parse("localhost", 5, &a), VA_EINVAL);
}

struct again {
    struct tmr t;
    struct loop *loop;
    unsigned fired;
};

static void on_again(void *arg)
{
    struct again *a = arg;
    a->fired++;
    tmr_start(&a->t, a->loop, 0, on_again, a);
}

/* Once it could: libuv fires a timer of 0 ms that restarts itself for ever. */
static void a_timer_that_is_always_due_does_not_starve_sockets(void **state)
{
    (void)state;
    struct again a = {0};
    struct note *n = calloc(1, sizeof(*n));
    int count = 0;
    assert_int_equal(loop_new(NULL, 0, &a.loop), VA_OK);
    tmr_start(&a.t, a.loop, 0, on_again, &a);
    n->count = &count;
    n->mail.deliver = on_note_back;
    assert_int_equal(loop_post(a.loop, &n->mail), VA_OK); /* comes through a descriptor */
    (void)alarm(60);
    while (!count)
        loop_turn(a.loop, true);
    assert_true(a.fired >= 1);
    tmr_stop(&a.t);
    loop_free(&a.loop);
}

struct found {
    enum va_err err;
    size_t count, calls;
    struct net_addr first;
};

static void on_found(void *arg, enum va_err err, const struct net_addr *addrs, size_t count)
{
    struct found *f = arg;
    f->err = err;
    f->count = count;
    f->calls++;
    if (count)
        f->first = addrs[0];
}

static struct found look_up(struct loop *loop, const char *host)
{
    struct found f = {VA_OK, 0, 0, {{{0}}}};
    struct resolve *r = NULL;
    assert_int_equal(resolve_start(loop, host, 8021, on_found, &f, &r), VA_OK);
    assert_int_equal(f.calls, 0); /* never from inside */
    while (!f.calls)
        loop_turn(loop, true);
    return f;
}

static void names_and_numbers_become_addresses(void **state)
{
    (void)state;
    struct loop *loop = NULL;
    char text[NET_ADDR_TEXT];
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    struct found f = look_up(loop, "192.0.2.7");
    assert_int_equal(f.count, 1);
    net_addr_text(&f.first, text);
    assert_string_equal(text, "192.0.2.7:8021");
    f = look_up(loop, "::1");
    net_addr_text(&f.first, text);
    assert_string_equal(text, "[::1]:8021");
    f = look_up(loop, "localhost");
    assert_int_equal(f.err, VA_OK);
    assert_true(f.count >= 1);
    assert_int_equal(net_addr_port(&f.first), 8021);
    f = look_up(loop, "no-such-host.invalid");
    assert_true(f.err == VA_ENOTFOUND || f.err == VA_EAGAIN); /* EAGAIN without a name server */
    assert_int_equal(f.count, 0);
    loop_free(&loop);
}

static void a_look_up_can_be_canceled_at_any_time(void **state)
{
    (void)state;
    struct loop *loop = NULL;
    struct found f = {VA_OK, 0, 0, {{{0}}}};
    struct resolve *r = NULL;
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    assert_int_equal(resolve_start(loop, "127.0.0.1", 1, on_found, &f, &r), VA_OK);
    resolve_cancel(&r);
    resolve_cancel(&r);
    assert_int_equal(resolve_start(loop, "localhost", 1, on_found, &f, &r), VA_OK);
    resolve_cancel(&r);
    loop_free(&loop); /* waits for what could not be called back */
    assert_int_equal(f.calls, 0);
}

/* ---- pace ------------------------------------------------------------------------------------ */

struct busy {
    struct tmr t;
    struct loop *loop;
};

static void on_busy(void *arg)
{
    struct busy *b = arg;
    tmr_start(&b->t, b->loop, 0, on_busy, b);
}

static void a_paced_loop_begins_no_turn_too_early(void **state)
{
    (void)state;
    enum { PACE_US = 5000, TURNS = 6 };
    struct busy b = {.loop = NULL};
    assert_int_equal(loop_new(NULL, 0, &b.loop), VA_OK);
    loop_set_pace(b.loop, PACE_US);
    on_busy(&b); /* always something to do */
    loop_turn(b.loop, true);
    uint64_t before = loop_now_us(b.loop);
    for (int i = 0; i < TURNS; i++)
        loop_turn(b.loop, true);
    assert_true(loop_now_us(b.loop) - before >= (TURNS - 1) * PACE_US);
    loop_set_pace(b.loop, 0);
    tmr_stop(&b.t);
    loop_free(&b.loop);
}

static void on_pace(struct mail *m)
{
    struct note *n = container_of(m, struct note, mail);
    loop_set_pace(n->back, 1000);
    free(n);
}

static void a_running_loop_takes_a_pace_and_still_stops(void **state)
{
    (void)state;
    int count = 0;
    struct loop *loop = NULL;
    struct loop_thread *t = NULL;
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    assert_int_equal(loop_thread_start("paced", NULL, &t), VA_OK);
    struct note *pace = calloc(1, sizeof(*pace));
    *pace = (struct note){.mail.deliver = on_pace, .back = loop_thread_loop(t)};
    loop_reply(loop_thread_loop(t), &pace->mail);
    for (int i = 0; i < 5; i++) {
        struct note *n = calloc(1, sizeof(*n));
        *n = (struct note){.mail.deliver = on_note, .back = loop, .count = &count};
        loop_reply(loop_thread_loop(t), &n->mail);
    }
    while (count < 5)
        loop_turn(loop, true);
    loop_thread_stop(&t);
    loop_free(&loop);
}

/* ---- priority -------------------------------------------------------------------------------- */

struct ranked {
    struct mail mail;
    struct loop *back;
    int policy, nice, child_policy, child_nice;
    bool done;
};

static void look(int *policy, int *nice)
{
    *policy = sched_getscheduler(0);
    *nice = getpriority(PRIO_PROCESS, 0);
}

static void *look_from_child(void *arg)
{
    struct ranked *r = arg;
    look(&r->child_policy, &r->child_nice);
    return NULL;
}

static void on_ranked_back(struct mail *m)
{
    container_of(m, struct ranked, mail)->done = true;
}

static void on_ranked(struct mail *m)
{
    struct ranked *r = container_of(m, struct ranked, mail);
    pthread_t t;
    look(&r->policy, &r->nice);
    assert_int_equal(pthread_create(&t, NULL, look_from_child, r), 0);
    assert_int_equal(pthread_join(t, NULL), 0);
    r->mail.deliver = on_ranked_back;
    loop_reply(r->back, &r->mail);
}

static struct ranked rank(struct loop *loop, enum thread_priority wish)
{
    struct ranked r = {.mail = {NULL, on_ranked}, .back = loop};
    struct loop_thread *t = NULL;
    assert_int_equal(loop_thread_start("ranked", NULL, &t), VA_OK);
    loop_thread_rank(t, wish);
    loop_reply(loop_thread_loop(t), &r.mail);
    while (!r.done)
        loop_turn(loop, true);
    loop_thread_stop(&t);
    return r;
}

static void *what_is_allowed(void *arg)
{
    *(enum thread_priority *)arg = thread_set_priority(*(enum thread_priority *)arg);
    return NULL;
}

static enum thread_priority allowed(enum thread_priority wish)
{
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, what_is_allowed, &wish), 0);
    assert_int_equal(pthread_join(t, NULL), 0);
    return wish;
}

/* As root as in CI; a user who may not is told so, and goes on. */
static void a_thread_is_ranked_and_its_children_are_not(void **state)
{
    (void)state;
    struct loop *loop = NULL;
    int policy, nice;
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    look(&policy, &nice);
    for (int wish = THREAD_NORMAL; wish <= THREAD_REALTIME; wish++) {
        struct ranked r = rank(loop, (enum thread_priority)wish);
        enum thread_priority got = allowed((enum thread_priority)wish);
        assert_true(got <= (enum thread_priority)wish);
        bool realtime = got == THREAD_REALTIME, high = got == THREAD_HIGH;
        assert_int_equal(r.policy & ~SCHED_RESET_ON_FORK, realtime ? SCHED_RR : policy);
        if (!realtime)
            assert_int_equal(r.nice, high ? -10 : nice);
        assert_int_equal(r.child_policy & ~SCHED_RESET_ON_FORK, policy);
        assert_true(r.child_nice >= 0 || r.child_nice == nice);
    }
    assert_int_equal(sched_getscheduler(0), policy);
    loop_free(&loop);
}

struct bounce {
    struct mail mail;
    struct loop *there, *back;
    unsigned times;
};

static void on_bounce_back(struct mail *m)
{
    container_of(m, struct bounce, mail)->times++;
}

static void on_bounce(struct mail *m)
{
    struct bounce *b = container_of(m, struct bounce, mail);
    b->mail.deliver = on_bounce_back;
    loop_reply(b->back, &b->mail);
}

static void stay_on_first_core(struct mail *m)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    (void)pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
    m->deliver = NULL;
}

/* The receiver wakes on the sender's core and takes it while the sender is still inside
 * loop_reply(). It must not wait there for the sender, who cannot run: with uv_async_send() this
 * test takes minutes. */
static void a_ranked_receiver_does_not_spin_on_its_sender(void **state)
{
    enum { TIMES = 20000 };
    (void)state;
    cpu_set_t before;
    struct mail pin = {NULL, stay_on_first_core}, pin_too = {NULL, stay_on_first_core};
    struct loop_thread *t = NULL;
    struct bounce b = {.times = 0};
    assert_int_equal(loop_new(NULL, 0, &b.back), VA_OK);
    assert_int_equal(pthread_getaffinity_np(pthread_self(), sizeof(before), &before), 0);
    assert_int_equal(loop_thread_start("ranked", NULL, &t), VA_OK);
    b.there = loop_thread_loop(t);
    loop_reply(b.there, &pin);
    loop_thread_rank(t, THREAD_REALTIME);
    stay_on_first_core(&pin_too);
    while (b.times < TIMES) {
        unsigned seen = b.times;
        b.mail.deliver = on_bounce;
        loop_reply(b.there, &b.mail);
        while (b.times == seen)
            loop_turn(b.back, true);
    }
    loop_thread_stop(&t);
    loop_free(&b.back);
    (void)pthread_setaffinity_np(pthread_self(), sizeof(before), &before);
}

static void priorities_have_the_settings_names(void **state)
{
    (void)state;
    assert_int_equal(thread_priority_of("auto"), THREAD_REALTIME);
    for (int p = THREAD_NORMAL; p <= THREAD_REALTIME; p++)
        assert_int_equal(thread_priority_of(thread_priority_name((enum thread_priority)p)), p);
}

/* More at a time than there are threads for; some are given up while they wait. */
static void many_look_ups_are_all_answered(void **state)
{
    enum { MANY = 40 };
    (void)state;
    struct loop *loop = NULL;
    struct found f[MANY] = {{VA_OK, 0, 0, {{{0}}}}};
    struct resolve *r[MANY] = {NULL};
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    assert_int_equal(resolve_start(loop, "", 1, on_found, &f[0], &r[0]), VA_EINVAL);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(resolve_start(loop, "localhost", 1, on_found, &f[i], &r[i]), VA_OK);
    for (int i = 0; i < MANY; i += 3)
        resolve_cancel(&r[i]);
    for (int i = 0; i < MANY; i++)
        while (i % 3 && !f[i].calls)
            loop_turn(loop, true);
    loop_free(&loop);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(f[i].calls, i % 3 ? 1 : 0);
}

/* A loop on somebody's uv_loop_t keeps that running until the answer is there. */
static void an_attached_loop_waits_for_its_look_up(void **state)
{
    (void)state;
    uv_loop_t uv;
    struct loop *loop = NULL;
    struct found f = {VA_OK, 0, 0, {{{0}}}};
    struct resolve *r = NULL;
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(loop_attach(&uv, NULL, 0, &loop), VA_OK);
    assert_int_equal(resolve_start(loop, "localhost", 1, on_found, &f, &r), VA_OK);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(f.calls, 1);
    loop_free(&loop);
    assert_int_equal(uv_loop_close(&uv), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_and_can_be_cancelled),
        cmocka_unit_test(mails_go_to_a_thread_and_back),
        cmocka_unit_test(a_full_mailbox_refuses),
        cmocka_unit_test(tcp_echo_bounded),
        cmocka_unit_test(tcp_connect_refused),
        cmocka_unit_test(udp_range_holds_ports_until_it_is_full),
        cmocka_unit_test(addresses_compare_and_print),
        cmocka_unit_test(a_timer_that_is_always_due_does_not_starve_sockets),
        cmocka_unit_test(names_and_numbers_become_addresses),
        cmocka_unit_test(a_look_up_can_be_canceled_at_any_time),
        cmocka_unit_test(many_look_ups_are_all_answered),
        cmocka_unit_test(an_attached_loop_waits_for_its_look_up),
        cmocka_unit_test(a_paced_loop_begins_no_turn_too_early),
        cmocka_unit_test(a_running_loop_takes_a_pace_and_still_stops),
        cmocka_unit_test(a_thread_is_ranked_and_its_children_are_not),
        cmocka_unit_test(a_ranked_receiver_does_not_spin_on_its_sender),
        cmocka_unit_test(priorities_have_the_settings_names),
    };
    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
