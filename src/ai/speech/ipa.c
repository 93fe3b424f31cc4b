#include "ai/speech/ipa.h"

enum { SEGMENTS_MAX = 96, CHOICES_MAX = 4 };

struct row {
    const char *ipa;
    const char *phones[CHOICES_MAX]; /* best first; "" is a sound left out */
};

/* Longest match wins, so rows of more bytes stand before their beginnings. */
static const struct row rows[] = {
    /* nasal diphthongs and vowels (pt, fr) */
    {"ɐ̃ʊ̃", {"AW", "AW N", "OW N"}},
    {"ɐ̃ɪ̃", {"AY N", "AY"}},
    {"õɪ̃", {"OY N", "OY"}},
    {"oɪ̃", {"OY N", "OY"}},
    {"eɪŋ", {"EY N", "EH N", "EY M"}},
    {"ɐ̃ŋ", {"AH N", "AE N", "AA N"}},
    {"ɐ̃m", {"AH M", "AE M", "AA M"}},
    {"ɐ̃n", {"AH N", "AE N", "AA N"}},
    {"oŋ", {"OW N", "OW M", "OW NG"}},
    {"ũŋ", {"UW N", "UH N", "UW NG"}},
    {"iŋ", {"IY N", "IY NG", "IY"}},
    {"yn", {"IY N", "IH N"}},
    {"ɐ̃", {"AH N", "AE N", "AA N"}},
    {"ɔ̃", {"AO N", "OW N"}},
    {"ɛ̃", {"EH N", "EY N"}},
    {"ɑ̃", {"AA N", "AO N"}},
    {"œ̃", {"AH N", "EH N"}},
    {"ũ", {"UW N", "UH N"}},
    {"ĩ", {"IY N", "IH N"}},
    {"ẽ", {"EY N", "EH N"}},
    {"õ", {"OW N", "AO N"}},
    {"ʊ̃", {"N", "W"}},
    {"ɪ̃", {"N", "Y"}},
    /* r-coloured vowels (en) */
    {"aɪɚ", {"AY ER"}},
    {"aʊɚ", {"AW ER"}},
    {"oːɹ", {"AO R"}},
    {"ɔːɹ", {"AO R"}},
    {"ɑːɹ", {"AA R"}},
    {"ʊɹ", {"UH R"}},
    {"ɛɹ", {"EH R"}},
    {"ɪɹ", {"IH R"}},
    {"ɜː", {"ER"}},
    {"ɝ", {"ER"}},
    {"ɚ", {"ER"}},
    {"ɜ", {"ER"}},
    /* diphthongs */
    {"eɪ", {"EY", "EH"}},
    {"aɪ", {"AY"}},
    {"aʊ", {"AW", "AA UH"}},
    {"oʊ", {"OW"}},
    {"əʊ", {"OW"}},
    {"ɔɪ", {"OY"}},
    {"oɪ", {"OY"}},
    {"uɪ", {"UW IY", "UW Y"}},
    {"iʊ", {"IY W", "IY UH"}},
    {"eʊ", {"EH W", "EH UH"}},
    {"ɛʊ", {"EH W", "EH UH"}},
    {"ɔʊ", {"AO W", "OW"}},
    /* affricates, consonants of two letters */
    {"tʃ", {"CH"}},
    {"dʒ", {"JH"}},
    {"dʑ", {"JH"}},
    {"tɕ", {"CH"}},
    {"ts", {"T S"}},
    {"ɾə", {"R", "D AH", "HH"}}, /* coda "r" */
    {"lj", {"L Y", "L IY"}},
    {"ɲ", {"N Y", "NG Y"}},
    {"ʎ", {"L Y", "L IY"}},
    {"ŋ", {"NG", "N"}},
    {"ʃ", {"SH"}},
    {"ʒ", {"ZH"}},
    {"θ", {"TH"}},
    {"ð", {"DH"}},
    {"ɹ", {"R"}},
    {"ɾ", {"R", "D"}},
    {"ʁ", {"HH", "R"}},
    {"ɣ", {"G"}},
    {"β", {"B", "V"}},
    {"ç", {"HH", "SH"}},
    {"ʔ", {""}},
    {"ɡ", {"G"}},
    {"ɫ", {"L"}},
    {"ʋ", {"V"}},
    {"ɕ", {"SH"}},
    {"ʑ", {"ZH"}},
    {"ʂ", {"SH"}},
    {"ʐ", {"ZH"}},
    {"ɱ", {"M"}},
    /* vowels */
    {"ɑ", {"AA"}},
    {"ɒ", {"AA", "AO"}},
    {"æ", {"AE", "AH", "AA"}},
    {"ɐ", {"AH", "AA"}},
    {"ə", {"AH"}},
    {"ʌ", {"AH"}},
    {"ɛ", {"EH"}},
    {"ɪ", {"IH", "IY"}},
    {"ᵻ", {"IH", "AH"}},
    {"ɨ", {"IH", "AH"}},
    {"ɔ", {"AO", "OW"}},
    {"ʊ", {"UH", "OW", "UW"}},
    {"ʏ", {"Y UH", "IH"}},
    {"ø", {"ER", "EH"}},
    {"œ", {"ER", "EH"}},
    {"a", {"AA", "AH"}},
    {"e", {"EH", "EY"}},
    {"i", {"IY", "IH"}},
    {"o", {"OW", "UH"}},
    {"u", {"UW", "UH"}},
    {"y", {"IY", ""}}, /* pt-br: the faint final "e"; elsewhere a front rounded vowel */
    /* one-letter consonants */
    {"b", {"B"}},
    {"c", {"K"}},
    {"d", {"D"}},
    {"f", {"F"}},
    {"g", {"G"}},
    {"h", {"HH"}},
    {"j", {"Y", "IY"}},
    {"k", {"K"}},
    {"l", {"L"}},
    {"m", {"M"}},
    {"n", {"N"}},
    {"p", {"P"}},
    {"q", {"K"}},
    {"r", {"R", "D", "HH"}},
    {"s", {"S"}},
    {"t", {"T"}},
    {"v", {"V"}},
    {"w", {"W"}},
    {"x", {"HH", "R"}}, /* pt: "rr" and initial "r" */
    {"z", {"Z"}},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Marks that make no sound: stress, length, syllable dots, ties, joiners. */
static size_t mark_len(struct str s)
{
    static const char *const marks[] = {"ˈ", "ˌ", "ː", "ˑ", "‿", "͡", "ʲ", "ʰ", "̩", "̪", "̃"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (str_starts(s, marks[i]))
            return strlen(marks[i]);
    }
    return 0;
}

/* Stress marks may stand inside what a row takes as one sound only at its front, so they go first.
 */
static size_t strip_marks(struct str ipa, char *out, size_t cap)
{
    size_t n = 0;
    while (ipa.len && n + 1 < cap) {
        bool stress = str_starts(ipa, "ˈ") || str_starts(ipa, "ˌ");
        size_t skip = stress ? strlen("ˈ") : 0;
        if (!skip)
            out[n++] = *ipa.p;
        ipa = str_make(ipa.p + (skip ? skip : 1), ipa.len - (skip ? skip : 1));
    }
    return n;
}

static const struct row *match(struct str s)
{
    const struct row *best = NULL;
    for (size_t i = 0; i < ROWS; i++) {
        if (str_starts(s, rows[i].ipa) && (!best || strlen(rows[i].ipa) > strlen(best->ipa)))
            best = &rows[i];
    }
    return best;
}

static size_t segment(struct str s, const struct row *ret_segments[SEGMENTS_MAX])
{
    size_t n = 0;
    while (s.len && n < SEGMENTS_MAX) {
        const struct row *row = match(s);
        size_t step = row ? strlen(row->ipa) : mark_len(s);
        if (row)
            ret_segments[n++] = row;
        step = step ? step : 1;
        s = str_make(s.p + step, s.len - step);
    }
    return n;
}

/* One variant: first choices, but `choice` at segment `at`. */
static bool add_variant(struct buf *out, const struct row *const *segments, size_t n, size_t at,
                        unsigned choice)
{
    size_t from = out->len;
    for (size_t i = 0; i < n; i++) {
        const char *phones = segments[i]->phones[i == at ? choice : 0];
        if (!*phones)
            continue;
        if (out->len > from)
            (void)buf_addc(out, ' ');
        (void)buf_addz(out, phones);
    }
    return out->len > from;
}

enum va_err ipa_to_phones(struct str ipa, struct buf *out)
{
    char text[512];
    const struct row *segments[SEGMENTS_MAX];
    size_t n = segment(str_make(text, strip_marks(ipa, text, sizeof(text))), segments);
    if (n == 0 || !add_variant(out, segments, n, SIZE_MAX, 0))
        return buf_failed(out) ? out->err : VA_ENOTFOUND;
    unsigned made = 1;
    for (unsigned choice = 1; choice < CHOICES_MAX; choice++) {
        for (size_t at = n; at-- > 0 && made < IPA_VARIANTS_MAX;) {
            if (!segments[at]->phones[choice] || (!*segments[at]->phones[choice] && n == 1))
                continue;
            (void)buf_addc(out, '|');
            (void)add_variant(out, segments, n, at, choice);
            made++;
        }
    }
    return out->err;
}
