/* From a grammar to a search: words into the dictionary, then the network. */
#include "ai/speech/decoder_int.h"
#include "ai/speech/lang.h"
#include "ai/speech/net.h"

#include <sphinxbase/fsg_model.h>
#include <stdio.h>
#include <stdlib.h>

enum { DICT_MAX = 30000, TEXT_MAX = 2 << 20 };

void decoder_search_name(uint64_t id, char out[static DECODER_NAME_MAX])
{
    (void)snprintf(out, DECODER_NAME_MAX, "g%llu", (unsigned long long)id);
}

static bool has_word(void *arg, const char *label)
{
    struct decoder *d = arg;
    char *spelled = ps_lookup_word(d->ps, label);
    free(spelled);
    return spelled != NULL;
}

/* "word\tA B|C D" → dictionary entries "pt-br=word", "pt-br=word(2)". */
static void add_word(struct decoder *d, const char *voice, enum net_part part, struct str line)
{
    char label[NET_LABEL_MAX], variant[NET_LABEL_MAX + 16], spelled[512];
    net_label(voice, part, str_cut(&line, '\t'), label);
    if (has_word(d, label))
        return;
    for (int i = 1; line.len; i++) {
        (void)str_copy(spelled, sizeof(spelled), str_cut(&line, '|'));
        if (i == 1)
            (void)snprintf(variant, sizeof(variant), "%s", label);
        else
            (void)snprintf(variant, sizeof(variant), "%s(%d)", label, i);
        if (ps_add_word(d->ps, variant, spelled, FALSE) >= 0)
            d->dict_words++;
    }
}

static enum va_err add_words(struct decoder *d, const struct asr_grammar *g, enum net_part part,
                             const struct buf *words)
{
    char voice[32];
    lang_espeak_voice(g->language, voice, sizeof(voice));
    struct buf lines;
    buf_init(&lines, TEXT_MAX);
    enum va_err err = buf_failed(words) ? VA_ENOMEM : VA_OK;
    if (!err)
        err = pron_words(d->pron, g->language, buf_str(words), &lines);
    for (struct str rest = buf_str(&lines); !err && rest.len;)
        add_word(d, voice, part, str_cut(&rest, '\n'));
    buf_free(&lines);
    return err;
}

static enum va_err add_all_words(struct decoder *d, const struct asr_grammar *g)
{
    const struct lang *lang = lang_find(g->language);
    const char *const *const lists[] = {lang->greetings, lang->lead_ins, lang->politely};
    struct buf around, phrase;
    buf_init(&around, TEXT_MAX);
    buf_init(&phrase, TEXT_MAX);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (const char *const *p = lists[i]; *p; p++)
            (void)buf_addf(&around, "%s\n", *p);
    }
    for (size_t i = 0; i < g->count; i++)
        (void)buf_addf(&phrase, "%s\n", g->phrases[i].words);
    enum va_err err = add_words(d, g, NET_AROUND, &around);
    if (!err)
        err = add_words(d, g, NET_PHRASE, &phrase);
    buf_free(&around);
    buf_free(&phrase);
    return err;
}

static enum va_err set_search(struct decoder *d, const char *name, const struct net *net)
{
    fsg_model_t *fsg = fsg_model_init(name, ps_get_logmath(d->ps), 1.0F, net->state_count);
    if (!fsg)
        return VA_ENOMEM;
    for (size_t i = 0; i < net->word_count; i++)
        (void)fsg_model_word_add(fsg, net->words[i]);
    for (size_t i = 0; i < net->arc_count; i++) {
        const struct net_arc *arc = &net->arcs[i];
        if (arc->word >= 0)
            fsg_model_trans_add(fsg, arc->from, arc->to, 0, arc->word);
        else
            (void)fsg_model_null_trans_add(fsg, arc->from, arc->to, 0);
    }
    fsg->start_state = 0;
    fsg->final_state = net->final_state;
    glist_free(fsg_model_null_trans_closure(fsg, NULL));
    int status = ps_set_fsg(d->ps, name, fsg);
    fsg_model_free(fsg);
    return status ? VA_ENOMEM : VA_OK;
}

static struct decoder_compiled *find(struct decoder *d, uint64_t id)
{
    for (size_t i = 0; i < DECODER_GRAMMARS_MAX; i++) {
        if (d->grammars[i].id == id)
            return &d->grammars[i];
    }
    return NULL;
}

/* A free slot, else the one not used for longest, whose search goes. */
static struct decoder_compiled *free_slot(struct decoder *d)
{
    struct decoder_compiled *oldest = &d->grammars[0];
    for (size_t i = 1; i < DECODER_GRAMMARS_MAX; i++) {
        if (d->grammars[i].used < oldest->used)
            oldest = &d->grammars[i];
    }
    if (oldest->id && !oldest->empty) {
        char name[DECODER_NAME_MAX];
        decoder_search_name(oldest->id, name);
        (void)ps_set_search(d->ps, DECODER_LOOP); /* the current one must not be taken away */
        (void)ps_unset_search(d->ps, name);
    }
    *oldest = (struct decoder_compiled){0};
    return oldest;
}

/* pocketsphinx cannot forget a word: with too many of them it starts anew. */
static enum va_err limit_dictionary(struct decoder *d)
{
    if (d->ps && d->dict_words <= DICT_MAX)
        return VA_OK;
    if (d->ps)
        ps_free(d->ps);
    d->ps = NULL;
    return decoder_open(d);
}

static enum va_err compile(struct decoder *d, const struct asr_grammar *g)
{
    enum va_err err = limit_dictionary(d);
    struct net net = {0};
    if (!err)
        err = add_all_words(d, g);
    if (!err)
        err = net_build(&net, g, has_word, d);
    bool empty = err == VA_ENOTFOUND;
    if (err && !empty)
        return err;
    char name[DECODER_NAME_MAX];
    decoder_search_name(g->id, name);
    struct decoder_compiled *slot = free_slot(d);
    err = empty ? VA_OK : set_search(d, name, &net);
    net_free(&net);
    if (!err)
        *slot = (struct decoder_compiled){g->id, ++d->clock, empty};
    d->compilations++;
    return err;
}

enum va_err decoder_prepare(struct decoder *d, const struct asr_grammar *g)
{
    enum va_err err = find(d, g->id) ? VA_OK : compile(d, g);
    if (err)
        return err;
    struct decoder_compiled *c = find(d, g->id);
    c->used = ++d->clock;
    return c->empty ? VA_ENOTFOUND : VA_OK;
}
