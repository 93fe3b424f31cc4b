/* store/: secretaries as YAML. */
#include "store/secretary_admin.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

struct got {
    struct secretary *s[4];
    size_t count;
};

static void on_each(void *arg, struct secretary *s)
{
    struct got *got = arg;
    assert_in_range(got->count, 0, 3);
    got->s[got->count++] = s;
}

static void got_free(struct got *got)
{
    for (size_t i = 0; i < got->count; i++) {
        const struct secretary *s = got->s[i];
        secretary_unref(&s);
    }
    got->count = 0;
}

static void read_ok(const char *text, struct got *got)
{
    struct va_fault fault = {0};
    enum va_err err = secretary_from_yaml("t.yaml", str_of(text), on_each, got, &fault);
    if (err)
        fail_msg("%s", fault.text);
}

/* The text is refused, with this in the message. */
static void refused(const char *text, const char *expected)
{
    struct got got = {{NULL}, 0};
    struct va_fault fault = {0};
    enum va_err err = secretary_from_yaml("t.yaml", str_of(text), on_each, &got, &fault);
    if (err != VA_ECONFIG || !strstr(fault.text, expected))
        fail_msg("%s\n-> %s: \"%s\"\nexpected \"%s\"", text, va_err_name(err), fault.text,
                 expected);
    assert_int_equal(fault.code, err);
    assert_null(strchr(fault.text, '\n'));
    assert_int_equal(got.count, 0);
}

#define HEAD "name: a\nlanguage: en-US\n"

static void every_key_is_read(void **state)
{
    (void)state;
    struct got got = {{NULL}, 0};
    read_ok("id: 6F1C0000-0000-4000-8000-0000000000AB\n"
            "tenant: acme.example\nname: front\nextension: 0800\ncompany: 'ACME: Ltd'\n"
            "language: en-US\nvoice: alloy\ngreeting: Hello\nfarewell: Bye\ninstructions: |\n"
            "  one\n  two\nprovider: openai\nfallbacks: [attendant, echo]\nsilence_ms: 5000\n"
            "silence_prompts: 3\nmax_duration_s: 900\nmessage_max_s: 30\nend_silence_ms: 500\n"
            "protect_ms: 10\nrecord: true\nbarge_in: false\nenabled: no\n"
            "destinations:\n"
            "  - {name: sales, aliases: [buy, '#1'], number: 0201, context: public, digit: 1,\n"
            "     default: true}\n"
            "  - {name: star, number: '*98', digit: '*'}\n"
            "topics: [{name: hours, phrases: [open], answer: Always, digit: '#'}]\n"
            "prompts: {not-understood: Pardon?}\n",
            &got);
    const struct secretary *s = got.s[0];
    assert_string_equal(s->id, "6f1c0000-0000-4000-8000-0000000000ab");
    assert_string_equal(s->tenant, "acme.example");
    assert_string_equal(s->extension, "0800");
    assert_string_equal(s->company, "ACME: Ltd");
    assert_string_equal(s->instructions, "one\ntwo\n");
    assert_int_equal(s->fallbacks.count, 2);
    assert_int_equal(s->silence_ms, 5000);
    assert_int_equal(s->record, 1);
    assert_false(s->barge_in || s->enabled);
    assert_int_equal(s->destination_count, 2);
    assert_string_equal(s->destinations[0].number, "0201");
    assert_string_equal(s->destinations[0].aliases.item[1], "#1");
    assert_string_equal(s->destinations[0].context, "public");
    assert_int_equal(s->destinations[0].digit, '1');
    assert_true(s->destinations[0].is_default);
    assert_string_equal(s->destinations[1].number, "*98");
    assert_int_equal(s->topics[0].digit, '#');
    assert_string_equal(secretary_prompt(s, "not-understood"), "Pardon?");
    got_free(&got);
}

static void what_is_left_out_has_its_default(void **state)
{
    (void)state;
    struct got got = {{NULL}, 0};
    read_ok("--- {name: a, language: pt-BR}\n--- {name: b, language: pt-BR, record: auto}\n", &got);
    assert_int_equal(got.count, 2);
    assert_string_equal(got.s[0]->tenant, "default");
    assert_int_equal(got.s[0]->silence_ms, 8000);
    assert_int_equal(got.s[1]->record, -1);
    assert_true(got.s[0]->enabled);
    assert_string_not_equal(got.s[0]->id, got.s[1]->id);
    got_free(&got);
}

static void mistakes_are_named_with_line_and_remedy(void **state)
{
    (void)state;
    refused("name: a\nlangage: en-US\n", "t.yaml:2: unknown key \"langage\"");
    refused("name: a\nlangage: en-US\n", "nearest is \"language\"");
    refused(HEAD "destinations:\n  - name: x\n    nummer: 2\n", "t.yaml:5: unknown key \"nummer\"");
    refused(HEAD "silence_ms: soon\n", "t.yaml:3: silence_ms: expected a whole number");
    refused(HEAD "silence_ms: 99999999999\n", "silence_ms: expected a whole number");
    refused(HEAD "silence_ms: 1.5\n", "silence_ms: expected a whole number");
    refused(HEAD "barge_in: maybe\n", "t.yaml:3: barge_in: expected true or false");
    refused(HEAD "barge_in: auto\n", "barge_in: expected true or false");
    refused(HEAD "record: maybe\n", "record: expected true, false or auto");
    refused(HEAD "greeting: [a]\n", "t.yaml:3: greeting: expected a text");
    refused(HEAD "fallbacks: a\n", "t.yaml:3: fallbacks: expected a list");
    refused(HEAD "fallbacks: [[a]]\n", "fallbacks: expected a list of texts");
    refused(HEAD "fallbacks: [1,2,3,4,5,6,7,8,9]\n", "fallbacks: too many entries");
    refused(HEAD "topics: {a: b}\n", "topics: expected a list");
    refused(HEAD "topics: [a]\n", "expected the keys of a topic");
    refused(HEAD "prompts: [a]\n", "prompts: expected");
    refused(HEAD "prompts: {a: b, a: c}\n", "\"a\" is given twice");
    refused(HEAD "name: b\n", "t.yaml:3: name: is already given in line 1");
    refused("[a]: b\n", "t.yaml:1: expected a key of a secretary");
    refused(HEAD "id: 12\n", "id: expected a UUID");
    refused("", "holds no secretary");
    refused("# nothing\n", "holds no secretary");
    refused("just text", "t.yaml:1: expected the keys of a secretary");
    refused("--- {name: a, language: en}\n--- {name: A, language: en}\n", "in this file twice");
}

static void what_yaml_would_hide_is_refused(void **state)
{
    (void)state;
    refused(HEAD "extension: #1\n", "t.yaml:3: extension: has no value");
    refused(HEAD "company: ~\n", "company: has no value");
    refused(HEAD "extension: *98\n", "must be in quotes");
    refused(HEAD "extension: *\n", "must be in quotes");
    refused(HEAD "company: &co x\n", "anchors are not supported");
    refused(HEAD "company: !!str x\n", "tags are not supported");
    refused(HEAD "company: \"a\\0b\"\n", "NUL");
    refused("name: a\n\tlanguage: b\n", "t.yaml:2:");
    refused("name: \"a\n", "t.yaml:");
    refused("name: \xff\xfe\n", "UTF-8");
    char deep[2100];
    memset(deep, '[', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = 0;
    refused(deep, "t.yaml:1:");
}

static void the_model_s_check_gets_a_line(void **state)
{
    (void)state;
    refused("name: a\n\nsilence_ms: 5\nlanguage: en\n", "t.yaml:3: silence_ms=5");
    refused("---\nname: a\n", "language");
    refused(HEAD "extension: \"a\\nb\"\n", "t.yaml:3: extension");
    refused(HEAD "\n\ndestinations: [{name: x}]\n", "t.yaml:5: destinations[1].number");
    refused(HEAD "destinations: [{name: x, number: 1, digit: 2},\n {name: y, number: 1, digit: 2}]",
            "already taken");
}

static void too_much_is_refused(void **state)
{
    (void)state;
    struct got got = {{NULL}, 0};
    struct va_fault fault = {0};
    char *big = calloc(1, SECRETARY_YAML_MAX + 1);
    struct str text = str_make(big, SECRETARY_YAML_MAX + 1);
    assert_int_equal(secretary_from_yaml("big", text, on_each, &got, &fault), VA_ELIMIT);
    free(big);
    struct buf many;
    buf_init(&many, SECRETARY_YAML_MAX);
    for (int i = 0; i <= SECRETARY_YAML_DOCUMENTS_MAX; i++)
        buf_addf(&many, "--- {name: a%d, language: en}\n", i);
    assert_int_equal(secretary_from_yaml("many", buf_str(&many), on_each, &got, &fault), VA_ELIMIT);
    assert_int_equal(got.count, 0);
    buf_free(&many);
}

static const char *const odd[] = {
    "0800",
    "#1",
    "*98",
    "a: b",
    "- a",
    "yes",
    "null",
    "~",
    "\"quoted\"",
    "it's",
    " lead",
    "trail ",
    "a\nb",
    "a\nb\n",
    "a\n\n\nb",
    "\n\na",
    "a\n\n",
    "a \n b",
    "tab\there",
    "\\n",
    "%YAML 1.1",
    "---",
    "...",
    "{a: b}",
    "[a]",
    "!tag",
    "&anchor",
    "@at",
    "`tick",
    "|",
    ">",
    "ação 日本 😀",
    "a\xc2\x85"
    "b\nc",
    "x\xe2\x80\xa8y\nz",
    "\x7f",
    "a # b",
    "# a\n# b",
    "--- a\nb",
    "a\n---\nb",
    "a\n...\nb\n",
    "1e3",
    "0x10",
    "\xef\xbb\xbf"
    "bom",
    "?",
    "k: v\nl: w",
    "a:\n  b\n",
    "-",
    "trail\n ",
};

static void assert_same_text(const char *a, const char *b)
{
    assert_string_equal(a, b);
}

/* Out, in again, and out: the same. */
static void round_trip(const struct secretary *s)
{
    struct buf first, second;
    struct got got = {{NULL}, 0};
    buf_init(&first, SECRETARY_YAML_MAX);
    buf_init(&second, SECRETARY_YAML_MAX);
    assert_int_equal(secretary_to_yaml(s, &first), VA_OK);
    read_ok(buf_z(&first), &got);
    assert_int_equal(got.count, 1);
    assert_int_equal(secretary_to_yaml(got.s[0], &second), VA_OK);
    assert_same_text(buf_z(&first), buf_z(&second));
    const struct secretary *t = got.s[0];
    assert_same_text(s->greeting, t->greeting);
    assert_same_text(s->instructions, t->instructions);
    assert_same_text(s->id, t->id);
    for (size_t i = 0; i < s->prompt_count; i++)
        assert_same_text(s->prompts[i].text, secretary_prompt(t, s->prompts[i].key));
    for (size_t i = 0; i < s->topic_count; i++) {
        assert_same_text(s->topics[i].answer, t->topics[i].answer);
        assert_same_text(s->topics[i].phrases.item[0], t->topics[i].phrases.item[0]);
        assert_int_equal(s->topics[i].digit, t->topics[i].digit);
    }
    buf_free(&first);
    buf_free(&second);
    got_free(&got);
}

static void odd_texts_survive_the_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct secretary *s = NULL;
        struct topic *t = NULL;
        assert_int_equal(secretary_new(&s), VA_OK);
        assert_int_equal(secretary_set(&s->tenant, "default"), VA_OK);
        assert_int_equal(secretary_set(&s->name, odd[i]), VA_OK);
        assert_int_equal(secretary_set(&s->language, "pt-BR"), VA_OK);
        assert_int_equal(secretary_set(&s->greeting, odd[i]), VA_OK);
        assert_int_equal(secretary_set(&s->instructions, odd[i]), VA_OK);
        assert_int_equal(secretary_add_prompt(s, odd[i], odd[i]), VA_OK);
        assert_int_equal(secretary_add_topic(s, &t), VA_OK);
        assert_int_equal(secretary_set(&t->name, odd[i]), VA_OK);
        assert_int_equal(secretary_set(&t->answer, odd[i]), VA_OK);
        assert_int_equal(secretary_list_add(&t->phrases, odd[i]), VA_OK);
        t->digit = "#*05"[i % 4];
        s->record = (int32_t)(i % 3) - 1;
        const struct secretary *made = s;
        round_trip(made);
        secretary_unref(&made);
    }
}

static void the_defaults_are_complete(void **state)
{
    (void)state;
    const struct secretary *pt = NULL, *en = NULL;
    struct va_fault fault = {0};
    assert_int_equal(secretary_defaults(&pt, &en), VA_OK);
    assert_int_equal(secretary_check(pt, &fault), VA_OK);
    assert_int_equal(secretary_check(en, &fault), VA_OK);
    assert_string_equal(pt->name, "recepcao");
    assert_string_equal(pt->extension, "8000");
    assert_string_equal(pt->greeting,
                        "Olá, você ligou para a Empresa Exemplo. Eu sou a secretária virtual. Diga "
                        "com quem quer falar: vendas, suporte ou financeiro. Ou diga recado para "
                        "deixar uma mensagem.");
    assert_string_equal(secretary_default_destination(pt)->number, "200");
    assert_string_equal(secretary_find_destination(pt, "boleto")->number, "203");
    assert_string_equal(en->name, "reception");
    assert_string_equal(en->extension, "8001");
    assert_string_equal(secretary_find_destination(en, "Billing")->number, "203");
    assert_int_equal(pt->topic_count, 2);
    assert_int_equal(en->topic_count, 2);
    round_trip(pt);
    round_trip(en);
    secretary_unref(&pt);
    secretary_unref(&en);
}

static void a_text_that_is_not_utf8_is_not_written(void **state)
{
    (void)state;
    struct secretary *s = NULL;
    struct buf out;
    buf_init(&out, SECRETARY_YAML_MAX);
    assert_int_equal(secretary_new(&s), VA_OK);
    assert_int_equal(secretary_set(&s->greeting, "\xff"), VA_OK);
    assert_int_equal(secretary_to_yaml(s, &out), VA_EINVAL);
    buf_free(&out);
    buf_init(&out, 10);
    assert_int_equal(secretary_set(&s->greeting, "hi"), VA_OK);
    assert_int_equal(secretary_to_yaml(s, &out), VA_ELIMIT);
    const struct secretary *made = s;
    secretary_unref(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(mistakes_are_named_with_line_and_remedy),
        cmocka_unit_test(what_yaml_would_hide_is_refused),
        cmocka_unit_test(the_model_s_check_gets_a_line),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(odd_texts_survive_the_round_trip),
        cmocka_unit_test(the_defaults_are_complete),
        cmocka_unit_test(a_text_that_is_not_utf8_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
