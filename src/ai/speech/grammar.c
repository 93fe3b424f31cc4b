#include "ai/speech/grammar.h"

#include "ai/speech/words.h"

#include <stdlib.h>

static void free_grammar(struct asr_grammar *g)
{
    for (size_t i = 0; i < g->count; i++) {
        free(g->phrases[i].text);
        free(g->phrases[i].words);
    }
    free(g);
}

static enum va_err fill(struct grammar_phrase *to, const struct asr_phrase *from)
{
    if (from->tag < 0 || !from->text)
        return VA_EINVAL;
    size_t len = strlen(from->text);
    if (len > ASR_PHRASE_BYTES_MAX)
        return VA_EINVAL;
    struct buf words;
    buf_init(&words, 2 * ASR_PHRASE_BYTES_MAX);
    words_normalise(from->text, &words);
    enum va_err err = buf_failed(&words) ? words.err : words.len == 0 ? VA_EINVAL : VA_OK;
    to->tag = from->tag;
    to->text = err ? NULL : str_dup(str_make(from->text, len));
    to->words = err ? NULL : str_dup(buf_str(&words));
    buf_free(&words);
    return err ? err : to->text && to->words ? VA_OK : VA_ENOMEM;
}

enum va_err asr_grammar_new(const char *language, const struct asr_phrase *phrases, size_t count,
                            struct asr_grammar **ret_grammar)
{
    static atomic_ullong next_id = 1;
    if (!language || !phrases || count == 0 || count > ASR_PHRASES_MAX ||
        strlen(language) >= sizeof((*ret_grammar)->language))
        return VA_EINVAL;
    struct asr_grammar *g = calloc(1, sizeof(*g) + count * sizeof(g->phrases[0]));
    if (!g)
        return VA_ENOMEM;
    atomic_init(&g->refs, 1);
    g->id = atomic_fetch_add(&next_id, 1);
    (void)str_copy(g->language, sizeof(g->language), str_of(language));
    for (enum va_err err = VA_OK; g->count < count;) {
        err = fill(&g->phrases[g->count], &phrases[g->count]);
        g->count++;
        if (err) {
            free_grammar(g);
            return err;
        }
    }
    *ret_grammar = g;
    return VA_OK;
}

struct asr_grammar *asr_grammar_ref(struct asr_grammar *g)
{
    (void)atomic_fetch_add_explicit(&g->refs, 1, memory_order_relaxed);
    return g;
}

void asr_grammar_unref(struct asr_grammar **pg)
{
    struct asr_grammar *g = pg ? *pg : NULL;
    if (!g)
        return;
    *pg = NULL;
    if (atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) == 1)
        free_grammar(g);
}

const struct grammar_phrase *grammar_find(const struct asr_grammar *g, struct str words)
{
    for (size_t i = 0; i < g->count; i++) {
        if (str_eqz(words, g->phrases[i].words))
            return &g->phrases[i];
    }
    return NULL;
}
