/*
 * esl/escape: round trip through a model of FreeSWITCH's un-escaping, written from esl.md §1.9:
 * text is cut at a separator outside quotes and escapes; each part loses blanks at its ends, quotes
 * that are not escaped, and one level of escapes. uuid_setvar does that once, originate three
 * times: at blanks, at commas, at the equals sign.
 */
#include "base/rand.h"
#include "esl/escape.h"
#include "unit/esl_util.h"

/* First part up to an unescaped, unquoted `sep`; *rest is behind it. */
static struct str part(struct str *rest, char sep)
{
    bool quoted = false;
    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->p[i];
        if (c == '\\')
            i++;
        else if (c == '\'')
            quoted = !quoted;
        else if (c == sep && !quoted) {
            struct str head = str_make(rest->p, i);
            *rest = str_make(rest->p + i + 1, rest->len - i - 1);
            return head;
        }
    }
    struct str head = *rest;
    *rest = str_make(rest->p + rest->len, 0);
    return head;
}

/* One cleaning: blanks at the ends go, \n \r \t \s \\ \' and \sep are resolved, bare quotes go. */
static void clean(struct str s, char sep, struct buf *out)
{
    size_t keep = out->len; /* length behind the last byte that was escaped or is not blank */
    while (s.len && s.p[0] == ' ')
        s = str_make(s.p + 1, s.len - 1);
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        static const char from[] = "nrts\\'", to[] = "\n\r\t \\'";
        const char *at = c == '\\' && i + 1 < s.len ? strchr(from, s.p[i + 1]) : NULL;
        if (at && *at) {
            buf_addc(out, to[at - from]);
            i++;
        } else if (c == '\\' && i + 1 < s.len && s.p[i + 1] == sep) {
            buf_addc(out, sep);
            i++;
        } else if (c == '\'') {
            continue;
        } else {
            buf_addc(out, c);
            if (c == ' ')
                continue;
        }
        keep = out->len;
    }
    out->len = keep;
}

/* switch_strip_whitespace() over the line that a value ends. */
static struct str stripped(struct str s)
{
    while (s.len && memchr("\r\n\t \v", s.p[s.len - 1], 5))
        s.len--;
    return s;
}

static struct str random_text(char *p, size_t max)
{
    static const char nasty[] = "\\'\"\n\r\t ,=|;:^[]<>{}#$%&aZ9\xC3\xA9\xFF\x7F\x01\v\f";
    size_t len = rand_below((uint32_t)max);
    for (size_t i = 0; i < len; i++)
        p[i] = nasty[rand_below(sizeof(nasty) - 1)];
    return str_make(p, len);
}

static void setvar_round_trip(void **state)
{
    (void)state;
    char text[40];
    for (int i = 0; i < 20000; i++) {
        struct str v = random_text(text, sizeof(text));
        struct buf b, back;
        buf_init(&b, 1000);
        buf_init(&back, 1000);
        assert_int_equal(esl_escape_setvar(&b, v), VA_OK);
        assert_true(esl_line_ok(buf_str(&b)));
        clean(stripped(buf_str(&b)), 0, &back);
        assert_true(str_eq(buf_str(&back), v));
        buf_free(&b);
        buf_free(&back);
    }
}

/* Value of k2 in "k1=…,k2=…,k3=…" after the three cuts. */
static void originate_read(struct str braces, struct buf *ret_value)
{
    struct buf one, two;
    buf_init(&one, 100000);
    buf_init(&two, 100000);
    clean(part(&braces, ' '), ' ', &one);
    assert_int_equal(braces.len, 0);
    struct str pairs = buf_str(&one);
    (void)part(&pairs, ',');
    clean(part(&pairs, ','), ',', &two);
    is_text(pairs, "k3=z");
    struct str value = buf_str(&two);
    is_text(part(&value, '='), "k2");
    clean(value, '=', ret_value);
    buf_free(&one);
    buf_free(&two);
}

static void originate_round_trip(void **state)
{
    (void)state;
    char text[40];
    int sent = 0;
    for (int i = 0; i < 20000; i++) {
        struct str v = random_text(text, sizeof(text));
        struct buf b, back;
        buf_init(&b, 10000);
        buf_init(&back, 10000);
        buf_addz(&b, "k1=a,k2=");
        enum va_err err = esl_escape_originate(&b, v);
        assert_true(err == VA_OK || err == VA_ENOTSUP);
        if (!err) {
            sent++;
            buf_addz(&b, ",k3=z");
            assert_true(esl_line_ok(buf_str(&b)));
            assert_null(memchr(b.p, ' ', b.len));
            originate_read(buf_str(&b), &back);
            assert_true(str_eq(buf_str(&back), v));
        }
        buf_free(&b);
        buf_free(&back);
    }
    assert_true(sent > 2000);
}

static void originate_refuses_what_cannot_be_expressed(void **state)
{
    (void)state;
    static const char *const bad[] = {"{",   "}",      "}{",       "a:_:b",      "${x}",
                                      "a{b", "$\\{x}", "$\\\\{x}", "ARRAY::a|:b"};
    struct buf b;
    buf_init(&b, 1000);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(esl_escape_originate(&b, str_of(bad[i])), VA_ENOTSUP);
    assert_int_equal(esl_escape_originate(&b, str_make("\0", 1)), VA_EINVAL);
    assert_int_equal(esl_escape_setvar(&b, str_make("\0", 1)), VA_EINVAL);
    assert_int_equal(b.len, 0);
    assert_int_equal(esl_escape_originate(&b, str_of("{a}")), VA_OK);
    is_text(buf_str(&b), "{a}");
    buf_free(&b);
    buf_init(&b, 10);
    assert_int_equal(esl_escape_setvar(&b, str_of("''''''")), VA_ELIMIT);
    buf_free(&b);
}

static void setvar_refuses_what_would_become_an_array(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(esl_escape_setvar(&b, str_of("ARRAY::a")), VA_ENOTSUP);
    assert_int_equal(esl_escape_multi(&b, str_of("ARRAY::a|:b")), VA_ENOTSUP);
    assert_int_equal(esl_escape_multi(&b, str_of("$\\{a}")), VA_ENOTSUP);
    assert_int_equal(b.len, 0);
    assert_int_equal(esl_escape_setvar(&b, str_of("x ARRAY::a")), VA_OK);
    is_text(buf_str(&b), "x ARRAY::a");
    buf_free(&b);
}

/* FreeSWITCH takes any command that has both words in its first line for an order to reload. */
static void no_value_reloads_the_event_socket(void **state)
{
    (void)state;
    static enum va_err (*const all[])(struct buf *, struct str) = {
        esl_escape_setvar, esl_escape_multi, esl_escape_arg, esl_escape_originate};
    struct str evil = str_of("please UNload Mod_Event_Socket, reload mod_event_socket");
    assert_true(esl_line_reloads(evil));
    assert_false(esl_line_reloads(str_of("mod_event_socket load")));
    assert_false(esl_line_reloads(str_of("reload mod_event_socke")));
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct buf b;
        buf_init(&b, 1000);
        assert_int_equal(all[i](&b, evil), VA_OK);
        assert_false(esl_line_reloads(buf_str(&b)));
        buf_free(&b);
    }
}

static void arguments(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(esl_escape_arg(&b, (struct str){0}), VA_EINVAL);
    assert_int_equal(esl_escape_arg(&b, str_make("a\0", 2)), VA_EINVAL);
    assert_int_equal(esl_escape_arg(&b, str_of("/a b/'c\\\n\v")), VA_OK);
    is_text(buf_str(&b), "/a\\sb/\\'c\\\\\\n\v''");
    buf_free(&b);
    buf_init(&b, 1000);
    assert_int_equal(esl_escape_multi(&b, str_of(" a;b=c ")), VA_OK);
    is_text(buf_str(&b), "\\sa\\;b=c\\s");
    buf_free(&b);
}

static void validators(void **state)
{
    (void)state;
    assert_true(esl_line_ok(str_of("a b")));
    assert_true(esl_line_ok((struct str){0}));
    assert_false(esl_line_ok(str_of("a\n")));
    assert_false(esl_line_ok(str_make("a\0", 2)));
    assert_true(esl_uuid_ok(str_of("3abdb281-748b-4ac1-9acc-4ad9243fddd1")));
    assert_false(esl_uuid_ok(str_of("")));
    assert_false(esl_uuid_ok(str_of("a b")));
    assert_true(esl_word_ok(str_of("sip_h_X-Foo.bar")));
    assert_false(esl_word_ok(str_of("a,b")));
    assert_false(esl_word_ok(str_of("")));
    assert_true(esl_arg_expands(str_of("x $${a}")));
    assert_true(esl_arg_expands(str_of("x $\\\\{a}")));
    assert_false(esl_arg_expands(str_of("5$ {a}")));
    assert_false(esl_word_ok(str_of("^^ab")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setvar_round_trip),
        cmocka_unit_test(originate_round_trip),
        cmocka_unit_test(originate_refuses_what_cannot_be_expressed),
        cmocka_unit_test(setvar_refuses_what_would_become_an_array),
        cmocka_unit_test(no_value_reloads_the_event_socket),
        cmocka_unit_test(arguments),
        cmocka_unit_test(validators),
    };
    return cmocka_run_group_tests_name("esl_escape", tests, NULL, NULL);
}
