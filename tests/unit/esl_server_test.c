/* esl/server, a session bound over our own connection, and the blocking form. */
#include "esl/blocking.h"
#include "esl/loop.h"
#include "esl/server.h"
#include "unit/esl_client_rig.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

#define S(z) str_of(z)

/* ---- server --------------------------------------------------------------------------------- */

struct hall {
    struct loop *loop;
    struct esl_server *server;
    struct esl_session *sessions[8];
    size_t count, connected, closed, refused;
    bool close_at_once;
};

static void on_connected(void *arg, const struct esl_event *channel)
{
    (void)channel;
    ((struct hall *)arg)->connected++;
}

static void on_closed(void *arg, enum esl_why why)
{
    (void)why;
    ((struct hall *)arg)->closed++;
}

static void *on_session(void *arg, struct esl_session *s, const char *peer)
{
    struct hall *h = arg;
    assert_string_equal(peer, "127.0.0.1");
    h->sessions[h->count++] = s;
    if (h->close_at_once)
        esl_session_close(&h->sessions[h->count - 1]);
    return h;
}

static void on_refused(void *arg, const char *peer)
{
    (void)peer;
    ((struct hall *)arg)->refused++;
}

static const struct esl_server_handlers hall_handlers = {
    {.on_connected = on_connected, .on_closed = on_closed}, on_session, on_refused};

/* A FreeSWITCH that calls. */
static struct tcp_conn *dial(struct hall *h, struct crig *g)
{
    struct tcp_conn *conn = NULL;
    struct net_addr addr;
    assert_int_equal(net_addr_parse("127.0.0.1", esl_server_port(h->server), &addr), VA_OK);
    assert_int_equal(tcp_connect(h->loop, &addr, 5000, 1 << 20, &crig_peer, g, &conn), VA_OK);
    return conn;
}

static void a_server_takes_so_many_and_refuses_the_rest(void **state)
{
    (void)state;
    struct hall h = {0};
    struct crig g = {0};
    struct va_fault fault;
    assert_int_equal(loop_new(NULL, 0, &h.loop), VA_OK);
    buf_init(&g.heard, 1 << 20);
    const struct esl_server_cfg cfg = {.host = "127.0.0.1", .any_port = true, .sessions_max = 1};
    assert_int_equal(esl_server_open(h.loop, &cfg, &hall_handlers, &h, &h.server, &fault), VA_OK);
    (void)alarm(60);
    g.peer = dial(&h, &g);
    g.loop = h.loop;
    crig_hears(&g, "connect\n\n");
    crig_says(&g, "Event-Name: CHANNEL_DATA\nUnique-ID: " CRIG_UUID
                  "\nContent-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: static\n"
                  "Control: single-channel\n\n");
    while (!h.connected)
        loop_turn(h.loop, true);
    assert_false(esl_session_full(h.sessions[0]));
    assert_false(esl_session_async(h.sessions[0]));
    struct crig other = {0};
    buf_init(&other.heard, 1 << 20);
    other.peer = dial(&h, &other);
    while (other.peer) /* refused: closed without a word */
        loop_turn(h.loop, true);
    assert_int_equal(h.refused, 1);
    assert_int_equal(esl_server_sessions(h.server), 1);
    tcp_close(&g.peer);
    while (!h.closed)
        loop_turn(h.loop, true);
    esl_session_close(&h.sessions[0]);
    assert_int_equal(esl_server_sessions(h.server), 0);
    struct crig third = {0};
    buf_init(&third.heard, 1 << 20);
    third.loop = h.loop;
    third.peer = dial(&h, &third);
    crig_hears(&third, "connect\n\n"); /* there is room again */
    esl_session_close(&h.sessions[1]);
    tcp_close(&third.peer);
    h.close_at_once = true; /* by the application, where it hears of it */
    third.peer = dial(&h, &third);
    while (third.peer)
        loop_turn(h.loop, true);
    assert_int_equal(h.count, 3);
    assert_int_equal(esl_server_sessions(h.server), 0);
    h.close_at_once = false;
    third.peer = dial(&h, &third);
    crig_hears(&third, "connect\n\n");
    esl_server_close(&h.server); /* the session outlives it */
    esl_session_close(&h.sessions[3]);
    tcp_close(&third.peer);
    loop_free(&h.loop);
    buf_free(&g.heard);
    buf_free(&other.heard);
    buf_free(&third.heard);
}

static void a_server_says_what_is_wrong_with_its_port(void **state)
{
    (void)state;
    struct hall h = {0};
    struct va_fault fault;
    struct esl_server *second = NULL;
    assert_int_equal(loop_new(NULL, 0, &h.loop), VA_OK);
    struct esl_server_cfg cfg = {.host = "127.0.0.1", .any_port = true};
    assert_int_equal(esl_server_open(h.loop, &cfg, &hall_handlers, &h, &h.server, &fault), VA_OK);
    cfg.any_port = false;
    cfg.port = esl_server_port(h.server);
    assert_int_equal(esl_server_open(h.loop, &cfg, &hall_handlers, &h, &second, &fault), VA_EINUSE);
    cfg.host = "localhost";
    assert_int_equal(esl_server_open(h.loop, &cfg, &hall_handlers, &h, &second, &fault), VA_EINVAL);
    assert_non_null(strstr(fault.text, "localhost"));
    esl_server_close(&h.server);
    loop_free(&h.loop);
}

/* ---- static sockets ------------------------------------------------------------------------- */

static void on_answer(void *arg, const struct esl_result *r)
{
    struct esl_answer *a = arg;
    a->done = r->done;
    a->err = r->err;
}

static void on_a_static_socket_the_answer_is_the_end(void **state)
{
    (void)state;
    struct hall h = {0};
    struct crig g = {0};
    struct esl_answer a = {0};
    const struct esl_then then = {on_answer, &a, 0};
    const struct esl_execute x = {.app = "playback", .arg = STR_LIT("x")};
    assert_int_equal(loop_new(NULL, 0, &h.loop), VA_OK);
    buf_init(&g.heard, 1 << 20);
    g.loop = h.loop;
    const struct esl_server_cfg cfg = {.host = "127.0.0.1", .any_port = true};
    assert_int_equal(esl_server_open(h.loop, &cfg, &hall_handlers, &h, &h.server, NULL), VA_OK);
    g.peer = dial(&h, &g);
    crig_hears(&g, "connect\n\n");
    crig_says(&g, "Event-Name: CHANNEL_DATA\nUnique-ID: " CRIG_UUID
                  "\nContent-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: static\n"
                  "Control: single-channel\n\n");
    while (!h.connected)
        loop_turn(h.loop, true);
    assert_int_equal(esl_session_execute(h.sessions[0], &x, &then), VA_OK);
    crig_hears(&g, "execute-app-arg: x\n\n");
    crig_says(&g, CRIG_REPLY);
    while (!a.done) /* no CHANNEL_EXECUTE_COMPLETE needed */
        loop_turn(h.loop, true);
    assert_int_equal(a.err, VA_OK);
    /* Without `full`: refused here, not there. */
    assert_int_equal(esl_session_api(h.sessions[0], S("status"), NULL), VA_ENOTSUP);
    assert_int_equal(esl_session_bgapi(h.sessions[0], S("status"), NULL), VA_ENOTSUP);
    assert_int_equal(esl_session_linger(h.sessions[0], 1, NULL), VA_ENOTSUP);
    assert_int_equal(esl_session_getvar(h.sessions[0], "a", NULL), VA_ENOTSUP);
    assert_int_equal(esl_switch_api(esl_session_switch(h.sessions[0]), S("status"), NULL),
                     VA_ENOTSUP);
    esl_session_close(&h.sessions[0]);
    esl_server_close(&h.server);
    tcp_close(&g.peer);
    loop_free(&h.loop);
    buf_free(&g.heard);
}

/* ---- bound session -------------------------------------------------------------------------- */

struct bound {
    struct crig *rig;
    struct esl_session *s;
};

static void bound_connected(void *arg, const struct esl_event *channel)
{
    crig_note(((struct bound *)arg)->rig, "connected %.*s", STR_ARG(esl_event_uuid(channel)));
}

static void bound_event(void *arg, const struct esl_event *ev)
{
    crig_note(((struct bound *)arg)->rig, "event %.*s", STR_ARG(esl_event_name(ev)));
}

static void bound_closed(void *arg, enum esl_why why)
{
    struct bound *b = arg;
    crig_note(b->rig, "closed %s", esl_why_text(why));
    esl_session_close(&b->s);
}

static const struct esl_session_handlers bound_handlers = {
    .on_connected = bound_connected, .on_event = bound_event, .on_closed = bound_closed};

static void bind_to(struct crig *g, struct bound *b)
{
    const struct esl_client_cfg to = {
        .host = "127.0.0.1", .port = crig_port(g), .format = ESL_JSON};
    *b = (struct bound){.rig = g};
    assert_int_equal(esl_session_bind(g->loop, &to, CRIG_UUID, NULL, &bound_handlers, b, &b->s),
                     VA_OK);
    assert_int_equal(esl_session_api(b->s, S("status"), NULL), VA_EAGAIN);
    assert_int_equal(esl_session_poke(b->s), VA_EAGAIN);
    assert_int_equal(esl_session_uuid(b->s).len, 0);
}

static void a_session_can_be_bound_over_our_own_connection(void **state)
{
    (void)state;
    struct crig *g = crig_new();
    struct bound b;
    bind_to(g, &b);
    crig_log_in(g);
    crig_hears(g, "event json\n\nmyevents " CRIG_UUID " plain\n\n");
    crig_says(g, "Content-Type: command/reply\nReply-Text: -ERR no keywords supplied\n\n"
                 "Content-Type: command/reply\nReply-Text: +OK Events Enabled\n\n");
    crig_hears(g, "connect\n\n");
    crig_says(g, "Event-Name: CHANNEL_DATA\nUnique-ID: " CRIG_UUID
                 "\nContent-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: async\n"
                 "Control: single-channel\n\n");
    crig_sees(g, "connected " CRIG_UUID ";");
    assert_true(esl_session_full(b.s)); /* it is our connection, whatever FreeSWITCH says */
    assert_int_equal(esl_session_linger(b.s, 2, NULL), VA_OK);
    crig_hears(g, "linger 2\n\n");
    crig_says(
        g, "Content-Length: 27\nContent-Type: text/event-json\n\n{\"Event-Name\":\"DTMF\"}     \n");
    crig_sees(g, "event DTMF;");
    crig_peer_closes(g);
    crig_sees(g, "closed connection closed;");
    crig_free(g);
}

static void binding_fails_clearly(void **state)
{
    (void)state;
    struct crig *g = crig_new();
    struct bound b;
    bind_to(g, &b);
    crig_log_in(g);
    crig_hears(g, "myevents");
    crig_says(g, "Content-Type: command/reply\nReply-Text: -ERR no keywords supplied\n\n"
                 "Content-Type: command/reply\nReply-Text: -ERR invalid uuid\n\n");
    crig_sees(g, "closed refused;");
    crig_forget_log(g);
    bind_to(g, &b);
    while (g->accepted < 2)
        loop_turn(g->loop, true);
    crig_says(g, "SSH-2.0-x\r\n");
    crig_sees(g, "closed not an event socket;");
    bind_to(g, &b); /* closed while it tries */
    loop_turn(g->loop, true);
    esl_session_close(&b.s);
    assert_int_equal(esl_session_bind(g->loop, NULL, "no uuid", NULL, &bound_handlers, &b, &b.s),
                     VA_EINVAL);
    crig_free(g);
}

/* ---- blocking ------------------------------------------------------------------------------- */

/* Reads up to a blank line, then says its part; one pair after the other. */
struct line {
    const char *hears, *says;
};

struct script {
    int listener;
    uint16_t port;
    const struct line *lines;
    pthread_t thread;
    bool good;
};

static bool read_command(int fd, char *to, size_t cap)
{
    size_t len = 0;
    while (len + 1 < cap && recv(fd, to + len, 1, 0) == 1) {
        to[++len] = 0;
        if (len >= 2 && strcmp(to + len - 2, "\n\n") == 0)
            return true;
    }
    return false;
}

static void *play(void *arg)
{
    struct script *s = arg;
    char got[4096];
    int fd = accept(s->listener, NULL, NULL);
    s->good = fd >= 0;
    for (const struct line *l = s->lines; s->good && l->says; l++) {
        if (l->hears)
            s->good = read_command(fd, got, sizeof(got)) && strstr(got, l->hears);
        size_t len = strlen(l->says);
        if (s->good)
            s->good = send(fd, l->says, len, MSG_NOSIGNAL) == (ssize_t)len;
    }
    (void)close(fd);
    return NULL;
}

static void start_script(struct script *s, const struct line *lines)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    s->lines = lines;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(listen(s->listener, 1), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&addr, &len), 0);
    s->port = ntohs(addr.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, play, s), 0);
    (void)alarm(60);
}

static void end_script(struct script *s)
{
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    assert_true(s->good);
    (void)close(s->listener);
}

static void small_programs_ask_and_wait(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {NULL, CRIG_HELLO},
        {"auth ClueCon", CRIG_OK},
        {"api status", "Content-Type: api/response\nContent-Length: 3\n\nUP\n"},
        {"api nosuch", "Content-Type: api/response\nContent-Length: 11\n\n-ERR nosuch"},
        {"event plain DTMF", CRIG_REPLY "Content-Length: 18\nContent-Type: text/event-plain\n\n"
                                        "Event-Name: DTMF\n\n"},
        {"event plain BACKGROUND_JOB", CRIG_REPLY},
        {"bgapi x", "Content-Type: command/reply\nReply-Text: -ERR permission denied\n\n"},
        {"api bye", CRIG_NOTICE},
        {NULL, NULL}};
    struct script script;
    struct esl_blocking *b = NULL;
    struct esl_answer a = {0};
    struct esl_event *ev = NULL;
    struct va_fault fault;
    start_script(&script, lines);
    const struct esl_client_cfg cfg = {.port = script.port};
    assert_int_equal(esl_blocking_connect(&cfg, &b, &fault), VA_OK);
    assert_int_equal(esl_blocking_api(b, S("status"), &a), VA_OK);
    assert_string_equal(a.text, "UP\n");
    assert_int_equal(a.len, 3);
    assert_int_equal(esl_blocking_api(b, S("nosuch"), &a), VA_EREFUSED);
    assert_string_equal(a.text, "-ERR nosuch");
    assert_int_equal(esl_blocking_api(b, S("a\nb"), &a), VA_EINVAL);
    assert_int_equal(esl_blocking_subscribe(b, S("DTMF"), NULL), VA_OK);
    assert_int_equal(esl_blocking_next_event(b, 0, &ev), VA_OK);
    assert_true(esl_event_is(ev, "DTMF"));
    esl_event_free(&ev);
    assert_int_equal(esl_blocking_next_event(b, 1, &ev), VA_ETIMEOUT);
    assert_int_equal(esl_blocking_bgapi(b, S("x"), 0, &a), VA_EREFUSED);
    assert_string_equal(esl_blocking_why(b), "");
    assert_int_equal(esl_blocking_api(b, S("bye"), &a), VA_ECLOSED);
    assert_non_null(strstr(esl_blocking_why(b), "good-bye"));
    assert_int_equal(esl_blocking_api(b, S("more"), &a), VA_ECLOSED);
    assert_int_equal(esl_blocking_next_event(b, 0, &ev), VA_ECLOSED);
    assert_null(esl_blocking_switch(b));
    esl_answer_free(&a);
    esl_blocking_close(&b);
    end_script(&script);
}

static void small_programs_hear_why_not(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {NULL, CRIG_HELLO},
        {"auth wrong", "Content-Type: command/reply\nReply-Text: -ERR invalid\n\n" CRIG_NOTICE},
        {NULL, NULL}};
    struct script script;
    struct esl_blocking *b = NULL;
    struct va_fault fault;
    start_script(&script, lines);
    const struct esl_client_cfg cfg = {.port = script.port, .password = "wrong"};
    assert_int_equal(esl_blocking_connect(&cfg, &b, &fault), VA_EAUTH);
    assert_non_null(strstr(fault.text, "password"));
    assert_null(b);
    end_script(&script);
    assert_int_equal(esl_blocking_connect(&cfg, &b, &fault), VA_EREFUSED); /* nobody listens now */
    assert_int_equal(esl_blocking_connect(&(struct esl_client_cfg){.host = "a b"}, &b, &fault),
                     VA_EINVAL);
}

/* ---- a loop of the caller's ----------------------------------------------------------------- */

static void a_callers_loop_ends_when_its_work_is_done(void **state)
{
    (void)state;
    uv_loop_t uv;
    struct loop *loop = NULL;
    struct hall h = {0};
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(esl_loop_new(&uv, &loop), VA_OK);
    const struct esl_server_cfg cfg = {.host = "127.0.0.1", .any_port = true};
    assert_int_equal(esl_server_open(loop, &cfg, &hall_handlers, &h, &h.server, NULL), VA_OK);
    assert_true(uv_run(&uv, UV_RUN_NOWAIT) != 0); /* it listens */
    esl_server_close(&h.server);
    (void)alarm(60);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0); /* nothing left: it returns by itself */
    esl_loop_free(&loop);
    assert_int_equal(uv_loop_close(&uv), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_takes_so_many_and_refuses_the_rest),
        cmocka_unit_test(a_server_says_what_is_wrong_with_its_port),
        cmocka_unit_test(on_a_static_socket_the_answer_is_the_end),
        cmocka_unit_test(a_session_can_be_bound_over_our_own_connection),
        cmocka_unit_test(binding_fails_clearly),
        cmocka_unit_test(small_programs_ask_and_wait),
        cmocka_unit_test(small_programs_hear_why_not),
        cmocka_unit_test(a_callers_loop_ends_when_its_work_is_done),
    };
    return cmocka_run_group_tests_name("esl_server", tests, NULL, NULL);
}
