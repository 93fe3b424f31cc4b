#include "ai/speech/net.h"

#include "ai/speech/lang.h"

#include <stdio.h>
#include <stdlib.h>

struct builder {
    struct net *net;
    const char *voice;
    bool (*has)(void *arg, const char *label);
    void *arg;
};

void net_label(const char *voice, enum net_part part, struct str word, char out[NET_LABEL_MAX])
{
    (void)snprintf(out, NET_LABEL_MAX, "%s%c%.*s", voice, (char)part, STR_ARG(word));
}

struct str net_label_word(const char *label, enum net_part part)
{
    const char *at = strchr(label, (char)part);
    const char *word = at ? at + 1 : "";
    return str_make(word, strcspn(word, "("));
}

/* Room for one more element; the array grows by half. */
static bool grow(void **array, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return true;
    size_t more = *cap + *cap / 2 + 32;
    void *p = realloc(*array, more * size);
    if (!p)
        return false;
    *array = p;
    *cap = more;
    return true;
}

static int word_index(struct net *net, const char *label)
{
    for (size_t i = net->word_count; i-- > 0;) {
        if (strcmp(net->words[i], label) == 0)
            return (int)i;
    }
    void *words = net->words;
    net->failed |= !grow(&words, net->word_count, &net->word_cap, sizeof(net->words[0]));
    net->words = words;
    if (net->failed)
        return -1;
    (void)snprintf(net->words[net->word_count], NET_LABEL_MAX, "%s", label);
    return (int)net->word_count++;
}

static void add_arc(struct net *net, int from, int to, int word)
{
    void *arcs = net->arcs;
    net->failed |= !grow(&arcs, net->arc_count, &net->arc_cap, sizeof(net->arcs[0]));
    net->arcs = arcs;
    if (!net->failed)
        net->arcs[net->arc_count++] = (struct net_arc){from, to, word};
}

/* Where a word leads from a state; a new branch where it led nowhere. */
static int step(struct net *net, int from, int word)
{
    for (size_t i = net->arc_count; i-- > 0;) {
        if (net->arcs[i].from == from && net->arcs[i].word == word && word >= 0)
            return net->arcs[i].to;
    }
    add_arc(net, from, net->state_count, word);
    return net->state_count++;
}

static bool all_known(const struct builder *b, enum net_part part, const char *words)
{
    char label[NET_LABEL_MAX];
    for (struct str rest = str_of(words); rest.len;) {
        net_label(b->voice, part, str_cut(&rest, ' '), label);
        if (!b->has(b->arg, label))
            return false;
    }
    return true;
}

static bool add_sequence(struct builder *b, enum net_part part, const char *words, int from, int to)
{
    if (!all_known(b, part, words))
        return false;
    int at = from;
    char label[NET_LABEL_MAX];
    for (struct str rest = str_of(words); rest.len;) {
        net_label(b->voice, part, str_cut(&rest, ' '), label);
        at = step(b->net, at, word_index(b->net, label));
    }
    add_arc(b->net, at, to, -1);
    return true;
}

enum va_err net_build(struct net *net, const struct asr_grammar *g,
                      bool (*has)(void *arg, const char *label), void *arg)
{
    enum { START, GREETED, MIDDLE, END, FINAL, PARTS };
    char voice[32];
    lang_espeak_voice(g->language, voice, sizeof(voice));
    const struct lang *lang = lang_find(g->language);
    *net = (struct net){.state_count = PARTS, .final_state = FINAL};
    struct builder b = {net, voice, has, arg};
    add_arc(net, START, GREETED, -1);
    add_arc(net, GREETED, MIDDLE, -1);
    add_arc(net, END, FINAL, -1);
    for (const char *const *p = lang->greetings; *p; p++)
        (void)add_sequence(&b, NET_AROUND, *p, START, GREETED);
    for (const char *const *p = lang->lead_ins; *p; p++)
        (void)add_sequence(&b, NET_AROUND, *p, GREETED, MIDDLE);
    for (const char *const *p = lang->politely; *p; p++)
        (void)add_sequence(&b, NET_AROUND, *p, END, FINAL);
    for (size_t i = 0; i < g->count; i++)
        net->phrases += add_sequence(&b, NET_PHRASE, g->phrases[i].words, MIDDLE, END);
    if (!net->failed && net->phrases)
        return VA_OK;
    enum va_err err = net->failed ? VA_ENOMEM : VA_ENOTFOUND;
    net_free(net);
    return err;
}

void net_free(struct net *net)
{
    free(net->arcs);
    free(net->words);
    *net = (struct net){0};
}
