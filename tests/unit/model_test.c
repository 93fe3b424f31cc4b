/* model/: a secretary as data. */
#include "base/str.h"
#include "model/history.h"
#include "model/record.h"
#include "model/secretary.h"

#include "unit/unit.h"

static struct secretary *fresh(void)
{
    struct secretary *s = NULL;
    assert_int_equal(secretary_new(&s), VA_OK);
    assert_int_equal(secretary_set(&s->tenant, "default"), VA_OK);
    assert_int_equal(secretary_set(&s->name, "front"), VA_OK);
    assert_int_equal(secretary_set(&s->language, "pt-BR"), VA_OK);
    return s;
}

static void drop(struct secretary *s)
{
    const struct secretary *last = s;
    secretary_unref(&last);
    assert_null(last);
}

static struct destination *add(struct secretary *s, const char *name, const char *number)
{
    struct destination *d = NULL;
    assert_int_equal(secretary_add_destination(s, &d), VA_OK);
    assert_int_equal(secretary_set(&d->name, name), VA_OK);
    assert_int_equal(secretary_set(&d->number, number), VA_OK);
    return d;
}

static void refused(const struct secretary *s, const char *expected)
{
    struct va_fault fault = {0};
    assert_int_equal(secretary_check(s, &fault), VA_ECONFIG);
    if (!strstr(fault.text, expected))
        fail_msg("\"%s\" says nothing of \"%s\"", fault.text, expected);
}

static void a_new_one_has_its_defaults(void **state)
{
    (void)state;
    struct secretary *s = fresh();
    assert_int_equal(strlen(s->id), UUID_TEXT - 1);
    assert_string_equal(s->greeting, "");
    assert_int_equal(s->silence_ms, 8000);
    assert_int_equal(s->end_silence_ms, 700);
    assert_int_equal(s->record, -1);
    assert_true(s->barge_in && s->enabled);
    assert_int_equal(secretary_check(s, NULL), VA_OK);
    drop(s);
}

static void the_last_reference_frees(void **state)
{
    (void)state;
    struct secretary *s = fresh();
    const struct secretary *other = secretary_ref(s);
    drop(s);
    assert_string_equal(other->name, "front");
    secretary_unref(&other);
    secretary_unref(&other);
    secretary_unref(NULL);
}

static void a_destination_is_found_by_any_of_its_names(void **state)
{
    (void)state;
    struct secretary *s = fresh();
    assert_null(secretary_default_destination(s));
    assert_int_equal(secretary_list_add(&add(s, "vendas", "201")->aliases, "Comercial"), VA_OK);
    add(s, "suporte", "202")->is_default = true;
    assert_string_equal(secretary_find_destination(s, "VENDAS")->number, "201");
    assert_string_equal(secretary_find_destination(s, "comercial")->number, "201");
    assert_null(secretary_find_destination(s, "financeiro"));
    assert_string_equal(secretary_default_destination(s)->number, "202");
    drop(s);
}

static void prompts_are_found_by_key(void **state)
{
    (void)state;
    struct secretary *s = fresh();
    assert_int_equal(secretary_add_prompt(s, "not-understood", "Como?"), VA_OK);
    assert_string_equal(secretary_prompt(s, "not-understood"), "Como?");
    assert_null(secretary_prompt(s, "other"));
    drop(s);
}

static void wrong_fields_are_named(void **state)
{
    (void)state;
    struct secretary *s = fresh();
    s->silence_ms = 5;
    refused(s, "silence_ms=5");
    s->silence_ms = 8000;
    assert_int_equal(secretary_set(&s->language, "Portuguese (Brazil)"), VA_OK);
    refused(s, "language");
    assert_int_equal(secretary_set(&s->language, "pt-BR"), VA_OK);
    assert_int_equal(secretary_set(&s->extension, "80;00"), VA_OK);
    refused(s, "extension");
    assert_int_equal(secretary_set(&s->extension, ""), VA_OK);
    assert_int_equal(secretary_set(&s->greeting, "a\x01"), VA_OK);
    refused(s, "greeting");
    assert_int_equal(secretary_set(&s->greeting, ""), VA_OK);
    assert_int_equal(secretary_set(&s->name, ""), VA_OK);
    refused(s, "name: is missing");
    drop(s);
}

static void wrong_destinations_are_named(void **state)
{
    (void)state;
    struct secretary *s = fresh();
    struct destination *d = add(s, "vendas", "201 ${x}");
    refused(s, "destinations[1].number");
    assert_int_equal(secretary_set(&d->number, "201"), VA_OK);
    d->digit = 'a';
    refused(s, "vendas");
    d->digit = '1';
    d->is_default = true;
    struct topic *t = NULL;
    assert_int_equal(secretary_add_topic(s, &t), VA_OK);
    refused(s, "topics[1]");
    assert_int_equal(secretary_set(&t->name, "horário"), VA_OK);
    assert_int_equal(secretary_set(&t->answer, "Sempre."), VA_OK);
    t->digit = '1';
    refused(s, "already taken");
    t->digit = 0;
    add(s, "suporte", "202")->is_default = true;
    refused(s, "2 are marked default");
    drop(s);
}

static void lists_are_bounded(void **state)
{
    (void)state;
    struct secretary *s = fresh();
    struct destination *d = NULL;
    for (int i = 0; i < SECRETARY_DESTINATIONS_MAX; i++)
        assert_int_equal(secretary_add_destination(s, &d), VA_OK);
    assert_int_equal(secretary_add_destination(s, &d), VA_ELIMIT);
    struct topic *t = NULL;
    for (int i = 0; i < SECRETARY_TOPICS_MAX; i++)
        assert_int_equal(secretary_add_topic(s, &t), VA_OK);
    assert_int_equal(secretary_add_topic(s, &t), VA_ELIMIT);
    for (int i = 0; i < SECRETARY_PROMPTS_MAX; i++)
        assert_int_equal(secretary_add_prompt(s, "k", "v"), VA_OK);
    assert_int_equal(secretary_add_prompt(s, "k", "v"), VA_ELIMIT);
    drop(s);
}

static void outcomes_have_texts(void **state)
{
    (void)state;
    assert_string_equal(call_outcome_text(CALL_TRANSFERRED), "transferred");
    assert_string_equal(call_outcome_text(CALL_OUTCOME_COUNT), "?");
}

static void a_history_keeps_order_and_bounds(void **state)
{
    (void)state;
    struct history *h = NULL;
    assert_int_equal(history_count(NULL), 0);
    assert_int_equal(history_new(&h), VA_OK);
    assert_int_equal(history_add(h, SPEAKER_AGENT, ""), VA_OK);
    assert_int_equal(history_count(h), 0);
    char text[16];
    for (int i = 0; i < HISTORY_LINES_MAX + 5; i++) {
        (void)snprintf(text, sizeof(text), "line %d", i);
        assert_int_equal(history_add(h, i % 2 ? SPEAKER_AGENT : SPEAKER_CALLER, text), VA_OK);
    }
    assert_int_equal(history_count(h), HISTORY_LINES_MAX);
    assert_string_equal(history_at(h, 0).text, "line 5");
    assert_int_equal(history_at(h, 0).speaker, SPEAKER_AGENT);
    assert_string_equal(history_at(h, HISTORY_LINES_MAX - 1).text, "line 132");

    /* One text as large as all: it alone is kept, and cut before a character that does not fit. */
    static char big[HISTORY_BYTES_MAX + 8];
    memset(big, 'a', sizeof(big) - 1);
    memcpy(big + HISTORY_BYTES_MAX - 1, "\xc3\xa9", 2);
    assert_int_equal(history_add(h, SPEAKER_CALLER, big), VA_OK);
    assert_int_equal(history_count(h), 1);
    assert_int_equal(strlen(history_at(h, 0).text), HISTORY_BYTES_MAX - 1);
    history_free(&h);
    history_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_one_has_its_defaults),
        cmocka_unit_test(the_last_reference_frees),
        cmocka_unit_test(a_destination_is_found_by_any_of_its_names),
        cmocka_unit_test(prompts_are_found_by_key),
        cmocka_unit_test(wrong_fields_are_named),
        cmocka_unit_test(wrong_destinations_are_named),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(outcomes_have_texts),
        cmocka_unit_test(a_history_keeps_order_and_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
