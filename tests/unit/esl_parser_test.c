/* esl/parser: the cases of esl.md §5 that concern the stream, named after them. Each stream is fed
 * whole, one byte at a time and cut in two at every place. */
#include "unit/esl_util.h"

#define NOTICE                                                                                     \
    "Content-Type: text/disconnect-notice\nContent-Length: 39\n\n"                                 \
    "killed listener because of lost events\n"

static struct trace cuts(const char *z)
{
    return trace_all_cuts(str_of(z), true);
}

static void gives(const char *stream, const char *want)
{
    struct trace t = cuts(stream);
    if (!strstr(buf_z(&t.text), want))
        fail_msg("no [%s] in [%s]", want, buf_z(&t.text));
    buf_free(&t.text);
}

static void case_1_many_messages_in_one_read(void **state)
{
    (void)state;
    struct trace t = cuts("Content-Type: auth/request\n\n"
                          "Content-Type: command/reply\nReply-Text: +OK accepted\n\n"
                          "Content-Type: api/response\nContent-Length: 5\n\n\n\na\n\n"
                          "Content-Length: 19\nContent-Type: text/event-plain\n\n"
                          "Event-Name: DTMF\n\n\n"
                          "Content-Type: log/data\nContent-Length: 2\nUser-Data: \n\nhi"
                          "Content-Type: no/such-thing\nContent-Length: 3\n\nxyz"
                          "Content-Type: text/rude-rejection\nContent-Length: 24\n\n"
                          "Access Denied, go away.\n"
                          "Content-Type: api/response\nContent-Length: 0\n\n");
    assert_int_equal(t.messages, 8);
    assert_int_equal(t.err, VA_OK);
    buf_free(&t.text);
}

static void case_1_linear_time(void **state)
{
    (void)state;
    /* A head without end and a body of 32 MiB, in pieces of 7 bytes: quadratic work would not end.
     */
    struct buf b;
    buf_init(&b, (size_t)64 << 20);
    buf_addf(&b, "Content-Type: api/response\nContent-Length: %d\n", 16 << 20);
    for (int i = 0; i < 90000; i++)
        buf_addz(&b, "X: y\n\r");
    buf_addz(&b, "\n\n");
    for (int i = 0; i < 1 << 20; i++)
        buf_addz(&b, "0123456789abcd\n\n");
    struct trace t = trace_stream(buf_str(&b), 0, 7, NULL);
    assert_int_equal(t.messages, 1);
    buf_free(&t.text);
    buf_free(&b);
}

static void case_2_connect_reply(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_addz(&b, "Event-Name: CHANNEL_DATA\nUnique-ID: u\n");
    for (int i = 0; i < 4000; i++)
        buf_addf(&b, "variable_v%d: a%%20b%%3A%d\n", i, i);
    buf_addz(&b, "variable_a: b: x\nContent-Type: command/reply\nReply-Text: %2BOK%0A\n"
                 "Socket-Mode: async\nControl: full\n\n");
    assert_true(b.len > 65536);
    struct trace t = trace_all_cuts(buf_str(&b), false);
    assert_int_equal(t.messages, 1);
    assert_non_null(strstr(t.text.p, "  [variable_v3999]=[a b:3999]\n"));
    assert_non_null(strstr(t.text.p, "  [variable_a: b]=[x]\n"));
    assert_non_null(strstr(t.text.p, "  [Reply-Text]=[+OK\n]\n"));
    buf_free(&t.text);
    buf_free(&b);
}

static bool check_raw_reply(void *arg, const struct esl_message *m)
{
    assert_false(esl_message_is_channel_data(m));
    is_text(esl_message_reply_text(m), arg);
    return true;
}

static void reply_is(const char *stream, const char *text)
{
    char want[128];
    struct esl_parser *p = NULL;
    (void)str_copy(want, sizeof(want), str_of(text));
    assert_int_equal(esl_parser_new(NULL, check_raw_reply, want, &p), VA_OK);
    assert_int_equal(esl_parser_feed(p, stream, strlen(stream)), VA_OK);
    assert_int_equal(esl_parser_pending(p), 0);
    esl_parser_free(&p);
}

static void case_3_reply_text_is_raw(void **state)
{
    (void)state;
    reply_is("Content-Type: command/reply\nReply-Text: +OK filter added. [x]=[100%FF]\n\n",
             "+OK filter added. [x]=[100%FF]");
    reply_is("Content-Type: command/reply\nReply-Text: %2BOK\n\n", "%2BOK");
    reply_is("Content-Type: command/reply\nReply-Text:\n\n", "");
    reply_is("\n\nCONTENT-TYPE: command/reply\nreply-text:+OK\n\n", "+OK");
}

static enum va_err feed(const char *stream, const struct esl_parser_cfg *cfg)
{
    struct trace t = trace_stream(str_of(stream), 0, 0, cfg);
    struct trace bytes = trace_stream(str_of(stream), 0, 1, cfg);
    enum va_err err = t.err;
    trace_same(&bytes, t);
    buf_free(&bytes.text);
    return err;
}

static void case_11_lengths_are_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {"-5", "+5", "5x", "", " 5", "0x5", "5 "};
    char head[200];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        (void)snprintf(head, sizeof(head), "Content-Type: api/response\nContent-Length: %s\n\n",
                       bad[i]);
        assert_int_equal(feed(head, NULL), VA_EPROTO);
    }
    static const struct esl_parser_cfg big = {0, (size_t)1 << 30};
    static const struct esl_parser_cfg small = {64, 10};
    assert_int_equal(feed("Content-Type: a/b\nContent-Length: 9223372036854775808\n\n", &big),
                     VA_ELIMIT);
    assert_int_equal(feed("Content-Type: a/b\nContent-Length: 99999999999999999999\n\n", &big),
                     VA_ELIMIT);
    assert_int_equal(feed("Content-Type: a/b\nContent-Length: 67108865\n\n", NULL), VA_ELIMIT);
    assert_int_equal(feed("Content-Type: a/b\nContent-Length: 67108865\n\n", &big), VA_OK);
    assert_int_equal(feed("Content-Type: a/b\nContent-Length: 11\n\n", &small), VA_ELIMIT);
    assert_int_equal(feed("Content-Type: a/b\nContent-Length: 1\nContent-Length: 1\n\nx", NULL),
                     VA_EPROTO);
    assert_int_equal(feed("Content-Length: 1\n\nx", NULL), VA_EPROTO);
    assert_int_equal(feed("GET / HTTP/1.1\nHost: x\n\n", NULL), VA_EPROTO);
    assert_int_equal(
        feed("Content-Type: a/b\nX: 01234567890123456789012345678901234567890123456\n\n", &small),
        VA_ELIMIT);
}

static void case_15_glued_userauth_reply(void **state)
{
    (void)state;
    struct trace t =
        cuts("Content-Type: command/reply\nReply-Text: +OK accepted\n"
             "Allowed-Events: all\nAllowed-API: status echContent-Type: api/response\n"
             "Content-Length: 2\n\nhiContent-Type: command/reply\nReply-Text: +OK\n\n");
    assert_int_equal(t.messages, 3);
    assert_int_equal(t.err, VA_OK);
    assert_non_null(strstr(t.text.p, "Allowed-API: status ech2:"));
    buf_free(&t.text);
    /* But a raw text of somebody else cannot begin a message. */
    t = cuts("Content-Type: command/reply\nReply-Text: +OK filter [Content-Type: api/response]\n\n"
             "Content-Type: command/reply\nReply-Text: +OK\n\n");
    assert_int_equal(t.messages, 2);
    buf_free(&t.text);
}

static bool count(void *arg, const struct esl_message *m)
{
    (void)m;
    ++*(int *)arg;
    return true;
}

static void case_15_quiet_time_ends_it_too(void **state)
{
    (void)state;
    static const char cut[] =
        "Content-Type: command/reply\nReply-Text: +OK accepted\nAllowed-API: st";
    struct esl_parser *p = NULL;
    int n = 0;
    assert_int_equal(esl_parser_new(NULL, count, &n, &p), VA_OK);
    assert_int_equal(esl_parser_feed(p, cut, 30), VA_OK);
    esl_parser_settle(p);
    assert_int_equal(n, 0);
    assert_int_equal(esl_parser_feed(p, cut + 30, sizeof(cut) - 31), VA_OK);
    esl_parser_settle(p);
    esl_parser_settle(p);
    assert_int_equal(n, 1);
    assert_int_equal(esl_parser_feed(p, "Content-Type: command/reply\n\n", 29), VA_OK);
    assert_int_equal(n, 2);
    esl_parser_free(&p);
}

static void case_17_notices(void **state)
{
    (void)state;
    static const struct {
        const char *head, *body;
        enum esl_notice want;
    } t[] = {
        {"Content-Disposition: linger\n", "", ESL_NOTICE_LINGER},
        {"Content-Disposition: disconnect\n", "Disconnected, goodbye.\n", ESL_NOTICE_DISCONNECT},
        {"", "killed listener because of lost log lines\n", ESL_NOTICE_KILLED},
        {"", "The system is being shut down.\n", ESL_NOTICE_SHUTDOWN}};
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct esl_message m = {ESL_MSG_NOTICE, ESL_PLAIN, str_of(t[i].head), str_of(t[i].body),
                                false};
        assert_int_equal(esl_message_notice(&m), t[i].want);
    }
}

static void case_17_notice_spliced_into_a_message(void **state)
{
    (void)state;
    assert_int_equal(ESL_MSG_NOTICE, 5);
    static const char found[] = "5:0:1 head 56 body 3";
    /* in the body, with much and with little of the event missing */
    gives("Content-Length: 900\nContent-Type: text/event-plain\n\nEvent-Name: A\nEvent-" NOTICE,
          found);
    gives("Content-Length: 60\nContent-Type: text/event-plain\n\nEvent-Name: A\nEvent-" NOTICE,
          found);
    gives("Content-Length: 115\nContent-Type: text/event-plain\n\nEvent-Name: A\nEvent-" NOTICE,
          found);
    gives("Content-Length: 21\nContent-Type: text/event-plain\n\nEvent-Name: A\nEvent-" NOTICE,
          found);
    /* in the header lines */
    gives("Content-Length: 9\nContent-" NOTICE, found);
    gives("Content-Length: 312" NOTICE, found);
    gives("Content-Length: 312\n" NOTICE, found);
    gives("Content-Type: command/reply\nReply-Text: +O" NOTICE, found);
}

static void case_17_eof_without_notice(void **state)
{
    (void)state;
    struct trace t = cuts("Content-Length: 900\nContent-Type: text/event-plain\n\nEvent-Name: A\n");
    assert_int_equal(t.messages, 0);
    buf_free(&t.text);
    /* rubbish that looks like a splice does not pile up */
    struct buf b;
    buf_init(&b, 100000);
    buf_addz(&b, "Content-Length: 9\nContent-" NOTICE);
    while (b.len < 8000)
        buf_addz(&b, "more and more");
    t = trace_all_cuts(buf_str(&b), false);
    assert_int_equal(t.messages, 0);
    assert_int_equal(t.err, VA_EPROTO);
    buf_free(&t.text);
    buf_free(&b);
}

static bool stop(void *arg, const struct esl_message *m)
{
    (void)m;
    ++*(int *)arg;
    return false;
}

static void a_handler_can_stop_it(void **state)
{
    (void)state;
    static const char two[] = "Content-Type: a/b\n\nContent-Type: a/b\n\n";
    struct esl_parser *p = NULL;
    int n = 0;
    assert_int_equal(esl_parser_new(NULL, stop, &n, &p), VA_OK);
    assert_int_equal(esl_parser_feed(p, two, sizeof(two) - 1), VA_ECANCELED);
    assert_int_equal(esl_parser_feed(p, two, sizeof(two) - 1), VA_ECANCELED);
    esl_parser_end(p);
    assert_int_equal(n, 1);
    esl_parser_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_1_many_messages_in_one_read),
        cmocka_unit_test(case_1_linear_time),
        cmocka_unit_test(case_2_connect_reply),
        cmocka_unit_test(case_3_reply_text_is_raw),
        cmocka_unit_test(case_11_lengths_are_strict),
        cmocka_unit_test(case_15_glued_userauth_reply),
        cmocka_unit_test(case_15_quiet_time_ends_it_too),
        cmocka_unit_test(case_17_notices),
        cmocka_unit_test(case_17_notice_spliced_into_a_message),
        cmocka_unit_test(case_17_eof_without_notice),
        cmocka_unit_test(a_handler_can_stop_it),
    };
    return cmocka_run_group_tests_name("esl_parser", tests, NULL, NULL);
}
