#include "ai/pipeline/unfinished.h"

#include <ctype.h>

enum { WORD_MAX = 24, LISTENING_WORDS_MAX = 3 };

static const char *const pt_open[] = {
    "e",    "ou",    "mas",    "porque",   "que",     "se",    "quando", "como", "com",  "sem",
    "de",   "do",    "da",     "dos",      "das",     "para",  "pra",    "pro",  "por",  "pelo",
    "pela", "em",    "no",     "na",       "nos",     "nas",   "um",     "uma",  "o",    "a",
    "os",   "as",    "ao",     "à",        "meu",     "minha", "seu",    "sua",  "tipo", "então",
    "é",    "sobre", "entre",  "até",      "assim",   "hum",   "ah",     "este", "esta", "esse",
    "essa", "quero", "queria", "gostaria", "preciso", NULL};
static const char *const en_open[] = {
    "and",  "or",    "but",   "because", "that", "if",   "when", "how", "with", "without", "of",
    "the",  "a",     "an",    "to",      "for",  "from", "in",   "on",  "at",   "by",      "my",
    "your", "our",   "is",    "are",     "so",   "like", "um",   "uh",  "er",   "about",   "want",
    "need", "would", "could", "can",     "i",    "it's", "i'm",  "and", NULL};
static const char *const pt_listening[] = {"aham", "ahã",  "uhum", "hum",     "hm", "hmm",   "ah",
                                           "ã",    "hã",   "sei",  "tá",      "ta", "certo", "isso",
                                           "ok",   "okay", "sim",  "entendi", "uh", NULL};
static const char *const en_listening[] = {"uh-huh", "uhhuh", "mm-hmm", "mhm", "mmhmm", "hmm",
                                           "hm",     "mm",    "uh",     "huh", "yeah",  "yep",
                                           "right",  "ok",    "okay",   "ah",  "oh",    NULL};

/* Words of two languages; NULL for others. */
static const char *const *table(const char *language, const char *const *pt, const char *const *en)
{
    if (str_starts(str_of(language), "pt"))
        return pt;
    return str_starts(str_of(language), "en") || !*language ? en : NULL;
}

/* Lower case also of the accented letters of Latin-1: C3 80 … C3 9E. */
static size_t lower(struct str word, char out[static WORD_MAX + 1])
{
    if (word.len > WORD_MAX)
        return 0;
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.p[i];
        bool accented = i > 0 && (unsigned char)word.p[i - 1] == 0xC3 && c >= 0x80 && c <= 0x9E;
        out[i] = accented ? (char)(c + 0x20) : (char)tolower(c);
    }
    return word.len;
}

static bool in_table(const char *const *words, struct str word)
{
    char low[WORD_MAX + 1];
    size_t len = lower(word, low);
    for (; len && words && *words; words++)
        if (str_eqz(str_make(low, len), *words))
            return true;
    return false;
}

static bool part_of_word(char c)
{
    return isalnum((unsigned char)c) || (c & 0x80) || c == '\'' || c == '-';
}

static struct str last_word(struct str t)
{
    while (t.len && !part_of_word(t.p[t.len - 1]))
        t.len--;
    size_t from = t.len;
    while (from > 0 && part_of_word(t.p[from - 1]))
        from--;
    return str_make(t.p + from, t.len - from);
}

bool text_unfinished(const char *language, struct str text, bool punctuates)
{
    text = str_trim(text);
    if (!text.len)
        return false;
    if (str_ends(text, ",") || str_ends(text, "...") || str_ends(text, "\xe2\x80\xa6") ||
        str_ends(text, "-") || str_ends(text, ":"))
        return true;
    if (str_ends(text, "?") || str_ends(text, "!"))
        return false;
    if (in_table(table(language, pt_open, en_open), last_word(text)))
        return true;
    char last = text.p[text.len - 1];
    return punctuates && last != '.' && !isdigit((unsigned char)last);
}

bool text_backchannel(const char *language, struct str text)
{
    const char *const *words = table(language, pt_listening, en_listening);
    unsigned count = 0;
    for (size_t i = 0; i < text.len;) {
        size_t from = i;
        while (i < text.len && part_of_word(text.p[i]))
            i++;
        if (i > from &&
            (!in_table(words, str_make(text.p + from, i - from)) || ++count > LISTENING_WORDS_MAX))
            return false;
        while (i < text.len && !part_of_word(text.p[i]))
            i++;
    }
    return count > 0;
}
