#include "ai/attendant/listen.h"
#include "base/buf.h"

#include <stdlib.h>
#include <uv.h>

struct word_row {
    int tag;
    const char *text;
};

static const struct word_row words_pt[] = {
    {LISTEN_YES, "sim"},
    {LISTEN_YES, "isso"},
    {LISTEN_YES, "pode ser"},
    {LISTEN_YES, "quero"},
    {LISTEN_NO, "não"},
    {LISTEN_NO, "não obrigado"},
    {LISTEN_NO, "não obrigada"},
    {LISTEN_NO, "só isso"},
    {LISTEN_MESSAGE, "recado"},
    {LISTEN_MESSAGE, "deixar recado"},
    {LISTEN_MESSAGE, "deixar um recado"},
    {LISTEN_MESSAGE, "mensagem"},
    {LISTEN_MESSAGE, "deixar uma mensagem"},
    {LISTEN_REPEAT, "repetir"},
    {LISTEN_REPEAT, "repita"},
    {LISTEN_REPEAT, "de novo"},
    {LISTEN_HELP, "ajuda"},
    {LISTEN_HELP, "opções"},
    {LISTEN_GOODBYE, "tchau"},
    {LISTEN_GOODBYE, "até logo"},
    {LISTEN_OPERATOR, "atendente"},
    {LISTEN_OPERATOR, "telefonista"},
    {LISTEN_OPERATOR, "uma pessoa"},
};

static const struct word_row words_en[] = {
    {LISTEN_YES, "yes"},
    {LISTEN_YES, "yes please"},
    {LISTEN_YES, "yeah"},
    {LISTEN_YES, "correct"},
    {LISTEN_NO, "no"},
    {LISTEN_NO, "no thanks"},
    {LISTEN_NO, "no thank you"},
    {LISTEN_NO, "that's all"},
    {LISTEN_MESSAGE, "message"},
    {LISTEN_MESSAGE, "leave a message"},
    {LISTEN_MESSAGE, "take a message"},
    {LISTEN_REPEAT, "repeat"},
    {LISTEN_REPEAT, "say that again"},
    {LISTEN_HELP, "help"},
    {LISTEN_HELP, "options"},
    {LISTEN_GOODBYE, "goodbye"},
    {LISTEN_GOODBYE, "bye"},
    {LISTEN_OPERATOR, "operator"},
    {LISTEN_OPERATOR, "a person"},
    {LISTEN_OPERATOR, "a human"},
};

/* ---- phrases of a secretary --------------------------------------------------------------------
 */

struct phrase_set {
    struct asr_phrase item[ASR_PHRASES_MAX];
    size_t count;
};

/* What the secretary defines wins over our own words for the same text. */
static void add(struct phrase_set *set, int tag, const char *text)
{
    if (set->count == ASR_PHRASES_MAX)
        return;
    for (size_t i = 0; i < set->count; i++)
        if (str_ieqz(str_of(text), set->item[i].text))
            return;
    set->item[set->count++] = (struct asr_phrase){tag, text};
}

static void add_list(struct phrase_set *set, int tag, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        add(set, tag, list->item[i]);
}

static void collect(struct phrase_set *set, const struct secretary *s)
{
    for (size_t i = 0; i < s->destination_count; i++) {
        add(set, LISTEN_DESTINATION + (int)i, s->destinations[i].name);
        add_list(set, LISTEN_DESTINATION + (int)i, &s->destinations[i].aliases);
    }
    for (size_t i = 0; i < s->topic_count; i++) {
        add(set, LISTEN_TOPIC + (int)i, s->topics[i].name);
        add_list(set, LISTEN_TOPIC + (int)i, &s->topics[i].phrases);
    }
    bool pt = str_starts(str_of(s->language), "pt");
    const struct word_row *words = pt ? words_pt : words_en;
    size_t count =
        pt ? sizeof(words_pt) / sizeof(words_pt[0]) : sizeof(words_en) / sizeof(words_en[0]);
    for (size_t i = 0; i < count; i++)
        add(set, words[i].tag, words[i].text);
}

/* ---- one grammar per content --------------------------------------------------------------------
 */

enum { SHARED_MAX = 64, KEY_MAX = 256 * 1024 };

static struct shared {
    char *key; /* language and all phrases */
    struct asr_grammar *grammar;
    uint64_t used;
} shared[SHARED_MAX];
static uint64_t uses;
static uv_mutex_t lock;
static uv_once_t once = UV_ONCE_INIT;

static void make_lock(void)
{
    if (thread_lock_init(&lock))
        abort();
}

static struct shared *find_slot(const char *key)
{
    struct shared *oldest = &shared[0];
    for (size_t i = 0; i < SHARED_MAX; i++) {
        if (shared[i].key && strcmp(shared[i].key, key) == 0)
            return &shared[i];
        if (shared[i].used < oldest->used)
            oldest = &shared[i];
    }
    return oldest;
}

static enum va_err take_shared(const char *key, const struct secretary *s,
                               const struct phrase_set *set, struct asr_grammar **ret_grammar)
{
    struct shared *slot = find_slot(key);
    if (!slot->key || strcmp(slot->key, key) != 0) {
        struct asr_grammar *made = NULL;
        enum va_err err = asr_grammar_new(s->language, set->item, set->count, &made);
        char *copy = err ? NULL : str_dup(str_of(key));
        if (!err && !copy)
            err = VA_ENOMEM;
        if (err) {
            asr_grammar_unref(&made);
            return err;
        }
        free(slot->key);
        asr_grammar_unref(&slot->grammar);
        *slot = (struct shared){copy, made, 0};
    }
    slot->used = ++uses;
    *ret_grammar = asr_grammar_ref(slot->grammar);
    return VA_OK;
}

enum va_err listen_grammar(const struct secretary *s, struct asr_grammar **ret_grammar)
{
    uv_once(&once, make_lock);
    struct phrase_set *set = calloc(1, sizeof(*set));
    if (!set)
        return VA_ENOMEM;
    collect(set, s);
    struct buf key;
    buf_init(&key, KEY_MAX);
    buf_addz(&key, s->language);
    for (size_t i = 0; i < set->count; i++)
        buf_addf(&key, "\n%d %s", set->item[i].tag, set->item[i].text);
    enum va_err err = key.err;
    if (!err) {
        uv_mutex_lock(&lock);
        err = take_shared(buf_z(&key), s, set, ret_grammar);
        uv_mutex_unlock(&lock);
    }
    buf_free(&key);
    free(set);
    return err;
}

/* ---- written sentences -------------------------------------------------------------------------
 */

/* Words in lower case with one blank around each; letters of Latin-1 in UTF-8 too (À-Þ to à-þ). */
static void fold(struct buf *out, const char *text)
{
    buf_reset(out);
    buf_addc(out, ' ');
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p, before = p > text ? (unsigned char)p[-1] : 0;
        bool word = c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
        if (c >= 'A' && c <= 'Z')
            buf_addc(out, (char)(c + 'a' - 'A'));
        else if (before == 0xC3 && c >= 0x80 && c <= 0x9E && c != 0x97)
            buf_addc(out, (char)(c + 0x20));
        else if (word)
            buf_addc(out, (char)c);
        else if (out->len && out->p[out->len - 1] != ' ')
            buf_addc(out, ' ');
    }
    if (out->len && out->p[out->len - 1] != ' ')
        buf_addc(out, ' ');
}

static bool means_something_alone(int tag)
{
    return tag >= LISTEN_DESTINATION || tag == LISTEN_MESSAGE || tag == LISTEN_OPERATOR ||
           tag == LISTEN_GOODBYE;
}

static enum va_err longest(const struct phrase_set *set, const struct buf *sentence,
                           struct buf *phrase, int *ret_tag, bool *ret_sure)
{
    size_t best = 0;
    for (size_t i = 0; i < set->count; i++) {
        fold(phrase, set->item[i].text);
        if (phrase->err)
            return phrase->err;
        if (phrase->len <= best || phrase->len < 3 || !means_something_alone(set->item[i].tag) ||
            !strstr(buf_z(sentence), buf_z(phrase)))
            continue;
        best = phrase->len;
        *ret_tag = set->item[i].tag;
    }
    *ret_sure = best * 2 >= sentence->len;
    return best ? VA_OK : VA_ENOTFOUND;
}

enum va_err listen_read(const struct secretary *s, const char *text, int *ret_tag, bool *ret_sure)
{
    struct buf sentence, phrase;
    struct phrase_set *set = calloc(1, sizeof(*set));
    if (!set)
        return VA_ENOMEM;
    buf_init(&sentence, SECRETARY_TEXT_MAX + 2);
    buf_init(&phrase, SECRETARY_TEXT_MAX + 2);
    collect(set, s);
    fold(&sentence, text);
    enum va_err err = sentence.err;
    if (!err)
        err = longest(set, &sentence, &phrase, ret_tag, ret_sure);
    buf_free(&sentence);
    buf_free(&phrase);
    free(set);
    return err;
}
