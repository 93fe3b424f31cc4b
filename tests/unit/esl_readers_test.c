/*
 * The readers of esl/commands.h with texts recorded from FreeSWITCH 1.10.12, cut at every byte and
 * hostile.
 */
#include "esl/commands.h"
#include "esl/event.h"
#include "unit/esl_util.h"

#include <stdio.h>

#define U1 "11111111-2222-3333-4444-555555555555"
#define U2 "u.2_b"

static struct str S(const char *z) {
    return str_of(z);
}

static void
outcome_is(const char *text, enum va_err err, enum esl_outcome outcome, const char *cause)
{
    struct esl_originated o = {.outcome = ESL_OUTCOME_COUNT};
    assert_int_equal(esl_originate_read(*text == '-' ? VA_EREFUSED : VA_OK, S(text), &o), err);
    assert_int_equal(o.outcome, outcome);
    if (cause)
        is_text(o.cause, cause);
}

static void originate_outcomes(void **state)
{
    (void)state;
    struct esl_originated o;
    outcome_is("-ERR USER_NOT_REGISTERED\n", VA_OK, ESL_OFFLINE, "USER_NOT_REGISTERED");
    outcome_is("-ERR SUBSCRIBER_ABSENT\n", VA_OK, ESL_OFFLINE, "SUBSCRIBER_ABSENT");
    outcome_is("-ERR USER_BUSY\n", VA_OK, ESL_BUSY, "USER_BUSY");
    outcome_is("-ERR NO_ANSWER\n", VA_OK, ESL_NO_ANSWER, "NO_ANSWER");
    outcome_is("-ERR CALL_REJECTED\n", VA_OK, ESL_REJECTED, "CALL_REJECTED");
    outcome_is("-ERR DO_NOT_DISTURB\n", VA_OK, ESL_DND, "DO_NOT_DISTURB");
    outcome_is("-ERR UNALLOCATED_NUMBER\n", VA_OK, ESL_NO_ROUTE, "UNALLOCATED_NUMBER");
    outcome_is("-ERR ORIGINATOR_CANCEL\n", VA_OK, ESL_CANCELED, "ORIGINATOR_CANCEL");
    outcome_is("-ERR NORMAL_TEMPORARY_FAILURE\n", VA_OK, ESL_FAILED, "NORMAL_TEMPORARY_FAILURE");
    outcome_is("-USAGE: <call url>\n", VA_EINVAL, ESL_OUTCOME_COUNT, NULL);
    outcome_is("+OK Job-UUID: " U1, VA_EAGAIN, ESL_OUTCOME_COUNT, NULL);
    outcome_is("", VA_EPROTO, ESL_OUTCOME_COUNT, NULL);
    outcome_is("+OK ", VA_EPROTO, ESL_OUTCOME_COUNT, NULL);
    outcome_is("-ERR no reply\n", VA_EPROTO, ESL_OUTCOME_COUNT, NULL);
    assert_int_equal(esl_originate_read(VA_OK, S("+OK " U1 "\n"), &o), VA_OK);
    assert_int_equal(o.outcome, ESL_ANSWERED);
    is_text(o.uuid, U1);
    assert_int_equal(o.cause.len, 0);
    assert_int_equal(esl_originate_read(VA_ECLOSED, (struct str){0}, &o), VA_ECLOSED);
    assert_int_equal(esl_originate_read(VA_ETIMEOUT, (struct str){0}, &o), VA_ETIMEOUT);
    assert_string_equal(esl_outcome_text(ESL_NO_ANSWER), "no answer");
    assert_string_equal(esl_outcome_text((enum esl_outcome)99), "unknown");
}

static void numbers(void **state)
{
    (void)state;
    assert_true(esl_number_ok(S("+49*30#a.b_c-d")));
    static const char *const bad[] = {"", "1,2", "1@x", "1/2", "1 2", "[a]", "1|2", "\xC3\xA4"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(esl_number_ok(S(bad[i])));
    assert_false(esl_number_ok(str_make("1\0", 2)));
}

static void replies(void **state)
{
    (void)state;
    struct str v;
    bool yes = false;
    assert_int_equal(esl_ok_read(VA_OK, S("+OK\n")), VA_OK);
    assert_int_equal(esl_ok_read(VA_EREFUSED, S("-ERR Cannot locate session!\n")), VA_ENOTFOUND);
    assert_int_equal(esl_ok_read(VA_EREFUSED, S("-ERR Invalid uuid\n")), VA_ENOTFOUND);
    assert_int_equal(esl_ok_read(VA_OK, S("-ERROR\n")), VA_EREFUSED);
    assert_int_equal(esl_ok_read(VA_EREFUSED, S("-ERR Operation failed\n")), VA_EREFUSED);
    assert_int_equal(esl_ok_read(VA_EREFUSED, S("-USAGE: <uuid>\n")), VA_EINVAL);
    assert_int_equal(esl_ok_read(VA_EREFUSED, S("-ERR uuid_x Command not found!\n")), VA_ENOTSUP);
    assert_int_equal(esl_ok_read(VA_EREFUSED, S("-ERR No such channel!\n-USAGE: <uuid>\n")),
                     VA_ENOTFOUND);
    assert_int_equal(esl_ok_read(VA_ENOTFOUND, S("x")), VA_ENOTFOUND);
    assert_int_equal(esl_ok_read(VA_ECLOSED, S("+OK")), VA_ECLOSED);
    assert_int_equal(esl_bool_read(VA_OK, S("true"), &yes), VA_OK);
    assert_true(yes);
    assert_int_equal(esl_bool_read(VA_OK, S("false\n"), &yes), VA_OK);
    assert_false(yes);
    assert_int_equal(esl_bool_read(VA_OK, S("tru"), &yes), VA_EPROTO);
    assert_int_equal(esl_bool_read(VA_OK, S(""), &yes), VA_EPROTO);
    assert_int_equal(esl_value_read(VA_EREFUSED, S("-ERR is my value\n"), &v), VA_OK);
    is_text(v, "-ERR is my value\n");
    assert_int_equal(esl_value_read(VA_OK, S("_undef_"), &v), VA_OK);
    assert_null(v.p);
    assert_int_equal(esl_value_read(VA_OK, S("-ERR no reply\n"), &v), VA_OK);
    assert_null(v.p);
    assert_int_equal(esl_value_read(VA_ENOTFOUND, S("-ERR No such channel!\n"), &v), VA_ENOTFOUND);
    assert_int_equal(esl_value_read(VA_EREFUSED, S("-USAGE: <uuid> <var>\n"), &v), VA_EINVAL);
    assert_int_equal(esl_value_read(VA_ETIMEOUT, S(""), &v), VA_ETIMEOUT);
}

/* In memory of its own size, so that the sanitizer sees a read behind it. */
static enum va_err read_rows(struct str s, size_t *ret_count)
{
    char *p = str_dup(s);
    char *exact = s.len ? malloc(s.len) : NULL;
    if (exact)
        memcpy(exact, p, s.len);
    struct esl_rows rows = {0};
    enum va_err err = esl_rows_read(VA_OK, str_make(exact, s.len), &rows);
    struct esl_event *row = esl_event_new();
    size_t n = 0;
    while (!err && esl_rows_next(&rows, row) == VA_OK)
        n += !esl_event_flawed(row);
    if (!err)
        assert_int_equal(n, rows.count);
    *ret_count = n;
    esl_event_free(&row);
    free(exact);
    free(p);
    return err;
}

static const char channels[] =
    "{\"row_count\":2,\"rows\":[{\"uuid\":\"" U1 "\",\"direction\":\"outbound\",\"created\":"
    "\"2026-11-23 22:31:01\",\"name\":\"loopback/9664-a\",\"cid_name\":\"},{\\\"]\\\\\",\"dest\":"
    "\"\"},{\"uuid\":\"" U2 "\",\"cid_name\":\"\\u00e9\"}]}";

static void rows_of_channels(void **state)
{
    (void)state;
    struct esl_rows rows;
    struct esl_event *row = esl_event_new();
    assert_int_equal(esl_rows_read(VA_OK, S(channels), &rows), VA_OK);
    assert_int_equal(rows.count, 2);
    assert_int_equal(esl_rows_next(&rows, row), VA_OK);
    is_text(esl_event_get(row, "uuid"), U1);
    is_text(esl_event_get(row, "cid_name"), "},{\"]\\");
    is_text(esl_event_get(row, "dest"), "");
    assert_int_equal(esl_rows_next(&rows, row), VA_OK);
    is_text(esl_event_get(row, "uuid"), U2);
    is_text(esl_event_get(row, "cid_name"), "\xC3\xA9");
    assert_null(esl_event_get(row, "dest").p);
    assert_int_equal(esl_rows_next(&rows, row), VA_ENOTFOUND);
    assert_int_equal(esl_rows_next(&rows, row), VA_ENOTFOUND);
    esl_event_free(&row);
}

static void rows_cut_anywhere_are_refused(void **state)
{
    (void)state;
    size_t n;
    for (size_t len = 0; len < sizeof(channels) - 1; len++)
        assert_int_equal(read_rows(str_make(channels, len), &n), VA_EPROTO);
    assert_int_equal(read_rows(S(channels), &n), VA_OK);
    assert_int_equal(n, 2);
}

static void rows_odd_and_hostile(void **state)
{
    (void)state;
    size_t n;
    struct esl_rows rows;
    static const char *const bad[] = {
        "",
        "x",
        "[]",
        "{",
        "{\"rows\":}",
        "{\"rows\":[1]}",
        "{\"rows\":[{}{}]}",
        "{\"rows\":[{},]}",
        "{\"rows\":[,{}]}",
        "{\"rows\":{}}",
        "{\"rows\":[{]}]}x",
        "{\"rows\":[\"{}\"]}",
        "{\"a\" 1}",
        "{\"row_count\":0}}",
        "{,\"rows\":[]}",
        "}",
        "{\"rows\"",
        "{\"rows\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
        "{\"rows\":\"x\"}",
        "{\"rows\":[}}",
        "{\"rows\":[{]]}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (read_rows(S(bad[i]), &n) != VA_EPROTO)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(read_rows(S("{\"row_count\": 0}\n"), &n), VA_OK);
    assert_int_equal(n, 0);
    assert_int_equal(read_rows(S(" { \"rows\" : [ { } , { \"a\" : 1 } ] , \"b\" : 2 } \n"), &n),
                     VA_OK);
    assert_int_equal(n, 2);
    assert_int_equal(
        esl_rows_read(VA_EREFUSED, S("-ERR SQL disabled, no data available!\n"), &rows),
        VA_EREFUSED);
}

static const char status[] =
    "UP 1 year, 2 days, 3 hours, 4 minutes, 5 seconds, 6 milliseconds, 234 microseconds\n"
    "FreeSWITCH (Version 1.10.12-release  64bit) is ready\n"
    "2 session(s) since startup\n3 session(s) - peak 4, last 5min 5 \n"
    "6 session(s) per Sec out of max 2000, peak 7, last 5min 8 \n5000 session(s) max\n"
    "min idle cpu 1.50/99.70\n";
static const char status_rest[] = "Current Stack Size/Max 240K/240K\n";

static void status_text(void **state)
{
    (void)state;
    struct esl_status st;
    char *text = NULL;
    assert_true(asprintf(&text, "%s%s", status, status_rest) > 0);
    for (size_t len = 0; len < sizeof(status) - 1; len++)
        assert_int_equal(esl_status_read(VA_OK, str_make(text, len), &st), VA_EPROTO);
    assert_int_equal(esl_status_read(VA_OK, S(status), &st), VA_OK);
    assert_int_equal(esl_status_read(VA_OK, S(text), &st), VA_OK);
    uint64_t s = (uint64_t)(365 + 2) * 86400 + 3 * 3600 + 4 * 60 + 5;
    assert_true(st.uptime_ms == s * 1000 + 6);
    is_text(st.version, "1.10.12-release  64bit");
    assert_true(st.ready);
    assert_int_equal(st.since_start, 2);
    assert_int_equal(st.sessions, 3);
    assert_int_equal(st.peak, 4);
    assert_int_equal(st.peak_5min, 5);
    assert_int_equal(st.rate, 6);
    assert_int_equal(st.rate_max, 2000);
    assert_int_equal(st.rate_peak, 7);
    assert_int_equal(st.rate_peak_5min, 8);
    assert_int_equal(st.sessions_max, 5000);
    assert_true(st.idle_cpu_min > 1.49 && st.idle_cpu_min < 1.51);
    assert_true(st.idle_cpu > 99.69 && st.idle_cpu < 99.71);
    assert_int_equal(esl_status_read(VA_ECLOSED, S(text), &st), VA_ECLOSED);
    char *not_ready = strstr(text, ") is ready");
    memcpy(not_ready, ") is reads", 10);
    assert_int_equal(esl_status_read(VA_OK, S(text), &st), VA_EPROTO);
    free(text);
}

static void reload_text(void **state)
{
    (void)state;
    struct str said;
    assert_int_equal(esl_reloadxml_read(VA_OK, S("+OK [Success]\n"), &said), VA_OK);
    is_text(said, "Success");
    assert_int_equal(esl_reloadxml_read(VA_OK, S("+OK []"), &said), VA_OK);
    is_text(said, "");
    assert_int_equal(esl_reloadxml_read(VA_OK, S("+OK ["), &said), VA_EPROTO);
    assert_int_equal(esl_reloadxml_read(VA_OK, S(""), &said), VA_EPROTO);
}

#define LINE "====================\n"
#define PHONE(call, contact, agent, ip, port)                                                      \
    "Call-ID:    \t" call "\nUser:       \t1001@lab.local\nContact:    \t" contact "\n"            \
    "Agent:      \t" agent "\nStatus:     \tRegistered(UDP)(unknown) EXP(2026-11-23 22:50:00) "    \
    "EXPSECS(59)\nPing-Status:\tReachable\nPing-Time:\t0.00\nHost:       \tvm\n"                   \
    "IP:         \t" ip "\nPort:       \t" port "\nAuth-User:  \t1001\nAuth-Realm: \tlab.local\n"  \
    "MWI-Account:\t1001@lab.local\n\n"

static const char phones[] = "\nRegistrations:\n" LINE PHONE(
    "c1", "\"A\" <sip:1001@127.0.0.1:4711>", "baresip v1.0.0 (x86_64/Linux)", "127.0.0.1", "4711")
    PHONE("c2", "<sip:1001@192.0.2.1>", "Evil EXP(1) EXPSECS(9)", "192.0.2.1",
          "99999") "Total items returned: 2\n";

static void registrations_of_a_user(void **state)
{
    (void)state;
    struct esl_registrations list;
    struct esl_registration reg;
    assert_int_equal(esl_registrations_read(VA_OK, S(phones), &list), VA_OK);
    assert_int_equal(list.count, 2);
    assert_true(esl_registrations_next(&list, &reg));
    is_text(reg.call_id, "c1");
    is_text(reg.user, "1001");
    is_text(reg.domain, "lab.local");
    is_text(reg.contact, "\"A\" <sip:1001@127.0.0.1:4711>");
    is_text(reg.agent, "baresip v1.0.0 (x86_64/Linux)");
    is_text(reg.status, "Registered(UDP)");
    assert_int_equal(reg.expires_s, 59);
    is_text(reg.host, "vm");
    is_text(reg.ip, "127.0.0.1");
    assert_int_equal(reg.port, 4711);
    is_text(reg.auth_user, "1001");
    is_text(reg.auth_realm, "lab.local");
    assert_true(esl_registrations_next(&list, &reg));
    is_text(reg.agent, "Evil EXP(1) EXPSECS(9)");
    assert_int_equal(reg.expires_s, 59);
    assert_int_equal(reg.port, 0);
    assert_false(esl_registrations_next(&list, &reg));
}

static void registrations_cut_or_empty(void **state)
{
    (void)state;
    struct esl_registrations list;
    struct esl_registration reg;
    for (size_t len = 0; len < sizeof(phones) - 1; len++)
        assert_int_equal(esl_registrations_read(VA_OK, str_make(phones, len), &list), VA_EPROTO);
    static const char none[] = "\nRegistrations:\n" LINE "Total items returned: 0\n" LINE "\n";
    assert_int_equal(esl_registrations_read(VA_OK, S(none), &list), VA_OK);
    assert_int_equal(list.count, 0);
    assert_false(esl_registrations_next(&list, &reg));
    assert_int_equal(esl_registrations_read(VA_OK, S("Invalid Profile!\n"), &list), VA_ENOTFOUND);
    assert_int_equal(
        esl_registrations_read(VA_EREFUSED, S("-ERR sofia Command not found!\n"), &list),
        VA_ENOTSUP);
    static const char odd[] = "Registrations:\nUser: \tx\nTotal items returned: 1\n";
    assert_int_equal(esl_registrations_read(VA_OK, S(odd), &list), VA_EPROTO);
}

static void dumps(void **state)
{
    (void)state;
    struct esl_event *ev = esl_event_new();
    struct str dump = S("{\"Event-Name\":\"CHANNEL_DATA\",\"variable_a\":\"b\"}");
    assert_int_equal(esl_dump_read(VA_OK, dump, ev), VA_OK);
    is_text(esl_event_var(ev, "a"), "b");
    for (size_t len = 0; len < dump.len; len++)
        assert_int_equal(esl_dump_read(VA_OK, str_make(dump.p, len), ev), VA_EPROTO);
    assert_int_equal(esl_dump_read(VA_ENOTFOUND, S("-ERR No such channel!\n"), ev), VA_ENOTFOUND);
    esl_event_free(&ev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(originate_outcomes),
        cmocka_unit_test(numbers),
        cmocka_unit_test(replies),
        cmocka_unit_test(rows_of_channels),
        cmocka_unit_test(rows_cut_anywhere_are_refused),
        cmocka_unit_test(rows_odd_and_hostile),
        cmocka_unit_test(status_text),
        cmocka_unit_test(reload_text),
        cmocka_unit_test(registrations_of_a_user),
        cmocka_unit_test(registrations_cut_or_empty),
        cmocka_unit_test(dumps),
    };
    return cmocka_run_group_tests_name("esl_readers", tests, NULL, NULL);
}
