/* ai/speech: words, pronunciations, networks: all that happens before a sound is decoded. */
#include "ai/speech/cmudict.h"
#include "ai/speech/ipa.h"
#include "ai/speech/lang.h"
#include "ai/speech/net.h"
#include "ai/speech/pron.h"
#include "ai/speech/words.h"

#include "unit/unit.h"

#include <signal.h>
#include <stdlib.h>

static const char model[] = "/usr/share/pocketsphinx/model/en-us";

static void expect_words(const char *text, const char *words)
{
    struct buf out;
    buf_init(&out, 4096);
    words_normalise(text, &out);
    assert_string_equal(buf_z(&out), words);
    buf_free(&out);
}

static void text_becomes_words(void **state)
{
    (void)state;
    expect_words("  Suporte-TÉCNICO! ", "suporte técnico");
    expect_words("São Paulo, 2ª via (boleto)", "são paulo 2 via boleto");
    expect_words("I'd like O’Brien's 'office'", "i'd like o'brien's office");
    expect_words("a\xff\xc3(b) \xe2\x80\x9cx\xe2\x80\x9d", "a b x");
    expect_words(" ...!? ", "");
    expect_words("", "");
}

static void accents_fold(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 256);
    words_fold(str_of("horário ação über"), &out);
    assert_string_equal(buf_z(&out), "horario acao uber");
    buf_free(&out);
}

static void expect_phones(const char *ipa, const char *first)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(ipa_to_phones(str_of(ipa), &out), VA_OK);
    struct str rest = buf_str(&out), phones = str_cut(&rest, '|');
    if (!str_eqz(phones, first))
        print_error("%s: %.*s, not %s\n", ipa, STR_ARG(phones), first);
    assert_true(str_eqz(phones, first));
    unsigned variants = 1;
    for (; rest.len; variants++)
        (void)str_cut(&rest, '|');
    assert_in_range(variants, 1, IPA_VARIANTS_MAX);
    buf_free(&out);
}

static void ipa_becomes_phones_of_the_model(void **state)
{
    (void)state;
    expect_phones("vˈeɪŋdæs", "V EY N D AE S");
    expect_phones("tˈɛknikʊ", "T EH K N IY K UH");
    expect_phones("ʒoˈɐ̃ʊ̃", "ZH OW AW");
    expect_phones("xˌekˈadʊ", "HH EH K AA D UH");
    expect_phones("sˈiŋ", "S IY N");
    expect_phones("fˈiljʊ", "F IY L Y UH");
    expect_phones("wˈɛlɪŋtən", "W EH L IH NG T AH N");
    expect_phones("səpˈoːɹt", "S AH P AO R T");
    expect_phones("bɔɪ", "B OY");
    struct buf out;
    buf_init(&out, 256);
    assert_int_equal(ipa_to_phones(str_of(""), &out), VA_ENOTFOUND);
    assert_int_equal(ipa_to_phones(str_of("ˈˌ ?"), &out), VA_ENOTFOUND);
    buf_free(&out);
}

static bool phone_exists(struct str phone)
{
    static const char all[] = " AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW "
                              "OY P R S SH T TH UH UW V W Y Z ZH ";
    char padded[8] = " ";
    (void)memcpy(padded + 1, phone.p, phone.len < 4 ? phone.len : 4);
    padded[1 + (phone.len < 4 ? phone.len : 4)] = ' ';
    return phone.len > 0 && strstr(all, padded) != NULL;
}

static void expect_real_phones(const char *word, struct str variants)
{
    while (variants.len) {
        struct str variant = str_cut(&variants, '|');
        while (variant.len) {
            struct str phone = str_cut(&variant, ' ');
            if (!phone_exists(phone))
                print_error("%s: no phone \"%.*s\"\n", word, STR_ARG(phone));
            assert_true(phone_exists(phone));
        }
    }
}

static void tables_are_spelled_with_real_phones(void **state)
{
    (void)state;
    const struct lang *langs[] = {&lang_pt, &lang_en};
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < langs[i]->word_count; k++)
            expect_real_phones(langs[i]->words[k].word, str_of(langs[i]->words[k].prons));
}

static void languages_choose_voices(void **state)
{
    (void)state;
    char voice[32];
    static const char *const pairs[][2] = {{"pt-BR", "pt-br"}, {"en-US", "en-us"}, {"en", "en-us"},
                                           {"pt", "pt-br"},    {"de-DE", "de"},    {"fr", "fr"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        lang_espeak_voice(pairs[i][0], voice, sizeof(voice));
        assert_string_equal(voice, pairs[i][1]);
    }
    assert_ptr_equal(lang_find("pt-PT"), &lang_pt);
    assert_int_equal(lang_find("xx")->word_count, 0);
    assert_non_null(lang_word_prons(&lang_pt, str_of("horario"))); /* typed without its accent */
    assert_null(lang_word_prons(&lang_pt, str_of("paralelepípedo")));
}

static void the_english_dictionary_has_its_variants(void **state)
{
    (void)state;
    struct cmudict *dict = NULL;
    struct va_fault fault = {VA_OK, ""};
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(
        cmudict_load("/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict", &dict, &fault),
        VA_OK);
    assert_int_equal(cmudict_lookup(dict, str_of("sales"), &out), VA_OK);
    assert_string_equal(buf_z(&out), "S EY L Z");
    buf_reset(&out);
    assert_int_equal(cmudict_lookup(dict, str_of("a"), &out), VA_OK);
    assert_string_equal(buf_z(&out), "AH|EY");
    assert_int_equal(cmudict_lookup(dict, str_of("gonçalves"), &out), VA_ENOTFOUND);
    cmudict_free(&dict);
    buf_free(&out);
    assert_int_equal(cmudict_load("/nonexistent/x.dict", &dict, &fault), VA_ENOTFOUND);
    assert_non_null(strstr(fault.text, "/nonexistent/x.dict"));
    assert_non_null(strstr(fault.text, "pocketsphinx-en-us"));
}

/* The line of a word in the output of pron_words(). */
static struct str line_of(const struct buf *lines, const char *word)
{
    for (struct str rest = buf_str(lines); rest.len;) {
        struct str line = str_cut(&rest, '\n');
        struct str head = str_cut(&line, '\t');
        if (str_eqz(head, word))
            return line;
    }
    return str_make(NULL, 0);
}

static void any_name_can_be_pronounced(void **state)
{
    (void)state;
    struct pron *pron = NULL;
    struct va_fault fault = {VA_OK, ""};
    struct buf lines;
    buf_init(&lines, 1 << 20);
    assert_int_equal(pron_new(model, "espeak-ng", &pron, &fault), VA_OK);
    static const char text[] = "vendas joão gonçalves wellington xuxa vendas 201 dr";
    for (int again = 0; again < 2; again++) { /* the second time from memory */
        buf_reset(&lines);
        assert_int_equal(pron_words(pron, "pt-BR", str_of(text), &lines), VA_OK);
        static const char *const words[] = {"vendas",     "joão", "gonçalves",
                                            "wellington", "xuxa", "201"};
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            assert_true(line_of(&lines, words[i]).len > 0);
            expect_real_phones(words[i], line_of(&lines, words[i]));
        }
    }
    buf_reset(&lines);
    assert_int_equal(pron_words(pron, "en-US", str_of("sales gonçalves zxqwyfoo"), &lines), VA_OK);
    assert_true(str_eqz(line_of(&lines, "sales"), "S EY L Z"));
    assert_true(line_of(&lines, "gonçalves").len > 0);
    buf_free(&lines);
    pron_free(&pron);
}

static void without_espeak_only_known_words_are_left(void **state)
{
    (void)state;
    struct pron *pron = NULL;
    struct va_fault fault = {VA_OK, ""};
    struct buf lines;
    buf_init(&lines, 1 << 20);
    assert_int_equal(pron_new(model, "/nonexistent/espeak-ng", &pron, &fault), VA_OK);
    assert_int_equal(pron_words(pron, "pt-BR", str_of("vendas gonçalves"), &lines), VA_OK);
    assert_true(line_of(&lines, "vendas").len > 0);
    assert_int_equal(line_of(&lines, "gonçalves").len, 0);
    buf_free(&lines);
    pron_free(&pron);
}

static bool has_all_but_x(void *arg, const char *label)
{
    (void)arg;
    return !str_eqz(net_label_word(label, NET_PHRASE), "x");
}

static void grammars_become_networks(void **state)
{
    (void)state;
    const struct asr_phrase phrases[] = {
        {1, "Suporte"}, {2, "suporte técnico"}, {3, "x"}, {4, "x vendas"}};
    struct asr_grammar *g = NULL;
    struct net net;
    assert_int_equal(asr_grammar_new("de-DE", phrases, 4, &g), VA_OK);
    assert_int_equal(net_build(&net, g, has_all_but_x, NULL), VA_OK);
    assert_int_equal(net.phrases, 2);
    assert_int_equal(net.word_count, 2); /* "suporte" is shared */
    net_free(&net);
    assert_int_equal(grammar_find(g, str_of("suporte técnico"))->tag, 2);
    assert_null(grammar_find(g, str_of("técnico")));
    asr_grammar_unref(&g);
    assert_int_equal(asr_grammar_new("de-DE", phrases + 2, 1, &g), VA_OK);
    assert_int_equal(net_build(&net, g, has_all_but_x, NULL), VA_ENOTFOUND);
    asr_grammar_unref(&g);
    assert_true(str_eqz(net_label_word("pt-br=vendas(2)", NET_PHRASE), "vendas"));
    assert_int_equal(net_label_word("pt-br+falar", NET_PHRASE).len, 0);
}

static void wrong_grammars_are_refused(void **state)
{
    (void)state;
    struct asr_grammar *g = NULL;
    const struct asr_phrase good = {1, "sim"}, blank = {1, " ?! "}, negative = {-1, "sim"};
    assert_int_equal(asr_grammar_new("pt-BR", &good, 0, &g), VA_EINVAL);
    assert_int_equal(asr_grammar_new("pt-BR", &blank, 1, &g), VA_EINVAL);
    assert_int_equal(asr_grammar_new("pt-BR", &negative, 1, &g), VA_EINVAL);
    assert_int_equal(asr_grammar_new("pt-BR", &good, ASR_PHRASES_MAX + 1, &g), VA_EINVAL);
    assert_int_equal(asr_grammar_new(NULL, &good, 1, &g), VA_EINVAL);
    assert_null(g);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as main() does: a helper may die before it reads */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_words),
        cmocka_unit_test(accents_fold),
        cmocka_unit_test(ipa_becomes_phones_of_the_model),
        cmocka_unit_test(tables_are_spelled_with_real_phones),
        cmocka_unit_test(languages_choose_voices),
        cmocka_unit_test(the_english_dictionary_has_its_variants),
        cmocka_unit_test(any_name_can_be_pronounced),
        cmocka_unit_test(without_espeak_only_known_words_are_left),
        cmocka_unit_test(grammars_become_networks),
        cmocka_unit_test(wrong_grammars_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
