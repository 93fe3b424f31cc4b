/* net/http.h against a server that does as each test says. */
#include "unit/unit.h"

#include "net/http.h"
#include "unit/http_rig.h"

struct ask {
    struct loop *loop;
    struct http_client *client;
    struct rig_server server;
    struct http_request *request;
    /* what the server does */
    void (*serve)(struct ask *a, struct rig_conn *c, const struct rig_request *r);
    struct rig_conn *serving;
    struct buf seen; /* of the last request: line, head, body */
    /* what came of it */
    struct buf body;
    char type[64];
    unsigned heads, bodies, ends;
    enum va_err err;
    int status;
    int64_t retry_after_ms;
    char text[512], error_body[HTTP_ERROR_BODY_MAX + 1];
    void (*in_body)(struct ask *a);
};

static void on_request(void *arg, struct rig_conn *c, const struct rig_request *r)
{
    struct ask *a = arg;
    a->serving = c;
    buf_reset(&a->seen);
    (void)buf_adds(&a->seen, r->line);
    (void)buf_addc(&a->seen, '\n');
    (void)buf_adds(&a->seen, r->head);
    (void)buf_addc(&a->seen, '\n');
    (void)buf_adds(&a->seen, r->body);
    if (a->serve)
        a->serve(a, c, r);
}

static void on_head(void *arg, const struct http_head *head)
{
    struct ask *a = arg;
    assert_int_equal(a->bodies, 0);
    a->heads++;
    assert_int_equal(head->status / 100, 2);
    (void)str_copy(a->type, sizeof(a->type), head->content_type);
}

static void on_body(void *arg, struct str bytes)
{
    struct ask *a = arg;
    assert_int_equal(a->heads, 1);
    a->bodies++;
    (void)buf_adds(&a->body, bytes);
    if (a->in_body)
        a->in_body(a);
}

static void on_end(void *arg, const struct http_end *end)
{
    struct ask *a = arg;
    a->ends++;
    a->request = NULL;
    a->err = end->err;
    a->status = end->status;
    a->retry_after_ms = end->retry_after_ms;
    (void)str_copy(a->text, sizeof(a->text), str_of(end->text));
    (void)str_copy(a->error_body, sizeof(a->error_body), end->body);
}

static const struct http_handlers handlers = {on_head, on_body, on_end};

static int setup(void **state)
{
    struct ask *a = calloc(1, sizeof(*a));
    struct va_fault fault;
    assert_int_equal(loop_new(NULL, 0, &a->loop), VA_OK);
    assert_int_equal(http_client_of(a->loop, NULL, &a->client, &fault), VA_OK);
    rig_start(&a->server, a->loop, on_request, a);
    buf_init(&a->seen, 16 << 20);
    buf_init(&a->body, 16 << 20);
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    struct ask *a = *state;
    http_cancel(&a->request);
    rig_stop(&a->server);
    loop_free(&a->loop); /* closes the client */
    buf_free(&a->seen);
    buf_free(&a->body);
    free(a);
    return 0;
}

static const char *url(const struct ask *a, const char *path)
{
    static char text[256];
    (void)snprintf(text, sizeof(text), "http://127.0.0.1:%u%s", a->server.port, path);
    return text;
}

static void start(struct ask *a, struct http_spec spec)
{
    if (!spec.url)
        spec.url = url(a, "/x");
    if (!spec.method)
        spec.method = "GET";
    a->heads = a->bodies = a->ends = 0;
    buf_reset(&a->body);
    assert_int_equal(http_start(a->client, &spec, &handlers, a, &a->request), VA_OK);
    assert_int_equal(a->ends, 0);
}

static void run(struct ask *a)
{
    while (!a->ends)
        loop_turn(a->loop, true);
    for (int i = 0; i < 3; i++)
        loop_turn(a->loop, false);
    assert_int_equal(a->ends, 1);
}

static void ask(struct ask *a, struct http_spec spec)
{
    start(a, spec);
    run(a);
}

static void serve_hello(struct ask *a, struct rig_conn *c, const struct rig_request *r)
{
    (void)a, (void)r;
    rig_answer(c, 200, "text/plain; x=y", "hello", 5);
}

static void an_answer_comes_and_the_connection_is_kept(void **state)
{
    struct ask *a = *state;
    a->serve = serve_hello;
    for (int i = 0; i < 3; i++) {
        ask(a, (struct http_spec){.method = "GET"});
        assert_int_equal(a->err, VA_OK);
        assert_int_equal(a->status, 200);
        assert_string_equal(buf_z(&a->body), "hello");
        assert_string_equal(a->type, "text/plain; x=y");
    }
    assert_int_equal(a->server.accepted, 1);
    struct http_counters n;
    http_client_counters(a->client, &n);
    assert_int_equal(n.started, 3);
    assert_int_equal(n.connections, 1);
}

static void a_body_and_headers_go_as_they_are(void **state)
{
    struct ask *a = *state;
    a->serve = serve_hello;
    const struct http_header h[] = {{"Authorization", "Bearer k-123456", true},
                                    {"Content-Type", "application/json", false}};
    ask(a, (struct http_spec){.method = "POST",
                              .url = url(a, "/v1/chat?a=b"),
                              .headers = h,
                              .header_count = 2,
                              .body = str_make("{\0\"a\":1}", 8)});
    const char *seen = buf_z(&a->seen);
    assert_non_null(strstr(seen, "POST /v1/chat?a=b HTTP/1.1"));
    assert_non_null(strstr(seen, "Authorization: Bearer k-123456\r\n"));
    assert_non_null(strstr(seen, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(seen, "Content-Length: 8\r\n"));
    assert_null(strstr(seen, "Expect"));
    assert_memory_equal(a->seen.p + a->seen.len - 8, "{\0\"a\":1}", 8);
}

static void parts_make_a_multipart_body(void **state)
{
    struct ask *a = *state;
    a->serve = serve_hello;
    const struct http_part parts[] = {
        {"file", "turn.wav", "audio/wav", str_make("RI\0FF", 5)},
        {"model", NULL, NULL, STR_LIT("whisper-1")},
    };
    ask(a, (struct http_spec){.method = "POST", .parts = parts, .part_count = 2});
    assert_int_equal(a->err, VA_OK);
    const char *seen = buf_z(&a->seen);
    assert_non_null(strstr(seen, "multipart/form-data; boundary="));
    assert_non_null(memmem(a->seen.p, a->seen.len, "name=\"file\"; filename=\"turn.wav\"", 32));
    assert_non_null(memmem(a->seen.p, a->seen.len, "\r\n\r\nRI\0FF\r\n", 11));
    assert_non_null(memmem(a->seen.p, a->seen.len, "\r\n\r\nwhisper-1\r\n", 15));
}

static void serve_slowly(struct ask *a, struct rig_conn *c, const struct rig_request *r)
{
    (void)a, (void)r;
    rig_sendz(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    rig_chunk(c, "one ", 4);
}

static void say_more(struct ask *a)
{
    if (a->bodies == 1)
        rig_chunk(a->serving, "two", 3);
    else if (a->bodies == 2)
        rig_chunk(a->serving, "", 0);
}

static void a_stream_is_told_as_it_comes(void **state)
{
    struct ask *a = *state;
    a->serve = serve_slowly;
    a->in_body = say_more; /* the server goes on only when the first piece was told */
    ask(a, (struct http_spec){0});
    assert_int_equal(a->err, VA_OK);
    assert_int_equal(a->bodies, 2);
    assert_string_equal(buf_z(&a->body), "one two");
}

static void cancel_it(struct ask *a)
{
    http_cancel(&a->request);
}

static void cancelling_in_a_handler_closes_the_connection(void **state)
{
    struct ask *a = *state;
    a->serve = serve_slowly;
    a->in_body = cancel_it;
    start(a, (struct http_spec){0});
    while (!a->server.closed_by_client)
        loop_turn(a->loop, true);
    assert_int_equal(a->bodies, 1);
    assert_int_equal(a->ends, 0);
    assert_null(a->request);
}

static void cancelling_is_possible_at_every_moment(void **state)
{
    struct ask *a = *state;
    a->serve = serve_slowly;
    for (int turns = 0; turns < 12; turns++) {
        start(a, (struct http_spec){0});
        for (int i = 0; i < turns; i++)
            loop_turn(a->loop, false);
        http_cancel(&a->request);
        assert_int_equal(a->ends, 0);
    }
    start(a, (struct http_spec){.url = "http://localhost.invalid:1/"}); /* in the look-up */
    for (int i = 0; i < 2; i++)
        loop_turn(a->loop, false);
    http_cancel(&a->request);
}

static void serve_status(struct ask *a, struct rig_conn *c, const struct rig_request *r)
{
    (void)a, (void)r;
    rig_sendz(c, "HTTP/1.1 429 Too Many\r\nRetry-After: 3\r\nContent-Length: 24\r\n\r\n"
                 "{\"e\":\"key k-123456 bad\"}");
}

static void an_error_status_has_cause_body_and_pause_but_no_key(void **state)
{
    struct ask *a = *state;
    a->serve = serve_status;
    const struct http_header h[] = {{"Authorization", "Bearer k-123456", true}};
    ask(a, (struct http_spec){.method = "POST", .headers = h, .header_count = 1});
    assert_int_equal(a->err, VA_ELIMIT);
    assert_int_equal(a->status, 429);
    assert_int_equal(a->retry_after_ms, 3000);
    assert_int_equal(a->bodies, 0);
    assert_string_equal(a->error_body, "{\"e\":\"key ******** bad\"}");
    assert_non_null(strstr(a->text, "429"));
}

static int wanted_status;

static void serve_wanted(struct ask *a, struct rig_conn *c, const struct rig_request *r)
{
    (void)a, (void)r;
    rig_answer(c, wanted_status, "text/plain", "why", 3);
}

static void statuses_have_their_errors(void **state)
{
    struct ask *a = *state;
    a->serve = serve_wanted;
    static const struct {
        int status;
        enum va_err err;
    } rows[] = {{201, VA_OK},     {301, VA_EPROTO},    {400, VA_EINVAL}, {401, VA_EAUTH},
                {403, VA_EAUTH},  {404, VA_ENOTFOUND}, {408, VA_EAGAIN}, {422, VA_EINVAL},
                {500, VA_EAGAIN}, {503, VA_EAGAIN}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wanted_status = rows[i].status;
        ask(a, (struct http_spec){0});
        assert_int_equal(a->err, rows[i].err);
        assert_int_equal(a->status, rows[i].status);
        assert_string_equal(a->error_body, rows[i].err ? "why" : "");
        assert_true(rows[i].err == VA_OK || *a->text);
    }
}

static void serve_nothing(struct ask *a, struct rig_conn *c, const struct rig_request *r)
{
    (void)a, (void)c, (void)r;
}

static void serve_and_stall(struct ask *a, struct rig_conn *c, const struct rig_request *r)
{
    (void)a, (void)r;
    rig_sendz(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
}

static void each_deadline_ends_it_and_says_which(void **state)
{
    struct ask *a = *state;
    a->serve = serve_nothing;
    ask(a, (struct http_spec){.first_byte_ms = 20});
    assert_int_equal(a->err, VA_ETIMEOUT);
    assert_non_null(strstr(a->text, "does not answer"));
    a->serve = serve_and_stall;
    ask(a, (struct http_spec){.idle_ms = 20});
    assert_int_equal(a->err, VA_ETIMEOUT);
    assert_non_null(strstr(a->text, "in the middle"));
    assert_string_equal(buf_z(&a->body), "abc");
    a->serve = serve_nothing;
    ask(a, (struct http_spec){.total_ms = 20});
    assert_int_equal(a->err, VA_ETIMEOUT);
    assert_int_equal(a->server.closed_by_client, 3);
}

static void serve_and_drop(struct ask *a, struct rig_conn *c, const struct rig_request *r)
{
    serve_and_stall(a, c, r);
    rig_close(c);
}

static void serve_drop(struct ask *a, struct rig_conn *c, const struct rig_request *r)
{
    (void)a, (void)r;
    rig_close(c);
}

static void serve_garbage(struct ask *a, struct rig_conn *c, const struct rig_request *r)
{
    (void)a, (void)r;
    rig_sendz(c, "SSH-2.0-x\r\n\r\n");
    rig_close(c);
}

static void what_breaks_off_is_an_error(void **state)
{
    struct ask *a = *state;
    a->serve = serve_and_drop;
    ask(a, (struct http_spec){0});
    assert_int_equal(a->err, VA_EIO);
    assert_string_equal(buf_z(&a->body), "abc"); /* what came is told before */
    assert_non_null(strstr(a->text, "in the middle"));
    a->serve = serve_drop;
    ask(a, (struct http_spec){0});
    assert_int_equal(a->err, VA_EIO);
    assert_non_null(strstr(a->text, "without an answer"));
    a->serve = serve_garbage;
    ask(a, (struct http_spec){0});
    assert_int_equal(a->err, VA_EPROTO);
}

static void serve_once(struct ask *a, struct rig_conn *c, const struct rig_request *r)
{
    if (a->server.requests > 1 && a->server.accepted == 1)
        rig_close(c); /* tired of this connection, without a word */
    else
        serve_hello(a, c, r);
}

/* Servers close idle connections when they like, also in the moment in which one is used again. */
static void an_idle_connection_that_went_stale_is_replaced(void **state)
{
    struct ask *a = *state;
    a->serve = serve_once;
    ask(a, (struct http_spec){0});
    assert_int_equal(a->err, VA_OK);
    ask(a, (struct http_spec){.method = "POST", .body = str_of("{}")});
    assert_int_equal(a->err, VA_OK);
    assert_string_equal(buf_z(&a->body), "hello");
    assert_int_equal(a->server.accepted, 2);
    assert_int_equal(a->ends, 1);
}

static void nobody_there_is_said(void **state)
{
    struct ask *a = *state;
    char there[64];
    (void)snprintf(there, sizeof(there), "%s", url(a, "/"));
    tcp_listener_close(&a->server.listener);
    ask(a, (struct http_spec){.url = there});
    assert_int_equal(a->err, VA_EREFUSED);
    assert_non_null(strstr(a->text, "is the server running"));
    ask(a, (struct http_spec){.url = "http://no-such-host.invalid/"});
    assert_true(a->err == VA_ENOTFOUND || a->err == VA_EAGAIN);
    assert_non_null(strstr(a->text, "no-such-host.invalid"));
}

static void names_are_looked_up_once(void **state)
{
    struct ask *a = *state;
    a->serve = serve_hello;
    char there[64];
    (void)snprintf(there, sizeof(there), "http://localhost:%u/", a->server.port);
    for (int i = 0; i < 3; i++) {
        ask(a, (struct http_spec){.url = there});
        assert_int_equal(a->err, VA_OK);
    }
    assert_int_equal(a->server.accepted, 1);
}

static char *big;
enum { BIG = 300000 };

static void serve_big(struct ask *a, struct rig_conn *c, const struct rig_request *r)
{
    (void)a, (void)r;
    rig_answer(c, 200, "x/y", big, BIG);
}

static void an_answer_over_its_bound_ends(void **state)
{
    struct ask *a = *state;
    big = calloc(1, BIG);
    a->serve = serve_big;
    ask(a, (struct http_spec){.response_max = BIG});
    assert_int_equal(a->err, VA_OK);
    assert_int_equal(a->body.len, BIG);
    ask(a, (struct http_spec){.response_max = BIG - 1});
    assert_int_equal(a->err, VA_ELIMIT);
    free(big);
}

static void wrong_requests_are_refused_at_once(void **state)
{
    struct ask *a = *state;
    static const char *const urls[] = {"",
                                       "ftp://a/",
                                       "http://",
                                       "http://u:p@a/",
                                       "http://a b/",
                                       "file:///etc/passwd",
                                       "http://a:99999/"};
    struct http_request *r = NULL;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct http_spec s = {.method = "GET", .url = urls[i]};
        assert_int_equal(http_start(a->client, &s, &handlers, a, &r), VA_EINVAL);
    }
    const struct http_header bad[] = {{"A", "x\r\nB: y", false}};
    struct http_spec s = {.method = "GET", .url = url(a, "/"), .headers = bad, .header_count = 1};
    assert_int_equal(http_start(a->client, &s, &handlers, a, &r), VA_EINVAL);
    struct va_fault fault;
    struct http_client *c = NULL;
    const struct http_client_cfg cfg = {.ca_file = "/no/such.pem"};
    assert_int_equal(http_client_new(a->loop, &cfg, &c, &fault), VA_EINVAL);
    assert_non_null(strstr(fault.text, "/no/such.pem"));
}

/* Requests of one client do not wait for each other. */
static void many_at_once(void **state)
{
    struct ask *a = *state;
    enum { MANY = 10 };
    struct ask other[MANY];
    a->serve = serve_hello;
    memset(other, 0, sizeof(other));
    for (int i = 0; i < MANY; i++) {
        buf_init(&other[i].body, 1000);
        struct http_spec s = {.method = "GET", .url = url(a, "/many")};
        assert_int_equal(http_start(a->client, &s, &handlers, &other[i], &other[i].request), VA_OK);
    }
    unsigned ends = 0;
    while (ends < MANY) {
        loop_turn(a->loop, true);
        ends = 0;
        for (int i = 0; i < MANY; i++)
            ends += other[i].ends;
    }
    for (int i = 0; i < MANY; i++) {
        assert_string_equal(buf_z(&other[i].body), "hello");
        buf_free(&other[i].body);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_answer_comes_and_the_connection_is_kept),
        T(a_body_and_headers_go_as_they_are),
        T(parts_make_a_multipart_body),
        T(a_stream_is_told_as_it_comes),
        T(cancelling_in_a_handler_closes_the_connection),
        T(cancelling_is_possible_at_every_moment),
        T(an_error_status_has_cause_body_and_pause_but_no_key),
        T(statuses_have_their_errors),
        T(each_deadline_ends_it_and_says_which),
        T(what_breaks_off_is_an_error),
        T(an_idle_connection_that_went_stale_is_replaced),
        T(nobody_there_is_said),
        T(names_are_looked_up_once),
        T(an_answer_over_its_bound_ends),
        T(wrong_requests_are_refused_at_once),
        T(many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
