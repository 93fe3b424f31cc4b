#include "ai/speech/lang.h"

#include "ai/speech/words.h"

#include <ctype.h>

static const char *const none[] = {NULL};
static const struct lang other = {
    .tag = "", .espeak = "", .greetings = none, .lead_ins = none, .politely = none};
static const struct lang *const langs[] = {&lang_pt, &lang_en};

static struct str primary(const char *tag)
{
    struct str s = str_make(tag, strcspn(tag, "-_"));
    return s;
}

const struct lang *lang_find(const char *tag)
{
    for (size_t i = 0; i < sizeof(langs) / sizeof(langs[0]); i++) {
        if (str_ieqz(primary(tag), langs[i]->tag))
            return langs[i];
    }
    return &other;
}

/* Voices of espeak-ng 1.51 whose name has a region; all others go by the primary subtag. */
static const char *const regional[] = {"pt-br",  "en-us", "en-gb", "en-029",
                                       "es-419", "fr-be", "fr-ch", "zh-yue"};

void lang_espeak_voice(const char *tag, char *out, size_t cap)
{
    char low[32];
    (void)str_copy(low, sizeof(low), str_of(tag));
    for (char *p = low; *p; p++)
        *p = *p == '_' ? '-' : (char)tolower((unsigned char)*p);
    struct str pick = primary(low);
    for (size_t i = 0; i < sizeof(regional) / sizeof(regional[0]); i++) {
        if (strcmp(low, regional[i]) == 0)
            pick = str_of(low);
    }
    if (strcmp(low, "en") == 0 || strcmp(low, "pt") == 0)
        pick = str_of(lang_find(low)->espeak);
    (void)str_copy(out, cap, pick);
}

static const char *find(const struct lang *lang, struct str word, bool folded)
{
    for (size_t i = 0; i < lang->word_count; i++) {
        struct buf plain;
        buf_init(&plain, 256);
        if (folded)
            words_fold(str_of(lang->words[i].word), &plain);
        bool same = folded ? str_eq(buf_str(&plain), word) : str_eqz(word, lang->words[i].word);
        buf_free(&plain);
        if (same)
            return lang->words[i].prons;
    }
    return NULL;
}

const char *lang_word_prons(const struct lang *lang, struct str word)
{
    const char *prons = find(lang, word, false);
    return prons ? prons : find(lang, word, true);
}
