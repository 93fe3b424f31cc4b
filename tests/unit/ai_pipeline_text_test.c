/* The pipeline's texts: sentences, markup, thoughts, unfinished words; all without I/O, all cut at
 * every byte where they come in pieces. */
#include "unit/unit.h"

#include "ai/pipeline/sentence.h"
#include "ai/pipeline/speakable.h"
#include "ai/pipeline/unfinished.h"

/* ---- sentences --------------------------------------------------------------------------------
 */

static void take_all(struct sentence *s, bool last, struct buf *out)
{
    struct buf one;
    buf_init(&one, 4096);
    while (sentence_next(s, last, &one)) {
        assert_true(one.len > 0 && one.len <= SENTENCE_MAX);
        (void)buf_addf(out, "<%s>", buf_z(&one));
    }
    buf_free(&one);
}

static void sentences(const char *text, const char *expect)
{
    size_t len = strlen(text);
    for (size_t cut = 0; cut <= len + 1; cut++) {
        struct sentence s;
        struct buf out;
        buf_init(&out, 65536);
        sentence_init(&s);
        for (size_t at = 0; at < len;) {
            size_t n = cut > len ? 1 : at < cut ? cut - at : len - at;
            assert_int_equal(sentence_add(&s, str_make(text + at, n)), VA_OK);
            take_all(&s, false, &out);
            at += n;
        }
        take_all(&s, true, &out);
        assert_string_equal(buf_z(&out), expect);
        sentence_free(&s);
        buf_free(&out);
    }
}

static void sentences_end_at_their_marks(void **state)
{
    (void)state;
    sentences("Olá! Tudo bem? Sim. Claro", "<Olá!><Tudo bem?><Sim.><Claro>");
    sentences("Um momento... já vejo. Pronto", "<Um momento...><já vejo.><Pronto>");
    sentences("Espere… volto já", "<Espere…><volto já>");
    sentences("He said \"Go.\" Then he went.", "<He said \"Go.\"><Then he went.>");
    sentences("Was? (Ja!) Gut", "<Was?><(Ja!)><Gut>");
    sentences("one\ntwo\n\nthree", "<one><two><three>");
    sentences("  \n ", "");
    sentences("", "");
    sentences("Really?! Yes.", "<Really?!><Yes.>");
    sentences("Ele disse: “Vou.” E foi.", "<Ele disse: “Vou.”><E foi.>");
}

static void dots_inside_are_no_ends(void **state)
{
    (void)state;
    sentences("O Sr. Silva e a Dra. Ana estão. Certo.",
              "<O Sr. Silva e a Dra. Ana estão.><Certo.>");
    sentences("Fica na Av. Paulista, ap. 12. Venha.", "<Fica na Av. Paulista, ap. 12.><Venha.>");
    sentences("Mr. J. Smith is in. OK.", "<Mr. J. Smith is in.><OK.>");
    sentences("Custa R$ 3.500,00 hoje. Ok", "<Custa R$ 3.500,00 hoje.><Ok>");
    sentences("At 12.5 percent. Fine", "<At 12.5 percent.><Fine>");
    sentences("See example.com for it. Bye", "<See example.com for it.><Bye>");
    sentences("1. Vendas\n2. Suporte", "<1. Vendas><2. Suporte>");
    sentences("Abre às 8. Fecha às 18.", "<Abre às 8.><Fecha às 18.>");
    sentences("Fruit, e.g. apples. Yes.", "<Fruit, e.g. apples.><Yes.>");
}

static void the_first_may_end_at_a_comma_when_it_is_long(void **state)
{
    (void)state;
    sentences(
        "Claro que sim, com todo o prazer eu vou verificar agora mesmo para o senhor aqui no "
        "sistema deles, um instante. E depois disso, veremos.",
        "<Claro que sim, com todo o prazer eu vou verificar agora mesmo para o senhor aqui no "
        "sistema deles,><um instante.><E depois disso, veremos.>");
}

static void endless_ones_are_cut_between_words_and_never_in_a_character(void **state)
{
    (void)state;
    struct sentence s;
    struct buf out, one;
    buf_init(&out, 1 << 20);
    buf_init(&one, 4096);
    sentence_init(&s);
    for (int i = 0; i < 300; i++)
        assert_int_equal(sentence_add(&s, str_of(i % 2 ? "ação " : "não ")), VA_OK);
    for (int i = 0; i < 600; i++)
        assert_int_equal(sentence_add(&s, str_of("é")), VA_OK);
    unsigned count = 0;
    while (sentence_next(&s, true, &one)) {
        assert_true(one.len <= SENTENCE_MAX);
        assert_true(((unsigned char)*one.p & 0xC0) != 0x80);
        count++;
    }
    assert_true(count >= 7);
    sentence_free(&s);
    buf_free(&one);
    buf_free(&out);
}

/* ---- markup -----------------------------------------------------------------------------------
 */

static void speaks(const char *text, const char *expect)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(speakable_add(&out, str_of(text)), VA_OK);
    assert_string_equal(buf_z(&out), expect);
    buf_free(&out);
}

static void markup_is_not_spoken(void **state)
{
    (void)state;
    speaks("**Abrimos** às _9h_.", "Abrimos às 9h.");
    speaks("## Horário", "Horário");
    speaks("- um", "um");
    speaks("* dois", "dois");
    speaks("> citado", "citado");
    speaks("Veja [o site](https://x.y/z?a=b).", "Veja o site.");
    speaks("a [b] c", "a [b] c");
    speaks("Use `snake_case` aqui", "Use snake_case aqui");
    speaks("Tudo bem! 😀👍🏽 ✅ Sim", "Tudo bem! Sim");
    speaks("a\n\n b\t c", "a b c");
    speaks("~~não~~ sim", "não sim");
    speaks("R$ 5 - 3 = 2", "R$ 5 - 3 = 2");
    speaks("“Olá” – disse", "“Olá” – disse");
    speaks("", "");
    assert_false(speakable_has_words(str_of("... !? 😀")));
    assert_true(speakable_has_words(str_of("é")));
    assert_true(speakable_has_words(str_of("5")));
}

static void filtered(const char *text, const char *expect)
{
    size_t len = strlen(text);
    for (size_t cut = 0; cut <= len; cut++) {
        struct reasoning r = {.inside = false};
        struct buf out;
        buf_init(&out, 4096);
        assert_int_equal(reasoning_filter(&r, str_make(text, cut), &out), VA_OK);
        assert_int_equal(reasoning_filter(&r, str_make(text + cut, len - cut), &out), VA_OK);
        assert_int_equal(reasoning_end(&r, &out), VA_OK);
        assert_string_equal(buf_z(&out), expect);
        buf_free(&out);
    }
}

static void thoughts_are_not_spoken(void **state)
{
    (void)state;
    filtered("<think>The caller < wants</b> it.</think>Olá!", "Olá!");
    filtered("a<Thinking>b</THINKING>c<think>d", "ac");
    filtered("2 < 3 <b>x</b> <th", "2 < 3 <b>x</b> <th");
    filtered("<<think>x</think>>", "<>");
    filtered("<think></think>", "");
}

/* ---- unfinished -------------------------------------------------------------------------------
 */

static void words_that_end_in_the_middle(void **state)
{
    (void)state;
    static const struct {
        const char *language, *text;
        bool marks, unfinished;
    } rows[] = {
        {"pt-BR", "Eu queria falar com", true, true},
        {"pt-BR", "Eu queria falar com.", true, true}, /* recognisers put one at every pause */
        {"pt-BR", "Eu queria falar com a Ana.", true, false},
        {"pt-BR", "Eu queria falar com a Ana", false, false},
        {"pt-BR", "Eu queria falar com a Ana", true, true},
        {"pt-BR", "meu número é,", true, true},
        {"pt-BR", "meu número é 5511", true, false},
        {"pt-BR", "Que horas são?", true, false},
        {"pt-BR", "Com quem?", true, false},
        {"pt-BR", "bom, então...", true, true},
        {"pt-BR", "espere…", true, true},
        {"pt-BR", "É À", false, true},
        {"en-US", "I would like to", false, true},
        {"en-US", "I would like to.", true, true},
        {"en-US", "Sales, please.", true, false},
        {"de-DE", "ich möchte mit", false, false},
        {"de-DE", "ich möchte mit,", false, true},
        {"pt-BR", "", true, false},
        {"pt-BR", "   ", true, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (text_unfinished(rows[i].language, str_of(rows[i].text), rows[i].marks) !=
            rows[i].unfinished)
            fail_msg("\"%s\"", rows[i].text);
}

static void sounds_of_listening(void **state)
{
    (void)state;
    static const struct {
        const char *language, *text;
        bool listening;
    } rows[] = {
        {"pt-BR", "Aham.", true},
        {"pt-BR", "uhum, sei", true},
        {"pt-BR", "Ahã", true},
        {"pt-BR", "aham, mas eu", false},
        {"pt-BR", "não", false},
        {"pt-BR", "", false},
        {"pt-BR", "...", false},
        {"en-US", "Mm-hmm.", true},
        {"en-US", "yeah yeah", true},
        {"en-US", "no", false},
        {"en-US", "okay, stop", false},
        {"de-DE", "aham", false},
        {"pt-BR", "sim sim sim sim", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (text_backchannel(rows[i].language, str_of(rows[i].text)) != rows[i].listening)
            fail_msg("\"%s\"", rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_end_at_their_marks),
        cmocka_unit_test(dots_inside_are_no_ends),
        cmocka_unit_test(the_first_may_end_at_a_comma_when_it_is_long),
        cmocka_unit_test(endless_ones_are_cut_between_words_and_never_in_a_character),
        cmocka_unit_test(markup_is_not_spoken),
        cmocka_unit_test(thoughts_are_not_spoken),
        cmocka_unit_test(words_that_end_in_the_middle),
        cmocka_unit_test(sounds_of_listening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
