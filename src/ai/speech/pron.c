#include "ai/speech/pron.h"

#include "ai/speech/cmudict.h"
#include "ai/speech/helper.h"
#include "ai/speech/ipa.h"
#include "ai/speech/lang.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { SLOTS = 4096, REMEMBERED_MAX = 20000, TEXT_MAX = 1 << 20, WORD_MAX = 64, ESPEAK_MS = 3000 };

/* A word that espeak-ng pronounced. */
struct heard {
    struct heard *next;
    const char *prons; /* into text; "" when it is unpronounceable */
    char text[];       /* "pt-br:word" NUL "PRONS" NUL */
};

struct pron {
    struct cmudict *cmudict;
    char *espeak;
    uv_mutex_t lock; /* guards what follows */
    struct heard *slots[SLOTS];
    size_t count;
};

enum va_err pron_new(const char *model_dir, const char *espeak, struct pron **ret_pron,
                     struct va_fault *fault)
{
    struct pron *p = calloc(1, sizeof(*p));
    if (!p || !(p->espeak = str_dup(str_of(espeak))) || uv_mutex_init(&p->lock)) {
        free(p ? p->espeak : NULL);
        free(p);
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    }
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/cmudict-en-us.dict", model_dir);
    enum va_err err = cmudict_load(path, &p->cmudict, fault);
    if (err) {
        pron_free(&p);
        return err;
    }
    *ret_pron = p;
    return VA_OK;
}

static void forget_all(struct pron *p)
{
    for (size_t i = 0; i < SLOTS; i++) {
        while (p->slots[i]) {
            struct heard *next = p->slots[i]->next;
            free(p->slots[i]);
            p->slots[i] = next;
        }
    }
    p->count = 0;
}

void pron_free(struct pron **pp)
{
    struct pron *p = pp ? *pp : NULL;
    if (!p)
        return;
    *pp = NULL;
    forget_all(p);
    uv_mutex_destroy(&p->lock);
    cmudict_free(&p->cmudict);
    free(p->espeak);
    free(p);
}

static struct heard **slot_of(struct pron *p, const char *key)
{
    uint32_t h = 2166136261U;
    for (const char *c = key; *c; c++)
        h = (h ^ (unsigned char)*c) * 16777619U;
    return &p->slots[h % SLOTS];
}

static void make_key(char *out, size_t cap, const char *voice, struct str word)
{
    (void)snprintf(out, cap, "%s:%.*s", voice, STR_ARG(word));
}

/* @return true when the word was heard before; its variants (perhaps none) are then in `out` */
static bool recall(struct pron *p, const char *voice, struct str word, struct buf *out)
{
    char key[WORD_MAX * 4];
    make_key(key, sizeof(key), voice, word);
    uv_mutex_lock(&p->lock);
    const struct heard *h = *slot_of(p, key);
    while (h && strcmp(h->text, key) != 0)
        h = h->next;
    if (h)
        (void)buf_addz(out, h->prons);
    uv_mutex_unlock(&p->lock);
    return h != NULL;
}

static void remember(struct pron *p, const char *voice, struct str word, struct str prons)
{
    char key[WORD_MAX * 4];
    make_key(key, sizeof(key), voice, word);
    size_t key_len = strlen(key);
    struct heard *h = malloc(sizeof(*h) + key_len + 1 + prons.len + 1);
    if (!h)
        return;
    memcpy(h->text, key, key_len + 1);
    char *to = h->text + key_len + 1;
    if (prons.len)
        memcpy(to, prons.p, prons.len);
    to[prons.len] = '\0';
    h->prons = to;
    uv_mutex_lock(&p->lock);
    if (p->count >= REMEMBERED_MAX)
        forget_all(p);
    struct heard **slot = slot_of(p, key);
    h->next = *slot;
    *slot = h;
    p->count++;
    uv_mutex_unlock(&p->lock);
}

/* The same, behind the variants of a table. */
static bool recall_more(struct pron *p, const char *voice, struct str word, struct buf *out,
                        bool more)
{
    size_t bar = out->len;
    if (more)
        (void)buf_addc(out, '|');
    bool known = recall(p, voice, word, out);
    if (more && out->len == bar + 1)
        out->len = bar;
    return known;
}

/* "word\tprons\n", unless there is none. @return false when the word has to be asked for */
static bool add_known(struct pron *p, const struct lang *lang, const char *voice, struct str word,
                      bool last_chance, struct buf *out)
{
    size_t from = out->len;
    (void)buf_adds(out, word);
    (void)buf_addc(out, '\t');
    size_t prons = out->len;
    const char *row = lang_word_prons(lang, word);
    bool known = row && lang->table_only;
    if (row)
        (void)buf_addz(out, row);
    else if (lang->cmudict)
        known = cmudict_lookup(p->cmudict, word, out) == VA_OK;
    if (!known)
        known = recall_more(p, voice, word, out, row != NULL);
    if (buf_failed(out))
        return true;
    bool enough = known || (row && last_chance); /* the table's variants do without espeak's */
    if (!enough || out->len == prons)
        out->len = from;
    else
        (void)buf_addc(out, '\n');
    return known;
}

static enum va_err ask(struct pron *p, const char *voice, struct str words, struct buf *ret_ipa)
{
    const char *argv[] = {p->espeak, "-b", "1", "-q", "--ipa", "-v", voice, NULL};
    return helper_run(argv, words, ESPEAK_MS, ret_ipa, NULL);
}

static size_t count_lines(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.p[i] == '\n';
    return n;
}

static void learn(struct pron *p, const char *voice, struct str word, struct str ipa)
{
    struct buf prons;
    buf_init(&prons, 8192);
    if (ipa_to_phones(ipa, &prons))
        buf_reset(&prons); /* remembered as unpronounceable */
    remember(p, voice, word, buf_str(&prons));
    buf_free(&prons);
}

/* espeak-ng answers a line with a line; where it does not, every word is asked for alone. */
static void learn_all(struct pron *p, const char *voice, struct str words)
{
    struct buf ipa;
    buf_init(&ipa, TEXT_MAX);
    bool ok = ask(p, voice, words, &ipa) == VA_OK;
    bool paired = ok && count_lines(buf_str(&ipa)) == count_lines(words);
    struct str said = buf_str(&ipa);
    while (ok && words.len) {
        struct str word = str_cut(&words, '\n');
        if (paired) {
            learn(p, voice, word, str_cut(&said, '\n'));
            continue;
        }
        buf_reset(&ipa);
        struct str one = str_make(word.p, word.len + 1);
        if (ask(p, voice, one, &ipa) == VA_OK)
            learn(p, voice, word, buf_str(&ipa));
    }
    buf_free(&ipa);
}

static int by_text(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    int order = memcmp(x->p, y->p, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* The distinct words, sorted. @return their number; *ret_list is of malloc() */
static size_t distinct(struct str words, struct str **ret_list)
{
    size_t n = 0, kept = 0;
    struct str *list = malloc((words.len / 2 + 1) * sizeof(*list));
    *ret_list = list;
    for (size_t i = 0; list && i < words.len;) {
        size_t len = 0;
        while (i + len < words.len && words.p[i + len] != ' ' && words.p[i + len] != '\n')
            len++;
        if (len > 0 && len <= WORD_MAX)
            list[n++] = str_make(words.p + i, len);
        i += len + 1;
    }
    if (n)
        qsort(list, n, sizeof(*list), by_text);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !str_eq(list[i], list[kept - 1]))
            list[kept++] = list[i];
    }
    return kept;
}

enum va_err pron_words(struct pron *pron, const char *language, struct str words, struct buf *out)
{
    const struct lang *lang = lang_find(language);
    char voice[32];
    lang_espeak_voice(language, voice, sizeof(voice));
    struct str *list = NULL;
    size_t n = distinct(words, &list), unknown = 0;
    if (!list)
        return VA_ENOMEM;
    struct buf ask_for;
    buf_init(&ask_for, TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        if (add_known(pron, lang, voice, list[i], false, out))
            continue;
        list[unknown++] = list[i];
        (void)buf_adds(&ask_for, list[i]);
        (void)buf_addc(&ask_for, '\n');
    }
    if (unknown)
        learn_all(pron, voice, buf_str(&ask_for));
    for (size_t i = 0; i < unknown; i++)
        (void)add_known(pron, lang, voice, list[i], true, out);
    enum va_err err = buf_failed(&ask_for) ? ask_for.err : out->err;
    buf_free(&ask_for);
    free(list);
    return err;
}
